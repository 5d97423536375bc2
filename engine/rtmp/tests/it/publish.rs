//! Publishing from the first byte to the last.

use bytes::{BufMut, Bytes, BytesMut};
use flv::TagKind;
use flv::amf0::Value;
use proptest::prelude::*;
use rtmp::Event;
use rtmp::message::{BandwidthLimit, Message, MessageStreamId, MessageType, UserControl};
use rtmp::session::{EndReason, PublishKind, Reject};

use crate::chunks::full;
use crate::client::{CONNECTION, Harness, STREAM, info};

#[test]
fn a_publisher_is_let_in_and_its_tags_come_out() {
    let mut h = Harness::new();
    let object = Value::object([
        ("app", Value::from("live/")),
        ("flashVer", Value::from("FMLE/3.0 (compatible; test)")),
        ("tcUrl", Value::from("rtmp://127.0.0.1/live")),
        ("swfUrl", Value::from("rtmp://127.0.0.1/live")),
        ("objectEncoding", Value::from(3.0)),
    ]);
    h.client.command_with(CONNECTION, "connect", 1.0, object, vec![]);
    h.client.create_stream();
    h.client.publish(STREAM, "main?key=secret");
    h.pump().unwrap();

    let request = h.request();
    assert_eq!(request.stream, STREAM);
    assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
    assert_eq!((request.name.key(), request.kind), (Some("secret"), PublishKind::Live));
    assert_eq!(request.peer.flash_version.as_deref(), Some("FMLE/3.0 (compatible; test)"));
    assert_eq!(request.peer.tc_url.as_deref(), Some("rtmp://127.0.0.1/live"));
    let replies = h.replies();
    assert_eq!(replies[0].1, Message::WindowAckSize(2_500_000));
    assert_eq!(replies[1].1, Message::SetPeerBandwidth { window: 2_500_000, limit: BandwidthLimit::Dynamic });
    assert!(matches!(replies[2].1, Message::SetChunkSize(size) if size.get() == 4096));
    let answers = h.answers();
    assert_eq!((answers[0].name.as_str(), answers[0].transaction), ("_result", 1.0));
    assert_eq!(answers[0].object.get("capabilities"), Some(&Value::Number(31.0)));
    assert!(answers[0].object.get("fmsVer").is_some());
    assert_eq!(info(&answers[0], "code"), Value::from("NetConnection.Connect.Success"));
    assert_eq!(info(&answers[0], "objectEncoding"), Value::Number(3.0));
    assert_eq!(info(&answers[0], "fourCcList"), Value::Undefined);
    assert_eq!((answers[1].name.as_str(), answers[1].transaction), ("_result", 4.0));
    assert_eq!(answers[1].args, [Value::Number(1.0)]);

    assert_eq!(h.session.accept(request.request, h.now), Ok(STREAM));
    h.fetch();
    let replies = h.replies();
    let [.., (_, begin), (on, status)] = &replies[..] else { panic!("too few replies") };
    assert_eq!(*begin, Message::UserControl(UserControl::StreamBegin(STREAM)));
    assert_eq!(*on, STREAM);
    let Message::Command(status) = status else { panic!("{status:?}") };
    assert_eq!(status.name, "onStatus");
    assert_eq!(info(status, "level"), Value::from("status"));
    assert_eq!(info(status, "code"), Value::from("NetStream.Publish.Start"));

    h.client.send(4, STREAM, 0, &Message::Script(Bytes::from_static(b"\x02\0\x0aonMetaData\x05")));
    h.client.video(0, vec![0x17; 500]);
    h.client.audio(7, &b"\xaf\x01abc"[..]);
    h.pump().unwrap();
    assert_eq!(
        h.tags(),
        [
            (TagKind::Script, 0, Bytes::from_static(b"\x02\0\x0aonMetaData\x05")),
            (TagKind::Video, 0, vec![0x17; 500].into()),
            (TagKind::Audio, 7, Bytes::from_static(b"\xaf\x01abc")),
        ]
    );

    h.client.command(CONNECTION, "deleteStream", 6.0, vec![Value::from(1.0)]);
    h.client.audio(9, &b"late"[..]);
    h.pump().unwrap();
    assert_eq!(
        h.events.last(),
        Some(&Event::PublishEnded { stream: STREAM, reason: EndReason::Unpublished })
    );
    assert!(!h.session.is_closed());
    h.session.handle_close();
    assert!(h.session.is_closed());
    assert_eq!(h.fetch(), 0);
}

#[test]
fn tags_wait_for_the_answer() {
    let mut h = Harness::new();
    h.client.begin();
    h.client.video(0, &b"\x17\0eager"[..]);
    h.pump().unwrap();
    let request = h.request();
    assert!(!h.session.wants_input());
    assert!(!h.waiting.is_empty());
    assert_eq!(h.tags(), []);
    h.session.accept(request.request, h.now).unwrap();
    assert!(h.session.wants_input());
    h.pump().unwrap();
    assert_eq!(h.tags(), [(TagKind::Video, 0, Bytes::from_static(b"\x17\0eager"))]);
}

#[test]
fn a_rejected_client_is_told_why_and_the_session_ends() {
    for (reason, words) in [
        (Reject::NameTaken, "main: somebody publishes under this name already"),
        (Reject::NoSuchPoint, "main: nothing here takes a stream of this name"),
        (Reject::NotAllowed, "main: the stream key is missing or wrong"),
        (Reject::Busy, "main: no more publishers are taken now"),
    ] {
        let mut h = Harness::new();
        h.client.begin();
        h.client.video(0, vec![1; 10]);
        h.pump().unwrap();
        let request = h.request().request;
        h.session.reject(request, reason).unwrap();
        h.fetch();
        let status = h.answers().pop().unwrap();
        assert_eq!(info(&status, "level"), Value::from("error"));
        assert_eq!(info(&status, "code"), Value::from("NetStream.Publish.BadName"));
        assert_eq!(info(&status, "description"), Value::from(words));
        assert!(h.session.is_closed() && !h.session.wants_input());
        h.pump().unwrap();
        assert!(h.waiting.is_empty(), "a closed session takes and drops what still comes");
        assert_eq!(h.tags(), []);
        let err = h.session.accept(request, h.now).unwrap_err();
        assert_eq!(err.to_string(), "request 1 is not waiting for an answer");
        assert_eq!(h.session.reject(request, reason), Err(err));
        assert_eq!(h.session.next_deadline(), None);
    }
}

#[test]
fn a_connection_that_ends_takes_its_streams_along() {
    let mut h = Harness::new().publishing();
    h.client.create_stream();
    h.client.publish(MessageStreamId(2), "second");
    h.pump().unwrap();
    let request = h.request().request;
    h.events.clear();
    h.session.handle_close();
    h.fetch();
    assert_eq!(
        h.events,
        [
            Event::PublishEnded { stream: STREAM, reason: EndReason::Disconnected },
            Event::RequestWithdrawn { request },
        ]
    );
    assert!(h.session.accept(request, h.now).is_err());

    let mut h = Harness::new().publishing();
    h.client.create_stream();
    h.client.publish(MessageStreamId(2), "second");
    h.pump().unwrap();
    let request = h.request().request;
    h.session.reject(request, Reject::NameTaken).unwrap();
    h.fetch();
    assert_eq!(h.events.last(), Some(&Event::PublishEnded { stream: STREAM, reason: EndReason::Rejected }));
}

#[test]
fn a_stream_can_be_closed_and_published_again() {
    let mut h = Harness::new().publishing();
    h.client.command(STREAM, "closeStream", 0.0, vec![]);
    h.client.video(1, vec![1; 5]);
    h.client.publish(STREAM, "again");
    h.pump().unwrap();
    assert_eq!(h.tags(), []);
    let request = h.request();
    assert_eq!(request.name.name(), "again");
    h.session.accept(request.request, h.now).unwrap();
    h.client.video(2, vec![2; 5]);
    h.pump().unwrap();
    assert_eq!(h.tags().len(), 1);
}

#[test]
fn a_stream_can_be_deleted_by_number_by_name_or_where_it_is() {
    for (on, args, ends) in [
        (CONNECTION, vec![Value::from(1.0)], true),
        (CONNECTION, vec![Value::from("main")], true),
        (STREAM, vec![], true),
        (CONNECTION, vec![], false),
        (CONNECTION, vec![Value::from(2.0)], false),
        (CONNECTION, vec![Value::from("other")], false),
    ] {
        let mut h = Harness::new().publishing();
        h.client.command(on, "deleteStream", 0.0, args.clone());
        h.pump().unwrap();
        let ended = Event::PublishEnded { stream: STREAM, reason: EndReason::Unpublished };
        assert_eq!(h.events, Vec::from_iter(ends.then_some(ended)), "{args:?}");
    }
}

#[test]
fn the_farewell_of_flash_era_encoders_ends_the_stream_once() {
    let mut h = Harness::new().publishing();
    h.client.command(CONNECTION, "FCUnpublish", 6.0, vec![Value::from("other")]);
    h.pump().unwrap();
    assert_eq!(h.events, []);
    h.client.command(CONNECTION, "FCUnpublish", 6.0, vec![Value::from("main")]);
    h.client.command(CONNECTION, "deleteStream", 7.0, vec![Value::from(1.0)]);
    h.pump().unwrap();
    assert_eq!(h.events, [Event::PublishEnded { stream: STREAM, reason: EndReason::Unpublished }]);
}

#[test]
fn commands_of_all_encoders_get_the_answers_they_wait_for() {
    let mut h = Harness::new();
    h.client.connect("live");
    let main = || vec![Value::from("main")];
    for (number, name) in
        ["releaseStream", "FCPublish", "getStreamLength", "_checkbw", "FCUnpublish", "setPlaylist"]
            .iter()
            .enumerate()
    {
        h.client.command(CONNECTION, name, 10.0 + number as f64, main());
    }
    h.client.command(CONNECTION, "releaseStream", 0.0, main());
    h.client.command(CONNECTION, "nothingKnown", 0.0, main());
    h.client.command(CONNECTION, "_result", 2.0, vec![]);
    h.client.create_stream();
    h.client.publish(STREAM, "main");
    h.pump().unwrap();
    let answers = h.answers();
    let short: Vec<_> = answers.iter().skip(1).map(|c| (c.name.as_str(), c.transaction)).collect();
    assert_eq!(
        short,
        [
            ("_result", 10.0),
            ("_result", 11.0),
            ("_result", 12.0),
            ("_result", 13.0),
            ("_result", 14.0),
            ("_error", 15.0),
            ("_result", 4.0),
        ]
    );
    assert_eq!(info(&answers[6], "description"), Value::from("there is no command setPlaylist"));

    let request = h.request().request;
    h.session.accept(request, h.now).unwrap();
    h.fetch();
    let names: Vec<_> = h.answers().into_iter().skip(8).map(|c| c.name).collect();
    assert_eq!(names, ["onFCPublish", "onStatus"]);
}

#[test]
fn enhanced_codecs_are_confirmed_where_both_know_them() {
    for (listed, confirmed) in [
        (&["av01", "hvc1"][..], Some(&["hvc1"][..])),
        (&["*"], Some(&["avc1", "hvc1", "mp4a", ".mp3", "Opus"])),
        (&["av01"], None),
    ] {
        let list = |codes: &[&str]| Value::StrictArray(codes.iter().map(|&code| Value::from(code)).collect());
        let mut h = Harness::new();
        let object = Value::object([("app", Value::from("live")), ("fourCcList", list(listed))]);
        h.client.command_with(CONNECTION, "connect", 1.0, object, vec![]);
        h.client.create_stream();
        h.client.publish(STREAM, "main");
        h.pump().unwrap();
        assert_eq!(info(&h.answers()[0], "fourCcList"), confirmed.map_or(Value::Undefined, list));
        assert_eq!(h.request().peer.capabilities.codecs.len(), listed.len());
    }
}

#[test]
fn amf3_commands_and_control_messages_in_between() {
    let mut h = Harness::new();
    h.client.connect("live");
    let mut wrapped = BytesMut::new();
    wrapped.put_u8(0);
    for value in [Value::from("createStream"), Value::from(2.0), Value::Null] {
        flv::amf0::encode(&value, &mut wrapped).unwrap();
    }
    let wrapped = Message::Other { kind: MessageType::COMMAND_AMF3, payload: wrapped.freeze() };
    h.client.send(3, CONNECTION, 0, &wrapped);
    h.client.send(2, CONNECTION, 0, &Message::UserControl(UserControl::PingRequest(77)));
    let buffer = UserControl::SetBufferLength { stream: STREAM, millis: 3000 };
    h.client.send(2, CONNECTION, 0, &Message::UserControl(buffer));
    h.client.send(2, CONNECTION, 0, &Message::SetPeerBandwidth { window: 9000, limit: BandwidthLimit::Soft });
    h.client.send(2, CONNECTION, 0, &Message::Acknowledgement(1));
    h.client.send(
        3,
        CONNECTION,
        0,
        &Message::Other { kind: MessageType(19), payload: Bytes::from_static(b"so") },
    );
    h.pump().unwrap();
    assert_eq!(h.answers()[1].transaction, 2.0);
    let replies: Vec<_> = h.replies().into_iter().map(|(_, message)| message).collect();
    assert_eq!(
        replies[5..],
        [Message::UserControl(UserControl::PingResponse(77)), Message::WindowAckSize(9000),]
    );
}

#[test]
fn control_messages_may_come_in_the_middle_of_others() {
    let mut h = Harness::new().publishing();
    let out = &mut h.client.bytes;
    let control = |kind: u8, value: u32| [&full(2, 0, 4, kind, 0)[..], &value.to_be_bytes()].concat();
    // The chunk size changes after 128 of 300 bytes: the other 172 are one chunk.
    out.extend_from_slice(&full(6, 10, 300, 9, 1));
    out.extend_from_slice(&[0x17; 128]);
    out.extend_from_slice(&control(1, 200));
    out.extend_from_slice(&[0xC6]);
    out.extend_from_slice(&[0x17; 172]);
    // The next is given up after its first chunk, and another takes its place.
    out.extend_from_slice(&full(6, 20, 300, 9, 1));
    out.extend_from_slice(&[0x18; 200]);
    out.extend_from_slice(&control(2, 6));
    out.extend_from_slice(&full(6, 30, 1, 9, 1));
    out.extend_from_slice(&[0x19]);
    h.pump().unwrap();
    assert_eq!(
        h.tags(),
        [
            (TagKind::Video, 10, Bytes::from(vec![0x17; 300])),
            (TagKind::Video, 30, Bytes::from_static(&[0x19])),
        ]
    );
}

#[test]
fn acknowledgements_follow_the_window_the_client_asked_for() {
    let mut h = Harness::new().publishing();
    h.client.send(2, CONNECTION, 0, &Message::WindowAckSize(10_000));
    h.client.video(0, vec![1; 9_000]);
    h.pump().unwrap();
    let acks = |h: &Harness| {
        let ack = |(_, message)| matches!(message, Message::Acknowledgement(_)).then_some(message);
        h.replies().into_iter().filter_map(ack).collect::<Vec<_>>()
    };
    // What came before the window was told counts as well.
    assert_eq!(acks(&h).len(), 1);
    h.client.video(0, vec![1; 9_000]);
    h.pump().unwrap();
    assert_eq!(acks(&h).len(), 1);
    h.client.video(0, vec![1; 9_000]);
    h.pump().unwrap();
    assert_eq!(acks(&h).len(), 2);
}

#[test]
fn aggregates_are_taken_apart() {
    let mut h = Harness::new().publishing();
    let mut payload = BytesMut::new();
    for (kind, timestamp, body) in [(9u8, 100u32, &b"\x17pic"[..]), (8, 120, b"\xafs"), (3, 0, b"?")] {
        payload.put_u8(kind);
        payload.put_uint(body.len() as u64, 3);
        payload.put_uint(timestamp.into(), 3);
        payload.put_u32(0);
        payload.put_slice(body);
        payload.put_u32(11 + body.len() as u32);
    }
    h.client.send(6, STREAM, 5000, &Message::Aggregate(payload.freeze()));
    h.pump().unwrap();
    assert_eq!(
        h.tags(),
        [
            (TagKind::Video, 5000, Bytes::from_static(b"\x17pic")),
            (TagKind::Audio, 5020, Bytes::from_static(b"\xafs")),
        ]
    );
}

#[test]
fn messages_out_of_place_end_the_session() {
    let fault = |write: &dyn Fn(&mut Harness)| {
        let mut h = Harness::new().publishing();
        write(&mut h);
        let err = h.pump().unwrap_err();
        let ended = Event::PublishEnded { stream: STREAM, reason: EndReason::Failed };
        assert_eq!(h.events.last(), Some(&ended));
        assert!(h.session.is_closed());
        err.to_string().split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(fault(&|h| h.client.connect("live")), "a second `connect`; legal is one");
    assert_eq!(
        fault(&|h| h.client.publish(MessageStreamId(9), "x")),
        "`publish` on message stream 9; legal are the 1 that `createStream` gave out"
    );
    assert_eq!(
        fault(&|h| h.client.publish(STREAM, "x")),
        "`publish` on message stream 1, which publishes or plays already"
    );
    assert_eq!(
        fault(&|h| {
            h.client.create_stream();
            h.client.command(MessageStreamId(2), "publish", 0.0, vec![Value::Null]);
        }),
        "`publish` without a stream name"
    );

    let mut h = Harness::new();
    h.client.create_stream();
    assert_eq!(
        h.pump().unwrap_err().to_string(),
        "message at byte 3073: command `createStream` before `connect`"
    );
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_session(
        cuts in prop::collection::vec(prop_oneof![1usize..40, 1usize..3000], 1..100),
        size in prop::sample::select(vec![1u32, 7, 128, 4096]),
        tags in prop::collection::vec((any::<bool>(), 0u32..50, 1usize..600), 0..30),
    ) {
        let mut h = Harness::new();
        h.client.begin();
        h.client.set_chunk_size(size);
        let mut clock = 0xFF_FF00;
        let mut sent = Vec::new();
        for (video, step, length) in tags {
            clock += step;
            let body: Vec<u8> = (0..length).map(|i| (i * 3) as u8 | 1).collect();
            if video {
                h.client.video(clock, body.clone());
                sent.push((TagKind::Video, clock, Bytes::from(body)));
            } else {
                h.client.audio(clock, body.clone());
                sent.push((TagKind::Audio, clock, Bytes::from(body)));
            }
        }
        let mut bytes = h.client.bytes.split().freeze();
        let mut cuts = cuts.into_iter().cycle();
        while !bytes.is_empty() {
            let cut = cuts.next().unwrap().min(bytes.len());
            h.client.bytes.extend_from_slice(&bytes.split_to(cut));
            h.pump().unwrap();
            if let Some(Event::PublishRequested(request)) = h.events.last() {
                let request = request.request;
                h.events.clear();
                prop_assert_eq!(h.session.accept(request, h.now), Ok(STREAM));
            }
        }
        h.pump().unwrap();
        prop_assert_eq!(h.tags(), sent);
    }
}
