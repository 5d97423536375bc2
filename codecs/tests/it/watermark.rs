//! The watermark: exact, in its place, and nowhere else.

use std::io::Cursor;

use codecs::{Anchor, PictureMut, Placement, Plane, Rgb, Watermark, WatermarkError, Yuv};
use image::{ImageFormat, Rgba, RgbaImage};
use media::Size;
use proptest::prelude::*;

use crate::pattern;

const CANVAS: Size = Size::new(160, 90);

fn png(logo: &RgbaImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    logo.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn place(anchor: Anchor, margin: u32, opacity: f32) -> Placement {
    Placement { anchor, margin, opacity }
}

const ANCHORS: [Anchor; 9] = [
    Anchor::TopLeft,
    Anchor::Top,
    Anchor::TopRight,
    Anchor::Left,
    Anchor::Centre,
    Anchor::Right,
    Anchor::BottomLeft,
    Anchor::Bottom,
    Anchor::BottomRight,
];

#[test]
fn an_opaque_logo_is_in_its_corner() {
    let logo = png(&RgbaImage::from_pixel(20, 10, Rgba([255, 0, 0, 255])));
    let red = Yuv::from(Rgb::new(255, 0, 0));
    let places = [(8, 8), (70, 8), (132, 8), (8, 40), (70, 40), (132, 40), (8, 72), (70, 72), (132, 72)];
    for (anchor, (left, top)) in ANCHORS.into_iter().zip(places) {
        let mark = Watermark::load(&logo, CANVAS, place(anchor, 8, 1.0)).unwrap();
        let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
        mark.blend(&mut picture).unwrap();
        let picture = picture.freeze();
        for (y, row) in picture.plane(Plane::Y).rows().enumerate() {
            for (x, &p) in row.iter().enumerate() {
                let inside = (left..left + 20).contains(&x) && (top..top + 10).contains(&y);
                assert_eq!(p, if inside { red.y } else { 16 }, "{anchor:?} ({x}, {y})");
            }
        }
        assert_eq!(picture.plane(Plane::V).row(top / 2)[left / 2], red.v);
        assert_eq!(picture.plane(Plane::V).row(top / 2)[left / 2 - 1], 128);
    }
}

#[test]
fn half_a_logo_is_half_the_picture() {
    let logo = png(&RgbaImage::from_pixel(16, 16, Rgba([255, 255, 255, 255])));
    let mark = Watermark::load(&logo, CANVAS, place(Anchor::Centre, 0, 0.5)).unwrap();
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    mark.blend(&mut picture).unwrap();
    assert_eq!(picture.plane(Plane::Y).row(45)[80], 126);
}

#[test]
fn what_does_not_fit_is_refused() {
    let logo = png(&RgbaImage::new(100, 50));
    let err = Watermark::load(&logo, CANVAS, place(Anchor::Left, 31, 1.0)).err().unwrap();
    assert_eq!(
        err.to_string(),
        "a watermark of 100x50 with a margin of 31 does not fit on a canvas of 160x90: at most 98x28 would"
    );
    assert!(Watermark::load(&logo, CANVAS, place(Anchor::Left, u32::MAX, 1.0)).is_err());
    let err = Watermark::load(&logo, CANVAS, place(Anchor::Left, 0, 1.5)).err().unwrap();
    assert_eq!(err, WatermarkError::Opacity(1.5));
    assert!(Watermark::load(&logo, CANVAS, place(Anchor::Left, 0, f32::NAN)).is_err());
    let err = Watermark::load(b"no image", CANVAS, place(Anchor::Left, 0, 1.0)).err().unwrap();
    assert!(matches!(err, WatermarkError::Image(_)));
    let err = Watermark::load(&logo, Size::new(161, 90), place(Anchor::Left, 0, 1.0)).err().unwrap();
    assert_eq!(err, WatermarkError::OddCanvas(Size::new(161, 90)));
}

#[test]
fn another_canvas_is_refused() {
    let logo = png(&RgbaImage::new(2, 2));
    let mark = Watermark::load(&logo, CANVAS, place(Anchor::Top, 0, 1.0)).unwrap();
    let err = mark.blend(&mut PictureMut::new(Size::new(80, 45)).unwrap()).unwrap_err();
    assert_eq!(err.to_string(), "a picture of 80x45, where 160x90 is needed");
}

proptest! {
    #[test]
    fn it_is_laid_as_the_slow_twin_lays_it(w in 1u32..40, h in 1u32..40, margin in 0u32..25, opacity in 0f32..=1.0,
                                           anchor in prop::sample::select(ANCHORS.to_vec()), seed in any::<u32>()) {
        let mut state = seed | 1;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let logo = RgbaImage::from_fn(w, h, |x, y| {
            let alpha = if (x + y) % 3 == 0 { 0 } else { next() };
            Rgba([next(), next(), next(), alpha])
        });
        let mark = Watermark::load(&png(&logo), CANVAS, place(anchor, margin, opacity)).unwrap();
        let mut fast = pattern::picture(CANVAS, seed % 50);
        for mut plane in fast.planes_mut() {
            for p in plane.rows_mut().flatten() {
                *p = p.wrapping_add(seed as u8);
            }
        }
        let before = fast.freeze();
        let (mut fast, mut slow) = (before.to_mut().unwrap(), before.to_mut().unwrap());
        mark.blend(&mut fast).unwrap();
        mark.blend_scalar(&mut slow).unwrap();
        let (fast, slow) = (fast.freeze(), slow.freeze());
        prop_assert!(pattern::pixels(&fast) == pattern::pixels(&slow));
        // Nothing changes within the margin, but for the pixel that evens it out.
        let free = margin.saturating_sub(1) as usize;
        for (y, (new, old)) in fast.plane(Plane::Y).rows().zip(before.plane(Plane::Y).rows()).enumerate() {
            if y < free || y >= 90 - free {
                prop_assert_eq!(new, old);
            }
            prop_assert_eq!(&new[..free], &old[..free]);
            prop_assert_eq!(&new[160 - free..], &old[160 - free..]);
        }
    }
}
