//! A line from a file: read, decoded, and if it loops, played again without a seam.
//!
//! Each pass runs in two lanes, pictures and sound, which never wait for each
//! other but at the pass's end: so a badly interleaved file cannot lock up.

mod enter;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use codecs::{Pcm, Turns};
use gstreamer as gst;
use media::{FrameRate, Packet, Span, Time, Track};
use pipeline_dsl::Repeat;

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::buffer::{Flow, LineBuffer};
use crate::ingest::caps;
use crate::ingest::demux::{self, Demux, DemuxError, TrackReader};
use crate::ingest::end::EndOfLine;
use crate::ingest::lane::StreamParams;
use crate::ingest::lane::{AudioLane, Shape, Told, VideoLane};
use crate::ingest::remarks::Remark;
use crate::ingest::uncoded::Uncoded;
use crate::reporter::Reporter;
use crate::seldom::Seldom;
use crate::stage::ThreadShare;
use crate::start::Gate;

/// Told of a file whose transparency our decoders never see.
const ALPHA_APART: &str = "pictures with transparency come that is coded apart (VP8, VP9) and is not read: they are shown as if they had none";

/// A pass shorter than this is no loop but a spin.
const SHORTEST_LOOP: Span = Span::from_millis(20);

/// How long the one picture is shown that a pass has.
const UNTOLD: Span = Span::from_millis(40);

/// A pass that is this near to a number of whole pictures has that number: containers that count in
/// milliseconds round, and what they round would add up from pass to pass.
const ROUNDED: Span = Span::from_millis(2);
/// Whatever is nearer is so itself.
const EXACT: Span = Span::from_flicks(Span::from_millis(1).flicks() / 1000);

/// The length of a pass whose pictures lie so far apart, first to last and beyond, by its stamps.
pub(super) fn whole_pictures(length: Span, rate: Option<FrameRate>) -> Span {
    let Some(rate) = rate else { return length };
    let half = Span::from_flicks(rate.tick_span().flicks() / 2);
    let whole = rate.time_of(rate.tick_at(Time::ZERO + length + half)) - Time::ZERO;
    let off = (length - whole).abs();
    if off > EXACT && off <= ROUNDED { whole } else { length }
}

/// How much sound may wait for a first picture: about a minute.
const EARLY_BYTES: usize = 4 << 20;
const EARLY_PACKETS: usize = 4096;

/// Everything a file line needs.
pub(crate) struct FileLine {
    pub(crate) path: PathBuf,
    pub(crate) repeat: Repeat,
    pub(crate) shape: Shape,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    /// Speaks for this line.
    pub(crate) reporter: Reporter,
    /// What cannot be decoded.
    pub(crate) damage: Seldom,
    /// When it became part of the show: the file begins there.
    pub(crate) gate: Arc<Gate>,
    /// Unless it began with an engine that died: then it goes on where it would be.
    pub(crate) since: Option<Time>,
    /// Whether its threads go behind others.
    pub(crate) turns: Turns,
}

/// The first picture's time, which is the pass's zero for pictures and sound alike.
#[derive(Default)]
pub(super) struct Zero {
    at: Mutex<Option<Time>>,
    known: Condvar,
    /// The pass's pictures have begun to come.
    near: AtomicBool,
}

impl Zero {
    pub(super) fn set(&self, time: Time) -> Time {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let zero = *at.get_or_insert(time);
        drop(at);
        self.known.notify_all();
        zero
    }
    /// The first of what becomes pictures has been read.
    fn comes_near(&self) {
        self.near.store(true, Ordering::Release);
    }
    fn is_near(&self) -> bool {
        self.near.load(Ordering::Acquire)
    }
    fn get(&self) -> Option<Time> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn wait(&self) -> Time {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.known.wait_while(at, |at| at.is_none()).unwrap_or_else(PoisonError::into_inner);
        at.unwrap_or(Time::ZERO)
    }
}

/// Sets the zero when a lane ends, whatever way, so that the other never waits in vain.
pub(super) struct SetAtEnd<'a>(pub(super) &'a Zero);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.set(Time::ZERO);
    }
}

/// One time that the file is played.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// Counted from the first of this engine.
    number: u64,
    /// Its beginning, in show time.
    begins: Span,
    /// What is over by this show time is not shown.
    from: Time,
    /// Where its first picture lies, which is known of one that does not begin with it.
    zero: Option<Time>,
}

impl Pass {
    /// A whole one.
    fn whole(number: u64, begins: Span) -> Self {
        Self { number, begins, from: Time::ZERO + begins, zero: None }
    }

    /// Whether this picture of the file is shown.
    fn shows(&self, pts: Time) -> bool {
        self.zero.is_none_or(|zero| pts - zero >= self.from - (Time::ZERO + self.begins))
    }
}

/// Lets the sound's lane go if the pictures' panics, which waits for it.
struct FreeOnPanic<'a>(&'a LineBuffer);

impl Drop for FreeOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

/// Sound read before the pass's first picture; the oldest goes when there is too much.
#[derive(Default)]
struct Early {
    packets: VecDeque<Packet>,
    bytes: usize,
}

impl Early {
    fn keep(&mut self, packet: Packet) {
        self.bytes += packet.data.len();
        self.packets.push_back(packet);
        while self.bytes > EARLY_BYTES || self.packets.len() > EARLY_PACKETS {
            let Some(oldest) = self.packets.pop_front() else { return };
            self.bytes -= oldest.data.len();
        }
    }
}

impl FileLine {
    /// Plays the file; returns at its end, or when the show is over.
    pub(crate) fn run(self) {
        let _end = EndOfLine {
            buffer: Arc::clone(&self.buffer),
            counters: Arc::clone(&self.counters),
            reporter: self.reporter.clone(),
        };
        let stop = || self.reporter.is_stopping();
        let (mut opened, mut pass) = self.begin();
        // Now that GStreamer has its threads: they are as urgent as whoever needs the first of them, and
        // other shows of the process have them, too.
        self.turns.step_back();
        loop {
            let demux = match opened {
                Ok(demux) => demux,
                Err(error) => {
                    self.reporter.event(Level::Alarm, "line-error", error.to_string());
                    break;
                }
            };
            // The next pass is opened while this one plays: opening takes longer than a tick.
            let (length, next) = std::thread::scope(|scope| {
                let next =
                    (self.repeat == Repeat::Loop).then(|| scope.spawn(|| Demux::open(&self.path, &stop)));
                let length = self.pass(&demux, pass);
                (length, next.and_then(|opening| opening.join().ok()))
            });
            if stop() {
                break;
            }
            let Some(next) = next else {
                self.reporter.event(Level::Info, "line-ended", "the file has come to its end");
                break;
            };
            if length < SHORTEST_LOOP {
                let message =
                    format!("cannot loop: a pass lasts {length}, it takes {SHORTEST_LOOP} at the least");
                self.reporter.event(Level::Alarm, "line-error", message);
                break;
            }
            pass = Pass::whole(pass.number + 1, pass.begins + length);
            self.buffer.resume();
            opened = next;
        }
    }

    /// The file, opened, and its first pass: from its beginning, or where it goes on.
    fn begin(&self) -> (Result<Demux, DemuxError>, Pass) {
        let stop = || self.reporter.is_stopping();
        let now = self.gate.pass().unwrap_or(Time::ZERO);
        self.buffer.begin(now);
        let opened = Demux::open(&self.path, &stop);
        let anew = Pass::whole(0, now - Time::ZERO);
        let since = self.since.filter(|since| *since < now);
        let (since, demux) = match (since, opened) {
            (Some(since), Ok(demux)) => (since, demux.by_place()),
            (_, opened) => {
                self.counters.runs_since(now);
                return (opened, anew);
            }
        };
        if let Some(pass) = self.enter(&demux, since, now) {
            self.counters.runs_since(since);
            return (Ok(demux), pass);
        }
        self.counters.runs_since(now);
        let message = "it cannot be read from its middle: it plays from its beginning";
        self.reporter.event(Level::Warn, "file-anew", message);
        (Demux::open(&self.path, &stop), anew)
    }

    /// One pass; its length.
    fn pass(&self, demux: &Demux, pass: Pass) -> Span {
        self.counters.connect();
        if pass.number == 0 {
            if demux.video.is_none() {
                self.reporter.event(
                    Level::Warn,
                    "no-video",
                    format!("{} has no video stream: it is heard over black", self.path.display()),
                );
            }
            if demux.audio.is_none() {
                let message = format!("{} has no audio stream: silence stands in", self.path.display());
                self.reporter.event(Level::Info, "no-audio", message);
            }
        }
        if demux.video.is_none() {
            self.buffer.sounds_alone();
            self.buffer.idle(Track::Video);
        }
        let zero = Zero::default();
        pass.zero.into_iter().for_each(|known| _ = zero.set(known));
        let (video_end, audio_end) = std::thread::scope(|scope| {
            let audio = demux.audio.as_ref().map(|reader| {
                let zero = &zero;
                let alone = demux.video.is_none();
                scope.spawn(move || {
                    let end = self.audio_lane(reader, zero, pass);
                    match self.repeat {
                        // Alone it is waited for; beside pictures it is they that say when.
                        Repeat::Loop if alone => {}
                        Repeat::Loop => self.buffer.idle(Track::Audio),
                        Repeat::Once => self.buffer.over(Track::Audio),
                    }
                    end
                })
            });
            if audio.is_none() {
                self.buffer.idle(Track::Audio);
            }
            let video_end = match &demux.video {
                Some(reader) => {
                    let _set = SetAtEnd(&zero);
                    let _free = FreeOnPanic(&self.buffer);
                    self.video_lane(reader, &zero, pass)
                }
                None => {
                    zero.set(Time::ZERO);
                    None
                }
            };
            let audio_end = audio.and_then(|lane| match lane.join() {
                Ok(end) => end,
                Err(_) => {
                    self.buffer.idle(Track::Audio);
                    self.reporter.event(Level::Alarm, "line-error", "its sound panicked: this is our bug");
                    None
                }
            });
            (video_end, audio_end)
        });
        if let Some(error) = demux.error() {
            self.reporter.event(Level::Warn, "line-error", format!("{error}; what came before it was used"));
        }
        video_end.or(audio_end).map_or(Span::ZERO, |end| end - (Time::ZERO + pass.begins))
    }

    /// Where the pass's pictures end, in show time.
    fn video_lane(&self, reader: &TrackReader, zero: &Zero, pass: Pass) -> Option<Time> {
        let stop = || self.reporter.is_stopping();
        let mut known: Option<gst::Caps> = None;
        let mut lane: Option<VideoLane> = None;
        let mut opened = None;
        let mut rate = None;
        let mut end = None;
        let mut flow = Flow::Go;
        let bad = |error: &codecs::CodecError| _ = self.damage.happened(&error.to_string(), &self.reporter);
        let mut last = None;
        // The newest picture that lies before where the file is entered: it stands until the next.
        let mut stands = None;
        let mut put = |frame: codecs::Frame| {
            let stamp = frame.pts;
            let zero = zero.set(stamp);
            let pts = Time::ZERO + (stamp - zero) + pass.begins;
            let interval = last.map_or(UNTOLD, |last| pts - last);
            last = Some(pts);
            end = Some(pts + interval);
            let frame = codecs::Frame { pts, ..frame };
            if pts < pass.from {
                stands = Some(frame);
                return flow;
            }
            self.counters.picture();
            self.buffer.coded.placed(stamp, pts);
            for frame in stands.take().into_iter().chain([frame]) {
                if flow == Flow::Go {
                    flow = self.buffer.put_frame(frame);
                }
            }
            flow
        };
        let mut share = ThreadShare::begin();
        while let Some(read) = reader.next(known.as_deref(), &stop) {
            zero.comes_near();
            share.count(&self.counters.stage);
            self.counters.count(read.packet.data.len());
            if let Some(caps) = read.caps {
                let told = Told { turn: reader.turn(), aspect: caps::aspect(&caps) };
                // A parser that knows more after some pictures, a rate or a level, makes no other stream
                // of it; a decoder that began anew would lose a field.
                let opening = Some((demux::params(&caps), caps::raw(&caps), told));
                rate = caps::rate(&caps).or(rate);
                if opened != opening {
                    if let Some(lane) = &mut lane {
                        lane.flush(&mut |frame| _ = put(frame), &mut |e| bad(&e));
                    }
                    lane = self.open_video(&caps, told);
                    if pass.number == 0 && caps::has_alpha_apart(&caps) {
                        self.reporter.event(Level::Info, "picture", ALPHA_APART);
                    }
                    opened = opening;
                }
                if let Some(lane) = &mut lane {
                    lane.told_colours(reader.colours(&caps));
                }
                known = Some(caps);
            }
            let mut flow = Flow::Go;
            match &mut lane {
                Some(lane) => {
                    if pass.shows(read.packet.pts) {
                        self.buffer.coded.packet(&read.packet);
                    }
                    lane.show_from(reader.shows_from(&read.packet));
                    lane.decode(&read.packet, &mut |frame| flow = put(frame), &mut |e| bad(&e));
                    while let Some(Remark { level, message }) = lane.remark() {
                        // A loop's later passes bring the same.
                        if pass.number == 0 {
                            self.reporter.event(level, "picture", message);
                        }
                    }
                }
                None => break,
            }
            if flow == Flow::Stop {
                break;
            }
        }
        if let Some(lane) = &mut lane {
            lane.flush(&mut |frame| _ = put(frame), &mut |e| bad(&e));
        }
        if known.is_none() && pass.number == 0 && !stop() {
            let message = format!("nothing can be read of its pictures ({})", reader.named());
            self.reporter.event(Level::Alarm, "line-error", message);
        }
        let begins = Time::ZERO + pass.begins;
        let end = end.map(|end| begins + whole_pictures(end - begins, rate));
        // It was over: its last picture is what is seen of it.
        if let Some(frame) = stands {
            self.buffer.put_frame(frame);
        }
        match (self.repeat, end) {
            (Repeat::Loop, Some(end)) => self.buffer.turn(end),
            (Repeat::Loop, None) => self.buffer.idle(Track::Video),
            (Repeat::Once, _) => self.buffer.over(Track::Video),
        }
        end
    }

    fn open_video(&self, caps: &gst::Caps, told: Told) -> Option<VideoLane> {
        if let Ok(StreamParams::Video(params)) = demux::params(caps) {
            self.buffer.coded.begin(&params);
        }
        let opened = self.lane(caps, told);
        opened.map_err(|e| self.reporter.event(Level::Alarm, "line-error", e)).ok()
    }

    /// A lane for pictures with these caps, or why there is none.
    fn lane(&self, caps: &gst::Caps, told: Told) -> Result<VideoLane, String> {
        if let Some(form) = caps::raw(caps) {
            return Ok(VideoLane::of(&self.shape, Box::new(Uncoded::new(form)), told));
        }
        match demux::params(caps) {
            Ok(StreamParams::Video(params)) => {
                VideoLane::new(&self.shape, &params, told).map_err(|e| e.to_string())
            }
            Ok(StreamParams::Audio(_)) => Err("sound where pictures were expected".to_owned()),
            Err(name) => Err(format!("no decoder for {name}")),
        }
    }

    /// Where the pass's sound ends, in show time.
    fn audio_lane(&self, reader: &TrackReader, zero: &Zero, pass: Pass) -> Option<Time> {
        let stop = || self.reporter.is_stopping();
        let mut known: Option<gst::Caps> = None;
        let mut lane: Option<AudioLane> = None;
        let mut end = None;
        let bad = |error: &codecs::CodecError| _ = self.damage.happened(&error.to_string(), &self.reporter);
        let mut early = Early::default();
        let mut decode = |lane: &mut AudioLane, packet: &Packet, zero: Time| {
            let mut flow = Flow::Go;
            let mut put = |pcm: Pcm| {
                let pts = Time::ZERO + (pcm.pts - zero) + pass.begins;
                let pcm = Pcm { pts, ..pcm };
                end = Some(pcm.end());
                // What lies before the first picture that is shown belongs to none.
                if pcm.end() > pass.from && flow == Flow::Go {
                    flow = self.buffer.put_sound(&pcm);
                }
            };
            lane.decode(packet, &mut put, &mut |e| bad(&e));
            flow
        };
        let mut share = ThreadShare::begin();
        while let Some(read) = reader.next(known.as_deref(), &stop) {
            share.count(&self.counters.stage);
            self.counters.count(read.packet.data.len());
            if let Some(caps) = read.caps {
                lane = self.open_audio(&caps);
                known = Some(caps);
                early = Early::default();
                if lane.is_none() {
                    self.buffer.idle(Track::Audio);
                }
            }
            let Some(lane) = &mut lane else { continue };
            early.keep(read.packet);
            let zero = match zero.get() {
                Some(zero) => zero,
                // Much of the file would be read before that picture is decoded, and wait.
                None if zero.is_near() => zero.wait(),
                // Reading goes on: the first picture may lie behind this sound.
                None => continue,
            };
            for packet in std::mem::take(&mut early).packets {
                if decode(lane, &packet, zero) == Flow::Stop {
                    return end;
                }
            }
        }
        if let Some(lane) = &mut lane {
            let zero = zero.wait();
            for packet in early.packets {
                decode(lane, &packet, zero);
            }
        }
        end
    }

    fn open_audio(&self, caps: &gst::Caps) -> Option<AudioLane> {
        let opened = match demux::params(caps) {
            Ok(StreamParams::Audio(params)) => {
                AudioLane::new(&self.shape, &params).map_err(|e| e.to_string())
            }
            Ok(StreamParams::Video(_)) => Err("pictures where sound was expected".to_owned()),
            Err(name) => Err(format!("no decoder for {name}: silence stands in")),
        };
        opened.map_err(|e| self.reporter.event(Level::Warn, "line-error", e)).ok()
    }
}
