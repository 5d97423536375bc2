//! Bodies of several tracks: each part by the rules of a body of its own.

use bytes::BytesMut;
use flv::{FlvMillis, MAX_BODY, Tag, TagBuf, TagKind};

use super::plan::Plan;
use super::{ROOM, Sealing, TagEncryptor, UnknownBody, too_long};
use crate::encryptor::Encryption;
use crate::error::{CryptoError, NoRule};
use crate::shape::Shape;
use crate::silence;
use crate::tracks::{self, Marked, Part};

impl Sealing {
    /// What is said of two tracks of a tag: that which hides less.
    fn and(self, other: Self) -> Self {
        let hides_less = |sealing| match sealing {
            Self::Exempt => 0,
            Self::Encrypted { .. } => 1,
            Self::Literal => 2,
            Self::Clear => 3,
        };
        if hides_less(other) > hides_less(self) { other } else { self }
    }
}

impl TagEncryptor {
    /// Takes note of the sequence headers of a body's tracks.
    #[cold]
    pub(super) fn note_tracks(&mut self, kind: TagKind, body: &[u8]) {
        for Part { track, data, shape, .. } in tracks::parts(kind, body).into_iter().flatten().flatten() {
            self.framings.observe(track, &shape);
            if let Shape::SoundConfig { payload } = shape {
                self.silences.set(track, silence::frame(&data[payload..]));
            }
        }
    }

    /// [`encrypt`](Self::encrypt) of a body of tracks.
    #[cold]
    pub(super) fn encrypt_tracks(&mut self, tag: Tag) -> Result<Tag, CryptoError> {
        let (kind, at) = (tag.kind, tag.timestamp);
        let Some(way) = self.way(kind, at, tag.body())? else { return Ok(tag) };
        let mut out = BytesMut::with_capacity(tag.body().len() + 2 * (ROOM.front + ROOM.back));
        self.append_tracks(kind, at, tag.body(), way, &mut out)?;
        tag.with_body(out.freeze()).map_err(|err| too_long(at, err))
    }

    /// [`encrypt_in_place`](Self::encrypt_in_place) of a body of tracks.
    #[cold]
    pub(super) fn tracks_in_place(&mut self, tag: &mut TagBuf) -> Result<Sealing, CryptoError> {
        let (kind, at) = (tag.kind, tag.timestamp);
        let Some(way) = self.way(kind, at, tag.body())? else { return Ok(Sealing::Clear) };
        // Parts grow in the middle of the body: to write them anew takes one copy more, where
        // each would otherwise move all that lie on one side of it.
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let sealed = self.append_tracks(kind, at, tag.body(), way, &mut scratch).and_then(|sealing| {
            tracks::put(tag, &scratch).map_err(|err| too_long(at, err))?;
            Ok(sealing)
        });
        self.scratch = scratch;
        sealed
    }

    /// The part of [`encrypt_into`](Self::encrypt_into) that appends a body of tracks.
    #[cold]
    pub(super) fn tracks_into(&mut self, tag: &Tag, out: &mut BytesMut) -> Result<Sealing, CryptoError> {
        let (kind, at) = (tag.kind, tag.timestamp);
        match self.way(kind, at, tag.body())? {
            Some(way) => self.append_tracks(kind, at, tag.body(), way, out),
            None => {
                out.extend_from_slice(tag.body());
                Ok(Sealing::Clear)
            }
        }
    }

    /// Whether the parts are to be written anew; `None` for a body that goes out as it is.
    fn way(&self, kind: TagKind, at: FlvMillis, body: &[u8]) -> Result<Option<Anew>, CryptoError> {
        let (marked, torn) = tracks::survey(kind, body, &self.framings);
        match (self.encryption, torn) {
            (Encryption::On, None) => Ok(Some(Anew)),
            (Encryption::On, Some(err)) if self.unknown == UnknownBody::Refuse => {
                Err(CryptoError::NoRule { kind, at, what: NoRule::Body(err) })
            }
            // Where the parts end is not known, so no mark would surely come off again.
            (_, Some(_)) if marked == Marked::Yes => Err(CryptoError::Ambiguous { kind, at }),
            (Encryption::Off, None) if marked == Marked::Yes => Ok(Some(Anew)),
            _ => Ok(None),
        }
    }

    /// Appends a body of whole parts to `out`, each as is to be done with it.
    fn append_tracks(
        &mut self,
        kind: TagKind,
        at: FlvMillis,
        body: &[u8],
        _: Anew,
        out: &mut BytesMut,
    ) -> Result<Sealing, CryptoError> {
        let start = out.len();
        let mut whole = Sealing::Exempt;
        let Some(parts) = tracks::parts(kind, body) else { return Ok(whole) };
        out.extend_from_slice(parts.header());
        for part in parts.flatten() {
            out.extend_from_slice(part.lead);
            let data_at = out.len();
            let sealing = self.append_part(kind, at, &part, out)?;
            let len = out.len() - start;
            if len > MAX_BODY {
                return Err(CryptoError::TooLong { kind, at, len });
            }
            part.set_len(out, data_at);
            whole = whole.and(sealing);
        }
        Ok(whole)
    }

    fn append_part(
        &mut self,
        kind: TagKind,
        at: FlvMillis,
        part: &Part<'_>,
        out: &mut BytesMut,
    ) -> Result<Sealing, CryptoError> {
        let placed = |err: CryptoError| match err {
            CryptoError::NoRule { kind, at, what: NoRule::Body(err) } => {
                CryptoError::NoRule { kind, at, what: NoRule::Body(part.placed(err)) }
            }
            err => err,
        };
        match self.plan(kind, at, part.track, part.data, &part.shape).map_err(placed)? {
            Plan::Exempt | Plan::Clear => {
                out.extend_from_slice(part.data);
                Ok(Sealing::Clear)
            }
            Plan::Literal(data) => {
                out.extend_from_slice(&data);
                Ok(Sealing::Literal)
            }
            Plan::Encrypt(coded, header) => {
                let key = self.runs.key(coded.track());
                coded
                    .append(part.data, &header, key, out)
                    .map_err(|why| placed(self.refused(kind, at, why)))?;
                Ok(Sealing::Encrypted { key: self.id })
            }
        }
    }
}

/// The parts are to be written anew: they are whole, and at least one is changed.
struct Anew;
