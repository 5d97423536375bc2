//! A picture as the lookahead sees it: luma alone, small, in blocks of eight by eight.

use media::Size;

use super::cost::apart;
use crate::picture::PlaneRef;

/// Pixels a side of a block.
pub(super) const SIDE: usize = 8;
/// Pixels beyond each edge, which repeat it, so that a block may be looked for a little outside.
pub(super) const MARGIN: usize = 24;

/// The pixels of a block, row by row.
pub(super) type Block = [[u8; SIDE]; SIDE];

/// Where a block is found in another picture: how far from its own place, in half pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Vector {
    pub(super) x: i16,
    pub(super) y: i16,
}

impl Vector {
    /// The furthest each way: a half pixel more must still lie in the margin, in full.
    const MOST: i16 = 2 * (MARGIN - SIDE - 2) as i16;

    pub(super) const STAYS: Self = Self { x: 0, y: 0 };

    pub(super) fn moved(self, x: i16, y: i16) -> Self {
        let within = |v: i16| v.clamp(-Self::MOST, Self::MOST);
        Self { x: within(self.x + x), y: within(self.y + y) }
    }

    /// To whole pixels.
    pub(super) const fn whole(self) -> Self {
        Self { x: self.x & !1, y: self.y & !1 }
    }
}

/// Where a block begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Origin(usize);

/// Luma in whole blocks, with a margin.
pub(super) struct Luma {
    size: Size,
    columns: usize,
    rows: usize,
    stride: usize,
    pixels: Vec<u8>,
}

impl Luma {
    /// Blocks that are not whole repeat the picture's last pixels.
    pub(super) fn of(plane: PlaneRef<'_>) -> Self {
        let (columns, rows) = (plane.width.div_ceil(SIDE), plane.height.div_ceil(SIDE));
        let stride = columns * SIDE + 2 * MARGIN;
        let lines = rows * SIDE + 2 * MARGIN;
        let mut pixels = Vec::with_capacity(stride * lines);
        for line in 0..lines {
            let row = plane.row(line.saturating_sub(MARGIN).min(plane.height.saturating_sub(1)));
            let (first, last) =
                (row.first().copied().unwrap_or_default(), row.last().copied().unwrap_or_default());
            pixels.resize(pixels.len() + MARGIN, first);
            pixels.extend_from_slice(row);
            pixels.resize((line + 1) * stride, last);
        }
        let size = Size::new(plane.width as u32, plane.height as u32);
        Self { size, columns, rows, stride, pixels }
    }

    /// In pixels, without what was added.
    pub(super) const fn size(&self) -> Size {
        self.size
    }
    pub(super) const fn columns(&self) -> usize {
        self.columns
    }
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }
    /// Blocks in all.
    pub(super) const fn blocks(&self) -> usize {
        self.columns * self.rows
    }

    /// Where block number `index` begins, counted row by row: in every picture of this size.
    pub(super) const fn origin(&self, index: usize) -> Origin {
        let (column, row) = (index % self.columns, index / self.columns);
        Origin((row * SIDE + MARGIN) * self.stride + column * SIDE + MARGIN)
    }

    /// A block as far from its place as `vector` says.
    #[inline]
    pub(super) fn block(&self, origin: Origin, vector: Vector) -> Block {
        let (x, y) = (isize::from(vector.x >> 1), isize::from(vector.y >> 1));
        let here = self.at(origin, x, y);
        match (vector.x & 1, vector.y & 1) {
            (0, 0) => here,
            (1, 0) => mean(&here, &self.at(origin, x + 1, y)),
            (0, _) => mean(&here, &self.at(origin, x, y + 1)),
            _ => mean(
                &mean(&here, &self.at(origin, x + 1, y)),
                &mean(&self.at(origin, x, y + 1), &self.at(origin, x + 1, y + 1)),
            ),
        }
    }

    /// How far apart `block` and the one in this place are: the sum of absolute differences.
    #[inline]
    pub(super) fn apart(&self, block: &Block, origin: Origin, vector: Vector) -> u32 {
        if vector != vector.whole() {
            return apart(block, &self.block(origin, vector));
        }
        // The same without a copy.
        let (x, y) = (isize::from(vector.x / 2), isize::from(vector.y / 2));
        let from = origin.0.wrapping_add_signed(y * self.stride as isize + x);
        let rows = &self.pixels[from..from + (SIDE - 1) * self.stride + SIDE];
        block
            .iter()
            .enumerate()
            .map(|(row, pixels)| {
                let other = &rows[row * self.stride..][..SIDE];
                pixels.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
            })
            .sum()
    }

    /// The row above a block, the column left of it, and the pixel where they meet.
    pub(super) fn around(&self, origin: Origin) -> ([u8; SIDE], [u8; SIDE], u8) {
        let above = self.at(origin, 0, -(SIDE as isize))[SIDE - 1];
        let left = self.at(origin, -(SIDE as isize), 0).map(|row| row[SIDE - 1]);
        let corner = self.at(origin, -(SIDE as isize), -(SIDE as isize))[SIDE - 1][SIDE - 1];
        (above, left, corner)
    }

    /// `x` and `y` lie within the margin.
    #[inline]
    fn at(&self, origin: Origin, x: isize, y: isize) -> Block {
        let from = origin.0.wrapping_add_signed(y * self.stride as isize + x);
        let mut block = Block::default();
        for (row, to) in block.iter_mut().enumerate() {
            let from = from + row * self.stride;
            to.copy_from_slice(&self.pixels[from..from + SIDE]);
        }
        block
    }
}

/// Halfway between two.
pub(super) fn mean(a: &Block, b: &Block) -> Block {
    let mut mean = Block::default();
    for ((to, a), b) in mean.as_flattened_mut().iter_mut().zip(a.as_flattened()).zip(b.as_flattened()) {
        *to = (u16::from(*a) + u16::from(*b)).div_ceil(2) as u8;
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ramp of 20 by 12: two and a half blocks by one and a half.
    fn ramp() -> Vec<u8> {
        (0..12).flat_map(|y| (0..20).map(move |x| 3 * x + 10 * y)).collect()
    }

    #[test]
    fn blocks_beyond_the_edges_repeat_them() {
        let data = ramp();
        let luma = Luma::of(PlaneRef { data: &data, stride: 20, width: 20, height: 12 });
        assert_eq!((luma.columns(), luma.rows(), luma.blocks()), (3, 2, 6));
        assert_eq!(luma.block(luma.origin(0), Vector::STAYS)[1], [10, 13, 16, 19, 22, 25, 28, 31]);
        assert_eq!(luma.block(luma.origin(5), Vector::STAYS)[3], [158, 161, 164, 167, 167, 167, 167, 167]);
        assert_eq!(
            luma.block(luma.origin(5), Vector::STAYS)[7],
            luma.block(luma.origin(5), Vector::STAYS)[3]
        );
        assert_eq!(luma.block(luma.origin(0), Vector::STAYS.moved(-99, -99)), [[0; 8]; 8]);
        assert_eq!(
            luma.around(luma.origin(4)),
            ([94, 97, 100, 103, 106, 109, 112, 115], [101, 111, 121, 131, 131, 131, 131, 131], 91)
        );
    }

    #[test]
    fn between_pixels_lies_their_mean() {
        let data = ramp();
        let luma = Luma::of(PlaneRef { data: &data, stride: 20, width: 20, height: 12 });
        let first = |x, y| luma.block(luma.origin(0), Vector { x, y })[0][0];
        assert_eq!((first(2, 0), first(0, 2), first(1, 0), first(0, 1), first(1, 1)), (3, 10, 2, 5, 7));
    }
}
