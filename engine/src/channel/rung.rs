//! The end of a rung: packets become FLV tags, in order, encrypted if it is
//! asked for, and go to the rung's feeds.

use std::collections::VecDeque;
use std::sync::Arc;

use codecs::RungOutput;
use crossbeam_channel::{Receiver, select};
use flv::{FlvMillis, Room, Tag, TagBuf, TagKind};
use media::{Key, Packet, Span, Time, Track, VideoCodec};
use scheduling::Encryption;

use crate::channel::cipher::Cipher;
use crate::channel::copy::{CopiedPacket, Heads, Opened};
use crate::channel::in_step::RungInStep;
use crate::channel::interleave::Interleave;
use crate::channel::ladder;
use crate::channel::meter::RungMeter;
use crate::channel::renew::{Anew, Renewal};
use crate::channel::rise::Rise;
use crate::channel::splice::{Lent, Loan, Loans, Splice, Stretch};
use crate::channel::vbv::Vbv;
use crate::egress::feed::{Feed, Header};
use crate::egress::queue::{Item, Role};
use crate::event::Level;
use crate::keys::ChannelKeys;
use crate::reporter::Reporter;
use crate::stage::ThreadShare;
use crate::way::{self, Station};

/// From the key frame at `at` on, encrypt like this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncryptOrder {
    pub(crate) at: Time,
    pub(crate) encryption: Encryption,
}

/// What a rung is told by the show's thread, before it hands on the work of the tick it is about.
pub(crate) enum RungOrder {
    Encrypt(EncryptOrder),
    /// Its pictures come from elsewhere.
    Stretch(Stretch),
    /// Its own pictures go elsewhere, too.
    Lend(Loan),
    /// From a key frame on it is encoded otherwise.
    Renew(Renewal),
}

/// In which time gaps between tags are measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GapTime {
    /// When the tag left: real time.
    Wall,
    /// The tag's own time stamp: offline.
    Media,
}

/// Where a rung's tags go.
#[derive(Clone)]
pub(crate) struct Feeds {
    /// As the channel carries them.
    pub(crate) main: Arc<Feed>,
    /// Never encrypted; there only if an egress asked for it.
    pub(crate) clear: Option<Arc<Feed>>,
}

/// Everything a rung's last stage needs.
pub(crate) struct RungEnd {
    pub(crate) video: Receiver<RungOutput>,
    pub(crate) audio: Receiver<Packet>,
    pub(crate) orders: Receiver<RungOrder>,
    pub(crate) headers: [Tag; 3],
    pub(crate) feeds: Feeds,
    pub(crate) keys: Option<Arc<ChannelKeys>>,
    pub(crate) meter: Arc<RungMeter>,
    /// Of its pictures.
    pub(crate) codec: VideoCodec,
    /// What its copied pictures go by, if it copies.
    pub(crate) copying: Option<Heads>,
    /// `None` where bits are not ours.
    pub(crate) vbv: Option<Vbv>,
    pub(crate) in_step: RungInStep,
    /// From one picture to the next.
    pub(crate) tick: Span,
    /// Added to every time stamp, so that none is below zero.
    pub(crate) lead: Span,
    /// How much later than its time stamps say sound has its place among the pictures.
    pub(crate) late: Span,
    pub(crate) gap_time: GapTime,
    pub(crate) reporter: Reporter,
}

/// Why a rung cannot go on.
#[derive(Debug, thiserror::Error)]
enum RungError {
    #[error(transparent)]
    Encoder(#[from] codecs::CodecError),
    #[error("its encoder's thread panicked: this is our bug")]
    EncoderPanicked,
    #[error(transparent)]
    Encrypt(#[from] crypto::CryptoError),
    #[error(transparent)]
    Tag(#[from] flv::BodyTooLong),
    #[error("composition time of the picture at {pts}: {source}")]
    Composition { pts: Time, source: media::OutOfRange },
}

/// Whatever way a rung ends, or if it never runs at all: who waits for its tags is told.
impl Drop for RungEnd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.meter.fail();
            self.reporter.event(Level::Alarm, "rung-failed", "its thread panicked: this is our bug");
        }
        self.feeds.main.end();
        if let Some(clear) = &self.feeds.clear {
            clear.end();
        }
    }
}

impl RungEnd {
    /// Runs until both tracks have ended, or the rung fails.
    pub(crate) fn run(mut self) {
        let result = self.work();
        if let Err(error) = result {
            self.meter.fail();
            self.reporter.event(Level::Alarm, "rung-failed", error.to_string());
        }
    }

    fn work(&mut self) -> Result<(), RungError> {
        for (header, tag) in [Header::Metadata, Header::Video, Header::Audio].into_iter().zip(&self.headers) {
            self.feeds.main.publish_header(header, tag.clone());
            if let Some(clear) = &self.feeds.clear {
                clear.publish_header(header, tag.clone());
            }
        }
        let mut desk = Desk {
            splice: Splice::new(self.video.clone()),
            loans: Loans::default(),
            cipher: Cipher::new(self.keys.clone(), self.headers.clone()),
            renewals: VecDeque::new(),
        };
        let mut interleave = Interleave::new(self.late);
        let mut rise = Rise::new(self.tick);
        let (mut orders, mut audio) = (self.orders.clone(), self.audio.clone());
        let mut open = Open::Both;
        let mut share = ThreadShare::begin();
        while open != Open::None {
            select! {
                recv(desk.splice.own) -> out => {
                    desk.take_all(&orders);
                    match out {
                        Ok(RungOutput::Packet(packet)) => {
                            way::at(Station::Encoded, packet.pts);
                            desk.loans.hand_out(&packet);
                            interleave.put(match &mut self.copying {
                                Some(heads) => heads.encoded(packet),
                                None => rise.stamp(packet),
                            });
                        }
                        Ok(RungOutput::Rest(at)) => {
                            desk.loans.rest(at);
                            self.rest(at, &mut interleave);
                        }
                        Ok(RungOutput::Pause(until)) => {
                            desk.loans.end_before(until);
                            desk.splice.end_stretch();
                        }
                        Ok(RungOutput::Failed(error)) => return Err(error.into()),
                        Err(_) => return Err(RungError::EncoderPanicked),
                        Ok(RungOutput::End) => {
                            match desk.splice.gets_another_encoder() {
                                true => desk.loans.end_those_told(),
                                false => desk.loans.end(),
                            }
                            desk.splice.end_stretch();
                        }
                    }
                },
                recv(desk.splice.carried) -> packet => {
                    desk.take_all(&orders);
                    match packet {
                        Ok(Lent::Packet(packet)) => {
                            if let Some(from) = desk.splice.carried_from() {
                                self.meter.carry(from);
                            }
                            interleave.put(rise.stamp(packet));
                        }
                        Ok(Lent::Rest(at)) => self.rest(at, &mut interleave),
                        Err(_) => desk.splice.end_stretch(),
                    }
                },
                recv(desk.splice.copied) -> packet => {
                    desk.take_all(&orders);
                    match packet {
                        Ok(CopiedPacket::Held { before }) => interleave.no_picture_before(before),
                        Ok(CopiedPacket::Picture { params, packet }) => {
                            if let Some(heads) = &mut self.copying {
                                heads.copied(&packet, params, desk.splice.copied_from());
                            }
                            interleave.put(packet);
                        }
                        Err(_) => desk.splice.end_stretch(),
                    }
                },
                recv(desk.splice.opened) -> opened => match opened {
                    Ok(Opened { params, packets }) => {
                        if let Some(heads) = &mut self.copying {
                            heads.opened(params);
                        }
                        desk.splice.open(packets);
                    }
                    // It could not be opened, which was said; or the show is over.
                    Err(_) => desk.splice.end_stretch(),
                },
                recv(audio) -> packet => match packet {
                    Ok(packet) => interleave.put(packet),
                    Err(_) => {
                        interleave.end(Track::Audio);
                        audio = crossbeam_channel::never();
                        open = open.without_audio();
                    }
                },
                recv(orders) -> order => match order {
                    Ok(order) => desk.take(order),
                    Err(_) => {
                        orders = crossbeam_channel::never();
                        desk.splice.close();
                    }
                },
            }
            if desk.splice.is_over() && open.has_video() {
                interleave.end(Track::Video);
                open = open.without_video();
            }
            while let Some(packet) = interleave.next() {
                for Renewal { at, late, anew, key } in desk.due(&packet) {
                    interleave.set_late(late);
                    let copies = self.copying.is_some() && (packet.pts != at || packet.key != Key::Frame);
                    if copies && key == Key::Frame {
                        // It is not apart for that: its own come with its camera's.
                        self.in_step.key(at);
                    }
                    if let Some(anew) = anew {
                        self.begin_anew(anew, packet.dts, &mut desk.cipher)?;
                    }
                }
                self.publish(&packet, &mut desk.cipher)?;
                if packet.track == Track::Video {
                    share.count(&self.meter.stage);
                }
            }
        }
        Ok(())
    }

    /// No picture comes of this time: what is heard goes on.
    fn rest(&mut self, at: Time, interleave: &mut Interleave) {
        // A picture that follows has a DTS this much before its PTS at the most.
        interleave.no_picture_before(at - self.lead);
        self.in_step.rest();
        self.feeds.main.rest();
        if let Some(clear) = &self.feeds.clear {
            clear.rest();
        }
    }

    fn publish(&mut self, packet: &Packet, cipher: &mut Cipher) -> Result<(), RungError> {
        let role = role(packet);
        if packet.track == Track::Video {
            self.turn(packet, cipher)?;
        }
        if role == Role::Key {
            self.in_step.key(packet.pts);
            cipher.follow(packet.pts, &self.reporter)?;
        }
        if packet.track == Track::Video
            && let Some(vbv) = &mut self.vbv
            && let Some(late) = vbv.take(packet.dts, packet.data.len())
        {
            self.meter.overshoot(late);
        }
        let tag = self.tag(packet, cipher.room())?;
        if packet.track == Track::Video {
            way::becomes(Station::Tagged, packet.pts, packet.dts);
        }
        let tag = match &self.feeds.clear {
            Some(clear) => {
                let tag = Tag::from(tag);
                clear.publish(Item { tag: tag.clone(), role });
                cipher.apply_shared(tag)?
            }
            None => cipher.apply(tag)?,
        };
        let bytes = tag.wire_len();
        self.feeds.main.publish(Item { tag, role });
        let at = match self.gap_time {
            GapTime::Wall => {
                let now = self.reporter.now();
                if packet.track == Track::Video {
                    self.meter.stage.picture(now - packet.pts);
                }
                now
            }
            GapTime::Media => packet.dts,
        };
        self.meter.tag(packet.track, packet.key, bytes, at);
        Ok(())
    }

    /// From this picture on they may be of another encoder: a new header goes before it.
    fn turn(&mut self, packet: &Packet, cipher: &mut Cipher) -> Result<(), RungError> {
        let Some(heads) = &mut self.copying else { return Ok(()) };
        let (head, copies) = (heads.head_of(packet.pts), heads.copies());
        if let Some(head) = head {
            self.meter.copies_from(head.from.clone());
            if let Some(size) = head.params.size {
                self.meter.sized(size);
            }
            self.codec = head.params.codec;
            self.head(ladder::video_header(&head.params).1, packet.dts, cipher)?;
        }
        if copies {
            self.meter.copy();
        }
        Ok(())
    }

    /// From the picture with this DTS on, which is a key frame, another encoder's come.
    fn begin_anew(&mut self, anew: Anew, dts: Time, cipher: &mut Cipher) -> Result<(), RungError> {
        let Anew { metadata, video, vbv } = anew;
        self.vbv = Some(vbv);
        // In mid-stream, players do not look for rates again.
        for feed in std::iter::once(&self.feeds.main).chain(&self.feeds.clear) {
            feed.replace_header(Header::Metadata, metadata.clone());
        }
        let [before, ..] = &mut self.headers;
        before.clone_from(&metadata);
        cipher.replace(Header::Metadata, &metadata);
        self.head(video.body().clone(), dts, cipher)
    }

    /// The picture with this DTS has this header before it, if that is another than was told.
    fn head(&mut self, body: bytes::Bytes, dts: Time, cipher: &mut Cipher) -> Result<(), RungError> {
        let at = FlvMillis::from_millis((dts + self.lead).as_millis_rounded());
        let tag = Tag::new(TagKind::Video, at, body)?;
        let [_, before, _] = &mut self.headers;
        if before.body() == tag.body() {
            return Ok(());
        }
        *before = tag.clone();
        cipher.header(Header::Video, &tag)?;
        self.feeds.main.publish_header(Header::Video, tag.clone());
        if let Some(clear) = &self.feeds.clear {
            clear.publish_header(Header::Video, tag);
        }
        Ok(())
    }

    /// The packet as a tag that nobody else holds yet, with `room` around its body.
    fn tag(&self, packet: &Packet, room: Room) -> Result<TagBuf, RungError> {
        let stamp = |time: Time| (time + self.lead).as_millis_rounded();
        let dts = stamp(packet.dts);
        let mut body = room.buffer(packet.data.len() + 8);
        let kind = match packet.track {
            Track::Video => {
                // Rounded from the two times, never accumulated: PTS stays within half a millisecond.
                let composition = i32::try_from(stamp(packet.pts) - dts).unwrap_or(i32::MAX);
                let write = match self.codec {
                    VideoCodec::Hevc => flv::video::write_hevc_frame,
                    _ => flv::video::write_avc_frame,
                };
                write(packet.key.into(), composition, &packet.data, &mut body)
                    .map_err(|source| RungError::Composition { pts: packet.pts, source })?;
                TagKind::Video
            }
            Track::Audio => {
                flv::audio::write_aac_frame(&packet.data, &mut body);
                TagKind::Audio
            }
        };
        Ok(TagBuf::new(kind, FlvMillis::from_millis(dts), body, room)?)
    }
}

fn role(packet: &Packet) -> Role {
    match (packet.track, packet.key) {
        (Track::Audio, _) => Role::Sound,
        (Track::Video, Key::Frame) => Role::Key,
        (Track::Video, Key::Delta) => Role::Delta,
    }
}

/// What a rung was told.
struct Desk {
    splice: Splice,
    loans: Loans,
    cipher: Cipher,
    /// What is to come, in order.
    renewals: VecDeque<Renewal>,
}

impl Desk {
    /// All there is: what is about a picture was said before the picture came.
    fn take_all(&mut self, orders: &Receiver<RungOrder>) {
        for order in orders.try_iter() {
            self.take(order);
        }
    }

    fn take(&mut self, order: RungOrder) {
        match order {
            RungOrder::Encrypt(order) => self.cipher.ordered.push_back(order),
            RungOrder::Stretch(stretch) => self.splice.add(stretch),
            RungOrder::Lend(loan) => self.loans.add(loan),
            RungOrder::Renew(renewal) => self.renewals.push_back(renewal),
        }
    }

    /// What is otherwise from this packet on.
    fn due(&mut self, packet: &Packet) -> Vec<Renewal> {
        if self.renewals.is_empty() || packet.track != Track::Video {
            return Vec::new();
        }
        // In order of decoding all that is shown before a key frame lies before it.
        let mut due = Vec::new();
        while self.renewals.front().is_some_and(|renewal| renewal.at <= packet.pts) {
            due.extend(self.renewals.pop_front());
        }
        due
    }
}

/// Tracks that still come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Both,
    Video,
    Audio,
    None,
}

impl Open {
    fn has_video(self) -> bool {
        matches!(self, Self::Both | Self::Video)
    }
    fn without_video(self) -> Self {
        if matches!(self, Self::Both | Self::Audio) { Self::Audio } else { Self::None }
    }
    fn without_audio(self) -> Self {
        if matches!(self, Self::Both | Self::Video) { Self::Video } else { Self::None }
    }
}
