//! libx264, told to decide nothing about key frames.

use std::collections::VecDeque;
use std::num::NonZeroU8;

use ffmpeg_next::ffi;
use media::{Key, Packet, Size, Time, Track, VideoCodec, VideoParams};

use super::call::{self, Answer, AvPacket, Context};
use crate::avc::{self, nal};
use crate::codec::{EncoderThreads, VideoEncoder, VideoEncoderSettings};
use crate::error::{CodecError, Step};
use crate::frame::Frame;
use crate::picture::PixelFormat;

const NAME: &str = "libx264";
/// x264's presets, the fastest first.
const PRESETS: [&str; 10] = [
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
];
/// x264's word for "no key frames of your own" (X264_KEYINT_MAX_INFINITE).
const KEYINT_INFINITE: i32 = 1 << 30;

/// All of x264's vector code but AVX-512's. This is the only key given by
/// `x264-params`, where a wrong one would only be logged.
const WITHOUT_AVX512: &str = "asm=MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2";

/// Whether x264 would not be deterministic even with one thread.
///
/// x264 (at least build 164) reads memory nobody wrote in the AVX-512 code of
/// its macroblock tree when a row is not a multiple of 8 macroblocks, and
/// spends its bits by it: the same frames give other bytes on another heap.
/// Where rows are, AVX-512 stays: it saves a seventh of the time.
fn reads_stray_memory(size: Size) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let ours = is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("avx2");
        ours && is_x86_feature_detected!("avx512f") && !size.width.div_ceil(16).is_multiple_of(8)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = size;
        false
    }
}

/// The x264 encoder of one rung.
///
/// `keyframe` of the settings is not told to x264, which would take it as leave
/// to make key frames of its own.
pub(super) struct X264 {
    context: Context,
    packet: AvPacket,
    settings: VideoEncoderSettings,
    params: VideoParams,
    times: Times,
    flushed: bool,
}

fn bad(name: &'static str, got: String, legal: impl Into<std::borrow::Cow<'static, str>>) -> CodecError {
    CodecError::Setting { codec: NAME, name, got, legal: legal.into() }
}

fn validate(settings: &VideoEncoderSettings) -> Result<(), CodecError> {
    let Size { width, height } = settings.size;
    if !settings.size.is_even() || !(16..=8192).contains(&width) || !(16..=8192).contains(&height) {
        return Err(bad("size", settings.size.to_string(), "even sides from 16 to 8192"));
    }
    if !(10_000..=400_000_000).contains(&settings.bitrate) {
        return Err(bad("bitrate", settings.bitrate.to_string(), "10k to 400M"));
    }
    if !PRESETS.contains(&settings.preset) {
        return Err(bad("preset", settings.preset.to_owned(), PRESETS.join(", ")));
    }
    if let EncoderThreads::Many(n) = settings.threads
        && n.get() > 64
    {
        return Err(bad("threads", n.to_string(), "1 to 64"));
    }
    Ok(())
}

impl X264 {
    pub(super) fn open(settings: &VideoEncoderSettings) -> Result<Self, CodecError> {
        validate(settings)?;
        let mut context = Context::encoder(NAME)?;
        let (num, den) = (settings.rate.num() as i32, settings.rate.den() as i32);
        let bitrate = i64::from(settings.bitrate);
        let raw = context.get_mut();
        raw.width = settings.size.width as i32;
        raw.height = settings.size.height as i32;
        raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        raw.time_base = ffi::AVRational { num: den, den: num };
        raw.framerate = ffi::AVRational { num, den };
        raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
        raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
        raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        raw.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
        raw.bit_rate = bitrate;
        raw.rc_max_rate = bitrate;
        raw.rc_buffer_size = settings.bitrate as i32;
        raw.gop_size = KEYINT_INFINITE;
        raw.thread_count = match settings.threads {
            EncoderThreads::One => 1,
            EncoderThreads::Many(n) => NonZeroU8::get(n).into(),
        };
        // Frame threads: sliced ones cost quality.
        raw.thread_type = ffi::FF_THREAD_FRAME;
        raw.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        // By FFmpeg's own options, which are checked to be taken.
        let mut options = vec![
            ("preset", settings.preset.to_owned()),
            ("sc_threshold", "0".to_owned()),
            ("forced-idr", "1".to_owned()),
            ("a53cc", "0".to_owned()),
        ];
        if settings.threads == EncoderThreads::One && reads_stray_memory(settings.size) {
            options.push(("x264-params", WITHOUT_AVX512.to_owned()));
        }
        context.open(&options)?;
        let config = config_of(context.extradata())?;
        let params = VideoParams { codec: VideoCodec::Avc, size: Some(settings.size), config };
        Ok(Self {
            packet: AvPacket::new(NAME)?,
            context,
            settings: settings.clone(),
            params,
            times: Times::new(settings.rate.num(), settings.rate.den()),
            flushed: false,
        })
    }
}

/// `avcC` out of x264's headers.
fn config_of(headers: &[u8]) -> Result<bytes::Bytes, CodecError> {
    let one = |kind| avc::annex_b(headers).find(|unit| avc::kind(unit) == kind);
    match (one(nal::SPS), one(nal::PPS)) {
        (Some(sps), Some(pps)) => Ok(avc::config(sps, pps)),
        _ => Err(CodecError::Damaged { codec: NAME, pts: None, why: "headers without SPS or PPS".into() }),
    }
}

impl VideoEncoder for X264 {
    fn params(&self) -> &VideoParams {
        &self.params
    }

    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        if self.flushed {
            return Err(CodecError::Flushed { codec: NAME });
        }
        let picture = &frame.picture;
        if picture.size() != self.settings.size {
            return Err(CodecError::PictureSize { got: picture.size(), want: self.settings.size });
        }
        if picture.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: picture.format(), want: PixelFormat::Yuv420p });
        }
        let unit = self.times.enter(frame.pts)?;
        let mut bare = picture.av().bare_ref()?;
        let raw = bare.raw_mut();
        raw.pts = unit;
        raw.pict_type = match key {
            Key::Frame => ffi::AVPictureType::AV_PICTURE_TYPE_I,
            Key::Delta => ffi::AVPictureType::AV_PICTURE_TYPE_NONE,
        };
        let code = self.context.send_frame(bare.as_ptr());
        call::check(NAME, Step::SendFrame, Some(frame.pts), code).map(|_| ())
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        let code = self.context.receive_packet(&mut self.packet);
        match call::answer(NAME, Step::ReceivePacket, None, code)? {
            Answer::Later | Answer::End => Ok(None),
            Answer::Done => {
                let (data, idr) = avc::length_prefixed(self.packet.data());
                let raw = self.packet.get();
                let (pts, dts) = self.times.leave(raw.pts, raw.dts);
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
            call::check(NAME, Step::Flush, None, code)?;
        }
        Ok(())
    }
}

/// Between media time and x264's: ticks of the rate, in which it paces its
/// bits. The exact time of each tick is kept here, so that what comes out is
/// what went in, on the rate's grid or not.
struct Times {
    num: u32,
    den: u32,
    /// Tick and time of frames in the encoder, in order.
    known: VecDeque<(i64, Time)>,
    /// The first frame of all.
    first: Option<(i64, Time)>,
}

impl Times {
    const fn new(num: u32, den: u32) -> Self {
        Self { num, den, known: VecDeque::new(), first: None }
    }

    fn enter(&mut self, pts: Time) -> Result<i64, CodecError> {
        let mut unit = pts.as_units(self.den, self.num);
        if let Some(&(last_unit, last)) = self.known.back() {
            if pts <= last {
                return Err(CodecError::PtsOrder { codec: NAME, got: pts, last });
            }
            // Two frames within one tick: the later one moves on.
            unit = unit.max(last_unit.saturating_add(1));
        }
        self.known.push_back((unit, pts));
        self.first.get_or_insert((unit, pts));
        Ok(unit)
    }

    /// PTS and DTS of a packet.
    fn leave(&mut self, pts: i64, dts: i64) -> (Time, Time) {
        let (pts, dts) = (self.time_of(pts), self.time_of(dts).min(self.time_of(pts)));
        // DTS rises, and no PTS lies before it: older frames are not asked for
        // again. The last one stays, as what the next frame must follow.
        while self.known.len() > 1 && self.known.front().is_some_and(|&(_, time)| time < dts) {
            self.known.pop_front();
        }
        (pts, dts)
    }

    fn time_of(&self, unit: i64) -> Time {
        let at = self.known.partition_point(|&(known, _)| known <= unit);
        match at.checked_sub(1).and_then(|at| self.known.get(at)).or(self.first.as_ref()) {
            Some(&(known, time)) if known == unit => time,
            // Before the first frame, where B-frame delay puts the first DTS.
            Some(&(known, time)) => time + media::Span::from_units(unit - known, self.den, self.num),
            None => Time::from_units(unit, self.den, self.num),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_out_as_they_went_in() {
        let mut times = Times::new(30_000, 1001);
        let odd = |n: i64| Time::from_flicks(12_345 + n * 23_543_520);
        let units: Vec<i64> = (0..5).map(|n| times.enter(odd(n)).unwrap()).collect();
        assert!(units.is_sorted_by(|a, b| a < b));
        assert_eq!(times.leave(units[0], units[0] - 2), (odd(0), odd(-2)));
        assert_eq!(times.leave(units[4], units[0]), (odd(4), odd(0)));
        assert_eq!(times.leave(units[2], units[1]), (odd(2), odd(1)));
        assert!(times.enter(odd(4)).is_err());
    }

    #[test]
    fn frames_closer_than_a_tick_keep_their_order() {
        let mut times = Times::new(1, 1);
        let units: Vec<i64> = (0..4).map(|n| times.enter(Time::from_millis(n)).unwrap()).collect();
        assert_eq!(units, [0, 1, 2, 3]);
        assert_eq!(times.leave(3, 2), (Time::from_millis(3), Time::from_millis(2)));
    }

    #[test]
    fn an_option_the_codec_does_not_know_is_an_error() {
        let mut context = Context::encoder(NAME).unwrap();
        let raw = context.get_mut();
        (raw.width, raw.height) = (64, 64);
        raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        raw.time_base = ffi::AVRational { num: 1, den: 25 };
        let err = context.open(&[("forcd-idr", "1".to_owned())]).unwrap_err();
        assert_eq!(err.to_string(), "libx264: forcd-idr is 1, legal is an option this codec knows");
    }
}
