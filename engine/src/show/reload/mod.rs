//! The show file changed on air: read, checked, what is new opened, and then the difference
//! applied at one tick. What is in both shows stays the same line, sink, feed and encryptor.
//!
//! All that takes time, and all that may fail, happens on the caller's thread and before the
//! tick. Threads of what is opened wait at a gate; if anything is wrong, they end there, and
//! nothing has changed. What is on air is not taken away: that is refused with what to do first.

mod apply;
mod file;
mod look;
mod open;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use media::Time;
use pipeline_dsl as dsl;
use pipeline_dsl::{Difference, Step};

use crate::channel::making::Making;
use crate::channel::marks::Marks;
use crate::channel::outlets::Outlet;
use crate::channel::renew::NewLadder;
use crate::channel::{Channel, RungHandle};
use crate::command::{Ack, Command, Memory, Outcome, Problem, Refused};
use crate::egress::play::Program;
use crate::event::Level;
use crate::handle::{ViewerFeed, Viewers};
use crate::ingest::Line;
use crate::ingest::door::RtmpDoor;
use crate::ingest::together::Together;
use crate::keys::ChannelKeys;
use crate::options::{Mode, ShowFile};
use crate::reporter::Reporter;
use crate::show::cameras::CameraRun;
use crate::start::{Begun, Gate, Place};
pub(crate) use file::OnDisk;
use open::Opened;

/// The word for a reload that only says what it would do.
const DRY_RUN: &str = "dry-run";
/// Problems of a show file that an answer lists.
const MOST_PROBLEMS: usize = 20;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The show file, for a show that was started from one.
pub(crate) fn on_disk(file: Option<ShowFile>) -> Arc<Mutex<Option<OnDisk>>> {
    Arc::new(Mutex::new(file.map(OnDisk::new)))
}

/// What a reload starts from.
pub(crate) struct Standing {
    pub(crate) show: dsl::Show,
    pub(crate) place: Place,
    pub(crate) file: Arc<Mutex<Option<OnDisk>>>,
    pub(crate) together: Arc<Together>,
    pub(crate) channels: Vec<StandingChannel>,
    pub(crate) door: Arc<Mutex<Option<RtmpDoor>>>,
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) to_show: Sender<Box<Arranged>>,
}

/// A channel that runs.
pub(crate) struct StandingChannel {
    pub(crate) name: String,
    pub(crate) rungs: Vec<RungHandle>,
    pub(crate) making: Arc<Making>,
}

impl StandingChannel {
    pub(crate) fn of(channel: &Channel) -> Self {
        let (name, rungs) = (channel.name.clone(), channel.rungs.clone());
        Self { name, rungs, making: Arc::clone(&channel.making) }
    }
}

/// Changes a running show; one change at a time.
pub(crate) struct Reloader {
    standing: Mutex<(Standing, Memory)>,
    on_disk: Arc<Mutex<Option<OnDisk>>>,
    reporter: Reporter,
}

/// Whether something is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Look,
    Apply,
}

/// A changed show, opened and ready for its tick.
pub(crate) struct Arranged {
    pub(crate) purpose: Purpose,
    pub(crate) old: dsl::Show,
    pub(crate) show: dsl::Show,
    pub(crate) difference: Difference,
    /// New lines by camera.
    pub(crate) lines: Vec<(String, Line)>,
    /// New fillers, each a line.
    pub(crate) fillers: Vec<(String, Line)>,
    pub(crate) channels: Vec<OpenedChannel>,
    /// Of the lines.
    pub(crate) threads: Vec<JoinHandle<()>>,
    gate: Arc<Gate>,
    begun: Arc<Begun>,
    answer: Sender<Verdict>,
}

/// What was opened for a channel.
#[derive(Default)]
pub(crate) struct OpenedChannel {
    pub(crate) name: String,
    /// All its watermarks, if they are others.
    pub(crate) marks: Option<Marks>,
    pub(crate) outlets: Vec<Outlet>,
    /// Of the outlets.
    pub(crate) threads: Vec<JoinHandle<()>>,
    /// A longer ring.
    pub(crate) keys: Option<ChannelKeys>,
    /// Another ladder.
    pub(crate) ladder: Option<NewLadder>,
}

/// What the show's thread says. What it did not take, or has no use for, is let go by the caller:
/// the tick has no time for that.
pub(crate) enum Verdict {
    /// It could be done, or it is.
    Done {
        applied: Applied,
        gone: Vec<CameraRun>,
    },
    Refused(Refused, Box<Arranged>),
}

/// From when on the show is another one.
#[derive(Clone, Copy)]
pub(crate) struct Applied {
    pub(crate) revision: u64,
    pub(crate) show_revision: u64,
    pub(crate) frame: u64,
    pub(crate) at: Time,
}

impl Arranged {
    /// It is part of the show from `now` on: its threads begin.
    pub(crate) fn begin(&self, now: Time) {
        self.begun.set();
        self.gate.open(now);
    }
}

/// Nobody took it: what waits at the gate goes home.
impl Drop for Arranged {
    fn drop(&mut self) {
        self.gate.shut();
    }
}

impl Reloader {
    pub(crate) fn new(standing: Standing) -> Self {
        let reporter = standing.place.reporter.of("show");
        let on_disk = Arc::clone(&standing.file);
        Self { standing: Mutex::new((standing, Memory::default())), on_disk, reporter }
    }

    fn lock(&self) -> MutexGuard<'_, (Standing, Memory)> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells if the show file is another one than it was when it was read, once for each change.
    pub(crate) fn look_at_file(&self) {
        if lock(&self.on_disk).as_mut().is_some_and(OnDisk::has_changed) {
            let message = "the show file has changed on disk: `reload` applies it";
            self.reporter.event(Level::Info, "show-file-changed", message);
        }
    }

    /// Carries a `reload` out, or says what it would do.
    pub(crate) fn reload(&self, command: &Command) -> Outcome {
        command.check_id()?;
        let mut locked = self.lock();
        let (standing, memory) = &mut *locked;
        if let Some(outcome) = memory.recall(command.id.as_deref()) {
            return outcome;
        }
        let outcome = standing.reload(command);
        self.tell(command, &outcome);
        memory.keep(command.id.as_deref(), &outcome);
        outcome
    }

    /// For a rehearsal, whose show's thread does all of it itself: everything up to the tick.
    pub(crate) fn arrange(&self, command: &Command) -> Result<(Box<Arranged>, Rest), Refused> {
        let (arranged, rest, _) = self.lock().0.arrange(command)?;
        Ok((arranged, rest))
    }

    /// And what is left to do when the show has had its say.
    pub(crate) fn conclude(&self, command: &Command, came: Result<(Rest, Verdict), Refused>) -> Outcome {
        let outcome = came.and_then(|(rest, verdict)| self.lock().0.conclude(command, rest, verdict));
        self.tell(command, &outcome);
        outcome
    }

    fn tell(&self, command: &Command, outcome: &Outcome) {
        if let (Err(refused), None) = (outcome, &command.state) {
            let first = refused
                .problems
                .first()
                .map_or_else(String::new, |problem| format!(": line {}: {}", problem.line, problem.message));
            self.reporter.event(
                Level::Warn,
                "reload-refused",
                format!("{}{first}; nothing has changed", refused.message),
            );
        }
    }
}

/// What is to be done for a reload once the show's thread has had its say.
pub(crate) struct Rest {
    show: dsl::Show,
    steps: Vec<String>,
    opened: Option<Opened>,
    feeds: Vec<Arc<ViewerFeed>>,
    programs: Vec<(String, Program)>,
    rungs: Vec<(String, Vec<RungHandle>)>,
}

fn over() -> Refused {
    Refused::new("ended", "the show is over", &[])
}

impl Standing {
    fn reload(&mut self, command: &Command) -> Outcome {
        let (arranged, rest, said) = self.arrange(command)?;
        self.to_show.try_send(arranged).map_err(|error| match error {
            TrySendError::Full(_) => Refused::new("busy", "another reload waits for its tick", &[]),
            TrySendError::Disconnected(_) => over(),
        })?;
        // If nobody says anything, the show's thread took it with it.
        let verdict = said.recv().map_err(|_| over())?;
        self.conclude(command, rest, verdict)
    }

    /// Opens what is new; what the show's thread is to take, and where it answers.
    fn arrange(&self, command: &Command) -> Result<(Box<Arranged>, Rest, Receiver<Verdict>), Refused> {
        let purpose = match command.state.as_deref() {
            None => Purpose::Apply,
            Some(DRY_RUN) => Purpose::Look,
            Some(other) => {
                return Err(Refused::new("bad-state", format!("`state` is {other:?}"), &[DRY_RUN]));
            }
        };
        if self.place.mode == Mode::Offline && self.place.life.is_none() {
            return Err(Refused::new("offline", "an offline show runs as it was started", &[]));
        }
        let text = self.text(command)?;
        let (show, difference) = self.compare(&text)?;
        let steps: Vec<String> = difference.steps.iter().map(Step::to_string).collect();
        let gate = Arc::new(Gate::default());
        let begun = Arc::new(Begun::default());
        let (verdict, said) = bounded(1);
        let mut arranged = Box::new(Arranged {
            purpose,
            old: self.show.clone(),
            show,
            difference,
            lines: Vec::new(),
            fillers: Vec::new(),
            channels: Vec::new(),
            threads: Vec::new(),
            gate: Arc::clone(&gate),
            begun: Arc::clone(&begun),
            answer: verdict,
        });
        let place = Place { gate, begun, ..self.place.clone() };
        let opened = match purpose {
            Purpose::Look => None,
            Purpose::Apply => Some(self.open(&mut arranged, &place)?),
        };
        let show = arranged.show.clone();
        let mut feeds = Vec::new();
        let mut programs = Vec::new();
        let mut rungs = Vec::new();
        for channel in &arranged.channels {
            rungs.extend(channel.ladder.as_ref().map(|ladder| (channel.name.clone(), ladder.handles())));
            feeds.extend(ViewerFeed::of_outlets(&channel.name, &channel.outlets));
            programs.extend(channel.outlets.iter().filter_map(Outlet::played));
        }
        Ok((arranged, Rest { show, steps, opened, feeds, programs, rungs }, said))
    }

    /// Goes over to what the show's thread has gone over to.
    fn conclude(&mut self, command: &Command, rest: Rest, verdict: Verdict) -> Outcome {
        let applied = match verdict {
            Verdict::Done { applied, gone } => {
                drop(gone);
                applied
            }
            Verdict::Refused(refused, arranged) => {
                drop(arranged);
                return Err(refused);
            }
        };
        let Rest { show, steps, opened, feeds, programs, rungs } = rest;
        if let Some(opened) = opened {
            self.viewers.change(feeds);
            for (name, rungs) in rungs {
                if let Some(channel) = self.channels.iter_mut().find(|channel| channel.name == name) {
                    channel.rungs = rungs;
                }
            }
            self.let_in(opened, programs, &show);
            self.show = show;
        }
        Ok(Ack {
            id: command.id.clone(),
            revision: applied.revision,
            frame: applied.frame,
            t: applied.at.as_secs_f64(),
            on_air: None,
            encrypt: None,
            key_id: None,
            steps: Some(steps),
            show_revision: Some(applied.show_revision),
        })
    }

    /// What the command brings, or the file says now.
    fn text(&self, command: &Command) -> Result<String, Refused> {
        if let Some(text) = &command.file {
            return Ok(text.clone());
        }
        let mut on_disk = lock(&self.file);
        let Some(on_disk) = &mut *on_disk else {
            let message = "the show was not started from a file: send the text of one";
            return Err(Refused::new("missing-file", message, &[]));
        };
        on_disk.read().map_err(|why| {
            let message = format!("the show file {} cannot be read: {why}", on_disk.file.path.display());
            Refused::new("bad-file", message, &[])
        })
    }

    /// The show of a text, and what leads to it.
    fn compare(&self, text: &str) -> Result<(dsl::Show, Difference), Refused> {
        let refuse = |code: &str, what: &str, said: Vec<dsl::Diagnostic>| {
            let errors: Vec<_> = said.iter().filter(|said| said.is_error()).map(Problem::from).collect();
            let count = errors.len();
            let plural = if count == 1 { "" } else { "s" };
            let problems = errors.into_iter().take(MOST_PROBLEMS).collect();
            Refused { problems, ..Refused::new(code, format!("{what}: {count} problem{plural}"), &[]) }
        };
        let checked = dsl::check(text);
        let Some(mut show) = checked.show.clone() else {
            return Err(refuse("bad-show", "the show file does not run", checked.diagnostics));
        };
        // What the show was told otherwise at its start still holds.
        let told = lock(&self.file).as_ref().map(|on_disk| on_disk.file.listen.clone());
        if show.listen == told.unwrap_or_else(|| self.show.listen.clone()) {
            show.listen = self.show.listen.clone();
        }
        let between = |old: &dsl::Show, new: &dsl::Show| {
            Difference::between(old, new).map_err(|fixed| {
                let said = fixed.iter().map(|fixed| fixed.diagnostic(text)).collect();
                refuse("fixed-on-air", "the show cannot be changed so on air", said)
            })
        };
        // In a rehearsal all is smaller: what cannot be changed is seen in its own size.
        let whole = self.place.life.as_ref().and_then(|life| life.whole());
        let old = whole.as_ref().unwrap_or(&self.show);
        let difference = between(old, &show)?;
        let unfit = look::unfit(old, &checked, &self.place.inputs);
        if !unfit.is_empty() {
            return Err(refuse("bad-show", "the show file names what is not to be had", unfit));
        }
        look::sources(&difference)?;
        let Some(life) = &self.place.life else {
            look::ports(&self.show, &difference)?;
            return Ok((show, difference));
        };
        let small = life.small(&show, &self.place.inputs)?;
        let difference = between(&self.show, &small)?;
        Ok((small, difference))
    }
}
