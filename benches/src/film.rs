//! A moving picture from a seed: detail that pans, a subject that crosses it, grain over both.
//!
//! It gives an encoder the work that film does: motion to find, edges, and noise to spend bits on.

use codecs::{CodecError, Picture, PictureMut, Plane};
use fixtures::noise::Noise;
use media::Size;

/// Pixels that a texture is larger than the picture, for panning; a power of two.
const ROOM: usize = 256;
/// How far grain goes to either side of a sample.
const GRAIN: usize = 5;

/// Samples of one plane, larger than the picture.
struct Texture {
    width: usize,
    samples: Vec<u8>,
}

impl Texture {
    /// Smooth hills, finer ones on them, and hard-edged tiles here and there.
    fn new(noise: &mut Noise, width: usize, height: usize, contrast: usize) -> Self {
        let coarse = Hills::new(noise, width, height, 64);
        let fine = Hills::new(noise, width, height, 8);
        let tiles = Hills::new(noise, width, height, 48);
        let mut samples = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let tile = if tiles.corner(x, y) > 200 { 60 } else { 0 };
                let height = coarse.at(x, y) + fine.at(x, y) / 4 + tile;
                // At most 255 + 63 + 60: `contrast` of 128 spreads it over 40 to 229.
                samples.push((128 - contrast * 88 / 128 + height * contrast / 256) as u8);
            }
        }
        Self { width, samples }
    }

    /// `len` samples of a row.
    fn row(&self, x: usize, y: usize, len: usize) -> &[u8] {
        &self.samples[y * self.width + x..][..len]
    }
}

/// Numbers from 0 to 255 on a grid, interpolated between its points.
struct Hills {
    step: usize,
    across: usize,
    points: Vec<u8>,
}

impl Hills {
    fn new(noise: &mut Noise, width: usize, height: usize, step: usize) -> Self {
        let across = width / step + 2;
        Self { step, across, points: noise.bytes(across * (height / step + 2)) }
    }

    fn corner(&self, x: usize, y: usize) -> usize {
        usize::from(self.points[y / self.step * self.across + x / self.step])
    }

    fn at(&self, x: usize, y: usize) -> usize {
        let (step, dx, dy) = (self.step, x % self.step, y % self.step);
        let (right, down) = (x + step, y + step);
        let upper = self.corner(x, y) * (step - dx) + self.corner(right, y) * dx;
        let lower = self.corner(x, down) * (step - dx) + self.corner(right, down) * dx;
        (upper * (step - dy) + lower * dy) / (step * step)
    }
}

/// `frames` pictures. Those of one seed and size are the same on every machine.
///
/// # Errors
/// A size that [`PictureMut`] does not take.
pub fn film(seed: u64, size: Size, frames: usize) -> Result<Vec<Picture>, CodecError> {
    let mut noise = Noise::new(seed);
    let (width, height) = (size.width as usize, size.height as usize);
    let textures = Plane::ALL.map(|plane| {
        let (shift, contrast) = if plane == Plane::Y { (0, 128) } else { (1, 48) };
        Texture::new(&mut noise, (width >> shift) + ROOM, (height >> shift) + ROOM, contrast)
    });
    let grain: Vec<u8> = (0..2 * width + 7919).map(|_| noise.within(0..=2 * GRAIN) as u8).collect();
    let mut picture = |frame: usize| -> Result<Picture, CodecError> {
        let mut picture = PictureMut::new(size)?;
        for (number, (plane, texture)) in picture.planes_mut().iter_mut().zip(&textures).enumerate() {
            let shift = usize::from(number > 0);
            let (width, height) = (plane.width, plane.height);
            // The pan: six pixels to the right and two down, there and back, always even.
            let (pan_x, pan_y) = (swing(6 * frame, ROOM - 2) >> shift, swing(2 * frame, ROOM - 2) >> shift);
            // The subject: a third of the picture each way, against the pan.
            let (across, down) = (width / 3, height / 3);
            let left = swing((10 * frame) >> shift, width - across);
            for (y, row) in plane.rows_mut().enumerate() {
                row.copy_from_slice(texture.row(pan_x, y + pan_y, width));
                if (down..2 * down).contains(&y) {
                    let subject = texture.row(ROOM / 4, y - down + ROOM / 4, across);
                    row[left..left + across].copy_from_slice(subject);
                }
                if number == 0 {
                    let from = noise.within(0..=grain.len() - width);
                    for (sample, grain) in row.iter_mut().zip(&grain[from..]) {
                        *sample = sample.saturating_add(*grain).saturating_sub(GRAIN as u8);
                    }
                }
            }
            debug_assert_eq!(height, plane.height);
        }
        Ok(picture.freeze())
    };
    (0..frames).map(&mut picture).collect()
}

/// From 0 up to `most` and back, for ever.
fn swing(at: usize, most: usize) -> usize {
    let most = most.max(1);
    let at = at % (2 * most);
    at.min(2 * most - at)
}

/// The samples of all planes, one after another: what a copy of the picture has to move.
pub fn samples(picture: &Picture) -> Vec<u8> {
    Plane::ALL.iter().flat_map(|plane| picture.plane(*plane).rows()).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_differs_and_the_seed_decides_all() {
        let size = Size::new(320, 180);
        let first: Vec<_> = film(1, size, 6).unwrap().iter().map(samples).collect();
        assert_eq!(first[0].len(), 320 * 180 * 3 / 2);
        assert_eq!(first, film(1, size, 6).unwrap().iter().map(samples).collect::<Vec<_>>());
        assert_ne!(first[0], samples(&film(2, size, 1).unwrap()[0]));
        for pair in first.windows(2) {
            let moved = pair[0].iter().zip(&pair[1]).filter(|(a, b)| a.abs_diff(**b) > 12).count();
            assert!(moved * 10 > pair[0].len(), "{moved} samples moved");
        }
    }

    #[test]
    fn a_swing_goes_there_and_back() {
        assert_eq!((0..7).map(|at| swing(at, 3)).collect::<Vec<_>>(), [0, 1, 2, 3, 2, 1, 0]);
    }
}
