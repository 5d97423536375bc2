//! Real encoders push in real time, real viewers join late.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use engine::{Engine, LineState, Mode, RunOptions, Status};
use media::Key;
use pipeline_dsl::Switch;

use crate::matrix::seen::{Looks, Seen};
use crate::support::{clips, codes, decode, pictures, show, tags};

pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A child that does not outlive its test.
pub(crate) struct Tool(pub(crate) Child);

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn tool(program: &str, args: &[&str]) -> Tool {
    let mut process = Process::new(program);
    process.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Tool(process.spawn().unwrap_or_else(|e| panic!("{program}: {e}: `make setup` installs it")))
}

pub(crate) fn ffmpeg_push(url: &str, source: &str) -> Tool {
    let args = "-nostdin -hide_banner -v error -re -f lavfi -i SOURCE -f lavfi -i sine=frequency=440:sample_rate=44100 \
                -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -pix_fmt yuv420p -c:a aac -t 30 -f flv URL";
    let args: Vec<&str> = args
        .split_whitespace()
        .map(|arg| match arg {
            "SOURCE" => source,
            "URL" => url,
            arg => arg,
        })
        .collect();
    tool("ffmpeg", &args)
}

/// Waits for a state of the show; the bound only keeps a broken engine from hanging the test.
pub(crate) fn wait_for(handle: &engine::Handle, what: &str, is: impl Fn(&Status) -> bool) -> Status {
    wait_for_long(handle, Duration::from_secs(30), what, is)
}

/// The same, for what takes its time where a machine is busy.
pub(crate) fn wait_for_long(
    handle: &engine::Handle,
    bound: Duration,
    what: &str,
    is: impl Fn(&Status) -> bool,
) -> Status {
    let begun = Instant::now();
    loop {
        let status = handle.status();
        if is(&status) {
            return status;
        }
        assert!(begun.elapsed() < bound, "waited in vain for {what}: {status:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) const SHOW: &str = r#"
show "live" {
  video 320x180 25fps
  audio 48kHz stereo
  camera main  { line fiber LINE; failover lost=400ms recover=1s }
  camera bars  { line gen test "bars" tone=440 }
  filler green { test "color:lime" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k; rung 90p 160x90 150k }
  channel program {
    sources main bars
    // Longer than a busy machine may starve a test's encoder; the default is proved in virtual time.
    filler green after=2s
    ladder one
    egress web  serve http-flv
    egress disk record "{rung}.flv"
  }
}
"#;

pub(crate) struct Live {
    pub(crate) engine: Engine,
    pub(crate) out: tempfile::TempDir,
    pub(crate) url: String,
    http: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

fn start() -> Live {
    start_with(r#"push "rtmp:live/main""#)
}

/// A show whose camera `main` has this line.
pub(crate) fn start_with(line: &str) -> Live {
    start_show(&SHOW.replace("LINE", line))
}

pub(crate) fn start_show(text: &str) -> Live {
    let mut show = show(text);
    show.listen.rtmp.set_port(0);
    let out = tempfile::tempdir().unwrap();
    let options =
        RunOptions { inputs: clips(), out: out.path().to_owned(), ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show, options).unwrap();
    // Empty where no line is pushed to.
    let url = engine.rtmp_addr().map(|addr| format!("rtmp://{addr}/live/main")).unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let http = listener.local_addr().unwrap();
    let routes = engine::http::routes(engine.handle());
    runtime.spawn(async move { axum::serve(listener, routes).await });
    Live { engine, out, url, http, _runtime: runtime }
}

impl Live {
    /// Where it serves HTTP.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }
}

fn curl(args: &[&str]) -> String {
    let output = Process::new("curl").args(["-sS", "--max-time", "20"]).args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The whole tags at the front of what a viewer got before it left.
fn viewer_tags(path: &Path) -> Vec<flv::Tag> {
    let mut reader = flv::TagReader::new();
    reader.push(std::fs::read(path).unwrap().into());
    let items = std::iter::from_fn(|| reader.next().unwrap());
    items.filter_map(|item| if let flv::Item::Tag(tag) = item { Some(tag) } else { None }).collect()
}

pub(crate) fn on_air(status: &Status) -> Option<&str> {
    status.channels[0].on_air.as_deref()
}

#[test]
fn ffmpeg_pushes_a_viewer_joins_late_the_line_dies_and_gstreamer_takes_over() {
    let live = start();
    let handle = live.engine.handle();
    let begun = Instant::now();
    wait_for(&handle, "the filler before anyone pushes", |s| on_air(s) == Some("green"));

    let main = ffmpeg_push(&live.url, "testsrc2=size=640x360:rate=25");
    wait_for(&handle, "the encoder's picture", |s| on_air(s) == Some("main"));

    let rtt = |s: &Status| s.cameras[0].lines[0].network.rtt_ms;
    wait_for(&handle, "the round trip to its encoder", |s| rtt(s).is_some());

    // A second encoder on the taken name is turned down; the first goes on.
    let mut second = ffmpeg_push(&live.url, "color=red:size=640x360:rate=25");
    assert!(!second.0.wait().unwrap().success(), "the second publisher was let in");
    assert_eq!(on_air(&handle.status()), Some("main"));

    // A viewer joins late, and leaves after some seconds.
    let joined = live.out.path().join("viewer.flv");
    let url = format!("http://{}/live/program/180p.flv", live.http);
    let curl =
        Process::new("curl").args(["-sS", "--max-time", "6", "-o", joined.to_str().unwrap(), &url]).output();
    assert_eq!(curl.unwrap().status.code(), Some(28), "the stream goes on until the viewer leaves");
    let viewed = viewer_tags(&joined);
    let seen = pictures(&viewed);
    assert_eq!(seen.first().unwrap().1, Key::Frame, "a late joiner begins with a key frame");
    // Half of what is due would do: the machine may be busy.
    assert!(seen.len() > 75, "{} pictures in six seconds", seen.len());
    assert_eq!(decode(&viewed).len(), seen.len(), "every picture a late joiner gets can be decoded");

    while begun.elapsed() < Duration::from_secs(20) {
        assert_eq!(on_air(&handle.status()), Some("main"));
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(main);
    let status = wait_for(&handle, "the filler after the line died", |s| on_air(s) == Some("green"));
    assert_eq!((status.channels[0].intent.as_str(), status.channels[0].reason.as_str()), ("main", "filler"));

    let location = format!("location={}", live.url);
    let pipeline = "-q flvmux name=mux streamable=true ! rtmp2sink LOCATION videotestsrc is-live=true ! \
        video/x-raw,width=320,height=240,framerate=25/1 ! x264enc tune=zerolatency speed-preset=ultrafast \
        key-int-max=25 ! h264parse ! mux. audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! mux.";
    let pipeline = if has_avenc() { pipeline.to_owned() } else { pipeline.replace("avenc_aac", "voaacenc") };
    let args: Vec<&str> =
        pipeline.split_whitespace().map(|a| if a == "LOCATION" { location.as_str() } else { a }).collect();
    let _gst = tool("gst-launch-1.0", &args);
    let status = wait_for(&handle, "GStreamer's picture", |s| on_air(s) == Some("main"));
    assert_eq!(status.channels[0].reason, "recovered");
    assert_eq!(status.cameras[0].lines[0].state, LineState::Live);

    handle.stop();
    let report = live.engine.wait();
    let codes = codes(&report);
    for code in ["line-connected", "push-taken", "line-disconnected", "line-lost", "line-recovered"] {
        assert!(codes.iter().any(|(c, subject)| c == code && subject == "main/fiber"), "{code}: {codes:?}");
    }
    assert_eq!(report.exit_code(), 0);
    let recorded = tags(&live.out.path().join("180p.flv"));
    assert_eq!(decode(&recorded).len() as u64, report.channels[0].frames);
    let served = report.channels[0].egress.iter().find(|e| e.name == "web" && e.rung == "180p").unwrap();
    assert!(served.bytes > 50_000);
}

fn has_avenc() -> bool {
    let found = Process::new("gst-inspect-1.0").args(["--exists", "avenc_aac"]).status();
    found.is_ok_and(|status| status.success())
}

#[test]
fn a_pushed_stream_is_in_step() {
    let live = start();
    let handle = live.engine.handle();
    let clip = clips().join("generated/flash-beep.mp4");
    let clip = clip.to_str().unwrap();
    // Re-coded by a real-time encoder, as a camera's would be.
    let args =
        ["-nostdin", "-v", "error", "-re", "-i", clip, "-t", "6", "-c:v", "libx264", "-preset", "ultrafast"];
    let args = args.into_iter().chain(["-tune", "zerolatency", "-c:a", "aac", "-f", "flv", &live.url]);
    let _push = tool("ffmpeg", &args.collect::<Vec<_>>());
    wait_for(&handle, "the encoder's picture", |s| on_air(s) == Some("main"));
    wait_for(&handle, "its end", |s| on_air(s) == Some("green"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0);
    crate::step::assert_recording_in_step(&live.out.path().join("180p.flv"), "a push", 4..=7);
}

#[test]
fn a_director_cuts_over_http_and_reads_back_what_is_on_air() {
    let live = start();
    let handle = live.engine.handle();
    wait_for(&handle, "the filler", |s| on_air(s) == Some("green"));
    let post = |body: &str| {
        let url = format!("http://{}/api/command", live.http);
        let answer = curl(&["-w", "%{http_code}", "-d", body, &url]);
        let (json, code) = answer.split_at(answer.len() - 3);
        (code.to_owned(), serde_json::from_str::<serde_json::Value>(json).unwrap())
    };
    let (code, ack) = post(r#"{"id":"1","channel":"program","do":"cut","source":"bars"}"#);
    assert_eq!((code.as_str(), &ack["on_air"]), ("200", &"bars".into()), "{ack}");
    let status: Status = serde_json::from_str(&curl(&[&format!("http://{}/api/status", live.http)])).unwrap();
    assert_eq!(status.channels[0].on_air.as_deref(), Some("bars"));
    assert_eq!(status.channels[0].since_frame, ack["frame"].as_u64().unwrap());
    // The same id again returns the first result and changes nothing.
    let (_, again) = post(r#"{"id":"1","channel":"program","do":"cut","source":"bars"}"#);
    assert_eq!(again, ack);
    // Refusals name what is legal.
    let (code, refused) = post(r#"{"do":"cut","source":"nobody"}"#);
    assert_eq!((code.as_str(), &refused["code"]), ("404", &"unknown-source".into()));
    assert_eq!(refused["legal"], serde_json::json!(["main", "bars"]));
    let (code, refused) = post(r#"{"do":"cut","source":"main","expect":"main"}"#);
    assert_eq!((code.as_str(), &refused["code"]), ("412", &"not-as-expected".into()));
    assert_eq!(post(r#"{"do":"fly"}"#).0, "400");
    assert_eq!(post("nonsense").0, "400");
    // After `filler on` a cut changes the intent only.
    handle.command(engine::Command::filler(Switch::On)).unwrap();
    let (_, ack) = post(r#"{"do":"cut","source":"bars"}"#);
    assert_eq!(ack["on_air"], "green");
    let (_, ack) = post(r#"{"do":"filler","state":"off"}"#);
    assert_eq!(ack["on_air"], "bars");

    // Events: a snapshot first, then deltas with their cause.
    let mut events = Process::new("curl");
    events.args(["-sSN", "--max-time", "20", &format!("http://{}/api/events", live.http)]);
    let mut events = Tool(events.stdout(Stdio::piped()).spawn().unwrap());
    let mut events = BufReader::new(events.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(events.next().unwrap(), "event: snapshot");
    handle.command(engine::Command::filler(Switch::On)).unwrap();
    let told = events.find(|line| line.starts_with("data: ") && line.contains(r#""cause":"filler""#));
    assert!(told.unwrap().contains(r#""on_air":"green""#));
    assert!(
        curl(&[&format!("http://{}/metrics", live.http)]).contains("obvan_frames_total{channel=\"program\"}")
    );
    assert_eq!(curl(&[&format!("http://{}/healthz", live.http)]), "ok\n");
    let nothing = curl(&[&format!("http://{}/live/program/4k.flv", live.http)]);
    assert!(nothing.contains("/live/program/180p.flv"), "{nothing}");
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.channels[0].on_air.last().unwrap().reason, "end");
    assert_eq!(handle.command(engine::Command::cut("bars")).unwrap_err().code, "ended");
}

/// One encoder sends no sound, and a mixer no pictures: that is a radio feed, which is cut to and
/// heard over black, covered when it stops, and heard again when it comes again.
#[test]
fn a_push_of_one_track_is_said_while_it_comes_and_sound_alone_is_heard_over_black() {
    let text = SHOW
        .replace("LINE", r#"push "rtmp:live/main""#)
        .replace("  camera bars", "  camera radio { line mixer push \"rtmp:live/radio\" }\n  camera bars")
        .replace("sources main bars", "sources main radio bars");
    let live = start_show(&text);
    let handle = live.engine.handle();
    let only = |args: &str, stream: &str| {
        let url = live.url.replace("main", stream);
        let args = format!("-nostdin -v error -re -f lavfi {args} -t 30 -f flv {url}");
        tool("ffmpeg", &args.split_whitespace().collect::<Vec<_>>())
    };
    let picture = "-i testsrc2=size=320x180:rate=25 -an -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -pix_fmt yuv420p";
    let mixer = || only("-i sine=frequency=700:sample_rate=44100 -vn -c:a aac", "radio");
    let _camera = only(picture, "main");
    let said = |s: &Status, code: &str, subject: &str| {
        s.events.iter().any(|e| e.code == code && e.subject == subject)
    };
    wait_for(&handle, "the picture", |s| on_air(s) == Some("main"));
    // Before its first sound there is nothing of it to show.
    let refused = handle.command(engine::Command::cut("radio")).unwrap_err();
    assert_eq!(refused.code, "source-lost");
    let first = mixer();
    wait_for(&handle, "the word that sound is missing", |s| said(s, "no-audio", "main/fiber"));
    wait_for(&handle, "the word that pictures are missing", |s| said(s, "no-video", "radio/mixer"));
    let is_heard = |s: &Status| s.cameras[1].lines[0].state == LineState::Live;
    let status = wait_for(&handle, "the radio's sound", is_heard);
    assert_eq!(on_air(&status), Some("main"), "pictures without sound are shown");
    assert_eq!(status.cameras[1].lines[0].fps, None);
    let some_more = |what: &str| {
        let from = handle.status().channels[0].frames;
        wait_for(&handle, what, |s| s.channels[0].frames > from + 50);
        usize::try_from(from).unwrap()
    };
    let mut stretches = Vec::new();
    handle.command(engine::Command::cut("radio")).unwrap();
    stretches.push(some_more("two seconds of it"));
    drop(first);
    wait_for(&handle, "the filler when it has gone", |s| on_air(s) == Some("green"));
    let _second = mixer();
    wait_for(&handle, "the radio again", |s| on_air(s) == Some("radio"));
    stretches.push(some_more("two seconds of it again"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0);
    let seen = Seen::in_recording(&live.out.path().join("180p.flv"));
    let radio = Looks { colour: [0, 0, 0], tone: 700 };
    let all =
        [radio, Looks { colour: [0, 255, 0], tone: 440 }, Looks { colour: [128, 128, 128], tone: 1000 }];
    for from in stretches {
        // The encoder may hold a few back.
        assert_eq!(seen.looks_like(from + 15, &all), 0, "from frame {from}: {:#?}", report.events);
        assert!(seen.is_heard(from + 15, &radio, &all), "from frame {from}: {:#?}", report.events);
    }
    let mixer: Vec<_> = report.events.iter().filter(|e| e.subject == "radio/mixer").collect();
    for message in ["its sound is there", "its sound is missing", "its sound comes again"] {
        assert!(mixer.iter().any(|e| e.message.starts_with(message)), "{message}: {mixer:#?}");
    }
}

/// As an encoder that sends several qualities, or several languages, in one connection.
#[test]
fn of_an_encoder_that_sends_several_tracks_the_first_of_each_is_shown() {
    let program = clips().join("generated/new-ffmpeg");
    if !program.exists() {
        eprintln!("SKIPPED: no recent ffmpeg here, and older ones send but one track");
        return;
    }
    let live = start();
    let handle = live.engine.handle();
    let words = format!(
        "-nostdin -v error -re -f lavfi -i color=blue:size=160x90:rate=25 \
         -f lavfi -i color=red:size=320x180:rate=25 -f lavfi -i sine=700 -f lavfi -i sine=1000 \
         -map 0 -map 1 -map 2 -map 3 -c:v libx264 -preset ultrafast -tune zerolatency -g 25 \
         -pix_fmt yuv420p -c:a aac -t 60 -f flv {}",
        live.url
    );
    let args: Vec<&str> = words.split_whitespace().collect();
    let _encoder = tool(program.to_str().unwrap(), &args);
    let status = wait_for(&handle, "its picture", |s| on_air(s) == Some("main"));
    let from = status.channels[0].frames;
    wait_for(&handle, "two seconds of it", |s| s.channels[0].frames > from + 50);
    handle.stop();
    let report = live.engine.wait();
    let seen = Seen::in_recording(&live.out.path().join("180p.flv"));
    let first = Looks { colour: [0, 0, 255], tone: 700 };
    let all = [first, Looks { colour: [255, 0, 0], tone: 1000 }, Looks { colour: [0, 255, 0], tone: 440 }];
    let at = usize::try_from(from).unwrap() + 15;
    assert_eq!(seen.looks_like(at, &all), 0, "{:#?}", report.events);
    assert!(seen.is_heard(at, &first, &all), "{:#?}", report.events);
    assert_eq!(report.cameras[0].lines[0].facts.decode_errors, 0, "{:#?}", report.events);
}
