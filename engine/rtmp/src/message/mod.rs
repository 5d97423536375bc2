//! Messages: what chunks carry, raw and typed.
//!
//! Source: specification 1.0, sections 5.4, 6.1 and 7.1.

mod aggregate;
mod amf3;
mod command;
mod control;
mod typed;

use std::fmt;

use bytes::Bytes;

use crate::chunk::Csid;
use crate::limits::Limits;

pub use aggregate::{SubMessage, unpack_aggregate};
pub use amf3::{Amf3Error, Amf3Problem};
pub use command::Command;
pub use control::{BandwidthLimit, UserControl};
pub use typed::Message;

/// A message's type byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MessageType(pub u8);

#[allow(missing_docs, reason = "the specification's names; see section 5.4 and 7.1")]
impl MessageType {
    pub const SET_CHUNK_SIZE: Self = Self(1);
    pub const ABORT: Self = Self(2);
    pub const ACKNOWLEDGEMENT: Self = Self(3);
    pub const USER_CONTROL: Self = Self(4);
    pub const WINDOW_ACK_SIZE: Self = Self(5);
    pub const SET_PEER_BANDWIDTH: Self = Self(6);
    pub const AUDIO: Self = Self(8);
    pub const VIDEO: Self = Self(9);
    pub const DATA_AMF3: Self = Self(15);
    pub const COMMAND_AMF3: Self = Self(17);
    pub const DATA_AMF0: Self = Self(18);
    pub const COMMAND_AMF0: Self = Self(20);
    pub const AGGREGATE: Self = Self(22);
}

impl MessageType {
    /// The longest message of this type that `limits` let in.
    pub(crate) fn longest(self, limits: &Limits) -> u32 {
        match self {
            Self::AUDIO | Self::VIDEO | Self::AGGREGATE => limits.media_message,
            _ => limits.command_message,
        }
    }
}

/// The number with its name, where it has one.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::SET_CHUNK_SIZE => "set chunk size",
            Self::ABORT => "abort",
            Self::ACKNOWLEDGEMENT => "acknowledgement",
            Self::USER_CONTROL => "user control",
            Self::WINDOW_ACK_SIZE => "window acknowledgement size",
            Self::SET_PEER_BANDWIDTH => "set peer bandwidth",
            Self::AUDIO => "audio",
            Self::VIDEO => "video",
            Self::DATA_AMF3 | Self::DATA_AMF0 => "data",
            Self::COMMAND_AMF3 | Self::COMMAND_AMF0 => "command",
            Self::AGGREGATE => "aggregate",
            _ => return write!(f, "type {}", self.0),
        };
        write!(f, "type {} ({name})", self.0)
    }
}

/// The number of a message stream; 0 is the connection itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageStreamId(pub u32);

impl MessageStreamId {
    /// The connection's own stream.
    pub const CONTROL: Self = Self(0);
}

impl fmt::Display for MessageStreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A message as chunks carry it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawMessage {
    /// What the payload is.
    pub kind: MessageType,
    /// Milliseconds on the sender's timeline, modulo 2^32.
    pub timestamp: u32,
    /// Where it belongs.
    pub stream: MessageStreamId,
    /// The payload, shared.
    pub payload: Bytes,
}

/// A message whose payload is not what its type says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message of {kind} at byte {at} on chunk stream {csid}: {fault}")]
pub struct MessageError {
    /// The offset of its first chunk in the peer's bytes.
    pub at: u64,
    /// The chunk stream it came on.
    pub csid: Csid,
    /// Its type.
    pub kind: MessageType,
    /// What is wrong.
    pub fault: MessageFault,
}

/// What can be wrong with a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// Fewer bytes than the message has fields.
    #[error("{got} bytes; legal are {least} or more")]
    Short {
        /// The payload's length.
        got: usize,
        /// The least it can be.
        least: usize,
    },
    /// A number that the field cannot have.
    #[error(transparent)]
    OutOfRange(#[from] media::OutOfRange),
    /// A limit type of Set Peer Bandwidth that does not exist.
    #[error("limit type {got}; legal are 0 (hard), 1 (soft) and 2 (dynamic)")]
    BandwidthLimit {
        /// The byte that came.
        got: u8,
    },
    /// AMF0 that cannot be read.
    #[error(transparent)]
    Amf0(#[from] flv::BodyError),
    /// An AMF3 value among them that cannot be read.
    #[error(transparent)]
    Amf3(#[from] Amf3Error),
    /// A command without its name or its transaction number.
    #[error("a command without its {missing}")]
    NotACommand {
        /// The part that is not there or of another type.
        missing: &'static str,
    },
    /// An aggregate that ends inside a tag.
    #[error("an aggregate of {length} bytes ends inside the tag at its byte {offset}")]
    AggregateCut {
        /// Where the tag begins in the payload.
        offset: usize,
        /// The payload's length.
        length: usize,
    },
    /// An aggregate of more tags than allowed.
    #[error("an aggregate of more than {most} tags; legal are 0 to {most}")]
    AggregateTags {
        /// [`Limits::aggregate_tags`].
        most: usize,
    },
}
