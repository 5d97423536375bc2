//! Video and audio packets of one rung, brought into one order: by DTS.

use std::collections::VecDeque;

use media::{Packet, Track};

#[derive(Default)]
struct Side {
    waiting: VecDeque<Packet>,
    ended: Ended,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Ended {
    #[default]
    No,
    Yes,
}

/// Holds back whichever track is ahead until the other has come as far, so
/// that the order depends on time stamps alone and not on which thread was first.
#[derive(Default)]
pub(crate) struct Interleave {
    video: Side,
    audio: Side,
}

impl Interleave {
    fn side(&mut self, track: Track) -> &mut Side {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
    pub(crate) fn put(&mut self, packet: Packet) {
        self.side(packet.track).waiting.push_back(packet);
    }
    /// No more of this track: the other no longer waits for it.
    pub(crate) fn end(&mut self, track: Track) {
        self.side(track).ended = Ended::Yes;
    }
    /// The next packet whose place is certain; at equal DTS video goes first.
    pub(crate) fn next(&mut self) -> Option<Packet> {
        let first = match (self.video.waiting.front(), self.audio.waiting.front()) {
            (Some(video), Some(audio)) if audio.dts < video.dts => Track::Audio,
            (Some(_), Some(_)) => Track::Video,
            (Some(_), None) if self.audio.ended == Ended::Yes => Track::Video,
            (None, Some(_)) if self.video.ended == Ended::Yes => Track::Audio,
            _ => return None,
        };
        self.side(first).waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use media::{Key, Time};
    use proptest::prelude::*;

    fn packet(track: Track, ms: i64) -> Packet {
        let at = Time::from_millis(ms);
        Packet { track, pts: at, dts: at, duration: None, key: Key::Frame, data: Bytes::new() }
    }

    proptest! {
        /// However the two tracks arrive, the order out is the same and complete.
        #[test]
        fn arrival_does_not_matter(choices in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut video = (0..50).map(|n| packet(Track::Video, n * 40)).collect::<VecDeque<_>>();
            let mut audio = (0..90).map(|n| packet(Track::Audio, n * 21)).collect::<VecDeque<_>>();
            let mut interleave = Interleave::default();
            let mut out = Vec::new();
            let drain = |i: &mut Interleave, out: &mut Vec<_>| {
                while let Some(p) = i.next() { out.push((p.dts, p.track)); }
            };
            for first_video in choices {
                let next = if first_video { video.pop_front() } else { audio.pop_front() };
                if let Some(p) = next { interleave.put(p); }
                drain(&mut interleave, &mut out);
            }
            for p in video.drain(..).chain(audio.drain(..)) { interleave.put(p); }
            interleave.end(Track::Video);
            interleave.end(Track::Audio);
            drain(&mut interleave, &mut out);
            prop_assert_eq!(out.len(), 140);
            prop_assert!(out.windows(2).all(|w| w[0] < w[1]), "{:?}", out);
        }
    }
}
