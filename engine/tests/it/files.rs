//! File lines: every odd file is shown as far as it can be, and what is wrong with it is said.

use codecs::Plane;
use engine::LineState;

use crate::matrix::seen::{Looks, Seen};
use crate::support::{Ran, codes, decode, ffmpeg, offline, on_air, psnr, tags};

fn run(file: &str, options: &str, seconds: u32) -> Ran {
    offline(
        &format!(
            r#"
show "file" {{
  video 320x180 25fps
  audio 48kHz stereo
  camera main  {{ line disk file "{file}" {options} }}
  filler green {{ test "color:lime" }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 800k }}
  channel program {{
    sources main
    filler green after=500ms
    ladder one
    egress disk record "{{channel}}.flv"
  }}
  rundown program {{ at 0:{seconds:02} end }}
}}"#
        ),
        ffmpeg(),
    )
}

fn frames(ran: &Ran) -> Vec<codecs::Frame> {
    decode(&tags(&ran.out.path().join("program.flv")))
}

#[test]
fn every_kind_of_file_shows_the_same_picture() {
    let reference = frames(&run("generated/base.mp4", "", 2));
    assert_eq!(reference.len(), 50);
    for file in [
        "base-moov-last.mp4",
        "base.ts",
        "base.mkv",
        "base.flv",
        "video-only.mp4",
        "odd.mp4",
        "odd.webm",
        "yuv422.mp4",
        "ten-bit.mp4",
        "hevc.mp4",
        "interlaced.mp4",
    ] {
        let ran = run(&format!("generated/{file}"), "", 2);
        assert_eq!(
            on_air(&ran.report),
            [("main", "start"), ("-", "end")],
            "{file}: {:#?}",
            ran.report.events
        );
        let frames = frames(&ran);
        assert_eq!(frames.len(), 50, "{file}");
        // Interlacing halves the lines; recoding and scaling cost some more.
        for tick in [5, 20, 40] {
            let psnr = psnr(&frames[tick], &reference[tick]);
            assert!(psnr > 21.0, "{file} tick {tick}: {psnr:.1} dB");
        }
        // The measure can fail: another moment of the film is another picture.
        assert!(psnr(&frames[5], &reference[49]) < 21.0, "{file}");
    }
}

#[test]
fn a_loop_has_no_seam() {
    let ran = run("generated/base.mp4", "loop=true", 10);
    assert_eq!(on_air(&ran.report), [("main", "start"), ("-", "end")]);
    assert_eq!(ran.report.cameras[0].lines[0].lost_s, 0.0);
    let frames = frames(&ran);
    assert_eq!(frames.len(), 250);
    for tick in 0..100 {
        let again = psnr(&frames[tick], &frames[tick + 100]);
        assert!(again > 26.0, "tick {tick} and a loop later: {again:.1} dB");
    }
    // No silence at the seam, no step.
    let (_, rate, sound) = crate::support::decode_sound(&tags(&ran.out.path().join("program.flv")));
    let at = 4 * rate as usize;
    let quiet = sound[at - 2000..at + 4000].windows(960).filter(|w| w.iter().all(|s| s.abs() < 1e-4)).count();
    assert_eq!(quiet, 0, "20 ms of silence at the seam");
}

/// Music without a picture is a source like any other: heard over black, looped without a seam.
#[test]
fn a_file_of_sound_alone_is_heard_over_black() {
    let folder = tempfile::tempdir().unwrap();
    let song = folder.path().join("song.mp3");
    let made = std::process::Command::new("ffmpeg")
        .args(
            "-nostdin -v error -f lavfi -i sine=frequency=700:sample_rate=44100 -t 2 -c:a libmp3lame"
                .split(' '),
        )
        .arg(&song)
        .status();
    assert!(made.unwrap().success());
    let song = song.to_str().unwrap();
    let ran = run(song, "loop=true", 5);
    assert_eq!(on_air(&ran.report), [("main", "start"), ("-", "end")], "{:#?}", ran.report.events);
    assert!(codes(&ran.report).contains(&("no-video".into(), "main/disk".into())));
    let seen = Seen::in_recording(&ran.out.path().join("program.flv"));
    let song_looks = Looks { colour: [0, 0, 0], tone: 700 };
    let all = [song_looks, Looks { colour: [0, 255, 0], tone: 440 }];
    for frame in [5, 45, 60, 95] {
        assert_eq!(seen.looks_like(frame, &all), 0, "frame {frame}");
        assert!(seen.is_heard(frame, &song_looks, &all), "frame {frame}");
    }
    // It ends, and the filler comes as after any camera.
    let ran = run(song, "", 4);
    let on_air: Vec<_> = ran.report.channels[0].on_air.iter().map(|r| (r.t, r.source.as_deref())).collect();
    assert_eq!((on_air.len(), on_air[0].1, on_air[1].1), (3, Some("main"), Some("green")), "{on_air:?}");
    assert!((2.4..2.7).contains(&on_air[1].0), "{on_air:?}");
    assert_eq!(ran.report.cameras[0].lines[0].state, LineState::Ended);
}

#[test]
fn after_a_camera_ends_the_filler_comes_when_it_was_asked_to() {
    // 100 frames: the first missing one was due at 4.0 s.
    let ran = run("generated/base.mp4", "", 6);
    let on_air: Vec<_> = ran.report.channels[0].on_air.iter().map(|r| (r.t, r.source.as_deref())).collect();
    assert_eq!(on_air.len(), 3, "{on_air:?}");
    assert_eq!((on_air[1].1, on_air[2]), (Some("green"), (6.0, None)));
    assert!((on_air[1].0 - 4.5).abs() <= 0.041, "{on_air:?}");
    let frames = frames(&ran);
    assert_eq!(frames.len(), 150);
    let green = |n: usize| frames[n].picture.plane(Plane::U).mean() < 80;
    assert!(!green(110) && green(114) && green(149));
    assert!(codes(&ran.report).contains(&("line-ended".into(), "main/disk".into())));
}

#[test]
fn variable_frame_rate_is_held_not_missed() {
    let ran = run("generated/vfr.mp4", "", 3);
    assert_eq!(on_air(&ran.report), [("main", "start"), ("-", "end")], "{:#?}", ran.report.events);
    assert_eq!(frames(&ran).len(), 75);
}

#[test]
fn a_turned_picture_stands_upright_between_black() {
    let ran = run("generated/rotated.mp4", "", 1);
    let frame = &frames(&ran)[10];
    let row = frame.picture.plane(Plane::Y).row(90);
    let outside = row[..80].iter().chain(&row[240..]).map(|y| u32::from(*y)).max().unwrap();
    assert!(outside < 24, "black beside the upright picture, not {outside}");
    let inside = row[140..180].iter().map(|y| u32::from(*y)).max().unwrap();
    assert!(inside > 40, "a picture in the middle, not {inside}");
}

#[test]
fn what_cannot_be_shown_is_said_and_the_show_goes_on() {
    for (file, code, words) in [
        ("generated/not-media.mp4", "line-error", "not-media.mp4"),
        ("generated/nowhere.mp4", "line-error", "No such file"),
        ("generated", "line-error", "is a folder"),
        ("generated/truncated-moov-last.mp4", "line-error", "truncated-moov-last.mp4"),
    ] {
        let ran = run(file, "", 2);
        let event = ran.report.events.iter().find(|e| e.code == code);
        let event = event.unwrap_or_else(|| panic!("{file}: no {code} in {:#?}", ran.report.events));
        assert_eq!(event.subject, "main/disk");
        assert!(event.message.contains(words), "{file}: {}", event.message);
        let on_air: Vec<_> =
            ran.report.channels[0].on_air.iter().map(|r| (r.t, r.source.as_deref())).collect();
        assert_eq!(on_air, [(0.0, None), (0.52, Some("green")), (2.0, None)], "{file}");
        assert_eq!(frames(&ran).len(), 50, "{file}");
        assert_eq!(ran.report.exit_code(), 0, "a lost line is no failed channel");
    }
}

#[test]
fn a_truncated_file_plays_to_where_it_was_cut() {
    for file in ["truncated.mp4", "truncated.mkv", "truncated.ts", "truncated.flv"] {
        let ran = run(&format!("generated/{file}"), "", 5);
        let on_air: Vec<_> =
            ran.report.channels[0].on_air.iter().map(|r| (r.t, r.source.as_deref())).collect();
        assert_eq!(on_air.len(), 3, "{file}: {on_air:?} {:#?}", ran.report.events);
        assert!(on_air[1].1 == Some("green") && on_air[1].0 > 1.5 && on_air[1].0 < 4.6, "{file}: {on_air:?}");
        assert_eq!(frames(&ran).len(), 125, "{file}");
    }
}

#[test]
fn without_sound_there_is_silence() {
    let ran = run("generated/video-only.mp4", "", 2);
    assert!(codes(&ran.report).contains(&("no-audio".into(), "main/disk".into())));
    let (_, _, sound) = crate::support::decode_sound(&tags(&ran.out.path().join("program.flv")));
    assert!(sound.len() > 90_000 && sound.iter().all(|s| s.abs() < 1e-4));
}

#[test]
fn a_loop_is_the_same_twice_whatever_its_tracks_lengths_and_the_ticks_are() {
    // 4 s of pictures at 25 a second under ticks of 1/30 s, so that passes end within ticks.
    let text = |file: &str| {
        format!(
            r#"
show "loop" {{
  video 160x90 30fps
  audio 48kHz stereo
  camera main {{ line disk file "generated/{file}" loop=true }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung 90p 160x90 200k }}
  channel program {{ sources main; ladder one; egress disk record "x.flv" }}
  rundown program {{ at 0:30 end }}
}}"#
        )
    };
    for file in [
        "base.mp4",
        "base.ts",
        "vfr.mp4",
        "video-only.mp4",
        "audio-only.m4a",
        "short-sound.mp4",
        "long-sound.mp4",
    ] {
        let runs: Vec<Vec<u8>> = (0..2)
            .map(|_| {
                let ran = offline(&text(file), ffmpeg());
                let lost = ran.report.cameras[0].lines[0].lost_s;
                assert_eq!(lost, 0.0, "{file}: {:#?}", ran.report.events);
                std::fs::read(ran.out.path().join("x.flv")).unwrap()
            })
            .collect();
        assert!(runs[0] == runs[1], "{file}: the bytes differ");
    }
}

#[test]
fn tracks_that_begin_late_end_early_or_have_no_decoder_hold_up_nothing() {
    // Frames that are the filler's, out of 200: where the camera has no picture.
    for (file, options, covered) in [
        ("late-sound.ts", "", 80..=90),
        ("late-sound.mkv", "", 80..=90),
        ("late-sound.flv", "", 80..=90),
        ("late-picture.ts", "", 80..=90),
        ("late-picture.mkv", "", 80..=90),
        ("late-picture.flv", "", 80..=90),
        ("short-sound.ts", "", 0..=0),
        ("short-sound.mkv", "", 0..=0),
        ("short-sound.flv", "", 0..=0),
        ("long-sound.ts", "", 145..=155),
        ("long-sound.mkv", "", 145..=155),
        ("long-sound.flv", "", 145..=155),
        ("no-decoder-sound.mkv", "", 0..=0),
        ("no-decoder-picture.mkv", "", 187..=187),
        ("short-sound.flv", "loop=true", 0..=0),
        ("long-sound.ts", "loop=true", 0..=0),
    ] {
        let runs: Vec<(Vec<u8>, usize)> = (0..2)
            .map(|_| {
                let ran = run(&format!("generated/{file}"), options, 8);
                let stalled = ran.report.events.iter().any(|e| e.code == "line-stalled");
                assert!(!stalled, "{file}: {:#?}", ran.report.events);
                let frames = frames(&ran);
                assert_eq!(frames.len(), 200, "{file}");
                let green = frames.iter().filter(|f| f.picture.plane(Plane::U).mean() < 80).count();
                (std::fs::read(ran.out.path().join("program.flv")).unwrap(), green)
            })
            .collect();
        assert!(covered.contains(&runs[0].1), "{file} {options}: {} frames of filler", runs[0].1);
        assert!(runs[0].0 == runs[1].0, "{file} {options}: the bytes differ");
    }
}
