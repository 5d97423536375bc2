//! What a session tells its caller.

use std::fmt;

use flv::FlvMillis;

use crate::enhanced::Capabilities;
use crate::message::MessageStreamId;
use crate::session::inbox::Weight;
use crate::session::{AppName, StreamName};
use crate::url::RtmpUrl;

/// The number of a request within its session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub(in crate::session) u32);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a session tells its caller.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A client wants to be connected, and
    /// [`ServerConfig::connect`](super::ServerConfig::connect) says to ask; answer with
    /// [`accept_connect`](super::ServerSession::accept_connect) or
    /// [`refuse_connect`](super::ServerSession::refuse_connect). Until then
    /// nothing more is read.
    ConnectRequested(Box<ConnectRequest>),
    /// A client wants to publish; answer with
    /// [`accept`](super::ServerSession::accept) or
    /// [`reject`](super::ServerSession::reject). Until then nothing more is read.
    PublishRequested(Box<PublishRequest>),
    /// A client wants to play; answer with
    /// [`accept_play`](super::ServerSession::accept_play) or
    /// [`refuse_play`](super::ServerSession::refuse_play). Until then nothing
    /// more is read.
    PlayRequested(Box<PlayRequest>),
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
    /// A stream is no longer played, and takes no more tags.
    PlayEnded {
        /// The stream.
        stream: MessageStreamId,
        /// Why.
        reason: EndReason,
    },
    /// A player wants no tags for now, or wants them again. It has been told
    /// that it is so.
    Pause {
        /// The stream.
        stream: MessageStreamId,
        /// Which of the two.
        pause: Pause,
        /// Where the player is.
        at: FlvMillis,
    },
    /// A player wants sound or pictures no longer, or again. Pictures should
    /// go on with a key frame.
    Wants {
        /// The stream.
        stream: MessageStreamId,
        /// Sound or pictures.
        kind: MediaKind,
        /// Which of the two.
        wanted: Wanted,
    },
    /// How much a player buffers.
    BufferLength {
        /// The stream.
        stream: MessageStreamId,
        /// Milliseconds.
        millis: u32,
    },
}

impl Weight for Event {
    fn weight(&self) -> usize {
        match self {
            Self::Tag { tag, .. } => tag.body().len(),
            _ => 0,
        }
    }
}

/// A pause, or its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pause {
    /// No tags.
    Paused,
    /// Tags again.
    Resumed,
}

/// What of a stream a player can turn off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// Whether a player wants it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wanted {
    /// From now on.
    Yes,
    /// No longer.
    No,
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
    /// Another stream of the same connection was rejected, which closes it, or
    /// the client was dismissed.
    Rejected,
    /// The player has had enough.
    Stopped,
}

/// A client that wants to be connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectRequest {
    /// The application.
    pub app: AppName,
    /// What it told of itself.
    pub peer: Peer,
}

/// Why a client is not connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectRefusal {
    /// There is no such application.
    NoSuchApp,
    /// For these reasons, told in these words.
    NotAllowed(String),
    /// What it looks for is elsewhere (code 302).
    Moved(Box<RtmpUrl>),
}

/// A client that wants to play.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlayRequest {
    /// For the answer.
    pub request: RequestId,
    /// The stream its tags must have.
    pub stream: MessageStreamId,
    /// The application from `connect`.
    pub app: AppName,
    /// The stream name from `play`.
    pub name: StreamName,
    /// Where it wants to begin.
    pub start: PlayStart,
    /// For how long, in milliseconds; to the end by default.
    pub duration: Option<u32>,
    /// What it told of itself.
    pub peer: Peer,
}

/// Where a player wants to begin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlayStart {
    /// Live if it is, else a recording from its beginning.
    Any,
    /// Live only.
    Live,
    /// A recording, from so many milliseconds.
    Recording(u32),
}

/// What a player is given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlayKind {
    /// What happens now.
    Live,
    /// What happened once.
    Recording,
}

/// Why a play request is turned down. The player is told in words, and may try
/// another stream on the same connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlayRefusal {
    /// Nothing of this name is there.
    NotFound,
    /// The key is missing or wrong.
    NotAllowed,
    /// No more players now.
    Busy,
}

impl fmt::Display for PlayRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no stream of this name",
            Self::NotAllowed => "the stream key is missing or wrong",
            Self::Busy => "no more players are taken now",
        })
    }
}

/// Why the server ends what it plays to a client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlayEnd {
    /// Its publisher has left.
    Unpublished,
    /// The recording is at its end.
    Complete,
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
///
/// [`Debug`] leaves out the queries of its URLs, which can hold secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Peer {
    /// Its name and version.
    pub flash_version: Option<String>,
    /// The URL it connected to.
    pub tc_url: Option<String>,
    /// The page or program it came from.
    pub swf_url: Option<String>,
    /// What it says it can do beyond plain RTMP.
    pub capabilities: Capabilities,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |url: &Option<String>| url.as_deref().map(crate::url::shown);
        f.debug_struct("Peer")
            .field("flash_version", &self.flash_version)
            .field("tc_url", &shown(&self.tc_url))
            .field("swf_url", &shown(&self.swf_url))
            .field("capabilities", &self.capabilities)
            .finish()
    }
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
