//! Lines that carry sound alone: as good as any where there are no pictures, and never in their way.

use media::Span;
use pipeline_dsl::{Failover, Prefer, Suspect};
use proptest::prelude::*;
use scheduling::{
    Carries, ChannelIx, Command, Decision, Fader, FeedIx, Input, LineFigures, LineIx, LineReason,
    LineSelector, LineState, LineView, NotChosen, OnAir, Output, SourceIx, Switcher,
};

use crate::rig::{cut, ms};
use crate::two_lines::{TICK, TwoLines};

const LIVE: LineView = LineView::LIVE;
const RADIO: LineView = LineView { carries: Carries::SoundAlone, ..LIVE };

use LineReason::{Failover as Lost, Recovered, Start};

fn hole(since: i64) -> LineView {
    LineView::new(LineState::Lost, Some(ms(since)))
}
fn silence(since: i64) -> LineView {
    LineView { carries: Carries::SoundAlone, ..hole(since) }
}

#[test]
fn a_camera_of_sound_goes_over_as_one_of_pictures_does() {
    let mut rig = TwoLines::new(Failover { recover: Span::from_secs(2), ..Failover::default() });
    rig.run(1000, [RADIO, RADIO]).run(2000, [silence(1000), RADIO]).run(6000, [RADIO, RADIO]);
    assert_eq!(rig.changes, [(0, 0, Start), (1400, 1, Lost), (4000, 0, Recovered)]);
}

#[test]
fn sound_alone_is_left_for_the_first_picture_and_not_gone_over_to_from_a_hole() {
    let mut rig = TwoLines::new(Failover { prefer: Prefer::Stay, ..Failover::default() });
    rig.run(1000, [RADIO, LineView::NEVER]).run(2000, [RADIO, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (1000, 1, Recovered)]);
    // Its pictures are what the camera is there for: the filler covers the hole.
    rig.run(9000, [RADIO, hole(2000)]);
    assert_eq!(rig.changes.len(), 2);
    assert_eq!(rig.selector.choose(Some(LineIx(0))), Err(NotChosen::Lost));
    // A line that had none gets some.
    rig.run(9080, [LIVE, hole(2000)]);
    assert_eq!(rig.changes[2..], [(9000, 0, Lost)]);
}

#[test]
fn nothing_of_pictures_is_held_against_it() {
    let suspect = Suspect {
        min_fps: Some(media::FrameRate::new(20, 1).unwrap()),
        min_bitrate: Some(50_000),
        after: Span::from_secs(1),
        ..Suspect::default()
    };
    let figures = |bitrate| LineFigures {
        millifps: Some(0),
        bitrate: Some(bitrate),
        black_since: Some(ms(0)),
        frozen_since: Some(ms(0)),
        ..LineFigures::default()
    };
    let radio = |bitrate| LineView { figures: figures(bitrate), ..RADIO };
    let mut rig = TwoLines::new(Failover { suspect, ..Failover::default() });
    rig.run(20_000, [radio(64_000), radio(64_000)]);
    assert_eq!(rig.changes, [(0, 0, Start)]);
    rig.run(30_000, [radio(9_000), radio(64_000)]);
    assert_eq!(rig.changes[1..], [(21_000, 1, LineReason::Suspect)]);
}

/// A radio feed as a channel's source: taken by a cut, heard, covered when it stops, and back.
#[test]
fn a_radio_feed_is_a_source_like_any_other() {
    let show = r#"show tour {
        video 1280x720 25fps
        camera main { line a push "rtmp:live/a" }
        camera radio { line b push "rtmp:live/b" }
        filler slate { test bars }
        ladder one { rung 720p 1280x720 2500k }
        channel program { sources main radio; filler slate after=500ms; ladder one; egress web serve http-flv }
    }"#;
    let mut switcher = Switcher::new(&pipeline_dsl::parse_show(show).unwrap()).unwrap();
    let mut told = Vec::new();
    let (main, radio) = (OnAir::Source(SourceIx(0)), OnAir::Source(SourceIx(1)));
    for tick in 0..250 {
        let now = switcher.next_deadline().unwrap();
        let of_radio = match tick {
            0..25 => LineView::NEVER,
            125..200 => silence(5000),
            _ => RADIO,
        };
        for (feed, view) in
            [(FeedIx::Camera(0), LIVE), (FeedIx::Filler(0), LIVE), (FeedIx::Camera(1), of_radio)]
        {
            switcher.handle(Input::Line { feed, line: LineIx(0), view }, now).unwrap();
        }
        let cut = Command::from(cut("radio"));
        let asked = Input::Command { channel: ChannelIx(0), command: &cut };
        match tick {
            // Before its first sound there is nothing to cut to.
            20 => assert!(switcher.handle(asked, now).is_err()),
            50 => assert!(switcher.handle(asked, now).is_ok()),
            _ => {}
        }
        switcher.handle(Input::Tick, now).unwrap();
        while let Some(output) = switcher.poll() {
            if let Output::Program { decision, .. } = output {
                let heard = decision.fader(radio) == Fader::Quick(1.0);
                told.push((decision.program.on_air().unwrap(), heard));
            }
        }
    }
    let runs = told.chunk_by(|a, b| a == b).map(|run| (run[0].0, run[0].1, run.len()));
    assert_eq!(
        runs.collect::<Vec<_>>(),
        [
            (main, false, 50),
            (radio, true, 75),
            (radio, false, 13),
            (OnAir::Filler, false, 62),
            (radio, true, 50)
        ]
    );
}

/// Per line, stretches of so many ticks: with what it carries, or without.
type Lines = Vec<(Option<usize>, Vec<(usize, bool)>)>;

/// Lines of a camera, some of which carry sound alone, for ever or up to a tick.
fn lines() -> impl Strategy<Value = Lines> {
    let first_picture = prop::option::of(prop_oneof![Just(0usize), 1usize..400]);
    let stretch = (1usize..80, prop::bool::weighted(0.6));
    prop::collection::vec((first_picture, prop::collection::vec(stretch, 1..20)), 1..4)
}

fn views(lines: &Lines) -> Vec<Vec<LineView>> {
    let line = |(pictures_from, stretches): &(Option<usize>, Vec<(usize, bool)>)| {
        let (mut all, mut since, mut seen): (Vec<LineView>, Option<usize>, bool) = (Vec::new(), None, false);
        for (ticks, comes) in stretches {
            for _ in 0..*ticks {
                let tick = all.len();
                since = if *comes { None } else { since.or(Some(tick)) };
                seen |= comes;
                let carries = match pictures_from {
                    Some(from) if tick >= *from => Carries::Pictures,
                    _ => Carries::SoundAlone,
                };
                let hole = since.map(|tick| ms(tick as i64 * TICK));
                let state = if seen { LineState::Live } else { LineState::Never };
                all.push(LineView { carries, ..LineView::new(state, hole) });
            }
        }
        all
    };
    let lines: Vec<_> = lines.iter().map(line).collect();
    let ticks = lines.iter().map(Vec::len).min().unwrap_or(0);
    (0..ticks).map(|tick| lines.iter().map(|line| line[tick]).collect()).collect()
}

/// The line of each tick, and why it came.
fn chosen(views: &[Vec<LineView>], failover: Failover) -> Vec<(Option<usize>, Option<LineReason>)> {
    let mut selector = LineSelector::new(views.first().map_or(0, Vec::len), failover);
    let choices = (0..).zip(views).map(|(tick, views)| selector.select(ms(tick * TICK), views));
    let plain = choices.map(|choice| (choice.line.map(|line| line.0), choice.change.map(|c| c.reason)));
    plain.collect()
}

fn failover() -> impl Strategy<Value = Failover> {
    let prefer = prop::sample::select(vec![Prefer::First, Prefer::Stay]);
    (0i64..1000, 0i64..2000, prefer).prop_map(|(lost, recover, prefer)| Failover {
        lost: Span::from_millis(lost),
        recover: Span::from_millis(recover),
        prefer,
        ..Failover::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Where no line has pictures, sound stands for them: the same choices at the same ticks.
    #[test]
    fn among_its_like_it_is_treated_as_pictures_are(mut lines in lines(), failover in failover()) {
        lines.iter_mut().for_each(|(pictures_from, _)| *pictures_from = None);
        let heard = chosen(&views(&lines), failover);
        lines.iter_mut().for_each(|(pictures_from, _)| *pictures_from = Some(0));
        prop_assert_eq!(heard, chosen(&views(&lines), failover));
    }

    /// Once any line has had a picture, sound alone is never gone over to, and never stayed with
    /// where a line with pictures is well.
    #[test]
    fn it_is_never_in_the_way_of_pictures(lines in lines(), failover in failover()) {
        let views = views(&lines);
        let mut before = None;
        for (tick, (views, (line, _))) in (0..).zip(views.iter().zip(chosen(&views, failover))) {
            let is_pictured = |view: &&LineView| view.carries == Carries::Pictures && view.state != LineState::Never;
            let pictured: Vec<_> = views.iter().filter(is_pictured).collect();
            let shown = line.map(|line| views[line]);
            if let Some(shown) = shown.filter(|shown| shown.carries == Carries::SoundAlone) {
                let is_new = line != before;
                prop_assert!(pictured.is_empty() || !is_new, "tick {tick}: gone over to {shown:?}");
                prop_assert!(!pictured.iter().any(|view| view.is_well(ms(tick * TICK))), "tick {tick}: stayed with {shown:?}");
            }
            before = line;
        }
    }
}

/// What is on air is one source, with its sound, whatever its lines carry.
fn heard_with_what_is_seen(decision: &Decision, cameras: usize) -> Result<(), TestCaseError> {
    for source in (0..cameras).map(|ix| OnAir::Source(SourceIx(ix))) {
        let loud = !matches!(decision.fader(source), Fader::Quick(0.0) | Fader::Slow(0.0));
        let is_live = decision.freshness == scheduling::Freshness::Live;
        prop_assert_eq!(loud, decision.program.on_air() == Some(source) && is_live);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_heard_is_what_is_on_air(one in lines(), two in lines(), cuts in prop::collection::vec((0usize..400, 0usize..2), 0..12)) {
        let camera = |name: &str, lines: &Lines| {
            let lines: String = (0..lines.len()).map(|n| format!("line l{n} push \"rtmp:live/{name}{n}\"; ")).collect();
            format!("camera {name} {{ {lines} }}\n")
        };
        let text = format!(
            "show t {{ video 64x36 25fps\n{}{}filler slate {{ test bars }}\nladder one {{ rung r 64x36 100k }}
             channel p {{ sources c0 c1; filler slate; ladder one; egress w serve http-flv }} }}",
            camera("c0", &one), camera("c1", &two)
        );
        let mut switcher = Switcher::new(&pipeline_dsl::parse_show(&text).unwrap()).unwrap();
        let views = [views(&one), views(&two)];
        for tick in 0..views[0].len().min(views[1].len()) {
            let now = switcher.next_deadline().unwrap();
            for (camera, views) in views.iter().enumerate() {
                for (line, view) in views[tick].iter().enumerate() {
                    let input = Input::Line { feed: FeedIx::Camera(camera), line: LineIx(line), view: *view };
                    switcher.handle(input, now).unwrap();
                }
            }
            for (_, to) in cuts.iter().filter(|(at, _)| *at == tick) {
                let command = Command::from(cut(["c0", "c1"][*to]));
                // One without anything to show or hear is refused.
                let _ = switcher.handle(Input::Command { channel: ChannelIx(0), command: &command }, now);
            }
            switcher.handle(Input::Tick, now).unwrap();
            while let Some(output) = switcher.poll() {
                if let Output::Program { decision, .. } = output {
                    heard_with_what_is_seen(&decision, 2)?;
                }
            }
        }
    }
}
