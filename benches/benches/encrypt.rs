//! Encryption and decryption, mode `nalu`, beside the bare cipher over the same bodies.
//!
//! The bodies go round in a set that the cache holds, as a tag fresh from its encoder is.
//! Floors: the cipher over bytes that lie ready, the cipher into a new buffer (an encrypted
//! tag needs one: it is longer), and the search for zero pairs, which is what emulation
//! prevention costs where there is nothing to escape.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::ops::RangeInclusive;

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crypto::{KeyId, KeyRing, MasterKey, Mode, TagDecryptor, TagEncryptor, Verdict};
use ctr::{Ctr64BE, CtrCore};
use fixtures::tags::Stream;
use flv::{Tag, TagKind};
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

/// A tag nobody else holds.
fn own(tag: &Tag) -> Tag {
    tag.with_body(Bytes::copy_from_slice(tag.body())).unwrap()
}

fn bodies(c: &mut Criterion, name: &str, tags: &[Tag]) {
    let mut group = c.benchmark_group(format!("encrypt/{name}"));
    group.throughput(Throughput::Bytes(tags.iter().map(|tag| tag.body().len() as u64).sum()));

    let mut encryptor = encryptor();
    group.bench_function("encrypt", |b| {
        b.iter(|| {
            for tag in tags {
                black_box(encryptor.encrypt(tag.clone()).unwrap());
            }
        });
    });

    let sealed: Vec<Tag> = tags.iter().map(|tag| encryptor.encrypt(tag.clone()).unwrap()).collect();
    let mut decryptor = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key())]));
    for (sealed, tag) in sealed.iter().zip(tags) {
        let (opened, verdict) = decryptor.decrypt(own(sealed));
        assert_eq!((&opened, verdict), (tag, Verdict::Encrypted { key: KeyId(1) }));
    }
    group.bench_function("decrypt, shared", |b| {
        b.iter(|| {
            for tag in &sealed {
                black_box(decryptor.decrypt(tag.clone()));
            }
        });
    });
    group.bench_function("decrypt, in place", |b| {
        b.iter_batched(
            || sealed.iter().map(own).collect::<Vec<_>>(),
            |sealed| sealed.into_iter().map(|tag| decryptor.decrypt(tag)).collect::<Vec<_>>(),
            // One at a time: a larger batch would fall out of the cache before its turn.
            BatchSize::PerIteration,
        );
    });

    // The key is set up once, as it is for a track.
    let aes = Aes128::new(&[7; 16].into());
    let cipher = || -> Ctr64BE<&Aes128> {
        StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(&aes, &[0; 16].into()))
    };
    let mut ready: Vec<Vec<u8>> = tags.iter().map(|tag| tag.body().to_vec()).collect();
    group.bench_function("floor: cipher", |b| {
        b.iter(|| {
            for body in &mut ready {
                cipher().apply_keystream(black_box(body));
            }
        });
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

fn encrypt(c: &mut Criterion) {
    bodies(c, "video 6-12 kB", &pictures(6_000..=12_000));
    bodies(c, "video 2 kB", &pictures(2_000..=2_000));
    bodies(c, "audio 350 B", &sound(350..=350));
}

criterion_group!(benches, encrypt);
criterion_main!(benches);
