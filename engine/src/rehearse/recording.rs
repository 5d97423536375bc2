//! A recording in a rehearsal: the recorder's own code, before a simulated disk. Only its thread is
//! missing: what can be written is written when a tag leaves the engine.

use std::io;
use std::path::Path;
use std::sync::Arc;

use media::Span;

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
    /// What a slow disk may still take: millionths of bytes, less than none if a tag was longer.
    credit: i128,
}

impl Recording {
    /// The `n`th of this name, of what this feed brings from its beginning on.
    ///
    /// # Errors
    /// It cannot be made, and this is to be told.
    pub(crate) fn begin(target: &str, n: u32, feed: &Feed, health: Health) -> Result<Self, String> {
        let disk = SimulatedDisk::default();
        disk.becomes(health);
        let begun = Arc::new(Begun::default());
        begun.set();
        let path = sibling(Path::new(target), n);
        let recorder = Recorder::begin(path, disk.clone(), begun).map_err(|error| error.to_string())?;
        Ok(Self { recorder, disk, queue: feed.join(record::BOUND), credit: 0 })
    }

    /// A tag has come into its queue, and the disk is like this. What is to be told of it, if anything.
    ///
    /// # Errors
    /// It can be written no longer: it is to [fail](Self::fail).
    pub(crate) fn step(
        &mut self,
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
        Ok(self.recorder.missed(self.queue.take_dropped(), meter))
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
    pub(crate) fn fail(self, error: &io::Error, meter: &EgressMeter) -> (Held, String) {
        self.queue.close();
        (self.held(), self.recorder.cut(error, meter))
    }

    /// What is in it by now.
    pub(crate) fn held(&self) -> Held {
        Held { name: self.recorder.path().display().to_string(), length: self.recorder.length() }
    }
}
