//! What an encoder publishes, read and written: the chunks alone, and a whole session.
//!
//! Beside our chunk reader the one of rtmp-runtime, in the newest version that
//! builds with our oldest Rust. (0.8, which wants a newer one, reads faster than
//! 0.5, and ours still faster than that: 3 to 5 times in a run by hand.)
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::pieces;
use benches::rtmp::{messages, publish, read_chunks, run_session, write_chunks};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rtmp::chunk::ChunkSize;

/// What one read of a socket gives.
const READ: usize = 64 << 10;

fn peer_reads_chunks(size: ChunkSize, input: &[Bytes]) -> usize {
    let mut reader = rtmp_runtime::chunk::ChunkAssembler::new();
    reader.set_chunk_size(size.get());
    input.iter().map(|piece| black_box(reader.push(piece).unwrap()).len()).sum()
}

fn rtmp(c: &mut Criterion) {
    // 128 is what senders start with and some keep, 4096 is usual, 60000 is ffmpeg's.
    for bytes in [128, 4096, 60_000] {
        let size = ChunkSize::new(bytes).unwrap();
        let recording = publish(size);
        let chunks = pieces(&recording.chunks, READ);
        let whole = [&recording.greeting[..], &recording.chunks].concat();
        let session = pieces(&whole, READ);
        assert_eq!(read_chunks(size, &chunks), recording.tags);
        assert_eq!(run_session(&session), recording.tags);

        let mut group = c.benchmark_group(format!("rtmp/chunks of {bytes}"));
        group.throughput(Throughput::Bytes(recording.chunks.len() as u64));
        group.bench_function("chunk reader", |b| b.iter(|| read_chunks(size, black_box(&chunks))));
        assert_eq!(peer_reads_chunks(size, &chunks), recording.tags);
        group.bench_function("chunk reader of rtmp-runtime 0.5", |b| {
            b.iter(|| peer_reads_chunks(size, black_box(&chunks)));
        });
        let messages = messages(&recording, size);
        assert!(write_chunks(size, &messages) > recording.chunks.len() / 2);
        group.bench_function("chunk writer", |b| b.iter(|| write_chunks(size, black_box(&messages))));
        group.throughput(Throughput::Bytes(whole.len() as u64));
        group.bench_function("session", |b| b.iter(|| run_session(black_box(&session))));
        let mut copy = vec![0; whole.len()];
        group.bench_function("floor: copy", |b| {
            b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&whole)));
        });
        group.finish();
    }
}

criterion_group!(benches, rtmp);
criterion_main!(benches);
