//! A show's ladder as the encoders and the FLV headers have it.

use codecs::{LadderSettings, Lookahead, VideoEncoderName, VideoEncoderSettings};
use flv::script::{CodecId, Metadata};
use flv::{FlvMillis, Tag, TagKind};
use media::{VideoCodec, VideoParams};
use pipeline_dsl as dsl;

use crate::channel::cores;

/// How far `latency quality` looks ahead.
const DEEP: u8 = 60;

/// `cores` is how many the machine has.
pub(super) fn settings(show: &dsl::Show, ladder: &dsl::Ladder, cores: usize) -> LadderSettings {
    let rungs = ladder.rungs.iter().filter(|rung| !rung.is_copied());
    let rungs = rungs.map(|rung| encoder(show, ladder, rung, cores));
    LadderSettings { rate: show.video.rate, rungs: rungs.collect() }
}

/// What encodes in place of a copied rung.
pub(super) fn stand_in(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    cores: usize,
) -> LadderSettings {
    LadderSettings { rate: show.video.rate, rungs: vec![encoder(show, ladder, rung, cores)] }
}

fn encoder(show: &dsl::Show, ladder: &dsl::Ladder, rung: &dsl::Rung, cores: usize) -> VideoEncoderSettings {
    VideoEncoderSettings {
        maxrate: rung.maxrate(),
        buffer: rung.buffer(),
        encoder: name(ladder.encoder_of(rung)),
        preset: ladder.preset_of(rung).as_str(),
        tune: rung.own.tune.map(dsl::Tune::as_str),
        bframes: rung.own.bframes,
        lookahead: match ladder.latency {
            dsl::Latency::Low => Lookahead::None,
            dsl::Latency::Normal => Lookahead::Preset,
            dsl::Latency::Quality => Lookahead::Pictures(DEEP),
        },
        keyframe: ladder.keyframe,
        threads: cores::threads(show, ladder, rung, cores),
        ..VideoEncoderSettings::new(rung.size, show.video.rate, rung.bitrate)
    }
}

fn name(encoder: dsl::Encoder) -> VideoEncoderName {
    match encoder {
        dsl::Encoder::X264 => VideoEncoderName::X264,
        dsl::Encoder::X265 => VideoEncoderName::X265,
        dsl::Encoder::H264Nvenc => VideoEncoderName::H264Nvenc,
        dsl::Encoder::HevcNvenc => VideoEncoderName::HevcNvenc,
        dsl::Encoder::H264Qsv => VideoEncoderName::H264Qsv,
        dsl::Encoder::HevcQsv => VideoEncoderName::HevcQsv,
    }
}

/// The header of pictures, and what metadata call their codec.
pub(super) fn video_header(video: &VideoParams) -> (CodecId, bytes::Bytes) {
    match video.codec {
        VideoCodec::Hevc => (CodecId::HEVC, flv::video::hevc_sequence_header(&video.config)),
        _ => (CodecId::AVC, flv::video::avc_sequence_header(&video.config)),
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
