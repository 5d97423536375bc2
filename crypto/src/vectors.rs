//! What only fixed salts can show: whole tag bodies byte for byte, the life of
//! counters, and a random source that fails.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::{Bytes, BytesMut};
use flv::audio::AudioHeader;
use flv::nalu::{self, LengthSize};
use flv::video::VideoHeader;
use flv::{FlvMillis, Room, Tag, TagBuf, TagKind};
use media::Track;
use proptest::prelude::*;

use crate::counter::TAGS_PER_SALT;
use crate::salt::fixed::{Always, Shared, Supply, VECTOR};
use crate::track_key::{counter_block, derived};
use crate::{
    CryptoError, Encryption, KeyId, KeyRing, Marking, MasterKey, Mode, ROOM, Salt, Sealing, Sound,
    TagDecryptor, TagEncryptor, Verdict, inspect,
};

const AAC: (&str, &str) =
    ("af01211004608c1c000102030405", "af019e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3");
const AVC: &str = "170100000000000004676400280000000468ee3cb00000003065030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d141b222930373e45";
const AVC_CAPSULE: &str = "17010000000000006365888410219ad1c4f57e21b8631101a0a1a2a3a4a5a6a790cf0000030005eb02e6685ccaf31e4cadeed8f76c75bfbac74dda78f4b7c9123552e7f478c27f516b479620359d4d2c26ee6814c024dea62ded0aa6153440d3257d10f7b761183a53ae4c80";
const AVC_NALU: &str = "170100000000000004676400280000000468ee3cb0000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000003065030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced537e10c9dc351f53b58b6ccf5afb57745";

/// Bodies of tracks: several of one codec with composition times, several of two codecs behind a
/// modifier, one that is not the default; their numbers go on from track to track. Made by
/// another program, as all of these.
const TRACKS: [(&str, &str); 3] = [
    (
        "9611617663310000002f00000000000028650a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d140100002b00002800000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d58636e7984",
        "96116176633100000058000000000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300058000000028650a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc08e81794c4a8fe1401000054000028000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300068000000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d5862fd7d84",
    ),
    (
        "a7020001020623687663310200002a0000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999ea3a8adb2b7bc617663310700002800000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d58636e7984",
        "a70200010206236876633102000054000000264e0105202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999e48aa4bde8cbc6176633107000051000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300068000000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d5862fd7d84",
    ),
    (
        "960368766331030000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999ea3a8adb2b7bc",
        "96036876633103000000264e0105202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999e48aa4bde8cbc",
    ),
];
/// AAC behind an enhanced header, alone and in two tracks.
const MP4A: [(&str, &str); 2] = [
    (
        "916d703461211004608c1c000102030405",
        "916d7034619e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3",
    ),
    (
        "95116d7034610000000c211004608c1c000102030405020000022110",
        "95116d703461000000209e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3020000169e1259581101a0a1a2a3a4a5a6a7268500000006a2f0",
    ),
];
/// The latter behind silence, track 0 in stereo and track 2 in mono.
const MP4A_SILENCE: &str = "95116d703461000000269e1e59582101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f321000000001c0200001a9e1459582101a0a1a2a3a4a5a6a7268500000006a2f000000007";

fn hex(text: &str) -> Bytes {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
fn tag(kind: TagKind, body: Bytes) -> Tag {
    Tag::new(kind, FlvMillis(7), body).unwrap()
}
fn master() -> MasterKey {
    "000102030405060708090a0b0c0d0e0f".parse().unwrap()
}
fn ring() -> KeyRing {
    KeyRing::from_iter([(KeyId(1), master()), (KeyId(2), MasterKey::from_bytes([2; 16]))])
}
fn at_seq_5(mode: Mode) -> TagEncryptor {
    let mut encryptor = TagEncryptor::with_salts(master(), KeyId(1), mode, Box::new(Always(VECTOR))).unwrap();
    encryptor.skip_to(5);
    encryptor
}
fn with_supply(left: u32) -> Result<TagEncryptor, CryptoError> {
    TagEncryptor::with_salts(master(), KeyId(1), Mode::Nalu, Box::new(Supply { next: 0, left }))
}

fn agrees(mode: Mode, kind: TagKind, clear: &str, encrypted: &str) {
    let (clear, encrypted) = (tag(kind, hex(clear)), tag(kind, hex(encrypted)));
    assert_eq!(at_seq_5(mode).encrypt(clear.clone()).unwrap().body(), encrypted.body());
    for room in [ROOM, Room::NONE] {
        let mut own = TagBuf::copied(&clear, room);
        assert_eq!(at_seq_5(mode).encrypt_in_place(&mut own).unwrap(), Sealing::Encrypted { key: KeyId(1) });
        assert_eq!(own.body(), &encrypted.body()[..]);
        let read = TagDecryptor::new(ring()).decrypt_in_place(&mut own);
        assert_eq!((own.body(), read), (&clear.body()[..], Verdict::Encrypted { key: KeyId(1) }));
    }
    let (mut whole, mut want) = (BytesMut::new(), BytesMut::new());
    at_seq_5(mode).encrypt_into(&clear, &mut whole).unwrap();
    encrypted.write_into(&mut want);
    assert_eq!(whole, want);
    whole.clear();
    TagDecryptor::new(ring()).decrypt_into(&encrypted, &mut whole);
    want.clear();
    clear.write_into(&mut want);
    assert_eq!(whole, want);
    let marking = inspect(&encrypted);
    let Marking::Encrypted { key: KeyId(1), salt: VECTOR, seq: 5, mode: said } = marking else {
        panic!("{marking}");
    };
    assert_eq!(said, if kind == TagKind::Audio { Mode::Capsule } else { mode });
    // Once in place, once with the body shared.
    let shared = encrypted.clone();
    for input in [Tag::new(kind, FlvMillis(7), Bytes::from(encrypted.body().to_vec())).unwrap(), encrypted] {
        let (back, verdict) = TagDecryptor::new(ring()).decrypt(input);
        assert_eq!((back, verdict), (clear.clone(), Verdict::Encrypted { key: KeyId(1) }));
    }
    drop(shared);
}

#[test]
fn the_aac_body_of_the_format_page() {
    agrees(Mode::Nalu, TagKind::Audio, AAC.0, AAC.1);
    agrees(Mode::Capsule, TagKind::Audio, AAC.0, AAC.1);
}

#[test]
fn the_avc_body_of_the_format_page_in_mode_nalu() {
    agrees(Mode::Nalu, TagKind::Video, AVC, AVC_NALU);
}

#[test]
fn the_avc_body_of_the_format_page_in_mode_capsule() {
    agrees(Mode::Capsule, TagKind::Video, AVC, AVC_CAPSULE);
}

#[test]
fn bodies_of_tracks() {
    for (clear, encrypted) in TRACKS {
        agrees(Mode::Nalu, TagKind::Video, clear, encrypted);
    }
    for (clear, encrypted) in MP4A {
        agrees(Mode::Nalu, TagKind::Audio, clear, encrypted);
    }
    let mut lock = at_seq_5(Mode::Nalu).with_sound(Sound::Silence);
    let sound = tag(TagKind::Audio, hex(MP4A[1].0));
    // Of one of the tracks nobody knows the channels: nothing goes out.
    assert_eq!(lock.encrypt(tag(TagKind::Audio, hex("906d7034611190"))).unwrap().body().len(), 7);
    assert!(matches!(lock.encrypt(sound.clone()), Err(CryptoError::NoSilence { .. })));
    lock.encrypt(tag(TagKind::Audio, hex("95006d703461021188"))).unwrap();
    lock.skip_to(5);
    let wire = lock.encrypt(sound.clone()).unwrap();
    assert_eq!(wire.body(), &hex(MP4A_SILENCE));
    assert_eq!(TagDecryptor::new(ring()).decrypt(wire), (sound, Verdict::Encrypted { key: KeyId(1) }));
}

#[test]
fn a_salt_serves_two_to_the_20_tags_of_a_track() {
    let mut encryptor = with_supply(3).unwrap();
    let mut next = || match inspect(&encryptor.encrypt(tag(TagKind::Audio, hex(AAC.0))).unwrap()) {
        Marking::Encrypted { salt, seq, .. } => (salt, seq),
        other => panic!("{other}"),
    };
    let (first, _) = next();
    for seq in 1..TAGS_PER_SALT {
        assert_eq!(next(), (first, seq));
    }
    let (second, seq) = next();
    assert_ne!(second, first);
    assert_eq!(seq, 0);
}

#[test]
fn without_random_bits_nothing_goes_out() {
    assert!(matches!(with_supply(0), Err(CryptoError::Salt(_))));
    // Enough for construction only.
    let sound = || tag(TagKind::Audio, hex(AAC.0));
    let mut encryptor = with_supply(2).unwrap();
    encryptor.skip_to(TAGS_PER_SALT - 1);
    assert!(encryptor.encrypt(sound()).is_ok());
    for _ in 0..2 {
        assert!(matches!(encryptor.encrypt(sound()), Err(CryptoError::Salt(_))));
    }
    // A failed rotation leaves the old key in use, with its counters.
    let mut encryptor = with_supply(2).unwrap();
    assert!(encryptor.rotate(MasterKey::from_bytes([2; 16]), KeyId(2)).is_err());
    assert_eq!(encryptor.key_id(), KeyId(1));
    assert!(matches!(
        inspect(&encryptor.encrypt(sound()).unwrap()),
        Marking::Encrypted { key: KeyId(1), .. }
    ));
    // Switched on without a salt, it refuses rather than pass tags clear.
    encryptor.set_encryption(Encryption::Off).unwrap();
    assert!(encryptor.set_encryption(Encryption::On).is_err());
    assert_eq!(encryptor.encryption(), Encryption::On);
    assert!(matches!(encryptor.encrypt(sound()), Err(CryptoError::Salt(_))));
}

#[test]
fn a_refused_tag_has_used_its_number_up() {
    let mut encryptor = with_supply(2).unwrap();
    let torn = tag(TagKind::Video, hex("1701000000000000ff65"));
    assert!(matches!(encryptor.encrypt(torn), Err(CryptoError::NoRule { .. })));
    let marking = inspect(&encryptor.encrypt(tag(TagKind::Video, hex(AVC))).unwrap());
    assert!(matches!(marking, Marking::Encrypted { seq: 1, .. }), "{marking}");
}

/// What may happen to an encryptor.
#[derive(Clone, Debug)]
enum Step {
    Video(Vec<usize>),
    Audio(usize),
    /// Pictures of several tracks, each of slices of these lengths.
    Tracks(Vec<Vec<usize>>),
    /// Sound of several tracks.
    Sounds(Vec<usize>),
    Refused,
    Off,
    On,
    Rotate(u8),
    Restart,
    Late(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(1usize..120, 0..5).prop_map(Step::Video),
        6 => (0usize..80).prop_map(Step::Audio),
        6 => prop::collection::vec(prop::collection::vec(1usize..120, 0..4), 1..5).prop_map(Step::Tracks),
        3 => prop::collection::vec(0usize..80, 1..5).prop_map(Step::Sounds),
        1 => Just(Step::Refused),
        1 => Just(Step::Off),
        1 => Just(Step::On),
        1 => (1u8..3).prop_map(Step::Rotate),
        1 => Just(Step::Restart),
        1 => (TAGS_PER_SALT - 3..=TAGS_PER_SALT).prop_map(Step::Late),
    ]
}

/// A picture of slices of these lengths.
fn slices(lengths: &[usize]) -> Tag {
    let mut body = hex("1701000000").to_vec();
    for len in lengths {
        body.extend_from_slice(&(*len as u32).to_be_bytes());
        body.extend_from_slice(&vec![0x41; *len]);
    }
    tag(TagKind::Video, body.into())
}

/// A body of several tracks of these.
fn together(head: &str, tracks: impl IntoIterator<Item = Vec<u8>>) -> Bytes {
    let mut body = hex(head).to_vec();
    for (number, data) in (0..).zip(tracks) {
        body.push(number);
        body.extend_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
        body.extend_from_slice(&data);
    }
    body.into()
}

/// Each track as a tag of its own.
fn apart(whole: &Tag) -> Vec<Tag> {
    let (head, data): (_, Vec<_>) = match whole.kind {
        TagKind::Audio if whole.body()[0] == 0x95 => {
            let header = AudioHeader::parse(whole.body()).unwrap();
            ("af01", header.tracks(whole.body()).map(|part| part.unwrap().data).collect())
        }
        TagKind::Video if whole.body()[0] == 0x96 => {
            let header = VideoHeader::parse(whole.body()).unwrap();
            ("1701000000", header.tracks(whole.body()).map(|part| part.unwrap().data).collect())
        }
        _ => return vec![whole.clone()],
    };
    let body = |data: std::ops::Range<usize>| [&hex(head)[..], &whole.body()[data]].concat();
    data.into_iter().map(|data| tag(whole.kind, body(data).into())).collect()
}

/// Every block that went into the cipher for a tag: its key, and the counter.
fn cipher_blocks(clear: &Tag, id: KeyId, salt: Salt, seq: u32) -> Vec<([u8; 16], [u8; 16])> {
    let track = if clear.kind == TagKind::Audio { Track::Audio } else { Track::Video };
    let key = *derived(ring().get(id).unwrap(), id, salt, track);
    // How many bytes are encrypted in each piece, by the format page.
    let pieces: Vec<usize> = match track {
        Track::Audio => vec![clear.body().len() - 2],
        Track::Video => nalu::units(clear.body(), 5, LengthSize::Four)
            .map(|unit| unit.unwrap().len())
            .filter(|len| *len >= 34)
            .map(|len| len - 33)
            .collect(),
    };
    let blocks = pieces.into_iter().enumerate().flat_map(|(piece, len)| {
        (0..len.div_ceil(16) as u32).map(move |ctr| {
            let mut block = counter_block(seq, piece as u16);
            block[12..].copy_from_slice(&ctr.to_be_bytes());
            (key, block)
        })
    });
    // And the block that the check in the header comes from; once a key, so not collected.
    blocks.inspect(|(_, block)| assert_ne!(*block, [0xff; 16])).collect()
}

proptest! {
    /// No key goes with a counter block twice, whatever happens to two engines that encrypt
    /// at the same time under the same keys: restarts, switches, rotations, refused tags.
    #[test]
    fn no_key_and_counter_block_come_twice(
        steps in prop::collection::vec((0usize..2, step()), 1..80), prior in 0u64..3,
    ) {
        let mut seen = HashSet::new();
        // One source of salts, as the system's is; what it gave to earlier engines is gone.
        let source = Arc::new(AtomicU64::new(prior));
        let start = || {
            let salts = Box::new(Shared(source.clone()));
            TagEncryptor::with_salts(master(), KeyId(1), Mode::Nalu, salts).unwrap()
        };
        let mut engines = [start(), start()];
        for (engine, step) in steps {
            let encryptor = &mut engines[engine];
            let clear = match step {
                Step::Video(lengths) => slices(&lengths),
                Step::Audio(len) => tag(TagKind::Audio, [&[0xaf, 1][..], &vec![0x21; len]].concat().into()),
                Step::Tracks(tracks) => {
                    let tracks = tracks.iter().map(|lengths| slices(lengths).body()[5..].to_vec());
                    tag(TagKind::Video, together("961361766331", tracks))
                }
                Step::Sounds(tracks) => {
                    let tracks = tracks.iter().map(|len| vec![0x21; *len]);
                    tag(TagKind::Audio, together("95116d703461", tracks))
                }
                Step::Refused => {
                    prop_assert_eq!(
                        encryptor.encrypt(tag(TagKind::Video, hex("1701000000000000ff65"))).is_err(),
                        encryptor.encryption() == Encryption::On
                    );
                    continue;
                }
                Step::Off => { encryptor.set_encryption(Encryption::Off).unwrap(); continue; }
                Step::On => { encryptor.set_encryption(Encryption::On).unwrap(); continue; }
                Step::Rotate(id) => {
                    // To the same key again as well.
                    encryptor.rotate(ring().get(KeyId(id)).unwrap().clone(), KeyId(id)).unwrap();
                    continue;
                }
                Step::Restart => { *encryptor = start(); continue; }
                Step::Late(seq) => {
                    // Only ahead: as if so many tags had been encrypted.
                    let (video, audio) = encryptor.next_numbers();
                    if video.max(audio).is_some_and(|next| next < seq) { encryptor.skip_to(seq); }
                    continue;
                }
            };
            let out = encryptor.encrypt(clear.clone()).unwrap();
            match (encryptor.encryption(), inspect(&out)) {
                (Encryption::Off, marking) => {
                    prop_assert_eq!(marking, Marking::Clear);
                    prop_assert_eq!(&out, &clear);
                }
                (Encryption::On, Marking::Encrypted { .. }) => {
                    // A track that is taken out is a tag like any other, with its own number.
                    for (clear, out) in apart(&clear).iter().zip(apart(&out)) {
                        let Marking::Encrypted { key, salt, seq, .. } = inspect(&out) else {
                            panic!("a track of {clear:?} has no marker")
                        };
                        prop_assert!(seq < TAGS_PER_SALT);
                        for block in cipher_blocks(clear, key, salt, seq) {
                            prop_assert!(seen.insert(block), "{:02x?} came twice", block);
                        }
                    }
                    let (back, _) = TagDecryptor::new(ring()).decrypt(out);
                    prop_assert_eq!(&back, &clear);
                }
                (_, other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
