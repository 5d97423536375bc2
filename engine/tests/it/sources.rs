//! Sources of the program's own: packets and frames handed in, live and offline.

use std::sync::Arc;
use std::time::Instant;

use codecs::{Fake, Frame, Pcm, Picture, PictureMut, RawFormat, RawPicture, Yuv};
use engine::{
    EgressState, Engine, Handed, LineState, Mode, RunOptions, SourceError, SourceHandle, SourceTracks,
    StartError,
};
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Tag, TagKind};
use media::{
    AudioCodec, AudioParams, FrameRate, Key, Packet, SampleRate, Size, Span, Tick, Time, Track, VideoCodec,
    VideoParams,
};

use crate::live::{on_air, wait_for};
use crate::support::{
    clips, codes, decode, decode_sound, mean, offline, on_air as reasons, psnr, show, tags,
};

#[path = "../../../examples/custom_source.rs"]
mod custom_source;

#[path = "../../../examples/packets_source.rs"]
mod packets_source;

const SIZE: Size = Size::new(64, 36);
/// Any zero will do: a clock that was set long ago.
const LONG_AGO: Time = Time::from_secs(86_400 * 365);

fn text(line: &str) -> String {
    format!(
        r#"
show "own" {{
  video 64x36 25fps
  audio 48kHz stereo
  camera mine {{ line own {line}; failover lost=400ms recover=0s }}
  filler green {{ test "color:lime" }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung small 64x36 400k }}
  channel program {{ sources mine; filler green after=400ms; ladder one; egress disk record "{{channel}}.flv" }}
}}"#
    )
}

struct Ran {
    report: engine::Report,
    tags: Vec<Tag>,
}

/// An offline show of so many seconds whose camera is this source.
fn held(seconds: i64, tracks: SourceTracks, source: impl FnOnce(SourceHandle) + Send + 'static) -> Ran {
    let out = tempfile::tempdir().unwrap();
    let limit = Some(Span::from_secs(seconds));
    let mut options = RunOptions { limit, out: out.path().to_owned(), ..RunOptions::new(Mode::Offline) };
    options.sources.add("my-camera", tracks, source);
    let report = Engine::start(show(&text("source my-camera")), options).unwrap().wait();
    let tags = tags(&out.path().join("program.flv"));
    Ran { report, tags }
}

fn rate() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}
fn at(n: u64) -> Time {
    LONG_AGO + (rate().time_of(Tick(n)) - Time::ZERO)
}
/// The luma of picture `n`.
fn luma(n: u64) -> u8 {
    40 + (n * 7 % 160) as u8
}
fn picture(n: u64) -> Picture {
    PictureMut::filled(SIZE, Yuv::new(luma(n), 128, 128)).unwrap().freeze()
}
/// A tick's sound: silence, and a tone from one second on.
fn sound(n: u64) -> Pcm {
    let sample = |s: u64| {
        if s < 44_100 { 0.0 } else { (s as f32 / 44_100.0 * 440.0 * std::f32::consts::TAU).sin() * 0.5 }
    };
    let samples: Vec<f32> = (n * 1764..(n + 1) * 1764).map(sample).collect();
    Pcm::new(at(n), SampleRate::new(44_100).unwrap(), 1, samples)
}

#[test]
fn offline_every_frame_is_at_its_tick_and_sound_with_it_and_twice_is_the_same() {
    let run = || {
        held(3, SourceTracks::Both, |to| {
            for n in 0.. {
                // Sound in another rate and layout than the show's.
                if to
                    .frame(Frame { pts: at(n), picture: picture(n) })
                    .and_then(|_| to.sound(sound(n)))
                    .is_err()
                {
                    return;
                }
            }
        })
    };
    let ran = run();
    assert_eq!(reasons(&ran.report), [("mine", "start"), ("-", "end")], "{:#?}", ran.report.events);
    let frames = decode(&ran.tags);
    assert_eq!(frames.len(), 75);
    for (n, frame) in frames.iter().enumerate() {
        assert!(mean(frame)[0].abs_diff(luma(n as u64)) <= 2, "picture {n}: {}", mean(frame)[0]);
    }
    let (first, rate, samples) = decode_sound(&ran.tags);
    let begins = samples.iter().position(|s| s.abs() > 0.1).unwrap() as f64 / f64::from(rate);
    let begins = begins + (first - frames[0].pts).as_secs_f64();
    assert!((begins - 1.0).abs() < 0.02, "the tone begins at {begins:.3} s");
    assert!(run().tags == ran.tags, "the same show twice is the same, byte for byte");
    let line = &ran.report.cameras[0].lines[0];
    assert!(line.packets >= 150 && line.lost_s == 0.0, "{line:?}");
}

#[test]
fn offline_one_track_is_enough_and_its_end_is_the_lines() {
    let ran = held(2, SourceTracks::Pictures, |to| {
        for n in 0..25 {
            to.frame(Frame { pts: at(n), picture: picture(n) }).unwrap();
        }
        // What it was not registered with is turned away.
        let turned = to.sound(sound(25)).unwrap_err();
        assert_eq!(turned, SourceError::Unregistered(Track::Audio));
        assert!(turned.to_string().starts_with("the source is registered without sound"), "{turned}");
        to.end();
        assert_eq!(to.frame(Frame { pts: at(25), picture: picture(25) }), Err(SourceError::Over));
        assert!(to.is_over());
    });
    assert_eq!(reasons(&ran.report), [("mine", "start"), ("green", "filler"), ("-", "end")]);
    assert_eq!(ran.report.cameras[0].lines[0].state, LineState::Ended);
    assert!(!codes(&ran.report).iter().any(|(code, _)| code == "line-stalled" || code == "line-error"));
    let ran = held(1, SourceTracks::Sound, |to| {
        for n in 0.. {
            if to.sound(sound(n)).is_err() {
                return;
            }
        }
    });
    assert_eq!(ran.report.channels[0].frames, 25);
}

/// What waits of sound has a bound, and a block may be longer.
#[test]
fn offline_a_long_block_of_sound_is_heard_from_its_beginning_to_its_end() {
    let ran = held(6, SourceTracks::Both, |to| {
        let sample = |s: u64| (s as f32 / 44_100.0 * 440.0 * std::f32::consts::TAU).sin() * 0.5;
        let samples: Vec<f32> = (0..7 * 44_100).map(sample).collect();
        to.sound(Pcm::new(at(0), SampleRate::new(44_100).unwrap(), 1, samples)).unwrap();
        for n in 0.. {
            if to.frame(Frame { pts: at(n), picture: picture(n) }).is_err() {
                return;
            }
        }
    });
    let (_, rate, samples) = decode_sound(&ran.tags);
    let quiet = samples.chunks(rate as usize / 10).skip(1).take(57).position(|part| {
        let squares: f32 = part.iter().map(|s| s * s).sum();
        (squares / part.len() as f32).sqrt() < 0.3
    });
    assert_eq!(quiet, None, "tenth of a second that is not heard");
    assert!(!codes(&ran.report).iter().any(|(code, _)| code == "line-stalled"));
}

#[test]
fn offline_a_picture_that_goes_back_is_left_out_and_told_of() {
    let ran = held(1, SourceTracks::Pictures, |to| {
        for n in [0, 1, 2, 3, 1, 3].into_iter().chain(4..30) {
            _ = to.frame(Frame { pts: at(n), picture: picture(n) });
        }
    });
    for (n, frame) in decode(&ran.tags).iter().enumerate() {
        assert!(mean(frame)[0].abs_diff(luma(n as u64)) <= 2, "picture {n}: {}", mean(frame)[0]);
    }
    let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "decode-error").collect();
    assert!(told[0].message.contains("is not later than the one before it"), "{told:?}");
    assert_eq!(told[0].subject, "mine/own");
}

/// A stream's own packets, as a file has them.
fn packets(file: &str) -> (VideoParams, AudioParams, Vec<Packet>) {
    let (mut video, mut audio, mut packets) = (None, None, Vec::new());
    for tag in tags(&clips().join("generated").join(file)) {
        let dts = LONG_AGO + Span::from_millis(tag.timestamp.0.into());
        match tag.kind {
            TagKind::Video => {
                let header = VideoHeader::parse(tag.body()).unwrap();
                let data = header.payload(tag.body());
                if header.is_sequence_start() {
                    video = Some(VideoParams { codec: VideoCodec::Avc, size: None, config: data });
                } else if header.has_picture() {
                    let pts = dts + Span::from_millis(header.composition_ms.into());
                    let key = if header.is_key_frame() { Key::Frame } else { Key::Delta };
                    packets.push(Packet { track: Track::Video, pts, dts, duration: None, key, data });
                }
            }
            TagKind::Audio => {
                let header = AudioHeader::parse(tag.body()).unwrap();
                let data = header.payload(tag.body());
                if header.is_sequence_start() {
                    let rate = SampleRate::HZ_48000;
                    audio = Some(AudioParams { codec: AudioCodec::Aac, rate, channels: 2, config: data });
                } else {
                    let track = Track::Audio;
                    packets.push(Packet { track, pts: dts, dts, duration: None, key: Key::Frame, data });
                }
            }
            TagKind::Script => {}
        }
    }
    (video.unwrap(), audio.unwrap(), packets)
}

fn hand_in(to: &SourceHandle, file: &str) -> Result<(), SourceError> {
    let (video, audio, packets) = packets(file);
    to.video_params(video)?;
    to.audio_params(audio)?;
    packets.into_iter().try_for_each(|packet| to.packet(packet).map(|_| ()))
}

#[test]
fn offline_a_films_packets_are_shown_as_the_film_is() {
    let ran = held(2, SourceTracks::Both, |to| _ = hand_in(&to, "base.flv"));
    let file = offline(
        &text("file \"generated/base.flv\"")
            .replace("filler green {", "rundown program { at 0:02 end }\n  filler green {"),
        crate::support::ffmpeg(),
    );
    let (ours, films) = (decode(&ran.tags), decode(&tags(&file.out.path().join("program.flv"))));
    assert_eq!((ours.len(), films.len()), (50, 50));
    for (n, (a, b)) in ours.iter().zip(&films).enumerate() {
        assert!(psnr(a, b) > 45.0, "tick {n}: {:.1} dB", psnr(a, b));
    }
    let heard = |tags: &[Tag]| {
        let (_, _, samples) = decode_sound(tags);
        (samples.iter().map(|s| f64::from(*s * *s)).sum::<f64>() / samples.len() as f64).sqrt()
    };
    let (ours, films) = (heard(&ran.tags), heard(&tags(&file.out.path().join("program.flv"))));
    assert!(ours > 0.01 && (ours / films - 1.0).abs() < 0.05, "{ours} and {films}");
}

/// A live show whose camera is handed in by the test.
fn live(record: &str, kit: Arc<dyn codecs::CodecKit>) -> (Engine, SourceHandle, tempfile::TempDir) {
    let out = tempfile::tempdir().unwrap();
    let mut options = RunOptions { out: out.path().to_owned(), kit, ..RunOptions::new(Mode::RealTime) };
    let camera = options.sources.handle("my-camera", SourceTracks::Both);
    assert_eq!(camera.frame(Frame { pts: at(0), picture: picture(0) }), Err(SourceError::NotStarted));
    let engine = Engine::start(show(&text(&format!("source my-camera {record}"))), options).unwrap();
    (engine, camera, out)
}

#[test]
fn live_raw_frames_go_on_air_whatever_their_format_and_nobody_waits() {
    let (engine, camera, out) = live(r#"record="iso/mine.flv""#, Arc::new(Fake::new()));
    let handle = engine.handle();
    wait_for(&handle, "the filler before it begins", |s| on_air(s) == Some("green"));
    let pixels = |n: u64, format: RawFormat| {
        let data = vec![luma(n); format.packed_len(Size::new(80, 60))];
        RawPicture::packed(format, Size::new(80, 60), &data).unwrap().to_picture().unwrap()
    };
    let formats = [RawFormat::I420, RawFormat::Nv12, RawFormat::Yuy2, RawFormat::Rgba];
    let (begun, mut n) = (Instant::now(), 0);
    // At the pace of a camera until it is on air, by its own clock.
    while on_air(&handle.status()) != Some("mine") {
        assert!(begun.elapsed().as_secs() < 30, "it never comes on air: {:#?}", handle.status());
        camera.frame(Frame { pts: at(n), picture: pixels(n, formats[n as usize % 4]) }).unwrap();
        camera.sound(sound(n)).unwrap();
        n += 1;
        std::thread::sleep(at(n).since_start(begun));
    }
    // One that goes back is told of, whatever becomes of it.
    camera.frame(Frame { pts: at(n - 3), picture: picture(n) }).unwrap();
    // A thousand at once: some are lost, nobody waits, and no memory fills.
    let handed: Vec<_> =
        (n..n + 1000).map(|n| camera.frame(Frame { pts: at(n), picture: picture(n) }).unwrap()).collect();
    assert!(handed.contains(&Handed::Dropped) && handed.contains(&Handed::Taken));
    camera.end();
    wait_for(&handle, "the filler at its end", |s| on_air(s) == Some("green"));
    handle.stop();
    let report = engine.wait();
    assert_eq!(camera.frame(Frame { pts: at(0), picture: picture(0) }), Err(SourceError::Over));
    let codes = codes(&report);
    let count = |code: &str| codes.iter().filter(|(c, subject)| c == code && subject == "mine/own").count();
    assert_eq!((count("line-connected"), count("line-disconnected"), count("line-overrun")), (1, 1, 1));
    let back: Vec<_> = report.events.iter().filter(|e| e.code == "decode-error").collect();
    assert!(back.len() == 1 && back[0].message.contains("not later than the one before"), "{back:#?}");
    // Raw pictures and raw sound are not recorded, and that is said once each.
    assert_eq!((count("iso-unwritable"), out.path().join("iso").exists()), (2, false));
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
}

/// The wall-clock wait until a stamp is due.
trait Due {
    fn since_start(self, begun: Instant) -> std::time::Duration;
}
impl Due for Time {
    fn since_start(self, begun: Instant) -> std::time::Duration {
        (self - LONG_AGO).as_duration().saturating_sub(begun.elapsed())
    }
}

#[test]
fn live_packets_are_decoded_and_recorded_as_they_came() {
    let (engine, camera, out) = live(r#"record="iso/mine.flv""#, crate::support::ffmpeg());
    let handle = engine.handle();
    hand_in(&camera, "base.flv").unwrap();
    wait_for(&handle, "its pictures", |s| s.cameras[0].lines[0].state == LineState::Live);
    camera.end();
    wait_for(&handle, "its recording", |s| {
        s.cameras[0].lines[0]
            .recording
            .as_ref()
            .is_some_and(|r| r.state == EgressState::Connecting && r.files == 1)
    });
    drop(camera);
    handle.stop();
    let report = engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    // A header stands before its track's first packet, wherever the other track's is.
    let bodies = |path: &std::path::Path| {
        let (pictures, sound): (Vec<_>, Vec<_>) = tags(path)
            .into_iter()
            .filter(|tag| tag.kind != TagKind::Script)
            .partition(|tag| tag.kind == TagKind::Video);
        pictures.into_iter().chain(sound).map(Tag::into_body).collect::<Vec<_>>()
    };
    let kept = bodies(&out.path().join("iso/mine.flv"));
    let sent = bodies(&clips().join("generated/base.flv"));
    // The end of a sequence is no packet.
    let sent: Vec<_> = sent.into_iter().filter(|body| body.len() > 5).collect();
    assert!(kept == sent, "{} and {} bodies", kept.len(), sent.len());
}

#[test]
fn a_name_that_nobody_registered_keeps_the_show_from_starting_and_says_what_there_is() {
    let start = |names: &[&str], mode| {
        let mut options = RunOptions { limit: Some(Span::from_secs(1)), ..RunOptions::new(mode) };
        for name in names {
            options.sources.handle(*name, SourceTracks::Both);
        }
        Engine::start(show(&text("source my-camera")), options).err().unwrap()
    };
    let error = start(&["other", "wide"], Mode::RealTime);
    assert!(matches!(&error, StartError::Source { subject, .. } if subject == "mine/own"));
    let said = "mine/own: no source `my-camera` is registered; there are: other, wide";
    assert_eq!(error.to_string(), said);
    let said = "mine/own: no source `my-camera` is registered; there is none: sources come from a program that embeds the engine";
    assert_eq!(start(&[], Mode::Offline).to_string(), said);
}

/// A show built in code may name one twice, and a show may be started again with what it was given.
#[test]
fn a_source_goes_to_one_line_of_one_show() {
    let mut shown = show(&text("source my-camera"));
    let mut options = RunOptions { limit: Some(Span::from_secs(1)), ..RunOptions::new(Mode::RealTime) };
    let start = |show: &pipeline_dsl::Show, options: &RunOptions| {
        Engine::start(show.clone(), options.clone()).err().unwrap().to_string()
    };
    options.sources.handle("my-camera", SourceTracks::Both);
    let second = pipeline_dsl::Line { name: "second".to_owned(), ..shown.cameras[0].lines[0].clone() };
    shown.cameras[0].lines.push(second);
    let said = "the source `my-camera` is taken: each goes to one line of one show, register it anew";
    assert_eq!(start(&shown, &options), format!("mine/second: {said}"));
    shown.cameras[0].lines.pop();
    assert_eq!(start(&shown, &options), format!("mine/own: {said}"));
}

#[test]
fn a_source_that_panics_ends_its_line_and_nothing_else() {
    let ran = held(1, SourceTracks::Pictures, |to| {
        to.frame(Frame { pts: at(0), picture: picture(0) }).unwrap();
        panic!("the camera is broken");
    });
    assert_eq!(ran.report.channels[0].frames, 25);
    let told: Vec<_> = ran.report.events.iter().filter(|e| e.code == "line-error").collect();
    assert_eq!(told.len(), 1, "{:#?}", ran.report.events);
    assert_eq!(told[0].message, "the source panicked; nothing more is received");
}

#[test]
fn a_source_that_hangs_is_covered_and_left_behind() {
    let out = tempfile::tempdir().unwrap();
    let kit = Arc::new(Fake::new());
    let mut options = RunOptions { out: out.path().to_owned(), kit, ..RunOptions::new(Mode::RealTime) };
    let (wakes, hangs) = std::sync::mpsc::channel::<()>();
    options.sources.add("my-camera", SourceTracks::Pictures, move |to: SourceHandle| {
        to.frame(Frame { pts: at(0), picture: picture(0) }).unwrap();
        // As a card's driver does.
        let _ = hangs.recv();
    });
    let engine = Engine::start(show(&text("source my-camera")), options).unwrap();
    let handle = engine.handle();
    wait_for(&handle, "its picture", |s| on_air(s) == Some("mine"));
    wait_for(&handle, "the filler over it", |s| on_air(s) == Some("green"));
    handle.stop();
    let report = engine.wait();
    let stuck: Vec<_> = report.events.iter().filter(|e| e.code == "line-stuck").collect();
    assert!(stuck.len() == 1 && stuck[0].message.contains("source mine/own"), "{:#?}", report.events);
    assert!(!tags(&out.path().join("program.flv")).is_empty());
    drop(wakes);
}

#[test]
fn the_example_of_packets_and_frames_runs_live_and_offline() {
    for mode in [Mode::Offline, Mode::RealTime] {
        let out = tempfile::tempdir().unwrap();
        let report = packets_source::run(&clips().join("generated/base.flv"), mode, out.path()).unwrap();
        assert_eq!(report.exit_code(), 0, "{mode:?}: {:#?}", report.events);
        let aired = reasons(&report);
        // In real time it is black until the film's first picture.
        assert!(aired.ends_with(&[("drawn", "cut"), ("-", "end")]), "{mode:?}: {aired:?}");
        let frames = decode(&tags(&out.path().join("program.flv")));
        assert_eq!(frames.len(), 50);
        // Blue beside the film's gray.
        let blue = |n: usize| mean(&frames[n])[1];
        assert!(blue(40) > blue(20), "{mode:?}: {} and {}", blue(40), blue(20));
        for camera in &report.cameras {
            assert!(camera.lines[0].packets > 40, "{mode:?}: {camera:#?}");
        }
    }
}

#[test]
fn the_example_runs() {
    let out = tempfile::tempdir().unwrap();
    let report = custom_source::run(out.path()).unwrap();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    assert!(report.cameras[0].lines[0].packets > 20, "{:#?}", report.cameras);
    assert_ne!(report.cameras[0].lines[0].state, LineState::Never);
    let recorded = tags(&out.path().join("program.flv"));
    assert_eq!(decode(&recorded).len(), 75);
}

/// What `check` refuses may still come from a variable, or a show built in code.
#[test]
fn a_channel_none_of_whose_lines_this_version_knows_does_not_start() {
    let mut show = show(&text("pull \"srt://h:1\""));
    show.cameras[0].lines[0].input =
        pipeline_dsl::Input::Pull { url: pipeline_dsl::Text::Plain("ftp://h/x".to_owned()), ca: None };
    let error = Engine::start(show, RunOptions::new(Mode::RealTime)).err().unwrap().to_string();
    assert!(error.contains("none of its sources has a line that is available"), "{error}");
}
