//! One attempt at a wire: a GStreamer pipeline from the address to an intake.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use codecs::Frame;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use media::{Time, Track};
use url::Url;

use crate::ingest::again::{Began, SILENCE};
use crate::ingest::device::Capture;
use crate::ingest::intake::{Arriving, Intake, Turned};
use crate::ingest::network::Network;
use crate::ingest::sample::SampleReader;
use crate::ingest::wall::Wall;
use crate::ingest::wire::address::Wire;
use crate::ingest::wire::knocks::{Knocks, Refused};
use crate::ingest::wire::pace::{Pace, Pacer};
use crate::ingest::wire::stuck::Stuck;
use crate::ingest::wire::{network, rtsp};
use crate::ingest::{branch, caps};
use crate::reporter::Reporter;

/// The kernel's room for datagrams: 8 Mbit/s for two seconds.
const DATAGRAMS: i32 = 2 << 20;

/// How often SRT's source looks up, in milliseconds.
const SRT_GLANCE: i32 = 300;
/// Streams that a sender may have at once, over those that nobody wants.
const MOST_STREAMS: usize = 8;

/// Why a pipeline does not run, or runs no more. GStreamer's words, without the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// An element that this machine has not.
    #[error("GStreamer lacks what this wire takes: {0}")]
    Plugins(String),
    /// An element met an error.
    #[error("{element} says: {message}")]
    Stream { element: String, message: String },
}

pub(super) fn plugins(error: impl ToString) -> WireError {
    WireError::Plugins(error.to_string())
}

/// Where all streams of one pipeline land: the first of each track goes to the line.
pub(crate) struct Landing {
    intake: Arc<Intake>,
    /// What is said when the first packet comes.
    from: String,
    state: Mutex<State>,
}

/// A stream, by the pad it comes from.
struct Stream {
    pad: gst::Pad,
    track: Track,
    /// Weak: its sink holds the landing.
    elements: Vec<glib::WeakRef<gst::Element>>,
}

impl State {
    fn is_ours(&self, pad: &gst::Pad, track: Track) -> bool {
        self.streams.iter().find(|stream| stream.track == track).is_some_and(|stream| stream.pad == *pad)
    }
}

#[derive(Default)]
struct State {
    /// All streams of our tracks, as they came: the first of each track is ours, and those after
    /// it stand by. Where a sender changes its codec, the new one comes before the old one goes.
    streams: Vec<Stream>,
    arriving: Option<Arriving>,
    /// What a camera said of the time of day before anything of it had arrived.
    clock: Option<(Time, Wall)>,
    last_picture: Option<Instant>,
    last_sound: Option<Instant>,
}

impl Landing {
    pub(crate) fn new(intake: Arc<Intake>, from: String) -> Self {
        Self { intake, from, state: Mutex::new(State::default()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a stream of one of our tracks, if there is room for it.
    fn claim(&self, pad: &gst::Pad, track: Option<Track>) -> Option<Track> {
        let track = track?;
        let streams = &mut self.lock().streams;
        (streams.len() < MOST_STREAMS).then(|| {
            streams.push(Stream { pad: pad.clone(), track, elements: Vec::new() });
            track
        })
    }

    /// What was built for a stream.
    fn built(&self, pad: &gst::Pad, elements: Vec<gst::Element>) {
        if let Some(stream) = self.lock().streams.iter_mut().find(|stream| stream.pad == *pad) {
            stream.elements = elements.iter().map(ObjectExt::downgrade).collect();
        }
    }

    /// A stream is gone: the next one of its track is ours. Gives what was built for it.
    fn release(&self, pad: &gst::Pad) -> Vec<gst::Element> {
        let streams = &mut self.lock().streams;
        let at = streams.iter().position(|stream| stream.pad == *pad);
        let elements = at.map_or_else(Vec::new, |at| streams.remove(at).elements);
        elements.iter().filter_map(glib::WeakRef::upgrade).collect()
    }

    pub(super) fn reporter(&self) -> &Reporter {
        &self.intake.reporter
    }

    /// At `pts` of the stream it was so late by the sender's clock. What sound says counts where
    /// there are no pictures.
    pub(super) fn clock(&self, track: Track, pts: Time, wall: Wall) {
        let mut state = self.lock();
        if track == Track::Audio && state.last_picture.is_some() {
            return;
        }
        match &mut state.arriving {
            Some(arriving) => arriving.clock(pts, wall),
            None => state.clock = Some((pts, wall)),
        }
    }

    /// How long ago the last picture came, or the last sound where there are no pictures;
    /// `None` before the first.
    fn quiet_for(&self) -> Option<Duration> {
        let state = self.lock();
        state.last_picture.or(state.last_sound).map(|last| last.elapsed())
    }

    /// Why nothing more is to be waited for, if so: it has fallen silent, or nothing came within
    /// `opening`; `None` waits for the first for ever.
    pub(crate) fn overdue(&self, begun: Instant, opening: Option<Duration>) -> Option<String> {
        match (self.quiet_for(), opening) {
            (Some(quiet), _) if quiet > SILENCE => Some(format!("nothing came for {} s", SILENCE.as_secs())),
            (None, Some(opening)) if begun.elapsed() > opening => {
                Some(format!("nothing came within {} s", opening.as_secs()))
            }
            _ => None,
        }
    }

    /// Something is wrong with what comes. Before anything has landed, that is nobody's.
    pub(crate) fn complain(&self, problem: &str) {
        if let Some(arriving) = &mut self.lock().arriving {
            arriving.complain(problem);
        }
    }

    /// The stream has ended. Gives whether it had begun.
    pub(crate) fn end(&self, why: &str) -> Began {
        match self.lock().arriving.take() {
            Some(arriving) => {
                arriving.end(why.to_owned());
                Began::Yes
            }
            None => Began::No,
        }
    }

    /// What one stream's sink does with its samples.
    fn callbacks(self: Arc<Self>, track: Track, pad: gst::Pad) -> AppSinkCallbacks {
        let reader = SampleReader::new(track);
        let mut known: Option<gst::Caps> = None;
        let mut raw: Option<caps::RawForm> = None;
        let new_sample = move |sink: &AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let Some(read) = reader.read(&sample, known.as_deref()) else { return Ok(gst::FlowSuccess::Ok) };
            let mut state = self.lock();
            if !state.is_ours(&pad, track) {
                return Ok(gst::FlowSuccess::Ok);
            }
            match track {
                Track::Video => state.last_picture = Some(Instant::now()),
                Track::Audio => state.last_sound = Some(Instant::now()),
            }
            if state.arriving.is_none() {
                match self.intake.begin(self.from.clone()) {
                    Ok(mut arriving) => {
                        state.clock.take().into_iter().for_each(|(pts, wall)| arriving.clock(pts, wall));
                        state.arriving = Some(arriving);
                    }
                    // The line's decoder is far behind: this packet is lost, a later one finds room.
                    Err(Turned::Hangs | Turned::Taken) => return Ok(gst::FlowSuccess::Ok),
                }
            }
            let Some(arriving) = &mut state.arriving else { return Ok(gst::FlowSuccess::Ok) };
            if let Some(new) = read.caps {
                raw = caps::raw(&new);
                match caps::params(&new) {
                    _ if raw.is_some() => {}
                    Ok(params) => _ = arriving.params(params),
                    Err(what) => arriving.complain(&format!("no decoder for {what}")),
                }
                known = Some(new);
            }
            match &raw {
                None => _ = arriving.packet(read.packet),
                Some(raw) => match raw.picture(&read.packet.data) {
                    Ok(picture) => _ = arriving.frame(Frame { pts: read.packet.pts, picture }),
                    Err(error) => arriving.complain(&error.to_string()),
                },
            }
            Ok(gst::FlowSuccess::Ok)
        };
        AppSinkCallbacks::builder().new_sample(new_sample).build()
    }
}

/// What is handed in to a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// MPEG-TS; the first buffer bears the time at which it begins, by which all others are put.
    Transport,
    /// Fragmented MP4, whose times are of one timeline by themselves.
    Fragments,
}

/// What a running pipeline says next.
pub(crate) enum Said {
    /// Nothing yet.
    Nothing,
    /// The sender has ended the stream.
    End,
    Error(WireError),
}

/// A pipeline that runs until it is dropped.
pub(crate) struct Graph {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    knocks: OnceLock<Arc<Knocks>>,
    stuck: Stuck,
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.stuck.take_down(&self.pipeline);
    }
}

impl Graph {
    fn empty(stuck: &Stuck) -> Result<Self, WireError> {
        gst::init().map_err(plugins)?;
        let pipeline = gst::Pipeline::new();
        let bus = pipeline.bus().ok_or_else(|| plugins("a pipeline without a bus"))?;
        Ok(Self { pipeline, bus, knocks: OnceLock::new(), stuck: stuck.clone() })
    }

    /// Builds and starts the pipeline. Packets go to `landing` from GStreamer's threads.
    /// `stuck` counts those that could not be taken down.
    pub(crate) fn start(
        wire: Wire,
        url: &Url,
        landing: &Arc<Landing>,
        stuck: &Stuck,
    ) -> Result<Self, WireError> {
        let graph = Self::empty(stuck)?;
        match wire {
            Wire::Srt => {
                let source = make("srtsrc")?;
                source.set_property("uri", url.as_str());
                // Before what follows: in GStreamer 1.22 it switches the reconnecting on as well.
                let asked =
                    |key| url.query_pairs().find(|(k, _)| k == key).map(|(_, value)| value.into_owned());
                let listens = asked("mode").is_some_and(|mode| mode == "listener");
                let stream = asked("streamid").filter(|_| listens);
                graph.knocks.get_or_init(|| Knocks::at(&source, stream));
                // The reconnecting is ours, for every wire alike.
                set_if_there(&source, "auto-reconnect", false);
                // It waits for a silent sender for ever else, even when it is told to stop.
                source.set_property("poll-timeout", SRT_GLANCE);
                graph.parsed(source, landing, &Pace::AsItComes)?;
            }
            Wire::Udp => {
                let source = make("udpsrc")?;
                source.set_property("uri", url.as_str());
                source.set_property("buffer-size", DATAGRAMS);
                let caps = gst::Caps::builder("video/mpegts").field("systemstream", true).build();
                source.set_property("caps", caps);
                graph.parsed(source, landing, &Pace::AsItComes)?;
            }
            Wire::Rtsp => graph.rtsp(url, landing)?,
        }
        graph.pipeline.set_state(gst::State::Playing).map_err(|_| graph.first_error())?;
        Ok(graph)
    }

    /// As [`start`](Self::start), from the sources of a device.
    pub(crate) fn capture(
        captures: Vec<Capture>,
        landing: &Arc<Landing>,
        stuck: &Stuck,
    ) -> Result<Self, WireError> {
        let graph = Self::empty(stuck)?;
        for Capture { source, caps } in captures {
            match caps {
                None => graph.parsed(source, landing, &Pace::AsItComes)?,
                Some(caps) => {
                    let filter = make("capsfilter")?;
                    filter.set_property("caps", caps);
                    graph.pipeline.add(&source).map_err(plugins)?;
                    graph.parsed(filter.clone(), landing, &Pace::AsItComes)?;
                    source.link(&filter).map_err(plugins)?;
                }
            }
        }
        graph.pipeline.set_state(gst::State::Playing).map_err(|_| graph.first_error())?;
        Ok(graph)
    }

    /// As [`start`](Self::start), from containers that are handed in, in bursts, and are one
    /// programme.
    pub(crate) fn fed(
        containers: &[Container],
        landing: &Arc<Landing>,
        stuck: &Stuck,
    ) -> Result<(Self, Vec<AppSrc>), WireError> {
        let graph = Self::empty(stuck)?;
        let pacer = Arc::new(Pacer::default());
        let mut feeds = Vec::new();
        for container in containers {
            let format = match container {
                Container::Transport => gst::Format::Time,
                Container::Fragments => gst::Format::Bytes,
            };
            let feed = AppSrc::builder().format(format).build();
            graph.parsed(feed.clone().upcast(), landing, &Pace::Timed(Arc::clone(&pacer)))?;
            feeds.push(feed);
        }
        graph.pipeline.set_state(gst::State::Playing).map_err(|_| graph.first_error())?;
        Ok((graph, feeds))
    }

    /// One source whose one stream is a container.
    fn parsed(&self, source: gst::Element, landing: &Arc<Landing>, pace: &Pace) -> Result<(), WireError> {
        let parse = make("parsebin")?;
        keep_stamps(&parse);
        self.pipeline.add_many([&source, &parse]).map_err(plugins)?;
        source.link(&parse).map_err(plugins)?;
        land(&self.pipeline, &parse, landing, pace);
        Ok(())
    }

    /// A source whose streams appear one by one, each as RTP.
    fn rtsp(&self, url: &Url, landing: &Arc<Landing>) -> Result<(), WireError> {
        let source = rtsp::source(url, landing)?;
        self.pipeline.add(&source).map_err(plugins)?;
        self.parse_each(&source, landing);
        Ok(())
    }

    /// Takes each stream that `from` shows apart by itself.
    fn parse_each(&self, from: &gst::Element, landing: &Arc<Landing>) {
        let (pipeline, landing) = (self.pipeline.downgrade(), Arc::clone(landing));
        from.connect_pad_added(move |_, pad| {
            let Some(pipeline) = pipeline.upgrade() else { return };
            // A stream that cannot be linked is missing, and said to be at the end.
            let _ = (|| {
                let parse = make("parsebin").ok()?;
                pipeline.add(&parse).ok()?;
                land(&pipeline, &parse, &landing, &Pace::AsItComes);
                parse.sync_state_with_parent().ok()?;
                pad.link(&parse.static_pad("sink")?).ok()
            })();
        });
    }

    /// Waits a little for the pipeline to say something, or not at all.
    pub(crate) fn listen(&self, patience: Duration) -> Said {
        let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
        let message = if patience.is_zero() {
            self.bus.pop_filtered(&kinds)
        } else {
            let patience = gst::ClockTime::try_from(patience).unwrap_or(gst::ClockTime::SECOND);
            self.bus.timed_pop_filtered(patience, &kinds)
        };
        match message {
            None => Said::Nothing,
            Some(message) => match message.view() {
                gst::MessageView::Error(error) => Said::Error(stream_error(&message, error)),
                _ => Said::End,
            },
        }
    }

    /// Who called our SRT listener and was turned away since this was last asked.
    pub(super) fn turned_away(&self) -> Vec<Refused> {
        self.knocks.get().map_or_else(Vec::new, |knocks| knocks.turned_away(Instant::now()))
    }

    /// What the wire tells of its network.
    pub(crate) fn network(&self) -> Option<Network> {
        network::told(&self.pipeline)
    }

    fn first_error(&self) -> WireError {
        match self.bus.pop_filtered(&[gst::MessageType::Error]) {
            Some(message) => match message.view() {
                gst::MessageView::Error(error) => stream_error(&message, error),
                _ => plugins("the pipeline does not start"),
            },
            None => plugins("the pipeline does not start"),
        }
    }
}

/// The sender's own time stamps are wanted: the demuxer would bend them to when datagrams
/// came, by up to 20 ms to and fro, and the line's own clock follows the sender better.
fn keep_stamps(parse: &gst::Element) {
    let Some(bin) = parse.downcast_ref::<gst::Bin>() else { return };
    // In a bin that knows of stream collections the demuxer (1.22) loses a track whose codec
    // changes while its neighbour stays: it adds the new stream before the old one has left
    // their common place. Elsewhere it makes the whole program anew.
    bin.unset_bin_flags(gst::BinFlags::STREAMS_AWARE);
    bin.connect_deep_element_added(|_, _, element| {
        if element.factory().is_some_and(|factory| factory.name() == "tsdemux") {
            set_if_there(element, "ignore-pcr", true);
        }
    });
}

/// Lets every stream that `from` shows land.
fn land(pipeline: &gst::Pipeline, from: &gst::Element, landing: &Arc<Landing>, pace: &Pace) {
    let (weak, gone) = (pipeline.downgrade(), Arc::clone(landing));
    from.connect_pad_removed(move |_, pad| {
        for element in gone.release(pad) {
            if let Some(pipeline) = weak.upgrade() {
                // Nothing more flows through it: it is only in the way.
                let _ = pipeline.remove(&element);
            }
            element.call_async(|element| {
                // Stopping cannot fail in a way that anybody could act on.
                let _ = element.set_state(gst::State::Null);
            });
        }
    });
    let (pipeline, landing, pace) = (pipeline.downgrade(), Arc::clone(landing), pace.clone());
    from.connect_pad_added(move |_, pad| {
        let Some(pipeline) = pipeline.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        // A stream that cannot be linked is missing, and said to be at the end.
        let _ = match landing.claim(pad, caps::track(&caps)) {
            None => branch::discard(&pipeline, pad),
            Some(track) => {
                let is_timed = matches!(pace, Pace::Timed(_));
                let sink = AppSink::builder().sync(is_timed).async_(false).build();
                if let Pace::Timed(pacer) = &pace {
                    pacer.mind(&sink);
                }
                sink.set_callbacks(Arc::clone(&landing).callbacks(track, pad.clone()));
                queued(&pipeline, pad, &pace).and_then(|(queue, from)| {
                    let shaping = branch::collect(&pipeline, &from, &caps, &sink)?;
                    let elements = queue.into_iter().chain([shaping, sink.upcast()]);
                    landing.built(pad, elements.collect());
                    Some(())
                })
            }
        };
    });
}

/// A stream that waits for the clock must not make its neighbour wait.
fn queued(pipeline: &gst::Pipeline, pad: &gst::Pad, pace: &Pace) -> Option<(Option<gst::Element>, gst::Pad)> {
    if matches!(pace, Pace::AsItComes) {
        return Some((None, pad.clone()));
    }
    let queue = make("queue").ok()?;
    queue.set_property("max-size-buffers", 0u32);
    queue.set_property("max-size-bytes", 16u32 << 20);
    queue.set_property("max-size-time", 10 * gst::ClockTime::SECOND.nseconds());
    pipeline.add(&queue).ok()?;
    queue.sync_state_with_parent().ok()?;
    pad.link(&queue.static_pad("sink")?).ok()?;
    let out = queue.static_pad("src")?;
    Some((Some(queue), out))
}

pub(super) fn make(factory: &str) -> Result<gst::Element, WireError> {
    gst::ElementFactory::make(factory).build().map_err(|e| plugins(format!("{factory}: {e}")))
}

/// Properties that older GStreamer lacks.
pub(super) fn set_if_there(element: &gst::Element, name: &str, value: bool) {
    if element.has_property_with_type(name, bool::static_type()) {
        element.set_property(name, value);
    }
}

fn stream_error(message: &gst::Message, error: &gst::message::Error) -> WireError {
    // The element's kind: its number helps nobody.
    let element = message.src().and_then(|s| s.downcast_ref::<gst::Element>()).and_then(|e| e.factory());
    let element = element.map_or_else(|| "gstreamer".to_owned(), |f| f.name().to_string());
    // What SRT met stands in the debug text alone, at its end. That of others has the address in it.
    let debug = error.debug().filter(|_| element == "srtsrc");
    let detail = debug.as_deref().and_then(|debug| debug.trim().rsplit('\n').next());
    let message = match detail.filter(|detail| !detail.is_empty() && !detail.starts_with("../")) {
        Some(detail) => detail.to_owned(),
        None => error.error().to_string(),
    };
    WireError::Stream { element, message }
}
