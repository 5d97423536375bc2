//! Fields that are coded as pictures of their own (HEVC's `field_seq_flag`) become pictures of two
//! fields again, as every other codec's decoder gives them.

use std::collections::VecDeque;

use ffmpeg_next::ffi;

use super::call::check;
use super::frame::AvFrame;
use crate::error::{CodecError, Step};
use crate::picture::Scan;

/// How newer FFmpeg says the same as by `interlaced_frame` and `top_field_first`.
const IN_FIELDS: i32 = 0b1_1000;

/// Puts the fields of one stream together.
#[derive(Default)]
pub(super) struct Weaver {
    /// A field that waits for the other.
    first: Option<AvFrame>,
}

impl Weaver {
    /// The next decoded picture, which is a field if it says that it is of fields: that is how the
    /// decoder tells (`hevc_refs.c`), the upper one as if it came first.
    pub(super) fn push(&mut self, frame: AvFrame, out: &mut VecDeque<AvFrame>) -> Result<(), CodecError> {
        let is_field = frame.scan() != Scan::Progressive;
        match self.first.take() {
            None if is_field => self.first = Some(frame),
            None => out.push_back(frame),
            Some(first) if is_field && belong_together(&first, &frame) => {
                out.push_back(woven(&first, &frame)?)
            }
            Some(first) => {
                out.push_back(alone(first));
                match is_field {
                    true => self.first = Some(frame),
                    false => out.push_back(frame),
                }
            }
        }
        Ok(())
    }

    /// The stream has ended: a field that is left comes alone.
    pub(super) fn flush(&mut self, out: &mut VecDeque<AvFrame>) {
        out.extend(self.first.take().map(alone));
    }
}

/// Two fields of one picture: an upper and a lower one, of one form. Of an odd height a field has
/// more rows of colour than its share of the picture.
fn belong_together(first: &AvFrame, second: &AvFrame) -> bool {
    let form = |frame: &AvFrame| (frame.size(), frame.raw().format);
    first.scan() != second.scan() && form(first) == form(second) && first.raw().height % 2 == 0
}

/// A field without the other: a picture whose pixels are twice as high.
fn alone(mut field: AvFrame) -> AvFrame {
    let raw = field.raw_mut();
    let ffi::AVRational { num, den } = raw.sample_aspect_ratio;
    let (num, den) = if num > 0 && den > 0 { (num, den) } else { (1, 1) };
    raw.sample_aspect_ratio = ffi::AVRational { num, den: den.saturating_mul(2) };
    (raw.interlaced_frame, raw.top_field_first) = (0, 0);
    raw.flags &= !IN_FIELDS;
    field
}

/// One picture of two fields, at the time of the first.
fn woven(first: &AvFrame, second: &AvFrame) -> Result<AvFrame, CodecError> {
    let mut frame = AvFrame::empty()?;
    let (of, top_first) = (first.raw(), first.scan() == Scan::TopFirst);
    let to = frame.raw_mut();
    (to.format, to.width, to.height) = (of.format, of.width, of.height.saturating_mul(2));
    // SAFETY: the new frame has its format and size, and gets a buffer of its own for them.
    let code = unsafe { ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0) };
    check("weave", Step::Allocate, None, code)?;
    // SAFETY: both frames are live; only tags and side data are copied.
    let code = unsafe { ffi::av_frame_copy_props(frame.as_mut_ptr(), first.as_ptr()) };
    check("weave", Step::Allocate, None, code)?;
    for (field, lower) in [(first, !top_first), (second, top_first)] {
        let (from, to) = (field.raw(), frame.raw_mut());
        let mut starts = to.data;
        let mut strides = to.linesize;
        for (start, stride) in starts.iter_mut().zip(&mut strides) {
            if lower && !start.is_null() {
                // SAFETY: the plane has at least two rows: a field has one, and is half of it.
                *start = unsafe { start.offset(*stride as isize) };
            }
            *stride *= 2;
        }
        let mut sources = from.data.map(<*mut u8>::cast_const);
        // SAFETY: every second row of the new frame, from the first or the second on, is as long as
        // a row of the field, and there are as many of them: the field's height is even, so that
        // its rows of colour are half of the frame's, too. The frame's format is the field's.
        unsafe {
            let format = std::mem::transmute::<i32, ffi::AVPixelFormat>(from.format);
            ffi::av_image_copy(
                starts.as_mut_ptr(),
                strides.as_mut_ptr(),
                sources.as_mut_ptr(),
                from.linesize.as_ptr(),
                format,
                from.width,
                from.height,
            );
        }
    }
    // That it is of two fields, and which comes first, the first one's tags say.
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Plane;
    use media::Size;

    /// A field of one level, with a colour of its own.
    fn field(upper: bool, level: u8, size: Size) -> AvFrame {
        let mut frame = AvFrame::pooled(size).unwrap();
        for mut plane in frame.planes_mut() {
            plane.fill(level);
        }
        let raw = frame.raw_mut();
        (raw.interlaced_frame, raw.top_field_first) = (1, i32::from(upper));
        raw.flags |= if upper { IN_FIELDS } else { 0b1000 };
        raw.pts = i64::from(level);
        frame
    }

    fn pushed(fields: Vec<AvFrame>) -> Vec<AvFrame> {
        let (mut weaver, mut out) = (Weaver::default(), VecDeque::new());
        for frame in fields {
            weaver.push(frame, &mut out).unwrap();
        }
        weaver.flush(&mut out);
        out.into()
    }

    #[test]
    fn two_fields_are_a_picture_whichever_comes_first() {
        let size = Size::new(6, 4);
        for upper_first in [true, false] {
            let out = pushed(vec![field(upper_first, 10, size), field(!upper_first, 20, size)]);
            let [frame] = &out[..] else { panic!("{} pictures", out.len()) };
            assert_eq!((frame.size(), frame.raw().pts), (Size::new(6, 8), 10));
            assert_eq!(frame.scan(), if upper_first { Scan::TopFirst } else { Scan::BottomFirst });
            for plane in Plane::ALL {
                let rows: Vec<u8> = frame.plane(plane).rows().map(|row| row[0]).collect();
                let (even, odd) = if upper_first { (10, 20) } else { (20, 10) };
                let want: Vec<u8> = (0..rows.len()).map(|y| if y % 2 == 0 { even } else { odd }).collect();
                assert_eq!(rows, want);
            }
        }
    }

    #[test]
    fn a_field_without_the_other_is_a_picture_of_high_pixels() {
        let size = Size::new(6, 4);
        // The second upper one has lost its lower; a whole picture lies between the last two.
        let whole = || AvFrame::pooled(Size::new(6, 8)).unwrap();
        let fields = vec![
            field(true, 10, size),
            field(true, 20, size),
            field(false, 30, size),
            field(true, 40, size),
            whole(),
            field(false, 50, size),
            field(true, 60, Size::new(6, 3)),
            field(false, 70, Size::new(6, 3)),
        ];
        let told: Vec<_> = pushed(fields)
            .iter()
            .map(|frame| (frame.size().height, frame.scan() != Scan::Progressive, frame.aspect().den))
            .collect();
        let (lone, odd) = ((4, false, 2), (3, false, 2));
        assert_eq!(told, [lone, (8, true, 1), lone, (8, false, 1), lone, odd, odd]);
    }
}
