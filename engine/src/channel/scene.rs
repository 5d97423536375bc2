//! The picture of a scene at a tick: composed by the first channel that shows it, for all of them.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use codecs::{CodecError, Picture, Rgb, SceneComposer, Tile};
use media::Size;

/// Where the pictures of one scene are composed; what was scaled last is kept here.
pub(crate) struct SceneStage {
    canvas: Size,
    composer: Mutex<SceneComposer>,
}

impl SceneStage {
    pub(crate) fn new(canvas: Size) -> Arc<Self> {
        Arc::new(Self { canvas, composer: Mutex::new(SceneComposer::new(canvas)) })
    }
}

/// A scene at one tick. Nothing is scaled until somebody looks at it.
pub(crate) struct SceneShot {
    stage: Arc<SceneStage>,
    background: Rgb,
    /// From back to front.
    tiles: Vec<Tile>,
    composed: OnceLock<Picture>,
}

impl SceneShot {
    pub(crate) fn new(stage: &Arc<SceneStage>, background: Rgb, tiles: Vec<Tile>) -> Self {
        Self { stage: Arc::clone(stage), background, tiles, composed: OnceLock::new() }
    }

    /// Its picture.
    pub(crate) fn picture(&self) -> Result<Picture, CodecError> {
        if let Some(picture) = self.composed.get() {
            return Ok(picture.clone());
        }
        let mut composer = self.stage.composer.lock().unwrap_or_else(PoisonError::into_inner);
        // Another channel may have been quicker.
        if let Some(picture) = self.composed.get() {
            return Ok(picture.clone());
        }
        let picture = composer.compose(self.background, &self.tiles)?;
        Ok(self.composed.get_or_init(|| picture).clone())
    }

    /// The same for somebody for whom no channel may have to wait.
    fn picture_apart(&self) -> Result<Picture, CodecError> {
        match self.composed.get() {
            Some(picture) => Ok(picture.clone()),
            None => SceneComposer::new(self.stage.canvas).compose(self.background, &self.tiles),
        }
    }
}

impl fmt::Debug for SceneShot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scene of {} boxes", self.tiles.len())
    }
}

/// What a source shows at a tick.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// A camera's or a filler's picture.
    Picture(Picture),
    /// A scene.
    Scene(Arc<SceneShot>),
}

impl Seen {
    pub(crate) fn picture(&self) -> Result<Picture, CodecError> {
        match self {
            Self::Picture(picture) => Ok(picture.clone()),
            Self::Scene(shot) => shot.picture(),
        }
    }

    /// The same for somebody for whom no channel may have to wait.
    pub(crate) fn picture_apart(&self) -> Result<Picture, CodecError> {
        match self {
            Self::Picture(picture) => Ok(picture.clone()),
            Self::Scene(shot) => shot.picture_apart(),
        }
    }
}
