//! The picture of a tick: one source, or two in a mix, and the watermarks on top.

use std::path::Path;
use std::sync::Arc;

use codecs::{CodecError, Picture, PictureMut, Plane, Rgb};
use media::{Size, Time};
use pipeline_dsl as dsl;
use scheduling::Blend;

use crate::channel::marks::{self, MarkStates, Marks, Placed, RungMarks};
use crate::channel::scene::Seen;

/// What a tick shows; `None` is black.
#[derive(Clone, Debug)]
pub(crate) enum Layers {
    One(Option<Seen>),
    /// The first going over into the second: `step / of` of the way is done.
    Mix {
        from: Option<Seen>,
        to: Option<Seen>,
        blend: Blend,
        step: u32,
        of: u32,
    },
}

/// A picture, what was laid over it, and what came of that.
struct Last {
    bare: Picture,
    placed: Vec<Placed>,
    marked: Picture,
}

pub(crate) struct Composer {
    size: Size,
    /// Made when there is nothing else to show.
    black: Option<Picture>,
    marks: Marks,
    /// The last picture with its watermarks, for a source that stands still.
    last: Option<Last>,
    /// What the last dip led through.
    middle: Option<(dsl::Rgb, Picture)>,
}

impl Composer {
    /// Loads the channel's watermarks, relative to `base`.
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel, base: &Path) -> Result<Self, String> {
        Ok(Self::marked_with(Marks::new(show, channel, base)?, show))
    }

    /// Draws no watermark, whatever becomes of them.
    pub(crate) fn bare(show: &dsl::Show, channel: &dsl::Channel) -> Self {
        Self::marked_with(Marks::undrawn(show, channel), show)
    }

    const fn marked_with(marks: Marks, show: &dsl::Show) -> Self {
        Self { size: show.video.size, black: None, marks, last: None, middle: None }
    }

    /// Other watermarks from the next picture on.
    pub(crate) fn mark_with(&mut self, marks: Marks) {
        self.marks = marks;
        self.last = None;
    }

    /// Its watermarks.
    pub(crate) const fn marks(&mut self) -> &mut Marks {
        &mut self.marks
    }

    /// The canvas at `at`, and what is to be laid over the rungs' own pictures.
    pub(crate) fn compose(
        &mut self,
        layers: &Layers,
        at: Time,
        states: &MarkStates,
    ) -> Result<(Picture, Option<Arc<RungMarks>>), CodecError> {
        let (placed, rungs) = self.marks.at(at, states);
        Ok((self.canvas(layers, placed)?, rungs))
    }

    fn canvas(&mut self, layers: &Layers, placed: Vec<Placed>) -> Result<Picture, CodecError> {
        match layers {
            Layers::One(picture) => {
                let picture = self.seen(picture)?;
                if placed.is_empty() {
                    return Ok(picture);
                }
                if let Some(last) = &self.last
                    && last.bare.ptr_eq(&picture)
                    && last.placed == placed
                {
                    return Ok(last.marked.clone());
                }
                let marked = marked(picture.to_mut()?, &placed);
                self.last = Some(Last { bare: picture, placed, marked: marked.clone() });
                Ok(marked)
            }
            Layers::Mix { from, to, blend, step, of } => {
                let (from, to) = (self.seen(from)?, self.seen(to)?);
                let mixed = match blend {
                    Blend::Dissolve => codecs::dissolve(&from, &to, *step, *of)?,
                    Blend::Wipe(edge) => wipe(&from, &to, *edge, *step, *of)?,
                    Blend::Dip(color) => {
                        let middle = self.colour(*color, from.size())?;
                        let twice = step.saturating_mul(2);
                        if twice <= *of {
                            codecs::dissolve(&from, &middle, twice, *of)?
                        } else {
                            codecs::dissolve(&middle, &to, twice.saturating_sub(*of), *of)?
                        }
                    }
                };
                Ok(marked(mixed, &placed))
            }
        }
    }

    /// What is seen, or black.
    fn seen(&mut self, seen: &Option<Seen>) -> Result<Picture, CodecError> {
        match (seen, &self.black) {
            (Some(seen), _) => seen.picture(),
            (None, Some(black)) => Ok(black.clone()),
            (None, None) => {
                let black = PictureMut::filled(self.size, Rgb::new(0, 0, 0))?.freeze();
                Ok(self.black.insert(black).clone())
            }
        }
    }

    /// A picture of one colour; the last one is kept.
    fn colour(&mut self, color: dsl::Rgb, size: Size) -> Result<Picture, CodecError> {
        if let Some((kept, picture)) = &self.middle
            && *kept == color
        {
            return Ok(picture.clone());
        }
        let picture = PictureMut::filled(size, Rgb::new(color.r, color.g, color.b))?.freeze();
        self.middle = Some((color, picture.clone()));
        Ok(picture)
    }
}

fn marked(mut picture: PictureMut, placed: &[Placed]) -> Picture {
    marks::lay(placed, &mut picture);
    picture.freeze()
}

/// `to` on `step / of` of the picture from an edge on, `from` on the rest.
fn wipe(from: &Picture, to: &Picture, edge: dsl::Edge, step: u32, of: u32) -> Result<PictureMut, CodecError> {
    let mut out = from.to_mut()?;
    for (mut plane, which) in out.planes_mut().into_iter().zip(Plane::ALL) {
        let new = to.plane(which);
        let (width, height) = (plane.width.min(new.width), plane.height.min(new.height));
        let share = |whole: usize| {
            let part = whole as u64 * u64::from(step.min(of)) / u64::from(of.max(1));
            // Luma is cut where the colour planes, half as wide, are cut as well.
            let part = part as usize;
            if which == Plane::Y { part & !1 } else { part }
        };
        let (columns, rows) = match edge {
            dsl::Edge::Left => (0..share(width), 0..height),
            dsl::Edge::Right => (width - share(width)..width, 0..height),
            dsl::Edge::Top => (0..width, 0..share(height)),
            dsl::Edge::Bottom => (0..width, height - share(height)..height),
        };
        for y in rows {
            let (Some(out), Some(new)) =
                (plane.row_mut(y).get_mut(columns.clone()), new.row(y).get(columns.clone()))
            else {
                continue;
            };
            out.copy_from_slice(new);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(y: u8) -> Picture {
        let mut picture = PictureMut::new(Size::new(16, 8)).unwrap();
        for mut plane in picture.planes_mut() {
            plane.fill(y);
        }
        picture.freeze()
    }

    #[test]
    fn a_wipe_uncovers_the_new_picture_from_its_edge() {
        let (old, new) = (picture(10), picture(200));
        let at = |edge, x: usize, y: usize| wipe(&old, &new, edge, 1, 4).unwrap().plane(Plane::Y).row(y)[x];
        use dsl::Edge::{Bottom, Left, Right, Top};
        assert_eq!([3, 4].map(|x| at(Left, x, 5)), [200, 10]);
        assert_eq!([11, 12].map(|x| at(Right, x, 5)), [10, 200]);
        assert_eq!([1, 2].map(|y| at(Top, 7, y)), [200, 10]);
        assert_eq!([5, 6].map(|y| at(Bottom, 7, y)), [10, 200]);
        // Colour goes with it.
        let wiped = wipe(&old, &new, Left, 1, 4).unwrap();
        assert_eq!(wiped.plane(Plane::U).row(2)[..3], [200, 200, 10]);
        let odd = wipe(&old, &new, Left, 1, 5).unwrap();
        assert_eq!(
            (odd.plane(Plane::Y).row(0)[..4].to_vec(), odd.plane(Plane::V).row(0)[1]),
            (vec![200, 200, 10, 10], 10)
        );
    }
}
