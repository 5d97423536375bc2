//! swresample: any sound in one rate and layout.

use std::ffi::CStr;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use media::{SampleRate, Span, Time};

use super::call::{check, error};
use super::sound;
use crate::error::{CodecError, Step};
use crate::frame::Pcm;

const NAME: &str = "swresample";
/// The most samples a channel taken at once: ten seconds at the highest rate.
const MAX_BLOCK: usize = 1_920_000;

/// A swresample context for one form of input.
struct Swr {
    ptr: NonNull<ffi::SwrContext>,
    from: (SampleRate, u8),
    /// Channels swresample gives; a single one is doubled here afterwards.
    channels: u8,
    /// When the first sample given out is heard.
    start: Time,
    /// Samples given out.
    given: i64,
    /// Where the next block must begin to follow on.
    next: Time,
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
    fn open(from: (SampleRate, u8), rate: SampleRate, channels: u8, start: Time) -> Result<Self, CodecError> {
        let mut into = layout(channels);
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
        let swr = Self { ptr, from, channels, start, given: 0, next: start };
        // Several channels in one must not add up to more than full scale.
        let loudest: &CStr = c"rematrix_maxval";
        // SAFETY: the context is live, its first field an AVClass.
        let code = unsafe { ffi::av_opt_set_double(ptr.as_ptr().cast(), loudest.as_ptr(), 1.0, 0) };
        check(NAME, Step::Open, None, code)?;
        // SAFETY: the context has its options.
        check(NAME, Step::Open, None, unsafe { ffi::swr_init(ptr.as_ptr()) })?;
        Ok(swr)
    }

    /// Converts `samples` (interleaved), or with none gives what is held back.
    fn convert(&mut self, samples: &[f32]) -> Result<Vec<f32>, CodecError> {
        let count = samples.len() / usize::from(self.from.1);
        // SAFETY: the context is set up.
        let room = unsafe { ffi::swr_get_out_samples(self.ptr.as_ptr(), count as i32) };
        let room = check(NAME, Step::Resample, None, room)? as usize;
        // Room for more than it says, as a stretch may add some.
        let room = room + room / 8 + 64;
        let mut out = vec![0.0f32; room * usize::from(self.channels)];
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
        out.truncate(given * usize::from(self.channels));
        Ok(out)
    }
}

fn layout(channels: u8) -> ffi::AVChannelLayout {
    // SAFETY: all zeros is how FFmpeg wants a layout before it is set.
    let mut layout = unsafe { std::mem::zeroed() };
    sound::set_layout(&mut layout, channels);
    layout
}

/// Turns any sound into one rate and number of channels.
///
/// What comes out follows on without a gap, timed from the first block in;
/// small errors in the timestamps of later blocks are not followed. Where the
/// input jumps by more than the slip, or changes its form, what was held back
/// is given out and time starts anew. Sound that is right already is passed
/// on without a copy. One channel becomes two of the same strength.
pub struct Resampler {
    rate: SampleRate,
    channels: u8,
    slip: Span,
    swr: Option<Swr>,
    /// A stretch asked for before there was anything to stretch.
    stretch: Option<(i32, i32)>,
}

impl Resampler {
    /// To `rate` and `channels` (1 to 8), with a slip of 10 ms.
    pub const fn new(rate: SampleRate, channels: u8) -> Self {
        Self { rate, channels, slip: Span::from_millis(10), swr: None, stretch: None }
    }

    /// With another slip: how far a block's timestamp may be off before time starts anew.
    #[must_use]
    pub const fn with_slip(mut self, slip: Span) -> Self {
        self.slip = slip;
        self
    }

    /// Takes sound and gives what is ready, which may be nothing at all.
    /// At a jump of the input there are two blocks: the rest of what was, and
    /// the first of what is.
    ///
    /// # Errors
    /// A form swresample cannot read, or more than ten seconds at once.
    pub fn push(&mut self, pcm: &Pcm) -> Result<Vec<Pcm>, CodecError> {
        if pcm.channels == 0 || pcm.len() > MAX_BLOCK {
            return Err(CodecError::Setting {
                codec: NAME,
                name: "block",
                got: format!("{} samples of {} channels", pcm.len(), pcm.channels),
                legal: format!("up to {MAX_BLOCK} samples of at least 1 channel").into(),
            });
        }
        // To swresample no samples mean the end, in mid-stream too.
        if pcm.samples.is_empty() {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        let form = (pcm.rate, pcm.channels);
        let goes_on =
            self.swr.as_ref().is_some_and(|swr| swr.from == form && (pcm.pts - swr.next).abs() <= self.slip);
        if !goes_on {
            out.extend(self.flush()?);
            if form == (self.rate, self.channels) && self.stretch.is_none() {
                out.push(pcm.clone());
                return Ok(out);
            }
        }
        let mut swr = match self.swr.take() {
            Some(swr) => swr,
            None => self.open(form, pcm.pts)?,
        };
        if let Some((more, over)) = self.stretch.take() {
            // SAFETY: the context is set up.
            let code = unsafe { ffi::swr_set_compensation(swr.ptr.as_ptr(), more, over) };
            check(NAME, Step::Resample, Some(pcm.pts), code)?;
        }
        let samples = swr.convert(&pcm.samples)?;
        swr.next += pcm.duration();
        out.extend(self.timed(&mut swr, samples));
        self.swr = Some(swr);
        Ok(out)
    }

    /// Gives out what was held back; the next block may begin at any time.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn flush(&mut self) -> Result<Option<Pcm>, CodecError> {
        let Some(mut swr) = self.swr.take() else { return Ok(None) };
        let samples = swr.convert(&[])?;
        Ok(self.timed(&mut swr, samples))
    }

    /// For `over` samples out, from the next block on: `more` samples more
    /// than there would be, or fewer if below zero. Against drift between two
    /// clocks; the timestamps out go on counting samples.
    ///
    /// # Errors
    /// More than a tenth of `over`.
    pub fn stretch(&mut self, more: i32, over: u32) -> Result<(), CodecError> {
        match i32::try_from(over) {
            Ok(length) if more.unsigned_abs() <= over / 10 => {
                self.stretch = Some((more, length));
                Ok(())
            }
            _ => Err(CodecError::Setting {
                codec: NAME,
                name: "stretch",
                got: format!("{more} over {over} samples"),
                legal: "at most a tenth either way".into(),
            }),
        }
    }

    fn open(&self, form: (SampleRate, u8), start: Time) -> Result<Swr, CodecError> {
        if !(1..=8).contains(&self.channels) {
            return Err(CodecError::Setting {
                codec: NAME,
                name: "channels",
                got: self.channels.to_string(),
                legal: "1 to 8".into(),
            });
        }
        let channels = if form.1 == 1 { 1 } else { self.channels };
        Swr::open(form, self.rate, channels, start)
    }

    fn timed(&self, swr: &mut Swr, samples: Vec<f32>) -> Option<Pcm> {
        if samples.is_empty() {
            return None;
        }
        let pts = swr.start + Span::from_units(swr.given, 1, self.rate.hz());
        swr.given += (samples.len() / usize::from(swr.channels)) as i64;
        let samples = match (swr.channels, self.channels) {
            (1, 2..) => {
                samples.iter().flat_map(|&s| std::iter::repeat_n(s, usize::from(self.channels))).collect()
            }
            _ => samples,
        };
        Some(Pcm::new(pts, self.rate, self.channels, samples))
    }
}
