//! The only room with `unsafe`: FFmpeg behind safe types.
#![allow(unsafe_code, reason = "FFmpeg is a C library; each block says why it holds")]

mod bwdif;
mod call;
mod colorspace;
mod decode;
mod dialect;
mod encode_audio;
mod encode_video;
mod filters;
mod follow;
mod frame;
mod graph;
mod intake;
mod log;
mod needs;
mod pool;
mod regions;
mod resample;
mod sound;
mod swr;
mod sws;
mod untold;
mod weave;

pub(crate) use bwdif::Bwdif;
pub use bwdif::Cadence;
pub(crate) use colorspace::Repaint;
pub use follow::Follower;
pub(crate) use frame::AvFrame;
pub use resample::Resampler;
pub use sws::Filter;
pub(crate) use sws::{Lines, Sws};

use media::{AudioParams, VideoParams};

use crate::codec::{AudioDecoder, AudioEncoder, CodecKit, VideoDecoder, VideoEncoder};
use crate::error::CodecError;
use crate::settings::{AudioEncoderSettings, EncoderFamily, VideoEncoderSettings};

/// The real codecs: FFmpeg's decoders, its encoders for pictures (x264, x265, devices), and its AAC.
///
/// Video decoders run on one thread below 1920x1080, on two frame threads
/// from there on (one frame more of delay; the pictures are the same). Prompt ones do so only
/// beyond 2048x1152, and up to there share out the slices of a picture, where it has several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ffmpeg;

impl Ffmpeg {
    /// The kit. FFmpeg's own log is turned off: what matters comes as an error.
    pub fn new() -> Self {
        call::quiet();
        Self
    }
}

impl CodecKit for Ffmpeg {
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(Box::new(decode::AvVideoDecoder::open(params, decode::Spread::Frames)?))
    }
    fn prompt_video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(Box::new(decode::AvVideoDecoder::open(params, decode::Spread::Slices)?))
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        Ok(Box::new(decode::AvAudioDecoder::open(params)?))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        let open = || encode_video::AvVideoEncoder::open(settings);
        let opened = match settings.encoder.family() {
            EncoderFamily::Software => open(),
            family => {
                let (opened, said) = log::heard(open);
                opened.map_err(|why| needs::lacking(family, why, said))
            }
        };
        Ok(Box::new(opened?))
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Ok(Box::new(encode_audio::Aac::open(settings)?))
    }
}
