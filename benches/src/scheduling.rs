//! A show of sixteen cameras, tick by tick.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "the show is our own")]

use std::fmt::Write;
use std::hint::black_box;

use media::Time;
use pipeline_dsl::{Action, Show};
use scheduling::{ChannelIx, Command, FeedIx, Input, LineIx, LineState, LineView, Switcher};

const SOURCES: usize = 16;
/// Ticks between two cuts of a restless director.
const CUT_EVERY: u64 = 25;

/// Sixteen cameras of two lines, a channel of all of them.
pub fn show() -> Show {
    let mut text = String::from("show \"sixteen\" {\n video 1920x1080 25fps\n");
    for camera in 0..SOURCES {
        writeln!(
            text,
            "camera c{camera} {{ line main push \"rtmp:live/a{camera}\"; line spare push \"rtmp:live/b{camera}\"\n\
             failover min-fps=20fps min-bitrate=500k }}"
        )
        .unwrap();
    }
    let names: Vec<String> = (0..SOURCES).map(|camera| format!("c{camera}")).collect();
    writeln!(
        text,
        "filler slate {{ test bars }}\nladder one {{ rung 720p 1280x720 2500k }}\n\
         channel program {{ sources {}; filler slate after=500ms; ladder one; egress disk record \"x.flv\" }}\n\
         rundown program {{ at 900:00:00 cut c1; next cut c2 }} }}",
        names.join(" ")
    )
    .unwrap();
    pipeline_dsl::parse_show(&text).unwrap_or_else(|found| panic!("the bench's own show: {found:?}"))
}

/// A line that is well, with figures that are.
fn live(hole_since: Option<Time>) -> LineView {
    let mut view = LineView::new(LineState::Live, hole_since);
    view.figures.millifps = Some(25_000);
    view.figures.bitrate = Some(4_000_000);
    view
}

/// A show on its deadlines.
#[derive(Debug)]
pub struct Truck {
    switcher: Switcher,
}

impl Truck {
    /// At its first tick.
    pub fn new(show: &Show) -> Self {
        let mut switcher = Switcher::new(show).unwrap();
        let slate = Input::Line { feed: FeedIx::Filler(0), line: LineIx(0), view: LineView::LIVE };
        switcher.handle(slate, Time::ZERO).unwrap();
        Self { switcher }
    }

    /// Decides the next tick over lines of which `lost` tells, by camera and time, what main's hole is.
    pub fn tick(&mut self, lost: impl Fn(usize, Time) -> Option<Time>) {
        let now = self.switcher.next_deadline().unwrap();
        for camera in 0..SOURCES {
            for (line, hole_since) in [lost(camera, now), None].into_iter().enumerate() {
                let (feed, line) = (FeedIx::Camera(camera), LineIx(line));
                let input = Input::Line { feed, line, view: live(hole_since) };
                black_box(self.switcher.handle(input, now)).unwrap();
            }
        }
        self.switcher.handle(Input::Tick, now).unwrap();
        while let Some(output) = self.switcher.poll() {
            black_box(output);
        }
    }
}

/// One who never rests.
#[derive(Debug)]
pub struct Director {
    cuts: Vec<Command>,
}

impl Director {
    /// Of the first channel.
    pub fn of(show: &Show) -> Self {
        let sources = show.channels.iter().take(1).flat_map(|channel| &channel.sources);
        Self { cuts: sources.map(|source| Action::Cut { source: source.clone() }.into()).collect() }
    }

    /// Cuts, if it is time for it.
    pub fn cut(&self, truck: &mut Truck) {
        let tick = truck.switcher.next_tick().0;
        if tick.is_multiple_of(CUT_EVERY) {
            let command = &self.cuts[(tick / CUT_EVERY) as usize % SOURCES];
            let now = truck.switcher.next_deadline().unwrap();
            black_box(truck.switcher.handle(Input::Command { channel: ChannelIx(0), command }, now)).unwrap();
        }
    }
}

/// For [`Truck::tick`]: every main line is lost for two of every eight seconds, each at its own.
pub fn lost_in_turn(camera: usize, now: Time) -> Option<Time> {
    let second = now.as_millis_rounded() / 1000 + camera as i64;
    (second % 8 < 2).then(|| Time::from_secs(second - second % 8 - camera as i64))
}
