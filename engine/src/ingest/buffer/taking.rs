//! A line's buffer from the tick's side: waited for, and taken from.

use std::sync::PoisonError;
use std::time::Duration;

use media::{Span, Time};
use scheduling::{Carries, Readiness};

use super::{Content, Delivery, Kept, Lacking, Lean, LineBuffer, State, Take, Waited};
use crate::clock::Stop;
use crate::ingest::sound_queue::{EDGE, Heard};
use crate::way::{self, Station};

/// A live picture belongs to the tick next to it. Where pictures lie in the middle of two ticks,
/// those so near to it stay with the one they were with: stamps in milliseconds tremble.
const MIDDLE: Span = Span::from_flicks(Span::from_millis(3).flicks() / 5);

/// A file's picture this much later than the tick still belongs to it: containers that count in
/// milliseconds round, and at 30 frames a second every third picture would come a tick late.
const GRACE: Span = Span::from_millis(2);

const POLL: Duration = Duration::from_millis(100);

impl LineBuffer {
    /// Waits until the line has delivered beyond `to`, so that taking what lies before is exact.
    /// A line that delivers nothing at all for too long is given up: then the tracks waited for
    /// are idle, and the answer says so.
    pub(crate) fn wait_for(&self, to: Time, stop: &Stop) -> Waited {
        if self.is_live() {
            // What has not come by now comes late.
            return Waited::Known;
        }
        let mut state = self.lock();
        let from = to - self.tick;
        if from - state.taken > self.tick + Span::from_flicks(self.tick.flicks() / 2) {
            // Ticks were left out, or the line joined a show that runs: nobody asks for them any more.
            state.taken = from;
            self.moved.notify_all();
        }
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
            if still >= self.patience {
                let (seen, heard) = (video(&state), audio(&state));
                if !seen {
                    state.video = Delivery::Idle;
                }
                if !heard {
                    state.audio = Delivery::Idle;
                }
                return Waited::InVain(match (seen, heard) {
                    (false, true) => Lacking::Pictures,
                    (true, _) => Lacking::Sound,
                    (false, false) => Lacking::Both,
                });
            }
        }
        Waited::Known
    }

    /// Waits until there is a first picture, or sound where that is all there is, or none will
    /// come, or the time is up. Nobody waits for a live line: its encoder may come tomorrow.
    pub(crate) fn wait_for_first(&self, patience: Duration) {
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
