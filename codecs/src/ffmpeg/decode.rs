//! stub
use media::{AudioParams, Packet, VideoParams};

use crate::codec::{AudioDecoder, VideoDecoder};
use crate::error::CodecError;
use crate::frame::{Frame, Pcm};

pub(super) struct AvVideoDecoder;
impl AvVideoDecoder {
    pub(super) fn open(_: &VideoParams) -> Result<Self, CodecError> {
        Err(CodecError::Unavailable { codec: "decoder" })
    }
}
impl VideoDecoder for AvVideoDecoder {
    fn send(&mut self, _: &Packet) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
pub(super) struct AvAudioDecoder;
impl AvAudioDecoder {
    pub(super) fn open(_: &AudioParams) -> Result<Self, CodecError> {
        Err(CodecError::Unavailable { codec: "decoder" })
    }
}
impl AudioDecoder for AvAudioDecoder {
    fn send(&mut self, _: &Packet) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
