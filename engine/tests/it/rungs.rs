//! What a ladder's rungs are encoded with, as its recordings show it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use codecs::Fake;
use engine::alarm::{Standing, standing};
use engine::{Engine, Level, Mode, RunOptions};
use flv::TagKind;
use flv::video::{VideoCodec, VideoHeader};

use crate::live::wait_for;
use crate::support::{Ran, clips, decode, ffmpeg, offline, pictures, psnr, show, tags};

fn text(ladder: &str) -> String {
    format!(
        r#"
show "rungs" {{
  video 320x180 25fps
  audio 48kHz stereo
  camera main {{ line gen test "motion" tone=440 }}
  camera bars {{ line gen test "bars" tone=330 }}
  ladder both {{ preset ultrafast; keyframe 1s; audio 64k; {ladder} }}
  channel program {{ sources main bars; ladder both; egress disk record "{{rung}}.flv" }}
  rundown program {{ at 0:01.320 cut bars; at 0:03 end }}
}}"#
    )
}

fn recorded(ran: &Ran, rung: &str) -> Vec<flv::Tag> {
    tags(&ran.out.path().join(format!("{rung}.flv")))
}

fn codec(tags: &[flv::Tag]) -> Option<VideoCodec> {
    let mut headers = tags
        .iter()
        .filter(|tag| tag.kind == TagKind::Video)
        .map(|tag| VideoHeader::parse(tag.body()).unwrap());
    headers.find(VideoHeader::is_sequence_start).and_then(|header| header.codec)
}

#[test]
fn hevc_and_avc_rungs_of_one_ladder_are_in_step() {
    let text = text("rung avc 320x180 900k; rung hevc 320x180 900k encoder=x265");
    let ran = offline(&text, ffmpeg());
    assert_eq!(ran.report.exit_code(), 0, "{:#?}", ran.report.events);
    let [avc, hevc] = ["avc", "hevc"].map(|rung| recorded(&ran, rung));
    assert_eq!((codec(&avc), codec(&hevc)), (Some(VideoCodec::Avc), Some(VideoCodec::Hevc)));
    let [mut in_avc, mut in_hevc] = [&avc, &hevc].map(|tags| pictures(tags));
    in_avc.sort_by_key(|(pts, _)| *pts);
    in_hevc.sort_by_key(|(pts, _)| *pts);
    assert_eq!(in_avc, in_hevc, "every picture and key frame at one time");
    assert_eq!(in_avc.len(), 75);
    let [avc, hevc] = [&avc, &hevc].map(|tags| decode(tags));
    assert_eq!((avc.len(), hevc.len()), (75, 75));
    for (a, b) in avc.iter().zip(&hevc) {
        assert!(psnr(a, b) > 28.0, "{} dB at {}", psnr(a, b), a.pts);
    }
    // The same show again gives the same bytes.
    let again = offline(&text, ffmpeg());
    for rung in ["avc", "hevc"] {
        let read = |ran: &Ran| std::fs::read(ran.out.path().join(format!("{rung}.flv"))).unwrap();
        assert!(read(&ran) == read(&again), "{rung} differs");
    }
}

/// What another's decoder says of a file: its codec, and how many pictures.
fn counted(file: &Path) -> Option<String> {
    let program = clips().join("generated/new-ffmpeg");
    if !program.exists() {
        return None;
    }
    let out = Command::new(program)
        .args(["-nostdin", "-hide_banner", "-v", "info", "-i"])
        .arg(file)
        .args(["-map", "0:v", "-f", "null", "-"])
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn a_recent_ffmpeg_plays_an_hevc_rung() {
    let ran = offline(&text("encoder x265; rung only 320x180 900k"), ffmpeg());
    // Only it can: Debian 12's does not know enhanced FLV.
    let Some(said) = counted(&ran.out.path().join("only.flv")) else { return };
    assert!(said.contains("Video: hevc") && said.contains("frame=   75"), "{said}");
    assert!(!said.contains("rror"), "{said}");
}

#[test]
fn with_low_latency_pictures_are_in_the_order_they_are_shown_in() {
    for encoder in ["x264", "x265"] {
        let text = text(&format!("encoder {encoder}; rung only 320x180 900k"));
        let [low, normal] = ["low", "normal"].map(|latency| {
            let text = text.replacen("preset ultrafast; ", &format!("latency {latency}; "), 1);
            recorded(&offline(&text, ffmpeg()), "only")
        });
        let in_order = |tags| pictures(tags).is_sorted_by_key(|(pts, _)| *pts);
        assert!(in_order(&low), "{encoder}");
        assert!(!in_order(&normal), "{encoder}: veryfast has B-frames");
        let size = |tags: &[flv::Tag]| tags.iter().map(|tag| tag.body().len()).sum::<usize>();
        assert!(size(&low) > 0 && size(&low) < 3 * size(&normal), "{encoder}");
    }
}

#[test]
fn a_device_that_is_missing_is_told_and_software_stands_in() {
    for (word, device) in
        [("nvenc", "h264_nvenc"), ("h264-vaapi", "h264_vaapi"), ("hevc-v4l2", "hevc_v4l2m2m")]
    {
        let text = text(&format!("encoder {word}; rung top 320x180 900k; rung low 160x90 300k encoder=x264"));
        let ran = offline(&text, Arc::new(Fake::new().without_devices()));
        let told: Vec<_> =
            ran.report.events.iter().filter(|event| event.code == "encoder-fallback").collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!((told[0].level, told[0].subject.as_str()), (Level::Alarm, "program/top"));
        assert!(told[0].message.contains(device), "{}", told[0].message);
        assert_eq!(pictures(&recorded(&ran, "top")).len(), 75);
        assert_eq!(ran.report.exit_code(), 0);
    }
}

#[test]
fn status_says_what_encodes_each_rung() {
    let text = text("encoder qsv; rung top 320x180 900k; rung low 160x90 300k encoder=x264");
    let out = tempfile::tempdir().unwrap();
    let kit = Arc::new(Fake::new().without_devices());
    let options = RunOptions { kit, out: out.path().to_owned(), ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show(&text), options).unwrap();
    let status = wait_for(&engine.handle(), "a rung", |status| status.channels[0].rungs.len() == 2);
    let said = status.channels[0]
        .rungs
        .iter()
        .map(|rung| (rung.encoder.as_deref(), rung.encoder_missing.as_deref()));
    assert_eq!(said.collect::<Vec<_>>(), [(Some("libx264"), Some("h264_qsv")), (Some("libx264"), None)]);
    let told = status.events.iter().find(|event| event.code == "encoder-fallback").unwrap();
    assert_eq!(standing(&told.code), Some(Standing::ForGood), "it is wrong for as long as the show runs");
    engine.handle().stop();
    engine.wait();
}

/// What stands in for a copied rung is encoded, too.
#[test]
fn a_device_that_is_missing_is_told_of_a_copied_rung() {
    let text = text("encoder vaapi; rung source copy; rung low 160x90 300k encoder=x264")
        .replace(r#"test "motion" tone=440"#, r#"file "generated/base.mp4""#)
        .replace(r#"test "bars" tone=330"#, r#"file "generated/base.mp4""#);
    let ran = offline(&text, Arc::new(Fake::new().without_devices()));
    let told = ran.report.events.iter().filter(|event| event.code == "encoder-fallback");
    assert_eq!(told.map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["program/source"]);
}
