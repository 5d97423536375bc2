//! What is true of every encoder in software, and of what is asked of them; and of devices, whether
//! or not there are any.

use std::sync::Arc;

use codecs::{
    CodecError, CodecKit, EncoderFamily, Ffmpeg, Ladder, LadderSettings, Lookahead, RungOutput,
    VideoEncoderName, VideoEncoderSettings,
};
use media::{FrameRate, Key, Packet, Size, Span, Time, VideoCodec};

use crate::x264::{SIZE, encode, frames, settings};

const BOTH: [VideoEncoderName; 2] = [VideoEncoderName::X264, VideoEncoderName::X265];

fn rate() -> FrameRate {
    FrameRate::new(30_000, 1001).unwrap()
}

fn of(encoder: VideoEncoderName) -> VideoEncoderSettings {
    VideoEncoderSettings { encoder, preset: "superfast", ..settings(rate()) }
}

fn keys(packets: &[Packet]) -> Vec<Time> {
    packets.iter().filter(|p| p.key == Key::Frame).map(|p| p.pts).collect()
}

/// HEVC's types of the NAL units of a length-prefixed packet.
fn hevc_units(data: &[u8]) -> Vec<u8> {
    let mut rest = data;
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (unit, next) = after.split_at(u32::from_be_bytes(*length) as usize);
        found.push(unit[0] >> 1 & 63);
        rest = next;
    }
    assert!(rest.is_empty());
    found
}

#[test]
fn hevc_has_its_key_frames_where_they_are_asked_for() {
    let mut frames = frames(rate(), 90, |n| n == 0 || n == 17 || n == 60);
    // A cut, at which x265 would like one of its own.
    for (frame, _) in &mut frames[40..] {
        let mut negative = frame.picture.to_mut().unwrap();
        negative.planes_mut().iter_mut().for_each(|plane| plane.data.iter_mut().for_each(|p| *p = 255 - *p));
        frame.picture = negative.freeze();
    }
    let (params, packets) = encode(&of(VideoEncoderName::X265), &frames);
    assert_eq!(params.codec, VideoCodec::Hevc);
    assert_eq!(packets.len(), 90);
    assert_eq!(keys(&packets), [frames[0].0.pts, frames[17].0.pts, frames[60].0.pts]);
    for packet in &packets {
        let units = hevc_units(&packet.data);
        let fits = |kind: &u8| if packet.key == Key::Frame { (19..=20).contains(kind) } else { *kind < 16 };
        assert!(!units.is_empty() && units.iter().all(fits), "{packet:?} has {units:?}");
    }
}

#[test]
fn hevc_is_decoded_by_its_configuration_alone() {
    let frames = frames(rate(), 60, |n| n == 0 || n == 31);
    let (params, packets) = encode(&of(VideoEncoderName::X265), &frames);
    assert_eq!((params.config[0], params.config[21] & 3, params.config[22]), (1, 3, 3));
    let decoded = crate::decode::decode(&params, &packets);
    assert_eq!(decoded.len(), frames.len());
    for (out, (frame, _)) in decoded.iter().zip(&frames) {
        assert_eq!(out.pts, frame.pts);
        let db = crate::pattern::psnr(&out.picture, &frame.picture);
        assert!(db > 30.0, "{db} dB at {}", out.pts);
        assert_eq!(out.picture.colour(), codecs::Colour::CANVAS);
    }
}

#[test]
fn hevc_times_out_are_times_in() {
    let mut frames = frames(rate(), 60, |n| n % 30 == 0);
    for (n, (frame, _)) in frames.iter_mut().enumerate() {
        frame.pts += Span::from_flicks(1_234_567_891_234 + n as i64 % 3);
    }
    let (_, packets) = encode(&of(VideoEncoderName::X265), &frames);
    let mut out: Vec<Time> = packets.iter().map(|p| p.pts).collect();
    out.sort();
    assert_eq!(out, frames.iter().map(|(f, _)| f.pts).collect::<Vec<_>>());
    assert!(packets.iter().all(|p| p.dts <= p.pts));
    assert!(packets.is_sorted_by(|a, b| a.dts < b.dts));
    // No more than the two ticks that a channel's lead has room for.
    assert!(frames[0].0.pts - packets[0].dts <= Span::from_units(2, 1001, 30_000));
}

#[test]
fn hevc_with_one_thread_gives_the_same_bytes_again() {
    let settings = of(VideoEncoderName::X265);
    let frames = frames(rate(), 40, |n| n == 0);
    let bytes = || encode(&settings, &frames).1.into_iter().map(|p| p.data).collect::<Vec<_>>();
    assert!(bytes() == bytes());
}

#[test]
fn without_looking_ahead_each_picture_comes_out_at_once() {
    for encoder in BOTH {
        let settings = VideoEncoderSettings { lookahead: Lookahead::None, ..of(encoder) };
        let mut encoder = Ffmpeg::new().video_encoder(&settings).unwrap();
        for (frame, key) in frames(rate(), 30, |n| n % 10 == 0) {
            encoder.send(&frame, key).unwrap();
            let packet =
                encoder.receive().unwrap().unwrap_or_else(|| panic!("{settings:?} holds back {}", frame.pts));
            assert_eq!((packet.pts, packet.dts, packet.key), (frame.pts, frame.pts, key), "{settings:?}");
            assert!(encoder.receive().unwrap().is_none());
        }
    }
}

/// Frames an encoder takes before its first packet.
fn held(settings: &VideoEncoderSettings) -> usize {
    let mut encoder = Ffmpeg::new().video_encoder(settings).unwrap();
    let frames = frames(rate(), 100, |n| n == 0);
    let taken = frames.iter().take_while(|(frame, key)| {
        encoder.send(frame, *key).unwrap();
        encoder.receive().unwrap().is_none()
    });
    taken.count()
}

#[test]
fn looking_farther_ahead_holds_more_pictures() {
    for encoder in BOTH {
        let near = held(&of(encoder));
        let far = held(&VideoEncoderSettings { lookahead: Lookahead::Pictures(60), ..of(encoder) });
        assert!(near < 60 && (60..80).contains(&far), "{encoder:?} holds {near} and {far}");
    }
}

#[test]
fn b_frames_are_as_many_as_allowed() {
    for encoder in BOTH {
        // In a row, between two others: as many as there are between a DTS order's neighbours.
        let most = |bframes| {
            let settings = VideoEncoderSettings { bframes, preset: "medium", ..of(encoder) };
            let (_, packets) = encode(&settings, &frames(rate(), 60, |n| n == 0));
            let mut latest = Time::from_flicks(i64::MIN);
            let mut run = (0, 0);
            for packet in &packets {
                run.0 = if packet.pts < latest { run.0 + 1 } else { 0 };
                run.1 = run.1.max(run.0);
                latest = latest.max(packet.pts);
            }
            run.1
        };
        assert_eq!(most(Some(0)), 0, "{encoder:?}");
        assert!((1..=2).contains(&most(Some(2))), "{encoder:?}");
    }
}

#[test]
fn a_small_buffer_keeps_each_second_near_the_rate() {
    // Noise for a second within stillness: with a large buffer and maxrate it may cost what it needs.
    let rate = FrameRate::new(25, 1).unwrap();
    let mut seed = 1u32;
    let mut frames = frames(rate, 75, |n| n == 0);
    for (frame, _) in &mut frames[25..50] {
        let mut noise = frame.picture.to_mut().unwrap();
        for mut plane in noise.planes_mut() {
            for p in plane.rows_mut().flatten() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *p = *p / 2 + (seed >> 25) as u8;
            }
        }
        frame.picture = noise.freeze();
    }
    for encoder in BOTH {
        let noisy = |maxrate, buffer| -> usize {
            let settings = VideoEncoderSettings {
                maxrate,
                buffer,
                encoder,
                ..VideoEncoderSettings::new(SIZE, rate, 400_000)
            };
            let (_, packets) = encode(&settings, &frames);
            let second = Time::from_millis(1_000)..Time::from_millis(2_000);
            packets.iter().filter(|p| second.contains(&p.pts)).map(|p| p.data.len() * 8).sum()
        };
        let (tight, loose) = (noisy(400_000, 200_000), noisy(4_000_000, 4_000_000));
        assert!(tight < 700_000 && loose > 2 * tight, "{encoder:?}: {tight} and {loose} bits");
    }
}

#[test]
fn every_preset_and_tune_opens() {
    let presets =
        ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];
    for encoder in BOTH {
        let tunes: &[_] = match encoder {
            VideoEncoderName::X264 => &["film", "animation", "grain", "stillimage", "fastdecode"],
            _ => &["animation", "grain", "fastdecode"],
        };
        for preset in presets {
            for lookahead in [Lookahead::None, Lookahead::Preset, Lookahead::Pictures(60)] {
                let settings = VideoEncoderSettings { preset, lookahead, ..of(encoder) };
                assert!(Ffmpeg::new().video_encoder(&settings).is_ok(), "{settings:?}");
            }
        }
        for tune in tunes {
            let settings = VideoEncoderSettings { tune: Some(tune), ..of(encoder) };
            assert!(Ffmpeg::new().video_encoder(&settings).is_ok(), "{settings:?}");
        }
    }
    let told = |change: fn(&mut VideoEncoderSettings)| {
        let mut settings = of(VideoEncoderName::X265);
        change(&mut settings);
        Ffmpeg::new().video_encoder(&settings).err().unwrap().to_string()
    };
    assert_eq!(told(|s| s.maxrate = 12), "libx265: maxrate is 12, legal is 800000 to 400M");
    assert_eq!(told(|s| s.bframes = Some(17)), "libx265: bframes is 17, legal is 0 to 16");
    let chip = |s: &mut VideoEncoderSettings| {
        (s.encoder, s.bframes) = (VideoEncoderName::H264V4l2, Some(1));
    };
    assert_eq!(told(chip), "h264_v4l2m2m: bframes is 1, legal is 0 to 0");
    assert_eq!(
        told(|s| s.size = Size::new(17, 16)),
        "libx265: size is 17x16, legal is even sides from 16 to 8192"
    );
    assert!(told(|s| s.tune = Some("film")).starts_with("libx265 could not open"));
}

/// Where a device is there, it does as it is told; where it is not, it says so and software does.
#[test]
fn a_rung_of_any_encoder_has_its_pictures_with_or_without_the_device() {
    let frames = frames(rate(), 20, |n| n == 0 || n == 7);
    for name in VideoEncoderName::ALL {
        let settings = of(name);
        let alone = Ffmpeg::new().video_encoder(&settings).err();
        let ladder = LadderSettings { rungs: vec![settings], ..LadderSettings::new(rate(), []) };
        let mut ladder = Ladder::start(Arc::new(Ffmpeg::new()), ladder).unwrap();
        match (&alone, name.family()) {
            (None, _) => assert_eq!(ladder.encoders(), [name]),
            (Some(why), EncoderFamily::Software) => panic!("{name:?}: {why}"),
            (Some(why), _) => {
                assert!(why.to_string().contains(name.as_str()), "{name:?}: {why}");
                // A number alone helps nobody.
                let is_told = match why {
                    CodecError::Device { lacking, said, .. } => !(lacking.is_empty() && said.is_empty()),
                    why => matches!(why, CodecError::Unavailable { .. }),
                };
                assert!(is_told, "{name:?}: {why:?}");
                assert_eq!(ladder.encoders(), [name.stand_in().unwrap()]);
            }
        }
        assert_eq!(ladder.params()[0].codec, name.codec());
        let output = ladder.outputs().remove(0);
        let sending = std::thread::spawn({
            let frames = frames.clone();
            move || frames.into_iter().for_each(|(frame, key)| ladder.send(frame, key).unwrap())
        });
        let packets: Vec<Packet> = output
            .iter()
            .map_while(|out| match out {
                RungOutput::Packet(packet) => Some(packet),
                RungOutput::End => None,
                other => panic!("{name:?}: {other:?}"),
            })
            .collect();
        sending.join().unwrap();
        assert_eq!(packets.len(), frames.len(), "{name:?}");
        assert_eq!(keys(&packets), [frames[0].0.pts, frames[7].0.pts], "{name:?}");
    }
}
