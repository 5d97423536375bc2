//! The one place that knows what time it is: show time, real or virtual.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use media::{Span, Time};
use pipeline_dsl::TimeOfDay;

/// Show time, handed to whoever needs it. Zero is the first tick.
pub trait Clock: Send + Sync {
    /// Show time zero is now: lines had their time to open.
    fn begin(&self);
    /// Show time now.
    fn now(&self) -> Time;
    /// The time of day, UTC, at show time zero; none where time is not real.
    fn day_time_at_zero(&self) -> Option<TimeOfDay>;
    /// The clock on the wall, now; where time is virtual, one that goes as show time does.
    fn wall(&self) -> SystemTime;
    /// Returns at `time`, or at once if it has passed or the show is stopping.
    fn wait_until(&self, time: Time, stop: &Stop);
}

/// Wall-clock time since the show began; zero until it does.
#[derive(Debug, Default)]
pub struct RealClock {
    begun: OnceLock<Instant>,
    /// The show time then.
    from: Time,
}

impl RealClock {
    /// That of a show that has come this far, and goes on: its time passes from now on.
    pub fn going_on(from: Time) -> Self {
        Self { begun: OnceLock::from(Instant::now()), from }
    }
}

impl Clock for RealClock {
    fn begin(&self) {
        // The first call counts.
        let _ = self.begun.set(Instant::now());
    }
    fn now(&self) -> Time {
        self.begun.get().map_or(self.from, |begun| self.from + Span::from_duration(begun.elapsed()))
    }
    fn day_time_at_zero(&self) -> Option<TimeOfDay> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let now = Span::from_duration(since_epoch) - (self.now() - Time::ZERO);
        TimeOfDay::new(Span::from_flicks(now.flicks().rem_euclid(TimeOfDay::DAY.flicks())))
    }
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
    fn wait_until(&self, time: Time, stop: &Stop) {
        let left = time - self.now();
        if left > Span::ZERO {
            stop.wait(left.as_duration());
        }
    }
}

/// Time that passes as fast as the show can be made: it is wherever it was last asked to wait for.
#[derive(Debug)]
pub struct VirtualClock {
    now: Mutex<Time>,
    day: Option<TimeOfDay>,
    /// The clock on the wall at show time zero.
    zero: SystemTime,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::starting(Time::ZERO, None, UNIX_EPOCH)
    }
}

impl VirtualClock {
    /// One that begins at this time, and whose show begins at this time of day, and with this on the
    /// clock on the wall.
    pub fn starting(at: Time, day: Option<TimeOfDay>, zero: SystemTime) -> Self {
        Self { now: Mutex::new(at), day, zero }
    }
}

impl Clock for VirtualClock {
    fn begin(&self) {}
    fn now(&self) -> Time {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn day_time_at_zero(&self) -> Option<TimeOfDay> {
        self.day
    }
    fn wall(&self) -> SystemTime {
        // To the millisecond, as show time is rounded where both are kept.
        let ms = self.now().as_millis_rounded();
        let apart = Duration::from_millis(ms.unsigned_abs());
        if ms < 0 { self.zero - apart } else { self.zero + apart }
    }
    fn wait_until(&self, time: Time, _: &Stop) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = time.max(*now);
    }
}

/// The request to stop, which wakes whoever waits.
#[derive(Debug, Default)]
pub struct Stop {
    asked: Mutex<Asked>,
    wake: Condvar,
    /// Parts that stop with it.
    parts: Mutex<Vec<Weak<Stop>>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Asked {
    #[default]
    Running,
    Stopping,
}

impl Stop {
    /// Asks for the stop. Asking again changes nothing.
    pub fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Asked::Stopping;
        self.wake.notify_all();
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        parts.iter().filter_map(Weak::upgrade).for_each(|part| part.ask());
    }
    /// That of a part: it stops with the whole, and may stop alone.
    pub fn part(&self) -> Arc<Self> {
        let part = Arc::new(Self::default());
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|part| part.strong_count() > 0);
        parts.push(Arc::downgrade(&part));
        drop(parts);
        if self.is_asked() {
            part.ask();
        }
        part
    }
    /// Whether it has been asked for.
    pub fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) == Asked::Stopping
    }
    /// Waits this long, or until the stop is asked for.
    pub fn wait(&self, how_long: Duration) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(asked, how_long, |asked| *asked == Asked::Running);
        drop(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_on_the_wall_goes_as_virtual_time_does() {
        let zero = UNIX_EPOCH + Duration::from_secs(86_400);
        let clock = VirtualClock::starting(Time::ZERO - Span::from_secs(3), None, zero);
        assert_eq!(clock.wall(), zero - Duration::from_secs(3));
        clock.wait_until(Time::from_millis(2_040), &Stop::default());
        assert_eq!(clock.wall(), zero + Duration::from_millis(2_040));
    }

    #[test]
    fn virtual_time_never_goes_back() {
        let clock = VirtualClock::default();
        let stop = Stop::default();
        clock.wait_until(Time::from_secs(7200), &stop);
        clock.wait_until(Time::from_secs(1), &stop);
        assert_eq!(clock.now(), Time::from_secs(7200));
    }

    #[test]
    fn a_clock_that_goes_on_begins_where_it_was_left() {
        let clock = RealClock::going_on(Time::from_secs(7200));
        clock.begin();
        assert!((7200..7260).contains(&(clock.now().as_millis_rounded() / 1000)));
        let (zero, fresh) =
            (clock.day_time_at_zero().unwrap(), RealClock::default().day_time_at_zero().unwrap());
        let apart =
            (fresh.since_midnight() - zero.since_midnight()).as_millis_rounded().rem_euclid(86_400_000);
        assert!((7_199_000..7_260_000).contains(&apart), "{apart} ms");
    }

    #[test]
    fn a_part_stops_alone_and_with_the_whole() {
        let whole = Stop::default();
        let (one, other) = (whole.part(), whole.part());
        one.ask();
        assert!(one.is_asked() && !other.is_asked() && !whole.is_asked());
        whole.ask();
        assert!(other.is_asked() && whole.part().is_asked());
    }

    #[test]
    fn a_stop_wakes_the_waiter() {
        let stop = std::sync::Arc::new(Stop::default());
        let asker = std::sync::Arc::clone(&stop);
        let thread = std::thread::spawn(move || asker.ask());
        // Waits an hour if the stop does not wake it.
        let clock = RealClock::default();
        clock.begin();
        clock.wait_until(Time::from_secs(3600), &stop);
        thread.join().unwrap();
        assert!(stop.is_asked());
    }
}
