//! A line that brings sound and no pictures, in virtual time: heard over black, lost, and back.

use std::sync::Arc;

use codecs::{Fake, Frame, Pcm, PictureMut};
use media::{Size, Time};
use pipeline_dsl::Standby;
use scheduling::Duty;

use super::bench::{Bench, RATE};
use crate::ingest::intake::Arrival;

fn ms(ms: i64) -> Time {
    Time::from_millis(ms)
}

fn sound(at: i64) -> Arrival {
    Arrival::Sound(Pcm { pts: ms(at), rate: RATE, channels: 1, samples: vec![0.5; 960].into() })
}

fn picture(at: i64) -> Arrival {
    let picture = PictureMut::new(Size::new(16, 16)).unwrap().freeze();
    Arrival::Frame(Frame { pts: ms(at), picture })
}

/// A line of a show of 25 pictures a second.
fn line() -> Bench {
    Bench::new(Arc::new(Fake::new()), Size::new(16, 16), 25, 1)
}

/// Sound in blocks of 20 ms, and pictures beside it if there are any.
fn send(bench: &mut Bench, from: i64, to: i64, pictures: impl Fn(i64) -> bool) {
    for at in (from..to).step_by(20) {
        bench.run_to(ms(at));
        if at % 40 == 0 && pictures(at) {
            bench.put(picture(at));
        }
        bench.put(sound(at));
    }
}

/// Stretches of ticks in a hole, and of such that are none, in seconds.
fn stretches(bench: &Bench) -> Vec<(bool, f64)> {
    let runs = bench.shown.chunk_by(|a, b| a.1 == b.1);
    runs.map(|run| (run[0].1, run.len() as f64 * 0.04)).collect()
}

fn assert_like(bench: &Bench, wanted: &[(bool, f64)]) {
    let found = stretches(bench);
    let is_near = |(a, b): (&(bool, f64), &(bool, f64))| a.0 == b.0 && (a.1 - b.1).abs() < 0.15;
    assert!(found.len() == wanted.len() && found.iter().zip(wanted).all(is_near), "{found:?}");
}

#[test]
fn a_line_that_never_had_pictures_stands_as_its_sound_does() {
    let mut bench = line();
    send(&mut bench, 0, 6000, |_| false);
    bench.run_to(ms(8000));
    // Another stream of the same: it is known what it brings.
    bench.put(Arrival::Started { from: "the same".to_owned() });
    send(&mut bench, 8000, 12_000, |_| false);
    bench.run_to(ms(14_000));
    // That none come is known after 3 s; what comes waits for 200 ms; a new stream's first second
    // may still bring pictures.
    assert_like(&bench, &[(true, 3.0), (false, 3.2), (true, 3.0), (false, 3.0), (true, 1.8)]);
    let heard = bench.sound.iter().filter(|sample| **sample > 0.4).count() as f64 / 48_000.0;
    assert!((7.9..8.4).contains(&heard), "{heard} s are heard");
    assert!(bench.line.buffer.is_sound_alone());
}

#[test]
fn pictures_that_come_are_what_it_stands_by_from_then_on() {
    let mut bench = line();
    send(&mut bench, 0, 16_000, |at| (6000..10_000).contains(&at));
    bench.put(Arrival::Ended("gone".to_owned()));
    bench.put(Arrival::Started { from: "without pictures".to_owned() });
    send(&mut bench, 16_000, 24_000, |_| false);
    // It is in a hole while its sound goes on, and in the next stream, too.
    assert_like(&bench, &[(true, 3.0), (false, 7.2), (true, 13.8)]);
    let said = bench.log.all(Time::ZERO);
    let codes: Vec<_> = said.iter().filter(|e| e.code == "no-video" || e.code == "line-live").collect();
    assert_eq!(
        codes.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(),
        ["no-video", "line-live", "no-video"]
    );
}

/// Joined between key frames, or with an encoder that takes its time, a camera is no radio.
#[test]
fn a_stream_whose_pictures_come_late_is_no_radio() {
    let mut bench = line();
    send(&mut bench, 0, 5000, |at| at >= 2500);
    assert_like(&bench, &[(true, 2.7), (false, 2.3)]);
    assert!(!bench.line.buffer.is_sound_alone());
}

/// A sender's clock runs a little fast, and jumps: what is heard goes on.
#[test]
fn its_clock_may_drift_and_jump() {
    let mut bench = line();
    let mut jumped = 0;
    for n in 0..6000 {
        let at = n * 20;
        bench.run_to(ms(at));
        match at {
            60_000 => jumped = 10_000,
            90_000 => jumped = -20_000,
            _ => {}
        }
        // 300 ppm.
        bench.put(sound(at + at * 3 / 10_000 + jumped));
    }
    let holes = stretches(&bench);
    // Blocks that may be astray are not believed before there are three.
    let longest = holes[1..].iter().filter(|(hole, _)| *hole).map(|(_, s)| *s).fold(0.0, f64::max);
    assert!(longest < 0.3 && holes.len() <= 6, "{holes:?}");
    let heard = bench.sound.iter().filter(|sample| **sample > 0.4).count() as f64 / 48_000.0;
    assert!(heard > 116.0, "{heard} s are heard: {holes:?}");
}

/// On warm standby it is there all the same: there is nothing of it to keep undecoded.
#[test]
fn on_warm_standby_it_is_heard() {
    let mut bench = line();
    bench.line.orders.stand_by(Standby::Warm);
    bench.line.orders.give(Duty::Keep);
    for at in (0..8000).step_by(20) {
        bench.mind_orders();
        send(&mut bench, at, at + 20, |_| false);
    }
    assert_like(&bench, &[(true, 3.0), (false, 5.0)]);
}
