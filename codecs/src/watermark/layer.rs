//! One plane of a sprite: the runs of it that are seen, and nothing else.

use std::ops::Range;

/// So many samples that nothing is seen of part two runs.
const GAP: usize = 8;
/// So many samples that hide all below them make a run of their own.
const SOLID: usize = 32;

/// A run of samples in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Its row, from the sprite's upper edge.
    y: u32,
    /// Its first sample, from the sprite's left edge.
    x: u32,
    /// Where its samples begin in the layer's.
    from: u32,
    len: u32,
    /// Whether all of it hides what is below.
    solid: bool,
}

/// Samples and how strongly they are seen.
#[derive(Debug)]
pub(super) struct Layer {
    runs: Vec<Run>,
    values: Vec<u8>,
    alphas: Vec<u8>,
}

/// `x / 255` to the nearest, for x up to 255 * 255.
const fn by_255(x: u16) -> u8 {
    let x = x.wrapping_add(128);
    (x.wrapping_add(x >> 8) >> 8) as u8
}

impl Layer {
    /// Of `width` samples a row; `sample` gives value and alpha of each.
    pub(super) fn new(width: usize, height: usize, sample: impl Fn(usize, usize) -> (u8, u8)) -> Self {
        let mut layer = Self { runs: Vec::new(), values: Vec::new(), alphas: Vec::new() };
        let mut row = Vec::with_capacity(width);
        for y in 0..height {
            row.clear();
            row.extend((0..width).map(|x| sample(x, y)));
            for seen in seen(&row) {
                layer.add(y, seen.clone(), &row);
            }
        }
        layer
    }

    /// Adds a stretch of a row, cut where long parts of it are solid.
    fn add(&mut self, y: usize, seen: Range<usize>, row: &[(u8, u8)]) {
        let mut begin = seen.start;
        let mut at = seen.start;
        while at < seen.end {
            let solid = row[at..seen.end].iter().take_while(|(_, alpha)| *alpha == u8::MAX).count();
            if solid >= SOLID {
                self.push(y, begin..at, row, false);
                self.push(y, at..at + solid, row, true);
                begin = at + solid;
            }
            at += solid.max(1);
        }
        self.push(y, begin..seen.end, row, false);
    }

    fn push(&mut self, y: usize, part: Range<usize>, row: &[(u8, u8)], solid: bool) {
        if part.is_empty() {
            return;
        }
        // A sprite has at most 8192 x 8192 samples, which 32 bits count.
        let (x, from, len) = (part.start as u32, self.values.len() as u32, part.len() as u32);
        self.runs.push(Run { y: y as u32, x, from, len, solid });
        self.values.extend(row[part.clone()].iter().map(|(value, _)| *value));
        self.alphas.extend(row[part].iter().map(|(_, alpha)| *alpha));
    }

    /// Lays it over a plane with its upper left sample at `x`, `y`; what lies beyond is cut off.
    /// `steps` of 256 is how much of it is seen.
    pub(super) fn blend(&self, plane: &mut crate::picture::PlaneMut<'_>, x: i32, y: i32, steps: u16) {
        let (width, height) = (plane.width as i64, plane.height as i64);
        for run in &self.runs {
            let row = i64::from(y) + i64::from(run.y);
            let left = i64::from(x) + i64::from(run.x);
            let (begin, end) = (left.max(0), (left + i64::from(run.len)).min(width));
            if !(0..height).contains(&row) || begin >= end {
                continue;
            }
            // All of it lies within the run, and so within the layer.
            let from = run.from as usize + (begin - left) as usize;
            let samples = from..from + (end - begin) as usize;
            let below = &mut plane.row_mut(row as usize)[begin as usize..end as usize];
            let values = &self.values[samples.clone()];
            if run.solid && steps == 256 {
                below.copy_from_slice(values);
                continue;
            }
            blend_run(below, values, &self.alphas[samples], steps);
        }
    }
}

fn blend_run(below: &mut [u8], values: &[u8], alphas: &[u8], steps: u16) {
    // 16 bits hold all of it; nothing is checked, so that it is done many at a time.
    for ((below, &value), &alpha) in below.iter_mut().zip(values).zip(alphas) {
        let alpha = u16::from(alpha).wrapping_mul(steps).wrapping_add(128) >> 8;
        let under = u16::from(*below).wrapping_mul(255u16.wrapping_sub(alpha));
        *below = by_255(under.wrapping_add(u16::from(value).wrapping_mul(alpha)));
    }
}

/// The stretches of a row in which something is seen.
fn seen(row: &[(u8, u8)]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in row.iter().enumerate().filter(|(_, (_, alpha))| *alpha > 0) {
        match found.last_mut() {
            Some(last) if at < last.end + GAP => last.end = at + 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}
