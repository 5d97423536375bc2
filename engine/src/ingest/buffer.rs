//! What a line has delivered, on the show's timeline, until the tick takes it.
//!
//! Producers are the line's decoding lanes; the consumer is the tick. Paced
//! lines (files) are held back when they run ahead; live lines lose their
//! oldest material instead, because nobody can hold back a camera.

mod taking;

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codecs::{Frame, Pcm, Picture};
use media::{SampleRate, Span, Time, Track};
use scheduling::{Carries, Readiness};

use crate::ingest::coded::CodedTrack;
use crate::ingest::sound_queue::{EDGE, SoundQueue};

/// How far ahead of the tick a line that is held back delivers in real time.
pub(crate) const AHEAD: Span = Span::from_millis(250);
/// How far beyond its depth a live line may reach before its oldest frames go.
const LIVE_AHEAD: Span = Span::from_millis(1300);
/// How many pictures may wait in any case, at 1080p 186 MB; those of a live line that are meant
/// to wait are not counted, as far as each has a tick of its own.
const MOST_FRAMES: usize = 60;
/// Sound of a line that is held back is put in pieces no longer than this.
const LONGEST_BLOCK: Span = Span::from_millis(250);
/// An offline show waits this long for a line that delivers nothing.
const GIVE_UP: Duration = Duration::from_secs(30);
/// A picture is due one frame after the last; a stream that tells no rate is given this long.
const LONGEST_INTERVAL: Span = Span::from_millis(1000);

/// What happens to a producer that runs ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// It waits: files. It may deliver so much ahead of the tick, or a few ticks if that is less.
    Held { ahead: Span },
    /// It loses its oldest: live lines, whose material is to wait this long.
    Live { depth: Span },
}

/// What a producer does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    /// Go on.
    Go,
    /// The show is over.
    Stop,
}

/// What came of waiting for a line.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waited {
    /// The line is known up to there.
    Known,
    /// For half a minute it delivered none of this, which is no longer waited for.
    InVain(Lacking),
}

/// What does not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lacking {
    Pictures,
    Sound,
    Both,
}

impl Lacking {
    /// For people.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Pictures => "no pictures come of it, and they are no longer waited for",
            Self::Sound => "no sound comes of it, and it is no longer waited for",
            Self::Both => "it delivers nothing and is no longer waited for",
        }
    }
}

/// Where a track stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Delivery {
    /// More will come.
    Flowing,
    /// This pass of a loop ends here, and the next one begins here: it is waited for.
    Turning(Time),
    /// Nothing more for now, or no such track: nobody waits for it.
    Idle,
    /// Nothing more, ever.
    Ended,
}

/// What a line gives to one tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct Take {
    /// The newest picture of the tick; an old one is held.
    pub(crate) picture: Option<Picture>,
    /// When that lies, and when the one after it is due, where pictures come with times of their own.
    pub(crate) at: Option<(Time, Time)>,
    /// When the first missing picture was due, while one is missing; of sound alone, when that was.
    pub(crate) hole_since: Option<Time>,
    /// What the line is looked at for.
    pub(crate) carries: Carries,
    /// Nothing more will come, ever.
    pub(crate) ended: bool,
    /// Interleaved samples of exactly this tick; `None` is silence.
    pub(crate) sound: Option<Vec<f32>>,
    /// How much of each frame of it is lacking, 0 to 1; `None` if nothing is.
    pub(crate) lack: Option<Vec<f32>>,
    /// Whether what the line has for this tick is decoded.
    pub(crate) readiness: Readiness,
}

impl Take {
    /// Whether there is sound of a line that carries nothing else.
    pub(crate) fn is_heard_alone(&self) -> bool {
        self.carries == Carries::SoundAlone && self.hole_since.is_none()
    }
}

/// What of a line is kept undecoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// Nothing: it is decoded as it comes.
    Nothing,
    /// Pictures up to this show time.
    UpTo(Time),
    /// It is being decoded, as fast as can be.
    CatchingUp,
}

/// What is known of what a line carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    /// Nothing has come yet that would tell.
    Unknown,
    SoundAlone,
    /// It has had a picture, and is one with pictures for good.
    Pictures,
}

/// To which of two ticks pictures go that lie in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lean {
    Earlier,
    Later,
}

struct State {
    frames: VecDeque<Frame>,
    current: Option<Frame>,
    /// Distance of the last two pictures.
    interval: Span,
    sound: SoundQueue,
    video: Delivery,
    audio: Delivery,
    lean: Lean,
    /// When the first missing picture was due, until a newer one is shown: one that has come and
    /// waits for its tick is not there yet.
    missing: Option<Time>,
    content: Content,
    /// Up to where sound was there when it was taken.
    heard_to: Option<Time>,
    kept: Kept,
    /// How much longer than its depth a live line's material may have to wait.
    also: Span,
    /// Up to where the consumer has taken.
    taken: Time,
    closed: bool,
}

pub(crate) struct LineBuffer {
    /// What the pictures were decoded of.
    pub(crate) coded: CodedTrack,
    state: Mutex<State>,
    moved: Condvar,
    pace: Pace,
    ahead: Span,
    tick: Span,
    /// How long an offline show waits for what does not come.
    patience: Duration,
}

impl LineBuffer {
    /// For a show with ticks of `tick` and sound of `rate` and `channels`.
    pub(crate) fn new(pace: Pace, tick: Span, rate: SampleRate, channels: u8) -> Self {
        let sound = SoundQueue::new(rate, channels);
        let (sound, ahead) = match pace {
            Pace::Held { ahead } => (sound, ahead),
            Pace::Live { .. } => (sound.out_of_silence(), Span::ZERO),
        };
        Self {
            coded: CodedTrack::default(),
            state: Mutex::new(State {
                frames: VecDeque::new(),
                current: None,
                interval: tick,
                sound,
                kept: Kept::Nothing,
                also: Span::ZERO,
                video: Delivery::Flowing,
                audio: Delivery::Flowing,
                lean: Lean::Later,
                missing: None,
                content: Content::Unknown,
                heard_to: None,
                taken: Time::ZERO,
                closed: false,
            }),
            moved: Condvar::new(),
            pace,
            ahead: ahead.max(tick.times(3)),
            tick,
            patience: GIVE_UP,
        }
    }

    /// With another patience.
    #[cfg(test)]
    fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far beyond the last tick taken the next one may want to know: its end, the sound's edge
    /// there, and as much again for rounding.
    fn wanted(&self) -> Span {
        self.tick.times(2) + EDGE.times(2)
    }

    /// The line begins at this show time: what it may deliver ahead of its first tick counts from there.
    pub(crate) fn begin(&self, at: Time) {
        let mut state = self.lock();
        state.taken = state.taken.max(at);
    }

    /// Hands in a picture in show time, later than the one before.
    pub(crate) fn put_frame(&self, frame: Frame) -> Flow {
        let mut state = self.lock();
        if !self.is_live() {
            // Two may always wait, or a slow stream's next picture would never be known;
            // and no bound may keep back what the tick itself waits for.
            let may = |s: &State| {
                let known = s.frames.back().map_or(s.taken, |f| f.pts);
                let room = frame.pts <= s.taken + self.ahead && s.frames.len() < MOST_FRAMES;
                s.closed || s.frames.len() < 2 || room || known < s.taken + self.wanted()
            };
            state = self.moved.wait_while(state, |s| !may(s)).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Flow::Stop;
        }
        let last = state.frames.back().or(state.current.as_ref()).map(|f| f.pts);
        if let Some(last) = last {
            if frame.pts <= last {
                // A repeated or reordered time stamp: the first one stands.
                return Flow::Go;
            }
            state.interval = (frame.pts - last).min(LONGEST_INTERVAL);
        }
        state.frames.push_back(frame);
        if let Pace::Live { depth } = self.pace {
            let newest = state.frames.back().map_or(Time::ZERO, |f| f.pts);
            let depth = depth + state.also;
            let meant = usize::try_from(depth.flicks() / self.tick.flicks().max(1)).unwrap_or(0);
            while state.frames.len() > MOST_FRAMES + meant
                || state.frames.front().is_some_and(|f| newest - f.pts > depth + LIVE_AHEAD)
            {
                state.frames.pop_front();
            }
        }
        state.video = Delivery::Flowing;
        drop(state);
        self.moved.notify_all();
        Flow::Go
    }

    /// Hands in sound in show time, in the show's rate and layout.
    pub(crate) fn put_sound(&self, pcm: &Pcm) -> Flow {
        let piece = usize::try_from(pcm.rate.sample_at(Time::ZERO + LONGEST_BLOCK)).unwrap_or(usize::MAX);
        if self.is_live() || pcm.len() <= piece {
            return self.put_block(pcm);
        }
        // What is kept has a bound: the end of a long block would push out its beginning.
        for from in (0..pcm.len()).step_by(piece.max(1)) {
            if self.put_block(&pcm.slice(from, from.saturating_add(piece))) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Go
    }

    fn put_block(&self, pcm: &Pcm) -> Flow {
        let mut state = self.lock();
        if !self.is_live() {
            // Sound beyond the end of its pictures would wait for a tick that waits for the
            // next pass; sound behind a gap, for a tick that waits for it.
            let may = |s: &State| {
                let turning = matches!(s.video, Delivery::Turning(_));
                let room = pcm.pts <= s.taken + self.ahead;
                s.closed || room || turning || s.sound.end() < s.taken + self.wanted()
            };
            state = self.moved.wait_while(state, |s| !may(s)).unwrap_or_else(PoisonError::into_inner);
        }
        let beyond = matches!(state.video, Delivery::Turning(end) if pcm.pts >= end);
        if state.closed || beyond {
            return Flow::Stop;
        }
        state.sound.put(pcm);
        if let Delivery::Turning(end) = state.video {
            state.sound.cut(end);
        }
        state.audio = Delivery::Flowing;
        drop(state);
        self.moved.notify_all();
        Flow::Go
    }

    /// The line's pictures go on from `to` and its sound from `sound`, which may lie before what
    /// waits already: that would stand in its way, and is dropped.
    pub(crate) fn rewind(&self, to: Time, sound: Time) {
        let mut state = self.lock();
        while state.frames.back().is_some_and(|f| f.pts >= to) {
            state.frames.pop_back();
        }
        state.sound.rewind(sound);
    }

    /// Whether its material comes when it pleases.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.pace, Pace::Live { .. })
    }

    /// Its material may have to wait for that of other lines, by so much.
    pub(crate) fn may_wait(&self, also: Span) {
        self.lock().also = also;
    }

    /// What of the line is kept undecoded, from now on.
    pub(crate) fn keep(&self, kept: Kept) {
        let mut state = self.lock();
        state.kept = kept;
        if let Kept::UpTo(_) = kept {
            state.content = Content::Pictures;
        }
    }

    /// No pictures come: unless it has had some, the line stands as its sound does.
    pub(crate) fn sounds_alone(&self) {
        let mut state = self.lock();
        if state.content == Content::Unknown && state.frames.is_empty() {
            state.content = Content::SoundAlone;
        }
    }

    /// Whether the line stands as its sound does.
    pub(crate) fn is_sound_alone(&self) -> bool {
        self.lock().content == Content::SoundAlone
    }

    /// How far what has come reaches beyond the tick, by no more than what can wait; `None` for
    /// lines that can be held back.
    pub(crate) fn waiting(&self) -> Option<Span> {
        let state = self.lock();
        let newest = match state.content {
            Content::SoundAlone => state.sound.end(),
            Content::Unknown | Content::Pictures => {
                state.frames.back().map_or(state.taken, |frame| frame.pts)
            }
        };
        match self.pace {
            Pace::Held { .. } => None,
            Pace::Live { depth } => {
                Some((newest - state.taken).max(Span::ZERO).min(depth + state.also + LIVE_AHEAD))
            }
        }
    }

    /// When the picture lies that was shown last.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> Option<Time> {
        self.lock().current.as_ref().map(|frame| frame.pts)
    }

    /// A track has nothing more for now; the other may go on, and a further pass may come.
    pub(crate) fn idle(&self, track: Track) {
        self.set(track, Delivery::Idle);
    }

    /// A track has nothing more, ever. Said by whoever has put its last: when the whole line ends is
    /// known some time later, and a tick offline that looked in between found a hole where others find
    /// the end.
    pub(crate) fn over(&self, track: Track) {
        self.set(track, Delivery::Ended);
    }

    /// The pictures of a looping pass end at `end`, where those of the next one begin.
    pub(crate) fn turn(&self, end: Time) {
        let mut state = self.lock();
        state.video = Delivery::Turning(end);
        // Sound of this pass that is there already and reaches beyond would lie in the next one's way.
        state.sound.cut(end);
        drop(state);
        self.moved.notify_all();
    }

    /// A new pass begins: both tracks are waited for again.
    pub(crate) fn resume(&self) {
        let mut state = self.lock();
        state.video = Delivery::Flowing;
        state.audio = Delivery::Flowing;
    }

    /// Nothing more will come on this line.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.video = Delivery::Ended;
        state.audio = Delivery::Ended;
        drop(state);
        self.moved.notify_all();
    }

    fn set(&self, track: Track, delivery: Delivery) {
        let mut state = self.lock();
        match track {
            Track::Video => state.video = delivery,
            Track::Audio => state.audio = delivery,
        }
        drop(state);
        self.moved.notify_all();
    }

    /// The show is over: producers stop.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests;
