//! Keys that are missing, wrong, or come later; and what the gate makes of it.

use crypto::{
    AllowClear, Encryption, Gate, KeyId, Marking, Mode, TagDecryptor, TagEncryptor, Verdict, inspect,
};
use fixtures::tags::Stream;
use flv::{Tag, TagKind};

use crate::bodies::*;

fn film(ms: u32) -> Vec<Tag> {
    let mut stream = Stream::new(11);
    stream.gop = 10;
    stream.tags().take_while(|tag| tag.timestamp.0 < ms).collect()
}

fn is_key_frame(tag: &Tag) -> bool {
    tag.kind == TagKind::Video
        && flv::video::VideoHeader::parse(tag.body()).is_ok_and(|head| head.is_key_frame())
}

#[test]
fn a_missing_and_a_wrong_key_are_told_apart() {
    let sound = audio(&b"\xaf\x01\x21\x10\x04"[..]);
    let wire = encryptor(Mode::Nalu).encrypt(sound.clone()).unwrap();
    let mut unlock = TagDecryptor::default();
    assert_eq!(unlock.decrypt(wire.clone()), (wire.clone(), Verdict::UnknownKey { id: KeyId(1) }));
    unlock.add_key(KeyId(1), key(9));
    assert_eq!(unlock.decrypt(wire.clone()), (wire.clone(), Verdict::WrongKey { id: KeyId(1) }));
    unlock.add_key(KeyId(1), key(1));
    assert_eq!(unlock.decrypt(wire.clone()), (sound, Verdict::Encrypted { key: KeyId(1) }));
    unlock.remove_key(KeyId(1));
    assert_eq!(unlock.decrypt(wire.clone()), (wire, Verdict::UnknownKey { id: KeyId(1) }));
}

/// Off, on and to another key while the stream runs, each at a key frame: the
/// reader who holds both keys sees the stream as it was.
#[test]
fn a_player_notices_nothing() {
    let clear = film(4000);
    let mut lock = encryptor(Mode::Nalu);
    let mut unlock = TagDecryptor::new(ring(&[1, 2]));
    let mut gate = Gate::default();
    let mut key_frames = 0;
    let mut seen = Vec::new();
    for tag in &clear {
        if is_key_frame(tag) {
            match key_frames % 4 {
                1 => lock.set_encryption(Encryption::Off).unwrap(),
                2 => lock.set_encryption(Encryption::On).unwrap(),
                3 => lock.rotate(key(2), KeyId(2)).unwrap(),
                // The engine was started again.
                _ => lock = encryptor(Mode::Nalu),
            }
            key_frames += 1;
        }
        let wire = lock.encrypt(tag.clone()).unwrap();
        if lock.encryption() == Encryption::Off {
            assert_eq!(&wire, tag);
        }
        if let Marking::Encrypted { key, .. } = inspect(&wire) {
            seen.push(key);
        }
        let (back, verdict) = unlock.decrypt(wire);
        let passed = gate.admit(back, verdict);
        assert_eq!(passed.as_ref(), Some(tag), "{verdict}");
    }
    assert!(key_frames >= 8, "{key_frames}");
    seen.dedup();
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn each_switch_on_and_rotation_brings_a_new_salt() {
    let sound = || audio(&b"\xaf\x01\x21\x10\x04"[..]);
    let salt = |lock: &mut TagEncryptor| match inspect(&lock.encrypt(sound()).unwrap()) {
        Marking::Encrypted { salt, seq, .. } => (salt, seq),
        other => panic!("{other}"),
    };
    let mut lock = encryptor(Mode::Nalu);
    let first = salt(&mut lock).0;
    assert_eq!(salt(&mut lock), (first, 1));
    lock.set_encryption(Encryption::On).unwrap();
    assert_eq!(salt(&mut lock), (first, 2), "already on: nothing changes");
    lock.set_encryption(Encryption::Off).unwrap();
    lock.set_encryption(Encryption::On).unwrap();
    let second = salt(&mut lock);
    lock.rotate(key(1), KeyId(1)).unwrap();
    let third = salt(&mut lock);
    assert!(first != second.0 && second.0 != third.0 && first != third.0);
    assert_eq!((second.1, third.1), (0, 0));
}

/// The key comes in the middle of a group: pictures start at the next key frame,
/// and sound with them.
#[test]
fn a_late_key_opens_at_a_key_frame() {
    let clear = film(2000);
    let mut lock = encryptor(Mode::Nalu);
    let mut unlock = TagDecryptor::default();
    let mut gate = Gate::new(AllowClear::No);
    let coded = |tag: &Tag| tag.kind != TagKind::Script && inspect(tag) != Marking::Exempt;
    let mut passed = Vec::new();
    for tag in &clear {
        if tag.timestamp.0 >= 500 && unlock.keys().ids().next().is_none() {
            unlock.add_key(KeyId(1), key(1));
        }
        let (back, verdict) = unlock.decrypt(lock.encrypt(tag.clone()).unwrap());
        passed.extend(gate.admit(back, verdict).filter(coded));
    }
    let first = clear.iter().position(|tag| is_key_frame(tag) && tag.timestamp.0 >= 500).unwrap();
    let want: Vec<Tag> = clear[first..].iter().filter(|tag| coded(tag)).cloned().collect();
    assert!(!want.is_empty());
    assert_eq!(passed, want);
}
