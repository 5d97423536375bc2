//! The checked show: what the engine runs, what the API shows, and what an
//! integrator builds in code. One model, no second copy.

use std::fmt;
use std::net::SocketAddr;

use media::{FrameRate, SampleRate, Size, Span, Time};
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listen {
    /// HTTP: page, API, viewers.
    pub http: SocketAddr,
    /// RTMP: encoders that push to us.
    pub rtmp: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        Self { http: ([127, 0, 0, 1], 8080).into(), rtmp: ([127, 0, 0, 1], 1935).into() }
    }
}

/// A camera position with its lines, the preferred first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Camera {
    /// Its name.
    pub name: Name,
    /// Main and backup lines; at least one.
    pub lines: Vec<Line>,
    /// When to leave a line and come back to it.
    pub failover: Failover,
}

/// One way a camera's picture reaches us.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its name, unique within the camera.
    pub name: Name,
    /// Where it comes from.
    pub input: Input,
}

/// Where pictures and sound come from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// An encoder pushes to us.
    Push(PushPoint),
    /// We pull from a URL (`rtmp`, `srt`, `rtsp`, `http(s)`).
    Pull {
        /// The URL.
        url: Text,
    },
    /// A file, relative to the show file.
    File {
        /// Its path.
        path: Text,
        /// Once, or for ever.
        repeat: Repeat,
    },
    /// A capture device.
    Device {
        /// Its path.
        path: Text,
    },
    /// A generated pattern; never ends.
    Test {
        /// The picture.
        pattern: Pattern,
        /// A sine of this many hertz, else silence.
        tone: Option<u32>,
    },
    /// A still picture with silence (fillers only).
    Image {
        /// Its path.
        path: Text,
    },
}

/// Where an RTMP encoder publishes: `rtmp:app/stream`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PushPoint {
    /// The RTMP application.
    pub app: String,
    /// The stream name within it.
    pub stream: String,
}

impl fmt::Display for PushPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rtmp:{}/{}", self.app, self.stream)
    }
}

/// Whether a file starts again at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Ends at its end.
    Once,
    /// Starts again without a seam.
    Loop,
}

/// A generated picture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Colour bars.
    Bars,
    /// One colour.
    Color(Rgb),
    /// A moving picture with detail and a burnt-in time code.
    Motion,
    /// A time code, large; flashes white with a beep at each whole second where there is a tone.
    Timecode,
}

/// A colour, 8 bits a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct Rgb {
    pub r: u8,
    pub g: u8,
    pub b: u8,
}

/// When a camera leaves a line, and when it comes back to a better one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failover {
    /// A line is lost this long after the first missing video frame was due.
    pub lost: Span,
    /// A better line must have been well for this long before we return to it.
    pub recover: Span,
}

impl Default for Failover {
    fn default() -> Self {
        Self { lost: Span::from_millis(400), recover: Span::from_secs(3) }
    }
}

/// What covers a hole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Filler {
    /// Its name.
    pub name: Name,
    /// A file (loops), an image or a pattern.
    pub input: Input,
}

/// A picture on top of everything.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Watermark {
    /// Its name.
    pub name: Name,
    /// A PNG or JPEG, relative to the show file.
    pub image: Text,
    /// The corner, edge or middle it is set against.
    pub at: Anchor,
    /// Pixels from there, on the canvas.
    pub margin: u32,
    /// 0 invisible to 1 as it is.
    pub opacity: f32,
}

/// Nine places on the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

/// The rungs a channel is encoded into.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ladder {
    /// Its name.
    pub name: Name,
    /// The x264 preset.
    pub preset: Preset,
    /// Every rung has a key frame this often (and at each cut).
    pub keyframe: Span,
    /// AAC bits a second.
    pub audio_bitrate: u32,
    /// The rungs, the largest first.
    pub rungs: Vec<Rung>,
}

/// x264's speeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

/// One quality of a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rung {
    /// Its name, e.g. `720p`.
    pub name: Name,
    /// Pixels; even both ways, within the canvas.
    pub size: Size,
    /// Video bits a second.
    pub bitrate: u32,
}

/// Keys of one name, the current first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyRing {
    /// Its name.
    pub name: Name,
    /// Current and next keys.
    pub keys: Vec<KeySource>,
}

/// A key and where its 32 hex digits are found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeySource {
    /// The id viewers select it by, 0 to 255.
    pub id: u8,
    /// Where it is.
    pub place: KeyPlace,
}

/// Where a key is kept; never in the show file itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// An environment variable.
    Env(String),
    /// A file, relative to the show file.
    File(Text),
}

/// How a channel's tags are encrypted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Encrypt {
    /// The key ring's name.
    pub key: Name,
    /// How.
    pub mode: EncryptMode,
}

/// The wire format's modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptMode {
    /// Slices are encrypted inside their NALUs.
    Nalu,
    /// The whole tag body is hidden inside one NALU.
    Capsule,
}

/// A program that viewers watch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: Name,
    /// Camera names; the first is on air at the start.
    pub sources: Vec<Name>,
    /// The filler and when it steps in.
    pub filler: Option<ChannelFiller>,
    /// Watermark names, drawn in this order.
    pub watermarks: Vec<Name>,
    /// The ladder's name.
    pub ladder: Name,
    /// Encryption, if any.
    pub encrypt: Option<Encrypt>,
    /// Where it goes.
    pub egresses: Vec<Egress>,
}

/// Which filler, and after how long a hole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChannelFiller {
    /// The filler's name.
    pub name: Name,
    /// It steps in this long after the first missing video frame was due.
    pub after: Span,
}

/// One way out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Egress {
    /// Its name, unique within the channel.
    pub name: Name,
    /// What kind, and where to. `{channel}` and `{rung}` stand for their names.
    pub target: Target,
    /// Whether this way out gets the tags unencrypted though the channel is encrypted.
    pub door: Door,
}

/// Where an egress leads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// We push to this URL.
    Push {
        /// The URL, with placeholders.
        url: Text,
    },
    /// Viewers fetch `/live/{channel}/{rung}.flv`.
    ServeHttpFlv,
    /// A file under the output folder.
    Record {
        /// The path, with placeholders.
        path: Text,
    },
}

/// What an egress of an encrypted channel carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// What the channel carries.
    AsChannel,
    /// Clear tags, by the show's own word (`clear=true`).
    Clear,
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
