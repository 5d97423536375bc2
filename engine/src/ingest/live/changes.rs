//! A stream that becomes another in its midst: real codecs, packets in, frames out, and each
//! picture known by its colour.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use codecs::Ffmpeg;
use media::{Key, Packet, Size, Span, Time, Track, VideoCodec, VideoParams};

use super::bench::Bench;
use crate::ingest::intake::Arrival;
use crate::ingest::lane::StreamParams;
use crate::ingest::unpack::Unpacker;

const SECONDS: i64 = 2;

/// What an encoder is set to.
struct Setting {
    colour: &'static str,
    size: &'static str,
    fps: u32,
    video: &'static str,
    sound: &'static str,
}

fn ffmpeg(args: &str, out: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).args(args.split_whitespace()).arg(out);
    assert!(command.status().unwrap().success(), "ffmpeg {args}");
}

/// Everything in an FLV file, as a connection hands it in, with the time of each packet.
fn unpacked(path: &Path) -> Vec<(Time, Arrival)> {
    let mut reader = flv::TagReader::new();
    reader.push(std::fs::read(path).unwrap().into());
    let (mut unpacker, mut all, mut at) = (Unpacker::default(), Vec::new(), Time::ZERO);
    while let Some(item) = reader.next().unwrap() {
        let flv::Item::Tag(tag) = item else { continue };
        let unpacked = unpacker.unpack(&tag).unwrap();
        all.extend(unpacked.params.map(|params| (at, Arrival::Params(params))));
        if let Some(packet) = unpacked.packet {
            at = packet.dts;
            all.push((at, Arrival::Packet(packet)));
        }
    }
    all
}

/// A raw HEVC stream's pictures, each of which begins with a delimiter.
fn hevc(path: &Path, fps: u32) -> Vec<(Time, Arrival)> {
    let data = Bytes::from(std::fs::read(path).unwrap());
    let is_start = |at: &usize| data[*at..].starts_with(&[0, 0, 1]);
    let starts: Vec<usize> = (0..data.len() - 4).filter(is_start).collect();
    let kind = |at: usize| data[at + 3] >> 1 & 0x3f;
    let mut begins: Vec<usize> = starts.iter().copied().filter(|at| kind(*at) == 35).collect();
    begins.push(data.len());
    let params = VideoParams { codec: VideoCodec::Hevc, size: None, config: Bytes::new() };
    let mut all = vec![(Time::ZERO, Arrival::Params(StreamParams::Video(params)))];
    for (n, unit) in (0..).zip(begins.windows(2)) {
        let is_key =
            starts.iter().any(|at| (unit[0]..unit[1]).contains(at) && (16..=21).contains(&kind(*at)));
        let at = Time::from_units(n, 1, fps);
        let (track, key) = (Track::Video, if is_key { Key::Frame } else { Key::Delta });
        let data = data.slice(unit[0]..unit[1]);
        all.push((at, Arrival::Packet(Packet { track, pts: at, dts: at, duration: None, key, data })));
    }
    all
}

impl Setting {
    /// Its two seconds, from `base` on.
    fn stream(&self, folder: &Path, base: Time) -> Vec<(Time, Arrival)> {
        let Self { colour, size, fps, video, sound } = self;
        let picture =
            format!("-f lavfi -i color={colour}:size={size}:rate={fps} -t {SECONDS} -pix_fmt yuv420p");
        let tone = "-f lavfi -i sine=frequency=440:sample_rate=48000";
        let flv = folder.join(format!("{colour}.flv"));
        let mut all = if *video == "hevc" {
            let raw = folder.join(format!("{colour}.hevc"));
            let x265 = "aud=1:bframes=0:repeat-headers=1:log-level=error:pools=1:frame-threads=1";
            ffmpeg(&format!("{picture} -c:v libx265 -preset ultrafast -x265-params {x265} -f hevc"), &raw);
            ffmpeg(&format!("{tone} -t {SECONDS} {sound} -c:a aac -f flv"), &flv);
            hevc(&raw, *fps).into_iter().chain(unpacked(&flv)).collect()
        } else {
            let both = format!("{tone} {picture} -c:v libx264 {video} -g {fps} {sound} -c:a aac -f flv");
            ffmpeg(&both, &flv);
            unpacked(&flv)
        };
        let shift = base - Time::ZERO;
        for (at, arrival) in &mut all {
            *at += shift;
            if let Arrival::Packet(packet) = arrival {
                (packet.pts, packet.dts) = (packet.pts + shift, packet.dts + shift);
            }
        }
        all.sort_by_key(|(at, _)| *at);
        all
    }
}

/// The settings one after the other over one connection, without a pause.
fn one_after_the_other(settings: &[Setting]) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(Arc::new(Ffmpeg::new()), Size::new(320, 180), 25, 2);
    for (n, setting) in (0..).zip(settings) {
        for (at, arrival) in setting.stream(folder.path(), Time::from_secs(n * SECONDS)) {
            bench.run_to(at + Span::from_secs(1));
            bench.put(arrival);
        }
    }
    bench.run_to(Time::from_secs(settings.len() as i64 * SECONDS + 1));
    bench
}

fn assert_followed(settings: &[Setting]) {
    let bench = one_after_the_other(settings);
    // The line waits 200 ms, and a little for sound that is packed late.
    let ticks = SECONDS as usize * 25;
    let middle = |n: usize| bench.shown[25 + 5 + n * ticks + ticks / 2].0;
    let colours: Vec<[u8; 3]> = (0..settings.len()).map(middle).collect();
    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 4);
    assert!(colours.windows(2).all(|w| !near(w[0], w[1])), "{colours:?}");
    let seen: Vec<_> = bench.shown.iter().skip_while(|(yuv, _)| *yuv == [0; 3]).collect();
    let (mut now, mut each) = (0, vec![0; settings.len()]);
    for (n, (yuv, hole)) in seen.iter().enumerate() {
        if !near(*yuv, colours[now]) {
            now += 1;
        }
        assert!(now < colours.len() && near(*yuv, colours[now]), "picture {n} is {yuv:?}, of {colours:?}");
        assert!(!hole || n + 12 > seen.len(), "picture {n} is missing");
        each[now] += 1;
    }
    // Each is there for its two seconds; the last one's end waits yet.
    assert!(each[..each.len() - 1].iter().all(|n| (ticks - 4..=ticks + 4).contains(n)), "{each:?}");
    // Sound is there all the time, but for what an encoder puts before its beginning.
    let sound: Vec<f32> = bench.sound.iter().copied().step_by(2).collect();
    let from = 48_000 * 3 / 2;
    let to = from + 48_000 * SECONDS as usize * settings.len() - 48_000;
    for (n, part) in sound[from..to].chunks(4_800).enumerate() {
        let rms = (part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32).sqrt();
        assert!(rms > 0.02, "silence {:.1} s after the beginning: {rms}", n as f32 / 10.0 + 0.5);
    }
}

const MONO: &str = "-ac 1 -ar 44100";
const STEREO: &str = "-ac 2 -ar 48000";
const SURROUND: &str = "-ac 6 -ar 48000";
const PLAIN: &str = "-preset ultrafast -tune zerolatency";
const REORDERED: &str = "-preset veryfast -bf 2";

#[test]
fn another_size_rate_and_layout_are_followed() {
    assert_followed(&[
        Setting { colour: "red", size: "320x180", fps: 25, video: PLAIN, sound: MONO },
        Setting { colour: "blue", size: "640x360", fps: 50, video: PLAIN, sound: STEREO },
        Setting { colour: "lime", size: "480x270", fps: 25, video: REORDERED, sound: SURROUND },
        Setting { colour: "yellow", size: "320x180", fps: 30, video: PLAIN, sound: "-ac 1 -ar 48000" },
    ]);
}

#[test]
fn another_codec_is_followed_there_and_back() {
    assert_followed(&[
        Setting { colour: "red", size: "320x180", fps: 25, video: PLAIN, sound: STEREO },
        Setting { colour: "blue", size: "640x360", fps: 25, video: "hevc", sound: STEREO },
        Setting { colour: "lime", size: "320x180", fps: 25, video: REORDERED, sound: MONO },
    ]);
}

/// Of codecs whose decoders make up what they have not seen, nothing is shown before a key frame.
#[test]
fn a_stream_joined_between_key_frames_shows_no_made_up_picture() {
    let folder = tempfile::tempdir().unwrap();
    let setting = Setting { colour: "blue", size: "320x180", fps: 25, video: "hevc", sound: STEREO };
    let mut all = setting.stream(folder.path(), Time::ZERO);
    // Its parameter sets are known, and come with the first picture that is left.
    let mut sets = Bytes::new();
    all.retain_mut(|(_, arrival)| match arrival {
        Arrival::Packet(packet) if packet.track == Track::Video => {
            if packet.key == Key::Frame {
                let is_picture = |w: &[u8]| w[..3] == [0, 0, 1] && (16..=21).contains(&(w[3] >> 1 & 0x3f));
                let at = packet.data.windows(4).position(is_picture).unwrap();
                sets = packet.data.slice(..at);
                return false;
            }
            packet.data = [std::mem::take(&mut sets), packet.data.clone()].concat().into();
            true
        }
        _ => true,
    });
    let mut bench = Bench::new(Arc::new(Ffmpeg::new()), Size::new(320, 180), 25, 2);
    for (at, arrival) in all {
        bench.run_to(at + Span::from_secs(1));
        bench.put(arrival);
    }
    assert!(bench.shown.iter().all(|(yuv, _)| *yuv == [0; 3]), "{:?}", bench.shown.last());
}
