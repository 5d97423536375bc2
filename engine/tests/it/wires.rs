//! Lines pulled through GStreamer, from senders that are not ours.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::ops::Range;
use std::path::Path;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use engine::{Event, LineState, LineStatus, Report, Status};

use crate::live::{Live, Tool, free_port, on_air, start_with, tool, wait_for};
use crate::support::{clips, codes, decode, mean, tags};

/// A film with a flash and a beep at each whole second, sent in real time as a camera would.
pub(crate) fn send(seconds: &str, to: &[&str]) -> Tool {
    let clip = clips().join("generated/flash-beep.mp4");
    let clip = clip.to_str().unwrap();
    let coding =
        ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-c:a", "aac"];
    let mut args = vec!["-nostdin", "-v", "error", "-re", "-i", clip, "-t", seconds];
    args.extend(coding);
    args.extend(to);
    tool("ffmpeg", &args)
}

#[test]
fn why_an_srt_call_fails_is_told() {
    let port = free_udp_port();
    let _camera =
        send("9.5", &["-f", "mpegts", &format!("srt://:{port}?mode=listener&passphrase=correct-horse")]);
    let live = start_with(&format!(r#"pull "srt://127.0.0.1:{port}?passphrase=battery-staple""#));
    let handle = live.engine.handle();
    let is_told = |s: &Status| s.events.iter().any(|e| e.message.contains("Incorrect passphrase"));
    let status = wait_for(&handle, "the word of it", is_told);
    assert!(!format!("{status:?}").contains("battery-staple"));
    handle.stop();
    live.engine.wait();
}

/// Datagrams' ports are not those of connections.
pub(crate) fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn is_main(status: &Status) -> bool {
    on_air(status) == Some("main")
}
pub(crate) fn is_filler(status: &Status) -> bool {
    on_air(status) == Some("green")
}

fn line(status: &Status) -> &LineStatus {
    &status.cameras[0].lines[0]
}
/// Its key frames come once a second, and are counted by its own clock.
fn has_figures(status: &Status) -> bool {
    let line = line(status);
    line.keyframe_s.is_some_and(|s| (0.99..1.01).contains(&s)) && line.queue_ms.is_some()
}

/// Ends the show: something came from the line, and nothing failed.
fn end(live: Live) -> (Report, tempfile::TempDir) {
    live.engine.handle().stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }
    let line = &report.cameras[0].lines[0];
    assert!(line.packets > 0 && line.state != LineState::Never, "{line:?}");
    (report, live.out)
}

/// As [`end`], and what came is in step. Gives the events' codes.
pub(crate) fn finish(live: Live, what: &str) -> Vec<String> {
    let (report, out) = end(live);
    // A multiplexer that holds sound back is found out in the first seconds: the line settles.
    let last = |code| report.events.iter().filter(|e| e.code == code).map(|e| e.t).fold(0.0, f64::max);
    let (begun, settled) = (last("line-connected"), last("line-drift").max(last("line-connected")));
    assert!(settled < begun + 5.0, "it never settles");
    let from = settled * 1000.0 + 1000.0;
    crate::step::assert_in_step_from(from, &out.path().join("180p.flv"), what, 3..=12);
    codes(&report).into_iter().map(|(code, _)| code).collect()
}

/// A sender that waits for one call, as FFmpeg's does. One whose call broke off in its handshake is
/// gone for good, which happens where a machine is so busy that the caller has given up by then
/// (3 s): it is started again, as a service would be.
struct Listening {
    to: Vec<String>,
    sender: std::cell::RefCell<Tool>,
}

impl Listening {
    fn start(to: &[&str]) -> Self {
        let sender = std::cell::RefCell::new(send("9.5", to));
        Self { to: to.iter().map(|&word| word.to_owned()).collect(), sender }
    }
    /// Starts it again if it failed.
    fn mind(&self) {
        let mut sender = self.sender.borrow_mut();
        if sender.0.try_wait().unwrap().is_some_and(|status| !status.success()) {
            *sender = send("9.5", &self.to.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

#[test]
fn srt_is_called_lost_and_called_again() {
    let port = free_udp_port();
    let live = start_with(&format!(r#"pull "srt://127.0.0.1:{port}?latency=80""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before anyone answers", is_filler);
    let listen = format!("srt://127.0.0.1:{port}?mode=listener&latency=80000");
    let picture_of = |sender: &Listening, what: &str| {
        wait_for(&handle, what, |status| {
            sender.mind();
            is_main(status)
        })
    };
    let first = Listening::start(&["-f", "mpegts", &listen]);
    picture_of(&first, "the sender's picture");
    wait_for(&handle, "the round trip, calling", |status| line(status).network.rtt_ms.is_some());
    wait_for(&handle, "key frames", has_figures);
    drop(first);
    wait_for(&handle, "the filler when the sender dies", is_filler);
    let second = Listening::start(&["-f", "mpegts", &listen]);
    picture_of(&second, "the picture again");
    wait_for(&handle, "the filler at its end", is_filler);
    let codes = finish(live, "SRT, calling");
    assert_eq!(codes.iter().filter(|code| *code == "line-connected").count(), 2, "{codes:?}");
}

#[test]
fn srt_is_listened_for_and_who_has_another_passphrase_or_stream_stays_outside_and_is_named() {
    let port = free_udp_port();
    let live =
        start_with(&format!(r#"pull "srt://:{port}?passphrase=correct-horse&streamid=cam-1&latency=80""#));
    let handle = live.engine.handle();
    let call = |passphrase, stream| {
        format!("srt://127.0.0.1:{port}?mode=caller&passphrase={passphrase}&streamid={stream}&latency=80000")
    };
    for (passphrase, stream, why) in [
        ("battery-staple", "cam-1", "is the passphrase another one?"),
        ("correct-horse", "cam-2", "its stream id is another one"),
    ] {
        let mut wrong = send("9.5", &["-f", "mpegts", &call(passphrase, stream)]);
        assert!(!wrong.0.wait().unwrap().success(), "it was let in");
        let status =
            wait_for(&handle, "the word of it", |s| s.events.iter().any(|e| e.message.ends_with(why)));
        let told = status.events.iter().find(|e| e.message.ends_with(why)).unwrap();
        let caller = told.message.split_once(" called and was not let in: ").unwrap().0;
        let caller: std::net::SocketAddr = caller.parse().unwrap();
        assert_eq!((told.code.as_str(), caller.ip().is_loopback()), ("srt-refused", true));
    }
    assert!(is_filler(&handle.status()) || on_air(&handle.status()).is_none());
    let _right = send("9.5", &["-f", "mpegts", &call("correct-horse", "cam-1")]);
    wait_for(&handle, "the sender's picture", is_main);
    wait_for(&handle, "the round trip, listening", |status| line(status).network.rtt_ms.is_some());
    wait_for(&handle, "the filler at its end", is_filler);
    let codes = finish(live, "SRT, listening");
    let refused = codes.iter().filter(|code| *code == "srt-refused").count();
    assert_eq!(refused, 2, "who was let in was not turned away: {codes:?}");
}

#[test]
fn datagrams_are_received() {
    let port = free_udp_port();
    let live = start_with(&format!(r#"pull "udp://127.0.0.1:{port}""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before anyone sends", is_filler);
    let _sender = send("9.5", &["-f", "mpegts", &format!("udp://127.0.0.1:{port}?pkt_size=1316")]);
    wait_for(&handle, "the sender's picture", is_main);
    wait_for(&handle, "the filler at its end", is_filler);
    finish(live, "MPEG-TS over UDP");
}

/// Serves a folder until the runtime is dropped.
pub(crate) fn serve(folder: &Path) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(free_port())).unwrap();
    let address = listener.local_addr().unwrap();
    let folder = folder.to_owned();
    let read = move |uri: axum::http::Uri| async move {
        std::fs::read(folder.join(uri.path().trim_start_matches('/')))
            .map_err(|_| axum::http::StatusCode::NOT_FOUND)
    };
    runtime.spawn(async move { axum::serve(listener, axum::Router::new().fallback(read)).await });
    (runtime, format!("http://{address}"))
}

#[test]
fn a_playlist_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = serve(folder.path());
    let playlist = folder.path().join("live.m3u8");
    let hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "6", playlist.to_str().unwrap()];
    let _sender = send("9.5", &hls);
    let live = start_with(&format!(r#"pull "{url}/live.m3u8""#));
    let handle = live.engine.handle();
    let from = wait_for(&handle, "the playlist's picture", is_main).t;
    let to = wait_for(&handle, "some seconds of it", |s| s.t > from + 6.0).t;
    // The show ends between a beep and its flash, or wherever it likes.
    finish_between(live, "HLS", &[(from, to)]);
}

/// Hides from a client where a server says playing begins, so that only its reports tell how sound
/// lies to pictures. Gives where it is reached.
fn without_rtp_info(server: u16) -> u16 {
    const SAID: &[u8] = b"RTP-Info:";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), Ok(mut server)) = (client, TcpStream::connect(("127.0.0.1", server))) else {
                continue;
            };
            let (mut up, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up, &mut to));
            std::thread::spawn(move || {
                let mut bytes = [0; 64 << 10];
                while let Ok(n @ 1..) = server.read(&mut bytes) {
                    if let Some(at) = bytes[..n].windows(SAID.len()).position(|said| said == SAID) {
                        bytes[at] = b'x';
                    }
                    if client.write_all(&bytes[..n]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

/// An RTSP camera on a port, which serves a film with flashes and beeps until it is dropped.
fn rtsp_camera(port: u16) -> Tool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rtsp_server.py");
    let film = clips().join("generated/flash-beep.mp4").canonicalize().unwrap();
    // The distribution's own interpreter: it has the bindings.
    tool("/usr/bin/python3", &[script, &port.to_string(), film.to_str().unwrap()])
}

/// How long a line is watched once it has settled: three flashes at the least.
const SETTLED: f64 = 3.5;

/// When so many seconds of the camera have been shown, and some since the line settled, which it may
/// do late on a machine that is busy: from when, and until when.
fn shown(live: &Live, after: f64, seconds: f64) -> (f64, f64) {
    let handle = live.engine.handle();
    let from = wait_for(&handle, "the camera's picture", |s| is_main(s) && s.t > after).t;
    let is_enough = |s: &Status| s.t > from + seconds && s.t > settled(&s.events, from..s.t) + SETTLED;
    (from, wait_for(&handle, "some seconds of it", is_enough).t)
}

/// Where a line that came at the beginning of this time moved last within it.
fn settled(events: &[Event], time: Range<f64>) -> f64 {
    let moves = events.iter().filter(|e| e.code == "line-drift" && time.contains(&e.t));
    moves.map(|e| e.t).fold(time.start, f64::max)
}

/// Ends the show: what was shown then was in step, once the line had settled.
fn finish_between(live: Live, what: &str, shown: &[(f64, f64)]) {
    let (report, out) = end(live);
    for &(from, to) in shown {
        // What moves at the very end is not shown before it.
        let to = to - 0.5;
        let settled = settled(&report.events, from..to) + 0.5;
        let recording = out.path().join("180p.flv");
        crate::step::assert_in_step_between(settled, to, &recording, what, 2..=20);
    }
}

/// A camera that dies and comes back.
fn rtsp(scheme: &str) {
    let port = free_port().port();
    let live = start_with(&format!(r#"pull "{scheme}://127.0.0.1:{port}/cam""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before the camera is there", is_filler);
    let first = rtsp_camera(port);
    let once = shown(&live, 0.0, 4.5);
    drop(first);
    wait_for(&handle, "the filler when it dies", is_filler);
    let _second = rtsp_camera(port);
    let again = shown(&live, once.1, 4.5);
    finish_between(live, scheme, &[once, again]);
}

#[test]
fn an_rtsp_camera_is_pulled_over_tcp_lost_and_pulled_again() {
    rtsp("rtspt");
}

#[test]
fn an_rtsp_camera_is_pulled_over_udp() {
    rtsp("rtspu");
}

#[test]
fn an_rtsp_camera_that_does_not_say_where_it_begins_is_in_step_once_it_reports() {
    let port = free_port().port();
    let _camera = rtsp_camera(port);
    let live = start_with(&format!(r#"pull "rtspt://127.0.0.1:{}/cam""#, without_rtp_info(port)));
    // Its first reports come within five seconds and a half.
    let once = shown(&live, 0.0, 8.5);
    // They tell the time of day as well.
    wait_for(&live.engine.handle(), "the time of day", |s| line(s).behind_ms.is_some());
    finish_between(live, "no RTP-Info", &[once]);
}

/// FFmpeg serves a film to one player at this address, dies while it is shown, and serves it again;
/// `meanwhile` is what is waited for before it dies.
pub(crate) fn served_twice(url: &str, what: &str, meanwhile: impl Fn(&engine::Handle)) {
    let live = start_with(&format!(r#"pull "{url}""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before there is a server", is_filler);
    let serve = ["-f", "flv", "-listen", "1", url];
    let first = send("9.5", &serve);
    wait_for(&handle, "the server's picture", is_main);
    meanwhile(&handle);
    drop(first);
    wait_for(&handle, "the filler when it dies", is_filler);
    let _second = send("9.5", &serve);
    wait_for(&handle, "its picture again", is_main);
    wait_for(&handle, "the filler at its end", is_filler);
    let codes = finish(live, what);
    assert_eq!(codes.iter().filter(|code| *code == "line-connected").count(), 2, "{codes:?}");
}

#[test]
fn an_rtmp_server_is_played_from() {
    let url = format!("rtmp://127.0.0.1:{}/live/cam", free_port().port());
    served_twice(&url, "RTMP, played", |handle| {
        wait_for(handle, "the round trip, playing", |status| line(status).network.rtt_ms.is_some());
    });
}

/// A sender that changes its codec, and its tables' version with it, while packets go on.
#[test]
fn another_codec_in_one_transport_stream_is_followed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, colour: &str, codec: &str, from: &str, version: &str| {
        let path = folder.path().join(name);
        let picture = format!("color={colour}:size=320x180:rate=25");
        let args = format!(
            "-nostdin -v error -f lavfi -i {picture} -f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 \
             -pix_fmt yuv420p -g 12 {codec} -c:a aac -output_ts_offset {from} -tables_version {version} -f mpegts"
        );
        let made = Process::new("ffmpeg").args(args.split_whitespace()).arg(&path).status().unwrap();
        assert!(made.success());
        std::fs::read(path).unwrap()
    };
    let avc = "-c:v libx264 -preset ultrafast -tune zerolatency";
    let hevc = "-c:v libx265 -preset ultrafast -tune zerolatency -x265-params log-level=error";
    let parts = [make("a.ts", "red", avc, "0", "0"), make("b.ts", "blue", hevc, "4", "1")];
    let port = free_udp_port();
    let live = start_with(&format!(r#"pull "udp://127.0.0.1:{port}""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before anyone sends", is_filler);
    let sender = std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for part in parts {
            let (begun, count) = (Instant::now(), part.chunks(1316).count() as u32);
            for (n, datagram) in (0..).zip(part.chunks(1316)) {
                // At the pace of a camera.
                let due = begun + Duration::from_secs(4) * n / count;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let _ = socket.send_to(datagram, ("127.0.0.1", port));
            }
        }
    });
    wait_for(&handle, "the first picture", is_main);
    sender.join().unwrap();
    wait_for(&handle, "the filler at its end", is_filler);
    let (report, out) = end(live);
    let connected = codes(&report).into_iter().filter(|(code, _)| code == "line-connected").count();
    assert_eq!(connected, 1, "it did not take a reconnect");
    let frames = decode(&tags(&out.path().join("180p.flv")));
    let colour = |frame: &codecs::Frame| match mean(frame) {
        [_, u, v] if v > 180 && u < 128 => "red",
        [_, u, v] if u > 180 && v < 128 => "blue",
        [_, u, v] if u < 100 && v < 100 => "filler",
        [y, ..] if y < 40 => "black",
        _ => "wrong",
    };
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for frame in &frames {
        match seen.last_mut() {
            Some((last, count)) if *last == colour(frame) => *count += 1,
            _ => seen.push((colour(frame), 1)),
        }
    }
    // Where two meet, the encoder may blend them for a frame.
    seen.retain(|(colour, count)| *colour != "wrong" || *count > 2);
    let from = seen.iter().position(|(colour, _)| *colour == "red").unwrap();
    let names: Vec<_> = seen[from..].iter().map(|(colour, _)| *colour).collect();
    assert_eq!(names, ["red", "blue", "filler"], "{seen:?}");
    assert!(seen[from + 1].1 > 50, "{seen:?}");
}

/// The 33 bits of a transport stream's clock are used up every 26 hours.
#[test]
fn a_transport_streams_clock_that_wraps_is_followed() {
    let port = free_udp_port();
    let live = start_with(&format!(r#"pull "udp://127.0.0.1:{port}""#));
    let handle = live.engine.handle();
    wait_for(&handle, "the filler before anyone sends", is_filler);
    let to = format!("udp://127.0.0.1:{port}?pkt_size=1316");
    // 2^33 / 90 kHz is 95443.7 s.
    let _sender = send("9.5", &["-output_ts_offset", "95438.5", "-f", "mpegts", &to]);
    wait_for(&handle, "the sender's picture", is_main);
    wait_for(&handle, "the filler at its end", is_filler);
    let codes = finish(live, "a wrap");
    assert_eq!(codes.iter().filter(|code| *code == "line-connected").count(), 1, "{codes:?}");
}
