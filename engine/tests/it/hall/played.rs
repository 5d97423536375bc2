//! Rungs that are served over RTMP, played by programs we did not write.

use crypto::{KeyId, KeyRing, MasterKey, TagDecryptor, Verdict};
use engine::EgressState;
use flv::{Tag, TagKind};
use media::Key;

use crate::hall::{finished, secret};
use crate::live::{start_show, tool, wait_for};
use crate::support::{decode, pictures, tags};

const DIGITS: &str = "000102030405060708090a0b0c0d0e0f";

fn show(key: &std::path::Path) -> String {
    format!(
        r#"
show "played" {{
  video 320x180 25fps
  audio 48kHz stereo
  camera main {{ line gen test "motion" tone=440 }}
  key tour {{ id 1 file="{}" }}
  ladder two {{ preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k; rung 90p 160x90 150k }}
  channel program {{
    sources main
    ladder two
    encrypt tour
    egress relay serve rtmp
    egress safe record "{{rung}}.flv" clear=true
  }}
}}"#,
        key.display()
    )
}

/// The clear tags of an encrypted file.
fn decrypted(path: &std::path::Path) -> Vec<Tag> {
    let ring: KeyRing = [(KeyId(1), DIGITS.parse::<MasterKey>().unwrap())].into_iter().collect();
    let mut decryptor = TagDecryptor::new(ring);
    let mut sealed = 0;
    let open = whole_tags(path).into_iter().map(|tag| {
        let (tag, verdict) = decryptor.decrypt(tag);
        assert!(matches!(verdict, Verdict::Exempt | Verdict::Encrypted { .. }), "{verdict:?}");
        sealed += usize::from(matches!(verdict, Verdict::Encrypted { .. }));
        tag
    });
    let open: Vec<_> = open.collect();
    assert!(sealed > 50, "{sealed} encrypted tags");
    open
}

/// Tags up to where a player that was stopped left its file.
pub(super) fn whole_tags(path: &std::path::Path) -> Vec<Tag> {
    let mut reader = flv::TagReader::new();
    reader.push(std::fs::read(path).unwrap().into());
    let items = std::iter::from_fn(|| reader.next().unwrap());
    items.filter_map(|item| if let flv::Item::Tag(tag) = item { Some(tag) } else { None }).collect()
}

/// What was played is a run of what was recorded: the very tags, from a key frame on.
fn assert_played(played: &[Tag], recorded: &[Tag], what: &str) {
    let coded = |tags: &[Tag], kind: TagKind| -> Vec<(u32, Vec<u8>)> {
        let coded = tags.iter().filter(|tag| tag.kind == kind && tag.body().get(1) == Some(&1));
        coded.map(|tag| (tag.timestamp.0, tag.body().to_vec())).collect()
    };
    for kind in [TagKind::Video, TagKind::Audio] {
        let (played, recorded) = (coded(played, kind), coded(recorded, kind));
        let from = recorded.iter().position(|tag| *tag == played[0]);
        let from = from.unwrap_or_else(|| panic!("{what}: its first {kind:?} was never recorded"));
        assert!(from > 0, "{what}: it has joined late");
        assert!(played == recorded[from..from + played.len()], "{what}: {kind:?}");
    }
    let seen = pictures(played);
    assert_eq!(seen[0].1, Key::Frame, "{what}");
    assert_eq!(decode(played).len(), seen.len(), "{what}: every picture can be decoded");
}

#[test]
fn ffmpeg_and_gstreamer_play_what_decrypts_to_the_very_tags() {
    let keys = tempfile::tempdir().unwrap();
    let live = start_show(&show(&secret(keys.path(), "tour.key", DIGITS)));
    let handle = live.engine.handle();
    let addr = live.engine.rtmp_addr().expect("it listens for players alone, too");
    let out = |name: &str| live.out.path().join(name);
    wait_for(&handle, "the show to run for a while", |s| s.channels[0].frames > 60);

    let nothing = finished("ffmpeg", &format!("-v error -i rtmp://{addr}/live/program_1080p -f null -"));
    assert!(!nothing.status.success());

    let arguments = |rung: &str, file: &std::path::Path| {
        format!("-nostdin -v error -i rtmp://{addr}/live/program_{rung} -c copy -f flv {}", file.display())
    };
    let gst_file = out("gst.flv");
    let words = format!(
        "-q rtmp2src location=rtmp://{addr}/live/program_90p ! filesink location={}",
        gst_file.display()
    );
    let mut gst = tool("gst-launch-1.0", &words.split_whitespace().collect::<Vec<_>>());
    let words = arguments("180p", &out("ffmpeg.flv"));
    let mut ffmpeg = tool("ffmpeg", &words.split_whitespace().collect::<Vec<_>>());
    let sent = |rung: &str| {
        let rung = rung.to_owned();
        move |s: &engine::Status| {
            let way = s.channels[0].egress.iter().find(|e| e.name == "relay" && e.rung == rung).unwrap();
            way.bytes > 60_000
        }
    };
    wait_for(&handle, "FFmpeg to play", sent("180p"));
    wait_for(&handle, "GStreamer to play", sent("90p"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0);
    // Both are told the end.
    assert!(ffmpeg.0.wait().unwrap().success(), "FFmpeg ends with the show");
    gst.0.wait().unwrap();

    let recorded = tags(&live.out.path().join("90p.flv"));
    assert_played(&decrypted(&gst_file), &recorded, "GStreamer");
    // FFmpeg writes tags anew: its own stamps and its own order.
    let played = decrypted(&live.out.path().join("ffmpeg.flv"));
    let bodies = |tags: &[Tag]| -> Vec<Vec<u8>> {
        let coded = tags.iter().filter(|tag| tag.kind == TagKind::Video && tag.body().get(1) == Some(&1));
        coded.map(|tag| tag.body()[5..].to_vec()).collect()
    };
    let (played, recorded) = (bodies(&played), bodies(&tags(&live.out.path().join("180p.flv"))));
    let from = recorded.iter().position(|body| *body == played[0]).unwrap();
    assert!(from > 0 && recorded[from..from + played.len()] == played, "the very pictures");
    assert_eq!(from + played.len(), recorded.len(), "up to the last one");
    let way = report.channels[0].egress.iter().find(|e| e.name == "relay" && e.rung == "90p").unwrap();
    assert_eq!((way.target.as_str(), way.dropped_frames), ("rtmp:live/program_90p", 0));
    // The show has ended, and with it all that was served.
    let open = report.channels[0].egress.iter().find(|way| way.state != EgressState::Closed);
    assert!(open.is_none(), "{open:?}");
}
