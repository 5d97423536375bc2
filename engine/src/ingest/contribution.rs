//! One stream that a live line receives, from its beginning to its end: what decodes
//! it, where its time lies, and what is missing from it.

use codecs::{AudioDecoder, Conform, Filter, Follower};
use media::{AudioParams, Key, Span, Time, Track, VideoCodec, VideoParams};
use scheduling::Duty;

use crate::event::Level;
use crate::ingest::adrift::Adrift;
use crate::ingest::lane::{Shape, VideoLane};
use crate::ingest::leapt::Leapt;
use crate::ingest::stamps::Stamps;
use crate::ingest::standby::Gop;
use crate::ingest::timecode::TimeCodes;
use crate::ingest::wall::WallClock;
use crate::reporter::Reporter;
use crate::seldom::{Hearing, Measure, Seldom};

/// A stream that still lacks a track after this long is said to have none.
const BOTH_BY: Span = Span::from_secs(3);

/// AVC that has brought no key frame for so long refreshes its pictures bit by bit, and never
/// will bring one.
const KEY_BY: Span = Span::from_secs(3);

/// What belongs to one stream, from its beginning to its end.
pub(crate) struct Contribution {
    /// Where the decoder of pictures begins.
    pub(crate) opening: Opening,
    /// What the stream is said to be, and what decodes it.
    pub(crate) video: Option<(VideoParams, VideoLane)>,
    pub(crate) audio: Option<(AudioParams, Box<dyn AudioDecoder>)>,
    /// Whether it was said what its sound is; there may be no decoder for that.
    pub(crate) sound: Sound,
    /// What puts pictures on the canvas that come without being coded.
    pub(crate) raw: Conform,
    /// The stamp of the last picture that came without being coded.
    pub(crate) raw_last: Option<Time>,
    pub(crate) stamps: Stamps,
    /// Brings sound where the stamps say, in the show's form.
    pub(crate) follower: Follower,
    /// Sound whose stamps have leapt, which the pictures may follow.
    pub(crate) leapt: Leapt,
    /// Where its sound lies, if by another clock than its pictures.
    pub(crate) adrift: Adrift,
    pub(crate) pictures: Pictures,
    /// What it says of the time of day.
    pub(crate) wall: WallClock,
    pub(crate) codes: TimeCodes,
    /// When it was last told where its clock stands.
    pub(crate) told: Option<Time>,
    /// Whether it was told that it came: of one that comes again and again less is told.
    pub(crate) coming: Hearing,
    /// How much longer it is said to wait for its sound.
    pub(crate) waits_told: Span,
    /// Since the line's beginning, whoever sent: a sender that comes and goes is heard no more often.
    pub(crate) complaints: Seldom,
    pub(crate) jumps: Seldom,
    pub(crate) drifts: Seldom,
    pub(crate) comings: Seldom,
    pub(crate) goings: Seldom,
    pub(crate) remarks: Seldom,
    pub(crate) steps: Seldom,
    pub(crate) tracks: Tracks,
    /// What is done with what comes.
    pub(crate) duty: Duty,
    /// What is kept of a line on warm standby.
    pub(crate) gop: Gop,
    /// The latest picture in order of display that came undecoded.
    pub(crate) newest: Option<Time>,
}

/// Whether a decoder has begun.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// With the next key frame; the first picture came at that time.
    AtKeyFrame {
        since: Option<Time>,
    },
    Begun,
}

impl Opening {
    /// Nothing has come yet.
    pub(crate) const AT_KEY_FRAME: Self = Self::AtKeyFrame { since: None };
}

/// Whether it is known what a stream's sound is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sound {
    Untold,
    Told,
}

/// Whether a stream has given pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    None,
    Some,
}

/// Which tracks have come at all.
pub(crate) struct Tracks {
    since: Time,
    video: u64,
    audio: u64,
    missing: Missing,
}

/// Whether it was said that a track is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Unsaid,
    Said,
}

impl Contribution {
    /// A stream of which what comes is to wait for `depth`.
    pub(crate) fn new(shape: &Shape, depth: Span) -> Self {
        Self {
            opening: Opening::AT_KEY_FRAME,
            video: None,
            audio: None,
            sound: Sound::Untold,
            raw: Conform::new(shape.canvas, Filter::Bicubic),
            raw_last: None,
            stamps: Stamps::new(shape.ticks, depth),
            follower: Follower::new(shape.rate, shape.channels),
            leapt: Leapt::default(),
            adrift: Adrift::default(),
            pictures: Pictures::None,
            wall: WallClock::default(),
            codes: TimeCodes::default(),
            told: None,
            complaints: Seldom::new("decode-error", Level::Warn, Measure::DAMAGE),
            jumps: Seldom::new("line-jump", Level::Warn, Measure::CLOCK),
            drifts: Seldom::new("line-drift", Level::Warn, Measure::CLOCK),
            coming: Hearing::Told,
            waits_told: Span::ZERO,
            comings: Seldom::new("line-connected", Level::Info, Measure::TRAFFIC),
            goings: Seldom::new("line-disconnected", Level::Warn, Measure::TRAFFIC),
            remarks: Seldom::new("picture", Level::Info, Measure::TRAFFIC),
            steps: Seldom::new("line-in-step", Level::Info, Measure::TRAFFIC),
            tracks: Tracks::new(Time::ZERO),
            duty: Duty::Decode,
            gop: Gop::default(),
            newest: None,
        }
    }

    /// Whether a picture goes to the decoder: what hangs on pictures that never came does not, since
    /// it is damage, or made up. Only AVC's decoder knows when its pictures are whole, also where
    /// no key frame ever comes.
    pub(crate) fn is_decoded(&mut self, key: Key, now: Time) -> bool {
        let (Opening::AtKeyFrame { since }, Some((params, _))) = (&mut self.opening, &self.video) else {
            return true;
        };
        let waited = now - *since.get_or_insert(now);
        if key != Key::Frame && (params.codec != VideoCodec::Avc || waited < KEY_BY) {
            return false;
        }
        self.opening = Opening::Begun;
        true
    }

    /// The next stream of the same line.
    pub(crate) fn begin(&mut self, shape: &Shape, depth: Span, now: Time) {
        let Self { complaints, jumps, drifts, comings, goings, remarks, steps, duty, .. } =
            std::mem::replace(self, Self::new(shape, depth));
        (self.jumps, self.drifts, self.tracks) = (jumps, drifts, Tracks::new(now));
        self.complaints = complaints;
        (self.comings, self.goings, self.remarks) = (comings, goings, remarks);
        (self.steps, self.duty) = (steps, duty);
    }
}

impl Tracks {
    fn new(since: Time) -> Self {
        Self { since, video: 0, audio: 0, missing: Missing::Unsaid }
    }

    pub(crate) fn came(&mut self, track: Track, reporter: &Reporter) {
        match track {
            Track::Video => self.video += 1,
            Track::Audio => self.audio += 1,
        }
        if (self.video == 0 || self.audio == 0) && reporter.now() - self.since >= BOTH_BY {
            self.say_what_is_missing(reporter);
        }
    }

    /// Whether it is known to bring sound and no pictures.
    pub(crate) fn are_sound_alone(&self) -> bool {
        self.missing == Missing::Said && self.video == 0 && self.audio > 0
    }

    /// Once a stream: while it runs, or at its end if that comes first.
    pub(crate) fn say_what_is_missing(&mut self, reporter: &Reporter) {
        if std::mem::replace(&mut self.missing, Missing::Said) == Missing::Said {
            return;
        }
        if self.video == 0 {
            let message = match self.audio {
                0 => "no pictures come in this stream: there is nothing of it to show",
                _ => "no pictures come in this stream: it is heard over black, unless the line has had some",
            };
            reporter.event(Level::Warn, "no-video", message);
        }
        if self.audio == 0 {
            let message = "no sound comes in this stream: silence stands in";
            reporter.event(Level::Info, "no-audio", message);
        }
    }
}
