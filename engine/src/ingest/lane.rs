//! The decoding half of a line: packets in, canvas pictures and show sound out.
//!
//! Time stamps stay on the stream's own timeline here; whoever owns the lane
//! maps them on the show's.

use std::sync::Arc;

use codecs::{
    Aspect, AudioDecoder, Cadence, CodecError, CodecKit, ColourTags, Conform, Deinterlacer, Fields, Filter,
    Frame, Pcm, Resampler, Turn, VideoDecoder,
};
use media::{AudioParams, FrameRate, Packet, SampleRate, Size, Time, Track, VideoParams};
use pipeline_dsl::Deinterlace;

use crate::ingest::damage::Damage;
use crate::ingest::remarks::{Remark, Remarks};
use crate::options::Mode;

/// What one track of a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamParams {
    Video(VideoParams),
    Audio(AudioParams),
}

impl StreamParams {
    pub(crate) fn track(&self) -> Track {
        match self {
            Self::Video(_) => Track::Video,
            Self::Audio(_) => Track::Audio,
        }
    }
}

/// What every line of a show decodes to.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) kit: Arc<dyn CodecKit>,
    pub(crate) canvas: Size,
    pub(crate) ticks: FrameRate,
    pub(crate) rate: SampleRate,
    pub(crate) channels: u8,
    pub(crate) deinterlace: Deinterlace,
    pub(crate) decoding: Decoding,
}

/// How soon pictures are to be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decoding {
    /// As is cheapest.
    Easy,
    /// At once, and so with the fewest pictures in memory: somewhere low latency is wanted, or cores
    /// have enough to do.
    Prompt,
}

impl Decoding {
    /// For the live lines of a show, of which any channel may show any.
    pub(crate) fn of_live(show: &pipeline_dsl::Show) -> Self {
        let is_low = |ladder: &pipeline_dsl::Ladder| ladder.latency == pipeline_dsl::Latency::Low;
        if show.ladders.iter().any(is_low) { Self::Prompt } else { Self::Easy }
    }

    /// For the lines of a show that are held back. Offline an encoder has one thread, and takes longer
    /// for a rung as large as the canvas than a decoder without help.
    pub(crate) fn of_held(show: &pipeline_dsl::Show, mode: Mode) -> Self {
        let is_whole =
            |rung: &pipeline_dsl::Rung| !rung.is_copied() && rung.size.area() >= show.video.size.area();
        let mut rungs = show.ladders.iter().flat_map(|ladder| &ladder.rungs);
        match mode {
            Mode::Offline if rungs.any(is_whole) => Self::Prompt,
            Mode::Offline | Mode::RealTime => Self::Easy,
        }
    }
}

/// What a container says of pictures that do not say it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) turn: Turn,
    pub(crate) aspect: Aspect,
}

impl Told {
    /// A container that says nothing.
    pub(crate) const NOTHING: Self = Self { turn: Turn::NONE, aspect: Aspect::SQUARE };
}

/// Decodes pictures and makes them right for the canvas, once.
pub(crate) struct VideoLane {
    decoder: Box<dyn VideoDecoder>,
    deinterlacer: Option<Deinterlacer>,
    conform: Conform,
    remarks: Remarks,
    damage: Damage,
    /// What the container says of their colours.
    colours: ColourTags,
    /// Pictures before this time of the stream are decoded, and no more.
    from: Option<Time>,
}

impl VideoLane {
    pub(crate) fn new(shape: &Shape, params: &VideoParams, told: Told) -> Result<Self, CodecError> {
        let decoder = match shape.decoding {
            Decoding::Easy => shape.kit.video_decoder(params)?,
            Decoding::Prompt => shape.kit.prompt_video_decoder(params)?,
        };
        Ok(Self::of(shape, decoder, told))
    }

    /// For pictures that come out of this.
    pub(crate) fn of(shape: &Shape, decoder: Box<dyn VideoDecoder>, told: Told) -> Self {
        let conform = Conform::new(shape.canvas, Filter::Bicubic).turned(told.turn).shaped(told.aspect);
        let cadence = cadence(shape.ticks);
        let (deinterlacer, fields) = match shape.deinterlace {
            Deinterlace::Bwdif => (Some(Deinterlacer::new(cadence)), Fields::Upper),
            Deinterlace::Fast => (None, Fields::Upper),
            Deinterlace::Off => (None, Fields::Woven),
        };
        Self {
            decoder,
            deinterlacer,
            conform: conform.taking(fields),
            remarks: Remarks::new(shape.deinterlace, cadence),
            damage: Damage::default(),
            colours: ColourTags::NONE,
            from: None,
        }
    }

    /// What is new about the pictures and worth to be told.
    pub(crate) fn remark(&mut self) -> Option<Remark> {
        self.remarks.next()
    }

    /// The container says so of the colours of pictures from here on.
    pub(crate) fn told_colours(&mut self, colours: ColourTags) {
        self.colours = colours;
    }

    /// Pictures before `from` come too late to be shown: what is done after decoding can be spared.
    pub(crate) fn show_from(&mut self, from: Option<Time>) {
        self.from = from;
    }

    /// Decodes one packet. Pictures go to `out`, errors to `bad`; decoding goes on after an error,
    /// and pictures are damaged until the next key frame.
    pub(crate) fn decode(
        &mut self,
        packet: &Packet,
        out: &mut impl FnMut(Frame),
        bad: &mut impl FnMut(CodecError),
    ) {
        let sent = self.decoder.send(packet);
        self.damage.sent(packet.pts, packet.key);
        if let Err(error) = sent {
            self.damage.broke();
            bad(error);
        }
        self.receive(out, bad);
    }

    /// Gives out what the decoder held back.
    pub(crate) fn flush(&mut self, out: &mut impl FnMut(Frame), bad: &mut impl FnMut(CodecError)) {
        match self.decoder.flush() {
            Ok(()) => self.receive(out, bad),
            Err(error) => bad(error),
        }
        if let Some(mut deinterlacer) = self.deinterlacer.take() {
            let mut whole = |frame: Frame| self.put(&frame, out, bad);
            if let Err(error) = deinterlacer.flush(&mut whole) {
                bad(error);
            }
            self.deinterlacer = Some(deinterlacer);
        }
    }

    fn receive(&mut self, out: &mut impl FnMut(Frame), bad: &mut impl FnMut(CodecError)) {
        loop {
            let frame = match self.decoder.receive() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => {
                    self.damage.broke();
                    return bad(error);
                }
            };
            let frame = match frame.picture.told(self.colours) {
                Ok(picture) => Frame { pts: frame.pts, picture },
                Err(error) => return bad(error),
            };
            self.remarks.look(&frame.picture);
            if frame.picture.is_damaged() {
                self.damage.found(frame.pts);
            }
            match self.deinterlacer.take() {
                Some(mut deinterlacer) => {
                    let mut whole = |frame: Frame| self.put(&frame, out, bad);
                    if let Err(error) = deinterlacer.push(frame, &mut whole) {
                        bad(error);
                    }
                    self.deinterlacer = Some(deinterlacer);
                }
                None => self.put(&frame, out, bad),
            }
        }
    }

    fn put(&mut self, frame: &Frame, out: &mut impl FnMut(Frame), bad: &mut impl FnMut(CodecError)) {
        if self.from.is_some_and(|from| frame.pts < from) {
            return;
        }
        let is_damaged = self.damage.holds(frame.pts);
        match self.conform.conform(&frame.picture) {
            Ok(picture) if is_damaged => out(Frame { pts: frame.pts, picture: picture.damaged() }),
            Ok(picture) => out(Frame { pts: frame.pts, picture }),
            Err(error) => bad(error),
        }
    }
}

/// Beyond 30 frames a second a show has a place for each field.
fn cadence(ticks: FrameRate) -> Cadence {
    if ticks.num() > 30 * ticks.den() { Cadence::Fields } else { Cadence::Frames }
}

/// Decodes sound into the show's rate and layout.
pub(crate) struct AudioLane {
    decoder: Box<dyn AudioDecoder>,
    resampler: Resampler,
}

impl AudioLane {
    pub(crate) fn new(shape: &Shape, params: &AudioParams) -> Result<Self, CodecError> {
        Ok(Self {
            decoder: shape.kit.audio_decoder(params)?,
            resampler: Resampler::new(shape.rate, shape.channels),
        })
    }

    /// As [`VideoLane::decode`].
    pub(crate) fn decode(
        &mut self,
        packet: &Packet,
        out: &mut impl FnMut(Pcm),
        bad: &mut impl FnMut(CodecError),
    ) {
        if let Err(error) = self.decoder.send(packet) {
            bad(error);
        }
        self.receive(out, bad);
    }

    /// As [`VideoLane::flush`].
    pub(crate) fn flush(&mut self, out: &mut impl FnMut(Pcm), bad: &mut impl FnMut(CodecError)) {
        match self.decoder.flush() {
            Ok(()) => self.receive(out, bad),
            Err(error) => bad(error),
        }
        match self.resampler.flush() {
            Ok(rest) => rest.into_iter().for_each(&mut *out),
            Err(error) => bad(error),
        }
    }

    fn receive(&mut self, out: &mut impl FnMut(Pcm), bad: &mut impl FnMut(CodecError)) {
        loop {
            match self.decoder.receive() {
                Ok(Some(pcm)) => match self.resampler.push(&pcm) {
                    Ok(blocks) => blocks.into_iter().for_each(&mut *out),
                    Err(error) => bad(error),
                },
                Ok(None) => return,
                Err(error) => return bad(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use codecs::{Fake, Ffmpeg};
    use media::Tick;

    use super::*;
    use crate::rehearse::clip::Clip;

    /// With both kits: what hangs on a broken picture is damaged, up to the next key frame.
    #[test]
    fn pictures_are_damaged_from_a_broken_one_to_the_next_key_frame() {
        let (size, rate) = (Size::new(128, 72), FrameRate::new(25, 1).unwrap());
        for kit in [Arc::new(Fake::new()) as Arc<dyn CodecKit>, Arc::new(Ffmpeg::new())] {
            let clip = Clip::make(kit.as_ref(), 0, size, rate, (SampleRate::HZ_48000, 2)).unwrap();
            let shape = Shape {
                kit: Arc::clone(&kit),
                canvas: size,
                ticks: rate,
                rate: SampleRate::HZ_48000,
                channels: 2,
                deinterlace: Deinterlace::default(),
                decoding: Decoding::Easy,
            };
            let mut lane = VideoLane::new(&shape, &clip.video, Told::NOTHING).unwrap();
            let (mut seen, mut errors) = (Vec::new(), 0);
            let mut out = |frame: Frame| seen.push((rate.tick_at(frame.pts).0, frame.picture.is_damaged()));
            for (n, (data, key)) in clip.pictures.iter().chain(&clip.pictures).enumerate() {
                let at = rate.time_of(Tick(n as u64));
                let data = if n == 20 {
                    Bytes::from_static(&[0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff])
                } else {
                    data.clone()
                };
                let packet =
                    Packet { track: Track::Video, pts: at, dts: at, duration: None, key: *key, data };
                lane.decode(&packet, &mut out, &mut |_| errors += 1);
            }
            lane.flush(&mut out, &mut |_| errors += 1);
            assert!(errors > 0 && seen.len() >= 99, "{errors} errors, {} pictures", seen.len());
            let damaged: Vec<u64> = seen.iter().filter(|(_, is)| *is).map(|(n, _)| *n).collect();
            let whole = |n: &u64| *n < 19 || *n >= 50;
            assert!((21..50).all(|n| damaged.contains(&n)) && !damaged.iter().any(whole), "{damaged:?}");
        }
    }
}
