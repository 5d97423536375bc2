//! Keeps from a decoder what it could not show: tags that could not be read,
//! and pictures that need one of those.

use flv::video::VideoHeader;
use flv::{Tag, TagKind};

use crate::decryptor::Verdict;

/// What to do with coded frames that were never encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AllowClear {
    /// Let them through, so that encryption can be switched off and on.
    #[default]
    Yes,
    /// Drop them: nobody on the way can then slip clear pictures in. (The
    /// format does not authenticate; this only refuses the simplest forgery.)
    No,
}

/// Stands behind a [`TagDecryptor`](crate::TagDecryptor).
///
/// After a tag whose key is not there or wrong, all coded frames are dropped
/// until a readable key frame comes (in a stream without pictures: until a
/// readable tag comes). After a damaged picture, pictures are dropped until a
/// key frame, and sound goes on. Sequence headers and script tags always pass.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    clear: AllowClear,
    shut: Option<Shut>,
    pictures: Pictures,
}

/// Why the gate is shut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shut {
    /// Something could not be read for want of a key.
    Locked,
    /// A picture is missing.
    Torn,
}

/// Whether the stream has pictures, as far as was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Pictures {
    #[default]
    None,
    Seen,
}

impl Gate {
    /// An open gate.
    pub fn new(clear: AllowClear) -> Self {
        Self { clear, ..Self::default() }
    }

    /// Whether the gate waits for a key frame.
    pub fn is_shut(&self) -> bool {
        self.shut.is_some()
    }

    /// Passes a tag on, or drops it.
    pub fn admit(&mut self, tag: Tag, verdict: Verdict) -> Option<Tag> {
        self.passes(tag.kind, tag.body(), verdict).then_some(tag)
    }

    /// Whether a tag passes. Of the body only the codec header is read, which encryption
    /// leaves as it is: give it before or after decryption. Ask once a tag, in order.
    pub fn passes(&mut self, kind: TagKind, body: &[u8], verdict: Verdict) -> bool {
        if kind == TagKind::Video {
            self.pictures = Pictures::Seen;
        }
        match verdict {
            Verdict::Exempt => return true,
            Verdict::Clear | Verdict::Literal if self.clear == AllowClear::No => {
                self.missing(kind);
                return false;
            }
            Verdict::Clear | Verdict::Literal | Verdict::Encrypted { .. } => {}
            Verdict::UnknownKey { .. } | Verdict::WrongKey { .. } | Verdict::Unsupported { .. } => {
                self.shut = Some(Shut::Locked);
                return false;
            }
            Verdict::Damaged { .. } => {
                self.missing(kind);
                return false;
            }
        }
        let opens = match kind {
            TagKind::Video => VideoHeader::parse(body).is_ok_and(|header| header.is_key_frame()),
            TagKind::Audio | TagKind::Script => self.pictures == Pictures::None,
        };
        if opens {
            self.shut = None;
        }
        match self.shut {
            None => true,
            Some(Shut::Torn) => kind != TagKind::Video,
            Some(Shut::Locked) => false,
        }
    }

    fn missing(&mut self, kind: TagKind) {
        if kind == TagKind::Video {
            self.shut.get_or_insert(Shut::Torn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decryptor::Damage;
    use crate::key::KeyId;
    use bytes::Bytes;
    use flv::FlvMillis;

    const KEY: &[u8] = &[0x17, 1, 0, 0, 0];
    const DELTA: &[u8] = &[0x27, 1, 0, 0, 0];
    const SOUND: &[u8] = &[0xaf, 1, 0x21];
    const READ: Verdict = Verdict::Encrypted { key: KeyId(1) };
    const LOCKED: Verdict = Verdict::UnknownKey { id: KeyId(1) };
    const TORN: Verdict = Verdict::Damaged { why: Damage::Escape };

    /// Which of these pass, as a string of `.` (dropped) and `+` (passed).
    fn run(gate: &mut Gate, tags: &[(&'static [u8], Verdict)]) -> String {
        let mut passed = String::new();
        for (body, verdict) in tags {
            let kind = if body[0] == 0xaf { TagKind::Audio } else { TagKind::Video };
            let tag = Tag::new(kind, FlvMillis(0), Bytes::from_static(body)).unwrap();
            passed.push(if gate.admit(tag, *verdict).is_some() { '+' } else { '.' });
        }
        passed
    }

    #[test]
    fn without_a_key_nothing_passes_until_a_key_frame_is_read() {
        let mut gate = Gate::default();
        let tags = [
            (KEY, READ),
            (SOUND, READ),
            (DELTA, LOCKED),
            (SOUND, LOCKED),
            // The key is there now, but the picture before was not.
            (DELTA, READ),
            (SOUND, READ),
            (KEY, LOCKED),
            (KEY, READ),
            (SOUND, READ),
            (DELTA, READ),
        ];
        assert_eq!(run(&mut gate, &tags), "++.....+++");
        assert!(!gate.is_shut());
    }

    #[test]
    fn a_torn_picture_stops_pictures_only() {
        let tags = [
            (KEY, READ),
            (DELTA, TORN),
            (SOUND, READ),
            (DELTA, READ),
            (SOUND, TORN),
            (KEY, READ),
            (DELTA, READ),
        ];
        assert_eq!(run(&mut Gate::default(), &tags), "+.+..++");
    }

    #[test]
    fn damage_does_not_open_a_locked_gate() {
        assert_eq!(
            run(&mut Gate::default(), &[(DELTA, LOCKED), (DELTA, TORN), (SOUND, READ), (KEY, READ)]),
            "...+"
        );
    }

    #[test]
    fn sound_alone_opens_its_own_gate() {
        assert_eq!(run(&mut Gate::default(), &[(SOUND, LOCKED), (SOUND, READ), (SOUND, READ)]), ".++");
    }

    #[test]
    fn headers_always_pass() {
        let header: &[u8] = &[0x17, 0, 0, 0, 0];
        assert_eq!(
            run(&mut Gate::default(), &[(KEY, LOCKED), (header, Verdict::Exempt), (DELTA, READ)]),
            ".+."
        );
    }

    #[test]
    fn clear_tags_pass_only_where_allowed() {
        let tags =
            [(KEY, READ), (DELTA, Verdict::Clear), (SOUND, Verdict::Literal), (DELTA, READ), (KEY, READ)];
        assert_eq!(run(&mut Gate::new(AllowClear::Yes), &tags), "+++++");
        assert_eq!(run(&mut Gate::new(AllowClear::No), &tags), "+...+");
    }
}
