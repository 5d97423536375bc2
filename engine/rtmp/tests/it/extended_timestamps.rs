//! Extended timestamps, as specified and as old librtmp has them.

use proptest::prelude::*;
use rtmp::chunk::ChunkSize;

use crate::chunks::{be24, read_all, reader};

/// What a peer puts between the basic header and the payload of type 3 chunks.
#[derive(Clone, Copy, Debug)]
enum Dialect {
    /// The extended timestamp field again: the specification, FFmpeg, OBS.
    Field,
    /// The absolute timestamp, also where the field was a delta.
    Absolute,
    /// Nothing: old librtmp.
    Nothing,
}

struct Sender {
    dialect: Dialect,
    size: usize,
    timestamp: u32,
    bytes: Vec<u8>,
}

impl Sender {
    fn header(&mut self, first: u8, time: u32, payload: &[u8]) {
        self.bytes.push(first);
        self.bytes.extend(be24(time.min(0xFF_FFFF)));
        self.bytes.extend(be24(payload.len() as u32));
        self.bytes.push(9);
        if first >> 6 == 0 {
            self.bytes.extend(1u32.to_le_bytes());
        }
        if time >= 0xFF_FFFF {
            self.bytes.extend(time.to_be_bytes());
        }
    }

    fn send(&mut self, absolute: bool, time: u32, payload: &[u8]) {
        self.timestamp = if absolute { time } else { self.timestamp.wrapping_add(time) };
        self.header(if absolute { 0x06 } else { 0x46 }, time, payload);
        for (number, part) in payload.chunks(self.size).enumerate() {
            if number > 0 {
                self.bytes.push(0xC6);
                match self.dialect {
                    Dialect::Field if time >= 0xFF_FFFF => self.bytes.extend(time.to_be_bytes()),
                    Dialect::Absolute if time >= 0xFF_FFFF => self.bytes.extend(self.timestamp.to_be_bytes()),
                    _ => {}
                }
            }
            self.bytes.extend(part);
        }
    }
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::Field, Dialect::Absolute, Dialect::Nothing])
}

/// Payload that never looks like an extended timestamp from its first byte on,
/// but may begin like one.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, 0x55]), 1..300)
}

proptest! {
    #[test]
    fn every_dialect_is_understood(
        dialect in dialect(),
        size in 1usize..100,
        split in 1usize..40,
        first in prop::sample::select(vec![0xFF_FFFEu32, 0xFF_FFFF, 0x0100_AA00, 0x0102_0304, u32::MAX]),
        messages in prop::collection::vec((any::<bool>(), 0x00AA_0000u32..0x00FF_FFFE, payload()), 1..6),
    ) {
        let mut sender = Sender { dialect, size, timestamp: 0, bytes: Vec::new() };
        let mut sent = Vec::new();
        for (number, (extended, delta, payload)) in messages.into_iter().enumerate() {
            match (number, extended) {
                (0, _) => sender.send(true, first, &payload),
                (_, true) => sender.send(false, 0x0155_AA55, &payload),
                (_, false) => sender.send(false, delta, &payload),
            }
            sent.push((sender.timestamp, payload));
        }
        // Where the last bytes of a payload begin like a timestamp, the next chunk tells.
        sender.bytes.extend([5, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0, b'!']);
        sent.push((0, b"!".to_vec()));
        let mut reader = reader();
        reader.set_chunk_size(ChunkSize::new(size as u32).unwrap());
        let mut got = Vec::new();
        for part in sender.bytes.chunks(split) {
            for arrival in read_all(&mut reader, part).unwrap() {
                got.push((arrival.message.timestamp, arrival.message.payload.to_vec()));
            }
        }
        prop_assert_eq!(got, sent);
        prop_assert_eq!(reader.received(), sender.bytes.len() as u64);
    }
}

#[test]
fn a_new_message_of_type_3_takes_its_delta_from_the_extended_field() {
    let delta = 0x0100_0000u32;
    let mut bytes = vec![4, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0, b'a'];
    bytes.extend([0x84, 255, 255, 255]);
    bytes.extend(delta.to_be_bytes());
    bytes.push(b'b');
    bytes.push(0xC4);
    bytes.extend(delta.to_be_bytes());
    bytes.push(b'c');
    let got = read_all(&mut reader(), &bytes).unwrap();
    assert_eq!(got.iter().map(|a| a.message.timestamp).collect::<Vec<_>>(), [0, delta, 2 * delta]);
    assert_eq!(&got[2].message.payload[..], b"c");
}

#[test]
fn bytes_held_back_as_a_timestamp_are_given_back() {
    // Old librtmp; the second chunk's payload and the next header begin like
    // the extended timestamp 0x00FFFFFF, and come one byte at a time.
    let mut bytes = vec![6, 255, 255, 255, 0, 0, 3, 9, 1, 0, 0, 0, 0, 255, 255, 255];
    bytes.extend([7, 7]);
    bytes.extend([0xC6, 0]);
    bytes.extend([0x06, 0, 0, 1, 0, 0, 1, 9, 1, 0, 0, 0, 8]);
    let mut reader = reader();
    reader.set_chunk_size(ChunkSize::new(2).unwrap());
    let mut got = Vec::new();
    for part in bytes.chunks(1) {
        got.extend(read_all(&mut reader, part).unwrap());
    }
    assert_eq!(got[0].message.payload, vec![7, 7, 0]);
    assert_eq!((got[1].message.timestamp, &got[1].message.payload[..]), (1, &[8][..]));
    assert_eq!((got[1].at, reader.received()), (20, bytes.len() as u64));
}
