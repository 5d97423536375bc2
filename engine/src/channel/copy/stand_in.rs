//! What encodes a copying rung's pictures while there is nothing to copy.
//!
//! It has a thread of its own: to open an encoder takes a part of a tick, or several with a device,
//! and the channel's other rungs are not to wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use codecs::{CodecError, CodecKit, Frame, Ladder, LadderError, LadderSettings};
use crossbeam_channel::{Receiver, Sender, bounded};
use media::{Size, VideoParams};

use super::{Begin, CopyWork, Opened};
use crate::event::Level;
use crate::reporter::Reporter;

/// Ticks that may wait while an encoder is opened. Beyond these the channel waits.
const WAITING: usize = 8;

/// What it encodes with, but for the size.
pub(crate) struct StandInSettings {
    pub(crate) kit: Arc<dyn CodecKit>,
    /// Of one rung; for encoders that are opened from now on.
    pub(crate) ladder: Arc<Mutex<LadderSettings>>,
}

impl StandInSettings {
    fn open(&self, size: Size) -> Result<Ladder, LadderError> {
        let mut settings = self.ladder.lock().unwrap_or_else(PoisonError::into_inner).clone();
        settings.rungs.iter_mut().for_each(|rung| rung.size = size);
        Ladder::start(Arc::clone(&self.kit), settings)
    }
}

/// Where a channel hands in its ticks.
pub(crate) struct StandIn {
    jobs: Sender<(CopyWork, Frame)>,
    rests: bool,
}

impl StandIn {
    /// A tick and its picture.
    pub(crate) fn tick(&mut self, work: CopyWork, frame: &Frame) {
        let rests = matches!(work, CopyWork::Rests);
        if !(rests && self.rests) {
            // If its thread has panicked, nothing stands in.
            let _ = self.jobs.send((work, frame.clone()));
        }
        self.rests = rests;
    }
}

/// A stretch's encoder, opened when it begins and gone when it ends.
pub(crate) struct StandInThread {
    settings: StandInSettings,
    jobs: Receiver<(CopyWork, Frame)>,
    /// One that was opened to see whether it can be, for the first stretch.
    first: Option<(Size, Ladder)>,
    ladder: Option<Ladder>,
}

/// Opened, and what its headers say, in the size that its settings have.
pub(crate) fn open(
    settings: StandInSettings,
    size: Size,
) -> Result<(StandIn, StandInThread, VideoParams), LadderError> {
    let ladder = settings.open(size)?;
    let params = ladder.params().first().cloned().ok_or(LadderError::NoRungs)?;
    let (to, jobs) = bounded(WAITING);
    let thread = StandInThread { settings, jobs, first: Some((size, ladder)), ladder: None };
    Ok((StandIn { jobs: to, rests: false }, thread, params))
}

impl StandInThread {
    /// Why the device that it was to be encoded by did not open, and software does it.
    pub(crate) fn missing(&self) -> Option<&CodecError> {
        let (_, ladder) = self.first.as_ref()?;
        ladder.stand_ins().first().map(|(_, why)| why)
    }

    /// Runs until the channel has ended. After an error nothing is encoded up to where the next
    /// stretch begins.
    pub(crate) fn run(mut self, reporter: &Reporter) {
        for (work, frame) in self.jobs.clone() {
            if let Err(error) = self.encode(work, frame) {
                self.ladder = None;
                let message = format!("nothing stands in until there is something to copy: {error}");
                reporter.event(Level::Warn, "copy-stand-in", message);
            }
        }
    }

    fn encode(&mut self, work: CopyWork, frame: Frame) -> Result<(), LadderError> {
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
                self.ladder.as_ref().map_or(Ok(()), |ladder| ladder.send(frame, key))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use codecs::{
        AudioDecoder, AudioEncoder, AudioEncoderSettings, Fake, PictureMut, Rgb, RungOutput, VideoDecoder,
        VideoEncoder, VideoEncoderSettings,
    };
    use media::{AudioParams, FrameRate, Key, Tick};

    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;

    const SIZE: Size = Size::new(64, 36);

    /// Encoders that open when they are let.
    struct Held(Mutex<Receiver<()>>);

    impl CodecKit for Held {
        fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
            Fake::new().video_decoder(params)
        }
        fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
            Fake::new().audio_decoder(params)
        }
        fn video_encoder(
            &self,
            settings: &VideoEncoderSettings,
        ) -> Result<Box<dyn VideoEncoder>, CodecError> {
            self.0.lock().unwrap().recv().unwrap();
            Fake::new().video_encoder(settings)
        }
        fn audio_encoder(
            &self,
            settings: &AudioEncoderSettings,
        ) -> Result<Box<dyn AudioEncoder>, CodecError> {
            Fake::new().audio_encoder(settings)
        }
    }

    #[test]
    fn ticks_are_taken_while_an_encoder_is_opened_and_none_is_lost() {
        let (let_open, held) = bounded(2);
        let rate = FrameRate::new(25, 1).unwrap();
        let settings = StandInSettings {
            kit: Arc::new(Held(Mutex::new(held))),
            ladder: Arc::new(Mutex::new(LadderSettings::new(rate, [(SIZE, 400_000)]))),
        };
        let_open.send(()).unwrap();
        let (mut stand_in, mut thread, _) = open(settings, SIZE).unwrap();
        thread.first = None;
        let log = Arc::new(EventLog::new());
        let reporter = Reporter::new(Arc::new(VirtualClock::default()), log, Arc::new(Stop::default()));
        let running = std::thread::spawn(move || thread.run(&reporter));
        let frame = |n| Frame {
            pts: rate.time_of(Tick(n)),
            picture: PictureMut::filled(SIZE, Rgb::new(0, 90, 200)).unwrap().freeze(),
        };
        let (to, opened) = bounded(1);
        let begins = Some(Begin { size: SIZE, to });
        stand_in.tick(CopyWork::StandsIn { key: Key::Frame, begins }, &frame(0));
        // The encoder is not there yet, and the channel goes on.
        for n in 1..7 {
            stand_in.tick(CopyWork::StandsIn { key: Key::Delta, begins: None }, &frame(n));
        }
        assert!(opened.is_empty());
        let_open.send(()).unwrap();
        let Opened { packets, .. } = opened.recv().unwrap();
        // Resting is told once, and ends it.
        stand_in.tick(CopyWork::Rests, &frame(7));
        stand_in.tick(CopyWork::Rests, &frame(8));
        let made: Vec<_> = packets
            .iter()
            .filter_map(|out| match out {
                RungOutput::Packet(packet) => Some((packet.pts, packet.key)),
                _ => None,
            })
            .collect();
        let key = |n| if n == 0 { Key::Frame } else { Key::Delta };
        assert_eq!(made, (0..7).map(|n| (rate.time_of(Tick(n)), key(n))).collect::<Vec<_>>());
        drop(stand_in);
        running.join().unwrap();
    }
}
