//! What is sent over what, and by whom: the table of the page.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wire {
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
pub(super) enum Video {
    Avc,
    Hevc,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Audio {
    Aac,
    Mp3,
    Opus,
}

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sender {
    Ffmpeg,
    /// A newer one than Debian 12 has: it writes enhanced FLV.
    NewFfmpeg,
    Gstreamer,
    /// In a test of its own.
    Obs,
}

use Audio::{Aac, Mp3, Opus};
use Sender::{Ffmpeg, Gstreamer, NewFfmpeg, Obs};
use Video::{Avc, Hevc};

pub(super) const CELLS: &[(Wire, Video, Audio, Sender)] = &[
    (Wire::RtmpPush, Avc, Aac, Ffmpeg),
    (Wire::RtmpPush, Avc, Aac, Obs),
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
            Obs => "OBS",
        }
    }
}

impl Video {
    pub(super) fn encoder(self) -> Vec<&'static str> {
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
    pub(super) fn payload(self) -> &'static str {
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
    pub(super) fn encoder(self) -> Vec<&'static str> {
        match self {
            Aac => vec!["-c:a", "aac"],
            Mp3 => vec!["-c:a", "libmp3lame"],
            Opus => vec!["-c:a", "libopus"],
        }
    }
    pub(super) fn payload(self) -> &'static str {
        match self {
            Aac => "voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
            Mp3 => "lamemp3enc ! mpegaudioparse ! rtpmpapay name=pay1 pt=97",
            Opus => "opusenc ! rtpopuspay name=pay1 pt=97",
        }
    }
}

/// The table of the page: a row for each wire, a column for each pair of codecs, and who sent it.
pub(super) fn table() -> String {
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
            let cell = CELLS.iter().filter(|(w, v, a, _)| *w == wire && (*v, *a) == pair);
            cell.map(|(.., sender)| sender.words()).collect::<Vec<_>>().join(", ")
        });
        text += &format!("| {} | {} |\n", wire.words(), cells.join(" | "));
    }
    text
}
