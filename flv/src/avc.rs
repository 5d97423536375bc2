//! AVC (H.264): NAL unit types and the decoder configuration record `avcC`.
//!
//! Sources: ISO/IEC 14496-15, 5.3.3.1 (`avcC`); ITU-T H.264, 7.3 and 7.4.

use bytes::{BufMut, Bytes, BytesMut};
use h264_reader::nal::sps::{SeqParameterSet, SpsError};
use h264_reader::rbsp::{BitReader, BitReaderError, ByteReader};
use media::Size;

use crate::body::{BodyError, Cursor, Problem};
use crate::nalu::{self, LengthSize};

/// What a NAL unit is: `nal_unit_type`, 0 to 31.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NalType(u8);

impl NalType {
    /// A slice of a picture that others depend on nothing before.
    pub const IDR: Self = Self(5);
    /// Supplemental enhancement information.
    pub const SEI: Self = Self(6);
    /// A sequence parameter set.
    pub const SPS: Self = Self(7);
    /// A picture parameter set.
    pub const PPS: Self = Self(8);
    /// An access unit delimiter.
    pub const AUD: Self = Self(9);

    /// The type in a NAL unit's first byte.
    pub const fn from_header(first: u8) -> Self {
        Self(first & 0x1f)
    }

    /// The type of a NAL unit; `None` for an empty one.
    pub fn of(nalu: &[u8]) -> Option<Self> {
        nalu.first().map(|first| Self::from_header(*first))
    }

    /// The number, 0 to 31.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether it holds picture data: types 1 to 5.
    pub const fn is_vcl(self) -> bool {
        matches!(self.0, 1..=5)
    }
}

/// Whether no other picture needs this frame: `nal_ref_idc` is 0 in all its
/// picture units. Such a frame can be dropped alone. `body` and `start` as for [`nalu::units`].
pub fn is_disposable(body: &[u8], start: usize, size: LengthSize) -> bool {
    let mut pictures = nalu::units(body, start, size)
        .flatten()
        .filter_map(|unit| body[unit].first())
        .filter(|first| NalType::from_header(**first).is_vcl())
        .peekable();
    pictures.peek().is_some() && pictures.all(|first| first & 0x60 == 0)
}

/// The decoder configuration record `avcC`: what an AVC sequence header carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecoderConfig {
    profile: u8,
    compatibility: u8,
    level: u8,
    length_size: LengthSize,
    sps: Vec<Bytes>,
    pps: Vec<Bytes>,
    extension: Bytes,
}

impl DecoderConfig {
    /// From parameter sets, as an encoder gives them: NAL units with their
    /// header, without start codes. Lengths will take 4 bytes.
    ///
    /// # Errors
    /// No or more than 31 SPS, more than 255 PPS, one longer than 65535 bytes,
    /// or a first SPS that cannot be read.
    pub fn from_parameter_sets(sps: Vec<Bytes>, pps: Vec<Bytes>) -> Result<Self, BodyError> {
        let first = sps.first().cloned().unwrap_or_default();
        let Some(&[_, profile, compatibility, level]) = first.first_chunk::<4>() else {
            return Err(BodyError::truncated("first SPS", 0, 4, first.len()));
        };
        check_sets("SPS", &sps, 31)?;
        check_sets("PPS", &pps, 255)?;
        let extension = if has_extension(profile) { extension_of(&first)? } else { Bytes::new() };
        Ok(Self { profile, compatibility, level, length_size: LengthSize::Four, sps, pps, extension })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Another version than 1, lengths of 3 bytes, or data that ends too early.
    pub fn parse(data: &[u8]) -> Result<Self, BodyError> {
        let mut cursor = Cursor::new(data);
        let version = cursor.u8("avcC version")?;
        if version != 1 {
            return Err(BodyError::illegal("avcC version", 0, version.into(), "1"));
        }
        let [profile, compatibility, level] = cursor.array("avcC profile and level")?;
        let length_size = length_size(cursor.u8("avcC length size")?, 4)?;
        let sps_count = cursor.u8("SPS count")? & 0x1f;
        let sps = sets(&mut cursor, "SPS", sps_count)?;
        let pps_count = cursor.u8("PPS count")?;
        let pps = sets(&mut cursor, "PPS", pps_count)?;
        // Chroma format and bit depths of the high profiles; often left out, so kept as it came.
        let extension = Bytes::copy_from_slice(cursor.take("avcC extension", cursor.remaining())?);
        Ok(Self { profile, compatibility, level, length_size, sps, pps, extension })
    }

    /// Writes the record.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_slice(&[1, self.profile, self.compatibility, self.level]);
        out.put_u8(0xfc | (self.length_size.bytes() as u8 - 1));
        out.put_u8(0xe0 | self.sps.len() as u8);
        put_sets(&mut out, &self.sps);
        out.put_u8(self.pps.len() as u8);
        put_sets(&mut out, &self.pps);
        out.put_slice(&self.extension);
        out.freeze()
    }

    /// `profile_idc`: 66 baseline, 77 main, 100 high, …
    pub fn profile(&self) -> u8 {
        self.profile
    }

    /// The constraint flags.
    pub fn compatibility(&self) -> u8 {
        self.compatibility
    }

    /// `level_idc`: ten times the level.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// How long the prefix of each NAL unit is in the frames.
    pub fn length_size(&self) -> LengthSize {
        self.length_size
    }

    /// The sequence parameter sets, at most 31.
    pub fn sps(&self) -> &[Bytes] {
        &self.sps
    }

    /// The picture parameter sets, at most 255.
    pub fn pps(&self) -> &[Bytes] {
        &self.pps
    }

    /// The size of the pictures after cropping, by the first SPS.
    ///
    /// # Errors
    /// No SPS, or one that cannot be read.
    pub fn picture_size(&self) -> Result<Size, BodyError> {
        picture_size(self.sps.first().map_or(&[], |sps| sps))
    }
}

/// The size of the pictures after cropping, by an SPS (a NAL unit with its header).
///
/// # Errors
/// An SPS that cannot be read.
pub fn picture_size(sps: &[u8]) -> Result<Size, BodyError> {
    let (width, height) = read_sps(sps)?.pixel_dimensions().map_err(|err| unreadable(why_not(&err)))?;
    if width == 0 || height == 0 {
        return Err(unreadable("its cropping leaves no picture".into()));
    }
    Ok(Size::new(width, height))
}

fn unreadable(why: String) -> BodyError {
    BodyError { field: "SPS", offset: 0, problem: Problem::Unreadable(why) }
}

fn read_sps(sps: &[u8]) -> Result<SeqParameterSet, BodyError> {
    if NalType::of(sps) != Some(NalType::SPS) {
        let got = sps.first().copied().unwrap_or(0);
        return Err(BodyError::illegal("SPS header", 0, got.into(), "NAL unit type 7"));
    }
    let bits = BitReader::new(ByteReader::skipping_h264_header(sps));
    SeqParameterSet::from_bits(bits).map_err(|err| unreadable(why_not(&err)))
}

/// The parser's error in words; it has none of its own.
fn why_not(err: &SpsError) -> String {
    match err {
        SpsError::RbspReaderError(err) => bits_ended(err),
        SpsError::BitDepthOutOfRange(got) => format!("bit_depth_minus8 is {got}: legal are 0 to 6"),
        SpsError::Log2MaxFrameNumMinus4OutOfRange(got) => {
            format!("log2_max_frame_num_minus4 is {got}: legal are 0 to 12")
        }
        SpsError::CpbCountOutOfRange(got) => format!("cpb_cnt_minus1 is {got}: legal are 0 to 31"),
        SpsError::FieldValueTooLarge { name, value } => format!("{name} is {value}, which is too large"),
        SpsError::FieldValueTooSmall { name, value } => format!("{name} is {value}, which is too small"),
        SpsError::CroppingError(_) => "its cropping leaves no picture".into(),
        SpsError::PicOrderCnt(_) => "its picture order count is damaged".into(),
        SpsError::ScalingMatrix(_) => "its scaling matrix is damaged".into(),
        SpsError::BadSeqParamSetId(_) | SpsError::UnknownSeqParamSetId(_) => {
            "its id is out of range: legal are 0 to 31".into()
        }
    }
}

/// What ended the reading of a parameter set, in words.
pub(crate) fn bits_ended(err: &BitReaderError) -> String {
    match err {
        BitReaderError::ReaderError(field, _) => format!("cut off in {field}"),
        BitReaderError::ExpGolombTooLarge(field) => format!("{field} has more than 32 bits"),
        BitReaderError::RemainingData => "something is behind its end".into(),
    }
}

/// The profiles whose record ends with chroma format and bit depths.
fn has_extension(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 144)
}

fn extension_of(sps: &[u8]) -> Result<Bytes, BodyError> {
    let chroma = read_sps(sps)?.chroma_info;
    Ok(Bytes::copy_from_slice(&[
        0xfc | (chroma.chroma_format.to_u32() as u8 & 3),
        0xf8 | (chroma.bit_depth_luma_minus8 & 7),
        0xf8 | (chroma.bit_depth_chroma_minus8 & 7),
        0,
    ]))
}

fn check_sets(field: &'static str, sets: &[Bytes], most: usize) -> Result<(), BodyError> {
    if sets.len() > most {
        let legal = if most == 31 { "at most 31" } else { "at most 255" };
        return Err(BodyError::illegal(field, 0, sets.len() as u64, legal));
    }
    match sets.iter().find(|set| set.len() > usize::from(u16::MAX)) {
        Some(set) => Err(BodyError::illegal(field, 0, set.len() as u64, "at most 65535 bytes")),
        None => Ok(()),
    }
}

/// The length size from the low two bits of a byte; `avcC` and `hvcC` share the rule.
pub(crate) fn length_size(byte: u8, offset: usize) -> Result<LengthSize, BodyError> {
    match LengthSize::from_bytes(usize::from(byte & 3) + 1) {
        Some(size) if size != LengthSize::Three => Ok(size),
        _ => Err(BodyError::illegal("NAL unit length size", offset, 3, "1, 2 or 4")),
    }
}

fn sets(cursor: &mut Cursor<'_>, field: &'static str, count: u8) -> Result<Vec<Bytes>, BodyError> {
    (0..count)
        .map(|_| {
            let len = cursor.u16(field)?;
            Ok(Bytes::copy_from_slice(cursor.take(field, len.into())?))
        })
        .collect()
}

fn put_sets(out: &mut BytesMut, sets: &[Bytes]) {
    for set in sets {
        out.put_u16(set.len() as u16);
        out.put_slice(set);
    }
}
