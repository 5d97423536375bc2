//! Through MPEG-TS, which has no lengths: units lie between start codes there, and zeros at
//! their ends are lost. What a transmuxer makes of encrypted tags must be what went in.

use bytes::BytesMut;
use crypto::{Mode, ROOM, Verdict};
use fixtures::noise::Noise;
use flv::nalu::LengthSize;
use flv::{FlvMillis, TagBuf, TagKind};
use memchr::memmem::Finder;

use crate::bodies::{decryptor, encryptor};

const HEAD: [u8; 5] = [0x17, 1, 0, 0, 0];

/// To TS: start codes in the place of lengths.
fn annex_b(body: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for unit in flv::nalu::units(body, HEAD.len(), LengthSize::Four) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(&body[unit.unwrap()]);
    }
}

/// And back, as a demuxer does: torn at each start code, zeros at the ends left off.
fn length_prefixed(stream: &[u8], code: &Finder<'_>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&HEAD);
    let starts: Vec<usize> = code.find_iter(stream).collect();
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(stream.len());
        let mut unit = &stream[start + 3..end];
        while let [rest @ .., 0] = unit {
            unit = rest;
        }
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
}

/// A picture of an access unit delimiter and slices of noise, which as a whole no encoder
/// would write: only what stays clear is without zeros.
fn picture(noise: &mut Noise, len: usize, out: &mut BytesMut) {
    out.extend_from_slice(&HEAD);
    out.extend_from_slice(&[0, 0, 0, 2, 9, 0x10]);
    for _ in 0..noise.within(1..=3) {
        out.extend_from_slice(&(len as u32).to_be_bytes());
        let start = out.len();
        out.resize(start + len, 0);
        noise.fill(&mut out[start..]);
        out[start..start + 32].iter_mut().for_each(|byte| *byte |= 0x10);
        out[start] = 0x65;
        out[start + len - 1] |= 0x80;
    }
}

/// Returns how many bytes were escaped.
fn survives(mode: Mode, total: usize) -> usize {
    let mut noise = Noise::new(total as u64);
    let (mut lock, mut unlock) = (encryptor(mode), decryptor());
    let code = Finder::new(&[0, 0, 1]);
    let (mut stream, mut back) = (Vec::new(), Vec::new());
    let (mut done, mut escapes) = (0, 0);
    while done < total {
        // Short ones, and ones far beyond what is encrypted at a time.
        let len = if noise.one_in(8) { noise.within(100_000..=900_000) } else { noise.within(40..=40_000) };
        let mut body = ROOM.buffer(3 * len + 64);
        picture(&mut noise, len, &mut body);
        let clear = body[ROOM.front..].to_vec();
        done += clear.len();
        let mut tag = TagBuf::new(TagKind::Video, FlvMillis(0), body, ROOM).unwrap();
        lock.encrypt_in_place(&mut tag).unwrap();
        // The marker is 42 bytes and whatever is escaped in its own 16; those do not count.
        escapes += (tag.body().len() - clear.len()).saturating_sub(50);
        annex_b(tag.body(), &mut stream);
        length_prefixed(&stream, &code, &mut back);
        assert!(back == tag.body(), "torn within {} bytes", tag.body().len());
        assert!(matches!(unlock.decrypt_in_place(&mut tag), Verdict::Encrypted { .. }));
        assert!(tag.body() == clear, "not the same after {done} bytes");
    }
    escapes
}

#[test]
fn a_hundred_megabytes_of_noise_come_through_ts() {
    survives(Mode::Nalu, 100_000_000);
}

#[test]
fn capsules_come_through_ts() {
    survives(Mode::Capsule, 16_000_000);
}

/// Without escapes the same way tears them: so the test above can fail.
#[test]
fn what_is_not_escaped_is_torn() {
    let mut body = HEAD.to_vec();
    body.extend_from_slice(&[0, 0, 0, 8, 0x65, 1, 2, 0, 0, 1, 3, 4]);
    let (mut stream, mut back) = (Vec::new(), Vec::new());
    annex_b(&body, &mut stream);
    length_prefixed(&stream, &Finder::new(&[0, 0, 1]), &mut back);
    assert_ne!(back, body);
}
