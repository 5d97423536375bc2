//! Sessions: a connection's state from its first byte to its last.
//!
//! [`ServerSession`] takes what publishers send and gives players what they
//! want; [`ClientSession`] publishes or plays. Both live on the same parts: the
//! handshake, the chunk layer, an output that counts and acknowledges, an inbox
//! of events that is bounded, and deadlines.

mod client;
mod error;
mod inbox;
mod link;
mod names;
mod output;
mod replies;
mod round_trip;
mod server;
mod timers;

pub use client::{
    ClientConfig, ClientEnd, ClientError, ClientEvent, ClientSession, ClientTimeouts, Hops, Intent, Redirect,
    Refusal, ServerInfo, Stage, Status,
};
pub use error::{NotStarted, ProtocolFault, SessionError, TimeoutKind, UnknownRequest};
pub use names::{AppName, StreamName};
pub use output::Output;
pub use server::{
    Asked, ConnectPolicy, ConnectRefusal, ConnectRequest, EndReason, Event, MediaKind, NotWaiting, Pause,
    Peer, PlayEnd, PlayKind, PlayRefusal, PlayRequest, PlayStart, PublishKind, PublishRequest, Reject,
    RequestId, ServerConfig, ServerSession, Timeouts, Wanted,
};
