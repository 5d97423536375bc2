//! Where the streams of a pipeline land: the first of each track goes to the line's intake.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use codecs::Frame;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};
use media::{Key, Time, Track};

use crate::ingest::again::{Began, SILENCE};
use crate::ingest::caps;
use crate::ingest::intake::{Arriving, Intake, Turned};
use crate::ingest::sample::SampleReader;
use crate::ingest::wall::{By, Wall};
use crate::ingest::wire::marks::Marks;
use crate::reporter::Reporter;

/// Streams that a sender may have at once, over those that nobody wants.
const MOST_STREAMS: usize = 8;

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
    /// What a playlist says of the time of day at moments still to come.
    marks: Marks,
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
    pub(super) fn claim(&self, pad: &gst::Pad, track: Option<Track>) -> Option<Track> {
        let track = track?;
        let streams = &mut self.lock().streams;
        (streams.len() < MOST_STREAMS).then(|| {
            streams.push(Stream { pad: pad.clone(), track, elements: Vec::new() });
            track
        })
    }

    /// What was built for a stream.
    pub(super) fn built(&self, pad: &gst::Pad, elements: Vec<gst::Element>) {
        if let Some(stream) = self.lock().streams.iter_mut().find(|stream| stream.pad == *pad) {
            stream.elements = elements.iter().map(ObjectExt::downgrade).collect();
        }
    }

    /// A stream is gone: the next one of its track is ours. Gives what was built for it.
    pub(super) fn release(&self, pad: &gst::Pad) -> Vec<gst::Element> {
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
            Some(arriving) => arriving.clock(By::Clock, pts, wall),
            None => state.clock = Some((pts, wall)),
        }
    }

    /// What will come at `pts` was taken so late by a clock on the wall.
    pub(crate) fn mark(&self, pts: Time, wall: Wall) {
        self.lock().marks.put(pts, wall);
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
    pub(super) fn callbacks(self: Arc<Self>, track: Track, pad: gst::Pad) -> AppSinkCallbacks {
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
                        let clock = state.clock.take().into_iter();
                        clock.for_each(|(pts, wall)| arriving.clock(By::Clock, pts, wall));
                        state.arriving = Some(arriving);
                    }
                    // The line's decoder is far behind: this packet is lost, a later one finds room.
                    Err(Turned::Hangs | Turned::Taken) => return Ok(gst::FlowSuccess::Ok),
                }
            }
            // A segment begins with a key frame; sound counts where there are no pictures.
            let begins =
                read.packet.key == Key::Frame && (track == Track::Video || state.last_picture.is_none());
            let marked = begins.then(|| state.marks.reached(read.packet.pts)).flatten();
            let Some(arriving) = &mut state.arriving else { return Ok(gst::FlowSuccess::Ok) };
            marked.into_iter().for_each(|wall| arriving.clock(By::Playlist, read.packet.pts, wall));
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
