//! A camera for a cell: its line in the show file, and what sends to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::cells::{Audio, CELLS, Sender, Video, Wire};
use super::seen::Looks;
use crate::live::{Tool, free_port, tool};
use crate::support::clips;
use crate::wires::free_udp_port;

/// One camera of the show.
pub(super) struct Camera {
    pub(super) name: String,
    pub(super) wire: Wire,
    video: Video,
    audio: Audio,
    sender: Sender,
    /// No two have the same.
    colour: [u8; 3],
    tone: u32,
    port: u16,
}

/// All there is between dark and bright but black and the filler's green, which is 27 less 2.
fn palette() -> Vec<[u8; 3]> {
    let levels = [0u8, 128, 255];
    let all = levels.iter().flat_map(|r| levels.iter().flat_map(move |g| levels.map(|b| [*r, *g, b])));
    all.filter(|c| *c != [0, 0, 0] && *c != [0, 255, 0]).collect()
}

/// Where `scripts/setup.sh --tests` puts a recent ffmpeg, if it can be had.
fn new_ffmpeg() -> Option<PathBuf> {
    let path = clips().join("generated/new-ffmpeg");
    path.exists().then_some(path)
}

/// All that are tried at once.
pub(super) fn cameras() -> Vec<Camera> {
    let there = |sender| match sender {
        Sender::Ffmpeg | Sender::Gstreamer => true,
        Sender::NewFfmpeg => new_ffmpeg().is_some(),
        Sender::Obs => false,
    };
    let cells = CELLS.iter().filter(|(.., sender)| there(*sender)).zip(palette()).zip(0..);
    cells
        .map(|(((wire, video, audio, sender), colour), n)| Camera {
            name: format!("{wire:?}-{video:?}-{audio:?}").to_lowercase(),
            wire: *wire,
            video: *video,
            audio: *audio,
            sender: *sender,
            colour,
            tone: 300 + 60 * n,
            port: if matches!(wire, Wire::Srt | Wire::Udp) { free_udp_port() } else { free_port().port() },
        })
        .collect()
}

impl Camera {
    pub(super) fn looks(&self) -> Looks {
        Looks { colour: self.colour, tone: self.tone }
    }

    /// Its line in the show file.
    pub(super) fn line(&self, rtsp: u16, http: &str) -> String {
        let Self { name, port, .. } = self;
        match self.wire {
            Wire::RtmpPush => format!(r#"push "rtmp:live/{name}""#),
            Wire::RtmpPull => format!(r#"pull "rtmp://127.0.0.1:{port}/live/{name}""#),
            Wire::HttpFlv => format!(r#"pull "http://127.0.0.1:{port}/{name}.flv""#),
            Wire::Srt => format!(r#"pull "srt://:{port}?latency=80""#),
            Wire::Udp => format!(r#"pull "udp://127.0.0.1:{port}""#),
            Wire::Rtsp => format!(r#"pull "rtspt://127.0.0.1:{rtsp}/{name}""#),
            Wire::HlsTs | Wire::HlsMp4 => format!(r#"pull "{http}/{name}.m3u8""#),
            Wire::Mkv => format!(r#"file "{name}.mkv" loop=true"#),
        }
    }

    fn program(&self) -> String {
        match self.sender {
            Sender::NewFfmpeg => new_ffmpeg().unwrap().to_str().unwrap().to_owned(),
            _ => "ffmpeg".to_owned(),
        }
    }

    /// Sends until it is dropped, a minute at the most; a film of two seconds is made at once.
    pub(super) fn send(&self, rtmp: Option<SocketAddr>, folder: &Path) -> Tool {
        let [r, g, b] = self.colour;
        let picture = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s=160x96:r=12");
        let sound = format!("sine=f={}:r=48000", self.tone);
        let mut args: Vec<String> = Vec::new();
        let mut add = |more: &[&str]| args.extend(more.iter().map(|arg| (*arg).to_owned()));
        add(&["-nostdin", "-v", "error"]);
        let (port, name) = (self.port, &self.name);
        let film = self.wire == Wire::Mkv;
        if !film {
            add(&["-re"]);
        }
        add(&["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound]);
        add(&["-t", if film { "2" } else { "60" }, "-pix_fmt", "yuv420p"]);
        add(&self.video.encoder());
        add(&self.audio.encoder());
        let file = |end: &str| folder.join(format!("{name}.{end}")).to_str().unwrap().to_owned();
        match self.wire {
            Wire::RtmpPush => add(&["-f", "flv", &format!("rtmp://{}/live/{name}", rtmp.unwrap())]),
            Wire::RtmpPull => {
                add(&["-f", "flv", "-listen", "1", &format!("rtmp://127.0.0.1:{port}/live/{name}")]);
            }
            Wire::HttpFlv => {
                add(&["-f", "flv", "-listen", "1", &format!("http://127.0.0.1:{port}/{name}.flv")])
            }
            Wire::Srt => {
                add(&["-f", "mpegts", &format!("srt://127.0.0.1:{port}?mode=caller&latency=80000")]);
            }
            Wire::Udp => add(&["-f", "mpegts", &format!("udp://127.0.0.1:{port}?pkt_size=1316")]),
            Wire::HlsTs => add(&["-f", "hls", "-hls_time", "1", "-hls_list_size", "6", &file("m3u8")]),
            Wire::HlsMp4 => {
                add(&["-tag:v", "hvc1", "-f", "hls", "-hls_segment_type", "fmp4"]);
                add(&[
                    "-hls_fmp4_init_filename",
                    &format!("{name}-init.mp4"),
                    "-hls_time",
                    "1",
                    &file("m3u8"),
                ]);
            }
            Wire::Mkv => add(&[&file("mkv")]),
            Wire::Rtsp => unreachable!("one server has them all"),
        }
        tool(&self.program(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// What makes its streams in a GStreamer RTSP server.
    pub(super) fn launch(&self) -> String {
        let [r, g, b] = self.colour.map(u32::from);
        let colour = 0xff00_0000u32 | r << 16 | g << 8 | b;
        format!(
            "{}=( videotestsrc is-live=true pattern=solid-color foreground-color={colour} ! \
             video/x-raw,format=I420,width=160,height=96,framerate=12/1,colorimetry=bt601 ! {} \
             audiotestsrc is-live=true freq={} volume=0.125 ! audio/x-raw,rate=48000,channels=2 ! {} )",
            self.name,
            self.video.payload(),
            self.tone,
            self.audio.payload(),
        )
    }
}
