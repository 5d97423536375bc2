//! Real players play from our server over real sockets: FFmpeg, which checks
//! the digests of its handshake, and GStreamer's rtmp2src.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use std::io::{ErrorKind, Read, Write};

use bytes::Bytes;
use flv::{Item, Tag, TagKind, TagReader};
use media::Time;
use rtmp::chunk::ChunkSize;
use rtmp::session::{PlayEnd, PlayKind, PlayRequest};
use rtmp::{Event, ServerConfig, ServerSession};

use crate::client::config;

/// Past it a player is stopped.
const PATIENCE: &str = "60";

/// A second of picture and sound with B-frames, as FFmpeg makes it.
pub fn film(options: &str) -> Vec<u8> {
    let inputs = "-nostdin -v error -f lavfi -i testsrc=s=160x120:r=25 -f lavfi -i sine=r=48000 -t 1";
    let codecs = "-c:v libx264 -preset ultrafast -bf 2 -threads 1 -g 10 -pix_fmt yuv420p -c:a aac -b:a 64k";
    let words = [inputs, codecs, options, "-f flv -"].join(" ");
    let made = Command::new("ffmpeg").args(words.split_whitespace()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

pub fn tags(file: &[u8]) -> Vec<Tag> {
    let mut reader = TagReader::new();
    reader.push_slice(file);
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

/// How it ends.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    /// The server says so.
    Told,
    /// The player has enough.
    PlayerLeaves,
}

/// Plays to whoever connects, up to the end, and closes.
fn serve(mut socket: TcpStream, config: ServerConfig, tags: &[Tag], end: End) -> Option<PlayRequest> {
    let mut session = ServerSession::new(config, Time::ZERO);
    let mut buffer = vec![0; 16 << 10];
    let mut input = Bytes::new();
    let mut seen = None;
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    loop {
        session.handle_input(&mut input, Time::ZERO).unwrap();
        while let Some(event) = session.poll_event() {
            if let Event::PlayRequested(request) = event {
                let stream = session.accept_play(request.request, PlayKind::Live, Time::ZERO).unwrap();
                for tag in tags {
                    session.send(stream, tag).unwrap();
                }
                if end == End::Told {
                    session.end_play(stream, PlayEnd::Unpublished, Time::ZERO).unwrap();
                }
                seen = Some(*request);
            }
        }
        while let Some(output) = session.poll_output() {
            // A player that has seen the end does not wait for the rest.
            socket.write_all(&output).ok();
        }
        if seen.is_some() && end == End::Told {
            socket.shutdown(Shutdown::Write).ok();
            std::io::copy(&mut socket, &mut std::io::sink()).ok();
            return seen;
        }
        if input.is_empty() {
            match socket.read(&mut buffer) {
                Ok(0) => return seen,
                Ok(read) => input = Bytes::copy_from_slice(&buffer[..read]),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(_) => return seen,
            }
        }
    }
}

/// Runs a player against a session. `arguments` gets the URL.
pub fn run(
    config: ServerConfig,
    tags: Vec<Tag>,
    end: End,
    program: &str,
    arguments: impl FnOnce(String) -> String,
) -> (Option<PlayRequest>, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, config, &tags, end));
    let output = Command::new("timeout")
        .args([PATIENCE, program])
        .args(arguments(format!("rtmp://{address}/live/main?key=a1b2")).split_whitespace())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // If the player never came, somebody must, or the server waits for ever.
    drop(TcpStream::connect(address));
    (server.join().unwrap(), output)
}

pub fn frames(tags: &[Tag], kind: TagKind) -> Vec<(u32, Bytes)> {
    // Of AVC and AAC alike, byte 1 says whether it is a frame.
    let frame = |tag: &&Tag| tag.kind == kind && tag.body()[1] == 1;
    tags.iter().filter(frame).map(|tag| (tag.timestamp.0, tag.body().clone())).collect()
}

/// Whether a player wrote what was played to it, from the first frame to the last.
pub fn check(film: &[Tag], request: Option<PlayRequest>, output: &Output, end: End) {
    let said = String::from_utf8_lossy(&output.stderr);
    let request = request.unwrap_or_else(|| panic!("nobody asked: {said}"));
    assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
    assert_eq!(request.name.key(), Some("a1b2"));
    let got = tags(&output.stdout);
    for kind in [TagKind::Video, TagKind::Audio] {
        let (mut got, wanted) = (frames(&got, kind), frames(film, kind));
        if end == End::PlayerLeaves {
            got.truncate(wanted.len());
        }
        assert!(wanted.len() > 20);
        assert_eq!(got.len(), wanted.len(), "{kind} {said}");
        for (got, wanted) in got.iter().zip(&wanted) {
            assert_eq!(got, wanted, "{kind}");
        }
    }
}

fn ffmpeg(url: &str) -> String {
    format!("-nostdin -v error -i {url} -map 0 -c copy -copyts -f flv -")
}

#[test]
fn ffmpeg_plays() {
    let film = tags(&film(""));
    let (request, output) = run(config(), film.clone(), End::Told, "ffmpeg", |url| ffmpeg(&url));
    check(&film, request, &output, End::Told);
}

#[test]
fn ffmpeg_plays_small_chunks() {
    let config = ServerConfig { chunk_size: ChunkSize::INITIAL, ..config() };
    let film = tags(&film(""));
    let (request, output) = run(config, film.clone(), End::Told, "ffmpeg", |url| ffmpeg(&url));
    check(&film, request, &output, End::Told);
}

#[test]
fn rtmp2src_plays() {
    // Told of the end, it drops what it has not handed on: so it is the one to
    // leave, after the film and some of the sound behind it.
    let film = tags(&film(""));
    let last = film.iter().rfind(|tag| tag.kind == TagKind::Audio).unwrap();
    let more = (1..20).map(|_| last.clone());
    let long = film.iter().cloned().chain(more).collect();
    let buffers = film.len() + 8;
    let (request, output) = run(config(), long, End::PlayerLeaves, "gst-launch-1.0", |url| {
        format!("-q rtmp2src location={url} num-buffers={buffers} ! fdsink fd=1")
    });
    check(&film, request, &output, End::PlayerLeaves);
}

#[test]
fn librtmp_plays_beyond_24_bits_of_milliseconds() {
    let film = tags(&film("-output_ts_offset 16800"));
    assert!(film.last().unwrap().timestamp.0 > 0xFF_FFFF);
    let (request, output) = run(config(), film.clone(), End::Told, "gst-launch-1.0", |url| {
        format!("-q rtmpsrc location={url} ! fdsink fd=1")
    });
    check(&film, request, &output, End::Told);
}
