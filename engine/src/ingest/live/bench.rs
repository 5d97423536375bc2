//! A live line in virtual time: what arrives, and what the ticks take.

use std::sync::Arc;

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Fake, Picture, Plane,
    VideoDecoder, VideoEncoder, VideoEncoderSettings,
};
use media::{AudioParams, FrameRate, SampleRate, Size, Span, Tick, Time, VideoParams};

use pipeline_dsl::SyncBy;

use super::LiveLine;
use crate::clock::{Clock, Stop, VirtualClock};
use crate::event::EventLog;
use crate::ingest::LineCounters;
use crate::ingest::buffer::{LineBuffer, Pace, Take};
use crate::ingest::contribution::Contribution;
use crate::ingest::intake::{Arrival, Intake};
use crate::ingest::lane::{self, Shape};
use crate::reporter::Reporter;

/// The show's sound.
pub(super) const RATE: SampleRate = SampleRate::HZ_48000;

/// Decoders of a test's own; encoders are nobody's business here.
pub(super) trait Decoders: Send + Sync {
    fn video(&self) -> Box<dyn VideoDecoder>;
    fn audio(&self, params: &AudioParams) -> Box<dyn AudioDecoder>;
}

/// The codecs that these decoders are of.
pub(super) struct Decoding<D>(pub(super) D);

impl<D: Decoders> CodecKit for Decoding<D> {
    fn video_decoder(&self, _: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(self.0.video())
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        Ok(self.0.audio(params))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        Fake::new().video_encoder(settings)
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Fake::new().audio_encoder(settings)
    }
}

/// A line, its clock, and what has come out of it.
pub(super) struct Bench {
    pub(super) line: LiveLine,
    contribution: Contribution,
    pub(super) log: Arc<EventLog>,
    clock: Arc<VirtualClock>,
    stop: Stop,
    pub(super) ticks: FrameRate,
    tick: u64,
    /// What the middle of each tick's picture is (Y, U, V), and whether one was missing.
    pub(super) shown: Vec<([u8; 3], bool)>,
    /// Interleaved.
    pub(super) sound: Vec<f32>,
}

impl Bench {
    /// A line of a show with this canvas and rate, 48 kHz and so many channels.
    pub(super) fn new(kit: Arc<dyn CodecKit>, canvas: Size, fps: u32, channels: u8) -> Self {
        let ticks = FrameRate::new(fps, 1).unwrap();
        let depth = Span::from_millis(200);
        let deinterlace = pipeline_dsl::Deinterlace::default();
        let decoding = lane::Decoding::Easy;
        let shape = Shape { kit, canvas, ticks, rate: RATE, channels, deinterlace, decoding };
        let clock = Arc::new(VirtualClock::default());
        let log = Arc::new(EventLog::new());
        let stop = Arc::new(Stop::default());
        let reporter = Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), stop);
        let line = LiveLine {
            arrivals: Intake::new(reporter.clone()).1,
            depth,
            sync: SyncBy::Arrival,
            together: Arc::default(),
            seat: Arc::default(),
            orders: Arc::default(),
            buffer: Arc::new(LineBuffer::new(Pace::Live { depth }, ticks.tick_span(), RATE, channels)),
            counters: Arc::new(LineCounters::default()),
            reporter,
            shape,
        };
        let contribution = Contribution::new(&line.shape, depth);
        let (shown, sound) = (Vec::new(), Vec::new());
        let mut bench =
            Self { line, contribution, log, clock, stop: Stop::default(), ticks, tick: 0, shown, sound };
        bench.put(Arrival::Started { from: "a camera".to_owned() });
        bench
    }

    pub(super) fn put(&mut self, arrival: Arrival) {
        self.line.arrival(&mut self.contribution, arrival);
    }

    /// The line does what it was ordered to, as its thread looks at that before each arrival.
    pub(super) fn mind_orders(&mut self) {
        self.line.mind_orders(&mut self.contribution);
    }

    /// The show runs up to `now`.
    pub(super) fn run_to(&mut self, now: Time) {
        let channels = self.line.shape.channels;
        loop {
            let (from, to) = (self.ticks.time_of(Tick(self.tick)), self.ticks.time_of(Tick(self.tick + 1)));
            if from > now {
                break;
            }
            self.clock.wait_until(from, &self.stop);
            let Take { picture, hole_since, sound, .. } = self.line.buffer.take(from, to);
            let middle = |picture: &Picture, plane| {
                let plane = picture.plane(plane);
                plane.data[plane.height / 2 * plane.stride + plane.width / 2]
            };
            let middle = picture.map_or([0; 3], |p| Plane::ALL.map(|plane| middle(&p, plane)));
            self.shown.push((middle, hole_since.is_some()));
            let samples = (RATE.sample_at(to) - RATE.sample_at(from)) as usize * usize::from(channels);
            self.sound.extend(sound.unwrap_or_else(|| vec![0.0; samples]));
            self.tick += 1;
        }
        self.clock.wait_until(now, &self.stop);
    }
}
