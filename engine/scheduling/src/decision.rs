//! What one tick of a channel comes to.

use std::fmt;

use media::{Key, Tick};
use pipeline_dsl::{Edge, Rgb, Switch};
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
    /// Two pictures, one going over into the other: `step / of` of the way is done.
    /// `0 < step < of`, and `step` rises by one a tick.
    Mix {
        /// What goes.
        from: OnAir,
        /// What comes, and is what counts as on air.
        to: OnAir,
        /// How the pictures go over. Sound always fades over evenly.
        blend: Blend,
        /// How far it is, in parts of `of`.
        step: u32,
        /// The whole; one more than the ticks it takes.
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

/// How one picture goes over into another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blend {
    /// The new one has the weight `step / of`, the old one the rest.
    Dissolve,
    /// The new one stands on `step / of` of the picture, from this edge on.
    Wipe(Edge),
    /// Over the first half the old one fades to the colour, over the second the colour to the new one.
    Dip(Rgb),
}

/// Where what is heard comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heard {
    /// From what is seen.
    Picture,
    /// From this source, whatever is seen.
    Source {
        /// The source.
        source: SourceIx,
        /// Over a hole of it there is silence.
        freshness: Freshness,
    },
}

/// Where a source's gain is led to within a tick: `1.0` is as it comes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fader {
    /// There within 10 ms of the tick's start: cuts, holds, fillers.
    Quick(f32),
    /// There at the tick's end: the steps of a transition.
    Slow(f32),
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
    /// A wipe was asked for; it begins at this tick.
    Wipe,
    /// A dip was asked for; it begins at this tick.
    Dip,
    /// The same source, over another line, because the one before it was lost or suspect.
    Failover,
    /// The same source, over the line the director chose.
    Line,
    /// The filler, asked for or over a hole; or black for want of a filler.
    Filler,
    /// The source is back, from the filler or on a better line.
    Recovered,
    /// The show goes on after its engine was down: what was on air then, or is wanted.
    Resumed,
    /// The show is over.
    End,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::Cut,
        Self::Mix,
        Self::Wipe,
        Self::Dip,
        Self::Failover,
        Self::Line,
        Self::Filler,
        Self::Recovered,
        Self::Resumed,
        Self::End,
    ];

    /// As the report spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Cut => "cut",
            Self::Mix => "mix",
            Self::Wipe => "wipe",
            Self::Dip => "dip",
            Self::Failover => "failover",
            Self::Line => "line",
            Self::Filler => "filler",
            Self::Recovered => "recovered",
            Self::Resumed => "resumed",
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
    /// The source that `take` brings.
    pub preview: Option<SourceIx>,
    /// Whose sound is heard: that of what is seen, or always this source's.
    pub sound: Option<SourceIx>,
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
    /// Where what is heard comes from.
    pub heard: Heard,
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

    /// Where the sound of `part` is led to in this tick, before its own gain: with its picture,
    /// unless another source's sound is held. Over a held picture it goes to silence.
    pub fn fader(&self, part: OnAir) -> Fader {
        let held = |freshness, gain: f32| if freshness == Freshness::Held { 0.0 } else { gain };
        match (self.heard, self.program) {
            (_, Program::Ended) => Fader::Quick(0.0),
            (Heard::Source { source, freshness }, _) => {
                Fader::Quick(if part == OnAir::Source(source) { held(freshness, 1.0) } else { 0.0 })
            }
            (Heard::Picture, Program::One(on_air)) if on_air == part => {
                Fader::Quick(held(self.freshness, 1.0))
            }
            (Heard::Picture, Program::Mix { from, to, step, of, .. }) if from == part || to == part => {
                let share = step as f32 / of.max(1) as f32;
                // Both sides may be the same: a mix of a source into itself is the source.
                let from = if from == part { 1.0 - share } else { 0.0 };
                let to = if to == part { held(self.freshness, share) } else { 0.0 };
                Fader::Slow(from + to)
            }
            _ => Fader::Quick(0.0),
        }
    }
}
