//! Pictures of two fields become whole ones, before they are put on the canvas.

use media::{Span, Time};

use crate::error::CodecError;
use crate::ffmpeg::{Bwdif, Cadence};
use crate::frame::Frame;
use crate::picture::Scan;

/// So many progressive pictures in a row, and the stream is one: nothing is held back any more.
const CALM: u32 = 50;
/// Pictures further apart than this are not each other's neighbours.
const NEIGHBOURS: Span = Span::from_millis(500);

/// Makes whole pictures of interlaced ones with bwdif; others pass untouched.
///
/// Only pictures that say they are of two fields are worked on. While they
/// come, the newest picture is held back, since each is made with the next in
/// view; its time stamp stays what it was, and a second field is shown half
/// way to the next picture. What cannot be deinterlaced (a picture of
/// less than 8x16) passes as it is, and
/// [`Conform`](crate::Conform) takes its upper field.
///
/// ```
/// use codecs::{Cadence, Deinterlacer, Frame, PictureMut, Rgb};
/// use media::{Size, Time};
///
/// let mut deinterlacer = Deinterlacer::new(Cadence::Fields);
/// let picture = PictureMut::filled(Size::new(64, 36), Rgb::new(0, 90, 200))?.freeze();
/// let mut out = Vec::new();
/// deinterlacer.push(Frame { pts: Time::ZERO, picture }, &mut |frame| out.push(frame))?;
/// assert_eq!(out.len(), 1, "a progressive picture is not held back");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Deinterlacer {
    cadence: Cadence,
    running: Option<Running>,
}

struct Running {
    filter: Bwdif,
    last_in: Time,
    last_out: Option<Time>,
    /// Progressive pictures since the last interlaced one.
    calm: u32,
}

impl Deinterlacer {
    /// One that makes a picture of each field or of each frame.
    pub const fn new(cadence: Cadence) -> Self {
        Self { cadence, running: None }
    }

    /// Hands in the next picture; what is ready goes to `out`, in order.
    ///
    /// # Errors
    /// A pixel format bwdif does not take, or no memory. The picture then went
    /// to `out` as it is.
    pub fn push(&mut self, frame: Frame, out: &mut impl FnMut(Frame)) -> Result<(), CodecError> {
        let in_fields = frame.picture.scan() != Scan::Progressive && Bwdif::takes(frame.picture.size());
        let follows = |running: &Running| {
            running.filter.fits(&frame.picture)
                && frame.pts > running.last_in
                && frame.pts - running.last_in <= NEIGHBOURS
        };
        if self.running.as_ref().is_some_and(|running| !follows(running)) {
            self.flush(out)?;
        }
        let running = match &mut self.running {
            Some(running) => running,
            None if !in_fields => {
                out(frame);
                return Ok(());
            }
            none => match Bwdif::open(&frame.picture, self.cadence) {
                Ok(filter) => none.insert(Running { filter, last_in: frame.pts, last_out: None, calm: 0 }),
                Err(error) => {
                    out(frame);
                    return Err(error);
                }
            },
        };
        running.last_in = frame.pts;
        running.calm = if in_fields { 0 } else { running.calm + 1 };
        running.filter.push(&frame.picture, frame.pts)?;
        running.drain(out)?;
        if running.calm >= CALM { self.flush(out) } else { Ok(()) }
    }

    /// The stream has ended, or starts again: gives out what was held back.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn flush(&mut self, out: &mut impl FnMut(Frame)) -> Result<(), CodecError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        running.filter.end()?;
        running.drain(out)
    }
}

impl Running {
    fn drain(&mut self, out: &mut impl FnMut(Frame)) -> Result<(), CodecError> {
        while let Some((pts, picture)) = self.filter.pull()? {
            // The second field of a lone picture has no time of its own.
            if self.last_out.is_none_or(|last| pts > last) {
                self.last_out = Some(pts);
                out(Frame { pts, picture });
            }
        }
        Ok(())
    }
}
