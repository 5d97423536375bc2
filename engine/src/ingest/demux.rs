//! A container taken apart by GStreamer: compressed packets of its first video
//! and first audio stream, each read on its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use codecs::{ColourTags, Mirror, Rotation, Turn};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use media::{Key, Packet, Span, Time, Track};

use crate::ingest::branch;
use crate::ingest::caps;
use crate::ingest::colorimetry;
use crate::ingest::flv_head;
use crate::ingest::lane::StreamParams;
use crate::ingest::mkv_head;
use crate::ingest::mp4_head;
use crate::ingest::sample::{Origin, Read, SampleReader, Timeline};

/// How long a container may take to say what is in it.
const OPENING: Duration = Duration::from_secs(10);
/// How long after an error packets that were read before it may still come.
const AFTERMATH: Duration = Duration::from_millis(300);
const POLL: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// Why a container cannot be read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum DemuxError {
    /// The system will not open the file.
    #[error("{path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// GStreamer met something it cannot go on from.
    #[error("{path}: {element} says: {message}")]
    Stream {
        /// The file.
        path: String,
        /// The element that said so.
        element: String,
        /// GStreamer's words.
        message: String,
    },
    /// Opened, but neither pictures nor sound in it.
    #[error("{path}: no video and no audio stream that can be read was found within {} s", OPENING.as_secs())]
    Empty {
        /// The file.
        path: String,
    },
    /// A stream that was not there when the file was opened.
    #[error("{path}: a further stream appeared after the file was opened and is passed over")]
    Late {
        /// The file.
        path: String,
    },
    /// GStreamer itself is not whole.
    #[error("GStreamer lacks what it takes to read files: {0}")]
    Plugins(String),
}

/// An open container.
pub(crate) struct Demux {
    path: String,
    pipeline: gst::Pipeline,
    pub(crate) video: Option<TrackReader>,
    pub(crate) audio: Option<TrackReader>,
    told: Arc<Told>,
}

/// One stream of a container.
pub(crate) struct TrackReader {
    sink: AppSink,
    told: Arc<Told>,
    reader: SampleReader,
    /// What was looked at, and is read next.
    ahead: Mutex<Option<gst::Sample>>,
}

/// What a pipeline's bus has told: the first error, and how pictures are turned.
struct Told {
    path: String,
    broken: AtomicBool,
    untold: Mutex<Option<DemuxError>>,
    /// The container's word on the picture's orientation.
    turn: Mutex<Turn>,
    /// The container's word on colours, where it is read by ourselves.
    colours: Option<ColourTags>,
}

impl Told {
    /// Keeps the first of what is said.
    fn say(&self, error: DemuxError) {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

#[derive(Default)]
struct Found {
    doors: Doors,
    video: Option<AppSink>,
    audio: Option<AppSink>,
}

/// Whether streams are still looked for: one that comes later would have no reader.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Doors {
    #[default]
    Open,
    Closed,
}

/// When the queue's streams are bounded by their count.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Bound {
    /// With the first buffer, before much of the file has been read.
    AtOnce,
    /// Once all streams have been found: one may begin behind much of another.
    Later,
}

/// Buffers that may wait of each stream.
fn bound_by_count(queue: &gst::Element) {
    // It lets one stream grow beyond this while another is empty, as one is whose track ends
    // early; only the bytes are a hard bound.
    queue.set_property("max-size-buffers", 64u32);
}

impl Demux {
    /// Opens a file and finds its streams.
    pub(crate) fn open(path: &Path, stop: &dyn Fn() -> bool) -> Result<Self, DemuxError> {
        let name = path.display().to_string();
        let open = |reason: String| DemuxError::Open { path: name.clone(), reason };
        // The system's own error is clearer than GStreamer's.
        let meta = std::fs::metadata(path).map_err(|e| open(e.to_string()))?;
        if meta.is_dir() {
            return Err(open("is a folder".to_owned()));
        }
        // Opening a pipe would wait for its writer, for ever if there is none.
        if !meta.is_file() {
            return Err(open("is no regular file".to_owned()));
        }
        std::fs::File::open(path).map_err(|e| open(e.to_string()))?;
        if meta.len() == 0 {
            return Err(open("is empty".to_owned()));
        }
        gst::init().map_err(|e| DemuxError::Plugins(e.to_string()))?;
        let make = |factory: &str| {
            gst::ElementFactory::make(factory)
                .build()
                .map_err(|e| DemuxError::Plugins(format!("{factory}: {e}")))
        };
        let pipeline = gst::Pipeline::new();
        let source = make("filesrc")?;
        source.set_property("location", &name);
        let parse = make("parsebin")?;
        let queue = make("multiqueue")?;
        // No bound but the bytes while streams are looked for: one may begin behind much of another.
        queue.set_property("max-size-buffers", 0u32);
        queue.set_property("max-size-bytes", 192u32 << 20);
        queue.set_property("max-size-time", 0u64);
        let plugins = |e: gst::glib::BoolError| DemuxError::Plugins(e.to_string());
        pipeline.add_many([&source, &parse, &queue]).map_err(plugins)?;
        source.link(&parse).map_err(plugins)?;

        let head = mp4_head::read(path).unwrap_or_default();
        let told = Arc::new(Told {
            path: name.clone(),
            broken: AtomicBool::new(false),
            untold: Mutex::new(None),
            turn: Mutex::new(head.turn.or_else(|| mkv_head::turn(path)).unwrap_or(Turn::NONE)),
            colours: head.colours,
        });
        let found = Arc::new(Mutex::new(Found::default()));
        let complete = Arc::new(AtomicBool::new(false));
        let wanted = flv_head::tracks(path);
        let bound = if wanted.is_empty() { Bound::AtOnce } else { Bound::Later };
        connect_pads(&pipeline, &parse, &queue, &found, &complete, bound, &told);

        let restates = Arc::new(AtomicBool::new(false));
        pipeline.connect_deep_element_added({
            let restates = Arc::clone(&restates);
            move |_, _, element| {
                if element.factory().is_some_and(|factory| factory.name() == "matroskademux") {
                    restates.store(true, Ordering::Release);
                }
            }
        });
        watch(&pipeline, &told);
        let mut demux = Self { path: name, pipeline, video: None, audio: None, told: Arc::clone(&told) };
        demux.pipeline.set_state(gst::State::Playing).map_err(|e| DemuxError::Plugins(e.to_string()))?;
        let begun = Instant::now();
        let is_found = |track: &Track| {
            let found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match track {
                Track::Video => found.video.is_some(),
                Track::Audio => found.audio.is_some(),
            }
        };
        let all_there = || complete.load(Ordering::Acquire) && wanted.iter().all(is_found);
        while !all_there() && begun.elapsed() < OPENING && !stop() {
            if demux.told.broken.load(Ordering::Acquire) {
                // What is there before the damage is still worth showing.
                if found.lock().unwrap_or_else(PoisonError::into_inner).video.is_none() {
                    return Err(demux.error().unwrap_or(DemuxError::Empty { path: demux.path.clone() }));
                }
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.doors = Doors::Closed;
        bound_by_count(&queue);
        let origin = restates.load(Ordering::Acquire).then(|| Arc::new(Origin::default()));
        let reader = |track, sink| {
            let samples = SampleReader::new(track);
            let reader = match &origin {
                Some(origin) => samples.from(Arc::clone(origin)),
                None => samples,
            };
            TrackReader { sink, told: Arc::clone(&told), reader, ahead: Mutex::default() }
        };
        demux.video = found.video.take().map(|sink| reader(Track::Video, sink));
        demux.audio = found.audio.take().map(|sink| reader(Track::Audio, sink));
        drop(found);
        if demux.video.is_none() && demux.audio.is_none() {
            return Err(DemuxError::Empty { path: demux.path.clone() });
        }
        Ok(demux)
    }

    /// From now on packets bear the time of their place in the file, wherever it is read from.
    #[must_use]
    pub(crate) fn by_place(mut self) -> Self {
        let place = |track: TrackReader| TrackReader { reader: track.reader.by(Timeline::Stream), ..track };
        self.video = self.video.take().map(place);
        self.audio = self.audio.take().map(place);
        self
    }

    /// How long the file is, as far as it says; sometimes that is a guess.
    pub(crate) fn length(&self) -> Option<Span> {
        let length = self.pipeline.query_duration::<gst::ClockTime>()?;
        i64::try_from(length.nseconds()).ok().map(Span::from_nanos)
    }

    /// Reads on from this place, or from where before it a decoder can begin. Gives what comes next:
    /// where it lies, and whether it is such a beginning; `None` if nothing comes.
    pub(crate) fn seek(&self, to: Time, stop: &dyn Fn() -> bool) -> Option<(Time, Key)> {
        let lead = self.video.as_ref().or(self.audio.as_ref())?;
        for track in self.video.iter().chain(&self.audio) {
            track.ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT | gst::SeekFlags::SNAP_BEFORE;
        let to = gst::ClockTime::from_nseconds(u64::try_from(to.as_nanos()).unwrap_or(0));
        let none = gst::ClockTime::NONE;
        let seek = gst::event::Seek::new(1.0, flags, gst::SeekType::Set, to, gst::SeekType::None, none);
        // One element is asked for all: the container is one.
        if !lead.sink.send_event(seek) {
            return None;
        }
        lead.look_ahead(stop)
    }

    /// The error the pipeline met, once.
    pub(crate) fn error(&self) -> Option<DemuxError> {
        self.told.untold.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Hears errors where they happen, so that a reader that waits ends.
fn watch(pipeline: &gst::Pipeline, told: &Arc<Told>) {
    let Some(bus) = pipeline.bus() else { return };
    let told = Arc::clone(told);
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            let element = message.src().map_or_else(|| "gstreamer".to_owned(), |s| s.name().to_string());
            let error =
                DemuxError::Stream { path: told.path.clone(), element, message: error.error().to_string() };
            told.say(error);
            told.broken.store(true, Ordering::Release);
        }
        if let gst::MessageView::Tag(tags) = message.view()
            && let Some(turn) = tags.tags().get::<gst::tags::ImageOrientation>()
        {
            *told.turn.lock().unwrap_or_else(PoisonError::into_inner) = turned(turn.get());
        }
        gst::BusSyncReply::Drop
    });
}

impl Drop for Demux {
    fn drop(&mut self) {
        // Stopping cannot fail in a way that anybody could act on.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// GStreamer's `image-orientation`: a flip from left to right, and then clockwise turns, that make
/// the picture upright.
fn turned(orientation: &str) -> Turn {
    let (mirror, turns) = match orientation.strip_prefix("flip-") {
        Some(turns) => (Mirror::LeftRight, turns),
        None => (Mirror::No, orientation),
    };
    let rotation = match turns {
        "rotate-90" => Rotation::Quarter,
        "rotate-180" => Rotation::Half,
        "rotate-270" => Rotation::ThreeQuarters,
        _ => Rotation::None,
    };
    Turn { mirror, rotation }
}

/// Links each stream parsebin finds: the first of each track to an appsink, the rest to nowhere.
///
/// parsebin exposes all pads before it lets data through and says no
/// `no-more-pads`: the first buffer anywhere means that all are there.
fn connect_pads(
    pipeline: &gst::Pipeline,
    parse: &gst::Element,
    queue: &gst::Element,
    found: &Arc<Mutex<Found>>,
    complete: &Arc<AtomicBool>,
    bound: Bound,
    told: &Arc<Told>,
) {
    let told = Arc::clone(told);
    let (pipeline, queue, found) = (pipeline.downgrade(), queue.downgrade(), Arc::clone(found));
    let complete = Arc::clone(complete);
    parse.connect_pad_added(move |_, pad| {
        let (Some(pipeline), Some(queue)) = (pipeline.upgrade(), queue.upgrade()) else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let (done, bounded) = (Arc::clone(&complete), queue.downgrade());
        let ends = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(ends, move |_, info| match &info.data {
            Some(gst::PadProbeData::Event(event)) if event.type_() != gst::EventType::Eos => {
                gst::PadProbeReturn::Ok
            }
            _ => {
                if let (Bound::AtOnce, Some(queue)) = (bound, bounded.upgrade()) {
                    bound_by_count(&queue);
                }
                done.store(true, Ordering::Release);
                gst::PadProbeReturn::Remove
            }
        });
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match caps::track(&caps) {
            _ if found.doors == Doors::Closed => {
                told.say(DemuxError::Late { path: told.path.clone() });
                None
            }
            Some(Track::Video) if found.video.is_none() => Some(Track::Video),
            Some(Track::Audio) if found.audio.is_none() => Some(Track::Audio),
            _ => None,
        };
        // A stream that cannot be linked is missing later, and said to be.
        match slot {
            Some(track) => {
                if let Some(sink) = queued(&pipeline, &queue, pad, &caps) {
                    match track {
                        Track::Video => found.video = Some(sink),
                        Track::Audio => found.audio = Some(sink),
                    }
                }
            }
            None => {
                let _ = branch::discard(&pipeline, pad);
            }
        }
    });
}

/// A sink behind a place of its own in the queue.
fn queued(
    pipeline: &gst::Pipeline,
    queue: &gst::Element,
    pad: &gst::Pad,
    caps: &gst::CapsRef,
) -> Option<AppSink> {
    let queue_in = queue.request_pad_simple("sink_%u")?;
    let queue_out = queue.static_pad(&queue_in.name().replace("sink", "src"))?;
    let sink = AppSink::builder().sync(false).max_buffers(16).build();
    // What lies before an edit list's beginning is not shown, but what is shown may hang on it. Of sound
    // nothing does.
    sink.set_drop_out_of_segment(caps::track(caps) != Some(Track::Video));
    branch::collect(pipeline, &queue_out, caps, &sink)?;
    pad.link(&queue_in).ok()?;
    Some(sink)
}

impl TrackReader {
    /// How the container says pictures are to be turned; known once the first packet is read.
    pub(crate) fn turn(&self) -> Turn {
        *self.told.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From when on pictures are shown, as far as this packet tells: an edit list may cut off what others
    /// hang on, and that comes, too. One that is shown for a part of its time is shown.
    pub(crate) fn shows_from(&self, packet: &Packet) -> Option<Time> {
        let lasts = packet.duration.filter(|_| self.reader.begins_at_zero())?;
        Some(Time::ZERO - lasts + Span::from_flicks(1))
    }

    /// What there is, where nothing of it can be read.
    pub(crate) fn named(&self) -> String {
        let caps = self.sink.static_pad("sink").and_then(|pad| pad.current_caps());
        let name = caps.as_deref().and_then(|caps| caps.structure(0)).map(|s| s.name().to_string());
        name.unwrap_or_else(|| "of an unknown kind".to_owned())
    }

    /// What the container says of pictures' colours.
    pub(crate) fn colours(&self, caps: &gst::CapsRef) -> ColourTags {
        self.told.colours.unwrap_or_else(|| colorimetry::tags(caps))
    }

    /// The next packet, `None` at the end. `stop` is asked while nothing comes.
    pub(crate) fn next(&self, known: Option<&gst::CapsRef>, stop: &dyn Fn() -> bool) -> Option<Read> {
        let looked_at = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(read) = looked_at.and_then(|sample| self.reader.read(&sample, known)) {
            return Some(read);
        }
        self.pull(known, stop).map(|(_, read)| read)
    }

    /// Looks at what is read next.
    fn look_ahead(&self, stop: &dyn Fn() -> bool) -> Option<(Time, Key)> {
        let (sample, Read { packet, .. }) = self.pull(None, stop)?;
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(sample);
        Some((packet.pts, packet.key))
    }

    fn pull(&self, known: Option<&gst::CapsRef>, stop: &dyn Fn() -> bool) -> Option<(gst::Sample, Read)> {
        let mut dry_since: Option<Instant> = None;
        loop {
            if let Some(sample) = self.sink.try_pull_sample(POLL) {
                match self.reader.read(&sample, known) {
                    Some(read) => return Some((sample, read)),
                    None => continue,
                }
            }
            if self.sink.is_eos() || stop() {
                return None;
            }
            if self.told.broken.load(Ordering::Acquire)
                && dry_since.get_or_insert_with(Instant::now).elapsed() > AFTERMATH
            {
                return None;
            }
        }
    }
}

/// What the caps of a read say, or why the stream cannot be decoded.
pub(crate) fn params(caps: &gst::Caps) -> Result<StreamParams, String> {
    caps::params(caps)
}
