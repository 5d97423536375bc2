//! Thumbnails: what a director sees of the sources, and what that costs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use codecs::VideoEncoder;
use engine::{Engine, Mode, RunOptions};
use media::Size;

use crate::embedding::serve;
use crate::failures::Altered;
use crate::live::{start_show, wait_for};
use crate::overload::SlowEncoder;
use crate::support::show;

/// Only `bars` is on air.
const SHOW: &str = r#"show "desk" {
  video 320x180 25fps
  audio 48kHz stereo
  camera bars { line gen test "bars" }
  camera außen { line gen test "color:blue" }
  camera late { line fiber push "rtmp:live/late" }
  scene duo { layout side-by-side; box left camera=bars; box right camera=außen }
  filler slate { test "color:#c86400" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program { sources bars außen late duo; filler slate; ladder one; egress web serve http-flv }
}"#;

pub(crate) struct Answer {
    pub(crate) code: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

pub(crate) fn get(http: SocketAddr, path: &str) -> Answer {
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n").unwrap();
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole).unwrap();
    let end = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = whole.split_off(end + 4);
    let head = String::from_utf8(whole).unwrap();
    Answer { code: head[9..12].parse().unwrap(), head, body }
}

/// Asks until there is a picture, and says how often: on a busy machine none may be made for a while.
pub(crate) fn pictured(http: SocketAddr, path: &str) -> (Answer, image::RgbImage, u64) {
    let begun = Instant::now();
    for asks in 1.. {
        let answer = get(http, path);
        match answer.code {
            200 => {
                let picture = image::load_from_memory(&answer.body).unwrap().into_rgb8();
                return (answer, picture, asks);
            }
            code => assert_eq!(code, 204, "{}", answer.head),
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no picture at {path}: {}", answer.head);
        std::thread::sleep(Duration::from_millis(50));
    }
    unreachable!()
}

#[track_caller]
fn assert_colour(picture: &image::RgbImage, (x, y): (u32, u32), colour: [u8; 3]) {
    let seen = picture.get_pixel(x, y).0;
    let off = seen.iter().zip(colour).map(|(a, b)| a.abs_diff(b)).max();
    assert!(off <= Some(8), "{seen:?} at {x},{y}, and not {colour:?}");
}

#[test]
fn sources_are_seen_as_they_are_and_only_while_somebody_asks() {
    let live = start_show(SHOW);
    let (handle, http) = (live.engine.handle(), live.http());
    let made = |status: &engine::Status| status.load.thumbnails.made;
    let status = wait_for(&handle, "a second of the show", |s| s.load.thumbnails.stage.is_some());
    assert_eq!((made(&status), status.load.thumbnails.asked), (0, false), "nobody has asked");

    let (answer, bars, asks) = pictured(http, "/thumb/bars.jpg");
    assert_eq!((bars.width(), bars.height()), (256, 144));
    let columns =
        [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];
    for (n, colour) in (0..).zip(columns) {
        assert_colour(&bars, (18 + n * 256 / 7, 72), colour);
    }
    assert_eq!(answer.header("content-type"), Some("image/jpeg"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    assert!(answer.header("obvan-t").unwrap().parse::<f64>().unwrap() > 0.9);
    assert!(answer.header("age").is_some());
    let status = wait_for(&handle, "the figures of it", |s| made(s) > 0);
    assert!(status.load.thumbnails.asked);
    assert!(made(&status) <= asks, "{} made for {asks} who asked", made(&status));

    // A name that is not ASCII, a filler and a scene, none of them on air.
    assert_colour(&pictured(http, "/thumb/au%C3%9Fen.jpg").1, (9, 9), [0, 0, 255]);
    assert_colour(&pictured(http, "/thumb/slate.jpg").1, (200, 100), [200, 100, 0]);
    let duo = pictured(http, "/thumb/duo.jpg").1;
    assert_colour(&duo, (9, 72), [191, 191, 191]);
    assert_colour(&duo, (240, 72), [0, 0, 255]);

    // A camera that has not come is no error; one that is not there is.
    let late = get(http, "/thumb/late.jpg");
    assert_eq!((late.code, late.body.len()), (204, 0));
    assert!(late.header("obvan-reason").is_some());
    for path in ["/thumb/nobody.jpg", "/thumb/bars.png"] {
        let unknown = get(http, path);
        let refused: engine::Refused = serde_json::from_slice(&unknown.body).unwrap();
        assert_eq!((unknown.code, refused.code.as_str()), (404, "unknown-source"));
        assert_eq!(refused.legal, ["bars", "außen", "late", "duo", "slate"]);
    }
    let stage = wait_for(&handle, "what they cost", |s| made(s) >= 4).load.thumbnails;
    assert!(stage.stage.is_some(), "{stage:?}");

    handle.stop();
    live.engine.wait();
    assert_eq!(get(http, "/thumb/bars.jpg").code, 410);
}

/// A channel's thumbnail is what its viewers see: a mix, what is drawn once and on each rung, also
/// while its pictures are another channel's. One that has a key has none.
#[test]
fn a_clear_channel_is_seen_as_its_viewers_see_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("tour.key");
    std::fs::write(&key, "000102030405060708090a0b0c0d0e0f").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = r##"show "desk" {
  video 320x180 15fps
  audio 48kHz stereo
  camera bars { line gen test "bars" }
  camera blue { line gen test "color:blue" }
  watermark once { text "■" size=60 color=white at=left margin=0 state=off }
  watermark crisp { text "■" size=60 color=#ff0000 at=right margin=0 draw=rung state=off }
  ladder two { preset ultrafast; keyframe 1s; audio 64k; rung small 128x72 100k; rung tiny 64x36 100k }
  key tour { id 1 file="KEY" }
  channel program { sources bars blue; watermark once crisp; ladder two; egress web serve http-flv }
  channel own-blue { sources blue; watermark once crisp; ladder two; egress web serve http-flv }
  channel sealed { sources blue; ladder two; encrypt tour; egress web serve http-flv }
  channel brief { sources bars; ladder two; egress web serve http-flv }
  rundown brief { at 0:00.200 end }
  rundown own-blue { at 1:00:00 end }
}"##;
    let live = start_show(&text.replace("KEY", key.to_str().unwrap()));
    let (handle, http) = (live.engine.handle(), live.http());
    let path = "/thumb/channel/program.jpg";
    let (answer, bars, _) = pictured(http, path);
    assert_eq!((bars.width(), bars.height(), answer.header("cache-control")), (256, 144, Some("no-store")));
    assert_colour(&bars, (18, 72), [191, 191, 191]);
    let order = |body: serde_json::Value| {
        handle.command(serde_json::from_value(body).unwrap()).unwrap();
    };
    let shows = |what: &str, is: &dyn Fn(&image::RgbImage) -> bool| {
        let begun = Instant::now();
        while !is(&pictured(http, path).1) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let is = |picture: &image::RgbImage, (x, y), colour: [u8; 3]| {
        picture.get_pixel(x, y).0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 24)
    };
    order(serde_json::json!({"do": "cut", "channel": "program", "source": "blue"}));
    shows("the cut", &|picture| is(picture, (128, 72), [0, 0, 255]));
    let status = wait_for(&handle, "that it is carried", |s| s.channels[0].rungs[0].carried_from.is_some());
    assert_eq!(status.channels[0].rungs[0].carried_from.as_deref(), Some("own-blue"));
    for channel in ["program", "own-blue"] {
        for mark in ["once", "crisp"] {
            order(
                serde_json::json!({"do": "watermark", "channel": channel, "watermark": mark, "state": "on"}),
            );
        }
    }
    let is_red = |picture: &image::RgbImage| {
        picture.enumerate_pixels().any(|(x, _, pixel)| x > 192 && pixel[0] > 150 && pixel[2] < 110)
    };
    let is_white = |picture: &image::RgbImage| {
        picture.enumerate_pixels().any(|(x, _, pixel)| x < 64 && pixel.0.iter().all(|part| *part > 200))
    };
    shows("both marks", &|picture| is_red(picture) && is_white(picture));
    assert!(!is_red(&pictured(http, "/thumb/blue.jpg").1), "a source has none");

    let sealed = get(http, "/thumb/channel/sealed.jpg");
    let refused: engine::Refused = serde_json::from_slice(&sealed.body).unwrap();
    assert_eq!((sealed.code, refused.code.as_str()), (403, "encrypted"));
    order(serde_json::json!({"do": "encrypt", "channel": "sealed", "state": "off"}));
    assert_eq!(get(http, "/thumb/channel/sealed.jpg").code, 403, "nor while it is clear: it may be again");
    let over = get(http, "/thumb/channel/brief.jpg");
    assert_eq!((over.code, over.header("obvan-reason")), (204, Some("it has no picture")));
    let unknown = get(http, "/thumb/channel/bars.jpg");
    let refused: engine::Refused = serde_json::from_slice(&unknown.body).unwrap();
    assert_eq!((unknown.code, refused.code.as_str()), (404, "unknown-channel"));
    assert_eq!(refused.legal, ["program", "own-blue", "sealed", "brief"]);
    assert_eq!(get(http, "/thumb/program.jpg").code, 404, "a channel is no source");
    handle.stop();
    live.engine.wait();
}

/// An encoder becomes five times too slow while somebody looks at the sources: there are no new
/// pictures, and what was seen last stays.
#[test]
fn in_an_overload_none_are_made_and_the_last_one_stays() {
    let text = r#"show "slow" {
  video 64x36 25fps
  audio 48kHz stereo
  camera main { line gen test "color:blue" }
  camera late { line fiber push "rtmp:live/late" }
  ladder two { keyframe 1s; audio 64k; rung big 64x36 100k; rung small 32x18 50k }
  channel program { sources main late; ladder two shed=big; egress web serve http-flv }
}"#;
    let brake = Arc::new(AtomicBool::new(false));
    let of_encoder = Arc::clone(&brake);
    let alter =
        move |inner| Box::new(SlowEncoder { inner, brake: Arc::clone(&of_encoder) }) as Box<dyn VideoEncoder>;
    let kit = Arc::new(Altered { size: Size::new(64, 36), alter });
    let mut show = show(text);
    show.listen.rtmp.set_port(0);
    let engine = Engine::start(show, RunOptions { kit, ..RunOptions::new(Mode::RealTime) }).unwrap();
    let handle = engine.handle();
    let (_runtime, url) = serve(&engine);
    let http: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let (_, blue, _) = pictured(http, "/thumb/main.jpg");
    assert_colour(&blue, (32, 18), [0, 0, 255]);
    brake.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    // As long as somebody asks, no rung goes before them.
    let status = loop {
        get(http, "/thumb/main.jpg");
        let status = handle.status();
        let shed = &status.load.shed;
        assert!(shed.is_empty() || shed[0] == "thumbnails", "{shed:?}");
        if shed.len() == 2 {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{status:#?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.load.shed, ["thumbnails", "program/big"]);
    let shed = status.events.iter().rfind(|event| event.code == "thumbnails-shed").unwrap();
    let answer = get(http, "/thumb/main.jpg");
    assert_eq!(answer.code, 200);
    assert!(answer.header("obvan-t").unwrap().parse::<f64>().unwrap() < shed.t, "{}", answer.head);
    assert!(answer.header("obvan-reason").unwrap().contains("keep up"), "{}", answer.head);
    let late = get(http, "/thumb/late.jpg");
    assert_eq!(late.code, 204);
    assert!(late.header("obvan-reason").unwrap().contains("keep up"), "{}", late.head);
    // What waits for the encoder is encoded before the show's end.
    brake.store(false, Ordering::SeqCst);
    handle.stop();
    assert_eq!(engine.wait().exit_code(), 0);
}
