//! The leaf of the house: time, rates, sizes, packets and codec names.
//!
//! Everything here is plain data. Media time is counted in *flicks*
//! (1/705 600 000 s), in which every usual frame rate (also 30000/1001) and
//! sample rate has an exact tick, so nothing is ever accumulated with an error.
//!
//! ```
//! use media::{FrameRate, Tick, Time};
//!
//! let ntsc = FrameRate::new(30_000, 1001)?;
//! assert_eq!(ntsc.time_of(Tick(30_000)), Time::from_secs(1001));
//! assert_eq!(ntsc.time_of(Tick(1)).as_millis_rounded(), 33);
//! # Ok::<(), media::OutOfRange>(())
//! ```
#![forbid(unsafe_code)]

mod packet;
mod rate;
mod rect;
mod size;
mod time;

pub use packet::{AudioCodec, AudioParams, Key, Packet, Track, VideoCodec, VideoParams};
pub use rate::{FrameRate, OutOfRange, SampleRate, Tick};
pub use rect::Rect;
pub use size::Size;
pub use time::{FLICKS_PER_SECOND, Span, Time};
