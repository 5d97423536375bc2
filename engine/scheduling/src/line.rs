//! Which of a camera's lines is shown: the main one, or a backup of it.

mod align;
mod content;
mod figures;
mod view;
mod watch;

use media::{Span, Time};
use pipeline_dsl::{Failover, Prefer, Standby};
use serde::{Deserialize, Serialize};

pub use align::Aligner;
pub use content::{GLANCE, Glance, Glances};
pub use figures::{Doubt, LineFigures};
pub use view::{Carries, Grade, LineIx, LineState, LineView, Readiness, Step};
use watch::Watch;

/// Why another line is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineReason {
    /// The camera's first picture.
    Start,
    /// The line before it was lost.
    Failover,
    /// The line before it was suspect, and this one is sound.
    Suspect,
    /// A better line had been sound for long enough.
    Recovered,
    /// The director chose it.
    Chosen,
}

/// A camera goes over to another line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineChange {
    /// The line left; `None` at the camera's first picture.
    pub from: Option<LineIx>,
    /// The line shown from now on.
    pub to: LineIx,
    /// Why.
    pub reason: LineReason,
}

/// What one tick came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineChoice {
    /// The line to take pictures and sound from; `None` until one had a picture.
    pub line: Option<LineIx>,
    /// The change of this tick, if there was one.
    pub change: Option<LineChange>,
}

/// What is to be done with what comes in on a line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// It is decoded as it comes.
    #[default]
    Decode,
    /// The latest GOP of it is kept.
    Keep,
}

/// Why a line cannot be chosen by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotChosen {
    /// The camera has no such line.
    Unknown,
    /// It has no current picture.
    Lost,
}

/// Chooses a camera's line, tick by tick.
///
/// # Rules
/// - It stays on a line until that is lost: `lost` after the first missing frame was
///   due, or at once when the line has ended and played out. Then the first line in
///   order of preference that is sound is taken, or else the first that is well.
/// - A line that is in step with others is left as soon as a picture of it is missing or damaged,
///   for one that has it: whoever watches sees no difference.
/// - Damaged pictures are none. A line that gives nothing else is suspect once the first clean
///   picture has been due for half of `lost` (what is damaged stays so up to a key frame, where a
///   hole may close at once), and is left for a line that is clean, if it has been shown for
///   `lost`. There being none, it stays, and what it gives is shown: better than nothing.
/// - A line that still gives pictures, but has had figures beyond their thresholds for
///   `suspect`, or a frozen or black picture or silence for their times where the show file
///   counts that, is left for a line that has itself been sound for as long as `suspect`. There
///   being none, it stays.
/// - With `prefer=first`, a better line is returned to once it has been sound for
///   `recover` without a break; with `prefer=stay`, never.
/// - A line that the director chose is gone over to at once and is then the one that is
///   preferred, whatever else the show file says: it is left only when it is lost, or damaged
///   from then on, and returned to once it has been well and clean for `recover`.
/// - A line that carries sound alone stands as its sound does, as long as no line of the camera has
///   ever had a picture. Once one has, it is no line to go over to, and is left for the first that
///   is well: what the camera is there for is its pictures.
/// - When no line has a picture it stays where it is.
/// - With `standby=warm`, lines that are not shown are only kept. One is decoded as soon
///   as the one that is shown is in a hole or in doubt, and shown once it has caught up.
///
/// So between two changes of line lies a hole of `lost`, as long a time with damage at its end, or a
/// doubt of `suspect` on the line that was shown (unless it ended, the director chose, or both were in step), or a good time of
/// `recover` on the one that was not: it cannot flap faster than the shortest of those.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LineSelector {
    failover: Failover,
    current: Option<LineIx>,
    /// Since when it is shown.
    since: Option<Time>,
    /// The director's choice.
    chosen: Option<LineIx>,
    /// The choice has not been carried out yet.
    asked: bool,
    lines: Vec<Watch>,
}

impl LineSelector {
    /// For a camera of so many lines.
    pub fn new(lines: usize, failover: Failover) -> Self {
        let lines = vec![Watch::default(); lines];
        Self { failover, current: None, since: None, chosen: None, asked: false, lines }
    }

    /// The line shown now.
    pub const fn current(&self) -> Option<LineIx> {
        self.current
    }
    /// The line the director chose; `None` while it is chosen by the rules.
    pub const fn chosen(&self) -> Option<LineIx> {
        self.chosen
    }
    /// What to do with what comes in on a line, since the last tick.
    pub fn duty(&self, line: LineIx) -> Duty {
        self.lines.get(line.0).map_or(Duty::Decode, |watch| watch.duty)
    }
    /// What a line is suspect for since the last tick, if it is.
    pub fn suspect(&self, line: LineIx) -> Option<Doubt> {
        self.lines.get(line.0)?.suspect
    }
    /// When the first picture was due of the hole that a line was in at the last tick, if it was in
    /// one. Damaged pictures that came over it for less than `lost` have not ended it.
    pub fn hole(&self, line: LineIx) -> Option<Time> {
        self.lines.get(line.0)?.hole()
    }
    /// Whether a line had a current picture at the last tick.
    pub fn is_well(&self, line: LineIx) -> bool {
        self.lines.get(line.0).is_some_and(Watch::is_well)
    }
    /// Whether it has been sound for `recover` on the line it would not leave of itself.
    pub(crate) fn is_settled(&self, now: Time) -> bool {
        self.current.is_some_and(|current| {
            let home = match self.chosen {
                Some(chosen) => chosen == current,
                None => self.failover.prefer == Prefer::Stay || current == LineIx(0),
            };
            let watch = self.lines.get(current.0);
            let sound = watch.is_some_and(|watch| watch.is_sound_for(now, self.failover.recover));
            home && sound && self.is_shown_for(now, self.failover.recover)
        })
    }
    fn is_shown_for(&self, now: Time, least: Span) -> bool {
        self.since.is_some_and(|since| now - since >= least)
    }
    /// Whether a stored one can be that of a camera like this one.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        let within = |line: Option<LineIx>| line.is_none_or(|line| line.0 < self.lines.len());
        self.failover == other.failover
            && self.lines.len() == other.lines.len()
            && within(self.current)
            && within(self.chosen)
    }

    /// Goes on from a camera that had other lines or rules: what is known of a line stays with it.
    pub(crate) fn carry(&mut self, old: &Self, place: impl Fn(LineIx) -> Option<LineIx>) {
        self.current = old.current.and_then(&place);
        self.since = old.since.filter(|_| self.current.is_some());
        self.chosen = old.chosen.and_then(&place);
        self.asked = old.asked && self.chosen.is_some();
        for (ix, watch) in old.lines.iter().enumerate() {
            if let Some(slot) = place(LineIx(ix)).and_then(|LineIx(to)| self.lines.get_mut(to)) {
                *slot = *watch;
            }
        }
    }

    /// Nothing is known of its lines any more, since the engine was down; what the director chose
    /// holds. It stays on its line only where the show file would have it stay.
    pub(crate) fn wake(&mut self) {
        if self.failover.prefer == Prefer::First {
            self.current = None;
        }
        (self.since, self.asked) = (None, false);
        self.lines.fill(Watch::default());
    }

    /// The director's choice, from the next tick on; `None` leaves it to the rules again.
    ///
    /// # Errors
    /// The line cannot be shown, by the last tick's account. Nothing has changed then.
    pub fn choose(&mut self, line: Option<LineIx>) -> Result<(), NotChosen> {
        if let Some(line) = line {
            let watch = self.lines.get(line.0).ok_or(NotChosen::Unknown)?;
            if !watch.is_well() {
                return Err(NotChosen::Lost);
            }
        }
        self.chosen = line;
        self.asked = line.is_some() && line != self.current;
        Ok(())
    }

    /// Decides for the tick at `now`, in show time. `lines` are in order of
    /// preference; one that is missing has never given a picture.
    pub fn select(&mut self, now: Time, lines: &[LineView]) -> LineChoice {
        let covered = sound_is_covered(lines);
        for (ix, watch) in self.lines.iter_mut().enumerate() {
            let view = lines.get(ix).filter(|view| !covered || view.carries == Carries::Pictures);
            watch.look(now, view.unwrap_or(&LineView::NEVER), &self.failover);
        }
        let wanted = self.wanted(now, lines);
        let is_ready =
            |line: LineIx| lines.get(line.0).is_some_and(|view| view.readiness == Readiness::Decoded);
        let change = wanted.filter(|(to, _)| is_ready(*to)).map(|(to, reason)| LineChange {
            from: self.current,
            to,
            reason,
        });
        match self.failover.standby {
            Standby::Warm => {
                let shown = change.map(|change| change.to).or(self.current);
                self.assign(now, lines, shown, wanted.map(|(to, _)| to));
            }
            // Also of a camera that was on warm standby before a reload.
            Standby::Hot => self.lines.iter_mut().for_each(|watch| watch.duty = Duty::Decode),
        }
        if let Some(change) = change {
            (self.current, self.since) = (Some(change.to), Some(now));
        }
        // One that lost its picture before it could be shown comes back by the rules.
        let waits = self.chosen.is_some_and(|line| Some(line) != self.current && self.is_well(line));
        self.asked &= waits;
        LineChoice { line: self.current, change }
    }

    /// The line to go over to, if any.
    fn wanted(&self, now: Time, lines: &[LineView]) -> Option<(LineIx, LineReason)> {
        let Some(current) = self.current else {
            let chosen = self.chosen.filter(|line| self.is_well(*line));
            let first = chosen.or_else(|| self.first(Watch::is_sound));
            let first = first.or_else(|| self.first(Watch::is_well))?;
            return Some((first, LineReason::Start));
        };
        let recover = self.failover.recover;
        match self.chosen.filter(|chosen| *chosen != current) {
            Some(chosen) => {
                let watch = self.lines.get(chosen.0);
                if self.asked && watch.is_some_and(Watch::is_well) {
                    return Some((chosen, LineReason::Chosen));
                }
                if watch.is_some_and(|watch| watch.is_clean_for(now, recover)) {
                    return Some((chosen, LineReason::Recovered));
                }
            }
            None if self.chosen.is_none() && self.failover.prefer == Prefer::First => {
                let better = self.first(|watch| watch.is_sound_for(now, recover));
                if let Some(better) = better.filter(|line| *line < current) {
                    return Some((better, LineReason::Recovered));
                }
            }
            None => {}
        }
        let view = lines.get(current.0).unwrap_or(&LineView::NEVER);
        if view.carries == Carries::SoundAlone && sound_is_covered(lines) {
            return Some((self.refuge(current)?, LineReason::Recovered));
        }
        if view.is_lost(now, &self.failover) {
            return Some((self.refuge(current)?, LineReason::Failover));
        }
        if view.step == Step::Shared
            && (view.hole(now).is_some() || view.grade == Grade::Damaged)
            && let Some(beside) = self.other(current, |watch| watch.is_sound() && watch.step == Step::Shared)
        {
            return Some((beside, LineReason::Failover));
        }
        let watch = self.lines.get(current.0)?;
        if watch.suspect == Some(Doubt::Damage)
            && self.is_shown_for(now, self.failover.lost)
            && !self.is_taken_as_it_is(current, watch)
            && let Some(clean) = self.clean_beside(current)
        {
            return Some((clean, LineReason::Suspect));
        }
        let least = self.failover.suspect.after;
        // It may have stood still for long before it was shown: it is given its time all the same.
        if watch.suspect.is_none() || self.chosen == Some(current) || !self.is_shown_for(now, least) {
            return None;
        }
        let sound = self.other(current, |watch| watch.is_sound_for(now, least))?;
        Some((sound, LineReason::Suspect))
    }

    /// Whether the director chose it when it was damaged already, and it has been ever since.
    fn is_taken_as_it_is(&self, line: LineIx, watch: &Watch) -> bool {
        let before = watch.lacking_since().zip(self.since).is_some_and(|(lacks, shown)| lacks < shown);
        self.chosen == Some(line) && before
    }

    /// Where to go from a line whose pictures are damaged.
    fn clean_beside(&self, from: LineIx) -> Option<LineIx> {
        let clean = |watch: &Watch| watch.is_clean() && watch.suspect.is_none();
        self.other(from, Watch::is_sound).or_else(|| self.other(from, clean))
    }

    /// Where to go from a line that is lost.
    fn refuge(&self, from: LineIx) -> Option<LineIx> {
        let is_clean = |line: &LineIx| self.lines.get(line.0).is_some_and(Watch::is_clean);
        let chosen = self.chosen.filter(|line| *line != from && is_clean(line));
        chosen.or_else(|| self.other(from, Watch::is_sound)).or_else(|| self.other(from, Watch::is_well))
    }

    /// Warm standby: only what is shown, or may be shown at any moment, is decoded.
    fn assign(&mut self, now: Time, lines: &[LineView], shown: Option<LineIx>, wanted: Option<LineIx>) {
        let Some(shown) = shown else { return };
        let hole = lines.get(shown.0).is_none_or(|view| view.hole(now).is_some());
        let doubt = self.lines.get(shown.0).is_some_and(Watch::is_in_doubt);
        let spare = if hole || doubt { self.refuge(shown) } else { None };
        for (ix, watch) in self.lines.iter_mut().enumerate() {
            let used = [Some(shown), wanted, spare].contains(&Some(LineIx(ix)));
            watch.duty = if used { Duty::Decode } else { Duty::Keep };
        }
    }

    fn first(&self, is_fit: impl Fn(&Watch) -> bool) -> Option<LineIx> {
        self.lines.iter().position(is_fit).map(LineIx)
    }
    fn other(&self, than: LineIx, is_fit: impl Fn(&Watch) -> bool) -> Option<LineIx> {
        let mut fit = self.lines.iter().enumerate().filter(|(ix, watch)| *ix != than.0 && is_fit(watch));
        fit.next().map(|(ix, _)| LineIx(ix))
    }
}

/// Whether lines of sound alone are none to go over to, since another has had a picture.
fn sound_is_covered(lines: &[LineView]) -> bool {
    lines.iter().any(|line| line.carries == Carries::SoundAlone) && lines.iter().any(LineView::is_pictured)
}
