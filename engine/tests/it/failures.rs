//! Parts that fail: what is left of the show goes on, and a show that does not start leaves nothing.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Fake, Frame, VideoDecoder,
    VideoEncoder, VideoEncoderSettings,
};
use engine::{EgressState, Engine, Mode, Report, RunOptions};
use media::{AudioParams, Key, Packet, Size, Time, VideoParams};

use crate::support::{clips, codes, offline, pictures, show, tags};

/// The fake codecs, but the encoder of this size is altered.
pub(crate) struct Altered<F> {
    pub(crate) size: Size,
    pub(crate) alter: F,
}

impl<F> CodecKit for Altered<F>
where
    F: Fn(Box<dyn VideoEncoder>) -> Box<dyn VideoEncoder> + Send + Sync,
{
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Fake::new().video_decoder(params)
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        Fake::new().audio_decoder(params)
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        let inner = Fake::new().video_encoder(settings)?;
        Ok(if settings.size == self.size { (self.alter)(inner) } else { inner })
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Fake::new().audio_encoder(settings)
    }
}

/// Panics at its frame of this number.
struct PanickingEncoder {
    inner: Box<dyn VideoEncoder>,
    left: u32,
}

impl VideoEncoder for PanickingEncoder {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        assert!(self.left > 0, "an encoder that panics, as the test wants");
        self.left -= 1;
        self.inner.send(frame, key)
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.inner.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.inner.flush()
    }
}

/// The encoder of this size panics at its frame of this number.
fn panicking(size: Size, at: u32) -> impl CodecKit {
    let alter = move |inner| Box::new(PanickingEncoder { inner, left: at }) as Box<dyn VideoEncoder>;
    Altered { size, alter }
}

/// Two channels: one with a rung of 64x36 and one of 32x18, one with a rung of 16x16 alone.
const TWO: &str = r#"
show "two" {
  video 64x36 25fps
  audio 48kHz stereo
  camera main { line gen test "bars" tone=440 }
  filler main { test "color:lime" }
  ladder both { keyframe 1s; audio 64k; rung small 64x36 100k; rung tiny 32x18 50k }
  ladder one  { keyframe 1s; audio 64k; rung lone 16x16 50k }
  channel program { sources main; filler main after=500ms; ladder both; egress disk record "{channel}-{rung}.flv" }
  channel backup  { sources main; ladder one; egress disk record "{channel}-{rung}.flv" }
  rundown program { at 0:05 end }
  rundown backup { at 0:05 end }
}"#;

fn of<'a>(report: &'a Report, code: &str) -> Vec<&'a str> {
    report.events.iter().filter(|e| e.code == code).map(|e| e.subject.as_str()).collect()
}

fn shown(out: &Path, file: &str) -> usize {
    pictures(&tags(&out.join(file))).len()
}

#[test]
fn an_encoder_that_panics_ends_its_rung_and_no_other() {
    let ran = offline(TWO, Arc::new(panicking(Size::new(32, 18), 50)));
    assert_eq!(of(&ran.report, "rung-failed"), ["program/tiny"], "{:#?}", ran.report.events);
    assert_eq!(of(&ran.report, "channel-failed"), [""; 0]);
    assert_eq!(ran.report.exit_code(), 1);
    assert_eq!(ran.report.channels[0].frames, 125);
    let out = ran.out.path();
    assert_eq!((shown(out, "program-small.flv"), shown(out, "backup-lone.flv")), (125, 125));
    assert!((25..=50).contains(&shown(out, "program-tiny.flv")), "what there was is in a whole file");
}

/// The fake codecs, but every decoder of pictures panics at its first packet.
struct PanickingDecoders;

struct PanickingDecoder;

impl VideoDecoder for PanickingDecoder {
    fn send(&mut self, _: &Packet) -> Result<(), CodecError> {
        panic!("a decoder that panics, as the test wants")
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl CodecKit for PanickingDecoders {
    fn video_decoder(&self, _: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(Box::new(PanickingDecoder))
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        codecs::Ffmpeg::new().audio_decoder(params)
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        Fake::new().video_encoder(settings)
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Fake::new().audio_encoder(settings)
    }
}

#[test]
fn a_decoder_that_panics_ends_its_line_and_not_the_show() {
    let text = TWO.replacen(
        r#"camera main { line gen test "bars" tone=440 }"#,
        r#"camera main { line clip file "generated/video-only.mp4" }"#,
        1,
    );
    let ran = offline(&text, Arc::new(PanickingDecoders));
    assert_eq!(of(&ran.report, "line-error"), ["main/clip"], "{:#?}", ran.report.events);
    assert_eq!(ran.report.channels[0].frames, 125);
    assert_eq!(ran.report.exit_code(), 0, "a lost line is no failed channel");
}

fn check_lone_rung_lost(report: &Report, out: &Path) {
    assert_eq!(of(report, "rung-failed"), ["backup/lone"], "{:#?}", report.events);
    assert_eq!(of(report, "channel-failed"), ["backup"], "{:#?}", report.events);
    assert_eq!(report.exit_code(), 1);
    let [program, backup] = &report.channels[..] else { panic!("two channels") };
    assert_eq!(program.frames, 125, "the other channel goes on");
    assert_eq!((shown(out, "program-small.flv"), shown(out, "program-tiny.flv")), (125, 125));
    // The frames that the ladder's queues hold were handed over before it was known.
    assert!((50..=60).contains(&backup.frames), "{}", backup.frames);
    let last = backup.on_air.last().unwrap();
    assert_eq!((last.source.as_deref(), last.reason.as_str()), (None, "failed"));
    assert!((2.0..3.0).contains(&last.t), "{}", last.t);
}

#[test]
fn a_channel_without_rungs_has_failed_and_counts_no_further() {
    let fake = Fake::new().failing(Size::new(16, 16), Time::from_secs(2));
    let ran = offline(TWO, Arc::new(fake));
    check_lone_rung_lost(&ran.report, ran.out.path());
    let ran = offline(TWO, Arc::new(panicking(Size::new(16, 16), 50)));
    check_lone_rung_lost(&ran.report, ran.out.path());
}

#[test]
fn fillers_are_no_cameras_even_if_they_bear_their_names() {
    let ran = offline(TWO, Arc::new(Fake::new()));
    let names = |cameras: &[engine::CameraReport]| {
        let names = cameras.iter().map(|c| (c.name.clone(), c.lines[0].name.clone()));
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&ran.report.cameras), [("main".to_owned(), "gen".to_owned())]);
    assert_eq!(names(&ran.report.fillers), [("main".to_owned(), "filler".to_owned())]);
    assert_eq!(ran.report.exit_code(), 0);
    assert!(ran.report.channels.iter().flat_map(|c| &c.egress).all(|e| e.state == EgressState::Closed));
    // A report written before fillers had their own list is still one.
    let mut json = serde_json::to_value(&ran.report).unwrap();
    json.as_object_mut().unwrap().remove("fillers");
    assert!(serde_json::from_value::<Report>(json).unwrap().fillers.is_empty());
    assert!(codes(&ran.report).iter().all(|(code, _)| !code.contains("failed")));
}

#[test]
fn a_channel_that_cannot_record_takes_the_others_recordings_back() {
    let out = tempfile::tempdir().unwrap();
    std::fs::write(out.path().join("blocked"), "a file where a folder is needed").unwrap();
    let text = TWO.replacen(
        r#"channel backup  { sources main; ladder one; egress disk record "{channel}-{rung}.flv" }"#,
        r#"channel backup  { sources main; ladder one; egress disk record "blocked/{rung}.flv" }"#,
        1,
    );
    let options = RunOptions {
        out: out.path().to_owned(),
        kit: Arc::new(Fake::new()),
        ..RunOptions::new(Mode::Offline)
    };
    let error = Engine::start(show(&text), options).err().unwrap().to_string();
    assert!(error.contains("channel backup: no egress is left that works"), "{error}");
    assert_eq!(files(out.path()), ["blocked"]);
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|n| n.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Threads of shows there are in this process.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    // A thread may end while it is being looked at.
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let ours = ["file ", "push ", "record ", "rung ", "channel ", "show", "scale", "encode-", "rtmp"];
    names.map(|n| n.trim().to_owned()).filter(|n| ours.iter().any(|ours| n.starts_with(ours))).collect()
}

fn open_below(folder: &Path) -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    links.filter_map(|fd| std::fs::read_link(fd.path()).ok()).filter(|to| to.starts_with(folder)).count()
}

/// In a process of its own, where no other test has threads.
#[test]
fn ten_starts_that_fail_leave_no_thread_no_descriptor_and_no_file() {
    const ALONE: &str = "FAILING_STARTS_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "failures::ten_starts_that_fail_leave_no_thread_no_descriptor_and_no_file";
        let mut child = Process::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let out = tempfile::tempdir().unwrap();
    let text = |second: &str| {
        format!(
            r#"
show "sunk" {{
  video 320x180 25fps
  audio 48kHz stereo
  camera disk  {{ line clip file "clips/bigbuckbunny-720p25.mp4" loop=true }}
  camera fiber {{ line push push "rtmp:live/main" }}
  ladder one {{ keyframe 1s; audio 64k; rung 180p 320x180 400k; rung 90p 160x90 150k }}
  channel first  {{ sources disk fiber; ladder one; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel second {{ sources disk; ladder one; egress disk record "{{channel}}-{{rung}}.flv"; {second} }}
}}"#
        )
    };
    let unset = text(r#"egress more record env:NO_SUCH_VARIABLE_IS_SET"#);
    for (text, free, word) in
        [(text(""), false, "RTMP cannot listen"), (unset, true, "NO_SUCH_VARIABLE_IS_SET")]
    {
        for _ in 0..10 {
            let mut show = show(&text);
            show.listen.rtmp = taken.local_addr().unwrap();
            if free {
                show.listen.rtmp.set_port(0);
            }
            let options =
                RunOptions { inputs: clips(), out: out.path().to_owned(), ..RunOptions::new(Mode::RealTime) };
            let error = Engine::start(show, options).err().unwrap().to_string();
            assert!(error.contains(word), "{error}");
            assert_eq!(files(out.path()), [""; 0]);
            assert_eq!(open_below(out.path()), 0);
        }
    }
    // The encoders' threads end on their own; the bound only keeps a broken engine from hanging the test.
    let begun = Instant::now();
    while !threads().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "left behind: {:?}", threads());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Is asked for some key frames in vain.
struct DeafEncoder {
    inner: Box<dyn VideoEncoder>,
    deaf: std::ops::Range<Time>,
}

impl VideoEncoder for DeafEncoder {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        self.inner.send(frame, if self.deaf.contains(&frame.pts) { Key::Delta } else { key })
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.inner.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.inner.flush()
    }
}

#[test]
fn rungs_whose_key_frames_lie_apart_raise_an_alarm_until_they_are_together() {
    let text = TWO.replace("at 0:05 end", "at 0:08 end");
    let deaf = Time::from_millis(1_500)..Time::from_millis(3_500);
    let alter = move |inner| Box::new(DeafEncoder { inner, deaf: deaf.clone() }) as Box<dyn VideoEncoder>;
    let kit = Altered { size: Size::new(32, 18), alter };
    let ran = offline(&text, Arc::new(kit));
    let told = |code| ran.report.events.iter().filter(move |event| event.code == code).collect::<Vec<_>>();
    let (apart, together) = (told("rungs-apart"), told("rungs-together"));
    assert_eq!((apart.len(), together.len()), (1, 1), "{:#?}", ran.report.events);
    assert_eq!((apart[0].subject.as_str(), apart[0].level), ("program", engine::Level::Alarm));
    assert!(
        apart[0].message.contains("rung tiny") && apart[0].message.contains("0:02.000"),
        "{}",
        apart[0].message
    );
    let whole = offline(&text, Arc::new(Fake::new()));
    assert_eq!(of(&whole.report, "rungs-apart"), [""; 0]);
}
