//! Video and audio packets of one rung, brought into one order: by DTS.

use std::collections::VecDeque;

use media::{Packet, Span, Time, Track};

#[derive(Default)]
struct Side {
    waiting: VecDeque<Packet>,
    /// What comes next does not lie before.
    next: Option<Time>,
    ended: Ended,
}

impl Side {
    /// Whether nothing will come that lies before.
    fn is_past(&self, time: Time) -> bool {
        self.ended == Ended::Yes || self.next.is_some_and(|next| time <= next)
    }
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Ended {
    #[default]
    No,
    Yes,
}

/// Holds back whichever track is ahead until it is certain that the other has nothing that lies
/// before, so that the order depends on time stamps alone and not on which thread was first.
#[derive(Default)]
pub(crate) struct Interleave {
    video: Side,
    audio: Side,
    late: Span,
}

impl Interleave {
    /// Sound lies so much later than its DTS says: pictures go before it that are later by no more.
    pub(crate) fn new(late: Span) -> Self {
        Self { late, ..Self::default() }
    }

    /// From here on sound lies later by another span.
    pub(crate) fn set_late(&mut self, late: Span) {
        self.audio.next = self.audio.next.map(|next| next + (late - self.late));
        self.late = late;
    }

    /// Takes a packet: video in order of DTS, audio as well, and each block of it follows on the last.
    pub(crate) fn put(&mut self, packet: Packet) {
        let side = match packet.track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        side.next = Some(match packet.track {
            // It rises, by how much nobody knows.
            Track::Video => packet.dts,
            Track::Audio => packet.dts + packet.duration.unwrap_or_default() + self.late,
        });
        side.waiting.push_back(packet);
    }

    /// The next picture does not lie before.
    pub(crate) fn no_picture_before(&mut self, dts: Time) {
        self.video.next = self.video.next.max(Some(dts));
    }

    /// No more of this track: the other no longer waits for it.
    pub(crate) fn end(&mut self, track: Track) {
        match track {
            Track::Video => self.video.ended = Ended::Yes,
            Track::Audio => self.audio.ended = Ended::Yes,
        }
    }

    /// The next packet whose place is certain; where both have one, video goes first.
    pub(crate) fn next(&mut self) -> Option<Packet> {
        let video = self.video.waiting.front().map(|packet| packet.dts);
        let audio = self.audio.waiting.front().map(|packet| packet.dts + self.late);
        let first = match (video, audio) {
            (Some(video), Some(audio)) if audio < video => &mut self.audio,
            (Some(_), Some(_)) => &mut self.video,
            (Some(video), None) if self.audio.is_past(video) => &mut self.video,
            (None, Some(audio)) if self.video.is_past(audio) => &mut self.audio,
            _ => return None,
        };
        first.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use media::{Key, SampleRate};
    use proptest::prelude::*;

    fn packet(track: Track, dts: Time, duration: Option<Span>) -> Packet {
        Packet { track, pts: dts, dts, duration, key: Key::Frame, data: Bytes::new() }
    }

    fn picture(n: i64) -> Packet {
        packet(Track::Video, Time::from_millis(n * 40), None)
    }

    /// The first lies before the first picture, as AAC's priming does.
    fn block(n: i64) -> Packet {
        let at = |n: i64| SampleRate::HZ_48000.time_of((n - 1) * 1024);
        packet(Track::Audio, at(n), Some(at(n + 1) - at(n)))
    }

    fn drain(interleave: &mut Interleave, out: &mut Vec<(Time, Track)>) {
        while let Some(packet) = interleave.next() {
            out.push((packet.dts, packet.track));
        }
    }

    proptest! {
        /// However the two tracks arrive, the order out is the same and complete.
        #[test]
        fn arrival_does_not_matter(
            choices in prop::collection::vec(any::<bool>(), 0..200),
            late in 0i64..100,
        ) {
            let late = Span::from_millis(late);
            let mut video = (0..50).map(picture).collect::<VecDeque<_>>();
            let mut audio = (0..90).map(block).collect::<VecDeque<_>>();
            let mut interleave = Interleave::new(late);
            let mut out = Vec::new();
            for first_video in choices {
                let next = if first_video { video.pop_front() } else { audio.pop_front() };
                if let Some(p) = next { interleave.put(p); }
                drain(&mut interleave, &mut out);
            }
            for p in video.drain(..).chain(audio.drain(..)) { interleave.put(p); }
            interleave.end(Track::Video);
            interleave.end(Track::Audio);
            drain(&mut interleave, &mut out);
            let place = |(dts, track): &(Time, Track)| match track {
                Track::Video => (*dts, 0),
                Track::Audio => (*dts + late, 1),
            };
            prop_assert_eq!(out.len(), 140);
            prop_assert!(out.windows(2).all(|w| place(&w[0]) < place(&w[1])), "{:?}", out);
        }

        /// Pictures that are left out hold back no sound, and those that follow are in their place.
        #[test]
        fn sound_does_not_wait_for_pictures_that_do_not_come(from in 0i64..50, to in 0i64..50) {
            let mut interleave = Interleave::default();
            let (mut out, mut given) = (Vec::new(), 0);
            let mut audio = (0..90).map(block).peekable();
            for n in 0..45 {
                let next = picture(n);
                while let Some(block) = audio.next_if(|block| block.dts <= next.dts) {
                    interleave.put(block);
                    given += 1;
                }
                if (from..to).contains(&n) { interleave.no_picture_before(next.dts) } else { interleave.put(next) }
                drain(&mut interleave, &mut out);
                prop_assert_eq!(out.iter().filter(|(_, track)| *track == Track::Audio).count(), given);
            }
            let place = |(dts, track): &(Time, Track)| (*dts, u8::from(*track == Track::Audio));
            prop_assert!(out.windows(2).all(|w| place(&w[0]) < place(&w[1])), "{:?}", out);
        }
    }

    #[test]
    fn what_is_certain_does_not_wait_for_what_comes_next() {
        let mut interleave = Interleave::default();
        let mut out = Vec::new();
        let mut put = |packet| {
            interleave.put(packet);
            let before = out.len();
            drain(&mut interleave, &mut out);
            out[before..].iter().map(|(_, track)| *track).collect::<Vec<_>>()
        };
        assert_eq!(put(picture(0)), []);
        // From 21 ms before to the picture: the one after it does not lie before that.
        assert_eq!(put(block(0)), [Track::Audio, Track::Video]);
        assert_eq!(put(block(1)), [Track::Audio], "no later than a picture that is gone");
        assert_eq!(put(block(2)), []);
        assert_eq!(put(picture(1)), [Track::Audio, Track::Video]);
    }

    #[test]
    fn sound_goes_on_while_it_is_known_that_no_picture_comes() {
        let mut interleave = Interleave::default();
        [picture(0), block(0), block(1), block(2), block(3)].into_iter().for_each(|one| interleave.put(one));
        let mut out = Vec::new();
        drain(&mut interleave, &mut out);
        assert_eq!(out.len(), 3);
        interleave.no_picture_before(Time::from_millis(40));
        drain(&mut interleave, &mut out);
        assert_eq!(out.len(), 4, "up to 21 ms");
        // What was known before holds.
        interleave.no_picture_before(Time::from_millis(10));
        interleave.put(picture(1));
        drain(&mut interleave, &mut out);
        assert_eq!(out.last().unwrap().1, Track::Video);
    }
}
