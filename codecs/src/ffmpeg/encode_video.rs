//! stub
use media::{Key, Packet, VideoParams};

use crate::codec::{VideoEncoder, VideoEncoderSettings};
use crate::error::CodecError;
use crate::frame::Frame;

pub(super) struct X264(VideoParams);
impl X264 {
    pub(super) fn open(_: &VideoEncoderSettings) -> Result<Self, CodecError> {
        Err(CodecError::Unavailable { codec: "libx264" })
    }
}
impl VideoEncoder for X264 {
    fn params(&self) -> &VideoParams {
        &self.0
    }
    fn send(&mut self, _: &Frame, _: Key) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
