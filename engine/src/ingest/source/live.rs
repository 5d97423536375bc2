//! The end of a source that a live show has: it never makes its caller wait.

use std::sync::Arc;

use crate::ingest::intake::{Arriving, Intake};
use crate::ingest::source::{Handed, Piece, SourceError};

/// A live line's intake, as a source sees it.
pub(crate) struct LiveEnd {
    intake: Arc<Intake>,
    from: String,
    arriving: Option<Arriving>,
}

impl LiveEnd {
    pub(crate) fn new(intake: Arc<Intake>, name: &str) -> Self {
        Self { intake, from: format!("source {name} hands in"), arriving: None }
    }

    pub(super) fn is_over(&self) -> bool {
        self.intake.reporter.is_stopping()
    }

    pub(super) fn hand(&mut self, piece: Piece) -> Result<Handed, SourceError> {
        if self.is_over() {
            self.end("the show is over");
            return Err(SourceError::Over);
        }
        if self.arriving.is_none() {
            // Without room for a beginning the line's decoder is far behind: a later one finds some.
            self.arriving = self.intake.begin(self.from.clone()).ok();
        }
        let Some(arriving) = &mut self.arriving else { return Ok(Handed::Dropped) };
        Ok(match piece {
            Piece::Params(params) => arriving.params(params),
            Piece::Packet(packet) => arriving.packet(packet),
            Piece::Frame(frame) => arriving.frame(frame),
            Piece::Sound(sound) => arriving.sound(sound),
        })
    }

    pub(super) fn end(&mut self, why: &str) {
        if let Some(arriving) = self.arriving.take() {
            arriving.end(why.to_owned());
        }
    }
}
