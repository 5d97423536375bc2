//! Who encodes and who carries, over random histories: every splice lies between key frames, and
//! what is carried is what would have been encoded.

use std::fmt::Write as _;

use media::Key;
use pipeline_dsl::Show;
use proptest::prelude::*;
use scheduling::{Carrying, ChannelIx, Encoding, EncodingStep, FeedIx, Lending, Showing, Shown};

const CAMERAS: usize = 3;

/// Each camera has a channel of its own; two programs; one with a forensic mark, one of fewer rungs,
/// one of more, one of another bitrate.
const CHANNELS: [&str; 9] =
    ["program-a", "program-b", "marked", "fewer", "more", "other", "own-0", "own-1", "own-2"];

fn show() -> Show {
    let mut text = String::from("show tour {\n video 1280x720 25fps\n");
    for camera in 0..CAMERAS {
        writeln!(text, "camera c{camera} {{ line gen test bars }}").unwrap();
    }
    text.push_str(
        r#"
        filler standby { test "bars" }
        watermark trace { forensic 7 }
        watermark bug { image "logo.png" at=top-right }
        ladder two { rung 720p 1280x720 2500k; rung 360p 640x360 700k }
        ladder low { rung 360p 640x360 700k }
        ladder three { rung 720p 1280x720 2500k; rung 480p 854x480 1200k; rung 360p 640x360 700k }
        ladder thin { rung 720p 1280x720 2400k; rung 360p 640x360 700k }
    "#,
    );
    for name in CHANNELS {
        let (ladder, mark) = match name {
            "marked" => ("two", "watermark trace;"),
            "fewer" => ("low", ""),
            "more" => ("three", ""),
            "other" => ("thin", ""),
            _ => ("two", ""),
        };
        let sources = name.strip_prefix("own-").map_or("c0 c1 c2".to_owned(), |own| format!("c{own}"));
        writeln!(
            text,
            "channel {name} {{ sources {sources}; filler standby; {mark} ladder {ladder}; egress web serve http-flv }}"
        )
        .unwrap();
    }
    text.push('}');
    let checked = pipeline_dsl::check(&text);
    checked.show.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn ix(name: &str) -> usize {
    CHANNELS.iter().position(|channel| *channel == name).unwrap()
}

/// Whether `to` could ever carry `from`, told without the code under test.
fn related(to: usize, from: usize) -> bool {
    let class = |ix: usize| match CHANNELS[ix] {
        "marked" => 1,
        "other" => 2,
        _ => 0,
    };
    let rungs = |ix: usize| match CHANNELS[ix] {
        "fewer" => 1,
        "more" => 3,
        _ => 2,
    };
    class(to) == class(from) && rungs(to) <= rungs(from)
}

fn camera(ix: usize) -> Option<Shown> {
    Some(Shown::Feed(FeedIx::Camera(ix)))
}

fn open(shown: Option<Shown>) -> Option<Showing<u8>> {
    Some(Showing { shown, graphics: 0, key: Key::Delta, lending: Lending::Open })
}

/// What one channel does at a tick.
fn showing(channel: usize) -> impl Strategy<Value = Option<Showing<u8>>> {
    let own = CHANNELS[channel].strip_prefix("own-").map(|own| own.parse::<usize>().unwrap());
    let cameras = match own {
        Some(own) => own..own + 1,
        None => 0..CAMERAS,
    };
    let shown = prop_oneof![
        8 => cameras.prop_map(camera),
        1 => Just(Some(Shown::Feed(FeedIx::Filler(0)))),
        1 => Just(Some(Shown::Black)),
        1 => Just(None),
    ];
    let key = prop_oneof![4 => Just(Key::Delta), 1 => Just(Key::Frame)];
    let lending = prop_oneof![12 => Just(Lending::Open), 1 => Just(Lending::Closed)];
    let graphics = prop_oneof![8 => Just(0), 1 => Just(1)];
    let on = (shown, graphics, key, lending)
        .prop_map(|(shown, graphics, key, lending)| Some(Showing { shown, graphics, key, lending }));
    prop_oneof![15 => on, 1 => Just(None)]
}

/// Ticks at each of which every channel either goes on as it was or does something else.
fn histories() -> impl Strategy<Value = Vec<Vec<Option<Showing<u8>>>>> {
    let tick = (0..CHANNELS.len())
        .map(|channel| prop_oneof![3 => Just(None), 1 => showing(channel).prop_map(Some)])
        .collect::<Vec<_>>();
    prop::collection::vec(tick, 1..80).prop_map(|ticks| {
        let mut now: Vec<_> = (0..CHANNELS.len())
            .map(|channel| {
                open(camera(CHANNELS[channel].strip_prefix("own-").map_or(0, |c| c.parse().unwrap())))
            })
            .collect();
        let key = |changes: Vec<Option<Option<Showing<u8>>>>| {
            for (now, change) in now.iter_mut().zip(changes) {
                match (change, now) {
                    (Some(change), now) => *now = change,
                    (None, Some(now)) => now.key = Key::Delta,
                    (None, None) => {}
                }
            }
            now.clone()
        };
        ticks.into_iter().map(key).collect()
    })
}

/// A picture as an encoder gave it: of which tick, what it shows, whether decoding can start there.
type Coded = (usize, (Option<Shown>, u8), Key);

/// The coded pictures of each channel, spliced as the steps say.
fn splice(history: &[Vec<Option<Showing<u8>>>], steps: &[Vec<EncodingStep>]) -> Vec<Vec<Coded>> {
    let encoded = |channel: usize, tick: usize| -> Option<Coded> {
        let (step, showing) = (steps[tick][channel], history[tick][channel]?);
        (step.now == Encoding::Own).then_some((tick, (showing.shown, showing.graphics), step.key))
    };
    let channel = |channel: usize| {
        (0..steps.len())
            .filter_map(|tick| match steps[tick][channel].now {
                Encoding::None => None,
                Encoding::Own => encoded(channel, tick),
                Encoding::Carried(ChannelIx(lender)) => {
                    Some(encoded(lender, tick).expect("who is carried encodes"))
                }
            })
            .collect()
    };
    (0..CHANNELS.len()).map(channel).collect()
}

proptest! {
    #[test]
    fn what_is_carried_is_what_would_have_been_encoded(history in histories()) {
        let mut carrying = Carrying::new(&show(), |_, _| true);
        let mut again = carrying.clone();
        let steps: Vec<_> = history.iter().map(|tick| carrying.decide(tick)).collect();
        prop_assert_eq!(&steps, &history.iter().map(|tick| again.decide(tick)).collect::<Vec<_>>());

        for (channel, coded) in splice(&history, &steps).into_iter().enumerate() {
            let on: Vec<usize> = (0..history.len()).filter(|tick| history[*tick][channel].is_some()).collect();
            // Each tick once, none left out, each with the picture the channel shows.
            prop_assert_eq!(coded.iter().map(|coded| coded.0).collect::<Vec<_>>(), on);
            for (tick, shown, key) in coded {
                let showing = history[tick][channel].unwrap();
                prop_assert_eq!(shown, (showing.shown, showing.graphics));
                prop_assert_eq!(key, steps[tick][channel].key);
                if showing.key == Key::Frame {
                    prop_assert_eq!(key, Key::Frame);
                }
            }
        }
        for (tick, steps) in steps.iter().enumerate() {
            for (channel, step) in steps.iter().enumerate() {
                if let Encoding::Carried(ChannelIx(lender)) = step.now {
                    prop_assert!(related(channel, lender), "{} carries {}", CHANNELS[channel], CHANNELS[lender]);
                    prop_assert_eq!(history[tick][lender].unwrap().lending, Lending::Open);
                }
                if step.before == step.now {
                    continue;
                }
                // Both sides of a splice: what begins begins with a key frame, and what was left
                // has one, or goes on no further.
                if step.now != Encoding::None {
                    prop_assert_eq!(step.key, Key::Frame);
                }
                if let Encoding::Carried(ChannelIx(left)) = step.before {
                    let left = steps[left];
                    prop_assert!(left.now != Encoding::Own || left.key == Key::Frame);
                }
            }
        }
    }

    /// Nobody encodes what a channel that comes before it encodes already.
    #[test]
    fn nothing_is_encoded_twice(history in histories()) {
        let mut carrying = Carrying::new(&show(), |_, _| true);
        for tick in &history {
            let steps = carrying.decide(tick);
            for (a, b) in [("program-a", "own-0"), ("program-b", "own-1"), ("fewer", "own-2"), ("program-b", "program-a")] {
                let (to, from) = (ix(a), ix(b));
                let (Some(one), Some(other)) = (tick[to], tick[from]) else { continue };
                if one.shown.is_some() && one.shown == other.shown && one.graphics == other.graphics && other.lending == Lending::Open
                    && steps[from].now == Encoding::Own
                {
                    prop_assert!(matches!(steps[to].now, Encoding::Carried(_)), "{a} beside {b}");
                }
            }
        }
    }
}

/// All channels at their first camera but for what is said.
fn tick(said: &[(&str, Option<Showing<u8>>)]) -> Vec<Option<Showing<u8>>> {
    let first = |name: &&str| open(camera(name.strip_prefix("own-").map_or(0, |own| own.parse().unwrap())));
    let mut tick: Vec<_> = CHANNELS.iter().map(first).collect();
    for (name, showing) in said {
        tick[ix(name)] = *showing;
    }
    tick
}

fn carried(steps: &[EncodingStep], name: &str) -> Option<&'static str> {
    match steps[ix(name)].now {
        Encoding::Carried(ChannelIx(lender)) => Some(CHANNELS[lender]),
        _ => None,
    }
}

#[test]
fn unlike_channels_encode_for_themselves() {
    let mut carrying = Carrying::new(&show(), |_, _| true);
    let steps = carrying.decide(&tick(&[]));
    let carriers = CHANNELS.map(|name| carried(&steps, name));
    let own = Some("own-0");
    assert_eq!(carriers, [own, own, None, own, None, None, None, None, None]);
    // Its headers differ after all.
    let mut carrying = Carrying::new(&show(), |to, _| to != ChannelIx(ix("fewer")));
    assert_eq!(carried(&carrying.decide(&tick(&[])), "fewer"), None);
}

#[test]
fn a_watermark_led_elsewhere_is_another_picture() {
    let mut carrying = Carrying::new(&show(), |_, _| true);
    carrying.decide(&tick(&[]));
    let led = Some(Showing { shown: camera(0), graphics: 1, key: Key::Delta, lending: Lending::Open });
    let steps = carrying.decide(&tick(&[("program-a", led)]));
    assert_eq!((carried(&steps, "program-a"), carried(&steps, "program-b")), (None, Some("own-0")));
    assert_eq!(steps[ix("own-0")].key, Key::Frame);
}

/// A program has graphics that its cameras' own channels do not: what is not seen changes nothing.
#[test]
fn a_graphic_of_the_programs_own_is_encoded_while_it_is_seen() {
    let mut show = show();
    show.channels[ix("program-a")].watermarks.push("bug".into());
    let mut carrying = Carrying::new(&show, |_, _| true);
    let with = |graphics| {
        let seen = Showing { shown: camera(0), graphics, key: Key::Delta, lending: Lending::Open };
        tick(&[("program-a", Some(seen))])
    };
    for (graphics, from) in [(0, Some("own-0")), (1, None), (1, None), (0, Some("own-0"))] {
        assert_eq!(carried(&carrying.decide(&with(graphics)), "program-a"), from);
    }
}

#[test]
fn the_filler_on_one_side_is_no_camera_and_on_both_it_is_one_picture() {
    let mut carrying = Carrying::new(&show(), |_, _| true);
    carrying.decide(&tick(&[]));
    let standby = open(Some(Shown::Feed(FeedIx::Filler(0))));
    let steps = carrying.decide(&tick(&[("own-0", standby)]));
    // Two programs that show the same are still encoded once, and the larger one for itself.
    assert_eq!((carried(&steps, "program-a"), carried(&steps, "program-b")), (None, Some("program-a")));
    assert_eq!(steps[ix("own-0")].key, Key::Frame, "what was carried up to here is closed");
    let steps = carrying.decide(&tick(&[("own-0", standby), ("program-a", standby)]));
    assert_eq!(carried(&steps, "program-a"), Some("own-0"));
}

#[test]
fn a_channel_that_is_there_again_takes_the_encoding_over() {
    let mut carrying = Carrying::new(&show(), |_, _| true);
    carrying.decide(&tick(&[("own-0", None)]));
    let before = carrying.decide(&tick(&[("own-0", None)]));
    assert_eq!(carried(&before, "program-b"), Some("program-a"));
    // program-a, which program-b carried, does not encode any more.
    let steps = carrying.decide(&tick(&[]));
    assert_eq!((carried(&steps, "program-a"), carried(&steps, "program-b")), (Some("own-0"), Some("own-0")));
    assert!(carrying.decide(&tick(&[])).iter().all(|step| step.before == step.now && step.key == Key::Delta));
}

#[test]
fn a_changed_show_goes_on_with_what_it_has() {
    let mut carrying = Carrying::new(&show(), |_, _| true);
    carrying.decide(&tick(&[]));
    let mut changed = show();
    changed.channels.rotate_left(2);
    changed
        .channels
        .iter_mut()
        .find(|channel| channel.name == "program-b")
        .unwrap()
        .watermarks
        .push("trace".into());
    let mut carrying = carrying.reload(&changed, |_, _| true);
    let mut now = tick(&[]);
    now.rotate_left(2);
    let steps = carrying.decide(&now);
    let at = |name: &str| changed.channels.iter().position(|channel| channel.name == name).unwrap();
    let own = Encoding::Carried(ChannelIx(at("own-0")));
    let step = steps[at("program-a")];
    assert_eq!((step.before, step.now), (own, own));
    // With its mark it is like `marked`, which shows the same and comes before it now.
    let step = steps[at("program-b")];
    assert_eq!((step.before, step.now), (own, Encoding::Carried(ChannelIx(at("marked")))));
    assert_eq!(steps[at("own-0")].key, Key::Frame);
}

/// Key frames of a channel with a copied rung are its camera's: whoever carried it would be without
/// its own.
#[test]
fn a_channel_that_copies_its_camera_neither_carries_nor_is_carried() {
    let text = |rung: &str| {
        format!(
            r#"show tour {{
              camera c0 {{ line l push "rtmp:live/c0" }} camera c1 {{ line l push "rtmp:live/c1" }}
              ladder own {{ {rung}; rung 720p 1280x720 2500k }} ladder one {{ rung 720p 1280x720 2500k }}
              channel program {{ sources c0 c1; ladder one; egress web serve http-flv }}
              channel own-0 {{ sources c0; ladder own; egress web serve http-flv }}
              channel twin {{ sources c0 c1; ladder own; egress web serve http-flv }}
            }}"#
        )
    };
    let carried = |rung: &str| {
        let show = pipeline_dsl::parse_show(&text(rung)).unwrap();
        let mut carrying = Carrying::new(&show, |_, _| true);
        let steps = carrying.decide(&[open(camera(0)), open(camera(0)), open(camera(0))]);
        steps.iter().filter(|step| matches!(step.now, Encoding::Carried(_))).count()
    };
    assert_eq!((carried("rung source 1920x1080 6M"), carried("rung source copy")), (2, 0));
}
