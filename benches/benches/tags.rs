//! FLV tags in and out, beside a copy of the same bytes.
//!
//! Bodies are sliced, not copied, so a whole file parses faster than it could be copied: there
//! the time is per tag, and the counted figure is the telling one.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::pieces;
use benches::tags::{file, read, write};
use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn tags(c: &mut Criterion) {
    let file = file();
    let whole = [file.clone()];
    let in_pieces = pieces(&file, 64 << 10);
    let mut tags = Vec::new();
    read(&whole, |tag| tags.push(tag));

    let mut group = c.benchmark_group("tags");
    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("parse, whole", |b| b.iter(|| read(&whole, |tag| drop(black_box(tag)))));
    group.bench_function("parse, pieces of 64 KiB", |b| {
        b.iter(|| read(&in_pieces, |tag| drop(black_box(tag))));
    });
    let mut out = BytesMut::with_capacity(file.len());
    group.bench_function("write", |b| {
        b.iter(|| black_box(write(&tags, &mut out)));
    });
    let mut copy = vec![0; file.len()];
    group.bench_function("floor: copy", |b| {
        b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&file)));
    });
    group.finish();

    // How many tags that is: the same work, counted in tags.
    let mut group = c.benchmark_group("tags, counted");
    group.throughput(Throughput::Elements(tags.len() as u64));
    group.bench_function("parse, whole", |b| b.iter(|| read(&whole, |tag| drop(black_box(tag)))));
    group.finish();
}

criterion_group!(benches, tags);
criterion_main!(benches);
