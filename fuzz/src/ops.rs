//! What a caller does with an encryptor, told by bytes: tags, switches, rotations.
//!
//! Everything is read from the front, so that seeds are easy to write: see [`Op`].

use arbitrary::{Arbitrary, Result, Unstructured};
use crypto::{Mode, Sound};
use flv::TagKind;
use flv::nalu::LengthSize;

/// How a video track is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Avc,
    LegacyHevc,
    Hevc,
    /// Enhanced `avc1`, behind a modifier.
    ModifiedAvc,
}

/// A step.
#[derive(Debug)]
pub enum Op {
    /// 0: a sequence header. Then the form and the length size, a byte each.
    Sequence(Form, LengthSize),
    /// 1: a frame. Then the form; flags (1 key, 2 composition time); how many units, and
    /// the units, see [`Unit`].
    Frame { form: Form, flags: u8, units: Vec<Unit> },
    /// 2: AAC. Then the block's length in 2 bytes (little endian, as all here), and the block.
    Sound(Vec<u8>),
    /// 3: any tag. Then the kind, the body's length in 2 bytes, and the body.
    Raw(TagKind, Vec<u8>),
    /// 4: what came out `back` tags ago goes in again, with the byte at `at` xored.
    Again { back: u8, at: u16, xor: u8 },
    /// 5: off.
    Off,
    /// 6: on.
    On,
    /// 7: to another key. Then its id.
    Rotate(u8),
    /// 8: a body of several tracks. Then flags (1 key, 2 composition time, 4 a modifier in
    /// front, 8 sound), the layout, how many tracks, and the tracks, see [`Track`].
    Tracks { flags: u8, layout: Layout, tracks: Vec<Track> },
}

/// How the tracks of a body lie in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    One,
    Many,
    ManyCodecs,
}

/// One track: its number and codec, then what follows an [`Op::Frame`]'s flags, or the block as
/// of an [`Op::Sound`].
#[derive(Debug)]
pub struct Track {
    pub number: u8,
    pub codec: [u8; 4],
    pub units: Vec<Unit>,
    pub sound: Vec<u8>,
}

/// A NAL unit: its first byte, its length in 2 bytes, how many bytes are given, and
/// these, which are repeated up to the length.
#[derive(Debug)]
pub struct Unit(pub Vec<u8>);

/// A whole run: flags (1 capsule, 2 bodies without a rule pass clear, 4 sound behind silence),
/// then steps.
#[derive(Debug)]
pub struct Run {
    pub mode: Mode,
    pub pass_unknown: bool,
    pub sound: Sound,
    pub ops: Vec<Op>,
}

/// Steps of a run, at most.
const MOST: usize = 64;

impl<'a> Arbitrary<'a> for Run {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let flags: u8 = u.arbitrary()?;
        let mode = if flags & 1 == 0 { Mode::Nalu } else { Mode::Capsule };
        let mut ops = Vec::new();
        while !u.is_empty() && ops.len() < MOST {
            ops.push(u.arbitrary()?);
        }
        let sound = if flags & 4 == 0 { Sound::Noise } else { Sound::Silence };
        Ok(Self { mode, pass_unknown: flags & 2 != 0, sound, ops })
    }
}

impl<'a> Arbitrary<'a> for Form {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let all = [Self::Avc, Self::LegacyHevc, Self::Hevc, Self::ModifiedAvc];
        Ok(all[usize::from(u.arbitrary::<u8>()? % 4)])
    }
}

impl<'a> Arbitrary<'a> for Unit {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let first = u.arbitrary()?;
        let len = usize::from(u.arbitrary::<u16>()? % 2048);
        let count = usize::from(u.arbitrary::<u8>()?);
        let given = bytes(u, count)?;
        let rest = given.iter().chain(if given.is_empty() { &[0u8][..] } else { &[] });
        let unit: Vec<u8> = std::iter::once(&first).chain(rest.cycle()).take(len).copied().collect();
        Ok(Self(unit))
    }
}

impl<'a> Arbitrary<'a> for Op {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? % 9 {
            0 => {
                let form = u.arbitrary()?;
                let size = LengthSize::from_bytes(1 + usize::from(u.arbitrary::<u8>()? % 4));
                Self::Sequence(form, size.unwrap_or(LengthSize::Four))
            }
            1 => {
                let (form, flags) = (u.arbitrary()?, u.arbitrary()?);
                let count = u.arbitrary::<u8>()? % 12;
                Self::Frame { form, flags, units: (0..count).map(|_| u.arbitrary()).collect::<Result<_>>()? }
            }
            2 => Self::Sound(sized(u)?),
            3 => {
                let kinds = [TagKind::Audio, TagKind::Video, TagKind::Script];
                Self::Raw(kinds[usize::from(u.arbitrary::<u8>()? % 3)], sized(u)?)
            }
            4 => Self::Again { back: u.arbitrary()?, at: u.arbitrary()?, xor: u.arbitrary()? },
            5 => Self::Off,
            6 => Self::On,
            7 => Self::Rotate(u.arbitrary()?),
            _ => {
                let (flags, layout) = (u.arbitrary::<u8>()?, u.arbitrary::<u8>()?);
                let layout = [Layout::One, Layout::Many, Layout::ManyCodecs][usize::from(layout % 3)];
                let count = if layout == Layout::One { 1 } else { u.arbitrary::<u8>()? % 6 };
                let tracks = (0..count).map(|_| track(u, flags)).collect::<Result<_>>()?;
                Self::Tracks { flags, layout, tracks }
            }
        })
    }
}

fn track(u: &mut Unstructured<'_>, flags: u8) -> Result<Track> {
    let (number, codec) = (u.arbitrary()?, u.arbitrary::<u8>()?);
    if flags & 8 != 0 {
        let codec = [*b"mp4a", *b"mp4a", *b"mp4a", *b"Opus"][usize::from(codec % 4)];
        return Ok(Track { number, codec, units: Vec::new(), sound: sized(u)? });
    }
    let codec = [*b"avc1", *b"hvc1", *b"avc1", *b"av01"][usize::from(codec % 4)];
    let count = u.arbitrary::<u8>()? % 12;
    let units = (0..count).map(|_| u.arbitrary()).collect::<Result<_>>()?;
    Ok(Track { number, codec, units, sound: Vec::new() })
}

/// The body of several tracks.
pub fn tracks(flags: u8, layout: Layout, tracks: &[Track], size: LengthSize) -> (TagKind, Vec<u8>) {
    let sound = flags & 8 != 0;
    let (kind, multitrack) = if sound { (TagKind::Audio, 5) } else { (TagKind::Video, 6) };
    let first = if sound || flags & 1 != 0 { 0x90 } else { 0xa0 };
    let mut body = match flags & 4 {
        0 => vec![first | multitrack],
        _ => vec![first | 7, 2, 0, 0, 9, multitrack],
    };
    let composed = !sound && flags & 2 != 0;
    let content = if sound || composed { 1 } else { 3 };
    body.push((layout as u8) << 4 | content);
    if layout != Layout::ManyCodecs {
        body.extend_from_slice(&tracks.first().map_or(*b"avc1", |track| track.codec));
    }
    for track in tracks {
        let data = match sound {
            true => track.sound.clone(),
            false => {
                let time: &[u8] = if composed { &[0, 0, 80] } else { &[] };
                [time, &framed(&track.units, size)].concat()
            }
        };
        if layout == Layout::ManyCodecs {
            body.extend_from_slice(&track.codec);
        }
        body.push(track.number);
        if layout != Layout::One {
            body.extend_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
        }
        body.extend_from_slice(&data);
    }
    (kind, body)
}

fn framed(units: &[Unit], size: LengthSize) -> Vec<u8> {
    let mut out = Vec::new();
    for Unit(unit) in units {
        let unit = &unit[..unit.len().min(size.max_len())];
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes()[4 - size.bytes()..]);
        out.extend_from_slice(unit);
    }
    out
}

fn sized(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let len = usize::from(u.arbitrary::<u16>()?);
    bytes(u, len)
}

/// As many as there are, if that is less.
fn bytes(u: &mut Unstructured<'_>, len: usize) -> Result<Vec<u8>> {
    Ok(u.bytes(len.min(u.len()))?.to_vec())
}

impl Form {
    fn is_hevc(self) -> bool {
        matches!(self, Self::LegacyHevc | Self::Hevc)
    }

    /// The body of a sequence header.
    pub fn sequence(self, size: LengthSize) -> Vec<u8> {
        let minus_one = size.bytes() as u8 - 1;
        let config = if self.is_hevc() {
            let mut config = vec![1; 23];
            config[21] = 0x0c | minus_one;
            config
        } else {
            vec![1, 0x64, 0, 0x28, 0xfc | minus_one, 0xe0, 0]
        };
        let head = match self {
            Self::Avc => &b"\x17\0\0\0\0"[..],
            Self::LegacyHevc => b"\x1c\0\0\0\0",
            Self::Hevc => b"\x90hvc1",
            Self::ModifiedAvc => b"\x90avc1",
        };
        [head, &config].concat()
    }

    /// The body of a frame of these units.
    pub fn frame(self, flags: u8, units: &[Unit], size: LengthSize) -> Vec<u8> {
        let frame = if flags & 1 == 0 { 0x20 } else { 0x10 };
        let mut body = match (self, flags & 2 != 0) {
            (Self::Avc, _) => vec![frame | 7, 1, 0, 0, 80],
            (Self::LegacyHevc, _) => vec![frame | 12, 1, 0, 0, 80],
            (Self::Hevc, true) => [&[0x81 | frame], &b"hvc1\0\0\x50"[..]].concat(),
            (Self::Hevc, false) => [&[0x83 | frame], &b"hvc1"[..]].concat(),
            (Self::ModifiedAvc, true) => [&[0x87 | frame, 2, 0, 0, 9, 0x01], &b"avc1\0\0\x50"[..]].concat(),
            (Self::ModifiedAvc, false) => [&[0x87 | frame, 2, 0, 0, 9, 0x03], &b"avc1"[..]].concat(),
        };
        body.extend_from_slice(&framed(units, size));
        body
    }
}
