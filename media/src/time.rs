//! Points in media time and the spans between them.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// How many flicks are in a second: the least unit in which 24, 25, 30, 50, 60
/// and 120 frames a second, their 1000/1001 kin, 44.1, 48 and 90 kHz and the
/// millisecond are all whole numbers.
pub const FLICKS_PER_SECOND: i64 = 705_600_000;
const FLICKS_PER_MILLI: i64 = FLICKS_PER_SECOND / 1000;

/// A point on a timeline, in flicks from that timeline's zero.
///
/// Which timeline is said where the value is kept: a packet's own stream, or
/// the show (whose zero is the first tick).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

/// A signed length of media time, in flicks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// `value * num / den`, rounded to the nearest, halves away from zero.
fn mul_div_rounded(value: i64, num: i64, den: i64) -> i64 {
    let wide = i128::from(value) * i128::from(num);
    let den = i128::from(den);
    let half = den / 2;
    let rounded = if wide >= 0 { (wide + half) / den } else { (wide - half) / den };
    rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

macro_rules! shared_by_time_and_span {
    ($name:ident) => {
        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// The largest value, for "never".
            pub const MAX: Self = Self(i64::MAX);

            /// From a count of flicks.
            pub const fn from_flicks(flicks: i64) -> Self {
                Self(flicks)
            }
            /// The count of flicks.
            pub const fn flicks(self) -> i64 {
                self.0
            }
            /// From whole seconds.
            pub const fn from_secs(secs: i64) -> Self {
                Self(secs.saturating_mul(FLICKS_PER_SECOND))
            }
            /// From milliseconds, exactly.
            pub const fn from_millis(ms: i64) -> Self {
                Self(ms.saturating_mul(FLICKS_PER_MILLI))
            }
            /// From nanoseconds, to the nearest flick (1.4 ns).
            pub fn from_nanos(ns: i64) -> Self {
                Self(mul_div_rounded(ns, FLICKS_PER_SECOND, 1_000_000_000))
            }
            /// From `units` of `num / den` seconds each, to the nearest flick.
            /// `den` must not be zero; a zero counts as one.
            pub fn from_units(units: i64, num: u32, den: u32) -> Self {
                let per_second = i64::from(num).saturating_mul(FLICKS_PER_SECOND);
                Self(mul_div_rounded(units, per_second, i64::from(den.max(1))))
            }
            /// To the nearest whole unit of `num / den` seconds. A zero counts as one.
            pub fn as_units(self, num: u32, den: u32) -> i64 {
                let unit = i64::from(num.max(1)).saturating_mul(FLICKS_PER_SECOND);
                mul_div_rounded(self.0, i64::from(den), unit)
            }
            /// To the nearest millisecond.
            pub fn as_millis_rounded(self) -> i64 {
                mul_div_rounded(self.0, 1, FLICKS_PER_MILLI)
            }
            /// To the nearest nanosecond.
            pub fn as_nanos(self) -> i64 {
                mul_div_rounded(self.0, 1_000_000_000, FLICKS_PER_SECOND)
            }
            /// In seconds, for people and reports only.
            pub fn as_secs_f64(self) -> f64 {
                self.0 as f64 / FLICKS_PER_SECOND as f64
            }
        }
    };
}
shared_by_time_and_span!(Time);
shared_by_time_and_span!(Span);

impl Span {
    /// The wall-clock duration of this span; a negative one counts as zero.
    pub fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.as_nanos()).unwrap_or(0))
    }
    /// From a wall-clock duration, saturating.
    pub fn from_duration(duration: std::time::Duration) -> Self {
        Self::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
    /// Without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    /// This many times over.
    pub const fn times(self, n: i64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}
impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}
impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}
impl Sub<Time> for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}
impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}
impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}
impl SubAssign for Span {
    fn sub_assign(&mut self, other: Span) {
        *self = *self - other;
    }
}
impl Neg for Span {
    type Output = Span;
    fn neg(self) -> Span {
        Span(self.0.saturating_neg())
    }
}

fn clock(f: &mut fmt::Formatter<'_>, flicks: i64) -> fmt::Result {
    let millis = mul_div_rounded(flicks, 1, FLICKS_PER_MILLI);
    let sign = if millis < 0 { "-" } else { "" };
    let ms = millis.unsigned_abs();
    let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    if h > 0 { write!(f, "{sign}{h}:{m:02}:{s:02}.{ms:03}") } else { write!(f, "{sign}{m}:{s:02}.{ms:03}") }
}

/// `m:ss.mmm`, or `h:mm:ss.mmm` from an hour on.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clock(f, self.0)
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clock(f, self.0)
    }
}
/// Milliseconds below ten seconds, else as a clock.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.saturating_abs() < 10 * FLICKS_PER_SECOND {
            write!(f, "{}ms", self.as_millis_rounded())
        } else {
            clock(f, self.0)
        }
    }
}
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_itself_as_a_clock() {
        assert_eq!(Time::from_millis(3_723_500).to_string(), "1:02:03.500");
        assert_eq!(Time::from_millis(-1_500).to_string(), "-0:01.500");
        assert_eq!(Span::from_millis(400).to_string(), "400ms");
    }

    #[test]
    fn the_ends_saturate() {
        assert_eq!(Time::MAX + Span::from_secs(1), Time::MAX);
        assert_eq!(Time::from_secs(i64::MAX), Time::MAX);
        assert_eq!(Span::from_millis(-5).as_duration(), std::time::Duration::ZERO);
        assert!(Span::from_flicks(i64::MIN).to_string().starts_with("-3631020:"));
    }

    proptest! {
        #[test]
        fn units_round_trip(units in -1_000_000_000i64..1_000_000_000, base in prop::sample::select(
            vec![(1u32, 25u32), (1001, 30_000), (1001, 24_000), (1, 48_000), (1, 44_100), (1, 90_000), (1, 1000)])) {
            let (num, den) = base;
            prop_assert_eq!(Time::from_units(units, num, den).as_units(num, den), units);
        }

        #[test]
        fn points_and_spans_agree(a in any::<i32>(), b in any::<i32>()) {
            let (a, b) = (Time::from_millis(a.into()), Time::from_millis(b.into()));
            prop_assert_eq!(a + (b - a), b);
            prop_assert_eq!((b - a).abs(), (a - b).abs());
        }
    }
}
