//! Our client as a publisher to our server.

use bytes::Bytes;
use flv::TagKind;
use media::Time;
use rtmp::enhanced::{Capabilities, Extras};
use rtmp::handshake::{DigestScheme, Opening};
use rtmp::message::MessageStreamId;
use rtmp::session::{
    Asked, ClientError, ConnectPolicy, ConnectRefusal, EndReason, Intent, NotStarted, Reject, Stage,
};
use rtmp::{ClientConfig, ClientEvent, Event, ServerConfig};

use crate::client::{STREAM, config};
use crate::pair::{Fault, Pair, client_config, tag, url};

fn asking() -> ServerConfig {
    ServerConfig { connect: ConnectPolicy::Ask, ..config() }
}

#[test]
fn a_publisher_is_heard_from_the_first_tag_to_the_farewell() {
    let mut pair = Pair::new(client_config(Intent::Publish), config());
    assert!(pair.client.send(&tag(TagKind::Audio, 0, vec![1])).is_err());
    pair.run().unwrap();
    let Some(Event::PublishRequested(request)) = pair.seen.last() else { panic!("no request") };
    assert_eq!((request.app.raw(), request.name.raw()), ("live", "main?key=secret"));
    assert_eq!(request.peer.tc_url.as_deref(), Some("rtmp://h/live"));
    assert_eq!(request.peer.flash_version.as_deref(), Some("FMLE/3.0 (compatible; obvan)"));
    assert_eq!(request.peer.capabilities, Capabilities::ours());
    pair.allow();
    pair.run().unwrap();
    let Some(ClientEvent::Connected(server)) = pair.heard.first() else { panic!("{:?}", pair.heard) };
    assert_eq!(server.version.as_deref(), Some("FMS/3,0,1,123"));
    assert_eq!(server.capabilities, Capabilities::ours());
    assert_eq!(pair.heard.last(), Some(&ClientEvent::Started));

    let sent = vec![
        tag(TagKind::Script, 0, &b"\x02\0\x0aonMetaData\x05"[..]),
        tag(TagKind::Script, 0, &b"\x02\0\x0aonTextData\x05"[..]),
        tag(TagKind::Video, 0, vec![0x17; 300_000]),
        tag(TagKind::Audio, 7, vec![0xAF; 700]),
    ];
    for tag in &sent {
        pair.client.send(tag).unwrap();
    }
    pair.run().unwrap();
    assert_eq!(pair.received(), sent);
    pair.client.finish();
    assert!(pair.client.is_closed() && pair.client.next_deadline().is_none());
    assert!(pair.client.send(&sent[0]).is_err());
    pair.run().unwrap();
    assert_eq!(
        pair.seen.last(),
        Some(&Event::PublishEnded { stream: STREAM, reason: EndReason::Unpublished })
    );
}

#[test]
fn bodies_are_shared_on_the_way_out() {
    let mut pair = Pair::started(Intent::Publish);
    let body = Bytes::from(vec![0x17; 100_000]);
    pair.client.send(&tag(TagKind::Video, 0, body.clone())).unwrap();
    let slices: Vec<Bytes> = std::iter::from_fn(|| pair.client.poll_output()).collect();
    let shared =
        slices.iter().filter(|s| body.as_ptr_range().contains(&s.as_ptr())).map(Bytes::len).sum::<usize>();
    assert_eq!(shared, 100_000);
    assert!(slices.len() <= 4, "{} slices", slices.len());
}

#[test]
fn both_handshakes_lead_to_the_same() {
    for opening in [Opening::Simple, Opening::Digest(DigestScheme::Zero), Opening::Digest(DigestScheme::One)]
    {
        let client = ClientConfig { opening, ..client_config(Intent::Publish) };
        let mut pair = Pair::new(client, config());
        pair.run().unwrap();
        pair.allow();
        pair.run().unwrap();
        assert_eq!(pair.heard.last(), Some(&ClientEvent::Started));
    }
}

#[test]
fn a_rejected_publisher_learns_why_without_its_secrets() {
    let mut pair = Pair::new(client_config(Intent::Publish), config());
    pair.run().unwrap();
    let Some(Event::PublishRequested(request)) = pair.seen.pop() else { panic!("no request") };
    pair.server.reject(request.request, Reject::NameTaken).unwrap();
    let Err(Fault::Client(err)) = pair.run() else { panic!("not refused") };
    assert_eq!(
        err.to_string(),
        "the server refused the stream's name: NetStream.Publish.BadName: \
         main: somebody publishes under this name already"
    );

    let mut pair = Pair::new(client_config(Intent::Publish), asking());
    pair.run().unwrap();
    let Some(Event::ConnectRequested(request)) = pair.seen.pop() else { panic!("no request") };
    assert_eq!(request.app.raw(), "live");
    let words = format!("bad\n\x1b[2J key=secret secret? {}", "x".repeat(500));
    pair.server.refuse_connect(&ConnectRefusal::NotAllowed(words)).unwrap();
    let Err(Fault::Client(ClientError::Refused(refusal))) = pair.run() else { panic!("not refused") };
    assert_eq!((refusal.stage, refusal.code.as_str()), (Stage::Connect, "NetConnection.Connect.Rejected"));
    assert!(refusal.words.starts_with("bad  [2J … …? xxx"), "{}", refusal.words);
    assert_eq!(refusal.words.chars().count(), 300);

    // As they are written in the URL, and as a server reads them.
    let to = url("rtmp://me:p%40ss@a.example/live/k%2Dsecret?t=tok%2Den");
    let mut pair = Pair::new(ClientConfig { url: to, ..client_config(Intent::Publish) }, asking());
    pair.run().unwrap();
    let words = "k%2Dsecret k-secret k%2Dsecret?t=tok%2Den k-secret?t=tok-en tok-en tok%2Den p@ss".to_owned();
    pair.server.refuse_connect(&ConnectRefusal::NotAllowed(words)).unwrap();
    let Err(Fault::Client(ClientError::Refused(refusal))) = pair.run() else { panic!("not refused") };
    assert_eq!(refusal.words, "… … … … … … …");

    let mut pair = Pair::new(client_config(Intent::Publish), asking());
    pair.run().unwrap();
    pair.server.refuse_connect(&ConnectRefusal::NoSuchApp).unwrap();
    assert!(pair.server.accept_connect(pair.now).is_err());
    let Err(Fault::Client(err)) = pair.run() else { panic!("not refused") };
    assert_eq!(
        err.to_string(),
        "the server refused the connection: NetConnection.Connect.InvalidApp: there is no application live"
    );
}

#[test]
fn a_redirect_is_followed_three_times() {
    let mut at = client_config(Intent::Publish);
    for number in 0..4 {
        let mut pair = Pair::new(at.clone(), asking());
        pair.run().unwrap();
        let to = url(&format!("rtmp://edge{number}.example:1936/live/main?key=secret"));
        pair.server.refuse_connect(&ConnectRefusal::Moved(Box::new(to.clone()))).unwrap();
        let result = pair.run();
        if number == 3 {
            let Err(Fault::Client(err @ ClientError::TooManyHops { .. })) = result else { panic!() };
            assert_eq!(err.to_string(), "sent on to edge3.example:1936, once too often");
            return;
        }
        result.unwrap();
        assert!(pair.client.is_closed());
        let Some(ClientEvent::Redirected(redirect)) = pair.heard.pop() else { panic!("{:?}", pair.heard) };
        assert_eq!(redirect.url, to);
        assert_eq!(redirect.hops.left(), 2 - number);
        at = ClientConfig { url: redirect.url, hops: redirect.hops, ..at };
    }
}

#[test]
fn a_server_asks_to_reconnect_those_who_understand() {
    let mut pair = Pair::started(Intent::Publish);
    let there = url("rtmp://other/live/whatever");
    assert_eq!(pair.server.ask_to_reconnect(Some(&there), "maintenance"), Asked::Sent);
    assert_eq!(pair.server.ask_to_reconnect(None, "again"), Asked::Sent);
    pair.run().unwrap();
    assert_eq!(
        pair.heard,
        [
            ClientEvent::ReconnectRequested {
                url: Box::new(url("rtmp://other/live/main?key=secret")),
                words: "maintenance".into()
            },
            ClientEvent::ReconnectRequested {
                url: Box::new(url("rtmp://h/live/main?key=secret")),
                words: "again".into()
            },
        ]
    );
    pair.client.send(&tag(TagKind::Audio, 0, vec![1])).unwrap();

    let plain = ClientConfig { capabilities: Capabilities::default(), ..client_config(Intent::Publish) };
    let mut pair = Pair::new(plain, config());
    assert_eq!(pair.server.ask_to_reconnect(None, ""), Asked::NotUnderstood);
    pair.run().unwrap();
    assert_eq!(pair.server.ask_to_reconnect(None, ""), Asked::NotUnderstood);
    let Some(peer) = pair.server.peer() else { panic!("not connected") };
    assert!(!peer.capabilities.is_enhanced());
    assert!(!peer.capabilities.extras.has(Extras::RECONNECT));
}

#[test]
fn one_stream_yields_and_its_connection_stays() {
    let mut pair = Pair::started(Intent::Publish);
    assert_eq!(
        pair.server.end_publish(MessageStreamId(7), "no such", Time::ZERO),
        Err(NotStarted(MessageStreamId(7)))
    );
    pair.server.end_publish(STREAM, "another encoder took over", Time::ZERO).unwrap();
    assert!(pair.server.end_publish(STREAM, "again", Time::ZERO).is_err());
    assert!(!pair.server.is_closed() && pair.server.wants_input());
    let Err(Fault::Client(ClientError::Refused(refusal))) = pair.run() else { panic!("not told") };
    assert_eq!(refusal.words, "another encoder took over");
    assert_eq!(pair.seen, [], "who ends it knows it");
}

#[test]
fn a_stale_publisher_is_dismissed_for_a_newcomer() {
    let mut pair = Pair::started(Intent::Publish);
    pair.server.dismiss("another encoder took over");
    assert!(pair.server.is_closed());
    let Err(Fault::Client(ClientError::Refused(refusal))) = pair.run() else { panic!("not told") };
    assert_eq!(refusal.stage, Stage::Running);
    assert_eq!(refusal.words, "another encoder took over");
    assert_eq!(pair.seen, [Event::PublishEnded { stream: STREAM, reason: EndReason::Rejected }]);
}
