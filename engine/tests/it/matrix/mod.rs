//! Every wire with every codec it carries, from programs that are not ours: one show has a
//! camera for each, a director cuts through them all, and the recording has each one's colour
//! and tone. `docs/INGEST.md` shows the table; it is checked against this one.

mod camera;
mod cells;
mod obs;
pub(crate) mod seen;

use engine::{Command, Engine, LineState, Mode, RunOptions};

use crate::live::{Tool, free_port, tool, wait_for};
use crate::support::show;
use crate::wires::serve;

use camera::{Camera, cameras};
use cells::{Wire, table};
use seen::{Looks, Seen};

/// A show that takes it all in.
fn text(cameras: &[Camera], rtsp: u16, http: &str) -> String {
    let lines: Vec<String> = cameras
        .iter()
        .map(|c| format!("camera {} {{ line cable {} }}", c.name, c.line(rtsp, http)))
        .collect();
    let names: Vec<&str> = cameras.iter().map(|c| c.name.as_str()).collect();
    format!(
        r#"show "matrix" {{
  video 320x180 25fps
  audio 48kHz stereo
  {}
  filler green {{ test "color:lime" }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 128k; rung 180p 320x180 800k }}
  channel program {{ sources {}; filler green after=2s; ladder one; egress disk record "{{rung}}.flv" }}
}}"#,
        lines.join("\n  "),
        names.join(" "),
    )
}
#[test]
fn the_page_says_what_is_tested() {
    let page = include_str!("../../../../docs/INGEST.md");
    assert!(page.contains(&table()), "docs/INGEST.md should have this table:\n{}", table());
}
#[test]
fn every_wire_brings_every_codec() {
    let cameras = cameras();
    let folder = tempfile::tempdir().unwrap();
    let (_server, http) = serve(folder.path());
    let rtsp = free_port().port();
    let mut args =
        vec![concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rtsp_patterns.py").to_owned(), rtsp.to_string()];
    args.extend(cameras.iter().filter(|c| c.wire == Wire::Rtsp).map(Camera::launch));
    // The distribution's own interpreter: it has the bindings.
    let _rtsp = tool("/usr/bin/python3", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let (films, live): (Vec<&Camera>, Vec<&Camera>) = cameras.iter().partition(|c| c.wire == Wire::Mkv);
    for mut film in films.iter().map(|c| c.send(None, folder.path())) {
        assert!(film.0.wait().unwrap().success());
    }

    let mut show = show(&text(&cameras, rtsp, &http));
    show.listen.rtmp.set_port(0);
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        inputs: folder.path().to_owned(),
        out: out.path().to_owned(),
        ..RunOptions::new(Mode::RealTime)
    };
    let engine = Engine::start(show, options).unwrap();
    let rtmp = engine.rtmp_addr();
    let senders = live.iter().filter(|c| c.wire != Wire::Rtsp).map(|c| c.send(rtmp, folder.path()));
    let _senders: Vec<Tool> = senders.collect();
    let handle = engine.handle();
    for (n, camera) in cameras.iter().enumerate() {
        wait_for(&handle, &camera.name, |s| s.cameras[n].lines[0].state == LineState::Live);
    }
    // Sound may come later than pictures.
    let settled = handle.status().t + 2.0;
    wait_for(&handle, "two seconds", |s| s.t >= settled);

    let mut stretches = Vec::new();
    for camera in &cameras {
        let ack = handle.command(Command::cut(camera.name.clone())).unwrap();
        let until = ack.frame + 28;
        wait_for(&handle, "the tick", |s| s.channels[0].frames > until);
        stretches.push((camera, ack.frame as usize));
    }
    handle.stop();
    let report = engine.wait();
    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }
    let seen = Seen::in_recording(&out.path().join("180p.flv"));
    let all: Vec<Looks> = cameras.iter().map(Camera::looks).collect();
    let mut wrong = Vec::new();
    for (camera, from) in stretches {
        let like = &cameras[seen.looks_like(from + 20, &all)].name;
        let heard = seen.is_heard(from + 4, &camera.looks(), &all);
        if like != &camera.name || !heard {
            wrong.push(format!("{}: looks like {like}, its tone is heard: {heard}", camera.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
