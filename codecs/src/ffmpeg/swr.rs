//! One swresample context: one form of sound in, one out.

use std::ffi::CStr;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use media::SampleRate;

use super::call::{check, error};
use super::sound;
use crate::error::{CodecError, Step};
use crate::frame::Pcm;

pub(super) const NAME: &str = "swresample";
/// The most samples a channel taken at once: ten seconds at the highest rate.
const MAX_BLOCK: usize = 1_920_000;

/// What there is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Block {
    /// To swresample no samples mean the end, in mid-stream too: it is not to see them.
    Empty,
    Sound,
}

/// Looks whether a block can be taken.
///
/// # Errors
/// No channels, or more than ten seconds at once.
pub(super) fn size_of(pcm: &Pcm) -> Result<Block, CodecError> {
    if pcm.channels == 0 || pcm.len() > MAX_BLOCK {
        return Err(CodecError::Setting {
            codec: NAME,
            name: "block",
            got: format!("{} samples of {} channels", pcm.len(), pcm.channels),
            legal: format!("up to {MAX_BLOCK} samples of at least 1 channel").into(),
        });
    }
    Ok(if pcm.samples.is_empty() { Block::Empty } else { Block::Sound })
}

/// A swresample context for one form of input.
pub(super) struct Swr {
    ptr: NonNull<ffi::SwrContext>,
    pub(super) from: (SampleRate, u8),
    /// Channels the caller wants: a single one that comes in is doubled here afterwards.
    wanted: u8,
    /// Channels swresample gives.
    given: u8,
}

/// Whether a context's ratio is one of whole numbers, or may be bent at any time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ratio {
    Fixed,
    /// Between the filter's phases it interpolates, which keeps a bent tone clean.
    Bent,
}

// SAFETY: a SwrContext has no tie to a thread; only its owner calls into it.
unsafe impl Send for Swr {}

impl Drop for Swr {
    fn drop(&mut self) {
        let mut ptr = self.ptr.as_ptr();
        // SAFETY: ours, and not used after.
        unsafe { ffi::swr_free(&raw mut ptr) };
    }
}

impl Swr {
    /// To `rate` and `wanted` channels (1 to 8).
    pub(super) fn open(
        from: (SampleRate, u8),
        rate: SampleRate,
        wanted: u8,
        ratio: Ratio,
    ) -> Result<Self, CodecError> {
        if !(1..=8).contains(&wanted) {
            return Err(CodecError::Setting {
                codec: NAME,
                name: "channels",
                got: wanted.to_string(),
                legal: "1 to 8".into(),
            });
        }
        let given = if from.1 == 1 { 1 } else { wanted };
        let mut into = layout(given);
        let mut outof = layout(from.1);
        let mut ptr = ptr::null_mut();
        let float = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT;
        // SAFETY: `ptr` is null, so a new context is made; the layouts live
        // through the call, which copies them.
        let code = unsafe {
            ffi::swr_alloc_set_opts2(
                &raw mut ptr,
                &raw mut into,
                float,
                rate.hz() as i32,
                &raw mut outof,
                float,
                from.0.hz() as i32,
                0,
                ptr::null_mut(),
            )
        };
        check(NAME, Step::Open, None, code)?;
        let ptr = NonNull::new(ptr)
            .ok_or_else(|| error(NAME, Step::Allocate, None, -ffmpeg_next::error::ENOMEM))?;
        let swr = Self { ptr, from, wanted, given };
        // Several channels in one must not add up to more than full scale.
        let loudest: &CStr = c"rematrix_maxval";
        // SAFETY: the context is live, its first field an AVClass.
        let code = unsafe { ffi::av_opt_set_double(ptr.as_ptr().cast(), loudest.as_ptr(), 1.0, 0) };
        check(NAME, Step::Open, None, code)?;
        if ratio == Ratio::Bent {
            // The resampler runs from the start on, though the rates may be equal.
            swr.option(c"flags", i64::from(ffi::SWR_FLAG_RESAMPLE))?;
            swr.option(c"exact_rational", 0)?;
            swr.option(c"linear_interp", 1)?;
        }
        // SAFETY: the context has its options.
        check(NAME, Step::Open, None, unsafe { ffi::swr_init(ptr.as_ptr()) })?;
        Ok(swr)
    }

    fn option(&self, name: &CStr, value: i64) -> Result<(), CodecError> {
        // SAFETY: the context is live, its first field an AVClass.
        let code = unsafe { ffi::av_opt_set_int(self.ptr.as_ptr().cast(), name.as_ptr(), value, 0) };
        check(NAME, Step::Open, None, code).map(drop)
    }

    /// For the next `over` samples out: `more` samples more than there would be, or fewer.
    pub(super) fn compensate(&mut self, more: i32, over: i32) -> Result<(), CodecError> {
        // SAFETY: the context is set up.
        let code = unsafe { ffi::swr_set_compensation(self.ptr.as_ptr(), more, over) };
        check(NAME, Step::Resample, None, code).map(drop)
    }

    /// What it holds back, in nanoseconds of its input.
    pub(super) fn delay_ns(&self) -> i64 {
        // SAFETY: the context is set up.
        unsafe { ffi::swr_get_delay(self.ptr.as_ptr(), 1_000_000_000) }
    }

    /// Converts `samples` (interleaved), or with none gives what is held back.
    pub(super) fn convert(&mut self, samples: &[f32]) -> Result<Vec<f32>, CodecError> {
        let count = samples.len() / usize::from(self.from.1);
        // SAFETY: the context is set up.
        let room = unsafe { ffi::swr_get_out_samples(self.ptr.as_ptr(), count as i32) };
        let room = check(NAME, Step::Resample, None, room)? as usize;
        // Room for more than it says, as a stretch may add some.
        let room = room + room / 8 + 64;
        let mut out = vec![0.0f32; room * usize::from(self.given)];
        let mut to = out.as_mut_ptr().cast::<u8>();
        let mut from = samples.as_ptr().cast::<u8>();
        // SAFETY: packed floats: one plane each, `out` has room for `room`
        // samples a channel, `samples` holds `count`; a null input is the end.
        let given = unsafe {
            ffi::swr_convert(
                self.ptr.as_ptr(),
                (&raw mut to).cast(),
                room as i32,
                if count == 0 { ptr::null_mut() } else { (&raw mut from).cast() },
                count as i32,
            )
        };
        let given = check(NAME, Step::Resample, None, given)? as usize;
        out.truncate(given * usize::from(self.given));
        Ok(match (self.given, self.wanted) {
            (1, 2..) => out.iter().flat_map(|&s| std::iter::repeat_n(s, usize::from(self.wanted))).collect(),
            _ => out,
        })
    }
}

fn layout(channels: u8) -> ffi::AVChannelLayout {
    // SAFETY: all zeros is how FFmpeg wants a layout before it is set.
    let mut layout = unsafe { std::mem::zeroed() };
    sound::set_layout(&mut layout, channels);
    layout
}
