//! How a show is to be rehearsed, and why it cannot be.

use std::path::PathBuf;

use codecs::CodecError;
use media::Span;
use pipeline_dsl::{Text, TimeOfDay};

use crate::rehearse::report::Codecs;
use crate::start::StartError;

/// How a show is to be rehearsed.
#[derive(Clone, PartialEq, Debug)]
pub struct RehearseOptions {
    /// What chance is drawn from.
    pub seed: u64,
    /// How much of the show: up to its rundown's end if it is not said.
    pub length: Option<Span>,
    /// With what pictures and sound are made.
    pub codecs: Codecs,
    /// What the show's relative input paths are relative to.
    pub inputs: PathBuf,
    /// The time of day, UTC, at which the show begins; if it is not said, ten seconds before the
    /// first cue that comes by the clock.
    pub starts: Option<TimeOfDay>,
    /// The show files that reloads of the script name.
    pub shows: Vec<ShowText>,
}

/// A show file that a script's `reload` names, by the name it has there, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct ShowText {
    pub file: Text,
    pub text: String,
}

impl RehearseOptions {
    /// Seed 1, the whole show, the codec that costs nothing, inputs in the current folder.
    pub fn new() -> Self {
        Self {
            seed: 1,
            length: None,
            codecs: Codecs::Fake,
            inputs: ".".into(),
            starts: None,
            shows: Vec::new(),
        }
    }
}

impl Default for RehearseOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a show cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// It would not start on the day either.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nobody says when it ends.
    #[error("a rehearsal must end: give the show's rundown an `end`, or say how long it is to be")]
    Endless,
    /// A fault of the script cannot be done to this show.
    #[error("{words}: {message}")]
    Fault {
        /// The fault, as the script says it.
        words: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A show file that a reload names was not given, or does not run.
    #[error("{words}: {message}")]
    Reload {
        /// The command, as the script says it.
        words: String,
        /// What is wrong.
        message: String,
    },
    /// What the simulated senders would send cannot be made.
    #[error("what is sent in the rehearsal cannot be encoded: {0}")]
    Clip(#[from] CodecError),
}
