//! Decoders that stand in for real ones: a file is read as it is, its packets come when they come,
//! and what they show costs nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Fake, Frame, Pcm, Picture,
    VideoDecoder, VideoEncoder, VideoEncoderSettings,
};
use media::{AudioParams, Packet, SampleRate, Size, Time, VideoParams};

use crate::rehearse::clip::{BLOCK, uniform};

/// Pictures that are held back for reordering at the most.
const HELD: usize = 16;
/// How loud what stands in is.
const LEVEL: f32 = 0.05;

/// Makes the stand-ins.
pub(crate) struct StandIns {
    /// Two shades that take turns.
    shades: [Picture; 2],
}

impl StandIns {
    /// For a canvas of this size.
    pub(crate) fn new(canvas: Size) -> Result<Self, CodecError> {
        Ok(Self { shades: [uniform(canvas, 90)?, uniform(canvas, 110)?] })
    }
}

impl CodecKit for StandIns {
    fn video_decoder(&self, _: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        let shades = self.shades.clone();
        Ok(Box::new(Pictures { shades, count: 0, held: Vec::new(), safe: Time::from_flicks(i64::MIN) }))
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        let (rate, channels) = (params.rate, params.channels.max(1));
        Ok(Box::new(Sound { rate, channels, block: Arc::from(Vec::new()), ready: VecDeque::new() }))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        Fake::new().video_encoder(settings)
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Fake::new().audio_encoder(settings)
    }
}

/// A picture for every packet, in order of PTS.
struct Pictures {
    shades: [Picture; 2],
    count: usize,
    held: Vec<Time>,
    /// Nothing that comes later is shown before this.
    safe: Time,
}

impl VideoDecoder for Pictures {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.safe = self.safe.max(packet.dts);
        let at = self.held.partition_point(|held| *held <= packet.pts);
        self.held.insert(at, packet.pts);
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        let ready = self.held.first().is_some_and(|pts| *pts <= self.safe) || self.held.len() > HELD;
        if !ready {
            if self.safe == Time::MAX {
                self.safe = Time::from_flicks(i64::MIN);
            }
            return Ok(None);
        }
        self.count += 1;
        let pts = self.held.remove(0);
        Ok(Some(Frame { pts, picture: self.shades[self.count % 2].clone() }))
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        self.safe = Time::MAX;
        Ok(())
    }
}

/// As much sound as a packet says it holds.
struct Sound {
    rate: SampleRate,
    channels: u8,
    /// The last block, which most are as long as.
    block: Arc<[f32]>,
    ready: VecDeque<Pcm>,
}

impl AudioDecoder for Sound {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let samples = packet.duration.map_or(BLOCK, |lasts| self.rate.sample_at(Time::ZERO + lasts));
        // A second at the most, whatever a file says of its packets.
        let samples = samples.clamp(1, i64::from(self.rate.hz())) as usize * usize::from(self.channels);
        if self.block.len() != samples {
            self.block = std::iter::repeat_n(LEVEL, samples).collect();
        }
        let samples = Arc::clone(&self.block);
        self.ready.push_back(Pcm { pts: packet.pts, rate: self.rate, channels: self.channels, samples });
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(self.ready.pop_front())
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
