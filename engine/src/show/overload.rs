//! What the show does without while the engine cannot keep up: weighed with every tick, told to the
//! encoders, and said.

use codecs::RungDuty;
use media::{Key, Span, Time};
use scheduling::{ChannelIx, Encoding, EncodingStep, Load, Overload, ShedRung, ShedStep, Thumbnails};

use crate::event::Level;
use crate::options::Mode;
use crate::report::ShedReport;
use crate::reporter::Reporter;
use crate::show::ShowRun;
use crate::show::channels::ChannelRun;
use crate::status::LoadStatus;

/// Rests that a report keeps of a rung; all are counted.
const KEPT: usize = 1_000;

/// The rungs of a channel that rest.
#[derive(Default)]
pub(crate) struct Rests {
    rungs: Vec<Rest>,
    /// What its ladder is to be told with the next tick.
    orders: Vec<(usize, RungDuty)>,
}

#[derive(Clone, Default)]
struct Rest {
    /// What the channel's own encoder was told.
    told: RungDuty,
    /// Since when no pictures come.
    since: Option<Time>,
    times: Vec<ShedReport>,
    total: Span,
}

impl Rests {
    pub(crate) fn new(rungs: usize) -> Self {
        Self { rungs: vec![Rest::default(); rungs], orders: Vec::new() }
    }

    /// The rungs are others from the tick at `at` on: of each the place that it had. Those that
    /// have other encoders begin awake, until it is settled that they rest. What is to be reported of
    /// those that end.
    pub(crate) fn rearrange(
        &mut self,
        places: &[Option<usize>],
        anew: &[usize],
        gone: &[usize],
        at: Time,
    ) -> Vec<(f64, Vec<ShedReport>)> {
        let gone = gone.iter().map(|place| {
            if let Some(rest) = self.rungs.get_mut(*place) {
                rest.end(at);
            }
            self.report(*place)
        });
        let gone = gone.collect();
        let was = |place: &Option<usize>| place.and_then(|place| self.rungs.get(place).cloned());
        let mut rungs: Vec<Rest> = places.iter().map(|place| was(place).unwrap_or_default()).collect();
        for ix in anew {
            if let Some(rest) = rungs.get_mut(*ix) {
                rest.told = RungDuty::Encode;
            }
        }
        *self = Self { rungs, orders: Vec::new() };
        gone
    }

    pub(crate) fn take_orders(&mut self) -> Vec<(usize, RungDuty)> {
        std::mem::take(&mut self.orders)
    }

    /// Since when a rung rests, if it does.
    pub(crate) fn since(&self, rung: usize) -> Option<Time> {
        self.rungs.get(rung).and_then(|rung| rung.since)
    }

    /// How long in all, and when.
    pub(crate) fn report(&self, rung: usize) -> (f64, Vec<ShedReport>) {
        let rung = self.rungs.get(rung);
        rung.map_or_else(Default::default, |rung| (rung.total.as_secs_f64(), rung.times.clone()))
    }

    /// What the channel's own encoder of a rung does from this tick on. It is woken with a key frame
    /// of all rungs alone, since players change rungs there.
    fn order(&mut self, rung: usize, encoder: usize, wanted: RungDuty, key: Key) {
        let Some(rest) = self.rungs.get_mut(rung) else { return };
        if rest.told != wanted && (wanted == RungDuty::Rest || key == Key::Frame) {
            rest.told = wanted;
            self.orders.push((encoder, wanted));
        }
    }

    fn told(&self, rung: usize) -> RungDuty {
        self.rungs.get(rung).map_or(RungDuty::Encode, |rung| rung.told)
    }

    /// Whether a rung has pictures from the tick at `at` on; what is new about that.
    fn settle(&mut self, rung: usize, duty: RungDuty, at: Time) -> Option<Turn> {
        let rest = self.rungs.get_mut(rung)?;
        match (duty, rest.since) {
            (RungDuty::Rest, None) => {
                rest.since = Some(at);
                Some(Turn::Rests)
            }
            (RungDuty::Encode, Some(since)) => {
                rest.end(at);
                Some(Turn::Back(at - since))
            }
            _ => None,
        }
    }

    /// The channel has ended.
    pub(crate) fn end(&mut self, at: Time) {
        self.rungs.iter_mut().for_each(|rung| rung.end(at));
    }

    fn is_any(&self) -> bool {
        self.rungs.iter().any(|rung| rung.since.is_some() || rung.told == RungDuty::Rest)
    }
}

impl Rest {
    fn end(&mut self, at: Time) {
        let Some(since) = self.since.take() else { return };
        self.total += at - since;
        if self.times.len() < KEPT {
            let for_s = (at - since).as_secs_f64();
            self.times.push(ShedReport { t: since.as_secs_f64(), for_s });
        }
    }
}

/// What is new about a rung.
enum Turn {
    Rests,
    /// After so long.
    Back(Span),
}

impl ShowRun {
    /// Looks how the tick at `from` finds the engine, and decides whether something goes or comes back.
    pub(super) fn weigh(&mut self, from: Time) {
        let late = match (&self.life, self.mode) {
            (Some(life), _) => life.lateness(from),
            (None, Mode::RealTime) => (self.clock.now() - from).max(Span::ZERO),
            (None, Mode::Offline) => return,
        };
        self.late = late;
        if late > self.rate.tick_span() {
            self.channels.iter_mut().filter(|channel| !channel.is_over()).for_each(|c| c.late_ticks += 1);
        }
        let thumbnails = if self.thumbs.is_asked() { Thumbnails::Asked } else { Thumbnails::Unasked };
        let mut load = Load { late, thumbnails, ..Load::default() };
        if self.life.is_none() {
            let waiting = self.channels.iter().filter(|c| !c.is_over()).map(|c| c.stage.waiting());
            (load.waiting, load.room) = waiting.max().unwrap_or_default();
        }
        let before = self.shedding.overload();
        let step = self.shedding.tick(from, load);
        match (before, self.shedding.overload()) {
            (Overload::No, Overload::Yes) => {
                self.overload_since = Some(from);
                let message = match step {
                    Some(ShedStep::Shed(_)) => "rungs rest in their order until there is time again",
                    Some(ShedStep::NoThumbnails) => {
                        "thumbnails go, then rungs rest in their order, until there is time again"
                    }
                    _ => "and no rung may rest: see `shed=`",
                };
                let message = format!(
                    "the engine does not keep up, ticks are {} ms late: {message}",
                    late.as_millis_rounded()
                );
                self.reporter.event_at(from, Level::Alarm, "overload", message);
            }
            (Overload::Yes, Overload::No) => {
                self.overload_since = None;
                let message = "the engine keeps up with all there is";
                self.reporter.event_at(from, Level::Info, "overload-over", message);
            }
            _ => {}
        }
        let reporter = self.reporter.of("thumbnails");
        match step {
            Some(ShedStep::NoThumbnails) => {
                self.thumbs.rest();
                let message = "none are made, since the engine does not keep up: whoever asks has the last";
                reporter.event_at(from, Level::Warn, "thumbnails-shed", message);
            }
            Some(ShedStep::ThumbnailsBack) => {
                self.thumbs.resume();
                reporter.event_at(
                    from,
                    Level::Info,
                    "thumbnails-back",
                    "they are made again for whoever asks",
                );
            }
            Some(ShedStep::Shed(_) | ShedStep::Back(_)) | None => {}
        }
    }

    /// Tells the ladders what rests at the tick at `from`, once it is known who encodes.
    pub(super) fn settle_rests(&mut self, steps: &[EncodingStep], from: Time) {
        if self.shedding.shed().is_empty() && !self.channels.iter().any(|c| c.rests.is_any()) {
            return;
        }
        // Those that encode first: what others carry follows from it.
        for own in [true, false] {
            for (ix, step) in steps.iter().enumerate() {
                match step.now {
                    Encoding::Own if own => self.rest_own(ix, steps, *step, from),
                    Encoding::Carried(ChannelIx(lender)) if !own => self.rest_carried(ix, lender, from),
                    _ => {}
                }
            }
        }
    }

    fn rest_own(&mut self, ix: usize, steps: &[EncodingStep], step: EncodingStep, from: Time) {
        let Some(channel) = self.channels.get_mut(ix) else { return };
        for rung in 0..channel.stage.rungs.len() {
            let rests = self.shedding.rests(steps, ShedRung { channel: ChannelIx(ix), rung });
            let wanted = if rests { RungDuty::Rest } else { RungDuty::Encode };
            let encoder = channel.stage.rungs.get(rung).and_then(|rung| rung.encoder.as_ref());
            if let Some(encoder) = encoder.map(|encoder| encoder.place) {
                channel.rests.order(rung, encoder, wanted, step.key);
            }
            let duty = channel.rests.told(rung);
            channel.settle_rest(rung, duty, from, &self.reporter);
        }
    }

    /// What is carried rests as it does where it is encoded.
    fn rest_carried(&mut self, ix: usize, lender: usize, from: Time) {
        for rung in 0..self.channels.get(ix).map_or(0, |channel| channel.stage.rungs.len()) {
            let (Some(channel), Some(lender)) = (self.channels.get(ix), self.channels.get(lender)) else {
                return;
            };
            let name = channel.stage.rungs.get(rung).map(|rung| rung.rung.name.as_str());
            let there = lender.stage.rungs.iter().position(|there| Some(there.rung.name.as_str()) == name);
            let duty = there.map_or(RungDuty::Encode, |there| lender.rests.told(there));
            if let Some(channel) = self.channels.get_mut(ix) {
                channel.settle_rest(rung, duty, from, &self.reporter);
            }
        }
    }

    /// How the engine stands, as the status has it.
    pub(super) fn load_status(&self) -> LoadStatus {
        let name = |shed: &ShedRung| {
            let channel = self.channels.get(shed.channel.0)?;
            let rung = channel.stage.rungs.get(shed.rung)?;
            Some(format!("{}/{}", channel.stage.name, rung.rung.name))
        };
        let thumbnails = (!self.shedding.makes_thumbnails()).then(|| "thumbnails".to_owned());
        LoadStatus {
            late_ms: self.late.as_secs_f64() * 1000.0,
            overload_since: self.overload_since.map(Time::as_secs_f64),
            shed: thumbnails.into_iter().chain(self.shedding.shed().iter().filter_map(name)).collect(),
            thumbnails: self.thumbs.status(),
        }
    }
}

impl ChannelRun {
    /// Whether a rung has pictures from this tick on, said where it is new.
    fn settle_rest(&mut self, rung: usize, duty: RungDuty, at: Time, reporter: &Reporter) {
        let Some(turn) = self.rests.settle(rung, duty, at) else { return };
        let name = self.stage.rungs.get(rung).map_or("", |rung| rung.rung.name.as_str());
        let reporter = reporter.of(format!("{}/{name}", self.stage.name));
        match turn {
            Turn::Rests => {
                let message = "it rests, since the engine does not keep up: its viewers have the last \
                               picture, and the sound; its recording has a hole";
                reporter.event_at(at, Level::Warn, "rung-shed", message);
            }
            Turn::Back(after) => {
                let message = format!("it has pictures again, after {:.1} s", after.as_secs_f64());
                reporter.event_at(at, Level::Info, "rung-back", message);
            }
        }
    }
}
