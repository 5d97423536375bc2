use proptest::prelude::*;

use super::*;

const CANVAS: Size = Size::new(160, 90 + 6);

/// A picture in which every pixel differs from its neighbours.
fn noise(seed: u32, size: Size) -> Picture {
    let mut picture = PictureMut::new(size).unwrap();
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    for mut plane in picture.planes_mut() {
        for row in plane.rows_mut() {
            for sample in row {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *sample = 16 + (state >> 24) as u8 % 200;
            }
        }
    }
    picture.freeze()
}

fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect { x, y, size: Size::new(width, height) }
}

fn tile(slot: u8, inner: Rect, picture: Option<Picture>) -> Tile {
    let colour = Rgb::new(200, 10 + slot, 30);
    Tile { slot, outer: inner, inner, window: Rect::whole(CANVAS), picture, colour }
}

fn samples(picture: &Picture) -> Vec<u8> {
    Plane::ALL.into_iter().flat_map(|plane| picture.plane(plane).rows().flatten().copied()).collect()
}

fn slow(tiles: &[Tile]) -> Vec<u8> {
    samples(&compose_scalar(CANVAS, BACK, tiles).unwrap().freeze())
}

const BACK: Rgb = Rgb::new(10, 20, 120);

fn even(most: u32) -> impl Strategy<Value = u32> {
    (0..=most / 2).prop_map(|half| half * 2)
}

/// An even box of at least 16 pixels within `within`.
fn part(within: Size) -> impl Strategy<Value = Rect> {
    (even(within.width - 16), even(within.height - 16)).prop_flat_map(move |(x, y)| {
        (even(within.width - 16 - x), even(within.height - 16 - y))
            .prop_map(move |(w, h)| rect(x, y, w + 16, h + 16))
    })
}

fn tiles() -> impl Strategy<Value = Vec<Tile>> {
    let one = (part(CANVAS), part(CANVAS), even(6), prop::option::of(0u32..3));
    prop::collection::vec(one, 0..6).prop_map(|list| {
        let made = list.into_iter().enumerate().map(|(slot, (outer, window, border, seed))| {
            let Rect { x, y, size } = outer;
            let border = border.min((size.width.min(size.height) - 16) / 4 * 2);
            let inner = rect(x + border, y + border, size.width - 2 * border, size.height - 2 * border);
            let picture = seed.map(|seed| noise(seed, CANVAS));
            let colour = Rgb::new(slot as u8 * 40, 90, 200);
            Tile { slot: slot as u8, outer, inner, window, picture, colour }
        });
        made.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn composed_as_by_the_slow_twin(scenes in prop::collection::vec(tiles(), 1..4)) {
        let mut composer = SceneComposer::new(CANVAS);
        for tiles in &scenes {
            // Twice: the second time from what is kept.
            for _ in 0..2 {
                let fast = composer.compose(BACK, tiles).unwrap();
                prop_assert!(samples(&fast) == slow(tiles), "{tiles:?}");
            }
        }
    }

    #[test]
    fn every_pixel_belongs_to_one_piece(tiles in tiles()) {
        let pieces = pieces(CANVAS, &tiles);
        let mut count = vec![0u8; CANVAS.area() as usize];
        for piece in &pieces {
            prop_assert!(piece.rect.is_even());
            for y in piece.rect.y..piece.rect.bottom() {
                for x in piece.rect.x..piece.rect.right() {
                    count[(y * CANVAS.width + x) as usize] += 1;
                }
            }
        }
        prop_assert!(count.iter().all(|n| *n == 1));
    }
}

#[test]
fn what_stands_still_is_the_same_picture() {
    let (a, b) = (noise(1, CANVAS), noise(2, CANVAS));
    let tiles = |a: &Picture| {
        [tile(0, rect(0, 0, 80, 48), Some(a.clone())), tile(1, rect(80, 0, 80, 48), Some(b.clone()))]
    };
    let mut composer = SceneComposer::new(CANVAS);
    let first = composer.compose(BACK, &tiles(&a)).unwrap();
    assert!(first.ptr_eq(&composer.compose(BACK, &tiles(&a)).unwrap()));
    // One box's picture is new: the other is not scaled again.
    let kept = composer.slots[1].scaled.as_ref().unwrap().to.clone();
    let next = composer.compose(BACK, &tiles(&noise(3, CANVAS))).unwrap();
    assert!(!first.ptr_eq(&next));
    assert!(kept.ptr_eq(&composer.slots[1].scaled.as_ref().unwrap().to));
    let other_colour = composer.compose(Rgb::new(0, 0, 0), &tiles(&noise(3, CANVAS))).unwrap();
    assert!(samples(&other_colour) != samples(&next));
}

#[test]
fn what_is_hidden_is_not_scaled_and_what_is_whole_is_not_copied() {
    let (back, front) = (noise(1, CANVAS), noise(2, CANVAS));
    let mut composer = SceneComposer::new(CANVAS);
    let tiles =
        [tile(0, rect(20, 20, 40, 40), Some(back)), tile(1, Rect::whole(CANVAS), Some(front.clone()))];
    let picture = composer.compose(BACK, &tiles).unwrap();
    assert!(picture.ptr_eq(&front));
    assert!(composer.slots.is_empty());
}

#[test]
fn boxes_that_cannot_be_are_refused() {
    let mut composer = SceneComposer::new(CANVAS);
    let picture = noise(1, CANVAS);
    let mut compose = |tile: Tile| composer.compose(BACK, &[tile]).map(|_| ());
    let good = tile(0, rect(0, 0, 80, 48), Some(picture.clone()));
    compose(good.clone()).unwrap();
    for bad in [rect(1, 0, 80, 48), rect(100, 0, 80, 48), rect(0, 0, 0, 48), rect(u32::MAX - 1, 0, 4, 4)] {
        assert!(compose(Tile { outer: bad, inner: bad, ..good.clone() }).is_err(), "{bad:?}");
        assert!(compose(Tile { window: bad, ..good.clone() }).is_err(), "{bad:?}");
    }
    let outside = Tile { outer: rect(0, 0, 40, 40), ..good };
    assert!(compose(outside).is_err());
}

#[test]
fn a_large_picture_fits_a_small_box() {
    let large = Size::new(4096, 2160);
    let white = PictureMut::filled(large, Rgb::new(255, 255, 255)).unwrap().freeze();
    let mut composer = SceneComposer::new(CANVAS);
    let small = Tile { window: Rect::whole(large), ..tile(0, rect(0, 0, 16, 16), Some(white)) };
    let picture = composer.compose(BACK, &[small]).unwrap();
    assert_eq!(picture.plane(Plane::Y).row(8)[8], 235);
}
