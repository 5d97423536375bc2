//! Lines: everything that brings pictures and sound in, mapped on the show's timeline.
//!
//! A line is either *buffered* (a file, a push: threads of its own fill a
//! [`LineBuffer`]) or *made up on the spot* (a pattern, a still). The tick
//! takes from all of them in the same way.

mod adrift;
mod adts;
pub(crate) mod again;
pub(crate) mod align;
mod branch;
pub(crate) mod buffer;
pub(crate) mod caps;
pub(crate) mod coded;
mod colorimetry;
pub(crate) mod contribution;
mod counters;
mod damage;
pub(crate) mod demux;
pub(crate) mod device;
pub(crate) mod door;
mod drift;
pub(crate) mod end;
pub(crate) mod file;
mod flv_head;
pub(crate) mod flv_pull;
mod hls;
pub(crate) mod hold;
pub(crate) mod intake;
pub(crate) mod iso;
pub(crate) mod lane;
mod leapt;
mod line;
mod listen;
pub(crate) mod live;
mod mapping;
mod mkv_head;
mod mp4_head;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod outward;
pub(crate) mod pattern;
pub(crate) mod play;
pub(crate) mod point;
pub(crate) mod publish;
mod remarks;
mod sample;
pub(crate) mod seats;
mod sound_queue;
pub(crate) mod source;
pub(crate) mod stamps;
pub(crate) mod standby;
pub(crate) mod still;
mod timecode;
pub(crate) mod together;
mod uncoded;
pub(crate) mod unpack;
mod wall;
pub(crate) mod wire;

pub(crate) use counters::LineCounters;
pub(crate) use line::{Line, Origin};
