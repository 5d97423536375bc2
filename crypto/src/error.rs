//! Why a tag could not be encrypted.

use flv::{BodyError, FlvMillis, TagKind};
use media::Track;

use crate::key_header::Mode;
use crate::salt::SaltError;
use crate::silence::NoSilence;

/// A tag was not encrypted. The tag is gone, and its counter too: nothing that
/// was once used for a tag is used for another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// No salt could be drawn.
    #[error(transparent)]
    Salt(#[from] SaltError),
    /// The format has no rule for such a body.
    #[error("the {kind} tag at {at} cannot be encrypted: {what}; encrypted are AAC, AVC and HEVC")]
    NoRule {
        /// The tag's kind.
        kind: TagKind,
        /// The tag's timestamp.
        at: FlvMillis,
        /// What is in it.
        what: NoRule,
    },
    /// The mode has no rule for such a body, though another mode has.
    #[error("the video tag at {at} cannot be encrypted in mode {mode}: {why}")]
    Unsupported {
        /// The mode asked for.
        mode: Mode,
        /// The tag's timestamp.
        at: FlvMillis,
        /// What the mode does not do.
        why: &'static str,
    },
    /// There is no silence to put sound behind, as [`Sound::Silence`](crate::Sound) asks for.
    #[error("the audio tag at {at} cannot be put behind silence: {why}")]
    NoSilence {
        /// The tag's timestamp.
        at: FlvMillis,
        /// What is missing, or not usual.
        why: NoSilence,
    },
    /// The encrypted body would not fit a tag.
    #[error("the {kind} tag at {at} would grow to {len} bytes: at most {}", flv::MAX_BODY)]
    TooLong {
        /// The tag's kind.
        kind: TagKind,
        /// The tag's timestamp.
        at: FlvMillis,
        /// The length it would have, in bytes.
        len: usize,
    },
    /// An encrypted NAL unit would not fit its length prefix.
    #[error(
        "a NAL unit of the tag at {at} would grow to {len} bytes: at most {max} behind its length prefix"
    )]
    UnitTooLong {
        /// The tag's timestamp.
        at: FlvMillis,
        /// The length it would have, in bytes.
        len: usize,
        /// What the stream's length prefix can say.
        max: usize,
    },
    /// More slices in one tag than there are counters.
    #[error("the tag at {at} has more than {} NAL units to encrypt", u16::MAX)]
    TooManyUnits {
        /// The tag's timestamp.
        at: FlvMillis,
    },
    /// All counters of a track's salt are used up.
    #[error("all counters of the {track:?} track's salt are used up")]
    Exhausted {
        /// Which track.
        track: Track,
    },
    /// A clear tag looks so much like an encrypted one that no marking would restore it.
    #[error("the {kind} tag at {at} carries a forged marker that cannot be told from a real one")]
    Ambiguous {
        /// The tag's kind.
        kind: TagKind,
        /// The tag's timestamp.
        at: FlvMillis,
    },
}

/// What the format has no rule for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRule {
    /// Pictures of another codec.
    #[error("there is no rule for {0} video")]
    Video(flv::video::VideoCodec),
    /// Sound of another codec.
    #[error("there is no rule for {0} audio")]
    Audio(flv::audio::AudioCodec),
    /// Sound behind an enhanced header.
    #[error("there is no rule for {0} audio with an enhanced header")]
    EnhancedAudio(flv::audio::AudioCodec),
    /// Pictures whose codec the tag does not name.
    #[error("there is no rule for video of a codec that is not named")]
    Unnamed,
    /// An end of sequence with something behind it, which players decode as a picture.
    #[error("there is no rule for {0} bytes in an end of sequence, which has none")]
    DataBehindEnd(usize),
    /// A body that cannot be read.
    #[error("{0}")]
    Body(#[from] BodyError),
}
