//! The counters of one track: which salt, which key, which sequence number.

use media::Track;

use crate::error::CryptoError;
use crate::key::{KeyId, MasterKey};
use crate::key_header::{KeyHeader, WireMode};
use crate::salt::SaltSource;
use crate::track_key::TrackKey;

/// After so many tags of a track a new salt is drawn.
pub(crate) const TAGS_PER_SALT: u32 = 1 << 20;

/// One track under one salt.
pub(crate) struct Run {
    key: TrackKey,
    header: KeyHeader,
    /// The number of the next tag; `None` when there is none.
    next: Option<u32>,
}

impl Run {
    /// Draws a salt and derives the track's key.
    pub(crate) fn start(
        master: &MasterKey,
        id: KeyId,
        track: Track,
        mode: WireMode,
        salts: &mut dyn SaltSource,
    ) -> Result<Self, CryptoError> {
        let salt = salts.draw()?;
        let key = TrackKey::derive(master, id, salt, track);
        let header = KeyHeader { mode, key: id, salt, check: key.check(), seq: 0 };
        Ok(Self { key, header, next: Some(0) })
    }

    /// Whether it is time for a new salt.
    pub(crate) fn is_over(&self) -> bool {
        self.next.is_none_or(|next| next >= TAGS_PER_SALT)
    }

    /// The header for one tag. Its number is used up before anything is
    /// encrypted with it, so that no failure can lead to its being used again.
    pub(crate) fn take(&mut self, track: Track) -> Result<KeyHeader, CryptoError> {
        let seq = self.next.ok_or(CryptoError::Exhausted { track })?;
        self.next = seq.checked_add(1);
        Ok(KeyHeader { seq, ..self.header })
    }

    /// The key that goes with the headers.
    pub(crate) fn key(&self) -> &TrackKey {
        &self.key
    }

    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, seq: u32) {
        self.next = Some(seq);
    }

    #[cfg(test)]
    pub(crate) fn next_number(&self) -> Option<u32> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::fixed::{Always, VECTOR};

    #[test]
    fn numbers_end_and_never_wrap() {
        let master = MasterKey::from_bytes([7; 16]);
        let mut run =
            Run::start(&master, KeyId(1), Track::Video, WireMode::Nalu, &mut Always(VECTOR)).unwrap();
        assert_eq!(run.take(Track::Video).unwrap().seq, 0);
        assert_eq!(run.take(Track::Video).unwrap().seq, 1);
        run.skip_to(TAGS_PER_SALT - 1);
        assert!(!run.is_over());
        run.take(Track::Video).unwrap();
        assert!(run.is_over());
        run.skip_to(u32::MAX);
        assert_eq!(run.take(Track::Video).unwrap().seq, u32::MAX);
        for _ in 0..2 {
            let err = run.take(Track::Video).err().unwrap();
            assert_eq!(err, CryptoError::Exhausted { track: Track::Video });
        }
    }
}
