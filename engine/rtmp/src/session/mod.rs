//! Sessions: a connection's state from its first byte to its last.
//!
//! [`ServerSession`] takes what publishers send. All of them live on the same
//! parts: the handshake, the chunk layer, an outbox that counts and
//! acknowledges, and an inbox of events that is bounded.

mod commands;
mod config;
mod error;
mod event;
mod inbox;
mod names;
mod outbox;
mod replies;
mod server;
mod timers;

pub use config::{ServerConfig, Timeouts};
pub use error::{ProtocolFault, SessionError, TimeoutKind, UnknownRequest};
pub use event::{EndReason, Event, Peer, PublishKind, PublishRequest, Reject, RequestId};
pub use names::{AppName, StreamName};
pub use server::ServerSession;
