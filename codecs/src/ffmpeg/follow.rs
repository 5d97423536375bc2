//! Sound that follows a timeline which is not its own: bent a little, never torn.

use media::{SampleRate, Span, Time};

use super::swr::{Block, Ratio, Swr, size_of};
use crate::error::CodecError;
use crate::frame::Pcm;

/// The most that sound is made faster or slower.
const MOST: f64 = 0.01;
/// Sound this far beside its place, in seconds, is moved there.
const DEAD_BAND: f64 = 0.002;
/// Moving ends when it is this near.
const NEAR: f64 = 0.0002;
/// Over so many seconds time stamps are averaged: those of FLV are whole milliseconds.
const AVERAGED: f64 = 2.0;
/// In so many seconds most of an error is gone.
const CORRECTED: f64 = 4.0;
/// Blocks whose places are this far apart do not follow on, nor those with most of a block between them.
const SLIP: Span = Span::from_millis(10);
/// Sound that is this far from its place is not moved there but put there.
const ASTRAY: Span = Span::from_millis(60);
/// The ratio glides, by no more than this in a second: a step would be heard beside a high tone.
const GLIDE: f64 = 0.02;
/// In pieces of so many samples.
const PIECE: usize = 256;
/// What is kept of the last samples, so that a resampler that begins has heard what was before.
const HEARD: usize = 256;

/// Puts sound of any form on a timeline whose clock is not the sound's own.
///
/// Each block is told where on that timeline it begins and ends. Sound comes out in one rate and
/// number of channels, its samples counted on without a gap; where the places told drift away
/// from the count by more than 2 ms, or the timeline itself runs faster or slower than the
/// sound, the sound is resampled by up to 1 %, with no click at either end of it. Time stamps
/// that only tremble change nothing. A real gap stays one: sound begins anew behind it.
///
/// As long as the form is right and nothing drifts, samples pass through untouched.
///
/// ```
/// use codecs::{Follower, Pcm};
/// use media::{SampleRate, Span, Time};
///
/// let rate = SampleRate::HZ_48000;
/// let mut follower = Follower::new(rate, 2);
/// let block = Pcm::silence(Time::from_secs(3), rate, 2, 480);
/// let out = follower.push(&block, block.end())?;
/// assert_eq!(out, [block]);
/// # Ok::<(), codecs::CodecError>(())
/// ```
pub struct Follower {
    rate: SampleRate,
    channels: u8,
    running: Option<Running>,
}

/// Sound that follows on.
struct Running {
    form: (SampleRate, u8),
    /// When the first sample given out is heard.
    start: Time,
    /// Samples given out.
    given: i64,
    bent: Option<Bent>,
    /// The last samples that passed through untouched.
    heard: Vec<f32>,
    /// Where the last block was said to end.
    end: Time,
    /// How far the places told lie behind the count, in seconds, averaged.
    error: f64,
    band: Band,
}

/// Sound that does not pass through untouched any more.
struct Bent {
    swr: Swr,
    /// Samples that will come out but were heard before.
    skip: usize,
    /// How much more comes out than goes in.
    ratio: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Band {
    Inside,
    Outside,
}

impl Follower {
    /// To `rate` and `channels` (1 to 8).
    pub const fn new(rate: SampleRate, channels: u8) -> Self {
        Self { rate, channels, running: None }
    }

    /// Takes a block whose first sample belongs at its `pts`, and the sample after its last one
    /// at `end`, and gives what is ready: nothing, a block, or at a gap two.
    ///
    /// # Errors
    /// A form swresample cannot read, or more than ten seconds at once.
    pub fn push(&mut self, pcm: &Pcm, end: Time) -> Result<Vec<Pcm>, CodecError> {
        if size_of(pcm)? == Block::Empty {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        let form = (pcm.rate, pcm.channels);
        if !self.running.as_ref().is_some_and(|run| run.goes_on(pcm, self.rate)) {
            out.extend(self.flush()?);
        }
        let mut run = self.running.take().unwrap_or_else(|| Running::new(form, pcm.pts));
        let length = pcm.duration().as_secs_f64();
        let slope = (end - pcm.pts).as_secs_f64() / length - 1.0;
        let ratio = run.ratio((pcm.pts - run.next(self.rate)).as_secs_f64(), length, slope);
        run.end = end;
        let is_right = form == (self.rate, self.channels);
        let samples = match &mut run.bent {
            None if is_right && ratio == 0.0 => {
                run.keep(pcm);
                out.push(Pcm { pts: run.place(self.rate), ..pcm.clone() });
                run.given += pcm.len() as i64;
                self.running = Some(run);
                return Ok(out);
            }
            None => {
                // Not bent yet: what it holds back must follow on what was heard.
                let bent = run.bent.insert(Bent::begin(form, self.rate, self.channels, &run.heard)?);
                bent.convert(&pcm.samples, self.channels)?
            }
            Some(bent) => bent.bend(&pcm.samples, ratio, (self.rate, self.channels))?,
        };
        out.extend(run.timed(samples, self.rate, self.channels));
        self.running = Some(run);
        Ok(out)
    }

    /// Gives out what was held back; the next block may begin anywhere.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn flush(&mut self) -> Result<Option<Pcm>, CodecError> {
        let Some(mut run) = self.running.take() else { return Ok(None) };
        let Some(bent) = &mut run.bent else { return Ok(None) };
        let samples = bent.convert(&[], self.channels)?;
        Ok(run.timed(samples, self.rate, self.channels))
    }
}

impl Running {
    fn new(form: (SampleRate, u8), start: Time) -> Self {
        let (heard, band) = (Vec::new(), Band::Inside);
        Self { form, start, given: 0, bent: None, heard, end: start, error: 0.0, band }
    }

    fn goes_on(&self, pcm: &Pcm, rate: SampleRate) -> bool {
        let most = Span::from_flicks(pcm.duration().flicks() / 4 * 3).max(SLIP);
        self.form == (pcm.rate, pcm.channels)
            && (pcm.pts - self.end).abs() <= most
            && (pcm.pts - self.next(rate)).abs() <= ASTRAY
    }

    /// Where the next sample given out lies.
    fn place(&self, rate: SampleRate) -> Time {
        self.start + Span::from_units(self.given, 1, rate.hz())
    }

    /// Where by the count of samples the next one that comes in lies.
    fn next(&self, rate: SampleRate) -> Time {
        let Some(bent) = &self.bent else { return self.place(rate) };
        let heard = Span::from_units(bent.skip as i64, 1, rate.hz());
        self.place(rate) + Span::from_nanos(bent.swr.delay_ns()) - heard
    }

    /// How much more sound is to come out than goes in, for a block with this error.
    fn ratio(&mut self, error: f64, length: f64, slope: f64) -> f64 {
        self.error += (error - self.error) * (length / AVERAGED).min(1.0);
        if self.error.abs() > DEAD_BAND {
            self.band = Band::Outside;
        } else if self.error.abs() < NEAR {
            self.band = Band::Inside;
        }
        let pull = if self.band == Band::Outside { self.error / CORRECTED } else { 0.0 };
        // Less than a part in a million is rounding of places, not drift.
        let slope = if slope.abs() < 1e-6 { 0.0 } else { slope };
        (slope + pull).clamp(-MOST, MOST)
    }

    fn keep(&mut self, pcm: &Pcm) {
        let most = HEARD * usize::from(pcm.channels);
        let fresh = pcm.samples.get(pcm.samples.len().saturating_sub(most)..).unwrap_or(&[]);
        let over = (self.heard.len() + fresh.len()).saturating_sub(most);
        self.heard.drain(..over.min(self.heard.len()));
        self.heard.extend_from_slice(fresh);
    }

    fn timed(&mut self, samples: Vec<f32>, rate: SampleRate, channels: u8) -> Option<Pcm> {
        let pcm = Pcm::new(self.place(rate), rate, channels, samples);
        self.given += pcm.len() as i64;
        (!pcm.is_empty()).then_some(pcm)
    }
}

impl Bent {
    /// A resampler that has heard what came before, and says nothing of it again.
    fn begin(
        form: (SampleRate, u8),
        rate: SampleRate,
        channels: u8,
        heard: &[f32],
    ) -> Result<Self, CodecError> {
        let mut swr = Swr::open(form, rate, channels, Ratio::Bent)?;
        if heard.is_empty() {
            return Ok(Self { swr, skip: 0, ratio: 0.0 });
        }
        let again = swr.convert(heard)?.len() / usize::from(channels);
        let skip = (heard.len() / usize::from(form.1)).saturating_sub(again);
        Ok(Self { swr, skip, ratio: 0.0 })
    }

    /// Converts while the ratio glides to `ratio`.
    fn bend(
        &mut self,
        samples: &[f32],
        ratio: f64,
        (rate, channels): (SampleRate, u8),
    ) -> Result<Vec<f32>, CodecError> {
        // Set anew long before this is over, even if the ratio stays as it is.
        let over = 20 * rate.hz() as i32;
        let from = self.swr.from;
        let step = GLIDE * PIECE as f64 / f64::from(from.0.hz());
        let mut out = Vec::with_capacity(samples.len() + samples.len() / 8);
        let piece = if self.ratio == ratio { samples.len() } else { PIECE * usize::from(from.1) };
        for piece in samples.chunks(piece) {
            self.ratio += (ratio - self.ratio).clamp(-step, step);
            self.swr.compensate((self.ratio * f64::from(over)).round() as i32, over)?;
            out.extend(self.convert(piece, channels)?);
        }
        Ok(out)
    }

    fn convert(&mut self, samples: &[f32], channels: u8) -> Result<Vec<f32>, CodecError> {
        let mut out = self.swr.convert(samples)?;
        let count = usize::from(channels);
        let skip = self.skip.min(out.len() / count);
        self.skip -= skip;
        out.drain(..skip * count);
        Ok(out)
    }
}
