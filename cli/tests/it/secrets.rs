//! A show with a secret in every kind of address, whose peers fail in every way:
//! nothing that anybody can see or keep holds one of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::live_show::{LiveShow, folder, report};
use crate::obvan::obvan;

/// How a server behaves.
#[derive(Clone, Copy)]
enum Peer {
    /// It closes at once.
    Closes,
    /// It sends back whatever it gets.
    Echoes,
    /// It refuses by HTTP or RTSP, and repeats what it was asked for.
    Refuses,
    /// It sends us on, with what it was asked for, to where nobody is.
    SendsOn,
}

/// Its port; it lives as long as the test's process.
fn serve(peer: Peer) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(peer, stream));
        }
    });
    port
}

fn answer(peer: Peer, mut stream: TcpStream) {
    let mut bytes = [0; 16 << 10];
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
        let line = text.lines().next().unwrap_or_default();
        let asked = line.split(' ').nth(1).unwrap_or_default();
        let version = if line.contains("RTSP/1.0") { "RTSP/1.0" } else { "HTTP/1.1" };
        let same =
            text.lines().find(|line| line.to_ascii_lowercase().starts_with("cseq")).unwrap_or("CSeq: 1");
        let reply = match peer {
            Peer::Closes => return,
            Peer::Echoes => bytes[..n].to_vec(),
            Peer::Refuses => format!(
                "{version} 404 No {asked} here\r\n{same}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
                text.len()
            )
            .into_bytes(),
            Peer::SendsOn => {
                let path = asked.rsplit('/').next().unwrap_or_default();
                format!(
                    "{version} 302 Found\r\n{same}\r\nLocation: {}://me:SECRETmoved@127.0.0.1:1/{path}\r\nContent-Length: 0\r\n\r\n",
                    if version == "RTSP/1.0" { "rtsp" } else { "http" }
                )
                .into_bytes()
            }
        };
        if stream.write_all(&reply).is_err() {
            return;
        }
    }
}

/// Addresses of each kind on one port, with secrets wherever one may stand.
fn pulls(port: u16) -> Vec<String> {
    let tail = format!("127.0.0.1:{port}");
    vec![
        format!("rtmp://me:SECRETpass@{tail}/live/SECRETkey?token=SECRETtoken"),
        format!("RTMPS://me:SECRETpass@{tail}/live/SECRETkey?token=SECRETtoken"),
        format!("rtsp://me:SECRETpass@{tail}/SECRETpath?token=SECRETtoken"),
        format!("rtspt://me:SECRETpass@{tail}/SECRETpath"),
        format!("http://me:SECRETpass@{tail}/live/SECRETkey.flv?token=SECRETtoken"),
        format!("https://me:SECRETpass@{tail}/live/SECRETkey.flv?token=SECRETtoken"),
        format!("http://me:SECRETpass@{tail}/live/SECRETkey.m3u8?token=SECRETtoken"),
        format!("http://me:SECRETpass@{tail}/live/SECRETkey.mp3?token=SECRETtoken"),
        format!("http://me:SECRETpass@{tail}/live/SECRETkey?token=SECRETtoken"),
        // As they are written where a letter must not stand for itself: what is decoded is seen as SECRET.
        format!("rtmp://me:%53ECRETpass@{tail}/live/%53ECRETkey?token=%53ECRETtoken"),
        format!("rtsp://me:%53ECRET%40pass@{tail}/%53ECRETpath?token=%53ECRETtoken"),
        format!("http://me:%53ECRET%40pass@{tail}/live/%53ECRET%2Fkey.m3u8?token=%53ECRETtoken"),
        format!("srt://{tail}?passphrase=%53ECRETpassphrase&streamid=%53ECRETid&latency=20"),
        format!("srt://{tail}?passphrase=SECRETpassphrase&streamid=SECRETid&latency=20"),
    ]
}

#[test]
fn no_secret_of_an_address_is_seen_or_kept_however_its_peer_fails() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ports =
        [nobody, serve(Peer::Closes), serve(Peer::Echoes), serve(Peer::Refuses), serve(Peer::SendsOn)];
    let lines: Vec<String> = ports.into_iter().flat_map(pulls).collect();
    let pulled: String =
        lines.iter().enumerate().map(|(n, url)| format!("    line l{n} pull \"{url}\"\n")).collect();
    let pushed: String = ports
        .iter()
        .enumerate()
        .flat_map(|(n, port)| ["rtmp", "rtmps"].map(|scheme| (n, port, scheme)))
        .map(|(n, port, scheme)| {
            let url =
                format!("{scheme}://me:SECRETpass@127.0.0.1:{port}/live/SECRETkey{{rung}}?token=SECRETtoken");
            format!("    egress {scheme}{n} push \"{url}\"\n")
        })
        .collect();
    let text = format!(
        "show night {{\n  video 320x180 25fps\n  camera main {{\n{pulled}  }}\n  camera bars {{ line gen test bars }}
  ladder one {{ preset ultrafast; rung r 160x90 100k }}
  channel program {{\n    sources main bars\n    ladder one\n{pushed}    egress disk record \"x.flv\"\n  }}\n}}\n"
    );
    let folder = folder(&text);
    let checked = obvan(folder.path(), &["check", "night.show"]).exits(0);
    let json = obvan(folder.path(), &["check", "night.show", "--format", "json"]).exits(0);
    let live = LiveShow::start(folder.path(), &[]);
    // Some wait longer for an answer that makes sense, and the first pipeline of a new system long.
    let few = lines.len() / 5;
    live.wait_until("most peers to fail", |show| {
        let said = show.said();
        (0..lines.len()).filter(|n| !said.contains(&format!("main/l{n}:"))).count() < few
    });
    let url = live.url();
    let get =
        |path: &str| ureq::get(format!("{url}{path}")).call().unwrap().into_body().read_to_string().unwrap();
    let seen = ["/", "/api/status", "/metrics"].map(get).join("\n");
    let mut events = ureq::get(format!("{url}/api/events")).call().unwrap().into_body().into_reader();
    let mut snapshot = vec![0; 64 << 10];
    let n = events.read(&mut snapshot).unwrap();
    drop(events);
    live.signal("TERM");
    let (_, said) = live.ended();
    let report = report(folder.path());
    let told: Vec<_> = report["events"].as_array().unwrap().iter().collect();
    let is_silent = |n: &usize| !told.iter().any(|e| e["subject"] == *format!("main/l{n}"));
    let silent: Vec<_> = (0..lines.len()).filter(is_silent).map(|n| &lines[n]).collect();
    assert!(silent.len() < few, "{silent:?}");
    let all = [
        seen,
        String::from_utf8_lossy(&snapshot[..n]).into_owned(),
        said,
        report.to_string(),
        format!("{}{}{}", checked.text(), checked.stderr, json.text()),
    ];
    for text in all {
        assert!(text.len() > 20, "{text}");
        // The last is the beginning of them all in base64.
        for secret in ["secret", "53ecret", "bwu6u0vd"] {
            let lower = text.to_ascii_lowercase();
            if let Some(at) = lower.find(secret) {
                let from = text.floor_char_boundary(at.saturating_sub(200));
                panic!("{}", &text[from..text.ceil_char_boundary(at + 60)]);
            }
        }
    }
}
