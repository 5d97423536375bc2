//! Pictures: shared and immutable, or owned by one and writable.
//!
//! A decoded picture is also the decoder's reference for later pictures, so
//! it can only be read; to paint, take a [`PictureMut`].

use std::fmt;
use std::sync::Arc;

use media::Size;

use crate::colour::{Colour, ColourTags, Gamut, Primaries, Transfer, Yuv};
use crate::error::CodecError;
use crate::ffmpeg::AvFrame;

/// How pixels lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PixelFormat {
    /// Planar 4:2:0, 8 bits: the only one the engine paints on.
    Yuv420p,
    /// Any other of FFmpeg's, by its number there.
    Other(i32),
}

/// One of the planes of 4:2:0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Plane {
    Y,
    U,
    V,
}

impl Plane {
    /// The three, in their order in memory.
    pub const ALL: [Self; 3] = [Self::Y, Self::U, Self::V];

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Y => 0,
            Self::U => 1,
            Self::V => 2,
        }
    }

    /// The size of this plane in a 4:2:0 picture of `size`; odd sizes round up.
    pub const fn size_in(self, size: Size) -> Size {
        match self {
            Self::Y => size,
            Self::U | Self::V => Size::new(size.width.div_ceil(2), size.height.div_ceil(2)),
        }
    }
}

/// A plane to read: rows `stride` bytes apart, the first `width` of each count.
#[derive(Clone, Copy)]
pub struct PlaneRef<'a> {
    /// All rows; the last one may end after its `width` bytes.
    pub data: &'a [u8],
    /// Bytes from row to row.
    pub stride: usize,
    /// Bytes of a row that are picture.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> PlaneRef<'a> {
    /// The rows from the top, each `width` bytes.
    pub fn rows(self) -> impl Iterator<Item = &'a [u8]> {
        let width = self.width;
        self.data.chunks(self.stride.max(1)).take(self.height).map(move |row| &row[..width.min(row.len())])
    }
    /// Row `y` from the top, empty if there is none.
    pub fn row(self, y: usize) -> &'a [u8] {
        let from = y.saturating_mul(self.stride);
        match y < self.height {
            true => self.data.get(from..from + self.width).unwrap_or_default(),
            false => &[],
        }
    }
    /// The mean of all pixels, rounded; 0 if there are none.
    pub fn mean(self) -> u8 {
        // A row of the widest picture fits 32 bits many times over.
        let of_row = |row: &[u8]| row.iter().fold(0u32, |sum, &p| sum.wrapping_add(p.into()));
        let sum: u64 = self.rows().map(|row| u64::from(of_row(row))).sum();
        let n = (self.width * self.height).max(1) as u64;
        ((sum + n / 2) / n) as u8
    }
}

/// A plane to write; shaped as [`PlaneRef`].
pub struct PlaneMut<'a> {
    /// All rows; the last one may end after its `width` bytes.
    pub data: &'a mut [u8],
    /// Bytes from row to row.
    pub stride: usize,
    /// Bytes of a row that are picture.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl PlaneMut<'_> {
    /// The rows from the top, each `width` bytes.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let width = self.width;
        self.data.chunks_mut(self.stride.max(1)).take(self.height).map(move |row| {
            let width = width.min(row.len());
            &mut row[..width]
        })
    }
    /// Row `y` from the top, empty if there is none.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let from = y.saturating_mul(self.stride);
        match y < self.height {
            true => self.data.get_mut(from..from + self.width).unwrap_or_default(),
            false => &mut [],
        }
    }
    /// Every pixel becomes `value`.
    pub fn fill(&mut self, value: u8) {
        self.rows_mut().for_each(|row| row.fill(value));
    }
}

/// Width to height of one pixel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Aspect {
    /// Width, at least 1.
    pub num: u32,
    /// Height, at least 1.
    pub den: u32,
}

impl Aspect {
    /// Square pixels.
    pub const SQUARE: Self = Self { num: 1, den: 1 };
}

/// How a picture's lines were taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scan {
    /// All at once.
    Progressive,
    /// Two fields, the upper one first.
    TopFirst,
    /// Two fields, the lower one first.
    BottomFirst,
}

/// How a picture must be turned, clockwise, to be seen upright.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Rotation {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

/// Whether a picture must be mirrored to be seen as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Mirror {
    /// No.
    No,
    /// Its left is its right.
    LeftRight,
}

/// What is done to a picture to see it upright: it is mirrored first, and then turned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Turn {
    /// What is done first.
    pub mirror: Mirror,
    /// What is done then.
    pub rotation: Rotation,
}

impl Turn {
    /// Nothing.
    pub const NONE: Self = Self { mirror: Mirror::No, rotation: Rotation::None };

    /// By a display matrix, as ISO/IEC 14496-12 (8.3.2) and FFmpeg have it: `[a, b, c, d]` take
    /// `(x, y)` to `(ax + cy, bx + dy)`. To the nearest quarter turn.
    pub fn of_matrix([a, b, c, d]: [i32; 4]) -> Self {
        let [wa, wb, wc, wd] = [a, b, c, d].map(i64::from);
        // What takes right for left, and so left for right, does not only turn.
        let mirrored = wa * wd - wb * wc < 0;
        let (mirror, a, b) = if mirrored { (Mirror::LeftRight, -wa, -wb) } else { (Mirror::No, wa, wb) };
        let rotation = match (a.abs() >= b.abs(), a >= 0, b >= 0) {
            (true, true, _) => Rotation::None,
            (true, false, _) => Rotation::Half,
            (false, _, true) => Rotation::Quarter,
            (false, _, false) => Rotation::ThreeQuarters,
        };
        Self { mirror, rotation }
    }
}

impl From<Rotation> for Turn {
    fn from(rotation: Rotation) -> Self {
        Self { mirror: Mirror::No, rotation }
    }
}

/// A picture that many may read. A clone counts references, never pixels.
#[derive(Clone)]
pub struct Picture {
    frame: Arc<AvFrame>,
    is_damaged: bool,
}

impl Picture {
    pub(crate) fn from_av(frame: AvFrame) -> Self {
        let is_damaged = frame.is_damaged();
        Self { frame: Arc::new(frame), is_damaged }
    }
    pub(crate) fn av(&self) -> &AvFrame {
        &self.frame
    }

    /// Whether parts of it were made up for what got lost, as far as its decoder or whoever
    /// [marked](Self::damaged) it could tell.
    pub const fn is_damaged(&self) -> bool {
        self.is_damaged
    }
    /// The same pixels, marked as damaged: it hangs on a picture that is.
    #[must_use]
    pub fn damaged(self) -> Self {
        Self { is_damaged: true, ..self }
    }

    /// The same pixels, with what a container says of their colours where they do not say it themselves.
    ///
    /// # Errors
    /// No memory.
    pub fn told(mut self, tags: ColourTags) -> Result<Self, CodecError> {
        if tags == ColourTags::NONE {
            return Ok(self);
        }
        match Arc::get_mut(&mut self.frame) {
            Some(frame) => frame.tell_untold(tags),
            None => {
                let mut frame = self.frame.another_ref()?;
                frame.tell_untold(tags);
                self.frame = Arc::new(frame);
            }
        }
        Ok(self)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Size {
        self.frame.size()
    }
    /// How the pixels lie in memory.
    pub fn format(&self) -> PixelFormat {
        self.frame.format()
    }
    /// How its numbers stand for colours.
    pub fn colour(&self) -> Colour {
        self.frame.colour()
    }
    /// How light became its numbers.
    pub fn transfer(&self) -> Transfer {
        self.frame.transfer()
    }
    /// Which red, green and blue its numbers are parts of.
    pub fn primaries(&self) -> Primaries {
        self.frame.primaries()
    }
    /// How far its red, green and blue reach.
    pub fn gamut(&self) -> Gamut {
        self.primaries().gamut()
    }
    /// Whether some of it may be transparent.
    pub fn has_alpha(&self) -> bool {
        self.frame.has_alpha()
    }
    /// The shape of one pixel; square if untagged.
    pub fn aspect(&self) -> Aspect {
        self.frame.aspect()
    }
    /// How it must be turned, and whether mirrored, to be seen upright.
    pub fn turn(&self) -> Turn {
        self.frame.turn()
    }
    /// Whether it is of two fields.
    pub fn scan(&self) -> Scan {
        self.frame.scan()
    }
    /// One plane of a [`PixelFormat::Yuv420p`] picture; an empty one in any other format.
    pub fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        self.frame.plane(plane)
    }
    /// Whether both are the very same picture in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.frame, &other.frame)
    }

    /// A copy that may be painted on.
    ///
    /// # Errors
    /// Another format than [`PixelFormat::Yuv420p`], or no memory.
    pub fn to_mut(&self) -> Result<PictureMut, CodecError> {
        self.frame.copied().map(PictureMut)
    }

    /// As [`to_mut`](Self::to_mut), but without a copy if nobody else (no
    /// clone, and no decoder) holds the pixels.
    ///
    /// # Errors
    /// As `to_mut`.
    pub fn into_mut(self) -> Result<PictureMut, CodecError> {
        match Arc::try_unwrap(self.frame) {
            Ok(frame) if frame.is_sole_owner() && frame.format() == PixelFormat::Yuv420p => {
                Ok(PictureMut(frame))
            }
            Ok(frame) => frame.copied().map(PictureMut),
            Err(shared) => shared.copied().map(PictureMut),
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "picture {} {:?}", self.size(), self.format())
    }
}

/// A picture with one owner, who may paint on it: 4:2:0, 8 bits.
///
/// Its memory comes from a pool and goes back there with the last reference.
pub struct PictureMut(AvFrame);

impl PictureMut {
    /// A picture in the canvas's colours whose pixels are *not* set: what an
    /// earlier picture of the pool left, or zeros.
    ///
    /// # Errors
    /// A side of 0 or above 16384, or no memory.
    pub fn new(size: Size) -> Result<Self, CodecError> {
        AvFrame::pooled(size).map(Self)
    }

    /// A picture of one colour (a [`Yuv`] or an [`Rgb`](crate::Rgb)).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn filled(size: Size, colour: impl Into<Yuv>) -> Result<Self, CodecError> {
        let mut picture = Self::new(size)?;
        picture.fill(colour);
        Ok(picture)
    }

    /// Every pixel becomes `colour`.
    pub fn fill(&mut self, colour: impl Into<Yuv>) {
        let Yuv { y, u, v } = colour.into();
        for (mut plane, value) in self.planes_mut().into_iter().zip([y, u, v]) {
            plane.fill(value);
        }
    }

    pub(crate) fn av_mut(&mut self) -> &mut AvFrame {
        &mut self.0
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Size {
        self.0.size()
    }
    /// One plane to read.
    pub fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        self.0.plane(plane)
    }
    /// One plane to write.
    pub fn plane_mut(&mut self, plane: Plane) -> PlaneMut<'_> {
        let [y, u, v] = self.planes_mut();
        match plane {
            Plane::Y => y,
            Plane::U => u,
            Plane::V => v,
        }
    }
    /// All planes to write, in the order Y, U, V.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 3] {
        self.0.planes_mut()
    }
    /// No more painting: from now on it can be shared.
    pub fn freeze(self) -> Picture {
        Picture::from_av(self.0)
    }
}

impl fmt::Debug for PictureMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "writable picture {}", self.size())
    }
}
