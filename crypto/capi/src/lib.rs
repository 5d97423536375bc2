//! The C face of the decryptor, for players in C and C++.
//!
//! The functions here make up `include/obvan_crypto.h`; a player in Rust takes the
//! `crypto` crate itself. A handle is an opaque [`Decryptor`]: keys go in, then either
//! the bytes of an FLV stream in any pieces, or the bodies of tags one by one.
//!
//! At this border nothing is trusted but that pointers which are neither null nor
//! misaligned point to what the header says. Everything else (lengths, numbers, the
//! order of calls, the stream itself) is checked and answered with a [`Status`], and
//! a panic behind it ends as [`Status::Internal`].
//!
//! ```
//! use std::ptr;
//! use obvan_crypto::*;
//!
//! let mut decryptor = ptr::null_mut();
//! // SAFETY: every pointer is to a live value, and every length is that value's.
//! unsafe {
//!     assert_eq!(obvan_decryptor_new(0, &mut decryptor), Status::Ok);
//!     let key = [7; 16];
//!     assert_eq!(obvan_decryptor_add_key(decryptor, 1, key.as_ptr(), key.len()), Status::Ok);
//!
//!     // A clear tag comes back as it was.
//!     let mut body = [0xaf, 1, 0x21, 0x10];
//!     let mut len = body.len();
//!     let mut verdict = Verdict::default();
//!     let status =
//!         obvan_decryptor_decrypt_tag(decryptor, 8, body.as_mut_ptr(), &mut len, &mut verdict);
//!     assert_eq!((status, verdict.kind, len), (Status::Ok, VerdictKind::Clear, 4));
//!     obvan_decryptor_free(&mut decryptor);
//! }
//! assert!(decryptor.is_null());
//! ```
#![allow(unsafe_code, reason = "C calls in with pointers; each block says why it holds")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod border;
mod counts;
mod handle;
mod machine;
mod status;
mod stream;
mod tags;
mod verdict;

pub use counts::{Counts, LockedKey, obvan_decryptor_counts, obvan_decryptor_locked_keys};
pub use handle::{
    Decryptor, OBVAN_REFUSE_CLEAR, obvan_decryptor_add_key, obvan_decryptor_add_key_hex,
    obvan_decryptor_error_text, obvan_decryptor_free, obvan_decryptor_new, obvan_decryptor_remove_key,
};
pub use status::{OBVAN_ABI, Status, obvan_abi, obvan_status_text, obvan_version};
pub use stream::{
    OBVAN_PENDING_MAX, obvan_decryptor_feed, obvan_decryptor_finish, obvan_decryptor_pending,
    obvan_decryptor_take,
};
pub use tags::obvan_decryptor_decrypt_tag;
pub use verdict::{DamageKind, Verdict, VerdictKind, obvan_damage_text, obvan_verdict_text};
