//! A sender's clock that runs slow or fast: the mapping bends with it.

use media::{Span, Time};

use super::{Bending, Company, Course, Joining, Stamps};
use crate::ingest::drift::Reading;

/// A line that is to be shown together with others, and is off by more than this, moves at once.
const ALONE: Span = Span::from_millis(60);
/// What waits may be off by this, in seconds, before anything bends.
const DEAD_BAND: f64 = 0.002;
/// Bending ends when it is off by less than this, and no drift is known.
const NEAR: f64 = 0.000_3;
/// A clock that is off by less is right.
const RIGHT: f64 = 3e-6;
/// In so many seconds most of what is off is gone.
const CORRECTED: f64 = 10.0;
/// What is off is corrected at this rate at the most: 3 cents of pitch.
const GENTLE: f64 = 0.002;
/// At this one where other lines wait to be in step with it, or it waits a tick and more too long:
/// 9 cents.
const BRISK: f64 = 0.005;
/// And at this one, with drift and all, where the cushion is half gone. Sound may be bent by
/// 1 %, and must be able to follow.
const MOST: f64 = 0.009;
/// The rate changes by no more than this at a time.
const STEP: f64 = 0.000_5;

impl Stamps {
    /// Notes how late the stream is, and bends the mapping where that has changed.
    /// Gives by how much it moved instead, where it is to wait much longer, or not any more.
    pub(super) fn judge(&mut self, pts: Time, now: Time) -> Option<Span> {
        if self.lateness.came(pts, now) == Reading::Goes {
            return None;
        }
        if self.course == Course::Followed {
            return None;
        }
        let (cushion, exactly) = (self.cushion(), self.for_others.is_some());
        let late = self.lateness.least(now)?;
        let mapping = self.mapping.as_mut()?;
        let waits = mapping.offset(self.reached) - late;
        let joins = std::mem::replace(&mut self.joining, Joining::No) == Joining::Yes;
        let off = (cushion - waits).abs();
        if exactly && (off > ALONE || joins && off.as_secs_f64() > DEAD_BAND) {
            self.shift(cushion - waits);
            return Some(cushion - waits);
        }
        let tick = self.ticks.tick_span();
        let target = *self.target.get_or_insert_with(|| {
            if exactly {
                return cushion;
            }
            // By whole ticks from where it is, so that pictures that lie on ticks still do; and a
            // hair less than the cushion is no reason to wait a tick longer.
            let more = (waits - cushion).flicks().rem_euclid(tick.flicks().max(1));
            let near = more > tick.flicks() / 4 * 3;
            cushion + Span::from_flicks(if near { more - tick.flicks() } else { more })
        });
        let off = (target - waits).as_secs_f64();
        let drift = self.lateness.drift().unwrap_or(0.0);
        if off.abs() > DEAD_BAND {
            self.bending = Bending::Yes;
        } else if off.abs() < NEAR && drift.abs() < RIGHT {
            self.bending = Bending::No;
        }
        let is_urgent = waits < Span::from_flicks(cushion.flicks() / 2);
        // The sooner it is in step, the sooner a failover is not seen.
        let hurries = self.for_step > Span::ZERO && off > 0.0
            || self.company == Company::Alone && off < -tick.as_secs_f64();
        let (most, step) = match (is_urgent, hurries) {
            (true, _) => (MOST, 4.0 * STEP),
            (false, true) => (BRISK, STEP),
            (false, false) => (GENTLE, STEP),
        };
        let wanted = match self.bending {
            Bending::No => 0.0,
            Bending::Yes => (drift + (off / CORRECTED).clamp(-most, most)).clamp(-MOST, MOST),
        };
        let slope = mapping.slope() as f64 / 1e9;
        let next = slope + (wanted - slope).clamp(-step, step);
        mapping.bend(self.reached, (next * 1e9).round() as i64);
        None
    }
}
