//! Rundowns: what happens when, and whether it can.
//!
//! A cue out of order or past the end is an error, not a warning: it is a
//! director's plan that would silently not come true, found out on air.

use std::collections::{HashMap, HashSet};

use media::Time;

use crate::check::marks;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::scenes;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::literal::{write_span, write_time};

pub(crate) fn check(index: &Index<'_>, sink: &mut Sink) {
    let show = index.show;
    let mut seen: HashMap<String, Span> = HashMap::new();
    // The show ends at the latest `end`; nothing of any rundown happens from then on.
    let ends = show.all("rundown").filter_map(|rundown| end(rundown).map(|(time, _)| time));
    let last = ends.max();
    for rundown in show.all("rundown") {
        let Some(name) = rundown.name("channel") else { continue };
        let span = rundown.span_of("channel");
        if let Some(earlier) = seen.get(&name) {
            let message = format!("channel `{}` has a rundown already", shown(&name));
            sink.push(
                Diagnostic::error("second-rundown", span, message)
                    .label(*earlier, "the first one is here")
                    .help("a channel has at most one rundown: move the cues there"),
            );
        } else {
            seen.insert(name.clone(), span);
        }
        times(rundown, last, sink);
        if let Some(channel) = index.find(Sort::Channel, &name) {
            actions(index, rundown, channel, sink);
        }
    }
}

fn kind(cue: &Part) -> &'static str {
    cue.form.map_or("", |form| form.word)
}

/// The first `end` of a rundown.
fn end(rundown: &Part) -> Option<(Time, Span)> {
    let cue = rundown.all("at").find(|cue| kind(cue) == "end")?;
    Some((cue.time("time")?, cue.span_of("time")))
}

fn times(rundown: &Part, last: Option<Time>, sink: &mut Sink) {
    let own_end = end(rundown);
    let mut before: Option<(Time, Span)> = None;
    let mut ended: Option<(Time, Span)> = None;
    for cue in rundown.all("at") {
        let (Some(time), span) = (cue.time("time"), cue.span_of("time")) else { continue };
        if kind(cue) == "end" {
            if let Some((_, earlier)) = ended {
                let message = "a show ends once: this rundown has an `end` already";
                sink.push(
                    Diagnostic::error("second-end", span, message).label(earlier, "the first one is here"),
                );
                continue;
            }
        } else if let Some((at, earlier)) = ended.filter(|(at, _)| time >= *at) {
            let message = format!("this never happens: the show ends before it, at {}", write_time(at));
            sink.push(
                Diagnostic::error("past-the-end", span, message)
                    .label(earlier, "it ends here")
                    .help("`end` is exclusive, and the last cue: take this cue out, or move the end"),
            );
            continue;
        } else if let Some(at) = last.filter(|at| ended.is_none() && time >= *at) {
            // Not yet ended here, and still too late: either this rundown's own end stands
            // further down and is out of order, or another rundown ends the show.
            if own_end.is_none() {
                let message =
                    format!("this never happens: another rundown ends the show at {}", write_time(at));
                sink.push(Diagnostic::error("past-the-end", span, message));
                continue;
            }
        }
        if let Some((latest, earlier)) = before.filter(|(latest, _)| time < *latest) {
            let message =
                format!("cues go in order of time: {} comes after {}", write_time(time), write_time(latest));
            sink.push(
                Diagnostic::error("cue-order", span, message)
                    .label(earlier, "the later one is here")
                    .help("move it up, or set its time right"),
            );
        } else {
            before = Some((time, span));
        }
        if kind(cue) == "end" {
            ended = Some((time, span));
        }
    }
}

fn actions(index: &Index<'_>, rundown: &Part, channel: &Part, sink: &mut Sink) {
    let sources: Vec<_> = channel.all("sources").flat_map(|part| part.names("source")).collect();
    let known: HashSet<_> = sources.iter().map(|(name, _)| *name).collect();
    let listed = channel.one("sources").map_or(channel.word, |part| part.word);
    let cues: Vec<_> = rundown.all("at").collect();
    for cue in &rundown.parts {
        for (name, span) in cue.names("source") {
            let is_source = index.find(Sort::Source, name).is_some();
            if is_source && !known.is_empty() && !known.contains(name) {
                let legal: Vec<_> = sources.iter().take(8).map(|(source, _)| shown(source)).collect();
                let message = format!(
                    "`{}` is not a source of channel `{}`; legal: {}",
                    shown(name),
                    shown(channel.called().unwrap_or_default()),
                    legal.join(", ")
                );
                sink.push(
                    Diagnostic::error("not-a-source", span, message)
                        .label(listed, "its sources are listed here"),
                );
            }
        }
        match kind(cue) {
            "cut" | "mix" | "wipe" | "dip" => {
                // Only cues at show times come in an order that is known.
                if let Some(place) = cues.iter().position(|at| std::ptr::eq(*at, cue)) {
                    follow(cue, cues.get(place + 1..).unwrap_or(&[]), sink);
                }
            }
            "filler" if channel.one("filler").is_none() => {
                let message = "this channel has no filler to switch";
                sink.push(
                    Diagnostic::error("no-filler", cue.word, message)
                        .label(channel.word, "the channel is here")
                        .help("give it a `filler NAME`"),
                );
            }
            "encrypt" => encrypt(index, cue, channel, sink),
            "scene" => scenes::cue(index, cue, sink),
            "watermark" => marks::cue(index, cue, channel, sink),
            _ => {}
        }
    }
}

fn encrypt(index: &Index<'_>, cue: &Part, channel: &Part, sink: &mut Sink) {
    let Some(encrypt) = channel.one("encrypt") else {
        let message = "this channel has no key to encrypt with";
        sink.push(
            Diagnostic::error("no-encrypt", cue.word, message)
                .label(channel.word, "the channel is here")
                .help("give it an `encrypt KEY`"),
        );
        return;
    };
    let ring = index.named_by(encrypt, Sort::Key, "key");
    if let (Some("rotate"), Some(ring)) = (cue.word("state"), ring)
        && ring.all("id").nth(1).is_none()
    {
        let message = "there is no next key to rotate to";
        sink.push(
            Diagnostic::error("no-next-key", cue.span_of("state"), message)
                .label(ring.word, "this key ring has one key")
                .help("give it a second `id N env=NAME`"),
        );
    }
}

/// What the next cues make of a take.
fn follow(cue: &Part, later: &[&Part], sink: &mut Sink) {
    let Some(start) = cue.time("time") else { return };
    let Some(next) =
        later.iter().find(|cue| matches!(kind(cue), "cut" | "mix" | "wipe" | "dip" | "filler" | "end"))
    else {
        return;
    };
    let Some(at) = next.time("time") else { return };
    if at == start && matches!(kind(next), "cut" | "mix" | "wipe" | "dip") {
        let message = "this is never seen: the next cue shows another source at the same time";
        sink.push(
            Diagnostic::warning("cue-overridden", cue.word, message)
                .label(next.span_of("time"), "the next cue is here"),
        );
    } else if let Some(over) = cue.span("over").filter(|over| at >= start && start + *over > at) {
        let message = format!(
            "the {} takes {}, but the next cue comes {} after its start",
            kind(cue),
            write_span(over),
            write_span(at - start)
        );
        sink.push(
            Diagnostic::warning("mix-too-long", cue.span_of("over"), message)
                .label(next.span_of("time"), "the next cue is here"),
        );
    }
}
