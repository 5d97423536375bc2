//! The life of a stream: switched, rotated, joined anywhere, thinned out on its way.

use crypto::{Encryption, Gate, KeyId, Marking, Mode, TagDecryptor, Verdict, inspect};
use fixtures::noise::Noise;
use fixtures::tags::Stream;
use flv::{FlvMillis, Tag, TagKind};

use crate::bodies::*;

fn film(gop: usize, tags: usize) -> Vec<Tag> {
    Stream { gop, unit_bytes: 10..=300, key_factor: 2, ..Stream::new(21) }.tags().take(tags).collect()
}

fn is_key_frame(tag: &Tag) -> bool {
    tag.kind == TagKind::Video
        && flv::video::VideoHeader::parse(tag.body()).is_ok_and(|head| head.is_key_frame())
}

/// The film on the wire: at each key frame, on, off or another key, by chance.
fn switched(clear: &[Tag], noise: &mut Noise) -> (Vec<Tag>, usize) {
    let mut lock = encryptor(Mode::Nalu);
    let mut toggles = 0;
    let wire = clear
        .iter()
        .map(|tag| {
            if is_key_frame(tag) {
                toggles += 1;
                match noise.within(0..=3) {
                    0 => {
                        let id = noise.within(1..=2) as u8;
                        lock.rotate(key(id), KeyId(id)).unwrap();
                    }
                    _ if lock.encryption() == Encryption::On => {
                        lock.set_encryption(Encryption::Off).unwrap();
                    }
                    _ => lock.set_encryption(Encryption::On).unwrap(),
                }
            }
            let wire = lock.encrypt(tag.clone()).unwrap();
            if lock.encryption() == Encryption::Off {
                assert_eq!(&wire, tag, "off means bit for bit");
            }
            wire
        })
        .collect();
    (wire, toggles)
}

#[test]
fn a_thousand_toggles_go_unnoticed() {
    let clear = film(3, 9000);
    let (wire, toggles) = switched(&clear, &mut Noise::new(5));
    assert!(toggles >= 1000, "{toggles}");
    let (mut unlock, mut gate) = (TagDecryptor::new(ring(&[1, 2])), Gate::default());
    for (wire, clear) in wire.into_iter().zip(&clear) {
        let (tag, verdict) = unlock.decrypt(wire);
        assert_eq!(gate.admit(tag, verdict).as_ref(), Some(clear), "{verdict}");
    }
}

/// Whoever comes in the middle gets metadata of now, then the cached sequence headers, then
/// the group of pictures since the last key frame, which is older and was perhaps
/// encrypted otherwise.
#[test]
fn joining_at_any_tag_plays_from_the_cached_group_on() {
    let clear = film(8, 400);
    let (wire, _) = switched(&clear, &mut Noise::new(6));
    let newer = tag(TagKind::Script, 99_000, &b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\0\x09"[..]);
    let mut encrypted = 0;
    for join in 3..wire.len() {
        let group = (3..=join).rev().find(|at| is_key_frame(&wire[*at])).unwrap();
        let (mut unlock, mut gate) = (TagDecryptor::new(ring(&[1, 2])), Gate::default());
        let (passed, verdict) = unlock.decrypt(newer.clone());
        assert_eq!((gate.admit(passed, verdict), verdict), (Some(newer.clone()), Verdict::Exempt));
        let order = [1, 2].into_iter().chain(group..wire.len().min(join + 12));
        for at in order {
            let (tag, verdict) = unlock.decrypt(wire[at].clone());
            encrypted += u32::from(matches!(verdict, Verdict::Encrypted { .. }));
            assert_eq!(gate.admit(tag, verdict).as_ref(), Some(&clear[at]), "tag {at}, joined at {join}");
        }
        // Without the group, from the very tag.
        let (tag, verdict) = TagDecryptor::new(ring(&[1, 2])).decrypt(wire[join].clone());
        assert_eq!((&tag, verdict.is_readable()), (&clear[join], true));
    }
    assert!(encrypted > 1000, "{encrypted}");
}

/// A server whose queue is full throws a run of tags away, re-stamps what follows, and goes
/// on in the middle of a group: whatever arrives is read.
#[test]
fn a_queue_that_shrinks_harms_no_other_tag() {
    let clear = film(25, 3000);
    let mut noise = Noise::new(7);
    let (wire, _) = switched(&clear, &mut noise);
    let (mut unlock, mut gate) = (TagDecryptor::new(ring(&[1, 2])), Gate::default());
    let (mut at, mut shift, mut holes) = (0, 0, 0);
    while at < wire.len() {
        if at > 3 && noise.one_in(40) {
            at += noise.within(1..=60);
            shift += 1000;
            holes += 1;
            continue;
        }
        let stamp = FlvMillis(wire[at].timestamp.0.wrapping_sub(shift));
        let (mut sent, mut want) = (wire[at].clone(), clear[at].clone());
        (sent.timestamp, want.timestamp) = (stamp, stamp);
        let (tag, verdict) = unlock.decrypt(sent);
        assert_eq!(gate.admit(tag, verdict), Some(want), "{verdict}");
        at += 1;
    }
    assert!(holes > 10, "{holes}");
}

/// Script tags, sequence headers and ends of sequence are in the stream as they were.
#[test]
fn what_is_exempt_goes_through_byte_for_byte() {
    let ends = [video(&b"\x17\x02\0\0\0"[..]), video(&b"\x1c\x02\0\0\0"[..]), video(&b"\x92hvc1"[..])];
    for tag in Stream::new(1).headers().into_iter().chain(ends) {
        for mode in [Mode::Nalu, Mode::Capsule] {
            assert_eq!(encryptor(mode).encrypt(tag.clone()).unwrap(), tag);
        }
        assert_eq!(inspect(&tag), Marking::Exempt);
    }
}

/// Fifty-one units, some without a byte, slices among them.
#[test]
fn many_units_and_empty_ones_come_back() {
    for empty in 0..3 {
        let list: Vec<Vec<u8>> = (0..51u8)
            .map(|n| match n % 3 {
                kind if kind == empty => Vec::new(),
                0 => vec![0x06; 5],
                1 => [&[0x41][..], &[n; 60]].concat(),
                _ => [&[0x65][..], &[n; 20]].concat(),
            })
            .collect();
        let clear = video(prefixed(&[0x17, 1, 0, 0, 0], &list, flv::nalu::LengthSize::Four));
        for mode in [Mode::Nalu, Mode::Capsule] {
            let wire = encryptor(mode).encrypt(clear.clone()).unwrap();
            assert_ne!(wire, clear);
            let read = Verdict::Encrypted { key: KeyId(1) };
            assert_eq!(decryptor().decrypt(wire), (clear.clone(), read), "{mode}, {empty}");
        }
    }
    // Nothing but empty units, and no unit at all: marked, and back.
    for list in [vec![Vec::new(); 51], Vec::new()] {
        let clear = video(prefixed(&[0x27, 1, 0, 0, 0], &list, flv::nalu::LengthSize::Four));
        let wire = encryptor(Mode::Nalu).encrypt(clear.clone()).unwrap();
        assert_eq!(decryptor().decrypt(wire).0, clear);
    }
}
