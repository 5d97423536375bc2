//! What a rung has put out: counts and the longest gaps, read while it runs.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use media::{Key, Size, Span, Time, Track};

use crate::stage::StageMeter;

#[derive(Debug, Default)]
struct Gap {
    /// Flicks; `i64::MIN` before the first tag.
    last: AtomicI64,
    longest: AtomicI64,
    any: AtomicU64,
}

impl Gap {
    fn tag(&self, at: Time) {
        let last = self.last.swap(at.flicks(), Relaxed);
        if self.any.fetch_add(1, Relaxed) > 0 {
            self.longest.fetch_max(at.flicks() - last, Relaxed);
        }
    }
    fn longest_ms(&self) -> f64 {
        Span::from_flicks(self.longest.load(Relaxed)).as_secs_f64() * 1000.0
    }
}

/// One rung's counters. One thread writes, any may read.
#[derive(Debug, Default)]
pub(crate) struct RungMeter {
    frames: AtomicU64,
    keyframes: AtomicU64,
    bytes: AtomicU64,
    video: Gap,
    audio: Gap,
    failed: AtomicBool,
    /// Pictures that came late by a player's buffer, and by how much at the most: flicks.
    overshoots: AtomicU64,
    overshoot: AtomicI64,
    /// Pictures that are the camera's own, and the size of what leaves: width and height.
    copied: AtomicU64,
    size: AtomicU64,
    /// Whose pictures leave now, if they are a line's own.
    copied_from: Mutex<Option<Arc<str>>>,
    /// What making its tags costs, and when its pictures leave.
    pub(crate) stage: StageMeter,
    /// Pictures that other channels encoded, by their names in the order they came.
    carried: Mutex<Vec<(Arc<str>, u64)>>,
}

impl RungMeter {
    /// It ends before its time.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Relaxed);
    }
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }
    /// A picture's last bit comes so much later than its DTS.
    pub(crate) fn overshoot(&self, late: Span) {
        self.overshoots.fetch_add(1, Relaxed);
        self.overshoot.fetch_max(late.flicks(), Relaxed);
    }
    pub(crate) fn overshoots(&self) -> u64 {
        self.overshoots.load(Relaxed)
    }
    pub(crate) fn overshoot_ms(&self) -> f64 {
        Span::from_flicks(self.overshoot.load(Relaxed)).as_secs_f64() * 1000.0
    }
    /// A picture that is a line's own.
    pub(crate) fn copy(&self) {
        self.copied.fetch_add(1, Relaxed);
    }
    pub(crate) fn copied(&self) -> u64 {
        self.copied.load(Relaxed)
    }
    /// The line whose pictures leave from now on; `None` for what is encoded here.
    pub(crate) fn copies_from(&self, line: Option<Arc<str>>) {
        *self.copied_from.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
    pub(crate) fn copied_from(&self) -> Option<Arc<str>> {
        self.copied_from.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Pictures are of this size from now on.
    pub(crate) fn sized(&self, size: Size) {
        self.size.store(u64::from(size.width) << 32 | u64::from(size.height), Relaxed);
    }
    /// The size of the pictures, where it is not the same all the time.
    pub(crate) fn size(&self) -> Option<Size> {
        let size = self.size.load(Relaxed);
        (size > 0).then(|| Size::new((size >> 32) as u32, size as u32))
    }
    /// A picture that this channel encoded.
    pub(crate) fn carry(&self, from: &Arc<str>) {
        let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        match carried.iter_mut().find(|(name, _)| name == from) {
            Some((_, pictures)) => *pictures += 1,
            None => carried.push((Arc::clone(from), 1)),
        }
    }
    pub(crate) fn carried(&self) -> Vec<(Arc<str>, u64)> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// A tag of so many bytes left; `at` is wall time when live, media time offline.
    pub(crate) fn tag(&self, track: Track, key: Key, bytes: usize, at: Time) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
        match track {
            Track::Video => {
                self.frames.fetch_add(1, Relaxed);
                self.keyframes.fetch_add(u64::from(key == Key::Frame), Relaxed);
                self.video.tag(at);
            }
            Track::Audio => self.audio.tag(at),
        }
    }
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }
    pub(crate) fn keyframes(&self) -> u64 {
        self.keyframes.load(Relaxed)
    }
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
    pub(crate) fn max_video_gap_ms(&self) -> f64 {
        self.video.longest_ms()
    }
    pub(crate) fn max_audio_gap_ms(&self) -> f64 {
        self.audio.longest_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_between_tags_not_before_the_first() {
        let meter = RungMeter::default();
        for ms in [5000, 5040, 5200, 5240] {
            meter.tag(Track::Video, Key::Delta, 10, Time::from_millis(ms));
        }
        assert_eq!(meter.max_video_gap_ms(), 160.0);
        assert_eq!((meter.frames(), meter.keyframes(), meter.bytes()), (4, 0, 40));
    }
}
