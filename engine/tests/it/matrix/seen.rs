//! What is seen and heard in a recording: which colour, and whose tone.

use std::path::Path;

use codecs::Frame;
use media::{Key, Time};

use crate::support::{decode, decode_sound, mean, pictures, tags};

/// Far above what noise or silence has over 160 ms, far below an eighth of full scale.
const AUDIBLE: f64 = 20_000.0;

/// What one source looks and sounds like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Looks {
    pub(crate) colour: [u8; 3],
    /// In hertz.
    pub(crate) tone: u32,
}

/// A recording of sources of one colour and one tone each, decoded.
pub(crate) struct Seen {
    times: Vec<(i64, Key)>,
    frames: Vec<Frame>,
    first: Time,
    samples: Vec<f32>,
}

impl Seen {
    pub(crate) fn in_recording(path: &Path) -> Self {
        let recording = tags(path);
        let (first, rate, samples) = decode_sound(&recording);
        assert_eq!(rate, 48_000);
        Self { times: pictures(&recording), frames: decode(&recording), first, samples }
    }

    /// Which of these the picture is nearest to.
    pub(crate) fn looks_like(&self, frame: usize, all: &[Looks]) -> usize {
        let seen = mean(&self.frames[frame]).map(f64::from);
        let distance =
            |looks: &Looks| yuv(looks.colour).iter().zip(seen).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        (0..all.len()).min_by(|a, b| distance(&all[*a]).total_cmp(&distance(&all[*b]))).unwrap()
    }

    /// Whether in the twenty frames from this one on the one's tone is heard, and no other's.
    pub(crate) fn is_heard(&self, from: usize, whose: &Looks, all: &[Looks]) -> bool {
        let at =
            |n: usize| ((self.times[n].0 - self.first.as_millis_rounded()) * 48).try_into().unwrap_or(0usize);
        // A busy machine may tear holes into anybody's sound: what is heard between them counts.
        (from..from + 20).step_by(4).any(|n| {
            let tone = |hertz| power(&self.samples[at(n)..at(n + 4)], hertz);
            let others = all.iter().filter(|other| other.tone != whose.tone);
            let others = others.map(|other| tone(other.tone)).fold(0.0, f64::max);
            tone(whose.tone) > AUDIBLE && tone(whose.tone) > 10.0 * others
        })
    }
}

/// The power of a tone in samples at 48 kHz (Goertzel).
fn power(samples: &[f32], hertz: u32) -> f64 {
    let step = 2.0 * (std::f64::consts::TAU * f64::from(hertz) / 48_000.0).cos();
    let (mut a, mut b) = (0.0, 0.0);
    for sample in samples {
        (a, b) = (f64::from(*sample) + step * a - b, a);
    }
    a * a + b * b - step * a * b
}

/// Y, U and V of a colour by BT.709, limited range.
fn yuv([r, g, b]: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(|v| f64::from(v) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.8556, 128.0 + 224.0 * (r - y) / 1.5748]
}
