//! Lines that ask for a stream key.

use engine::Status;

use crate::hall::{finished, secret};
use crate::live::{SHOW, start_show, wait_for};

const KEY: &str = "s3cret-Kw8=";
const WRONG: &str = "s3cret-Kw9=";

/// Half a second of picture, pushed by FFmpeg.
fn push(url: &str) -> std::process::Output {
    finished(
        "ffmpeg",
        &format!(
            "-nostdin -v error -f lavfi -i color=red:size=160x90:rate=25 -t 0.5 -c:v libx264 -preset ultrafast \
             -tune zerolatency -pix_fmt yuv420p -f flv {url}"
        ),
    )
}

#[test]
fn an_encoder_is_let_in_with_the_key_alone_and_nobody_is_told_the_key() {
    let keys = tempfile::tempdir().unwrap();
    let path = secret(keys.path(), "cam.key", &format!("{KEY}\n"));
    let line = format!("push \"rtmp:live/main\" key=\"file:{}\"", path.display());
    let open = "  camera open { line any push \"rtmp:live/open\" }\n  camera bars";
    let text = SHOW.replace("LINE", &line).replace("  camera bars", open);
    let live = start_show(&text.replace("sources main bars", "sources main bars open"));
    let handle = live.engine.handle();
    let url = &live.url;

    for refused in [
        url.clone(),
        format!("{url}?key={WRONG}"),
        format!("{url}?key="),
        format!("{url}?Key={KEY}"),
        format!("{url}/{WRONG}"),
    ] {
        let output = push(&refused);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("stream key is missing or wrong"),
            "{refused}: {said}"
        );
    }
    // A key that would be right, where nobody waits: not even told to the crew.
    for astray in
        [url.replace("/main", &format!("/mian?key={KEY}")), url.replace("/main", &format!("/mian/{KEY}"))]
    {
        assert!(!push(&astray).status.success());
    }
    assert!(handle.status().cameras[0].lines[0].bytes == 0, "nothing of them has come in");

    // As OBS, FFmpeg and encoders that cannot send a query do it, and a line without a key.
    let open = url.replace("/main", "/open");
    for let_in in [
        format!("{url}?key={KEY}"),
        format!("{url}?user=me&key={KEY}"),
        // As an address is written.
        format!("{url}?key={}", KEY.replace('=', "%3D")),
        format!("{url}/{KEY}"),
        open.clone(),
        format!("{open}?key=whatever"),
    ] {
        let output = push(&let_in);
        assert!(output.status.success(), "{let_in}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let connected = |s: &Status| s.events.iter().filter(|e| e.code == "line-connected").count();
    wait_for(&handle, "all six to be let in", |s| connected(s) == 6);
    let location = format!("{url}?key={KEY}");
    let gst = finished(
        "gst-launch-1.0",
        &format!(
            "-q videotestsrc num-buffers=12 ! video/x-raw,width=160,height=90,framerate=25/1 ! x264enc \
             tune=zerolatency speed-preset=ultrafast ! flvmux streamable=true ! rtmp2sink location={location}"
        ),
    );
    assert!(gst.status.success(), "{}", String::from_utf8_lossy(&gst.stderr));
    wait_for(&handle, "GStreamer, too", |s| connected(s) == 7);

    let status = serde_json::to_string(&handle.status()).unwrap();
    handle.stop();
    let report = live.engine.wait();
    let denied = report.events.iter().filter(|e| e.code == "push-denied").collect::<Vec<_>>();
    assert!(!denied.is_empty() && denied.len() < 5, "told, and not each one: {denied:#?}");
    assert!(denied[0].subject == "main/fiber" && denied[0].message.contains("without its stream key"));
    let report = serde_json::to_string(&report).unwrap();
    for told in [status, report] {
        assert!(!told.contains("s3cret") && !told.contains("Kw8"), "{told}");
    }
}
