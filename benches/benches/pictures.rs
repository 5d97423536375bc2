//! A source's picture onto the canvas: what deinterlacing costs beside decoding the same
//! 1080i, what turning one matrix into another costs, and that a fitting picture costs nothing.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benches::{Extent, film};
use codecs::{Cadence, CodecKit, Conform, Deinterlacer, Ffmpeg, Filter, Frame, Plane};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flv::video::VideoHeader;
use flv::{Item, TagKind, TagReader};
use media::{Key, Packet, Size, Span, Time, Track, VideoCodec, VideoParams};

const CANVAS: Size = Size::new(1920, 1080);

struct Stream {
    params: VideoParams,
    packets: Vec<Packet>,
}

/// The film as 1080i at 25 frames a second and 8 Mbit/s, tagged with this matrix: by the
/// system's ffmpeg, since our own encoder makes no fields.
fn stream(frames: usize, matrix: &str, fields: &[&str]) -> Stream {
    let film = film::film(1, CANVAS, frames).unwrap();
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-hide_banner", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1920x1080"])
        .args(["-r", "25", "-i", "-"])
        .args(fields)
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-b:v",
            "8M",
            "-colorspace",
            matrix,
            "-f",
            "flv",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = ffmpeg.stdin.take().unwrap();
    let feed = std::thread::spawn(move || {
        for picture in &film {
            for row in Plane::ALL.into_iter().flat_map(|plane| picture.plane(plane).rows()) {
                stdin.write_all(row).unwrap();
            }
        }
    });
    let bytes = ffmpeg.wait_with_output().unwrap().stdout;
    feed.join().unwrap();
    let mut reader = TagReader::new();
    reader.push(bytes.into());
    let mut stream = Stream {
        params: VideoParams { codec: VideoCodec::Avc, size: Some(CANVAS), config: [][..].into() },
        packets: Vec::new(),
    };
    while let Some(item) = reader.next().unwrap() {
        let Item::Tag(tag) = item else { continue };
        if tag.kind != TagKind::Video {
            continue;
        }
        let header = VideoHeader::parse(tag.body()).unwrap();
        let data = header.payload(tag.body());
        if header.is_sequence_start() {
            stream.params.config = data;
        } else if header.has_picture() {
            let dts = Time::from_millis(tag.timestamp.0.into());
            let pts = dts + Span::from_millis(header.composition_ms.into());
            let key = if header.is_key_frame() { Key::Frame } else { Key::Delta };
            stream.packets.push(Packet { track: Track::Video, pts, dts, duration: None, key, data });
        }
    }
    stream
}

fn decode(stream: &Stream) -> Vec<Frame> {
    let mut decoder = Ffmpeg::new().video_decoder(&stream.params).unwrap();
    let mut frames = Vec::new();
    for packet in &stream.packets {
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

fn deinterlace(cadence: Cadence, frames: &[Frame]) -> usize {
    let mut deinterlacer = Deinterlacer::new(cadence);
    let mut count = 0;
    for frame in frames {
        deinterlacer.push(frame.clone(), &mut |_| count += 1).unwrap();
    }
    deinterlacer.flush(&mut |_| count += 1).unwrap();
    count
}

/// The best of three: the machine may have other work.
fn timed(mut work: impl FnMut()) -> Duration {
    let once = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..3).map(|_| once(&mut work)).min().unwrap_or_default()
}

fn pictures(c: &mut Criterion) {
    let frames = Extent::asked().pick(4, 50);
    let fields = ["-vf", "setfield=tff", "-flags", "+ildct+ilme", "-x264-params", "tff=1"];
    let interlaced = stream(frames, "bt709", &fields);
    let decoded = decode(&interlaced);
    let decoding = timed(|| drop(decode(&interlaced)));
    for (cadence, name) in [(Cadence::Fields, "field"), (Cadence::Frames, "frame")] {
        let filtering = timed(|| _ = deinterlace(cadence, &decoded));
        let ratio = filtering.as_secs_f64() / decoding.as_secs_f64();
        println!("bwdif, a picture a {name}: {ratio:.2} of what decoding the same 1080i takes");
    }

    let mut group = c.benchmark_group("pictures of 1080i");
    group.sample_size(10).throughput(Throughput::Elements(decoded.len() as u64));
    group.bench_function("decode", |b| b.iter(|| decode(black_box(&interlaced))));
    group.bench_function("bwdif, a picture a field", |b| {
        b.iter(|| deinterlace(Cadence::Fields, black_box(&decoded)));
    });
    group.bench_function("bwdif, a picture a frame", |b| {
        b.iter(|| deinterlace(Cadence::Frames, black_box(&decoded)));
    });
    let mut conform = Conform::new(CANVAS, Filter::Bicubic);
    group.bench_function("the field scaler", |b| {
        b.iter(|| decoded.iter().map(|f| conform.conform(&f.picture).unwrap()).count());
    });
    group.finish();

    let mut group = c.benchmark_group("a 1080p picture onto its canvas");
    for (name, matrix) in [("that fits", "bt709"), ("in BT.601", "smpte170m")] {
        let picture = decode(&stream(2, matrix, &[])).remove(0).picture;
        let out = conform.conform(&picture).unwrap();
        assert_eq!(out.ptr_eq(&picture), matrix == "bt709", "what fits is not copied");
        group.bench_function(name, |b| b.iter(|| conform.conform(black_box(&picture)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, pictures);
criterion_main!(benches);
