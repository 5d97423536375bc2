//! Any source's picture onto the canvas: upright, whole, in its true shape.

use media::{Rect, Size};

use crate::colour::Yuv;
use crate::error::CodecError;
use crate::ffmpeg::{Filter, Lines, Sws};
use crate::picture::{Aspect, Picture, PictureMut, Plane, PlaneMut, PlaneRef, Rotation, Scan};
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
/// The picture is turned upright, made square-pixelled, scaled to fit and
/// padded with black; what is transparent is black, too. Its colours become
/// BT.709 in limited range; high dynamic range and wide gamut are taken as if
/// they were not. Of interlaced pictures (see
/// [`Deinterlacer`](crate::Deinterlacer), which leaves none) the upper field
/// is scaled up.
pub struct Conform {
    canvas: Size,
    turn: Rotation,
    aspect: Aspect,
    fields: Fields,
    sws: Sws,
}

impl Conform {
    /// For a canvas of this size.
    pub const fn new(canvas: Size, filter: Filter) -> Self {
        Self {
            canvas,
            turn: Rotation::None,
            aspect: Aspect::SQUARE,
            fields: Fields::Upper,
            sws: Sws::new(filter),
        }
    }

    /// A turn the container tells of; taken where the picture itself tells none.
    #[must_use]
    pub const fn turned(mut self, turn: Rotation) -> Self {
        self.turn = turn;
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
        let turn = match picture.rotation() {
            Rotation::None => self.turn,
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
        let plain = turn == Rotation::None && lines == Lines::All;
        if plain && rect.size == self.canvas && picture.size() == self.canvas && is_canvas_colour(picture) {
            return Ok(picture.clone());
        }
        let mut canvas = PictureMut::new(self.canvas)?;
        if turn == Rotation::None {
            self.scale(picture, lines, &mut canvas, rect)?;
        } else {
            let size = match turn {
                Rotation::None | Rotation::Half => rect.size,
                Rotation::Quarter | Rotation::ThreeQuarters => Size::new(rect.size.height, rect.size.width),
            };
            let mut lying = PictureMut::new(size)?;
            self.scale(picture, lines, &mut lying, Rect { x: 0, y: 0, size })?;
            turn_into(&lying, turn, &mut canvas, rect);
        }
        recolour(picture, &mut canvas);
        blacken_around(&mut canvas, rect);
        Ok(canvas.freeze())
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

fn turn_into(lying: &PictureMut, turn: Rotation, canvas: &mut PictureMut, rect: Rect) {
    for (i, (mut to, plane)) in canvas.planes_mut().into_iter().zip(Plane::ALL).enumerate() {
        let (left, top, right, bottom) = edges(rect, i);
        turn_plane(lying.plane(plane), turn, &mut to, (left, top, right, bottom));
    }
}

fn turn_plane(
    from: PlaneRef<'_>,
    turn: Rotation,
    to: &mut PlaneMut<'_>,
    (left, top, right, bottom): (usize, usize, usize, usize),
) {
    let pixel = |x: usize, y: usize| from.data.get(y * from.stride + x).copied().unwrap_or(0);
    for (v, row) in to.rows_mut().take(bottom).skip(top).enumerate() {
        let right = right.min(row.len());
        for (u, out) in row[left.min(right)..right].iter_mut().enumerate() {
            *out = match turn {
                Rotation::None => pixel(u, v),
                Rotation::Quarter => pixel(v, from.height.saturating_sub(1 + u)),
                Rotation::Half => pixel(from.width.saturating_sub(1 + u), from.height.saturating_sub(1 + v)),
                Rotation::ThreeQuarters => pixel(from.width.saturating_sub(1 + v), u),
            };
        }
    }
}
