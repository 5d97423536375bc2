//! Literals with units, both ways: `400ms`, `0:10`, `4500k`, `48kHz`, `30000/1001fps`.
//!
//! Reading is exact: a decimal is never taken through a float, and what the
//! writers below give reads back as the same value, to the flick and the bit.

use media::{FLICKS_PER_SECOND, FrameRate, SampleRate, Size};

use crate::model::{Crop, Gain, Length, Rgb};

/// The longest duration and the latest time, in seconds: 999:59:59.
pub(crate) const MOST_SECONDS: i64 = 999 * 3600 + 59 * 60 + 59;

/// A decimal as its digits and how many of them stand behind the point.
fn decimal(text: &str) -> Option<(i128, u32)> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() => (whole, part),
        Some(_) => return None,
        None => (text, ""),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || whole.len() > 15 || part.len() > 12 {
        return None;
    }
    let value = format!("{whole}{part}").parse().ok()?;
    Some((value, u32::try_from(part.len()).ok()?))
}

/// `digits / 10^places * unit`, to the nearest.
fn scaled(digits: i128, places: u32, unit: i128) -> Option<i128> {
    let ten = 10i128.checked_pow(places)?;
    Some((digits.checked_mul(unit)?.checked_add(ten / 2)?) / ten)
}

/// The leading digits and points of `text`, and what follows them.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// Why a text is no literal of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Miss {
    /// It is something else.
    Other,
    /// It is a number without its unit.
    Unit,
    /// It is one, but no value of this kind is so large, small or fine.
    Range,
}

fn unit_or_other(text: &str) -> Miss {
    if decimal(text).is_some() { Miss::Unit } else { Miss::Other }
}

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

/// `1920x1080`; whether it is a size the engine can work with is not looked at.
pub(crate) fn size(text: &str) -> Result<Size, Miss> {
    let (width, height) = text.split_once('x').ok_or(Miss::Other)?;
    let side = |s: &str| decimal(s).filter(|(_, places)| *places == 0).map(|(n, _)| n).ok_or(Miss::Other);
    let (width, height) = (side(width)?, side(height)?);
    let narrow = |n| u32::try_from(n).map_err(|_| Miss::Range);
    Ok(Size::new(narrow(width)?, narrow(height)?))
}

/// `30fps`, `30000/1001fps`.
pub(crate) fn rate(text: &str) -> Result<FrameRate, Miss> {
    let Some(number) = text.strip_suffix("fps") else { return Err(unit_or_other(text)) };
    let (num, den) = number.split_once('/').unwrap_or((number, "1"));
    let part = |s: &str| {
        let (n, places) = decimal(s).ok_or(Miss::Other)?;
        if places > 0 { Err(Miss::Range) } else { u32::try_from(n).map_err(|_| Miss::Range) }
    };
    FrameRate::new(part(num)?, part(den)?).map_err(|_| Miss::Range)
}

/// A decimal times `unit`, where that is a whole number.
fn exact(number: &str, unit: i128) -> Result<u32, Miss> {
    let (digits, places) = decimal(number).ok_or(Miss::Other)?;
    let ten = 10i128.checked_pow(places).ok_or(Miss::Range)?;
    let product = digits.checked_mul(unit).ok_or(Miss::Range)?;
    if product % ten != 0 {
        return Err(Miss::Range);
    }
    u32::try_from(product / ten).map_err(|_| Miss::Range)
}

/// `4500k`, `4.5M`: bits a second.
pub(crate) fn bits(text: &str) -> Result<u32, Miss> {
    match split_unit(text) {
        (number, "k") => exact(number, 1000),
        (number, "M") => exact(number, 1_000_000),
        _ => Err(unit_or_other(text)),
    }
}

/// Bits a second as one writes them.
pub(crate) fn write_bits(bits: u32) -> String {
    if bits.is_multiple_of(1000) {
        format!("{}k", bits / 1000)
    } else {
        format!("{}.{:03}k", bits / 1000, bits % 1000)
    }
}

/// `48kHz`, `44.1kHz`, `48000Hz`.
pub(crate) fn sample_rate(text: &str) -> Result<SampleRate, Miss> {
    let hz = match split_unit(text) {
        (number, "kHz") => exact(number, 1000)?,
        (number, "Hz") => exact(number, 1)?,
        _ => return Err(unit_or_other(text)),
    };
    SampleRate::new(hz).map_err(|_| Miss::Range)
}

/// A whole number without a unit.
pub(crate) fn whole(text: &str) -> Result<u32, Miss> {
    exact(text, 1)
}

/// A sine's pitch: `440`, `440Hz`, `1kHz`.
pub(crate) fn hertz(text: &str) -> Result<u32, Miss> {
    match split_unit(text) {
        (number, "" | "Hz") => exact(number, 1),
        (number, "kHz") => exact(number, 1000),
        _ => Err(Miss::Other),
    }
}

/// A number from 0 to 1.
pub(crate) fn ratio(text: &str) -> Result<f32, Miss> {
    decimal(text).ok_or(Miss::Other)?;
    let value: f32 = text.parse().map_err(|_| Miss::Other)?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(Miss::Range) }
}

/// A text without its sign, and whether that is a minus.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `30%`, `0.5%`: millionths of the whole, more than none.
pub(crate) fn percent(text: &str) -> Result<u32, Miss> {
    let Some(number) = text.strip_suffix('%') else { return Err(unit_or_other(text)) };
    let millionths = exact(number, 10_000)?;
    if (1..=1_000_000).contains(&millionths) { Ok(millionths) } else { Err(Miss::Range) }
}

/// `50%`, `150%`: whole per cent.
pub(crate) fn scale(text: &str) -> Result<u32, Miss> {
    let Some(number) = text.strip_suffix('%') else { return Err(unit_or_other(text)) };
    let percent = exact(number, 1)?;
    if (1..=1000).contains(&percent) { Ok(percent) } else { Err(Miss::Range) }
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

/// A whole number with its sign, or a decimal in steps of `1 / unit`, times `unit`.
fn exact_signed(text: &str, unit: i128) -> Result<i32, Miss> {
    let (is_minus, number) = signed(text);
    let value = i32::try_from(exact(number, unit)?).map_err(|_| Miss::Range)?;
    Ok(if is_minus { -value } else { value })
}

/// `300ppm`, `-20ppm`: millionths, within 5 % either way.
pub(crate) fn ppm(text: &str) -> Result<i32, Miss> {
    let Some(number) = text.strip_suffix("ppm") else { return Err(unit_or_other(signed(text).1)) };
    let ppm = exact_signed(number, 1)?;
    if ppm.abs() <= 50_000 { Ok(ppm) } else { Err(Miss::Range) }
}

/// `-3dB`, `4.5dB`: a gain.
pub(crate) fn level(text: &str) -> Result<Gain, Miss> {
    let Some(number) = text.strip_suffix("dB") else { return Err(unit_or_other(signed(text).1)) };
    let tenths = i16::try_from(exact_signed(number, 10)?).map_err(|_| Miss::Range)?;
    Gain::from_tenths(tenths).ok_or(Miss::Range)
}

/// A gain as one writes it.
pub(crate) fn write_level(gain: Gain) -> String {
    let (tenths, sign) = (gain.tenths().unsigned_abs(), if gain.tenths() < 0 { "-" } else { "" });
    match tenths % 10 {
        0 => format!("{sign}{}dB", tenths / 10),
        rest => format!("{sign}{}.{rest}dB", tenths / 10),
    }
}

/// The most pixels a length has.
const MOST_PIXELS: u32 = 8192;

/// `960`, `50%`, `33.333%`: a length of the canvas.
fn length(text: &str) -> Result<Length, Miss> {
    match text.strip_suffix('%') {
        Some(number) => {
            let thousandths = exact(number, 1000)?;
            if thousandths <= 100_000 { Ok(Length::Percent(thousandths)) } else { Err(Miss::Range) }
        }
        None => {
            let pixels = exact(text, 1)?;
            if pixels <= MOST_PIXELS { Ok(Length::Pixels(pixels)) } else { Err(Miss::Range) }
        }
    }
}

fn write_length(length: Length) -> String {
    match length {
        Length::Pixels(pixels) => pixels.to_string(),
        Length::Percent(thousandths) => match thousandths % 1000 {
            0 => format!("{}%", thousandths / 1000),
            rest => {
                let digits = format!("{rest:03}");
                format!("{}.{}%", thousandths / 1000, digits.trim_end_matches('0'))
            }
        },
    }
}

/// `50%,0`: from the left, from the top.
pub(crate) fn corner(text: &str) -> Result<(Length, Length), Miss> {
    let (x, y) = text.split_once(',').ok_or(Miss::Other)?;
    Ok((length(x)?, length(y)?))
}

/// A corner as one writes it.
pub(crate) fn write_corner((x, y): (Length, Length)) -> String {
    format!("{},{}", write_length(x), write_length(y))
}

/// `50%x100%`: width and height.
pub(crate) fn extent(text: &str) -> Result<(Length, Length), Miss> {
    let (width, height) = text.split_once('x').ok_or(Miss::Other)?;
    Ok((length(width)?, length(height)?))
}

/// An extent as one writes it.
pub(crate) fn write_extent((width, height): (Length, Length)) -> String {
    format!("{}x{}", write_length(width), write_length(height))
}

/// `10%,0,10%,0`: from the left, the top, the right and the bottom.
pub(crate) fn crop(text: &str) -> Result<Crop, Miss> {
    let mut sides = text.split(',').map(length);
    let mut next = || sides.next().unwrap_or(Err(Miss::Other));
    let crop = Crop { left: next()?, top: next()?, right: next()?, bottom: next()? };
    if sides.next().is_some() { Err(Miss::Other) } else { Ok(crop) }
}

/// A crop as one writes it.
pub(crate) fn write_crop(crop: Crop) -> String {
    let Crop { left, top, right, bottom } = crop;
    [left, top, right, bottom].map(write_length).join(",")
}

/// The basic colours of CSS.
pub(crate) const COLORS: [(&str, Rgb); 16] = [
    ("black", rgb(0x00_00_00)),
    ("silver", rgb(0xc0_c0_c0)),
    ("gray", rgb(0x80_80_80)),
    ("white", rgb(0xff_ff_ff)),
    ("maroon", rgb(0x80_00_00)),
    ("red", rgb(0xff_00_00)),
    ("purple", rgb(0x80_00_80)),
    ("fuchsia", rgb(0xff_00_ff)),
    ("green", rgb(0x00_80_00)),
    ("lime", rgb(0x00_ff_00)),
    ("olive", rgb(0x80_80_00)),
    ("yellow", rgb(0xff_ff_00)),
    ("navy", rgb(0x00_00_80)),
    ("blue", rgb(0x00_00_ff)),
    ("teal", rgb(0x00_80_80)),
    ("aqua", rgb(0x00_ff_ff)),
];

const fn rgb(hex: u32) -> Rgb {
    Rgb { r: (hex >> 16) as u8, g: (hex >> 8) as u8, b: hex as u8 }
}

/// `green` or `#rrggbb`.
pub(crate) fn color(text: &str) -> Option<Rgb> {
    if let Some(hex) = text.strip_prefix('#') {
        let legal = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return legal.then(|| u32::from_str_radix(hex, 16).ok().map(rgb)).flatten();
    }
    COLORS.iter().find(|(name, _)| *name == text).map(|(_, color)| *color)
}

/// A colour by its name, if it has one.
pub(crate) fn write_color(color: Rgb) -> String {
    match COLORS.iter().find(|(_, rgb)| *rgb == color) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("#{:02x}{:02x}{:02x}", color.r, color.g, color.b),
    }
}

/// What a bare run looks like, for "found a size".
pub(crate) fn looks_like(text: &str) -> Option<&'static str> {
    if flicks(text).is_ok() {
        Some("a duration")
    } else if size(text).is_ok() {
        Some("a size")
    } else if rate(text).is_ok() {
        Some("a frame rate")
    } else if bits(text).is_ok() {
        Some("a bitrate")
    } else if sample_rate(text).is_ok() {
        Some("a sample rate")
    } else if decimal(text).is_some() {
        Some("a number")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Span, Time};
    use proptest::prelude::*;

    fn millis(text: &str) -> Result<i64, Miss> {
        flicks(text).map(|f| Time::from_flicks(f).as_millis_rounded())
    }

    #[test]
    fn durations_of_every_shape() {
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("2s"), Ok(2_000));
        assert_eq!(millis("1.5s"), Ok(1_500));
        assert_eq!(millis("10m"), Ok(600_000));
        assert_eq!(millis("2h"), Ok(7_200_000));
        assert_eq!(millis("0:10"), Ok(10_000));
        assert_eq!(millis("90:00"), Ok(5_400_000));
        assert_eq!(millis("1:02:03.500"), Ok(3_723_500));
        assert_eq!(millis("10"), Err(Miss::Unit));
        for bad in [
            "0:5", "0:60", "1:2:03", "1:60:00", ":10", "1:", "1::2", "s", ".5s", "1.s", "-1s", "1:2:3:4",
            "1e3s", "0:+1",
        ] {
            assert_eq!(millis(bad), Err(Miss::Other), "{bad}");
        }
        assert_eq!(millis("1000h"), Err(Miss::Range));
        assert_eq!(millis("999999999999999h"), Err(Miss::Range));
    }

    #[test]
    fn rates_and_bits() {
        assert_eq!(rate("30000/1001fps").unwrap().to_string(), "30000/1001fps");
        assert_eq!(rate("30"), Err(Miss::Unit));
        assert_eq!(rate("29.97fps"), Err(Miss::Range));
        assert_eq!(rate("0fps"), Err(Miss::Range));
        assert_eq!(bits("4.5M"), Ok(4_500_000));
        assert_eq!(bits("4500k"), Ok(4_500_000));
        assert_eq!(bits("4500"), Err(Miss::Unit));
        assert_eq!(bits("0.0001k"), Err(Miss::Range));
        assert_eq!(bits("5G"), Err(Miss::Other));
        assert_eq!(sample_rate("44.1kHz").unwrap().hz(), 44_100);
        assert_eq!(size("1920x1080"), Ok(Size::new(1920, 1080)));
        assert_eq!(size("1920×1080"), Err(Miss::Other));
        assert_eq!(color("#00FF7f"), Some(Rgb { r: 0, g: 255, b: 127 }));
        assert_eq!(color("#00f"), None);
        assert_eq!(ratio("0.8"), Ok(0.8));
        assert_eq!(ratio("1.1"), Err(Miss::Range));
        assert_eq!(ratio("NaN"), Err(Miss::Other));
        assert_eq!(percent("0.5%"), Ok(5_000));
        assert_eq!([percent("0%"), percent("101%"), percent("0.00001%")], [Err(Miss::Range); 3]);
        assert_eq!(percent("30"), Err(Miss::Unit));
        assert_eq!(shift("-10s"), Ok(Span::from_secs(-10)));
        assert_eq!([shift("+0:10"), shift("24h")], [10, 86_400].map(|s| Ok(Span::from_secs(s))));
        assert_eq!([shift("-25h"), shift("-5")], [Err(Miss::Range), Err(Miss::Unit)]);
        assert_eq!(
            (ppm("-300ppm"), ppm("50001ppm"), ppm("-3")),
            (Ok(-300), Err(Miss::Range), Err(Miss::Unit))
        );
        let tenths = |text| level(text).map(Gain::tenths);
        assert_eq!((tenths("-6.5dB"), tenths("+12dB")), (Ok(-65), Ok(120)));
        assert_eq!(
            (tenths("-60.1dB"), tenths("-6.55dB"), tenths("--6dB")),
            (Err(Miss::Range), Err(Miss::Range), Err(Miss::Other))
        );
    }

    #[test]
    fn levels_and_places() {
        assert_eq!(level("-3dB").map(Gain::tenths), Ok(-30));
        assert_eq!(level("+4.5dB").map(Gain::tenths), Ok(45));
        assert_eq!(level("-3"), Err(Miss::Unit));
        for bad in ["-61dB", "12.1dB", "-0.05dB"] {
            assert_eq!(level(bad), Err(Miss::Range), "{bad}");
        }
        for bad in ["--3dB", "dB", "3db", ""] {
            assert_eq!(level(bad), Err(Miss::Other), "{bad}");
        }
        assert_eq!(corner("50%,0"), Ok((Length::Percent(50_000), Length::Pixels(0))));
        assert_eq!(extent("640x33.333%"), Ok((Length::Pixels(640), Length::Percent(33_333))));
        assert_eq!(extent("101%x1"), Err(Miss::Range));
        assert_eq!(extent("9000x1"), Err(Miss::Range));
        for bad in ["50%", "50%,", ",", "-5,0", "5px,0"] {
            assert_eq!(corner(bad), Err(Miss::Other), "{bad}");
        }
        assert_eq!(crop("1,2,3"), Err(Miss::Other));
        assert_eq!(crop("1,2,3,4,5"), Err(Miss::Other));
    }

    proptest! {
        #[test]
        fn every_level_and_place_reads_back(
            tenths in -600i16..=120,
            sides in prop::array::uniform4(prop_oneof![
                (0u32..=8192).prop_map(Length::Pixels),
                (0u32..=100_000).prop_map(Length::Percent),
            ]),
        ) {
            let gain = Gain::from_tenths(tenths).unwrap();
            prop_assert_eq!(level(&write_level(gain)), Ok(gain));
            let [left, top, right, bottom] = sides;
            let all = Crop { left, top, right, bottom };
            prop_assert_eq!(crop(&write_crop(all)), Ok(all));
            prop_assert_eq!(corner(&write_corner((left, top))), Ok((left, top)));
            prop_assert_eq!(extent(&write_extent((left, top))), Ok((left, top)));
        }

        #[test]
        fn every_flick_reads_back(value in 0..MOST_SECONDS * FLICKS_PER_SECOND) {
            prop_assert_eq!(flicks(&write_span(Span::from_flicks(value))), Ok(value));
            prop_assert_eq!(flicks(&write_time(Time::from_flicks(value))), Ok(value));
        }

        #[test]
        fn every_bit_reads_back(value in any::<u32>()) {
            prop_assert_eq!(bits(&write_bits(value)), Ok(value));
        }

        #[test]
        fn no_text_panics(text in "[0-9.:xkMHzfpsmh/#]{0,40}") {
            let _ = looks_like(&text);
            let _ = (hertz(&text), whole(&text), ratio(&text), color(&text));
        }
    }
}
