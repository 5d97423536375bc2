//! FFmpeg's own AAC encoder.

use std::collections::VecDeque;

use bytes::Bytes;
use ffmpeg_next::ffi;
use media::{AudioCodec, AudioParams, Key, Packet, Span, Time, Track};

use super::call::{self, Answer, AvPacket, Context};
use super::frame::AvFrame;
use super::sound;
use crate::codec::AudioEncoder;
use crate::error::{CodecError, Step};
use crate::frame::Pcm;
use crate::settings::AudioEncoderSettings;

const NAME: &str = "aac";
/// Samples of an AAC frame.
const BLOCK: usize = 1024;
/// The rates of ISO/IEC 14496-3, table 1.18, that the encoder takes.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The AAC encoder of one channel.
pub(super) struct Aac {
    context: Context,
    packet: AvPacket,
    settings: AudioEncoderSettings,
    params: AudioParams,
    /// When the first sample is heard; FFmpeg counts samples from there.
    start: Option<Time>,
    sent: i64,
    waiting: Vec<f32>,
    early: VecDeque<Packet>,
    flushed: bool,
}

fn bad(
    name: &'static str,
    got: impl ToString,
    legal: impl Into<std::borrow::Cow<'static, str>>,
) -> CodecError {
    CodecError::Setting { codec: NAME, name, got: got.to_string(), legal: legal.into() }
}

fn validate(settings: &AudioEncoderSettings) -> Result<(), CodecError> {
    let AudioEncoderSettings { rate, channels, bitrate } = *settings;
    if !(1..=2).contains(&channels) {
        return Err(bad("channels", channels, "1 or 2"));
    }
    if !RATES.contains(&rate.hz()) {
        return Err(bad("rate", rate, RATES.map(|hz| hz.to_string()).join(", ")));
    }
    // 6144 bits a frame and channel is all that AAC's buffer holds.
    let most = 6 * rate.hz() * u32::from(channels);
    if !(8_000..=most).contains(&bitrate) {
        return Err(bad("bitrate", bitrate, format!("8000 to {most} at this rate")));
    }
    Ok(())
}

impl Aac {
    pub(super) fn open(settings: &AudioEncoderSettings) -> Result<Self, CodecError> {
        validate(settings)?;
        let AudioEncoderSettings { rate, channels, bitrate } = *settings;
        let mut context = Context::encoder(NAME)?;
        let raw = context.get_mut();
        raw.sample_rate = rate.hz() as i32;
        raw.sample_fmt = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
        sound::set_layout(&mut raw.ch_layout, channels);
        raw.bit_rate = bitrate.into();
        raw.time_base = ffi::AVRational { num: 1, den: rate.hz() as i32 };
        raw.thread_count = 1;
        raw.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        context.open(&[])?;
        if usize::try_from(context.get().frame_size) != Ok(BLOCK) {
            return Err(bad("frame size", context.get().frame_size, "1024"));
        }
        let config = Bytes::copy_from_slice(context.extradata());
        Ok(Self {
            packet: AvPacket::new(NAME)?,
            context,
            settings: *settings,
            params: AudioParams { codec: AudioCodec::Aac, rate, channels, config },
            start: None,
            sent: 0,
            waiting: Vec::new(),
            early: VecDeque::new(),
            flushed: false,
        })
    }

    /// One block, interleaved, to the encoder.
    fn encode(&mut self, block: &[f32]) -> Result<(), CodecError> {
        let channels = usize::from(self.settings.channels);
        let mut frame = AvFrame::empty()?;
        let raw = frame.raw_mut();
        raw.nb_samples = BLOCK as i32;
        raw.format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32;
        raw.sample_rate = self.settings.rate.hz() as i32;
        sound::set_layout(&mut raw.ch_layout, self.settings.channels);
        raw.pts = self.sent;
        // SAFETY: the frame has its format, layout and length and no memory yet.
        let code = unsafe { ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0) };
        call::check(NAME, Step::Allocate, None, code)?;
        for channel in 0..channels {
            // SAFETY: planar float: each of the (at most two) planes got room
            // for `BLOCK` aligned floats just now, and no one else has them.
            let plane =
                unsafe { std::slice::from_raw_parts_mut(frame.raw_mut().data[channel].cast::<f32>(), BLOCK) };
            for (to, &from) in plane.iter_mut().zip(block.iter().skip(channel).step_by(channels)) {
                // The encoder stops for good at what is not a number.
                *to = if from.is_finite() { from.clamp(-1.0, 1.0) } else { 0.0 };
            }
        }
        let pts = self.time_of(self.sent);
        self.sent += BLOCK as i64;
        loop {
            let code = self.context.send_frame(frame.as_ptr());
            match call::answer(NAME, Step::SendFrame, Some(pts), code)? {
                Answer::Done | Answer::End => return Ok(()),
                // It holds few packets: many blocks at once have to be fetched meanwhile.
                Answer::Later => match self.fetch()? {
                    Some(packet) => self.early.push_back(packet),
                    None => return Err(call::error(NAME, Step::SendFrame, Some(pts), code)),
                },
            }
        }
    }

    fn time_of(&self, sample: i64) -> Time {
        self.start.unwrap_or_default() + Span::from_units(sample, 1, self.settings.rate.hz())
    }

    fn fetch(&mut self) -> Result<Option<Packet>, CodecError> {
        let code = self.context.receive_packet(&mut self.packet);
        match call::answer(NAME, Step::ReceivePacket, None, code)? {
            Answer::Later | Answer::End => Ok(None),
            Answer::Done => {
                let pts = self.time_of(self.packet.get().pts);
                let data = Bytes::copy_from_slice(self.packet.data());
                self.packet.clear();
                Ok(Some(Packet {
                    track: Track::Audio,
                    pts,
                    dts: pts,
                    duration: Some(Span::from_units(BLOCK as i64, 1, self.settings.rate.hz())),
                    key: Key::Frame,
                    data,
                }))
            }
        }
    }
}

impl AudioEncoder for Aac {
    fn params(&self) -> &AudioParams {
        &self.params
    }

    fn send(&mut self, pcm: &Pcm) -> Result<(), CodecError> {
        if self.flushed {
            return Err(CodecError::Flushed { codec: NAME });
        }
        self.settings.check(NAME, pcm)?;
        self.start.get_or_insert(pcm.pts);
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.extend_from_slice(&pcm.samples);
        let block = BLOCK * usize::from(self.settings.channels);
        let whole = waiting.len() / block * block;
        let done = waiting[..whole].chunks_exact(block).try_for_each(|block| self.encode(block));
        waiting.drain(..whole);
        self.waiting = waiting;
        done
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        match self.early.pop_front() {
            Some(packet) => Ok(Some(packet)),
            None => self.fetch(),
        }
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        if self.flushed {
            return Ok(());
        }
        self.flushed = true;
        if !self.waiting.is_empty() {
            let mut rest = std::mem::take(&mut self.waiting);
            rest.resize(BLOCK * usize::from(self.settings.channels), 0.0);
            self.encode(&rest)?;
        }
        let code = self.context.send_frame(std::ptr::null());
        call::check(NAME, Step::Flush, None, code).map(|_| ())
    }
}
