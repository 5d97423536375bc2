//! Servers that send whoever publishes on to another, or away, and what becomes of a push.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use bytes::Bytes;
use engine::{Command, EgressState, LineState, Status};
use media::Time;
use rtmp::session::{ConnectPolicy, ConnectRefusal};
use rtmp::{Event, RtmpUrl, ServerConfig, ServerSession};

use crate::live::{start_show, wait_for};

/// What a server does with whoever connects.
#[derive(Clone)]
enum Manner {
    /// Sends it elsewhere at once,
    SendsOn(RtmpUrl),
    /// or when it has published for a while.
    SendsOnLater(RtmpUrl),
    /// Closes when it is asked for leave to publish,
    TurnsAway,
    /// or just behind it.
    LetsInAndCloses,
}

/// So many tags are a while.
const A_WHILE: usize = 60;

/// A server on a port of its own; it lives as long as the test's process.
fn server(manner: Manner) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let manner = manner.clone();
            std::thread::spawn(move || attend(stream, &manner));
        }
    });
    port
}

fn attend(mut stream: TcpStream, manner: &Manner) {
    let connect = match manner {
        Manner::SendsOn(_) => ConnectPolicy::Ask,
        _ => ConnectPolicy::Accept,
    };
    let config = ServerConfig { connect, ..ServerConfig::new([7; rtmp::handshake::RANDOM]) };
    let mut session = ServerSession::new(config, Time::ZERO);
    let (mut buffer, mut tags) = (vec![0; 64 << 10], 0);
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        let mut unread = Bytes::copy_from_slice(&buffer[..n]);
        let mut closes = false;
        while !unread.is_empty() {
            session.handle_input(&mut unread, Time::ZERO).unwrap();
            while let Some(event) = session.poll_event() {
                match (event, manner) {
                    (Event::ConnectRequested(_), Manner::SendsOn(there)) => {
                        session.refuse_connect(&ConnectRefusal::Moved(Box::new(there.clone()))).unwrap();
                    }
                    (Event::PublishRequested(_), Manner::TurnsAway) => return,
                    (Event::PublishRequested(request), _) => {
                        session.accept(request.request, Time::ZERO).unwrap();
                        closes = matches!(manner, Manner::LetsInAndCloses);
                    }
                    (Event::Tag { .. }, Manner::SendsOnLater(there)) => {
                        tags += 1;
                        if tags == A_WHILE {
                            session.ask_to_reconnect(Some(there), "maintenance");
                        }
                    }
                    _ => {}
                }
            }
        }
        while let Some(bytes) = session.poll_output() {
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
        if closes {
            return;
        }
    }
}

const RECEIVER: &str = r#"
show "receiver" {
  video 160x90 25fps
  listen { rtmp "127.0.0.1:0" }
  camera thrice { line l push "rtmp:live/thrice" }
  camera asked { line l push "rtmp:live/asked" }
  ladder one { preset ultrafast; rung r 160x90 100k }
  channel program { sources thrice asked; ladder one; egress web serve http-flv }
}"#;

fn sender(pushes: &[(&str, u16)]) -> String {
    let push = |(name, port): &(&str, u16)| {
        format!(
            "    egress {name} push \"rtmp://me:SECRETpass@127.0.0.1:{port}/live/{name}?t=SECRETtoken\"\n"
        )
    };
    let pushes: String = pushes.iter().map(push).collect();
    format!(
        r#"
show "sender" {{
  video 160x90 25fps
  camera bars {{ line gen test "bars" tone=440 }}
  ladder one {{ preset ultrafast; keyframe 1s; rung r 160x90 100k }}
  channel program {{
    sources bars
    ladder one
{pushes}  }}
}}"#
    )
}

fn push<'a>(status: &'a Status, name: &str) -> &'a engine::EgressReport {
    status.channels[0].egress.iter().find(|egress| egress.name == name).unwrap()
}

fn told<'a>(status: &'a Status, name: &str, code: &str) -> Vec<&'a str> {
    let subject = format!("program/{name}/r");
    let events = status.events.iter().filter(|event| event.subject == subject && event.code == code);
    events.map(|event| event.message.as_str()).collect()
}

#[test]
fn a_push_goes_where_it_is_sent_three_times_and_not_a_fourth() {
    let receiver = start_show(RECEIVER);
    let addr = receiver.engine.rtmp_addr().unwrap();
    let to = |at: &dyn std::fmt::Display, name: &str| -> RtmpUrl {
        format!("rtmp://{at}/live/{name}?t=SECRETmoved").parse().unwrap()
    };
    let last = server(Manner::SendsOn(to(&addr, "thrice")));
    let at = |port: u16| format!("127.0.0.1:{port}");
    let second = server(Manner::SendsOn(to(&at(last), "thrice")));
    let first = server(Manner::SendsOn(to(&at(second), "thrice")));
    let before = server(Manner::SendsOn(to(&at(first), "thrice")));
    let later = server(Manner::SendsOnLater(to(&addr, "asked")));

    let sender = start_show(&sender(&[("thrice", first), ("fourth", before), ("asked", later)]));
    let status = wait_for(&receiver.engine.handle(), "both to arrive", |status| {
        status.cameras.iter().all(|camera| camera.lines[0].state == LineState::Live)
    });
    assert_eq!(status.cameras.len(), 2);
    let handle = sender.engine.handle();
    let status = wait_for(&handle, "the fourth to be tried again and again", |status| {
        push(status, "fourth").reconnects >= 4
    });
    let thrice = push(&status, "thrice");
    assert_eq!((thrice.state, thrice.reconnects), (EgressState::Live, 0), "going there is no reconnect");
    let asked = push(&status, "asked");
    assert_eq!((asked.state, asked.reconnects), (EgressState::Live, 1));
    assert_eq!(told(&status, "asked", "egress-lost"), [""; 0]);
    assert_eq!(told(&status, "asked", "egress-moved"), [format!("asked to connect anew, to rtmp://{addr}")]);
    assert_eq!(push(&status, "fourth").state, EgressState::Connecting);
    let lost = told(&status, "fourth", "egress-lost");
    assert!(lost[0].ends_with("once too often; it is tried again"), "{lost:?}");
    // However often it is tried.
    let moved = told(&status, "fourth", "egress-moved");
    assert_eq!(moved, [format!("sent on to rtmp://{}", at(first))]);

    handle.stop();
    let report = sender.engine.wait();
    let all = format!("{status:?}{report:?}");
    assert!(!all.contains("SECRET"), "{all}");
}

#[test]
fn who_is_turned_away_without_a_word_is_told_so_and_a_door_that_claps_is_told_of_once() {
    let (away, claps) = (server(Manner::TurnsAway), server(Manner::LetsInAndCloses));
    let sender = start_show(&sender(&[("away", away), ("claps", claps)]));
    let handle = sender.engine.handle();
    let status = wait_for(&handle, "several tries", |status| {
        ["away", "claps"].iter().all(|name| push(status, name).reconnects >= 4)
    });
    let lost = told(&status, "away", "egress-lost");
    assert!(lost[0].starts_with("the server closed the connection without a word"), "{lost:?}");
    assert_eq!(told(&status, "away", "egress-live"), [""; 0]);
    // As often as it was said to be lost, and once in the beginning.
    let (live, lost) = (told(&status, "claps", "egress-live"), told(&status, "claps", "egress-lost"));
    assert!(live.len() <= 1 + lost.len(), "{live:?} {lost:?}");
}

/// A line that is opened anew asks those who understand that to come back, and they lose no time.
#[test]
fn a_push_comes_back_at_once_to_a_line_that_a_reload_opens_anew() {
    let receiver = start_show(RECEIVER);
    let addr = receiver.engine.rtmp_addr().unwrap();
    let sender = start_show(&sender(&[("thrice", addr.port())]));
    let handle = receiver.engine.handle();
    wait_for(&handle, "it to arrive", |status| status.cameras[0].lines[0].state == LineState::Live);
    let anew = RECEIVER.replace("rtmp:live/thrice\"", "rtmp:live/thrice\" buffer=300ms");
    handle.command(Command { file: Some(anew), ..Command::reload() }).unwrap();
    let handle = sender.engine.handle();
    let status = wait_for(&handle, "it to come back", |status| {
        let push = push(status, "thrice");
        push.reconnects > 0 && push.state == EgressState::Live
    });
    assert_eq!(told(&status, "thrice", "egress-lost"), [""; 0]);
    assert_eq!(push(&status, "thrice").reconnects, 1);
}
