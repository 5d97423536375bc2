//! A show changed while it is on air.

use media::{FrameRate, Tick, Time};
use pipeline_dsl::{Action, Show, parse_show};
use proptest::prelude::*;
use scheduling::{
    ChannelIx, Command, CueState, FeedIx, Gain, Input, LineIx, LineReason, LineState, LineView, Output,
    Program, RefusalCode, ReloadError, Switcher,
};

const SHOW: &str = r#"show tour {
  video 1280x720 25fps
  camera main { line fiber push "rtmp:live/a"; line sat push "rtmp:live/b"; failover lost=200ms recover=1s }
  camera karry { line one push "rtmp:live/c" }
  camera bars { line gen test bars }
  filler slate { test bars }
  ladder one { rung 720p 1280x720 2500k }
  channel program { sources main karry bars; filler slate after=500ms; ladder one; egress web serve http-flv }
  rundown program { at 1s cut karry; at 2s mix main over=400ms; at 6s cut bars; next cut main }
}"#;

/// The same parts, all in other places, and one more.
const MOVED: &str = r#"show tour {
  video 1280x720 25fps
  camera drone { line gen test bars }
  camera bars { line gen test bars }
  camera karry { line one push "rtmp:live/c" }
  camera main { line sat push "rtmp:live/b"; line fiber push "rtmp:live/a"; failover lost=200ms recover=1s prefer=stay }
  filler spare { test bars }
  filler slate { test bars }
  ladder one { rung 720p 1280x720 2500k }
  channel program { sources drone bars karry main; filler slate after=500ms; ladder one; egress web serve http-flv }
  rundown program { at 1s cut karry; at 2s mix main over=400ms; at 6s cut bars; next cut main }
}"#;

fn show(text: &str) -> Show {
    parse_show(text).unwrap_or_else(|said| panic!("{said:#?}"))
}

fn rate() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}

/// Tells every line of the show how it stands, by name, and decides; what is on air, by name.
fn tick(switcher: &mut Switcher, show: &Show, tick: u64, stands: impl Fn(&str) -> bool) -> String {
    let now = rate().time_of(Tick(tick));
    let view = |name: &str| match stands(name) {
        true => LineView::LIVE,
        false => LineView::new(LineState::Lost, Some(rate().time_of(Tick(tick.saturating_sub(8))))),
    };
    for (ix, camera) in show.cameras.iter().enumerate() {
        for (line, model) in camera.lines.iter().enumerate() {
            let feed = FeedIx::Camera(ix);
            let input = Input::Line { feed, line: LineIx(line), view: view(&model.name) };
            switcher.handle(input, now).unwrap();
        }
    }
    for ix in 0..show.fillers.len() {
        let input = Input::Line { feed: FeedIx::Filler(ix), line: LineIx(0), view: LineView::LIVE };
        switcher.handle(input, now).unwrap();
    }
    switcher.handle(Input::Tick, now).unwrap();
    let mut told = String::new();
    while let Some(output) = switcher.poll() {
        let channel = switcher.channel(ChannelIx(0)).unwrap();
        let name = |on_air| channel.name_of(on_air).unwrap_or("black");
        match output {
            Output::Program { decision, .. } => {
                told += &match decision.program {
                    Program::One(on_air) => format!("{} {:?}", name(on_air), decision.key),
                    Program::Mix { from, to, step, of, .. } => {
                        format!("{}+{} {step}/{of} {:?}", name(from), name(to), decision.key)
                    }
                    Program::Ended => "end".to_owned(),
                };
            }
            Output::Line { change, .. } if change.reason != LineReason::Start => told += " line ",
            _ => {}
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Reloading the same show changes nothing at all, at whatever moment.
    #[test]
    fn the_same_show_again_is_the_same_switcher(at in 0u64..200, lost in 0u64..200, cut in 0u64..200) {
        let show = show(SHOW);
        let mut switcher = Switcher::new(&show).unwrap();
        for n in 0..at {
            if n == cut {
                let order = Command::from(Action::Cut { source: "bars".into() });
                let _ = switcher.handle(Input::Command { channel: ChannelIx(0), command: &order }, rate().time_of(Tick(n)));
            }
            tick(&mut switcher, &show, n, |line| line != "fiber" || n < lost);
        }
        let again = switcher.reload(&show).unwrap();
        let state = |switcher: &Switcher| serde_json::to_value(switcher.save()).unwrap();
        prop_assert_eq!(state(&again), state(&switcher));
    }

    /// A show whose parts stand elsewhere is decided as it would have been.
    #[test]
    fn what_is_decided_does_not_hang_on_places(at in 1u64..200, lost in 0u64..200) {
        let (old, new) = (show(SHOW), show(MOVED));
        let stands = |n: u64| move |line: &str| line != "one" || !(lost..lost + 30).contains(&n);
        let mut there = Switcher::new(&old).unwrap();
        let mut here = there.clone();
        for n in 0..at {
            tick(&mut there, &old, n, stands(n));
            tick(&mut here, &old, n, stands(n));
        }
        let mut here = here.reload(&new).unwrap();
        for n in at..220 {
            let (old, new) = (tick(&mut there, &old, n, stands(n)), tick(&mut here, &new, n, stands(n)));
            prop_assert_eq!(old, new, "tick {}", n);
        }
    }
}

fn run_to(show: &Show, end: u64) -> Switcher {
    let mut switcher = Switcher::new(show).unwrap();
    for n in 0..end {
        tick(&mut switcher, show, n, |_| true);
    }
    switcher
}

fn refusal(error: ReloadError) -> (RefusalCode, String, Vec<String>) {
    match error {
        ReloadError::OnAir(refusal) => (refusal.code, refusal.message, refusal.legal),
        ReloadError::Plan(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_on_air_is_not_taken_away() {
    // karry is on air since tick 25.
    let switcher = run_to(&show(SHOW), 30);
    let without =
        SHOW.replace("sources main karry bars", "sources main bars").replace("at 1s cut karry; ", "");
    let (code, message, legal) = refusal(switcher.reload(&show(&without)).unwrap_err());
    assert_eq!((code, legal), (RefusalCode::OnAir, vec!["cut main".to_owned(), "cut bars".to_owned()]));
    assert_eq!(message, "channel program has karry on air: cut to a source that stays first");
    // Once something else is, it can go; so can what was only on preview.
    let mut switcher = run_to(&show(SHOW), 80);
    let preview = Command::Preview { source: "karry".into() };
    switcher.handle(Input::Command { channel: ChannelIx(0), command: &preview }, Time::from_secs(3)).unwrap();
    let next = switcher.reload(&show(&without)).unwrap();
    assert_eq!(next.channel(ChannelIx(0)).unwrap().intent().preview, None);
    // main comes over its fiber.
    let without = SHOW.replace("line fiber push \"rtmp:live/a\"; ", "");
    let (code, message, legal) = refusal(switcher.reload(&show(&without)).unwrap_err());
    assert_eq!((code, legal), (RefusalCode::OnAir, vec!["line main sat".to_owned()]));
    assert!(message.starts_with("line fiber of camera main is on air"), "{message}");
    switcher.handle(Input::Choose { camera: "main", line: Some("sat") }, Time::from_secs(3)).unwrap();
    tick(&mut switcher, &show(SHOW), 80, |_| true);
    assert!(switcher.reload(&show(&without)).is_ok());
}

#[test]
fn cues_that_are_past_stay_past_and_gains_stay() {
    let mut switcher = run_to(&show(SHOW), 60);
    let gain = Command::Gain { source: "bars".into(), gain: Gain::from_tenths(-60).unwrap() };
    switcher.handle(Input::Command { channel: ChannelIx(0), command: &gain }, Time::from_secs(2)).unwrap();
    let cues = "at 1s cut karry; at 1.5s cut bars; at 2s mix main over=400ms; at 3s cut bars";
    let other =
        MOVED.replace("at 1s cut karry; at 2s mix main over=400ms; at 6s cut bars; next cut main", cues);
    let other = show(&other);
    let mut switcher = switcher.reload(&other).unwrap();
    let channel = switcher.channel(ChannelIx(0)).unwrap();
    let states: Vec<_> = channel.cues().map(|cue| cue.state).collect();
    use CueState::{Done, Skipped, Waiting};
    assert_eq!(states, [Done, Skipped, Done, Waiting]);
    let bars = other.channels[0].sources.iter().position(|name| name == "bars").unwrap();
    assert_eq!(channel.strip(scheduling::SourceIx(bars)).gain.tenths(), -60);
    let shown = (60..80).map(|n| tick(&mut switcher, &other, n, |_| true)).last().unwrap();
    assert!(shown.starts_with("bars"), "{shown}");
}
