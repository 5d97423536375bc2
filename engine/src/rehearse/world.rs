//! Everything around the engine: it outlives each life of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::{Fault, FaultKind, FaultScript, LineName};

use crate::command::Command;
use crate::rehearse::audience::Audience;
use crate::rehearse::disk::{self, Health};
use crate::rehearse::options::ShowText;
use crate::rehearse::orders;
use crate::rehearse::report::CommandOutcome;
use crate::rehearse::sender::{LineTrouble, Sender};
use crate::rehearse::sinks::{Kind, Named, SharedSink, SinkEnd, SinkTrouble};
use crate::rehearse::watch::{Watch, shortest};
use crate::resume::{KeptShow, round_trip};

/// One who watches a rung, shared with the rung's thread.
pub(crate) type SharedAudience = Arc<Mutex<Audience>>;

/// Whoever watches a rung while the show has it.
pub(crate) struct Seated {
    pub(crate) channel: String,
    pub(crate) rung: String,
    pub(crate) from: Time,
    pub(crate) until: Option<Time>,
    audience: SharedAudience,
}

impl Seated {
    /// When no tags came of the rung up to `end`: pictures, and sound.
    pub(crate) fn missed(&self, end: Time) -> [Vec<(Time, Time)>; 2] {
        let end = self.until.map_or(end, |until| until.min(end));
        self.audience.lock().unwrap_or_else(PoisonError::into_inner).clone().missed(end)
    }
}

/// A show as its file has it, and as it is rehearsed.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) whole: dsl::Show,
    pub(crate) small: dsl::Show,
}

pub(crate) struct World {
    seed: u64,
    script: FaultScript,
    /// Orders by time, each with its place in the script.
    due: Vec<usize>,
    /// How many of them were given.
    given: usize,
    pub(crate) outcomes: Vec<CommandOutcome>,
    pub(crate) senders: Vec<Sender>,
    pub(crate) watch: Watch,
    pub(crate) audiences: Vec<Seated>,
    /// Every show that has been in force; the last one is.
    pub(crate) shows: Vec<Staged>,
    texts: Vec<ShowText>,
    /// How often a file of this name was begun.
    begun: BTreeMap<String, u32>,
    pub(crate) sinks: Vec<SharedSink>,
    nobody_yet: Audience,
    /// What is kept of the show by now, and when its engine last gave a sign of life.
    kept: Option<KeptShow>,
    alive: Option<SystemTime>,
    /// Up to where ticks were made.
    pub(crate) reached: Time,
}

/// How late ticks are begun on a machine that is overloaded.
const OVERLOADED: Span = Span::from_millis(500);

/// When a fault that lasts is over; later than anything.
pub(crate) const NEVER: Time = Time::MAX;

impl World {
    pub(crate) fn new(
        staged: Staged,
        script: &FaultScript,
        texts: Vec<ShowText>,
        senders: Vec<Sender>,
        seed: u64,
    ) -> Self {
        let show = &staged.small;
        let mut due: Vec<usize> = (0..script.orders.len()).collect();
        due.sort_by_key(|place| script.orders[*place].at);
        let tick = show.video.rate.tick_span();
        let block = Span::from_units(1024, 1, show.audio.rate.hz());
        Self {
            seed,
            due,
            given: 0,
            outcomes: vec![CommandOutcome::Unheard; script.orders.len()],
            script: script.clone(),
            senders,
            watch: Watch::new(show),
            audiences: Vec::new(),
            begun: BTreeMap::new(),
            texts,
            sinks: Vec::new(),
            nobody_yet: Audience::new(tick, block, shortest(tick)),
            kept: None,
            alive: None,
            reached: Time::ZERO,
            shows: vec![staged],
        }
    }

    /// What befalls a line, and when.
    pub(crate) fn troubles_of(&self, camera: &str, line: &str) -> Vec<LineTrouble> {
        line_troubles(&self.script, camera, line)
    }

    /// What befalls a filler, and when.
    pub(crate) fn troubles_of_filler(&self, name: &str) -> Vec<LineTrouble> {
        let faults = self.script.faults.iter().filter_map(|fault| match &fault.what {
            FaultKind::Filler { filler, fault: what } if filler == name => {
                Some(LineTrouble { from: fault.at, to: fault.ends().unwrap_or(NEVER), what: *what })
            }
            _ => None,
        });
        faults.collect()
    }

    /// The sender whose packet comes next, if it comes before `until`.
    pub(crate) fn next_sender(&mut self, until: Time) -> Option<&mut Sender> {
        let first = self.senders.iter_mut().min_by_key(|sender| sender.next())?;
        (first.next() < until).then_some(first)
    }

    /// The next order that is due, by its place, and the command for it.
    pub(crate) fn next_command(&mut self, now: Time) -> Option<(usize, Option<Command>)> {
        let place = *self.due.get(self.given)?;
        let order = self.script.orders.get(place)?;
        if order.at > now {
            return None;
        }
        self.given += 1;
        Some((place, orders::command(&order.order, &self.texts)))
    }

    /// Orders before `now` that nobody was there to take are not given later.
    fn pass_over(&mut self, now: Time) {
        while self.due.get(self.given).is_some_and(|place| self.script.orders[*place].at < now) {
            self.given += 1;
        }
    }

    /// How late a tick is begun at this time.
    pub(crate) fn lateness(&self, now: Time) -> Span {
        let is_late = |fault: &Fault| fault.what == FaultKind::EngineOverload && fault.holds_at(now);
        if self.script.faults.iter().any(is_late) { OVERLOADED } else { Span::ZERO }
    }

    /// Whether an engine ever goes on from what another one kept.
    pub(crate) fn is_ever_killed(&self) -> bool {
        self.script.faults.iter().any(|fault| matches!(fault.what, FaultKind::EngineKill(_)))
    }

    /// Takes what is kept of the show `now`, on the disk that is recorded to.
    ///
    /// # Errors
    /// The disk takes nothing.
    pub(crate) fn keep(&mut self, now: Time, kept: KeptShow, alive: SystemTime) -> io::Result<()> {
        let faults = self.script.faults.iter().filter(|fault| fault.holds_at(now));
        let faults = faults.filter_map(|fault| match fault.what {
            FaultKind::Disk { fault } => Some(fault),
            _ => None,
        });
        let health = faults.fold(Health::Well, Health::after);
        if health != Health::Well {
            return Err(disk::error(health));
        }
        (self.kept, self.alive) = (Some(kept), Some(alive));
        Ok(())
    }

    /// The engine is still there.
    pub(crate) fn beat(&mut self, alive: SystemTime) {
        self.alive = Some(alive);
    }

    /// What the engine left, as the next one would read it.
    pub(crate) fn left(&self) -> Option<KeptShow> {
        let read = round_trip(self.kept.as_ref()?).ok()?;
        Some(read.died_no_earlier(self.alive))
    }

    /// The engine is down from `at` on, until it is `back`: senders try in vain.
    pub(crate) fn down(&mut self, at: Time, back: Time) {
        self.watch.down(at);
        self.senders.iter_mut().for_each(|sender| sender.cut_off(at));
        while let Some(sender) = self.next_sender(back) {
            sender.step(None);
        }
        self.pass_over(back);
    }

    pub(crate) fn answered(&mut self, place: usize, outcome: CommandOutcome) {
        if let Some(slot) = self.outcomes.get_mut(place) {
            *slot = outcome;
        }
    }

    pub(crate) fn reached(&mut self, at: Time) {
        self.reached = self.reached.max(at);
    }

    /// The show in force.
    pub(crate) fn show(&self) -> Option<&Staged> {
        self.shows.last()
    }

    /// Whoever watches this rung, which the show has since `from` unless it is known.
    pub(crate) fn audience(&mut self, channel: &str, rung: &str, from: Time) -> SharedAudience {
        let is_it = |seat: &&Seated| seat.until.is_none() && seat.channel == channel && seat.rung == rung;
        if let Some(seat) = self.audiences.iter().find(is_it) {
            return Arc::clone(&seat.audience);
        }
        let audience = Arc::new(Mutex::new(self.nobody_yet.clone().from(from)));
        let (channel, rung) = (channel.to_owned(), rung.to_owned());
        self.audiences.push(Seated { channel, rung, from, until: None, audience: Arc::clone(&audience) });
        audience
    }

    /// Who stands at the end of this way out, which the show has since `from` unless it is known;
    /// and how many files of its name there are with the one that is begun now.
    pub(crate) fn sink(&mut self, named: &Named, from: Time) -> (SharedSink, u32) {
        let files = self.begun.entry(named.target.clone()).or_default();
        *files += 1;
        let files = *files;
        if let Some(sink) = self.sinks.iter().find(|sink| sink.is(named)) {
            return (sink.clone(), files);
        }
        let audience = self.nobody_yet.clone().from(from);
        let sink = SharedSink::new(named.clone(), self.sink_troubles(named), self.seed, audience);
        self.sinks.push(sink.clone());
        (sink, files)
    }

    /// From `now` on another show is in force; of its ways out these are opened anew.
    pub(crate) fn rearranged(&mut self, staged: Staged, opened: &[Named], now: Time) {
        let show = &staged.small;
        let ladder = |channel: &str| show.channel(channel).and_then(|channel| show.ladder(&channel.ladder));
        let has_rung = |channel: &str, rung: &str| {
            ladder(channel).is_some_and(|ladder| ladder.rungs.iter().any(|model| model.name == rung))
        };
        for seat in self.audiences.iter_mut().filter(|seat| seat.until.is_none()) {
            if !has_rung(&seat.channel, &seat.rung) {
                seat.until = Some(now);
            }
        }
        for shared in &self.sinks {
            let is_anew = opened.iter().any(|named| shared.is(named));
            let mut sink = shared.lock();
            let egresses = show.channel(&sink.channel).map_or(&[][..], |channel| &channel.egresses);
            let egress = egresses.iter().find(|egress| egress.name == sink.egress);
            let stays = egress.is_some_and(|egress| Kind::of(&egress.target) == sink.kind())
                && has_rung(&sink.channel, &sink.rung)
                && !is_anew;
            if sink.until.is_none() && !stays {
                sink.until = Some(now);
            }
        }
        self.watch.rearrange(show, now);
        self.shows.push(staged);
    }

    /// A line is opened anew, or is there no more: who sent to it finds nobody.
    pub(crate) fn cut_off(&mut self, name: &LineName, now: Time) {
        self.senders.iter_mut().filter(|sender| sender.name == *name).for_each(|sender| sender.cut_off(now));
    }

    fn sink_troubles(&self, way: &Named) -> Vec<SinkTrouble> {
        let faults = self.script.faults.iter().filter_map(|fault| {
            let what = match (&fault.what, way.kind) {
                (FaultKind::Sink { sink, fault }, Kind::Server)
                    if sink.channel == way.channel
                        && sink.egress == way.egress
                        && sink.rung.as_ref().is_none_or(|rung| *rung == way.rung) =>
                {
                    SinkEnd::Server(*fault)
                }
                (FaultKind::Disk { fault }, Kind::Disk) => SinkEnd::Disk(*fault),
                _ => return None,
            };
            Some(SinkTrouble { from: fault.at, to: fault.ends().unwrap_or(NEVER), what })
        });
        faults.collect()
    }
}

/// What a script does to a line.
pub(crate) fn line_troubles(script: &FaultScript, camera: &str, line: &str) -> Vec<LineTrouble> {
    let faults = script.faults.iter().filter_map(|fault| match &fault.what {
        FaultKind::Line { line: name, fault: what } if name.camera == camera && name.line == line => {
            Some(LineTrouble { from: fault.at, to: fault.ends().unwrap_or(NEVER), what: *what })
        }
        _ => None,
    });
    faults.collect()
}
