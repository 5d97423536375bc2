//! A player that stops reading for a while, beside one that does not.

use std::path::Path;
use std::process::Command;

use engine::EgressState;
use flv::{Tag, TagKind};
use media::Key;

use crate::hall::finished;
use crate::hall::played::whole_tags;
use crate::live::{Live, Tool, start_show, tool, wait_for};
use crate::support::{decode, pictures, tags};

/// Noise is much for the buffers between us and a player: they are full in two seconds.
const SHOW: &str = r#"
show "slow" {
  video 640x360 25fps
  audio 48kHz stereo
  camera main { line disk file "FILM" loop=true }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 360p 640x360 12000k }
  channel program { sources main; ladder one; egress relay serve rtmp; egress disk record "{rung}.flv" }
}
"#;

fn play(live: &Live, name: &str) -> Tool {
    let from = format!("rtmp://{}/live/program_360p", live.engine.rtmp_addr().unwrap());
    let to = live.out.path().join(name);
    let args = ["-nostdin", "-v", "error", "-i", &from, "-c", "copy", "-f", "flv", to.to_str().unwrap()];
    tool("ffmpeg", &args)
}

fn signal(tool: &Tool, name: &str) {
    assert!(Command::new("kill").args([name, &tool.0.id().to_string()]).status().unwrap().success());
}

fn bodies(tags: &[Tag]) -> Vec<Vec<u8>> {
    let coded = tags.iter().filter(|tag| tag.kind == TagKind::Video && tag.body().get(1) == Some(&1));
    coded.map(|tag| tag.body()[5..].to_vec()).collect()
}

#[test]
fn a_player_that_stops_reading_loses_its_own_frames_only() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("noise.mp4");
    let made = finished(
        "ffmpeg",
        &format!(
            "-nostdin -v error -f lavfi -i color=gray:s=640x360:r=25 -t 2 -vf noise=alls=100:allf=t -c:v libx264 \
             -preset ultrafast -b:v 12M -pix_fmt yuv420p {}",
            film.display()
        ),
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let live = start_show(&SHOW.replace("FILM", film.to_str().unwrap()));
    let handle = live.engine.handle();
    let sent = |bytes: u64| {
        move |s: &engine::Status| s.channels[0].egress.iter().any(|e| e.name == "relay" && e.bytes > bytes)
    };
    let mut slow = play(&live, "slow.flv");
    wait_for(&handle, "the first one to play", sent(1 << 20));
    let mut quick = play(&live, "quick.flv");
    let both = live.out.path().join("quick.flv");
    wait_for(&handle, "the second one to play", |_| file_len(&both) > 1 << 20);
    signal(&slow, "-STOP");
    let lost = |s: &engine::Status| s.channels[0].egress.iter().any(|e| e.dropped_frames > 0);
    let status = wait_for(&handle, "frames that are lost to it", lost);
    signal(&slow, "-CONT");
    let until = status.channels[0].frames + 75;
    wait_for(&handle, "three seconds with both", |s| s.channels[0].frames > until);
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    let way = report.channels[0].egress.iter().find(|e| e.name == "relay").unwrap();
    assert!(way.dropped_frames > 25 && way.state == EgressState::Closed, "{way:?}");
    assert!(quick.0.wait().unwrap().success());
    // On a machine that is too busy to wake it in time it is let go: then its file is cut.
    let _ = slow.0.wait().unwrap();

    let recorded = tags(&live.out.path().join("360p.flv"));
    assert_eq!(pictures(&recorded).len() as u64, report.channels[0].frames, "the show has lost nothing");
    let recorded = bodies(&recorded);
    let played = bodies(&whole_tags(&both));
    let from = recorded.iter().position(|body| *body == played[0]).unwrap();
    assert!(recorded[from..] == played, "the other one has lost nothing");
    let played = whole_tags(&live.out.path().join("slow.flv"));
    let seen = pictures(&played);
    let holes: Vec<_> = seen.windows(2).filter(|two| two[1].0 - two[0].0 > 1000).collect();
    assert!(holes.len() <= 1 && holes.iter().all(|two| two[1].1 == Key::Frame), "{holes:?}");
    assert!(seen[0].1 == Key::Frame && seen.len() < recorded.len() - 25, "{} pictures", seen.len());
    assert_eq!(decode(&played).len(), seen.len(), "each picture it has got can be decoded");
    println!("{} lost, {} holes", way.dropped_frames, holes.len());
}

fn file_len(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
