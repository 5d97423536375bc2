//! The rules of a camera changed while it is on air: what is shown goes on, and lines find each
//! other again.

use super::*;

impl Camera {
    /// Other rules from the next tick on, as a reload brings them.
    fn goes_by(&mut self, failover: &str) {
        let show = Self::show(failover);
        let rules = show.cameras[0].failover;
        self.switcher = self.switcher.reload(&show).unwrap();
        self.run.stand_by(rules.standby);
        let lines = self.switcher.lines(FeedIx::Camera(0)).unwrap();
        self.run.align(rules.align, lines.current());
    }
}

/// Takes what arrives before this second.
fn before(all: &mut Vec<Arrives>, second: i64) -> Vec<Arrives> {
    all.extract_if(.., |arrives| arrives.at < Time::from_secs(second)).collect()
}

/// Hot, warm, not aligned, and hot again: with both lines up, no change of rules is seen.
#[test]
fn no_change_of_rules_is_seen_and_lines_are_in_step_again() {
    let mut dice = Dice::new(23);
    let b = Way { late: 60, stamps: 1400, ..A };
    // In the end each line goes once, and is back in between.
    let mut all = A.send(0, 110, &[(90_000, 93_000)], &mut dice);
    all.extend(b.send(1, 110, &[(100_000, 102_000)], &mut dice));
    let mut camera = Camera::new("");
    camera.receive(before(&mut all, 20));
    assert_eq!(camera.decoded_at_rest, 0);
    assert!(camera.lines.iter().all(|(_, contribution, _)| !contribution.gop.is_there()), "nothing is kept");
    camera.goes_by("standby=warm");
    camera.receive(before(&mut all, 40));
    let rested = camera.decoded_at_rest;
    assert!(rested > 800, "the backup rests: {rested}");
    camera.goes_by("align=off");
    camera.receive(before(&mut all, 60));
    assert!(camera.decoded_at_rest - rested < 5, "it rests no more: {}", camera.decoded_at_rest - rested);
    assert!(camera.lines.iter().all(|(_, contribution, _)| !contribution.gop.is_there()), "nor is it kept");
    camera.goes_by("");
    camera.receive(before(&mut all, 90));
    // What a slower backup asks the line on air to wait for, it waits once.
    assert_eq!(camera.breaks(15), [], "no rule is seen: {:?}", camera.changes);
    assert_eq!(camera.changes.len(), 1, "{:?}", camera.changes);
    camera.receive(all);
    assert!(camera.changes.len() >= 3, "{:?}", camera.changes);
    let end = camera.shown.len() - 25;
    camera.shown.truncate(end);
    camera.sound.truncate(end * 48 * TICK as usize);
    assert_eq!(camera.breaks(15), [], "{:?}", camera.changes);
    let (click, at) = camera.click(15);
    assert!(click < CLICK, "{click:.4} at {at:.3} s");
}

/// On warm standby since a moment ago, a line is still there when the other one goes.
#[test]
fn a_line_on_standby_since_a_moment_ago_is_there_when_the_other_one_goes() {
    let mut dice = Dice::new(29);
    let b = Way { late: 40, ..A };
    // Both in the middle of a group of pictures.
    let mut all = A.send(0, 30, &[(20_500, 24_000)], &mut dice);
    all.extend(b.send(1, 30, &[], &mut dice));
    let mut camera = Camera::new("lost=100ms align=off");
    let first: Vec<_> = all.extract_if(.., |arrives| arrives.at < Time::from_millis(20_400)).collect();
    camera.receive(first);
    camera.goes_by("lost=100ms align=off standby=warm");
    camera.receive(all);
    let failover = camera.changes.iter().find(|(_, change)| change.to == LineIx(1)).unwrap().0;
    // The hole of `lost` and a little, not the rest of a group.
    assert!(failover < 21_000, "{:?}", camera.changes);
}
