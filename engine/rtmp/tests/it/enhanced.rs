//! Enhanced RTMP: what FFmpeg 9 sends, kept as it is in all directions.
//!
//! The captures are made with `examples/receive.rs` and FFmpeg 9.0.2: HEVC with
//! AAC, and two tracks each of pictures (AVC, HEVC) and of sound (AAC, Opus).
//! Where `OBVAN_FFMPEG_RECENT` names such an FFmpeg, it plays as well.

use bytes::Bytes;
use flv::audio::AudioHeader;
use flv::video::{VideoCodec, VideoHeader, VideoPacket};
use flv::{FourCc, Tag, TagKind};
use rtmp::Event;
use rtmp::enhanced::{Capabilities, CodecName};
use rtmp::session::Intent;

use crate::captures::play;
use crate::client::{Harness, STREAM, config};
use crate::pair::{Pair, tag};
use crate::real_players::{self, End};

const HEVC: &[u8] = include_bytes!("../captures/ffmpeg9-hevc.rtmp");
const TRACKS: &[u8] = include_bytes!("../captures/ffmpeg9-tracks.rtmp");

fn tags(h: &Harness) -> Vec<Tag> {
    h.tags().into_iter().map(|(kind, timestamp, body)| tag(kind, timestamp, body)).collect()
}

fn videos(tags: &[Tag]) -> Vec<VideoHeader> {
    let video = tags.iter().filter(|tag| tag.kind == TagKind::Video);
    video.map(|tag| VideoHeader::parse(tag.body()).unwrap()).collect()
}

#[test]
fn hevc_is_understood() {
    let h = play(HEVC, std::iter::empty());
    let Some(Event::PublishRequested(request)) = h.events.first() else { panic!("no request") };
    let code = |code| CodecName::Code(FourCc(code));
    assert_eq!(request.peer.capabilities.codecs, [code(*b"hvc1"), code(*b"av01")]);
    let confirmed = h.answers()[0].args[0].clone();
    assert_eq!(Capabilities::read(&confirmed).codecs, [code(*b"hvc1")]);

    let videos = videos(&tags(&h));
    assert_eq!(videos.len(), 12);
    assert!(videos.iter().all(|video| video.codec == Some(VideoCodec::Hevc)));
    let starts = videos.iter().filter(|video| video.is_sequence_start()).count();
    let frames = videos.iter().filter(|video| video.packet == VideoPacket::Frame).count();
    assert_eq!((starts, frames), (1, 10));
}

#[test]
fn tracks_are_understood() {
    let tags = tags(&play(TRACKS, std::iter::empty()));
    let mut pictures = [0; 2];
    let mut sounds = [0; 2];
    for tag in &tags {
        let tracks: Vec<_> = match tag.kind {
            TagKind::Video => VideoHeader::parse(tag.body()).unwrap().tracks(tag.body()).collect(),
            TagKind::Audio => AudioHeader::parse(tag.body()).unwrap().tracks(tag.body()).collect(),
            TagKind::Script => continue,
        };
        let counts = if tag.kind == TagKind::Video { &mut pictures } else { &mut sounds };
        counts[usize::from(!tracks.is_empty())] += 1;
        for track in tracks {
            let track = track.unwrap();
            let codec = if tag.kind == TagKind::Video { *b"hvc1" } else { *b"Opus" };
            assert_eq!((track.track, track.codec), (1, FourCc(codec)));
        }
    }
    assert!(pictures.iter().chain(&sounds).all(|&count| count > 5), "{pictures:?} {sounds:?}");
}

/// A picture whose modifiers say 500 µs, and one whose modifier nobody knows.
fn modified() -> Vec<Tag> {
    let nanos = [&[0x97, 2, 0x07, 0xA1, 0x20, 0x03][..], b"hvc1", &[1, 2, 3]].concat();
    let unknown = [&[0x97, 0, 0xEE, 0xF3][..], b"hvc1", &[1, 2, 3]].concat();
    vec![tag(TagKind::Video, 7, nanos), tag(TagKind::Video, 8, unknown)]
}

#[test]
fn nothing_is_touched_on_the_way() {
    let sent: Vec<Tag> = [HEVC, TRACKS]
        .into_iter()
        .flat_map(|capture| tags(&play(capture, std::iter::empty())))
        .chain(modified())
        .collect();
    for intent in [Intent::Publish, Intent::Play] {
        let mut pair = Pair::started(intent);
        for tag in &sent {
            match intent {
                Intent::Publish => pair.client.send(tag).unwrap(),
                Intent::Play => pair.server.send(STREAM, tag).unwrap(),
            }
        }
        pair.run().unwrap();
        assert_eq!(pair.received(), sent);
        let nanos: Vec<_> = videos(&pair.received()).iter().rev().take(2).map(|video| video.nanos).collect();
        assert_eq!(nanos, [0, 500_000]);
    }
}

fn frames(tags: &[Tag]) -> Vec<(u32, Bytes)> {
    let payload = |tag: &Tag| match VideoHeader::parse(tag.body()) {
        Ok(video) if video.packet == VideoPacket::Frame => Some((tag.timestamp.0, video.payload(tag.body()))),
        _ => None,
    };
    tags.iter().filter(|tag| tag.kind == TagKind::Video).filter_map(payload).collect()
}

#[test]
fn a_recent_ffmpeg_plays_hevc() {
    let Ok(ffmpeg) = std::env::var("OBVAN_FFMPEG_RECENT") else { return };
    let film = tags(&play(HEVC, std::iter::empty()));
    let (request, output) = real_players::run(config(), film.clone(), End::Told, &ffmpeg, |url| {
        format!("-nostdin -v error -i {url} -map 0:v -c copy -copyts -f flv -")
    });
    assert!(request.is_some(), "{}", String::from_utf8_lossy(&output.stderr));
    let got = frames(&real_players::tags(&output.stdout));
    assert_eq!(got.len(), 10);
    assert_eq!(got, frames(&film));
}
