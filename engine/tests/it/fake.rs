//! The engine without x264: the fake codec makes long shows cheap.

use std::sync::Arc;

use codecs::Fake;
use media::Key;

use crate::support::{offline, on_air, pictures, tags};

#[test]
fn ten_minutes_offline_keep_every_frame_and_every_cue() {
    let mut cues = String::new();
    for minute in 0..10 {
        for (second, source) in [(10, "b"), (30, "a")] {
            cues.push_str(&format!("at {minute}:{second:02}.040 cut {source}\n"));
        }
    }
    let text = format!(
        r#"
show "long" {{
  video 64x36 30000/1001fps
  audio 48kHz stereo
  camera a {{ line gen test "color:red" tone=440 }}
  camera b {{ line gen test "color:blue" }}
  ladder one {{ keyframe 2s; audio 64k; rung small 64x36 100k; rung tiny 32x18 50k }}
  channel program {{ sources a b; ladder one; egress disk record "{{rung}}.flv" }}
  rundown program {{ {cues} at 10:00 end }}
}}"#
    );
    let ran = offline(&text, Arc::new(Fake::new()));
    // 600 s at 30000/1001: ticks 0 to 17982 lie before the end.
    assert_eq!(ran.report.channels[0].frames, 17_983);
    assert_eq!(on_air(&ran.report).len(), 1 + 20 + 1);
    let all = [tags(&ran.out.path().join("small.flv")), tags(&ran.out.path().join("tiny.flv"))];
    let [small, tiny] = all.each_ref().map(|tags| pictures(tags));
    assert_eq!(small.len(), 17_983);
    let keys = |p: &[(i64, Key)]| p.iter().filter(|p| p.1 == Key::Frame).map(|p| p.0).collect::<Vec<_>>();
    assert_eq!(keys(&small), keys(&tiny));
    // Milliseconds are rounded from the tick's own time and never accumulated.
    let first = small[0].0;
    let mut pts: Vec<i64> = small.iter().map(|p| p.0 - first).collect();
    pts.sort_unstable();
    for (n, pts) in pts.iter().enumerate() {
        let exact = n as f64 * 1001.0 / 30.0;
        assert!((*pts as f64 - exact).abs() <= 1.0, "picture {n}: {pts} ms, exactly {exact:.3}");
    }
    // Sound is as long as the pictures.
    let sound = all[0].iter().filter(|t| t.kind == flv::TagKind::Audio).count() - 1;
    assert!((sound as f64 * 1024.0 / 48_000.0 - 600.0).abs() < 0.05, "{sound} blocks of sound");
}
