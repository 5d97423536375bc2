//! ISO: a line recorded as it comes, whatever the show makes of it.
//!
//! What arrives is tapped before it is decoded and waits in a queue of its own for the
//! line's recorder, a thread that writes a file for each stream: the second goes to `-2`,
//! so that every file has one timeline, its sender's, and its own headers. A disk that is
//! full or slow costs the recording, never the line.

mod mux;
mod tap;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use pipeline_dsl as dsl;

use crate::channel::outlets::stays_inside;
use crate::egress::EgressMeter;
use crate::egress::queue::{Bound, SinkQueue, WhenFull};
use crate::egress::record::{Codes, Recorder};
use crate::event::Level;
use crate::ingest::again::GLANCE;
use crate::ingest::iso::tap::Tap;
use crate::keys;
use crate::options::Mode;
use crate::report::{EgressState, RecordingReport};
use crate::reporter::Reporter;
use crate::start::{Begun, Place, StartError};

pub(crate) use tap::Tap as IsoTap;

/// What may wait of one stream for the disk: about a minute at 8 Mbit/s. Time is no bound: the
/// sender's stamps may jump as they like.
const WAITING_BYTES: usize = 64 << 20;
/// Streams that may wait behind the one that is written.
const WAITING_STREAMS: usize = 2;

const CODES: Codes = Codes { failed: "iso-failed", behind: "iso-behind" };

/// What is known of a line's recording, and what ends it.
pub(crate) struct Recording {
    meter: EgressMeter,
    /// Files begun, and files that could not be made or finished.
    files: AtomicU64,
    failures: AtomicU64,
    newest: Mutex<Option<String>>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    queues: Vec<Arc<SinkQueue>>,
    show: Show,
}

#[derive(Default, PartialEq, Eq)]
enum Show {
    #[default]
    Runs,
    Over,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    fn new() -> Self {
        let meter = EgressMeter::default();
        meter.set(EgressState::Connecting);
        Self {
            meter,
            files: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            newest: Mutex::new(None),
            open: Mutex::new(Open::default()),
        }
    }

    /// The show is over: what waits is still written.
    pub(crate) fn close(&self) {
        let mut open = lock(&self.open);
        open.show = Show::Over;
        open.queues.drain(..).for_each(|queue| queue.close());
    }

    pub(crate) fn report(&self) -> RecordingReport {
        RecordingReport {
            file: lock(&self.newest).clone(),
            files: self.files.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            state: self.meter.state(),
            bytes: self.meter.bytes(),
            dropped_frames: self.meter.dropped_frames(),
        }
    }
}

/// The intake's end of a line's recording.
pub(crate) struct Iso {
    streams: Sender<Arc<SinkQueue>>,
    recording: Arc<Recording>,
    reporter: Reporter,
    when_full: WhenFull,
}

impl Iso {
    /// What a stream that begins here is tapped by; `None` if it cannot be recorded.
    pub(crate) fn begin(&self) -> Option<Tap> {
        let bound = Bound { millis: i32::MAX, bytes: WAITING_BYTES, when_full: self.when_full };
        let queue = Arc::new(SinkQueue::whole(bound));
        let mut open = lock(&self.recording.open);
        if open.show == Show::Over {
            return None;
        }
        if self.streams.try_send(Arc::clone(&queue)).is_err() {
            let message =
                "the disk is too slow: earlier streams still wait for it, and this one is not recorded";
            self.recording.failures.fetch_add(1, Ordering::Relaxed);
            self.reporter.event(Level::Alarm, CODES.failed, message);
            return None;
        }
        open.queues.retain(|queue| !queue.is_closed());
        open.queues.push(Arc::clone(&queue));
        Some(Tap::new(queue, self.reporter.clone()))
    }
}

/// The recorder's own end, for a thread.
pub(crate) struct IsoRecorder {
    path: PathBuf,
    streams: Receiver<Arc<SinkQueue>>,
    recording: Arc<Recording>,
    reporter: Reporter,
    begun: Arc<Begun>,
}

impl IsoRecorder {
    /// Writes stream after stream until no more can come.
    pub(crate) fn run(self) {
        loop {
            match self.streams.recv_timeout(GLANCE) {
                Ok(queue) => {
                    // A stream that brings nothing makes no file.
                    if queue.wait_for_first() {
                        self.record(&queue);
                    }
                    queue.close();
                }
                Err(RecvTimeoutError::Timeout) if lock(&self.recording.open).show == Show::Runs => {}
                Err(_) => break,
            }
        }
        if self.recording.meter.state() != EgressState::Failed {
            self.recording.meter.set(EgressState::Closed);
        }
    }

    fn record(&self, queue: &Arc<SinkQueue>) {
        let meter = &self.recording.meter;
        let failed = || _ = self.recording.failures.fetch_add(1, Ordering::Relaxed);
        let recorder = match Recorder::create(&self.path, Arc::clone(&self.begun)) {
            Ok(recorder) => recorder.of_received(),
            Err(error) => {
                failed();
                meter.set(EgressState::Failed);
                let message = format!("{}: cannot be created: {error}", self.path.display());
                return self.reporter.event(Level::Alarm, CODES.failed, message);
            }
        };
        let file = recorder.path().display().to_string();
        *lock(&self.recording.newest) = Some(file.clone());
        self.recording.files.fetch_add(1, Ordering::Relaxed);
        meter.set(EgressState::Live);
        self.reporter.event(Level::Info, "iso-started", format!("recording to {file}"));
        let before = meter.bytes();
        recorder.run(queue, meter, &self.reporter, &CODES);
        if meter.state() == EgressState::Failed {
            return failed();
        }
        let bytes = meter.bytes() - before;
        self.reporter.event(Level::Info, "iso-closed", format!("{file} is closed: {bytes} bytes of tags"));
        meter.set(EgressState::Connecting);
    }
}

/// Where a line is recorded, from what the show says.
fn path(place: &Place, camera: &str, line: &dsl::Line, text: &dsl::Text) -> Result<PathBuf, StartError> {
    let subject = format!("{camera}/{}", line.name);
    let bad = |message: String| StartError::Line { subject: subject.clone(), message };
    if let Some(why) = line.input.unrecordable() {
        return Err(bad(format!("cannot be recorded: {why}")));
    }
    let filled = dsl::expand_line(&keys::text(text, &subject)?, camera, &line.name);
    let path = Path::new(&filled);
    let is_flv = path.extension().is_some_and(|extension| extension == "flv");
    if !stays_inside(path) || !is_flv {
        return Err(bad(format!(
            "is recorded to {filled:?}: legal are `.flv` files below the output folder, without `..`"
        )));
    }
    Ok(place.out.join(path))
}

/// Sets up the recording a line asks for: what its intake taps with, and what is to run on a thread.
pub(crate) fn set_up(
    place: &Place,
    camera: &str,
    line: &dsl::Line,
    text: &dsl::Text,
) -> Result<(Iso, IsoRecorder, Arc<Recording>), StartError> {
    let path = path(place, camera, line, text)?;
    let (to_recorder, streams) = bounded(WAITING_STREAMS);
    let recording = Arc::new(Recording::new());
    let reporter = place.reporter.of(format!("{camera}/{}", line.name));
    let when_full = match place.mode {
        Mode::RealTime => WhenFull::Drop,
        Mode::Offline => WhenFull::Wait,
    };
    let recorder = IsoRecorder {
        path,
        streams,
        recording: Arc::clone(&recording),
        reporter: reporter.clone(),
        begun: Arc::clone(&place.begun),
    };
    let iso = Iso { streams: to_recorder, recording: Arc::clone(&recording), reporter, when_full };
    Ok((iso, recorder, recording))
}
