//! Of an address only what may be seen. User, path and query may hold a
//! password, a passphrase or a stream key.

use crate::suggest::nearest;
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

/// A show file's text with its addresses and keys masked, to be shown around a diagnostic: it has
/// the same length, and every span points to the same words.
///
/// Of an address only scheme, host, port and placeholders can be read. What stands behind `pull`,
/// or behind `push` and is no push point, is taken for one, whatever it looks like. Of `key=` and
/// `env=` only places can be read, and 32 hex digits are a key wherever they stand.
///
/// ```
/// let line = r#"line a pull "srt://cam.example:9001?passphrase=0123456789""#;
/// assert_eq!(pipeline_dsl::masked(line), r#"line a pull "srt://cam.example:9001?*********************""#);
/// let line = r#"line a push "rtmp:live/a?key=hunter2" key=hunter2"#;
/// assert_eq!(pipeline_dsl::masked(line), r#"line a push "rtmp:live/a?***********" key=*******"#);
/// ```
pub fn masked(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let mut rest = line;
        let mut before = Before::default();
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(word_end(rest));
            match before.secret_value(word) {
                Some(at) => {
                    out.push_str(&word[..at]);
                    hide_inside(&word[at..], &mut out);
                }
                None if is_secret(word, before.last) => mask(word, &mut out),
                None => {
                    let seen = visible(word);
                    let end =
                        if word.len() > seen && word.ends_with('"') { word.len() - 1 } else { word.len() };
                    hide_digits(&word[..seen], &mut out);
                    hide(&word[seen..end], &mut out);
                    out.push_str(&word[end..]);
                }
            }
            before.pass(word);
            rest = tail;
        }
    }
    out
}

/// The words of a line that have been read.
#[derive(Default)]
struct Before<'a> {
    last: &'a str,
    last_but_one: &'a str,
    /// In `rtmps`, whose `key=` is a path.
    has_paths: bool,
}

impl<'a> Before<'a> {
    fn pass(&mut self, word: &'a str) {
        if word.trim().is_empty() {
            return;
        }
        let begins = self.last.is_empty() || self.last.ends_with(['{', ';']);
        let ends = !word.starts_with('"') && word.contains([';', '}']);
        self.has_paths = (self.has_paths && !ends) || (begins && word == "rtmps") || word.ends_with("{rtmps");
        self.last_but_one = std::mem::replace(&mut self.last, word);
    }

    /// Where in `word` a value begins that nobody may see: one of a key that says where a secret is
    /// kept, and that is no such place.
    fn secret_value(&self, word: &str) -> Option<usize> {
        if word.trim().is_empty() {
            return None;
        }
        let is_bare = !word.starts_with('"');
        let is_value = if self.last.starts_with('"') { None } else { self.last.strip_suffix('=') };
        let (name, at) = match (is_value, word.split_once('=')) {
            (Some(""), _) => (self.last_but_one, 0),
            (Some(name), _) => (name.rsplit('=').next().unwrap_or(name), 0),
            (None, Some(("", value))) if !value.is_empty() => (self.last, 1),
            (None, Some((name, value))) if !value.is_empty() => {
                (name.trim_start_matches('"'), name.len() + 1)
            }
            _ => return None,
        };
        let name = name.rsplit(['{', ';', '}']).next().unwrap_or(name).to_ascii_lowercase();
        if !name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) {
            return None;
        }
        let value = word[at..].trim_matches('"');
        let value = if is_bare { value.trim_end_matches([';', '}']) } else { value };
        let is_place = match name.as_str() {
            "env" => is_variable(value),
            "key" if self.has_paths => !value.contains("://"),
            name if !is_key_name(name) => true,
            _ if value.starts_with("env:") => value.strip_prefix("env:").is_some_and(is_variable),
            _ => value.starts_with("file:") && !value.contains("://"),
        };
        (!is_place).then_some(at)
    }
}

/// Whether what stands behind this name and `=` is meant to be a secret, however it is misspelt.
fn is_key_name(name: &str) -> bool {
    let parts = ["key", "pass", "secret", "token", "auth"];
    parts.iter().any(|part| name.contains(part)) || nearest(name, ["key"]).is_some()
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !holds_key(name)
}

/// So many hex digits in a row are a key.
const KEY_DIGITS: usize = 32;

/// Whether a text holds what looks like a master key.
pub(crate) fn holds_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= KEY_DIGITS)
}

/// How many bytes of a word may be seen from its beginning: no query, and nothing behind a push
/// point, where stream keys are sent.
pub(crate) fn visible(word: &str) -> usize {
    let inside = word.trim_start_matches('"');
    let is_point = ["rtmp:", "rtmps:"].iter().any(|wire| inside.starts_with(wire)) && !inside.contains("//");
    let query = match word.find('?') {
        Some(at) if word[at..].contains('=') => at + 1,
        _ => word.len(),
    };
    let behind = |c: char| "?#&=\\".contains(c) || c.is_whitespace();
    let point = if is_point { word.find(behind).map(|at| at + 1) } else { None };
    let end = point.map_or(query, |at| at.min(query));
    // White space and others may be longer than a byte.
    if word.is_char_boundary(end) { end } else { end - 1 }
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
    let is_variable =
        inside.strip_prefix("env:").is_some_and(|name| is_variable(name.trim_end_matches([';', '}'])));
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

/// A word with its quotes, and nothing in between.
fn hide_inside(word: &str, out: &mut String) {
    let inside = word.strip_prefix('"').unwrap_or(word);
    out.push_str(&word[..word.len() - inside.len()]);
    let whole = inside;
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    hide(inside, out);
    out.push_str(&whole[inside.len()..]);
}

/// A text as it is, but for its keys.
fn hide_digits(text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(digits);
        if run.len() >= KEY_DIGITS {
            hide(run, out)
        } else {
            out.push_str(run)
        }
        let (other, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(tail.len()));
        out.push_str(other);
        rest = tail;
    }
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
            (r#"push "rtmp:live/x?key=SECRET" x"#, r#"push "rtmp:live/x?**********" x"#),
            (r#"psuh rtmp:live/x&SECRET"#, r#"psuh rtmp:live/x&******"#),
            (r#"psuh "live/x?key=SECRET""#, r#"psuh "live/x?**********""#),
            (r#"m key="SECRET" key=SECRET; kye = "SECRET""#, r#"m key="******" key=******* kye = "******""#),
            (r#"{ key= SECRET passphrase="SECRET/x" }"#, r#"{ key= ****** passphrase="******/*" }"#),
            (r#"key="SECRET://SECRET" key=env:SECRET-1"#, r#"key="*******//******" key=************"#),
            (r#"key=env:CAM key="file:cam.key" env=CAM}"#, r#"key=env:CAM key="file:cam.key" env=CAM}"#),
            (r#"id 1 env="it's SECRET" env=SECRET+"#, r#"id 1 env="***********" env=*******"#),
            (r#"rtmps "[::1]:1" cert="a" key="b.pem""#, r#"rtmps "[::1]:1" cert="a" key="b.pem""#),
            (r#"push rtmps key="SECRET""#, r#"push ***** key="******""#),
            (
                "id 1 file=0123456789abcdef0123456789ABCDEF; x",
                "id 1 file=********************************; x",
            ),
            ("key a0123456789abcdef0123456789ABCDEF {", "key ********************************* {"),
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
        fn whatever_is_masked_keeps_its_length_and_its_lines(source in r#"([a-z:/@"\\{};?= \nä𝄞\u{2003}]|://|pull |push |key=|rtmp:|[0-9a-f]{32}){0,60}"#) {
            let masked = masked(&source);
            prop_assert_eq!(masked.len(), source.len());
            let ends = |text: &str| text.char_indices().filter(|(_, c)| *c == '\n').map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(ends(&masked), ends(&source));
            let starts = |text: &str| text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(starts(&masked), starts(&source));
        }
    }
}
