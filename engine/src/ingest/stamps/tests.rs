use super::hearing::WAIT_FOR_SOUND;
use super::*;
use proptest::prelude::*;

const CUSHION: Span = Span::from_millis(200);

fn ms(ms: i64) -> Time {
    Time::from_millis(ms)
}

fn stamps() -> Stamps {
    Stamps::new(FrameRate::new(25, 1).unwrap(), CUSHION)
}

#[test]
fn the_first_picture_lies_on_a_tick_and_sound_waits_for_it() {
    let mut stamps = stamps();
    assert_eq!(stamps.sound(ms(500), ms(1003)), None);
    assert_eq!(stamps.picture(ms(520), ms(1013)), Mapped::At(ms(1240)));
    assert_eq!(stamps.sound(ms(520), ms(1013)), Some(Heard::At(ms(1240))));
    let mut alone = self::stamps();
    assert_eq!(alone.sound(ms(0), ms(1000)), None);
    assert_eq!(alone.sound(ms(1000), ms(2000)), Some(Heard::At(ms(2200))));
}

#[test]
fn one_offset_for_sound_and_pictures() {
    let mut stamps = stamps();
    assert_eq!(stamps.picture(ms(90_000), ms(1000)), Mapped::At(ms(1200)));
    assert_eq!(stamps.sound(ms(89_980), ms(1000)), Some(Heard::At(ms(1180))));
    assert_eq!(stamps.picture(ms(90_040), ms(1090)), Mapped::At(ms(1240)));
}

/// A multiplexer that packs 360 ms of sound and sends it with the last of it.
#[test]
fn the_line_waits_for_sound_that_comes_late_but_not_for_ever() {
    let mut stamps = stamps();
    assert_eq!(stamps.picture(ms(0), ms(0)), Mapped::At(ms(200)));
    assert_eq!(stamps.sound(ms(0), ms(100)), Some(Heard::At(ms(200))));
    assert_eq!(stamps.picture(ms(400), ms(400)), Mapped::At(ms(600)));
    // 200 ms, and 100 for those that are later still, in whole ticks.
    assert_eq!(stamps.sound(ms(40), ms(400)), Some(Heard::Waits(ms(560))));
    assert_eq!(stamps.sound(ms(400), ms(870)), Some(Heard::At(ms(920))));
    assert_eq!(stamps.picture(ms(760), ms(880)), Mapped::At(ms(1280)), "pictures wait with it");
    // Late by more than it may be: it is lost, and nothing moves.
    assert_eq!(stamps.picture(ms(1260), ms(1260)), Mapped::At(ms(1780)));
    assert_eq!(stamps.sound(ms(0), ms(1260)), Some(Heard::At(ms(520))));
    assert_eq!(stamps.picture(ms(1300), ms(1300)), Mapped::At(ms(1820)));
}

/// Sound that falls behind ever further.
#[test]
fn what_is_waited_for_sound_is_bounded_and_told_in_all() {
    let mut stamps = stamps();
    stamps.picture(ms(0), ms(0));
    let mut times = 0;
    for n in 1..200 {
        let now = ms(n * 40);
        stamps.picture(now, now);
        let before = stamps.waits_for_sound();
        // 30 ms further behind with each block.
        let heard = stamps.sound(ms(n * 10), now);
        let longer = stamps.waits_for_sound() - before;
        assert_eq!(matches!(heard, Some(Heard::Waits(_))), longer > Span::ZERO);
        times += i32::from(longer > Span::ZERO);
    }
    assert!(times > 2 && stamps.waits_for_sound() <= WAIT_FOR_SOUND, "{times} times");
}

/// A fast sender whose stamps leap about: none agrees with another.
#[test]
fn what_stands_in_does_not_run_away_from_show_time() {
    let mut stamps = stamps();
    stamps.picture(ms(0), ms(0));
    for n in 1..2000 {
        let now = ms(n);
        match stamps.picture(ms(n * n * 10_000), now) {
            Mapped::Outlier(at) => assert!(at <= now + BEYOND, "{at} at {now}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_lone_outlier_moves_nothing_and_three_that_agree_move_the_offset() {
    let mut stamps = stamps();
    stamps.picture(ms(0), ms(0));
    assert_eq!(stamps.picture(ms(3_600_000), ms(40)), Mapped::Outlier(ms(240)));
    assert_eq!(stamps.picture(ms(80), ms(80)), Mapped::At(ms(280)));
    let jumped: Vec<_> = (0..3).map(|n| stamps.picture(ms(10_000 + 40 * n), ms(120 + 40 * n))).collect();
    assert_eq!(jumped[..2], [Mapped::Outlier(ms(320)), Mapped::Outlier(ms(360))]);
    assert_eq!(jumped[2], Mapped::Jumped(ms(400), Span::from_millis(120 - 10_000)));
    assert_eq!(stamps.picture(ms(10_120), ms(240)), Mapped::At(ms(440)));
}

#[test]
fn wild_outliers_that_disagree_never_win() {
    let mut stamps = stamps();
    stamps.picture(ms(0), ms(0));
    for n in 1..50 {
        let at = ms(200 + n * 40);
        assert_eq!(stamps.picture(ms(n * 100_000), ms(n * 40)), Mapped::Outlier(at), "as if nothing was");
    }
}

const TICK: i64 = 40;

/// A line at 25 pictures a second whose clock is off by `ppm`, for so many seconds, over a
/// network that adds up to 30 ms. Gives the moves, and the least and the most that ever
/// waited after the first half minute.
fn drive(ppm: i64, seconds: i64) -> (Vec<Span>, Span, Span) {
    let mut stamps = stamps();
    let (mut moves, mut least, mut most) = (Vec::new(), Span::MAX, Span::ZERO);
    let mut last = ms(0);
    for n in 0..seconds * 25 {
        let jitter = Span::from_nanos(n * 7919 % 30_011 * 1000);
        let sent = ms(1000) + Span::from_nanos(n * TICK * (1_000_000 + ppm));
        let at = match stamps.picture(ms(n * TICK), sent + jitter) {
            Mapped::At(at) => at,
            Mapped::Moved(at, by) | Mapped::Settled(at, by) => {
                moves.push(by);
                at
            }
            other => panic!("{other:?} at {sent}"),
        };
        assert!(at > last || !moves.is_empty(), "time goes on");
        last = at;
        if n > 30 * 25 {
            (least, most) = (least.min(at - sent), most.max(at - sent));
        }
    }
    (moves, least, most)
}

#[test]
fn a_clock_that_is_off_costs_no_tick_in_three_hours_and_what_waits_stays_the_same() {
    for ppm in [-300, -50, 50, 300] {
        let (moves, least, most) = drive(ppm, 3 * 3600);
        assert_eq!(moves, [], "{ppm} ppm");
        let (low, high) = (CUSHION - Span::from_millis(5), CUSHION + Span::from_millis(TICK + 5));
        assert!(least >= low && most <= high, "{ppm} ppm: {least} to {most} wait");
        assert!(most - least <= Span::from_millis(8), "{ppm} ppm: {least} to {most} wait");
    }
}

#[test]
fn a_clock_that_is_none_is_followed_by_whole_ticks() {
    for ppm in [-30_000, 30_000] {
        let (moves, _, most) = drive(ppm, 600);
        assert!(!moves.is_empty() && moves.iter().all(|by| (*by > Span::ZERO) == (ppm > 0)));
        assert!(moves.iter().all(|by| by.flicks() % Span::from_millis(TICK).flicks() == 0));
        assert!(most < CUSHION + EARLY + Span::from_millis(3 * TICK), "{most} wait");
    }
}

#[test]
fn the_drift_is_told() {
    let mut stamps = stamps();
    assert_eq!(stamps.standing(), None);
    for n in 0..25 * 60 {
        stamps.picture(ms(n * TICK), Time::from_nanos(n * TICK * 1_000_200));
    }
    let standing = stamps.standing().unwrap();
    let ppm = standing.drift_ppm.unwrap();
    assert!((ppm + 200.0).abs() < 2.0, "a slow clock: {ppm}");
    assert!((standing.offset - CUSHION).abs() < Span::from_millis(30), "{}", standing.offset);
}

#[test]
fn a_clock_that_is_right_is_left_alone_whatever_the_jitter() {
    assert_eq!(drive(0, 600).0, []);
    // Late by up to half a second, but now and then one is in time.
    let mut stamps = stamps();
    for n in 0..1000 {
        let late = if n % 40 == 0 { 0 } else { n * 7919 % 500 };
        let mapped = stamps.picture(ms(n * TICK), ms(n * TICK + late));
        assert_eq!(mapped, Mapped::At(ms(n * TICK + 200)), "not even bent");
    }
}

/// A relay between sender and us stands still, and then sends all it has.
#[test]
fn after_a_stall_everything_is_where_it_was() {
    let mut stamps = stamps();
    for n in 0..500 {
        // Nothing for four seconds, then a hundred in a tenth of a second.
        let came = if (200..300).contains(&n) { 300 * TICK + n - 300 } else { n * TICK };
        assert_eq!(stamps.picture(ms(n * TICK), ms(came)), Mapped::At(ms(n * TICK + 200)), "picture {n}");
    }
}

/// An encoder starts its clock anew, and misses no picture.
#[test]
fn a_jump_leaves_no_seam() {
    for by in [-10_000, 10_000, -900, 1_400] {
        let mut stamps = stamps();
        let jitter = |n: i64| n * 7919 % 31;
        for n in 0..200 {
            stamps.picture(ms(n * TICK), ms(n * TICK + jitter(n)));
        }
        let before = stamps.place(ms(200 * TICK)).unwrap();
        for n in 200..210 {
            let mapped = stamps.picture(ms(n * TICK + by), ms(n * TICK + jitter(n)));
            assert_eq!(mapped.at(), before + Span::from_millis((n - 200) * TICK), "{n} of a jump by {by}");
            assert_eq!(matches!(mapped, Mapped::Jumped(..)), n == 202);
        }
    }
}

proptest! {
    /// Whatever stamps come whenever: no panic, and nothing is put where it cannot be played.
    #[test]
    fn wild_stamps_find_a_place_near_now(
        all in prop::collection::vec(
            (prop_oneof![4 => 0i64..80, 1 => -20_000i64..20_000, 1 => any::<i64>()], 0i64..400, any::<bool>()),
            1..400),
    ) {
        let mut stamps = stamps();
        let (mut pts, mut now) = (Time::ZERO, Time::ZERO);
        for (step, passed, is_sound) in all {
            pts += Span::from_millis(step);
            now += Span::from_millis(passed);
            let at = if is_sound {
                match stamps.sound(pts, now) {
                    Some(Heard::At(at) | Heard::Before(at) | Heard::Moved(at, _) | Heard::Waits(at)) => at,
                    None => continue,
                }
            } else {
                stamps.picture(pts, now).at()
            };
            prop_assert!(at <= now + BEYOND + WAIT_FOR_SOUND, "{at} at {now}");
        }
    }
}

#[test]
fn slow_ticks_do_not_swing() {
    let mut stamps = Stamps::new(FrameRate::new(1, 1).unwrap(), CUSHION);
    stamps.picture(ms(0), ms(0));
    let late = |n: i64| ms(n * TICK + 1000);
    let moves = (1..500).filter(|n| matches!(stamps.picture(ms(n * TICK), late(*n)), Mapped::Moved(..)));
    assert!(moves.count() <= 1);
}

/// A relay sends the GOP it has kept, four seconds of it, at once; then it is live.
#[test]
fn a_burst_at_the_beginning_is_caught_up_within_half_a_second() {
    let mut stamps = stamps();
    let mut last = None;
    for n in 0..150 {
        let live = (n - 100).max(0);
        let now = ms(5000 + live * TICK + (n % 100) / 2);
        let mapped = stamps.picture(ms(n * TICK), now);
        if let Mapped::At(at) | Mapped::Jumped(at, _) | Mapped::Moved(at, _) | Mapped::Settled(at, _) = mapped
        {
            last = Some((live, at - now));
        }
        if live > 12 {
            let (_, ahead) = last.unwrap();
            assert!(
                ahead <= CUSHION + Span::from_millis(2 * TICK) && ahead > Span::ZERO,
                "{ahead} at {live}"
            );
        }
    }
}

/// Sound that lags behind its pictures for a while, as where each has a connection of its own.
#[test]
fn what_sound_needs_no_more_is_not_waited_for_any_longer() {
    let mut stamps = stamps();
    let mut longest = Span::ZERO;
    for n in 0..25 * 300 {
        let now = ms(1000 + n * TICK);
        let picture = stamps.picture(ms(n * TICK), now).at();
        let lag = if (500..600).contains(&n) { 12 } else { n % 2 };
        let Some(Heard::At(at) | Heard::Waits(at)) = stamps.sound(ms((n - lag) * TICK), now) else {
            panic!("sound at {n}")
        };
        assert!(at > now && picture - now > CUSHION - Span::from_millis(15), "{at}, {picture} at {n}");
        longest = longest.max(stamps.waits_for_sound());
        if n == 620 {
            assert!(longest >= Span::from_millis(320), "{longest}");
        }
    }
    // What sound comes later by, and some room, it keeps.
    assert!(stamps.waits_for_sound() <= Span::from_millis(TICK), "{}", stamps.waits_for_sound());
    let end = ms(25 * 300 * TICK);
    let waits = stamps.place(end).unwrap() - (end + Span::from_millis(1000));
    assert!(waits < CUSHION + Span::from_millis(2 * TICK + 5), "{waits}");
}

/// Sound that always comes 400 ms late, more or less: it is waited for as long as that is so.
#[test]
fn what_sound_needs_now_and_then_is_waited_for() {
    let mut stamps = stamps();
    for n in 0..25 * 120 {
        let now = ms(n * TICK);
        stamps.picture(now, now);
        let heard = stamps.sound(ms((n - 8 - n * 7919 % 3) * TICK), now);
        // The first has no picture to go by yet.
        let is_steady = n < 50 || matches!(heard, Some(Heard::At(at)) if at > now);
        assert!(is_steady, "{heard:?} at {n}");
    }
    assert!(stamps.waits_for_sound() >= Span::from_millis(240), "{}", stamps.waits_for_sound());
}

/// A network stands still now and then: what it held back is late, pictures and sound alike.
#[test]
fn the_line_does_not_wait_for_ever_for_what_was_late_once() {
    for stall in [100, 300, 700, 1_200] {
        let mut stamps = stamps();
        for n in 0..1_000 {
            // Once early, while nothing is known of the stream, and once later.
            let held = [(20, 20 + stall / TICK), (500, 500 + stall / TICK)];
            let until = held.iter().find(|(from, to)| (*from..*to).contains(&n)).map_or(n, |(_, to)| *to);
            let came = ms(until * TICK);
            // The sound of a picture comes just before it, or just after.
            let sounds = |stamps: &mut Stamps, at: i64| stamps.sound(ms(n * TICK + at), came);
            let before = if n > 0 { sounds(&mut stamps, -10) } else { None };
            let picture = stamps.picture(ms(n * TICK), came);
            assert_eq!(picture, Mapped::At(ms(n * TICK + 200)), "picture {n}, {stall} ms");
            let after = sounds(&mut stamps, 10);
            for heard in before.into_iter().chain(after) {
                assert!(matches!(heard, Heard::At(_)), "{heard:?} at {n}, {stall} ms");
            }
        }
        assert_eq!(stamps.waits_for_sound(), Span::ZERO);
    }
}

/// Another way through the network is 150 ms shorter.
#[test]
fn what_waits_too_long_soon_waits_as_it_should() {
    let mut stamps = stamps();
    for n in 0..25 * 60 {
        let late = if n < 10 * 25 { 150 } else { 0 };
        let now = ms(1000 + n * TICK + late);
        let Mapped::At(at) = stamps.picture(ms(n * TICK), now) else { panic!("it moves at {n}") };
        let waits = at - now;
        assert!(waits >= CUSHION - Span::from_millis(TICK / 4), "{waits} at {n}");
        if n >= 45 * 25 {
            assert!(waits <= CUSHION + Span::from_millis(TICK + 5), "{waits} at {n}");
        }
    }
}

/// Another line of its camera may come as late as this one began, and has to be waited for then.
#[test]
fn among_other_lines_what_waits_too_long_is_not_taken_away() {
    let mut stamps = stamps();
    stamps.among_others();
    for n in 0..200 {
        let came = ms((n * TICK).max(300));
        assert!(matches!(stamps.picture(ms(n * TICK), came), Mapped::At(_)), "picture {n}");
    }
    let waits = stamps.place(ms(8_000)).unwrap() - ms(8_000);
    assert!(waits > CUSHION + Span::from_millis(280), "{waits}");
}

/// Three pictures come at once, then none for three: what that takes is not taken away.
#[test]
fn what_bursts_need_is_spared() {
    for connecting in [0, 150, 300, 450] {
        let depth = Span::from_millis(60);
        let mut stamps = Stamps::new(FrameRate::new(25, 1).unwrap(), depth);
        for n in 0..75 {
            let now = ms(((n / 3 * 3 + 2) * TICK).max(connecting));
            let (Mapped::At(at) | Mapped::Settled(at, _)) = stamps.picture(ms(n * TICK), now) else {
                panic!("picture {n}")
            };
            let (waits, tick) = (at - now, Span::from_millis(TICK));
            assert!(waits > Span::ZERO, "picture {n} waits {waits}");
            if n >= 25 {
                let spare = waits - tick.times(n % 3);
                let near = Span::from_millis(5);
                assert!(spare >= depth - near && spare <= depth + tick + near, "{n}: {spare}, {connecting}");
            }
        }
    }
}

proptest! {
    /// A steady stream whose first pictures come late, at once, since connecting takes a while, is
    /// shown no later than its buffer and a tick from a second on, and never sooner than its buffer.
    #[test]
    fn a_steady_stream_waits_no_longer_than_its_buffer_and_a_tick(
        depth in 20i64..1500,
        fps in prop::sample::select(&[24u32, 25, 30, 50, 60][..]),
        interval in prop::sample::select(&[16i64, 20, 33, 40, 66][..]),
        phase in 0i64..1000,
        connecting in 0i64..500,
        jitter in 0i64..8,
        seed in 1i64..10_000,
    ) {
        let rate = FrameRate::new(fps, 1).unwrap();
        let mut stamps = Stamps::new(rate, Span::from_millis(depth));
        let (depth, tick) = (Span::from_millis(depth), rate.tick_span());
        for n in 0..8_000 / interval {
            let sent = ms(5000 + phase + n * interval);
            let came = (sent + Span::from_millis(n * seed % (jitter + 1))).max(ms(5000 + phase + connecting));
            let at = match stamps.picture(ms(777 + n * interval), came) {
                Mapped::At(at) | Mapped::Settled(at, _) => at,
                other => panic!("{other:?}"),
            };
            if came > ms(6000 + phase + connecting) {
                let jitter = Span::from_millis(jitter);
                let near = Span::from_flicks(tick.flicks() / 4) + Span::from_millis(5);
                prop_assert!(at - sent <= depth + tick + jitter, "{} at {came}", at - sent);
                prop_assert!(at - came >= depth - jitter - near, "{} at {came}", at - came);
            }
        }
    }
}
