//! A live line's time stamps, mapped on the show's timeline.
//!
//! Audio and video share one offset. A lone stamp far from where it should be
//! is re-stamped; three that agree are believed, and the offset moves. A sender's
//! clock that runs a little slow or fast moves it too, by whole ticks, whenever
//! the cushion has been used up.

use media::{FrameRate, Span, Time};

/// A stamp this far before show time is an outlier.
const BEHIND: Span = Span::from_millis(1500);
/// A stamp this far after show time is an outlier.
const BEYOND: Span = Span::from_millis(3000);
/// Stamps that agree to this are one jump.
const AGREE: Span = Span::from_millis(500);
/// Sound that comes later than its pictures makes the line wait for it, by no more than this
/// in all: some multiplexers hold sound back until a packet is full.
const WAIT_FOR_SOUND: Span = Span::from_millis(800);
/// How long sound waits for a first picture to share its offset with.
const PICTURES_FIRST: Span = Span::from_millis(1000);
/// So many make it true.
const WITNESSES: u8 = 3;
/// Pictures that leave less of the cushion than this, or than a fifth of it, are about to miss
/// their ticks.
const LEAST_CUSHION: Span = Span::from_millis(40);
/// Pictures earlier than this (and a tick, since the first one is put up to a tick early)
/// wait for nothing: the line began with a burst, or its clock runs fast.
const EARLY: Span = Span::from_millis(500);
/// Late packets are the network's nature: only when none has been in time for so long,
/// the offset is to blame.
const LATE_PATIENCE: Span = Span::from_millis(2000);
/// No packet comes before it was sent: earliness is believed soon.
const EARLY_PATIENCE: Span = Span::from_millis(200);

/// The mapping of one publisher's stream; the next one brings a new timeline.
#[derive(Debug)]
pub(crate) struct Stamps {
    /// The show's ticks: the first picture is put on one, so that pictures of the
    /// show's rate are shown when they are due and not up to a tick after their sound.
    ticks: FrameRate,
    /// How long material waits, so that a late packet is not late on air.
    depth: Span,
    /// Show time minus stream time.
    offset: Option<Span>,
    /// Where a jump would put the offset, and how many stamps have said so.
    jump: Option<(Span, u8)>,
    drift: Option<Drift>,
    /// When the first sound came without a picture before it.
    waiting_since: Option<Time>,
    /// What of [`WAIT_FOR_SOUND`] is used up.
    waited: Span,
}

/// Pictures that were all too late, or all too early, one after the other.
#[derive(Debug)]
struct Drift {
    side: Side,
    since: Time,
    count: u8,
    /// The least lateness among them: negative is early.
    best: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Late,
    Early,
}

/// What became of a block of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// At this show time.
    At(Time),
    /// It came too late to be heard in time: from here on everything waits longer by so much.
    Moved(Time, Span),
}

/// What became of a picture's stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// At this show time.
    At(Time),
    /// The stream's clock has jumped, and this is the first stamp after it.
    Jumped(Time, Span),
    /// The stream's clock runs slower (a positive span) or faster than the show's, or the
    /// first pictures came late: from this one on the offset is another by so much.
    Moved(Time, Span),
    /// Far off and alone: use the time after the last one.
    Outlier,
}

impl Stamps {
    pub(crate) fn new(ticks: FrameRate, depth: Span) -> Self {
        Self { ticks, depth, offset: None, jump: None, drift: None, waiting_since: None, waited: Span::ZERO }
    }

    /// How long pictures wait: longer where sound comes later than they do.
    fn cushion(&self) -> Span {
        self.depth + self.waited
    }

    fn least(&self) -> Span {
        LEAST_CUSHION.min(Span::from_flicks(self.depth.flicks() / 5))
    }

    /// The offset that puts `pts` on the first tick a cushion from `now`.
    fn fresh(&self, pts: Time, now: Time) -> Span {
        self.ticks.time_of(self.ticks.tick_from(now + self.cushion())) - pts
    }

    /// The show time of a picture, `now` being show time.
    pub(crate) fn picture(&mut self, pts: Time, now: Time) -> Mapped {
        let fresh = self.fresh(pts, now);
        let Some(offset) = self.offset else {
            self.offset = Some(fresh);
            return Mapped::At(pts + fresh);
        };
        let at = pts + offset;
        if at >= now - BEHIND && at <= now + BEYOND {
            self.jump = None;
            return match self.drifted(now + self.cushion() - at, now) {
                Some(by) => {
                    self.offset = Some(offset + by);
                    Mapped::Moved(at + by, by)
                }
                None => Mapped::At(at),
            };
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
        self.drift = None;
        Mapped::Jumped(pts + fresh, fresh - offset)
    }

    /// By how much the offset is to move, now that a picture came with this lateness.
    fn drifted(&mut self, lateness: Span, now: Time) -> Option<Span> {
        let tick = self.ticks.tick_span();
        let (side, patience) = if lateness > self.cushion() - self.least() {
            (Side::Late, LATE_PATIENCE)
        } else if lateness < -(EARLY + tick) {
            (Side::Early, EARLY_PATIENCE)
        } else {
            self.drift = None;
            return None;
        };
        let drift = match &mut self.drift {
            Some(drift) if drift.side == side => drift,
            other => other.insert(Drift { side, since: now, count: 0, best: lateness }),
        };
        drift.count = drift.count.saturating_add(1);
        drift.best = drift.best.min(lateness);
        if now - drift.since < patience || drift.count < WITNESSES {
            return None;
        }
        // Whole ticks, so that pictures that lay on ticks still do; the best one ends up with
        // the full cushion and less than a tick more.
        let best = drift.best.flicks();
        let floor = best.div_euclid(tick.flicks());
        let ticks = if best.rem_euclid(tick.flicks()) > 0 { floor + 1 } else { floor };
        self.drift = None;
        Some(tick.times(ticks))
    }

    /// The show time of sound: it follows the pictures' offset, or founds one where there are none.
    pub(crate) fn sound(&mut self, pts: Time, now: Time) -> Option<Heard> {
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
        if at < now - BEHIND || at > now + BEYOND {
            return None;
        }
        let late = now + self.least() - at;
        let room = WAIT_FOR_SOUND - self.waited;
        if late <= Span::ZERO || late > room {
            return Some(Heard::At(at));
        }
        // Whole ticks, as ever.
        let tick = self.ticks.tick_span();
        let by = tick.times((late.flicks() + tick.flicks() - 1).div_euclid(tick.flicks()));
        self.offset = Some(offset + by);
        self.waited += by;
        self.drift = None;
        Some(Heard::Moved(at + by, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSHION: Span = Span::from_millis(200);

    fn ms(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn stamps() -> Stamps {
        Stamps::new(FrameRate::new(25, 1).unwrap(), CUSHION)
    }

    #[test]
    fn the_first_picture_lies_on_a_tick_and_sound_waits_for_it() {
        let mut stamps = stamps();
        assert_eq!(stamps.sound(ms(500), ms(1003)), None);
        assert_eq!(stamps.picture(ms(520), ms(1013)), Mapped::At(ms(1240)));
        assert_eq!(stamps.sound(ms(520), ms(1013)), Some(Heard::At(ms(1240))));
        let mut alone = self::stamps();
        assert_eq!(alone.sound(ms(0), ms(1000)), None);
        assert_eq!(alone.sound(ms(1000), ms(2000)), Some(Heard::At(ms(2200))));
    }

    #[test]
    fn one_offset_for_sound_and_pictures() {
        let mut stamps = stamps();
        assert_eq!(stamps.picture(ms(90_000), ms(1000)), Mapped::At(ms(1200)));
        assert_eq!(stamps.sound(ms(89_980), ms(1000)), Some(Heard::At(ms(1180))));
        assert_eq!(stamps.picture(ms(90_040), ms(1090)), Mapped::At(ms(1240)));
    }

    /// A multiplexer that packs 360 ms of sound and sends it with the last of it.
    #[test]
    fn the_line_waits_for_sound_that_comes_late_but_not_for_ever() {
        let mut stamps = stamps();
        assert_eq!(stamps.picture(ms(0), ms(0)), Mapped::At(ms(200)));
        assert_eq!(stamps.sound(ms(0), ms(100)), Some(Heard::At(ms(200))));
        assert_eq!(stamps.sound(ms(40), ms(400)), Some(Heard::Moved(ms(440), ms(200) - Time::ZERO)));
        assert_eq!(stamps.sound(ms(400), ms(760)), Some(Heard::At(ms(800))));
        assert_eq!(stamps.picture(ms(760), ms(760)), Mapped::At(ms(1160)), "pictures wait with it");
        // Late by more than it may be: it is lost, and nothing moves.
        assert_eq!(stamps.sound(ms(0), ms(1060)), Some(Heard::At(ms(400))));
        assert_eq!(stamps.picture(ms(1060), ms(1060)), Mapped::At(ms(1460)));
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

    const TICK: i64 = 40;

    /// A line at 25 pictures a second whose clock is off by `ppm`, for so many seconds. Gives
    /// the moves, the ticks without a picture of their own, and the most that ever waited.
    fn drive(ppm: i64, seconds: i64) -> (Vec<Span>, u32, Span) {
        let mut stamps = stamps();
        let (mut moves, mut missed, mut ahead) = (Vec::new(), 0, Span::ZERO);
        // The tick last filled.
        let mut filled = None;
        for n in 0..seconds * 25 {
            // It says 40 ms; by the show's clock it takes a little longer, and the network
            // adds up to 30 ms.
            let jitter = Span::from_millis(n * 7919 % 31);
            let now = ms(1000) + Span::from_nanos(n * TICK * (1_000_000 + ppm)) + jitter;
            let at = match stamps.picture(ms(n * TICK), now) {
                Mapped::At(at) => at,
                Mapped::Moved(at, by) => {
                    moves.push(by);
                    at
                }
                other => panic!("{other:?} at {now}"),
            };
            ahead = ahead.max(at - now);
            let tick = at.as_millis_rounded() / TICK;
            if at < now {
                missed += 1;
            } else if let Some(last) = filled {
                missed += u32::try_from(tick - last - 1).unwrap_or(0);
            }
            filled = filled.max(Some(tick));
        }
        (moves, missed, ahead)
    }

    #[test]
    fn a_slow_clock_costs_a_handful_of_ticks_in_three_hours() {
        let (moves, missed, ahead) = drive(50, 3 * 3600);
        assert!((2..=4).contains(&moves.len()), "540 ms in moves of a cushion: {moves:?}");
        assert!(
            moves.iter().all(|by| *by > Span::ZERO && by.flicks() % Span::from_millis(TICK).flicks() == 0)
        );
        assert!(missed <= 20, "{missed} ticks without a picture");
        assert!(ahead <= CUSHION + Span::from_millis(TICK));
    }

    #[test]
    fn a_fast_clock_never_fills_the_queue() {
        for ppm in [-50, -500] {
            let (moves, missed, ahead) = drive(ppm, 3 * 3600);
            assert!(moves.iter().all(|by| *by < Span::ZERO));
            assert!(!moves.is_empty() || ppm == -50, "{moves:?}");
            assert!(missed == 0 && ahead < CUSHION + EARLY + Span::from_millis(3 * TICK), "{ahead} wait");
        }
    }

    #[test]
    fn a_clock_that_is_right_is_left_alone_whatever_the_jitter() {
        assert_eq!(drive(0, 600).0, []);
        // Late by up to half a second, but now and then one is in time.
        let mut stamps = stamps();
        for n in 0..1000 {
            let late = if n % 40 == 0 { 0 } else { n * 7919 % 500 };
            assert!(matches!(stamps.picture(ms(n * TICK), ms(n * TICK + late)), Mapped::At(_)));
        }
    }

    #[test]
    fn slow_ticks_do_not_swing() {
        let mut stamps = Stamps::new(FrameRate::new(1, 1).unwrap(), CUSHION);
        stamps.picture(ms(0), ms(0));
        let late = |n: i64| ms(n * TICK + 1000);
        let moves = (1..500).filter(|n| matches!(stamps.picture(ms(n * TICK), late(*n)), Mapped::Moved(..)));
        assert!(moves.count() <= 1);
    }

    /// A relay sends the GOP it has kept, four seconds of it, at once; then it is live.
    #[test]
    fn a_burst_at_the_beginning_is_caught_up_within_half_a_second() {
        let mut stamps = stamps();
        let mut last = None;
        for n in 0..150 {
            let live = (n - 100).max(0);
            let now = ms(5000 + live * TICK + (n % 100) / 2);
            if let Mapped::At(at) | Mapped::Jumped(at, _) | Mapped::Moved(at, _) =
                stamps.picture(ms(n * TICK), now)
            {
                last = Some((live, at - now));
            }
            if live > 12 {
                let (_, ahead) = last.unwrap();
                assert!(
                    ahead <= CUSHION + Span::from_millis(2 * TICK) && ahead > Span::ZERO,
                    "{ahead} at {live}"
                );
            }
        }
    }
}
