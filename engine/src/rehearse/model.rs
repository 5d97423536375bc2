//! The show as it is rehearsed: the same in all but what costs time and decides nothing.

use std::path::Path;

use media::{Size, Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::{Fault, FaultKind, FaultScript, Order};
use pipeline_dsl::{TimeOfDay, When};

use crate::channel::compose::Composer;
use crate::rehearse::options::{RehearseError, RehearseOptions};
use crate::rehearse::report::Codecs;
use crate::rehearse::veil::Veil;
use crate::rehearse::watch::is_simulated;
use crate::start::StartError;

/// The width of the canvas where pictures cost nothing.
const WIDTH: u32 = 64;
const LEAST: u32 = 16;

/// How pictures are made smaller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shrink {
    canvas: Size,
    codecs: Codecs,
}

impl Shrink {
    pub(crate) fn new(canvas: Size, codecs: Codecs) -> Self {
        Self { canvas, codecs }
    }

    /// What a picture of this size is rehearsed as.
    pub(crate) fn size(self, size: Size) -> Size {
        let wide = self.canvas.width.max(1);
        if self.codecs == Codecs::Pixels || wide <= WIDTH {
            return size;
        }
        let side = |whole: u32| {
            let part = u64::from(whole) * u64::from(WIDTH) / u64::from(wide);
            (u32::try_from(part).unwrap_or(WIDTH) & !1).max(LEAST)
        };
        Size::new(side(size.width), side(size.height))
    }
}

/// The show to run. Watermarks are looked for, as they are on the day; they are led, and not drawn, where
/// pictures are small. Lines are not recorded as they come.
pub(crate) fn rehearsed(show: &dsl::Show, shrink: Shrink, inputs: &Path) -> Result<dsl::Show, StartError> {
    let mut model = show.clone();
    model.video.size = shrink.size(show.video.size);
    for rung in model.ladders.iter_mut().flat_map(|ladder| &mut ladder.rungs) {
        rung.size = shrink.size(rung.size);
    }
    if model.video.size != show.video.size {
        for channel in &model.channels {
            let fail = |message| StartError::Channel { channel: channel.name.clone(), message };
            Composer::new(show, channel, inputs).map_err(fail)?;
        }
    }
    if model.video.size != show.video.size {
        relative(&mut model, show.video.size);
    }
    for line in model.cameras.iter_mut().flat_map(|camera| &mut camera.lines) {
        line.record = None;
    }
    Ok(model)
}

/// Boxes stand at the same parts of a smaller canvas.
fn relative(model: &mut dsl::Show, canvas: Size) {
    let part = |length: &mut dsl::Length, whole: u32| {
        if let dsl::Length::Pixels(pixels) = *length {
            let part = u64::from(pixels) * 100_000 / u64::from(whole.max(1));
            *length = dsl::Length::Percent(u32::try_from(part).unwrap_or(100_000).min(100_000));
        }
    };
    let stand = |spot: &mut dsl::Spot| {
        for (across, down) in [&mut spot.at, &mut spot.size] {
            part(across, canvas.width);
            part(down, canvas.height);
        }
    };
    for each in model.scenes.iter_mut().flat_map(|scene| &mut scene.boxes) {
        each.border = 0;
        each.pin.iter_mut().for_each(stand);
        let dsl::Crop { left, top, right, bottom } = &mut each.crop;
        [left, right].into_iter().for_each(|length| part(length, canvas.width));
        [top, bottom].into_iter().for_each(|length| part(length, canvas.height));
    }
    for place in model.layouts.iter_mut().flat_map(|layout| &mut layout.places) {
        stand(&mut place.spot);
    }
}

/// The shows that the script's reloads go over to.
pub(crate) fn later_shows(
    script: &FaultScript,
    options: &RehearseOptions,
) -> Result<Vec<dsl::Show>, RehearseError> {
    let mut shows = Vec::new();
    for order in &script.orders {
        let Order::Reload { file } = &order.order else { continue };
        let wrong = |message: String| RehearseError::Reload { words: order.to_string(), message };
        let said = options.shows.iter().find(|show| show.file == *file);
        let said = said.ok_or_else(|| wrong("what this file says was not given".to_owned()))?;
        let show = dsl::parse_show(&said.text).map_err(|said| {
            let first = said.iter().find(|said| said.is_error());
            wrong(first.map_or_else(String::new, |said| format!("line {}: {}", said.span.line, said.message)))
        })?;
        shows.push(show);
    }
    Ok(shows)
}

/// Every fault finds what it is to befall in one of the shows, or the script is for another.
pub(crate) fn check(
    show: &dsl::Show,
    later: &[dsl::Show],
    script: &FaultScript,
) -> Result<(), RehearseError> {
    for fault in &script.faults {
        let first = check_one(show, fault);
        if first.is_err() && !later.iter().any(|show| check_one(show, fault).is_ok()) {
            return first;
        }
    }
    Ok(())
}

fn check_one(show: &dsl::Show, fault: &Fault) -> Result<(), RehearseError> {
    let wrong = |message: String| Err(RehearseError::Fault { words: fault.to_string(), message });
    match &fault.what {
        FaultKind::Line { line: name, fault: what } => {
            let cameras = show.cameras.iter().filter(|camera| camera.name == name.camera);
            let line = cameras.flat_map(|camera| &camera.lines).find(|line| line.name == name.line);
            let Some(line) = line else {
                return wrong(format!("there is no line {name}"));
            };
            if !is_simulated(&line.input) && !Veil::covers(*what) {
                return wrong(format!(
                    "{name} is no live line: what can befall it is lost, stall, freeze, black and silence"
                ));
            }
        }
        FaultKind::Filler { filler, fault: what } => {
            if show.filler(filler).is_none() {
                return wrong(format!("there is no filler {filler}"));
            }
            if !Veil::covers(*what) {
                return wrong(format!(
                    "nothing is sent over filler {filler}: what can befall it is lost, stall, freeze, black \
                     and silence"
                ));
            }
        }
        FaultKind::Sink { sink, .. } => {
            let channel = show.channels.iter().find(|channel| channel.name == sink.channel);
            let egress = channel.and_then(|channel| channel.egresses.iter().find(|e| e.name == sink.egress));
            let Some(egress) = egress else {
                return wrong(format!("there is no egress {}/{}", sink.channel, sink.egress));
            };
            if !matches!(egress.target, dsl::Target::Push { .. }) {
                return wrong(format!("{} pushes to no server that could fail", sink.egress));
            }
        }
        FaultKind::Disk { .. } | FaultKind::EngineKill(_) | FaultKind::EngineOverload => {}
    }
    Ok(())
}

/// The time of day at show time zero: as asked for, or ten seconds before the first cue by the clock.
pub(crate) fn day_time(show: &dsl::Show, asked: Option<TimeOfDay>) -> Option<TimeOfDay> {
    let clocks = show.rundowns.iter().flat_map(|rundown| {
        let zone = rundown.zone;
        rundown.cues.iter().filter_map(move |cue| match cue.when {
            When::Clock(at) => Some(at.since_midnight() - zone.offset()),
            When::At(_) | When::Next => None,
        })
    });
    let first = clocks.min()?;
    let before = Span::from_secs(10);
    let start = (first - before).flicks().rem_euclid(TimeOfDay::DAY.flicks());
    asked.or_else(|| TimeOfDay::new(Span::from_flicks(start)))
}

/// The same time of day, so much later.
pub(crate) fn later(day: TimeOfDay, by: Time) -> Option<TimeOfDay> {
    let at = (day.since_midnight() + (by - Time::ZERO)).flicks().rem_euclid(TimeOfDay::DAY.flicks());
    TimeOfDay::new(Span::from_flicks(at))
}
