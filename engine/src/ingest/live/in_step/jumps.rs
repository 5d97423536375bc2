//! The sender's clock jumps, and the pictures say so when three of them agree: what of the sound came
//! meanwhile by the new clock, and what comes yet by the old one, is heard where it belongs.

use super::*;

/// How the sound of a camera lies to its pictures on the way.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// By so much its stamps jump, in milliseconds.
    by: i64,
    /// Its sound comes later by so many milliseconds.
    late: i64,
    held: u8,
}

impl Way {
    /// The test's decoder orders by stamps alone: what it holds back would come after a jump back, and
    /// nothing would be held back from then on.
    fn new(by: i64, late: i64, held: u8) -> Self {
        Self { by, late, held: if by < 0 { 0 } else { held } }
    }
}

/// A camera's seconds 20 to 32, whose stamps jump at 26.
fn jumping(way: Way) -> Vec<Sent> {
    let camera = Camera { held: way.held, jitter: 10_000, ..CAMERA };
    let mut rest = camera.send(26, 32, secs(7));
    for sent in &mut rest {
        sent.packet.pts += Span::from_millis(way.by);
        sent.packet.dts += Span::from_millis(way.by);
    }
    let mut all: Vec<_> = camera.send(20, 26, secs(1)).into_iter().chain(rest).collect();
    for sent in all.iter_mut().filter(|sent| sent.packet.track == Track::Audio) {
        sent.arrives += Span::from_millis(way.late);
    }
    all.sort_by_key(|sent| sent.arrives);
    all
}

/// The same with a tone that never ends, in place of beeps.
fn humming(mut all: Vec<Sent>) -> Vec<Sent> {
    for sent in all.iter_mut().filter(|sent| sent.packet.track == Track::Audio) {
        let begins = u32::from_le_bytes(sent.packet.data[..4].try_into().unwrap());
        sent.packet.data = [begins % 48, BLOCK as u32].map(u32::to_le_bytes).concat().into();
    }
    all
}

/// The longest silence in what is heard between two moments, and where it ends, in milliseconds.
fn longest_silence(bench: &Bench, from: usize, to: usize) -> (f64, f64) {
    let (mut longest, mut run) = ((0, 0), 0);
    for (n, sample) in bench.sound.iter().enumerate().take(to * 48_000).skip(from * 48_000) {
        run = if sample.abs() < 0.02 { run + 1 } else { 0 };
        longest = longest.max((run, n));
    }
    (longest.0 as f64 / 48.0, longest.1 as f64 / 48.0)
}

fn assert_heard_and_in_step(way: Way) {
    let mut bench = raw(30);
    receive(&mut bench, humming(jumping(way)));
    let (silence, at) = longest_silence(&bench, 4, 12);
    let told = || bench.log.all(Time::ZERO).into_iter().map(|e| format!("{} {}", e.t, e.message));
    // Faded out and in again, each within 10 ms.
    assert!(
        silence <= 25.0,
        "{way:?}: {silence:.0} ms of silence to {at:.0} ms, {:#?}",
        told().collect::<Vec<_>>()
    );
    let mut bench = raw(30);
    receive(&mut bench, jumping(way));
    assert_in_step(&bench, &format!("{way:?}"), 9);
}

#[test]
fn no_sound_is_missing_where_the_clock_jumps() {
    for by in [-10_000, 10_000, -3_600_000, 3_600_000] {
        for (late, held) in [(0, 0), (0, 2), (-100, 0), (150, 0), (300, 2)] {
            assert_heard_and_in_step(Way::new(by, late, held));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]
    #[test]
    fn no_sound_is_missing_however_far_it_jumps(
        ahead in any::<bool>(), far in 3_500i64..40_000, late in -100i64..100, held in prop::sample::select(vec![0u8, 2]),
    ) {
        let by = if ahead { far } else { -far };
        assert_heard_and_in_step(Way::new(by, late, held));
    }
}
