//! What a fault script says.

use media::{Size, Span, Time};
use serde::{Deserialize, Serialize};

use super::order::TimedOrder;
use crate::model::Name;

/// What breaks when, and what the crew does when.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct FaultScript {
    /// Faults, in the order of the script, which need not be that of time.
    pub faults: Vec<Fault>,
    /// Commands, in the order of the script.
    pub orders: Vec<TimedOrder>,
}

impl FaultScript {
    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.orders.is_empty()
    }

    /// Takes what another script says besides.
    pub fn extend(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.orders.extend(other.orders);
    }
}

/// Something that breaks.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// When, in show time.
    pub at: Time,
    /// How long; until the end if it is not said.
    pub lasts: Option<Span>,
    /// What.
    pub what: FaultKind,
}

impl Fault {
    /// When it is over, if it ends; exclusive.
    pub fn ends(&self) -> Option<Time> {
        self.lasts.map(|lasts| self.at + lasts)
    }

    /// Whether it holds at this show time.
    pub fn holds_at(&self, time: Time) -> bool {
        self.at <= time && self.ends().is_none_or(|end| time < end)
    }
}

/// What breaks, and how.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// What comes over one line.
    Line {
        /// Which.
        line: LineName,
        /// How.
        fault: LineFault,
    },
    /// What covers a hole.
    Filler {
        /// Which.
        filler: Name,
        /// How: nothing is sent over it, so it can be lost, stall, freeze, be black or silent.
        fault: LineFault,
    },
    /// A server that is pushed to.
    Sink {
        /// Which.
        sink: SinkName,
        /// How.
        fault: SinkFault,
    },
    /// The disk that is recorded to.
    Disk {
        /// How.
        fault: DiskFault,
    },
    /// The engine ends at once, without a last word; it is started again when the fault is over.
    EngineKill(Restart),
    /// Every tick is begun half a second late.
    EngineOverload,
}

/// With what word a killed engine is started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// With none: its show goes on, unless it was down for too long.
    #[default]
    Usual,
    /// `--fresh`: its show begins anew.
    Fresh,
    /// `--resume`: its show goes on, however long it was down.
    Resume,
}

impl Restart {
    /// Those that are said, by their words.
    pub const SAID: [Self; 2] = [Self::Fresh, Self::Resume];
    /// Their words.
    pub const WORDS: [&'static str; 2] = ["fresh", "resume"];
}

/// A line: `main/fiber`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct LineName {
    /// Its camera.
    pub camera: Name,
    /// Its name in the camera.
    pub line: Name,
}

/// A way out, or one rung's share of it: `program/cdn-a`, `program/cdn-a/720p`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SinkName {
    /// Its channel.
    pub channel: Name,
    /// Its name in the channel.
    pub egress: Name,
    /// The rung; all of them if it is not said.
    pub rung: Option<Name>,
}

/// How a line fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineFault {
    /// The connection is gone, a file can no longer be read; it comes back when the fault is over.
    Lost,
    /// It stays connected, and nothing comes.
    Stall,
    /// Only this share of the packets comes.
    Drip(Share),
    /// This share of the packets comes with broken bytes.
    Corrupt(Share),
    /// The time stamps are off by this much.
    Jump(Span),
    /// The sender's clock is fast or slow by this much.
    Drift(Drift),
    /// The picture stands still; the sound goes on.
    Freeze,
    /// The picture is black; the sound goes on.
    Black,
    /// Nothing is heard; the picture goes on.
    Silence,
    /// The picture is of this size.
    Resolution(Size),
}

/// How a server fails that is pushed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkFault {
    /// It stays connected, and takes nothing.
    Wedge,
    /// It hangs up, and takes no connection.
    Refuse,
}

/// How a disk fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskFault {
    /// It takes nothing more.
    Full,
    /// It takes only this share of what there is to write.
    Slow(Share),
    /// It can no longer be written to.
    Broken,
}

/// A part of a whole: a millionth to all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Share(u32);

impl Share {
    /// So many millionths; `None` for none, or for more than all.
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (1..=1_000_000).contains(&millionths).then_some(Self(millionths))
    }
    /// How many millionths of the whole.
    pub const fn millionths(self) -> u32 {
        self.0
    }
    /// More than 0, up to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl TryFrom<u32> for Share {
    type Error = &'static str;
    fn try_from(millionths: u32) -> Result<Self, Self::Error> {
        Self::from_millionths(millionths).ok_or("a share is 1 to 1000000 millionths")
    }
}
impl From<Share> for u32 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// How much faster a sender's clock runs than the show's, in millionths: within 5 %.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Drift(i32);

impl Drift {
    /// The most, either way.
    pub const MOST_PPM: i32 = 50_000;

    /// So many millionths, slower if negative; `None` beyond [`Drift::MOST_PPM`].
    pub fn from_ppm(ppm: i32) -> Option<Self> {
        (-Self::MOST_PPM..=Self::MOST_PPM).contains(&ppm).then_some(Self(ppm))
    }
    /// Millionths.
    pub const fn ppm(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for Drift {
    type Error = &'static str;
    fn try_from(ppm: i32) -> Result<Self, Self::Error> {
        Self::from_ppm(ppm).ok_or("a clock drifts by -50000 to 50000 ppm")
    }
}
impl From<Drift> for i32 {
    fn from(drift: Drift) -> Self {
        drift.0
    }
}
