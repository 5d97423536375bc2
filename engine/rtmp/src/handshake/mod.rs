//! The handshake before the first chunk (specification 1.0, section 5.2).
//!
//! Each side sends a version byte, 1536 bytes of its own and the other's 1536
//! bytes back. Flash-era peers sign their bytes with digests instead of sending
//! back what came, and announce that with a version in bytes 4 to 8 of theirs.
//! The server answers in kind: a client whose digest it finds gets digests, any
//! other gets its own bytes. The client sends digests if it is told to, and goes
//! on without where the server has none. Nothing is refused for its digest.

mod client;
mod digest;
mod server;

use bytes::{Bytes, BytesMut};

pub use client::{ClientHandshake, Opening};
pub use digest::DigestScheme;
pub use server::ServerHandshake;

/// The only version there is in clear.
pub const VERSION: u8 = 3;
/// The length of C1, C2, S1 and S2.
pub const BLOCK: usize = 1536;
/// How many of them are random in C1 and S1.
pub const RANDOM: usize = BLOCK - 8;

/// A first byte that is not RTMP in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte 0 asks for RTMP version {got}; legal is 3{}", suspicion(*got))]
pub struct HandshakeError {
    /// The version the peer asked for; 6 is encrypted RTMP.
    pub got: u8,
}

/// What begins with such a byte.
fn suspicion(byte: u8) -> &'static str {
    match byte {
        21 | 22 => " (this is TLS, as rtmps:// speaks it)",
        b'G' | b'P' | b'H' | b'O' => " (this is HTTP)",
        _ => "",
    }
}

/// Either half, as a session drives it.
pub(crate) trait Handshake {
    fn read(&mut self, input: &mut Bytes, clock: u32, out: &mut BytesMut) -> Result<(), HandshakeError>;
    fn is_done(&self) -> bool;
    fn received(&self) -> u64;
}

/// A block that comes in pieces.
#[derive(Debug)]
struct Filling {
    block: Box<[u8; BLOCK]>,
    filled: usize,
}

impl Filling {
    fn new() -> Self {
        Self { block: Box::new([0; BLOCK]), filled: 0 }
    }

    /// Takes what belongs to it; the block when it is full.
    fn take(&mut self, input: &mut Bytes) -> Option<&[u8; BLOCK]> {
        let taken = input.len().min(BLOCK - self.filled);
        self.block[self.filled..][..taken].copy_from_slice(&input.split_to(taken));
        self.filled += taken;
        (self.filled == BLOCK).then_some(&self.block)
    }
}

/// A block of our own: time, version, and random bytes.
fn own_block(clock: u32, version: [u8; 4], random: &[u8; RANDOM]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..4].copy_from_slice(&clock.to_be_bytes());
    block[4..8].copy_from_slice(&version);
    block[8..].copy_from_slice(random);
    block
}
