//! Pictures as they come: turned, narrow-pixelled, odd, see-through, interlaced, in other
//! colours. They are made right for the canvas once, and every rung says what it is.

use std::path::Path;
use std::process::Command;

use codecs::{Frame, Plane, Rgb, Yuv};

use crate::support::{Ran, decode, ffmpeg, offline, tags};

pub(crate) const RED: [u8; 3] = [255, 0, 0];
pub(crate) const LIME: [u8; 3] = [0, 255, 0];
pub(crate) const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

/// Runs the system's ffmpeg; what it says goes into the panic if it fails.
pub(crate) fn run_ffmpeg(args: &[&str]) -> Vec<u8> {
    let out = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-v", "error", "-y"])
        .args(args)
        .output()
        .expect("the setup installs ffmpeg");
    assert!(out.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// A second of red, lime, blue and white, from the upper left to the lower right.
fn quadrants(path: &Path, (width, height): (u32, u32), pixel: &str, rest: &[&str]) {
    let part = |color: &str| format!("color={color}:s={width}x{height}:r=25:d=1,format=rgb24");
    let graph = format!(
        "{}[a];{}[b];{}[c];{}[d];[a][b]hstack[t];[c][d]hstack[u];[t][u]vstack,\
         crop={width}:{height}:(iw-{width})/2:(ih-{height})/2:exact=1,\
         scale=out_color_matrix=smpte170m:out_range=tv,format={pixel}",
        part("red"),
        part("lime"),
        part("blue"),
        part("white")
    );
    let tagged = ["-colorspace", "smpte170m", "-color_range", "tv"];
    let args = [&["-filter_complex", &graph], &tagged[..], rest, &[path.to_str().unwrap()]].concat();
    run_ffmpeg(&args);
}

/// The show of one file on a canvas of 320x180.
pub(crate) fn shown(path: &Path, rate: &str, options: &str) -> Ran {
    let text = format!(
        r#"
show "pictures" {{
  video 320x180 {rate}
  audio 48kHz stereo
  camera main {{ line disk file "{}" {options} }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 6000k }}
  channel program {{ sources main; ladder one; egress disk record "{{channel}}.flv" }}
  rundown program {{ at 0:00.400 end }}
}}"#,
        path.display()
    );
    offline(&text, ffmpeg())
}

pub(crate) fn frames(ran: &Ran) -> Vec<Frame> {
    decode(&tags(&ran.out.path().join("program.flv")))
}

/// Fails unless the pixel is this colour, by what an encoder leaves of it.
pub(crate) fn is(frame: &Frame, (x, y): (usize, usize), rgb: [u8; 3], what: &str) {
    let at = |plane, by: usize| frame.picture.plane(plane).row(y / by)[x / by];
    let got = [at(Plane::Y, 1), at(Plane::U, 2), at(Plane::V, 2)];
    let Yuv { y: luma, u, v } = Yuv::from(Rgb::new(rgb[0], rgb[1], rgb[2]));
    let off = got.into_iter().zip([luma, u, v]).map(|(a, b)| a.abs_diff(b)).max();
    assert!(off <= Some(8), "{what}: ({x}, {y}) is {got:?}, not {rgb:?}");
}

/// Checks the corners of a box, and beside them: what is outside is black.
fn corners(
    frame: &Frame,
    (left, top, right, bottom): (usize, usize, usize, usize),
    of: [[u8; 3]; 4],
    what: &str,
) {
    let places = [(left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1)];
    for ((x, y), rgb) in places.into_iter().zip(of) {
        // A pixel or two within, where chroma of the neighbours is not mixed in.
        let inner = |n: usize, low: usize| if n == low { n + 4 } else { n - 4 };
        is(frame, (inner(x, left), inner(y, top)), rgb, what);
    }
    // About the middle, each has its side; how far a scaler's ringing goes depends on the size.
    let (x, y) = (left.midpoint(right), top.midpoint(bottom));
    let (dx, dy) = ((right - left) / 5, (bottom - top) / 5);
    for ((x, y), rgb) in
        [(x - dx, y - dy), (x + dx, y - dy), (x - dx, y + dy), (x + dx, y + dy)].into_iter().zip(of)
    {
        is(frame, (x, y), rgb, what);
    }
    if left > 8 {
        is(frame, (left - 6, y), BLACK, what);
        is(frame, (right + 5, y), BLACK, what);
    }
    if top > 8 {
        is(frame, (x, top - 6), BLACK, what);
        is(frame, (x, bottom + 5), BLACK, what);
    }
}

#[test]
fn a_display_matrix_turns_the_picture_all_four_ways() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain.mp4");
    quadrants(&plain, (320, 180), "yuv420p", &["-c:v", "libx264", "-qp", "6"]);
    let help = Command::new("ffmpeg").args(["-hide_banner", "-h", "full"]).output().unwrap();
    let newer = String::from_utf8_lossy(&help.stdout).contains("-display_rotation");
    for degrees in ["0", "90", "180", "270"] {
        let turned = dir.path().join(format!("turned-{degrees}.mp4"));
        let (from, to) = (plain.to_str().unwrap(), turned.to_str().unwrap());
        if newer {
            run_ffmpeg(&["-display_rotation", degrees, "-i", from, "-c", "copy", to]);
        } else {
            run_ffmpeg(&["-i", from, "-c", "copy", "-metadata:s:v", &format!("rotate={degrees}"), to]);
        }
        // ffmpeg itself sets the picture upright: what it shows is what we must show.
        let raw = run_ffmpeg(&["-i", to, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]);
        let lying = degrees == "0" || degrees == "180";
        let (w, h) = if lying { (320, 180) } else { (180, 320) };
        assert_eq!(raw.len(), w * h * 3);
        let named = |x: usize, y: usize| {
            let at = (y * w + x) * 3;
            let near = |rgb: &[u8; 3]| rgb.iter().zip(&raw[at..]).all(|(a, b)| a.abs_diff(*b) < 60);
            [RED, LIME, BLUE, WHITE].into_iter().find(near).unwrap()
        };
        let of = [(9, 9), (w - 9, 9), (9, h - 9), (w - 9, h - 9)].map(|(x, y)| named(x, y));
        // 180x320 on 180 lines is 101.25 pixels wide.
        let place = if lying { (0, 0, 320, 180) } else { (108, 0, 210, 180) };
        let frames = frames(&shown(&turned, "25fps", ""));
        assert_eq!(frames.len(), 10);
        corners(&frames[5], place, of, &format!("turned by {degrees}"));
    }
}

/// Encoders of phones say in the stream itself how they are held, with their key frames.
#[test]
fn what_a_stream_says_of_its_turn_holds_between_key_frames() {
    let dir = tempfile::tempdir().unwrap();
    let turned = dir.path().join("turned.ts");
    let told = "h264_metadata=display_orientation=insert:rotate=90";
    // With messages of its own at each key frame, to which the turn is added.
    let hrd = ["-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M", "-x264-params", "nal-hrd=vbr"];
    let coding = [&["-c:v", "libx264", "-g", "4", "-bsf:v", told][..], &hrd].concat();
    quadrants(&turned, (320, 180), "yuv420p", &coding);
    let frames = frames(&shown(&turned, "25fps", ""));
    assert_eq!(frames.len(), 10);
    for frame in &frames {
        corners(frame, (108, 0, 210, 180), [LIME, WHITE, RED, BLUE], "a quarter to the left");
    }
}

/// Selfie cameras write such matrices; FFmpeg 5's program cannot, so that the file's is patched.
#[test]
fn a_mirrored_display_matrix_is_drawn_mirrored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirrored.mp4");
    quadrants(&path, (320, 180), "yuv420p", &["-c:v", "libx264", "-qp", "6"]);
    let film = std::fs::read(&path).unwrap();
    let matrix = |a: i32, d: i32| [a, 0, 0, 0, d, 0, 0, 0, 1 << 30].map(i32::to_be_bytes).concat();
    let one = 1 << 16;
    let plain = matrix(one, one);
    let header = film.windows(4).position(|w| w == b"tkhd").unwrap();
    let at = header + film[header..].windows(plain.len()).position(|w| w == plain).unwrap();
    for (a, d, of, what) in [
        (-one, one, [LIME, RED, WHITE, BLUE], "left for right"),
        (one, -one, [BLUE, WHITE, RED, LIME], "upside down"),
    ] {
        let mut film = film.clone();
        film[at..at + plain.len()].copy_from_slice(&matrix(a, d));
        std::fs::write(&path, film).unwrap();
        let frames = frames(&shown(&path, "25fps", ""));
        assert_eq!(frames.len(), 10);
        corners(&frames[5], (0, 0, 320, 180), of, what);
    }
}

/// An encoder that codes each field as a picture: they are woven, the upper lines where they were.
#[test]
fn hevc_fields_are_woven() {
    let dir = tempfile::tempdir().unwrap();
    for (first, parity) in [("tff", "interlace=tff"), ("bff", "interlace=bff")] {
        let path = dir.path().join(format!("{first}.ts"));
        // The upper field's lines are white, the lower one's black.
        let film = format!(
            "color=black:s=320x180:r=25:d=1,format=yuv420p,\
             geq=lum='if(mod(Y,2),16,235)':cb=128:cr=128,setfield={first},separatefields"
        );
        let coder = format!("{parity}:log-level=error:qp=8:keyint=10");
        let coded = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", &coder];
        run_ffmpeg(&[&["-f", "lavfi", "-i", &film][..], &coded, &[path.to_str().unwrap()]].concat());
        let ran = shown(&path, "25fps", "deinterlace=off");
        let frames = frames(&ran);
        assert_eq!(frames.len(), 10, "{first}");
        let luma = frames[5].picture.plane(Plane::Y);
        for y in 20..160 {
            let mean = luma.row(y).iter().map(|&p| u32::from(p)).sum::<u32>() / 320;
            assert!(if y % 2 == 0 { mean > 200 } else { mean < 50 }, "{first}: line {y} is {mean}");
        }
        let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "picture").collect();
        let is_told = |event: &&&engine::Event| event.message.contains("interlaced pictures come");
        // The parser knows more of a stream after its first pictures, which makes it no other one.
        assert_eq!(told.iter().filter(is_told).count(), 1, "{first}: {told:#?}");
    }
}

#[test]
fn pixels_that_are_not_square_and_sizes_that_are_odd() {
    let dir = tempfile::tempdir().unwrap();
    type Case =
        (&'static str, (u32, u32), &'static str, &'static [&'static str], (usize, usize, usize, usize));
    let cases: [Case; 6] = [
        // In the stream: pixels of 16:9 make 256x144 of it, which has the canvas's shape.
        (
            "wide.mp4",
            (144, 144),
            "yuv420p",
            &["-vf", "setsar=16/9", "-c:v", "libx264", "-qp", "6"],
            (0, 0, 320, 180),
        ),
        // Half as wide as high: 160x180 shows as 80x180.
        (
            "slim.ts",
            (160, 180),
            "yuv420p",
            &["-c:v", "libx264", "-qp", "6", "-bsf:v", "h264_metadata=sample_aspect_ratio=1/2"],
            (120, 0, 200, 180),
        ),
        // Only the container tells.
        ("wide.mov", (144, 144), "yuv422p10le", &["-aspect", "16:9", "-c:v", "prores_ks"], (0, 0, 320, 180)),
        ("odd.mp4", (319, 179), "yuv444p", &["-c:v", "libx264", "-qp", "6"], (0, 0, 320, 180)),
        (
            "odd.mkv",
            (161, 91),
            "yuv420p",
            &["-c:v", "libvpx-vp9", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"],
            (0, 0, 320, 180),
        ),
        ("tiny.mkv", (16, 16), "yuv420p", &["-c:v", "libvpx", "-b:v", "1M"], (70, 0, 250, 180)),
    ];
    for (name, size, pixel, options, place) in cases {
        let path = dir.path().join(name);
        quadrants_with(&path, size, pixel, options);
        let ran = shown(&path, "25fps", "");
        let frames = frames(&ran);
        assert_eq!(frames.len(), 10, "{name}: {:#?}", ran.report.events);
        corners(&frames[5], place, [RED, LIME, BLUE, WHITE], name);
    }
}

/// As [`quadrants`]; a filter among the options goes behind the others.
fn quadrants_with(path: &Path, size: (u32, u32), pixel: &str, options: &[&str]) {
    match options {
        ["-vf", filter, rest @ ..] => quadrants(path, size, &format!("{pixel},{filter}"), rest),
        _ => quadrants(path, size, pixel, options),
    }
}

#[test]
fn what_is_transparent_is_black() {
    let dir = tempfile::tempdir().unwrap();
    let part = |alpha: &str| format!("color=red@{alpha}:s=108x180:r=25:d=1,format=rgba");
    let (full, half, none) = (part("1.0"), part("0.5"), part("0.0"));
    let graph = format!("{full}[a];{half}[b];{none}[c];[a][b][c]hstack=3");
    for (name, options, code) in [
        ("png.mov", &["-c:v", "png", "-pix_fmt", "rgba"][..], "png"),
        ("4444.mov", &["-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"], "ProRes 4444"),
    ] {
        let path = dir.path().join(name);
        let args =
            [&["-filter_complex", &graph], options, &["-frames:v", "12", path.to_str().unwrap()]].concat();
        run_ffmpeg(&args);
        let ran = shown(&path, "25fps", "");
        let frames = frames(&ran);
        assert_eq!(frames.len(), 10, "{code}: {:#?}", ran.report.events);
        for (x, want) in [(50, RED), (160, [128, 0, 0]), (270, BLACK)] {
            for y in [4, 90, 175] {
                is(&frames[5], (x, y), want, code);
            }
        }
        let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "picture").collect();
        assert_eq!(told.len(), 1, "{:#?}", ran.report.events);
        assert!(told[0].message.contains("over black"));
    }
}

/// How many pixels of a thousand stand out from the lines above and below, the same way.
fn combs(frame: &Frame) -> usize {
    let luma = frame.picture.plane(Plane::Y);
    let mut found = 0;
    for y in 1..luma.height - 1 {
        for ((&above, &here), &below) in luma.row(y - 1).iter().zip(luma.row(y)).zip(luma.row(y + 1)) {
            let (up, down) = (i32::from(here) - i32::from(above), i32::from(here) - i32::from(below));
            found += usize::from(up * down > 900);
        }
    }
    found * 1000 / (luma.width * luma.height)
}

#[test]
fn interlaced_lines_are_whole_pictures_at_the_shows_own_rate() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fields.ts");
    // A bar that moves 4 pixels a field, the lower field first: FFmpeg 5's program says so of all
    // that is interlaced, unless it is told otherwise in a way that FFmpeg 7's does not know.
    run_ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=black:s=320x180:r=50:d=1,drawbox=x=150:y=0:w=20:h=180:c=white:t=fill,\
         scroll=h=0.0125,tinterlace=interleave_bottom,format=yuv420p,setfield=bff",
        "-c:v",
        "libx264",
        "-qp",
        "8",
        "-flags",
        "+ildct+ilme",
        "-x264-params",
        "bff=1",
        path.to_str().unwrap(),
    ]);
    for (rate, options, ticks, whole, words) in [
        ("50fps", "", 20, true, "bwdif makes a whole one of each field"),
        ("25fps", "", 10, true, "bwdif makes a whole one of each frame"),
        ("25fps", "deinterlace=fast", 10, true, "the upper field is shown"),
        ("25fps", "deinterlace=off", 10, false, "combs and all"),
    ] {
        let ran = shown(&path, rate, options);
        let frames = frames(&ran);
        assert_eq!(frames.len(), ticks, "{rate} {options}");
        let combed = frames.iter().filter(|frame| combs(frame) > 2).count();
        assert_eq!(combed == 0, whole, "{rate} {options}: {combed} of {ticks} have combs");
        // Every tick has a picture of its own, in their order: the bar moves to the left.
        let edge = |frame: &Frame| frame.picture.plane(Plane::Y).row(90).iter().rposition(|&p| p > 128);
        let edges: Vec<_> = frames.iter().map(edge).collect();
        assert!(edges.windows(2).all(|pair| pair[0] > pair[1]), "{rate} {options}: {edges:?}");
        let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "picture").collect();
        assert!(told.len() == 1 && told[0].message.contains(words), "{rate} {options}: {told:#?}");
    }
}

#[test]
fn high_dynamic_range_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hdr.mp4");
    run_ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=red:s=320x180:r=25:d=1,format=yuv420p10le",
        "-c:v",
        "libx264",
        "-qp",
        "10",
        "-colorspace",
        "bt2020nc",
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        path.to_str().unwrap(),
    ]);
    let ran = shown(&path, "25fps", "loop=true");
    let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "picture").collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].message, "HDR comes (PQ) and is shown as SDR: it is not tone-mapped");
}

const LADDER: &str = r#"
show "tagged" {
  video 640x360 30000/1001fps
  audio 48kHz stereo
  camera gen { line gen test "bars" }
  ladder four {
    preset ultrafast
    keyframe 1s
    audio 96k
    rung 360p 640x360 800k
    rung 270p 480x270 400k
    rung 180p 320x180 200k
    rung 90p  160x90  100k
  }
  channel program { sources gen; ladder four; egress disk record "{rung}.flv" }
  rundown program { at 0:00.500 end }
}
"#;

/// What players and CDNs read before the first picture.
#[test]
fn every_rung_says_its_colours_its_shape_and_its_time() {
    let ran = offline(LADDER, ffmpeg());
    for rung in ["360p", "270p", "180p", "90p"] {
        let path = ran.out.path().join(format!("{rung}.flv"));
        let fields = "stream=color_range,color_space,color_transfer,color_primaries,chroma_location,\
                      sample_aspect_ratio,r_frame_rate,field_order";
        let probe = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v", "-show_entries", fields, "-of", "default=nw=1"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8(probe.stdout).unwrap();
        for want in [
            "color_range=tv",
            "color_space=bt709",
            "color_transfer=bt709",
            "color_primaries=bt709",
            "chroma_location=left",
            "sample_aspect_ratio=1:1",
            "r_frame_rate=30000/1001",
            "field_order=progressive",
        ] {
            assert!(said.lines().any(|line| line == want), "{rung} lacks {want}: {said}");
        }
        // The SPS itself, and not what a prober makes up.
        let trace = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-v", "verbose", "-i"])
            .arg(&path)
            .args([
                "-map",
                "0:v",
                "-frames:v",
                "1",
                "-c",
                "copy",
                "-bsf:v",
                "trace_headers",
                "-f",
                "null",
                "-",
            ])
            .output()
            .unwrap();
        let trace = String::from_utf8_lossy(&trace.stderr).into_owned();
        let value = |name: &str| {
            let line = trace.lines().find(|line| line.split_whitespace().any(|word| word == name));
            let line = line.unwrap_or_else(|| panic!("{rung}: no {name} in {trace}"));
            line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
        };
        for (name, want) in [
            ("vui_parameters_present_flag", 1),
            ("aspect_ratio_info_present_flag", 1),
            ("aspect_ratio_idc", 1),
            ("video_signal_type_present_flag", 1),
            ("video_full_range_flag", 0),
            ("colour_description_present_flag", 1),
            ("colour_primaries", 1),
            ("transfer_characteristics", 1),
            ("matrix_coefficients", 1),
            ("timing_info_present_flag", 1),
            ("num_units_in_tick", 1001),
            ("time_scale", 60_000),
        ] {
            assert_eq!(value(name), want, "{rung}: {name}");
        }
    }
}
