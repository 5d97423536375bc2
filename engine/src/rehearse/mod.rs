//! A show rehearsed: the real engine on a virtual clock, with peers at its edges that can be made
//! to fail.
//!
//! Everything inside is what runs on the day: the tick, the scheduler, the lines with their intake,
//! stamps, buffers and decoding lanes, the channels, the ladder, encryption, the feeds and the
//! queues of their sinks. Replaced is what stands outside: whoever sends to a live line, the servers
//! that are pushed to, the disk, and the viewers, one of whom watches every rung and notes what is
//! missing. One seed decides all that is left to chance, so that the same show, script and seed give
//! the same [`Rehearsal`] (but for its cost).
//!
//! Each simulated sender has pictures of its own, also where two are lines of one camera: a failover
//! is never rehearsed as going over in step, which only lines that carry the same can.
//!
//! An engine that was killed is started again, and its show goes on from what was kept of it
//! ([`resume`](crate::resume)), as it does on the day; or begins anew, if the script says so.
//!
//! ```
//! use engine::rehearse::{self, RehearseOptions};
//! use media::{Span, Time};
//! use pipeline_dsl::rehearsal::{Fault, FaultKind, FaultScript, LineFault, LineName};
//!
//! let show = pipeline_dsl::parse_show(
//!     r#"show "tour" {
//!          video 1280x720 25fps
//!          camera main { line fiber push "rtmp:live/a"; line backpack pull "srt://10.0.0.7:9001" }
//!          filler standby { test "bars" }
//!          ladder one { rung 720p 1280x720 2500k }
//!          channel program {
//!            sources main; filler standby; ladder one
//!            egress web serve http-flv
//!          }
//!        }"#,
//! )
//! .map_err(|said| format!("{said:?}"))?;
//! let line = LineName { camera: "main".into(), line: "fiber".into() };
//! let what = FaultKind::Line { line, fault: LineFault::Lost };
//! let fault = Fault { at: Time::from_secs(3), lasts: Some(Span::from_secs(2)), what };
//! let script = FaultScript { faults: vec![fault], orders: vec![] };
//! let options = RehearseOptions { length: Some(Span::from_secs(8)), ..RehearseOptions::new() };
//!
//! let rehearsal = rehearse::run(&show, &script, &options, &mut |_| {})?;
//! let worst = rehearsal.longest_gap().ok_or("a failover is seen")?;
//! assert!(worst.length_s() < 0.7, "{worst:?}");
//! assert_eq!(worst.fault, Some(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audience;
mod chance;
pub(crate) mod clip;
mod disk;
mod gaps;
mod kills;
pub(crate) mod life;
mod model;
mod options;
mod orders;
mod recording;
mod report;
mod runs;
mod sender;
pub(crate) mod sinks;
mod standin;
mod telling;
pub(crate) mod veil;
mod watch;
mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use codecs::{CodecKit, Fake, Ffmpeg};
use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::{FaultScript, LineFault, LineName};
use scheduling::Backoff;

use crate::channel;
use crate::clock::VirtualClock;
use crate::engine::Engine;
use crate::event::Event;
use crate::ingest::again;
use crate::options::{Mode, RunOptions};
use crate::rehearse::clip::{Clip, uniform};
use crate::rehearse::kills::{Begin, Kills, Next, Wall};
use crate::rehearse::life::Life;
use crate::rehearse::model::Shrink;
use crate::rehearse::sender::{Clips, Sender as SimulatedSender, Setting, claimed_bitrate, sent_rate};
use crate::rehearse::standin::StandIns;
pub(crate) use crate::rehearse::watch::is_simulated;
use crate::rehearse::world::{Staged, World, line_troubles};
use crate::report::cpu_seconds;

pub use options::{RehearseError, RehearseOptions, ShowText};
pub use report::{
    ActualSpan, CameraRun, CameraSpan, ChannelRun, Codecs, CommandOutcome, CommandRun, Cost, CueRun,
    EngineBegins, EngineEnd, EngineRun, FaultRun, FileRun, Gap, IntentSpan, LineRun, LineSpan, MarkSpan,
    OnAirKind, PictureSeen, Progress, Rehearsal, Saw, Sender, Sense, SinkRun, SinkSpan, SoundHeard, WayOut,
};

/// Senders send already when the show begins, as encoders do that were checked in time: none begins
/// earlier, since nothing waits longer with us.
const SENT_BEFORE: Span = Span::from_secs(3);
/// An encoder that was cut off tries again after so long at the most: at first, and later on.
const PUSHED_AGAIN: (Span, Span) = (Span::from_millis(500), Span::from_secs(2));
/// How often progress is told.
const GLANCE: Duration = Duration::from_millis(50);

/// Rehearses a show under the faults of a script; `progress` hears now and then how far it is.
///
/// # Errors
/// The show would not start on the day either, it has no end, or a fault cannot be done to it.
pub fn run(
    show: &dsl::Show,
    script: &FaultScript,
    options: &RehearseOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rehearsal, RehearseError> {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let planned = options.length.map(|length| Time::ZERO + length).or_else(|| show.end());
    if planned.is_none() {
        return Err(RehearseError::Endless);
    }
    let later = model::later_shows(script, options)?;
    model::check(show, &later, script)?;
    let mut theatre = Theatre::build(show, &later, script, options)?;
    let mut told = |done: Time| {
        progress(Progress {
            done_s: done.as_secs_f64(),
            of_s: planned.map(Time::as_secs_f64),
            wall_s: begun.elapsed().as_secs_f64(),
        });
    };
    let lived = theatre.play(options, &mut told)?;
    let cost = Cost { wall_s: begun.elapsed().as_secs_f64(), cpu_s: cpu_seconds() - cpu };
    Ok(telling::tell(show, script, options, theatre.into_world(), lived, cost))
}

/// What a rehearsal is played with.
struct Theatre {
    kit: Arc<dyn CodecKit>,
    files: Arc<dyn CodecKit>,
    world: Arc<Mutex<World>>,
    kills: Kills,
    day: Option<dsl::TimeOfDay>,
    wall: Wall,
}

/// The lives of the engine, and what was said in them.
struct Lived {
    engines: Vec<EngineRun>,
    events: Vec<Event>,
    end: Time,
}

impl Theatre {
    fn build(
        show: &dsl::Show,
        later: &[dsl::Show],
        script: &FaultScript,
        options: &RehearseOptions,
    ) -> Result<Self, RehearseError> {
        let shrink = Shrink::new(show.video.size, options.codecs);
        let model = model::rehearsed(show, shrink, &options.inputs)?;
        let canvas = model.video.size;
        let (kit, files): (Arc<dyn CodecKit>, Arc<dyn CodecKit>) = match options.codecs {
            Codecs::Fake => (Arc::new(Fake::new()), Arc::new(StandIns::new(canvas)?)),
            Codecs::Pixels => (Arc::new(Ffmpeg::new()), Arc::new(Ffmpeg::new())),
        };
        let rate = sent_rate(model.video.rate);
        let sound = (model.audio.rate, model.audio.layout.channels());
        let clip =
            |own, size| Ok::<_, RehearseError>(Arc::new(Clip::make(kit.as_ref(), own, size, rate, sound)?));
        let mut senders: Vec<SimulatedSender> = Vec::new();
        // Who sends to a line that a later show has finds nobody until then.
        for camera in model.cameras.iter().chain(later.iter().flat_map(|show| &show.cameras)) {
            for line in camera.lines.iter().filter(|line| is_simulated(&line.input)) {
                let name = LineName { camera: camera.name.clone(), line: line.name.clone() };
                if senders.iter().any(|sender| sender.name == name) {
                    continue;
                }
                let troubles = line_troubles(script, &camera.name, &line.name);
                let own = senders.len() as u64;
                let mut clips = Clips { usual: clip(own, canvas)?, sized: Vec::new() };
                for trouble in &troubles {
                    if let LineFault::Resolution(size) = trouble.what {
                        clips.sized.push((size, clip(own, shrink.size(size))?));
                    }
                }
                let setting = Setting {
                    name,
                    troubles,
                    clips: Arc::new(clips),
                    rate,
                    hz: model.audio.rate,
                    bitrate: claimed_bitrate(show.video.size, camera.failover.suspect.min_bitrate),
                    patience: match line.input {
                        dsl::Input::Pull { .. } => Some(Span::from_duration(again::SILENCE)),
                        dsl::Input::Push { .. } => Some(rtmp::session::Timeouts::default().idle),
                        _ => None,
                    },
                    backoff: match line.input {
                        dsl::Input::Push { .. } => Backoff::new(PUSHED_AGAIN.0, PUSHED_AGAIN.1),
                        _ => Backoff::new(again::FIRST_WAIT, again::LONGEST_WAIT),
                    },
                    buffer: line.live.buffer,
                };
                senders.push(SimulatedSender::new(setting, options.seed));
            }
        }
        let staged = Staged { whole: show.clone(), small: model };
        let world = World::new(staged, script, options.shows.clone(), senders, options.seed);
        let day = model::day_time(show, options.starts);
        let (kills, wall) = (Kills::of(script), Wall::new(day));
        Ok(Self { kit, files, world: Arc::new(Mutex::new(world)), kills, day, wall })
    }

    /// Plays it from its beginning to its end.
    fn play(
        &mut self,
        options: &RehearseOptions,
        told: &mut dyn FnMut(Time),
    ) -> Result<Lived, RehearseError> {
        let total = options.length.map(|length| Time::ZERO + length);
        let mut lived = Lived { engines: Vec::new(), events: Vec::new(), end: Time::ZERO };
        let mut begin = Begin::anew(Time::ZERO);
        loop {
            let (began, zero) = (begin.birth.at, begin.birth.zero);
            let kill = self.kills.after(began);
            let kill = kill.filter(|kill| total.is_none_or(|total| kill.at < total));
            let until = [total, kill.map(|kill| kill.at)].into_iter().flatten().min();
            let reached = match until {
                Some(until) if until <= began => began,
                _ => self.live(&begin, until, options, &mut lived, told)?,
            };
            lived.end = reached;
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            let next = kill.filter(|kill| reached >= kill.at);
            let next = next.zip(world.show());
            let next = next.map(|(kill, show)| kill.next(&show.small, world.left(), zero, self.wall));
            // A show that has had its end is no longer killed.
            let next = next.filter(|next| !matches!(next, Next::Over(Some(end)) if *end <= reached));
            let end = if next.is_some() { EngineEnd::Killed } else { EngineEnd::Ended };
            if began < reached {
                let (from, to) = (began.as_secs_f64(), reached.as_secs_f64());
                let begins = begin.kept.as_ref().map_or(EngineBegins::Anew, |_| EngineBegins::GoesOn);
                lived.engines.push(EngineRun { from, to, begins, end });
            }
            for sink in &world.sinks {
                sink.lock().end(reached, end);
            }
            let Some(next) = next else {
                world.watch.gone(reached);
                return Ok(lived);
            };
            let (back, next) = match next {
                Next::Engine(begin) => (begin.birth.at, Some(begin)),
                Next::Over(end) => (end.or(total).unwrap_or(reached), None),
            };
            let is_told = |back: &Time| total.is_none_or(|total| *back < total);
            let next = next.filter(|begin| is_told(&begin.birth.at));
            let back = back.min(total.unwrap_or(back)).max(reached);
            world.down(reached, back);
            lived.end = back;
            let Some(next) = next else {
                world.watch.gone(back);
                return Ok(lived);
            };
            begin = next;
        }
    }

    /// One life of the engine, which begins like this. Gives how far it got.
    fn live(
        &self,
        begin: &Begin,
        until: Option<Time>,
        options: &RehearseOptions,
        lived: &mut Lived,
        told: &mut dyn FnMut(Time),
    ) -> Result<Time, RehearseError> {
        let birth = begin.birth;
        let model = self.world.lock().unwrap_or_else(PoisonError::into_inner).show().map(|s| s.small.clone());
        let Some(model) = model else { return Ok(birth.at) };
        let from = if birth.at == Time::ZERO { Time::ZERO - SENT_BEFORE } else { birth.shown() };
        let day = self.day.and_then(|day| model::later(day, birth.zero));
        let clock = Arc::new(VirtualClock::starting(from, day, self.wall.at(birth.zero)));
        let life = Arc::new(Life::new(
            birth,
            clock,
            options.codecs,
            Arc::clone(&self.files),
            uniform(model.video.size, 16)?,
            channel::lead(&model),
            Arc::clone(&self.world),
        ));
        let run = RunOptions {
            limit: until.map(|until| until - birth.at),
            goes_on: begin.kept.clone(),
            inputs: options.inputs.clone(),
            kit: Arc::clone(&self.kit),
            ..RunOptions::new(Mode::Offline)
        };
        let engine = Engine::rehearse(model, run, Arc::clone(&life))?;
        while !engine.is_over() {
            told(life.reached());
            std::thread::sleep(GLANCE);
        }
        let report = engine.wait();
        life.over();
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        telling::settle(&mut world, &report, birth, &mut lived.events);
        told(world.reached);
        Ok(world.reached.max(birth.at))
    }

    fn into_world(self) -> Arc<Mutex<World>> {
        self.world
    }
}
