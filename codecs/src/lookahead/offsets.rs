//! How much finer than others each part of a picture is to be written.

use std::sync::Arc;

/// For each part of a picture, by how much its quantiser is to differ from the picture's own, in steps
/// of QP: below zero it is written finer. Whatever size the picture is encoded in.
#[derive(Clone, PartialEq, Debug)]
pub struct QpOffsets {
    columns: usize,
    /// Blocks that fit into the picture across and down; the last ones may not be whole.
    across: f32,
    down: f32,
    qp: Arc<[f32]>,
}

impl QpOffsets {
    /// Of blocks of `side` pixels, row by row, in a picture of `width` by `height`; as many as are
    /// needed to cover it.
    pub(super) fn of(qp: Vec<f32>, side: usize, width: usize, height: usize) -> Self {
        let blocks = |pixels: usize| pixels as f32 / side as f32;
        Self {
            columns: width.div_ceil(side).max(1),
            across: blocks(width),
            down: blocks(height),
            qp: qp.into(),
        }
    }

    /// The offset at a place, from 0 at the left and the top to 1 at the right and the bottom: between
    /// the middles of blocks in even steps.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let rows = self.qp.len() / self.columns;
        let place = |at: f32, blocks: f32, count: usize| {
            let at = (at * blocks - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
            let first = at as usize;
            (first, (first + 1).min(count.saturating_sub(1)), at - first as f32)
        };
        let (left, right, x) = place(x, self.across, self.columns);
        let (upper, lower, y) = place(y, self.down, rows);
        let qp = |row: usize, column: usize| self.qp.get(row * self.columns + column).copied().unwrap_or(0.0);
        let line = |row| qp(row, left) * (1.0 - x) + qp(row, right) * x;
        line(upper) * (1.0 - y) + line(lower) * y
    }

    /// The offset of each block, row by row.
    pub fn blocks(&self) -> &[f32] {
        &self.qp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_blocks_offsets_change_evenly() {
        // Two blocks and a half across, one and a half down.
        let offsets = QpOffsets::of(vec![-1.0, -3.0, -5.0, 0.0, 0.0, 0.0], 8, 20, 12);
        for (x, y, qp) in [
            (0.0, 0.0, -1.0),
            (0.2, 0.0, -1.0),
            (0.4, 0.0, -2.0),
            (0.6, 0.0, -3.0),
            (1.0, 0.0, -5.0),
            (1.0, 1.0, 0.0),
            (0.2, 2.0 / 3.0, -0.5),
        ] {
            assert!((offsets.at(x, y) - qp).abs() < 1e-3, "{x} {y}: {}", offsets.at(x, y));
        }
    }
}
