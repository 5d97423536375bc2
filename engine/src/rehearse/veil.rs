//! What befalls a line that is there itself, a file or a pattern: it is laid over what the line gives.

use codecs::Picture;
use media::{Span, Time};
use pipeline_dsl::rehearsal::LineFault;

use crate::ingest::buffer::Take;
use crate::rehearse::sender::LineTrouble;

/// Lies over a line.
pub(crate) struct Veil {
    troubles: Vec<LineTrouble>,
    /// Rehearsal time at show time zero.
    began: Span,
    black: Picture,
    last: Option<Picture>,
}

/// What a veil does to a picture and its sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct VeilNow {
    pub(crate) is_black: bool,
    pub(crate) is_still: bool,
    pub(crate) is_silent: bool,
}

impl Veil {
    /// Whether this can befall such a line.
    pub(crate) fn covers(fault: LineFault) -> bool {
        use LineFault::{Black, Freeze, Lost, Silence, Stall};
        matches!(fault, Lost | Stall | Freeze | Black | Silence)
    }

    pub(crate) fn new(troubles: Vec<LineTrouble>, began: Time, black: Picture) -> Self {
        Self { troubles, began: began - Time::ZERO, black, last: None }
    }

    /// What befalls the line at this show time.
    pub(crate) fn trouble(&self, at: Time) -> impl Iterator<Item = &LineTrouble> {
        let now = at + self.began;
        self.troubles.iter().filter(move |trouble| trouble.holds_at(now))
    }

    /// What of it can be seen and heard.
    pub(crate) fn now(&self, at: Time) -> VeilNow {
        let mut now = VeilNow::default();
        for trouble in self.trouble(at) {
            match trouble.what {
                LineFault::Black => now.is_black = true,
                LineFault::Freeze => now.is_still = true,
                LineFault::Silence => now.is_silent = true,
                _ => {}
            }
        }
        now
    }

    /// What a tick gets of what the line gave.
    pub(crate) fn over(&mut self, at: Time, mut take: Take) -> Take {
        let all: Vec<LineTrouble> = self.trouble(at).copied().collect();
        let since = |what: LineFault| {
            let from = all.iter().filter(|trouble| trouble.what == what).map(|trouble| trouble.from).min()?;
            Some(from - self.began)
        };
        if let Some(since) = since(LineFault::Lost).into_iter().chain(since(LineFault::Stall)).min() {
            let (picture, carries) = (self.last.clone(), take.carries);
            return Take { picture, hole_since: Some(since), carries, ..Take::default() };
        }
        if since(LineFault::Black).is_some() {
            take.picture = take.picture.map(|_| self.black.clone());
        } else if since(LineFault::Freeze).is_some() && self.last.is_some() {
            take.picture = self.last.clone();
        }
        if since(LineFault::Silence).is_some() {
            take.sound = None;
        }
        self.last = take.picture.clone();
        take
    }
}
