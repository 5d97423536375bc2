//! Whole FLV streams, pushed in pieces.

use bytes::Bytes;
use crypto::{AllowClear, Counts, Gate, KeyId, KeyRing, Mode, TagDecryptor, TranscodeError, Transcoder};
use fixtures::tags::Stream;
use proptest::prelude::*;

use crate::bodies::*;

fn run(mut work: Transcoder, input: &Bytes, piece: usize) -> Result<(Bytes, Counts), TranscodeError> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let end = input.len().min(at + piece);
        work.push(input.slice(at..end))?;
        out.extend_from_slice(&work.take());
        at = end;
    }
    let (rest, counts) = work.finish()?;
    out.extend_from_slice(&rest);
    assert_eq!(counts.bytes_out, out.len() as u64);
    Ok((out.into(), counts))
}
fn encrypt(mode: Mode, input: &Bytes, piece: usize) -> (Bytes, Counts) {
    run(Transcoder::encrypting(encryptor(mode)), input, piece).unwrap()
}
fn decrypt(ring: KeyRing, input: &Bytes, piece: usize) -> (Bytes, Counts) {
    run(Transcoder::decrypting(TagDecryptor::new(ring), Gate::default()), input, piece).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_file_comes_back_however_it_is_cut_up(seed in any::<u64>(), pieces in (1usize..5000, 1usize..5000)) {
        let file = Stream::new(seed).file(400);
        for mode in [Mode::Nalu, Mode::Capsule] {
            let (wire, locked) = encrypt(mode, &file, pieces.0);
            prop_assert!(locked.is_whole() && locked.clear == 0, "{locked}");
            prop_assert_eq!(locked.encrypted + locked.exempt, locked.tags);
            prop_assert!(wire.len() > file.len());
            let (back, counts) = decrypt(ring(&[1, 2]), &wire, pieces.1);
            prop_assert_eq!(&back, &file);
            prop_assert!(counts.is_whole(), "{counts}");
            prop_assert_eq!(counts.decrypted, locked.encrypted);
            prop_assert_eq!((counts.bytes_in, counts.bytes_out), (wire.len() as u64, file.len() as u64));
        }
    }

    #[test]
    fn damage_anywhere_is_counted_and_borne(seed in any::<u64>(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let file = Stream::new(seed).file(400);
        let mut wire = encrypt(Mode::Nalu, &file, 4096).0.to_vec();
        let at = at.index(wire.len());
        wire[at] ^= flip;
        match run(Transcoder::decrypting(decryptor(), Gate::default()), &wire.into(), 1000) {
            Ok((out, _)) => prop_assert!(out.is_empty() || out.starts_with(b"FLV")),
            Err(err) => prop_assert!(matches!(err, TranscodeError::NotFlv(_)) && at < 9, "{err} at {at}"),
        }
    }
}

#[test]
fn a_torn_tag_is_skipped_and_the_rest_comes_through() {
    let file = Stream::new(3).file(1000);
    let (wire, whole) = encrypt(Mode::Nalu, &file, 4096);
    let mut torn = wire.to_vec();
    // The type of some tag in the middle: the framing is lost there.
    let mut at = flv::FILE_HEADER_LEN;
    while at < wire.len() / 2 {
        let len = u32::from_be_bytes([0, wire[at + 1], wire[at + 2], wire[at + 3]]) as usize;
        at += flv::TAG_HEADER_LEN + len + flv::TRAILER_LEN;
    }
    torn[at] = 0x77;
    let (_, counts) = decrypt(ring(&[1]), &torn.into(), 4096);
    assert_eq!((counts.gaps, counts.tags), (1, whole.tags - 1));
    assert!(counts.skipped > 0 && !counts.is_whole());
    assert!(counts.to_string().contains("bytes skipped in 1 places"), "{counts}");
}

#[test]
fn a_cut_file_ends_with_its_last_whole_tag() {
    let file = Stream::new(4).file(500);
    let (wire, whole) = encrypt(Mode::Nalu, &file, 4096);
    // Only the trailer is missing: its tag is all there.
    let (out, counts) = decrypt(ring(&[1]), &wire.slice(..wire.len() - 3), 4096);
    assert_eq!(out, file);
    assert!(counts.cut.is_some() && counts.tags == whole.tags);
    let (out, counts) = decrypt(ring(&[1]), &wire.slice(..wire.len() - 30), 4096);
    assert!(file.starts_with(&out) && counts.tags == whole.tags - 1);
    assert!(counts.to_string().contains("FLV ends in tag"), "{counts}");
}

#[test]
fn without_the_key_headers_come_through_and_the_rest_is_counted() {
    let file = Stream::new(5).file(500);
    let (wire, whole) = encrypt(Mode::Nalu, &file, 4096);
    let (out, counts) = decrypt(ring(&[2]), &wire, 4096);
    assert_eq!(counts.locked.get(&1), Some(&whole.encrypted));
    assert_eq!((counts.dropped, counts.exempt), (whole.encrypted, whole.exempt));
    assert!(file.starts_with(&out[..out.len().min(40)]));
    let wrong = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key(2))]));
    let (_, counts) = run(Transcoder::decrypting(wrong, Gate::default()), &wire, 4096).unwrap();
    assert_eq!(counts.locked.get(&1), Some(&whole.encrypted));
}

#[test]
fn a_clear_file_is_passed_or_refused() {
    let file = Stream::new(6).file(500);
    let (out, counts) = decrypt(ring(&[1]), &file, 4096);
    assert_eq!(out, file);
    assert!(counts.is_whole() && counts.clear > 0 && counts.decrypted == 0);
    let strict = Transcoder::decrypting(decryptor(), Gate::new(AllowClear::No));
    let (_, counts) = run(strict, &file, 4096).unwrap();
    assert_eq!(counts.dropped, counts.clear);
}

#[test]
fn what_is_no_flv_is_said_so() {
    let err = run(Transcoder::encrypting(encryptor(Mode::Nalu)), &Bytes::from_static(b"RIFF....AVI "), 5)
        .unwrap_err();
    assert!(matches!(err, TranscodeError::NotFlv(_)), "{err}");
    let (out, counts) = encrypt(Mode::Nalu, &Bytes::new(), 1);
    assert!(out.is_empty() && counts == Counts::default());
}

#[test]
fn a_tag_without_a_rule_is_named_by_its_number() {
    let mut file = bytes::BytesMut::new();
    flv::write_file_header(&mut file, flv::Tracks::Audio);
    audio(&b"\xaf\x01\x21"[..]).write_into(&mut file);
    audio(&b"\x2f\xff\xfb"[..]).write_into(&mut file);
    let err = run(Transcoder::encrypting(encryptor(Mode::Nalu)), &file.freeze(), 100).unwrap_err();
    assert!(err.to_string().starts_with("tag 1: the audio tag at 40ms cannot be encrypted"), "{err}");
}
