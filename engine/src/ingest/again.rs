//! Lines that we go and get: tried, and after each end tried again, with a back-off.

use std::time::{Duration, Instant};

use media::Span;
use scheduling::Backoff;
use tokio::runtime::Runtime;

use crate::event::Level;
use crate::ingest::intake::Intake;
use crate::reporter::{Reporter, roll};
use crate::seldom::{Measure, Seldom};

pub(crate) const FIRST_WAIT: Span = Span::from_millis(200);
pub(crate) const LONGEST_WAIT: Span = Span::from_secs(5);
/// A stream that held for so long was well: the next failure is the first again.
pub(crate) const WELL: Duration = Duration::from_secs(3);

/// A stream that is silent for so long is given up, and asked for anew.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);
/// How often a line's thread looks up.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// Whether anything has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Began {
    Yes,
    No,
}

/// What follows the end of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    Again,
    /// No more is to be had.
    Nothing,
    /// Somebody else goes on with it.
    Elsewhere,
}

/// An attempt, when it is over.
pub(crate) struct Attempt {
    pub(crate) began: Began,
    pub(crate) why: String,
    pub(crate) then: Then,
}

/// Returns when the show is over.
pub(crate) async fn over(reporter: &Reporter) {
    while !reporter.is_stopping() {
        tokio::time::sleep(GLANCE).await;
    }
}

/// Tries until the show is over, or no more is to be had.
pub(crate) fn until_over(intake: &Intake, mut attempt: impl FnMut() -> Attempt) {
    let Intake { reporter, counters, .. } = intake;
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let failures = Seldom::new("line-error", Level::Warn, Measure::FAILURES);
    while !reporter.is_stopping() {
        let tried = Instant::now();
        counters.call();
        let Attempt { began, why, then } = attempt();
        counters.hang_up();
        if began == Began::Yes && tried.elapsed() > WELL {
            backoff.worked();
            failures.worked();
        }
        // A stream that had begun says itself why it ended, and so does the show.
        if began == Began::No && !reporter.is_stopping() {
            match then {
                Then::Nothing => reporter.event(Level::Warn, "line-error", why),
                Then::Again => {
                    failures.happened(&format!("{why}; it is tried again"), reporter);
                }
                Then::Elsewhere => {}
            }
        }
        if then != Then::Again {
            return;
        }
        reporter.wait(backoff.failed(roll()).as_duration());
    }
}

/// As [`until_over`], each attempt with a runtime for what waits in it. For a thread of its own.
pub(crate) fn until_over_with_runtime(intake: &Intake, mut attempt: impl FnMut(&Runtime) -> Attempt) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("no runtime for it: {error}");
            return intake.reporter.event(Level::Alarm, "line-error", message);
        }
    };
    until_over(intake, || attempt(&runtime));
    // A name that is still looked up must not hold up the show's end.
    runtime.shutdown_background();
}
