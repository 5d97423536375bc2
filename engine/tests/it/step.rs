//! Sound and picture in step: flashes and beeps, through the whole path.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::support::{Ran, decode, decode_sound, ffmpeg, mean, offline, tags};

const LIMIT_MS: f64 = 20.0;

fn run(camera: &str) -> (PathBuf, Ran) {
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
    (ran.out.path().join("180p.flv"), ran)
}

/// When flashes begin and when beeps begin, in milliseconds.
fn flashes_and_beeps(recording: &Path) -> (Vec<f64>, Vec<f64>) {
    onsets(&tags(recording))
}

/// The same of a recording's tags.
pub fn onsets(tags: &[flv::Tag]) -> (Vec<f64>, Vec<f64>) {
    let frames = decode(tags);
    let white: Vec<bool> = frames.iter().map(|f| is_white(mean(f))).collect();
    let starts = (0..white.len()).filter(|n| white[*n] && (*n == 0 || !white[*n - 1]));
    let flashes = starts.map(|n| frames[n].pts.as_secs_f64() * 1000.0).collect();
    let (first, rate, sound) = decode_sound(tags);
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

/// Bright and without colour: a green slate is no flash.
fn is_white([y, u, v]: [u8; 3]) -> bool {
    y > 150 && u.abs_diff(128) < 30 && v.abs_diff(128) < 30
}

/// Every flash has its beep within the limit.
pub fn assert_recording_in_step(recording: &Path, what: &str, count: RangeInclusive<usize>) {
    assert_in_step_from(0.0, recording, what, count);
}

/// As above, of what lies between two moments, in seconds.
pub fn assert_in_step_between(
    from: f64,
    to: f64,
    recording: &Path,
    what: &str,
    count: RangeInclusive<usize>,
) {
    let (mut flashes, mut beeps) = flashes_and_beeps(recording);
    let (from, to) = (from * 1000.0, to * 1000.0);
    flashes.retain(|at| (from..to).contains(at));
    let (first, last) = (flashes.first().copied().unwrap_or(from), flashes.last().copied().unwrap_or(to));
    // Between a flash and the next: no pair is torn.
    beeps.retain(|at| (first - 500.0..last + 500.0).contains(at));
    assert_paired(&flashes, &beeps, what, count);
}

/// As above, of what comes after so many milliseconds.
pub fn assert_in_step_from(from: f64, recording: &Path, what: &str, count: RangeInclusive<usize>) {
    let (mut flashes, mut beeps) = flashes_and_beeps(recording);
    // Between a flash and the next: no pair is torn.
    flashes.retain(|at| *at >= from);
    beeps.retain(|at| *at >= flashes.first().copied().unwrap_or(from) - 500.0);
    assert_paired(&flashes, &beeps, what, count);
}

fn assert_paired(flashes: &[f64], beeps: &[f64], what: &str, count: RangeInclusive<usize>) {
    assert!(count.contains(&flashes.len()), "{what}: {flashes:?} {beeps:?}");
    assert_eq!(flashes.len(), beeps.len(), "{what}: {flashes:?} {beeps:?}");
    for (flash, beep) in flashes.iter().zip(beeps) {
        assert!((flash - beep).abs() <= LIMIT_MS, "{what}: flash at {flash:.1} ms, beep at {beep:.1} ms");
    }
}

fn assert_in_step(camera: &str) {
    let (recording, _ran) = run(camera);
    assert_recording_in_step(&recording, camera, 8..=8);
}

#[test]
fn a_file_is_in_step() {
    assert_in_step(r#"line disk file "generated/flash-beep.mp4""#);
}

#[test]
fn a_pattern_is_in_step() {
    assert_in_step(r#"line gen test "timecode" tone=1000"#);
}
