//! Playing: our server and our client with each other.

use flv::{FlvMillis, TagKind};
use rtmp::message::MessageStreamId;
use rtmp::session::{
    ClientEnd, ClientError, EndReason, Intent, MediaKind, Pause, PlayEnd, PlayKind, PlayRefusal, PlayStart,
    Stage, Wanted,
};
use rtmp::{ClientEvent, Event};

use crate::client::{CONNECTION, Harness, STREAM, info};
use crate::pair::{Fault, Pair, client_config, tag};

/// A player by hand, up to its request.
fn asked(args: Vec<flv::amf0::Value>) -> Harness {
    let mut h = Harness::new();
    h.client.connect("live");
    h.client.create_stream();
    h.client.command(STREAM, "play", 5.0, args);
    h.pump().unwrap();
    h
}

fn playing() -> Harness {
    let mut h = asked(vec!["main?key=x".into()]);
    let Some(Event::PlayRequested(request)) = h.events.pop() else { panic!("no request") };
    h.session.accept_play(request.request, PlayKind::Live, h.now).unwrap();
    h.fetch();
    h
}

#[test]
fn a_player_is_told_what_flash_players_wait_for() {
    for (kind, recorded) in [(PlayKind::Live, ""), (PlayKind::Recording, "StreamIsRecorded ")] {
        let mut h = asked(vec!["main?key=x".into(), (-2000.0).into()]);
        let Some(Event::PlayRequested(request)) = h.events.pop() else { panic!("no request") };
        assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
        assert_eq!((request.name.key(), request.start), (Some("x"), PlayStart::Any));
        let before = h.replies().len();
        assert_eq!(h.session.accept_play(request.request, kind, h.now), Ok(STREAM));
        h.fetch();
        let said: Vec<_> = h
            .replies()
            .into_iter()
            .skip(before)
            .map(|(_, message)| match message {
                rtmp::message::Message::Command(c) => match info(&c, "code") {
                    flv::amf0::Value::String(code) => code,
                    other => panic!("{other:?}"),
                },
                rtmp::message::Message::UserControl(event) => {
                    format!("{event:?}").split('(').next().unwrap().to_owned()
                }
                rtmp::message::Message::Script(body) => String::from_utf8_lossy(&body[3..20]).into_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            said.join(" "),
            format!("{recorded}StreamBegin NetStream.Play.Reset NetStream.Play.Start |RtmpSampleAccess")
        );
    }
}

#[test]
fn what_a_player_asks_for_is_read() {
    for (args, start, duration) in [
        (vec![], PlayStart::Any, None),
        (vec![(-2.0).into()], PlayStart::Any, None),
        (vec![(-1.0).into(), (-1.0).into()], PlayStart::Live, None),
        (vec![(-1000.0).into()], PlayStart::Live, None),
        (vec![1500.0.into(), 500.0.into(), false.into()], PlayStart::Recording(1500), Some(500)),
    ] {
        let args = [vec!["main".into()], args].concat();
        let h = asked(args);
        let Some(Event::PlayRequested(request)) = h.events.last() else { panic!("no request") };
        assert_eq!((request.start, request.duration), (start, duration));
    }
}

#[test]
fn tags_reach_the_player_as_they_were() {
    let mut pair = Pair::started(Intent::Play);
    let sent = vec![
        tag(TagKind::Script, 0, &b"\x02\0\x0aonMetaData\x05"[..]),
        tag(TagKind::Video, 0, &b"\x17\0\0\0\0avcC"[..]),
        tag(TagKind::Audio, 0, &b"\xaf\0\x11\x90"[..]),
        tag(TagKind::Video, 5, vec![0x17; 200_000]),
        tag(TagKind::Audio, 9, vec![0xAF; 300]),
    ];
    for tag in &sent {
        pair.server.send(STREAM, tag).unwrap();
    }
    let waiting = pair.server.output().len();
    assert!((200_000..201_000).contains(&waiting), "{waiting}");
    pair.run().unwrap();
    assert_eq!(pair.received(), sent);
    assert!(pair.server.output().is_empty());
    assert!(pair.server.send(MessageStreamId(9), &sent[0]).is_err());
}

#[test]
fn the_end_of_a_stream_is_told_and_the_stream_may_begin_anew() {
    for (why, end) in
        [(PlayEnd::Unpublished, ClientEnd::Unpublished), (PlayEnd::Complete, ClientEnd::Complete)]
    {
        let mut pair = Pair::started(Intent::Play);
        pair.server.send(STREAM, &tag(TagKind::Audio, 0, vec![1; 9])).unwrap();
        pair.server.end_play(STREAM, why, pair.now).unwrap();
        assert!(pair.server.end_play(STREAM, why, pair.now).is_err());
        assert!(pair.server.send(STREAM, &tag(TagKind::Audio, 1, vec![1; 9])).is_err());
        pair.run().unwrap();
        assert_eq!(pair.received().len(), 1);
        assert_eq!(pair.heard.iter().filter(|e| matches!(e, ClientEvent::Ended(_))).count(), 1);
        assert!(pair.heard.contains(&ClientEvent::Ended(end)));
        assert!(!pair.client.is_closed() && !pair.server.is_closed());
    }
}

#[test]
fn a_refused_player_learns_why() {
    for (reason, words) in [
        (PlayRefusal::NotFound, "NetStream.Play.StreamNotFound: main: there is no stream of this name"),
        (PlayRefusal::NotAllowed, "NetStream.Play.Failed: main: the stream key is missing or wrong"),
        (PlayRefusal::Busy, "NetStream.Play.Failed: main: no more players are taken now"),
    ] {
        let mut pair = Pair::new(client_config(Intent::Play), crate::client::config());
        pair.run().unwrap();
        let Some(Event::PlayRequested(request)) = pair.seen.pop() else { panic!("no request") };
        pair.server.refuse_play(request.request, reason, pair.now).unwrap();
        assert!(pair.server.accept_play(request.request, PlayKind::Live, pair.now).is_err());
        let Err(Fault::Client(ClientError::Refused(refusal))) = pair.run() else { panic!("not refused") };
        assert_eq!(refusal.stage, Stage::Start);
        assert_eq!(refusal.to_string(), format!("the server refused the stream's name: {words}"));
        assert!(pair.client.is_closed() && !pair.server.is_closed());
    }
}

#[test]
fn a_player_pauses_turns_things_off_and_leaves() {
    let mut h = playing();
    let flag = |flag: bool| vec![flag.into()];
    h.client.command(STREAM, "pause", 0.0, vec![true.into(), 777.0.into()]);
    h.client.command(STREAM, "pause", 0.0, flag(false));
    h.client.command(STREAM, "receiveVideo", 0.0, flag(false));
    h.client.command(STREAM, "receiveAudio", 0.0, flag(true));
    h.client.command(STREAM, "seek", 0.0, vec![5.0.into()]);
    let buffer = rtmp::message::UserControl::SetBufferLength { stream: STREAM, millis: 3000 };
    h.client.send(2, CONNECTION, 0, &rtmp::message::Message::UserControl(buffer));
    h.client.command(STREAM, "closeStream", 0.0, vec![]);
    h.client.command(STREAM, "pause", 0.0, flag(true));
    h.pump().unwrap();
    assert_eq!(
        h.events,
        [
            Event::Pause { stream: STREAM, pause: Pause::Paused, at: FlvMillis(777) },
            Event::Pause { stream: STREAM, pause: Pause::Resumed, at: FlvMillis(0) },
            Event::Wants { stream: STREAM, kind: MediaKind::Video, wanted: Wanted::No },
            Event::Wants { stream: STREAM, kind: MediaKind::Audio, wanted: Wanted::Yes },
            Event::BufferLength { stream: STREAM, millis: 3000 },
            Event::PlayEnded { stream: STREAM, reason: EndReason::Stopped },
        ]
    );
    let codes: Vec<_> = h.answers().iter().rev().take(4).map(|c| info(c, "code")).collect();
    assert_eq!(
        codes,
        [
            "NetStream.Play.Stop",
            "NetStream.Seek.Failed",
            "NetStream.Unpause.Notify",
            "NetStream.Pause.Notify"
        ]
        .map(flv::amf0::Value::from)
    );
}

#[test]
fn a_player_that_deletes_its_stream_gets_no_answer() {
    let mut h = playing();
    let before = h.replies().len();
    h.client.command(CONNECTION, "deleteStream", 0.0, vec![1.0.into()]);
    h.pump().unwrap();
    assert_eq!(h.events, [Event::PlayEnded { stream: STREAM, reason: EndReason::Stopped }]);
    assert_eq!(h.replies().len(), before);
}

#[test]
fn a_player_may_change_streams_and_goes_with_its_connection() {
    let mut h = playing();
    h.client.command(STREAM, "play", 0.0, vec!["other".into()]);
    h.pump().unwrap();
    assert_eq!(h.events[0], Event::PlayEnded { stream: STREAM, reason: EndReason::Stopped });
    let Some(Event::PlayRequested(request)) = h.events.pop() else { panic!("no request") };
    assert_eq!(request.name.name(), "other");
    assert!(!h.session.wants_input());
    h.session.accept_play(request.request, PlayKind::Live, h.now).unwrap();
    h.events.clear();
    h.session.handle_close();
    h.fetch();
    assert_eq!(h.events, [Event::PlayEnded { stream: STREAM, reason: EndReason::Disconnected }]);
}

#[test]
fn one_connection_can_publish_and_play() {
    let mut h = playing();
    h.client.create_stream();
    h.client.publish(MessageStreamId(2), "mine");
    h.pump().unwrap();
    let request = h.request().request;
    h.session.accept(request, h.now).unwrap();
    h.client.send(6, MessageStreamId(2), 4, &rtmp::message::Message::Video(vec![7; 9].into()));
    // A player's tags are nobody's.
    h.client.send(6, STREAM, 4, &rtmp::message::Message::Video(vec![7; 9].into()));
    h.pump().unwrap();
    assert_eq!(h.tags().len(), 1);
    h.session.send(STREAM, &tag(TagKind::Audio, 1, vec![1; 5])).unwrap();
    assert!(h.session.send(MessageStreamId(2), &tag(TagKind::Audio, 1, vec![1; 5])).is_err());
}
