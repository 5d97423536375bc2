//! Sound behind silence: relays that must decode a frame to learn its rate are told right, need no
//! help, and keep its times; and whoever has no key hears nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crypto::Sound;
use flv::{Tag, TagKind};

use super::film::{Sealing, sealed_with, tags};
use super::frames::Times;
use super::muxers::{carries_with, gstreamer_to_flv, make_hls};
use super::tool::{ffmpeg, runs};
use crate::obvan::obvan;
use crate::stream::KEY;

#[test]
fn ffmpeg_and_gstreamer_carry_it_as_flv() {
    carries_with(Sound::Silence, Times::Exact, |folder, film| {
        runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.flv")));
        "relayed.flv"
    });
    carries_with(Sound::Silence, Times::Exact, gstreamer_to_flv);
}

#[test]
fn ffmpeg_carries_it_as_mpeg_ts_unaided() {
    carries_with(Sound::Silence, Times::Close, |folder, film| {
        runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.ts")));
        runs(&mut ffmpeg(folder, "-i relayed.ts -c copy back.flv"));
        "back.flv"
    });
}

#[test]
fn ffmpeg_carries_it_as_hls_unaided() {
    carries_with(Sound::Silence, Times::Close, |folder, film| {
        make_hls(folder, film);
        runs(&mut ffmpeg(folder, "-i all.m3u8 -c copy back.flv"));
        "back.flv"
    });
}

#[test]
fn the_segments_of_hls_put_together_are_the_film_unaided() {
    carries_with(Sound::Silence, Times::Close, |folder, film| {
        let segments = make_hls(folder, film).map(|name| fs::read(folder.join(name)).unwrap());
        fs::write(folder.join("all.ts"), segments.concat()).unwrap();
        runs(&mut ffmpeg(folder, "-i all.ts -c copy back.flv"));
        "back.flv"
    });
}

/// What a tool writes; fails the test unless it ends well and complains of nothing.
#[track_caller]
fn written(folder: &Path, program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(args).current_dir(folder).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}: `make setup` installs it"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program} {args:?}: {errors}");
    output.stdout
}

#[test]
fn a_prober_is_told_rate_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for sealing in [Sealing::Nalu, Sealing::Capsule] {
        let film = sealed_with(folder, sealing, Sound::Silence);
        runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.ts")));
        for name in [film, "relayed.ts"] {
            // What it says of the pictures is their noise's business.
            let args = ["-v", "quiet", "-select_streams", "a", "-show_entries"];
            let what = ["stream=sample_rate,channels", "-of", "csv=p=0", name];
            let said = written(folder, "ffprobe", &[&args[..], &what].concat());
            let said = String::from_utf8(said).unwrap();
            assert!(said.starts_with("48000,2"), "{sealing:?} {name}: {said}");
        }
    }
}

/// The sound as a decoder without the key makes it: samples of 16 bits.
fn heard(folder: &Path, name: &str) -> Vec<u8> {
    written(folder, "ffmpeg", &["-v", "warning", "-nostdin", "-i", name, "-f", "s16le", "-"])
}

/// A second of sound, as `tone.flv`.
fn make_tone(folder: &Path, rate: u32, layout: &str, channels: usize) {
    let all: String = (0..channels).map(|channel| format!("|c{channel}=c0")).collect();
    let tone = format!("-f lavfi -i sine=700:r={rate}:d=1");
    runs(&mut ffmpeg(folder, &format!("{tone} -af pan={layout}{all} -c:a aac -b:a 256k tone.flv")));
}

/// What is heard of `tone.flv` clear, and sealed; it comes back bit for bit.
fn clear_and_sealed(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let key = ["--key-file", "key.hex", "--force"];
    let run = |words: &[&str]| drop(obvan(folder, &[words, &key].concat()).exits(0));
    run(&["encrypt", "tone.flv", "sealed.flv", "--sound", "silence"]);
    run(&["decrypt", "sealed.flv", "back.flv"]);
    let read = |name| fs::read(folder.join(name)).unwrap();
    assert!(read("tone.flv") == read("back.flv"));
    (heard(folder, "tone.flv"), heard(folder, "sealed.flv"))
}

#[track_caller]
fn assert_silent(clear: &[u8], sealed: &[u8], what: &str) {
    assert!(clear.iter().any(|byte| *byte != 0), "{what}");
    assert_eq!(sealed.len(), clear.len(), "{what}: bytes of samples");
    assert!(sealed.iter().all(|byte| *byte == 0), "{what}");
}

#[test]
fn without_the_key_nothing_is_heard_of_any_channels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let layouts = [("mono", 1), ("stereo", 2), ("3.0", 3), ("4.0", 4), ("5.0", 5), ("5.1", 6), ("7.1", 8)];
    for (layout, channels) in layouts {
        make_tone(folder, 48_000, layout, channels);
        let (clear, sealed) = clear_and_sealed(folder);
        assert_silent(&clear, &sealed, layout);
    }
    // FFmpeg describes these channels inside the sound: no configuration lists them.
    make_tone(folder, 48_000, "quad", 4);
    let args = ["encrypt", "tone.flv", "-", "--key-file", "key.hex", "--sound", "silence"];
    let said = obvan(folder, &args).exits(1);
    assert!(said.stderr.contains("its AAC channel configuration is 0: legal are 1 to 7"), "{}", said.stderr);
}

/// A core without its extension is legal: at twice the rate, nothing is still nothing.
#[test]
fn he_aac_is_silent_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    // Sequence headers of HE-AAC in stereo, and of version 2 over a mono core: 24 kHz, heard at 48.
    for (layout, channels, config) in
        [("stereo", 2, [0x2b, 0x11, 0x88, 0]), ("mono", 1, [0xeb, 0x09, 0x88, 0])]
    {
        make_tone(folder, 24_000, layout, channels);
        let mut file = bytes::BytesMut::new();
        flv::write_file_header(&mut file, flv::Tracks::Audio);
        for tag in tags(fs::read(folder.join("tone.flv")).unwrap()) {
            with_config(tag, &config).write_into(&mut file);
        }
        fs::write(folder.join("tone.flv"), file).unwrap();
        let (clear, sealed) = clear_and_sealed(folder);
        assert_silent(&clear, &sealed, layout);
        assert!(clear.len() > 48_000 * 2 * channels * 9 / 10, "{layout}: {} bytes at 48 kHz", clear.len());
    }
}

fn with_config(tag: Tag, config: &[u8]) -> Tag {
    match (tag.kind, &tag.body()[..]) {
        (TagKind::Audio, [_, 0, ..]) => {
            let body = [&tag.body()[..2], config].concat();
            tag.with_body(body.into()).unwrap()
        }
        _ => tag,
    }
}
