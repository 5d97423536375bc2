//! A live line's time stamps, mapped on the show's timeline.
//!
//! Audio and video share one offset. A lone stamp far from where it should be
//! is re-stamped; three that agree are believed, and the offset moves.

use media::{FrameRate, Span, Time};

/// How long a live line's material waits, so that a late packet is not late on air.
pub(crate) const CUSHION: Span = Span::from_millis(200);
/// A stamp this far before show time is an outlier.
const BEHIND: Span = Span::from_millis(1500);
/// A stamp this far after show time is an outlier.
const BEYOND: Span = Span::from_millis(3000);
/// Stamps that agree to this are one jump.
const AGREE: Span = Span::from_millis(500);
/// How long sound waits for a first picture to share its offset with.
const PICTURES_FIRST: Span = Span::from_millis(1000);
/// So many make it true.
const WITNESSES: u8 = 3;

/// The mapping of one publisher's stream; the next one brings a new timeline.
#[derive(Debug)]
pub(crate) struct Stamps {
    /// The show's ticks: the first picture is put on one, so that pictures of the
    /// show's rate are shown when they are due and not up to a tick after their sound.
    ticks: FrameRate,
    /// Show time minus stream time.
    offset: Option<Span>,
    /// Where a jump would put the offset, and how many stamps have said so.
    jump: Option<(Span, u8)>,
    last: Time,
    /// When the first sound came without a picture before it.
    waiting_since: Option<Time>,
}

/// What became of a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// At this show time.
    At(Time),
    /// The stream's clock has jumped, and this is the first stamp after it.
    Jumped(Time, Span),
    /// Far off and alone: use the time after the last one.
    Outlier,
}

impl Stamps {
    pub(crate) fn new(ticks: FrameRate) -> Self {
        Self { ticks, offset: None, jump: None, last: Time::ZERO, waiting_since: None }
    }

    /// The offset that puts `pts` on the first tick a cushion from `now`.
    fn fresh(&self, pts: Time, now: Time) -> Span {
        self.ticks.time_of(self.ticks.tick_from(now + CUSHION)) - pts
    }

    /// The show time of a picture, `now` being show time.
    pub(crate) fn picture(&mut self, pts: Time, now: Time) -> Mapped {
        let fresh = self.fresh(pts, now);
        let Some(offset) = self.offset else {
            self.offset = Some(fresh);
            self.last = pts + fresh;
            return Mapped::At(self.last);
        };
        let at = pts + offset;
        if at >= now - BEHIND && at <= now + BEYOND {
            self.jump = None;
            self.last = at;
            return Mapped::At(at);
        }
        let witnesses = match self.jump {
            Some((there, n)) if (there - fresh).abs() <= AGREE => n + 1,
            _ => 1,
        };
        if witnesses < WITNESSES {
            self.jump = Some((fresh, witnesses));
            return Mapped::Outlier;
        }
        self.offset = Some(fresh);
        self.jump = None;
        self.last = pts + fresh;
        Mapped::Jumped(self.last, fresh - offset)
    }

    /// The show time of sound: it follows the pictures' offset, or founds one where there are none.
    pub(crate) fn sound(&mut self, pts: Time, now: Time) -> Option<Time> {
        // Sound that comes first founds nothing: pictures follow within the second, or there are none.
        let offset = match self.offset {
            Some(offset) => offset,
            None => {
                let first = *self.waiting_since.get_or_insert(now);
                if now - first < PICTURES_FIRST {
                    return None;
                }
                let fresh = self.fresh(pts, now);
                self.offset = Some(fresh);
                fresh
            }
        };
        let at = pts + offset;
        (at >= now - BEHIND && at <= now + BEYOND).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn stamps() -> Stamps {
        Stamps::new(FrameRate::new(25, 1).unwrap())
    }

    #[test]
    fn the_first_picture_lies_on_a_tick_and_sound_waits_for_it() {
        let mut stamps = stamps();
        assert_eq!(stamps.sound(ms(500), ms(1003)), None);
        assert_eq!(stamps.picture(ms(520), ms(1013)), Mapped::At(ms(1240)));
        assert_eq!(stamps.sound(ms(520), ms(1013)), Some(ms(1240)));
        let mut alone = self::stamps();
        assert_eq!(alone.sound(ms(0), ms(1000)), None);
        assert_eq!(alone.sound(ms(1000), ms(2000)), Some(ms(2200)));
    }

    #[test]
    fn one_offset_for_sound_and_pictures() {
        let mut stamps = stamps();
        assert_eq!(stamps.picture(ms(90_000), ms(1000)), Mapped::At(ms(1200)));
        assert_eq!(stamps.sound(ms(89_980), ms(1000)), Some(ms(1180)));
        assert_eq!(stamps.picture(ms(90_040), ms(1090)), Mapped::At(ms(1240)));
    }

    #[test]
    fn a_lone_outlier_moves_nothing_and_three_that_agree_move_the_offset() {
        let mut stamps = stamps();
        stamps.picture(ms(0), ms(0));
        assert_eq!(stamps.picture(ms(3_600_000), ms(40)), Mapped::Outlier);
        assert_eq!(stamps.picture(ms(80), ms(80)), Mapped::At(ms(280)));
        let jumped: Vec<_> = (0..3).map(|n| stamps.picture(ms(10_000 + 40 * n), ms(120 + 40 * n))).collect();
        assert_eq!(jumped[..2], [Mapped::Outlier, Mapped::Outlier]);
        assert_eq!(jumped[2], Mapped::Jumped(ms(400), Span::from_millis(120 + 200 - 10_000 - 200)));
        assert_eq!(stamps.picture(ms(10_120), ms(240)), Mapped::At(ms(440)));
    }

    #[test]
    fn wild_outliers_that_disagree_never_win() {
        let mut stamps = stamps();
        stamps.picture(ms(0), ms(0));
        for n in 1..50 {
            assert_eq!(stamps.picture(ms(n * 100_000), ms(n * 40)), Mapped::Outlier);
        }
    }
}
