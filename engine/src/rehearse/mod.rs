//! A show rehearsed: the real engine on a virtual clock, with peers at its edges that can be made
//! to fail.

mod report;

pub use report::{
    ActualSpan, CameraRun, CameraSpan, ChannelRun, Codecs, CommandOutcome, CommandRun, Cost, CueRun,
    EngineEnd, EngineRun, FaultRun, Gap, IntentSpan, LineRun, LineSpan, OnAirKind, PictureSeen, Progress,
    Rehearsal, Saw, Sender, Sense, SinkRun, SinkSpan, SoundHeard,
};
