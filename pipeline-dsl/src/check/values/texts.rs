//! Texts: secrets' places, paths, addresses and what stands in their braces.

use super::{MOST_TEXT, Place, is_variable, shown};
use crate::address::{LONGEST_SCHEME, holds_key};
use crate::diagnostic::Diagnostic;
use crate::files::FileKind;
use crate::grammar::Type;
use crate::literal::{self, Miss};
use crate::model::{KeyPlace, PushPoint, Text};
use crate::suggest::did_you_mean;
use crate::syntax::{Atom, Quoting};
use crate::template::{LINE_PLACEHOLDERS, Piece, pieces};

/// Where a secret is kept. What stands here instead may be the secret itself: it is not repeated.
pub(super) fn secret(place: &Place<'_>) -> Result<KeyPlace, Diagnostic> {
    let said = place.atom.text.as_str();
    if holds_key(said) {
        return Err(key_itself(place));
    }
    if let Some(path) = said.strip_prefix("file:") {
        let atom = Atom { text: path.to_owned(), quoting: Quoting::Quoted, span: place.span() };
        return Ok(KeyPlace::File(text(&Place { atom: &atom, ..*place })?));
    }
    if said.starts_with("env:")
        && let Text::Env(name) = text(place)?
    {
        return Ok(KeyPlace::Env(name));
    }
    Err(key_itself(place))
}

pub(super) fn key_itself(place: &Place<'_>) -> Diagnostic {
    let message = format!("{} says where the key is kept, never the key itself", place.subject);
    let help = format!("legal: {}", place.ty.legal());
    Diagnostic::error("bad-key-place", place.span(), message).help(help)
}

/// A literal or `env:NAME`.
pub(super) fn text(place: &Place<'_>) -> Result<Text, Diagnostic> {
    let text = place.atom.text.as_str();
    if let Some(name) = text.strip_prefix("env:") {
        if is_variable(name) {
            return Ok(Text::Env(name.to_owned()));
        }
        let message = match place.ty {
            Type::PullUrl | Type::PushUrl | Type::Secret => {
                "what stands behind `env:` names no environment variable".into()
            }
            _ => format!("`{}` names no environment variable", shown(text)),
        };
        let help = Type::Variable.legal();
        return Err(Diagnostic::error("bad-name", place.span(), message).help(format!("legal: {help}")));
    }
    if text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > MOST_TEXT {
        let limit = format!("1 to {MOST_TEXT} characters, no control characters");
        return Err(place.wrong("bad-text").help(limit));
    }
    if place.atom.quoting == Quoting::Bare && literal::looks_like(text).is_some() {
        // A number in a path's place is most likely a value that slipped.
        return Err(place.missed(Miss::Other));
    }
    Ok(Text::Plain(text.to_owned()))
}

pub(super) fn input_path(place: &Place<'_>, kind: FileKind) -> Result<Text, Diagnostic> {
    if matches!(kind, FileKind::Key | FileKind::PrivateKey) && holds_key(&place.atom.text) {
        return Err(key_itself(place));
    }
    let read = text(place)?;
    let is_url = matches!(&read, Text::Plain(path) if path.contains("://"));
    match kind {
        FileKind::Media if is_url => {
            Err(place.wrong("bad-path").help("a URL is pulled: `line NAME pull \"URL\"`"))
        }
        FileKind::Device if is_no_card(&read) => Err(place.wrong("bad-path").help(CARDS)),
        // How devices are named is the system's affair; a password is none of it.
        FileKind::Device if !place.atom.text.contains('@') => Ok(read),
        _ if is_url => Err(place.wrong("bad-path").help("it is read from a file, not from a URL")),
        _ => Ok(read),
    }
}

/// What stands in a card's place.
const CARDS: &str = "a card is named by its number, from 0 to 255: `\"decklink:0\"` is the first";

/// Whether it names a card that cannot be.
fn is_no_card(device: &Text) -> bool {
    let Text::Plain(device) = device else { return false };
    device.strip_prefix("decklink:").is_some_and(|number| number.parse::<u8>().is_err())
}

/// A URL with one of these schemes and a host.
pub(super) fn url(place: &Place<'_>, schemes: &[&str]) -> Result<Text, Diagnostic> {
    let read = text(place)?;
    let Text::Plain(url) = &read else { return Ok(read) };
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(place.wrong("bad-url").help(format!("for example `{}`", place.ty.example())));
    };
    if !schemes.iter().any(|legal| legal.eq_ignore_ascii_case(scheme)) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let is_one = scheme.len() <= LONGEST_SCHEME && !scheme.is_empty() && scheme.chars().all(legal);
        let found = if is_one { format!(", not `{scheme}://`") } else { String::new() };
        let message = format!("{} takes the schemes {}{found}", place.subject, schemes.join(", "));
        let said = Diagnostic::error("unknown-scheme", place.span(), message);
        return Err(said.help_if(did_you_mean(scheme, schemes.iter().copied())));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or("");
    // `srt://:9001` listens, `udp://:5000` and `udp://@:5000` receive: they have no host.
    let waits = ["srt", "udp"].iter().any(|wire| scheme.eq_ignore_ascii_case(wire));
    let listens = waits && host.len() > 1 && host.starts_with(':');
    let no_host = host.is_empty() || (host.starts_with(':') && !listens);
    if no_host || url.contains(char::is_whitespace) {
        return Err(place.wrong("bad-url").help("a URL has a host and no space: `scheme://host/path`"));
    }
    Ok(read)
}

pub(super) fn placeholders(place: &Place<'_>, text: &Text, known: &[&str]) -> Result<(), Diagnostic> {
    let Text::Plain(template) = text else { return Ok(()) };
    let legal = known.iter().map(|p| format!("{{{p}}}")).collect::<Vec<_>>().join(", ");
    for piece in pieces(template) {
        let (message, help) = match piece {
            Piece::Place(name) if !known.contains(&name) => (
                format!("unknown placeholder `{{{}}}`; legal: {legal}", shown(name)),
                did_you_mean(name, known.iter().copied()),
            ),
            Piece::Loose(brace) => {
                (format!("a loose `{brace}`; braces stand around placeholders only: {legal}"), None)
            }
            _ => continue,
        };
        return Err(Diagnostic::error("bad-placeholder", place.span(), message).help_if(help));
    }
    Ok(())
}

/// As received means FLV, whatever the wire was.
pub(super) fn line_record_path(place: &Place<'_>) -> Result<Text, Diagnostic> {
    let read = record_path(place, LINE_PLACEHOLDERS)?;
    match &read {
        Text::Plain(path) if !path.ends_with(".flv") => {
            let help = format!("lines are recorded as FLV, for example `{}`", place.ty.example());
            Err(place.wrong("bad-path").help(help))
        }
        _ => Ok(read),
    }
}

pub(super) fn sound_device(place: &Place<'_>) -> Result<Text, Diagnostic> {
    let read = text(place)?;
    let legal = |device: &str| {
        let named = ["alsa:", "pulse:"].iter().find_map(|kind| device.strip_prefix(kind));
        named.is_some_and(|name| !name.is_empty())
    };
    match &read {
        Text::Plain(device) if !legal(device) => {
            Err(place.wrong("bad-path").help(format!("for example `{}`", place.ty.example())))
        }
        _ => Ok(read),
    }
}

pub(super) fn record_path(place: &Place<'_>, known: &[&str]) -> Result<Text, Diagnostic> {
    let read = text(place)?;
    placeholders(place, &read, known)?;
    let Text::Plain(path) = &read else { return Ok(read) };
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        let help = "recordings go under the folder that `--out` names; no `/` at the start and no `..`";
        return Err(place.wrong("bad-path").help(help));
    }
    if path.ends_with('/') || path.contains("://") {
        return Err(place.wrong("bad-path").help(format!("for example `{}`", place.ty.example())));
    }
    Ok(read)
}

pub(super) fn push_point(place: &Place<'_>) -> Result<PushPoint, Diagnostic> {
    let wrong = || {
        let said = place.wrong("bad-push-point");
        said.help("encoders push to `rtmp://this-machine/app/stream`; write `\"rtmp:app/stream\"`")
    };
    let rest =
        place.atom.text.strip_prefix("rtmp:").filter(|rest| !rest.starts_with('/')).ok_or_else(wrong)?;
    let (app, stream) = rest.split_once('/').ok_or_else(wrong)?;
    let legal = |part: &str| {
        let fine = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'&' | b'"' | b'\\');
        !part.is_empty() && part.len() <= 128 && part.bytes().all(fine)
    };
    let slashes = stream.starts_with('/') || stream.ends_with('/');
    if !legal(app) || !legal(stream) || slashes {
        return Err(wrong());
    }
    Ok(PushPoint { app: app.to_owned(), stream: stream.to_owned() })
}
