//! From any matrix's YCbCr to BT.709's, both limited, in place.
//!
//! A grey stays the grey it is under every matrix, so luma moves by a share of
//! the two differences only, and the differences by shares of each other: six
//! numbers instead of a way through RGB and back, which would round and clip.

use crate::colour::Matrix;
use crate::picture::{PictureMut, PlaneMut};

/// Fixed point: this many bits behind the point.
const BITS: u32 = 14;
const HALF: i32 = 1 << (BITS - 1);

/// The weights of red and blue in luma.
#[derive(Clone, Copy)]
struct Weights {
    red: f64,
    blue: f64,
}

const BT709: Weights = Weights { red: 0.2126, blue: 0.0722 };

const fn weights(matrix: Matrix) -> Option<Weights> {
    match matrix {
        Matrix::Bt601 => Some(Weights { red: 0.299, blue: 0.114 }),
        Matrix::Bt2020 => Some(Weights { red: 0.2627, blue: 0.0593 }),
        Matrix::Smpte240 => Some(Weights { red: 0.212, blue: 0.087 }),
        Matrix::Bt709 | Matrix::Rgb | Matrix::Unknown => None,
    }
}

/// What is added to luma, and what becomes of the differences; rows of (U, V).
#[derive(Clone, Copy)]
pub(crate) struct Recolour {
    luma: [i32; 2],
    blue: [i32; 2],
    red: [i32; 2],
}

impl Recolour {
    /// From `matrix` to BT.709; nothing where that is the same.
    pub(crate) fn from(matrix: Matrix) -> Option<Self> {
        let shares = shares(weights(matrix)?);
        let fixed = |pair: [f64; 2]| pair.map(|x| (x * f64::from(1 << BITS)).round() as i32);
        let [luma, blue, red] = shares.map(fixed);
        Some(Self { luma, blue, red })
    }

    /// Turns all of a picture.
    pub(crate) fn run(&self, picture: &mut PictureMut) {
        let [mut y, mut u, mut v] = picture.planes_mut();
        let (height, width) = (y.height, y.width);
        let mut shift = vec![0i16; u.width];
        for row in 0..u.height {
            self.differences(u.row_mut(row), v.row_mut(row), &mut shift);
            for line in [row * 2, row * 2 + 1].into_iter().filter(|&line| line < height) {
                add(&mut y, line, width, &shift);
            }
        }
    }

    /// Turns a row of differences; `shift` becomes what its luma moves by.
    fn differences(&self, u: &mut [u8], v: &mut [u8], shift: &mut [i16]) {
        for ((u, v), shift) in u.iter_mut().zip(v).zip(shift) {
            let (blue, red) = (i32::from(*u) - 128, i32::from(*v) - 128);
            let share = |[of_blue, of_red]: [i32; 2]| (of_blue * blue + of_red * red + HALF) >> BITS;
            *shift = share(self.luma) as i16;
            *u = (share(self.blue) + 128).clamp(0, 255) as u8;
            *v = (share(self.red) + 128).clamp(0, 255) as u8;
        }
    }
}

fn add(y: &mut PlaneMut<'_>, line: usize, width: usize, shift: &[i16]) {
    let row = y.row_mut(line);
    let row = &mut row[..width];
    let moved = |luma: u8, by: i16| (i16::from(luma) + by).clamp(0, 255) as u8;
    for (pair, &by) in row.chunks_mut(2).zip(shift) {
        for luma in pair {
            *luma = moved(*luma, by);
        }
    }
}

/// The shares of U and V in BT.709's luma, U and V, of numbers in limited range.
fn shares(from: Weights) -> [[f64; 2]; 3] {
    // With a luma of 0: R = rv * V, B = bu * U, G = -(red * R + blue * B) / green.
    let (bu, rv) = (2.0 * (1.0 - from.blue), 2.0 * (1.0 - from.red));
    let green = 1.0 - from.red - from.blue;
    let r = [0.0, rv];
    let b = [bu, 0.0];
    let g = [-from.blue * bu / green, -from.red * rv / green];
    let to_green = 1.0 - BT709.red - BT709.blue;
    let both = |f: &dyn Fn(usize) -> f64| [f(0), f(1)];
    let luma = both(&|i| BT709.red * r[i] + to_green * g[i] + BT709.blue * b[i]);
    let blue = both(&|i| (b[i] - luma[i]) / (2.0 * (1.0 - BT709.blue)));
    let red = both(&|i| (r[i] - luma[i]) / (2.0 * (1.0 - BT709.red)));
    // Luma has 219 steps where the differences have 224.
    [luma.map(|x| x * 219.0 / 224.0), blue, red]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{Rgb, Yuv};
    use media::Size;
    use proptest::prelude::*;

    /// By the book: R, G and B to luma and differences, in limited range.
    fn coded(from: Weights, rgb: [f64; 3]) -> [f64; 3] {
        let [r, g, b] = rgb;
        let y = from.red * r + (1.0 - from.red - from.blue) * g + from.blue * b;
        let (u, v) = ((b - y) / (2.0 * (1.0 - from.blue)), (r - y) / (2.0 * (1.0 - from.red)));
        [16.0 + 219.0 * y, 128.0 + 224.0 * u, 128.0 + 224.0 * v]
    }

    proptest! {
        #[test]
        fn every_colour_is_the_same_colour_after(r in 0u8..=255, g in 0u8..=255, b in 0u8..=255,
                width in 1u32..9, height in 1u32..9,
                matrix in prop::sample::select(vec![Matrix::Bt601, Matrix::Bt2020, Matrix::Smpte240])) {
            let parts = [r, g, b].map(|part| f64::from(part) / 255.0);
            let [y, u, v] = coded(weights(matrix).unwrap(), parts).map(|x| x.round() as u8);
            let mut picture = PictureMut::filled(Size::new(width, height), Yuv::new(y, u, v)).unwrap();
            Recolour::from(matrix).unwrap().run(&mut picture);
            let want = Yuv::from(Rgb::new(r, g, b));
            for (mut plane, want) in picture.planes_mut().into_iter().zip([want.y, want.u, want.v]) {
                for &got in plane.rows_mut().flat_map(|row| row.iter()) {
                    prop_assert!(got.abs_diff(want) <= 2, "{got} for {want}");
                }
            }
        }
    }

    #[test]
    fn what_is_bt709_already_has_no_way_to_go() {
        assert!(Recolour::from(Matrix::Bt709).is_none());
    }
}
