//! FLV-tag-aware encryption and its exact inverse.
//!
//! Every relay that carries the clear stream carries the encrypted one: headers,
//! sequence headers and NALU framing stay valid, only coded data is hidden
//! (AES-128-CTR). Each encrypted tag carries all that is needed to read it, so
//! tags may be dropped, reordered, cached and re-stamped on the way.
//!
//! ```
//! use bytes::Bytes;
//! use crypto::{KeyId, KeyRing, MasterKey, Mode, TagDecryptor, TagEncryptor, Verdict};
//! use flv::{FlvMillis, Tag, TagKind};
//!
//! let key: MasterKey = "000102030405060708090a0b0c0d0e0f".parse()?;
//! let sound = Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]);
//! let tag = Tag::new(TagKind::Audio, FlvMillis(40), sound)?;
//!
//! let mut encryptor = TagEncryptor::new(key.clone(), KeyId(1), Mode::Nalu)?;
//! let encrypted = encryptor.encrypt(tag.clone())?;
//! assert_eq!(encrypted.body().len(), tag.body().len() + 20);
//!
//! let mut decryptor = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key)]));
//! let (decrypted, verdict) = decryptor.decrypt(encrypted);
//! assert_eq!(verdict, Verdict::Encrypted { key: KeyId(1) });
//! assert_eq!(decrypted, tag);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which call
//! - [`TagEncryptor::encrypt_in_place`], [`TagDecryptor::decrypt_in_place`]: tags that nobody
//!   else holds yet, as an engine's own are. Nothing is copied or allocated.
//! - [`TagEncryptor::encrypt_into`], [`TagDecryptor::decrypt_into`]: shared tags on their way
//!   into a file or a socket, appended to a buffer.
//! - [`TagEncryptor::encrypt`], [`TagDecryptor::decrypt`]: shared tags that stay tags.
//! - [`Transcoder`]: a stream of bytes, cut anywhere.
//!
//! A [`KeyRing`] holds the current key and, before a rotation, the next one; a [`Gate`] keeps
//! from a decoder what could not be read.
//!
//! # The format, and what is particular here
//! Version 1 of the tag header; modes `nalu` ([`Mode::Nalu`]), `capsule` ([`Mode::Capsule`])
//! and literal (a clear tag that carries a marker of its own).
//! - Sound is wrapped whole in every mode, so its header says capsule (1) in a `nalu` stream, too.
//! - Sound is of version 2 where [`Sound::Silence`] asks for it: the ciphertext lies in what AAC
//!   decoders skip, and a silent frame stands behind it, so that relays which decode a frame learn
//!   rate and channels. The README says the rule, and the experiment behind it. Readers take both.
//! - What there is no silent frame for is refused, and never passed clear: [`NoSilence`].
//! - A reader takes the first slice of a body for the capsule, not its first unit: a way
//!   through MPEG-TS puts access unit delimiters and parameter sets in front. They fall away,
//!   since the capsule holds the whole body.
//! - Of nested markers the last before the first slice counts, which is the outermost.
//! - A picture without a slice gets its marker at its end.
//! - A body of several tracks (Enhanced RTMP's multitrack), or of one that is not the default:
//!   each track's part is a body of its own, under a number of its own, and its length is
//!   rewritten. The tracks may be taken apart and put together on the way.
//! - Refused by name, or passed clear where [`UnknownBody::PassClear`] says so: other codecs
//!   than AAC, AVC and HEVC, and track lengths that do not add up to the body.
//! - A tag that is refused has used its number up.
//!
//! # What it costs
//! 20 bytes an audio tag (0.94 kB/s at 48 kHz) and about 42 bytes a video tag
//! (1.25 kB/s at 30 fps): 0.7 % of a 2.5 Mbit/s rung. A scheme that adds nothing
//! would have no room for a nonce. [`Sound::Silence`] takes 26 to 30 bytes an audio
//! tag in stereo (about 1.3 kB/s at 48 kHz), and 24 to 28 in mono.
//!
//! # What it does not give
//! No integrity: bits can be flipped, tags replayed, reordered or replaced by
//! clear ones ([`AllowClear::No`] refuses those). Codec configuration, sizes,
//! timing and frame types are visible. It is not DRM: a viewer with the key can
//! pass it on.
#![forbid(unsafe_code)]

mod aac_mode;
mod aac_silence;
mod capsule_mode;
mod counter;
mod decryptor;
mod encryptor;
mod error;
mod escape;
mod gate;
mod inspect;
mod key;
mod key_header;
mod literal;
mod marker;
mod nalu_mode;
mod salt;
mod shape;
mod silence;
mod track_key;
mod tracks;
mod transcoder;
mod unit;
#[cfg(test)]
mod vectors;
mod whole_tag;

pub use decryptor::{Damage, TagDecryptor, Verdict};
pub use encryptor::{Encryption, ROOM, Sealing, TagEncryptor, UnknownBody};
pub use error::{CryptoError, NoRule};
pub use gate::{AllowClear, Gate};
pub use inspect::{Inspector, Marking, inspect};
pub use key::{KeyError, KeyId, KeyRing, MasterKey};
pub use key_header::Mode;
pub use salt::{Salt, SaltError};
pub use silence::{NoSilence, Sound};
pub use transcoder::{Counts, TranscodeError, Transcoder};
