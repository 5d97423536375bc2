//! Pictures and sound with their time.

use std::sync::Arc;

use media::{SampleRate, Span, Time};

use crate::Picture;

/// A picture and when it is shown.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When it is shown, on the timeline of whoever hands it out.
    pub pts: Time,
    /// The picture.
    pub picture: Picture,
}

/// A block of sound: 32-bit floats, channels interleaved, full scale is ±1.
#[derive(Clone, PartialEq)]
pub struct Pcm {
    /// When the first sample is heard.
    pub pts: Time,
    /// Samples a second.
    pub rate: SampleRate,
    /// At least 1.
    pub channels: u8,
    /// Interleaved; shared, so a clone copies nothing.
    pub samples: Arc<[f32]>,
}

impl Pcm {
    /// A block of what is in `samples`; a rest that does not fill all channels is dropped.
    pub fn new(pts: Time, rate: SampleRate, channels: u8, samples: impl Into<Arc<[f32]>>) -> Self {
        let channels = channels.max(1);
        let mut samples: Arc<[f32]> = samples.into();
        let rest = samples.len() % usize::from(channels);
        if rest != 0 {
            samples = samples[..samples.len() - rest].into();
        }
        Self { pts, rate, channels, samples }
    }

    /// Silence of `len` samples a channel.
    pub fn silence(pts: Time, rate: SampleRate, channels: u8, len: usize) -> Self {
        let channels = channels.max(1);
        Self { pts, rate, channels, samples: std::iter::repeat_n(0.0, len * usize::from(channels)).collect() }
    }

    /// Samples a channel.
    pub fn len(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
    /// How long it sounds.
    pub fn duration(&self) -> Span {
        Span::from_units(self.len() as i64, 1, self.rate.hz())
    }
    /// When the sample after the last is heard.
    pub fn end(&self) -> Time {
        self.pts + self.duration()
    }
    /// The largest magnitude; 0 for none.
    pub fn peak(&self) -> f32 {
        self.samples.iter().fold(0.0, |peak, s| s.abs().max(peak))
    }
    /// The root of the mean square; 0 for none.
    pub fn rms(&self) -> f32 {
        let sum: f64 = self.samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        (sum / self.samples.len().max(1) as f64).sqrt() as f32
    }
    /// Samples `from..to` (a channel), clipped to what there is, with their PTS.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        let channels = usize::from(self.channels.max(1));
        Self {
            pts: self.pts + Span::from_units(from as i64, 1, self.rate.hz()),
            rate: self.rate,
            channels: self.channels,
            samples: self.samples[from * channels..to * channels].into(),
        }
    }
}

impl std::fmt::Debug for Pcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sound pts {} {} {} channels {} samples", self.pts, self.rate, self.channels, self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_keeps_its_time() {
        let rate = SampleRate::HZ_48000;
        let pcm = Pcm::new(Time::from_secs(1), rate, 2, (0..9601).map(|n| n as f32).collect::<Vec<_>>());
        assert_eq!((pcm.len(), pcm.duration()), (4800, Span::from_millis(100)));
        let part = pcm.slice(480, 10_000);
        assert_eq!((part.pts, part.len(), part.samples[0]), (Time::from_millis(1010), 4320, 960.0));
        assert_eq!(part.end(), pcm.end());
        assert!(pcm.slice(5000, 4).is_empty());
    }
}
