//! Each encoder's words for one and the same wish.

mod device;

use ffmpeg_next::ffi;
use media::Size;

use crate::error::CodecError;
use crate::settings::{EncoderFamily, EncoderThreads, Lookahead, VideoEncoderName, VideoEncoderSettings};

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

/// All of x264's vector code but AVX-512's. No more than this is given by `x264-params` than must
/// be: a wrong one would only be logged.
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

/// x265 decides nothing about key frames, repeats no headers, and says nothing.
const OBEDIENT_X265: &str =
    "keyint=-1:scenecut=0:open-gop=0:repeat-headers=0:info=0:hrd=0:aud=0:log-level=none";

/// An option of FFmpeg's, and its value.
pub(super) type Setting = (&'static str, String);

/// How an encoder takes its pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taking {
    /// As they are: three planes.
    Planes,
    /// With the two colour planes woven into one (NV12).
    Woven,
    /// Woven, and brought into the card's own memory first.
    Uploaded,
}

/// A way to open an encoder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Way {
    pub(super) taking: Taking,
    /// Its own options, beside what FFmpeg has fields for.
    pub(super) options: Vec<Setting>,
}

/// The ways to open the settings' encoder, to be tried in this order: what a device takes is found
/// out by asking it.
pub(super) fn ways(settings: &VideoEncoderSettings) -> Vec<Way> {
    use VideoEncoderName as Name;
    let plain = |options| vec![Way { taking: Taking::Planes, options }];
    match settings.encoder {
        Name::X264 => plain(x264(settings)),
        Name::X265 => plain(x265(settings)),
        Name::H264Nvenc | Name::HevcNvenc => plain(device::nvenc(settings)),
        Name::H264Qsv | Name::HevcQsv => {
            vec![Way { taking: Taking::Woven, options: device::qsv(settings) }]
        }
        Name::H264Vaapi | Name::HevcVaapi => device::vaapi(settings),
        Name::H264V4l2 | Name::HevcV4l2 => device::v4l2(),
    }
}

/// "No key frames of your own" (X264_KEYINT_MAX_INFINITE).
const KEYINT_INFINITE: i32 = 1 << 30;

/// The distance of key frames that the encoder is told.
pub(super) fn gop(settings: &VideoEncoderSettings) -> i32 {
    match settings.encoder.family() {
        EncoderFamily::Software => KEYINT_INFINITE,
        _ => device::gop(settings.rate),
    }
}

/// The bits a second that the encoder is to come to as a mean.
///
/// A mean that is as high as the rate at which the buffer fills leaves it half empty for good: x264 with
/// a lookahead of its own stays 1 to 3 % below by itself. With the few pictures that it sees where the
/// lookahead is shared it does not, and the bits in between bring nothing (360p at 700k: SSIM 0.9685
/// with 697k, 0.9688 with 653k).
pub(super) fn mean(settings: &VideoEncoderSettings) -> i64 {
    let (mean, most) = (i64::from(settings.bitrate), i64::from(settings.maxrate));
    if settings.shares_lookahead() { mean.min(most * 985 / 1000) } else { mean }
}

/// How many B-frames the encoder is told; `None` leaves it to its preset.
pub(super) fn bframes(settings: &VideoEncoderSettings) -> Option<u8> {
    match (settings.lookahead, settings.encoder.family()) {
        (Lookahead::None, _) => Some(0),
        (_, EncoderFamily::Software) => settings.bframes,
        // How a device orders them differs from driver to driver.
        _ => Some(settings.bframes.unwrap_or(0)),
    }
}

/// Whether with this preset of x264's a picture leans on one other in each direction.
///
/// Then no picture leans on a B-frame of the group before its own: that one is always further away
/// than what follows it. With `b-pyramid=strict` it is let go at once, by encoder and player, and each
/// holds one picture less; all else that is encoded stays the same but for what that word takes of the rate.
fn leans_on_one(preset: &str) -> bool {
    ["ultrafast", "superfast", "veryfast"].contains(&preset)
}

/// What x264 leaves to those who tell it plans: the kinds of pictures and what their parts are worth.
/// It still looks at the next few to see how many bits its buffer will have for them; without, films
/// that fill it came out up to 11 % below their bitrate, and at two thirds of this the rate followed
/// the content of single pictures too closely.
const SHARED_X264: [&str; 4] = ["mbtree=0", "b-adapt=0", "rc-lookahead=4", "qcomp=0.85"];

fn x264(settings: &VideoEncoderSettings) -> Vec<Setting> {
    let mut options = vec![
        ("preset", settings.preset.to_owned()),
        ("sc_threshold", "0".to_owned()),
        ("forced-idr", "1".to_owned()),
        ("a53cc", "0".to_owned()),
    ];
    let mut tunes: Vec<_> = settings.tune.into_iter().collect();
    let mut own = Vec::new();
    match settings.lookahead {
        Lookahead::None => {
            tunes.push("zerolatency");
            // Which would be part of it, and costs quality.
            own.push("sliced-threads=0");
        }
        Lookahead::Shared if settings.shares_lookahead() => own.extend(SHARED_X264),
        Lookahead::Preset | Lookahead::Shared => {}
        Lookahead::Pictures(count) => options.push(("rc-lookahead", count.to_string())),
    }
    if leans_on_one(settings.preset) {
        options.push(("b-pyramid", "strict".to_owned()));
    }
    // A picture each tick: it need not wait for the next one to know how long this one is shown.
    own.push("force-cfr=1");
    if settings.threads == EncoderThreads::One && reads_stray_memory(settings.size) {
        own.push(WITHOUT_AVX512);
    }
    options.extend((!tunes.is_empty()).then(|| ("tune", tunes.join(","))));
    options.push(("x264-params", own.join(":")));
    options
}

fn x265(settings: &VideoEncoderSettings) -> Vec<Setting> {
    let mut own = OBEDIENT_X265.to_owned();
    own += &match settings.threads {
        EncoderThreads::One => ":pools=none:frame-threads=1:wpp=0".to_owned(),
        EncoderThreads::Many(n) => format!(":pools={n}"),
    };
    match settings.lookahead {
        Lookahead::None => own += ":rc-lookahead=0:b-adapt=0:cutree=0:frame-threads=1",
        Lookahead::Preset | Lookahead::Shared => {}
        Lookahead::Pictures(count) => own += &format!(":rc-lookahead={count}"),
    }
    let mut options =
        vec![("preset", settings.preset.to_owned()), ("forced-idr", "1".to_owned()), ("x265-params", own)];
    options.extend(settings.tune.map(|tune| ("tune", tune.to_owned())));
    options
}

/// Whether the settings are ones that every encoder takes.
pub(super) fn validate(settings: &VideoEncoderSettings) -> Result<(), CodecError> {
    let bad = |name, got: String, legal: String| {
        Err(CodecError::Setting { codec: settings.encoder.as_str(), name, got, legal: legal.into() })
    };
    let Size { width, height } = settings.size;
    if !settings.size.is_even() || !(16..=8192).contains(&width) || !(16..=8192).contains(&height) {
        return bad("size", settings.size.to_string(), "even sides from 16 to 8192".to_owned());
    }
    let rates = 10_000..=400_000_000;
    if !rates.contains(&settings.bitrate) {
        return bad("bitrate", settings.bitrate.to_string(), "10k to 400M".to_owned());
    }
    if !(settings.bitrate..=400_000_000).contains(&settings.maxrate) {
        return bad("maxrate", settings.maxrate.to_string(), format!("{} to 400M", settings.bitrate));
    }
    if !(1_000..=2_000_000_000).contains(&settings.buffer) {
        return bad("buffer", settings.buffer.to_string(), "1k to 2000M".to_owned());
    }
    if !PRESETS.contains(&settings.preset) {
        return bad("preset", settings.preset.to_owned(), PRESETS.join(", "));
    }
    if let Some(most) = settings.bframes {
        let none = settings.lookahead == Lookahead::None
            // FFmpeg's wrapper opens no encoder of this kind with B-frames.
            || settings.encoder.family() == EncoderFamily::V4l2;
        let legal = if none { 0 } else { 16 };
        if most > legal {
            return bad("bframes", most.to_string(), format!("0 to {legal}"));
        }
    }
    if let Lookahead::Pictures(count) = settings.lookahead
        && !(1..=250).contains(&count)
    {
        return bad("lookahead", count.to_string(), "1 to 250".to_owned());
    }
    if let EncoderThreads::Many(n) = settings.threads
        && n.get() > 64
    {
        return bad("threads", n.to_string(), "1 to 64".to_owned());
    }
    Ok(())
}

/// How many frames after it a frame's PTS becomes a DTS: 0 without B-frames, and never more than 2.
pub(super) fn delay(settings: &VideoEncoderSettings, told: i32) -> usize {
    match (settings.encoder, bframes(settings)) {
        (_, Some(0)) => 0,
        // Of x264 FFmpeg tells: 1 with B-frames, 2 where they lean on each other.
        (VideoEncoderName::X264, _) => usize::try_from(told).unwrap_or(0).min(2),
        _ => 2,
    }
}

/// How FFmpeg is to spread it over threads.
pub(super) fn thread_type(encoder: VideoEncoderName) -> i32 {
    match encoder {
        // Frame threads: sliced ones cost quality.
        VideoEncoderName::X264 => ffi::FF_THREAD_FRAME,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use media::FrameRate;

    use super::*;

    #[test]
    fn b_frames_are_let_go_where_none_leans_on_them_later() {
        let usual = VideoEncoderSettings::new(Size::new(64, 36), FrameRate::new(25, 1).unwrap(), 900_000);
        let strict = ("b-pyramid", "strict".to_owned());
        for (preset, lets_go) in [("superfast", true), ("veryfast", true), ("faster", false), ("slow", false)]
        {
            let settings = VideoEncoderSettings { preset, ..usual.clone() };
            assert_eq!(x264(&settings).contains(&strict), lets_go, "{preset}");
        }
    }

    #[test]
    fn vector_code_is_left_out_only_for_the_same_bytes_again() {
        let (size, rate) = (Size::new(854, 480), FrameRate::new(25, 1).unwrap());
        let usual = VideoEncoderSettings::new(size, rate, 900_000);
        let leaves_out = |threads| {
            let options = x264(&VideoEncoderSettings { threads, ..usual.clone() });
            options.iter().any(|(name, value)| *name == "x264-params" && value.contains("asm="))
        };
        assert_eq!(leaves_out(EncoderThreads::One), reads_stray_memory(size));
        assert!(!leaves_out(EncoderThreads::Many(NonZeroU8::MIN)));
    }
}
