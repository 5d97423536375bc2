//! The lookahead that a ladder's rungs share: planning pictures of 1080p film, in the size that it sees.
#![allow(clippy::unwrap_used)]

use benches::lookahead;
use codecs::lookahead::{Planner, view_of};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use media::Size;

const CANVAS: Size = Size::new(1920, 1080);
const PICTURES: usize = 25;

fn bench(c: &mut Criterion) {
    let views = lookahead::views(CANVAS, PICTURES).unwrap();

    let mut group = c.benchmark_group("lookahead");
    group.throughput(Throughput::Elements(PICTURES as u64));
    group.bench_function(format!("{PICTURES} pictures seen as {}", view_of(CANVAS)), |b| {
        b.iter_batched_ref(Planner::new, |planner| lookahead::plan(planner, &views), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
