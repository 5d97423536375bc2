//! An encoder that comes back while its own ghost still holds the line.

use std::process::Command;
use std::time::{Duration, Instant};

use engine::{Handle, Report, Status};

use crate::hall::idle::{is_closed, publish_with};
use crate::hall::secret;
use crate::live::{Live, SHOW, Tool, ffmpeg_push, on_air, start_show, start_with, wait_for};
use crate::support::{decode, mean, tags};

const BLUE: &str = "color=blue:size=320x180:rate=25";
const RED: &str = "color=red:size=320x180:rate=25";

fn said(status: &Status, code: &str) -> bool {
    status.events.iter().any(|e| e.code == code && e.subject == "main/fiber")
}

fn signal(tool: &Tool, name: &str) {
    assert!(Command::new("kill").args([name, &tool.0.id().to_string()]).status().unwrap().success());
}

/// Waits until it has ended by itself.
fn ended(tool: &mut Tool) -> bool {
    let tries = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        tool.0.try_wait().unwrap().is_some()
    });
    tries && !tool.0.wait().unwrap().success()
}

/// Red is on air once this is true.
fn on_air_again(handle: &Handle, connected: usize) {
    wait_for(handle, "the newcomer's picture", |s| {
        s.events.iter().filter(|e| e.code == "line-connected").count() == connected
            && on_air(s) == Some("main")
            && s.cameras[0].lines[0].state == engine::LineState::Live
    });
    let frames = handle.status().channels[0].frames;
    wait_for(handle, "a second of it", |s| s.channels[0].frames > frames + 25);
}

/// Blue, then perhaps the filler, then red, and never again anything else.
fn assert_not_mixed(live: Live) -> Report {
    live.engine.handle().stop();
    let report = live.engine.wait();
    let colours: Vec<char> = decode(&tags(&live.out.path().join("180p.flv")))
        .iter()
        .map(|frame| match mean(frame) {
            [_, u, v] if u > 200 && v < 140 => 'b',
            [_, u, v] if v > 200 && u < 140 => 'r',
            _ => '-',
        })
        .collect();
    let first_red = colours.iter().position(|c| *c == 'r').expect("the newcomer was on air");
    assert!(colours[..first_red].contains(&'b'), "the first one was on air");
    assert!(!colours[first_red..].contains(&'b'), "{}", colours.iter().collect::<String>());
    report
}

#[test]
fn a_silent_publisher_yields_to_a_newcomer_and_a_speaking_one_does_not() {
    let live = start_with(r#"push "rtmp:live/main""#);
    let handle = live.engine.handle();
    let mut first = ffmpeg_push(&live.url, BLUE);
    wait_for(&handle, "the first one's picture", |s| on_air(s) == Some("main"));
    let mut second = ffmpeg_push(&live.url, RED);
    assert!(ended(&mut second), "one that sends pictures keeps its place");
    // As if its link were gone: the socket stays, and nothing comes.
    signal(&first, "-STOP");
    wait_for(&handle, "the line to be lost", |s| said(s, "line-lost"));
    // Encoders that are turned down come again.
    let mut second = ffmpeg_push(&live.url, RED);
    let begun = Instant::now();
    while !said(&handle.status(), "push-taken-over") {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody is let in");
        if second.0.try_wait().unwrap().is_some() {
            second = ffmpeg_push(&live.url, RED);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    on_air_again(&handle, 2);
    // The ghost wakes, and learns that it is one.
    signal(&first, "-CONT");
    assert!(ended(&mut first), "the first one was told that its stream is over");
    assert!(second.0.try_wait().unwrap().is_none(), "the newcomer is left alone");
    let report = assert_not_mixed(live);
    let told = report.events.iter().find(|e| e.code == "push-taken-over").unwrap();
    assert!(told.message.contains("it was silent for"), "{told:?}");
}

#[test]
fn who_has_the_key_takes_over_at_once() {
    let keys = tempfile::tempdir().unwrap();
    let path = secret(keys.path(), "cam.key", "hunter2");
    let line = format!("push \"rtmp:live/main\" key=\"file:{}\"", path.display());
    let live = start_show(&SHOW.replace("LINE", &line));
    let handle = live.engine.handle();
    let url = format!("{}?key=hunter2", live.url);
    let mut first = ffmpeg_push(&url, BLUE);
    wait_for(&handle, "the first one's picture", |s| on_air(s) == Some("main"));
    // Without the key nobody is pushed aside.
    let mut stranger = ffmpeg_push(&live.url, RED);
    assert!(ended(&mut stranger));
    // One that is let in and sends nothing takes nothing away: the first one's pictures go on.
    let mut idle = publish_with("?key=hunter2", live.engine.rtmp_addr().unwrap());
    let frames = handle.status().channels[0].frames;
    wait_for(&handle, "three seconds", |s| s.channels[0].frames > frames + 75);
    let status = handle.status();
    assert!(!said(&status, "push-taken-over") && !said(&status, "line-lost"), "{:#?}", status.events);
    assert_eq!(on_air(&status), Some("main"));
    let _second = ffmpeg_push(&url, RED);
    assert!(ended(&mut first), "the first one is dismissed");
    assert!(is_closed(&mut idle), "and so is the one that has said nothing");
    on_air_again(&handle, 2);
    let report = assert_not_mixed(live);
    let told: Vec<_> = report.events.iter().filter(|e| e.code == "push-taken-over").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("has the stream key"), "{told:?}");
}
