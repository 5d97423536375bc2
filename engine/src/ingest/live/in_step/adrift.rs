//! Sound that counts by another clock than its pictures, from the beginning or from some moment on.

use super::*;

/// A camera's seconds 20 to 40, whose sound is stamped later by so much from a second on.
fn adrift(from: i64, by: i64) -> Vec<Sent> {
    let mut all = Camera { jitter: 5_000, ..CAMERA }.send(20, 40, secs(1));
    let sound =
        all.iter_mut().filter(|sent| sent.packet.track == Track::Audio && sent.packet.pts >= secs(from));
    for sent in sound {
        sent.packet.pts += Span::from_millis(by);
        sent.packet.dts += Span::from_millis(by);
    }
    all
}

#[test]
fn sound_of_another_clock_is_heard_as_it_comes() {
    for (from, by) in [(20, 3_600_000), (20, -9_000), (26, 9_000), (26, -3_600_000), (26, -5_500)] {
        let mut bench = raw(30);
        receive(&mut bench, adrift(from, by));
        let (flashes, beeps) = flashes_and_beeps(&bench);
        // Three seconds are waited for its pictures to follow.
        let flashes: Vec<f64> = flashes.into_iter().filter(|at| *at > 12_000.0).collect();
        let near = |flash: f64| beeps.iter().map(|beep| (beep - flash).abs()).fold(f64::MAX, f64::min);
        assert!(flashes.len() >= 7, "{from} {by}: {flashes:?}");
        assert!(flashes.iter().all(|flash| near(*flash) <= 60.0), "{from} {by}: {flashes:?} {beeps:?}");
        let told = bench.log.all(Time::ZERO).into_iter().filter(|e| e.message.contains("another clock"));
        assert_eq!(told.count(), 1, "{from} {by}");
    }
}

#[test]
fn sound_that_goes_back_to_its_pictures_clock_is_in_step_at_once() {
    let mut bench = raw(30);
    let (wrong, right) = (adrift(20, 60_000), CAMERA.send(40, 50, secs(21)));
    receive(&mut bench, wrong.into_iter().chain(right).collect());
    let (flashes, beeps) = flashes_and_beeps(&bench);
    let flashes: Vec<f64> = flashes.into_iter().filter(|at| *at > 22_500.0).collect();
    let near = |flash: f64| beeps.iter().map(|beep| (beep - flash).abs()).fold(f64::MAX, f64::min);
    assert!(
        flashes.len() >= 7 && flashes.iter().all(|flash| near(*flash) <= LIMIT_MS),
        "{flashes:?} {beeps:?}"
    );
}
