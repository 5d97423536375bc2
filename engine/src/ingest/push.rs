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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use crate::ingest::buffer::Pace;
    use bytes::Bytes;
    use codecs::{CodecKit, Fake, PictureMut, VideoDecoder};
    use crossbeam_channel::unbounded;
    use media::{FrameRate, Size};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fake, but counts the decoders it makes, and they hold one picture back.
    #[derive(Default)]
    struct Counting {
        fake: Fake,
        video: AtomicUsize,
        audio: AtomicUsize,
    }

    #[derive(Default)]
    struct HoldsOne {
        waiting: Vec<Time>,
        keep: usize,
    }

    impl VideoDecoder for HoldsOne {
        fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
            self.keep = 1;
            self.waiting.push(packet.pts);
            Ok(())
        }
        fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
            if self.waiting.len() <= self.keep {
                return Ok(None);
            }
            let pts = self.waiting.remove(0);
            Ok(Some(Frame { pts, picture: PictureMut::new(Size::new(16, 16))?.freeze() }))
        }
        fn flush(&mut self) -> Result<(), CodecError> {
            self.keep = 0;
            Ok(())
        }
    }

    impl CodecKit for Counting {
        fn video_decoder(&self, _: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
            self.video.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(HoldsOne::default()))
        }
        fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn codecs::AudioDecoder>, CodecError> {
            self.audio.fetch_add(1, Ordering::Relaxed);
            self.fake.audio_decoder(params)
        }
        fn video_encoder(
            &self,
            settings: &codecs::VideoEncoderSettings,
        ) -> Result<Box<dyn codecs::VideoEncoder>, CodecError> {
            self.fake.video_encoder(settings)
        }
        fn audio_encoder(
            &self,
            settings: &codecs::AudioEncoderSettings,
        ) -> Result<Box<dyn codecs::AudioEncoder>, CodecError> {
            self.fake.audio_encoder(settings)
        }
    }

    fn line(kit: Arc<Counting>) -> PushLine {
        let shape = Shape {
            kit,
            canvas: Size::new(16, 16),
            ticks: FrameRate::new(25, 1).unwrap(),
            rate: SampleRate::HZ_48000,
            channels: 2,
        };
        let buffer = LineBuffer::new(Pace::Live, Span::from_millis(40), SampleRate::HZ_48000, 2);
        let log = Arc::new(EventLog::new());
        PushLine {
            pushed: unbounded().1,
            shape,
            buffer: Arc::new(buffer),
            counters: Arc::new(LineCounters::default()),
            reporter: Reporter::new(Arc::new(VirtualClock::default()), log, Arc::new(Stop::default())),
        }
    }

    fn tag(kind: TagKind, ms: u32, body: &[u8]) -> Tag {
        Tag::new(kind, FlvMillis(ms), Bytes::copy_from_slice(body)).unwrap()
    }

    #[test]
    fn a_repeated_configuration_makes_no_decoder_and_a_new_one_loses_no_picture() {
        let kit = Arc::new(Counting::default());
        let line = line(Arc::clone(&kit));
        let mut publisher = Publisher::new(&line.shape);
        let config = |which: u8, ms| tag(TagKind::Video, ms, &[0x17, 0, 0, 0, 0, which]);
        let sound = |which: u8, ms| tag(TagKind::Audio, ms, &[0xaf, 0, 0x11, which]);
        for n in 0..10u32 {
            line.tag(&mut publisher, &config(1, n * 40));
            line.tag(&mut publisher, &sound(0x90, n * 40));
            line.tag(&mut publisher, &tag(TagKind::Video, n * 40, &[0x17, 1, 0, 0, 0, 9]));
        }
        let made = || (kit.video.load(Ordering::Relaxed), kit.audio.load(Ordering::Relaxed));
        assert_eq!((made(), line.counters.pictures()), ((1, 1), 9));
        line.tag(&mut publisher, &config(2, 400));
        line.tag(&mut publisher, &sound(0x88, 400));
        assert_eq!((made(), line.counters.pictures()), ((2, 2), 10), "the picture held back is there");
        assert_eq!(publisher.complaints, 0);
    }

    /// A relay's burst overshoots, the offset steps back, and what comes then is shown.
    #[test]
    fn after_a_step_back_pictures_are_not_lost() {
        let line = line(Arc::new(Counting::default()));
        let mut publisher = Publisher::new(&line.shape);
        line.tag(&mut publisher, &tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1]));
        // Four seconds at once, while show time stands still.
        for n in 0..101u32 {
            line.tag(&mut publisher, &tag(TagKind::Video, n * 40, &[0x17, 1, 0, 0, 0, 9]));
        }
        // The jump put the 77th to 200 ms, and the last one came 23 frames later.
        let at = |n: i64| (Time::from_millis(n * 40), Time::from_millis(n * 40 + 40));
        let shown = (0..31).map(|n| line.buffer.take(at(n).0, at(n).1)).filter(|t| t.hole_since.is_none());
        assert!(shown.count() >= 23, "what came after the jump is shown");
    }
}
