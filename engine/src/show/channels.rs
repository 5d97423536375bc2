//! A channel at a tick: decided, its sound mixed, its pictures handed on.

mod renew;
mod report;
mod status;

use std::sync::Arc;

use media::{Key, Tick, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::Switch;
use scheduling::{
    Blend, ChannelIx, ChannelScheduler, Decision, Encoding, EncodingStep, Encryption, FeedIx, Lending, OnAir,
    Program, SceneIx, Showing, Shown, SourceIx, SourcePlace, Switcher,
};

use crate::channel::carry::Borrowed;
use crate::channel::compose::Layers;
use crate::channel::copy::CopyWork;
use crate::channel::marks::{Marks, SeenMarks};
use crate::channel::outlets::Outlet;
use crate::channel::rung::EncryptOrder;
use crate::channel::scene::Seen;
use crate::channel::sound::{Part, SoundDesk, scaled};
use crate::channel::{Channel, Gone, Pictures, RungEncoder, RungHandle, Work};
use crate::keys::ChannelKeys;
use crate::report::{EncryptionReport, OnAirReport, ShedReport};
use crate::show::cameras::CameraRun;
use crate::show::marks::MarkDesk;
use crate::show::overload::Rests;
use crate::show::reload::OpenedChannel;
use crate::show::scenes::SceneRun;
use crate::stage::{Besides, StageReading};
use crate::thumb::Glance;

/// Why nothing is on air of a channel that has failed.
const FAILED: &str = "failed";
/// Runs of `on_air`, and of `encryption`, that a report keeps.
const KEPT: usize = 100_000;
/// Ways out that were taken away and that a report keeps.
const MOST_GONE: usize = 1_000;

pub(crate) struct ChannelRun {
    ix: ChannelIx,
    pub(crate) stage: Channel,
    keys: Option<Arc<ChannelKeys>>,
    /// Watermarks that come with the next tick.
    redrawn: Option<Marks>,
    /// Ways out that were taken away, for the report.
    gone: Vec<Outlet>,
    /// The same of rungs.
    gone_rungs: Vec<GoneRung>,
    /// Where its sources are among the show's.
    sources: Vec<SourcePlace>,
    /// Its filler's place among the show's fillers.
    filler: Option<usize>,
    desk: SoundDesk,
    pub(crate) marks: MarkDesk,
    encryption: Encryption,
    /// What it carries of another channel.
    pub(crate) borrowed: Option<Borrowed>,
    /// What its copying rung needs of this tick.
    copying: Option<CopyWork>,
    mixing: Option<Mixing>,
    pub(super) on_air: Vec<OnAirReport>,
    encryptions: Vec<EncryptionReport>,
    pub(crate) late_ticks: u64,
    /// Its rungs that rest.
    pub(crate) rests: Rests,
    over: Over,
    /// Frames and bytes of each rung a second ago, and what they came to.
    measured: Vec<Measured>,
    /// What it costs, and each of its rungs.
    costs: (StageReading, Vec<StageReading>),
}

/// A rung that was taken away.
struct GoneRung {
    handle: RungHandle,
    shed: (f64, Vec<ShedReport>),
    costs: StageReading,
}

/// Who gives pictures and sound at a tick.
pub(crate) struct Given<'a> {
    pub(crate) cameras: &'a [CameraRun],
    pub(crate) fillers: &'a [CameraRun],
    pub(crate) scenes: &'a [SceneRun],
}

/// One of them; a filler is a camera of one line.
enum Giver<'a> {
    Camera(&'a CameraRun),
    Scene(&'a SceneRun),
}

/// A mix under way, and the first tick after it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mixing {
    from: OnAir,
    to: OnAir,
    blend: Blend,
    until: Tick,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    frames: u64,
    bytes: u64,
    /// Frames and kilobits a second.
    rates: Option<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    NotYet,
    Ended,
    /// It takes no more ticks; its events say why.
    Failed,
}

impl ChannelRun {
    pub(crate) fn new(
        show: &dsl::Show,
        model: &dsl::Channel,
        ix: ChannelIx,
        stage: Channel,
        keys: Option<Arc<ChannelKeys>>,
    ) -> Self {
        let sources: Vec<_> = model.sources.iter().filter_map(|name| SourcePlace::find(show, name)).collect();
        let filler = model.filler.as_ref().and_then(|f| show.fillers.iter().position(|m| m.name == f.name));
        let desk = SoundDesk::new(show.audio.rate, show.audio.layout.channels(), sources.len() + 1);
        let measured = vec![Measured::default(); stage.rungs.len()];
        Self {
            ix,
            stage,
            keys,
            redrawn: None,
            gone: Vec::new(),
            gone_rungs: Vec::new(),
            sources,
            filler,
            desk,
            marks: MarkDesk::new(show, model),
            encryption: Encryption::Clear,
            encryptions: Vec::new(),
            borrowed: None,
            copying: None,
            mixing: None,
            on_air: Vec::new(),
            late_ticks: 0,
            rests: Rests::new(measured.len()),
            over: Over::NotYet,
            costs: (StageReading::default(), measured.iter().map(|_| StageReading::default()).collect()),
            measured,
        }
    }

    /// Goes on as the show now has it; `old` is what it was.
    pub(crate) fn rearrange(
        &mut self,
        show: &dsl::Show,
        (old, new): (&dsl::Channel, &dsl::Channel),
        ix: ChannelIx,
        opened: OpenedChannel,
        changed: &[&str],
        now: Time,
    ) {
        self.ix = ix;
        self.sources = new.sources.iter().filter_map(|name| SourcePlace::find(show, name)).collect();
        self.filler = new.filler.as_ref().and_then(|f| show.fillers.iter().position(|m| m.name == f.name));
        // The filler stands behind the sources.
        let mut places: Vec<Option<usize>> =
            new.sources.iter().map(|name| old.sources.iter().position(|was| was == name)).collect();
        places.push(Some(old.sources.len()));
        self.desk.rearrange(&places);
        let moved = |on_air| match on_air {
            OnAir::Source(SourceIx(was)) => {
                places.iter().position(|place| *place == Some(was)).map(|ix| OnAir::Source(SourceIx(ix)))
            }
            other => Some(other),
        };
        self.mixing = self
            .mixing
            .and_then(|mixing| Some(Mixing { from: moved(mixing.from)?, to: moved(mixing.to)?, ..mixing }));
        let OpenedChannel { name: _, marks, outlets, threads, keys, ladder } = opened;
        if let Some(marks) = marks {
            self.marks.rearrange(show, new);
            self.redrawn = Some(marks);
        }
        if let (Some(keys), Some(longer)) = (&self.keys, keys) {
            keys.grow(longer);
        }
        let is_gone = |outlet: &mut Outlet| changed.contains(&outlet.name.as_str());
        for outlet in self.stage.outlets.extract_if(.., is_gone) {
            outlet.close();
            self.gone.push(outlet);
        }
        self.gone.drain(..self.gone.len().saturating_sub(MOST_GONE));
        if self.is_over() {
            outlets.iter().for_each(Outlet::close);
        } else if let Some(ladder) = ladder {
            self.renew(ladder, now);
        }
        self.stage.adopt(outlets, threads);
        let egress = |outlet: &Outlet| new.egresses.iter().position(|egress| egress.name == outlet.name);
        let rungs = &self.stage.rungs;
        let rung = |outlet: &Outlet| rungs.iter().position(|rung| rung.rung.name == outlet.rung);
        self.stage.outlets.sort_by_key(|outlet| (egress(outlet), rung(outlet)));
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over != Over::NotYet
    }

    /// Whether it takes no more ticks, before its time.
    pub(crate) fn has_failed(&self) -> bool {
        self.over == Over::Failed
    }

    /// What it shows at the tick at `at`, as far as others could carry it; `None` once it is over.
    pub(crate) fn showing(&self, decision: &Decision, at: Time) -> Option<Showing<SeenMarks>> {
        if self.is_over() || decision.is_end() {
            return None;
        }
        let shown = Shown::of(decision, &self.sources, self.filler);
        let lending = if self.stage.is_whole() { Lending::Open } else { Lending::Closed };
        Some(Showing { shown, graphics: SeenMarks::new(self.marks.now(), at), key: decision.key, lending })
    }

    /// Decides what its copying rung sends at the tick at `at`, if it has one, and with that where
    /// all its rungs have their key frames.
    pub(crate) fn copy(
        &mut self,
        decision: &mut Decision,
        cameras: &[CameraRun],
        switcher: &Switcher,
        at: Time,
    ) {
        if self.is_over() || decision.is_end() {
            return;
        }
        let begins_anew = self.stage.begins_anew();
        if begins_anew {
            decision.key = Key::Frame;
        }
        let shown = Shown::of(decision, &self.sources, self.filler);
        let camera = match shown {
            Some(Shown::Feed(FeedIx::Camera(ix))) => cameras.get(ix),
            _ => None,
        };
        let copied = camera.and_then(|camera| camera.copied(switcher));
        if let Some((key, work)) = self.stage.copy(at, decision.key, copied.as_ref()) {
            decision.key = if begins_anew { Key::Frame } else { key };
            self.copying = Some(work);
        }
    }

    /// Encryption changes with a key frame, which the tick at `from` has.
    pub(crate) fn seal(&mut self, decision: &Decision, from: Time) {
        if self.is_over() || decision.is_end() || decision.encrypt == self.encryption {
            return;
        }
        self.encryption = decision.encrypt;
        if self.encryptions.len() < KEPT {
            let (state, key_id) = self.sealed();
            self.encryptions.push(EncryptionReport { t: from.as_secs_f64(), state, key_id });
        }
        self.stage.encrypt(EncryptOrder { at: from, encryption: decision.encrypt });
    }

    /// Hands on what was decided of the tick `[from, to)`. Whether something else came on air.
    pub(crate) fn tick(
        &mut self,
        decision: &Decision,
        step: EncodingStep,
        scheduler: &ChannelScheduler,
        (from, to): (Time, Time),
        given: &Given<'_>,
        glances: Vec<Glance>,
    ) -> Changed {
        if self.is_over() {
            return Changed::Nothing;
        }
        let mixed = std::mem::replace(&mut self.mixing, mixing(decision.tick, decision.program));
        let changed = match decision.change {
            Some(change) => {
                let source = change.on_air.and_then(|on_air| scheduler.name_of(on_air)).map(str::to_owned);
                self.note(from, source, change.reason.as_str());
                Changed::OnAir(change.reason.as_str())
            }
            None if mixed.is_some() && self.mixing.is_none() => Changed::MixOver,
            None => Changed::Nothing,
        };
        if decision.is_end() {
            self.over = Over::Ended;
            self.stage.finish();
            return changed;
        }
        let picture = |on_air: OnAir| self.seen(on_air, given);
        let layers = match decision.program {
            Program::One(on_air) => Layers::One(picture(on_air)),
            Program::Mix { from, to, blend, step, of } => {
                Layers::Mix { from: picture(from), to: picture(to), blend, step, of }
            }
            Program::Ended => return changed,
        };
        let parts: Vec<Part<'_>> = (0..=self.sources.len())
            .map(|ix| {
                let on_air =
                    if ix < self.sources.len() { OnAir::Source(SourceIx(ix)) } else { OnAir::Filler };
                let sound = self.heard(on_air, given);
                let gain = match on_air {
                    OnAir::Source(source) => scheduler.strip(source).factor(),
                    OnAir::Filler | OnAir::Black => 1.0,
                };
                Part { fader: scaled(decision.fader(on_air), gain), sound }
            })
            .collect();
        let sound = self.desk.mix(from, to, &parts);
        drop(parts);
        let pictures = match step.now {
            Encoding::Carried(_) => Pictures::Carried,
            Encoding::Own | Encoding::None => Pictures::Encoded { layers, key: step.key },
        };
        let (marks, redrawn) = (self.marks.now(), self.redrawn.take());
        let copy = self.copying.take();
        let duties = self.rests.take_orders();
        let ladder = self.stage.take_change();
        match self.stage.send(Work {
            at: from,
            pictures,
            copy,
            ladder,
            duties,
            glances,
            marks,
            redrawn,
            sound,
        }) {
            Ok(()) => changed,
            Err(Gone) => {
                self.note(from, None, FAILED);
                self.over = Over::Failed;
                self.mixing = None;
                self.stage.finish();
                Changed::OnAir(FAILED)
            }
        }
    }

    /// The show ends before the rundown's end, or has none.
    pub(crate) fn end(&mut self, at: Time) {
        if !self.is_over() {
            self.note(at, None, "end");
            self.over = Over::Ended;
            self.mixing = None;
            self.stage.finish();
        }
    }

    pub(super) fn note(&mut self, at: Time, source: Option<String>, reason: &str) {
        if self.on_air.len() < KEPT {
            self.on_air.push(OnAirReport { t: at.as_secs_f64(), source, reason: reason.to_owned() });
        }
    }

    /// What a source shows at this tick.
    fn seen(&self, on_air: OnAir, given: &Given<'_>) -> Option<Seen> {
        match self.giver(on_air, given)? {
            Giver::Camera(camera) => camera.seen(),
            Giver::Scene(scene) => scene.seen(),
        }
    }

    /// What sounds from it at this tick.
    fn heard<'a>(&self, on_air: OnAir, given: &Given<'a>) -> Option<&'a [f32]> {
        match self.giver(on_air, given)? {
            Giver::Camera(camera) => camera.take.as_ref()?.sound.as_deref(),
            Giver::Scene(scene) => Some(scene.sound()),
        }
    }

    fn giver<'a>(&self, on_air: OnAir, given: &Given<'a>) -> Option<Giver<'a>> {
        match on_air {
            OnAir::Source(SourceIx(ix)) => match *self.sources.get(ix)? {
                SourcePlace::Camera(ix) => given.cameras.get(ix).map(Giver::Camera),
                SourcePlace::Scene(SceneIx(ix)) => given.scenes.get(ix).map(Giver::Scene),
            },
            OnAir::Filler => given.fillers.get(self.filler?).map(Giver::Camera),
            OnAir::Black => None,
        }
    }

    /// Frame rates and bitrates over the last second.
    pub(crate) fn measure(&mut self, seconds: f64) {
        for (rung, measured) in self.stage.rungs.iter().zip(&mut self.measured) {
            let (frames, bytes) = (rung.meter.frames(), rung.meter.bytes());
            let kbps = (bytes - measured.bytes) as f64 * 8.0 / 1000.0 / seconds;
            let fps = (frames - measured.frames) as f64 / seconds;
            *measured = Measured { frames, bytes, rates: Some((fps, kbps)) };
        }
        let besides = |of: &RungEncoder| Besides {
            cpu: of.cpu_nanos(),
            queue: (of.counters.queued(), of.counters.take_longest_queue()),
        };
        let (all, rungs) = &mut self.costs;
        // What waits to be scaled is told by what waits to be composed, behind which it lies.
        let scaling = self.stage.scaling.as_ref().map_or(0, |scaling| scaling.cpu_nanos());
        let scaling = Besides { cpu: scaling, ..Besides::default() };
        all.measure(&self.stage.costs, scaling, seconds);
        for (rung, costs) in self.stage.rungs.iter().zip(rungs) {
            let encoder = rung.encoder.as_ref().map(besides);
            costs.measure(&rung.meter.stage, encoder.unwrap_or_default(), seconds);
        }
    }

    /// What is on air now, by name.
    pub(crate) fn on_air_name(&self, switcher: &Switcher) -> Option<String> {
        if self.over == Over::Failed {
            return None;
        }
        let scheduler = switcher.channel(self.ix)?;
        let on_air = scheduler.on_air()?.on_air?;
        scheduler.name_of(on_air).map(str::to_owned)
    }

    /// Whether its tags are encrypted now, and under which key.
    fn sealed(&self) -> (Switch, Option<u8>) {
        let key_id = match self.encryption {
            Encryption::Clear => None,
            Encryption::Under(ix) => self.keys.as_ref().and_then(|keys| keys.id(ix)),
        };
        (if key_id.is_some() { Switch::On } else { Switch::Off }, key_id)
    }

    /// The id of the key that it goes on under once encryption is on; `None` while it is.
    fn next_key_id(&self, switcher: &Switcher) -> Option<u8> {
        let keys = self.keys.as_ref().filter(|_| self.encryption == Encryption::Clear)?;
        keys.id(switcher.channel(self.ix)?.intent().key)
    }

    /// What an `encrypt` came to: whether it is on, and the key that is or will be.
    pub(crate) fn encryption(&self, switcher: &Switcher) -> (Switch, Option<u8>) {
        let (state, key_id) = self.sealed();
        (state, key_id.or_else(|| self.next_key_id(switcher)))
    }
}

/// What a tick changed for those who watch the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Changed {
    Nothing,
    /// Something else is on air, for this reason.
    OnAir(&'static str),
    /// What was on air already has the picture to itself.
    MixOver,
}

fn mixing(tick: Tick, program: Program) -> Option<Mixing> {
    match program {
        Program::Mix { from, to, blend, step, of } => {
            let left = u64::from(of.saturating_sub(step));
            Some(Mixing { from, to, blend, until: Tick(tick.0.saturating_add(left)) })
        }
        Program::One(_) | Program::Ended => None,
    }
}
