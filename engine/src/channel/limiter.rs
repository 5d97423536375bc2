//! A look-ahead limiter: no sample leaves it above -1 dBFS.
//!
//! The gain a peak needs is held for as long as a low tone takes from one peak to the next, so
//! that a steady tone has a steady gain; it falls to there in a straight line over the look-ahead,
//! and rises again slowly. What it lets through unchanged comes 1.5 ms later, sample for sample.

use std::collections::VecDeque;

use media::{SampleRate, Span, Time};

/// The largest magnitude that leaves it: -1 dBFS.
pub(crate) const CEILING: f32 = 0.891_25;
/// How far it sees: the way down to a peak's gain takes so long, and so late its sound is.
const AHEAD: Span = Span::from_flicks(Span::from_millis(3).flicks() / 2);
/// How long a peak's gain is held: half a wave of 40 Hz.
const HOLD: Span = Span::from_flicks(Span::from_millis(25).flicks() / 2);
/// The share of the way back to full gain that is made in this time is 1 - 1/e.
const RELEASE_S: f64 = 0.080;

/// Gains are counted in parts of this, so that their sum is exact however long it runs.
const ONE: u32 = 1 << 30;

pub(crate) struct Limiter {
    channels: usize,
    /// Frames.
    ahead: usize,
    /// Frames over which the least gain counts.
    window: u64,
    /// The part of 2^32 of the way back that is made in one frame.
    release: u64,
    /// Frames taken in.
    taken: u64,
    /// Gains that may yet be the least of the window: by frame, rising.
    least: VecDeque<(u64, u32)>,
    /// Where the gain is after hold and release.
    gain: u32,
    /// The latest of those, one a frame of the look-ahead, and their sum.
    gains: Vec<u32>,
    sum: u64,
    /// Samples that wait, as many frames as it sees ahead.
    waiting: Vec<f32>,
    /// The oldest frame of `waiting` and of `gains`.
    at: usize,
}

impl Limiter {
    /// For interleaved sound.
    pub(crate) fn new(rate: SampleRate, channels: u8) -> Self {
        let frames = |span| usize::try_from(rate.sample_at(Time::ZERO + span)).unwrap_or(1).max(1);
        let (ahead, hold) = (frames(AHEAD), frames(HOLD));
        let channels = usize::from(channels.max(1));
        let part = 1.0 - (-1.0 / (RELEASE_S * f64::from(rate.hz()))).exp();
        let window = ahead + hold;
        Self {
            channels,
            ahead,
            window: window as u64,
            release: (part * 4_294_967_296.0) as u64,
            taken: 0,
            least: VecDeque::with_capacity(window + 2),
            gain: ONE,
            gains: vec![ONE; ahead],
            sum: u64::from(ONE) * ahead as u64,
            waiting: vec![0.0; ahead * channels],
            at: 0,
        }
    }

    /// Puts each sample's limited predecessor of 1.5 ms ago in its place.
    pub(crate) fn process(&mut self, samples: &mut [f32]) {
        for frame in samples.chunks_exact_mut(self.channels) {
            let mut peak = 0.0f32;
            for sample in frame.iter_mut() {
                // What is no number is no sound.
                if !sample.is_finite() {
                    *sample = 0.0;
                }
                peak = peak.max(sample.abs());
            }
            let gain = self.gain_for(peak);
            let waiting = self.waiting.iter_mut().skip(self.at * self.channels);
            for (sample, waiting) in frame.iter_mut().zip(waiting) {
                std::mem::swap(sample, waiting);
                if gain < ONE {
                    // For what rounding leaves.
                    *sample = (*sample * (gain as f32 / ONE as f32)).clamp(-CEILING, CEILING);
                }
            }
            self.at = (self.at + 1) % self.ahead;
        }
    }

    /// Takes a frame's peak in; the gain of the frame that leaves.
    fn gain_for(&mut self, peak: f32) -> u32 {
        let wanted = if peak <= CEILING { ONE } else { (f64::from(CEILING / peak) * f64::from(ONE)) as u32 };
        let now = self.taken;
        self.taken = self.taken.wrapping_add(1);
        while self.least.back().is_some_and(|(_, gain)| *gain >= wanted) {
            self.least.pop_back();
        }
        self.least.push_back((now, wanted));
        while self.least.front().is_some_and(|(frame, _)| now.wrapping_sub(*frame) >= self.window) {
            self.least.pop_front();
        }
        let least = self.least.front().map_or(ONE, |(_, gain)| *gain);
        self.gain = match least.checked_sub(self.gain) {
            None | Some(0) => least,
            // A step of nothing would never arrive.
            Some(way) => self.gain + (((u64::from(way) * self.release) >> 32) as u32).max(1),
        };
        // The mean over the look-ahead, that of the frame that leaves among them: none of these
        // is more than the peak that leaves can have.
        if let Some(oldest) = self.gains.get_mut(self.at) {
            self.sum = self.sum - u64::from(*oldest) + u64::from(self.gain);
            *oldest = self.gain;
        }
        (self.sum / self.ahead as u64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: SampleRate = SampleRate::HZ_48000;
    const AHEAD_FRAMES: usize = 72;

    fn limited(channels: u8, samples: &[f32]) -> Vec<f32> {
        let mut out = samples.to_vec();
        Limiter::new(RATE, channels).process(&mut out);
        out
    }

    fn sine(hz: f32, amplitude: f32, frames: usize) -> Vec<f32> {
        (0..frames).map(|n| (n as f32 * hz * std::f32::consts::TAU / 48_000.0).sin() * amplitude).collect()
    }

    fn loud() -> impl Strategy<Value = f32> {
        prop_oneof![
            6 => -1.0f32..1.0,
            2 => -8.0f32..8.0,
            1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::MAX, f32::MIN, -0.0, f32::MIN_POSITIVE]),
        ]
    }

    proptest! {
        #[test]
        fn nothing_passes_the_ceiling(frames in prop::collection::vec([loud(), loud()], 0..3000)) {
            for sample in limited(2, frames.as_flattened()) {
                prop_assert!(sample.abs() <= CEILING, "{sample}");
            }
        }

        #[test]
        fn what_is_not_too_loud_comes_through_as_it_is(samples in prop::collection::vec(-CEILING..CEILING, 0..2000)) {
            let out = limited(1, &samples);
            let same = out.iter().skip(AHEAD_FRAMES).zip(&samples).all(|(a, b)| a.to_bits() == b.to_bits());
            prop_assert!(same && out.iter().take(AHEAD_FRAMES).all(|s| *s == 0.0));
        }

        #[test]
        fn however_it_is_cut_it_sounds_the_same(
            samples in prop::collection::vec(-4.0f32..4.0, 100..3000),
            cuts in prop::collection::vec(1usize..1700, 1..10),
        ) {
            let whole = limited(1, &samples);
            let (mut limiter, mut out, mut rest) = (Limiter::new(RATE, 1), Vec::new(), &samples[..]);
            for cut in cuts.iter().cycle() {
                let (part, more) = rest.split_at((*cut).min(rest.len()));
                let mut part = part.to_vec();
                limiter.process(&mut part);
                out.extend(part);
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(out, whole);
        }

        #[test]
        fn a_steady_tone_has_a_steady_gain(hz in 60f32..2000.0, amplitude in 1.0f32..4.0) {
            let samples = sine(hz, amplitude, 48_000);
            let out = limited(1, &samples);
            // After the first tenth of a second every sample is its input times one gain.
            let pairs = samples[4800..].iter().zip(&out[4800 + AHEAD_FRAMES..]);
            let gains: Vec<f32> = pairs.filter(|(i, _)| i.abs() > 0.5).map(|(i, o)| o / i).collect();
            let (least, most) = gains.iter().fold((f32::MAX, 0.0f32), |(a, b), g| (a.min(*g), b.max(*g)));
            prop_assert!(most / least < 1.012, "{least} to {most}: {} dB", 20.0 * (most / least).log10());
        }
    }

    #[test]
    fn a_peak_is_met_without_a_step() {
        // A quiet, steady level with one shout in it: the gain glides down to it.
        let mut samples = vec![0.1f32; 4800];
        samples[2000..2400].fill(3.0);
        let out = limited(1, &samples);
        let before = &out[2000..2000 + AHEAD_FRAMES];
        let steepest = before.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.1 * 1.5 / AHEAD_FRAMES as f32, "{steepest}");
        assert!(out.iter().all(|s| s.abs() <= CEILING));
        // It comes back, and takes its time.
        let tail: Vec<f32> =
            limited(1, &[samples.as_slice(), &[0.1; 48_000]].concat())[2400 + 700..].to_vec();
        assert!(tail[0] < 0.05 && *tail.last().unwrap() > 0.0999);
        assert!(tail.windows(2).skip(2400).all(|w| w[1] >= w[0]));
    }

    #[test]
    fn channels_share_one_gain() {
        let samples: Vec<f32> = sine(440.0, 2.0, 9600).into_iter().flat_map(|s| [s, s / 4.0]).collect();
        let out = limited(2, &samples);
        assert!(out.chunks_exact(2).all(|frame| (frame[0] - frame[1] * 4.0).abs() < 1e-5));
    }
}
