//! Keeps the state of a running show: when something has changed, not too often, and beside the tick.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use media::{Span, Time};
use pipeline_dsl as dsl;

use super::{KeptShow, StateFile};
use crate::event::Level;
use crate::rehearse::life::Life;
use crate::reporter::Reporter;
use crate::start::StartError;

/// What is changed sooner after it was kept last waits for so long.
const SOONEST: Span = Span::from_millis(200);
/// It is kept so often though nothing is changed: fades arrive, alarms and hysteresis count.
const LATEST: Span = Span::from_secs(5);
/// A sign of life is given so often.
const BEAT: Span = Span::from_secs(1);

/// How a show goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Parting {
    /// As it should: nothing is to be gone on from.
    Ended,
    /// All its channels have failed.
    Failed,
}

enum Job {
    Keep(Box<KeptShow>),
    Beat,
}

/// Whether something was changed since the show was kept last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    None,
    Some,
}

/// On the show's thread: hands what is to be kept to the one that writes.
pub(crate) struct Keeper {
    shelf: Shelf,
    /// The show as it runs.
    pub(crate) show: Arc<dsl::Show>,
    change: Change,
    kept: Option<Time>,
    beaten: Option<Time>,
}

/// Who takes what is kept.
enum Shelf {
    /// A thread that writes a file.
    File { file: StateFile, jobs: Option<Sender<Job>>, thread: Option<JoinHandle<()>> },
    /// A rehearsal's disk: it takes everything at once, or refuses it.
    Rehearsed { life: Arc<Life>, telling: Telling },
}

impl Shelf {
    /// Takes something without waiting for anything, if it can.
    fn take(&mut self, job: Job) -> Option<()> {
        match self {
            Self::File { jobs, .. } => jobs.as_ref()?.try_send(job).ok(),
            Self::Rehearsed { life, telling } => {
                match job {
                    Job::Keep(kept) => telling.written(life.keep(*kept)),
                    Job::Beat => life.beat(),
                }
                Some(())
            }
        }
    }

    /// Whether it has done what it took.
    fn is_free(&self) -> bool {
        match self {
            Self::File { jobs, .. } => jobs.as_ref().is_some_and(Sender::is_empty),
            Self::Rehearsed { .. } => true,
        }
    }
}

impl Keeper {
    /// Begins to keep this show.
    pub(crate) fn begin(file: StateFile, show: dsl::Show, reporter: Reporter) -> Result<Self, StartError> {
        let (jobs, asked) = bounded(1);
        let name = "state".to_owned();
        let writes = file.clone();
        let telling = Telling::new(file.path().display().to_string(), reporter);
        let work = move || write(&writes, &asked, telling);
        let thread = std::thread::Builder::new().name(name.clone()).spawn(work);
        let thread = thread.map_err(|source| StartError::Thread { name, source })?;
        Ok(Self::on(Shelf::File { file, jobs: Some(jobs), thread: Some(thread) }, show))
    }

    /// The same in a rehearsal.
    pub(crate) fn rehearsed(life: Arc<Life>, show: dsl::Show, reporter: Reporter) -> Self {
        let telling = Telling::new(format!("{}.state", show.name), reporter);
        Self::on(Shelf::Rehearsed { life, telling }, show)
    }

    fn on(shelf: Shelf, show: dsl::Show) -> Self {
        Self { shelf, show: Arc::new(show), change: Change::Some, kept: None, beaten: None }
    }

    /// Something is wanted otherwise than before.
    pub(crate) fn touch(&mut self) {
        self.change = Change::Some;
    }

    /// Whether the show is to be kept as it is at `now`; if not, a sign of life may be due.
    pub(crate) fn is_due(&mut self, now: Time) -> bool {
        let passed = |since: Option<Time>, least| since.is_none_or(|since| now - since >= least);
        let changed = self.change == Change::Some && passed(self.kept, SOONEST);
        if (changed || passed(self.kept, LATEST)) && self.shelf.is_free() {
            return true;
        }
        if passed(self.beaten, BEAT) && self.shelf.take(Job::Beat).is_some() {
            self.beaten = Some(now);
        }
        false
    }

    /// Keeps it.
    pub(crate) fn keep(&mut self, now: Time, kept: KeptShow) {
        if self.shelf.take(Job::Keep(Box::new(kept))).is_some() {
            (self.kept, self.beaten, self.change) = (Some(now), Some(now), Change::None);
        }
    }

    /// The show is over. Of one that ended as it should nothing stays.
    pub(crate) fn end(mut self, parting: Parting, reporter: &Reporter) {
        self.join();
        if parting == Parting::Ended
            && let Shelf::File { file, .. } = &self.shelf
            && let Err(error) = file.remove()
        {
            let path = file.path().display();
            let message = format!("{path}: {error}: it cannot be taken away, and will be found again");
            reporter.event(Level::Warn, "state-failed", message);
        }
    }

    fn join(&mut self) {
        let Shelf::File { jobs, thread, .. } = &mut self.shelf else { return };
        *jobs = None;
        if let Some(thread) = thread.take() {
            // What it could not write was told.
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.join();
    }
}

/// Whether the disk took it last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Disk {
    Takes,
    Refuses,
}

/// Tells of a disk that takes nothing, and that it does again.
struct Telling {
    path: String,
    reporter: Reporter,
    disk: Disk,
}

impl Telling {
    fn new(path: String, reporter: Reporter) -> Self {
        Self { path, reporter, disk: Disk::Takes }
    }

    fn written(&mut self, came: io::Result<()>) {
        let path = &self.path;
        match (came, self.disk) {
            (Ok(()), Disk::Takes) | (Err(_), Disk::Refuses) => {}
            (Ok(()), Disk::Refuses) => {
                self.disk = Disk::Takes;
                let message = format!("{path}: the show's state is kept again");
                self.reporter.event(Level::Info, "state-kept", message);
            }
            (Err(error), Disk::Takes) => {
                self.disk = Disk::Refuses;
                let message = format!(
                    "{path}: {error}: the show's state is not kept, and an engine that dies now goes on \
                     from what was kept last, if anything was"
                );
                self.reporter.event(Level::Warn, "state-failed", message);
            }
        }
    }
}

fn write(file: &StateFile, jobs: &Receiver<Job>, mut telling: Telling) {
    for job in jobs {
        match job {
            Job::Keep(kept) => telling.written(file.write(&kept)),
            Job::Beat => file.touch(),
        }
    }
}
