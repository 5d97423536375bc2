//! Noise: nothing panics, nothing grows.

use bytes::Bytes;
use proptest::prelude::*;
use rtmp::chunk::{ChunkReader, ChunkSize};
use rtmp::session::Reject;
use rtmp::{Event, Limits};

use crate::client::{Client, Harness};

fn small() -> Limits {
    Limits {
        chunk_streams: 4,
        media_message: 5000,
        command_message: 500,
        in_flight: 8000,
        message_streams: 2,
        aggregate_tags: 8,
        queued_events: 16,
        queued_bytes: 20_000,
        queued_output: 8_000,
    }
}

/// Hands in everything in pieces, answers every request, and checks the bounds.
pub fn survive(bytes: &[u8], split: usize) {
    let mut h = Harness::limited(small());
    h.client.bytes.clear();
    'parts: for part in bytes.chunks(split) {
        h.waiting = [h.waiting.split_off(0), Bytes::copy_from_slice(part)].concat().into();
        loop {
            let result = h.session.handle_input(&mut h.waiting, h.now);
            let mut moved = false;
            let (mut events, mut output, mut held) = (0, 0, 0);
            while let Some(event) = h.session.poll_event() {
                moved = true;
                events += 1;
                match event {
                    Event::PublishRequested(request) if request.name.raw() == "no" => {
                        assert!(!h.session.is_closed());
                        h.session.reject(request.request, Reject::NoSuchPoint).unwrap();
                    }
                    Event::PublishRequested(request) => {
                        // A session that failed right after has withdrawn it.
                        let answered = h.session.accept(request.request, h.now);
                        assert_eq!(answered.is_err(), h.session.is_closed());
                    }
                    Event::Tag { tag, .. } => held += tag.body().len(),
                    _ => {}
                }
            }
            while let Some(bytes) = h.session.poll_output() {
                moved = true;
                output += bytes.len();
            }
            assert!(events <= 16 + 8 + 4, "{events} events");
            assert!(held <= 20_000 + 5_000, "{held} bytes in events");
            assert!(output <= 8_000 + 4_000, "{output} bytes of output");
            if result.is_err() {
                assert!(h.session.is_closed());
                break 'parts;
            }
            if !moved {
                break;
            }
        }
    }
}

/// What a client might send, from the handshake to some tags.
fn conversation() -> Vec<u8> {
    let mut client = Client::new();
    client.begin();
    client.set_chunk_size(200);
    for timestamp in 0..10 {
        client.video(timestamp * 40, vec![0x27; 700]);
        client.audio(timestamp * 40, vec![0xAF; 50]);
    }
    client.command(crate::client::STREAM, "closeStream", 3.0, vec![]);
    client.publish(crate::client::STREAM, "no");
    client.bytes.to_vec()
}

proptest! {
    #[test]
    fn noise_instead_of_chunks(noise in prop::collection::vec(any::<u8>(), 0..3000), split in 1usize..700) {
        let mut client = Client::new();
        client.bytes.extend_from_slice(&noise);
        survive(&client.bytes, split);
    }

    #[test]
    fn noise_from_the_first_byte(noise in prop::collection::vec(any::<u8>(), 0..100)) {
        survive(&noise, 7);
    }

    #[test]
    fn a_conversation_with_faults(
        faults in prop::collection::vec((3073usize..11_000, any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        split in prop_oneof![1usize..20, 100usize..9000],
    ) {
        let mut bytes = conversation();
        for (at, byte) in faults {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut.index(bytes.len() + 1).max(3073));
        survive(&bytes, split);
    }

    #[test]
    fn the_chunk_reader_holds_no_more_than_allowed(
        noise in prop::collection::vec(prop_oneof![
            // Mostly headers that begin messages and never end them.
            3 => (2u8..10, any::<u32>(), 0u32..6000, 8u8..10).prop_map(|(on, at, length, kind)|
                [&crate::chunks::full(on, at & 0xFF_FFFF, length, kind, 1)[..], &[kind; 60]].concat()),
            1 => prop::collection::vec(any::<u8>(), 0..30),
        ], 0..60),
        size in 1u32..200,
        split in 1usize..100,
    ) {
        let mut reader = ChunkReader::new(small(), 0);
        reader.set_chunk_size(ChunkSize::new(size).unwrap());
        'all: for part in noise.concat().chunks(split) {
            let mut input = Bytes::copy_from_slice(part);
            loop {
                match reader.read(&mut input) {
                    Ok(Some(arrival)) => prop_assert!(arrival.message.payload.len() <= 5000),
                    Ok(None) => break,
                    Err(_) => break 'all,
                }
                prop_assert!(reader.in_flight() <= 8000);
            }
            prop_assert!(input.is_empty());
        }
    }
}

#[test]
fn the_conversation_itself_reaches_its_end() {
    let mut h = Harness::limited(small());
    h.client.bytes = conversation()[..].into();
    h.pump().unwrap();
    h.session.accept(h.request().request, h.now).unwrap();
    h.pump().unwrap();
    assert_eq!(h.tags().len(), 20);
    assert_eq!(h.request().name.raw(), "no");
}
