//! The encoder that is meant by another tool's name for it.
//!
//! FFmpeg, GStreamer and OBS spell the same encoders otherwise, too differently for the nearest word to
//! be found by its letters; and letters alone would take `h265-nvenc` for AVC.

use super::nearest;
use crate::model::Encoder;

/// What names are made of, and the word of what an encoder runs on. The first that fits decides.
const FAMILIES: [(&str, &str); 13] = [
    ("nvenc", "nvenc"),
    ("nvidia", "nvenc"),
    ("cuda", "nvenc"),
    ("nvh26", "nvenc"),
    ("v4l2", "v4l2"),
    ("qsv", "qsv"),
    ("quicksync", "qsv"),
    ("mfx", "qsv"),
    ("msdk", "qsv"),
    ("vaapi", "vaapi"),
    ("vah26", "vaapi"),
    // AMD's own, which is for Windows.
    ("amf", "vaapi"),
    ("amd", "vaapi"),
];
/// The same of codecs; all of them are four letters here.
const CODECS: [(&str, &str); 6] = [
    ("hevc", "hevc"),
    ("h265", "hevc"),
    ("x265", "hevc"),
    ("h264", "h264"),
    ("x264", "h264"),
    ("avc", "h264"),
];
/// What a name may have besides its codec and still be an encoder in software.
const USUAL: [&str; 6] = ["lib", "open", "obs", "ffmpeg", "enc", "rgb"];

/// What helps whoever asked for an encoder that is none: the word that is meant, or why there is none.
pub(crate) fn other_encoder(text: &str) -> Option<String> {
    let why_not = Encoder::why_not(text).map(str::to_owned);
    why_not.or_else(|| meant(text).map(|word| format!("did you mean `{word}`?")))
}

fn part(text: &str, parts: &[(&'static str, &'static str)]) -> Option<(&'static str, &'static str)> {
    parts.iter().copied().find(|(part, _)| text.contains(part))
}

/// The word that is meant by `text`, which is none, if that can be said.
fn meant(text: &str) -> Option<&'static str> {
    if text.len() > 64 {
        return None;
    }
    // `H.264 (NVENC)`, `h264_nvenc`, `nvh264enc`.
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let bare = bare.to_ascii_lowercase();
    let codec = part(&bare, &CODECS);
    if let Some((_, family)) = part(&bare, &FAMILIES) {
        let of_codec = codec.and_then(|(_, codec)| {
            Encoder::WORDS
                .into_iter()
                .find(|word| word.strip_prefix(codec).and_then(|word| word.strip_prefix('-')) == Some(family))
        });
        return Some(of_codec.unwrap_or(family));
    }
    // A slip of the pen, once the codec has our name.
    let ours = codec.map(|(part, codec)| text.to_ascii_lowercase().replace(part, codec).replace('_', "-"));
    let near =
        nearest(ours.as_deref().unwrap_or(text), Encoder::WORDS).or_else(|| nearest(text, Encoder::WORDS));
    let of_codec = |word: &&str| match codec {
        Some((_, codec)) => Encoder::named(word).is_some_and(|encoder| is_of(encoder, codec)),
        None => true,
    };
    near.filter(of_codec).or_else(|| {
        let (part, codec) = codec?;
        let rest = USUAL.iter().fold(bare.replacen(part, "", 1), |rest, usual| rest.replacen(usual, "", 1));
        let software = if codec == "hevc" { Encoder::X265 } else { Encoder::X264 };
        rest.is_empty().then_some(software.as_str())
    })
}

fn is_of(encoder: Encoder, codec: &str) -> bool {
    match encoder {
        Encoder::X264 => codec == "h264",
        Encoder::X265 => codec == "hevc",
        device => device.as_str().starts_with(codec),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_names_of_the_same_encoders() {
        for (names, word) in [
            // FFmpeg's.
            ("libx264 libx264rgb libopenh264", "x264"),
            ("libx265", "x265"),
            ("h264_nvenc nvenc_h264", "h264-nvenc"),
            ("hevc_nvenc nvenc_hevc", "hevc-nvenc"),
            ("h264_qsv", "h264-qsv"),
            ("hevc_qsv", "hevc-qsv"),
            ("h264_vaapi h264_amf", "h264-vaapi"),
            ("hevc_vaapi hevc_amf", "hevc-vaapi"),
            ("h264_v4l2m2m", "h264-v4l2"),
            ("hevc_v4l2m2m", "hevc-v4l2"),
            // GStreamer's and OBS's.
            ("x264enc obs_x264 openh264enc", "x264"),
            ("x265enc", "x265"),
            ("nvh264enc nvcudah264enc", "h264-nvenc"),
            ("nvh265enc", "hevc-nvenc"),
            ("vaapih264enc vah264enc vah264lpenc", "h264-vaapi"),
            ("vah265enc", "hevc-vaapi"),
            ("qsvh264enc msdkh264enc", "h264-qsv"),
            ("v4l2h264enc", "h264-v4l2"),
            ("jim_nvenc ffmpeg_nvenc obs_nvenc", "nvenc"),
            ("obs_qsv11", "qsv"),
            // What people say.
            ("h264 H.264 avc AVC X264 h264enc 264", "x264"),
            ("hevc h265 H.265 HEVC", "x265"),
            ("h265-nvenc x265_nvenc NVENC-HEVC", "hevc-nvenc"),
            ("avc-nvenc", "h264-nvenc"),
            ("nvidia cuda NVENC", "nvenc"),
            ("quicksync quick-sync intel-qsv mfx", "qsv"),
            ("v4l2m2m", "v4l2"),
            ("amd amf", "vaapi"),
            // Slips.
            ("x246", "x264"),
            ("nvnec", "nvenc"),
            ("hevc-nvnec h265-nvnec hevc_nvnec", "hevc-nvenc"),
            ("h264-vapi h264_vapi", "h264-vaapi"),
            ("vaapy", "vaapi"),
        ] {
            for name in names.split(' ') {
                assert_eq!(meant(name), Some(word), "{name}");
            }
        }
    }

    #[test]
    fn what_is_none_of_ours_has_no_other_name() {
        for name in [
            "h264_videotoolbox",
            "h264_omx",
            "hevc_vulkan",
            "h264_mediacodec",
            "hevc_rkmpp",
            "libvpx-vp9",
            "mpeg2video",
            "copy",
            "auto",
            "prores",
            "",
            "ü",
            "_",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
        assert_eq!(meant(&"nvenc".repeat(100)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Nothing that is written there brings anything but a word that is legal, and of its own codec.
        #[test]
        fn all_that_is_meant_is_legal(
            text in "(lib|h|x|nv|va|hevc|h265|avc)?[-_. 264x5]{0,6}(nvenc|qsv|v4l2m2m|vapi|enc|m2m|é)?.{0,4}",
        ) {
            if let Some(word) = meant(&text) {
                let encoder = Encoder::named(word);
                prop_assert!(encoder.is_some(), "{text}: {word}");
                if text.contains("hevc") {
                    prop_assert!(!word.contains("264"), "{text}: {word}");
                }
            }
        }
    }
}
