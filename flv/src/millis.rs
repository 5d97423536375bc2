//! The clock of FLV and RTMP: milliseconds in 32 bits, which wrap after 49.7 days.

use std::fmt;

use media::Time;

/// A tag's timestamp: milliseconds modulo 2^32.
///
/// It has no `Ord`: which of two is earlier depends on the way round. Ask
/// [`since`](Self::since), or unfold with [`unwrap_near`](Self::unwrap_near).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct FlvMillis(pub u32);

impl FlvMillis {
    /// The timestamp of a time, to the nearest millisecond; wraps.
    pub fn from_time(time: Time) -> Self {
        Self::from_millis(time.as_millis_rounded())
    }

    /// The low 32 bits of a count of milliseconds.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms as u32)
    }

    /// Milliseconds from `earlier` to here, the short way round: -2^31 to 2^31 - 1.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// The whole count of milliseconds with these low 32 bits that is nearest to `near`.
    ///
    /// Start with `near = 0`, then hand in the last result: a stream's
    /// timestamps then never wrap, and steps back stay steps back.
    pub const fn unwrap_near(self, near: i64) -> i64 {
        near.saturating_add(self.since(Self::from_millis(near)) as i64)
    }
}

/// As a count, with its unit.
impl fmt::Display for FlvMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_wrap_is_a_step_like_any_other() {
        assert_eq!(FlvMillis(5).since(FlvMillis(u32::MAX)), 6);
        assert_eq!(FlvMillis(u32::MAX).since(FlvMillis(5)), -6);
        assert_eq!(FlvMillis(5).unwrap_near((1 << 32) - 2), (1 << 32) + 5);
        assert_eq!(FlvMillis::from_time(Time::from_millis(-1)), FlvMillis(u32::MAX));
        assert_eq!(FlvMillis::from_time(Time::from_millis((1 << 32) + 7)), FlvMillis(7));
    }

    proptest! {
        #[test]
        fn unfolding_keeps_every_step(start in 0i64..1 << 40, steps in prop::collection::vec(-1_000_000_000i64..1_000_000_000, 0..50)) {
            let (mut real, mut unfolded) = (start, start);
            for step in steps {
                real += step;
                unfolded = FlvMillis::from_millis(real).unwrap_near(unfolded);
                prop_assert_eq!(unfolded, real);
            }
        }
    }
}
