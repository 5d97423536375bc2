//! Two cameras that are part of the program: one hands in a film's H.264 and AAC as they are coded,
//! one draws its pictures. They run in a live show and, with `offline`, as fast as possible.
//!
//! `cargo run -p engine --example packets_source -- FILM.flv [offline]`
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use codecs::{Frame, PictureMut, Rgb};
use engine::{Engine, Handed, Mode, Report, RunOptions, Source, SourceHandle, SourceTracks};
use flv::aac::AudioSpecificConfig;
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Item, Tag, TagKind, TagReader};
use media::{
    AudioCodec, AudioParams, FrameRate, Key, Packet, SampleRate, Size, Span, Tick, Time, Track, VideoCodec,
    VideoParams,
};

/// Lets time pass as it does for a camera.
struct Pace {
    mode: Mode,
    begun: Instant,
}

impl Pace {
    fn new(mode: Mode) -> Self {
        Self { mode, begun: Instant::now() }
    }

    /// Waits until what lies so far behind the beginning is due. In an offline show nobody needs
    /// to: there the calls wait themselves.
    fn wait(&self, since: Span) {
        if self.mode == Mode::RealTime {
            std::thread::sleep(since.as_duration().saturating_sub(self.begun.elapsed()));
        }
    }
}

/// The film's camera.
struct Film {
    path: PathBuf,
    mode: Mode,
}

impl Source for Film {
    fn run(self: Box<Self>, to: SourceHandle) {
        match self.hand_in(&to) {
            Ok(dropped) => eprintln!("the film has ended, {dropped} pieces found no room"),
            // That the show is over is one as well.
            Err(why) => eprintln!("the film: {why}"),
        }
    }
}

impl Film {
    fn hand_in(&self, to: &SourceHandle) -> Result<u64, Box<dyn Error>> {
        let (pace, mut dropped) = (Pace::new(self.mode), 0);
        let mut reader = TagReader::new();
        reader.push(std::fs::read(&self.path)?.into());
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            let dts = Time::from_millis(tag.timestamp.0.into());
            pace.wait(dts - Time::ZERO);
            let handed = match tag.kind {
                TagKind::Video => pictures(to, &tag, dts)?,
                TagKind::Audio => sound(to, &tag, dts)?,
                TagKind::Script => continue,
            };
            dropped += u64::from(handed == Handed::Dropped);
        }
        Ok(dropped)
    }
}

/// A coded picture, or what the ones from here on are: `avcC`, as FLV and MP4 have it.
fn pictures(to: &SourceHandle, tag: &Tag, dts: Time) -> Result<Handed, Box<dyn Error>> {
    let header = VideoHeader::parse(tag.body())?;
    let data = header.payload(tag.body());
    if header.is_sequence_start() {
        return Ok(to.video_params(VideoParams { codec: VideoCodec::Avc, size: None, config: data })?);
    }
    if !header.has_picture() {
        return Ok(Handed::Taken);
    }
    let pts = dts + Span::from_millis(header.composition_ms.into());
    let key = if header.is_key_frame() { Key::Frame } else { Key::Delta };
    Ok(to.packet(Packet { track: Track::Video, pts, dts, duration: None, key, data })?)
}

/// A block of AAC without ADTS, or what the ones from here on are: its AudioSpecificConfig.
fn sound(to: &SourceHandle, tag: &Tag, dts: Time) -> Result<Handed, Box<dyn Error>> {
    let header = AudioHeader::parse(tag.body())?;
    let data = header.payload(tag.body());
    if header.is_sequence_start() {
        let told = AudioSpecificConfig::parse(&data)?;
        let (rate, channels) = (SampleRate::new(told.rate())?, told.channels().unwrap_or(2));
        return Ok(to.audio_params(AudioParams { codec: AudioCodec::Aac, rate, channels, config: data })?);
    }
    if !header.has_sound() {
        return Ok(Handed::Taken);
    }
    Ok(to.packet(Packet { track: Track::Audio, pts: dts, dts, duration: None, key: Key::Frame, data })?)
}

/// The other camera: pictures alone, 25 a second, until the show is over.
fn drawn(to: &SourceHandle, mode: Mode) -> Result<(), Box<dyn Error>> {
    let (rate, pace) = (FrameRate::new(25, 1)?, Pace::new(mode));
    for n in 0..u64::MAX {
        let pts = rate.time_of(Tick(n));
        let picture = PictureMut::filled(Size::new(640, 360), Rgb::new(0, 90, (n * 3) as u8))?.freeze();
        to.frame(Frame { pts, picture })?;
        pace.wait(pts - Time::ZERO + Span::from_millis(40));
    }
    Ok(())
}

/// A second of each, recorded to `out`.
pub fn run(film: &Path, mode: Mode, out: &Path) -> Result<Report, Box<dyn Error>> {
    let show = pipeline_dsl::parse_show(
        r#"show "packets" {
             video 640x360 25fps
             camera film  { line own source the-film }
             camera drawn { line own source the-drawing }
             ladder one { rung 360p 640x360 800k }
             channel program { sources film drawn; ladder one; egress disk record "{channel}.flv" }
             rundown program { at 0:01 cut drawn; at 0:02 end }
           }"#,
    )
    .map_err(|errors| format!("{errors:?}"))?;
    let mut options = RunOptions { out: out.to_owned(), ..RunOptions::new(mode) };
    options.sources.add("the-film", SourceTracks::Both, Film { path: film.to_owned(), mode });
    let drawing = move |to: SourceHandle| drop(drawn(&to, mode));
    options.sources.add("the-drawing", SourceTracks::Pictures, drawing);
    Ok(Engine::start(show, options)?.wait())
}

#[allow(dead_code, reason = "a test runs it, too")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let Some(film) = words.next() else { return Err("say a film in FLV, of H.264 and AAC".into()) };
    let mode = if words.next().as_deref() == Some("offline") { Mode::Offline } else { Mode::RealTime };
    let report = run(film.as_ref(), mode, &std::env::temp_dir().join("obvan-packets-source"))?;
    println!("{}", serde_json::to_string_pretty(&report.cameras)?);
    Ok(())
}
