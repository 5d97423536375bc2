//! Which feed a copy was made from: the forensic pattern, read from FLV tags.

use codecs::watermark::forensic::{Found, Reader};
use codecs::{CodecKit, Ffmpeg, Filter, PixelFormat, Scaler, VideoDecoder};
use flv::Tag;
use media::{Span, Time};

use crate::ingest::lane::StreamParams;
use crate::ingest::unpack::Unpacker;

/// Pictures that are looked at lie this far apart: neighbours tell nothing new.
const APART: Span = Span::from_millis(500);
/// So sure, and nothing more is looked at.
const ENOUGH: f64 = 0.999_999;
/// It is asked how sure it is after so many pictures each time.
const EVERY: u64 = 8;

/// What was found of a pattern.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MarkFound {
    /// The number that the show file gives: `forensic 4711`.
    pub id: u16,
    /// The rung's place in its ladder, from 1.
    pub rung: u8,
    /// How probable it is that all of it was read right, 0 to 1.
    pub confidence: f64,
}

/// Looks for the pattern of `forensic` watermarks in the pictures of a stream.
///
/// ```
/// use engine::MarkReader;
///
/// let mut reader = MarkReader::new();
/// let no_tags: [flv::Tag; 0] = [];
/// for tag in &no_tags {
///     reader.push(tag);
/// }
/// assert_eq!((reader.found(), reader.pictures()), (None, 0));
/// ```
#[derive(Default)]
pub struct MarkReader {
    unpacker: Unpacker,
    decoder: Option<Box<dyn VideoDecoder>>,
    scaler: Option<Scaler>,
    reader: Reader,
    next: Option<Time>,
    sure: bool,
}

impl MarkReader {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the stream's next tag. What cannot be decoded is passed over.
    pub fn push(&mut self, tag: &Tag) {
        if self.sure {
            return;
        }
        let Ok(unpacked) = self.unpacker.unpack(tag) else { return };
        if let Some(StreamParams::Video(params)) = unpacked.params {
            self.drain();
            self.decoder = Ffmpeg::new().video_decoder(&params).ok();
        }
        let packet = unpacked.packet.filter(|packet| packet.track == media::Track::Video);
        if let (Some(decoder), Some(packet)) = (&mut self.decoder, packet) {
            let _ = decoder.send(&packet);
            self.look();
        }
    }

    /// The pattern, if there is one in what was seen.
    pub fn found(&mut self) -> Option<MarkFound> {
        self.drain();
        let Found { message, confidence } = self.reader.read()?;
        Some(MarkFound { id: message.id, rung: message.rung.saturating_add(1), confidence })
    }

    /// How many pictures were looked at.
    pub const fn pictures(&self) -> u64 {
        self.reader.pictures()
    }

    fn drain(&mut self) {
        if let Some(decoder) = &mut self.decoder {
            let _ = decoder.flush();
            self.look();
            self.decoder = None;
        }
    }

    fn look(&mut self) {
        while let Some(Ok(Some(frame))) = self.decoder.as_mut().map(|decoder| decoder.receive()) {
            // Stamps that go back are those of another recording.
            let is_due = self.next.is_none_or(|next| frame.pts >= next || next - frame.pts > APART);
            if !is_due {
                continue;
            }
            self.next = Some(frame.pts + APART);
            let size = frame.picture.size();
            let picture = if frame.picture.format() == PixelFormat::Yuv420p {
                frame.picture
            } else {
                if self.scaler.as_ref().is_none_or(|scaler| scaler.size() != size) {
                    self.scaler = Some(Scaler::new(size, Filter::Bilinear));
                }
                let Some(Ok(picture)) = self.scaler.as_mut().map(|scaler| scaler.scale(&frame.picture))
                else {
                    continue;
                };
                picture
            };
            if self.reader.push(&picture) && self.reader.pictures().is_multiple_of(EVERY) {
                self.sure |= self.reader.read().is_some_and(|found| found.confidence > ENOUGH);
            }
        }
    }
}
