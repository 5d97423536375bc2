//! A scene between two ticks, to be stored, and to go on from after a restart.

use media::Tick;
use pipeline_dsl::Name;
use serde::{Deserialize, Serialize};

use super::{Cover, SceneScheduler, SceneState};
use crate::event::{Code, Event, EventQueue, GONE};

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

    /// Goes on from the scene of its name in another show: what the show says otherwise now is so, the
    /// rest is as it was led. Boxes that are in both go on, whatever their places.
    pub(crate) fn carry(&mut self, old: &Self) {
        let layouts = &self.plan.names.layouts;
        let led = layouts.iter().position(|layout| *layout == old.layout());
        if let Some(layout) = led.filter(|_| self.plan.first == old.plan.first) {
            self.state.layout = layout;
            let same_boxes = self.plan.names.boxes == old.plan.names.boxes;
            self.state.motion = old.state.motion.clone().filter(|_| same_boxes);
        }
        for (place, part) in self.plan.boxes.iter().enumerate() {
            let before = old.plan.boxes.iter().enumerate().find(|(_, was)| was.name == part.name);
            let Some((was, before)) = before else { continue };
            if let (Some(strip), Some(led)) = (self.state.strips.get_mut(place), old.state.strips.get(was)) {
                strip.mute = led.mute;
                if part.level == before.level {
                    strip.gain = led.gain;
                }
            }
            if part.camera_name != before.camera_name {
                continue;
            }
            if let (Some(cover), Some(stood)) = (self.state.covers.get_mut(place), old.state.covers.get(was))
            {
                *cover = *stood;
            }
            if let (Some(shot), Some(shown)) = (self.shots.get_mut(place), old.shots.get(was)) {
                *shot = *shown;
            }
        }
        self.view = old.view;
    }

    /// Nothing is known of its cameras any more, and a motion that was under way is over.
    pub(crate) fn wake(&mut self) {
        self.state.motion = None;
        self.state.covers.fill(Cover::Open);
        self.view = crate::view::SourceView::NEVER;
    }

    /// What was told of boxes that `new` is without, or has for other cameras, is over: that is, of
    /// all if there is none.
    pub(crate) fn tell_gone(&self, new: Option<&Self>, tick: Tick, events: &mut EventQueue) {
        for (part, cover) in self.plan.boxes.iter().zip(&self.state.covers) {
            let is_same =
                |other: &super::BoxPlan| other.name == part.name && other.camera_name == part.camera_name;
            let goes_on = new.is_some_and(|new| new.plan.boxes.iter().any(is_same));
            if *cover == Cover::Covered && !goes_on {
                let subject = format!("{}/{}", self.plan.name, part.name);
                let message = GONE.to_owned();
                events.push(Event { tick, code: Code::BoxBack, subject, message });
            }
        }
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
