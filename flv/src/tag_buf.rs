//! A tag that nobody else holds, with room around its body to grow into.
//!
//! Whoever changes a tag's body on its way (an encryptor, say) puts a few bytes into its
//! front and leaves the rest where it lies. A [`Tag`]'s body is shared and has no room; this
//! one is owned and has.

use std::fmt;
use std::ops::Range;

use bytes::{Buf, BytesMut};

use crate::millis::FlvMillis;
use crate::tag::{BodyTooLong, MAX_BODY, Tag, TagKind};

/// Bytes to leave free around a body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Room {
    /// In front of it.
    pub front: usize,
    /// Behind it.
    pub back: usize,
}

impl Room {
    /// None at all.
    pub const NONE: Self = Self { front: 0, back: 0 };

    /// A buffer to append a body of about `len` bytes to, for [`TagBuf::new`] with the same room.
    pub fn buffer(self, len: usize) -> BytesMut {
        let mut buf = BytesMut::with_capacity(self.front.saturating_add(len).saturating_add(self.back));
        buf.resize(self.front, 0);
        buf
    }
}

/// One FLV tag whose body can be changed in place. The body is at most [`MAX_BODY`] long.
///
/// ```
/// use flv::{FlvMillis, Room, Tag, TagBuf, TagKind};
///
/// let room = Room { front: 8, back: 0 };
/// let mut body = room.buffer(6);
/// flv::audio::write_aac_frame(&[0x21, 0x10], &mut body);
/// let mut tag = TagBuf::new(TagKind::Audio, FlvMillis(40), body, room)?;
/// tag.insert(2, b"front")?; // Only the two bytes before it move.
/// assert_eq!(tag.body(), b"\xaf\x01front\x21\x10");
/// let tag: Tag = tag.into();
/// # Ok::<(), flv::BodyTooLong>(())
/// ```
pub struct TagBuf {
    /// What it carries.
    pub kind: TagKind,
    /// When it is to be decoded (DTS).
    pub timestamp: FlvMillis,
    buf: BytesMut,
    /// The body begins here.
    front: usize,
}

impl TagBuf {
    /// A tag around what was appended to a [`Room::buffer`]: its body is what lies behind
    /// `room.front` bytes.
    ///
    /// # Errors
    /// A body longer than [`MAX_BODY`].
    pub fn new(kind: TagKind, timestamp: FlvMillis, buf: BytesMut, room: Room) -> Result<Self, BodyTooLong> {
        let front = room.front.min(buf.len());
        let tag = Self { kind, timestamp, buf, front };
        if tag.len() > MAX_BODY { Err(BodyTooLong { kind, len: tag.len() }) } else { Ok(tag) }
    }

    /// A copy of a tag, with room around it.
    pub fn copied(tag: &Tag, room: Room) -> Self {
        let mut buf = room.buffer(tag.body().len());
        buf.extend_from_slice(tag.body());
        Self { kind: tag.kind, timestamp: tag.timestamp, buf, front: room.front }
    }

    /// The body: codec header and data, or AMF0.
    pub fn body(&self) -> &[u8] {
        &self.buf[self.front..]
    }

    /// The body, to be changed where it lies.
    pub fn body_mut(&mut self) -> &mut [u8] {
        &mut self.buf[self.front..]
    }

    /// Puts bytes into the body before its byte `at` (or at its end, if it ends before).
    /// What lies on one side of that place moves: the shorter side that has room. Memory
    /// is allocated only if neither has.
    ///
    /// # Errors
    /// A body that would be longer than [`MAX_BODY`]; it then stays as it was.
    pub fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), BodyTooLong> {
        let (len, grown) = (self.len(), self.len().saturating_add(bytes.len()));
        if grown > MAX_BODY {
            return Err(BodyTooLong { kind: self.kind, len: grown });
        }
        let (at, end) = (self.front + at.min(len), self.buf.len());
        let room_in_front = self.front >= bytes.len();
        let room_behind = self.buf.capacity() - end >= bytes.len();
        let front_is_shorter = at - self.front <= end - at;
        let at = if room_in_front && (front_is_shorter || !room_behind) {
            let front = self.front - bytes.len();
            self.buf.copy_within(self.front..at, front);
            self.front = front;
            at - bytes.len()
        } else {
            self.buf.resize(end + bytes.len(), 0);
            self.buf.copy_within(at..end, at + bytes.len());
            at
        };
        self.buf[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    /// Takes bytes out of the body; what of `range` lies beyond it does not count. The
    /// shorter side moves.
    pub fn remove(&mut self, range: Range<usize>) {
        let len = self.len();
        let end = range.end.min(len);
        let start = range.start.min(end);
        if start <= len - end {
            let (from, to) = (self.front, self.front + end - start);
            self.buf.copy_within(from..from + start, to);
            self.front = to;
        } else {
            self.buf.copy_within(self.front + end.., self.front + start);
            self.truncate(len - (end - start));
        }
    }

    /// Cuts the body off behind `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.buf.truncate(self.front.saturating_add(len));
    }

    fn len(&self) -> usize {
        self.buf.len() - self.front
    }
}

/// The tag can be shared from here on. Nothing is copied.
impl From<TagBuf> for Tag {
    fn from(tag: TagBuf) -> Self {
        let mut body = tag.buf.freeze();
        body.advance(tag.front);
        Self::new(tag.kind, tag.timestamp, body).expect("a body is never made longer than a tag's")
    }
}

/// Gives the tag back if somebody else holds its body, or part of the same memory.
impl TryFrom<Tag> for TagBuf {
    type Error = Tag;

    fn try_from(tag: Tag) -> Result<Self, Tag> {
        let (kind, timestamp) = (tag.kind, tag.timestamp);
        match tag.into_body().try_into_mut() {
            Ok(buf) => Ok(Self { kind, timestamp, buf, front: 0 }),
            Err(body) => Err(Tag::new(kind, timestamp, body).expect("it was a tag's body")),
        }
    }
}

impl fmt::Debug for TagBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tag at {}, {} bytes, owned", self.kind, self.timestamp, self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Change {
        Insert(usize, Vec<u8>),
        Remove(usize, usize),
        Truncate(usize),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0usize..90, prop::collection::vec(any::<u8>(), 0..30)).prop_map(|(at, b)| Change::Insert(at, b)),
            (0usize..90, 0usize..90).prop_map(|(a, b)| Change::Remove(a.min(b), a.max(b))),
            (0usize..90).prop_map(Change::Truncate),
        ]
    }

    proptest! {
        /// Against a plain vector, whatever room there is.
        #[test]
        fn changes_are_those_of_a_vector(
            body in prop::collection::vec(any::<u8>(), 0..60), front in 0usize..40, back in 0usize..40,
            changes in prop::collection::vec(change(), 0..12),
        ) {
            let room = Room { front, back };
            let mut buf = room.buffer(body.len());
            buf.extend_from_slice(&body);
            let mut tag = TagBuf::new(TagKind::Video, FlvMillis(5), buf, room).unwrap();
            let mut want = body;
            for change in changes {
                match change {
                    Change::Insert(at, bytes) => {
                        tag.insert(at, &bytes).unwrap();
                        let at = at.min(want.len());
                        want.splice(at..at, bytes);
                    }
                    Change::Remove(from, to) => {
                        tag.remove(from..to);
                        let to = to.min(want.len());
                        want.drain(from.min(to)..to);
                    }
                    Change::Truncate(len) => {
                        tag.truncate(len);
                        want.truncate(len);
                    }
                }
                prop_assert_eq!(tag.body(), &want);
            }
            let tag = Tag::from(tag);
            prop_assert_eq!(&tag.body()[..], &want);
            prop_assert_eq!((tag.kind, tag.timestamp), (TagKind::Video, FlvMillis(5)));
        }
    }

    #[test]
    fn with_room_only_the_short_side_moves() {
        let room = Room { front: 16, back: 4 };
        let mut buf = room.buffer(1000);
        buf.extend_from_slice(&[7; 1000]);
        let mut tag = TagBuf::new(TagKind::Video, FlvMillis(0), buf, room).unwrap();
        let end = tag.body().as_ptr_range().end;
        tag.insert(5, &[1; 16]).unwrap();
        assert_eq!(tag.body().as_ptr_range().end, end);
        let start = tag.body().as_ptr();
        tag.insert(1000, &[2; 4]).unwrap();
        assert_eq!(tag.body().as_ptr(), start);
        tag.remove(1000..1004);
        assert_eq!(tag.body().as_ptr(), start);
        tag.remove(5..21);
        assert_eq!(tag.body().as_ptr_range().end, end);
        assert_eq!(tag.body(), [7; 1000]);
    }

    #[test]
    fn a_shared_tag_is_given_back_and_an_own_one_is_not_copied() {
        let tag = Tag::new(TagKind::Audio, FlvMillis(1), Bytes::from(vec![1; 50])).unwrap();
        let other = tag.clone();
        let tag = TagBuf::try_from(tag).unwrap_err();
        assert_eq!(tag, other);
        drop(other);
        let at = tag.body().as_ptr();
        let owned = TagBuf::try_from(tag).unwrap();
        assert_eq!(owned.body().as_ptr(), at);
        assert_eq!(format!("{owned:?}"), "audio tag at 1ms, 50 bytes, owned");
        assert_eq!(Tag::from(owned).body().as_ptr(), at);
    }

    #[test]
    fn no_body_outgrows_a_tag() {
        let mut tag =
            TagBuf::new(TagKind::Video, FlvMillis(0), BytesMut::zeroed(MAX_BODY), Room::NONE).unwrap();
        assert_eq!(tag.insert(3, &[1]).unwrap_err().len, MAX_BODY + 1);
        assert_eq!(tag.body().len(), MAX_BODY);
        let long = TagBuf::new(TagKind::Video, FlvMillis(0), BytesMut::zeroed(MAX_BODY + 2), Room::NONE);
        assert_eq!(long.unwrap_err().len, MAX_BODY + 2);
        // A buffer that is not even the room is an empty body.
        let room = Room { front: 9, back: 0 };
        let empty = TagBuf::new(TagKind::Video, FlvMillis(0), BytesMut::zeroed(3), room).unwrap();
        assert_eq!(empty.body(), []);
    }
}
