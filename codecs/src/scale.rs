//! Pictures of one size out of pictures of any.

use media::{Rect, Size};

use crate::colour::Colour;
use crate::error::CodecError;
use crate::ffmpeg::{Filter, Lines, Sws};
use crate::picture::{Picture, PictureMut, PixelFormat};
use crate::recolour::Recolour;

/// Stretches any picture to one size, as 4:2:0 BT.709 limited.
///
/// Shape, turn and fields of the source are not looked at: that is
/// [`Conform`](crate::Conform)'s work. The input may change at any time.
pub struct Scaler {
    to: Size,
    sws: Sws,
}

impl Scaler {
    /// A scaler to `to`.
    pub const fn new(to: Size, filter: Filter) -> Self {
        Self { to, sws: Sws::new(filter) }
    }

    /// The size it scales to.
    pub const fn size(&self) -> Size {
        self.to
    }

    /// `picture` in the target size; the very same one if it is right already.
    ///
    /// # Errors
    /// A pixel format swscale cannot read, or no memory.
    pub fn scale(&mut self, picture: &Picture) -> Result<Picture, CodecError> {
        if picture.size() == self.to && is_canvas_colour(picture) {
            return Ok(picture.clone());
        }
        let mut to = PictureMut::new(self.to)?;
        let rect = Rect { x: 0, y: 0, size: self.to };
        self.sws.run(picture.av(), Lines::All, to.av_mut(), rect, None)?;
        recolour(picture, &mut to);
        Ok(to.freeze())
    }
}

/// Pixels that came from `source` by scaling still stand for colours by its
/// matrix: now by the canvas's.
pub(crate) fn recolour(source: &Picture, scaled: &mut PictureMut) {
    if let Some(recolour) = Recolour::from(source.colour().matrix.or_by_size(source.size())) {
        recolour.run(scaled);
    }
}

/// Whether the pixels are what the canvas has: 4:2:0, 8 bits, BT.709, limited.
pub(crate) fn is_canvas_colour(picture: &Picture) -> bool {
    let Colour { matrix, range } = picture.colour();
    let colour = Colour { matrix: matrix.or_by_size(picture.size()), range };
    picture.format() == PixelFormat::Yuv420p && colour == Colour::CANVAS
}
