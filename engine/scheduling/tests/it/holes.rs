//! Holes, the filler, and coming back.

use media::{Span, Tick};
use scheduling::{LineReason, OnAir, Picture, Reason, RefusalCode, SourceIx, SourceView};

use crate::rig::{FILLER_OFF, FILLER_ON, Rig, cut, ms, show};

#[test]
fn a_short_hole_is_held() {
    Rig::new(&[]).hole(0, 1000, 1480).run(3000).shows(
        "0:00.000 main start key
         0:01.000 main held
         0:01.480 main",
    );
}

#[test]
fn a_long_hole_is_covered_until_the_next_picture() {
    let mut rig = Rig::new(&[]).hole(0, 1000, 3000);
    rig.run(4000).shows(
        "0:00.000 main start key
         0:01.000 main held
         0:01.520 standby filler key
         0:03.000 main recovered key",
    );
    assert_eq!(
        rig.events(),
        [
            "0:01.520 Alarm filler-in program: main has no picture: the filler covers it",
            "0:03.000 Info filler-out program: the filler no longer covers main",
        ]
    );
}

#[test]
fn the_hole_counts_from_when_the_first_missing_picture_was_due() {
    // Told of it late, with the hole already older than 500 ms.
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    let tick = rig.program.next_tick();
    let late = [SourceView::missing(ms(400)), SourceView::CURRENT, SourceView::CURRENT];
    let decision = rig.program.decide(tick, &late, Some(SourceView::CURRENT));
    assert_eq!(decision.program.on_air(), Some(OnAir::Filler));
}

#[test]
fn a_hole_still_to_come_is_none() {
    let mut rig = Rig::new(&[]);
    let ahead = [SourceView::missing(ms(1))];
    let decision = rig.program.decide(Tick(0), &ahead, None);
    assert_eq!(decision.freshness, scheduling::Freshness::Live);
}

#[test]
fn an_ended_source_is_covered_like_a_hole() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    for (tick, on_air) in
        [(25, OnAir::Source(SourceIx(0))), (37, OnAir::Source(SourceIx(0))), (38, OnAir::Filler)]
    {
        let decision =
            rig.program.decide(Tick(tick), &[SourceView::ended(ms(1000))], Some(SourceView::CURRENT));
        assert_eq!(decision.program.on_air(), Some(on_air), "tick {tick}");
    }
}

#[test]
fn a_first_picture_is_waited_for_in_black() {
    Rig::new(&[]).first(0, 200).run(1000).shows(
        "0:00.000 black start key
         0:00.200 main start key",
    );
    let mut late = Rig::new(&[]).first(0, 2000);
    late.run(3000).shows(
        "0:00.000 black start key
         0:00.520 standby filler key
         0:02.000 main recovered key",
    );
    assert_eq!(
        late.events()[0],
        "0:00.520 Alarm filler-in program: main has no picture: the filler covers it"
    );
}

#[test]
fn a_dead_filler_is_black() {
    let mut rig = Rig::new(&[]).hole(0, 3000, 7500).filler_hole(500, 4000).filler_hole(5000, 9000);
    rig.run(8000).shows(
        "0:00.000 main start key
         0:03.000 main held
         0:03.520 black filler key
         0:04.000 standby filler key
         0:05.000 standby held
         0:07.000 black filler key
         0:07.520 main recovered key",
    );
    assert_eq!(
        rig.events(),
        [
            "0:03.520 Alarm black program: no picture and no filler: black and silence",
            "0:04.000 Info black-over program: there is a picture again",
            "0:04.000 Alarm filler-in program: main has no picture: the filler covers it",
            "0:07.000 Info filler-out program: the filler no longer covers main",
            "0:07.000 Alarm black program: no picture and no filler: black and silence",
            "0:07.520 Info black-over program: there is a picture again",
        ]
    );
}

/// A file whose thread gets no time comes later and later: as long as it comes at all it is better
/// than black, and nothing goes to and fro.
#[test]
fn a_filler_that_comes_late_is_shown_as_it_comes() {
    let mut rig = Rig::new(&[]).hole(0, 1000, 60_000);
    rig.run(1600);
    let mut last = 1600;
    // Each picture 1.2 s after the one before, which lies a tick before it in the film.
    for (n, tick) in (40..500).enumerate() {
        let now = tick * 40;
        last = if n % 30 == 0 { last + 40 } else { last };
        let filler = Some(SourceView::missing(ms(last)));
        let decision = rig.program.decide(Tick(tick as u64), &[SourceView::missing(ms(1000))], filler);
        assert_eq!(decision.program.on_air(), Some(OnAir::Filler), "at {now} ms, {} ms late", now - last);
    }
    let newest = 40 * (40 + 450);
    for tick in 500..600 {
        let filler = Some(SourceView::missing(ms(last)));
        let decision = rig.program.decide(Tick(tick), &[SourceView::missing(ms(1000))], filler);
        let expected = if tick * 40 < newest + 2000 { OnAir::Filler } else { OnAir::Black };
        assert_eq!(decision.program.on_air(), Some(expected), "tick {tick}");
    }
    // What is as late as before comes again, and is shown at once.
    let filler = Some(SourceView::missing(ms(last + 40)));
    let decision = rig.program.decide(Tick(600), &[SourceView::missing(ms(1000))], filler);
    assert_eq!(decision.program.on_air(), Some(OnAir::Filler));
    let codes: Vec<_> =
        rig.events().into_iter().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
    assert_eq!(codes, ["filler-in", "filler-out", "black", "black-over", "filler-in"]);
}

#[test]
fn a_filler_that_has_ended_is_held_no_longer_than_a_source() {
    let mut rig = Rig::new(&[]).hole(0, 1000, 60_000);
    rig.run(1600);
    for (tick, expected) in [(40, OnAir::Filler), (52, OnAir::Filler), (53, OnAir::Black)] {
        let filler = Some(SourceView::ended(ms(1600)));
        let decision = rig.program.decide(Tick(tick), &[SourceView::missing(ms(1000))], filler);
        assert_eq!(decision.program.on_air(), Some(expected), "tick {tick}");
    }
}

#[test]
fn without_a_filler_the_last_picture_is_held_for_half_a_second() {
    let mut show = show(&[]);
    show.channels[0].filler = None;
    let mut rig = Rig::of(&show).hole(0, 1000, 2000);
    rig.run(3000).shows(
        "0:00.000 main start key
         0:01.000 main held
         0:01.520 black filler key
         0:02.000 main recovered key",
    );
    rig.ask(&FILLER_ON).unwrap_err();
    assert!(rig.timeline.ends_with("refused no-filler: channel program has no filler []\n"));
}

#[test]
fn a_filler_at_once() {
    let mut show = show(&[]);
    show.channels[0].filler.as_mut().unwrap().after = Span::ZERO;
    Rig::of(&show).hole(0, 1000, 1120).run(2000).shows(
        "0:00.000 main start key
         0:01.000 standby filler key
         0:01.120 main recovered key",
    );
}

#[test]
fn a_covered_source_is_back_with_a_current_picture_only() {
    // One picture between two ticks: the hole is young again, but there is no picture to show.
    let mut rig = Rig::new(&[]).hole(0, 1000, 2010).hole(0, 2010, 3000);
    rig.run(4000).shows(
        "0:00.000 main start key
         0:01.000 main held
         0:01.520 standby filler key
         0:03.000 main recovered key",
    );
}

/// Over a hole as at any other time it is shown while it is on air, but the filler stays until a
/// picture comes that is as it was sent.
#[test]
fn a_damaged_picture_is_shown_and_not_come_back_with() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    let damaged = SourceView { picture: Picture::Damaged, line: None };
    let story = [
        (25, damaged, OnAir::Source(SourceIx(0))),
        (26, SourceView::missing(ms(1040)), OnAir::Source(SourceIx(0))),
        (27, damaged, OnAir::Source(SourceIx(0))),
        (40, SourceView::missing(ms(1080)), OnAir::Filler),
        (41, damaged, OnAir::Filler),
        (99, damaged, OnAir::Filler),
        (100, SourceView::CURRENT, OnAir::Source(SourceIx(0))),
        (101, damaged, OnAir::Source(SourceIx(0))),
    ];
    for (tick, view, on_air) in story {
        let decision = rig.program.decide(Tick(tick), &[view], Some(SourceView::CURRENT));
        assert_eq!(decision.program.on_air(), Some(on_air), "tick {tick}");
    }
}

#[test]
fn a_cut_leaves_the_filler() {
    let mut rig = Rig::new(&[(3000, cut("main"))]).hole(0, 1000, 9000).hole(2, 1900, 9000);
    rig.run(1800);
    rig.ask(&cut("karry")).unwrap();
    rig.run(2000);
    rig.ask(&cut("bars")).unwrap();
    rig.run(3000).shows(
        "0:00.000 main start key
         0:01.000 main held
         0:01.520 standby filler key
         0:01.800 karry cut key
         0:02.000 bars held cut key
         0:02.400 standby filler key",
    );
    // A director is told that there is nothing to show, a cue goes through.
    assert_eq!(rig.ask(&cut("main")).unwrap_err().code, RefusalCode::SourceLost);
    assert_eq!(rig.program.intent().source, SourceIx(2));
    rig.step();
    assert_eq!(rig.program.intent().source, SourceIx(0));
    assert_eq!(rig.program.on_air().unwrap().on_air, Some(OnAir::Filler));
    let last = rig.events().split_off(3);
    assert_eq!(
        last,
        [
            "0:03.000 Info cue program: cue 1 (cut main)",
            "0:03.000 Info filler-out program: the filler no longer covers bars",
            "0:03.000 Alarm filler-in program: main has no picture: the filler covers it",
        ]
    );
}

#[test]
fn a_cut_to_a_dead_source_is_the_filler_at_once() {
    let cues = [(1000, cut("karry")), (4000, cut("bars"))];
    Rig::new(&cues).hole(1, 100, 3000).never(2).run(5000).shows(
        "0:00.000 main start key
         0:01.000 standby filler key
         0:03.000 karry recovered key
         0:04.000 standby filler key",
    );
}

#[test]
fn filler_on_keeps_the_intent() {
    let mut rig = Rig::new(&[]).filler_hole(1500, 3700);
    rig.run(1000);
    rig.ask(&FILLER_ON).unwrap();
    rig.run(1200);
    assert_eq!(rig.ask(&cut("karry")).unwrap().reach, scheduling::Reach::IntentOnly);
    assert_eq!(rig.ask(&FILLER_ON).unwrap().reach, scheduling::Reach::Nothing);
    rig.run(4000);
    assert_eq!(rig.program.intent().source, SourceIx(1));
    rig.ask(&FILLER_OFF).unwrap();
    rig.run(4500).shows(
        "0:00.000 main start key
         0:01.000 standby filler key
         0:01.520 standby held
         0:03.520 black filler key
         0:03.720 standby filler key
         0:04.000 karry recovered key",
    );
    let codes: Vec<_> =
        rig.events().into_iter().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
    assert_eq!(codes, ["filler-asked", "black", "black-over", "filler-asked"]);
}

#[test]
fn filler_off_takes_a_source_in_a_short_hole() {
    let mut rig = Rig::new(&[]).hole(0, 1000, 9000);
    rig.ask(&FILLER_ON).unwrap();
    rig.run(1200);
    rig.ask(&FILLER_OFF).unwrap();
    rig.run(2000).shows(
        "0:00.000 standby filler key
         0:01.200 main held recovered key
         0:01.520 standby filler key",
    );
}

#[test]
fn another_line_of_the_source_on_air_is_told() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    let views = |line| {
        let changed = SourceView::CURRENT.over_line(line);
        [changed, changed, SourceView::CURRENT]
    };
    for (tick, line, reason) in [
        (25, LineReason::Failover, Some(Reason::Failover)),
        (26, LineReason::Start, None),
        (27, LineReason::Recovered, Some(Reason::Recovered)),
    ] {
        let decision = rig.program.decide(Tick(tick), &views(line), None);
        assert_eq!(decision.change.map(|change| change.reason), reason);
        assert_eq!(decision.key == media::Key::Frame, reason.is_some());
        assert_eq!(decision.program.on_air(), Some(OnAir::Source(SourceIx(0))));
    }
    // Not where it is not on air, nor over the director's own word.
    rig.ask(&cut("bars")).unwrap();
    let decision = rig.program.decide(Tick(28), &views(LineReason::Failover), None);
    assert_eq!(decision.change.unwrap().reason, Reason::Cut);
    assert_eq!(rig.program.decide(Tick(29), &views(LineReason::Failover), None).change, None);
}
