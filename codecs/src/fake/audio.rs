//! The fake audio codec: packets carry each channel's level.

use std::collections::VecDeque;

use bytes::Bytes;
use media::{AudioCodec, AudioParams, Key, Packet, SampleRate, Span, Time, Track};

use super::codeword;
use crate::codec::{AudioDecoder, AudioEncoder};
use crate::error::CodecError;
use crate::frame::Pcm;
use crate::settings::AudioEncoderSettings;

const NAME: &str = "fake aac";
/// Samples a packet, as AAC's.
const BLOCK: usize = 1024;
/// Samples of silence before the first sound, as AAC's.
const PRIMING: i64 = 1024;
/// Samples a period of the square wave the decoder gives: 500 Hz at 48 kHz.
const PERIOD: i64 = 96;

/// The sampling frequencies of ISO/IEC 14496-3, table 1.18, by their index.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) of AAC-LC.
fn specific_config(rate: SampleRate, channels: u8) -> Option<Bytes> {
    let index = RATES.iter().position(|&hz| hz == rate.hz())? as u16;
    let bits = 2 << 11 | index << 7 | u16::from(channels) << 3;
    Some(Bytes::copy_from_slice(&bits.to_be_bytes()))
}

/// The fake encoder.
pub(super) struct Encoder {
    settings: AudioEncoderSettings,
    params: AudioParams,
    /// When the first sample is heard.
    start: Option<Time>,
    /// Blocks given so far.
    blocks: i64,
    waiting: Vec<f32>,
    ready: VecDeque<Packet>,
    flushed: bool,
}

impl Encoder {
    pub(super) fn new(settings: &AudioEncoderSettings) -> Result<Self, CodecError> {
        let AudioEncoderSettings { rate, channels, .. } = *settings;
        if !(1..=2).contains(&channels) {
            return Err(CodecError::Setting {
                codec: NAME,
                name: "channels",
                got: channels.to_string(),
                legal: "1 or 2".into(),
            });
        }
        let config = specific_config(rate, channels).ok_or(CodecError::Setting {
            codec: NAME,
            name: "rate",
            got: rate.to_string(),
            legal: "a rate of MPEG-4, 7350 to 96000".into(),
        })?;
        let params = AudioParams { codec: AudioCodec::Aac, rate, channels, config };
        Ok(Self {
            settings: *settings,
            params,
            start: None,
            blocks: 0,
            waiting: vec![0.0; PRIMING as usize * usize::from(channels)],
            ready: VecDeque::new(),
            flushed: false,
        })
    }

    fn give_full_blocks(&mut self) {
        let channels = usize::from(self.settings.channels);
        let whole = self.waiting.len() / (BLOCK * channels) * BLOCK * channels;
        let Some(start) = self.start else { return };
        for block in self.waiting[..whole].chunks_exact(BLOCK * channels) {
            let rate = self.settings.rate;
            let pts = start + Span::from_units(self.blocks * BLOCK as i64 - PRIMING, 1, rate.hz());
            self.blocks += 1;
            // 0x21 is how a raw AAC block of two channels starts.
            let mut words = codeword::Writer::after(&[0x21]);
            words.put(&rate.hz().to_be_bytes());
            words.put(&[self.settings.channels]);
            for channel in 0..channels {
                let squares: f64 =
                    block.iter().skip(channel).step_by(channels).map(|&s| f64::from(s) * f64::from(s)).sum();
                words.put(&((squares / BLOCK as f64).sqrt() as f32).to_be_bytes());
            }
            // Long enough for a cipher to have something to do.
            words.put(&[0x5a; 24]);
            self.ready.push_back(Packet {
                track: Track::Audio,
                pts,
                dts: pts,
                duration: Some(Span::from_units(BLOCK as i64, 1, rate.hz())),
                key: Key::Frame,
                data: words.finish().into(),
            });
        }
        self.waiting.drain(..whole);
    }
}

impl AudioEncoder for Encoder {
    fn params(&self) -> &AudioParams {
        &self.params
    }

    fn send(&mut self, pcm: &Pcm) -> Result<(), CodecError> {
        if self.flushed {
            return Err(CodecError::Flushed { codec: NAME });
        }
        self.settings.check(NAME, pcm)?;
        self.start.get_or_insert(pcm.pts);
        self.waiting.extend_from_slice(&pcm.samples);
        self.give_full_blocks();
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        Ok(self.ready.pop_front())
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        if !self.flushed {
            self.flushed = true;
            let block = BLOCK * usize::from(self.settings.channels);
            self.waiting.resize(self.waiting.len().next_multiple_of(block), 0.0);
            self.give_full_blocks();
        }
        Ok(())
    }
}

/// The fake decoder: a square wave of each channel's level, whose phase
/// depends on the time alone, so that blocks join without a step.
#[derive(Default)]
pub(super) struct Decoder {
    ready: VecDeque<Pcm>,
}

fn unpack(packet: &Packet) -> Option<Pcm> {
    let (_, body) = packet.data.split_first()?;
    let mut words = codeword::Reader::new(body);
    let rate = SampleRate::new(u32::from_be_bytes(words.take()?)).ok()?;
    let [channels] = words.take::<1>()?;
    if !(1..=8).contains(&channels) {
        return None;
    }
    let mut levels = Vec::new();
    for _ in 0..channels {
        levels.push(f32::from_be_bytes(words.take()?));
    }
    let _: [u8; 24] = words.take()?;
    words.finish()?;
    let first = rate.sample_at(packet.pts);
    let samples: Vec<f32> = (0..BLOCK as i64)
        .flat_map(|n| {
            let sign = if (first + n).rem_euclid(PERIOD) * 2 < PERIOD { 1.0 } else { -1.0 };
            levels.iter().map(move |level| level * sign)
        })
        .collect();
    Some(Pcm::new(packet.pts, rate, channels, samples))
}

impl AudioDecoder for Decoder {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let pcm = unpack(packet).ok_or(CodecError::Damaged {
            codec: NAME,
            pts: Some(packet.pts),
            why: "not a fake packet, or its sum is wrong".into(),
        })?;
        self.ready.push_back(pcm);
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(self.ready.pop_front())
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}
