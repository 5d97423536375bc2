//! Where a watermark stands at a time: a pure function, exact to the pixel on every machine.

use media::{Size, Span, Time};

use crate::model::{Anchor, At, Graphic, Length};

/// The picture that a graphic is laid on, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Show time.
    pub time: Time,
    /// The canvas, whose pixels the show file counts in.
    pub canvas: Size,
    /// The picture: the canvas itself, or a rung's.
    pub picture: Size,
    /// How large the graphic is drawn on it.
    pub art: Size,
    /// Where it was put by hand: the path's places no longer count, its fading does.
    pub put: Option<At>,
}

/// Where a graphic stands on a picture, and how strong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its left edge, in pixels of the picture; it may lie beyond the picture.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// 0 invisible to 256 as it is.
    pub opacity: u16,
}

impl Standing {
    /// On the way to `to`, in a straight line, with `done` of `whole` behind it.
    #[must_use]
    pub fn towards(self, to: Self, done: Span, whole: Span) -> Self {
        let (whole, done) = (whole.flicks().max(1), done.flicks().clamp(0, whole.flicks().max(1)));
        let between = |from: i64, to: i64| from + scaled(to - from, done, whole);
        let pixel = |from: i32, to: i32| i32::try_from(between(from.into(), to.into())).unwrap_or(to);
        let opacity = between(self.opacity.into(), to.opacity.into());
        Self {
            x: pixel(self.x, to.x),
            y: pixel(self.y, to.y),
            opacity: u16::try_from(opacity.clamp(0, 256)).unwrap_or(to.opacity),
        }
    }
}

/// Parts of a pixel.
const UNIT: i64 = 64;

/// `amount * to / from`, to the nearest; halves go up.
fn scaled(amount: i64, to: i64, from: i64) -> i64 {
    let from = i128::from(from.max(1));
    let twice = i128::from(amount) * i128::from(to) * 2 + from;
    i64::try_from(twice.div_euclid(from * 2)).unwrap_or(0)
}

/// Steps of opacity.
fn steps(opacity: f32) -> i64 {
    // The cast saturates, and makes 0 of what is no number.
    (opacity.clamp(0.0, 1.0) * 256.0).round() as i64
}

impl Graphic {
    /// Where it stands, and how strong it is.
    ///
    /// Between two points of its path it goes in a straight line, at one speed.
    pub fn standing(&self, frame: Frame) -> Standing {
        let later = self.path.partition_point(|point| point.time <= frame.time);
        let before = later.checked_sub(1).and_then(|ix| self.path.get(ix)).or(self.path.first());
        let after = self.path.get(later).or(self.path.last());
        let (Some(before), Some(after)) = (before, after) else {
            return self.stand(frame.put.unwrap_or(self.at), self.opacity, frame);
        };
        let stand = |to: Option<At>, opacity: Option<f32>| {
            let to = frame.put.unwrap_or(to.unwrap_or(self.at));
            (self.place(to, frame), steps(opacity.unwrap_or(self.opacity)))
        };
        let ((from_x, from_y), from_opacity) = stand(before.to, before.opacity);
        let ((to_x, to_y), to_opacity) = stand(after.to, after.opacity);
        let whole = (after.time - before.time).flicks();
        let done = (frame.time - before.time).flicks().clamp(0, whole.max(0));
        let between = |from: i64, to: i64| match whole > 0 {
            true => from + scaled(to - from, done, whole),
            false => from,
        };
        standing((between(from_x, to_x), between(from_y, to_y)), between(from_opacity, to_opacity))
    }

    fn stand(&self, at: At, opacity: f32, frame: Frame) -> Standing {
        standing(self.place(at, frame), steps(opacity))
    }

    /// Its upper left corner in 1/64 pixel.
    fn place(&self, at: At, frame: Frame) -> (i64, i64) {
        let Frame { canvas, picture, art, .. } = frame;
        let axes = [(canvas.width, picture.width, art.width), (canvas.height, picture.height, art.height)];
        let [across, down] = axes.map(|(canvas, picture, art)| Axis {
            canvas: i64::from(canvas),
            picture: i64::from(picture),
            art: i64::from(art),
            margin: i64::from(self.margin),
        });
        match at {
            At::Corner(x, y) => (across.length(x), down.length(y)),
            At::Anchor(anchor) => {
                let (x, y) = thirds(anchor);
                (across.against(x), down.against(y))
            }
        }
    }
}

fn standing((x, y): (i64, i64), opacity: i64) -> Standing {
    let pixel = |units: i64| i32::try_from((units + UNIT / 2).div_euclid(UNIT)).unwrap_or(0);
    Standing { x: pixel(x), y: pixel(y), opacity: u16::try_from(opacity.clamp(0, 256)).unwrap_or(0) }
}

/// Where on an axis.
enum Side {
    Start,
    Middle,
    End,
}

fn thirds(anchor: Anchor) -> (Side, Side) {
    use Side::{End, Middle, Start};
    match anchor {
        Anchor::TopLeft => (Start, Start),
        Anchor::Top => (Middle, Start),
        Anchor::TopRight => (End, Start),
        Anchor::Left => (Start, Middle),
        Anchor::Center => (Middle, Middle),
        Anchor::Right => (End, Middle),
        Anchor::BottomLeft => (Start, End),
        Anchor::Bottom => (Middle, End),
        Anchor::BottomRight => (End, End),
    }
}

struct Axis {
    canvas: i64,
    picture: i64,
    art: i64,
    margin: i64,
}

impl Axis {
    fn against(&self, side: Side) -> i64 {
        let margin = scaled(self.margin * UNIT, self.picture, self.canvas);
        match side {
            Side::Start => margin,
            Side::Middle => (self.picture - self.art) * UNIT / 2,
            Side::End => (self.picture - self.art) * UNIT - margin,
        }
    }

    fn length(&self, length: Length) -> i64 {
        match length {
            Length::Pixels(pixels) => scaled(i64::from(pixels) * UNIT, self.picture, self.canvas),
            Length::Percent(thousandths) => scaled(self.picture * UNIT, i64::from(thousandths), 100_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use media::Span;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Art, Draw, Switch, Text, Waypoint};

    const CANVAS: Size = Size::new(1920, 1080);

    fn graphic(path: Vec<Waypoint>) -> Graphic {
        Graphic {
            art: Art::Image { path: Text::Plain("a.png".into()) },
            at: At::Anchor(Anchor::TopRight),
            margin: 24,
            opacity: 0.8,
            scale: 100,
            draw: Draw::Once,
            state: Switch::On,
            path,
        }
    }

    fn frame(time: Time) -> Frame {
        Frame { time, canvas: CANVAS, picture: CANVAS, art: Size::new(240, 120), put: None }
    }

    fn point(ms: i64, to: Option<At>, opacity: Option<f32>) -> Waypoint {
        Waypoint { time: Time::from_millis(ms), to, opacity }
    }

    #[test]
    fn without_a_path_it_stands_against_its_edges() {
        let places = [
            (24, 24),
            (840, 24),
            (1656, 24),
            (24, 480),
            (840, 480),
            (1656, 480),
            (24, 936),
            (840, 936),
            (1656, 936),
        ];
        for (anchor, (x, y)) in Anchor::ALL.into_iter().zip(places) {
            let graphic = Graphic { at: At::Anchor(anchor), ..graphic(vec![]) };
            assert_eq!(graphic.standing(frame(Time::ZERO)), Standing { x, y, opacity: 205 }, "{anchor:?}");
        }
    }

    #[test]
    fn on_a_rung_all_lengths_are_the_rungs() {
        let rung = Frame { picture: Size::new(640, 360), art: Size::new(80, 40), ..frame(Time::ZERO) };
        assert_eq!(graphic(vec![]).standing(rung), Standing { x: 552, y: 8, opacity: 205 });
        let at = At::Corner(Length::Pixels(300), Length::Percent(50_000));
        let put = Frame { put: Some(at), ..rung };
        assert_eq!(graphic(vec![]).standing(put), Standing { x: 100, y: 180, opacity: 205 });
    }

    #[test]
    fn it_goes_in_a_straight_line_and_fades() {
        let corner = At::Corner(Length::Pixels(0), Length::Pixels(100));
        let path = vec![
            point(1000, Some(corner), Some(0.0)),
            point(3000, None, Some(1.0)),
            point(3000, Some(corner), None),
        ];
        let graphic = graphic(path);
        let at = |ms| graphic.standing(frame(Time::from_millis(ms)));
        assert_eq!(at(0), Standing { x: 0, y: 100, opacity: 0 });
        assert_eq!(at(1000), at(0));
        assert_eq!(at(2000), Standing { x: 828, y: 62, opacity: 128 });
        assert_eq!(at(2999).opacity, 256);
        // Two points of one time are a jump.
        assert_eq!(at(3000), Standing { x: 0, y: 100, opacity: 205 });
        assert_eq!(at(90_000), at(3000));
        let put = Frame { put: Some(At::Anchor(Anchor::TopLeft)), ..frame(Time::from_millis(2000)) };
        assert_eq!(graphic.standing(put), Standing { x: 24, y: 24, opacity: 128 });
    }

    fn any_length() -> impl Strategy<Value = Length> {
        prop_oneof![(0u32..=8192).prop_map(Length::Pixels), (0u32..=100_000).prop_map(Length::Percent)]
    }

    prop_compose! {
        fn any_path()(points in prop::collection::vec((0i64..5000, any_length(), any_length(), 0f32..=1.0), 0..6))
            -> Vec<Waypoint> {
            let mut time = 0;
            points.into_iter().map(|(later, x, y, opacity)| {
                time += later;
                point(time, Some(At::Corner(x, y)), Some(opacity))
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn at_each_point_it_is_there(path in any_path()) {
            let graphic = graphic(path.clone());
            for (ix, at) in path.iter().enumerate() {
                // Of several at one time the last one counts.
                if path.get(ix + 1).is_none_or(|next| next.time > at.time) {
                    let still = Graphic { at: at.to.unwrap(), opacity: at.opacity.unwrap(), path: vec![], ..graphic.clone() };
                    prop_assert_eq!(graphic.standing(frame(at.time)), still.standing(frame(at.time)));
                }
            }
        }

        #[test]
        fn between_two_points_it_never_turns_back(from in (any_length(), any_length()), to in (any_length(), any_length()),
                                                  fade in (0f32..=1.0, 0f32..=1.0), whole in 1i64..10_000,
                                                  one in 0i64..10_000, other in 0i64..10_000) {
            let graphic = graphic(vec![
                point(0, Some(At::Corner(from.0, from.1)), Some(fade.0)),
                point(whole, Some(At::Corner(to.0, to.1)), Some(fade.1)),
            ]);
            let at = |ms| graphic.standing(frame(Time::from_millis(ms)));
            let way = [at(0), at(one.min(other)), at(one.max(other)), at(whole.max(10_000))];
            for axis in [|s: Standing| i64::from(s.x), |s: Standing| i64::from(s.y), |s: Standing| i64::from(s.opacity)] {
                let steps = way.map(axis);
                prop_assert!(steps.is_sorted() || steps.iter().rev().is_sorted(), "{:?}", steps);
            }
        }

        #[test]
        fn the_same_path_later_is_the_same(path in any_path(), ms in 0i64..20_000, later in 0i64..100_000_000) {
            let shift = Span::from_millis(later);
            let moved = path.iter().map(|point| Waypoint { time: point.time + shift, ..*point }).collect();
            let (here, there) = (graphic(path), graphic(moved));
            let at = Time::from_millis(ms);
            prop_assert_eq!(here.standing(frame(at)), there.standing(frame(at + shift)));
        }

        #[test]
        fn backwards_is_the_same_way(x in 0u32..1920, y in 0u32..1080, to_x in 0u32..1920, to_y in 0u32..1080, ms in 0i64..=1000) {
            let (from, to) = (At::Corner(Length::Pixels(x), Length::Pixels(y)), At::Corner(Length::Pixels(to_x), Length::Pixels(to_y)));
            let there = graphic(vec![point(0, Some(from), None), point(1000, Some(to), None)]);
            let back = graphic(vec![point(0, Some(to), None), point(1000, Some(from), None)]);
            let (a, b) = (there.standing(frame(Time::from_millis(ms))), back.standing(frame(Time::from_millis(1000 - ms))));
            // Halves go up both times: a pixel at the most.
            prop_assert!((a.x - b.x).abs() <= 1 && (a.y - b.y).abs() <= 1, "{:?} {:?}", a, b);
        }
    }
}
