//! Files of cameras and fillers in a show whose engine is killed: they go on where show time has
//! brought them. Each picture bears its number.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::live_show::{LiveShow, folder, report};

const WIDTH: usize = 160;
const HEIGHT: usize = 96;
/// A bit of a picture's number stands in a bar this wide.
const BAR: usize = 16;

const SHOW: &str = r#"show "night" {
  video 160x96 25fps
  audio 48kHz stereo
  camera walk { line disk file "walk.mp4" loop=true }
  camera insert { line disk file "insert.ts" }
  camera away { line none push "rtmp:live/away" }
  listen { http "127.0.0.1:0"; rtmp "127.0.0.1:0" }
  filler slate { file "slate.flv" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung only 160x96 900k }
  channel walking { sources walk; ladder one; egress disk record "{channel}.flv" }
  channel inserted { sources insert; ladder one; egress disk record "{channel}.flv" }
  channel covered { sources away; filler slate after=100ms; ladder one; egress disk record "{channel}.flv" }
}
"#;

/// A film of so many numbered pictures, a key frame in every fifty.
fn film(folder: &Path, name: &str, pictures: usize) {
    let bars = format!("if(mod(floor(N/pow(2,floor(X/{BAR}))),2),210,40)");
    let source = format!("nullsrc=s={WIDTH}x{HEIGHT}:r=25,geq=lum='{bars}':cb=128:cr=128");
    let tone = "sine=frequency=440:sample_rate=48000";
    let seconds = (pictures as f64 / 25.0).to_string();
    let coded =
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -keyint_min 50 -pix_fmt yuv420p -c:a aac -ac 2 -y";
    let made = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "error", "-f", "lavfi", "-i", &source, "-f", "lavfi", "-i", tone, "-t",
            &seconds,
        ])
        .args(coded.split(' '))
        .arg(name)
        .current_dir(folder)
        .status();
    assert!(made.unwrap().success());
}

/// The numbers of a recording's pictures; `None` for what bears none.
fn numbers(path: &Path) -> Vec<Option<usize>> {
    let read = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    let bit = |picture: &[u8], bit: usize| match picture[HEIGHT / 2 * WIDTH + bit * BAR + BAR / 2] {
        150.. => Some(1 << bit),
        ..100 => Some(0),
        _ => None,
    };
    let number = |picture: &[u8]| (0..WIDTH / BAR).map(|n| bit(picture, n)).sum();
    read.stdout.chunks_exact(WIDTH * HEIGHT).map(number).collect()
}

#[test]
fn films_of_a_killed_show_go_on_where_show_time_has_brought_them() {
    let folder = folder(SHOW);
    let folder = folder.path();
    let films = [("walk.mp4", "walking", 70), ("insert.ts", "inserted", 750), ("slate.flv", "covered", 55)];
    films.iter().for_each(|(film_of, _, pictures)| film(folder, film_of, *pictures));
    let kept = |live: &LiveShow| {
        let path = folder.join("out/night.state");
        let all = ["\"walk/disk\"", "\"insert/disk\"", "\"slate\""];
        live.wait_until("the films to be kept", |_| {
            fs::read_to_string(&path)
                .is_ok_and(|text| text.contains("\"files\"") && all.iter().all(|name| text.contains(name)))
        });
    };
    // Twice, so that what was gone on from is gone on from.
    for _ in 0..2 {
        let live = LiveShow::start(folder, &[]);
        kept(&live);
        let on_air = live.status()["t"].as_f64().unwrap();
        live.reaches(on_air + 0.6);
        live.signal("KILL");
        assert_eq!(live.ended().0, None);
    }
    let live = LiveShow::start(folder, &[]);
    let began = live.status()["t"].as_f64().unwrap();
    live.reaches(began + 3.0);
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    let report = report(folder);
    let parts = report["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 3, "{parts:?}");
    let first = (parts[2]["from"].as_f64().unwrap() * 25.0).round() as usize;
    assert!(first > 40, "{parts:?}");
    for (_, channel, length) in films {
        let shown = numbers(&folder.join(format!("out/{channel}-3.flv")));
        assert!(shown.len() > 50, "{channel}: {shown:?}");
        // At first a machine that is busy may be late with them.
        for (n, number) in shown.iter().enumerate().skip(25) {
            assert_eq!(
                *number,
                Some((first + n) % length),
                "{channel}, picture {n}, from {first} on: {shown:?}"
            );
        }
    }
    let told = report["events"].to_string();
    assert!(!told.contains("file-anew"), "{told}");
}
