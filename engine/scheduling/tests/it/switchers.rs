//! A whole show behind one door.

use media::{Tick, Time};
use pipeline_dsl::{Action, Show, TimeOfDay};
use scheduling::{
    Answer, ChannelIx, Command, Decision, FeedIx, Input, LineIx, LineReason, LineState, LineView, OnAir,
    Output, Reason, RefusalCode, SourceIx, Switcher,
};

use crate::rig::ms;

fn show() -> Show {
    let text = r#"show tour {
        video 1280x720 25fps
        camera main {
            line fiber push "rtmp:live/a"; line backpack push "rtmp:live/b"
            failover recover=1s suspect=1s min-fps=20fps
        }
        camera karry { line disk test bars }
        filler slate { test bars }
        ladder one { rung 720p 1280x720 2500k }
        channel program { sources main karry; filler slate; ladder one; egress web serve http-flv }
        channel second { sources karry main; ladder one; egress web serve http-flv }
        rundown program { at 0:20 end }
        rundown second { at 0:10 end }
    }"#;
    pipeline_dsl::parse_show(text).unwrap()
}

/// A switcher on its deadlines, all lines live unless told otherwise.
struct Truck {
    switcher: Switcher,
    outputs: Vec<(Tick, Output)>,
}

impl Truck {
    fn new() -> Self {
        let mut truck = Self { switcher: Switcher::new(&show()).unwrap(), outputs: vec![] };
        for (feed, line) in [(FeedIx::Camera(0), 0), (FeedIx::Camera(0), 1), (FeedIx::Camera(1), 0)] {
            truck.line(feed, line, LineView::LIVE);
        }
        truck.line(FeedIx::Filler(0), 0, LineView::LIVE);
        truck
    }
    fn now(&self) -> Time {
        self.switcher.next_deadline().unwrap()
    }
    fn line(&mut self, feed: FeedIx, line: usize, view: LineView) {
        let now = self.switcher.next_deadline().unwrap_or_default();
        self.switcher.handle(Input::Line { feed, line: LineIx(line), view }, now).unwrap();
    }
    fn run(&mut self, end: i64) {
        while let Some(now) = self.switcher.next_deadline().filter(|now| *now < ms(end)) {
            let tick = self.switcher.next_tick();
            self.switcher.handle(Input::Tick, now).unwrap();
            self.outputs.extend(std::iter::from_fn(|| self.switcher.poll()).map(|output| (tick, output)));
        }
    }
    fn decisions(&self, channel: usize) -> impl Iterator<Item = &Decision> {
        self.outputs.iter().filter_map(move |(_, output)| match output {
            Output::Program { channel: ChannelIx(ix), decision } if *ix == channel => Some(decision),
            _ => None,
        })
    }
    fn events(&self) -> Vec<String> {
        let events = self.outputs.iter().filter_map(|(tick, output)| match output {
            Output::Event(event) => {
                Some(format!("{} {} {}: {}", tick.0, event.code.as_str(), event.subject, event.message))
            }
            _ => None,
        });
        events.collect()
    }
}

#[test]
fn each_tick_every_channel_is_decided_once_until_it_ends() {
    let mut truck = Truck::new();
    assert_eq!(truck.switcher.end(), Some(ms(20_000)));
    truck.run(30_000);
    let ticks = |channel| truck.decisions(channel).map(|d| d.tick.0).collect::<Vec<_>>();
    assert_eq!(ticks(0), (0..=500).collect::<Vec<_>>());
    assert_eq!(ticks(1), (0..=250).collect::<Vec<_>>());
    assert_eq!(truck.switcher.next_deadline(), None);
    assert_eq!(truck.switcher.end(), Some(ms(20_000)));
    // Whoever goes on asking gets nothing.
    truck.switcher.handle(Input::Tick, ms(60_000)).unwrap();
    assert_eq!(truck.switcher.poll(), None);
}

#[test]
fn a_line_that_fails_takes_every_channel_that_shows_its_camera_along() {
    let mut truck = Truck::new();
    truck.run(1000);
    truck.line(FeedIx::Camera(0), 0, LineView::new(LineState::Lost, Some(ms(1000))));
    truck.run(2000);
    truck.line(FeedIx::Camera(0), 0, LineView::LIVE);
    truck.run(4000);
    let lines = truck.outputs.iter().filter_map(|(tick, output)| match output {
        Output::Line { feed: FeedIx::Camera(0), change } => Some((tick.0, change.to.0, change.reason)),
        _ => None,
    });
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [(0, 0, LineReason::Start), (35, 1, LineReason::Failover), (75, 0, LineReason::Recovered)]
    );
    let changes = |channel| {
        let changes = truck.decisions(channel).filter_map(|d| Some((d.tick.0, d.change?.reason)));
        changes.collect::<Vec<_>>()
    };
    // The second channel shows the other camera.
    assert_eq!(changes(0), [(0, Reason::Start), (35, Reason::Failover), (75, Reason::Recovered)]);
    assert_eq!(changes(1), [(0, Reason::Start)]);
    assert_eq!(
        truck.events(),
        ["35 failover main: fiber → backpack", "75 failover-recovered main: backpack → fiber"]
    );
}

#[test]
fn a_suspect_line_is_told_and_left() {
    let mut truck = Truck::new();
    truck.run(1000);
    let mut slow = LineView::LIVE;
    slow.figures.millifps = Some(3000);
    truck.line(FeedIx::Camera(0), 0, slow);
    truck.run(3000);
    truck.line(FeedIx::Camera(0), 0, LineView::LIVE);
    truck.run(5000);
    assert_eq!(
        truck.events(),
        [
            "50 line-suspect main/fiber: too few pictures a second",
            "50 failover main: fiber → backpack: too few pictures a second",
            "75 line-sound main/fiber: it is no longer suspect",
            "100 failover-recovered main: backpack → fiber",
        ]
    );
}

#[test]
fn the_director_chooses_a_line_by_its_name() {
    let mut truck = Truck::new();
    truck.run(1000);
    let choose = |truck: &mut Truck, camera: &str, line| {
        let now = truck.now();
        truck.switcher.handle(Input::Choose { camera, line }, now)
    };
    let Ok(Answer::Chosen(chosen)) = choose(&mut truck, "main", Some("backpack")) else { panic!() };
    assert_eq!((chosen.tick, chosen.line), (Tick(25), Some(LineIx(1))));
    let refused = choose(&mut truck, "nobody", None).unwrap_err();
    assert_eq!((refused.code, refused.legal.len()), (RefusalCode::UnknownCamera, 2));
    let refused = choose(&mut truck, "main", Some("disk")).unwrap_err();
    assert_eq!(refused.code, RefusalCode::UnknownLine);
    assert_eq!(refused.legal, ["fiber", "backpack", "auto"]);
    truck.run(2000);
    truck.line(FeedIx::Camera(0), 0, LineView::new(LineState::Lost, Some(ms(2000))));
    truck.run(2400);
    let refused = choose(&mut truck, "main", Some("fiber")).unwrap_err();
    assert_eq!(
        (refused.code, refused.legal),
        (RefusalCode::LineLost, vec!["backpack".into(), "auto".into()])
    );
    assert_eq!(truck.decisions(0).filter_map(|d| d.change).last().unwrap().reason, Reason::Line);
    assert_eq!(truck.events(), ["25 line-chosen main: fiber → backpack"]);
}

/// Nothing had failed, so nothing is over.
#[test]
fn a_line_that_comes_late_or_was_left_by_hand_is_preferred_and_has_not_recovered() {
    let mut truck = Truck::new();
    truck.line(FeedIx::Camera(0), 0, LineView::NEVER);
    truck.run(1000);
    truck.line(FeedIx::Camera(0), 0, LineView::LIVE);
    truck.run(3000);
    for line in [Some("backpack"), None] {
        let now = truck.now();
        truck.switcher.handle(Input::Choose { camera: "main", line }, now).unwrap();
        truck.run(if line.is_some() { 5000 } else { 7000 });
    }
    let codes: Vec<_> =
        truck.events().iter().map(|event| event.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(codes, ["line-preferred", "line-chosen", "line-preferred"], "{:#?}", truck.events());
}

#[test]
fn a_camera_that_stays_where_it_went_clears_its_alarm() {
    let mut show = show();
    show.cameras[0].failover.prefer = pipeline_dsl::Prefer::Stay;
    let mut truck = Truck::new();
    let switcher = std::mem::replace(&mut truck.switcher, Switcher::new(&show).unwrap());
    drop(switcher);
    for (camera, line) in [(0, 0), (0, 1), (1, 0)] {
        truck.line(FeedIx::Camera(camera), line, LineView::LIVE);
    }
    truck.run(1000);
    truck.line(FeedIx::Camera(0), 0, LineView::new(LineState::Lost, Some(ms(1000))));
    truck.run(5000);
    assert_eq!(
        truck.events(),
        ["35 failover main: fiber → backpack", "60 failover-recovered main: stays on backpack"]
    );
}

#[test]
fn commands_act_at_the_first_tick_from_their_time_on() {
    let mut truck = Truck::new();
    truck.run(1000);
    let cut = Command::from(Action::Cut { source: "karry".into() });
    let input = Input::Command { channel: ChannelIx(0), command: &cut };
    let Ok(Answer::Taken(effect)) = truck.switcher.clone().handle(input, ms(1000)) else { panic!() };
    assert_eq!(effect.tick, Tick(25));
    let Ok(Answer::Taken(effect)) = truck.switcher.clone().handle(input, ms(1001)) else { panic!() };
    assert_eq!(effect.tick, Tick(26));
    // One that comes late acts at the next tick all the same.
    let Ok(Answer::Taken(effect)) = truck.switcher.handle(input, ms(0)) else { panic!() };
    assert_eq!(effect.tick, Tick(25));
    truck.run(1040);
    let on_air = truck.switcher.channel(ChannelIx(0)).unwrap().on_air().unwrap().on_air;
    assert_eq!(on_air, Some(OnAir::Source(SourceIx(1))));
    let missing = Input::Command { channel: ChannelIx(7), command: &cut };
    assert_eq!(truck.switcher.handle(missing, ms(0)).unwrap_err().legal, ["program", "second"]);
}

#[test]
fn a_state_is_stored_and_gone_on_from_and_fits_its_own_show_only() {
    let mut truck = Truck::new();
    truck.run(1000);
    truck.switcher.handle(Input::Clock(TimeOfDay::new(media::Span::ZERO).unwrap()), ms(1000)).unwrap();
    let stored = serde_json::to_string(&truck.switcher.save()).unwrap();
    let saved: scheduling::SavedSwitcher = serde_json::from_str(&stored).unwrap();
    let again = Switcher::new(&show()).unwrap().resume(saved.clone()).unwrap();
    assert_eq!(again, truck.switcher);
    let refused = |change: fn(&mut Show)| {
        let mut show = show();
        change(&mut show);
        Switcher::new(&show).unwrap().resume(saved.clone()).unwrap_err().what
    };
    assert_eq!(refused(|show| show.cameras[0].failover.recover = media::Span::ZERO), "cameras");
    assert_eq!(refused(|show| show.cameras[0].lines.reverse()), "cameras");
    assert_eq!(refused(|show| show.channels.truncate(1)), "channels");
    assert_eq!(refused(|show| show.rundowns.clear()), "cues");
}
