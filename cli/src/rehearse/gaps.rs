//! What viewers would have missed, told once for all rungs that had it.

use std::collections::BTreeMap;

use engine::rehearse::{Gap, OnAirKind, Rehearsal, Saw, Sense};
use media::{Span, Time};

/// A gap, and the rungs that had it at the same time.
#[derive(Clone, PartialEq, Debug)]
pub struct Missed<'r> {
    /// As one of them had it.
    pub gap: &'r Gap,
    /// The names of all that had it.
    pub rungs: Vec<&'r str>,
    /// Whether these are all that the channel has.
    pub reach: Reach,
}

/// How many of a channel's rungs a gap was in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All of them.
    Channel,
    /// Not all.
    Rungs,
}

impl Missed<'_> {
    /// Whose viewers had it: `program`, `program (720p)`, `program by cdn-a`.
    pub fn place(&self) -> String {
        let mut place = self.gap.channel.clone();
        if self.reach == Reach::Rungs {
            place = format!("{place} ({})", self.rungs.join(", "));
        }
        match &self.gap.egress {
            Some(egress) => format!("{place} by {egress}"),
            None => place,
        }
    }

    /// What there was instead of what.
    pub fn what(&self) -> &'static str {
        match (self.gap.sense, self.gap.saw) {
            (Sense::Picture, Saw::Frozen) => "the picture stood still",
            (Sense::Picture, Saw::Black) => "the picture was black",
            (Sense::Picture, _) => "no picture came",
            (Sense::Sound, Saw::Silence) => "silence",
            (Sense::Sound, _) => "no sound came",
        }
    }
}

/// All gaps by time, those of several rungs told once.
pub fn missed(rehearsal: &Rehearsal) -> Vec<Missed<'_>> {
    type Same<'r> = (i64, i64, &'r str, Option<&'r str>, Sense, Saw, &'r str);
    let ms = |t: f64| (t * 1e3).round() as i64;
    let mut all: Vec<Missed<'_>> = Vec::new();
    let mut known: BTreeMap<Same<'_>, usize> = BTreeMap::new();
    for gap in &rehearsal.gaps {
        let Gap { from, to, channel, egress, sense, saw, why, .. } = gap;
        let same = (ms(*from), ms(*to), channel.as_str(), egress.as_deref(), *sense, *saw, why.as_str());
        let at = *known.entry(same).or_insert_with(|| {
            all.push(Missed { gap, rungs: Vec::new(), reach: Reach::Rungs });
            all.len() - 1
        });
        if let Some(missed) = all.get_mut(at).filter(|missed| !missed.rungs.contains(&gap.rung.as_str())) {
            missed.rungs.push(&gap.rung);
        }
    }
    for missed in &mut all {
        let channel = rehearsal.channels.iter().find(|c| c.name == missed.gap.channel);
        if channel.is_some_and(|channel| missed.rungs.len() >= channel.rungs.len()) {
            missed.reach = Reach::Channel;
        }
    }
    all.sort_by(|a, b| a.gap.from.total_cmp(&b.gap.from));
    all
}

/// Whether a gap passes what is allowed; both to the millisecond.
pub fn passes(gap: &Gap, most: Span) -> bool {
    (gap.length_s() * 1e3).round() as i64 > most.as_millis_rounded()
}

/// The outcome in a sentence.
pub fn verdict(missed: &[Missed<'_>], most: Span) -> String {
    let over = missed.iter().filter(|m| passes(m.gap, most)).count();
    // Of equals the first.
    let longest = missed.iter().rev().max_by(|a, b| a.gap.length_s().total_cmp(&b.gap.length_s()));
    let limit = length(most.as_secs_f64());
    match longest {
        None => "viewers would have missed nothing".to_owned(),
        Some(longest) => {
            let long = length(longest.gap.length_s());
            let at = clock(longest.gap.from);
            let (gaps, pass) = match (missed.len(), over) {
                (1, 0) => ("1 gap".to_owned(), format!("it does not pass {limit}")),
                (1, _) => ("1 gap".to_owned(), format!("it passes {limit}")),
                (n, 0) => (format!("{n} gaps"), format!("none passes {limit}")),
                (n, 1) => (format!("{n} gaps"), format!("1 passes {limit}")),
                (n, over) => (format!("{n} gaps"), format!("{over} pass {limit}")),
            };
            let place = longest.place();
            format!("{gaps}, {pass}; the longest is {long}, at {at} in {place}: {}", longest.what())
        }
    }
}

/// A point in time for people: `0:12.040`.
pub fn clock(t: f64) -> String {
    Time::from_millis((t * 1e3).round() as i64).to_string()
}

/// A length for people: `480 ms`, `5.20 s`, `60 s`, `1:02:03`.
pub fn length(s: f64) -> String {
    let ms = (s * 1e3).round() as i64;
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..100_000 if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        1_000..100_000 => format!("{s:.2} s"),
        _ => {
            let s = (ms + 500) / 1_000;
            match s / 3600 {
                0 => format!("{}:{:02}", s / 60, s % 60),
                hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
            }
        }
    }
}

/// How much faster than on the day: `48 times real time`.
pub fn speed(done_s: f64, wall_s: f64) -> String {
    match done_s / wall_s {
        times if times >= 10.0 && times.is_finite() => format!("{times:.0} times real time"),
        times if times.is_finite() => format!("{times:.1} times real time"),
        _ => "in no time".to_owned(),
    }
}

/// What was on air, for people.
pub fn on_air(kind: OnAirKind, source: Option<&str>) -> String {
    match (kind, source) {
        (OnAirKind::Source, Some(source)) => source.to_owned(),
        (OnAirKind::Filler, Some(filler)) => format!("{filler} (filler)"),
        (OnAirKind::Filler, None) => "filler".to_owned(),
        (OnAirKind::Black, _) => "black".to_owned(),
        (OnAirKind::Source | OnAirKind::Nothing, _) => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_all_rungs_missed_is_told_once() {
        let rehearsal = sample::rehearsal();
        let all = missed(&rehearsal);
        let told: Vec<_> = all.iter().map(|m| (m.place(), m.what())).collect();
        let program = || "program".to_owned();
        assert_eq!(
            told,
            [
                (program(), "the picture stood still"),
                (program(), "silence"),
                ("program (720p) by cdn-a".to_owned(), "no picture came"),
                (program(), "no picture came"),
            ]
        );
    }

    #[test]
    fn a_gap_of_just_what_is_allowed_passes_nothing() {
        let rehearsal = sample::rehearsal();
        let gap = &missed(&rehearsal)[2].gap;
        assert_eq!([1_499, 1_500].map(|ms| passes(gap, Span::from_millis(ms))), [true, false]);
    }

    #[test]
    fn the_verdict_says_how_many_and_the_worst() {
        let rehearsal = sample::rehearsal();
        let all = missed(&rehearsal);
        let most = Span::from_secs(1);
        assert_eq!(
            verdict(&all, most),
            "4 gaps, 2 pass 1 s; the longest is 2.30 s, at 0:40.000 in program: no picture came"
        );
        assert_eq!(
            verdict(&all[..1], most),
            "1 gap, it does not pass 1 s; the longest is 480 ms, at 0:10.000 in program: the picture stood still"
        );
        assert_eq!(verdict(&[], most), "viewers would have missed nothing");
    }

    #[test]
    fn a_speed_has_the_digits_that_matter() {
        let told = [(60.0, 1.25), (8.0, 19.0), (1.0, 0.0)].map(|(done, wall)| speed(done, wall));
        assert_eq!(told, ["48 times real time", "0.4 times real time", "in no time"]);
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!([0.0, 0.9994, 0.9996, 99.99].map(length), ["0 ms", "999 ms", "1 s", "99.99 s"]);
        assert_eq!([100.0, 3_599.6, 7_200.0].map(length), ["1:40", "1:00:00", "2:00:00"]);
    }
}
