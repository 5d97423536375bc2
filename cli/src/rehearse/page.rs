//! The page: one file with a picture of the rehearsal, and tables below it.

use engine::rehearse::{Codecs, CommandOutcome, PictureSeen, Rehearsal, SoundHeard};
use engine::{EgressState, Level};
use media::Span;
use serde::Serialize;

use super::gaps::{Missed, clock, length, missed, on_air, passes, verdict};
use super::timeline::{Bar, Row, legend, rows, too_long};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A table of a long show is told up to here; the report has all.
const MOST_ROWS: usize = 2_000;

/// What the page's script draws.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Page {
    title: String,
    show: String,
    verdict: String,
    failed: bool,
    facts: Vec<String>,
    length_s: f64,
    rows: Vec<Row>,
    /// Gaps that pass what is allowed.
    over: Vec<Bar>,
    legend: Vec<(String, String)>,
    tables: Vec<Table>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    /// How many columns from the first one are times.
    times: usize,
    rows: Vec<Line>,
    /// Of all, also of those that are not here.
    count: usize,
    /// What is said where there are no rows.
    none: &'static str,
    note: Option<String>,
    open: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct Line {
    from: f64,
    to: f64,
    cells: Vec<String>,
    /// Whether it passes what is allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    over: bool,
}

/// The page as one file.
pub fn html(rehearsal: &Rehearsal, most: Span) -> serde_json::Result<String> {
    let page = page(rehearsal, most);
    // No text of a show ends the script that carries it.
    let data = serde_json::to_string(&page)?.replace('<', "\\u003c");
    let title = page.title.replace('&', "&amp;").replace('<', "&lt;");
    // The data last: what a show says is not looked through for places.
    let shell = PAGE.replace("{{style}}", STYLE.trim_end()).replace("{{script}}", SCRIPT.trim_end());
    let (before, after) = shell.split_once("{{data}}").unwrap_or((&shell, ""));
    Ok(format!("{}{data}{after}", before.replacen("{{title}}", &title, 1)))
}

fn page(rehearsal: &Rehearsal, most: Span) -> Page {
    let missed = missed(rehearsal);
    let codecs = match rehearsal.codecs {
        Codecs::Fake => "without real pictures",
        Codecs::Pixels => "with real pictures",
    };
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    Page {
        title: format!("Rehearsal of {}", rehearsal.show),
        show: rehearsal.show.clone(),
        verdict: sentence(&verdict(&missed, most)),
        failed: missed.iter().any(|m| passes(m.gap, most)),
        facts: vec![
            format!("{} of show, {codecs}", length(rehearsal.length_s)),
            count(rehearsal.faults.len(), "fault"),
            count(rehearsal.commands.len(), "command"),
            count(rehearsal.cues.len(), "cue"),
            format!("seed {}", rehearsal.seed),
            format!("rehearsed in {}", length(rehearsal.cost.wall_s)),
        ],
        length_s: rehearsal.length_s,
        rows: rows(rehearsal, most),
        over: too_long(rehearsal, most),
        legend: legend(rehearsal),
        tables: vec![
            gaps(&missed, most),
            faults(rehearsal, &missed),
            orders(rehearsal),
            air(rehearsal),
            files(rehearsal),
            events(rehearsal),
        ],
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).chain(['.']).collect())
}

fn table(
    title: &'static str,
    columns: &[&'static str],
    times: usize,
    none: &'static str,
    lines: impl Iterator<Item = Line>,
) -> Table {
    let mut rows: Vec<_> = lines.collect();
    let count = rows.len();
    rows.truncate(MOST_ROWS);
    let note = (count > rows.len()).then(|| format!("The first {MOST_ROWS}; the report has all."));
    Table { title, columns: columns.to_vec(), times, rows, count, none, note, open: false }
}

fn line(from: f64, to: f64, cells: impl IntoIterator<Item = String>) -> Line {
    Line { from, to, cells: cells.into_iter().collect(), over: false }
}

fn gaps(missed: &[Missed<'_>], most: Span) -> Table {
    let lines = missed.iter().map(|missed| {
        let gap = missed.gap;
        let over = passes(gap, most);
        let long = length(gap.length_s());
        let long = if over { format!("{long}, too long") } else { long };
        let cells = [clock(gap.from), long, missed.place(), missed.what().to_owned(), gap.why.clone()];
        Line { over, ..line(gap.from, gap.to, cells) }
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by(|a, b| (b.to - b.from).total_cmp(&(a.to - a.from)));
    let columns = ["when", "how long", "whose viewers", "instead", "why"];
    let lines = lines.into_iter();
    Table {
        open: true,
        ..table("Gaps, the longest first", &columns, 2, "Viewers would have missed nothing.", lines)
    }
}

/// Every fault, with the worst that came of it.
fn faults(rehearsal: &Rehearsal, missed: &[Missed<'_>]) -> Table {
    let lines = rehearsal.faults.iter().enumerate().map(|(at, fault)| {
        let own = missed.iter().rev().filter(|m| m.gap.fault == Some(at));
        let worst = own.max_by(|a, b| a.gap.length_s().total_cmp(&b.gap.length_s()));
        let came = match worst {
            Some(worst) => format!("{}: {}, {}", worst.place(), worst.what(), length(worst.gap.length_s())),
            None => "nothing that viewers would have noticed".to_owned(),
        };
        let to = fault.to.unwrap_or(rehearsal.length_s);
        line(fault.from, to, [clock(fault.from), fault.words.clone(), came])
    });
    let columns = ["when", "fault", "the worst that came of it"];
    Table { open: true, ..table("Faults", &columns, 1, "The script has none.", lines) }
}

fn orders(rehearsal: &Rehearsal) -> Table {
    let commands = rehearsal.commands.iter().map(|command| {
        let came = match &command.outcome {
            CommandOutcome::Done { on_air: Some(source) } => format!("done; on air: {source}"),
            CommandOutcome::Done { on_air: None } => "done".to_owned(),
            CommandOutcome::Reloaded { revision, steps } => {
                let steps =
                    if steps.is_empty() { "nothing is different".to_owned() } else { steps.join("; ") };
                format!("revision {revision} is in force: {steps}")
            }
            CommandOutcome::Refused { message } => format!("refused: {message}"),
            CommandOutcome::Unheard => "nobody was there to hear it".to_owned(),
        };
        let channel = command.channel.clone().unwrap_or_default();
        line(command.t, command.t, [clock(command.t), channel, format!("command: {}", command.words), came])
    });
    let cues = rehearsal.cues.iter().map(|cue| {
        let cells = [clock(cue.t), cue.channel.clone(), format!("cue: {}", cue.what), String::new()];
        line(cue.t, cue.t, cells)
    });
    let mut lines: Vec<_> = commands.chain(cues).collect();
    lines.sort_by(|a, b| a.from.total_cmp(&b.from));
    let columns = ["when", "channel", "what", "what came of it"];
    table("Cues and commands", &columns, 1, "There were none.", lines.into_iter())
}

fn air(rehearsal: &Rehearsal) -> Table {
    let spans =
        rehearsal.channels.iter().flat_map(|channel| channel.actual.iter().map(move |s| (channel, s)));
    let mut lines: Vec<_> = spans
        .map(|(channel, span)| {
            let picture = match span.picture {
                PictureSeen::Live => "",
                PictureSeen::Frozen => "stands still",
                PictureSeen::Black => "black",
                PictureSeen::Nothing => "none",
            };
            let sound = match span.sound {
                SoundHeard::Live => "",
                SoundHeard::Silence => "silence",
                SoundHeard::Nothing => "none",
            };
            let cells = [
                clock(span.from),
                length(span.to - span.from),
                channel.name.clone(),
                on_air(span.kind, span.source.as_deref()),
                span.line.clone().unwrap_or_default(),
                span.reason.clone(),
                picture.to_owned(),
                sound.to_owned(),
            ];
            line(span.from, span.to, cells)
        })
        .collect();
    lines.sort_by(|a, b| a.from.total_cmp(&b.from));
    let columns = ["when", "how long", "channel", "on air", "over", "why", "picture", "sound"];
    table("On air", &columns, 2, "Nothing was.", lines.into_iter())
}

/// What the disk would hold in the end.
fn files(rehearsal: &Rehearsal) -> Table {
    let files = rehearsal.sinks.iter().flat_map(|sink| sink.files.iter().map(move |file| (sink, file)));
    let lines = files.map(|(sink, file)| {
        let name = file.name.strip_prefix("./").unwrap_or(&file.name).to_owned();
        let cut = sink.states.iter().find(|span| span.state == EgressState::Failed && span.from == file.to);
        let end = match cut {
            Some(cut) => cut.why.clone().unwrap_or_else(|| "failed".to_owned()),
            None if rehearsal.engines.iter().any(|run| run.to == file.to && file.to < rehearsal.length_s) => {
                "the engine ended".to_owned()
            }
            None if file.to < rehearsal.length_s => "the show has it no longer".to_owned(),
            None => "the show's end".to_owned(),
        };
        let size = format!("about {:.1} MB", file.bytes as f64 / 1e6);
        let cells = [clock(file.from), clock(file.to), name, length(file.length_s), size, end];
        line(file.from, file.to, cells)
    });
    let columns = ["opened", "closed", "file", "how long", "size", "why it ended"];
    table("Recordings on the disk", &columns, 2, "Nothing is recorded.", lines)
}

fn events(rehearsal: &Rehearsal) -> Table {
    let lines = rehearsal.events.iter().map(|event| {
        let level = match event.level {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Alarm => "alarm",
        };
        let cells = [
            clock(event.t),
            level.to_owned(),
            event.subject.clone(),
            event.message.clone(),
            event.code.clone(),
        ];
        line(event.t, event.t, cells)
    });
    table("Events", &["when", "level", "of", "what", "code"], 1, "There were none.", lines)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_words_around_the_picture() {
        let page = page(&sample::rehearsal(), Span::from_secs(1));
        let tables = serde_json::to_value(&page.tables).unwrap();
        let mut text = format!("{}\n{}\n{}\n", page.title, page.verdict, page.facts.join(" | "));
        for table in tables.as_array().unwrap() {
            text += &format!("\n{} ({})\n", table["title"].as_str().unwrap(), table["count"]);
            for row in table["rows"].as_array().unwrap() {
                let cells: Vec<_> =
                    row["cells"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
                let over = if row["over"] == true { "! " } else { "  " };
                text += &format!("{over}{}\n", cells.join(" | ").trim_end());
            }
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_page_is_one_file_and_nothing_of_the_show_is_taken_for_markup() {
        let html = html(&sample::rehearsal(), Span::from_secs(1)).unwrap();
        assert!(html.contains("<title>Rehearsal of night &lt;b>&amp;</title>"), "{html}");
        assert!(!html.contains("{{"), "a place was not filled");
        assert_eq!(html.matches("</script>").count(), 2, "the data ends no script");
        for way_out in ["http:", "https:", "src=", "href=", "@import", "url(h"] {
            let found = html.replace("rtmp://a.example", "").contains(way_out);
            assert!(!found, "the page loads something by {way_out}");
        }
        let data =
            html.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["title"], "Rehearsal of night <b>&");
        assert_eq!(data["failed"], true);
    }

    /// Pages of long shows are opened by people.
    #[test]
    fn a_long_show_makes_a_page_that_can_be_mailed() {
        let mut long = sample::rehearsal();
        let event = long.events[0].clone();
        long.events = (0..5_000).map(|n| engine::Event { t: f64::from(n), ..event.clone() }).collect();
        let page = page(&long, Span::from_secs(1));
        let events = page.tables.last().unwrap();
        assert_eq!((events.rows.len(), events.count), (MOST_ROWS, 5_000));
        assert!(events.note.is_some() && html(&long, Span::from_secs(1)).unwrap().len() < 2_000_000);
    }
}
