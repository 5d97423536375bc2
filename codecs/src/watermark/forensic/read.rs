//! The pattern found again.

use media::Size;

use super::{BITS, Grid, Message, cell};
use crate::picture::{Picture, PixelFormat, Plane};

/// What a cell may differ from its neighbours by; more is an edge of the picture's own.
const MOST: f32 = 6.0;

/// A pattern that was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Found {
    /// What it says.
    pub message: Message,
    /// How probable it is that each of its bits is right, 0 to 1.
    pub confidence: f64,
}

/// Looks for a pattern in pictures that belong together.
#[derive(Default)]
pub struct Reader {
    size: Option<Size>,
    grid: Option<Grid>,
    /// What each cell differed from its neighbours by, over all pictures.
    sums: Vec<f64>,
    pictures: u64,
}

impl Reader {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at a picture; false if it is none that can bear a pattern, or of another shape than
    /// those before. More pictures, and pictures that differ, make it surer.
    pub fn push(&mut self, picture: &Picture) -> bool {
        if picture.format() != PixelFormat::Yuv420p {
            return false;
        }
        let size = picture.size();
        if self.size != Some(size) {
            let Some(grid) = Grid::of(size) else { return false };
            match &self.grid {
                Some(old) if old.down != grid.down => return false,
                Some(_) => {}
                None => {
                    self.sums = vec![0.0; grid.chips.len()];
                    self.grid = Some(grid);
                }
            }
            self.size = Some(size);
        }
        let Some(grid) = &self.grid else { return false };
        let means = means(picture, grid);
        for (at, sum) in self.sums.iter_mut().enumerate() {
            *sum += f64::from(differs(&means, grid.across, at));
        }
        self.pictures += 1;
        true
    }

    /// How many pictures it has looked at.
    pub const fn pictures(&self) -> u64 {
        self.pictures
    }

    /// The pattern, if there is one.
    pub fn read(&self) -> Option<Found> {
        let grid = self.grid.as_ref()?;
        let (mut sums, mut squares) = ([0.0; BITS], [0.0; BITS]);
        for (chip, difference) in grid.chips.iter().zip(&self.sums) {
            sums[chip.bit] += if chip.up { *difference } else { -*difference };
            squares[chip.bit] += difference * difference;
        }
        // Without a pattern each is as a throw of a standard normal.
        let mut scores = [0.0; BITS];
        for ((score, sum), square) in scores.iter_mut().zip(sums).zip(squares) {
            *score = if square > 0.0 { sum / f64::sqrt(square) } else { 0.0 };
        }
        let power = scores.iter().map(|score| score * score).sum::<f64>() / BITS as f64;
        let strength = (power - 1.0).max(0.0).sqrt();
        let right = |score: &f64| 1.0 / (1.0 + (-2.0 * strength * score.abs()).exp());
        let confidence = scores.iter().map(right).product();
        let word = scores.iter().fold(0u32, |word, score| word << 1 | u32::from(*score > 0.0));
        let message = Message::of_word(word)?;
        (confidence > 0.5).then_some(Found { message, confidence })
    }
}

/// The mean luma of each cell.
fn means(picture: &Picture, grid: &Grid) -> Vec<f32> {
    let plane = picture.plane(Plane::Y);
    let columns: Vec<usize> = (0..plane.width).map(|x| cell(x, plane.width, grid.across)).collect();
    let mut sums = vec![(0u32, 0u32); grid.across * grid.down];
    for (y, row) in plane.rows().enumerate() {
        let from = cell(y, plane.height, grid.down) * grid.across;
        let cells = &mut sums[from..from + grid.across];
        for (&sample, &column) in row.iter().zip(&columns) {
            let (sum, count) = &mut cells[column];
            *sum += u32::from(sample);
            *count += 1;
        }
    }
    sums.into_iter().map(|(sum, count)| sum as f32 / count.max(1) as f32).collect()
}

/// What a cell differs from its neighbours by, within bounds.
fn differs(means: &[f32], across: usize, at: usize) -> f32 {
    let column = at % across;
    let neighbours = [
        (column > 0).then(|| at - 1),
        (column + 1 < across).then(|| at + 1),
        at.checked_sub(across),
        Some(at + across),
    ];
    let around = neighbours.into_iter().flatten().filter_map(|at| means.get(at));
    let (sum, count) = around.fold((0.0, 0.0), |(sum, count), mean| (sum + mean, count + 1.0));
    let own = means.get(at).copied().unwrap_or_default();
    (own - sum / f32::max(count, 1.0)).clamp(-MOST, MOST)
}
