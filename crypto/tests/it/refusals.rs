//! What cannot be encrypted is refused by name; what cannot be read is borne.

use bytes::BytesMut;
use crypto::{
    CryptoError, Damage, Inspector, Marking, Mode, ROOM, TagEncryptor, UnknownBody, Verdict, inspect,
};
use flv::nalu::LengthSize;
use flv::{FlvMillis, MAX_BODY, Tag, TagBuf, TagKind};
use proptest::prelude::*;

use crate::bodies::*;

fn message(lock: &mut TagEncryptor, tag: Tag) -> String {
    lock.encrypt(tag).unwrap_err().to_string()
}

#[test]
fn a_codec_without_a_rule_is_named() {
    let mut lock = encryptor(Mode::Nalu);
    assert_eq!(
        message(&mut lock, audio(&b"\x2f\xff\xfb\x90"[..])),
        "the audio tag at 40ms cannot be encrypted: there is no rule for MP3 audio; encrypted are AAC, AVC and HEVC"
    );
    assert_eq!(
        message(&mut lock, video(&b"\x93av01\x0a"[..])),
        "the video tag at 40ms cannot be encrypted: there is no rule for AV1 video; encrypted are AAC, AVC and HEVC"
    );
    let torn = message(&mut lock, video(&b"\x17\x01\0\0\0\0\0\0\x09\x65"[..]));
    assert!(torn.starts_with("the video tag at 40ms cannot be encrypted: NAL unit at byte 9: "), "{torn}");
}

#[test]
fn or_passed_where_the_user_says_so() {
    let mut lock = encryptor(Mode::Nalu).with_unknown_body(UnknownBody::PassClear);
    for tag in [
        audio(&b"\x2f\xff\xfb\x90"[..]),
        video(&b"\x93av01\x0a"[..]),
        video(&b"\x17\x01\0\0\0\0\0\0\x09\x65"[..]),
    ] {
        assert_eq!(lock.encrypt(tag.clone()).unwrap(), tag);
        assert_eq!(decryptor().decrypt(tag.clone()), (tag, Verdict::Clear));
    }
    // What has a rule is encrypted all the same.
    let sound = audio(&b"\xaf\x01\x21"[..]);
    assert!(matches!(inspect(&lock.encrypt(sound).unwrap()), Marking::Encrypted { .. }));
}

#[test]
fn a_tag_that_would_grow_too_long_is_refused() {
    let mut lock = encryptor(Mode::Nalu);
    let sound = |len: usize| {
        let mut body = vec![0x21; len];
        body[..2].copy_from_slice(b"\xaf\x01");
        audio(body)
    };
    let err = lock.encrypt(sound(MAX_BODY - 19)).unwrap_err();
    assert_eq!(err, CryptoError::TooLong { kind: TagKind::Audio, at: FlvMillis(40), len: MAX_BODY + 1 });
    let fits = sound(MAX_BODY - 20);
    let wire = lock.encrypt(fits.clone()).unwrap();
    assert_eq!(wire.body().len(), MAX_BODY);
    assert_eq!(decryptor().decrypt(wire).0, fits);
    let mut picture = vec![0x55; MAX_BODY];
    picture[..10].copy_from_slice(b"\x17\x01\0\0\0\0\xff\xff\xf6\x65");
    let picture = video(picture);
    let is_too_long = |err| matches!(err, CryptoError::TooLong { kind: TagKind::Video, .. });
    assert!(is_too_long(lock.encrypt(picture.clone()).unwrap_err()));
    // In place nothing half done is left, and into a buffer nothing is put.
    let mut own = TagBuf::copied(&picture, ROOM);
    assert!(is_too_long(lock.encrypt_in_place(&mut own).unwrap_err()));
    assert_eq!(own.body(), []);
    let mut out = BytesMut::from(&b"before"[..]);
    assert!(is_too_long(lock.encrypt_into(&picture, &mut out).unwrap_err()));
    assert_eq!(&out[..], b"before");
}

#[test]
fn a_capsule_is_for_avc_with_usual_lengths_only() {
    for (form, size, why) in [
        (Form::Hevc, LengthSize::Four, "HEVC has no capsule in version 1"),
        (Form::LegacyHevc, LengthSize::Four, "HEVC has no capsule in version 1"),
        (Form::Avc, LengthSize::Two, "the stream's NAL unit lengths are not 4 bytes"),
    ] {
        let mut lock = encryptor(Mode::Capsule).with_unknown_body(UnknownBody::PassClear);
        lock.encrypt(form.sequence_header(size)).unwrap();
        let slice = if form.is_hevc() { vec![0x26; 50] } else { vec![0x65; 50] };
        let tag = video(prefixed(&form.head(true, true), &[slice], size));
        let err = message(&mut lock, tag);
        assert_eq!(err, format!("the video tag at 40ms cannot be encrypted in mode capsule: {why}"));
    }
}

#[test]
fn another_version_is_reported() {
    let sound = |lead: u8| audio([&b"\xaf\x01\x9e\x12YX"[..], &[lead], &[9; 40]].concat());
    let unsupported = (sound(0x31), Verdict::Unsupported { version: 3, mode: 1 });
    assert_eq!(decryptor().decrypt(sound(0x31)), unsupported);
    assert_eq!(inspect(&sound(0x13)), Marking::Unsupported { version: 1, mode: 3 });
    assert_eq!(
        decryptor().decrypt(audio(&b"\xaf\x01\x9e\x12YX\x11"[..])).1,
        Verdict::Damaged { why: Damage::Marker }
    );
}

#[test]
fn a_cut_picture_is_damaged_not_clear() {
    let tag = video(prefixed(&[0x17, 1, 0, 0, 0], &[vec![0x65; 400]], LengthSize::Four));
    for mode in [Mode::Nalu, Mode::Capsule] {
        let wire = encryptor(mode).encrypt(tag.clone()).unwrap();
        let cut = wire.with_body(wire.body().slice(..wire.body().len() - 7)).unwrap();
        assert_eq!(decryptor().decrypt(cut.clone()), (cut, Verdict::Damaged { why: Damage::Framing }));
        let mut body = wire.body().to_vec();
        body[150..153].fill(0);
        let torn = video(body);
        assert_eq!(decryptor().decrypt(torn.clone()), (torn, Verdict::Damaged { why: Damage::Escape }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_body_makes_anyone_panic(
        kind in prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script]),
        front in prop::sample::select(vec![&b""[..], b"\x17\x01\0\0\0", b"\x1c\x01\0\0\0", b"\x91hvc1\0\0\0", b"\xaf\x01\x9e\x12YX\x11", b"\x96", b"\x97\xff\xff\xff"]),
        rest in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..100),
    ) {
        let tag = tag(kind, 0, [front, &rest].concat());
        for mode in [Mode::Nalu, Mode::Capsule] {
            if let Ok(wire) = encryptor(mode).encrypt(tag.clone()) {
                let (back, verdict) = decryptor().decrypt(wire);
                prop_assert!(verdict.is_readable(), "{verdict}");
                prop_assert_eq!(&back, &tag);
            }
        }
        let (_, verdict) = decryptor().decrypt(tag.clone());
        let _ = verdict.to_string();
        let _ = Inspector::new().inspect(&tag).to_string();
    }

    /// Every front of an encrypted tag, and every one with a byte changed.
    #[test]
    fn cut_and_flipped_tags_are_borne(
        frame in any_frame(), sound in sound(), mode in prop::sample::select(vec![Mode::Nalu, Mode::Capsule]),
        at in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        let mut lock = encryptor(mode);
        let _ = lock.encrypt(frame.form.sequence_header(frame.size));
        for wire in [frame.tag(), sound].map(|tag| lock.encrypt(tag)).into_iter().flatten() {
            for end in 0..wire.body().len().min(120) {
                decryptor().decrypt(wire.with_body(wire.body().slice(..end)).unwrap());
            }
            let mut body = wire.body().to_vec();
            let at = at.index(body.len());
            body[at] = to;
            decryptor().decrypt(wire.with_body(body.into()).unwrap());
        }
    }
}
