//! Watermarks led by hand: shown and taken off, put elsewhere; at once, or over a time.
//!
//! Time is an argument: what was asked for at one time says where it stands and how strong it is at
//! any later one.

use media::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::model::{At, Graphic, Switch};
use crate::path::{Frame, Standing};

/// As it is: nothing of it is taken away.
const WHOLE: u16 = 256;

/// Whether a graphic is shown, and how far it has come or gone.
///
/// ```
/// use media::{Span, Time};
/// use pipeline_dsl::{MarkFade, Switch};
///
/// let mut fade = MarkFade::new(Switch::On);
/// fade.set(Switch::Off, Some(Span::from_secs(2)), Time::from_secs(10));
/// let level = |ms| fade.level(Time::from_millis(ms));
/// assert_eq!((level(10_000), level(11_000), level(12_000)), (256, 128, 0));
/// assert_eq!(fade.state(), Switch::Off);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarkFade {
    state: Switch,
    way: Option<Way<u16>>,
}

/// From here, since then, over so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Way<T> {
    from: T,
    since: Time,
    over: Span,
}

impl<T> Way<T> {
    fn is_done(&self, at: Time) -> bool {
        at - self.since >= self.over
    }
}

impl MarkFade {
    /// It stands like this.
    pub const fn new(state: Switch) -> Self {
        Self { state, way: None }
    }

    /// What was asked for last.
    pub const fn state(&self) -> Switch {
        self.state
    }

    /// From `at` on it is to be like this, from how strong it is then and over so long.
    pub fn set(&mut self, state: Switch, over: Option<Span>, at: Time) {
        let from = self.level(at);
        self.state = state;
        let is_there = from == self.whole();
        self.way =
            over.filter(|over| !is_there && *over > Span::ZERO).map(|over| Way { from, since: at, over });
    }

    /// How strong it is of what it would be: 0 is not there, 256 is as it is.
    pub fn level(&self, at: Time) -> u16 {
        let whole = self.whole();
        let Some(way) = self.way.filter(|way| !way.is_done(at)) else { return whole };
        let done = (at - way.since).flicks().max(0);
        let share = |part: i64| i128::from(part) * i128::from(done) / i128::from(way.over.flicks().max(1));
        let gone = share(i64::from(whole) - i64::from(way.from));
        u16::try_from(i128::from(way.from) + gone).unwrap_or(whole)
    }

    /// Whether it comes or goes at `at`.
    pub fn is_on_its_way(&self, at: Time) -> bool {
        self.way.is_some_and(|way| !way.is_done(at))
    }

    /// Whether viewers see any of it, at `at` or soon after.
    pub fn is_seen(&self, at: Time) -> bool {
        self.state == Switch::On || self.level(at) > 0
    }

    /// What is over by `at` is forgotten: two that look the same from then on are the same.
    pub fn settle(&mut self, at: Time) {
        self.way = self.way.filter(|way| !way.is_done(at));
    }

    fn whole(&self) -> u16 {
        match self.state {
            Switch::On => WHOLE,
            Switch::Off => 0,
        }
    }
}

/// Where a graphic was put by hand, and how far it is on its way.
///
/// Another place may be asked for before it has arrived: then it bends, and does not leap.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MarkMove {
    /// Where it began; `None` is its own place, or its path.
    put: Option<At>,
    /// What was asked for since, in order: each leads away from where the ones before it lead.
    ways: Vec<(Option<At>, Way<()>)>,
}

/// Ways that are under way at one time; of more the oldest ends where it is.
const MOST_WAYS: usize = 8;

impl MarkMove {
    /// Where it was put last; `None` is its own place, or its path.
    pub fn to(&self) -> Option<At> {
        self.ways.last().map_or(self.put, |(to, _)| *to)
    }

    /// From `at` on it goes there, in so long.
    pub fn set(&mut self, to: Option<At>, over: Option<Span>, at: Time) {
        self.settle(at);
        match over.filter(|over| *over > Span::ZERO) {
            None => *self = Self { put: to, ways: Vec::new() },
            Some(over) => {
                if self.ways.len() >= MOST_WAYS {
                    self.put = self.ways.remove(0).0;
                }
                self.ways.push((to, Way { from: (), since: at, over }));
            }
        }
    }

    /// Whether it is on its way at `at`.
    pub fn is_on_its_way(&self, at: Time) -> bool {
        self.ways.last().is_some_and(|(_, way)| !way.is_done(at))
    }

    /// What is over by `at` is forgotten, as with [`MarkFade::settle`].
    pub fn settle(&mut self, at: Time) {
        // Once it has arrived, it does not matter where from.
        if let Some(last) = self.ways.iter().rposition(|(_, way)| way.is_done(at)) {
            self.put = self.ways.drain(..=last).next_back().and_then(|(to, _)| to);
        }
    }

    /// Where the graphic stands at the frame's time, and how strong it is there by itself.
    /// `frame.put` does not count.
    pub fn standing(&self, graphic: &Graphic, frame: Frame) -> Standing {
        let at = |put| graphic.standing(Frame { put, ..frame });
        self.ways
            .iter()
            .fold(at(self.put), |from, (to, way)| from.towards(at(*to), frame.time - way.since, way.over))
    }
}

#[cfg(test)]
mod tests {
    use media::Size;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Anchor, Art, Draw, Length, Text};

    const CANVAS: Size = Size::new(1920, 1080);

    fn graphic() -> Graphic {
        Graphic {
            art: Art::Image { path: Text::Plain("a.png".into()) },
            at: At::Anchor(Anchor::TopRight),
            margin: 24,
            opacity: 1.0,
            scale: 100,
            draw: Draw::Once,
            state: Switch::On,
            path: vec![],
        }
    }

    fn ms(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn corner(x: u32, y: u32) -> Option<At> {
        Some(At::Corner(Length::Pixels(x), Length::Pixels(y)))
    }

    fn place(lead: &MarkMove, at: i64) -> (i32, i32) {
        let frame =
            Frame { time: ms(at), canvas: CANVAS, picture: CANVAS, art: Size::new(240, 120), put: None };
        let Standing { x, y, .. } = lead.standing(&graphic(), frame);
        (x, y)
    }

    #[test]
    fn it_goes_there_in_a_straight_line_and_home_again() {
        let mut lead = MarkMove::default();
        assert_eq!(place(&lead, 0), (1656, 24));
        lead.set(corner(656, 524), Some(Span::from_secs(1)), ms(1000));
        assert_eq!(
            [1000, 1500, 2000, 9000].map(|at| place(&lead, at)),
            [(1656, 24), (1156, 274), (656, 524), (656, 524)]
        );
        assert!(lead.is_on_its_way(ms(1999)) && !lead.is_on_its_way(ms(2000)));
        lead.set(None, None, ms(3000));
        assert_eq!((place(&lead, 3000), lead), ((1656, 24), MarkMove::default()));
    }

    #[test]
    fn a_fade_that_is_turned_back_goes_on_from_where_it_is() {
        let mut fade = MarkFade::new(Switch::Off);
        let second = Some(Span::from_secs(1));
        fade.set(Switch::On, second, ms(0));
        fade.set(Switch::Off, second, ms(500));
        assert_eq!([500, 1000, 1499, 1500].map(|at| fade.level(ms(at))), [128, 64, 1, 0]);
        assert!(fade.is_seen(ms(1499)) && !fade.is_seen(ms(1500)));
        // What is so already takes no time.
        fade.set(Switch::Off, second, ms(2000));
        assert_eq!(fade, MarkFade::new(Switch::Off));
        fade.set(Switch::On, None, ms(2100));
        assert_eq!(fade, MarkFade::new(Switch::On));
    }

    /// Places to go to, and when, and how long that takes.
    fn walk() -> impl Strategy<Value = Vec<(i64, Option<At>, Option<i64>)>> {
        let to = prop::option::of(
            (0u32..1920, 0u32..1080).prop_map(|(x, y)| At::Corner(Length::Pixels(x), Length::Pixels(y))),
        );
        prop::collection::vec((0i64..2000, to, prop::option::of(0i64..3000)), 1..7)
    }

    proptest! {
        /// A way begins where it stands, and it arrives.
        #[test]
        fn it_never_leaps_and_always_arrives(walk in walk()) {
            let (mut lead, mut now, mut still) = (MarkMove::default(), 0, 0);
            for (later, to, over) in walk {
                now += later;
                let before = place(&lead, now);
                lead.set(to, over.map(Span::from_millis), ms(now));
                let mut there = MarkMove::default();
                there.set(to, None, ms(now));
                match over {
                    Some(over) if over > 0 => prop_assert_eq!(place(&lead, now), before),
                    _ => prop_assert_eq!(place(&lead, now), place(&there, now)),
                }
                still = still.max(now + over.unwrap_or(0));
                let end = now + over.unwrap_or(0);
                prop_assert_eq!(place(&lead, end), place(&there, end));
                prop_assert_eq!(lead.to(), to);
            }
            lead.settle(ms(still));
            prop_assert!(lead.ways.is_empty());
        }

        /// What is forgotten made no difference.
        #[test]
        fn to_settle_changes_nothing_that_is_seen(walk in walk(), at in 0i64..9000, later in 0i64..9000) {
            let (mut lead, mut fade, mut now) = (MarkMove::default(), MarkFade::new(Switch::On), 0);
            for (ix, (wait, to, over)) in walk.into_iter().enumerate() {
                now += wait;
                lead.set(to, over.map(Span::from_millis), ms(now));
                let state = if ix % 2 == 0 { Switch::Off } else { Switch::On };
                fade.set(state, over.map(Span::from_millis), ms(now));
            }
            let (mut settled, mut faded) = (lead.clone(), fade);
            settled.settle(ms(now + at));
            faded.settle(ms(now + at));
            let then = now + at + later;
            prop_assert_eq!(place(&settled, then), place(&lead, then));
            prop_assert_eq!(faded.level(ms(then)), fade.level(ms(then)));
        }

        #[test]
        fn a_fade_goes_one_way_and_ends_whole(over in 1i64..5000, one in 0i64..6000, other in 0i64..6000) {
            let mut fade = MarkFade::new(Switch::On);
            fade.set(Switch::Off, Some(Span::from_millis(over)), ms(100));
            let level = |at: i64| fade.level(ms(100 + at));
            prop_assert!(level(one.min(other)) >= level(one.max(other)));
            prop_assert_eq!((level(0), level(over)), (256, 0));
        }
    }
}
