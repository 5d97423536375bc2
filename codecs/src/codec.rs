//! The faces of decoders and encoders: `send`, `receive`, `flush`.

use media::{AudioParams, Key, Packet, VideoParams};

use crate::lookahead::Plan;
use crate::settings::{AudioEncoderSettings, VideoEncoderSettings};
use crate::{CodecError, Frame, Pcm};

/// Pictures out of packets.
///
/// After each [`send`](Self::send), call [`receive`](Self::receive) until it
/// gives `None`. After [`flush`](Self::flush), `receive` gives what was held back.
pub trait VideoDecoder: Send {
    /// Hands in one packet.
    ///
    /// # Errors
    /// Damaged data. The decoder goes on: send the next packet.
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError>;
    /// The next picture in order of PTS, if one is ready.
    ///
    /// # Errors
    /// As `send`.
    fn receive(&mut self) -> Result<Option<Frame>, CodecError>;
    /// The stream has ended (or starts again): give out what was held back.
    /// Once `receive` gives `None` the decoder is as new, and takes packets again.
    ///
    /// # Errors
    /// As `send`.
    fn flush(&mut self) -> Result<(), CodecError>;
}

/// Sound out of packets; the same manners as [`VideoDecoder`].
pub trait AudioDecoder: Send {
    /// Hands in one packet.
    ///
    /// # Errors
    /// Damaged data. The decoder goes on: send the next packet.
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError>;
    /// The next block of samples, in the stream's own rate and layout.
    ///
    /// # Errors
    /// As `send`.
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError>;
    /// As [`VideoDecoder::flush`].
    ///
    /// # Errors
    /// As `send`.
    fn flush(&mut self) -> Result<(), CodecError>;
}

/// Packets out of pictures. The caller decides every key frame; the encoder makes none of its own.
pub trait VideoEncoder: Send {
    /// What a decoder of this stream must know (`avcC` or `hvcC` in `config`).
    fn params(&self) -> &VideoParams;
    /// Hands in the next picture, as an IDR if `key` says so.
    ///
    /// # Errors
    /// A picture of another size, a PTS that does not rise, or FFmpeg's own.
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError>;
    /// The same for who has [planned](crate::lookahead) it. An encoder that has no use for a plan takes of
    /// it whether the picture is a key frame, and so do those that were not opened with
    /// [`Lookahead::Shared`](crate::Lookahead::Shared).
    ///
    /// # Errors
    /// As `send`.
    fn send_planned(&mut self, frame: &Frame, plan: &Plan) -> Result<(), CodecError> {
        self.send(frame, plan.key())
    }
    /// The next packet in order of DTS. B-frame delay stays in the timestamps:
    /// the first DTS may lie before the first PTS.
    ///
    /// # Errors
    /// FFmpeg's own.
    fn receive(&mut self) -> Result<Option<Packet>, CodecError>;
    /// No more pictures: `receive` gives the rest, then `None` for ever.
    ///
    /// # Errors
    /// FFmpeg's own.
    fn flush(&mut self) -> Result<(), CodecError>;
}

/// Packets out of sound.
pub trait AudioEncoder: Send {
    /// What a decoder of this stream must know (AudioSpecificConfig in `config`).
    fn params(&self) -> &AudioParams;
    /// Hands in any number of samples that follow the last ones without a gap.
    ///
    /// # Errors
    /// Another rate or layout than was set, or FFmpeg's own.
    fn send(&mut self, pcm: &Pcm) -> Result<(), CodecError>;
    /// The next packet. Priming stays in the timestamps: the first PTS lies
    /// before the first sample's.
    ///
    /// # Errors
    /// FFmpeg's own.
    fn receive(&mut self) -> Result<Option<Packet>, CodecError>;
    /// No more sound: the last frame is filled with silence.
    ///
    /// # Errors
    /// FFmpeg's own.
    fn flush(&mut self) -> Result<(), CodecError>;
}

/// Makes decoders and encoders: the real ones, or the fake ones of the tests.
pub trait CodecKit: Send + Sync {
    /// # Errors
    /// A codec that is not there, or parameters it does not take.
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError>;
    /// One that gives each picture as soon as it is decoded, where the other might spread the work
    /// over time. Unless a kit says otherwise, both are the same.
    ///
    /// # Errors
    /// As above.
    fn prompt_video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        self.video_decoder(params)
    }
    /// # Errors
    /// As above.
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError>;
    /// # Errors
    /// As above.
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError>;
    /// # Errors
    /// As above.
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError>;
}
