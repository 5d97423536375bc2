//! The checked show: what the engine runs, what the API shows, and what an
//! integrator builds in code. One model, no second copy.

mod camera;
mod channel;

use std::fmt;
use std::net::SocketAddr;

use media::{FrameRate, SampleRate, Size, Span, Time};
use serde::{Deserialize, Serialize};

pub use camera::*;
pub use channel::*;

/// A text that may be kept outside the show file: `"literal"` or `env:NAME`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Text {
    /// As written.
    Plain(String),
    /// The value of this environment variable when the show starts.
    Env(String),
}

/// As in the show file: `"literal"` without its escapes, or `env:NAME`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => write!(f, "\"{text}\""),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

/// A name given in the show file; unique per kind.
pub type Name = String;

/// A whole show.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Its name.
    pub name: Name,
    /// The canvas every channel is composed on.
    pub video: Video,
    /// The sound every channel is mixed in.
    pub audio: Audio,
    /// Where the engine listens.
    pub listen: Listen,
    /// Camera positions, in the order of the file.
    pub cameras: Vec<Camera>,
    /// Filler streams.
    pub fillers: Vec<Filler>,
    /// Watermarks.
    pub watermarks: Vec<Watermark>,
    /// Ladders.
    pub ladders: Vec<Ladder>,
    /// Key rings.
    pub keys: Vec<KeyRing>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Rundowns, at most one a channel.
    pub rundowns: Vec<Rundown>,
}

/// The canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Video {
    /// Pixels; even both ways.
    pub size: Size,
    /// Ticks a second.
    pub rate: FrameRate,
}

/// The sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audio {
    /// Samples a second.
    pub rate: SampleRate,
    /// Mono or stereo.
    pub layout: Layout,
}

/// Channel layouts a show can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One channel.
    Mono,
    /// Left and right.
    Stereo,
}

impl Layout {
    /// How many channels it has.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// Where the engine listens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listen {
    /// HTTP: page, API, viewers.
    pub http: SocketAddr,
    /// RTMP: encoders that push to us.
    pub rtmp: SocketAddr,
    /// RTMP inside TLS, if the show says so: the same encoders, the same push points.
    pub rtmps: Option<SecureListen>,
}

/// A port where peers speak TLS.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecureListen {
    /// The address.
    pub addr: SocketAddr,
    /// The certificate and those that lead to its root, PEM, ours first.
    pub cert: Text,
    /// The certificate's private key, PEM.
    pub key: Text,
}

impl Default for Listen {
    fn default() -> Self {
        Self { http: ([127, 0, 0, 1], 8080).into(), rtmp: ([127, 0, 0, 1], 1935).into(), rtmps: None }
    }
}

/// What happens when, on one channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rundown {
    /// The channel's name.
    pub channel: Name,
    /// In order of time.
    pub cues: Vec<Cue>,
}

/// One line of a rundown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cue {
    /// Show time.
    pub at: Time,
    /// What happens then.
    pub action: Action,
}

/// What a director can ask of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Show this source from the next tick.
    Cut {
        /// A camera's name.
        source: Name,
    },
    /// Dissolve to this source.
    Mix {
        /// A camera's name.
        source: Name,
        /// How long the dissolve takes.
        over: Span,
    },
    /// Filler on whatever the source does, or off again.
    Filler(Switch),
    /// Encryption on or off, from the next key frame.
    Encrypt(Switch),
    /// On to the next key of the ring, from the next key frame.
    EncryptRotate,
    /// The show ends; exclusive: the last tick is before it.
    End,
}

/// On or off, said as an absolute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Switch {
    On,
    Off,
}

impl Show {
    /// The channel of this name.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|c| c.name == name)
    }
    /// The camera of this name.
    pub fn camera(&self, name: &str) -> Option<&Camera> {
        self.cameras.iter().find(|c| c.name == name)
    }
    /// The filler of this name.
    pub fn filler(&self, name: &str) -> Option<&Filler> {
        self.fillers.iter().find(|f| f.name == name)
    }
    /// The ladder of this name.
    pub fn ladder(&self, name: &str) -> Option<&Ladder> {
        self.ladders.iter().find(|l| l.name == name)
    }
    /// The rundown of this channel.
    pub fn rundown(&self, channel: &str) -> Option<&Rundown> {
        self.rundowns.iter().find(|r| r.channel == channel)
    }
    /// When the show ends by its rundowns: the latest `end`, if there is one.
    pub fn end(&self) -> Option<Time> {
        let cues = self.rundowns.iter().flat_map(|r| &r.cues);
        cues.filter(|c| c.action == Action::End).map(|c| c.at).max()
    }
}
