use super::*;
use proptest::prelude::*;

const HD: Size = Size::new(1920, 1080);

fn framed(layout: StockLayout, count: usize) -> Vec<String> {
    let areas = layout.areas(count, HD).into_iter();
    let frame = |area| Framed::new(area, Fit::Stretch, Crop::NONE, 0, HD);
    areas.filter_map(frame).map(|f| text(f.inner)).collect()
}

fn text(rect: Rect) -> String {
    format!("{}+{},{}", rect.size, rect.x, rect.y)
}

#[test]
fn stock_layouts_in_pixels() {
    assert_eq!(framed(StockLayout::SideBySide, 2), ["960x1080+0,0", "960x1080+960,0"]);
    assert_eq!(framed(StockLayout::SideBySide, 3), ["640x1080+0,0", "640x1080+640,0", "640x1080+1280,0"]);
    assert_eq!(framed(StockLayout::Pip, 2), ["1920x1080+0,0", "480x270+1396,766"]);
    assert_eq!(framed(StockLayout::Full, 3), ["1920x1080+0,0"]);
    assert_eq!(
        framed(StockLayout::Grid, 3),
        ["960x540+0,0", "960x540+960,0", "960x540+480,540"],
        "a short last row stands in the middle"
    );
    assert_eq!(framed(StockLayout::Grid, 1), ["1920x1080+0,0"]);
    assert_eq!(framed(StockLayout::Pip, 16).len(), 16, "they shrink until all have room");
}

#[test]
fn fits_differ_in_what_is_seen() {
    let half = Area { left: 0, top: 0, width: 960 * 64, height: 1080 * 64 };
    let of = |fit, crop, border| {
        let f = Framed::new(half, fit, crop, border, HD).unwrap();
        [text(f.outer), text(f.inner), text(f.window)]
    };
    assert_eq!(of(Fit::Contain, Crop::NONE, 0), ["960x540+0,270", "960x540+0,270", "1920x1080+0,0"]);
    assert_eq!(of(Fit::Cover, Crop::NONE, 0), ["960x1080+0,0", "960x1080+0,0", "960x1080+480,0"]);
    assert_eq!(of(Fit::Stretch, Crop::NONE, 0), ["960x1080+0,0", "960x1080+0,0", "1920x1080+0,0"]);
    // The border lies within the box, around the picture.
    assert_eq!(of(Fit::Contain, Crop::NONE, 3), ["960x544+0,268", "952x536+4,272", "1920x1080+0,0"]);
    let crop = Crop { left: Length::Percent(25_000), right: Length::Pixels(480), ..Crop::NONE };
    assert_eq!(of(Fit::Contain, crop, 0), ["960x1080+0,0", "960x1080+0,0", "960x1080+480,0"]);
}

#[test]
fn what_leaves_no_picture_is_not_drawn() {
    let tiny = Area { left: 0, top: 0, width: 10 * 64, height: 10 * 64 };
    assert_eq!(Framed::new(tiny, Fit::Stretch, Crop::NONE, 0, HD), None);
    let all = Crop { left: Length::WHOLE, ..Crop::NONE };
    assert_eq!(Framed::new(Area::whole(HD), Fit::Stretch, all, 0, HD), None);
    assert_eq!(Framed::new(Area::whole(HD), Fit::Stretch, Crop::NONE, 540, HD), None);
}

fn area() -> impl Strategy<Value = Area> {
    (any::<i32>(), any::<i32>(), any::<i32>(), any::<i32>()).prop_map(|(left, top, width, height)| Area {
        left,
        top,
        width,
        height,
    })
}

fn near() -> impl Strategy<Value = Area> {
    let side = 0..2048i32 * 64;
    (side.clone(), side.clone(), side.clone(), side).prop_map(|(left, top, width, height)| Area {
        left,
        top,
        width,
        height,
    })
}

proptest! {
    #[test]
    fn whatever_is_drawn_is_even_and_on_the_canvas(
        area in prop_oneof![area(), near()],
        fit in prop::sample::select(vec![Fit::Contain, Fit::Cover, Fit::Stretch]),
        border in 0u32..100,
        crop in prop::array::uniform4(0u32..100_000),
        (w, h) in (8u32..1024, 8u32..1024),
    ) {
        let canvas = Size::new(w * 2, h * 2);
        let [left, top, right, bottom] = crop.map(Length::Percent);
        let crop = Crop { left, top, right, bottom };
        if let Some(framed) = Framed::new(area, fit, crop, border, canvas) {
            for rect in [framed.outer, framed.inner, framed.window] {
                prop_assert!(rect.is_even() && rect.fits_in(canvas), "{framed:?} on {canvas}");
                prop_assert!(rect.size.width >= LEAST_SIDE && rect.size.height >= LEAST_SIDE);
            }
            prop_assert!(framed.outer.x <= framed.inner.x && framed.inner.right() <= framed.outer.right());
        }
    }

    #[test]
    fn a_way_leads_from_its_start_to_its_end(
        (from, to) in (near(), near()),
        border in 0u32..20,
        (num, den) in (0u64..=1000, 1u64..=1000),
    ) {
        let canvas = Size::new(4096, 4096);
        let frame = |area, fit| Framed::new(area, fit, Crop::NONE, border, canvas);
        if let (Some(from), Some(to)) = (frame(from, Fit::Contain), frame(to, Fit::Cover)) {
            prop_assert_eq!(from.towards(to, 0, den), from);
            prop_assert_eq!(from.towards(to, den, den), to);
            prop_assert_eq!(to.middle().towards(to, den, den), to);
            for start in [from, to.middle()] {
                let half = start.towards(to, num.min(den), den);
                for rect in [half.outer, half.inner, half.window] {
                    prop_assert!(rect.is_even() && rect.fits_in(canvas), "{half:?}");
                }
            }
        }
    }

    #[test]
    fn stock_layouts_stay_on_the_canvas(count in 1usize..=16, (w, h) in (64u32..2048, 64u32..2048)) {
        let canvas = Size::new(w * 2, h * 2);
        let whole = Area::whole(canvas);
        for layout in StockLayout::ALL {
            for area in layout.areas(count, canvas) {
                prop_assert!(area.left >= 0 && area.top >= 0 && area.width >= 0 && area.height >= 0);
                prop_assert!(area.left + area.width <= whole.width, "{layout:?} {count} {canvas} {area:?}");
                prop_assert!(area.top + area.height <= whole.height);
            }
        }
    }
}
