//! Every limit, from both sides.

use bytes::Bytes;
use rtmp::chunk::ChunkReader;
use rtmp::message::Message;
use rtmp::{Event, Limits};

use crate::chunks::{full, read_all};
use crate::client::{CONNECTION, Harness, STREAM};

fn limited(limits: Limits) -> ChunkReader {
    ChunkReader::new(limits, 0)
}

#[test]
fn chunk_streams() {
    let mut reader = limited(Limits { chunk_streams: 3, ..Limits::default() });
    for on in [3, 4, 5, 3, 4, 5] {
        read_all(&mut reader, &full(on, 0, 0, 8, 1)).unwrap();
    }
    assert_eq!(
        read_all(&mut reader, &full(6, 0, 0, 8, 1)).unwrap_err().to_string(),
        "chunk at byte 72 on chunk stream 6: 4 chunk streams are in use; legal are 1 to 3"
    );
}

#[test]
fn message_lengths_by_type() {
    let limits = Limits { media_message: 1000, command_message: 10, ..Limits::default() };
    for (kind, most) in [(8, 1000), (9, 1000), (22, 1000), (20, 10), (18, 10), (1, 10), (99, 10)] {
        let mut reader = limited(limits);
        assert!(read_all(&mut reader, &full(3, 0, most, kind, 1)).unwrap().is_empty());
        let err = read_all(&mut limited(limits), &full(3, 0, most + 1, kind, 1)).unwrap_err();
        let tail = format!("has {} bytes; legal are 0 to {most}", most + 1);
        assert!(err.to_string().ends_with(&tail), "{err}");
    }
}

#[test]
fn bytes_in_flight() {
    let mut reader = limited(Limits { in_flight: 300, ..Limits::default() });
    for on in [3, 4] {
        let begun = [&full(on, 0, 200, 9, 1)[..], &[0; 128]].concat();
        read_all(&mut reader, &begun).unwrap();
    }
    assert_eq!(reader.in_flight(), 256);
    read_all(&mut reader, &full(5, 0, 200, 9, 1)).unwrap();
    read_all(&mut reader, &[0; 44]).unwrap();
    assert_eq!(
        read_all(&mut reader, &[0; 1]).unwrap_err().to_string(),
        "chunk at byte 280 on chunk stream 5: 301 bytes of unfinished messages; legal are 0 to 300"
    );
}

#[test]
fn message_streams() {
    let mut h = Harness::limited(Limits { message_streams: 2, ..Limits::default() });
    h.client.connect("live");
    h.client.create_stream();
    h.client.create_stream();
    h.client.command(CONNECTION, "deleteStream", 0.0, vec![flv::amf0::Value::from(1.0)]);
    h.client.create_stream();
    h.pump().unwrap();
    h.client.create_stream();
    let err = h.pump().unwrap_err().to_string();
    assert!(err.ends_with(": 3 message streams at once; legal are 0 to 2"), "{err}");
}

#[test]
fn tags_in_an_aggregate() {
    let mut h = Harness::limited(Limits { aggregate_tags: 5, ..Limits::default() }).publishing();
    let tag = [8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xAF, 0, 0, 0, 12];
    h.client.send(6, STREAM, 0, &Message::Aggregate(tag.repeat(5).into()));
    h.pump().unwrap();
    assert_eq!(h.tags().len(), 5);
    h.client.send(6, STREAM, 0, &Message::Aggregate(tag.repeat(6).into()));
    let err = h.pump().unwrap_err().to_string();
    assert!(err.ends_with("an aggregate of more than 5 tags; legal are 0 to 5"), "{err}");
}

/// Hands in all there is without fetching events; returns how many waited.
fn unread_events(limits: Limits) -> Vec<Event> {
    let mut h = Harness::limited(limits).publishing();
    for timestamp in 0..50 {
        h.client.audio(timestamp, vec![0xAF; 100]);
    }
    h.deliver().unwrap();
    assert!(!h.session.wants_input());
    assert!(!h.waiting.is_empty());
    let unread = std::iter::from_fn(|| h.session.poll_event()).collect();
    assert!(h.session.wants_input());
    unread
}

#[test]
fn unread_events_by_number() {
    assert_eq!(unread_events(Limits { queued_events: 7, ..Limits::default() }).len(), 7);
}

#[test]
fn unread_events_by_bytes() {
    assert_eq!(unread_events(Limits { queued_bytes: 950, ..Limits::default() }).len(), 10);
}

#[test]
fn unfetched_output() {
    let mut h = Harness::limited(Limits { queued_output: 4000, ..Limits::default() }).publishing();
    for _ in 0..10_000 {
        h.client.command(CONNECTION, "getStreamLength", 3.0, vec![]);
    }
    let mut most = 0;
    loop {
        h.deliver().unwrap();
        let output = h.session.poll_output().map_or(0, |bytes| bytes.len());
        most = most.max(output);
        if output == 0 {
            break;
        }
    }
    assert!((4000..4100).contains(&most), "{most}");
    assert!(h.waiting.is_empty());
}

#[test]
fn a_length_that_is_only_announced_holds_nothing() {
    let mut reader = limited(Limits::default());
    reader.set_chunk_size(rtmp::chunk::ChunkSize::MAX);
    let mut input = Bytes::from(full(6, 0, 8 << 20, 9, 1));
    assert_eq!(reader.read(&mut input), Ok(None));
    assert_eq!(reader.in_flight(), 0);
}
