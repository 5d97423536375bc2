//! ISO: a line recorded as it comes, whatever the show makes of it.
//!
//! What arrives is tapped before it is decoded and waits in a queue of its own for the
//! line's recorder, a thread that writes a file for each stream: the second goes to `-2`,
//! so that every file has one timeline, its sender's, and its own headers. A disk that is
//! full or slow costs the recording, never the line: with a back-off it is tried again, and
//! where there is room again a new file goes on at a key frame.

pub(crate) mod mux;
mod tap;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use media::Span;
use pipeline_dsl as dsl;
use scheduling::Backoff;

use crate::channel::outlets::stays_inside;
use crate::egress::EgressMeter;
use crate::egress::queue::{Bound, Item, Role, SinkQueue, WhenFull};
use crate::egress::record::{Codes, Heads, Recorder};
use crate::event::Level;
use crate::ingest::again::{GLANCE, WELL};
use crate::ingest::iso::tap::Tap;
use crate::keys;
use crate::options::Mode;
use crate::report::{EgressState, RecordingReport};
use crate::reporter::{Reporter, roll};
use crate::seldom::{Measure, Seldom};
use crate::start::{Begun, Place, StartError};

pub(crate) use tap::Tap as IsoTap;

/// What may wait of one stream for the disk: about a minute at 8 Mbit/s. Time is no bound: the
/// sender's stamps may jump as they like.
const WAITING_BYTES: usize = 64 << 20;
/// Streams that may wait behind the one that is written.
const WAITING_STREAMS: usize = 2;

/// How long a disk that failed is left alone.
const FIRST_WAIT: Span = Span::from_millis(500);
const LONGEST_WAIT: Span = Span::from_secs(30);

const CODES: Codes = Codes { failed: "iso-failed", behind: "iso-behind" };

/// What is known of a line's recording, and what ends it.
pub(crate) struct Recording {
    meter: EgressMeter,
    /// Files begun, and files that could not be made or finished.
    files: AtomicU64,
    failures: AtomicU64,
    newest: Mutex<Option<String>>,
    open: Mutex<Open>,
    /// That streams are not recorded, since earlier ones still wait.
    left_out: Seldom,
    /// Whether it was told that something is not recorded, and nothing since.
    is_missed: AtomicBool,
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
            left_out: Seldom::new(CODES.failed, Level::Alarm, Measure::STRANGERS),
            is_missed: AtomicBool::new(false),
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
            self.recording.is_missed.store(true, Ordering::Relaxed);
            self.recording.left_out.happened(message, &self.reporter);
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
    /// A sender that comes again and again finds the same disk full.
    failures: Seldom,
    /// How many recordings failed since the last that did not.
    in_a_row: u64,
    backoff: Backoff,
}

impl IsoRecorder {
    fn new(
        path: PathBuf,
        streams: Receiver<Arc<SinkQueue>>,
        recording: Arc<Recording>,
        reporter: Reporter,
        begun: Arc<Begun>,
    ) -> Self {
        Self {
            path,
            streams,
            recording,
            reporter,
            begun,
            failures: Seldom::new(CODES.failed, Level::Alarm, Measure::FAILURES),
            in_a_row: 0,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
        }
    }

    /// Writes stream after stream until no more can come.
    pub(crate) fn run(mut self) {
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
        if lock(&self.recording.open).show == Show::Over && !self.reporter.is_stopping() {
            self.let_go();
        }
    }

    /// The line was taken away, and the show goes on: what was told of its recording is over.
    fn let_go(&self) {
        if self.is_missed_no_more() {
            let message = "it is no longer missed: the show goes on without the line";
            self.reporter.event(Level::Info, "iso-started", message);
        }
    }

    /// Nothing is told of failures from here on that were before; whether any was.
    fn is_missed_no_more(&self) -> bool {
        self.failures.over();
        self.recording.left_out.over();
        self.recording.is_missed.swap(false, Ordering::Relaxed)
    }

    fn failed(&mut self, why: &str) {
        self.recording.failures.fetch_add(1, Ordering::Relaxed);
        self.recording.meter.set(EgressState::Failed);
        self.in_a_row += 1;
        self.recording.is_missed.store(true, Ordering::Relaxed);
        self.failures.happened(why, &self.reporter);
    }

    /// Writes a stream, in as many files as it takes.
    fn record(&mut self, queue: &Arc<SinkQueue>) {
        let (mut opening, mut heads) = (Vec::new(), Heads::default());
        loop {
            match self.write(&opening, &mut heads, queue) {
                Ok(()) => return,
                Err(why) => self.failed(&why),
            }
            match self.next_chance(&mut heads, queue) {
                Some(key) => opening = heads.before(key),
                None => return,
            }
        }
    }

    /// Passes over what comes until the disk may be tried again, and then up to a key frame;
    /// `None` at the stream's end.
    fn next_chance(&mut self, heads: &mut Heads, queue: &Arc<SinkQueue>) -> Option<Item> {
        let (failed, wait) = (Instant::now(), self.backoff.failed(roll()).as_duration());
        while let Some(item) = queue.pop_blocking() {
            heads.note(&item);
            match item.role {
                Role::Key if failed.elapsed() >= wait => return Some(item),
                Role::Key | Role::Delta => self.recording.meter.dropped(1),
                Role::Header | Role::Sound => {}
            }
        }
        None
    }

    fn write(&mut self, opening: &[Item], heads: &mut Heads, queue: &Arc<SinkQueue>) -> Result<(), String> {
        let (recording, tried) = (Arc::clone(&self.recording), Instant::now());
        let (meter, before) = (&recording.meter, recording.meter.bytes());
        let pictures = opening.iter().filter(|item| item.role == Role::Key).count() as u64;
        let recorder = Recorder::create(&self.path, Arc::clone(&self.begun))
            .map_err(|e| e.to_string())
            .and_then(|recorder| recorder.of_received().begun_with(opening, meter))
            .inspect_err(|_| meter.dropped(pictures))?;
        let file = recorder.path().display().to_string();
        *lock(&self.recording.newest) = Some(file.clone());
        self.recording.files.fetch_add(1, Ordering::Relaxed);
        meter.set(EgressState::Live);
        let after = match self.in_a_row {
            0 => String::new(),
            n => format!(", after {n} that failed"),
        };
        self.is_missed_no_more();
        self.reporter.event(Level::Info, "iso-started", format!("recording to {file}{after}"));
        let ended = recorder.run_on(heads, queue, meter, &self.reporter, &CODES);
        if ended.is_ok() || tried.elapsed() > WELL {
            // The end of one that held is news.
            self.failures.worked();
            self.backoff.worked();
            self.in_a_row = 0;
        }
        ended?;
        let bytes = meter.bytes() - before;
        self.reporter.event(Level::Info, "iso-closed", format!("{file} is closed: {bytes} bytes of tags"));
        meter.set(EgressState::Connecting);
        Ok(())
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
    let begun = Arc::clone(&place.begun);
    let recorder = IsoRecorder::new(path, streams, Arc::clone(&recording), reporter.clone(), begun);
    let iso = Iso { streams: to_recorder, recording: Arc::clone(&recording), reporter, when_full };
    Ok((iso, recorder, recording))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use media::Time;

    struct Bench {
        dir: tempfile::TempDir,
        log: Arc<EventLog>,
        recorder: IsoRecorder,
        to_recorder: Sender<Arc<SinkQueue>>,
    }

    /// A recorder of a show that runs, onto this file of a folder of its own.
    fn bench(path: &str) -> Bench {
        let (dir, log) = (tempfile::tempdir().unwrap(), Arc::new(EventLog::new()));
        let clock = Arc::new(VirtualClock::default());
        let reporter = Reporter::new(clock, Arc::clone(&log), Arc::new(Stop::default()));
        let begun = Arc::new(Begun::default());
        begun.set();
        let (to_recorder, streams) = bounded(1);
        let recording = Arc::new(Recording::new());
        let recorder = IsoRecorder::new(dir.path().join(path), streams, recording, reporter, begun);
        Bench { dir, log, recorder, to_recorder }
    }

    #[test]
    fn a_disk_that_fails_again_and_again_is_told_once_and_when_it_works() {
        let Bench { dir, log, mut recorder, .. } = bench("iso/bb.flv");
        let mut streams = |count: usize| {
            for _ in 0..count {
                let bound = Bound { millis: 1, bytes: 1, when_full: WhenFull::Drop };
                let queue = Arc::new(SinkQueue::whole(bound));
                queue.close();
                recorder.record(&queue);
            }
            recorder.recording.failures.load(Ordering::Relaxed)
        };
        // Where its folder should be is a file.
        std::fs::write(dir.path().join("iso"), []).unwrap();
        assert_eq!(streams(5), 5);
        std::fs::remove_file(dir.path().join("iso")).unwrap();
        assert_eq!(streams(1), 5);
        std::fs::remove_dir_all(dir.path().join("iso")).unwrap();
        std::fs::write(dir.path().join("iso"), []).unwrap();
        assert_eq!(streams(5), 10);
        let told: Vec<_> = log.all(Time::ZERO).into_iter().map(|e| (e.code, e.message)).collect();
        let codes: Vec<_> = told.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["iso-failed", "iso-started", "iso-closed", "iso-failed"], "{told:#?}");
        assert!(told[0].1.contains("bb.flv: cannot be created: "), "{told:#?}");
        assert!(told[1].1.ends_with("bb.flv, after 5 that failed"), "{told:#?}");
    }

    /// A folder goes away in mid-stream and is there again: what was written stays, and the stream
    /// goes on in a new file at a key frame, behind its headers.
    #[test]
    fn a_recording_goes_on_at_a_key_frame_once_there_is_room() {
        let Bench { dir, log, mut recorder, to_recorder } = bench("iso/a.flv");
        // It is tried at once.
        recorder.backoff = Backoff::new(Span::ZERO, Span::ZERO);
        let recording = Arc::clone(&recorder.recording);
        let bound = Bound { millis: i32::MAX, bytes: 1 << 20, when_full: WhenFull::Drop };
        let queue = Arc::new(SinkQueue::whole(bound));
        to_recorder.send(Arc::clone(&queue)).unwrap();
        let thread = std::thread::spawn(move || recorder.run());
        let push = |role, kind, ms, byte| {
            let tag = flv::Tag::new(kind, flv::FlvMillis(ms), vec![byte; 500].into()).unwrap();
            queue.push(Item { tag, role });
        };
        use flv::TagKind::{Audio, Script, Video};
        let (path, iso) = (dir.path().join("iso/a.flv"), dir.path().join("iso"));
        let wait = |what: &str, is: &dyn Fn() -> bool| {
            let begun = Instant::now();
            while !is() {
                assert!(begun.elapsed().as_secs() < 20, "waited in vain for {what}");
                std::thread::yield_now();
            }
        };
        let bytes = |count: u64| recording.meter.bytes() == count * 515;
        push(Role::Header, Script, 0, 1);
        push(Role::Header, Video, 0, 2);
        push(Role::Header, Audio, 0, 3);
        push(Role::Key, Video, 0, 4);
        push(Role::Delta, Video, 40, 5);
        wait("five tags on disk", &|| bytes(5));
        let kept = std::fs::read(&path).unwrap();
        // Somebody clears the disk, and leaves a file where the folder was.
        std::fs::rename(&path, dir.path().join("moved.flv")).unwrap();
        std::fs::remove_file(dir.path().join("moved.flv")).unwrap();
        std::fs::remove_dir(&iso).unwrap();
        std::fs::write(&iso, []).unwrap();
        push(Role::Key, Video, 80, 6);
        wait("the failure", &|| recording.failures.load(Ordering::Relaxed) == 1);
        push(Role::Delta, Video, 120, 7);
        push(Role::Key, Video, 160, 8);
        wait("another failure", &|| recording.failures.load(Ordering::Relaxed) == 2);
        std::fs::remove_file(&iso).unwrap();
        // New headers meanwhile: these are in force.
        push(Role::Header, Video, 180, 9);
        push(Role::Delta, Video, 200, 10);
        push(Role::Key, Video, 240, 11);
        push(Role::Sound, Audio, 250, 12);
        wait("it on disk again", &|| bytes(5 + 5));
        queue.close();
        recording.close();
        thread.join().unwrap();
        assert_eq!(kept.len(), flv::FILE_HEADER_LEN + 5 * 515);
        let mut reader = flv::TagReader::new();
        reader.push(std::fs::read(&path).unwrap().into());
        let items = std::iter::from_fn(|| reader.next().unwrap());
        let tags = items.filter_map(|item| match item {
            flv::Item::Tag(tag) => Some((tag.timestamp.0, tag.body()[0])),
            _ => None,
        });
        assert_eq!(tags.collect::<Vec<_>>(), [(240, 1), (240, 9), (240, 3), (240, 11), (250, 12)]);
        let codes: Vec<_> = log.all(Time::ZERO).into_iter().map(|e| e.code).collect();
        let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes, ["iso-started", "iso-failed", "iso-failed", "iso-started", "iso-closed"]);
        assert_eq!(recording.report().dropped_frames, 3);
        assert_eq!((recording.report().files, recording.report().failures), (2, 2));
    }
}
