//! Decoders on streams of all kinds, whole and damaged.

use bytes::Bytes;
use codecs::{CodecKit, Colour, Conform, Ffmpeg, Filter, Frame, PixelFormat, Yuv};
use ffmpeg_next::format::Pixel;
use media::{FrameRate, Packet, Size, Tick, Time, VideoCodec, VideoParams};
use proptest::prelude::*;

use crate::foreign::{self, Form, Stream};
use crate::{pattern, x264};

pub fn decode(params: &VideoParams, packets: &[Packet]) -> Vec<Frame> {
    decode_with(params, packets, |frame| frame)
}

fn decode_with(params: &VideoParams, packets: &[Packet], see: impl Fn(Frame) -> Frame) -> Vec<Frame> {
    let mut decoder = Ffmpeg::new().video_decoder(params).unwrap();
    let mut frames = Vec::new();
    for packet in packets {
        decoder.send(packet).unwrap();
        while let Some(frame) = decoder.receive().unwrap() {
            frames.push(see(frame));
        }
    }
    decoder.flush().unwrap();
    while let Some(frame) = decoder.receive().unwrap() {
        frames.push(see(frame));
    }
    frames
}

fn times(count: u64) -> Vec<Time> {
    let rate = FrameRate::new(25, 1).unwrap();
    (0..count).map(|n| rate.time_of(Tick(n))).collect()
}

const X264: Form = Form {
    encoder: "libx264",
    codec: VideoCodec::Avc,
    pixel: Pixel::YUV420P,
    size: Size::new(320, 180),
    options: &[("preset", "veryfast")],
};

/// Decodes a stream of the pattern, puts it on a canvas of its own size and
/// looks whether it is the pattern.
fn comes_out_right(form: Form, least_db: f64) {
    let times = times(12);
    let Stream { params, packets } = foreign::stream(form, &times);
    let frames = decode(&params, &packets);
    assert_eq!(frames.iter().map(|f| f.pts).collect::<Vec<_>>(), times);
    let mut conform = Conform::new(form.size, Filter::Bicubic);
    for (n, frame) in frames.iter().enumerate() {
        let picture = conform.conform(&frame.picture).unwrap();
        assert_eq!((picture.format(), picture.colour()), (PixelFormat::Yuv420p, Colour::CANVAS));
        let db = pattern::psnr(&picture, &pattern::picture(form.size, n as u32).freeze());
        assert!(db > least_db, "{db} dB in frame {n}");
    }
}

#[test]
fn avc_in_annex_b() {
    comes_out_right(X264, 33.0);
}

#[test]
fn hevc_in_annex_b() {
    let options = &[("preset", "ultrafast"), ("x265-params", "log-level=none:pools=1")];
    comes_out_right(Form { encoder: "libx265", codec: VideoCodec::Hevc, options, ..X264 }, 33.0);
}

#[test]
fn ten_bits() {
    comes_out_right(Form { pixel: Pixel::YUV420P10LE, ..X264 }, 33.0);
}

#[test]
fn four_two_two() {
    comes_out_right(Form { pixel: Pixel::YUV422P, ..X264 }, 33.0);
}

#[test]
fn four_two_two_in_ten_bits() {
    comes_out_right(Form { pixel: Pixel::YUV422P10LE, ..X264 }, 33.0);
}

#[test]
fn four_four_four() {
    comes_out_right(Form { pixel: Pixel::YUV444P, ..X264 }, 33.0);
}

#[test]
fn full_range_and_mjpeg() {
    let form = Form {
        encoder: "mjpeg",
        codec: VideoCodec::Mjpeg,
        pixel: Pixel::YUVJ420P,
        options: &[("qmin", "1"), ("qmax", "2")],
        ..X264
    };
    // An MJPEG stream does not say its matrix, so a small one is read as
    // BT.601; what must be right is the range.
    let Stream { params, packets } = foreign::stream(form, &times(2));
    let frames = decode(&params, &packets);
    assert_eq!(frames[1].picture.colour().range, codecs::Range::Full);
    let picture = Conform::new(form.size, Filter::Bicubic).conform(&frames[1].picture).unwrap();
    let luma = |picture: &codecs::Picture| picture.plane(codecs::Plane::Y).mean();
    let want = luma(&pattern::picture(form.size, 1).freeze());
    assert!(luma(&picture).abs_diff(want) <= 4, "{} for {want}", luma(&picture));
}

#[test]
fn mpeg4_with_b_frames() {
    let form =
        Form { encoder: "mpeg4", codec: VideoCodec::Mpeg4, options: &[("bf", "2"), ("g", "6")], ..X264 };
    let times = times(12);
    let Stream { params, packets } = foreign::stream(form, &times);
    let frames = decode(&params, &packets);
    assert_eq!(frames.iter().map(|f| f.pts).collect::<Vec<_>>(), times);
}

#[test]
fn odd_sizes() {
    let size = Size::new(319, 177);
    comes_out_right(Form { pixel: Pixel::YUV444P, size, ..X264 }, 31.0);
}

#[test]
fn uneven_frame_times() {
    // As a phone or a screen share sends them.
    let times: Vec<Time> =
        [0, 40, 45, 130, 500, 501, 1700, 1733, 1766, 1800, 5000, 5033].map(Time::from_millis).into();
    let Stream { params, packets } = foreign::stream(X264, &times);
    let frames = decode(&params, &packets);
    assert_eq!(frames.iter().map(|f| f.pts).collect::<Vec<_>>(), times);
}

#[test]
fn painting_on_a_copy_leaves_later_pictures_alone() {
    let rate = FrameRate::new(25, 1).unwrap();
    let (params, packets) = x264::encode(&x264::settings(rate), &x264::frames(rate, 60, |n| n == 0));
    let clean = decode(&params, &packets);
    let painted = decode_with(&params, &packets, |frame| {
        let mut copy = frame.picture.to_mut().unwrap();
        copy.fill(Yuv::WHITE);
        // `into_mut` may only go without a copy where the decoder has let go.
        let mut taken = frame.picture.clone().into_mut().unwrap();
        taken.fill(Yuv::WHITE);
        frame
    });
    let sole = decode_with(&params, &packets, |frame| {
        let mut taken = frame.picture.into_mut().unwrap();
        taken.fill(Yuv::WHITE);
        Frame { pts: frame.pts, picture: taken.freeze() }
    });
    assert_eq!(clean.len(), 60);
    assert_eq!(sole.len(), 60);
    for (clean, painted) in clean.iter().zip(&painted) {
        assert!(pattern::pixels(&clean.picture) == pattern::pixels(&painted.picture), "at {}", clean.pts);
    }
    // The last picture was decoded from ones that were painted over, had they been shared.
    let last = decode_with(&params, &packets, |frame| match frame.pts == clean[59].pts {
        true => frame,
        false => {
            let mut taken = frame.picture.into_mut().unwrap();
            taken.fill(Yuv::WHITE);
            Frame { pts: frame.pts, picture: taken.freeze() }
        }
    });
    assert!(pattern::pixels(&last[59].picture) == pattern::pixels(&clean[59].picture));
}

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

#[test]
fn a_flushed_decoder_is_as_new() {
    let rate = FrameRate::new(25, 1).unwrap();
    let (params, packets) = x264::encode(&x264::settings(rate), &x264::frames(rate, 20, |n| n == 0));
    let mut decoder = Ffmpeg::new().video_decoder(&params).unwrap();
    for _ in 0..2 {
        let mut count = 0;
        for packet in &packets {
            decoder.send(packet).unwrap();
            while decoder.receive().unwrap().is_some() {
                count += 1;
            }
        }
        decoder.flush().unwrap();
        while decoder.receive().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, 20);
    }
}

#[test]
fn a_large_stream_takes_two_threads_and_loses_nothing() {
    let size = Size::new(1920, 1080);
    let rate = FrameRate::new(25, 1).unwrap();
    let mut settings = x264::settings(rate);
    (settings.size, settings.preset, settings.bitrate) = (size, "ultrafast", 8_000_000);
    let picture = pattern::picture(size, 0).freeze();
    let frames: Vec<_> = (0..6)
        .map(|n| (Frame { pts: rate.time_of(Tick(n)), picture: picture.clone() }, media::Key::Delta))
        .collect();
    let (params, packets) = x264::encode(&settings, &frames);
    let out = decode(&params, &packets);
    assert_eq!(
        out.iter().map(|f| f.pts).collect::<Vec<_>>(),
        frames.iter().map(|(f, _)| f.pts).collect::<Vec<_>>()
    );
    assert!(pattern::psnr(&out[5].picture, &picture) > 30.0);
}

#[test]
fn every_codec_the_house_names_is_there() {
    use media::{AudioCodec, AudioParams, SampleRate, VideoCodec as V};
    let kit = Ffmpeg::new();
    let size = Some(Size::new(64, 64));
    for codec in [V::Avc, V::Hevc, V::Av1, V::Vp8, V::Vp9, V::Mpeg2, V::Mpeg4, V::Mjpeg, V::Prores] {
        let params = VideoParams { codec, size, config: Bytes::new() };
        assert!(kit.video_decoder(&params).is_ok(), "{codec:?}");
    }
    use AudioCodec as A;
    for codec in [A::Aac, A::Mp2, A::Mp3, A::Opus, A::Ac3, A::Eac3, A::PcmS16] {
        let params = AudioParams { codec, rate: SampleRate::HZ_48000, channels: 2, config: Bytes::new() };
        assert!(kit.audio_decoder(&params).is_ok(), "{codec:?}");
    }
    // Vorbis and Theora cannot begin without their headers, and say so.
    let params = VideoParams { codec: V::Theora, size, config: Bytes::new() };
    assert!(kit.video_decoder(&params).err().unwrap().to_string().starts_with("theora could not open"));
}

#[test]
fn interlaced_pictures_lose_their_combs() {
    let options = &[("preset", "veryfast"), ("flags", "+ildct+ilme"), ("qp", "10")];
    let form = Form { options, size: Size::new(320, 192), ..X264 };
    let Stream { params, packets } = foreign::combed(form);
    let frames = decode(&params, &packets);
    let picture = &frames[1].picture;
    assert_ne!(picture.scan(), codecs::Scan::Progressive);
    // Dark upper field, bright lower one: only the upper is taken.
    let luma = picture.plane(codecs::Plane::Y);
    assert!(luma.row(90)[100] < 60 && luma.row(91)[100] > 180);
    let out = Conform::new(form.size, Filter::Bicubic).conform(picture).unwrap();
    let luma = out.plane(codecs::Plane::Y);
    assert!(luma.rows().flatten().all(|&p| p < 60), "{}", luma.mean());
}

#[test]
fn another_matrix_is_turned_into_the_canvas_one() {
    let options = &[("preset", "veryfast"), ("colorspace", "smpte170m")];
    let form = Form { options, ..X264 };
    let Stream { params, packets } = foreign::stream(form, &times(3));
    let frames = decode(&params, &packets);
    assert_eq!(frames[2].picture.colour().matrix, codecs::Matrix::Bt601);
    let out = Conform::new(form.size, Filter::Bicubic).conform(&frames[2].picture).unwrap();
    let (mut worst, mut moved) = (0.0f64, 0.0f64);
    let (from, to) = (&frames[2].picture, &out);
    let at = |picture: &codecs::Picture, plane, x: usize, y: usize| f64::from(picture.plane(plane).row(y)[x]);
    // Away from the square's edges, where chroma is between its neighbours.
    for (x, y) in [(20, 160), (100, 120), (200, 150), (300, 20), (310, 170)] {
        use codecs::Plane::{U, V, Y};
        let (l, b, r) = (
            (at(from, Y, x, y) - 16.0) / 219.0,
            (at(from, U, x / 2, y / 2) - 128.0) / 224.0,
            (at(from, V, x / 2, y / 2) - 128.0) / 224.0,
        );
        let (red, blue) = (l + 1.402 * r, l + 1.772 * b);
        let green = (l - 0.299 * red - 0.114 * blue) / 0.587;
        let rgb = [red, green, blue].map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8);
        let want = Yuv::from(codecs::Rgb::new(rgb[0], rgb[1], rgb[2]));
        worst = worst.max((at(to, Y, x, y) - f64::from(want.y)).abs());
        worst = worst.max((at(to, U, x / 2, y / 2) - f64::from(want.u)).abs());
        worst = worst.max((at(to, V, x / 2, y / 2) - f64::from(want.v)).abs());
        moved = moved.max((at(to, Y, x, y) - at(from, Y, x, y)).abs());
    }
    assert!(worst <= 4.0, "{worst} off");
    assert!(moved >= 5.0, "only {moved} moved: the test sees nothing");
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
        let rate = FrameRate::new(25, 1).unwrap();
        let frames = x264::frames(rate, 40, |n| n % 20 == 0);
        let (params, mut packets) = x264::encode(&x264::settings(rate), &frames);
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
