//! A picture from far: what is left of it when it is a grid of 8 by 8 cells.

use crate::picture::{Picture, Plane};

/// Cells a side.
const CELLS: usize = 8;
/// Points a side by which a cell is judged: one in some hundred of its pixels.
const POINTS: usize = 4;

impl Picture {
    /// The mean luma of 8 by 8 cells, row by row, each judged by 16 points of it. Cheap enough for
    /// every picture: 1024 pixels are read, whatever its size.
    ///
    /// ```
    /// use codecs::{PictureMut, Yuv};
    /// use media::Size;
    ///
    /// let grey = PictureMut::filled(Size::new(640, 360), Yuv::new(90, 128, 128))?.freeze();
    /// assert_eq!(grey.glance(), [90; 64]);
    /// # Ok::<(), codecs::CodecError>(())
    /// ```
    pub fn glance(&self) -> [u8; CELLS * CELLS] {
        let luma = self.plane(Plane::Y);
        // In the middle of each part, so that the edges count no more than the rest.
        let place = |n: usize, of: usize| (2 * n + 1) * of / (2 * CELLS * POINTS);
        let mut sums = [0u32; CELLS * CELLS];
        for y in 0..CELLS * POINTS {
            let row = luma.row(place(y, luma.height));
            for x in 0..CELLS * POINTS {
                let pixel = row.get(place(x, luma.width)).copied().unwrap_or(0);
                if let Some(sum) = sums.get_mut(y / POINTS * CELLS + x / POINTS) {
                    *sum += u32::from(pixel);
                }
            }
        }
        sums.map(|sum| (sum / (POINTS * POINTS) as u32) as u8)
    }
}

#[cfg(test)]
mod tests {
    use media::Size;

    use crate::{PictureMut, Plane};

    #[test]
    fn each_cell_is_where_it_belongs_in_any_size() {
        for size in [Size::new(16, 16), Size::new(1920, 1080), Size::new(33, 17), Size::new(1, 1)] {
            let mut picture = PictureMut::new(size).unwrap();
            let (width, height) = (size.width as usize, size.height as usize);
            for (y, row) in picture.plane_mut(Plane::Y).rows_mut().enumerate() {
                row.iter_mut().enumerate().for_each(|(x, pixel)| {
                    *pixel = (y * 8 / height * 8 + x * 8 / width) as u8;
                });
            }
            let glance = picture.freeze().glance();
            if width >= 16 && height >= 16 && width % 8 == 0 && height % 8 == 0 {
                assert_eq!(glance.to_vec(), (0..64).collect::<Vec<u8>>(), "{size}");
            }
        }
    }
}
