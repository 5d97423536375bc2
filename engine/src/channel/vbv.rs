//! The buffer a player needs: whether a rung keeps to the rate and the buffer it was set to.
//!
//! Each encoder keeps to them by itself. Where the pictures of two are spliced, the second one's key
//! frame comes upon a buffer that the first one has drained in its own way.

use media::{Span, Time};

/// How full x264 takes the buffer to be at first (`vbv-init`).
const FULL_AT_FIRST: f64 = 0.9;

/// A player's buffer, in bits: filled at a constant rate, emptied picture by picture, each at its DTS.
#[derive(Clone, Debug)]
pub(crate) struct Vbv {
    /// Bits a second.
    rate: f64,
    size: f64,
    level: f64,
    last: Option<Time>,
}

impl Vbv {
    /// For a rung of so many bits a second and a buffer of so many bits.
    pub(crate) fn new(rate: u32, size: u32) -> Self {
        let (rate, size) = (f64::from(rate.max(1)), f64::from(size));
        Self { rate, size, level: size * FULL_AT_FIRST, last: None }
    }

    /// The next picture in order of DTS. How late its last bit comes, if it does.
    pub(crate) fn take(&mut self, dts: Time, bytes: usize) -> Option<Span> {
        let since = self.last.replace(dts).map_or(0.0, |last| (dts - last).as_secs_f64());
        self.level = (self.level + since * self.rate).min(self.size) - bytes as f64 * 8.0;
        let missing = -self.level;
        if missing <= 0.0 {
            return None;
        }
        self.level = 0.0;
        Some(Span::from_millis((missing * 1000.0 / self.rate).ceil() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn a_stream_at_its_rate_is_never_late() {
        let mut vbv = Vbv::new(800_000, 800_000);
        // 4000 bytes each 40 ms, and at first all that the buffer holds.
        assert_eq!(vbv.take(at(0), 90_000), None);
        assert!((1..1000).all(|n| vbv.take(at(n * 40), 4_000).is_none()));
        assert_eq!(vbv.take(at(40_000), 4_100), Some(Span::from_millis(1)));
    }

    #[test]
    fn what_is_too_much_comes_late_by_what_is_missing() {
        let mut vbv = Vbv::new(800_000, 400_000);
        assert_eq!(vbv.take(at(0), 65_000), Some(Span::from_millis(200)));
        // It fills again, and no further than it holds.
        assert_eq!(vbv.take(at(10_000), 50_000), None);
        assert_eq!(vbv.take(at(10_100), 10_001), Some(Span::from_millis(1)));
    }
}
