//! How loud something is heard.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A gain in tenths of a decibel: -60.0 dB to +12.0 dB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "i16", into = "i16")]
pub struct Gain(i16);

impl Gain {
    /// As it comes.
    pub const UNITY: Self = Self(0);
    /// The legal range in words.
    pub const LEGAL: &str = "-60 dB to 12 dB";

    /// So many tenths of a decibel; `None` where that is not legal.
    pub fn from_tenths(tenths: i16) -> Option<Self> {
        (-600..=120).contains(&tenths).then_some(Self(tenths))
    }
    /// Tenths of a decibel.
    pub const fn tenths(self) -> i16 {
        self.0
    }
    /// What samples are multiplied by.
    pub fn factor(self) -> f32 {
        if self.0 == 0 { 1.0 } else { 10f32.powf(f32::from(self.0) / 200.0) }
    }
}

impl TryFrom<i16> for Gain {
    type Error = &'static str;
    fn try_from(tenths: i16) -> Result<Self, Self::Error> {
        Self::from_tenths(tenths).ok_or("a gain is from -600 to 120 tenths of a decibel")
    }
}
impl From<Gain> for i16 {
    fn from(gain: Gain) -> Self {
        gain.0
    }
}

/// `-6.0 dB`.
impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dB", f32::from(self.0) / 10.0)
    }
}
