//! The rundown while it runs: called on, held, skipped, moved, replaced.

use media::{Tick, Time};
use pipeline_dsl::TimeOfDay;

use super::ChannelScheduler;
use crate::event::Code;
use crate::plan::PlanError;
use crate::rundown::{CueNumber, CueState, CueView, Due, Ending, RundownCourse, is_open};
use crate::state::Course;
use crate::take::{PlanOrder, Reach, Refusal, RefusalCode};

/// Cues that a refusal names.
const NAMED: usize = 16;

impl ChannelScheduler {
    /// The cues of its rundown, in the order in which those of one tick come.
    pub fn cues(&self) -> impl ExactSizeIterator<Item = CueView<'_>> {
        self.state.rundown.cues.iter().map(|cue| CueView {
            number: cue.number,
            tick: cue.tick,
            clock: match cue.due {
                Due::Clock(time) => Some(time),
                Due::At(_) | Due::Next => None,
            },
            words: &cue.words,
            state: cue.state,
        })
    }

    /// Whether cues come of themselves.
    pub const fn rundown_course(&self) -> RundownCourse {
        self.state.rundown.course
    }

    /// When it ends by its rundown, as things stand; once it has ended, when it did.
    pub fn ending(&self) -> Ending {
        match (self.state.course, self.state.standing) {
            (Course::Ended, Some(standing)) => Ending::At(standing.since),
            (Course::Ending, _) => Ending::At(self.next_tick()),
            _ => self.state.rundown.ending(),
        }
    }

    /// The time of day, UTC, at show time 0: from it follows when cues come that wait for the
    /// clock. Until it is known they wait.
    pub fn set_clock(&mut self, zero: TimeOfDay) {
        self.state.rundown.set_clock(zero, self.plan.rate);
    }

    /// Puts another rundown in the place of the one that runs. A cue that both have, with the
    /// same time and action, stays as it is; one that is new and already past is skipped.
    ///
    /// # Errors
    /// A cue that can never be carried out. Nothing has changed then.
    pub fn set_rundown(&mut self, rundown: &pipeline_dsl::Rundown) -> Result<(), PlanError> {
        let cues = self.plan.cues_of(rundown)?;
        let next = self.next_tick();
        let past = self.state.rundown.replace(&cues, next, self.plan.rate);
        self.plan.cues = cues;
        for number in past {
            let words = format!("cue {number} is new and already past: it is skipped");
            self.event(next, Code::CueChanged, words);
        }
        self.event(next, Code::Plan, "another rundown is in force".to_owned());
        Ok(())
    }

    pub(super) fn order(&mut self, order: PlanOrder, tick: Tick) -> Result<Reach, Refusal> {
        if self.state.rundown.cues.is_empty() {
            return Err(self.refusal(RefusalCode::NoRundown, "has no rundown", Vec::new()));
        }
        match order {
            PlanOrder::Next => self.call(tick),
            PlanOrder::Hold => Ok(self.set_course(tick, RundownCourse::Held)),
            PlanOrder::Go => Ok(self.set_course(tick, RundownCourse::Running)),
            PlanOrder::Skip(cue) => self.skip(tick, cue),
            PlanOrder::Move { cue, before } => self.shift(tick, cue, before),
            PlanOrder::Retime { cue, at } => self.retime(tick, cue, at),
        }
    }

    fn call(&mut self, tick: Tick) -> Result<Reach, Refusal> {
        let Some(ix) = self.state.rundown.next() else {
            return Err(self.refusal(RefusalCode::NoNextCue, "has no cue that waits for next", Vec::new()));
        };
        if let Some(cue) = self.state.rundown.cues.get_mut(ix) {
            (cue.called, cue.tick) = (true, Some(tick));
        }
        self.state.rundown.settle();
        Ok(Reach::Program)
    }

    fn set_course(&mut self, tick: Tick, course: RundownCourse) -> Reach {
        if self.state.rundown.course == course {
            return Reach::Nothing;
        }
        self.state.rundown.course = course;
        self.state.rundown.settle();
        let words = match course {
            RundownCourse::Held => "the rundown is held: no cue comes of itself",
            RundownCourse::Running => "the rundown goes on",
        };
        self.event(tick, Code::Plan, words.to_owned());
        Reach::IntentOnly
    }

    fn skip(&mut self, tick: Tick, cue: CueNumber) -> Result<Reach, Refusal> {
        let ix = self.waiting(cue)?;
        if let Some(cue) = self.state.rundown.cues.get_mut(ix) {
            cue.state = CueState::Skipped;
        }
        self.state.rundown.settle();
        self.event(tick, Code::CueChanged, format!("cue {cue} is skipped"));
        Ok(Reach::IntentOnly)
    }

    fn shift(&mut self, tick: Tick, cue: CueNumber, before: Option<CueNumber>) -> Result<Reach, Refusal> {
        let from = self.waiting(cue)?;
        if !self.state.rundown.cues.get(from).is_some_and(is_open) {
            let what = format!("brings cue {cue} at its time, whatever its place");
            return Err(self.refusal(RefusalCode::CueTimed, &what, vec![format!("at {cue} TIME")]));
        }
        let to = before.map(|before| self.waiting(before)).transpose()?;
        let to = to.unwrap_or(self.state.rundown.cues.len());
        // What stood behind it has moved up by one.
        let to = if to > from { to - 1 } else { to };
        if to == from {
            return Ok(Reach::Nothing);
        }
        let moved = self.state.rundown.cues.remove(from);
        self.state.rundown.cues.insert(to, moved);
        let place = before.map_or_else(|| "last".to_owned(), |before| format!("before cue {before}"));
        self.event(tick, Code::CueChanged, format!("cue {cue} is called {place}"));
        Ok(Reach::IntentOnly)
    }

    fn retime(&mut self, tick: Tick, cue: CueNumber, at: Time) -> Result<Reach, Refusal> {
        let ix = self.waiting(cue)?;
        let due = self.plan.rate.tick_from(at).max(tick);
        if let Some(cue) = self.state.rundown.cues.get_mut(ix) {
            cue.tick = Some(due);
        }
        self.state.rundown.settle();
        let words = format!("cue {cue} comes at {}", self.time_of(due));
        self.event(tick, Code::CueChanged, words);
        Ok(Reach::IntentOnly)
    }

    /// The place of a cue that can still be changed.
    fn waiting(&self, cue: CueNumber) -> Result<usize, Refusal> {
        let waits = |ix: usize| {
            self.state.rundown.cues.get(ix).is_some_and(|cue| cue.state == CueState::Waiting && !cue.called)
        };
        let legal = || {
            let cues = self.state.rundown.cues.iter().enumerate().filter(|(ix, _)| waits(*ix));
            cues.take(NAMED).map(|(_, cue)| cue.number.to_string()).collect()
        };
        match self.state.rundown.place(cue) {
            None => Err(self.refusal(RefusalCode::UnknownCue, &format!("has no cue {cue}"), legal())),
            Some(ix) if waits(ix) => Ok(ix),
            Some(_) => {
                let what = format!("has cue {cue} behind it");
                Err(self.refusal(RefusalCode::CueDone, &what, legal()))
            }
        }
    }
}
