//! What strangers can make happen as often as they like: told at once, then now and then, and counted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use media::{Span, Time};

use crate::event::Level;
use crate::reporter::Reporter;

/// One kind of thing is told this often at the most, in show time.
const EVERY: Span = Span::from_secs(10);

/// One kind of thing, from any number of connections.
#[derive(Debug)]
pub(crate) struct Seldom {
    code: &'static str,
    level: Level,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    told: Option<Time>,
    left_out: u32,
    last: String,
}

impl State {
    fn is_due(&self, now: Time) -> bool {
        self.told.is_none_or(|told| now - told >= EVERY)
    }

    fn say(&mut self, now: Time) -> String {
        self.told = Some(now);
        let message = std::mem::take(&mut self.last);
        match std::mem::take(&mut self.left_out) {
            0 | 1 => message,
            n => format!("{message} ({} more like it before)", n - 1),
        }
    }
}

impl Seldom {
    pub(crate) fn new(code: &'static str, level: Level) -> Self {
        Self { code, level, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it, unless one of its kind was told a short time ago: then it is counted.
    pub(crate) fn happened(&self, message: String, reporter: &Reporter) {
        let now = reporter.now();
        let mut state = self.lock();
        state.left_out = state.left_out.saturating_add(1);
        state.last = message;
        if state.is_due(now) {
            let message = state.say(now);
            drop(state);
            reporter.event(self.level, self.code, message);
        }
    }

    /// Tells what was only counted, once it is time; to be called now and then.
    pub(crate) fn catch_up(&self, reporter: &Reporter) {
        if self.lock().is_due(reporter.now()) {
            self.sum_up(reporter);
        }
    }

    /// Tells what was only counted.
    pub(crate) fn sum_up(&self, reporter: &Reporter) {
        let now = reporter.now();
        let mut state = self.lock();
        if state.left_out > 0 {
            let message = state.say(now);
            drop(state);
            reporter.event(self.level, self.code, message);
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
    fn two_hundred_at_once_are_told_in_two_events() {
        let (clock, log) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()));
        let stop = Arc::new(Stop::default());
        let reporter =
            Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::clone(&stop));
        let seldom = Seldom::new("rtmp-connection", Level::Warn);
        for n in 0..200 {
            seldom.happened(format!("number {n}"), &reporter);
            seldom.catch_up(&reporter);
        }
        for second in 1..60 {
            clock.wait_until(Time::from_millis(second * 1000), &stop);
            seldom.catch_up(&reporter);
        }
        seldom.happened("one more".to_owned(), &reporter);
        let told: Vec<_> = log.latest(10).into_iter().map(|e| (e.t, e.message)).collect();
        let expected =
            [(0.0, "number 0"), (10.0, "number 199 (198 more like it before)"), (59.0, "one more")];
        assert_eq!(told, expected.map(|(t, message)| (t, message.to_owned())));
    }
}
