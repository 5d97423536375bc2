//! A scene, tick by tick: where its boxes stand, what each shows, and how loud it is heard.
//!
//! # Rules
//! - A box shows its camera's current picture. Over a hole it holds the last one for the scene's
//!   `after`, then shows its own filler, or its colour for want of one; it is back with the
//!   camera's next clean picture. It is heard while it shows a current picture, or its filler.
//! - The scene itself is lost only while the cameras of all the boxes that are there are.
//! - A change of layout is cut, or takes its time: boxes go to their new places, eased, those that
//!   come grow from the middle of theirs, and those that leave shrink. A change during a change
//!   goes on from where the boxes are. What is heard goes with it.
//! - A change asks for no key frame: the source on air is the same, and encoders find what has
//!   changed by themselves. One that animated would ask for one at every tick.
//!
//! ```
//! use media::{Tick, Time};
//! use pipeline_dsl::SceneOrder;
//! use scheduling::{FeedIx, Input, LineIx, LineView, SceneIx, Switcher};
//!
//! let show = pipeline_dsl::parse_show(r#"show talk {
//!   video 1280x720 25fps
//!   camera main { line a test bars }
//!   camera karry { line a test motion }
//!   scene duo { layout side-by-side; box host camera=main; box guest camera=karry }
//!   ladder one { rung 720p 1280x720 2500k }
//!   channel program { sources duo; ladder one; egress disk record "a.flv" }
//! }"#).map_err(|_| "not valid")?;
//! let mut switcher = Switcher::new(&show)?;
//! let width = |switcher: &Switcher| {
//!     let scene = switcher.scene(SceneIx(0))?;
//!     Some(scene.boxes()[1].frame?.inner.size.width)
//! };
//! switcher.handle(Input::Tick, Time::ZERO)?;
//! assert_eq!(width(&switcher), Some(640));
//!
//! let order = SceneOrder::Layout { layout: "pip".into(), over: None };
//! switcher.handle(Input::Scene { scene: "duo", order: &order }, Time::from_millis(40))?;
//! switcher.handle(Input::Tick, Time::from_millis(40))?;
//! assert_eq!(width(&switcher), Some(320));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod motion;
mod names;
mod saved;

use media::{Tick, Time};
use pipeline_dsl::{Framed, Gain, Name, Rgb, Scene, SceneOrder, Show};
use serde::{Deserialize, Serialize};

use crate::decision::Fader;
use crate::event::{Code, Event, EventQueue};
use crate::plan::PlanError;
use crate::take::{Refusal, Strip};
use crate::view::{Look, Picture, SourceView};
use motion::Motion;
pub(crate) use names::{SceneNames, SceneOp};
pub use saved::SavedScene;

/// A scene, by its place in the show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SceneIx(pub usize);

/// What a box shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxPicture {
    /// Its camera's current picture.
    Live,
    /// Its camera's last picture, over a hole.
    Held,
    /// Its own filler.
    Filler,
    /// Its colour.
    Empty,
}

/// A box at a tick.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BoxShot {
    /// Where it is drawn; `None` if it is not.
    pub frame: Option<Framed>,
    /// The higher one stands before the lower one, a later one before an earlier one.
    pub z: u8,
    /// What it shows.
    pub picture: BoxPicture,
    /// Where the gain of its camera's sound is led to.
    pub camera: Fader,
    /// The same for its filler's.
    pub filler: Fader,
}

/// What never changes of a box.
#[derive(Clone, PartialEq, Debug)]
struct BoxPlan {
    name: Name,
    /// The camera's place in the show, and its name.
    camera: usize,
    camera_name: Name,
    /// The filler's place in the show.
    filler: Option<usize>,
    color: Rgb,
    /// How loud it is heard at the beginning.
    level: Gain,
}

/// Where a box stands.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Stood {
    frame: Framed,
    z: u8,
}

/// Whether a box waits for a clean picture of its camera.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Cover {
    Open,
    Covered,
}

/// What never changes of a scene.
#[derive(Clone, PartialEq, Debug)]
struct ScenePlan {
    name: Name,
    color: Rgb,
    after: media::Span,
    names: SceneNames,
    /// The layout it begins in, by its name.
    first: Name,
    rate: media::FrameRate,
    boxes: Vec<BoxPlan>,
    /// Where the boxes stand in each layout, in the order of the names.
    layouts: Vec<Vec<Option<Stood>>>,
}

/// Everything that changes while it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct SceneState {
    /// The layout, by its place among the names.
    layout: usize,
    motion: Option<Motion>,
    strips: Vec<Strip>,
    covers: Vec<Cover>,
}

/// Decides, for every tick of one scene, where its boxes stand and what each shows.
#[derive(Clone, PartialEq, Debug)]
pub struct SceneScheduler {
    plan: ScenePlan,
    state: SceneState,
    /// The boxes at the tick decided last.
    shots: Vec<BoxShot>,
    view: SourceView,
}

impl SceneScheduler {
    /// For a scene of the show, before its first tick.
    ///
    /// # Errors
    /// No box or more than 16, or a name that leads nowhere.
    pub fn new(show: &Show, scene: &Scene) -> Result<Self, PlanError> {
        let wrong = |what: String, legal: Vec<&Name>| PlanError::Scene {
            scene: scene.name.clone(),
            what,
            legal: legal.into_iter().cloned().collect(),
        };
        if scene.boxes.is_empty() || scene.boxes.len() > pipeline_dsl::MOST_BOXES {
            let legal = vec![format!("1 to {}", pipeline_dsl::MOST_BOXES)];
            let what = format!("has {} boxes", scene.boxes.len());
            return Err(PlanError::Scene { scene: scene.name.clone(), what, legal });
        }
        let mut boxes = Vec::with_capacity(scene.boxes.len());
        for part in &scene.boxes {
            let camera = show.cameras.iter().position(|camera| camera.name == part.camera);
            let unknown = || {
                let legal = show.cameras.iter().map(|camera| &camera.name).collect();
                wrong(format!("asks for camera {}, which the show does not have", part.camera), legal)
            };
            let filler = match &part.filler {
                None => None,
                Some(name) => {
                    let place = show.fillers.iter().position(|filler| filler.name == *name);
                    let legal = || show.fillers.iter().map(|filler| &filler.name).collect();
                    let what = format!("asks for filler {name}, which the show does not have");
                    Some(place.ok_or_else(|| wrong(what, legal()))?)
                }
            };
            boxes.push(BoxPlan {
                name: part.name.clone(),
                camera: camera.ok_or_else(unknown)?,
                camera_name: part.camera.clone(),
                filler,
                color: part.color,
                level: part.level,
            });
        }
        let names = SceneNames::new(show, scene);
        let layouts = names.layouts.iter().map(|layout| stood(show, scene, layout)).collect();
        let unknown = |refusal: Refusal| PlanError::Scene {
            scene: scene.name.clone(),
            what: format!("begins in layout {}, which the show does not have", scene.layout),
            legal: refusal.legal,
        };
        let layout = names.layout(&scene.layout).map_err(unknown)?;
        let count = boxes.len();
        let strip = |part: &pipeline_dsl::SceneBox| Strip { gain: part.level, ..Strip::UNITY };
        let shot = BoxShot {
            frame: None,
            z: 0,
            picture: BoxPicture::Empty,
            camera: Fader::Quick(0.0),
            filler: Fader::Quick(0.0),
        };
        Ok(Self {
            plan: ScenePlan {
                name: scene.name.clone(),
                color: scene.color,
                after: scene.after,
                rate: show.video.rate,
                names,
                first: scene.layout.clone(),
                boxes,
                layouts,
            },
            state: SceneState {
                layout,
                motion: None,
                strips: scene.boxes.iter().map(strip).collect(),
                covers: vec![Cover::Open; count],
            },
            shots: vec![shot; count],
            view: SourceView::NEVER,
        })
    }

    /// The scene's name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }
    /// What is seen where no box stands.
    pub const fn color(&self) -> Rgb {
        self.plan.color
    }
    /// The layout it has, or goes over to.
    pub fn layout(&self) -> &str {
        self.plan.names.layouts.get(self.state.layout).map_or("", String::as_str)
    }
    /// The layouts it can be given.
    pub fn layouts(&self) -> &[Name] {
        &self.plan.names.layouts
    }
    /// The first tick at which its boxes stand where they belong, while they move.
    pub fn settled_at(&self) -> Option<Tick> {
        self.state.motion.as_ref().map(Motion::end)
    }
    /// Its boxes at the tick decided last, in the order of the show file.
    pub fn boxes(&self) -> &[BoxShot] {
        &self.shots
    }
    /// How it stood as a source at the tick decided last.
    pub const fn view(&self) -> SourceView {
        self.view
    }
    /// A box's name, by its place.
    pub fn box_name(&self, place: usize) -> Option<&str> {
        self.plan.boxes.get(place).map(|part| part.name.as_str())
    }
    /// The place of a box's camera among the show's, and its name.
    pub fn camera(&self, place: usize) -> Option<(usize, &str)> {
        self.plan.boxes.get(place).map(|part| (part.camera, part.camera_name.as_str()))
    }
    /// The place of a box's filler among the show's.
    pub fn filler(&self, place: usize) -> Option<usize> {
        self.plan.boxes.get(place).and_then(|part| part.filler)
    }
    /// The colour of a box's border, and of the box while it has no picture.
    pub fn box_color(&self, place: usize) -> Option<Rgb> {
        self.plan.boxes.get(place).map(|part| part.color)
    }
    /// How a box is heard.
    pub fn strip(&self, place: usize) -> Strip {
        self.state.strips.get(place).copied().unwrap_or(Strip::UNITY)
    }

    /// Takes what a director asks of it, from `tick` on.
    ///
    /// # Errors
    /// A layout or a box there is not, with those there are. Nothing has changed then.
    pub(crate) fn handle(
        &mut self,
        order: &SceneOrder,
        tick: Tick,
        events: &mut EventQueue,
    ) -> Result<(), Refusal> {
        let op = self.plan.names.op(order, self.plan.rate)?;
        self.apply(op, tick, events);
        Ok(())
    }

    /// Carries out what was looked up.
    pub(crate) fn apply(&mut self, op: SceneOp, tick: Tick, events: &mut EventQueue) {
        let before = (self.state.layout, self.state.strips.clone());
        match op {
            SceneOp::Layout(layout, ticks) if layout < self.plan.layouts.len() => {
                if self.state.layout == layout {
                    return;
                }
                // From where they were seen last.
                let from = self.stands(Tick(tick.0.saturating_sub(1)));
                self.state.layout = layout;
                self.state.motion = (ticks > 0).then(|| Motion::new(from, tick, ticks));
            }
            SceneOp::Layout(..) => {}
            SceneOp::Level(place, gain) => {
                if let Some(strip) = self.state.strips.get_mut(place) {
                    strip.gain = gain;
                }
            }
            SceneOp::Mute(place, mute) => {
                if let Some(strip) = self.state.strips.get_mut(place) {
                    strip.mute = mute;
                }
            }
        }
        if before != (self.state.layout, self.state.strips.clone()) {
            let message = self.plan.names.words(op);
            events.push(Event { tick, code: Code::Scene, subject: self.plan.name.clone(), message });
        }
    }

    /// Where the boxes stand at a tick, and how much of each is there.
    fn stands(&self, tick: Tick) -> Vec<(Option<Stood>, f32)> {
        let none = Vec::new();
        let to = self.plan.layouts.get(self.state.layout).unwrap_or(&none);
        let at_rest = || to.iter().map(|stood| (*stood, if stood.is_some() { 1.0 } else { 0.0 })).collect();
        match &self.state.motion {
            Some(motion) if motion.is_on(tick) => motion.stands(tick, to),
            _ => at_rest(),
        }
    }

    /// Decides a tick: `camera` and `filler` tell how those of the show stand.
    pub(crate) fn decide(
        &mut self,
        tick: Tick,
        now: Time,
        camera: impl Fn(usize) -> SourceView,
        filler: impl Fn(usize) -> SourceView,
        events: &mut EventQueue,
    ) {
        self.state.motion = self.state.motion.take().filter(|motion| motion.is_on(tick));
        let moves = self.state.motion.is_some();
        let stands = self.stands(tick);
        let after = self.plan.after;
        let boxes = self.plan.boxes.iter().zip(&mut self.state.covers).zip(&self.state.strips);
        for (((part, cover), strip), ((stood, there), shot)) in boxes.zip(stands.iter().zip(&mut self.shots))
        {
            let before = *cover;
            let seen = match (camera(part.camera).look(now, after), before) {
                (Look::Fresh, _) | (Look::Rough, Cover::Open) => Some(BoxPicture::Live),
                (Look::Last, Cover::Open) => Some(BoxPicture::Held),
                // The first picture may be on its way.
                (Look::Nothing, Cover::Open) if now < Time::ZERO + after => Some(BoxPicture::Empty),
                (Look::Rough | Look::Last | Look::Gone | Look::Nothing, _) => None,
            };
            *cover = if seen.is_some() { Cover::Open } else { Cover::Covered };
            let own = || {
                let view = filler(part.filler?);
                let can = matches!(view.look(now, after), Look::Fresh | Look::Rough | Look::Last);
                can.then_some(BoxPicture::Filler)
            };
            let picture = seen.or_else(own).unwrap_or(BoxPicture::Empty);
            let gain = strip.factor() * there;
            let fader = |heard: bool| {
                let to = if heard { gain } else { 0.0 };
                if moves { Fader::Slow(to) } else { Fader::Quick(to) }
            };
            *shot = BoxShot {
                frame: stood.map(|stood| stood.frame).filter(|frame| frame.is_drawn()),
                z: stood.map_or(0, |stood| stood.z),
                picture,
                camera: fader(picture == BoxPicture::Live),
                filler: fader(picture == BoxPicture::Filler),
            };
            if *cover != before {
                let subject = format!("{}/{}", self.plan.name, part.name);
                let (code, message) = match cover {
                    Cover::Covered => {
                        let instead = match picture {
                            BoxPicture::Filler => "the box shows its filler",
                            _ => "the box is empty",
                        };
                        (Code::BoxLost, format!("no picture of {}: {instead}", part.camera_name))
                    }
                    Cover::Open => (Code::BoxBack, format!("{} is back", part.camera_name)),
                };
                events.push(Event { tick, code, subject, message });
            }
        }
        let there = self.plan.boxes.iter().zip(&stands).filter(|(_, (stood, _))| stood.is_some());
        self.view = together(there.map(|(part, _)| camera(part.camera)));
    }
}

fn stood(show: &Show, scene: &Scene, layout: &str) -> Vec<Option<Stood>> {
    let canvas = show.video.size;
    let stands = show.stands(scene, layout).unwrap_or_default();
    let frame = |(stand, part): (Option<pipeline_dsl::Stand>, &pipeline_dsl::SceneBox)| {
        let stand = stand?;
        let frame = Framed::new(stand.area, stand.fit, part.crop, part.border, canvas)?;
        Some(Stood { frame, z: stand.z })
    };
    stands.into_iter().zip(&scene.boxes).map(frame).collect()
}

/// How sources stand together: as the best of them does.
fn together(views: impl Iterator<Item = SourceView>) -> SourceView {
    // Nothing is there that could be lost.
    let mut whole = Picture::Current;
    for (place, view) in views.enumerate() {
        whole = match (whole, view.picture) {
            (_, picture) if place == 0 => picture,
            (Picture::Current, _) | (_, Picture::Current) => Picture::Current,
            (Picture::Damaged, _) | (_, Picture::Damaged) => Picture::Damaged,
            (Picture::Never, other) | (other, Picture::Never) => other,
            (Picture::Ended { since: a }, Picture::Ended { since: b }) => Picture::Ended { since: a.max(b) },
            (
                Picture::Missing { since: a } | Picture::Ended { since: a },
                Picture::Missing { since: b } | Picture::Ended { since: b },
            ) => Picture::Missing { since: a.max(b) },
        };
    }
    SourceView { picture: whole, line: None }
}
