//! Pictures of one size out of pictures of any.

use media::Size;

use crate::colour::{Colour, Matrix, Range};
use crate::error::CodecError;
use crate::ffmpeg::{Filter, Lines, Rect, Sws};
use crate::picture::{Picture, PictureMut, PixelFormat};

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
        self.sws.run(picture.av(), Lines::All, to.av_mut(), rect)?;
        Ok(to.freeze())
    }
}

/// Whether the pixels are what the canvas has: 4:2:0, 8 bits, BT.709, limited.
pub(crate) fn is_canvas_colour(picture: &Picture) -> bool {
    let Colour { matrix, range } = picture.colour();
    let right = match matrix {
        Matrix::Bt709 => true,
        Matrix::Unknown => picture.size().height > 576,
        Matrix::Bt601 | Matrix::Bt2020 | Matrix::Rgb => false,
    };
    picture.format() == PixelFormat::Yuv420p && range == Range::Limited && right
}
