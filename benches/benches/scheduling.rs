//! One tick of a show with sixteen cameras of two lines: how each line stands goes in, what the
//! channel shows and plays comes out.
#![allow(clippy::unwrap_used)]

use benches::scheduling::{Director, Truck, lost_in_turn, show};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn scheduling(c: &mut Criterion) {
    let show = show();
    let mut group = c.benchmark_group("scheduling, 16 cameras");
    group.throughput(Throughput::Elements(1));

    let mut truck = Truck::new(&show);
    group.bench_function("tick, all is well", |b| b.iter(|| truck.tick(|_, _| None)));

    let (mut truck, director) = (Truck::new(&show), Director::of(&show));
    group.bench_function("tick, failovers and cuts", |b| {
        b.iter(|| {
            director.cut(&mut truck);
            truck.tick(lost_in_turn);
        });
    });
    group.finish();
}

criterion_group!(benches, scheduling);
criterion_main!(benches);
