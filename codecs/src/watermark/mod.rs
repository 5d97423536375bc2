//! What is laid over pictures: logos, text, time codes, and a pattern that nobody sees.
//!
//! An [`Art`] is what may be drawn in any size: a PNG, a JPEG, an SVG, or
//! words in a [`Face`] of the [`Fonts`] there are. Drawn in one size it is a
//! [`Sprite`], which is blended into as many pictures as one likes; a
//! [`TimeStrip`] is one of digits. [`forensic`] lays the pattern and finds it.
//!
//! ```
//! use codecs::watermark::{Art, Fonts, Laid, Opacity};
//! use codecs::{PictureMut, Yuv};
//! use media::Size;
//!
//! let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
//!   <rect width="40" height="20" fill="red"/></svg>"#;
//! let logo = Art::read(svg, &Fonts::none())?;
//! let twice = logo.draw(Size::new(80, 40))?;
//! let mut picture = PictureMut::filled(Size::new(320, 180), Yuv::BLACK)?;
//! twice.blend(&mut picture, Laid { x: 8, y: 8, opacity: Opacity::FULL });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod art;
pub mod forensic;
mod layer;
mod letters;
mod references;
mod sprite;
mod time_strip;
mod weight;

use media::Size;

use crate::error::CodecError;
use crate::picture::Picture;

pub use art::{Art, MOST_SIDE};
pub use letters::{DEFAULT_FAMILY, Face, Fonts, Lettering};
pub use references::ReferenceError;
pub use sprite::{Laid, Opacity, Sprite};
pub use time_strip::{DrawnStrip, TimeStrip};

/// What is still to be done to a rung's picture, once it has the rung's size.
pub trait Finish: Send + Sync {
    /// The picture of rung `rung` (from 0, in the order of the ladder's
    /// settings) with everything on it; the very same one if there is nothing.
    ///
    /// # Errors
    /// A picture that cannot be painted on.
    fn finish(&self, rung: usize, picture: Picture) -> Result<Picture, CodecError>;
}

/// Why something cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatermarkError {
    /// The file is nothing that can be read.
    #[error("the watermark's image cannot be read: {0} (PNG, JPEG and SVG up to 8192x8192 are legal)")]
    Image(String),
    /// A size that cannot be drawn in.
    #[error("a watermark of {0} cannot be drawn: 1x1 to 8192x8192 are legal")]
    Size(Size),
    /// A drawing that would take too long, or too much memory.
    #[error(
        "the watermark's drawing would take some {seconds} s and {mib} MiB in {size}, by its filters, layers and \
         patterns: up to {} s and {} MiB are legal",
        weight::MOST_SECONDS,
        weight::MOST_MIB
    )]
    Heavy {
        /// The size it was to be drawn in.
        size: Size,
        /// What it would take at the least, of one core.
        seconds: u64,
        /// For layers, at the least.
        mib: u64,
    },
    /// A drawing whose elements refer to one another too often, too deep, or in a ring.
    #[error("the watermark's drawing cannot be read: {0}")]
    References(#[from] ReferenceError),
    /// The system has no such font.
    #[error("there is no font {name:?}; {}", there_are(families))]
    NoFont {
        /// The name asked for.
        name: String,
        /// Families that there are, the nearest first.
        families: Vec<String>,
    },
    /// The file is no font.
    #[error("the font file cannot be read: TrueType and OpenType are legal")]
    FontFile,
    /// Nothing of the text can be seen in this font.
    #[error("nothing of the text {0:?} can be seen in its font")]
    NoLetters(String),
}

fn there_are(families: &[String]) -> String {
    match families {
        [] => {
            "the system has none at all: install one (Debian: fonts-dejavu-core), or name a file".to_owned()
        }
        some => format!("there are: {}", some.join(", ")),
    }
}
