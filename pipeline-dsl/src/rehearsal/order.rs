//! Commands at times: what a crew does while things break.

use media::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::model::{Action, Edge, Name, Rgb, Switch};

/// A command and when it is given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimedOrder {
    /// When, in show time.
    pub at: Time,
    /// What is asked for.
    pub order: Order,
}

/// What a crew can ask of a running show.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Something of one channel.
    Channel {
        /// The channel's name.
        channel: Name,
        /// What.
        ask: Ask,
    },
    /// A camera's line is chosen by hand.
    Line {
        /// The camera's name.
        camera: Name,
        /// The line; `None` leaves it to the rules again.
        line: Option<Name>,
    },
}

/// What a crew can ask of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// What a rundown could ask as well, but for `end`.
    Do(Action),
    /// A source is put on preview.
    Preview {
        /// A camera's name.
        source: Name,
    },
    /// What is on preview is brought.
    Take(TakeWith),
    /// Whose sound is heard.
    Sound(Heard),
    /// How loud a source is.
    Gain {
        /// A camera's name.
        source: Name,
        /// By how much louder than it comes.
        by: Decibels,
    },
    /// A source is silenced, or heard again.
    Mute {
        /// A camera's name.
        source: Name,
        /// On is silent.
        state: Switch,
    },
    /// The rundown is led by hand.
    Plan(PlanStep),
}

/// How a take brings its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeWith {
    /// At once.
    Cut,
    /// By a dissolve.
    Mix {
        /// How long it takes.
        over: Span,
    },
    /// Along an edge that moves over the picture.
    Wipe {
        /// How long it takes.
        over: Span,
        /// The edge it begins at.
        from: Edge,
    },
    /// Through a colour.
    Dip {
        /// How long both halves take together.
        over: Span,
        /// The colour in between.
        color: Rgb,
    },
}

/// Whose sound a channel has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heard {
    /// That of what is seen.
    Picture,
    /// Always that of this camera.
    Source(Name),
}

/// What is done with the rundown; cues are counted as the show file has them, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanStep {
    /// The first cue that waits for it is carried out.
    Next,
    /// No cue comes of itself any more.
    Hold,
    /// They do again.
    Go,
    /// A cue is left out.
    Skip {
        /// Which.
        cue: u32,
    },
    /// A cue that waits for `next` gets another place.
    Move {
        /// Which.
        cue: u32,
        /// The one it comes before; last if it is not said.
        before: Option<u32>,
    },
    /// A cue gets another show time.
    At {
        /// Which.
        cue: u32,
        /// The time.
        time: Time,
    },
}

/// A gain in steps of a tenth of a decibel: -60 dB to 12 dB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "i16", into = "i16")]
pub struct Decibels(i16);

impl Decibels {
    /// So many tenths; `None` if no gain is.
    pub fn from_tenths(tenths: i16) -> Option<Self> {
        (-600..=120).contains(&tenths).then_some(Self(tenths))
    }
    /// Tenths of a decibel.
    pub const fn tenths(self) -> i16 {
        self.0
    }
}

impl TryFrom<i16> for Decibels {
    type Error = &'static str;
    fn try_from(tenths: i16) -> Result<Self, Self::Error> {
        Self::from_tenths(tenths).ok_or("a gain is -600 to 120 tenths of a decibel")
    }
}
impl From<Decibels> for i16 {
    fn from(gain: Decibels) -> Self {
        gain.0
    }
}
