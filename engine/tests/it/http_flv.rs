//! Lines fetched as FLV over HTTP, from peers good and bad.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::{Engine, LineState, Mode, RunOptions, Status};

use crate::live::{free_port, on_air, start_with, wait_for};
use crate::matrix::seen::{Looks, Seen};
use crate::support::{codes, show};
use crate::wires::served_twice;

#[test]
fn ffmpeg_serves_flv_dies_and_serves_again() {
    let url = format!("http://127.0.0.1:{}/live/cam", free_port().port());
    served_twice(&url, "FLV over HTTP", |_| {});
}

/// A server that does with each path what its name says.
struct Rogue {
    film: Vec<u8>,
    /// Paths that were asked for.
    asked: Mutex<Vec<String>>,
}

/// Cameras of the test, each with its path's name, and a word of what is told of it.
const ROGUES: [(&str, &str); 12] = [
    ("stall", "nothing came for 5 s"),
    ("cut", "the stream was cut in mid-tag"),
    ("short", "the stream was cut in mid-tag"),
    ("long", "end of file before message length reached"),
    ("chunk", "Invalid chunk size line"),
    ("round", "the server sends us elsewhere again and again"),
    ("nowhere", "the server sends us on to what is no address"),
    ("header", "message head is too large"),
    ("drip", "the header did not come within 5 s"),
    ("page", "what comes is no FLV, but text/html"),
    ("missing", "the server says 404 Not Found"),
    ("packed", "what comes is compressed (gzip)"),
];

impl Rogue {
    fn start() -> (Arc<Self>, String) {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("film.flv");
        let words = "-nostdin -v error -f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=440 -t 2 -c:v libx264 \
                     -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p -c:a aac";
        let mut ffmpeg = std::process::Command::new("ffmpeg");
        assert!(ffmpeg.args(words.split_whitespace()).arg(&film).status().unwrap().success());
        let rogue = Arc::new(Self { film: std::fs::read(film).unwrap(), asked: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let server = Arc::clone(&rogue);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.answer(stream));
            }
        });
        (rogue, url)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let Some(request) = lines.next() else { return };
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let _head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        self.asked.lock().unwrap().push(path.clone());
        // Who hangs up on it ends it.
        let _ = self.misbehave(&path, &mut stream);
    }

    fn misbehave(&self, path: &str, stream: &mut TcpStream) -> std::io::Result<()> {
        let film = &self.film[..];
        let most = &film[..film.len() - 100];
        let ok =
            |more: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n{more}\r\n").into_bytes();
        let length = |n: usize| format!("Content-Length: {n}\r\n");
        match path {
            "good" | "stall" | "damaged" => {
                stream.write_all(&ok("Connection: close\r\n"))?;
                let mut film = film.to_vec();
                if path == "damaged" {
                    let middle = film.len() / 2;
                    film[middle..middle + 4000].fill(0xff);
                }
                stream.write_all(&film)?;
                // Longer than anybody looks.
                std::thread::sleep(Duration::from_secs(60));
            }
            "cut" => stream.write_all(&[ok(""), most.to_vec()].concat())?,
            "short" => stream.write_all(&[ok(&length(most.len())), film.to_vec()].concat())?,
            "long" => stream.write_all(&[ok(&length(film.len() + 5)), film.to_vec()].concat())?,
            "whole" => stream.write_all(&[ok(&length(film.len())), film.to_vec()].concat())?,
            "packed" => stream.write_all(&ok("Content-Encoding: gzip\r\nContent-Length: 0\r\n"))?,
            "chunk" => {
                let head = ok("Transfer-Encoding: chunked\r\n");
                let size = format!("{:x}\r\n", most.len()).into_bytes();
                stream.write_all(&[&head, &size, most, b"\r\nmany\r\n"].concat())?;
            }
            "round" => {
                stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: round\r\nContent-Length: 0\r\n\r\n")?
            }
            "nowhere" => stream.write_all(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")?,
            "once" => stream.write_all(b"HTTP/1.1 307 x\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n")?,
            "header" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
                loop {
                    stream.write_all(&[b'x'; 4096])?;
                }
            }
            "drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
                loop {
                    stream.write_all(b"x")?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            "page" => {
                let page = "<html>SECRET</html>";
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{}\r\n", length(page.len()));
                stream.write_all(&[head, page.to_owned()].concat().into_bytes())?;
            }
            "plain" => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
                stream.write_all(format!("{head}{}\r\n#EXT", length(8)).as_bytes())?;
                stream.flush()?;
                stream.write_all(b"M3U\n")?;
            }
            "list" => {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl; charset=utf-8\r\n";
                stream.write_all(format!("{head}{}\r\n#EXTM3U\n", length(8)).as_bytes())?;
            }
            _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
        stream.flush()
    }
}

#[test]
fn servers_that_stall_cut_lie_or_never_end_lose_their_line_alone() {
    let (rogue, url) = Rogue::start();
    let names = ROGUES.map(|(name, _)| name);
    let names: Vec<&str> = names.into_iter().chain(["once", "damaged", "list", "plain", "whole"]).collect();
    let cameras: String =
        names.iter().map(|name| format!("camera {name} {{ line a pull \"{url}/{name}\" }}\n")).collect();
    let text = format!(
        "show rogues {{ video 160x90 25fps\n{cameras}filler f {{ test bars }}
        ladder l {{ preset ultrafast; rung r 160x90 100k }}
        channel c {{ sources {}; filler f; ladder l; egress web serve http-flv; egress x record \"x.flv\" }} }}",
        names.join(" ")
    );
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions { out: out.path().to_owned(), ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show(&text), options).unwrap();
    let handle = engine.handle();
    // Each was found out once it is asked again; the playlist is another's to ask for.
    let asked = |path: &str| rogue.asked.lock().unwrap().iter().filter(|asked| *asked == path).count();
    wait_for(&handle, "each to be asked again", |_| ROGUES.iter().all(|(name, _)| asked(name) > 1));
    // Once to see what it is, and from then on as what it is.
    let followed = |list: &str| asked(list) > 2;
    wait_for(&handle, "playlists to be followed", |_| followed("list") && followed("plain"));
    let packets = |status: &Status, name: &str| {
        status.cameras.iter().find(|c| c.name == name).map_or(0, |c| c.lines[0].packets)
    };
    wait_for(&handle, "what can be read of a damaged film", |status| packets(status, "damaged") > 40);
    let is_over =
        |status: &Status| serde_json::to_string(status).unwrap().contains("it is not fetched again");
    wait_for(&handle, "a file to be said to have ended", is_over);
    handle.stop();
    let report = engine.wait();
    assert_eq!(report.exit_code(), 0);
    let camera = |name: &str| &report.cameras.iter().find(|c| c.name == name).unwrap().lines[0];
    for name in ["stall", "cut", "short", "long", "chunk", "once", "damaged", "whole"] {
        assert!(camera(name).packets > 40, "{name}: {:?}", camera(name));
    }
    for name in ["round", "nowhere", "header", "drip", "page", "missing", "list", "plain", "packed"] {
        let line = camera(name);
        // Whichever it is between two calls.
        assert!(matches!(line.state, LineState::Never | LineState::Connecting), "{name}: {line:?}");
        assert_eq!(line.packets, 0, "{name}");
    }
    let told = |name: &str, word: &str| {
        report.events.iter().any(|e| e.subject == format!("{name}/a") && e.message.contains(word))
    };
    for (name, word) in ROGUES.into_iter().chain([
        ("once", "fetching from http://127.0.0.1"),
        ("damaged", "byte "),
        ("whole", " bytes, as its server said; it is not fetched again"),
    ]) {
        assert!(told(name, word), "{name}: {word}: {:#?}", report.events);
    }
    // Not without a pause.
    assert!(asked("missing") < 100, "{}", asked("missing"));
    let all = serde_json::to_string(&report).unwrap();
    assert!(!all.contains("SECRET"));
}

/// A radio station: sound as ffmpeg makes it, without end, at its own pace after a burst of two
/// seconds. Dropped, it is off the air.
struct Station {
    goes_on: Arc<AtomicBool>,
    url: String,
}

impl Station {
    fn start() -> Self {
        let words =
            "-nostdin -v error -f lavfi -i sine=frequency=700:sample_rate=44100 -t 30 -b:a 128k -f mp3 -";
        let made = std::process::Command::new("ffmpeg").args(words.split(' ')).output().unwrap();
        assert!(made.status.success() && made.stdout.len() > 400_000);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/listen", listener.local_addr().unwrap().port());
        let goes_on = Arc::new(AtomicBool::new(true));
        let (told, sound) = (Arc::clone(&goes_on), Arc::new(made.stdout));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, sound) = (Arc::clone(&told), Arc::clone(&sound));
                std::thread::spawn(move || Self::send(stream, &sound, &told));
            }
        });
        Self { goes_on, url }
    }

    /// From the midst of a frame on, as whoever tunes in late gets it.
    fn send(mut stream: TcpStream, sound: &[u8], goes_on: &AtomicBool) {
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let _request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let head = "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: ours\r\n\r\n";
        let mut sent = stream.write_all(head.as_bytes());
        let begun = Instant::now();
        for (n, piece) in (0..).zip(sound[777..].chunks(1_600)) {
            let due = begun + Duration::from_millis(u64::saturating_sub(n * 100, 2_000));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if sent.is_err() || !goes_on.load(Ordering::Relaxed) {
                return;
            }
            sent = stream.write_all(piece);
        }
    }
}

#[test]
fn a_radio_station_is_heard_over_black_and_covered_when_it_goes_off_the_air() {
    let station = Station::start();
    let live = start_with(&format!("pull \"{}\"", station.url));
    let handle = live.engine.handle();
    wait_for(&handle, "the station", |s| on_air(s) == Some("main"));
    let from = handle.status().channels[0].frames;
    wait_for(&handle, "two seconds of it", |s| s.channels[0].frames > from + 50);
    station.goes_on.store(false, Ordering::Relaxed);
    wait_for(&handle, "the filler", |s| on_air(s) == Some("green"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    let seen = Seen::in_recording(&live.out.path().join("180p.flv"));
    let radio = Looks { colour: [0, 0, 0], tone: 700 };
    let all = [radio, Looks { colour: [0, 255, 0], tone: 440 }];
    let from = usize::try_from(from).unwrap() + 15;
    assert_eq!(seen.looks_like(from, &all), 0, "{:#?}", report.events);
    assert!(seen.is_heard(from, &radio, &all), "{:#?}", report.events);
    let codes = codes(&report);
    let of_line =
        |code: &str| codes.iter().filter(|(c, subject)| c == code && subject == "main/fiber").count();
    assert_eq!((of_line("no-video"), of_line("line-lost")), (1, 1), "{codes:?}");
}
