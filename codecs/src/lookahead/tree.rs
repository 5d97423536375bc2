//! What later pictures take from a picture, and what that makes its blocks worth.
//!
//! A block that many others lean on, over the next pictures, is worth more bits than one that is gone
//! with the next picture: the tree of x264's rate control (J. Garrett-Glaser, "A novel macroblock-tree
//! algorithm for high-performance optimization of dependent video coding in H.264/AVC", 2009).

use super::luma::{Luma, SIDE, Vector};

/// Steps of QP for each doubling of what a block is worth: found with four films and noise, where
/// SSIM was best at the same bitrate.
const STRENGTH: f32 = 3.0;

/// Pixels from a block to the next, in half pixels.
const APART: i32 = 2 * SIDE as i32;

/// What others take from each block of a picture, in the costs of [`cost::left`](super::cost::left).
pub(super) struct Taken<'a> {
    luma: &'a Luma,
    amount: Vec<f32>,
}

impl<'a> Taken<'a> {
    pub(super) fn nothing(luma: &'a Luma) -> Self {
        Self { luma, amount: vec![0.0; luma.blocks()] }
    }

    pub(super) fn of(&self, block: usize) -> f32 {
        self.amount[block]
    }

    /// So much from where block `index` is found: from up to four blocks, by what it covers of them.
    pub(super) fn take(&mut self, index: usize, at: Vector, amount: f32) {
        let (columns, rows) = (self.luma.columns() as i32, self.luma.rows() as i32);
        let x = index as i32 % columns * APART + i32::from(at.x);
        let y = index as i32 / columns * APART + i32::from(at.y);
        let (column, row) = (x.div_euclid(APART), y.div_euclid(APART));
        let part = |of: i32| of.rem_euclid(APART) as f32 / APART as f32;
        let (right, lower) = (part(x), part(y));
        for (column, row, part) in [
            (column, row, (1.0 - right) * (1.0 - lower)),
            (column + 1, row, right * (1.0 - lower)),
            (column, row + 1, (1.0 - right) * lower),
            (column + 1, row + 1, right * lower),
        ] {
            if part > 0.0 && (0..columns).contains(&column) && (0..rows).contains(&row) {
                self.amount[(row * columns + column) as usize] += amount * part;
            }
        }
    }

    /// Steps of QP for each block, by what it costs `alone` and what is taken of it.
    pub(super) fn offsets(&self, alone: &[u32]) -> Vec<f32> {
        let worth = alone.iter().zip(&self.amount).map(|(&alone, &taken)| (alone as f32, taken));
        worth.map(|(alone, taken)| -STRENGTH * ((alone + taken) / alone).log2()).collect()
    }
}

/// What of a block's cost another picture spares it: all that it costs `alone`, and all that is taken
/// from it in turn, but for the share that is `left` to be written anew.
pub(super) fn spared(alone: u32, taken: f32, left: u32) -> f32 {
    let share = 1.0 - left.min(alone) as f32 / alone as f32;
    (alone as f32 + taken) * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::PlaneRef;

    fn blank() -> Luma {
        Luma::of(PlaneRef { data: &[16; 32 * 16], stride: 32, width: 32, height: 16 })
    }

    #[test]
    fn what_is_taken_lies_under_what_takes_it() {
        let luma = blank();
        let mut taken = Taken::nothing(&luma);
        taken.take(0, Vector::STAYS, 100.0);
        assert_eq!(taken.amount, [100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        // A quarter of a block to the right, half of one down.
        taken.take(1, Vector { x: 4, y: 8 }, 80.0);
        assert_eq!(taken.amount, [100.0, 30.0, 10.0, 0.0, 0.0, 30.0, 10.0, 0.0]);
        // What lies outside is nobody's.
        taken.take(7, Vector { x: 8, y: 0 }, 10.0);
        taken.take(0, Vector { x: 0, y: -12 }, 100.0);
        assert_eq!(taken.amount, [125.0, 30.0, 10.0, 0.0, 0.0, 30.0, 10.0, 5.0]);
    }

    #[test]
    fn a_block_that_others_lean_on_is_written_finer() {
        assert_eq!(spared(200, 0.0, 0), 200.0);
        assert_eq!(spared(200, 100.0, 50), 225.0);
        assert_eq!(spared(200, 100.0, 900), 0.0, "what is new takes nothing");
        let luma = blank();
        let mut taken = Taken::nothing(&luma);
        taken.take(2, Vector::STAYS, 700.0);
        let offsets = taken.offsets(&[100; 8]);
        assert_eq!((offsets[1], offsets[2]), (0.0, -3.0 * STRENGTH));
    }
}
