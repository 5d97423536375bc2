//! Commands at times: what a crew does while things break.

use media::Time;
use serde::{Deserialize, Serialize};

use crate::model::{Action, Follow, Gain, Name, Switch, Text, Transition};

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
    /// The show becomes what another show file says.
    Reload {
        /// Where it is.
        file: Text,
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
    Take(Transition),
    /// Whose sound is heard.
    Sound(Follow),
    /// How loud a source is.
    Gain {
        /// A camera's name.
        source: Name,
        /// By how much louder than it comes.
        by: Gain,
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
