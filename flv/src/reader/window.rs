//! The bytes a reader holds, put together only where a tag spans pieces.

use bytes::{Buf, Bytes, BytesMut};

use super::damage::Damage;
use crate::millis::FlvMillis;
use crate::tag::{TAG_HEADER_LEN, TRAILER_LEN, TagKind};

/// So much room is made at once for a tag that is still coming.
const RESERVE: usize = 1 << 18;

/// A legal tag header.
pub(super) struct Head {
    pub(super) kind: TagKind,
    pub(super) len: u32,
    pub(super) timestamp: FlvMillis,
}

impl Head {
    pub(super) fn wire_len(&self) -> usize {
        TAG_HEADER_LEN + self.len as usize + TRAILER_LEN
    }
    pub(super) fn trailer(&self) -> u32 {
        self.len + TAG_HEADER_LEN as u32
    }
    /// Whether a PreviousTagSize fits this tag. Some muxers leave the header out
    /// or count it a byte short; that harms nobody, and a damaged length still shows.
    pub(super) fn agrees_with(&self, trailer: u32) -> bool {
        trailer == self.trailer() || (self.len > 0 && (trailer == self.len || trailer == self.len + 10))
    }
}

/// The bytes not given out yet: first `partial`, which was put together from
/// earlier pieces, then `piece`, the last one pushed.
#[derive(Debug, Default)]
pub(super) struct Window {
    partial: BytesMut,
    piece: Bytes,
    /// Of the first byte, from the start of the stream.
    pub(super) offset: u64,
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.partial.len() + self.piece.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if !self.piece.is_empty() {
            self.partial.extend_from_slice(&self.piece);
        }
        self.piece = piece;
    }

    /// The bytes at the front that lie together; not empty unless all is.
    pub(super) fn front(&self) -> &[u8] {
        if self.partial.is_empty() { &self.piece } else { &self.partial }
    }

    /// Whether `len` bytes are there; if so they lie together at the front. If
    /// not, nothing is left in `piece`.
    pub(super) fn fill(&mut self, len: usize) -> bool {
        if self.front().len() >= len {
            return true;
        }
        let wanted = (len - self.partial.len()).min(self.piece.len());
        self.partial.reserve((len - self.partial.len()).min(RESERVE).max(wanted));
        self.partial.extend_from_slice(&self.piece[..wanted]);
        self.piece.advance(wanted);
        self.partial.len() >= len
    }

    /// The first `len` bytes; [`Self::fill`] must have said that they are there.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
        self.offset += len as u64;
        if self.partial.is_empty() { self.piece.split_to(len) } else { self.partial.split_to(len).freeze() }
    }

    pub(super) fn skip(&mut self, len: usize) {
        self.offset += len as u64;
        let from_partial = len.min(self.partial.len());
        self.partial.advance(from_partial);
        self.piece.advance(len - from_partial);
    }

    pub(super) fn u32_at(&self, at: usize) -> u32 {
        self.front()
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// The tag header at the front; `None` if it is not all there.
    pub(super) fn peek_header(&self, body_limit: u32) -> Option<Result<Head, (u64, Damage)>> {
        header_of(self.front(), body_limit)
    }
}

/// The tag header that `bytes` begin with; `None` if they are too short for one.
pub(super) fn header_of(bytes: &[u8], body_limit: u32) -> Option<Result<Head, (u64, Damage)>> {
    let &[kind, l0, l1, l2, t1, t2, t3, t0, s0, s1, s2] = bytes.first_chunk::<TAG_HEADER_LEN>()?;
    Some(parse_header(
        kind,
        u32::from_be_bytes([0, l0, l1, l2]),
        FlvMillis(u32::from_be_bytes([t0, t1, t2, t3])),
        u32::from_be_bytes([0, s0, s1, s2]),
        body_limit,
    ))
}

fn parse_header(
    byte: u8,
    len: u32,
    timestamp: FlvMillis,
    stream_id: u32,
    body_limit: u32,
) -> Result<Head, (u64, Damage)> {
    let Some(kind) = TagKind::from_number(byte) else {
        let filtered = byte & 0xe0 == 0x20 && TagKind::from_number(byte & 0x1f).is_some();
        return Err((0, if filtered { Damage::Filtered { got: byte } } else { Damage::Kind { got: byte } }));
    };
    if stream_id != 0 {
        return Err((8, Damage::StreamId { got: stream_id }));
    }
    if len > body_limit {
        return Err((1, Damage::BodyLength { got: len, limit: body_limit }));
    }
    Ok(Head { kind, len, timestamp })
}
