//! The checked show: what the engine runs, what the API shows, and what an
//! integrator builds in code. One model, no second copy.

mod camera;
mod channel;
mod gain;
mod ladder;
mod scene;
mod take;
mod watermark;

use std::fmt;
use std::net::SocketAddr;

use media::{FrameRate, SampleRate, Size, Span, Time};
use serde::{Deserialize, Serialize};

pub use camera::*;
pub use channel::*;
pub use gain::Gain;
pub use ladder::*;
pub use scene::*;
pub use take::{Follow, Transition};
pub use watermark::*;

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
    /// Layouts of the show's own, for its scenes.
    #[serde(default)]
    pub layouts: Vec<SceneLayout>,
    /// Sources composed of cameras.
    #[serde(default)]
    pub scenes: Vec<Scene>,
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
    /// What `clock` times are counted from.
    #[serde(default)]
    pub zone: Zone,
    /// In the order of the file; those at show times are in order of time.
    pub cues: Vec<Cue>,
}

/// One line of a rundown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cue {
    /// When it comes.
    pub when: When,
    /// What happens then.
    pub action: Action,
}

/// When a cue comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At a show time.
    At(Time),
    /// At a time of day in the rundown's zone.
    Clock(TimeOfDay),
    /// When the director calls for it.
    Next,
}

impl When {
    /// The show time, if it is one.
    pub const fn show_time(self) -> Option<Time> {
        match self {
            Self::At(at) => Some(at),
            Self::Clock(_) | Self::Next => None,
        }
    }
}

/// As the show file writes it, with the action behind it: `at 0:10`, `clock 20:15:00`, `next`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "at {}", crate::literal::write_time(*at)),
            Self::Clock(time) => write!(f, "clock {time}"),
            Self::Next => f.write_str("next"),
        }
    }
}

/// A time of day: 0:00 up to, not including, 24:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "Span", into = "Span")]
pub struct TimeOfDay(Span);

impl TimeOfDay {
    /// A day.
    pub const DAY: Span = Span::from_secs(86_400);

    /// So long after midnight; `None` if that is another day.
    pub fn new(since_midnight: Span) -> Option<Self> {
        (Span::ZERO <= since_midnight && since_midnight < Self::DAY).then_some(Self(since_midnight))
    }
    /// How long after midnight.
    pub const fn since_midnight(self) -> Span {
        self.0
    }
}

impl TryFrom<Span> for TimeOfDay {
    type Error = &'static str;
    fn try_from(span: Span) -> Result<Self, Self::Error> {
        Self::new(span).ok_or("a time of day is from 0:00:00 to 23:59:59")
    }
}
impl From<TimeOfDay> for Span {
    fn from(time: TimeOfDay) -> Self {
        time.0
    }
}

/// With its seconds: `20:15:00`.
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::literal::write_clock(self.0))
    }
}

/// How far a place's clocks are ahead of UTC, in minutes: -12:00 to +14:00.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "i16", into = "i16")]
pub struct Zone(i16);

impl Zone {
    /// UTC itself.
    pub const UTC: Self = Self(0);

    /// So many minutes ahead of UTC; `None` if no place is.
    pub fn from_minutes(minutes: i16) -> Option<Self> {
        (-720..=840).contains(&minutes).then_some(Self(minutes))
    }
    /// Minutes ahead of UTC.
    pub const fn minutes(self) -> i16 {
        self.0
    }
    /// How far ahead of UTC.
    pub fn offset(self) -> Span {
        Span::from_secs(i64::from(self.0) * 60)
    }
}

impl TryFrom<i16> for Zone {
    type Error = &'static str;
    fn try_from(minutes: i16) -> Result<Self, Self::Error> {
        Self::from_minutes(minutes).ok_or("a zone is from -720 to 840 minutes ahead of UTC")
    }
}
impl From<Zone> for i16 {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

/// `+01:00`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// What a director can ask of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Show this source from the next tick.
    Cut {
        /// A camera's or scene's name.
        source: Name,
    },
    /// Dissolve to this source.
    Mix {
        /// A camera's or scene's name.
        source: Name,
        /// How long the dissolve takes.
        over: Span,
    },
    /// Uncover this source along an edge that moves over the picture.
    Wipe {
        /// A camera's or scene's name.
        source: Name,
        /// How long it takes.
        over: Span,
        /// The edge of the picture it begins at.
        from: Edge,
    },
    /// Fade to a colour, and from there to this source.
    Dip {
        /// A camera's or scene's name.
        source: Name,
        /// How long both halves take together.
        over: Span,
        /// The colour in between.
        color: Rgb,
    },
    /// Filler on whatever the source does, or off again.
    Filler(Switch),
    /// Encryption on or off, from the next key frame.
    Encrypt(Switch),
    /// On to the next key of the ring, from the next key frame.
    EncryptRotate,
    /// Something of a scene, whatever channels show it.
    Scene {
        /// The scene's name.
        scene: Name,
        /// What.
        order: SceneOrder,
    },
    /// Something of one of the channel's watermarks.
    Watermark(MarkOrder),
    /// The show ends; exclusive: the last tick is before it.
    End,
}

/// An edge of the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Edge {
    Left,
    Right,
    Top,
    Bottom,
}

impl Action {
    /// The camera or scene it leads to, if it leads to one.
    pub fn source(&self) -> Option<&Name> {
        match self {
            Self::Cut { source }
            | Self::Mix { source, .. }
            | Self::Wipe { source, .. }
            | Self::Dip { source, .. } => Some(source),
            Self::Filler(_)
            | Self::Encrypt(_)
            | Self::EncryptRotate
            | Self::Scene { .. }
            | Self::Watermark(_)
            | Self::End => None,
        }
    }
}

/// As the show file writes it: `mix main over=500ms`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::source::action(self))
    }
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
    /// The scene of this name.
    pub fn scene(&self, name: &str) -> Option<&Scene> {
        self.scenes.iter().find(|s| s.name == name)
    }
    /// The ladder of this name.
    pub fn ladder(&self, name: &str) -> Option<&Ladder> {
        self.ladders.iter().find(|l| l.name == name)
    }
    /// The rundown of this channel.
    pub fn rundown(&self, channel: &str) -> Option<&Rundown> {
        self.rundowns.iter().find(|r| r.channel == channel)
    }
    /// When the show ends by its rundowns: the latest `end` at a show time, if there is one.
    pub fn end(&self) -> Option<Time> {
        let cues = self.rundowns.iter().flat_map(|r| &r.cues);
        cues.filter(|c| c.action == Action::End).filter_map(|c| c.when.show_time()).max()
    }
}
