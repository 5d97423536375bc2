//! The timeline picture: its rows, and what stands in them.

use engine::rehearse::{
    ActualSpan, CommandOutcome, EngineEnd, LineSpan, OnAirKind, PictureSeen, Rehearsal, Sense, SinkRun,
    SinkSpan, SoundHeard,
};
use engine::{EgressState, Level, LineState};
use serde::Serialize;

use super::gaps::{Missed, Reach, length, missed, on_air};

/// How many colours sources have before they are used again.
const COLORS: usize = 8;

/// A row, or the headline of the next ones.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Row {
    /// Whether it is a headline.
    pub head: bool,
    /// What stands beside it.
    pub name: String,
    /// Bars one under the other; those of a lane are in order.
    pub lanes: Vec<Vec<Bar>>,
    /// Faults, over everything.
    pub over: Vec<Bar>,
    /// Moments.
    pub ticks: Vec<Tick>,
}

/// From when to when something was like this.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Bar {
    /// Seconds,
    pub from: f64,
    /// exclusive.
    pub to: f64,
    /// A class of the style sheet.
    pub look: String,
    /// What stands in it where there is room.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What is said of it.
    pub tip: String,
    /// Whether it is hatched: a picture that stands still.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// Something at a moment.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Tick {
    /// Seconds.
    pub t: f64,
    /// A class of the style sheet.
    pub look: &'static str,
    /// What stands beside it where there is room.
    pub label: String,
    /// What is said of it.
    pub tip: String,
}

/// Every row, from top to bottom.
pub fn rows(rehearsal: &Rehearsal) -> Vec<Row> {
    let mut rows = Vec::new();
    let (missed, colors) = (missed(rehearsal), colors(rehearsal));
    for channel in &rehearsal.channels {
        rows.push(head(format!("Channel {}", channel.name)));
        rows.push(row(
            "asked for",
            channel.intent.iter().map(|span| {
                let look = if span.filler { "filler".to_owned() } else { color(&colors, &span.source) };
                let label =
                    if span.filler { format!("filler, then {}", span.source) } else { span.source.clone() };
                Bar { tip: format!("asked for: {label}"), ..bar(span.from, span.to, look, label) }
            }),
        ));
        rows.push(row("on air", channel.actual.iter().map(|span| actual(span, &colors))));
        rows.push(Row { lanes: gap_lanes(&missed, &channel.name), ..row("viewers missed", []) });
        rows.push(Row { ticks: director(rehearsal, Some(&channel.name)), ..row("cues, commands", []) });
    }
    let unnamed = director(rehearsal, None);
    let alarms = alarms(rehearsal);
    let engine = engine(rehearsal);
    let disk = faults_of(rehearsal, |subject| subject == "disk");
    if !(unnamed.is_empty() && alarms.is_empty() && engine.is_empty() && disk.is_empty()) {
        rows.push(head("Show".to_owned()));
    }
    if !engine.is_empty() {
        rows.push(Row { over: faults_of(rehearsal, |s| s == "engine"), ..row("engine", engine) });
    }
    if !disk.is_empty() {
        rows.push(row("disk", disk));
    }
    if !unnamed.is_empty() {
        rows.push(Row { ticks: unnamed, ..row("commands", []) });
    }
    if !alarms.is_empty() {
        rows.push(Row { ticks: alarms, ..row("alarms", []) });
    }
    rows.push(head("Lines: their faults above, how they stood below".to_owned()));
    for line in &rehearsal.lines {
        let name = format!("{}/{}", line.camera, line.line);
        let over = faults_of(rehearsal, |subject| subject == name);
        rows.push(Row { over, ..row(&name, line.states.iter().map(line_bar)) });
    }
    rows.push(head("Ways out".to_owned()));
    rows.extend(sinks(rehearsal));
    rows
}

fn head(name: String) -> Row {
    Row { head: true, name, ..Row::default() }
}

fn row(name: &str, bars: impl IntoIterator<Item = Bar>) -> Row {
    let bars: Vec<_> = bars.into_iter().collect();
    let lanes = if bars.is_empty() { Vec::new() } else { vec![bars] };
    Row { name: name.to_owned(), lanes, ..Row::default() }
}

fn bar(from: f64, to: f64, look: impl Into<String>, label: impl Into<String>) -> Bar {
    Bar { from: ms(from), to: ms(to), look: look.into(), label: label.into(), ..Bar::default() }
}

/// To the millisecond, so that it is written in few digits.
fn ms(t: f64) -> f64 {
    (t * 1e3).round() / 1e3
}

/// Every camera, in the order in which colours are given to them.
fn colors(rehearsal: &Rehearsal) -> Vec<&str> {
    rehearsal.cameras.iter().map(|camera| camera.camera.as_str()).collect()
}

fn color(colors: &[&str], source: &str) -> String {
    let at = colors.iter().position(|name| *name == source).unwrap_or(colors.len());
    format!("s{}", at % COLORS)
}

/// The colours there are, each with what it means.
pub fn legend(rehearsal: &Rehearsal) -> Vec<(String, String)> {
    let colors = colors(rehearsal);
    let sources = colors.iter().map(|name| (color(&colors, name), (*name).to_owned()));
    let looks = [
        ("filler", "filler"),
        ("black", "black"),
        ("gap", "missed by viewers"),
        ("fault", "a fault of the script"),
        ("live", "live"),
        ("suspect", "suspect"),
        ("lost", "lost, connecting"),
    ];
    sources.chain(looks.map(|(look, label)| (look.to_owned(), label.to_owned()))).collect()
}

fn actual(span: &ActualSpan, colors: &[&str]) -> Bar {
    let look = match (span.kind, &span.source) {
        (OnAirKind::Source, Some(source)) => color(colors, source),
        (OnAirKind::Filler, _) => "filler".to_owned(),
        (OnAirKind::Black, _) => "black".to_owned(),
        (OnAirKind::Source | OnAirKind::Nothing, _) => "nothing".to_owned(),
    };
    let label = on_air(span.kind, span.source.as_deref());
    let mut tip = label.clone();
    if let Some(line) = &span.line {
        tip = format!("{tip} over {line}");
    }
    tip = format!("{tip} ({})", span.reason);
    match span.picture {
        PictureSeen::Live => {}
        PictureSeen::Frozen => tip.push_str(", the picture stands still"),
        PictureSeen::Black => tip.push_str(", the picture is black"),
        PictureSeen::Nothing => tip.push_str(", no picture"),
    }
    match span.sound {
        SoundHeard::Live => {}
        SoundHeard::Silence => tip.push_str(", silence"),
        SoundHeard::Nothing => tip.push_str(", no sound"),
    }
    Bar { tip, held: span.picture == PictureSeen::Frozen, ..bar(span.from, span.to, look, label) }
}

/// Pictures above, sound below; nothing where nothing was missed.
fn gap_lanes(missed: &[Missed<'_>], channel: &str) -> Vec<Vec<Bar>> {
    let lane = |sense: Sense| {
        let own = missed.iter().filter(|m| m.gap.channel == channel && m.gap.sense == sense);
        own.map(|missed| {
            let gap = missed.gap;
            let mut tip = format!("{}: {}, {}", length(gap.length_s()), missed.what(), gap.why);
            if missed.reach == Reach::Rungs || gap.egress.is_some() {
                tip = format!("{}: {tip}", missed.place());
            }
            Bar { tip, ..bar(gap.from, gap.to, "gap", "") }
        })
        .collect::<Vec<_>>()
    };
    let lanes = [lane(Sense::Picture), lane(Sense::Sound)];
    if lanes.iter().all(Vec::is_empty) { Vec::new() } else { lanes.into() }
}

/// Cues and commands of a channel, or commands that are of none, by time.
fn director(rehearsal: &Rehearsal, channel: Option<&str>) -> Vec<Tick> {
    let cues = rehearsal.cues.iter().filter(|cue| Some(cue.channel.as_str()) == channel).map(|cue| Tick {
        t: ms(cue.t),
        look: "tick-cue",
        label: cue.what.clone(),
        tip: format!("cue: {}", cue.what),
    });
    let own = rehearsal.commands.iter().filter(|command| command.channel.as_deref() == channel);
    let commands = own.map(|command| {
        let (look, came) = match &command.outcome {
            CommandOutcome::Done { .. } => ("tick-command", String::new()),
            CommandOutcome::Refused { message } => ("tick-refused", format!(", refused: {message}")),
            CommandOutcome::Unheard => ("tick-refused", ", and nobody was there to hear it".to_owned()),
        };
        let tip = format!("command: {}{came}", command.words);
        Tick { t: ms(command.t), look, label: command.words.clone(), tip }
    });
    let mut ticks: Vec<_> = cues.chain(commands).collect();
    ticks.sort_by(|a, b| a.t.total_cmp(&b.t));
    ticks
}

fn alarms(rehearsal: &Rehearsal) -> Vec<Tick> {
    let alarms = rehearsal.events.iter().filter(|event| event.level == Level::Alarm);
    let tick = |event: &engine::Event| Tick {
        t: ms(event.t),
        look: "tick-alarm",
        label: String::new(),
        tip: format!("{}: {} [{}]", event.subject, event.message, event.code),
    };
    let mut ticks: Vec<_> = alarms.map(tick).collect();
    ticks.sort_by(|a, b| a.t.total_cmp(&b.t));
    ticks
}

/// When it ran, if it did not all the time.
fn engine(rehearsal: &Rehearsal) -> Vec<Bar> {
    if !rehearsal.engines.iter().any(|run| run.end == EngineEnd::Killed) {
        return Vec::new();
    }
    let mut bars: Vec<Bar> = Vec::new();
    for run in &rehearsal.engines {
        let down = bars.last().map_or(0.0, |last| last.to);
        if down < ms(run.from) {
            bars.push(Bar { tip: "down".to_owned(), ..bar(down, run.from, "down", "down") });
        }
        bars.push(Bar { tip: "running".to_owned(), ..bar(run.from, run.to, "running", "") });
    }
    let end = bars.last().map_or(0.0, |last| last.to);
    if end < ms(rehearsal.length_s) {
        bars.push(Bar { tip: "down".to_owned(), ..bar(end, rehearsal.length_s, "down", "down") });
    }
    bars
}

fn faults_of(rehearsal: &Rehearsal, is_of: impl Fn(&str) -> bool) -> Vec<Bar> {
    let own = rehearsal.faults.iter().filter(|fault| is_of(&fault.subject));
    let mut bars: Vec<_> = own
        .map(|fault| {
            let to = fault.to.unwrap_or(rehearsal.length_s).min(rehearsal.length_s);
            Bar { tip: fault.words.clone(), ..bar(fault.from, to, "fault", "") }
        })
        .filter(|bar| bar.from < bar.to)
        .collect();
    bars.sort_by(|a, b| a.from.total_cmp(&b.from));
    bars
}

fn line_bar(span: &LineSpan) -> Bar {
    let (look, word) = match (&span.suspect, span.state) {
        (Some(_), LineState::Live) => ("suspect", "suspect"),
        (_, LineState::Live) => ("live", ""),
        (_, LineState::Connecting) => ("connecting", "connecting"),
        (_, LineState::Lost) => ("lost", "lost"),
        (_, LineState::Ended) => ("ended", "ended"),
        (_, LineState::Never) => ("never", "nothing yet"),
    };
    let why = span.suspect.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let told = if word.is_empty() { look } else { word };
    Bar { tip: format!("{told}{why}"), ..bar(span.from, span.to, look, word) }
}

fn sink_bar(span: &SinkSpan) -> Bar {
    let (look, word) = match span.state {
        EgressState::Live => ("live", ""),
        EgressState::Connecting => ("connecting", "connecting"),
        EgressState::NotAvailable => ("not-available", "not available"),
        EgressState::Closed => ("closed", "closed"),
        EgressState::Failed => ("failed", "failed"),
    };
    let why = span.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let told = if word.is_empty() { look } else { word };
    let look = if span.state == EgressState::Live && span.why.is_some() { "suspect" } else { look };
    Bar { tip: format!("{told}{why}"), ..bar(span.from, span.to, look, word) }
}

/// One row for all rungs of an egress that fared the same.
fn sinks(rehearsal: &Rehearsal) -> Vec<Row> {
    let mut alike: Vec<Vec<&SinkRun>> = Vec::new();
    for sink in &rehearsal.sinks {
        let same = |other: &SinkRun| {
            (&other.channel, &other.egress, &other.states) == (&sink.channel, &sink.egress, &sink.states)
        };
        match alike.iter_mut().find(|some| some.first().is_some_and(|first| same(first))) {
            Some(some) => some.push(sink),
            None => alike.push(vec![sink]),
        }
    }
    let rows = alike.iter().filter_map(|some| {
        let first = some.first()?;
        let whole = format!("{}/{}", first.channel, first.egress);
        let own: Vec<_> = some.iter().map(|sink| format!("{whole}/{}", sink.rung)).collect();
        let count =
            rehearsal.sinks.iter().filter(|s| (&s.channel, &s.egress) == (&first.channel, &first.egress));
        let name = match (count.count() == some.len(), some.len()) {
            (true, _) => whole.clone(),
            (false, 1) => own.first()?.clone(),
            (false, _) => {
                let rungs: Vec<_> = some.iter().map(|sink| sink.rung.as_str()).collect();
                format!("{whole}/{}", rungs.join(","))
            }
        };
        let over = faults_of(rehearsal, |subject| subject == whole || own.iter().any(|name| name == subject));
        Some(Row { over, ..row(&name, first.states.iter().map(sink_bar)) })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_rows_of_the_picture() {
        use std::fmt::Write as _;
        let mut text = String::new();
        for row in rows(&sample::rehearsal()) {
            let _ = writeln!(text, "{}{}", if row.head { "# " } else { "" }, row.name);
            let mut bars = |title: &str, bars: &[Bar]| {
                for Bar { from, to, look, label, tip, held } in bars {
                    let held = if *held { " hatched" } else { "" };
                    let _ = writeln!(text, "  {title}{from}-{to} {look}{held} [{label}] {tip}");
                }
            };
            bars("fault ", &row.over);
            row.lanes.iter().for_each(|lane| bars("", lane));
            for Tick { t, look, label, tip } in &row.ticks {
                let _ = writeln!(text, "  {t} {look} [{label}] {tip}");
            }
        }
        insta::assert_snapshot!(text);
    }
}
