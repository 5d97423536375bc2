//! A line's coded pictures, kept beside what is decoded of them until it is known at which tick
//! each is shown: for rungs that copy them.
//!
//! They come in order of decoding and are given out in it, each as soon as it and all before it
//! have been shown. What the decoder made nothing of is left out; what it gave and no tick showed,
//! since the camera is faster than the show, lies between the ticks. A key frame of these lies on
//! its tick all the same, and the picture shown there behind it: rungs that are encoded have
//! their key frames at ticks alone, and are to have them at the same time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flv::nalu::LengthSize;
use flv::{avc, hevc, nalu};
use media::{Key, Packet, Size, Span, Time, VideoCodec, VideoParams};

use crate::ingest::iso::mux::{Coding, Sets, prefixed};

/// Bounds of what waits to be shown: half a minute at 120 frames a second, or 10 s of 80 Mbit/s.
const MOST_PICTURES: usize = 3_600;
const MOST_BYTES: usize = 100 << 20;

/// A coded picture that is shown.
#[derive(Clone, Debug)]
pub(crate) struct CodedPicture {
    /// What it belongs to without a break: between two of another number something is missing.
    pub(crate) run: u64,
    /// What a decoder must know: length-prefixed, with its size where that can be read.
    pub(crate) params: Arc<VideoParams>,
    /// As it came, with the show time at which it is shown.
    pub(crate) packet: Packet,
}

/// What is kept of a line.
#[derive(Debug, Default)]
pub(crate) struct CodedTrack {
    wanted: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    form: Form,
    run: u64,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The picture that was shown last, and where it was given its place.
    shown: Option<(Time, Time)>,
}

/// How the stream's packets come.
#[derive(Debug, Default)]
enum Form {
    /// In a codec that FLV has no place for, or undescribed.
    #[default]
    Unfit,
    Prefixed(Arc<VideoParams>, LengthSize),
    /// With parameter sets in the stream, and what they last came to.
    AnnexB(Coding, Box<Sets>, Option<Arc<VideoParams>>),
}

#[derive(Debug)]
struct Waiting {
    run: u64,
    params: Arc<VideoParams>,
    packet: Packet,
    /// Where it lies in the line's buffer, once decoded.
    at: Option<Time>,
    /// When it is shown.
    pts: Option<Time>,
}

impl CodedTrack {
    /// From now on it is kept.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }
    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pictures are coded like this from here on.
    pub(crate) fn begin(&self, params: &VideoParams) {
        let mut state = self.lock();
        state.run += 1;
        state.form = Form::new(params);
    }

    /// What comes next does not hang together with what came.
    pub(crate) fn tear(&self) {
        self.lock().run += 1;
    }

    /// The next picture in order of decoding goes to the decoder.
    pub(crate) fn packet(&self, packet: &Packet) {
        if !self.is_wanted() {
            return;
        }
        let mut state = self.lock();
        let Some((params, packet)) = state.form.shape(packet) else { return };
        state.bytes += packet.data.len();
        let run = state.run;
        state.waiting.push_back(Waiting { run, params, packet, at: None, pts: None });
        if state.waiting.len() > MOST_PICTURES || state.bytes > MOST_BYTES {
            (state.waiting, state.bytes) = (VecDeque::new(), 0);
            state.run += 1;
        }
    }

    /// The decoder gave the picture with this stamp of the stream, and it lies at `at`. To be said
    /// before it is handed to the buffer.
    pub(crate) fn placed(&self, stamp: Time, at: Time) {
        if !self.is_wanted() {
            return;
        }
        let mut state = self.lock();
        let run = state.run;
        let found = state.waiting.iter_mut().rev().take_while(|one| one.run == run);
        let mut found = found.filter(|one| one.at.is_none() && one.packet.pts == stamp);
        if let Some(one) = found.next() {
            one.at = Some(at);
        }
    }

    /// Whether pictures that were shown wait for one that was not.
    pub(crate) fn waits(&self) -> bool {
        self.lock().waiting.iter().any(|one| one.pts.is_some())
    }

    /// At the tick at `from`, which is `tick` long, the picture is shown that lies at `at`. What of
    /// the coded ones is known to be shown by that, in order of decoding.
    pub(crate) fn shown(&self, at: Option<Time>, from: Time, tick: Span) -> Vec<CodedPicture> {
        let Some(at) = at.filter(|_| self.is_wanted()) else { return Vec::new() };
        let mut state = self.lock();
        let before = match state.shown {
            Some((last, _)) if last == at => return Vec::new(),
            Some((_, since)) => since.max(from - tick),
            None => from - tick,
        };
        state.shown = Some((at, from));
        let is_it = |one: &Waiting| one.at == Some(at) && one.pts.is_none();
        let Some(this) = state.waiting.iter().rposition(is_it) else { return Vec::new() };
        let since = state.pass_over(this, at, (before, from), tick);
        state.shown = Some((at, since));
        state.give_out(this)
    }
}

impl State {
    /// Notes when the picture at place `this` is shown, and those that lie before it and were not.
    /// Gives the time of the former.
    fn pass_over(&mut self, this: usize, at: Time, (before, from): (Time, Time), tick: Span) -> Time {
        let run = self.waiting.get(this).map(|one| one.run);
        let is_passed = |one: &Waiting| {
            one.pts.is_none() && Some(one.run) == run && one.at.is_some_and(|other| other < at)
        };
        let passed = self.waiting.iter().enumerate().filter(|(_, one)| is_passed(one));
        let mut order: Vec<(Time, usize)> = passed.filter_map(|(ix, one)| Some((one.at?, ix))).collect();
        order.push((at, this));
        order.sort_unstable();
        let is_key =
            |(_, ix): &(Time, usize)| self.waiting.get(*ix).is_some_and(|one| one.packet.key == Key::Frame);
        let on_tick = order.iter().rposition(is_key).unwrap_or(order.len() - 1);
        let part = |span: Span, n: usize, of: usize| Span::from_flicks(span.flicks() / of as i64 * n as i64);
        let after = order.len() - on_tick;
        let mut pts = from;
        for (n, (_, ix)) in order.into_iter().enumerate() {
            pts = match n.checked_sub(on_tick) {
                None => before + part(from - before, n + 1, on_tick + 1),
                Some(behind) => from + part(tick, behind, after),
            };
            if let Some(one) = self.waiting.get_mut(ix) {
                one.pts = Some(pts);
            }
        }
        pts
    }

    /// Takes off the front what is known to be shown, or never will be.
    fn give_out(&mut self, this: usize) -> Vec<CodedPicture> {
        let Some(shown) = self.waiting.get(this) else { return Vec::new() };
        let (run, stamp) = (shown.run, shown.packet.pts);
        // Nothing before a key frame is shown after it.
        let newest = self.waiting.iter().take(this + 1).rposition(|one| one.packet.key == Key::Frame);
        let over = newest.unwrap_or(0);
        let (mut out, mut ix) = (Vec::new(), 0);
        while let Some(front) = self.waiting.front() {
            let is_over = ix < over || (ix < this && front.run != run);
            // The decoder gives pictures in their order: this one will never come.
            let is_lost = front.run == run && front.at.is_none() && front.packet.pts < stamp;
            if front.pts.is_none() && !is_over && !is_lost {
                break;
            }
            let Some(one) = self.waiting.pop_front() else { break };
            ix += 1;
            self.bytes -= one.packet.data.len();
            if let Some(pts) = one.pts {
                let packet = Packet { pts, ..one.packet };
                out.push(CodedPicture { run: one.run, params: one.params, packet });
            }
        }
        out
    }
}

impl Form {
    fn new(params: &VideoParams) -> Self {
        let coding = match params.codec {
            VideoCodec::Avc => Coding::Avc,
            VideoCodec::Hevc => Coding::Hevc,
            _ => return Self::Unfit,
        };
        if params.config.is_empty() {
            return Self::AnnexB(coding, Box::default(), None);
        }
        match described(coding, params) {
            Some((params, size)) => Self::Prefixed(Arc::new(params), size),
            None => Self::Unfit,
        }
    }

    /// The packet with lengths before its units, and a key frame only where decoding can begin.
    fn shape(&mut self, packet: &Packet) -> Option<(Arc<VideoParams>, Packet)> {
        let (coding, params, size, data) = match self {
            Self::Unfit => return None,
            Self::Prefixed(params, size) => {
                let coding = if params.codec == VideoCodec::Hevc { Coding::Hevc } else { Coding::Avc };
                (coding, Arc::clone(params), *size, packet.data.clone())
            }
            Self::AnnexB(coding, sets, params) => {
                if let Some(config) = sets.note(*coding, &packet.data) {
                    let codec = match coding {
                        Coding::Avc => VideoCodec::Avc,
                        Coding::Hevc => VideoCodec::Hevc,
                    };
                    let told = VideoParams { codec, size: None, config };
                    *params = described(*coding, &told).map(|(params, _)| Arc::new(params));
                }
                (*coding, Arc::clone(params.as_ref()?), LengthSize::Four, prefixed(&packet.data))
            }
        };
        let key = match packet.key {
            Key::Frame if begins(coding, &data, size) => Key::Frame,
            _ => Key::Delta,
        };
        Some((params, Packet { key, data, ..packet.clone() }))
    }
}

/// The same with the size its configuration tells, and how long lengths are.
fn described(coding: Coding, params: &VideoParams) -> Option<(VideoParams, LengthSize)> {
    let (size, length) = match coding {
        Coding::Avc => {
            let config = avc::DecoderConfig::parse(&params.config).ok()?;
            (config.picture_size().ok(), config.length_size())
        }
        Coding::Hevc => {
            let config = hevc::DecoderConfig::parse(&params.config).ok()?;
            (config.picture_size().ok(), config.length_size)
        }
    };
    // Encoders take even sizes alone.
    let even = |size: &Size| size.is_even() && size.area() > 0;
    Some((VideoParams { size: size.filter(even), ..params.clone() }, length))
}

/// Whether decoding can begin with this picture, whatever its container says.
fn begins(coding: Coding, data: &[u8], size: LengthSize) -> bool {
    let units = nalu::units(data, 0, size).map_while(Result::ok);
    let mut pictures = units.filter_map(|unit| {
        let unit = data.get(unit)?;
        match coding {
            Coding::Avc => {
                avc::NalType::of(unit).filter(|kind| kind.is_vcl()).map(|kind| kind == avc::NalType::IDR)
            }
            Coding::Hevc => {
                hevc::NalType::of(unit).filter(|kind| kind.is_vcl()).map(hevc::NalType::is_random_access)
            }
        }
    });
    pictures.next().unwrap_or(false)
}

#[cfg(test)]
mod tests;
