//! The whole ladder: 1080p into four rungs, frames a second from start to last packet.
//!
//! With x264 it is the encoders' speed (opening and draining them included); with the codecs
//! that cost nothing it is our own: scaling, queues and threads.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use benches::{Extent, film};
use codecs::{CodecKit, Fake, Ffmpeg, Frame, Ladder, LadderSettings, Picture, RungOutput};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use media::{FrameRate, Key, Size, Tick};

const CANVAS: Size = Size::new(1920, 1080);
const RUNGS: [(Size, u32); 4] = [
    (CANVAS, 4_500_000),
    (Size::new(1280, 720), 2_500_000),
    (Size::new(854, 480), 1_200_000),
    (Size::new(640, 360), 700_000),
];
/// Frames from one key frame to the next.
const GRID: usize = 50;

/// Sends `frames` pictures, there and back through the film, and gives the packets' count.
fn run(kit: &Arc<dyn CodecKit>, film: &[Picture], frames: usize) -> usize {
    let rate = FrameRate::new(25, 1).unwrap();
    let mut ladder = Ladder::start(Arc::clone(kit), LadderSettings::new(rate, RUNGS)).unwrap();
    let readers: Vec<_> = ladder
        .outputs()
        .into_iter()
        .map(|rung| {
            thread::spawn(move || rung.iter().filter(|out| matches!(out, RungOutput::Packet(_))).count())
        })
        .collect();
    let there_and_back = film.iter().chain(film.iter().rev()).cycle();
    for (number, picture) in there_and_back.take(frames).enumerate() {
        let key = if number % GRID == 0 { Key::Frame } else { Key::Delta };
        let frame = Frame { pts: rate.time_of(Tick(number as u64)), picture: picture.clone() };
        ladder.send(frame, key).unwrap();
    }
    ladder.finish();
    readers.into_iter().map(|reader| reader.join().unwrap()).sum()
}

fn measure(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    kit: Arc<dyn CodecKit>,
    film: &[Picture],
    frames: usize,
) {
    group.throughput(Throughput::Elements(frames as u64));
    group.bench_function(name, |b| {
        b.iter(|| assert_eq!(run(&kit, film, frames), RUNGS.len() * frames));
    });
}

fn ladder(c: &mut Criterion) {
    let extent = Extent::asked();
    let film = film::film(1, CANVAS, extent.pick(4, 24)).unwrap();
    let mut group = c.benchmark_group("ladder of four from 1080p");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    measure(&mut group, "x264 veryfast", Arc::new(Ffmpeg::new()), &film, extent.pick(8, 50));
    measure(&mut group, "no codecs", Arc::new(Fake::new()), &film, extent.pick(8, 250));
    group.finish();
}

/// What a pause costs: four encoders opened in place of four, at the start of each stretch that a
/// channel encodes itself between two that it carries.
fn reopen(c: &mut Criterion) {
    let rate = FrameRate::new(25, 1).unwrap();
    let (kit, settings) = (Ffmpeg::new(), LadderSettings::new(rate, RUNGS));
    let mut group = c.benchmark_group("encoders of four rungs");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function("opened and closed", |b| {
        b.iter(|| settings.rungs.iter().map(|rung| kit.video_encoder(rung).unwrap()).collect::<Vec<_>>());
    });
    group.finish();
}

criterion_group!(benches, ladder, reopen);
criterion_main!(benches);
