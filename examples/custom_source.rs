//! A camera that is part of the program: pictures drawn here and a tone, in a live show.
//!
//! `cargo run -p engine --example custom_source`
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use codecs::{Frame, Pcm, PictureMut, Rgb};
use engine::{Engine, Mode, Report, RunOptions, SourceHandle, SourceTracks};
use media::{FrameRate, SampleRate, Size, Span, Tick};

/// 25 pictures and 48000 samples a second, until the show is over.
fn camera(to: &SourceHandle) -> Result<(), Box<dyn Error>> {
    let (rate, begun) = (FrameRate::new(25, 1)?, Instant::now());
    for n in 0..u64::MAX {
        let at = rate.time_of(Tick(n));
        // Drawn where it lies: a picture of the canvas's size goes on air without a copy.
        let picture = PictureMut::filled(Size::new(640, 360), Rgb::new(0, 90, (n * 3) as u8))?.freeze();
        to.frame(Frame { pts: at, picture })?;
        let tone = |s: u64| (s as f32 * 440.0 / 48_000.0 * std::f32::consts::TAU).sin() * 0.2;
        let samples: Vec<f32> = (n * 1920..(n + 1) * 1920).map(tone).collect();
        to.sound(Pcm::new(at, SampleRate::HZ_48000, 1, samples))?;
        // A real camera would wait for its next picture here. In an offline show nobody needs to
        // wait: the calls above do.
        let due = Duration::from_millis(40 * (n + 1));
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    Ok(())
}

/// Three seconds of it, recorded to `out`.
pub fn run(out: &Path) -> Result<Report, Box<dyn Error>> {
    let show = pipeline_dsl::parse_show(
        r#"show "own" {
             video 640x360 25fps
             camera mine { line own source my-camera }
             ladder one { rung 360p 640x360 800k }
             channel program { sources mine; ladder one; egress disk record "{channel}.flv" }
           }"#,
    )
    .map_err(|errors| format!("{errors:?}"))?;
    let (limit, out) = (Some(Span::from_secs(3)), out.to_owned());
    let mut options = RunOptions { limit, out, ..RunOptions::new(Mode::RealTime) };
    // An error says that the show is over.
    options.sources.add("my-camera", SourceTracks::Both, |to: SourceHandle| drop(camera(&to)));
    Ok(Engine::start(show, options)?.wait())
}

#[allow(dead_code, reason = "a test runs it, too")]
fn main() -> Result<(), Box<dyn Error>> {
    let report = run(&std::env::temp_dir().join("obvan-custom-source"))?;
    println!("{}", serde_json::to_string_pretty(&report.cameras)?);
    Ok(())
}
