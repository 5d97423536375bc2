//! A channel's sound desk: one PCM mix from the sources, each with a gain that
//! glides to where the picture decision wants it. A step in gain would click, and
//! so would a step from one line's sound to another's.

use media::{SampleRate, Span, Time};
use scheduling::Fader;

/// How long a source takes from full to silence at a cut.
const CROSSFADE: Span = Span::from_millis(10);

/// The same, for a source with a gain of its own.
pub(crate) fn scaled(fader: Fader, gain: f32) -> Fader {
    match fader {
        Fader::Quick(to) => Fader::Quick(to * gain),
        Fader::Slow(to) => Fader::Slow(to * gain),
    }
}

/// One source's part in a tick.
pub(crate) struct Part<'a> {
    pub(crate) fader: Fader,
    /// Interleaved samples of exactly this tick; `None` is silence.
    pub(crate) sound: Option<&'a [f32]>,
}

/// A camera goes over to another line: the tick of frames `channels` wide that leads from the
/// old line's sound to the new one's within 10 ms. `None` is silence.
pub(crate) fn crossfade(
    old: Option<&[f32]>,
    new: Option<Vec<f32>>,
    rate: SampleRate,
    channels: u8,
) -> Option<Vec<f32>> {
    let channels = usize::from(channels.max(1));
    // Both are exactly a tick long, so one is enough to know it.
    let mut out = match (new, old) {
        (Some(new), _) => new,
        (None, Some(old)) => vec![0.0; old.len()],
        (None, None) => return None,
    };
    let glide = usize::try_from(rate.sample_at(Time::ZERO + CROSSFADE)).unwrap_or(1);
    let glide = glide.clamp(1, (out.len() / channels).max(1));
    for n in 0..glide {
        let share = n as f32 / glide as f32;
        for ix in n * channels..(n + 1) * channels {
            let before = old.and_then(|old| old.get(ix)).copied().unwrap_or(0.0);
            if let Some(sample) = out.get_mut(ix) {
                *sample = before + (*sample - before) * share;
            }
        }
    }
    Some(out)
}

pub(crate) struct SoundDesk {
    rate: SampleRate,
    channels: usize,
    gains: Vec<f32>,
}

impl SoundDesk {
    /// A desk for so many sources, all silent.
    pub(crate) fn new(rate: SampleRate, channels: u8, sources: usize) -> Self {
        Self { rate, channels: usize::from(channels.max(1)), gains: vec![0.0; sources] }
    }

    /// The same desk with other sources: `places` says for each where it was before.
    pub(crate) fn rearrange(&mut self, places: &[Option<usize>]) {
        let gain = |place: &Option<usize>| place.and_then(|ix| self.gains.get(ix)).copied().unwrap_or(0.0);
        self.gains = places.iter().map(gain).collect();
    }

    /// Mixes the tick `[from, to)`; `parts` are in the order of the sources.
    pub(crate) fn mix(&mut self, from: Time, to: Time, parts: &[Part<'_>]) -> Vec<f32> {
        let mut out = self.sum(from, to, parts);
        // Two full-scale sources in a mix can pass full scale between them.
        for sample in &mut out {
            *sample = sample.clamp(-1.0, 1.0);
        }
        out
    }

    /// As [`mix`](Self::mix), of whatever loudness.
    pub(crate) fn sum(&mut self, from: Time, to: Time, parts: &[Part<'_>]) -> Vec<f32> {
        let frames = usize::try_from(self.rate.sample_at(to) - self.rate.sample_at(from)).unwrap_or(0);
        let quick =
            usize::try_from(self.rate.sample_at(Time::ZERO + CROSSFADE)).unwrap_or(1).clamp(1, frames.max(1));
        let mut out = vec![0.0; frames * self.channels];
        for (gain, part) in self.gains.iter_mut().zip(parts) {
            let (target, glide) = match part.fader {
                Fader::Quick(target) => (target, quick),
                Fader::Slow(target) => (target, frames.max(1)),
            };
            let start = *gain;
            *gain = target;
            let Some(sound) = part.sound else { continue };
            if start == 0.0 && target == 0.0 {
                continue;
            }
            let step = (target - start) / glide as f32;
            let pairs = out.chunks_exact_mut(self.channels).zip(sound.chunks_exact(self.channels));
            for (n, (out, sound)) in pairs.enumerate() {
                let gain = if n < glide { start + step * n as f32 } else { target };
                for (out, sound) in out.iter_mut().zip(sound) {
                    *out += gain * sound;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(n: i64) -> (Time, Time) {
        (Time::from_millis(40 * n), Time::from_millis(40 * n + 40))
    }

    #[test]
    fn a_cut_between_equal_tones_leaves_no_step() {
        let mut desk = SoundDesk::new(SampleRate::HZ_48000, 1, 2);
        let tone: Vec<f32> = (0..1920 * 6).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
        let mut out = Vec::new();
        for n in 0..6 {
            let (from, to) = tick(n);
            let part = &tone[n as usize * 1920..][..1920];
            let (a, b) = if n < 3 { (1.0, 0.0) } else { (0.0, 1.0) };
            let parts = [(a, part), (b, part)].map(|(g, s)| Part { fader: Fader::Quick(g), sound: Some(s) });
            out.extend(desk.mix(from, to, &parts));
        }
        let steepest = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest <= 0.0251, "{steepest}");
        assert_eq!(out.len(), tone.len());
        assert!(out[1000..].iter().zip(&tone[1000..]).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn a_hold_fades_to_silence_within_ten_milliseconds() {
        let mut desk = SoundDesk::new(SampleRate::HZ_48000, 2, 1);
        let loud = vec![0.8; 1920 * 2];
        let mut run = |n, gain| {
            let (from, to) = tick(n);
            desk.mix(from, to, &[Part { fader: Fader::Quick(gain), sound: Some(&loud) }])
        };
        run(0, 1.0);
        let held = run(1, 0.0);
        assert!(held[0] > 0.79 && held[2 * 240] > 0.35);
        assert!(held[2 * 480..].iter().all(|s| *s == 0.0));
    }

    #[test]
    fn ticks_of_a_fractional_rate_add_up() {
        let mut desk = SoundDesk::new(SampleRate::HZ_48000, 1, 0);
        let rate = media::FrameRate::new(30_000, 1001).unwrap();
        let at = |n| rate.time_of(media::Tick(n));
        let total: usize = (0..30_000).map(|n| desk.mix(at(n), at(n + 1), &[]).len()).sum();
        assert_eq!(total, 1001 * 48_000);
    }
}
