//! Lines that tell the time of a clock on the wall: which of them is how far behind, and how
//! much longer each has to wait, so that what was taken at one moment is shown at one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use media::{Span, Time};
use pipeline_dsl::SyncBy;

/// No line waits longer than this for others.
pub(crate) const MOST: Span = Span::from_secs(2);
/// Of a line that has told nothing for so long, nobody waits for.
const FORGOTTEN: Span = Span::from_secs(10);

/// What a line is to do, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// How much longer it waits than by itself.
    pub(crate) wait: Span,
    /// How much later than the quickest of all lines it could be shown.
    pub(crate) behind: Span,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    sync: SyncBy,
    delay: Span,
    told: Time,
}

/// All lines of a show that tell the time.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<BTreeMap<String, Member>>);

impl Together {
    /// A line could be shown so long after its pictures were taken, without waiting for others.
    /// The delay has no zero of its own: it is only compared.
    pub(crate) fn tell(&self, line: &str, sync: SyncBy, delay: Span, now: Time) -> Place {
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|_, member| now - member.told < FORGOTTEN);
        members.insert(line.to_owned(), Member { sync, delay, told: now });
        let quickest = members.values().map(|member| member.delay).min().unwrap_or(delay);
        let synced = members.values().filter(|member| member.sync == SyncBy::Clock);
        // Whoever is too far behind is not waited for, and waits for nobody that is further behind.
        let first = synced.clone().map(|member| member.delay).min().unwrap_or(delay);
        let reached = synced.map(|member| member.delay).filter(|other| *other - first <= MOST);
        let wait = match sync {
            SyncBy::Arrival => Span::ZERO,
            SyncBy::Clock => (reached.max().unwrap_or(delay) - delay).max(Span::ZERO),
        };
        Place { wait, behind: delay - quickest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Span {
        Span::from_millis(ms)
    }

    #[test]
    fn the_quicker_wait_for_the_slower_within_bounds_and_others_for_nobody() {
        let together = Together::default();
        let now = Time::from_secs(100);
        let tell = |line: &str, sync, delay| together.tell(line, sync, ms(delay), now);
        assert_eq!(tell("a", SyncBy::Clock, -5_000), Place { wait: ms(0), behind: ms(0) });
        assert_eq!(tell("b", SyncBy::Clock, -4_700), Place { wait: ms(0), behind: ms(300) });
        assert_eq!(tell("a", SyncBy::Clock, -5_000), Place { wait: ms(300), behind: ms(0) });
        assert_eq!(tell("c", SyncBy::Arrival, -4_000), Place { wait: ms(0), behind: ms(1_000) });
        assert_eq!(tell("a", SyncBy::Clock, -5_000).wait, ms(300), "it is not one of them");
        assert_eq!(tell("d", SyncBy::Clock, 0), Place { wait: ms(0), behind: ms(5_000) });
        assert_eq!(tell("a", SyncBy::Clock, -5_000).wait, ms(300), "five seconds are too much");
        let later = together.tell("a", SyncBy::Clock, ms(-5_000), now + Span::from_secs(11));
        assert_eq!(later, Place { wait: ms(0), behind: ms(0) }, "the others are gone");
    }
}
