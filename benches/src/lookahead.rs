//! Film as a ladder's lookahead sees it, and the lookahead.

use codecs::lookahead::{More, Planner, view_of};
use codecs::{CodecError, Filter, Picture, Plane, Scaler};
use media::{Key, Size};

use crate::film::film;

/// `frames` pictures of a canvas, small.
///
/// # Errors
/// A size that pictures cannot have.
pub fn views(canvas: Size, frames: usize) -> Result<Vec<Picture>, CodecError> {
    let mut scaler = Scaler::new(view_of(canvas), Filter::Area);
    film(1, canvas, frames)?.iter().map(|picture| scaler.scale(picture)).collect()
}

/// Plans all of them, the first as a key frame; tells how many.
pub fn plan(planner: &mut Planner, views: &[Picture]) -> usize {
    let mut planned = 0;
    for (n, view) in views.iter().enumerate() {
        planner.push(view.plane(Plane::Y), if n == 0 { Key::Frame } else { Key::Delta });
        planned += std::iter::from_fn(|| planner.plan(More::Comes)).count();
    }
    planned + std::iter::from_fn(|| planner.plan(More::IsNotKnown)).count()
}
