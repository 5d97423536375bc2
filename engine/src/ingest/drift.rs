//! How late a stream is by the show's clock, and how fast that changes.
//!
//! A network can only delay. So of all that came within a second the least late
//! is believed, and the sender's clock is judged by how the least ones move over
//! minutes: by the median of their slopes, which no single burst or stall bends.

use std::collections::VecDeque;

use media::{Span, Time};

/// The least late of so long is one reading.
const READING: Span = Span::from_secs(1);
/// The least of so many readings is what the lateness is now, and one point of the drift.
const READINGS: usize = 5;
/// Points by which drift is judged: two minutes.
const POINTS: usize = 24;
/// Fewer say nothing.
const LEAST_POINTS: usize = 4;
/// Another way through the network, not another clock: the points before it say nothing any more.
const REROUTED: f64 = 0.015;
/// A clock that is off by more than this is none.
const MOST: f64 = 0.01;

/// When a picture came, and how late: show time minus stream time.
#[derive(Debug, Clone, Copy)]
struct Came {
    at: Time,
    late: Span,
}

/// Whether a reading is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Goes,
    Complete,
}

/// The lateness of one stream.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    since: Time,
    least: Option<Came>,
    recent: VecDeque<Came>,
    /// Readings since the last point.
    gathered: usize,
    points: VecDeque<Came>,
    drift: Option<f64>,
}

impl Lateness {
    /// Something of stream time `pts` came.
    pub(crate) fn came(&mut self, pts: Time, now: Time) -> Reading {
        let came = Came { at: now, late: now - pts };
        let Some(least) = &mut self.least else {
            (self.least, self.since) = (Some(came), now);
            return Reading::Goes;
        };
        if came.late < least.late {
            *least = came;
        }
        if now - self.since < READING {
            return Reading::Goes;
        }
        self.recent.extend(self.least.take());
        while self.recent.len() > READINGS {
            self.recent.pop_front();
        }
        self.gathered += 1;
        if self.gathered >= READINGS {
            self.gathered = 0;
            self.judge();
        }
        Reading::Complete
    }

    /// Takes the next point.
    fn judge(&mut self) {
        let Some(point) = self.recent.iter().min_by_key(|came| came.late).copied() else { return };
        if let Some(last) = self.points.back() {
            let expected = self.drift.unwrap_or(0.0) * (point.at - last.at).as_secs_f64();
            if ((point.late - last.late).as_secs_f64() - expected).abs() > REROUTED {
                self.points.clear();
            }
        }
        self.points.push_back(point);
        while self.points.len() > POINTS {
            self.points.pop_front();
        }
        let half = self.points.len() / 2;
        if self.points.len() < LEAST_POINTS {
            return;
        }
        let pairs = self.points.iter().zip(self.points.iter().skip(half));
        let slopes = pairs.map(|(a, b)| (b.late - a.late).as_secs_f64() / (b.at - a.at).as_secs_f64());
        let mut slopes: Vec<f64> = slopes.filter(|slope| slope.is_finite()).collect();
        slopes.sort_unstable_by(f64::total_cmp);
        let middle = |at: usize| slopes.get(at).copied();
        let (low, high) = (middle(slopes.len().saturating_sub(1) / 2), middle(slopes.len() / 2));
        self.drift = low.zip(high).map(|(low, high)| ((low + high) / 2.0).clamp(-MOST, MOST));
    }

    /// How much later it gets in a second, in seconds: positive where the sender's clock is slow.
    pub(crate) fn drift(&self) -> Option<f64> {
        self.drift
    }

    /// How late it is now at the least; `None` before there are two readings.
    pub(crate) fn least(&self, now: Time) -> Option<Span> {
        let drift = self.drift.unwrap_or(0.0);
        let carried = |came: &Came| {
            let more = (now - came.at).as_secs_f64() * drift * 1e9;
            came.late + Span::from_nanos(more as i64)
        };
        (self.recent.len() >= 2).then(|| self.recent.iter().map(carried).min()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures at 25 a second whose clock is off by `ppm`, each delayed by what `network` says.
    fn run(ppm: i64, seconds: i64, network: impl Fn(i64) -> i64) -> Lateness {
        let mut lateness = Lateness::default();
        for n in 0..seconds * 25 {
            let sent = Span::from_nanos(n * 40 * (1_000_000 + ppm));
            let now = Time::from_secs(5) + sent + Span::from_nanos(network(n) * 1000);
            lateness.came(Time::from_millis(n * 40), now);
        }
        lateness
    }

    #[test]
    fn drift_is_found_below_jitter_that_is_much_larger() {
        for ppm in [-300, -20, 0, 300] {
            // Up to 30 ms, and 200 ms more for a second of every seven.
            let network = |n: i64| 5_000 + n * 7919 % 30_011 + if n % 175 < 25 { 200_000 } else { 0 };
            let found = run(ppm, 120, network).drift().unwrap() * 1e6;
            assert!((found - ppm as f64).abs() < 15.0, "{found:.1} for {ppm} ppm");
        }
    }

    #[test]
    fn another_way_through_the_network_is_no_drift() {
        let network = |n: i64| n * 7919 % 3_001 + if n > 60 * 25 { 80_000 } else { 0 };
        for seconds in [55, 65, 75, 90, 150] {
            let lateness = run(100, seconds, network);
            let found = lateness.drift().unwrap() * 1e6;
            assert!((found - 100.0).abs() < 50.0, "{found:.1} ppm after {seconds} s");
        }
    }

    #[test]
    fn the_least_late_is_what_counts() {
        let lateness = run(0, 20, |n| 10_000 + (n % 50) * 1000);
        let least = lateness.least(Time::from_secs(25)).unwrap();
        assert_eq!(least, Span::from_millis(5010));
        assert!(Lateness::default().least(Time::ZERO).is_none());
    }
}
