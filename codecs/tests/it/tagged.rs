//! Colours by their tags: bars in every matrix, range and depth come out as the canvas's.

use codecs::{Colour, Conform, Filter, Gamut, Matrix, Picture, Plane, Range, Rgb, Transfer, Yuv};
use ffmpeg_next as ffmpeg;
use ffmpeg_next::format::Pixel;
use media::{Size, Time, VideoCodec};

use crate::decode::decode;
use crate::foreign::{self, Form, Stream};

const SIZE: Size = Size::new(320, 180);
const BAR: usize = 40;
/// White, yellow, cyan, green, magenta, red, blue and black: full, and two that are not.
const BARS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [191, 0, 191],
    [255, 0, 0],
    [0, 0, 255],
    [40, 40, 40],
];

/// The weights of red and blue.
const BT601: (f64, f64) = (0.299, 0.114);
const BT709: (f64, f64) = (0.2126, 0.0722);
const BT2020: (f64, f64) = (0.2627, 0.0593);
const SMPTE240: (f64, f64) = (0.212, 0.087);

/// A colour's numbers, by the book.
fn coded([r, g, b]: [u8; 3], (kr, kb): (f64, f64), range: Range, bits: u32) -> [u16; 3] {
    let [r, g, b] = [r, g, b].map(|part| f64::from(part) / 255.0);
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
    let wide = f64::from(1 << (bits - 8));
    let most = f64::from((1 << bits) - 1);
    let (y, u, v) = match range {
        Range::Limited => ((16.0 + 219.0 * y) * wide, (128.0 + 224.0 * u) * wide, (128.0 + 224.0 * v) * wide),
        Range::Full => (most * y, 128.0 * wide + most * u, 128.0 * wide + most * v),
    };
    [y, u, v].map(|x| x.round().clamp(0.0, most) as u16)
}

/// The bars in any planar format.
fn bars(pixel: Pixel, size: Size, of: impl Fn([u8; 3]) -> [u16; 3]) -> ffmpeg::frame::Video {
    let mut frame = ffmpeg::frame::Video::new(pixel, size.width, size.height);
    let about = pixel.descriptor().unwrap();
    let deep = format!("{pixel:?}").contains("10");
    for i in 0..3 {
        let shift = if i > 0 { about.log2_chroma_w() } else { 0 };
        let stride = frame.stride(i);
        for row in frame.data_mut(i).chunks_mut(stride) {
            for x in 0..size.width as usize >> shift {
                let value = of(BARS[((x << shift) * 8 / size.width as usize).min(7)])[i];
                if deep {
                    row[2 * x..][..2].copy_from_slice(&value.to_le_bytes());
                } else {
                    row[x] = value as u8;
                }
            }
        }
    }
    frame
}

/// The bars' colours, from their middles.
fn seen(picture: &Picture) -> [[u8; 3]; 8] {
    let size = picture.size();
    std::array::from_fn(|n| {
        let x = (2 * n + 1) * size.width as usize / 16;
        let at =
            |plane, halved: usize| picture.plane(plane).row(size.height as usize / 2 / halved)[x / halved];
        [at(Plane::Y, 1), at(Plane::U, 2), at(Plane::V, 2)]
    })
}

/// Fails unless the bars are what they are in the canvas's colours, to two levels.
fn right(picture: &Picture, what: &str) {
    assert_eq!(picture.colour(), Colour::CANVAS, "{what}");
    for (bar, got) in BARS.into_iter().zip(seen(picture)) {
        let Yuv { y, u, v } = Yuv::from(Rgb::new(bar[0], bar[1], bar[2]));
        let off = [y, u, v].into_iter().zip(got).map(|(a, b)| a.abs_diff(b)).max();
        assert!(off <= Some(2), "{what}: {bar:?} is {got:?} and should be {:?}", [y, u, v]);
    }
}

const LOSSLESS: Form =
    Form { encoder: "libx264", codec: VideoCodec::Avc, pixel: Pixel::YUV420P, size: SIZE, options: &[] };

fn decoded(form: Form, picture: impl Fn(u32) -> ffmpeg::frame::Video) -> Picture {
    let Stream { params, packets } = foreign::stream_of(form, &[Time::ZERO], picture);
    decode(&params, &packets).remove(0).picture
}

type Options = &'static [(&'static str, &'static str)];

#[test]
fn every_matrix_and_range_in_every_sampling_and_depth() {
    type Case = (Options, Matrix, (f64, f64), Range);
    const CASES: [Case; 8] = [
        (
            &[("qp", "0"), ("colorspace", "bt709"), ("color_range", "tv")],
            Matrix::Bt709,
            BT709,
            Range::Limited,
        ),
        (&[("qp", "0"), ("colorspace", "bt709"), ("color_range", "pc")], Matrix::Bt709, BT709, Range::Full),
        (
            &[("qp", "0"), ("colorspace", "smpte170m"), ("color_range", "tv")],
            Matrix::Bt601,
            BT601,
            Range::Limited,
        ),
        (
            &[("qp", "0"), ("colorspace", "bt470bg"), ("color_range", "tv")],
            Matrix::Bt601,
            BT601,
            Range::Limited,
        ),
        (&[("qp", "0"), ("colorspace", "bt470bg"), ("color_range", "pc")], Matrix::Bt601, BT601, Range::Full),
        (
            &[("qp", "0"), ("colorspace", "bt2020nc"), ("color_range", "tv")],
            Matrix::Bt2020,
            BT2020,
            Range::Limited,
        ),
        (
            &[("qp", "0"), ("colorspace", "bt2020nc"), ("color_range", "pc")],
            Matrix::Bt2020,
            BT2020,
            Range::Full,
        ),
        (
            &[("qp", "0"), ("colorspace", "smpte240m"), ("color_range", "tv")],
            Matrix::Smpte240,
            SMPTE240,
            Range::Limited,
        ),
    ];
    for (options, matrix, weights, range) in CASES {
        for (pixel, bits) in [
            (Pixel::YUV420P, 8),
            (Pixel::YUV422P, 8),
            (Pixel::YUV444P, 8),
            (Pixel::YUV420P10LE, 10),
            (Pixel::YUV422P10LE, 10),
            (Pixel::YUV444P10LE, 10),
        ] {
            let what = format!("{options:?} {pixel:?}");
            let form = Form { options, pixel, ..LOSSLESS };
            let picture = decoded(form, |_| bars(pixel, SIZE, |bar| coded(bar, weights, range, bits)));
            assert_eq!(picture.colour(), Colour { matrix, range }, "{what}");
            for canvas in [SIZE, Size::new(640, 360)] {
                right(&Conform::new(canvas, Filter::Bicubic).conform(&picture).unwrap(), &what);
            }
        }
    }
}

/// FFmpeg's older names for full range: nothing but the format says so.
#[test]
fn full_range_by_the_format_alone() {
    for pixel in [Pixel::YUVJ420P, Pixel::YUVJ422P, Pixel::YUVJ444P] {
        let form = Form {
            encoder: "mjpeg",
            codec: VideoCodec::Mjpeg,
            pixel,
            options: &[("qmin", "1"), ("qmax", "1")],
            ..LOSSLESS
        };
        let picture = decoded(form, |_| bars(pixel, SIZE, |bar| coded(bar, BT601, Range::Full, 8)));
        assert_eq!(picture.colour().range, Range::Full);
        right(&Conform::new(SIZE, Filter::Bicubic).conform(&picture).unwrap(), &format!("{pixel:?}"));
    }
}

#[test]
fn what_is_untagged_is_guessed_by_its_size() {
    let options: Options = &[("preset", "ultrafast"), ("qp", "0"), ("colorspace", "unknown")];
    for (size, weights) in
        [(Size::new(720, 576), BT601), (Size::new(640, 360), BT601), (Size::new(1280, 720), BT709)]
    {
        let form = Form { options, size, ..LOSSLESS };
        let picture = decoded(form, |_| bars(form.pixel, size, |bar| coded(bar, weights, Range::Limited, 8)));
        assert_eq!(picture.colour().matrix, Matrix::Unknown);
        // Pixels are square: 720x576 stands between bars of black on any other canvas.
        let out = Conform::new(size, Filter::Bicubic).conform(&picture).unwrap();
        if size.height == 720 {
            assert!(out.ptr_eq(&picture), "it fits, and is not copied");
        } else {
            right(&out, &size.to_string());
        }
    }
}

#[test]
fn red_green_and_blue() {
    let options: Options =
        &[("preset", "ultrafast"), ("qp", "0"), ("colorspace", "rgb"), ("color_range", "pc")];
    let form = Form { encoder: "libx264rgb", pixel: Pixel::RGB24, options, ..LOSSLESS };
    let rgb = |pixel: Pixel| {
        let mut frame = ffmpeg::frame::Video::new(pixel, SIZE.width, SIZE.height);
        let (stride, step) = (frame.stride(0), if pixel == Pixel::RGB24 { 3 } else { 4 });
        for row in frame.data_mut(0).chunks_mut(stride) {
            for (x, out) in row.chunks_exact_mut(step).take(SIZE.width as usize).enumerate() {
                out.fill(255);
                out[..3].copy_from_slice(&BARS[(x / BAR).min(7)]);
            }
        }
        frame
    };
    let picture = decoded(form, |_| rgb(Pixel::RGB24));
    assert_eq!(picture.colour().matrix, Matrix::Rgb);
    right(&Conform::new(SIZE, Filter::Bicubic).conform(&picture).unwrap(), "AVC");
    for pixel in [Pixel::RGB24, Pixel::RGBA] {
        let form = Form { encoder: "png", codec: VideoCodec::Png, pixel, options: &[], ..LOSSLESS };
        let picture = decoded(form, |_| rgb(pixel));
        assert_eq!(picture.has_alpha(), pixel == Pixel::RGBA);
        right(&Conform::new(SIZE, Filter::Bicubic).conform(&picture).unwrap(), &format!("PNG {pixel:?}"));
    }
}

/// A stream may change what its numbers mean without changing its size.
#[test]
fn tags_that_change_in_mid_stream_are_followed_at_once() {
    let limited: Options =
        &[("preset", "ultrafast"), ("qp", "0"), ("colorspace", "smpte170m"), ("color_range", "tv")];
    let full: Options =
        &[("preset", "ultrafast"), ("qp", "0"), ("colorspace", "bt2020nc"), ("color_range", "pc")];
    let mut conform = Conform::new(SIZE, Filter::Bicubic);
    for _ in 0..2 {
        for (options, weights, range) in [(limited, BT601, Range::Limited), (full, BT2020, Range::Full)] {
            let form = Form { options, ..LOSSLESS };
            let picture = decoded(form, |_| bars(form.pixel, SIZE, |bar| coded(bar, weights, range, 8)));
            right(&conform.conform(&picture).unwrap(), &format!("{options:?}"));
        }
    }
}

#[test]
fn high_dynamic_range_and_wide_gamut_are_seen() {
    for (transfer, want) in
        [("smpte2084", Transfer::Pq), ("arib-std-b67", Transfer::Hlg), ("bt709", Transfer::Sdr)]
    {
        // `options` wants what lives for ever.
        let options: Options = match transfer {
            "smpte2084" => &[("qp", "0"), ("color_trc", "smpte2084"), ("color_primaries", "bt2020")],
            "arib-std-b67" => &[("qp", "0"), ("color_trc", "arib-std-b67"), ("color_primaries", "bt2020")],
            _ => &[("qp", "0"), ("color_trc", "bt709"), ("color_primaries", "smpte170m")],
        };
        let form = Form { options, ..LOSSLESS };
        let picture = decoded(form, |_| bars(form.pixel, SIZE, |bar| coded(bar, BT709, Range::Limited, 8)));
        let gamut = if want == Transfer::Sdr { Gamut::Standard } else { Gamut::Wide };
        assert_eq!((picture.transfer(), picture.gamut()), (want, gamut));
    }
}

/// BT.470's powers tell what a display was taken for, and sRGB's curve is seen on the same one: a film of
/// PAL tagged with a power of 2.8 was darkened by some 30 levels.
#[test]
fn a_grey_stays_what_it_is_whatever_curve_is_told() {
    const CASES: [Options; 6] = [
        &[("qp", "0"), ("color_primaries", "bt470bg"), ("color_trc", "gamma28")],
        &[("qp", "0"), ("color_primaries", "bt470bg"), ("color_trc", "gamma22")],
        &[("qp", "0"), ("color_primaries", "bt470bg"), ("color_trc", "smpte170m")],
        &[("qp", "0"), ("color_primaries", "smpte170m"), ("color_trc", "gamma22")],
        &[("qp", "0"), ("color_primaries", "smpte432"), ("color_trc", "iec61966-2-1")],
        &[("qp", "0"), ("color_primaries", "bt709"), ("color_trc", "gamma28")],
    ];
    let level = |n: usize| 20 + 28 * n as u16;
    for options in CASES {
        let form = Form { options, ..LOSSLESS };
        let grey = |bar: [u8; 3]| level(BARS.iter().position(|other| *other == bar).unwrap());
        let picture = decoded(form, |_| bars(form.pixel, SIZE, |bar| [grey(bar), 128, 128]));
        let shown = Conform::new(SIZE, Filter::Bicubic).conform(&picture).unwrap();
        for (n, got) in seen(&shown).into_iter().enumerate() {
            let off = got.into_iter().zip([level(n) as u8, 128, 128]).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(1), "{options:?}: {got:?}, not {}", level(n));
        }
    }
}

/// What is transparent is black, half of it is half.
#[test]
fn alpha_lies_over_black() {
    let size = Size::new(320, 160);
    // Opaque, half and not at all, from the left; red everywhere.
    let alpha = |x: usize| [255, 128, 0][(x * 3 / 320).min(2)];
    let png = |_| {
        let mut frame = ffmpeg::frame::Video::new(Pixel::RGBA, size.width, size.height);
        let stride = frame.stride(0);
        for row in frame.data_mut(0).chunks_mut(stride) {
            for (x, out) in row.chunks_exact_mut(4).take(320).enumerate() {
                out.copy_from_slice(&[255, 0, 0, alpha(x)]);
            }
        }
        frame
    };
    let red = Yuv::from(Rgb::new(255, 0, 0));
    let half = Yuv::new(
        (16.0 + (f64::from(red.y) - 16.0) * 128.0 / 255.0) as u8,
        (128.0 + (f64::from(red.u) - 128.0) * 128.0 / 255.0) as u8,
        (128.0 + (f64::from(red.v) - 128.0) * 128.0 / 255.0) as u8,
    );
    let form = Form { encoder: "png", codec: VideoCodec::Png, pixel: Pixel::RGBA, size, options: &[] };
    let prores = Form {
        encoder: "prores_ks",
        codec: VideoCodec::Prores,
        pixel: Pixel::YUVA444P10LE,
        size,
        options: &[("profile", "4444"), ("colorspace", "bt709"), ("alpha_bits", "16")],
    };
    let deep = |_| {
        let mut frame = ffmpeg::frame::Video::new(Pixel::YUVA444P10LE, size.width, size.height);
        frame.set_color_space(ffmpeg::color::Space::BT709);
        for i in 0..4 {
            let value = [red.y, red.u, red.v, 0][i];
            let stride = frame.stride(i);
            for row in frame.data_mut(i).chunks_mut(stride) {
                for x in 0..320 {
                    let wide =
                        if i == 3 { (u32::from(alpha(x)) * 1023 / 255) as u16 } else { u16::from(value) * 4 };
                    row[2 * x..][..2].copy_from_slice(&wide.to_le_bytes());
                }
            }
        }
        frame
    };
    for (name, picture) in [("PNG", decoded(form, png)), ("ProRes 4444", decoded(prores, deep))] {
        assert!(picture.has_alpha(), "{name}");
        for canvas in [size, Size::new(640, 360), Size::new(200, 300)] {
            let out = Conform::new(canvas, Filter::Bicubic).conform(&picture).unwrap();
            let (w, h) = (canvas.width as usize, canvas.height as usize);
            for (third, want) in [red, half, Yuv::BLACK].into_iter().enumerate() {
                let x = (2 * third + 1) * w / 6;
                let at = |plane, by: usize| out.plane(plane).row(h / 2 / by)[x / by];
                let got = [at(Plane::Y, 1), at(Plane::U, 2), at(Plane::V, 2)];
                let off = [want.y, want.u, want.v].into_iter().zip(got).map(|(a, b)| a.abs_diff(b)).max();
                assert!(off <= Some(3), "{name} on {canvas}: third {third} is {got:?}, not {want:?}");
            }
        }
    }
}
