//! libavfilter's colorspace: what one red, green and blue make, made of BT.709's.

use media::Time;

use super::graph::FilterGraph;
use crate::colour::{Curve, Primaries};
use crate::error::{CodecError, Step};
use crate::ffmpeg::call::error;
use crate::picture::Picture;

const NAME: &str = "colorspace";

/// A conversion of canvas pictures, from one set of primaries to BT.709's. What lies outside
/// BT.709's gamut is clipped.
pub(crate) struct Repaint {
    primaries: Primaries,
    curve: Curve,
    graph: FilterGraph,
}

impl Repaint {
    /// For pictures like this one, whose matrix and range are the canvas's.
    pub(crate) fn open(like: &Picture, primaries: Primaries, curve: Curve) -> Result<Self, CodecError> {
        let options = format!(
            "ispace=bt709:irange=tv:iprimaries={}:itrc={curve}:space=bt709:range=tv:primaries=bt709:trc={curve}:format=yuv420p",
            primaries.name(),
            curve = curve.name(),
        );
        let graph = FilterGraph::open(NAME, like, &options)?;
        Ok(Self { primaries, curve, graph })
    }

    /// Whether it was made for pictures like this one.
    pub(crate) fn fits(&self, picture: &Picture, primaries: Primaries, curve: Curve) -> bool {
        self.graph.fits(picture) && (self.primaries, self.curve) == (primaries, curve)
    }

    /// The picture in BT.709's colours.
    pub(crate) fn run(&mut self, picture: &Picture) -> Result<Picture, CodecError> {
        self.graph.push(picture, Time::ZERO)?;
        let made = self.graph.pull()?;
        made.map(|(_, picture)| picture)
            .ok_or_else(|| error(NAME, Step::Filter, None, ffmpeg_next::ffi::AVERROR_UNKNOWN))
    }
}
