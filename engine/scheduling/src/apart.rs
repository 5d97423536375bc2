//! Whether the key frames of a ladder's rungs still lie at the same times.
//!
//! A player changes rungs at a key frame, so what lies apart tears for every viewer who changes.
//! The scheduler asks all rungs for their key frames at once: this watches whether they came.

use std::collections::VecDeque;

use media::Time;

/// Key frames one rung may be ahead of another before the other is taken to make none.
const AHEAD: usize = 32;
/// Key frames in a row that all rungs must have together before they are in step again.
const TOGETHER: u32 = 3;

/// What a key frame made known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The rung of this number lacks a key frame that another has, or has one that another lacks.
    Apart {
        /// Which one is the odd one out; the other, where there are two.
        rung: usize,
        /// The first key frame that not all have.
        at: Time,
    },
    /// All have had the same key frames again for a while.
    Together,
}

/// Key frames of a ladder's rungs, as they come, in any order of the rungs.
///
/// ```
/// use media::Time;
/// use scheduling::{Found, RungsInStep};
///
/// let mut watch = RungsInStep::new(2);
/// let at = Time::from_secs;
/// assert_eq!(watch.key(0, at(0)), None);
/// assert_eq!(watch.key(1, at(0)), None);
/// assert_eq!(watch.key(0, at(2)), None);
/// assert_eq!(watch.key(1, at(3)), Some(Found::Apart { rung: 1, at: at(2) }));
/// ```
#[derive(Clone, Debug)]
pub struct RungsInStep {
    /// Of each rung: its key frames that not all rungs have had yet, and whether it goes on.
    rungs: Vec<Rung>,
    /// While apart: key frames in a row that all had.
    apart: Option<u32>,
    /// The last key frame that is done with.
    passed: Option<Time>,
}

#[derive(Clone, Debug, Default)]
struct Rung {
    keys: VecDeque<Time>,
    over: Over,
    /// After a rest: its first key frame, and the last that the others had done with by then.
    woke: Option<(Time, Option<Time>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Over {
    #[default]
    Not,
    Yes,
}

impl RungsInStep {
    /// Of so many rungs.
    pub fn new(rungs: usize) -> Self {
        Self { rungs: vec![Rung::default(); rungs], apart: None, passed: None }
    }

    /// One more rung, and its number: nothing is expected of it until it [wakes](Self::wake).
    pub fn join(&mut self) -> usize {
        self.rungs.push(Rung { over: Over::Yes, ..Rung::default() });
        self.rungs.len() - 1
    }

    /// A rung has a key frame at `pts`; each rung's rise.
    pub fn key(&mut self, rung: usize, pts: Time) -> Option<Found> {
        let one = self.rungs.get_mut(rung).filter(|one| one.over == Over::Not)?;
        if one.woke.is_some_and(|(_, passed)| passed.is_some_and(|passed| pts <= passed)) {
            return None;
        }
        one.keys.push_back(pts);
        self.compare()
    }

    /// A rung that had ended, or rested, goes on: `first` is its first key frame. What lies before
    /// that is not expected of it, and of what the others have done with, nothing.
    pub fn wake(&mut self, rung: usize, first: Time) -> Option<Found> {
        let one = self.rungs.get_mut(rung)?;
        *one = Rung { woke: Some((first, self.passed)), ..Rung::default() };
        self.key(rung, first)
    }

    /// A rung has ended, failed, or rests: it is waited for no longer.
    pub fn end(&mut self, rung: usize) -> Option<Found> {
        let one = self.rungs.get_mut(rung)?;
        *one = Rung { over: Over::Yes, ..Rung::default() };
        self.compare()
    }

    fn going(&self) -> impl Iterator<Item = (usize, &Rung)> {
        self.rungs.iter().enumerate().filter(|(_, rung)| rung.over == Over::Not)
    }

    /// Takes off what all have had, and tells what has changed by it.
    fn compare(&mut self) -> Option<Found> {
        let mut news = None;
        loop {
            let fronts = self.going().map(|(ix, rung)| (ix, rung.keys.front().copied()));
            let fronts: Vec<(usize, Option<Time>)> = fronts.collect();
            let first = fronts.iter().filter_map(|(_, front)| *front).min();
            let waits = fronts.iter().any(|(_, front)| front.is_none());
            let full = self.going().any(|(_, rung)| rung.keys.len() > AHEAD);
            let Some(first) = first.filter(|_| !waits || full) else { return news };
            let is_asked = |rung: usize| {
                let woke = self.rungs.get(rung).and_then(|rung| rung.woke);
                woke.is_none_or(|(from, _)| from <= first)
            };
            let asked = fronts.iter().filter(|(rung, _)| is_asked(*rung));
            let (has, lacks): (Vec<_>, Vec<_>) = asked.partition(|(_, front)| *front == Some(first));
            if lacks.is_empty() {
                self.take_off(first);
                let Some(row) = &mut self.apart else { continue };
                *row += 1;
                if *row >= TOGETHER {
                    self.apart = None;
                    news = Some(Found::Together);
                }
                continue;
            }
            let odd = if has.len() < lacks.len() { &has } else { &lacks };
            if self.apart.is_none() {
                news = odd.first().map(|(rung, _)| Found::Apart { rung: *rung, at: first });
            }
            self.apart = Some(0);
            self.take_off(first);
        }
    }

    fn take_off(&mut self, at: Time) {
        self.passed = Some(at);
        for rung in &mut self.rungs {
            if rung.keys.front() == Some(&at) {
                rung.keys.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Time {
        Time::from_secs(second)
    }

    /// All findings, where each rung's key frames come one after another in this order of rungs.
    fn found(rungs: &[Vec<i64>], order: &[usize]) -> (RungsInStep, Vec<Found>) {
        let mut watch = RungsInStep::new(rungs.len());
        let mut left: Vec<VecDeque<i64>> = rungs.iter().map(|keys| keys.iter().copied().collect()).collect();
        let mut found = Vec::new();
        let rest = (0..rungs.len()).flat_map(|rung| vec![rung; rungs[rung].len()]);
        for rung in order.iter().copied().filter(|rung| *rung < rungs.len()).chain(rest) {
            if let Some(key) = left[rung].pop_front() {
                found.extend(watch.key(rung, at(key)));
            }
        }
        (watch, found)
    }

    proptest! {
        #[test]
        fn the_same_keys_in_any_order_are_in_step(
            keys in 1i64..30,
            rungs in 1usize..5,
            order in prop::collection::vec(0usize..5, 0..120),
        ) {
            let (watch, found) = found(&vec![(0..keys).collect(); rungs], &order);
            prop_assert_eq!(found, []);
            prop_assert!(watch.rungs.iter().all(|rung| rung.keys.is_empty()));
        }

        /// Whichever rung is heard first, one that lacks a key frame is found, and only told once.
        #[test]
        fn a_key_frame_that_lacks_is_found(
            missing in 1i64..20,
            odd in 0usize..3,
            order in prop::collection::vec(0usize..3, 0..90),
        ) {
            let mut rungs = vec![(0..30).collect::<Vec<i64>>(); 3];
            rungs[odd].retain(|key| *key != missing);
            let (_, found) = found(&rungs, &order);
            prop_assert_eq!(found, [Found::Apart { rung: odd, at: at(missing) }, Found::Together]);
        }

        /// Rungs that rest and wake, however far they are ahead of one another or behind.
        #[test]
        fn a_rung_that_rests_and_wakes_is_in_step(
            keys in 1i64..30,
            rests in prop::collection::vec(prop::collection::vec(any::<bool>(), 30), 1..5),
            order in prop::collection::vec(0usize..5, 0..160),
        ) {
            let mut watch = RungsInStep::new(rests.len());
            let mut next = vec![0; rests.len()];
            let all = (0..rests.len()).flat_map(|rung| vec![rung; keys as usize]);
            for rung in order.into_iter().filter(|rung| *rung < rests.len()).chain(all) {
                let key = next[rung];
                if key >= keys {
                    continue;
                }
                next[rung] += 1;
                let rested = key > 0 && rests[rung][key as usize - 1];
                let found = match (rested, rests[rung][key as usize]) {
                    (_, true) => watch.end(rung),
                    (true, false) => watch.wake(rung, at(key)),
                    (false, false) => watch.key(rung, at(key)),
                };
                prop_assert_eq!(found, None);
            }
        }

        /// One that joins is in step from its first key frame on, and watched from then on.
        #[test]
        fn a_rung_that_joins_is_in_step_and_watched(joined in 0i64..10, ahead in 0usize..9, missing in 20i64..30) {
            let mut watch = RungsInStep::new(2);
            let mut found = Vec::new();
            let mut late = VecDeque::new();
            for key in 0..40 {
                // Either comes first, or is a few ahead.
                found.extend(watch.key(0, at(key)));
                found.extend(watch.key(1, at(key)));
                if key == joined {
                    prop_assert_eq!(watch.join(), 2);
                }
                if key >= joined && key != missing {
                    late.push_back(key);
                }
                if late.len() > ahead || key == 39 {
                    for key in late.drain(..) {
                        found.extend(if key == joined { watch.wake(2, at(key)) } else { watch.key(2, at(key)) });
                    }
                }
            }
            prop_assert_eq!(found, [Found::Apart { rung: 2, at: at(missing) }, Found::Together]);
        }

        /// One that wakes and then lacks a key frame is found.
        #[test]
        fn a_rung_that_woke_is_watched_again(woke in 1i64..10, missing in 11i64..20) {
            let mut watch = RungsInStep::new(2);
            let mut found = Vec::new();
            for key in 0..30 {
                found.extend(watch.key(0, at(key)));
                found.extend(match key {
                    0 => watch.end(1),
                    key if key < woke || key == missing => None,
                    key if key == woke => watch.wake(1, at(key)),
                    key => watch.key(1, at(key)),
                });
            }
            // Of two either is the odd one.
            let told = |found: &Found| matches!(found, Found::Apart { at: when, .. } if *when == at(missing));
            prop_assert!(found.len() == 2 && told(&found[0]) && found[1] == Found::Together, "{:?}", found);
        }

        #[test]
        fn what_waits_is_bounded(
            keys in prop::collection::vec((0usize..4, 0u8..3), 0..400),
        ) {
            let mut watch = RungsInStep::new(3);
            let mut times = [0; 4];
            for (rung, step) in keys {
                times[rung] += i64::from(step) + 1;
                let _ = watch.key(rung, at(times[rung]));
                prop_assert!(watch.rungs.iter().all(|rung| rung.keys.len() <= AHEAD));
            }
        }
    }

    #[test]
    fn a_rung_that_makes_none_is_found_and_one_that_has_ended_is_not_waited_for() {
        let mut watch = RungsInStep::new(2);
        let silent: Vec<_> = (0..100).filter_map(|second| watch.key(0, at(second))).collect();
        assert_eq!(silent, [Found::Apart { rung: 1, at: at(0) }]);
        // The other alone cannot be apart from anything.
        assert_eq!(watch.end(1), Some(Found::Together));
        assert_eq!((100..200).filter_map(|second| watch.key(0, at(second))).count(), 0);
        assert_eq!(watch.key(1, at(9)), None);
    }
}
