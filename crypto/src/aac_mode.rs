//! AAC, in every mode: a data_stream_element in front, the whole block encrypted.

use aes::cipher::StreamCipher;
use bytes::{Bytes, BytesMut};
use flv::{BodyTooLong, TagBuf};

use crate::key_header::KeyHeader;
use crate::marker::{DSE_LEAD, DSE_LEN};
use crate::nalu_mode::append_ciphered;
use crate::track_key::TrackKey;

/// Appends the body to `out`, with the raw data block at `payload` encrypted.
pub(crate) fn encrypt(body: &[u8], payload: usize, header: &KeyHeader, key: &TrackKey, out: &mut BytesMut) {
    out.extend_from_slice(&body[..payload]);
    out.extend_from_slice(&element(header));
    append_ciphered(out, &body[payload..], &mut key.keystream(header.seq, 0));
}

/// Encrypts the raw data block at `payload` where it lies: with room in front, only the
/// codec header moves.
pub(crate) fn encrypt_in_place(
    tag: &mut TagBuf,
    payload: usize,
    header: &KeyHeader,
    key: &TrackKey,
) -> Result<(), BodyTooLong> {
    key.keystream(header.seq, 0).apply_keystream(&mut tag.body_mut()[payload..]);
    tag.insert(payload, &element(header))
}

/// Marks a block as clear without touching it.
pub(crate) fn mark_literal(body: &[u8], payload: usize) -> Bytes {
    [&body[..payload], &element(&KeyHeader::LITERAL), &body[payload..]].concat().into()
}

fn element(header: &KeyHeader) -> [u8; DSE_LEN] {
    let mut element = [0; DSE_LEN];
    element[..DSE_LEAD.len()].copy_from_slice(&DSE_LEAD);
    element[DSE_LEAD.len()..].copy_from_slice(&header.bytes());
    element
}

/// Appends the body to `out`, without the element at `payload`, and with the block behind
/// it decrypted.
pub(crate) fn decrypt(body: &[u8], payload: usize, seq: u32, key: &TrackKey, out: &mut BytesMut) {
    out.extend_from_slice(&body[..payload]);
    append_ciphered(out, &body[payload + DSE_LEN..], &mut key.keystream(seq, 0));
}

/// Decrypts the block behind the element at `payload` where it lies: only the codec header
/// moves.
pub(crate) fn decrypt_in_place(tag: &mut TagBuf, payload: usize, seq: u32, key: &TrackKey) {
    let block = payload + DSE_LEN;
    key.keystream(seq, 0).apply_keystream(&mut tag.body_mut()[block..]);
    tag.remove(payload..block);
}
