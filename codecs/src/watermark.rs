//! A logo, laid over pictures of the canvas.
//!
//! All that can be done once is done at load: the logo is turned into BT.709
//! planes that are already multiplied with its opacity, cut to what shows of
//! it, and put on even pixels. A frame then costs one multiplication and one
//! addition per sample of the logo's box.

use image::RgbaImage;
use media::Size;

use crate::colour::{Rgb, Yuv};
use crate::error::CodecError;
use crate::picture::{PictureMut, Plane};
use crate::still;

/// Where on the canvas the logo sits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    Centre,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Anchor {
    /// 0 at the start of an axis, 1 in the middle, 2 at the end: across, down.
    const fn halves(self) -> (u32, u32) {
        match self {
            Self::TopLeft => (0, 0),
            Self::Top => (1, 0),
            Self::TopRight => (2, 0),
            Self::Left => (0, 1),
            Self::Centre => (1, 1),
            Self::Right => (2, 1),
            Self::BottomLeft => (0, 2),
            Self::Bottom => (1, 2),
            Self::BottomRight => (2, 2),
        }
    }
}

/// Where the logo sits and how strong it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placement {
    /// The place.
    pub anchor: Anchor,
    /// Pixels kept free on all sides of the canvas.
    pub margin: u32,
    /// From 0 (invisible) to 1 (as in the file).
    pub opacity: f32,
}

/// Why a logo cannot be laid over the canvas.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WatermarkError {
    /// The file is no PNG or JPEG that can be read.
    #[error("the watermark's image cannot be read: {0} (PNG and JPEG up to 8192x8192 are legal)")]
    Image(String),
    /// An opacity outside 0 to 1.
    #[error("a watermark's opacity of {0} is out of range: 0.0 to 1.0")]
    Opacity(f32),
    /// The logo and its margins are larger than the canvas.
    #[error(
        "a watermark of {logo} with a margin of {margin} does not fit on a canvas of {canvas}: at most {room} would"
    )]
    Room {
        /// The size of the logo.
        logo: Size,
        /// The margin asked for.
        margin: u32,
        /// The size of the canvas.
        canvas: Size,
        /// What is left of the canvas within the margins.
        room: Size,
    },
    /// The canvas has an odd side, on which chroma does not fit.
    #[error("a canvas of {0} is odd: a watermark needs even sides")]
    OddCanvas(Size),
}

/// One plane of the logo: `value * alpha` and `255 - alpha` of each sample.
struct Layer {
    /// Left edge, in samples of this plane.
    x: usize,
    /// Upper edge.
    y: usize,
    width: usize,
    weighted: Vec<u16>,
    rest: Vec<u8>,
}

/// A logo, made ready for one canvas.
pub struct Watermark {
    canvas: Size,
    layers: [Layer; 3],
}

impl Watermark {
    /// Reads a PNG or JPEG and makes it ready.
    ///
    /// # Errors
    /// An unreadable file, an opacity outside 0 to 1, or no room for it.
    pub fn load(bytes: &[u8], canvas: Size, placement: Placement) -> Result<Self, WatermarkError> {
        let logo = still::read(bytes).map_err(WatermarkError::Image)?;
        Self::from_rgba(&logo, canvas, placement)
    }

    fn from_rgba(logo: &RgbaImage, canvas: Size, placement: Placement) -> Result<Self, WatermarkError> {
        let Placement { anchor, margin, opacity } = placement;
        if !(0.0..=1.0).contains(&opacity) {
            return Err(WatermarkError::Opacity(opacity));
        }
        if !canvas.is_even() {
            return Err(WatermarkError::OddCanvas(canvas));
        }
        let size = Size::new(logo.width(), logo.height());
        let both = margin.saturating_mul(2);
        let room = Size::new(canvas.width.saturating_sub(both), canvas.height.saturating_sub(both));
        if !size.fits_in(room) {
            return Err(WatermarkError::Room { logo: size, margin, canvas, room });
        }
        let (across, down) = anchor.halves();
        let left = margin + (room.width - size.width) * across / 2;
        let top = margin + (room.height - size.height) * down / 2;
        let pixel = |x: u32, y: u32| -> (Yuv, u32) {
            // Canvas pixel (x, y); outside the logo nothing shows.
            let inside = x >= left && y >= top && x - left < size.width && y - top < size.height;
            if !inside {
                return (Yuv::BLACK, 0);
            }
            let [r, g, b, a] = logo.get_pixel(x - left, y - top).0;
            (Rgb::new(r, g, b).into(), (f32::from(a) * opacity).round() as u32)
        };
        let shown = shown(left, top, size, |x, y| pixel(x, y).1 > 0);
        Ok(Self { canvas, layers: Plane::ALL.map(|plane| layer(plane, shown, &pixel)) })
    }

    /// The canvas it was made for.
    pub const fn canvas(&self) -> Size {
        self.canvas
    }

    /// Lays the logo over `picture`. Touches the logo's box only.
    ///
    /// # Errors
    /// A picture that does not have the canvas's size.
    pub fn blend(&self, picture: &mut PictureMut) -> Result<(), CodecError> {
        self.check(picture)?;
        for (plane, layer) in picture.planes_mut().iter_mut().zip(&self.layers) {
            if layer.width == 0 {
                continue;
            }
            let rows = layer.weighted.chunks_exact(layer.width).zip(layer.rest.chunks_exact(layer.width));
            for (row, (weighted, rest)) in plane.rows_mut().skip(layer.y).zip(rows) {
                let row = &mut row[layer.x..layer.x + layer.width];
                for ((sample, &weighted), &rest) in row.iter_mut().zip(weighted).zip(rest) {
                    // x / 255 to the nearest, for x up to 255 * 255:
                    // (x + 128 + (x + 128) / 256) / 256. All of it fits 16
                    // bits; unchecked, so that it is done sixteen at a time.
                    let below = u16::from(*sample).wrapping_mul(u16::from(rest));
                    let x = weighted.wrapping_add(below).wrapping_add(128);
                    *sample = (x.wrapping_add(x >> 8) >> 8) as u8;
                }
            }
        }
        Ok(())
    }

    /// The slow, obvious twin of [`blend`](Self::blend), kept as its test oracle.
    ///
    /// # Errors
    /// As `blend`.
    pub fn blend_scalar(&self, picture: &mut PictureMut) -> Result<(), CodecError> {
        self.check(picture)?;
        for (plane, layer) in Plane::ALL.into_iter().zip(&self.layers) {
            let mut to = picture.plane_mut(plane);
            for (i, (&weighted, &rest)) in layer.weighted.iter().zip(&layer.rest).enumerate() {
                let sample = &mut to.row_mut(layer.y + i / layer.width)[layer.x + i % layer.width];
                let wide = u32::from(weighted) + u32::from(*sample) * u32::from(rest);
                *sample = (f64::from(wide) / 255.0).round() as u8;
            }
        }
        Ok(())
    }

    fn check(&self, picture: &PictureMut) -> Result<(), CodecError> {
        match picture.size() == self.canvas {
            true => Ok(()),
            false => Err(CodecError::PictureSize { got: picture.size(), want: self.canvas }),
        }
    }
}

/// An even box: left, top, right, bottom, the last two exclusive.
type Shown = (u32, u32, u32, u32);

/// The smallest even box around everything visible; empty if nothing is.
fn shown(left: u32, top: u32, size: Size, visible: impl Fn(u32, u32) -> bool) -> Shown {
    let mut found: Option<Shown> = None;
    for y in top..top + size.height {
        for x in (left..left + size.width).filter(|&x| visible(x, y)) {
            let (l, t, r, b) = found.unwrap_or((x, y, x + 1, y + 1));
            found = Some((l.min(x), t.min(y), r.max(x + 1), b.max(y + 1)));
        }
    }
    let (l, t, r, b) = found.unwrap_or((0, 0, 0, 0));
    (l / 2 * 2, t / 2 * 2, r.next_multiple_of(2), b.next_multiple_of(2))
}

fn layer(plane: Plane, (left, top, right, bottom): Shown, pixel: &impl Fn(u32, u32) -> (Yuv, u32)) -> Layer {
    let step = if plane == Plane::Y { 1 } else { 2 };
    let value = |colour: Yuv| match plane {
        Plane::Y => u32::from(colour.y),
        Plane::U => u32::from(colour.u),
        Plane::V => u32::from(colour.v),
    };
    let (mut weighted, mut rest) = (Vec::new(), Vec::new());
    for y in (top..bottom).step_by(step) {
        for x in (left..right).step_by(step) {
            // A chroma sample is the mean of its pixels, each as strong as it shows.
            let (mut sum, mut alphas, mut count) = (0, 0, 0);
            for (x, y) in (y..y + step as u32).flat_map(|y| (x..x + step as u32).map(move |x| (x, y))) {
                let (colour, alpha) = pixel(x, y);
                sum += value(colour) * alpha;
                alphas += alpha;
                count += 1;
            }
            let alpha = (alphas + count / 2) / count;
            // Rounded apart, the two could together pass what 255 * 255 holds.
            weighted.push(((sum + count / 2) / count).min(alpha * 255) as u16);
            rest.push((255 - alpha) as u8);
        }
    }
    Layer {
        x: left as usize / step,
        y: top as usize / step,
        width: (right - left) as usize / step,
        weighted,
        rest,
    }
}
