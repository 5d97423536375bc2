//! What rests while the engine cannot keep up, over random loads: in the declared order, back in the
//! inverse one, and not to and fro.

use media::{Span, Time};
use pipeline_dsl::Show;
use proptest::prelude::*;
use scheduling::{
    ChannelIx, Encoding, EncodingStep, Load, Overload, ShedRung, ShedStep, Shedding, Thumbnails,
};

const TICK: i64 = 40;
const ROOM: usize = 3;

/// A program that says what may go, one that says that nothing may, and cameras' own channels: one
/// that says nothing, one that is recorded, one that has an order of its own.
const SHOW: &str = r#"show tour {
  video 1280x720 25fps
  camera a { line gen test bars }
  camera b { line gen test bars }
  camera c { line gen test bars }
  ladder three { rung 720p 1280x720 2500k; rung 480p 854x480 1200k; rung 360p 640x360 700k }
  channel program { sources a b c; ladder three shed=480p; egress web serve http-flv }
  channel clean { sources a b c; ladder three shed=none; egress web serve http-flv }
  channel own-a { sources a; ladder three; egress web serve http-flv }
  channel own-b { sources b; ladder three; egress disk record "{rung}.flv" }
  channel own-c { sources c; ladder three shed=360p,720p; egress web serve http-flv }
}"#;
const PROGRAM: usize = 0;
const CHANNELS: usize = 5;

fn show() -> Show {
    let checked = pipeline_dsl::check(SHOW);
    checked.show.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn rung(channel: usize, rung: usize) -> ShedRung {
    ShedRung { channel: ChannelIx(channel), rung }
}

fn at(tick: usize) -> Time {
    Time::from_millis(TICK * tick as i64)
}

#[test]
fn side_channels_go_first_and_what_is_recorded_or_said_to_stay_never_does() {
    let order = Shedding::new(&show());
    let expected = [rung(4, 2), rung(4, 0), rung(2, 0), rung(2, 1), rung(PROGRAM, 1)];
    assert_eq!(order.order(), expected);
}

/// One show with one channel: it is the program, and keeps all it has unless it says otherwise.
#[test]
fn a_program_that_says_nothing_keeps_all_its_rungs() {
    let only = |shed: &str| {
        let text = format!(
            "show t {{ camera a {{ line g test bars }}
               ladder l {{ rung b 640x360 900k; rung s 320x180 300k }}
               channel p {{ sources a; ladder l {shed}; egress w serve http-flv }} }}"
        );
        Shedding::new(&pipeline_dsl::parse_show(&text).unwrap())
    };
    let mut none = only("");
    assert_eq!(none.order(), []);
    let heavy = Load { late: Span::from_millis(500), waiting: ROOM, room: ROOM, ..Load::default() };
    assert!((0..100).all(|tick| none.tick(at(tick), heavy).is_none()));
    assert_eq!(none.overload(), Overload::Yes, "the crew is told, though there is nothing to shed");
    assert!((100..1_000).all(|tick| none.tick(at(tick), Load::default()).is_none()));
    assert_eq!(none.overload(), Overload::No);
    assert_eq!(only("shed=s,b").order(), [rung(0, 1), rung(0, 0)]);
}

/// Thumbnails go before any rung where somebody wants them, and are back after all of them.
#[test]
fn thumbnails_go_first_and_come_back_last() {
    let heavy = |thumbnails| Load { late: Span::from_millis(500), waiting: ROOM, room: ROOM, thumbnails };
    let light = |thumbnails| Load { room: ROOM, thumbnails, ..Load::default() };
    let steps = |asked: fn(usize) -> Thumbnails| {
        let mut shedding = Shedding::new(&show());
        let mut told = Vec::new();
        for tick in 0..1_500 {
            let load = if tick < 50 { heavy(asked(tick)) } else { light(asked(tick)) };
            told.extend(shedding.tick(at(tick), load).map(|step| (tick, step)));
        }
        assert_eq!(shedding.overload(), Overload::No);
        told
    };
    let first = rung(4, 2);
    assert_eq!(
        steps(|_| Thumbnails::Asked),
        [
            (13, ShedStep::NoThumbnails),
            (38, ShedStep::Shed(first)),
            (300, ShedStep::Back(first)),
            (550, ShedStep::ThumbnailsBack)
        ]
    );
    // Nothing is won by them where nobody asks.
    let unasked = steps(|_| Thumbnails::Unasked);
    assert_eq!(unasked[0], (13, ShedStep::Shed(first)));
    assert!(unasked.iter().all(|(_, step)| matches!(step, ShedStep::Shed(_) | ShedStep::Back(_))));
    // And none is made for whoever asks in the middle of it.
    let late = steps(|tick| if tick < 100 { Thumbnails::Unasked } else { Thumbnails::Asked });
    assert!(late.contains(&(100, ShedStep::NoThumbnails)), "{late:?}");
    assert!(matches!(late.last(), Some((_, ShedStep::ThumbnailsBack))), "{late:?}");
}

/// Stretches of a load.
fn loads() -> impl Strategy<Value = Vec<Load>> {
    let load = prop_oneof![
        3 => (41i64..2_000, 0..=ROOM).prop_map(|(late, waiting)| (late, waiting)),
        1 => (0i64..2_000).prop_map(|late| (late, ROOM)),
        1 => (21i64..=40, 0..ROOM).prop_map(|(late, waiting)| (late, waiting)),
        4 => (0i64..=20, 0..=ROOM / 2).prop_map(|(late, waiting)| (late, waiting)),
    ];
    let thumbnails = prop_oneof![Just(Thumbnails::Asked), Just(Thumbnails::Unasked)];
    let stretch = (load, thumbnails, prop_oneof![1usize..30, 1usize..300, 200usize..1_500]);
    prop::collection::vec(stretch, 1..25).prop_map(|stretches| {
        let of = |((late, waiting), thumbnails, ticks): ((i64, usize), Thumbnails, usize)| {
            let late = Span::from_millis(late);
            std::iter::repeat_n(Load { late, waiting, room: ROOM, thumbnails }, ticks)
        };
        stretches.into_iter().flat_map(of).collect()
    })
}

fn is_heavy(load: &Load) -> bool {
    load.late > Span::from_millis(TICK) || load.waiting == ROOM
}

fn is_light(load: &Load) -> bool {
    load.late <= Span::from_millis(TICK / 2) && load.waiting * 2 <= ROOM
}

/// Ticks up to and with this one of which all are so.
fn lasting(loads: &[Load], tick: usize, is: impl Fn(&Load) -> bool) -> i64 {
    loads[..=tick].iter().rev().take_while(|load| is(load)).count() as i64
}

/// Whether the last ten seconds were light but for stumbles: what is late for less than 100 ms, and
/// begins no sooner than a second after the one before.
fn is_calm(loads: &[Load]) -> bool {
    let Some(before) = loads.len().checked_sub(10_000 / TICK as usize + 1) else { return false };
    let late: Vec<i64> =
        (0..).zip(&loads[before..]).filter(|(_, load)| !is_light(load)).map(|(n, _)| n * TICK).collect();
    let apart = late.iter().flat_map(|a| late.iter().map(move |b| b - a));
    apart.into_iter().all(|apart| !(100..=900).contains(&apart))
}

/// Ten seconds without a single late tick are seldom had on a machine that does other things, too.
#[test]
fn a_tick_that_is_late_by_itself_keeps_nothing_from_coming_back() {
    let back = |every: usize, late_ticks: usize| {
        let mut shedding = Shedding::new(&show());
        let load = |late| Load { late: Span::from_millis(late), room: ROOM, ..Load::default() };
        let gone = (0..).find(|tick| shedding.tick(at(*tick), load(500)).is_some()).unwrap();
        let later = gone + 1..gone + 1_500;
        let late = |tick: usize| if tick % every < late_ticks { 60 } else { 5 };
        later
            .into_iter()
            .find(|tick| shedding.tick(at(*tick), load(late(*tick))).is_some())
            .map(|tick| tick - gone)
    };
    assert!((250..280).contains(&back(50, 1).unwrap()), "a tick every two seconds");
    assert!((250..280).contains(&back(25, 2).unwrap()), "two together every second");
    assert_eq!(back(20, 1), None, "oftener than that");
    assert_eq!(back(100, 4), None, "and for longer");
}

proptest! {
    #[test]
    fn all_goes_in_order_and_comes_back_in_the_inverse_one_and_slowly(mut loads in loads()) {
        let show = show();
        let mut shedding = Shedding::new(&show);
        let order = shedding.order().to_vec();
        let mut twin = shedding.clone();
        let mut gone: Vec<ShedRung> = Vec::new();
        let mut last: Option<(usize, ShedStep)> = None;
        // In the end it is quiet for so long that all is back: five rungs and the thumbnails, 160 s
        // each at the most.
        let quiet = 7 * 160_000 / TICK as usize;
        loads.extend(std::iter::repeat_n(Load { room: ROOM, ..Load::default() }, quiet));
        let mut steps = 0;
        for (tick, load) in loads.iter().enumerate() {
            let (before, made) = (shedding.overload(), shedding.makes_thumbnails());
            let step = shedding.tick(at(tick), *load);
            prop_assert_eq!(step, twin.tick(at(tick), *load));
            let since = last.map_or(i64::MAX, |(last, _)| (tick - last) as i64 * TICK);
            match step {
                Some(ShedStep::Shed(rung)) => {
                    prop_assert!(lasting(&loads, tick, is_heavy) * TICK > 500);
                    let back = matches!(last, Some((_, ShedStep::Back(_) | ShedStep::ThumbnailsBack)));
                    prop_assert!(since >= 1_000 || back);
                    // What came back in the first 100 ms of it, which might have been a stumble, is
                    // there for the rest.
                    prop_assert!(since >= 400);
                    prop_assert!(!made || load.thumbnails == Thumbnails::Unasked, "they go first");
                    gone.push(rung);
                }
                Some(ShedStep::NoThumbnails) => {
                    prop_assert!(made && load.thumbnails == Thumbnails::Asked);
                    prop_assert!(before == Overload::Yes || lasting(&loads, tick, is_heavy) * TICK > 500);
                }
                Some(ShedStep::ThumbnailsBack) => {
                    prop_assert!(!made && gone.is_empty(), "they come back last");
                    prop_assert!(is_calm(&loads[..=tick]));
                    prop_assert_eq!(shedding.overload(), Overload::No);
                }
                Some(ShedStep::Back(rung)) => {
                    prop_assert!(is_calm(&loads[..=tick]));
                    prop_assert!(since >= 10_000);
                    prop_assert_eq!(gone.pop(), Some(rung));
                }
                None => {}
            }
            if let Some(step) = step {
                // Who asks for thumbnails only then is told at once that there are none.
                if step != ShedStep::NoThumbnails || before == Overload::No {
                    last = Some((tick, step));
                }
                steps += 1;
            }
            prop_assert_eq!(made != shedding.makes_thumbnails(), matches!(step, Some(ShedStep::NoThumbnails | ShedStep::ThumbnailsBack)));
            prop_assert_eq!(shedding.shed(), &order[..gone.len()], "a beginning of the order");
            let all = gone.is_empty() && shedding.makes_thumbnails();
            prop_assert!(all || shedding.overload() == Overload::Yes);
        }
        prop_assert_eq!(shedding.overload(), Overload::No);
        prop_assert!(gone.is_empty() && steps % 2 == 0);
    }

    /// A machine that has less than the whole show takes, for an hour: it is in time again soon, and
    /// what is too much is tried ever more seldom.
    #[test]
    fn a_machine_that_is_too_small_is_in_time_and_rungs_do_not_come_and_go(share in 55i64..130) {
        let mut shedding = Shedding::new(&show());
        let all = 15;
        let (mut late, mut worst_later, mut backs) = (0.0f64, 0.0f64, Vec::new());
        for tick in 0..3_600_000 / TICK as usize {
            let rungs = all - shedding.shed().len();
            let cost = rungs as f64 / all as f64 * TICK as f64;
            late = (late + cost * 100.0 / share as f64 - TICK as f64).max(0.0);
            let load = Load { late: Span::from_millis(late as i64), room: ROOM, ..Load::default() };
            if let Some(ShedStep::Back(_)) = shedding.tick(at(tick), load) {
                backs.push(tick);
            }
            if tick as i64 * TICK > 60_000 {
                worst_later = worst_later.max(late);
            }
        }
        // Five of fifteen rungs can go.
        if share > 70 {
            prop_assert!(worst_later < 3_000.0, "{} ms late", worst_later);
        }
        prop_assert!(backs.len() <= 2 * 5 + 3_600 / 160, "{} came back", backs.len());
        if share > 100 {
            prop_assert_eq!(shedding.overload(), Overload::No);
        }
    }

    /// Who has not shed a rung always has it, whoever encodes it; what nobody wants is not encoded.
    #[test]
    fn only_what_nobody_wants_rests(
        lenders in prop::collection::vec(prop::option::of(0..CHANNELS), CHANNELS),
        heavy in 0usize..12,
    ) {
        let mut shedding = Shedding::new(&show());
        let load = Load { late: Span::from_millis(900), waiting: ROOM, room: ROOM, ..Load::default() };
        for tick in 0..heavy * 25 {
            shedding.tick(at(tick), load);
        }
        // Only what a channel encodes itself is carried.
        let now = |ix: usize| match lenders[ix] {
            Some(lender) if lender != ix && lenders[lender].is_none() => Encoding::Carried(ChannelIx(lender)),
            _ => Encoding::Own,
        };
        let steps: Vec<_> = (0..CHANNELS)
            .map(|ix| EncodingStep { before: Encoding::None, now: now(ix), key: media::Key::Frame })
            .collect();
        for channel in 0..CHANNELS {
            let lender = match now(channel) {
                Encoding::Carried(ChannelIx(lender)) => lender,
                _ => channel,
            };
            for place in 0..3 {
                let group = (0..CHANNELS).filter(|ix| *ix == lender || now(*ix) == Encoding::Carried(ChannelIx(lender)));
                let unwanted = group.map(|ix| rung(ix, place)).all(|one| shedding.shed().contains(&one));
                prop_assert_eq!(shedding.rests(&steps, rung(channel, place)), unwanted);
            }
        }
    }

    /// A changed show: what rests goes on resting where it still may, and comes back.
    #[test]
    fn a_reload_keeps_what_rests(heavy in 0usize..12) {
        let mut shedding = Shedding::new(&show());
        let load = Load { late: Span::from_millis(900), waiting: ROOM, room: ROOM, ..Load::default() };
        for tick in 0..heavy * 25 {
            shedding.tick(at(tick), load);
        }
        let same = shedding.reload(&show());
        prop_assert_eq!(same.shed(), shedding.shed());
        let other = pipeline_dsl::parse_show(&SHOW.replace("shed=360p,720p", "shed=720p")).unwrap();
        let mut reloaded = shedding.reload(&other);
        let kept: Vec<_> = shedding.shed().iter().copied().filter(|one| *one != rung(4, 2)).collect();
        prop_assert_eq!(reloaded.shed(), &kept[..]);
        let quiet = Load { room: ROOM, ..Load::default() };
        for tick in heavy * 25..heavy * 25 + 7 * 25 * 11 {
            reloaded.tick(at(tick), quiet);
        }
        prop_assert_eq!(reloaded.overload(), Overload::No);
    }
}
