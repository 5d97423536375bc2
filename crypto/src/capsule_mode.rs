//! Mode `capsule`: the whole body inside one made-up NALU. AVC only.
//!
//! On the wire, behind the codec header:
//! `len32 ‖ NAL header of the first slice ‖ ESC(pre ‖ magic ‖ KH ‖ ciphertext ‖ 80)`.

use std::ops::Range;

use aes::cipher::StreamCipher;
use bytes::{BufMut, BytesMut};
use flv::TagBuf;
use flv::nalu::{self, LengthSize};

use crate::escape::{self, BadEscape};
use crate::key_header::KeyHeader;
use crate::marker::Soundness;
use crate::nalu_mode::{Refusal, Torn, append_ciphered};
use crate::track_key::TrackKey;
use crate::unit::{self, UnitCodec};

/// Starts of slice headers that relays find plausible; ffmpeg does not relay without.
const PRE_IDR: [u8; 4] = [0x88, 0x84, 0x10, 0x21];
const PRE_OTHER: [u8; 4] = [0x9a, 0x21, 0x10, 0x43];
const MAGIC: [u8; 8] = [0x9a, 0xd1, 0xc4, 0xf5, 0x7e, 0x21, 0xb8, 0x63];
const STOP: u8 = 0x80;
/// The one NALU's length prefix; streams with shorter ones are refused.
const SIZE: LengthSize = LengthSize::Four;

/// NAL header, then `pre`: where the magic begins in the NALU.
const MAGIC_AT: usize = 1 + PRE_IDR.len();
/// Where `KH` begins. Nothing before is ever escaped.
const HEADER_AT: usize = MAGIC_AT + MAGIC.len();
/// Where the ciphertext begins, escapes taken out.
const CIPHER_AT: usize = HEADER_AT + KeyHeader::LEN;

/// A body that was looked through and can be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    payload: usize,
    /// Of the first slice.
    nal_header: u8,
}

/// Looks a body of length-prefixed AVC units through.
pub(crate) fn plan(body: &[u8], payload: usize, codec: UnitCodec, size: LengthSize) -> Result<Plan, Refusal> {
    if codec != UnitCodec::Avc {
        return Err(Refusal::Unsupported("HEVC has no capsule in version 1"));
    }
    if size != SIZE {
        return Err(Refusal::Unsupported("the stream's NAL unit lengths are not 4 bytes"));
    }
    Ok(Plan { payload, nal_header: first_slice(body, payload, codec)? })
}

/// What stands before the ciphertext, the length prefix still empty.
const LEAD: usize = SIZE.bytes() + CIPHER_AT;

impl Plan {
    fn lead(self, header: &KeyHeader) -> [u8; LEAD] {
        let pre = if self.nal_header & 0x1f == 5 { PRE_IDR } else { PRE_OTHER };
        let mut lead = [0; LEAD];
        let parts = [&[0; SIZE.bytes()][..], &[self.nal_header], &pre, &MAGIC, &header.bytes()];
        lead.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        lead
    }

    /// Appends the encrypted body to `out`.
    pub(crate) fn encrypt(self, body: &[u8], header: &KeyHeader, key: &TrackKey, out: &mut BytesMut) {
        out.extend_from_slice(&body[..self.payload]);
        let start = out.len();
        out.extend_from_slice(&self.lead(header));
        append_ciphered(out, &body[self.payload..], &mut key.keystream(header.seq, 0));
        out.put_u8(STOP);
        let unit = start + SIZE.bytes();
        escape::escape(out, unit, 1);
        let len = out.len() - unit;
        unit::set_length(out, start, SIZE, len);
    }

    /// How long the encrypted body becomes if nothing is to be escaped.
    pub(crate) fn encrypted_len(self, body: &[u8]) -> usize {
        body.len() + LEAD + 1
    }

    /// Encrypts the body where it lies: with room in front, only the codec header moves.
    pub(crate) fn encrypt_in_place(
        self,
        tag: &mut TagBuf,
        header: &KeyHeader,
        key: &TrackKey,
    ) -> Result<(), Refusal> {
        key.keystream(header.seq, 0).apply_keystream(&mut tag.body_mut()[self.payload..]);
        tag.insert(tag.body().len(), &[STOP])?;
        tag.insert(self.payload, &self.lead(header))?;
        let unit = self.payload + SIZE.bytes();
        let (end, mut run) = (tag.body().len(), unit + escape::run_start(1));
        let end = escape::escape_in_place(tag, unit + 1..end, &mut run)?;
        unit::set_length(tag.body_mut(), self.payload, SIZE, end - unit);
        Ok(())
    }
}

/// The NAL header of the first slice; looks at all lengths.
fn first_slice(body: &[u8], payload: usize, codec: UnitCodec) -> Result<u8, Refusal> {
    let mut first = None;
    for range in nalu::units(body, payload, SIZE) {
        let unit = &body[range.map_err(Refusal::Framing)?];
        if first.is_none() && codec.is_slice(unit) {
            first = unit.first().copied();
        }
    }
    first.ok_or(Refusal::Unsupported("the tag has no slice whose NAL header the capsule could take"))
}

/// A capsule in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capsule {
    /// Its NALU, without the length prefix.
    pub unit: Range<usize>,
    /// The header, escapes taken out; `None` if it is cut.
    pub header: Option<[u8; KeyHeader::LEN]>,
    pub framing: Soundness,
}

/// Looks for a capsule: the first slice of the body, with our magic in it.
///
/// We write no other unit into the body, but a way through MPEG-TS puts access
/// unit delimiters and parameter sets in front.
pub(crate) fn find(body: &[u8], payload: usize) -> Option<Capsule> {
    let mut at = payload;
    loop {
        let (prefix, rest) = body.get(at..)?.split_first_chunk::<4>()?;
        let start = at + SIZE.bytes();
        let len = u32::from_be_bytes(*prefix) as usize;
        let unit = &rest[..len.min(rest.len())];
        if UnitCodec::Avc.is_slice(unit) {
            if unit.get(MAGIC_AT..HEADER_AT)? != MAGIC {
                return None;
            }
            let whole = nalu::units(body, at, SIZE).all(|unit| unit.is_ok());
            let framing = if whole { Soundness::Whole } else { Soundness::Broken };
            return Some(Capsule { unit: start..start + unit.len(), header: read_header(unit), framing });
        }
        at = start.checked_add(len)?;
    }
}

fn read_header(unit: &[u8]) -> Option<[u8; KeyHeader::LEN]> {
    let mut header = [0; KeyHeader::LEN];
    let mut wire = unit[HEADER_AT..].iter().copied();
    let mut zeros = 0;
    for byte in &mut header {
        *byte = wire.next()?;
        if zeros >= 2 && *byte == 3 {
            *byte = wire.next()?;
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    Some(header)
}

/// A capsule that was looked through and can be decrypted. What a relay put around it
/// falls away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    payload: usize,
    unit: Range<usize>,
    /// Where the ciphertext begins in the body.
    cipher: usize,
    /// How many bytes were inserted from there on.
    escapes: usize,
}

/// Looks through the capsule whose NALU is at `unit`.
pub(crate) fn sealed(body: &[u8], payload: usize, unit: Range<usize>) -> Result<Sealed, Torn> {
    let wire = &body[unit.clone()];
    let torn = |BadEscape| Torn::Escape;
    // The ciphertext begins later by the escapes before it.
    let (mut at, mut run, mut total) = (CIPHER_AT, escape::run_start(1), 0);
    while let Some(escape) = escape::next_escape(wire, run).map_err(torn)? {
        at += usize::from(escape < at);
        run = escape + 1;
        total += 1;
    }
    // The stop byte is above 3, so no escape stands right before it.
    if wire.len() <= at || wire.last() != Some(&STOP) {
        return Err(Torn::Framing);
    }
    let escapes = total - (at - CIPHER_AT);
    Ok(Sealed { payload, cipher: unit.start + at, unit, escapes })
}

impl Sealed {
    /// Appends the clear body to `out`.
    pub(crate) fn decrypt(&self, body: &[u8], seq: u32, key: &TrackKey, out: &mut BytesMut) {
        out.extend_from_slice(&body[..self.payload]);
        let clear = out.len();
        escape::append_unescaped(out, &body[..self.unit.end - 1], self.cipher);
        key.keystream(seq, 0).apply_keystream(&mut out[clear..]);
    }

    /// How long the clear body is.
    pub(crate) fn clear_len(&self) -> usize {
        self.payload + self.unit.end - 1 - self.cipher - self.escapes
    }

    /// Decrypts the body where it lies: the codec header moves up to what the capsule holds,
    /// and only where something was escaped, what comes behind that.
    pub(crate) fn decrypt_in_place(&self, tag: &mut TagBuf, seq: u32, key: &TrackKey) {
        let body = tag.body_mut();
        let (mut read, mut end) = (self.cipher, self.unit.end - 1);
        if self.escapes > 0 {
            let mut write = self.cipher;
            escape::close_up(body, &mut read, end, &mut write, escape::run_start(self.cipher));
            end = write;
        }
        key.keystream(seq, 0).apply_keystream(&mut body[self.cipher..end]);
        tag.truncate(end);
        tag.remove(self.payload..self.cipher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::slow;
    use crate::key::{KeyId, MasterKey};
    use crate::key_header::WireMode;
    use crate::salt::Salt;
    use flv::{FlvMillis, Room, TagKind};
    use media::Track;
    use proptest::prelude::*;

    fn key(salt: Salt) -> TrackKey {
        TrackKey::derive(&MasterKey::from_bytes([3; 16]), KeyId(0), salt, Track::Video)
    }

    fn owned(body: &[u8], front: usize) -> TagBuf {
        let room = Room { front, back: 0 };
        let mut buf = room.buffer(body.len());
        buf.extend_from_slice(body);
        TagBuf::new(TagKind::Video, FlvMillis(0), buf, room).unwrap()
    }

    /// Copied and in place, which come to the same.
    fn decrypted(
        wire: &[u8],
        unit: Range<usize>,
        seq: u32,
        key: &TrackKey,
    ) -> Result<Result<Vec<u8>, Torn>, TestCaseError> {
        let sealed = match sealed(wire, 5, unit) {
            Ok(sealed) => sealed,
            Err(torn) => return Ok(Err(torn)),
        };
        let (mut out, mut tag) = (BytesMut::new(), owned(wire, 0));
        sealed.decrypt(wire, seq, key, &mut out);
        sealed.decrypt_in_place(&mut tag, seq, key);
        prop_assert_eq!(tag.body(), &out[..]);
        prop_assert_eq!(sealed.clear_len(), out.len());
        Ok(Ok(out.to_vec()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        /// Headers and ciphertexts full of zeros, against the page read out slowly.
        #[test]
        fn fast_and_slow_agree_and_both_ways_back(
            heavy in prop::collection::vec(prop_oneof![5 => Just(0u8), 3 => 0u8..5, 1 => any::<u8>()], 0..200),
            salt in prop::collection::vec(0u8..4, 8), seq in prop_oneof![0u32..5, any::<u32>()], idr in any::<bool>(), room in 0usize..70,
        ) {
            let salt = Salt(salt.try_into().unwrap());
            let key = key(salt);
            let header = KeyHeader { mode: WireMode::Capsule, key: KeyId(0), salt, check: key.check(), seq };
            // One slice whose contents have the keystream in them already.
            let slice = if idr { 0x65 } else { 0x41 };
            let head = [0x17, 1, 0, 0, 0];
            let mut body = [&head[..], &(heavy.len() as u32 + 1).to_be_bytes(), &[slice]].concat();
            let mut inner = vec![0; 5];
            inner.extend_from_slice(&heavy);
            key.keystream(seq, 0).apply_keystream(&mut inner);
            body.extend_from_slice(&inner[5..]);

            let plan = plan(&body, 5, UnitCodec::Avc, LengthSize::Four).unwrap();
            let mut wire = BytesMut::new();
            plan.encrypt(&body, &header, &key, &mut wire);

            let mut cipher = body[5..].to_vec();
            key.keystream(seq, 0).apply_keystream(&mut cipher);
            let pre = if idr { PRE_IDR } else { PRE_OTHER };
            let plain = [&pre[..], &MAGIC, &header.bytes(), &cipher, &[0x80]].concat();
            let escaped = slow::escape(&[slice], &plain);
            let want = [&head[..], &(escaped.len() as u32 + 1).to_be_bytes(), &[slice], &escaped].concat();
            prop_assert_eq!(&wire[..], want);
            let mut tag = owned(&body, room);
            plan.encrypt_in_place(&mut tag, &header, &key).unwrap();
            prop_assert_eq!(tag.body(), &wire[..]);

            let found = find(&wire, 5).unwrap();
            prop_assert_eq!(&found.header, &Some(header.bytes()));
            prop_assert_eq!((&found.unit, found.framing), (&(9..wire.len()), Soundness::Whole));
            prop_assert_eq!(&decrypted(&wire, found.unit, seq, &key)?.unwrap(), &body);

            // Through MPEG-TS: a delimiter and parameter sets in front, filler behind.
            let around = [&head[..], &[0, 0, 0, 2, 9, 0x10, 0, 0, 0, 1, 0x67], &wire[5..], &[0, 0, 0, 1, 12]].concat();
            let found = find(&around, 5).unwrap();
            prop_assert_eq!(&found.unit, &(20..wire.len() + 11));
            prop_assert_eq!(&decrypted(&around, found.unit, seq, &key)?.unwrap(), &body);
        }

        #[test]
        fn garbage_is_borne(mut unit in prop::collection::vec(0u8..6, 0..80), whole in any::<bool>()) {
            let key = key(Salt([0; 8]));
            let lead = [&[0x65][..], &PRE_IDR, &MAGIC].concat();
            unit.splice(0..0, lead);
            if whole {
                unit.push(STOP);
            }
            let body = [&[0x17, 1, 0, 0, 0][..], &(unit.len() as u32).to_be_bytes(), &unit].concat();
            let unit = find(&body, 5).unwrap().unit;
            let _ = decrypted(&body, unit, 0, &key)?;
        }
    }
}
