//! What a director asks for, and what is answered.

use media::Tick;
use serde::{Deserialize, Serialize};

use crate::decision::Intent;

/// A director's command: the same words as a rundown's cues.
pub use pipeline_dsl::Action as Command;

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
    /// The filler was asked for: the intent is kept until `filler off`.
    IntentOnly,
    /// It was so already.
    Nothing,
}

/// Why a command was not taken, as the API's `code`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// The channel has no such source.
    UnknownSource,
    /// A mix is under way.
    InTransition,
    /// The channel has no filler.
    NoFiller,
    /// The channel has no keys.
    NoEncryption,
    /// The ring has no key after the current one.
    NoNextKey,
    /// The show is over.
    Ended,
}

impl RefusalCode {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownSource => "unknown-source",
            Self::InTransition => "in-transition",
            Self::NoFiller => "no-filler",
            Self::NoEncryption => "no-encryption",
            Self::NoNextKey => "no-next-key",
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
