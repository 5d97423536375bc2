//! From one show to another on air.

use pipeline_dsl::*;
use proptest::prelude::*;

use crate::shows::show;

/// Some of the old parts, some of them with the new ones' insides, and some new ones, in any order.
fn blend<T: Clone>(
    old: &[T],
    new: &[T],
    choices: &mut impl Iterator<Item = usize>,
    rename: impl Fn(&T, &T) -> T,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let mut next = || choices.next().unwrap_or(0);
    let mut out: Vec<T> = Vec::new();
    for (ix, part) in old.iter().enumerate() {
        match (next() % 4, new.get(ix)) {
            (0, _) => {}
            (1, Some(inside)) => out.push(rename(inside, part)),
            _ => out.push(part.clone()),
        }
    }
    let fresh = new.iter().filter(|part| !old.iter().any(|was| same(was, part)));
    for part in fresh.filter(|_| next() % 2 == 0).cloned().collect::<Vec<_>>() {
        let at = next() % (out.len() + 1);
        out.insert(at, part);
    }
    if next() % 2 == 0 {
        out.reverse();
    }
    out
}

macro_rules! blended {
    ($old:expr, $new:expr, $choices:expr) => {
        blend(
            $old,
            $new,
            $choices,
            |inside, named| {
                let mut part = inside.clone();
                part.name.clone_from(&named.name);
                part
            },
            |a, b| a.name == b.name,
        )
    };
}

/// A ladder that one in use can be changed to: other rates and settings, rungs less and more.
fn led(old: &Ladder, other: Option<&Ladder>, choices: &mut impl Iterator<Item = usize>) -> Ladder {
    let mut next = || choices.next().unwrap_or(0);
    let mut ladder = old.clone();
    let Some(other) = other else { return ladder };
    if next() % 2 == 0 {
        (ladder.preset, ladder.latency, ladder.keyframe) = (other.preset, other.latency, other.keyframe);
    }
    let mut rungs = Vec::new();
    for (rung, inside) in ladder.rungs.iter().zip(other.rungs.iter().cycle()) {
        match next() % 4 {
            0 => {}
            1 => {
                let encoder = rung.own.encoder;
                let own = RungOwn { encoder, ..inside.own.clone() };
                rungs.push(Rung { bitrate: inside.bitrate, own, ..rung.clone() });
            }
            _ => rungs.push(rung.clone()),
        }
    }
    let fresh = other.rungs.iter().filter(|rung| !old.rungs.iter().any(|was| was.name == rung.name));
    for rung in fresh.filter(|_| next() % 2 == 0).cloned().collect::<Vec<_>>() {
        rungs.insert(next() % (rungs.len() + 1), rung);
    }
    if next() % 3 == 0 {
        rungs.reverse();
    }
    ladder.rungs = rungs;
    ladder
}

/// A show that `old` can be changed to on air, made of parts of both.
fn reachable(old: &Show, new: &Show, mut choices: impl Iterator<Item = usize>) -> Show {
    let choices = &mut choices;
    let mut show = Show { name: new.name.clone(), ..old.clone() };
    show.cameras = blended!(&old.cameras, &new.cameras, choices);
    for camera in &mut show.cameras {
        if let Some(was) = old.camera(&camera.name) {
            camera.lines = blended!(&was.lines, &camera.lines.clone(), choices);
        }
    }
    show.fillers = blended!(&old.fillers, &new.fillers, choices);
    show.layouts = blended!(&old.layouts, &new.layouts, choices);
    show.scenes = blended!(&old.scenes, &new.scenes, choices);
    show.watermarks = blended!(&old.watermarks, &new.watermarks, choices);
    let used = |name: &str| old.channels.iter().any(|channel| channel.ladder == name);
    show.ladders = blended!(&old.ladders, &new.ladders, choices);
    show.ladders.retain(|ladder| !used(&ladder.name));
    for ladder in old.ladders.iter().filter(|ladder| used(&ladder.name)) {
        show.ladders.push(led(ladder, new.ladders.first(), choices));
    }
    for ring in &mut show.keys {
        let extra = new.keys.iter().flat_map(|ring| &ring.keys).take(choices.next().unwrap_or(0) % 3);
        ring.keys.extend(extra.cloned());
    }
    for (ix, channel) in show.channels.iter_mut().enumerate() {
        let Some(other) = new.channels.get(ix) else { continue };
        channel.sources =
            if choices.next() == Some(0) { other.sources.clone() } else { channel.sources.clone() };
        channel.filler.clone_from(&other.filler);
        channel.watermarks.clone_from(&other.watermarks);
        if other.ladder == channel.ladder {
            channel.shed.clone_from(&other.shed);
        }
        let mut egresses = blended!(&channel.egresses, &other.egresses, choices);
        egresses.iter_mut().for_each(|egress| egress.door = Door::AsChannel);
        channel.egresses = egresses;
    }
    show.channels.rotate_left(1);
    let rundowns = |channel: &str| {
        let mut all = new.rundowns.iter().cloned();
        all.next().map(|rundown| Rundown { channel: channel.to_owned(), ..rundown })
    };
    show.rundowns = show.channels.iter().filter_map(|channel| rundowns(&channel.name)).collect();
    show
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The steps from one show to another, applied to the first, give the second.
    #[test]
    fn a_difference_applied_to_the_old_show_gives_the_new_one(
        old in show(), other in show(), choices in prop::collection::vec(0usize..64, 80),
    ) {
        let new = reachable(&old, &other, choices.into_iter());
        let difference = Difference::between(&old, &new);
        prop_assert!(difference.is_ok(), "{difference:?}");
        let difference = difference.unwrap();
        prop_assert_eq!(difference.apply(&old), new);
        prop_assert_eq!(difference.to_string().lines().count(), difference.steps.len());
    }

    /// Whatever two shows there are: either the steps lead from one to the other, or something is said.
    #[test]
    fn two_shows_are_told_apart(old in show(), new in show()) {
        prop_assert!(Difference::between(&old, &old).unwrap().is_empty());
        match Difference::between(&old, &new) {
            Ok(difference) => prop_assert_eq!(difference.apply(&old), new),
            Err(fixed) => {
                let source = new.to_source();
                for fixed in &fixed {
                    let said = fixed.diagnostic(&source);
                    prop_assert!(said.span.end() <= source.len() && !said.span.of(&source).is_empty());
                }
                prop_assert!(!fixed.is_empty());
            }
        }
    }
}

const SHOW: &str = r#"show "tour" {
  video 1280x720 25fps
  camera main { line fiber push "rtmp:live/main"; line sat pull "srt://10.0.0.7:9001" }
  camera karry { line disk file "karry.mp4" }
  filler slate { test "color:green" }
  layout corner { box 1 at=0,0 size=50%x50% }
  scene duo { layout side-by-side; box host camera=main; box guest camera=karry }
  ladder one { rung 720p 1280x720 2500k }
  key ring { id 1 env=ONE; id 2 env=TWO }
  channel program {
    sources main karry
    filler slate after=500ms
    ladder one
    encrypt ring
    egress web serve http-flv
    egress disk record "{rung}.flv"
  }
  rundown program { at 0:10 cut karry }
}
"#;

fn differs(changes: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let mut source = SHOW.to_owned();
    for (from, to) in changes {
        assert!(source.contains(from), "{from}");
        source = source.replace(from, to);
    }
    let new = parse_show(&source).unwrap_or_else(|said| panic!("{said:#?}"));
    match Difference::between(&parse_show(SHOW).unwrap(), &new) {
        Ok(difference) => Ok(difference.to_string()),
        Err(fixed) => Err(fixed
            .iter()
            .map(|fixed| fixed.diagnostic(&source))
            .map(|said| format!("{}:{}: {}", said.span.line, said.span.column, said.message))
            .collect()),
    }
}

#[test]
fn each_step_is_said_in_words_and_without_secrets() {
    let told = differs(&[
        ("srt://10.0.0.7:9001", "srt://10.0.0.8:9001?passphrase=SECRETSECRET"),
        ("  filler slate {", "  camera drone { line gen test bars }\n  filler slate {"),
        ("sources main karry", "sources main drone karry"),
        ("after=500ms", "after=1s"),
        ("ladder one\n", "ladder one shed=none\n"),
        ("id 2 env=TWO", "id 2 env=TWO; id 3 env=THREE"),
        (
            "    egress disk record \"{rung}.flv\"\n",
            "    egress cdn push \"rtmp://cdn.example/live/SECRET-{rung}\"\n",
        ),
        ("at 0:10 cut karry", "at 0:20 cut drone"),
        ("at=0,0", "at=50%,0"),
        (
            "box guest camera=karry }",
            "box guest camera=karry level=-6dB }\n  scene solo { layout full; box host camera=drone }",
        ),
    ]);
    let expected = "camera drone is added
camera main: line sat is opened again
layout corner has other places
scene duo is composed otherwise
scene solo is added
key ring has other keys behind those it had
channel program: its sources are main, drone, karry
channel program: filler slate covers its holes after 1s
channel program: under overload it does without no rung
channel program: egress disk is taken away
channel program: egress cdn is added
rundown program has other cues; those that are past stay past
";
    let mut lines: Vec<_> = told.as_ref().unwrap().lines().collect();
    let order = lines.iter().position(|line| line.contains("cameras stand in this order"));
    lines.retain(|line| !line.contains("cameras stand"));
    assert_eq!(lines.join("\n") + "\n", expected, "{order:?}");
}

#[test]
fn a_ladder_in_use_changes_rung_by_rung() {
    let told = differs(&[(
        "rung 720p 1280x720 2500k",
        "preset fast; latency low; rung 720p 1280x720 3M; rung 360p 640x360 700k",
    )]);
    assert_eq!(
        told.unwrap(),
        "ladder one: latency low, encoder x264, preset fast, a key frame every 2s\n\
         ladder one: rung 720p is encoded anew\n\
         ladder one: rung 360p is added\n"
    );
    let told = differs(&[
        ("  ladder one {", "  ladder two { rung 720p 1280x720 3M }\n  ladder one {"),
        ("    ladder one\n", "    ladder two\n"),
    ]);
    assert_eq!(
        told.unwrap(),
        "ladder two is added\nladders stand in this order: two, one\nchannel program: it runs on ladder two\n"
    );
}

#[test]
fn what_stays_is_said_with_its_place() {
    let refused = |changes: &[(&str, &str)]| differs(changes).unwrap_err().join("\n");
    assert_eq!(
        refused(&[("25fps", "30fps"), ("2500k", "2600k")]),
        "2:3: the canvas and its frame rate cannot be changed on air: every clock of the show hangs on them"
    );
    assert_eq!(
        refused(&[("    encrypt ring", "    encrypt ring mode=capsule")]),
        "14:5: whether and how channel program is encrypted cannot be changed on air"
    );
    assert_eq!(
        refused(&[("id 1 env=ONE; id 2 env=TWO", "id 2 env=TWO; id 1 env=ONE")]),
        "9:3: the keys of ring ring cannot be taken away or reordered on air"
    );
    let rung = |to: &str| refused(&[("rung 720p 1280x720 2500k", to)]);
    assert_eq!(
        rung("audio 96k; rung 720p 640x360 2500k encoder=x265"),
        "8:3: the bitrate of the sound of ladder one cannot be changed on air: one encoder makes it for all \
         rungs, and its stream has no place to begin anew\n\
         8:27: rung 720p cannot be changed so on air: who is connected was told that it is AVC, and would not \
         take HEVC: FLV names a stream's codec once"
    );
    assert_eq!(
        rung("rung 720p 640x360 2500k"),
        "8:16: rung 720p cannot be changed so on air: who is connected was told that it is 1280x720, not 640x360"
    );
    assert_eq!(
        rung("rung 720p copy"),
        "8:16: rung 720p cannot be changed so on air: a rung is copied from the start or not at all"
    );
    let two = refused(&[
        ("  ladder one {", "  ladder two { rung 720p 640x360 2500k }\n  ladder one {"),
        ("    ladder one\n", "    ladder two\n"),
    ]);
    assert_eq!(
        two,
        "14:5: channel program: rung 720p cannot be changed so on air: who is connected was told that it is \
         1280x720, not 640x360"
    );
    let told = refused(&[("serve http-flv", "serve http-flv clear=true")]);
    assert!(told.starts_with("15:5: egress web as the first clear way out of channel program"), "{told}");
    let told = refused(&[("program", "other")]);
    assert!(
        told.contains("channel program cannot be taken away")
            && told.contains("channel other cannot be added")
    );
}
