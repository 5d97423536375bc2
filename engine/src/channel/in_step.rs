//! Tells when the key frames of a channel's rungs lie apart, and when they are together again.

use std::sync::{Arc, Mutex, PoisonError};

use media::Time;
use scheduling::{Found, RungsInStep};

use crate::event::Level;
use crate::reporter::Reporter;

/// What all rungs of a channel tell their key frames to.
struct InStep {
    rungs: Mutex<RungsInStep>,
    names: Vec<String>,
    reporter: Reporter,
}

/// One rung's part in it. When it is dropped, the rung is waited for no longer.
pub(crate) struct RungInStep {
    all: Arc<InStep>,
    rung: usize,
    course: Course,
}

/// Whether the rung makes key frames at present.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Awake,
    Resting,
}

/// A part for each rung of a channel, in the order of its ladder.
pub(crate) fn parts(names: Vec<String>, reporter: Reporter) -> Vec<RungInStep> {
    let count = names.len();
    let all = Arc::new(InStep { rungs: Mutex::new(RungsInStep::new(count)), names, reporter });
    (0..count).map(|rung| RungInStep { all: Arc::clone(&all), rung, course: Course::Awake }).collect()
}

impl RungInStep {
    /// The rung has a key frame at `pts`.
    pub(crate) fn key(&mut self, pts: Time) {
        let found = match std::mem::replace(&mut self.course, Course::Awake) {
            Course::Awake => self.rungs().key(self.rung, pts),
            Course::Resting => self.rungs().wake(self.rung, pts),
        };
        self.tell(found);
    }

    /// The rung makes no pictures until its next key frame.
    pub(crate) fn rest(&mut self) {
        if std::mem::replace(&mut self.course, Course::Resting) == Course::Awake {
            let found = self.rungs().end(self.rung);
            self.tell(found);
        }
    }

    fn rungs(&self) -> std::sync::MutexGuard<'_, RungsInStep> {
        self.all.rungs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, found: Option<Found>) {
        match found {
            Some(Found::Apart { rung, at }) => {
                let name = self.all.names.get(rung).map_or("", String::as_str);
                let message = format!(
                    "the key frames of rung {name} are not those of the others from {at} on: \
                     players that change rungs will tear"
                );
                self.all.reporter.event(Level::Alarm, "rungs-apart", message);
            }
            Some(Found::Together) => {
                let message = "all rungs have their key frames at the same times again";
                self.all.reporter.event(Level::Info, "rungs-together", message);
            }
            None => {}
        }
    }
}

impl Drop for RungInStep {
    fn drop(&mut self) {
        let found = self.rungs().end(self.rung);
        self.tell(found);
    }
}
