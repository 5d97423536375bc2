//! Gains on the command line, spelled as in a show file.

/// `-6dB`, `-6 dB`, `-6`. Whether the engine takes so much, it says itself.
pub(crate) fn decibels(text: &str) -> std::result::Result<f64, String> {
    let text = text.trim();
    let number = match text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)) {
        Some((number, unit)) if unit.eq_ignore_ascii_case("db") => number.trim_end(),
        _ => text,
    };
    let db = number.parse::<f64>().ok().filter(|db| db.is_finite());
    db.ok_or_else(|| "a gain is -60dB to 12dB, for example `-6dB`; 0dB is as it comes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::decibels;

    #[test]
    fn a_gain_is_written_as_it_is_shown() {
        for text in ["-6dB", "-6 dB", "-6", "-6.0db", " -6DB "] {
            assert_eq!(decibels(text), Ok(-6.0), "{text}");
        }
        for text in ["", "dB", "loud", "6 d", "nan", "inf", "-6dBm", "ß"] {
            assert!(decibels(text).is_err_and(|said| said.contains("-60dB to 12dB")), "{text}");
        }
    }
}
