//! The picture of a tick: one source, or two in a mix, and the watermarks on top.

use std::path::Path;

use codecs::{CodecError, Picture, PictureMut, Placement, Plane, Rgb, Watermark};
use media::Size;
use pipeline_dsl as dsl;
use scheduling::Blend;

use crate::channel::scene::Seen;
use crate::keys;

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

pub(crate) struct Composer {
    black: Picture,
    watermarks: Vec<Watermark>,
    /// The last picture with its watermarks, for a source that stands still.
    last: Option<(Picture, Picture)>,
    /// What the last dip led through.
    middle: Option<(dsl::Rgb, Picture)>,
}

fn anchor(at: dsl::Anchor) -> codecs::Anchor {
    match at {
        dsl::Anchor::TopLeft => codecs::Anchor::TopLeft,
        dsl::Anchor::Top => codecs::Anchor::Top,
        dsl::Anchor::TopRight => codecs::Anchor::TopRight,
        dsl::Anchor::Left => codecs::Anchor::Left,
        dsl::Anchor::Center => codecs::Anchor::Centre,
        dsl::Anchor::Right => codecs::Anchor::Right,
        dsl::Anchor::BottomLeft => codecs::Anchor::BottomLeft,
        dsl::Anchor::Bottom => codecs::Anchor::Bottom,
        dsl::Anchor::BottomRight => codecs::Anchor::BottomRight,
    }
}

impl Composer {
    /// Loads the channel's watermarks, relative to `base`.
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel, base: &Path) -> Result<Self, String> {
        let watermarks = Self::watermarks(show, channel, base)?;
        let black = PictureMut::filled(show.video.size, Rgb::new(0, 0, 0)).map_err(|e| e.to_string())?;
        Ok(Self { black: black.freeze(), watermarks, last: None, middle: None })
    }

    /// The channel's watermarks, read and drawn.
    pub(crate) fn watermarks(
        show: &dsl::Show,
        channel: &dsl::Channel,
        base: &Path,
    ) -> Result<Vec<Watermark>, String> {
        let mut watermarks = Vec::new();
        for name in &channel.watermarks {
            let model = show.watermarks.iter().find(|w| w.name == *name);
            let model = model.ok_or_else(|| format!("there is no watermark {name}"))?;
            let owner = format!("watermark {name}");
            let path = keys::path(&model.image, base, &owner).map_err(|e| e.to_string())?;
            let bytes = std::fs::read(&path).map_err(|e| format!("{owner}: {}: {e}", path.display()))?;
            let placement =
                Placement { anchor: anchor(model.at), margin: model.margin, opacity: model.opacity };
            let watermark = Watermark::load(&bytes, show.video.size, placement);
            watermarks.push(watermark.map_err(|e| format!("{owner}: {}: {e}", path.display()))?);
        }
        Ok(watermarks)
    }

    /// Other watermarks from the next picture on.
    pub(crate) fn mark_with(&mut self, watermarks: Vec<Watermark>) {
        self.watermarks = watermarks;
        self.last = None;
    }

    pub(crate) fn compose(&mut self, layers: &Layers) -> Result<Picture, CodecError> {
        let or_black = |seen: &Option<Seen>| match seen {
            Some(seen) => seen.picture(),
            None => Ok(self.black.clone()),
        };
        match layers {
            Layers::One(picture) => {
                let picture = or_black(picture)?;
                if self.watermarks.is_empty() {
                    return Ok(picture);
                }
                if let Some((bare, marked)) = &self.last
                    && bare.ptr_eq(&picture)
                {
                    return Ok(marked.clone());
                }
                let marked = self.mark(picture.to_mut()?)?;
                self.last = Some((picture, marked.clone()));
                Ok(marked)
            }
            Layers::Mix { from, to, blend, step, of } => {
                let (from, to) = (or_black(from)?, or_black(to)?);
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
                self.mark(mixed)
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

    fn mark(&self, mut picture: PictureMut) -> Result<Picture, CodecError> {
        for watermark in &self.watermarks {
            watermark.blend(&mut picture)?;
        }
        Ok(picture.freeze())
    }
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
