//! Bodies of several tracks, or of one that is not the default (Enhanced RTMP version 2,
//! "Multitrack"): where each track's part lies, and which rule it falls under.
//!
//! Each part is encrypted as a body of its own, under a number of its own: a server may take
//! the tracks apart, or put others beside them, and a reader finds in each all that it needs.

use std::collections::BTreeMap;

use flv::audio::{self, AudioCodec, AudioHeader, AudioPacket};
use flv::video::{self, MultitrackKind, TrackPart, TrackParts, VideoCodec, VideoHeader, VideoPacket};
use flv::{BodyError, BodyTooLong, Problem, TagBuf, TagKind};

use crate::error::NoRule;
use crate::marker::{self, Framing};
use crate::shape::Shape;
use crate::unit::UnitCodec;

/// A track's number takes a byte, so more parts than this are no honest body.
const MOST: usize = 256;
/// The length of a part's data, in front of it.
const SIZE: usize = 3;

/// One track's part of a body.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// The track's number; 0 is the one that bodies of a single track belong to.
    pub track: u8,
    /// What stands before the data: FourCC, number and length, as far as the layout has them.
    pub lead: &'a [u8],
    /// What a body of this track alone would hold behind its codec header; of coded frames,
    /// from the composition time on.
    pub data: &'a [u8],
    /// The rule that `data` falls under.
    pub shape: Shape,
    /// Where `data` begins in the body.
    at: usize,
    kind: MultitrackKind,
}

impl Part<'_> {
    /// Says in front of what was appended from `data_at` on how long it is.
    pub(crate) fn set_len(&self, out: &mut [u8], data_at: usize) {
        if self.kind != MultitrackKind::OneTrack {
            let [_, len @ ..] = ((out.len() - data_at) as u32).to_be_bytes();
            out[data_at - SIZE..data_at].copy_from_slice(&len);
        }
    }

    /// What is wrong with `data`, told by its place in the body.
    pub(crate) fn placed(&self, mut err: BodyError) -> BodyError {
        err.offset += self.at;
        err
    }
}

/// Where the parts no longer add up to the body.
#[derive(Debug)]
pub(crate) struct Tear<'a> {
    pub err: BodyError,
    /// What is there of the part, with what lies behind it.
    pub rest: Option<Part<'a>>,
}

/// What each part of a body holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    Config,
    Frames {
        composition_time: usize,
    },
    /// An end of sequence, metadata and the like.
    Other,
}

/// A body's codec header, and its parts one after the other; ends after the first tear.
pub(crate) struct Parts<'a> {
    body: &'a [u8],
    media: TagKind,
    kind: MultitrackKind,
    content: Content,
    parts: TrackParts<'a>,
    header: usize,
    /// Where the next part begins.
    at: usize,
    count: usize,
}

/// The parts of a body whose header says that it has such; `None` for any other.
pub(crate) fn parts(media: TagKind, body: &[u8]) -> Option<Parts<'_>> {
    let (kind, content, parts, header) = match media {
        TagKind::Audio => {
            let header = AudioHeader::parse(body).ok()?;
            let AudioPacket::Multitrack { kind, each } = header.packet else { return None };
            let content = match each {
                audio::TrackContent::SequenceStart => Content::Config,
                audio::TrackContent::CodedFrames => Content::Frames { composition_time: 0 },
                _ => Content::Other,
            };
            (kind, content, header.tracks(body), header.payload_offset)
        }
        TagKind::Video => {
            let header = VideoHeader::parse(body).ok()?;
            let VideoPacket::Multitrack { kind, each } = header.packet else { return None };
            let content = match each {
                video::TrackContent::SequenceStart => Content::Config,
                video::TrackContent::CodedFrames => Content::Frames { composition_time: 3 },
                video::TrackContent::CodedFramesX => Content::Frames { composition_time: 0 },
                _ => Content::Other,
            };
            (kind, content, header.tracks(body), header.payload_offset)
        }
        TagKind::Script => return None,
    };
    Some(Parts { body, media, kind, content, parts, header, at: header, count: 0 })
}

impl<'a> Parts<'a> {
    /// What stands before the first part.
    pub(crate) fn header(&self) -> &'a [u8] {
        &self.body[..self.header]
    }

    fn part(&self, TrackPart { track, codec, data }: TrackPart) -> Part<'a> {
        let (lead, at) = (&self.body[self.at..data.start], data.start);
        let data = &self.body[data];
        Part { track, lead, data, at, kind: self.kind, shape: self.shape(codec, data) }
    }

    /// The rule of a part's data, as of a body that begins with it.
    fn shape(&self, codec: flv::FourCc, data: &[u8]) -> Shape {
        match (self.media, self.content) {
            (_, Content::Other) | (TagKind::Script, _) => Shape::Exempt,
            (TagKind::Audio, content) => match (AudioCodec::from_fourcc(codec), content) {
                (AudioCodec::Aac, Content::Config) => Shape::SoundConfig { payload: 0 },
                (_, Content::Config) => Shape::Exempt,
                (AudioCodec::Aac, _) => Shape::Aac { payload: 0 },
                (codec, _) => Shape::NoRule(NoRule::EnhancedAudio(codec)),
            },
            (TagKind::Video, content) => {
                let codec = VideoCodec::from_fourcc(codec);
                let Some(units) = UnitCodec::of(codec) else {
                    let coded = content != Content::Config;
                    return if coded { Shape::NoRule(NoRule::Video(codec)) } else { Shape::Exempt };
                };
                match content {
                    Content::Frames { composition_time } if data.len() < composition_time => {
                        let (field, missing) = ("composition time", composition_time - data.len());
                        let problem = Problem::Truncated { needed: composition_time, missing };
                        Shape::NoRule(NoRule::Body(BodyError { field, offset: 0, problem }))
                    }
                    Content::Frames { composition_time } => {
                        Shape::Units { codec: units, payload: composition_time }
                    }
                    _ => units.length_size(data).map_or(Shape::Exempt, Shape::Sequence),
                }
            }
        }
    }

    fn tear(&self, err: BodyError) -> Tear<'a> {
        let codec = if self.kind == MultitrackKind::ManyTracksManyCodecs { 4 } else { 0 };
        let size = if self.kind == MultitrackKind::OneTrack { 0 } else { SIZE };
        let data = self.at + codec + 1 + size;
        let name =
            self.body.get(if codec == 0 { self.header - 4..self.header } else { self.at..self.at + 4 });
        let rest = name.and_then(|name| name.first_chunk()).zip(self.body.get(self.at + codec)).map(
            |(name, track)| {
                let data = data.min(self.body.len())..self.body.len();
                self.part(TrackPart { track: *track, codec: flv::FourCc(*name), data })
            },
        );
        Tear { err, rest }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, Tear<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.parts.next()?;
        self.count += 1;
        let over = self.count > MOST;
        match part {
            Ok(part) if !over => {
                let end = part.data.end;
                let part = self.part(part);
                self.at = end;
                Some(Ok(part))
            }
            // The parts behind are not looked at any more.
            _ if self.count > MOST + 1 => None,
            Ok(_) => {
                let problem = Problem::Illegal { got: self.count as u64, legal: "at most 256" };
                Some(Err(self.tear(BodyError { field: "tracks", offset: self.at, problem })))
            }
            Err(err) => Some(Err(self.tear(err))),
        }
    }
}

/// Whether any part of a body carries a marker, and where it is torn, if it is.
pub(crate) fn survey(media: TagKind, body: &[u8], framings: &Framings) -> (Marked, Option<BodyError>) {
    let (mut marked, mut torn) = (Marked::No, None);
    for part in parts(media, body).into_iter().flatten() {
        let part = match part {
            Ok(part) => Some(part),
            Err(Tear { err, rest }) => {
                torn = Some(err);
                rest
            }
        };
        let found = part.and_then(|part| marker::find(part.data, &part.shape, framings.of(part.track)));
        if found.is_some() {
            marked = Marked::Yes;
        }
    }
    (marked, torn)
}

/// How many bytes the parts of a body hold; where they are torn, what is left counts.
pub(crate) fn bytes(media: TagKind, body: &[u8]) -> usize {
    let len = |part: Result<Part<'_>, Tear<'_>>| match part {
        Ok(part) | Err(Tear { rest: Some(part), .. }) => part.data.len(),
        Err(Tear { rest: None, .. }) => 0,
    };
    parts(media, body).into_iter().flatten().map(len).sum()
}

/// Whether a body carries a marker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Marked {
    Yes,
    No,
}

/// Puts another body into a tag, in the memory that is there if it has the room.
pub(crate) fn put(tag: &mut TagBuf, body: &[u8]) -> Result<(), BodyTooLong> {
    match body.len().checked_sub(tag.body().len()) {
        // Any bytes will do: all are overwritten.
        Some(more) => tag.insert(0, &body[..more])?,
        None => tag.truncate(body.len()),
    }
    tag.body_mut().copy_from_slice(body);
    Ok(())
}

/// One thing for each track: 0, which most streams have alone, and others as they come.
#[derive(Clone, Debug)]
pub(crate) struct ByTrack<T> {
    main: Option<T>,
    others: BTreeMap<u8, T>,
}

impl<T> Default for ByTrack<T> {
    fn default() -> Self {
        Self { main: None, others: BTreeMap::new() }
    }
}

impl<T> ByTrack<T> {
    pub(crate) fn get(&self, track: u8) -> Option<&T> {
        if track == 0 { self.main.as_ref() } else { self.others.get(&track) }
    }
    pub(crate) fn set(&mut self, track: u8, thing: T) {
        if track == 0 {
            self.main = Some(thing);
        } else {
            self.others.insert(track, thing);
        }
    }
}

/// How long NALU lengths are in each track, as its last sequence header said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Framings(ByTrack<Framing>);

impl Framings {
    pub(crate) fn of(&self, track: u8) -> Framing {
        self.0.get(track).copied().unwrap_or_default()
    }

    /// Takes note of a sequence header.
    pub(crate) fn observe(&mut self, track: u8, shape: &Shape) {
        if let Shape::Sequence(size) = shape {
            self.0.set(track, Framing::of(*size));
        }
    }

    /// Takes note of the sequence headers of a body's tracks.
    #[cold]
    pub(crate) fn observe_tracks(&mut self, media: TagKind, body: &[u8]) {
        for part in parts(media, body).into_iter().flatten().flatten() {
            self.observe(part.track, &part.shape);
        }
    }
}
