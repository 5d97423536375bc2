//! The handshake before the first chunk (specification 1.0, section 5.2).
//!
//! Each side sends a version byte, 1536 bytes of its own and the other's 1536
//! bytes back. Only the simple scheme is spoken. Flash-era peers sign their
//! bytes with digests and announce that with a version in bytes 4 to 8 of
//! theirs; they fall back to the simple scheme when the server's bytes 4 to 8
//! are zero, as ours are. So nothing a client puts into its bytes is checked.

mod server;

pub use server::{HandshakeError, ServerHandshake};

/// The only version there is in clear.
pub const VERSION: u8 = 3;
/// The length of C1, C2, S1 and S2.
pub const BLOCK: usize = 1536;
/// How many of them are random in C1 and S1.
pub const RANDOM: usize = BLOCK - 8;
