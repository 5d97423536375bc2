//! A peer's words, before they are shown.

/// A peer's words as they may stand in a line of a log or on a terminal: at most `most` characters,
/// the last one `…` where some are left out, and a space for each that would steer the terminal
/// (C0 and C1 controls, line ends among them) or turn what stands beside it (Unicode's bidirectional
/// controls, line and paragraph separators).
///
/// ```
/// assert_eq!(rtmp::printable("live/\u{1b}[2Jx\r\nerror: forged", 64), "live/ [2Jx  error: forged");
/// assert_eq!(rtmp::printable("a stream's name", 8), "a strea…");
/// ```
pub fn printable(words: &str, most: usize) -> String {
    let cut = words.chars().nth(most).is_some();
    let kept = words.chars().take(if cut { most.saturating_sub(1) } else { most });
    kept.map(|c| if steers(c) { ' ' } else { c }).chain((cut && most > 0).then_some('…')).collect()
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_steers_nothing_is_long_and_plain_words_stay(
            words in prop::collection::vec(prop_oneof![any::<char>(), Just('\u{1b}'), Just('\u{9b}')], 0..40),
            most in 0_usize..50,
        ) {
            let words: String = words.into_iter().collect();
            let shown = printable(&words, most);
            prop_assert!(shown.chars().count() == words.chars().count().min(most));
            prop_assert!(!shown.contains(steers));
            if !words.contains(steers) && words.chars().count() <= most {
                prop_assert_eq!(shown, words);
            }
        }
    }
}
