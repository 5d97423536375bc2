//! The thread that composes a channel's pictures, hands them to its ladder, and encodes its sound.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codecs::{Frame, Ladder, LadderError, NextRung, Pcm};
use crossbeam_channel::{Receiver, Sender};
use media::Packet;

use super::{Pictures, Pulse, Work};
use crate::channel::compose::Composer;
use crate::channel::copy::StandIn;
use crate::event::Level;
use crate::options::Mode;
use crate::reporter::Reporter;
use crate::stage::{StageMeter, ThreadShare};
use crate::way::{self, Station};

/// Why a channel fails all of whose rungs have.
const NONE_LEFT: &str = "none of its rungs is left";

/// What its rungs are from a tick on.
pub(crate) struct LadderChange {
    /// Those that are encoded, in their order.
    pub(super) rungs: Vec<NextRung>,
    /// All of them.
    pub(super) names: Vec<String>,
    /// Where those that come are given their sound.
    pub(super) sounds: Vec<(String, Sender<Packet>)>,
}

/// The composing thread's belongings.
pub(super) struct Stage {
    pub(super) composer: Composer,
    /// `None` where no rung is encoded.
    pub(super) ladder: Option<Ladder>,
    /// What encodes for a rung that copies, while there is nothing to copy.
    pub(super) stand_in: Option<StandIn>,
    pub(super) audio: Box<dyn codecs::AudioEncoder>,
    /// By rung.
    pub(super) sounds: Vec<(String, Sender<Packet>)>,
    pub(super) rate: media::SampleRate,
    pub(super) channels: u8,
    pub(super) ladder_runs: Runs,
    pub(super) costs: Arc<StageMeter>,
    pub(super) timed: Mode,
    pub(super) pulse: Arc<Pulse>,
    pub(super) reporter: Reporter,
}

/// Whether the ladder has been given frames since it paused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    Yes,
    No,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.pulse.fail(&self.reporter, "its composing thread panicked: this is our bug");
        }
    }
}

impl Stage {
    pub(super) fn run(mut self, jobs: &Receiver<Work>) {
        let mut share = ThreadShare::begin();
        let shown = jobs.iter().try_for_each(|work| {
            let at = work.at;
            self.tick(work)?;
            share.count(&self.costs);
            // In virtual time nothing takes any.
            if self.timed == Mode::RealTime {
                self.costs.picture(self.reporter.now() - at);
            }
            Ok(())
        });
        // Whether or not the pictures failed: what sound there is belongs to them.
        let sounded = self.audio.flush().map_err(|e| e.to_string()).and_then(|()| self.send_sound());
        if let Err(error) = shown.and(sounded) {
            self.pulse.fail(&self.reporter, error);
        }
        if let Some(ladder) = &self.ladder {
            ladder.finish();
        }
    }

    fn tick(&mut self, work: Work) -> Result<(), String> {
        if let Some(marks) = work.redrawn {
            self.composer.mark_with(marks);
        }
        let failed = |error| match error {
            LadderError::Ended => NONE_LEFT.to_owned(),
            error => error.to_string(),
        };
        // Before it changes: new encoders have nothing to pause from.
        if matches!(work.pictures, Pictures::Carried) && self.ladder_runs == Runs::Yes {
            if let Some(ladder) = &self.ladder {
                ladder.pause(work.at).map_err(failed)?;
            }
            self.ladder_runs = Runs::No;
        }
        if let Some(change) = work.ladder {
            self.change(change).map_err(failed)?;
        }
        for (rung, duty) in work.duties {
            if let Some(ladder) = &self.ladder {
                ladder.order(rung, duty).map_err(failed)?;
            }
        }
        match work.pictures {
            Pictures::Encoded { layers, key } => {
                let composed = self.composer.compose(&layers, work.at, &work.marks);
                let (picture, finish) = composed.map_err(|e| e.to_string())?;
                if let Some(complaint) = self.composer.marks().complaint() {
                    self.reporter.event(Level::Warn, "watermark-kept", complaint);
                }
                for glance in work.glances {
                    glance.take(work.at, &picture, finish.as_ref());
                }
                let frame = Frame { pts: work.at, picture };
                if let (Some(stand_in), Some(copy)) = (&mut self.stand_in, work.copy) {
                    stand_in.tick(copy, &frame);
                }
                let sent = match (&self.ladder, finish) {
                    (Some(ladder), Some(finish)) => ladder.send_finished(frame, key, finish),
                    (Some(ladder), None) => ladder.send(frame, key),
                    (None, _) => Ok(()),
                };
                sent.map_err(failed)?;
                way::at(Station::Composed, work.at);
                self.ladder_runs = Runs::Yes;
            }
            Pictures::Carried => {}
        }
        self.pulse.frames.fetch_add(1, Ordering::Relaxed);
        let pcm = Pcm::new(work.at, self.rate, self.channels, work.sound);
        self.audio.send(&pcm).map_err(|e| e.to_string())?;
        self.send_sound()
    }

    /// Other rungs from this tick on.
    fn change(&mut self, change: LadderChange) -> Result<(), LadderError> {
        let LadderChange { rungs, names, sounds } = change;
        self.sounds.retain(|(rung, _)| names.contains(rung));
        self.sounds.extend(sounds);
        match &self.ladder {
            Some(ladder) if rungs.is_empty() => {
                ladder.finish();
                self.ladder = None;
            }
            Some(ladder) => ladder.change(rungs)?,
            None if rungs.is_empty() => {}
            None => {
                let comes = |next| match next {
                    NextRung::Comes(open) => Some(*open),
                    NextRung::Stays(_) => None,
                };
                self.ladder = Some(Ladder::of(rungs.into_iter().filter_map(comes).collect())?);
                self.ladder_runs = Runs::No;
            }
        }
        Ok(())
    }

    fn send_sound(&mut self) -> Result<(), String> {
        while let Some(packet) = self.audio.receive().map_err(|e| e.to_string())? {
            // A rung that has failed takes no more; the others go on.
            self.sounds.retain(|(_, sound)| sound.send(packet.clone()).is_ok());
            if self.sounds.is_empty() {
                return Err(NONE_LEFT.to_owned());
            }
        }
        Ok(())
    }
}
