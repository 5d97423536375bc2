//! More players than there is room for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use media::Time;
use rtmp::session::Intent;
use rtmp::{ClientConfig, ClientEvent, ClientSession};

use crate::alone::{Alone, Kit, PATIENCE};
use crate::hall::idle::{SHOW, is_closed};
use crate::support::show;

const SEATS: usize = 256;
const CROWD: [u8; 4] = [127, 0, 0, 1];
const OTHER: [u8; 4] = [127, 0, 0, 2];

fn connect(from: [u8; 4], addr: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let socket = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(addr).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A player, once it plays; `None` for one that is turned down.
fn play(from: [u8; 4], addr: SocketAddr) -> Option<TcpStream> {
    let mut socket = connect(from, addr);
    let url = format!("rtmp://{addr}/live/program_small").parse().unwrap();
    let mut session = ClientSession::new(ClientConfig::new(url, Intent::Play, [7; 1528]), Time::ZERO);
    loop {
        while let Some(output) = session.poll_output() {
            socket.write_all(&output).unwrap();
        }
        let mut some = [0; 4096];
        let got = socket.read(&mut some).unwrap();
        assert!(got > 0, "it is answered in any case");
        if session.handle_input(&mut Bytes::copy_from_slice(&some[..got]), Time::ZERO).is_err() {
            return None;
        }
        while let Some(event) = session.poll_event() {
            if event == ClientEvent::Started {
                return Some(socket);
            }
        }
    }
}

#[test]
fn one_stranger_takes_not_all_the_seats() {
    let (mut engine, addr) = Alone::start(&show(SHOW), "600000", Kit::Fake);
    let mut crowd: Vec<_> = (0..SEATS).map(|_| play(CROWD, addr).expect("there is room")).collect();
    let one_more = play(CROWD, addr);
    assert!(one_more.is_none(), "one too many: {:#?}", engine.told_of_rtmp());
    let other = play(OTHER, addr);
    assert!(other.is_some(), "locked out by a stranger");
    assert!(is_closed(&mut crowd[0]), "the crowd's oldest has made room");
    let told = engine.told_of_rtmp();
    // What follows within ten seconds is counted.
    let full = told.iter().find(|e| e.code == "play-full").map(|e| e.message.as_str());
    assert!(full.is_some_and(|message| message.contains("turned down")), "{told:#?}");
}
