//! Of an address only what may be seen. User, path and query may hold a
//! password, a passphrase or a stream key.

use crate::template::{Piece, pieces};

/// What stands for an address of which nothing may be seen.
const HIDDEN: &str = "(address not shown)";

/// The longest word that is taken for a scheme; longer ones may be secrets.
pub(crate) const LONGEST_SCHEME: usize = 12;

/// Of an address `scheme://host:port`. What has no such beginning is not shown at all.
///
/// ```
/// let url = "rtmps://me:secret@cdn.example:444/live/STREAMKEY?token=secret";
/// assert_eq!(pipeline_dsl::address_shown(url), "rtmps://cdn.example:444");
/// assert_eq!(pipeline_dsl::address_shown("me:secret@cdn.example"), "(address not shown)");
/// ```
pub fn address_shown(address: &str) -> String {
    split(address).map_or_else(|| HIDDEN.to_owned(), |(scheme, _, place, _)| format!("{scheme}://{place}"))
}

/// Scheme, user with its `@`, host with its port, and all behind them; `None` where one cannot be told
/// from another: what is no scheme, host or port may be the half of a secret with a `/` or a `:` in it.
fn split(address: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, rest) = address.trim().split_once("://")?;
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    let (user, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (place, ""),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    let named = |c: char| plain(c) || "[]:%".contains(c);
    let legal = (1..=LONGEST_SCHEME).contains(&scheme.len())
        && scheme.chars().all(plain)
        && host.chars().all(named)
        && port.chars().all(|c| c.is_ascii_digit());
    legal.then_some((scheme, user, place, behind))
}

/// A show file's text with its addresses masked, to be shown around a diagnostic: it has the same
/// length, and every span points to the same words.
///
/// Of an address only scheme, host, port and placeholders can be read. What stands behind `pull`,
/// or behind `push` and is no push point, is taken for one, whatever it looks like.
///
/// ```
/// let line = r#"line a pull "srt://cam.example:9001?passphrase=0123456789""#;
/// assert_eq!(pipeline_dsl::masked(line), r#"line a pull "srt://cam.example:9001?*********************""#);
/// ```
pub fn masked(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let mut rest = line;
        let mut before = "";
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(word_end(rest));
            if is_secret(word, before) {
                mask(word, &mut out);
            } else {
                out.push_str(word);
            }
            if !word.trim().is_empty() {
                before = word;
            }
            rest = tail;
        }
    }
    out
}

/// The length of what stands first: white space, a string, or a run without either.
fn word_end(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.find(|c: char| {
            let ends = c == '\n' || (c == '"' && !escaped);
            escaped = c == '\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |at| at + 1 + usize::from(inside[at..].starts_with('"')));
    }
    let is_space = text.starts_with(char::is_whitespace);
    text.find(|c: char| c == '"' || c.is_whitespace() != is_space).unwrap_or(text.len())
}

fn is_secret(word: &str, before: &str) -> bool {
    let inside = word.trim_matches('"');
    let is_point = inside.starts_with("rtmp:") && !inside.contains("//") && !inside.contains('@');
    let is_variable = inside.strip_prefix("env:").is_some_and(|name| {
        name.trim_end_matches([';', '}']).chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let is_address = before == "pull" || (before == "push" && !is_point);
    !word.trim().is_empty() && !is_variable && (inside.contains("://") || is_address)
}

fn mask(word: &str, out: &mut String) {
    let quote = |yes: bool| if yes { "\"" } else { "" };
    let inside = word.strip_prefix('"').unwrap_or(word);
    out.push_str(quote(inside.len() < word.len()));
    let whole = inside.len();
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let closes = inside.len() < whole;
    match split(inside) {
        // Trimmed text would not have the same length.
        Some((scheme, user, place, behind)) if inside.trim().len() == inside.len() => {
            out.push_str(scheme);
            out.push_str("://");
            hide(user.strip_suffix('@').unwrap_or(user), out);
            out.push_str(if user.is_empty() { "" } else { "@" });
            out.push_str(place);
            for piece in pieces(behind) {
                match piece {
                    Piece::Place(name @ ("channel" | "rung")) => {
                        out.push('{');
                        out.push_str(name);
                        out.push('}');
                    }
                    Piece::Place(name) => {
                        out.push('{');
                        hide(name, out);
                        out.push('}');
                    }
                    Piece::Loose(brace) => out.push(brace),
                    Piece::Text(text) => hide(text, out),
                }
            }
        }
        _ => hide(inside, out),
    }
    out.push_str(quote(closes));
}

/// Each character as one of the same length that says nothing; slashes and a query's beginning stay.
fn hide(text: &str, out: &mut String) {
    out.extend(text.chars().map(|c| match c {
        '/' | '?' => c,
        c => match c.len_utf8() {
            1 => '*',
            2 => '·',
            3 => '•',
            _ => '\u{1f512}',
        },
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let shapes = [
            ("rtmp://live.example.com/app/SECRET", "rtmp://live.example.com"),
            ("rtmp://live.example.com:1936/app/SECRET", "rtmp://live.example.com:1936"),
            ("rtmp://user:SECRET@live.example.com/app", "rtmp://live.example.com"),
            ("rtmp://user:SECRET@x@live.example.com:1935/app", "rtmp://live.example.com:1935"),
            ("srt://cdn.example.com:9000?streamid=SECRET&passphrase=SECRET", "srt://cdn.example.com:9000"),
            ("srt://cdn.example.com?passphrase=a@SECRET", "srt://cdn.example.com"),
            ("srt://:9000?passphrase=SECRET", "srt://:9000"),
            ("rtmps://[2001:db8::1]:443/app/SECRET", "rtmps://[2001:db8::1]:443"),
            ("rtmps://[2001:db8::1]#SECRET", "rtmps://[2001:db8::1]"),
            // A password with a slash in it is no host and port.
            ("rtmp://user:SEC/RET@live.example.com/app", "(address not shown)"),
            ("SECRET", "(address not shown)"),
            ("SECRET key://live.example.com", "(address not shown)"),
            ("", "(address not shown)"),
        ];
        for (url, shown) in shapes {
            assert_eq!(address_shown(url), shown, "{url}");
        }
    }

    #[test]
    fn a_line_is_shown_without_the_secrets_of_its_addresses() {
        for (line, shown) in [
            (
                r#"pull "rtsp://me:SECRET@cam.example:554/SECRET/x?SECRET""#,
                r#"pull "rtsp://*********@cam.example:554/******/*?******""#,
            ),
            (
                r#"push "rtmp://cdn.example/live/SEC{rung}{SECRET}""#,
                r#"push "rtmp://cdn.example/****/***{rung}{******}""#,
            ),
            (r#"pull srt://a:1?passphrase=SECRET; x"#, r#"pull srt://a:1?****************** x"#),
            (r#"// once "http://h/SECRET"#, r#"// once "http://h/******"#),
            (r#"pull "cdn.example/SECRET" // x"#, r#"pull "***********/******" // x"#),
            (r#"pull "rtmp:me:SECRET@h/ä→𝄞\"x" y"#, r#"pull "****************/·•🔒***" y"#),
            (r#"egress a push "rtmp:me@SECRET""#, r#"egress a push "**************""#),
            (r#"file "http://SECRET SECRET/a" x"#, r#"file "****://******/*" x"#),
            (r#"push "rtmp:live/main" pull env:CAM"#, r#"push "rtmp:live/main" pull env:CAM"#),
            (r#"image "logo.png" // a // b"#, r#"image "logo.png" // a // b"#),
        ] {
            let masked = masked(line);
            assert_eq!(masked.len(), line.len(), "{masked}");
            if !line.contains("SECRET SECRET") {
                assert_eq!(masked, shown);
            }
            assert!(!masked.contains("SECRET"), "{masked}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_masked_keeps_its_length_and_its_lines(source in r#"([a-z:/@"\\{}; \nä𝄞]|://|pull |push ){0,60}"#) {
            let masked = masked(&source);
            prop_assert_eq!(masked.len(), source.len());
            let ends = |text: &str| text.char_indices().filter(|(_, c)| *c == '\n').map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(ends(&masked), ends(&source));
            let starts = |text: &str| text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(starts(&masked), starts(&source));
        }
    }
}
