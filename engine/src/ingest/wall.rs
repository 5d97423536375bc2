//! What time it was, by the sender's own clock on the wall, when a picture was taken.
//!
//! Ways in which encoders say it: RTMP's `onFi` message, the precision time stamp of MISB ST 0604
//! in an unregistered user data SEI message of AVC and HEVC, RTCP's sender reports, the dates in an
//! HLS playlist, and, without the day, time codes (see [`timecode`](super::timecode)).

use std::collections::VecDeque;

use flv::amf0::Value;
use media::{Span, Time};

/// Told times that are looked at together: a few seconds.
const TOLD: usize = 63;
/// A told time that differs by more from the others says that the clock was set.
const SET: Span = Span::from_millis(1500);
/// What [`MISB`] introduces stands among a picture's first bytes, before its slices.
const HEAD: usize = 4096;
/// The UUID of a time stamp in microseconds.
const MISB: &[u8; 16] = b"MISPmicrosectime";

/// Time of the wall clock, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wall(pub(crate) Span);

/// The wall clock's time in a picture's SEI messages.
pub(crate) fn in_picture(data: &[u8]) -> Option<Wall> {
    let head = data.get(..HEAD).unwrap_or(data);
    let at = head.windows(MISB.len()).position(|window| window == MISB)? + MISB.len();
    // A byte of status, then the microseconds by twos, with a byte between that keeps start codes out.
    let &[_, a, b, _, c, d, _, e, f, _, g, h] = head.get(at..at + 12)? else { return None };
    let micros = i64::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h])).ok()?;
    Some(Wall(Span::from_nanos(micros.checked_mul(1000)?)))
}

/// The wall clock's time in a script message: `onFi` with `sd` (day-month-year) and `st`
/// (hours:minutes:seconds.milliseconds), taken as UTC.
pub(crate) fn in_script(values: &[Value]) -> Option<Wall> {
    let name = values.iter().position(|value| value.as_str() == Some("onFi"))?;
    let said = values.get(name + 1)?;
    let numbers = |key: &str, by: &[char]| {
        let text = said.get(key)?.as_str()?;
        text.split(by).map(|part| part.trim().parse::<i64>().ok()).collect::<Option<Vec<_>>>()
    };
    let (date, time) = (numbers("sd", &['-', '/'])?, numbers("st", &[':', '.'])?);
    let (&[day, month, year], &[hour, minute, second, ..]) = (&date[..], &time[..]) else { return None };
    let millis = time.get(3).copied().unwrap_or(0);
    let second = at([year, month, day], [hour, minute, second])?;
    (0..1000).contains(&millis).then(|| Wall(second.0 + Span::from_millis(millis)))
}

/// A second of the Gregorian calendar, UTC: year, month, day, and hour, minute, second.
pub(crate) fn at([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<Wall> {
    let is_legal = (1..=31).contains(&day)
        && (1..=12).contains(&month)
        && (1970..=2200).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    is_legal
        .then(|| Wall(Span::from_secs((days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second)))
}

/// Days from 1970 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that a leap day is the last of one.
    let year = if month < 3 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let days_of_year = (153 * since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + days_of_year - 719_468
}

/// How a stream's time lies to the wall clock of its sender.
#[derive(Debug, Default)]
pub(crate) struct WallClock {
    /// Wall clock minus stream time, as told.
    told: VecDeque<Span>,
    by: By,
}

/// By what the time was told: the best that is there counts, and nothing else.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// Time codes alone, which may be of any clock.
    #[default]
    Code,
    /// A playlist's dates: of a packager, which may be far from the camera.
    Playlist,
    /// The sender's own clock, with its date.
    Clock,
}

impl WallClock {
    /// At `pts` of the stream it was so late.
    pub(crate) fn told(&mut self, by: By, pts: Time, wall: Wall) {
        self.tell(by, (Time::ZERO + wall.0) - pts);
    }

    /// At `pts` its time code was so long after midnight.
    pub(crate) fn told_by_code(&mut self, pts: Time, since_midnight: Span) {
        self.tell(By::Code, (Time::ZERO + since_midnight) - pts);
    }

    fn tell(&mut self, by: By, offset: Span) {
        if by < self.by {
            return;
        }
        if by > self.by {
            self.by = by;
            self.told.clear();
        }
        if self.told.back().is_some_and(|last| (offset - *last).abs() > SET) {
            self.told.clear();
        }
        self.told.push_back(offset);
        if self.told.len() > TOLD {
            self.told.pop_front();
        }
    }

    /// Wall clock minus stream time: the middle of what was told, for encoders read their clocks
    /// a little early or late. `None` while nothing was told.
    pub(crate) fn offset(&self) -> Option<Span> {
        let mut sorted: Vec<Span> = self.told.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with a time stamp, as an encoder writes it.
    fn picture(micros: u64) -> Vec<u8> {
        let [a, b, c, d, e, f, g, h] = micros.to_be_bytes();
        let stamp = [0x1f, a, b, 0xff, c, d, 0xff, e, f, 0xff, g, h];
        [&[0, 0, 0, 1, 6, 5, 28][..], MISB, &stamp, &[0x80, 0, 0, 0, 1, 0x65, 9, 9, 9]].concat()
    }

    #[test]
    fn a_time_stamp_in_a_picture_is_read() {
        let micros = 1_795_248_000_123_456;
        assert_eq!(in_picture(&picture(micros)), Some(Wall(Span::from_nanos(micros as i64 * 1000))));
        assert_eq!(in_picture(&picture(micros)[..30]), None);
        assert_eq!(in_picture(&picture(u64::MAX)), None);
        assert_eq!(in_picture(&[]), None);
    }

    #[test]
    fn a_message_with_the_time_is_read() {
        let said = |sd: &str, st: &str| {
            let value = |s: &str| Value::String(s.into());
            in_script(&[value("onFi"), Value::object([("sd", value(sd)), ("st", value(st))])])
        };
        let at = |ms| Some(Wall(Span::from_millis(ms)));
        assert_eq!(said("01-01-1970", "00:00:01.500"), at(1500));
        assert_eq!(said("29-02-2024", "12:00:00.000"), at(1_709_208_000_000));
        assert_eq!(said("21-11-2026", "8:20:07"), at(1_795_249_207_000));
        for (sd, st) in [("32-01-2026", "0:0:0"), ("1-1-26", "0:0:0"), ("1-1-2026", "24:0:0"), ("", "")] {
            assert_eq!(said(sd, st), None, "{sd} {st}");
        }
    }

    #[test]
    fn the_middle_of_what_was_told_counts_until_the_clock_is_set() {
        let mut clock = WallClock::default();
        assert_eq!(clock.offset(), None);
        let mut tell = |pts: i64, wall: i64| {
            clock.told(By::Clock, Time::from_millis(pts), Wall(Span::from_millis(wall)));
            clock.offset().unwrap().as_millis_rounded()
        };
        for n in 0..200 {
            let told = tell(n * 40, 1_000_000 + n * 40 + n * 7919 % 31);
            assert!(n < 20 || (1_000_010..=1_000_020).contains(&told), "{told}");
        }
        assert_eq!(tell(8_000, 5_000_000), 4_992_000);
    }

    #[test]
    fn a_clock_counts_for_more_than_a_playlist_and_that_for_more_than_time_codes() {
        let mut clock = WallClock::default();
        clock.told_by_code(Time::from_secs(5), Span::from_secs(7));
        assert_eq!(clock.offset(), Some(Span::from_secs(2)));
        clock.told(By::Playlist, Time::from_secs(6), Wall(Span::from_secs(1_000)));
        clock.told_by_code(Time::from_secs(7), Span::from_secs(9));
        assert_eq!(clock.offset(), Some(Span::from_secs(994)));
        clock.told(By::Clock, Time::from_secs(6), Wall(Span::from_secs(900)));
        clock.told(By::Playlist, Time::from_secs(8), Wall(Span::from_secs(1_002)));
        assert_eq!(clock.offset(), Some(Span::from_secs(894)));
    }

    proptest! {
        #[test]
        fn nothing_in_a_picture_or_a_message_panics(
            data in prop::collection::vec(any::<u8>(), 0..60), sd in ".{0,12}", st in ".{0,12}",
        ) {
            let _ = in_picture(&[MISB, &data[..]].concat());
            let value = |s: &str| Value::String(s.into());
            let _ = in_script(&[value("onFi"), Value::object([("sd", value(&sd)), ("st", value(&st))])]);
        }
    }
}
