//! Kills of the engine, and what whoever starts it again would have: its show goes on, begins anew,
//! or has had its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::TimeOfDay;
use pipeline_dsl::rehearsal::{FaultKind, FaultScript, Restart};

use crate::rehearse::life::Birth;
use crate::rehearse::world::NEVER;
use crate::resume::{Choice, KeptShow, Wanted};

/// The engine is killed, and started again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Kill {
    pub(crate) at: Time,
    /// When it is back; [`NEVER`] if it is not.
    pub(crate) again: Time,
    /// Of kills that are over at once, the one that says most.
    wanted: Wanted,
}

/// The kills of a script, by time; those that overlap are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kills(Vec<Kill>);

impl Kills {
    pub(crate) fn of(script: &FaultScript) -> Self {
        let kills = script.faults.iter().filter_map(|fault| {
            let FaultKind::EngineKill(restart) = fault.what else { return None };
            let wanted = match restart {
                Restart::Usual => Wanted::Usual,
                Restart::Resume => Wanted::Resume,
                Restart::Fresh => Wanted::Fresh,
            };
            Some(Kill { at: fault.at, again: fault.ends().unwrap_or(NEVER), wanted })
        });
        let mut kills: Vec<_> = kills.collect();
        kills.sort_unstable();
        let mut apart: Vec<Kill> = Vec::new();
        for kill in kills {
            match apart.last_mut() {
                // It is killed while it is down: whoever starts it last says how.
                Some(last) if kill.at <= last.again => {
                    if (kill.again, kill.wanted) > (last.again, last.wanted) {
                        (last.again, last.wanted) = (kill.again, kill.wanted);
                    }
                }
                _ => apart.push(kill),
            }
        }
        Self(apart)
    }

    /// The next one for an engine that began at `at`.
    pub(crate) fn after(&self, at: Time) -> Option<Kill> {
        self.0.iter().copied().find(|kill| kill.again > at)
    }
}

/// What comes after a kill.
pub(crate) enum Next {
    /// An engine with this beginning.
    Engine(Begin),
    /// Nothing: the show had its end then, in rehearsal time, if it ever has one.
    Over(Option<Time>),
}

/// How an engine begins.
#[derive(Clone)]
pub(crate) struct Begin {
    pub(crate) birth: Birth,
    /// What it goes on from.
    pub(crate) kept: Option<Arc<KeptShow>>,
}

impl Begin {
    /// Its show begins at this time.
    pub(crate) fn anew(at: Time) -> Self {
        Self { birth: Birth { at, zero: at }, kept: None }
    }
}

/// The clock on the wall at a time of the rehearsal.
#[derive(Clone, Copy)]
pub(crate) struct Wall {
    zero: SystemTime,
}

impl Wall {
    /// That of a rehearsal which begins at this time of day.
    pub(crate) fn new(day: Option<TimeOfDay>) -> Self {
        let since = day.map_or(Span::ZERO, TimeOfDay::since_midnight);
        // The second of January 1970: the first has no yesterday.
        Self { zero: UNIX_EPOCH + Duration::from_secs(86_400) + since.as_duration() }
    }

    pub(crate) fn at(self, time: Time) -> SystemTime {
        self.zero + (time - Time::ZERO).as_duration()
    }
}

impl Kill {
    /// What becomes of `show`, of which this was kept, if anything was; it began at `zero`.
    pub(crate) fn next(self, show: &dsl::Show, kept: Option<KeptShow>, zero: Time, wall: Wall) -> Next {
        let rehearsed = |zero: Time, shown: Time| zero + (shown - Time::ZERO);
        let Some(kept) = kept else {
            return match self.again {
                NEVER => Next::Over(show.end().map(|end| rehearsed(zero, end))),
                again => Next::Engine(Begin::anew(again)),
            };
        };
        if self.again == NEVER {
            return Next::Over(kept.end_of(show).map(|end| rehearsed(zero, end)));
        }
        let now = wall.at(self.again);
        let birth = Birth { at: self.again, zero: self.again - (kept.time_at(now) - Time::ZERO) };
        match kept.choice(self.wanted, show, now) {
            Choice::TakeUp => Next::Engine(Begin { birth, kept: Some(Arc::new(kept)) }),
            Choice::Leave(_) => Next::Engine(Begin::anew(self.again)),
            Choice::Over(end) => Next::Over(Some(rehearsed(birth.zero, end))),
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline_dsl::rehearsal::Fault;

    use super::*;

    #[test]
    fn kills_that_overlap_are_one_and_the_last_word_counts() {
        let at = Time::from_secs;
        let kill = |from: i64, lasts: Option<i64>, restart| Fault {
            at: at(from),
            lasts: lasts.map(Span::from_secs),
            what: FaultKind::EngineKill(restart),
        };
        let faults = vec![
            kill(20, Some(4), Restart::Usual),
            kill(5, Some(2), Restart::Fresh),
            kill(6, Some(6), Restart::Usual),
            kill(12, Some(1), Restart::Resume),
            kill(24, None, Restart::Fresh),
        ];
        let kills = Kills::of(&FaultScript { faults, orders: Vec::new() });
        let told: Vec<_> = kills.0.iter().map(|kill| (kill.at, kill.again, kill.wanted)).collect();
        let want = [(at(5), at(13), Wanted::Resume), (at(20), NEVER, Wanted::Fresh)];
        assert_eq!(told, want);
        assert_eq!(kills.after(at(13)).map(|kill| kill.at), Some(at(20)));
        assert_eq!(kills.after(at(0)).map(|kill| kill.at), Some(at(5)));
    }
}
