//! swscale: any picture into a box of a canvas picture.

use std::ffi::CStr;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use media::{Rect, Size};

use super::call::{check, error};
use super::frame::AvFrame;
use crate::colour::Range;
use crate::error::{CodecError, Step};
use crate::picture::PixelFormat;

/// How pixels between the pixels are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Filter {
    /// From the nearest two each way: fast, soft.
    Bilinear,
    /// From the nearest four each way: sharp; for sources.
    Bicubic,
    /// The same with coarser sums, up to a level off, in little more than half the time: the
    /// ladder's. A cascade of it comes as near to the canvas as scaling each rung from there; of
    /// [`Bilinear`](Self::Bilinear) every step takes detail away.
    BicubicFast,
    /// The mean of the area a new pixel covers: for strong reduction.
    Area,
}

/// Which lines of the source are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lines {
    All,
    /// The upper of two fields: every second line from the first.
    UpperField,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    from: Size,
    format: i32,
    range: Range,
    to: Size,
    to_format: ffi::AVPixelFormat,
}

/// A scaler for one shape of input at a time; set up anew when that changes.
pub(crate) struct Sws {
    filter: Filter,
    shape: Option<Shape>,
    ptr: *mut ffi::SwsContext,
}

// SAFETY: a SwsContext has no tie to a thread; only its owner calls into it.
unsafe impl Send for Sws {}

const NAME: &str = "swscale";

impl Sws {
    pub(crate) const fn new(filter: Filter) -> Self {
        Self { filter, shape: None, ptr: ptr::null_mut() }
    }

    /// Scales `from` into `rect` of `to`, in limited range. What was RGB becomes
    /// BT.709; YCbCr keeps its matrix. Where `alpha` is given, it takes what the
    /// source has of it in its luma plane, from its upper left on.
    ///
    /// swscale writes whole vectors, so pixels to the right of `rect` may
    /// change too: paint borders afterwards.
    pub(crate) fn run(
        &mut self,
        from: &AvFrame,
        lines: Lines,
        to: &mut AvFrame,
        rect: Rect,
        alpha: Option<&mut AvFrame>,
    ) -> Result<(), CodecError> {
        self.run_part(from, Rect::whole(from.size()), lines, to, rect, alpha)
    }

    /// As [`run`](Self::run), of a part of `from`; of less than the whole only where that is 4:2:0,
    /// 8 bits, and the part is even.
    pub(crate) fn run_part(
        &mut self,
        from: &AvFrame,
        window: Rect,
        lines: Lines,
        to: &mut AvFrame,
        rect: Rect,
        alpha: Option<&mut AvFrame>,
    ) -> Result<(), CodecError> {
        if !window.fits_in(from.size()) {
            return Err(CodecError::PictureSize { got: window.size, want: from.size() });
        }
        let is_part = window != Rect::whole(from.size());
        if is_part && from.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: from.format(), want: PixelFormat::Yuv420p });
        }
        let canvas = to.size();
        if rect.x + rect.size.width > canvas.width || rect.y + rect.size.height > canvas.height {
            return Err(CodecError::PictureSize { got: rect.size, want: canvas });
        }
        let size = window.size;
        let step = if lines == Lines::All { 1 } else { 2 };
        let shape = Shape {
            from: Size::new(size.width, (size.height / step).max(1)),
            format: from.raw().format,
            range: from.colour().range,
            to: rect.size,
            to_format: match alpha {
                Some(_) => ffi::AVPixelFormat::AV_PIX_FMT_YUVA420P,
                None => ffi::AVPixelFormat::AV_PIX_FMT_YUV420P,
            },
        };
        if self.shape != Some(shape) {
            self.set_up(shape)?;
        }
        let raw = from.raw();
        let strides = raw.linesize.map(|line| line * step as i32);
        let mut starts = raw.data.map(<*mut u8>::cast_const);
        for (i, start) in starts.iter_mut().take(3).enumerate().filter(|_| is_part) {
            let shift = u32::from(i > 0);
            let offset =
                (window.y >> shift) as isize * raw.linesize[i] as isize + (window.x >> shift) as isize;
            // SAFETY: the picture is planar 4:2:0 and `window` lies within it (both checked above),
            // so the offset lies within the plane.
            *start = unsafe { start.offset(offset) };
        }
        let to = to.raw_mut();
        let mut to_strides = to.linesize;
        let mut boxes = [ptr::null_mut(); 4];
        for (i, start) in boxes.iter_mut().take(3).enumerate() {
            let shift = u32::from(i > 0);
            let offset = (rect.y >> shift) as usize * to.linesize[i] as usize + (rect.x >> shift) as usize;
            // SAFETY: `rect` lies within the canvas (checked above), so the
            // offset lies within the plane.
            *start = unsafe { to.data[i].add(offset) };
        }
        if let Some(alpha) = alpha {
            if !rect.size.fits_in(alpha.size()) {
                return Err(CodecError::PictureSize { got: alpha.size(), want: rect.size });
            }
            let alpha = alpha.raw_mut();
            (boxes[3], to_strides[3]) = (alpha.data[0], alpha.linesize[0]);
        }
        // SAFETY: the context was made for these sizes and formats; the source
        // has `shape.from` lines, `strides` apart; the target has its box, and
        // slack behind the last plane for whole vectors.
        let lines = unsafe {
            ffi::sws_scale(
                self.ptr,
                starts.as_ptr(),
                strides.as_ptr(),
                0,
                shape.from.height as i32,
                boxes.as_ptr(),
                to_strides.as_ptr(),
            )
        };
        check(NAME, Step::Scale, None, lines).map(|_| ())
    }

    fn set_up(&mut self, shape: Shape) -> Result<(), CodecError> {
        super::call::quiet();
        self.tear_down();
        // SAFETY: a plain constructor; null is checked.
        let context = NonNull::new(unsafe { ffi::sws_alloc_context() })
            .ok_or_else(|| error(NAME, Step::Allocate, None, -ffmpeg_next::error::ENOMEM))?;
        self.ptr = context.as_ptr();
        let flags = match self.filter {
            Filter::Bilinear => ffi::SWS_BILINEAR,
            Filter::Bicubic => ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND,
            Filter::BicubicFast => ffi::SWS_BICUBIC,
            Filter::Area => ffi::SWS_AREA | ffi::SWS_ACCURATE_RND,
        };
        // Ranges are set before the set-up: it decides whether a plain copy will do.
        let options: [(&CStr, i64); 9] = [
            (c"srcw", shape.from.width.into()),
            (c"srch", shape.from.height.into()),
            (c"src_format", shape.format.into()),
            (c"src_range", i64::from(shape.range == Range::Full)),
            (c"dstw", shape.to.width.into()),
            (c"dsth", shape.to.height.into()),
            (c"dst_format", shape.to_format as i64),
            (c"dst_range", 0),
            (c"sws_flags", i64::from(flags)),
        ];
        for (key, value) in options {
            // SAFETY: the context is live and its first field is an AVClass, as av_opt wants.
            let code = unsafe { ffi::av_opt_set_int(self.ptr.cast(), key.as_ptr(), value, 0) };
            check(NAME, Step::Open, None, code)?;
        }
        // SAFETY: the context has its options and was not set up before.
        let code = unsafe { ffi::sws_init_context(self.ptr, ptr::null_mut(), ptr::null_mut()) };
        check(NAME, Step::Open, None, code)?;
        // One table for both: swscale would turn one matrix into another by way
        // of 8-bit RGB, which rounds and clips.
        // SAFETY: a table lookup; the tables are static.
        let table = unsafe { ffi::sws_getCoefficients(ffi::SWS_CS_ITU709) };
        // SAFETY: the context is set up, the table is static. 1 << 16 is
        // neutral for contrast and saturation.
        let code = unsafe {
            ffi::sws_setColorspaceDetails(
                self.ptr,
                table,
                i32::from(shape.range == Range::Full),
                table,
                0,
                0,
                1 << 16,
                1 << 16,
            )
        };
        check(NAME, Step::Open, None, code)?;
        self.shape = Some(shape);
        Ok(())
    }

    fn tear_down(&mut self) {
        self.shape = None;
        // SAFETY: ours or null; not used after.
        unsafe { ffi::sws_freeContext(self.ptr) };
        self.ptr = ptr::null_mut();
    }
}

impl Drop for Sws {
    fn drop(&mut self) {
        self.tear_down();
    }
}
