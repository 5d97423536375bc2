//! Single pictures from and to files: slates in, thumbnails out.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageReader, RgbaImage};
use media::Size;

use crate::colour::{Rgb, Yuv};
use crate::conform::Conform;
use crate::error::CodecError;
use crate::ffmpeg::Filter;
use crate::picture::{Picture, PictureMut, PixelFormat, Plane};

/// The longest side of a file's picture, in pixels.
const MAX_SIDE: u32 = 8192;
/// What reading a file may take, in bytes.
const MAX_MEMORY: u64 = 512 << 20;

/// Reads a PNG or JPEG, within bounds. The error is the reader's own words.
pub(crate) fn read(bytes: &[u8]) -> Result<RgbaImage, String> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|err| err.to_string())?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    Ok(reader.decode().map_err(|err| err.to_string())?.into_rgba8())
}

/// A slate: a PNG or JPEG (up to 8192x8192) fitted on the canvas; where it
/// is transparent or does not reach, it is black.
///
/// # Errors
/// [`CodecError::Image`] for a file that cannot be read, or no memory.
pub fn load(bytes: &[u8], canvas: Size) -> Result<Picture, CodecError> {
    let image = read(bytes).map_err(CodecError::Image)?;
    let mut picture = PictureMut::new(Size::new(image.width(), image.height()))?;
    let colour = |x: u32, y: u32| -> Yuv {
        let [r, g, b, a] = image.get_pixel(x.min(image.width() - 1), y.min(image.height() - 1)).0;
        let over_black = |part: u8| ((u32::from(part) * u32::from(a) + 127) / 255) as u8;
        Rgb::new(over_black(r), over_black(g), over_black(b)).into()
    };
    let [mut luma, mut blue, mut red] = picture.planes_mut();
    for (y, row) in (0..).zip(luma.rows_mut()) {
        for (x, out) in (0..).zip(row) {
            *out = colour(x, y).y;
        }
    }
    for (y, (blue, red)) in (0..).step_by(2).zip(blue.rows_mut().zip(red.rows_mut())) {
        for (x, (blue, red)) in (0..).step_by(2).zip(blue.iter_mut().zip(red)) {
            // The mean of four pixels; at an odd edge the last one counts twice.
            let four = [colour(x, y), colour(x + 1, y), colour(x, y + 1), colour(x + 1, y + 1)];
            let mean = |part: fn(&Yuv) -> u8| {
                let sum: u32 = four.iter().map(|colour| u32::from(part(colour))).sum();
                ((sum + 2) / 4) as u8
            };
            *blue = mean(|colour| colour.u);
            *red = mean(|colour| colour.v);
        }
    }
    Conform::new(canvas, Filter::Bicubic).conform(&picture.freeze())
}

/// A thumbnail: the picture as a JPEG of this quality (1 to 100). Scale it
/// down first; it is written as large as it is.
///
/// # Errors
/// Another format than [`PixelFormat::Yuv420p`], or a side above 65535.
pub fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, CodecError> {
    if picture.format() != PixelFormat::Yuv420p {
        return Err(CodecError::PictureFormat { got: picture.format(), want: PixelFormat::Yuv420p });
    }
    let Size { width, height } = picture.size();
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let [luma, blue, red] = Plane::ALL.map(|plane| picture.plane(plane));
    for (y, row) in luma.rows().enumerate() {
        let (blue, red) = (blue.row(y / 2), red.row(y / 2));
        for (x, &luma) in row.iter().enumerate() {
            let at = |plane: &[u8]| plane.get(x / 2).copied().unwrap_or(128);
            let Rgb { r, g, b } = Yuv::new(luma, at(blue), at(red)).into();
            pixels.extend([r, g, b]);
        }
    }
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality.clamp(1, 100))
        .encode(&pixels, width, height, ExtendedColorType::Rgb8)
        .map_err(|err| CodecError::Image(err.to_string()))?;
    Ok(out)
}
