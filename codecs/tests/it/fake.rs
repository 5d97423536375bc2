//! The fake kit keeps what it promises to those who test with it.

use codecs::{
    AudioEncoderSettings, CodecError, CodecKit, EncoderThreads, Fake, Frame, LadderSettings, Pcm, PictureMut,
    Plane, Reorder, Rgb, VideoEncoderSettings,
};
use media::{FrameRate, Key, Packet, SampleRate, Size, Span, Tick, Time};
use proptest::prelude::*;

use crate::pattern;

const SIZE: Size = Size::new(64, 36);

fn settings() -> VideoEncoderSettings {
    let rate = FrameRate::new(25, 1).unwrap();
    let settings = LadderSettings::new(rate, [(SIZE, 1_000_000)]).rungs.remove(0);
    assert_eq!(settings.threads, EncoderThreads::One);
    settings
}

fn encode(kit: Fake, keys: &[bool]) -> Vec<Packet> {
    let settings = settings();
    let mut encoder = kit.video_encoder(&settings).unwrap();
    let mut packets = Vec::new();
    for (n, &key) in keys.iter().enumerate() {
        let key = if key { Key::Frame } else { Key::Delta };
        encoder.send(&pattern::frame(SIZE, settings.rate, n as u32), key).unwrap();
        while let Some(packet) = encoder.receive().unwrap() {
            packets.push(packet);
        }
    }
    encoder.flush().unwrap();
    while let Some(packet) = encoder.receive().unwrap() {
        packets.push(packet);
    }
    packets
}

fn decode(packets: &[Packet]) -> Vec<Frame> {
    let params = Fake::new().video_encoder(&settings()).unwrap().params().clone();
    let mut decoder = Fake::new().video_decoder(&params).unwrap();
    let mut frames = Vec::new();
    for packet in packets {
        decoder.send(packet).unwrap();
        while let Some(frame) = decoder.receive().unwrap() {
            frames.push(frame);
        }
    }
    decoder.flush().unwrap();
    while let Some(frame) = decoder.receive().unwrap() {
        frames.push(frame);
    }
    frames
}

proptest! {
    #[test]
    fn every_order_is_a_legal_one(keys in prop::collection::vec(prop::bool::weighted(0.1), 1..60),
            reorder in prop::sample::select(vec![Reorder::None, Reorder::BFrames, Reorder::Pyramid])) {
        let rate = settings().rate;
        let packets = encode(Fake::new().reordering(reorder), &keys);
        prop_assert_eq!(packets.len(), keys.len());
        prop_assert!(packets.iter().all(|p| p.dts <= p.pts));
        prop_assert!(packets.is_sorted_by(|a, b| a.dts < b.dts));
        for (n, &key) in keys.iter().enumerate() {
            let pts = rate.time_of(Tick(n as u64));
            let packet = packets.iter().find(|p| p.pts == pts).unwrap();
            prop_assert_eq!(packet.key == Key::Frame, key || n == 0);
            prop_assert_eq!(u32::from_be_bytes(packet.data[..4].try_into().unwrap()) as usize, packet.data.len() - 4);
            prop_assert_eq!(packet.data[4] & 31, if packet.key == Key::Frame { 5 } else { 1 });
            prop_assert!(packet.data.len() > 64 && !packet.data[4..].contains(&0));
        }
        // After a key frame nothing from before it is shown or decoded.
        for (at, key) in packets.iter().enumerate().filter(|(_, p)| p.key == Key::Frame) {
            prop_assert!(packets[..at].iter().all(|p| p.pts < key.pts));
            prop_assert!(packets[at + 1..].iter().all(|p| p.pts > key.pts));
        }
        let frames = decode(&packets);
        prop_assert_eq!(frames.len(), keys.len());
        prop_assert!(frames.is_sorted_by(|a, b| a.pts < b.pts));
    }
}

#[test]
fn the_colours_come_back() {
    let rate = settings().rate;
    let mut picture = PictureMut::filled(SIZE, Rgb::new(10, 200, 30)).unwrap();
    for row in picture.plane_mut(Plane::Y).rows_mut().take(18) {
        row[..32].fill(99);
    }
    let picture = picture.freeze();
    let mut encoder = Fake::new().video_encoder(&settings()).unwrap();
    encoder.send(&Frame { pts: rate.time_of(Tick(5)), picture: picture.clone() }, Key::Frame).unwrap();
    let packet = encoder.receive().unwrap().unwrap();
    let frames = decode(&[packet]);
    assert_eq!(frames[0].pts, rate.time_of(Tick(5)));
    assert!(pattern::pixels(&frames[0].picture) == pattern::pixels(&picture));
}

#[test]
fn a_packet_that_was_tampered_with_is_damaged() {
    let packets = encode(Fake::new(), &[true]);
    let params = Fake::new().video_encoder(&settings()).unwrap().params().clone();
    for at in 0..packets[0].data.len() {
        let mut packet = packets[0].clone();
        let mut data = packet.data.to_vec();
        data[at] ^= 1;
        packet.data = data.into();
        let mut decoder = Fake::new().video_decoder(&params).unwrap();
        // The header's bit turns an IDR into what is not known.
        assert!(matches!(decoder.send(&packet), Err(CodecError::Damaged { .. })), "byte {at}");
    }
}

#[test]
fn decoding_starts_at_a_key_frame() {
    let packets = encode(Fake::new(), &[true, false, false, true, false]);
    let frames = decode(&packets[1..]);
    assert_eq!(frames.len(), 2);
}

#[test]
fn it_fails_when_asked() {
    let at = Time::from_millis(80);
    let mut encoder = Fake::new().failing(SIZE, at).video_encoder(&settings()).unwrap();
    let rate = settings().rate;
    encoder.send(&pattern::frame(SIZE, rate, 1), Key::Frame).unwrap();
    assert_eq!(encoder.send(&pattern::frame(SIZE, rate, 2), Key::Delta), Err(CodecError::Asked { pts: at }));
}

#[test]
fn sound_keeps_its_level_and_time() {
    let rate = SampleRate::HZ_48000;
    let settings = AudioEncoderSettings { rate, channels: 2, bitrate: 128_000 };
    let kit = Fake::new();
    let mut encoder = kit.audio_encoder(&settings).unwrap();
    let start = Time::from_millis(40);
    let quiet = Pcm::new(start, rate, 2, [0.25f32, -0.5].repeat(4096));
    encoder.send(&quiet).unwrap();
    encoder.flush().unwrap();
    let mut decoder = kit.audio_decoder(encoder.params()).unwrap();
    let mut out = Vec::new();
    while let Some(packet) = encoder.receive().unwrap() {
        decoder.send(&packet).unwrap();
        out.extend(decoder.receive().unwrap());
    }
    let block = Span::from_units(1024, 1, 48_000);
    assert_eq!(out.len(), 5);
    assert_eq!((out[0].pts, out[0].peak()), (start - block, 0.0));
    for (n, pcm) in out.iter().enumerate().skip(1) {
        assert_eq!(pcm.pts, start + block.times(n as i64 - 1));
        assert!(pcm.samples.chunks(2).all(|pair| pair[0].abs() == 0.25 && pair[1].abs() == 0.5));
    }
}
