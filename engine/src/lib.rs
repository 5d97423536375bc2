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
//! What no line of the language brings, a program brings itself: a [`Source`] hands in packets or
//! frames, for a line that says `line NAME source my-camera`. It runs on a thread of its own, in
//! a live show and in an offline one; `examples/custom_source.rs` is a whole one.
//!
//! ```
//! use codecs::{Frame, PictureMut, Rgb};
//! use engine::{Engine, Mode, RunOptions, SourceHandle, SourceTracks};
//! use media::{FrameRate, Size, Span, Tick};
//!
//! let show = pipeline_dsl::parse_show(
//!     r#"show "drawn" {
//!          video 64x36 25fps
//!          camera mine { line own source my-camera }
//!          ladder one { rung small 64x36 100k }
//!          channel program { sources mine; ladder one; egress disk record "{channel}.flv" }
//!        }"#,
//! )
//! .map_err(|said| format!("{said:?}"))?;
//! let out = tempfile::tempdir()?;
//! let limit = Some(Span::from_secs(2));
//! let mut options = RunOptions { limit, out: out.path().into(), ..RunOptions::new(Mode::Offline) };
//! options.sources.add("my-camera", SourceTracks::Pictures, |to: SourceHandle| {
//!     let rate = FrameRate::new(25, 1).expect("a rate");
//!     for n in 0.. {
//!         let blue = Rgb::new(0, 0, n as u8);
//!         let picture = PictureMut::filled(Size::new(64, 36), blue).expect("a picture").freeze();
//!         if to.frame(Frame { pts: rate.time_of(Tick(n)), picture }).is_err() {
//!             return; // the show is over
//!         }
//!     }
//! });
//! let report = Engine::start(show, options)?.wait();
//! assert_eq!(report.channels[0].frames, 50);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Before the day, [`rehearse`] plays a show in virtual time, with lines, servers, the disk and the
//! engine itself failing as a script says, and tells what viewers would have seen.
//!
//! Data goes one way: a line's packets are decoded and mapped on the show's
//! timeline ([`ingest`](self)), the show's thread decides each tick and hands
//! pictures and sound to its channels, a channel composes and encodes, its
//! rungs make FLV tags and encrypt them, a feed fans them out to the sinks.
#![forbid(unsafe_code)]

mod address;
pub mod alarm;
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
mod mark;
mod options;
pub mod rehearse;
mod report;
mod reporter;
pub mod resume;
mod rig;
mod secure;
mod seldom;
mod show;
mod small_file;
mod stage;
mod start;
mod status;
mod stream_key;
mod thumb;
mod way;

pub use crate::address::{pull_problem, push_problem};
pub use crate::channel::marks::font_problem;
pub use crate::command::{Ack, Command, Problem, Refused, Verb};
pub use crate::engine::Engine;
pub use crate::event::{Event, Level};
pub use crate::handle::Handle;
pub use crate::ingest::source::{Handed, Source, SourceError, SourceHandle, SourceTracks, Sources};
pub use crate::keys::ResolveError;
pub use crate::mark::{MarkFound, MarkReader};
pub use crate::options::{Mode, RtmpTimeouts, RunOptions, ShowFile};
pub use crate::report::{
    BoxReport, CameraReport, CarriedReport, ChannelReport, EgressReport, EgressState, EncryptionReport,
    LineFacts, LineReport, LineState, NetworkReport, OnAirReport, PartEnd, PartReport, RecordingReport,
    Report, RungFacts, RungReport, SceneReport, ShedReport, StageFacts, StageReport,
};
pub use crate::secure::{PemError, server_papers, trusted_papers};
pub use crate::start::StartError;
pub use crate::status::{
    BoxStatus, CameraStatus, ChannelStatus, CueStatus, Delta, LineStatus, LoadStatus, MarkStatus, MixStatus,
    PlanStatus, RungStatus, SceneStatus, StageStatus, Status, StripStatus, ThumbnailStatus,
};
