//! HEVC (H.265): NAL unit types, the decoder configuration record `hvcC`, and the picture size.
//!
//! Sources: ISO/IEC 14496-15, 8.3.3.1 (`hvcC`); ITU-T H.265, 7.3.2.2 and 7.4.2.2.

use std::num::NonZeroUsize;

use bytes::{BufMut, Bytes, BytesMut};
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};
use media::Size;

use crate::avc::length_size;
use crate::body::{BodyError, Cursor, Problem};
use crate::nalu::{self, LengthSize};

/// What a NAL unit is: `nal_unit_type`, 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NalType(u8);

impl NalType {
    /// A video parameter set.
    pub const VPS: Self = Self(32);
    /// A sequence parameter set.
    pub const SPS: Self = Self(33);
    /// A picture parameter set.
    pub const PPS: Self = Self(34);
    /// An access unit delimiter.
    pub const AUD: Self = Self(35);
    /// Supplemental enhancement information, before the picture.
    pub const PREFIX_SEI: Self = Self(39);
    /// Supplemental enhancement information, behind the picture.
    pub const SUFFIX_SEI: Self = Self(40);

    /// The type in a NAL unit's first byte.
    pub const fn from_header(first: u8) -> Self {
        Self((first >> 1) & 0x3f)
    }

    /// The type of a NAL unit; `None` for an empty one.
    pub fn of(nalu: &[u8]) -> Option<Self> {
        nalu.first().map(|first| Self::from_header(*first))
    }

    /// The number, 0 to 63.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether it holds picture data: types 0 to 31.
    pub const fn is_vcl(self) -> bool {
        self.0 <= 31
    }

    /// Whether its picture may start decoding: types 16 to 23.
    pub const fn is_random_access(self) -> bool {
        matches!(self.0, 16..=23)
    }
}

/// The most units in a record, all arrays together.
const MAX_UNITS: usize = 1024;

/// Whether no other picture needs this frame: all its picture units are
/// sub-layer non-reference pictures (even types up to 14). `body` and `start` as for [`nalu::units`].
pub fn is_disposable(body: &[u8], start: usize, size: LengthSize) -> bool {
    let mut pictures = nalu::units(body, start, size)
        .flatten()
        .filter_map(|unit| NalType::of(&body[unit]))
        .filter(|kind| kind.is_vcl())
        .peekable();
    pictures.peek().is_some() && pictures.all(|kind| kind.number() <= 14 && kind.number().is_multiple_of(2))
}

/// One array of parameter sets in an `hvcC`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NalArray {
    /// What its units are.
    pub kind: NalType,
    /// The units, with their headers.
    pub units: Vec<Bytes>,
}

/// The decoder configuration record `hvcC`: what an HEVC sequence header carries. To write one,
/// see [`config_of`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecoderConfig {
    /// `general_profile_idc`: 1 main, 2 main 10, …
    pub profile: u8,
    /// `general_level_idc`: thirty times the level.
    pub level: u8,
    /// How long the prefix of each NAL unit is in the frames.
    pub length_size: LengthSize,
    /// VPS, SPS, PPS and perhaps SEI.
    pub arrays: Vec<NalArray>,
}

impl DecoderConfig {
    /// Reads a record.
    ///
    /// # Errors
    /// Another version than 1 (or 0, which old writers put), lengths of 3 bytes,
    /// more than 1024 units, or data that ends too early.
    pub fn parse(data: &[u8]) -> Result<Self, BodyError> {
        let mut cursor = Cursor::new(data);
        let version = cursor.u8("hvcC version")?;
        if version > 1 {
            return Err(BodyError::illegal("hvcC version", 0, version.into(), "1"));
        }
        let profile = cursor.u8("hvcC profile")? & 0x1f;
        cursor.take("hvcC compatibility and constraints", 10)?;
        let level = cursor.u8("hvcC level")?;
        cursor.take("hvcC formats", 8)?;
        let length_size = length_size(cursor.u8("hvcC length size")?, 21)?;
        let count = cursor.u8("hvcC array count")?;
        let mut arrays = Vec::new();
        let mut total = 0;
        for _ in 0..count {
            let kind = NalType(cursor.u8("hvcC array type")? & 0x3f);
            let mut units = Vec::new();
            for _ in 0..cursor.u16("hvcC unit count")? {
                total += 1;
                if total > MAX_UNITS {
                    let offset = cursor.offset();
                    return Err(BodyError::illegal("hvcC units", offset, total as u64, "at most 1024"));
                }
                let len = cursor.u16("hvcC unit length")?;
                units.push(Bytes::copy_from_slice(cursor.take("hvcC unit", len.into())?));
            }
            arrays.push(NalArray { kind, units });
        }
        Ok(Self { profile, level, length_size, arrays })
    }

    /// The units of one kind.
    pub fn units(&self, kind: NalType) -> impl Iterator<Item = &Bytes> {
        self.arrays.iter().filter(move |array| array.kind == kind).flat_map(|array| &array.units)
    }

    /// The size of the pictures after cropping, by the first SPS.
    ///
    /// # Errors
    /// No SPS, or one that cannot be read.
    pub fn picture_size(&self) -> Result<Size, BodyError> {
        picture_size(self.units(NalType::SPS).next().map_or(&[], |sps| sps))
    }
}

/// The `hvcC` of parameter sets as they stand in a stream: NAL units with their headers, without
/// start codes. Lengths will take 4 bytes; more of the same kind may come in the stream.
///
/// # Errors
/// No SPS or one that cannot be read, more than 255 of a kind, or one longer than 65535 bytes.
pub fn config_of(vps: &[Bytes], sps: &[Bytes], pps: &[Bytes]) -> Result<Bytes, BodyError> {
    let first = sps.first().cloned().unwrap_or_default();
    picture_size(&first)?;
    let unreadable = |why: String| BodyError { field: "SPS", offset: 0, problem: Problem::Unreadable(why) };
    let formats = read_formats(&first).map_err(|err| unreadable(format!("{err:?}")))?;
    let mut out = BytesMut::with_capacity(23 + 64);
    out.put_u8(1);
    out.put_slice(&formats.profile_and_level);
    // No word on segmentation and parallelism; frame rate unknown.
    out.put_slice(&[
        0xf0,
        0,
        0xfc,
        0xfc | formats.chroma,
        0xf8 | formats.luma_bits,
        0xf8 | formats.chroma_bits,
        0,
        0,
    ]);
    out.put_u8((formats.sub_layers + 1) << 3 | formats.nesting << 2 | (LengthSize::Four.bytes() as u8 - 1));
    let arrays = [(NalType::VPS, vps), (NalType::SPS, sps), (NalType::PPS, pps)];
    out.put_u8(arrays.iter().filter(|(_, units)| !units.is_empty()).count() as u8);
    for (kind, units) in arrays.into_iter().filter(|(_, units)| !units.is_empty()) {
        out.put_u8(kind.number());
        let count = u8::try_from(units.len())
            .map_err(|_| BodyError::illegal("hvcC unit count", out.len(), units.len() as u64, "up to 255"))?;
        out.put_u16(count.into());
        for unit in units {
            let len = u16::try_from(unit.len()).map_err(|_| {
                BodyError::illegal("hvcC unit length", out.len(), unit.len() as u64, "up to 65535")
            })?;
            out.put_u16(len);
            out.put_slice(unit);
        }
    }
    Ok(out.freeze())
}

/// What an `hvcC` repeats of an SPS.
struct Formats {
    profile_and_level: [u8; 12],
    sub_layers: u8,
    nesting: u8,
    chroma: u8,
    luma_bits: u8,
    chroma_bits: u8,
}

/// H.265, 7.3.2.2.1, as far as the bit depths.
fn read_formats(sps: &[u8]) -> Result<Formats, BitReaderError> {
    let mut bits = BitReader::new(ByteReader::skipping_bytes(sps, HEADER));
    bits.skip(4, "sps_video_parameter_set_id")?;
    let sub_layers = bits.read::<3, u8>("sps_max_sub_layers_minus1")?;
    let nesting = u8::from(bits.read_bit("sps_temporal_id_nesting_flag")?);
    let mut profile_and_level = [0; 12];
    for byte in &mut profile_and_level {
        *byte = bits.read::<8, u8>("general profile and level")?;
    }
    skip_sub_layers(&mut bits, sub_layers)?;
    bits.read_ue("sps_seq_parameter_set_id")?;
    let chroma = bits.read_ue("chroma_format_idc")?;
    if chroma == 3 {
        bits.skip(1, "separate_colour_plane_flag")?;
    }
    bits.read_ue("pic_width_in_luma_samples")?;
    bits.read_ue("pic_height_in_luma_samples")?;
    if bits.read_bit("conformance_window_flag")? {
        for _ in 0..4 {
            bits.read_ue("conformance window")?;
        }
    }
    let luma = bits.read_ue("bit_depth_luma_minus8")?;
    let of_chroma = bits.read_ue("bit_depth_chroma_minus8")?;
    let small = |value: u32, most: u8| u8::try_from(value).unwrap_or(most).min(most);
    Ok(Formats {
        profile_and_level,
        sub_layers,
        nesting,
        chroma: small(chroma, 3),
        luma_bits: small(luma, 7),
        chroma_bits: small(of_chroma, 7),
    })
}

/// H.265, 7.3.3, behind the general profile and level.
fn skip_sub_layers<R: BitRead>(bits: &mut R, sub_layers: u8) -> Result<(), BitReaderError> {
    let mut present = [(false, false); 8];
    for sub_layer in present.iter_mut().take(sub_layers.into()) {
        *sub_layer = (bits.read_bit("sub_layer_profile_present")?, bits.read_bit("sub_layer_level_present")?);
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - u32::from(sub_layers)), "reserved_zero_2bits")?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 }, "sub-layer profile and level")?;
    }
    Ok(())
}

/// The size of the pictures after cropping, by an SPS (a NAL unit with its header).
///
/// # Errors
/// An SPS that cannot be read.
pub fn picture_size(sps: &[u8]) -> Result<Size, BodyError> {
    if NalType::of(sps) != Some(NalType::SPS) {
        let got = sps.first().copied().unwrap_or(0);
        return Err(BodyError::illegal("SPS header", 0, got.into(), "NAL unit type 33"));
    }
    let unreadable = |why| BodyError { field: "SPS", offset: 0, problem: Problem::Unreadable(why) };
    let size = read_size(sps).map_err(|err| unreadable(crate::avc::bits_ended(&err)))?;
    size.ok_or_else(|| unreadable("its cropping leaves no picture".into()))
}

const HEADER: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not zero");

/// H.265, 7.3.2.2.1, as far as the conformance window.
fn read_size(sps: &[u8]) -> Result<Option<Size>, BitReaderError> {
    let mut bits = BitReader::new(ByteReader::skipping_bytes(sps, HEADER));
    bits.skip(4, "sps_video_parameter_set_id")?;
    let sub_layers = bits.read::<3, u8>("sps_max_sub_layers_minus1")?;
    bits.skip(1, "sps_temporal_id_nesting_flag")?;
    bits.skip(88, "general profile")?;
    bits.skip(8, "general_level_idc")?;
    skip_sub_layers(&mut bits, sub_layers)?;
    bits.read_ue("sps_seq_parameter_set_id")?;
    let chroma = bits.read_ue("chroma_format_idc")?;
    if chroma == 3 {
        bits.skip(1, "separate_colour_plane_flag")?;
    }
    let (unit_x, unit_y) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let width = bits.read_ue("pic_width_in_luma_samples")?;
    let height = bits.read_ue("pic_height_in_luma_samples")?;
    if !bits.read_bit("conformance_window_flag")? {
        return Ok(cropped(width, height, 0, 0));
    }
    let left = bits.read_ue("conf_win_left_offset")?;
    let right = bits.read_ue("conf_win_right_offset")?;
    let top = bits.read_ue("conf_win_top_offset")?;
    let bottom = bits.read_ue("conf_win_bottom_offset")?;
    let across = (u64::from(left) + u64::from(right)) * unit_x;
    let down = (u64::from(top) + u64::from(bottom)) * unit_y;
    Ok(cropped(width, height, across, down))
}

fn cropped(width: u32, height: u32, across: u64, down: u64) -> Option<Size> {
    let width = u64::from(width).checked_sub(across).filter(|width| *width > 0)?;
    let height = u64::from(height).checked_sub(down).filter(|height| *height > 0)?;
    Some(Size::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?))
}
