//! Boxes on their way from one layout to another.

use media::Tick;
use serde::{Deserialize, Serialize};

use super::Stood;

/// A change of layout that takes its time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Motion {
    /// Where each box stood when it began, and how much of it was there.
    from: Vec<(Option<Stood>, f32)>,
    start: Tick,
    ticks: u32,
}

impl Motion {
    /// From `start` on, for so many ticks.
    pub(super) const fn new(from: Vec<(Option<Stood>, f32)>, start: Tick, ticks: u32) -> Self {
        Self { from, start, ticks }
    }

    /// The first tick after it.
    pub(super) const fn end(&self) -> Tick {
        Tick(self.start.0.saturating_add(self.ticks as u64))
    }

    pub(super) const fn is_on(&self, tick: Tick) -> bool {
        tick.0 < self.end().0
    }

    /// Whether it speaks of so many boxes.
    pub(super) const fn fits(&self, boxes: usize) -> bool {
        self.from.len() == boxes
    }

    /// Where each box is at a tick, on its way to `to`.
    pub(super) fn stands(&self, tick: Tick, to: &[Option<Stood>]) -> Vec<(Option<Stood>, f32)> {
        if tick < self.start {
            return self.from.clone();
        }
        let step = tick.0.saturating_sub(self.start.0).saturating_add(1);
        let of = u64::from(self.ticks).saturating_add(1);
        let (num, den) = eased(step, of);
        let share = step.min(of) as f32 / of as f32;
        let on_way = |((from, there), to): (&(Option<Stood>, f32), &Option<Stood>)| {
            let goal = if to.is_some() { 1.0 } else { 0.0 };
            let there = there + (goal - there) * share;
            let stood = match (from, to) {
                (Some(from), Some(to)) => {
                    Some(Stood { frame: from.frame.towards(to.frame, num, den), z: to.z })
                }
                (None, Some(to)) => {
                    Some(Stood { frame: to.frame.middle().towards(to.frame, num, den), z: to.z })
                }
                (Some(from), None) => {
                    // As it came: the border is kept until it is too small to be seen.
                    let frame = from.frame.middle().towards(from.frame, den - num, den);
                    Some(Stood { frame, z: from.z })
                }
                (None, None) => None,
            };
            (stood, there)
        };
        self.from.iter().zip(to).map(on_way).collect()
    }
}

/// `step / of` of the time as a part of the way: slow at both ends (3s² - 2s³).
fn eased(step: u64, of: u64) -> (u64, u64) {
    // A step is at most a minute of 240 ticks a second: the cubes fit easily.
    let (step, of) = (step.min(of).min(1 << 20), of.clamp(1, 1 << 20));
    (step * step * (3 * of - 2 * step), of * of * of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_slow_at_both_ends_and_half_way_at_half_time() {
        let at = |step| {
            let (num, den) = eased(step, 100);
            num as f64 / den as f64
        };
        assert_eq!([at(0), at(50), at(100), at(200)], [0.0, 0.5, 1.0, 1.0]);
        assert!(at(10) < 0.03 && at(90) > 0.97);
        for step in 0..100 {
            assert!(at(step) < at(step + 1));
            assert!((at(step) + at(100 - step) - 1.0).abs() < 1e-12);
        }
    }
}
