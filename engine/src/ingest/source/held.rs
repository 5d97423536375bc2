//! The end of a source that an offline show has: whoever hands in waits until there is room, so
//! that every frame is there at its tick.
//!
//! As with files, pictures and sound have a lane each: neither waits for the other but for where
//! the first picture lies.

use std::sync::{Arc, Mutex, PoisonError};

use codecs::{CodecError, Conform, Filter, Frame, Pcm, Resampler};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use media::{Time, Track};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::again::GLANCE;
use crate::ingest::buffer::{Flow, LineBuffer};
use crate::ingest::end::EndOfLine;
use crate::ingest::file::{SetAtEnd, Zero};
use crate::ingest::iso::{Iso, IsoTap};
use crate::ingest::lane::{AudioLane, Shape, StreamParams, Told, VideoLane};
use crate::ingest::source::{Piece, SourceError, SourceTracks, goes_back};
use crate::reporter::Reporter;
use crate::seldom::{Measure, Seldom};

/// Pieces of each track that may wait: more than a second of pictures.
const WAITING: usize = 32;
/// Blocks of sound are shorter.
const SOUND_WAITING: usize = 128;

/// Where a source hands in.
pub(crate) struct HeldEnd {
    pictures: Option<Sender<Piece>>,
    sound: Option<Sender<Piece>>,
    tap: Option<Mutex<IsoTap>>,
    reporter: Reporter,
}

/// What reads it, on a thread of its own.
pub(crate) struct HeldLine {
    pictures: Option<Receiver<Piece>>,
    sound: Option<Receiver<Piece>>,
    pub(crate) shape: Shape,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
    damage: Seldom,
}

impl HeldLine {
    /// A line, and its source's end.
    pub(crate) fn new(
        tracks: SourceTracks,
        shape: Shape,
        buffer: Arc<LineBuffer>,
        counters: Arc<LineCounters>,
        reporter: Reporter,
        iso: Option<Iso>,
    ) -> (Self, HeldEnd) {
        let (mut end_pictures, mut end_sound, mut pictures, mut sound) = (None, None, None, None);
        if tracks != SourceTracks::Sound {
            let (to, from) = bounded(WAITING);
            (end_pictures, pictures) = (Some(to), Some(from));
        }
        if tracks != SourceTracks::Pictures {
            let (to, from) = bounded(SOUND_WAITING);
            (end_sound, sound) = (Some(to), Some(from));
        }
        let tap = iso.as_ref().and_then(Iso::begin).map(Mutex::new);
        let end = HeldEnd { pictures: end_pictures, sound: end_sound, tap, reporter: reporter.clone() };
        let damage = Seldom::new("decode-error", Level::Warn, Measure::DAMAGE);
        (Self { pictures, sound, shape, buffer, counters, reporter, damage }, end)
    }
}

impl HeldEnd {
    pub(super) fn is_over(&self) -> bool {
        self.reporter.is_stopping()
    }

    /// The queue a piece belongs to.
    pub(super) fn queue(&self, piece: &Piece) -> Result<Sender<Piece>, SourceError> {
        if self.is_over() {
            return Err(SourceError::Over);
        }
        if let Some(tap) = &self.tap {
            let mut tap = tap.lock().unwrap_or_else(PoisonError::into_inner);
            match piece {
                Piece::Params(params) => tap.params(params),
                Piece::Packet(packet) => tap.packet(packet),
                Piece::Frame(_) => tap.raw(Track::Video),
                Piece::Sound(_) => tap.raw(Track::Audio),
            }
        }
        let queue = match piece.track() {
            Track::Video => &self.pictures,
            Track::Audio => &self.sound,
        };
        queue.clone().ok_or(SourceError::Over)
    }
}

impl HeldLine {
    /// Takes what is handed in until the source has ended, or the show is over.
    pub(crate) fn run(mut self) {
        let (pictures, sound) = (self.pictures.take(), self.sound.take());
        let _end = EndOfLine {
            buffer: Arc::clone(&self.buffer),
            counters: Arc::clone(&self.counters),
            reporter: self.reporter.clone(),
        };
        self.counters.connect();
        let zero = Zero::default();
        let alone = pictures.is_none();
        std::thread::scope(|scope| {
            match &sound {
                Some(queue) => {
                    let (line, zero) = (&self, &zero);
                    scope.spawn(move || {
                        line.sound(queue, zero, alone);
                        line.buffer.over(Track::Audio);
                    });
                }
                None => self.buffer.idle(Track::Audio),
            }
            if let Some(queue) = &pictures {
                let _set = SetAtEnd(&zero);
                self.pictures(queue, &zero);
            }
            self.buffer.over(Track::Video);
        });
        if !self.reporter.is_stopping() {
            self.reporter.event(Level::Info, "line-ended", "the source has come to its end");
        }
    }

    /// What comes before it was said what it is.
    fn untold(&self, what: &str) {
        let problem =
            format!("{what} without a decoder: it comes before the stream's configuration, or that is wrong");
        _ = self.damage.happened(&problem, &self.reporter);
    }

    /// The next piece of a track; `None` when no more come.
    fn next(&self, queue: &Receiver<Piece>) -> Option<Piece> {
        loop {
            match queue.recv_timeout(GLANCE) {
                Ok(piece) => return Some(piece),
                Err(RecvTimeoutError::Timeout) if !self.reporter.is_stopping() => {}
                Err(_) => return None,
            }
        }
    }

    fn pictures(&self, queue: &Receiver<Piece>, zero: &Zero) {
        let mut lane: Option<VideoLane> = None;
        let mut conform = Conform::new(self.shape.canvas, Filter::Bicubic);
        let bad = |error: &CodecError| _ = self.damage.happened(&error.to_string(), &self.reporter);
        let mut flow = Flow::Go;
        let mut put = |frame: Frame| {
            let zero = zero.set(frame.pts);
            self.counters.picture();
            if flow == Flow::Go {
                let pts = Time::ZERO + (frame.pts - zero);
                self.buffer.coded.placed(frame.pts, pts);
                flow = self.buffer.put_frame(Frame { pts, ..frame });
            }
            flow
        };
        let (mut flow, mut last) = (Flow::Go, None);
        while let Some(piece) = self.next(queue).filter(|_| flow == Flow::Go) {
            let mut out = |frame| flow = put(frame);
            match piece {
                Piece::Params(StreamParams::Video(params)) => {
                    if let Some(lane) = &mut lane {
                        lane.flush(&mut out, &mut |e| bad(&e));
                    }
                    self.buffer.coded.begin(&params);
                    lane = VideoLane::new(&self.shape, &params, Told::NOTHING).map_err(|e| bad(&e)).ok();
                }
                Piece::Packet(packet) => {
                    self.counters.count(packet.data.len());
                    match &mut lane {
                        Some(lane) => {
                            self.buffer.coded.packet(&packet);
                            lane.decode(&packet, &mut out, &mut |e| bad(&e));
                        }
                        None => self.untold("a picture"),
                    }
                }
                Piece::Frame(frame) => {
                    self.counters.count(0);
                    if let Some(last) = last.filter(|last| frame.pts <= *last) {
                        // It could only be shown before one that is known already.
                        let problem = format!("{}: it is left out", goes_back(frame.pts, last));
                        _ = self.damage.happened(&problem, &self.reporter);
                        continue;
                    }
                    last = Some(frame.pts);
                    match conform.conform(&frame.picture) {
                        Ok(picture) => out(Frame { picture, ..frame }),
                        Err(error) => bad(&error),
                    }
                }
                Piece::Params(StreamParams::Audio(_)) | Piece::Sound(_) => {}
            }
        }
        if let Some(lane) = &mut lane {
            lane.flush(&mut |frame| _ = put(frame), &mut |e| bad(&e));
        }
    }

    fn sound(&self, queue: &Receiver<Piece>, zero: &Zero, alone: bool) {
        let mut lane: Option<AudioLane> = None;
        let mut resampler = Resampler::new(self.shape.rate, self.shape.channels);
        let bad = |error: &CodecError| _ = self.damage.happened(&error.to_string(), &self.reporter);
        let put = |pcm: Pcm| {
            let zero = if alone { zero.set(pcm.pts) } else { zero.wait() };
            let pcm = Pcm { pts: Time::ZERO + (pcm.pts - zero), ..pcm };
            // What lies before the first picture belongs to nothing shown.
            if pcm.end() > Time::ZERO { self.buffer.put_sound(&pcm) } else { Flow::Go }
        };
        let mut flow = Flow::Go;
        while let Some(piece) = self.next(queue).filter(|_| flow == Flow::Go) {
            let mut out = |pcm| flow = put(pcm);
            match piece {
                Piece::Params(StreamParams::Audio(params)) => {
                    if let Some(lane) = &mut lane {
                        lane.flush(&mut out, &mut |e| bad(&e));
                    }
                    lane = AudioLane::new(&self.shape, &params).map_err(|e| bad(&e)).ok();
                }
                Piece::Packet(packet) => {
                    self.counters.count(packet.data.len());
                    match &mut lane {
                        Some(lane) => lane.decode(&packet, &mut out, &mut |e| bad(&e)),
                        None => self.untold("sound"),
                    }
                }
                Piece::Sound(pcm) => {
                    self.counters.count(0);
                    each(resampler.push(&pcm), &mut out, &mut |e| bad(&e));
                }
                Piece::Params(StreamParams::Video(_)) | Piece::Frame(_) => {}
            }
        }
        let mut out = |pcm| _ = put(pcm);
        if let Some(lane) = &mut lane {
            lane.flush(&mut out, &mut |e| bad(&e));
        }
        each(resampler.flush(), &mut out, &mut |e| bad(&e));
    }
}

/// Each block of what a resampler gave.
fn each<B: IntoIterator<Item = Pcm>>(
    given: Result<B, CodecError>,
    out: &mut impl FnMut(Pcm),
    bad: &mut impl FnMut(CodecError),
) {
    match given {
        Ok(blocks) => blocks.into_iter().for_each(out),
        Err(error) => bad(error),
    }
}
