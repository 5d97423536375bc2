//! A show changed while it is on air.

use media::{FrameRate, Tick, Time};
use pipeline_dsl::{Action, SceneOrder, Show, Switch, parse_show};
use proptest::prelude::*;
use scheduling::{
    ChannelIx, Code, Command, CueState, Duty, FeedIx, Gain, Grade, Input, LineIx, LineReason, LineState,
    LineView, Output, Program, RefusalCode, ReloadError, SceneIx, Switcher,
};

pub(crate) const SHOW: &str = r#"show tour {
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
pub(crate) const MOVED: &str = r#"show tour {
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

pub(crate) fn show(text: &str) -> Show {
    parse_show(text).unwrap_or_else(|said| panic!("{said:#?}"))
}

pub(crate) fn rate() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}

/// Tells every line of the show how it stands, by name, and decides; what is on air, by name.
pub(crate) fn tick(switcher: &mut Switcher, show: &Show, tick: u64, stands: impl Fn(&str) -> bool) -> String {
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

pub(crate) fn run_to(show: &Show, end: u64) -> Switcher {
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

const TALK: &str = r#"show talk {
  video 1280x720 25fps
  camera main { line a test bars }
  camera karry { line b test motion }
  camera drone { line c test timecode }
  layout corner { box 1 at=0,0 size=50%x50%; box 2 at=50%,50% size=50%x50% }
  scene duo { layout side-by-side; box host camera=main level=-3dB; box guest camera=karry }
  ladder one { rung 720p 1280x720 2500k }
  channel program { sources duo main; ladder one; egress web serve http-flv }
}"#;

/// Where a box stands and what it shows of whom, how loud, and whether it is silent.
fn seen(switcher: &Switcher, name: &str) -> String {
    let scene = switcher.scene(SceneIx(0)).unwrap();
    let place = (0..scene.boxes().len()).find(|place| scene.box_name(*place) == Some(name)).unwrap();
    let (shot, strip) = (scene.boxes()[place], scene.strip(place));
    let at = shot.frame.map(|frame| (frame.outer.x, frame.outer.y, frame.outer.size.width));
    format!("{:?} {:?} {} {:?}", at, shot.picture, strip.gain, strip.mute)
}

/// A text without the line that begins so.
fn without(text: &str, begins: &str) -> String {
    text.lines().filter(|line| !line.starts_with(begins)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_scene_goes_on_as_it_was_led_but_for_what_the_file_says_otherwise() {
    let old = show(TALK);
    let mut switcher = run_to(&old, 30);
    let orders = [
        SceneOrder::Layout { layout: "corner".into(), over: None },
        SceneOrder::Level { name: "host".into(), level: Gain::from_tenths(-100).unwrap() },
        SceneOrder::Mute { name: "guest".into(), mute: Switch::On },
    ];
    for order in &orders {
        switcher.handle(Input::Scene { scene: "duo", order }, rate().time_of(Tick(30))).unwrap();
    }
    tick(&mut switcher, &old, 30, |_| true);
    assert_eq!(seen(&switcher, "host"), "Some((0, 0, 640)) Live -10.0 dB Off");
    // A box before those there were, and the layout has other places: what was led stays.
    let more = TALK
        .replace("box host camera", "box small camera=drone at=0,0 size=10%x10%; box host camera")
        .replace("box 1 at=0,0", "box 1 at=25%,0")
        .replace("sources duo main", "sources main duo");
    let new = show(&more);
    let mut next = switcher.reload(&new).unwrap();
    assert!(tick(&mut next, &new, 31, |_| true).starts_with("duo"));
    assert_eq!(seen(&next, "host"), "Some((320, 0, 640)) Live -10.0 dB Off");
    assert_eq!(seen(&next, "guest"), "Some((640, 360, 640)) Live 0.0 dB On");
    assert_eq!(seen(&next, "small"), "Some((0, 0, 128)) Live 0.0 dB Off");
    // The file has another layout and another level: they are so.
    let other = TALK.replace("layout side-by-side", "layout pip").replace("level=-3dB", "level=-6dB");
    let new = show(&other);
    let mut next = switcher.reload(&new).unwrap();
    tick(&mut next, &new, 31, |_| true);
    assert_eq!(seen(&next, "host"), "Some((0, 0, 1280)) Live -6.0 dB Off");
    assert_eq!(next.scene(SceneIx(0)).unwrap().layout(), "pip");
    // A layout that is gone, and another camera in a box of the scene that is on air.
    let other = without(TALK, "  layout corner");
    let new = show(&other.replace("guest camera=karry", "guest camera=drone"));
    let mut next = switcher.reload(&new).unwrap();
    tick(&mut next, &new, 31, |line| line != "c");
    assert_eq!(next.scene(SceneIx(0)).unwrap().layout(), "side-by-side");
    assert_eq!(next.scene(SceneIx(0)).unwrap().camera(1), Some((2, "drone")));
    assert_eq!(seen(&next, "host"), "Some((0, 180, 640)) Live -10.0 dB Off");
    // A scene that is on air is not taken away.
    let no_scene = show(&without(TALK, "  scene duo").replace("sources duo main", "sources main"));
    assert_eq!(refusal(switcher.reload(&no_scene).unwrap_err()).0, RefusalCode::OnAir);
    // A new one can be cut to once a tick is decided.
    let trio = "scene trio { layout grid; box a camera=main; box b camera=karry; box c camera=drone }";
    let both = TALK.replace("  ladder one", &format!("  {trio}\n  ladder one"));
    let new = show(&both.replace("sources duo main", "sources duo main trio"));
    let mut next = switcher.reload(&new).unwrap();
    tick(&mut next, &new, 31, |_| true);
    let cut = Command::from(Action::Cut { source: "trio".into() });
    next.handle(Input::Command { channel: ChannelIx(0), command: &cut }, rate().time_of(Tick(32))).unwrap();
    assert!(tick(&mut next, &new, 32, |_| true).starts_with("trio"));
}

#[test]
fn lines_that_rested_are_decoded_again_when_standby_is_hot_from_now_on() {
    let warm = show(&SHOW.replace("recover=1s", "recover=1s standby=warm"));
    let mut switcher = run_to(&warm, 30);
    let duty = |switcher: &Switcher| switcher.lines(FeedIx::Camera(0)).unwrap().duty(LineIx(1));
    assert_eq!(duty(&switcher), Duty::Keep);
    let hot = show(SHOW);
    switcher = switcher.reload(&hot).unwrap();
    let now = rate().time_of(Tick(30));
    switcher.handle(Input::Tick, now).unwrap();
    let told: Vec<_> = std::iter::from_fn(|| switcher.poll()).collect();
    let (feed, line) = (FeedIx::Camera(0), LineIx(1));
    assert!(told.contains(&Output::Duty { feed, line, duty: Duty::Decode }), "{told:?}");
    // And back.
    switcher = switcher.reload(&warm).unwrap();
    switcher.handle(Input::Tick, rate().time_of(Tick(31))).unwrap();
    assert_eq!(duty(&switcher), Duty::Keep);
}

/// A camera whose main line is damaged, and one that is lost, in a box of a scene.
const STORM: &str = r#"show storm {
  video 64x36 25fps
  camera bars { line gen test bars }
  camera main { line fiber push "rtmp:live/a"; line sat push "rtmp:live/b" }
  camera karry { line one push "rtmp:live/c" }
  scene duo { box host camera=bars; box guest camera=karry }
  ladder one { rung tiny 64x36 100k }
  channel program { sources bars main duo; ladder one; egress web serve http-flv }
}"#;

fn events(switcher: &mut Switcher) -> Vec<(Code, String)> {
    let told = std::iter::from_fn(|| switcher.poll());
    let events = told.filter_map(|output| match output {
        Output::Event(event) => Some((event.code, event.subject)),
        _ => None,
    });
    events.collect()
}

#[test]
fn what_was_told_of_parts_that_go_is_over() {
    let storm = show(STORM);
    let mut switcher = run_to(&storm, 25);
    let damaged = LineView { grade: Grade::Damaged, ..LineView::LIVE };
    let lost = LineView::new(LineState::Lost, Some(Time::from_secs(1)));
    for (feed, view) in [(FeedIx::Camera(1), damaged), (FeedIx::Camera(2), lost)] {
        switcher.handle(Input::Line { feed, line: LineIx(0), view }, Time::from_secs(1)).unwrap();
    }
    let mut told = Vec::new();
    for n in 25..60 {
        switcher.handle(Input::Tick, rate().time_of(Tick(n))).unwrap();
        told.extend(events(&mut switcher));
    }
    let stands = [(Code::LineSuspect, "main/fiber"), (Code::Failover, "main"), (Code::BoxLost, "duo/guest")];
    assert_eq!(told, stands.map(|(code, subject)| (code, subject.to_owned())));
    let over = |text: &str| events(&mut switcher.reload(&show(text)).unwrap());
    assert_eq!(over(STORM), []);
    // A box that shows another camera, and a line.
    let less = STORM
        .replace("line fiber push \"rtmp:live/a\"; ", "")
        .replace("guest camera=karry", "guest camera=main");
    let back = (Code::BoxBack, "duo/guest".to_owned());
    let sound = (Code::LineSound, "main/fiber".to_owned());
    assert_eq!(over(&less), [sound.clone(), back.clone()]);
    // All of them.
    let bare = without(&without(&without(STORM, "  camera main"), "  camera karry"), "  scene duo");
    let recovered = (Code::FailoverRecovered, "main".to_owned());
    assert_eq!(over(&bare.replace("bars main duo", "bars")), [sound, recovered, back]);
}
