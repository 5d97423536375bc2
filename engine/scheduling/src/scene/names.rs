//! What can be asked of a scene, with its names looked up.

use media::{FrameRate, Time};
use pipeline_dsl::{Gain, Name, Scene, SceneOrder, Show, Switch};
use serde::{Deserialize, Serialize};

use crate::take::{Refusal, RefusalCode};

/// Something asked of a scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum SceneOp {
    /// A layout by its place, and how many ticks the boxes take to it.
    Layout(usize, u32),
    /// A box by its place.
    Level(usize, Gain),
    Mute(usize, Switch),
}

/// The names a scene knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SceneNames {
    pub name: Name,
    pub layouts: Vec<Name>,
    pub boxes: Vec<Name>,
}

impl SceneNames {
    pub fn new(show: &Show, scene: &Scene) -> Self {
        Self {
            name: scene.name.clone(),
            layouts: show.scene_layouts().map(str::to_owned).collect(),
            boxes: scene.boxes.iter().map(|part| part.name.clone()).collect(),
        }
    }

    /// Looks an order's names up.
    pub fn op(&self, order: &SceneOrder, rate: FrameRate) -> Result<SceneOp, Refusal> {
        Ok(match order {
            SceneOrder::Layout { layout, over } => {
                let ticks = over.map_or(0, |over| rate.tick_from(Time::ZERO + over).0);
                SceneOp::Layout(self.layout(layout)?, u32::try_from(ticks).unwrap_or(u32::MAX - 1))
            }
            SceneOrder::Level { name, level } => SceneOp::Level(self.place(name)?, *level),
            SceneOrder::Mute { name, mute } => SceneOp::Mute(self.place(name)?, *mute),
        })
    }

    /// A layout's place.
    pub fn layout(&self, layout: &str) -> Result<usize, Refusal> {
        let place = self.layouts.iter().position(|known| known == layout);
        place.ok_or_else(|| {
            Refusal::unknown(RefusalCode::UnknownLayout, "layout", layout, self.layouts.clone())
        })
    }

    fn place(&self, name: &str) -> Result<usize, Refusal> {
        self.boxes.iter().position(|known| known == name).ok_or_else(|| Refusal {
            code: RefusalCode::UnknownBox,
            message: format!("scene {} has no box {name:?}", self.name),
            legal: self.boxes.clone(),
        })
    }

    /// What an event says of it.
    pub fn words(&self, op: SceneOp) -> String {
        let name = |names: &[Name], place: usize| names.get(place).cloned().unwrap_or_default();
        match op {
            SceneOp::Layout(layout, _) => format!("layout {}", name(&self.layouts, layout)),
            SceneOp::Level(place, gain) => format!("box {} at {gain}", name(&self.boxes, place)),
            SceneOp::Mute(place, Switch::On) => format!("box {} is muted", name(&self.boxes, place)),
            SceneOp::Mute(place, Switch::Off) => format!("box {} is heard again", name(&self.boxes, place)),
        }
    }
}
