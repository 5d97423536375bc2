//! What is seen of boxes that stand before each other: every pixel belongs to one of them.

use media::{Rect, Size};

use super::Tile;

/// What a piece is painted with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Paint {
    Background,
    /// The colour of this tile.
    Colour(usize),
    /// The picture of this tile.
    Picture(usize),
}

/// A box of the canvas that is painted with one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) rect: Rect,
    pub(super) paint: Paint,
}

/// The canvas in pieces that do not overlap and leave nothing out; tiles go from back to front.
pub(super) fn pieces(canvas: Size, tiles: &[Tile]) -> Vec<Piece> {
    let mut layers = vec![Piece { rect: Rect::whole(canvas), paint: Paint::Background }];
    for (ix, tile) in tiles.iter().enumerate() {
        let paint = if tile.picture.is_some() { Paint::Picture(ix) } else { Paint::Colour(ix) };
        if tile.outer != tile.inner && tile.picture.is_some() {
            layers.push(Piece { rect: tile.outer, paint: Paint::Colour(ix) });
            layers.push(Piece { rect: tile.inner, paint });
        } else {
            layers.push(Piece { rect: tile.outer, paint });
        }
    }
    let mut rows: Vec<u32> = layers.iter().flat_map(|layer| [layer.rect.y, layer.rect.bottom()]).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut pieces: Vec<Piece> = Vec::new();
    for band in rows.windows(2) {
        let &[top, bottom] = band else { continue };
        let there: Vec<&Piece> =
            layers.iter().filter(|layer| layer.rect.y <= top && bottom <= layer.rect.bottom()).collect();
        let mut columns: Vec<u32> =
            there.iter().flat_map(|layer| [layer.rect.x, layer.rect.right()]).collect();
        columns.sort_unstable();
        columns.dedup();
        let begun = pieces.len();
        for cell in columns.windows(2) {
            let &[left, right] = cell else { continue };
            let front = there.iter().rev().find(|layer| layer.rect.x <= left && right <= layer.rect.right());
            let Some(front) = front else { continue };
            let size = Size::new(right - left, bottom - top);
            match pieces.get_mut(begun..).and_then(<[Piece]>::last_mut) {
                Some(before) if before.paint == front.paint => before.rect.size.width += size.width,
                _ => pieces.push(Piece { rect: Rect { x: left, y: top, size }, paint: front.paint }),
            }
        }
    }
    joined(pieces)
}

/// Pieces that go on below each other are one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let above = out.iter_mut().rev().find(|above| {
            above.paint == piece.paint
                && above.rect.bottom() == piece.rect.y
                && above.rect.x == piece.rect.x
                && above.rect.size.width == piece.rect.size.width
        });
        match above {
            Some(above) => above.rect.size.height += piece.rect.size.height,
            None => out.push(piece),
        }
    }
    out
}
