//! What the director leads while the show runs, and how one picture goes over into another.

use engine::{Command, Engine, Mode, RunOptions, Verb};
use serde_json::json;

use crate::support::{codes, decode, ffmpeg, mean, offline, on_air, show, tags};

/// Luma of the picture's left and right halves at each tick.
fn halves(recording: &std::path::Path) -> Vec<[u8; 2]> {
    let frames = decode(&tags(recording));
    let luma = |row: &[u8]| {
        let mean = |half: &[u8]| (half.iter().map(|y| u32::from(*y)).sum::<u32>() / half.len() as u32) as u8;
        [mean(&row[..row.len() / 2 - 8]), mean(&row[row.len() / 2 + 8..])]
    };
    frames.iter().map(|frame| luma(frame.picture.plane(codecs::Plane::Y).row(90))).collect()
}

#[test]
fn a_wipe_uncovers_and_a_dip_leads_through_its_colour() {
    let text = r#"
show "ways" {
  video 320x180 25fps
  audio 48kHz stereo
  camera white { line gen test "color:white" }
  camera black { line gen test "color:black" }
  ladder one { keyframe 1s; audio 64k; rung small 320x180 500k }
  channel program { sources white black; ladder one; egress disk record "ways.flv" }
  rundown program {
    at 0:01 wipe black over=400ms from=right
    at 0:02 dip white over=400ms color=black
    at 0:03 end
  }
}"#;
    let ran = offline(text, ffmpeg());
    assert_eq!(on_air(&ran.report), [("white", "start"), ("black", "wipe"), ("white", "dip"), ("-", "end")]);
    let halves = halves(&ran.out.path().join("ways.flv"));
    let bright = |y: u8| y > 200;
    let dark = |y: u8| y < 40;
    assert!(bright(halves[24][0]) && bright(halves[24][1]));
    // Half way through the wipe the right half is the new picture's.
    let [left, right] = halves[25 + 5];
    assert!(bright(left) && dark(right), "{left} {right}");
    assert!(dark(halves[36][0]) && dark(halves[36][1]));
    // The first half of the dip stays black, the second brightens evenly.
    assert!(dark(halves[52][0]), "{}", halves[52][0]);
    assert!(halves[56][0] < halves[58][0] && halves[58][0] < halves[61][0], "{:?}", &halves[50..64]);
    assert!(bright(halves[61][0]));
    assert!(mean(&decode(&tags(&ran.out.path().join("ways.flv")))[70])[0] > 200);
}

#[test]
fn offline_has_no_time_of_day() {
    let text = r#"
show "clock" {
  video 64x36 25fps
  camera a { line gen test bars }
  ladder one { rung small 64x36 100k }
  channel program { sources a; ladder one; egress disk record "x.flv" }
  rundown program { clock 20:15 cut a; at 0:01 end }
}"#;
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions { out: out.path().to_owned(), ..RunOptions::new(Mode::Offline) };
    let refused = Engine::start(show(text), options).err().unwrap().to_string();
    assert!(refused.contains("`clock` cue") && refused.contains("use `at`"), "{refused}");
}

/// Two lines of patterns: the director leads the camera from one to the other, previews and
/// takes, and holds the rundown, whose end comes when it is called.
#[test]
fn lines_previews_and_the_rundown_are_led_by_command() {
    let text = r#"
show "led" {
  video 64x36 25fps
  audio 48kHz stereo
  listen { rtmp "127.0.0.1:0" }
  camera a { line first test bars; line second test motion; failover standby=warm freeze=5s on=freeze recover=10m }
  camera b { line gen test "color:blue" }
  ladder one { keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program { sources a b; ladder one; egress disk record "led.flv" }
  rundown program {
    at 10:00 cut b
    next cut b
    next end
  }
}"#;
    let out = tempfile::tempdir().unwrap();
    let limit = Some(media::Span::from_secs(60));
    let options = RunOptions { out: out.path().to_owned(), limit, ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show(text), options).unwrap();
    let handle = engine.handle();
    let ask = |command: serde_json::Value| handle.command(serde_json::from_value(command).unwrap());

    // Commands are answered by ticks, so the first one is over with the first answer.
    let ack = ask(json!({"do": "preview", "source": "b"})).unwrap();
    assert_eq!(ack.on_air.as_deref(), Some("a"));
    let ack = handle.command(Command::line("a", Some("second"))).unwrap();
    assert_eq!(ack.on_air, None);
    let camera = handle.status().cameras[0].clone();
    assert_eq!((camera.line.as_deref(), camera.chosen.as_deref()), (Some("second"), Some("second")));
    assert_eq!(handle.command(Command::line("a", Some("third"))).unwrap_err().legal.len(), 3);
    assert_eq!(handle.command(Command::bare(Verb::Line)).unwrap_err().code, "missing-camera");
    handle.command(Command::line("a", None)).unwrap();

    ask(json!({"do": "plan", "state": "hold"})).unwrap();
    ask(json!({"do": "plan", "state": "at", "cue": 1, "at_ms": 0})).unwrap();
    let plan = handle.status().channels[0].plan.clone().unwrap();
    assert_eq!((plan.state.as_str(), plan.waiting, plan.done), ("held", 3, 0));
    assert_eq!(plan.on_next.as_ref().map(|cue| (cue.cue, cue.what.as_str())), Some((2, "cut b")));
    let ack = ask(json!({"do": "plan", "state": "next"})).unwrap();
    assert_eq!(ack.on_air.as_deref(), Some("b"));
    ask(json!({"do": "plan", "state": "skip", "cue": 1})).unwrap();
    assert_eq!(ask(json!({"do": "plan", "state": "skip", "cue": 1})).unwrap_err().code, "cue-done");
    ask(json!({"do": "preview", "source": "a"})).unwrap();
    let ack = ask(json!({"do": "take", "with": "mix", "over_ms": 80})).unwrap();
    assert_eq!(ack.on_air.as_deref(), Some("a"));
    assert_eq!(handle.status().channels[0].preview.as_deref(), Some("b"));
    ask(json!({"do": "plan", "state": "next"})).unwrap();

    let report = engine.wait();
    assert_eq!(on_air(&report), [("a", "start"), ("a", "line"), ("b", "cut"), ("a", "mix"), ("-", "end")]);
    let codes = codes(&report);
    let count = |wanted: &str| codes.iter().filter(|(code, _)| code == wanted).count();
    assert_eq!((count("line-chosen"), count("cue"), count("cue-changed")), (1, 2, 2), "{codes:?}");
    assert_eq!(count("not-available"), 0, "{codes:?}");
}
