//! Watermarks on full-size pictures, beside their slow twins and a copy.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::watermark::Fonts;
use codecs::watermark::forensic::{Message, Pattern};
use codecs::{Art, Laid, Opacity};
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

/// Letters on nothing, as logos are: most of the box is not seen, most of the rest hides what is below.
fn letters() -> &'static [u8] {
    br##"<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120">
      <circle cx="60" cy="60" r="50" fill="#d22"/><rect x="130" y="20" width="90" height="30" fill="#fff"/>
      <path d="M130 100 L220 100 L175 60 Z" fill="#fff" fill-opacity="0.7"/></svg>"##
}

fn watermark(c: &mut Criterion) {
    let size = Size::new(240, 120);
    let draw = |bytes: &[u8]| Art::read(bytes, &Fonts::none()).unwrap().draw(size).unwrap();
    let (noise, drawn) = (draw(&logo()), draw(letters()));
    let shared = film::film(1, CANVAS, 1).unwrap()[0].clone();
    let mut picture = shared.to_mut().unwrap();
    let at = |x, steps| Laid { x, y: 24, opacity: Opacity::of_256(steps) };

    let mut group = c.benchmark_group("watermark 240x120 on 1080p");
    group.throughput(Throughput::Elements(1));
    group.bench_function("blend", |b| b.iter(|| noise.blend(black_box(&mut picture), at(1656, 205))));
    group.bench_function("blend, odd place", |b| {
        b.iter(|| noise.blend(black_box(&mut picture), at(1655, 205)))
    });
    group.bench_function("blend, a drawing", |b| {
        b.iter(|| drawn.blend(black_box(&mut picture), at(1656, 256)))
    });
    group.bench_function("floor: copy of the picture that makes it ours", |b| {
        b.iter(|| black_box(&shared).to_mut().unwrap());
    });
    group.sample_size(10);
    group.bench_function("twin: blend_scalar", |b| {
        b.iter(|| noise.blend_scalar(black_box(&mut picture), at(1656, 205)));
    });
    group.finish();

    let pattern = Pattern::new(Message { id: 1, rung: 0 }, 2, CANVAS).unwrap();
    let mut group = c.benchmark_group("forensic pattern on 1080p");
    group.throughput(Throughput::Elements(1));
    group.bench_function("lay", |b| b.iter(|| pattern.lay(black_box(&mut picture)).unwrap()));
    group.sample_size(10);
    group.bench_function("twin: lay_scalar", |b| {
        b.iter(|| pattern.lay_scalar(black_box(&mut picture)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, watermark);
criterion_main!(benches);
