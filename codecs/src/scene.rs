//! Several pictures in one: the boxes of a scene on its canvas.
//!
//! Every pixel is written once: what is seen of each box is worked out first, and a box of which
//! nothing is seen is not scaled. A box is scaled again only when its picture or its place is
//! another; a scene in which nothing has changed is the very same picture as before.
//!
//! ```
//! use codecs::{PictureMut, Plane, Rgb, SceneComposer, Tile};
//! use media::{Rect, Size};
//!
//! let canvas = Size::new(64, 36);
//! let white = PictureMut::filled(canvas, Rgb::new(255, 255, 255))?.freeze();
//! let right = Rect { x: 32, y: 10, size: Size::new(32, 18) };
//! let tile = Tile {
//!     slot: 0,
//!     outer: right,
//!     inner: right,
//!     window: Rect::whole(canvas),
//!     picture: Some(white),
//!     colour: Rgb::new(0, 0, 0),
//! };
//! let picture = SceneComposer::new(canvas).compose(Rgb::new(0, 0, 0), &[tile])?;
//! let row = picture.plane(Plane::Y).row(20);
//! assert_eq!((row[31], row[32]), (16, 235));
//! # Ok::<(), codecs::CodecError>(())
//! ```

mod visible;

use media::{Rect, Size};

use crate::colour::{Rgb, Yuv};
use crate::error::CodecError;
use crate::ffmpeg::{Filter, Lines, Sws};
use crate::picture::{Picture, PictureMut, PixelFormat, Plane, PlaneMut};
use crate::scale::{is_canvas_colour, recolour};
use visible::{Piece, pieces};

/// A box with its picture.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Which box of the scene it is: what was scaled for it is kept under this number.
    pub slot: u8,
    /// The box with its border; as the others even and on the canvas.
    pub outer: Rect,
    /// Where the picture stands, within `outer`.
    pub inner: Rect,
    /// The part of the picture that is seen there.
    pub window: Rect,
    /// The picture; `None` is an empty box, in its colour.
    pub picture: Option<Picture>,
    /// The border's colour, and an empty box's.
    pub colour: Rgb,
}

impl Tile {
    fn shape(&self) -> Shape {
        let Self { outer, inner, window, picture, colour, .. } = self;
        Shape { outer: *outer, inner: *inner, window: *window, filled: picture.is_some(), colour: *colour }
    }

    /// Says what is wrong with its boxes.
    fn check(&self, canvas: Size) -> Result<(), CodecError> {
        let legal = |rect: Rect, within: Size| rect.is_even() && rect.fits_in(within) && rect.size.area() > 0;
        let Rect { x, y, .. } = self.inner;
        let inside = x >= self.outer.x
            && y >= self.outer.y
            && self.inner.right() <= self.outer.right()
            && self.inner.bottom() <= self.outer.bottom();
        if !legal(self.outer, canvas) || !legal(self.inner, canvas) || !inside {
            return Err(CodecError::Setting {
                codec: "scene",
                name: "box",
                got: format!("{} at {x},{y} in {}", self.inner.size, self.outer.size),
                legal: format!("even boxes on the canvas of {canvas}, the picture's within the border's")
                    .into(),
            });
        }
        let Some(picture) = &self.picture else { return Ok(()) };
        if !legal(self.window, picture.size()) {
            return Err(CodecError::PictureSize { got: self.window.size, want: picture.size() });
        }
        if picture.format() != PixelFormat::Yuv420p {
            return Err(CodecError::PictureFormat { got: picture.format(), want: PixelFormat::Yuv420p });
        }
        Ok(())
    }

    /// Its picture as it is, if that needs no scaling.
    fn plain(&self) -> Option<&Picture> {
        let fits = self.window.size == self.inner.size;
        self.picture.as_ref().filter(|picture| fits && is_canvas_colour(picture))
    }
}

/// What of a tile decides where things are seen.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    outer: Rect,
    inner: Rect,
    window: Rect,
    filled: bool,
    colour: Rgb,
}

/// What was scaled for a box last.
struct Slot {
    sws: Sws,
    scaled: Option<Scaled>,
}

struct Scaled {
    from: Picture,
    window: Rect,
    to: Picture,
}

/// What was composed last.
struct Last {
    background: Rgb,
    shapes: Vec<Shape>,
    pieces: Vec<Piece>,
    /// The pictures of the boxes that are seen, in their order.
    pictures: Vec<Option<Picture>>,
    picture: Option<Picture>,
}

/// Composes the pictures of one scene.
pub struct SceneComposer {
    canvas: Size,
    slots: Vec<Slot>,
    last: Last,
}

impl SceneComposer {
    /// For a canvas of this size.
    pub const fn new(canvas: Size) -> Self {
        let last = Last {
            background: Rgb::new(0, 0, 0),
            shapes: Vec::new(),
            pieces: Vec::new(),
            pictures: Vec::new(),
            picture: None,
        };
        Self { canvas, slots: Vec::new(), last }
    }

    /// The tiles over the background, the first at the back.
    ///
    /// # Errors
    /// A box that is odd or off the canvas, a picture that is not 4:2:0, or no memory.
    pub fn compose(&mut self, background: Rgb, tiles: &[Tile]) -> Result<Picture, CodecError> {
        tiles.iter().try_for_each(|tile| tile.check(self.canvas))?;
        let same_shape = self.last.background == background
            && self.last.shapes.len() == tiles.len()
            && self.last.shapes.iter().zip(tiles).all(|(shape, tile)| *shape == tile.shape())
            && !self.last.pieces.is_empty();
        if !same_shape {
            self.last.background = background;
            self.last.shapes.clear();
            self.last.shapes.extend(tiles.iter().map(Tile::shape));
            self.last.pieces = pieces(self.canvas, tiles);
            self.last.picture = None;
        }
        if let Some(picture) = self.last.picture.as_ref().filter(|_| self.is_still(tiles)) {
            return Ok(picture.clone());
        }
        let picture = self.paint(background, tiles)?;
        self.last.pictures.clear();
        self.last.pictures.extend(tiles.iter().map(|tile| tile.picture.clone()));
        self.last.picture = Some(picture.clone());
        Ok(picture)
    }

    /// Whether every box shows the very picture it showed last.
    fn is_still(&self, tiles: &[Tile]) -> bool {
        let same = |(before, now): (&Option<Picture>, &Tile)| match (before, &now.picture) {
            (Some(before), Some(now)) => before.ptr_eq(now),
            (None, None) => true,
            _ => false,
        };
        self.last.pictures.len() == tiles.len() && self.last.pictures.iter().zip(tiles).all(same)
    }

    fn paint(&mut self, background: Rgb, tiles: &[Tile]) -> Result<Picture, CodecError> {
        // One box that is all of the picture is the picture.
        if let [Piece { rect, paint: visible::Paint::Picture(tile) }] = self.last.pieces[..]
            && rect == Rect::whole(self.canvas)
            && let Some(tile) = tiles.get(tile)
            && tile.inner == rect
            && let Some(plain) = tile.plain().filter(|plain| plain.size() == self.canvas)
        {
            return Ok(plain.clone());
        }
        let mut seen = vec![false; tiles.len()];
        for piece in &self.last.pieces {
            if let visible::Paint::Picture(tile) = piece.paint
                && let Some(seen) = seen.get_mut(tile)
            {
                *seen = true;
            }
        }
        let mut sources = Vec::with_capacity(tiles.len());
        for (tile, seen) in tiles.iter().zip(seen) {
            sources.push(if seen { self.source(tile)? } else { None });
        }
        let mut out = PictureMut::new(self.canvas)?;
        let mut planes = out.planes_mut();
        for piece in &self.last.pieces {
            match piece.paint {
                visible::Paint::Background => fill(&mut planes, piece.rect, background),
                visible::Paint::Colour(tile) => {
                    let colour = tiles.get(tile).map_or(background, |tile| tile.colour);
                    fill(&mut planes, piece.rect, colour);
                }
                visible::Paint::Picture(tile) => {
                    if let (Some(Some((from, x, y))), Some(tile)) = (sources.get(tile), tiles.get(tile)) {
                        let (dx, dy) = (piece.rect.x - tile.inner.x, piece.rect.y - tile.inner.y);
                        copy(&mut planes, piece.rect, from, (x + dx, y + dy));
                    }
                }
            }
        }
        Ok(out.freeze())
    }

    /// What a tile's pixels are copied from, and where there they begin.
    fn source(&mut self, tile: &Tile) -> Result<Option<(Picture, u32, u32)>, CodecError> {
        let Some(picture) = &tile.picture else { return Ok(None) };
        if let Some(plain) = tile.plain() {
            return Ok(Some((plain.clone(), tile.window.x, tile.window.y)));
        }
        let at = usize::from(tile.slot);
        while self.slots.len() <= at {
            self.slots.push(Slot { sws: Sws::new(Filter::Bilinear), scaled: None });
        }
        let Some(slot) = self.slots.get_mut(at) else { return Ok(None) };
        let size = tile.inner.size;
        if let Some(kept) = &slot.scaled
            && kept.from.ptr_eq(picture)
            && kept.window == tile.window
            && kept.to.size() == size
        {
            return Ok(Some((kept.to.clone(), 0, 0)));
        }
        let to = scaled(&mut slot.sws, picture, tile.window, size)?;
        slot.scaled = Some(Scaled { from: picture.clone(), window: tile.window, to: to.clone() });
        Ok(Some((to, 0, 0)))
    }
}

fn scaled(sws: &mut Sws, from: &Picture, window: Rect, size: Size) -> Result<Picture, CodecError> {
    let mut to = PictureMut::new(size)?;
    sws.run_part(from.av(), window, Lines::All, to.av_mut(), Rect::whole(size), None)?;
    recolour(from, &mut to);
    Ok(to.freeze())
}

/// A box in the samples of one plane: from, to, across and down.
fn span(rect: Rect, plane: Plane) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let part = |n: u32| if plane == Plane::Y { n as usize } else { n as usize / 2 };
    (part(rect.x)..part(rect.right()), part(rect.y)..part(rect.bottom()))
}

fn fill(planes: &mut [PlaneMut<'_>; 3], rect: Rect, colour: Rgb) {
    let Yuv { y, u, v } = colour.into();
    for ((plane, which), value) in planes.iter_mut().zip(Plane::ALL).zip([y, u, v]) {
        let (columns, rows) = span(rect, which);
        for row in rows {
            if let Some(to) = plane.row_mut(row).get_mut(columns.clone()) {
                to.fill(value);
            }
        }
    }
}

fn copy(planes: &mut [PlaneMut<'_>; 3], rect: Rect, from: &Picture, (x, y): (u32, u32)) {
    for (plane, which) in planes.iter_mut().zip(Plane::ALL) {
        let source = from.plane(which);
        let (columns, rows) = span(rect, which);
        let (there, down) = span(Rect { x, y, size: rect.size }, which);
        for (row, from) in rows.zip(down) {
            if let (Some(to), Some(from)) =
                (plane.row_mut(row).get_mut(columns.clone()), source.row(from).get(there.clone()))
            {
                to.copy_from_slice(from);
            }
        }
    }
}

/// The slow, obvious twin of [`SceneComposer`], kept as its test oracle: every box is scaled, and
/// painted pixel by pixel over those behind it.
///
/// # Errors
/// As [`SceneComposer::compose`].
pub fn compose_scalar(canvas: Size, background: Rgb, tiles: &[Tile]) -> Result<PictureMut, CodecError> {
    let mut out = PictureMut::filled(canvas, background)?;
    for tile in tiles {
        tile.check(canvas)?;
        let picture = match &tile.picture {
            Some(picture) => {
                let mut part = PictureMut::new(tile.window.size)?;
                copy(
                    &mut part.planes_mut(),
                    Rect::whole(tile.window.size),
                    picture,
                    (tile.window.x, tile.window.y),
                );
                let mut scaler = crate::Scaler::new(tile.inner.size, Filter::Bilinear);
                Some(scaler.scale(&part.freeze())?)
            }
            None => None,
        };
        let colour = Yuv::from(tile.colour);
        for (plane, colour) in Plane::ALL.into_iter().zip([colour.y, colour.u, colour.v]) {
            let (outer, inner) = (span(tile.outer, plane), span(tile.inner, plane));
            let mut to = out.plane_mut(plane);
            for y in outer.1 {
                for x in outer.0.clone() {
                    let inside = inner.0.contains(&x) && inner.1.contains(&y);
                    to.row_mut(y)[x] = match &picture {
                        Some(picture) if inside => {
                            picture.plane(plane).row(y - inner.1.start)[x - inner.0.start]
                        }
                        _ => colour,
                    };
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
