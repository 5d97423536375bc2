//! The forensic pattern: faint, exact, and found again after what copies go through.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use codecs::watermark::forensic::{Message, Pattern, Reader};
use codecs::{Picture, PictureMut, Plane};
use media::Size;
use proptest::prelude::*;

use crate::pattern;

const SIZE: Size = Size::new(640, 360);
const MESSAGE: Message = Message { id: 4711, rung: 2 };

fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/clips/bigbuckbunny-720p25.mp4")
}

fn ffmpeg(args: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-threads", "1"])
        .args(args.split_whitespace().map(|arg| arg.replace("CLIP", clip().to_str().unwrap())))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output().unwrap();
    // One that ends early has what it needs.
    let _ = writer.join().unwrap();
    assert!(out.status.success() && !out.stdout.is_empty(), "ffmpeg {args}");
    out.stdout
}

fn raw(pictures: &[Picture]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for picture in pictures {
        for row in Plane::ALL.into_iter().flat_map(|plane| picture.plane(plane).rows()) {
            bytes.extend_from_slice(row);
        }
    }
    bytes
}

fn pictures(raw: &[u8], size: Size) -> Vec<Picture> {
    let frame = size.area() as usize * 3 / 2;
    let one = |bytes: &[u8]| {
        let mut picture = PictureMut::new(size).unwrap();
        let mut rest = bytes;
        for mut plane in picture.planes_mut() {
            for row in plane.rows_mut() {
                let (head, tail) = rest.split_at(row.len());
                row.copy_from_slice(head);
                rest = tail;
            }
        }
        picture.freeze()
    };
    raw.chunks_exact(frame).map(one).collect()
}

/// Five seconds of film in the rung's size.
fn film() -> Vec<Picture> {
    pictures(&ffmpeg("-t 5 -i CLIP -an -vf scale=640:360 -pix_fmt yuv420p -f rawvideo -", b""), SIZE)
}

fn marked(film: &[Picture], strength: u8) -> Vec<Picture> {
    let pattern = Pattern::new(MESSAGE, strength, SIZE).unwrap();
    let one = |picture: &Picture| {
        let mut picture = picture.to_mut().unwrap();
        pattern.lay(&mut picture).unwrap();
        picture.freeze()
    };
    film.iter().map(one).collect()
}

/// What a reader makes of every sixth picture.
fn read(pictures: &[Picture]) -> Option<(Message, f64)> {
    let mut reader = Reader::new();
    for picture in pictures.iter().step_by(6) {
        assert!(reader.push(picture));
    }
    reader.read().map(|found| (found.message, found.confidence))
}

/// Encoded as a rung of ours is, then again as told, and decoded to pictures of `size`.
fn copied(marked: &[Picture], rung: &str, again: &str, size: Size) -> Vec<Picture> {
    let raw = raw(marked);
    let input = "-f rawvideo -pix_fmt yuv420p -s 640x360 -r 25 -i -";
    let coded = ffmpeg(
        &format!(
            "{input} -c:v libx264 -preset veryfast -b:v {rung} -maxrate {rung} -bufsize {rung} -g 50 -f matroska -"
        ),
        &raw,
    );
    let copy = ffmpeg(&format!("-i - {again} -f matroska -"), &coded);
    let vf = format!("-i - -vf scale={}:{} -pix_fmt yuv420p -f rawvideo -", size.width, size.height);
    pictures(&ffmpeg(&vf, &copy), size)
}

#[test]
fn it_is_found_after_encoding_twice() {
    let marked = marked(&film(), 2);
    for (rung, again, least) in [
        ("700k", "-c:v libx264 -preset veryfast -b:v 700k", 0.95),
        // A quarter of what makes a picture good in this size.
        ("700k", "-c:v libx264 -preset veryfast -b:v 350k", 0.5),
        ("700k", "-c:v mpeg4 -b:v 700k", 0.95),
    ] {
        let (message, confidence) =
            read(&copied(&marked, rung, again, SIZE)).unwrap_or_else(|| panic!("none after {again}"));
        assert_eq!(message, MESSAGE, "{again}");
        assert!(confidence > least, "{again}: {confidence}");
    }
}

#[test]
fn it_is_found_after_half_the_size_and_back() {
    let marked = marked(&film(), 2);
    let again = "-vf scale=320:180 -c:v libx264 -preset veryfast -b:v 400k";
    for size in [SIZE, Size::new(320, 180), Size::new(1280, 720)] {
        let (message, confidence) =
            read(&copied(&marked, "700k", again, size)).unwrap_or_else(|| panic!("none in {size}"));
        assert_eq!(message, MESSAGE, "{size}");
        assert!(confidence > 0.9, "{size}: {confidence}");
    }
}

#[test]
fn where_there_is_none_none_is_found() {
    let film = film();
    assert_eq!(read(&film), None);
    assert_eq!(read(&copied(&film, "700k", "-c:v libx264 -preset veryfast -b:v 350k", SIZE)), None);
    assert_eq!(Reader::new().read(), None);
}

#[test]
fn it_is_faint() {
    let film = film();
    for (strength, least) in [(1, 48.0), (2, 42.0), (3, 38.5)] {
        let marked = marked(&film[..1], strength);
        let psnr = pattern::psnr(&film[0], &marked[0]);
        assert!(psnr > least, "strength {strength}: {psnr:.1} dB");
    }
}

#[test]
fn other_sizes_are_refused() {
    assert!(Pattern::new(MESSAGE, 2, Size::new(160, 90)).is_none());
    let pattern = Pattern::new(MESSAGE, 2, SIZE).unwrap();
    assert!(pattern.lay(&mut PictureMut::new(Size::new(320, 180)).unwrap()).is_err());
    let mut reader = Reader::new();
    assert!(!reader.push(&PictureMut::new(Size::new(64, 36)).unwrap().freeze()));
    assert!(reader.push(&PictureMut::new(SIZE).unwrap().freeze()));
    assert!(!reader.push(&PictureMut::new(Size::new(640, 480)).unwrap().freeze()));
    assert_eq!(reader.pictures(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_laid_as_the_slow_twin_lays_it_and_read_from_one_flat_picture(
        id in 1u16.., rung in 0u8..15, strength in 1u8..=4, level in 10u8..245,
        size in prop::sample::select(vec![(640, 360), (854, 480), (320, 240), (192, 108)]),
    ) {
        let size = Size::new(size.0, size.1);
        let message = Message { id, rung };
        let pattern = Pattern::new(message, strength, size).unwrap();
        let mut fast = PictureMut::filled(size, codecs::Yuv::new(level, 128, 128)).unwrap();
        let mut slow = PictureMut::filled(size, codecs::Yuv::new(level, 128, 128)).unwrap();
        pattern.lay(&mut fast).unwrap();
        pattern.lay_scalar(&mut slow).unwrap();
        let (fast, slow) = (fast.freeze(), slow.freeze());
        prop_assert!(pattern::pixels(&fast) == pattern::pixels(&slow));
        let mut reader = Reader::new();
        prop_assert!(reader.push(&fast));
        prop_assert_eq!(reader.read().map(|found| found.message), Some(message));
    }
}
