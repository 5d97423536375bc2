//! What is drawn on top of a channel's pictures.

use media::{Span, Time};
use serde::{Deserialize, Serialize};

use super::{Length, Name, Rgb, Switch, Text, Zone};

/// Something on top of everything.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Watermark {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub mark: Mark,
}

/// What marks a picture.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// For viewers to see.
    Graphic(Graphic),
    /// For `obvan probe --mark` to find: a faint pattern over every rung's picture.
    Forensic {
        /// The number that is read back, 1 to 65535.
        id: u16,
        /// Steps of luma the pattern goes up and down, 1 to 4.
        strength: u8,
    },
}

/// A drawing and its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Graphic {
    /// What is drawn.
    pub art: Art,
    /// Where.
    pub at: At,
    /// Pixels of the canvas kept free where it stands against an edge.
    pub margin: u32,
    /// 0 invisible to 1 as it is.
    pub opacity: f32,
    /// Per cent of its own size on the canvas, 1 to 1000.
    pub scale: u32,
    /// At which size it is drawn.
    pub draw: Draw,
    /// Whether it is shown when the show starts.
    pub state: Switch,
    /// Where it goes and how it fades, in order of time; it stays where there is nothing.
    pub path: Vec<Waypoint>,
}

/// What a graphic is made of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Art {
    /// A PNG, JPEG or SVG, relative to the show file.
    Image {
        /// Its path.
        path: Text,
    },
    /// Words.
    Text {
        /// One line or several.
        text: String,
        /// How they look.
        style: TextStyle,
    },
    /// A running clock.
    Timecode {
        /// What it shows.
        of: TimeOf,
        /// How far a clock is ahead of UTC.
        zone: Zone,
        /// How fine it is.
        units: Units,
        /// How it looks.
        style: TextStyle,
    },
}

/// How text looks.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TextStyle {
    /// The font; `None` is DejaVu Sans, or another without serifs where that is not installed.
    pub font: Option<Font>,
    /// The height of a line, in pixels of the canvas.
    pub size: u32,
    /// The letters' colour.
    pub color: Rgb,
    /// The colour around the letters.
    pub outline: Option<Rgb>,
}

/// Where letters come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Font {
    /// A family that the system has.
    Family(String),
    /// A TrueType or OpenType file, relative to the show file.
    File(Text),
}

/// What a time code tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeOf {
    /// Show time.
    Show,
    /// The time of day.
    Clock,
}

/// How fine a time code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// `00:01:02:24`: the last is the frame within its second.
    Frames,
    /// `00:01:02`.
    Seconds,
}

/// At which size a graphic is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// Once, on the canvas, and scaled with the picture: the cheapest.
    Once,
    /// On each rung's picture, in its size: the crispest.
    Rung,
}

/// A place on the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// Against an edge, in a corner or in the middle; with the margin.
    Anchor(Anchor),
    /// The upper left corner, from the left and from the top.
    Corner(Length, Length),
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

/// A point of a graphic's path.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Waypoint {
    /// When it is there, in show time.
    pub time: Time,
    /// Where; `None` is its own place.
    pub to: Option<At>,
    /// How strong; `None` is its own opacity.
    pub opacity: Option<f32>,
}

/// The word for a watermark's own place, or its path, where a place is asked for.
pub const OWN_PLACE: &str = "own";

/// What a cue or a director asks of a watermark.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarkOrder {
    /// The watermark's name.
    pub watermark: Name,
    /// What is to become of it.
    pub change: MarkChange,
    /// From when on.
    pub when: MarkTime,
}

/// What is to become of a watermark.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkChange {
    /// It is shown, or it is not.
    State {
        /// Whether it is.
        to: Switch,
        /// How long it takes to come or go; `None` is at once.
        over: Option<Span>,
    },
    /// A text says these words.
    Text(String),
    /// It stands somewhere else.
    Place {
        /// Where; `None` is its own place, or its path.
        to: Option<At>,
        /// How long it is on its way; `None` is at once.
        over: Option<Span>,
    },
}

/// From when on a watermark is to be another.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkTime {
    /// At once.
    #[default]
    Now,
    /// With the next key frame, so that viewers who join see what all see.
    #[serde(rename = "keyframe")]
    KeyFrame,
}
