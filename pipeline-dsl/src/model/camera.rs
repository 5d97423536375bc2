//! What comes in: cameras, their lines, and the fillers that cover holes.

use std::fmt;

use media::{FrameRate, Span};
use serde::{Deserialize, Serialize};

use super::{KeyPlace, Name, Text};

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
    /// How what is sent while the show runs is received; without meaning for files and patterns.
    #[serde(default)]
    pub live: Live,
    /// What is done about interlaced pictures; without meaning for patterns.
    #[serde(default)]
    pub deinterlace: Deinterlace,
    /// Where it is recorded as it comes, if it is: an FLV file under the output folder.
    /// `{camera}` and `{line}` stand for their names.
    #[serde(default)]
    pub record: Option<Text>,
}

/// What is done about pictures that are of two fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deinterlace {
    /// Whole pictures by bwdif: one a field in shows above 30 frames a second, else one a frame.
    #[default]
    Bwdif,
    /// The upper field, scaled up: half the lines at next to no cost.
    Fast,
    /// Nothing: both fields at once, combs and all.
    Off,
}

/// How a line is received that somebody sends to while the show runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Live {
    /// How long what comes waits, so that what comes late is not late on air: 20 ms to 2 s.
    pub buffer: Span,
    /// When its pictures are shown.
    #[serde(default)]
    pub sync: SyncBy,
}

/// When the pictures of a line are shown that somebody sends to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncBy {
    /// As they arrive, when they have waited in the buffer.
    #[default]
    Arrival,
    /// Together with those that all other such lines took at the same time, by the wall clocks
    /// that their streams tell of; the quicker lines wait, by 2 s at the most.
    Clock,
}

impl Default for Live {
    fn default() -> Self {
        Self { buffer: Span::from_millis(200), sync: SyncBy::Arrival }
    }
}

/// Where pictures and sound come from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// An encoder pushes to us.
    Push {
        /// Where it publishes.
        point: PushPoint,
        /// Where the stream key is kept that it must show; without one, whoever knows the
        /// point may publish.
        key: Option<KeyPlace>,
    },
    /// We pull from a URL (`rtmp`, `srt`, `rtsp`, `http(s)`).
    Pull {
        /// The URL.
        url: Text,
        /// Certificates that a server inside TLS is trusted by, PEM, instead of the system's.
        ca: Option<Text>,
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
        /// Its path, or `decklink:N`.
        path: Text,
        /// What its sound is taken from: `alsa:DEVICE` or `pulse:NAME`.
        #[serde(default)]
        audio: Option<Text>,
    },
    /// Packets or frames from the program that runs the show.
    Source {
        /// The name it is registered by.
        name: Name,
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

impl Input {
    /// Why a line with this input cannot be recorded as it comes; `None` if it can.
    pub const fn unrecordable(&self) -> Option<&'static str> {
        match self {
            Self::Push { .. } | Self::Pull { .. } | Self::Device { .. } | Self::Source { .. } => None,
            Self::File { .. } => Some("a file is on disk already, just as it came"),
            Self::Test { .. } | Self::Image { .. } => {
                Some("it is drawn here, so nothing comes that could be recorded")
            }
        }
    }
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

impl Rgb {
    /// A colour as the show file writes it: a name of CSS's sixteen, or `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        crate::literal::color(text)
    }
}

/// When a camera leaves a line, and when it comes back to a better one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failover {
    /// A line is lost this long after the first missing video frame was due. One that gives damaged
    /// pictures only is suspect after half as long, and left for one that is clean.
    pub lost: Span,
    /// A better line must have been well for this long before we return to it.
    pub recover: Span,
    /// When a line that still gives pictures is left all the same.
    #[serde(default)]
    pub suspect: Suspect,
    /// Whether a better line is returned to at all.
    #[serde(default)]
    pub prefer: Prefer,
    /// How the lines that are not shown are kept ready.
    #[serde(default)]
    pub standby: Standby,
    /// By what lines that carry the same pictures are shown in step.
    #[serde(default)]
    pub align: Align,
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            lost: Span::from_millis(400),
            recover: Span::from_secs(3),
            suspect: Suspect::default(),
            prefer: Prefer::default(),
            standby: Standby::default(),
            align: Align::default(),
        }
    }
}

/// When a line that still gives pictures is suspect, and left if there is a sound one. A
/// threshold that is not given is not looked at; where none is, and no check counts, no line is
/// ever suspect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Suspect {
    /// Figures must be beyond their threshold for this long without a break.
    pub after: Span,
    /// The least pictures a second.
    pub min_fps: Option<FrameRate>,
    /// The least bits a second, of both tracks together.
    pub min_bitrate: Option<u32>,
    /// The most decode errors a second.
    pub max_errors: Option<u32>,
    /// The picture stands still: told after 5 s where nothing is said.
    #[serde(default = "Check::freeze")]
    pub freeze: Check,
    /// The picture is black: told after 2 s where nothing is said.
    #[serde(default = "Check::black")]
    pub black: Check,
    /// Nothing is heard: told after 5 s where nothing is said.
    #[serde(default = "Check::silence")]
    pub silence: Check,
}

/// What is made of something that can be seen or heard to be wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// It is not looked at.
    Off,
    /// It is told when it has lasted for so long.
    Tells(Span),
    /// It is told, and from then on the line is left for one that is sound.
    Counts(Span),
}

impl Check {
    /// How long it lasts before it is told; `None` if it is not looked at.
    #[inline]
    pub const fn told_after(self) -> Option<Span> {
        match self {
            Self::Off => None,
            Self::Tells(after) | Self::Counts(after) => Some(after),
        }
    }

    /// How long it lasts before the line is left; `None` if it is not left for that.
    // Asked of every line in every tick.
    #[inline]
    pub const fn left_after(self) -> Option<Span> {
        match self {
            Self::Off | Self::Tells(_) => None,
            Self::Counts(after) => Some(after),
        }
    }

    const fn freeze() -> Self {
        Self::Tells(Span::from_secs(5))
    }
    const fn black() -> Self {
        Self::Tells(Span::from_secs(2))
    }
    const fn silence() -> Self {
        Self::Tells(Span::from_secs(5))
    }
}

/// What the checks of a line look for, by its word in the show file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Symptom {
    /// The picture is black.
    Black,
    /// The picture stands still.
    Freeze,
    /// Nothing is heard.
    Silence,
}

impl Suspect {
    /// What is made of it.
    pub const fn check(&self, symptom: Symptom) -> Check {
        match symptom {
            Symptom::Black => self.black,
            Symptom::Freeze => self.freeze,
            Symptom::Silence => self.silence,
        }
    }
}

impl Default for Suspect {
    fn default() -> Self {
        Self {
            after: Span::from_secs(2),
            min_fps: None,
            min_bitrate: None,
            max_errors: None,
            freeze: Check::freeze(),
            black: Check::black(),
            silence: Check::silence(),
        }
    }
}

/// Which line a camera is led back to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// The first in the file that is well.
    #[default]
    First,
    /// The one that is shown: it is left only when it fails.
    Stay,
}

/// How the lines that are not shown are kept ready.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standby {
    /// Decoded all the time: the next tick can show one.
    #[default]
    Hot,
    /// The latest GOP is kept, and caught up with when the line is wanted.
    Warm,
}

/// By what lines that carry the same pictures are shown in step, so that going over from one to
/// another neither repeats nor skips any.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// By the stamps of the same coded pictures: one encoder that sends twice.
    #[default]
    Stamps,
    /// Also by what is seen in them: two encoders of one camera.
    Content,
    /// Not at all: each line is shown as it comes.
    Off,
}

/// What covers a hole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Filler {
    /// Its name.
    pub name: Name,
    /// A file (loops), an image or a pattern.
    pub input: Input,
}
