//! What goes wrong with a stream again and again: told now and then, and counted.

use media::{Span, Time};

use crate::event::Level;
use crate::reporter::Reporter;

/// So many are told.
const TOLD: u32 = 8;

/// The complaints about one stream.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    count: u32,
}

impl Complaints {
    pub(crate) fn about(&mut self, problem: &str, reporter: &Reporter) {
        self.count = self.count.saturating_add(1);
        if self.count <= TOLD {
            reporter.event(Level::Warn, "decode-error", problem);
        }
    }

    /// At the stream's end: how many were not told.
    pub(crate) fn sum_up(&self, reporter: &Reporter) {
        if self.count > TOLD {
            reporter.event(Level::Warn, "decode-error", format!("{} more like these", self.count - TOLD));
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }
}

/// One kind of thing is told of a line this often at the most, in show time.
const EVERY: Span = Span::from_secs(1);

/// A kind of thing that may happen to a line as often as its sender likes.
#[derive(Debug)]
pub(crate) struct Recurring {
    code: &'static str,
    told: Option<Time>,
    left_out: u32,
}

impl Recurring {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, told: None, left_out: 0 }
    }

    /// Tells it, unless one of its kind was told within the second.
    pub(crate) fn happened(&mut self, message: &str, reporter: &Reporter) {
        let now = reporter.now();
        if self.told.is_some_and(|told| now - told < EVERY) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.told = Some(now);
        let message = match std::mem::take(&mut self.left_out) {
            0 => message.to_owned(),
            n => format!("{message} ({n} more before it)"),
        };
        reporter.event(Level::Warn, self.code, message);
    }

    /// At the line's end: how many were not told yet.
    pub(crate) fn sum_up(&self, reporter: &Reporter) {
        if self.left_out > 0 {
            reporter.event(Level::Warn, self.code, format!("{} more like the last one", self.left_out));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Clock, Stop, VirtualClock};
    use crate::event::EventLog;

    #[test]
    fn one_a_second_is_told_and_the_rest_is_counted() {
        let (clock, log) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()));
        let stop = Arc::new(Stop::default());
        let reporter =
            Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::clone(&stop));
        let mut jumps = Recurring::new("line-jump");
        for n in 0..250 {
            clock.wait_until(Time::from_millis(n * 10), &stop);
            jumps.happened("it jumped", &reporter);
        }
        jumps.sum_up(&reporter);
        let told: Vec<_> = log.latest(10).into_iter().map(|e| (e.t, e.message)).collect();
        let expected = [
            (0.0, "it jumped"),
            (1.0, "it jumped (99 more before it)"),
            (2.0, "it jumped (99 more before it)"),
            (2.49, "49 more like the last one"),
        ];
        assert_eq!(told, expected.map(|(t, message)| (t, message.to_owned())));
    }
}
