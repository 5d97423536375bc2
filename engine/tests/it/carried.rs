//! A program that carries what its cameras' own channels encode: decoded, it is those channels'
//! pictures, bit by bit, cut at any tick.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Fake, Frame, Plane, Reorder,
    VideoDecoder, VideoEncoder, VideoEncoderSettings,
};
use crypto::{KeyId, KeyRing, MasterKey, TagDecryptor};
use engine::{ChannelReport, Command, Engine, Mode, Report, RunOptions};
use fixtures::noise::Noise;
use flv::{Tag, TagKind};
use media::{AudioParams, Key, Packet, Time, VideoParams};
use serde_json::json;

use crate::support::{Ran, clips, codes, decode_with, ffmpeg, offline, pictures, psnr, show, tags};

/// A tick, in milliseconds.
const TICK: i64 = 40;

fn time(tick: u64) -> String {
    let ms = tick as i64 * TICK;
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}

fn channel<'a>(report: &'a Report, name: &str) -> &'a ChannelReport {
    report.channels.iter().find(|channel| channel.name == name).unwrap()
}

/// What a channel shows at a tick.
fn shown(channel: &ChannelReport, tick: usize) -> Option<&str> {
    let at = (tick as f64).mul_add(TICK as f64 / 1000.0, 0.001);
    channel.on_air.iter().rev().find(|run| run.t <= at).and_then(|run| run.source.as_deref())
}

fn carried(report: &Report, name: &str) -> u64 {
    let rungs = &channel(report, name).rungs;
    let counts: Vec<u64> = rungs.iter().map(|rung| rung.carried.iter().map(|c| c.frames).sum()).collect();
    assert!(counts.windows(2).all(|two| two[0] == two[1]), "{name}: rungs differ: {counts:?}");
    counts[0]
}

fn recording(ran: &Ran, channel: &str, rung: &str) -> Vec<Tag> {
    tags(&ran.out.path().join(format!("{channel}-{rung}.flv")))
}

/// One picture a tick, in order, and every DTS after the one before it.
fn pictures_are_whole(tags: &[Tag], ticks: usize) {
    let mut pts: Vec<i64> = pictures(tags).iter().map(|picture| picture.0).collect();
    let first = pts[0];
    pts.sort_unstable();
    assert_eq!(pts, (0..ticks as i64).map(|tick| first + tick * TICK).collect::<Vec<_>>());
    let stamps = |kind| tags.iter().filter(move |tag| tag.kind == kind).map(|tag| tag.timestamp.0).skip(1);
    assert!(stamps(TagKind::Video).is_sorted_by(|a, b| a < b), "DTS of pictures do not rise");
    assert!(stamps(TagKind::Audio).is_sorted_by(|a, b| a < b), "DTS of sound do not rise");
    assert!(tags.iter().map(|tag| tag.timestamp.0).is_sorted());
}

fn keys(tags: &[Tag]) -> Vec<i64> {
    pictures(tags).iter().filter(|picture| picture.1 == Key::Frame).map(|picture| picture.0).collect()
}

fn equal(a: &Frame, b: &Frame) -> bool {
    Plane::ALL.iter().all(|plane| a.picture.plane(*plane).rows().eq(b.picture.plane(*plane).rows()))
}

fn sound(tags: &[Tag]) -> Vec<&Tag> {
    tags.iter().filter(|tag| tag.kind == TagKind::Audio).collect()
}

const CAMERAS: [&str; 3] = ["film", "guitar", "pattern"];
const RUNGS: [&str; 2] = ["big", "small"];

/// Those of the show of cuts.
const MORE: [&str; 3] = ["big", "small", "hevc"];

/// Fifty cuts at ticks from a seed, some of them one after the other: all of it is carried.
#[test]
fn a_program_of_cuts_is_its_cameras_channels_frame_by_frame() {
    const TICKS: usize = 500;
    const SEED: u64 = 0x0b5e_55ed;
    let mut noise = Noise::new(SEED);
    let mut at: Vec<u64> = (0..50).map(|_| noise.within(1..=TICKS - 1) as u64).collect();
    at.sort_unstable();
    at.dedup();
    let (mut on, mut cues) = (0, String::new());
    for tick in &at {
        on = (on + noise.within(1..=2)) % CAMERAS.len();
        cues.push_str(&format!("    at {} cut {}\n", time(*tick), CAMERAS[on]));
    }
    let own: String = CAMERAS
        .iter()
        .map(|camera| {
            format!(
                r#"
  channel own-{camera} {{ sources {camera}; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  rundown own-{camera} {{ at {end} end }}"#,
                end = time(TICKS as u64)
            )
        })
        .collect();
    let text = format!(
        r#"
show "cuts" {{
  video 192x108 25fps
  audio 48kHz stereo
  camera film {{ line disk file "generated/base.mp4" loop=true }}
  camera guitar {{ line disk file "generated/guitar.mp4" loop=true }}
  camera pattern {{ line gen test "motion" tone=440 }}
  ladder two {{
    preset veryfast; keyframe 2s; audio 64k
    rung big 192x108 400k; rung small 96x54 120k; rung hevc 96x54 120k encoder=x265 preset=superfast
  }}
  channel program {{ sources film guitar pattern; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  rundown program {{
{cues}    at {end} end
  }}
{own}
}}"#,
        end = time(TICKS as u64)
    );
    let ran = offline(&text, ffmpeg());
    let program = channel(&ran.report, "program");
    assert_eq!(carried(&ran.report, "program"), TICKS as u64, "seed {SEED:#x}");
    for rung in MORE {
        let coded = recording(&ran, "program", rung);
        pictures_are_whole(&coded, TICKS);
        assert_eq!(keys(&coded), keys(&recording(&ran, "program", RUNGS[0])));
        let frames = decode_with(&*ffmpeg(), &coded);
        assert_eq!(frames.len(), TICKS);
        let own =
            CAMERAS.map(|camera| decode_with(&*ffmpeg(), &recording(&ran, &format!("own-{camera}"), rung)));
        for (tick, frame) in frames.iter().enumerate() {
            let camera = shown(program, tick).unwrap();
            let own = &own[CAMERAS.iter().position(|name| *name == camera).unwrap()][tick];
            assert_eq!(frame.pts, own.pts);
            assert!(equal(frame, own), "seed {SEED:#x}, {rung}, tick {tick}: not {camera}'s picture");
        }
    }
}

/// A show in which channels are alike now and then: mixes, the filler asked for, a camera that ends
/// and one that fails over, other patience, a logo, fewer rungs. `own` is the program's ladder.
fn unequal(ladder: &str) -> Ran {
    let text = format!(
        r#"
show "unequal" {{
  video 192x108 25fps
  audio 48kHz stereo
  camera film {{ line disk file "generated/base.mp4" loop=true }}
  camera pattern {{ line gen test "motion" tone=440 }}
  camera dead {{ line disk file "generated/base.mp4" }}
  camera twice {{ line first file "generated/base.mp4"; line second test "timecode" }}
  filler standby {{ test "color:green" }}
  watermark bug {{ image "pictures/logo.png" at=top-right margin=0 }}
  ladder two {{ keyframe 2s; audio 64k; rung big 192x108 400k; rung small 96x54 120k }}
  ladder alone {{ keyframe 2s; audio 64k; rung big 192x108 401k; rung small 96x54 121k }}
  ladder low {{ keyframe 2s; audio 64k; rung small 96x54 120k }}
  channel program {{ sources film pattern dead twice; filler standby after=500ms; ladder {ladder}; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel marked {{ sources film pattern; filler standby; watermark bug; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel fewer {{ sources twice film; ladder low; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own-film {{ sources film; filler standby; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own-pattern {{ sources pattern; filler standby; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own-dead {{ sources dead; filler standby after=1s; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own-twice {{ sources twice; filler standby; ladder two; egress disk record "{{channel}}-{{rung}}.flv" }}
  rundown program {{
    at 0:01.080 cut pattern
    at 0:01.520 mix film over=400ms
    at 0:02.240 cut dead
    at 0:06.040 cut twice
    at 0:06.480 filler on
    at 0:07.000 filler off
    at 0:07.040 wipe pattern over=40ms
    at 0:07.120 cut film
    at 0:08 end
  }}
  rundown fewer {{ at 0:06.200 cut film; at 0:08 end }}
  rundown own-film {{ at 0:07.520 end }}
  rundown own-pattern {{ at 0:01.200 filler on; at 0:01.320 filler off; at 0:08 end }}
  rundown marked {{ at 0:08 end }}
  rundown own-dead {{ at 0:08 end }}
  rundown own-twice {{ at 0:08 end }}
}}"#
    );
    offline(&text, ffmpeg())
}

#[test]
fn what_is_not_alike_is_encoded_and_all_of_it_is_one_stream() {
    const TICKS: usize = 200;
    const OWN: [&str; 4] = ["own-film", "own-pattern", "own-dead", "own-twice"];
    let (ran, alone) = (unequal("two"), unequal("alone"));
    assert_eq!((carried(&alone.report, "program"), carried(&ran.report, "marked")), (0, 0));
    // Ticks at which the program mixes two pictures.
    let mixed = |tick: usize| (38..48).contains(&tick) || tick == 176;
    // Whose channel shows what this one shows, alone.
    let alike = |name: &str, tick: usize| {
        let source = shown(channel(&ran.report, name), tick)?;
        let is_mixed = name == "program" && mixed(tick);
        let is_alike = |own: &&str| !is_mixed && shown(channel(&ran.report, own), tick) == Some(source);
        OWN.into_iter().find(is_alike)
    };
    for name in ["program", "fewer"] {
        let ticks = (0..TICKS).filter(|tick| alike(name, *tick).is_some()).count();
        assert_eq!(carried(&ran.report, name), ticks as u64, "{name}");
        assert!((100..TICKS).contains(&ticks), "{name}: {ticks}");
    }
    for (name, rung) in [("program", "big"), ("program", "small"), ("fewer", "small")] {
        let (coded, by_itself) = (recording(&ran, name, rung), recording(&alone, name, rung));
        pictures_are_whole(&coded, TICKS);
        // Sound is of its own, whoever encodes the pictures.
        assert!(sound(&coded) == sound(&by_itself));
        let (frames, by_itself) = (decode_with(&*ffmpeg(), &coded), decode_with(&*ffmpeg(), &by_itself));
        assert_eq!((frames.len(), by_itself.len()), (TICKS, TICKS));
        let own = OWN.map(|own| decode_with(&*ffmpeg(), &recording(&ran, own, rung)));
        for (tick, frame) in frames.iter().enumerate() {
            assert_eq!(frame.pts, by_itself[tick].pts);
            let db = psnr(frame, &by_itself[tick]);
            assert!(db > 20.0, "{name}/{rung}, tick {tick}: another picture than it should be: {db} dB");
            if let Some(from) = alike(name, tick) {
                let place = OWN.iter().position(|own| *own == from).unwrap();
                assert!(equal(frame, &own[place][tick]), "{name}/{rung}, tick {tick}: not {from}'s picture");
            }
        }
    }
    // The same show twice gives the same tags.
    let again = unequal("two");
    for name in ["program", "fewer", "marked", "own-film", "own-dead"] {
        assert!(recording(&ran, name, "small") == recording(&again, name, "small"), "{name}");
    }
}

/// Each rung encrypts what it carries by itself; a change of encryption has its key frame in both.
#[test]
fn carried_pictures_are_encrypted_by_who_carries_them() {
    use std::os::unix::fs::PermissionsExt;
    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f";
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("tour.key");
    std::fs::write(&key, DIGITS).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        r#"
show "secret" {{
  video 192x108 25fps
  audio 48kHz stereo
  camera pattern {{ line gen test "motion" tone=440 }}
  camera bars {{ line gen test "bars" }}
  key tour {{ id 1 file="{}" }}
  ladder one {{ keyframe 2s; audio 64k; rung big 192x108 400k }}
  channel program {{ sources pattern bars; ladder one; encrypt tour; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own {{ sources pattern; ladder one; egress disk record "{{channel}}-{{rung}}.flv" }}
  rundown program {{ at 0:01.240 encrypt off; at 0:01.720 encrypt on; at 0:02.520 cut bars; at 0:03 cut pattern; at 0:04 end }}
  rundown own {{ at 0:04 end }}
}}"#,
        key.display()
    );
    let ran = offline(&text, ffmpeg());
    assert_eq!(carried(&ran.report, "program"), 100 - 12);
    let ring: KeyRing = [(KeyId(1), DIGITS.parse::<MasterKey>().unwrap())].into_iter().collect();
    let mut decryptor = TagDecryptor::new(ring);
    let encrypted = recording(&ran, "program", "big");
    let clear: Vec<Tag> = encrypted.iter().map(|tag| decryptor.decrypt(tag.clone()).0).collect();
    let own = recording(&ran, "own", "big");
    let pictures = |tags: &[Tag]| -> Vec<Tag> {
        let coded = tags.iter().filter(|tag| tag.kind == TagKind::Video);
        // 0:02.520 to 0:03 is its own; DTS lie two frames and the lead before.
        coded.filter(|tag| !(2_500..3_100).contains(&tag.timestamp.0)).cloned().collect()
    };
    assert!(pictures(&clear) == pictures(&own));
    let times: Vec<f64> = channel(&ran.report, "program").encryption.iter().map(|e| e.t).collect();
    assert_eq!(times, [0.0, 1.24, 1.72]);
    for at in [1.24, 1.72] {
        let events =
            ran.report.events.iter().filter(|e| e.code == "encryption" && e.subject == "program/big");
        assert!(events.map(|e| e.t).any(|t| (t - at).abs() < 1e-6), "{:?}", codes(&ran.report));
    }
}

/// The fake codecs, but the encoder opened as the so-manyth fails at `at`.
struct FailingOne {
    number: u32,
    at: Time,
    opened: AtomicU32,
}

struct FailingEncoder {
    inner: Box<dyn VideoEncoder>,
    at: Time,
}

impl VideoEncoder for FailingEncoder {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        if frame.pts >= self.at {
            return Err(CodecError::Asked { pts: frame.pts });
        }
        self.inner.send(frame, key)
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.inner.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.inner.flush()
    }
}

fn fake() -> Fake {
    Fake::new().reordering(Reorder::Pyramid)
}

impl CodecKit for FailingOne {
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        fake().video_decoder(params)
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        fake().audio_decoder(params)
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        let inner = fake().video_encoder(settings)?;
        if self.opened.fetch_add(1, Ordering::SeqCst) != self.number {
            return Ok(inner);
        }
        Ok(Box::new(FailingEncoder { inner, at: self.at }))
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        fake().audio_encoder(settings)
    }
}

/// Whoever is carried fails: the program encodes for itself as soon as that is known.
#[test]
fn a_channel_outlives_the_one_it_carries() {
    let text = r#"
show "orphan" {
  video 64x36 25fps
  audio 48kHz stereo
  camera a { line gen test "motion" }
  ladder two { keyframe 1s; audio 64k; rung big 64x36 100k; rung small 32x18 50k }
  channel program { sources a; ladder two; egress disk record "{channel}-{rung}.flv" }
  channel own { sources a; ladder two; egress disk record "{channel}-{rung}.flv" }
  rundown program { at 0:08 end }
  rundown own { at 0:08 end }
}"#;
    // Of two alike the first one encodes: so it is that one's small rung that fails.
    let kit = FailingOne { number: 1, at: Time::from_secs(3), opened: AtomicU32::new(0) };
    let ran = offline(text, Arc::new(kit));
    assert!(codes(&ran.report).contains(&("rung-failed".to_owned(), "program/small".to_owned())));
    let own = |rung| pictures(&recording(&ran, "own", rung));
    let (big, small) = (own("big"), own("small"));
    // The rung that worked lost nothing; the other lost what was on its way: as much as the queues
    // between them hold, where the threads take turns so.
    assert_eq!((big.len(), small.last()), (200, big.last()));
    assert!((90..200).contains(&small.len()), "{} pictures", small.len());
    let (big, small) = (carried_by(&ran.report, "big"), carried_by(&ran.report, "small"));
    assert!((75..190).contains(&big) && small <= 75, "{big} and {small} carried");
}

fn carried_by(report: &Report, rung: &str) -> u64 {
    let rung = channel(report, "own").rungs.iter().find(|r| r.name == rung).unwrap();
    rung.carried.iter().map(|carried| carried.frames).sum()
}

/// A lower third of the program alone: but while it is seen, the program is its camera's channel, frame
/// by frame.
#[test]
fn a_graphic_of_the_programs_own_is_encoded_while_it_is_seen() {
    const TICKS: usize = 75;
    let text = r#"
show "name" {
  video 192x108 25fps
  audio 48kHz stereo
  camera film { line disk file "generated/base.mp4" loop=true }
  watermark bug { image "pictures/logo.png" at=top-right margin=0 scale=20% }
  watermark name { text "Karry" at=bottom-left size=40 margin=8 state=off }
  ladder one { preset veryfast; keyframe 2s; audio 64k; rung big 192x108 400k }
  channel program { sources film; watermark name bug; ladder one; egress disk record "{channel}-{rung}.flv" }
  channel own { sources film; watermark bug; ladder one; egress disk record "{channel}-{rung}.flv" }
  rundown program { at 0:01 watermark name on; at 0:02 watermark name off; at 0:03 end }
  rundown own { at 0:03 end }
}"#;
    let ran = offline(text, ffmpeg());
    // Of equals it is the first in the show that encodes.
    assert_eq!((carried(&ran.report, "program"), carried(&ran.report, "own")), (0, TICKS as u64 - 25));
    let [program, own] = ["program", "own"].map(|channel| recording(&ran, channel, "big"));
    for coded in [&program, &own] {
        pictures_are_whole(coded, TICKS);
    }
    let [program, own] = [program, own].map(|coded| decode_with(&*ffmpeg(), &coded));
    for (tick, (program, own)) in program.iter().zip(&own).enumerate() {
        let named = (25..50).contains(&tick);
        assert_eq!(equal(program, own), !named, "tick {tick}");
    }
}

/// Status says from where, at once; and a logo that comes on air with a reload is not left out.
#[test]
fn the_status_says_what_is_carried() {
    let text = r#"
show "told" {
  video 192x108 25fps
  audio 48kHz stereo
  camera a { line gen test "motion" }
  camera b { line gen test "bars" }
  watermark bug { image "pictures/logo.png" at=top-right margin=0 }
  ladder one { keyframe 1s; audio 64k; rung big 64x36 100k }
  channel program { sources a b; ladder one; egress disk record "{channel}.flv" }
  channel own-b { sources b; ladder one; egress disk record "{channel}.flv" }
}"#;
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        inputs: clips(),
        out: out.path().to_owned(),
        kit: Arc::new(fake()),
        ..RunOptions::new(Mode::RealTime)
    };
    let engine = Engine::start(show(text), options).unwrap();
    let handle = engine.handle();
    let cut = |source: &str| {
        let command = json!({"do": "cut", "channel": "program", "source": source});
        handle.command(serde_json::from_value(command).unwrap()).unwrap();
        handle.status().channels[0].rungs[0].carried_from.clone()
    };
    assert_eq!(cut("b").as_deref(), Some("own-b"));
    assert_eq!(cut("a"), None);
    assert_eq!(cut("b").as_deref(), Some("own-b"));
    let reload = |text: &str| {
        handle.command(Command { file: Some(text.to_owned()), ..Command::reload() }).unwrap();
        cut("b")
    };
    assert_eq!(reload(&text.replace("sources a b;", "sources a b; watermark bug;")), None);
    assert_eq!(reload(text).as_deref(), Some("own-b"));
    // A logo on both is one picture, as long as it is led alike.
    let both = text.replace("sources a b;", "sources a b; watermark bug;");
    assert_eq!(reload(&both.replace("sources b;", "sources b; watermark bug;")).as_deref(), Some("own-b"));
    let lead = |channel: &str, state: &str| {
        let order = json!({"do": "watermark", "watermark": "bug", "state": state, "channel": channel});
        handle.command(serde_json::from_value(order).unwrap()).unwrap();
        cut("b")
    };
    assert_eq!(lead("program", "off"), None);
    assert_eq!(lead("own-b", "off").as_deref(), Some("own-b"));
    handle.stop();
    let report = engine.wait();
    let rung = &channel(&report, "program").rungs[0];
    assert_eq!(rung.carried.iter().map(|carried| carried.channel.as_str()).collect::<Vec<_>>(), ["own-b"]);
    let (program, own) = (tags(&out.path().join("program.flv")), tags(&out.path().join("own-b.flv")));
    pictures_are_whole(&program, pictures(&own).len());
}
