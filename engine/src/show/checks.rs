//! What can be seen and heard to be wrong with a line: black, frozen, silent, told with its end.

use codecs::checks::{PictureCheck, SoundCheck};
use media::{Span, Time};
use pipeline_dsl::{Check, Suspect};
use scheduling::LineFigures;

use crate::ingest::buffer::Take;

/// What a line is found to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Amiss {
    Black,
    Frozen,
    Silent,
}

impl Amiss {
    pub(crate) const ALL: [Self; 3] = [Self::Black, Self::Frozen, Self::Silent];

    const fn ix(self) -> usize {
        match self {
            Self::Black => 0,
            Self::Frozen => 1,
            Self::Silent => 2,
        }
    }

    /// As status and metrics have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Frozen => "frozen",
            Self::Silent => "silent",
        }
    }

    /// The codes of its event and of the one that ends it.
    pub(crate) const fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::Black => ("line-black", "line-black-over"),
            Self::Frozen => ("line-frozen", "line-frozen-over"),
            Self::Silent => ("line-silent", "line-silent-over"),
        }
    }
}

/// How long each may last before it is told; what has no limit is not looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits([Option<Span>; 3]);

impl Limits {
    /// As the camera's failover says.
    pub(crate) fn new(suspect: &Suspect) -> Self {
        let checks = [suspect.black, suspect.freeze, suspect.silence];
        Self(checks.map(Check::told_after))
    }

    const fn of(&self, amiss: Amiss) -> Option<Span> {
        self.0[amiss.ix()]
    }
}

/// What is told of one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// It has lasted for so long.
    Begins(Span),
    /// It lasted for so long in all.
    Ends(Span),
}

/// A hole that lasts longer leaves nothing to hold what comes behind it against.
const FORGET: Span = Span::from_secs(2);

/// The checks of one line.
pub(crate) struct LineChecks {
    limits: Limits,
    picture: PictureCheck,
    sound: SoundCheck,
    /// Since when each has been told of.
    told: [Option<Time>; 3],
    /// How long each has lasted in all, of what was told.
    totals: [Span; 3],
}

impl LineChecks {
    pub(crate) fn new(limits: Limits) -> Self {
        let (picture, sound) = (PictureCheck::new(), SoundCheck::new());
        Self { limits, picture, sound, told: [None; 3], totals: [Span::ZERO; 3] }
    }

    /// Looks at what the line gave to the tick from `at` on, and tells what is new.
    pub(crate) fn look(&mut self, at: Time, take: &Take, tell: &mut impl FnMut(Amiss, Word)) {
        match (take.hole_since, &take.picture) {
            // What is shown in a hole is held, and its silence is that of the line.
            (Some(since), _) if since + FORGET <= at => {
                (self.picture, self.sound) = (PictureCheck::new(), SoundCheck::new());
            }
            (Some(_), _) => {}
            (None, picture) => {
                let looks = self.looks_for(Amiss::Black) || self.looks_for(Amiss::Frozen);
                if let Some(picture) = picture.as_ref().filter(|_| looks) {
                    self.picture.look(at, picture);
                }
                if self.looks_for(Amiss::Silent) && (picture.is_some() || take.is_heard_alone()) {
                    self.sound.look(at, take.sound.as_deref());
                }
            }
        }
        for (ix, amiss) in Amiss::ALL.into_iter().enumerate() {
            let lasts = |since: &Time| self.limits.of(amiss).is_some_and(|limit| *since + limit <= at);
            let lasting = self.since(amiss).filter(lasts);
            match (self.told[ix], lasting) {
                (None, Some(since)) => {
                    self.told[ix] = Some(since);
                    tell(amiss, Word::Begins(at - since));
                }
                (Some(since), None) => {
                    self.told[ix] = None;
                    self.totals[ix] += at - since;
                    tell(amiss, Word::Ends(at - since));
                }
                _ => {}
            }
        }
    }

    fn looks_for(&self, amiss: Amiss) -> bool {
        self.limits.of(amiss).is_some()
    }

    fn since(&self, amiss: Amiss) -> Option<Time> {
        match amiss {
            Amiss::Black => self.picture.black_since(),
            // Black pictures are all the same, and that they are black says more, if it is said.
            Amiss::Frozen if self.looks_for(Amiss::Black) && self.picture.black_since().is_some() => None,
            Amiss::Frozen => self.picture.frozen_since(),
            Amiss::Silent => self.sound.silent_since(),
        }
    }

    /// Other times count from now on.
    pub(crate) fn go_by(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The line is there no more: what it was found to be is over.
    pub(crate) fn end(&mut self, at: Time, tell: &mut impl FnMut(Amiss, Word)) {
        let told = Amiss::ALL.into_iter().zip(&mut self.told).zip(&mut self.totals);
        for ((amiss, told), total) in told {
            if let Some(since) = told.take() {
                *total += at - since;
                tell(amiss, Word::Ends(at - since));
            }
        }
    }

    /// With what the switcher is to know.
    pub(crate) fn figures(&self, figures: LineFigures) -> LineFigures {
        let seen = |amiss, since: Option<Time>| since.filter(|_| self.looks_for(amiss));
        LineFigures {
            frozen_since: seen(Amiss::Frozen, self.picture.frozen_since()),
            black_since: seen(Amiss::Black, self.picture.black_since()),
            silent_since: seen(Amiss::Silent, self.sound.silent_since()),
            ..figures
        }
    }

    /// What it is now.
    pub(crate) fn amiss(&self) -> Vec<String> {
        let told = Amiss::ALL.into_iter().zip(self.told).filter(|(_, told)| told.is_some());
        told.map(|(amiss, _)| amiss.as_str().to_owned()).collect()
    }

    /// How long it has been so in all, up to `now`; `None` if it is not looked for.
    pub(crate) fn total(&self, amiss: Amiss, now: Time) -> Option<Span> {
        let ix = amiss.ix();
        let lasting = self.told[ix].map_or(Span::ZERO, |since| now - since);
        self.looks_for(amiss).then(|| self.totals[ix] + lasting)
    }
}

#[cfg(test)]
mod tests {
    use codecs::{Picture, PictureMut, Rgb};
    use media::Size;

    use super::*;

    fn grey(level: u8) -> Picture {
        PictureMut::filled(Size::new(64, 36), Rgb::new(level, level, level)).unwrap().freeze()
    }

    fn told(takes: &[(Option<u8>, f32, usize)]) -> Vec<String> {
        told_by(&Suspect::default(), takes).0
    }

    /// What is told of takes of 100 ms: a level of grey (`None` is a hole), and loud or not; and
    /// for how long each was so in all.
    fn told_by(suspect: &Suspect, takes: &[(Option<u8>, f32, usize)]) -> (Vec<String>, [Option<Span>; 3]) {
        let mut checks = LineChecks::new(Limits::new(suspect));
        let (mut said, mut tick, mut hole) = (Vec::new(), 0, None);
        for (level, loud, count) in takes {
            for n in 0..*count {
                let at = Time::from_millis(tick * 100);
                hole = level.is_none().then(|| hole.unwrap_or(at));
                // Grain, unless it is to stand still.
                let picture =
                    level.map(|level| grey(if level > 100 { level + (n % 5) as u8 * 3 } else { level }));
                let sound = hole.is_none().then(|| vec![*loud; 8]);
                let take = Take { picture, hole_since: hole, sound, ..Take::default() };
                checks.look(at, &take, &mut |amiss, word| said.push(format!("{tick} {amiss:?} {word:?}")));
                tick += 1;
            }
        }
        let now = Time::from_millis(tick * 100);
        (said, Amiss::ALL.map(|amiss| checks.total(amiss, now)))
    }

    /// Each has a time of its own, and what is off is neither told nor counted: a black picture
    /// that nobody looks for as such only stands still.
    #[test]
    fn each_is_told_when_the_show_says_and_not_where_it_is_off() {
        let after = |secs| Check::Tells(Span::from_secs(secs));
        let takes = [(Some(180), 0.5, 10), (Some(0), 0.0, 100), (Some(180), 0.5, 10)];
        let suspect =
            Suspect { black: Check::Off, freeze: after(4), silence: after(8), ..Suspect::default() };
        let (said, totals) = told_by(&suspect, &takes);
        let words = ["50 Frozen Begins", "90 Silent Begins", "110 Frozen Ends", "110 Silent Ends"];
        assert!(
            said.len() == 4 && said.iter().zip(words).all(|(said, word)| said.starts_with(word)),
            "{said:?}"
        );
        assert_eq!(totals, [None, Some(Span::from_secs(10)), Some(Span::from_secs(10))]);
        let suspect = Suspect { freeze: Check::Off, silence: Check::Off, ..suspect };
        assert_eq!(told_by(&suspect, &takes), (vec![], [None; 3]));
    }

    #[test]
    fn each_is_told_once_and_has_its_end() {
        let line = [(Some(0), 0.5, 30), (Some(180), 0.5, 20), (Some(60), 0.5, 60), (Some(180), 0.0, 60)];
        let words = ["20 Black", "30 Black", "100 Frozen", "110 Frozen", "160 Silent"];
        let said = told(&line);
        assert_eq!(said.len(), words.len(), "{said:?}");
        assert!(said.iter().zip(words).all(|(said, word)| said.starts_with(word)), "{said:?}");
        assert!(said[0].contains("Begins") && said[1].contains("Ends"), "{said:?}");
    }

    #[test]
    fn a_short_hole_is_none_of_it_and_a_long_one_ends_all() {
        assert_eq!(told(&[(Some(180), 0.5, 10), (None, 0.0, 15), (Some(180), 0.5, 10)]), [""; 0]);
        let said = told(&[(Some(0), 0.0, 60), (None, 0.0, 40)]);
        let ends: Vec<_> = said.iter().filter(|said| said.contains("Ends")).collect();
        assert_eq!((said.len(), ends.len()), (4, 2), "{said:?}");
        assert!(ends.iter().all(|end| end.starts_with("80 ")), "{said:?}");
    }

    #[test]
    fn a_line_that_is_taken_away_ends_what_it_was_and_that_counts() {
        let mut checks = LineChecks::new(Limits::new(&Suspect::default()));
        let take = Take { picture: Some(grey(0)), sound: Some(vec![0.5; 8]), ..Take::default() };
        let mut said = Vec::new();
        for n in 0..30 {
            checks.look(Time::from_millis(n * 100), &take, &mut |amiss, word| said.push((amiss, word)));
        }
        let at = Time::from_secs(3);
        checks.end(at, &mut |amiss, word| said.push((amiss, word)));
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[1], (Amiss::Black, Word::Ends(Span::from_secs(3))));
        assert_eq!(checks.total(Amiss::Black, Time::from_secs(9)), Some(Span::from_secs(3)));
        assert!(checks.amiss().is_empty());
    }
}
