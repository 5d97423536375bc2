use media::{Key, Size};
use proptest::prelude::*;

use super::{AHEAD, More, PictureKind, Plan, Planner, view_of};
use crate::picture::PlaneRef;

const WIDTH: usize = 48;
const HEIGHT: usize = 28;

/// Soft hills, further to the right with each step, of a film of its own.
fn hills(film: u32, step: usize) -> Vec<u8> {
    let pixel = |n: usize| {
        let (x, y) = ((n % WIDTH + 4 * step) as f32, (n / WIDTH) as f32);
        let (a, b) = (3.0 + film as f32, 5.0 + film as f32 / 2.0);
        (128.0 + (x / a).sin() * 60.0 + (y / b + x / 11.0).cos() * 50.0) as u8
    };
    (0..WIDTH * HEIGHT).map(pixel).collect()
}

fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..WIDTH * HEIGHT).map(|_| next()).collect()
}

fn plane(data: &[u8]) -> PlaneRef<'_> {
    PlaneRef { data, stride: WIDTH, width: WIDTH, height: HEIGHT }
}

/// All plans of a film, its first picture a key frame.
fn plans(pictures: impl IntoIterator<Item = Vec<u8>>) -> Vec<Plan> {
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    for (n, picture) in pictures.into_iter().enumerate() {
        planner.push(plane(&picture), if n == 0 { Key::Frame } else { Key::Delta });
        plans.extend(std::iter::from_fn(|| planner.plan(More::Comes)));
    }
    plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
    plans
}

fn kinds(plans: &[Plan]) -> String {
    let letter = |plan: &Plan| match (plan.kind, &plan.offsets) {
        (PictureKind::Key, _) => 'I',
        (PictureKind::Anchor, _) => 'P',
        (PictureKind::Between, Some(_)) => 'B',
        (PictureKind::Between, None) => 'b',
    };
    plans.iter().map(letter).collect()
}

fn mean(plan: &Plan) -> f32 {
    let offsets = plan.offsets.as_ref().unwrap().blocks();
    offsets.iter().sum::<f32>() / offsets.len() as f32
}

#[test]
fn what_stays_is_worth_more_than_what_goes() {
    let still = plans((0..12).map(|_| hills(1, 0)));
    assert_eq!(kinds(&still), "IbBbPbBbPBbP");
    let moves = plans((0..12).map(|step| hills(1, step)));
    let gone = plans((0..12).map(noise));
    let [still, moves, gone] = [still, moves, gone].map(|plans| mean(&plans[0]));
    assert!(still < moves - 0.5 && moves < gone - 0.5 && gone > -1.0, "{still} {moves} {gone}");
    // Others lean on the first longer than on the last.
    let last = plans((0..12).map(|_| hills(1, 0))).pop().unwrap();
    assert_eq!(mean(&last), 0.0);
}

#[test]
fn nothing_is_worth_what_another_film_needs() {
    let cut = |at: usize| plans((0..24).map(move |n| if n < at { hills(1, 0) } else { hills(6, 0) }));
    let uncut = mean(&cut(24)[0]);
    let mut before = 1.0;
    for at in 1..5 {
        let plans = cut(at);
        let shown = kinds(&plans);
        // The first picture is worth more for each that follows before the cut.
        let first = mean(&plans[0]);
        assert!(first < before - 0.2 && first > uncut, "{at}: {shown} {first} {before}");
        before = first;
        // What begins at the cut leans on nothing before it, and is leant on in full.
        let begins = plans[at..].iter().find(|plan| plan.kind != PictureKind::Between).unwrap();
        assert!(mean(begins) < uncut + 1.5, "{at}: {shown} {} {uncut}", mean(begins));
    }
}

#[test]
fn pictures_of_another_size_have_nothing_in_common() {
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    let picture = hills(1, 0);
    for n in 0..16 {
        let plane = if n < 5 { plane(&picture) } else { PlaneRef { width: 30, ..plane(&picture) } };
        planner.push(plane, if n == 0 { Key::Frame } else { Key::Delta });
        plans.extend(std::iter::from_fn(|| planner.plan(More::Comes)));
    }
    plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
    assert_eq!(kinds(&plans), "IbBbPPbBbPbBbPbP");
    let blocks = |n: usize| plans[n].offsets.as_ref().unwrap().blocks().len();
    assert_eq!((blocks(4), blocks(5), mean(&plans[4])), (24, 16, 0.0));
    let mut nothing = Planner::new();
    nothing.push(PlaneRef { data: &[], stride: 0, width: 0, height: 0 }, Key::Frame);
    assert_eq!(nothing.plan(More::IsNotKnown).unwrap().kind, PictureKind::Key);
}

#[test]
fn a_part_that_stays_is_worth_more_than_one_that_does_not() {
    let half = |n: u32| {
        let (still, goes) = (hills(2, 0), noise(n));
        let pixel = |n: usize| if n % WIDTH < WIDTH / 2 { still[n] } else { goes[n] };
        (0..WIDTH * HEIGHT).map(pixel).collect::<Vec<_>>()
    };
    let first = plans((0..12).map(half)).swap_remove(0).offsets.unwrap();
    assert!(first.at(0.1, 0.5) < first.at(0.9, 0.5) - 3.0, "{first:?}");
}

#[test]
fn a_view_has_the_canvas_shape_and_is_small() {
    for (canvas, view) in [
        (Size::new(1920, 1080), Size::new(480, 270)),
        (Size::new(1080, 1920), Size::new(270, 480)),
        (Size::new(8192, 20), Size::new(7286, 18)),
        (Size::new(64, 36), Size::new(64, 36)),
        (Size::new(1440, 1080), Size::new(416, 312)),
    ] {
        assert_eq!(view_of(canvas), view, "{canvas}");
    }
}

/// What is done to a planner.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The next picture: of what kind, and whether it is a key frame.
    Push(u32, Key),
    Settle,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let push = (0..6u32, prop::bool::weighted(0.15))
        .prop_map(|(kind, is_key)| Act::Push(kind, if is_key { Key::Frame } else { Key::Delta }));
    prop::collection::vec(prop_oneof![12 => push, 1 => Just(Act::Settle)], 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 256 }))]

    /// Whatever comes, every picture is planned once, in order, behind no more than are looked ahead to.
    #[test]
    fn every_picture_is_planned(acts in acts()) {
        let mut planner = Planner::new();
        let (mut keys, mut plans, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (n, act) in acts.iter().enumerate() {
            match *act {
                Act::Push(kind, key) => {
                    let picture = match kind {
                        0 => noise(n as u32),
                        1 => vec![0; WIDTH * HEIGHT],
                        2 => vec![255; WIDTH * HEIGHT],
                        kind => hills(kind, n),
                    };
                    planner.push(plane(&picture), key);
                    keys.push(key);
                    plans.extend(std::iter::from_fn(|| planner.plan(More::Comes)));
                    prop_assert!(planner.waiting() <= AHEAD);
                    prop_assert_eq!(keys.len() - planner.waiting(), plans.len());
                }
                Act::Settle => {
                    plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
                    prop_assert_eq!(keys.len(), plans.len());
                    ends.push(plans.len());
                }
            }
        }
        plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
        ends.push(plans.len());
        prop_assert_eq!(plans.iter().map(Plan::key).collect::<Vec<_>>(), keys);
        let shown = kinds(&plans);
        prop_assert!(!shown.to_lowercase().contains("bbbb"), "{}", shown);
        // Nothing leans on what is not there, or lies beyond a key frame.
        for (n, plan) in plans.iter().enumerate().filter(|(_, plan)| plan.kind == PictureKind::Between) {
            let bearer = plans[n..].iter().position(|plan| plan.kind != PictureKind::Between);
            prop_assert!(bearer.is_some_and(|to| plans[n + to].kind == PictureKind::Anchor), "{}", shown);
            prop_assert!(n > 0 && !ends.iter().any(|&end| n < end && bearer.is_some_and(|to| end <= n + to)));
            prop_assert!(plan.offsets.is_none() || shown[n + 1..].starts_with('b'), "{}", shown);
        }
        for offset in plans.iter().filter_map(|plan| plan.offsets.as_ref()).flat_map(|of| of.blocks()) {
            prop_assert!((-51.0..=0.0).contains(offset), "{}", offset);
        }
    }
}
