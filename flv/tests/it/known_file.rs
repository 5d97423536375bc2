//! A file another muxer wrote.

use flv::script::Metadata;
use flv::summary::Summary;
use flv::video::{VideoHeader, VideoPacket};
use flv::{TagKind, TagReader, avc, nalu};

use crate::any::{self, BARS};

#[test]
fn it_is_written_back_byte_for_byte() {
    let mut reader = TagReader::new();
    let tags = any::only_tags(any::read_all(&mut reader, &[BARS]));
    assert_eq!(any::file_of(&tags), BARS);
}

#[test]
fn its_metadata_is_written_back_byte_for_byte_up_to_order() {
    let tags = any::only_tags(any::read_all(&mut TagReader::new(), &[BARS]));
    let metadata = Metadata::parse(tags[0].body()).unwrap().unwrap();
    let again = metadata.to_tag(tags[0].timestamp).unwrap();
    assert_eq!(again.body().len(), tags[0].body().len());
    assert_eq!(Metadata::parse(again.body()).unwrap(), Some(metadata));
}

#[test]
fn its_frames_hold_whole_nal_units() {
    let mut size = None;
    let mut pictures = 0;
    for tag in any::only_tags(any::read_all(&mut TagReader::new(), &[BARS])) {
        if tag.kind != TagKind::Video {
            continue;
        }
        let header = VideoHeader::parse(tag.body()).unwrap();
        match header.packet {
            VideoPacket::SequenceStart => {
                size = Some(avc::DecoderConfig::parse(&header.payload(tag.body())).unwrap().length_size());
            }
            VideoPacket::Frame => {
                let units = nalu::units(tag.body(), header.payload_offset, size.unwrap());
                let kinds: Vec<_> =
                    units.map(|unit| avc::NalType::of(&tag.body()[unit.unwrap()]).unwrap()).collect();
                assert_eq!(kinds.iter().filter(|kind| kind.is_vcl()).count(), 1);
                assert_eq!(kinds.contains(&avc::NalType::IDR), header.is_key_frame());
                pictures += 1;
            }
            _ => {}
        }
    }
    assert_eq!(pictures, 25);
}

#[test]
fn its_summary() {
    let mut summary = Summary::new();
    for tag in any::only_tags(any::read_all(&mut TagReader::new(), &[BARS])) {
        summary.push(&tag);
    }
    let Summary { video, audio, script, gaps, bad, .. } = &summary;
    insta::assert_debug_snapshot!((video, audio, script, gaps, bad, summary.duration_ms()), @r"
    (
        VideoSummary {
            count: KindCount {
                tags: 27,
                body_bytes: 2958,
                first_ms: Some(
                    0,
                ),
                last_ms: Some(
                    960,
                ),
                max_step_ms: 40,
            },
            codecs: [
                Avc,
            ],
            sizes: Listed {
                items: [
                    Size {
                        width: 160,
                        height: 90,
                    },
                ],
                count: 1,
            },
            sequence_headers: 1,
            frames: 25,
            disposable: 0,
            key_frames: Listed {
                items: [
                    KeyFrame {
                        tag: 3,
                        dts_ms: 0,
                        pts_ms: 80,
                    },
                    KeyFrame {
                        tag: 29,
                        dts_ms: 400,
                        pts_ms: 480,
                    },
                    KeyFrame {
                        tag: 58,
                        dts_ms: 800,
                        pts_ms: 880,
                    },
                ],
                count: 3,
            },
            max_key_distance_ms: 400,
        },
        AudioSummary {
            count: KindCount {
                tags: 49,
                body_bytes: 3053,
                first_ms: Some(
                    59,
                ),
                last_ms: Some(
                    1061,
                ),
                max_step_ms: 22,
            },
            codecs: [
                Aac,
            ],
            aac: Some(
                AudioSpecificConfig {
                    object_type: 2,
                    rate: 48000,
                    channel_config: 1,
                    extension: None,
                },
            ),
            sequence_headers: 1,
            frames: 48,
        },
        KindCount {
            tags: 1,
            body_bytes: 268,
            first_ms: None,
            last_ms: None,
            max_step_ms: 0,
        },
        Listed {
            items: [],
            count: 0,
        },
        Listed {
            items: [],
            count: 0,
        },
        Some(
            1061,
        ),
    )
    ");
}
