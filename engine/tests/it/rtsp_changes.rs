//! RTSP cameras that change what they send, and one whose key frames fall apart: GStreamer's server
//! sends, and is told what to change.

use std::io::Write as _;
use std::ops::Range;
use std::process::{Child, Command as Process, Stdio};

use engine::{LineState, Status};

use crate::live::{Live, free_port, start_with, wait_for};
use crate::matrix::seen::{Looks, Seen};
use crate::support::codes;
use crate::thumbs::pictured;
use crate::wires::is_main;

const RED: Looks = Looks { colour: [255, 0, 0], tone: 440 };
const BLUE: Looks = Looks { colour: [0, 0, 255], tone: 440 };
const YELLOW: Looks = Looks { colour: [255, 255, 0], tone: 440 };
/// What else there could be: the filler, black.
const OTHERS: [Looks; 2] = [Looks { colour: [0, 255, 0], tone: 440 }, Looks { colour: [0, 0, 0], tone: 440 }];

/// What makes pictures of this size and colour.
fn pictures(size: &str, looks: Looks, encoder: &str) -> String {
    format!(
        "( videotestsrc name=pattern is-live=true pattern=solid-color foreground-color={} ! videoscale ! videorate ! \
         capsfilter name=size caps={} ! {encoder} name=pay0 pt=96",
        argb(looks),
        caps(size)
    )
}

fn argb(looks: Looks) -> u32 {
    let [r, g, b] = looks.colour.map(u32::from);
    0xff00_0000 | r << 16 | g << 8 | b
}

/// `320x180@25` as GStreamer has it.
fn caps(size: &str) -> String {
    let (size, rate) = size.split_once('@').unwrap();
    let (width, height) = size.split_once('x').unwrap();
    format!("video/x-raw,format=I420,colorimetry=bt601,width={width},height={height},framerate={rate}/1")
}

const AVC: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! h264parse ! rtph264pay config-interval=1";
const HEVC: &str = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! h265parse ! rtph265pay config-interval=1";

/// Sound of this rate and so many channels.
fn sound(rate: u32, channels: u8, encoder: &str) -> String {
    format!(
        " audiotestsrc is-live=true freq=440 volume=0.125 ! audioconvert ! audioresample ! \
         capsfilter name=form caps=audio/x-raw,rate={rate},channels={channels} ! {encoder} name=pay1 pt=97 )"
    )
}

const AAC: &str = "voaacenc ! aacparse ! rtpmp4gpay";
const OPUS: &str = "opusenc ! rtpopuspay";

/// A camera that does as it is told.
struct Camera {
    process: Child,
    port: u16,
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Camera {
    fn start(launch: &str) -> Self {
        let port = free_port().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rtsp_told.py");
        // The distribution's own interpreter: it has the bindings.
        let mut process = Process::new("/usr/bin/python3");
        process.args([script, &port.to_string(), launch]).stdin(Stdio::piped()).stdout(Stdio::null());
        Self { process: process.spawn().unwrap(), port }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn show(&self) -> Live {
        start_with(&format!(r#"pull "rtspt://127.0.0.1:{}/cam""#, self.port))
    }
}

/// Waits until the camera is shown with this colour and two seconds more; gives the frames of that time.
fn shown(live: &Live, looks: Looks) -> Range<usize> {
    let handle = live.engine.handle();
    let is_coloured = |_: &Status| {
        let (_, picture, _) = pictured(live.http(), "/thumb/main.jpg");
        let seen = picture.get_pixel(picture.width() / 2, picture.height() / 2).0;
        seen.iter().zip(looks.colour).all(|(a, b)| a.abs_diff(b) < 60)
    };
    wait_for(&handle, "the camera's first picture", |s| s.cameras[0].lines[0].state == LineState::Live);
    wait_for(&handle, "the camera's colour", is_coloured);
    let is_shown = |s: &Status| is_main(s) && s.cameras[0].lines[0].state == LineState::Live;
    let from = wait_for(&handle, "the camera's picture", is_shown).channels[0].frames + 10;
    let is_enough = |s: &Status| s.channels[0].frames > from + 70 && is_shown(s);
    wait_for(&handle, "two seconds of it", is_enough);
    usize::try_from(from).unwrap()..usize::try_from(from + 50).unwrap()
}

/// Ends the show: within each time what it should be is seen and heard; a busy machine may starve its
/// sender for a part of it. Gives how often the line connected.
fn end(live: Live, seen: &[(Range<usize>, Looks)]) -> usize {
    live.engine.handle().stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }
    let recording = Seen::in_recording(&live.out.path().join("180p.flv"));
    let all = [&[RED, BLUE, YELLOW][..], &OTHERS].concat();
    for (frames, looks) in seen {
        let is_it = |frame: usize| {
            all[recording.looks_like(frame, &all)] == *looks && recording.is_heard(frame, looks, &all)
        };
        let is_seen = frames.clone().step_by(5).any(is_it);
        assert!(is_seen, "{frames:?} of {seen:?}: {:#?}", report.events);
    }
    codes(&report).iter().filter(|(code, _)| code == "line-connected").count()
}

#[test]
fn another_size_and_rate_of_pictures_and_layout_of_sound_are_followed_in_one_session() {
    let mut camera = Camera::start(&(pictures("320x180@25", RED, AVC) + &sound(48_000, 1, OPUS)));
    let live = camera.show();
    let red = shown(&live, RED);
    camera.tell(&format!("set pattern foreground-color {}", argb(BLUE)));
    camera.tell(&format!("set size caps {}", caps("160x96@30")));
    camera.tell("set form caps audio/x-raw,rate=48000,channels=2");
    let blue = shown(&live, BLUE);
    camera.tell(&format!("set pattern foreground-color {}", argb(YELLOW)));
    camera.tell(&format!("set size caps {}", caps("426x240@12")));
    let yellow = shown(&live, YELLOW);
    assert_eq!(end(live, &[(red, RED), (blue, BLUE), (yellow, YELLOW)]), 1, "it took a reconnect");
}

#[test]
fn another_codec_is_followed_where_the_camera_describes_itself_anew() {
    let mut camera = Camera::start(&(pictures("320x180@25", RED, AVC) + &sound(48_000, 2, AAC)));
    let live = camera.show();
    let red = shown(&live, RED);
    camera.tell(&format!("anew {}{}", pictures("160x96@12", BLUE, HEVC), sound(44_100, 1, AAC)));
    wait_for(&live.engine.handle(), "the next session", |s| {
        s.events.iter().filter(|e| e.code == "line-connected").count() == 2
    });
    let blue = shown(&live, BLUE);
    assert_eq!(end(live, &[(red, RED), (blue, BLUE)]), 2);
}

/// With `config-interval=-1` GStreamer's payloader sends parameter sets before each slice of a key
/// frame, of which x264 makes several for low latency.
#[test]
fn a_key_frame_of_slices_each_behind_its_parameter_sets_is_one_picture() {
    let slices = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 threads=4 sliced-threads=true ! \
                  h264parse ! rtph264pay config-interval=-1";
    let camera = Camera::start(&(pictures("320x180@25", RED, slices) + &sound(48_000, 2, OPUS)));
    let live = camera.show();
    let red = shown(&live, RED);
    let line = live.engine.handle().status().cameras[0].lines[0].clone();
    assert_eq!(line.decode_errors, 0, "{line:?}");
    assert!(line.keyframe_s.is_some_and(|apart| apart > 0.5), "{line:?}");
    assert_eq!(end(live, &[(red, RED)]), 1);
}
