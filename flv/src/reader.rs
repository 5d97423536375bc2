//! Tags out of a stream of bytes that comes in pieces, also a damaged one.
//!
//! At most one tag is held back: a body that one pushed piece holds whole is a
//! slice of that piece, any other is copied once.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::millis::FlvMillis;
use crate::tag::{FileHeader, MAX_BODY, TAG_HEADER_LEN, TRAILER_LEN, Tag, TagKind, Tracks};

/// The longest file header that is believed, in bytes.
const MAX_FILE_HEADER: u32 = 1 << 16;
/// So much room is made at once for a tag that is still coming.
const RESERVE: usize = 1 << 18;

/// What comes out of a stream, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The file header; once, and first.
    Header(FileHeader),
    /// A tag.
    Tag(Tag),
    /// After [`TagReader::recover`]: reading goes on here, with the tag that comes next.
    Resumed(Gap),
}

/// Bytes that were skipped between two tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Where the damaged tag began, in bytes from the start of the stream.
    pub offset: u64,
    /// How many bytes were skipped.
    pub skipped: u64,
}

/// Damage in the stream. [`TagReader::next`] gives it again until [`TagReader::recover`] is called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("FLV damaged at byte {offset}, tag {tag}: {damage}")]
pub struct ReadError {
    /// Where the damaged field begins, in bytes from the start of the stream.
    pub offset: u64,
    /// The ordinal of the tag it is in, from 0; a file header counts as in tag 0.
    pub tag: u64,
    /// What is wrong.
    pub damage: Damage,
}

/// What can be wrong with the framing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// No FLV file.
    #[error("signature {} is not FLV", got.escape_ascii())]
    Signature {
        /// The first three bytes.
        got: [u8; 3],
    },
    /// A version we do not know.
    #[error("version {got} is not legal: 1")]
    Version {
        /// The version that came.
        got: u8,
    },
    /// A file header of an unbelievable length.
    #[error("file header of {got} bytes is not legal: 9 to {MAX_FILE_HEADER}")]
    HeaderLength {
        /// The length that came.
        got: u32,
    },
    /// A tag of an unknown type.
    #[error("tag type {got} is not legal: 8 (audio), 9 (video) or 18 (script)")]
    Kind {
        /// The type byte.
        got: u8,
    },
    /// A tag with the filter bit: Adobe's own encryption, which we do not read.
    #[error("tag type byte {got:#04x} has the filter bit 0x20: Adobe's encrypted FLV is not supported")]
    Filtered {
        /// The type byte.
        got: u8,
    },
    /// A stream id other than 0.
    #[error("stream id {got} is not legal: 0")]
    StreamId {
        /// The stream id that came.
        got: u32,
    },
    /// A body longer than this reader takes.
    #[error("body of {got} bytes is not legal: at most {limit}")]
    BodyLength {
        /// The length that came.
        got: u32,
        /// The limit that is set.
        limit: u32,
    },
    /// A PreviousTagSize that does not match what is before it.
    #[error("previous tag size {got} is not legal: {expected}")]
    Trailer {
        /// The size that came.
        got: u32,
        /// The size of the tag before it; 0 behind the file header.
        expected: u32,
    },
}

/// How the stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Behind a whole tag or the file header, or with no byte at all.
    Whole,
    /// In the middle of a tag or the file header.
    Cut(Cut),
    /// While looking for a tag after damage.
    Lost(Gap),
}

/// A tag (or file header) of which the end is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the cut tag begins, in bytes from the start of the stream.
    pub offset: u64,
    /// Its ordinal, from 0.
    pub tag: u64,
    /// How many bytes of it are there.
    pub have: u64,
    /// How many bytes are missing at least: of the tag's header if that is
    /// incomplete, else of the whole tag with its trailer.
    pub missing: u64,
    /// The tag, if only its trailer is cut: its data is all there.
    pub whole: Option<Tag>,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, tag, have, missing, .. } = self;
        write!(f, "FLV ends in tag {tag} at byte {offset}: {have} bytes are there, {missing} are missing")
    }
}

#[derive(Clone, Debug)]
enum State {
    /// The 9 bytes of the file header come next.
    FileHeader,
    /// The rest of a long file header, and the PreviousTagSize of 0.
    HeaderRest { tracks: Tracks, rest: u32 },
    /// A tag comes next.
    Tag,
    /// Damage was found. The bytes of the damaged tag are still in the window.
    Damaged(ReadError),
    /// Looking for a tag; the gap began at this offset.
    Scanning { from: u64 },
    /// A tag was found at the front, behind a gap.
    Found(Gap),
}

/// Reads an FLV stream pushed in pieces of any size; however it is cut, the items are the same.
///
/// Call [`next`](Self::next) until it gives `None`, then push more. So used, it
/// holds at most one tag and the last piece. A body keeps the whole piece it
/// was sliced from alive.
#[derive(Debug)]
pub struct TagReader {
    window: Window,
    state: State,
    tag: u64,
    body_limit: u32,
}

impl Default for TagReader {
    fn default() -> Self {
        Self::new()
    }
}

impl TagReader {
    /// For a stream that begins with a file header.
    pub fn new() -> Self {
        Self { window: Window::default(), state: State::FileHeader, tag: 0, body_limit: MAX_BODY as u32 }
    }

    /// For bytes that begin with a tag: RTMP's aggregate messages, or the rest of a stream.
    pub fn without_file_header() -> Self {
        Self { state: State::Tag, ..Self::new() }
    }

    /// Refuses bodies longer than `limit` bytes, and so bounds what a peer can make us hold.
    /// Above [`MAX_BODY`] it changes nothing.
    #[must_use]
    pub fn with_body_limit(mut self, limit: usize) -> Self {
        self.body_limit = limit.min(MAX_BODY) as u32;
        self
    }

    /// Where the next item begins, in bytes from the start of the stream.
    pub fn offset(&self) -> u64 {
        self.window.offset
    }

    /// How many tags were given out.
    pub fn tags(&self) -> u64 {
        self.tag
    }

    /// Bytes pushed but not given out yet.
    pub fn buffered(&self) -> usize {
        self.window.len()
    }

    /// Hands in the next piece of the stream.
    pub fn push(&mut self, piece: Bytes) {
        self.window.push(piece);
    }

    /// Hands in the next piece, copying it.
    pub fn push_slice(&mut self, piece: &[u8]) {
        self.window.push(Bytes::copy_from_slice(piece));
    }

    /// The next item; `None` when more bytes are needed.
    ///
    /// # Errors
    /// Damage, the same again at each call until [`recover`](Self::recover).
    #[allow(clippy::should_implement_trait, reason = "an iterator's `None` is final, ours is not")]
    pub fn next(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            let step = match &self.state {
                State::FileHeader => self.file_header(),
                State::HeaderRest { tracks, rest } => self.header_rest(*tracks, *rest),
                State::Tag => self.whole_tag(),
                State::Damaged(err) => return Err(err.clone()),
                State::Scanning { from } => self.scan(*from),
                State::Found(gap) => {
                    let gap = *gap;
                    self.state = State::Tag;
                    return Ok(Some(Item::Resumed(gap)));
                }
            };
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Need) => return Ok(None),
                Ok(Step::Item(item)) => return Ok(Some(item)),
                Err((offset, damage)) => {
                    let err = ReadError { offset: self.window.offset + offset, tag: self.tag, damage };
                    self.state = State::Damaged(err);
                }
            }
        }
    }

    /// After damage: go on at the next plausible tag, one whose header is legal
    /// and whose PreviousTagSize agrees with its length. [`next`](Self::next) then gives
    /// [`Item::Resumed`] with the bytes skipped, and the tag. Does nothing without damage.
    pub fn recover(&mut self) {
        if matches!(self.state, State::Damaged(_)) {
            let from = self.window.offset;
            // What stands at the front is what was found to be damaged.
            self.window.skip(1.min(self.window.len()));
            self.state = State::Scanning { from };
        }
    }

    /// Says how the stream ended. Call it when [`next`](Self::next) gives `None` and no more bytes come.
    pub fn finish(mut self) -> Ending {
        let have = self.window.len() as u64;
        let cut = |need: u64, whole| Cut {
            offset: self.window.offset,
            tag: self.tag,
            have,
            missing: need.saturating_sub(have),
            whole,
        };
        match &self.state {
            State::Scanning { from } => {
                Ending::Lost(Gap { offset: *from, skipped: self.window.offset + have - *from })
            }
            State::Damaged(err) => Ending::Lost(Gap {
                offset: err.offset,
                skipped: (self.window.offset + have).saturating_sub(err.offset),
            }),
            State::FileHeader if have > 0 => Ending::Cut(cut(9, None)),
            // The tag after an empty stream's last PreviousTagSize, or a header without it, is not missed.
            State::HeaderRest { rest, .. } => Ending::Cut(cut(u64::from(*rest) + TRAILER_LEN as u64, None)),
            State::Tag | State::Found(_) if have > 0 => {
                let Some(Ok(head)) = self.window.peek_header(self.body_limit) else {
                    return Ending::Cut(cut(TAG_HEADER_LEN as u64, None));
                };
                let need = head.wire_len() as u64;
                let mut ending = cut(need, None);
                let body_end = TAG_HEADER_LEN + head.len as usize;
                if self.window.fill(body_end) {
                    self.window.skip(TAG_HEADER_LEN);
                    let body = self.window.take(head.len as usize);
                    ending.whole = Tag::new(head.kind, head.timestamp, body).ok();
                }
                Ending::Cut(ending)
            }
            State::FileHeader | State::Tag | State::Found(_) => Ending::Whole,
        }
    }

    fn file_header(&mut self) -> Result<Step, (u64, Damage)> {
        if !self.window.fill(9) {
            // A wrong signature need not wait for bytes that may never come.
            if let Some(&[a, b, c]) = self.window.front().first_chunk::<3>() {
                check_signature([a, b, c])?;
            }
            return Ok(Step::Need);
        }
        let Some(&[a, b, c, version, flags, l0, l1, l2, l3]) = self.window.front().first_chunk::<9>() else {
            return Ok(Step::Need);
        };
        check_signature([a, b, c])?;
        if version != 1 {
            return Err((3, Damage::Version { got: version }));
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if !(9..=MAX_FILE_HEADER).contains(&length) {
            return Err((5, Damage::HeaderLength { got: length }));
        }
        self.window.skip(9);
        self.state = State::HeaderRest { tracks: Tracks::from_flags(flags), rest: length - 9 };
        Ok(Step::Again)
    }

    fn header_rest(&mut self, tracks: Tracks, rest: u32) -> Result<Step, (u64, Damage)> {
        let rest = rest as usize;
        if !self.window.fill(rest + TRAILER_LEN) {
            return Ok(Step::Need);
        }
        let got = self.window.u32_at(rest);
        if got != 0 {
            return Err((rest as u64, Damage::Trailer { got, expected: 0 }));
        }
        self.window.skip(rest + TRAILER_LEN);
        self.state = State::Tag;
        Ok(Step::Item(Item::Header(FileHeader { tracks })))
    }

    fn whole_tag(&mut self) -> Result<Step, (u64, Damage)> {
        if !self.window.fill(TAG_HEADER_LEN) {
            return Ok(Step::Need);
        }
        let Some(head) = self.window.peek_header(self.body_limit) else {
            return Ok(Step::Need);
        };
        let head = head?;
        if !self.window.fill(head.wire_len()) {
            return Ok(Step::Need);
        }
        let got = self.window.u32_at(head.wire_len() - TRAILER_LEN);
        if got != head.trailer() {
            let offset = (head.wire_len() - TRAILER_LEN) as u64;
            return Err((offset, Damage::Trailer { got, expected: head.trailer() }));
        }
        // One take for the whole tag, so that the window can hand over its buffer.
        let wire = self.window.take(head.wire_len());
        let body = wire.slice(TAG_HEADER_LEN..TAG_HEADER_LEN + head.len as usize);
        self.tag += 1;
        let tag = Tag::new(head.kind, head.timestamp, body).expect("a 24-bit length fits a tag");
        Ok(Step::Item(Item::Tag(tag)))
    }

    /// Looks for the first tag that is whole: a legal, believable header whose trailer agrees.
    fn scan(&mut self, from: u64) -> Result<Step, (u64, Damage)> {
        loop {
            let front = self.window.front();
            let Some(at) = memchr::memchr3(8, 9, 18, front) else {
                self.window.skip(front.len());
                if self.window.is_empty() {
                    return Ok(Step::Need);
                }
                continue;
            };
            self.window.skip(at);
            if !self.window.fill(TAG_HEADER_LEN + 1) {
                return Ok(Step::Need);
            }
            let candidate = match self.window.peek_header(self.body_limit) {
                Some(Ok(head)) if is_believable(head.kind, head.len, self.window.front()[TAG_HEADER_LEN]) => {
                    head
                }
                _ => {
                    self.window.skip(1);
                    continue;
                }
            };
            if !self.window.fill(candidate.wire_len()) {
                return Ok(Step::Need);
            }
            if self.window.u32_at(candidate.wire_len() - TRAILER_LEN) == candidate.trailer() {
                self.state = State::Found(Gap { offset: from, skipped: self.window.offset - from });
                return Ok(Step::Again);
            }
            self.window.skip(1);
        }
    }
}

enum Step {
    /// The state has changed: go round.
    Again,
    /// More bytes are needed.
    Need,
    Item(Item),
}

fn check_signature(got: [u8; 3]) -> Result<(), (u64, Damage)> {
    if got == *b"FLV" { Ok(()) } else { Err((0, Damage::Signature { got })) }
}

/// Whether a body of this length that begins with this byte may be of this kind.
/// Runs of zeros and small numbers look like tag headers; this keeps a scan from waiting on them.
fn is_believable(kind: TagKind, len: u32, first: u8) -> bool {
    len > 0
        && match kind {
            // Script tags begin with an AMF0 string.
            TagKind::Script => first == 2,
            TagKind::Audio => !matches!(first >> 4, 12 | 13),
            TagKind::Video => matches!((first >> 4) & 7, 1..=5) && (first & 0x80 != 0 || first & 0x0f != 0),
        }
}

struct Head {
    kind: TagKind,
    len: u32,
    timestamp: FlvMillis,
}

impl Head {
    fn wire_len(&self) -> usize {
        TAG_HEADER_LEN + self.len as usize + TRAILER_LEN
    }
    fn trailer(&self) -> u32 {
        self.len + TAG_HEADER_LEN as u32
    }
}

/// The bytes not given out yet: first `partial`, which was put together from
/// earlier pieces, then `piece`, the last one pushed.
#[derive(Debug, Default)]
struct Window {
    partial: BytesMut,
    piece: Bytes,
    /// Of the first byte, from the start of the stream.
    offset: u64,
}

impl Window {
    fn len(&self) -> usize {
        self.partial.len() + self.piece.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn push(&mut self, piece: Bytes) {
        if !self.piece.is_empty() {
            self.partial.extend_from_slice(&self.piece);
        }
        self.piece = piece;
    }

    /// The bytes at the front that lie together; not empty unless all is.
    fn front(&self) -> &[u8] {
        if self.partial.is_empty() { &self.piece } else { &self.partial }
    }

    /// Whether `len` bytes are there; if so they lie together at the front. If
    /// not, nothing is left in `piece`.
    fn fill(&mut self, len: usize) -> bool {
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
    fn take(&mut self, len: usize) -> Bytes {
        self.offset += len as u64;
        if self.partial.is_empty() { self.piece.split_to(len) } else { self.partial.split_to(len).freeze() }
    }

    fn skip(&mut self, len: usize) {
        self.offset += len as u64;
        let from_partial = len.min(self.partial.len());
        self.partial.advance(from_partial);
        self.piece.advance(len - from_partial);
    }

    fn u32_at(&self, at: usize) -> u32 {
        self.front()
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// The tag header at the front; `None` if it is not all there.
    fn peek_header(&self, body_limit: u32) -> Option<Result<Head, (u64, Damage)>> {
        let &[kind, l0, l1, l2, t1, t2, t3, t0, s0, s1, s2] = self.front().first_chunk::<TAG_HEADER_LEN>()?;
        Some(parse_header(
            kind,
            u32::from_be_bytes([0, l0, l1, l2]),
            FlvMillis(u32::from_be_bytes([t0, t1, t2, t3])),
            u32::from_be_bytes([0, s0, s1, s2]),
            body_limit,
        ))
    }
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
