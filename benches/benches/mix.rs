//! The mix of two full-size pictures beside its slow twin, FFmpeg's `blend` filter at the same
//! share, and a copy of the same bytes: all in one run, since only ratios mean anything.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use benches::film;
use codecs::mix::{dissolve, dissolve_scalar};
use codecs::{Picture, Plane};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{filter, frame};
use media::Size;

const CANVAS: Size = Size::new(1920, 1080);
/// The second picture's share.
const SHARE: (u32, u32) = (3, 13);

/// The same picture as a frame of FFmpeg's.
fn frame_of(picture: &Picture) -> Video {
    let mut frame = Video::new(Pixel::YUV420P, CANVAS.width, CANVAS.height);
    for (n, plane) in Plane::ALL.into_iter().enumerate() {
        let stride = frame.stride(n);
        let rows = frame.data_mut(n).chunks_mut(stride).zip(picture.plane(plane).rows());
        rows.for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
    }
    frame
}

/// FFmpeg's filter, with one thread.
struct Blend {
    graph: filter::Graph,
    next: i64,
}

impl Blend {
    fn new() -> Self {
        ffmpeg_next::init().unwrap();
        let mut graph = filter::Graph::new();
        let (source, sink) = (filter::find("buffer").unwrap(), filter::find("buffersink").unwrap());
        let size = format!("{}x{}", CANVAS.width, CANVAS.height);
        let args = format!("video_size={size}:pix_fmt=yuv420p:time_base=1/25:pixel_aspect=1/1");
        graph.add(&source, "a", &args).unwrap();
        graph.add(&source, "b", &args).unwrap();
        graph.add(&sink, "out", "").unwrap();
        let share = f64::from(SHARE.0) / f64::from(SHARE.1);
        // Its first input is the one on top.
        let spec = format!("[b][a]blend=all_mode=normal:all_opacity={share}:threads=1[out]");
        let ends = graph.output("a", 0).unwrap().output("b", 0).unwrap().input("out", 0).unwrap();
        ends.parse(&spec).unwrap();
        graph.validate().unwrap();
        Self { graph, next: 0 }
    }

    /// Takes both frames, which are empty then.
    fn blend(&mut self, mut a: Video, mut b: Video) -> Video {
        for (name, frame) in [("a", &mut a), ("b", &mut b)] {
            frame.set_pts(Some(self.next));
            self.graph.get(name).unwrap().source().add(frame).unwrap();
        }
        self.next += 1;
        let mut out = frame::Video::empty();
        self.graph.get("out").unwrap().sink().frame(&mut out).unwrap();
        out
    }
}

/// Both mix the same: what is beside each other is the same work.
fn assert_alike(ours: &Picture, theirs: &Video) {
    let stride = theirs.stride(0);
    let rows = ours.plane(Plane::Y).rows().zip(theirs.data(0).chunks(stride));
    let worst = rows.flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(2), "they differ by {worst:?}");
}

fn mix(c: &mut Criterion) {
    let film = film::film(1, CANVAS, 2).unwrap();
    let (a, b) = (&film[0], &film[1]);
    let (num, den) = SHARE;
    let samples = film::samples(a);
    let (theirs_a, theirs_b) = (frame_of(a), frame_of(b));
    let mut filter = Blend::new();
    let theirs = filter.blend(theirs_a.clone(), theirs_b.clone());
    assert_alike(&dissolve(a, b, num, den).unwrap().freeze(), &theirs);

    let mut group = c.benchmark_group("mix of two 1080p");
    group.throughput(Throughput::Bytes(samples.len() as u64));
    group.bench_function("dissolve", |bench| {
        bench.iter(|| dissolve(black_box(a), black_box(b), num, den).unwrap());
    });
    group.bench_function("beside: ffmpeg's blend, one thread", |bench| {
        // The filter takes its frames for good, so each time it gets copies, which are not counted.
        let copies = || (theirs_a.clone(), theirs_b.clone());
        bench.iter_batched(copies, |(a, b)| filter.blend(a, b), BatchSize::PerIteration);
    });
    group.sample_size(20);
    group.bench_function("twin: dissolve_scalar", |bench| {
        bench.iter(|| dissolve_scalar(black_box(a), black_box(b), num, den).unwrap());
    });
    group.sample_size(100);
    group.bench_function("floor: copy of one picture", |bench| bench.iter(|| black_box(a).to_mut().unwrap()));
    let mut copy = vec![0; samples.len()];
    group.bench_function("floor: copy of its samples", |bench| {
        bench.iter(|| black_box(&mut copy).copy_from_slice(black_box(&samples)));
    });
    group.finish();
}

criterion_group!(benches, mix);
criterion_main!(benches);
