//! Lines of one camera that carry the same pictures, shown in step: at every tick each has the
//! same one, so that going over to another neither repeats nor skips any.
//!
//! The line that is shown leads: its mapping on show time is the camera's. Lines that are found
//! to carry the same follow it, each by what its own stamps differ. Where one comes so late that
//! it cannot, the leader waits for it, by bending its mapping and never by a jump on air; once
//! waited for, nothing waits less again while the stream lasts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{Span, Time};
use pipeline_dsl::Align;
use scheduling::{Aligner, Glance, LineIx};

use crate::ingest::mapping::Mapping;
use crate::ingest::stamps::{MOST_FOR_STEP, Moved, Stamps};

/// A coded picture is known by so many of its last bytes: what stands before differs from
/// container to container.
const KNOWN_BY: usize = 48;
/// Coded pictures of fewer bytes may well be all alike.
const LEAST: usize = 64;
/// Pictures that were placed by the old mapping may be on their way this long.
const ON_ITS_WAY: Span = Span::from_millis(250);

/// By what a coded picture is known, whatever container it came in; `None` for one that says too little.
pub(crate) fn code(data: &[u8]) -> Option<u64> {
    // Byte streams may be padded.
    let end = data.iter().rposition(|byte| *byte != 0)? + 1;
    if end < LEAST.max(KNOWN_BY) {
        return None;
    }
    let known = data.get(end - KNOWN_BY..end)?;
    // Fowler, Noll and Vo's hash, 1a.
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Some(known.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

/// What a camera's lines know of each other.
pub(crate) struct Alignment {
    by: Align,
    shared: Mutex<Shared>,
}

struct Shared {
    aligner: Aligner,
    /// The line that is shown.
    lead: Option<LineIx>,
    /// Where the camera's own time lies in the show, by the line that led last.
    mapping: Option<Mapping>,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Default)]
struct Member {
    /// From this show time on it is in step,
    since: Option<Time>,
    /// and before this one: there the pictures of its next stream begin.
    until: Option<Time>,
    /// Show time minus the camera's own at which it is to be shown at the least.
    needs: Option<Span>,
    /// The same without what is to wait: when it comes.
    comes: Option<Span>,
}

/// Where a line has gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gone {
    /// It goes as it went.
    Nowhere,
    /// Into step with the line that is shown, or with it to another place.
    Along(Moved),
}

impl Alignment {
    /// For a camera of so many lines; `None` where there is nothing to align.
    pub(crate) fn new(lines: usize, by: Align) -> Option<Arc<Self>> {
        let shared = Shared {
            aligner: Aligner::new(lines, by),
            lead: None,
            mapping: None,
            members: vec![Member::default(); lines],
        };
        (lines > 1 && by != Align::Off).then(|| Arc::new(Self { by, shared: Mutex::new(shared) }))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This line is shown from now on.
    pub(crate) fn lead(&self, line: LineIx) {
        self.lock().lead = Some(line);
    }

    /// Whether a line's picture of this show time is that of every other line in step.
    pub(crate) fn is_in_step(&self, line: LineIx, at: Time) -> bool {
        let shared = self.lock();
        shared.members.get(line.0).is_some_and(|member| {
            member.since.is_some_and(|since| since <= at) && member.until.is_none_or(|until| at < until)
        })
    }

    /// How much later than over the line that is shown the same picture comes over this one;
    /// `None` where they are not known to carry the same.
    pub(crate) fn behind(&self, line: LineIx) -> Option<Span> {
        let shared = self.lock();
        let comes = |line: LineIx| shared.members.get(line.0)?.comes;
        Some(comes(line)? - comes(shared.lead?)?)
    }
}

/// Where a line finds its place: it has another one when its camera's lines or rules change on air.
#[derive(Default)]
pub(crate) struct Seat(Mutex<Option<Place>>);

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Option<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its place from now on; `None` where there is nothing to align.
    pub(crate) fn give(&self, place: Option<Place>) {
        *self.lock() = place;
    }

    pub(crate) fn place(&self) -> Option<Place> {
        self.lock().clone()
    }
}

/// A line's place in its camera's alignment.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) alignment: Arc<Alignment>,
    pub(crate) line: LineIx,
}

impl Place {
    /// Its stream begins, or its clock has jumped. What is shown of it until then was in step.
    pub(crate) fn begin(&self) {
        let mut shared = self.alignment.lock();
        shared.aligner.begin(self.line);
        if let Some(member) = shared.members.get_mut(self.line.0) {
            (member.needs, member.comes) = (None, None);
        }
    }

    /// Whether decoded pictures are looked at.
    pub(crate) fn looks(&self) -> bool {
        self.alignment.by == Align::Content
    }

    /// A decoded picture.
    pub(crate) fn pictured(&self, glance: Glance, pts: Time, now: Time) {
        self.alignment.lock().aligner.pictured(self.line, glance, pts, now);
    }

    /// A coded picture.
    pub(crate) fn coded(&self, data: &[u8], pts: Time, now: Time) {
        if let Some(code) = code(data) {
            self.alignment.lock().aligner.coded(self.line, code, pts, now);
        }
    }

    /// A picture of `pts` has come: brings the line into step, if it can be, or leads the others.
    pub(crate) fn step(&self, stamps: &mut Stamps, pts: Time, now: Time) -> Gone {
        let mut shared = self.alignment.lock();
        let Some(apart) = shared.aligner.apart(self.line) else {
            stamps.lead(now);
            if let Some(member) = shared.members.get_mut(self.line.0) {
                let until = member.until.or_else(|| stamps.place(pts));
                *member = Member { since: member.since, until, ..Member::default() };
            }
            return Gone::Nowhere;
        };
        let gone = match (shared.lead, &shared.mapping) {
            (Some(lead), _) if lead == self.line => {
                stamps.lead(now);
                if let Some(more) = shared.asked(self.line, stamps.delay(now), apart) {
                    stamps.wait_for_step(more);
                }
                shared.mapping = stamps.mapping().map(|own| own.stamped_later(Span::ZERO - apart));
                Ok(None)
            }
            (Some(lead), Some(mapping)) if shared.aligner.apart(lead).is_some() => {
                stamps.follow(mapping.stamped_later(apart), pts, now)
            }
            _ => {
                stamps.lead(now);
                return Gone::Nowhere;
            }
        };
        let Some(member) = shared.members.get_mut(self.line.0) else { return Gone::Nowhere };
        member.needs = stamps.needs(now).map(|needs| needs + apart);
        member.comes = stamps.comes(now).map(|late| late + apart);
        member.until = None;
        match gone {
            Err(_) => member.since = None,
            Ok(Some(moved)) => {
                member.since = Some(moved.at + ON_ITS_WAY);
                return Gone::Along(moved);
            }
            Ok(None) => {
                member.since.get_or_insert(now);
            }
        }
        Gone::Nowhere
    }
}

impl Shared {
    /// How much longer than by itself the leader is to wait, so that the others can be in step.
    fn asked(&self, lead: LineIx, own: Option<Span>, apart: Span) -> Option<Span> {
        let own = own? + apart;
        let others = self.members.iter().enumerate().filter(|(ix, _)| *ix != lead.0);
        let more = others.filter_map(|(_, member)| member.needs.map(|needs| needs - own));
        // Whoever is too far behind is not waited for.
        more.filter(|more| *more <= MOST_FOR_STEP).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_end_in_any_container() {
        let slice: Vec<u8> = (0..200u8).map(|n| n.wrapping_mul(37) | 1).collect();
        let avcc = [&[0, 0, 0, 200][..], &slice].concat();
        let stream = [&[0, 0, 0, 1, 9, 0xf0, 0, 0, 1][..], &slice, &[0, 0]].concat();
        assert!(code(&avcc).is_some());
        assert_eq!(code(&avcc), code(&stream));
        assert_ne!(code(&avcc), code(&avcc[..150]));
        assert_eq!((code(&slice[..40]), code(&[0; 500]), code(&[])), (None, None, None));
    }

    #[test]
    fn a_single_line_and_align_off_have_nothing_to_align() {
        assert!(Alignment::new(1, Align::Stamps).is_none());
        assert!(Alignment::new(2, Align::Off).is_none());
        assert!(Alignment::new(2, Align::Stamps).is_some());
    }
}
