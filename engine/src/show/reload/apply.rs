//! At the tick: the show's parts stand as the changed show has them.

use std::sync::Arc;

use crossbeam_channel::Sender;
use media::{Tick, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::{Change, Step};
use scheduling::{ChannelIx, Duty, FeedIx, LineIx, LineSelector, ReloadError, SceneIx};

use super::{Applied, Arranged, OpenedChannel, Purpose, Reloader, Rest, Verdict};
use crate::command::{Command, Refused};
use crate::event::Level;
use crate::ingest::Line;
use crate::rehearse::life::Life;
use crate::rig::FILLER_LINE;
use crate::show::cameras::CameraRun;
use crate::show::sayings::say_gone;
use crate::show::scenes::SceneRun;
use crate::show::{ShowRun, carry};
use crate::status::Parts;

/// Cameras and lines that were taken away and that a report keeps; of scenes as many.
const MOST_GONE: usize = 1_000;
/// Steps that are told one by one.
const TOLD: usize = 64;

/// What came of a reload, told when its tick is decided: what is new can be cut to then.
pub(in crate::show) enum Reloaded {
    /// To whoever asked for it.
    Asked { answer: Sender<Verdict>, verdict: Verdict },
    /// To the script of a rehearsal, where it stands at this place.
    Rehearsed(Box<Rehearsed>),
}

/// A rehearsed reload.
pub(in crate::show) struct Rehearsed {
    life: Arc<Life>,
    reloader: Arc<Reloader>,
    place: usize,
    command: Command,
    came: Result<(Rest, Verdict), Refused>,
}

impl Reloaded {
    pub(in crate::show) fn answer(self) {
        match self {
            Self::Asked { answer, verdict } => {
                // Who does not wait any more needs no answer.
                let _ = answer.send(verdict);
            }
            Self::Rehearsed(rehearsed) => {
                let Rehearsed { life, reloader, place, command, came } = *rehearsed;
                life.reloaded(place, reloader.conclude(&command, came));
            }
        }
    }
}

impl From<ReloadError> for Refused {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::OnAir(refusal) => refusal.into(),
            ReloadError::Plan(error) => Self::new("bad-show", error.to_string(), &[]),
        }
    }
}

impl ShowRun {
    /// Goes over to a changed show with this tick, if one waits and nothing is against it.
    pub(in crate::show) fn take_reload(&mut self, tick: Tick, from: Time) -> Option<Reloaded> {
        if let (Some(life), Some(reloader)) = (self.life.clone(), self.rehearses.clone()) {
            let (place, command) = life.due_reload()?;
            let came = reloader.arrange(&command);
            let came = came.map(|(arranged, rest)| (rest, self.go_over(arranged, tick, from)));
            return Some(Reloaded::Rehearsed(Box::new(Rehearsed { life, reloader, place, command, came })));
        }
        let arranged = self.reloads.try_recv().ok()?;
        let answer = arranged.answer.clone();
        Some(Reloaded::Asked { answer, verdict: self.go_over(arranged, tick, from) })
    }

    fn go_over(&mut self, arranged: Box<Arranged>, tick: Tick, from: Time) -> Verdict {
        match self.switcher.reload(&arranged.show) {
            Err(error) => Verdict::Refused(error.into(), arranged),
            Ok(_) if arranged.purpose == Purpose::Look => {
                let status = self.board.status();
                let (revision, show_revision) = (status.revision, status.show_revision);
                let applied = Applied { revision, show_revision, frame: tick.0, at: from };
                Verdict::Done { applied, gone: Vec::new() }
            }
            Ok(switcher) => {
                self.rearrange_scenes(&arranged);
                self.switcher = switcher;
                let gone = self.rearrange(arranged, from);
                let (revision, show_revision) = self.board.reload(
                    from,
                    &self.name,
                    Parts {
                        channels: self.channel_statuses(),
                        cameras: self.camera_statuses(),
                        scenes: self.scene_statuses(),
                        ..Parts::default()
                    },
                );
                let applied = Applied { revision, show_revision, frame: tick.0, at: from };
                Verdict::Done { applied, gone }
            }
        }
    }

    /// Every part to its new place; what went.
    fn rearrange(&mut self, mut arranged: Box<Arranged>, now: Time) -> Vec<CameraRun> {
        let mut gone = Vec::new();
        let mut old = std::mem::take(&mut self.cameras);
        for (ix, model) in arranged.show.cameras.iter().enumerate() {
            let feed = FeedIx::Camera(ix);
            let mut run = take_or_new(&mut old, &model.name, feed, &arranged.show);
            let names: Vec<&str> = model.lines.iter().map(|line| line.name.as_str()).collect();
            let opened = drain(&mut arranged.lines, &model.name);
            gone.extend(run.rearrange(feed, &names, opened, now));
            self.lead(&mut run, feed, arranged.old.camera(&model.name), model);
            self.cameras.push(run);
        }
        gone.extend(old);
        self.gone.extend(gone.iter().map(CameraRun::report));
        self.gone.drain(..self.gone.len().saturating_sub(MOST_GONE));
        let mut old = std::mem::take(&mut self.fillers);
        for (ix, model) in arranged.show.fillers.iter().enumerate() {
            let mut run = take_or_new(&mut old, &model.name, FeedIx::Filler(ix), &arranged.show);
            let opened = drain(&mut arranged.fillers, &model.name);
            gone.extend(run.rearrange(FeedIx::Filler(ix), &[FILLER_LINE], opened, now));
            self.fillers.push(run);
        }
        gone.extend(old);
        say_gone(&self.reporter, &mut gone);
        let mut old = std::mem::take(&mut self.channels);
        for (ix, model) in arranged.show.channels.iter().enumerate() {
            let place = old.iter().position(|run| run.stage.name == model.name);
            // The switcher would have refused it.
            let Some(place) = place else { continue };
            let mut run = old.remove(place);
            let opened = arranged.channels.iter().position(|opened| opened.name == model.name);
            let opened = opened.map_or_else(OpenedChannel::default, |ix| arranged.channels.remove(ix));
            let changed: Vec<&str> = arranged
                .difference
                .steps
                .iter()
                .filter_map(|step| match step {
                    Step::Egress { channel, change: Change::Changed(egress) } if *channel == model.name => {
                        Some(egress.name.as_str())
                    }
                    Step::Egress { channel, change: Change::Removed(name) } if *channel == model.name => {
                        Some(name.as_str())
                    }
                    _ => None,
                })
                .collect();
            if let Some(was) = arranged.old.channel(&model.name) {
                run.rearrange(&arranged.show, (was, model), ChannelIx(ix), opened, &changed, now);
            }
            self.channels.push(run);
        }
        self.carrying = carry::go_on(&self.carrying, &arranged.show, &self.channels);
        self.shedding = self.shedding.reload(&arranged.show);
        self.thumbs.rearrange(&arranged.show);
        self.name.clone_from(&arranged.show.name);
        self.threads.retain(|thread| !thread.is_finished());
        self.threads.append(&mut arranged.threads);
        // What went stops before what took its place begins: it may have the same port.
        gone.iter().flat_map(|camera| &camera.lines).for_each(Line::close);
        if let Some(life) = &self.life {
            life.rearranged(now, &arranged.show);
        }
        arranged.begin(now);
        if let Some(keeper) = &mut self.keeper {
            keeper.show = Arc::new(arranged.show.clone());
            keeper.touch();
        }
        self.say(&arranged);
        gone
    }

    /// Scenes to their new places, as long as the switcher knows those they had.
    fn rearrange_scenes(&mut self, arranged: &Arranged) {
        let Arranged { old, show, .. } = arranged;
        let mut runs: Vec<Option<SceneRun>> =
            std::mem::take(&mut self.scenes).into_iter().map(Some).collect();
        for (ix, model) in show.scenes.iter().enumerate() {
            let place = old.scenes.iter().position(|was| was.name == model.name);
            let before = place.and_then(|place| Some((old.scenes.get(place)?, runs.get_mut(place)?.take()?)));
            self.scenes.push(match before {
                Some((was, run)) => run.rearranged(show.video.size, (was, model), SceneIx(ix)),
                None => SceneRun::new(show, model, SceneIx(ix)),
            });
        }
        let gone = runs.into_iter().flatten();
        self.gone_scenes.extend(gone.filter_map(|scene| scene.report(&self.switcher)));
        self.gone_scenes.drain(..self.gone_scenes.len().saturating_sub(MOST_GONE));
    }

    /// Its lines go by the rules that the camera has now.
    fn lead(&self, run: &mut CameraRun, feed: FeedIx, was: Option<&dsl::Camera>, model: &dsl::Camera) {
        let same_lines = was.is_some_and(|was| was.lines == model.lines);
        let same_align = was.is_some_and(|was| was.failover.align == model.failover.align);
        let lines = self.switcher.lines(feed);
        run.rule(&model.failover);
        if !(same_lines && same_align) {
            run.align(model.failover.align, lines.and_then(LineSelector::current));
        }
        // One that was opened again has not been told.
        for ix in (0..run.lines.len()).map(LineIx) {
            run.order(ix, lines.map_or(Duty::Decode, |lines| lines.duty(ix)));
        }
    }

    fn say(&self, arranged: &Arranged) {
        let steps = &arranged.difference.steps;
        let count = match steps.len() {
            0 => "nothing is different".to_owned(),
            1 => "1 step".to_owned(),
            many => format!("{many} steps"),
        };
        self.reporter.event(Level::Info, "reloaded", format!("the show file is in force: {count}"));
        for step in steps.iter().take(TOLD) {
            self.reporter.of(step.subject()).event(Level::Info, "reloaded", step.to_string());
        }
        if steps.len() > TOLD {
            let message = format!("{} more steps are not told one by one", steps.len() - TOLD);
            self.reporter.event(Level::Info, "reloaded", message);
        }
    }
}

fn take_or_new(old: &mut Vec<CameraRun>, name: &str, feed: FeedIx, show: &dsl::Show) -> CameraRun {
    match old.iter().position(|run| run.name == name) {
        Some(ix) => old.remove(ix),
        None => CameraRun::new(name.to_owned(), Vec::new(), feed, show.audio),
    }
}

fn drain(lines: &mut Vec<(String, Line)>, owner: &str) -> Vec<Line> {
    lines.extract_if(.., |(of, _)| of == owner).map(|(_, line)| line).collect()
}
