//! Where a scene's boxes stand on the canvas: layouts worked out into pixels.

use media::{Rect, Size};
use serde::{Deserialize, Serialize};

use crate::model::{Crop, Fit, Length, MOST_BOXES, Scene, SceneBox, Show, Spot, StockLayout};

/// A part of the canvas before it is rounded to pixels: in 1/64 pixel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct Area {
    pub left: i32,
    pub top: i32,
    pub width: i32,
    pub height: i32,
}

impl Area {
    /// Parts of a pixel.
    pub const UNIT: i32 = 64;

    /// All of the canvas.
    pub fn whole(canvas: Size) -> Self {
        let (width, height) = units(canvas);
        Self { left: 0, top: 0, width, height }
    }

    /// Where a spot is on the canvas.
    pub fn of(spot: Spot, canvas: Size) -> Self {
        Self {
            left: length(spot.at.0, canvas.width),
            top: length(spot.at.1, canvas.height),
            width: length(spot.size.0, canvas.width),
            height: length(spot.size.1, canvas.height),
        }
    }

    /// The pixels it covers: whole chroma samples, within the canvas.
    fn pixels(self, canvas: Size) -> Rect {
        // To the nearest even pixel, so that areas that touch still do.
        let even = |at: i32, most: u32| {
            let twice = Self::UNIT * 2;
            let pairs = at.saturating_add(Self::UNIT).div_euclid(twice).max(0);
            u32::try_from(pairs).unwrap_or(0).saturating_mul(2).min(most & !1)
        };
        let (x, y) = (even(self.left, canvas.width), even(self.top, canvas.height));
        let right = even(self.left.saturating_add(self.width), canvas.width).max(x);
        let bottom = even(self.top.saturating_add(self.height), canvas.height).max(y);
        Rect { x, y, size: Size::new(right - x, bottom - y) }
    }
}

fn units(canvas: Size) -> (i32, i32) {
    let side = |side: u32| i32::try_from(side.min(16_384)).unwrap_or(0) * Area::UNIT;
    (side(canvas.width), side(canvas.height))
}

/// A length in 1/64 pixel, where `whole` pixels are 100 %.
fn length(length: Length, whole: u32) -> i32 {
    let units = match length {
        Length::Pixels(pixels) => u64::from(pixels) * Area::UNIT as u64,
        Length::Percent(percent) => {
            (u64::from(whole) * Area::UNIT as u64 * u64::from(percent) + 50_000) / 100_000
        }
    };
    i32::try_from(units.min(1 << 24)).unwrap_or(0)
}

/// Where a box stands in a layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stand {
    /// Its part of the canvas.
    pub area: Area,
    /// How its picture is fitted in.
    pub fit: Fit,
    /// The higher one stands before the lower one.
    pub z: u8,
}

impl StockLayout {
    /// The parts of the canvas for so many boxes; a box without one is not there.
    pub fn areas(self, count: usize, canvas: Size) -> Vec<Area> {
        let count = i32::try_from(count.min(MOST_BOXES)).unwrap_or(0);
        let (width, height) = units(canvas);
        match self {
            Self::SideBySide => (0..count)
                .map(|n| {
                    let (left, right) = (width * n / count, width * (n + 1) / count);
                    Area { left, top: 0, width: right - left, height }
                })
                .collect(),
            Self::Full => (0..count.min(1)).map(|_| Area::whole(canvas)).collect(),
            Self::Pip => pip(count, canvas),
            Self::Grid => grid(count, width, height),
        }
    }
}

fn pip(count: i32, canvas: Size) -> Vec<Area> {
    let (width, height) = units(canvas);
    // Of the smaller side: a row of them has room on a tall canvas, too.
    let margin = width.min(height) / 25;
    let small = (count - 1).max(1);
    // A quarter of the canvas each way, or less where so many would not stand in a row.
    let across = (width / 4).min((width - margin) / small - margin).max(0);
    let down = i32::try_from(i64::from(across) * i64::from(height) / i64::from(width.max(1))).unwrap_or(0);
    let one = |n: i32| match n {
        0 => Area::whole(canvas),
        n => Area {
            left: width - n * (across + margin),
            top: height - margin - down,
            width: across,
            height: down,
        },
    };
    (0..count).map(one).collect()
}

fn grid(count: i32, width: i32, height: i32) -> Vec<Area> {
    let columns = (1..).find(|side| side * side >= count).unwrap_or(1);
    let rows = (count + columns - 1) / columns.max(1);
    let one = |n: i32| {
        let (row, column) = (n / columns, n % columns);
        // The last row may be short: it stands in the middle.
        let in_row = (count - row * columns).min(columns);
        let inset = (columns - in_row) * width / columns / 2;
        let (left, right) = (width * column / columns, width * (column + 1) / columns);
        let (top, bottom) = (height * row / rows, height * (row + 1) / rows);
        Area { left: left + inset, top, width: right - left, height: bottom - top }
    };
    (0..count).map(one).collect()
}

impl Show {
    /// Where the boxes of a scene stand in a layout, in the order of the scene; `None` for one
    /// that is not there. `None` at all if there is no such layout.
    pub fn stands(&self, scene: &Scene, layout: &str) -> Option<Vec<Option<Stand>>> {
        let canvas = self.video.size;
        let free = scene.boxes.iter().filter(|part| part.pin.is_none()).count();
        let stock = StockLayout::named(layout).map(|stock| stock.areas(free, canvas));
        let own = self.layouts.iter().find(|own| own.name == layout);
        if stock.is_none() && own.is_none() {
            return None;
        }
        let place = |number: usize| match (&stock, own) {
            (Some(areas), _) => {
                areas.get(number).map(|area| Stand { area: *area, fit: Fit::default(), z: 0 })
            }
            (None, own) => {
                let place = own?.places.iter().find(|place| usize::from(place.number) == number + 1)?;
                let area = Area::of(place.spot, canvas);
                Some(Stand { area, fit: place.fit.unwrap_or_default(), z: place.z.unwrap_or(0) })
            }
        };
        let mut number = 0;
        let stand = |part: &SceneBox| {
            let stand = match part.pin {
                Some(spot) => Some(Stand { area: Area::of(spot, canvas), fit: Fit::default(), z: 0 }),
                None => {
                    number += 1;
                    place(number - 1)
                }
            };
            let say = |stand: Stand| Stand {
                area: stand.area,
                fit: part.fit.unwrap_or(stand.fit),
                z: part.z.unwrap_or(stand.z),
            };
            stand.map(say)
        };
        Some(scene.boxes.iter().map(stand).collect())
    }

    /// The layouts a scene can be given, stock ones first.
    pub fn scene_layouts(&self) -> impl Iterator<Item = &str> {
        StockLayout::WORDS.into_iter().chain(self.layouts.iter().map(|layout| layout.name.as_str()))
    }
}

/// A box as it is drawn: pixels of the canvas, all of them even, so that chroma goes with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Framed {
    /// The box with its border.
    pub outer: Rect,
    /// Where the picture stands.
    pub inner: Rect,
    /// The part of the camera's picture that is seen there; that picture is as large as the canvas.
    pub window: Rect,
}

/// The smallest picture that is drawn, each way.
pub const LEAST_SIDE: u32 = 16;

impl Framed {
    /// A box drawn at `area`; `None` where no picture would be left.
    pub fn new(area: Area, fit: Fit, crop: Crop, border: u32, canvas: Size) -> Option<Self> {
        let bounds = area.pixels(canvas);
        let border = border.div_ceil(2) * 2;
        let room = inset(bounds, border)?;
        let whole = cropped(crop, canvas)?;
        let (inner, window) = match fit {
            Fit::Stretch => (room, whole),
            Fit::Contain => (shaped(room, whole.size), whole),
            Fit::Cover => (room, shaped(whole, room.size)),
        };
        let framed = Self { outer: bordered(inner, border), inner, window };
        framed.is_drawn().then_some(framed)
    }

    /// Whether there is enough of it to be drawn; on its way a box may be too small.
    pub const fn is_drawn(self) -> bool {
        let (drawn, seen) = (self.inner.size, self.window.size);
        drawn.width >= LEAST_SIDE
            && drawn.height >= LEAST_SIDE
            && seen.width >= LEAST_SIDE
            && seen.height >= LEAST_SIDE
    }

    /// Its middle, without an extent: what grows from there, or shrinks to it.
    #[must_use]
    pub const fn middle(self) -> Self {
        let Rect { x, y, size } = self.inner;
        let (x, y) = (x + size.width / 4 * 2, y + size.height / 4 * 2);
        let inner = Rect { x, y, size: Size::new(0, 0) };
        Self { outer: inner, inner, window: self.window }
    }

    /// `num / den` of the way to `to`, whose border it has.
    #[must_use]
    pub fn towards(self, to: Self, num: u64, den: u64) -> Self {
        let inner = between(self.inner, to.inner, num, den);
        let border = to.inner.x.saturating_sub(to.outer.x);
        // What is smaller than its border is not drawn, and may be anywhere.
        let border = border.min(inner.x).min(inner.y);
        Self { outer: bordered(inner, border), inner, window: between(self.window, to.window, num, den) }
    }
}

fn bordered(inner: Rect, border: u32) -> Rect {
    let size = Size::new(inner.size.width + 2 * border, inner.size.height + 2 * border);
    Rect { x: inner.x - border, y: inner.y - border, size }
}

/// `num / den` of the way from one box to another; even, as they are.
fn between(from: Rect, to: Rect, num: u64, den: u64) -> Rect {
    let (num, den) = (i128::from(num.min(den)), i128::from(den.max(1)));
    let edge = |from: u32, to: u32| {
        let (from, to) = (i128::from(from), i128::from(to));
        // To the nearest even number.
        let pairs = (from * den + (to - from) * num + den).div_euclid(2 * den);
        u32::try_from(pairs * 2).unwrap_or(0)
    };
    let (x, y) = (edge(from.x, to.x), edge(from.y, to.y));
    let right = edge(from.right(), to.right()).max(x);
    let bottom = edge(from.bottom(), to.bottom()).max(y);
    Rect { x, y, size: Size::new(right - x, bottom - y) }
}

fn inset(rect: Rect, border: u32) -> Option<Rect> {
    let width = rect.size.width.checked_sub(2 * border)?;
    let height = rect.size.height.checked_sub(2 * border)?;
    Some(Rect { x: rect.x + border, y: rect.y + border, size: Size::new(width, height) })
}

/// What a crop leaves of a picture.
fn cropped(crop: Crop, canvas: Size) -> Option<Rect> {
    let (width, height) = units(canvas);
    let (left, right) = (length(crop.left, canvas.width), length(crop.right, canvas.width));
    let (top, bottom) = (length(crop.top, canvas.height), length(crop.bottom, canvas.height));
    let area = Area { left, top, width: width - left - right, height: height - top - bottom };
    (area.width > 0 && area.height > 0).then(|| area.pixels(canvas))
}

/// The largest part of `room` that has the shape of `shape`, in its middle.
fn shaped(room: Rect, shape: Size) -> Rect {
    let (wide, high) = (u64::from(shape.width.max(1)), u64::from(shape.height.max(1)));
    let (rw, rh) = (u64::from(room.size.width), u64::from(room.size.height));
    let even = |num: u64, den: u64, most: u32| {
        let half = (num + den) / (2 * den);
        u32::try_from(half * 2).unwrap_or(most).min(most)
    };
    let size = if wide * rh >= high * rw {
        Size::new(room.size.width, even(rw * high, wide, room.size.height))
    } else {
        Size::new(even(rh * wide, high, room.size.width), room.size.height)
    };
    Rect {
        x: room.x + (room.size.width - size.width) / 4 * 2,
        y: room.y + (room.size.height - size.height) / 4 * 2,
        size,
    }
}

#[cfg(test)]
mod tests;
