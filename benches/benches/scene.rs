//! Scenes of full-size pictures, beside a copy of one picture.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::{Picture, Rgb, SceneComposer, Tile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::{Rect, Size};

const CANVAS: Size = Size::new(1920, 1080);

fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect { x, y, size: Size::new(width, height) }
}

/// Boxes of pictures of which each differs from the one before.
fn tiles(film: &[Picture], step: usize, places: &[Rect], border: u32) -> Vec<Tile> {
    let made = places.iter().enumerate().map(|(slot, place)| {
        let Rect { x, y, size } = *place;
        let inner = rect(x + border, y + border, size.width - 2 * border, size.height - 2 * border);
        Tile {
            slot: slot as u8,
            outer: *place,
            inner,
            window: Rect::whole(CANVAS),
            picture: Some(film[(step + slot) % film.len()].clone()),
            colour: Rgb::new(255, 255, 255),
        }
    });
    made.collect()
}

fn scene(c: &mut Criterion) {
    let film = film::film(1, CANVAS, 8).unwrap();
    let mut group = c.benchmark_group("scene on 1080p");
    group.throughput(Throughput::Elements(1));
    let halves = [rect(0, 270, 960, 540), rect(960, 270, 960, 540)];
    let pip = [Rect::whole(CANVAS), rect(1396, 766, 480, 270)];
    let quarters =
        [rect(0, 0, 960, 540), rect(960, 0, 960, 540), rect(0, 540, 960, 540), rect(960, 540, 960, 540)];
    let back = Rgb::new(0, 0, 0);
    for (name, places, border) in [
        ("2 boxes side by side", &halves[..], 4),
        ("2 boxes, one small", &pip[..], 0),
        ("4 boxes", &quarters[..], 0),
    ] {
        let mut composer = SceneComposer::new(CANVAS);
        let mut step = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                step += 1;
                composer.compose(back, black_box(&tiles(&film, step, places, border))).unwrap()
            });
        });
    }
    let mut composer = SceneComposer::new(CANVAS);
    let mut step = 0;
    group.bench_function("2 boxes on their way", |bench| {
        bench.iter(|| {
            step += 1;
            let width = 480 + (step as u32 % 200) * 2;
            let places = [rect(0, 0, 960, 540), rect(960, 0, width, 540)];
            composer.compose(back, black_box(&tiles(&film, step, &places, 0))).unwrap()
        });
    });
    group.bench_function("floor: copy of one picture", |bench| {
        bench.iter(|| black_box(&film[0]).to_mut().unwrap());
    });
    group.finish();
}

criterion_group!(benches, scene);
criterion_main!(benches);
