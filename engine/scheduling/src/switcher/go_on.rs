//! A show that goes on after its engine was down: what was wanted is wanted, and what came due is done.

use std::fmt;

use pipeline_dsl::{Name, Show};

use super::reload::pairs;
use super::{SavedSwitcher, Switcher};
use crate::event::EventQueue;
use crate::plan::PlanError;
use crate::state::NotThisShow;

/// Why nothing can be made of a stored state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotGoneOn {
    /// The show cannot be scheduled at all.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The show it is said to have been stored for is another one.
    #[error(transparent)]
    NotThisShow(#[from] NotThisShow),
    /// Ticks were of another length.
    #[error("it was stored at {was}, and the show runs at {is}")]
    OtherRate {
        /// Of the stored state.
        was: media::FrameRate,
        /// Of the show.
        is: media::FrameRate,
    },
}

/// What of a stored state the show has no place for any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// What it is about: a channel, a camera, a scene.
    pub subject: Name,
    /// What is missing, in words.
    pub what: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)
    }
}

impl Switcher {
    /// A switcher for `show` that goes on, after its engine was down, from what was stored for the
    /// show `before`, which may be another one: cameras, lines, fillers, scenes, channels and cues
    /// of the same names are wanted as they were, whatever their places. What the show has no place
    /// for is given back. [`reload`](Self::reload) refuses that; here nobody is there to be asked.
    ///
    /// Nothing of what the lines showed is known any more, so no alarm stands, and each is told
    /// anew. The first tick decided has a key frame on every channel. Cues that came due in between
    /// come with it, each once and in order, as after any ticks that are left out; those that were
    /// done, skipped or refused stay so.
    ///
    /// # Errors
    /// The show cannot be scheduled, or the state is of another show than it says, or of other ticks.
    ///
    /// ```
    /// use media::Time;
    /// use scheduling::{ChannelIx, Input, Switcher};
    ///
    /// let show = pipeline_dsl::parse_show(r#"show tour {
    ///   camera main { line gen test bars } camera karry { line gen test bars }
    ///   ladder one { rung 720p 1280x720 2500k }
    ///   channel program { sources main karry; ladder one; egress web serve http-flv }
    ///   rundown program { at 10s cut karry }
    /// }"#).map_err(|_| "not valid")?;
    /// let mut switcher = Switcher::new(&show)?;
    /// switcher.handle(Input::Tick, Time::from_secs(4))?;
    ///
    /// let (mut again, left_out) = Switcher::go_on(&show, &show, switcher.save())?;
    /// assert!(left_out.is_empty());
    /// again.handle(Input::Tick, Time::from_secs(12))?;
    /// let channel = again.channel(ChannelIx(0)).ok_or("it is there")?;
    /// assert_eq!(channel.source_name(channel.intent().source), Some("karry"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn go_on(
        show: &Show,
        before: &Show,
        saved: SavedSwitcher,
    ) -> Result<(Self, Vec<LeftOut>), NotGoneOn> {
        let mut next = Self::new(show)?;
        let mut old = Self::new(before)?.resume(saved)?;
        if old.rate != next.rate {
            return Err(NotGoneOn::OtherRate { was: old.rate, is: next.rate });
        }
        old.wake();
        let mut left = Vec::new();
        let mut leave =
            |subject: &str, what: String| left.push(LeftOut { subject: subject.to_owned(), what });
        for was in &old.cameras {
            let is = next.cameras.iter().find(|is| is.name == was.name);
            if let Some(line) = was.lost_choice(is) {
                leave(&was.name, format!("line {line}, chosen by hand, is not there any more"));
            }
        }
        for (new, old) in pairs(&mut next.cameras, &old.cameras) {
            new.carry(old);
        }
        for (new, old) in pairs(&mut next.fillers, &old.fillers) {
            new.carry(old);
        }
        for scene in &mut next.scenes {
            if let Some(was) = old.scenes.iter().find(|was| was.name() == scene.name()) {
                scene.carry(was);
            }
        }
        for was in &old.channels {
            let name = was.scheduler.name();
            match next.channels.iter_mut().find(|bus| bus.scheduler.name() == name) {
                Some(bus) => {
                    bus.scheduler.adopt(&was.scheduler).into_iter().for_each(|what| leave(name, what))
                }
                None => leave(name, "the show has no such channel any more".to_owned()),
            }
        }
        next.decided = old.decided;
        Ok((next, left))
    }

    fn wake(&mut self) {
        self.cameras.iter_mut().chain(&mut self.fillers).for_each(super::Feed::wake);
        self.scenes.iter_mut().for_each(super::SceneScheduler::wake);
        self.channels.iter_mut().for_each(|bus| bus.scheduler.wake());
        self.events = EventQueue::default();
        self.outputs.clear();
    }
}
