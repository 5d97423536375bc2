//! Scaling, fitting, turning: what must stay where.

use codecs::{Conform, Filter, Picture, PictureMut, Plane, Rgb, Rotation, Scaler, Yuv};
use media::Size;
use proptest::prelude::*;

use crate::pattern;

fn at(picture: &Picture, plane: Plane, x: usize, y: usize) -> u8 {
    picture.plane(plane).row(y)[x]
}

#[test]
fn a_right_picture_is_passed_on() {
    let picture = pattern::picture(Size::new(64, 36), 3).freeze();
    assert!(Scaler::new(Size::new(64, 36), Filter::Bilinear).scale(&picture).unwrap().ptr_eq(&picture));
    assert!(Conform::new(Size::new(64, 36), Filter::Bicubic).conform(&picture).unwrap().ptr_eq(&picture));
}

#[test]
fn half_the_size_is_the_same_picture() {
    let (large, small) = (Size::new(640, 360), Size::new(320, 180));
    let picture = pattern::picture(large, 9).freeze();
    for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Area] {
        let scaled = Scaler::new(small, filter).scale(&picture).unwrap();
        let db = pattern::psnr(&scaled, &pattern::picture(small, 9).freeze());
        assert!(db > 30.0, "{db} dB with {filter:?}");
    }
}

#[test]
fn the_input_may_change() {
    let mut scaler = Scaler::new(Size::new(100, 50), Filter::Bilinear);
    for size in
        [Size::new(64, 64), Size::new(1, 1), Size::new(333, 111), Size::new(64, 64), Size::new(2, 500)]
    {
        let scaled =
            scaler.scale(&PictureMut::filled(size, Rgb::new(200, 30, 90)).unwrap().freeze()).unwrap();
        let want = Yuv::from(Rgb::new(200, 30, 90));
        for (plane, want) in Plane::ALL.into_iter().zip([want.y, want.u, want.v]) {
            assert!(scaled.plane(plane).rows().flatten().all(|p| p.abs_diff(want) <= 1), "from {size}");
        }
    }
}

#[test]
fn a_narrow_picture_stands_between_black_bars() {
    let canvas = Size::new(160, 90);
    let red = PictureMut::filled(Size::new(60, 60), Rgb::new(255, 0, 0)).unwrap().freeze();
    let out = Conform::new(canvas, Filter::Bicubic).conform(&red).unwrap();
    let red = Yuv::from(Rgb::new(255, 0, 0));
    // 90 wide, from 34 to 124.
    for (x, want) in [(0, 16), (33, 16), (34, red.y), (123, red.y), (124, 16), (159, 16)] {
        for y in [0, 44, 89] {
            assert!(
                at(&out, Plane::Y, x, y).abs_diff(want) <= 1,
                "({x}, {y}) is {}",
                at(&out, Plane::Y, x, y)
            );
        }
    }
    for (x, want) in [(0, 128), (16, 128), (17, red.v), (61, red.v), (62, 128), (79, 128)] {
        assert!(at(&out, Plane::V, x, 20).abs_diff(want) <= 1, "{x} is {}", at(&out, Plane::V, x, 20));
    }
}

#[test]
fn a_turned_picture_is_set_upright() {
    // Left half dark, right half bright, as it lies in memory.
    let mut lying = PictureMut::filled(Size::new(80, 40), Yuv::new(40, 90, 160)).unwrap();
    for row in lying.plane_mut(Plane::Y).rows_mut() {
        row[40..].fill(200);
    }
    let lying = lying.freeze();
    let seen = |turn: Rotation, canvas: Size| {
        let out = Conform::new(canvas, Filter::Bilinear).turned(turn).conform(&lying).unwrap();
        let (w, h) = (canvas.width as usize, canvas.height as usize);
        let middle = [(w / 2, 2), (w - 3, h / 2), (w / 2, h - 3), (2, h / 2)];
        assert!(out.plane(Plane::U).rows().flatten().all(|&p| p.abs_diff(90) <= 1));
        middle.map(|(x, y)| at(&out, Plane::Y, x, y) > 120)
    };
    // Bright at: top, right, bottom, left.
    assert!(seen(Rotation::None, Size::new(80, 40))[1] && !seen(Rotation::None, Size::new(80, 40))[3]);
    let quarter = seen(Rotation::Quarter, Size::new(40, 80));
    assert!(!quarter[0] && quarter[2], "clockwise, what was right is at the bottom");
    let half = seen(Rotation::Half, Size::new(80, 40));
    assert!(!half[1] && half[3]);
    let three = seen(Rotation::ThreeQuarters, Size::new(40, 80));
    assert!(three[0] && !three[2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_picture_fits_any_canvas(w in 1u32..200, h in 1u32..200, cw in 1u32..100, ch in 1u32..100,
                                   turn in prop::sample::select(vec![Rotation::None, Rotation::Quarter, Rotation::Half])) {
        let canvas = Size::new(cw * 2, ch * 2);
        let white = PictureMut::filled(Size::new(w, h), Yuv::WHITE).unwrap().freeze();
        let out = Conform::new(canvas, Filter::Bicubic).turned(turn).conform(&white).unwrap();
        prop_assert_eq!(out.size(), canvas);
        // White about the middle, black or white and nothing else anywhere.
        let near = |x: u32| [x.saturating_sub(2), x - 1, x].map(|x| x as usize);
        let middle = near(cw).into_iter().flat_map(|x| near(ch).map(|y| at(&out, Plane::Y, x, y)));
        prop_assert!(middle.max() >= Some(233));
        for plane in [Plane::U, Plane::V] {
            let off = out.plane(plane).rows().flatten().map(|p| p.abs_diff(128)).max();
            // swscale rounds a little off where many pixels become one.
            prop_assert!(off <= Some(2), "chroma is off by {:?}", off);
        }
        prop_assert!(out.plane(Plane::Y).rows().flatten().all(|&p| p <= 18 || p >= 233));
        let (w, h) = if turn == Rotation::Quarter { (h, w) } else { (w, h) };
        let share = out.plane(Plane::Y).rows().flatten().filter(|&&p| p >= 233).count() as f64;
        let scale = (f64::from(canvas.width) / f64::from(w)).min(f64::from(canvas.height) / f64::from(h));
        let want = f64::from(w) * scale * f64::from(h) * scale;
        let edge = 2.0 * f64::from(canvas.width.max(canvas.height));
        prop_assert!((share - want).abs() <= edge, "{} white pixels for {}", share, want);
    }
}
