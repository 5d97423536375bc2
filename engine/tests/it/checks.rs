//! What can be seen and heard to be wrong with a line, told with its end, and left for a line
//! that is well.

use codecs::{Frame, Pcm, Picture, PictureMut, Yuv};
use engine::{Engine, Mode, RunOptions, SourceHandle, SourceTracks};
use media::{FrameRate, SampleRate, Size, Span, Tick, Time};

use crate::support::show;

const SHOW: &str = r#"
show "checked" {
  video 64x36 25fps
  audio 48kHz stereo
  camera mine {
    line own source my-camera
    line spare test motion tone=440
    failover recover=1s suspect=500ms black=1s on=black
  }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung small 64x36 400k }
  channel program { sources mine; ladder one; egress disk record "{channel}.flv" }
}"#;

/// What picture `n` shows: for two seconds it moves, for three it is black, for three it moves,
/// for seven it stands still, and then it moves again.
fn picture(n: u64) -> Picture {
    let luma = match n {
        50..125 => 16,
        200..375 => 90,
        n => 40 + (n * 7 % 160) as u8,
    };
    PictureMut::filled(Size::new(64, 36), Yuv::new(luma, 128, 128)).unwrap().freeze()
}

/// Its sound, which is silent while the picture stands still.
fn sound(n: u64, pts: Time) -> Pcm {
    let level = if (200..375).contains(&n) { 0.0005 } else { 0.1 };
    Pcm::new(pts, SampleRate::HZ_48000, 2, vec![level; 2 * 1920])
}

#[test]
fn black_frozen_and_silent_lines_are_told_and_left() {
    let out = tempfile::tempdir().unwrap();
    let limit = Some(Span::from_secs(17));
    let mut options = RunOptions { limit, out: out.path().to_owned(), ..RunOptions::new(Mode::Offline) };
    options.sources.add("my-camera", SourceTracks::Both, |to: SourceHandle| {
        let rate = FrameRate::new(25, 1).unwrap();
        for n in 0.. {
            let pts = rate.time_of(Tick(n));
            let given = to.frame(Frame { pts, picture: picture(n) });
            if given.and_then(|_| to.sound(sound(n, pts))).is_err() {
                return;
            }
        }
    });
    let engine = Engine::start(show(SHOW), options).unwrap();
    let handle = engine.handle();
    let report = engine.wait();

    let told: Vec<_> = report.events.iter().map(|event| (event.code.as_str(), event.t)).collect();
    let when =
        |code: &str| -> Vec<f64> { told.iter().filter(|(c, _)| *c == code).map(|(_, t)| *t).collect() };
    for (code, at) in [
        ("line-black", 3.0),
        ("line-suspect", 3.0),
        ("failover", 3.0),
        ("line-black-over", 5.0),
        ("failover-recovered", 6.0),
        ("line-frozen", 13.0),
        ("line-silent", 13.0),
        ("line-frozen-over", 15.0),
        ("line-silent-over", 15.0),
    ] {
        let times = when(code);
        assert_eq!(times.len(), 1, "{code}: {told:?}");
        assert!((times[0] - at).abs() <= 0.08, "{code}: {times:?} is not {at}");
    }
    let [own, spare] = &report.cameras[0].lines[..] else { panic!("two lines") };
    for (total, want) in [(own.black_s, 3.0), (own.frozen_s, 7.0), (own.silent_s, 7.0)] {
        assert!(total.is_some_and(|total| (total - want).abs() <= 0.08), "{total:?} is not {want}");
    }
    // What is drawn here is not looked at.
    assert_eq!((spare.black_s, spare.frozen_s, spare.silent_s), (None, None, None));
    assert!(handle.status().cameras[0].lines.iter().all(|line| line.amiss.is_empty()));
}
