//! Watermark and dissolve on full-size pictures, beside their slow twins and a copy.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::mix::{dissolve, dissolve_scalar};
use codecs::{Anchor, Placement, Watermark};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fixtures::noise::Noise;
use fixtures::picture::Rgba;
use media::Size;

const CANVAS: Size = Size::new(1920, 1080);

/// A logo of 240x120 in which every pixel shows, each by its own share.
fn logo() -> Vec<u8> {
    let (width, height) = (240, 120);
    let mut pixels = Noise::new(3).bytes(4 * width * height);
    for alpha in pixels.iter_mut().skip(3).step_by(4) {
        *alpha = (*alpha).max(1);
    }
    Rgba { width, height, pixels }.png().unwrap()
}

fn watermark(c: &mut Criterion) {
    let place = Placement { anchor: Anchor::TopRight, margin: 24, opacity: 0.8 };
    let watermark = Watermark::load(&logo(), CANVAS, place).unwrap();
    let mut picture = film::film(1, CANVAS, 1).unwrap()[0].to_mut().unwrap();

    let mut group = c.benchmark_group("watermark 240x120 on 1080p");
    group.throughput(Throughput::Elements(1));
    group.bench_function("blend", |b| b.iter(|| watermark.blend(black_box(&mut picture)).unwrap()));
    group.bench_function("twin: blend_scalar", |b| {
        b.iter(|| watermark.blend_scalar(black_box(&mut picture)).unwrap());
    });
    group.finish();
}

fn mix(c: &mut Criterion) {
    let film = film::film(1, CANVAS, 2).unwrap();
    let (a, b) = (&film[0], &film[1]);
    let samples = film::samples(a);

    let mut group = c.benchmark_group("mix of two 1080p");
    group.throughput(Throughput::Bytes(samples.len() as u64));
    group.bench_function("dissolve", |bench| {
        bench.iter(|| dissolve(black_box(a), black_box(b), 3, 13).unwrap());
    });
    group.sample_size(20);
    group.bench_function("twin: dissolve_scalar", |bench| {
        bench.iter(|| dissolve_scalar(black_box(a), black_box(b), 3, 13).unwrap());
    });
    group.sample_size(100);
    group.bench_function("floor: copy of one picture", |bench| bench.iter(|| black_box(a).to_mut().unwrap()));
    let mut copy = vec![0; samples.len()];
    group.bench_function("floor: copy of its samples", |bench| {
        bench.iter(|| black_box(&mut copy).copy_from_slice(black_box(&samples)));
    });
    group.finish();
}

criterion_group!(benches, watermark, mix);
criterion_main!(benches);
