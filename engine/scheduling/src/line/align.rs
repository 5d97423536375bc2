//! Which lines of a camera carry the same pictures, and how far apart their stamps lie.
//!
//! An encoder that sends twice sends the same coded pictures: each is known by a few bytes of it,
//! whatever container it came in. Two encoders of one camera do not; there, what is seen in the
//! pictures has to tell ([`Glances`]).

use std::collections::VecDeque;

use media::{Span, Time};
use pipeline_dsl::Align;

use super::content::{Glance, Glances};
use super::view::LineIx;

/// Coded pictures of a line that are remembered: ten seconds and more.
const KEPT: usize = 600;
/// So many in a row make it true.
const WITNESSES: usize = 6;
/// The same picture's stamps on two lines, less what lies between the lines: milliseconds round.
const AGREE: Span = Span::from_millis(2);
/// So many pictures in a row that the other line should have had, and they are no longer the same.
const MISSES: u32 = 50;
/// Whether the other line has a picture is asked when so many more have come.
const LOOKED_BACK: usize = 75;
/// Of a line that has been silent for so long, nobody learns where he is.
const SILENT: Span = Span::from_secs(10);
/// How often pictures are compared by what is seen in them.
const COMPARED: Span = Span::from_secs(1);
/// Two comparisons that agree to this make it true.
const SAME: Span = Span::from_millis(10);

/// A coded picture, as a line brought it.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    code: u64,
    pts: Time,
    /// It came more than once, and says nothing of where in the stream it is.
    again: bool,
}

/// What is known of one line's stream.
#[derive(Debug, Default)]
struct Strand {
    /// Its time minus the camera's; `None` while that is not known.
    apart: Option<Span>,
    coded: VecDeque<Sighting>,
    glances: Glances,
    /// When something of it came last.
    came: Option<Time>,
    /// What others make of `apart`, while it is not known.
    witnesses: Vec<Span>,
    misses: u32,
    compared: Option<Time>,
}

impl Strand {
    fn is_heard(&self, now: Time) -> bool {
        self.came.is_some_and(|came| now - came < SILENT)
    }

    /// Where a coded picture lies, if it came once.
    fn find(&self, code: u64) -> Option<Time> {
        let one = self.coded.iter().rev().find(|one| one.code == code)?;
        (!one.again).then_some(one.pts)
    }

    /// Whether a picture of this time of the stream should have come already, and would be remembered.
    fn should_have(&self, pts: Time) -> bool {
        let (first, last) = (self.coded.front(), self.coded.back());
        first.is_some_and(|first| first.pts < pts) && last.is_some_and(|last| pts < last.pts)
    }

    fn remember(&mut self, code: u64, pts: Time) -> bool {
        if let Some(before) = self.coded.iter_mut().rev().find(|one| one.code == code) {
            before.again = true;
            return false;
        }
        if self.coded.len() == KEPT {
            self.coded.pop_front();
        }
        self.coded.push_back(Sighting { code, pts, again: false });
        true
    }

    /// Another line says where this one lies.
    fn witness(&mut self, apart: Span, agree: Span, enough: usize) {
        if self.witnesses.last().is_some_and(|last| (apart - *last).abs() > agree) {
            self.witnesses.clear();
        }
        self.witnesses.push(apart);
        if self.witnesses.len() >= enough {
            self.witnesses.sort_unstable();
            self.apart = self.witnesses.get(enough / 2).copied();
            (self.witnesses, self.misses) = (Vec::new(), 0);
        }
    }

    fn part(&mut self) {
        (self.apart, self.misses) = (None, 0);
        self.witnesses.clear();
    }
}

/// Compares the streams of a camera's lines.
///
/// All times are the lines' own. Time that passes is told with each picture.
///
/// ```
/// use media::{Span, Time};
/// use pipeline_dsl::Align;
/// use scheduling::{Aligner, LineIx};
///
/// let mut aligner = Aligner::new(2, Align::Stamps);
/// for n in 0..10 {
///     let now = Time::from_millis(40 * n);
///     aligner.coded(LineIx(0), 1000 + n as u64, now, now);
///     // The same pictures in another container, whose stamps begin at 1.4 s.
///     aligner.coded(LineIx(1), 1000 + n as u64, now + Span::from_millis(1400), now);
/// }
/// assert_eq!(aligner.apart(LineIx(0)), Some(Span::ZERO));
/// assert_eq!(aligner.apart(LineIx(1)), Some(Span::from_millis(1400)));
/// ```
#[derive(Debug)]
pub struct Aligner {
    by: Align,
    lines: Vec<Strand>,
}

impl Aligner {
    /// For a camera of so many lines.
    pub fn new(lines: usize, by: Align) -> Self {
        Self { by, lines: std::iter::repeat_with(Strand::default).take(lines).collect() }
    }

    /// A line's stream begins, or its stamps have jumped.
    pub fn begin(&mut self, line: LineIx) {
        if let Some(strand) = self.lines.get_mut(line.0) {
            *strand = Strand::default();
        }
    }

    /// A line's stamps minus the camera's own time, which is that of its first line that came;
    /// `None` while nothing shows that it carries what others do.
    pub fn apart(&self, line: LineIx) -> Option<Span> {
        self.lines.get(line.0)?.apart
    }

    /// A coded picture came, known by `code`.
    pub fn coded(&mut self, line: LineIx, code: u64, pts: Time, now: Time) {
        if self.by == Align::Off || !self.begin_with(line, now) {
            return;
        }
        if !self.lines.get_mut(line.0).is_some_and(|strand| strand.remember(code, pts)) {
            return;
        }
        for other in (0..self.lines.len()).filter(|other| *other != line.0) {
            if let Some(theirs) = self.lines[other].find(code) {
                self.matched(line.0, other, pts - theirs);
            }
            self.look_back(line.0, other);
        }
    }

    /// A picture was decoded, and looked like this.
    pub fn pictured(&mut self, line: LineIx, glance: Glance, pts: Time, now: Time) {
        if self.by != Align::Content || !self.begin_with(line, now) {
            return;
        }
        let Some(strand) = self.lines.get_mut(line.0) else { return };
        strand.glances.push(pts, glance);
        if strand.compared.is_some_and(|last| now - last < COMPARED) {
            return;
        }
        strand.compared = Some(now);
        for other in (0..self.lines.len()).filter(|other| *other != line.0) {
            self.compare(line.0, other);
        }
    }

    /// Notes that a line is heard. Where no line's place is known, the camera's time is this one's.
    fn begin_with(&mut self, line: LineIx, now: Time) -> bool {
        let Some(strand) = self.lines.get_mut(line.0) else { return false };
        strand.came = Some(now);
        if !self.lines.iter().any(|strand| strand.apart.is_some() && strand.is_heard(now)) {
            self.lines.iter_mut().for_each(Strand::part);
            self.lines[line.0].apart = Some(Span::ZERO);
        }
        true
    }

    /// The same coded picture lies so much later in `line` than in `other`.
    fn matched(&mut self, line: usize, other: usize, by: Span) {
        match (self.lines[line].apart, self.lines[other].apart) {
            (None, Some(theirs)) => self.lines[line].witness(theirs + by, AGREE, WITNESSES),
            (Some(ours), None) => self.lines[other].witness(ours - by, AGREE, WITNESSES),
            (Some(ours), Some(theirs)) if (ours - theirs - by).abs() <= AGREE + AGREE => {
                (self.lines[line].misses, self.lines[other].misses) = (0, 0);
            }
            (Some(_), Some(_)) => self.strays(line),
            (None, None) => {}
        }
    }

    /// A picture of a while ago, which `other` has had its time to bring.
    fn look_back(&mut self, line: usize, other: usize) {
        let (ours, theirs) = (&self.lines[line], &self.lines[other]);
        let (Some(a), Some(b)) = (ours.apart, theirs.apart) else { return };
        let place = ours.coded.len().checked_sub(LOOKED_BACK);
        let Some(one) = place.and_then(|place| ours.coded.get(place)) else { return };
        let is_there = theirs.coded.iter().any(|other| other.code == one.code);
        if self.by == Align::Stamps && !one.again && !is_there && theirs.should_have(one.pts - a + b) {
            self.strays(line);
        }
    }

    fn strays(&mut self, line: usize) {
        let strand = &mut self.lines[line];
        strand.misses += 1;
        if strand.misses >= MISSES {
            strand.part();
        }
    }

    /// By what is seen.
    fn compare(&mut self, line: usize, other: usize) {
        let (ours, theirs) = (&self.lines[line], &self.lines[other]);
        match (ours.apart, theirs.apart) {
            (Some(a), Some(b)) => {
                if ours.glances.differ(&theirs.glances, a - b) {
                    self.lines[line].part();
                }
            }
            (None, Some(theirs_apart)) => {
                if let Some(by) = ours.glances.find_in(&theirs.glances) {
                    self.lines[line].witness(theirs_apart + by, SAME, 2);
                }
            }
            (Some(ours_apart), None) => {
                if let Some(by) = ours.glances.find_in(&theirs.glances) {
                    self.lines[other].witness(ours_apart - by, SAME, 2);
                }
            }
            (None, None) => {}
        }
    }
}
