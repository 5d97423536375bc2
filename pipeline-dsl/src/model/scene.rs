//! Scenes: sources composed of cameras, and the layouts they stand in.

use media::Span;
use serde::{Deserialize, Serialize};

use super::{Gain, Name, Rgb, Switch};

/// The most boxes a scene has, and the most places a layout has.
pub const MOST_BOXES: usize = 16;

/// A source composed of cameras, each in a box of its own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Scene {
    /// Its name; no camera has it too, since both are sources.
    pub name: Name,
    /// The layout it begins in: a [`StockLayout`]'s word, or one of the show's own.
    pub layout: Name,
    /// What is seen where no box stands.
    pub color: Rgb,
    /// A box holds the last picture of a camera that is lost for this long after the first
    /// missing one was due.
    pub after: Span,
    /// Its boxes, 1 to 16; a later one stands before an earlier one of the same `z`.
    pub boxes: Vec<SceneBox>,
}

/// One camera's place in a scene.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SceneBox {
    /// Its name, unique within the scene.
    pub name: Name,
    /// The camera's name.
    pub camera: Name,
    /// Where it stands whatever the layout; `None` leaves it to the layout.
    pub pin: Option<Spot>,
    /// How the picture is fitted in; `None` leaves it to the layout.
    pub fit: Option<Fit>,
    /// The higher one stands before the lower one; `None` leaves it to the layout.
    pub z: Option<u8>,
    /// What is cut off the camera's picture.
    pub crop: Crop,
    /// Pixels of border around the picture, within the box; rounded up to an even number.
    pub border: u32,
    /// The border's colour, and the box's while it has no picture.
    pub color: Rgb,
    /// How loud it is heard in the scene.
    pub level: Gain,
    /// What the box shows while its camera is lost; its colour if `None`.
    pub filler: Option<Name>,
}

/// Places for a scene's boxes, by a name of the show's own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SceneLayout {
    /// Its name; no stock layout's.
    pub name: Name,
    /// Its places, 1 to 16.
    pub places: Vec<Place>,
}

/// A place of a layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// It is taken by the scene's box of this number, from 1, not counting those that are pinned.
    /// A box without a place is neither seen nor heard.
    pub number: u8,
    /// Where it is.
    pub spot: Spot,
    /// How pictures are fitted in, where the box does not say; `contain` if neither does.
    pub fit: Option<Fit>,
    /// The higher one stands before the lower one, where the box does not say; 0 if neither does.
    pub z: Option<u8>,
}

/// A part of the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spot {
    /// Its upper left corner: from the left, from the top.
    pub at: (Length, Length),
    /// Its width and height.
    pub size: (Length, Length),
}

/// A length on the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Pixels.
    Pixels(u32),
    /// Thousandths of a per cent of the canvas's width or height.
    Percent(u32),
}

impl Length {
    /// Nothing.
    pub const ZERO: Self = Self::Pixels(0);
    /// All of the canvas.
    pub const WHOLE: Self = Self::Percent(100_000);
}

/// What is cut off a picture, in pixels of the canvas or parts of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct Crop {
    pub left: Length,
    pub top: Length,
    pub right: Length,
    pub bottom: Length,
}

impl Crop {
    /// Nothing is cut off.
    pub const NONE: Self =
        Self { left: Length::ZERO, top: Length::ZERO, right: Length::ZERO, bottom: Length::ZERO };
}

/// How a picture is brought into a box of another shape.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// All of it is seen, in the middle of the box.
    #[default]
    Contain,
    /// The box is filled; what reaches beyond is cut off evenly.
    Cover,
    /// The box is filled; the shape changes.
    Stretch,
}

/// Layouts every show has, for any number of boxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StockLayout {
    /// Columns of the same width.
    SideBySide,
    /// The first box is all of the canvas; the others stand small before it, from the lower
    /// right corner to the left.
    Pip,
    /// Rows and columns of the same size.
    Grid,
    /// The first box is all of the canvas, the others are not there.
    Full,
}

/// What can be asked of a scene while it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SceneOrder {
    /// Another layout.
    Layout {
        /// A stock layout's word, or one of the show's own.
        layout: Name,
        /// How long the boxes take to their new places; `None` is a cut.
        over: Option<Span>,
    },
    /// How loud a box is heard.
    Level {
        /// The box's name.
        name: Name,
        /// How loud.
        level: Gain,
    },
    /// Whether a box is silent, whatever its level.
    Mute {
        /// The box's name.
        name: Name,
        /// `on` is silent.
        mute: Switch,
    },
}
