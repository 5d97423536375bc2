//! What a time code says: a pure function of the time.

use media::{FrameRate, Span, Time};

use crate::model::{TimeOf, TimeOfDay, Units, Zone};

/// `00:01:02:24`, or `00:01:02` in seconds: hours, minutes, seconds, and the frame within its
/// second at `rate`.
///
/// For the time of day, `day_at_zero` is what it was in UTC at show time zero; there is no text
/// where that is not known.
///
/// ```
/// use media::{FrameRate, Span, Time};
/// use pipeline_dsl::{TimeOf, TimeOfDay, Units, Zone, time_code};
///
/// let rate = FrameRate::new(25, 1)?;
/// let at = Time::from_millis(62_960);
/// let said = time_code(TimeOf::Show, Zone::UTC, Units::Frames, at, rate, None);
/// assert_eq!(said.as_deref(), Some("00:01:02:24"));
/// let noon = TimeOfDay::new(Span::from_secs(12 * 3600));
/// let said = time_code(TimeOf::Clock, Zone::UTC, Units::Seconds, at, rate, noon);
/// assert_eq!(said.as_deref(), Some("12:01:02"));
/// # Ok::<(), media::OutOfRange>(())
/// ```
pub fn time_code(
    of: TimeOf,
    zone: Zone,
    units: Units,
    at: Time,
    rate: FrameRate,
    day_at_zero: Option<TimeOfDay>,
) -> Option<String> {
    let shown = at - Time::ZERO;
    let shown = match of {
        TimeOf::Show => shown,
        TimeOf::Clock => {
            let today = day_at_zero?.since_midnight() + zone.offset() + shown;
            Span::from_flicks(today.flicks().rem_euclid(TimeOfDay::DAY.flicks()))
        }
    };
    let second = Span::from_secs(1).flicks();
    let flicks = shown.flicks().max(0);
    let (seconds, rest) = (flicks / second, flicks % second);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(match units {
        Units::Seconds => text,
        Units::Frames => format!("{text}:{:02}", rate.tick_at(Time::from_flicks(rest)).0),
    })
}

#[cfg(test)]
mod tests {
    use media::Tick;
    use proptest::prelude::*;

    use super::*;

    fn show(at: Time, rate: FrameRate) -> String {
        time_code(TimeOf::Show, Zone::UTC, Units::Frames, at, rate, None).unwrap()
    }

    #[test]
    fn a_day_begins_anew_and_a_show_does_not() {
        let rate = FrameRate::new(25, 1).unwrap();
        let at = Time::from_millis(100 * 3_600_000 + 40);
        assert_eq!(show(at, rate), "100:00:00:01");
        let clock = |minutes, day| {
            let zone = Zone::from_minutes(minutes).unwrap();
            let day = TimeOfDay::new(Span::from_secs(day));
            time_code(TimeOf::Clock, zone, Units::Seconds, Time::from_millis(2000), rate, day)
        };
        assert_eq!(clock(0, 86_399).as_deref(), Some("00:00:01"));
        assert_eq!(clock(-60, 0).as_deref(), Some("23:00:02"));
        assert_eq!(clock(90, 3600).as_deref(), Some("02:30:02"));
        let none = time_code(TimeOf::Clock, Zone::UTC, Units::Seconds, at, rate, None);
        assert_eq!(none, None);
    }

    proptest! {
        #[test]
        fn every_tick_has_a_frame_of_its_own(tick in 0u64..10_000_000,
            (num, den) in prop::sample::select(vec![(25, 1), (30, 1), (50, 1), (30_000, 1001), (24_000, 1001), (60, 1)])) {
            let rate = FrameRate::new(num, den).unwrap();
            let (one, next) = (show(rate.time_of(Tick(tick)), rate), show(rate.time_of(Tick(tick + 1)), rate));
            let (head, frame) = one.rsplit_once(':').unwrap();
            let (next_head, next_frame) = next.rsplit_once(':').unwrap();
            let (frame, next_frame): (u32, u32) = (frame.parse().unwrap(), next_frame.parse().unwrap());
            if head == next_head {
                prop_assert_eq!(next_frame, frame + 1);
            } else {
                prop_assert_eq!(next_frame, 0);
                prop_assert!(frame + 1 >= num / den);
            }
        }
    }
}
