//! Sound follows the pictures' mapping; where it comes later than they do, all waits for it.

use media::{Span, Time};

use super::{AGREE, BEHIND, Company, Course, Heard, Judge, Stamps, WITNESSES};
use crate::ingest::mapping::Mapping;

/// Sound that comes later than its pictures makes the line wait for it, by no more than this
/// in all: some multiplexers hold sound back until a packet is full.
pub(super) const WAIT_FOR_SOUND: Span = Span::from_millis(800);
/// How long sound waits for a first picture to share its mapping with.
const PICTURES_FIRST: Span = Span::from_millis(1000);
/// What none has needed of what is waited for sound, for so long, is waited no more.
const FORGOTTEN: Span = Span::from_secs(30);

/// So long after pictures have jumped sound may come that was sent before.
const ON_ITS_WAY: Span = Span::from_millis(1000);

/// The mapping before a jump, for sound that was sent before it and comes after its pictures.
#[derive(Debug)]
pub(super) struct Former {
    mapping: Mapping,
    /// Where the new one begins, and until when it is looked at.
    to: Time,
    until: Time,
}

impl Former {
    pub(super) fn new(mapping: Mapping, to: Time, now: Time) -> Self {
        Self { mapping, to, until: now + ON_ITS_WAY }
    }
}

/// The least that any sound has had to spare.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unneeded {
    since: Time,
    least: Span,
}

impl Stamps {
    /// Sound has jumped as well: what comes from here on was sent after it.
    pub(crate) fn leave_former(&mut self) {
        self.former = None;
    }

    /// The show time of sound that was sent before a jump.
    fn by_former(&mut self, pts: Time, now: Time) -> Option<Time> {
        let former = self.former.take()?;
        let at = former.mapping.place(pts);
        if now > former.until || at > former.to + AGREE || at < now - BEHIND {
            return None;
        }
        self.former = Some(former);
        Some(at)
    }

    /// The show time of sound whose stamps have just leapt, and that its pictures may follow: nothing is
    /// judged by it.
    pub(crate) fn leapt_sound(&mut self, pts: Time, now: Time) -> Option<Heard> {
        match self.place(pts) {
            Some(at) if self.judge == Judge::Pictures => {
                (at >= now - BEHIND && at <= now + self.beyond()).then_some(Heard::At(at))
            }
            _ => self.sound(pts, now),
        }
    }

    /// The show time of sound: it follows the pictures' mapping, or founds one where there are none.
    pub(crate) fn sound(&mut self, pts: Time, now: Time) -> Option<Heard> {
        if let Some(at) = self.by_former(pts, now) {
            return Some(Heard::Before(at));
        }
        // Sound that comes first founds nothing: pictures follow within the second, or there are none.
        let at = match self.place(pts) {
            Some(at) => at,
            None => {
                let first = *self.waiting_since.get_or_insert(now);
                if now - first < PICTURES_FIRST {
                    return None;
                }
                let fresh = self.fresh(now);
                self.found(pts, fresh);
                fresh
            }
        };
        if at < now - BEHIND || at > now + self.beyond() {
            // Pictures decide whether the clock has jumped, where there are any.
            if self.judge == Judge::Pictures || self.witness(now - pts, AGREE) < WITNESSES {
                return None;
            }
            let fresh = self.fresh(now);
            self.found(pts, fresh);
            return Some(Heard::At(fresh));
        }
        self.reached = self.reached.max(pts);
        if self.judge == Judge::Sound
            && let Some(by) = self.judge(pts, now)
        {
            return Some(Heard::Moved(at + by, by));
        }
        let late = (now + self.least() - at).min(self.behind_pictures(pts, now));
        if late <= Span::ZERO {
            self.note_spare(at, now);
            return Some(Heard::At(at));
        }
        // Whole ticks, as ever; and if there are any left, some more, since sound trembles as well, and
        // all of it is not to move again and again.
        let tick = self.ticks.tick_span();
        let ticks = |span: Span| (span.flicks() + tick.flicks() - 1).div_euclid(tick.flicks());
        let left = (WAIT_FOR_SOUND - self.waited).flicks().div_euclid(tick.flicks());
        if ticks(late) > left {
            return Some(Heard::At(at));
        }
        let by = tick.times(ticks(late + self.half()).min(left));
        self.shift(by);
        self.waited += by;
        self.unneeded = None;
        Some(Heard::Waits(at + by))
    }

    /// How much longer all would have to wait for sound that comes now, if its pictures came when
    /// they usually do: where a network stands still, they are as late, and nothing is to wait longer
    /// for ever.
    fn behind_pictures(&self, pts: Time, now: Time) -> Span {
        let (Some(last), Some(mapping)) = (self.last, &self.mapping) else { return Span::MAX };
        let waits =
            self.lateness.least(now).map_or(self.cushion(), |late| mapping.offset(self.reached) - late);
        (last.pts - pts) + self.least() - waits
    }

    /// Notes how much sooner than it had to this sound came. What was waited for sound that comes
    /// so late no more is given up, by a bend.
    fn note_spare(&mut self, at: Time, now: Time) {
        let is_free =
            self.course == Course::Own && self.company == Company::Alone && self.for_others.is_none();
        let waits = self.mapping.as_ref().zip(self.lateness.least(now));
        let (true, Some((mapping, late))) = (is_free && self.waited > Span::ZERO, waits) else {
            self.unneeded = None;
            return;
        };
        // As much as is given to sound that is waited for, it keeps; and a bend may still be at work.
        let bends = (mapping.offset(self.reached) - late - self.cushion()).max(Span::ZERO);
        let spare = at - now - self.least() - self.half() - bends;
        let unneeded = self.unneeded.get_or_insert(Unneeded { since: now, least: spare });
        unneeded.least = unneeded.least.min(spare);
        if now - unneeded.since < FORGOTTEN {
            return;
        }
        let tick = self.ticks.tick_span();
        let ticks = unneeded.least.min(self.waited).flicks().div_euclid(tick.flicks());
        if ticks > 0 {
            self.waited -= tick.times(ticks);
            self.target = None;
        }
        self.unneeded = None;
    }
}
