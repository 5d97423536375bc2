use super::*;
use crate::clock::Stop;
use codecs::PictureMut;
use media::{FrameRate, Size, Tick};
use std::sync::Arc;

fn frame(pts: Time) -> Frame {
    Frame { pts, picture: PictureMut::new(Size::new(16, 16)).unwrap().freeze() }
}
fn buffer(pace: Pace) -> LineBuffer {
    LineBuffer::new(pace, Span::from_millis(40), SampleRate::HZ_48000, 2)
}
const HELD: Pace = Pace::Held { ahead: AHEAD };
const LIVE: Pace = Pace::Live { depth: Span::from_millis(200) };
fn ms(ms: i64) -> Time {
    Time::from_millis(ms)
}

#[test]
fn the_newest_of_the_tick_is_taken_and_held() {
    let buffer = buffer(LIVE);
    assert_eq!(buffer.take(ms(0), ms(40)).hole_since, Some(ms(0)));
    for pts in [0, 33, 66, 100] {
        buffer.put_frame(frame(ms(pts)));
    }
    let rate = FrameRate::new(25, 1).unwrap();
    let mut holes = Vec::new();
    for n in 0..6 {
        let from = rate.time_of(Tick(n));
        holes.push(buffer.take(from, rate.time_of(Tick(n + 1))).hole_since);
    }
    // The picture after 100 ms was due at 134 ms: ticks at 160 and 200 ms miss it.
    assert_eq!(holes, [None, None, None, None, Some(ms(134)), Some(ms(134))]);
}

#[test]
fn milliseconds_are_no_judder() {
    let buffer = buffer(LIVE);
    let rate = FrameRate::new(30, 1).unwrap();
    let pictures: Vec<Frame> = (0..30).map(|n| frame(ms((n * 1000 + 15) / 30))).collect();
    for picture in &pictures {
        buffer.put_frame(picture.clone());
    }
    for (n, picture) in (0..).zip(&pictures) {
        let take = buffer.take(rate.time_of(Tick(n)), rate.time_of(Tick(n + 1)));
        assert!(take.picture.unwrap().ptr_eq(&picture.picture), "tick {n} shows its own picture");
    }
}

/// A clock that runs 2000 ppm fast moves pictures through all there is between two ticks, while
/// their stamps are whole milliseconds: one picture is left out a time, and no other.
#[test]
fn pictures_that_drift_through_a_tick_are_shown_within_half_of_it_and_do_not_judder() {
    for ppm in [2000, -2000] {
        let buffer = buffer(LIVE);
        let (mut n, mut shown, mut worst) = (0i64, Vec::new(), Span::ZERO);
        for tick in 0..2000 {
            let from = ms(tick * 40);
            loop {
                let pts = ms((n * 40 * (1_000_000 - ppm) + 500_000).div_euclid(1_000_000) + n % 2);
                if pts > from + Span::from_millis(100) {
                    break;
                }
                buffer.put_frame(frame(pts));
                n += 1;
            }
            buffer.take(from, ms(tick * 40 + 40));
            let pts = buffer.lock().current.as_ref().map(|f| f.pts).unwrap();
            worst = worst.max((pts - from).abs());
            shown.push(pts);
        }
        let distance = |w: &[Time]| (w[1] - w[0]).as_millis_rounded();
        let odd = shown.windows(2).filter(|w| !(35..=45).contains(&distance(w))).count();
        assert!((3..=5).contains(&odd), "80 s hold four ticks of drift: {odd} at {ppm} ppm");
        assert!(worst <= Span::from_millis(22), "{worst} at {ppm} ppm");
    }
}

#[test]
fn a_live_line_is_bounded() {
    let buffer = buffer(LIVE);
    for n in 0..10_000 {
        assert_eq!(buffer.put_frame(frame(ms(n * 10))), Flow::Go);
    }
    assert_eq!(buffer.lock().frames.len(), MOST_FRAMES + 5);
}

#[test]
fn a_deep_line_keeps_what_is_meant_to_wait() {
    let depth = Span::from_millis(2000);
    let buffer = super::tests::buffer(Pace::Live { depth });
    for n in 0..75 {
        buffer.put_frame(frame(ms(n * 40)));
    }
    assert_eq!(buffer.waiting(), Some(ms(2960) - Time::ZERO));
    assert_eq!(buffer.take(ms(0), ms(40)).hole_since, None, "the first one is still there");
    assert_eq!(super::tests::buffer(HELD).waiting(), None);
}

#[test]
fn after_a_rewind_the_line_goes_on_from_there() {
    let buffer = buffer(LIVE);
    let rate = SampleRate::HZ_48000;
    let sound = |pts: i64, level: f32| Pcm {
        pts: ms(pts),
        rate,
        channels: 2,
        samples: vec![level; 48 * 40 * 2].into(),
    };
    for n in 0..20 {
        buffer.put_frame(frame(ms(1000 + n * 40)));
        buffer.put_sound(&sound(1000 + n * 40, 0.25));
    }
    buffer.rewind(ms(400), ms(400));
    let fresh: Vec<Frame> = (0..5).map(|n| frame(ms(400 + n * 40))).collect();
    for (n, picture) in (0..).zip(&fresh) {
        buffer.put_frame(picture.clone());
        buffer.put_sound(&sound(400 + n * 40, 0.5));
    }
    for (n, picture) in (0..).zip(&fresh) {
        let take = buffer.take(ms(400 + n * 40), ms(440 + n * 40));
        assert!(take.picture.unwrap().ptr_eq(&picture.picture));
        // It sets in with the first one, and breaks off with the last one.
        assert_eq!(take.sound.unwrap() == vec![0.5; 48 * 40 * 2], (1..4).contains(&n), "{n}");
    }
    assert!(buffer.lock().frames.is_empty());
}

#[test]
fn a_held_line_waits_for_the_tick_and_stops_when_closed() {
    let buffer = Arc::new(buffer(HELD));
    let producer = Arc::clone(&buffer);
    let thread = std::thread::spawn(move || {
        let mut put = 0;
        while producer.put_frame(frame(ms(put * 40))) == Flow::Go {
            put += 1;
        }
        put
    });
    let stop = Stop::default();
    for n in 0..50 {
        buffer.idle(Track::Audio);
        assert_eq!(buffer.wait_for(ms(n * 40 + 40), &stop), Waited::Known);
        let take = buffer.take(ms(n * 40), ms(n * 40 + 40));
        assert!(take.picture.is_some() && take.hole_since.is_none());
    }
    buffer.close();
    let put = thread.join().unwrap();
    assert!((50..=60).contains(&put), "{put} frames put for 50 ticks");
}

/// Offline nothing is held but what the next tick must know: the picture it shows, the one after it,
/// and one that is at hand then. At high rates the sound's edge is more than a tick.
#[test]
fn offline_a_line_holds_few_pictures() {
    for (tick, most) in [(40, 3), (33, 3), (20, 3), (8, 5)] {
        let pace = Pace::Held { ahead: Span::ZERO };
        let buffer = LineBuffer::new(pace, Span::from_millis(tick), SampleRate::HZ_48000, 2);
        let buffer = Arc::new(buffer);
        let producer = Arc::clone(&buffer);
        let thread = std::thread::spawn(move || {
            let put = |n: &i64| producer.put_frame(frame(ms(n * tick))) == Flow::Go;
            (0..).take_while(put).count()
        });
        let stop = Stop::default();
        buffer.idle(Track::Audio);
        for n in 0..200 {
            assert_eq!(buffer.wait_for(ms((n + 1) * tick), &stop), Waited::Known);
            assert!(buffer.take(ms(n * tick), ms((n + 1) * tick)).picture.is_some());
            let held = buffer.lock().frames.len();
            assert!(held <= most, "{held} pictures of {tick} ms");
        }
        buffer.close();
        assert!(thread.join().unwrap() >= 200);
    }
}

/// A show that goes on begins with a late tick, and so does a line that joins one. Pictures come faster
/// than ticks here.
#[test]
fn nobody_waits_for_ticks_that_were_left_out() {
    for late in 0..6 {
        let pace = Pace::Held { ahead: Span::ZERO };
        let buffer = Arc::new(LineBuffer::new(pace, Span::from_millis(100), SampleRate::HZ_48000, 2));
        let producer = Arc::clone(&buffer);
        let put = move |n: &i64| producer.put_frame(frame(ms(late * 100 + n * 40))) == Flow::Go;
        let thread = std::thread::spawn(move || (0..).take_while(put).count());
        let stop = Stop::default();
        buffer.idle(Track::Audio);
        for n in late..late + 20 {
            assert_eq!(buffer.wait_for(ms((n + 1) * 100), &stop), Waited::Known, "tick {n} after {late}");
            assert!(buffer.take(ms(n * 100), ms((n + 1) * 100)).picture.is_some());
        }
        buffer.close();
        assert!(thread.join().unwrap() >= 50);
    }
}

/// What has come waits for its tick: until then the last picture is still the one from before.
#[test]
fn a_hole_is_over_when_the_next_picture_is_shown_not_when_it_has_come() {
    let buffer = buffer(LIVE);
    buffer.put_frame(frame(ms(0)));
    let hole = |tick: i64| buffer.take(ms(tick * 40), ms(tick * 40 + 40)).hole_since;
    assert_eq!([0, 1, 2].map(hole), [None, None, Some(ms(40))]);
    buffer.put_frame(frame(ms(240)));
    assert_eq!([3, 4, 5, 6].map(hole), [Some(ms(40)), Some(ms(40)), Some(ms(40)), None]);
}

#[test]
fn a_line_that_is_kept_is_in_no_hole_and_shows_nothing_until_it_has_caught_up() {
    let buffer = buffer(LIVE);
    let take = |at: i64| {
        let take = buffer.take(ms(at), ms(at + 40));
        (take.picture.is_some(), take.hole_since, take.readiness)
    };
    buffer.keep(Kept::UpTo(ms(200)));
    assert_eq!(take(200), (false, None, Readiness::Kept));
    assert_eq!(take(280), (false, Some(ms(0)), Readiness::Decoded), "nothing new has come");
    buffer.keep(Kept::CatchingUp);
    buffer.put_frame(frame(ms(160)));
    assert_eq!(take(320), (true, None, Readiness::Kept));
    buffer.put_frame(frame(ms(360)));
    buffer.keep(Kept::Nothing);
    assert_eq!(take(360), (true, None, Readiness::Decoded));
}

/// What is waited for in vain is told by name, and the other track goes on.
#[test]
fn what_does_not_come_is_told_and_no_longer_waited_for() {
    let stop = Stop::default();
    for lacking in [Lacking::Sound, Lacking::Pictures, Lacking::Both] {
        let buffer = buffer(HELD).patient_for(std::time::Duration::from_millis(1));
        if lacking == Lacking::Sound {
            _ = [0, 40, 80].map(|at| buffer.put_frame(frame(ms(at))));
        }
        if lacking == Lacking::Pictures {
            _ = buffer.put_sound(&Pcm::silence(Time::ZERO, SampleRate::HZ_48000, 2, 9600));
        }
        assert_eq!(buffer.wait_for(ms(40), &stop), Waited::InVain(lacking));
        assert_eq!(buffer.wait_for(ms(80), &stop), Waited::Known);
    }
}
