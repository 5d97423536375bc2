//! The chunk reader against bytes made by hand.

use bytes::Bytes;
use proptest::prelude::*;
use rtmp::Limits;
use rtmp::chunk::{Arrival, ChunkError, ChunkReader, ChunkSize};
use rtmp::message::RawMessage;

use crate::client::csid;

pub fn be24(number: u32) -> [u8; 3] {
    let [_, a, b, c] = number.to_be_bytes();
    [a, b, c]
}

/// A type 0 header without an extended timestamp, for chunk streams up to 63.
pub fn full(on: u8, timestamp: u32, length: u32, kind: u8, stream: u32) -> Vec<u8> {
    [&[on], &be24(timestamp)[..], &be24(length), &[kind], &stream.to_le_bytes()].concat()
}

pub fn read_all(reader: &mut ChunkReader, bytes: &[u8]) -> Result<Vec<Arrival>, ChunkError> {
    let mut input = Bytes::copy_from_slice(bytes);
    let mut found = Vec::new();
    while let Some(arrival) = reader.read(&mut input)? {
        found.push(arrival);
    }
    assert!(input.is_empty());
    Ok(found)
}

pub fn reader() -> ChunkReader {
    ChunkReader::new(Limits::default(), 0)
}

fn read(bytes: &[u8]) -> Vec<RawMessage> {
    read_all(&mut reader(), bytes).unwrap().into_iter().map(|arrival| arrival.message).collect()
}

fn timestamps(bytes: &[u8]) -> Vec<u32> {
    read(bytes).iter().map(|message| message.timestamp).collect()
}

#[test]
fn every_header_type_takes_the_rest_from_before() {
    let bytes = [
        &full(4, 1000, 2, 8, 1)[..],
        b"ab",
        &[0x44, 0, 0, 20, 0, 0, 1, 9],
        b"c",
        &[0x84, 0, 0, 30],
        b"d",
        &[0xC4],
        b"e",
        &[0xC4],
        b"f",
    ]
    .concat();
    let got = read(&bytes);
    let short = |m: &RawMessage| (m.timestamp, m.kind.0, m.stream.0, m.payload.to_vec());
    assert_eq!(
        got.iter().map(short).collect::<Vec<_>>(),
        [
            (1000, 8, 1, b"ab".to_vec()),
            (1020, 9, 1, b"c".to_vec()),
            (1050, 9, 1, b"d".to_vec()),
            (1080, 9, 1, b"e".to_vec()),
            (1110, 9, 1, b"f".to_vec()),
        ]
    );
}

#[test]
fn type_3_after_type_0_repeats_its_timestamp() {
    assert_eq!(
        timestamps(&[&full(4, 40, 1, 8, 1)[..], b"a", &[0xC4], b"b", &[0xC4], b"c"].concat()),
        [40, 80, 120]
    );
}

#[test]
fn type_1_may_open_a_chunk_stream() {
    let got = read(&[0x42, 0, 0, 5, 0, 0, 1, 4, 9]);
    assert_eq!((got[0].timestamp, got[0].stream.0, &got[0].payload[..]), (5, 0, &[9][..]));
}

#[test]
fn basic_headers_of_all_lengths() {
    for (header, number) in [
        (vec![2], 2),
        (vec![63], 63),
        (vec![0, 0], 64),
        (vec![0, 255], 319),
        (vec![1, 0, 0], 64),
        (vec![1, 0, 1], 320),
        (vec![1, 255, 255], 65_599),
    ] {
        let bytes = [&header[..], &full(0, 7, 1, 8, 1)[1..], b"x"].concat();
        let got = read_all(&mut reader(), &bytes).unwrap();
        assert_eq!(got[0].csid, csid(number));
        assert_eq!(got[0].message.timestamp, 7);
    }
}

#[test]
fn timestamps_wrap() {
    let bytes =
        [&[4, 255, 255, 255, 0, 0, 1, 8, 1, 0, 0, 0, 255, 255, 255, 250, 1][..], &[0x84, 0, 0, 10, 2]]
            .concat();
    assert_eq!(timestamps(&bytes), [u32::MAX - 5, 4]);
}

#[test]
fn a_message_without_payload_is_one() {
    let got = read(&[full(4, 1, 0, 8, 1), full(4, 2, 0, 9, 1)].concat());
    assert_eq!(got.iter().map(|m| (m.timestamp, m.payload.len())).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
}

#[test]
fn a_new_chunk_size_holds_also_for_messages_begun() {
    let mut reader = reader();
    let begun = [&full(6, 0, 300, 9, 1)[..], &[1; 128]].concat();
    assert!(read_all(&mut reader, &begun).unwrap().is_empty());
    reader.set_chunk_size(ChunkSize::new(100).unwrap());
    let rest = [&[0xC6][..], &[2; 100], &[0xC6], &[3; 72]].concat();
    let got = read_all(&mut reader, &rest).unwrap();
    assert_eq!(got[0].message.payload, [vec![1; 128], vec![2; 100], vec![3; 72]].concat());
    assert_eq!(got[0].at, 0);
    assert_eq!(reader.received(), (begun.len() + rest.len()) as u64);
    assert_eq!(reader.in_flight(), 0);
}

#[test]
fn an_aborted_message_is_forgotten() {
    let mut reader = reader();
    read_all(&mut reader, &[&full(6, 10, 300, 9, 1)[..], &[1; 128]].concat()).unwrap();
    assert_eq!(reader.in_flight(), 128);
    reader.abort(csid(6));
    reader.abort(csid(7));
    assert_eq!(reader.in_flight(), 0);
    let got = read_all(&mut reader, &[&full(6, 20, 2, 9, 1)[..], b"ok"].concat()).unwrap();
    assert_eq!(&got[0].message.payload[..], b"ok");
}

#[test]
fn a_message_within_one_input_is_not_copied() {
    let mut reader = reader();
    let bytes = Bytes::from([&full(6, 0, 100, 9, 1)[..], &[7; 100]].concat());
    let got = reader.read(&mut bytes.clone()).unwrap().unwrap();
    assert_eq!(got.message.payload.as_ptr(), bytes[12..].as_ptr());
}

#[test]
fn headers_out_of_place_are_told_apart() {
    let fault = |bytes: &[u8]| read_all(&mut reader(), bytes).unwrap_err().to_string();
    assert_eq!(
        fault(&[0x84, 0, 0, 1, 0]),
        "chunk at byte 0 on chunk stream 4: a header of type 2 opens the chunk stream; legal are types 0 and 1"
    );
    assert_eq!(
        fault(&[&full(4, 0, 1, 8, 1)[..], &[0, 0xC5]].concat()),
        "chunk at byte 13 on chunk stream 5: a header of type 3 opens the chunk stream; legal are types 0 and 1"
    );
    let begun = [&full(6, 0, 300, 9, 1)[..], &[1; 128], &full(6, 0, 300, 9, 1)].concat();
    assert_eq!(
        fault(&begun),
        "chunk at byte 140 on chunk stream 6: a header of type 0 after 128 of 300 bytes of a message; legal is type 3"
    );
}

/// A message on a chunk stream, in chunks with type 0 and type 3 headers.
fn cut(on: u8, timestamp: u32, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let first = &payload[..size.min(payload.len())];
    let mut chunks = vec![[&full(on, timestamp, payload.len() as u32, 9, 1)[..], first].concat()];
    chunks.extend(payload.chunks(size).skip(1).map(|part| [&[0xC0 | on][..], part].concat()));
    chunks
}

proptest! {
    #[test]
    fn interleaved_chunk_streams_come_apart(
        lanes in prop::collection::vec(
            prop::collection::vec((0u32..0xFF_FFFF, prop::collection::vec(any::<u8>(), 0..400)), 1..4), 1..6),
        size in 1u32..200,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        split in 1usize..500,
    ) {
        let mut queues: Vec<_> = lanes.iter().enumerate().map(|(lane, messages)| {
            let chunks = messages.iter().flat_map(|(at, payload)| cut(lane as u8 + 3, *at, payload, size as usize));
            chunks.collect::<std::collections::VecDeque<_>>()
        }).collect();
        let mut bytes = Vec::new();
        for pick in order {
            let lane = pick.index(queues.len());
            bytes.extend(queues[lane].pop_front().unwrap_or_default());
        }
        bytes.extend(queues.into_iter().flatten().flatten());

        let mut reader = reader();
        reader.set_chunk_size(ChunkSize::new(size).unwrap());
        let mut got = vec![Vec::new(); lanes.len()];
        for part in bytes.chunks(split) {
            for arrival in read_all(&mut reader, part).unwrap() {
                let lane = arrival.csid.get() as usize - 3;
                got[lane].push((arrival.message.timestamp, arrival.message.payload.to_vec()));
            }
        }
        prop_assert_eq!(got, lanes);
        prop_assert_eq!(reader.in_flight(), 0);
        prop_assert_eq!(reader.received(), bytes.len() as u64);
    }
}
