//! The digests that Flash-era peers sign their handshake with.
//!
//! The specification is silent on them; what follows is what librtmp, FFmpeg
//! and nginx-rtmp agree on. A block (C1 or S1) whose bytes 4 to 8 are not zero
//! may hold an HMAC-SHA256 of itself at an offset that four of its own bytes
//! give, in one of two halves. Who answers proves with the last 32 bytes of C2
//! or S2 that it has read that digest. The keys are known to all: this keeps
//! nobody out, it only lets old peers recognise each other.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::BLOCK;

/// The length of a digest.
const DIGEST: usize = 32;
/// How many places there are for it in a half.
const PLACES: usize = 728;

const CLIENT_NAME: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER_NAME: &[u8] = b"Genuine Adobe Flash Media Server 001";
const SUFFIX: [u8; 32] = [
    0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57, 0x6E,
    0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
];

/// Where in its block a digest lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestScheme {
    /// In the second half, behind the key.
    Zero,
    /// In the first half, before the key.
    One,
}

impl DigestScheme {
    /// Where the four bytes are that give the offset.
    fn base(self) -> usize {
        match self {
            Self::Zero => 772,
            Self::One => 8,
        }
    }

    fn place(self, block: &[u8; BLOCK]) -> usize {
        let base = self.base();
        let sum: usize = block[base..base + 4].iter().map(|&byte| usize::from(byte)).sum();
        base + 4 + sum % PLACES
    }
}

/// Whose digest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    Client,
    Server,
}

impl Signer {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Client => CLIENT_NAME,
            Self::Server => SERVER_NAME,
        }
    }
}

pub(super) type Digest = [u8; DIGEST];

fn hmac(key: &[&[u8]], parts: [&[u8]; 2]) -> Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.concat()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn of_block(block: &[u8; BLOCK], place: usize, signer: Signer) -> Digest {
    hmac(&[signer.name()], [&block[..place], &block[place + DIGEST..]])
}

/// Signs C1 or S1 in place; the four offset bytes stay as they are.
pub(super) fn sign(block: &mut [u8; BLOCK], scheme: DigestScheme, signer: Signer) -> Digest {
    let place = scheme.place(block);
    let digest = of_block(block, place, signer);
    block[place..place + DIGEST].copy_from_slice(&digest);
    digest
}

/// The digest of a signed C1 or S1, and where it was found.
pub(super) fn find(block: &[u8; BLOCK], signer: Signer) -> Option<(DigestScheme, Digest)> {
    [DigestScheme::Zero, DigestScheme::One].into_iter().find_map(|scheme| {
        let place = scheme.place(block);
        let digest = of_block(block, place, signer);
        (block[place..place + DIGEST] == digest).then_some((scheme, digest))
    })
}

/// Signs C2 or S2: its last bytes answer the other side's digest.
pub(super) fn sign_answer(block: &mut [u8; BLOCK], theirs: &Digest, signer: Signer) {
    let key = hmac(&[signer.name(), &SUFFIX], [theirs, &[]]);
    let (rest, place) = block.split_at_mut(BLOCK - DIGEST);
    place.copy_from_slice(&hmac(&[&key], [rest, &[]]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_signed_is_found(
            seed in prop::collection::vec(any::<u8>(), BLOCK),
            scheme in prop::sample::select(vec![DigestScheme::Zero, DigestScheme::One]),
            flip in 0..BLOCK,
        ) {
            let mut block: [u8; BLOCK] = seed.try_into().unwrap();
            prop_assert_eq!(find(&block, Signer::Client), None);
            let digest = sign(&mut block, scheme, Signer::Client);
            prop_assert_eq!(find(&block, Signer::Client), Some((scheme, digest)));
            prop_assert_eq!(find(&block, Signer::Server), None);
            block[flip] ^= 1;
            prop_assert_eq!(find(&block, Signer::Client), None);
        }
    }
}
