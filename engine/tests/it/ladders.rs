//! A ladder changed on air: each rung goes on, with another encoder if need be, comes or goes, all
//! at one key frame.

use std::process::{Command as Process, Stdio};

use crypto::{KeyId, KeyRing, MasterKey, TagDecryptor};
use engine::{Ack, Command, EgressState, Handle, Report};
use flv::{Tag, TagKind};
use media::Key;

use crate::live::{Live, Tool, start_show, wait_for};
use crate::support::{Coded, coded, codes, decode_strictly, pictures, tags};

/// A tick, in milliseconds.
const TICK: i64 = 40;

/// Key frames lie where something changes, and nowhere else.
fn show(ladder: &str) -> String {
    format!(
        r#"
show "ladders" {{
  video 320x180 25fps
  audio 48kHz stereo
  listen {{ http "127.0.0.1:8080"; rtmp "127.0.0.1:0" }}
  camera main {{ line gen test "motion" tone=440 }}
  ladder three {{ preset ultrafast; keyframe 10s; audio 64k; {ladder} }}
  channel program {{ sources main; ladder three; egress web serve http-flv; egress disk record "{{rung}}.flv" }}
}}"#
    )
}

fn reload(handle: &Handle, text: &str) -> Ack {
    let command = Command { file: Some(text.to_owned()), ..Command::reload() };
    handle.command(command).unwrap_or_else(|refused| panic!("{refused:?} of {text}"))
}

/// Returns with so many ticks later.
fn ticks(handle: &Handle, count: usize) {
    (0..count).for_each(|_| drop(handle.command(Command::line("main", None)).unwrap()));
}

/// A player of a rung, and what it gets.
struct Viewer {
    curl: Tool,
    file: std::path::PathBuf,
}

impl Viewer {
    fn of(live: &Live, rung: &str) -> Self {
        let file = live.out.path().join(format!("viewed-{rung}.flv"));
        let url = format!("http://{}/live/program/{rung}.flv", live.http());
        let mut curl = Process::new("curl");
        curl.args(["-sS", "-f", "--max-time", "120", "-o", file.to_str().unwrap(), &url]);
        let viewer = Self { curl: Tool(curl.stdout(Stdio::null()).spawn().unwrap()), file };
        let size = || std::fs::metadata(&viewer.file).map_or(0, |file| file.len());
        wait_for(&live.engine.handle(), "the viewer", |_| size() > 1_000);
        viewer
    }

    /// What it got, once its stream has come to an end of its own.
    fn got(mut self) -> Vec<Tag> {
        assert!(self.curl.0.wait().unwrap().success(), "{} was cut", self.file.display());
        tags(&self.file)
    }
}

/// ffmpeg as a player of a rung: what it decodes, a line a picture.
struct Ffmpeg {
    tool: Tool,
    file: std::path::PathBuf,
}

impl Ffmpeg {
    fn of(live: &Live, rung: &str) -> Self {
        let file = live.out.path().join(format!("ffmpeg-{rung}.txt"));
        let url = format!("http://{}/live/program/{rung}.flv", live.http());
        let mut ffmpeg = Process::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-analyzeduration", "300000", "-i", &url]);
        ffmpeg.args(["-map", "0:v", "-fps_mode", "passthrough", "-flush_packets", "1", "-f", "framecrc"]);
        let tool = Tool(ffmpeg.arg(&file).stderr(Stdio::null()).spawn().unwrap());
        let viewer = Self { tool, file };
        wait_for(&live.engine.handle(), "ffmpeg's first pictures", |_| viewer.shown().len() > 5);
        viewer
    }

    /// The times of what it has shown, in milliseconds.
    fn shown(&self) -> Vec<i64> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let (_, tick) =
            text.lines().find_map(|line| line.strip_prefix("#tb 0: ")?.split_once('/')).unwrap_or_default();
        let pictures = text.lines().filter(|line| !line.starts_with('#'));
        let pts = pictures.filter_map(|line| line.split(',').nth(2)?.trim().parse::<f64>().ok());
        let rate: f64 = tick.parse().unwrap_or(1.0);
        pts.map(|pts| (pts * 1000.0 / rate).round() as i64).collect()
    }

    /// All that it has shown, once the stream has ended. On its way ffmpeg's parser, which knows
    /// the first header only, complains of the others; its decoder takes them.
    fn finish(mut self) -> Vec<i64> {
        assert!(self.tool.0.wait().unwrap().success());
        self.shown()
    }
}

fn recorded(live_out: &std::path::Path, name: &str) -> Vec<Tag> {
    tags(&live_out.join(format!("{name}.flv")))
}

fn keys(tags: &[Tag]) -> Vec<i64> {
    pictures(tags).iter().filter(|(_, key)| *key == Key::Frame).map(|(pts, _)| *pts).collect()
}

/// Every tick's picture once, in one stream that decodes without a word.
fn is_whole(name: &str, tags: &[Tag]) -> Vec<i64> {
    let mut pts: Vec<i64> = pictures(tags).iter().map(|(pts, _)| *pts).collect();
    pts.sort_unstable();
    assert!(pts.windows(2).all(|two| two[1] - two[0] == TICK), "{name}: {pts:?}");
    let stamps = |kind| tags.iter().filter(move |tag| tag.kind == kind && tag.timestamp.0 > 0);
    let dts = stamps(TagKind::Video).map(|tag| (tag.timestamp.0, tag.body()[1]));
    // A header has the time of the picture that it stands before.
    let dts: Vec<u32> = dts.filter(|(_, kind)| *kind == 1).map(|(dts, _)| dts).collect();
    assert!(dts.is_sorted_by(|a, b| a < b), "{name}: {dts:?}");
    let sound: Vec<u32> = stamps(TagKind::Audio).map(|tag| tag.timestamp.0).collect();
    assert!(sound.windows(2).all(|two| matches!(two[1] - two[0], 21 | 22)), "{name}: {sound:?}");
    assert_eq!(decode_strictly(tags).len(), pts.len(), "{name}");
    pts
}

/// Codec headers of a recording.
fn headers(tags: &[Tag]) -> usize {
    coded(tags).filter(|coded| matches!(coded, Coded::Params(_))).count()
}

/// Bytes of the pictures but for key frames from one PTS to another.
fn bytes(tags: &[Tag], from: i64, to: i64) -> usize {
    let of = |coded| match coded {
        Coded::Picture(picture) if picture.key == Key::Delta => {
            let pts = picture.pts.as_millis_rounded();
            (from..to).contains(&pts).then_some(picture.data.len())
        }
        _ => None,
    };
    coded(tags).filter_map(of).sum()
}

fn nothing_is_amiss(report: &Report) {
    let told = codes(report);
    let bad = |code: &str| ["rungs-apart", "rung-failed", "channel-failed"].contains(&code);
    assert!(!told.iter().any(|(code, _)| bad(code)), "{:#?}", report.events);
}

const BIG: &str = "rung big 320x180 900k";
const MID: &str = "rung mid 214x120 300k";
const LOW: &str = "rung low 160x90 120k";

#[test]
fn ten_changes_of_a_ladder_cost_no_viewer_no_recording_and_no_picture() {
    let tiny = "rung tiny 96x54 60k";
    // What each changes, and whether all rungs have a key frame with it.
    let steps = [
        ([&BIG.replace("900k", "60k"), MID, LOW].join("; "), true),
        ([&format!("{BIG} bframes=2"), MID, LOW].join("; "), true),
        ([BIG, &format!("{MID} preset=superfast tune=grain"), LOW].join("; "), true),
        ([BIG, MID, LOW, tiny].join("; "), true),
        ([BIG, MID, tiny].join("; "), false),
        (["latency low", BIG, MID, tiny].join("; "), true),
        (["latency quality", BIG, &format!("{MID} preset=veryfast"), tiny].join("; "), true),
        ([BIG, &format!("{MID} maxrate=600k buffer=900k"), LOW].join("; "), true),
        ([BIG, MID, LOW].join("; "), true),
        ([BIG, LOW, MID].join("; "), false),
    ];
    let first = show(&[BIG, MID, LOW].join("; "));
    let live = start_show(&first);
    let handle = live.engine.handle();
    let viewers = ["big", "mid", "low"].map(|rung| Viewer::of(&live, rung));
    let ffmpeg = ["big", "mid"].map(|rung| Ffmpeg::of(&live, rung));
    let mut tiny_viewer = None;
    let mut at = Vec::new();
    for (n, (ladder, has_key)) in steps.iter().enumerate() {
        let text = show(ladder);
        let dry =
            Command { file: Some(text.clone()), state: Some("dry-run".to_owned()), ..Command::reload() };
        let said = handle.command(dry).unwrap().steps.unwrap();
        let ack = reload(&handle, &text);
        assert_eq!(ack.steps.as_ref(), Some(&said), "{n}");
        assert!(!said.is_empty(), "{n}");
        let rungs: Vec<_> = handle.status().channels[0].rungs.iter().map(|rung| rung.name.clone()).collect();
        let wanted: Vec<&str> =
            ladder.split("rung ").skip(1).map(|rung| &rung[..rung.find(' ').unwrap()]).collect();
        assert_eq!(rungs, wanted, "{n}");
        at.push((ack.frame as i64, *has_key));
        if ladder.contains("tiny") && tiny_viewer.is_none() {
            tiny_viewer = Some(Viewer::of(&live, "tiny"));
        }
        ticks(&handle, if n < 2 { 25 } else { 8 });
    }
    let [big, mid, low] = viewers;
    let low = low.got();
    let tiny_viewer = tiny_viewer.unwrap().got();
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    nothing_is_amiss(&report);
    let out = live.out.path();
    let files = ["big", "mid", "low", "tiny", "low-2"].map(|name| recorded(out, name));
    let pts =
        ["big", "mid", "low", "tiny", "low-2"].iter().zip(&files).map(|(name, tags)| is_whole(name, tags));
    let pts: Vec<Vec<i64>> = pts.collect();
    let zero = pts[0][0];
    let of = |step: usize| zero + at[step].0 * TICK;
    // All pictures of the show are in those rungs that were there all the time.
    assert_eq!(pts[0].len() as u64, report.channels[0].frames);
    assert_eq!(pts[0], pts[1]);
    // Those that come and go have all between the two ticks.
    let between = |from: i64, to: i64| {
        pts[0].iter().copied().filter(|pts| (from..to).contains(pts)).collect::<Vec<_>>()
    };
    assert_eq!(pts[2], between(zero, of(4)));
    assert_eq!(pts[3], between(of(3), of(7)));
    assert_eq!(pts[4], between(of(7), i64::MAX));
    // Key frames at the same PTS in all of them.
    let changes = (0..at.len()).filter(|step| at[*step].1).map(of);
    let all: Vec<i64> = std::iter::once(zero).chain(changes).collect();
    for (tags, pts) in files.iter().zip(&pts) {
        let own: Vec<i64> = all.iter().copied().filter(|key| pts.contains(key)).collect();
        // Those of the ten seconds' grid come in between where the machine is slow.
        let found: Vec<i64> =
            keys(tags).into_iter().filter(|key| (key - zero) % 10_000 != 0 || *key == zero).collect();
        assert_eq!(found, own);
    }
    // Whoever watched has seen as much, up to the end.
    for (name, got, file) in
        [("big", big.got(), 0), ("mid", mid.got(), 1), ("low", low, 2), ("tiny", tiny_viewer, 3)]
    {
        let seen = is_whole(name, &got);
        assert_eq!(seen.last(), pts[file].last(), "{name}");
    }
    for player in ffmpeg {
        let shown = player.finish();
        assert!(shown.len() > 100 && shown.windows(2).all(|two| two[1] - two[0] == TICK), "{shown:?}");
    }
    // Another header where it differs: with B-frames and without, say.
    assert!(headers(&files[0]) > 2, "{}", headers(&files[0]));
    // Fewer bits while there were to be fewer.
    let (low_rate, high_rate) = (bytes(&files[0], of(0), of(1)), bytes(&files[0], of(1), of(2)));
    assert!(high_rate > 2 * low_rate, "{low_rate} bytes, then {high_rate}");
    let ways = &report.channels[0].egress;
    assert!(ways.iter().all(|way| way.state == EgressState::Closed && way.dropped_frames == 0), "{ways:#?}");
    let told: Vec<&str> = report.channels[0].rungs.iter().map(|rung| rung.name.as_str()).collect();
    assert_eq!(told, ["big", "low", "mid", "low", "tiny"], "the report knows those that are gone");
}

/// A program that carries what a camera's own channel encodes, and ladders that change below both.
#[test]
fn what_is_carried_goes_on_while_ladders_change() {
    let show = |one: &str, program: &str, other: &str| {
        format!(
            r#"
show "carried" {{
  video 192x108 25fps
  audio 48kHz stereo
  listen {{ http "127.0.0.1:8080"; rtmp "127.0.0.1:0" }}
  camera main {{ line gen test "motion" tone=440 }}
  camera b {{ line gen test "bars" }}
  ladder one {{ preset ultrafast; keyframe 10s; audio 64k; {one} }}
  ladder other {{ preset ultrafast; keyframe 10s; audio 64k; {other} }}
  channel program {{ sources main b; ladder {program}; egress disk record "{{channel}}-{{rung}}.flv" }}
  channel own {{ sources main; ladder one; egress disk record "{{channel}}-{{rung}}.flv" }}
}}"#
        )
    };
    let (big, small) = ("rung big 192x108 400k", "rung small 96x54 120k");
    let both = [big, small].join("; ");
    let faster = both.replace("400k", "700k bframes=2");
    let three = format!("{faster}; rung tiny 64x36 60k");
    let live = start_show(&show(&both, "one", &both));
    let handle = live.engine.handle();
    let carries = |carries: bool| {
        let is = |status: &engine::Status| {
            status.channels[0].rungs.iter().all(|rung| rung.carried_from.is_some() == carries)
        };
        wait_for(&handle, "the program to carry", is);
    };
    carries(true);
    let texts = [
        // Both change, and one rung of two.
        (show(&faster, "one", &both), true),
        // The program alone, which encodes for itself, and back.
        (show(&faster, "other", &both), false),
        (show(&faster, "one", &both), true),
        // A rung more in both; then another ladder for the one, which has what it carries.
        (show(&three, "one", &both), true),
        (show(&three, "other", &faster), true),
        // Under it the lender changes.
        (show(&both, "other", &faster), false),
        (show(&faster, "other", &faster), true),
    ];
    let mut at = Vec::new();
    for (text, carried) in &texts {
        at.push(reload(&handle, text).frame as i64);
        ticks(&handle, 6);
        carries(*carried);
    }
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    nothing_is_amiss(&report);
    let out = live.out.path();
    for rung in ["big", "small"] {
        let [program, own] = ["program", "own"].map(|channel| recorded(out, &format!("{channel}-{rung}")));
        let pts = is_whole(rung, &program);
        assert_eq!(pts, is_whole(rung, &own));
        let wanted = at.iter().map(|tick| pts[0] + tick * TICK);
        let found = keys(&program);
        assert!(
            wanted.clone().all(|key| found.contains(&key)),
            "{found:?}, {:?}",
            wanted.collect::<Vec<_>>()
        );
        assert_eq!(found, keys(&recorded(out, "program-big")));
    }
    let tiny = is_whole("tiny", &recorded(out, "program-tiny"));
    assert_eq!((tiny.len() as i64, at[4] - at[3]), (at[4] - at[3], tiny.len() as i64));
    let program = &report.channels[0];
    let carried: u64 = program.rungs[0].carried.iter().map(|carried| carried.frames).sum();
    // All but two stretches, one between the second and the third change, one between the last two.
    let own = (at[2] - at[1] + at[6] - at[5]) as u64;
    assert_eq!(carried, program.frames - own);
}

/// Where a rung is copied, the others change as ever, and it goes on with what it copies.
#[test]
fn rungs_beside_a_copied_one_change() {
    let show = |low: &str| {
        show(&format!("rung source copy; {low}"))
            .replace(r#"test "motion" tone=440"#, r#"file "generated/base.mp4" loop=true"#)
    };
    let live = start_show(&show(LOW));
    let handle = live.engine.handle();
    let copies = |what: &str| {
        wait_for(&handle, what, |status| status.channels[0].rungs[0].copied_from.is_some());
    };
    copies("the copied rung");
    let mut at = Vec::new();
    let changes = [LOW.replace("120k", "200k"), format!("{LOW}; rung tiny 96x54 60k"), LOW.to_owned()];
    // At last it is alone, and then not any more.
    for low in changes.into_iter().chain([String::new(), LOW.to_owned()]) {
        at.push(reload(&handle, &show(&low)).frame as i64);
        ticks(&handle, 5);
    }
    copies("it to go on");
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    nothing_is_amiss(&report);
    let out = live.out.path();
    let [source, low, again] = ["source", "low", "low-2"].map(|name| recorded(out, name));
    let (pts, later) = (is_whole("low", &low), is_whole("low-2", &again));
    assert_eq!((pts.len() as i64, later[0] - pts[0]), (at[3], at[4] * TICK));
    // At the end it is without what hangs on pictures that were not shown any more.
    let copied = is_whole("source", &source);
    let frames = report.channels[0].frames as usize;
    assert!(
        copied.starts_with(&pts) && (frames - 8..=frames).contains(&copied.len()),
        "{} of {frames}",
        copied.len()
    );
    // The camera's, and those with which the others begin anew.
    let mut all: Vec<i64> = keys(&source).into_iter().filter(|key| pts.contains(key)).collect();
    all.extend(at[..2].iter().map(|tick| pts[0] + tick * TICK));
    all.sort_unstable();
    all.dedup();
    assert_eq!(keys(&low), all);
    assert_eq!(keys(&again)[0], later[0]);
    assert_eq!(is_whole("tiny", &recorded(out, "tiny")).len() as i64, at[2] - at[1]);
}

/// A rung that begins in mid-show is encrypted from its first picture on, and one that is encoded
/// anew goes on under the same key.
#[test]
fn rungs_of_an_encrypted_channel_change_as_well() {
    use std::os::unix::fs::PermissionsExt;
    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f";
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("tour.key");
    std::fs::write(&key, DIGITS).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ring = format!(
        "key tour {{ id 1 file={:?} }}\n  channel program {{ encrypt tour; ",
        key.display().to_string()
    );
    let clear = "egress safe record \"{rung}-clear.flv\" clear=true; egress disk";
    let show = |ladder: &str| {
        show(ladder)
            .replace("channel program {", &ring)
            .replace("egress web serve http-flv; egress disk", clear)
    };
    let live = start_show(&show(LOW));
    let handle = live.engine.handle();
    ticks(&handle, 4);
    reload(&handle, &show(&format!("{LOW} bframes=2; rung tiny 96x54 60k")));
    ticks(&handle, 4);
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    nothing_is_amiss(&report);
    for rung in ["low", "tiny"] {
        let [sealed, clear] = ["", "-clear"].map(|door| recorded(live.out.path(), &format!("{rung}{door}")));
        let ring: KeyRing = [(KeyId(1), DIGITS.parse::<MasterKey>().unwrap())].into_iter().collect();
        let mut decryptor = TagDecryptor::new(ring);
        let opened: Vec<Tag> = sealed.iter().map(|tag| decryptor.decrypt(tag.clone()).0).collect();
        assert!(opened == clear && sealed != clear, "{rung}");
        is_whole(rung, &clear);
    }
}

/// Who takes a rung away gives its cores to the rest: where by that twice as many threads are due to one,
/// it has another encoder from that tick on.
#[test]
fn a_rung_that_is_left_with_more_cores_gets_another_encoder() {
    let rungs = ["one", "two", "three"].map(|name| format!("rung {name} 1088x612 900k preset=veryfast"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let live = start_show(&show(&rungs.join("; ")).replace("320x180", "1088x612"));
    let handle = live.engine.handle();
    ticks(&handle, 5);
    let all = reload(&handle, &show(&rungs[..1].join("; ")).replace("320x180", "1088x612")).frame as i64;
    ticks(&handle, 5);
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(report.exit_code(), 0, "{:?}", report.events);
    nothing_is_amiss(&report);
    let one = recorded(live.out.path(), "one");
    let pts = is_whole("one", &one);
    let is_renewed = keys(&one).contains(&(pts[0] + all * TICK));
    assert_eq!(is_renewed, 2 * cores.div_ceil(3) <= cores.min(8), "{cores} cores: {:?}", keys(&one));
}
