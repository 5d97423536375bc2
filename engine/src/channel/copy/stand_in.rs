//! What encodes a copying rung's pictures while there is nothing to copy.

use std::sync::Arc;

use codecs::{CodecError, CodecKit, Frame, Ladder, LadderError, LadderSettings};
use media::{Size, VideoParams};

use super::{Begin, CopyWork, Opened};

/// What it encodes with, but for the size.
pub(crate) struct StandInSettings {
    pub(crate) kit: Arc<dyn CodecKit>,
    /// Of one rung.
    pub(crate) ladder: LadderSettings,
}

impl StandInSettings {
    fn open(&self, size: Size) -> Result<Ladder, LadderError> {
        let mut settings = self.ladder.clone();
        settings.rungs.iter_mut().for_each(|rung| rung.size = size);
        Ladder::start(Arc::clone(&self.kit), settings)
    }
}

/// A stretch's encoder, opened when it begins and gone when it ends.
pub(crate) struct StandIn {
    settings: StandInSettings,
    /// One that was opened to see whether it can be, for the first stretch.
    first: Option<(Size, Ladder)>,
    ladder: Option<Ladder>,
}

impl StandIn {
    /// Opened, and what its headers say, in the size that its settings have.
    pub(crate) fn open(settings: StandInSettings, size: Size) -> Result<(Self, VideoParams), LadderError> {
        let ladder = settings.open(size)?;
        let params = ladder.params().first().cloned().ok_or(LadderError::NoRungs)?;
        Ok((Self { settings, first: Some((size, ladder)), ladder: None }, params))
    }

    /// Why the device that it was to be encoded by did not open, and software does it.
    pub(crate) fn missing(&self) -> Option<&CodecError> {
        let (_, ladder) = self.first.as_ref()?;
        ladder.stand_ins().first().map(|(_, why)| why)
    }

    /// A tick and its picture. After an error nothing is encoded up to where the next stretch begins.
    pub(crate) fn tick(&mut self, work: CopyWork, frame: &Frame) -> Result<(), LadderError> {
        let ticked = self.encode(work, frame);
        if ticked.is_err() {
            self.ladder = None;
        }
        ticked
    }

    fn encode(&mut self, work: CopyWork, frame: &Frame) -> Result<(), LadderError> {
        match work {
            CopyWork::Rests => {
                // What it holds comes out.
                (self.first, self.ladder) = (None, None);
                Ok(())
            }
            CopyWork::StandsIn { key, begins } => {
                if let Some(Begin { size, to }) = begins {
                    self.ladder = None;
                    let first = self.first.take().filter(|(opened, _)| *opened == size);
                    let mut ladder = match first {
                        Some((_, ladder)) => ladder,
                        None => self.settings.open(size)?,
                    };
                    let params = ladder.params().first().cloned().ok_or(LadderError::NoRungs)?;
                    let packets = ladder.outputs().into_iter().next().ok_or(LadderError::NoRungs)?;
                    // A rung that has failed does not read.
                    let _ = to.send(Opened { params, packets });
                    self.ladder = Some(ladder);
                }
                self.ladder.as_ref().map_or(Ok(()), |ladder| ladder.send(frame.clone(), key))
            }
        }
    }
}
