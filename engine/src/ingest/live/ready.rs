//! A line that is not shown, ready to be: in step with the one that is, and on warm standby kept
//! undecoded until it is wanted.

use codecs::{Follower, Pcm};
use media::{Packet, Span};
use scheduling::Duty;

use super::LiveLine;
use crate::event::Level;
use crate::ingest::align::Gone;
use crate::ingest::buffer::Kept;
use crate::ingest::contribution::{Contribution, Opening, Pictures};
use crate::ingest::lane::{Told, VideoLane};
use crate::ingest::stamps::Mapped;

/// Pictures that a decoder has yet to give lie so far before the latest that came.
const REORDERED: Span = Span::from_millis(250);
/// Sound that ends so long before it would be heard is of no use to a decoder that begins.
const STALE_SOUND: Span = Span::from_millis(100);

impl LiveLine {
    /// A coded picture came: whether other lines carry the same, and where it is shown then.
    pub(super) fn keep_step(&self, contribution: &mut Contribution, packet: &Packet) {
        let Some(place) = self.seat.place() else { return };
        let now = self.reporter.now();
        place.coded(&packet.data, packet.pts, now);
        let Gone::Along(moved) = place.step(&mut contribution.stamps, packet.pts, now) else { return };
        // What waits lies as it lay before, and is in the way of what comes.
        self.buffer.rewind(moved.at - REORDERED, moved.at - REORDERED);
        // Sound goes where its pictures are, at once.
        if let Ok(rest) = contribution.follower.flush() {
            self.put_sound(rest.as_slice());
        }
        contribution.follower = Follower::new(self.shape.rate, self.shape.channels);
        let message = format!(
            "it carries what is shown of its camera, and goes in step with that: it moves by {}",
            moved.by
        );
        contribution.steps.happened_at(Level::Info, &message, &self.reporter);
    }

    /// Rests, or gets ready, as is wanted.
    pub(super) fn mind_orders(&self, contribution: &mut Contribution) {
        let is_shown = contribution.duty == Duty::Decode && contribution.pictures == Pictures::Some;
        let wanted = match self.orders.duty() {
            // Sound alone costs nothing, and has no key frame to begin with.
            Duty::Keep if self.buffer.is_sound_alone() => Duty::Decode,
            // On standby since a moment ago: what is kept has to begin with a key frame.
            Duty::Keep if is_shown && !contribution.gop.is_there() => Duty::Decode,
            duty => duty,
        };
        match (std::mem::replace(&mut contribution.duty, wanted), wanted) {
            (Duty::Decode, Duty::Keep) => self.rest(contribution),
            (Duty::Keep, Duty::Decode) => self.catch_up(contribution),
            _ => {}
        }
    }

    /// Decodes no more; what is decoded already plays out.
    fn rest(&self, contribution: &mut Contribution) {
        self.buffer.coded.tear();
        contribution.follower = Follower::new(self.shape.rate, self.shape.channels);
        contribution.newest = None;
        // With the decoder go the pictures that it holds.
        if let Some((params, _)) = contribution.video.take()
            && let Ok(lane) = VideoLane::new(&self.shape, &params, Told::NOTHING)
        {
            contribution.video = Some((params, lane));
        }
        let newest = contribution.gop.pictures().map(|packet| packet.pts).max();
        if let Some(at) = newest.and_then(|pts| contribution.stamps.place(pts)) {
            self.buffer.keep(Kept::UpTo(at));
        }
    }

    /// A picture that is kept: its time is noted as if it were decoded.
    pub(super) fn keep(&self, contribution: &mut Contribution, packet: &Packet) {
        self.counters.picture();
        // What a decoder gives now is the picture whose time has come in the order of decoding.
        if let Mapped::Jumped(..) = contribution.stamps.picture(packet.dts, self.reporter.now())
            && let Some(place) = self.seat.place()
        {
            place.begin();
        }
        let before = contribution.newest.filter(|newest| *newest - packet.pts < REORDERED);
        let newest = before.map_or(packet.pts, |newest| newest.max(packet.pts));
        contribution.newest = Some(newest);
        let at = contribution.stamps.place(newest);
        let is_there = contribution.gop.is_there();
        self.buffer.keep(at.filter(|_| is_there).map_or(Kept::Nothing, Kept::UpTo));
    }

    /// Decodes what is kept, as fast as can be: pictures up to the one that is due are only
    /// needed for those that come after.
    fn catch_up(&self, contribution: &mut Contribution) {
        self.buffer.keep(Kept::CatchingUp);
        self.catch_up_sound(contribution);
        self.catch_up_pictures(contribution);
        self.buffer.keep(Kept::Nothing);
    }

    fn catch_up_pictures(&self, contribution: &mut Contribution) {
        let Some((params, _)) = contribution.video.take() else { return };
        let mut lane = match VideoLane::new(&self.shape, &params, Told::NOTHING) {
            Ok(lane) => lane,
            Err(error) => {
                contribution.complaints.happened(&error.to_string(), &self.reporter);
                return;
            }
        };
        let Contribution { gop, stamps, complaints, .. } = &mut *contribution;
        let tick = self.shape.ticks.tick_span();
        for packet in gop.pictures() {
            if self.reporter.is_stopping() {
                break;
            }
            lane.show_from(stamps.stream_at(self.reporter.now() - tick));
            let mut put = |frame: codecs::Frame| {
                if let Some(at) = stamps.place(frame.pts) {
                    self.buffer.put_frame(codecs::Frame { pts: at, ..frame });
                }
            };
            let mut bad = |error: codecs::CodecError| {
                self.counters.error();
                complaints.happened(&error.to_string(), &self.reporter);
            };
            lane.decode(packet, &mut put, &mut bad);
        }
        lane.show_from(None);
        if gop.is_there() {
            contribution.opening = Opening::Begun;
        }
        contribution.video = Some((params, lane));
    }

    fn catch_up_sound(&self, contribution: &mut Contribution) {
        let Some((params, mut decoder)) = contribution.audio.take() else { return };
        let Contribution { gop, stamps, follower, .. } = &mut *contribution;
        let from = stamps.stream_at(self.reporter.now() - STALE_SOUND);
        for packet in gop.sounds().filter(|packet| from.is_none_or(|from| packet.pts >= from)) {
            if decoder.send(packet).is_err() {
                self.counters.error();
            }
            while let Ok(Some(pcm)) = decoder.receive() {
                let (at, end) = (stamps.place(pcm.pts), stamps.place(pcm.end()));
                if let (Some(at), Some(end)) = (at, end)
                    && let Ok(blocks) = follower.push(&Pcm { pts: at, ..pcm }, end)
                {
                    self.put_sound(&blocks);
                }
            }
        }
        contribution.audio = Some((params, decoder));
    }
}
