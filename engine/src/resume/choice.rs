//! What is made of a show that an engine left when it died: taken up, left alone, or over.

use std::time::{Duration, SystemTime};

use media::Time;
use pipeline_dsl as dsl;

use super::KeptShow;

/// What is older is nobody's that starts a show now: it is yesterday's.
const OLD: Duration = Duration::from_secs(30 * 60);

/// What whoever starts a show has said about one that is kept, in the order of how much that says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Wanted {
    /// Nothing.
    #[default]
    Usual,
    /// That it goes on, however long ago its engine died.
    Resume,
    /// That it begins anew.
    Fresh,
}

/// What becomes of a show that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The next engine goes on from it.
    TakeUp,
    /// It is left alone, and the show begins anew.
    Leave(Why),
    /// It had its end, at this show time, while no engine ran.
    Over(Time),
}

/// Why a show that is kept is left alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Whoever starts the show says so.
    Asked,
    /// Its engine died half an hour ago, or longer.
    Old,
    /// It is another show.
    OtherShow,
}

/// Of which show a state is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    This,
    Another,
}

impl KeptShow {
    /// What becomes of it if `show` is started `now`. Of one that nothing can be taken up from
    /// [`problem`](Self::problem) tells first.
    pub fn choice(&self, wanted: Wanted, show: &dsl::Show, now: SystemTime) -> Choice {
        let whose = if self.show_name() == show.name { Whose::This } else { Whose::Another };
        let end = || self.end_of(show).filter(|end| *end <= self.time_at(now));
        choose(wanted, self.age(now), whose, end)
    }
}

fn choose(wanted: Wanted, age: Duration, whose: Whose, ended: impl FnOnce() -> Option<Time>) -> Choice {
    match (wanted, whose) {
        (Wanted::Fresh, _) => Choice::Leave(Why::Asked),
        (Wanted::Usual, Whose::Another) => Choice::Leave(Why::OtherShow),
        (Wanted::Usual, Whose::This) if age > OLD => Choice::Leave(Why::Old),
        _ => ended().map_or(Choice::TakeUp, Choice::Over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterdays_state_takes_nobody_by_surprise() {
        let (soon, late) = (Duration::from_secs(60), Duration::from_secs(20 * 3600));
        let (this, other, end) = (Whose::This, Whose::Another, Time::from_secs(9));
        let no = || None;
        let meanwhile = || Some(end);
        assert_eq!(choose(Wanted::Usual, soon, this, no), Choice::TakeUp);
        assert_eq!(choose(Wanted::Usual, late, this, no), Choice::Leave(Why::Old));
        assert_eq!(choose(Wanted::Usual, late, this, meanwhile), Choice::Leave(Why::Old));
        assert_eq!(choose(Wanted::Usual, soon, other, no), Choice::Leave(Why::OtherShow));
        assert_eq!(choose(Wanted::Usual, soon, this, meanwhile), Choice::Over(end));
        assert_eq!(choose(Wanted::Resume, late, other, no), Choice::TakeUp);
        assert_eq!(choose(Wanted::Fresh, soon, this, meanwhile), Choice::Leave(Why::Asked));
    }
}
