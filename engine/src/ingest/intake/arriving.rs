//! A stream on its way into the line: what finds no room is dropped up to the next key frame.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codecs::{Frame, Pcm};
use flv::Tag;
use media::{Key, Packet, Time, Track};

use super::{Arrival, Intake, KEPT_FREE, RAW_WAITING};
use crate::ingest::iso::IsoTap;
use crate::ingest::lane::StreamParams;
use crate::ingest::network::Network;
use crate::ingest::source::Handed;
use crate::ingest::unpack::{Unpacked, Unpacker};
use crate::ingest::wall::{By, Wall};
use crate::way::{self, Station};

/// A stream that arrives.
pub(crate) struct Arriving {
    intake: Arc<Intake>,
    /// Sees all that comes, also what the line has no room for.
    tap: Option<IsoTap>,
    /// How long the line's queue may get by it.
    limit: usize,
    pub(super) skipping: Skipping,
    overrun: Overrun,
    pictures: Pictures,
    /// Stream configurations, video and audio, that found the queue full: due before the next
    /// key frame.
    owed: [Option<StreamParams>; 2],
}

#[derive(PartialEq, Eq, Debug)]
pub(super) enum Skipping {
    No,
    /// The line's queue was full: nothing until the next key frame.
    UntilKey,
}

/// Whether it was said of this stream that what is not coded is dropped.
#[derive(PartialEq, Eq, Debug)]
enum Overrun {
    Unsaid,
    Said,
}

/// Whether the stream has pictures: without them any sound is a place to go on from.
#[derive(PartialEq, Eq, Debug)]
enum Pictures {
    None,
    Some,
}

fn slot(track: Track) -> usize {
    match track {
        Track::Video => 0,
        Track::Audio => 1,
    }
}

impl Arriving {
    /// One by which the line's queue may get this long.
    pub(super) fn new(intake: Arc<Intake>, tap: Option<IsoTap>, limit: usize) -> Self {
        let (skipping, overrun, pictures) = (Skipping::No, Overrun::Unsaid, Pictures::None);
        Self { intake, tap, limit, skipping, overrun, pictures, owed: [None, None] }
    }

    /// Hands on what is in a tag.
    pub(crate) fn tag(&mut self, tag: &Tag, unpacker: &mut Unpacker) {
        if let Some(tap) = &mut self.tap {
            tap.tag(tag);
        }
        match unpacker.unpack(tag) {
            Ok(Unpacked { params, packet, clock }) => {
                clock.into_iter().for_each(|(pts, wall)| self.clock(By::Clock, pts, wall));
                params.into_iter().for_each(|params| _ = self.take_params(params));
                packet.into_iter().for_each(|packet| _ = self.take_packet(packet));
            }
            Err(problem) => self.complain(&problem),
        }
    }

    /// What the connection knows of its network.
    pub(crate) fn network_is(&self, network: Network) {
        self.intake.counters.network_is(Some(network));
    }

    /// At `pts` of the stream it was so late by a clock on the wall.
    pub(crate) fn clock(&mut self, by: By, pts: Time, wall: Wall) {
        // Told often: one that finds no room is no loss.
        if self.room() > KEPT_FREE {
            self.send(Arrival::Clock { pts, wall, by });
        }
    }

    /// Something is wrong with what has come.
    pub(crate) fn complain(&mut self, problem: &str) {
        self.intake.complaints.happened(problem, &self.intake.reporter);
    }

    /// Says what a track is from here on.
    pub(crate) fn params(&mut self, params: StreamParams) -> Handed {
        if let Some(tap) = &mut self.tap {
            tap.params(&params);
        }
        self.take_params(params)
    }

    /// Hands a packet to the line, which must never make the connection wait.
    pub(crate) fn packet(&mut self, packet: Packet) -> Handed {
        if let Some(tap) = &mut self.tap {
            tap.packet(&packet);
        }
        self.take_packet(packet)
    }

    /// Hands over a picture that is not coded.
    pub(crate) fn frame(&mut self, frame: Frame) -> Handed {
        self.note(Track::Video);
        self.note_raw(Track::Video);
        // One side adds, the other takes away: there may be fewer a moment later, never more.
        if self.intake.raw.load(Ordering::Acquire) >= RAW_WAITING || self.room() < KEPT_FREE + 1 {
            return self.drop_raw();
        }
        self.intake.raw.fetch_add(1, Ordering::AcqRel);
        self.send(Arrival::Frame(frame));
        Handed::Taken
    }

    /// Hands over sound that is not coded.
    pub(crate) fn sound(&mut self, sound: Pcm) -> Handed {
        self.note_raw(Track::Audio);
        let sound = Arrival::Sound(sound);
        if self.room() < KEPT_FREE + 1 || !self.intake.holds(sound.bytes()) {
            return self.drop_raw();
        }
        self.send(sound);
        Handed::Taken
    }

    fn note_raw(&mut self, track: Track) {
        if let Some(tap) = &mut self.tap {
            tap.raw(track);
        }
    }

    /// Nothing else hangs on what is not coded: the next one may have room again.
    fn drop_raw(&mut self) -> Handed {
        if self.overrun == Overrun::Unsaid {
            self.overrun = Overrun::Said;
            let message = "the line cannot keep up: pictures or sound that are handed in are dropped";
            self.intake.overruns.happened(message, &self.intake.reporter);
        }
        Handed::Dropped
    }

    fn take_params(&mut self, params: StreamParams) -> Handed {
        let track = params.track();
        self.note(track);
        if self.skipping == Skipping::UntilKey || self.room() < KEPT_FREE + 1 {
            self.skip();
            self.owed[slot(track)] = Some(params);
            return Handed::Dropped;
        }
        self.send(Arrival::Params(params));
        Handed::Taken
    }

    fn take_packet(&mut self, packet: Packet) -> Handed {
        if packet.track == Track::Video {
            way::at(Station::Arrived, packet.pts);
        }
        self.note(packet.track);
        let goes_on = match packet.track {
            Track::Video => packet.key == Key::Frame,
            Track::Audio => self.pictures == Pictures::None,
        };
        if self.skipping == Skipping::UntilKey && !goes_on {
            return Handed::Dropped;
        }
        let owed = self.owed.iter().flatten().count();
        if self.room() < KEPT_FREE + owed + 1 || !self.intake.holds(packet.data.len()) {
            self.skip();
            return Handed::Dropped;
        }
        if self.skipping == Skipping::UntilKey {
            self.skipping = Skipping::No;
        }
        for params in std::mem::take(&mut self.owed).into_iter().flatten() {
            self.send(Arrival::Params(params));
        }
        self.send(Arrival::Packet(packet));
        Handed::Taken
    }

    fn room(&self) -> usize {
        self.intake.room(self.limit)
    }

    fn note(&mut self, track: Track) {
        if track == Track::Video {
            self.pictures = Pictures::Some;
        }
    }

    fn skip(&mut self) {
        if self.skipping == Skipping::No {
            let message = "decoding cannot keep up: frames are dropped up to the next key frame";
            self.intake.overruns.happened(message, &self.intake.reporter);
        }
        self.skipping = Skipping::UntilKey;
    }

    /// There is room when this is called; a line that is gone needs nothing.
    fn send(&self, arrival: Arrival) {
        match arrival.bytes() {
            0 => {}
            bytes => _ = self.intake.bytes.fetch_add(bytes, Ordering::AcqRel),
        }
        let _ = self.intake.to_line.try_send(arrival);
    }

    pub(crate) fn end(self, why: String) {
        // A place was kept for it. It comes before the intake is free: the next one's beginning
        // must come after it.
        let _ = self.intake.to_line.try_send(Arrival::Ended(why));
        self.intake.taken.store(false, Ordering::Release);
    }
}
