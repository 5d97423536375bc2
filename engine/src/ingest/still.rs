//! A still picture with silence: fillers made of an image.

use std::path::Path;

use codecs::Picture;
use media::Size;

use crate::ingest::buffer::Take;
use crate::small_file;

/// One picture, for ever.
#[derive(Clone, Debug)]
pub(crate) struct Still(Picture);

impl Still {
    /// The image fitted on `canvas`.
    pub(crate) fn load(path: &Path, canvas: Size) -> Result<Self, String> {
        let bytes = small_file::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let picture = codecs::still::load(&bytes, canvas);
        picture.map(Self).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn take(&self) -> Take {
        Take { picture: Some(self.0.clone()), ..Take::default() }
    }
}
