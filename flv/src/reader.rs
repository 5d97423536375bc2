//! Tags out of a stream of bytes that comes in pieces, also a damaged one.
//!
//! At most one tag is held back: a body that one pushed piece holds whole is a
//! slice of that piece, any other is copied once.

mod damage;
mod hidden;
mod window;

use bytes::Bytes;

use self::damage::MAX_FILE_HEADER;
pub use self::damage::{Cut, Damage, Ending, Gap, Item, ReadError};
use self::window::Window;
use crate::tag::{FILE_HEADER_LEN, FileHeader, MAX_BODY, TAG_HEADER_LEN, TRAILER_LEN, Tag, TagKind, Tracks};

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

    /// Gives up on what is at the front, and goes on at the next plausible tag:
    /// one whose header is legal and whose PreviousTagSize agrees with its length.
    /// [`next`](Self::next) then gives [`Item::Resumed`] with the bytes skipped, and the tag.
    ///
    /// Meant for damage; also, when no more bytes come, for an [`Ending::Cut`] or
    /// [`Ending::Lost`] with bytes left: a damaged length may have made a tag look
    /// longer than the stream. Does nothing when no byte is buffered.
    pub fn recover(&mut self) {
        if self.window.is_empty() && !matches!(self.state, State::Damaged(_)) {
            return;
        }
        let (from, given_up) = match &self.state {
            // A stream may begin with a tag in place of the file header.
            State::FileHeader | State::HeaderRest { .. } => (self.window.offset, 0),
            State::Damaged(err) if err.damage.is_in_file_header() => (self.window.offset, 0),
            State::Tag | State::Damaged(_) => (self.window.offset, 1),
            State::Scanning { from } => (*from, 1),
            State::Found(gap) => (gap.offset, 1),
        };
        self.window.skip(given_up.min(self.window.len()));
        self.state = State::Scanning { from };
    }

    /// Whether the tag that [`next`](Self::next) waits for is none: its length claims what are
    /// two whole tags that follow one another. A damaged length can hold a live stream back by
    /// up to 16 MiB; whoever cannot wait so long asks this when `next` gives `None`, and
    /// [`recover`](Self::recover)s. Looks through all bytes held, so do not ask at each piece.
    pub fn hides_tags(&self) -> bool {
        match self.state {
            State::Tag | State::Scanning { .. } => {
                hidden::has_two_in_a_row(self.window.front(), self.body_limit)
            }
            _ => false,
        }
    }

    /// Says how the stream ends here: ask when [`next`](Self::next) gives `None` and no
    /// more bytes come. Changes nothing.
    pub fn finish(&mut self) -> Ending {
        let offset = self.window.offset;
        let have = self.window.len() as u64;
        let cut =
            |need: u64| Cut { offset, tag: self.tag, have, missing: need.saturating_sub(have), whole: None };
        match &self.state {
            State::Scanning { from } => Ending::Lost(Gap { offset: *from, skipped: offset + have - *from }),
            State::Damaged(_) => Ending::Lost(Gap { offset, skipped: have }),
            State::HeaderRest { rest, .. } => Ending::Cut(cut(u64::from(*rest) + TRAILER_LEN as u64)),
            State::FileHeader if have > 0 => Ending::Cut(cut(FILE_HEADER_LEN as u64)),
            State::Tag | State::Found(_) if have > 0 => {
                // Puts the header together if it came in two pieces.
                self.window.fill(TAG_HEADER_LEN);
                let Some(Ok(head)) = self.window.peek_header(self.body_limit) else {
                    return Ending::Cut(cut(TAG_HEADER_LEN as u64));
                };
                let mut ending = cut(head.wire_len() as u64);
                let body_end = TAG_HEADER_LEN + head.len as usize;
                if self.window.fill(body_end) {
                    let body = Bytes::copy_from_slice(&self.window.front()[TAG_HEADER_LEN..body_end]);
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
        if !head.agrees_with(got) {
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
            if candidate.agrees_with(self.window.u32_at(candidate.wire_len() - TRAILER_LEN)) {
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
