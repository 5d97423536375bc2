//! What enhanced RTMP (version 2) puts in the same way before audio and video:
//! ModEx modifiers and multitrack bodies.

use std::ops::Range;

use crate::body::{BodyError, Cursor, FourCc};

/// The packet type that says modifiers come first; the same for audio and video.
const MOD_EX: u8 = 7;
/// More modifiers than this are no honest tag.
const MAX_MODIFIERS: usize = 16;

/// What the modifiers said, and the packet type behind them.
pub(crate) struct Modifiers {
    pub(crate) packet_type: u8,
    pub(crate) nanos: u32,
}

/// Reads modifiers while `packet_type` says that some come.
pub(crate) fn skip_modifiers(cursor: &mut Cursor<'_>, mut packet_type: u8) -> Result<Modifiers, BodyError> {
    let mut nanos = 0;
    let mut count = 0;
    while packet_type == MOD_EX {
        count += 1;
        if count > MAX_MODIFIERS {
            return Err(BodyError::illegal("ModEx modifiers", cursor.offset(), count as u64, "at most 16"));
        }
        let mut size = usize::from(cursor.u8("ModEx size")?) + 1;
        if size == 256 {
            size = usize::from(cursor.u16("ModEx long size")?) + 1;
        }
        let data = cursor.take("ModEx data", size)?;
        let types = cursor.u8("ModEx type")?;
        if types >> 4 == 0
            && let [a, b, c, ..] = *data
        {
            nanos = u32::from_be_bytes([0, a, b, c]);
        }
        packet_type = types & 0x0f;
    }
    Ok(Modifiers { packet_type, nanos })
}

/// How a multitrack body is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MultitrackKind {
    /// One track, whose number is told.
    OneTrack,
    /// Several tracks of one codec.
    ManyTracks,
    /// Several tracks, each with its codec.
    ManyTracksManyCodecs,
}

impl MultitrackKind {
    pub(crate) fn from_number(number: u8, offset: usize) -> Result<Self, BodyError> {
        match number {
            0 => Ok(Self::OneTrack),
            1 => Ok(Self::ManyTracks),
            2 => Ok(Self::ManyTracksManyCodecs),
            got => Err(BodyError::illegal("multitrack type", offset, got.into(), "0, 1 or 2")),
        }
    }
}

/// One track's part of a multitrack body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackPart {
    /// The track's number.
    pub track: u8,
    /// Its codec.
    pub codec: FourCc,
    /// Where its data lies in the body, its own composition time included.
    pub data: Range<usize>,
}

/// The parts of a multitrack body; ends after the first error.
#[derive(Clone, Debug)]
pub struct TrackParts<'a> {
    body: &'a [u8],
    at: usize,
    kind: MultitrackKind,
    codec: Option<FourCc>,
}

impl<'a> TrackParts<'a> {
    pub(crate) fn new(body: &'a [u8], at: usize, kind: MultitrackKind, codec: Option<FourCc>) -> Self {
        Self { body, at, kind, codec }
    }

    /// The default track's, number 0.
    pub(crate) fn default_part(mut self) -> Result<Option<TrackPart>, BodyError> {
        self.find(|part| part.as_ref().is_ok_and(|part| part.track == 0) || part.is_err()).transpose()
    }

    fn part(&mut self) -> Result<TrackPart, BodyError> {
        let mut cursor = Cursor::at(self.body, self.at);
        let codec = match self.codec {
            Some(codec) => codec,
            None => cursor.fourcc("track FourCC")?,
        };
        let track = cursor.u8("track number")?;
        let len = match self.kind {
            MultitrackKind::OneTrack => cursor.remaining(),
            _ => cursor.u24("track size")? as usize,
        };
        let start = cursor.offset();
        cursor.take("track data", len)?;
        self.at = cursor.offset();
        Ok(TrackPart { track, codec, data: start..start + len })
    }
}

impl Iterator for TrackParts<'_> {
    type Item = Result<TrackPart, BodyError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.body.len() {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.at = self.body.len();
        }
        Some(part)
    }
}

impl std::iter::FusedIterator for TrackParts<'_> {}
