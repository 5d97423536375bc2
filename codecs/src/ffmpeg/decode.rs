//! FFmpeg's decoders.

use std::collections::VecDeque;

use ffmpeg_next::ffi;
use media::{AudioCodec, AudioParams, Packet, Size, Time, VideoCodec, VideoParams};

use super::call::{self, Answer, AvPacket, Context, FLICK};
use super::frame::{AvFrame, DisplayMatrix};
use super::sound;
use super::weave::Weaver;
use crate::codec::{AudioDecoder, VideoDecoder};
use crate::error::{CodecError, Step};
use crate::frame::{Frame, Pcm};
use crate::picture::Picture;

/// From this size on a decoder gets a second thread.
const LARGE: Size = Size::new(1920, 1080);
/// Beyond this one, one core may not decode a picture in its time: a prompt decoder has frame threads, too.
const TOO_LARGE: Size = Size::new(2048, 1152);
/// The largest packet taken, in bytes.
const MAX_PACKET: usize = 64 << 20;
/// The most pixels a stream may ask memory for: 8K, and as much again.
const MAX_PIXELS: i64 = 8192 * 8192;

/// FFmpeg's names of a codec's decoders, the best first.
const fn video_names(codec: VideoCodec) -> &'static [&'static str] {
    match codec {
        VideoCodec::Avc => &["h264"],
        VideoCodec::Hevc => &["hevc"],
        // FFmpeg's own `av1` needs hardware.
        VideoCodec::Av1 => &["libdav1d", "libaom-av1"],
        VideoCodec::Vp8 => &["vp8"],
        VideoCodec::Vp9 => &["vp9"],
        VideoCodec::Mpeg2 => &["mpeg2video"],
        VideoCodec::Mpeg4 => &["mpeg4"],
        VideoCodec::Mjpeg => &["mjpeg"],
        VideoCodec::Prores => &["prores"],
        VideoCodec::Png => &["png"],
        VideoCodec::Theora => &["theora"],
    }
}

const fn audio_names(codec: AudioCodec) -> &'static [&'static str] {
    match codec {
        AudioCodec::Aac => &["aac"],
        AudioCodec::Mp2 => &["mp2float", "mp2"],
        AudioCodec::Mp3 => &["mp3float", "mp3"],
        AudioCodec::Opus => &["opus", "libopus"],
        AudioCodec::Vorbis => &["vorbis"],
        AudioCodec::Flac => &["flac"],
        AudioCodec::Ac3 => &["ac3"],
        AudioCodec::Eac3 => &["eac3"],
        AudioCodec::PcmS16 => &["pcm_s16le"],
    }
}

fn find(names: &'static [&'static str]) -> Result<Context, CodecError> {
    let mut missing = None;
    for name in names {
        match Context::decoder(name) {
            Ok(context) => return Ok(context),
            Err(err) => missing = missing.or(Some(err)),
        }
    }
    Err(missing.unwrap_or(CodecError::Unavailable { codec: "decoder" }))
}

/// What both kinds of decoder do alike.
struct Decoder {
    context: Context,
    packet: AvPacket,
    /// Frames the decoder wanted to be rid of before it took a packet.
    early: VecDeque<AvFrame>,
    draining: bool,
}

impl Decoder {
    fn open(mut context: Context, config: &[u8]) -> Result<Self, CodecError> {
        let packet = AvPacket::new(context.name)?;
        context.set_extradata(config)?;
        context.get_mut().pkt_timebase = FLICK;
        context.open(&[])?;
        Ok(Self { context, packet, early: VecDeque::new(), draining: false })
    }

    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let name = self.context.name;
        // An empty packet would be FFmpeg's sign for the end.
        if packet.data.is_empty() || packet.data.len() > MAX_PACKET {
            return Err(CodecError::Damaged {
                codec: name,
                pts: Some(packet.pts),
                why: format!("a packet of {} bytes; legal is 1 to {MAX_PACKET}", packet.data.len()).into(),
            });
        }
        if self.draining {
            self.restart();
        }
        self.packet.fill(name, &packet.data)?;
        let raw = self.packet.get_mut();
        raw.pts = packet.pts.flicks();
        raw.dts = packet.dts.flicks();
        raw.duration = packet.duration.map_or(0, |span| span.flicks().max(0));
        if packet.key == media::Key::Frame {
            raw.flags |= ffi::AV_PKT_FLAG_KEY;
        }
        loop {
            let code = self.context.send_packet(Some(&self.packet));
            match call::answer(name, Step::SendPacket, Some(packet.pts), code) {
                Ok(Answer::Later) => match self.fetch()? {
                    Some(frame) => self.early.push_back(frame),
                    None => return Err(call::error(name, Step::SendPacket, Some(packet.pts), code)),
                },
                Ok(Answer::Done | Answer::End) => break,
                Err(err) => {
                    self.packet.clear();
                    return Err(err);
                }
            }
        }
        self.packet.clear();
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<AvFrame>, CodecError> {
        match self.early.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => self.fetch(),
        }
    }

    fn fetch(&mut self) -> Result<Option<AvFrame>, CodecError> {
        let mut frame = AvFrame::empty()?;
        let code = self.context.receive_frame(frame.as_mut_ptr());
        match call::answer(self.context.name, Step::ReceiveFrame, None, code)? {
            Answer::Done => Ok(Some(frame)),
            Answer::Later => Ok(None),
            Answer::End => {
                self.restart();
                Ok(None)
            }
        }
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        if !self.draining {
            let code = self.context.send_packet(None);
            call::answer(self.context.name, Step::Flush, None, code)?;
            self.draining = true;
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.context.reset();
        self.draining = false;
    }
}

/// When a frame is shown, if FFmpeg knows.
fn time_of(raw: &ffi::AVFrame) -> Option<Time> {
    [raw.pts, raw.best_effort_timestamp]
        .into_iter()
        .find(|&t| t != ffi::AV_NOPTS_VALUE)
        .map(Time::from_flicks)
}

/// What a second thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spread {
    /// The next frame: pictures come one frame later.
    Frames,
    /// Other slices of the same picture, if it has any.
    Slices,
}

/// Pictures out of packets.
pub(super) struct AvVideoDecoder {
    decoder: Decoder,
    /// Where a field may be coded as a picture.
    weaver: Option<Weaver>,
    /// What is ready.
    whole: VecDeque<AvFrame>,
    /// How pictures are turned up to the next key frame.
    matrix: Option<DisplayMatrix>,
}

impl AvVideoDecoder {
    pub(super) fn open(params: &VideoParams, spread: Spread) -> Result<Self, CodecError> {
        let mut context = find(video_names(params.codec))?;
        let area = params.size.map_or(0, Size::area);
        let raw = context.get_mut();
        raw.thread_count = if area >= LARGE.area() { 2 } else { 1 };
        raw.thread_type = match spread {
            Spread::Slices if area <= TOO_LARGE.area() => ffi::FF_THREAD_SLICE,
            Spread::Slices | Spread::Frames => ffi::FF_THREAD_FRAME,
        };
        raw.max_pixels = MAX_PIXELS;
        if let Some(size) = params.size {
            raw.width = i32::try_from(size.width).unwrap_or(0);
            raw.height = i32::try_from(size.height).unwrap_or(0);
        }
        let weaver = (params.codec == VideoCodec::Hevc).then(Weaver::default);
        Ok(Self {
            decoder: Decoder::open(context, &params.config)?,
            weaver,
            whole: VecDeque::new(),
            matrix: None,
        })
    }

    /// What a stream says of its pictures' turn (H.264, D.2.27; H.265, D.3.17) holds up to its next key
    /// frame: FFmpeg tells it of the picture alone that it came with.
    fn keep_turned(&mut self, frame: &mut AvFrame) {
        match (frame.matrix(), &self.matrix) {
            (Some(matrix), _) => self.matrix = Some(matrix),
            (None, _) if frame.is_key() => self.matrix = None,
            (None, Some(matrix)) => frame.set_matrix(matrix),
            (None, None) => {}
        }
    }

    /// The next whole picture.
    fn next(&mut self) -> Result<Option<AvFrame>, CodecError> {
        loop {
            if let Some(frame) = self.whole.pop_front() {
                return Ok(Some(frame));
            }
            let ending = self.decoder.draining;
            match (self.decoder.receive()?, &mut self.weaver) {
                (frame, None) => return Ok(frame),
                (Some(frame), Some(weaver)) => weaver.push(frame, &mut self.whole)?,
                (None, Some(weaver)) if ending => {
                    weaver.flush(&mut self.whole);
                    return Ok(self.whole.pop_front());
                }
                (None, Some(_)) => return Ok(None),
            }
        }
    }
}

impl VideoDecoder for AvVideoDecoder {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.decoder.send(packet)
    }

    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        while let Some(frame) = self.next()? {
            // A picture without a time cannot be placed.
            if let Some(pts) = time_of(frame.raw()) {
                let mut frame = frame.upright()?;
                self.keep_turned(&mut frame);
                return Ok(Some(Frame { pts, picture: Picture::from_av(frame) }));
            }
        }
        Ok(None)
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        self.decoder.flush()
    }
}

/// Sound out of packets.
pub(super) struct AvAudioDecoder {
    decoder: Decoder,
    /// Where the next block begins, if it does not say so itself.
    next: Time,
}

impl AvAudioDecoder {
    pub(super) fn open(params: &AudioParams) -> Result<Self, CodecError> {
        let mut context = find(audio_names(params.codec))?;
        let raw = context.get_mut();
        raw.thread_count = 1;
        raw.sample_rate = i32::try_from(params.rate.hz()).unwrap_or(0);
        sound::set_layout(&mut raw.ch_layout, params.channels);
        Ok(Self { decoder: Decoder::open(context, &params.config)?, next: Time::ZERO })
    }
}

impl AudioDecoder for AvAudioDecoder {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.decoder.send(packet)
    }

    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        let Some(frame) = self.decoder.receive()? else { return Ok(None) };
        let pts = time_of(frame.raw()).unwrap_or(self.next);
        let pcm = sound::interleaved(self.decoder.context.name, frame.raw(), pts)?;
        self.next = pcm.end();
        Ok(Some(pcm))
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        self.decoder.flush()
    }
}
