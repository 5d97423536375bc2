//! Decoders on streams of all kinds, whole and damaged.

use bytes::Bytes;
use codecs::{CodecKit, Colour, Conform, Ffmpeg, Filter, Frame, PixelFormat, VideoEncoderSettings, Yuv};
use ffmpeg_next::format::Pixel;
use media::{FrameRate, Packet, Size, Tick, Time, VideoCodec, VideoParams};

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

/// NAL units of an Annex B packet, by the book: start codes are 00 00 01.
fn annex_b_units(data: &[u8]) -> Vec<Vec<u8>> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        if rest.starts_with(&[0, 0, 1]) {
            if let Some(unit) = units.last_mut() {
                while unit.last() == Some(&0) {
                    unit.pop();
                }
            }
            units.push(Vec::new());
            rest = &rest[3..];
        } else {
            if let Some(unit) = units.last_mut() {
                unit.push(rest[0]);
            }
            rest = &rest[1..];
        }
    }
    units
}

#[test]
fn hevc_as_enhanced_flv_carries_it() {
    let options = &[("preset", "ultrafast"), ("x265-params", "log-level=none:pools=1")];
    let form = Form { encoder: "libx265", codec: VideoCodec::Hevc, options, ..X264 };
    let times = times(8);
    let Stream { mut params, mut packets } = foreign::stream(form, &times);
    let of_type = |unit: &[u8]| unit[0] >> 1 & 63;
    // hvcC (ISO/IEC 14496-15, 8.3.3.1): 22 bytes about the profile, of which
    // only the length size counts here, then the parameter sets.
    let mut config = vec![1; 21];
    config.extend([0xff, 3]);
    for unit in annex_b_units(&packets[0].data).iter().filter(|unit| (32..=34).contains(&of_type(unit))) {
        config.extend([0x80 | of_type(unit), 0, 1]);
        config.extend((unit.len() as u16).to_be_bytes());
        config.extend(unit);
    }
    params.config = config.into();
    for packet in &mut packets {
        let mut data = Vec::new();
        for unit in annex_b_units(&packet.data).iter().filter(|unit| of_type(unit) < 32) {
            data.extend((unit.len() as u32).to_be_bytes());
            data.extend(unit);
        }
        packet.data = data.into();
    }
    let frames = decode(&params, &packets);
    assert_eq!(frames.iter().map(|f| f.pts).collect::<Vec<_>>(), times);
    assert!(pattern::psnr(&frames[7].picture, &pattern::picture(form.size, 7).freeze()) > 33.0);
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
fn a_prompt_decoder_gives_each_picture_of_a_large_stream_at_once() {
    let size = Size::new(1920, 1080);
    let rate = FrameRate::new(25, 1).unwrap();
    let mut settings = VideoEncoderSettings::new(size, rate, 8_000_000);
    (settings.preset, settings.lookahead) = ("ultrafast", codecs::Lookahead::None);
    let picture = pattern::picture(size, 0).freeze();
    let frames: Vec<_> = (0..4)
        .map(|n| (Frame { pts: rate.time_of(Tick(n)), picture: picture.clone() }, media::Key::Delta))
        .collect();
    let (params, packets) = x264::encode(&settings, &frames);
    let mut decoder = Ffmpeg::new().prompt_video_decoder(&params).unwrap();
    let prompt: Vec<Frame> = packets
        .iter()
        .map(|packet| {
            decoder.send(packet).unwrap();
            decoder.receive().unwrap().filter(|frame| frame.pts == packet.pts).expect("it is there")
        })
        .collect();
    let easy = decode(&params, &packets);
    let same = |(a, b): (&Frame, &Frame)| pattern::pixels(&a.picture) == pattern::pixels(&b.picture);
    assert!(easy.len() == 4 && prompt.iter().zip(&easy).all(same));
}

#[test]
fn a_large_stream_takes_two_threads_and_loses_nothing() {
    let size = Size::new(1920, 1080);
    let rate = FrameRate::new(25, 1).unwrap();
    let mut settings = VideoEncoderSettings::new(size, rate, 8_000_000);
    settings.preset = "ultrafast";
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
    for codec in [V::Avc, V::Hevc, V::Av1, V::Vp8, V::Vp9, V::Mpeg2, V::Mpeg4, V::Mjpeg, V::Prores, V::Png] {
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
        // Not clipped to what RGB can show: nothing goes through RGB.
        let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        let want = [
            16.0 + 219.0 * luma,
            128.0 + 224.0 * (blue - luma) / 1.8556,
            128.0 + 224.0 * (red - luma) / 1.5748,
        ];
        let got = [at(to, Y, x, y), at(to, U, x / 2, y / 2), at(to, V, x / 2, y / 2)];
        for (want, got) in want.into_iter().zip(got) {
            worst = worst.max((want - got).abs());
        }
        moved = moved.max((at(to, Y, x, y) - at(from, Y, x, y)).abs());
    }
    assert!(worst <= 2.0, "{worst} off");
    assert!(moved >= 5.0, "only {moved} moved: the test sees nothing");
}
