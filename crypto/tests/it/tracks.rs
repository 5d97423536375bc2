//! Several tracks in a body, and one that is not the default: each part by the rules of a body
//! of its own.

use bytes::BytesMut;
use crypto::{
    AllowClear, CryptoError, Damage, Encryption, Gate, KeyId, Marking, Mode, NoRule, ROOM, Sealing,
    TagDecryptor, TagEncryptor, UnknownBody, Verdict, inspect,
};
use flv::audio::AudioHeader;
use flv::nalu::LengthSize;
use flv::video::VideoHeader;
use flv::{FlvMillis, MAX_BODY, Room, Tag, TagBuf, TagKind};
use proptest::prelude::*;

use crate::bodies::*;

const READ: Verdict = Verdict::Encrypted { key: KeyId(1) };
const FRAMING: Verdict = Verdict::Damaged { why: Damage::Framing };

/// How the parts lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lay {
    One,
    Many,
    ManyCodecs,
}

/// One track's part.
#[derive(Clone, Debug)]
struct Part {
    codec: [u8; 4],
    track: u8,
    data: Vec<u8>,
}

/// A body of parts. `content` is their packet type; the codec of the first is that of all,
/// unless each has its own.
fn together(kind: TagKind, lay: Lay, content: u8, modifier: &[u8], parts: &[Part]) -> Tag {
    let (first, multitrack) = if kind == TagKind::Audio { (0x90, 5) } else { (0x90, 6) };
    let mut body = match modifier {
        [] => vec![first | multitrack],
        bytes => [&[first | 7, bytes.len() as u8 - 1], bytes, &[multitrack]].concat(),
    };
    let number = [Lay::One, Lay::Many, Lay::ManyCodecs].iter().position(|one| *one == lay).unwrap() as u8;
    body.push(number << 4 | content);
    if lay != Lay::ManyCodecs {
        body.extend_from_slice(&parts.first().map_or(*b"avc1", |part| part.codec));
    }
    for Part { codec, track, data } in parts {
        if lay == Lay::ManyCodecs {
            body.extend_from_slice(codec);
        }
        body.push(*track);
        if lay != Lay::One {
            body.extend_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
        }
        body.extend_from_slice(data);
    }
    tag(kind, 40, body)
}

/// The parts of a body that is whole.
fn apart(tag: &Tag) -> Vec<Part> {
    let part = |part: Result<flv::video::TrackPart, flv::BodyError>| {
        let part = part.unwrap();
        Part { codec: part.codec.0, track: part.track, data: tag.body()[part.data].to_vec() }
    };
    match tag.kind {
        TagKind::Audio => AudioHeader::parse(tag.body()).unwrap().tracks(tag.body()).map(part).collect(),
        _ => VideoHeader::parse(tag.body()).unwrap().tracks(tag.body()).map(part).collect(),
    }
}

/// A part as a tag of its own, as a server sends it on that takes the tracks apart.
fn alone(kind: TagKind, content: u8, part: &Part) -> Tag {
    tag(kind, 40, [&[0x90 | content], &part.codec[..], &part.data].concat())
}

/// A body of pictures, with what it was made of.
#[derive(Clone, Debug)]
struct Film {
    lay: Lay,
    content: u8,
    modifier: Vec<u8>,
    parts: Vec<Part>,
}

impl Film {
    fn tag(&self) -> Tag {
        together(TagKind::Video, self.lay, self.content, &self.modifier, &self.parts)
    }
}

fn picture(form: Form, content: u8) -> impl Strategy<Value = Part> {
    (frame(form, LengthSize::Four), any::<u8>(), any::<[u8; 3]>()).prop_map(move |(frame, track, time)| {
        let head = if content == 1 { &time[..] } else { &[] };
        let codec = if form.is_hevc() { *b"hvc1" } else { *b"avc1" };
        Part { codec, track, data: prefixed(head, &frame.units, LengthSize::Four) }
    })
}

fn film() -> impl Strategy<Value = Film> {
    let lay = prop::sample::select(vec![Lay::One, Lay::Many, Lay::ManyCodecs]);
    let content = prop::sample::select(vec![1u8, 3]);
    let modifier = prop_oneof![Just(vec![]), prop::collection::vec(any::<u8>(), 1..6)];
    (lay, content, modifier, prop::sample::select(vec![Form::Avc, Form::Hevc])).prop_flat_map(
        |(lay, content, modifier, form)| {
            let any = prop_oneof![picture(Form::Avc, content), picture(Form::Hevc, content)].boxed();
            let one = if lay == Lay::ManyCodecs { any } else { picture(form, content).boxed() };
            let count = if lay == Lay::One { 1..2 } else { 1..5 };
            prop::collection::vec(one, count).prop_map(move |parts| Film {
                lay,
                content,
                modifier: modifier.clone(),
                parts,
            })
        },
    )
}

fn sounds() -> impl Strategy<Value = Tag> {
    let part = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(track, data)| Part {
        codec: *b"mp4a",
        track,
        data,
    });
    (0usize..3, prop::collection::vec(part, 1..5)).prop_map(|(lay, mut parts)| {
        let lay = [Lay::One, Lay::Many, Lay::ManyCodecs][lay];
        parts.truncate(if lay == Lay::One { 1 } else { 5 });
        together(TagKind::Audio, lay, 1, &[], &parts)
    })
}

/// All ways to encrypt make one body (under salts of their own), and all ways to decrypt take
/// it back.
fn there_and_back(clear: &Tag, mode: Mode, sealing: Sealing, want: Verdict) -> Tag {
    let wire = encryptor(mode).encrypt(clear.clone()).unwrap();
    for room in [ROOM, Room { front: 300, back: 300 }, Room::NONE] {
        let mut own = TagBuf::copied(clear, room);
        assert_eq!(encryptor(mode).encrypt_in_place(&mut own).unwrap(), sealing);
        assert_eq!(decryptor().decrypt_in_place(&mut own), want);
        assert_eq!(own.body(), &clear.body()[..]);
    }
    let (mut out, mut whole) = (BytesMut::new(), BytesMut::new());
    assert_eq!(encryptor(mode).encrypt_into(clear, &mut out).unwrap(), sealing);
    let len = out.len() - 15;
    let sealed = tag(clear.kind, 40, out.freeze().slice(11..11 + len));
    sealed.write_into(&mut whole);
    assert_eq!(decryptor().decrypt(sealed.clone()), (clear.clone(), want));
    let mut out = BytesMut::from(&b"before"[..]);
    assert_eq!(decryptor().decrypt_into(&sealed, &mut out), want);
    let mut whole = BytesMut::from(&b"before"[..]);
    clear.write_into(&mut whole);
    assert_eq!(out, whole);
    assert_eq!(decryptor().decrypt(wire.clone()), (clear.clone(), want));
    wire
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pictures_come_back_bit_for_bit(film in film()) {
        let sealing = Sealing::Encrypted { key: KeyId(1) };
        let wire = there_and_back(&film.tag(), Mode::Nalu, sealing, READ);
        let said = matches!(inspect(&wire), Marking::Encrypted { mode: Mode::Nalu, key: KeyId(1), .. });
        prop_assert!(said);
        // The table is there as it was, but for the lengths; so is each composition time.
        let (before, after) = (film.tag(), wire);
        let head = |tag: &Tag| VideoHeader::parse(tag.body()).unwrap();
        prop_assert_eq!(head(&before), head(&after));
        let (clear, sealed) = (apart(&before), apart(&after));
        prop_assert_eq!(clear.len(), sealed.len());
        for (clear, sealed) in clear.iter().zip(&sealed) {
            prop_assert_eq!((clear.codec, clear.track), (sealed.codec, sealed.track));
            let time = if film.content == 1 { 3 } else { 0 };
            prop_assert_eq!(&clear.data[..time], &sealed.data[..time]);
            let list = |part: &Part| units(&part.data, time, LengthSize::Four).len();
            prop_assert_eq!(list(sealed), list(clear) + 1);
        }
    }

    #[test]
    fn sounds_come_back_bit_for_bit(clear in sounds()) {
        let sealing = Sealing::Encrypted { key: KeyId(1) };
        for mode in [Mode::Nalu, Mode::Capsule] {
            let wire = there_and_back(&clear, mode, sealing, READ);
            prop_assert_eq!(wire.body().len(), clear.body().len() + 20 * apart(&clear).len());
        }
    }

    #[test]
    fn capsules_come_back_bit_for_bit(mut film in film()) {
        for part in &mut film.parts {
            part.codec = *b"avc1";
            let time = if film.content == 1 { 3 } else { 0 };
            part.data = prefixed(&part.data[..time], &[vec![0x65; 40 + part.data.len()]], LengthSize::Four);
        }
        there_and_back(&film.tag(), Mode::Capsule, Sealing::Encrypted { key: KeyId(1) }, READ);
    }

    /// A server takes tracks out, puts others beside them, in any order, and each is read.
    #[test]
    fn tracks_can_be_taken_apart_and_put_together(
        films in prop::collection::vec(film(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let mut lock = encryptor(Mode::Nalu);
        let (mut clear, mut sealed) = (Vec::new(), Vec::new());
        for mut film in films {
            // All with a composition time, so that they can stand in one body.
            if film.content == 3 {
                film.parts.iter_mut().for_each(|part| part.data.splice(0..0, [0, 0, 9]).for_each(drop));
                film.content = 1;
            }
            clear.extend(apart(&film.tag()));
            sealed.extend(apart(&lock.encrypt(film.tag()).unwrap()));
        }
        let mut unlock = decryptor();
        for (clear, sealed) in clear.iter().zip(&sealed) {
            let (clear, sealed) = (alone(TagKind::Video, 1, clear), alone(TagKind::Video, 1, sealed));
            prop_assert_eq!(unlock.decrypt(sealed), (clear, READ));
        }
        let pick = |from: &[Part]| {
            let parts: Vec<_> = order.iter().map(|at| from[at.index(from.len())].clone()).collect();
            together(TagKind::Video, Lay::ManyCodecs, 1, &[], &parts)
        };
        prop_assert_eq!(unlock.decrypt(pick(&sealed)), (pick(&clear), READ));
    }

    /// Off: bit for bit; and a track that carries a marker of its own is marked.
    #[test]
    fn off_is_bit_for_bit_and_forged_marks_come_back(film in film(), forged in any::<prop::sample::Index>()) {
        let mut off = encryptor(Mode::Nalu);
        off.set_encryption(Encryption::Off).unwrap();
        prop_assert_eq!(off.encrypt(film.tag()).unwrap(), film.tag());
        prop_assert_eq!(decryptor().decrypt(film.tag()), (film.tag(), Verdict::Clear));
        prop_assert_eq!(inspect(&film.tag()), Marking::Clear);

        // One part is encrypted already, the others are not.
        let at = forged.index(film.parts.len());
        let mut mixed = film.clone();
        mixed.parts[at] = apart(&encryptor(Mode::Nalu).encrypt(film.tag()).unwrap())[at].clone();
        let mixed = mixed.tag();
        let wire = off.encrypt(mixed.clone()).unwrap();
        prop_assert!(wire != mixed);
        let want = if film.parts.len() == 1 { Verdict::Literal } else { Verdict::Clear };
        prop_assert_eq!(decryptor().decrypt(wire), (mixed.clone(), want));
        // Encrypted once more: both layers come off.
        let wire = encryptor(Mode::Nalu).encrypt(mixed.clone()).unwrap();
        prop_assert_eq!(decryptor().decrypt(wire), (mixed.clone(), READ));
        // And as it stands, the one is read and the rest was clear.
        let want = if film.parts.len() == 1 { READ } else { Verdict::Clear };
        prop_assert_eq!(decryptor().decrypt(mixed), (film.tag(), want));
    }

    #[test]
    fn noise_in_a_table_is_borne(
        front in prop::sample::select(vec![&b"\x96\x01avc1"[..], b"\x96\x13hvc1", b"\x96\x21", b"\x95\x11mp4a", b"\x95\x21", b"\x95\x01mp4a"]),
        rest in prop::collection::vec(prop_oneof![0u8..8, any::<u8>(), prop::sample::select(b"avc1mp4aYX\x9e\x12".to_vec())], 0..120),
    ) {
        let kind = if front[0] == 0x95 { TagKind::Audio } else { TagKind::Video };
        let tag = tag(kind, 40, [front, &rest].concat());
        for unknown in [UnknownBody::Refuse, UnknownBody::PassClear] {
            for state in [Encryption::On, Encryption::Off] {
                let mut lock = encryptor(Mode::Nalu).with_unknown_body(unknown);
                lock.set_encryption(state).unwrap();
                if let Ok(wire) = lock.encrypt(tag.clone()) {
                    let (back, verdict) = decryptor().decrypt(wire);
                    prop_assert!(verdict.is_readable(), "{verdict}");
                    prop_assert_eq!(&back, &tag);
                }
            }
        }
        let _ = (decryptor().decrypt(tag.clone()), inspect(&tag));
    }
}

proptest! {
    // Each is cut at every byte.
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Cut anywhere, in the table or in a part, or with a byte changed: never read as something
    /// else than it was by one who is told that it is whole.
    #[test]
    fn torn_tables_are_told(film in film(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let wire = encryptor(Mode::Nalu).encrypt(film.tag()).unwrap();
        for end in 0..wire.body().len() {
            let cut = wire.with_body(wire.body().slice(..end)).unwrap();
            let (back, verdict) = decryptor().decrypt(cut.clone());
            let mut own = TagBuf::copied(&cut, ROOM);
            prop_assert_eq!(decryptor().decrypt_in_place(&mut own), verdict);
            prop_assert_eq!(own.body(), &back.body()[..]);
            if !matches!(verdict, Verdict::Encrypted { .. }) {
                prop_assert_eq!(&back, &cut);
            }
            // As long as there is a whole part, or a marker in the one that is torn.
            let (mut whole, mut end_of_table) = (0, false);
            if let Ok(header) = VideoHeader::parse(cut.body()) {
                for part in header.tracks(cut.body()) {
                    whole += usize::from(part.is_ok());
                    end_of_table |= part.is_err();
                }
            }
            if end_of_table && whole > 0 {
                prop_assert_eq!(verdict, FRAMING, "cut at {}", end);
                prop_assert_eq!(inspect(&cut), Marking::Mangled);
            }
            // Who encrypts it: refused, or passed as it is, and never longer than a tag.
            let _ = encryptor(Mode::Nalu).encrypt(cut);
        }
        let mut body = wire.body().to_vec();
        let at = at.index(body.len());
        body[at] = to;
        let _ = inspect(&video(body.clone()));
        let (_, verdict) = decryptor().decrypt(video(body));
        let _ = verdict.to_string();
    }
}

fn slice(track: u8, len: usize) -> Part {
    Part { codec: *b"avc1", track, data: prefixed(&[], &[vec![0x65; len]], LengthSize::Four) }
}

/// Damage before a missing key before clear; and nothing is changed unless all can be read.
#[test]
fn the_worst_of_a_tags_tracks_counts() {
    let many = |parts: &[Part]| together(TagKind::Video, Lay::Many, 3, &[], parts);
    let clear = [slice(0, 60), slice(1, 70), slice(2, 80)];
    let under = |id: u8| {
        let mut lock = TagEncryptor::new(key(id), KeyId(id), Mode::Nalu).unwrap();
        apart(&lock.encrypt(many(&clear)).unwrap())
    };
    let (one, two) = (under(1), under(2));
    let mut torn = one[1].clone();
    let end = torn.data.len();
    torn.data.truncate(end - 3);
    let said = |parts: [&Part; 3]| {
        let tag = many(&parts.map(Clone::clone));
        let (back, verdict) = decryptor().decrypt(tag.clone());
        assert!(matches!(verdict, Verdict::Encrypted { .. } | Verdict::Clear) || back == tag);
        let mut own = TagBuf::copied(&tag, ROOM);
        assert_eq!((decryptor().decrypt_in_place(&mut own), own.body()), (verdict, &back.body()[..]));
        (verdict, back)
    };
    let unknown = Verdict::UnknownKey { id: KeyId(2) };
    assert_eq!(said([&one[0], &one[1], &one[2]]), (READ, many(&clear)));
    assert_eq!(said([&one[0], &torn, &one[2]]).0, FRAMING);
    assert_eq!(said([&two[0], &torn, &one[2]]).0, FRAMING);
    assert_eq!(said([&one[0], &one[1], &two[2]]).0, unknown);
    assert_eq!(said([&clear[0], &one[1], &two[2]]).0, unknown);
    assert_eq!(said([&clear[0], &one[1], &one[2]]), (Verdict::Clear, many(&clear)));
    // So a reader who takes no clear tags takes none with a clear track in it.
    let key_frame = many(&clear);
    for (allow, passes) in [(AllowClear::Yes, true), (AllowClear::No, false)] {
        let mut gate = Gate::new(allow);
        assert_eq!(gate.passes(TagKind::Video, key_frame.body(), Verdict::Clear), passes);
        assert!(gate.passes(TagKind::Video, key_frame.body(), READ));
    }
}

#[test]
fn a_track_without_a_rule_is_named_or_passed() {
    let mut parts = [slice(0, 60), slice(1, 70)];
    parts[1].codec = *b"av01";
    let clear = together(TagKind::Video, Lay::ManyCodecs, 3, &[], &parts);
    let err = encryptor(Mode::Nalu).encrypt(clear.clone()).unwrap_err();
    assert!(err.to_string().contains("there is no rule for AV1 video"), "{err}");
    let mut own = TagBuf::copied(&clear, ROOM);
    assert_eq!(encryptor(Mode::Nalu).encrypt_in_place(&mut own), Err(err.clone()));
    assert_eq!(own.body(), []);
    let mut out = BytesMut::from(&b"before"[..]);
    assert_eq!(encryptor(Mode::Nalu).encrypt_into(&clear, &mut out), Err(err));
    assert_eq!(&out[..], b"before");

    // The other track is encrypted all the same, and the tag says that it is not wholly so.
    let mut lock = encryptor(Mode::Nalu).with_unknown_body(UnknownBody::PassClear);
    let mut own = TagBuf::copied(&clear, ROOM);
    assert_eq!(lock.encrypt_in_place(&mut own), Ok(Sealing::Clear));
    let wire = apart(&Tag::from(own));
    assert_eq!(wire[1].data, parts[1].data);
    assert_ne!(wire[0].data, parts[0].data);
    let wire = together(TagKind::Video, Lay::ManyCodecs, 3, &[], &wire);
    assert_eq!(inspect(&wire), Marking::Clear);
    assert_eq!(decryptor().decrypt(wire), (clear, Verdict::Clear));

    let opus = [Part { codec: *b"Opus", track: 1, data: vec![0xfc; 9] }];
    let err = encryptor(Mode::Nalu).encrypt(together(TagKind::Audio, Lay::Many, 1, &[], &opus)).unwrap_err();
    assert!(err.to_string().contains("no rule for Opus audio with an enhanced header"), "{err}");
}

#[test]
fn a_table_that_does_not_add_up_is_refused_by_its_place() {
    let refused = |body: &[u8], why: &str| {
        let err = encryptor(Mode::Nalu).encrypt(video(body.to_vec())).unwrap_err().to_string();
        assert!(err.contains(why), "{err}");
        let mut lock = encryptor(Mode::Nalu).with_unknown_body(UnknownBody::PassClear);
        assert_eq!(lock.encrypt(video(body.to_vec())).unwrap().body(), body);
    };
    refused(b"\x96\x13avc1\0\0\0\x09\x65", "track data at byte 10: cut off after 1 of 9 bytes");
    refused(b"\x96\x13avc1\x01\0", "track size at byte 7: cut off after 1 of 3 bytes");
    refused(b"\x96\x23avc", "track FourCC at byte 2: cut off");
    refused(b"\x96\x11avc1\x01\0\0\x02\0\0", "composition time at byte 10: cut off after 2 of 3 bytes");
    refused(b"\x96\x13avc1\x01\0\0\x05\0\0\0\x09\x65", "NAL unit at byte 14: cut off after 1 of 9 bytes");
    // Torn behind a part with a marker: no mark would surely come off again.
    let sealed = encryptor(Mode::Nalu).encrypt(together(TagKind::Video, Lay::Many, 3, &[], &[slice(1, 50)]));
    let torn = video([sealed.unwrap().body(), &b"\x02\0"[..]].concat());
    for state in [Encryption::On, Encryption::Off] {
        let mut lock = encryptor(Mode::Nalu).with_unknown_body(UnknownBody::PassClear);
        lock.set_encryption(state).unwrap();
        assert!(matches!(lock.encrypt(torn.clone()), Err(CryptoError::Ambiguous { .. })));
    }
    assert_eq!(decryptor().decrypt(torn.clone()), (torn, FRAMING));
}

/// A track's number takes a byte: a table of more parts is a trap for those who derive keys.
#[test]
fn there_are_at_most_256_parts() {
    let body = |count: usize| {
        let parts: Vec<_> = (0..count).map(|track| slice(track as u8, 1)).collect();
        together(TagKind::Video, Lay::Many, 3, &[], &parts)
    };
    there_and_back(&body(256), Mode::Nalu, Sealing::Encrypted { key: KeyId(1) }, READ);
    let err = encryptor(Mode::Nalu).encrypt(body(257)).unwrap_err();
    assert!(err.to_string().contains("tracks at byte 2310: 257 is not legal: at most 256"), "{err}");
    assert_eq!(decryptor().decrypt(body(257)), (body(257), Verdict::Clear));
}

#[test]
fn lengths_have_the_size_of_their_own_track() {
    let config = |size: u8| vec![1, 0x64, 0, 0x28, 0xfc | (size - 1), 0xe0, 0];
    let part = |track, data| Part { codec: *b"avc1", track, data };
    let units = [vec![0x65; 60], vec![0x41; 50]];
    let heads = together(TagKind::Video, Lay::Many, 0, &[], &[part(0, config(2)), part(3, config(1))]);
    let frames = together(
        TagKind::Video,
        Lay::Many,
        3,
        &[],
        &[
            part(0, prefixed(&[], &units, LengthSize::Two)),
            part(3, prefixed(&[], &units, LengthSize::One)),
            part(4, prefixed(&[], &units, LengthSize::Four)),
        ],
    );
    let (mut lock, mut unlock) = (encryptor(Mode::Nalu), decryptor());
    assert!(lock.encrypt(frames.clone()).is_err());
    assert_eq!(lock.encrypt(heads.clone()).unwrap(), heads);
    let wire = lock.encrypt(frames.clone()).unwrap();
    assert_eq!(unlock.decrypt(heads.clone()), (heads, Verdict::Exempt));
    assert_eq!(unlock.decrypt(wire), (frames, READ));
    // Track 0 is the one that bodies of one track belong to.
    let alone = video(prefixed(b"\x93avc1", &units, LengthSize::Two));
    let wire = lock.encrypt(alone.clone()).unwrap();
    assert_eq!(unlock.decrypt(wire), (alone, READ));
}

#[test]
fn no_body_of_tracks_outgrows_a_tag() {
    let body = |len: usize| {
        let mut big = slice(1, 0);
        big.data = prefixed(&[], &[vec![0x41; len]], LengthSize::Four);
        together(TagKind::Video, Lay::Many, 3, &[], &[slice(0, 60), big])
    };
    let rest = body(0).body().len();
    let fits = body(MAX_BODY - rest - 200);
    let wire = encryptor(Mode::Nalu).encrypt(fits.clone()).unwrap();
    assert_eq!(decryptor().decrypt(wire), (fits, READ));
    let long = body(MAX_BODY - rest - 60);
    let is_too_long = |err| matches!(err, CryptoError::TooLong { at: FlvMillis(40), .. });
    assert!(is_too_long(encryptor(Mode::Nalu).encrypt(long.clone()).unwrap_err()));
    let mut own = TagBuf::copied(&long, Room::NONE);
    assert!(is_too_long(encryptor(Mode::Nalu).encrypt_in_place(&mut own).unwrap_err()));
    assert_eq!(own.body(), []);
}

/// Players decode it as a picture, so it may not go out clear.
#[test]
fn data_behind_an_end_of_sequence_is_refused_in_tracks_too() {
    let end = together(TagKind::Video, Lay::Many, 2, &[], &[slice(0, 60)]);
    let err = encryptor(Mode::Nalu).encrypt(end).unwrap_err();
    assert!(matches!(err, CryptoError::NoRule { what: NoRule::DataBehindEnd(64), .. }), "{err}");
}

/// Pictures of two tracks under one key, and a reader without it.
#[test]
fn without_the_key_all_tracks_stay() {
    let clear = together(TagKind::Video, Lay::Many, 3, &[], &[slice(0, 60), slice(1, 61)]);
    let wire = encryptor(Mode::Nalu).encrypt(clear).unwrap();
    let unknown = Verdict::UnknownKey { id: KeyId(1) };
    assert_eq!(TagDecryptor::default().decrypt(wire.clone()), (wire, unknown));
}
