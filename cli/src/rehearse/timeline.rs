//! The timeline picture: its rows, and what stands in them.

use engine::alarm::{self, Standing};
use engine::rehearse::{
    ActualSpan, ChannelRun, CommandOutcome, EngineBegins, EngineEnd, FileRun, LineSpan, MarkSpan, OnAirKind,
    PictureSeen, Rehearsal, Sense, SinkRun, SinkSpan, SoundHeard, WayOut,
};
use engine::{EgressState, Level, LineState};
use media::Span;
use serde::Serialize;

use super::gaps::{Missed, Reach, length, missed, on_air, passes};

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

/// Every row, from top to bottom; a gap longer than `most` is marked.
pub fn rows(rehearsal: &Rehearsal, most: Span) -> Vec<Row> {
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
        rows.push(Row { lanes: gap_lanes(&missed, &channel.name, most), ..row("viewers missed", []) });
        rows.extend(marks(channel));
        let ticks = director(rehearsal, Some(&channel.name));
        if !ticks.is_empty() {
            rows.push(Row { ticks, ..row("cues, commands", []) });
        }
        rows.extend(rests(rehearsal, channel));
    }
    let unnamed = director(rehearsal, None);
    let alarms = alarms(rehearsal);
    let engine = engine(rehearsal);
    if !(unnamed.is_empty() && alarms.is_empty() && engine.is_empty()) {
        rows.push(head("Show".to_owned()));
    }
    if !engine.is_empty() {
        rows.push(Row { over: faults_of(rehearsal, |s| s == "engine"), ..row("engine", engine) });
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
    let recordings = sinks(rehearsal, &[WayOut::Record]);
    if !recordings.is_empty() {
        rows.push(head("Recordings: faults of the disk above, files below".to_owned()));
        rows.extend(recordings);
    } else if rehearsal.faults.iter().any(|fault| fault.subject == "disk") {
        rows.push(head("Recordings: none".to_owned()));
        rows.push(Row { over: faults_of(rehearsal, |subject| subject == "disk"), ..row("disk", []) });
    }
    rows.push(head("Ways out".to_owned()));
    rows.extend(sinks(rehearsal, &[WayOut::Push, WayOut::Viewers]));
    rows
}

/// What lasted longer than is allowed, for marks across all rows.
pub fn too_long(rehearsal: &Rehearsal, most: Span) -> Vec<Bar> {
    let missed = missed(rehearsal);
    let over = missed.iter().filter(|missed| passes(missed.gap, most));
    // Flags are short: whose it was is said where it is drawn.
    let flag = |missed: &Missed<'_>| Bar { label: length(missed.gap.length_s()), ..gap_bar(missed, most) };
    over.map(flag).collect()
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
        ("gap over", "missed by viewers, too long"),
        ("gap", "missed by viewers"),
        ("fault", "a fault of the script"),
        ("live", "live"),
        ("suspect", "suspect"),
        ("lost", "lost, connecting"),
        ("failed", "failed, down"),
        ("mark", "watermark"),
        ("mark fading", "watermark that fades"),
        ("rests", "at rest, overload"),
    ];
    let is_there = |look: &str| match look {
        "mark" => rehearsal.channels.iter().any(|channel| !channel.watermarks.is_empty()),
        "mark fading" => rehearsal.channels.iter().flat_map(|channel| &channel.watermarks).any(|m| m.fading),
        "rests" => rehearsal.events.iter().any(|event| [OVERLOAD, SHED].contains(&event.code.as_str())),
        _ => true,
    };
    let looks = looks.into_iter().filter(|(look, _)| is_there(look));
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

/// Lanes of what eyes missed at one time, and as many of what ears did.
const MOST_LANES: usize = 4;

/// Pictures above, sound below; nothing where nothing was missed.
fn gap_lanes(missed: &[Missed<'_>], channel: &str, most: Span) -> Vec<Vec<Bar>> {
    let mut lanes: Vec<Vec<Bar>> = Vec::new();
    for sense in [Sense::Picture, Sense::Sound] {
        let first = lanes.len();
        for gap in missed.iter().filter(|m| m.gap.channel == channel && m.gap.sense == sense) {
            let bar = gap_bar(gap, most);
            // Those of one lane follow one another, as long as there are not too many lanes.
            let free = |lane: &Vec<Bar>| lane.last().is_none_or(|last| last.to <= bar.from);
            let place = lanes.iter().skip(first).position(free).map(|ix| first + ix);
            match place.or((lanes.len() - first >= MOST_LANES).then(|| lanes.len() - 1)) {
                Some(ix) => lanes[ix].push(bar),
                None => lanes.push(vec![bar]),
            }
        }
    }
    lanes
}

fn gap_bar(missed: &Missed<'_>, most: Span) -> Bar {
    let gap = missed.gap;
    let long = length(gap.length_s());
    let is_over = passes(gap, most);
    let mut tip = format!("{}, {}", missed.what(), gap.why);
    if missed.reach == Reach::Rungs || gap.egress.is_some() || is_over {
        tip = format!("{}: {tip}", missed.place());
    }
    if is_over {
        tip = format!("{tip}: longer than {}", length(most.as_secs_f64()));
    }
    let look = if is_over { "gap over" } else { "gap" };
    let sound = if gap.sense == Sense::Sound { "sound " } else { "" };
    let rungs = match missed.reach {
        Reach::Channel => String::new(),
        Reach::Rungs => format!(" {}", missed.rungs.join(", ")),
    };
    let by = gap.egress.as_ref().map_or_else(String::new, |egress| format!(" by {egress}"));
    Bar { tip, ..bar(gap.from, gap.to, look, format!("{sound}{long}{rungs}{by}")) }
}

/// A row for each watermark: where there is a bar, it is seen.
fn marks(channel: &ChannelRun) -> Vec<Row> {
    let mut names: Vec<&str> = Vec::new();
    for span in &channel.watermarks {
        if !names.contains(&span.name.as_str()) {
            names.push(&span.name);
        }
    }
    let of = |name: &str| {
        let shown = channel.watermarks.iter().filter(|span| span.on && span.name == name);
        row(&format!("watermark {name}"), shown.map(mark_bar))
    };
    names.into_iter().map(of).collect()
}

fn mark_bar(span: &MarkSpan) -> Bar {
    let words = span.text.as_ref().map(|text| format!("\u{201c}{}\u{201d}", text.replace('\n', " ")));
    let place = span.at.as_ref().map(|at| format!("at {at}"));
    let said: Vec<_> = words.iter().chain(&place).map(String::as_str).collect();
    let (look, how) = if span.fading { ("mark fading", "fades") } else { ("mark", "on") };
    let label = if said.is_empty() { how.to_owned() } else { said.join(", ") };
    let told: Vec<_> = std::iter::once(how).chain(said).collect();
    Bar { tip: told.join(", "), ..bar(span.from, span.to, look, label) }
}

/// What the engine tells of when it does not keep up, and of a rung that rests meanwhile.
const OVERLOAD: &str = "overload";
const SHED: &str = "rung-shed";

/// Since when, until when and of what something stood that events tell of.
fn stood<'r>(rehearsal: &'r Rehearsal, code: &str) -> Vec<(f64, f64, &'r str)> {
    let Some(Standing::Until(end)) = alarm::standing(code) else { return Vec::new() };
    // Nothing stands longer than the engine that told of it.
    let life = |from: f64| {
        let own = rehearsal.engines.iter().rev().find(|run| run.from <= from);
        own.map_or(rehearsal.length_s, |run| run.to)
    };
    let mut spans: Vec<(f64, f64, &str)> = Vec::new();
    for event in &rehearsal.events {
        let open = |span: &&mut (f64, f64, &str)| span.2 == event.subject && event.t < span.1;
        if event.code == end {
            if let Some(span) = spans.iter_mut().rev().find(open) {
                span.1 = event.t;
            }
        } else if event.code == code && !spans.iter_mut().any(|span| open(&span)) {
            spans.push((event.t, life(event.t), &event.subject));
        }
    }
    spans
}

/// A row for each rung that rested, and when.
fn rests(rehearsal: &Rehearsal, channel: &ChannelRun) -> Vec<Row> {
    let spans = stood(rehearsal, SHED);
    let of = |rung: &String| {
        let subject = format!("{}/{rung}", channel.name);
        let own = spans.iter().filter(|(_, _, of)| *of == subject);
        let bars = own.map(|(from, to, _)| {
            let tip = "at rest, since the engine does not keep up: its viewers have the last picture, and the sound";
            Bar { tip: tip.to_owned(), ..bar(*from, *to, "rests", "at rest") }
        });
        row(&format!("rung {rung}"), bars)
    };
    channel.rungs.iter().map(of).filter(|row| !row.lanes.is_empty()).collect()
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
            CommandOutcome::Reloaded { revision, steps } => {
                let steps: String = steps.iter().map(|step| format!("\n  {step}")).collect();
                ("tick-command", format!(": revision {revision} of the show file is in force{steps}"))
            }
            CommandOutcome::Refused { message } => ("tick-refused", format!(", refused: {message}")),
            CommandOutcome::Unheard => ("tick-refused", ", and nobody was there to hear it".to_owned()),
        };
        let tip = format!("command: {}{came}", command.words);
        let label = match &command.outcome {
            CommandOutcome::Reloaded { revision, .. } => format!("revision {revision}"),
            _ => command.words.clone(),
        };
        Tick { t: ms(command.t), look, label, tip }
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

/// When it ran and kept up, if it did not all the time.
fn engine(rehearsal: &Rehearsal) -> Vec<Bar> {
    let overloads = stood(rehearsal, OVERLOAD);
    let was_killed = rehearsal.engines.iter().any(|run| run.end == EngineEnd::Killed);
    if !was_killed && overloads.is_empty() {
        return Vec::new();
    }
    let mut bars: Vec<Bar> = Vec::new();
    let running = |from: f64, to: f64| Bar { tip: "running".to_owned(), ..bar(from, to, "running", "") };
    for run in &rehearsal.engines {
        let first = bars.len();
        let down = bars.last().map_or(0.0, |last| last.to);
        if down < ms(run.from) {
            bars.push(Bar { tip: "down".to_owned(), ..bar(down, run.from, "down", "down") });
        }
        let first = first + usize::from(bars.len() > first);
        let mut at = run.from;
        for (from, to, _) in overloads.iter().filter(|(from, ..)| run.from <= *from && *from < run.to) {
            bars.push(running(at, *from));
            let tip = "ticks are late: the engine does not keep up".to_owned();
            bars.push(Bar { tip, ..bar(*from, *to, "rests", "overload") });
            at = *to;
        }
        bars.push(running(at, run.to));
        if let Some(bar) = bars.get_mut(first).filter(|bar| bar.from > 0.0) {
            (bar.label, bar.tip) = match run.begins {
                EngineBegins::GoesOn => {
                    ("went on".to_owned(), "running: the show went on from what was kept of it".to_owned())
                }
                EngineBegins::Anew => ("began anew".to_owned(), "running: the show began anew".to_owned()),
            };
        }
    }
    let end = bars.last().map_or(0.0, |last| last.to);
    if end < ms(rehearsal.length_s) {
        bars.push(Bar { tip: "down".to_owned(), ..bar(end, rehearsal.length_s, "down", "down") });
    }
    bars.retain(|bar| bar.from < bar.to);
    bars
}

fn faults_of(rehearsal: &Rehearsal, is_of: impl Fn(&str) -> bool) -> Vec<Bar> {
    let own = rehearsal.faults.iter().filter(|fault| is_of(&fault.subject));
    let mut bars: Vec<_> = own
        .map(|fault| {
            let to = fault.to.unwrap_or(rehearsal.length_s).min(rehearsal.length_s);
            let words = fault.words.strip_prefix(&fault.subject).unwrap_or(&fault.words).trim_start();
            let label = words.split('@').next().unwrap_or(words);
            Bar { tip: fault.words.clone(), ..bar(fault.from, to, "fault", label) }
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

/// How a way out stood; `files` are those it wrote.
fn sink_bar(span: &SinkSpan, files: &[&FileRun]) -> Bar {
    let (look, word) = match span.state {
        EgressState::Live => ("live", "live"),
        EgressState::Connecting => ("connecting", "connecting"),
        EgressState::NotAvailable => ("not-available", "not available"),
        EgressState::Closed => ("closed", "closed"),
        EgressState::Failed => ("failed", "failed"),
    };
    let open = files.iter().filter(|file| file.from < span.to && span.from < file.to);
    let open: Vec<_> = open.map(|file| file.name.strip_prefix("./").unwrap_or(&file.name)).collect();
    let label = match (span.state, &span.why, &open[..]) {
        // What is the matter says more than that something is.
        (EgressState::Live | EgressState::Failed, Some(why), _) => why.clone(),
        (EgressState::Live, None, []) => String::new(),
        (EgressState::Live, None, [one]) => (*one).to_owned(),
        (EgressState::Live, None, more) => format!("{} files", more.len()),
        _ => word.to_owned(),
    };
    let why = span.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let word = if open.is_empty() { word } else { "open" };
    let tip = std::iter::once(format!("{word}{why}")).chain(open.into_iter().map(str::to_owned));
    let look = if span.state == EgressState::Live && span.why.is_some() { "suspect" } else { look };
    Bar { tip: tip.collect::<Vec<_>>().join("\n  "), ..bar(span.from, span.to, look, label) }
}

/// One row for all rungs of an egress that fared the same.
fn sinks(rehearsal: &Rehearsal, ways: &[WayOut]) -> Vec<Row> {
    let all = || rehearsal.sinks.iter().filter(|sink| ways.contains(&sink.way));
    let mut alike: Vec<Vec<&SinkRun>> = Vec::new();
    for sink in all() {
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
        let count = all().filter(|s| (&s.channel, &s.egress) == (&first.channel, &first.egress));
        let name = match (count.count() == some.len(), some.len()) {
            (true, _) => whole.clone(),
            (false, 1) => own.first()?.clone(),
            (false, _) => {
                let rungs: Vec<_> = some.iter().map(|sink| sink.rung.as_str()).collect();
                format!("{whole}/{}", rungs.join(","))
            }
        };
        let files: Vec<_> = some.iter().flat_map(|sink| &sink.files).collect();
        let is_own = |subject: &str| match first.way {
            WayOut::Record => subject == "disk",
            WayOut::Push | WayOut::Viewers => subject == whole || own.iter().any(|name| name == subject),
        };
        let over = faults_of(rehearsal, is_own);
        Some(Row { over, ..row(&name, first.states.iter().map(|span| sink_bar(span, &files))) })
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
        for row in rows(&sample::rehearsal(), Span::from_secs(1)) {
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

    #[test]
    fn what_is_too_long_is_marked_across_all_rows() {
        let over = |secs| too_long(&sample::rehearsal(), Span::from_millis(secs));
        let words: Vec<_> = over(1000).into_iter().map(|bar| (bar.from, bar.to, bar.label)).collect();
        assert_eq!(words, [(30.0, 31.5, "1.50 s".to_owned()), (40.0, 42.3, "2.30 s".to_owned())]);
        assert!(over(1500)[0].tip.ends_with("the engine was down: longer than 1.50 s"), "{:?}", over(1500));
        assert_eq!(over(2300), []);
    }

    /// A rung rests until it is back, and no longer than its engine runs.
    #[test]
    fn what_stood_stood_until_its_clear_or_the_engines_end() {
        let rehearsal = sample::rehearsal();
        assert_eq!(stood(&rehearsal, SHED), [(22.0, 36.0, "program/720p"), (39.0, 40.0, "program/720p")]);
        assert_eq!(stood(&rehearsal, "cue"), []);
    }
}
