//! Sound of any form in one.

use codecs::{Pcm, Resampler};
use media::{SampleRate, Span, Time};
use proptest::prelude::*;

const TO: SampleRate = SampleRate::HZ_48000;

fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

/// A tone of 1 kHz on all channels, sample `from` on of a stream that begins at `start`.
fn tone(start: Time, rate: SampleRate, channels: u8, from: usize, len: usize) -> Pcm {
    let samples: Vec<f32> = (from..from + len)
        .flat_map(|n| {
            let value = (n as f64 * 1000.0 / f64::from(rate.hz()) * std::f64::consts::TAU).sin() as f32 * 0.5;
            std::iter::repeat_n(value, channels.into())
        })
        .collect();
    Pcm::new(start + Span::from_units(from as i64, 1, rate.hz()), rate, channels, samples)
}

/// All of it as one block; fails if the parts do not follow on.
fn join(parts: Vec<Pcm>) -> Pcm {
    let first = parts[0].clone();
    let mut samples = Vec::new();
    for part in parts {
        let at = (samples.len() / usize::from(first.channels)) as i64;
        assert_eq!(part.pts, first.pts + Span::from_units(at, 1, first.rate.hz()));
        samples.extend_from_slice(&part.samples);
    }
    Pcm::new(first.pts, first.rate, first.channels, samples)
}

fn run(resampler: &mut Resampler, blocks: impl IntoIterator<Item = Pcm>) -> Pcm {
    let mut out = Vec::new();
    for block in blocks {
        out.extend(resampler.push(&block).unwrap());
    }
    out.extend(resampler.flush().unwrap());
    join(out)
}

#[test]
fn another_rate_keeps_the_tone_in_its_place() {
    for from in [44_100, 22_050, 96_000, 8_000] {
        let start = Time::from_secs(3);
        let hz = from as usize;
        let blocks = (0..10).map(|n| tone(start, rate(from), 2, n * hz / 10, hz / 10));
        let out = run(&mut Resampler::new(TO, 2), blocks);
        assert_eq!((out.pts, out.channels), (start, 2));
        assert!(out.len().abs_diff(48_000) <= 1, "{} samples from {from}", out.len());
        let want = tone(start, TO, 2, 0, out.len());
        let inner = 2 * 2_000..2 * 46_000;
        let worst = out.samples[inner.clone()]
            .iter()
            .zip(&want.samples[inner])
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 0.01, "{worst} off from {from}");
    }
}

#[test]
fn sound_that_is_right_is_not_copied() {
    let pcm = tone(Time::ZERO, TO, 2, 0, 480);
    let out = Resampler::new(TO, 2).push(&pcm).unwrap();
    assert!(out.len() == 1 && std::sync::Arc::ptr_eq(&out[0].samples, &pcm.samples));
}

#[test]
fn one_channel_becomes_two_of_the_same_strength() {
    let out = run(&mut Resampler::new(TO, 2), [tone(Time::ZERO, TO, 1, 0, 4800)]);
    assert_eq!(out.len(), 4800);
    let want = tone(Time::ZERO, TO, 2, 0, 4800);
    assert!(out.samples.iter().zip(&*want.samples).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn several_channels_do_not_add_up_to_more_than_full_scale() {
    let loud = |channels| Pcm::new(Time::ZERO, TO, channels, vec![1.0; 480 * usize::from(channels)]);
    for (from, to) in [(2, 1), (6, 2), (8, 2), (6, 1)] {
        let out = run(&mut Resampler::new(TO, to), [loud(from)]);
        assert!(out.peak() <= 1.001 && out.peak() > 0.5, "{from} to {to}: {}", out.peak());
    }
}

#[test]
fn small_errors_of_time_are_smoothed_and_jumps_are_followed() {
    let mut resampler = Resampler::new(TO, 2);
    let mut out = Vec::new();
    for n in 0..20 {
        // As FLV tells it: in whole milliseconds.
        let mut block = tone(Time::ZERO, rate(44_100), 2, n * 1024, 1024);
        block.pts = Time::from_millis(block.pts.as_millis_rounded());
        out.extend(resampler.push(&block).unwrap());
    }
    let before = out.len();
    let jump = tone(Time::from_secs(10), rate(44_100), 2, 0, 4410);
    out.extend(resampler.push(&jump).unwrap());
    let whole = join(out[..=before].to_vec());
    assert!((whole.end() - Time::from_millis(464)).abs() < Span::from_millis(2), "{}", whole.end());
    assert_eq!(out[before + 1].pts, Time::from_secs(10));
}

#[test]
fn a_stretch_gives_more_or_fewer_samples() {
    for more in [-480, 480] {
        let mut resampler = Resampler::new(TO, 2);
        resampler.stretch(more, 48_000).unwrap();
        let out = run(&mut resampler, (0..100).map(|n| tone(Time::ZERO, TO, 2, n * 480, 480)));
        let got = out.len() as i64 - 48_000;
        assert!((got - i64::from(more)).abs() < 20, "{got} for {more}");
        assert!((out.rms() - 0.3535).abs() < 0.01);
    }
    assert!(Resampler::new(TO, 2).stretch(1000, 5000).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_form_goes_in(hz in prop::sample::select(vec![8_000u32, 11_025, 44_100, 48_000, 192_000]),
                        channels in 1u8..=12, to in 1u8..=2, lens in prop::collection::vec(0usize..3000, 1..6)) {
        let mut resampler = Resampler::new(TO, to);
        let (mut at, mut given) = (0, 0);
        for len in lens {
            if let Ok(blocks) = resampler.push(&tone(Time::ZERO, rate(hz), channels, at, len)) {
                given += blocks.iter().map(Pcm::len).sum::<usize>();
            } else {
                prop_assert!(channels > 8);
                return Ok(());
            }
            at += len;
        }
        given += resampler.flush().unwrap().map_or(0, |block| block.len());
        let want = at as f64 * 48_000.0 / f64::from(hz);
        // What is shorter than the filter (40 samples of the lower rate) may give nothing at all.
        let short = at <= 40 * (hz as usize).div_ceil(48_000);
        prop_assert!(given as f64 <= want + 2.0 && (short || given as f64 >= want - 2.0), "{} for {}", given, want);
    }
}
