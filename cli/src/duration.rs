//! Durations on the command line, spelled as in a show file.

use media::{FLICKS_PER_SECOND, Span};

const LEGAL: &str = "legal: 500ms, 2s, 1.5s, 10m, 2h, 1:30, 1:02:03.500";

/// Reads a duration above zero, up to 999 hours.
///
/// # Errors
/// What is wrong, with the legal spellings.
pub fn parse(text: &str) -> Result<Span, String> {
    let flicks = flicks(text).ok_or_else(|| format!("{text:?} is no duration; {LEGAL}"))?;
    match i64::try_from(flicks) {
        Ok(flicks) if (1..=999 * 3600 * FLICKS_PER_SECOND).contains(&flicks) => Ok(Span::from_flicks(flicks)),
        _ => Err(format!("{text:?} is out of range; legal: above 0, up to 999:00:00")),
    }
}

fn flicks(text: &str) -> Option<i128> {
    let second = i128::from(FLICKS_PER_SECOND);
    if text.contains(':') {
        let mut fields = text.rsplitn(3, ':');
        let (seconds, minutes, hours) = (fields.next()?, fields.next()?, fields.next());
        let below_sixty = |s: &str| s.split('.').next().is_some_and(|s| s.len() == 2 && s < "60");
        if !below_sixty(seconds) || (hours.is_some() && !below_sixty(minutes)) || minutes.contains('.') {
            return None;
        }
        let hours = hours
            .map_or(Some(0), |hours| if hours.contains('.') { None } else { times(hours, second * 3600) });
        return Some(times(seconds, second)? + times(minutes, second * 60)? + hours?);
    }
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "ms" => second / 1000,
        "s" => second,
        "m" => second * 60,
        "h" => second * 3600,
        _ => return None,
    };
    times(number, unit)
}

/// A decimal times a unit, exactly but for the last flick.
fn times(number: &str, unit: i128) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| (1..=9).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let ten = 10i128.pow(u32::try_from(part.len()).ok()?);
    Some(whole.parse::<i128>().ok()? * unit + part.parse::<i128>().ok()? * unit / ten)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use media::Span;

    #[test]
    fn all_spellings_are_read() {
        let cases = [
            ("500ms", 500),
            ("2s", 2_000),
            ("1.5s", 1_500),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("1:30", 90_000),
            ("1:02:03.500", 3_723_500),
        ];
        for (text, ms) in cases {
            assert_eq!(parse(text), Ok(Span::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_named_with_what_is_legal() {
        for text in ["", "5", "s", "-2s", "1:5", "1:60", "1.5:00", "1:2:03", "2 s", "1e3s", "1..5s", "ü"] {
            assert!(parse(text).is_err_and(|e| e.contains("legal: 500ms")), "{text}");
        }
        for text in ["0s", "0:00", "5000h", "999999999h"] {
            assert!(parse(text).is_err_and(|e| e.contains("out of range")), "{text}");
        }
    }
}
