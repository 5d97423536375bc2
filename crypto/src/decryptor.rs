//! Decryption, each tag by itself.

mod tracks;

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use bytes::BytesMut;
use flv::{Tag, TagBuf, TagKind};
use media::Track;

use crate::aac_mode;
use crate::aac_silence;
use crate::capsule_mode;
use crate::key::{KeyId, KeyRing, MasterKey};
use crate::key_header::{KeyHeader, WireMode};
use crate::literal;
use crate::marker::{self, DSE_LEN, Fault, Place, Soundness};
use crate::nalu_mode::{self, Torn};
use crate::salt::Salt;
use crate::shape::{self, Layout, Shape};
use crate::track_key::TrackKey;
use crate::tracks::Framings;
use crate::whole_tag;

/// What became of a tag. Where its tracks fared differently, the worst counts: damage before one
/// that cannot be read (the first of these) before a clear one before one marked as literal
/// before a decrypted one. Only if all can be read is any of them changed.
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
        /// The version in the marker; known are 1 and 2, the latter of sound only.
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
    /// The data stream elements around the ciphertext break off.
    #[error("the elements around the ciphertext break off")]
    Elements,
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
    framings: Framings,
    cache: KeyCache,
    /// Where a body of several tracks is written before it is put into its tag.
    scratch: BytesMut,
}

impl TagDecryptor {
    /// A reader with these keys.
    pub fn new(keys: KeyRing) -> Self {
        Self { keys, ..Self::default() }
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
        let opening = match self.look(tag.kind, tag.body()) {
            Seen::Opens(opening) => opening,
            Seen::Stays(verdict) => return (tag, verdict),
            Seen::Tracks => return self.decrypt_tracks(tag),
        };
        let verdict = opening.verdict();
        let tag = match TagBuf::try_from(tag) {
            Ok(mut owned) => {
                opening.in_place(&mut owned);
                owned.into()
            }
            Err(shared) => {
                let mut out = BytesMut::with_capacity(opening.clear_len(shared.body()));
                opening.append(shared.body(), &mut out);
                shared.with_body(out.freeze()).expect(NEVER_LONGER)
            }
        };
        (tag, verdict)
    }

    /// As [`decrypt`](Self::decrypt), where the body lies: nothing is allocated. A tag that
    /// cannot be read stays as it came.
    pub fn decrypt_in_place(&mut self, tag: &mut TagBuf) -> Verdict {
        match self.look(tag.kind, tag.body()) {
            Seen::Opens(opening) => {
                opening.in_place(tag);
                opening.verdict()
            }
            Seen::Stays(verdict) => verdict,
            Seen::Tracks => self.tracks_in_place(tag),
        }
    }

    /// Decrypts one tag whose body others hold, and appends the whole of it, header and
    /// trailer too, to `out`. One that cannot be read is appended as it came: cut `out` back
    /// if it is not to go on.
    pub fn decrypt_into(&mut self, tag: &Tag, out: &mut BytesMut) -> Verdict {
        match self.look(tag.kind, tag.body()) {
            Seen::Opens(opening) => {
                let start = whole_tag::begin(tag, 0, out);
                opening.append(tag.body(), out);
                whole_tag::end(tag, start, out).expect(NEVER_LONGER);
                opening.verdict()
            }
            Seen::Stays(verdict) => {
                tag.write_into(out);
                verdict
            }
            Seen::Tracks => self.tracks_into(tag, out),
        }
    }

    /// What is to be done with a body. Takes note of what sequence headers say.
    // Inlined, so that what is found out need not be carried through memory.
    #[inline(always)]
    fn look(&mut self, kind: TagKind, body: &[u8]) -> Seen<'_> {
        match shape::of(kind, body) {
            Layout::Single(shape) => {
                self.framings.observe(0, &shape);
                match self.look_at(kind, 0, body, &shape) {
                    Ok(opening) => Seen::Opens(opening),
                    Err(verdict) => Seen::Stays(verdict),
                }
            }
            Layout::TrackConfigs => {
                self.framings.observe_tracks(kind, body);
                Seen::Stays(Verdict::Exempt)
            }
            Layout::Tracks => Seen::Tracks,
        }
    }

    /// What is to be done with a body, or with one track's part of it, or why it stays as it is.
    #[inline(always)]
    fn look_at(
        &mut self,
        kind: TagKind,
        track: u8,
        body: &[u8],
        shape: &Shape,
    ) -> Result<Opening<'_>, Verdict> {
        if shape.is_exempt() {
            return Err(Verdict::Exempt);
        }
        let found = marker::find(body, shape, self.framings.of(track)).ok_or(Verdict::Clear)?;
        let header = found.header.map_err(|fault| match fault {
            Fault::Mangled => Verdict::Damaged { why: Damage::Marker },
            Fault::Unreadable(odd) => Verdict::Unsupported { version: odd.version, mode: odd.mode },
        })?;
        if found.is_literal()
            && let Some(mark) = literal::mark_at(&found.place)
        {
            return Ok(Opening::Unmark(mark));
        }
        let master = self.keys.get(header.key).ok_or(Verdict::UnknownKey { id: header.key })?;
        let medium = if kind == TagKind::Audio { Track::Audio } else { Track::Video };
        let key = self.cache.key(master, &header, medium);
        if key.check() != header.check {
            return Err(Verdict::WrongKey { id: header.key });
        }
        let contents = contents(body, found.place, &header).map_err(|why| Verdict::Damaged { why })?;
        Ok(Opening::Decrypt { contents, id: header.key, seq: header.seq, key })
    }
}

const NEVER_LONGER: &str = "decryption never lengthens a body";

/// What a body turned out to be.
enum Seen<'k> {
    /// It stays as it is.
    Stays(Verdict),
    Opens(Opening<'k>),
    /// Each of its tracks is to be looked at.
    Tracks,
}

/// What is to be done with a body that can be read.
enum Opening<'k> {
    /// Take a literal mark out.
    Unmark(Range<usize>),
    Decrypt {
        contents: Contents,
        id: KeyId,
        seq: u32,
        key: &'k TrackKey,
    },
}

/// Encrypted contents that were looked through.
enum Contents {
    Block { payload: usize },
    Elements(aac_silence::Sealed),
    Units(nalu_mode::Sealed),
    Capsule(capsule_mode::Sealed),
}

/// Looks encrypted contents through.
fn contents(body: &[u8], place: Place, header: &KeyHeader) -> Result<Contents, Damage> {
    match place {
        Place::Dse { payload } if header.mode == WireMode::Silence => {
            Ok(Contents::Elements(aac_silence::sealed(body, payload)?))
        }
        // Sound is wrapped whole in every mode, so either says the same.
        Place::Dse { payload } => Ok(Contents::Block { payload }),
        Place::Sei { framing: Soundness::Broken, .. } | Place::Capsule { framing: Soundness::Broken, .. } => {
            Err(Damage::Framing)
        }
        Place::Sei { codec, size, range, .. } if header.mode == WireMode::Nalu => {
            Ok(Contents::Units(nalu_mode::sealed(body, range, codec, size)?))
        }
        Place::Capsule { payload, unit, .. } if header.mode == WireMode::Capsule => {
            Ok(Contents::Capsule(capsule_mode::sealed(body, payload, unit)?))
        }
        Place::Sei { .. } | Place::Capsule { .. } => Err(Damage::Mode),
    }
}

impl Opening<'_> {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Unmark(_) => Verdict::Literal,
            Self::Decrypt { id, .. } => Verdict::Encrypted { key: *id },
        }
    }

    fn in_place(&self, tag: &mut TagBuf) {
        match self {
            Self::Unmark(mark) => tag.remove(mark.clone()),
            Self::Decrypt { contents, seq, key, .. } => match contents {
                Contents::Block { payload } => aac_mode::decrypt_in_place(tag, *payload, *seq, key),
                Contents::Elements(elements) => elements.decrypt_in_place(tag, *seq, key),
                Contents::Units(units) => units.decrypt_in_place(tag, *seq, key),
                Contents::Capsule(capsule) => capsule.decrypt_in_place(tag, *seq, key),
            },
        }
    }

    /// The copying twin of [`in_place`](Self::in_place).
    fn append(&self, body: &[u8], out: &mut BytesMut) {
        match self {
            Self::Unmark(mark) => {
                out.extend_from_slice(&body[..mark.start]);
                out.extend_from_slice(&body[mark.end..]);
            }
            Self::Decrypt { contents, seq, key, .. } => match contents {
                Contents::Block { payload } => aac_mode::decrypt(body, *payload, *seq, key, out),
                Contents::Elements(elements) => elements.decrypt(body, *seq, key, out),
                Contents::Units(units) => units.decrypt(body, *seq, key, out),
                Contents::Capsule(capsule) => capsule.decrypt(body, *seq, key, out),
            },
        }
    }

    fn clear_len(&self, body: &[u8]) -> usize {
        match self {
            Self::Unmark(mark) => body.len() - mark.len(),
            Self::Decrypt { contents: Contents::Block { .. }, .. } => body.len() - DSE_LEN,
            Self::Decrypt { contents: Contents::Elements(elements), .. } => elements.clear_len(),
            Self::Decrypt { contents: Contents::Units(units), .. } => units.clear_len(body),
            Self::Decrypt { contents: Contents::Capsule(capsule), .. } => capsule.clear_len(),
        }
    }
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
