//! Where key frames lie: a fixed grid from tick 0, the same for every rung.

use media::{FrameRate, Span, Tick};
use serde::{Deserialize, Serialize};

/// The key frame grid of a ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyGrid {
    ticks: u64,
}

impl KeyGrid {
    /// A key frame every `keyframe`, to the nearest whole tick and at least one.
    pub fn new(rate: FrameRate, keyframe: Span) -> Self {
        let ticks = keyframe.as_units(rate.den(), rate.num());
        Self { ticks: u64::try_from(ticks).unwrap_or(0).max(1) }
    }
    /// Ticks from one key frame to the next.
    pub const fn ticks(self) -> u64 {
        // A value that was stored by another hand may be zero.
        if self.ticks == 0 { 1 } else { self.ticks }
    }
    /// Whether a key frame is due at `tick`: it lies on the grid, or a place on
    /// the grid went by since the tick decided before it.
    pub fn is_due(self, before: Option<Tick>, tick: Tick) -> bool {
        let n = self.ticks();
        before.is_none_or(|before| before.0 / n < tick.0 / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_in_whole_ticks() {
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        assert_eq!(KeyGrid::new(ntsc, Span::from_secs(2)).ticks(), 60);
        assert_eq!(KeyGrid::new(ntsc, Span::ZERO).ticks(), 1);
        assert_eq!(KeyGrid::new(ntsc, Span::from_secs(-2)).ticks(), 1);
    }

    #[test]
    fn a_place_that_was_skipped_is_made_up_for() {
        let grid = KeyGrid::new(FrameRate::new(25, 1).unwrap(), Span::from_secs(1));
        assert!(grid.is_due(None, Tick(3)));
        assert!(!grid.is_due(Some(Tick(3)), Tick(24)));
        assert!(grid.is_due(Some(Tick(24)), Tick(25)));
        assert!(grid.is_due(Some(Tick(24)), Tick(27)));
        assert!(!grid.is_due(Some(Tick(25)), Tick(26)));
    }
}
