//! A show that goes on after its engine was down.

use media::{Tick, Time};
use pipeline_dsl::{Action, Follow, Gain, Show, Switch};
use proptest::prelude::*;
use scheduling::{
    ChannelIx, Code, Command, CueNumber, CueState, Decision, FeedIx, Input, LineIx, LineState, LineView,
    Output, PlanOrder, Program, Reason, RundownCourse, SavedSwitcher, SourceIx, Strip, Switcher,
};

use crate::reloads::{MOVED, SHOW, rate, run_to, show, tick};

/// What a crew may ask for at some tick.
#[derive(Clone, Debug)]
enum Ask {
    Channel(Command),
    Line(Option<&'static str>),
}

fn asks() -> impl Strategy<Value = Vec<(u64, Ask)>> {
    let source = || prop::sample::select(vec!["main", "karry", "bars"]);
    let switch = || prop::sample::select(vec![Switch::On, Switch::Off]);
    let ask = prop_oneof![
        source().prop_map(|source| Action::Cut { source: source.into() }.into()),
        (source(), 1i64..30).prop_map(|(source, ticks)| {
            Action::Mix { source: source.into(), over: rate().tick_span().times(ticks) }.into()
        }),
        switch().prop_map(|to| Action::Filler(to).into()),
        source().prop_map(|source| Command::Preview { source: source.into() }),
        (source(), switch()).prop_map(|(source, mute)| Command::Mute { source: source.into(), mute }),
        (source(), -100i16..50).prop_map(|(source, tenths)| {
            let gain = Gain::from_tenths(tenths).unwrap();
            Command::Gain { source: source.into(), gain }
        }),
        source().prop_map(|source| Command::Sound(Follow::Source(source.into()))),
        prop::sample::select(vec![PlanOrder::Next, PlanOrder::Hold, PlanOrder::Go]).prop_map(Command::Plan),
        (1u32..5).prop_map(|cue| Command::Plan(PlanOrder::Skip(CueNumber(cue)))),
    ];
    let line = prop::sample::select(vec![None, Some("fiber"), Some("sat")]);
    let ask = prop_oneof![4 => ask.prop_map(Ask::Channel), 1 => line.prop_map(Ask::Line)];
    prop::collection::vec((0u64..200, ask), 0..12)
}

/// Whatever is refused is refused to both.
fn ask(switcher: &mut Switcher, at: u64, asks: &[(u64, Ask)]) {
    let now = rate().time_of(Tick(at));
    for (_, ask) in asks.iter().filter(|(tick, _)| *tick == at) {
        let input = match ask {
            Ask::Channel(command) => Input::Command { channel: ChannelIx(0), command },
            Ask::Line(line) => Input::Choose { camera: "main", line: *line },
        };
        let _ = switcher.handle(input, now);
    }
}

/// What was wanted, by name: it hangs on no place and no time.
fn wanted(switcher: &Switcher) -> String {
    let channel = switcher.channel(ChannelIx(0)).unwrap();
    let name = |source: Option<SourceIx>| source.and_then(|source| channel.source_name(source));
    let intent = channel.intent();
    let mut strips: Vec<_> = (0..)
        .map(SourceIx)
        .map_while(|ix| Some((channel.source_name(ix)?, channel.strip(ix))))
        .filter(|(_, strip)| *strip != Strip::UNITY)
        .collect();
    strips.sort_by_key(|(name, _)| *name);
    let cues: Vec<_> = channel.cues().map(|cue| (cue.number, cue.words.to_owned(), cue.state)).collect();
    let shown = (name(Some(intent.source)), name(intent.preview), name(intent.sound), intent.filler);
    format!("{shown:?} {strips:?} {:?} {cues:?}", channel.rundown_course())
}

/// The line of camera `main` that was chosen by hand.
fn chosen(switcher: &Switcher, show: &Show) -> Option<String> {
    let ix = show.cameras.iter().position(|camera| camera.name == "main")?;
    let LineIx(line) = switcher.lines(FeedIx::Camera(ix))?.chosen()?;
    Some(show.cameras[ix].lines[line].name.clone())
}

/// Over a file and another engine.
fn again(switcher: &Switcher, before: &Show, show: &Show) -> Switcher {
    let stored = serde_json::to_string(&switcher.save()).unwrap();
    let saved: SavedSwitcher = serde_json::from_str(&stored).unwrap();
    assert_eq!(saved, switcher.save(), "what is stored is what was there");
    let (again, left) = Switcher::go_on(show, before, saved).unwrap();
    assert_eq!(left, []);
    again
}

/// A tick with every line well; what was decided, and the cues that were carried out.
fn go(switcher: &mut Switcher, show: &Show, at: u64, cues: &mut Vec<String>) -> Option<Decision> {
    let now = rate().time_of(Tick(at));
    let mut well = |feed, lines: usize| {
        for line in (0..lines).map(LineIx) {
            switcher.handle(Input::Line { feed, line, view: LineView::LIVE }, now).unwrap();
        }
    };
    for (ix, camera) in show.cameras.iter().enumerate() {
        well(FeedIx::Camera(ix), camera.lines.len());
    }
    for ix in 0..show.fillers.len() {
        well(FeedIx::Filler(ix), 1);
    }
    switcher.handle(Input::Tick, now).unwrap();
    let mut decided = None;
    while let Some(output) = switcher.poll() {
        match output {
            Output::Program { decision, .. } => decided = Some(decision),
            Output::Event(event) if event.code == Code::Cue => cues.push(event.message),
            _ => {}
        }
    }
    decided
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was asked for, an engine that was down for any time wants what one wants that never
    /// was: also where the show's parts stand elsewhere by now. No cue is done twice, none is lost.
    #[test]
    fn who_was_down_wants_what_is_wanted(
        asks in asks(), died in 1u64..200, down in 0u64..200, moved in any::<bool>(),
    ) {
        let (old, new) = (show(SHOW), show(if moved { MOVED } else { SHOW }));
        let asks: Vec<_> = asks.into_iter().filter(|(at, _)| *at < died).collect();
        let mut there = Switcher::new(&old).unwrap();
        let mut cues = Vec::new();
        for n in 0..died {
            ask(&mut there, n, &asks);
            go(&mut there, &old, n, &mut cues);
        }
        let mut here = again(&there, &old, &new);
        prop_assert_eq!(chosen(&here, &new), chosen(&there, &old));
        for n in died..=died + down {
            go(&mut there, &old, n, &mut Vec::new());
        }
        let decision = go(&mut here, &new, died + down, &mut cues).unwrap();
        prop_assert_eq!((decision.key, decision.change.is_some()), (media::Key::Frame, true));
        prop_assert_eq!(wanted(&here), wanted(&there));
        let done = cues.len();
        cues.sort();
        cues.dedup();
        prop_assert_eq!(cues.len(), done, "a cue was done twice: {:?}", cues);
        // And from then on they show the same, once transitions are over.
        for n in died + down + 1..died + down + 60 {
            go(&mut there, &old, n, &mut Vec::new());
            go(&mut here, &new, n, &mut Vec::new());
        }
        let name = |switcher: &Switcher| {
            let channel = switcher.channel(ChannelIx(0)).unwrap();
            channel.on_air().and_then(|standing| channel.name_of(standing.on_air?)).map(str::to_owned)
        };
        prop_assert_eq!(name(&here), name(&there));
        prop_assert_eq!(wanted(&here), wanted(&there));
    }
}

fn first(switcher: &mut Switcher, show: &Show, at: u64, stands: impl Fn(&str) -> bool) -> (String, Reason) {
    let shown = tick(switcher, show, at, stands);
    (shown, switcher.channel(ChannelIx(0)).unwrap().on_air().unwrap().reason)
}

#[test]
fn the_first_picture_is_what_was_on_air_or_the_filler_until_its_line_is_back() {
    let tour = show(SHOW);
    // karry is on air since tick 25; tick 33 lies on no grid of key frames.
    let died = run_to(&tour, 32);
    let mut back = again(&died, &tour, &tour);
    assert_eq!(first(&mut back, &tour, 33, |_| true), ("karry Frame".to_owned(), Reason::Resumed));
    assert_eq!(first(&mut back, &tour, 34, |_| true).0, "karry Delta");
    // Its line has not come yet: nothing of it is there to be held.
    let mut back = again(&died, &tour, &tour);
    let now = rate().time_of(Tick(33));
    let filler = Input::Line { feed: FeedIx::Filler(0), line: LineIx(0), view: LineView::LIVE };
    back.handle(filler, now).unwrap();
    back.handle(Input::Tick, now).unwrap();
    let channel = back.channel(ChannelIx(0)).unwrap();
    let standing = channel.on_air().unwrap();
    assert_eq!((channel.name_of(standing.on_air.unwrap()), standing.reason), (Some("slate"), Reason::Filler));
    assert_eq!(first(&mut back, &tour, 34, |_| true), ("karry Frame".to_owned(), Reason::Recovered));
    // A mix that was under way is over; the cue that came due in between comes with the first tick.
    let mut back = again(&run_to(&tour, 55), &tour, &tour);
    assert_eq!(first(&mut back, &tour, 56, |_| true), ("main Frame".to_owned(), Reason::Resumed));
    let mut back = again(&died, &tour, &tour);
    assert_eq!(first(&mut back, &tour, 400, |_| true), ("bars Frame".to_owned(), Reason::Cut));
}

#[test]
fn alarms_that_stood_are_told_anew_or_not_at_all() {
    let tour = show(SHOW);
    let mut switcher = run_to(&tour, 30);
    let told = |switcher: &mut Switcher| {
        let told = std::iter::from_fn(|| switcher.poll());
        let codes = told.filter_map(|output| match output {
            Output::Event(event) => Some(event.code),
            _ => None,
        });
        codes.collect::<Vec<_>>()
    };
    let now = |n| rate().time_of(Tick(n));
    let view = LineView::new(LineState::Lost, Some(now(30)));
    switcher.handle(Input::Line { feed: FeedIx::Camera(1), line: LineIx(0), view }, now(30)).unwrap();
    let mut before = Vec::new();
    for n in 30..48 {
        switcher.handle(Input::Tick, now(n)).unwrap();
        before.extend(told(&mut switcher));
    }
    assert_eq!(before, [Code::FillerIn]);
    let mut back = again(&switcher, &tour, &tour);
    back.handle(Input::Tick, now(70)).unwrap();
    assert_eq!(told(&mut back), [Code::Cue, Code::Black], "no line has come");
    // main was asked for meanwhile, and is there: nothing of karry stands that could be cleared.
    let mut back = again(&switcher, &tour, &tour);
    for (ix, lines) in [2, 1, 1].into_iter().enumerate() {
        for line in (0..lines).map(LineIx) {
            let input = Input::Line { feed: FeedIx::Camera(ix), line, view: LineView::LIVE };
            back.handle(input, now(70)).unwrap();
        }
    }
    back.handle(Input::Tick, now(70)).unwrap();
    assert_eq!(told(&mut back), [Code::Cue]);
}

#[test]
fn the_line_that_was_chosen_by_hand_is_shown_and_a_lost_one_is_come_back_to() {
    let tour = show(SHOW);
    let mut switcher = run_to(&tour, 30);
    switcher.handle(Input::Choose { camera: "main", line: Some("sat") }, Time::from_secs(2)).unwrap();
    tick(&mut switcher, &tour, 30, |_| true);
    let shown = |switcher: &Switcher| switcher.lines(FeedIx::Camera(0)).unwrap().current();
    let mut back = again(&switcher, &tour, &tour);
    tick(&mut back, &tour, 40, |_| true);
    assert_eq!(shown(&back), Some(LineIx(1)));
    // It comes later than the other.
    let mut back = again(&switcher, &tour, &tour);
    tick(&mut back, &tour, 40, |line| line != "sat");
    assert_eq!(shown(&back), Some(LineIx(0)));
    for n in 41..80 {
        tick(&mut back, &tour, n, |_| true);
    }
    assert_eq!(shown(&back), Some(LineIx(1)));
}

#[test]
fn of_another_show_what_fits_is_taken_and_the_rest_told() {
    let tour = show(SHOW);
    let mut switcher = run_to(&tour, 30);
    let asked = [
        Command::Gain { source: "bars".into(), gain: Gain::from_tenths(-60).unwrap() },
        Command::Sound(Follow::Source("karry".into())),
        Command::Plan(PlanOrder::Hold),
        Action::Filler(Switch::On).into(),
    ];
    for command in &asked {
        let input = Input::Command { channel: ChannelIx(0), command };
        switcher.handle(input, Time::from_millis(1_200)).unwrap();
    }
    switcher.handle(Input::Choose { camera: "main", line: Some("sat") }, Time::from_millis(1_200)).unwrap();
    tick(&mut switcher, &tour, 30, |_| true);
    let other = SHOW
        .replace("; line sat push \"rtmp:live/b\"", "")
        .replace("sources main karry bars; filler slate after=500ms", "sources bars main")
        .replace("at 1s cut karry; ", "");
    let other = show(&other);
    let (mut back, left) = Switcher::go_on(&other, &tour, switcher.save()).unwrap();
    let left: Vec<_> = left.iter().map(ToString::to_string).collect();
    let expected = [
        "main: line sat, chosen by hand, is not there any more",
        "program: karry is no source of it any more: bars stands in its place",
        "program: its filler was asked for, and it has none any more",
    ];
    assert_eq!(left, expected);
    assert_eq!(first(&mut back, &other, 40, |_| true), ("bars Frame".to_owned(), Reason::Resumed));
    let channel = back.channel(ChannelIx(0)).unwrap();
    assert_eq!(channel.strip(SourceIx(0)).gain.tenths(), -60);
    assert_eq!((channel.intent().sound, channel.rundown_course()), (None, RundownCourse::Held));
    assert!(channel.cues().all(|cue| cue.state == CueState::Waiting));
    // Ticks of another length are no ticks of this show.
    let faster = show(&SHOW.replace("25fps", "50fps"));
    let error = Switcher::go_on(&faster, &tour, switcher.save()).unwrap_err().to_string();
    assert_eq!(error, "it was stored at 25fps, and the show runs at 50fps");
    // A state that is said to be of another show than it is.
    assert!(Switcher::go_on(&tour, &other, switcher.save()).is_err());
}

#[test]
fn a_channel_that_was_over_stays_over() {
    let text = SHOW.replace("next cut main", "at 6.2s end");
    let tour = show(&text);
    let mut back = again(&run_to(&tour, 160), &tour, &tour);
    assert!(back.channel(ChannelIx(0)).unwrap().is_over());
    assert_eq!(back.next_deadline(), None);
    back.handle(Input::Tick, Time::from_secs(9)).unwrap();
    assert!(!std::iter::from_fn(|| back.poll()).any(|output| matches!(
        output,
        Output::Program { decision, .. } if decision.program != Program::Ended
    )));
}
