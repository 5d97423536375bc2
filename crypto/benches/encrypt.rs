//! Encryption and decryption, mode `nalu`, beside the bare cipher over the same bodies.
//!
//! The bodies go round in a set that the cache holds, as a tag fresh from its encoder is.
//! Floors: the cipher over bytes that lie ready, the cipher into a new buffer, and the search
//! for zero pairs with `memmem`. In place is what an engine does with its own frames; into a
//! buffer, what a file's tags go through; and into a new tag, what is left to somebody whose
//! tags are shared.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::ops::RangeInclusive;

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crypto::{KeyId, KeyRing, MasterKey, Mode, ROOM, TagDecryptor, TagEncryptor, Verdict};
use ctr::{Ctr64BE, CtrCore};
use fixtures::tags::Stream;
use flv::{Room, Tag, TagBuf, TagKind};
use memchr::memmem;

/// So many tags go round.
const SET: usize = 48;

fn key() -> MasterKey {
    MasterKey::from_bytes([7; 16])
}

fn encryptor() -> TagEncryptor {
    TagEncryptor::new(key(), KeyId(1), Mode::Nalu).unwrap()
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

/// Tags nobody else holds.
fn own(tags: &[Tag], room: Room) -> Vec<TagBuf> {
    tags.iter().map(|tag| TagBuf::copied(tag, room)).collect()
}

fn bodies(c: &mut Criterion, name: &str, tags: &[Tag]) {
    let mut group = c.benchmark_group(format!("encrypt/{name}"));
    group.throughput(Throughput::Bytes(tags.iter().map(|tag| tag.body().len() as u64).sum()));

    let mut encryptor = encryptor();
    group.bench_function("encrypt, in place", |b| {
        b.iter_batched(
            || own(tags, ROOM),
            |mut own| {
                own.iter_mut().for_each(|tag| assert!(encryptor.encrypt_in_place(tag).is_ok()));
                own
            },
            // One set at a time: more would fall out of the cache before their turn.
            BatchSize::PerIteration,
        );
    });
    let mut out = BytesMut::new();
    group.bench_function("encrypt, into a buffer", |b| {
        b.iter(|| {
            out.clear();
            for tag in tags {
                encryptor.encrypt_into(tag, &mut out).unwrap();
            }
            black_box(&out);
        });
    });
    group.bench_function("encrypt, into a new tag", |b| {
        b.iter(|| {
            for tag in tags {
                black_box(encryptor.encrypt(tag.clone()).unwrap());
            }
        });
    });

    let sealed: Vec<Tag> = tags.iter().map(|tag| encryptor.encrypt(tag.clone()).unwrap()).collect();
    let mut decryptor = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key())]));
    for (sealed, tag) in sealed.iter().zip(tags) {
        let (opened, verdict) = decryptor.decrypt(sealed.clone());
        assert_eq!((&opened, verdict), (tag, Verdict::Encrypted { key: KeyId(1) }));
    }
    group.bench_function("decrypt, in place", |b| {
        b.iter_batched(
            || own(&sealed, Room::NONE),
            |mut own| {
                own.iter_mut().for_each(|tag| assert!(decryptor.decrypt_in_place(tag).is_readable()));
                own
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("decrypt, into a buffer", |b| {
        b.iter(|| {
            out.clear();
            for tag in &sealed {
                black_box(decryptor.decrypt_into(tag, &mut out));
            }
            black_box(&out);
        });
    });

    // The key is set up once, as it is for a track.
    let aes = Aes128::new(&[7; 16].into());
    let cipher = || -> Ctr64BE<&Aes128> {
        StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(&aes, &[0; 16].into()))
    };
    group.bench_function("floor: cipher", |b| {
        b.iter_batched(
            || own(tags, Room::NONE),
            |mut own| {
                own.iter_mut().for_each(|tag| cipher().apply_keystream(tag.body_mut()));
                own
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("floor: cipher into a new buffer", |b| {
        b.iter(|| {
            for tag in tags {
                let mut body = tag.body().to_vec();
                cipher().apply_keystream(&mut body);
                black_box(Bytes::from(body));
            }
        });
    });
    let finder = memmem::Finder::new(&[0, 0]);
    group.bench_function("floor: search for zero pairs", |b| {
        b.iter(|| {
            for tag in &sealed {
                black_box(finder.find_iter(tag.body()).count());
            }
        });
    });
    group.finish();
}

/// What a start, a rotation and each switch from off to on cost: two salts, two keys.
fn set_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("encrypt/set-up");
    group.bench_function("encryptor", |b| b.iter(encryptor));
    let mut encryptor = encryptor();
    group.bench_function("rotation", |b| b.iter(|| encryptor.rotate(key(), KeyId(2))));
    let tag = encryptor.encrypt(sound(350..=350).swap_remove(0)).unwrap();
    let ring = KeyRing::from_iter([(KeyId(2), key())]);
    group.bench_function("first tag under a salt, 350 B", |b| {
        b.iter_batched_ref(
            || TagDecryptor::new(ring.clone()),
            |decryptor| decryptor.decrypt(tag.clone()),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn encrypt(c: &mut Criterion) {
    bodies(c, "video 6-12 kB", &pictures(6_000..=12_000));
    bodies(c, "video 2 kB", &pictures(2_000..=2_000));
    bodies(c, "audio 350 B", &sound(350..=350));
}

criterion_group!(benches, encrypt, set_up);
criterion_main!(benches);
