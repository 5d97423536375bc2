//! The counters of the two tracks.

use media::Track;

use crate::counter::Run;
use crate::error::CryptoError;
use crate::key::{KeyId, MasterKey};
use crate::key_header::{Mode, WireMode};
use crate::salt::SaltSource;
use crate::track_key::TrackKey;

/// The tracks' counters; `None` where a salt is still to be drawn.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) video: Option<Run>,
    pub(super) audio: Option<Run>,
}

impl Runs {
    pub(super) fn start(
        master: &MasterKey,
        id: KeyId,
        mode: Mode,
        salts: &mut dyn SaltSource,
    ) -> Result<Self, CryptoError> {
        let mut start = |track| Run::start(master, id, track, wire_mode(track, mode), salts);
        Ok(Self { video: Some(start(Track::Video)?), audio: Some(start(Track::Audio)?) })
    }

    pub(super) fn slot(&mut self, track: Track) -> &mut Option<Run> {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// The key of the header that was taken last.
    pub(super) fn key(&self, track: Track) -> &TrackKey {
        let run = match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        };
        run.as_ref().expect("a header was taken from it").key()
    }
}

/// Sound is wrapped whole in both modes, and its header says so.
pub(super) fn wire_mode(track: Track, mode: Mode) -> WireMode {
    match (track, mode) {
        (Track::Audio, _) | (Track::Video, Mode::Capsule) => WireMode::Capsule,
        (Track::Video, Mode::Nalu) => WireMode::Nalu,
    }
}
