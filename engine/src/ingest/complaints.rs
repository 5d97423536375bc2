//! What goes wrong with a stream again and again: told now and then, and counted.

use std::time::{Duration, Instant};

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

/// How often one kind of thing is told of a line at the most, in show time.
#[derive(Clone, Copy, Debug)]
struct Measure {
    /// So many,
    most: u32,
    /// from the first of them so long.
    within: Span,
}

/// What a sender's clock does.
const SELDOM: Measure = Measure { most: 1, within: Span::from_secs(1) };
/// That it comes and goes: now and then that is the news, all the time it is noise.
const COMING: Measure = Measure { most: 4, within: Span::from_secs(10) };

/// A kind of thing that may happen to a line as often as its sender likes.
#[derive(Debug)]
pub(crate) struct Recurring {
    code: &'static str,
    level: Level,
    measure: Measure,
    /// Since when how many were told.
    told: Option<(Time, u32)>,
    left_out: u32,
}

/// Whether something was told, or only counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hearing {
    Told,
    Counted,
}

impl Recurring {
    /// A warning, told once a second at the most.
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, level: Level::Warn, measure: SELDOM, told: None, left_out: 0 }
    }

    /// Senders' comings or goings: some of them, and then some every ten seconds.
    pub(crate) fn traffic(code: &'static str, level: Level) -> Self {
        Self { level, measure: COMING, ..Self::new(code) }
    }

    /// Tells it, unless enough of its kind were told of late.
    pub(crate) fn happened(&mut self, message: &str, reporter: &Reporter) -> Hearing {
        self.happened_at(self.level, message, reporter)
    }

    /// As [`Self::happened`], at a level of its own.
    pub(crate) fn happened_at(&mut self, level: Level, message: &str, reporter: &Reporter) -> Hearing {
        let now = reporter.now();
        let (since, told) = self.told.filter(|(at, _)| now - *at < self.measure.within).unwrap_or((now, 0));
        if told >= self.measure.most {
            self.left_out = self.left_out.saturating_add(1);
            return Hearing::Counted;
        }
        self.told = Some((since, told + 1));
        let message = match std::mem::take(&mut self.left_out) {
            0 => message.to_owned(),
            n => format!("{message} ({n} more before it)"),
        };
        reporter.event(level, self.code, message);
        Hearing::Told
    }

    /// At the line's end: how many were not told yet.
    pub(crate) fn sum_up(&self, reporter: &Reporter) {
        if self.left_out > 0 {
            reporter.event(self.level, self.code, format!("{} more like the last one", self.left_out));
        }
    }
}

/// The failures of something that is tried again and again. The same is told once a minute, whatever
/// numbers are in it; of those that are put ever anew, some.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    known: Vec<(String, Instant)>,
    left_out: u32,
}

/// The same failure is told again after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// So many kinds of failure are told in that time.
const KINDS: usize = 6;

impl Failures {
    /// What is to be told of a failure, if it is news.
    pub(crate) fn news(&mut self, what: &str, now: Instant) -> Option<String> {
        self.known.retain(|(_, told)| now.saturating_duration_since(*told) < AGAIN);
        // Ports, times and counts make it no other failure.
        let kind: String = what.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.known.len() >= KINDS || self.known.iter().any(|(known, _)| *known == kind) {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.known.push((kind, now));
        Some(match std::mem::take(&mut self.left_out) {
            0 => what.to_owned(),
            n => format!("{what} ({n} more failures before it)"),
        })
    }

    /// It worked: what fails from here on is news.
    pub(crate) fn worked(&mut self) {
        *self = Self::default();
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

    #[test]
    fn a_sender_that_comes_and_goes_all_the_time_is_told_of_now_and_then() {
        let (clock, log) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()));
        let stop = Arc::new(Stop::default());
        let reporter =
            Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::clone(&stop));
        let mut comings = Recurring::traffic("line-connected", Level::Info);
        for n in 0..150 {
            clock.wait_until(Time::from_millis(n * 100), &stop);
            let heard = comings.happened("it came", &reporter);
            assert_eq!(heard == Hearing::Told, n < 4 || (100..104).contains(&n), "{n}");
        }
        comings.sum_up(&reporter);
        let told: Vec<_> = log.latest(20).into_iter().map(|e| e.message).collect();
        assert_eq!(told.len(), 9);
        assert_eq!(
            (told[4].as_str(), told[8].as_str()),
            ("it came (96 more before it)", "46 more like the last one")
        );
    }

    #[test]
    fn a_failure_in_other_numbers_is_no_news_and_new_words_are_soon_enough() {
        let begun = Instant::now();
        let at = |secs| begun + Duration::from_secs(secs);
        let mut failures = Failures::default();
        assert_eq!(failures.news("refused by port 4711", at(0)).unwrap(), "refused by port 4711");
        assert_eq!(failures.news("refused by port 4712", at(1)), None);
        assert_eq!(failures.news("no route", at(2)).unwrap(), "no route (1 more failures before it)");
        assert_eq!(failures.news("refused by port 4713", at(3)), None);
        let told =
            (0..26u8).filter(|n| failures.news(&format!("word {}", char::from(b'a' + n)), at(4)).is_some());
        assert_eq!(told.count(), 4);
        assert_eq!(
            failures.news("refused by port 1", at(60)).unwrap(),
            "refused by port 1 (22 more failures before it)"
        );
        failures.worked();
        assert_eq!(failures.news("refused by port 2", at(61)).unwrap(), "refused by port 2");
    }
}
