//! What a line has delivered, on the show's timeline, until the tick takes it.
//!
//! Producers are the line's decoding lanes; the consumer is the tick. Paced
//! lines (files) are held back when they run ahead; live lines lose their
//! oldest material instead, because nobody can hold back a camera.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codecs::{Frame, Pcm, Picture};
use media::{SampleRate, Span, Time, Track};
use scheduling::{Carries, Readiness};

use crate::clock::Stop;
use crate::ingest::coded::CodedTrack;
use crate::ingest::sound_queue::{EDGE, Heard, SoundQueue};
use crate::way::{self, Station};

/// How far ahead of the tick a line that is held back delivers in real time.
pub(crate) const AHEAD: Span = Span::from_millis(250);
/// How far beyond its depth a live line may reach before its oldest frames go.
const LIVE_AHEAD: Span = Span::from_millis(1300);
/// How many pictures may wait in any case, at 1080p 186 MB; those of a live line that are meant
/// to wait are not counted, as far as each has a tick of its own.
const MOST_FRAMES: usize = 60;
/// A picture is due one frame after the last; a stream that tells no rate is given this long.
const LONGEST_INTERVAL: Span = Span::from_millis(1000);

/// A live picture belongs to the tick next to it. Where pictures lie in the middle of two ticks,
/// those so near to it stay with the one they were with: stamps in milliseconds tremble.
const MIDDLE: Span = Span::from_flicks(Span::from_millis(3).flicks() / 5);

/// A file's picture this much later than the tick still belongs to it: containers that count in
/// milliseconds round, and at 30 frames a second every third picture would come a tick late.
const GRACE: Span = Span::from_millis(2);

const POLL: Duration = Duration::from_millis(100);
/// An offline show waits this long for a line that delivers nothing.
const GIVE_UP: Duration = Duration::from_secs(30);

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
    /// It delivered nothing for half a minute and is no longer waited for.
    InVain,
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
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far beyond the last tick taken the next one may want to know: its end, and rounding.
    fn wanted(&self) -> Span {
        self.tick.times(3) + EDGE
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

    /// The line's material goes on from `to`, which may lie before what waits already: that
    /// would stand in its way, and is dropped.
    pub(crate) fn rewind(&self, to: Time) {
        let mut state = self.lock();
        while state.frames.back().is_some_and(|f| f.pts >= to) {
            state.frames.pop_back();
        }
        state.sound.rewind(to);
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

    /// Waits until the line has delivered beyond `to`, so that taking what lies before is exact.
    /// A line that delivers nothing at all for too long is given up: then the tracks waited for
    /// are idle, and the answer says so.
    pub(crate) fn wait_for(&self, to: Time, stop: &Stop) -> Waited {
        if self.is_live() {
            // What has not come by now comes late.
            return Waited::Known;
        }
        let mut state = self.lock();
        let waited_for = |d: Delivery| matches!(d, Delivery::Flowing | Delivery::Turning(_));
        let video = |s: &State| !waited_for(s.video) || s.frames.back().is_some_and(|f| f.pts >= to);
        let audio = |s: &State| !waited_for(s.audio) || s.sound.end() >= to + EDGE;
        let progress = |s: &State| (s.frames.back().map(|f| f.pts), s.sound.end(), s.video, s.audio);
        let (mut seen, mut still) = (progress(&state), Duration::ZERO);
        while !(state.closed || stop.is_asked() || video(&state) && audio(&state)) {
            let (next, timeout) =
                self.moved.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner);
            state = next;
            let waited = if timeout.timed_out() { POLL } else { Duration::ZERO };
            still = if progress(&state) == seen { still + waited } else { Duration::ZERO };
            seen = progress(&state);
            if still >= GIVE_UP {
                if !video(&state) {
                    state.video = Delivery::Idle;
                }
                if !audio(&state) {
                    state.audio = Delivery::Idle;
                }
                return Waited::InVain;
            }
        }
        Waited::Known
    }

    /// Waits until there is a first picture, or sound where that is all there is, or none will
    /// come, or the time is up. Nobody waits for a live line: its encoder may come tomorrow.
    pub(crate) fn wait_for_first(&self, patience: std::time::Duration) {
        if self.is_live() {
            return;
        }
        let state = self.lock();
        let waited = self.moved.wait_timeout_while(state, patience, |s| {
            let is_seen = !s.frames.is_empty() || s.current.is_some();
            let is_heard = s.heard_to.is_some() || s.sound.end() > s.taken;
            match s.content {
                Content::SoundAlone => !is_heard && s.audio == Delivery::Flowing,
                Content::Unknown | Content::Pictures => !is_seen && s.video == Delivery::Flowing,
            }
        });
        drop(waited);
    }

    /// Whether a picture so much later than the tick is shown with it, and what is to hold for
    /// pictures in the middle of two ticks: a sender's clock moves them slowly through there.
    fn belongs(&self, later: Span, lean: Lean) -> (bool, Lean) {
        let part = |n: i64| Span::from_flicks(self.tick.flicks() / n);
        if !self.is_live() {
            return (later <= GRACE.min(part(4)), lean);
        }
        let beside = later - part(2);
        let middle = MIDDLE.min(part(8));
        let lean = match lean {
            _ if beside.abs() > middle.times(4) => lean,
            _ if beside < -middle => Lean::Earlier,
            _ if beside > middle => Lean::Later,
            lean => lean,
        };
        (beside < -middle || beside <= middle && lean == Lean::Earlier, lean)
    }

    /// Takes what belongs to the tick `[from, to)`. Ticks are taken in order.
    pub(crate) fn take(&self, from: Time, to: Time) -> Take {
        let mut state = self.lock();
        while let Some(frame) = state.frames.front() {
            let at = frame.pts;
            let (is_due, lean) = self.belongs(at - from, state.lean);
            state.lean = lean;
            if !is_due {
                break;
            }
            way::becomes(Station::Taken, at, from);
            state.current = state.frames.pop_front();
            // Not before it is shown: until then it is heard.
            state.content = Content::Pictures;
            state.missing = None;
        }
        state.taken = from;
        let due = match &state.current {
            Some(frame) => frame.pts + state.interval,
            None => Time::ZERO,
        };
        // Half a tick of grace: a picture due within the tick is not missing yet.
        if state.frames.is_empty() && due + Span::from_flicks(self.tick.flicks() / 2) <= from {
            state.missing.get_or_insert(due);
        }
        let waiting_for_first = state.current.is_none();
        let is_kept = match state.kept {
            Kept::Nothing => false,
            Kept::UpTo(newest) => newest + state.interval > from,
            Kept::CatchingUp => true,
        };
        let hole = state.missing.or(waiting_for_first.then_some(due));
        let sound_to = state.sound.end().min(to);
        let Heard { samples: sound, lack } = state.sound.take(from, to);
        if sound.is_some() {
            state.heard_to = Some(sound_to);
        }
        if state.content == Content::SoundAlone {
            let hole = sound.is_none().then(|| state.heard_to.unwrap_or(Time::ZERO));
            let ended = state.audio == Delivery::Ended && sound.is_none();
            let carries = Carries::SoundAlone;
            drop(state);
            self.moved.notify_all();
            return Take { hole_since: hole, carries, ended, sound, lack, ..Take::default() };
        }
        let take = Take {
            picture: state.current.as_ref().map(|f| f.picture.clone()),
            at: state.current.as_ref().map(|f| (f.pts, f.pts + state.interval)),
            hole_since: hole.filter(|_| !is_kept),
            carries: Carries::Pictures,
            ended: state.video == Delivery::Ended && state.frames.is_empty(),
            sound,
            lack,
            readiness: if hole.is_some() && is_kept { Readiness::Kept } else { Readiness::Decoded },
        };
        drop(state);
        self.moved.notify_all();
        take
    }
}

#[cfg(test)]
mod tests;
