//! What our client makes of what servers say.

use flv::amf0::Value;
use media::{Span, Time};
use rtmp::chunk::ChunkSize;
use rtmp::message::{Message, MessageStreamId, UserControl};
use rtmp::session::{ClientEnd, ClientError, Hops, Intent, Refusal, SessionError, Stage, TimeoutKind};
use rtmp::{ClientConfig, ClientEvent, ClientSession};

use crate::client::{CONNECTION, STREAM};
use crate::hand::{Server, info};
use crate::pair::client_config;

#[test]
fn commands_come_in_the_order_that_servers_know() {
    let publish = Server::running(client_config(Intent::Publish));
    assert_eq!(publish.commands(), ["connect", "releaseStream", "FCPublish", "createStream", "publish"]);
    let play = Server::running(client_config(Intent::Play));
    assert_eq!(play.commands(), ["connect", "createStream", "play"]);
    let buffer = UserControl::SetBufferLength { stream: STREAM, millis: 1000 };
    assert_eq!(play.said.last().unwrap().1, Message::UserControl(buffer));
}

#[test]
fn an_old_server_gets_small_chunks() {
    let size = |server: &Server| {
        server.said.iter().find_map(|(_, m)| match m {
            Message::SetChunkSize(size) => Some(*size),
            _ => None,
        })
    };
    let mut old = Server::new(client_config(Intent::Publish));
    old.command("_result", 1.0, vec![]).unwrap();
    assert_eq!(size(&old), Some(ChunkSize::USUAL));
    let mut new = Server::new(client_config(Intent::Publish));
    new.send(CONNECTION, &Message::SetChunkSize(ChunkSize::USUAL)).unwrap();
    new.writer.set_chunk_size(ChunkSize::USUAL);
    new.command("_result", 1.0, vec![]).unwrap();
    assert_eq!(size(&new), Some(ChunkSize::LARGE));
}

fn stage(server: &mut Server, name: &str, transaction: f64, args: Vec<Value>) -> Option<Stage> {
    match server.command(name, transaction, args) {
        Err(ClientError::Refused(refusal)) => Some(refusal.stage),
        Ok(()) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn refusals_are_told_from_chatter() {
    let fresh = || Server::new(client_config(Intent::Publish));
    let connected = || {
        let mut server = fresh();
        server.command("_result", 1.0, vec![]).unwrap();
        server
    };
    let no = || vec![info("error", "No")];
    assert_eq!(stage(&mut fresh(), "_error", 1.0, no()), Some(Stage::Connect));
    let other = vec![info("status", "NetConnection.Connect.Other")];
    assert_eq!(stage(&mut fresh(), "_result", 1.0, other), Some(Stage::Connect));
    assert_eq!(stage(&mut fresh(), "onStatus", 0.0, no()), Some(Stage::Connect));
    let mut server = connected();
    for chatter in [2.0, 3.0, 6.0, 99.0] {
        assert_eq!(stage(&mut server, "_error", chatter, no()), None);
    }
    let fine = vec![info("status", "NetStream.Publish.Start")];
    assert_eq!(stage(&mut server, "onFCPublish", 0.0, fine), None);
    assert_eq!(stage(&mut server, "onFCPublish", 0.0, no()), Some(Stage::CreateStream));
    assert_eq!(stage(&mut connected(), "_error", 4.0, no()), Some(Stage::CreateStream));
    let mut server = connected();
    server.command("_result", 4.0, vec![7.0.into()]).unwrap();
    assert_eq!(stage(&mut server, "_error", 5.0, vec![]), Some(Stage::Start));
    let mut server = Server::running(client_config(Intent::Publish));
    assert_eq!(stage(&mut server, "onStatus", 0.0, vec![info("warning", "Slow")]), None);
    assert!(matches!(&server.events()[..], [ClientEvent::Status(s)] if s.code == "Slow"));
    assert_eq!(stage(&mut server, "onStatus", 0.0, no()), Some(Stage::Running));

    let bare = Refusal { stage: Stage::Start, code: "no reason given".into(), words: String::new() };
    assert_eq!(bare.to_string(), "the server refused the stream's name: no reason given");
}

#[test]
fn a_stream_number_must_be_one() {
    for number in
        [Value::Null, Value::from(0.0), Value::from(-1.0), Value::Number(f64::NAN), Value::from(5e9)]
    {
        let mut server = Server::new(client_config(Intent::Publish));
        server.command("_result", 1.0, vec![]).unwrap();
        let err = server.command("_result", 4.0, vec![number]).unwrap_err().to_string();
        assert!(err.ends_with("`createStream` without a stream number from 1 to 4294967295"), "{err}");
        assert!(server.client.is_closed());
    }
}

/// What a client makes of a refusal with this `ex`.
fn sent(name: &str, transaction: f64, ex: Vec<(&str, Value)>) -> Result<String, ClientError> {
    let mut server = Server::new(client_config(Intent::Play));
    let Value::Object(mut info) = info("error", "NetConnection.Connect.Rejected") else { panic!() };
    info.push(("ex".into(), Value::object(ex)));
    server.command(name, transaction, vec![Value::Object(info)])?;
    match server.events().pop() {
        Some(ClientEvent::Redirected(r)) => Ok(format!("{} {}", r.url, r.url.stream().query().unwrap_or(""))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn redirects_of_all_kinds() {
    let code = || ("code", Value::from(302.0));
    let to = |url: &str| ("redirect", Value::from(url));
    let stays = "rtmp://b/app/main key=secret";
    assert_eq!(sent("_error", 1.0, vec![code(), to("rtmp://b/app")]).unwrap(), stays);
    assert_eq!(sent("onStatus", 0.0, vec![code(), to("rtmp://b/app/main")]).unwrap(), stays);
    let both = vec![code(), to("rtmp://b/app"), ("redirect2", "rtmp://c/d/e?f".into())];
    assert_eq!(sent("onStatus", 0.0, both).unwrap(), "rtmp://c/d/e f");
    let err = sent("_error", 1.0, vec![code(), to("http://b/app")]).unwrap_err();
    assert_eq!(err.to_string(), "sent elsewhere, but no RTMP URL: it must begin with rtmp:// or rtmps://");
    assert!(matches!(sent("_error", 1.0, vec![code()]), Err(ClientError::BadRedirect(_))));
    assert!(matches!(sent("_error", 1.0, vec![("code", 403.0.into())]), Err(ClientError::Refused(_))));

    let mut server = Server::new(ClientConfig { hops: Hops::new(0), ..client_config(Intent::Play) });
    let ex = Value::object([code(), to("rtmp://b/app")]);
    let moved = Value::object([("level", "error".into()), ("ex", ex)]);
    assert!(matches!(server.command("_error", 1.0, vec![moved]), Err(ClientError::TooManyHops { .. })));
}

#[test]
fn courtesies_are_returned() {
    let mut server = Server::running(client_config(Intent::Publish));
    let before = server.said.len();
    server.command("onBWDone", 0.0, vec![]).unwrap();
    server.command("onBWDone", 0.0, vec![]).unwrap();
    server.command("_onbwcheck", 9.0, vec![]).unwrap();
    server.command("somethingElse", 9.0, vec![]).unwrap();
    server.send(CONNECTION, &Message::UserControl(UserControl::PingRequest(5))).unwrap();
    let said: Vec<_> = server.said[before..].iter().map(|(_, m)| m).collect();
    let [Message::Command(check), Message::Command(answer), pong] = &said[..] else { panic!("{said:?}") };
    assert_eq!(check.name, "_checkbw");
    assert_eq!((answer.name.as_str(), answer.transaction), ("_result", 9.0));
    assert_eq!(**pong, Message::UserControl(UserControl::PingResponse(5)));
    assert_eq!(server.events(), []);
}

#[test]
fn the_server_closes_with_and_without_a_word() {
    let mut server = Server::running(client_config(Intent::Play));
    server.command("close", 0.0, vec![]).unwrap();
    server.client.handle_close();
    assert_eq!(server.events(), [ClientEvent::Ended(ClientEnd::Closed)]);
    let mut server = Server::running(client_config(Intent::Play));
    server.client.handle_close();
    server.client.handle_close();
    assert_eq!(server.events(), [ClientEvent::Ended(ClientEnd::Disconnected)]);
    assert!(server.client.is_closed());
}

#[test]
fn what_is_played_may_begin_anew() {
    let mut server = Server::running(client_config(Intent::Play));
    let eof = Message::UserControl(UserControl::StreamEof(STREAM));
    server.status("status", "NetStream.Play.UnpublishNotify").unwrap();
    server.send(CONNECTION, &eof).unwrap();
    server.status("status", "NetStream.Play.PublishNotify").unwrap();
    server.send(STREAM, &Message::Audio(vec![1, 2].into())).unwrap();
    server.send(MessageStreamId(2), &Message::Audio(vec![1, 2].into())).unwrap();
    server.send(CONNECTION, &eof).unwrap();
    server.send(STREAM, &Message::Audio(vec![3].into())).unwrap();
    server.send(CONNECTION, &Message::UserControl(UserControl::StreamIsRecorded(STREAM))).unwrap();
    server.send(CONNECTION, &eof).unwrap();
    let events = server.events();
    let names: Vec<_> = events
        .iter()
        .map(|event| match event {
            ClientEvent::Ended(ClientEnd::Unpublished) => "gone",
            ClientEvent::Ended(ClientEnd::Complete) => "eof",
            ClientEvent::Started => "on",
            ClientEvent::Tag(_) => "tag",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["gone", "on", "tag", "gone", "on", "tag", "eof"]);
}

#[test]
fn a_server_that_takes_too_long() {
    let late = |client: &mut ClientSession| {
        let at = client.next_deadline().unwrap();
        let err = client.handle_timeout(at).unwrap_err();
        assert!(client.is_closed() && client.handle_timeout(at).is_ok());
        (at, err)
    };
    let timed_out = |kind, secs| SessionError::TimedOut { kind, limit: Span::from_secs(secs) }.into();
    let mut silent = ClientSession::new(client_config(Intent::Publish), Time::ZERO);
    assert_eq!(late(&mut silent), (Time::from_secs(10), timed_out(TimeoutKind::Connected, 10)));
    let mut server = Server::new(client_config(Intent::Publish));
    server.command("_result", 1.0, vec![]).unwrap();
    assert_eq!(late(&mut server.client), (Time::from_secs(15), timed_out(TimeoutKind::Started, 15)));
    // A publisher is told nothing for as long as all is well.
    let server = Server::running(client_config(Intent::Publish));
    assert_eq!(server.client.next_deadline(), None);
    let mut server = Server::running(client_config(Intent::Play));
    for secs in [10, 20] {
        assert_eq!(server.client.next_deadline(), Some(Time::from_secs(secs)));
        server.client.handle_timeout(Time::from_secs(secs)).unwrap();
    }
    assert_eq!(late(&mut server.client), (Time::from_secs(30), timed_out(TimeoutKind::Idle, 30)));
}
