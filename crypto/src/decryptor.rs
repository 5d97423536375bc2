//! Decryption, each tag by itself.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use flv::{Tag, TagKind};
use media::Track;

use crate::aac_mode;
use crate::capsule_mode;
use crate::key::{KeyId, KeyRing, MasterKey};
use crate::key_header::{KeyHeader, WireMode};
use crate::literal;
use crate::marker::{self, Fault, Framing, Place, Soundness};
use crate::nalu_mode::{self, Torn};
use crate::salt::Salt;
use crate::shape::{self, Shape};
use crate::track_key::TrackKey;

/// What became of a tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Clear by the rules, whatever the stream: script tags, sequence headers,
    /// ends of sequence, commands, metadata.
    Exempt,
    /// A coded frame that was never encrypted; as it came.
    Clear,
    /// A clear coded frame whose literal mark was taken off.
    Literal,
    /// Decrypted: the tag is as it was before encryption, bit for bit.
    Encrypted {
        /// The key it was encrypted under.
        key: KeyId,
    },
    /// There is no key of this id on the ring; as it came.
    UnknownKey {
        /// The id in the tag.
        id: KeyId,
    },
    /// The key of this id is another one than the tag was encrypted under; as it came.
    WrongKey {
        /// The id in the tag.
        id: KeyId,
    },
    /// Our marker, in a version or mode that is not known here; as it came.
    Unsupported {
        /// The version in the marker; known is 1.
        version: u8,
        /// The mode in the marker.
        mode: u8,
    },
    /// Encrypted, but torn on the way; as it came.
    Damaged {
        /// What is wrong.
        why: Damage,
    },
}

impl Verdict {
    /// Whether the tag can be handed to a decoder.
    pub const fn is_readable(self) -> bool {
        matches!(self, Self::Exempt | Self::Clear | Self::Literal | Self::Encrypted { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exempt => f.write_str("clear by the rules"),
            Self::Clear => f.write_str("clear"),
            Self::Literal => f.write_str("clear, marked as literal"),
            Self::Encrypted { key } => write!(f, "decrypted with key {key}"),
            Self::UnknownKey { id } => write!(f, "encrypted under key {id}, which is not there"),
            Self::WrongKey { id } => write!(f, "encrypted under another key {id}"),
            Self::Unsupported { version, mode } => {
                write!(f, "encrypted in version {version}, mode {mode}, which is not known here")
            }
            Self::Damaged { why } => write!(f, "damaged: {why}"),
        }
    }
}

/// How an encrypted tag is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The marker is cut or not as it is written.
    #[error("the marker is mangled")]
    Marker,
    /// The marker's mode does not go with the place it is in.
    #[error("the marker's mode does not go with its place")]
    Mode,
    /// The NALU lengths do not add up to the body.
    #[error("the NAL unit lengths do not add up")]
    Framing,
    /// A start code or a lost escape in the ciphertext.
    #[error("the ciphertext holds what would have been escaped")]
    Escape,
    /// More encrypted units than there are counters.
    #[error("there are more NAL units than counters")]
    TooManyUnits,
}

impl From<Torn> for Damage {
    fn from(torn: Torn) -> Self {
        match torn {
            Torn::Framing => Self::Framing,
            Torn::Escape => Self::Escape,
            Torn::TooManyUnits => Self::TooManyUnits,
        }
    }
}

/// Decrypts tags, in any order and from any starting point.
///
/// Each tag says all that is needed. What is kept between tags is only a small
/// cache of derived keys and, as for any decoder, how long NALU lengths are
/// according to the last sequence header (without one: 4 bytes, else what fits).
///
/// Tags that cannot be read come back as they came, with a [`Verdict`] that says
/// why; put a [`Gate`](crate::Gate) behind it so that no decoder sees them.
#[derive(Default)]
pub struct TagDecryptor {
    keys: KeyRing,
    framing: Framing,
    cache: KeyCache,
}

impl TagDecryptor {
    /// A reader with these keys.
    pub fn new(keys: KeyRing) -> Self {
        Self { keys, framing: Framing::default(), cache: KeyCache::default() }
    }

    /// Adds a key, or replaces the one of this id.
    pub fn add_key(&mut self, id: KeyId, key: MasterKey) {
        self.cache.forget(id);
        self.keys.insert(id, key);
    }

    /// Forgets a key and all that was derived from it.
    pub fn remove_key(&mut self, id: KeyId) {
        self.cache.forget(id);
        self.keys.remove(id);
    }

    /// The keys held.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Decrypts one tag. Kind and timestamp stay as they are, and play no part.
    ///
    /// In place if nobody else holds the body, else into a new one.
    pub fn decrypt(&mut self, tag: Tag) -> (Tag, Verdict) {
        let shape = shape::of(&tag);
        self.framing.observe(&shape);
        if matches!(shape, Shape::Exempt | Shape::Sequence(_)) {
            return (tag, Verdict::Exempt);
        }
        let Some(found) = marker::find(tag.body(), &shape, self.framing) else {
            return (tag, Verdict::Clear);
        };
        let header = match found.header {
            Ok(header) => header,
            Err(Fault::Mangled) => return (tag, Verdict::Damaged { why: Damage::Marker }),
            Err(Fault::Unreadable(odd)) => {
                return (tag, Verdict::Unsupported { version: odd.version, mode: odd.mode });
            }
        };
        if found.is_literal() {
            return (reborn(tag, |body| literal::unmark(body, &found.place)), Verdict::Literal);
        }
        let Some(master) = self.keys.get(header.key) else {
            return (tag, Verdict::UnknownKey { id: header.key });
        };
        let track = if tag.kind == TagKind::Audio { Track::Audio } else { Track::Video };
        let key = self.cache.key(master, &header, track);
        if key.check() != header.check {
            return (tag, Verdict::WrongKey { id: header.key });
        }
        open(tag, found.place, &header, key)
    }
}

/// Decrypts a tag whose key is there.
fn open(tag: Tag, place: Place, header: &KeyHeader, key: &TrackKey) -> (Tag, Verdict) {
    let good = Verdict::Encrypted { key: header.key };
    match place {
        // Sound is wrapped whole in every mode, so either says the same.
        Place::Dse { payload } => {
            (reborn(tag, |body| aac_mode::decrypt(body, payload, header.seq, key)), good)
        }
        Place::Sei { framing: Soundness::Broken, .. } | Place::Capsule { framing: Soundness::Broken, .. } => {
            (tag, Verdict::Damaged { why: Damage::Framing })
        }
        Place::Sei { codec, size, range, .. } if header.mode == WireMode::Nalu => {
            opened(tag, good, |body| nalu_mode::decrypt(body, range, codec, size, header.seq, key))
        }
        Place::Capsule { payload, unit, .. } if header.mode == WireMode::Capsule => {
            opened(tag, good, |body| capsule_mode::decrypt(body, payload, unit, header.seq, key))
        }
        Place::Sei { .. } | Place::Capsule { .. } => (tag, Verdict::Damaged { why: Damage::Mode }),
    }
}

/// The tag around a decrypted body, or as it came if that is torn.
fn opened(
    tag: Tag,
    good: Verdict,
    decrypt: impl FnOnce(Bytes) -> Result<Bytes, (Bytes, Torn)>,
) -> (Tag, Verdict) {
    let mut verdict = good;
    let tag = reborn(tag, |body| {
        decrypt(body).unwrap_or_else(|(body, torn)| {
            verdict = Verdict::Damaged { why: torn.into() };
            body
        })
    });
    (tag, verdict)
}

/// The tag around what becomes of its body, which only shrinks.
fn reborn(tag: Tag, change: impl FnOnce(Bytes) -> Bytes) -> Tag {
    let (kind, timestamp) = (tag.kind, tag.timestamp);
    Tag::new(kind, timestamp, change(tag.into_body())).expect("decryption never lengthens a body")
}

/// Shows key ids only.
impl fmt::Debug for TagDecryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagDecryptor").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Derived keys, the latest first. Room for two encryptors (main and backup)
/// of two tracks across a rotation; whoever floods us with salts costs us
/// derivations, not memory. Boxed, so that a moved entry leaves no key behind.
#[derive(Default)]
struct KeyCache(VecDeque<(KeyId, Salt, Track, Box<TrackKey>)>);

impl KeyCache {
    const ROOM: usize = 16;

    fn key(&mut self, master: &MasterKey, header: &KeyHeader, track: Track) -> &TrackKey {
        let wanted = (header.key, header.salt, track);
        match self.0.iter().position(|(id, salt, track, _)| (*id, *salt, *track) == wanted) {
            Some(0) => {}
            Some(at) => {
                let entry = self.0.remove(at).expect("its place was just found");
                self.0.push_front(entry);
            }
            None => {
                self.0.truncate(Self::ROOM - 1);
                let key = TrackKey::derive(master, header.key, header.salt, track);
                self.0.push_front((header.key, header.salt, track, Box::new(key)));
            }
        }
        &self.0[0].3
    }

    /// Drops, and so wipes, what was derived from a key.
    fn forget(&mut self, id: KeyId) {
        self.0.retain(|entry| entry.0 != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_in_use() {
        let master = MasterKey::from_bytes([1; 16]);
        let header = |salt: u64, id: u8| KeyHeader {
            key: KeyId(id),
            salt: Salt(salt.to_be_bytes()),
            ..KeyHeader::LITERAL
        };
        let mut cache = KeyCache::default();
        for salt in 1..100 {
            cache.key(&master, &header(salt, 1), Track::Video);
            // In use all the time: it stays, whatever else comes.
            cache.key(&master, &header(0, 2), Track::Audio);
            assert!(cache.0.len() <= KeyCache::ROOM);
            assert!(salt == 1 || cache.0.iter().any(|entry| entry.0 == KeyId(2)));
        }
        let fresh = TrackKey::derive(&master, KeyId(1), Salt(99u64.to_be_bytes()), Track::Video);
        assert_eq!(cache.key(&master, &header(99, 1), Track::Video).check(), fresh.check());
        cache.forget(KeyId(1));
        assert!(cache.0.iter().all(|entry| entry.0 == KeyId(2)) && cache.0.len() == 1);
    }
}
