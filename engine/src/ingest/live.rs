//! A line that somebody sends to while the show runs: decoded, and mapped on the
//! show's timeline.

use std::sync::Arc;
use std::time::Duration;

use codecs::{CodecError, Frame, Pcm};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use media::{AudioParams, Packet, Span, Time, Track, VideoParams};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::buffer::LineBuffer;
use crate::ingest::complaints::Complaints;
use crate::ingest::intake::Arrival;
use crate::ingest::lane::{AudioLane, Shape, StreamParams, VideoLane};
use crate::ingest::stamps::{Heard, Mapped, Stamps};
use crate::reporter::Reporter;

/// Everything a live line needs.
pub(crate) struct LiveLine {
    pub(crate) arrivals: Receiver<Arrival>,
    pub(crate) shape: Shape,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
}

/// What belongs to one stream, from its beginning to its end.
struct Contribution {
    /// What the stream is said to be, and what decodes it.
    video: Option<(VideoParams, VideoLane)>,
    audio: Option<(AudioParams, AudioLane)>,
    stamps: Stamps,
    last_picture: Option<Time>,
    complaints: Complaints,
    tracks: Tracks,
}

/// Which tracks have come at all.
#[derive(Default)]
struct Tracks {
    video: u64,
    audio: u64,
}

impl LiveLine {
    /// Reads until the show is over.
    pub(crate) fn run(self) {
        let mut contribution = Contribution::new(&self.shape);
        loop {
            match self.arrivals.recv_timeout(Duration::from_millis(200)) {
                Ok(arrival) => self.arrival(&mut contribution, arrival),
                Err(RecvTimeoutError::Timeout) if !self.reporter.is_stopping() => {}
                Err(_) => return,
            }
            if self.reporter.is_stopping() {
                return;
            }
        }
    }

    fn arrival(&self, contribution: &mut Contribution, arrival: Arrival) {
        match arrival {
            Arrival::Started { from } => {
                *contribution = Contribution::new(&self.shape);
                self.counters.connect();
                self.reporter.event(Level::Info, "line-connected", from);
            }
            Arrival::Params(params) => {
                if let Err(error) = self.params(contribution, params) {
                    contribution.complaints.about(&error.to_string(), &self.reporter);
                }
            }
            Arrival::Packet(packet) => self.packet(contribution, &packet),
            Arrival::Ended(why) => {
                self.flush(contribution);
                self.counters.disconnect();
                contribution.say_what_was_missing(&self.reporter);
                self.reporter.event(Level::Warn, "line-disconnected", format!("the sender is gone: {why}"));
            }
        }
    }

    /// What the decoders hold back is shown, too.
    fn flush(&self, contribution: &mut Contribution) {
        if let Some((_, mut old)) = contribution.video.take() {
            self.decode_video(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
        }
        if let Some((_, mut old)) = contribution.audio.take() {
            self.decode_audio(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
        }
    }

    /// A track is something else from here on. Many senders repeat themselves with every key
    /// frame: that says nothing new.
    fn params(&self, contribution: &mut Contribution, params: StreamParams) -> Result<(), CodecError> {
        // What the old decoder holds back comes before what the new one gives.
        match params {
            StreamParams::Video(params) => {
                if contribution.video.as_ref().is_some_and(|(known, _)| *known == params) {
                    return Ok(());
                }
                if let Some((_, mut old)) = contribution.video.take() {
                    self.decode_video(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
                }
                let lane = VideoLane::new(&self.shape, &params, codecs::Rotation::None)?;
                contribution.video = Some((params, lane));
            }
            StreamParams::Audio(params) => {
                if contribution.audio.as_ref().is_some_and(|(known, _)| *known == params) {
                    return Ok(());
                }
                if let Some((_, mut old)) = contribution.audio.take() {
                    self.decode_audio(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
                }
                let lane = AudioLane::new(&self.shape, &params)?;
                contribution.audio = Some((params, lane));
            }
        }
        Ok(())
    }

    fn packet(&self, contribution: &mut Contribution, packet: &Packet) {
        self.counters.count(packet.data.len());
        match packet.track {
            Track::Video => {
                contribution.tracks.video += 1;
                let Some((params, mut lane)) = contribution.video.take() else {
                    let problem = "a picture before the stream's configuration";
                    return contribution.complaints.about(problem, &self.reporter);
                };
                self.decode_video(contribution, |mut put, mut bad| lane.decode(packet, &mut put, &mut bad));
                contribution.video = Some((params, lane));
            }
            Track::Audio => {
                contribution.tracks.audio += 1;
                // Without a decoder: that was said when its parameters came.
                let Some((params, mut lane)) = contribution.audio.take() else { return };
                self.decode_audio(contribution, |mut put, mut bad| lane.decode(packet, &mut put, &mut bad));
                contribution.audio = Some((params, lane));
            }
        }
    }

    /// Whatever `decode` gives out goes to the buffer, at the show's time.
    fn decode_video(
        &self,
        contribution: &mut Contribution,
        decode: impl FnOnce(&mut dyn FnMut(Frame), &mut dyn FnMut(CodecError)),
    ) {
        let Contribution { stamps, last_picture, complaints, .. } = contribution;
        let mut put = |frame: Frame| {
            let now = self.reporter.now();
            let at = match stamps.picture(frame.pts, now) {
                Mapped::At(at) => {
                    if last_picture.is_none() {
                        // The last stream's material may reach further.
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
                    let message = format!("the sender's clock is not the show's: the offset moves by {by}");
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
        let mut bad = |error: CodecError| complaints.about(&error.to_string(), &self.reporter);
        decode(&mut put, &mut bad);
    }

    /// The offset has moved: after a step back, what waits lies in the way of what comes.
    fn go_on_from(&self, at: Time, by: Span) {
        if by < Span::ZERO {
            self.buffer.rewind(at);
        }
    }

    /// As [`Self::decode_video`].
    fn decode_audio(
        &self,
        contribution: &mut Contribution,
        decode: impl FnOnce(&mut dyn FnMut(Pcm), &mut dyn FnMut(CodecError)),
    ) {
        let Contribution { stamps, complaints, .. } = contribution;
        let mut put = |pcm: Pcm| {
            // Sound far outside show time has no place; pictures decide whether the clock has jumped.
            let at = match stamps.sound(pcm.pts, self.reporter.now()) {
                Some(Heard::At(at)) => at,
                Some(Heard::Moved(at, by)) => {
                    let message = format!("sound comes later than its pictures: the line waits {by} longer");
                    self.reporter.event(Level::Info, "line-drift", message);
                    at
                }
                None => return,
            };
            self.buffer.put_sound(&Pcm { pts: at, ..pcm });
        };
        let mut bad = |error: CodecError| complaints.about(&error.to_string(), &self.reporter);
        decode(&mut put, &mut bad);
    }
}

impl Contribution {
    fn new(shape: &Shape) -> Self {
        Self {
            video: None,
            audio: None,
            stamps: Stamps::new(shape.ticks),
            last_picture: None,
            complaints: Complaints::default(),
            tracks: Tracks::default(),
        }
    }

    fn say_what_was_missing(&self, reporter: &Reporter) {
        self.complaints.sum_up(reporter);
        if self.tracks.video == 0 {
            reporter.event(Level::Warn, "no-video", "the sender sent no pictures");
        }
        if self.tracks.audio == 0 {
            reporter.event(Level::Info, "no-audio", "the sender sent no sound: silence stood in");
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
    use media::{AudioCodec, FrameRate, Key, SampleRate, Size, VideoCodec};
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

    fn line(kit: Arc<Counting>) -> LiveLine {
        let shape = Shape {
            kit,
            canvas: Size::new(16, 16),
            ticks: FrameRate::new(25, 1).unwrap(),
            rate: SampleRate::HZ_48000,
            channels: 2,
        };
        let buffer = LineBuffer::new(Pace::Live, Span::from_millis(40), SampleRate::HZ_48000, 2);
        let log = Arc::new(EventLog::new());
        LiveLine {
            arrivals: unbounded().1,
            shape,
            buffer: Arc::new(buffer),
            counters: Arc::new(LineCounters::default()),
            reporter: Reporter::new(Arc::new(VirtualClock::default()), log, Arc::new(Stop::default())),
        }
    }

    fn video_params(which: u8) -> Arrival {
        let config = Bytes::copy_from_slice(&[which]);
        Arrival::Params(StreamParams::Video(VideoParams { codec: VideoCodec::Avc, size: None, config }))
    }
    fn audio_params(which: u8) -> Arrival {
        let config = Bytes::copy_from_slice(&[0x11, which]);
        let rate = SampleRate::HZ_48000;
        Arrival::Params(StreamParams::Audio(AudioParams {
            codec: AudioCodec::Aac,
            rate,
            channels: 2,
            config,
        }))
    }
    fn picture(ms: i64) -> Arrival {
        let at = Time::from_millis(ms);
        let (track, key, data) = (Track::Video, Key::Frame, Bytes::from_static(&[9]));
        Arrival::Packet(Packet { track, pts: at, dts: at, duration: None, key, data })
    }

    #[test]
    fn a_repeated_configuration_makes_no_decoder_and_a_new_one_loses_no_picture() {
        let kit = Arc::new(Counting::default());
        let line = line(Arc::clone(&kit));
        let mut contribution = Contribution::new(&line.shape);
        for n in 0..10 {
            line.arrival(&mut contribution, video_params(1));
            line.arrival(&mut contribution, audio_params(0x90));
            line.arrival(&mut contribution, picture(n * 40));
        }
        let made = || (kit.video.load(Ordering::Relaxed), kit.audio.load(Ordering::Relaxed));
        assert_eq!((made(), line.counters.pictures()), ((1, 1), 9));
        line.arrival(&mut contribution, video_params(2));
        line.arrival(&mut contribution, audio_params(0x88));
        assert_eq!((made(), line.counters.pictures()), ((2, 2), 10), "the picture held back is there");
        assert_eq!(contribution.complaints.count(), 0);
    }

    /// A relay's burst overshoots, the offset steps back, and what comes then is shown.
    #[test]
    fn after_a_step_back_pictures_are_not_lost() {
        let line = line(Arc::new(Counting::default()));
        let mut contribution = Contribution::new(&line.shape);
        line.arrival(&mut contribution, video_params(1));
        // Four seconds at once, while show time stands still.
        for n in 0..101 {
            line.arrival(&mut contribution, picture(n * 40));
        }
        // The jump put the 77th to 200 ms, and the last one came 23 frames later.
        let at = |n: i64| (Time::from_millis(n * 40), Time::from_millis(n * 40 + 40));
        let shown = (0..31).map(|n| line.buffer.take(at(n).0, at(n).1)).filter(|t| t.hole_since.is_none());
        assert!(shown.count() >= 23, "what came after the jump is shown");
    }
}
