//! A still picture with silence: fillers made of an image.

use codecs::{CodecError, Picture, PictureMut, Plane, Rgb, Yuv};
use media::Size;

use crate::ingest::buffer::Take;

/// Why an image cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// Not there, or not to be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// Neither PNG nor JPEG, or damaged.
    #[error("{path} is no PNG or JPEG that can be read: {source}")]
    Decode {
        /// The file.
        path: String,
        /// The decoder's word.
        source: image::ImageError,
    },
    /// No memory for a picture.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// One picture, for ever.
#[derive(Clone, Debug)]
pub(crate) struct Still(Picture);

impl Still {
    /// The image scaled to fill `canvas` as far as its shape allows, on black.
    pub(crate) fn load(path: &std::path::Path, canvas: Size) -> Result<Self, StillError> {
        let name = || path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| StillError::Read { path: name(), source })?;
        let decoded =
            image::load_from_memory(&bytes).map_err(|source| StillError::Decode { path: name(), source })?;
        let fitted =
            decoded.resize(canvas.width, canvas.height, image::imageops::FilterType::Triangle).to_rgba8();
        let left = (canvas.width - fitted.width().min(canvas.width)) / 2;
        let top = (canvas.height - fitted.height().min(canvas.height)) / 2;
        let pixel = |x: u32, y: u32| -> Rgb {
            let inside = x >= left && y >= top && x - left < fitted.width() && y - top < fitted.height();
            if !inside {
                return Rgb::new(0, 0, 0);
            }
            let [r, g, b, a] = fitted.get_pixel(x - left, y - top).0;
            let over_black = |c: u8| (u16::from(c) * u16::from(a) / 255) as u8;
            Rgb::new(over_black(r), over_black(g), over_black(b))
        };
        Ok(Self(draw(canvas, pixel)?))
    }

    pub(crate) fn take(&self) -> Take {
        Take { picture: Some(self.0.clone()), hole_since: None, ended: false, sound: None }
    }
}

/// A picture from its pixels; chroma is the mean of each two by two.
pub(crate) fn draw(size: Size, pixel: impl Fn(u32, u32) -> Rgb) -> Result<Picture, CodecError> {
    let mut picture = PictureMut::new(size)?;
    let mut luma = picture.plane_mut(Plane::Y);
    for (y, row) in (0..).zip(luma.rows_mut()) {
        for (x, out) in (0..).zip(row.iter_mut()) {
            *out = Yuv::from(pixel(x, y)).y;
        }
    }
    for plane in [Plane::U, Plane::V] {
        let mut chroma = picture.plane_mut(plane);
        for (y, row) in (0..).zip(chroma.rows_mut()) {
            for (x, out) in (0..).zip(row.iter_mut()) {
                let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| {
                    let yuv = Yuv::from(pixel(2 * x + dx, 2 * y + dy));
                    u16::from(if plane == Plane::U { yuv.u } else { yuv.v })
                });
                *out = ((corners.iter().sum::<u16>() + 2) / 4) as u8;
            }
        }
    }
    Ok(picture.freeze())
}
