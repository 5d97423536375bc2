//! Frames, decoders, encoders, scaling, the watermark and the ladder.
//!
//! Packets become [`Frame`]s and [`Pcm`] in a decoder, frames of one canvas
//! become packets of all rungs in a [`Ladder`]. The codecs come from a
//! [`CodecKit`]: [`Ffmpeg`] is the real one, [`Fake`] the one of the tests.
//!
//! ```
//! use std::sync::Arc;
//! use codecs::{Fake, Frame, Ladder, LadderSettings, PictureMut, Rgb, RungOutput};
//! use media::{FrameRate, Key, Size, Tick};
//!
//! let rate = FrameRate::new(25, 1)?;
//! let settings = LadderSettings::new(rate, [(Size::new(64, 36), 400_000), (Size::new(32, 18), 100_000)]);
//! let mut ladder = Ladder::start(Arc::new(Fake::new()), settings)?;
//! let outputs = ladder.outputs();
//! for tick in 0..3 {
//!     let picture = PictureMut::filled(Size::new(64, 36), Rgb::new(0, 90, 200))?.freeze();
//!     let key = if tick == 0 { Key::Frame } else { Key::Delta };
//!     ladder.send(Frame { pts: rate.time_of(Tick(tick)), picture }, key)?;
//! }
//! ladder.finish();
//! for rung in outputs {
//!     let packets = rung.iter().filter(|out| matches!(out, RungOutput::Packet(_))).count();
//!     assert_eq!(packets, 3);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two things bite those who come from FFmpeg: a decoded picture is also the
//! decoder's reference, so [`Picture`] is read-only and [`Picture::to_mut`]
//! copies; and a clone of a [`Picture`] counts references and copies nothing.

mod avc;
pub mod checks;
mod codec;
mod colour;
mod conform;
mod deinterlace;
mod error;
mod fake;
mod ffmpeg;
mod frame;
mod glance;
mod hevc;
mod ladder;
pub mod lookahead;
pub mod mix;
mod picture;
mod raw;
mod recolour;
mod scale;
pub mod scene;
mod settings;
pub mod still;
mod thread_cpu;
mod turn;
pub mod watermark;

pub use codec::{AudioDecoder, AudioEncoder, CodecKit, VideoDecoder, VideoEncoder};
pub use colour::{Colour, ColourTags, Gamut, Matrix, Primaries, Range, Rgb, Transfer, Yuv};
pub use conform::{Conform, Fields};
pub use deinterlace::Deinterlacer;
pub use error::{CodecError, Step};
pub use fake::{Fake, Reorder};
pub use ffmpeg::{Cadence, Ffmpeg, Filter, Follower, Resampler};
pub use frame::{Frame, Pcm};
pub use ladder::{
    Ladder, LadderError, LadderSettings, NextRung, OpenRung, RungCounters, RungDuty, RungOutput,
};
pub use mix::dissolve;
pub use picture::{
    Aspect, Mirror, Picture, PictureMut, PixelFormat, Plane, PlaneMut, PlaneRef, Rotation, Scan, Turn,
};
pub use raw::{RawFormat, RawPicture, RawPlane};
pub use scale::Scaler;
pub use scene::{SceneComposer, Tile};
pub use settings::{
    AudioEncoderSettings, EncoderFamily, EncoderThreads, Lookahead, VideoEncoderName, VideoEncoderSettings,
};
pub use thread_cpu::thread_cpu;
pub use turn::Turns;
pub use watermark::{Art, Finish, Laid, Opacity, Sprite, WatermarkError};
