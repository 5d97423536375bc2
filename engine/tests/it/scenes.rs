//! Scenes by their pixels and their sound: boxes side by side and in each other, on their way,
//! and without their guest.

use std::path::Path;
use std::process::Command as Process;

use codecs::{Frame, Plane, Rgb, Yuv};
use engine::{Command, Engine, Mode, RunOptions};
use serde_json::json;

use crate::support::{Ran, codes, decode, decode_sound, ffmpeg, offline, on_air, show, tags};

const RED: [u8; 3] = [255, 0, 0];
const LIME: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];
const NAVY: [u8; 3] = [0, 0, 128];

/// So many seconds of one colour, with a tone.
fn clip(path: &Path, color: &str, seconds: u32) {
    let (picture, tone) = (
        format!("color={color}:s=320x180:r=25:d={seconds}"),
        format!("sine=frequency=440:duration={seconds}"),
    );
    let out = Process::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone])
        .args(["-pix_fmt", "yuv420p", "-shortest", path.to_str().unwrap()])
        .output()
        .expect("the setup installs ffmpeg");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn frames(ran: &Ran) -> Vec<Frame> {
    decode(&tags(&ran.out.path().join("program.flv")))
}

/// Fails unless the pixel of a frame is this colour, by what an encoder leaves of it.
fn is(frames: &[Frame], frame: usize, (x, y): (usize, usize), rgb: [u8; 3], what: &str) {
    let picture = &frames[frame].picture;
    let at = |plane, by: usize| picture.plane(plane).row(y / by)[x / by];
    let got = [at(Plane::Y, 1), at(Plane::U, 2), at(Plane::V, 2)];
    let Yuv { y: luma, u, v } = Yuv::from(Rgb::new(rgb[0], rgb[1], rgb[2]));
    let off = got.into_iter().zip([luma, u, v]).map(|(a, b)| a.abs_diff(b)).max();
    assert!(off <= Some(14), "{what}, frame {frame}: ({x}, {y}) is {got:?}, not {rgb:?}");
}

#[test]
fn boxes_stand_where_the_layout_says_and_move_when_a_cue_does() {
    let ran = offline(
        r#"
show "scene" {
  video 320x180 25fps
  audio 48kHz stereo
  camera red { line gen test "color:red" }
  camera blue { line gen test "color:blue" }
  layout corner { box 1 at=50%,50% size=50%x50%; box 2 at=0,0 size=160x90 z=1 }
  scene duo {
    layout side-by-side
    box host camera=red
    box guest camera=blue fit=cover border=4 color=white
  }
  ladder one { keyframe 1s; audio 64k; rung small 320x180 3000k }
  channel program { sources duo red; ladder one; egress disk record "program.flv" }
  rundown program {
    at 0:01 scene duo layout pip
    at 0:02 scene duo layout side-by-side over=360ms
    at 0:03 scene duo layout corner
    at 0:04 mix red over=400ms
    at 0:05 end
  }
}"#,
        ffmpeg(),
    );
    assert_eq!(on_air(&ran.report), [("duo", "start"), ("red", "mix"), ("-", "end")]);
    let frames = frames(&ran);
    // Side by side: all of the host's picture, the middle of the guest's within its border.
    is(&frames, 20, (80, 90), RED, "the host");
    is(&frames, 20, (80, 20), BLACK, "above the host");
    is(&frames, 20, (240, 20), BLUE, "the guest fills its box");
    is(&frames, 20, (161, 90), WHITE, "the guest's border");
    // At the cue's very tick the guest stands small before the host.
    is(&frames, 25, (80, 20), RED, "the host is whole");
    is(&frames, 25, (272, 150), BLUE, "the guest is small");
    is(&frames, 25, (234, 150), WHITE, "its border");
    is(&frames, 25, (272, 100), RED, "beside the guest");
    is(&frames, 49, (150, 8), RED, "before the change");
    // Nine ticks on the way, so half of it is done at the fifth.
    is(&frames, 54, (150, 90), RED, "the host shrinks");
    is(&frames, 54, (150, 8), BLACK, "it leaves the upper edge");
    is(&frames, 54, (250, 90), BLUE, "the guest grows");
    is(&frames, 54, (300, 20), BLACK, "and is not there yet");
    is(&frames, 70, (150, 30), BLACK, "the host has arrived");
    is(&frames, 70, (300, 20), BLUE, "the guest has, too");
    // A layout of the show's own.
    is(&frames, 80, (240, 135), RED, "the host below");
    is(&frames, 80, (80, 45), BLUE, "the guest above");
    is(&frames, 80, (240, 45), BLACK, "nobody");
    is(&frames, 120, (80, 45), RED, "a scene can be mixed from");
    // No change of layout asks for a key frame: they lie on the grid, and where the mix begins and ends.
    let keys = ran.report.channels[0].rungs[0].keyframes;
    assert_eq!(keys, 6, "{keys}");
    assert_eq!(ran.report.scenes[0].layout, "corner");
}

#[test]
fn a_guest_who_is_lost_is_held_then_covered_and_the_scene_is_lost_with_the_last() {
    let clips = tempfile::tempdir().unwrap();
    let path = |name: &str| clips.path().join(name).display().to_string();
    clip(Path::new(&path("lime.mp4")), "lime", 1);
    clip(Path::new(&path("red.mp4")), "red", 2);
    let ran = offline(
        &format!(
            r#"
show "scene" {{
  video 320x180 25fps
  audio 48kHz stereo
  camera host {{ line disk file "{}" }}
  camera guest {{ line disk file "{}" }}
  filler card {{ test "color:blue" }}
  filler standby {{ test "color:white" }}
  scene duo after=400ms {{
    layout grid
    box host camera=host
    box guest camera=guest color=navy
    box again camera=guest filler=card
  }}
  ladder one {{ keyframe 1s; audio 64k; rung small 320x180 3000k }}
  channel program {{ sources duo; filler standby after=500ms; ladder one; egress disk record "program.flv" }}
  rundown program {{ at 0:03 end }}
}}"#,
            path("red.mp4"),
            path("lime.mp4")
        ),
        ffmpeg(),
    );
    let frames = frames(&ran);
    let (guest, again) = ((240, 45), (160, 135));
    is(&frames, 20, guest, LIME, "the guest is there");
    is(&frames, 30, guest, LIME, "the guest is held");
    is(&frames, 40, guest, NAVY, "the box is empty");
    is(&frames, 40, again, BLUE, "or shows its filler");
    is(&frames, 40, (80, 45), RED, "the host goes on");
    is(&frames, 55, (80, 45), RED, "until it is lost, too, and held");
    is(&frames, 70, (80, 45), WHITE, "then the channel's filler covers the scene");
    assert_eq!(on_air(&ran.report), [("duo", "start"), ("standby", "filler"), ("-", "end")]);
    let lost = ("box-lost".to_owned(), "duo/guest".to_owned());
    assert!(codes(&ran.report).contains(&lost), "{:?}", codes(&ran.report));
    let boxes = &ran.report.scenes[0].boxes;
    assert!((boxes[1].lost_s - 2.0).abs() < 0.1, "{boxes:?}");
}

/// The root of the mean square of part of a recording's sound, by seconds.
fn rms((first, rate, samples): &(media::Time, u32, Vec<f32>), from: f64, to: f64) -> f64 {
    let at = |s: f64| ((s - first.as_secs_f64()) * f64::from(*rate)) as usize;
    let part = &samples[at(from)..at(to)];
    (part.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / part.len() as f64).sqrt()
}

#[test]
fn boxes_are_heard_at_their_levels_and_never_too_loud() {
    let ran = offline(
        r#"
show "scene" {
  video 64x36 25fps
  audio 48kHz stereo
  camera low { line gen test bars tone=440 }
  camera high { line gen test bars tone=1000 }
  scene duo {
    layout full
    box host camera=low
    box guest camera=high
  }
  ladder one { keyframe 1s; audio 256k; rung small 64x36 100k }
  channel program { sources duo; ladder one; egress disk record "program.flv" }
  rundown program {
    at 0:01 scene duo box host level=-6dB
    at 0:02 scene duo box host mute=on
    at 0:03 scene duo layout side-by-side
    at 0:04 scene duo box host mute=off
    at 0:04 scene duo box host level=12dB
    at 0:04 scene duo box guest level=12dB
    at 0:06 end
  }
}"#,
        ffmpeg(),
    );
    let sound = decode_sound(&tags(&ran.out.path().join("program.flv")));
    let [alone, lower, muted, guest, loud] =
        [(0.3, 0.9), (1.2, 1.8), (2.2, 2.8), (3.2, 3.8), (4.5, 5.5)].map(|(a, b)| rms(&sound, a, b));
    assert!(alone > 0.01, "{alone}");
    assert!((lower / alone - 0.501).abs() < 0.02, "{lower} {alone}");
    assert!(muted < alone / 1000.0, "a guest without a place is not heard: {muted}");
    assert!((guest / alone - 1.0).abs() < 0.05, "{guest} {alone}");
    assert!(loud > guest, "{loud} {guest}");
    // -1 dBFS, and what AAC makes of it.
    let peak = sound.2.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
    assert!(peak < 0.97, "{peak}");
}

#[test]
fn a_director_leads_scenes_by_command() {
    let text = r#"
show "led" {
  video 64x36 25fps
  audio 48kHz stereo
  camera a { line gen test bars }
  camera b { line gen test motion }
  scene duo { layout side-by-side; box host camera=a; box guest camera=b }
  ladder one { keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program { sources a duo; ladder one; egress disk record "led.flv" }
}"#;
    let out = tempfile::tempdir().unwrap();
    let limit = Some(media::Span::from_secs(60));
    let options = RunOptions { out: out.path().to_owned(), limit, ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show(text), options).unwrap();
    let handle = engine.handle();
    let ask = |command: serde_json::Value| handle.command(serde_json::from_value(command).unwrap());

    ask(json!({"do": "preview", "source": "duo"})).unwrap();
    assert_eq!(ask(json!({"do": "take"})).unwrap().on_air.as_deref(), Some("duo"));
    let status = handle.status().scenes[0].clone();
    assert_eq!((status.name.as_str(), status.layout.as_str()), ("duo", "side-by-side"));
    assert_eq!(status.layouts, ["side-by-side", "pip", "grid", "full"]);
    let ack = handle.command(Command::layout("duo", "full")).unwrap();
    let status = handle.status().scenes[0].clone();
    assert_eq!((status.layout.as_str(), status.settled_frame), ("full", None));
    assert_eq!(status.boxes[0].place, Some([0, 0, 64, 36]));
    assert_eq!((status.boxes[1].shows.as_str(), status.boxes[1].place), ("nothing", None));
    assert!(ack.frame > 0);
    ask(json!({"do": "scene", "scene": "duo", "box": "guest", "gain_db": -6})).unwrap();
    ask(json!({"do": "scene", "scene": "duo", "box": "guest", "state": "on"})).unwrap();
    let guest = handle.status().scenes[0].boxes[1].clone();
    assert_eq!((guest.level_db, guest.mute), (-6.0, pipeline_dsl::Switch::On));
    let refused = ask(json!({"do": "scene", "scene": "duo", "layout": "stack"})).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.legal.len()), ("unknown-layout", 4));
    let refused = ask(json!({"do": "scene", "scene": "trio", "layout": "pip"})).unwrap_err();
    assert_eq!(refused.code, "unknown-scene");
    ask(json!({"do": "scene", "scene": "duo", "layout": "pip", "over_ms": 40})).unwrap();
    drop(engine);
}
