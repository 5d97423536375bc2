//! A tag, the file header, and how both lie on the wire.
//!
//! Layout (Adobe FLV specification 10.1, annex E): file header of 9 bytes and a
//! PreviousTagSize of 0; then per tag 11 bytes of header, the body, and the
//! size of header and body in 4 bytes.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::millis::FlvMillis;

/// The longest body a tag can have, in bytes: 2^24 - 1.
pub const MAX_BODY: usize = (1 << 24) - 1;
/// Bytes of a tag before its body.
pub const TAG_HEADER_LEN: usize = 11;
/// Bytes of a tag behind its body: PreviousTagSize.
pub const TRAILER_LEN: usize = 4;
/// Bytes before the first tag: the file header and a PreviousTagSize of 0.
pub const FILE_HEADER_LEN: usize = 13;

/// What a tag carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum TagKind {
    /// Sound: see [`crate::audio`].
    Audio = 8,
    /// Pictures: see [`crate::video`].
    Video = 9,
    /// AMF0 data: see [`crate::script`].
    Script = 18,
}

impl TagKind {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number on the wire.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

impl fmt::Display for TagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Script => "script",
        })
    }
}

/// A body that does not fit a tag's 24-bit length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {kind} tag's body of {len} bytes is too long: at most {MAX_BODY}")]
pub struct BodyTooLong {
    /// The tag's kind.
    pub kind: TagKind,
    /// The length that came.
    pub len: usize,
}

/// One FLV tag. Its stream id is always 0; its body is shared, and at most [`MAX_BODY`] long.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it carries.
    pub kind: TagKind,
    /// When it is to be decoded (DTS).
    pub timestamp: FlvMillis,
    body: Bytes,
}

impl Tag {
    /// A tag around a body.
    ///
    /// # Errors
    /// A body longer than [`MAX_BODY`].
    pub fn new(kind: TagKind, timestamp: FlvMillis, body: Bytes) -> Result<Self, BodyTooLong> {
        if body.len() > MAX_BODY {
            return Err(BodyTooLong { kind, len: body.len() });
        }
        Ok(Self { kind, timestamp, body })
    }

    /// The body: codec header and data, or AMF0.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body alone.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The same tag around another body.
    ///
    /// # Errors
    /// A body longer than [`MAX_BODY`].
    pub fn with_body(&self, body: Bytes) -> Result<Self, BodyTooLong> {
        Self::new(self.kind, self.timestamp, body)
    }

    /// Bytes on the wire: header, body and trailer.
    pub fn wire_len(&self) -> usize {
        TAG_HEADER_LEN + self.body.len() + TRAILER_LEN
    }

    /// The 11 bytes before the body.
    pub fn header(&self) -> [u8; TAG_HEADER_LEN] {
        let [_, l1, l2, l3] = (self.body.len() as u32).to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.0.to_be_bytes();
        [self.kind.number(), l1, l2, l3, t1, t2, t3, t0, 0, 0, 0]
    }

    /// The 4 bytes behind the body.
    pub fn trailer(&self) -> [u8; TRAILER_LEN] {
        ((TAG_HEADER_LEN + self.body.len()) as u32).to_be_bytes()
    }

    /// What goes around the body, so that a sink can write header, body and
    /// trailer in one vectored call without copying the body.
    pub fn header_and_trailer(&self) -> ([u8; TAG_HEADER_LEN], [u8; TRAILER_LEN]) {
        (self.header(), self.trailer())
    }

    /// Appends the whole tag. This copies the body.
    pub fn write_into(&self, out: &mut BytesMut) {
        out.reserve(self.wire_len());
        out.put_slice(&self.header());
        out.put_slice(&self.body);
        out.put_slice(&self.trailer());
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tag at {}, {} bytes", self.kind, self.timestamp, self.body.len())?;
        if let Some(head) = self.body.get(..self.body.len().min(8)) {
            write!(f, " {head:02x?}")?;
        }
        Ok(())
    }
}

/// Which tracks a file header announces. Readers must not rely on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tracks {
    /// Neither: some recorders leave the flags empty.
    Neither,
    /// Sound only.
    Audio,
    /// Pictures only.
    Video,
    /// Sound and pictures.
    Both,
}

impl Tracks {
    /// The flag byte: bit 0 video, bit 2 audio.
    pub const fn flags(self) -> u8 {
        match self {
            Self::Neither => 0,
            Self::Video => 1,
            Self::Audio => 4,
            Self::Both => 5,
        }
    }

    /// From the flag byte; reserved bits are ignored.
    pub const fn from_flags(flags: u8) -> Self {
        match (flags & 4 != 0, flags & 1 != 0) {
            (false, false) => Self::Neither,
            (true, false) => Self::Audio,
            (false, true) => Self::Video,
            (true, true) => Self::Both,
        }
    }
}

/// The header of a file (version 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileHeader {
    /// The tracks announced.
    pub tracks: Tracks,
}

impl FileHeader {
    /// The file header and the PreviousTagSize of 0 behind it.
    pub const fn to_bytes(self) -> [u8; FILE_HEADER_LEN] {
        [b'F', b'L', b'V', 1, self.tracks.flags(), 0, 0, 0, 9, 0, 0, 0, 0]
    }
}

/// Appends the file header and the PreviousTagSize of 0 behind it: 13 bytes.
pub fn write_file_header(out: &mut BytesMut, tracks: Tracks) {
    out.put_slice(&FileHeader { tracks }.to_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_is_as_the_specification_has_it() {
        let tag = Tag::new(TagKind::Video, FlvMillis(0x0102_0304), Bytes::from_static(b"ab")).unwrap();
        let mut out = BytesMut::new();
        tag.write_into(&mut out);
        assert_eq!(&out[..], [9, 0, 0, 2, 2, 3, 4, 1, 0, 0, 0, b'a', b'b', 0, 0, 0, 13]);
        assert_eq!(out.len(), tag.wire_len());
        let mut vectored = tag.header().to_vec();
        vectored.extend_from_slice(tag.body());
        vectored.extend_from_slice(&tag.trailer());
        assert_eq!(&out[..], vectored);
    }

    #[test]
    fn the_longest_body_fits_and_one_more_does_not() {
        let body = Bytes::from(vec![0; MAX_BODY + 1]);
        let tag = Tag::new(TagKind::Script, FlvMillis(0), body.slice(1..)).unwrap();
        assert_eq!(tag.header()[1..4], [255, 255, 255]);
        let err = tag.with_body(body).unwrap_err();
        assert_eq!(err.to_string(), "a script tag's body of 16777216 bytes is too long: at most 16777215");
    }

    #[test]
    fn flags_round_trip() {
        for tracks in [Tracks::Neither, Tracks::Audio, Tracks::Video, Tracks::Both] {
            assert_eq!(Tracks::from_flags(tracks.flags()), tracks);
        }
        let mut out = BytesMut::new();
        write_file_header(&mut out, Tracks::Both);
        assert_eq!(&out[..], b"FLV\x01\x05\0\0\0\x09\0\0\0\0");
    }
}
