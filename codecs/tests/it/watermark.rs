//! What is laid over pictures: exact, in its place, and nowhere else.

use std::io::Cursor;

use codecs::watermark::{Fonts, Lettering, TimeStrip};
use codecs::{Art, Laid, Opacity, PictureMut, Plane, Rgb, Sprite, WatermarkError, Yuv};
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

fn art(logo: &RgbaImage) -> Art {
    Art::read(&png(logo), &Fonts::none()).unwrap()
}

fn sprite(logo: &RgbaImage) -> Sprite {
    let art = art(logo);
    art.draw(art.size()).unwrap()
}

fn at(x: i32, y: i32) -> Laid {
    Laid { x, y, opacity: Opacity::FULL }
}

fn lettering(size: u32) -> Lettering {
    let face = Fonts::system().face().expect("a font: scripts/setup.sh installs one");
    Lettering { face, size, colour: Rgb::new(255, 255, 255), outline: None }
}

/// The box of all luma that differs from black: left, top, right, bottom.
fn ink(picture: &PictureMut) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in picture.plane(Plane::Y).rows().enumerate() {
        for x in row.iter().enumerate().filter(|(_, p)| **p > 40).map(|(x, _)| x) {
            let [l, t, r, b] = found.unwrap_or([x, y, x, y]);
            found = Some([l.min(x), t.min(y), r.max(x), b.max(y)]);
        }
    }
    found
}

#[test]
fn an_opaque_logo_is_where_it_is_laid() {
    let logo = sprite(&RgbaImage::from_pixel(20, 10, Rgba([255, 0, 0, 255])));
    let red = Yuv::from(Rgb::new(255, 0, 0));
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    logo.blend(&mut picture, at(70, 40));
    for (y, row) in picture.plane(Plane::Y).rows().enumerate() {
        for (x, &p) in row.iter().enumerate() {
            let inside = (70..90).contains(&x) && (40..50).contains(&y);
            assert_eq!(p, if inside { red.y } else { 16 }, "({x}, {y})");
        }
    }
    assert_eq!(picture.plane(Plane::V).row(20)[35], red.v);
    assert_eq!(picture.plane(Plane::V).row(20)[34], 128);
    // At an odd place the colour's edge is half of each.
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    logo.blend(&mut picture, at(71, 40));
    assert_eq!(picture.plane(Plane::V).row(20)[35..37], [184, red.v]);
}

#[test]
fn half_a_logo_is_half_the_picture_and_none_is_none() {
    let logo = sprite(&RgbaImage::from_pixel(40, 16, Rgba([255, 255, 255, 255])));
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    logo.blend(&mut picture, Laid { x: 0, y: 0, opacity: Opacity::of_256(128) });
    assert_eq!(picture.plane(Plane::Y).row(5)[5], 126);
    logo.blend(&mut picture, Laid { x: 0, y: 40, opacity: Opacity::of_256(0) });
    assert_eq!(picture.plane(Plane::Y).row(45)[5], 16);
    assert_eq!(Opacity::of_256(9999), Opacity::FULL);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let none = Fonts::none();
    let read = |bytes: &[u8]| Art::read(bytes, &none).err().unwrap();
    assert!(matches!(read(b"no image"), WatermarkError::Image(_)));
    assert!(matches!(read(b"<svg"), WatermarkError::Image(_)));
    assert!(matches!(read(b"<html/>"), WatermarkError::Image(_)));
    let art = art(&RgbaImage::new(2, 2));
    assert_eq!(art.draw(Size::new(0, 5)).err(), Some(WatermarkError::Size(Size::new(0, 5))));
    assert_eq!(art.draw(Size::new(9000, 5)).err(), Some(WatermarkError::Size(Size::new(9000, 5))));
    assert_eq!(Fonts::file(b"no font".to_vec()).err(), Some(WatermarkError::FontFile));
    let said = Fonts::system().named("DejaVu Snas").err().unwrap().to_string();
    assert!(said.starts_with("there is no font \"DejaVu Snas\"; there are: DejaVu Sans"), "{said}");
    let said = none.face().err().unwrap().to_string();
    assert!(said.contains("fonts-dejavu-core"), "{said}");
}

#[test]
fn a_drawing_is_crisp_in_every_size() {
    let svg = b"\n<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect x='5' width='5' height='10' fill='#fff'/></svg>";
    let art = Art::read(svg, &Fonts::none()).unwrap();
    assert_eq!(art.size(), Size::new(10, 10));
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    art.draw(Size::new(80, 80)).unwrap().blend(&mut picture, at(0, 0));
    // No pixel between black and white: it is drawn in this size, not scaled to it.
    assert_eq!(picture.plane(Plane::Y).row(40)[39..41], [16, 235]);
    assert_eq!(ink(&picture), Some([40, 0, 79, 79]));
}

/// As many levels as the reader takes: on the stack of a usual thread they have no room.
#[test]
fn levels_within_levels_are_drawn_and_more_are_refused() {
    let nested = |levels: usize| {
        let (begun, ended) = ("<g opacity='.99'>".repeat(levels), "</g>".repeat(levels));
        let rect = "<rect width='4' height='4' fill='#fff'/>";
        format!("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'>{begun}{rect}{ended}</svg>")
    };
    let art = Art::read(nested(1_000).as_bytes(), &Fonts::none()).unwrap();
    art.draw(Size::new(8, 8)).unwrap();
    assert!(matches!(art.draw(Size::new(1920, 1080)), Err(WatermarkError::Heavy { .. })));
    let refused = Art::read(nested(100_000).as_bytes(), &Fonts::none());
    assert!(matches!(refused, Err(WatermarkError::References(_))));
}

/// In any size but its own a picture was not seen at all.
#[test]
fn a_picture_is_seen_in_every_size() {
    let logo = RgbaImage::from_fn(24, 12, |x, _| match x {
        0..12 => Rgba([255, 255, 255, 255]),
        _ => Rgba([255, 255, 255, 128]),
    });
    for size in [Size::new(6, 3), Size::new(12, 6), Size::new(24, 12), Size::new(48, 24), Size::new(101, 51)]
    {
        let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
        art(&logo).draw(size).unwrap().blend(&mut picture, at(0, 0));
        let luma = |part: u32| {
            picture.plane(Plane::Y).row(size.height as usize / 2)[(size.width * part / 8) as usize]
        };
        assert!(luma(1).abs_diff(235) <= 2, "{size}: {}", luma(1));
        assert!(luma(7).abs_diff(126) <= 3, "{size}: {}", luma(7));
    }
}

#[test]
fn a_large_picture_is_the_same_much_smaller() {
    // Half white, half of it nothing; its edge a quarter of the way and its sides no multiples.
    let logo = RgbaImage::from_fn(1_601, 803, |x, _| match x {
        0..400 => Rgba([255, 255, 255, 255]),
        _ => Rgba([255, 0, 0, 0]),
    });
    let mut picture = PictureMut::filled(CANVAS, Yuv::BLACK).unwrap();
    art(&logo).draw(Size::new(80, 40)).unwrap().blend(&mut picture, at(0, 0));
    for y in 0..40 {
        let row = &picture.plane(Plane::Y).row(y)[..80];
        assert!(row[..19].iter().all(|p| *p >= 230), "{row:?}");
        assert!(row[21..].iter().all(|p| *p <= 20), "{row:?}");
    }
}

#[test]
fn what_is_transparent_has_no_say_in_what_is_scaled() {
    let logo =
        RgbaImage::from_fn(
            40,
            40,
            |x, _| if x < 20 { Rgba([255, 255, 255, 255]) } else { Rgba([0, 0, 0, 0]) },
        );
    let mut picture = PictureMut::filled(CANVAS, Yuv::WHITE).unwrap();
    art(&logo).draw(Size::new(20, 20)).unwrap().blend(&mut picture, at(0, 0));
    assert!(picture.plane(Plane::Y).rows().flatten().all(|p| *p >= 233), "white stays white beside it");
}

#[test]
fn words_are_as_high_as_their_lines() {
    let words = lettering(32);
    let one = words.words("Live & <direct>").unwrap();
    let two = words.words("Live & <direct>\nfrom here").unwrap();
    assert_eq!((one.size().height, two.size().height), (32, 64));
    assert!(one.size().width.abs_diff(two.size().width) <= 4, "the longer line decides");
    let mut picture = PictureMut::filled(Size::new(320, 90), Yuv::BLACK).unwrap();
    one.draw(one.size()).unwrap().blend(&mut picture, at(0, 0));
    let [left, top, right, bottom] = ink(&picture).unwrap();
    assert!(
        left <= 4 && top > 2 && bottom < 32 && right.abs_diff(one.size().width as usize) <= 4,
        "{left} {top} {right} {bottom}"
    );
    assert_eq!(words.words("   ").err(), Some(WatermarkError::NoLetters("   ".into())));
    // Ink around the letters makes them larger.
    let outlined = Lettering { outline: Some(Rgb::new(0, 0, 0)), ..words.clone() };
    assert!(outlined.words("Live").unwrap().size().width > words.words("Live").unwrap().size().width);
}

#[test]
fn digits_do_not_jump() {
    let strip = TimeStrip::new(&lettering(24)).unwrap();
    let size = strip.size("00:00:00:00", 1.0);
    assert_eq!((size.height, strip.size("11:11:11:11", 1.0)), (24, size));
    let half = strip.size("00:00:00:00", 0.5);
    assert!(half.height == 12 && half.width.abs_diff(size.width / 2) < 8, "{size} {half}");
    let drawn = strip.draw(1.0).unwrap();
    let show = |text: &str| {
        let mut picture = PictureMut::filled(Size::new(320, 32), Yuv::BLACK).unwrap();
        drawn.blend(&mut picture, text, at(3, 1));
        picture
    };
    let (one, other) = (show("10:00:00:24"), show("10:00:00:25"));
    let last = 3 + size.width as usize * 10 / 11 - 4;
    for (a, b) in one.plane(Plane::Y).rows().zip(other.plane(Plane::Y).rows()) {
        assert_eq!(a[..last], b[..last]);
    }
    assert!(pattern::pixels(&one.freeze()) != pattern::pixels(&other.freeze()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn it_is_laid_as_the_slow_twin_lays_it(w in 1u32..80, h in 1u32..40, x in -90i32..170, y in -50i32..100, steps in 0u16..=256,
                                           solid in any::<bool>(), seed in any::<u32>()) {
        let mut state = seed | 1;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        // Runs of nothing, runs that hide, and all between.
        let logo = RgbaImage::from_fn(w, h, |x, y| {
            let alpha = match (x / 13 + y / 7) % 3 {
                0 => 0,
                1 if solid => 255,
                _ => next(),
            };
            Rgba([next(), next(), next(), alpha])
        });
        let mark = sprite(&logo);
        let mut fast = pattern::picture(CANVAS, seed % 50);
        for mut plane in fast.planes_mut() {
            for p in plane.rows_mut().flatten() {
                *p = p.wrapping_add(seed as u8);
            }
        }
        let before = fast.freeze();
        let (mut fast, mut slow) = (before.to_mut().unwrap(), before.to_mut().unwrap());
        let laid = Laid { x, y, opacity: Opacity::of_256(steps) };
        mark.blend(&mut fast, laid);
        mark.blend_scalar(&mut slow, laid);
        let (fast, slow) = (fast.freeze(), slow.freeze());
        prop_assert!(pattern::pixels(&fast) == pattern::pixels(&slow));
        // Nothing changes beside it.
        for (row, (new, old)) in (0..).zip(fast.plane(Plane::Y).rows().zip(before.plane(Plane::Y).rows())) {
            for (column, (new, old)) in (0..).zip(new.iter().zip(old)) {
                let inside = (x..x + w as i32).contains(&column) && (y..y + h as i32).contains(&row);
                prop_assert!(inside || new == old, "({}, {})", column, row);
            }
        }
    }
}
