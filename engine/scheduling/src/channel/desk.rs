//! The sound desk of a channel: whose sound is heard, and how loud each source is.

use super::ChannelScheduler;
use pipeline_dsl::Follow;

use crate::take::{Reach, Refusal, Strip};
use crate::view::SourceIx;

impl ChannelScheduler {
    /// How a source is heard, wherever it is.
    pub fn strip(&self, source: SourceIx) -> Strip {
        self.state.strips.get(source.0).copied().unwrap_or(Strip::UNITY)
    }

    pub(super) fn follow(&mut self, follow: &Follow) -> Result<Reach, Refusal> {
        let sound = match follow {
            Follow::Picture => None,
            Follow::Source(name) => Some(self.plan.source(name)?),
        };
        let before = std::mem::replace(&mut self.state.intent.sound, sound);
        Ok(if before == sound { Reach::Nothing } else { Reach::Program })
    }

    pub(super) fn set_strip(&mut self, source: &str, set: impl Fn(&mut Strip)) -> Result<Reach, Refusal> {
        let source = self.plan.source(source)?;
        let before = self.strip(source);
        let mut strip = before;
        set(&mut strip);
        if let Some(slot) = self.state.strips.get_mut(source.0) {
            *slot = strip;
        }
        Ok(if before == strip { Reach::Nothing } else { Reach::Program })
    }
}
