//! Sound behind silence: refused where there is none, told from all that looks like it, and
//! borne however it is torn.

use crypto::{
    CryptoError, Damage, Encryption, Gate, Marking, Mode, NoSilence, Sound, TagEncryptor, Transcoder,
    UnknownBody, Verdict, inspect,
};
use flv::{FlvMillis, Tag};
use proptest::prelude::*;

use crate::bodies::*;

const READ: Verdict = Verdict::Encrypted { key: crypto::KeyId(1) };

/// A sequence header of AAC-LC at 48 kHz.
fn config(channels: u8) -> Tag {
    audio([0xaf, 0, 0x11, 0x80 | channels << 3].to_vec())
}

fn silencing(mode: Mode) -> TagEncryptor {
    let mut lock = encryptor(mode).with_sound(Sound::Silence);
    assert_eq!(lock.encrypt(config(2)).unwrap(), config(2));
    lock
}

#[test]
fn what_there_is_no_silence_for_is_refused_and_never_clear() {
    let sound = || audio(&b"\xaf\x01\x21"[..]);
    for unknown in [UnknownBody::Refuse, UnknownBody::PassClear] {
        let mut lock = encryptor(Mode::Nalu).with_sound(Sound::Silence).with_unknown_body(unknown);
        let mut refuses = |config: Option<&[u8]>, why| {
            if let Some(config) = config {
                lock.encrypt(audio([&[0xaf, 0], config].concat())).unwrap();
            }
            assert_eq!(lock.encrypt(sound()), Err(CryptoError::NoSilence { at: FlvMillis(40), why }));
        };
        refuses(None, NoSilence::NoConfig);
        // Channels described in the stream; an order of the later editions; AAC-ELD.
        refuses(Some(&[0x11, 0x80]), NoSilence::Channels(0));
        refuses(Some(&[0x11, 0xe0]), NoSilence::Channels(12));
        refuses(Some(&[0xf8, 0xe6, 0x40]), NoSilence::ObjectType(39));
        let mut cut = encryptor(Mode::Nalu).with_sound(Sound::Silence).with_unknown_body(unknown);
        cut.encrypt(audio(&b"\xaf\0"[..])).unwrap();
        assert!(matches!(
            cut.encrypt(sound()),
            Err(CryptoError::NoSilence { why: NoSilence::Config(_), .. })
        ));
        // The next sequence header counts.
        lock.encrypt(config(1)).unwrap();
        let wire = lock.encrypt(sound()).unwrap();
        assert!(wire.body().ends_with(&[0, 0, 0, 7]));
        assert_eq!(decryptor().decrypt(wire), (sound(), READ));
    }
}

#[test]
fn only_aac_has_a_rule() {
    let mut lock = silencing(Mode::Nalu);
    for body in [&b"\x91.mp3\xff"[..], b"\x2f\xff\xfb\x90", b"\x91Opus\xfc"] {
        assert!(matches!(lock.encrypt(audio(body)), Err(CryptoError::NoRule { .. })));
    }
}

#[test]
fn sound_behind_an_enhanced_header_has_its_configuration_there() {
    let sound = || audio(&b"\x91mp4a\x21"[..]);
    let mut lock = encryptor(Mode::Nalu).with_sound(Sound::Silence);
    assert!(matches!(lock.encrypt(sound()), Err(CryptoError::NoSilence { .. })));
    lock.encrypt(audio(&b"\x90mp4a\x11\x88"[..])).unwrap();
    let wire = lock.encrypt(sound()).unwrap();
    assert!(wire.body().starts_with(b"\x91mp4a\x9e") && wire.body().ends_with(&[0, 0, 0, 7]));
    assert_eq!(decryptor().decrypt(wire), (sound(), READ));
}

/// The configuration may come while encryption is off, and stays through a rotation.
#[test]
fn the_configuration_stays_through_switches_and_rotations() {
    let sound = audio(&b"\xaf\x01\x21\x10"[..]);
    let mut lock = encryptor(Mode::Nalu).with_sound(Sound::Silence);
    lock.set_encryption(Encryption::Off).unwrap();
    lock.encrypt(config(2)).unwrap();
    assert_eq!(lock.encrypt(sound.clone()).unwrap(), sound);
    lock.set_encryption(Encryption::On).unwrap();
    for id in [1, 2] {
        lock.rotate(key(id), crypto::KeyId(id)).unwrap();
        let wire = lock.encrypt(sound.clone()).unwrap();
        let (back, verdict) = crypto::TagDecryptor::new(ring(&[1, 2])).decrypt(wire);
        assert_eq!((back, verdict), (sound.clone(), Verdict::Encrypted { key: crypto::KeyId(id) }));
    }
}

#[test]
fn only_mode_1_of_version_2_is_known() {
    let wire = silencing(Mode::Nalu).encrypt(audio(&b"\xaf\x01\x21\x10\x04"[..])).unwrap();
    for (lead, version, mode) in [(0x20, 2, 0), (0x22, 2, 2), (0x31, 3, 1), (0x2f, 2, 15)] {
        let mut body = wire.body().to_vec();
        body[6] = lead;
        assert_eq!(inspect(&audio(body.clone())), Marking::Unsupported { version, mode });
        assert_eq!(decryptor().decrypt(audio(body)).1, Verdict::Unsupported { version, mode });
    }
    // Version 1 has nothing but its header in the element.
    let mut body = wire.body().to_vec();
    body[6] = 0x11;
    assert_eq!(inspect(&audio(body.clone())), Marking::Mangled);
    assert_eq!(decryptor().decrypt(audio(body)).1, Verdict::Damaged { why: Damage::Marker });
}

/// A header of version 2 in a picture, whole and escaped as it should be.
#[test]
fn version_2_has_no_place_in_pictures() {
    let picture = video(prefixed(&[0x17, 1, 0, 0, 0], &[vec![0x65; 60]], flv::nalu::LengthSize::Four));
    let wire = encryptor(Mode::Nalu).encrypt(picture).unwrap();
    let mut body = wire.body().to_vec();
    // Codec header, length, SEI header, UUID.
    assert_eq!(body[5 + 4 + 3 + 16], 0x12);
    body[5 + 4 + 3 + 16] = 0x21;
    assert_eq!(decryptor().decrypt(video(body)).1, Verdict::Damaged { why: Damage::Mode });
}

#[test]
fn whole_streams_grow_and_come_back() {
    let file = fixtures::tags::Stream::new(3).file(4_000);
    let run = |mut work: Transcoder, input: bytes::Bytes| {
        work.push(input).unwrap();
        work.finish().unwrap()
    };
    let lock = encryptor(Mode::Nalu).with_sound(Sound::Silence);
    let (wire, sealed) = run(Transcoder::encrypting(lock), file.clone());
    let (back, opened) = run(Transcoder::decrypting(decryptor(), Gate::default()), wire);
    assert_eq!((back, opened.is_whole()), (file, true));
    assert_eq!((sealed.encrypted, sealed.clear), (opened.decrypted, 0));
}

/// Elements as somebody else may write them, with or without a mark, whole or not.
fn elements() -> impl Strategy<Value = Vec<u8>> {
    let contents = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..40),
        2 => (prop::sample::select(vec![0x10u8, 0x11, 0x20, 0x21]), prop::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(lead, rest)| [&b"YX"[..], &[lead], &rest].concat()),
    ];
    let element = (contents, -2i32..3).prop_map(|(contents, off)| {
        let count = (contents.len() as i32 + if off.abs() == 2 { off } else { 0 }).max(0);
        let count = if count < 255 { vec![count as u8] } else { vec![255, (count - 255) as u8] };
        [&[0x9e], &count[..], &contents].concat()
    });
    (prop::collection::vec(element, 0..4), prop::collection::vec(any::<u8>(), 0..8))
        .prop_map(|(elements, end)| [elements.concat(), end].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn both_versions_go_to_one_reader(sounds in prop::collection::vec((sound(), any::<bool>()), 1..20)) {
        let (mut noise, mut silence) = (encryptor(Mode::Nalu), silencing(Mode::Nalu));
        let mut unlock = decryptor();
        for (tag, silent) in sounds {
            let lock = if silent { &mut silence } else { &mut noise };
            let wire = lock.encrypt(tag.clone()).unwrap();
            prop_assert_eq!(wire.body().ends_with(&[0x21, 0, 0, 0, 0, 0x1c]), silent);
            prop_assert_eq!(unlock.decrypt(wire), (tag, READ));
        }
    }

    #[test]
    fn layers_come_off_one_by_one(tag in sound(), layers in prop::collection::vec(0u8..3, 1..6)) {
        let mut stack = vec![tag];
        for layer in layers {
            let mut lock = if layer == 2 { encryptor(Mode::Nalu) } else { silencing(Mode::Nalu) };
            if layer == 0 {
                lock.set_encryption(Encryption::Off).unwrap();
            }
            let inner = stack.last().unwrap().clone();
            stack.push(lock.encrypt(inner).unwrap());
        }
        let mut wire = stack.pop().unwrap();
        while let Some(inner) = stack.pop() {
            if wire != inner {
                let (back, verdict) = decryptor().decrypt(wire);
                prop_assert!(matches!(verdict, READ | Verdict::Literal), "{verdict}");
                prop_assert_eq!(&back, &inner);
            }
            wire = inner;
        }
    }

    /// Clear sound with marks of any kind goes through off and on, and garbage never panics.
    #[test]
    fn what_looks_like_it_comes_back(raw in elements()) {
        let tag = audio([&[0xaf, 1], &raw[..]].concat());
        let marking = inspect(&tag);
        let mut lock = silencing(Mode::Nalu);
        let wire = lock.encrypt(tag.clone()).unwrap();
        prop_assert_eq!(decryptor().decrypt(wire), (tag.clone(), READ));
        lock.set_encryption(Encryption::Off).unwrap();
        let wire = lock.encrypt(tag.clone()).unwrap();
        let want = if marking == Marking::Clear { Verdict::Clear } else { Verdict::Literal };
        prop_assert_eq!(decryptor().decrypt(wire.clone()), (tag.clone(), want));
        prop_assert_eq!(wire.body().len() - tag.body().len(), if want == Verdict::Clear { 0 } else { 20 });
        // As it stands, a reader tells it from the encrypted by the key at the latest.
        let (back, verdict) = decryptor().decrypt(tag.clone());
        prop_assert!(verdict == Verdict::Literal || back == tag, "{verdict}");
        let mut own = flv::TagBuf::copied(&tag, flv::Room::NONE);
        prop_assert_eq!((decryptor().decrypt_in_place(&mut own), own.body()), (verdict, &back.body()[..]));
    }

    /// Cut anywhere: as it came, and said to be torn wherever the header is still there.
    #[test]
    fn a_cut_is_told(tag in prop_oneof![sound(), prop::collection::vec(any::<u8>(), 400..1200)
        .prop_map(|raw| audio([&[0xaf, 1], &raw[..]].concat()))], cut in any::<prop::sample::Index>()) {
        let wire = silencing(Mode::Nalu).encrypt(tag).unwrap();
        let whole = wire.body().len() - 6;
        let front = if wire.body()[3] == 255 { 5 } else { 4 };
        let cut = cut.index(whole + 1);
        let torn = wire.with_body(wire.body().slice(..cut)).unwrap();
        let (back, verdict) = decryptor().decrypt(torn.clone());
        prop_assert_eq!(back, torn);
        match verdict {
            Verdict::Damaged { why: Damage::Elements } => prop_assert!(cut >= front + 18),
            Verdict::Damaged { why: Damage::Marker } => prop_assert!(cut < front + 18 && cut >= front + 2),
            Verdict::Clear => prop_assert!(cut < front + 2),
            Verdict::Exempt => prop_assert_eq!(cut, 0),
            other => prop_assert!(false, "{other}"),
        }
    }
}
