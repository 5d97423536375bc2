//! The issue's own show: solid-colour cameras, so that every frame says where it is from.

use codecs::{Plane, Rgb, Yuv};

use crate::support::{decode, ffmpeg, mean, offline, pictures, tags};
use media::Key;

const SHOW: &str = r#"
show "colours" {
  video 640x360 25fps
  audio 48kHz stereo
  camera red   { line gen test "color:red" tone=440 }
  camera blue  { line gen test "color:blue" }
  filler green { test "color:lime" }
  watermark bug { image "pictures/logo.png" at=top-right margin=16 opacity=1.0 }
  ladder four {
    preset veryfast
    keyframe 1s
    audio 96k
    rung 360p 640x360 800k
    rung 270p 480x270 400k
    rung 180p 320x180 200k
    rung 90p  160x90  100k
  }
  channel program {
    sources red blue
    filler green after=500ms
    watermark bug
    ladder four
    egress disk record "{channel}-{rung}.flv"
  }
  rundown program {
    at 0:01.400 cut blue
    at 0:02.600 filler on
    at 0:03 filler off
    at 0:04 end
  }
}
"#;

/// Colour by name in the picture's own terms.
fn yuv(r: u8, g: u8, b: u8) -> [u8; 3] {
    let Yuv { y, u, v } = Yuv::from(Rgb::new(r, g, b));
    [y, u, v]
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 8)
}

#[test]
fn cuts_fillers_sizes_and_key_frames_are_where_the_rundown_says() {
    let ran = offline(SHOW, ffmpeg());
    let (red, blue, lime) = (yuv(255, 0, 0), yuv(0, 0, 255), yuv(0, 255, 0));
    let expected = |tick: usize| match tick {
        0..35 => red,
        35..65 => blue,
        65..75 => lime,
        _ => blue,
    };
    let mut keys = Vec::new();
    for (rung, (width, height)) in
        [("360p", (640, 360)), ("270p", (480, 270)), ("180p", (320, 180)), ("90p", (160, 90))]
    {
        let tags = tags(&ran.out.path().join(format!("program-{rung}.flv")));
        let frames = decode(&tags);
        assert_eq!(frames.len(), 100, "{rung}");
        for (tick, frame) in frames.iter().enumerate() {
            assert_eq!((frame.picture.size().width, frame.picture.size().height), (width, height));
            // The lower left is free of the watermark.
            let row = frame.picture.plane(Plane::Y).row(height as usize - 2)[2];
            let chroma = [Plane::U, Plane::V].map(|p| frame.picture.plane(p).row(height as usize / 2 - 2)[1]);
            let got = [row, chroma[0], chroma[1]];
            assert!(near(got, expected(tick)), "{rung} tick {tick}: {got:?}, expected {:?}", expected(tick));
        }
        let pictures = pictures(&tags);
        keys.push(pictures.iter().filter(|p| p.1 == Key::Frame).map(|p| p.0).collect::<Vec<_>>());
        let first = pictures.iter().map(|p| p.0).min().unwrap();
        let mut pts: Vec<_> = pictures.iter().map(|p| p.0 - first).collect();
        pts.sort_unstable();
        assert_eq!(pts, (0..100).map(|n| n * 40).collect::<Vec<_>>());
    }
    assert!(keys.windows(2).all(|k| k[0] == k[1]), "key frames at equal PTS: {keys:?}");
    let relative: Vec<_> = keys[0].iter().map(|k| (k - keys[0][0]) / 40).collect();
    for at in [0, 25, 35, 50, 65, 75] {
        assert!(relative.contains(&at), "a key frame at tick {at}: {relative:?}");
    }
    let on_air: Vec<_> = ran.report.channels[0]
        .on_air
        .iter()
        .map(|run| (run.t, run.source.as_deref().unwrap_or("-"), run.reason.as_str()))
        .collect();
    assert_eq!(
        on_air,
        [
            (0.0, "red", "start"),
            (1.4, "blue", "cut"),
            (2.6, "green", "filler"),
            (3.0, "blue", "recovered"),
            (4.0, "-", "end")
        ]
    );
    assert_eq!(ran.report.channels[0].frames, 100);
    assert_eq!(ran.report.exit_code(), 0);
}

#[test]
fn the_watermark_is_where_it_was_put() {
    let marked = offline(SHOW, ffmpeg());
    let bare = offline(
        &SHOW.replace("    watermark bug\n", "").replace("watermark bug {", "watermark bug2 {"),
        ffmpeg(),
    );
    let read =
        |ran: &crate::support::Ran| decode(&tags(&ran.out.path().join("program-360p.flv")))[10].clone();
    let (marked, bare) = (read(&marked), read(&bare));
    let (mut inside, mut outside) = (0u64, 0u64);
    let logo = image::open(crate::support::clips().join("pictures/logo.png")).unwrap();
    let (left, bottom) = (640 - 16 - logo.width() as usize, 16 + logo.height() as usize);
    let planes = marked.picture.plane(Plane::Y).rows().zip(bare.picture.plane(Plane::Y).rows());
    for (y, (a, b)) in planes.enumerate() {
        for (x, (a, b)) in a.iter().zip(b).enumerate() {
            let differs = u64::from(a.abs_diff(*b) > 24);
            // Coding spreads by a block.
            if x + 16 >= left && y < bottom + 16 { inside += differs } else { outside += differs }
        }
    }
    assert!(inside > 200, "{inside} pixels differ where the watermark is");
    assert_eq!(outside, 0, "pixels differ elsewhere");
}

#[test]
fn the_same_show_twice_gives_the_same_tags() {
    let runs: Vec<Vec<u8>> = (0..2)
        .map(|_| std::fs::read(offline(SHOW, ffmpeg()).out.path().join("program-270p.flv")).unwrap())
        .collect();
    assert_eq!(runs[0].len(), runs[1].len());
    assert!(runs[0] == runs[1], "the bytes differ");
}

#[test]
fn mean_colours_tell_sources_apart() {
    // The oracle of the tests above can fail.
    assert!(!near(yuv(255, 0, 0), yuv(0, 0, 255)));
    let ran = offline(SHOW, ffmpeg());
    let frames = decode(&tags(&ran.out.path().join("program-90p.flv")));
    assert!(!near(mean(&frames[10]), mean(&frames[50])));
}
