//! How pictures of one line lie to those of another, by what is seen in them.
//!
//! Each picture is remembered as a coarse grid of its luma. Two encoders of one camera give
//! almost the same grids; where one row of them fits into another at one place only, and the
//! places beside it fit clearly worse, that is how far apart they are. Pictures that stand still,
//! or repeat themselves, tell nothing.

use std::collections::VecDeque;

use media::{Span, Time};

/// Cells of a glance.
pub const GLANCE: usize = 64;
/// What a picture looks like from far: the luma of its cells, row by row.
pub type Glance = [u8; GLANCE];

/// What is remembered.
const KEPT: Span = Span::from_secs(8);
const MOST: usize = 480;
/// What is looked for in it.
const SOUGHT: Span = Span::from_secs(3);
/// Nor what came within this.
const ON_ITS_WAY: Span = Span::from_millis(400);
/// Of what is looked for, so many are compared.
const COMPARED: usize = 50;
/// Fewer say nothing.
const LEAST: usize = 25;
/// Levels of luma by which the same picture may differ from encoder to encoder, on the average.
const ALIKE: f64 = 5.0;
/// The places beside the best one must be worse by these.
const BESIDE: (f64, f64) = (1.25, 0.25);
/// And all others by these.
const ELSEWHERE: (f64, f64) = (1.5, 0.75);
/// Levels beyond which they are not the same.
const DIFFERENT: f64 = 12.0;

/// The latest pictures of a line.
#[derive(Debug, Default)]
pub struct Glances(VecDeque<(Time, Glance)>);

/// The mean difference of two.
fn distance(a: &Glance, b: &Glance) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / GLANCE as f64
}

impl Glances {
    /// The next picture. One that is not later than the last begins anew.
    pub fn push(&mut self, pts: Time, glance: Glance) {
        if self.0.back().is_some_and(|(last, _)| pts <= *last || pts - *last > KEPT) {
            self.0.clear();
        }
        self.0.push_back((pts, glance));
        while self.0.len() > MOST || self.0.front().is_some_and(|(first, _)| pts - *first > KEPT) {
            self.0.pop_front();
        }
    }

    /// The latest of so long, evenly spread over it, but for the very latest: the other line may
    /// not have those yet.
    fn latest(&self, how_long: Span) -> Vec<&(Time, Glance)> {
        let Some(last) = self.0.back().map(|(last, _)| *last - ON_ITS_WAY) else { return Vec::new() };
        let within = |pts: Time| pts <= last && last - pts <= how_long;
        let all: Vec<_> = self.0.iter().filter(|(pts, _)| within(*pts)).collect();
        let step = all.len().div_ceil(COMPARED).max(1);
        all.into_iter().rev().step_by(step).collect()
    }

    /// The picture nearest to a time.
    fn nearest(&self, pts: Time) -> Option<&(Time, Glance)> {
        let after = self.0.partition_point(|(at, _)| *at < pts);
        let beside = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|n| self.0.get(n));
        beside.min_by_key(|(at, _)| (*at - pts).abs())
    }

    /// Between two pictures, on the average.
    fn interval(&self) -> Option<Span> {
        let (first, last) = (self.0.front()?, self.0.back()?);
        let steps = i64::try_from(self.0.len()).ok()? - 1;
        (steps > 0).then(|| Span::from_flicks((last.0 - first.0).flicks() / steps))
    }

    /// How much these differ from `others`, whose stamps are less by `by`: the mean of levels;
    /// `None` where too few lie at one time.
    fn difference(&self, sought: &[&(Time, Glance)], others: &Self, by: Span) -> Option<f64> {
        let near = Span::from_flicks(others.interval()?.flicks() / 4 * 3);
        let pairs = sought.iter().filter_map(|(pts, glance)| {
            let wanted = *pts - by;
            let (at, other) = others.nearest(wanted)?;
            ((*at - wanted).abs() <= near).then(|| distance(glance, other))
        });
        let (sum, count) = pairs.fold((0.0, 0usize), |(sum, count), one| (sum + one, count + 1));
        (count >= LEAST && count * 5 >= sought.len() * 4).then(|| sum / count as f64)
    }

    /// How much later the same pictures are stamped here than in `others`, by which the latest of
    /// these are looked for in them. `None` where they are not found beyond doubt.
    pub fn find_in(&self, others: &Self) -> Option<Span> {
        self.find_latest(others).or_else(|| others.find_latest(self).map(|by| Span::ZERO - by))
    }

    fn find_latest(&self, others: &Self) -> Option<Span> {
        let sought = self.latest(SOUGHT);
        let (newest, _) = **sought.first()?;
        let at = |n: usize| others.0.get(n).map(|(pts, _)| newest - *pts);
        let place = |n: usize| at(n).and_then(|by| self.difference(&sought, others, by));
        let places: Vec<Option<f64>> = (0..others.0.len()).map(place).collect();
        let known = |n: usize| places.get(n).copied().flatten();
        let (best, least) = (0..places.len())
            .filter_map(|n| known(n).map(|difference| (n, difference)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        // One at the edge may lie better beyond it.
        let (before, after) = (known(best.checked_sub(1)?)?, known(best + 1)?);
        let clear = |other: f64, (times, more): (f64, f64)| other >= least * times + more;
        let elsewhere = (0..places.len()).filter(|n| n.abs_diff(best) > 1).filter_map(known);
        let beyond_doubt = least <= ALIKE
            && clear(before, BESIDE)
            && clear(after, BESIDE)
            && elsewhere.fold(f64::INFINITY, f64::min) >= least * ELSEWHERE.0 + ELSEWHERE.1;
        if beyond_doubt { at(best) } else { None }
    }

    /// Whether these are clearly not the pictures of `others`, whose stamps are less by `by`.
    pub fn differ(&self, others: &Self, by: Span) -> bool {
        self.difference(&self.latest(SOUGHT), others, by).is_some_and(|difference| difference > DIFFERENT)
    }
}

#[cfg(test)]
mod tests {
    use fixtures::noise::Noise;
    use proptest::prelude::*;

    use super::*;

    /// Numbers of a seed.
    struct Dice(Noise);
    impl Dice {
        fn new(seed: u64) -> Self {
            Self(Noise::new(seed))
        }
        fn of(&mut self, most: i64) -> i64 {
            (self.0.next_u64() % (2 * most as u64 + 1)) as i64 - most
        }
    }

    /// A scene whose cells wander by up to `motion` levels a picture.
    fn scene(seed: u64, pictures: usize, motion: i64) -> Vec<Glance> {
        let mut dice = Dice::new(seed);
        let mut cells = [0i64; GLANCE];
        cells.iter_mut().for_each(|cell| *cell = 128 + dice.of(80));
        let picture = |_| {
            cells.iter_mut().for_each(|cell| *cell = (*cell + dice.of(motion)).clamp(16, 235));
            cells.map(|cell| cell as u8)
        };
        (0..pictures).map(picture).collect()
    }

    /// What an encoder makes of some of it: noise of its own, and its own stamps.
    fn coded(scene: &[Glance], seed: u64, noise: i64, first: i64, rate: i64) -> Glances {
        let (mut glances, mut dice) = (Glances::default(), Dice::new(seed));
        for (n, glance) in (0..).zip(scene) {
            let noisy = glance.map(|cell| (i64::from(cell) + dice.of(noise)).clamp(0, 255) as u8);
            glances.push(Time::from_millis(first + n * 1000 / rate), noisy);
        }
        glances
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// However the encoders differ, and whichever is ahead.
        #[test]
        fn the_same_scene_is_found_where_it_is(
            seed in any::<u64>(), ahead in -60i64..60, apart in -100_000i64..100_000, noise in 0i64..4, rate in prop::sample::select(vec![25, 30, 50]),
        ) {
            let scene = scene(seed, 700, 6);
            let ours = coded(&scene[100..500], seed ^ 1, noise, 7_000_000 + apart, rate);
            let from = usize::try_from(100 + ahead).unwrap();
            let theirs = coded(&scene[from..from + 400], seed ^ 2, noise, 7_000_000, rate);
            let by = ours.find_in(&theirs).expect("it is found");
            let truth = Span::from_millis(apart + ahead * 1000 / rate);
            prop_assert!((by - truth).abs() <= Span::from_millis(2), "{by} for {truth}");
            prop_assert!(!ours.differ(&theirs, by));
        }

        /// Nothing is found in another scene, in a still, or where it would fit at several places.
        #[test]
        fn what_is_in_doubt_is_not_found(seed in any::<u64>(), period in 10usize..60) {
            let one = scene(seed, 400, 6);
            let ours = coded(&one, 1, 2, 0, 25);
            let other = coded(&scene(!seed, 400, 6), 2, 2, 0, 25);
            prop_assert_eq!(ours.find_in(&other), None);
            prop_assert!(ours.differ(&other, Span::ZERO));
            let still = |dice| coded(&[one[0]; 400], dice, 2, 0, 25);
            prop_assert_eq!(still(3).find_in(&still(4)), None);
            let round: Vec<Glance> = one.iter().take(period).cycle().take(400).copied().collect();
            prop_assert_eq!(coded(&round, 5, 2, 0, 25).find_in(&coded(&round[7..], 6, 2, 0, 25)), None);
        }
    }
}
