//! A scene between two ticks, to be stored, and to go on from after a restart.

use pipeline_dsl::Name;
use serde::{Deserialize, Serialize};

use super::{SceneScheduler, SceneState};

/// Where a scene stood.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SavedScene {
    name: Name,
    layouts: Vec<Name>,
    boxes: Vec<Name>,
    state: SceneState,
}

impl SceneScheduler {
    pub(crate) fn save(&self) -> SavedScene {
        let names = &self.plan.names;
        SavedScene {
            name: names.name.clone(),
            layouts: names.layouts.clone(),
            boxes: names.boxes.clone(),
            state: self.state.clone(),
        }
    }

    /// Whether it was stored for this scene.
    pub(crate) fn fits(&self, saved: &SavedScene) -> bool {
        let (names, count) = (&self.plan.names, self.plan.boxes.len());
        let SavedScene { name, layouts, boxes, state } = saved;
        let same = *name == names.name && *layouts == names.layouts && *boxes == names.boxes;
        let each = state.strips.len() == count && state.covers.len() == count;
        let moves = state.motion.as_ref().is_none_or(|motion| motion.fits(count));
        same && each && moves && state.layout < layouts.len()
    }

    /// Goes on from the same scene of a show whose cameras and fillers stand elsewhere.
    pub(crate) fn carry(&mut self, old: &Self) {
        self.state = old.state.clone();
        self.shots.clone_from(&old.shots);
        self.view = old.view;
    }

    /// Whether a camera is in one of its boxes.
    pub(crate) fn has_camera(&self, name: &str) -> bool {
        self.plan.boxes.iter().any(|part| part.camera_name == name)
    }

    /// Goes on from a stored state that [fits](Self::fits).
    pub(crate) fn resume(&mut self, saved: SavedScene) {
        self.state = saved.state;
    }
}
