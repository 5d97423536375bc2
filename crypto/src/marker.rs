//! Finds the marker in a tag's body: what a reader, a prober and an encryptor
//! that is about to send a tag clear all look for, with one and the same eye.

use std::ops::Range;

use flv::nalu::{self, LengthSize};

use crate::aac_silence;
use crate::capsule_mode;
use crate::key_header::{KeyHeader, Unreadable, WireMode};
use crate::shape::Shape;
use crate::unit::UnitCodec;

/// A byte-aligned AAC data_stream_element (ISO/IEC 14496-3, 4.4.2.1): element 4,
/// tag 15, align 0, count 18, of which these two bytes and the header follow.
pub(crate) const DSE_LEAD: [u8; 4] = [0x9e, 0x12, b'Y', b'X'];
/// Bytes of the whole element.
pub(crate) const DSE_LEN: usize = DSE_LEAD.len() + KeyHeader::LEN;

/// How long NALU lengths are, as the last sequence header of the track said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing(Option<LengthSize>);

impl Framing {
    /// As a sequence header says.
    pub(crate) fn of(size: LengthSize) -> Self {
        Self(Some(size))
    }

    /// What to write with: everyone writes 4 bytes, unless the stream said otherwise.
    pub(crate) fn size(self) -> LengthSize {
        self.0.unwrap_or(LengthSize::Four)
    }

    /// What to try when reading; a reader may have missed the sequence header.
    fn candidates(self) -> impl Iterator<Item = LengthSize> {
        let first = self.size();
        let others = [LengthSize::Four, LengthSize::Two, LengthSize::One];
        std::iter::once(first).chain(others.into_iter().filter(move |size| *size != first))
    }
}

/// Where a marker is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub place: Place,
    pub header: Result<KeyHeader, Fault>,
}

/// A marker without a header to go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Cut, or not as we write it.
    Mangled,
    /// Of a version or mode that is not known here.
    Unreadable(Unreadable),
}

/// Where a marker is in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A data_stream_element at the front of the raw data block at `payload`.
    Dse { payload: usize },
    /// The NALU `unit`, without its length prefix; the codec header ends at `payload`.
    Capsule { payload: usize, unit: Range<usize>, framing: Soundness },
    /// A SEI unit; `range` includes its length prefix.
    Sei { codec: UnitCodec, size: LengthSize, range: Range<usize>, framing: Soundness },
}

/// Whether the NALU lengths of a body add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Soundness {
    Whole,
    Broken,
}

/// Looks for a marker.
pub(crate) fn find(body: &[u8], shape: &Shape, framing: Framing) -> Option<Marker> {
    match *shape {
        Shape::Aac { payload } => find_dse(body, payload),
        // A SEI in front of a capsule was put there later, so it comes off first;
        // and sound framing tells more than one that breaks off.
        Shape::Units { codec, payload } => {
            let mut broken = None;
            for size in framing.candidates() {
                match find_sei(body, payload, codec, size) {
                    Some(sei) if sei.is_whole() => return Some(sei),
                    sei if size == framing.size() => broken = sei,
                    _ => {}
                }
            }
            match find_capsule(body, payload, codec) {
                Some(capsule) if capsule.is_whole() => Some(capsule),
                capsule => broken.or(capsule),
            }
        }
        Shape::Exempt | Shape::Sequence(_) | Shape::SoundConfig { .. } | Shape::NoRule(_) => None,
    }
}

impl Marker {
    /// Whether it says that the tag is clear. A capsule cannot.
    pub(crate) fn is_literal(&self) -> bool {
        !matches!(self.place, Place::Capsule { .. })
            && self.header.is_ok_and(|header| header.mode == WireMode::Literal)
    }

    fn is_whole(&self) -> bool {
        !matches!(
            self.place,
            Place::Sei { framing: Soundness::Broken, .. } | Place::Capsule { framing: Soundness::Broken, .. }
        )
    }
}

fn find_capsule(body: &[u8], payload: usize, codec: UnitCodec) -> Option<Marker> {
    if codec != UnitCodec::Avc {
        return None;
    }
    let found = capsule_mode::find(body, payload)?;
    let header = match found.header {
        Some(bytes) => KeyHeader::parse(&bytes).map_err(Fault::Unreadable),
        None => Err(Fault::Mangled),
    };
    Some(Marker { place: Place::Capsule { payload, unit: found.unit, framing: found.framing }, header })
}

fn find_dse(body: &[u8], payload: usize) -> Option<Marker> {
    let (count, rest) = aac_silence::marked(body.get(payload..)?)?;
    let header = match rest.first_chunk() {
        Some(header) => KeyHeader::parse(header).map_err(Fault::Unreadable),
        None => Err(Fault::Mangled),
    };
    // In version 1 the element holds nothing but the header.
    let header = header.and_then(|header| {
        let fits = count == aac_silence::FRONT || header.mode == WireMode::Silence;
        if fits { Ok(header) } else { Err(Fault::Mangled) }
    });
    Some(Marker { place: Place::Dse { payload }, header })
}

/// The last marker before the first slice: of nested ones, the outermost.
// Inlined, for what it gives is long.
#[inline(always)]
fn find_sei(body: &[u8], payload: usize, codec: UnitCodec, size: LengthSize) -> Option<Marker> {
    let mut last = None;
    let mut units = nalu::units(body, payload, size);
    let mut soundness = Soundness::Whole;
    for unit in units.by_ref() {
        let Ok(range) = unit else {
            soundness = Soundness::Broken;
            break;
        };
        let unit = &body[range.clone()];
        if codec.is_slice(unit) {
            break;
        }
        if let Some(header) = codec.read_sei(unit) {
            last = Some((range.start - size.bytes()..range.end, header));
        }
    }
    let (range, header) = last?;
    if soundness == Soundness::Whole && !units.all(|unit| unit.is_ok()) {
        soundness = Soundness::Broken;
    }
    let header = match header {
        Ok(bytes) => KeyHeader::parse(&bytes).map_err(Fault::Unreadable),
        Err(_) => Err(Fault::Mangled),
    };
    Some(Marker { place: Place::Sei { codec, size, range, framing: soundness }, header })
}
