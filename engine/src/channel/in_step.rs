//! Tells when the key frames of a channel's rungs lie apart, and when they are together again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::Time;
use scheduling::{Found, RungsInStep};

use crate::event::Level;
use crate::reporter::Reporter;

/// What all rungs of a channel tell their key frames to.
pub(crate) struct InStep {
    watched: Mutex<Watched>,
    reporter: Reporter,
}

struct Watched {
    rungs: RungsInStep,
    /// By their numbers; none of a rung that has gone.
    names: Vec<Option<String>>,
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

impl InStep {
    /// For a channel, and a part for each rung that it begins with.
    pub(crate) fn new(names: Vec<String>, reporter: Reporter) -> (Arc<Self>, Vec<RungInStep>) {
        let (rungs, count) = (RungsInStep::new(names.len()), names.len());
        let names = names.into_iter().map(Some).collect();
        let all = Arc::new(Self { watched: Mutex::new(Watched { rungs, names }), reporter });
        let part = |rung| RungInStep { all: Arc::clone(&all), rung, course: Course::Awake };
        let parts = (0..count).map(part).collect();
        (all, parts)
    }

    /// A part for a rung that comes later, which counts from its first key frame on.
    pub(crate) fn join(self: &Arc<Self>, name: &str) -> RungInStep {
        let mut watched = self.watched();
        let Watched { rungs, names } = &mut *watched;
        let free = names.iter().position(Option::is_none);
        let rung = free.unwrap_or_else(|| {
            names.push(None);
            rungs.join()
        });
        if let Some(slot) = names.get_mut(rung) {
            *slot = Some(name.to_owned());
        }
        RungInStep { all: Arc::clone(self), rung, course: Course::Resting }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RungInStep {
    /// The rung has a key frame at `pts`.
    pub(crate) fn key(&mut self, pts: Time) {
        let rung = self.rung;
        match std::mem::replace(&mut self.course, Course::Awake) {
            Course::Awake => self.tell(|rungs| rungs.key(rung, pts)),
            Course::Resting => self.tell(|rungs| rungs.wake(rung, pts)),
        }
    }

    /// The rung makes no pictures until its next key frame.
    pub(crate) fn rest(&mut self) {
        if std::mem::replace(&mut self.course, Course::Resting) == Course::Awake {
            let rung = self.rung;
            self.tell(|rungs| rungs.end(rung));
        }
    }

    fn tell(&self, what: impl FnOnce(&mut RungsInStep) -> Option<Found>) {
        let mut watched = self.all.watched();
        match what(&mut watched.rungs) {
            Some(Found::Apart { rung, at }) => {
                let name = watched.names.get(rung).and_then(Option::as_deref).unwrap_or_default();
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
        let rung = self.rung;
        self.tell(|rungs| rungs.end(rung));
        if let Some(name) = self.all.watched().names.get_mut(rung) {
            *name = None;
        }
    }
}
