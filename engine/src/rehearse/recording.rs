//! A recording in a rehearsal: the recorder's own code, before a simulated disk. Only its thread is
//! missing: what can be written is written when a tag leaves the engine.

use std::io;
use std::path::Path;
use std::sync::Arc;

use media::{Span, Time};

use crate::egress::EgressMeter;
use crate::egress::feed::Feed;
use crate::egress::queue::{Item, SinkQueue};
use crate::egress::record::{self, Recorder, sibling};
use crate::rehearse::disk::{Health, SimulatedDisk};
use crate::start::Begun;

/// A file that the disk would hold.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Held {
    /// By the name it would have.
    pub(crate) name: String,
    /// From its first picture to its last.
    pub(crate) length: Span,
    /// When it was opened, in rehearsal time,
    pub(crate) from: Time,
    /// and when it was closed, or nothing more could be written.
    pub(crate) to: Time,
}

/// What waits no longer than this for a disk waits for none in particular.
const NOTICED: Span = Span::from_millis(500);

/// How far what is on the disk is behind what comes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Behind {
    #[default]
    No,
    /// Something has been waiting for the disk since then.
    Waits(Time),
    /// And more than can wait: pictures are lost until it has caught up.
    Loses,
}

/// How fast the disk takes what is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Pace {
    /// As it comes.
    Abreast,
    /// This share of it, in millionths.
    Share(u32),
}

/// A recording that goes on.
pub(crate) struct Recording {
    recorder: Recorder<SimulatedDisk>,
    disk: SimulatedDisk,
    queue: Arc<SinkQueue>,
    /// When it was opened.
    since: Time,
    pub(crate) behind: Behind,
    /// Since when something has waited without a break.
    waits: Option<Time>,
    /// What a slow disk may still take: millionths of bytes, less than none if a tag was longer.
    credit: i128,
}

impl Recording {
    /// The `n`th of this name, of what this feed brings from its beginning on.
    ///
    /// # Errors
    /// It cannot be made, and this is to be told.
    pub(crate) fn begin(
        target: &str,
        n: u32,
        feed: &Feed,
        health: Health,
        since: Time,
    ) -> Result<Self, String> {
        let disk = SimulatedDisk::default();
        disk.becomes(health);
        let begun = Arc::new(Begun::default());
        begun.set();
        let path = sibling(Path::new(target), n);
        let recorder = Recorder::begin(path, disk.clone(), begun).map_err(|error| error.to_string())?;
        let queue = feed.join(record::BOUND);
        Ok(Self { recorder, disk, queue, since, behind: Behind::No, waits: None, credit: 0 })
    }

    /// A tag has come into its queue `now`, in rehearsal time, and the disk is like this. What is to be told of it, if anything.
    ///
    /// # Errors
    /// It can be written no longer: it is to [fail](Self::fail).
    pub(crate) fn step(
        &mut self,
        now: Time,
        item: &Item,
        (health, pace): (Health, Pace),
        meter: &EgressMeter,
    ) -> io::Result<Option<String>> {
        self.disk.becomes(health);
        let bytes = |item: &Item| item.tag.wire_len() as i128;
        match pace {
            Pace::Abreast => self.write_all(meter)?,
            Pace::Share(millionths) => {
                // What it could have taken before is no help now.
                self.credit = self.credit.min(0) + bytes(item) * i128::from(millionths);
                while self.credit > 0
                    && let Some(item) = self.queue.try_pop()
                {
                    self.credit -= bytes(&item) * 1_000_000;
                    self.recorder.put(&item, meter)?;
                }
            }
        }
        let dropped = self.queue.take_dropped();
        self.waits = if self.queue.is_empty() { None } else { self.waits.or(Some(now)) };
        self.behind = match (self.waits, self.behind) {
            (None, _) => Behind::No,
            (Some(_), Behind::Loses) => Behind::Loses,
            (Some(_), _) if dropped > 0 => Behind::Loses,
            (Some(since), _) if now - since >= NOTICED => Behind::Waits(since),
            (Some(_), before) => before,
        };
        Ok(self.recorder.missed(dropped, meter))
    }

    /// The show is over: what waits is waited for.
    ///
    /// # Errors
    /// As of [`step`](Self::step).
    pub(crate) fn end(&mut self, meter: &EgressMeter) -> io::Result<()> {
        self.write_all(meter)?;
        self.recorder.close()
    }

    fn write_all(&mut self, meter: &EgressMeter) -> io::Result<()> {
        while let Some(item) = self.queue.try_pop() {
            self.recorder.put(&item, meter)?;
        }
        self.credit = 0;
        Ok(())
    }

    /// It ends before its time: what is left of it, and what is to be told.
    pub(crate) fn fail(self, at: Time, error: &io::Error, meter: &EgressMeter) -> (Held, String) {
        self.queue.close();
        (self.held(at), self.recorder.cut(error, meter))
    }

    /// What is in it by now, at `to`.
    pub(crate) fn held(&self, to: Time) -> Held {
        Held {
            name: self.recorder.path().display().to_string(),
            length: self.recorder.length(),
            from: self.since,
            to,
        }
    }
}
