//! Whether a picture is black or stands still, and whether nothing is heard: cheap enough to be
//! always on.
//!
//! Pictures are looked at on a fixed, sparse grid of luma samples, sound at its peak. Time is an
//! argument; nothing here decides how long is too long.
//!
//! - **Black**: nearly all samples (49 of 50) are at most 32, where black is 16 and white 235. A
//!   small logo or a station's clock does not make it bright.
//! - **Frozen**: the source repeats its picture. The samples differ from those of the picture
//!   that the stillness began with by half a level on the average, at most: that is what an
//!   encoder leaves of a repeated picture. A still scene is not frozen, as its camera's noise
//!   makes more of a difference; nor is one that fades slowly. What moves between the points of
//!   the grid only (cells of a 64th of the width and a 36th of the height) is not seen.
//! - **Silent**: no sample beyond -60 dBFS.
//!
//! ```
//! use codecs::checks::PictureCheck;
//! use codecs::{PictureMut, Rgb};
//! use media::{Size, Time};
//!
//! let mut check = PictureCheck::new();
//! for second in 3..6 {
//!     let black = PictureMut::filled(Size::new(64, 36), Rgb::new(0, 0, 0))?.freeze();
//!     check.look(Time::from_secs(second), &black);
//! }
//! assert_eq!(check.black_since(), Some(Time::from_secs(3)));
//! assert_eq!(check.frozen_since(), Some(Time::from_secs(3)));
//! # Ok::<(), codecs::CodecError>(())
//! ```

use media::{Size, Time};

use crate::picture::{Picture, Plane};

/// Points of the grid from left to right.
const COLUMNS: usize = 64;
/// Points from top to bottom.
const ROWS: usize = 36;
/// The brightest that counts as black.
const BLACK: u8 = 32;
/// One sample in so many may be brighter.
const SPECKS: usize = 50;
/// The magnitude of -60 dBFS.
const SILENCE: f32 = 0.001;

/// The luma of a picture at the points of the grid.
#[derive(Clone, PartialEq, Eq)]
struct Samples(Box<[u8; COLUMNS * ROWS]>);

impl Samples {
    fn new() -> Self {
        Self(Box::new([0; COLUMNS * ROWS]))
    }

    /// Takes the middle of each cell; rows lie half a cell apart to the left and right in turns,
    /// so that no upright line stays between all points.
    fn take(&mut self, picture: &Picture) {
        let luma = picture.plane(Plane::Y);
        for (y, samples) in self.0.chunks_exact_mut(COLUMNS).enumerate() {
            let row = luma.row((2 * y + 1) * luma.height / (2 * ROWS));
            let shift = 1 + 2 * (y % 2);
            for (x, sample) in samples.iter_mut().enumerate() {
                *sample = row.get((4 * x + shift) * row.len() / (4 * COLUMNS)).copied().unwrap_or(0);
            }
        }
    }

    fn is_black(&self) -> bool {
        let bright: usize = self.0.iter().map(|sample| usize::from(*sample > BLACK)).sum();
        bright * SPECKS <= self.0.len()
    }

    fn is_near(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(other.0.iter());
        let apart: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        apart as usize * 2 <= self.0.len()
    }
}

/// Looks at a line's pictures, one after the other.
pub struct PictureCheck {
    /// Of the picture that the others are held against, and when that came.
    still: Option<(Samples, Size, Time)>,
    fresh: Samples,
    /// The newest, so that one that is only held is not looked at again.
    newest: Option<Picture>,
    black_since: Option<Time>,
    frozen_since: Option<Time>,
}

impl Default for PictureCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl PictureCheck {
    /// Nothing has been seen yet.
    pub fn new() -> Self {
        Self { still: None, fresh: Samples::new(), newest: None, black_since: None, frozen_since: None }
    }

    /// Looks at the picture that is shown from `at` on. The very same [`Picture`] again tells
    /// nothing: it is held because no other has come.
    pub fn look(&mut self, at: Time, picture: &Picture) {
        if self.newest.as_ref().is_some_and(|newest| newest.ptr_eq(picture)) {
            return;
        }
        self.newest = Some(picture.clone());
        self.fresh.take(picture);
        self.black_since = self.fresh.is_black().then(|| self.black_since.unwrap_or(at));
        match &mut self.still {
            Some((still, size, since)) if *size == picture.size() && still.is_near(&self.fresh) => {
                self.frozen_since = Some(*since);
            }
            Some((still, size, since)) => {
                std::mem::swap(still, &mut self.fresh);
                (*size, *since) = (picture.size(), at);
                self.frozen_since = None;
            }
            None => self.still = Some((self.fresh.clone(), picture.size(), at)),
        }
    }

    /// Since when pictures have been black without a break; `None` if the newest is not.
    pub const fn black_since(&self) -> Option<Time> {
        self.black_since
    }

    /// Since when the same picture has come again and again; `None` if the newest is another
    /// than the one before.
    pub const fn frozen_since(&self) -> Option<Time> {
        self.frozen_since
    }
}

/// Looks at a line's sound, block by block.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SoundCheck {
    /// A line that has never had sound is not silent: it has none.
    has_sound: bool,
    silent_since: Option<Time>,
}

impl SoundCheck {
    /// No sound has come yet.
    pub const fn new() -> Self {
        Self { has_sound: false, silent_since: None }
    }

    /// Looks at the samples that are heard from `at` on; `None` where none have come.
    pub fn look(&mut self, at: Time, samples: Option<&[f32]>) {
        self.has_sound |= samples.is_some();
        let loud = samples.is_some_and(|samples| samples.iter().any(|sample| sample.abs() > SILENCE));
        self.silent_since = (self.has_sound && !loud).then(|| self.silent_since.unwrap_or(at));
    }

    /// Since when nothing has been heard on a line that has sound.
    pub const fn silent_since(&self) -> Option<Time> {
        self.silent_since
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::PictureMut;

    const SIZE: Size = Size::new(128, 72);

    fn picture(size: Size, luma: impl Fn(usize, usize) -> u8) -> Picture {
        let mut picture = PictureMut::new(size).unwrap();
        for (y, row) in picture.plane_mut(Plane::Y).rows_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(x, sample)| *sample = luma(x, y));
        }
        picture.freeze()
    }

    /// The definition, read out slowly over whole rows.
    fn points(picture: &Picture) -> Vec<u8> {
        let luma = picture.plane(Plane::Y);
        let mut points = Vec::new();
        for y in 0..ROWS {
            let row = ((y as f64 + 0.5) * luma.height as f64 / ROWS as f64) as usize;
            for x in 0..COLUMNS {
                let place = x as f64 + if y % 2 == 0 { 0.25 } else { 0.75 };
                points.push(luma.row(row)[(place * luma.width as f64 / COLUMNS as f64) as usize]);
            }
        }
        points
    }

    #[derive(Default)]
    struct Slow {
        seen: Vec<(Time, Vec<u8>)>,
    }

    impl Slow {
        fn black_since(&self) -> Option<Time> {
            let black = |points: &[u8]| {
                let bright = points.iter().filter(|point| **point > 32).count();
                bright as f64 / points.len() as f64 <= 0.02
            };
            self.seen.iter().rev().take_while(|(_, points)| black(points)).last().map(|(at, _)| *at)
        }
        fn frozen_since(&self) -> Option<Time> {
            let near = |a: &[u8], b: &[u8]| {
                let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
                sum / a.len() as f64 <= 0.5
            };
            let mut began = 0;
            for n in 1..self.seen.len() {
                if !near(&self.seen[began].1, &self.seen[n].1) {
                    began = n;
                }
            }
            (began + 1 < self.seen.len()).then(|| self.seen[began].0)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn fast_and_slow_agree(
            size in prop::sample::select(vec![SIZE, Size::new(64, 36), Size::new(322, 182), Size::new(16, 16)]),
            pictures in prop::collection::vec((0u8..6, 0u8..4, 0usize..5), 1..12),
        ) {
            let (mut check, mut slow) = (PictureCheck::new(), Slow::default());
            for (n, (base, grain, specks)) in pictures.into_iter().enumerate() {
                let at = Time::from_millis(40 * n as i64);
                let next = picture(size, |x, y| {
                    let noise = (x * 7 + y * 13 + n * 5) as u8 % (grain + 1);
                    if specks > 0 && (x + y) % (60 / specks) == 0 { 200 } else { 30 + base / 2 + noise }
                });
                check.look(at, &next);
                // Held for a tick: nothing new.
                check.look(at + media::Span::from_millis(20), &next);
                slow.seen.push((at, points(&next)));
                prop_assert_eq!(check.black_since(), slow.black_since());
                prop_assert_eq!(check.frozen_since(), slow.frozen_since());
            }
        }

        #[test]
        fn silence_is_as_long_as_nothing_is_heard(
            blocks in prop::collection::vec(prop::option::of(prop::collection::vec(-0.002f32..0.002, 0..6)), 1..20),
        ) {
            let mut check = SoundCheck::new();
            let at = |n: usize| Time::from_millis(40 * n as i64);
            let first = blocks.iter().position(Option::is_some);
            let loud = |block: &Option<Vec<f32>>| {
                block.as_ref().is_some_and(|samples| samples.iter().any(|s| *s > 0.001 || *s < -0.001))
            };
            for (n, block) in blocks.iter().enumerate() {
                check.look(at(n), block.as_deref());
                let after = blocks[..=n].iter().rposition(loud).map_or(0, |last| last + 1);
                let since = first.filter(|first| *first <= n).map(|first| first.max(after)).filter(|s| *s <= n);
                prop_assert_eq!(check.silent_since(), since.map(at));
            }
        }
    }

    #[test]
    fn grain_and_fades_are_no_freeze_and_what_an_encoder_leaves_is() {
        let look = |luma: &dyn Fn(usize, usize, usize) -> u8| {
            let mut check = PictureCheck::new();
            for n in 0..50 {
                check.look(Time::from_millis(40 * n as i64), &picture(SIZE, |x, y| luma(n, x, y)));
            }
            check.frozen_since()
        };
        let scene = |x: usize, y: usize| (60 + x + y / 2) as u8;
        let noise = |n: usize, x: usize, y: usize| (((x * 31 + y * 17 + n * 101) * 2_654_435) >> 8) as u8 % 5;
        assert_eq!(look(&|_, x, y| scene(x, y)), Some(Time::ZERO));
        // A key frame each second is coded anew: a level in places.
        assert_eq!(look(&|n, x, y| scene(x, y) + u8::from(n % 25 == 0 && x % 3 == 0)), Some(Time::ZERO));
        assert_eq!(look(&|n, x, y| scene(x, y) + noise(n, x, y)), None);
        // A level in four pictures: no two that follow each other differ by much.
        let began = look(&|n, x, y| scene(x, y) + (n / 4) as u8).unwrap();
        assert!(began >= Time::from_millis(40 * 44), "{began}");
    }
}
