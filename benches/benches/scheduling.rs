//! One tick of a channel with sixteen sources: its cameras' lines, then what is on air.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::{Tick, Time};
use pipeline_dsl::Show;
use scheduling::{ChannelScheduler, Command, LineSelector, LineState, LineView, SourceView};

const SOURCES: usize = 16;
/// Ticks between two cuts of a restless director.
const CUT_EVERY: u64 = 25;

fn show() -> Show {
    let mut text = String::from("show \"sixteen\" {\n video 1920x1080 25fps\n");
    for camera in 0..SOURCES {
        writeln!(text, "camera c{camera} {{ line main push \"rtmp:live/a{camera}\"; line spare push \"rtmp:live/b{camera}\" }}")
            .unwrap();
    }
    let names: Vec<String> = (0..SOURCES).map(|camera| format!("c{camera}")).collect();
    writeln!(
        text,
        "filler slate {{ test bars }}\nladder one {{ rung 720p 1280x720 2500k }}\n\
         channel program {{ sources {}; filler slate after=500ms; ladder one; egress disk record \"x.flv\" }} }}",
        names.join(" ")
    )
    .unwrap();
    pipeline_dsl::parse_show(&text).unwrap_or_else(|found| panic!("the bench's own show: {found:?}"))
}

/// A channel and its cameras, from tick to tick.
struct Truck {
    program: ChannelScheduler,
    cameras: Vec<LineSelector>,
    views: Vec<SourceView>,
    tick: u64,
}

impl Truck {
    fn new(show: &Show) -> Self {
        Self {
            program: ChannelScheduler::new(show, &show.channels[0]).unwrap(),
            cameras: show.cameras.iter().map(|c| LineSelector::new(c.lines.len(), c.failover)).collect(),
            views: vec![SourceView::NEVER; SOURCES],
            tick: 0,
        }
    }

    /// Decides the next tick over lines of which `lost` tells, by camera and time, what main's hole is.
    fn tick(&mut self, lost: impl Fn(usize, Time) -> Option<Time>) {
        let tick = Tick(self.tick);
        self.tick += 1;
        let now = self.program.time_of(tick);
        for (number, (camera, view)) in self.cameras.iter_mut().zip(&mut self.views).enumerate() {
            let main = LineView { state: LineState::Live, hole_since: lost(number, now) };
            let spare = LineView { state: LineState::Live, hole_since: None };
            let choice = camera.select(now, &[main, spare]);
            *view = SourceView { line: choice.change.map(|change| change.reason), ..SourceView::CURRENT };
        }
        black_box(self.program.decide(tick, &self.views, Some(SourceView::CURRENT)));
        while let Some(event) = self.program.poll_event() {
            black_box(event);
        }
    }
}

fn scheduling(c: &mut Criterion) {
    let show = show();
    let mut group = c.benchmark_group("scheduling, 16 sources");
    group.throughput(Throughput::Elements(1));

    let mut truck = Truck::new(&show);
    group.bench_function("tick, all is well", |b| b.iter(|| truck.tick(|_, _| None)));

    // Every main line is lost for two of every eight seconds, and the director never rests.
    let mut truck = Truck::new(&show);
    let cuts: Vec<Command> =
        show.channels[0].sources.iter().map(|source| Command::Cut { source: source.clone() }).collect();
    group.bench_function("tick, failovers and cuts", |b| {
        b.iter(|| {
            if truck.tick.is_multiple_of(CUT_EVERY) {
                let cut = &cuts[(truck.tick / CUT_EVERY) as usize % SOURCES];
                black_box(truck.program.handle(cut, Tick(truck.tick)).unwrap());
            }
            truck.tick(|camera, now| {
                let second = now.as_millis_rounded() / 1000 + camera as i64;
                (second % 8 < 2).then(|| Time::from_secs(second - second % 8 - camera as i64))
            });
        });
    });
    group.finish();
}

criterion_group!(benches, scheduling);
criterion_main!(benches);
