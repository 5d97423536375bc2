//! What a client session tells its caller, and why it ends.

use std::fmt;

use super::config::Hops;
use crate::enhanced::Capabilities;
use crate::session::error::SessionError;
use crate::session::inbox::Weight;
use crate::url::{RtmpUrl, UrlError};

/// What a client session tells its caller.
#[derive(Clone, PartialEq, Debug)]
pub enum ClientEvent {
    /// The server has answered `connect`.
    Connected(Box<ServerInfo>),
    /// Publishing: tags are taken from now on. Playing: the stream begins, or
    /// begins anew after its end.
    Started,
    /// A tag of the stream that is played, as in a file. Its body may be a
    /// slice of the input it came in, and keep that alive.
    Tag(flv::Tag),
    /// The stream that is played has nothing more for now, or the server is gone.
    Ended(ClientEnd),
    /// The server wants us to connect anew, there (enhanced RTMP). Until then
    /// all goes on here.
    ReconnectRequested {
        /// Where; the same place unless the server named another.
        url: Box<RtmpUrl>,
        /// What the server says to it.
        words: String,
    },
    /// The stream is elsewhere, or is to be asked for anew with the URL's user
    /// and password. The session is closed: start a new one there, with the
    /// hops that are left.
    Redirected(Box<Redirect>),
    /// The server says something else.
    Status(Box<Status>),
}

impl Weight for ClientEvent {
    fn weight(&self) -> usize {
        match self {
            Self::Tag(tag) => tag.body().len(),
            _ => 0,
        }
    }
}

/// What a server told of itself. All of it is a claim.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerInfo {
    /// Its name and version.
    pub version: Option<String>,
    /// What it says it can do beyond plain RTMP.
    pub capabilities: Capabilities,
}

/// Why a stream has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientEnd {
    /// Its publisher has left. The connection stays, and may begin anew.
    Unpublished,
    /// A recording is at its end. The connection stays.
    Complete,
    /// The server has closed the connection with a word; the session is closed.
    Closed,
    /// The connection broke, or was closed without a word; the session is closed.
    Disconnected,
}

/// Where a server sends a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// There.
    pub url: RtmpUrl,
    /// For the next session.
    pub hops: Hops,
}

/// What a server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// `status`, `warning` or `error`.
    pub level: String,
    /// As `NetStream.Play.InsufficientBW`.
    pub code: String,
    /// In words.
    pub words: String,
}

/// How far a client had come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// At `connect`.
    Connect,
    /// At `createStream`.
    CreateStream,
    /// At `publish` or `play`.
    Start,
    /// Behind it.
    Running,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection",
            Self::CreateStream => "a stream",
            Self::Start => "the stream's name",
            Self::Running => "to go on",
        })
    }
}

/// The server said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server refused {stage}: {code}{}{words}", if words.is_empty() { "" } else { ": " })]
pub struct Refusal {
    /// How far we had come.
    pub stage: Stage,
    /// As `NetStream.Publish.BadName`.
    pub code: String,
    /// The server's words, cut to 300 characters, our own secrets taken out.
    pub words: String,
}

/// The end of a client session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server broke the protocol or a limit, or took too long.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Sent elsewhere once too often.
    #[error("sent on to {}:{}, once too often", to.host(), to.port())]
    TooManyHops {
        /// There.
        to: Box<RtmpUrl>,
    },
    /// Sent to no legal place.
    #[error("sent elsewhere, but {0}")]
    BadRedirect(UrlError),
}
