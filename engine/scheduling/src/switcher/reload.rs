//! A show changed while it is on air: everything that both shows have goes on as it stands.

use pipeline_dsl::Show;

use super::{Feed, Switcher};
use crate::line::LineIx;
use crate::plan::PlanError;
use crate::take::{Refusal, RefusalCode};

/// Why a show cannot be changed to another one now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReloadError {
    /// The other show cannot be scheduled at all.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It is without something that is on air.
    #[error(transparent)]
    OnAir(#[from] Refusal),
}

impl Switcher {
    /// A switcher for `show` that goes on from this one with the next tick: cameras, lines,
    /// fillers, scenes, channels and cues of the same names stand as they stood, whatever their places.
    /// Of a scene, what the show says otherwise than before is so from then on.
    /// A rundown with other cues takes the place of the one before, where cues that are past
    /// stay past.
    ///
    /// # Errors
    /// A show that cannot be scheduled, one of other channels, or one without a source, line or
    /// filler that is on air.
    ///
    /// ```
    /// use media::Time;
    /// use scheduling::{ChannelIx, Input, Switcher};
    ///
    /// let show = |sources| pipeline_dsl::parse_show(&format!(r#"show tour {{
    ///   camera main {{ line gen test bars }} camera karry {{ line gen test bars }}
    ///   ladder one {{ rung 720p 1280x720 2500k }}
    ///   channel program {{ sources {sources}; ladder one; egress web serve http-flv }}
    /// }}"#)).map_err(|_| "not valid");
    /// let mut switcher = Switcher::new(&show("main")?)?;
    /// switcher.handle(Input::Tick, Time::ZERO)?;
    /// let switcher = switcher.reload(&show("karry main")?)?;
    /// let channel = switcher.channel(ChannelIx(0)).ok_or("it is there")?;
    /// assert_eq!(channel.source_name(channel.intent().source), Some("main"));
    /// assert!(switcher.reload(&show("karry")?).is_err(), "main is wanted");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reload(&self, show: &Show) -> Result<Self, ReloadError> {
        let mut next = Self::new(show)?;
        for (new, old) in pairs(&mut next.cameras, &self.cameras) {
            self.refuse_line_on_air(new, old)?;
            new.carry(old);
        }
        for (new, old) in pairs(&mut next.fillers, &self.fillers) {
            new.carry(old);
        }
        for scene in &mut next.scenes {
            if let Some(old) = self.scenes.iter().find(|old| old.name() == scene.name()) {
                scene.carry(old);
            }
        }
        for bus in &mut next.channels {
            let old = self.channels.iter().find(|old| old.scheduler.name() == bus.scheduler.name());
            let old = old.ok_or_else(|| {
                let message = format!("channel {} is not on air", bus.scheduler.name());
                let legal = self.channels.iter().map(|bus| bus.scheduler.name().to_owned());
                Refusal { code: RefusalCode::UnknownChannel, message, legal: legal.collect() }
            })?;
            bus.scheduler.carry(&old.scheduler)?;
        }
        next.decided = self.decided;
        next.events = self.events.clone();
        self.tell_gone(&mut next);
        next.outputs = self.outputs.clone();
        Ok(next)
    }

    /// Whatever was told of parts that the other show is without is over.
    fn tell_gone(&self, next: &mut Self) {
        let tick = next.next_tick();
        for (old, new) in [(&self.cameras, &next.cameras), (&self.fillers, &next.fillers)] {
            for old in old {
                let new = new.iter().find(|new| new.name == old.name);
                old.tell_gone(new, tick, &mut next.events);
            }
        }
        for old in &self.scenes {
            let new = next.scenes.iter().find(|new| new.name() == old.name());
            old.tell_gone(new, tick, &mut next.events);
        }
    }

    /// A line that viewers see is left before it is taken away.
    fn refuse_line_on_air(&self, new: &Feed, old: &Feed) -> Result<(), Refusal> {
        let Some(current) = old.selector.current().and_then(|LineIx(ix)| old.lines.get(ix)) else {
            return Ok(());
        };
        let shows = |bus: &super::Bus| {
            let mut places = bus.scheduler.places_on_air();
            places.any(|place| bus.scheduler.source_name(place) == Some(&old.name))
        };
        // A scene may show it at any time.
        let is_used = self.channels.iter().any(shows) || self.scenes.iter().any(|s| s.has_camera(&old.name));
        if new.lines.contains(current) || !is_used {
            return Ok(());
        }
        let others = old.lines.iter().filter(|line| new.lines.contains(*line));
        Err(Refusal {
            code: RefusalCode::OnAir,
            message: format!(
                "line {current} of camera {} is on air: choose another one, or cut to another camera, first",
                old.name
            ),
            legal: others.map(|line| format!("line {} {line}", old.name)).collect(),
        })
    }
}

/// Those of one name.
pub(super) fn pairs<'f>(
    new: &'f mut [Feed],
    old: &'f [Feed],
) -> impl Iterator<Item = (&'f mut Feed, &'f Feed)> {
    new.iter_mut()
        .filter_map(|new| Some((old.iter().find(|old| old.name == new.name)?, new)))
        .map(|(a, b)| (b, a))
}
