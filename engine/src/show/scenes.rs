//! A scene at a tick: its boxes filled with what their cameras gave, and their sound mixed.

use std::sync::Arc;

use codecs::{Rgb, Tile};
use media::{Size, Span, Time};
use pipeline_dsl as dsl;
use scheduling::{BoxPicture, SceneIx, SceneScheduler, Switcher};

use crate::channel::limiter::Limiter;
use crate::channel::scene::{SceneShot, SceneStage, Seen};
use crate::channel::sound::{Part, SoundDesk};
use crate::report::{BoxReport, SceneReport};
use crate::show::cameras::CameraRun;
use crate::status::{BoxStatus, SceneStatus};

/// A scene of the show.
pub(crate) struct SceneRun {
    ix: SceneIx,
    stage: Arc<SceneStage>,
    /// The camera and the filler of each box, side by side.
    desk: SoundDesk,
    limiter: Limiter,
    shot: Option<Arc<SceneShot>>,
    /// Interleaved samples of exactly this tick.
    sound: Vec<f32>,
    /// How long each box was without a current picture of its camera, after the show began.
    lost: Vec<Span>,
}

fn rgb(color: dsl::Rgb) -> Rgb {
    Rgb::new(color.r, color.g, color.b)
}

impl SceneRun {
    pub(crate) fn new(show: &dsl::Show, scene: &dsl::Scene, ix: SceneIx) -> Self {
        let (rate, channels) = (show.audio.rate, show.audio.layout.channels());
        Self {
            ix,
            stage: SceneStage::new(show.video.size),
            desk: SoundDesk::new(rate, channels, scene.boxes.len() * 2),
            limiter: Limiter::new(rate, channels),
            shot: None,
            sound: Vec::new(),
            lost: vec![Span::ZERO; scene.boxes.len()],
        }
    }

    /// Goes on at this place of a show that has it otherwise, or elsewhere.
    #[must_use]
    pub(crate) fn rearranged(
        mut self,
        canvas: Size,
        (was, now): (&dsl::Scene, &dsl::Scene),
        ix: SceneIx,
    ) -> Self {
        self.ix = ix;
        if was.boxes == now.boxes {
            return self;
        }
        let before = |part: &dsl::SceneBox| was.boxes.iter().position(|old| old.name == part.name);
        let mut places = Vec::with_capacity(now.boxes.len() * 2);
        for part in &now.boxes {
            let old = before(part).and_then(|place| Some((place, was.boxes.get(place)?)));
            places.push(old.filter(|(_, old)| old.camera == part.camera).map(|(place, _)| place * 2));
            places.push(old.filter(|(_, old)| old.filler == part.filler).map(|(place, _)| place * 2 + 1));
        }
        self.desk.rearrange(&places);
        let lost = |part| before(part).and_then(|place| self.lost.get(place)).copied().unwrap_or(Span::ZERO);
        self.lost = now.boxes.iter().map(lost).collect();
        // What was scaled is kept by the boxes' places.
        self.stage = SceneStage::new(canvas);
        self
    }

    /// Takes in what was decided of the tick `[from, to)`.
    pub(crate) fn settle(
        &mut self,
        switcher: &Switcher,
        cameras: &[CameraRun],
        fillers: &[CameraRun],
        (from, to): (Time, Time),
    ) {
        let Some(scene) = switcher.scene(self.ix) else { return };
        let camera = |place| scene.camera(place).and_then(|(ix, _)| cameras.get(ix)?.take.as_ref());
        let filler = |place| scene.filler(place).and_then(|ix| fillers.get(ix)?.take.as_ref());
        let mut order: Vec<usize> = (0..scene.boxes().len()).collect();
        // Stable: a later box stands before an earlier one.
        order.sort_by_key(|place| scene.boxes().get(*place).map_or(0, |shot| shot.z));
        let tile = |place: usize| {
            let shot = scene.boxes().get(place)?;
            let frame = shot.frame?;
            let picture = match shot.picture {
                BoxPicture::Live | BoxPicture::Held => camera(place).and_then(|take| take.picture.clone()),
                BoxPicture::Filler => filler(place).and_then(|take| take.picture.clone()),
                BoxPicture::Empty => None,
            };
            Some(Tile {
                slot: u8::try_from(place).unwrap_or(u8::MAX),
                outer: frame.outer,
                inner: frame.inner,
                window: frame.window,
                picture,
                colour: rgb(scene.box_color(place)?),
            })
        };
        let tiles = order.into_iter().filter_map(tile).collect();
        self.shot = Some(Arc::new(SceneShot::new(&self.stage, rgb(scene.color()), tiles)));
        let parts: Vec<Part<'_>> = scene
            .boxes()
            .iter()
            .enumerate()
            .flat_map(|(place, shot)| {
                [
                    Part { fader: shot.camera, sound: camera(place).and_then(|take| take.sound.as_deref()) },
                    Part { fader: shot.filler, sound: filler(place).and_then(|take| take.sound.as_deref()) },
                ]
            })
            .collect();
        self.sound = self.desk.sum(from, to, &parts);
        drop(parts);
        self.limiter.process(&mut self.sound);
        for (lost, shot) in self.lost.iter_mut().zip(scene.boxes()) {
            if shot.picture != BoxPicture::Live {
                *lost += to - from;
            }
        }
    }

    pub(crate) fn seen(&self) -> Option<Seen> {
        self.shot.clone().map(Seen::Scene)
    }
    pub(crate) fn sound(&self) -> &[f32] {
        &self.sound
    }

    pub(crate) fn status(&self, switcher: &Switcher) -> Option<SceneStatus> {
        let scene = switcher.scene(self.ix)?;
        let boxes = scene.boxes().iter().enumerate().map(|(place, shot)| {
            let inner = shot.frame.map(|frame| frame.inner);
            let strip = scene.strip(place);
            BoxStatus {
                name: scene.box_name(place).unwrap_or_default().to_owned(),
                camera: scene.camera(place).map(|(_, name)| name.to_owned()).unwrap_or_default(),
                shows: match (inner, shot.picture) {
                    (None, _) => "nothing",
                    (_, BoxPicture::Live) => "camera",
                    (_, BoxPicture::Held) => "held",
                    (_, BoxPicture::Filler) => "filler",
                    (_, BoxPicture::Empty) => "empty",
                }
                .to_owned(),
                place: inner.map(|rect| [rect.x, rect.y, rect.size.width, rect.size.height]),
                level_db: f64::from(strip.gain.tenths()) / 10.0,
                mute: strip.mute,
            }
        });
        Some(SceneStatus {
            name: scene.name().to_owned(),
            layout: scene.layout().to_owned(),
            layouts: scene.layouts().to_vec(),
            settled_frame: scene.settled_at().map(|tick| tick.0),
            boxes: boxes.collect(),
        })
    }

    pub(crate) fn report(&self, switcher: &Switcher) -> Option<SceneReport> {
        let scene: &SceneScheduler = switcher.scene(self.ix)?;
        let boxes = self.lost.iter().enumerate().map(|(place, lost)| BoxReport {
            name: scene.box_name(place).unwrap_or_default().to_owned(),
            camera: scene.camera(place).map(|(_, name)| name.to_owned()).unwrap_or_default(),
            lost_s: lost.as_secs_f64(),
        });
        Some(SceneReport {
            name: scene.name().to_owned(),
            layout: scene.layout().to_owned(),
            boxes: boxes.collect(),
        })
    }
}
