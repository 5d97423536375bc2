//! nginx-rtmp as the server between two of our clients.
//!
//! It listens on a socket in a folder of its own, so that no port is needed.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use fixtures::tags::Stream;
use flv::{FlvMillis, Tag, TagKind};
use rtmp::handshake::{DigestScheme, Opening};
use rtmp::session::{ClientEnd, Intent};
use rtmp::{ClientConfig, ClientEvent};

use crate::pair::{client_config, url};
use crate::wire::{Client, PATIENCE};

struct Nginx {
    process: Child,
    folder: tempfile::TempDir,
}

impl Nginx {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"].map(PathBuf::from);
        let module = modules.iter().map(|m| m.join("ngx_rtmp_module.so")).find(|m| m.exists());
        let load = module.map_or(String::new(), |module| format!("load_module {};", module.display()));
        let config = format!(
            "{load} daemon off; master_process off; pid {path}/pid; error_log {path}/log info;
             events {{ worker_connections 64; }}
             rtmp {{ access_log off; server {{ listen unix:{path}/socket; chunk_size 4096;
               application live {{ live on; meta copy; sync 10s; interleave on; publish_notify on; }}
             }} }}"
        );
        std::fs::write(folder.path().join("conf"), config).unwrap();
        // Not on everybody's path.
        let program =
            ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|p| Path::new(p).exists());
        let process = Command::new(program.unwrap_or("nginx"))
            .args(["-p", &path.to_string(), "-c", &format!("{path}/conf"), "-e", &format!("{path}/log")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx with its RTMP module: scripts/setup.sh installs it");
        Self { process, folder }
    }

    fn connect(&self) -> UnixStream {
        let begun = Instant::now();
        loop {
            match UnixStream::connect(self.folder.path().join("socket")) {
                Ok(socket) => return socket,
                Err(err) if begun.elapsed() > PATIENCE => {
                    let log = std::fs::read_to_string(self.folder.path().join("log"));
                    panic!("{err}: {}", log.unwrap_or_default());
                }
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    fn client(&self, config: ClientConfig) -> Client<UnixStream> {
        Client::new(config, self.connect())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Two seconds of pictures and sound, from this time on.
fn stream(start: u32) -> Vec<Tag> {
    let stream = Stream::of_bitrate(7, 2_000_000);
    let tags = stream.tags().take_while(|tag| tag.timestamp.0 < 2000);
    let moved = |tag: Tag| {
        let timestamp = FlvMillis(tag.timestamp.0.wrapping_add(start));
        Tag::new(tag.kind, timestamp, tag.into_body()).unwrap()
    };
    tags.map(moved).collect()
}

/// Publishes from one client, plays with another, and compares what is relayed.
fn relay(opening: Opening, start: u32) {
    let nginx = Nginx::start();
    let name = url("rtmp://localhost/live/main?key=a/b");
    let config = |intent| ClientConfig { url: name.clone(), opening, ..client_config(intent) };
    let mut player = nginx.client(config(Intent::Play));
    player.start();
    let mut publisher = nginx.client(config(Intent::Publish));
    publisher.start();

    let sent = stream(start);
    for tag in &sent {
        publisher.session.send(tag).unwrap();
    }
    publisher.flush().unwrap();
    let media = |tag: &Tag| tag.kind != TagKind::Script;
    let wanted: Vec<&Tag> = sent.iter().filter(|tag| media(tag)).collect();
    let mut metadata = Vec::new();
    let mut got = Vec::new();
    while got.len() < wanted.len() {
        match player.event().expect("more tags") {
            ClientEvent::Tag(tag) if media(&tag) => got.push(tag),
            ClientEvent::Tag(tag) => metadata.push(tag.into_body()),
            _ => {}
        }
    }
    for (number, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        assert_eq!(got.body(), wanted.body(), "tag {number}");
        assert_eq!((number, got.kind, got.timestamp), (number, wanted.kind, wanted.timestamp));
    }
    let script = sent.iter().find(|tag| !media(tag)).unwrap();
    assert!(metadata.contains(script.body()));

    publisher.finish();
    while player.event() != Some(ClientEvent::Ended(ClientEnd::Unpublished)) {}
    player.finish();
}

#[test]
fn nginx_relays_what_our_clients_say() {
    relay(Opening::Simple, 0);
}

#[test]
fn nginx_relays_after_digests_and_beyond_24_bits() {
    relay(Opening::Digest(DigestScheme::One), 0xFF_FF00);
}

#[test]
fn nginx_relays_across_the_wrap() {
    relay(Opening::Digest(DigestScheme::Zero), u32::MAX - 999);
}

#[test]
fn nginx_hangs_up_on_unknown_applications() {
    let nginx = Nginx::start();
    let config = ClientConfig { url: url("rtmp://localhost/nowhere/main"), ..client_config(Intent::Publish) };
    let mut client = nginx.client(config);
    assert_eq!(client.event(), Some(ClientEvent::Ended(ClientEnd::Disconnected)));
}
