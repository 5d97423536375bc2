//! Decoders on damaged streams: told, survived, and whole again at the next IDR.

use std::sync::LazyLock;

use bytes::Bytes;
use codecs::{CodecKit, Ffmpeg};
use media::{FrameRate, Packet, Tick, Time, VideoCodec, VideoParams};
use proptest::prelude::*;

use crate::{pattern, x264};

#[test]
fn damage_is_told_and_decoding_goes_on() {
    let rate = FrameRate::new(25, 1).unwrap();
    let (params, packets) = x264::encode(&x264::settings(rate), &x264::frames(rate, 60, |n| n % 30 == 0));
    let mut decoder = Ffmpeg::new().video_decoder(&params).unwrap();
    let (mut frames, mut errors) = (Vec::new(), 0);
    for (n, packet) in packets.iter().enumerate() {
        let mut packet = packet.clone();
        match n {
            5 => packet.data = Bytes::new(),
            8 => packet.data = Bytes::from_static(&[0xff; 40]),
            11 => packet.data = packet.data.slice(..packet.data.len() / 2),
            _ => {}
        }
        errors += usize::from(decoder.send(&packet).is_err());
        loop {
            match decoder.receive() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => errors += 1,
            }
        }
    }
    decoder.flush().unwrap();
    while let Ok(Some(frame)) = decoder.receive() {
        frames.push(frame);
    }
    assert!(errors >= 2, "{errors}");
    // From the second IDR on all is well again.
    let again = rate.time_of(Tick(30));
    let after: Vec<_> = frames.iter().filter(|frame| frame.pts >= again).collect();
    assert_eq!(after.len(), 30);
    for frame in after {
        let n = rate.tick_at(frame.pts).0 as u32;
        assert!(pattern::psnr(&frame.picture, &pattern::picture(x264::SIZE, n).freeze()) > 30.0);
    }
}

/// A slice whose second half is rubbish: the decoder makes up the rest of the picture, and says so of
/// that one alone.
#[test]
fn a_picture_with_parts_made_up_says_so() {
    let rate = FrameRate::new(25, 1).unwrap();
    let (params, packets) = x264::encode(&x264::settings(rate), &x264::frames(rate, 40, |n| n % 20 == 0));
    let mut told = 0;
    for (n, rubbish) in [(5, 0x55), (13, 0xaa), (25, 0xff), (33, 0x11)] {
        let mut packets = packets.clone();
        let mut data = packets[n].data.to_vec();
        let half = data.len() / 2;
        data[half..].fill(rubbish);
        packets[n].data = data.into();
        let mut decoder = Ffmpeg::new().video_decoder(&params).unwrap();
        let mut damaged = Vec::new();
        let mut fetch = |decoder: &mut dyn codecs::VideoDecoder| {
            while let Ok(Some(frame)) = decoder.receive() {
                if frame.picture.is_damaged() {
                    damaged.push(frame.pts);
                }
                assert!(frame.picture.damaged().is_damaged());
            }
        };
        for packet in &packets {
            let _ = decoder.send(packet);
            fetch(decoder.as_mut());
        }
        decoder.flush().unwrap();
        fetch(decoder.as_mut());
        assert!(damaged.iter().all(|pts| *pts == packets[n].pts), "{n}: {damaged:?}");
        told += damaged.len();
    }
    assert!(told > 0, "no picture says that parts of it are made up");
}

/// Each codec of a wire that anyone may send to.
fn open_to_all() -> [(VideoCodec, &'static [u8]); 5] {
    [
        (VideoCodec::Avc, &[]),
        (VideoCodec::Avc, &[1, 77, 0, 40, 0xff, 0xe1, 0, 4, 0x67, 77, 0, 40, 1, 0, 1, 0x68]),
        (VideoCodec::Hevc, &[]),
        (VideoCodec::Mpeg2, &[]),
        (VideoCodec::Mjpeg, &[0xff, 0xd8]),
    ]
}

/// Forty pictures with key frames at 0 and 20.
static FORTY: LazyLock<(VideoParams, Vec<Packet>)> = LazyLock::new(|| {
    let rate = FrameRate::new(25, 1).unwrap();
    x264::encode(&x264::settings(rate), &x264::frames(rate, 40, |n| n % 20 == 0))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_bring_a_decoder_down(
        (codec, config) in prop::sample::select(open_to_all().to_vec()),
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
    ) {
        let params = VideoParams { codec, size: None, config: Bytes::from_static(config) };
        // A configuration may be refused, which is an answer as well.
        if let Ok(mut decoder) = Ffmpeg::new().video_decoder(&params) {
            for (n, data) in packets.into_iter().enumerate() {
                let pts = Time::from_millis(n as i64 * 40);
                let (track, key) = (media::Track::Video, media::Key::Delta);
                let _ = decoder.send(&Packet { track, pts, dts: pts, duration: None, key, data: data.into() });
                while let Ok(Some(frame)) = decoder.receive() {
                    prop_assert!(frame.picture.size().area() > 0);
                }
            }
            decoder.flush().unwrap();
        }
    }

    #[test]
    fn flipped_bits_cost_pictures_and_nothing_else(at in prop::collection::vec((0usize..40, any::<u16>(), 0u8..8), 1..20)) {
        let (params, mut packets) = FORTY.clone();
        for (packet, byte, bit) in at {
            let mut data = packets[packet].data.to_vec();
            let byte = usize::from(byte) % data.len();
            data[byte] ^= 1 << bit;
            packets[packet].data = data.into();
        }
        let mut decoder = Ffmpeg::new().video_decoder(&params).unwrap();
        let mut count = 0;
        for packet in &packets {
            let _ = decoder.send(packet);
            while let Ok(Some(frame)) = decoder.receive() {
                prop_assert_eq!(frame.picture.size(), x264::SIZE);
                count += 1;
            }
        }
        decoder.flush().unwrap();
        while let Ok(Some(_)) = decoder.receive() {
            count += 1;
        }
        prop_assert!(count <= 40);
    }
}
