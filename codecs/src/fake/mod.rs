//! Codecs that cost nothing: for tests of everything around them.
//!
//! A fake video packet is a legal length-prefixed NAL unit (type 5 or 1) that
//! carries the frame's PTS and its mean colours on a grid of 4x4; the fake
//! decoder paints these. Fake sound carries its level. Everything is checked
//! with a sum, so a packet that was not decrypted rightly is seen as damaged.

mod audio;
mod codeword;
mod sps;
mod video;

use media::{AudioParams, Size, Time, VideoParams};

use crate::codec::{AudioDecoder, AudioEncoder, CodecKit, VideoDecoder, VideoEncoder};
use crate::error::CodecError;
use crate::settings::{AudioEncoderSettings, VideoEncoderSettings};

/// How the fake video encoder reorders, in the manner of B-frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reorder {
    /// Not at all: every DTS is its PTS.
    #[default]
    None,
    /// Two B-frames between references: DTS lies one frame early.
    BFrames,
    /// Three B-frames, the middle one a reference: DTS lies two frames early.
    Pyramid,
}

/// The kit of the tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fake {
    reorder: Reorder,
    failure: Option<(Size, Time)>,
    devices: Devices,
}

/// Whether encoders that need a device open.
#[derive(Clone, Copy, Debug, Default)]
enum Devices {
    #[default]
    There,
    Missing,
}

impl Fake {
    /// Without delay and without failures.
    pub fn new() -> Self {
        Self::default()
    }
    /// With video encoders that reorder.
    #[must_use]
    pub const fn reordering(mut self, reorder: Reorder) -> Self {
        self.reorder = reorder;
        self
    }
    /// With video encoders of this size failing at the first frame at or after `at`.
    #[must_use]
    pub const fn failing(mut self, size: Size, at: Time) -> Self {
        self.failure = Some((size, at));
        self
    }
    /// As on a machine without a card that encodes.
    #[must_use]
    pub const fn without_devices(mut self) -> Self {
        self.devices = Devices::Missing;
        self
    }
}

impl CodecKit for Fake {
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        let _ = params;
        Ok(Box::new(video::Decoder::default()))
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        let _ = params;
        Ok(Box::new(audio::Decoder::default()))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        if let (Devices::Missing, Some(_)) = (self.devices, settings.encoder.stand_in()) {
            return Err(CodecError::Unavailable { codec: settings.encoder.as_str() });
        }
        let fail_at = self.failure.filter(|(size, _)| *size == settings.size).map(|(_, at)| at);
        Ok(Box::new(video::Encoder::new(settings, self.reorder, fail_at)?))
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Ok(Box::new(audio::Encoder::new(settings)?))
    }
}
