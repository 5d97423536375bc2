//! A show pushes to, and plays from, an nginx-rtmp behind nginx's own TLS.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use flv::TagKind;

use super::film::{PICTURES, Sealing, clear, opened};
use super::frames::{Times, frames, part, track, whole};
use super::nginx::{App, Nginx, installed};
use super::push::{RUNGS, pushed, show};
use super::rtmp::Player;
use super::tool::{Tool, ffmpeg, quiet, wait_until};
use crate::live_show::{LiveShow, events, folder, report};
use crate::stream::KEY;

/// nginx's `stream` with TLS, before another server's port.
pub struct Terminator {
    _process: Tool,
    pub port: u16,
}

impl Terminator {
    /// Its certificate is the file `cert.pem` in `folder`.
    pub fn start(folder: &Path, before: &str) -> Option<Self> {
        let (program, module) = installed("ngx_stream_module.so")?;
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        // Another process may take a free port before nginx does.
        (0..5)
            .find_map(|_| Self::attempt(folder, program, &module, before))
            .or_else(|| panic!("nginx does not start: {:?}", fs::read_to_string(folder.join("tls.log"))))
    }

    fn attempt(folder: &Path, program: &'static str, module: &str, before: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "load_module {module};
daemon off; master_process off; pid tls.pid; error_log tls.log info;
events {{ worker_connections 64; }}
stream {{
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    proxy_pass {before};
  }}
}}
"
        );
        fs::write(folder.join("tls.conf"), config).unwrap();
        let prefix = format!("{}/", folder.display());
        let args = ["-p", &prefix, "-c", "tls.conf", "-e", "tls.log"];
        let mut process = Tool::spawn("nginx", &mut quiet(folder, program, &args));
        let mut is_up = false;
        wait_until("nginx to listen", || {
            is_up = TcpStream::connect(("127.0.0.1", port)).is_ok();
            is_up || process.status().is_some()
        });
        is_up.then_some(Self { _process: process, port })
    }
}

#[test]
fn every_rung_of_an_encrypted_show_arrives_through_tls_and_a_camera_comes_through_it() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(scratch.path()) else { return };
    let clear = nginx.stream(App::Live, "");
    let server = clear.trim_start_matches("rtmp://").split('/').next().unwrap();
    let Some(tls) = Terminator::start(scratch.path(), server) else { return };
    let at = format!("rtmps://localhost:{}/live", tls.port);
    let cert = scratch.path().join("cert.pem");
    let ca = format!("ca=\"{}\"", cert.display());
    let text = show(&format!("{at}/{{channel}}_{{rung}}"))
        .replace("_{rung}\"", &format!("_{{rung}}\" {ca}"))
        // Trusted by nobody: it fails, and says so.
        .replace("    egress web", &format!("    egress lost push \"{at}/lost_{{rung}}\"\n    egress web"))
        .replace("line gen test \"bars\"", &format!("line far pull \"{at}/cam\" {ca}"));
    let folder = folder(&text);
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let publish = format!(
        "-re -f lavfi -i testsrc2=size=320x180:rate=25 -c:v libx264 -preset ultrafast -g 25 -t 60 -f flv {clear}cam"
    );
    let _camera = Tool::spawn("ffmpeg", &mut ffmpeg(folder, &publish));
    let play = |rung: &str| {
        Player::of(&format!("program_{rung}"), &nginx, App::Live, folder, &format!("{rung}-played.flv"))
    };
    let players = RUNGS.map(play);
    let live = LiveShow::start(folder, &[]);
    wait_until("two seconds of each rung", || players.iter().all(|player| player.pictures() >= 50));
    wait_until("the camera", || live.status()["cameras"][1]["lines"][0]["state"] == "live");
    live.signal("TERM");
    let (_, said) = live.ended();
    let report = report(folder);
    for (rung, player) in RUNGS.into_iter().zip(players) {
        let record = frames(fs::read(folder.join(format!("out/{rung}.flv"))).unwrap());
        let got = opened(&player.ended(), Sealing::Nalu);
        let row = pushed(&report, rung);
        assert_eq!((&row["state"], &row["reconnects"]), (&"closed".into(), &0.into()), "{row} {said}");
        // A busy machine may take a second to agree on TLS: from the next key frame on it is all there.
        let (got, all) = (part(&record, &got, Times::Exact), whole(&record));
        assert_eq!((got.pictures.end, got.sound.end), (all.pictures.end, all.sound.end), "{rung}");
        assert!(
            got.pictures.start % 25 == 0 && got.pictures.len() >= 25,
            "{rung}: {got:?} {}",
            report["events"]
        );
    }
    let told = report["events"].as_array().unwrap().iter().filter(|e| e["code"] == "egress-lost");
    let told: Vec<String> = told.map(|e| e["message"].to_string()).collect();
    // Once for each rung, and at the end what was only counted.
    assert!((2..=4).contains(&told.len()), "{:?}", events(&report));
    assert!(
        told.iter().all(|m| m.contains("the certificate of localhost is signed by nobody")
            || m.contains("no root certificates")),
        "{told:?}"
    );
}

/// A web server gives a file all at once; it is shown at its own pace, every picture of it, and
/// ends when it ends.
#[test]
fn a_film_on_a_web_server_is_fetched_in_the_clear_and_inside_tls() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(scratch.path()) else { return };
    let Some(tls) = Terminator::start(scratch.path(), &nginx.web()) else { return };
    nginx.put("film.flv", clear());
    let ca = scratch.path().join("cert.pem");
    let text = format!(
        "show night {{\n  video 320x180 25fps\n  camera main {{
    line near pull \"http://{}/files/film.flv\"
    line far pull \"https://localhost:{}/files/film.flv?token=SECRET\" ca=\"{}\"\n  }}
  filler f {{ test bars }}
  ladder one {{ preset ultrafast; rung r 160x90 100k }}
  channel program {{ sources main; filler f; ladder one; egress disk record \"x.flv\" }}\n}}\n",
        nginx.web(),
        tls.port,
        ca.display()
    );
    let folder = folder(&text);
    let live = LiveShow::start(folder.path(), &[]);
    wait_until("both to end", || live.status().to_string().matches("the file has ended").count() == 2);
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    let report = report(folder.path());
    let film = frames(clear().to_vec());
    assert_eq!(track(&film, TagKind::Video).len(), PICTURES);
    for line in report["cameras"][0]["lines"].as_array().unwrap() {
        assert_eq!(line["packets"].as_u64(), Some(film.len() as u64), "{line}");
    }
    assert!(!events(&report).iter().any(|(code, _)| code == "line-overrun"), "{report}");
    assert!(report["wall_s"].as_f64().unwrap() > 5.0, "it was not shown at its own pace");
}
