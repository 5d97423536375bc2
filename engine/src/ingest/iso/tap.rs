//! What sees a stream go by on its way into the line, and hands it to the recorder.

use std::sync::Arc;

use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Tag, TagKind};
use media::{Packet, Track};

use crate::egress::queue::{Item, Role, SinkQueue};
use crate::event::Level;
use crate::ingest::iso::mux::Mux;
use crate::ingest::lane::StreamParams;
use crate::reporter::Reporter;

/// Taps one stream. Handing over never waits for the disk; the stream ends when this is dropped.
pub(crate) struct Tap {
    queue: Arc<SinkQueue>,
    reporter: Reporter,
    mux: Mux,
    pictures: Pictures,
    metadata: Metadata,
    /// Whether it was said that raw pictures, or raw sound, are not recorded.
    raw: [bool; 2],
}

/// Whether the stream has pictures: without them any sound is a place to go on from.
#[derive(PartialEq, Eq)]
enum Pictures {
    None,
    Some,
}

#[derive(PartialEq, Eq)]
enum Metadata {
    Awaited,
    Came,
}

impl Tap {
    pub(crate) fn new(queue: Arc<SinkQueue>, reporter: Reporter) -> Self {
        let (pictures, metadata) = (Pictures::None, Metadata::Awaited);
        Self { queue, reporter, mux: Mux::default(), pictures, metadata, raw: [false; 2] }
    }

    /// A tag came: it is recorded as it is.
    pub(crate) fn tag(&mut self, tag: &Tag) {
        let role = self.role(tag);
        self.queue.push(Item { tag: tag.clone(), role });
    }

    /// A track is something else from here on.
    pub(crate) fn params(&mut self, params: &StreamParams) {
        if let Err(what) = self.mux.params(params) {
            let message = format!("{what} has no place in FLV: this track is not recorded");
            self.reporter.event(Level::Warn, "iso-unwritable", message);
        }
    }

    /// A packet came: it is put into a tag.
    pub(crate) fn packet(&mut self, packet: &Packet) {
        for tag in self.mux.packet(packet).into_iter().flatten() {
            self.tag(&tag);
        }
    }

    /// A track comes as raw pictures or samples, which are not recorded: that is said once.
    pub(crate) fn raw(&mut self, track: Track) {
        let (said, what) = match track {
            Track::Video => (&mut self.raw[0], "pictures"),
            Track::Audio => (&mut self.raw[1], "sound"),
        };
        if !std::mem::replace(said, true) {
            let message = format!("raw {what} come, which are not recorded: only what is coded is");
            self.reporter.event(Level::Warn, "iso-unwritable", message);
        }
    }

    /// What a tag is worth when the disk is behind. Only what others' pictures need is never dropped.
    fn role(&mut self, tag: &Tag) -> Role {
        let sound = if self.pictures == Pictures::None { Role::Key } else { Role::Sound };
        match tag.kind {
            TagKind::Video => {
                let header = VideoHeader::parse(tag.body());
                if header.as_ref().is_ok_and(VideoHeader::is_sequence_start) {
                    return Role::Header;
                }
                self.pictures = Pictures::Some;
                // Another track's, of several, is none to begin with.
                let track = header.and_then(|header| header.default_track(tag.body()));
                let is_key = track.is_ok_and(|track| track.is_some_and(|(header, _)| header.is_key_frame()));
                if is_key { Role::Key } else { Role::Delta }
            }
            TagKind::Audio => {
                let starts = AudioHeader::parse(tag.body()).is_ok_and(|header| header.is_sequence_start());
                if starts { Role::Header } else { sound }
            }
            TagKind::Script if self.metadata == Metadata::Awaited => {
                self.metadata = Metadata::Came;
                Role::Header
            }
            TagKind::Script => sound,
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::egress::queue::{Bound, WhenFull};
    use crate::event::EventLog;
    use bytes::Bytes;
    use flv::FlvMillis;

    fn tap(bytes: usize) -> (Tap, Arc<SinkQueue>) {
        let reporter = Reporter::new(
            Arc::new(VirtualClock::default()),
            Arc::new(EventLog::new()),
            Arc::new(Stop::default()),
        );
        let bound = Bound { millis: i32::MAX, bytes, when_full: WhenFull::Drop };
        let queue = Arc::new(SinkQueue::whole(bound));
        (Tap::new(Arc::clone(&queue), reporter), queue)
    }
    fn tag(kind: TagKind, ms: u32, head: &[u8]) -> Tag {
        let body = [head, &[7; 200]].concat();
        Tag::new(kind, FlvMillis(ms), body.into()).unwrap()
    }
    fn taken(queue: &SinkQueue) -> Vec<Tag> {
        std::iter::from_fn(|| queue.try_pop()).map(|item| item.tag).collect()
    }

    /// Stamps that jump by days, sound before pictures, pictures before a key frame, what no reader
    /// knows: all of it came, all of it is there.
    #[test]
    fn everything_is_kept_as_it_came() {
        let (mut tap, queue) = tap(1 << 20);
        let stream = [
            tag(TagKind::Audio, 5, &[0xaf, 1]),
            tag(TagKind::Video, 40, &[0x27, 1, 0, 0, 0]),
            tag(TagKind::Script, 40, &[2, 0]),
            tag(TagKind::Script, 41, &[2, 0]),
            tag(TagKind::Video, 4_000_000_000, &[0x17, 1, 0, 0, 0]),
            tag(TagKind::Video, 3, &[0xff, 0xff]),
            tag(TagKind::Video, 3, &[0x17, 0, 0, 0, 0]),
            Tag::new(TagKind::Audio, FlvMillis(2), Bytes::new()).unwrap(),
        ];
        stream.iter().for_each(|tag| tap.tag(tag));
        assert_eq!(taken(&queue), stream);
        drop(tap);
        assert!(queue.is_closed());
    }

    #[test]
    fn a_disk_that_hangs_costs_pictures_up_to_a_key_frame_and_a_bounded_amount_of_memory() {
        let (mut tap, queue) = tap(4_000);
        let mut all = Vec::new();
        for n in 0..500u32 {
            // A flood of headers is bounded as well.
            let head: &[u8] = match n {
                300.. => &[0x17, 0, 0, 0, 0],
                _ if n % 50 == 0 => &[0x17, 1, 0, 0, 0],
                _ => &[0x27, 1, 0, 0, 0],
            };
            let tag = tag(TagKind::Video, n * 40, head);
            tap.tag(&tag);
            all.push(tag);
        }
        let waiting = taken(&queue);
        let bytes: usize = waiting.iter().map(Tag::wire_len).sum();
        assert!(bytes <= 2 * 4_000 + 300, "{bytes}");
        assert!(queue.take_dropped() > 100);
        let again = tag(TagKind::Video, 1, &[0x27, 1, 0, 0, 0]);
        tap.tag(&again);
        tap.tag(&all[50]);
        tap.tag(&again);
        assert_eq!(taken(&queue), [all[50].clone(), again], "it goes on from a key frame");
    }

    #[test]
    fn sound_without_pictures_goes_on_after_a_hang() {
        let (mut tap, queue) = tap(4_000);
        for n in 0..100 {
            tap.tag(&tag(TagKind::Audio, n, &[0xaf, 1]));
        }
        taken(&queue);
        let next = tag(TagKind::Audio, 500, &[0xaf, 1]);
        tap.tag(&next);
        assert_eq!(taken(&queue), [next]);
    }
}
