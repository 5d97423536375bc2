//! What a stage costs: CPU time, what waits for it, and how long pictures take to its end.
//!
//! Its threads write, the show's thread reads once a second. Nothing is allocated on the way.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use media::Span;

use crate::report::{StageFacts, StageReport};
use crate::status::StageStatus;

/// Latencies of a second that are kept: of more, the latest.
const KEPT: usize = 256;

/// A stage's figures as they come.
#[derive(Debug)]
pub(crate) struct StageMeter {
    /// Nanoseconds.
    cpu: AtomicU64,
    queue: AtomicU64,
    /// The longest it was since that was read.
    longest: AtomicU64,
    /// Microseconds.
    latencies: [AtomicU32; KEPT],
    /// How many there were.
    pictures: AtomicU64,
}

impl Default for StageMeter {
    fn default() -> Self {
        Self {
            cpu: AtomicU64::new(0),
            queue: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            latencies: [const { AtomicU32::new(0) }; KEPT],
            pictures: AtomicU64::new(0),
        }
    }
}

impl StageMeter {
    /// So much waits for it.
    pub(crate) fn waits(&self, queue: usize) {
        self.queue.store(queue as u64, Relaxed);
        self.longest.fetch_max(queue as u64, Relaxed);
    }

    /// A picture has come to its end, so long after its tick was due.
    pub(crate) fn picture(&self, after: Span) {
        let place = self.pictures.load(Relaxed) as usize % KEPT;
        let micros = after.as_duration().as_micros();
        if let Some(slot) = self.latencies.get(place) {
            slot.store(u32::try_from(micros).unwrap_or(u32::MAX), Relaxed);
        }
        // One thread writes.
        self.pictures.fetch_add(1, Relaxed);
    }
}

/// A thread's part in a stage's CPU time.
#[derive(Debug)]
pub(crate) struct ThreadShare {
    counted: Duration,
}

impl ThreadShare {
    /// From here on the calling thread works for a stage.
    pub(crate) fn begin() -> Self {
        Self { counted: codecs::thread_cpu() }
    }

    /// What the thread took since this was called last is the stage's.
    pub(crate) fn count(&mut self, meter: &StageMeter) {
        let now = codecs::thread_cpu();
        let took = now.saturating_sub(self.counted).as_nanos();
        meter.cpu.fetch_add(u64::try_from(took).unwrap_or(u64::MAX), Relaxed);
        self.counted = now;
    }
}

/// What else is a stage's: of a thread that is not ours.
#[derive(Clone, Copy, Default)]
pub(crate) struct Besides {
    /// Nanoseconds in all.
    pub(crate) cpu: u64,
    /// What waits, and the most that did since this was asked last.
    pub(crate) queue: (u64, u64),
}

/// A stage as it is read.
#[derive(Default)]
pub(crate) struct StageReading {
    cpu: u64,
    pictures: u64,
    now: Option<StageStatus>,
    seconds: f64,
    queue_max: u64,
    /// Medians of its seconds with pictures, summed up, and how many there were.
    medians: (f64, u64),
    latency_max: Option<f64>,
}

impl StageReading {
    /// Once a second.
    pub(crate) fn measure(&mut self, meter: &StageMeter, besides: Besides, seconds: f64) {
        let cpu = meter.cpu.load(Relaxed) + besides.cpu;
        let cpu_ms = cpu.saturating_sub(self.cpu) as f64 / 1e6 / seconds;
        let queue = meter.queue.load(Relaxed).max(besides.queue.0);
        let queue_max = meter.longest.swap(meter.queue.load(Relaxed), Relaxed).max(besides.queue.1);
        let pictures = meter.pictures.load(Relaxed);
        let fresh = usize::try_from(pictures - self.pictures).unwrap_or(KEPT).min(KEPT);
        let mut micros = [0; KEPT];
        for (slot, place) in micros.iter_mut().zip((pictures as usize - fresh)..pictures as usize) {
            *slot = meter.latencies.get(place % KEPT).map_or(0, |latency| latency.load(Relaxed));
        }
        let seen = micros.get_mut(..fresh).unwrap_or_default();
        seen.sort_unstable();
        let millis = |micros: &u32| f64::from(*micros) / 1000.0;
        let (median, max) = (seen.get(fresh / 2).map(millis), seen.last().map(millis));
        if let (Some(median), Some(max)) = (median, max) {
            self.medians = (self.medians.0 + median, self.medians.1 + 1);
            self.latency_max = Some(self.latency_max.map_or(max, |before| before.max(max)));
        }
        (self.cpu, self.pictures) = (cpu, pictures);
        self.seconds += seconds;
        self.queue_max = self.queue_max.max(queue_max);
        let (latency_ms, latency_max_ms) = (median, max);
        let facts = StageFacts { cpu_ms, queue_max, latency_ms, latency_max_ms };
        self.now = Some(StageStatus { queue, facts });
    }

    /// Over the last second; `None` before there was one.
    pub(crate) fn status(&self) -> Option<StageStatus> {
        self.now
    }

    /// Over all of it; `None` if it was never measured.
    pub(crate) fn report(&self) -> Option<StageReport> {
        let (sum, count) = self.medians;
        (self.seconds > 0.0).then(|| StageReport {
            cpu_s: self.cpu as f64 / 1e9,
            facts: StageFacts {
                cpu_ms: self.cpu as f64 / 1e6 / self.seconds,
                queue_max: self.queue_max,
                latency_ms: (count > 0).then(|| sum / count as f64),
                latency_max_ms: self.latency_max,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_told_by_its_median_and_its_worst() {
        let (meter, mut reading) = (StageMeter::default(), StageReading::default());
        assert_eq!((reading.status(), reading.report()), (None, None));
        for ms in [40, 10, 30, 20, 900] {
            meter.picture(Span::from_millis(ms));
            meter.waits(ms as usize / 10);
        }
        meter.waits(1);
        let besides = |ms: u64, queue| Besides { cpu: ms * 1_000_000, queue };
        reading.measure(&meter, besides(250, (0, 0)), 1.0);
        let first = reading.status().unwrap();
        assert_eq!((first.cpu_ms, first.queue, first.queue_max), (250.0, 1, 90));
        assert_eq!((first.latency_ms, first.latency_max_ms), (Some(30.0), Some(900.0)));
        // Of a second without pictures nothing is known of how long they take.
        reading.measure(&meter, besides(300, (4, 7)), 1.0);
        let second = reading.status().unwrap();
        assert_eq!((second.cpu_ms, second.queue, second.queue_max), (50.0, 4, 7));
        assert_eq!((second.latency_ms, second.latency_max_ms), (None, None));
        let report = reading.report().unwrap();
        assert_eq!((report.cpu_s, report.cpu_ms, report.queue_max), (0.3, 150.0, 90));
        assert_eq!((report.latency_ms, report.latency_max_ms), (Some(30.0), Some(900.0)));
    }

    #[test]
    fn of_many_pictures_the_latest_count() {
        let (meter, mut reading) = (StageMeter::default(), StageReading::default());
        for _ in 0..3 {
            (0..1_000).for_each(|_| meter.picture(Span::from_millis(500)));
            (0..KEPT).for_each(|ms| meter.picture(Span::from_millis(ms as i64)));
            reading.measure(&meter, Besides::default(), 1.0);
            let now = reading.status().unwrap();
            assert_eq!((now.latency_ms, now.latency_max_ms), (Some(128.0), Some(255.0)));
        }
    }

    #[test]
    fn a_thread_counts_what_it_took_and_nobody_else() {
        let meter = StageMeter::default();
        let mut share = ThreadShare::begin();
        let mut x = 1u64;
        let begun = codecs::thread_cpu();
        while codecs::thread_cpu() - begun < Duration::from_millis(2) {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        share.count(&meter);
        let cpu = meter.cpu.load(Relaxed);
        assert!(cpu >= 2_000_000, "{cpu} ns");
        std::thread::scope(|scope| scope.spawn(|| ThreadShare::begin().count(&meter)).join()).unwrap();
        assert!(meter.cpu.load(Relaxed) < cpu + 1_000_000_000);
    }
}
