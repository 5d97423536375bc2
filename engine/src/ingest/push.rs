//! A line that an encoder pushes to: tags in, decoded and mapped on the show's
//! timeline.

use std::sync::Arc;
use std::time::Duration;

use codecs::{CodecError, Frame, Pcm};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{FlvMillis, Tag, TagKind};
use media::{AudioParams, Key, Packet, SampleRate, Span, Time, Track, VideoParams};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::buffer::LineBuffer;
use crate::ingest::lane::{AudioLane, Shape, VideoLane};
use crate::ingest::publish::Pushed;
use crate::ingest::stamps::{Mapped, Stamps};
use crate::reporter::Reporter;

/// Tags that may wait to be decoded: about five seconds.
pub(crate) const WAITING: usize = 512;
/// Complaints about one publisher that are told; the rest is counted.
const TOLD: u32 = 8;

/// Everything a push line needs.
pub(crate) struct PushLine {
    pub(crate) pushed: Receiver<Pushed>,
    pub(crate) shape: Shape,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
}

/// What belongs to one publisher.
struct Publisher {
    /// What the stream is said to be, and what decodes it.
    video: Option<(VideoParams, VideoLane)>,
    audio: Option<(AudioParams, AudioLane)>,
    stamps: Stamps,
    /// Unfolded milliseconds of the last tag.
    clock_ms: i64,
    last_picture: Option<Time>,
    complaints: u32,
    tracks: Tracks,
}

/// Which tracks have come at all.
#[derive(Default)]
struct Tracks {
    video: u64,
    audio: u64,
}

impl PushLine {
    /// Reads until the show is over.
    pub(crate) fn run(self) {
        let mut publisher = Publisher::new(&self.shape);
        loop {
            match self.pushed.recv_timeout(Duration::from_millis(200)) {
                Ok(Pushed::Started { from }) => {
                    publisher = Publisher::new(&self.shape);
                    self.counters.connect();
                    self.reporter.event(Level::Info, "line-connected", format!("{from} publishes"));
                }
                Ok(Pushed::Tag(tag)) => self.tag(&mut publisher, &tag),
                Ok(Pushed::Ended(why)) => {
                    self.counters.disconnect();
                    publisher.say_what_was_missing(&self.reporter);
                    self.reporter.event(
                        Level::Warn,
                        "line-disconnected",
                        format!("the encoder is gone: {why}"),
                    );
                }
                Err(RecvTimeoutError::Timeout) if !self.reporter.is_stopping() => {}
                Err(_) => return,
            }
            if self.reporter.is_stopping() {
                return;
            }
        }
    }

    fn tag(&self, publisher: &mut Publisher, tag: &Tag) {
        self.counters.count(tag.body().len());
        publisher.clock_ms = FlvMillis::unwrap_near(tag.timestamp, publisher.clock_ms);
        let result = match tag.kind {
            TagKind::Video => self.video(publisher, tag),
            TagKind::Audio => self.audio(publisher, tag),
            TagKind::Script => Ok(()),
        };
        if let Err(problem) = result {
            publisher.complain(&self.reporter, &problem);
        }
    }

    fn video(&self, publisher: &mut Publisher, tag: &Tag) -> Result<(), String> {
        let body = tag.body();
        if body.is_empty() {
            return Ok(());
        }
        let header = VideoHeader::parse(body).map_err(|e| e.to_string())?;
        if header.is_sequence_start() {
            let codec = header.codec.and_then(flv::video::VideoCodec::media);
            let codec = codec.ok_or_else(|| format!("no decoder for {header:?}"))?;
            let params = VideoParams { codec, size: None, config: header.payload(body) };
            if publisher.video.as_ref().is_some_and(|(known, _)| *known == params) {
                // Many encoders repeat it with every key frame: it says nothing new.
                return Ok(());
            }
            // What the old decoder holds back comes before the new one's pictures.
            if let Some((_, mut old)) = publisher.video.take() {
                self.decode_video(publisher, |mut put, mut bad| old.flush(&mut put, &mut bad));
            }
            let lane = VideoLane::new(&self.shape, &params, codecs::Rotation::None);
            publisher.video = Some((params, lane.map_err(|e| e.to_string())?));
            return Ok(());
        }
        if !header.has_picture() {
            return Ok(());
        }
        publisher.tracks.video += 1;
        let Some((params, mut lane)) = publisher.video.take() else {
            return Err("a picture before the stream's configuration".to_owned());
        };
        let dts = Time::from_millis(publisher.clock_ms);
        let packet = Packet {
            track: Track::Video,
            pts: dts + Span::from_millis(header.composition_ms.into()),
            dts,
            duration: None,
            key: if header.is_key_frame() { Key::Frame } else { Key::Delta },
            data: header.payload(body),
        };
        self.decode_video(publisher, |mut put, mut bad| lane.decode(&packet, &mut put, &mut bad));
        publisher.video = Some((params, lane));
        Ok(())
    }

    /// Whatever `decode` gives out goes to the buffer, at the show's time.
    fn decode_video(
        &self,
        publisher: &mut Publisher,
        decode: impl FnOnce(&mut dyn FnMut(Frame), &mut dyn FnMut(CodecError)),
    ) {
        let Publisher { stamps, last_picture, complaints, .. } = publisher;
        let mut put = |frame: Frame| {
            let now = self.reporter.now();
            let at = match stamps.picture(frame.pts, now) {
                Mapped::At(at) => {
                    if last_picture.is_none() {
                        // The last publisher's material may reach further.
                        self.buffer.rewind(at);
                    }
                    at
                }
                Mapped::Jumped(at, by) => {
                    let message = format!("time stamps jumped: the offset moves by {by}");
                    self.reporter.event(Level::Warn, "line-jump", message);
                    self.go_on_from(at, by);
                    at
                }
                Mapped::Moved(at, by) => {
                    let message = format!("the encoder's clock is not the show's: the offset moves by {by}");
                    self.reporter.event(Level::Warn, "line-drift", message);
                    self.go_on_from(at, by);
                    at
                }
                Mapped::Outlier => last_picture.map_or(now, |last| last + Span::from_millis(1)),
            };
            *last_picture = Some(at);
            self.counters.picture();
            self.buffer.put_frame(Frame { pts: at, ..frame });
        };
        let mut bad = |error: CodecError| complain(complaints, &self.reporter, &error.to_string());
        decode(&mut put, &mut bad);
    }

    /// The offset has moved: after a step back, what waits lies in the way of what comes.
    fn go_on_from(&self, at: Time, by: Span) {
        if by < Span::ZERO {
            self.buffer.rewind(at);
        }
    }

    fn audio(&self, publisher: &mut Publisher, tag: &Tag) -> Result<(), String> {
        let body = tag.body();
        if body.is_empty() {
            return Ok(());
        }
        let header = AudioHeader::parse(body).map_err(|e| e.to_string())?;
        let codec = header.codec.and_then(flv::audio::AudioCodec::media);
        let codec = codec.ok_or_else(|| format!("no decoder for {header:?}"));
        if header.is_sequence_start() || (publisher.audio.is_none() && header.has_sound()) {
            let codec = codec?;
            let config = if header.is_sequence_start() { header.payload(body) } else { bytes::Bytes::new() };
            if codec == media::AudioCodec::Aac && config.is_empty() {
                return Err("sound before the stream's configuration".to_owned());
            }
            let hz = header.sound.map_or(48_000, |s| s.rate.max(8_000));
            let rate = SampleRate::new(hz).map_err(|e| e.to_string())?;
            let params = AudioParams { codec, rate, channels: 2, config };
            if publisher.audio.as_ref().is_none_or(|(known, _)| *known != params) {
                // What the old decoder held back comes before the new one's sound.
                if let Some((_, mut old)) = publisher.audio.take() {
                    self.decode_audio(publisher, |mut put, mut bad| old.flush(&mut put, &mut bad));
                }
                let lane = AudioLane::new(&self.shape, &params).map_err(|e| e.to_string())?;
                publisher.audio = Some((params, lane));
            }
        }
        if !header.has_sound() {
            return Ok(());
        }
        publisher.tracks.audio += 1;
        let Some((params, mut lane)) = publisher.audio.take() else { return Ok(()) };
        let at = Time::from_millis(publisher.clock_ms);
        let packet = Packet {
            track: Track::Audio,
            pts: at,
            dts: at,
            duration: None,
            key: Key::Frame,
            data: header.payload(body),
        };
        self.decode_audio(publisher, |mut put, mut bad| lane.decode(&packet, &mut put, &mut bad));
        publisher.audio = Some((params, lane));
        Ok(())
    }

    /// As [`Self::decode_video`].
    fn decode_audio(
        &self,
        publisher: &mut Publisher,
        decode: impl FnOnce(&mut dyn FnMut(Pcm), &mut dyn FnMut(CodecError)),
    ) {
        let Publisher { stamps, complaints, .. } = publisher;
        let mut put = |pcm: Pcm| {
            // Sound far outside show time has no place; pictures decide whether the clock has jumped.
            if let Some(at) = stamps.sound(pcm.pts, self.reporter.now()) {
                self.buffer.put_sound(&Pcm { pts: at, ..pcm });
            }
        };
        let mut bad = |error: CodecError| complain(complaints, &self.reporter, &error.to_string());
        decode(&mut put, &mut bad);
    }
}

fn complain(count: &mut u32, reporter: &Reporter, problem: &str) {
    *count = count.saturating_add(1);
    if *count <= TOLD {
        reporter.event(Level::Warn, "decode-error", problem);
    }
}

impl Publisher {
    fn new(shape: &Shape) -> Self {
        Self {
            video: None,
            audio: None,
            stamps: Stamps::new(shape.ticks),
            clock_ms: 0,
            last_picture: None,
            complaints: 0,
            tracks: Tracks::default(),
        }
    }

    fn complain(&mut self, reporter: &Reporter, problem: &str) {
        complain(&mut self.complaints, reporter, problem);
    }

    fn say_what_was_missing(&self, reporter: &Reporter) {
        if self.complaints > TOLD {
            reporter.event(
                Level::Warn,
                "decode-error",
                format!("{} more like these", self.complaints - TOLD),
            );
        }
        if self.tracks.video == 0 {
            reporter.event(Level::Warn, "no-video", "the encoder sent no pictures");
        }
        if self.tracks.audio == 0 {
            reporter.event(Level::Info, "no-audio", "the encoder sent no sound: silence stood in");
        }
    }
}
