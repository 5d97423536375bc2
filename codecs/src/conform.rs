//! Any source's picture onto the canvas: upright, whole, in its true shape.

use media::{Rect, Size};

use crate::colour::{Primaries, Yuv};
use crate::error::CodecError;
use crate::ffmpeg::{Filter, Lines, Repaint, Sws};
use crate::picture::{Aspect, Mirror, Picture, PictureMut, Plane, PlaneMut, PlaneRef, Rotation, Scan, Turn};
use crate::scale::{is_canvas_colour, recolour};

/// What is taken of pictures that are of two fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Fields {
    /// The upper one, scaled up: no combs, half the lines, and no delay.
    Upper,
    /// Both, as if they were one picture, combs and all.
    Woven,
}

/// Makes canvas pictures of decoded ones.
///
/// The picture is mirrored and turned upright, made square-pixelled, scaled to
/// fit and padded with black; what is transparent is black, too. Its colours
/// become BT.709 in limited range, also those of other primaries: what they
/// reach beyond is clipped. High dynamic range is taken as if it were not. Of
/// interlaced pictures (see
/// [`Deinterlacer`](crate::Deinterlacer), which leaves none) the upper field
/// is scaled up.
pub struct Conform {
    canvas: Size,
    turn: Turn,
    aspect: Aspect,
    fields: Fields,
    sws: Sws,
    repaint: Option<Repaint>,
}

impl Conform {
    /// For a canvas of this size.
    pub const fn new(canvas: Size, filter: Filter) -> Self {
        Self {
            canvas,
            turn: Turn::NONE,
            aspect: Aspect::SQUARE,
            fields: Fields::Upper,
            sws: Sws::new(filter),
            repaint: None,
        }
    }

    /// A turn the container tells of; taken where the picture itself tells none.
    #[must_use]
    pub fn turned(mut self, turn: impl Into<Turn>) -> Self {
        self.turn = turn.into();
        self
    }

    /// A shape of pixels the container tells of; taken where the picture itself tells none.
    #[must_use]
    pub const fn shaped(mut self, aspect: Aspect) -> Self {
        self.aspect = aspect;
        self
    }

    /// What is taken of pictures of two fields; the upper one where nothing is said.
    #[must_use]
    pub const fn taking(mut self, fields: Fields) -> Self {
        self.fields = fields;
        self
    }

    /// The size of the canvas.
    pub const fn size(&self) -> Size {
        self.canvas
    }

    /// `picture` on the canvas; the very same one if it fits as it is.
    ///
    /// # Errors
    /// A pixel format swscale cannot read, or no memory.
    pub fn conform(&mut self, picture: &Picture) -> Result<Picture, CodecError> {
        let Turn { mirror, rotation: turn } = match picture.turn() {
            Turn::NONE => self.turn,
            told => told,
        };
        let aspect = match picture.aspect() {
            Aspect::SQUARE => self.aspect,
            told => told,
        };
        let lines = match (picture.scan(), self.fields) {
            (Scan::Progressive, _) | (_, Fields::Woven) => Lines::All,
            (Scan::TopFirst | Scan::BottomFirst, Fields::Upper) => Lines::UpperField,
        };
        let rect = placed(picture.size(), aspect, turn, self.canvas);
        let lies = turn != Rotation::None || mirror != Mirror::No;
        let plain = !lies && lines == Lines::All;
        if plain && rect.size == self.canvas && picture.size() == self.canvas && is_canvas_colour(picture) {
            return self.repainted(picture, picture.clone());
        }
        let mut canvas = PictureMut::new(self.canvas)?;
        if !lies {
            self.scale(picture, lines, &mut canvas, rect)?;
        } else {
            let size = match turn {
                Rotation::None | Rotation::Half => rect.size,
                Rotation::Quarter | Rotation::ThreeQuarters => Size::new(rect.size.height, rect.size.width),
            };
            let mut lying = PictureMut::new(size)?;
            self.scale(picture, lines, &mut lying, Rect { x: 0, y: 0, size })?;
            turn_into(&lying, Turn { mirror, rotation: turn }, &mut canvas, rect);
        }
        recolour(picture, &mut canvas);
        blacken_around(&mut canvas, rect);
        self.repainted(picture, canvas.freeze())
    }

    /// What came from `source` onto the canvas, in the canvas's red, green and blue.
    fn repainted(&mut self, source: &Picture, canvas: Picture) -> Result<Picture, CodecError> {
        let (primaries, curve) = (source.primaries(), source.av().curve());
        if primaries == Primaries::Bt709 {
            return Ok(canvas);
        }
        let kept = self.repaint.take().filter(|kept| kept.fits(&canvas, primaries, curve));
        let mut repaint = match kept {
            Some(kept) => kept,
            None => Repaint::open(&canvas, primaries, curve)?,
        };
        let painted = repaint.run(&canvas);
        self.repaint = Some(repaint);
        painted
    }

    /// `picture` into a box of `to`, over black.
    fn scale(
        &mut self,
        picture: &Picture,
        lines: Lines,
        to: &mut PictureMut,
        rect: Rect,
    ) -> Result<(), CodecError> {
        if !picture.has_alpha() {
            return self.sws.run(picture.av(), lines, to.av_mut(), rect, None);
        }
        let mut alpha = PictureMut::new(rect.size)?;
        self.sws.run(picture.av(), lines, to.av_mut(), rect, Some(alpha.av_mut()))?;
        over_black(to, rect, alpha.plane(Plane::Y));
        Ok(())
    }
}

/// Fades a box to black by as much as it is transparent.
fn over_black(picture: &mut PictureMut, rect: Rect, alpha: PlaneRef<'_>) {
    let [mut luma, mut blue, mut red] = picture.planes_mut();
    let fade = |sample: &mut u8, black: u8, alpha: i32| {
        let away = (i32::from(*sample) - i32::from(black)) * alpha;
        // To the nearest, also of a negative difference.
        *sample = (i32::from(black) + (away + 127).div_euclid(255)).clamp(0, 255) as u8;
    };
    let (left, top, right, bottom) = edges(rect, 0);
    for (row, alpha) in luma.rows_mut().take(bottom).skip(top).zip(alpha.rows()) {
        let right = right.min(row.len());
        for (sample, &alpha) in row[left.min(right)..right].iter_mut().zip(alpha) {
            fade(sample, Yuv::BLACK.y, alpha.into());
        }
    }
    // A difference is as strong as the mean of its four pixels.
    let (left, top, right, bottom) = edges(rect, 1);
    let rows = blue.rows_mut().zip(red.rows_mut()).take(bottom).skip(top);
    for (y, (blue, red)) in rows.enumerate() {
        let (upper, lower) = (alpha.row(2 * y), alpha.row(2 * y + 1));
        let right = right.min(blue.len());
        let pairs = upper.chunks(2).zip(lower.chunks(2));
        let samples = blue[left.min(right)..right].iter_mut().zip(&mut red[left.min(right)..right]);
        for ((blue, red), (upper, lower)) in samples.zip(pairs) {
            let sum: i32 = upper.iter().chain(lower).map(|&alpha| i32::from(alpha)).sum();
            let count = (upper.len() + lower.len()) as i32;
            let mean = (sum + count / 2) / count.max(1);
            fade(blue, Yuv::BLACK.u, mean);
            fade(red, Yuv::BLACK.v, mean);
        }
    }
}

/// The largest even box of the picture's shape in the middle of the canvas.
fn placed(size: Size, aspect: Aspect, turn: Rotation, canvas: Size) -> Rect {
    let wide = u128::from(size.width.max(1)) * u128::from(aspect.num);
    let high = u128::from(size.height.max(1)) * u128::from(aspect.den);
    let (wide, high) = match turn {
        Rotation::None | Rotation::Half => (wide, high),
        Rotation::Quarter | Rotation::ThreeQuarters => (high, wide),
    };
    let (cw, ch) = (u128::from(canvas.width), u128::from(canvas.height));
    // Rounded to the nearest even number, at least 2, at most the canvas.
    let even = |num: u128, den: u128, most: u32| -> u32 {
        let half = (num + den) / (2 * den);
        u32::try_from(half * 2).unwrap_or(most).clamp(2.min(most), most)
    };
    let (width, height) = if wide * ch >= high * cw {
        (canvas.width, even(cw * high, wide, canvas.height))
    } else {
        (even(ch * wide, high, canvas.width), canvas.height)
    };
    Rect {
        x: (canvas.width - width) / 4 * 2,
        y: (canvas.height - height) / 4 * 2,
        size: Size::new(width, height),
    }
}

/// Black wherever `rect` is not.
fn blacken_around(canvas: &mut PictureMut, rect: Rect) {
    if rect.size == canvas.size() {
        return;
    }
    for (plane, black) in canvas
        .planes_mut()
        .into_iter()
        .zip([Yuv::BLACK.y, Yuv::BLACK.u, Yuv::BLACK.v])
        .enumerate()
        .map(|(i, (p, b))| ((p, i), b))
    {
        let (mut plane, i) = plane;
        let (left, top, right, bottom) = edges(rect, i);
        for (y, row) in plane.rows_mut().enumerate() {
            if y < top || y >= bottom {
                row.fill(black);
            } else {
                let end = right.min(row.len());
                row[..left.min(end)].fill(black);
                row[end..].fill(black);
            }
        }
    }
}

/// Left, top, right and bottom of `rect` in plane `i`, the last two exclusive.
fn edges(rect: Rect, i: usize) -> (usize, usize, usize, usize) {
    let halved = |n: u32| if i == 0 { n as usize } else { n.div_ceil(2) as usize };
    let (left, top) = (halved(rect.x), halved(rect.y));
    (left, top, left + halved(rect.size.width), top + halved(rect.size.height))
}

fn turn_into(lying: &PictureMut, turn: Turn, canvas: &mut PictureMut, rect: Rect) {
    for (i, (mut to, plane)) in canvas.planes_mut().into_iter().zip(Plane::ALL).enumerate() {
        let (left, top, right, bottom) = edges(rect, i);
        turn_plane(lying.plane(plane), turn, &mut to, (left, top, right, bottom));
    }
}

fn turn_plane(
    from: PlaneRef<'_>,
    Turn { mirror, rotation }: Turn,
    to: &mut PlaneMut<'_>,
    (left, top, right, bottom): (usize, usize, usize, usize),
) {
    let pixel = |x: usize, y: usize| {
        let x = match mirror {
            Mirror::No => x,
            Mirror::LeftRight => from.width.saturating_sub(1 + x),
        };
        from.data.get(y * from.stride + x).copied().unwrap_or(0)
    };
    for (v, row) in to.rows_mut().take(bottom).skip(top).enumerate() {
        let right = right.min(row.len());
        for (u, out) in row[left.min(right)..right].iter_mut().enumerate() {
            *out = match rotation {
                Rotation::None => pixel(u, v),
                Rotation::Quarter => pixel(v, from.height.saturating_sub(1 + u)),
                Rotation::Half => pixel(from.width.saturating_sub(1 + u), from.height.saturating_sub(1 + v)),
                Rotation::ThreeQuarters => pixel(from.width.saturating_sub(1 + v), u),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Rgb;

    /// Chromaticities of red, green, blue and white (BT.601-7, BT.709-6, BT.2020-2).
    type Corners = [[f64; 2]; 4];
    const D65: [f64; 2] = [0.3127, 0.3290];
    const BT709: Corners = [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06], D65];
    const LINES_625: Corners = [[0.64, 0.33], [0.29, 0.60], [0.15, 0.06], D65];
    const LINES_525: Corners = [[0.630, 0.340], [0.310, 0.595], [0.155, 0.070], D65];
    const BT2020: Corners = [[0.708, 0.292], [0.170, 0.797], [0.131, 0.046], D65];

    type Matrix = [[f64; 3]; 3];

    fn times(m: Matrix, v: [f64; 3]) -> [f64; 3] {
        m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }
    fn inverse(m: Matrix) -> Matrix {
        let cofactor = |r: usize, c: usize| {
            let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        };
        let det: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
        std::array::from_fn(|r| std::array::from_fn(|c| cofactor(c, r) / det))
    }
    /// Linear RGB to XYZ.
    fn to_xyz([r, g, b, w]: Corners) -> Matrix {
        let xyz = |[x, y]: [f64; 2]| [x / y, 1.0, (1.0 - x - y) / y];
        let (r, g, b) = (xyz(r), xyz(g), xyz(b));
        let columns: Matrix = std::array::from_fn(|i| [r[i], g[i], b[i]]);
        let [sr, sg, sb] = times(inverse(columns), xyz(w));
        columns.map(|row| [row[0] * sr, row[1] * sg, row[2] * sb])
    }
    fn to_light(v: f64) -> f64 {
        if v < 0.081 { v / 4.5 } else { ((v + 0.099) / 1.099).powf(1.0 / 0.45) }
    }
    fn from_light(v: f64) -> f64 {
        if v < 0.018 { v * 4.5 } else { 1.099 * v.powf(0.45) - 0.099 }
    }

    #[test]
    fn other_primaries_become_bt709s() {
        let size = Size::new(32, 16);
        let mut conform = Conform::new(size, Filter::Bicubic);
        for (primaries, corners) in [
            (Primaries::Bt601Lines625, LINES_625),
            (Primaries::Bt601Lines525, LINES_525),
            (Primaries::Bt2020, BT2020),
        ] {
            let mut compared = 0;
            for rgb in [
                [180, 60, 60],
                [60, 180, 60],
                [60, 60, 180],
                [128, 128, 128],
                [200, 180, 150],
                [220, 40, 90],
                [120, 105, 100],
                [90, 100, 120],
            ] {
                let [r, g, b] = rgb;
                let mut picture = PictureMut::filled(size, Rgb::new(r, g, b)).unwrap();
                picture.av_mut().paint_with(primaries);
                let shown = conform.conform(&picture.freeze()).unwrap();
                let light = rgb.map(|part| to_light(f64::from(part) / 255.0));
                let light = times(inverse(to_xyz(BT709)), times(to_xyz(corners), light));
                // What lies beyond BT.709's gamut is clipped as numbers, not as light.
                if light.iter().any(|v| !(0.0..=1.0).contains(v)) {
                    continue;
                }
                compared += 1;
                let [r, g, b] = light.map(|v| (from_light(v.clamp(0.0, 1.0)) * 255.0).round() as u8);
                let want = Yuv::from(Rgb::new(r, g, b));
                for (plane, want) in Plane::ALL.into_iter().zip([want.y, want.u, want.v]) {
                    for &got in shown.plane(plane).rows().flatten() {
                        assert!(got.abs_diff(want) <= 3, "{primaries:?} {rgb:?} {plane:?}: {got} for {want}");
                    }
                }
                assert_eq!(shown.primaries(), Primaries::Bt709);
            }
            assert!(compared >= 3, "{primaries:?}: {compared} colours");
        }
    }

    /// Where the white corner of a picture comes to lie, by each of the eight ways to turn it.
    #[test]
    fn a_picture_is_mirrored_and_then_turned() {
        let corner = |mirror, rotation| {
            let mut picture = PictureMut::filled(Size::new(40, 20), Yuv::BLACK).unwrap();
            for row in picture.planes_mut()[0].rows_mut().take(10) {
                row[..20].fill(235);
            }
            let lying = matches!(rotation, Rotation::None | Rotation::Half);
            let canvas = if lying { Size::new(40, 20) } else { Size::new(20, 40) };
            let mut conform = Conform::new(canvas, Filter::Bilinear).turned(Turn { mirror, rotation });
            let shown = conform.conform(&picture.freeze()).unwrap();
            let (w, h) = (canvas.width as usize, canvas.height as usize);
            let at = |x: usize, y: usize| shown.plane(Plane::Y).row(y)[x] > 200;
            let corners = [at(3, 3), at(w - 4, 3), at(w - 4, h - 4), at(3, h - 4)];
            assert_eq!(corners.iter().filter(|white| **white).count(), 1);
            corners.iter().position(|white| *white).unwrap()
        };
        use Rotation::{Half, None, Quarter, ThreeQuarters};
        // Clockwise from the upper left.
        let all = [None, Quarter, Half, ThreeQuarters];
        assert_eq!(all.map(|turn| corner(Mirror::No, turn)), [0, 1, 2, 3]);
        assert_eq!(all.map(|turn| corner(Mirror::LeftRight, turn)), [1, 2, 3, 0]);
    }
}
