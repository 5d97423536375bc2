//! Segments sealed with AES-128 in CBC, each as a whole (RFC 8216, section 4.3.2.4).

use aes::Aes128;
use bytes::{Bytes, BytesMut};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};

/// What is in a sealed segment; `None` if it was sealed with another key, or is cut.
pub(super) fn unsealed(sealed: Bytes, key: &[u8; 16], iv: &[u8; 16]) -> Option<Bytes> {
    let mut bytes = BytesMut::from(sealed);
    let opener = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    let len = opener.decrypt_padded::<Pkcs7>(&mut bytes).ok()?.len();
    bytes.truncate(len);
    Some(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_with_another_key_is_not_taken_for_film() {
        use cbc::cipher::BlockModeEncrypt;
        let (key, iv) = ([7; 16], 42u128.to_be_bytes());
        let film = b"one block and a bit more".as_slice();
        let sealed: Bytes =
            cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(film).into();
        assert_eq!(unsealed(sealed.clone(), &key, &iv).unwrap(), film);
        assert_ne!(unsealed(sealed.clone(), &[8; 16], &iv).as_deref(), Some(film));
        assert_eq!(unsealed(sealed.slice(..17), &key, &iv), None);
        assert_eq!(unsealed(Bytes::new(), &key, &iv), None);
    }
}
