//! A live line's time stamps, mapped on the show's timeline.
//!
//! Audio and video share one mapping. A lone stamp far from where it should be is
//! re-stamped; three that agree are believed, and the mapping moves. Where a sender's
//! clock runs a little slow or fast, the mapping bends, by no more than 1 %, so that what
//! waits stays as much as it was; only where that is not enough, it moves by whole ticks.

mod bending;
mod following;
mod hearing;
mod strays;

use media::{FrameRate, Span, Time};

use crate::ingest::drift::Lateness;
use crate::ingest::mapping::Mapping;
use hearing::{Former, Unneeded};
use strays::{EARLY, SETTLING, Side, Strays};

/// A stamp this far before show time is too late for any use.
const BEHIND: Span = Span::from_millis(1500);
/// A stamp this far after show time is an outlier.
const BEYOND: Span = Span::from_millis(3000);
/// Stamps that agree to this are one jump.
const AGREE: Span = Span::from_millis(500);
/// Late stamps that agree to this come as fast as they were made: nothing is caught up.
const ABREAST: Span = Span::from_millis(20);
/// A stamp that lies so much further from the last one than time has passed is an outlier.
const LEAP: Span = Span::from_millis(500);
/// So many make it true.
const WITNESSES: u8 = 3;
/// Pictures that leave less of the cushion than this, or than a fifth of it, are about to miss
/// their ticks.
const LEAST_CUSHION: Span = Span::from_millis(40);
/// No line waits longer than this so that others of its camera can be in step.
pub(crate) const MOST_FOR_STEP: Span = Span::from_secs(1);

/// The mapping of one publisher's stream; the next one brings a new timeline.
#[derive(Debug)]
pub(crate) struct Stamps {
    /// The show's ticks: the first picture is put on one.
    ticks: FrameRate,
    /// How long material waits, so that a late packet is not late on air.
    depth: Span,
    mapping: Option<Mapping>,
    lateness: Lateness,
    /// Until when it is still beginning.
    settles_until: Time,
    /// Whether sound tells how late the stream is, for want of pictures.
    judge: Judge,
    /// How much of what is least late is to wait; set when that is first known.
    target: Option<Span>,
    bending: Bending,
    /// The last stream time mapped, and where to; of pictures, and when that came.
    reached: Time,
    last: Option<Last>,
    /// Where a jump would lead, and how many stamps have said so.
    jump: Option<Jump>,
    /// What was before the last jump.
    former: Option<Former>,
    strays: Option<Strays>,
    /// When the first sound came without a picture before it.
    waiting_since: Option<Time>,
    /// How much longer it waits for sound that comes late.
    waited: Span,
    /// What of that no sound has needed of late.
    unneeded: Option<Unneeded>,
    /// How much longer it waits for lines that are slower; `None` where it waits for nobody.
    for_others: Option<Span>,
    /// Whether it has just begun to.
    joining: Joining,
    /// Whose mapping it goes by.
    course: Course,
    /// How much longer all of it waits so that other lines of its camera can be in step.
    for_step: Span,
    company: Company,
}

/// Whether its camera has other lines, which may turn out to carry the same, and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Alone,
    Others,
}

/// Whose mapping a line goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Its own.
    Own,
    /// That of another line of its camera, which carries the same.
    Followed,
}

/// The last picture whose stamp was believed, or stood in for.
#[derive(Debug, Clone, Copy)]
struct Last {
    pts: Time,
    came: Time,
    at: Time,
    /// Between the last two.
    interval: Span,
}

#[derive(Debug, Clone, Copy)]
struct Jump {
    /// The lateness of the first witness, and the least of all.
    first: Span,
    least: Span,
    witnesses: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    Sound,
    Pictures,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    No,
    Yes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bending {
    No,
    Yes,
}

/// What comes lies elsewhere from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Where the first of it lies.
    pub(crate) at: Time,
    /// Later by so much than it would have.
    pub(crate) by: Span,
}

/// It comes too late to be shown so early, or too early to be shown so late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfReach;

/// What became of a block of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// At this show time.
    At(Time),
    /// The same, of sound that was sent before its pictures jumped.
    Before(Time),
    /// All of what came was late or early, or waits for others: the mapping is another by so much.
    Moved(Time, Span),
    /// It came too late to be heard in time: from here on everything waits longer.
    Waits(Time),
}

/// What became of a picture's stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// At this show time.
    At(Time),
    /// The stream's clock has jumped, and this is the first stamp after it.
    Jumped(Time, Span),
    /// All of what came was late, or early: from this one on the mapping is another by so much.
    Moved(Time, Span),
    /// It began late and does so no more: the mapping is another by so much, as if it had begun in time.
    Settled(Time, Span),
    /// Far off and alone: this time stands in.
    Outlier(Time),
}

impl Mapped {
    /// Where the picture lies.
    pub(crate) fn at(self) -> Time {
        match self {
            Self::At(at)
            | Self::Jumped(at, _)
            | Self::Moved(at, _)
            | Self::Settled(at, _)
            | Self::Outlier(at) => at,
        }
    }
}

/// Where a stream's clock stands beside the show's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// Show time minus stream time.
    pub(crate) offset: Span,
    /// How much faster the sender's clock runs than the show's, in millionths; `None` before
    /// that is known.
    pub(crate) drift_ppm: Option<f64>,
}

impl Stamps {
    pub(crate) fn new(ticks: FrameRate, depth: Span) -> Self {
        Self {
            ticks,
            depth,
            mapping: None,
            lateness: Lateness::default(),
            settles_until: Time::ZERO,
            judge: Judge::Sound,
            target: None,
            bending: Bending::No,
            reached: Time::ZERO,
            last: None,
            jump: None,
            former: None,
            strays: None,
            waiting_since: None,
            waited: Span::ZERO,
            unneeded: None,
            for_others: None,
            joining: Joining::No,
            course: Course::Own,
            for_step: Span::ZERO,
            company: Company::Alone,
        }
    }

    /// Its camera has other lines: what it waits too long is not hurried away, since it may have to
    /// wait as long for one of them.
    pub(crate) fn among_others(&mut self) {
        self.company = Company::Others;
    }

    /// Its own mapping, to be followed.
    pub(crate) fn mapping(&self) -> Option<&Mapping> {
        self.mapping.as_ref()
    }

    /// What of the stream is shown at this show time.
    pub(crate) fn stream_at(&self, at: Time) -> Option<Time> {
        self.mapping.as_ref().map(|mapping| at - mapping.offset(self.reached))
    }

    /// What of the stream should come now; `None` before anything has come.
    pub(crate) fn due(&self, now: Time) -> Option<Time> {
        self.stream_at(now + self.cushion())
    }

    /// From here on it waits so much longer, for lines that are slower, and to the point.
    pub(crate) fn wait_for_others(&mut self, wait: Span) {
        if self.for_others.is_none() {
            self.joining = Joining::Yes;
        }
        if self.for_others != Some(wait) {
            (self.for_others, self.target) = (Some(wait), None);
        }
    }

    /// How long after its time in the stream a picture could be shown, without waiting for others;
    /// `None` before that is known.
    pub(crate) fn delay(&self, now: Time) -> Option<Span> {
        self.lateness.least(now).map(|late| late + self.depth + self.waited)
    }

    /// How long after its time in the stream a picture comes; `None` before that is known.
    pub(crate) fn comes(&self, now: Time) -> Option<Span> {
        self.lateness.least(now)
    }

    /// How much longer all of it waits for sound that comes late.
    pub(crate) fn waits_for_sound(&self) -> Span {
        self.waited
    }

    /// How long pictures wait: longer where sound comes later than they do.
    fn cushion(&self) -> Span {
        self.depth + self.waited + self.for_step + self.for_others.unwrap_or(Span::ZERO)
    }

    /// How far after show time a stamp is an outlier.
    fn beyond(&self) -> Span {
        BEYOND + self.for_step + self.for_others.unwrap_or(Span::ZERO)
    }

    fn least(&self) -> Span {
        LEAST_CUSHION.min(Span::from_flicks(self.depth.flicks() / 5))
    }

    /// The first tick a cushion from `now`.
    fn fresh(&self, now: Time) -> Time {
        self.ticks.time_of(self.ticks.tick_from(now + self.cushion()))
    }

    /// Where a moment of the stream lies; `None` before anything has come.
    pub(crate) fn place(&self, pts: Time) -> Option<Time> {
        self.mapping.as_ref().map(|mapping| mapping.place(pts))
    }

    /// Where its clock stands; `None` before anything has come.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let offset = self.mapping.as_ref()?.offset(self.reached);
        Some(Standing { offset, drift_ppm: self.lateness.drift().map(|slower| -slower * 1e6) })
    }

    /// A new timeline, on which `pts` lies at `at`.
    fn found(&mut self, pts: Time, at: Time) {
        self.mapping = Some(Mapping::new(pts, at));
        (self.lateness, self.target, self.bending) = (Lateness::default(), None, Bending::No);
        (self.jump, self.strays, self.reached) = (None, None, pts);
        self.former = None;
        self.course = Course::Own;
    }

    /// The show time of a picture, `now` being show time.
    pub(crate) fn picture(&mut self, pts: Time, now: Time) -> Mapped {
        let mapped = self.map(pts, now);
        let at = mapped.at();
        let interval = self.last.map_or(self.ticks.tick_span(), |last| {
            let one = pts - last.pts;
            if one > Span::ZERO && one < LEAP { one } else { last.interval }
        });
        match mapped {
            Mapped::Outlier(_) => self.last = self.last.map(|last| Last { at, ..last }),
            _ => self.last = Some(Last { pts, came: now, at, interval }),
        }
        mapped
    }

    fn map(&mut self, pts: Time, now: Time) -> Mapped {
        let Some(mapping) = &self.mapping else {
            let at = self.fresh(now);
            self.found(pts, at);
            self.judge = Judge::Pictures;
            self.settles_until = now + SETTLING;
            return Mapped::At(at);
        };
        let at = mapping.place(pts);
        if self.judge == Judge::Sound {
            (self.judge, self.lateness) = (Judge::Pictures, Lateness::default());
        }
        let (back, leap) = self.last.map_or((false, false), |last| {
            let step = pts - last.pts;
            // What lies where it can be played is no leap: something before it was lost.
            let is_far = at > now + self.cushion() + EARLY;
            (step < -last.interval, is_far && step > (now - last.came).max(Span::ZERO) + LEAP)
        });
        let astray = back || leap || at > now + self.beyond();
        if astray || at < now - BEHIND {
            // Late stamps may be the end of a stall, after which all is caught up in a moment.
            let agree = if astray { AGREE } else { ABREAST };
            if self.witness(now - pts, agree) >= WITNESSES {
                let was = self.mapping.clone();
                let mapped = self.jumped(pts, at, now);
                // Where nothing but the network stood still, sound is as late.
                self.former = was.filter(|_| astray).map(|was| Former::new(was, mapped.at(), now));
                return mapped;
            }
            return if astray { Mapped::Outlier(self.stand_in(now)) } else { Mapped::At(at) };
        }
        self.jump = None;
        if let Some((side, by)) = self.strayed(now + self.cushion() - at, now) {
            self.shift(by);
            return match side {
                Side::Spare => Mapped::Settled(at + by, by),
                Side::Late | Side::Early => Mapped::Moved(at + by, by),
            };
        }
        self.reached = self.reached.max(pts);
        match self.judge(pts, now) {
            Some(by) => Mapped::Moved(at + by, by),
            None => Mapped::At(at),
        }
    }

    /// How many stamps in a row say that the stream is this late.
    fn witness(&mut self, late: Span, agree: Span) -> u8 {
        let jump = match self.jump {
            Some(Jump { first, least, witnesses }) if (late - first).abs() <= agree => {
                Jump { first, least: least.min(late), witnesses: witnesses.saturating_add(1) }
            }
            _ => Jump { first: late, least: late, witnesses: 1 },
        };
        self.jump = Some(jump);
        jump.witnesses
    }

    /// The stream's clock has jumped: the show goes on in step with what was before, if that
    /// was in time, and as much as before waits.
    fn jumped(&mut self, pts: Time, was: Time, now: Time) -> Mapped {
        // By the offset as it is: a bend reaches hours ahead with a clock that jumps there.
        let was = self.mapping.as_ref().map_or(was, |mapping| pts + mapping.offset(self.reached));
        let fresh = self.fresh(now);
        let least = self.jump.map_or(now - pts, |jump| jump.least);
        let waits = self.mapping.as_ref().zip(self.lateness.least(now));
        let waits = waits.map_or(self.cushion(), |(mapping, late)| mapping.offset(self.reached) - late);
        let tick = self.ticks.tick_span();
        let at = match self.last {
            Some(last) if waits >= self.least() && waits <= self.cushion() + EARLY => {
                let ticks = ((pts + least + waits) - last.at).flicks() as f64 / tick.flicks().max(1) as f64;
                let next = last.at + tick.times((ticks.round() as i64).max(1));
                if (next - fresh).abs() <= EARLY { next } else { fresh }
            }
            _ => fresh,
        };
        let slope = self.mapping.as_ref().map_or(0, Mapping::slope);
        self.found(pts, at);
        if let Some(mapping) = &mut self.mapping {
            mapping.bend(pts, slope);
        }
        Mapped::Jumped(at, at - was)
    }

    /// What stands in for a stamp that is far off; no number of them leads away from show time.
    fn stand_in(&self, now: Time) -> Time {
        let next = self.last.map_or(now, |last| last.at + last.interval.min(self.ticks.tick_span()));
        next.min(now + self.beyond())
    }

    fn shift(&mut self, by: Span) {
        if let Some(mapping) = &mut self.mapping {
            mapping.shift(by);
        }
        // Who moves by himself does not follow any more.
        (self.target, self.strays, self.course) = (None, None, Course::Own);
    }
}

#[cfg(test)]
mod tests;
