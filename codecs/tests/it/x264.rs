//! The x264 encoder: obedient, exact in time, repeatable.

use codecs::lookahead::AHEAD;
use codecs::{CodecKit, EncoderThreads, Ffmpeg, Frame, Lookahead, VideoEncoderSettings};
use media::{FrameRate, Key, Packet, Size, Span, Time, VideoParams};

use crate::pattern;

pub const SIZE: Size = Size::new(320, 180);

pub fn settings(rate: FrameRate) -> VideoEncoderSettings {
    VideoEncoderSettings::new(SIZE, rate, 800_000)
}

pub fn encode(settings: &VideoEncoderSettings, frames: &[(Frame, Key)]) -> (VideoParams, Vec<Packet>) {
    let mut encoder = Ffmpeg::new().video_encoder(settings).unwrap();
    let mut packets = Vec::new();
    for (frame, key) in frames {
        encoder.send(frame, *key).unwrap();
        while let Some(packet) = encoder.receive().unwrap() {
            packets.push(packet);
        }
    }
    encoder.flush().unwrap();
    while let Some(packet) = encoder.receive().unwrap() {
        packets.push(packet);
    }
    assert!(encoder.receive().unwrap().is_none());
    (encoder.params().clone(), packets)
}

/// `count` frames of the pattern, key frames where `keys` says.
pub fn frames(rate: FrameRate, count: u32, keys: impl Fn(u32) -> bool) -> Vec<(Frame, Key)> {
    (0..count)
        .map(|n| (pattern::frame(SIZE, rate, n), if keys(n) { Key::Frame } else { Key::Delta }))
        .collect()
}

fn rate() -> FrameRate {
    FrameRate::new(30_000, 1001).unwrap()
}

/// Types of the NAL units of a length-prefixed packet.
pub fn units(data: &[u8]) -> Vec<u8> {
    let mut rest = data;
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (unit, next) = after.split_at(u32::from_be_bytes(*length) as usize);
        found.push(unit[0] & 31);
        rest = next;
    }
    assert!(rest.is_empty());
    found
}

#[test]
fn key_frames_come_where_asked_and_nowhere_else() {
    // A cut in the middle, at which x264 would like one of its own.
    let mut frames = frames(rate(), 90, |n| n == 0 || n == 17 || n == 60);
    for (frame, _) in &mut frames[40..] {
        let mut negative = frame.picture.to_mut().unwrap();
        negative.planes_mut().iter_mut().for_each(|plane| plane.data.iter_mut().for_each(|p| *p = 255 - *p));
        frame.picture = negative.freeze();
    }
    let (_, packets) = encode(&settings(rate()), &frames);
    assert_eq!(packets.len(), 90);
    let asked: Vec<Time> = frames.iter().filter(|(_, key)| *key == Key::Frame).map(|(f, _)| f.pts).collect();
    let made: Vec<Time> = packets.iter().filter(|p| p.key == Key::Frame).map(|p| p.pts).collect();
    assert_eq!(made, asked);
    for packet in &packets {
        let units = units(&packet.data);
        let slice = if packet.key == Key::Frame { 5 } else { 1 };
        assert!(!units.is_empty() && units.iter().all(|&unit| unit == slice), "{packet:?} has {units:?}");
    }
}

#[test]
fn times_out_are_times_in() {
    // Far from zero and off the rate's grid, as long as it is even.
    let mut frames = frames(rate(), 60, |n| n % 30 == 0);
    for (n, (frame, _)) in frames.iter_mut().enumerate() {
        frame.pts += Span::from_flicks(1_234_567_891_234 + n as i64 % 3);
    }
    let (_, packets) = encode(&settings(rate()), &frames);
    let mut out: Vec<Time> = packets.iter().map(|p| p.pts).collect();
    assert!(!out.is_sorted(), "veryfast has B-frames");
    out.sort();
    assert_eq!(out, frames.iter().map(|(f, _)| f.pts).collect::<Vec<_>>());
    assert!(packets.iter().all(|p| p.dts <= p.pts));
    assert!(packets.is_sorted_by(|a, b| a.dts < b.dts));
    // B-frame delay stays in the DTS: two ticks where B-frames lean on B-frames.
    assert_eq!(frames[0].0.pts - packets[0].dts, Span::from_units(2, 1001, 30_000));
}

#[test]
fn one_thread_gives_the_same_bytes_again() {
    let rate = rate();
    // Rows of 20, 40 and 27 macroblocks: x264 takes other ways for them.
    for size in [SIZE, Size::new(640, 360), Size::new(426, 240)] {
        let settings = VideoEncoderSettings { size, ..settings(rate) };
        let frames: Vec<_> = (0..50)
            .map(|n| (pattern::frame(size, rate, n), if n == 0 { Key::Frame } else { Key::Delta }))
            .collect();
        let bytes =
            |settings: &_| encode(settings, &frames).1.into_iter().map(|p| p.data).collect::<Vec<_>>();
        let first = bytes(&settings);
        for dirt in [1u8, 0xff, 0x7f, 0xaa] {
            // Whatever lies in memory that is taken next must not matter.
            drop((8..20).map(|power| vec![dirt; 1 << power]).collect::<Vec<_>>());
            let bitrate = 100_000 * u32::from(dirt);
            drop(bytes(&VideoEncoderSettings {
                bitrate,
                maxrate: bitrate,
                buffer: bitrate,
                ..settings.clone()
            }));
            assert!(bytes(&settings) == first, "{size} on a heap of {dirt:x}");
        }
    }
}

#[test]
fn the_configuration_is_an_avcc_of_one_sps_and_one_pps() {
    let (params, _) = encode(&settings(rate()), &frames(rate(), 1, |_| true));
    let config = &params.config;
    assert_eq!((config[0], config[4], config[5]), (1, 0xff, 0xe1));
    let sps = usize::from(u16::from_be_bytes([config[6], config[7]]));
    assert_eq!((config[8] & 31, &config[9..12]), (7, &config[1..4]));
    let pps_at = 8 + sps + 3;
    let pps = usize::from(u16::from_be_bytes([config[pps_at - 2], config[pps_at - 1]]));
    assert_eq!((config[pps_at - 3], config[pps_at] & 31), (1, 8));
    let tail = if config[1] == 100 { &[0xfd, 0xf8, 0xf8, 0][..] } else { &[] };
    assert_eq!(&config[pps_at + pps..], tail);
}

#[test]
fn what_is_decoded_is_near_what_was_encoded() {
    let frames = frames(rate(), 60, |n| n == 0 || n == 31);
    let (params, packets) = encode(&settings(rate()), &frames);
    let decoded = crate::decode::decode(&params, &packets);
    assert_eq!(decoded.len(), frames.len());
    for (out, (frame, _)) in decoded.iter().zip(&frames) {
        assert_eq!(out.pts, frame.pts);
        let db = pattern::psnr(&out.picture, &frame.picture);
        assert!(db > 30.0, "{db} dB at {}", out.pts);
        assert_eq!(out.picture.colour(), codecs::Colour::CANVAS);
    }
}

#[test]
fn the_bitrate_is_kept() {
    // Noise, which would take far more.
    let mut seed = 1u32;
    let frames: Vec<_> = frames(FrameRate::new(25, 1).unwrap(), 75, |n| n == 0)
        .into_iter()
        .map(|(mut frame, key)| {
            let mut noise = frame.picture.to_mut().unwrap();
            for mut plane in noise.planes_mut() {
                for p in plane.rows_mut().flatten() {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *p = *p / 2 + (seed >> 25) as u8;
                }
            }
            frame.picture = noise.freeze();
            (frame, key)
        })
        .collect();
    let (_, packets) = encode(&settings(FrameRate::new(25, 1).unwrap()), &frames);
    let bits: usize = packets.iter().map(|p| p.data.len() * 8).sum();
    // Three seconds, and the buffer's one second on top.
    assert!((1_500_000..=3_200_000).contains(&bits), "{bits} bits");
}

#[test]
fn wrong_settings_are_told_with_what_is_legal() {
    let kit = Ffmpeg::new();
    let refused = |change: fn(&mut VideoEncoderSettings)| {
        let mut settings = settings(rate());
        change(&mut settings);
        kit.video_encoder(&settings).err().unwrap().to_string()
    };
    assert_eq!(
        refused(|s| s.size.width = 321),
        "libx264: size is 321x180, legal is even sides from 16 to 8192"
    );
    assert_eq!(refused(|s| s.bitrate = 12), "libx264: bitrate is 12, legal is 10k to 400M");
    assert!(
        refused(|s| s.preset = "quick")
            .starts_with("libx264: preset is quick, legal is ultrafast, superfast,")
    );
}

#[test]
fn wrong_frames_are_told_and_the_encoder_goes_on() {
    let mut encoder = Ffmpeg::new().video_encoder(&settings(rate())).unwrap();
    let good = pattern::frame(SIZE, rate(), 1);
    encoder.send(&good, Key::Frame).unwrap();
    let err = encoder.send(&good, Key::Delta).unwrap_err();
    assert_eq!(err.to_string(), "libx264: pts 0:00.033 does not lie after 0:00.033, the one before");
    let err = encoder.send(&pattern::frame(Size::new(64, 64), rate(), 2), Key::Delta).unwrap_err();
    assert_eq!(err.to_string(), "a picture of 64x64, where 320x180 is needed");
    encoder.send(&pattern::frame(SIZE, rate(), 2), Key::Delta).unwrap();
    encoder.flush().unwrap();
    let err = encoder.send(&pattern::frame(SIZE, rate(), 3), Key::Delta).unwrap_err();
    assert_eq!(err.to_string(), "libx264: already flushed, it takes nothing more");
    let mut packets = 0;
    while encoder.receive().unwrap().is_some() {
        packets += 1;
    }
    assert_eq!(packets, 2);
}

#[test]
fn frame_threads_obey_as_well() {
    let mut settings = settings(rate());
    settings.threads = EncoderThreads::Many(std::num::NonZeroU8::new(2).unwrap());
    let frames = frames(rate(), 50, |n| n % 20 == 0);
    let (_, packets) = encode(&settings, &frames);
    let keys: Vec<Time> = packets.iter().filter(|p| p.key == Key::Frame).map(|p| p.pts).collect();
    assert_eq!(keys, [frames[0].0.pts, frames[20].0.pts, frames[40].0.pts]);
    assert_eq!(packets.len(), 50);
}

/// How many frames later a frame comes out, at the most: what each latency costs, beside the order of
/// B-frames, which a player waits for. `docs/LATENCY.md` has these numbers.
#[test]
fn each_lookahead_delays_by_its_frames() {
    let delay = |lookahead, preset| {
        let settings = VideoEncoderSettings { lookahead, preset, ..settings(rate()) };
        let mut encoder = Ffmpeg::new().video_encoder(&settings).unwrap();
        let frames = frames(rate(), 110, |n| n % 60 == 0);
        let (mut out, mut most) = (Vec::new(), 0);
        for (n, (frame, key)) in frames.iter().enumerate() {
            encoder.send(frame, *key).unwrap();
            while let Some(packet) = encoder.receive().unwrap() {
                out.push(packet.dts);
                let own = frames.iter().position(|(frame, _)| frame.pts == packet.pts).unwrap();
                most = most.max(n - own);
            }
        }
        assert!(out.is_sorted());
        most
    };
    assert_eq!(delay(Lookahead::None, "veryfast"), 0);
    // And up to three B-frames come after the one they lean on.
    assert_eq!(delay(Lookahead::Preset, "veryfast"), 9 + 3);
    assert_eq!(delay(Lookahead::Pictures(60), "veryfast"), 59 + 3);
    // What the ladder looks ahead, its encoders do not.
    assert_eq!(delay(Lookahead::Shared, "veryfast") + AHEAD, 9 + 3);
    assert_eq!(delay(Lookahead::Shared, "faster"), delay(Lookahead::Preset, "faster"));
}
