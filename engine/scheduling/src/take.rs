//! What a director asks for, and what is answered.

use media::{Tick, Time};
use pipeline_dsl::{Action, Follow, Gain, Name, Switch, Transition};
use serde::{Deserialize, Serialize};

use crate::decision::Intent;
use crate::rundown::CueNumber;

/// A director's command to a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// What a cue can say too.
    Act(Action),
    /// This source is what `take` brings.
    Preview {
        /// A camera's or scene's name.
        source: Name,
    },
    /// Brings what is on preview; what was wanted before is on preview then.
    Take(Transition),
    /// Whose sound is heard.
    Sound(Follow),
    /// How loud a source is, wherever it is heard.
    Gain {
        /// A camera's or scene's name.
        source: Name,
        /// How loud.
        gain: Gain,
    },
    /// Whether a source is silent, whatever its gain.
    Mute {
        /// A camera's or scene's name.
        source: Name,
        /// `on` is silent.
        mute: Switch,
    },
    /// The rundown's own course.
    Plan(PlanOrder),
}

impl From<Action> for Command {
    fn from(action: Action) -> Self {
        Self::Act(action)
    }
}

/// How a source is heard, wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Strip {
    /// How loud.
    pub gain: Gain,
    /// `on` is silent.
    pub mute: Switch,
}

impl Strip {
    /// As it comes.
    pub const UNITY: Self = Self { gain: Gain::UNITY, mute: Switch::Off };

    /// What samples are multiplied by.
    pub fn factor(self) -> f32 {
        match self.mute {
            Switch::On => 0.0,
            Switch::Off => self.gain.factor(),
        }
    }
}

/// What becomes of the rundown while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanOrder {
    /// The first cue that waits for it is carried out.
    Next,
    /// No cue comes of itself any more.
    Hold,
    /// They do again; what was due meanwhile comes at once, in order.
    Go,
    /// This cue is left out.
    Skip(CueNumber),
    /// A cue that waits for `next` is called before another one, or last.
    Move {
        /// The cue.
        cue: CueNumber,
        /// One that waits; `None` for the end.
        before: Option<CueNumber>,
    },
    /// A cue comes at another show time, or at one at all.
    Retime {
        /// The cue.
        cue: CueNumber,
        /// When; what is past comes at once.
        at: Time,
    },
}

/// What a command that was taken leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// The tick it acts at: the next one decided.
    pub tick: Tick,
    /// The intent with it.
    pub intent: Intent,
    /// Whether viewers will see it.
    pub reach: Reach,
}

/// How far a command reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It acts at its tick (or the filler does, if the source has no picture).
    Program,
    /// The filler was asked for: the intent is kept until `filler off`. Or it is not about
    /// what is on air now.
    IntentOnly,
    /// It was so already.
    Nothing,
}

/// Why a command was not taken, as the API's `code`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// There is no such channel.
    UnknownChannel,
    /// The channel has no such source.
    UnknownSource,
    /// The source has no picture that could be shown.
    SourceLost,
    /// A transition is under way.
    InTransition,
    /// Nothing is on preview.
    NoPreview,
    /// The channel has no filler.
    NoFiller,
    /// The channel has no keys.
    NoEncryption,
    /// The ring has no key after the current one.
    NoNextKey,
    /// The channel has no rundown.
    NoRundown,
    /// No cue waits for `next`.
    NoNextCue,
    /// The rundown has no such cue.
    UnknownCue,
    /// The cue does not wait any more.
    CueDone,
    /// The cue comes at a time, so its place says nothing.
    CueTimed,
    /// There is no such scene.
    UnknownScene,
    /// There is no such layout.
    UnknownLayout,
    /// The scene has no such box.
    UnknownBox,
    /// The channel has no such watermark that is drawn.
    UnknownWatermark,
    /// The watermark is no text.
    NoText,
    /// There is no such camera.
    UnknownCamera,
    /// The camera has no such line.
    UnknownLine,
    /// The line has no current picture.
    LineLost,
    /// It cannot be taken away: it is on air.
    OnAir,
    /// The show is over.
    Ended,
}

impl RefusalCode {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownChannel => "unknown-channel",
            Self::UnknownSource => "unknown-source",
            Self::SourceLost => "source-lost",
            Self::InTransition => "in-transition",
            Self::NoPreview => "no-preview",
            Self::NoFiller => "no-filler",
            Self::NoEncryption => "no-encryption",
            Self::NoNextKey => "no-next-key",
            Self::NoRundown => "no-rundown",
            Self::NoNextCue => "no-next-cue",
            Self::UnknownCue => "unknown-cue",
            Self::CueDone => "cue-done",
            Self::CueTimed => "cue-timed",
            Self::UnknownScene => "unknown-scene",
            Self::UnknownLayout => "unknown-layout",
            Self::UnknownBox => "unknown-box",
            Self::UnknownWatermark => "unknown-watermark",
            Self::NoText => "no-text",
            Self::UnknownCamera => "unknown-camera",
            Self::UnknownLine => "unknown-line",
            Self::LineLost => "line-lost",
            Self::OnAir => "on-air",
            Self::Ended => "ended",
        }
    }
}

/// A command that was not taken; nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people.
    pub message: String,
    /// What would be taken in its place.
    pub legal: Vec<String>,
}

impl Refusal {
    /// Something of a name that leads nowhere.
    pub(crate) fn unknown(code: RefusalCode, kind: &str, name: &str, legal: Vec<String>) -> Self {
        Self { code, message: format!("there is no {kind} {name:?}"), legal }
    }
}
