//! Cuts and mixes, and what is refused.

use media::{Key, Tick};
use pipeline_dsl::{Action, Edge, Rgb, Switch};
use scheduling::{
    Command, Decision, Effect, Fader, Follow, Gain, OnAir, Program, Reach, RefusalCode, SourceIx, SourceView,
    Transition,
};

use crate::rig::{FILLER_OFF, FILLER_ON, Rig, cut, mix};

const CURRENT: [SourceView; 3] = [SourceView::CURRENT; 3];

#[test]
fn a_cut_acts_at_the_next_tick_decided() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    let Effect { tick, intent, reach } = rig.ask(&cut("karry")).unwrap();
    assert_eq!((tick, intent.source, reach), (Tick(25), SourceIx(1), Reach::Program));
    assert_eq!(intent.since, Tick(25));
    assert_eq!(rig.program.on_air().unwrap().on_air, Some(OnAir::Source(SourceIx(0))));
    rig.run(1040).shows("0:00.000 main start key\n 0:01.000 karry cut key");
    assert_eq!(rig.program.on_air().unwrap().since, Tick(25));
}

#[test]
fn the_last_of_several_takes_in_a_tick_is_shown() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    for source in ["karry", "bars", "main"] {
        rig.ask(&cut(source)).unwrap();
    }
    // Back where it was: nothing comes on air.
    rig.run(2000).shows("0:00.000 main start key");
    rig.ask(&cut("karry")).unwrap();
    rig.ask(&mix("bars", 80)).unwrap();
    rig.run(3000).shows(
        "0:00.000 main start key
         0:02.000 karry>bars mix key
         0:02.080 bars key",
    );
}

#[test]
fn a_mix_takes_its_ticks_and_no_more() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    rig.ask(&mix("karry", 200)).unwrap();
    rig.run(2000).shows(
        "0:00.000 main start key
         0:01.000 main>karry mix key
         0:01.200 karry key",
    );
    let steps = rig.decisions.iter().filter_map(|decision| match decision.program {
        Program::Mix { step, of, .. } => Some((step, of)),
        _ => None,
    });
    assert_eq!(steps.collect::<Vec<_>>(), [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6)]);
    let keys: Vec<_> =
        rig.decisions.iter().filter(|decision| decision.key == Key::Frame).map(|d| d.tick.0).collect();
    assert_eq!(keys, [0, 25, 30]);
}

#[test]
fn a_mix_of_no_length_is_a_cut() {
    for over in [0, -500] {
        let mut rig = Rig::new(&[]);
        rig.run(1000);
        rig.ask(&mix("karry", over)).unwrap();
        rig.run(2000).shows("0:00.000 main start key\n 0:01.000 karry cut key");
    }
}

#[test]
fn a_cut_during_a_mix_jumps() {
    for (target, wanted) in [
        ("bars", "0:01.120 bars cut key"),
        ("main", "0:01.120 main cut key"),
        // To where it leads: only the mix ends.
        ("karry", "0:01.120 karry key"),
    ] {
        let mut rig = Rig::new(&[]);
        rig.run(1000);
        rig.ask(&mix("karry", 400)).unwrap();
        rig.run(1120);
        rig.ask(&cut(target)).unwrap();
        rig.run(2000).shows(&format!("0:00.000 main start key\n0:01.000 main>karry mix key\n{wanted}"));
    }
}

#[test]
fn filler_on_ends_a_mix() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    rig.ask(&mix("karry", 400)).unwrap();
    rig.run(1120);
    rig.ask(&FILLER_ON).unwrap();
    rig.run(1240);
    rig.ask(&mix("bars", 400)).unwrap();
    rig.run(1320);
    rig.ask(&FILLER_OFF).unwrap();
    rig.ask(&mix("main", 80)).unwrap();
    rig.run(2000).shows(
        "0:00.000 main start key
         0:01.000 main>karry mix key
         0:01.120 standby filler key
         0:01.320 standby>main mix key
         0:01.400 main key",
    );
}

#[test]
fn filler_on_and_off_again_in_one_tick_ends_a_mix_with_a_key_frame() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    rig.ask(&mix("karry", 400)).unwrap();
    rig.run(1120);
    rig.ask(&FILLER_ON).unwrap();
    rig.ask(&FILLER_OFF).unwrap();
    rig.run(2000).shows(
        "0:00.000 main start key
         0:01.000 main>karry mix key
         0:01.120 karry key",
    );
}

#[test]
fn a_mix_into_a_hole() {
    // A young hole: the last picture fades in, then the filler covers it.
    let mut rig = Rig::new(&[]).hole(1, 800, 2000);
    rig.run(1000);
    rig.ask(&mix("karry", 400)).unwrap();
    rig.run(3000).shows(
        "0:00.000 main start key
         0:01.000 main>karry held mix key
         0:01.320 standby filler key
         0:02.000 karry recovered key",
    );
    // An old one: there is nothing to mix to. A director is told so, a cue is carried out.
    let mut rig = Rig::new(&[(1000, mix("karry", 400))]).hole(1, 100, 2000);
    rig.run(3000).shows(
        "0:00.000 main start key
         0:01.000 standby filler key
         0:02.000 karry recovered key",
    );
}

#[test]
fn a_mix_out_of_a_hole_goes_on() {
    let mut rig = Rig::new(&[]).hole(0, 900, 9000);
    rig.run(1000);
    rig.ask(&mix("karry", 800)).unwrap();
    rig.run(3000).shows(
        "0:00.000 main start key
         0:00.920 main held
         0:01.000 main>karry mix key
         0:01.800 karry key",
    );
}

#[test]
fn refusals_say_what_is_legal() {
    let mut rig = Rig::new(&[(3000, Action::End)]);
    rig.run(1000);
    let before = rig.program.save();
    rig.ask(&cut("nobody")).unwrap_err();
    assert_eq!(rig.program.save(), before);
    rig.ask(&mix("karry", 400)).unwrap();
    rig.ask(&mix("bars", 400)).unwrap_err();
    rig.run(1200);
    rig.ask(&mix("bars", 400)).unwrap_err();
    rig.run(1400);
    // The mix is over by the tick this one begins at.
    rig.ask(&mix("bars", 40)).unwrap();
    rig.ask(&Action::EncryptRotate).unwrap();
    rig.ask(&Action::EncryptRotate).unwrap_err();
    rig.run(4000);
    rig.ask(&cut("main")).unwrap_err();
    rig.shows(
        "0:00.000 main start key
         refused unknown-source: channel program has no source \"nobody\" [main, karry, bars]
         refused in-transition: channel program is in a transition already [cut main, cut karry, cut bars]
         0:01.000 main>karry mix key
         refused in-transition: channel program is in a transition already [cut main, cut karry, cut bars]
         refused no-next-key: channel program is on the last of its 2 keys []
         0:01.400 karry>bars second-key mix key
         0:01.440 bars second-key key
         0:03.000 end second-key end
         refused ended: channel program is over []",
    );
}

#[test]
fn encryption_acts_at_the_next_tick_with_a_key_frame() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    rig.ask(&Action::Encrypt(Switch::Off)).unwrap();
    rig.run(1200);
    assert_eq!(rig.ask(&Action::EncryptRotate).unwrap().reach, Reach::IntentOnly);
    rig.run(1400);
    rig.ask(&Action::Encrypt(Switch::On)).unwrap();
    assert_eq!(rig.ask(&Action::Encrypt(Switch::On)).unwrap().reach, Reach::Nothing);
    rig.run(2000).shows(
        "0:00.000 main start key
         0:01.000 main clear key
         0:01.400 main second-key key",
    );
    assert_eq!(
        rig.events(),
        [
            "0:01.000 Info encryption program: encryption is off",
            "0:01.400 Info encryption program: encrypted under key 2 of the ring",
        ]
    );
}

#[test]
fn a_channel_without_keys_is_clear() {
    let mut show = crate::rig::show(&[]);
    show.channels[0].encrypt = None;
    let mut rig = Rig::of(&show);
    for command in [Action::Encrypt(Switch::On), Action::EncryptRotate] {
        assert_eq!(rig.ask(&command).unwrap_err().code, RefusalCode::NoEncryption);
    }
    assert_eq!(rig.step().encrypt, scheduling::Encryption::Clear);
}

#[test]
fn a_tick_decided_before_is_answered_as_it_was() {
    let mut rig = Rig::new(&[]);
    rig.run(1000);
    rig.ask(&cut("karry")).unwrap();
    let again = rig.program.decide(Tick(24), &CURRENT, None);
    assert_eq!((again.program.on_air(), again.key), (Some(OnAir::Source(SourceIx(0))), Key::Delta));
    assert_eq!(again.change, None);
    rig.run(1040).shows("0:00.000 main start key\n 0:01.000 karry cut key");
}

#[test]
fn nothing_breaks_at_the_end_of_time() {
    let mut rig = Rig::new(&[]);
    for tick in [u64::MAX - 1, u64::MAX, u64::MAX, 0] {
        rig.ask(&mix(if tick % 2 == 0 { "karry" } else { "main" }, i64::MAX)).ok();
        rig.program.decide(Tick(tick), &CURRENT, Some(SourceView::CURRENT));
    }
    assert_eq!(rig.program.next_tick(), Tick(u64::MAX));
}

#[test]
fn a_source_without_a_picture_is_refused_with_those_that_have_one() {
    let mut rig = Rig::new(&[]).hole(1, 100, 9000).never(2);
    // Before the first tick nothing is known of anyone.
    assert_eq!(rig.program.clone().handle(&cut("karry").into(), Tick(0)).unwrap().reach, Reach::Program);
    rig.run(400);
    // A young hole may close again.
    rig.ask(&cut("karry")).unwrap();
    rig.ask(&cut("main")).unwrap();
    rig.run(1000);
    rig.ask(&cut("karry")).unwrap_err();
    rig.ask(&mix("bars", 400)).unwrap_err();
    // What is asked for behind the filler is nobody's picture yet.
    rig.ask(&FILLER_ON).unwrap();
    assert_eq!(rig.ask(&cut("karry")).unwrap().reach, Reach::IntentOnly);
    rig.run(1200).shows(
        "0:00.000 main start key
         refused source-lost: channel program cannot show karry: it has no picture [cut main]
         refused source-lost: channel program cannot show bars: it has no picture [cut main]
         0:01.000 standby filler key",
    );
}

#[test]
fn a_take_brings_the_preview_and_puts_the_old_source_there() {
    let mut rig = Rig::new(&[]);
    let preview = |source: &str| Command::Preview { source: source.into() };
    rig.run(1000);
    rig.order(&Command::Take(Transition::Cut)).unwrap_err();
    assert_eq!(rig.order(&preview("karry")).unwrap().reach, Reach::IntentOnly);
    assert_eq!(rig.order(&preview("karry")).unwrap().reach, Reach::Nothing);
    rig.order(&preview("nobody")).unwrap_err();
    rig.run(1200);
    rig.order(&Command::Take(Transition::Cut)).unwrap();
    assert_eq!(rig.program.intent().preview, Some(SourceIx(0)));
    rig.run(1400);
    let over = media::Span::from_millis(160);
    rig.order(&Command::Take(Transition::Wipe { over, from: Edge::Top })).unwrap();
    assert_eq!(rig.program.intent().preview, Some(SourceIx(1)));
    // In the middle of it there is no other, and nothing changes on preview.
    rig.run(1480);
    rig.order(&Command::Take(Transition::Mix { over })).unwrap_err();
    assert_eq!(rig.program.intent().preview, Some(SourceIx(1)));
    rig.run(1600);
    rig.order(&Command::Take(Transition::Dip { over, color: Rgb { r: 0, g: 0, b: 0 } })).unwrap();
    rig.run(2000).shows(
        "0:00.000 main start key
         refused no-preview: channel program has nothing on preview [preview main, preview karry, preview bars]
         refused unknown-source: channel program has no source \"nobody\" [main, karry, bars]
         0:01.200 karry cut key
         0:01.400 karry|main wipe key
         refused in-transition: channel program is in a transition already [cut main, cut karry, cut bars]
         0:01.560 main key
         0:01.600 main_karry dip key
         0:01.760 karry key",
    );
}

#[test]
fn sound_goes_with_the_picture_or_is_held() {
    let mut rig = Rig::new(&[]).hole(0, 2000, 2200);
    let heard = |decision: &Decision| {
        let parts = (0..3).map(|ix| OnAir::Source(SourceIx(ix))).chain([OnAir::Filler]);
        parts
            .map(|part| match decision.fader(part) {
                Fader::Quick(gain) | Fader::Slow(gain) => gain,
            })
            .collect::<Vec<_>>()
    };
    rig.run(1000);
    assert_eq!(heard(&rig.step()), [1.0, 0.0, 0.0, 0.0]);
    rig.order(&Command::Sound(Follow::Source("main".into()))).unwrap();
    rig.ask(&cut("karry")).unwrap();
    assert_eq!(heard(&rig.step()), [1.0, 0.0, 0.0, 0.0]);
    // Over the hole of what is held there is silence, whatever is seen.
    rig.run(2080);
    assert_eq!(heard(&rig.step()), [0.0; 4]);
    rig.order(&Command::Sound(Follow::Picture)).unwrap();
    assert_eq!(heard(&rig.step()), [0.0, 1.0, 0.0, 0.0]);
    rig.ask(&mix("bars", 120)).unwrap();
    assert_eq!(heard(&rig.step()), [0.0, 0.75, 0.25, 0.0]);
    rig.order(&Command::Sound(Follow::Source("nobody".into()))).unwrap_err();
}

#[test]
fn every_source_has_a_gain_and_a_mute() {
    let mut rig = Rig::new(&[]);
    let gain = |tenths| Command::Gain { source: "karry".into(), gain: Gain::from_tenths(tenths).unwrap() };
    let mute = |mute| Command::Mute { source: "karry".into(), mute };
    assert_eq!(rig.order(&gain(-200)).unwrap().reach, Reach::Program);
    assert_eq!(rig.order(&gain(-200)).unwrap().reach, Reach::Nothing);
    let factor = |rig: &Rig, source| rig.program.strip(SourceIx(source)).factor();
    assert_eq!((factor(&rig, 0), factor(&rig, 1)), (1.0, 0.1));
    rig.order(&mute(Switch::On)).unwrap();
    assert_eq!(factor(&rig, 1), 0.0);
    rig.order(&mute(Switch::Off)).unwrap();
    assert_eq!(factor(&rig, 1), 0.1);
    assert_eq!((Gain::from_tenths(-601), Gain::from_tenths(121)), (None, None));
    assert_eq!(Gain::from_tenths(-60).unwrap().to_string(), "-6.0 dB");
}
