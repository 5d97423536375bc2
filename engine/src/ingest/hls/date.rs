//! `#EXT-X-PROGRAM-DATE-TIME`: when a segment's first picture was taken (RFC 8216, section 4.3.2.6).

use media::Span;

use crate::ingest::wall::{self, Wall};

/// A date, a time of day with parts of a second as there are, and how far the clock's zone lies from
/// UTC, as ISO 8601 has them, with or without their separators. Where no zone is said, it is UTC.
pub(super) fn read(text: &str) -> Option<Wall> {
    let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
    let (time, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let (time, parts) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let [century, years, month, day] = pairs(date, '-')?;
    let [hour, minute, second] = pairs(time, ':')?;
    let local = wall::at([century * 100 + years, month, day], [hour, minute, second])?;
    Some(Wall(local.0 + nanos(parts)? - ahead(zone)?))
}

/// Numbers of two digits each.
fn pairs<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let mut digits = text.chars().filter(|c| *c != separator).map(|c| c.to_digit(10));
    let mut pairs = [0; N];
    for pair in &mut pairs {
        *pair = i64::from(digits.next()?? * 10 + digits.next()??);
    }
    digits.next().is_none().then_some(pairs)
}

/// Parts of a second, of which a clock tells no more than nine digits.
fn nanos(parts: &str) -> Option<Span> {
    let digits = parts.get(..9).unwrap_or(parts);
    let is_number = parts.bytes().all(|c| c.is_ascii_digit());
    let number = if digits.is_empty() { 0 } else { digits.parse::<i64>().ok().filter(|_| is_number)? };
    Some(Span::from_nanos(number * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?)))
}

/// How far a zone's clocks are ahead of UTC.
fn ahead(zone: &str) -> Option<Span> {
    let minutes = |text: &str| {
        let [hours, minutes] =
            if text.len() == 2 { [pairs::<1>(text, ':')?[0], 0] } else { pairs(text, ':')? };
        Some(Span::from_secs((hours * 60 + minutes) * 60))
    };
    match zone.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => Some(Span::ZERO),
        Some(("+", east)) => minutes(east),
        Some(("-", west)) => minutes(west).map(|west| Span::ZERO - west),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_as_packagers_write_them() {
        let at = |ms| Some(Wall(Span::from_millis(ms)));
        for (said, ms) in [
            // RFC 8216's own, ffmpeg's, and without a zone.
            ("2010-02-19T14:54:23.031+08:00", 1_266_562_463_031),
            ("2026-11-21T20:12:37.123+0000", 1_795_291_957_123),
            ("2026-11-21T20:12:37.123", 1_795_291_957_123),
            ("20261121T201237,1234567891Z", 1_795_291_957_123),
            ("2026-11-21 13:42:37-06:30", 1_795_291_957_000),
            (" 2026-11-22t01:12:37+05 ", 1_795_291_957_000),
            ("1970-01-01T00:00:00Z", 0),
        ] {
            let read = read(said).map(|wall| Wall(Span::from_millis(wall.0.as_millis_rounded())));
            assert_eq!(read, at(ms), "{said}");
        }
        for wrong in [
            "",
            "2026-11-21",
            "2026-13-21T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T20:12Z",
            "2026-11-21T20:12:37.1x3Z",
            "2026-11-21T20:12:37+1",
            "2026-11-21T20:12:37Zulu",
            "٢٠٢٦-11-21T20:12:37Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,40}", like in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{6,9}[.,]?.{0,12}") {
            let _ = read(&text);
            let _ = read(&like);
        }
    }
}
