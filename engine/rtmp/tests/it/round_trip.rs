//! What the chunk writer writes, the chunk reader reads.

use bytes::{Buf, Bytes, BytesMut};
use proptest::prelude::*;
use rtmp::chunk::{ChunkSize, ChunkWriter, Slices};
use rtmp::message::{MessageStreamId, MessageType, RawMessage};

use crate::chunks::{read_all, reader};
use crate::client::csid;

fn message(timestamp: u32, kind: u8, stream: u32, payload: &[u8]) -> RawMessage {
    let payload = Bytes::copy_from_slice(payload);
    RawMessage { kind: MessageType(kind), timestamp, stream: MessageStreamId(stream), payload }
}

#[derive(Clone, Debug)]
enum Act {
    Send { on: u32, step: u32, kind: u8, stream: u32, length: usize },
    Resize(u32),
}

fn act() -> impl Strategy<Value = Act> {
    // Few values each, so that all header types come up.
    let step = prop_oneof![
        4 => prop::sample::select(vec![0u32, 40, 40, 23]),
        1 => prop::sample::select(vec![0xFF_FFFE, 0xFF_FFFF, 0x0100_0000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX]),
    ];
    let on = prop::sample::select(vec![3u32, 6, 64, 319, 320, 65_599]);
    let send = (on, step, 8u8..10, 1u32..3, prop::sample::select(vec![0usize, 1, 5, 5, 5, 300, 1000]));
    prop_oneof![
        9 => send.prop_map(|(on, step, kind, stream, length)| Act::Send { on, step, kind, stream, length }),
        1 => (1u32..400).prop_map(Act::Resize),
    ]
}

proptest! {
    #[test]
    fn reader_and_writer_are_inverse(
        start: u32,
        acts in prop::collection::vec(act(), 1..60),
        split in 1usize..700,
    ) {
        let mut writer = ChunkWriter::new();
        let mut twin = ChunkWriter::new();
        let mut reader = reader();
        let mut clock = start;
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Resize(size) => {
                    let size = ChunkSize::new(size).unwrap();
                    writer.set_chunk_size(size);
                    twin.set_chunk_size(size);
                    reader.set_chunk_size(size);
                }
                Act::Send { on, step, kind, stream, length } => {
                    clock = clock.wrapping_add(step);
                    let payload: Vec<u8> = (0..length).map(|i| (i + number) as u8).collect();
                    let sent = message(clock, kind, stream, &payload);
                    let mut bytes = BytesMut::new();
                    writer.write(csid(on), &sent, &mut bytes).unwrap();
                    let mut slices = Slices::new();
                    twin.write_shared(csid(on), &sent, &mut slices).unwrap();
                    prop_assert_eq!(&slices.copy_to_bytes(slices.len()), &bytes[..]);
                    let mut got = Vec::new();
                    for part in bytes.chunks(split) {
                        got.extend(read_all(&mut reader, part).unwrap());
                    }
                    prop_assert_eq!(got.len(), 1);
                    prop_assert_eq!(got[0].csid, csid(on));
                    prop_assert_eq!(&got[0].message, &sent);
                }
            }
        }
    }
}

#[test]
fn headers_get_as_short_as_they_can() {
    let mut writer = ChunkWriter::new();
    let mut first = |timestamp, kind, stream, payload: &[u8]| {
        let mut out = BytesMut::new();
        writer.write(csid(6), &message(timestamp, kind, stream, payload), &mut out).unwrap();
        out[..out.len() - payload.len()].to_vec()
    };
    assert_eq!(first(1000, 9, 1, b"ab"), [0x06, 0, 3, 232, 0, 0, 2, 9, 1, 0, 0, 0]);
    // A delta equal to the absolute time before: still not type 3.
    assert_eq!(first(2000, 9, 1, b"ab"), [0x86, 0, 3, 232]);
    assert_eq!(first(3000, 9, 1, b"ab"), [0xC6]);
    assert_eq!(first(3040, 9, 1, b"ab"), [0x86, 0, 0, 40]);
    assert_eq!(first(3080, 8, 1, b"abc"), [0x46, 0, 0, 40, 0, 0, 3, 8]);
    assert_eq!(first(3120, 8, 2, b"abc"), [0x06, 0, 12, 48, 0, 0, 3, 8, 2, 0, 0, 0]);
    assert_eq!(first(3118, 8, 2, b"abc"), [0x06, 0, 12, 46, 0, 0, 3, 8, 2, 0, 0, 0]);
    assert_eq!(first(3118 + 0xFF_FFFF, 8, 2, b"abc"), [0x86, 255, 255, 255, 0, 255, 255, 255]);
}

#[test]
fn the_extended_timestamp_is_repeated_on_every_chunk() {
    let mut writer = ChunkWriter::new();
    writer.set_chunk_size(ChunkSize::new(2).unwrap());
    let mut out = BytesMut::new();
    writer.write(csid(6), &message(0x0102_0304, 9, 1, b"abc"), &mut out).unwrap();
    assert_eq!(&out[..], b"\x06\xff\xff\xff\0\0\x03\x09\x01\0\0\0\x01\x02\x03\x04ab\xc6\x01\x02\x03\x04c");
}

#[test]
fn a_message_too_long_for_its_length_field_is_refused() {
    let mut out = BytesMut::new();
    let long = message(0, 9, 1, &vec![0; 0x0100_0000]);
    let err = ChunkWriter::new().write(csid(6), &long, &mut out).unwrap_err();
    assert_eq!(err.to_string(), "message length of 16777216 is out of range: 0 to 16777215 bytes");
    assert!(out.is_empty());
}
