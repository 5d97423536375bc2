//! Bodies of several tracks: each part is read as a body of its own.

use bytes::BytesMut;
use flv::{Tag, TagBuf, TagKind};

use super::{Damage, NEVER_LONGER, TagDecryptor, Verdict};
use crate::marker;
use crate::tracks::{self, Part};
use crate::whole_tag;

impl Verdict {
    /// What is said of two tracks of a tag: the worse, and of equals the first.
    fn and(self, other: Self) -> Self {
        let badness = |verdict| match verdict {
            Self::Exempt => 0,
            Self::Encrypted { .. } => 1,
            Self::Literal => 2,
            Self::Clear => 3,
            Self::UnknownKey { .. } | Self::WrongKey { .. } | Self::Unsupported { .. } => 4,
            Self::Damaged { .. } => 5,
        };
        if badness(other) > badness(self) { other } else { self }
    }
}

impl TagDecryptor {
    /// [`decrypt`](Self::decrypt) of a body of tracks.
    #[cold]
    pub(super) fn decrypt_tracks(&mut self, tag: Tag) -> (Tag, Verdict) {
        let mut out = BytesMut::with_capacity(tag.body().len());
        let verdict = self.append_tracks(tag.kind, tag.body(), &mut out);
        if out.is_empty() {
            return (tag, verdict);
        }
        (tag.with_body(out.freeze()).expect(NEVER_LONGER), verdict)
    }

    /// [`decrypt_in_place`](Self::decrypt_in_place) of a body of tracks.
    #[cold]
    pub(super) fn tracks_in_place(&mut self, tag: &mut TagBuf) -> Verdict {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let verdict = self.append_tracks(tag.kind, tag.body(), &mut scratch);
        if !scratch.is_empty() {
            tracks::put(tag, &scratch).expect(NEVER_LONGER);
        }
        self.scratch = scratch;
        verdict
    }

    /// [`decrypt_into`](Self::decrypt_into) of a body of tracks.
    #[cold]
    pub(super) fn tracks_into(&mut self, tag: &Tag, out: &mut BytesMut) -> Verdict {
        let start = whole_tag::begin(tag, 0, out);
        let body = out.len();
        let verdict = self.append_tracks(tag.kind, tag.body(), out);
        if out.len() == body {
            out.extend_from_slice(tag.body());
        }
        whole_tag::end(tag, start, out).expect(NEVER_LONGER);
        verdict
    }

    /// Appends the body to `out` with all its tracks in the clear; nothing if it stays as it came.
    fn append_tracks(&mut self, kind: TagKind, body: &[u8], out: &mut BytesMut) -> Verdict {
        let start = out.len();
        let (mut verdict, mut whole) = (Verdict::Exempt, true);
        let Some(parts) = tracks::parts(kind, body) else { return verdict };
        out.extend_from_slice(parts.header());
        for part in parts {
            match part {
                Ok(part) => verdict = verdict.and(self.append_part(kind, &part, out)),
                Err(tear) => {
                    whole = false;
                    let marked = tear.rest.is_some_and(|rest| {
                        marker::find(rest.data, &rest.shape, self.framings.of(rest.track)).is_some()
                    });
                    // Where the parts before are encrypted or marked, so was what is torn.
                    let was_clear = !marked && matches!(verdict, Verdict::Exempt | Verdict::Clear);
                    let torn = Verdict::Damaged { why: Damage::Framing };
                    verdict = if was_clear { Verdict::Clear } else { verdict.and(torn) };
                }
            }
        }
        // All or nothing; and where nothing was taken out, nothing has changed.
        if !whole || !verdict.is_readable() || out.len() - start == body.len() {
            out.truncate(start);
        }
        verdict
    }

    fn append_part(&mut self, kind: TagKind, part: &Part<'_>, out: &mut BytesMut) -> Verdict {
        out.extend_from_slice(part.lead);
        let data_at = out.len();
        let verdict = match self.look_at(kind, part.track, part.data, &part.shape) {
            Ok(opening) => {
                opening.append(part.data, out);
                opening.verdict()
            }
            Err(verdict) => {
                out.extend_from_slice(part.data);
                verdict
            }
        };
        part.set_len(out, data_at);
        verdict
    }
}
