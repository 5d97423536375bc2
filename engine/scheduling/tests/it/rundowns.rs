//! Cues at their exact ticks.

use media::{FrameRate, Tick};
use pipeline_dsl::{Action, Switch};
use scheduling::{OnAir, Program, SourceIx, SourceView};

use crate::rig::{FILLER_OFF, FILLER_ON, Rig, cut, mix};

#[test]
fn a_whole_rundown() {
    let cues = [
        (1000, cut("karry")),
        (2000, mix("main", 520)),
        (3000, FILLER_ON),
        (3200, cut("bars")),
        (3500, FILLER_OFF),
        (4000, Action::End),
    ];
    let mut rig = Rig::new(&cues);
    rig.run(9000).shows(
        "0:00.000 main start key
         0:01.000 karry cut key
         0:02.000 karry>main mix key
         0:02.520 main key
         0:03.000 standby filler key
         0:03.520 bars recovered key
         0:04.000 end end",
    );
    assert_eq!(rig.decisions.iter().filter(|decision| !decision.is_end()).count(), 100);
    assert_eq!(
        rig.events(),
        [
            "0:01.000 Info cue program: cue 1 (cut karry)",
            "0:02.000 Info cue program: cue 2 (mix main over=520ms)",
            "0:03.000 Info filler-asked program: the filler is asked for",
            "0:03.000 Info cue program: cue 3 (filler on)",
            "0:03.200 Info cue program: cue 4 (cut bars)",
            "0:03.520 Info filler-asked program: the filler is no longer asked for",
            "0:03.520 Info cue program: cue 5 (filler off)",
            "0:04.000 Info cue program: cue 6 (end)",
            "0:04.000 Info end program: the show is over",
        ]
    );
    let standing = rig.program.on_air().unwrap();
    assert_eq!((standing.on_air, standing.since), (None, Tick(100)));
}

#[test]
fn cues_of_one_tick_act_in_the_order_of_the_file() {
    // 0.99 s and 1.0 s are both seen first at the tick of 1 s.
    let cues = [(1000, cut("bars")), (990, cut("karry")), (1000, mix("main", 80))];
    Rig::new(&cues).run(2000).shows(
        "0:00.000 main start key
         0:01.000 bars>main mix key
         0:01.080 main key",
    );
}

#[test]
fn a_cue_at_the_start_is_the_first_picture() {
    Rig::new(&[(0, cut("karry"))]).run(500).shows("0:00.000 karry start key");
    Rig::new(&[(-5000, mix("karry", 400))]).run(500).shows("0:00.000 karry start key");
    Rig::new(&[(0, Action::End)]).run(500).shows("0:00.000 end end");
    // The grace of a show's first picture holds for it, too.
    Rig::new(&[(0, cut("karry"))]).first(1, 200).run(500).shows(
        "0:00.000 black start key
         0:00.200 karry start key",
    );
}

#[test]
fn a_cue_overrides_a_command_of_its_tick() {
    let mut rig = Rig::new(&[(1000, cut("bars"))]);
    rig.run(1000);
    rig.ask(&cut("karry")).unwrap();
    rig.run(2000).shows("0:00.000 main start key\n 0:01.000 bars cut key");
}

#[test]
fn a_mix_breaks_into_a_mix() {
    let mut rig = Rig::new(&[(1200, mix("bars", 200)), (1240, mix("bars", 400))]);
    rig.run(1000);
    rig.ask(&mix("karry", 1000)).unwrap();
    rig.run(2000).shows(
        "0:00.000 main start key
         0:01.000 main>karry mix key
         0:01.200 karry>bars mix key
         0:01.400 bars key",
    );
}

#[test]
fn a_cue_that_cannot_be_is_told() {
    let mut rig = Rig::new(&[(1000, Action::EncryptRotate)]);
    rig.ask(&Action::EncryptRotate).unwrap();
    rig.run(2000);
    let events = rig.events();
    assert_eq!(
        events[1],
        "0:01.000 Warn cue-refused program: cue 1 (encrypt rotate): channel program is on the last of its 2 keys"
    );
}

#[test]
fn cues_and_keys_of_ticks_left_out_are_made_up_for() {
    let mut rig = Rig::new(&[(1000, cut("karry")), (1200, Action::Encrypt(Switch::Off))]);
    rig.run(40);
    let views = [SourceView::CURRENT; 3];
    let decision = rig.program.decide(Tick(120), &views, None);
    assert_eq!(decision.program, Program::One(OnAir::Source(SourceIx(1))));
    assert_eq!((decision.encrypt, decision.key), (scheduling::Encryption::Clear, media::Key::Frame));
    assert_eq!(rig.program.decide(Tick(149), &views, None).key, media::Key::Delta);
    assert_eq!(rig.program.decide(Tick(151), &views, None).key, media::Key::Frame);
}

#[test]
fn ticks_of_a_broken_rate_are_exact() {
    let mut show = crate::rig::show(&[(10_010, cut("karry")), (3_600_000, Action::End)]);
    show.video.rate = FrameRate::new(30_000, 1001).unwrap();
    let mut rig = Rig::of(&show);
    rig.run(4_000_000);
    let changes: Vec<_> = rig.decisions.iter().filter(|d| d.change.is_some()).map(|d| d.tick.0).collect();
    // 3600 s * 30000 / 1001 = 107892.1: the last tick before the end is 107892.
    assert_eq!(changes, [0, 300, 107_893]);
}
