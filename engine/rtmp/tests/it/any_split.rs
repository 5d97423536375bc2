//! Client and server with each other: any split of the bytes, and noise.

use bytes::Bytes;
use flv::{Tag, TagKind};
use media::Time;
use proptest::prelude::*;
use rtmp::chunk::ChunkSize;
use rtmp::handshake::{DigestScheme, Opening};
use rtmp::session::Intent;
use rtmp::{ClientConfig, ClientEvent, ClientSession, Limits, ServerConfig};

use crate::client::{STREAM, config};
use crate::pair::{Pair, client_config, tag};

fn intent() -> impl Strategy<Value = Intent> {
    prop::sample::select(vec![Intent::Publish, Intent::Play])
}

/// Tags whose clock begins anywhere and makes small steps and one or two large ones.
fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let start = prop_oneof![Just(0u32), 0xFF_FF00u32..0x100_0100, u32::MAX - 300..u32::MAX];
    let step = prop_oneof![9 => 0u32..50, 1 => Just(0x100_0000)];
    (start, prop::collection::vec((0u8..3, step, 1usize..3000), 1..40)).prop_map(|(start, tags)| {
        let mut clock = start;
        let one = |(number, (kind, step, length)): (usize, (u8, u32, usize))| {
            clock = clock.wrapping_add(step);
            let body =
                |length: usize| -> Vec<u8> { (0..length).map(|i| (i * 5 + number) as u8 | 1).collect() };
            match kind {
                0 => tag(TagKind::Script, clock, &b"\x02\0\x0aonMetaData\x05"[..]),
                1 => tag(TagKind::Audio, clock, body(length / 10 + 1)),
                _ => tag(TagKind::Video, clock, body(length)),
            }
        };
        tags.into_iter().enumerate().map(one).collect()
    })
}

fn splits() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let some = || prop_oneof![0usize..40, 0usize..5000];
    prop::collection::vec((some(), some()), 1..40)
}

/// What a server says in earnest, after its handshake too.
fn conversation(intent: Intent) -> Vec<u8> {
    let mut pair = Pair::new(client_config(intent), config());
    let mut said = Vec::new();
    for _ in 0..8 {
        pair.step(usize::MAX, 0).unwrap();
        let bytes = pair.to_client.split();
        said.extend_from_slice(&bytes);
        pair.client.handle_input(&mut bytes.freeze(), pair.now).unwrap();
        if !pair.server.wants_input() {
            pair.allow();
        }
        if intent == Intent::Play {
            pair.server.send(STREAM, &tag(TagKind::Video, 5, vec![0x17; 900])).ok();
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every message arrives in order and equal, in both directions, across the
    /// wrap of the timestamps.
    #[test]
    fn every_tag_arrives(
        intent in intent(),
        opening in prop::sample::select(vec![Opening::Simple, Opening::Digest(DigestScheme::Zero)]),
        server_chunks in prop::sample::select(vec![128u32, 200, 4096, 65_536]),
        sent in tags(),
        splits in splits(),
    ) {
        let server = ServerConfig { chunk_size: ChunkSize::new(server_chunks).unwrap(), ..config() };
        let mut pair = Pair::new(ClientConfig { opening, ..client_config(intent) }, server);
        let mut todo = sent.iter();
        let mut splits = splits.into_iter().chain([(1, 1)]).cycle();
        let mut allowed = false;
        while pair.received().len() < sent.len() {
            let (to_server, to_client) = splits.next().unwrap();
            pair.step(to_server, to_client).unwrap();
            if !allowed && !pair.server.wants_input() {
                pair.allow();
                allowed = true;
            }
            let next = match intent {
                Intent::Publish if !pair.heard.contains(&ClientEvent::Started) => None,
                Intent::Play if !allowed => None,
                _ => todo.next(),
            };
            match (next, intent) {
                (Some(tag), Intent::Publish) => pair.client.send(tag).unwrap(),
                (Some(tag), Intent::Play) => pair.server.send(STREAM, tag).unwrap(),
                (None, _) => {}
            }
        }
        prop_assert_eq!(pair.received(), sent);
    }

    #[test]
    fn noise_does_a_client_no_harm(
        noise in prop::option::of(prop::collection::vec(any::<u8>(), 0..2000)),
        faults in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        split in prop_oneof![1usize..20, 100usize..5000],
        intent in intent(),
    ) {
        let mut said = match noise {
            Some(noise) => [&[3][..], &[7; 3072], &noise].concat(),
            None => conversation(intent),
        };
        for (at, byte) in faults {
            let at = at.index(said.len());
            if at > 3072 {
                said[at] = byte;
            }
        }
        said.truncate(cut.index(said.len() + 1));
        let limits = Limits {
            media_message: 5000,
            command_message: 2000,
            queued_events: 16,
            queued_output: 4000,
            ..Limits::default()
        };
        let mut client = ClientSession::new(ClientConfig { limits, ..client_config(intent) }, Time::ZERO);
        'all: for part in said.chunks(split) {
            let mut input = Bytes::copy_from_slice(part);
            loop {
                let result = client.handle_input(&mut input, Time::ZERO);
                prop_assert!(client.output().len() < 4000 + 5000);
                let mut fetched = 0;
                while client.poll_event().is_some() {
                    fetched += 1;
                }
                prop_assert!(fetched <= 20);
                while client.poll_output().is_some() {
                    fetched += 1;
                }
                if result.is_err() {
                    prop_assert!(client.is_closed());
                    break 'all;
                }
                if fetched == 0 {
                    break;
                }
            }
            prop_assert!(input.is_empty());
        }
    }
}

#[test]
fn the_conversation_itself_is_understood() {
    for intent in [Intent::Publish, Intent::Play] {
        let mut client = ClientSession::new(client_config(intent), Time::ZERO);
        client.handle_input(&mut conversation(intent).into(), Time::ZERO).unwrap();
        assert!(std::iter::from_fn(|| client.poll_event()).any(|event| event == ClientEvent::Started));
    }
}
