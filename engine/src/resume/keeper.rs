//! Keeps the state of a running show: when something has changed, not too often, and beside the tick.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use media::{Span, Time};
use pipeline_dsl as dsl;

use super::{KeptShow, StateFile};
use crate::event::Level;
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
    file: StateFile,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The show as it runs.
    pub(crate) show: Arc<dsl::Show>,
    change: Change,
    kept: Option<Time>,
    beaten: Option<Time>,
}

impl Keeper {
    /// Begins to keep this show.
    pub(crate) fn begin(file: StateFile, show: dsl::Show, reporter: Reporter) -> Result<Self, StartError> {
        let (jobs, asked) = bounded(1);
        let name = "state".to_owned();
        let writes = file.clone();
        let work = move || write(&writes, &asked, &reporter);
        let thread = std::thread::Builder::new().name(name.clone()).spawn(work);
        let thread = thread.map_err(|source| StartError::Thread { name, source })?;
        Ok(Self {
            file,
            jobs: Some(jobs),
            thread: Some(thread),
            show: Arc::new(show),
            change: Change::Some,
            kept: None,
            beaten: None,
        })
    }

    /// Something is wanted otherwise than before.
    pub(crate) fn touch(&mut self) {
        self.change = Change::Some;
    }

    /// Whether the show is to be kept as it is at `now`; if not, a sign of life may be due.
    pub(crate) fn is_due(&mut self, now: Time) -> bool {
        let Some(jobs) = &self.jobs else { return false };
        let passed = |since: Option<Time>, least| since.is_none_or(|since| now - since >= least);
        let changed = self.change == Change::Some && passed(self.kept, SOONEST);
        if (changed || passed(self.kept, LATEST)) && jobs.is_empty() {
            return true;
        }
        if passed(self.beaten, BEAT) && jobs.try_send(Job::Beat).is_ok() {
            self.beaten = Some(now);
        }
        false
    }

    /// Keeps it.
    pub(crate) fn keep(&mut self, now: Time, kept: KeptShow) {
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Job::Keep(Box::new(kept))).is_ok());
        if sent {
            (self.kept, self.beaten, self.change) = (Some(now), Some(now), Change::None);
        }
    }

    /// The show is over. Of one that ended as it should nothing stays.
    pub(crate) fn end(mut self, parting: Parting, reporter: &Reporter) {
        self.join();
        if parting == Parting::Ended
            && let Err(error) = self.file.remove()
        {
            let path = self.file.path().display();
            let message = format!("{path}: {error}: it cannot be taken away, and will be found again");
            reporter.event(Level::Warn, "state-failed", message);
        }
    }

    fn join(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
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

fn write(file: &StateFile, jobs: &Receiver<Job>, reporter: &Reporter) {
    let mut disk = Disk::Takes;
    let path = file.path().display();
    for job in jobs {
        let Job::Keep(kept) = job else {
            file.touch();
            continue;
        };
        match (file.write(&kept), disk) {
            (Ok(()), Disk::Takes) | (Err(_), Disk::Refuses) => {}
            (Ok(()), Disk::Refuses) => {
                disk = Disk::Takes;
                reporter.event(Level::Info, "state-kept", format!("{path}: the show's state is kept again"));
            }
            (Err(error), Disk::Takes) => {
                disk = Disk::Refuses;
                let message = format!(
                    "{path}: {error}: the show's state is not kept, and an engine that dies now goes on \
                     from what was kept last, if anything was"
                );
                reporter.event(Level::Warn, "state-failed", message);
            }
        }
    }
}
