//! libavfilter's bwdif: whole pictures out of fields, by what lies before and after them.

use media::{Size, Time};

use super::graph::FilterGraph;
use crate::error::CodecError;
use crate::picture::Picture;

/// How often a picture is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Cadence {
    /// One for each field: 50i becomes 50p.
    Fields,
    /// One for each frame: 50i becomes 25p.
    Frames,
}

/// The filter, made for pictures of one size and format.
///
/// It holds one picture back: each is made with the one after it in view.
pub(crate) struct Bwdif(FilterGraph);

impl Bwdif {
    /// Whether the filter can work on a picture of this size: every plane must
    /// have a few lines and columns.
    pub(crate) const fn takes(size: Size) -> bool {
        size.width >= 8 && size.height >= 16
    }

    /// For pictures like this one.
    pub(crate) fn open(like: &Picture, cadence: Cadence) -> Result<Self, CodecError> {
        let mode = match cadence {
            Cadence::Fields => "send_field",
            Cadence::Frames => "send_frame",
        };
        FilterGraph::open("bwdif", like, &format!("mode={mode}:parity=auto:deint=interlaced")).map(Self)
    }

    /// Whether a picture is of the size and format the filter was made for.
    pub(crate) fn fits(&self, picture: &Picture) -> bool {
        self.0.fits(picture)
    }

    /// Hands in the next picture, by reference.
    pub(crate) fn push(&mut self, picture: &Picture, pts: Time) -> Result<(), CodecError> {
        self.0.push(picture, pts)
    }

    /// No more pictures: what is held back comes out.
    pub(crate) fn end(&mut self) -> Result<(), CodecError> {
        self.0.end()
    }

    /// The next picture, if one is ready.
    pub(crate) fn pull(&mut self) -> Result<Option<(Time, Picture)>, CodecError> {
        self.0.pull()
    }
}
