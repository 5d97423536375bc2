//! No bytes make a parser panic, and no error points outside its input.

use bytes::Bytes;
use flv::aac::AudioSpecificConfig;
use flv::audio::AudioHeader;
use flv::script::{Metadata, Script};
use flv::summary::Summary;
use flv::video::VideoHeader;
use flv::{BodyError, FlvMillis, Tag, TagReader, amf0, avc, hevc};
use proptest::prelude::*;

use crate::any::{self, hex};

/// Anything, but often near what a parser wants to see.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let low = prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 5, 8, 9, 10, 12, 255]), 0..200);
    let lead = prop::sample::select(vec![
        hex("17 00 000000 01640028 ff e1 0019 67"),
        hex("90 68766331"),
        hex("97"),
        hex("96 10 61766331"),
        hex("af 00"),
        hex("95 11"),
        hex("02 000a 6f6e4d65746144617461 08 00000001"),
        hex("01 640028 ff e1 0020 67 640028"),
        hex("67 640028"),
        hex("42 01 01 60000000 90000000 0000 5d"),
        vec![],
    ]);
    (lead, prop_oneof![prop::collection::vec(any::<u8>(), 0..300), low])
        .prop_map(|(lead, rest)| [lead, rest].concat())
}

fn inside<T>(result: Result<T, BodyError>, data: &[u8]) -> Result<(), TestCaseError> {
    if let Err(err) = result {
        prop_assert!(err.offset <= data.len(), "{err}");
    }
    Ok(())
}

/// A good record with some bytes overwritten.
fn damaged(text: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let good = hex(text);
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8).prop_map(move |hits| {
        let mut data = good.clone();
        for (at, byte) in hits {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_parser_bears_it(data in bytes(), kind in any::kind()) {
        let video = VideoHeader::parse(&data);
        if let Ok(header) = &video {
            prop_assert!(header.payload_offset <= data.len());
            for part in header.tracks(&data).flatten() {
                prop_assert!(data.get(part.data).is_some());
            }
        }
        inside(video, &data)?;
        let audio = AudioHeader::parse(&data);
        if let Ok(header) = &audio {
            prop_assert!(header.payload_offset <= data.len());
            for part in header.tracks(&data).flatten() {
                prop_assert!(data.get(part.data).is_some());
            }
        }
        inside(audio, &data)?;
        inside(amf0::decode(&data), &data)?;
        inside(amf0::decode_all(&data), &data)?;
        inside(Script::parse(&data), &data)?;
        inside(Metadata::parse(&data), &data)?;
        inside(AudioSpecificConfig::parse(&data), &data)?;
        inside(avc::DecoderConfig::parse(&data), &data)?;
        inside(avc::picture_size(&data), &data)?;
        inside(hevc::DecoderConfig::parse(&data), &data)?;
        inside(hevc::picture_size(&data), &data)?;
        let mut summary = Summary::new();
        summary.push(&Tag::new(kind, FlvMillis(0), Bytes::from(data)).unwrap());
    }

    #[test]
    fn damaged_records_are_borne(avcc in damaged(crate::configs::HIGH_1080), hvcc in damaged(crate::configs::HEVC_718)) {
        if let Ok(config) = avc::DecoderConfig::parse(&avcc) {
            let _ = config.picture_size();
            let _ = avc::DecoderConfig::from_parameter_sets(config.sps().to_vec(), config.pps().to_vec());
        }
        if let Ok(config) = hevc::DecoderConfig::parse(&hvcc) {
            let _ = config.picture_size();
        }
    }

    #[test]
    fn the_reader_bears_it(data in bytes(), cuts in prop::collection::vec(any::<usize>(), 0..5), limit in 0usize..300) {
        let mut reader = TagReader::new().with_body_limit(limit);
        any::read_all(&mut reader, &any::split(&data, &cuts));
        let _ = reader.finish();
        while reader.buffered() > 0 {
            let before = reader.offset();
            reader.recover();
            any::read_all(&mut reader, &[&[]]);
            prop_assert!(reader.offset() > before || reader.buffered() > 0);
        }
        let mut reader = TagReader::without_file_header();
        any::read_all(&mut reader, &any::split(&data, &cuts));
        let _ = reader.finish();
    }
}
