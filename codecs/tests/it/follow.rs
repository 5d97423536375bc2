//! Sound on a timeline that is not its own.

use std::f64::consts::TAU;

use codecs::{Follower, Pcm};
use media::{SampleRate, Span, Time};
use proptest::prelude::*;

const RATE: SampleRate = SampleRate::HZ_48000;

/// Sample `from` on of a tone of so many hertz.
fn tone(hz: f64, rate: SampleRate, pts: Time, from: usize, len: usize) -> Pcm {
    let samples: Vec<f32> = (from..from + len)
        .flat_map(|n| [(n as f64 * hz / f64::from(rate.hz()) * TAU).sin() as f32 * 0.5; 2])
        .collect();
    Pcm::new(pts, rate, 2, samples)
}

/// All of it as one block; fails if the parts do not follow on.
fn join(parts: &[Pcm]) -> Pcm {
    let first = parts[0].clone();
    let mut samples = Vec::new();
    for part in parts {
        let at = (samples.len() / usize::from(first.channels)) as i64;
        assert_eq!(part.pts, first.pts + Span::from_units(at, 1, first.rate.hz()));
        samples.extend_from_slice(&part.samples);
    }
    Pcm::new(first.pts, first.rate, first.channels, samples)
}

/// Power of each frequency, in place, of a window of a power of two samples.
fn spectrum(samples: impl Iterator<Item = f32>, len: usize) -> Vec<f64> {
    // Blackman and Harris's window: what is beside the tone and not of it lies 92 dB lower.
    let window = |n: usize| {
        let x = TAU * n as f64 / len as f64;
        0.35875 - 0.48829 * x.cos() + 0.14128 * (2.0 * x).cos() - 0.01168 * (3.0 * x).cos()
    };
    let mut bins: Vec<(f64, f64)> =
        samples.take(len).enumerate().map(|(n, s)| (f64::from(s) * window(n), 0.0)).collect();
    let bits = len.trailing_zeros();
    for n in 0..len {
        let m = n.reverse_bits() >> (usize::BITS - bits);
        if n < m {
            bins.swap(n, m);
        }
    }
    let mut half = 1;
    while half < len {
        for at in (0..len).step_by(2 * half) {
            for k in 0..half {
                let (sin, cos) = (-TAU * k as f64 / (2 * half) as f64).sin_cos();
                let (a, b) = (bins[at + k], bins[at + k + half]);
                let b = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                bins[at + k] = (a.0 + b.0, a.1 + b.1);
                bins[at + k + half] = (a.0 - b.0, a.1 - b.1);
            }
        }
        half *= 2;
    }
    bins[..len / 2].iter().map(|(re, im)| re * re + im * im).collect()
}

/// The strongest of what lies more than 60 Hz beside the tone, in dB below it, in the worst
/// sixth of a second.
fn dirt(sound: &Pcm) -> f64 {
    const LEN: usize = 8192;
    let left: Vec<f32> = sound.samples.iter().copied().step_by(2).collect();
    let mut worst = f64::NEG_INFINITY;
    for at in (0..left.len() - LEN).step_by(LEN / 4) {
        let bins = spectrum(left[at..].iter().copied(), LEN);
        let top = (0..bins.len()).max_by(|a, b| bins[*a].total_cmp(&bins[*b])).unwrap();
        let beside = 60 * LEN / RATE.hz() as usize;
        let other = bins.iter().enumerate().filter(|(n, _)| n.abs_diff(top) > beside);
        let other = other.map(|(_, power)| *power).fold(0.0, f64::max);
        worst = worst.max(10.0 * (other / bins[top]).log10());
    }
    worst
}

/// Follows places that `place` tells of each moment of the sound, in blocks as AAC has them.
fn follow(rate: SampleRate, hz: f64, seconds: usize, place: impl Fn(f64) -> f64) -> Vec<Pcm> {
    let mut follower = Follower::new(RATE, 2);
    let mut out = Vec::new();
    let at = |n: usize| Time::from_nanos((place(n as f64 / f64::from(rate.hz())) * 1e9).round() as i64);
    for n in 0..seconds * rate.hz() as usize / 1024 {
        let block = tone(hz, rate, at(n * 1024), n * 1024, 1024);
        out.extend(follower.push(&block, at((n + 1) * 1024)).unwrap());
        // What has come out reaches what was told, but for what the filter holds back.
        let end = out.last().map_or(Time::ZERO, Pcm::end);
        let late = (at((n + 1) * 1024) - end).as_secs_f64();
        assert!(late.abs() < 0.0045, "{:.2} ms off after block {n}", late * 1000.0);
    }
    out.extend(follower.flush().unwrap());
    out
}

#[test]
fn a_tone_stays_clean_through_every_correction() {
    // Nothing; then a clock 300 ppm slow; then one that must be caught up with, by 1 % at the
    // most, faster and slower step by step; then nothing again.
    let place = |t: f64| {
        let mut at = t;
        let steps = [(2.0, 300e-6), (4.0, 1e-3), (4.5, 2e-3), (5.0, 4e-3), (5.5, 6e-3), (6.0, 8e-3)];
        let back = [(7.0, -2e-3), (7.5, -2e-3), (8.0, -2e-3), (8.5, -2e-3)];
        let mut slope = 0.0;
        for (from, to) in steps {
            at += (to - slope) * (t - from).max(0.0);
            slope = to;
        }
        for (from, change) in back {
            at += change * (t - from).max(0.0);
        }
        at
    };
    for hz in [997.0, 6_001.0] {
        let out = join(&follow(RATE, hz, 10, place));
        let beside = dirt(&out);
        assert!(beside < -60.0, "{beside:.1} dB beside {hz} Hz");
    }
    // As a yardstick: the tone itself, and one with a sample left out.
    let plain = tone(997.0, RATE, Time::ZERO, 0, 48_000);
    assert!(dirt(&plain) < -85.0);
    let mut torn = plain.samples.to_vec();
    torn.drain(40_000..40_002);
    assert!(dirt(&Pcm::new(Time::ZERO, RATE, 2, torn)) > -60.0);
}

/// An encoder whose sound card runs by another clock than its time stamps.
#[test]
fn sound_that_runs_away_from_its_stamps_is_brought_back_and_cleanly() {
    for ppm in [-300.0, 300.0] {
        let rounded = |t: f64| (t * (1.0 + ppm / 1e6) * 1000.0).round() / 1000.0;
        // Steps of a millisecond are no slope: each block's end is told from its own beginning.
        let mut follower = Follower::new(RATE, 2);
        let mut out = Vec::new();
        for n in 0..40 * 48_000 / 1024usize {
            let pts = Time::from_nanos((rounded(n as f64 * 1024.0 / 48_000.0) * 1e9) as i64);
            let block = tone(997.0, RATE, pts, n * 1024, 1024);
            out.extend(follower.push(&block, block.end()).unwrap());
            let late = (block.end() - out.last().unwrap().end()).as_secs_f64() * 1000.0;
            assert!(late.abs() < 4.5, "{late:.2} ms off after block {n} at {ppm} ppm");
        }
        let out = join(&out);
        let beside = dirt(&out.slice(0, 48_000 * 20));
        assert!(beside < -60.0, "{beside:.1} dB beside the tone");
    }
}

#[test]
fn stamps_that_tremble_change_nothing_and_nothing_is_copied() {
    let mut follower = Follower::new(RATE, 2);
    for n in 0..2000usize {
        let exact = RATE.time_of(n as i64 * 1024);
        let pts = Time::from_millis(exact.as_millis_rounded() + (n as i64 * 7919 % 3) - 1);
        let block = tone(440.0, RATE, pts, n * 1024, 1024);
        let out = follower.push(&block, block.end()).unwrap();
        assert!(out.len() == 1 && std::sync::Arc::ptr_eq(&out[0].samples, &block.samples));
        assert!((out[0].pts - exact).abs() <= Span::from_millis(1));
    }
}

#[test]
fn a_gap_stays_a_gap_and_a_new_form_goes_on() {
    let mut follower = Follower::new(RATE, 2);
    let block = |ms: i64| tone(440.0, RATE, Time::from_millis(ms), 0, 960);
    let mut push = |pcm: &Pcm| follower.push(pcm, pcm.end()).unwrap();
    assert_eq!(push(&block(0))[0].pts, Time::ZERO);
    assert_eq!(push(&block(40))[0].pts, Time::from_millis(40), "20 ms are missing");
    assert_eq!(push(&block(10))[0].pts, Time::from_millis(10), "back again");
    let hz = SampleRate::new(44_100).unwrap();
    let mut out = Vec::new();
    for n in 0..10 {
        out.extend(push(&tone(440.0, hz, Time::from_millis(30 + n * 20), n as usize * 882, 882)));
    }
    out.extend(push(&block(230)));
    let all = join(&out);
    assert_eq!((all.pts, all.end()), (Time::from_millis(30), Time::from_millis(250)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any form, any place, any length said: blocks that follow on, and no more than 1 % bent.
    #[test]
    fn whatever_is_said_comes_out_in_order(
        blocks in prop::collection::vec(
            (prop::sample::select(vec![8_000u32, 44_100, 48_000, 192_000]), 1u8..=8, 0usize..3000,
             prop_oneof![Just(0i64), -30i64..30, any::<i64>()], prop_oneof![Just(0i64), -30i64..30, any::<i64>()]),
            1..30),
        to in 1u8..=2,
    ) {
        let mut follower = Follower::new(RATE, to);
        let mut pts = Time::ZERO;
        let (mut inn, mut out) = (0.0, 0.0);
        for (hz, channels, len, jump, wrong) in blocks {
            let rate = SampleRate::new(hz).unwrap();
            pts += Span::from_millis(jump);
            let block = Pcm::silence(pts, rate, channels, len);
            let end = block.end() + Span::from_millis(wrong);
            inn += len as f64 / f64::from(hz);
            for block in follower.push(&block, end).unwrap() {
                prop_assert!(block.channels == to && block.rate == RATE);
                out += block.len() as f64 / 48_000.0;
            }
            pts = end;
        }
        out += follower.flush().unwrap().map_or(0.0, |rest| rest.len() as f64 / 48_000.0);
        prop_assert!(out <= inn * 1.011 + 0.2, "{inn} s became {out} s");
    }
}
