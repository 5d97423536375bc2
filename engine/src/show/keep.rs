//! What the show's thread does to be gone on from: it hands out what it knows, and takes up its first tick.

use media::{Tick, Time};
use pipeline_dsl as dsl;
use scheduling::ChannelIx;

use super::{Begins, ShowRun};
use crate::report::{PartEnd, PartReport};
use crate::resume::{KeptChannel, KeptFile, KeptShow, Parting, unix_millis};
use crate::rig::FILLER_LINE;
use crate::show::cameras::CameraRun;
use crate::show::channels::ChannelRun;

/// The newest runs of `on_air` that are kept for an engine that goes on.
const NEWEST: usize = 500;
/// Why nothing was on air while no engine ran.
const DIED: &str = "died";
/// The newest answers to commands that are kept.
const ANSWERS: usize = 64;

impl ShowRun {
    /// The tick it begins with.
    pub(super) fn first_tick(&mut self) -> Tick {
        let tick = match self.begins {
            Begins::Anew => Tick(0),
            Begins::GoesOn => self.rate.tick_from(self.clock.now()).max(self.switcher.next_tick()),
        };
        self.from = self.rate.time_of(tick);
        for (ix, channel) in self.channels.iter_mut().enumerate() {
            // It has had its end.
            if self.switcher.channel(ChannelIx(ix)).is_some_and(|channel| channel.is_over()) {
                channel.end(self.from);
            }
        }
        tick
    }

    /// Something is wanted otherwise than before.
    pub(super) fn touch(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.touch();
        }
    }

    /// Has the show kept as it is after the tick at `from`, if that is due.
    pub(super) fn keep(&mut self, from: Time) {
        let Some(keeper) = &mut self.keeper else { return };
        if !keeper.is_due(from) {
            return;
        }
        let show = keeper.show.clone();
        let files = self.files(&show);
        let kept = KeptShow {
            show,
            at: Time::from_millis(self.clock.now().max(from).as_millis_rounded()),
            unix_ms: unix_millis(self.clock.wall()),
            switcher: self.switcher.save(),
            channels: self.channels.iter().map(ChannelRun::keep).collect(),
            files,
            answers: self.memory.newest(ANSWERS),
            parts: self.parts(from),
        };
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(from, kept);
        }
    }

    /// The files of this show that run.
    fn files(&self, show: &dsl::Show) -> Vec<KeptFile> {
        let kept = |input: &dsl::Input, run: Option<&CameraRun>, line: &str, subject: String| {
            let dsl::Input::File { path, .. } = input else { return None };
            let since = run?.lines.iter().find(|run| run.name == line)?.since()?;
            Some(KeptFile { subject, path: path.clone(), since })
        };
        let of_cameras = show.cameras.iter().flat_map(|camera| {
            let run = self.cameras.iter().find(|run| run.name == camera.name);
            let subject = |line: &dsl::Line| format!("{}/{}", camera.name, line.name);
            camera.lines.iter().filter_map(move |line| kept(&line.input, run, &line.name, subject(line)))
        });
        let of_fillers = show.fillers.iter().filter_map(|filler| {
            let run = self.fillers.iter().find(|run| run.name == filler.name);
            kept(&filler.input, run, FILLER_LINE, filler.name.clone())
        });
        of_cameras.chain(of_fillers).collect()
    }

    /// The show is over, and nothing is to be gone on from; unless all that could have shown it
    /// failed, which may go better another time.
    pub(super) fn keep_no_more(&mut self, at: Time) {
        let Some(keeper) = self.keeper.take() else { return };
        let ends = [self.limit, self.switcher.end()];
        let is_due = self.stop.is_asked() || ends.into_iter().flatten().any(|end| at >= end);
        let failed = self.channels.iter().any(ChannelRun::has_failed);
        let parting = if failed && !is_due { Parting::Failed } else { Parting::Ended };
        keeper.end(parting, &self.reporter);
    }

    /// When engines ran, if this one ends at `to`.
    pub(super) fn parts(&self, to: Time) -> Vec<PartReport> {
        let own = PartReport { from: self.from.as_secs_f64(), to: to.as_secs_f64(), end: PartEnd::Ended };
        self.before.iter().cloned().chain(std::iter::once(own)).collect()
    }
}

impl ChannelRun {
    /// What is to be known of it to go on, beside what is decided.
    fn keep(&self) -> KeptChannel {
        let newest = self.on_air.len().saturating_sub(NEWEST);
        KeptChannel {
            name: self.stage.name.clone(),
            marks: self.marks.keep(),
            on_air: self.on_air.get(newest..).unwrap_or_default().to_vec(),
        }
    }

    /// Goes on from the channel that ended with its engine at `died`.
    pub(crate) fn take_up(&mut self, kept: &KeptChannel, died: Time) {
        self.marks.take_up(&kept.marks);
        self.on_air = kept.on_air.clone();
        self.note(died, None, DIED);
    }
}
