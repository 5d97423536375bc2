//! The parts of protocol and user control messages (sections 5.4, 6.2 and 7.1.7).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{MessageFault, MessageStreamId};

/// How a bandwidth limit combines with the one before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BandwidthLimit {
    /// Take this one.
    Hard,
    /// Take the smaller one.
    Soft,
    /// As hard if the last one was hard, else nothing.
    Dynamic,
}

impl BandwidthLimit {
    pub(super) fn from_byte(got: u8) -> Result<Self, MessageFault> {
        match got {
            0 => Ok(Self::Hard),
            1 => Ok(Self::Soft),
            2 => Ok(Self::Dynamic),
            _ => Err(MessageFault::BandwidthLimit { got }),
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Hard => 0,
            Self::Soft => 1,
            Self::Dynamic => 2,
        }
    }
}

/// A user control event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserControl {
    /// The stream works from now on.
    StreamBegin(MessageStreamId),
    /// The stream has played to its end.
    StreamEof(MessageStreamId),
    /// The stream has nothing for now.
    StreamDry(MessageStreamId),
    /// How many milliseconds the client buffers.
    SetBufferLength {
        /// The stream played.
        stream: MessageStreamId,
        /// Milliseconds.
        millis: u32,
    },
    /// The stream is a recording.
    StreamIsRecorded(MessageStreamId),
    /// To be answered with the same number.
    PingRequest(u32),
    /// The answer.
    PingResponse(u32),
    /// Any other event.
    Other {
        /// Its number.
        event: u16,
        /// What follows.
        data: Bytes,
    },
}

impl UserControl {
    pub(super) fn decode(mut payload: Bytes) -> Result<Self, MessageFault> {
        need(&payload, 2)?;
        let event = payload.get_u16();
        let stream =
            |payload: &mut Bytes| need_event(payload, 4).map(|()| MessageStreamId(payload.get_u32()));
        let number = |payload: &mut Bytes| need_event(payload, 4).map(|()| payload.get_u32());
        Ok(match event {
            0 => Self::StreamBegin(stream(&mut payload)?),
            1 => Self::StreamEof(stream(&mut payload)?),
            2 => Self::StreamDry(stream(&mut payload)?),
            3 => {
                need_event(&payload, 8)?;
                Self::SetBufferLength {
                    stream: MessageStreamId(payload.get_u32()),
                    millis: payload.get_u32(),
                }
            }
            4 => Self::StreamIsRecorded(stream(&mut payload)?),
            6 => Self::PingRequest(number(&mut payload)?),
            7 => Self::PingResponse(number(&mut payload)?),
            event => Self::Other { event, data: payload },
        })
    }

    pub(super) fn encode(&self, out: &mut BytesMut) {
        let mut put = |event: u16, number: u32| {
            out.put_u16(event);
            out.put_u32(number);
        };
        match self {
            Self::StreamBegin(stream) => put(0, stream.0),
            Self::StreamEof(stream) => put(1, stream.0),
            Self::StreamDry(stream) => put(2, stream.0),
            Self::SetBufferLength { stream, millis } => {
                put(3, stream.0);
                out.put_u32(*millis);
            }
            Self::StreamIsRecorded(stream) => put(4, stream.0),
            Self::PingRequest(number) => put(6, *number),
            Self::PingResponse(number) => put(7, *number),
            Self::Other { event, data } => {
                out.put_u16(*event);
                out.put_slice(data);
            }
        }
    }
}

pub(super) fn need(payload: &Bytes, least: usize) -> Result<(), MessageFault> {
    if payload.len() < least { Err(MessageFault::Short { got: payload.len(), least }) } else { Ok(()) }
}

/// As [`need`], behind an event number that was taken already.
fn need_event(payload: &Bytes, least: usize) -> Result<(), MessageFault> {
    if payload.len() < least {
        Err(MessageFault::Short { got: payload.len() + 2, least: least + 2 })
    } else {
        Ok(())
    }
}
