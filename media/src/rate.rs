//! Frame rates, sample rates and ticks.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::time::{FLICKS_PER_SECOND, Span, Time};

/// A value outside what the engine can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {got} is out of range: {legal}")]
pub struct OutOfRange {
    /// What was asked for, e.g. `frame rate`.
    pub what: &'static str,
    /// The value that came.
    pub got: String,
    /// The range that is legal.
    pub legal: &'static str,
}

/// The number of a tick of the show; tick 0 is at show time 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u64);

impl Tick {
    /// The tick after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Frames a second as a fraction in lowest terms, from 1 to 240.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct FrameRate {
    num: NonZeroU32,
    den: NonZeroU32,
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl FrameRate {
    /// `num / den` frames a second.
    ///
    /// # Errors
    /// Below 1 or above 240 frames a second, or a denominator of zero.
    pub fn new(num: u32, den: u32) -> Result<Self, OutOfRange> {
        let err = || OutOfRange { what: "frame rate", got: format!("{num}/{den}"), legal: "1fps to 240fps" };
        let common = gcd(num, den).max(1);
        let n = NonZeroU32::new(num / common).ok_or_else(err)?;
        let d = NonZeroU32::new(den / common).ok_or_else(err)?;
        let (n64, d64) = (u64::from(n.get()), u64::from(d.get()));
        if n64 < d64 || n64 > 240 * d64 {
            return Err(err());
        }
        Ok(Self { num: n, den: d })
    }

    /// The numerator, in lowest terms.
    pub const fn num(self) -> u32 {
        self.num.get()
    }
    /// The denominator, in lowest terms.
    pub const fn den(self) -> u32 {
        self.den.get()
    }
    /// Frames a second, for people.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num()) / f64::from(self.den())
    }

    /// When a tick is: from its number, so that rounding never adds up.
    pub fn time_of(self, tick: Tick) -> Time {
        let units = i64::try_from(tick.0).unwrap_or(i64::MAX);
        Time::from_units(units, self.den(), self.num())
    }

    /// The last tick at or before `time`; tick 0 for a time before zero.
    pub fn tick_at(self, time: Time) -> Tick {
        let wide = i128::from(time.flicks()) * i128::from(self.num())
            / (i128::from(self.den()) * i128::from(FLICKS_PER_SECOND));
        let guess = Tick(u64::try_from(wide).unwrap_or(0));
        // Rates without an exact flick round a tick's time up by at most half a flick.
        if self.time_of(guess.next()) <= time {
            guess.next()
        } else if self.time_of(guess) > time && guess.0 > 0 {
            Tick(guess.0 - 1)
        } else {
            guess
        }
    }

    /// The first tick at or after `time`.
    pub fn tick_from(self, time: Time) -> Tick {
        let tick = self.tick_at(time);
        if self.time_of(tick) < time { tick.next() } else { tick }
    }

    /// The length of one tick, to the nearest flick.
    pub fn tick_span(self) -> Span {
        Span::from_units(1, self.den(), self.num())
    }
}

impl TryFrom<(u32, u32)> for FrameRate {
    type Error = OutOfRange;
    fn try_from((num, den): (u32, u32)) -> Result<Self, OutOfRange> {
        Self::new(num, den)
    }
}
impl From<FrameRate> for (u32, u32) {
    fn from(rate: FrameRate) -> Self {
        (rate.num(), rate.den())
    }
}

/// As in the show file: `25fps`, `30000/1001fps`.
impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.den() {
            1 => write!(f, "{}fps", self.num()),
            den => write!(f, "{}/{den}fps", self.num()),
        }
    }
}

/// Audio samples a second, from 8000 to 192000.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SampleRate(NonZeroU32);

impl SampleRate {
    /// 48 kHz.
    pub const HZ_48000: Self = Self(NonZeroU32::new(48_000).expect("48000 is not zero"));

    /// # Errors
    /// Outside 8000 to 192000.
    pub fn new(hz: u32) -> Result<Self, OutOfRange> {
        match NonZeroU32::new(hz) {
            Some(rate) if (8_000..=192_000).contains(&hz) => Ok(Self(rate)),
            _ => Err(OutOfRange { what: "sample rate", got: format!("{hz}"), legal: "8kHz to 192kHz" }),
        }
    }
    /// Samples a second.
    pub const fn hz(self) -> u32 {
        self.0.get()
    }
    /// When the sample of this number is.
    pub fn time_of(self, sample: i64) -> Time {
        Time::from_units(sample, 1, self.hz())
    }
    /// The number of the sample nearest to `time`.
    pub fn sample_at(self, time: Time) -> i64 {
        time.as_units(1, self.hz())
    }
}

impl TryFrom<u32> for SampleRate {
    type Error = OutOfRange;
    fn try_from(hz: u32) -> Result<Self, OutOfRange> {
        Self::new(hz)
    }
}
impl From<SampleRate> for u32 {
    fn from(rate: SampleRate) -> Self {
        rate.hz()
    }
}
impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hz().is_multiple_of(1000) {
            write!(f, "{}kHz", self.hz() / 1000)
        } else {
            write!(f, "{}Hz", self.hz())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_range_is_named() {
        let err = FrameRate::new(0, 1).unwrap_err();
        assert_eq!(err.to_string(), "frame rate of 0/1 is out of range: 1fps to 240fps");
        assert!(FrameRate::new(25, 0).is_err());
        assert!(FrameRate::new(481, 2).is_err());
        assert_eq!(FrameRate::new(50, 2).unwrap().to_string(), "25fps");
        assert!(SampleRate::new(7_999).is_err());
    }

    proptest! {
        #[test]
        fn a_tick_is_found_by_its_time(tick in 0u64..100_000_000, num in 1u32..100_000, den in 1u32..2_000) {
            prop_assume!(FrameRate::new(num, den).is_ok());
            let rate = FrameRate::new(num, den).unwrap();
            let at = rate.time_of(Tick(tick));
            prop_assert_eq!(rate.tick_at(at), Tick(tick));
            prop_assert_eq!(rate.tick_from(at), Tick(tick));
            prop_assert_eq!(rate.tick_at(at + Span::from_flicks(1)), Tick(tick));
            prop_assert_eq!(rate.tick_from(at + Span::from_flicks(1)), Tick(tick + 1));
        }
    }
}
