//! A single value: an atom, and the type its place demands.

use std::net::SocketAddr;

use media::{FrameRate, SampleRate, Size};

use crate::address::{LONGEST_SCHEME, address_shown, holds_key, visible};
use crate::diagnostic::{Diagnostic, Span};
use crate::files::FileKind;
use crate::grammar::Type;
use crate::literal::{self, Miss};
use crate::model::{
    Anchor, At, Crop, Encoder, Gain, KeyPlace, Length, Pattern, PushPoint, Rgb, Text, TimeOfDay, Zone,
};
use crate::reference::{PULL_SCHEMES, PUSH_SCHEMES};
use crate::suggest::did_you_mean;
use crate::syntax::{Atom, Quoting};
use crate::template::{LINE_PLACEHOLDERS, PLACEHOLDERS, Piece, pieces};

/// A value that has been understood.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Name(String),
    Text(Text),
    Point(PushPoint),
    Pattern(Pattern),
    Word(&'static str),
    Words(Vec<&'static str>),
    Names(Vec<String>),
    Span(media::Span),
    /// `None` is `off`.
    Limit(Option<media::Span>),
    Time(media::Time),
    TimeOfDay(TimeOfDay),
    Zone(Zone),
    Color(Rgb),
    Size(Size),
    Rate(FrameRate),
    SampleRate(SampleRate),
    Number(u32),
    Ratio(f32),
    /// Of the unit that its slot's type has.
    Signed(i32),
    Lengths((Length, Length)),
    Place(At),
    Crop(Crop),
    Level(Gain),
    Address(SocketAddr),
    Secret(KeyPlace),
}

/// The longest name, in characters.
const MOST_NAME: usize = 64;
/// The longest title, path or URL, in characters.
const MOST_TEXT: usize = 2048;
/// The longest text on a picture, in characters.
const MOST_WORDS: usize = 200;
/// What stands for no rung at all.
pub(crate) const NO_RUNGS: &str = "none";
/// How font files end.
const FONT_ENDS: [&str; 4] = [".ttf", ".otf", ".ttc", ".otc"];
/// The largest picture, each way.
const MOST_SIDE: u32 = 8192;

/// Whether `text` can name a part of a show.
fn is_name(text: &str) -> bool {
    text.chars().count() <= MOST_NAME
        && text.starts_with(char::is_alphanumeric)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The nearest text that can be a name.
fn legal_name(text: &str) -> Option<String> {
    if text.contains("://") || holds_key(text) || visible(text) < text.len() {
        return None;
    }
    let fine = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = text.chars().take(MOST_NAME).map(fine).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches('-');
    (!name.is_empty()).then(|| format!("for example `{name}`"))
}

fn is_variable(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.len() <= MOST_TEXT
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Where a value stands, for messages: `` `lost=` ``, `` `rung` ``.
pub(crate) struct Place<'a> {
    pub(crate) subject: &'a str,
    pub(crate) ty: Type,
    pub(crate) atom: &'a Atom,
}

impl Place<'_> {
    fn span(&self) -> Span {
        self.atom.span
    }

    fn wrong(&self, code: &'static str) -> Diagnostic {
        let ty = self.ty;
        let found = match ty {
            // A URL without its scheme has its secrets nonetheless.
            Type::PullUrl | Type::PushUrl if !self.atom.text.is_empty() => address(&self.atom.text),
            // So has what is pushed to, and encoders are told their key behind it.
            Type::PushPoint if !is_point_shown(&self.atom.text) => address(&self.atom.text),
            _ => shown(&self.atom.text),
        };
        let not = match ty {
            Type::Variable | Type::Secret => ", and what stands here is none".to_owned(),
            _ => format!(", not `{found}`"),
        };
        let message = format!("{} takes {} ({}){not}", self.subject, ty.noun(), ty.legal());
        Diagnostic::error(code, self.span(), message)
    }

    /// Says why the text is no literal of the type.
    fn missed(&self, miss: Miss) -> Diagnostic {
        let text = &self.atom.text;
        match miss {
            Miss::Range => self.wrong("out-of-range").help_if(self.range_help()),
            Miss::Unit => {
                let units = ["ms", "s", "m", "k", "M", "fps", "Hz", "kHz", "%", "ppm", "dB"];
                let with = units.map(|unit| Atom { text: format!("{text}{unit}"), ..self.atom.clone() });
                let legal = with.iter().filter(|atom| read(self.subject, self.ty, atom).is_ok());
                let legal: Vec<_> = legal.map(|atom| format!("`{}`", atom.text)).collect();
                let example = format!("for example `{}`", self.ty.example());
                let help = if legal.is_empty() { example } else { legal.join(", ") };
                self.wrong("missing-unit").help(format!("write its unit: {help}"))
            }
            Miss::Other => {
                let looks = literal::looks_like(text).map(|noun| format!("`{}` is {noun}", shown(text)));
                let comment = text.contains("//").then(|| "a comment needs a space before `//`".to_owned());
                let example = format!("for example `{}`", self.ty.example());
                self.wrong("wrong-type").help(comment.or(looks).unwrap_or(example))
            }
        }
    }

    fn range_help(&self) -> Option<String> {
        let Type::Rate = self.ty else { return None };
        let ntsc = [("23.9", "24000/1001fps"), ("29.9", "30000/1001fps"), ("59.9", "60000/1001fps")];
        let found = ntsc.iter().find(|(start, _)| self.atom.text.starts_with(start))?;
        Some(format!("a rate is a fraction: write `{}`", found.1))
    }
}

/// Of an address what may be seen, with a mark where there is more.
fn address(text: &str) -> String {
    let seen = address_shown(text);
    if seen.starts_with('(') || seen == text { seen } else { format!("{seen}/…") }
}

fn is_point_shown(text: &str) -> bool {
    let is_wire = text.is_empty() || ["rtmp:", "rtmps:"].iter().any(|wire| text.starts_with(wire));
    is_wire && !text.contains("//") && !text.contains('@')
}

/// What a user wrote, short enough for a message, of addresses what may be seen, and no keys.
pub(crate) fn shown(text: &str) -> String {
    if text.contains("://") {
        return address(text);
    }
    if holds_key(text) {
        return "(not shown: it looks like a key)".to_owned();
    }
    let seen = &text[..visible(text)];
    let mut short: String = seen.chars().take(60).flat_map(shown_char).collect();
    if seen.len() < text.len() || seen.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn shown_char(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

/// Reads `atom` as a value of type `ty`.
pub(crate) fn read(subject: &str, ty: Type, atom: &Atom) -> Result<Value, Diagnostic> {
    let place = Place { subject, ty, atom };
    let text = atom.text.as_str();
    let missed = |miss| place.missed(miss);
    let within = |legal: bool| if legal { Ok(()) } else { Err(place.missed(Miss::Range)) };
    Ok(match ty {
        Type::Title => {
            let legal = !text.trim().is_empty() && text.chars().count() <= 100;
            if !legal || text.chars().any(char::is_control) {
                return Err(place.wrong("bad-name"));
            }
            Value::Name(text.to_owned())
        }
        Type::Define | Type::Refer(_) => {
            if !is_name(text) {
                return Err(place.wrong("bad-name").help_if(legal_name(text)));
            }
            Value::Name(text.to_owned())
        }
        Type::Input(kind) => Value::Text(input_path(&place, kind)?),
        Type::PullUrl => Value::Text(url(&place, PULL_SCHEMES)?),
        Type::PushUrl => {
            let url = url(&place, PUSH_SCHEMES)?;
            placeholders(&place, &url, PLACEHOLDERS)?;
            Value::Text(url)
        }
        Type::RecordPath => Value::Text(record_path(&place, PLACEHOLDERS)?),
        Type::LineRecordPath => Value::Text(line_record_path(&place)?),
        Type::SoundDevice => Value::Text(sound_device(&place)?),
        Type::Source => {
            if !is_name(text) {
                return Err(place.wrong("bad-name").help_if(legal_name(text)));
            }
            Value::Name(text.to_owned())
        }
        Type::PushPoint => Value::Point(push_point(&place)?),
        Type::Pattern => Value::Pattern(pattern(&place)?),
        Type::OneOf(words) => match words.iter().find(|word| **word == text) {
            Some(word) => Value::Word(word),
            None => {
                let message = format!("{} takes {}, not `{}`", subject, words.join(", "), shown(text));
                let said = Diagnostic::error("unknown-value", atom.span, message);
                if *words == Encoder::WORDS
                    && let Some(why) = Encoder::why_not(text)
                {
                    return Err(said.help(why));
                }
                return Err(said.help_if(did_you_mean(text, words.iter().copied())));
            }
        },
        Type::SomeOf(words) => Value::Words(some_of(&place, words)?),
        Type::Rungs => Value::Names(rungs(&place)?),
        Type::Limit { .. } if text == "off" => Value::Limit(None),
        Type::Duration { least_ms, most_ms } | Type::Limit { least_ms, most_ms } => {
            let span = media::Span::from_flicks(literal::flicks(text).map_err(missed)?);
            let (least, most) = (media::Span::from_millis(least_ms), media::Span::from_millis(most_ms));
            within(least <= span && span <= most)?;
            match ty {
                Type::Limit { .. } => Value::Limit(Some(span)),
                _ => Value::Span(span),
            }
        }
        Type::Time => Value::Time(media::Time::from_flicks(literal::flicks(text).map_err(missed)?)),
        Type::TimeOfDay => {
            let span = literal::time_of_day(text).map_err(missed)?;
            Value::TimeOfDay(TimeOfDay::new(span).ok_or_else(|| missed(Miss::Range))?)
        }
        Type::Zone => {
            let minutes = literal::zone(text).map_err(missed)?;
            Value::Zone(Zone::from_minutes(minutes).ok_or_else(|| missed(Miss::Range))?)
        }
        Type::Color => Value::Color(color(&place, text)?),
        Type::Size => {
            let size = literal::size(text).map_err(missed)?;
            let legal = |side: u32| (16..=MOST_SIDE).contains(&side);
            within(legal(size.width) && legal(size.height))?;
            if !size.is_even() {
                let even = Size::new(size.width & !1, size.height & !1);
                return Err(place.wrong("odd-size").help(format!("the next even size is `{even}`")));
            }
            Value::Size(size)
        }
        Type::Rate => Value::Rate(literal::rate(text).map_err(missed)?),
        Type::SampleRate => Value::SampleRate(literal::sample_rate(text).map_err(missed)?),
        Type::Bits { least, most } => {
            let bits = literal::bits(text).map_err(missed)?;
            within((least..=most).contains(&bits))?;
            Value::Number(bits)
        }
        Type::Whole { least, most } => {
            let number = literal::whole(text).map_err(missed)?;
            within((least..=most).contains(&number))?;
            Value::Number(number)
        }
        Type::Hertz { least, most } => {
            let pitch = literal::hertz(text).map_err(missed)?;
            within((least..=most).contains(&pitch))?;
            Value::Number(pitch)
        }
        Type::Percent => Value::Number(literal::percent(text).map_err(missed)?),
        Type::Shift => Value::Span(literal::shift(text).map_err(missed)?),
        Type::Ppm => Value::Signed(literal::ppm(text).map_err(missed)?),
        Type::Ratio => Value::Ratio(literal::ratio(text).map_err(missed)?),
        Type::Corner => Value::Lengths(literal::corner(text).map_err(missed)?),
        Type::Extent => Value::Lengths(literal::extent(text).map_err(missed)?),
        Type::Crop => Value::Crop(literal::crop(text).map_err(missed)?),
        Type::Place => Value::Place(spot(&place)?),
        Type::Scale => Value::Number(literal::scale(text).map_err(missed)?),
        Type::Words => {
            let fine = |c: char| c == '\n' || !c.is_control();
            if text.trim().is_empty() || text.chars().count() > MOST_WORDS || !text.chars().all(fine) {
                return Err(place.wrong("bad-text"));
            }
            Value::Name(text.to_owned())
        }
        Type::Font => {
            if text.trim().is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
                return Err(place.wrong("bad-text"));
            }
            if FONT_ENDS.iter().any(|end| text.to_ascii_lowercase().ends_with(end)) {
                return Err(place
                    .wrong("bad-text")
                    .help(format!("a file is `font-file=\"{}\"`", shown(text))));
            }
            Value::Name(text.to_owned())
        }
        Type::Level => Value::Level(literal::level(text).map_err(missed)?),
        Type::Address => Value::Address(text.parse().map_err(|_| {
            let hint = match text.strip_prefix("localhost:") {
                Some(port) => format!("write `\"127.0.0.1:{port}\"`"),
                None => "an IP address and a port: `\"127.0.0.1:8080\"`, `\"[::]:8080\"`".to_owned(),
            };
            place.wrong("bad-address").help(hint)
        })?),
        Type::Variable => {
            if holds_key(text) {
                return Err(key_itself(&place));
            }
            if !is_variable(text) {
                return Err(place.wrong("bad-name"));
            }
            Value::Name(text.to_owned())
        }
        Type::Secret => Value::Secret(secret(&place)?),
    })
}

/// `top-right`, `50%,0`.
fn spot(place: &Place<'_>) -> Result<At, Diagnostic> {
    let text = place.atom.text.as_str();
    if text.contains(',') {
        let (x, y) = literal::corner(text).map_err(|miss| place.missed(miss))?;
        return Ok(At::Corner(x, y));
    }
    Anchor::named(text).map(At::Anchor).ok_or_else(|| {
        let words = Anchor::WORDS;
        let message = format!("{} takes {}, X,Y, not `{}`", place.subject, words.join(", "), shown(text));
        Diagnostic::error("unknown-value", place.span(), message).help_if(did_you_mean(text, words))
    })
}

/// Where a secret is kept. What stands here instead may be the secret itself: it is not repeated.
fn secret(place: &Place<'_>) -> Result<KeyPlace, Diagnostic> {
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

fn key_itself(place: &Place<'_>) -> Diagnostic {
    let message = format!("{} says where the key is kept, never the key itself", place.subject);
    let help = format!("legal: {}", place.ty.legal());
    Diagnostic::error("bad-key-place", place.span(), message).help(help)
}

/// A literal or `env:NAME`.
fn text(place: &Place<'_>) -> Result<Text, Diagnostic> {
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

fn input_path(place: &Place<'_>, kind: FileKind) -> Result<Text, Diagnostic> {
    if matches!(kind, FileKind::Key | FileKind::PrivateKey) && holds_key(&place.atom.text) {
        return Err(key_itself(place));
    }
    let read = text(place)?;
    let is_url = matches!(&read, Text::Plain(path) if path.contains("://"));
    match kind {
        FileKind::Media if is_url => {
            Err(place.wrong("bad-path").help("a URL is pulled: `line NAME pull \"URL\"`"))
        }
        // How devices are named is the system's affair; a password is none of it.
        FileKind::Device if !place.atom.text.contains('@') => Ok(read),
        _ if is_url => Err(place.wrong("bad-path").help("it is read from a file, not from a URL")),
        _ => Ok(read),
    }
}

/// A URL with one of these schemes and a host.
fn url(place: &Place<'_>, schemes: &[&str]) -> Result<Text, Diagnostic> {
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

fn placeholders(place: &Place<'_>, text: &Text, known: &[&str]) -> Result<(), Diagnostic> {
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
fn line_record_path(place: &Place<'_>) -> Result<Text, Diagnostic> {
    let read = record_path(place, LINE_PLACEHOLDERS)?;
    match &read {
        Text::Plain(path) if !path.ends_with(".flv") => {
            let help = format!("lines are recorded as FLV, for example `{}`", place.ty.example());
            Err(place.wrong("bad-path").help(help))
        }
        _ => Ok(read),
    }
}

fn sound_device(place: &Place<'_>) -> Result<Text, Diagnostic> {
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

fn record_path(place: &Place<'_>, known: &[&str]) -> Result<Text, Diagnostic> {
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

fn push_point(place: &Place<'_>) -> Result<PushPoint, Diagnostic> {
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

/// Words with commas between, each once.
fn some_of(place: &Place<'_>, words: &[&'static str]) -> Result<Vec<&'static str>, Diagnostic> {
    let mut found = Vec::new();
    for text in place.atom.text.split(',') {
        match words.iter().find(|word| **word == text) {
            Some(word) if found.contains(word) => {
                let message = format!("{} names `{word}` twice", place.subject);
                return Err(Diagnostic::error("repeated", place.span(), message));
            }
            Some(word) => found.push(*word),
            None => {
                let example = || format!("for example `{}`", words.join(","));
                let help = did_you_mean(text, words.iter().copied()).unwrap_or_else(example);
                return Err(place.wrong("unknown-value").help(help));
            }
        }
    }
    Ok(found)
}

fn rungs(place: &Place<'_>) -> Result<Vec<String>, Diagnostic> {
    let text = place.atom.text.as_str();
    let mut found: Vec<String> = Vec::new();
    for name in text.split(',').filter(|_| text != NO_RUNGS) {
        if !is_name(name) {
            return Err(place.wrong("bad-name").help_if(legal_name(name)));
        }
        if found.iter().any(|before| before == name) {
            let message = format!("{} names `{}` twice", place.subject, shown(name));
            return Err(Diagnostic::error("repeated", place.span(), message));
        }
        found.push(name.to_owned());
    }
    Ok(found)
}

fn color(place: &Place<'_>, text: &str) -> Result<Rgb, Diagnostic> {
    literal::color(text).ok_or_else(|| {
        let names = literal::COLORS.map(|(name, _)| name);
        let message = format!("unknown colour `{}`; legal: #rrggbb, {}", shown(text), names.join(", "));
        Diagnostic::error("bad-color", place.span(), message).help_if(did_you_mean(text, names))
    })
}

fn pattern(place: &Place<'_>) -> Result<Pattern, Diagnostic> {
    let text = place.atom.text.as_str();
    if let Some(color) = text.strip_prefix("color:") {
        return self::color(place, color).map(Pattern::Color);
    }
    match text {
        "bars" => Ok(Pattern::Bars),
        "motion" => Ok(Pattern::Motion),
        "timecode" => Ok(Pattern::Timecode),
        _ => {
            let words = ["bars", "motion", "timecode", "color"];
            Err(place.wrong("unknown-value").help_if(did_you_mean(text, words)))
        }
    }
}
