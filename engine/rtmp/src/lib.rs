//! RTMP sessions without I/O: bytes in, bytes and events out.
//!
//! A [`ServerSession`] takes what a client publishes and plays to it, a
//! [`ClientSession`] publishes one stream or plays it. Neither reads a clock or
//! a socket: the time and the random bytes of the handshake are handed in, what
//! is to be sent lies in an [`Output`](session::Output) whose slices share the
//! payloads of the [tags](flv::Tag). Everything a peer can grow is bounded by
//! [`Limits`], and every error says at which byte of the connection it is and
//! what would be legal.
//!
//! From the bottom up: [`handshake`], [`chunk`]s, [`message`]s, [`enhanced`]
//! capabilities, [`session`]s. An [`RtmpUrl`] says where a stream is; RTMPS is
//! the same inside TLS, which is the caller's.
//!
//! An encoder publishes to us; here both ends are in one place:
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use flv::{FlvMillis, Tag, TagKind};
//! use media::Time;
//! use rtmp::session::Intent;
//! use rtmp::{ClientConfig, ClientEvent, ClientSession, Event, RtmpUrl, ServerConfig, ServerSession};
//!
//! let now = Time::ZERO;
//! let url: RtmpUrl = "rtmp://127.0.0.1/live/main?key=secret".parse()?;
//! let mut client = ClientSession::new(ClientConfig::new(url, Intent::Publish, [1; 1528]), now);
//! let mut server = ServerSession::new(ServerConfig::new([2; 1528]), now);
//!
//! let mut tags = Vec::new();
//! while tags.is_empty() {
//!     // What would go through sockets, in vectored writes.
//!     let output = client.output();
//!     let mut to_server: Bytes = output.copy_to_bytes(output.len());
//!     let output = server.output();
//!     let mut to_client: Bytes = output.copy_to_bytes(output.len());
//!
//!     client.handle_input(&mut to_client, now)?;
//!     while let Some(event) = client.poll_event() {
//!         if event == ClientEvent::Started {
//!             client.send(&Tag::new(TagKind::Video, FlvMillis(40), vec![0x17, 0, 0, 0, 0].into())?)?;
//!         }
//!     }
//!
//!     server.handle_input(&mut to_server, now)?;
//!     assert!(to_server.is_empty()); // what is left is handed in again, later
//!     while let Some(event) = server.poll_event() {
//!         match event {
//!             Event::PublishRequested(request) => {
//!                 assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
//!                 assert_eq!(request.name.key(), Some("secret"));
//!                 // Until the answer, nothing more is taken from `to_server`.
//!                 assert!(!server.wants_input());
//!                 server.accept(request.request, now)?;
//!             }
//!             Event::Tag { tag, .. } => tags.push(tag),
//!             other => println!("{other:?}"),
//!         }
//!     }
//! }
//! assert_eq!((tags.len(), tags[0].timestamp.0), (1, 40));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod chunk;
pub mod enhanced;
pub mod handshake;
mod limits;
pub mod message;
pub mod session;
mod url;
mod words;

pub use limits::Limits;
pub use session::{ClientConfig, ClientEvent, ClientSession, Event, ServerConfig, ServerSession};
pub use url::{Credentials, MAX_URL, RtmpUrl, Scheme, UrlError};
pub use words::printable;
