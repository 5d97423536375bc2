//! Messages in, chunks out.

use bytes::{BufMut, BytesMut};
use media::OutOfRange;

use super::{ChunkSize, Csid, EXTENDED, Slices};
use crate::message::{MessageStreamId, MessageType, RawMessage};

#[derive(Debug)]
struct Sent {
    csid: Csid,
    timestamp: u32,
    /// The last delta; none after a type 0 header.
    delta: Option<u32>,
    length: u32,
    kind: MessageType,
    stream: MessageStreamId,
}

/// Cuts messages into chunks, with the shortest header that every reader
/// understands alike.
///
/// A message right after a type 0 header never gets a type 3 header: readers
/// differ on which delta that would repeat. An extended timestamp is repeated
/// on every type 3 chunk, as specified.
#[derive(Debug)]
pub struct ChunkWriter {
    chunk_size: ChunkSize,
    sent: Vec<Sent>,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkWriter {
    /// A writer at the start of a connection.
    pub fn new() -> Self {
        Self { chunk_size: ChunkSize::INITIAL, sent: Vec::new() }
    }

    /// From the next message on; the peer must have been told before.
    pub fn set_chunk_size(&mut self, size: ChunkSize) {
        self.chunk_size = size;
    }

    /// Appends `message` to `out`, all of it copied.
    ///
    /// # Errors
    /// For a payload longer than 0xFFFFFF bytes; `out` is unchanged then.
    pub fn write(&mut self, csid: Csid, message: &RawMessage, out: &mut BytesMut) -> Result<(), OutOfRange> {
        let length = length(message)?;
        let size = self.chunk_size.get() as usize;
        let chunks = message.payload.len().div_ceil(size).max(1);
        out.reserve(message.payload.len() + 18 + (chunks - 1) * 7);

        let extended = self.header(csid, message, length, out);
        for (number, part) in message.payload.chunks(size).enumerate() {
            if number > 0 {
                continued(csid, extended, out);
            }
            out.extend_from_slice(part);
        }
        Ok(())
    }

    /// The same bytes as [`write`](Self::write), the payload shared.
    ///
    /// # Errors
    /// As there.
    pub fn write_shared(
        &mut self,
        csid: Csid,
        message: &RawMessage,
        out: &mut Slices,
    ) -> Result<(), OutOfRange> {
        let length = length(message)?;
        let size = self.chunk_size.get() as usize;
        let extended = self.header(csid, message, length, out.tail());
        let mut rest = message.payload.clone();
        while rest.len() > size {
            out.push(rest.split_to(size));
            continued(csid, extended, out.tail());
        }
        out.push(rest);
        Ok(())
    }

    /// Writes the first header; returns its extended timestamp, if it has one.
    fn header(&mut self, csid: Csid, message: &RawMessage, length: u32, out: &mut BytesMut) -> Option<u32> {
        let RawMessage { kind, timestamp, stream, .. } = *message;
        let last = self.sent.iter_mut().find(|s| s.csid == csid);
        // A step back (or half the circle forward) is told as an absolute time.
        let step = last
            .as_ref()
            .filter(|last| last.stream == stream)
            .map(|last| timestamp.wrapping_sub(last.timestamp));
        let Some((last, delta)) = last.zip(step.filter(|&step| step < 1 << 31)) else {
            self.sent.retain(|s| s.csid != csid);
            self.sent.push(Sent { csid, timestamp, delta: None, length, kind, stream });
            basic_header(0, csid, out);
            out.put_uint(timestamp.min(EXTENDED).into(), 3);
            out.put_uint(length.into(), 3);
            out.put_u8(kind.0);
            out.put_u32_le(stream.0);
            return extended(timestamp, out);
        };
        if (last.length, last.kind) != (length, kind) {
            basic_header(1, csid, out);
            out.put_uint(delta.min(EXTENDED).into(), 3);
            out.put_uint(length.into(), 3);
            out.put_u8(kind.0);
        } else if last.delta != Some(delta) {
            basic_header(2, csid, out);
            out.put_uint(delta.min(EXTENDED).into(), 3);
        } else {
            basic_header(3, csid, out);
        }
        *last = Sent { csid, timestamp, delta: Some(delta), length, kind, stream };
        extended(delta, out)
    }
}

fn length(message: &RawMessage) -> Result<u32, OutOfRange> {
    match u32::try_from(message.payload.len()) {
        Ok(length @ 0..=0xFF_FFFF) => Ok(length),
        _ => {
            let got = message.payload.len().to_string();
            Err(OutOfRange { what: "message length", got, legal: "0 to 16777215 bytes" })
        }
    }
}

/// The header of a message's second and later chunks.
fn continued(csid: Csid, extended: Option<u32>, out: &mut BytesMut) {
    basic_header(3, csid, out);
    if let Some(value) = extended {
        out.put_u32(value);
    }
}

fn extended(value: u32, out: &mut BytesMut) -> Option<u32> {
    (value >= EXTENDED).then(|| {
        out.put_u32(value);
        value
    })
}

fn basic_header(fmt: u8, csid: Csid, out: &mut BytesMut) {
    let fmt = fmt << 6;
    match csid.get() {
        csid @ 2..=63 => out.put_u8(fmt | csid as u8),
        csid @ 64..=319 => out.put_slice(&[fmt, (csid - 64) as u8]),
        csid => {
            out.put_u8(fmt | 1);
            out.put_u16_le((csid - 64) as u16);
        }
    }
}
