//! Before the first tick: everything is resolved and opened, or the show does not start.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use codecs::{CodecKit, Turns};
use media::Time;

use crate::ingest::source::Sources;
use crate::keys::ResolveError;
use crate::options::Mode;
use crate::rehearse::life::Life;
use crate::reporter::Reporter;

/// Why a show does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It names something that is not to be had.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A channel that cannot run.
    #[error("channel {channel}: {message}")]
    Channel {
        /// Its name.
        channel: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A camera that cannot be set up.
    #[error("{subject}: {message}")]
    Line {
        /// The line or filler.
        subject: String,
        /// What is wrong.
        message: String,
    },
    /// A line names a source that nobody has registered, or that an earlier show has taken.
    #[error("{subject}: no source `{name}` is registered; {}", registered_shown(registered))]
    Source {
        /// The line.
        subject: String,
        /// The name it gives.
        name: String,
        /// Those that are registered, also for other lines.
        registered: Vec<String>,
    },
    /// A line says `source NAME` of one that has gone to another line, or to another show.
    #[error("{subject}: the source `{name}` is taken: each goes to one line of one show, register it anew")]
    SourceTaken {
        /// The line.
        subject: String,
        /// The name it gives.
        name: String,
    },
    /// The RTMP port cannot be had.
    #[error(
        "RTMP cannot listen on {addr}: {source}; another address: --rtmp ADDR or `listen {{ rtmp \"…\" }}`"
    )]
    Rtmp {
        /// The address.
        addr: std::net::SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// The port of RTMP inside TLS cannot be had.
    #[error("RTMPS cannot listen on {addr}: {source}; another address: `listen {{ rtmps \"…\" … }}`")]
    Rtmps {
        /// The address.
        addr: std::net::SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// Offline needs an end.
    #[error("an offline show must end: give its rundown an `end`, or --for DUR")]
    Endless,
    /// Live lines and live egress have no place in virtual time.
    #[error("{subject} is live, and an offline show has no live {what}: leave it out or run in real time")]
    LiveOffline {
        /// The line or egress.
        subject: String,
        /// `line` or `egress`.
        what: &'static str,
    },
    /// The scheduler does not take the channel.
    #[error("channel {channel}: {source}")]
    Plan {
        /// Its name.
        channel: String,
        /// Why.
        source: scheduling::PlanError,
    },
    /// The system gives no thread.
    #[error("no thread for {name}: {source}")]
    Thread {
        /// What it was for.
        name: String,
        /// The system's word.
        source: std::io::Error,
    },
}

fn registered_shown(names: &[String]) -> String {
    match names {
        [] => "there is none: sources come from a program that embeds the engine".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    }
}

/// What every part of a show is set up with.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) kit: Arc<dyn CodecKit>,
    pub(crate) mode: Mode,
    pub(crate) inputs: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) rtmp: rtmp::session::Timeouts,
    pub(crate) sources: Sources,
    pub(crate) reporter: Reporter,
    pub(crate) begun: Arc<Begun>,
    /// There in a rehearsal only: whoever would stand at the other ends.
    pub(crate) life: Option<Arc<Life>>,
    pub(crate) gate: Arc<Gate>,
}

/// Whether the show has got as far as its own thread: until then all that was made for it is taken back.
#[derive(Debug, Default)]
pub(crate) struct Begun(AtomicBool);

impl Begun {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What is opened for a show that runs waits here until it belongs to it, or never will.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    moved: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum GateState {
    #[default]
    Waiting,
    /// Since this show time.
    Open(Time),
    /// Nothing comes of it.
    Shut,
}

impl Gate {
    /// For what is opened before the first tick of a show that begins, or goes on, at this time.
    pub(crate) fn opened(at: Time) -> Self {
        Self { state: Mutex::new(GateState::Open(at)), moved: Condvar::new() }
    }
    fn set(&self, to: GateState) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == GateState::Waiting {
            *state = to;
        }
        drop(state);
        self.moved.notify_all();
    }
    /// It is part of the show from `now` on.
    pub(crate) fn open(&self, now: Time) {
        self.set(GateState::Open(now));
    }
    /// It never will be.
    pub(crate) fn shut(&self) {
        self.set(GateState::Shut);
    }
    /// Waits, and tells since when it is open; `None` if it is not and never will be.
    pub(crate) fn pass(&self) -> Option<Time> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut GateState| *state == GateState::Waiting;
        let state = self.moved.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        match *state {
            GateState::Open(since) => Some(since),
            GateState::Waiting | GateState::Shut => None,
        }
    }
}

impl Place {
    /// Which of the show's threads go first.
    pub(crate) const fn turns(&self) -> Turns {
        match self.mode {
            Mode::RealTime => Turns::Even,
            Mode::Offline => Turns::LargestFirst,
        }
    }

    /// A named thread, which begins when the gate is open. It goes behind where others go first.
    pub(crate) fn spawn(
        &self,
        name: String,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, StartError> {
        let turns = self.turns();
        let work = move || {
            turns.step_back();
            work();
        };
        self.spawn_abreast(name, work)
    }

    /// The same for work that starts what the process shares, and is to step back by itself after that.
    pub(crate) fn spawn_abreast(
        &self,
        name: String,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, StartError> {
        // The kernel shows 15 bytes of a name.
        let builder = std::thread::Builder::new().name(name.clone());
        let gate = Arc::clone(&self.gate);
        let work = move || {
            if gate.pass().is_some() {
                work();
            }
        };
        builder.spawn(work).map_err(|source| StartError::Thread { name, source })
    }
}
