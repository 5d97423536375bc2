//! A show's ladder as the encoders and the FLV headers have it.

use codecs::{LadderSettings, Lookahead, Turns, VideoEncoderName, VideoEncoderSettings};
use flv::script::{CodecId, Metadata};
use flv::{FlvMillis, Tag, TagKind};
use media::{Span, VideoCodec, VideoParams};
use pipeline_dsl as dsl;

use crate::channel::cores;

/// AAC's frame. Of a block's sound a packet comes two blocks later than it begins: it lies a block
/// before (priming), and the encoder looks at the one after it.
const BLOCK: i64 = 1024;

/// How far `latency quality` looks ahead.
const DEEP: u8 = 60;

/// `cores` is how many the machine has.
pub(super) fn settings(show: &dsl::Show, ladder: &dsl::Ladder, cores: usize) -> LadderSettings {
    let rungs = ladder.rungs.iter().filter(|rung| !rung.is_copied());
    let rungs = rungs.map(|rung| encoder(show, ladder, rung, cores));
    LadderSettings { rate: show.video.rate, rungs: rungs.collect(), turns: Turns::Even }
}

/// What encodes in place of a copied rung.
pub(super) fn stand_in(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    cores: usize,
) -> LadderSettings {
    let rungs = vec![encoder(show, ladder, rung, cores)];
    LadderSettings { rate: show.video.rate, rungs, turns: Turns::Even }
}

/// What a rung is encoded with.
pub(super) fn encoder(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    cores: usize,
) -> VideoEncoderSettings {
    VideoEncoderSettings {
        maxrate: rung.maxrate(),
        buffer: rung.buffer(),
        encoder: name(ladder.encoder_of(rung)),
        preset: ladder.preset_of(rung).as_str(),
        tune: rung.own.tune.map(dsl::Tune::as_str),
        bframes: rung.own.bframes,
        lookahead: match ladder.latency {
            dsl::Latency::Low => Lookahead::None,
            dsl::Latency::Normal if shares(ladder, rung) => Lookahead::Shared,
            dsl::Latency::Normal => Lookahead::Preset,
            dsl::Latency::Quality => Lookahead::Pictures(DEEP),
        },
        keyframe: ladder.keyframe,
        threads: cores::threads(show, ladder, rung, cores),
        ..VideoEncoderSettings::new(rung.size, show.video.rate, rung.bitrate)
    }
}

/// From so many pixels of all rungs together on a lookahead that they share costs less than each one's
/// own: the two are even at some 640x360.
const SHARED: u64 = 1280 * 720;

/// Whether a rung's lookahead is one with that of others of the ladder. What stands in for a copied rung
/// is a ladder of its own.
fn shares(ladder: &dsl::Ladder, rung: &dsl::Rung) -> bool {
    let can = |other: &&dsl::Rung| {
        other.is_copied() == rung.is_copied()
            && ladder.encoder_of(other) == dsl::Encoder::X264
            && ladder.preset_of(other) == dsl::Preset::Veryfast
            && other.own.tune.is_none()
            && other.own.bframes.is_none()
    };
    let area: u64 = ladder.rungs.iter().filter(can).map(|rung| rung.size.area()).sum();
    can(&rung) && area >= SHARED
}

/// The encoder of a show's word.
pub(super) fn name(encoder: dsl::Encoder) -> VideoEncoderName {
    match encoder {
        dsl::Encoder::X264 => VideoEncoderName::X264,
        dsl::Encoder::X265 => VideoEncoderName::X265,
        dsl::Encoder::H264Nvenc => VideoEncoderName::H264Nvenc,
        dsl::Encoder::HevcNvenc => VideoEncoderName::HevcNvenc,
        dsl::Encoder::H264Qsv => VideoEncoderName::H264Qsv,
        dsl::Encoder::HevcQsv => VideoEncoderName::HevcQsv,
        dsl::Encoder::H264Vaapi => VideoEncoderName::H264Vaapi,
        dsl::Encoder::HevcVaapi => VideoEncoderName::HevcVaapi,
        dsl::Encoder::H264V4l2 => VideoEncoderName::H264V4l2,
        dsl::Encoder::HevcV4l2 => VideoEncoderName::HevcV4l2,
    }
}

/// The header of pictures, and what metadata call their codec.
pub(super) fn video_header(video: &VideoParams) -> (CodecId, bytes::Bytes) {
    match video.codec {
        VideoCodec::Hevc => (CodecId::HEVC, flv::video::hevc_sequence_header(&video.config)),
        _ => (CodecId::AVC, flv::video::avc_sequence_header(&video.config)),
    }
}

/// How much later than its time stamps say sound has its place among the pictures, so that no
/// picture waits for it. With a tick's picture goes its sound, up to the next tick: packets come of
/// what lies three blocks before that end. Encoders that look ahead give pictures later still.
pub(super) fn sound_is_late(show: &dsl::Show, ladder: &dsl::Ladder) -> Span {
    match ladder.latency {
        dsl::Latency::Low => {
            // And one sample, since ticks end between two.
            let behind = Span::from_units(3 * BLOCK + 1, 1, show.audio.rate.hz());
            (behind - show.video.rate.tick_span()).max(Span::ZERO)
        }
        dsl::Latency::Normal | dsl::Latency::Quality => Span::ZERO,
    }
}

/// Metadata, and the headers of pictures and sound.
pub(super) fn headers(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    video: &VideoParams,
    audio: &[u8],
) -> Result<[Tag; 3], String> {
    let (id, header) = video_header(video);
    let metadata = Metadata {
        duration: Some(0.0),
        width: Some(rung.size.width),
        height: Some(rung.size.height),
        framerate: Some(show.video.rate.as_f64()),
        videodatarate: Some(f64::from(rung.bitrate) / 1000.0),
        videocodecid: Some(id),
        audiodatarate: Some(f64::from(ladder.audio_bitrate) / 1000.0),
        audiosamplerate: Some(f64::from(show.audio.rate.hz())),
        audiosamplesize: Some(16),
        layout: Some(match show.audio.layout {
            dsl::Layout::Mono => flv::audio::Layout::Mono,
            dsl::Layout::Stereo => flv::audio::Layout::Stereo,
        }),
        audiocodecid: Some(CodecId::AAC),
        encoder: Some(concat!("obvan ", env!("CARGO_PKG_VERSION")).to_owned()),
        ..Metadata::default()
    };
    let tag = |kind, body| Tag::new(kind, FlvMillis(0), body).map_err(|e| e.to_string());
    Ok([
        metadata.to_tag(FlvMillis(0)).map_err(|e| e.to_string())?,
        tag(TagKind::Video, header)?,
        tag(TagKind::Audio, flv::audio::aac_sequence_header(audio))?,
    ])
}

#[cfg(test)]
mod tests {
    use codecs::{AudioEncoderSettings, CodecKit, Ffmpeg, Pcm};
    use media::{Key, Packet, Tick, Time, Track};

    use super::*;
    use crate::channel::interleave::Interleave;

    fn show(latency: &str, fps: &str, audio: &str) -> dsl::Show {
        dsl::parse_show(&format!(
            "show \"s\" {{ video 320x180 {fps}; audio {audio} stereo; camera a {{ line l test \"bars\" }}
               ladder one {{ latency {latency}; rung r 320x180 300k }}
               channel c {{ sources a; ladder one; egress web serve http-flv }} }}"
        ))
        .unwrap()
    }

    /// How many ticks after its own each picture leaves, at the least and the most (but for the first
    /// few, before any sound has come), and how many packets of sound are held back at the end.
    fn leaves_after(latency: &str, fps: &str, audio: &str) -> (u64, u64, usize) {
        let show = show(latency, fps, audio);
        let (rate, ticks) = (show.audio.rate, show.video.rate);
        let mut interleave = Interleave::new(sound_is_late(&show, &show.ladders[0]));
        let mut aac = Ffmpeg::new()
            .audio_encoder(&AudioEncoderSettings { rate, channels: 2, bitrate: 96_000 })
            .unwrap();
        let (mut least, mut most, mut held) = (u64::MAX, 0, 0);
        let mut waiting = std::collections::VecDeque::new();
        for n in 0..60 {
            let (from, to) = (ticks.time_of(Tick(n)), ticks.time_of(Tick(n + 1)));
            let samples = usize::try_from(rate.sample_at(to) - rate.sample_at(from)).unwrap();
            interleave.put(picture(from));
            waiting.push_back(n);
            aac.send(&Pcm::silence(from, rate, 2, samples)).unwrap();
            while let Some(packet) = aac.receive().unwrap() {
                interleave.put(packet);
                held += 1;
            }
            while let Some(packet) = interleave.next() {
                match packet.track {
                    Track::Audio => held -= 1,
                    Track::Video => {
                        let own = waiting.pop_front().unwrap();
                        if own > 4 {
                            (least, most) = (least.min(n - own), most.max(n - own));
                        }
                    }
                }
            }
        }
        assert!(waiting.len() <= 5, "{} pictures wait", waiting.len());
        (least, most, held)
    }

    fn picture(at: Time) -> Packet {
        Packet {
            track: Track::Video,
            pts: at,
            dts: at,
            duration: None,
            key: Key::Frame,
            data: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_lookahead_is_shared_where_that_spares_something() {
        let shared = |ladder: &str| {
            let show = dsl::parse_show(&format!(
                "show s {{ video 1920x1080 25fps; audio 48kHz stereo; camera a {{ line l test \"bars\" }}
                   ladder one {{ {ladder} }}
                   channel c {{ sources a; ladder one; egress web serve http-flv }} }}"
            ));
            let show = show.unwrap();
            let rungs = settings(&show, &show.ladders[0], 1).rungs;
            rungs.iter().map(codecs::VideoEncoderSettings::shares_lookahead).collect::<Vec<_>>()
        };
        let two = "rung a 1920x1080 4500k; rung b 640x360 700k";
        assert_eq!(shared(two), [true, true]);
        assert_eq!(shared(&format!("latency low; {two}")), [false, false]);
        assert_eq!(shared(&format!("latency quality; {two}")), [false, false]);
        assert_eq!(shared(&format!("preset faster; {two}")), [false, false]);
        assert_eq!(shared(&format!("{two} bframes=3")), [true, false]);
        assert_eq!(shared(&format!("{two} tune=film")), [true, false]);
        assert_eq!(shared(&format!("{two} encoder=x265")), [true, false]);
        // Too few pixels to be worth it.
        assert_eq!(shared("rung a 854x480 1200k; rung b 640x360 700k"), [false, false]);
    }

    #[test]
    fn with_low_latency_no_picture_waits_for_the_real_encoders_sound() {
        for fps in ["15fps", "24fps", "25fps", "30000/1001fps", "50fps", "60fps"] {
            for audio in ["48kHz", "44100Hz"] {
                let (least, most, held) = leaves_after("low", fps, audio);
                assert_eq!((least, most), (0, 0), "{fps} {audio}");
                assert!(held <= 1, "nor sound for pictures: {held}, {fps} {audio}");
            }
        }
        // An encoder that looks ahead is later than that, and tags lie in order.
        let (_, most, _) = leaves_after("normal", "25fps", "48kHz");
        assert!((1..=2).contains(&most), "{most}");
    }
}
