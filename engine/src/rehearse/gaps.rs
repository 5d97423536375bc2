//! What viewers missed: put together from what was on air and from what did not come, and traced
//! back to the fault behind it.

use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::{Fault, FaultKind};

use crate::rehearse::report::{Gap, OnAirKind, PictureSeen, Saw, Sense, SoundHeard};
use crate::rehearse::runs::Run;
use crate::rehearse::watch::OnAirNow;

/// A fault is felt later than it begins: what waits in the buffers is played out first.
const FELT_WITHIN: Span = Span::from_secs(15);

/// Why nothing came, where nobody knows better.
const NO_PICTURES: &str = "no pictures came";
const NO_SOUND: &str = "no sound came";
const RESTS: &str = "the rung rests: the engine does not keep up";

/// A part of a gap, with one thing in the program's place.
#[derive(Clone, Debug)]
struct Piece {
    from: Time,
    to: Time,
    saw: Saw,
    why: String,
    source: Option<String>,
}

/// Where a gap was.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Every show that was in force.
    pub(crate) shows: &'a [&'a dsl::Show],
    pub(crate) channel: &'a str,
    pub(crate) rung: &'a str,
    pub(crate) egress: Option<&'a str>,
    pub(crate) faults: &'a [Fault],
    /// When the rung rested.
    pub(crate) rests: &'a [(Time, Time)],
    pub(crate) tick: Span,
}

/// What of it lies within these times.
pub(crate) fn within(runs: &[Run<OnAirNow>], from: Time, until: Time) -> Vec<Run<OnAirNow>> {
    let cut =
        |run: &Run<OnAirNow>| Run { from: run.from.max(from), to: run.to.min(until), what: run.what.clone() };
    runs.iter().map(cut).filter(|run| run.from < run.to).collect()
}

/// The gaps of all who watch a rung: what was on air, and when no tags came (pictures, sound).
pub(crate) fn of_rung(place: Place<'_>, on_air: &[Run<OnAirNow>], none: &[Vec<(Time, Time)>; 2]) -> Vec<Gap> {
    let [eyes, ears] = none;
    let mut seen: Vec<Piece> = on_air.iter().filter_map(seen_instead).collect();
    let mut heard: Vec<Piece> = on_air.iter().filter_map(heard_instead).collect();
    let rests = |(from, to): (Time, Time)| {
        place.rests.iter().any(|(since, until)| from < *until + place.tick && *since < to)
    };
    seen.extend(eyes.iter().map(|none| nothing(*none, if rests(*none) { RESTS } else { NO_PICTURES })));
    heard.extend(ears.iter().map(|none| nothing(*none, NO_SOUND)));
    let mut gaps = joined(place, Sense::Picture, seen);
    gaps.extend(joined(place, Sense::Sound, heard));
    gaps
}

/// The gaps of those who watch it through a server, beyond those of everybody.
pub(crate) fn of_server(place: Place<'_>, none: &[Vec<(Time, Time)>; 2], everybody: &[Gap]) -> Vec<Gap> {
    let why = format!("{} passed nothing on", place.egress.unwrap_or_default());
    let mut gaps = Vec::new();
    for (sense, none) in [Sense::Picture, Sense::Sound].into_iter().zip(none) {
        let (early, late) = (-0.2, 0.2);
        let is_known = |&(from, to): &(Time, Time)| {
            let of_all = everybody.iter().filter(|gap| gap.sense == sense && gap.saw == Saw::Nothing);
            of_all
                .clone()
                .any(|gap| gap.from <= from.as_secs_f64() + late && gap.to >= to.as_secs_f64() + early)
        };
        let own = none.iter().filter(|none| !is_known(none)).map(|none| nothing(*none, &why));
        gaps.extend(joined(place, sense, own.collect()));
    }
    gaps
}

fn nothing((from, to): (Time, Time), why: &str) -> Piece {
    Piece { from, to, saw: Saw::Nothing, why: why.to_owned(), source: None }
}

fn piece(run: &Run<OnAirNow>, saw: Saw) -> Piece {
    let OnAirNow { kind, source, line, why, .. } = &run.what;
    let subject = match (kind, source, line) {
        (OnAirKind::Source, Some(source), Some(line)) => format!("{source}/{line}: "),
        (OnAirKind::Source | OnAirKind::Filler, Some(source), _) => format!("{source}: "),
        _ => String::new(),
    };
    let why = format!("{subject}{}", why.unwrap_or("it is missing"));
    Piece { from: run.from, to: run.to, saw, why, source: source.clone() }
}

fn seen_instead(run: &Run<OnAirNow>) -> Option<Piece> {
    let saw = match run.what.picture {
        PictureSeen::Live => return None,
        PictureSeen::Frozen => Saw::Frozen,
        PictureSeen::Black => Saw::Black,
        PictureSeen::Nothing => Saw::Nothing,
    };
    Some(piece(run, saw))
}

fn heard_instead(run: &Run<OnAirNow>) -> Option<Piece> {
    let saw = match run.what.sound {
        SoundHeard::Live => return None,
        SoundHeard::Silence => Saw::Silence,
        SoundHeard::Nothing => Saw::Nothing,
    };
    Some(piece(run, saw))
}

/// Pieces that follow one another are one gap, told by what of it lasted longest.
fn joined(place: Place<'_>, sense: Sense, mut pieces: Vec<Piece>) -> Vec<Gap> {
    pieces.sort_by_key(|piece| (piece.from, piece.to));
    let mut groups: Vec<(Time, Vec<Piece>)> = Vec::new();
    for piece in pieces {
        match groups.last_mut() {
            Some((end, group)) if piece.from <= *end + place.tick.times(2) => {
                *end = piece.to.max(*end);
                group.push(piece);
            }
            _ => groups.push((piece.to, vec![piece])),
        }
    }
    let gap = |(to, group): (Time, Vec<Piece>)| {
        let from = group.first().map_or(to, |first| first.from);
        let length = |piece: &&Piece| (piece.to - piece.from, piece.saw);
        let longest = group.iter().max_by_key(length)?;
        // Of nothing that came, what was on air may say why.
        let told =
            |piece: &&Piece| piece.saw == longest.saw && ![NO_PICTURES, NO_SOUND].contains(&&*piece.why);
        let longest = group.iter().filter(told).max_by_key(length).unwrap_or(longest).clone();
        let fault = behind(place, from, &longest);
        Some(Gap {
            from: from.as_secs_f64(),
            to: to.as_secs_f64(),
            channel: place.channel.to_owned(),
            rung: place.rung.to_owned(),
            egress: place.egress.map(str::to_owned),
            sense,
            saw: longest.saw,
            why: longest.why,
            fault,
        })
    };
    groups.into_iter().filter_map(gap).collect()
}

/// The fault that a gap is felt of: the last one that can be, and that had not long been over.
fn behind(place: Place<'_>, from: Time, piece: &Piece) -> Option<usize> {
    let channels = || place.shows.iter().filter_map(|show| show.channel(place.channel));
    let can_be = |what: &FaultKind| match (what, place.egress) {
        (FaultKind::Sink { sink, .. }, Some(egress)) => {
            sink.channel == place.channel
                && sink.egress == egress
                && sink.rung.as_ref().is_none_or(|rung| rung == place.rung)
        }
        (FaultKind::EngineKill(_) | FaultKind::EngineOverload, _) => true,
        (FaultKind::Filler { filler, .. }, None) => {
            let covers = channels().any(|own| own.filler.as_ref().is_some_and(|own| own.name == *filler));
            let is_dead = piece.source.is_none() && piece.saw != Saw::Nothing;
            covers && (is_dead || piece.source.as_ref() == Some(filler))
        }
        (FaultKind::Line { line, .. }, None) => match &piece.source {
            Some(source) => {
                let mut scenes = place.shows.iter().filter_map(|show| show.scene(source)).peekable();
                match scenes.peek() {
                    Some(_) => scenes.any(|scene| scene.boxes.iter().any(|part| part.camera == line.camera)),
                    None => line.camera == *source,
                }
            }
            None => piece.saw != Saw::Nothing && channels().any(|own| own.sources.contains(&line.camera)),
        },
        _ => false,
    };
    let is_felt = |fault: &Fault| {
        let felt_from = fault.at - place.tick.times(4);
        felt_from <= piece.from.max(from) && fault.ends().is_none_or(|end| from <= end + FELT_WITHIN)
    };
    let faults = place.faults.iter().enumerate().filter(|(_, fault)| can_be(&fault.what) && is_felt(fault));
    faults.max_by_key(|(_, fault)| fault.at).map(|(ix, _)| ix)
}
