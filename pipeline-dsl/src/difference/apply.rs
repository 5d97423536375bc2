//! Steps carried out on the model.

use super::list::apply;
use super::{Difference, Encoding, Step};
use crate::model::{Channel, Ladder, Show};

impl Difference {
    /// The show that these steps make of `show`.
    pub fn apply(&self, show: &Show) -> Show {
        let mut show = show.clone();
        for step in &self.steps {
            step.apply(&mut show);
        }
        show
    }
}

fn with_channel(show: &mut Show, name: &str, change: impl FnOnce(&mut Channel)) {
    if let Some(channel) = show.channels.iter_mut().find(|channel| channel.name == name) {
        change(channel);
    }
}

fn with_ladder(show: &mut Show, name: &str, change: impl FnOnce(&mut Ladder)) {
    if let Some(ladder) = show.ladders.iter_mut().find(|ladder| ladder.name == name) {
        change(ladder);
    }
}

impl Step {
    fn apply(&self, show: &mut Show) {
        match self {
            Self::Name(name) => show.name.clone_from(name),
            Self::Camera(change) => apply(&mut show.cameras, change),
            Self::Line { camera, change } => {
                if let Some(camera) = show.cameras.iter_mut().find(|c| c.name == *camera) {
                    apply(&mut camera.lines, change);
                }
            }
            Self::Failover { camera, failover } => {
                if let Some(camera) = show.cameras.iter_mut().find(|c| c.name == *camera) {
                    camera.failover = *failover;
                }
            }
            Self::Filler(change) => apply(&mut show.fillers, change),
            Self::Layout(change) => apply(&mut show.layouts, change),
            Self::Scene(change) => apply(&mut show.scenes, change),
            Self::Watermark(change) => apply(&mut show.watermarks, change),
            Self::Ladder(change) => apply(&mut show.ladders, change),
            Self::Encoding { ladder, encoding } => with_ladder(show, ladder, |ladder| {
                let Encoding { latency, encoder, preset, keyframe } = *encoding;
                *ladder = Ladder { latency, encoder, preset, keyframe, ..ladder.clone() };
            }),
            Self::Rung { ladder, change } => {
                with_ladder(show, ladder, |ladder| apply(&mut ladder.rungs, change));
            }
            Self::Keys(change) => apply(&mut show.keys, change),
            Self::Channels(order) => {
                apply(&mut show.channels, &super::Change::Order(order.clone()));
            }
            Self::Sources { channel, sources } => {
                with_channel(show, channel, |channel| channel.sources.clone_from(sources));
            }
            Self::Runs { channel, ladder } => {
                with_channel(show, channel, |channel| channel.ladder.clone_from(ladder));
            }
            Self::Cover { channel, filler } => {
                with_channel(show, channel, |channel| channel.filler.clone_from(filler));
            }
            Self::Marks { channel, watermarks } => {
                with_channel(show, channel, |channel| channel.watermarks.clone_from(watermarks));
            }
            Self::Shed { channel, rungs } => {
                with_channel(show, channel, |channel| channel.shed.clone_from(rungs));
            }
            Self::Egress { channel, change } => {
                with_channel(show, channel, |channel| apply(&mut channel.egresses, change));
            }
            Self::Rundown(change) => apply(&mut show.rundowns, change),
        }
    }
}
