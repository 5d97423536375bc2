//! The thread of a rung, which encodes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender};
use media::{Key, VideoParams};

use super::{Job, RungCounters, RungOutput};
use crate::codec::{CodecKit, VideoEncoder};
use crate::error::CodecError;
use crate::lookahead::PictureKind;
use crate::settings::VideoEncoderSettings;
use crate::thread_cpu::thread_cpu;

/// What a rung's thread opens its encoders with.
pub(super) struct Opener {
    pub(super) kit: Arc<dyn CodecKit>,
    pub(super) settings: VideoEncoderSettings,
}

impl Opener {
    pub(super) fn open(&self) -> Result<Box<dyn VideoEncoder>, CodecError> {
        self.kit.video_encoder(&self.settings)
    }

    /// Another one, whose stream goes on where the last one's ended.
    fn reopen(&self, last: &VideoParams) -> Result<Box<dyn VideoEncoder>, CodecError> {
        let encoder = self.open()?;
        if encoder.params() == last {
            return Ok(encoder);
        }
        Err(CodecError::Damaged {
            codec: "encoder",
            pts: None,
            why: "opened again with the same settings, it has other headers".into(),
        })
    }
}

/// Encodes what is scaled for the rung. For a thread of its own.
pub(super) fn encode(
    mut encoder: Box<dyn VideoEncoder>,
    opener: &Opener,
    frames: Receiver<Result<Job, CodecError>>,
    to: &Sender<RungOutput>,
    counters: &RungCounters,
) {
    let begun = thread_cpu();
    // What the encoder was handed since it was opened.
    let mut holds = Holds::Nothing;
    let work = || -> Result<Ended, CodecError> {
        for job in &frames {
            counters.waits(frames.len());
            let ended = match job? {
                Job::Frame(mut frame, mut plan, finish) => {
                    if let Some((rung, finish)) = finish {
                        frame.picture = finish.finish(rung, frame.picture)?;
                    }
                    if holds == Holds::Nothing {
                        // Whatever it is to the other rungs.
                        plan.kind = PictureKind::Key;
                    }
                    encoder.send_planned(&frame, &plan)?;
                    counters.frames.fetch_add(1, Ordering::Relaxed);
                    holds = Holds::Frames;
                    None
                }
                Job::Rest(at) => Some(RungOutput::Rest(at)),
                Job::Pause(until) => Some(RungOutput::Pause(until)),
            };
            if ended.is_some() && holds == Holds::Frames {
                encoder.flush()?;
            }
            if give_out(encoder.as_mut(), to, counters)? == Ended::Unread {
                return Ok(Ended::Unread);
            }
            if let Some(ended) = ended {
                if to.send(ended).is_err() {
                    return Ok(Ended::Unread);
                }
                if holds == Holds::Frames {
                    // Now, while nobody waits for it, and so that it is known to be there.
                    let params = encoder.params().clone();
                    // One at a time: a device may have no more.
                    drop(encoder);
                    encoder = opener.reopen(&params)?;
                    holds = Holds::Nothing;
                }
            }
            counters.took(begun);
        }
        encoder.flush()?;
        give_out(encoder.as_mut(), to, counters)
    };
    let last = match work() {
        Ok(Ended::Read) => RungOutput::End,
        Ok(Ended::Unread) => return,
        Err(err) => RungOutput::Failed(err),
    };
    counters.took(begun);
    // First the input: a failed rung whose reader is slow must not hold up the others.
    drop(frames);
    // Nobody may be reading any more, which is theirs to decide.
    let _ = to.send(last);
}

/// Whether an encoder was handed frames.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Frames,
}

/// Whether somebody still reads the rung.
#[derive(PartialEq, Eq)]
enum Ended {
    Read,
    Unread,
}

fn give_out(
    encoder: &mut dyn VideoEncoder,
    to: &Sender<RungOutput>,
    counters: &RungCounters,
) -> Result<Ended, CodecError> {
    while let Some(packet) = encoder.receive()? {
        counters.packets.fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
        if packet.key == Key::Frame {
            counters.keys.fetch_add(1, Ordering::Relaxed);
        }
        if to.send(RungOutput::Packet(packet)).is_err() {
            return Ok(Ended::Unread);
        }
    }
    Ok(Ended::Read)
}
