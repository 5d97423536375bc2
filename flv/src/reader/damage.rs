//! What a reader gives out: items, damage with its place, and how a stream ends.

use std::fmt;

use crate::tag::{FileHeader, Tag};

/// The longest file header that is believed, in bytes.
pub(super) const MAX_FILE_HEADER: u32 = 1 << 16;

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

impl Damage {
    pub(super) fn is_in_file_header(&self) -> bool {
        matches!(
            self,
            Self::Signature { .. }
                | Self::Version { .. }
                | Self::HeaderLength { .. }
                | Self::Trailer { expected: 0, .. }
        )
    }
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
