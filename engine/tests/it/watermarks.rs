//! Watermarks by their pixels: several, in words and time, on their way, by command, and unseen.

use std::path::Path;

use codecs::{Frame, Plane};
use engine::{Engine, MarkReader, Mode, RunOptions, StartError};
use pipeline_dsl::Switch;
use serde_json::json;

use crate::support::{Ran, clips, decode, ffmpeg, psnr, show, tags};

/// A white square of 40x40 with a lamp of a pixel's width down its middle.
const SQUARE: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'>\
    <rect width='40' height='40' fill='#fff'/></svg>";

fn inputs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("square.svg"), SQUARE).unwrap();
    std::fs::copy(clips().join("pictures/logo.png"), folder.path().join("logo.png")).unwrap();
    folder
}

/// A show of one dark camera and these watermarks, for a second, in 25 ticks.
fn text(watermarks: &str, names: &str) -> String {
    format!(
        r##"show "marks" {{
  video 640x360 25fps
  camera dark {{ line gen test "color:#202020" }}
  {watermarks}
  ladder two {{ keyframe 1s; audio 64k; rung large 640x360 3000k; rung small 320x180 1500k }}
  channel program {{ sources dark; watermark {names}; ladder two; egress disk record "{{rung}}.flv" }}
  rundown program {{ at 0:01 end }}
}}"##
    )
}

fn options(inputs: &Path, out: &Path, mode: Mode) -> RunOptions {
    RunOptions { inputs: inputs.to_owned(), out: out.to_owned(), kit: ffmpeg(), ..RunOptions::new(mode) }
}

fn offline(watermarks: &str, names: &str) -> Ran {
    let (inputs, out) = (inputs(), tempfile::tempdir().unwrap());
    let model = show(&text(watermarks, names));
    let report = Engine::start(model, options(inputs.path(), out.path(), Mode::Offline)).unwrap().wait();
    Ran { report, out }
}

fn frames(ran: &Ran, rung: &str) -> Vec<Frame> {
    decode(&tags(&ran.out.path().join(format!("{rung}.flv"))))
}

fn luma(frame: &Frame, x: usize, y: usize) -> u8 {
    frame.picture.plane(Plane::Y).row(y)[x]
}

/// The box of what is bright: left, top, right, bottom, the last two exclusive.
fn bright(frame: &Frame) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in frame.picture.plane(Plane::Y).rows().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, luma)| **luma > 130) {
            let [l, t, r, b] = found.unwrap_or([x, y, x + 1, y + 1]);
            found = Some([l.min(x), t.min(y), r.max(x + 1), b.max(y + 1)]);
        }
    }
    found
}

fn near(a: [usize; 4], b: [usize; 4], by: usize) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= by)
}

#[test]
fn pictures_drawings_words_and_time_lie_on_one_channel() {
    let ran = offline(
        r##"watermark bug { image "logo.png" at=top-left margin=0 }
  watermark square { image "square.svg" at=bottom-left margin=10 opacity=0.5 }
  watermark hidden { image "square.svg" at=center state=off }
  watermark name { text "LIVE" size=60 at=top-right margin=0 outline=black }
  watermark clock { timecode show size=40 at=bottom-right margin=0 }"##,
        "bug square hidden name clock",
    );
    assert_eq!(ran.report.exit_code(), 0);
    let frames = frames(&ran, "large");
    let dark = luma(&frames[5], 320, 180);
    assert!(dark < 60, "what is switched off is not there: {dark}");
    assert!((120..150).contains(&luma(&frames[5], 30, 330)), "half a square: {}", luma(&frames[5], 30, 330));
    let count = |frame: &Frame, (left, right): (usize, usize), (top, bottom): (usize, usize)| {
        (top..bottom).map(|y| (left..right).filter(|&x| luma(frame, x, y) > 130).count()).sum::<usize>()
    };
    assert!(count(&frames[5], (0, 160), (0, 48)) > 200, "the logo");
    assert!(count(&frames[5], (480, 640), (0, 60)) > 500, "the words");
    // The time code's last digit changes from picture to picture, and nothing left of it.
    let differ = |a: &Frame, b: &Frame, (left, right): (usize, usize)| {
        (320..360)
            .map(|y| (left..right).filter(|&x| luma(a, x, y).abs_diff(luma(b, x, y)) > 60).count())
            .sum::<usize>()
    };
    assert!(differ(&frames[5], &frames[6], (610, 640)) > 15, "the frames count");
    assert_eq!(differ(&frames[5], &frames[6], (0, 560)), 0, "nothing else does");
}

#[test]
fn on_a_path_it_is_where_the_model_says() {
    let mark = r##"watermark square {
    image "square.svg"
    move 0:00.200 to=0,100
    move 0:00.800 to=480,220 opacity=1
    move 0:00.920 opacity=0 to=480,220
  }"##;
    let ran = offline(mark, "square");
    let model = show(&text(mark, "square"));
    let pipeline_dsl::Mark::Graphic(graphic) = &model.watermarks[0].mark else { panic!("it is drawn") };
    let frames = frames(&ran, "large");
    for (tick, frame) in frames.iter().enumerate() {
        let size = model.video.size;
        let standing = graphic.standing(pipeline_dsl::Frame {
            time: model.video.rate.time_of(media::Tick(tick as u64)),
            canvas: size,
            picture: size,
            art: media::Size::new(40, 40),
            put: None,
        });
        let seen = bright(frame);
        match standing.opacity {
            200..=256 => {
                let (x, y) = (standing.x as usize, standing.y as usize);
                assert!(
                    seen.is_some_and(|seen| near(seen, [x, y, x + 40, y + 40], 2)),
                    "tick {tick}: {seen:?}, {standing:?}"
                );
            }
            0..=80 => assert_eq!(seen, None, "tick {tick}: {standing:?}"),
            _ => {}
        }
    }
    assert_eq!(frames.len(), 25);
}

/// Each at its tick: off over ten ticks, back elsewhere at once, and on its way for five.
#[test]
fn cues_fade_show_and_move_it() {
    let cues = "at 0:00.200 watermark square off over=400ms
      at 0:00.640 watermark square at 480,100; at 0:00.640 watermark square on
      at 0:00.720 watermark square at 80,100 over=200ms
      at 0:01 end";
    let model =
        text(r#"watermark square { image "square.svg" at=0,100 }"#, "square").replace("at 0:01 end", cues);
    let (inputs, out) = (inputs(), tempfile::tempdir().unwrap());
    let report =
        Engine::start(show(&model), options(inputs.path(), out.path(), Mode::Offline)).unwrap().wait();
    let frames = frames(&Ran { report, out }, "large");
    let at = |x: usize| Some([x, 100, x + 40, 140]);
    for (tick, want) in
        [(4, at(0)), (5, at(0)), (15, None), (16, at(480)), (18, at(480)), (20, at(320)), (23, at(80))]
    {
        let seen = bright(&frames[tick]);
        let fits = match (seen, want) {
            (Some(seen), Some(want)) => near(seen, want, 2),
            (seen, want) => seen == want,
        };
        assert!(fits, "tick {tick}: {seen:?}, not {want:?}");
    }
    let half = luma(&frames[10], 20, 120);
    assert!((115..165).contains(&half), "half way it is half there: {half}");
    assert!(luma(&frames[7], 20, 120) > half && half > luma(&frames[13], 20, 120));
}

#[test]
fn what_is_drawn_on_the_rungs_is_crisper_on_the_small_one() {
    let lines: String =
        (0..20).map(|n| format!("<rect x='{}' width='1.5' height='60' fill='#fff'/>", n * 3)).collect();
    let comb = format!("<svg xmlns='http://www.w3.org/2000/svg' width='60' height='60'>{lines}</svg>");
    let frame = |draw: &str| {
        let (inputs, out) = (inputs(), tempfile::tempdir().unwrap());
        std::fs::write(inputs.path().join("comb.svg"), &comb).unwrap();
        let mark = format!(r#"watermark comb {{ image "comb.svg" scale=200% at=center draw={draw} }}"#);
        let model = show(&text(&mark, "comb"));
        let report = Engine::start(model, options(inputs.path(), out.path(), Mode::Offline)).unwrap().wait();
        assert_eq!(report.exit_code(), 0);
        let ran = Ran { report, out };
        ["large", "small"].map(|rung| frames(&ran, rung)[5].clone())
    };
    let ([once_large, once], [rung_large, rung]) = (frame("once"), frame("rung"));
    assert!(psnr(&once_large, &rung_large) > 40.0, "in the canvas's size both are the same");
    // What it would be without coding.
    let mut best =
        codecs::PictureMut::filled(media::Size::new(320, 180), codecs::Rgb::new(32, 32, 32)).unwrap();
    let art = codecs::Art::read(comb.as_bytes(), &codecs::watermark::Fonts::none()).unwrap();
    let laid = codecs::Laid { x: 130, y: 60, opacity: codecs::Opacity::FULL };
    art.draw(media::Size::new(60, 60)).unwrap().blend(&mut best, laid);
    let best = Frame { pts: rung.pts, picture: best.freeze() };
    let (on_rung, on_canvas) = (psnr(&rung, &best), psnr(&once, &best));
    assert!(on_rung > on_canvas + 1.0, "{on_rung:.1} dB, {on_canvas:.1} dB");
    // They stand at the same place.
    let (a, b) = (bright(&rung).unwrap(), bright(&once).unwrap());
    assert!(near(a, b, 2), "{a:?} {b:?}");
}

#[test]
fn what_cannot_be_shown_is_told_at_the_start() {
    let start = |mark: &str, name: &str| {
        let (inputs, out) = (inputs(), tempfile::tempdir().unwrap());
        let started =
            Engine::start(show(&text(mark, name)), options(inputs.path(), out.path(), Mode::Offline));
        let Err(StartError::Channel { message, .. }) = started else { panic!("{mark} starts") };
        message
    };
    let said = start(r#"watermark a { timecode clock }"#, "a");
    assert!(said.contains("an offline show has none"), "{said}");
    let said = start(r#"watermark a { text "x" font="No Such Font" }"#, "a");
    assert!(said.starts_with("watermark a: there is no font \"No Such Font\"; there are: "), "{said}");
    let said = start(r#"watermark a { text "x" font-file="square.svg" }"#, "a");
    assert!(said.ends_with("the font file cannot be read: TrueType and OpenType are legal"), "{said}");
    let said = start(r#"watermark a { image "square.svg" scale=1000% }"#, "a");
    assert!(
        said.contains(
            "400x400 with a margin of 24 does not fit on a canvas of 640x360: at most 592x312 would"
        ),
        "{said}"
    );
    assert!(start(r#"watermark a { image "missing.svg" }"#, "a").contains("missing.svg"));
    assert!(engine::font_problem("No Such Font").is_some());
}

#[test]
fn a_director_changes_it_while_it_runs() {
    let mark = r#"watermark square { image "square.svg" at=top-left margin=0 state=off }
  watermark name { text "LIVE" }
  watermark trace { forensic 9 }"#;
    let text = text(mark, "square name trace").replace("at 0:01 end", "at 1:00 end");
    let (inputs, out) = (inputs(), tempfile::tempdir().unwrap());
    let engine = Engine::start(show(&text), options(inputs.path(), out.path(), Mode::RealTime)).unwrap();
    let handle = engine.handle();
    let ask = |command: serde_json::Value| handle.command(serde_json::from_value(command).unwrap());
    let mark = |json: serde_json::Value| {
        let mut command = json!({"do": "watermark"});
        command.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        ask(command)
    };
    let on = mark(json!({"watermark": "square", "state": "on"})).unwrap().frame;
    let put = mark(json!({"watermark": "square", "place": "50%,50%"})).unwrap().frame;
    mark(json!({"watermark": "name", "text": "Karry", "when": "keyframe"})).unwrap();
    let status = handle.status().channels[0].watermarks.clone();
    let named: Vec<_> = status.iter().map(|mark| (mark.name.as_str(), mark.state)).collect();
    assert_eq!(named, [("square", Switch::On), ("name", Switch::On)]);
    assert_eq!(status[0].at.as_deref(), Some("50%,50%"));
    let refused = mark(json!({"watermark": "trace", "state": "off"})).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.legal),
        ("unknown-watermark", vec!["square".to_owned(), "name".to_owned()])
    );
    assert_eq!(mark(json!({"watermark": "square", "text": "x"})).unwrap_err().code, "no-text");
    assert!(on <= put);
    // Until the first key frame after the order is through, which is within a second of show time.
    let asked = handle.status().channels[0].frames;
    while handle.status().channels[0].frames < asked + 30 || handle.status().channels[0].watermarks[1].waiting
    {
        std::thread::yield_now();
    }
    assert_eq!(handle.status().channels[0].watermarks[1].text.as_deref(), Some("Karry"));
    handle.stop();
    let report = engine.wait();
    let ran = Ran { report, out };
    let frames = frames(&ran, "large");
    let is_there = |frame: &Frame| luma(frame, 340, 200) > 200;
    assert!(is_there(&frames[put as usize]), "from the tick that the answer names");
    assert!(!frames[..put as usize].iter().any(is_there), "and not before");
}

#[test]
fn a_copy_tells_the_feed_it_was_made_from() {
    let mark = "watermark trace { forensic 4711 strength=3 }";
    let film =
        text(mark, "trace").replace("test \"color:#202020\"", "file \"clips/bigbuckbunny-720p25.mp4\"");
    let film = film.replace("at 0:01 end", "at 0:04 end");
    let out = tempfile::tempdir().unwrap();
    let report = Engine::start(show(&film), options(&clips(), out.path(), Mode::Offline)).unwrap().wait();
    assert_eq!(report.exit_code(), 0);
    for (rung, number) in [("large", 1), ("small", 2)] {
        let mut reader = MarkReader::new();
        tags(&out.path().join(format!("{rung}.flv"))).iter().for_each(|tag| reader.push(tag));
        let found =
            reader.found().unwrap_or_else(|| panic!("none in {rung}, of {} pictures", reader.pictures()));
        assert_eq!((found.id, found.rung), (4711, number));
        assert!(found.confidence > 0.9, "{rung}: {found:?}");
    }
}
