//! A rung whose encoder is open and whose thread waits for pictures: of a ladder that begins, or
//! for one that runs.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use media::VideoParams;

use super::cascade::Cascade;
use super::encoding::{Opener, encode};
use super::planning::{Lead, ToEncoder};
use super::{LadderError, OUTPUT, RungCounters, RungDuty, RungOutput, queue, spawn};
use crate::codec::CodecKit;
use crate::error::CodecError;
use crate::ffmpeg::Filter;
use crate::scale::Scaler;
use crate::settings::{VideoEncoderName, VideoEncoderSettings};
use crate::turn::Turn;

/// A rung that is ready for its first picture. If it is dropped, its output ends.
pub struct OpenRung {
    pub(super) step: Cascade,
    pub(super) params: VideoParams,
    pub(super) output: Option<Receiver<RungOutput>>,
    pub(super) counters: Arc<RungCounters>,
    pub(super) encoder: VideoEncoderName,
    pub(super) missing: Option<CodecError>,
}

/// What a rung of a ladder is once that has [changed](super::Ladder::change).
pub enum NextRung {
    /// The one that had this number goes on, with its encoder.
    Stays(usize),
    /// It begins.
    Comes(Box<OpenRung>),
}

impl OpenRung {
    /// Opens its encoder and starts its thread; `rung` is the number it will have. Where a device
    /// that was asked for does not open, software makes the same codec: see
    /// [`missing`](Self::missing).
    ///
    /// # Errors
    /// An encoder that does not open, or no thread.
    pub fn open(
        kit: &Arc<dyn CodecKit>,
        rung: usize,
        settings: VideoEncoderSettings,
    ) -> Result<Self, LadderError> {
        Self::start(kit, rung, settings, Turn::Even)
    }

    /// The same, with a thread whose turn is this.
    pub(super) fn start(
        kit: &Arc<dyn CodecKit>,
        rung: usize,
        settings: VideoEncoderSettings,
        turn: Turn,
    ) -> Result<Self, LadderError> {
        let size = settings.size;
        let mut missing = None;
        let mut opener = Opener { kit: Arc::clone(kit), settings };
        let opened = opener.open().or_else(|why| {
            let Some(encoder) = opener.settings.encoder.stand_in() else { return Err(why) };
            missing = Some(why);
            opener.settings.encoder = encoder;
            opener.open()
        });
        let lead = if opener.settings.shares_lookahead() { Lead::Shared } else { Lead::Own };
        let encoder = opened.map_err(|source| LadderError::Rung { rung, size, source })?;
        let (params, name) = (encoder.params().clone(), opener.settings.encoder);
        let (to, frames) = bounded(queue(turn));
        let (to_caller, output) = bounded(OUTPUT);
        let counters = Arc::new(RungCounters::default());
        let counted = Arc::clone(&counters);
        let work = move || {
            turn.take();
            encode(encoder, &opener, frames, &to_caller, &counted);
        };
        spawn(&format!("encode-{rung}"), work)?;
        let scaler = Scaler::new(size, Filter::BicubicFast);
        let step = Cascade { rung, duty: RungDuty::Encode, scaler, to: ToEncoder::new(to, lead) };
        Ok(Self { step, params, output: Some(output), counters, encoder: name, missing })
    }

    /// What a decoder of it must know.
    pub fn params(&self) -> &VideoParams {
        &self.params
    }

    /// What encodes it: what was asked for, or what stands in.
    pub fn encoder(&self) -> VideoEncoderName {
        self.encoder
    }

    /// Why the device that was asked for did not open, if software encodes instead.
    pub fn missing(&self) -> Option<&CodecError> {
        self.missing.as_ref()
    }

    /// Its counters.
    pub fn counters(&self) -> &Arc<RungCounters> {
        &self.counters
    }

    /// Its output, once, as those of a [ladder](super::Ladder::outputs); of a ladder's own outputs
    /// it is then none.
    pub fn output(&mut self) -> Option<Receiver<RungOutput>> {
        self.output.take()
    }
}
