//! The show file changed on air: what is in both files goes on, frame by frame.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command as Process, Stdio};

use engine::{Ack, Command, Handle, LineState, Refused};
use flv::{Tag, TagKind};

use crate::live::{Tool, ffmpeg_push, on_air, start_show, wait_for};
use crate::support::{decode, pictures, tags};

const SHOW: &str = r#"
show "reloaded" {
  video 320x180 25fps
  audio 48kHz stereo
  listen { http "127.0.0.1:8080"; rtmp "127.0.0.1:0" }
  camera main  { line fiber push "rtmp:live/main"; failover lost=400ms recover=1s }
  camera bars  { line gen test "bars" tone=440 }
  filler green { test "color:lime" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k }
  channel program {
    sources main bars
    filler green after=5s
    ladder one
    egress web  serve http-flv
    egress disk record "{rung}.flv"
  }
}
"#;

/// Goes on with this text.
fn reload(handle: &Handle, text: &str) -> Result<Ack, Refused> {
    handle.command(Command { file: Some(text.to_owned()), ..Command::reload() })
}

/// Returns with the next tick.
fn tick(handle: &Handle) {
    handle.command(Command::line("bars", None)).unwrap();
}

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(SHOW.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// A text each, that differs from the one before in one thing or more.
fn texts() -> Vec<String> {
    let drone = ("  filler green {", "  camera drone { line gen test \"color:red\" }\n  filler green {");
    let shown = ("sources main bars", "sources drone main bars");
    let second = ("    egress disk", "    egress tape record \"tape-{rung}.flv\"\n    egress disk");
    let spare = ("rtmp:live/main\"; ", "rtmp:live/main\"; line sat push \"rtmp:live/spare\"; ");
    let scene = (
        "  ladder one {",
        "  scene duo { layout pip; box a camera=main; box b camera=bars }\n  ladder one {",
    );
    let parts: [&[(&str, &str)]; 6] = [
        &[drone, shown],
        &[("lost=400ms", "lost=600ms standby=warm align=off freeze=20s"), ("after=5s", "after=4s")],
        &[second],
        &[scene, ("sources main bars", "sources duo main bars")],
        &[spare, ("test \"color:lime\"", "test \"color:blue\"")],
        &[],
    ];
    (0..20).map(|n| changed(parts[n % parts.len()])).collect()
}

/// Between neighbouring tags of one kind, in milliseconds: the least and the most.
fn steps(tags: &[Tag], kind: TagKind) -> (i32, i32) {
    let media = tags.iter().filter(|tag| tag.kind == kind && tag.timestamp.0 > 0);
    let stamps: Vec<_> = media.map(|tag| tag.timestamp).collect();
    let steps = stamps.windows(2).map(|pair| pair[1].since(pair[0]));
    (steps.clone().min().unwrap(), steps.max().unwrap())
}

#[test]
fn twenty_reloads_cost_no_publisher_no_viewer_and_no_frame() {
    // A server that it pushes to: another one of its kind.
    let server = start_show(SHOW);
    let pushed = format!("    egress cdn push \"{}\"\n    egress web", server.url);
    let pushing = |text: &str| text.replace("    egress web", &pushed);
    let live = start_show(&pushing(SHOW));
    let handle = live.engine.handle();
    let _push = ffmpeg_push(&live.url, "testsrc2=size=320x180:rate=25");
    wait_for(&handle, "the encoder's picture", |s| on_air(s) == Some("main"));
    let viewed = live.out.path().join("viewed.flv");
    let url = format!("http://{}/live/program/180p.flv", live.http());
    let mut curl = Process::new("curl");
    curl.args(["-sS", "--max-time", "120", "-o", viewed.to_str().unwrap(), &url]);
    let mut viewer = Tool(curl.stdout(Stdio::null()).spawn().unwrap());
    let size = || std::fs::metadata(&viewed).map_or(0, |file| file.len());
    wait_for(&handle, "the viewer", |_| size() > 10_000);
    wait_for(&server.engine.handle(), "what is pushed to it", |s| on_air(s) == Some("main"));

    for (n, text) in texts().iter().enumerate() {
        let ack = reload(&handle, &pushing(text)).unwrap_or_else(|refused| panic!("{n}: {refused:?}"));
        assert_eq!(ack.show_revision, Some(n as u64 + 2));
        assert!(!ack.steps.unwrap().is_empty());
        let status = handle.status();
        assert_eq!(status.show_revision, n as u64 + 2);
        let (drone, tape) = (text.contains("drone"), text.contains("tape"));
        assert_eq!(status.scenes.len(), usize::from(text.contains("duo")));
        assert_eq!(status.channels[0].sources.iter().any(|name| name == "drone"), drone);
        assert_eq!(status.channels[0].egress.iter().any(|egress| egress.name == "tape"), tape);
        assert_eq!(on_air(&status), Some("main"), "{n}");
        for _ in 0..5 {
            tick(&handle);
        }
    }
    assert!(viewer.0.try_wait().unwrap().is_none(), "the viewer is still served");
    handle.stop();
    let report = live.engine.wait();
    assert!(viewer.0.wait().unwrap().success(), "the stream came to its end");
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    let count = |code: &str, subject: &str| {
        report.events.iter().filter(|e| e.code == code && e.subject == subject).count()
    };
    assert_eq!(count("line-connected", "main/fiber"), 1, "the publisher was never disconnected");
    assert_eq!(count("line-lost", "main/fiber"), 0);
    assert_eq!(count("reloaded", "show"), 20);
    let push = report.channels[0].egress.iter().find(|egress| egress.name == "cdn").unwrap();
    assert_eq!((push.reconnects, push.dropped_frames), (0, 0), "the server kept its connection");
    server.engine.handle().stop();
    let received = server.engine.wait();
    let calls = received.events.iter().filter(|e| e.code == "line-connected").count();
    assert_eq!(calls, 1, "{:?}", received.events);

    // One file, with every frame in it; the same for whoever watched.
    let recorded = tags(&live.out.path().join("180p.flv"));
    assert!(!live.out.path().join("180p-2.flv").exists());
    assert_eq!(decode(&recorded).len() as u64, report.channels[0].frames);
    for tags in [recorded, tags(&viewed)] {
        assert_eq!(steps(&tags, TagKind::Video), (40, 40), "a tick after the other");
        let (least, most) = steps(&tags, TagKind::Audio);
        assert!(least >= 21 && most <= 22, "sound from {least} to {most} ms apart");
    }
    // Three times a tape was begun, each a file that plays.
    for name in ["tape-180p.flv", "tape-180p-2.flv", "tape-180p-3.flv"] {
        let tape = tags(&live.out.path().join(name));
        assert!(
            pictures(&tape)[0].1 == media::Key::Frame && steps(&tape, TagKind::Video) == (40, 40),
            "{name}"
        );
    }
    assert_eq!(report.channels[0].egress.iter().filter(|egress| egress.name == "tape").count(), 3);
}

#[test]
fn a_new_camera_can_be_cut_to_at_once_and_an_old_ones_port_is_free() {
    let port = {
        let any = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        any.local_addr().unwrap().port()
    };
    let waits = format!("camera sat {{ line udp pull \"udp://127.0.0.1:{port}\" }}\n  filler green");
    let with_sat = changed(&[
        ("filler green {", &format!("{waits} {{")),
        ("sources main bars", "sources bars main sat"),
    ]);
    let live = start_show(&with_sat);
    let handle = live.engine.handle();
    wait_for(&handle, "the bars", |s| on_air(s) == Some("bars"));
    let is_free = || UdpSocket::bind(("0.0.0.0", port)).is_ok();
    wait_for(&handle, "the line to wait on its port", |_| !is_free());

    let with_drone = changed(&[
        ("filler green {", "camera drone { line gen test \"color:red\" }\n  filler green {"),
        ("sources main bars", "sources bars drone main"),
    ]);
    let dry = handle.command(Command {
        file: Some(with_drone.clone()),
        state: Some("dry-run".to_owned()),
        ..Command::reload()
    });
    let steps = dry.unwrap().steps.unwrap();
    assert_eq!(
        steps,
        [
            "camera sat is taken away",
            "camera drone is added",
            "channel program: its sources are bars, drone, main"
        ]
    );
    assert_eq!((handle.status().show_revision, handle.status().cameras.len()), (1, 3), "nothing was done");
    let ack = reload(&handle, &with_drone).unwrap();
    assert_eq!(ack.steps.unwrap(), steps);
    let cut = handle.command(Command::cut("drone")).unwrap();
    assert_eq!(cut.on_air.as_deref(), Some("drone"));
    wait_for(&handle, "the old camera's port to be free", |_| is_free());

    // What is on air stays, and so does everything if anything is wrong.
    let before = handle.status();
    let refused = reload(&handle, SHOW).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.legal),
        ("on-air", vec!["cut main".to_owned(), "cut bars".to_owned()])
    );
    let refused = reload(&handle, &with_drone.replace("color:lime", "color:nothing")).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.problems[0].line), ("bad-show", 9), "{refused:?}");
    let refused = reload(&handle, &with_drone.replace("25fps", "30fps")).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.problems[0].line), ("fixed-on-air", 3));
    let missing = with_drone.replace("test \"bars\" tone=440", "file \"nowhere.mp4\"");
    let refused = reload(&handle, &missing).unwrap_err();
    assert!(refused.problems[0].message.contains("nowhere.mp4"), "{refused:?}");
    let holder = UdpSocket::bind(("0.0.0.0", port)).unwrap();
    let taken = with_sat
        .replace("sources bars main sat", "sources bars main sat drone")
        .replace("  filler green {", "  camera drone { line gen test \"color:red\" }\n  filler green {");
    assert_eq!(reload(&handle, &taken).unwrap_err().code, "port-taken");
    drop(holder);
    let after = handle.status();
    assert_eq!((after.show_revision, &after.channels[0].sources), (2, &before.channels[0].sources));
    assert_eq!(on_air(&after), Some("drone"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0);
    assert!(report.cameras.iter().any(|camera| camera.name == "sat"), "the report knows it still");
    let refused = report.events.iter().filter(|e| e.code == "reload-refused").count();
    assert_eq!(refused, 5);
}

#[test]
fn a_line_that_is_changed_on_air_is_held_over_and_only_its_sender_goes() {
    let two = changed(&[("rtmp:live/main\"; ", "rtmp:live/main\"; line sat push \"rtmp:live/sat\"; ")]);
    let live = start_show(&two);
    let handle = live.engine.handle();
    let mut fiber = ffmpeg_push(&live.url, "color=blue:size=320x180:rate=25");
    wait_for(&handle, "the encoder's picture", |s| on_air(s) == Some("main"));
    let mut sat = ffmpeg_push(&live.url.replace("live/main", "live/sat"), "color=blue:size=320x180:rate=25");
    wait_for(&handle, "the other one's", |s| s.cameras[0].lines[1].state == LineState::Live);
    // The fiber is to come by another name: who sends to the old one is told to go.
    let ack = reload(&handle, &two.replace("rtmp:live/main", "rtmp:live/fiber")).unwrap();
    assert_eq!(ack.steps.unwrap(), ["camera main: line fiber is opened again"]);
    let status = wait_for(&handle, "the other line", |s| s.cameras[0].line.as_deref() == Some("sat"));
    assert_eq!(on_air(&status), Some("main"), "the picture was held until then");
    assert!(!fiber.0.wait().unwrap().success(), "its sender is gone");
    assert!(sat.0.try_wait().unwrap().is_none(), "the other one's is not");
    let _again = ffmpeg_push(&live.url.replace("live/main", "live/fiber"), "color=blue:size=320x180:rate=25");
    wait_for(&handle, "the fiber by its new name", |s| s.cameras[0].line.as_deref() == Some("fiber"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0);
    let shown: Vec<_> = report.channels[0].on_air.iter().filter_map(|run| run.source.as_deref()).collect();
    assert!(shown.iter().skip_while(|name| **name != "main").all(|name| *name == "main"), "{shown:?}");
    let recorded = tags(&live.out.path().join("180p.flv"));
    assert_eq!(steps(&recorded, TagKind::Video), (40, 40));
}

const BLUE: codecs::Rgb = codecs::Rgb::new(0, 0, 255);
const RED: codecs::Rgb = codecs::Rgb::new(255, 0, 0);

/// Fails unless the picture has these colours, a quarter and three quarters of the way across.
fn has(frames: &[codecs::Frame], frame: u64, colours: [codecs::Rgb; 2]) {
    let picture = &frames[frame as usize].picture;
    for (x, wanted) in [80, 240].into_iter().zip(colours) {
        let at = |plane, by: usize| picture.plane(plane).row(90 / by)[x / by];
        let got = [at(codecs::Plane::Y, 1), at(codecs::Plane::U, 2), at(codecs::Plane::V, 2)];
        let codecs::Yuv { y, u, v } = codecs::Yuv::from(wanted);
        let off = got.into_iter().zip([y, u, v]).map(|(a, b)| a.abs_diff(b)).max();
        assert!(off <= Some(20), "frame {frame}, x {x}: {got:?}, not {wanted:?}");
    }
}

#[test]
fn a_scene_comes_and_changes_on_air_at_its_very_tick() {
    let duo = "  scene duo { layout full; box a camera=drone; box b camera=sky }\n  ladder one {";
    let with_duo = changed(&[
        (
            "  camera main  {",
            "  camera drone { line gen test \"color:red\" }\n  camera sky { line gen test \"color:blue\" }\n  camera main  {",
        ),
        ("  ladder one {", duo),
        ("sources main bars", "sources bars main duo"),
    ]);
    let live = start_show(&SHOW.replace("sources main bars", "sources bars main"));
    let handle = live.engine.handle();
    reload(&handle, &with_duo).unwrap();
    // Its answer is there when its tick is decided, so the scene is, too.
    let cut = handle.command(Command::cut("duo")).unwrap();
    assert_eq!(cut.on_air.as_deref(), Some("duo"));
    tick(&handle);
    let both = reload(&handle, &with_duo.replace("layout full", "layout side-by-side")).unwrap();
    assert_eq!(both.steps.unwrap(), ["scene duo is composed otherwise"]);
    let status = handle.status();
    assert_eq!((status.scenes[0].layout.as_str(), on_air(&status)), ("side-by-side", Some("duo")));
    tick(&handle);
    let swapped = with_duo.replace(
        "layout full; box a camera=drone; box b camera=sky",
        "layout side-by-side; box b camera=sky; box a camera=drone",
    );
    let swapped = reload(&handle, &swapped).unwrap();
    tick(&handle);
    // What the director chose is not undone by a file that says as before.
    let led = handle.command(Command::layout("duo", "full")).unwrap();
    tick(&handle);
    let same = with_duo.replace(
        "layout full; box a camera=drone; box b camera=sky",
        "layout side-by-side; box b camera=sky; box a camera=drone border=2",
    );
    let same = reload(&handle, &same).unwrap();
    assert_eq!(handle.status().scenes[0].layout, "full");
    let refused = reload(&handle, &SHOW.replace("sources main bars", "sources bars main")).unwrap_err();
    assert_eq!(refused.code, "on-air");
    handle.command(Command::cut("bars")).unwrap();
    reload(&handle, &SHOW.replace("sources main bars", "sources bars main")).unwrap();
    assert!(handle.status().scenes.is_empty());
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.scenes[0].name, "duo", "the report knows it still");
    let recorded = tags(&live.out.path().join("180p.flv"));
    assert_eq!(steps(&recorded, TagKind::Video), (40, 40));
    let frames = decode(&recorded);
    assert_eq!(frames.len() as u64, report.channels[0].frames);
    has(&frames, cut.frame, [RED, RED]);
    has(&frames, both.frame - 1, [RED, RED]);
    has(&frames, both.frame, [RED, BLUE]);
    has(&frames, swapped.frame - 1, [RED, BLUE]);
    has(&frames, swapped.frame, [BLUE, RED]);
    has(&frames, led.frame, [BLUE, BLUE]);
    has(&frames, same.frame, [BLUE, BLUE]);
}
