//! The show's own thread: tick by tick, lines are taken from, commands and
//! rundown decided, and every channel gets its work.

pub(crate) mod cameras;
pub(crate) mod carry;
pub(crate) mod channels;
pub(crate) mod checks;
mod commands;
mod in_step;
mod keep;
pub(crate) mod marks;
pub(crate) mod overload;
mod plan;
pub(crate) mod reload;
mod sayings;
pub(crate) mod scenes;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use media::{FrameRate, Span, Tick, Time};
use scheduling::{Carrying, ChannelIx, Decision, FeedIx, Input, Output, SceneIx, Shedding, Switcher};
use tokio::sync::broadcast;

use crate::clock::{Clock, Stop};
use crate::command::{Asked, Memory};
use crate::event::{Event, EventLog, Level};
use crate::ingest::buffer::Waited;
use crate::options::Mode;
use crate::rehearse::life::Life;
use crate::report::{CameraReport, PartReport, Report, SceneReport, cpu_seconds};
use crate::reporter::Reporter;
use crate::resume::Keeper;
use crate::show::cameras::CameraRun;
use crate::show::channels::{Changed, ChannelRun, Given};
use crate::show::reload::{Arranged, Reloader};
use crate::show::sayings::{say_amiss, say_line};
use crate::show::scenes::SceneRun;
use crate::status::{Board, ChannelStatus, Parts};
use crate::thumb::{At, ThumbDesk};

/// How long files may take to their first picture before the show starts without them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the show begins, or goes on after its engine died.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begins {
    Anew,
    GoesOn,
}

/// Everything the show's thread owns.
pub(crate) struct ShowRun {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) rate: FrameRate,
    /// When the show ends whatever its rundowns say: exclusive.
    pub(crate) limit: Option<Time>,
    pub(crate) switcher: Switcher,
    pub(crate) carrying: Carrying,
    pub(crate) shedding: Shedding,
    /// How late this tick was begun.
    pub(crate) late: Span,
    pub(crate) overload_since: Option<Time>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) log: Arc<EventLog>,
    /// What is not in the status yet.
    pub(crate) events: broadcast::Receiver<Event>,
    pub(crate) reporter: Reporter,
    pub(crate) board: Arc<Board>,
    pub(crate) commands: Receiver<Asked>,
    /// What a changed show file asks for, opened and ready.
    pub(crate) reloads: Receiver<Box<Arranged>>,
    /// Who arranges the reloads of a rehearsal.
    pub(crate) rehearses: Option<Arc<Reloader>>,
    /// Cameras that were taken away, for the report.
    pub(crate) gone: Vec<CameraReport>,
    /// The same of scenes.
    pub(crate) gone_scenes: Vec<SceneReport>,
    pub(crate) cameras: Vec<CameraRun>,
    pub(crate) fillers: Vec<CameraRun>,
    pub(crate) scenes: Vec<SceneRun>,
    pub(crate) channels: Vec<ChannelRun>,
    pub(crate) thumbs: ThumbDesk,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) memory: Memory,
    pub(crate) begins: Begins,
    /// The first tick of this engine; until there was one, when it was started.
    pub(crate) from: Time,
    /// When engines ran before.
    pub(crate) before: Vec<PartReport>,
    /// Keeps the show, if it is to be kept.
    pub(crate) keeper: Option<Keeper>,
    /// There in a rehearsal only.
    pub(crate) life: Option<Arc<Life>>,
}

/// Whatever way the show ended: no more changes come.
impl Drop for ShowRun {
    fn drop(&mut self) {
        self.board.close();
        // All of them before one is waited for: some carry what another one encodes.
        for channel in &mut self.channels {
            channel.stage.finish();
        }
    }
}

impl ShowRun {
    /// Runs the show to its end; files are closed when this returns.
    pub(crate) fn run(mut self) -> Report {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        if self.mode == Mode::RealTime {
            let deadline = Instant::now() + PATIENCE;
            for line in self.cameras.iter().chain(&self.fillers).flat_map(|camera| &camera.lines) {
                line.wait_for_first(deadline.saturating_duration_since(Instant::now()));
            }
        }
        self.clock.begin();
        if let Some(zero) = self.clock.day_time_at_zero() {
            // The time of day is always taken in.
            let _ = self.switcher.handle(Input::Clock(zero), Time::ZERO);
            for channel in &mut self.channels {
                channel.marks.begin(Some(zero));
            }
        }
        let mut tick = self.first_tick();
        let at_the_end = loop {
            let from = self.rate.time_of(tick);
            // The director may hold a rundown, and skip its end or put it off.
            let ends = [self.limit, self.switcher.end()];
            let over = ends.into_iter().flatten().any(|end| from >= end)
                || self.channels.iter().all(ChannelRun::is_over);
            if over || self.stop.is_asked() {
                break from;
            }
            self.tick(tick, from, self.rate.time_of(tick.next()));
            self.tell(tick, from);
            self.keep(from);
            tick = tick.next();
        };
        self.keep_no_more(at_the_end);
        self.finish(at_the_end);
        let show_s = (at_the_end - self.from).as_secs_f64();
        let wall_s = wall.elapsed().as_secs_f64();
        Report {
            show: self.name.clone(),
            wall_s,
            cpu_s: cpu_seconds() - cpu,
            realtime_factor: if wall_s > 0.0 { show_s / wall_s } else { 0.0 },
            cameras: self
                .cameras
                .iter()
                .map(CameraRun::report)
                .chain(std::mem::take(&mut self.gone))
                .collect(),
            fillers: self.fillers.iter().map(CameraRun::report).collect(),
            scenes: self
                .scenes
                .iter()
                .filter_map(|scene| scene.report(&self.switcher))
                .chain(std::mem::take(&mut self.gone_scenes))
                .collect(),
            channels: self.channels.iter().map(ChannelRun::report).collect(),
            parts: match self.before.is_empty() {
                true => Vec::new(),
                false => self.parts(at_the_end),
            },
            events: self.log.all(at_the_end),
        }
    }

    fn tick(&mut self, tick: Tick, from: Time, to: Time) {
        if let Some(life) = &self.life {
            life.advance(from);
        }
        self.clock.wait_until(from, &self.stop);
        self.thumbs.listen(from);
        self.weigh(from);
        let reloaded = self.take_reload(tick, from);
        if self.mode == Mode::Offline {
            for camera in self.cameras.iter().chain(&self.fillers) {
                for line in &camera.lines {
                    if let Waited::InVain(lacking) = line.wait_for(to, &self.stop) {
                        let reporter = self.reporter.of(format!("{}/{}", camera.name, line.name));
                        reporter.event(Level::Alarm, "line-stalled", lacking.told());
                    }
                }
            }
        }
        let taken = self.take_commands(tick, from);
        for camera in self.cameras.iter_mut().chain(&mut self.fillers) {
            let mut changed = Vec::new();
            camera.take_lines(tick, from, to, &mut self.switcher, &mut changed);
            for change in &changed {
                say_line(&self.reporter, &camera.name, change);
            }
            for (line, amiss, word) in camera.found() {
                say_amiss(&self.reporter, &format!("{}/{line}", camera.name), amiss, word);
            }
        }
        let mut decisions = self.decide(from);
        for scene in &mut self.scenes {
            scene.settle(&self.switcher, &self.cameras, &self.fillers, (from, to));
        }
        for (ix, decision) in &mut decisions {
            if let Some(channel) = self.channels.get_mut(ix.0) {
                channel.copy(decision, &self.cameras, &self.switcher, from);
            }
        }
        let steps = self.settle_encoding(&decisions, from);
        self.settle_rests(&steps, from);
        let mut glances = self.glances(&steps, from);
        let given = Given { cameras: &self.cameras, fillers: &self.fillers, scenes: &self.scenes };
        let mut causes = Vec::new();
        for ((ix, channel), step) in self.channels.iter_mut().enumerate().zip(steps) {
            let scheduler = self.switcher.channel(ChannelIx(ix));
            causes.push(match (carry::of(&decisions, ix), scheduler) {
                (Some(decision), Some(scheduler)) => {
                    let glances = glances.extract_if(.., |(by, _)| *by == ChannelIx(ix));
                    let glances = glances.map(|(_, glance)| glance).collect();
                    channel.tick(decision, step, scheduler, (from, to), &given, glances)
                }
                _ => Changed::Nothing,
            });
        }
        self.thumbs.tick(from, |at| match at {
            At::Camera(ix) => self.cameras.get(ix)?.seen(),
            At::Filler(ix) => self.fillers.get(ix)?.seen(),
            At::Scene(SceneIx(ix)) => self.scenes.get(ix)?.seen(),
        });
        if !taken.is_empty() || causes.iter().any(|cause| *cause != Changed::Nothing) {
            self.touch();
        }
        self.answer(from, taken, &causes);
        if let Some(reloaded) = reloaded {
            reloaded.answer();
        }
        if let Some(life) = &self.life {
            let feeds = (&self.cameras[..], &self.fillers[..]);
            life.ticked((from, to), feeds, &self.channels, &decisions, &self.switcher);
        }
    }

    /// Has the tick decided: lines are chosen, events told, and what each channel does is given back.
    fn decide(&mut self, from: Time) -> Vec<(ChannelIx, Decision)> {
        // A tick is always taken in.
        let _ = self.switcher.handle(Input::Tick, from);
        let mut decisions = Vec::with_capacity(self.channels.len());
        while let Some(output) = self.switcher.poll() {
            match output {
                Output::Line { feed, change } => {
                    let camera = match feed {
                        FeedIx::Camera(ix) => self.cameras.get_mut(ix),
                        FeedIx::Filler(ix) => self.fillers.get_mut(ix),
                    };
                    if let Some(camera) = camera {
                        camera.go_over(change);
                    }
                }
                Output::Program { channel, decision } => decisions.push((channel, decision)),
                Output::Watermark { channel: ChannelIx(ix), order } => {
                    if let Some(channel) = self.channels.get_mut(ix) {
                        channel.marks.take(order);
                    }
                }
                Output::Event(event) => {
                    let level = match event.level() {
                        scheduling::Level::Info => Level::Info,
                        scheduling::Level::Warn => Level::Warn,
                        scheduling::Level::Alarm => Level::Alarm,
                    };
                    let t = self.rate.time_of(event.tick);
                    self.log.push(t, level, event.code.as_str(), &event.subject, event.message);
                    // Cues tell what they do.
                    self.touch();
                }
                Output::Duty { feed: FeedIx::Camera(ix), line, duty } => {
                    if let Some(camera) = self.cameras.get(ix) {
                        camera.order(line, duty);
                    }
                }
                // A filler has one line, which is always needed.
                Output::Duty { .. } => {}
            }
        }
        for camera in self.cameras.iter_mut().chain(&mut self.fillers) {
            camera.settle(&self.switcher);
        }
        decisions
    }

    /// Figures once a second, events as they come, each with all there is: what an event tells of is
    /// then in the status as well, the overload and the rungs that rest because of it together.
    fn tell(&mut self, tick: Tick, from: Time) {
        let fresh: Vec<Event> = std::iter::from_fn(|| self.events.try_recv().ok()).collect();
        let second = self.rate.tick_from(Time::from_secs(1)).0.max(1);
        if tick.0 % second == second - 1 {
            self.log.catch_up(from);
            for camera in &mut self.cameras {
                camera.measure(1.0, self.mode);
            }
            for channel in &mut self.channels {
                channel.measure(1.0);
            }
            self.thumbs.measure(1.0);
            self.board.change(from, "figures", self.parts_with(fresh));
        } else if !fresh.is_empty() {
            self.board.change(from, "event", self.parts_with(fresh));
        }
    }

    fn parts_with(&self, events: Vec<Event>) -> Parts {
        Parts {
            channels: self.channel_statuses(),
            cameras: self.camera_statuses(),
            scenes: self.scene_statuses(),
            load: Some(self.load_status()),
            events,
        }
    }

    fn channel_statuses(&self) -> Vec<ChannelStatus> {
        self.channels.iter().map(|channel| channel.status(&self.switcher)).collect()
    }

    fn camera_statuses(&self) -> Vec<crate::status::CameraStatus> {
        self.cameras.iter().map(|camera| camera.status(&self.switcher)).collect()
    }

    fn scene_statuses(&self) -> Vec<crate::status::SceneStatus> {
        self.scenes.iter().filter_map(|scene| scene.status(&self.switcher)).collect()
    }

    /// Lines that do not end are left behind: the report must not wait for them.
    fn join_lines(&mut self) {
        let begun = std::time::Instant::now();
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && begun.elapsed() < LAST_CALL {
                std::thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // One that panicked has said so.
                let _ = thread.join();
            } else {
                let name = thread.thread().name().unwrap_or_default();
                let message = format!("{name} does not end: it is left behind");
                self.reporter.event(Level::Alarm, "line-stuck", message);
            }
        }
    }

    /// Channels first: what is on its way must reach the files.
    fn finish(&mut self, at: Time) {
        for channel in &mut self.channels {
            channel.end(at);
            channel.rests.end(at);
        }
        self.stop.ask();
        self.thumbs.close();
        for line in self.cameras.iter().chain(&self.fillers).flat_map(|camera| &camera.lines) {
            line.close();
        }
        for channel in &mut self.channels {
            channel.stage.join();
        }
        self.join_lines();
        self.log.sum_up(at);
        let fresh: Vec<Event> = std::iter::from_fn(|| self.events.try_recv().ok()).collect();
        self.board.change(at, "end", self.parts_with(fresh));
    }
}

/// How long lines may take to end: some wait in libraries that are not ours.
const LAST_CALL: Duration = Duration::from_secs(4);
