//! Runs a show: lines in, channels composed and encoded, feeds and recordings out.
//!
//! ```no_run
//! use engine::{Command, Engine, Mode, RunOptions};
//!
//! let checked = pipeline_dsl::check(&std::fs::read_to_string("tour.show")?);
//! let show = checked.show.ok_or("the show has errors: `obvan check` says which")?;
//! let engine = Engine::start(show, RunOptions::new(Mode::RealTime))?;
//! let handle = engine.handle();
//! let ack = handle.command(Command::cut("karry"))?;
//! println!("karry is on air since frame {}", ack.frame);
//! handle.stop();
//! let report = engine.wait();
//! println!("{} frames", report.channels[0].frames);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Data goes one way: a line's packets are decoded and mapped on the show's
//! timeline ([`ingest`](self)), the show's thread decides each tick and hands
//! pictures and sound to its channels, a channel composes and encodes, its
//! rungs make FLV tags and encrypt them, a feed fans them out to the sinks.
#![forbid(unsafe_code)]

mod call;
mod channel;
mod clock;
mod command;
mod dial;
mod egress;
mod engine;
mod event;
mod fetch;
mod handle;
pub mod http;
mod ingest;
pub mod key_file;
mod keys;
mod options;
mod report;
mod reporter;
mod rig;
mod secure;
mod show;
mod start;
mod status;
mod stream_key;

pub use crate::command::{Ack, Command, Refused, Verb};
pub use crate::engine::Engine;
pub use crate::event::{Event, Level};
pub use crate::handle::Handle;
pub use crate::keys::ResolveError;
pub use crate::options::{Mode, RtmpTimeouts, RunOptions};
pub use crate::report::{
    CameraReport, ChannelReport, EgressReport, EgressState, EncryptionReport, LineReport, LineState,
    NetworkReport, OnAirReport, RecordingReport, Report, RungReport,
};
pub use crate::secure::PemError;
pub use crate::start::StartError;
pub use crate::status::{
    CameraStatus, ChannelStatus, CueStatus, Delta, LineStatus, MixStatus, PlanStatus, RungStatus, Status,
    StripStatus,
};
