//! Lines that tell the time of a clock on the wall: which of them is how far behind, and how
//! much longer each has to wait, so that what was taken at one moment is shown at one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use media::{Span, Time};
use pipeline_dsl::SyncBy;

/// No line waits longer than this for others.
pub(crate) const MOST: Span = Span::from_secs(2);
/// Clocks may tell no day: times are compared by their place in it.
const DAY: Span = Span::from_secs(86_400);
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
        // How much later than this line each could be shown.
        let later = |member: &Member| within_a_day(member.delay - delay);
        let quickest = members.values().map(later).min().unwrap_or(Span::ZERO);
        let synced = members.values().filter(|member| member.sync == SyncBy::Clock);
        let wait = match sync {
            SyncBy::Arrival => Span::ZERO,
            SyncBy::Clock => up_to_slowest(delay, synced.map(|member| member.delay)),
        };
        Place { wait, behind: Span::ZERO - quickest }
    }
}

/// How much later than `own` the slowest is of those that are shown together with it: lines whose
/// delays lie within [`MOST`] of the quickest of them. A clock that is an hour off is alone, on
/// whichever side, and the others wait for one another as they would without it.
fn up_to_slowest(own: Span, delays: impl Iterator<Item = Span>) -> Span {
    let day = DAY.flicks();
    let mut places: Vec<i64> = delays.map(|delay| delay.flicks().rem_euclid(day)).collect();
    places.sort_unstable();
    // A day has no beginning: they are looked at from where nobody is for longest.
    let before = places.iter().copied().cycle().skip(places.len().saturating_sub(1));
    let gaps = places.iter().zip(before).map(|(place, before)| (place - before).rem_euclid(day));
    let Some((_, begin)) = gaps.zip(&places).max_by_key(|(gap, _)| *gap) else { return Span::ZERO };
    let since = |place: i64| (place - begin).rem_euclid(day);
    let own = since(own.flicks().rem_euclid(day));
    let mut since: Vec<i64> = places.iter().map(|place| since(*place)).collect();
    since.sort_unstable();
    let (mut first, mut slowest) = (0, 0);
    for place in since {
        if place - first > MOST.flicks() {
            if own < place {
                break;
            }
            first = place;
        }
        slowest = place;
    }
    Span::from_flicks((slowest - own).max(0))
}

/// A difference without whole days: from half a day before to half a day after.
fn within_a_day(difference: Span) -> Span {
    let half = DAY.flicks() / 2;
    Span::from_flicks((difference.flicks().saturating_add(half)).rem_euclid(DAY.flicks()) - half)
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

    /// A camera in another time zone looks an hour quicker, or slower, than it is.
    #[test]
    fn a_clock_that_is_an_hour_off_keeps_nobody_else_from_being_in_step() {
        for off in [-3_600_000, 3_600_000] {
            let together = Together::default();
            let tell =
                |line: &str, delay| together.tell(line, SyncBy::Clock, ms(delay), Time::from_secs(1)).wait;
            tell("quick", -5_000);
            tell("slow", -4_700);
            assert_eq!(tell("off", off - 4_900), ms(0), "{off}: it waits for nobody");
            assert_eq!((tell("quick", -5_000), tell("slow", -4_700)), (ms(300), ms(0)), "{off}");
        }
    }

    #[test]
    fn clocks_without_a_day_are_compared_across_midnight() {
        let together = Together::default();
        let day = 86_400_000;
        let tell = |line: &str, delay| together.tell(line, SyncBy::Clock, ms(delay), Time::from_secs(1));
        tell("before midnight", -day + 50);
        assert_eq!(tell("after", -150), Place { wait: ms(200), behind: ms(0) });
        assert_eq!(tell("before midnight", -day + 50), Place { wait: ms(0), behind: ms(200) });
        assert_eq!(tell("with the date", -20_000 * day - 50).behind, ms(100));
    }
}
