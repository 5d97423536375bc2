//! What the checks of a line cost: a picture of 1080p, a tick of sound, and beside them a copy of
//! the picture.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::checks::{PictureCheck, SoundCheck};
use criterion::{Criterion, criterion_group, criterion_main};
use media::{Size, Time};

const CANVAS: Size = Size::new(1920, 1080);

fn checks(c: &mut Criterion) {
    // So many that the next one is not in the processor's cache.
    let film = film::film(1, CANVAS, 24).unwrap();
    let samples = film::samples(&film[0]);
    let sound = vec![0.0005_f32; 2 * 1920];

    let mut group = c.benchmark_group("checks");
    let (mut check, mut next) = (PictureCheck::new(), film.iter().cycle());
    group.bench_function("black and frozen, a picture of 1080p", |b| {
        b.iter(|| check.look(Time::ZERO, black_box(next.next().unwrap())));
    });
    let mut check = SoundCheck::new();
    group.bench_function("silence, 40 ms of stereo", |b| {
        b.iter(|| check.look(Time::ZERO, black_box(Some(&sound[..]))));
    });
    let mut copy = vec![0; samples.len()];
    group.bench_function("floor: copy of a 1080p picture's samples", |b| {
        b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&samples)));
    });
    group.finish();
}

criterion_group!(benches, checks);
criterion_main!(benches);
