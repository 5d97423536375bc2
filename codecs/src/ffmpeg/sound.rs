//! Between FFmpeg's audio frames and interleaved floats.

use ffmpeg_next::ffi;
use media::{SampleRate, Time};

use crate::error::CodecError;
use crate::frame::Pcm;

/// The most channels that are worked on.
const MAX_CHANNELS: i32 = 64;

/// The usual layout of this many channels.
pub(super) fn set_layout(layout: &mut ffi::AVChannelLayout, channels: u8) {
    // SAFETY: `layout` is a live AVChannelLayout; the call overwrites it.
    unsafe {
        ffi::av_channel_layout_uninit(layout);
        ffi::av_channel_layout_default(layout, i32::from(channels.max(1)));
    }
}

/// A sample of one of FFmpeg's formats as a float of ±1.
trait Sample: Copy {
    fn float(self) -> f32;
}
impl Sample for u8 {
    fn float(self) -> f32 {
        (f32::from(self) - 128.0) / 128.0
    }
}
impl Sample for i16 {
    fn float(self) -> f32 {
        f32::from(self) / 32_768.0
    }
}
impl Sample for i32 {
    fn float(self) -> f32 {
        (f64::from(self) / 2_147_483_648.0) as f32
    }
}
impl Sample for i64 {
    fn float(self) -> f32 {
        (self as f64 / 9_223_372_036_854_775_808.0) as f32
    }
}
impl Sample for f32 {
    fn float(self) -> f32 {
        self
    }
}
impl Sample for f64 {
    fn float(self) -> f32 {
        self as f32
    }
}

/// Copies an audio frame out as interleaved floats.
pub(super) fn interleaved(codec: &'static str, frame: &ffi::AVFrame, pts: Time) -> Result<Pcm, CodecError> {
    use ffi::AVSampleFormat as F;
    let damaged = |why: String| CodecError::Damaged { codec, pts: Some(pts), why: why.into() };
    let hz = u32::try_from(frame.sample_rate).unwrap_or(0);
    let rate = SampleRate::new(hz).map_err(|err| damaged(err.to_string()))?;
    let count = frame.ch_layout.nb_channels;
    let Some(channels) = u8::try_from(count).ok().filter(|_| (1..=MAX_CHANNELS).contains(&count)) else {
        return Err(damaged(format!("{count} channels, legal is 1 to {MAX_CHANNELS}")));
    };
    let n = usize::try_from(frame.nb_samples).unwrap_or(0);
    let mut out = vec![0.0; n * usize::from(channels)];
    let format = frame.format;
    let is = |packed: F, planar: F| format == packed as i32 || format == planar as i32;
    // SAFETY: each call names the type the frame's format stands for.
    unsafe {
        if is(F::AV_SAMPLE_FMT_FLT, F::AV_SAMPLE_FMT_FLTP) {
            gather::<f32>(frame, format == F::AV_SAMPLE_FMT_FLTP as i32, &mut out, channels);
        } else if is(F::AV_SAMPLE_FMT_S16, F::AV_SAMPLE_FMT_S16P) {
            gather::<i16>(frame, format == F::AV_SAMPLE_FMT_S16P as i32, &mut out, channels);
        } else if is(F::AV_SAMPLE_FMT_S32, F::AV_SAMPLE_FMT_S32P) {
            gather::<i32>(frame, format == F::AV_SAMPLE_FMT_S32P as i32, &mut out, channels);
        } else if is(F::AV_SAMPLE_FMT_DBL, F::AV_SAMPLE_FMT_DBLP) {
            gather::<f64>(frame, format == F::AV_SAMPLE_FMT_DBLP as i32, &mut out, channels);
        } else if is(F::AV_SAMPLE_FMT_U8, F::AV_SAMPLE_FMT_U8P) {
            gather::<u8>(frame, format == F::AV_SAMPLE_FMT_U8P as i32, &mut out, channels);
        } else if is(F::AV_SAMPLE_FMT_S64, F::AV_SAMPLE_FMT_S64P) {
            gather::<i64>(frame, format == F::AV_SAMPLE_FMT_S64P as i32, &mut out, channels);
        } else {
            return Err(damaged(format!("sample format {format}, which is not known here")));
        }
    }
    Ok(Pcm::new(pts, rate, channels, out))
}

/// Fills `out` (whole frames of `channels`) from the frame's memory.
///
/// # Safety
/// The frame's samples are of type `T`, its `nb_samples` times `channels` are
/// `out.len()`, and `planar` says whether each channel has a plane.
unsafe fn gather<T: Sample>(frame: &ffi::AVFrame, planar: bool, out: &mut [f32], channels: u8) {
    let channels = usize::from(channels);
    let n = out.len() / channels;
    if n == 0 || frame.extended_data.is_null() {
        return;
    }
    let planes = if planar { channels } else { 1 };
    for plane in 0..planes {
        // SAFETY: `extended_data` has a pointer for each plane, behind which
        // are `n` samples (planar) or `n` times `channels` (packed), aligned
        // by FFmpeg for vectors.
        let samples = unsafe {
            let start = *frame.extended_data.add(plane);
            if start.is_null() {
                return;
            }
            std::slice::from_raw_parts(start.cast::<T>(), if planar { n } else { out.len() })
        };
        for (to, &from) in out.iter_mut().skip(plane).step_by(planes).zip(samples) {
            *to = from.float();
        }
    }
}
