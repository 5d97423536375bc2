//! Encoders that push inside TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use engine::{Engine, LineState, Mode, RunOptions};

use crate::live::{on_air, tool, wait_for};
use crate::support::{codes, decode, show, tags};

const SHOW: &str = r#"
show "secure" {
  video 320x180 25fps
  listen { http "127.0.0.1:0"; rtmp "127.0.0.1:0"; rtmps "127.0.0.1:0" cert="cert.pem" key="key.pem" }
  camera main  { line fiber push "rtmp:live/main"; line clear push "rtmp:live/clear" }
  filler green { test "color:lime" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k }
  channel program { sources main; filler green after=2s; ladder one; egress disk record "{rung}.flv" }
}
"#;

/// A folder with a server's papers in it.
fn papers() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    write_key(folder.path(), &made.signing_key.serialize_pem(), 0o600);
    folder
}

fn write_key(folder: &Path, pem: &str, mode: u32) {
    let path = folder.join("key.pem");
    fs::write(&path, pem).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn start(folder: &Path) -> Result<Engine, engine::StartError> {
    let options =
        RunOptions { inputs: folder.to_owned(), out: folder.join("out"), ..RunOptions::new(Mode::RealTime) };
    fs::create_dir_all(&options.out).unwrap();
    Engine::start(show(SHOW), options)
}

#[test]
fn ffmpeg_publishes_inside_tls_to_the_same_push_points() {
    let folder = papers();
    let engine = start(folder.path()).unwrap();
    let handle = engine.handle();
    let (clear, secure) = (engine.rtmp_addr().unwrap(), engine.rtmps_addr().unwrap());
    assert_ne!(clear, secure);
    let push = |to: &str, more: &str| {
        let words = format!(
            "-nostdin -v error -re -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=440 -c:v libx264 \
            -preset ultrafast -tune zerolatency -g 25 -pix_fmt yuv420p -c:a aac -t 30 {more} -f flv {to}"
        );
        tool("ffmpeg", &words.split_whitespace().collect::<Vec<_>>())
    };
    let encoder = push(&format!("rtmps://{secure}/live/main"), "-tls_verify 0");
    let status = wait_for(&handle, "the picture from inside TLS", |s| on_air(s) == Some("main"));
    assert_eq!(status.cameras[0].lines[0].state, LineState::Live);
    // The other door is open as well.
    let _other = push(&format!("rtmp://{clear}/live/clear"), "");
    wait_for(&handle, "the picture in the clear", |s| s.cameras[0].lines[1].state == LineState::Live);
    // In the clear at the wrong door.
    let mut lost = push(&format!("rtmp://{secure}/live/main"), "");
    assert!(!lost.0.wait().unwrap().success());
    wait_for(&handle, "the word of it", |s| s.events.iter().any(|e| e.code == "rtmps-handshake"));
    let t = handle.status().t;
    wait_for(&handle, "two seconds of it", |s| s.t > t + 2.0);
    assert_eq!(on_air(&handle.status()), Some("main"));
    // It dies in mid-record, without a farewell.
    drop(encoder);
    wait_for(&handle, "the end of it", |s| s.cameras[0].lines[0].state == LineState::Lost);
    handle.stop();
    let report = engine.wait();
    assert_eq!(report.exit_code(), 0);
    let strangers = codes(&report).into_iter().filter(|(code, _)| code == "rtmps-handshake").count();
    assert_eq!(strangers, 1, "{:#?}", report.events);
    let recorded = tags(&folder.path().join("out/180p.flv"));
    assert_eq!(decode(&recorded).len() as u64, report.channels[0].frames);
}

#[test]
fn papers_that_are_no_good_keep_a_show_from_starting() {
    let folder = papers();
    let refused = || start(folder.path()).map(|_| ()).unwrap_err().to_string();
    let key = fs::read_to_string(folder.path().join("key.pem")).unwrap();
    write_key(folder.path(), &key, 0o644);
    let said = refused();
    assert!(said.starts_with("listen rtmps: the private key ") && said.ends_with("chmod 600 it"), "{said}");
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    write_key(folder.path(), &other.signing_key.serialize_pem(), 0o600);
    assert!(refused().contains("does not belong to the certificate"));
    fs::remove_file(folder.path().join("key.pem")).unwrap();
    assert!(refused().contains("key.pem: No such file"));
    assert!(!key.lines().any(|line| refused().contains(line)));
}
