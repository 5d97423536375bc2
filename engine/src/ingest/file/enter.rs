//! A file entered where it would be by now, had the engine before not died.
//!
//! What the container says of its length may be a guess, and passes add up: so the file's end is read,
//! as every pass reads it. A container that cannot be read from its middle plays from its beginning.

use codecs::{CodecError, Frame, Pcm};
use gstreamer as gst;
use media::{FrameRate, Key, Span, Time};
use pipeline_dsl::Repeat;

use super::{FileLine, Pass, SHORTEST_LOOP, UNTOLD, whole_pictures};
use crate::ingest::caps;
use crate::ingest::demux::{self, Demux, TrackReader};
use crate::ingest::lane::{AudioLane, StreamParams, Told, VideoLane};

/// How far before its place a file is read from, if reading nearer does not do.
const BACK: [Span; 3] = [Span::ZERO, Span::from_secs(2), Span::from_secs(10)];
/// So near to its end there is a picture.
const NEAR_END: Span = Span::from_millis(100);
/// A decoder of sound has come into its own after so long.
const WARM: Span = Span::from_millis(200);

/// What goes on when something has been decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    On,
    Over,
}

impl FileLine {
    /// Finds the pass of a file that has run `since`, and its place in it, at `at`; `demux` is read from
    /// there on. `None` if it cannot be.
    pub(super) fn enter(&self, demux: &Demux, since: Time, at: Time) -> Option<Pass> {
        let stop = || self.reporter.is_stopping();
        let zero = self.first(demux)?;
        let gone = at - since;
        let (begins, place) = match self.repeat {
            Repeat::Once => (since, gone.min((demux.length()? - NEAR_END).max(Span::ZERO))),
            Repeat::Loop => {
                let (end, rate) = self.end(demux)?;
                let length = whole_pictures(end - zero, rate);
                if length < SHORTEST_LOOP {
                    return None;
                }
                let passed = length.times(gone.flicks() / length.flicks());
                (since + passed, gone - passed)
            }
        };
        let place = zero + place;
        let lead = if demux.video.is_some() { Span::ZERO } else { WARM };
        let is_entered = from_before(place - lead).any(|from| {
            demux.seek(from, &stop).is_some_and(|(first, key)| key == Key::Frame && first <= place)
        });
        is_entered.then_some(Pass { number: 0, begins: begins - Time::ZERO, from: at, zero: Some(zero) })
    }

    /// Where the first picture lies; where there are none, a pass begins with the file.
    fn first(&self, demux: &Demux) -> Option<Time> {
        let Some(reader) = &demux.video else { return Some(Time::ZERO) };
        let mut first = None;
        self.watch(reader, &mut |at| {
            first.get_or_insert(at);
            Watch::Over
        });
        first
    }

    /// Where a pass ends by its stamps, and its pictures a second if told.
    fn end(&self, demux: &Demux) -> Option<(Time, Option<FrameRate>)> {
        let stop = || self.reporter.is_stopping();
        for from in from_before(Time::ZERO + demux.length()? - NEAR_END) {
            if demux.seek(from, &stop).is_none() {
                continue;
            }
            let (mut last, mut interval, mut rate) = (None, None, None);
            match (&demux.video, &demux.audio) {
                (Some(reader), _) => {
                    rate = self.watch(reader, &mut |at| {
                        interval = last.replace(at).map(|before| at - before);
                        Watch::On
                    });
                }
                (None, Some(reader)) => {
                    interval = Some(Span::ZERO);
                    self.listen(reader, &mut |end| last = Some(end));
                }
                (None, None) => return None,
            }
            // Of a single picture the one before it may lie farther back.
            if let Some(last) = last
                && (interval.is_some() || from == Time::ZERO)
            {
                return Some((last + interval.unwrap_or(UNTOLD), rate));
            }
        }
        None
    }

    /// Tells when the pictures lie that come, up to the end. Gives how many a second there are, if told.
    fn watch(&self, reader: &TrackReader, tell: &mut dyn FnMut(Time) -> Watch) -> Option<FrameRate> {
        let stop = || self.reporter.is_stopping();
        let mut known: Option<gst::Caps> = None;
        let mut lane: Option<VideoLane> = None;
        let mut watch = Watch::On;
        let mut rate = None;
        // What is wrong with it is told where it is shown.
        let bad = &mut |_: CodecError| {};
        let mut put = |frame: Frame| {
            if watch == Watch::On {
                watch = tell(frame.pts);
            }
            watch
        };
        while let Some(read) = reader.next(known.as_deref(), &stop) {
            if let Some(caps) = read.caps {
                rate = caps::rate(&caps).or(rate);
                if let Some(mut before) = lane.take() {
                    before.flush(&mut |frame| _ = put(frame), bad);
                }
                let told = Told { turn: reader.turn(), aspect: caps::aspect(&caps) };
                lane = self.lane(&caps, told).ok();
                known = Some(caps);
            }
            let Some(lane) = &mut lane else { return rate };
            let mut now = Watch::On;
            lane.show_from(reader.shows_from(&read.packet));
            lane.decode(&read.packet, &mut |frame| now = put(frame), bad);
            if now == Watch::Over {
                return rate;
            }
        }
        if let Some(lane) = &mut lane {
            lane.flush(&mut |frame| _ = put(frame), bad);
        }
        rate
    }

    /// Tells where each block of the sound ends that comes, up to the end.
    fn listen(&self, reader: &TrackReader, tell: &mut dyn FnMut(Time)) {
        let stop = || self.reporter.is_stopping();
        let mut known: Option<gst::Caps> = None;
        let mut lane: Option<AudioLane> = None;
        while let Some(read) = reader.next(known.as_deref(), &stop) {
            if let Some(caps) = read.caps {
                lane = match demux::params(&caps) {
                    Ok(StreamParams::Audio(params)) => AudioLane::new(&self.shape, &params).ok(),
                    _ => None,
                };
                known = Some(caps);
            }
            let Some(lane) = &mut lane else { return };
            lane.decode(&read.packet, &mut |pcm: Pcm| tell(pcm.end()), &mut |_| {});
        }
    }
}

/// Places to read from for what lies at `place`: nearer ones first, at last the beginning.
fn from_before(place: Time) -> impl Iterator<Item = Time> {
    let nearer = BACK.into_iter().map(move |back| place - back).take_while(|from| *from > Time::ZERO);
    nearer.chain(std::iter::once(Time::ZERO))
}

#[cfg(test)]
mod tests;
