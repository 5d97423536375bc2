//! The crate rtmp-runtime, another reading of the specification, as the peer
//! in memory.

use bytes::{Buf, Bytes};
use flv::{Item, Tag, TagKind, TagReader};
use media::Time;
use proptest::prelude::*;
use rtmp::session::Intent;
use rtmp::{ClientEvent, ClientSession, Event, ServerSession};
use rtmp_runtime::chunk::{ChunkAssembler, ChunkWriter, Message};
use rtmp_runtime::client as their_client;
use rtmp_runtime::server as their_server;

use crate::client::{config, csid};
use crate::pair::{client_config, tag};

/// Sound and pictures; the oracle's FLV has no place for more than 32 bits of
/// time either.
fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let start = prop_oneof![Just(0u32), 0xFF_FF80u32..0x100_0080];
    let one = (any::<bool>(), 0u32..60, prop_oneof![1usize..40, 1usize..9000]);
    (start, prop::collection::vec(one, 1..30)).prop_map(|(mut clock, tags)| {
        let one = |(sound, step, length)| {
            clock += step;
            let kind = if sound { TagKind::Audio } else { TagKind::Video };
            let first = if sound { 0xAF } else { 0x17 };
            let body: Vec<u8> = std::iter::once(first).chain((1..length).map(|i| (i * 7) as u8)).collect();
            tag(kind, clock, body)
        };
        tags.into_iter().map(one).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn our_client_publishes_to_its_server(sent in tags(), split in prop_oneof![1usize..50, 1usize..5000]) {
        let mut server = their_server::ServerSession::new(their_server::ServerConfig::default());
        let mut client = ClientSession::new(client_config(Intent::Publish), Time::ZERO);
        let mut todo = Some(&sent);
        let mut file = Vec::new();
        loop {
            let output = client.output();
            let said = output.copy_to_bytes(output.len());
            if said.is_empty() {
                break;
            }
            for part in said.chunks(split) {
                let (answer, events) = server.handle_data(part).unwrap();
                for event in events {
                    if let their_server::ServerEvent::Media { flv } = event {
                        file.extend(flv);
                    }
                }
                client.handle_input(&mut answer.into(), Time::ZERO).unwrap();
            }
            while let Some(event) = client.poll_event() {
                if event == ClientEvent::Started {
                    for tag in todo.take().expect("one start") {
                        client.send(tag).unwrap();
                    }
                }
            }
        }
        let mut reader = TagReader::new();
        reader.push_slice(&file);
        let mut got = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            if let Item::Tag(tag) = item {
                got.push(tag);
            }
        }
        prop_assert_eq!(got, sent);
    }

    #[test]
    fn its_client_publishes_to_our_server(sent in tags(), split in prop_oneof![1usize..50, 1usize..5000]) {
        let mut their_config = their_client::ClientConfig::default();
        their_config.app = "live".into();
        their_config.stream_key = "main?key=x".into();
        let mut client = their_client::ClientSession::new(their_config);
        let mut server = ServerSession::new(config(), Time::ZERO);
        let mut said = client.start();
        let mut todo = Some(&sent);
        let mut got = Vec::new();
        while !said.is_empty() {
            let mut next = Vec::new();
            for part in said.chunks(split) {
                let mut input = Bytes::copy_from_slice(part);
                loop {
                    server.handle_input(&mut input, Time::ZERO).unwrap();
                    let mut moved = false;
                    while let Some(event) = server.poll_event() {
                        moved = true;
                        match event {
                            Event::PublishRequested(request) => {
                                prop_assert_eq!(request.name.raw(), "main?key=x");
                                server.accept(request.request, Time::ZERO).unwrap();
                            }
                            Event::Tag { tag, .. } => got.push(tag),
                            other => panic!("{other:?}"),
                        }
                    }
                    if !moved && input.is_empty() {
                        break;
                    }
                }
                while let Some(answer) = server.poll_output() {
                    next.extend(client.handle_data(&answer).unwrap().0);
                }
            }
            if client.is_publishing() {
                for tag in todo.take().into_iter().flatten() {
                    let bytes = match tag.kind {
                        TagKind::Audio => client.send_audio(tag.timestamp.0, tag.body()),
                        _ => client.send_video(tag.timestamp.0, tag.body()),
                    };
                    next.extend(bytes.unwrap());
                }
            }
            said = next;
        }
        prop_assert_eq!(got, sent);
    }

    /// Chunk layer against chunk layer, at any size and on any chunk stream.
    #[test]
    fn chunks_mean_the_same_to_both(
        sent in tags(),
        size in prop::sample::select(vec![1u32, 128, 4096, 65_536]),
        on in prop::sample::select(vec![3u32, 63, 64, 319, 320, 65_599]),
        split in 1usize..3000,
    ) {
        let mut ours = rtmp::chunk::ChunkWriter::new();
        let mut theirs = ChunkWriter::new();
        let (mut our_bytes, mut their_bytes) = (bytes::BytesMut::new(), Vec::new());
        let chunk_size = rtmp::chunk::ChunkSize::new(size).unwrap();
        ours.set_chunk_size(chunk_size);
        theirs.set_chunk_size(size);
        let mut messages = Vec::new();
        for tag in &sent {
            let message = Message {
                chunk_stream_id: on,
                timestamp: tag.timestamp.0,
                message_type_id: tag.kind.number(),
                message_stream_id: 1,
                payload: tag.body().to_vec(),
            };
            let raw = rtmp::message::RawMessage {
                kind: rtmp::message::MessageType(tag.kind.number()),
                timestamp: tag.timestamp.0,
                stream: rtmp::message::MessageStreamId(1),
                payload: tag.body().clone(),
            };
            ours.write(csid(on), &raw, &mut our_bytes).unwrap();
            their_bytes.extend(theirs.write(&message));
            messages.push((raw, message));
        }

        let mut their_reader = ChunkAssembler::new();
        their_reader.set_chunk_size(size);
        let mut read = Vec::new();
        for part in our_bytes.chunks(split) {
            read.extend(their_reader.push(part).unwrap());
        }
        prop_assert!(read.iter().eq(messages.iter().map(|(_, message)| message)));

        let mut our_reader = crate::chunks::reader();
        our_reader.set_chunk_size(chunk_size);
        let mut read = Vec::new();
        for part in their_bytes.chunks(split) {
            read.extend(crate::chunks::read_all(&mut our_reader, part).unwrap());
        }
        prop_assert!(read.iter().map(|arrival| &arrival.message).eq(messages.iter().map(|(raw, _)| raw)));
    }
}
