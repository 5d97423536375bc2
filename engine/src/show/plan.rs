//! A rundown as the status tells of it.

use scheduling::{ChannelScheduler, CueState, CueView, RundownCourse};

use crate::status::{CueStatus, PlanStatus};

/// Cues that wait, as far as a status tells of them.
const CUES_SHOWN: usize = 8;

/// The rundown as it runs, if there is one.
pub(crate) fn plan_status(scheduler: &ChannelScheduler) -> Option<PlanStatus> {
    if scheduler.cues().len() == 0 {
        return None;
    }
    let count = |state| scheduler.cues().filter(|cue| cue.state == state).count();
    let waiting = || scheduler.cues().filter(|cue| cue.state == CueState::Waiting);
    let cue = |cue: CueView<'_>| CueStatus {
        cue: cue.number.0,
        t: cue.tick.map(|tick| scheduler.time_of(tick).as_secs_f64()),
        clock_utc: cue.clock.map(|time| time.to_string()),
        what: cue.words.to_owned(),
    };
    // Those with a time by their time, then those that wait for the director's word.
    let mut coming: Vec<_> = waiting().collect();
    coming.sort_by_key(|cue| (cue.tick.is_none(), cue.tick));
    Some(PlanStatus {
        state: match scheduler.rundown_course() {
            RundownCourse::Running => "running",
            RundownCourse::Held => "held",
        }
        .to_owned(),
        done: count(CueState::Done),
        refused: count(CueState::Refused),
        skipped: count(CueState::Skipped),
        waiting: coming.len(),
        on_next: waiting().find(|cue| cue.tick.is_none() && cue.clock.is_none()).map(cue),
        coming: coming.into_iter().take(CUES_SHOWN).map(cue).collect(),
    })
}
