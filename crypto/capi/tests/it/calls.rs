//! Right and wrong calls: each is answered, none does harm.

use std::ffi::CStr;
use std::ptr;

use crypto::Mode;
use fixtures::tags::Stream;
use obvan_crypto::*;
use proptest::prelude::*;

use crate::player::{KEY, Player, encrypted};

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_stream_comes_back_however_it_is_cut_and_taken(
        seed in any::<u64>(), piece in 1usize..5000, room in 1usize..5000, mode in 0..2,
    ) {
        let file = Stream::new(seed).file(300);
        let wire = encrypted(&file, if mode == 0 { Mode::Nalu } else { Mode::Capsule });
        let player = Player::keyed(OBVAN_REFUSE_CLEAR);
        let mut out = Vec::new();
        for piece in wire.chunks(piece) {
            prop_assert_eq!(player.feed(piece), Status::Ok);
            let pending = player.pending();
            let taken = player.take(room);
            prop_assert_eq!(taken.len(), pending.min(room));
            out.extend_from_slice(&taken);
        }
        prop_assert_eq!(player.finish(), Status::Ok);
        while player.pending() > 0 {
            out.extend_from_slice(&player.take(room));
        }
        prop_assert!(player.take(room).is_empty());
        prop_assert!(out == file);
        let counts = player.counts();
        prop_assert!(counts.whole && !counts.cut_off);
        prop_assert_eq!((counts.bytes_in, counts.bytes_out), (wire.len() as u64, file.len() as u64));
        prop_assert_eq!(counts.decrypted + counts.exempt, counts.tags);
    }

    #[test]
    fn noise_and_torn_streams_are_borne(
        seed in any::<u64>(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut wire = encrypted(&Stream::new(seed).file(300), Mode::Nalu).to_vec();
        for (at, byte) in hits {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        wire.truncate(cut.index(wire.len() + 1));
        wire.extend_from_slice(&noise);
        let player = Player::keyed(0);
        let fed = player.feed(&wire);
        prop_assert!(matches!(fed, Status::Ok | Status::NotFlv));
        prop_assert_eq!(player.finish(), fed);
        let pending = player.pending();
        prop_assert_eq!(player.take(pending + 1).len(), pending);
        let player = Player::keyed(0);
        for kind in [AUDIO, VIDEO, 18] {
            let mut body = noise.clone();
            prop_assert_eq!(player.tag(kind, &mut body).0, Status::Ok);
        }
    }
}

#[test]
fn tags_come_back_one_by_one() {
    let stream = Stream::new(1);
    let file = stream.file(1000);
    let wire = encrypted(&file, Mode::Nalu);
    let player = Player::keyed(0);
    let mut reader = flv::TagReader::new();
    reader.push(wire);
    let mut clear = stream.tags();
    let mut decrypted = 0;
    while let Some(item) = reader.next().unwrap() {
        let flv::Item::Tag(tag) = item else { continue };
        let mut body = tag.body().to_vec();
        let (status, verdict) = player.tag(tag.kind.number(), &mut body);
        assert_eq!(status, Status::Ok);
        assert!(verdict.pass);
        assert_eq!(&body, clear.next().unwrap().body());
        if verdict.kind == VerdictKind::Decrypted {
            assert_eq!(verdict.key_id, 1);
            decrypted += 1;
        } else {
            assert_eq!(verdict.kind, VerdictKind::Exempt);
        }
    }
    let counts = player.counts();
    assert!(decrypted > 50 && counts.whole);
    assert_eq!((counts.decrypted, counts.tags), (decrypted, decrypted + counts.exempt));
    assert!(counts.bytes_in > counts.bytes_out);
}

/// The vector of FLV-ENCRYPTION: AAC under key 00 01 … 0f.
const SOUND: &[u8] = b"\xaf\x01\x9e\x12\x59\x58\x11\x01\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\x26\x85\
    \x00\x00\x00\x05\x11\xb0\xe4\x76\x73\xcb\xb9\xe6\x54\x4b\x27\xf3";
const SOUND_CLEAR: &[u8] = b"\xaf\x01\x21\x10\x04\x60\x8c\x1c\x00\x01\x02\x03\x04\x05";
const SOUND_KEY: &[u8] = b" 000102030405060708090A0B0C0D0E0F\r\n";

#[test]
fn a_key_may_come_late_be_wrong_and_go() {
    let player = Player::new(0);
    let try_it = || {
        let mut body = SOUND.to_vec();
        let (status, verdict) = player.tag(AUDIO, &mut body);
        assert_eq!(status, Status::Ok);
        let clear = verdict.kind == VerdictKind::Decrypted;
        assert_eq!(body, if clear { SOUND_CLEAR } else { SOUND });
        assert_eq!((verdict.key_id, verdict.pass), (1, clear));
        verdict.kind
    };
    assert_eq!(try_it(), VerdictKind::UnknownKey);
    assert_eq!(player.add_key(1, &KEY), Status::Ok);
    assert_eq!(try_it(), VerdictKind::WrongKey);
    assert_eq!(player.add_hex(1, SOUND_KEY), Status::Ok);
    assert_eq!(try_it(), VerdictKind::Decrypted);
    assert_eq!(player.remove_key(1), Status::Ok);
    assert_eq!(player.remove_key(1), Status::Ok);
    assert_eq!(try_it(), VerdictKind::UnknownKey);
    let counts = player.counts();
    assert_eq!((counts.tags, counts.decrypted, counts.locked, counts.dropped), (4, 1, 3, 3));
    assert!(!counts.whole);
    assert_eq!(player.locked(4), (vec![LockedKey { id: 1, tags: 3 }], 1));
    assert_eq!(player.locked(0), (vec![], 1));
}

#[test]
fn a_key_may_come_in_the_middle_of_a_stream() {
    let file = Stream::new(2).file(3000);
    let wire = encrypted(&file, Mode::Nalu);
    let player = Player::new(0);
    let (first, rest) = wire.split_at(wire.len() / 2);
    assert_eq!(player.feed(first), Status::Ok);
    let locked = player.counts().locked;
    assert!(locked > 0 && player.counts().decrypted == 0);
    assert_eq!(player.add_key(1, &KEY), Status::Ok);
    assert_eq!(player.feed(rest), Status::Ok);
    assert_eq!(player.finish(), Status::Ok);
    let counts = player.counts();
    assert!(counts.decrypted > 0 && counts.locked == locked && counts.dropped >= locked);
    // From the next key frame on it is all there.
    let out = player.take(file.len());
    assert!(file.ends_with(&out[out.len() - 4000..]));
    assert_eq!(player.remove_key(1), Status::Finished);
}

#[test]
fn clear_frames_are_refused_on_request() {
    for (flags, pass) in [(0, true), (OBVAN_REFUSE_CLEAR, false)] {
        let player = Player::keyed(flags);
        let (_, verdict) = player.tag(AUDIO, &mut SOUND_CLEAR.to_vec());
        assert_eq!((verdict.kind, verdict.pass), (VerdictKind::Clear, pass));
    }
}

#[test]
fn damage_and_unknown_versions_are_named() {
    let player = Player::new(0);
    let mut body = SOUND.to_vec();
    body[6] = 0x91;
    let (_, verdict) = player.tag(AUDIO, &mut body);
    assert_eq!((verdict.kind, verdict.version, verdict.mode), (VerdictKind::Unsupported, 9, 1));
    let mut body = SOUND[..12].to_vec();
    let (_, verdict) = player.tag(AUDIO, &mut body);
    assert_eq!((verdict.kind, verdict.damage), (VerdictKind::Damaged, DamageKind::Marker));
    assert_eq!(player.counts().damaged, 2);
}

#[test]
fn null_pointers_are_answered() {
    let player = Player::new(0);
    let handle = player.0;
    let no = ptr::null_mut::<Decryptor>();
    let (mut len, mut verdict, mut counts) = (1, Verdict::default(), Counts::default());
    let mut byte = 0u8;
    let key = [0; 16];
    // SAFETY: every pointer is null or to a live value, and no length is more than it has.
    let answers = unsafe {
        [
            obvan_decryptor_new(0, ptr::null_mut()),
            obvan_decryptor_add_key(no, 1, key.as_ptr(), 16),
            obvan_decryptor_add_key(handle, 1, ptr::null(), 16),
            obvan_decryptor_add_key_hex(no, 1, key.as_ptr().cast(), 16),
            obvan_decryptor_add_key_hex(handle, 1, ptr::null(), 32),
            obvan_decryptor_remove_key(no, 1),
            obvan_decryptor_feed(no, key.as_ptr(), 16),
            obvan_decryptor_feed(handle, ptr::null(), 1),
            obvan_decryptor_finish(no),
            obvan_decryptor_pending(no, &mut len),
            obvan_decryptor_pending(handle, ptr::null_mut()),
            obvan_decryptor_take(no, &mut byte, 1, &mut len),
            obvan_decryptor_take(handle, ptr::null_mut(), 1, &mut len),
            obvan_decryptor_take(handle, &mut byte, 1, ptr::null_mut()),
            obvan_decryptor_decrypt_tag(no, 8, &mut byte, &mut len, &mut verdict),
            obvan_decryptor_decrypt_tag(handle, 8, ptr::null_mut(), &mut 1, &mut verdict),
            obvan_decryptor_decrypt_tag(handle, 8, &mut byte, ptr::null_mut(), &mut verdict),
            obvan_decryptor_decrypt_tag(handle, 8, &mut byte, &mut 1, ptr::null_mut()),
            obvan_decryptor_counts(no, &mut counts),
            obvan_decryptor_counts(handle, ptr::null_mut()),
            obvan_decryptor_locked_keys(no, ptr::null_mut(), 0, &mut len),
            obvan_decryptor_locked_keys(handle, ptr::null_mut(), 0, ptr::null_mut()),
            obvan_decryptor_error_text(no, ptr::null_mut(), 0, &mut len),
            obvan_decryptor_error_text(handle, ptr::null_mut(), 9, &mut len),
            obvan_decryptor_error_text(handle, ptr::null_mut(), 0, ptr::null_mut()),
        ]
    };
    for (call, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Status::Pointer, "call {call}");
    }
    // SAFETY: null pointers are for nothing; there is nothing to free.
    unsafe {
        obvan_decryptor_free(ptr::null_mut());
        obvan_decryptor_free(&mut ptr::null_mut());
    }
    // None of them has settled what the handle is for.
    assert_eq!(player.feed(b"FLV"), Status::Ok);
    // Where there are no bytes, null is as good as any.
    // SAFETY: as above.
    unsafe {
        assert_eq!(obvan_decryptor_feed(handle, ptr::null(), 0), Status::Ok);
        assert_eq!(obvan_decryptor_take(handle, ptr::null_mut(), 0, &mut len), Status::Ok);
    }
    assert_eq!(len, 0);
}

#[test]
fn null_has_no_room_for_keys_either() {
    let player = Player::new(0);
    assert_eq!(player.tag(AUDIO, &mut SOUND.to_vec()).1.kind, VerdictKind::UnknownKey);
    let mut count = 0;
    // SAFETY: the pointers are null or live.
    let status = unsafe { obvan_decryptor_locked_keys(player.0, ptr::null_mut(), 1, &mut count) };
    assert_eq!(status, Status::Pointer);
}

#[test]
fn lengths_numbers_and_texts_out_of_range_are_answered() {
    let mut handle = ptr::without_provenance_mut(8);
    // SAFETY: the place is live.
    assert_eq!(unsafe { obvan_decryptor_new(2, &mut handle) }, Status::Argument);
    assert!(handle.is_null());

    let player = Player::new(0);
    assert_eq!(player.add_key(1, &[0; 15]), Status::Length);
    assert_eq!(player.add_key(1, &[0; 32]), Status::Length);
    assert_eq!(player.add_key(1, &[]), Status::Length);
    assert_eq!(player.trouble(99), (String::new(), 1));
    assert_eq!(player.add_hex(1, b"0123"), Status::KeyText);
    assert_eq!(player.trouble(99), ("a key is 32 hex digits; this has 4 characters".into(), 46));
    assert_eq!(player.trouble(6), ("a key".into(), 46));
    assert_eq!(player.trouble(1), ("".into(), 46));
    assert_eq!(player.trouble(0), ("".into(), 46));
    assert_eq!(player.add_hex(1, b"\xff\xfe"), Status::KeyText);
    assert_eq!(player.tag(0, &mut vec![1]).0, Status::Argument);
    assert_eq!(player.tag(15, &mut vec![1]).0, Status::Argument);
    let mut body = vec![0; 1 << 24];
    assert_eq!(player.tag(VIDEO, &mut body).0, Status::Length);
    assert_eq!(player.tag(VIDEO, &mut vec![]).0, Status::Ok);
    let mut byte = 1;
    let mut len = usize::MAX;
    let mut written = 0;
    // SAFETY: a length that no memory can have is refused before anything is touched.
    unsafe {
        assert_eq!(obvan_decryptor_feed(player.0, &byte, len), Status::Length);
        assert_eq!(obvan_decryptor_take(player.0, &mut byte, len, &mut written), Status::Length);
        let mut verdict = Verdict::default();
        let status = obvan_decryptor_decrypt_tag(player.0, 9, &mut byte, &mut len, &mut verdict);
        assert_eq!(status, Status::Length);
    }
}

#[test]
fn a_handle_is_for_a_stream_or_for_tags() {
    let player = Player::new(0);
    assert_eq!(player.feed(b"FLV"), Status::Ok);
    assert_eq!(player.tag(AUDIO, &mut vec![1]).0, Status::Mixed);
    let player = Player::new(0);
    assert_eq!(player.tag(AUDIO, &mut vec![1]).0, Status::Ok);
    assert_eq!(player.feed(b"FLV"), Status::Mixed);
    assert_eq!(player.finish(), Status::Mixed);
    assert_eq!(player.pending(), 0);
    assert!(player.take(9).is_empty());
}

#[test]
fn the_end_and_errors_stay() {
    let player = Player::keyed(0);
    assert_eq!(player.finish(), Status::Ok);
    assert_eq!(player.finish(), Status::Finished);
    assert_eq!(player.feed(b"FLV"), Status::Finished);
    assert_eq!(player.add_key(1, &KEY), Status::Finished);
    assert!(player.counts().whole && player.take(9).is_empty());

    let player = Player::keyed(0);
    for _ in 0..2 {
        assert_eq!(player.feed(b"RIFF....AVI "), Status::NotFlv);
        assert_eq!(player.finish(), Status::NotFlv);
        assert_eq!(player.tag(AUDIO, &mut vec![1]).0, Status::Mixed);
        assert_eq!(player.remove_key(1), Status::NotFlv);
    }
    assert!(player.trouble(200).0.starts_with("FLV damaged at byte 0"), "{:?}", player.trouble(200));
    assert_eq!(player.counts().bytes_in, 12);
}

#[test]
fn what_waits_to_be_taken_is_bounded() {
    let player = Player::new(0);
    assert_eq!(player.feed(b"FLV\x01\x05\0\0\0\x09\0\0\0\0"), Status::Ok);
    // Script tags of a mebibyte, which pass clear.
    let mut tag = vec![18, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    tag.resize(11 + (1 << 20), 2);
    tag.extend_from_slice(&(11u32 + (1 << 20)).to_be_bytes());
    let mut fed = 0;
    while player.pending() <= OBVAN_PENDING_MAX as usize {
        assert_eq!(player.feed(&tag), Status::Ok);
        fed += 1;
        assert!(fed < 40);
    }
    assert_eq!(player.feed(&tag), Status::Full);
    assert!(player.trouble(200).0.contains("at most 33554432"), "{:?}", player.trouble(200));
    let before = player.counts();
    assert_eq!(player.take(2 << 20).len(), 2 << 20);
    assert_eq!(player.counts(), before);
    assert_eq!(player.feed(&tag), Status::Ok);
    assert_eq!(player.counts().tags, fed + 1);
    let rest = player.pending();
    assert_eq!(player.finish(), Status::Ok);
    assert_eq!((player.pending(), player.take(1 << 26).len()), (rest, rest));
}

#[test]
fn threads_may_share_a_handle() {
    struct Shared(Player);
    // SAFETY: `Decryptor` is `Sync`; only the raw pointer around it is not.
    unsafe impl Sync for Shared {}
    let shared = Shared(Player::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let shared = &shared;
                for _ in 0..50 {
                    assert_eq!(shared.0.tag(AUDIO, &mut SOUND.to_vec()).0, Status::Ok);
                }
            });
        }
    });
    assert_eq!(shared.0.counts().tags, 200);
}

#[test]
fn every_number_has_words() {
    // SAFETY: the texts are static.
    let words = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap();
    assert_eq!(words(obvan_version()), env!("CARGO_PKG_VERSION"));
    assert_eq!(obvan_abi(), OBVAN_ABI);
    type Text = extern "C" fn(i32) -> *const std::ffi::c_char;
    let tables: [(Text, i32); 3] = [(obvan_status_text, 9), (obvan_verdict_text, 7), (obvan_damage_text, 6)];
    for (text, last) in tables {
        let text = |number| words(text(number));
        let mut seen: Vec<&str> = (0..=last).map(text).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), last as usize + 1, "{seen:?}");
        for beyond in [-1, last + 1, i32::MAX, i32::MIN] {
            assert_eq!(text(beyond), "a number that is not known");
        }
    }
}
