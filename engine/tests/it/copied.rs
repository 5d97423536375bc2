//! A rung that copies: its pictures are the camera's, unit by unit, wherever that is on air; what
//! lies between is encoded, and all of it is one stream in step with the other rungs.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use codecs::Frame;
use crypto::{KeyId, KeyRing, MasterKey, TagDecryptor};
use engine::{Engine, LineState, Mode, Report, RunOptions};
use flv::nalu::{LengthSize, units};
use flv::video::VideoHeader;
use flv::{Tag, TagKind, avc};
use media::{Key, Packet, VideoCodec};

use crate::live::{start_show, tool, wait_for};
use crate::support::{Coded, coded, codes, decode_strictly, ffmpeg, pictures as stamps, psnr, show, tags};

/// A tick, in milliseconds.
const TICK: i64 = 40;

fn make(out: &Path, args: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).args(args.split_whitespace()).arg(out);
    assert!(command.status().unwrap().success(), "ffmpeg {args}");
}

/// A picture in a recording.
#[derive(Clone)]
struct Taken {
    pts: i64,
    dts: i64,
    key: Key,
    /// The header that it stands behind: the SPS.
    sps: Vec<u8>,
    /// Its picture units.
    slices: Vec<Vec<u8>>,
}

fn taken(tags: &[Tag]) -> Vec<Taken> {
    let mut sps = Vec::new();
    let mut out = Vec::new();
    for coded in coded(tags) {
        match coded {
            Coded::Params(params) => {
                sps = avc::DecoderConfig::parse(&params.config).unwrap().sps()[0].to_vec()
            }
            Coded::Picture(Packet { pts, dts, key, data, .. }) => {
                let slices = units(&data, 0, LengthSize::Four).map(|unit| data[unit.unwrap()].to_vec());
                let slices = slices.filter(|unit| avc::NalType::of(unit).unwrap().is_vcl()).collect();
                let (pts, dts) = (pts.as_millis_rounded(), dts.as_millis_rounded());
                out.push(Taken { pts, dts, key, sps: sps.clone(), slices });
            }
        }
    }
    out
}

fn keys(pictures: &[Taken]) -> Vec<i64> {
    pictures.iter().filter(|one| one.key == Key::Frame).map(|one| one.pts).collect()
}

fn rises(pictures: &[Taken], tags: &[Tag]) {
    assert!(pictures.windows(2).all(|two| two[0].dts < two[1].dts), "DTS do not rise");
    assert!(pictures.iter().all(|one| one.dts <= one.pts), "shown before it is decoded");
    let media = tags.iter().skip(3).map(|tag| tag.timestamp.0);
    assert!(media.is_sorted(), "sound and pictures are out of order");
}

fn copied(report: &Report) -> u64 {
    report.channels[0].rungs[0].copied.unwrap()
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// Two lines of another encoder each: B-frames at the canvas' size, and none at another.
fn lines(folder: &Path) {
    make(
        &folder.join("first.flv"),
        "-f lavfi -i testsrc2=size=192x108:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 \
         -c:v libx264 -preset veryfast -bf 3 -g 25 -sc_threshold 0 -b:v 400k -pix_fmt yuv420p -c:a aac -flvflags no_duration_filesize",
    );
    make(
        &folder.join("second.flv"),
        "-f lavfi -i testsrc=size=160x90:rate=25 -f lavfi -i sine=frequency=660:sample_rate=48000 -t 3.2 \
         -c:v libx264 -preset veryfast -profile:v baseline -g 15 -sc_threshold 0 -b:v 300k -pix_fmt yuv420p -c:a aac -flvflags no_duration_filesize",
    );
    let key = folder.join("tour.key");
    std::fs::write(&key, KEY).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Ticks at which the filler is on air.
const FILLER: std::ops::Range<i64> = 37..55;
/// The first line has so many pictures; then the second is on air, which has a key frame every 15.
const FIRST: i64 = 100;
const END: i64 = 150;

fn run() -> (tempfile::TempDir, Report, tempfile::TempDir) {
    let clips = tempfile::tempdir().unwrap();
    lines(clips.path());
    let text = r#"
show "copied" {
  video 192x108 25fps
  audio 48kHz stereo
  camera main {
    line first file "first.flv"
    line second file "second.flv" loop=true
  }
  filler slate { test "color:green" }
  key tour { id 1 file="tour.key" }
  ladder own { keyframe 2s; audio 64k; rung source copy bitrate=400k; rung small 96x54 120k }
  channel program {
    sources main
    filler slate
    ladder own
    encrypt tour
    egress disk record "{rung}.flv"
    egress safe record "{rung}-clear.flv" clear=true
  }
  rundown program {
    at 0:00.200 encrypt off
    at 0:01.080 encrypt on
    at 0:01.480 filler on
    at 0:02.200 filler off
    at 0:06 end
  }
}"#;
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        inputs: clips.path().to_owned(),
        out: out.path().to_owned(),
        kit: ffmpeg(),
        ..RunOptions::new(Mode::Offline)
    };
    let report = Engine::start(show(text), options).unwrap().wait();
    (clips, report, out)
}

#[test]
fn a_camera_goes_through_unit_by_unit_and_what_lies_between_is_encoded() {
    let (clips, report, out) = run();
    let recording = |name: &str| tags(&out.path().join(name));
    let clear = recording("source-clear.flv");
    let ring: KeyRing = [(KeyId(1), KEY.parse::<MasterKey>().unwrap())].into_iter().collect();
    let mut decryptor = TagDecryptor::new(ring);
    let decrypted: Vec<Tag> =
        recording("source.flv").into_iter().map(|tag| decryptor.decrypt(tag).0).collect();
    assert!(decrypted == clear, "decrypted it differs from what was recorded in the clear");
    // It changes where the camera has its next key frame, in all rungs.
    let encryption: Vec<_> = report.channels[0].encryption.iter().map(|one| (one.t, one.key_id)).collect();
    assert_eq!(encryption, [(0.0, Some(1)), (1.0, None), (1.48, Some(1))]);

    let (pictures, small) = (taken(&clear), taken(&recording("small-clear.flv")));
    rises(&pictures, &clear);
    assert_eq!(keys(&pictures), keys(&small), "key frames of the rungs lie apart");
    let lead = small[0].pts;
    assert_eq!(small.len() as i64, END);
    let tick = |one: &Taken| (one.pts - lead) / TICK;
    assert!(pictures.iter().all(|one| (one.pts - lead) % TICK == 0), "a picture between two ticks");

    // Whose pictures they are, and which of them.
    let sources = ["first.flv", "second.flv"].map(|name| taken(&tags(&clips.path().join(name))));
    let mut copied_ticks: [Vec<i64>; 2] = Default::default();
    for one in &pictures {
        for ((camera, ticks), begins) in sources.iter().zip(&mut copied_ticks).zip([0, 0]) {
            if one.sps != camera[0].sps {
                continue;
            }
            let first = camera.iter().map(|one| one.pts).min().unwrap();
            let length = camera.len() as i64;
            let wanted = camera.iter().find(|it| (it.pts - first) / TICK == (tick(one) - begins) % length);
            assert!(wanted.unwrap().slices == one.slices, "tick {}: not the camera's picture", tick(one));
            ticks.push(tick(one));
        }
    }
    let [mut first, mut second] = copied_ticks;
    first.sort_unstable();
    second.sort_unstable();
    // From the start up to the filler, but for what hangs on a picture that was no longer shown; and
    // from the first key frame after it to the line's end.
    let missing: Vec<i64> = (0..FILLER.start).filter(|tick| !first.contains(tick)).collect();
    assert!(missing.len() <= 3 && missing.iter().all(|tick| *tick >= FILLER.start - 3), "{missing:?}");
    let again: Vec<i64> = first.iter().copied().filter(|tick| *tick >= FILLER.start).collect();
    assert_eq!(again, (75..FIRST).collect::<Vec<_>>());
    // The loop of the other line is 80 pictures long, and at its 20th then.
    assert_eq!(second, (FIRST + 10..END).collect::<Vec<_>>());
    let whole: Vec<i64> = {
        let mut all: Vec<i64> = pictures.iter().map(tick).collect();
        all.sort_unstable();
        all
    };
    // While the last picture is held there is none to send: for a tick, whenever the file's thread ends.
    let failover = report.events.iter().find(|event| event.code == "failover").unwrap().t;
    let failover = (failover * 1000.0).round() as i64 / TICK;
    assert_eq!(failover, FIRST + 1);
    let is_held = |tick: &i64| (FIRST..failover).contains(tick);
    let expected: Vec<i64> = (0..END).filter(|tick| !missing.contains(tick) && !is_held(tick)).collect();
    assert_eq!(whole, expected, "one picture a tick");
    assert_eq!(copied(&report), (first.len() + second.len()) as u64);

    // Key frames of all rungs are the camera's while it is copied.
    let times: Vec<i64> = keys(&pictures).iter().map(|pts| (pts - lead) / TICK).collect();
    assert_eq!(times, [0, 25, 37, 50, 55, 75, failover, 110, 125, 140]);

    let frames = decode_strictly(&clear);
    assert_eq!(frames.len(), pictures.len());
    let others: HashMap<i64, Frame> = decode_strictly(&recording("small-clear.flv"))
        .into_iter()
        .map(|f| (f.pts.as_millis_rounded(), f))
        .collect();
    let mut scaler = codecs::Scaler::new(media::Size::new(96, 54), codecs::Filter::Bicubic);
    for frame in &frames {
        let other = &others[&frame.pts.as_millis_rounded()];
        let scaled = Frame { picture: scaler.scale(&frame.picture).unwrap(), ..frame.clone() };
        let psnr = psnr(&scaled, other);
        assert!(psnr > 20.0, "at {}: {psnr:.1} dB beside the other rung", frame.pts);
    }
    assert!(!codes(&report).iter().any(|(code, _)| code.starts_with("rungs-")), "{:?}", codes(&report));
}

/// Cuts between a camera of HEVC and one of AVC, each of another size than the canvas.
#[test]
fn cuts_go_from_camera_to_camera_and_codec_to_codec() {
    let text = r#"
show "codecs" {
  video 192x108 25fps
  audio 48kHz stereo
  camera film { line disk file "generated/hevc.mp4" loop=true }
  camera base { line disk file "generated/base.mp4" loop=true }
  ladder own { keyframe 2s; audio 64k; rung source copy; rung small 96x54 120k }
  channel program { sources film base; ladder own; egress disk record "{rung}.flv" }
  rundown program { at 0:01.480 cut base; at 0:04.600 cut film; at 0:08 end }
}"#;
    let ran = crate::support::offline(text, ffmpeg());
    let [all, small] = ["source.flv", "small.flv"].map(|name| tags(&ran.out.path().join(name)));
    let (pictures, others) = (stamps(&all), stamps(&small));
    let keys = |pictures: &[(i64, Key)]| -> Vec<i64> {
        pictures.iter().filter(|one| one.1 == Key::Frame).map(|one| one.0).collect()
    };
    assert_eq!(keys(&pictures), keys(&others));
    let (copied, frames) = (copied(&ran.report), ran.report.channels[0].frames);
    assert!(copied > frames / 2 && copied < frames, "{copied} of {frames}");
    // At each cut what hangs on pictures that were no longer shown is left out.
    assert!(pictures.len() as u64 + 8 > frames, "{} of {frames}", pictures.len());
    assert!(pictures.iter().all(|(pts, _)| others.iter().any(|(other, _)| other == pts)));
    assert_eq!(decode_strictly(&all).len(), pictures.len());
    let codecs: Vec<_> = all
        .iter()
        .filter(|tag| tag.kind == TagKind::Video)
        .filter_map(|tag| VideoHeader::parse(tag.body()).ok())
        .filter(VideoHeader::is_sequence_start)
        .map(|header| header.codec.and_then(flv::video::VideoCodec::media).unwrap())
        .collect();
    use VideoCodec::{Avc, Hevc};
    // The first is the encoder's that was open from the start; then the camera's; what stands in after
    // the cut, the other camera's, and back.
    assert_eq!(codecs, [Avc, Hevc, Avc, Avc, Avc, Hevc]);
    assert!(!codes(&ran.report).iter().any(|(code, _)| code.starts_with("rungs-")));
}

/// After a tick that shows nothing new a camera of 50 pictures a second has one that lies between two
/// ticks: sound must not have gone ahead of it.
#[test]
fn a_camera_faster_than_the_show_with_holes_stays_in_order() {
    let clips = tempfile::tempdir().unwrap();
    make(
        &clips.path().join("fast.flv"),
        "-f lavfi -i testsrc2=size=192x108:rate=50,select=not(between(t\\,1\\,1.11)+between(mod(t\\,0.4)\\,0.2\\,0.25)) \
         -f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 -vsync vfr \
         -c:v libx264 -preset veryfast -bf 0 -g 25 -sc_threshold 0 -b:v 400k -pix_fmt yuv420p -c:a aac -flvflags no_duration_filesize",
    );
    let text = r#"
show "fast" {
  video 192x108 25fps
  audio 48kHz stereo
  camera main { line disk file "fast.flv" }
  ladder own { keyframe 2s; audio 64k; rung source copy; rung small 96x54 120k }
  channel program { sources main; ladder own; egress disk record "{rung}.flv" }
  rundown program { at 0:03.600 end }
}"#;
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        inputs: clips.path().to_owned(),
        out: out.path().to_owned(),
        kit: ffmpeg(),
        ..RunOptions::new(Mode::Offline)
    };
    let report = Engine::start(show(text), options).unwrap().wait();
    let all = tags(&out.path().join("source.flv"));
    let pictures = taken(&all);
    rises(&pictures, &all);
    assert!(copied(&report) > 140, "{} copied", copied(&report));
    let between = |one: &Taken| (one.pts - pictures[0].pts) % TICK != 0;
    assert!(pictures.iter().any(between), "none between two ticks");
}

#[test]
fn the_same_show_twice_gives_the_same_tags() {
    let read = || tags(&run().2.path().join("source-clear.flv"));
    let [one, other] = [read(), read()];
    let what = |tag: &Tag| (tag.kind, tag.timestamp, tag.body().len());
    let differ = std::iter::zip(&one, &other).position(|(one, other)| one != other);
    let about = differ.map(|n| (n, what(&one[n]), what(&other[n])));
    assert!(about.is_none() && one.len() == other.len(), "{about:?}; {} and {} tags", one.len(), other.len());
}

/// Two cameras' flashes and beeps, of another encoder each.
fn flashes(folder: &Path) {
    let film = crate::support::clips().join("generated/flash-beep.mp4");
    make(&folder.join("fiber.flv"), &format!("-i {} -c copy -flvflags no_duration_filesize", film.display()));
    make(
        &folder.join("spare.flv"),
        &format!(
            "-i {} -vf scale=320:180 -c:v libx264 -preset ultrafast -tune zerolatency -g 12 -c:a copy -flvflags no_duration_filesize",
            film.display()
        ),
    );
}

fn push(clip: &Path, url: &str) -> crate::live::Tool {
    let clip = clip.to_str().unwrap();
    tool("ffmpeg", &["-nostdin", "-v", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv", url])
}

#[test]
fn a_pushed_camera_goes_through_and_its_other_line_after_it() {
    let clips = tempfile::tempdir().unwrap();
    flashes(clips.path());
    // What comes waits for longer than a busy machine may starve an encoder.
    let live = start_show(
        r#"
show "copied live" {
  video 640x360 25fps
  audio 48kHz stereo
  camera main {
    line fiber push "rtmp:live/main" buffer=1s
    line spare push "rtmp:live/spare" buffer=1s
    failover lost=600ms recover=60s
  }
  filler slate { test "color:green" }
  ladder own { preset ultrafast; keyframe 2s; audio 96k; rung source copy; rung small 160x90 150k }
  channel program {
    sources main
    filler slate after=1200ms
    ladder own
    egress disk record "{rung}.flv"
  }
}"#,
    );
    let handle = live.engine.handle();
    let from = |status: &engine::Status| status.channels[0].rungs[0].copied_from.clone();
    let copies = |line: &str| {
        let status = wait_for(&handle, line, |status| from(status).as_deref() == Some(line));
        let since = status.channels[0].rungs[0].frames;
        wait_for(&handle, "two seconds of it", |status| status.channels[0].rungs[0].frames > since + 50)
    };
    let fiber = push(&clips.path().join("fiber.flv"), &live.url);
    let status = copies("main/fiber");
    let rung = &status.channels[0].rungs[0];
    assert_eq!((rung.width, rung.height), (640, 360));
    let spare = push(&clips.path().join("spare.flv"), &live.url.replace("main", "spare"));
    wait_for(&handle, "the other line", |status| status.cameras[0].lines[1].state == LineState::Live);
    drop(fiber);
    let status = copies("main/spare");
    assert_eq!((status.channels[0].rungs[0].width, status.channels[0].rungs[0].height), (320, 180));
    // A hole, which the filler covers, and back.
    drop(spare);
    wait_for(&handle, "the filler", |status| {
        status.channels[0].on_air.as_deref() == Some("slate") && from(status).is_none()
    });
    let _again = push(&clips.path().join("fiber.flv"), &live.url);
    copies("main/fiber");
    handle.stop();
    let report = live.engine.wait();
    assert!(copied(&report) > 130);

    let [all, small] = ["source.flv", "small.flv"].map(|name| tags(&live.out.path().join(name)));
    let (pictures, others) = (taken(&all), taken(&small));
    rises(&pictures, &all);
    // The last ones may hang on what was not shown any more.
    let end = pictures.iter().map(|one| one.pts).max().unwrap();
    let mut wanted = keys(&others);
    wanted.retain(|pts| *pts <= end);
    assert_eq!(keys(&pictures), wanted, "key frames of the rungs lie apart");
    assert!(!codes(&report).iter().any(|(code, _)| code.starts_with("rungs-")), "{:?}", codes(&report));
    for name in ["fiber.flv", "spare.flv"] {
        let camera = taken(&tags(&clips.path().join(name)));
        let order: Vec<usize> = pictures
            .iter()
            .filter(|one| one.sps == camera[0].sps)
            .filter_map(|one| camera.iter().position(|it| it.slices == one.slices))
            .collect();
        let count = pictures.iter().filter(|one| one.sps == camera[0].sps).count();
        assert!(count > 40 && order.len() == count, "{name}: {} of {count} are the camera's", order.len());
    }
    assert_eq!(decode_strictly(&all).len(), pictures.len());

    // Flashes keep their beeps, but where one line ends and another begins.
    let (flashes, beeps) = crate::step::onsets(&all);
    let splices: Vec<f64> =
        pictures.windows(2).filter(|two| two[0].sps != two[1].sps).map(|two| two[1].pts as f64).collect();
    let apart = |flash: &&f64| splices.iter().all(|splice| !(-1_100.0..700.0).contains(&(splice - **flash)));
    let flashes: Vec<f64> = flashes.iter().filter(apart).copied().collect();
    assert!(flashes.len() >= 3, "{flashes:?} {beeps:?}, spliced at {splices:?}");
    for flash in &flashes {
        let off = beeps.iter().map(|beep| (flash - beep).abs()).fold(f64::MAX, f64::min);
        assert!(off <= 20.0, "the flash at {flash} is {off:.1} ms off: {beeps:?}, spliced at {splices:?}");
    }
}
