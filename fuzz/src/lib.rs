//! What the fuzz targets share: streams cut into pieces, a heap that remembers its peak,
//! and the keys.

pub mod heap;
pub mod ops;

use bytes::Bytes;
use crypto::{KeyId, KeyRing, MasterKey};

/// The key of this id; seeds are encrypted under 1.
pub fn key(id: u8) -> MasterKey {
    MasterKey::from_bytes([id; 16])
}

/// Keys 1 and 2.
pub fn ring() -> KeyRing {
    [1, 2].map(|id| (KeyId(id), key(id))).into_iter().collect()
}

/// Cuts `data` up: 0 not at all, 1 into single bytes, else at random into pieces of at
/// most 16 times `how` bytes. Every piece is memory of its own.
pub fn pieces(data: &[u8], how: u8) -> impl Iterator<Item = Bytes> + '_ {
    let mut rest = data;
    let mut noise = 0x9e37_79b9_u32 ^ u32::from(how);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let len = match how {
            0 => rest.len(),
            1 => 1,
            _ => 1 + noise as usize % (16 * usize::from(how)),
        };
        let (piece, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        Some(Bytes::copy_from_slice(piece))
    })
}
