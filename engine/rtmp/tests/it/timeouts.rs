//! Deadlines, in a time that only the test moves.

use media::{Span, Time};
use rtmp::message::{Message, UserControl};
use rtmp::session::{ConnectPolicy, EndReason, PlayEnd, PlayKind, SessionError, TimeoutKind};
use rtmp::{Event, ServerConfig};

use crate::client::{CONNECTION, Harness, STREAM, config};

fn at(secs: i64) -> Time {
    Time::from_secs(secs)
}

/// Moves to the next deadline and lets it happen.
fn next(h: &mut Harness) -> (Time, Result<(), SessionError>) {
    h.now = h.session.next_deadline().unwrap();
    let result = h.session.handle_timeout(h.now);
    h.fetch();
    (h.now, result)
}

fn timed_out(kind: TimeoutKind, secs: i64) -> Result<(), SessionError> {
    Err(SessionError::TimedOut { kind, limit: Span::from_secs(secs) })
}

#[test]
fn a_client_that_never_connects() {
    let mut h = Harness::new();
    h.now = at(9);
    h.deliver().unwrap();
    assert_eq!(h.session.handle_timeout(h.now), Ok(()));
    assert_eq!(next(&mut h), (at(10), timed_out(TimeoutKind::Connect, 10)));
    assert!(h.session.is_closed());
    assert_eq!(h.session.handle_timeout(at(99)), Ok(()));
}

#[test]
fn a_client_that_answers_pings_and_publishes_nothing() {
    let mut h = Harness::new();
    h.client.connect("live");
    h.pump().unwrap();
    for secs in [10, 20] {
        assert_eq!(next(&mut h), (at(secs), Ok(())));
        let said = h.replies().pop().unwrap().1;
        assert_eq!(said, Message::UserControl(UserControl::PingRequest(secs as u32 * 1000)));
        let pong = UserControl::PingResponse(secs as u32 * 1000);
        h.client.send(2, CONNECTION, 0, &Message::UserControl(pong));
        h.pump().unwrap();
    }
    let (when, result) = next(&mut h);
    assert_eq!((when, &result), (at(30), &timed_out(TimeoutKind::Request, 30)));
    assert_eq!(result.unwrap_err().to_string(), "no request to publish or play within 0:30.000");
}

#[test]
fn a_publisher_that_falls_silent() {
    let mut h = Harness::new().publishing();
    h.now = at(100);
    h.client.audio(0, vec![0xAF; 5]);
    h.pump().unwrap();
    assert_eq!(next(&mut h), (at(110), Ok(())));
    assert_eq!(next(&mut h), (at(120), Ok(())));
    assert_eq!(next(&mut h), (at(130), timed_out(TimeoutKind::Idle, 30)));
    assert_eq!(h.events.last(), Some(&Event::PublishEnded { stream: STREAM, reason: EndReason::TimedOut }));
}

#[test]
fn pings_without_a_pause_still_end() {
    let mut config = config();
    config.timeouts.ping = Span::ZERO;
    let mut h = Harness::with(config).publishing();
    let before = h.replies().len();
    assert_eq!(h.session.handle_timeout(at(1)), Ok(()));
    h.fetch();
    assert_eq!(h.replies().len(), before + 1);
}

#[test]
fn a_publisher_that_goes_on_is_never_pinged() {
    let mut h = Harness::new().publishing();
    let before = h.output.len();
    for secs in 1..100 {
        h.now = at(secs);
        h.client.audio(secs as u32 * 1000, vec![0xAF; 5]);
        h.pump().unwrap();
        assert_eq!(h.session.handle_timeout(h.now), Ok(()));
    }
    h.fetch();
    assert_eq!(h.output.len(), before);
}

#[test]
fn a_round_trip_is_what_an_answered_ping_took() {
    let mut h = Harness::new();
    h.session.ask_round_trip(at(0));
    h.fetch();
    assert!(h.output.is_empty(), "before connect a ping would break the order of things");
    let mut h = h.publishing();
    let answers = |h: &mut Harness, number| {
        h.client.send(2, CONNECTION, 0, &Message::UserControl(UserControl::PingResponse(number)));
        h.pump().unwrap();
    };
    let pings = |h: &mut Harness, now| {
        let before = h.replies().len();
        h.session.ask_round_trip(now);
        h.fetch();
        h.replies().split_off(before)
    };
    let asked = pings(&mut h, at(5));
    assert_eq!(asked[0].1, Message::UserControl(UserControl::PingRequest(5_000)));
    assert!(pings(&mut h, at(6)).is_empty(), "one is under way");
    answers(&mut h, 1);
    assert_eq!(h.session.round_trip(), None, "an answer to nothing");
    h.now = at(5) + Span::from_millis(70);
    answers(&mut h, 5_000);
    assert_eq!(h.session.round_trip(), Some(Span::from_millis(70)));
    h.now = at(9);
    answers(&mut h, 5_000);
    assert_eq!(h.session.round_trip(), Some(Span::from_millis(70)), "the same answer again");
    // Who never answers is asked again, now and then.
    assert_eq!(pings(&mut h, at(10)).len(), 1);
    assert!(pings(&mut h, at(29)).is_empty());
    assert_eq!(pings(&mut h, at(30)).len(), 1);
    h.session.handle_close();
    assert!(pings(&mut h, at(60)).is_empty());
}

#[test]
fn our_own_slowness_is_not_the_clients_fault() {
    let mut h = Harness::new();
    h.client.begin();
    h.pump().unwrap();
    for secs in [50, 100, 150] {
        assert_eq!(h.session.handle_timeout(at(secs)), Ok(()));
    }
    let request = h.request().request;
    h.session.accept(request, at(500)).unwrap();
    assert_eq!(h.session.handle_timeout(at(501)), Ok(()));

    // The same with events left unread.
    for timestamp in 0..300 {
        h.client.audio(timestamp, vec![0xAF; 5]);
    }
    h.now = at(502);
    h.deliver().unwrap();
    assert!(!h.session.wants_input());
    assert_eq!(h.session.handle_timeout(at(900)), Ok(()));
    h.fetch();
    assert_eq!(h.session.handle_timeout(at(1300)), Ok(()));
    assert!(!h.session.is_closed());
    // From here on it is the client's.
    assert_eq!(h.session.handle_timeout(at(1331)), timed_out(TimeoutKind::Idle, 30));
}

#[test]
fn after_the_end_of_a_stream_the_next_is_awaited() {
    let mut h = Harness::new().publishing();
    h.now = at(100);
    h.client.command(STREAM, "closeStream", 0.0, vec![]);
    h.pump().unwrap();
    for secs in [109, 118, 127] {
        h.now = at(secs);
        h.client.command(CONNECTION, "_checkbw", 0.0, vec![]);
        h.pump().unwrap();
    }
    assert_eq!(next(&mut h), (at(130), timed_out(TimeoutKind::Request, 30)));
}

#[test]
fn a_player_lives_by_its_pongs_and_is_asked_for_the_next_stream() {
    let mut h = Harness::new();
    h.client.connect("live");
    h.client.create_stream();
    h.client.command(STREAM, "play", 0.0, vec!["main".into()]);
    h.pump().unwrap();
    let Some(Event::PlayRequested(request)) = h.events.pop() else { panic!("no request") };
    // The caller's time to answer is nobody's fault.
    assert_eq!(h.session.handle_timeout(at(500)), Ok(()));
    h.now = at(1000);
    h.session.accept_play(request.request, PlayKind::Live, h.now).unwrap();
    for secs in [1010, 1020, 1030, 1040] {
        assert_eq!(next(&mut h), (at(secs), Ok(())));
        h.client.send(2, CONNECTION, 0, &Message::UserControl(UserControl::PingResponse(1)));
        h.pump().unwrap();
    }
    h.session.end_play(STREAM, PlayEnd::Unpublished, h.now).unwrap();
    for secs in [1050, 1060] {
        assert_eq!(next(&mut h), (at(secs), Ok(())));
    }
    let (when, result) = next(&mut h);
    assert_eq!((when, result), (at(1070), timed_out(TimeoutKind::Request, 30)));
}

#[test]
fn a_player_that_falls_silent() {
    let mut h = Harness::new();
    h.client.connect("live");
    h.client.create_stream();
    h.client.command(STREAM, "play", 0.0, vec!["main".into()]);
    h.pump().unwrap();
    let Some(Event::PlayRequested(request)) = h.events.pop() else { panic!("no request") };
    h.session.accept_play(request.request, PlayKind::Live, h.now).unwrap();
    h.fetch();
    assert_eq!(next(&mut h), (at(10), Ok(())));
    assert_eq!(next(&mut h), (at(20), Ok(())));
    assert_eq!(next(&mut h), (at(30), timed_out(TimeoutKind::Idle, 30)));
    assert_eq!(h.events, [Event::PlayEnded { stream: STREAM, reason: EndReason::TimedOut }]);
}

#[test]
fn a_connection_that_waits_for_the_caller() {
    let mut h = Harness::with(ServerConfig { connect: ConnectPolicy::Ask, ..config() });
    h.client.connect("live");
    h.pump().unwrap();
    assert_eq!(h.session.handle_timeout(at(900)), Ok(()));
    h.session.accept_connect(at(1000)).unwrap();
    h.fetch();
    assert_eq!(next(&mut h).0, at(1010));
}
