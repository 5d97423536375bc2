//! What an encoder publishes, read and written: the chunks alone, and a whole session.
//!
//! Beside our chunk reader the one of rtmp-runtime, in the newest version that
//! builds with our oldest Rust. (0.8, which wants a newer one, reads faster than
//! 0.5, and ours still faster than that: 3 to 5 times in a run by hand.)
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::pieces;
use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fixtures::tags::Stream;
use flv::TagKind;
use flv::amf0::Value;
use media::Time;
use rtmp::chunk::{ChunkReader, ChunkSize, ChunkWriter, Csid, Slices};
use rtmp::message::{Command, Message, MessageStreamId, RawMessage};
use rtmp::{Event, Limits, ServerConfig, ServerSession};

const CONNECTION: MessageStreamId = MessageStreamId::CONTROL;
const STREAM: MessageStreamId = MessageStreamId(1);
/// What one read of a socket gives.
const READ: usize = 64 << 10;

/// One direction of a connection, from its first byte.
struct Recording {
    greeting: Vec<u8>,
    chunks: Vec<u8>,
    tags: usize,
}

/// Ten seconds of 4.5 Mbit/s, published in chunks of this size.
fn publish(size: ChunkSize) -> Recording {
    let mut writer = ChunkWriter::new();
    let mut out = BytesMut::from(&[&[3u8][..], &[1; 2 * 1536]].concat()[..]);
    let mut send = |csid: u32, stream, at, message: &Message, out: &mut BytesMut| {
        let raw = message.encode(stream, at).unwrap();
        writer.write(Csid::new(csid).unwrap(), &raw, out).unwrap();
        if let Message::SetChunkSize(size) = message {
            writer.set_chunk_size(*size);
        }
    };
    let command = |name: &str, object, args| {
        Message::Command(Command { name: name.into(), transaction: 1.0, object, args })
    };
    let app = Value::object([("app", Value::from("live"))]);
    send(2, CONNECTION, 0, &Message::SetChunkSize(size), &mut out);
    send(3, CONNECTION, 0, &command("connect", app, vec![]), &mut out);
    send(3, CONNECTION, 0, &command("createStream", Value::Null, vec![]), &mut out);
    send(3, STREAM, 0, &command("publish", Value::Null, vec!["main".into()]), &mut out);
    let greeting = out.split().to_vec();

    let mut count = 0;
    for tag in Stream::of_bitrate(1, 4_500_000).tags().take_while(|tag| tag.timestamp.0 < 10_000) {
        let at = tag.timestamp.0;
        count += 1;
        match tag.kind {
            TagKind::Audio => send(4, STREAM, at, &Message::Audio(tag.into_body()), &mut out),
            TagKind::Video => send(6, STREAM, at, &Message::Video(tag.into_body()), &mut out),
            TagKind::Script => send(4, STREAM, at, &Message::Script(tag.into_body()), &mut out),
        }
    }
    Recording { greeting, chunks: out.to_vec(), tags: count }
}

fn read_chunks(size: ChunkSize, input: &[Bytes]) -> usize {
    let mut reader = ChunkReader::new(Limits::default(), 0);
    reader.set_chunk_size(size);
    let mut messages = 0;
    for piece in input {
        let mut piece = piece.clone();
        while let Some(arrival) = reader.read(&mut piece).unwrap() {
            black_box(arrival);
            messages += 1;
        }
    }
    messages
}

/// The recording's tags, to be written anew.
fn messages(recording: &Recording, size: ChunkSize) -> Vec<RawMessage> {
    let mut reader = ChunkReader::new(Limits::default(), 0);
    reader.set_chunk_size(size);
    let mut input = Bytes::copy_from_slice(&recording.chunks);
    std::iter::from_fn(|| reader.read(&mut input).unwrap()).map(|arrival| arrival.message).collect()
}

fn peer_reads_chunks(size: ChunkSize, input: &[Bytes]) -> usize {
    let mut reader = rtmp_runtime::chunk::ChunkAssembler::new();
    reader.set_chunk_size(size.get());
    input.iter().map(|piece| black_box(reader.push(piece).unwrap()).len()).sum()
}

/// Cuts the tags into chunks, payloads shared, and drops them as a socket would.
fn write_chunks(size: ChunkSize, tags: &[RawMessage]) -> usize {
    let mut writer = ChunkWriter::new();
    writer.set_chunk_size(size);
    let mut slices = Slices::new();
    let mut written = 0;
    for tag in tags {
        writer.write_shared(Csid::VIDEO, tag, &mut slices).unwrap();
        written += slices.len();
        while let Some(slice) = slices.pop() {
            black_box(slice);
        }
    }
    written
}

fn run_session(input: &[Bytes]) -> usize {
    let now = Time::ZERO;
    let mut session = ServerSession::new(ServerConfig::new([7; 1528]), now);
    let mut tags = 0;
    for piece in input {
        let mut piece = piece.clone();
        while !piece.is_empty() {
            session.handle_input(&mut piece, now).unwrap();
            while let Some(event) = session.poll_event() {
                match event {
                    Event::PublishRequested(request) => {
                        session.accept(request.request, now).unwrap();
                    }
                    Event::Tag { tag, .. } => {
                        black_box(tag);
                        tags += 1;
                    }
                    _ => {}
                }
            }
            while let Some(output) = session.poll_output() {
                black_box(output);
            }
        }
    }
    tags
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
