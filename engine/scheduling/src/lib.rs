//! What is on air and why: a pure, deterministic core.
//!
//! [`Switcher`] is the one door: it is told what is new ([`Input`]: how lines stand, commands,
//! choices, rundowns, time), and says what each channel shows and plays at which tick, and why
//! ([`Output`]). It has no clock, no socket and no random source. Behind it are three deciders, which
//! can be had on their own:
//!
//! - [`LineSelector`]: which of a camera's lines is shown; beside it, [`Aligner`]: which of them
//!   carry the same pictures;
//! - [`SceneScheduler`]: where the boxes of a scene stand and what each shows;
//! - [`ChannelScheduler`]: what a channel shows, from commands, the rundown and
//!   the health of its sources; also where key frames and encryption lie.
//!
//! After them comes [`Carrying`]: which channels encode what they show, and which carry what
//! another one encodes, since it is the same.
//!
//! The same calls give the same decisions, always. Intent (what the director
//! asked for) and what is on air are two things, and both can be read.
//!
//! ```
//! use media::{FrameRate, Key, Size, Span, Tick, Time};
//! use pipeline_dsl as dsl;
//! use scheduling::{ChannelScheduler, Command, OnAir, Program, Reason, SourceIx, SourceView};
//!
//! let camera = |name: &str| dsl::Camera { name: name.into(), lines: vec![], failover: Default::default() };
//! let channel = dsl::Channel {
//!     name: "program".into(),
//!     sources: vec!["main".into(), "karry".into()],
//!     filler: Some(dsl::ChannelFiller { name: "standby".into(), after: Span::from_millis(500) }),
//!     watermarks: vec![],
//!     ladder: "one".into(),
//!     shed: None,
//!     encrypt: None,
//!     egresses: vec![],
//! };
//! let show = dsl::Show {
//!     name: "tour".into(),
//!     video: dsl::Video { size: Size::new(1280, 720), rate: FrameRate::new(30, 1)? },
//!     audio: dsl::Audio { rate: media::SampleRate::HZ_48000, layout: dsl::Layout::Stereo },
//!     listen: Default::default(),
//!     cameras: vec![camera("main"), camera("karry")],
//!     fillers: vec![dsl::Filler {
//!         name: "standby".into(),
//!         input: dsl::Input::Test { pattern: dsl::Pattern::Bars, tone: None },
//!     }],
//!     layouts: vec![],
//!     scenes: vec![],
//!     watermarks: vec![],
//!     ladders: vec![dsl::Ladder {
//!         name: "one".into(),
//!         latency: dsl::Latency::Normal,
//!         encoder: dsl::Encoder::X264,
//!         preset: dsl::Preset::Veryfast,
//!         keyframe: Span::from_secs(2),
//!         audio_bitrate: 128_000,
//!         rungs: vec![],
//!     }],
//!     keys: vec![],
//!     channels: vec![channel.clone()],
//!     rundowns: vec![],
//! };
//!
//! let mut program = ChannelScheduler::new(&show, &channel)?;
//! let filler = Some(SourceView::CURRENT);
//! let well = [SourceView::CURRENT, SourceView::CURRENT];
//!
//! let first = program.decide(Tick(0), &well, filler);
//! assert_eq!(first.program, Program::One(OnAir::Source(SourceIx(0))));
//! assert_eq!(first.key, Key::Frame);
//!
//! // A cut acts at the next tick.
//! program.handle(&dsl::Action::Cut { source: "karry".into() }.into(), Tick(1))?;
//! let cut = program.decide(Tick(1), &well, filler);
//! assert_eq!(cut.program, Program::One(OnAir::Source(SourceIx(1))));
//! assert_eq!(cut.change.map(|change| change.reason), Some(Reason::Cut));
//!
//! // karry's pictures stop: its last one is held for 500 ms, then the filler comes in.
//! let hole = [SourceView::CURRENT, SourceView::missing(Time::from_millis(1_000))];
//! for tick in 2..=44 {
//!     let since = if tick < 30 { &well } else { &hole };
//!     assert_eq!(program.decide(Tick(tick), since, filler).program, Program::One(OnAir::Source(SourceIx(1))));
//! }
//! let covered = program.decide(Tick(45), &hole, filler);
//! assert_eq!(covered.program, Program::One(OnAir::Filler));
//! assert_eq!(program.intent().source, SourceIx(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod apart;
mod backoff;
mod carry;
pub mod channel;
mod cover;
mod decision;
mod event;
mod grid;
pub mod line;
mod plan;
mod rundown;
pub mod scene;
mod shed;
mod state;
mod switcher;
mod take;
mod view;

pub use apart::{Found, RungsInStep};
pub use backoff::Backoff;
pub use carry::{Carrying, Encoding, EncodingStep, Lending, Showing, Shown};
#[doc(inline)]
pub use channel::ChannelScheduler;
pub use decision::{
    Blend, Decision, Encryption, Fader, Freshness, Heard, Intent, KeyIx, OnAir, OnAirChange, Program, Reason,
    Standing,
};
pub use event::{Code, Event, Level};
pub use grid::KeyGrid;
#[doc(inline)]
pub use line::{
    Aligner, Carries, Doubt, Duty, GLANCE, Glance, Glances, Grade, LineChange, LineChoice, LineFigures,
    LineIx, LineReason, LineSelector, LineState, LineView, NotChosen, Readiness, Step,
};
pub use pipeline_dsl::{Follow, Gain, Transition};
pub use plan::PlanError;
pub use rundown::{CueNumber, CueState, CueView, Ending, RundownCourse};
#[doc(inline)]
pub use scene::{BoxPicture, BoxShot, SceneIx, SceneScheduler};
pub use shed::{Load, Overload, ShedRung, ShedStep, Shedding, Thumbnails};
pub use state::{NotThisShow, SavedChannel};
pub use switcher::{
    Answer, ChannelIx, FeedIx, Input, LeftOut, LineChosen, NotGoneOn, Output, ReloadError, SavedSwitcher,
    SourcePlace, Switcher,
};
pub use take::{Command, Effect, PlanOrder, Reach, Refusal, RefusalCode, Strip};
pub use view::{Picture, SourceIx, SourceView};
