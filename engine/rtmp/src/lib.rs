//! RTMP sessions without I/O: bytes in, bytes and events out.
//!
//! A [`ServerSession`] takes what a publisher sends and gives what it must be
//! answered, and tells the caller of publish requests and [tags](flv::Tag). It
//! reads no clock and no socket; the time and the random bytes of the handshake
//! are handed in. Everything a peer can grow is bounded by [`Limits`], and every
//! error says at which byte of the connection it is and what would be legal.
//!
//! From the bottom up: [`handshake`], [`chunk`]s, [`message`]s, [`session`]s.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use flv::amf0::Value;
//! use media::Time;
//! use rtmp::chunk::{ChunkWriter, Csid};
//! use rtmp::message::{Command, Message, MessageStreamId};
//! use rtmp::{Event, ServerConfig, ServerSession};
//!
//! let now = Time::ZERO;
//! let mut session = ServerSession::new(ServerConfig::new([7; 1528]), now);
//!
//! // What a client sends: C0, C1 and C2, then commands and a video tag.
//! let mut sent = BytesMut::from(&[&[3u8][..], &[0; 2 * 1536]].concat()[..]);
//! let mut chunks = ChunkWriter::new();
//! let connection = MessageStreamId::CONTROL;
//! let stream = MessageStreamId(1);
//! let connect = Value::object([("app", Value::from("live"))]);
//! for (on, name, object, args) in [
//!     (connection, "connect", connect, vec![]),
//!     (connection, "createStream", Value::Null, vec![]),
//!     (stream, "publish", Value::Null, vec![Value::from("main?key=secret")]),
//! ] {
//!     let command = Message::Command(Command { name: name.into(), transaction: 1.0, object, args });
//!     chunks.write(Csid::COMMAND, &command.encode(on, 0)?, &mut sent)?;
//! }
//! let video = Message::Video(Bytes::from_static(&[0x17, 0, 0, 0, 0]));
//! chunks.write(Csid::new(6)?, &video.encode(stream, 40)?, &mut sent)?;
//!
//! // What a server does with it.
//! let mut input = sent.freeze();
//! let mut tags = Vec::new();
//! while !input.is_empty() {
//!     session.handle_input(&mut input, now)?;
//!     while let Some(event) = session.poll_event() {
//!         match event {
//!             Event::PublishRequested(request) => {
//!                 assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
//!                 assert_eq!(request.name.key(), Some("secret"));
//!                 // Until the answer, nothing more is taken from `input`.
//!                 assert!(!session.wants_input());
//!                 session.accept(request.request, now)?;
//!             }
//!             Event::Tag { tag, .. } => tags.push(tag),
//!             other => println!("{other:?}"),
//!         }
//!     }
//!     while let Some(output) = session.poll_output() {
//!         assert!(!output.is_empty()); // ... goes to the socket
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

pub use limits::Limits;
pub use session::{ClientConfig, ClientEvent, ClientSession, Event, ServerConfig, ServerSession};
pub use url::{Credentials, MAX_URL, RtmpUrl, Scheme, UrlError};
