//! Every wire with every codec it carries, from programs that are not ours: one show has a
//! camera for each, a director cuts through them all, and the recording has each one's colour
//! and tone. `docs/INGEST.md` shows the table; it is checked against this one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use engine::{Command, Engine, LineState, Mode, RunOptions};

use crate::live::{Tool, free_port, tool, wait_for};
use crate::support::{clips, decode, decode_sound, mean, pictures, show, tags};
use crate::wires::{free_udp_port, serve};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wire {
    RtmpPush,
    RtmpPull,
    HttpFlv,
    Srt,
    Udp,
    Rtsp,
    HlsTs,
    HlsMp4,
    Mkv,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Video {
    Avc,
    Hevc,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Audio {
    Aac,
    Mp3,
    Opus,
}

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sender {
    Ffmpeg,
    /// A newer one than Debian 12 has: it writes enhanced FLV.
    NewFfmpeg,
    Gstreamer,
}

use Audio::{Aac, Mp3, Opus};
use Sender::{Ffmpeg, Gstreamer, NewFfmpeg};
use Video::{Avc, Hevc};

const CELLS: &[(Wire, Video, Audio, Sender)] = &[
    (Wire::RtmpPush, Avc, Aac, Ffmpeg),
    (Wire::RtmpPush, Avc, Mp3, Ffmpeg),
    (Wire::RtmpPush, Avc, Opus, NewFfmpeg),
    (Wire::RtmpPush, Hevc, Aac, NewFfmpeg),
    (Wire::RtmpPush, Hevc, Mp3, NewFfmpeg),
    (Wire::RtmpPush, Hevc, Opus, NewFfmpeg),
    (Wire::RtmpPull, Avc, Aac, Ffmpeg),
    (Wire::RtmpPull, Avc, Mp3, Ffmpeg),
    (Wire::RtmpPull, Hevc, Opus, NewFfmpeg),
    (Wire::HttpFlv, Avc, Aac, Ffmpeg),
    (Wire::HttpFlv, Hevc, Opus, NewFfmpeg),
    (Wire::Srt, Avc, Aac, Ffmpeg),
    (Wire::Srt, Avc, Mp3, Ffmpeg),
    (Wire::Srt, Hevc, Aac, Ffmpeg),
    (Wire::Srt, Hevc, Opus, Ffmpeg),
    (Wire::Udp, Avc, Aac, Ffmpeg),
    (Wire::Udp, Avc, Opus, Ffmpeg),
    (Wire::Udp, Hevc, Mp3, Ffmpeg),
    (Wire::Rtsp, Avc, Aac, Gstreamer),
    (Wire::Rtsp, Avc, Opus, Gstreamer),
    (Wire::Rtsp, Avc, Mp3, Gstreamer),
    (Wire::Rtsp, Hevc, Aac, Gstreamer),
    (Wire::HlsTs, Avc, Aac, Ffmpeg),
    (Wire::HlsTs, Avc, Mp3, Ffmpeg),
    (Wire::HlsMp4, Hevc, Aac, Ffmpeg),
    (Wire::Mkv, Hevc, Opus, Ffmpeg),
];

impl Wire {
    fn words(self) -> &'static str {
        match self {
            Self::RtmpPush => r#"`push "rtmp:…"`"#,
            Self::RtmpPull => r#"`pull "rtmp://…"`"#,
            Self::HttpFlv => r#"`pull "http://….flv"`"#,
            Self::Srt => r#"`pull "srt://…"`"#,
            Self::Udp => r#"`pull "udp://…"` (MPEG-TS)"#,
            Self::Rtsp => r#"`pull "rtsp://…"`"#,
            Self::HlsTs => r#"`pull "http://….m3u8"`, MPEG-TS"#,
            Self::HlsMp4 => r#"`pull "http://….m3u8"`, fragmented MP4"#,
            Self::Mkv => r#"`file "….mkv"`"#,
        }
    }
}

impl Sender {
    fn words(self) -> &'static str {
        match self {
            Ffmpeg => "ffmpeg",
            NewFfmpeg => "ffmpeg 9",
            Gstreamer => "GStreamer",
        }
    }
}

impl Video {
    fn encoder(self) -> Vec<&'static str> {
        match self {
            Avc => vec!["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "12"],
            Hevc => vec![
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-x265-params",
                "keyint=12:log-level=error:pools=none:frame-threads=1",
            ],
        }
    }
    fn payload(self) -> &'static str {
        match self {
            Avc => {
                "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 ! h264parse ! \
                 rtph264pay name=pay0 pt=96 config-interval=1"
            }
            Hevc => {
                "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=12 ! h265parse ! \
                 rtph265pay name=pay0 pt=96 config-interval=1"
            }
        }
    }
}

impl Audio {
    fn encoder(self) -> Vec<&'static str> {
        match self {
            Aac => vec!["-c:a", "aac"],
            Mp3 => vec!["-c:a", "libmp3lame"],
            Opus => vec!["-c:a", "libopus"],
        }
    }
    fn payload(self) -> &'static str {
        match self {
            Aac => "voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
            Mp3 => "lamemp3enc ! mpegaudioparse ! rtpmpapay name=pay1 pt=97",
            Opus => "opusenc ! rtpopuspay name=pay1 pt=97",
        }
    }
}

/// One camera of the show.
struct Camera {
    name: String,
    wire: Wire,
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

fn cameras() -> Vec<Camera> {
    let there = |sender| sender != NewFfmpeg || new_ffmpeg().is_some();
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
    /// Its line in the show file.
    fn line(&self, rtsp: u16, http: &str) -> String {
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
            NewFfmpeg => new_ffmpeg().unwrap().to_str().unwrap().to_owned(),
            _ => "ffmpeg".to_owned(),
        }
    }

    /// Sends until it is dropped, a minute at the most; a film of two seconds is made at once.
    fn send(&self, rtmp: Option<SocketAddr>, folder: &Path) -> Tool {
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
    fn launch(&self) -> String {
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

/// Sends all there is to send, and gives the show that takes it in.
fn text(cameras: &[Camera], rtsp: u16, http: &str) -> String {
    let lines: Vec<String> = cameras
        .iter()
        .map(|c| format!("camera {} {{ line cable {} }}", c.name, c.line(rtsp, http)))
        .collect();
    let names: Vec<&str> = cameras.iter().map(|c| c.name.as_str()).collect();
    format!(
        r#"show "matrix" {{
  video 320x180 25fps
  audio 48kHz stereo
  {}
  filler green {{ test "color:lime" }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 128k; rung 180p 320x180 800k }}
  channel program {{ sources {}; filler green after=2s; ladder one; egress disk record "{{rung}}.flv" }}
}}"#,
        lines.join("\n  "),
        names.join(" "),
    )
}

/// Far above what noise or silence has over 160 ms, far below an eighth of full scale.
const AUDIBLE: f64 = 20_000.0;

/// The power of a tone in samples at 48 kHz (Goertzel).
fn power(samples: &[f32], hertz: u32) -> f64 {
    let step = 2.0 * (std::f64::consts::TAU * f64::from(hertz) / 48_000.0).cos();
    let (mut a, mut b) = (0.0, 0.0);
    for sample in samples {
        (a, b) = (f64::from(*sample) + step * a - b, a);
    }
    a * a + b * b - step * a * b
}

/// The table of the page: a row for each wire, a column for each pair of codecs, and who sent it.
fn table() -> String {
    let pairs = [(Avc, Aac), (Avc, Mp3), (Avc, Opus), (Hevc, Aac), (Hevc, Mp3), (Hevc, Opus)];
    let mut wires: Vec<Wire> = Vec::new();
    CELLS.iter().for_each(|(wire, ..)| {
        if !wires.contains(wire) {
            wires.push(*wire)
        }
    });
    let heads = pairs.map(|(video, audio)| {
        format!("{video:?} + {audio:?}").replace("Avc", "H.264").replace("Hevc", "HEVC")
    });
    let heads = heads.join(" | ").replace("Aac", "AAC").replace("Mp3", "MP3");
    let mut text = format!("| line | {heads} |\n|---|{}\n", "---|".repeat(pairs.len()));
    for wire in wires {
        let cells = pairs.map(|pair| {
            let cell = CELLS.iter().find(|(w, v, a, _)| *w == wire && (*v, *a) == pair);
            cell.map_or("", |(.., sender)| sender.words())
        });
        text += &format!("| {} | {} |\n", wire.words(), cells.join(" | "));
    }
    text
}

#[test]
fn the_page_says_what_is_tested() {
    let page = include_str!("../../../docs/INGEST.md");
    assert!(page.contains(&table()), "docs/INGEST.md should have this table:\n{}", table());
}

/// Y, U and V of a colour by BT.709, limited range.
fn yuv([r, g, b]: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(|v| f64::from(v) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.8556, 128.0 + 224.0 * (r - y) / 1.5748]
}

#[test]
fn every_wire_brings_every_codec() {
    let cameras = cameras();
    let folder = tempfile::tempdir().unwrap();
    let (_server, http) = serve(folder.path());
    let rtsp = free_port().port();
    let mut args =
        vec![concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rtsp_patterns.py").to_owned(), rtsp.to_string()];
    args.extend(cameras.iter().filter(|c| c.wire == Wire::Rtsp).map(Camera::launch));
    // The distribution's own interpreter: it has the bindings.
    let _rtsp = tool("/usr/bin/python3", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let (films, live): (Vec<&Camera>, Vec<&Camera>) = cameras.iter().partition(|c| c.wire == Wire::Mkv);
    for mut film in films.iter().map(|c| c.send(None, folder.path())) {
        assert!(film.0.wait().unwrap().success());
    }

    let mut show = show(&text(&cameras, rtsp, &http));
    show.listen.rtmp.set_port(0);
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        inputs: folder.path().to_owned(),
        out: out.path().to_owned(),
        ..RunOptions::new(Mode::RealTime)
    };
    let engine = Engine::start(show, options).unwrap();
    let rtmp = engine.rtmp_addr();
    let senders = live.iter().filter(|c| c.wire != Wire::Rtsp).map(|c| c.send(rtmp, folder.path()));
    let _senders: Vec<Tool> = senders.collect();
    let handle = engine.handle();
    for (n, camera) in cameras.iter().enumerate() {
        wait_for(&handle, &camera.name, |s| s.cameras[n].lines[0].state == LineState::Live);
    }
    // Sound may come later than pictures.
    let settled = handle.status().t + 2.0;
    wait_for(&handle, "two seconds", |s| s.t >= settled);

    let mut stretches = Vec::new();
    for camera in &cameras {
        let ack = handle.command(Command::cut(camera.name.clone())).unwrap();
        let until = ack.frame + 28;
        wait_for(&handle, "the tick", |s| s.channels[0].frames > until);
        stretches.push((camera, ack.frame as usize));
    }
    handle.stop();
    let report = engine.wait();
    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }
    let recording = tags(&out.path().join("180p.flv"));
    let times = pictures(&recording);
    let frames = decode(&recording);
    let (first, rate, samples) = decode_sound(&recording);
    assert_eq!(rate, 48_000);
    let wanted: Vec<[f64; 3]> = cameras.iter().map(|c| yuv(c.colour)).collect();
    let mut wrong = Vec::new();
    for (camera, from) in stretches {
        let seen = mean(&frames[from + 20]).map(f64::from);
        let distance = |c: &[f64; 3]| c.iter().zip(seen).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let nearest =
            (0..wanted.len()).min_by(|a, b| distance(&wanted[*a]).total_cmp(&distance(&wanted[*b])));
        let nearest = &cameras[nearest.unwrap()].name;
        let at = |n: usize| ((times[n].0 - first.as_millis_rounded()) * 48).try_into().unwrap_or(0usize);
        // A busy machine may tear holes into anybody's sound: what is heard between them counts.
        let heard = (from + 4..from + 24).step_by(4).any(|n| {
            let tone = |c: &Camera| power(&samples[at(n)..at(n + 4)], c.tone);
            let others = cameras.iter().filter(|c| c.tone != camera.tone).map(tone).fold(0.0, f64::max);
            tone(camera) > AUDIBLE && tone(camera) > 10.0 * others
        });
        if nearest != &camera.name || !heard {
            wrong.push(format!(
                "{}: looks like {nearest} ({seen:?}), its tone is heard: {heard}",
                camera.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
