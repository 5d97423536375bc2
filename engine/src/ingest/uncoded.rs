//! Pictures of a file that are not coded, given as a decoder gives them.

use std::collections::VecDeque;

use codecs::{CodecError, Frame, VideoDecoder};
use media::Packet;

use crate::ingest::caps::RawForm;

/// Reads pixels as pictures.
pub(crate) struct Uncoded {
    form: RawForm,
    ready: VecDeque<Frame>,
}

impl Uncoded {
    /// For pictures of this form. What its caps say of colours is GStreamer's guess where the container
    /// says nothing, and for QuickTime also where it does: it is left to whoever knows better.
    pub(crate) fn new(form: RawForm) -> Self {
        Self { form: form.untold(), ready: VecDeque::new() }
    }
}

impl VideoDecoder for Uncoded {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.ready.push_back(Frame { pts: packet.pts, picture: self.form.picture(&packet.data)? });
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        Ok(self.ready.pop_front())
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
