//! Warm standby: what is kept of a line that is not shown, so that it can be caught up with.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use media::{Key, Packet, Span, Time, Track};
use pipeline_dsl::Standby;
use scheduling::Duty;

/// Bounds of a group of pictures: 60 frames a second over half a minute, or 5 s of 50 Mbit/s.
const MOST_PICTURES: usize = 1_800;
const MOST_BYTES: usize = 32 << 20;
/// Sound is kept for as long as it may wait for its tick, and a little.
const SOUND: Span = Span::from_secs(4);
const MOST_SOUNDS: usize = 1_000;

/// What a line's thread is to do with what comes, as the show's thread wants it.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    may_rest: AtomicBool,
    keep: AtomicBool,
}

impl Orders {
    /// How its camera's lines stand by: on warm standby what comes is remembered, so that the
    /// line can rest at any time.
    pub(crate) fn stand_by(&self, standby: Standby) {
        self.may_rest.store(standby == Standby::Warm, Ordering::Release);
    }
    pub(crate) fn may_rest(&self) -> bool {
        self.may_rest.load(Ordering::Acquire)
    }
    pub(crate) fn give(&self, duty: Duty) {
        self.keep.store(duty == Duty::Keep, Ordering::Release);
    }
    pub(crate) fn duty(&self) -> Duty {
        if self.keep.load(Ordering::Acquire) { Duty::Keep } else { Duty::Decode }
    }
}

/// The pictures from the key frame on that the one hangs on which is due, and the latest sound.
#[derive(Debug, Default)]
pub(crate) struct Gop {
    pictures: VecDeque<Packet>,
    sounds: VecDeque<Packet>,
    bytes: usize,
}

impl Gop {
    /// The next packet of the stream, whose picture of time `due` is shown now: what lies before the
    /// last key frame up to that is not needed any more. A group that grows too large is given up,
    /// and the next one is kept.
    pub(crate) fn push(&mut self, packet: Packet, due: Option<Time>) {
        match packet.track {
            Track::Video => {
                let is_key = packet.key == Key::Frame;
                if !is_key && self.pictures.is_empty() {
                    return;
                }
                self.bytes += packet.data.len();
                self.pictures.push_back(packet);
                let is_needed = |one: &Packet| one.key == Key::Frame && due.is_none_or(|due| one.pts <= due);
                let first = self.pictures.iter().rposition(is_needed).unwrap_or(0);
                let gone = self.pictures.drain(..first).map(|packet| packet.data.len()).sum::<usize>();
                self.bytes -= gone;
                if self.pictures.len() > MOST_PICTURES || self.bytes > MOST_BYTES {
                    self.clear_pictures();
                }
            }
            Track::Audio => {
                let end = packet.pts;
                self.sounds.push_back(packet);
                let is_old = |first: &Packet| first.pts > end || end - first.pts > SOUND;
                while self.sounds.len() > MOST_SOUNDS || self.sounds.front().is_some_and(is_old) {
                    self.sounds.pop_front();
                }
            }
        }
    }

    fn clear_pictures(&mut self) {
        self.pictures.clear();
        self.bytes = 0;
    }

    /// A track is another from here on: what was kept of it cannot be decoded any more.
    pub(crate) fn clear(&mut self, track: Track) {
        match track {
            Track::Video => self.clear_pictures(),
            Track::Audio => self.sounds.clear(),
        }
    }

    /// Whether a decoder could begin with it.
    pub(crate) fn is_there(&self) -> bool {
        !self.pictures.is_empty()
    }
    pub(crate) fn pictures(&self) -> impl Iterator<Item = &Packet> {
        self.pictures.iter()
    }
    pub(crate) fn sounds(&self) -> impl Iterator<Item = &Packet> {
        self.sounds.iter()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packet(track: Track, n: i64, key: Key, bytes: usize) -> Packet {
        let pts = Time::from_millis(n * 40);
        Packet { track, pts, dts: pts, duration: None, key, data: Bytes::from(vec![1; bytes]) }
    }

    #[test]
    fn the_latest_group_is_kept_from_its_key_frame_on_and_its_sound_a_while_longer() {
        let mut gop = Gop::default();
        for n in 0..60 {
            let key = if n % 25 == 10 { Key::Frame } else { Key::Delta };
            gop.push(packet(Track::Video, n, key, 100), None);
            gop.push(packet(Track::Audio, n, Key::Frame, 10), None);
            assert_eq!(gop.is_there(), n >= 10);
        }
        assert_eq!(gop.pictures().count(), 25);
        assert_eq!((gop.pictures().next().unwrap().key, gop.sounds().count()), (Key::Frame, 60));
        gop.clear(Track::Video);
        assert!(!gop.is_there() && gop.sounds().count() == 60);
    }

    /// What comes waits: the picture that is due hangs on a key frame before the latest one.
    #[test]
    fn a_group_is_kept_until_the_next_one_is_due() {
        let mut gop = Gop::default();
        let first = |gop: &Gop| gop.pictures().next().unwrap().pts.as_millis_rounded() / 40;
        for n in 0..60 {
            let key = if n % 25 == 0 { Key::Frame } else { Key::Delta };
            gop.push(packet(Track::Video, n, key, 100), Some(Time::from_millis((n - 5) * 40)));
            assert_eq!(first(&gop), (n - 5).max(0) / 25 * 25, "picture {n}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_bytes_and_time() {
        let mut gop = Gop::default();
        gop.push(packet(Track::Video, 0, Key::Frame, 100), None);
        (1..1_800).for_each(|n| gop.push(packet(Track::Video, n, Key::Delta, 100), None));
        assert!(gop.is_there());
        gop.push(packet(Track::Video, 1_800, Key::Delta, 100), None);
        assert!(!gop.is_there(), "it is given up as a whole");
        gop.push(packet(Track::Video, 1_801, Key::Frame, 20 << 20), None);
        gop.push(packet(Track::Video, 1_802, Key::Delta, 20 << 20), None);
        assert!(!gop.is_there());
        (0..5_000).for_each(|n| gop.push(packet(Track::Audio, n, Key::Frame, 10), None));
        assert!(gop.sounds().count() <= 101);
        // A clock that goes back leaves nothing that lies after what comes.
        gop.push(packet(Track::Audio, 0, Key::Frame, 10), None);
        assert_eq!(gop.sounds().count(), 1);
    }
}
