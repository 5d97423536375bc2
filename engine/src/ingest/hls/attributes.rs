//! Attributes of a playlist's tag (RFC 8216, section 4.2).

/// Names, and values without their quotes.
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    pub(super) fn of(mut text: &'a str) -> Self {
        let mut all = Vec::new();
        while let Some((name, rest)) = text.split_once('=') {
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
            };
            all.push((name.trim(), value.trim()));
            text = rest.strip_prefix(',').unwrap_or(rest);
        }
        Self(all)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }
}
