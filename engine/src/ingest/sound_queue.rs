//! Decoded sound of one line on the show's timeline: gaps become silence,
//! overlaps are cut, and what a tick takes is exactly a tick long.

use std::collections::VecDeque;

use codecs::Pcm;
use media::{SampleRate, Span, Time};

/// Blocks this close to the end of the last one follow it without a seam: time
/// stamps in milliseconds wobble by this much and mean nothing by it.
const SNAP: Span = Span::from_millis(3);
/// The most that is kept.
const MOST: Span = Span::from_millis(4000);

pub(crate) struct SoundQueue {
    rate: SampleRate,
    channels: usize,
    /// Interleaved samples from frame number `start` on.
    samples: VecDeque<f32>,
    start: i64,
}

impl SoundQueue {
    pub(crate) fn new(rate: SampleRate, channels: u8) -> Self {
        Self { rate, channels: usize::from(channels.max(1)), samples: VecDeque::new(), start: 0 }
    }

    fn end_frame(&self) -> i64 {
        self.start + (self.samples.len() / self.channels) as i64
    }

    /// Where the sound that has come ends.
    pub(crate) fn end(&self) -> Time {
        self.rate.time_of(self.end_frame())
    }

    /// Puts a block where its time stamp says.
    pub(crate) fn put(&mut self, pcm: &Pcm) {
        let most = self.rate.sample_at(Time::ZERO + MOST);
        let mut at = self.rate.sample_at(pcm.pts);
        let end = self.end_frame();
        if !self.samples.is_empty() && (self.rate.time_of(at) - self.rate.time_of(end)).abs() <= SNAP {
            at = end;
        }
        let mut block: &[f32] = &pcm.samples;
        if at < end {
            let cut = usize::try_from(end - at).unwrap_or(usize::MAX).saturating_mul(self.channels);
            block = block.get(cut..).unwrap_or(&[]);
            at = end;
        }
        if block.is_empty() {
            return;
        }
        if at - end > most || self.samples.is_empty() {
            self.samples.clear();
            self.start = at;
        } else {
            let gap = usize::try_from(at - end).unwrap_or(0) * self.channels;
            self.samples.extend(std::iter::repeat_n(0.0, gap));
        }
        self.samples.extend(block);
        let over = self.end_frame() - self.start - most;
        if over > 0 {
            self.drop_front(over);
        }
    }

    /// Drops what lies at or after `end`.
    pub(crate) fn cut(&mut self, end: Time) {
        let keep = usize::try_from(self.rate.sample_at(end) - self.start).unwrap_or(0);
        self.samples.truncate(keep.saturating_mul(self.channels));
    }

    /// As [`Self::cut`], and what comes next may begin as early as `to`.
    pub(crate) fn rewind(&mut self, to: Time) {
        self.cut(to);
        self.start = self.start.min(self.rate.sample_at(to));
    }

    fn drop_front(&mut self, frames: i64) {
        let count = usize::try_from(frames).unwrap_or(0).saturating_mul(self.channels);
        self.samples.drain(..count.min(self.samples.len()));
        self.start += frames.max(0);
    }

    /// Takes the samples of `[from, to)`, silence where there are none; `None` if all is silence.
    pub(crate) fn take(&mut self, from: Time, to: Time) -> Option<Vec<f32>> {
        let (first, last) = (self.rate.sample_at(from), self.rate.sample_at(to));
        if self.start < first {
            self.drop_front(first - self.start);
        }
        if self.start >= last || self.samples.is_empty() {
            return None;
        }
        let wanted = usize::try_from(last - first).unwrap_or(0) * self.channels;
        let lead = usize::try_from(self.start - first).unwrap_or(0) * self.channels;
        let mut out = Vec::with_capacity(wanted);
        out.resize(lead, 0.0);
        let have = (wanted - lead).min(self.samples.len());
        out.extend(self.samples.drain(..have));
        out.resize(wanted, 0.0);
        self.start = last;
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pcm(at: i64, samples: Vec<f32>) -> Pcm {
        let rate = SampleRate::HZ_48000;
        Pcm { pts: rate.time_of(at), rate, channels: 1, samples: samples.into() }
    }

    #[test]
    fn gaps_are_silence_and_overlaps_are_cut() {
        let rate = SampleRate::HZ_48000;
        let mut queue = SoundQueue::new(rate, 1);
        queue.put(&pcm(10, vec![1.0; 10]));
        queue.put(&pcm(1020, vec![2.0; 10]));
        queue.put(&pcm(820, vec![3.0; 215]));
        let out = queue.take(Time::ZERO, rate.time_of(1040)).unwrap();
        assert_eq!(out.len(), 1040);
        assert_eq!(&out[9..21], &[0.0, 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 0.0]);
        assert_eq!(&out[1019..1031], &[0.0, 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 3.]);
        assert_eq!(&out[1034..1036], &[3.0, 0.0]);
    }

    proptest! {
        /// Any cutting of one signal into blocks and ticks gives the signal back.
        #[test]
        fn cutting_changes_nothing(blocks in prop::collection::vec(1usize..2000, 1..30), tick in 400i64..4000) {
            let rate = SampleRate::HZ_48000;
            let mut queue = SoundQueue::new(rate, 1);
            let (mut next, mut taken, mut out) = (0i64, 0i64, Vec::new());
            for len in blocks {
                let block = (next..next + len as i64).map(|n| n as f32 + 1.0).collect();
                queue.put(&pcm(next, block));
                next += len as i64;
                while taken + tick <= next {
                    out.extend(queue.take(rate.time_of(taken), rate.time_of(taken + tick)).unwrap());
                    taken += tick;
                }
            }
            prop_assert!(out.iter().enumerate().all(|(n, s)| *s == n as f32 + 1.0));
        }
    }
}
