//! Decoder configurations: records as encoders wrote them, and round trips.

use bytes::Bytes;
use flv::aac::AudioSpecificConfig;
use flv::nalu::LengthSize;
use flv::{avc, hevc};
use media::Size;
use proptest::prelude::*;

use crate::any::hex;

// Written by ffmpeg with x264 164 and x265 3.5.
pub const HIGH_1080: &str =
    "01640028ffe1001b67640028acd940780227e5c044000003000400000300c83c60c65801000668ebe3cb22c0fdf8f800";
const BASELINE_854: &str =
    "0142c01effe100196742c01ed900d83de6f011000003000100000300320f162e4801000568cb83cb20";
const HIGH422_1278: &str =
    "017a001fffe1001b677a001fb6cd9405005beaf011000003000100000300320f18319601000668ebe3cb22c0fefafa00";
pub const HEVC_718: &str = "0101600000009000000000005df000fcfdf8f800000f03a00001001840010c01ffff0160000003009000000300\
    0003005d959809a10001002c42010101600000030090000003000003005da00280802d1f596566924caf016808000003000800000300c840\
    a2000100074401c172b46240";
const HEVC_480: &str = "0101600000009000000000005af000fcfdf8f800000f03a00001001840010c01ffff0160000003009000000300\
    0003005a959809a10001002a42010101600000030090000003000003005aa0050201e165959a4932bc05a02000000300200000030321a200\
    0100074401c172b46240";

#[test]
fn avcc_of_an_encoder() {
    for (text, profile, level, size) in [
        (HIGH_1080, 100, 40, Size::new(1920, 1080)),
        (BASELINE_854, 66, 30, Size::new(854, 480)),
        (HIGH422_1278, 122, 31, Size::new(1278, 718)),
    ] {
        let bytes = hex(text);
        let config = avc::DecoderConfig::parse(&bytes).unwrap();
        assert_eq!((config.profile(), config.level()), (profile, level));
        assert_eq!(config.length_size(), LengthSize::Four);
        assert_eq!(config.picture_size(), Ok(size));
        assert_eq!(&config.to_bytes()[..], bytes);
        // The parameter sets alone give the same record, chroma and bit depths too.
        let rebuilt = avc::DecoderConfig::from_parameter_sets(config.sps().to_vec(), config.pps().to_vec());
        assert_eq!(rebuilt, Ok(config));
    }
}

#[test]
fn hvcc_of_an_encoder() {
    for (text, size, level) in [(HEVC_718, Size::new(1280, 718), 93), (HEVC_480, Size::new(640, 480), 90)] {
        let config = hevc::DecoderConfig::parse(&hex(text)).unwrap();
        assert_eq!((config.profile, config.level, config.length_size), (1, level, LengthSize::Four));
        assert_eq!(config.picture_size(), Ok(size));
        let kinds: Vec<_> = config.arrays.iter().map(|array| array.kind).collect();
        assert_eq!(kinds, [hevc::NalType::VPS, hevc::NalType::SPS, hevc::NalType::PPS]);
        let vps = config.units(hevc::NalType::VPS).next().unwrap();
        assert_eq!(hevc::NalType::of(vps), Some(hevc::NalType::VPS));
    }
}

#[test]
fn hvcc_from_parameter_sets_is_the_encoders_but_for_its_word_that_no_more_come() {
    for text in [HEVC_718, HEVC_480] {
        let record = hex(text);
        let config = hevc::DecoderConfig::parse(&record).unwrap();
        let units = |kind| config.units(kind).cloned().collect::<Vec<_>>();
        let [vps, sps, pps] = [hevc::NalType::VPS, hevc::NalType::SPS, hevc::NalType::PPS].map(units);
        let written = hevc::config_of(&vps, &sps, &pps).unwrap();
        assert_eq!(hevc::DecoderConfig::parse(&written).unwrap(), config);
        let differ: Vec<_> =
            record.iter().zip(&written).filter(|(a, b)| a != b).map(|(a, b)| a ^ b).collect();
        assert_eq!((record.len(), differ), (written.len(), vec![0x80; 3]));
        for cut in 0..sps[0].len() - 1 {
            // Whatever it says, it says it without a panic.
            let _ = hevc::config_of(&vps, &[sps[0].slice(..cut)], &pps);
        }
        assert!(hevc::config_of(&vps, &[], &pps).is_err());
        assert!(hevc::config_of(&vps, &sps, &vec![pps[0].clone(); 256]).is_err());
    }
}

#[test]
fn a_record_cut_anywhere_is_an_error_within_it() {
    // The baseline record has no extension, which would be optional.
    let bytes = hex(BASELINE_854);
    for len in 0..bytes.len() {
        assert!(avc::DecoderConfig::parse(&bytes[..len]).unwrap_err().offset <= len, "{len}");
    }
    let bytes = hex(HEVC_718);
    for len in 0..bytes.len() {
        assert!(hevc::DecoderConfig::parse(&bytes[..len]).unwrap_err().offset <= len, "{len}");
    }
}

#[test]
fn what_a_record_cannot_hold_is_refused() {
    let sps = Bytes::from(hex("6742c01ed900d83de6f011000003000100000300320f162e48"));
    let build = |sps, pps| avc::DecoderConfig::from_parameter_sets(sps, pps).unwrap_err().to_string();
    let mut said = vec![
        build(vec![], vec![]),
        build(vec![sps.clone(); 32], vec![]),
        build(vec![sps.clone()], vec![sps.clone(); 256]),
        build(vec![sps.clone()], vec![vec![0; 65_536].into()]),
    ];
    said.push(avc::DecoderConfig::parse(&hex("01 640028 fe e0 00")).unwrap_err().to_string());
    said.push(avc::DecoderConfig::parse(&hex("02 640028 ff e0 00")).unwrap_err().to_string());
    said.push(avc::picture_size(&hex("6842")).unwrap_err().to_string());
    said.push(hevc::picture_size(&hex("4042")).unwrap_err().to_string());
    insta::assert_snapshot!(said.join("\n"), @r"
    first SPS at byte 0: cut off after 0 of 4 bytes
    SPS at byte 0: 32 is not legal: at most 31
    PPS at byte 0: 256 is not legal: at most 255
    PPS at byte 0: 65536 is not legal: at most 65535 bytes
    NAL unit length size at byte 4: 3 is not legal: 1, 2 or 4
    avcC version at byte 0: 2 is not legal: 1
    SPS header at byte 0: 104 is not legal: NAL unit type 7
    SPS header at byte 0: 64 is not legal: NAL unit type 33
    ");
}

#[test]
fn frames_that_nobody_needs() {
    let frame = |units: &[u8]| units.iter().flat_map(|head| [0, 2, *head, 0x80]).collect::<Vec<u8>>();
    let two = LengthSize::Two;
    for (units, disposable) in [
        (&[0x01][..], true),
        (&[0x06, 0x01, 0x01], true),
        (&[0x01, 0x41], false),
        (&[0x65], false),
        (&[0x06], false),
    ] {
        assert_eq!(avc::is_disposable(&frame(units), 0, two), disposable, "{units:02x?}");
    }
    // Trailing pictures that are not (0) and are (1) referred to; an IDR (19).
    for (units, disposable) in
        [(&[0x00][..], true), (&[0x4e, 0x00], true), (&[0x00, 0x02], false), (&[0x26], false), (&[], false)]
    {
        assert_eq!(hevc::is_disposable(&frame(units), 0, two), disposable, "{units:02x?}");
    }
}

#[test]
fn nal_types() {
    let vcl: Vec<u8> =
        (0..=255).filter(|first| avc::NalType::from_header(*first).is_vcl()).map(|b| b & 31).collect();
    assert!(vcl.iter().all(|kind| (1..=5).contains(kind)));
    assert_eq!(vcl.len(), 5 * 8);
    assert_eq!(avc::NalType::from_header(0x65), avc::NalType::IDR);
    assert_eq!(hevc::NalType::from_header(0x4e), hevc::NalType::PREFIX_SEI);
    assert!(hevc::NalType::from_header(0x3e).is_vcl() && !hevc::NalType::from_header(0x40).is_vcl());
    assert!(hevc::NalType::from_header(0x26).is_random_access());
    assert_eq!(hevc::NalType::of(&[]), None);
}

#[test]
fn known_audio_configs() {
    for (text, object_type, rate, channels) in [
        ("1210", 2, 44_100, 2),
        ("1190", 2, 48_000, 2),
        // ffmpeg's, with a backward compatible extension behind.
        ("118856e500", 2, 48_000, 1),
        ("1588", 2, 8_000, 1),
        // A rate of 12345 Hz.
        ("1780181c8800", 2, 12_345, 1),
    ] {
        let config = AudioSpecificConfig::parse(&hex(text)).unwrap();
        let found = (config.object_type(), config.rate(), config.channels());
        assert_eq!(found, (object_type, rate, Some(channels)), "{text}");
        assert_eq!(AudioSpecificConfig::new(object_type, rate, channels), Ok(config));
        let written = config.to_bytes();
        assert_eq!(AudioSpecificConfig::parse(&written), Ok(config));
        let same = written.len().min(text.len() / 2);
        assert_eq!(written[..same], hex(text)[..same], "{text}");
    }
    // HE-AAC: 24 kHz core, 48 kHz heard.
    let he = AudioSpecificConfig::parse(&hex("2b118800")).unwrap();
    assert_eq!((he.object_type(), he.core_rate(), he.rate(), he.channels()), (2, 24_000, 48_000, Some(2)));
    assert_eq!(&he.to_bytes()[..], hex("2b118800"));
    for text in ["", "12", "17", "1f80", "178000", "0210", "1690"] {
        assert!(AudioSpecificConfig::parse(&hex(text)).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn avcc_round_trips(
        head in any::<[u8; 3]>(),
        size in prop::sample::select(vec![0u8, 1, 3]),
        sps in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..=31),
        pps in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..=255),
        extension in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut bytes = vec![1, head[0], head[1], head[2], 0xfc | size, 0xe0 | sps.len() as u8];
        for (at, set) in sps.iter().chain(&pps).enumerate() {
            if at == sps.len() {
                bytes.push(pps.len() as u8);
            }
            bytes.extend_from_slice(&(set.len() as u16).to_be_bytes());
            bytes.extend_from_slice(set);
        }
        if pps.is_empty() {
            bytes.push(0);
        }
        bytes.extend_from_slice(&extension);
        let config = avc::DecoderConfig::parse(&bytes).unwrap();
        prop_assert_eq!(config.length_size().bytes(), usize::from(size) + 1);
        prop_assert!(config.sps().iter().zip(&sps).all(|(a, b)| a == b));
        prop_assert!(config.pps().iter().zip(&pps).all(|(a, b)| a == b));
        prop_assert_eq!(&config.to_bytes()[..], bytes);
    }

    #[test]
    fn audio_configs_round_trip(object_type in 1u8..=95, rate in prop_oneof![1u32..1 << 24, Just(44_100), Just(48_000)], channels in 1u8..=8) {
        prop_assume!(!matches!(object_type, 5 | 29 | 31) && channels != 7);
        let config = AudioSpecificConfig::new(object_type, rate, channels).unwrap();
        prop_assert_eq!(AudioSpecificConfig::parse(&config.to_bytes()), Ok(config));
        prop_assert_eq!((config.rate(), config.channels()), (rate, Some(channels)));
    }
}
