//! Playlists that say when they were taken: two of them are shown in step, whatever they are packed
//! in.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command as Process;

use engine::Status;

use crate::hls::ffmpeg;
use crate::live::{start_show, wait_for};
use crate::support::{clips, tags};
use crate::wires::serve;

/// Of twice its lines' pictures a second: what waits for others lies anywhere between two ticks.
const SHOW: &str = r#"
show "dates" {
  video 160x90 50fps
  audio 48kHz stereo
  camera first  { line one pull "URL/all.m3u8" sync=clock }
  camera second { line one pull "URL/second.m3u8" sync=clock }
  camera radio  { line one pull "URL/radio.m3u8" }
  filler green { test "color:lime" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 90p 160x90 200k }
  channel a { sources first radio; filler green after=2s; ladder one; egress disk record "a.flv" }
  channel b { sources second; filler green after=2s; ladder one; egress disk record "b.flv" }
}
"#;

/// The second camera began to send so much later.
const LATER_MS: u32 = 400;
const CODING: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25";

/// Says when each segment of a playlist was taken, or the first alone, as ffmpeg writes it.
fn date(playlist: &Path, from_ms: u32, all: bool) {
    let text = std::fs::read_to_string(playlist).unwrap();
    let (mut out, mut seconds, mut dated) = (String::new(), 0.0, false);
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("#EXTINF:") {
            let at = (f64::from(from_ms) + seconds * 1000.0).round() as u32;
            if all || !dated {
                let (second, millis) = (at / 1000, at % 1000);
                writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T20:00:{second:02}.{millis:03}+0000")
                    .unwrap();
            }
            dated = true;
            seconds += said.trim_end_matches(',').parse::<f64>().unwrap();
        }
        writeln!(out, "{line}").unwrap();
    }
    std::fs::write(playlist, out).unwrap();
}

/// Sound without a container, as Apple's packagers make it: each segment behind a tag that says when it
/// is heard, the first at `from` ticks.
fn packed(folder: &Path, name: &str, coding: &str, from: i64) {
    let clip = clips().join("generated/flash-beep.mp4").canonicalize().unwrap();
    let list = folder.join(format!("{name}.csv"));
    let status = Process::new("ffmpeg")
        .current_dir(folder)
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(clip)
        .args("-vn -t 8.5 -f segment -segment_time 1 -write_id3v2 0 -segment_list".split(' '))
        .arg(&list)
        .args(coding.split_whitespace())
        .status();
    assert!(status.unwrap().success());
    let mut playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n".to_owned();
    for line in std::fs::read_to_string(list).unwrap().lines() {
        let [file, start, end] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let [start, end] = [start, end].map(|seconds| seconds.parse::<f64>().unwrap());
        let stamp = from + (start * 90_000.0).round() as i64;
        let owner = b"com.apple.streaming.transportStreamTimestamp\0";
        let body = [&owner[..], &stamp.to_be_bytes()].concat();
        let frame = [&b"PRIV\0\0\0"[..], &[body.len() as u8, 0, 0], &body].concat();
        let tag = [&b"ID3\x04\0\0\0\0\0"[..], &[frame.len() as u8], &frame].concat();
        let path = folder.join(file);
        std::fs::write(&path, [tag, std::fs::read(&path).unwrap()].concat()).unwrap();
        writeln!(playlist, "#EXTINF:{:.6},\n{file}", end - start).unwrap();
    }
    std::fs::write(folder.join(format!("{name}.m3u8")), playlist + "#EXT-X-ENDLIST\n").unwrap();
}

/// The first in MPEG-TS, in parts of one file, with its sound packed beside it, and a date on its first
/// segment alone; the second in fragmented MP4, with a date on each; and sound alone.
#[test]
fn two_playlists_that_say_when_they_were_taken_are_shown_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clips().join("generated/flash-beep.mp4").canonicalize().unwrap();
    let clip = clip.to_str().unwrap();
    let file = |name: &str| folder.path().join(name);
    let hls = "-t 8.5 -f hls -hls_time 1 -hls_list_size 0";
    ffmpeg(folder.path(), &format!("-i {clip} -an {CODING} {hls} -hls_flags single_file first.m3u8"));
    let late = f64::from(LATER_MS) / 1000.0;
    let fragments = "-hls_segment_type fmp4 -hls_fmp4_init_filename second.mp4 second.m3u8";
    ffmpeg(folder.path(), &format!("-ss {late} -i {clip} {CODING} -bf 2 -c:a aac {hls} {fragments}"));
    // Where ffmpeg's MPEG-TS begins: at 1.4 s; and AAC a frame before it, which is the encoder's own.
    packed(folder.path(), "sound", "-c:a aac -segment_format adts sound-%d.aac", 126_000 - 1_920);
    packed(folder.path(), "radio", "-c:a libmp3lame -segment_format mp3 -write_xing 0 radio-%d.mp3", 126_000);
    date(&file("first.m3u8"), 10_000, false);
    date(&file("second.m3u8"), 10_000 + LATER_MS, true);
    let all = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"s\",NAME=\"s\",DEFAULT=YES,URI=\"sound.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"s\"\nfirst.m3u8\n";
    std::fs::write(file("all.m3u8"), all).unwrap();
    assert!(std::fs::read_to_string(file("first.m3u8")).unwrap().contains("#EXT-X-BYTERANGE"));

    let (_server, url) = serve(folder.path());
    let live = start_show(&SHOW.replace("URL", &url));
    let handle = live.engine.handle();
    let behind = |status: &Status| [0, 1].map(|camera: usize| status.cameras[camera].lines[0].behind_ms);
    let told = |status: &Status| behind(status).iter().all(Option::is_some);
    let from = wait_for(&handle, "the times of both", told).t;
    wait_for(&handle, "some seconds of both", |status| status.t > from + 7.0);
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    for line in report.cameras.iter().flat_map(|camera| &camera.lines) {
        assert!(line.packets > 150 && line.decode_errors == 0, "{line:?}");
    }

    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }

    let recording = |name: &str| live.out.path().join(name);
    for (camera, name) in [("first", "a.flv"), ("second", "b.flv")] {
        let moved = report.events.iter().filter(|e| e.code == "line-drift" && e.subject.starts_with(camera));
        let settled = moved.map(|e| e.t).fold(1.0, f64::max) * 1000.0 + 500.0;
        crate::step::assert_in_step_from(settled, &recording(name), name, 1..=9);
    }
    let [first, second] = ["a.flv", "b.flv"].map(|name| crate::step::onsets(&tags(&recording(name))).0);
    // A picture is on the air from the next tick on: they may be one apart. They do not wait for each
    // other from the first second on.
    let is_there = |flash: &&f64| second.iter().any(|other| (*flash - other).abs() < 41.0);
    assert!(first.iter().filter(is_there).count() >= 3, "{first:?} {second:?}");
}
