//! Durations, times of the show, times of day and zones.

use media::FLICKS_PER_SECOND;

use super::{MOST_SECONDS, Miss, decimal, scaled, signed, split_unit, unit_or_other};

/// `500ms`, `2s`, `1.5s`, `10m`, `2h`, `0:10`, `1:02:03.500`: flicks.
pub(crate) fn flicks(text: &str) -> Result<i64, Miss> {
    let flicks = if text.contains(':') {
        clock(text).ok_or(Miss::Other)?
    } else {
        let (number, unit) = split_unit(text);
        let second = i128::from(FLICKS_PER_SECOND);
        let unit = match unit {
            "ms" => second / 1000,
            "s" => second,
            "m" => second * 60,
            "h" => second * 3600,
            _ => return Err(unit_or_other(text)),
        };
        let (digits, places) = decimal(number).ok_or(Miss::Other)?;
        scaled(digits, places, unit).ok_or(Miss::Range)?
    };
    let most = i128::from(MOST_SECONDS) * i128::from(FLICKS_PER_SECOND);
    if flicks > most {
        return Err(Miss::Range);
    }
    i64::try_from(flicks).map_err(|_| Miss::Range)
}

/// `m:ss`, `h:mm:ss`, each with or without decimals.
fn clock(text: &str) -> Option<i128> {
    let mut fields = text.split(':').rev();
    let (seconds, minutes, hours) = (fields.next()?, fields.next()?, fields.next());
    if fields.next().is_some() {
        return None;
    }
    let two = |s: &str| s.len() == 2 && s < "60" && s.bytes().all(|b| b.is_ascii_digit());
    if !two(seconds.split('.').next()?) || (hours.is_some() && !two(minutes)) {
        return None;
    }
    let whole = |s: &str| decimal(s).filter(|(_, places)| *places == 0).map(|(n, _)| n);
    let (digits, places) = decimal(seconds)?;
    let minutes = whole(minutes)?.checked_add(hours.map_or(Some(0), whole)?.checked_mul(60)?)?;
    let second = i128::from(FLICKS_PER_SECOND);
    scaled(digits, places, second)?.checked_add(minutes.checked_mul(60 * second)?)
}

/// Seconds with as many decimals as tell one flick from the next.
fn seconds(flicks: i64) -> String {
    let (whole, rest) = (flicks / FLICKS_PER_SECOND, flicks % FLICKS_PER_SECOND);
    if rest == 0 {
        return whole.to_string();
    }
    if rest % (FLICKS_PER_SECOND / 1000) == 0 {
        return format!("{whole}.{:03}", rest / (FLICKS_PER_SECOND / 1000));
    }
    let ten = 10_000_000_000i128;
    let second = i128::from(FLICKS_PER_SECOND);
    let part = (i128::from(rest) * ten + second / 2) / second;
    format!("{whole}.{part:010}")
}

/// A duration as one writes it: `400ms`, `3s`, else seconds with decimals.
pub(crate) fn write_span(span: media::Span) -> String {
    let flicks = span.flicks().max(0);
    let milli = FLICKS_PER_SECOND / 1000;
    if flicks % FLICKS_PER_SECOND == 0 || flicks % milli != 0 {
        format!("{}s", seconds(flicks))
    } else {
        format!("{}ms", flicks / milli)
    }
}

/// A time of the show as one writes it: `0:10`, `1:02:03.500`.
pub(crate) fn write_time(time: media::Time) -> String {
    let flicks = time.flicks().max(0);
    let minutes = flicks / FLICKS_PER_SECOND / 60;
    let rest = seconds(flicks - minutes * 60 * FLICKS_PER_SECOND);
    let rest = if rest.split('.').next().is_some_and(|s| s.len() < 2) { format!("0{rest}") } else { rest };
    match minutes / 60 {
        0 => format!("{minutes}:{rest}"),
        hours => format!("{hours}:{:02}:{rest}", minutes % 60),
    }
}

/// A time of day, `20:15` or `20:15:00.500`, as the time since midnight.
pub(crate) fn time_of_day(text: &str) -> Result<media::Span, Miss> {
    let long = match text.matches(':').count() {
        0 => return Err(Miss::Other),
        // Hours and minutes here, where a duration would read minutes and seconds.
        1 => format!("{text}:00"),
        _ => text.to_owned(),
    };
    let flicks = clock(&long).ok_or(Miss::Other)?;
    if flicks >= 86_400 * i128::from(FLICKS_PER_SECOND) {
        return Err(Miss::Range);
    }
    i64::try_from(flicks).map(media::Span::from_flicks).map_err(|_| Miss::Range)
}

/// A time of day as one writes it: always with its seconds.
pub(crate) fn write_clock(since_midnight: media::Span) -> String {
    let flicks = since_midnight.flicks().max(0);
    let minutes = flicks / FLICKS_PER_SECOND / 60;
    let rest = seconds(flicks - minutes * 60 * FLICKS_PER_SECOND);
    let rest = if rest.split('.').next().is_some_and(|s| s.len() < 2) { format!("0{rest}") } else { rest };
    format!("{}:{:02}:{rest}", minutes / 60, minutes % 60)
}

/// `+01:00`, `-03:30`: minutes ahead of UTC.
pub(crate) fn zone(text: &str) -> Result<i16, Miss> {
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return Err(Miss::Other),
    };
    let (hours, minutes) = rest.split_once(':').ok_or(Miss::Other)?;
    let two = |s: &str| {
        let digits = s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| s.parse::<i16>().ok()).flatten().ok_or(Miss::Other)
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if minutes < 60 { Ok(sign * (hours * 60 + minutes)) } else { Err(Miss::Range) }
}

/// `-10s`, `+400ms`, `2s`: within a day either way.
pub(crate) fn shift(text: &str) -> Result<media::Span, Miss> {
    let (is_minus, length) = signed(text);
    let length = media::Span::from_flicks(flicks(length)?);
    if length > media::Span::from_secs(86_400) {
        return Err(Miss::Range);
    }
    Ok(if is_minus { -length } else { length })
}
