//! A single value: an atom, and the type its place demands.

mod texts;

use std::net::SocketAddr;

use media::{FrameRate, SampleRate, Size};

use self::texts::{
    input_path, key_itself, line_record_path, placeholders, push_point, record_path, secret, sound_device,
    url,
};
use crate::address::{address_shown, holds_key, visible};
use crate::diagnostic::{Diagnostic, Span};
use crate::grammar::Type;
use crate::literal::{self, Miss};
use crate::model::{
    Anchor, At, Crop, Encoder, Gain, KeyPlace, Length, Pattern, PushPoint, Rgb, Text, TimeOfDay, Zone,
};
use crate::reference::{PULL_SCHEMES, PUSH_SCHEMES};
use crate::suggest::{did_you_mean, other_encoder};
use crate::syntax::Atom;
use crate::template::PLACEHOLDERS;

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
                return Err(match *words == Encoder::WORDS {
                    true => said.help_if(other_encoder(text)),
                    false => said.help_if(did_you_mean(text, words.iter().copied())),
                });
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
