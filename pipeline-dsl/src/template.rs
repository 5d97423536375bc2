//! `{channel}` and `{rung}` in push URLs and record paths, `{camera}` and `{line}` where a line is recorded.

/// The placeholders an egress may have.
pub(crate) const PLACEHOLDERS: &[&str] = &["channel", "rung"];
/// The placeholders a line's recording may have.
pub(crate) const LINE_PLACEHOLDERS: &[&str] = &["camera", "line"];

/// A piece of a template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece<'t> {
    Text(&'t str),
    /// What stands between `{` and `}`.
    Place(&'t str),
    /// A `{` without its `}`, or a `}` without its `{`.
    Loose(char),
}

/// The pieces of `template`, in order.
pub(crate) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, tail) = rest.split_at(at);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let inside = tail.get(1..).unwrap_or("");
        let end =
            inside.find(['{', '}']).filter(|end| inside.get(*end..).is_some_and(|t| t.starts_with('}')));
        rest = match (tail.starts_with('{'), end) {
            (true, Some(end)) => {
                pieces.push(Piece::Place(inside.get(..end).unwrap_or("")));
                inside.get(end + 1..).unwrap_or("")
            }
            (open, _) => {
                pieces.push(Piece::Loose(if open { '{' } else { '}' }));
                inside
            }
        };
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Whether `template` has this placeholder.
pub(crate) fn has(template: &str, place: &str) -> bool {
    pieces(template).contains(&Piece::Place(place))
}

/// A push URL or record path with its placeholders filled in; anything else
/// in braces stays as it is.
///
/// ```
/// let url = pipeline_dsl::expand("rtmp://cdn/live/{channel}_{rung}", "program", "720p");
/// assert_eq!(url, "rtmp://cdn/live/program_720p");
/// ```
pub fn expand(template: &str, channel: &str, rung: &str) -> String {
    filled(template, &[("channel", channel), ("rung", rung)])
}

/// As [`expand`], for what a line's recording may have.
///
/// ```
/// let path = pipeline_dsl::expand_line("iso/{camera}-{line}.flv", "main", "fiber");
/// assert_eq!(path, "iso/main-fiber.flv");
/// ```
pub fn expand_line(template: &str, camera: &str, line: &str) -> String {
    filled(template, &[("camera", camera), ("line", line)])
}

fn filled(template: &str, places: &[(&str, &str)]) -> String {
    let mut out =
        String::with_capacity(template.len() + places.iter().map(|(_, name)| name.len()).sum::<usize>());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(place) => match places.iter().find(|(known, _)| *known == place) {
                Some((_, name)) => out.push_str(name),
                None => {
                    out.push('{');
                    out.push_str(place);
                    out.push('}');
                }
            },
            Piece::Loose(brace) => out.push(brace),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn loose_braces_are_told_apart() {
        assert_eq!(pieces("a{rung}b"), [Piece::Text("a"), Piece::Place("rung"), Piece::Text("b")]);
        assert_eq!(pieces("{{rung}"), [Piece::Loose('{'), Piece::Place("rung")]);
        assert_eq!(pieces("x}"), [Piece::Text("x"), Piece::Loose('}')]);
        assert_eq!(pieces("{x"), [Piece::Loose('{'), Piece::Text("x")]);
    }

    proptest! {
        #[test]
        fn without_placeholders_nothing_changes(text in "[a-z{}/é]{0,30}") {
            prop_assume!(!has(&text, "channel") && !has(&text, "rung"));
            prop_assert_eq!(expand(&text, "c", "r"), text);
        }
    }
}
