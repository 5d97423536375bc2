//! Messages by what they mean.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use flv::amf0::EncodeError;

use super::command::Command;
use super::control::{BandwidthLimit, UserControl, need};
use super::{MessageFault, MessageStreamId, MessageType, RawMessage};
use crate::chunk::{ChunkSize, Csid};

/// A message by what it means.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// The sender's next chunks have this size.
    SetChunkSize(ChunkSize),
    /// The sender gives up the unfinished message of a chunk stream.
    Abort(Csid),
    /// So many bytes have come, modulo 2^32.
    Acknowledgement(u32),
    /// A user control event.
    UserControl(UserControl),
    /// The sender wants an acknowledgement every so many bytes.
    WindowAckSize(u32),
    /// The receiver shall have at most so many bytes unacknowledged.
    SetPeerBandwidth {
        /// Bytes.
        window: u32,
        /// How it combines with the limit before.
        limit: BandwidthLimit,
    },
    /// A command, AMF0 or AMF0 in AMF3's wrapper.
    Command(Command),
    /// The body of an FLV script tag; a publisher wraps it in `@setDataFrame`,
    /// which is taken off here and put on in [`encode`](Self::encode).
    Script(Bytes),
    /// `@clearDataFrame`: the metadata no longer holds.
    ClearScript,
    /// The body of an FLV audio tag.
    Audio(Bytes),
    /// The body of an FLV video tag.
    Video(Bytes),
    /// Tags in one; see [`unpack_aggregate`](super::unpack_aggregate).
    Aggregate(Bytes),
    /// Any other type: shared objects and what is not known.
    Other {
        /// The type.
        kind: MessageType,
        /// The payload.
        payload: Bytes,
    },
}

/// As AMF0: the string marker, its length, and the string.
const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";
const CLEAR_DATA_FRAME: &[u8] = b"\x02\x00\x0f@clearDataFrame";

impl Message {
    /// # Errors
    /// If the payload is not what the type says.
    pub fn decode(raw: &RawMessage) -> Result<Self, MessageFault> {
        let mut payload = raw.payload.clone();
        let mut number = || need(&payload, 4).map(|()| payload.get_u32());
        Ok(match raw.kind {
            MessageType::SET_CHUNK_SIZE => Self::SetChunkSize(ChunkSize::new(number()?)?),
            MessageType::ABORT => Self::Abort(Csid::new(number()?)?),
            MessageType::ACKNOWLEDGEMENT => Self::Acknowledgement(number()?),
            MessageType::USER_CONTROL => Self::UserControl(UserControl::decode(payload)?),
            MessageType::WINDOW_ACK_SIZE => Self::WindowAckSize(number()?),
            MessageType::SET_PEER_BANDWIDTH => {
                need(&payload, 5)?;
                let window = payload.get_u32();
                Self::SetPeerBandwidth { window, limit: BandwidthLimit::from_byte(payload.get_u8())? }
            }
            MessageType::COMMAND_AMF0 => Self::Command(Command::decode(&payload)?),
            MessageType::COMMAND_AMF3 => Self::Command(Command::decode(&unwrap_amf3(payload))?),
            MessageType::DATA_AMF0 => script(payload),
            MessageType::DATA_AMF3 => script(unwrap_amf3(payload)),
            MessageType::AUDIO => Self::Audio(payload),
            MessageType::VIDEO => Self::Video(payload),
            MessageType::AGGREGATE => Self::Aggregate(payload),
            kind => Self::Other { kind, payload },
        })
    }

    /// The message for the chunk layer, at `timestamp` on `stream`.
    ///
    /// # Errors
    /// If a command holds values that AMF0 cannot carry.
    pub fn encode(&self, stream: MessageStreamId, timestamp: u32) -> Result<RawMessage, EncodeError> {
        let mut out = BytesMut::new();
        let kind = match self {
            Self::SetChunkSize(size) => {
                out.put_u32(size.get());
                MessageType::SET_CHUNK_SIZE
            }
            Self::Abort(csid) => {
                out.put_u32(csid.get());
                MessageType::ABORT
            }
            Self::Acknowledgement(received) => {
                out.put_u32(*received);
                MessageType::ACKNOWLEDGEMENT
            }
            Self::UserControl(event) => {
                event.encode(&mut out);
                MessageType::USER_CONTROL
            }
            Self::WindowAckSize(window) => {
                out.put_u32(*window);
                MessageType::WINDOW_ACK_SIZE
            }
            Self::SetPeerBandwidth { window, limit } => {
                out.put_u32(*window);
                out.put_u8(limit.byte());
                MessageType::SET_PEER_BANDWIDTH
            }
            Self::Command(command) => {
                command.encode(&mut out)?;
                MessageType::COMMAND_AMF0
            }
            Self::Script(body) => {
                out.put_slice(SET_DATA_FRAME);
                out.put_slice(body);
                MessageType::DATA_AMF0
            }
            Self::ClearScript => {
                out.put_slice(CLEAR_DATA_FRAME);
                MessageType::DATA_AMF0
            }
            Self::Audio(body) => return Ok(raw(MessageType::AUDIO, stream, timestamp, body)),
            Self::Video(body) => return Ok(raw(MessageType::VIDEO, stream, timestamp, body)),
            Self::Aggregate(body) => return Ok(raw(MessageType::AGGREGATE, stream, timestamp, body)),
            Self::Other { kind, payload } => return Ok(raw(*kind, stream, timestamp, payload)),
        };
        Ok(raw(kind, stream, timestamp, &out.freeze()))
    }
}

fn raw(kind: MessageType, stream: MessageStreamId, timestamp: u32, payload: &Bytes) -> RawMessage {
    RawMessage { kind, timestamp, stream, payload: payload.clone() }
}

/// AMF3 messages from encoders are AMF0 behind a byte that says so.
fn unwrap_amf3(mut payload: Bytes) -> Bytes {
    if payload.first() == Some(&0) {
        payload.advance(1);
    }
    payload
}

fn script(mut payload: Bytes) -> Message {
    if payload.starts_with(CLEAR_DATA_FRAME) {
        return Message::ClearScript;
    }
    if payload.starts_with(SET_DATA_FRAME) {
        payload.advance(SET_DATA_FRAME.len());
    }
    Message::Script(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flv::amf0::Value;

    fn decode(kind: MessageType, payload: &'static [u8]) -> Result<Message, String> {
        let payload = Bytes::from_static(payload);
        let raw = RawMessage { kind, timestamp: 0, stream: MessageStreamId::CONTROL, payload };
        Message::decode(&raw).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_message_comes_back() {
        let stream = MessageStreamId(7);
        let command = Command {
            name: "publish".into(),
            transaction: 5.0,
            object: Value::Null,
            args: vec![Value::from("main"), Value::from("live")],
        };
        let body = Bytes::from_static(b"\x02\x00\x0aonMetaData\x05");
        for message in [
            Message::SetChunkSize(ChunkSize::USUAL),
            Message::Abort(Csid::MAX),
            Message::Acknowledgement(u32::MAX),
            Message::WindowAckSize(1),
            Message::SetPeerBandwidth { window: 9, limit: BandwidthLimit::Hard },
            Message::SetPeerBandwidth { window: 9, limit: BandwidthLimit::Soft },
            Message::SetPeerBandwidth { window: 9, limit: BandwidthLimit::Dynamic },
            Message::UserControl(UserControl::StreamBegin(stream)),
            Message::UserControl(UserControl::StreamEof(stream)),
            Message::UserControl(UserControl::StreamDry(stream)),
            Message::UserControl(UserControl::SetBufferLength { stream, millis: 3000 }),
            Message::UserControl(UserControl::StreamIsRecorded(stream)),
            Message::UserControl(UserControl::PingRequest(1)),
            Message::UserControl(UserControl::PingResponse(2)),
            Message::UserControl(UserControl::Other { event: 31, data: Bytes::from_static(b"x") }),
            Message::Command(command),
            Message::Script(body.clone()),
            Message::ClearScript,
            Message::Audio(body.clone()),
            Message::Video(body.clone()),
            Message::Aggregate(body.clone()),
            Message::Other { kind: MessageType(19), payload: body },
        ] {
            let raw = message.encode(stream, 40).unwrap();
            assert_eq!((raw.stream, raw.timestamp), (stream, 40));
            assert_eq!(Message::decode(&raw).unwrap(), message);
        }
    }

    #[test]
    fn metadata_loses_its_wrapper_only() {
        let body = Message::Script(Bytes::from_static(b"\x02\x00\x0aonMetaData\x05"));
        let wrapped = b"\x02\x00\x0d@setDataFrame\x02\x00\x0aonMetaData\x05";
        assert_eq!(decode(MessageType::DATA_AMF0, wrapped), Ok(body.clone()));
        assert_eq!(decode(MessageType::DATA_AMF0, b"\x02\x00\x0aonMetaData\x05"), Ok(body.clone()));
        assert_eq!(decode(MessageType::DATA_AMF3, b"\0\x02\x00\x0aonMetaData\x05"), Ok(body));
    }

    #[test]
    fn amf3_commands_are_amf0_behind_a_byte() {
        let plain = b"\x02\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        let wrapped = b"\x00\x02\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        let got = decode(MessageType::COMMAND_AMF3, wrapped);
        assert!(matches!(&got, Ok(Message::Command(command)) if command.name == "ping"), "{got:?}");
        assert_eq!(got, decode(MessageType::COMMAND_AMF0, plain));
        assert_eq!(got, decode(MessageType::COMMAND_AMF3, plain));
        assert_eq!(got, decode(MessageType::COMMAND_AMF0, b"\x02\x00\x04ping"));
    }

    #[test]
    fn amf3_values_in_commands_are_read_or_refused() {
        let wrapped = b"\x00\x02\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x11\x06\x05hi\x01\x01";
        let got = decode(MessageType::COMMAND_AMF3, wrapped);
        assert!(matches!(&got, Ok(Message::Command(c)) if c.args == ["hi".into(), true.into()]), "{got:?}");
        let wrapped = b"\x00\x02\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00\x11\x0d";
        assert_eq!(
            decode(MessageType::COMMAND_AMF3, wrapped),
            Err("AMF3 at byte 0: type 13 is not legal: 0 to 12 is".into())
        );
        let deep = b"\x00\x02\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x01a\x11";
        assert_eq!(
            decode(MessageType::COMMAND_AMF3, deep),
            Err("AMF0 type at byte 20: 17 is not legal: 0 to 3, 5, 6, 8 or 10 to 12".into())
        );
    }

    #[test]
    fn faults_say_what_is_legal() {
        let fault = |kind, payload| decode(kind, payload).unwrap_err();
        assert_eq!(fault(MessageType::SET_CHUNK_SIZE, &[0, 0, 1]), "3 bytes; legal are 4 or more");
        assert_eq!(
            fault(MessageType::SET_CHUNK_SIZE, &[0, 0, 0, 0]),
            "chunk size of 0 is out of range: 1 to 2147483647 bytes"
        );
        assert_eq!(
            fault(MessageType::ABORT, &[0, 0, 0, 1]),
            "chunk stream id of 1 is out of range: 2 to 65599"
        );
        assert_eq!(
            fault(MessageType::SET_PEER_BANDWIDTH, &[0, 0, 0, 1, 3]),
            "limit type 3; legal are 0 (hard), 1 (soft) and 2 (dynamic)"
        );
        assert_eq!(fault(MessageType::USER_CONTROL, &[0]), "1 bytes; legal are 2 or more");
        assert_eq!(fault(MessageType::USER_CONTROL, &[0, 6, 1]), "3 bytes; legal are 6 or more");
        assert_eq!(fault(MessageType::COMMAND_AMF0, b"\x05"), "a command without its name, a string");
        assert_eq!(
            fault(MessageType::COMMAND_AMF0, b"\x02\x00\x01x\x05"),
            "a command without its transaction, a number"
        );
    }
}
