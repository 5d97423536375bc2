//! Literals with units, both ways: `400ms`, `0:10`, `4500k`, `48kHz`, `30000/1001fps`.
//!
//! Reading is exact: a decimal is never taken through a float, and what the
//! writers below give reads back as the same value, to the flick and the bit.

mod clock;
mod colors;
mod places;

use media::{FrameRate, SampleRate, Size};

pub(crate) use self::clock::{flicks, shift, time_of_day, write_clock, write_span, write_time, zone};
pub(crate) use self::colors::{COLORS, color, write_color};
pub(crate) use self::places::{corner, crop, extent, write_corner, write_crop, write_extent};
use crate::model::Gain;

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
    use crate::model::{Crop, Length, Rgb};
    use media::{FLICKS_PER_SECOND, Span, Time};
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
