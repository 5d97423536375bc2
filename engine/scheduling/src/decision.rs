//! What one tick of a channel comes to.

use std::fmt;

use media::{Key, Tick};
use pipeline_dsl::Switch;
use serde::{Deserialize, Serialize};

use crate::view::SourceIx;

/// What viewers see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnAir {
    /// A source of the channel.
    Source(SourceIx),
    /// The channel's filler.
    Filler,
    /// A black picture and silence: there is nothing else to show.
    Black,
}

/// The program of one tick. Sound goes with the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// One picture.
    One(OnAir),
    /// Two pictures, one dissolving into the other: `to` has the weight
    /// `step / of`, `from` the rest. `0 < step < of`, and `step` rises by one a tick.
    Mix {
        /// What fades out.
        from: OnAir,
        /// What fades in, and is what counts as on air.
        to: OnAir,
        /// The weight of `to`, in parts of `of`.
        step: u32,
        /// The whole; one more than the ticks the mix takes.
        of: u32,
    },
    /// The show is over; this tick is not rendered, nor is any after it.
    Ended,
}

impl Program {
    /// What counts as on air: in a mix, what it leads to.
    pub const fn on_air(self) -> Option<OnAir> {
        match self {
            Self::One(on_air) | Self::Mix { to: on_air, .. } => Some(on_air),
            Self::Ended => None,
        }
    }
}

/// Whether the picture on air (in a mix: the one that fades in) moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// It is the one that was due.
    Live,
    /// The last picture is held over a hole; the sound fades to silence.
    Held,
}

/// Why something came on air, as the report spells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The show's first picture (or the black before it).
    Start,
    /// A cut was asked for.
    Cut,
    /// A mix was asked for; it begins at this tick.
    Mix,
    /// The same source, over a worse line, because the better one was lost.
    Failover,
    /// The filler, asked for or over a hole; or black for want of a filler.
    Filler,
    /// The source is back, from the filler or on a better line.
    Recovered,
    /// The show is over.
    End,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Start, Self::Cut, Self::Mix, Self::Failover, Self::Filler, Self::Recovered, Self::End];

    /// As the report spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Cut => "cut",
            Self::Mix => "mix",
            Self::Failover => "failover",
            Self::Filler => "filler",
            Self::Recovered => "recovered",
            Self::End => "end",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something else comes on air; a line of the report's `on_air`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OnAirChange {
    /// What; `None` at the end of the show.
    /// [`ChannelScheduler::name_of`](crate::ChannelScheduler::name_of) has the name.
    pub on_air: Option<OnAir>,
    /// Why.
    pub reason: Reason,
}

/// What is on air, why, and since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// What; `None` once the show is over.
    pub on_air: Option<OnAir>,
    /// Why.
    pub reason: Reason,
    /// The first tick of it.
    pub since: Tick,
}

/// A key of the channel's ring, by its place there; the first is current at the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyIx(pub usize);

/// How tags are to be encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// Not at all.
    Clear,
    /// Under this key.
    Under(KeyIx),
}

/// What the director (or the rundown) wants, whatever is on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// The source.
    pub source: SourceIx,
    /// The filler, whatever the source does.
    pub filler: Switch,
    /// Encryption. A rotate while it is off moves `key` on all the same.
    pub encrypt: Switch,
    /// The current key.
    pub key: KeyIx,
    /// The first tick this holds for.
    pub since: Tick,
}

impl Intent {
    /// How tags are to be encrypted by this intent.
    pub const fn encryption(&self) -> Encryption {
        match self.encrypt {
            Switch::On => Encryption::Under(self.key),
            Switch::Off => Encryption::Clear,
        }
    }
}

/// The decision for one tick; small and free to copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The tick.
    pub tick: Tick,
    /// What to compose.
    pub program: Program,
    /// Whether the picture on air moves.
    pub freshness: Freshness,
    /// Whether every rung gets an IDR here: on the grid, and wherever what is
    /// on air, a mix or the encryption begins or ends.
    pub key: Key,
    /// What came on air with this tick, if anything did.
    pub change: Option<OnAirChange>,
    /// How tags are encrypted from this tick on; changes only where `key` is [`Key::Frame`].
    pub encrypt: Encryption,
}

impl Decision {
    /// Whether the show is over: this tick is not rendered.
    pub const fn is_end(&self) -> bool {
        matches!(self.program, Program::Ended)
    }
}
