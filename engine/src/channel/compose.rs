//! The picture of a tick: one source, or two in a mix, and the watermarks on top.

use std::path::Path;

use codecs::{CodecError, Picture, PictureMut, Placement, Rgb, Watermark};
use pipeline_dsl as dsl;

use crate::keys;

/// What a tick shows; `None` is black.
#[derive(Clone, Debug)]
pub(crate) enum Layers {
    One(Option<Picture>),
    /// `step / of` of the second over the rest of the first.
    Mix {
        from: Option<Picture>,
        to: Option<Picture>,
        step: u32,
        of: u32,
    },
}

pub(crate) struct Composer {
    black: Picture,
    watermarks: Vec<Watermark>,
    /// The last picture with its watermarks, for a source that stands still.
    last: Option<(Picture, Picture)>,
}

fn anchor(at: dsl::Anchor) -> codecs::Anchor {
    match at {
        dsl::Anchor::TopLeft => codecs::Anchor::TopLeft,
        dsl::Anchor::Top => codecs::Anchor::Top,
        dsl::Anchor::TopRight => codecs::Anchor::TopRight,
        dsl::Anchor::Left => codecs::Anchor::Left,
        dsl::Anchor::Center => codecs::Anchor::Centre,
        dsl::Anchor::Right => codecs::Anchor::Right,
        dsl::Anchor::BottomLeft => codecs::Anchor::BottomLeft,
        dsl::Anchor::Bottom => codecs::Anchor::Bottom,
        dsl::Anchor::BottomRight => codecs::Anchor::BottomRight,
    }
}

impl Composer {
    /// Loads the channel's watermarks, relative to `base`.
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel, base: &Path) -> Result<Self, String> {
        let mut watermarks = Vec::new();
        for name in &channel.watermarks {
            let model = show.watermarks.iter().find(|w| w.name == *name);
            let model = model.ok_or_else(|| format!("there is no watermark {name}"))?;
            let owner = format!("watermark {name}");
            let path = keys::path(&model.image, base, &owner).map_err(|e| e.to_string())?;
            let bytes = std::fs::read(&path).map_err(|e| format!("{owner}: {}: {e}", path.display()))?;
            let placement =
                Placement { anchor: anchor(model.at), margin: model.margin, opacity: model.opacity };
            let watermark = Watermark::load(&bytes, show.video.size, placement);
            watermarks.push(watermark.map_err(|e| format!("{owner}: {}: {e}", path.display()))?);
        }
        let black = PictureMut::filled(show.video.size, Rgb::new(0, 0, 0)).map_err(|e| e.to_string())?;
        Ok(Self { black: black.freeze(), watermarks, last: None })
    }

    pub(crate) fn compose(&mut self, layers: &Layers) -> Result<Picture, CodecError> {
        let or_black = |picture: &Option<Picture>| picture.clone().unwrap_or_else(|| self.black.clone());
        match layers {
            Layers::One(picture) => {
                let picture = or_black(picture);
                if self.watermarks.is_empty() {
                    return Ok(picture);
                }
                if let Some((bare, marked)) = &self.last
                    && bare.ptr_eq(&picture)
                {
                    return Ok(marked.clone());
                }
                let marked = self.mark(picture.to_mut()?)?;
                self.last = Some((picture, marked.clone()));
                Ok(marked)
            }
            Layers::Mix { from, to, step, of } => {
                let mixed = codecs::dissolve(&or_black(from), &or_black(to), *step, *of)?;
                self.mark(mixed)
            }
        }
    }

    fn mark(&self, mut picture: PictureMut) -> Result<Picture, CodecError> {
        for watermark in &self.watermarks {
            watermark.blend(&mut picture)?;
        }
        Ok(picture.freeze())
    }
}
