//! A stream in its normal form, and how a part of it is found in the whole.

use std::ops::Range;

use flv::audio::{AudioHeader, AudioPacket};
use flv::avc::NalType;
use flv::nalu::{LengthSize, units};
use flv::video::{VideoHeader, VideoPacket};
use flv::{Tag, TagKind};

use super::film::tags;

/// A coded frame as every container carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: TagKind,
    /// When it is to be decoded, in milliseconds.
    pub dts: i64,
    /// PTS minus DTS in milliseconds.
    pub composition: i32,
    /// Whether it is a key frame; never for sound.
    pub key: bool,
    /// A picture's NAL units but access unit delimiters and parameter sets, which containers
    /// add and take; or the one raw data block of sound.
    pub data: Vec<Vec<u8>>,
}

/// The frames of an FLV file; its end may be cut.
pub fn frames(file: Vec<u8>) -> Vec<Frame> {
    tags(file).iter().filter_map(frame).collect()
}

fn frame(tag: &Tag) -> Option<Frame> {
    let body = tag.body();
    let dts = i64::from(tag.timestamp.0 as i32);
    match tag.kind {
        TagKind::Script => None,
        TagKind::Audio => {
            let header = AudioHeader::parse(body).unwrap();
            let data = vec![header.payload(body).to_vec()];
            (header.packet == AudioPacket::Frame).then_some(Frame {
                kind: tag.kind,
                dts,
                composition: 0,
                key: false,
                data,
            })
        }
        TagKind::Video => {
            let header = VideoHeader::parse(body).unwrap();
            if header.packet != VideoPacket::Frame {
                return None;
            }
            let all = units(body, header.payload_offset, LengthSize::Four).map(|unit| &body[unit.unwrap()]);
            let data = all.filter(|unit| !is_container_matter(unit)).map(<[u8]>::to_vec).collect();
            let (composition, key) = (header.composition_ms, header.is_key_frame());
            Some(Frame { kind: tag.kind, dts, composition, key, data })
        }
    }
}

fn is_container_matter(unit: &[u8]) -> bool {
    NalType::of(unit).is_some_and(|kind| matches!(kind.number(), 7..=9))
}

/// The pictures, or the sound.
pub fn track(frames: &[Frame], kind: TagKind) -> Vec<&Frame> {
    frames.iter().filter(|frame| frame.kind == kind).collect()
}

/// What of the times must be as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    /// All to the millisecond.
    Exact,
    /// Pictures to the millisecond, sound to one more or less.
    Close,
    /// Pictures to the millisecond; of sound the order, no more.
    Pictures,
    /// The order, no more.
    Order,
}

impl Times {
    /// By how many milliseconds this track's may be off, if that matters.
    fn slack(self, kind: TagKind) -> Option<i64> {
        match (self, kind) {
            (Self::Exact, _) | (Self::Close | Self::Pictures, TagKind::Video) => Some(0),
            (Self::Close, _) => Some(1),
            (Self::Pictures | Self::Order, _) => None,
        }
    }
}

/// Where the frames of a relay were in the film.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub pictures: Range<usize>,
    pub sound: Range<usize>,
}

/// All of it.
pub fn whole(film: &[Frame]) -> Part {
    let len = |kind| track(film, kind).len();
    Part { pictures: 0..len(TagKind::Video), sound: 0..len(TagKind::Audio) }
}

/// Which part of the film the relay's frames are.
///
/// Fails the test unless both tracks are one unbroken run of the film's, bit for bit and in its order,
/// and all timestamps moved by one and the same amount, as far as `times` says.
#[track_caller]
pub fn part(of: &[Frame], got: &[Frame], times: Times) -> Part {
    let run = |kind| run(&track(of, kind), &track(got, kind), times);
    let (pictures, moved) = run(TagKind::Video);
    let (sound, sound_moved) = run(TagKind::Audio);
    if let Some(slack) = times.slack(TagKind::Audio) {
        let apart = (moved - sound_moved).abs();
        assert!(apart <= slack, "pictures moved by {moved} ms, sound by {sound_moved}");
    }
    Part { pictures, sound }
}

/// Where `got` is in `of`, and how much later it is, in milliseconds.
#[track_caller]
fn run(of: &[&Frame], got: &[&Frame], times: Times) -> (Range<usize>, i64) {
    let first = got.first().expect("the relay let nothing through");
    let kind = first.kind;
    let same = |a: &Frame, b: &Frame| (a.key, &a.data) == (b.key, &b.data);
    let matching = |start: usize| of[start..].iter().zip(got).take_while(|(a, b)| same(a, b)).count();
    let (longest, start) = (0..of.len()).map(|start| (matching(start), start)).max().unwrap();
    assert_eq!(
        longest,
        got.len(),
        "{kind}: only so many frames of the relay's are the film's, from its frame {start} of {} on",
        of.len()
    );
    let moved = first.dts - of[start].dts;
    if let Some(slack) = times.slack(kind) {
        for (n, (a, b)) in of[start..].iter().zip(got).enumerate() {
            let off = b.dts - a.dts - moved;
            assert!(off.abs() <= slack, "{kind} frame {n} of the relay is {off} ms off");
            assert_eq!(a.composition, b.composition, "{kind} frame {n} of the relay");
        }
    }
    (start..start + got.len(), moved)
}
