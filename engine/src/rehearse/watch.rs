//! Watches every tick: how lines stand, what was asked for, what was on air, and what it looked like.

use std::collections::VecDeque;

use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::Switch;
use scheduling::{ChannelIx, Decision, FeedIx, Freshness, Heard, LineIx, OnAir, Program, SourceIx, Switcher};

use crate::channel::marks::MarkStates;
use crate::ingest::Line;
use crate::rehearse::clip::Look;
use crate::rehearse::report::{OnAirKind, PictureSeen, SoundHeard};
use crate::rehearse::runs::Runs;
use crate::report::LineState;
use crate::rig::FILLER_LINE;
use crate::show::cameras::CameraRun;
use crate::show::channels::ChannelRun;

/// Softer than this is silence: −80 dBFS.
const SILENT: f32 = 1e-4;

/// What a viewer of a channel has at a tick.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct OnAirNow {
    pub(crate) kind: OnAirKind,
    pub(crate) source: Option<String>,
    pub(crate) line: Option<String>,
    pub(crate) reason: &'static str,
    pub(crate) picture: PictureSeen,
    pub(crate) sound: SoundHeard,
    /// Why, where either is not as it should be.
    pub(crate) why: Option<&'static str>,
}

/// What was asked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Asked {
    pub(crate) source: String,
    pub(crate) filler: Switch,
}

/// How a line stood, and whether it was suspect.
pub(crate) type Stood = (LineState, Option<String>);

/// What of a camera is on air if it is.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Given {
    picture: PictureSeen,
    sound: SoundHeard,
    why: Option<&'static str>,
}

/// A line, in every show that has it.
pub(crate) struct LineWatch {
    pub(crate) name: String,
    /// Whether its sender is simulated: then its content is known.
    pub(crate) simulated: bool,
    pub(crate) states: Runs<Stood>,
}

/// A camera or a filler, in every show that has it.
pub(crate) struct CameraWatch {
    pub(crate) name: String,
    pub(crate) lines: Vec<LineWatch>,
    pub(crate) over: Runs<Option<String>>,
    look: Option<Look>,
    had_sound: bool,
    given: Given,
}

/// What a director has made of a watermark.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Marked {
    pub(crate) seen: Seen,
    pub(crate) text: Option<String>,
    /// Where it was put.
    pub(crate) put: Option<dsl::At>,
}

/// How much of a watermark there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    Off,
    /// It comes or goes.
    Fading,
    On,
}

/// A channel's ticks, held back until it is known whether what is missing is missed.
pub(crate) struct ChannelWatch {
    /// Its sources' places among the cameras; a scene has none there.
    sources: Vec<Option<usize>>,
    /// Its filler's place among the fillers.
    filler: Option<usize>,
    pub(crate) intent: Runs<Asked>,
    /// Its watermarks, as they were led.
    pub(crate) marks: Vec<(String, Runs<Marked>)>,
    pub(crate) actual: Runs<OnAirNow>,
    late: VecDeque<Late>,
    picture: Missing,
    sound: Missing,
}

/// A tick that may yet turn out to be missed.
struct Late {
    at: Time,
    what: OnAirNow,
    eyes: Missed,
    ears: Missed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Missed {
    No,
    Yes,
}

/// Since when something has been missing without a break.
#[derive(Clone, Copy, Default, Debug)]
struct Missing {
    since: Option<Time>,
}

impl Missing {
    /// Whether it is to be told by now, and from when on.
    fn told(&mut self, is_missing: bool, from: Time, to: Time, shortest: Span) -> Option<Time> {
        if !is_missing {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(from);
        (to - since >= shortest).then_some(since)
    }
}

pub(crate) struct Watch {
    shortest: Span,
    /// Those of all shows, and where each of the show in force stands among them.
    pub(crate) cameras: Vec<CameraWatch>,
    fillers: Vec<CameraWatch>,
    places: (Vec<usize>, Vec<usize>),
    pub(crate) channels: Vec<ChannelWatch>,
}

/// What is missing for no longer than three ticks or a tenth of a second is not missed.
pub(crate) fn shortest(tick: Span) -> Span {
    tick.times(3).max(Span::from_millis(100)) + Span::from_millis(1)
}

/// Whether a line's sender is simulated.
pub(crate) fn is_simulated(input: &dsl::Input) -> bool {
    matches!(
        input,
        dsl::Input::Push { .. }
            | dsl::Input::Pull { .. }
            | dsl::Input::Device { .. }
            | dsl::Input::Source { .. }
    )
}

/// One tick, when everything about it is decided.
pub(crate) struct Ticked<'a> {
    /// In rehearsal time.
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// `from` in show time.
    pub(crate) shown: Time,
    pub(crate) cameras: &'a [CameraRun],
    pub(crate) fillers: &'a [CameraRun],
    pub(crate) channels: &'a [ChannelRun],
    pub(crate) decisions: &'a [(ChannelIx, Decision)],
    pub(crate) switcher: &'a Switcher,
}

impl Watch {
    pub(crate) fn new(show: &dsl::Show) -> Self {
        let channels = show.channels.iter().map(|_| ChannelWatch {
            sources: Vec::new(),
            filler: None,
            intent: Runs::default(),
            marks: Vec::new(),
            actual: Runs::default(),
            late: VecDeque::new(),
            picture: Missing::default(),
            sound: Missing::default(),
        });
        let mut watch = Self {
            shortest: shortest(show.video.rate.tick_span()),
            cameras: Vec::new(),
            fillers: Vec::new(),
            places: Default::default(),
            channels: channels.collect(),
        };
        watch.rearrange(show, Time::ZERO);
        watch
    }

    /// From `now` on this show is in force; channels neither come nor go.
    pub(crate) fn rearrange(&mut self, show: &dsl::Show, now: Time) {
        let lines = |camera: &dsl::Camera| -> Vec<(String, bool)> {
            camera.lines.iter().map(|line| (line.name.clone(), is_simulated(&line.input))).collect()
        };
        let cameras = show.cameras.iter().map(|camera| (camera.name.as_str(), lines(camera)));
        // What covers a hole is a file, an image or a pattern of ours.
        let fillers =
            show.fillers.iter().map(|filler| (filler.name.as_str(), vec![(FILLER_LINE.to_owned(), false)]));
        self.places = (places(&mut self.cameras, cameras, now), places(&mut self.fillers, fillers, now));
        let (cameras, fillers) = &self.places;
        for (watch, channel) in self.channels.iter_mut().zip(&show.channels) {
            let camera = |name: &String| {
                let ix = show.cameras.iter().position(|camera| camera.name == *name)?;
                cameras.get(ix).copied()
            };
            let filler = |own: &dsl::ChannelFiller| {
                let ix = show.fillers.iter().position(|filler| filler.name == own.name)?;
                fillers.get(ix).copied()
            };
            watch.sources = channel.sources.iter().map(camera).collect();
            watch.filler = channel.filler.as_ref().and_then(filler);
        }
    }

    /// Notes a tick.
    pub(crate) fn tick(&mut self, now: &Ticked<'_>) {
        for (ix, (place, camera)) in self.places.0.iter().zip(now.cameras).enumerate() {
            if let Some(watch) = self.cameras.get_mut(*place) {
                watch.tick(FeedIx::Camera(ix), camera, now);
            }
        }
        for (ix, (place, filler)) in self.places.1.iter().zip(now.fillers).enumerate() {
            if let Some(watch) = self.fillers.get_mut(*place) {
                watch.tick(FeedIx::Filler(ix), filler, now);
            }
        }
        let given = (&self.cameras[..], &self.fillers[..]);
        for (ChannelIx(ix), decision) in now.decisions {
            let Some(watch) = self.channels.get_mut(*ix) else { continue };
            watch.tick(ChannelIx(*ix), decision, given, now, self.shortest);
            if let Some(channel) = now.channels.get(*ix) {
                watch.mark(&channel.marks.now(), now.from, now.shown);
            }
        }
    }

    /// The engine is gone: killed, or the show is over.
    pub(crate) fn gone(&mut self, at: Time) {
        for camera in self.cameras.iter_mut().chain(&mut self.fillers) {
            camera.end(at);
        }
        for channel in &mut self.channels {
            channel.settle();
            channel.intent.end(at);
            channel.actual.end(at);
            channel.marks.iter_mut().for_each(|(_, runs)| runs.end(at));
            (channel.picture, channel.sound) = (Missing::default(), Missing::default());
        }
    }

    /// When the line of this name ended, in a life that began at `began`.
    pub(crate) fn ended(&self, subject: &str, began: Time) -> Option<Time> {
        let (camera, line) = subject.split_once('/')?;
        let camera = self.cameras.iter().find(|watch| watch.name == camera)?;
        let line = camera.lines.iter().find(|watch| watch.name == line)?;
        let runs = line.states.clone().finish(Time::MAX);
        runs.iter().find(|run| run.from >= began && run.what.0 == LineState::Ended).map(|run| run.from)
    }

    /// From `at` on there is nothing to see, for the engine is down.
    pub(crate) fn down(&mut self, at: Time) {
        self.gone(at);
        for channel in &mut self.channels {
            channel.actual.set(
                at,
                OnAirNow {
                    kind: OnAirKind::Nothing,
                    source: None,
                    line: None,
                    reason: "down",
                    picture: PictureSeen::Nothing,
                    sound: SoundHeard::Nothing,
                    why: Some("the engine is down"),
                },
            );
        }
    }
}

/// Where cameras of these names and lines stand among all; what is not there any more has ended.
fn places<'s>(
    all: &mut Vec<CameraWatch>,
    named: impl Iterator<Item = (&'s str, Vec<(String, bool)>)>,
    now: Time,
) -> Vec<usize> {
    let mut places = Vec::new();
    for (name, lines) in named {
        let place = all.iter().position(|watch| watch.name == name).unwrap_or_else(|| {
            all.push(CameraWatch::new(name.to_owned()));
            all.len() - 1
        });
        if let Some(watch) = all.get_mut(place) {
            watch.rearrange(lines, now);
        }
        places.push(place);
    }
    for (place, watch) in all.iter_mut().enumerate() {
        if !places.contains(&place) {
            watch.end(now);
        }
    }
    places
}

impl CameraWatch {
    fn new(name: String) -> Self {
        Self {
            name,
            lines: Vec::new(),
            over: Runs::default(),
            look: None,
            had_sound: false,
            given: Given { picture: PictureSeen::Black, sound: SoundHeard::Silence, why: None },
        }
    }

    /// It has these lines by now.
    fn rearrange(&mut self, lines: Vec<(String, bool)>, now: Time) {
        for line in self.lines.iter_mut().filter(|line| !lines.iter().any(|(name, _)| *name == line.name)) {
            line.states.end(now);
        }
        for (name, simulated) in lines {
            match self.lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.simulated = simulated,
                None => self.lines.push(LineWatch { name, simulated, states: Runs::default() }),
            }
        }
    }

    /// It is there no more.
    fn end(&mut self, at: Time) {
        self.lines.iter_mut().for_each(|line| line.states.end(at));
        self.over.end(at);
        (self.look, self.had_sound) = (None, false);
    }

    fn tick(&mut self, feed: FeedIx, camera: &CameraRun, now: &Ticked<'_>) {
        let rules = now.switcher.lines(feed);
        for (ix, line) in camera.lines.iter().enumerate() {
            let suspect = rules.and_then(|rules| rules.suspect(LineIx(ix)));
            if let Some(watch) = self.lines.iter_mut().find(|watch| watch.name == line.name) {
                watch.states.set(now.from, (line.state(), suspect.map(|doubt| doubt.as_str().to_owned())));
            }
        }
        let current = rules.and_then(|rules| rules.current()).map(|LineIx(ix)| ix);
        let line = current.and_then(|ix| camera.lines.get(ix));
        self.over.set(now.from, line.map(|line| line.name.clone()));
        let is_simulated =
            |line: &Line| self.lines.iter().any(|watch| watch.name == line.name && watch.simulated);
        let simulated = line.is_some_and(is_simulated);
        self.given = self.give(camera, line, simulated);
    }

    fn give(&mut self, camera: &CameraRun, line: Option<&Line>, simulated: bool) -> Given {
        let nothing = Given {
            picture: PictureSeen::Black,
            sound: SoundHeard::Silence,
            why: Some("it has given no picture yet"),
        };
        let (Some(take), Some(line)) = (&camera.take, line) else { return nothing };
        let veil = line.veil_now();
        let is_held = take.hole_since.is_some();
        let quiet = take.sound.as_deref().is_none_or(|sound| sound.iter().all(|s| s.abs() < SILENT));
        self.had_sound |= !quiet;
        let unheard = quiet && self.had_sound && (simulated || is_held || veil.is_silent);
        let sound = if unheard { SoundHeard::Silence } else { SoundHeard::Live };
        let Some(picture) = &take.picture else {
            // Where there is nothing but sound, black is what there should be.
            let why = unheard.then_some("the sound that comes is silence");
            return match take.is_heard_alone() {
                true => Given { picture: PictureSeen::Live, sound, why },
                false => Given { sound, ..nothing },
            };
        };
        let look = simulated.then(|| Look::at(picture));
        let stands = look.is_some() && std::mem::replace(&mut self.look, look) == look;
        let (picture, why) = if is_held {
            (PictureSeen::Frozen, Some("pictures are missing: the last one is held"))
        } else if veil.is_black || look.is_some_and(Look::is_black) {
            (PictureSeen::Black, Some("the picture that comes is black"))
        } else if veil.is_still || stands {
            (PictureSeen::Frozen, Some("the picture that comes stands still"))
        } else {
            (PictureSeen::Live, unheard.then_some("the sound that comes is silence"))
        };
        Given { picture, sound, why }
    }
}

impl ChannelWatch {
    fn tick(
        &mut self,
        ix: ChannelIx,
        decision: &Decision,
        (cameras, fillers): (&[CameraWatch], &[CameraWatch]),
        now: &Ticked<'_>,
        shortest: Span,
    ) {
        let Some(scheduler) = now.switcher.channel(ix) else { return };
        let Some(on_air) = decision.program.on_air() else {
            self.settle();
            self.actual.end(now.from);
            self.intent.end(now.from);
            self.marks.iter_mut().for_each(|(_, runs)| runs.end(now.from));
            return;
        };
        let intent = scheduler.intent();
        let source = scheduler.source_name(intent.source).unwrap_or_default().to_owned();
        self.intent.set(now.from, Asked { source, filler: intent.filler });
        let camera = |SourceIx(source): SourceIx| cameras.get((*self.sources.get(source)?)?);
        // A scene is missed where it is held: when all of its boxes are lost.
        let scene = match decision.freshness {
            Freshness::Live => Given { picture: PictureSeen::Live, sound: SoundHeard::Live, why: None },
            Freshness::Held => Given {
                picture: PictureSeen::Frozen,
                sound: SoundHeard::Silence,
                why: Some("all of its cameras are lost: the last pictures are held"),
            },
        };
        let seen = match on_air {
            OnAir::Source(source) => Some(camera(source).map_or(scene, |camera| camera.given)),
            OnAir::Filler => self.filler.and_then(|ix| fillers.get(ix)).map(|filler| filler.given),
            OnAir::Black => None,
        };
        let seen = seen.unwrap_or(Given {
            picture: PictureSeen::Black,
            sound: SoundHeard::Silence,
            why: Some("there is nothing to show"),
        });
        let heard = match decision.heard {
            Heard::Source { source, .. } => camera(source).map_or(seen.sound, |camera| camera.given.sound),
            Heard::Picture => seen.sound,
        };
        let line = match on_air {
            OnAir::Source(source) => camera(source).and_then(|camera| camera.over.now().cloned().flatten()),
            OnAir::Filler | OnAir::Black => None,
        };
        let now_on_air = OnAirNow {
            kind: match on_air {
                OnAir::Source(_) => OnAirKind::Source,
                OnAir::Filler => OnAirKind::Filler,
                OnAir::Black => OnAirKind::Black,
            },
            source: scheduler.name_of(on_air).map(str::to_owned),
            line,
            reason: scheduler.on_air().map_or("start", |standing| standing.reason.as_str()),
            picture: seen.picture,
            sound: heard,
            why: seen.why,
        };
        let mixes = matches!(decision.program, Program::Mix { .. });
        self.put(now_on_air, mixes, now, shortest);
    }

    /// How its watermarks are at a tick that is not beyond the end.
    /// `shown` is when that is by the engine's own clock.
    fn mark(&mut self, states: &MarkStates, at: Time, shown: Time) {
        if self.actual.now().is_none() && self.late.is_empty() {
            return;
        }
        for graphic in &states.graphics {
            let known = self.marks.iter().position(|(name, _)| *name == graphic.name);
            let place = known.unwrap_or_else(|| {
                self.marks.push((graphic.name.clone(), Runs::default()));
                self.marks.len() - 1
            });
            let seen = match graphic.fade.state() {
                _ if graphic.fade.is_on_its_way(shown) => Seen::Fading,
                Switch::On => Seen::On,
                Switch::Off => Seen::Off,
            };
            let put = graphic.put.to();
            let is =
                |marked: &Marked| (marked.seen, marked.put) == (seen, put) && marked.text == graphic.text;
            if let Some((_, runs)) = self.marks.get_mut(place)
                && !runs.now().is_some_and(is)
            {
                runs.set(at, Marked { seen, text: graphic.text.clone(), put });
            }
        }
    }

    /// Takes in a tick; what is missing is missing from its first tick on once it is missed.
    fn put(&mut self, what: OnAirNow, mixes: bool, now: &Ticked<'_>, shortest: Span) {
        let is_missing = what.picture != PictureSeen::Live && !mixes;
        let picture = self.picture.told(is_missing, now.from, now.to, shortest);
        let sound = self.sound.told(what.sound != SoundHeard::Live, now.from, now.to, shortest);
        self.late.push_back(Late { at: now.from, what, eyes: Missed::No, ears: Missed::No });
        for late in self.late.iter_mut().rev() {
            if picture.is_some_and(|since| late.at >= since) {
                late.eyes = Missed::Yes;
            }
            if sound.is_some_and(|since| late.at >= since) {
                late.ears = Missed::Yes;
            }
        }
        // Of older ones it is known.
        while self.late.front().is_some_and(|late| now.to - late.at > shortest.times(2)) {
            if let Some(late) = self.late.pop_front() {
                self.actual.set(late.at, late.told());
            }
        }
    }

    /// No tick follows: what is not missed by now is not.
    fn settle(&mut self) {
        while let Some(late) = self.late.pop_front() {
            self.actual.set(late.at, late.told());
        }
    }
}

impl Late {
    fn told(mut self) -> OnAirNow {
        if self.eyes == Missed::No {
            self.what.picture = PictureSeen::Live;
        }
        if self.ears == Missed::No {
            self.what.sound = SoundHeard::Live;
        }
        if (self.eyes, self.ears) == (Missed::No, Missed::No) {
            self.what.why = None;
        }
        self.what
    }
}
