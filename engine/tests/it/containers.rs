//! The same film in every container is the same film: its pictures at their ticks, pass after pass, and
//! its colours, also where only the container tells of them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use flv::TagKind;

use crate::pictures::{BLUE, LIME, RED, frames, is, run_ffmpeg, shown};
use crate::support::{Ran, ffmpeg, offline, tags};

/// Loops of a film of a second.
const LOOPS: u32 = 21;

fn looped(path: &Path, rate: &str) -> Ran {
    let text = format!(
        r#"
show "looped" {{
  video 160x90 {rate}
  audio 48kHz stereo
  camera main {{ line disk file "{}" loop=true }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung 90p 160x90 1000k }}
  channel program {{ sources main; ladder one; egress disk record "program.flv" }}
  rundown program {{ at 0:{LOOPS} end }}
}}"#,
        path.display()
    );
    offline(&text, ffmpeg())
}

/// What a recording holds of pictures, coded: the same only of the same pictures at the same ticks.
fn coded(ran: &Ran) -> Vec<Bytes> {
    let all = tags(&ran.out.path().join("program.flv"));
    all.into_iter().filter(|tag| tag.kind == TagKind::Video).map(|tag| tag.body().clone()).collect()
}

fn copied(film: &Path, to: &str, options: &[&str]) -> PathBuf {
    let path = film.with_file_name(to);
    let (from, into) = (film.to_str().unwrap(), path.to_str().unwrap());
    run_ffmpeg(&[&["-i", from, "-c", "copy"], options, &[into]].concat());
    path
}

/// A second of a picture that is another one each frame, with sound, in each container that takes it.
fn in_every_container(name: &str, rate: &str, coder: &[&str], others: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let film = dir.path().join(format!("{name}.mp4"));
    let pictures = format!("testsrc2=s=160x90:r={rate}:d=1");
    let sources = ["-f", "lavfi", "-i", &pictures, "-f", "lavfi", "-i", "sine=440:r=48000:d=1"];
    let sound = ["-pix_fmt", "yuv420p", "-c:a", "aac", "-t", "1", film.to_str().unwrap()];
    run_ffmpeg(&[&sources[..], coder, &sound].concat());
    let rate = format!("{rate}fps");
    let reference = coded(&looped(&film, &rate));
    for other in others {
        let path = copied(&film, &format!("{name}.{other}"), &[]);
        let same = coded(&looped(&path, &rate));
        assert_eq!(same.len(), reference.len(), "{name}.{other}");
        let off = same.iter().zip(&reference).position(|(a, b)| a != b);
        assert_eq!(off, None, "{name}.{other}: another picture from there on");
    }
}

/// In Matroska as ffmpeg writes it, sound lies behind the first picture, and before it in time.
#[test]
fn a_film_with_b_frames_is_the_same_in_every_container() {
    let coder =
        ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-x264-params", "b-adapt=0:bframes=3"];
    in_every_container("b25", "25", &coder, &["mkv", "ts", "mov", "flv"]);
}

/// Stamps in milliseconds, which would add up: a tick after 50 loops.
#[test]
fn a_film_of_a_rate_that_is_no_number_of_milliseconds_is_the_same_in_every_container() {
    let coder =
        ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-x264-params", "b-adapt=0:bframes=3"];
    in_every_container("b2997", "30000/1001", &coder, &["mkv", "ts", "mov", "flv"]);
    let coder = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"];
    in_every_container("p30", "30", &coder, &["mkv", "ts", "mov", "flv"]);
}

#[test]
fn a_film_in_hevc_is_the_same_in_every_container() {
    let coder = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=3"];
    in_every_container("hevc50", "50", &coder, &["mkv", "ts", "mov"]);
}

/// A second of red, by this matrix.
fn red(path: &Path, matrix: &str, pixel: &str, options: &[&str]) {
    let film = format!(
        "color=red:s=320x180:r=25:d=1,format=rgb24,scale=out_color_matrix={matrix}:out_range=tv,format={pixel}"
    );
    run_ffmpeg(&[&["-f", "lavfi", "-i", &film], options, &[path.to_str().unwrap()]].concat());
}

const BT709: [&str; 6] = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];

/// So small a picture is taken for BT.601 unless something tells.
#[test]
fn what_only_the_container_says_of_colours_counts() {
    let dir = tempfile::tempdir().unwrap();
    let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "6"];
    let silent = "prores_metadata=color_primaries=unknown:color_trc=unknown:colorspace=unknown";
    for (name, pixel, coder, others) in [
        ("avc", "yuv420p", &x264[..], &["mp4", "mov", "mkv"][..]),
        ("v210", "yuv422p10le", &["-c:v", "v210"], &["mov"]),
        ("uyvy", "uyvy422", &["-c:v", "rawvideo"], &["mov"]),
        ("prores", "yuv422p10le", &["-c:v", "prores_ks", "-bsf:v", silent], &["mov", "mkv"]),
    ] {
        let film = dir.path().join(format!("{name}.mov"));
        red(&film, "bt709", pixel, coder);
        for other in others {
            let path = copied(&film, &format!("{name}-told.{other}"), &BT709);
            let ran = shown(&path, "25fps", "");
            let shown = frames(&ran);
            assert_eq!(shown.len(), 10, "{name}.{other}: {:#?}", ran.report.events);
            is(&shown[5], (160, 90), RED, &format!("{name}.{other}"));
        }
        // Untold, it is taken for what it is not: that is what the container was asked for.
        let shown = frames(&shown(&film, "25fps", ""));
        let luma = shown[5].picture.plane(codecs::Plane::Y).row(90)[160];
        assert!(luma < 60, "{name}: {luma}");
    }
}

/// A stream's own word was written by who made it.
#[test]
fn a_stream_is_believed_before_its_container() {
    let dir = tempfile::tempdir().unwrap();
    let film = dir.path().join("own.mp4");
    let own = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "6", "-colorspace", "smpte170m"];
    let own = [&own[..], &["-color_primaries", "bt709", "-color_trc", "bt709"]].concat();
    red(&film, "smpte170m", "yuv420p", &own);
    for other in ["mp4", "mkv"] {
        let path = copied(&film, &format!("told.{other}"), &BT709);
        is(&frames(&shown(&path, "25fps", ""))[5], (160, 90), RED, other);
    }
}

/// What HDR and full range only the container tells of.
#[test]
fn a_containers_transfer_and_range_count_too() {
    let dir = tempfile::tempdir().unwrap();
    let film = dir.path().join("plain.mp4");
    let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "6"];
    red(&film, "smpte170m", "yuv420p", &x264);
    let pq = ["-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084"];
    for other in ["mp4", "mkv"] {
        let ran = shown(&copied(&film, &format!("pq.{other}"), &pq), "25fps", "");
        let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "picture").collect();
        assert!(told.len() == 1 && told[0].message.contains("PQ"), "{other}: {told:#?}");
    }
    let gray = dir.path().join("gray.mp4");
    let source = "color=black:s=320x180:r=25:d=1,format=yuv420p,geq=lum=16:cb=128:cr=128";
    run_ffmpeg(&[&["-f", "lavfi", "-i", source][..], &x264, &[gray.to_str().unwrap()]].concat());
    let full = [&BT709[..], &["-color_range", "pc"]].concat();
    for (options, want) in [(&BT709[..], 16), (&full[..], 30)] {
        for other in ["mp4", "mkv"] {
            let shown =
                frames(&shown(&copied(&gray, &format!("range-{want}.{other}"), options), "25fps", ""));
            let luma = shown[5].picture.plane(codecs::Plane::Y).row(90)[160];
            assert!(luma.abs_diff(want) <= 2, "{other}: {luma}, not {want}");
        }
    }
}

/// Pixels as they are, in the containers that hold such.
#[test]
fn pictures_that_are_not_coded_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    for (name, pixel, rgb, source) in [
        ("v210.mov", "yuv422p10le", LIME, "lime"),
        ("yuv.avi", "yuv420p", RED, "red"),
        ("rgb.mov", "rgb24", BLUE, "blue"),
        ("yuv.mkv", "yuv420p", BLUE, "blue"),
    ] {
        let path = dir.path().join(name);
        let film = format!(
            "color={source}:s=320x180:r=25:d=1,format=rgb24,scale=out_color_matrix=smpte170m,format={pixel}"
        );
        let coder = if name == "v210.mov" { "v210" } else { "rawvideo" };
        let strict = ["-allow_raw_vfw", "1"];
        let options = if name == "yuv.mkv" { &strict[..] } else { &[] };
        let coding =
            [&["-f", "lavfi", "-i", &film, "-c:v", coder], options, &[path.to_str().unwrap()]].concat();
        run_ffmpeg(&coding);
        let ran = shown(&path, "25fps", "");
        let frames = frames(&ran);
        assert_eq!(frames.len(), 10, "{name}: {:#?}", ran.report.events);
        is(&frames[5], (160, 90), rgb, name);
    }
}

/// As whatever cuts without coding anew leaves it: the pictures before the cut are there and not shown.
#[test]
fn a_film_that_is_cut_by_its_edit_list_begins_at_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let film = dir.path().join("whole.mp4");
    // Red for a second, and then blue; one key frame.
    let part = |color: &str| format!("color={color}:s=320x180:r=25:d=1,format=rgb24");
    let graph = format!(
        "{}[a];{}[b];[a][b]concat,scale=out_color_matrix=smpte170m,format=yuv420p",
        part("red"),
        part("blue")
    );
    let coder = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-qp", "6", "-g", "250"];
    run_ffmpeg(&[&["-filter_complex", &graph], &coder[..], &[film.to_str().unwrap()]].concat());
    for cut in ["cut.mp4", "cut.mov"] {
        let path = dir.path().join(cut);
        run_ffmpeg(&["-ss", "0.8", "-i", film.to_str().unwrap(), "-c", "copy", path.to_str().unwrap()]);
        let ran = shown(&path, "25fps", "");
        let frames = frames(&ran);
        assert!(
            ran.report.events.iter().all(|event| event.code != "decode-error"),
            "{:#?}",
            ran.report.events
        );
        // Five more of red.
        for (at, want) in [(0, RED), (4, RED), (5, BLUE), (9, BLUE)] {
            is(&frames[at], (160, 90), want, &format!("{cut} picture {at}"));
        }
    }
}

/// What there is no way to read is said to be, and headers are not taken for sound.
#[test]
fn what_cannot_be_read_is_named_and_headers_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let gif = dir.path().join("moving.gif");
    run_ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=64x36:r=10:d=1", gif.to_str().unwrap()]);
    let ran = shown(&gif, "25fps", "");
    let said = ran.report.events.iter().find(|event| event.code == "line-error");
    assert!(said.is_some_and(|event| event.message.contains("image/gif")), "{:#?}", ran.report.events);
    let flac = dir.path().join("sound.flac");
    run_ffmpeg(&["-f", "lavfi", "-i", "sine=440:d=1", flac.to_str().unwrap()]);
    let ran = shown(&flac, "25fps", "");
    assert!(ran.report.events.iter().all(|event| event.code != "decode-error"), "{:#?}", ran.report.events);
}
