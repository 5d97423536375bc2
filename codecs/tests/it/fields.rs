//! Interlaced streams: whole pictures, in their order and at their time.

use codecs::{Cadence, Conform, Deinterlacer, Fields, Filter, Frame, Picture, PictureMut, Plane, Scan};
use ffmpeg_next as ffmpeg;
use ffmpeg_next::format::Pixel;
use media::{Size, Span, Time, VideoCodec};

use crate::decode::decode;
use crate::foreign::{self, Form, Stream};
use crate::pattern;

const SIZE: Size = Size::new(320, 192);
/// Pixels the edge moves by from field to field.
const STEP: u32 = 6;

const TOP_FIRST: Form = Form {
    encoder: "libx264",
    codec: VideoCodec::Avc,
    pixel: Pixel::YUV420P,
    size: SIZE,
    options: &[("preset", "veryfast"), ("flags", "+ildct+ilme"), ("qp", "8"), ("x264-params", "tff=1")],
};
const BOTTOM_FIRST: Form = Form {
    options: &[("preset", "veryfast"), ("flags", "+ildct+ilme"), ("qp", "8"), ("x264-params", "bff=1")],
    ..TOP_FIRST
};
const MPEG2: Form = Form {
    encoder: "mpeg2video",
    codec: VideoCodec::Mpeg2,
    options: &[("flags", "+ildct+ilme"), ("qmin", "2"), ("qmax", "2"), ("g", "6")],
    ..TOP_FIRST
};
const PROGRESSIVE: Form = Form { options: &[("preset", "veryfast"), ("qp", "8")], ..TOP_FIRST };

#[derive(Clone, Copy, PartialEq)]
enum First {
    Upper,
    Lower,
}

fn times(count: i64) -> Vec<Time> {
    (0..count).map(|n| Time::from_millis(n * 40)).collect()
}

/// A bright bar from the left whose edge moves from field to field.
fn moving_edge(form: Form, first: First, times: &[Time]) -> Stream {
    foreign::stream_of(form, times, |n| {
        let mut frame = foreign::picture(form.pixel, form.size, 0);
        let stride = frame.stride(0);
        for (y, row) in frame.data_mut(0).chunks_mut(stride).enumerate() {
            let later = (y % 2 == 1) == (first == First::Upper);
            let edge = 20 + STEP * (2 * n + u32::from(later));
            row.fill(50);
            row[..edge as usize].fill(190);
        }
        for plane in [1, 2] {
            frame.data_mut(plane).fill(128);
        }
        foreign::interlaced(&frame, if first == First::Upper { "tff" } else { "bff" })
    })
}

fn deinterlaced(cadence: Cadence, frames: &[Frame]) -> Vec<Frame> {
    let mut deinterlacer = Deinterlacer::new(cadence);
    let mut out = Vec::new();
    for frame in frames {
        deinterlacer.push(frame.clone(), &mut |frame| out.push(frame)).unwrap();
    }
    deinterlacer.flush(&mut |frame| out.push(frame)).unwrap();
    out
}

/// In the one format whose pixels can be looked at, with all its lines.
fn bare(picture: &Picture) -> Picture {
    let mut conform = Conform::new(picture.size(), Filter::Bicubic).taking(Fields::Woven);
    conform.conform(picture).unwrap()
}

/// How many of a thousand pixels stand out from both the lines above and below, the same way.
fn combs(picture: &Picture) -> usize {
    let picture = bare(picture);
    let luma = picture.plane(Plane::Y);
    let mut found = 0;
    for y in 1..luma.height - 1 {
        for ((&above, &here), &below) in luma.row(y - 1).iter().zip(luma.row(y)).zip(luma.row(y + 1)) {
            let (up, down) = (i32::from(here) - i32::from(above), i32::from(here) - i32::from(below));
            found += usize::from(up * down > 900);
        }
    }
    found * 1000 / (luma.width * luma.height)
}

/// Where the bar ends, in the mean of all lines.
fn edge(picture: &Picture) -> f64 {
    let picture = bare(picture);
    let luma = picture.plane(Plane::Y);
    let lit: f64 = luma.rows().flatten().map(|&p| (f64::from(p) - 50.0) / 140.0).sum();
    lit / luma.height as f64
}

fn moving_without_combs(form: Form, first: First) {
    let times = times(8);
    let Stream { params, packets } = moving_edge(form, first, &times);
    let frames = decode(&params, &packets);
    assert_eq!(frames.len(), times.len());
    let scan = if first == First::Upper { Scan::TopFirst } else { Scan::BottomFirst };
    for frame in &frames {
        assert_eq!(frame.picture.scan(), scan);
        assert!(combs(&frame.picture) >= 10, "the measure sees combs: {}", combs(&frame.picture));
    }
    for (cadence, step) in [(Cadence::Fields, 20), (Cadence::Frames, 40)] {
        let out = deinterlaced(cadence, &frames);
        let want: Vec<_> = (0..320 / step).map(|n| Time::from_millis(n * step)).collect();
        assert_eq!(out.iter().map(|f| f.pts).collect::<Vec<_>>(), want, "{cadence:?}");
        for (n, frame) in out.iter().enumerate() {
            assert_eq!(frame.picture.scan(), Scan::Progressive);
            assert_eq!(combs(&frame.picture), 0, "{cadence:?} {n}");
            // In the wrong order the edge would go to and fro.
            let want = 20.0 + f64::from(STEP) * (n as f64 * step as f64 / 20.0);
            assert!((edge(&frame.picture) - want).abs() < 2.5, "{cadence:?} {n}: {}", edge(&frame.picture));
        }
    }
}

#[test]
fn upper_field_first() {
    moving_without_combs(TOP_FIRST, First::Upper);
}

#[test]
fn lower_field_first() {
    moving_without_combs(BOTTOM_FIRST, First::Lower);
}

#[test]
fn fields_of_mpeg2() {
    moving_without_combs(MPEG2, First::Upper);
}

#[test]
fn deep_colour_and_four_two_two_have_no_combs_either() {
    let options = &[("preset", "veryfast"), ("flags", "+ildct+ilme"), ("qp", "8"), ("x264-params", "tff=1")];
    moving_without_combs(Form { pixel: Pixel::YUV422P, options, ..TOP_FIRST }, First::Upper);
}

/// What bwdif gives over the field scaler: where nothing moves, all lines are kept.
#[test]
fn a_still_picture_keeps_its_detail() {
    let times = times(6);
    let fine = |frame: &mut ffmpeg::frame::Video| {
        let stride = frame.stride(0);
        for (y, row) in frame.data_mut(0).chunks_mut(stride).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                // Rings, the finer the further out.
                let r = ((x as f64 - 160.0).powi(2) + (y as f64 - 96.0).powi(2)) / 160.0;
                *pixel = (120.0 + 80.0 * r.cos()) as u8;
            }
        }
    };
    let picture = |_| {
        let mut frame = foreign::picture(TOP_FIRST.pixel, SIZE, 0);
        fine(&mut frame);
        foreign::interlaced(&frame, "tff")
    };
    let Stream { params, packets } = foreign::stream_of(TOP_FIRST, &times, picture);
    let frames = decode(&params, &packets);
    let mut original = pattern::picture(SIZE, 0);
    let lines = picture(0);
    let stride = lines.stride(0);
    for (row, from) in original.plane_mut(Plane::Y).rows_mut().zip(lines.data(0).chunks(stride)) {
        row.copy_from_slice(&from[..row.len()]);
    }
    let original = original.freeze();
    let out = deinterlaced(Cadence::Fields, &frames);
    let whole = pattern::psnr(&out[5].picture, &original);
    let half = Conform::new(SIZE, Filter::Bicubic).conform(&frames[2].picture).unwrap();
    let half = pattern::psnr(&half, &original);
    println!("a still picture: {whole:.1} dB by bwdif, {half:.1} dB by the field scaler");
    assert!(whole > 35.0 && whole > half + 10.0, "{whole:.1} dB by bwdif, {half:.1} dB by the field scaler");
}

#[test]
fn a_progressive_stretch_passes_untouched_and_in_its_place() {
    let all: Vec<_> = times(130);
    let whole = moving_edge(TOP_FIRST, First::Upper, &all[..5]);
    let later = foreign::stream(PROGRESSIVE, &all[5..120]);
    let last = moving_edge(TOP_FIRST, First::Upper, &all[120..]);
    let frames: Vec<Frame> = [&whole, &later, &last]
        .into_iter()
        .flat_map(|stream| decode(&stream.params, &stream.packets))
        .collect();
    let out = deinterlaced(Cadence::Fields, &frames);
    assert_eq!(out.len(), 10 + 115 + 20);
    assert!(out.is_sorted_by(|a, b| a.pts < b.pts));
    for (n, (out, frame)) in out[10..125].iter().zip(&frames[5..120]).enumerate() {
        assert_eq!(out.pts, frame.pts);
        assert!(pattern::pixels(&out.picture) == pattern::pixels(&frame.picture), "picture {n}");
        // After a while the filter is gone, and nothing is held back.
        assert!(n < 60 || out.picture.ptr_eq(&frame.picture), "picture {n}");
    }
    assert!(out[..10].iter().chain(&out[125..]).all(|f| combs(&f.picture) == 0));
}

#[test]
fn a_jump_in_time_and_another_size_begin_anew_and_lose_nothing() {
    let times = times(4);
    let Stream { params, packets } = moving_edge(TOP_FIRST, First::Upper, &times);
    let first = decode(&params, &packets);
    let small = Form { size: Size::new(160, 96), ..TOP_FIRST };
    let Stream { params, packets } = moving_edge(small, First::Upper, &times);
    let second = decode(&params, &packets);
    let moved = |by: i64, frames: &[Frame]| -> Vec<Frame> {
        frames.iter().map(|f| Frame { pts: f.pts + Span::from_millis(by), ..f.clone() }).collect()
    };
    let frames =
        [first.clone(), moved(160, &second), moved(-9_000, &first), moved(7_200_000, &second)].concat();
    let out = deinterlaced(Cadence::Fields, &frames);
    let want: Vec<_> = [0, 160, -9_000, 7_200_000]
        .into_iter()
        .flat_map(|from| (0..8).map(move |n| Time::from_millis(from + n * 20)))
        .collect();
    assert_eq!(out.iter().map(|f| f.pts).collect::<Vec<_>>(), want);
    assert!(out.iter().all(|f| combs(&f.picture) == 0));
}

#[test]
fn a_picture_too_small_for_the_filter_has_its_field_scaled() {
    let form = Form { size: Size::new(16, 8), ..MPEG2 };
    let form = Form { options: &[("flags", "+ildct+ilme")], ..form };
    let Stream { params, packets } = foreign::combed(form);
    let frames = decode(&params, &packets);
    let out = deinterlaced(Cadence::Fields, &frames);
    assert_eq!(out.len(), 3);
    assert_ne!(out[0].picture.scan(), Scan::Progressive);
    let mut conform = Conform::new(Size::new(64, 32), Filter::Bicubic);
    let luma = |picture: &Picture| picture.plane(Plane::Y).rows().flatten().copied().max();
    assert!(luma(&conform.conform(&out[1].picture).unwrap()) < Some(90));
    let mut woven = Conform::new(Size::new(64, 32), Filter::Bicubic).taking(Fields::Woven);
    assert!(luma(&woven.conform(&out[1].picture).unwrap()) > Some(150));
}

#[test]
fn a_lone_picture_comes_out_once() {
    let Stream { params, packets } = moving_edge(TOP_FIRST, First::Upper, &times(1));
    let frames = decode(&params, &packets);
    let out = deinterlaced(Cadence::Fields, &frames);
    assert_eq!((out.len(), out[0].pts), (1, Time::ZERO));
    let progressive = PictureMut::new(SIZE).unwrap().freeze();
    let out = deinterlaced(Cadence::Fields, &[Frame { pts: Time::ZERO, picture: progressive.clone() }]);
    assert!(out[0].picture.ptr_eq(&progressive));
}
