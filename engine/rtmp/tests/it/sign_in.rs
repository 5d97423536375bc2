//! Signing in: FFmpeg gives the same answers as our client.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use media::Time;
use rtmp::session::{ConnectPolicy, ConnectRefusal, Intent};
use rtmp::{ClientConfig, ClientEvent, Event, ServerConfig, ServerSession};

use crate::client::config;
use crate::pair::{Pair, client_config, url};

const WORDS: [&str; 3] = [
    "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=joe&salt=c2E=&challenge=Y2g=&opaque=b3A=",
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=b3A=",
];

fn asking() -> ServerConfig {
    ServerConfig { connect: ConnectPolicy::Ask, ..config() }
}

/// Refuses whoever connects with these words; says what application it named.
fn refuse(mut socket: TcpStream, words: &str) -> Option<String> {
    let mut session = ServerSession::new(asking(), Time::ZERO);
    let mut buffer = [0; 4096];
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut app = None;
    while app.is_none() {
        let read = socket.read(&mut buffer).ok().filter(|&read| read > 0)?;
        session.handle_input(&mut Bytes::copy_from_slice(&buffer[..read]), Time::ZERO).unwrap();
        while let Some(event) = session.poll_event() {
            if let Event::ConnectRequested(request) = event {
                app = Some(request.app.raw().to_owned());
                session.refuse_connect(&ConnectRefusal::NotAllowed(words.into())).unwrap();
            }
        }
        while let Some(output) = session.poll_output() {
            socket.write_all(&output).ok();
        }
    }
    socket.shutdown(Shutdown::Write).ok();
    std::io::copy(&mut socket, &mut std::io::sink()).ok();
    app
}

/// The applications our client names to the same words.
fn ours(nonce: [u8; 4]) -> Vec<String> {
    let mut config = client_config(Intent::Publish);
    config.url = url("rtmp://joe:se%40cret@h/live/main");
    config.random[..4].copy_from_slice(&nonce);
    let mut apps = Vec::new();
    for words in WORDS {
        let mut pair = Pair::new(config.clone(), asking());
        pair.run().unwrap();
        let Some(Event::ConnectRequested(request)) = pair.seen.pop() else { panic!("no request") };
        apps.push(request.app.raw().to_owned());
        pair.server.refuse_connect(&ConnectRefusal::NotAllowed(words.into())).unwrap();
        if pair.run().is_err() {
            break;
        }
        let Some(ClientEvent::Redirected(next)) = pair.heard.pop() else { panic!("{:?}", pair.heard) };
        config = ClientConfig { url: next.url, hops: next.hops, ..config };
    }
    apps
}

#[test]
fn ffmpeg_signs_in_alike() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || WORDS.map(|words| refuse(listener.accept().unwrap().0, words)));
    let output = Command::new("timeout")
        .args([
            "60", "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine", "-t", "1", "-f", "flv",
        ])
        .arg(format!("rtmp://joe:se@cret@{address}/live/main"))
        .output()
        .unwrap();
    // If it never came, somebody must, or the server waits for ever.
    for _ in WORDS {
        drop(TcpStream::connect(address));
    }
    let theirs: Vec<String> = server.join().unwrap().into_iter().flatten().collect();
    assert_eq!(theirs.len(), 3, "{}", String::from_utf8_lossy(&output.stderr));
    let (_, rest) = theirs[2].split_once("&challenge=").unwrap();
    let nonce = u32::from_str_radix(&rest[..8], 16).unwrap();
    assert_eq!(ours(nonce.to_be_bytes()), theirs);
}
