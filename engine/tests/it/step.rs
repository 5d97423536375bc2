//! Sound and picture in step: flashes and beeps, through the whole path.

use crate::support::{decode, decode_sound, ffmpeg, mean, offline, tags};

const LIMIT_MS: f64 = 20.0;

/// When flashes begin and when beeps begin, in milliseconds.
fn flashes_and_beeps(camera: &str) -> (Vec<f64>, Vec<f64>) {
    let ran = offline(
        &format!(
            r#"
show "step" {{
  video 640x360 25fps
  audio 48kHz stereo
  camera main  {{ {camera} }}
  ladder two {{
    preset veryfast; keyframe 2s; audio 128k
    rung 360p 640x360 800k
    rung 180p 320x180 300k
  }}
  channel program {{
    sources main
    ladder two
    egress disk record "{{rung}}.flv"
  }}
  rundown program {{ at 0:08 end }}
}}"#
        ),
        ffmpeg(),
    );
    let tags = tags(&ran.out.path().join("180p.flv"));
    let frames = decode(&tags);
    let white: Vec<bool> = frames.iter().map(|f| mean(f)[0] > 150).collect();
    let starts = (0..white.len()).filter(|n| white[*n] && (*n == 0 || !white[*n - 1]));
    let flashes = starts.map(|n| frames[n].pts.as_secs_f64() * 1000.0).collect();
    let (first, rate, sound) = decode_sound(&tags);
    let mut beeps = Vec::new();
    let mut quiet_since = 0;
    for (n, sample) in sound.iter().enumerate() {
        if sample.abs() > 0.04 {
            if n - quiet_since > rate as usize / 4 || beeps.is_empty() {
                beeps.push(first.as_secs_f64() * 1000.0 + n as f64 * 1000.0 / f64::from(rate));
            }
            quiet_since = n;
        }
    }
    (flashes, beeps)
}

fn assert_in_step(camera: &str) {
    let (flashes, beeps) = flashes_and_beeps(camera);
    assert_eq!((flashes.len(), beeps.len()), (8, 8), "{camera}: {flashes:?} {beeps:?}");
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((flash - beep).abs() <= LIMIT_MS, "{camera}: flash at {flash:.1} ms, beep at {beep:.1} ms");
    }
}

#[test]
fn a_file_is_in_step() {
    assert_in_step(r#"line disk file "generated/flash-beep.mp4""#);
}

#[test]
fn a_pattern_is_in_step() {
    assert_in_step(r#"line gen test "timecode" tone=1000"#);
}
