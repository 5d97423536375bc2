//! Pictures that lie far from where they should, all of them: the mapping moves, by whole ticks.

use media::{Span, Time};

use super::{Company, Stamps, WITNESSES};

/// Pictures earlier than this (and a tick, since the first one is put up to a tick early)
/// wait for nothing: the line began with a burst.
pub(super) const EARLY: Span = Span::from_millis(500);
/// So long after it has begun a line may still be put right at once where its first pictures came
/// later than those after them: what connects, and decodes for the first time, takes its time.
pub(super) const SETTLING: Span = Span::from_secs(3);
/// Late packets are the network's nature: only when none has been in time for so long,
/// the mapping is to blame.
const LATE_PATIENCE: Span = Span::from_millis(2000);
/// No packet comes before it was sent: earliness is believed soon.
const EARLY_PATIENCE: Span = Span::from_millis(200);

/// Pictures that were all too late, or all too early, one after the other.
#[derive(Debug)]
pub(super) struct Strays {
    side: Side,
    since: Time,
    count: u8,
    /// The least lateness among them: negative is early.
    best: Span,
    /// And the most.
    worst: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Late,
    Early,
    /// By a tick and more, at the beginning.
    Spare,
}

impl Stamps {
    /// By how much the mapping is to move, and why, now that a picture came with this lateness.
    pub(super) fn strayed(&mut self, lateness: Span, now: Time) -> Option<(Side, Span)> {
        let tick = self.ticks.tick_span();
        let (side, patience) = if lateness > self.cushion() - self.least() {
            (Side::Late, LATE_PATIENCE)
        } else if lateness < -(EARLY + tick) {
            (Side::Early, EARLY_PATIENCE)
        } else if lateness <= -tick && self.settles(now) {
            (Side::Spare, EARLY_PATIENCE)
        } else {
            self.strays = None;
            return None;
        };
        let strays = match &mut self.strays {
            Some(strays) if strays.side == side => strays,
            other => other.insert(Strays { side, since: now, count: 0, best: lateness, worst: lateness }),
        };
        strays.count = strays.count.saturating_add(1);
        (strays.best, strays.worst) = (strays.best.min(lateness), strays.worst.max(lateness));
        if now - strays.since < patience || strays.count < WITNESSES {
            return None;
        }
        // Whole ticks, so that pictures that lay on ticks still do; the best one ends up with
        // the full cushion and less than a tick more. What is only spared at the beginning is no
        // more than none of them needed: a sender may well send in bursts.
        let best = if side == Side::Spare { strays.worst } else { strays.best }.flicks();
        let floor = best.div_euclid(tick.flicks());
        let ticks = if best.rem_euclid(tick.flicks()) > 0 { floor + 1 } else { floor };
        Some((side, tick.times(ticks)))
    }

    /// Whether it has just begun, by itself, and may be shown sooner than it was at first.
    fn settles(&self, now: Time) -> bool {
        let is_alone = self.company == Company::Alone && self.for_others.is_none();
        is_alone && now < self.settles_until
    }
}
