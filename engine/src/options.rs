//! How a show is to be run.

use std::path::PathBuf;
use std::sync::Arc;

use codecs::CodecKit;
use media::Span;
pub use rtmp::session::Timeouts as RtmpTimeouts;

use crate::ingest::source::Sources;
use crate::resume::{KeptShow, StateFile};

/// Against the wall clock, or as fast as possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A tick is made when it is due.
    RealTime,
    /// Virtual time: a tick is made when every source is known up to it. The
    /// same show twice gives the same tags. Live lines and live egress are refused.
    Offline,
}

/// How a show is to be run.
#[derive(Clone)]
pub struct RunOptions {
    /// Real time or offline.
    pub mode: Mode,
    /// Ends the show after this much show time, if the rundown does not before; one that goes on from
    /// a kept one, after so much more.
    pub limit: Option<Span>,
    /// What the show's relative input paths are relative to.
    pub inputs: PathBuf,
    /// Where recordings go.
    pub out: PathBuf,
    /// The codecs.
    pub kit: Arc<dyn CodecKit>,
    /// How long those who connect over RTMP may take.
    pub rtmp: RtmpTimeouts,
    /// What the show's `source` lines take.
    pub sources: Sources,
    /// The show file, to be read again when the show is reloaded.
    pub show_file: Option<ShowFile>,
    /// Where the show is kept while it runs, in real time: an engine that dies leaves it there.
    pub state: Option<StateFile>,
    /// What such an engine left, to go on from. Of a show that is another one by now it is taken
    /// what fits; where nothing does, the show begins anew, and says so.
    pub goes_on: Option<Arc<KeptShow>>,
}

/// Where a show came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShowFile {
    /// The file.
    pub path: PathBuf,
    /// Where it says that the show listens, which the show may have been told otherwise.
    pub listen: pipeline_dsl::Listen,
}

impl RunOptions {
    /// With FFmpeg's codecs, inputs and outputs in the current folder, no limit and no sources.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            limit: None,
            inputs: ".".into(),
            out: ".".into(),
            kit: Arc::new(codecs::Ffmpeg::new()),
            rtmp: RtmpTimeouts::default(),
            sources: Sources::default(),
            show_file: None,
            state: None,
            goes_on: None,
        }
    }
}
