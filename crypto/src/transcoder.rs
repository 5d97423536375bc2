//! Whole FLV streams, encrypted or decrypted: bytes in, bytes out.

use std::collections::BTreeMap;
use std::fmt;

use bytes::{Bytes, BytesMut};
use flv::{Cut, Damage, Ending, FileHeader, Gap, Item, ReadError, Tag, TagReader, Tracks};

use crate::decryptor::{TagDecryptor, Verdict};
use crate::encryptor::{Sealing, TagEncryptor};
use crate::error::CryptoError;
use crate::gate::Gate;

/// A stream could not be worked on any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TranscodeError {
    /// It is not FLV from its first bytes on.
    #[error(transparent)]
    NotFlv(ReadError),
    /// A tag could not be encrypted.
    #[error("tag {tag}: {error}")]
    Tag {
        /// The tag's ordinal, from 0.
        tag: u64,
        /// Why not.
        error: CryptoError,
    },
}

/// What was done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes pushed.
    pub bytes_in: u64,
    /// Bytes made.
    pub bytes_out: u64,
    /// Tags read.
    pub tags: u64,
    /// Tags that came out encrypted (or marked as literal).
    pub encrypted: u64,
    /// Tags that came out decrypted.
    pub decrypted: u64,
    /// Script tags, sequence headers and the like, which are never encrypted.
    pub exempt: u64,
    /// Coded frames that were clear, and passed as they were or had a literal mark taken off.
    pub clear: u64,
    /// Tags for which there was no key, or a wrong one, by the id in them.
    pub locked: BTreeMap<u8, u64>,
    /// Tags whose encryption was damaged or of an unknown version.
    pub damaged: u64,
    /// Tags that the gate dropped, for whatever reason.
    pub dropped: u64,
    /// Places where the FLV framing was damaged.
    pub gaps: u64,
    /// Bytes skipped there.
    pub skipped: u64,
    /// Where the stream was cut off, if it ended within a tag.
    pub cut: Option<Cut>,
}

impl Counts {
    /// Whether every tag was read and came through.
    pub fn is_whole(&self) -> bool {
        self.dropped == 0
            && self.gaps == 0
            && self.cut.is_none()
            && self.locked.is_empty()
            && self.damaged == 0
    }
}

/// In one line, for people.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tags: {} headers", self.tags, self.exempt)?;
        let parts = [(self.encrypted, "encrypted"), (self.decrypted, "decrypted"), (self.clear, "clear")];
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        for (id, count) in &self.locked {
            write!(f, ", {count} locked under key {id}")?;
        }
        if self.damaged > 0 {
            write!(f, ", {} damaged", self.damaged)?;
        }
        if self.dropped > 0 {
            write!(f, "; {} dropped", self.dropped)?;
        }
        if self.gaps > 0 {
            write!(f, "; {} bytes skipped in {} places", self.skipped, self.gaps)?;
        }
        if let Some(cut) = &self.cut {
            write!(f, "; {cut}")?;
        }
        Ok(())
    }
}

enum Work {
    Encrypt(Box<TagEncryptor>),
    Decrypt(TagDecryptor, Gate),
}

/// Encrypts or decrypts an FLV stream. Push bytes, take bytes, and finish.
///
/// It does no I/O and holds at most one tag besides what was not taken yet.
/// Damage in the FLV framing is skipped up to the next tag, and counted.
///
/// ```
/// use bytes::Bytes;
/// use crypto::{Gate, KeyId, KeyRing, MasterKey, Mode, TagDecryptor, TagEncryptor, Transcoder};
/// # let mut file = bytes::BytesMut::new();
/// # flv::write_file_header(&mut file, flv::Tracks::Audio);
/// # flv::Tag::new(flv::TagKind::Audio, flv::FlvMillis(0), Bytes::from_static(&[0xaf, 1, 0x21]))?.write_into(&mut file);
/// # let file = file.freeze();
///
/// let key: MasterKey = "000102030405060708090a0b0c0d0e0f".parse()?;
/// let mut encrypt = Transcoder::encrypting(TagEncryptor::new(key.clone(), KeyId(1), Mode::Nalu)?);
/// encrypt.push(file.clone())?;
/// let (encrypted, counts) = encrypt.finish()?;
/// assert_eq!(counts.encrypted, 1);
///
/// let ring = KeyRing::from_iter([(KeyId(1), key)]);
/// let mut decrypt = Transcoder::decrypting(TagDecryptor::new(ring), Gate::default());
/// decrypt.push(encrypted)?;
/// let (decrypted, _) = decrypt.finish()?;
/// assert_eq!(decrypted, file);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Transcoder {
    reader: TagReader,
    work: Work,
    out: BytesMut,
    counts: Counts,
}

impl Transcoder {
    /// Encrypts; [`TagEncryptor`] keeps its state across the whole stream.
    pub fn encrypting(encryptor: TagEncryptor) -> Self {
        Self::new(Work::Encrypt(Box::new(encryptor)))
    }

    /// Decrypts, and drops what `gate` drops.
    pub fn decrypting(decryptor: TagDecryptor, gate: Gate) -> Self {
        Self::new(Work::Decrypt(decryptor, gate))
    }

    fn new(work: Work) -> Self {
        Self { reader: TagReader::new(), work, out: BytesMut::new(), counts: Counts::default() }
    }

    /// Hands in the next piece of the stream, of any size.
    ///
    /// # Errors
    /// See [`TranscodeError`]. What came out before can still be taken.
    pub fn push(&mut self, piece: Bytes) -> Result<(), TranscodeError> {
        self.counts.bytes_in += piece.len() as u64;
        self.reader.push(piece);
        loop {
            match self.reader.next() {
                Ok(Some(item)) => self.item(item)?,
                Ok(None) => return Ok(()),
                Err(err) if is_foreign(&err.damage) => return Err(TranscodeError::NotFlv(err)),
                Err(_) => self.reader.recover(),
            }
        }
    }

    /// Takes what has come out since the last call; empty if nothing has.
    pub fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    /// The decryptor, to give it a key in the middle of the stream; `None` of one that encrypts.
    pub fn decryptor_mut(&mut self) -> Option<&mut TagDecryptor> {
        match &mut self.work {
            Work::Encrypt(_) => None,
            Work::Decrypt(decryptor, _) => Some(decryptor),
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Says that no more bytes come: gives what is left to take, and the final counts.
    ///
    /// # Errors
    /// As [`push`](Self::push), of a last tag that lacks only its trailer.
    pub fn finish(mut self) -> Result<(Bytes, Counts), TranscodeError> {
        match std::mem::take(&mut self.reader).finish() {
            Ending::Whole => {}
            Ending::Lost(hole) => self.hole(hole),
            Ending::Cut(mut cut) => {
                if let Some(tag) = cut.whole.take() {
                    self.tag(tag)?;
                }
                self.counts.cut = Some(cut);
            }
        }
        Ok((self.out.freeze(), self.counts))
    }

    fn item(&mut self, item: Item) -> Result<(), TranscodeError> {
        match item {
            Item::Header(header) => {
                self.header(header);
                Ok(())
            }
            Item::Tag(tag) => self.tag(tag),
            Item::Resumed(hole) => {
                self.hole(hole);
                Ok(())
            }
        }
    }

    fn header(&mut self, header: FileHeader) {
        let bytes = header.to_bytes();
        self.counts.bytes_out += bytes.len() as u64;
        self.out.extend_from_slice(&bytes);
    }

    fn hole(&mut self, hole: Gap) {
        self.counts.gaps += 1;
        self.counts.skipped += hole.skipped;
    }

    fn tag(&mut self, tag: Tag) -> Result<(), TranscodeError> {
        if self.counts.bytes_out == 0 {
            // The header was skipped with the damage behind it.
            self.header(FileHeader { tracks: Tracks::Both });
        }
        let start = self.out.len();
        match &mut self.work {
            Work::Encrypt(encryptor) => {
                let ordinal = self.counts.tags;
                self.counts.tags += 1;
                let sealing = encryptor
                    .encrypt_into(&tag, &mut self.out)
                    .map_err(|error| TranscodeError::Tag { tag: ordinal, error })?;
                match sealing {
                    Sealing::Encrypted { .. } | Sealing::Literal => self.counts.encrypted += 1,
                    Sealing::Exempt => self.counts.exempt += 1,
                    Sealing::Clear => self.counts.clear += 1,
                }
            }
            Work::Decrypt(decryptor, gate) => {
                let verdict = decryptor.decrypt_into(&tag, &mut self.out);
                self.counts.note(verdict);
                if !gate.passes(tag.kind, tag.body(), verdict) {
                    self.out.truncate(start);
                    self.counts.dropped += 1;
                }
            }
        }
        self.counts.bytes_out += (self.out.len() - start) as u64;
        Ok(())
    }
}

/// Damage of a file that never was FLV; any other is skipped.
fn is_foreign(damage: &Damage) -> bool {
    matches!(damage, Damage::Signature { .. } | Damage::Version { .. } | Damage::HeaderLength { .. })
}

impl Counts {
    /// Counts what a [`TagDecryptor`] made of a tag, for those who decrypt tag by tag.
    /// Bytes, and what a [`Gate`] drops, they count themselves.
    pub fn note(&mut self, verdict: Verdict) {
        self.tags += 1;
        match verdict {
            Verdict::Exempt => self.exempt += 1,
            Verdict::Clear | Verdict::Literal => self.clear += 1,
            Verdict::Encrypted { .. } => self.decrypted += 1,
            Verdict::UnknownKey { id } | Verdict::WrongKey { id } => {
                *self.locked.entry(id.0).or_default() += 1
            }
            Verdict::Unsupported { .. } | Verdict::Damaged { .. } => self.damaged += 1,
        }
    }
}
