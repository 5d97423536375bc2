//! A live line's time stamps, mapped on the show's timeline.
//!
//! Audio and video share one offset. A lone stamp far from where it should be
//! is re-stamped; three that agree are believed, and the offset moves.

use media::{Span, Time};

/// How long a live line's material waits, so that a late packet is not late on air.
pub(crate) const CUSHION: Span = Span::from_millis(200);
/// A stamp this far before show time is an outlier.
const BEHIND: Span = Span::from_millis(1500);
/// A stamp this far after show time is an outlier.
const BEYOND: Span = Span::from_millis(3000);
/// Stamps that agree to this are one jump.
const AGREE: Span = Span::from_millis(500);
/// So many make it true.
const WITNESSES: u8 = 3;

/// The mapping of one publisher's stream; the next one brings a new timeline.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    /// Show time minus stream time.
    offset: Option<Span>,
    /// Where a jump would put the offset, and how many stamps have said so.
    jump: Option<(Span, u8)>,
    last: Time,
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
    /// The show time of a picture, `now` being show time.
    pub(crate) fn picture(&mut self, pts: Time, now: Time) -> Mapped {
        let fresh = (now + CUSHION) - pts;
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
        let offset = *self.offset.get_or_insert((now + CUSHION) - pts);
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

    #[test]
    fn one_offset_for_sound_and_pictures() {
        let mut stamps = Stamps::default();
        assert_eq!(stamps.picture(ms(90_000), ms(1000)), Mapped::At(ms(1200)));
        assert_eq!(stamps.sound(ms(89_980), ms(1000)), Some(ms(1180)));
        assert_eq!(stamps.picture(ms(90_040), ms(1090)), Mapped::At(ms(1240)));
    }

    #[test]
    fn a_lone_outlier_moves_nothing_and_three_that_agree_move_the_offset() {
        let mut stamps = Stamps::default();
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
        let mut stamps = Stamps::default();
        stamps.picture(ms(0), ms(0));
        for n in 1..50 {
            assert_eq!(stamps.picture(ms(n * 100_000), ms(n * 40)), Mapped::Outlier);
        }
    }
}
