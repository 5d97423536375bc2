//! FFmpeg's encoders of pictures, told to decide nothing about key frames.

use std::collections::VecDeque;
use std::num::NonZeroU8;

use ffmpeg_next::ffi;
use media::{FrameRate, Key, Packet, Time, Track, VideoCodec, VideoParams};

use super::call::{self, Answer, AvPacket, Context};
use super::{AvFrame, dialect};
use crate::codec::VideoEncoder;
use crate::error::{CodecError, Step};
use crate::frame::Frame;
use crate::picture::{Picture, PixelFormat, Plane};
use crate::raw::RawFormat;
use crate::settings::{EncoderThreads, Lookahead, VideoEncoderSettings};
use crate::{avc, hevc};

/// "No key frames of your own" (X264_KEYINT_MAX_INFINITE; large enough for all).
const KEYINT_INFINITE: i32 = 1 << 30;

/// The encoder of one rung.
///
/// `keyframe` of the settings is not told to it: it would take it as leave to make key frames of
/// its own.
pub(super) struct AvVideoEncoder {
    context: Context,
    packet: AvPacket,
    settings: VideoEncoderSettings,
    name: &'static str,
    /// The frame for encoders that want the colour planes woven.
    woven: Option<RawFormat>,
    params: VideoParams,
    times: Times,
    flushed: bool,
}

impl AvVideoEncoder {
    pub(super) fn open(settings: &VideoEncoderSettings) -> Result<Self, CodecError> {
        let woven = dialect::wants_nv12(settings.encoder).then_some(RawFormat::Nv12);
        Self::open_for(settings, woven)
    }

    fn open_for(settings: &VideoEncoderSettings, woven: Option<RawFormat>) -> Result<Self, CodecError> {
        dialect::validate(settings)?;
        let name = settings.encoder.as_str();
        let mut context = Context::encoder(name)?;
        let (num, den) = (settings.rate.num() as i32, settings.rate.den() as i32);
        let raw = context.get_mut();
        raw.width = settings.size.width as i32;
        raw.height = settings.size.height as i32;
        raw.pix_fmt = match woven {
            Some(_) => ffi::AVPixelFormat::AV_PIX_FMT_NV12,
            None => ffi::AVPixelFormat::AV_PIX_FMT_YUV420P,
        };
        raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        raw.time_base = ffi::AVRational { num: den, den: num };
        raw.framerate = ffi::AVRational { num, den };
        raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
        raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
        raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        raw.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
        raw.bit_rate = settings.bitrate.into();
        raw.rc_max_rate = settings.maxrate.into();
        raw.rc_buffer_size = settings.buffer as i32;
        raw.gop_size = KEYINT_INFINITE;
        match (settings.lookahead, settings.bframes) {
            (Lookahead::None, _) => raw.max_b_frames = 0,
            (_, Some(most)) => raw.max_b_frames = most.into(),
            // The encoder's own number, by its preset.
            (_, None) => {}
        }
        raw.thread_count = match settings.threads {
            EncoderThreads::One => 1,
            EncoderThreads::Many(n) => NonZeroU8::get(n).into(),
        };
        raw.thread_type = dialect::thread_type(settings.encoder);
        raw.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        // By FFmpeg's own options, which are checked to be taken.
        context.open(&dialect::options(settings))?;
        let config = match settings.encoder.codec() {
            VideoCodec::Hevc => hevc::config_of(context.extradata()),
            _ => avc::config_of(context.extradata()),
        };
        let config = config.ok_or_else(|| CodecError::Damaged {
            codec: name,
            pts: None,
            why: "headers without parameter sets".into(),
        })?;
        let params = VideoParams { codec: settings.encoder.codec(), size: Some(settings.size), config };
        let delay = dialect::delay(settings, context.get().has_b_frames);
        Ok(Self {
            packet: AvPacket::new(name)?,
            context,
            settings: settings.clone(),
            name,
            woven,
            params,
            times: Times::new(name, settings.rate, delay),
            flushed: false,
        })
    }

    /// The picture as a frame that this encoder takes.
    fn frame_of(&self, picture: &Picture) -> Result<AvFrame, CodecError> {
        match self.woven {
            None => picture.av().bare_ref(),
            Some(format) => weave(picture, format),
        }
    }
}

/// A copy with the two colour planes woven into one (NV12).
fn weave(picture: &Picture, format: RawFormat) -> Result<AvFrame, CodecError> {
    let mut frame = AvFrame::of_raw(format, picture.size())?;
    let luma = picture.plane(Plane::Y);
    for (y, row) in frame.raw_rows_mut(format, 0).enumerate().take(luma.height) {
        row[..luma.width].copy_from_slice(luma.row(y));
    }
    let (u, v) = (picture.plane(Plane::U), picture.plane(Plane::V));
    for (y, row) in frame.raw_rows_mut(format, 1).enumerate().take(u.height) {
        for ((pair, u), v) in row.chunks_exact_mut(2).zip(u.row(y)).zip(v.row(y)) {
            pair.copy_from_slice(&[*u, *v]);
        }
    }
    frame.tag(crate::colour::Colour::CANVAS);
    Ok(frame)
}

impl VideoEncoder for AvVideoEncoder {
    fn params(&self) -> &VideoParams {
        &self.params
    }

    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
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
        let mut bare = self.frame_of(picture)?;
        let raw = bare.raw_mut();
        raw.pts = unit;
        raw.pict_type = match key {
            Key::Frame => ffi::AVPictureType::AV_PICTURE_TYPE_I,
            Key::Delta => ffi::AVPictureType::AV_PICTURE_TYPE_NONE,
        };
        let code = self.context.send_frame(bare.as_ptr());
        call::check(self.name, Step::SendFrame, Some(frame.pts), code).map(|_| ())
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        let code = self.context.receive_packet(&mut self.packet);
        match call::answer(self.name, Step::ReceivePacket, None, code)? {
            Answer::Later | Answer::End => Ok(None),
            Answer::Done => {
                let (data, idr) = match self.params.codec {
                    VideoCodec::Hevc => hevc::length_prefixed(self.packet.data()),
                    _ => avc::length_prefixed(self.packet.data()),
                };
                let raw = self.packet.get();
                let (pts, dts) = self.times.leave(raw.pts);
                self.packet.clear();
                Ok(Some(Packet {
                    track: Track::Video,
                    pts,
                    dts,
                    duration: Some(self.settings.rate.tick_span()),
                    key: if idr { Key::Frame } else { Key::Delta },
                    data,
                }))
            }
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
        let [plain, woven] = [None, Some(RawFormat::Nv12)].map(|woven| {
            let mut encoder = AvVideoEncoder::open_for(&settings, woven).unwrap();
            encoder.send(&frame, Key::Frame).unwrap();
            encoder.flush().unwrap();
            encoder.receive().unwrap().unwrap().data
        });
        assert_eq!(plain, woven);
    }
}
