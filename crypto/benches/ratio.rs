//! How near encryption comes to the bare cipher: one number, whatever else the machine does.
//!
//! Criterion measures two benches one after the other, and between them a shared machine may
//! slow down by more than what is looked for. Here both take turns on the same bodies, a
//! tenth of a millisecond each, and what is told is the ratio of each turn: its median, and the
//! range of the middle half. 1.00 is the speed of AES-CTR alone over bytes that lie ready.
//!
//! `cargo bench -p crypto --bench ratio [-- PART-OF-A-NAME]`
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use crypto::{KeyId, KeyRing, MasterKey, Mode, ROOM, TagDecryptor, TagEncryptor};
use ctr::{Ctr64BE, CtrCore};
use fixtures::tags::Stream;
use flv::{Room, Tag, TagBuf, TagKind};

/// So many tags go round: they fit the cache, as a tag fresh from its encoder does.
const SET: usize = 48;
/// Turns of either side.
const TURNS: usize = 3_000;

fn key() -> MasterKey {
    MasterKey::from_bytes([7; 16])
}

/// Pictures without key frames among them, so that all have the size asked for.
fn pictures(bytes: RangeInclusive<usize>) -> Vec<Tag> {
    let stream = Stream { units: 1..=1, unit_bytes: bytes, key_factor: 1, ..Stream::new(1) };
    coded(&stream, TagKind::Video)
}

fn sound(bytes: RangeInclusive<usize>) -> Vec<Tag> {
    coded(&Stream { sound_bytes: bytes, ..Stream::new(2) }, TagKind::Audio)
}

/// The first coded tags of a kind: no sequence header has 1 in its second byte.
fn coded(stream: &Stream, kind: TagKind) -> Vec<Tag> {
    stream.tags().filter(|tag| tag.kind == kind && tag.body()[1] == 1).take(SET).collect()
}

/// Time for one go over copies of `tags` that nobody else holds. To make and to drop them
/// does not count.
fn timed(tags: &[Tag], room: Room, mut go: impl FnMut(&mut TagBuf)) -> Duration {
    let mut own: Vec<TagBuf> = tags.iter().map(|tag| TagBuf::copied(tag, room)).collect();
    let from = Instant::now();
    own.iter_mut().for_each(&mut go);
    let took = from.elapsed();
    black_box(own);
    took
}

/// What a turn of each side took, in nanoseconds a tag.
struct Turn {
    ours: f64,
    cipher: f64,
}

/// Both sides in turns, either of them first as often as the other.
fn take_turns(
    turns: usize,
    mut ours: impl FnMut() -> Duration,
    mut cipher: impl FnMut() -> Duration,
) -> Vec<Turn> {
    let a_tag = |whole: Duration| whole.as_nanos().max(1) as f64 / SET as f64;
    (0..turns)
        .map(|turn| {
            let first = (turn % 2 == 0).then(&mut ours);
            let cipher = cipher();
            Turn { ours: a_tag(first.unwrap_or_else(&mut ours)), cipher: a_tag(cipher) }
        })
        .collect()
}

/// Lower quartile, median and upper quartile.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|part| sorted[((sorted.len() - 1) as f64 * part) as usize])
}

fn compare(name: &str, tags: &[Tag], turns: usize) {
    let mut encryptor = TagEncryptor::new(key(), KeyId(1), Mode::Nalu).unwrap();
    let sealed: Vec<Tag> = tags.iter().map(|tag| encryptor.encrypt(tag.clone()).unwrap()).collect();
    let mut decryptor = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key())]));
    // The key is set up once, as it is for a track.
    let aes = Aes128::new(&[7; 16].into());
    let mut cipher = || {
        timed(tags, Room::NONE, |tag| {
            let mut ctr: Ctr64BE<&Aes128> =
                StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(&aes, &[0; 16].into()));
            ctr.apply_keystream(tag.body_mut());
        })
    };
    let encrypt = || timed(tags, ROOM, |tag| assert!(encryptor.encrypt_in_place(tag).is_ok()));
    tell(name, "encrypt", &take_turns(turns, encrypt, &mut cipher));
    let decrypt = || timed(&sealed, Room::NONE, |tag| assert!(decryptor.decrypt_in_place(tag).is_readable()));
    tell(name, "decrypt", &take_turns(turns, decrypt, &mut cipher));
}

fn tell(name: &str, what: &str, turns: &[Turn]) {
    let [low, median, high] = quartiles(turns.iter().map(|turn| turn.cipher / turn.ours));
    let [_, cipher, _] = quartiles(turns.iter().map(|turn| turn.cipher));
    let [_, more, _] = quartiles(turns.iter().map(|turn| turn.ours - turn.cipher));
    println!(
        "{name}, {what} in place: {median:.3} of the cipher's speed ({low:.3} to {high:.3}); \
         {cipher:.0} ns a tag for the cipher, {more:.0} for the rest"
    );
}

fn main() {
    // Teaches the allocator to keep memory of this size, so that no turn waits for new pages.
    drop(black_box(vec![0_u8; 8 << 20]));
    let args: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` passes it, `cargo test` does not: then it is only to be seen that all runs.
    let turns = if args.iter().any(|arg| arg == "--bench") { TURNS } else { 4 };
    let asked = args.iter().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
    let cases = [
        ("video 6-12 kB", pictures(6_000..=12_000)),
        ("video 2 kB", pictures(2_000..=2_000)),
        ("audio 350 B", sound(350..=350)),
    ];
    for (name, tags) in cases.iter().filter(|(name, _)| name.contains(asked)) {
        compare(name, tags, turns);
        if turns < TURNS {
            println!("{name}: Success");
        }
    }
}
