//! An `AVFrame` of pictures behind a safe face.

use std::ptr;

use ffmpeg_next::ffi;
use ffmpeg_next::frame::Video;
use ffmpeg_next::frame::side_data::Type;
use media::Size;

use super::call::{check, error};
use super::pool::{self, Layout};
use crate::colour::{Colour, Curve, Matrix, Primaries, Range, Transfer};
use crate::error::{CodecError, Step};
use crate::picture::{Aspect, PixelFormat, Plane, PlaneMut, PlaneRef, Scan, Turn};
use crate::raw::RawFormat;

const YUV420P: i32 = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
/// FFmpeg's older way to say "4:2:0 in full range".
const YUVJ420P: i32 = ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P as i32;

/// How long a display matrix is: nine cells of four bytes.
const MATRIX: usize = 36;
/// A display matrix as FFmpeg keeps it.
pub(super) type DisplayMatrix = [u8; MATRIX];

/// Whether a format says by its name that its range is full.
fn is_full_by_name(format: i32) -> bool {
    use ffi::AVPixelFormat as Format;
    [
        Format::AV_PIX_FMT_YUVJ420P,
        Format::AV_PIX_FMT_YUVJ422P,
        Format::AV_PIX_FMT_YUVJ444P,
        Format::AV_PIX_FMT_YUVJ440P,
        Format::AV_PIX_FMT_YUVJ411P,
    ]
    .iter()
    .any(|&full| full as i32 == format)
}

/// One frame. Nobody writes its pixels but [`planes_mut`](Self::planes_mut)
/// and swscale, and only on frames from [`pooled`](Self::pooled) or proven unshared.
///
/// `Send + Sync` because `ffmpeg_next`'s frame is: the struct is written by its
/// one owner only, buffers are counted atomically.
pub(crate) struct AvFrame(Video);

impl AvFrame {
    /// An empty one for a decoder to fill.
    pub(super) fn empty() -> Result<Self, CodecError> {
        let frame = Self(Video::empty());
        // SAFETY: only the pointer itself is looked at.
        if unsafe { frame.0.as_ptr() }.is_null() {
            return Err(error("picture", Step::Allocate, None, -ffmpeg_next::error::ENOMEM));
        }
        Ok(frame)
    }

    /// A writable 4:2:0 frame in the canvas's colours, memory from the pool.
    pub(crate) fn pooled(size: Size) -> Result<Self, CodecError> {
        let layout = Layout::of(size)?;
        let mut frame = Self::empty()?;
        let buffer = pool::buffer(layout.bytes)?;
        let raw = frame.raw_mut();
        raw.format = YUV420P;
        raw.width = size.width as i32;
        raw.height = size.height as i32;
        raw.buf[0] = buffer.as_ptr();
        for i in 0..3 {
            raw.linesize[i] = layout.strides[i] as i32;
            // SAFETY: the buffer is live and as long as the layout says, which
            // every offset lies within.
            raw.data[i] = unsafe { buffer.as_ref().data.add(layout.offsets[i]) };
        }
        raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
        raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
        raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        raw.chroma_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
        raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        Ok(frame)
    }

    /// A writable frame for raw pixels of another's, with memory of its own.
    pub(crate) fn of_raw(format: RawFormat, size: Size) -> Result<Self, CodecError> {
        use ffi::AVPixelFormat as Format;
        if format == RawFormat::I420 {
            return Self::pooled(size);
        }
        let mut frame = Self::empty()?;
        let raw = frame.raw_mut();
        raw.format = match format {
            RawFormat::I420 => Format::AV_PIX_FMT_YUV420P,
            RawFormat::Nv12 => Format::AV_PIX_FMT_NV12,
            RawFormat::Yuy2 => Format::AV_PIX_FMT_YUYV422,
            RawFormat::Uyvy => Format::AV_PIX_FMT_UYVY422,
            RawFormat::Rgba => Format::AV_PIX_FMT_RGB0,
            RawFormat::Bgra => Format::AV_PIX_FMT_BGR0,
        } as i32;
        raw.width = i32::try_from(size.width).unwrap_or(0);
        raw.height = i32::try_from(size.height).unwrap_or(0);
        // SAFETY: the frame is live and has its format and size; FFmpeg pads the buffer for
        // readers of whole vectors.
        let code = unsafe { ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0) };
        check("picture", Step::Allocate, None, code)?;
        Ok(frame)
    }

    /// The rows of a plane of a frame that [`of_raw`](Self::of_raw) made.
    pub(crate) fn raw_rows_mut(
        &mut self,
        format: RawFormat,
        plane: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let (row, rows) = format.plane_size(plane, self.size());
        let raw = self.raw_mut();
        let stride = usize::try_from(raw.linesize[plane]).unwrap_or(0);
        let data = raw.data[plane];
        let len = if data.is_null() || stride < row { 0 } else { stride * (rows - 1) + row };
        // SAFETY: the plane has `rows` rows of at least `row` bytes, `stride` apart, in a buffer
        // that only this frame holds; `self` is borrowed for as long as the slice lives.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(
                if len == 0 { ptr::NonNull::dangling().as_ptr() } else { data },
                len,
            )
        };
        bytes.chunks_mut(stride.max(1))
    }

    /// Says how its numbers stand for colours.
    pub(crate) fn tag(&mut self, colour: Colour) {
        use ffi::AVColorSpace as Space;
        let raw = self.raw_mut();
        raw.colorspace = match colour.matrix {
            Matrix::Bt601 => Space::AVCOL_SPC_SMPTE170M,
            Matrix::Bt709 => Space::AVCOL_SPC_BT709,
            Matrix::Bt2020 => Space::AVCOL_SPC_BT2020_NCL,
            Matrix::Smpte240 => Space::AVCOL_SPC_SMPTE240M,
            Matrix::Rgb => Space::AVCOL_SPC_RGB,
            Matrix::Unknown => Space::AVCOL_SPC_UNSPECIFIED,
        };
        raw.color_range = match colour.range {
            Range::Limited => ffi::AVColorRange::AVCOL_RANGE_MPEG,
            Range::Full => ffi::AVColorRange::AVCOL_RANGE_JPEG,
        };
    }

    pub(super) fn raw(&self) -> &ffi::AVFrame {
        // SAFETY: never null (checked in `empty`), lives as long as `self`.
        unsafe { &*self.0.as_ptr() }
    }
    pub(super) fn raw_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: as in `raw`, and `self` is borrowed by one only.
        unsafe { &mut *self.0.as_mut_ptr() }
    }

    pub(crate) fn size(&self) -> Size {
        let raw = self.raw();
        Size::new(u32::try_from(raw.width).unwrap_or(0), u32::try_from(raw.height).unwrap_or(0))
    }

    pub(crate) fn format(&self) -> PixelFormat {
        match self.raw().format {
            YUV420P | YUVJ420P => PixelFormat::Yuv420p,
            other => PixelFormat::Other(other),
        }
    }

    pub(crate) fn colour(&self) -> Colour {
        use ffi::AVColorSpace as Space;
        let raw = self.raw();
        let matrix = match raw.colorspace {
            Space::AVCOL_SPC_BT709 => Matrix::Bt709,
            Space::AVCOL_SPC_BT470BG | Space::AVCOL_SPC_SMPTE170M | Space::AVCOL_SPC_FCC => Matrix::Bt601,
            Space::AVCOL_SPC_BT2020_NCL | Space::AVCOL_SPC_BT2020_CL => Matrix::Bt2020,
            Space::AVCOL_SPC_SMPTE240M => Matrix::Smpte240,
            _ if self.is_rgb() => Matrix::Rgb,
            // The number of RGB on what is not: ProRes has it for what is not told.
            _ => Matrix::Unknown,
        };
        let full = raw.color_range == ffi::AVColorRange::AVCOL_RANGE_JPEG || is_full_by_name(raw.format);
        Colour { matrix, range: if full { Range::Full } else { Range::Limited } }
    }

    pub(crate) fn transfer(&self) -> Transfer {
        match self.raw().color_trc {
            ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084 => Transfer::Pq,
            ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67 => Transfer::Hlg,
            _ => Transfer::Sdr,
        }
    }

    pub(crate) fn primaries(&self) -> Primaries {
        use ffi::AVColorPrimaries as Tag;
        match self.raw().color_primaries {
            Tag::AVCOL_PRI_BT470BG | Tag::AVCOL_PRI_EBU3213 => Primaries::Bt601Lines625,
            Tag::AVCOL_PRI_SMPTE170M | Tag::AVCOL_PRI_SMPTE240M => Primaries::Bt601Lines525,
            Tag::AVCOL_PRI_BT2020 => Primaries::Bt2020,
            Tag::AVCOL_PRI_SMPTE431 => Primaries::DciP3,
            Tag::AVCOL_PRI_SMPTE432 => Primaries::DisplayP3,
            _ => Primaries::Bt709,
        }
    }

    pub(crate) fn curve(&self) -> Curve {
        use ffi::AVColorTransferCharacteristic as Tag;
        match self.raw().color_trc {
            Tag::AVCOL_TRC_IEC61966_2_1 => Curve::Srgb,
            _ => Curve::Bt709,
        }
    }

    /// Says which primaries it has.
    #[cfg(test)]
    pub(crate) fn paint_with(&mut self, primaries: Primaries) {
        use ffi::AVColorPrimaries as Tag;
        self.raw_mut().color_primaries = match primaries {
            Primaries::Bt709 => Tag::AVCOL_PRI_BT709,
            Primaries::Bt601Lines625 => Tag::AVCOL_PRI_BT470BG,
            Primaries::Bt601Lines525 => Tag::AVCOL_PRI_SMPTE170M,
            Primaries::Bt2020 => Tag::AVCOL_PRI_BT2020,
            Primaries::DciP3 => Tag::AVCOL_PRI_SMPTE431,
            Primaries::DisplayP3 => Tag::AVCOL_PRI_SMPTE432,
        };
    }

    /// Whether some of it may be transparent.
    pub(crate) fn has_alpha(&self) -> bool {
        self.has(ffi::AV_PIX_FMT_FLAG_ALPHA as u64)
    }

    /// Whether its pixels are red, green and blue themselves.
    pub(super) fn is_rgb(&self) -> bool {
        self.has(ffi::AV_PIX_FMT_FLAG_RGB as u64)
    }

    /// Whether the pixel format is of this kind.
    fn has(&self, flag: u64) -> bool {
        let format = self.raw().format;
        if !(0..ffi::AVPixelFormat::AV_PIX_FMT_NB as i32).contains(&format) {
            return false;
        }
        // SAFETY: the enum is numbered without a gap from 0 up to `NB`; what
        // comes back is null or static.
        unsafe {
            let format = std::mem::transmute::<i32, ffi::AVPixelFormat>(format);
            ffi::av_pix_fmt_desc_get(format).as_ref().is_some_and(|about| about.flags & flag != 0)
        }
    }

    pub(crate) fn aspect(&self) -> Aspect {
        let ffi::AVRational { num, den } = self.raw().sample_aspect_ratio;
        match (u32::try_from(num), u32::try_from(den)) {
            // Beyond 1:16 it is damage, not a shape of pixels.
            (Ok(num @ 1..), Ok(den @ 1..)) if num / 16 <= den && den / 16 <= num => Aspect { num, den },
            _ => Aspect::SQUARE,
        }
    }

    /// Whether its decoder made up parts of it.
    pub(crate) fn is_damaged(&self) -> bool {
        self.raw().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0 || self.raw().decode_error_flags != 0
    }

    pub(crate) fn scan(&self) -> Scan {
        match (self.0.is_interlaced(), self.0.is_top_first()) {
            (false, _) => Scan::Progressive,
            (true, true) => Scan::TopFirst,
            (true, false) => Scan::BottomFirst,
        }
    }

    /// Its display matrix, if it has one.
    pub(super) fn matrix(&self) -> Option<DisplayMatrix> {
        self.0.side_data(Type::DisplayMatrix)?.data().get(..MATRIX)?.try_into().ok()
    }

    /// Gives it a display matrix.
    pub(super) fn set_matrix(&mut self, matrix: &DisplayMatrix) {
        // Without memory it lies as it is.
        let Some(side) = self.0.new_side_data(Type::DisplayMatrix, MATRIX) else { return };
        // SAFETY: the side data was made with room for so many bytes, and nobody else has it.
        unsafe { ptr::copy_nonoverlapping(matrix.as_ptr(), side.data().as_ptr().cast_mut(), MATRIX) };
    }

    /// Whether decoding can begin with it.
    pub(super) fn is_key(&self) -> bool {
        self.0.is_key()
    }

    /// From the display matrix (libavutil/display.h: 16.16 fixed point, row by row).
    pub(crate) fn turn(&self) -> Turn {
        let Some(matrix) = self.matrix() else { return Turn::NONE };
        let mut cells = matrix.chunks_exact(4).map(|b| i32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
        let mut next = || cells.next();
        let (Some(a), Some(b), Some(_), Some(c), Some(d)) = (next(), next(), next(), next(), next()) else {
            return Turn::NONE;
        };
        Turn::of_matrix([a, b, c, d])
    }

    /// Whether no one else holds the pixels: no clone, no decoder.
    pub(crate) fn is_sole_owner(&self) -> bool {
        self.raw().buf.iter().take_while(|buf| !buf.is_null()).all(|&buf| {
            // SAFETY: a non-null `buf` of a live frame is a live reference.
            unsafe { ffi::av_buffer_is_writable(buf) == 1 }
        })
    }

    /// Where plane `plane` lies: start, stride, width, height. Nothing for
    /// other formats and for rows that run upwards.
    fn place(&self, plane: Plane) -> Option<(*mut u8, usize, usize, usize)> {
        let raw = self.raw();
        let i = plane.index();
        let Size { width, height } = plane.size_in(self.size());
        let stride = usize::try_from(raw.linesize[i]).ok()?;
        let (width, height) = (width as usize, height as usize);
        let there = self.format() == PixelFormat::Yuv420p && !raw.data[i].is_null();
        (there && height > 0 && width <= stride).then_some((raw.data[i], stride, width, height))
    }

    pub(crate) fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        match self.place(plane) {
            Some((start, stride, width, height)) => PlaneRef {
                // SAFETY: FFmpeg keeps `height` rows of at least `width` bytes,
                // `stride` apart, behind `start` while the frame lives; nobody
                // writes to them while `self` is borrowed.
                data: unsafe { std::slice::from_raw_parts(start, stride * (height - 1) + width) },
                stride,
                width,
                height,
            },
            None => PlaneRef { data: &[], stride: 0, width: 0, height: 0 },
        }
    }

    pub(crate) fn planes_mut(&mut self) -> [PlaneMut<'_>; 3] {
        Plane::ALL.map(|plane| match self.place(plane) {
            Some((start, stride, width, height)) => PlaneMut {
                // SAFETY: as in `plane`; the three do not overlap, `self` is
                // borrowed mutably for as long as they live, and only frames
                // whose buffers have no other reference get here.
                data: unsafe { std::slice::from_raw_parts_mut(start, stride * (height - 1) + width) },
                stride,
                width,
                height,
            },
            None => PlaneMut { data: &mut [], stride: 0, width: 0, height: 0 },
        })
    }

    /// A writable copy with the same tags; 4:2:0 only.
    pub(crate) fn copied(&self) -> Result<Self, CodecError> {
        if self.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: self.format(), want: PixelFormat::Yuv420p });
        }
        let mut copy = Self::pooled(self.size())?;
        // SAFETY: both frames are live; only tags and side data are copied.
        let code = unsafe { ffi::av_frame_copy_props(copy.0.as_mut_ptr(), self.0.as_ptr()) };
        check("picture", Step::Allocate, None, code)?;
        if self.raw().format == YUVJ420P {
            copy.raw_mut().color_range = ffi::AVColorRange::AVCOL_RANGE_JPEG;
        }
        for (mut to, plane) in copy.planes_mut().into_iter().zip(Plane::ALL) {
            let from = self.plane(plane);
            if from.stride == to.stride && from.data.len() == to.data.len() {
                to.data.copy_from_slice(from.data);
            } else {
                for (to, from) in to.rows_mut().zip(from.rows()) {
                    to.copy_from_slice(from);
                }
            }
        }
        Ok(copy)
    }

    /// The same pixels under a struct of their own, with none of the tags, as
    /// an encoder wants them: its caller sets time and type. Nothing is copied.
    pub(super) fn bare_ref(&self) -> Result<Self, CodecError> {
        let mut bare = Self::empty()?;
        let from = self.raw();
        let to = bare.raw_mut();
        to.format = YUV420P;
        to.width = from.width;
        to.height = from.height;
        to.data = from.data;
        to.linesize = from.linesize;
        to.extended_data = to.data.as_mut_ptr();
        for (to, &from) in to.buf.iter_mut().zip(&from.buf) {
            if !from.is_null() {
                // SAFETY: a non-null `buf` of a live frame is a live reference.
                *to = unsafe { ffi::av_buffer_ref(from) };
                if to.is_null() {
                    return Err(error("picture", Step::Allocate, None, -ffmpeg_next::error::ENOMEM));
                }
            }
        }
        Ok(bare)
    }

    /// The same pixels and tags under a struct of their own. Nothing is copied.
    pub(crate) fn another_ref(&self) -> Result<Self, CodecError> {
        let mut other = Self::empty()?;
        // SAFETY: both frames are live, and the new one holds nothing.
        let code = unsafe { ffi::av_frame_ref(other.0.as_mut_ptr(), self.0.as_ptr()) };
        check("picture", Step::Allocate, None, code)?;
        Ok(other)
    }

    /// A copy whose rows run downwards, for decoders that store pictures upside down.
    pub(super) fn upright(self) -> Result<Self, CodecError> {
        if self.raw().linesize.iter().all(|&line| line >= 0) {
            return Ok(self);
        }
        let mut copy = Self::empty()?;
        let raw = self.raw();
        let to = copy.raw_mut();
        to.format = raw.format;
        to.width = raw.width;
        to.height = raw.height;
        // SAFETY: both frames are live; the new one gets a buffer of its own
        // of the same format and size before pixels are copied.
        unsafe {
            check("picture", Step::Allocate, None, ffi::av_frame_get_buffer(copy.0.as_mut_ptr(), 0))?;
            check("picture", Step::Allocate, None, ffi::av_frame_copy(copy.0.as_mut_ptr(), self.0.as_ptr()))?;
            check(
                "picture",
                Step::Allocate,
                None,
                ffi::av_frame_copy_props(copy.0.as_mut_ptr(), self.0.as_ptr()),
            )?;
        }
        Ok(copy)
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVFrame {
        ptr::from_ref(self.raw())
    }
    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        ptr::from_mut(self.raw_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Mirror, Rotation};

    fn with_matrix(cells: [i32; 9]) -> AvFrame {
        let mut frame = AvFrame::pooled(Size::new(4, 4)).unwrap();
        let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_ne_bytes()).collect();
        frame.set_matrix(&bytes.try_into().unwrap());
        frame
    }

    #[test]
    fn the_display_matrix_tells_the_turn() {
        const ONE: i32 = 1 << 16;
        // As phones write them: rows of (a, b, u), (c, d, v), (x, y, w).
        for (a, b, c, d, rotation, mirror) in [
            (ONE, 0, 0, ONE, Rotation::None, Mirror::No),
            (0, ONE, -ONE, 0, Rotation::Quarter, Mirror::No),
            (-ONE, 0, 0, -ONE, Rotation::Half, Mirror::No),
            (0, -ONE, ONE, 0, Rotation::ThreeQuarters, Mirror::No),
            (-ONE, 0, 0, ONE, Rotation::None, Mirror::LeftRight),
            (ONE, 0, 0, -ONE, Rotation::Half, Mirror::LeftRight),
            (0, ONE, ONE, 0, Rotation::ThreeQuarters, Mirror::LeftRight),
            (0, -ONE, -ONE, 0, Rotation::Quarter, Mirror::LeftRight),
        ] {
            let told = with_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30]).turn();
            assert_eq!(told, Turn { mirror, rotation }, "{a} {b} {c} {d}");
        }
        assert_eq!(AvFrame::pooled(Size::new(4, 4)).unwrap().turn(), Turn::NONE);
    }

    #[test]
    fn a_picture_can_go_to_any_thread() {
        fn any_thread<T: Send + Sync>() {}
        any_thread::<crate::Picture>();
        any_thread::<crate::PictureMut>();
        fn another_thread<T: Send>() {}
        another_thread::<crate::Scaler>();
        another_thread::<crate::Conform>();
        another_thread::<crate::Resampler>();
    }

    #[test]
    fn rows_that_run_upwards_are_turned() {
        let mut frame = AvFrame::pooled(Size::new(4, 4)).unwrap();
        for (value, row) in frame.planes_mut()[0].rows_mut().enumerate() {
            row.fill(value as u8);
        }
        let raw = frame.raw_mut();
        for i in 0..3 {
            let rows = if i == 0 { 3 } else { 1 };
            // SAFETY: the last row lies within the plane.
            raw.data[i] = unsafe { raw.data[i].offset(raw.linesize[i] as isize * rows) };
            raw.linesize[i] = -raw.linesize[i];
        }
        assert_eq!(frame.plane(Plane::Y).height, 0);
        let upright = frame.upright().unwrap();
        assert_eq!((upright.plane(Plane::Y).row(0)[0], upright.plane(Plane::Y).row(3)[0]), (3, 0));
    }
}
