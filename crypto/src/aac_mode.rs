//! AAC, in every mode: a data_stream_element in front, the whole block encrypted.

use aes::cipher::StreamCipher;
use bytes::{Buf, Bytes, BytesMut};

use crate::key_header::KeyHeader;
use crate::marker::{DSE_LEAD, DSE_LEN};
use crate::nalu_mode::append_ciphered;
use crate::track_key::TrackKey;

/// Encrypts the raw data block at `payload`.
pub(crate) fn encrypt(body: &[u8], payload: usize, header: KeyHeader, key: &TrackKey) -> Bytes {
    let mut out = marked(body, payload, header);
    append_ciphered(&mut out, &body[payload..], &mut key.keystream(header.seq, 0));
    out.freeze()
}

/// Marks a block as clear without touching it.
pub(crate) fn mark_literal(body: &[u8], payload: usize) -> Bytes {
    let mut out = marked(body, payload, KeyHeader::LITERAL);
    out.extend_from_slice(&body[payload..]);
    out.freeze()
}

fn marked(body: &[u8], payload: usize, header: KeyHeader) -> BytesMut {
    let mut out = BytesMut::with_capacity(body.len() + DSE_LEN);
    out.extend_from_slice(&body[..payload]);
    out.extend_from_slice(&DSE_LEAD);
    out.extend_from_slice(&header.to_bytes());
    out
}

/// Decrypts the block behind the element at `payload`. In place where nobody
/// else holds the body: the codec header then moves up to the block.
pub(crate) fn decrypt(body: Bytes, payload: usize, seq: u32, key: &TrackKey) -> Bytes {
    let block = payload + DSE_LEN;
    let mut keystream = key.keystream(seq, 0);
    match body.try_into_mut() {
        Ok(mut owned) => {
            keystream.apply_keystream(&mut owned[block..]);
            owned.copy_within(..payload, DSE_LEN);
            owned.advance(DSE_LEN);
            owned.freeze()
        }
        Err(shared) => {
            let mut out = BytesMut::with_capacity(shared.len() - DSE_LEN);
            out.extend_from_slice(&shared[..payload]);
            append_ciphered(&mut out, &shared[block..], &mut keystream);
            out.freeze()
        }
    }
}
