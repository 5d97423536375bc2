//! Lines recorded as they come, whatever the show makes of them.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;

use codecs::Fake;
use engine::{EgressState, Engine, Handle, Mode, RecordingReport, RunOptions, StartError};
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Tag, TagKind, hevc, nalu};

use crate::live::{Tool, tool, wait_for};
use crate::support::{clips, codes, show, tags};

/// A show that never puts the recorded line on air.
fn text(line: &str) -> String {
    format!(
        r#"
show "iso" {{
  video 64x36 25fps
  audio 48kHz stereo
  camera bars {{ line gen test "bars" tone=440 }}
  camera main record="iso/{{camera}}-{{line}}.flv" {{ line fiber {line} }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung small 64x36 100k }}
  channel program {{ sources bars main; ladder one; egress web serve http-flv }}
}}"#
    )
}

struct Recorded {
    engine: Engine,
    out: tempfile::TempDir,
}

impl Recorded {
    fn start(line: &str) -> Self {
        let mut show = show(&text(line));
        show.listen.rtmp.set_port(0);
        let out = tempfile::tempdir().unwrap();
        let (inputs, folder) = (clips(), out.path().to_owned());
        let options = RunOptions { inputs, out: folder, ..RunOptions::new(Mode::RealTime) };
        Self { engine: Engine::start(show, options).unwrap(), out }
    }
    fn file(&self, name: &str) -> PathBuf {
        self.out.path().join("iso").join(name)
    }
    fn url(&self) -> String {
        format!("rtmp://{}/live/main", self.engine.rtmp_addr().unwrap())
    }
}

fn recording(handle: &Handle) -> RecordingReport {
    handle.status().cameras[1].lines[0].recording.clone().unwrap()
}

/// Waits until so many streams are on disk.
fn wait_for_files(handle: &Handle, count: u64) {
    wait_for(handle, "the recording", |status| {
        let recording = status.cameras[1].lines[0].recording.as_ref().unwrap();
        recording.files == count && recording.state == EgressState::Connecting
    });
}

fn clip(name: &str) -> String {
    clips().join("generated").join(name).to_str().unwrap().to_owned()
}

fn ffmpeg(args: &[&str]) -> Vec<u8> {
    let output = Process::new("ffmpeg").args(["-nostdin", "-v", "error"]).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every packet of a file by FFmpeg's word: stream, stamps, size and sum.
fn packets(path: &str) -> Vec<String> {
    let told = ffmpeg(&["-copyts", "-i", path, "-c", "copy", "-f", "framemd5", "-"]);
    let told = String::from_utf8(told).unwrap();
    told.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// An encoder sends faster than anybody could decode, goes, and comes again: every packet of both
/// streams is there, bit by bit and to the sender's stamps, though the line lost most of them.
#[test]
fn a_push_is_recorded_bit_by_bit_through_a_reconnect() {
    let show = Recorded::start(r#"push "rtmp:live/main""#);
    let handle = show.engine.handle();
    assert_eq!(recording(&handle).state, EgressState::Connecting);
    let push = |clip: &str| {
        ffmpeg(&["-i", clip, "-c", "copy", "-f", "flv", &show.url()]);
    };
    push(&clip("base.flv"));
    wait_for_files(&handle, 1);
    push(&clip("long-sound.flv"));
    wait_for_files(&handle, 2);
    handle.stop();
    let (first, second) = (show.file("main-fiber.flv"), show.file("main-fiber-2.flv"));
    let report = show.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    for (sent, kept) in [("base.flv", &first), ("long-sound.flv", &second)] {
        let (sent, kept) = (packets(&clip(sent)), packets(kept.to_str().unwrap()));
        assert!(sent.len() > 100);
        assert_eq!(sent, kept);
    }
    let kept = tags(&first);
    let metadata = kept.iter().filter(|tag| tag.kind == TagKind::Script).count();
    assert_eq!((metadata, kept[0].kind), (1, TagKind::Script), "what the sender says of its stream");
    let told = report.cameras[1].lines[0].recording.clone().unwrap();
    let bytes = [&first, &second].map(|path| std::fs::metadata(path).unwrap().len());
    let expected = RecordingReport {
        file: Some(second.display().to_string()),
        files: 2,
        failures: 0,
        state: EgressState::Closed,
        bytes: bytes.iter().sum::<u64>() - 2 * flv::FILE_HEADER_LEN as u64,
        dropped_frames: 0,
    };
    assert_eq!(told, expected);
    let told: Vec<_> = codes(&report).into_iter().filter(|(code, _)| code.starts_with("iso-")).collect();
    let each = |code: &str| (code.to_owned(), "main/fiber".to_owned());
    let [started, closed] = ["iso-started", "iso-closed"].map(each);
    assert_eq!(told, [started.clone(), closed.clone(), started, closed]);
}

/// The show ends while an encoder sends: what has come is whole on disk, and nothing waits for it.
#[test]
fn the_shows_end_closes_what_is_still_recorded() {
    let show = Recorded::start(r#"push "rtmp:live/main""#);
    let handle = show.engine.handle();
    let (source, url) = (clip("base.flv"), show.url());
    let args =
        ["-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", &source, "-c", "copy", "-f", "flv"];
    let _push: Tool = tool("ffmpeg", &[&args[..], &[&url]].concat());
    wait_for(&handle, "some of it", |status| {
        status.cameras[1].lines[0].recording.as_ref().is_some_and(|recording| recording.bytes > 20_000)
    });
    handle.stop();
    let file = show.file("main-fiber.flv");
    let report = show.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    assert!(!codes(&report).iter().any(|(code, _)| code == "line-stuck"), "{:#?}", report.events);
    let kept = packets(file.to_str().unwrap());
    assert_eq!(kept[..], packets(&source)[..kept.len()]);
    assert!(tags(&file).len() > 20);
}

/// The picture units of a stream, without what is said about them.
fn slices<'a>(units: impl Iterator<Item = &'a [u8]>, is_hevc: bool) -> Vec<Vec<u8>> {
    let is_slice = |unit: &&[u8]| match is_hevc {
        true => hevc::NalType::of(unit).is_some_and(hevc::NalType::is_vcl),
        false => matches!(unit[0] & 31, 1..=5),
    };
    units.filter(is_slice).map(<[u8]>::to_vec).collect()
}

fn recorded_slices(tags: &[Tag], is_hevc: bool) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for tag in tags.iter().filter(|tag| tag.kind == TagKind::Video) {
        let header = VideoHeader::parse(tag.body()).unwrap();
        if header.has_picture() {
            let body = tag.body();
            let units = nalu::units(body, header.payload_offset, nalu::LengthSize::Four);
            all.extend(slices(units.map(|range| &body[range.unwrap()]), is_hevc));
        }
    }
    all
}

fn recorded_sound(tags: &[Tag]) -> Vec<Vec<u8>> {
    let tags = tags.iter().filter(|tag| tag.kind == TagKind::Audio);
    let frames = tags.filter_map(|tag| {
        let header = AudioHeader::parse(tag.body()).unwrap();
        header.has_sound().then(|| header.payload(tag.body()).to_vec())
    });
    frames.collect()
}

/// Sends a film as MPEG-TS over SRT; the tags that were recorded of it.
fn over_srt(film: &str) -> Vec<Tag> {
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let show = Recorded::start(&format!(r#"pull "srt://:{port}?latency=200""#));
    let handle = show.engine.handle();
    let url = format!("srt://127.0.0.1:{port}?mode=caller&latency=200000");
    ffmpeg(&["-re", "-i", film, "-c", "copy", "-f", "mpegts", &url]);
    wait_for_files(&handle, 1);
    handle.stop();
    let file = show.file("main-fiber.flv");
    let report = show.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    tags(&file)
}

/// What is left of `sent` behind its beginning, which a line that is called may miss.
fn is_tail<T: PartialEq>(kept: &[T], sent: &[T], what: &str) {
    assert!(kept.len() * 10 > sent.len() * 8, "{what}: {} of {}", kept.len(), sent.len());
    let begins =
        sent.iter().position(|unit| *unit == kept[0]).unwrap_or_else(|| panic!("{what}: other units"));
    let len = kept.len().min(sent.len() - begins);
    assert!(kept[..len] == sent[begins..begins + len], "{what}: units differ");
}

#[test]
fn a_wires_units_and_frames_are_kept_bit_by_bit() {
    let film = clip("base.ts");
    let kept = over_srt(&film);
    let sent = ffmpeg(&["-i", &film, "-c", "copy", "-an", "-f", "h264", "-"]);
    is_tail(&recorded_slices(&kept, false), &slices(nalu::annex_b(&sent), false), "AVC");
    let sound = ffmpeg(&["-i", &film, "-c", "copy", "-vn", "-f", "adts", "-"]);
    let mut sent = Vec::new();
    let mut rest = &sound[..];
    while let [_, _, _, a, b, c, ..] = *rest {
        let len = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c) >> 5;
        sent.push(rest[7..len].to_vec());
        rest = &rest[len..];
    }
    let sound = recorded_sound(&kept);
    is_tail(&sound, &sent, "AAC");
    let configs = kept.iter().filter(|tag| tag.kind == TagKind::Audio).filter_map(|tag| {
        let header = AudioHeader::parse(tag.body()).unwrap();
        header.is_sequence_start().then(|| header.payload(tag.body()).to_vec())
    });
    // AAC LC, 48 kHz, two channels.
    assert_eq!(configs.map(|c| c[..2].to_vec()).collect::<Vec<_>>(), [[0x11, 0x90]]);
    // What our own decoder makes of it: a whole film.
    assert!(crate::support::decode(&kept).len() > 80);
}

#[test]
fn a_wires_hevc_and_opus_are_kept_in_enhanced_tags() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("hevc-opus.ts");
    let film = film.to_str().unwrap();
    let source = clip("hevc.mp4");
    let sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"];
    let into =
        ["-map", "0:v", "-map", "1:a", "-shortest", "-c:v", "copy", "-c:a", "libopus", "-f", "mpegts", film];
    ffmpeg(&[&["-i", &source][..], &sound, &into].concat());
    let kept = over_srt(film);
    let sent = ffmpeg(&["-i", film, "-c", "copy", "-an", "-f", "hevc", "-"]);
    is_tail(&recorded_slices(&kept, true), &slices(nalu::annex_b(&sent), true), "HEVC");
    let headers = kept.iter().filter(|tag| tag.kind == TagKind::Video).filter_map(|tag| {
        let header = VideoHeader::parse(tag.body()).unwrap();
        header.is_sequence_start().then(|| header.payload(tag.body()))
    });
    let sizes: Vec<_> =
        headers.map(|h| hevc::DecoderConfig::parse(&h).unwrap().picture_size().unwrap()).collect();
    assert_eq!(sizes.len(), 1);
    let opus = ffmpeg(&["-i", film, "-c", "copy", "-vn", "-f", "ogg", "-"]);
    let sound = recorded_sound(&kept);
    assert!(sound.len() > 80, "{} frames of Opus", sound.len());
    let found = |frame: &[u8]| opus.windows(frame.len()).any(|window| window == frame);
    assert!(sound.iter().step_by(10).all(|frame| found(frame)), "Opus: frames differ");
}

/// A show built in code is not seen by `check`.
#[test]
fn what_does_not_come_over_a_wire_is_not_recorded() {
    let record = Some(pipeline_dsl::Text::Plain("iso/main.flv".to_owned()));
    for (line, why) in [("file \"generated/base.mp4\"", "on disk already"), ("test bars", "is drawn here")] {
        let text = text(line).replace("record=", "").replace("\"iso/{camera}-{line}.flv\"", "");
        let mut show = show(&text);
        show.cameras[1].lines[0].record = record.clone();
        assert_eq!(show.validate()[0].code, "not-recordable");
        let out = tempfile::tempdir().unwrap();
        let kit = Arc::new(Fake::new());
        let options = RunOptions { out: out.path().to_owned(), kit, ..RunOptions::new(Mode::RealTime) };
        match Engine::start(show, options) {
            Err(StartError::Line { subject, message }) => {
                assert_eq!(subject, "main/fiber");
                assert!(message.contains("cannot be recorded") && message.contains(why), "{message}");
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
}

fn is_there(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_stream_that_brings_nothing_leaves_no_file() {
    let show = Recorded::start(r#"push "rtmp:live/main""#);
    let folder = show.out.path().join("iso");
    show.engine.handle().stop();
    let report = show.engine.wait();
    assert!(!is_there(&folder), "{:#?}", report.events);
    assert_eq!(report.cameras[1].lines[0].recording.as_ref().unwrap().state, EgressState::Closed);
}
