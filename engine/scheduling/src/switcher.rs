//! The whole show's switching behind one door: input in, time as an argument, output out.

mod feed;
mod go_on;
mod reload;
mod saved;

use std::collections::VecDeque;

use media::{FrameRate, Tick, Time};
use pipeline_dsl::{MarkOrder, Rundown, SceneOrder, Show, TimeOfDay};
use serde::{Deserialize, Serialize};

use crate::channel::ChannelScheduler;
use crate::decision::Decision;
use crate::event::{Code, Event, EventQueue};
use crate::line::{Duty, LineChange, LineIx, LineSelector, LineView, NotChosen};
use crate::plan::PlanError;
use crate::rundown::Ending;
use crate::scene::{SceneIx, SceneScheduler};
use crate::take::{Command, Effect, Refusal, RefusalCode};
use crate::view::SourceView;
use feed::Feed;
pub use go_on::{LeftOut, NotGoneOn};
pub use reload::ReloadError;
pub use saved::SavedSwitcher;

/// A camera or a filler, by its place in the show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedIx {
    /// A camera.
    Camera(usize),
    /// A filler: a camera of one line.
    Filler(usize),
}

/// A channel, by its place in the show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelIx(pub usize);

/// What a switcher is told.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// How a line stands; it holds until it is told anew.
    Line {
        /// Whose line.
        feed: FeedIx,
        /// Which.
        line: LineIx,
        /// How it stands.
        view: LineView,
    },
    /// A director's command.
    Command {
        /// To which channel.
        channel: ChannelIx,
        /// What.
        command: &'a Command,
    },
    /// A director chooses a camera's line; `None` leaves it to the rules again.
    Choose {
        /// The camera's name.
        camera: &'a str,
        /// The line's.
        line: Option<&'a str>,
    },
    /// Something of a scene.
    Scene {
        /// The scene's name.
        scene: &'a str,
        /// What.
        order: &'a SceneOrder,
    },
    /// Another rundown for its channel.
    Rundown(&'a Rundown),
    /// The time of day, UTC, at show time 0.
    Clock(TimeOfDay),
    /// Time has passed: the tick that `now` belongs to is decided.
    Tick,
}

/// What comes of an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It was taken in.
    Noted,
    /// The command leads to this.
    Taken(Effect),
    /// The line is chosen.
    Chosen(LineChosen),
    /// The scene is changed from this tick on: the next one decided.
    Scene(Tick),
}

/// A choice of line that was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineChosen {
    /// The tick it acts at: the next one decided.
    pub tick: Tick,
    /// The line; `None` while the rules choose.
    pub line: Option<LineIx>,
}

/// What a switcher says.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// A camera (or filler) goes over to another line with this tick.
    Line {
        /// Whose line.
        feed: FeedIx,
        /// From which to which, and why.
        change: LineChange,
    },
    /// A line is to be decoded, or only kept, from now on.
    Duty {
        /// Whose line.
        feed: FeedIx,
        /// Which.
        line: LineIx,
        /// What to do with it.
        duty: Duty,
    },
    /// Something of a channel's watermark, from this tick on.
    Watermark {
        /// Which channel.
        channel: ChannelIx,
        /// What.
        order: MarkOrder,
    },
    /// What a channel shows and plays at this tick, and whether it has a key frame.
    Program {
        /// Which channel.
        channel: ChannelIx,
        /// The decision.
        decision: Decision,
    },
    /// Something happened.
    Event(Event),
}

/// Where a channel's source is among the show's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourcePlace {
    /// A camera.
    Camera(usize),
    /// A scene.
    Scene(SceneIx),
}

impl SourcePlace {
    /// Where the source of this name is; `None` if there is none.
    pub fn find(show: &Show, name: &str) -> Option<Self> {
        let camera = show.cameras.iter().position(|camera| camera.name == name).map(Self::Camera);
        let scene = || show.scenes.iter().position(|scene| scene.name == name);
        camera.or_else(|| scene().map(|ix| Self::Scene(SceneIx(ix))))
    }
}

/// A channel, and where its sources are among the show's.
#[derive(Clone, PartialEq, Debug)]
struct Bus {
    scheduler: ChannelScheduler,
    sources: Vec<SourcePlace>,
    filler: Option<usize>,
}

/// Decides for a whole show, tick by tick: which line each camera comes over, and what each
/// channel shows and plays, and why.
///
/// It has no clock: [`handle`](Self::handle) is told what is new and what time it is, in show
/// time; [`poll`](Self::poll) is called until it has nothing more to say; and
/// [`next_deadline`](Self::next_deadline) is when [`Input::Tick`] is due next. The same inputs
/// give the same outputs, always, and over [`save`](Self::save) and [`resume`](Self::resume) too.
///
/// ```
/// use media::{Tick, Time};
/// use scheduling::{ChannelIx, FeedIx, Input, LineIx, LineView, OnAir, Output, SourceIx, Switcher};
///
/// let show = pipeline_dsl::parse_show(r#"show tour {
///   video 1280x720 25fps
///   camera main { line fiber push "rtmp:live/a"; line backpack push "rtmp:live/b" }
///   ladder one { rung 720p 1280x720 2500k }
///   channel program { sources main; ladder one; egress web serve http-flv }
/// }"#).map_err(|_| "not valid")?;
/// let mut switcher = Switcher::new(&show)?;
///
/// let live = |line| Input::Line { feed: FeedIx::Camera(0), line: LineIx(line), view: LineView::LIVE };
/// switcher.handle(live(0), Time::ZERO)?;
/// switcher.handle(live(1), Time::ZERO)?;
/// switcher.handle(Input::Choose { camera: "main", line: None }, Time::ZERO)?;
/// switcher.handle(Input::Tick, Time::ZERO)?;
///
/// let mut shown = None;
/// while let Some(output) = switcher.poll() {
///     if let Output::Program { channel: ChannelIx(0), decision } = output {
///         shown = decision.program.on_air();
///     }
/// }
/// assert_eq!(shown, Some(OnAir::Source(SourceIx(0))));
/// assert_eq!(switcher.next_deadline(), Some(Time::from_millis(40)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Switcher {
    rate: FrameRate,
    cameras: Vec<Feed>,
    fillers: Vec<Feed>,
    scenes: Vec<SceneScheduler>,
    channels: Vec<Bus>,
    decided: Option<Tick>,
    events: EventQueue,
    /// What the last tick came to and was not fetched yet.
    outputs: VecDeque<Output>,
    /// A channel's sources, while it is decided.
    views: Vec<SourceView>,
}

impl Switcher {
    /// For a show, before its first tick.
    ///
    /// # Errors
    /// A channel that cannot be scheduled.
    pub fn new(show: &Show) -> Result<Self, PlanError> {
        let cameras = show.cameras.iter().map(|camera| {
            let lines = camera.lines.iter().map(|line| line.name.clone()).collect();
            Feed::new(&camera.name, lines, camera.failover)
        });
        let filler = |filler: &pipeline_dsl::Filler| {
            Feed::new(&filler.name, vec![filler.name.clone()], pipeline_dsl::Failover::default())
        };
        let bus = |channel: &pipeline_dsl::Channel| {
            let scheduler = ChannelScheduler::new(show, channel)?;
            let unknown = |name: &String| PlanError::Unknown {
                channel: channel.name.clone(),
                kind: "source",
                name: name.clone(),
                legal: show
                    .cameras
                    .iter()
                    .map(|camera| camera.name.clone())
                    .chain(show.scenes.iter().map(|scene| scene.name.clone()))
                    .collect(),
            };
            let place = |name: &String| SourcePlace::find(show, name).ok_or_else(|| unknown(name));
            let sources = channel.sources.iter().map(place);
            let filler = channel.filler.as_ref();
            Ok(Bus {
                scheduler,
                sources: sources.collect::<Result<_, _>>()?,
                filler: filler.and_then(|f| show.fillers.iter().position(|model| model.name == f.name)),
            })
        };
        Ok(Self {
            rate: show.video.rate,
            cameras: cameras.collect(),
            fillers: show.fillers.iter().map(filler).collect(),
            scenes: show
                .scenes
                .iter()
                .map(|scene| SceneScheduler::new(show, scene))
                .collect::<Result<_, _>>()?,
            channels: show.channels.iter().map(bus).collect::<Result<_, _>>()?,
            decided: None,
            events: EventQueue::default(),
            outputs: VecDeque::new(),
            views: Vec::new(),
        })
    }

    /// Takes in what is new at `now`, in show time. Commands and choices act at the first tick
    /// from `now` on that has not been decided.
    ///
    /// # Errors
    /// A command, choice or rundown that cannot be, with what could; nothing has changed then.
    /// The other inputs are always taken.
    pub fn handle(&mut self, input: Input<'_>, now: Time) -> Result<Answer, Refusal> {
        match input {
            Input::Line { feed, line, view } => {
                if let Some(slot) = self.feed_mut(feed).and_then(|feed| feed.views.get_mut(line.0)) {
                    *slot = view;
                }
            }
            Input::Command { channel, command } => {
                let at = self.rate.tick_from(now).max(self.next_tick());
                let legal = || self.channels.iter().map(|bus| bus.scheduler.name().to_owned()).collect();
                if channel.0 >= self.channels.len() {
                    let message = format!("there is no channel of number {}", channel.0);
                    return Err(Refusal { code: RefusalCode::UnknownChannel, message, legal: legal() });
                }
                if let Some(bus) = self.channels.get_mut(channel.0) {
                    return bus.scheduler.handle(command, at).map(Answer::Taken);
                }
            }
            Input::Choose { camera, line } => return self.choose(camera, line, now).map(Answer::Chosen),
            Input::Scene { scene, order } => return self.arrange(scene, order, now).map(Answer::Scene),
            Input::Rundown(rundown) => self.set_rundown(rundown)?,
            Input::Clock(zero) => {
                self.channels.iter_mut().for_each(|bus| bus.scheduler.set_clock(zero));
            }
            Input::Tick => self.tick(now),
        }
        Ok(Answer::Noted)
    }

    /// What it has to say next; `None` once it has said everything. What a tick came to is to
    /// be fetched before the next one: it is of no use after that. Events are kept (1024).
    pub fn poll(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let own = self.events.pop("show");
        own.or_else(|| self.channels.iter_mut().find_map(|bus| bus.scheduler.poll_event())).map(Output::Event)
    }

    /// When the next tick is; `None` once every channel is over.
    pub fn next_deadline(&self) -> Option<Time> {
        let over = !self.channels.is_empty() && self.channels.iter().all(|bus| bus.scheduler.is_over());
        (!over).then(|| self.rate.time_of(self.next_tick()))
    }

    /// When the show ends by its rundowns, as things stand: with the last channel that has an
    /// end. `None` if none has, or if one waits for the director's word.
    pub fn end(&self) -> Option<Time> {
        let mut latest = None;
        for bus in &self.channels {
            match bus.scheduler.ending() {
                Ending::Never => {}
                Ending::At(tick) => latest = latest.max(Some(tick)),
                Ending::Open => return None,
            }
        }
        latest.map(|tick| self.rate.time_of(tick))
    }

    /// The next tick to decide, if none is skipped.
    pub fn next_tick(&self) -> Tick {
        self.decided.map_or(Tick(0), |tick| Tick(tick.0.saturating_add(1)))
    }

    /// A channel, to ask it for its intent, its cues and what is on air.
    pub fn channel(&self, channel: ChannelIx) -> Option<&ChannelScheduler> {
        self.channels.get(channel.0).map(|bus| &bus.scheduler)
    }

    /// A scene, to ask it for its layout and its boxes.
    pub fn scene(&self, scene: SceneIx) -> Option<&SceneScheduler> {
        self.scenes.get(scene.0)
    }

    /// A camera's or filler's lines, to ask which is shown, chosen or suspect.
    pub fn lines(&self, feed: FeedIx) -> Option<&LineSelector> {
        self.feed(feed).map(|feed| &feed.selector)
    }

    /// How a camera or filler stood at the last tick.
    pub fn view(&self, feed: FeedIx) -> Option<SourceView> {
        self.feed(feed).map(|feed| feed.shown)
    }

    fn feed(&self, feed: FeedIx) -> Option<&Feed> {
        match feed {
            FeedIx::Camera(ix) => self.cameras.get(ix),
            FeedIx::Filler(ix) => self.fillers.get(ix),
        }
    }
    fn feed_mut(&mut self, feed: FeedIx) -> Option<&mut Feed> {
        match feed {
            FeedIx::Camera(ix) => self.cameras.get_mut(ix),
            FeedIx::Filler(ix) => self.fillers.get_mut(ix),
        }
    }

    fn tick(&mut self, now: Time) {
        let tick = self.rate.tick_at(now);
        if tick < self.next_tick() {
            return;
        }
        self.outputs.clear();
        let at = self.rate.time_of(tick);
        for (ix, camera) in self.cameras.iter_mut().enumerate() {
            camera.tick(FeedIx::Camera(ix), tick, at, &mut self.outputs, &mut self.events);
        }
        for (ix, filler) in self.fillers.iter_mut().enumerate() {
            filler.tick(FeedIx::Filler(ix), tick, at, &mut self.outputs, &mut self.events);
        }
        let view = |feeds: &[Feed], ix: usize| feeds.get(ix).map_or(SourceView::NEVER, |feed| feed.shown);
        // What cues ask of scenes is seen at their tick.
        let channels = if self.scenes.is_empty() { &mut [] } else { self.channels.as_mut_slice() };
        for bus in channels {
            for (SceneIx(ix), op) in bus.scheduler.begin(tick) {
                if let Some(scene) = self.scenes.get_mut(ix) {
                    scene.apply(op, tick, &mut self.events);
                }
            }
        }
        for scene in &mut self.scenes {
            let camera = |ix| view(&self.cameras, ix);
            scene.decide(tick, at, camera, |ix| view(&self.fillers, ix), &mut self.events);
        }
        for (ix, bus) in self.channels.iter_mut().enumerate().filter(|(_, bus)| !bus.scheduler.is_over()) {
            self.views.clear();
            self.views.extend(bus.sources.iter().map(|source| match *source {
                SourcePlace::Camera(ix) => view(&self.cameras, ix),
                SourcePlace::Scene(SceneIx(ix)) => {
                    self.scenes.get(ix).map_or(SourceView::NEVER, SceneScheduler::view)
                }
            }));
            let filler = bus.filler.map(|filler| view(&self.fillers, filler));
            let decision = bus.scheduler.decide(tick, &self.views, filler);
            let marks = bus.scheduler.take_marks().into_iter();
            self.outputs.extend(marks.map(|order| Output::Watermark { channel: ChannelIx(ix), order }));
            self.outputs.push_back(Output::Program { channel: ChannelIx(ix), decision });
        }
        self.views.clear();
        self.decided = Some(tick);
    }

    fn choose(&mut self, camera: &str, line: Option<&str>, now: Time) -> Result<LineChosen, Refusal> {
        let tick = self.rate.tick_from(now).max(self.next_tick());
        let Some(feed) = self.cameras.iter_mut().find(|feed| feed.name == camera) else {
            return Err(Refusal {
                code: RefusalCode::UnknownCamera,
                message: format!("there is no camera {camera:?}"),
                legal: self.cameras.iter().map(|feed| feed.name.clone()).collect(),
            });
        };
        let named = |line: &str| feed.lines.iter().position(|name| name == line);
        let (place, unknown) = match line {
            None => (None, false),
            Some(name) => (named(name), named(name).is_none()),
        };
        let place = place.map(LineIx);
        let chosen = if unknown { Err(NotChosen::Unknown) } else { feed.selector.choose(place) };
        chosen.map(|()| LineChosen { tick, line: place }).map_err(|why| {
            let line = line.unwrap_or_default();
            let (code, message) = match why {
                NotChosen::Unknown => {
                    (RefusalCode::UnknownLine, format!("camera {camera} has no line {line:?}"))
                }
                NotChosen::Lost => {
                    (RefusalCode::LineLost, format!("line {line} of camera {camera} has no current picture"))
                }
            };
            let lines = feed.lines.iter().enumerate();
            let well =
                lines.filter(|(ix, _)| why == NotChosen::Unknown || feed.selector.is_well(LineIx(*ix)));
            let legal = well.map(|(_, name)| name.clone()).chain(["auto".to_owned()]).collect();
            Refusal { code, message, legal }
        })
    }

    fn arrange(&mut self, scene: &str, order: &SceneOrder, now: Time) -> Result<Tick, Refusal> {
        let tick = self.rate.tick_from(now).max(self.next_tick());
        let names = || self.scenes.iter().map(|scene| scene.name().to_owned()).collect();
        let place = self.scenes.iter().position(|known| known.name() == scene);
        let unknown = || Refusal::unknown(RefusalCode::UnknownScene, "scene", scene, names());
        let place = place.ok_or_else(unknown)?;
        if let Some(scene) = self.scenes.get_mut(place) {
            scene.handle(order, tick, &mut self.events)?;
        }
        Ok(tick)
    }

    fn set_rundown(&mut self, rundown: &Rundown) -> Result<(), Refusal> {
        let names = || self.channels.iter().map(|bus| bus.scheduler.name().to_owned()).collect();
        let Some(place) = self.channels.iter().position(|bus| bus.scheduler.name() == rundown.channel) else {
            let message = format!("there is no channel {:?}", rundown.channel);
            return Err(Refusal { code: RefusalCode::UnknownChannel, message, legal: names() });
        };
        let Some(bus) = self.channels.get_mut(place) else { return Ok(()) };
        bus.scheduler.set_rundown(rundown).map_err(|error| match error {
            PlanError::Cue { ref refusal, .. } => {
                Refusal { code: refusal.code, message: error.to_string(), legal: refusal.legal.clone() }
            }
            other => {
                Refusal { code: RefusalCode::UnknownChannel, message: other.to_string(), legal: Vec::new() }
            }
        })
    }
}

/// An event about a camera, a line of it, or a filler.
fn event(tick: Tick, code: Code, subject: String, message: String) -> Event {
    Event { tick, code, subject, message }
}
