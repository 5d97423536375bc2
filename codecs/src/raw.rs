//! Raw pixels that somebody else holds, made a [`Picture`] with one copy.
//!
//! Whoever draws pictures anew each time draws into a [`PictureMut`](crate::PictureMut) instead,
//! and nothing is copied at all.

use media::Size;

use crate::colour::{Colour, Matrix, Range};
use crate::error::CodecError;
use crate::ffmpeg::AvFrame;
use crate::picture::Picture;

/// How raw pixels lie in memory: 8 bits a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RawFormat {
    /// 4:2:0 in three planes: Y, U, V.
    I420,
    /// 4:2:0 in two planes: Y, and U and V by turns.
    Nv12,
    /// 4:2:2 in one plane: Y U Y V.
    Yuy2,
    /// 4:2:2 in one plane: U Y V Y.
    Uyvy,
    /// Red, green, blue, alpha; alpha is not looked at.
    Rgba,
    /// Blue, green, red, alpha; alpha is not looked at.
    Bgra,
}

impl RawFormat {
    /// How many planes it has.
    pub const fn planes(self) -> usize {
        match self {
            Self::I420 => 3,
            Self::Nv12 => 2,
            Self::Yuy2 | Self::Uyvy | Self::Rgba | Self::Bgra => 1,
        }
    }

    /// Bytes of a row, and rows, of each plane of a picture of `size`; odd sizes round up.
    pub const fn plane_size(self, plane: usize, size: Size) -> (usize, usize) {
        let (width, height) = (size.width as usize, size.height as usize);
        let (half, low) = (width.div_ceil(2), height.div_ceil(2));
        match (self, plane) {
            (Self::I420 | Self::Nv12, 0) => (width, height),
            (Self::I420, _) => (half, low),
            (Self::Nv12, _) => (half * 2, low),
            (Self::Yuy2 | Self::Uyvy, _) => (half * 4, height),
            (Self::Rgba | Self::Bgra, _) => (width * 4, height),
        }
    }

    /// Bytes of a picture of `size` whose rows and planes follow one another without a gap.
    pub fn packed_len(self, size: Size) -> usize {
        (0..self.planes()).map(|plane| self.plane_size(plane, size)).map(|(row, rows)| row * rows).sum()
    }

    /// How its numbers stand for colours where nobody says so.
    const fn colour(self) -> Colour {
        match self {
            Self::Rgba | Self::Bgra => Colour { matrix: Matrix::Rgb, range: Range::Full },
            _ => Colour { matrix: Matrix::Unknown, range: Range::Limited },
        }
    }
}

/// A plane of raw pixels.
#[derive(Clone, Copy, Debug)]
pub struct RawPlane<'a> {
    /// All rows; the last one may end after its own bytes.
    pub data: &'a [u8],
    /// Bytes from row to row.
    pub stride: usize,
}

/// Raw pixels, borrowed.
#[derive(Clone, Debug)]
pub struct RawPicture<'a> {
    format: RawFormat,
    size: Size,
    planes: Vec<RawPlane<'a>>,
    colour: Colour,
}

/// The largest side, in pixels: what pictures of the pool have as well.
const MOST_SIDE: u32 = 16_384;

impl<'a> RawPicture<'a> {
    /// Pixels whose rows and planes follow one another without a gap.
    ///
    /// # Errors
    /// A side of 0 or above 16384, or fewer bytes than such a picture has.
    pub fn packed(format: RawFormat, size: Size, data: &'a [u8]) -> Result<Self, CodecError> {
        let mut rest = data;
        let mut planes = Vec::with_capacity(format.planes());
        for plane in 0..format.planes() {
            let (stride, rows) = format.plane_size(plane, size);
            let (data, after) = rest.split_at(rest.len().min(stride.saturating_mul(rows)));
            planes.push(RawPlane { data, stride });
            rest = after;
        }
        Self::strided(format, size, planes)
    }

    /// Pixels in planes of their own.
    ///
    /// # Errors
    /// As [`packed`](Self::packed), or another number of planes than the format has, or rows
    /// that lie closer than they are long.
    pub fn strided(format: RawFormat, size: Size, planes: Vec<RawPlane<'a>>) -> Result<Self, CodecError> {
        let wrong = |name, got: String, legal: String| {
            Err(CodecError::Setting { codec: "raw picture", name, got, legal: legal.into() })
        };
        let side = |side: u32| (1..=MOST_SIDE).contains(&side);
        if !side(size.width) || !side(size.height) {
            return wrong("size", size.to_string(), format!("1x1 to {MOST_SIDE}x{MOST_SIDE}"));
        }
        if planes.len() != format.planes() {
            return wrong("planes", planes.len().to_string(), format.planes().to_string());
        }
        for (ix, plane) in planes.iter().enumerate() {
            let (row, rows) = format.plane_size(ix, size);
            if plane.stride < row {
                return wrong("stride", plane.stride.to_string(), format!("at least {row} bytes"));
            }
            let least = plane.stride.saturating_mul(rows - 1).saturating_add(row);
            if plane.data.len() < least {
                return wrong(
                    "data",
                    format!("{} bytes", plane.data.len()),
                    format!("at least {least} bytes"),
                );
            }
        }
        Ok(Self { format, size, planes, colour: format.colour() })
    }

    /// Of these colours; else RGB is sRGB, and the rest limited, BT.601 up to 576 lines and
    /// BT.709 above.
    #[must_use]
    pub fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// A picture of these pixels, which are copied.
    ///
    /// # Errors
    /// No memory.
    pub fn to_picture(&self) -> Result<Picture, CodecError> {
        let mut frame = AvFrame::of_raw(self.format, self.size)?;
        for (ix, plane) in self.planes.iter().enumerate() {
            let (row, _) = self.format.plane_size(ix, self.size);
            let rows = plane.data.chunks(plane.stride);
            for (to, from) in frame.raw_rows_mut(self.format, ix).zip(rows) {
                if let (Some(to), Some(from)) = (to.get_mut(..row), from.get(..row)) {
                    to.copy_from_slice(from);
                }
            }
        }
        frame.tag(self.colour);
        Ok(Picture::from_av(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::Conform;
    use crate::ffmpeg::Filter;
    use crate::picture::{PixelFormat, Plane};
    use proptest::prelude::*;

    const ALL: [RawFormat; 6] = [
        RawFormat::I420,
        RawFormat::Nv12,
        RawFormat::Yuy2,
        RawFormat::Uyvy,
        RawFormat::Rgba,
        RawFormat::Bgra,
    ];

    /// One colour, nearly: red in BT.709, limited.
    fn red(format: RawFormat, size: Size) -> Vec<u8> {
        let (y, u, v) = (63, 102, 240);
        let (row, rows) = format.plane_size(0, size);
        let all = row * rows;
        let of = |unit: &[u8]| unit.iter().copied().cycle().take(all).collect::<Vec<_>>();
        let chroma = |plane| {
            let (row, rows) = format.plane_size(plane, size);
            row * rows
        };
        match format {
            RawFormat::I420 => [vec![y; all], vec![u; chroma(1)], vec![v; chroma(2)]].concat(),
            RawFormat::Nv12 => [vec![y; all], [u, v].repeat(chroma(1) / 2)].concat(),
            RawFormat::Yuy2 => of(&[y, u, y, v]),
            RawFormat::Uyvy => of(&[u, y, v, y]),
            RawFormat::Rgba => of(&[255, 0, 0, 7]),
            RawFormat::Bgra => of(&[0, 0, 255, 7]),
        }
    }

    #[test]
    fn every_format_is_the_same_red_on_the_canvas() {
        for size in [Size::new(64, 36), Size::new(33, 17)] {
            for format in ALL {
                let data = red(format, size);
                assert_eq!(data.len(), format.packed_len(size));
                let raw = RawPicture::packed(format, size, &data).unwrap();
                let colour = if matches!(format, RawFormat::Rgba | RawFormat::Bgra) {
                    format.colour()
                } else {
                    Colour::CANVAS
                };
                let picture = raw.coloured(colour).to_picture().unwrap();
                let canvas = Conform::new(Size::new(64, 36), Filter::Bicubic).conform(&picture).unwrap();
                let middle = Plane::ALL.map(|plane| {
                    let plane = canvas.plane(plane);
                    plane.row(plane.height / 2)[plane.width / 2]
                });
                for (got, want) in middle.into_iter().zip([63, 102, 240]) {
                    assert!(i16::from(got).abs_diff(want) <= 2, "{format:?} {size}: {middle:?}");
                }
            }
        }
    }

    #[test]
    fn what_fits_the_canvas_is_not_touched_again() {
        let size = Size::new(64, 36);
        let data = red(RawFormat::I420, size);
        let raw = RawPicture::packed(RawFormat::I420, size, &data).unwrap().coloured(Colour::CANVAS);
        let picture = raw.to_picture().unwrap();
        assert_eq!((picture.format(), picture.colour()), (PixelFormat::Yuv420p, Colour::CANVAS));
        let canvas = Conform::new(size, Filter::Bicubic).conform(&picture).unwrap();
        assert!(canvas.ptr_eq(&picture));
    }

    proptest! {
        /// Pixels arrive where they were, whatever lies between the rows; too few are refused.
        #[test]
        fn rows_are_kept_apart(width in 1u32..40, height in 1u32..20, slack in 0usize..9, which in 0usize..6, seed in any::<u8>()) {
            let (format, size) = (ALL[which], Size::new(width, height));
            let mut bytes = Vec::new();
            for plane in 0..format.planes() {
                let (row, rows) = format.plane_size(plane, size);
                let byte = |n: usize| (n as u8).wrapping_mul(31).wrapping_add(seed);
                bytes.push(((row + slack), (0..rows * (row + slack) - slack).map(byte).collect::<Vec<u8>>()));
            }
            let planes = |cut: usize| {
                let planes = bytes.iter().map(|(stride, data)| RawPlane { data: &data[..data.len() - cut], stride: *stride });
                RawPicture::strided(format, size, planes.collect())
            };
            prop_assert!(planes(1).is_err());
            let raw = planes(0).unwrap();
            let mut frame = raw.to_picture().map(|_| AvFrame::of_raw(format, size)).unwrap().unwrap();
            for ix in 0..format.planes() {
                let (row, rows) = format.plane_size(ix, size);
                prop_assert!(frame.raw_rows_mut(format, ix).count() >= rows);
                prop_assert!(frame.raw_rows_mut(format, ix).all(|to| to.len() >= row));
            }
        }
    }
}
