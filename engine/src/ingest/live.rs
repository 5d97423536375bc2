//! A line that somebody sends to while the show runs: decoded, and mapped on the
//! show's timeline.

use std::sync::Arc;
use std::time::Duration;

use codecs::{CodecError, Frame, Pcm};
use crossbeam_channel::RecvTimeoutError;
use media::{Packet, Span, Time, Track};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::buffer::LineBuffer;
use crate::ingest::contribution::Contribution;
use crate::ingest::intake::{Arrival, Arrivals};
use crate::ingest::lane::{AudioLane, Shape, StreamParams, VideoLane};
use crate::ingest::stamps::{Heard, Mapped};
use crate::reporter::Reporter;

/// Everything a live line needs.
pub(crate) struct LiveLine {
    pub(crate) arrivals: Arrivals,
    pub(crate) shape: Shape,
    /// How long what comes is to wait.
    pub(crate) depth: Span,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
}

impl LiveLine {
    /// Reads until the show is over.
    pub(crate) fn run(mut self) {
        let mut contribution = Contribution::new(&self.shape, self.depth);
        self.read(&mut contribution);
        contribution.jumps.sum_up(&self.reporter);
        contribution.drifts.sum_up(&self.reporter);
    }

    fn read(&mut self, contribution: &mut Contribution) {
        loop {
            match self.arrivals.next(Duration::from_millis(200)) {
                Ok(arrival) => self.arrival(contribution, arrival),
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
                contribution.begin(&self.shape, self.depth, self.reporter.now());
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
                contribution.complaints.sum_up(&self.reporter);
                contribution.tracks.say_what_is_missing(&self.reporter);
                self.reporter.event(Level::Warn, "line-disconnected", format!("the sender is gone: {why}"));
            }
        }
    }

    /// What the decoders hold back is shown, too.
    fn flush(&self, contribution: &mut Contribution) {
        self.flush_video(contribution);
        self.flush_audio(contribution);
    }

    fn flush_video(&self, contribution: &mut Contribution) {
        if let Some((_, mut old)) = contribution.video.take() {
            self.decode_video(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
        }
    }

    fn flush_audio(&self, contribution: &mut Contribution) {
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
                self.flush_video(contribution);
                let lane = VideoLane::new(&self.shape, &params, codecs::Rotation::None)?;
                contribution.video = Some((params, lane));
            }
            StreamParams::Audio(params) => {
                if contribution.audio.as_ref().is_some_and(|(known, _)| *known == params) {
                    return Ok(());
                }
                self.flush_audio(contribution);
                let lane = AudioLane::new(&self.shape, &params)?;
                contribution.audio = Some((params, lane));
            }
        }
        Ok(())
    }

    fn packet(&self, contribution: &mut Contribution, packet: &Packet) {
        self.counters.count(packet.data.len());
        contribution.tracks.came(packet.track, &self.reporter);
        match packet.track {
            Track::Video => {
                let Some((params, mut lane)) = contribution.video.take() else {
                    let problem = "a picture before the stream's configuration";
                    return contribution.complaints.about(problem, &self.reporter);
                };
                self.decode_video(contribution, |mut put, mut bad| lane.decode(packet, &mut put, &mut bad));
                contribution.video = Some((params, lane));
            }
            Track::Audio => {
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
        let Contribution { stamps, last_picture, complaints, jumps, drifts, .. } = contribution;
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
                    jumps.happened(&message, &self.reporter);
                    self.go_on_from(at, by);
                    at
                }
                Mapped::Moved(at, by) => {
                    let message = format!("the sender's clock is not the show's: the offset moves by {by}");
                    drifts.happened(&message, &self.reporter);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Stop, VirtualClock};
    use crate::event::EventLog;
    use crate::ingest::buffer::Pace;
    use crate::ingest::intake::Intake;
    use bytes::Bytes;
    use codecs::{CodecKit, Fake, PictureMut, VideoDecoder};
    use media::{AudioCodec, AudioParams, FrameRate, Key, SampleRate, Size, VideoCodec, VideoParams};
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

    const DEPTH: Span = Span::from_millis(200);

    fn line(kit: Arc<Counting>) -> LiveLine {
        let shape = Shape {
            kit,
            canvas: Size::new(16, 16),
            ticks: FrameRate::new(25, 1).unwrap(),
            rate: SampleRate::HZ_48000,
            channels: 2,
        };
        let buffer =
            LineBuffer::new(Pace::Live { depth: DEPTH }, Span::from_millis(40), SampleRate::HZ_48000, 2);
        let log = Arc::new(EventLog::new());
        let reporter = Reporter::new(Arc::new(VirtualClock::default()), log, Arc::new(Stop::default()));
        LiveLine {
            arrivals: Intake::new(reporter.clone()).1,
            shape,
            depth: DEPTH,
            buffer: Arc::new(buffer),
            counters: Arc::new(LineCounters::default()),
            reporter,
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
        let mut contribution = Contribution::new(&line.shape, line.depth);
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
        let mut contribution = Contribution::new(&line.shape, line.depth);
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

    /// An hour's film pushed as fast as the wire takes it: the stamps run away from show time over
    /// and over, and the report still has room for others.
    #[test]
    fn a_push_faster_than_real_time_is_told_once_a_second_and_counted() {
        let (clock, log, stop) =
            (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
        let mut line = line(Arc::new(Counting::default()));
        line.reporter =
            Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
        let mut contribution = Contribution::new(&line.shape, line.depth);
        let mut n = 0;
        for second in 0..5 {
            // Whoever comes again is no new line.
            line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
            line.arrival(&mut contribution, video_params(1));
            for frame in 0..25 {
                clock.wait_until(Time::from_millis(second * 1000 + frame * 40), &stop);
                for _ in 0..100 {
                    line.arrival(&mut contribution, picture(n * 40));
                    n += 1;
                }
            }
        }
        let all = log.all(Time::ZERO);
        let jumps: Vec<_> = all.iter().filter(|e| e.code == "line-jump").collect();
        assert!(jumps.len() <= 5 && jumps.windows(2).all(|w| w[1].t - w[0].t >= 1.0), "{jumps:#?}");
        assert!(jumps[1].message.contains("more before it"), "{jumps:#?}");
    }

    #[test]
    fn a_track_that_does_not_come_is_said_while_the_stream_runs_and_once() {
        let (clock, log, stop) =
            (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
        let mut line = line(Arc::new(Counting::default()));
        line.reporter =
            Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
        let mut contribution = Contribution::new(&line.shape, line.depth);
        line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
        line.arrival(&mut contribution, video_params(1));
        let said = |log: &EventLog| {
            let all = log.all(Time::ZERO).into_iter();
            all.filter(|e| e.code.starts_with("no-")).map(|e| (e.t, e.code)).collect::<Vec<_>>()
        };
        for n in 0..100 {
            clock.wait_until(Time::from_millis(n * 40), &stop);
            line.arrival(&mut contribution, picture(n * 40));
        }
        assert_eq!(said(&log), [(3.0, "no-audio".to_owned())]);
        line.arrival(&mut contribution, Arrival::Ended("gone".to_owned()));
        assert_eq!(said(&log).len(), 1);
        // One that is gone sooner is told of at its end.
        line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
        line.arrival(&mut contribution, Arrival::Ended("gone".to_owned()));
        let codes: Vec<_> = said(&log).into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, ["no-audio", "no-video", "no-audio"]);
    }
}
