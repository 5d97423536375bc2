//! Every way out of a show, clear and sealed in both modes, to programs that are not ours: one
//! show has a channel for each, and what each program has written down is the show's own clear
//! record. `docs/INGEST.md` shows the table; it is checked against this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::film::{Sealing, opened, tags};
use super::frames::{Frame, Times, frames, part, whole};
use super::nginx::{App, Nginx};
use super::rtmp::LIVE;
use super::secure::Terminator;
use super::tool::{Tool, ffmpeg, quiet, runs, wait_until};
use crate::live_show::{LiveShow, folder};
use crate::stream::KEY;

/// What an egress says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    PushRtmp,
    PushRtmps,
    ServeRtmp,
    ServeRtmps,
    ServeHttpFlv,
    Record,
}

/// Who takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taker {
    /// nginx-rtmp is published to, and played from there.
    NginxPush,
    /// The same, behind nginx's own TLS.
    NginxTls,
    /// nginx-rtmp fetches it, once somebody wants to play it there.
    NginxPull,
    Ffmpeg,
    Gstreamer,
    Curl,
}

use Sealing::{Capsule, Clear, Nalu};
use Taker::{Curl, Ffmpeg, Gstreamer, NginxPull, NginxPush, NginxTls};

const ALL: &[Sealing] = &[Clear, Nalu, Capsule];
/// FFmpeg passes nothing on before it has decoded a picture's head or failed to for long, and which
/// it is with a whole tag's noise is luck.
const WITH_HEADS: &[Sealing] = &[Clear, Nalu];

const CELLS: &[(Way, Taker, &[Sealing])] = &[
    (Way::PushRtmp, NginxPush, ALL),
    (Way::PushRtmps, NginxTls, ALL),
    (Way::ServeRtmp, NginxPull, ALL),
    (Way::ServeRtmp, Gstreamer, ALL),
    (Way::ServeRtmp, Ffmpeg, WITH_HEADS),
    (Way::ServeRtmps, Ffmpeg, WITH_HEADS),
    (Way::ServeHttpFlv, Curl, ALL),
    (Way::ServeHttpFlv, Ffmpeg, WITH_HEADS),
    (Way::Record, Gstreamer, ALL),
    (Way::Record, Ffmpeg, WITH_HEADS),
];

/// Channels of the show, each with its own sealing.
const CHANNELS: [(&str, Sealing); 3] = [("open", Clear), ("sealed", Nalu), ("capsules", Capsule)];

impl Way {
    fn words(self) -> &'static str {
        match self {
            Self::PushRtmp => r#"`push "rtmp://…"`"#,
            Self::PushRtmps => r#"`push "rtmps://…"`"#,
            Self::ServeRtmp => "`serve rtmp`",
            Self::ServeRtmps => "`serve rtmp`, at `listen { rtmps … }`",
            Self::ServeHttpFlv => "`serve http-flv`",
            Self::Record => "`record`",
        }
    }
}

impl Taker {
    fn words(self) -> &'static str {
        match self {
            NginxPush => "nginx-rtmp",
            NginxTls => "nginx-rtmp behind nginx",
            NginxPull => "nginx-rtmp, pulling",
            Ffmpeg => "ffmpeg",
            Gstreamer => "GStreamer",
            Curl => "curl",
        }
    }
}

/// The table of the page.
fn table() -> String {
    let mut text =
        "| egress | H.264 + AAC, clear | `mode=nalu` | `mode=capsule` |\n|---|---|---|---|\n".to_owned();
    let mut ways: Vec<Way> = Vec::new();
    for (way, ..) in CELLS {
        if !ways.contains(way) {
            ways.push(*way);
        }
    }
    for way in ways {
        let cell = |sealing| {
            let of = CELLS.iter().filter(|(w, _, sealings)| *w == way && sealings.contains(&sealing));
            of.map(|(_, taker, _)| taker.words()).collect::<Vec<_>>().join(", ")
        };
        text += &format!("| {} | {} |\n", way.words(), [Clear, Nalu, Capsule].map(cell).join(" | "));
    }
    text
}

#[test]
fn the_page_says_what_is_tested() {
    let page = include_str!("../../../../docs/INGEST.md");
    assert!(page.contains(&table()), "docs/INGEST.md should have this table:\n{}", table());
}

/// A show with a channel for each sealing, every way out of each, and a clear record beside it.
fn text(push: &str, tls: &str, ca: &Path) -> String {
    let channel = |(name, sealing): (&str, Sealing)| {
        let (encrypt, clear) = match sealing {
            Nalu => ("encrypt tour mode=nalu", " clear=true"),
            Capsule => ("encrypt tour mode=capsule", " clear=true"),
            Clear | Sealing::Switched => ("", ""),
        };
        format!(
            "  channel {name} {{
    sources stage
    ladder one
    {encrypt}
    egress push push \"{push}{{channel}}\"
    egress tls push \"{tls}{{channel}}_tls\" ca=\"{ca}\"
    egress rtmp serve rtmp
    egress web serve http-flv
    egress disk record \"{{channel}}.flv\"
    egress clear record \"{{channel}}-clear.flv\"{clear}\n  }}\n",
            ca = ca.display()
        )
    };
    let key = ca.with_file_name("key.pem");
    format!(
        "show \"night\" {{
  video 320x180 25fps
  audio 48kHz stereo
  listen {{ rtmp \"127.0.0.1:0\"; rtmps \"127.0.0.1:0\" cert=\"{}\" key=\"{}\" }}
  camera stage {{ line gen test \"motion\" tone=440 }}
  key tour {{ id 1 env=OBVAN_KEY }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k }}
{}}}\n",
        ca.display(),
        key.display(),
        CHANNELS.map(channel).concat()
    )
}

/// What one program writes down while the show runs.
struct Taking {
    what: String,
    sealing: Sealing,
    tool: Tool,
    path: PathBuf,
    end: End,
}

/// What ends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The show's end.
    Shows,
    /// We do: GStreamer waits for ever at an nginx whose publisher has left.
    Ours,
}

impl Taking {
    fn pictures(&self) -> usize {
        let got = frames(fs::read(&self.path).unwrap_or_default());
        got.iter().filter(|frame| frame.kind == flv::TagKind::Video).count()
    }

    /// The file, when all is in it that is to come.
    fn ended(self) -> PathBuf {
        match self.end {
            End::Shows => assert!(self.tool.ended().success(), "{}", self.what),
            End::Ours => {
                drop(self.tool);
                // Its last tag may be cut.
                let mut file = bytes::BytesMut::new();
                flv::write_file_header(&mut file, flv::Tracks::Both);
                tags(fs::read(&self.path).unwrap()).iter().for_each(|tag| tag.write_into(&mut file));
                fs::write(&self.path, file).unwrap();
            }
        }
        self.path
    }
}

/// Where what is taken is to be had.
struct Sites {
    show: LiveShow,
    nginx: Nginx,
    pulling: Nginx,
    folder: PathBuf,
}

impl Sites {
    /// Has the program take its cell of the table; `None` for what is read when it is closed.
    fn take(&self, way: Way, taker: Taker, channel: &str, sealing: Sealing) -> Option<Taking> {
        let folder = &self.folder;
        let name = format!("{way:?}-{taker:?}-{channel}.flv").to_lowercase();
        let what = format!("{channel}, {way:?} to {taker:?}");
        let url = match (way, taker) {
            (Way::Record, _) => return None,
            (Way::PushRtmp, _) => self.nginx.stream(App::Live, channel),
            (Way::PushRtmps, _) => self.nginx.stream(App::Live, &format!("{channel}_tls")),
            (Way::ServeRtmp, NginxPull) => self.pulling.stream(App::Fetched, channel),
            (Way::ServeRtmp, _) => format!("{}/live/{channel}_180p", rtmp_of(&self.show, "rtmp")),
            (Way::ServeRtmps, _) => format!("{}/live/{channel}_180p", rtmp_of(&self.show, "rtmps")),
            (Way::ServeHttpFlv, _) => format!("{}/live/{channel}/180p.flv", self.show.url()),
        };
        let (tool, end) = match taker {
            Ffmpeg => {
                let words = format!("{LIVE} -i {url} -c copy -copyinkf -flush_packets 1 {name}");
                (Tool::spawn("ffmpeg", &mut ffmpeg(folder, &words)), End::Shows)
            }
            Curl => {
                let args = ["-sN", "-o", &name, &url];
                (Tool::spawn("curl", &mut quiet(folder, "curl", &args)), End::Shows)
            }
            Gstreamer | NginxPush | NginxTls | NginxPull => {
                let (from, to) = (format!("location={url}"), format!("location={name}"));
                let args = ["-q", "rtmp2src", &from, "!", "filesink", "buffer-mode=unbuffered", &to];
                let end = if taker == Gstreamer { End::Shows } else { End::Ours };
                (Tool::spawn("gst-launch-1.0", &mut quiet(folder, "gst-launch-1.0", &args)), end)
            }
        };
        Some(Taking { what, sealing, tool, path: folder.join(name), end })
    }
}

/// Where the show serves RTMP, in the clear or inside TLS, as it says itself.
fn rtmp_of(live: &LiveShow, scheme: &str) -> String {
    let lead = format!("play    {scheme}://");
    live.wait_until("where to play", |show| show.said().contains(&lead));
    let said = live.said();
    let line = said.lines().find_map(|line| line.strip_prefix(&lead)).unwrap();
    format!("{scheme}://{}", line.split('/').next().unwrap())
}

#[test]
fn every_way_out_reaches_programs_that_are_not_ours() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(scratch.path()) else { return };
    let base = nginx.stream(App::Live, "");
    let server = base.trim_start_matches("rtmp://").split('/').next().unwrap();
    let Some(tls) = Terminator::start(scratch.path(), server) else { return };
    let (ca, private) = (scratch.path().join("cert.pem"), scratch.path().join("key.pem"));
    let private_text = fs::read_to_string(&private).unwrap();
    crate::keys::write(&private, &private_text, 0o600);
    let folder = folder(&text(&base, &format!("rtmps://localhost:{}/live/", tls.port), &ca));
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let show = LiveShow::start(folder, &[]);
    let rtmp = rtmp_of(&show, "rtmp");
    let pulls = CHANNELS.map(|(channel, _)| (channel.to_owned(), format!("{rtmp}/live/{channel}_180p")));
    let another = tempfile::tempdir().unwrap();
    let Some(pulling) = Nginx::pulling(another.path(), &pulls) else { return };
    wait_until("all pushes", || nginx.clients(App::Live) == 2 * CHANNELS.len());
    let sites = Sites { show, nginx, pulling, folder: folder.to_owned() };
    let cells = CHANNELS.iter().flat_map(|(channel, sealing)| {
        let of = CELLS.iter().filter(|(.., sealings)| sealings.contains(sealing));
        of.map(|(way, taker, _)| (*way, *taker, *channel, *sealing))
    });
    let taken: Vec<Taking> =
        cells.filter_map(|(way, taker, channel, sealing)| sites.take(way, taker, channel, sealing)).collect();
    for taking in &taken {
        wait_until(&format!("two seconds of {}", taking.what), || taking.pictures() >= 50);
    }
    sites.show.signal("TERM");
    let (code, said) = sites.show.ended();
    assert_eq!(code, Some(0), "{said}");
    let record = |channel: &str| frames(fs::read(folder.join(format!("out/{channel}-clear.flv"))).unwrap());
    let records = CHANNELS.map(|(channel, sealing)| (sealing, record(channel)));
    let of = |sealing: Sealing| -> &[Frame] { &records.iter().find(|(of, _)| *of == sealing).unwrap().1 };
    for taking in taken {
        let (what, sealing, end) = (taking.what.clone(), taking.sealing, taking.end);
        println!("{what}");
        let path = taking.ended();
        let got = opened(&path, sealing);
        let (part, all) = (part(of(sealing), &got, Times::Exact), whole(of(sealing)));
        assert!(end == End::Ours || part.pictures.end == all.pictures.end, "{what}: its end is missing");
        assert!(part.pictures.len() >= 49 && part.sound.len() >= 49, "{what}: {part:?}");
        if sealing == Clear {
            assert_decodes(&path, &what);
        }
    }
    for (channel, sealing) in CHANNELS {
        let film = format!("out/{channel}.flv");
        let mut copies = vec![remuxed(folder, &film)];
        if WITH_HEADS.contains(&sealing) {
            runs(&mut ffmpeg(folder, &format!("-i {film} -c copy copy.flv")));
            copies.push("copy.flv");
        }
        for copy in copies {
            let got = opened(&folder.join(copy), sealing);
            assert_eq!(part(of(sealing), &got, Times::Exact), whole(of(sealing)), "{film} as {copy}");
            if sealing == Clear {
                assert_decodes(&folder.join(copy), &film);
            }
        }
    }
}

/// A recording through GStreamer's demuxer and muxer; without its parser, which leaves out what is
/// said beside the pictures.
fn remuxed(folder: &Path, film: &str) -> &'static str {
    let line = format!(
        "-q filesrc location={film} ! flvdemux name=in flvmux name=out ! filesink location=remuxed.flv \
         in.video ! queue ! out.video in.audio ! queue ! out.audio"
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    runs(&mut quiet(folder, "gst-launch-1.0", &words));
    "remuxed.flv"
}

/// Every picture and every sound of a clear file is understood by ffmpeg's decoders.
fn assert_decodes(path: &Path, what: &str) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{what}: {said}");
}
