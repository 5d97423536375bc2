//! A show from its text, run, and its recordings decoded again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codecs::{CodecKit, Ffmpeg, Frame, Plane, VideoDecoder};
use engine::{Engine, Mode, Report, RunOptions};
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Item, Tag, TagKind, TagReader};
use media::{AudioCodec, AudioParams, Key, Packet, SampleRate, Span, Time, Track, VideoParams};
use pipeline_dsl::Show;

pub fn show(text: &str) -> Show {
    let checked = pipeline_dsl::check(text);
    let errors: Vec<_> = checked.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    checked.show.unwrap_or_else(|| panic!("{errors:#?}"))
}

pub struct Ran {
    pub report: Report,
    pub out: tempfile::TempDir,
}

/// Runs a show offline, its inputs relative to the fixtures.
pub fn offline(text: &str, kit: Arc<dyn CodecKit>) -> Ran {
    let out = tempfile::tempdir().unwrap();
    let options =
        RunOptions { inputs: clips(), out: out.path().to_owned(), kit, ..RunOptions::new(Mode::Offline) };
    let report = Engine::start(show(text), options).unwrap().wait();
    Ran { report, out }
}

pub fn ffmpeg() -> Arc<dyn CodecKit> {
    Arc::new(Ffmpeg::new())
}

/// Where the fixtures are.
pub fn clips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// All tags of a file, which must be whole.
pub fn tags(path: &Path) -> Vec<Tag> {
    let mut reader = TagReader::new();
    reader.push(std::fs::read(path).unwrap().into());
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    assert!(matches!(reader.finish(), flv::Ending::Whole), "{} is cut", path.display());
    tags
}

/// PTS in milliseconds of every picture, and whether it is a key frame.
pub fn pictures(tags: &[Tag]) -> Vec<(i64, Key)> {
    let pictures = coded(tags).filter_map(|coded| match coded {
        Coded::Params(_) => None,
        Coded::Picture(packet) => Some((packet.pts.as_millis_rounded(), packet.key)),
    });
    pictures.collect()
}

/// Decodes a recording's pictures.
pub fn decode(tags: &[Tag]) -> Vec<Frame> {
    decode_with(&Ffmpeg::new(), tags)
}

/// What a decoder of a recording's pictures is given.
pub enum Coded {
    /// What comes from here on is this.
    Params(VideoParams),
    Picture(Packet),
}

/// A recording's pictures as they are decoded, in that order.
pub fn coded(tags: &[Tag]) -> impl Iterator<Item = Coded> {
    tags.iter().filter(|tag| tag.kind == TagKind::Video).filter_map(|tag| {
        let header = VideoHeader::parse(tag.body()).unwrap();
        let data = header.payload(tag.body());
        if header.is_sequence_start() {
            let codec = header.codec.and_then(|codec| codec.media()).unwrap();
            return Some(Coded::Params(VideoParams { codec, size: None, config: data }));
        }
        let dts = Time::from_millis(tag.timestamp.0.into());
        let pts = dts + Span::from_millis(header.composition_ms.into());
        let key = if header.is_key_frame() { Key::Frame } else { Key::Delta };
        let picture = Packet { track: Track::Video, pts, dts, duration: None, key, data };
        header.has_picture().then_some(Coded::Picture(picture))
    })
}

pub fn decode_with(kit: &dyn CodecKit, tags: &[Tag]) -> Vec<Frame> {
    let mut decoder = None;
    let mut frames = Vec::new();
    for coded in coded(tags) {
        match coded {
            Coded::Params(params) => decoder = Some(kit.video_decoder(&params).unwrap()),
            Coded::Picture(packet) => {
                let decoder = decoder.as_mut().unwrap();
                // Damage is what some tests are about: what comes out counts.
                let _ = decoder.send(&packet);
                while let Ok(Some(frame)) = decoder.receive() {
                    frames.push(frame);
                }
            }
        }
    }
    if let Some(decoder) = &mut decoder {
        decoder.flush().unwrap();
        while let Ok(Some(frame)) = decoder.receive() {
            frames.push(frame);
        }
    }
    frames
}

/// Decodes strictly: nothing is refused, and all that went in comes out whole.
pub fn decode_strictly(tags: &[Tag]) -> Vec<Frame> {
    let (kit, mut frames) = (Ffmpeg::new(), Vec::new());
    let mut drain = |decoder: &mut dyn VideoDecoder| {
        while let Some(frame) = decoder.receive().unwrap() {
            assert!(!frame.picture.is_damaged(), "damaged at {}", frame.pts);
            frames.push(frame);
        }
    };
    let mut decoder: Option<Box<dyn VideoDecoder>> = None;
    for coded in coded(tags) {
        match coded {
            Coded::Params(params) => {
                if let Some(old) = &mut decoder {
                    old.flush().unwrap();
                    drain(old.as_mut());
                }
                decoder = Some(kit.video_decoder(&params).unwrap());
            }
            Coded::Picture(packet) => {
                let decoder = decoder.as_mut().unwrap();
                decoder.send(&packet).unwrap();
                drain(decoder.as_mut());
            }
        }
    }
    let mut last = decoder.unwrap();
    last.flush().unwrap();
    drain(last.as_mut());
    frames
}

/// Mean Y, U, V of a picture.
pub fn mean(frame: &Frame) -> [u8; 3] {
    [Plane::Y, Plane::U, Plane::V].map(|plane| frame.picture.plane(plane).mean())
}

/// Decodes a recording's sound: mono-folded samples and the time of the first.
pub fn decode_sound(tags: &[Tag]) -> (Time, u32, Vec<f32>) {
    let kit = Ffmpeg::new();
    let mut decoder = None;
    let (mut first, mut rate, mut samples) = (None, 48_000, Vec::new());
    for tag in tags.iter().filter(|t| t.kind == TagKind::Audio) {
        let header = AudioHeader::parse(tag.body()).unwrap();
        if header.is_sequence_start() {
            let config = header.payload(tag.body());
            let rate = SampleRate::HZ_48000;
            let params = AudioParams { codec: AudioCodec::Aac, rate, channels: 2, config };
            decoder = Some(kit.audio_decoder(&params).unwrap());
        } else if header.has_sound() {
            let at = Time::from_millis(tag.timestamp.0.into());
            let data = header.payload(tag.body());
            let packet =
                Packet { track: Track::Audio, pts: at, dts: at, duration: None, key: Key::Frame, data };
            let decoder = decoder.as_mut().unwrap();
            let _ = decoder.send(&packet);
            while let Ok(Some(pcm)) = decoder.receive() {
                first.get_or_insert(pcm.pts);
                rate = pcm.rate.hz();
                let channels = usize::from(pcm.channels);
                samples.extend(pcm.samples.chunks(channels).map(|c| c.iter().sum::<f32>() / channels as f32));
            }
        }
    }
    (first.unwrap_or(Time::ZERO), rate, samples)
}

/// Peak signal to noise of luma, in dB; 99 for equal pictures.
pub fn psnr(a: &Frame, b: &Frame) -> f64 {
    let pairs = a.picture.plane(Plane::Y);
    let pairs = pairs.rows().flatten().zip(b.picture.plane(Plane::Y).rows().flatten());
    let (mut sum, mut count) = (0.0, 0.0);
    for (a, b) in pairs {
        sum += f64::from(a.abs_diff(*b)).powi(2);
        count += 1.0;
    }
    if sum == 0.0 { 99.0 } else { 10.0 * (255.0 * 255.0 * count / sum).log10() }
}

/// Codes and subjects of a report's events.
pub fn codes(report: &Report) -> Vec<(String, String)> {
    report.events.iter().map(|e| (e.code.clone(), e.subject.clone())).collect()
}

/// What was on air, and why.
pub fn on_air(report: &Report) -> Vec<(&str, &str)> {
    let runs = report.channels[0].on_air.iter();
    runs.map(|run| (run.source.as_deref().unwrap_or("-"), run.reason.as_str())).collect()
}
