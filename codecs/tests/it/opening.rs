//! What opening an encoder costs, for eyes alone: run it with
//! `cargo test -p codecs --test it opening -- --ignored --nocapture`.

use std::num::NonZeroU8;
use std::time::Instant;

use codecs::{CodecKit, EncoderThreads, Ffmpeg, Frame, Lookahead, VideoEncoderName, VideoEncoderSettings};
use media::{FrameRate, Key, Size};

const RUNGS: [(Size, u32); 4] = [
    (Size::new(1920, 1080), 4_500_000),
    (Size::new(1280, 720), 2_500_000),
    (Size::new(854, 480), 1_200_000),
    (Size::new(640, 360), 700_000),
];
const RUNS: usize = 5;

/// Milliseconds, the least and the median of the runs.
fn told(mut runs: Vec<f64>) -> String {
    runs.sort_by(f64::total_cmp);
    format!("{:.1} ({:.1})", runs[0], runs[RUNS / 2])
}

/// To open an encoder, to the first packet from then on, and how many pictures that takes.
fn cost(settings: &VideoEncoderSettings, film: &[Frame]) -> [String; 3] {
    let ms = |since: Instant| since.elapsed().as_secs_f64() * 1000.0;
    let (mut opens, mut firsts, mut pictures) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let mut encoder = Ffmpeg::new().video_encoder(settings).unwrap();
        opens.push(ms(begun));
        let begun = Instant::now();
        let taken = film.iter().enumerate().take_while(|(n, frame)| {
            encoder.send(frame, if *n == 0 { Key::Frame } else { Key::Delta }).unwrap();
            encoder.receive().unwrap().is_none()
        });
        pictures = taken.count() + 1;
        firsts.push(ms(begun));
    }
    [told(opens), told(firsts), pictures.to_string()]
}

#[test]
#[ignore = "prints figures, and proves nothing"]
fn what_opening_costs() {
    let rate = FrameRate::new(25, 1).unwrap();
    println!("encoder  rung       latency  open ms (median)  to first packet ms (median)  pictures");
    for (size, bitrate) in RUNGS {
        let film: Vec<_> = (0..40).map(|n| crate::pattern::frame(size, rate, n)).collect();
        for encoder in [VideoEncoderName::X264, VideoEncoderName::X265] {
            for (latency, lookahead) in [("low", Lookahead::None), ("normal", Lookahead::Preset)] {
                // As on a machine of two cores.
                let threads = match (encoder, size.height, lookahead) {
                    (VideoEncoderName::X264, 1080, Lookahead::Preset) => {
                        EncoderThreads::Many(NonZeroU8::new(2).unwrap())
                    }
                    _ => EncoderThreads::One,
                };
                let usual = VideoEncoderSettings::new(size, rate, bitrate);
                let settings = VideoEncoderSettings { encoder, lookahead, threads, ..usual };
                let [open, first, pictures] = cost(&settings, &film);
                let (name, size) = (encoder.as_str(), size.to_string());
                println!("{name:<8} {size:<10} {latency:<8} {open:<17} {first:<28} {pictures}");
            }
        }
    }
}
