//! How pictures come to an encoder: as they are, woven, or in a card's own memory.

use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use media::Size;

use super::AvFrame;
use super::call::{check, error};
use super::dialect::{self, Taking};
use crate::error::{CodecError, Step};
use crate::picture::{Picture, Plane};
use crate::raw::RawFormat;
use crate::settings::VideoEncoderSettings;

/// How pictures come to an encoder.
pub(super) enum Intake {
    Planes,
    Woven,
    Uploaded(CardFrames),
}

impl Intake {
    pub(super) fn of(taking: Taking, settings: &VideoEncoderSettings) -> Result<Self, CodecError> {
        Ok(match taking {
            Taking::Planes => Self::Planes,
            Taking::Woven => Self::Woven,
            Taking::Uploaded => {
                let bframes = dialect::bframes(settings).unwrap_or(0);
                Self::Uploaded(CardFrames::open(settings.encoder.as_str(), settings.size, bframes)?)
            }
        })
    }

    /// The picture as a frame that the encoder takes.
    pub(super) fn frame_of(&self, picture: &Picture) -> Result<AvFrame, CodecError> {
        match self {
            Self::Planes => picture.av().bare_ref(),
            Self::Woven => weave(picture, RawFormat::Nv12),
            Self::Uploaded(card) => card.upload(&weave(picture, RawFormat::Nv12)?),
        }
    }
}

/// A copy with the two colour planes woven into one (NV12).
fn weave(picture: &Picture, format: RawFormat) -> Result<AvFrame, CodecError> {
    let mut frame = AvFrame::of_raw(format, picture.size())?;
    let luma = picture.plane(Plane::Y);
    for (y, row) in frame.raw_rows_mut(format, 0).enumerate().take(luma.height) {
        row[..luma.width].copy_from_slice(luma.row(y));
    }
    let (u, v) = (picture.plane(Plane::U), picture.plane(Plane::V));
    for (y, row) in frame.raw_rows_mut(format, 1).enumerate().take(u.height) {
        for ((pair, u), v) in row.chunks_exact_mut(2).zip(u.row(y)).zip(v.row(y)) {
            pair.copy_from_slice(&[*u, *v]);
        }
    }
    frame.tag(crate::colour::Colour::CANVAS);
    Ok(frame)
}

/// Pictures that an encoder holds at the most without B-frames: those it works on at once, what they
/// lean on, and the one that comes in.
const HELD: i32 = 20;

/// A card's memory for pictures of one size.
pub(super) struct CardFrames {
    /// Of an `AVHWFramesContext`, which holds its device.
    frames: NonNull<ffi::AVBufferRef>,
    codec: &'static str,
}

// SAFETY: a reference to a buffer is counted atomically and has no tie to a thread; FFmpeg allows its
// devices and pools of frames to be used from any thread (libavutil/hwcontext.h).
unsafe impl Send for CardFrames {}

impl CardFrames {
    /// On the first card that has a VA-API driver, for the encoder `codec`.
    pub(super) fn open(codec: &'static str, size: Size, bframes: u8) -> Result<Self, CodecError> {
        let mut device: *mut ffi::AVBufferRef = ptr::null_mut();
        let kind = ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI;
        // SAFETY: the device is handed out through a pointer that lives through the call; without a
        // name and options FFmpeg looks for one itself, which null is legal for.
        let code =
            unsafe { ffi::av_hwdevice_ctx_create(&raw mut device, kind, ptr::null(), ptr::null_mut(), 0) };
        check(codec, Step::FindDevice, None, code)?;
        // SAFETY: the device is live; the frames take a reference of their own, so that ours can go
        // whether or not there are any.
        let frames = unsafe {
            let frames = ffi::av_hwframe_ctx_alloc(device);
            ffi::av_buffer_unref(&raw mut device);
            frames
        };
        let frames = NonNull::new(frames)
            .ok_or_else(|| error(codec, Step::Allocate, None, -ffmpeg_next::error::ENOMEM))?;
        let card = Self { frames, codec };
        // SAFETY: the buffer of frames that `av_hwframe_ctx_alloc` made holds their context, which
        // nobody else looks at before it is initialised.
        let context = unsafe { &mut *frames.as_ref().data.cast::<ffi::AVHWFramesContext>() };
        context.format = ffi::AVPixelFormat::AV_PIX_FMT_VAAPI;
        context.sw_format = ffi::AVPixelFormat::AV_PIX_FMT_NV12;
        context.width = i32::try_from(size.width).unwrap_or(0);
        context.height = i32::try_from(size.height).unwrap_or(0);
        context.initial_pool_size = HELD + i32::from(bframes);
        // SAFETY: the context is live and filled in.
        let code = unsafe { ffi::av_hwframe_ctx_init(frames.as_ptr()) };
        check(codec, Step::FindDevice, None, code)?;
        Ok(card)
    }

    /// Has an encoder that is still closed take its pictures from here.
    pub(super) fn lend(&self, context: &mut ffi::AVCodecContext) -> Result<(), CodecError> {
        // SAFETY: ours is a live reference; the new one belongs to the encoder, which frees it.
        let frames = unsafe { ffi::av_buffer_ref(self.frames.as_ptr()) };
        if frames.is_null() {
            return Err(error(self.codec, Step::Allocate, None, -ffmpeg_next::error::ENOMEM));
        }
        context.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_VAAPI;
        context.hw_frames_ctx = frames;
        Ok(())
    }

    /// A copy of an NV12 picture there.
    pub(super) fn upload(&self, picture: &AvFrame) -> Result<AvFrame, CodecError> {
        let mut there = AvFrame::empty()?;
        // SAFETY: the frames are initialised, and the new frame is empty and live.
        let code = unsafe { ffi::av_hwframe_get_buffer(self.frames.as_ptr(), there.as_mut_ptr(), 0) };
        check(self.codec, Step::Upload, None, code)?;
        // SAFETY: both frames are live, of one size, and the first has a surface of the card.
        let code = unsafe { ffi::av_hwframe_transfer_data(there.as_mut_ptr(), picture.as_ptr(), 0) };
        check(self.codec, Step::Upload, None, code)?;
        Ok(there)
    }
}

impl Drop for CardFrames {
    fn drop(&mut self) {
        let mut frames = self.frames.as_ptr();
        // SAFETY: a live reference of ours, freed only here.
        unsafe { ffi::av_buffer_unref(&raw mut frames) };
    }
}
