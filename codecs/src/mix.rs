//! One picture over another: the dissolve of a mix.

use crate::error::CodecError;
use crate::picture::{Picture, PictureMut, PixelFormat, Plane};

/// `num / den` of `b` over the rest of `a`; at 0 it is `a`, at `den` it is `b`.
///
/// The share is rounded to 1/256; `num` above `den` counts as `den`.
///
/// # Errors
/// Pictures of two sizes, or not of [`PixelFormat::Yuv420p`].
pub fn dissolve(a: &Picture, b: &Picture, num: u32, den: u32) -> Result<PictureMut, CodecError> {
    let (mut out, share) = begin(a, b, num, den)?;
    let rest = 256 - share;
    for (mut to, plane) in out.planes_mut().into_iter().zip(Plane::ALL) {
        let rows = a.plane(plane).rows().zip(b.plane(plane).rows());
        for (to, (a, b)) in to.rows_mut().zip(rows) {
            // At most 255 * 256 + 128, which fits 16 bits: nothing wraps, and no
            // check for it keeps the loop from being done sixteen at a time.
            for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
                let (a, b) = (u16::from(a).wrapping_mul(rest), u16::from(b).wrapping_mul(share));
                *to = (a.wrapping_add(b).wrapping_add(128) >> 8) as u8;
            }
        }
    }
    Ok(out)
}

/// The slow, obvious twin of [`dissolve`], kept as its test oracle.
///
/// # Errors
/// As `dissolve`.
pub fn dissolve_scalar(a: &Picture, b: &Picture, num: u32, den: u32) -> Result<PictureMut, CodecError> {
    let (mut out, share) = begin(a, b, num, den)?;
    for plane in Plane::ALL {
        let (a, b, mut to) = (a.plane(plane), b.plane(plane), out.plane_mut(plane));
        for y in 0..to.height {
            for x in 0..to.width {
                let (a, b) = (f64::from(a.row(y)[x]), f64::from(b.row(y)[x]));
                let share = f64::from(share) / 256.0;
                to.row_mut(y)[x] = (a * (1.0 - share) + b * share + 0.5).floor() as u8;
            }
        }
    }
    Ok(out)
}

fn begin(a: &Picture, b: &Picture, num: u32, den: u32) -> Result<(PictureMut, u16), CodecError> {
    if a.size() != b.size() {
        return Err(CodecError::PictureSize { got: b.size(), want: a.size() });
    }
    for picture in [a, b] {
        if picture.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: picture.format(), want: PixelFormat::Yuv420p });
        }
    }
    let (num, den) = (u64::from(num.min(den)), u64::from(den.max(1)));
    let share = ((num * 512 + den) / (2 * den)) as u16;
    Ok((PictureMut::new(a.size())?, share))
}
