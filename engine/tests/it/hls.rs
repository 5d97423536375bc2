//! Lines that are HLS playlists, from servers and packagers that are not ours.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use engine::{Report, Status};
use flv::TagKind;
use flv::video::VideoHeader;

use crate::live::{Live, SHOW, Tool, start_show, wait_for};
use crate::support::{clips, codes, decode, mean, tags};
use crate::wires::{is_main, serve};

/// Runs ffmpeg to its end.
pub(crate) fn ffmpeg(folder: &Path, args: &str) {
    let status = Process::new("ffmpeg")
        .current_dir(folder)
        .args(["-nostdin", "-v", "error"])
        .args(args.split_whitespace())
        .status();
    assert!(status.unwrap().success(), "{args}");
}

/// A film of 100 pictures at 25 a second, red, and blue in its last half second.
const FILM: &str = "-f lavfi -i color=red:size=320x180:rate=25:duration=3.52 \
    -f lavfi -i color=blue:size=320x180:rate=25:duration=0.48 -f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 \
    -filter_complex [0][1]concat=n=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 25 -c:a aac";

/// A show whose line is the playlist, and is recorded as it comes.
fn follow(line: &str) -> Live {
    let line = format!("{line}\n    record=\"iso.flv\"").replace('\n', " ");
    start_show(&SHOW.replace("LINE", &line))
}

fn has_ended(status: &Status) -> bool {
    status.events.iter().any(|event| event.message.contains("the playlist has ended"))
}

/// Ends the show once the playlist has.
fn ended(live: Live) -> (Report, tempfile::TempDir) {
    let handle = live.engine.handle();
    wait_for(&handle, "the playlist's end", has_ended);
    let t = handle.status().t;
    wait_for(&handle, "what is left of it on air", |status| status.t > t + 1.0);
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    (report, live.out)
}

/// Pictures of the recording of the line.
fn received(out: &Path) -> usize {
    let kept = tags(&out.join("iso.flv"));
    let has_picture =
        |tag: &&flv::Tag| tag.kind == TagKind::Video && VideoHeader::parse(tag.body()).unwrap().has_picture();
    kept.iter().filter(has_picture).count()
}

/// Blue pictures on air.
fn blue(out: &Path) -> usize {
    let frames = decode(&tags(&out.join("180p.flv")));
    frames.iter().filter(|frame| matches!(mean(frame), [_, u, v] if u > 180 && v < 128)).count()
}

#[test]
fn a_finite_playlist_is_followed_to_its_last_picture_inside_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::create_dir(file("www")).unwrap();
    ffmpeg(&file("www"), &format!("{FILM} -f hls -hls_time 1 -hls_list_size 0 film.m3u8"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls_server.py");
    let mut server = Process::new("/usr/bin/python3");
    server.arg(script).args([file("www"), file("cert.pem"), file("key.pem")]);
    let mut server =
        Tool(server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut port = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("https://localhost:{}/film.m3u8", port.trim());

    let ca = file("cert.pem");
    let live = follow(&format!("pull \"{url}\" ca=\"{}\"", ca.display()));
    let (_, out) = ended(live);
    assert_eq!(received(out.path()), 100);
    // Its last picture stands until the filler comes.
    let blue = blue(out.path());
    assert!(blue >= 12, "{blue} pictures of the last half second");

    // The system trusts nobody of that name.
    let live = follow(&format!("pull \"{url}\""));
    let handle = live.engine.handle();
    let refused =
        |s: &Status| s.events.iter().any(|e| e.code == "line-error" && e.message.contains("certificate"));
    wait_for(&handle, "the refusal", refused);
    handle.stop();
    assert_eq!(live.engine.wait().cameras[0].lines[0].packets, 0);
}

/// Sound in a playlist of its own, under a playlist of playlists, sealed with AES-128.
#[test]
fn sound_listed_apart_is_in_step_and_sealed_segments_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clips().join("generated/flash-beep.mp4").canonicalize().unwrap();
    std::fs::write(folder.path().join("film.key"), [7; 16]).unwrap();
    std::fs::write(folder.path().join("film.info"), "film.key\nfilm.key\n").unwrap();
    let hls = "-c:v libx264 -preset ultrafast -g 25 -c:a aac -t 7.5 -f hls -hls_time 1 -hls_list_size 0 \
        -hls_key_info_file film.info -master_pl_name all.m3u8 -var_stream_map v:0,agroup:s a:0,agroup:s,default:yes";
    let mut process = Process::new("ffmpeg");
    process.current_dir(folder.path()).args(["-nostdin", "-v", "error", "-i"]).arg(clip);
    // One word, with a space in it.
    let (words, map) = hls.split_once(" -var_stream_map ").unwrap();
    process.args(["-map", "0:v", "-map", "0:a"]).args(words.split_whitespace());
    process.args(["-var_stream_map", map, "part-%v.m3u8"]);
    assert!(process.status().unwrap().success());
    let (_server, url) = serve(folder.path());
    let (report, out) = ended(follow(&format!("pull \"{url}/all.m3u8\"")));
    let drifts = codes(&report).into_iter().filter(|(code, _)| code == "line-jump").count();
    assert_eq!(drifts, 0, "{:#?}", report.events);
    let began = report.events.iter().find(|e| e.code == "line-connected").unwrap().t;
    let recording = out.path().join("180p.flv");
    crate::step::assert_in_step_from(began * 1000.0 + 1500.0, &recording, "sound apart", 3..=7);
}

/// A programme with another one spliced in: other times, another size, another head.
#[test]
fn a_discontinuity_is_followed_without_losing_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, size: &str, more: &str| {
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc2=size={size}:rate=25:duration=2 -f lavfi -i sine=duration=2 -c:v libx264 \
                 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac {more} -f hls -hls_time 1 -hls_list_size 0 \
                 -hls_segment_type fmp4 -hls_fmp4_init_filename {name}.mp4 {name}.m3u8"
            ),
        );
        let list = std::fs::read_to_string(folder.path().join(format!("{name}.m3u8"))).unwrap();
        let from = list.find("#EXT-X-MAP").unwrap();
        list[from..].replace("#EXT-X-ENDLIST", "")
    };
    let (first, second) = (part("a", "320x180", ""), part("b", "160x90", "-output_ts_offset 1000"));
    let head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n";
    let list = format!("{head}{first}#EXT-X-DISCONTINUITY\n{second}#EXT-X-ENDLIST\n");
    std::fs::write(folder.path().join("all.m3u8"), list).unwrap();
    let (_server, url) = serve(folder.path());
    let live = follow(&format!("pull \"{url}/all.m3u8\""));
    let from = wait_for(&live.engine.handle(), "its picture", is_main).t;
    let (report, out) = ended(live);
    let until = report.events.iter().find(|e| e.message.contains("the playlist has ended")).unwrap().t;
    let away = report.channels[0].on_air.iter().filter(|air| air.t > from + 0.1 && air.t < until - 0.1);
    assert_eq!(away.count(), 0, "it was left in between: {:#?}", report.channels[0].on_air);
    // A recording for each stream.
    let second = out.path().join("iso-2.flv");
    let pictures = [out.path().join("iso.flv"), second].map(|path| {
        tags(&path)
            .iter()
            .filter(|t| t.kind == TagKind::Video)
            .filter(|t| VideoHeader::parse(t.body()).unwrap().has_picture())
            .count()
    });
    assert_eq!(pictures, [50, 50]);
}

/// What ffmpeg decodes of a playlist: each frame's time and sum.
fn sums(folder: &Path, playlist: &str) -> String {
    let mut ffmpeg = Process::new("ffmpeg");
    ffmpeg.current_dir(folder).args([
        "-nostdin",
        "-v",
        "error",
        "-xerror",
        "-allowed_extensions",
        "ALL",
        "-i",
    ]);
    let output =
        ffmpeg.arg(playlist).args(["-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"]).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Pictures and sound sealed, and not what they are packed in: `SAMPLE-AES`.
#[test]
fn sealed_samples_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (key, iv) = (*b"sixteen bytes of", 42u128.to_be_bytes());
    let file = |name: &str| folder.path().join(name);
    ffmpeg(folder.path(), &format!("{FILM} -b:v 1M -f hls -hls_time 1 -hls_list_size 0 clear.m3u8"));
    std::fs::write(file("film.key"), key).unwrap();
    let (mut list, mut sealer) = (String::new(), crate::sealing::Sealer::new(key, iv));
    for line in std::fs::read_to_string(file("clear.m3u8")).unwrap().lines() {
        if line.starts_with("#EXT-X-MEDIA-SEQUENCE") {
            list += "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"film.key\",IV=0x2a\n";
        }
        let sealed = format!("sealed-{line}");
        if line.ends_with(".ts") {
            let clear = std::fs::read(file(line)).unwrap();
            std::fs::write(file(&sealed), sealer.segment(&clear)).unwrap();
        }
        list += if line.ends_with(".ts") { &sealed } else { line };
        list += "\n";
    }
    // FFmpeg wants all digits.
    std::fs::write(file("sealed.m3u8"), list.replace("0x2a", &format!("0x{:032x}", 42))).unwrap();
    assert_eq!(sums(folder.path(), "sealed.m3u8"), sums(folder.path(), "clear.m3u8"));

    let (_server, url) = serve(folder.path());
    let (report, out) = ended(follow(&format!("pull \"{url}/sealed.m3u8\"")));
    let line = &report.cameras[0].lines[0];
    assert!(line.decode_errors == 0 && line.packets > 250, "{line:?}");
    assert_eq!(received(out.path()), 100);
    let blue = blue(out.path());
    assert!(blue >= 12, "{blue} pictures of the last half second");
}
