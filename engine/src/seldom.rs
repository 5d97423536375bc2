//! What may happen as often as somebody likes: some of it is told, the rest is counted.
//!
//! A [`Seldom`] belongs to whoever has something to tell. What it has only counted it owes the
//! event log, which asks for it about once a second, when it is due, and at the show's end, so that
//! all of it is in the report; see [`EventLog::catch_up`](crate::event::EventLog::catch_up).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{Span, Time};

use crate::event::Level;
use crate::reporter::Reporter;

/// How much of one kind of thing is told, in show time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// So many
    most: usize,
    /// in so long.
    within: Span,
    same: Same,
}

/// Whether it is told again what was told already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Same {
    Told,
    /// Not in the same words, whatever numbers are in them: ports, times and counts make it no news.
    Counted,
}

impl Measure {
    /// What strangers do, on any number of connections.
    pub(crate) const STRANGERS: Self = Self { most: 1, within: Span::from_secs(10), same: Same::Told };
    /// What a sender's clock does.
    pub(crate) const CLOCK: Self = Self { most: 1, within: Span::from_secs(1), same: Same::Told };
    /// Comings and goings: now and then they are the news, all the time they are noise.
    pub(crate) const TRAFFIC: Self = Self { most: 4, within: Span::from_secs(10), same: Same::Told };
    /// What is wrong with what comes.
    pub(crate) const DAMAGE: Self = Self { most: 8, within: Span::from_secs(60), same: Same::Told };
    /// Failures of what is tried again and again.
    pub(crate) const FAILURES: Self = Self { most: 6, within: Span::from_secs(60), same: Same::Counted };

    fn kind(self, message: &str) -> String {
        match self.same {
            Same::Told => String::new(),
            Same::Counted => message.chars().filter(|c| !c.is_ascii_digit()).collect(),
        }
    }
}

/// Whether something was told, or only counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hearing {
    Told,
    Counted,
}

/// One kind of thing that may happen to one part of a show, from any number of threads.
#[derive(Debug)]
pub(crate) struct Seldom(Arc<Account>);

/// What was told of it, and what is owed.
#[derive(Debug)]
pub(crate) struct Account {
    code: &'static str,
    level: Level,
    measure: Measure,
    state: Mutex<State>,
}

/// Whether anything was told since a thing was last over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Since {
    #[default]
    Quiet,
    Told,
}

#[derive(Debug, Default)]
struct State {
    /// When something was told of late, and what kind of thing.
    told: VecDeque<(Time, String)>,
    left_out: u32,
    last: Option<(Level, String)>,
    owed: Owed,
    /// Whether any of it was told since it was last over.
    since_over: Since,
}

/// Whether the event log knows of the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Owed {
    #[default]
    No,
    Yes,
}

impl State {
    fn is_news(&mut self, measure: Measure, kind: &str, now: Time) -> bool {
        while self.told.front().is_some_and(|(told, _)| now - *told >= measure.within) {
            self.told.pop_front();
        }
        let known = measure.same == Same::Counted && self.told.iter().any(|(_, told)| told == kind);
        self.told.len() < measure.most && !known
    }
}

impl Seldom {
    /// Told at this level unless [`happened_at`](Self::happened_at) says another.
    pub(crate) fn new(code: &'static str, level: Level, measure: Measure) -> Self {
        Self(Arc::new(Account { code, level, measure, state: Mutex::default() }))
    }

    /// Tells it, unless enough of its kind was told of late: then it is counted.
    pub(crate) fn happened(&self, message: &str, reporter: &Reporter) -> Hearing {
        self.happened_at(self.0.level, message, reporter)
    }

    /// As [`happened`](Self::happened), at a level of its own.
    pub(crate) fn happened_at(&self, level: Level, message: &str, reporter: &Reporter) -> Hearing {
        let Account { code, measure, .. } = *self.0;
        let (now, kind) = (reporter.now(), measure.kind(message));
        let mut state = self.0.lock();
        if !state.is_news(measure, &kind, now) {
            state.left_out = state.left_out.saturating_add(1);
            state.last = Some((level, message.to_owned()));
            let known = std::mem::replace(&mut state.owed, Owed::Yes);
            drop(state);
            if known == Owed::No {
                reporter.owes(&self.0);
            }
            return Hearing::Counted;
        }
        state.told.push_back((now, kind));
        state.since_over = Since::Told;
        let left_out = std::mem::take(&mut state.left_out);
        state.last = None;
        drop(state);
        reporter.event(level, code, with_count(message, left_out));
        Hearing::Told
    }

    /// Whether nothing has happened of late.
    #[cfg(test)]
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.0.lock();
        state.told.is_empty() && state.left_out == 0
    }

    /// It is over for now: what was only counted of it is told no more. Whether any of it was told
    /// since it was last over.
    pub(crate) fn over(&self) -> Hearing {
        let mut state = self.0.lock();
        (state.left_out, state.last) = (0, None);
        match std::mem::take(&mut state.since_over) {
            Since::Told => Hearing::Told,
            Since::Quiet => Hearing::Counted,
        }
    }

    /// It works: what fails from here on is news, and what failed before is of no interest any more.
    pub(crate) fn worked(&self) {
        let mut state = self.0.lock();
        *state = State { owed: state.owed, since_over: state.since_over, ..State::default() };
    }
}

fn with_count(message: &str, more: u32) -> String {
    match more {
        0 => message.to_owned(),
        n => format!("{message} ({n} more like it before)"),
    }
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What is owed, if it may be told by now; whether anything is owed after that.
    pub(crate) fn catch_up(self: &Arc<Self>, now: Time) -> (Option<(Level, String)>, Left) {
        let mut state = self.lock();
        let kind = state.last.as_ref().map(|(_, message)| self.measure.kind(message)).unwrap_or_default();
        // Nobody but the log has it: its owner is gone.
        let alone = Arc::strong_count(self) == 1;
        match state.left_out == 0 || alone || state.is_news(self.measure, &kind, now) {
            true => (state.settle(&kind, now), Left::Nothing),
            false => (None, Left::Some),
        }
    }

    /// What is owed, at the end.
    pub(crate) fn sum_up(&self, now: Time) -> Option<(Level, String)> {
        self.lock().settle("", now)
    }
}

/// Whether more is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    Nothing,
    Some,
}

impl State {
    fn settle(&mut self, kind: &str, now: Time) -> Option<(Level, String)> {
        self.owed = Owed::No;
        let left_out = std::mem::take(&mut self.left_out);
        let (level, message) = self.last.take()?;
        self.told.push_back((now, kind.to_owned()));
        self.since_over = Since::Told;
        Some((level, with_count(&message, left_out.saturating_sub(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Stop, VirtualClock};
    use crate::event::EventLog;
    use proptest::prelude::*;

    struct Bench {
        clock: Arc<VirtualClock>,
        log: Arc<EventLog>,
        stop: Arc<Stop>,
        reporter: Reporter,
    }

    impl Bench {
        fn new() -> Self {
            let (clock, log) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()));
            let stop = Arc::new(Stop::default());
            let shared = Arc::clone(&clock) as Arc<dyn Clock>;
            let reporter = Reporter::new(shared, Arc::clone(&log), Arc::clone(&stop));
            Self { clock, log, stop, reporter }
        }
        fn to(&self, ms: i64) {
            self.clock.wait_until(Time::from_millis(ms), &self.stop);
        }
        fn told(&self) -> Vec<(f64, String)> {
            self.log.all(Time::ZERO).into_iter().map(|e| (e.t, e.message)).collect()
        }
    }

    fn owned(told: &[(f64, &str)]) -> Vec<(f64, String)> {
        told.iter().map(|(t, message)| (*t, (*message).to_owned())).collect()
    }

    #[test]
    fn two_hundred_strangers_at_once_are_told_in_two_events() {
        let bench = Bench::new();
        let seldom = Seldom::new("rtmp-connection", Level::Warn, Measure::STRANGERS);
        for n in 0..200 {
            seldom.happened(&format!("number {n}"), &bench.reporter);
            bench.log.catch_up(bench.reporter.now());
        }
        for second in 1..60 {
            bench.to(second * 1000);
            bench.log.catch_up(bench.reporter.now());
        }
        seldom.happened("one more", &bench.reporter);
        let expected =
            [(0.0, "number 0"), (10.0, "number 199 (198 more like it before)"), (59.0, "one more")];
        assert_eq!(bench.told(), owned(&expected));
    }

    #[test]
    fn what_was_counted_is_told_at_the_end_and_when_its_owner_goes() {
        let bench = Bench::new();
        let jumps = Seldom::new("line-jump", Level::Warn, Measure::CLOCK);
        let gone = Seldom::new("decode-error", Level::Warn, Measure::CLOCK);
        for n in 0..250 {
            bench.to(n * 10);
            jumps.happened("it jumped", &bench.reporter);
        }
        gone.happened("damage", &bench.reporter);
        gone.happened("damage", &bench.reporter);
        drop(gone);
        bench.log.catch_up(bench.reporter.now());
        bench.log.sum_up(bench.reporter.now());
        bench.log.sum_up(bench.reporter.now());
        let expected = [
            (0.0, "it jumped"),
            (1.0, "it jumped (99 more like it before)"),
            (2.0, "it jumped (99 more like it before)"),
            (2.49, "damage"),
            (2.49, "damage"),
            (2.49, "it jumped (48 more like it before)"),
        ];
        assert_eq!(bench.told(), owned(&expected));
    }

    /// A clear would else be followed by what it clears.
    #[test]
    fn what_is_over_is_not_told_behind_its_end() {
        let bench = Bench::new();
        let failures = Seldom::new("egress-lost", Level::Warn, Measure::FAILURES);
        for n in 0..3 {
            bench.to(n * 1000);
            failures.happened("refused", &bench.reporter);
        }
        assert_eq!(failures.over(), Hearing::Told);
        failures.happened("refused", &bench.reporter);
        assert_eq!(failures.over(), Hearing::Counted, "nobody has heard of it this time");
        bench.to(90_000);
        bench.log.catch_up(bench.reporter.now());
        assert_eq!(bench.told(), owned(&[(0.0, "refused")]));
        failures.happened("refused", &bench.reporter);
        bench.log.sum_up(bench.reporter.now());
        assert_eq!(failures.over(), Hearing::Told);
        assert_eq!(bench.told(), owned(&[(0.0, "refused"), (90.0, "refused")]));
    }

    #[test]
    fn a_sender_that_comes_and_goes_all_the_time_is_told_of_now_and_then() {
        let bench = Bench::new();
        let comings = Seldom::new("line-connected", Level::Info, Measure::TRAFFIC);
        for n in 0..150 {
            bench.to(n * 100);
            let heard = comings.happened("it came", &bench.reporter);
            assert_eq!(heard == Hearing::Told, n < 4 || (100..104).contains(&n), "{n}");
        }
        bench.log.sum_up(bench.reporter.now());
        let told = bench.told();
        assert_eq!(told.len(), 9);
        let ends = |n: usize, words: &str| told[n].1 == format!("it came ({words} more like it before)");
        assert!(ends(4, "96") && ends(8, "45"), "{told:?}");
    }

    #[test]
    fn a_failure_in_other_numbers_is_no_news_and_new_words_are_soon_enough() {
        let bench = Bench::new();
        let failures = Seldom::new("egress-lost", Level::Warn, Measure::FAILURES);
        let tell = |ms, message: &str| {
            bench.to(ms);
            failures.happened(message, &bench.reporter)
        };
        assert_eq!(tell(0, "refused by port 4711"), Hearing::Told);
        assert_eq!(tell(1_000, "refused by port 4712"), Hearing::Counted);
        assert_eq!(tell(2_000, "no route"), Hearing::Told);
        assert_eq!(tell(3_000, "refused by port 4713"), Hearing::Counted);
        let told =
            (b'a'..=b'z').filter(|c| tell(4_000, &format!("word {}", char::from(*c))) == Hearing::Told);
        assert_eq!(told.count(), 4);
        // Of what is still counted nothing is told too early, and nothing twice.
        bench.log.catch_up(Time::from_millis(59_000));
        assert_eq!(tell(60_000, "refused by port 1"), Hearing::Told);
        failures.worked();
        assert_eq!(tell(61_000, "refused by port 2"), Hearing::Told);
        let told = bench.told();
        assert_eq!(told[1].1, "no route (1 more like it before)");
        assert_eq!(told[6].1, "refused by port 1 (22 more like it before)");
        assert_eq!(told[7].1, "refused by port 2");
        bench.log.sum_up(Time::from_secs(61));
        assert_eq!(bench.told().len(), 8);
    }

    proptest! {
        /// Whatever happens, all of it is told or counted, and no more is told than may be.
        #[test]
        fn nothing_is_lost(steps in prop::collection::vec((0i64..3_000, 0u8..3, any::<bool>()), 1..120)) {
            for measure in [Measure::STRANGERS, Measure::CLOCK, Measure::TRAFFIC, Measure::FAILURES] {
                let bench = Bench::new();
                let seldom = Seldom::new("x", Level::Warn, measure);
                let mut now = 0;
                for (later, word, asks) in &steps {
                    now += later;
                    bench.to(now);
                    seldom.happened(&format!("word {}", char::from(b'a' + word)), &bench.reporter);
                    if *asks {
                        bench.log.catch_up(bench.reporter.now());
                    }
                }
                let before = bench.told();
                bench.log.sum_up(bench.reporter.now());
                let counted = |(_, message): &(f64, String)| {
                    let count = message.split_once('(').and_then(|(_, rest)| rest.split(' ').next());
                    1 + count.map_or(0, |n| n.parse::<usize>().unwrap())
                };
                prop_assert_eq!(bench.told().iter().map(counted).sum::<usize>(), steps.len());
                let within = measure.within.as_secs_f64();
                for run in before.windows(measure.most + 1) {
                    prop_assert!(run[measure.most].0 - run[0].0 >= within - 1e-6, "{:?}", run);
                }
            }
        }
    }
}
