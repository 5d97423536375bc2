//! From a master key and a salt to a track's keystream.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipherCoreWrapper};
use ctr::{Ctr64BE, CtrCore};
use hkdf::Hkdf;
use media::Track;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::key::{KeyId, MasterKey};
use crate::salt::Salt;

/// Starts the HKDF info string; a new derivation would need a new one.
const INFO: &[u8; 5] = b"flvc1";

/// Keystream of one encrypted piece; the block counter is its last 32 bits,
/// and a tag is far too small to carry out of them.
pub(crate) type Keystream<'k> = Ctr64BE<&'k Aes128>;

/// The key of one track under one salt. The round keys are wiped on drop.
pub(crate) struct TrackKey {
    cipher: Aes128,
    check: [u8; 2],
}

impl TrackKey {
    pub(crate) fn derive(master: &MasterKey, id: KeyId, salt: Salt, track: Track) -> Self {
        Self::from_key(&derived(master, id, salt, track))
    }

    fn from_key(key: &[u8; 16]) -> Self {
        let cipher = Aes128::new(key.into());
        let mut block = [0xff; 16].into();
        cipher.encrypt_block(&mut block);
        Self { cipher, check: [block[0], block[1]] }
    }

    /// What a header says of its key, so that a wrong one is noticed.
    pub(crate) fn check(&self) -> [u8; 2] {
        self.check
    }

    /// The keystream of the `piece`-th encrypted NALU of tag `seq`.
    pub(crate) fn keystream(&self, seq: u32, piece: u16) -> Keystream<'_> {
        let block = counter_block(seq, piece);
        StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(&self.cipher, &block.into()))
    }
}

/// `info = "flvc1" ‖ key id ‖ FLV tag type`, so that neither two ids nor two
/// tracks share a key.
pub(crate) fn derived(master: &MasterKey, id: KeyId, salt: Salt, track: Track) -> Zeroizing<[u8; 16]> {
    let tag_type = match track {
        Track::Audio => 8,
        Track::Video => 9,
    };
    let mut key = Zeroizing::new([0; 16]);
    Hkdf::<Sha256>::new(Some(&salt.0), master.bytes())
        .expand_multi_info(&[INFO, &[id.0, tag_type]], key.as_mut())
        .expect("16 bytes are less than HKDF-SHA256's limit of 8160");
    key
}

/// `0^16 ‖ seq32 ‖ piece16 ‖ 0^32 ‖ ctr32`, the last starting at 0.
pub(crate) fn counter_block(seq: u32, piece: u16) -> [u8; 16] {
    let mut block = [0; 16];
    block[2..6].copy_from_slice(&seq.to_be_bytes());
    block[6..8].copy_from_slice(&piece.to_be_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::fixed::VECTOR;
    use aes::cipher::StreamCipher;

    fn master() -> MasterKey {
        "000102030405060708090a0b0c0d0e0f".parse().unwrap()
    }
    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
    fn first_block(key: &TrackKey, seq: u32, piece: u16) -> String {
        let mut block = [0; 16];
        key.keystream(seq, piece).apply_keystream(&mut block);
        hex(&block)
    }

    #[test]
    fn keys_checks_and_keystreams_of_the_format_page() {
        let key = |track| derived(&master(), KeyId(1), VECTOR, track);
        assert_eq!(hex(&*key(Track::Video)), "fe601f513c2ae541626e4498498e7765");
        assert_eq!(hex(&*key(Track::Audio)), "494ff3c362e6960b5a939c9912f5a254");
        let (video, audio) = (TrackKey::from_key(&key(Track::Video)), TrackKey::from_key(&key(Track::Audio)));
        assert_eq!(hex(&video.check()), "90cf");
        assert_eq!(hex(&audio.check()), "2685");
        assert_eq!(first_block(&video, 5, 0), "eb02e66c3baef3364cadeedc9f82490f");
        assert_eq!(first_block(&video, 5, 1), "20b911299fd9d75d485d9034f2431c5d");
        assert_eq!(first_block(&audio, 5, 0), "30a0e016ffd7b9e7564823f6a40fe6f2");
        assert_eq!(first_block(&video, u32::MAX, 0), "fb56c26478ce1e4ced290e48296823dd");
    }

    #[test]
    fn id_salt_and_track_each_make_another_key() {
        let mut keys = std::collections::BTreeSet::new();
        for id in [KeyId(1), KeyId(2)] {
            for salt in [VECTOR, Salt([0; 8])] {
                for track in [Track::Audio, Track::Video] {
                    keys.insert(*derived(&master(), id, salt, track));
                }
            }
        }
        assert_eq!(keys.len(), 8);
    }

    #[test]
    fn the_check_block_is_no_counter() {
        assert_ne!(counter_block(u32::MAX, u16::MAX)[..2], [0xff, 0xff]);
    }

    #[test]
    fn the_counter_never_leaves_its_32_bits() {
        assert!((1u64 << 24) / 16 < u64::from(u32::MAX));
    }

    #[test]
    fn round_keys_wipe_themselves() {
        fn wipes_itself<T: zeroize::ZeroizeOnDrop>() {}
        wipes_itself::<Aes128>();
    }
}
