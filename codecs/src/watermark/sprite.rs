//! A drawing in one size, ready to be blended.
//!
//! All that can be done once is done once: BT.709 samples, how strongly each
//! is seen, and where nothing is seen at all. A frame costs two multiplications
//! per sample that shows, and none where the drawing hides everything.

use std::sync::OnceLock;

use image::RgbaImage;
use media::Size;

use super::layer::Layer;
use crate::colour::{Rgb, Yuv};
use crate::picture::{PictureMut, Plane};

/// How much of a drawing is seen: 0 to 256 steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Opacity(u16);

impl Opacity {
    /// As it was drawn.
    pub const FULL: Self = Self(256);

    /// So many steps of 256; more count as 256.
    pub const fn of_256(steps: u16) -> Self {
        Self(if steps < 256 { steps } else { 256 })
    }
}

/// Where a drawing is laid, and how strongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Laid {
    /// Its left edge on the picture, in pixels; it may lie beyond.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// How much of it is seen.
    pub opacity: Opacity,
}

/// A drawing in one size.
pub struct Sprite {
    size: Size,
    pixels: Vec<(Yuv, u8)>,
    luma: Layer,
    /// Colour has half the pixels: which of them meet depends on whether the place is even.
    chroma: [OnceLock<[Layer; 2]>; 4],
}

impl Sprite {
    pub(super) fn new(image: &RgbaImage) -> Self {
        let size = Size::new(image.width(), image.height());
        let pixels: Vec<_> = image
            .pixels()
            .map(|pixel| {
                let [r, g, b, a] = pixel.0;
                (Yuv::from(Rgb::new(r, g, b)), a)
            })
            .collect();
        let (width, height) = (size.width as usize, size.height as usize);
        let luma = Layer::new(width, height, |x, y| {
            let (colour, alpha) = pixels[y * width + x];
            (colour.y, alpha)
        });
        Self { size, pixels, luma, chroma: [const { OnceLock::new() }; 4] }
    }

    /// Its size.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Lays it over `picture`; what lies beyond the picture is cut off. Touches nothing else.
    pub fn blend(&self, picture: &mut PictureMut, laid: Laid) {
        let Laid { x, y, opacity: Opacity(steps) } = laid;
        if steps == 0 {
            return;
        }
        let [mut luma, mut blue, mut red] = picture.planes_mut();
        self.luma.blend(&mut luma, x, y, steps);
        let (odd_x, odd_y) = (x.rem_euclid(2), y.rem_euclid(2));
        let ready = &self.chroma[(odd_x + 2 * odd_y) as usize];
        let [blues, reds] = ready.get_or_init(|| self.chroma(odd_x as usize, odd_y as usize));
        let (x, y) = ((x - odd_x) / 2, (y - odd_y) / 2);
        blues.blend(&mut blue, x, y, steps);
        reds.blend(&mut red, x, y, steps);
    }

    fn chroma(&self, odd_x: usize, odd_y: usize) -> [Layer; 2] {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let (across, down) = ((width + odd_x).div_ceil(2), (height + odd_y).div_ceil(2));
        [|colour: Yuv| colour.u, |colour: Yuv| colour.v].map(|part| {
            Layer::new(across, down, |x, y| {
                let four = four(2 * x, 2 * y).map(|(x, y)| {
                    let (x, y) = (x.checked_sub(odd_x)?, y.checked_sub(odd_y)?);
                    let inside = x < width && y < height;
                    inside.then(|| self.pixels[y * width + x])
                });
                mean(four.map(|pixel| pixel.map(|(colour, alpha)| (part(colour), alpha))))
            })
        })
    }

    /// The slow, obvious twin of [`blend`](Self::blend), kept as its test oracle.
    pub fn blend_scalar(&self, picture: &mut PictureMut, laid: Laid) {
        let Laid { x: left, y: top, opacity: Opacity(steps) } = laid;
        let pixel = |x: i64, y: i64| -> Option<(Yuv, u8)> {
            let (x, y) = (x - i64::from(left), y - i64::from(top));
            let inside =
                (0..i64::from(self.size.width)).contains(&x) && (0..i64::from(self.size.height)).contains(&y);
            inside.then(|| self.pixels[y as usize * self.size.width as usize + x as usize])
        };
        let over = |below: u8, (value, alpha): (u8, u8)| {
            let alpha = (f64::from(alpha) * f64::from(steps) / 256.0 + 0.5).floor();
            ((f64::from(below) * (255.0 - alpha) + f64::from(value) * alpha) / 255.0).round() as u8
        };
        let mut plane = picture.plane_mut(Plane::Y);
        for y in 0..plane.height {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                if let Some((colour, alpha)) = pixel(x as i64, y as i64) {
                    *sample = over(*sample, (colour.y, alpha));
                }
            }
        }
        for (which, part) in
            [(Plane::U, (|colour: Yuv| colour.u) as fn(Yuv) -> u8), (Plane::V, |colour: Yuv| colour.v)]
        {
            let mut plane = picture.plane_mut(which);
            for y in 0..plane.height {
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    let four = four(2 * x, 2 * y).map(|(x, y)| pixel(x as i64, y as i64));
                    *sample =
                        over(*sample, mean(four.map(|pixel| pixel.map(|(colour, a)| (part(colour), a)))));
                }
            }
        }
    }
}

/// The four pixels of a colour sample.
const fn four(x: usize, y: usize) -> [(usize, usize); 4] {
    [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)]
}

/// A colour sample is the mean of its pixels, each as strong as it shows.
fn mean(four: [Option<(u8, u8)>; 4]) -> (u8, u8) {
    let four = four.map(|pixel| pixel.map_or((0, 0), |(value, alpha)| (u32::from(value), u32::from(alpha))));
    let alphas: u32 = four.iter().map(|(_, alpha)| alpha).sum();
    let sum: u32 = four.iter().map(|(value, alpha)| value * alpha).sum();
    let value = (sum + alphas / 2).checked_div(alphas).unwrap_or(0);
    (value as u8, ((alphas + 2) / 4) as u8)
}
