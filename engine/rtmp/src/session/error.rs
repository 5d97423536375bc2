//! Why a session ends against the peer's will.

use media::Span;

use super::server::RequestId;
use crate::chunk::ChunkError;
use crate::handshake::HandshakeError;
use crate::message::{MessageError, MessageStreamId};

/// The end of a session. Nothing more is read after it; what is waiting in the
/// output may still be sent, and waiting events may still be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not RTMP.
    #[error("handshake: {0}")]
    Handshake(#[from] HandshakeError),
    /// The chunk layer lost its place or hit a limit.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// A message's payload is not what its type says.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A message in a place where it makes no sense.
    #[error("message at byte {at}: {fault}")]
    Protocol {
        /// The offset of its first chunk in the peer's bytes.
        at: u64,
        /// What is wrong.
        fault: ProtocolFault,
    },
    /// The peer took too long.
    #[error("{kind} within {limit}")]
    TimedOut {
        /// What did not come.
        kind: TimeoutKind,
        /// How long it was waited for.
        limit: Span,
    },
}

/// A message in a place where it makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// Commands make sense after `connect` only.
    #[error("command `{name}` before `connect`")]
    NotConnected {
        /// The command, at most its first 64 characters.
        name: String,
    },
    /// One `connect` is legal.
    #[error("a second `connect`; legal is one")]
    ConnectedAlready,
    /// A stream that `createStream` did not give out.
    #[error("`{command}` on message stream {got}; legal are the {open} that `createStream` gave out")]
    NoSuchStream {
        /// `publish` or `play`.
        command: &'static str,
        /// The stream it came on.
        got: MessageStreamId,
        /// How many streams there are.
        open: usize,
    },
    /// The stream is taken.
    #[error("`{command}` on message stream {stream}, which publishes or plays already")]
    InUse {
        /// `publish` or `play`.
        command: &'static str,
        /// The stream.
        stream: MessageStreamId,
    },
    /// A stream needs a name.
    #[error("`{command}` without a stream name")]
    NoStreamName {
        /// `publish` or `play`.
        command: &'static str,
    },
    /// A server gives out a message stream by its number.
    #[error("an answer to `createStream` without a stream number from 1 to 4294967295")]
    NoStreamNumber,
    /// More streams than allowed.
    #[error("{got} message streams at once; legal are 0 to {most}")]
    MessageStreams {
        /// How many there would be.
        got: usize,
        /// [`Limits::message_streams`](crate::Limits::message_streams).
        most: usize,
    },
}

/// What did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeoutKind {
    /// To a server: the handshake and `connect`.
    Connect,
    /// To a server: a request to publish or to play.
    Request,
    /// To a client: the handshake and the answer to `connect`.
    Connected,
    /// To a client: leave to publish, or the start of what is played.
    Started,
    /// Any byte.
    Idle,
}

impl std::fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "no `connect`",
            Self::Request => "no request to publish or play",
            Self::Connected => "no answer to `connect`",
            Self::Started => "no leave to publish or play",
            Self::Idle => "nothing came",
        })
    }
}

/// An answer to a request that is not waiting (any more): it was answered
/// before, or the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request {0} is not waiting for an answer")]
pub struct UnknownRequest(pub RequestId);

/// Tags for a stream that is not being played or published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message stream {0} takes no tags now")]
pub struct NotStarted(pub MessageStreamId);
