//! The decoding half of a line: packets in, canvas pictures and show sound out.
//!
//! Time stamps stay on the stream's own timeline here; whoever owns the lane
//! maps them on the show's.

use std::sync::Arc;

use codecs::{
    AudioDecoder, CodecError, CodecKit, Conform, Filter, Frame, Pcm, Resampler, Rotation, VideoDecoder,
};
use media::{AudioParams, FrameRate, Packet, SampleRate, Size, Track, VideoParams};

/// What one track of a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamParams {
    Video(VideoParams),
    Audio(AudioParams),
}

impl StreamParams {
    pub(crate) fn track(&self) -> Track {
        match self {
            Self::Video(_) => Track::Video,
            Self::Audio(_) => Track::Audio,
        }
    }
}

/// What every line of a show decodes to.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) kit: Arc<dyn CodecKit>,
    pub(crate) canvas: Size,
    pub(crate) ticks: FrameRate,
    pub(crate) rate: SampleRate,
    pub(crate) channels: u8,
}

/// Decodes pictures and makes them right for the canvas, once.
pub(crate) struct VideoLane {
    decoder: Box<dyn VideoDecoder>,
    conform: Conform,
}

impl VideoLane {
    /// `turn` is what the container says of the picture's orientation.
    pub(crate) fn new(shape: &Shape, params: &VideoParams, turn: Rotation) -> Result<Self, CodecError> {
        let conform = Conform::new(shape.canvas, Filter::Bicubic).turned(turn);
        Ok(Self { decoder: shape.kit.video_decoder(params)?, conform })
    }

    /// Decodes one packet. Pictures go to `out`, errors to `bad`; decoding goes on after an error.
    pub(crate) fn decode(
        &mut self,
        packet: &Packet,
        out: &mut impl FnMut(Frame),
        bad: &mut impl FnMut(CodecError),
    ) {
        if let Err(error) = self.decoder.send(packet) {
            bad(error);
        }
        self.receive(out, bad);
    }

    /// Gives out what the decoder held back.
    pub(crate) fn flush(&mut self, out: &mut impl FnMut(Frame), bad: &mut impl FnMut(CodecError)) {
        match self.decoder.flush() {
            Ok(()) => self.receive(out, bad),
            Err(error) => bad(error),
        }
    }

    fn receive(&mut self, out: &mut impl FnMut(Frame), bad: &mut impl FnMut(CodecError)) {
        loop {
            let frame = match self.decoder.receive() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => return bad(error),
            };
            match self.conform.conform(&frame.picture) {
                Ok(picture) => out(Frame { pts: frame.pts, picture }),
                Err(error) => bad(error),
            }
        }
    }
}

/// Decodes sound into the show's rate and layout.
pub(crate) struct AudioLane {
    decoder: Box<dyn AudioDecoder>,
    resampler: Resampler,
}

impl AudioLane {
    pub(crate) fn new(shape: &Shape, params: &AudioParams) -> Result<Self, CodecError> {
        Ok(Self {
            decoder: shape.kit.audio_decoder(params)?,
            resampler: Resampler::new(shape.rate, shape.channels),
        })
    }

    /// As [`VideoLane::decode`].
    pub(crate) fn decode(
        &mut self,
        packet: &Packet,
        out: &mut impl FnMut(Pcm),
        bad: &mut impl FnMut(CodecError),
    ) {
        if let Err(error) = self.decoder.send(packet) {
            bad(error);
        }
        self.receive(out, bad);
    }

    /// As [`VideoLane::flush`].
    pub(crate) fn flush(&mut self, out: &mut impl FnMut(Pcm), bad: &mut impl FnMut(CodecError)) {
        match self.decoder.flush() {
            Ok(()) => self.receive(out, bad),
            Err(error) => bad(error),
        }
        match self.resampler.flush() {
            Ok(rest) => rest.into_iter().for_each(&mut *out),
            Err(error) => bad(error),
        }
    }

    fn receive(&mut self, out: &mut impl FnMut(Pcm), bad: &mut impl FnMut(CodecError)) {
        loop {
            match self.decoder.receive() {
                Ok(Some(pcm)) => match self.resampler.push(&pcm) {
                    Ok(blocks) => blocks.into_iter().for_each(&mut *out),
                    Err(error) => bad(error),
                },
                Ok(None) => return,
                Err(error) => return bad(error),
            }
        }
    }
}
