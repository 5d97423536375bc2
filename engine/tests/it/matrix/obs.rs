//! OBS, as its users have it, publishes to a line with a stream key.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use engine::LineState;

use super::seen::{Looks, Seen};
use crate::hall::{finished, secret};
use crate::live::{SHOW, Tool, on_air, start_show, wait_for, wait_for_long};
use crate::thumbs::pictured;

const PURPLE: Looks = Looks { colour: [128, 0, 255], tone: 700 };
/// What else it could be taken for: the filler, bars, black.
const OTHERS: [Looks; 3] = [
    Looks { colour: [0, 255, 0], tone: 440 },
    Looks { colour: [128, 128, 128], tone: 1000 },
    Looks { colour: [0, 0, 0], tone: 300 },
];

/// How long OBS may take to begin, which draws its own window without a card that would help.
const START: Duration = Duration::from_secs(90);

/// Whether the line's picture has the film's colour.
fn is_purple(http: SocketAddr) -> bool {
    let (_, picture, _) = pictured(http, "/thumb/main.jpg");
    let seen = picture.get_pixel(picture.width() / 2, picture.height() / 2).0;
    seen.iter().zip(PURPLE.colour).all(|(a, b)| a.abs_diff(b) < 40)
}

/// The script that runs OBS without a screen; told to end, it takes OBS with it.
struct Obs(Tool);

impl Obs {
    fn start(server: &str, key: &str, film: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/obs.sh");
        let mut process = Process::new(script);
        process.args([server, key]).arg(film).stdin(Stdio::null());
        Self(Tool(process.spawn().unwrap()))
    }

    fn end(&mut self) {
        if self.0.0.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        let _ = Process::new("kill").arg(self.0.0.id().to_string()).status();
        let begun = Instant::now();
        while self.0.0.try_wait().is_ok_and(|status| status.is_none())
            && begun.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Obs {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether it is installed; where it could be, it must.
fn is_installed() -> bool {
    let has = |program: &str| Path::new("/usr/bin").join(program).exists();
    let found = has("obs") && has("Xvfb");
    if !found {
        assert!(std::env::var_os("CI").is_none(), "OBS is missing: `scripts/setup.sh --tests` installs it");
        eprintln!("SKIPPED: OBS is not installed here");
    }
    found
}

#[test]
fn obs_publishes_with_a_stream_key_goes_and_comes_back() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4");
    let made = finished(
        "ffmpeg",
        &format!(
            "-nostdin -v error -f lavfi -i color=c=0x8000ff:s=320x180:r=30 -f lavfi -i sine=f=700:r=48000 -t 4 \
             -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac {}",
            film.display()
        ),
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = secret(folder.path(), "cam.key", "hunter2");
    let live =
        start_show(&SHOW.replace("LINE", &format!("push \"rtmp:live/main\" key=\"file:{}\"", key.display())));
    let handle = live.engine.handle();
    let server = live.url.trim_end_matches("/main");
    let mut stretches = Vec::new();
    for _ in 0..2 {
        let mut obs = Obs::start(server, "main?key=hunter2", &film);
        wait_for_long(&handle, START, "OBS's picture", |s| {
            on_air(s) == Some("main") && s.cameras[0].lines[0].state == LineState::Live
        });
        // It opens its film after it has begun to publish.
        wait_for_long(&handle, START, "the film in it", |_| is_purple(live.http()));
        let from = handle.status().channels[0].frames;
        wait_for(&handle, "two seconds of it", |s| s.channels[0].frames > from + 50);
        stretches.push(usize::try_from(from).unwrap());
        obs.end();
        wait_for(&handle, "the filler when it has gone", |s| on_air(s) == Some("green"));
    }
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    let seen = Seen::in_recording(&live.out.path().join("180p.flv"));
    let all = [&[PURPLE][..], &OTHERS].concat();
    for from in stretches {
        assert_eq!(seen.looks_like(from + 20, &all), 0, "from frame {from}: {:#?}", report.events);
        assert!(seen.is_heard(from, &PURPLE, &all), "from frame {from}: {:#?}", report.events);
    }
}
