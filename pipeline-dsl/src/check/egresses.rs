//! Channels and their ways out: placeholders, and who writes where.

use std::collections::HashMap;

use crate::check::lines;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::check::wires;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::door;
use crate::files::{FileKind, FileRef};
use crate::grammar::{FAILOVER, Sort};
use crate::literal::write_span;
use crate::model::Text;
use crate::template::{expand, has};

/// What players ask for, written as push points are: nobody may push to it.
const SERVED_OVER_RTMP: &str = "rtmp:live/{channel}_{rung}";

/// More outputs than any machine has; beyond them nobody looks for collisions.
const MOST_OUTPUTS: usize = 20_000;

/// One stream or file that leaves the house.
pub(super) struct Output {
    pub(super) channel: String,
    pub(super) place: String,
    pub(super) span: Span,
    pub(super) kind: &'static str,
    pub(super) by: By,
}

/// Whose output it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum By {
    /// The channel's.
    Egress,
    /// A line's recording; its camera's name and its own.
    Line(String, String),
}

impl By {
    const fn word(&self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Line(..) => "line",
        }
    }
}

pub(crate) fn check(index: &Index<'_>, files: &[FileRef], sink: &mut Sink) {
    let mut outputs = lines::check(index, sink);
    outputs.truncate(MOST_OUTPUTS);
    for channel in index.show.all("channel") {
        sources(index, channel, sink);
        repeats(channel, "watermark", "watermark", sink);
        doors(channel, sink);
        let rungs = rungs(index, channel);
        for egress in channel.all("egress") {
            several_need_rung(egress, rungs.len(), sink);
            outputs
                .extend(expanded(channel, egress, &rungs).take(MOST_OUTPUTS.saturating_sub(outputs.len())));
        }
    }
    collisions(&outputs, sink);
    loops(&outputs, files, sink);
    wires::check(index, &outputs, sink);
}

/// The names of the rungs a channel is encoded into; the placeholder itself where they are not known.
fn rungs<'p>(index: &Index<'p>, channel: &Part) -> Vec<&'p str> {
    let ladder = channel.one("ladder").and_then(|part| index.named_by(part, Sort::Ladder, "ladder"));
    let rungs: Vec<_> = ladder.into_iter().flat_map(|l| l.all("rung")).filter_map(Part::called).collect();
    if rungs.is_empty() { vec!["{rung}"] } else { rungs }
}

/// What an egress does, where to, and where the show says so.
fn target(egress: &Part) -> Option<(&'static str, Text, Span)> {
    let (kind, slot) = match egress.form?.word {
        "push" => ("pushes to", "url"),
        "record" => ("writes", "path"),
        _ => {
            let place = match egress.word("protocol")? {
                "rtmp" => SERVED_OVER_RTMP,
                _ => "/live/{channel}/{rung}.flv",
            };
            return Some(("serves", Text::Plain(place.to_owned()), egress.span_of("protocol")));
        }
    };
    Some((kind, egress.text(slot)?, egress.span_of(slot)))
}

fn several_need_rung(egress: &Part, rungs: usize, sink: &mut Sink) {
    let Some((kind, Text::Plain(template), span)) = target(egress) else { return };
    if rungs > 1 && !has(&template, "rung") {
        let message = format!("this channel has {rungs} rungs, so what this egress {kind} needs `{{rung}}`");
        let help = match template.rsplit_once('.') {
            // What is pushed to may be a secret, and is not repeated.
            _ if kind == "pushes to" => {
                "put `{rung}` into the stream's name, for example at its end".to_owned()
            }
            Some((stem, end)) if !end.contains('/') => {
                format!("write `\"{}\"`", shown(&format!("{stem}-{{rung}}.{end}")))
            }
            _ => format!("write `\"{}\"`", shown(&format!("{template}_{{rung}}"))),
        };
        sink.push(Diagnostic::error("needs-rung", span, message).help(help));
    }
}

fn expanded<'p>(
    channel: &'p Part,
    egress: &'p Part,
    rungs: &'p [&'p str],
) -> impl Iterator<Item = Output> + 'p {
    let name = channel.name("name").unwrap_or_default();
    let target = target(egress);
    let once = match &target {
        Some((_, Text::Plain(template), _)) => !has(template, "rung"),
        _ => true,
    };
    // Without `{rung}` every rung would give the same place; that is said elsewhere.
    rungs.iter().take(if once { 1 } else { usize::MAX }).filter_map(move |rung| match &target {
        Some((kind, Text::Plain(template), span)) => {
            let place = expand(template, &name, rung);
            let place = match *kind {
                "writes" => normal(&place),
                "pushes to" => with_plain_scheme(&place),
                _ => place,
            };
            Some(Output { channel: name.clone(), place, span: *span, kind, by: By::Egress })
        }
        _ => None,
    })
}

/// A URL's scheme reads the same in any case.
fn with_plain_scheme(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        None => url.to_owned(),
    }
}

/// A relative path without `.` and empty parts.
pub(super) fn normal(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    format!("{root}{}", parts.collect::<Vec<_>>().join("/"))
}

fn collisions(outputs: &[Output], sink: &mut Sink) {
    let mut seen: HashMap<(&str, &str), &Output> = HashMap::new();
    let mut told: Vec<(Span, Span)> = Vec::new();
    for output in outputs {
        let Some(earlier) = seen.get(&(output.kind, output.place.as_str())) else {
            seen.insert((output.kind, &output.place), output);
            continue;
        };
        let first = earlier.span;
        if first == output.span || told.last() == Some(&(first, output.span)) {
            continue;
        }
        told.push((first, output.span));
        let other = match earlier.by.word() {
            same if same == output.by.word() => format!("another {same}"),
            line => format!("a {line}"),
        };
        let message = format!("{other} {} `{}` too", output.kind, shown(&output.place));
        let help = match (output.kind, &output.by) {
            // Two channels and rungs whose names run together.
            ("serves", _) if earlier.channel != output.channel => "give a channel or a rung another name",
            ("serves", _) => "one is enough for every viewer",
            (_, By::Egress) => "`{channel}` and `{rung}` keep them apart",
            (_, By::Line(..)) => "`{camera}` and `{line}` keep them apart",
        };
        sink.push(
            Diagnostic::error("same-target", output.span, message)
                .label(first, "the first one is here")
                .help(help),
        );
    }
}

/// A show cannot play what it is just recording: a filler or a camera would wait for itself.
fn loops(outputs: &[Output], files: &[FileRef], sink: &mut Sink) {
    let written = outputs.iter().filter(|output| output.kind == "writes");
    let written: HashMap<&str, &Output> = written.map(|output| (output.place.as_str(), output)).collect();
    for file in files.iter().filter(|file| matches!(file.kind, FileKind::Media | FileKind::Image)) {
        let Text::Plain(path) = &file.path else { continue };
        if let Some(output) = written.get(normal(path).as_str()) {
            let by = match &output.by {
                By::Egress => format!("channel `{}`", shown(&output.channel)),
                By::Line(camera, line) => format!("camera `{}`, line `{}`", shown(camera), shown(line)),
            };
            let message = format!("a loop: {} reads `{}`, which {by} records", file.owner, shown(path));
            let code = if file.owner.starts_with("filler") { "filler-loop" } else { "loop" };
            sink.push(
                Diagnostic::error(code, file.span, message)
                    .label(output.span, "it is recorded here")
                    .help("name another file"),
            );
        }
    }
}

fn repeats(channel: &Part, word: &str, slot: &str, sink: &mut Sink) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for (name, span) in channel.all(word).flat_map(|part| part.names(slot)) {
        if let Some(earlier) = seen.get(name) {
            let message = format!("this channel has {slot} `{}` already", shown(name));
            sink.push(
                Diagnostic::error("duplicate-name", span, message).label(*earlier, "the first one is here"),
            );
        } else {
            seen.insert(name, span);
        }
    }
}

fn sources(index: &Index<'_>, channel: &Part, sink: &mut Sink) {
    repeats(channel, "sources", "source", sink);
    let Some(filler) = channel.one("filler") else { return };
    let Some(after) = filler.span("after") else { return };
    for (name, _) in channel.all("sources").flat_map(|part| part.names("source")) {
        let Some(camera) = index.find(Sort::Camera, name) else { continue };
        if camera.all("line").nth(1).is_none() {
            continue;
        }
        let absent = Part::absent(&FAILOVER);
        let failover = camera.one("failover").unwrap_or(&absent);
        let Some(lost) = failover.span("lost").filter(|lost| *lost > after) else { continue };
        let message = format!(
            "the filler steps in after {}, before camera `{}` tries its next line after {}",
            write_span(after),
            shown(name),
            write_span(lost)
        );
        let said = Diagnostic::warning("filler-before-failover", filler.span_of("after"), message);
        let said = said.help("give `after=` more than the `lost=` of its cameras");
        sink.push(match failover.word.len {
            0 => said,
            _ => said.label(failover.span_of("lost"), "the line is left here"),
        });
    }
}

fn doors(channel: &Part, sink: &mut Sink) {
    let encrypt = channel.one("encrypt");
    for egress in channel.all("egress") {
        let is_clear = egress.word("clear") == Some("true");
        match encrypt {
            None if is_clear => {
                let message = "`clear=true` changes nothing: this channel is not encrypted";
                sink.push(
                    Diagnostic::warning("clear-already", egress.span_of("clear"), message)
                        .help("take it out, or give the channel an `encrypt KEY`"),
                );
            }
            Some(encrypt) if !is_clear => closed(egress, encrypt, sink),
            _ => {}
        }
    }
}

/// Only FLV tags are encrypted: what leaves as anything else would leave in the clear.
fn closed(egress: &Part, encrypt: &Part, sink: &mut Sink) {
    // What a variable holds is judged where the show runs.
    let Some((kind, Text::Plain(place), span)) = target(egress) else { return };
    let carries = match kind {
        "pushes to" => door::push_carries_tags(&place),
        "writes" => door::record_carries_tags(&place),
        _ => true,
    };
    if !carries {
        let message =
            format!("this channel is encrypted, but what this egress {kind} carries no FLV tags to encrypt");
        let help = format!("legal are {}, or `clear=true` to let it out unencrypted", door::CARRIERS);
        sink.push(
            Diagnostic::error("clear-door", span, message)
                .label(encrypt.word, "it is encrypted here")
                .help(help),
        );
    }
}
