//! The maker: pictures are scaled down and packed, off the tick's way.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use codecs::{CodecError, Filter, Finish, Picture, Scaler, still};
use crossbeam_channel::Receiver;
use media::{Size, Time};

use super::{Look, Shown, Slot, Thumbs};
use crate::channel::marks::RungMarks;
use crate::channel::scene::Seen;
use crate::options::Mode;
use crate::stage::ThreadShare;

/// The longer side in pixels, where the canvas is not smaller.
const LONG_SIDE: u32 = 256;
/// As JPEG has it, of 100.
const QUALITY: u8 = 75;

/// What a source shows at a tick.
pub(super) struct Job {
    pub(super) slot: Arc<Slot>,
    pub(super) at: Time,
    /// `None` if that is nothing.
    pub(super) seen: Option<Seen>,
    /// What a channel lays over its rungs' pictures.
    pub(super) marks: Option<Arc<RungMarks>>,
}

/// Works until no more can come.
pub(super) fn run(jobs: &Receiver<Job>, thumbs: &Thumbs, timed: Mode) {
    let mut share = ThreadShare::begin();
    let mut scaler = None;
    for Job { slot, at, seen, marks } in jobs {
        let shown = match seen.map(|seen| small(&seen, marks.as_deref(), &mut scaler)) {
            None => Shown::Nothing,
            Some(Ok(jpeg)) => {
                thumbs.made.fetch_add(1, Relaxed);
                Shown::Jpeg(jpeg)
            }
            Some(Err(error)) => Shown::Failed(error.to_string().into()),
        };
        slot.look.send_replace(Look { at: Some(at), shown });
        share.count(&thumbs.costs);
        // In virtual time nothing takes any.
        if timed == Mode::RealTime {
            thumbs.costs.picture(thumbs.age(at));
        }
    }
}

fn small(seen: &Seen, marks: Option<&RungMarks>, scaler: &mut Option<Scaler>) -> Result<Bytes, CodecError> {
    let mut picture: Picture = seen.picture_apart()?;
    let size = fitted(picture.size());
    if let Some(marks) = marks
        && let Some((rung, at)) = marks.rung_for(size)
    {
        picture = marks.finish(rung, Scaler::new(at, Filter::Area).scale(&picture)?)?;
    }
    let scaler = match scaler {
        Some(scaler) if scaler.size() == size => scaler,
        other => other.insert(Scaler::new(size, Filter::Area)),
    };
    still::jpeg(&scaler.scale(&picture)?, QUALITY).map(Bytes::from)
}

/// A canvas as small as a thumbnail, with its shape; nothing is made larger.
fn fitted(canvas: Size) -> Size {
    let long = canvas.width.max(canvas.height).max(1);
    let part = |side: u32| {
        let scaled = (u64::from(side) * u64::from(LONG_SIDE) + u64::from(long / 2)) / u64::from(long);
        (u32::try_from(scaled).unwrap_or(LONG_SIDE) & !1).max(2)
    };
    if long <= LONG_SIDE { canvas } else { Size::new(part(canvas.width), part(canvas.height)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_has_the_canvas_shape_and_is_never_larger() {
        let of = |w, h| {
            let Size { width, height } = fitted(Size::new(w, h));
            (width, height)
        };
        assert_eq!([of(1920, 1080), of(1080, 1920), of(3840, 1600)], [(256, 144), (144, 256), (256, 106)]);
        assert_eq!([of(64, 36), of(256, 256), of(16384, 2)], [(64, 36), (256, 256), (256, 2)]);
    }
}
