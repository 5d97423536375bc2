//! What an encoder publishes over RTMP, read and written.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "the input is our own")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use fixtures::tags::Stream;
use flv::TagKind;
use flv::amf0::Value;
use media::Time;
use rtmp::chunk::{ChunkReader, ChunkSize, ChunkWriter, Csid, Slices};
use rtmp::message::{Command, Message, MessageStreamId, RawMessage};
use rtmp::{Event, Limits, ServerConfig, ServerSession};

const CONNECTION: MessageStreamId = MessageStreamId::CONTROL;
const STREAM: MessageStreamId = MessageStreamId(1);
/// One direction of a connection, from its first byte.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Handshake and commands.
    pub greeting: Vec<u8>,
    /// The chunks after it.
    pub chunks: Vec<u8>,
    /// How many tags are in them.
    pub tags: usize,
}

/// Ten seconds of 4.5 Mbit/s, published in chunks of this size.
pub fn publish(size: ChunkSize) -> Recording {
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

/// Puts chunks together; how many messages they were.
pub fn read_chunks(size: ChunkSize, input: &[Bytes]) -> usize {
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
pub fn messages(recording: &Recording, size: ChunkSize) -> Vec<RawMessage> {
    let mut reader = ChunkReader::new(Limits::default(), 0);
    reader.set_chunk_size(size);
    let mut input = Bytes::copy_from_slice(&recording.chunks);
    std::iter::from_fn(|| reader.read(&mut input).unwrap()).map(|arrival| arrival.message).collect()
}

/// Cuts the tags into chunks, payloads shared, and drops them as a socket would.
pub fn write_chunks(size: ChunkSize, tags: &[RawMessage]) -> usize {
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

/// A whole session that publishes; how many tags came over.
pub fn run_session(input: &[Bytes]) -> usize {
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
