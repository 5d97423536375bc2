//! FFmpeg as the server: our client publishes to it, and plays from it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use flv::{Tag, TagKind};
use rtmp::session::Intent;
use rtmp::{ClientConfig, ClientEvent};

use crate::pair::{client_config, url};
use crate::real_players::{film, frames, tags};
use crate::wire::{Client, PATIENCE};

/// A free port on a loopback address that nobody else has: FFmpeg can only be told a number.
fn address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let host = [127, high | 1, low, NEXT.fetch_add(1, Ordering::Relaxed)];
    TcpListener::bind(SocketAddr::from((host, 0))).unwrap().local_addr().unwrap()
}

fn serve(address: SocketAddr, before: &str, after: &str) -> Child {
    let words = format!("60 ffmpeg -nostdin -v error {before} rtmp://{address}/live/main {after}");
    Command::new("timeout")
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn connect(address: SocketAddr, intent: Intent) -> Client<TcpStream> {
    let begun = Instant::now();
    let url = url(&format!("rtmp://{address}/live/main"));
    loop {
        match TcpStream::connect(address) {
            Ok(socket) => return Client::new(ClientConfig { url, ..client_config(intent) }, socket),
            Err(err) if begun.elapsed() > PATIENCE => panic!("{err}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

fn same_frames(got: &[Tag], wanted: &[Tag]) {
    for kind in [TagKind::Video, TagKind::Audio] {
        let (got, wanted) = (frames(got, kind), frames(wanted, kind));
        assert!(wanted.len() > 20);
        assert_eq!(got.len(), wanted.len(), "{kind}");
        assert!(got.iter().zip(&wanted).all(|(got, wanted)| got == wanted), "{kind}");
    }
}

#[test]
fn our_client_publishes_to_ffmpeg() {
    let address = address();
    let film = tags(&film(""));
    let child = serve(address, "-listen 1 -i", "-map 0 -c copy -copyts -f flv -");
    let mut client = connect(address, Intent::Publish);
    client.start();
    for tag in &film {
        client.session.send(tag).unwrap();
    }
    client.flush().unwrap();
    client.finish();
    let output = child.wait_with_output().unwrap();
    same_frames(&tags(&output.stdout), &film);
}

#[test]
fn our_client_plays_from_ffmpeg() {
    let address = address();
    let film = film("");
    let mut child = serve(address, "-f flv -i pipe:0 -map 0 -c copy -copyts -f flv -listen 1", "");
    let mut input = child.stdin.take().unwrap();
    let wanted = tags(&film);
    let feeder = std::thread::spawn(move || input.write_all(&film));
    let mut client = connect(address, Intent::Play);
    let mut got = Vec::new();
    // FFmpeg says nothing at the end but closes.
    while let Some(event) = client.event() {
        if let ClientEvent::Tag(tag) = event {
            got.push(tag);
        }
    }
    same_frames(&got, &wanted);
    feeder.join().unwrap().unwrap();
    child.wait().unwrap();
}
