//! A rundown as it runs: which cues wait, for what, and which one comes next.

use std::fmt;

use media::{FrameRate, Span, Tick, Time};
use pipeline_dsl::TimeOfDay;
use serde::{Deserialize, Serialize};

use crate::plan::Op;

/// A cue by its place in the show file, from 1; it keeps its number wherever it is moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CueNumber(pub u32);

impl fmt::Display for CueNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What has become of a cue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CueState {
    /// It waits for its time, or for the director.
    Waiting,
    /// It was carried out.
    Done,
    /// It could not be.
    Refused,
    /// It was left out.
    Skipped,
}

/// Whether cues come of themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RundownCourse {
    /// They do.
    Running,
    /// They wait until the rundown goes on; `next` works all the same.
    Held,
}

/// When a cue comes, as the show file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Due {
    At(Tick),
    /// A time of day, UTC.
    Clock(TimeOfDay),
    Next,
}

/// A cue as it was planned.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct PlannedCue {
    pub number: CueNumber,
    pub due: Due,
    pub op: Op,
    /// The action as the show file spells it: `cut karry`.
    pub words: String,
}

/// A cue as it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct RunningCue {
    pub number: CueNumber,
    /// As it was planned.
    pub due: Due,
    /// Its tick; `None` while it waits for the director, or for the clock to be known.
    pub tick: Option<Tick>,
    /// The director called for it: it comes even while the rundown is held.
    pub called: bool,
    pub op: Op,
    pub words: String,
    pub state: CueState,
}

/// A cue, for whoever watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CueView<'a> {
    /// Which.
    pub number: CueNumber,
    /// When it comes or came due; `None` while that is open.
    pub tick: Option<Tick>,
    /// The time of day it waits for, UTC.
    pub clock: Option<TimeOfDay>,
    /// What happens then, as the show file spells it.
    pub words: &'a str,
    /// What has become of it.
    pub state: CueState,
}

/// When a channel ends by its rundown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It does not.
    Never,
    /// At this tick, as things stand.
    At(Tick),
    /// When the director calls for it, or lets a held rundown go on.
    Open,
}

/// How long a time of day may be past when the show starts and still be meant for today.
const LATE: Span = Span::from_secs(3600);

/// All of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Rundown {
    pub course: RundownCourse,
    /// In the order in which cues of one tick, and those that wait for `next`, come.
    pub cues: Vec<RunningCue>,
    /// The time of day, UTC, at show time 0; once it is known.
    pub zero: Option<TimeOfDay>,
    /// The tick of the first cue to come; kept, so that a tick without one costs nothing.
    first: Option<Tick>,
}

impl Rundown {
    pub fn new(planned: &[PlannedCue]) -> Self {
        let mut rundown = Self {
            course: RundownCourse::Running,
            cues: planned.iter().map(running).collect(),
            zero: None,
            first: None,
        };
        rundown.settle();
        rundown
    }

    /// The show's time 0 was at this time of day.
    pub fn set_clock(&mut self, zero: TimeOfDay, rate: FrameRate) {
        self.zero = Some(zero);
        for cue in &mut self.cues {
            if let (Due::Clock(clock), None) = (cue.due, cue.tick) {
                cue.tick = Some(rate.tick_from(Time::ZERO + until(zero, clock)));
            }
        }
        self.settle();
    }

    /// Another rundown takes its place. What is in both stays as it is; what is new and past
    /// is left out. Gives back the cues that were.
    pub fn replace(&mut self, planned: &[PlannedCue], next: Tick, rate: FrameRate) -> Vec<CueNumber> {
        let mut old = std::mem::take(&mut self.cues);
        let mut past = Vec::new();
        for cue in planned {
            let mut fresh = running(cue);
            if let (Some(zero), Due::Clock(clock)) = (self.zero, fresh.due) {
                fresh.tick = Some(rate.tick_from(Time::ZERO + until(zero, clock)));
            }
            let same = old.iter().position(|was| was.due == fresh.due && was.op == fresh.op);
            match same {
                Some(ix) => {
                    let was = old.remove(ix);
                    fresh.state = was.state;
                    fresh.called = was.called;
                    fresh.tick = was.tick;
                }
                None if fresh.tick.is_some_and(|tick| tick < next) => {
                    fresh.state = CueState::Skipped;
                    past.push(fresh.number);
                }
                None => {}
            }
            self.cues.push(fresh);
        }
        self.settle();
        past
    }

    /// The first cue that is due at `tick`, by its place: of several the earliest, and of
    /// those of one tick the first in the list.
    pub fn due(&self, tick: Tick) -> Option<usize> {
        self.first.filter(|first| *first <= tick)?;
        let due = self.coming().filter(|(_, due)| *due <= tick);
        due.min_by_key(|(_, due)| *due).map(|(ix, _)| ix)
    }

    /// When a cue waits for the director's `next`, its place.
    pub fn next(&self) -> Option<usize> {
        self.cues.iter().position(is_open)
    }

    /// When the channel ends by it.
    pub fn ending(&self) -> Ending {
        let mut ends = self.cues.iter().filter(|cue| cue.op == Op::End && cue.state == CueState::Waiting);
        let Some(end) = ends.next() else { return Ending::Never };
        match end.tick {
            Some(tick) if self.course == RundownCourse::Running || end.called => Ending::At(tick),
            _ => Ending::Open,
        }
    }

    pub fn place(&self, number: CueNumber) -> Option<usize> {
        self.cues.iter().position(|cue| cue.number == number)
    }

    /// After any change of a cue or the course.
    pub fn settle(&mut self) {
        self.first = self.coming().map(|(_, due)| due).min();
    }

    /// Whether every source its cues speak of is one of so many.
    pub fn fits(&self, sources: usize) -> bool {
        self.cues.iter().all(|cue| match &cue.op {
            Op::Cut(source) | Op::Mix(source, ..) => source.0 < sources,
            _ => true,
        })
    }

    /// Every cue that comes of itself, by its place, with its tick.
    fn coming(&self) -> impl Iterator<Item = (usize, Tick)> {
        self.cues.iter().enumerate().filter_map(|(ix, cue)| {
            let comes = cue.called || self.course == RundownCourse::Running;
            cue.tick.filter(|_| comes && cue.state == CueState::Waiting).map(|tick| (ix, tick))
        })
    }
}

fn running(cue: &PlannedCue) -> RunningCue {
    let tick = match cue.due {
        Due::At(tick) => Some(tick),
        Due::Clock(_) | Due::Next => None,
    };
    RunningCue {
        number: cue.number,
        due: cue.due,
        tick,
        called: false,
        op: cue.op.clone(),
        words: cue.words.clone(),
        state: CueState::Waiting,
    }
}

/// Whether a cue waits for the director.
pub(crate) fn is_open(cue: &RunningCue) -> bool {
    cue.state == CueState::Waiting && cue.tick.is_none() && cue.due == Due::Next
}

/// How long after the show's start a time of day comes: within a day. One that is past by less
/// than an hour was meant for now.
fn until(zero: TimeOfDay, clock: TimeOfDay) -> Span {
    let ahead = clock.since_midnight() - zero.since_midnight();
    let ahead = if ahead < Span::ZERO { ahead + TimeOfDay::DAY } else { ahead };
    if ahead > TimeOfDay::DAY - LATE { Span::ZERO } else { ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_the_next_one_unless_it_has_just_passed() {
        let at = |h: i64, m: i64| TimeOfDay::new(Span::from_secs(h * 3600 + m * 60)).unwrap();
        let minutes = |zero, clock| until(zero, clock).as_millis_rounded() / 60_000;
        assert_eq!(minutes(at(20, 0), at(20, 15)), 15);
        assert_eq!(minutes(at(23, 50), at(0, 10)), 20);
        assert_eq!(minutes(at(20, 15), at(20, 15)), 0);
        assert_eq!(minutes(at(20, 20), at(20, 15)), 0);
        assert_eq!(minutes(at(0, 10), at(23, 50)), 0);
        assert_eq!(minutes(at(20, 15), at(19, 15)), 23 * 60);
        assert_eq!(minutes(at(20, 15), at(19, 16)), 0);
    }
}
