//! A line that somebody sends to while the show runs: decoded, and mapped on the
//! show's timeline.

use std::sync::Arc;
use std::time::Duration;

use codecs::{AudioDecoder, CodecError, Follower, Frame, Pcm};
use crossbeam_channel::RecvTimeoutError;
use media::{Key, Packet, Span, Time, Track};
use pipeline_dsl::SyncBy;
use scheduling::Duty;

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::align;
use crate::ingest::buffer::{Kept, LineBuffer};
use crate::ingest::contribution::{Contribution, Opening, Pictures, Sound};
use crate::ingest::intake::{Arrival, Arrivals};
use crate::ingest::lane::{Shape, StreamParams, Told, VideoLane};
use crate::ingest::leapt::{Follows, Leapt};
use crate::ingest::remarks::Remark;
use crate::ingest::source::goes_back;
use crate::ingest::stamps::{Heard, Mapped, Stamps};
use crate::ingest::standby::{Gop, Orders};
use crate::ingest::timecode::TimeCodes;
use crate::ingest::together::Together;
use crate::ingest::wall::{self, By};
use crate::reporter::Reporter;
use crate::seldom::Hearing;
use crate::stage::ThreadShare;
use crate::way::{self, Station};

/// Everything a live line needs.
pub(crate) struct LiveLine {
    pub(crate) arrivals: Arrivals,
    pub(crate) shape: Shape,
    /// How long what comes is to wait.
    pub(crate) depth: Span,
    pub(crate) sync: SyncBy,
    /// All lines of the show, of which some are shown together.
    pub(crate) together: Arc<Together>,
    /// Where its place is among the lines of its camera, while it has others that may carry the same.
    pub(crate) seat: Arc<align::Seat>,
    /// What is wanted of it.
    pub(crate) orders: Arc<Orders>,
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
}

impl LiveLine {
    /// Reads until the show is over.
    pub(crate) fn run(mut self) {
        let mut contribution = Contribution::new(&self.shape, self.depth);
        self.read(&mut contribution);
    }

    /// What a stream is before any has come.
    pub(crate) fn contribution(&self) -> Contribution {
        Contribution::new(&self.shape, self.depth)
    }

    /// Takes in what has arrived by now: for a line without a thread.
    pub(crate) fn take_all(&mut self, contribution: &mut Contribution) {
        while let Some(arrival) = self.arrivals.next_at_hand() {
            self.arrival(contribution, arrival);
        }
    }

    fn read(&mut self, contribution: &mut Contribution) {
        let mut share = ThreadShare::begin();
        loop {
            self.mind_orders(contribution);
            match self.arrivals.next(Duration::from_millis(200)) {
                Ok(arrival) => {
                    self.counters.stage.waits(self.arrivals.waiting());
                    self.arrival(contribution, arrival);
                    share.count(&self.counters.stage);
                }
                Err(RecvTimeoutError::Timeout) if !self.reporter.is_stopping() => {}
                Err(_) => return,
            }
            if self.reporter.is_stopping() {
                return;
            }
        }
    }

    fn arrival(&self, contribution: &mut Contribution, arrival: Arrival) {
        match arrival {
            Arrival::Started { from } => {
                let waited = contribution.waits_told;
                contribution.begin(&self.shape, self.depth, self.reporter.now());
                self.buffer.coded.tear();
                self.buffer.keep(Kept::Nothing);
                if let Some(place) = self.seat.place() {
                    contribution.stamps.among_others();
                    place.begin();
                }
                self.counters.connect_live();
                contribution.coming = contribution.comings.happened(&from, &self.reporter);
                if waited > Span::ZERO {
                    let message =
                        format!("another stream: the line waits for no late sound any more, {waited} less");
                    self.reporter.event(Level::Info, "line-drift", message);
                }
            }
            Arrival::Params(params) => {
                if let Err(error) = self.params(contribution, params) {
                    contribution.complaints.happened(&error.to_string(), &self.reporter);
                }
            }
            Arrival::Packet(packet) => {
                self.packet(contribution, &packet);
                self.tell_the_time(contribution);
            }
            Arrival::Frame(frame) => {
                self.raw_picture(contribution, &frame);
                self.tell_the_time(contribution);
            }
            Arrival::Sound(sound) => {
                self.counters.count(0);
                self.came(contribution, Track::Audio);
                self.place_sound(contribution, sound);
            }
            Arrival::Clock { pts, wall, by } => contribution.wall.told(by, pts, wall),
            Arrival::Ended(why) => {
                self.flush(contribution);
                self.counters.disconnect();
                let gone = format!("the sender is gone: {why}");
                // Who comes and goes all the time lacks the same each time.
                if contribution.goings.happened(&gone, &self.reporter) == Hearing::Told {
                    contribution.tracks.say_what_is_missing(&self.reporter);
                }
            }
        }
    }

    /// What the decoders hold back is shown, too.
    fn flush(&self, contribution: &mut Contribution) {
        self.flush_video(contribution);
        self.flush_audio(contribution);
    }

    fn flush_video(&self, contribution: &mut Contribution) {
        if let Some((_, mut old)) = contribution.video.take() {
            self.decode_video(contribution, |mut put, mut bad| old.flush(&mut put, &mut bad));
        }
    }

    fn flush_audio(&self, contribution: &mut Contribution) {
        if let Some((_, mut old)) = contribution.audio.take() {
            let ended = old.flush();
            self.decode_audio(contribution, old.as_mut(), ended);
        }
        match contribution.follower.flush() {
            Ok(rest) => self.put_sound(rest.as_slice()),
            Err(error) => _ = contribution.complaints.happened(&error.to_string(), &self.reporter),
        }
    }

    /// A track is something else from here on. Many senders repeat themselves with every key
    /// frame: that says nothing new.
    fn params(&self, contribution: &mut Contribution, params: StreamParams) -> Result<(), CodecError> {
        // What the old decoder holds back comes before what the new one gives.
        match params {
            StreamParams::Video(params) => {
                if contribution.video.as_ref().is_some_and(|(known, _)| *known == params) {
                    return Ok(());
                }
                self.flush_video(contribution);
                contribution.gop.clear(Track::Video);
                contribution.codes = TimeCodes::of(&params);
                let lane = VideoLane::new(&self.shape, &params, Told::NOTHING)?;
                self.buffer.coded.begin(&params);
                contribution.video = Some((params, lane));
                contribution.opening = Opening::AT_KEY_FRAME;
            }
            StreamParams::Audio(params) => {
                contribution.sound = Sound::Told;
                if contribution.audio.as_ref().is_some_and(|(known, _)| *known == params) {
                    return Ok(());
                }
                self.flush_audio(contribution);
                contribution.gop.clear(Track::Audio);
                let decoder = self.shape.kit.audio_decoder(&params)?;
                contribution.audio = Some((params, decoder));
            }
        }
        Ok(())
    }

    /// Something of a track has come. Sound without pictures is what the line stands by, if it has
    /// never had any.
    fn came(&self, contribution: &mut Contribution, track: Track) {
        contribution.tracks.came(track, &self.reporter);
        if contribution.tracks.are_sound_alone() {
            self.buffer.sounds_alone();
        }
    }

    fn packet(&self, contribution: &mut Contribution, packet: &Packet) {
        self.counters.count(packet.data.len());
        self.came(contribution, packet.track);
        if self.orders.may_rest() || contribution.duty == Duty::Keep {
            let due = contribution.stamps.stream_at(self.reporter.now());
            contribution.gop.push(packet.clone(), due);
        } else if contribution.gop.is_there() {
            contribution.gop = Gop::default();
        }
        if packet.track == Track::Video {
            way::at(Station::Read, packet.pts);
            self.keep_step(contribution, packet);
        }
        match packet.track {
            Track::Video => {
                match wall::in_picture(&packet.data) {
                    Some(wall) => contribution.wall.told(By::Clock, packet.pts, wall),
                    None => {
                        let code = contribution.codes.in_picture(&packet.data);
                        code.into_iter().for_each(|time| contribution.wall.told_by_code(packet.pts, time));
                    }
                }
                if packet.key == Key::Frame {
                    self.counters.key_frame(packet.dts);
                }
                if contribution.duty == Duty::Keep {
                    return self.keep(contribution, packet);
                }
                if !contribution.is_decoded(packet.key, self.reporter.now()) {
                    return;
                }
                let Some((params, mut lane)) = contribution.video.take() else {
                    let problem = "a picture before the stream's configuration";
                    contribution.complaints.happened(problem, &self.reporter);
                    return;
                };
                self.buffer.coded.packet(packet);
                self.decode_video(contribution, |mut put, mut bad| lane.decode(packet, &mut put, &mut bad));
                while let Some(Remark { level, message }) = lane.remark() {
                    contribution.remarks.happened_at(level, &message, &self.reporter);
                }
                contribution.video = Some((params, lane));
            }
            Track::Audio if contribution.duty == Duty::Keep => {}
            Track::Audio => {
                let Some((params, mut decoder)) = contribution.audio.take() else {
                    // Without a decoder: that was said when its parameters came.
                    if contribution.sound == Sound::Untold {
                        let problem = "sound before the stream's configuration";
                        contribution.complaints.happened(problem, &self.reporter);
                    }
                    return;
                };
                let sent = decoder.send(packet);
                self.decode_audio(contribution, decoder.as_mut(), sent);
                contribution.audio = Some((params, decoder));
            }
        }
    }

    /// A picture that needs no decoding.
    fn raw_picture(&self, contribution: &mut Contribution, frame: &Frame) {
        self.counters.count(0);
        self.came(contribution, Track::Video);
        if let Some(last) = contribution.raw_last.replace(frame.pts).filter(|last| frame.pts <= *last) {
            // Where it is shown is found out as of any stray, or a jump.
            contribution.complaints.happened(&goes_back(frame.pts, last), &self.reporter);
        }
        let conformed = contribution.raw.conform(&frame.picture);
        self.decode_video(contribution, |put, bad| match conformed {
            Ok(picture) => put(Frame { pts: frame.pts, picture }),
            Err(error) => bad(error),
        });
    }

    /// Whatever `decode` gives out goes to the buffer, at the show's time.
    fn decode_video(
        &self,
        contribution: &mut Contribution,
        decode: impl FnOnce(&mut dyn FnMut(Frame), &mut dyn FnMut(CodecError)),
    ) {
        let Contribution { stamps, pictures, complaints, jumps, drifts, follower, leapt, .. } = contribution;
        let mut put = |frame: Frame| {
            let now = self.reporter.now();
            if let Some(place) = self.seat.place().filter(|place| place.looks()) {
                place.pictured(frame.picture.glance(), frame.pts, now);
            }
            let at = match stamps.picture(frame.pts, now) {
                Mapped::At(at) | Mapped::Outlier(at) => {
                    if *pictures == Pictures::None {
                        // The last stream's material may reach further.
                        self.buffer.rewind(at, at);
                    }
                    at
                }
                Mapped::Jumped(at, by) => {
                    let message = format!("time stamps jumped: the offset moves by {by}");
                    jumps.happened(&message, &self.reporter);
                    if let Some(place) = self.seat.place() {
                        place.begin();
                    }
                    self.jumped(stamps, follower, leapt, (at, by));
                    at
                }
                Mapped::Moved(at, by) => {
                    drifts.happened(&moved(by), &self.reporter);
                    self.make_way(follower, at, at);
                    at
                }
                Mapped::Settled(at, by) => {
                    let message = format!("its first pictures came late: all of it moves by {by}");
                    drifts.happened_at(Level::Info, &message, &self.reporter);
                    self.make_way(follower, at, at);
                    at
                }
            };
            if *pictures == Pictures::None && self.buffer.is_sound_alone() {
                self.reporter.event(Level::Info, "line-live", "pictures come now as well");
            }
            *pictures = Pictures::Some;
            self.counters.picture();
            self.buffer.coded.placed(frame.pts, at);
            way::becomes(Station::Placed, frame.pts, at);
            self.buffer.put_frame(Frame { pts: at, ..frame });
        };
        let mut bad = |error: CodecError| {
            self.counters.error();
            complaints.happened(&error.to_string(), &self.reporter);
        };
        decode(&mut put, &mut bad);
    }

    /// The mapping has moved: what waits may lie in the way of what comes, which begins at `at`, and
    /// of sound at `sound`.
    fn make_way(&self, follower: &mut Follower, at: Time, sound: Time) {
        // What is held back of the sound belongs to what was.
        if let Ok(rest) = follower.flush() {
            self.put_sound(rest.as_slice());
        }
        self.buffer.rewind(at, sound);
    }

    /// Pictures have jumped: sound that has before them has its place now.
    fn jumped(
        &self,
        stamps: &mut Stamps,
        follower: &mut Follower,
        leapt: &mut Leapt,
        (at, by): (Time, Span),
    ) {
        let blocks = leapt.take(Span::ZERO - by).unwrap_or_default();
        let Some(from) = blocks.front().and_then(|first| stamps.place(first.pts)) else {
            return self.make_way(follower, at, at);
        };
        stamps.leave_former();
        self.make_way(follower, at, from);
        for pcm in blocks {
            let Some(at) = stamps.place(pcm.pts) else { continue };
            // What is wrong with it was said when it came.
            if let Ok(blocks) = followed(stamps, follower, pcm, at) {
                self.put_sound(&blocks);
            }
        }
    }

    /// Whatever the decoder gives out, after it was `sent` something, goes to the buffer.
    fn decode_audio(
        &self,
        contribution: &mut Contribution,
        decoder: &mut dyn AudioDecoder,
        sent: Result<(), CodecError>,
    ) {
        if let Err(error) = sent {
            self.bad_sound(contribution, &error);
        }
        loop {
            match decoder.receive() {
                Ok(Some(pcm)) => self.place_sound(contribution, pcm),
                Ok(None) => return,
                Err(error) => return self.bad_sound(contribution, &error),
            }
        }
    }

    /// Sound of the stream goes to the buffer, at the show's time and in its form.
    fn place_sound(&self, contribution: &mut Contribution, pcm: Pcm) {
        let Contribution { stamps, follower, drifts, leapt, adrift, .. } = contribution;
        let pcm = Pcm { pts: adrift.moved(pcm.pts), ..pcm };
        if leapt.came(&pcm) == Follows::No {
            stamps.leave_former();
        }
        let now = self.reporter.now();
        // Sound far outside show time has no place; pictures decide whether the clock has jumped.
        let heard =
            if leapt.is_ahead() { stamps.leapt_sound(pcm.pts, now) } else { stamps.sound(pcm.pts, now) };
        match (heard, stamps.due(now)) {
            (Some(_), _) => adrift.placed(),
            (None, Some(due)) => {
                if let Some(by) = adrift.placeless(pcm.pts, due, now) {
                    let message = format!(
                        "its sound counts by another clock than its pictures: moved by {by}, it is heard as it comes"
                    );
                    drifts.happened(&message, &self.reporter);
                }
            }
            (None, None) => {}
        }
        let followed = match heard {
            Some(Heard::At(at) | Heard::Waits(at)) => followed(stamps, follower, pcm, at),
            Some(Heard::Before(at)) => {
                let end = at + pcm.duration();
                follower.push(&Pcm { pts: at, ..pcm }, end)
            }
            Some(Heard::Moved(at, by)) => {
                drifts.happened(&moved(by), &self.reporter);
                followed(stamps, follower, pcm, at)
            }
            None => return,
        };
        match followed {
            Ok(blocks) => self.put_sound(&blocks),
            Err(error) => self.bad_sound(contribution, &error),
        }
    }

    fn bad_sound(&self, contribution: &mut Contribution, error: &CodecError) {
        self.counters.error();
        contribution.complaints.happened(&error.to_string(), &self.reporter);
    }

    fn put_sound(&self, blocks: &[Pcm]) {
        if !blocks.is_empty() && self.buffer.is_sound_alone() {
            self.counters.sounds();
        }
        for block in blocks {
            self.buffer.put_sound(block);
        }
    }

    /// Waits for slower lines, if it is to be shown with them. Gives how far it is behind the
    /// quickest.
    fn keep_together(&self, contribution: &mut Contribution) -> Option<Span> {
        let now = self.reporter.now();
        let (delay, wall) = (contribution.stamps.delay(now)?, contribution.wall.offset()?);
        let place = self.together.tell(self.reporter.subject(), self.sync, delay - wall, now);
        if self.sync == SyncBy::Clock {
            contribution.stamps.wait_for_others(place.wait);
        }
        Some(place.behind)
    }

    /// Says how much longer the line waits for sound that comes late: that grows in small steps, and
    /// ends when it is not needed any more.
    fn tell_what_it_waits(&self, contribution: &mut Contribution) {
        let in_all = contribution.stamps.waits_for_sound();
        let longer = in_all - contribution.waits_told;
        if longer > Span::ZERO && contribution.coming == Hearing::Told {
            contribution.waits_told = in_all;
            let message = format!(
                "sound comes later than its pictures: the line waits {longer} longer, {in_all} in all"
            );
            self.reporter.event(Level::Info, "line-drift", message);
        } else if longer < Span::ZERO {
            contribution.waits_told = in_all;
            let less = Span::ZERO - longer;
            let message =
                format!("sound comes sooner than it did: the line waits {less} less, {in_all} in all");
            self.reporter.event(Level::Info, "line-drift", message);
        }
    }

    /// Says where the stream's clock stands, about once a second.
    fn tell_the_time(&self, contribution: &mut Contribution) {
        let now = self.reporter.now();
        if contribution.told.is_none_or(|told| now - told >= Span::from_secs(1)) {
            contribution.told = Some(now);
            self.tell_what_it_waits(contribution);
            let behind = self.keep_together(contribution);
            let standing = contribution.stamps.standing();
            self.counters.time(|timing| (timing.standing, timing.behind) = (standing, behind));
        }
    }
}

/// What is ready of sound that begins at `at`: pictures and sound bend alike.
fn followed(stamps: &Stamps, follower: &mut Follower, pcm: Pcm, at: Time) -> Result<Vec<Pcm>, CodecError> {
    let end = stamps.place(pcm.end()).unwrap_or(at + pcm.duration());
    follower.push(&Pcm { pts: at, ..pcm }, end)
}

/// What is told of a line whose clock moved by so much.
fn moved(by: Span) -> String {
    format!("what comes is late or early, or waits for others: all of it moves by {by}")
}

mod ready;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod equal;
#[cfg(test)]
mod in_step;
#[cfg(test)]
mod radio;
#[cfg(test)]
mod tests;
