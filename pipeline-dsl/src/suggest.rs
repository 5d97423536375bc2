//! "Did you mean …?"

mod encoder;

pub(crate) use encoder::other_encoder;

/// The word of `legal` nearest to `text`, if one is near enough to have been meant.
pub(crate) fn nearest<'w>(text: &str, legal: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let length = text.chars().count();
    if length > 64 {
        return None;
    }
    let most = (length / 3).clamp(1, 3);
    let lower = text.to_lowercase();
    // A large show has many names; looking at so many of them is enough.
    let near = legal.into_iter().take(500).filter_map(|word| {
        let distance = strsim::damerau_levenshtein(&lower, &word.to_lowercase());
        (distance <= most && distance < length.max(2)).then_some((distance, word))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// The same as a sentence.
pub(crate) fn did_you_mean<'w>(text: &str, legal: impl IntoIterator<Item = &'w str>) -> Option<String> {
    nearest(text, legal).map(|word| format!("did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_only() {
        assert_eq!(nearest("camra", ["channel", "camera"]), Some("camera"));
        assert_eq!(nearest("Camera", ["camera"]), Some("camera"));
        assert_eq!(nearest("on", ["off", "on"]), Some("on"));
        assert_eq!(nearest("x", ["at"]), None);
        assert_eq!(nearest("watermark", ["camera", "filler"]), None);
    }
}
