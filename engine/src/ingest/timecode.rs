//! Hours, minutes, seconds and frames that an encoder writes beside its pictures: AVC's `pic_timing`
//! (H.264, D.1.3) and HEVC's `time_code` (H.265, D.2.27), in SEI messages.
//!
//! Only where a second begins is it read, at frame 0: so nothing must be known of how frames are
//! counted, and drop-frame counting, which leaves out numbers, does not matter. The day is not
//! told: such times are compared by their place in it.

use flv::nalu::{self, LengthSize};
use flv::{avc, hevc};
use h264_reader::nal::sei::pic_timing::{PicTiming, SecMinHour};
use h264_reader::nal::sei::{HeaderType, SeiReader};
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};
use media::{Span, VideoCodec, VideoParams};
use std::num::NonZeroUsize;

/// What stands before a picture's slices is looked at no further.
const HEAD: usize = 4096;
/// HEVC's number of a `time_code` message.
const TIME_CODE: u32 = 136;
const HEVC_HEADER: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not zero");

/// Reads the time codes of one stream.
#[derive(Debug, Default)]
pub(crate) struct TimeCodes {
    coding: Coding,
    /// How units are told apart: by their lengths, or by start codes.
    lengths: Option<LengthSize>,
    /// What says how AVC's messages are laid out.
    sps: Option<SeqParameterSet>,
    scratch: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Avc,
    Hevc,
    /// One that has none.
    #[default]
    Other,
}

impl TimeCodes {
    /// Of a stream that is this.
    pub(crate) fn of(params: &VideoParams) -> Self {
        let mut codes = Self::default();
        match params.codec {
            VideoCodec::Avc => {
                codes.coding = Coding::Avc;
                if let Ok(config) = avc::DecoderConfig::parse(&params.config) {
                    codes.lengths = Some(config.length_size());
                    codes.sps = config.sps().first().and_then(|sps| read_sps(sps));
                }
            }
            VideoCodec::Hevc => {
                codes.coding = Coding::Hevc;
                codes.lengths =
                    hevc::DecoderConfig::parse(&params.config).ok().map(|config| config.length_size);
            }
            _ => {}
        }
        codes
    }

    /// The time of day in a picture, where its second begins.
    pub(crate) fn in_picture(&mut self, data: &[u8]) -> Option<Span> {
        if self.coding == Coding::Other {
            return None;
        }
        let head = data.get(..HEAD).unwrap_or(data);
        match self.lengths {
            Some(size) => {
                nalu::units(head, 0, size).map_while(Result::ok).find_map(|unit| self.in_unit(&head[unit]))
            }
            None => nalu::annex_b(head).find_map(|unit| self.in_unit(unit)),
        }
    }

    fn in_unit(&mut self, unit: &[u8]) -> Option<Span> {
        match self.coding {
            Coding::Avc => match avc::NalType::of(unit)? {
                avc::NalType::SPS => {
                    self.sps = read_sps(unit);
                    None
                }
                avc::NalType::SEI => {
                    let sps = self.sps.as_ref()?;
                    let mut messages =
                        SeiReader::from_rbsp_bytes(ByteReader::skipping_h264_header(unit), &mut self.scratch);
                    while let Some(message) = messages.next().ok()? {
                        if message.payload_type == HeaderType::PicTiming {
                            return in_pic_timing(&PicTiming::read(sps, &message).ok()?);
                        }
                    }
                    None
                }
                _ => None,
            },
            Coding::Hevc if hevc::NalType::of(unit)? == hevc::NalType::PREFIX_SEI => {
                let rbsp = ByteReader::skipping_bytes(unit, HEVC_HEADER);
                let mut messages = SeiReader::from_rbsp_bytes(rbsp, &mut self.scratch);
                while let Some(message) = messages.next().ok()? {
                    if message.payload_type == HeaderType::ReservedSeiMessage(TIME_CODE) {
                        return in_time_code(message.payload).ok()?;
                    }
                }
                None
            }
            Coding::Hevc | Coding::Other => None,
        }
    }
}

fn read_sps(unit: &[u8]) -> Option<SeqParameterSet> {
    SeqParameterSet::from_bits(BitReader::new(ByteReader::skipping_h264_header(unit))).ok()
}

fn in_pic_timing(timing: &PicTiming) -> Option<Span> {
    let first = timing.pic_struct.as_ref()?.clock_timestamps.first()?.as_ref()?;
    match first.smh {
        SecMinHour::SMH(seconds, minutes, hours) if first.n_frames == 0 => {
            time_of_day(hours, minutes, seconds)
        }
        _ => None,
    }
}

fn in_time_code(payload: &[u8]) -> Result<Option<Span>, BitReaderError> {
    let mut bits = BitReader::new(payload);
    let count = bits.read::<2, u8>("num_clock_ts")?;
    if count == 0 || !bits.read_bit("clock_timestamp_flag")? {
        return Ok(None);
    }
    bits.skip(1, "units_field_based_flag")?;
    bits.skip(5, "counting_type")?;
    let is_full = bits.read_bit("full_timestamp_flag")?;
    bits.skip(2, "discontinuity_flag, cnt_dropped_flag")?;
    let frames = bits.read::<9, u16>("n_frames")?;
    // Each part comes only where the one before does.
    let has = |bits: &mut BitReader<&[u8]>, field| if is_full { Ok(true) } else { bits.read_bit(field) };
    if !has(&mut bits, "seconds_flag")? {
        return Ok(None);
    }
    let seconds = bits.read::<6, u8>("seconds_value")?;
    if !has(&mut bits, "minutes_flag")? {
        return Ok(None);
    }
    let minutes = bits.read::<6, u8>("minutes_value")?;
    if !has(&mut bits, "hours_flag")? {
        return Ok(None);
    }
    let hours = bits.read::<5, u8>("hours_value")?;
    Ok(time_of_day(hours, minutes, seconds).filter(|_| frames == 0))
}

/// Nothing that is no time of a day.
fn time_of_day(hours: u8, minutes: u8, seconds: u8) -> Option<Span> {
    let is_legal = hours < 24 && minutes < 60 && seconds < 60;
    let seconds = (i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    is_legal.then(|| Span::from_secs(seconds))
}

/// An HEVC picture's time code as an encoder writes it, behind a start code.
#[cfg(test)]
pub(crate) fn written(hours: u8, minutes: u8, seconds: u8, frames: u16) -> Vec<u8> {
    // One clock time stamp, full, of frames counted without dropping.
    let fields = [
        (2, 1),
        (1, 1),
        (1, 0),
        (5, 0),
        (1, 1),
        (2, 0),
        (9, u64::from(frames)),
        (6, u64::from(seconds)),
        (6, u64::from(minutes)),
        (5, u64::from(hours)),
        (5, 0),
        (5, 1 << 4),
    ];
    let (bits, len) = fields.iter().fold((0u64, 0), |(all, len), (n, value)| (all << n | value, len + n));
    let bytes = (bits << (64 - len)).to_be_bytes();
    let payload = &bytes[..6];
    // Where zeros stand behind one another a start code could be seen.
    let mut unit = vec![0x4e, 0x01, 136, payload.len() as u8];
    let mut zeros = 0;
    for &byte in payload.iter().chain(&[0x80]) {
        if zeros == 2 && byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        unit.push(byte);
    }
    [&[0, 0, 1][..], &unit].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn hevc() -> TimeCodes {
        TimeCodes::of(&VideoParams { codec: VideoCodec::Hevc, size: None, config: Bytes::new() })
    }

    #[test]
    fn a_time_code_is_read_where_a_second_begins() {
        let read = |h, m, s, f| hevc().in_picture(&[written(h, m, s, f), vec![0, 0, 1, 0x26, 1, 9]].concat());
        assert_eq!(read(23, 59, 58, 0), Some(Span::from_secs(86_398)));
        assert_eq!(read(0, 0, 0, 0), Some(Span::ZERO));
        assert_eq!([read(1, 2, 3, 1), read(1, 2, 60, 0), read(24, 0, 0, 0), read(1, 61, 0, 0)], [None; 4]);
    }

    /// Bits in the order in which they are written.
    fn bytes(fields: &[(u32, u32)]) -> Vec<u8> {
        let bits: Vec<bool> = fields
            .iter()
            .flat_map(|&(n, value)| (0..n).rev().map(move |bit| value >> bit & 1 == 1))
            .collect();
        bits.chunks(8)
            .map(|byte| byte.iter().enumerate().map(|(n, &bit)| u8::from(bit) << (7 - n)).sum())
            .collect()
    }

    #[test]
    fn avcs_messages_are_laid_out_as_its_sps_says() {
        // Baseline, 16x16, with a VUI that has nothing but picture structures.
        let ue0 = (1, 1);
        let sps = [
            (8, 0x67),
            (8, 66),
            (8, 0),
            (8, 30),
            ue0,
            ue0,
            ue0,
            ue0,
            ue0,
            (1, 0),
            ue0,
            ue0,
            (1, 1),
            (1, 1),
            (1, 0),
            (1, 1),
            (1, 0),
            (1, 0),
            (1, 0),
            (1, 0),
            (1, 0),
            (1, 0),
            (1, 0),
            (1, 1),
            (1, 0),
            (1, 1),
            (7, 0),
        ];
        let sps = bytes(&sps);
        // A frame, whose time stamp is full and has the 24 bits of offset that are the rule.
        let timing = [
            (8, 6),
            (8, 1),
            (8, 9),
            (4, 0),
            (1, 1),
            (2, 0),
            (1, 0),
            (5, 0),
            (1, 1),
            (2, 0),
            (8, 0),
            (6, 7),
            (6, 8),
            (5, 9),
            (24, 0x01_0101),
            (1, 1),
            (7, 0),
            (8, 0x80),
        ];
        let sei = bytes(&timing);
        let picture = [&[0, 0, 1][..], &sps, &[0, 0, 1], &sei, &[0, 0, 1, 0x65, 9]].concat();
        let mut codes =
            TimeCodes::of(&VideoParams { codec: VideoCodec::Avc, size: None, config: Bytes::new() });
        let nine = Some(Span::from_secs(9 * 3600 + 8 * 60 + 7));
        assert_eq!(codes.in_picture(&picture[sps.len() + 3..]), None, "nothing says how it is laid out");
        assert_eq!(codes.in_picture(&picture), nine);
        // The sets stay in force; and by their lengths.
        assert_eq!(codes.in_picture(&picture[sps.len() + 3..]), nine);
        codes.lengths = Some(LengthSize::Four);
        let unit = [&(sei.len() as u32).to_be_bytes()[..], &sei, &[0, 0, 9, 9, 0x65]].concat();
        assert_eq!(codes.in_picture(&unit), nine);
    }

    proptest! {
        #[test]
        fn nothing_in_a_picture_panics(data in prop::collection::vec(any::<u8>(), 0..60), avc in any::<bool>()) {
            let codec = if avc { VideoCodec::Avc } else { VideoCodec::Hevc };
            let mut codes = TimeCodes::of(&VideoParams { codec, size: None, config: data.clone().into() });
            let _ = codes.in_picture(&data);
            let head: &[u8] = if avc { &[0, 0, 1, 6, 1] } else { &[0, 0, 1, 0x4e, 1, 136] };
            let _ = codes.in_picture(&[head, &data].concat());
        }
    }
}
