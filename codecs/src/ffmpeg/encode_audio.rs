//! stub
use media::{AudioParams, Packet};

use crate::codec::{AudioEncoder, AudioEncoderSettings};
use crate::error::CodecError;
use crate::frame::Pcm;

pub(super) struct Aac(AudioParams);
impl Aac {
    pub(super) fn open(_: &AudioEncoderSettings) -> Result<Self, CodecError> {
        Err(CodecError::Unavailable { codec: "aac" })
    }
}
impl AudioEncoder for Aac {
    fn params(&self) -> &AudioParams {
        &self.0
    }
    fn send(&mut self, _: &Pcm) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
