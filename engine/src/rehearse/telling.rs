//! A rehearsal, put into words and figures.

use std::sync::{Arc, Mutex, PoisonError};

use media::Time;
use pipeline_dsl as dsl;
use pipeline_dsl::Switch;
use pipeline_dsl::rehearsal::{Fault, FaultKind, FaultScript, Order};

use crate::event::Event;
use crate::rehearse::Lived;
use crate::rehearse::gaps::{self, Place};
use crate::rehearse::life::Birth;
use crate::rehearse::options::RehearseOptions;
use crate::rehearse::recording::Held;
use crate::rehearse::report::{
    ActualSpan, CameraRun, CameraSpan, ChannelRun, CommandRun, Cost, CueRun, EngineRun, FaultRun, FileRun,
    Gap, IntentSpan, LineRun, LineSpan, MarkSpan, Rehearsal, Sender, SinkRun, SinkSpan, WayOut,
};
use crate::rehearse::runs::{Run, Runs};
use crate::rehearse::sinks::Kind;
use crate::rehearse::watch::{Marked, OnAirNow, Seen, is_simulated};
use crate::rehearse::world::World;
use crate::report::{LineState, Report};

/// What a file's own thread says: it reads ahead, so that it is never the same tick.
const OF_THREADS: [&str; 6] = ["line-ended", "line-error", "no-video", "no-audio", "picture", "decode-error"];

/// Takes in what an engine said that began like this.
pub(super) fn settle(world: &mut World, report: &Report, birth: Birth, events: &mut Vec<Event>) {
    let by_itself = |subject: &str| {
        world.shows.iter().any(|staged| {
            let lines = staged.whole.cameras.iter().flat_map(|camera| {
                let own = camera.lines.iter().filter(|line| !is_simulated(&line.input));
                own.map(|line| format!("{}/{}", camera.name, line.name))
            });
            let fillers = staged.whole.fillers.iter().map(|filler| filler.name.clone());
            lines.chain(fillers).any(|name| name == subject)
        })
    };
    let mut fresh = report.events.clone();
    for event in &mut fresh {
        event.t = event.t.max(birth.shown().as_secs_f64()) + birth.zero.as_secs_f64();
        if OF_THREADS.contains(&event.code.as_str()) && by_itself(&event.subject) {
            // It is told with what it led to.
            event.t = world.watch.ended(&event.subject, birth.at).unwrap_or(birth.at).as_secs_f64();
        }
    }
    fresh.sort_by(|a, b| {
        let key = |event: &Event| (event.subject.clone(), event.code.clone(), event.message.clone());
        a.t.total_cmp(&b.t).then_with(|| key(a).cmp(&key(b)))
    });
    events.extend(fresh);
}

/// Everything that is told of a rehearsal.
pub(super) fn tell(
    show: &dsl::Show,
    script: &FaultScript,
    options: &RehearseOptions,
    world: Arc<Mutex<World>>,
    lived: Lived,
    cost: Cost,
) -> Rehearsal {
    let Lived { engines, events, end } = lived;
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let tick = show.video.rate.tick_span();
    let shows = std::mem::take(&mut world.shows);
    let shows: Vec<&dsl::Show> = shows.iter().map(|staged| &staged.whole).collect();
    let (mut lines, mut cameras) = (Vec::new(), Vec::new());
    for watch in std::mem::take(&mut world.watch.cameras) {
        for line in watch.lines {
            let sender = if line.simulated { Sender::Simulated } else { Sender::Itself };
            let span = |Run { from, to, what: (state, suspect) }: Run<(LineState, Option<String>)>| {
                LineSpan { from: secs(from), to: secs(to), state, suspect }
            };
            let states = line.states.finish(end).into_iter().map(span).collect();
            lines.push(LineRun { camera: watch.name.clone(), line: line.name, sender, states });
        }
        let over = watch.over.finish(end).into_iter();
        let over = over.map(|run| CameraSpan { from: secs(run.from), to: secs(run.to), line: run.what });
        cameras.push(CameraRun { camera: watch.name, lines: over.collect() });
    }
    let mut gaps: Vec<Gap> = Vec::new();
    let mut channels = Vec::new();
    for (channel, watch) in show.channels.iter().zip(std::mem::take(&mut world.watch.channels)) {
        let rungs = rungs(&shows, &channel.name);
        let actual = watch.actual.finish(end);
        let over = actual.last().map_or(end, |run| run.to);
        for rung in &rungs {
            let rests = rests(&events, &engines, &format!("{}/{rung}", channel.name));
            let place = Place {
                shows: &shows,
                channel: &channel.name,
                rung,
                egress: None,
                faults: &script.faults,
                rests: &rests,
                tick,
            };
            let mut of_all = Vec::new();
            for seat in
                world.audiences.iter().filter(|seat| seat.channel == channel.name && seat.rung == *rung)
            {
                let own = gaps::within(&actual, seat.from, seat.until.unwrap_or(over));
                of_all.extend(gaps::of_rung(place, &own, &seat.missed(over)));
            }
            for sink in &world.sinks {
                let sink = sink.lock();
                if sink.channel == channel.name && sink.rung == *rung && sink.kind() == Kind::Server {
                    let place = Place { egress: Some(&sink.egress), ..place };
                    let until = sink.until.map_or(over, |until| until.min(over));
                    gaps.extend(gaps::of_server(place, &sink.audience.clone().missed(until), &of_all));
                }
            }
            gaps.extend(of_all);
        }
        let intent = watch.intent.finish(end).into_iter().map(|run| IntentSpan {
            from: secs(run.from),
            to: secs(run.to),
            source: run.what.source,
            filler: run.what.filler == Switch::On,
        });
        channels.push(ChannelRun {
            name: channel.name.clone(),
            rungs,
            intent: intent.collect(),
            actual: on_air_spans(actual),
            watermarks: mark_spans(watch.marks, end),
        });
    }
    gaps.sort_by(|a, b| {
        let key = |gap: &Gap| (gap.channel.clone(), gap.rung.clone(), gap.egress.clone(), gap.sense);
        a.from.total_cmp(&b.from).then_with(|| key(a).cmp(&key(b)))
    });
    let cue =
        |event: &Event| CueRun { t: event.t, channel: event.subject.clone(), what: event.message.clone() };
    let cues = events.iter().filter(|event| event.code == "cue" || event.code == "cue-refused").map(cue);
    Rehearsal {
        show: show.name.clone(),
        seed: options.seed,
        codecs: options.codecs,
        length_s: secs(end),
        cost,
        engines,
        faults: script.faults.iter().map(|fault| fault_run(fault, end)).collect(),
        commands: command_runs(script, &world),
        cues: cues.collect(),
        lines,
        cameras,
        channels,
        sinks: sink_runs(&shows, &world, end),
        gaps,
        events,
    }
}

/// When a rung rested, by what was told of it: no longer than its engine ran.
fn rests(events: &[Event], engines: &[EngineRun], rung: &str) -> Vec<(Time, Time)> {
    let mut rests: Vec<(Time, Time)> = Vec::new();
    let time = |secs: f64| Time::from_millis((secs * 1e3).round() as i64);
    for event in events.iter().filter(|event| event.subject == rung) {
        match event.code.as_str() {
            "rung-shed" => {
                let life = engines.iter().rfind(|run| run.from <= event.t);
                rests.push((time(event.t), life.map_or(Time::MAX, |run| time(run.to))));
            }
            "rung-back" => {
                if let Some((_, until)) = rests.last_mut() {
                    *until = time(event.t);
                }
            }
            _ => {}
        }
    }
    rests
}

fn secs(time: Time) -> f64 {
    time.as_secs_f64()
}

fn mark_spans(marks: Vec<(String, Runs<Marked>)>, end: Time) -> Vec<MarkSpan> {
    let spans = marks.into_iter().flat_map(|(name, runs)| {
        runs.finish(end).into_iter().map(move |run| MarkSpan {
            name: name.clone(),
            from: secs(run.from),
            to: secs(run.to),
            on: run.what.seen != Seen::Off,
            fading: run.what.seen == Seen::Fading,
            text: run.what.text,
            at: run.what.put.map(|put| put.to_string()),
        })
    });
    spans.collect()
}

/// Seen and heard alike is one span, whatever the reason for what is wrong.
fn on_air_spans(runs: Vec<Run<OnAirNow>>) -> Vec<ActualSpan> {
    let mut spans: Vec<ActualSpan> = Vec::new();
    for Run { from, to, what } in runs {
        let span = ActualSpan {
            from: secs(from),
            to: secs(to),
            kind: what.kind,
            source: what.source,
            line: what.line,
            reason: what.reason.to_owned(),
            picture: what.picture,
            sound: what.sound,
        };
        match spans.last_mut() {
            Some(last)
                if ActualSpan { from: last.from, to: last.to, ..span.clone() } == *last
                    && last.to >= span.from =>
            {
                last.to = span.to;
            }
            _ => spans.push(span),
        }
    }
    spans
}

fn fault_run(fault: &Fault, end: Time) -> FaultRun {
    let subject = match &fault.what {
        FaultKind::Line { line, .. } => line.to_string(),
        FaultKind::Filler { filler, .. } => format!("filler/{filler}"),
        FaultKind::Sink { sink, .. } => sink.to_string(),
        FaultKind::Disk { .. } => "disk".to_owned(),
        FaultKind::EngineKill(_) | FaultKind::EngineOverload => "engine".to_owned(),
    };
    let to = fault.ends().map(|to| secs(to.min(end.max(fault.at))));
    FaultRun { from: secs(fault.at), to, subject, words: fault.to_string() }
}

fn command_runs(script: &FaultScript, world: &World) -> Vec<CommandRun> {
    let orders = script.orders.iter().zip(&world.outcomes);
    let run = |(order, outcome): (&pipeline_dsl::rehearsal::TimedOrder, &super::CommandOutcome)| CommandRun {
        t: secs(order.at),
        channel: match &order.order {
            Order::Channel { channel, .. } => Some(channel.clone()),
            Order::Line { .. } | Order::Reload { .. } => None,
        },
        words: order.order.to_string(),
        outcome: outcome.clone(),
    };
    orders.map(run).collect()
}

/// The rungs that a channel has in any show, those of the first one first.
fn rungs(shows: &[&dsl::Show], channel: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let ladders = shows.iter().filter_map(|show| show.ladder(&show.channel(channel)?.ladder));
    for rung in ladders.flat_map(|ladder| &ladder.rungs) {
        if !names.contains(&rung.name) {
            names.push(rung.name.clone());
        }
    }
    names
}

/// One for each way out of each rung, also where it was there twice.
fn sink_runs(shows: &[&dsl::Show], world: &World, end: Time) -> Vec<SinkRun> {
    let mut all: Vec<SinkRun> = Vec::new();
    for shared in &world.sinks {
        let sink = shared.lock();
        let states = sink.states.clone().finish(end).into_iter();
        let states = states.map(|Run { from, to, what: (state, why) }| SinkSpan {
            from: secs(from),
            to: secs(to),
            state,
            why,
        });
        let run = SinkRun {
            channel: sink.channel.clone(),
            egress: sink.egress.clone(),
            rung: sink.rung.clone(),
            way: match sink.kind() {
                Kind::Server => WayOut::Push,
                Kind::Disk => WayOut::Record,
                Kind::Viewers => WayOut::Viewers,
            },
            target: sink.target.clone(),
            states: states.collect(),
            bytes: sink.bytes,
            dropped_frames: sink.dropped,
            reconnects: sink.reconnects,
            files: files(&sink.held, bitrate(shows, &sink.channel, &sink.rung)),
        };
        let same = |known: &&mut SinkRun| {
            (&known.channel, &known.egress, &known.rung, known.way)
                == (&run.channel, &run.egress, &run.rung, run.way)
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                known.target = run.target;
                known.states.extend(run.states);
                known.bytes += run.bytes;
                known.dropped_frames += run.dropped_frames;
                known.reconnects += run.reconnects;
                known.files.extend(run.files);
            }
            None => all.push(run),
        }
    }
    all
}

/// Bits a second of a rung with its sound.
fn bitrate(shows: &[&dsl::Show], channel: &str, rung: &str) -> u64 {
    let of = |ladder: &dsl::Ladder| {
        let rung = ladder.rungs.iter().find(|model| model.name == rung)?;
        Some(u64::from(rung.bitrate) + u64::from(ladder.audio_bitrate))
    };
    // As it was at last.
    let ladders = shows.iter().rev().filter_map(|show| show.ladder(&show.channel(channel)?.ladder));
    ladders.filter_map(of).next().unwrap_or(0)
}

fn files(held: &[Held], bitrate: u64) -> Vec<FileRun> {
    let file = |held: &Held| FileRun {
        name: held.name.clone(),
        from: secs(held.from),
        to: secs(held.to),
        length_s: held.length.as_secs_f64(),
        bytes: (held.length.as_secs_f64() * bitrate as f64 / 8.0) as u64,
    };
    held.iter().map(file).collect()
}
