//! swresample: any sound in one rate and layout.

use media::{SampleRate, Span, Time};

use super::swr::{Block, NAME, Ratio, Swr, size_of};
use crate::error::CodecError;
use crate::frame::Pcm;

/// A context, and where its sound lies.
struct Running {
    swr: Swr,
    /// When the first sample given out is heard.
    start: Time,
    /// Samples given out.
    given: i64,
    /// Where the next block must begin to follow on.
    next: Time,
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
    running: Option<Running>,
    /// A stretch asked for before there was anything to stretch.
    stretch: Option<(i32, i32)>,
}

impl Resampler {
    /// To `rate` and `channels` (1 to 8), with a slip of 10 ms.
    pub const fn new(rate: SampleRate, channels: u8) -> Self {
        Self { rate, channels, slip: Span::from_millis(10), running: None, stretch: None }
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
        if size_of(pcm)? == Block::Empty {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        let form = (pcm.rate, pcm.channels);
        let follows = |run: &Running| run.swr.from == form && (pcm.pts - run.next).abs() <= self.slip;
        let goes_on = self.running.as_ref().is_some_and(follows);
        if !goes_on {
            out.extend(self.flush()?);
            if form == (self.rate, self.channels) && self.stretch.is_none() {
                out.push(pcm.clone());
                return Ok(out);
            }
        }
        let mut run = match self.running.take() {
            Some(run) => run,
            None => {
                let swr = Swr::open(form, self.rate, self.channels, Ratio::Fixed)?;
                Running { swr, start: pcm.pts, given: 0, next: pcm.pts }
            }
        };
        if let Some((more, over)) = self.stretch.take() {
            run.swr.compensate(more, over)?;
        }
        let samples = run.swr.convert(&pcm.samples)?;
        run.next += pcm.duration();
        out.extend(self.timed(&mut run, samples));
        self.running = Some(run);
        Ok(out)
    }

    /// Gives out what was held back; the next block may begin at any time.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn flush(&mut self) -> Result<Option<Pcm>, CodecError> {
        let Some(mut run) = self.running.take() else { return Ok(None) };
        let samples = run.swr.convert(&[])?;
        Ok(self.timed(&mut run, samples))
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

    fn timed(&self, run: &mut Running, samples: Vec<f32>) -> Option<Pcm> {
        let pcm = Pcm::new(
            run.start + Span::from_units(run.given, 1, self.rate.hz()),
            self.rate,
            self.channels,
            samples,
        );
        run.given += pcm.len() as i64;
        (!pcm.is_empty()).then_some(pcm)
    }
}
