//! FFmpeg's encoders of pictures, told to decide nothing about key frames.

use std::collections::VecDeque;
use std::num::NonZeroU8;

use bytes::Bytes;
use ffmpeg_next::ffi;
use media::{FrameRate, Key, Packet, Time, Track, VideoCodec, VideoParams};

use super::call::{self, Answer, AvPacket, Context};
use super::dialect::{self, Taking, Way};
use super::intake::Intake;
use super::regions;
use crate::codec::VideoEncoder;
use crate::colour::Rgb;
use crate::error::{CodecError, Step};
use crate::frame::Frame;
use crate::lookahead::{PictureKind, Plan, QpOffsets};
use crate::picture::{PictureMut, PixelFormat};
use crate::settings::{EncoderFamily, EncoderThreads, VideoEncoderSettings};
use crate::{avc, hevc};

/// The encoder of one rung.
///
/// `keyframe` of the settings is not told to it: it would take it as leave to make key frames of
/// its own.
pub(super) struct AvVideoEncoder {
    context: Context,
    packet: AvPacket,
    settings: VideoEncoderSettings,
    name: &'static str,
    intake: Intake,
    params: VideoParams,
    times: Times,
    flushed: bool,
}

impl AvVideoEncoder {
    /// Opened in the first way that it can be. Where none can, the first one's error tells most.
    pub(super) fn open(settings: &VideoEncoderSettings) -> Result<Self, CodecError> {
        dialect::validate(settings)?;
        let mut refused = None;
        for way in dialect::ways(settings) {
            match Self::open_in(settings, &way) {
                Ok(encoder) => return Ok(encoder),
                Err(why) => {
                    // Without the device every way ends there.
                    let is_missing = matches!(
                        why,
                        CodecError::Unavailable { .. } | CodecError::Ffmpeg { step: Step::FindDevice, .. }
                    );
                    refused = refused.or(Some(why));
                    if is_missing {
                        break;
                    }
                }
            }
        }
        Err(refused.unwrap_or(CodecError::Unavailable { codec: settings.encoder.as_str() }))
    }

    fn open_in(settings: &VideoEncoderSettings, way: &Way) -> Result<Self, CodecError> {
        let name = settings.encoder.as_str();
        let (mut context, mut intake) = opened(settings, way)?;
        let config = match config_of(settings.encoder.codec(), context.extradata()) {
            Some(config) => config,
            None if settings.encoder.family() != EncoderFamily::Software => {
                let config = first_headers(settings, context, &intake)?;
                // One at a time: some devices have no more.
                drop(intake);
                (context, intake) = opened(settings, way)?;
                config
            }
            None => return Err(headless(name)),
        };
        let params = VideoParams { codec: settings.encoder.codec(), size: Some(settings.size), config };
        let delay = dialect::delay(settings, context.get().has_b_frames);
        Ok(Self {
            packet: AvPacket::new(name)?,
            context,
            settings: settings.clone(),
            name,
            intake,
            params,
            times: Times::new(name, settings.rate, delay),
            flushed: false,
        })
    }
}

/// The encoder of the settings, open, and what its pictures are brought to it by.
fn opened(settings: &VideoEncoderSettings, way: &Way) -> Result<(Context, Intake), CodecError> {
    let (mut context, intake) = closed(settings, way.taking)?;
    // By FFmpeg's own options, which are checked to be taken.
    context.open(&way.options)?;
    Ok((context, intake))
}

/// The same before it is opened.
fn closed(settings: &VideoEncoderSettings, taking: Taking) -> Result<(Context, Intake), CodecError> {
    let mut context = Context::encoder(settings.encoder.as_str())?;
    let (num, den) = (settings.rate.num() as i32, settings.rate.den() as i32);
    let raw = context.get_mut();
    raw.width = settings.size.width as i32;
    raw.height = settings.size.height as i32;
    let intake = Intake::of(taking, settings)?;
    match &intake {
        Intake::Planes => raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P,
        Intake::Woven => raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_NV12,
        Intake::Uploaded(card) => card.lend(raw)?,
    }
    raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
    raw.time_base = ffi::AVRational { num: den, den: num };
    raw.framerate = ffi::AVRational { num, den };
    raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
    raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
    raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    raw.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
    raw.bit_rate = dialect::mean(settings);
    raw.rc_max_rate = settings.maxrate.into();
    raw.rc_buffer_size = settings.buffer as i32;
    raw.gop_size = dialect::gop(settings);
    if let Some(most) = dialect::bframes(settings) {
        raw.max_b_frames = most.into();
    }
    raw.thread_count = match settings.threads {
        EncoderThreads::One => 1,
        EncoderThreads::Many(n) => NonZeroU8::get(n).into(),
    };
    raw.thread_type = dialect::thread_type(settings.encoder);
    raw.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
    Ok((context, intake))
}

impl AvVideoEncoder {
    fn hand_in(
        &mut self,
        frame: &Frame,
        kind: ffi::AVPictureType,
        offsets: Option<&QpOffsets>,
    ) -> Result<(), CodecError> {
        if self.flushed {
            return Err(CodecError::Flushed { codec: self.name });
        }
        let picture = &frame.picture;
        if picture.size() != self.settings.size {
            return Err(CodecError::PictureSize { got: picture.size(), want: self.settings.size });
        }
        if picture.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: picture.format(), want: PixelFormat::Yuv420p });
        }
        let unit = self.times.enter(frame.pts)?;
        let mut bare = self.intake.frame_of(picture)?;
        if let Some(offsets) = offsets {
            regions::tell(&mut bare, offsets)?;
        }
        let raw = bare.raw_mut();
        (raw.pts, raw.pict_type) = (unit, kind);
        let code = self.context.send_frame(bare.as_ptr());
        call::check(self.name, Step::SendFrame, Some(frame.pts), code).map(|_| ())
    }
}

/// Without a plan an encoder chooses for itself between all that are no key frames.
const fn kind_of(key: Key) -> ffi::AVPictureType {
    match key {
        Key::Frame => ffi::AVPictureType::AV_PICTURE_TYPE_I,
        Key::Delta => ffi::AVPictureType::AV_PICTURE_TYPE_NONE,
    }
}

fn headless(codec: &'static str) -> CodecError {
    CodecError::Damaged { codec, pts: None, why: "headers without parameter sets".into() }
}

/// The decoder's configuration out of headers in Annex B.
fn config_of(codec: VideoCodec, headers: &[u8]) -> Option<Bytes> {
    match codec {
        VideoCodec::Hevc => hevc::config_of(headers),
        _ => avc::config_of(headers),
    }
}

/// Some devices tell their headers with their first picture alone: one is encoded to see them, after
/// which this encoder has ended.
fn first_headers(
    settings: &VideoEncoderSettings,
    mut context: Context,
    intake: &Intake,
) -> Result<Bytes, CodecError> {
    let name = settings.encoder.as_str();
    let picture = PictureMut::filled(settings.size, Rgb::new(0, 0, 0))?.freeze();
    let mut frame = intake.frame_of(&picture)?;
    (frame.raw_mut().pts, frame.raw_mut().pict_type) = (0, ffi::AVPictureType::AV_PICTURE_TYPE_I);
    call::check(name, Step::SendFrame, None, context.send_frame(frame.as_ptr()))?;
    call::check(name, Step::Flush, None, context.send_frame(std::ptr::null()))?;
    let (mut packet, mut headers) = (AvPacket::new(name)?, Vec::new());
    loop {
        let code = context.receive_packet(&mut packet);
        let Answer::Done = call::answer(name, Step::ReceivePacket, None, code)? else {
            return Err(headless(name));
        };
        headers.extend_from_slice(packet.data());
        packet.clear();
        if let Some(config) = config_of(settings.encoder.codec(), &headers) {
            return Ok(config);
        }
    }
}

impl VideoEncoder for AvVideoEncoder {
    fn params(&self) -> &VideoParams {
        &self.params
    }

    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        self.hand_in(frame, kind_of(key), None)
    }

    fn send_planned(&mut self, frame: &Frame, plan: &Plan) -> Result<(), CodecError> {
        if !self.settings.shares_lookahead() {
            return self.send(frame, plan.key());
        }
        let kind = match plan.kind {
            PictureKind::Key => ffi::AVPictureType::AV_PICTURE_TYPE_I,
            PictureKind::Anchor => ffi::AVPictureType::AV_PICTURE_TYPE_P,
            PictureKind::Between => ffi::AVPictureType::AV_PICTURE_TYPE_B,
        };
        self.hand_in(frame, kind, plan.offsets.as_ref())
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        loop {
            let code = self.context.receive_packet(&mut self.packet);
            match call::answer(self.name, Step::ReceivePacket, None, code)? {
                Answer::Later | Answer::End => return Ok(None),
                Answer::Done => {}
            }
            let (data, idr) = match self.params.codec {
                VideoCodec::Hevc => hevc::length_prefixed(self.packet.data()),
                _ => avc::length_prefixed(self.packet.data()),
            };
            let pts = self.packet.get().pts;
            self.packet.clear();
            // Some devices send their headers by themselves.
            if data.is_empty() {
                continue;
            }
            let (pts, dts) = self.times.leave(pts);
            return Ok(Some(Packet {
                track: Track::Video,
                pts,
                dts,
                duration: Some(self.settings.rate.tick_span()),
                key: if idr { Key::Frame } else { Key::Delta },
                data,
            }));
        }
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        if !self.flushed {
            self.flushed = true;
            let code = self.context.send_frame(std::ptr::null());
            call::check(self.name, Step::Flush, None, code)?;
        }
        Ok(())
    }
}

/// Between media time and the encoder's: ticks of the rate, in which it paces its
/// bits. The exact time of each tick is kept here, so that what comes out is
/// what went in, on the rate's grid or not.
///
/// The DTS is made here, too: the time of the frame that went in `delay` before. x264 and x265 mean
/// the same, yet learn how long their delay lasts from the frames that follow, so that a stream of
/// one or two frames would have none, and could not be followed by another.
struct Times {
    codec: &'static str,
    rate: FrameRate,
    delay: usize,
    /// Tick and time of frames in the encoder, in order.
    known: VecDeque<(i64, Time)>,
    /// DTS to come.
    decoded: VecDeque<Time>,
}

impl Times {
    const fn new(codec: &'static str, rate: FrameRate, delay: usize) -> Self {
        Self { codec, rate, delay, known: VecDeque::new(), decoded: VecDeque::new() }
    }

    fn enter(&mut self, pts: Time) -> Result<i64, CodecError> {
        let mut unit = pts.as_units(self.rate.den(), self.rate.num());
        if let Some(&(last_unit, last)) = self.known.back() {
            if pts <= last {
                return Err(CodecError::PtsOrder { codec: self.codec, got: pts, last });
            }
            // Two frames within one tick: the later one moves on.
            unit = unit.max(last_unit.saturating_add(1));
        } else {
            let tick = self.rate.tick_span();
            self.decoded.extend((1..=self.delay).rev().map(|early| pts - tick.times(early as i64)));
        }
        self.known.push_back((unit, pts));
        self.decoded.push_back(pts);
        Ok(unit)
    }

    /// PTS and DTS of a packet.
    fn leave(&mut self, pts: i64) -> (Time, Time) {
        let pts = self.time_of(pts);
        let dts = self.decoded.pop_front().map_or(pts, |dts| dts.min(pts));
        // DTS rises, and no PTS lies before it: older frames are not asked for
        // again. The last one stays, as what the next frame must follow.
        while self.known.len() > 1 && self.known.front().is_some_and(|&(_, time)| time < dts) {
            self.known.pop_front();
        }
        (pts, dts)
    }

    fn time_of(&self, unit: i64) -> Time {
        let at = self.known.partition_point(|&(known, _)| known < unit);
        match self.known.get(at) {
            Some(&(known, time)) if known == unit => time,
            // It gives what it was given.
            _ => Time::from_units(unit, self.rate.den(), self.rate.num()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::VideoEncoderName;

    #[test]
    fn times_come_out_as_they_went_in() {
        let mut times = Times::new("x", FrameRate::new(30_000, 1001).unwrap(), 2);
        let odd = |n: i64| Time::from_flicks(12_345 + n * 23_543_520);
        let units: Vec<i64> = (0..5).map(|n| times.enter(odd(n)).unwrap()).collect();
        assert!(units.is_sorted_by(|a, b| a < b));
        // In order of decoding: each two frames after the one that has its PTS for DTS.
        let order = [0, 4, 2, 1, 3].map(|n| times.leave(units[n]));
        assert_eq!(order, [(0, -2), (4, -1), (2, 0), (1, 1), (3, 2)].map(|(pts, dts)| (odd(pts), odd(dts))));
        assert!(times.enter(odd(4)).is_err());
    }

    #[test]
    fn frames_closer_than_a_tick_keep_their_order() {
        let mut times = Times::new("x", FrameRate::new(1, 1).unwrap(), 1);
        let units: Vec<i64> = (0..4).map(|n| times.enter(Time::from_millis(n)).unwrap()).collect();
        assert_eq!(units, [0, 1, 2, 3]);
        assert_eq!(times.leave(0).1, Time::from_millis(-1000));
        assert_eq!(times.leave(3), (Time::from_millis(3), Time::ZERO));
    }

    #[test]
    fn an_option_the_codec_does_not_know_is_an_error() {
        let mut context = Context::encoder("libx264").unwrap();
        let raw = context.get_mut();
        (raw.width, raw.height) = (64, 64);
        raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        raw.time_base = ffi::AVRational { num: 1, den: 25 };
        let err = context.open(&[("forcd-idr", "1".to_owned())]).unwrap_err();
        assert_eq!(err.to_string(), "libx264: forcd-idr is 1, legal is an option this codec knows");
    }

    /// As with a device that tells its headers with its first picture alone.
    #[test]
    fn headers_are_found_in_the_first_picture() {
        for encoder in [VideoEncoderName::X264, VideoEncoderName::X265] {
            let (size, rate) = (media::Size::new(64, 48), FrameRate::new(25, 1).unwrap());
            let settings = VideoEncoderSettings { encoder, ..VideoEncoderSettings::new(size, rate, 900_000) };
            let [way] = &dialect::ways(&settings)[..] else { panic!("it has one") };
            let told = AvVideoEncoder::open_in(&settings, way).unwrap().params.config;
            let (mut context, intake) = closed(&settings, way.taking).unwrap();
            context.get_mut().flags &= !(ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32);
            let repeated =
                |(name, value): &(_, String)| (*name, value.replace("repeat-headers=0", "repeat-headers=1"));
            context.open(&way.options.iter().map(repeated).collect::<Vec<_>>()).unwrap();
            assert_eq!(config_of(encoder.codec(), context.extradata()), None, "{encoder:?}");
            assert_eq!(first_headers(&settings, context, &intake).unwrap(), told, "{encoder:?}");
        }
    }

    #[test]
    fn woven_colour_planes_are_the_same_picture() {
        let size = media::Size::new(66, 34);
        let settings = VideoEncoderSettings::new(size, media::FrameRate::new(25, 1).unwrap(), 900_000);
        let mut picture =
            crate::picture::PictureMut::filled(size, crate::colour::Rgb::new(9, 99, 200)).unwrap();
        for mut plane in picture.planes_mut() {
            for (n, pixel) in plane.rows_mut().flatten().enumerate() {
                *pixel = pixel.wrapping_add((n * n % 23) as u8);
            }
        }
        let frame = Frame { pts: Time::ZERO, picture: picture.freeze() };
        let [way] = &dialect::ways(&settings)[..] else { panic!("x264 has one") };
        let [plain, woven] = [Taking::Planes, Taking::Woven].map(|taking| {
            let mut encoder = AvVideoEncoder::open_in(&settings, &Way { taking, ..way.clone() }).unwrap();
            encoder.send(&frame, Key::Frame).unwrap();
            encoder.flush().unwrap();
            encoder.receive().unwrap().unwrap().data
        });
        assert_eq!(plain, woven);
    }
}
