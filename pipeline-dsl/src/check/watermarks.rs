//! Watermarks: places that can be seen, fonts that are one, paths in order of time.

use media::{Size, Time};

use crate::check::build::by_word;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::literal::write_time;
use crate::model::*;

/// The words of the nodes that are drawn.
pub(super) const DRAWN: [&str; 3] = ["image", "text", "timecode"];

pub(crate) fn check(index: &Index<'_>, canvas: &Part, sink: &mut Sink) {
    for watermark in index.show.all("watermark") {
        let drawn = DRAWN.iter().find_map(|word| watermark.one(word));
        if let (Some(drawn), Some(size)) = (drawn, canvas.size("size")) {
            margin(drawn, size, sink);
            corner(drawn, size, sink);
        }
        if let Some(drawn) = drawn {
            font(drawn, sink);
            zone(drawn, sink);
        }
        path(watermark, sink);
    }
    for channel in index.show.all("channel") {
        one_pattern(index, channel, sink);
    }
}

fn margin(drawn: &Part, canvas: Size, sink: &mut Sink) {
    let most = canvas.width.min(canvas.height) / 2;
    if let Some(margin) = drawn.number("margin").filter(|margin| *margin > most) {
        let message = format!("a margin of {margin} leaves no picture on {canvas}; legal: 0 to {most}");
        sink.push(Diagnostic::error("out-of-range", drawn.span_of("margin"), message));
    }
}

/// On a path it may well leave the canvas, but not for good.
fn corner(drawn: &Part, canvas: Size, sink: &mut Sink) {
    let Some(At::Corner(x, y)) = drawn.place("at") else { return };
    let beyond = |length: Length, whole: u32| match length {
        Length::Pixels(pixels) => pixels >= whole,
        Length::Percent(thousandths) => thousandths >= 100_000,
    };
    if beyond(x, canvas.width) || beyond(y, canvas.height) {
        let message = format!("nothing of it can be seen there on {canvas}");
        sink.push(
            Diagnostic::error("off-canvas", drawn.span_of("at"), message)
                .help("`at` is its upper left corner: less than 100% each way"),
        );
    }
}

fn font(drawn: &Part, sink: &mut Sink) {
    if let (Some((_, family)), Some((_, file))) = (drawn.find("font"), drawn.find("font-file")) {
        let message = "letters come from one font: `font=` or `font-file=`";
        sink.push(Diagnostic::error("repeated", file, message).label(family, "the other one is here"));
    }
}

/// Show time is the same everywhere.
fn zone(drawn: &Part, sink: &mut Sink) {
    let is_said = drawn.find("zone").is_some_and(|(_, span)| span != drawn.word);
    if drawn.word("of") == Some("show") && is_said {
        let message = "show time has no zone";
        let help = "`timecode clock` is the time of day";
        sink.push(Diagnostic::error("unknown-key", drawn.span_of("zone"), message).help(help));
    }
}

fn path(watermark: &Part, sink: &mut Sink) {
    let mut before: Option<(Time, Span)> = None;
    let still = watermark.one("forensic");
    for point in watermark.all("move") {
        if let Some(still) = still {
            let message = "a forensic pattern is all over the picture, and moves nowhere";
            sink.push(
                Diagnostic::error("misplaced-word", point.word, message)
                    .label(still.word, "the pattern is here"),
            );
            return;
        }
        let (Some(time), span) = (point.time("time"), point.span_of("time")) else { continue };
        if let Some((latest, earlier)) = before.filter(|(latest, _)| time < *latest) {
            let message = format!(
                "a path goes in order of time: {} comes after {}",
                write_time(time),
                write_time(latest)
            );
            sink.push(Diagnostic::error("move-order", span, message).label(earlier, "the later one is here"));
        } else {
            before = Some((time, span));
        }
        if point.find("to").is_none() && point.find("opacity").is_none() && watermark.all("move").count() == 1
        {
            let message = "this `move` says nothing";
            sink.push(Diagnostic::warning("idle-move", span, message).help("give it `to=` or `opacity=`"));
        }
    }
}

/// Two patterns over one picture are no pattern.
fn one_pattern(index: &Index<'_>, channel: &Part, sink: &mut Sink) {
    let mut first: Option<Span> = None;
    for (name, span) in channel.all("watermark").flat_map(|part| part.names("watermark")) {
        let watermark = index.find(Sort::Watermark, name);
        if watermark.is_none_or(|watermark| watermark.one("forensic").is_none()) {
            continue;
        }
        match first {
            Some(earlier) => {
                let message = format!("a channel has one forensic pattern, and `{}` is another", shown(name));
                sink.push(
                    Diagnostic::error("repeated", span, message).label(earlier, "the first one is here"),
                );
            }
            None => first = Some(span),
        }
    }
}

/// The model of a watermark, if every value it needs is there.
pub(crate) fn build(part: &Part) -> Option<Watermark> {
    let name = part.name("name")?;
    if let Some(pattern) = part.one("forensic") {
        let id = u16::try_from(pattern.number("id")?).ok()?;
        let strength = u8::try_from(pattern.number("strength")?).ok()?;
        return Some(Watermark { name, mark: Mark::Forensic { id, strength } });
    }
    let drawn = DRAWN.iter().find_map(|word| part.one(word))?;
    let art = match drawn.spec.word {
        "image" => Art::Image { path: drawn.text("path")? },
        "text" => Art::Text { text: drawn.name("text")?, style: style(drawn)? },
        _ => Art::Timecode {
            of: by_word(TimeOf::ALL, TimeOf::WORDS, drawn.word("of")?)?,
            zone: drawn.zone("zone")?,
            units: by_word(Units::ALL, Units::WORDS, drawn.word("units")?)?,
            style: style(drawn)?,
        },
    };
    let point = |part: &Part| {
        Some(Waypoint { time: part.time("time")?, to: part.place("to"), opacity: part.ratio("opacity") })
    };
    let graphic = Graphic {
        art,
        at: drawn.place("at")?,
        margin: drawn.number("margin")?,
        opacity: drawn.ratio("opacity")?,
        scale: drawn.number("scale")?,
        draw: by_word(Draw::ALL, Draw::WORDS, drawn.word("draw")?)?,
        state: if drawn.word("state")? == "on" { Switch::On } else { Switch::Off },
        path: part.all("move").map(point).collect::<Option<_>>()?,
    };
    Some(Watermark { name, mark: Mark::Graphic(graphic) })
}

fn style(drawn: &Part) -> Option<TextStyle> {
    let file = drawn.text("font-file").map(Font::File);
    Some(TextStyle {
        font: file.or_else(|| drawn.name("font").map(Font::Family)),
        size: drawn.number("size")?,
        color: drawn.color("color")?,
        outline: drawn.color("outline"),
    })
}
