//! The words of encoders that are a card or a chip.
//!
//! None of them makes B-frames unless it is told how many, and then none that others lean on, so
//! that no picture comes two places later than it is decoded, whatever the driver.

use media::FrameRate;

use super::{PRESETS, Setting, Taking, Way};
use crate::settings::{Lookahead, VideoEncoderName, VideoEncoderSettings};

/// Key frames lie at most 15 s apart, whatever the scheduler follows. Devices plan their bits by the
/// distance they are told, so it is not for ever; and some keep it in 16 bits.
const GOP_SECONDS: u32 = 60;

/// The distance of key frames in pictures, longer than any that is asked for.
pub(super) fn gop(rate: FrameRate) -> i32 {
    let pictures = (rate.as_f64() * f64::from(GOP_SECONDS)).ceil();
    pictures.clamp(1.0, f64::from(u16::MAX)) as i32
}

/// Place in a list of speeds from the fastest to the slowest.
fn speed<const N: usize>(preset: &str, words: [&'static str; N]) -> &'static str {
    let place = PRESETS.iter().position(|word| *word == preset).unwrap_or(0);
    words[place * (N - 1) / (PRESETS.len() - 1)]
}

fn set(name: &'static str, value: &str) -> Setting {
    (name, value.to_owned())
}

pub(super) fn nvenc(settings: &VideoEncoderSettings) -> Vec<Setting> {
    let mut options = vec![
        set("preset", speed(settings.preset, ["p1", "p2", "p3", "p4", "p5", "p6", "p7"])),
        set("forced-idr", "1"),
        set("no-scenecut", "1"),
        set("rc", "vbr"),
        set("b_ref_mode", "disabled"),
        set("a53cc", "0"),
    ];
    // As x264 and the drivers of the others have it; FFmpeg's own is main.
    if settings.encoder == VideoEncoderName::H264Nvenc {
        options.push(set("profile", "high"));
    }
    match settings.lookahead {
        // Tuned for quality the slow presets look ahead by themselves.
        Lookahead::None => options.extend([set("tune", "ll"), set("zerolatency", "1"), set("delay", "0")]),
        Lookahead::Preset | Lookahead::Shared => {}
        // As many as the cards take.
        Lookahead::Pictures(count) => options.push(("rc-lookahead", count.min(32).to_string())),
    }
    options
}

pub(super) fn qsv(settings: &VideoEncoderSettings) -> Vec<Setting> {
    let words = ["veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];
    let mut options =
        vec![set("preset", speed(settings.preset, words)), set("forced_idr", "1"), set("b_strategy", "0")];
    if settings.encoder == VideoEncoderName::H264Qsv {
        options.extend([set("adaptive_i", "0"), set("adaptive_b", "0"), set("a53cc", "0")]);
    }
    if settings.lookahead == Lookahead::None {
        options.push(set("async_depth", "1"));
    }
    options
}

/// With the card's whole encoder, and with the small one beside it, which some have alone.
pub(super) fn vaapi(settings: &VideoEncoderSettings) -> Vec<Way> {
    let mut options = vec![set("idr_interval", "0"), set("b_depth", "1"), set("sei", "0")];
    // Where both are one, FFmpeg takes the first of what the driver offers, a constant rate first.
    if settings.maxrate > settings.bitrate {
        options.push(set("rc_mode", "VBR"));
    }
    if settings.lookahead == Lookahead::None {
        options.push(set("async_depth", "1"));
    }
    let small = options.iter().cloned().chain([set("low_power", "1")]).collect();
    [options, small].map(|options| Way { taking: Taking::Uploaded, options }).into()
}

/// Each driver takes one form of pictures, and says no to the other.
pub(super) fn v4l2() -> Vec<Way> {
    [Taking::Planes, Taking::Woven].map(|taking| Way { taking, options: Vec::new() }).into()
}

#[cfg(test)]
mod tests {
    use media::{FrameRate, Size};

    use super::super::{bframes, delay, gop, ways};
    use super::*;
    use crate::ffmpeg::call::Context;
    use crate::settings::EncoderFamily;

    fn devices() -> impl Iterator<Item = VideoEncoderName> {
        VideoEncoderName::ALL.into_iter().filter(|name| name.family() != EncoderFamily::Software)
    }

    fn of(encoder: VideoEncoderName) -> VideoEncoderSettings {
        let rate = FrameRate::new(25, 1).unwrap();
        VideoEncoderSettings { encoder, ..VideoEncoderSettings::new(Size::new(640, 360), rate, 900_000) }
    }

    /// All that is asked of a device, though none may be here: FFmpeg knows its options without.
    #[test]
    fn every_option_is_one_that_ffmpeg_takes() {
        for encoder in devices() {
            // Another build of FFmpeg may lack it.
            let Ok(mut context) = Context::encoder(encoder.as_str()) else { continue };
            for preset in PRESETS {
                for lookahead in [Lookahead::None, Lookahead::Preset, Lookahead::Pictures(60)] {
                    for maxrate in [900_000, 1_800_000] {
                        let settings = VideoEncoderSettings { preset, lookahead, maxrate, ..of(encoder) };
                        for (name, value) in ways(&settings).into_iter().flat_map(|way| way.options) {
                            assert!(context.takes(name, &value), "{encoder:?}: {name}={value}");
                        }
                    }
                }
            }
            assert!(!context.takes("forcd-idr", "1"));
        }
    }

    #[test]
    fn none_has_b_frames_or_key_frames_of_its_own() {
        for encoder in devices() {
            let settings = of(encoder);
            assert_eq!((bframes(&settings), delay(&settings, 7)), (Some(0), 0), "{encoder:?}");
            let asked = VideoEncoderSettings { bframes: Some(2), ..settings };
            assert_eq!((bframes(&asked), delay(&asked, 7)), (Some(2), 2), "{encoder:?}");
            assert_eq!(gop(&asked), 1_500, "longer than 15 s, and in 16 bits");
        }
        assert_eq!(gop(&of(VideoEncoderName::X264)), 1 << 30);
        assert_eq!(super::gop(FrameRate::new(240, 1).unwrap()), 14_400);
    }

    #[test]
    fn what_each_is_told() {
        let told = |encoder, change: fn(&mut VideoEncoderSettings)| {
            let mut settings = of(encoder);
            change(&mut settings);
            let text = |way: Way| {
                let options = way.options.into_iter().map(|(name, value)| format!(" {name}={value}"));
                format!("{:?}{}", way.taking, options.collect::<String>())
            };
            ways(&settings).into_iter().map(text).collect::<Vec<_>>()
        };
        use VideoEncoderName as Name;
        assert_eq!(
            told(Name::H264Nvenc, |s| s.lookahead = Lookahead::None),
            [
                "Planes preset=p2 forced-idr=1 no-scenecut=1 rc=vbr b_ref_mode=disabled a53cc=0 profile=high tune=ll zerolatency=1 delay=0"
            ]
        );
        assert_eq!(
            told(Name::HevcQsv, |s| s.preset = "medium"),
            ["Woven preset=medium forced_idr=1 b_strategy=0"]
        );
        assert_eq!(
            told(Name::HevcVaapi, |s| s.maxrate *= 2),
            [
                "Uploaded idr_interval=0 b_depth=1 sei=0 rc_mode=VBR",
                "Uploaded idr_interval=0 b_depth=1 sei=0 rc_mode=VBR low_power=1"
            ]
        );
        assert_eq!(told(Name::H264V4l2, |_| {}), ["Planes", "Woven"]);
    }
}
