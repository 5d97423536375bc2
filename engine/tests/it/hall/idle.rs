//! Connections that sit there and say nothing: cheap, let go in time, and in nobody's way.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::{Bytes, BytesMut};
use media::Time;
use rtmp::chunk::{ChunkWriter, Csid};
use rtmp::message::{Command as Called, Message, MessageStreamId};
use rtmp::session::Intent;
use rtmp::{ClientConfig, ClientEvent, ClientSession};

use crate::alone::{Alone, Kit, PATIENCE};
use crate::support::show;

const CROWD: usize = 200;
pub(super) const SHOW: &str = r#"
show "idle" {
  video 64x36 25fps
  camera main { line fiber push "rtmp:live/main" }
  ladder one { keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program { sources main; ladder one; egress relay serve rtmp }
}"#;

fn connect(addr: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Up to the server's answer to `connect`, and not a word more.
fn connected(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let mut socket = connect(addr);
    let mut opening = vec![0; 1 + 1536];
    opening[0] = 3;
    socket.write_all(&opening)?;
    socket.read_exact(&mut vec![0; 1 + 2 * 1536])?;
    let object = flv::amf0::Value::object([("app", flv::amf0::Value::from("live"))]);
    let command = Called { name: "connect".into(), transaction: 1.0, object, args: Vec::new() };
    let raw = Message::Command(command).encode(MessageStreamId::CONTROL, 0).unwrap();
    let mut out = BytesMut::from(&[0; 1536][..]);
    ChunkWriter::new().write(Csid::COMMAND, &raw, &mut out).unwrap();
    socket.write_all(&out)?;
    let mut answer = Vec::new();
    while !answer.windows(7).any(|window| window == b"_result") {
        let mut some = [0; 512];
        let got = socket.read(&mut some)?;
        if got == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&some[..got]);
    }
    Ok(socket)
}

/// An encoder that is let in, as far as the leave to publish.
fn publish(addr: SocketAddr) -> TcpStream {
    publish_with("", addr)
}

/// As [`publish`], with this query.
pub(super) fn publish_with(query: &str, addr: SocketAddr) -> TcpStream {
    let mut socket = connect(addr);
    let url = format!("rtmp://{addr}/live/main{query}").parse().unwrap();
    let mut session = ClientSession::new(ClientConfig::new(url, Intent::Publish, [7; 1528]), Time::ZERO);
    loop {
        while let Some(output) = session.poll_output() {
            socket.write_all(&output).unwrap();
        }
        let mut some = [0; 4096];
        let got = socket.read(&mut some).unwrap();
        let mut input = Bytes::copy_from_slice(&some[..got]);
        assert!(got > 0, "the encoder is locked out");
        session.handle_input(&mut input, Time::ZERO).unwrap();
        while let Some(event) = session.poll_event() {
            if event == ClientEvent::Started {
                return socket;
            }
        }
    }
}

/// Whether the other side has closed it.
pub(super) fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = [0; 4096];
    loop {
        match socket.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return matches!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

/// One of three kinds: silent, stopped in the middle of the handshake, silent after `connect`.
fn idle(n: usize, addr: SocketAddr) -> std::io::Result<TcpStream> {
    match n % 3 {
        0 => Ok(connect(addr)),
        1 => {
            let mut half = connect(addr);
            half.write_all(&[3; 700])?;
            Ok(half)
        }
        _ => connected(addr),
    }
}

#[test]
fn two_hundred_that_say_nothing_cost_little_and_lock_nobody_out() {
    let (mut engine, addr) = Alone::start(&show(SHOW), "600000", Kit::Fake);
    // What it takes once for all connections is there then.
    let first = connected(addr).unwrap();
    let empty = engine.sockets() - 1;
    drop(first);
    engine.wait_for("the first one to be gone", |open| open <= empty);
    let (threads, before) = (engine.figure("Threads:"), engine.figure("VmRSS:"));
    let crowd: Vec<_> = (0..CROWD).map(|n| idle(n, addr).unwrap()).collect();
    engine.wait_for("all to be let in", |open| open >= empty + CROWD);
    let each = (engine.figure("VmRSS:") - before) / CROWD as i64;
    let threads_then = engine.figure("Threads:");
    println!(
        "{each} KiB of memory a connection; {threads} threads without them, {threads_then} with {CROWD}"
    );
    assert!(each < 1024, "{each} KiB each");
    assert!(threads_then <= threads + 2, "no thread each");

    // More than may stand there: still an encoder is let in.
    let flood: Vec<_> = (0..150).map(|_| connect(addr)).collect();
    let encoder = publish(addr);
    assert!(engine.sockets() <= empty + 300, "{} are open", engine.sockets());
    drop((crowd, flood));
    engine.wait_for("the encoder to be the last", |open| open == empty + 1);
    drop(encoder);
    engine.wait_for("all to be closed", |open| open <= empty);

    // Who connects and closes costs next to nothing.
    let cpu = engine.cpu();
    for _ in 0..2_000 {
        drop(connect(addr));
    }
    engine.wait_for("them to be gone", |open| open <= empty);
    let cpu = engine.cpu() - cpu;
    println!("{cpu} hundredths of a CPU second for 2000 connections that close at once");
    assert!(cpu < 400, "{cpu} hundredths");
    let told = engine.told_of_rtmp();
    assert!(told.iter().any(|e| e.code == "rtmp-refused"), "{told:#?}");
    // Ten seconds and more lie between two of a kind.
    assert!(told.len() < 16, "{told:#?}");
}

#[test]
fn two_hundred_that_say_nothing_are_let_go_and_told_of_once() {
    let (mut engine, addr) = Alone::start(&show(SHOW), "300", Kit::Fake);
    let empty = engine.sockets();
    // On a busy machine some are let go before they have said what they have to say.
    let mut crowd: Vec<_> = (0..CROWD).filter_map(|n| idle(n, addr).ok()).collect();
    assert!(crowd.len() >= 2 * CROWD / 3);
    assert!(crowd.iter_mut().all(is_closed), "each is let go");
    engine.wait_for("all to be closed", |open| open <= empty);
    let told = engine.told_of_rtmp();
    assert!(told.iter().any(|e| e.code == "rtmp-connection" && e.message.contains("within")), "{told:#?}");
    assert!(told.len() < 16, "{told:#?}");
}
