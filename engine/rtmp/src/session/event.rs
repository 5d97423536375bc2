//! What a session tells its caller.

use std::fmt;

use super::names::{AppName, StreamName};
use crate::message::MessageStreamId;

/// The number of a publish request within its session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub(super) u32);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a session tells its caller.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A client wants to publish; answer with
    /// [`accept`](super::ServerSession::accept) or
    /// [`reject`](super::ServerSession::reject). Until then nothing more is read.
    PublishRequested(Box<PublishRequest>),
    /// The connection ended before the request was answered.
    RequestWithdrawn {
        /// The request.
        request: RequestId,
    },
    /// A tag of a stream that was accepted.
    Tag {
        /// The stream.
        stream: MessageStreamId,
        /// Audio, video or script (then without `@setDataFrame`), as in a file.
        /// Its body may be a slice of the input it came in, and keep that alive.
        tag: flv::Tag,
    },
    /// An accepted stream has ended.
    PublishEnded {
        /// The stream.
        stream: MessageStreamId,
        /// Why.
        reason: EndReason,
    },
}

/// Why an accepted stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EndReason {
    /// The client said so.
    Unpublished,
    /// The connection was closed without a word.
    Disconnected,
    /// The peer fell silent.
    TimedOut,
    /// The peer broke the protocol or a limit.
    Failed,
    /// Another stream of the same connection was rejected, which closes it.
    Rejected,
}

/// A client that wants to publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishRequest {
    /// For the answer.
    pub request: RequestId,
    /// The stream its tags will have.
    pub stream: MessageStreamId,
    /// The application from `connect`.
    pub app: AppName,
    /// The stream name from `publish`.
    pub name: StreamName,
    /// What it wants done with the stream.
    pub kind: PublishKind,
    /// What it told of itself.
    pub peer: Peer,
}

/// What a publisher wants done with its stream. Nearly all say live.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PublishKind {
    /// Hand it on.
    Live,
    /// Write a new file.
    Record,
    /// Go on with a file.
    Append,
}

/// What a client told of itself in `connect`. All of it is a claim.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peer {
    /// Its name and version.
    pub flash_version: Option<String>,
    /// The URL it connected to.
    pub tc_url: Option<String>,
    /// The page or program it came from.
    pub swf_url: Option<String>,
    /// The FourCC codes of enhanced RTMP it listed; `*` is any.
    pub four_ccs: Vec<String>,
}

/// Why a publish request is turned down. The client is told in words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reject {
    /// Somebody publishes under this name.
    NameTaken,
    /// Nothing takes streams of this application and name.
    NoSuchPoint,
    /// The key is missing or wrong.
    NotAllowed,
    /// No more publishers now.
    Busy,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTaken => "somebody publishes under this name already",
            Self::NoSuchPoint => "nothing here takes a stream of this name",
            Self::NotAllowed => "the stream key is missing or wrong",
            Self::Busy => "no more publishers are taken now",
        })
    }
}
