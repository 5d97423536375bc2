//! Chunks in, messages out.

use bytes::{Buf, Bytes, BytesMut};

use super::header::{Fields, Header, Inherited, MAX_HEADER, Parsed, Repeats, parse};
use super::{ChunkSize, Csid};
use crate::limits::Limits;
use crate::message::{MessageStreamId, MessageType, RawMessage};

/// What is allocated at least for a message that comes in parts.
const LEAST_ALLOCATION: usize = 4 << 10;
/// How many times what has come of a message is allocated for it at most: an
/// announced length alone costs little, and few bytes are copied twice.
const FORESIGHT: usize = 16;

/// A message that came, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The offset of its first chunk in the peer's bytes.
    pub at: u64,
    /// The chunk stream it came on.
    pub csid: Csid,
    /// The message.
    pub message: RawMessage,
}

/// A chunk that cannot be read. The connection has no way back from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("chunk at byte {at} on chunk stream {csid}: {fault}")]
pub struct ChunkError {
    /// The offset of the chunk's first byte in the peer's bytes.
    pub at: u64,
    /// The chunk stream it names.
    pub csid: Csid,
    /// What is wrong.
    pub fault: ChunkFault,
}

/// What can be wrong with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkFault {
    /// One chunk stream too many.
    #[error("{got} chunk streams are in use; legal are 1 to {most}")]
    ChunkStreams {
        /// How many there would be.
        got: usize,
        /// [`Limits::chunk_streams`].
        most: usize,
    },
    /// A message longer than its type may be.
    #[error("a message of {kind} has {got} bytes; legal are 0 to {most}")]
    MessageLength {
        /// The message's type.
        kind: MessageType,
        /// The length it announces.
        got: u32,
        /// [`Limits::media_message`] or [`Limits::command_message`].
        most: u32,
    },
    /// Too many messages begun and not ended.
    #[error("{got} bytes of unfinished messages; legal are 0 to {most}")]
    InFlight {
        /// How many bytes would be held.
        got: usize,
        /// [`Limits::in_flight`].
        most: usize,
    },
    /// A header that leans on an earlier one which never came.
    #[error("a header of type {fmt} opens the chunk stream; legal are types 0 and 1")]
    NoEarlierHeader {
        /// The header's type, 2 or 3.
        fmt: u8,
    },
    /// A new message before the end of the last one.
    #[error("a header of type {fmt} after {received} of {length} bytes of a message; legal is type 3")]
    InsideMessage {
        /// The header's type, 0 to 2.
        fmt: u8,
        /// How many bytes of the message came.
        received: usize,
        /// How many it has.
        length: u32,
    },
}

#[derive(Debug)]
struct ChunkStream {
    csid: Csid,
    timestamp: u32,
    delta: u32,
    extended: Option<u32>,
    length: u32,
    kind: MessageType,
    stream: MessageStreamId,
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    at: u64,
    data: BytesMut,
}

#[derive(Debug, Clone, Copy)]
enum Expect {
    Header,
    Payload { index: usize, left: usize },
}

/// Joins chunks to messages.
///
/// A type 3 header that begins a message repeats the last timestamp *field*:
/// after a type 0 header that is the absolute timestamp, as the specification
/// says and as librtmp, FFmpeg and GStreamer write and read it. A type 1 header
/// may open a chunk stream (librtmp does so): it counts from timestamp 0 on
/// message stream 0.
///
/// A message that lies whole in one chunk and one input is a slice of that
/// input; otherwise its parts are copied into one buffer.
#[derive(Debug)]
pub struct ChunkReader {
    limits: Limits,
    chunk_size: ChunkSize,
    streams: Vec<ChunkStream>,
    expect: Expect,
    repeats: Repeats,
    held: [u8; MAX_HEADER],
    held_len: usize,
    in_flight: usize,
    position: u64,
}

impl ChunkReader {
    /// A reader whose first byte is the peer's byte number `position`.
    pub fn new(limits: Limits, position: u64) -> Self {
        Self {
            limits,
            chunk_size: ChunkSize::INITIAL,
            streams: Vec::new(),
            expect: Expect::Header,
            repeats: Repeats::Unknown,
            held: [0; MAX_HEADER],
            held_len: 0,
            in_flight: 0,
            position,
        }
    }

    /// The peer's next chunks, also those of messages it has begun, have this size.
    pub fn set_chunk_size(&mut self, size: ChunkSize) {
        self.chunk_size = size;
    }

    /// The size of the peer's chunks.
    pub fn chunk_size(&self) -> ChunkSize {
        self.chunk_size
    }

    /// Forgets the unfinished message of a chunk stream, if there is one.
    pub fn abort(&mut self, csid: Csid) {
        if let Some(partial) = self.streams.iter_mut().find(|s| s.csid == csid).and_then(|s| s.partial.take())
        {
            self.in_flight -= partial.data.len();
        }
    }

    /// How many bytes were taken, counted from the connection's first.
    pub fn received(&self) -> u64 {
        self.position + self.held_len as u64
    }

    /// How many payload bytes of unfinished messages are held.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes bytes off the front of `input` up to the end of the next message.
    ///
    /// `None` means that all of `input` was taken and more is needed.
    ///
    /// # Errors
    /// On a chunk outside the protocol or the limits. The reader has lost its
    /// place then and must not be used again.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<Arrival>, ChunkError> {
        loop {
            let (index, left) = match self.expect {
                Expect::Payload { index, left } => (index, left),
                Expect::Header => {
                    let Some((header, at)) = self.take_header(input) else { return Ok(None) };
                    self.begin(header, at).map_err(|fault| ChunkError { at, csid: header.csid, fault })?
                }
            };
            let arrival = self.take_payload(index, left, input)?;
            if arrival.is_some() {
                return Ok(arrival);
            }
            if matches!(self.expect, Expect::Payload { .. }) {
                return Ok(None);
            }
        }
    }

    fn take_header(&mut self, input: &mut Bytes) -> Option<(Header, u64)> {
        let streams = &self.streams;
        let inherited = |csid| {
            let stream = streams.iter().find(|s| s.csid == csid)?;
            Some(Inherited { field: stream.extended?, absolute: stream.timestamp })
        };
        let mut joined = self.held;
        let fresh = input.len().min(MAX_HEADER - self.held_len);
        let view = if self.held_len == 0 {
            &input[..fresh]
        } else {
            joined[self.held_len..][..fresh].copy_from_slice(&input[..fresh]);
            &joined[..self.held_len + fresh]
        };
        match parse(view, self.repeats, inherited) {
            Parsed::Done { header, len, repeats } => {
                let at = self.position;
                self.position += len as u64;
                self.repeats = repeats;
                if len >= self.held_len {
                    input.advance(len - self.held_len);
                } else {
                    // Held back as a possible extended timestamp that turned
                    // out to be payload: happens once on a connection at most.
                    let mut all = BytesMut::with_capacity(self.held_len - len + input.len());
                    all.extend_from_slice(&self.held[len..self.held_len]);
                    all.extend_from_slice(input);
                    *input = all.freeze();
                }
                self.held_len = 0;
                Some((header, at))
            }
            Parsed::Short => {
                // A header never needs all the room there is, so all input fits.
                self.held[self.held_len..][..fresh].copy_from_slice(&input[..fresh]);
                self.held_len += fresh;
                input.advance(fresh);
                None
            }
        }
    }

    /// Enters a header in the books; says which chunk stream's payload follows
    /// and how many bytes of it.
    fn begin(&mut self, header: Header, at: u64) -> Result<(usize, usize), ChunkFault> {
        let index = match self.streams.iter().position(|s| s.csid == header.csid) {
            Some(index) => index,
            None => self.open(header)?,
        };
        let stream = &mut self.streams[index];
        let received = match &stream.partial {
            Some(partial) => {
                let received = partial.data.len();
                if header.fields != Fields::Same {
                    let (fmt, length) = (header.fields.fmt(), stream.length);
                    return Err(ChunkFault::InsideMessage { fmt, received, length });
                }
                received
            }
            None => {
                stream.start_message(header);
                let most = stream.kind.longest(&self.limits);
                if stream.length > most {
                    return Err(ChunkFault::MessageLength { kind: stream.kind, got: stream.length, most });
                }
                stream.partial = Some(Partial { at, data: BytesMut::new() });
                0
            }
        };
        let left = (stream.length as usize - received).min(self.chunk_size.get() as usize);
        self.expect = Expect::Payload { index, left };
        Ok((index, left))
    }

    fn open(&mut self, header: Header) -> Result<usize, ChunkFault> {
        if matches!(header.fields, Fields::Delta { .. } | Fields::Same) {
            return Err(ChunkFault::NoEarlierHeader { fmt: header.fields.fmt() });
        }
        let index = self.streams.len();
        if index >= self.limits.chunk_streams {
            return Err(ChunkFault::ChunkStreams { got: index + 1, most: self.limits.chunk_streams });
        }
        self.streams.push(ChunkStream {
            csid: header.csid,
            timestamp: 0,
            delta: 0,
            extended: None,
            length: 0,
            kind: MessageType(0),
            stream: MessageStreamId::CONTROL,
            partial: None,
        });
        Ok(index)
    }

    fn take_payload(
        &mut self,
        index: usize,
        left: usize,
        input: &mut Bytes,
    ) -> Result<Option<Arrival>, ChunkError> {
        let stream = &mut self.streams[index];
        let length = stream.length as usize;
        let Some(partial) = &mut stream.partial else {
            self.expect = Expect::Header;
            return Ok(None);
        };
        if partial.data.is_empty() && left == length && input.len() >= length {
            let (at, csid) = (partial.at, stream.csid);
            self.position += length as u64;
            self.expect = Expect::Header;
            stream.partial = None;
            return Ok(Some(Arrival { at, csid, message: stream.message(input.split_to(length)) }));
        }

        let taken = left.min(input.len());
        let held = self.in_flight + taken;
        if held > self.limits.in_flight {
            let fault = ChunkFault::InFlight { got: held, most: self.limits.in_flight };
            return Err(ChunkError { at: partial.at, csid: stream.csid, fault });
        }
        let after = partial.data.len() + taken;
        if partial.data.capacity() < after {
            let room = length.min(LEAST_ALLOCATION.max(after.saturating_mul(FORESIGHT)));
            partial.data.reserve(room - partial.data.len());
        }
        partial.data.extend_from_slice(&input[..taken]);
        input.advance(taken);
        self.in_flight = held;
        self.position += taken as u64;
        if taken < left {
            self.expect = Expect::Payload { index, left: left - taken };
            return Ok(None);
        }
        self.expect = Expect::Header;
        if partial.data.len() < length {
            return Ok(None);
        }
        self.in_flight -= length;
        let (at, csid, data) = (partial.at, stream.csid, std::mem::take(&mut partial.data));
        stream.partial = None;
        Ok(Some(Arrival { at, csid, message: stream.message(data.freeze()) }))
    }
}

impl ChunkStream {
    fn start_message(&mut self, header: Header) {
        match header.fields {
            Fields::Full { timestamp, length, kind, stream } => {
                self.timestamp = timestamp;
                self.delta = timestamp;
                self.length = length;
                self.kind = MessageType(kind);
                self.stream = MessageStreamId(stream);
                self.extended = header.extended;
            }
            Fields::Shape { delta, length, kind } => {
                self.length = length;
                self.kind = MessageType(kind);
                self.advance(delta);
                self.extended = header.extended;
            }
            Fields::Delta { delta } => {
                self.advance(delta);
                self.extended = header.extended;
            }
            Fields::Same => {
                if header.extended.is_some() {
                    self.extended = header.extended;
                }
                self.advance(header.extended.unwrap_or(self.delta));
            }
        }
    }

    fn advance(&mut self, delta: u32) {
        self.delta = delta;
        self.timestamp = self.timestamp.wrapping_add(delta);
    }

    fn message(&self, payload: Bytes) -> RawMessage {
        RawMessage { kind: self.kind, timestamp: self.timestamp, stream: self.stream, payload }
    }
}
