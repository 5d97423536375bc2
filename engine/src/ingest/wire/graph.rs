//! One attempt at a wire: a GStreamer pipeline from the address to an intake.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use url::Url;

use crate::ingest::device::Capture;
use crate::ingest::network::Network;
use crate::ingest::wire::address::Wire;
use crate::ingest::wire::knocks::{Knocks, Refused};
use crate::ingest::wire::landing::Landing;
use crate::ingest::wire::pace::{Pace, Pacer};
use crate::ingest::wire::stuck::Stuck;
use crate::ingest::wire::{network, rtsp};
use crate::ingest::{branch, caps};

/// The kernel's room for datagrams: 8 Mbit/s for two seconds.
const DATAGRAMS: i32 = 2 << 20;

/// What captures, and says in its debug text alone why it fails.
const DEVICES: [&str; 5] = ["v4l2src", "alsasrc", "pulsesrc", "decklinkvideosrc", "decklinkaudiosrc"];

/// How often SRT's source looks up, in milliseconds.
const SRT_GLANCE: i32 = 300;

/// Why a pipeline does not run, or runs no more. GStreamer's words, without the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// An element that this machine has not.
    #[error("GStreamer lacks what this wire takes: {0}")]
    Plugins(String),
    /// It fails, and nothing says why.
    #[error("its pipeline does not start, and no element says why")]
    Wordless,
    /// An element met an error.
    #[error("{element} says: {message}")]
    Stream { element: String, message: String },
}

pub(super) fn plugins(error: impl ToString) -> WireError {
    WireError::Plugins(error.to_string())
}

/// What is handed in to a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// MPEG-TS; the first buffer bears the time at which it begins, by which all others are put.
    Transport,
    /// Fragmented MP4, whose times are of one timeline by themselves.
    Fragments,
    /// Frames of sound behind one another; a buffer bears the time of the first that begins in it.
    Packed,
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
                Container::Transport | Container::Packed => gst::Format::Time,
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
                _ => WireError::Wordless,
            },
            None => WireError::Wordless,
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
    // What SRT met stands in the debug text alone, at its end, and why a device does not open. That of
    // others has the address in it.
    let debug = error.debug().filter(|_| element == "srtsrc" || DEVICES.contains(&element.as_str()));
    let detail = debug.as_deref().and_then(|debug| debug.trim().rsplit('\n').next());
    let detail = detail.filter(|detail| !detail.is_empty() && !detail.starts_with("../"));
    let message = match detail {
        Some(detail) if element == "srtsrc" => detail.to_owned(),
        Some(detail) => format!("{} ({})", error.error(), detail.trim_start_matches("system error: ")),
        None => error.error().to_string(),
    };
    WireError::Stream { element, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(element: &str, message: &str, debug: &str) -> WireError {
        gst::init().unwrap();
        let Ok(element) = gst::ElementFactory::make(element).build() else {
            return WireError::Plugins(element.to_owned());
        };
        let posted = gst::message::Error::builder(gst::ResourceError::Failed, message)
            .debug(debug)
            .src(&element)
            .build();
        let gst::MessageView::Error(error) = posted.view() else { unreachable!() };
        stream_error(&posted, error)
    }

    #[test]
    fn why_a_device_fails_is_told_and_of_a_wire_no_address() {
        let place = "../sys/v4l2/v4l2_calls.c(668): gst_v4l2_open (): /GstPipeline:p/GstV4l2Src:v4l2src0";
        let closed = "Could not open device '/dev/video0' for reading and writing.";
        let told = said("v4l2src", closed, &format!("{place}:\nsystem error: Permission denied"));
        let expected = WireError::Stream {
            element: "v4l2src".to_owned(),
            message: format!("{closed} (Permission denied)"),
        };
        assert!([expected, WireError::Plugins("v4l2src".to_owned())].contains(&told), "{told:?}");
        let told = said("udpsrc", "Could not open.", &format!("{place}:\nrtsp://me:secret@camera"));
        assert_eq!(told.to_string(), "udpsrc says: Could not open.");
    }
}
