//! One life of the engine in a rehearsal: from its start to its end, or until it is killed.
//!
//! The show's own thread drives it, so that everything happens in one order: before each tick, all
//! that arrives up to it arrives, one packet after the other, each at its own time by the engine's
//! clock; after it, what was decided is noted.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codecs::{CodecKit, Picture};
use crossbeam_channel::{Receiver, Sender as Desk, bounded};
use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::LineName;
use scheduling::{ChannelIx, Decision, Switcher};

use crate::clock::{Clock, Stop, VirtualClock};
use crate::command::{Asked, Command, Outcome, Verb};
use crate::egress::EgressMeter;
use crate::egress::feed::{Feed, Tapped};
use crate::ingest::contribution::Contribution;
use crate::ingest::intake::Intake;
use crate::ingest::live::LiveLine;
use crate::rehearse::model::{self, Shrink};
use crate::rehearse::report::{Codecs, CommandOutcome};
use crate::rehearse::sender::LineTrouble;
use crate::rehearse::sinks::{Kind, Named};
use crate::rehearse::veil::Veil;
use crate::rehearse::watch::{self, Ticked};
use crate::rehearse::world::{Staged, World};
use crate::reporter::Reporter;
use crate::resume::KeptShow;
use crate::show::cameras::CameraRun;
use crate::show::channels::ChannelRun;
use crate::start::StartError;

/// A live line whose sender is simulated; it has no thread.
struct SimulatedLine {
    name: LineName,
    intake: Arc<Intake>,
    line: LiveLine,
    contribution: Contribution,
}

/// What only the show's thread uses, once it runs.
#[derive(Default)]
struct Stage {
    lines: Vec<SimulatedLine>,
    desk: Option<Desk<Asked>>,
    /// Commands that were handed in with this tick, by their place in the script.
    asked: Vec<(usize, Receiver<Outcome>)>,
    /// Reloads whose time has come, in the same way: one a tick.
    reloads: VecDeque<(usize, Command)>,
    /// There while a reload is arranged.
    coming: Option<Coming>,
}

/// When an engine begins, in rehearsal time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Birth {
    /// Its first moment,
    pub(crate) at: Time,
    /// and show time zero, which is earlier where its show goes on.
    pub(crate) zero: Time,
}

impl Birth {
    /// The show time it begins with.
    pub(crate) fn shown(self) -> Time {
        Time::ZERO + (self.at - self.zero)
    }
}

/// The engine's side of a rehearsal.
pub(crate) struct Life {
    birth: Birth,
    pub(crate) clock: Arc<VirtualClock>,
    /// With what pictures are made.
    pub(crate) codecs: Codecs,
    /// Decodes what is not simulated.
    pub(crate) files: Arc<dyn CodecKit>,
    /// What is black on the canvas.
    black: Picture,
    /// What tags' time stamps are ahead of show time.
    lead: Span,
    world: Arc<Mutex<World>>,
    stage: Mutex<Stage>,
}

/// What a reload opens, until it is known whether the show goes over to it.
#[derive(Default)]
struct Coming {
    whole: Option<dsl::Show>,
    lines: Vec<SimulatedLine>,
    rungs: Vec<(String, String, Arc<Feed>)>,
    ways: Vec<WayOut>,
}

/// A way out, its feed, and how it tells of itself.
struct WayOut {
    named: Named,
    feed: Arc<Feed>,
    meter: Arc<EgressMeter>,
    reporter: Reporter,
}

impl Life {
    pub(crate) fn new(
        birth: Birth,
        clock: Arc<VirtualClock>,
        codecs: Codecs,
        files: Arc<dyn CodecKit>,
        black: Picture,
        lead: Span,
        world: Arc<Mutex<World>>,
    ) -> Self {
        Self { birth, clock, codecs, files, black, lead, world, stage: Mutex::default() }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Show time, as rehearsal time.
    fn rehearsed(&self, at: Time) -> Time {
        self.birth.zero + (at - Time::ZERO)
    }

    /// A live line: whoever sends to it is simulated.
    pub(crate) fn add_line(&self, name: LineName, intake: Arc<Intake>, line: LiveLine) {
        let contribution = line.contribution();
        let line = SimulatedLine { name, intake, line, contribution };
        let Stage { lines, coming, .. } = &mut *self.stage();
        coming.as_mut().map_or(lines, |coming| &mut coming.lines).push(line);
    }

    /// What lies over a line that is there itself, if anything ever does.
    pub(crate) fn veil(&self, camera: &str, line: &str) -> Option<Veil> {
        self.veil_of(self.world().troubles_of(camera, line))
    }

    /// As over a line, over a filler.
    pub(crate) fn veil_over_filler(&self, name: &str) -> Option<Veil> {
        self.veil_of(self.world().troubles_of_filler(name))
    }

    fn veil_of(&self, troubles: Vec<LineTrouble>) -> Option<Veil> {
        (!troubles.is_empty()).then(|| Veil::new(troubles, self.birth.zero, self.black.clone()))
    }

    /// Where commands are handed in.
    pub(crate) fn speaks_at(&self, desk: Desk<Asked>) {
        self.stage().desk = Some(desk);
    }

    /// Puts somebody in front of a rung who watches all of it.
    pub(crate) fn watch_rung(&self, channel: &str, rung: &str, feed: &Arc<Feed>) {
        if let Some(coming) = &mut self.stage().coming {
            coming.rungs.push((channel.to_owned(), rung.to_owned(), Arc::clone(feed)));
            return;
        }
        self.sit_down(&mut self.world(), (channel, rung), feed, self.birth.at);
    }

    fn sit_down(&self, world: &mut World, (channel, rung): (&str, &str), feed: &Feed, from: Time) {
        let audience = world.audience(channel, rung, from);
        let (zero, lead) = (self.birth.zero, self.lead);
        feed.tap(Box::new(move |tapped| {
            if let Tapped::Tag(item) = tapped
                && let Some(track) = item.role.track()
            {
                let at = zero + (stamp(item, lead) - Time::ZERO);
                audience.lock().unwrap_or_else(PoisonError::into_inner).came(track, at);
            }
        }));
    }

    /// Puts a simulated end on a way out.
    pub(crate) fn lead_out(
        &self,
        named: Named,
        feed: &Arc<Feed>,
        meter: &Arc<EgressMeter>,
        reporter: &Reporter,
    ) {
        let (feed, meter, reporter) = (Arc::clone(feed), Arc::clone(meter), reporter.clone());
        let way = WayOut { named, feed, meter, reporter };
        if let Some(coming) = &mut self.stage().coming {
            coming.ways.push(way);
            return;
        }
        self.connect(&mut self.world(), way, self.birth.at);
    }

    fn connect(&self, world: &mut World, way: WayOut, at: Time) {
        let WayOut { named, feed, meter, reporter } = way;
        let (sink, n) = world.sink(&named, at);
        let (birth, lead) = (Birth { at, ..self.birth }, self.lead);
        if named.kind == Kind::Viewers {
            sink.lock().attach(birth, (Feed::default(), n), meter, reporter);
            return;
        }
        feed.tap_late(move |so_far| {
            sink.lock().attach(birth, (so_far, n), meter, reporter);
            Box::new(move |tapped| match tapped {
                Tapped::Header(header, item) => sink.lock().header(*header, item),
                Tapped::Tag(item) => sink.lock().tag(stamp(item, lead), item),
            })
        });
    }

    /// Everything happens that happens before this tick.
    pub(crate) fn advance(&self, to: Time) {
        let mut world = self.world();
        let mut stage = self.stage();
        let stop = Stop::default();
        let until = self.rehearsed(to);
        while let Some(sender) = world.next_sender(until) {
            self.clock.wait_until(Time::ZERO + (sender.next() - self.birth.zero), &stop);
            let line = stage.lines.iter_mut().find(|line| line.name == sender.name);
            sender.step(line.as_ref().map(|line| &line.intake));
            if let Some(SimulatedLine { line, contribution, .. }) = line {
                line.take_all(contribution);
            }
        }
        self.clock.wait_until(to, &stop);
        self.hand_in(&mut world, &mut stage, until);
    }

    /// How late the tick at `at` is begun on the machine that is rehearsed with.
    pub(crate) fn lateness(&self, at: Time) -> Span {
        self.world().lateness(self.rehearsed(at))
    }

    /// A reload whose time has come, and its place in the script; what is opened from here on is
    /// part of the show when that has [become](Self::rearranged) another.
    pub(crate) fn due_reload(&self) -> Option<(usize, Command)> {
        let mut stage = self.stage();
        let due = stage.reloads.pop_front()?;
        stage.coming = Some(Coming::default());
        Some(due)
    }

    /// The show in force, as its file has it.
    pub(crate) fn whole(&self) -> Option<dsl::Show> {
        self.world().show().map(|staged| staged.whole.clone())
    }

    /// A changed show as it is rehearsed.
    ///
    /// # Errors
    /// It would not start on the day either.
    pub(crate) fn small(&self, whole: &dsl::Show, inputs: &Path) -> Result<dsl::Show, StartError> {
        let canvas = self.whole().map_or(whole.video.size, |show| show.video.size);
        let small = model::rehearsed(whole, Shrink::new(canvas, self.codecs), inputs)?;
        if let Some(coming) = &mut self.stage().coming {
            coming.whole = Some(whole.clone());
        }
        Ok(small)
    }

    /// At this tick the show has become another.
    pub(crate) fn rearranged(&self, at: Time, small: &dsl::Show) {
        let now = self.rehearsed(at);
        let (mut world, mut stage) = (self.world(), self.stage());
        let Some(Coming { whole, lines, rungs, ways }) = stage.coming.take() else { return };
        let whole = whole.unwrap_or_else(|| small.clone());
        let named: Vec<Named> = ways.iter().map(|way| way.named.clone()).collect();
        world.rearranged(Staged { whole, small: small.clone() }, &named, now);
        for (channel, rung, feed) in rungs {
            self.sit_down(&mut world, (&channel, &rung), &feed, now);
        }
        for way in ways {
            self.connect(&mut world, way, now);
        }
        let is_simulated = |name: &LineName| {
            let lines = small.camera(&name.camera).map_or(&[][..], |camera| &camera.lines);
            lines.iter().any(|line| line.name == name.line && watch::is_simulated(&line.input))
        };
        let goes =
            |line: &SimulatedLine| !is_simulated(&line.name) || lines.iter().any(|new| new.name == line.name);
        for gone in stage.lines.extract_if(.., |line| goes(line)) {
            world.cut_off(&gone.name, now);
        }
        stage.lines.extend(lines);
    }

    /// What came of a reload.
    pub(crate) fn reloaded(&self, place: usize, outcome: Outcome) {
        self.stage().coming = None;
        let outcome = match outcome {
            Ok(ack) => CommandOutcome::Reloaded {
                revision: ack.show_revision.unwrap_or_default(),
                steps: ack.steps.unwrap_or_default(),
            },
            Err(refused) => {
                let first = refused.problems.first();
                let first = first.map_or_else(String::new, |problem| {
                    format!(": line {}: {}", problem.line, problem.message)
                });
                CommandOutcome::Refused { message: format!("{}{first}", refused.message) }
            }
        };
        self.world().answered(place, outcome);
    }

    /// Commands whose time has come go to where all commands go.
    fn hand_in(&self, world: &mut World, stage: &mut Stage, now: Time) {
        while let Some((place, command)) = world.next_command(now) {
            if let Some(reload) = command.clone().filter(|command| command.verb == Verb::Reload) {
                stage.reloads.push_back((place, reload));
                continue;
            }
            let (answer, answered) = bounded(1);
            let handed = match (&stage.desk, command) {
                (Some(desk), Some(command)) => desk.try_send(Asked { command, answer }).is_ok(),
                _ => false,
            };
            if handed {
                stage.asked.push((place, answered));
            } else {
                let message = "too many commands at once, or none that a desk can give".to_owned();
                world.answered(place, CommandOutcome::Refused { message });
            }
        }
    }

    /// The tick `[from, to)` was decided like this.
    pub(crate) fn ticked(
        &self,
        (from, to): (Time, Time),
        (cameras, fillers): (&[CameraRun], &[CameraRun]),
        channels: &[ChannelRun],
        decisions: &[(ChannelIx, Decision)],
        switcher: &Switcher,
    ) {
        let mut world = self.world();
        for (place, answered) in self.stage().asked.drain(..) {
            world.answered(
                place,
                match answered.try_recv() {
                    Ok(Ok(ack)) => CommandOutcome::Done { on_air: ack.on_air },
                    Ok(Err(refused)) => CommandOutcome::Refused { message: refused.message },
                    Err(_) => CommandOutcome::Unheard,
                },
            );
        }
        let (shown, from, to) = (from, self.rehearsed(from), self.rehearsed(to));
        world.watch.tick(&Ticked { from, to, shown, cameras, fillers, channels, decisions, switcher });
        world.reached(to);
    }

    /// Whether what is kept of the show is ever gone on from.
    pub(crate) fn is_ever_killed(&self) -> bool {
        self.world().is_ever_killed()
    }

    /// Keeps the show.
    ///
    /// # Errors
    /// The disk takes nothing.
    pub(crate) fn keep(&self, kept: KeptShow) -> io::Result<()> {
        let (now, alive) = (self.rehearsed(self.clock.now()), self.clock.wall());
        self.world().keep(now, kept, alive)
    }

    /// The engine gives a sign of life.
    pub(crate) fn beat(&self) {
        let alive = self.clock.wall();
        self.world().beat(alive);
    }

    /// How far the rehearsal is.
    pub(crate) fn reached(&self) -> Time {
        self.world().reached
    }

    /// Nobody receives any more.
    pub(crate) fn over(&self) {
        self.stage().lines.clear();
    }
}

/// The show time of a tag.
fn stamp(item: &crate::egress::queue::Item, lead: Span) -> Time {
    Time::from_millis(i64::from(item.tag.timestamp.0)) - lead
}
