//! Decoded sound of one line on the show's timeline: gaps become silence,
//! overlaps are cut, and what a tick takes is exactly a tick long.
//!
//! Sound that breaks off would click, and so would sound that sets in: both are faded within
//! 10 ms. How much of it is lacking is told sample by sample, so that another line that carries
//! the same can fill exactly that.

use std::collections::VecDeque;
use std::ops::Range;

use codecs::Pcm;
use media::{SampleRate, Span, Time};

/// Blocks this close to the end of the last one follow it without a seam: time
/// stamps in milliseconds wobble by this much and mean nothing by it.
const SNAP: Span = Span::from_millis(3);
/// The most that is kept.
const MOST: Span = Span::from_millis(4000);
/// How long sound takes from full to silence, and back: so far beyond a tick it must be known.
pub(crate) const EDGE: Span = Span::from_millis(10);
/// Gaps that are faded in and out of.
const MOST_GAPS: usize = 64;

/// What a queue gives to a tick.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    /// Interleaved samples of exactly the tick; `None` if all is silence.
    pub(crate) samples: Option<Vec<f32>>,
    /// How much is lacking of each frame of them, 0 to 1; `None` if nothing is.
    pub(crate) lack: Option<Vec<f32>>,
}

pub(crate) struct SoundQueue {
    rate: SampleRate,
    channels: usize,
    /// Interleaved samples from frame number `start` on.
    samples: VecDeque<f32>,
    start: i64,
    /// Those of them that are silence for want of sound.
    gaps: VecDeque<Range<i64>>,
    /// Frames of an edge.
    edge: i64,
    /// How loud the last frame was given out.
    gain: f32,
}

impl SoundQueue {
    /// Whose first sound is not faded in.
    pub(crate) fn new(rate: SampleRate, channels: u8) -> Self {
        Self {
            rate,
            channels: usize::from(channels.max(1)),
            samples: VecDeque::new(),
            start: 0,
            gaps: VecDeque::new(),
            edge: rate.sample_at(Time::ZERO + EDGE).max(1),
            gain: 1.0,
        }
    }

    /// The same, but nobody knows where in a sound it begins.
    #[must_use]
    pub(crate) fn out_of_silence(self) -> Self {
        Self { gain: 0.0, ..self }
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
            self.gaps.clear();
            self.start = at;
        } else {
            if at > end && self.gaps.len() < MOST_GAPS {
                self.gaps.push_back(end..at);
            }
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
        let end = self.end_frame();
        self.gaps.retain(|gap| gap.start < end);
    }

    /// What comes next may begin as early as `to`, and does not follow on what is there: that is
    /// faded out, and the next in.
    pub(crate) fn rewind(&mut self, to: Time) {
        let to = self.rate.sample_at(to);
        // Of what is being heard as much stays as fading out takes.
        let is_heard = self.gain > 0.0 && !self.samples.is_empty();
        let seam = if is_heard { to.max(self.start + self.edge) } else { to }.min(self.end_frame());
        self.cut(self.rate.time_of(seam));
        if self.samples.is_empty() {
            self.start = self.start.min(to);
        } else if self.gaps.len() < MOST_GAPS {
            self.gaps.push_back(seam..seam);
        }
    }

    fn drop_front(&mut self, frames: i64) {
        let count = usize::try_from(frames).unwrap_or(0).saturating_mul(self.channels);
        self.samples.drain(..count.min(self.samples.len()));
        self.start += frames.max(0);
    }

    /// Takes the samples of `[from, to)`, silence where there are none.
    pub(crate) fn take(&mut self, from: Time, to: Time) -> Heard {
        let (first, last) = (self.rate.sample_at(from), self.rate.sample_at(to));
        if self.start < first {
            self.drop_front(first - self.start);
        }
        if self.start >= last || self.samples.is_empty() {
            self.gain = 0.0;
            return Heard::default();
        }
        let real = self.start..self.end_frame();
        let wanted = usize::try_from(last - first).unwrap_or(0) * self.channels;
        let lead = usize::try_from(self.start - first).unwrap_or(0) * self.channels;
        let mut out = Vec::with_capacity(wanted);
        out.resize(lead, 0.0);
        let have = (wanted - lead).min(self.samples.len());
        // Whole stretches at a time: sample by sample this was an eighth of what a rehearsal costs.
        let (head, tail) = self.samples.as_slices();
        let of_head = have.min(head.len());
        out.extend_from_slice(&head[..of_head]);
        out.extend_from_slice(&tail[..have - of_head]);
        self.samples.drain(..have);
        out.resize(wanted, 0.0);
        self.start = last;
        let breaks_off = real.end < last + self.edge;
        let is_whole = self.gaps.front().is_none_or(|gap| gap.start >= last + self.edge);
        if self.gain == 1.0 && lead == 0 && !breaks_off && is_whole {
            return Heard { samples: Some(out), lack: None };
        }
        let lack = self.fade(first, &real, &mut out);
        Heard { samples: Some(out), lack }
    }

    /// Fades what lies beside silence, and tells by how much; `real` is what is not silence, but
    /// for the gaps in it.
    fn fade(&mut self, first: i64, real: &Range<i64>, out: &mut [f32]) -> Option<Vec<f32>> {
        let step = 1.0 / self.edge as f32;
        let mut lack = Vec::with_capacity(out.len() / self.channels);
        for (n, frame) in (first..).zip(out.chunks_exact_mut(self.channels)) {
            while self.gaps.front().is_some_and(|gap| gap.end <= n) {
                self.gaps.pop_front();
            }
            let silence = self.gaps.front().map_or(real.end, |gap| gap.start.min(real.end));
            let left = if real.contains(&n) { (silence - n).max(0) } else { 0 };
            self.gain = (left as f32 * step).min(self.gain + step).min(1.0);
            // What adds up to almost one is one.
            if self.gain > 0.999 && left >= self.edge {
                self.gain = 1.0;
            }
            frame.iter_mut().for_each(|sample| *sample *= self.gain);
            lack.push(1.0 - self.gain);
        }
        lack.iter().any(|lack| *lack > 0.0).then_some(lack)
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
        let out = queue.take(Time::ZERO, rate.time_of(1040)).samples.unwrap();
        assert_eq!(out.len(), 1040);
        let is_silent = |at: usize| out[at] == 0.0;
        assert_eq!(
            [9, 10, 18, 20, 1019, 1021, 1034, 1035].map(is_silent),
            [true, false, false, true, true, false, false, true]
        );
        // The second block gives the third one way.
        let louder = out[1030] / out[1029];
        assert!((1.0..1.6).contains(&louder), "{:?}", &out[1020..1036]);
    }

    /// A steady level that sets in, has a hole, and breaks off in the midst of a tick: nowhere is
    /// a step, and what is lacking and what is there make one.
    #[test]
    fn nothing_clicks_and_what_is_lacking_is_told() {
        let rate = SampleRate::HZ_48000;
        let mut queue = SoundQueue::new(rate, 1).out_of_silence();
        for (at, len) in [(3000, 5000), (9000, 300), (9700, 4000)] {
            queue.put(&pcm(at, vec![1.0; len]));
        }
        let (mut out, mut lack) = (Vec::new(), Vec::new());
        for tick in 0..10 {
            let heard = queue.take(rate.time_of(tick * 1920), rate.time_of(tick * 1920 + 1920));
            out.extend(heard.samples.unwrap_or_else(|| vec![0.0; 1920]));
            let silent = out[out.len() - 1920..].iter().all(|s| *s == 0.0);
            lack.extend(heard.lack.unwrap_or_else(|| vec![if silent { 1.0 } else { 0.0 }; 1920]));
        }
        let steepest = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest <= 1.01 / 480.0, "a step of {steepest}");
        assert!(out.iter().zip(&lack).all(|(out, lack)| (out + lack - 1.0).abs() < 1e-5));
        for (at, level) in
            [(2999, 0.0), (3500, 1.0), (7500, 1.0), (8000, 0.0), (8999, 0.0), (13_699, 0.0), (12_000, 1.0)]
        {
            assert!((out[at] - level).abs() < 0.01, "{} at {at}", out[at]);
        }
        assert!((0.2..0.4).contains(&out[9150]), "too short to get loud: {}", out[9150]);
    }

    /// A mapping moves: what comes then is of another moment, and lies earlier than what is there ends.
    #[test]
    fn what_goes_on_from_earlier_does_not_click() {
        let rate = SampleRate::HZ_48000;
        for to in [0, 1930, 3000, 4000, 5000] {
            let mut queue = SoundQueue::new(rate, 1);
            queue.put(&pcm(0, vec![1.0; 4500]));
            let mut out = queue.take(rate.time_of(0), rate.time_of(1920)).samples.unwrap();
            queue.rewind(rate.time_of(to));
            queue.rewind(rate.time_of(to));
            queue.put(&pcm(to, vec![-1.0; 8000]));
            for tick in 1..3 {
                let heard = queue.take(rate.time_of(tick * 1920), rate.time_of(tick * 1920 + 1920));
                out.extend(heard.samples.unwrap());
            }
            let steepest = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
            assert!(steepest <= 3.02 / 480.0, "a step of {steepest} at {to}");
            let (up, down) = (out.iter().filter(|s| **s == 1.0).count(), out.iter().filter(|s| **s == -1.0));
            assert!(up >= 1900 && down.count() >= 250 && *out.last().unwrap() < -0.9, "{to}");
        }
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
                while taken + tick + 480 <= next {
                    let heard = queue.take(rate.time_of(taken), rate.time_of(taken + tick));
                    prop_assert!(heard.lack.is_none());
                    out.extend(heard.samples.unwrap());
                    taken += tick;
                }
            }
            prop_assert!(out.iter().enumerate().all(|(n, s)| *s == n as f32 + 1.0));
        }
    }
}
