//! What is particular about a line's pictures, and what was made of it: told once a stream.

use codecs::{Cadence, Gamut, Picture, Scan, Transfer};
use pipeline_dsl::Deinterlace;

use crate::event::Level;

/// Something a director should know of a line's pictures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) level: Level,
    pub(crate) message: String,
}

/// What a picture may have about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trait {
    Pq,
    Hlg,
    WideGamut,
    Alpha,
    Interlaced,
}

/// Looks at the pictures of one stream.
#[derive(Debug)]
pub(crate) struct Remarks {
    deinterlace: Deinterlace,
    cadence: Cadence,
    seen: Vec<Trait>,
    told: usize,
}

impl Remarks {
    pub(crate) fn new(deinterlace: Deinterlace, cadence: Cadence) -> Self {
        Self { deinterlace, cadence, seen: Vec::new(), told: 0 }
    }

    pub(crate) fn look(&mut self, picture: &Picture) {
        let light = match picture.transfer() {
            Transfer::Sdr => None,
            Transfer::Pq => Some(Trait::Pq),
            Transfer::Hlg => Some(Trait::Hlg),
        };
        // Without high dynamic range, which is said already and mostly comes with it.
        let wide = (light.is_none() && picture.gamut() == Gamut::Wide).then_some(Trait::WideGamut);
        let alpha = picture.has_alpha().then_some(Trait::Alpha);
        let fields = (picture.scan() != Scan::Progressive).then_some(Trait::Interlaced);
        for found in [light, wide, alpha, fields].into_iter().flatten() {
            if !self.seen.contains(&found) {
                self.seen.push(found);
            }
        }
    }

    /// The next that was not told yet.
    pub(crate) fn next(&mut self) -> Option<Remark> {
        let found = *self.seen.get(self.told)?;
        self.told += 1;
        let (level, message) = match found {
            Trait::Pq => (Level::Warn, "HDR comes (PQ) and is shown as SDR: it is not tone-mapped"),
            Trait::Hlg => (Level::Warn, "HDR comes (HLG) and is shown as SDR: it is not tone-mapped"),
            Trait::WideGamut => {
                (Level::Info, "a wide gamut comes and is shown as BT.709: what it has beyond is clipped")
            }
            Trait::Alpha => (Level::Info, "pictures with transparency come: they lie over black"),
            Trait::Interlaced => (Level::Info, self.fields()),
        };
        Some(Remark { level, message: message.to_owned() })
    }

    fn fields(&self) -> &'static str {
        match (self.deinterlace, self.cadence) {
            (Deinterlace::Bwdif, Cadence::Fields) => {
                "interlaced pictures come: bwdif makes a whole one of each field"
            }
            (Deinterlace::Bwdif, Cadence::Frames) => {
                "interlaced pictures come: bwdif makes a whole one of each frame"
            }
            (Deinterlace::Fast, _) => "interlaced pictures come: the upper field is shown, half the lines",
            (Deinterlace::Off, _) => "interlaced pictures come and are shown as they are, combs and all",
        }
    }
}
