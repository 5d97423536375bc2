//! Channels and their ways out: sources, placeholders, and who writes where.

use std::collections::HashMap;

use crate::check::values::shown;
use crate::check::walk::Part;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::files::{FileKind, FileRef};
use crate::grammar::FAILOVER;
use crate::literal::write_span;
use crate::model::Text;
use crate::template::{expand, has};

/// More outputs than any machine has; beyond them nobody looks for collisions.
const MOST_OUTPUTS: usize = 20_000;

/// One stream or file that leaves the house.
struct Output {
    channel: String,
    place: String,
    span: Span,
    kind: &'static str,
}

pub(crate) fn check(show: &Part, files: &[FileRef], sink: &mut Sink) {
    let mut outputs = Vec::new();
    for channel in show.all("channel") {
        sources(show, channel, sink);
        repeats(channel, "watermark", "watermark", sink);
        doors(channel, sink);
        let rungs = rungs(show, channel);
        for egress in channel.all("egress") {
            several_need_rung(egress, rungs.len(), sink);
            outputs
                .extend(expanded(channel, egress, &rungs).take(MOST_OUTPUTS.saturating_sub(outputs.len())));
        }
    }
    collisions(&outputs, sink);
    loops(&outputs, files, sink);
    wires(show, &outputs, sink);
}

/// The names of the rungs a channel is encoded into; one without a name where they are not known.
fn rungs(show: &Part, channel: &Part) -> Vec<String> {
    let ladder = channel.one("ladder").and_then(|part| part.name("ladder"));
    let ladder =
        ladder.and_then(|name| show.all("ladder").find(|part| part.name("name").as_ref() == Some(&name)));
    let rungs: Vec<_> =
        ladder.into_iter().flat_map(|l| l.all("rung")).filter_map(|r| r.name("name")).collect();
    if rungs.is_empty() { vec!["{rung}".to_owned()] } else { rungs }
}

fn target(egress: &Part) -> Option<(&'static str, Text, Span)> {
    let slot = match egress.form?.word {
        "push" => "url",
        "record" => "path",
        _ => return None,
    };
    let kind = if slot == "url" { "pushes to" } else { "writes" };
    Some((kind, egress.text(slot)?, egress.span_of(slot)))
}

fn several_need_rung(egress: &Part, rungs: usize, sink: &mut Sink) {
    let Some((kind, Text::Plain(template), span)) = target(egress) else { return };
    if rungs > 1 && !has(&template, "rung") {
        let message = format!("this channel has {rungs} rungs, so what this egress {kind} needs `{{rung}}`");
        let example = match template.rsplit_once('.') {
            Some((stem, end)) if !end.contains('/') && kind == "writes" => format!("{stem}-{{rung}}.{end}"),
            _ => format!("{template}_{{rung}}"),
        };
        sink.push(
            Diagnostic::error("needs-rung", span, message).help(format!("write `\"{}\"`", shown(&example))),
        );
    }
}

fn expanded<'p>(
    channel: &'p Part,
    egress: &'p Part,
    rungs: &'p [String],
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
            let place = if *kind == "writes" { normal(&place) } else { place };
            Some(Output { channel: name.clone(), place, span: *span, kind })
        }
        _ => None,
    })
}

/// A relative path without `.` and empty parts.
fn normal(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    format!("{root}{}", parts.collect::<Vec<_>>().join("/"))
}

fn collisions(outputs: &[Output], sink: &mut Sink) {
    let mut seen: HashMap<(&str, &str), Span> = HashMap::new();
    let mut told: Vec<(Span, Span)> = Vec::new();
    for output in outputs {
        let Some(earlier) = seen.get(&(output.kind, output.place.as_str())) else {
            seen.insert((output.kind, &output.place), output.span);
            continue;
        };
        if *earlier == output.span || told.last() == Some(&(*earlier, output.span)) {
            continue;
        }
        told.push((*earlier, output.span));
        let message = format!("another egress {} `{}` too", output.kind, shown(&output.place));
        sink.push(
            Diagnostic::error("same-target", output.span, message)
                .label(*earlier, "the first one is here")
                .help("`{channel}` and `{rung}` keep them apart"),
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
            let message = format!(
                "a loop: {} reads `{}`, which channel `{}` records",
                file.owner,
                shown(path),
                shown(&output.channel)
            );
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

fn sources(show: &Part, channel: &Part, sink: &mut Sink) {
    repeats(channel, "sources", "camera", sink);
    let Some(filler) = channel.one("filler") else { return };
    let Some(after) = filler.span("after") else { return };
    let names: Vec<_> = channel.all("sources").flat_map(|part| part.names("camera")).collect();
    for camera in show.all("camera") {
        let Some(name) = camera.name("name") else { continue };
        if !names.iter().any(|(source, _)| *source == name) || camera.all("line").count() < 2 {
            continue;
        }
        let absent = Part::absent(&FAILOVER);
        let failover = camera.one("failover").unwrap_or(&absent);
        let Some(lost) = failover.span("lost").filter(|lost| *lost > after) else { continue };
        let message = format!(
            "the filler steps in after {}, before camera `{}` tries its next line after {}",
            write_span(after),
            shown(&name),
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
    if channel.one("encrypt").is_some() {
        return;
    }
    for egress in channel.all("egress").filter(|egress| egress.word("clear") == Some("true")) {
        let message = "`clear=true` changes nothing: this channel is not encrypted";
        sink.push(
            Diagnostic::warning("clear-already", egress.span_of("clear"), message)
                .help("take it out, or give the channel an `encrypt KEY`"),
        );
    }
}

/// Push points and listeners: each has one owner, and none feeds itself.
fn wires(show: &Part, outputs: &[Output], sink: &mut Sink) {
    let mut points = HashMap::new();
    let lines = show.all("camera").flat_map(|camera| camera.all("line").map(move |line| (camera, line)));
    for (camera, line) in lines {
        let Some(point) = line.point("point") else { continue };
        let span = line.span_of("point");
        if let Some((_, earlier)) = points.get(&point) {
            let message = format!("another line has the push point `{point}` too");
            sink.push(
                Diagnostic::error("same-push-point", span, message)
                    .label(*earlier, "the first one is here")
                    .help("an encoder is told from another by its push point alone"),
            );
            continue;
        }
        points.insert(point, (camera, span));
    }
    let address = |word: &str| show.one("listen").and_then(|part| part.one(word));
    let default = crate::model::Listen::default();
    let http = address("http").and_then(|part| part.address("address")).unwrap_or(default.http);
    let rtmp = address("rtmp").and_then(|part| part.address("address")).unwrap_or(default.rtmp);
    let same_host = http.ip() == rtmp.ip() || http.ip().is_unspecified() || rtmp.ip().is_unspecified();
    if http.port() == rtmp.port() && http.port() != 0 && same_host {
        let span = address("rtmp").or_else(|| address("http")).map_or(show.word, |p| p.span_of("address"));
        let message = format!("http and rtmp cannot both listen on port {}", http.port());
        sink.push(Diagnostic::error("same-address", span, message));
    }
    for output in outputs.iter().filter(|output| output.kind == "pushes to") {
        let Some(fed) = points.iter().find(|(point, _)| {
            let hosts = [rtmp.ip().to_string(), "127.0.0.1".into(), "localhost".into()];
            let port =
                |host: &String| format!("rtmp://{host}:{}/{}/{}", rtmp.port(), point.app, point.stream);
            let bare = |host: &String| format!("rtmp://{host}/{}/{}", point.app, point.stream);
            let at_default = rtmp.port() == 1935;
            hosts.iter().any(|h| port(h) == output.place || (at_default && bare(h) == output.place))
        }) else {
            continue;
        };
        let (_, (camera, span)) = fed;
        let name = camera.name("name").unwrap_or_default();
        let channel = show.all("channel").find(|c| c.name("name").as_ref() == Some(&output.channel));
        let uses = channel.is_some_and(|c| {
            c.all("sources").flat_map(|part| part.names("camera")).any(|(source, _)| source == name)
        });
        if uses {
            let message = format!(
                "a loop: channel `{}` pushes to `{}`, which is its own camera `{}`",
                shown(&output.channel),
                shown(&output.place),
                shown(&name)
            );
            sink.push(Diagnostic::error("loop", output.span, message).label(*span, "the camera is fed here"));
        }
    }
}
