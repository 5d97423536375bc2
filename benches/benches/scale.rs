//! The ladder's cascade: each rung's picture from the next larger one, and all of it.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::{Filter, Picture, Scaler};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::Size;

const CANVAS: Size = Size::new(1920, 1080);
const SMALLER: [Size; 3] = [Size::new(1280, 720), Size::new(854, 480), Size::new(640, 360)];

fn cascade(scalers: &mut [Scaler], picture: &Picture) -> Picture {
    scalers.iter_mut().fold(picture.clone(), |from, scaler| scaler.scale(&from).unwrap())
}

fn scale(c: &mut Criterion) {
    let canvas = film::film(1, CANVAS, 1).unwrap().remove(0);

    let mut group = c.benchmark_group("scale");
    group.throughput(Throughput::Elements(1));
    let mut from = canvas.clone();
    for mut scaler in SMALLER.map(|size| Scaler::new(size, Filter::BicubicFast)) {
        let name = format!("{} to {}", from.size(), scaler.size());
        group.bench_function(name, |b| b.iter(|| scaler.scale(black_box(&from)).unwrap()));
        from = scaler.scale(&from).unwrap();
    }
    for (name, filter) in
        [("bilinear", Filter::Bilinear), ("fast bicubic", Filter::BicubicFast), ("bicubic", Filter::Bicubic)]
    {
        let mut scalers = SMALLER.map(|size| Scaler::new(size, filter));
        group.bench_function(format!("cascade of three, {name}"), |b| {
            b.iter(|| cascade(&mut scalers, black_box(&canvas)));
        });
    }
    // What the cascade saves: every rung from the canvas, by the sharp filter that sources get.
    let mut scalers = SMALLER.map(|size| Scaler::new(size, Filter::Bicubic));
    group.bench_function("three from 1080p, bicubic", |b| {
        b.iter(|| scalers.each_mut().map(|scaler| scaler.scale(black_box(&canvas)).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, scale);
criterion_main!(benches);
