//! The pattern laid over pictures of one size.

use media::Size;

use super::{BITS, Grid, Message, cell};
use crate::error::CodecError;
use crate::picture::{PictureMut, Plane};

/// A pattern, made ready for pictures of one size.
pub struct Pattern {
    size: Size,
    /// For each row of cells, what is added to and what is taken from each sample of a row.
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Pattern {
    /// This message in steps of `strength`; `None` for pictures that are too small for it (less
    /// than 192 across or 16 down).
    pub fn new(message: Message, strength: u8, size: Size) -> Option<Self> {
        let grid = Grid::of(size)?;
        let word = message.word();
        let width = size.width as usize;
        let rows = grid.chips.chunks_exact(grid.across).map(|chips| {
            let ups = (0..width).map(|x| {
                let chip = chips[cell(x, width, grid.across)];
                (word >> (BITS - 1 - chip.bit) & 1 == 1) == chip.up
            });
            let step = |is: bool| if is { strength } else { 0 };
            ups.map(|up| (step(up), step(!up))).unzip()
        });
        Some(Self { size, rows: rows.collect() })
    }

    /// Lays it over `picture`.
    ///
    /// # Errors
    /// A picture of another size.
    pub fn lay(&self, picture: &mut PictureMut) -> Result<(), CodecError> {
        self.check(picture)?;
        let mut luma = picture.plane_mut(Plane::Y);
        let height = luma.height;
        for (y, row) in luma.rows_mut().enumerate() {
            let (up, down) = &self.rows[cell(y, height, self.rows.len())];
            for ((sample, &up), &down) in row.iter_mut().zip(up).zip(down) {
                *sample = sample.saturating_add(up).saturating_sub(down);
            }
        }
        Ok(())
    }

    /// The slow, obvious twin of [`lay`](Self::lay), kept as its test oracle.
    ///
    /// # Errors
    /// As `lay`.
    pub fn lay_scalar(&self, picture: &mut PictureMut) -> Result<(), CodecError> {
        self.check(picture)?;
        let mut luma = picture.plane_mut(Plane::Y);
        for y in 0..luma.height {
            let (up, down) = &self.rows[y * self.rows.len() / luma.height];
            for (x, sample) in luma.row_mut(y).iter_mut().enumerate() {
                let changed = i32::from(*sample) + i32::from(up[x]) - i32::from(down[x]);
                *sample = changed.clamp(0, 255) as u8;
            }
        }
        Ok(())
    }

    fn check(&self, picture: &PictureMut) -> Result<(), CodecError> {
        match picture.size() == self.size {
            true => Ok(()),
            false => Err(CodecError::PictureSize { got: picture.size(), want: self.size }),
        }
    }
}
