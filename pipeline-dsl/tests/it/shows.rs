//! Shows built in code, any a show file can say.

use media::{FLICKS_PER_SECOND, FrameRate, SampleRate, Size, Span, Time};
use pipeline_dsl::*;
use proptest::prelude::*;
use proptest::sample::select;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}", 1 => "[äжй語0-9][äжй語_]{0,3}", 1 => select(vec!["end", "true", "4k", "env", "1080p", "400ms"]).prop_map(str::to_owned)]
}

/// This many names, all different.
fn words(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::hash_set(word(), count).prop_map(|set| set.into_iter().collect())
}

fn variable() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_]{0,12}"
}

fn path() -> impl Strategy<Value = Text> {
    prop_oneof![
        // `in/` keeps it apart from what is recorded.
        "[ -~äж]{0,20}".prop_map(|p| Text::Plain(format!("in/{}", p.replace("://", "")))),
        variable().prop_map(Text::Env),
    ]
}

fn ca() -> impl Strategy<Value = Option<Text>> {
    prop::option::of(path())
}

fn rtmps(v4: [u8; 4], port: u16) -> impl Strategy<Value = Option<SecureListen>> {
    let some =
        (path(), path()).prop_map(move |(cert, key)| SecureListen { addr: (v4, port).into(), cert, key });
    prop::option::of(some)
}

fn span(least_ms: i64, most_ms: i64) -> impl Strategy<Value = Span> {
    let flicks = FLICKS_PER_SECOND / 1000;
    prop_oneof![
        (least_ms..=most_ms).prop_map(Span::from_millis),
        (least_ms * flicks..=most_ms * flicks).prop_map(Span::from_flicks),
    ]
}

fn size(canvas: Size) -> impl Strategy<Value = Size> {
    (8..=canvas.width / 2, 8..=canvas.height / 2).prop_map(|(w, h)| Size::new(w * 2, h * 2))
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let color = any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Pattern::Color(Rgb { r, g, b }));
    let named = Just(Pattern::Color(Rgb { r: 0, g: 128, b: 0 }));
    prop_oneof![Just(Pattern::Bars), Just(Pattern::Motion), Just(Pattern::Timecode), named, color]
}

fn test() -> impl Strategy<Value = Input> {
    (pattern(), prop::option::of(20u32..=20_000)).prop_map(|(pattern, tone)| Input::Test { pattern, tone })
}

fn sound() -> impl Strategy<Value = Text> {
    let plain = select(vec!["alsa:hw:1", "pulse:a b"]).prop_map(|d| Text::Plain(d.into()));
    prop_oneof![plain, variable().prop_map(Text::Env)]
}

/// Where a line is recorded, if it can be.
fn record(input: &Input) -> impl Strategy<Value = Option<Text>> + use<> {
    let path = select(vec!["iso/{camera}/{line}.flv", "./iso/{line}/{camera}/x.flv"])
        .prop_map(|p| Text::Plain(p.into()));
    let path = prop_oneof![path, variable().prop_map(Text::Env)];
    let can = input.unrecordable().is_none();
    prop::option::of(path).prop_map(move |path| path.filter(|_| can))
}

/// What a line reads; push points are told apart by the camera's and the line's number.
fn line_input(camera: usize, line: usize) -> impl Strategy<Value = Input> {
    let key = prop_oneof![
        Just(None),
        variable().prop_map(|v| Some(KeyPlace::Env(v))),
        path().prop_map(|path| Some(KeyPlace::File(path))),
    ];
    let push = ("[a-z]{1,6}", key).prop_map(move |(app, key)| {
        let point = PushPoint { app, stream: format!("{camera}/{line}") };
        Input::Push { point, key }
    });
    let url = select(vec![
        "rtmp://h/a/b",
        "rtmps://h/a",
        "srt://h:1?x=y",
        "rtsp://u:p@h/x",
        "http://h/{rung}",
        "https://h/a.m3u8",
    ]);
    let url = prop_oneof![url.prop_map(|u| Text::Plain(u.into())), variable().prop_map(Text::Env)];
    let file = (path(), select(vec![Repeat::Once, Repeat::Loop]))
        .prop_map(|(path, repeat)| Input::File { path, repeat });
    prop_oneof![
        push,
        (url, ca()).prop_map(|(url, ca)| Input::Pull {
            ca: ca.filter(
                |_| !matches!(&url, Text::Plain(url) if url.starts_with("srt") || url.starts_with("rtsp"))
            ),
            url,
        }),
        file,
        (path(), prop::option::of(sound())).prop_map(|(path, audio)| Input::Device { path, audio }),
        Just(Input::Source { name: format!("s{camera}.{line}") }),
        test(),
    ]
}

fn failover() -> impl Strategy<Value = Failover> {
    let check = || {
        let after =
            span(500, 600_000).prop_flat_map(|after| select(vec![Check::Tells(after), Check::Counts(after)]));
        prop_oneof![Just(Check::Off), after]
    };
    let fps = select(vec![(1, 1), (20, 1), (30_000, 1001)]);
    let fps = fps.prop_map(|(num, den)| FrameRate::new(num, den).unwrap());
    let figures =
        (prop::option::of(fps), prop::option::of(1_000u32..=200_000_000), prop::option::of(0u32..=1000));
    let suspect = (span(500, 60_000), figures, (check(), check(), check())).prop_map(
        |(after, (min_fps, min_bitrate, max_errors), (freeze, black, silence))| Suspect {
            after,
            min_fps,
            min_bitrate,
            max_errors,
            freeze,
            black,
            silence,
        },
    );
    let (prefer, standby) = (select(Prefer::ALL.to_vec()), select(Standby::ALL.to_vec()));
    let align = select(Align::ALL.to_vec());
    (span(50, 60_000), span(0, 600_000), suspect, prefer, standby, align).prop_map(
        |(lost, recover, suspect, prefer, standby, align)| Failover {
            lost,
            recover,
            suspect,
            prefer,
            standby,
            align,
        },
    )
}

fn camera(number: usize, name: String) -> impl Strategy<Value = Camera> {
    let lines = words(1..4).prop_flat_map(move |names| {
        let lines: Vec<_> = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| {
                let input = line_input(number, i).prop_flat_map(|input| (record(&input), Just(input)));
                let sync = select(SyncBy::ALL.to_vec());
                let told = select(Deinterlace::ALL.to_vec());
                let drawn = (input, span(20, 2_000), sync, told);
                drawn.prop_map(move |((record, input), buffer, sync, told)| {
                    let is_live = matches!(
                        input,
                        Input::Push { .. } | Input::Pull { .. } | Input::Device { .. } | Input::Source { .. }
                    );
                    let live = if is_live { Live { buffer, sync } } else { Live::default() };
                    let drawn_only = matches!(input, Input::Test { .. });
                    let deinterlace = if drawn_only { Deinterlace::default() } else { told };
                    Line { name: name.clone(), input, live, deinterlace, record }
                })
            })
            .collect();
        lines
    });
    (lines, failover()).prop_map(move |(lines, failover)| Camera { name: name.clone(), lines, failover })
}

fn filler(name: String) -> impl Strategy<Value = Filler> {
    let file = path().prop_map(|path| Input::File { path, repeat: Repeat::Loop });
    let image = path().prop_map(|path| Input::Image { path });
    prop_oneof![file, image, test()].prop_map(move |input| Filler { name: name.clone(), input })
}

/// A length of at most `most` thousandths of a side.
fn length(most: u32, side: u32) -> impl Strategy<Value = Length> {
    let pixels = (u64::from(side) * u64::from(most) / 100_000) as u32;
    prop_oneof![(0..=pixels).prop_map(Length::Pixels), (0..=most).prop_map(Length::Percent)]
}

/// A part of the canvas, large enough for a border of 4.
fn spot(canvas: Size) -> impl Strategy<Value = Spot> {
    let at = (length(50_000, canvas.width), length(50_000, canvas.height));
    let size = (25_000u32..=50_000, 25_000u32..=50_000);
    (at, size).prop_map(|(at, (w, h))| Spot { at, size: (Length::Percent(w), Length::Percent(h)) })
}

fn fit() -> impl Strategy<Value = Option<Fit>> {
    prop::option::of(select(Fit::ALL.to_vec()))
}

fn layout(name: String, canvas: Size) -> impl Strategy<Value = SceneLayout> {
    let place = (spot(canvas), fit(), prop::option::of(0u8..=99));
    prop::collection::btree_map(1u8..=16, place, 1..5).prop_map(move |places| SceneLayout {
        name: format!("own-{name}"),
        places: places.into_iter().map(|(number, (spot, fit, z))| Place { number, spot, fit, z }).collect(),
    })
}

fn scene(name: String, canvas: Size, parts: Parts) -> impl Strategy<Value = Scene> {
    let own: Vec<_> = parts.layouts.iter().map(|name| format!("own-{name}")).collect();
    let known = StockLayout::WORDS.iter().map(|word| (*word).to_owned()).chain(own);
    let part = move |name: String| {
        let crop = prop::array::uniform2(length(30_000, canvas.width)).prop_map(|[left, right]| Crop {
            left,
            right,
            ..Crop::NONE
        });
        let looks = (prop::option::of(spot(canvas)), fit(), prop::option::of(0u8..=99), crop, 0u32..=4);
        let rest = (
            select(parts.cameras.clone()),
            prop::option::of(select(parts.fillers.clone())),
            any::<[u8; 3]>(),
            -600i16..=120,
        );
        (looks, rest).prop_map(move |((pin, fit, z, crop, border), (camera, filler, [r, g, b], tenths))| {
            SceneBox {
                name: name.clone(),
                camera,
                pin,
                fit,
                z,
                crop,
                border,
                color: Rgb { r, g, b },
                level: Gain::from_tenths(tenths).unwrap(),
                filler,
            }
        })
    };
    let boxes = words(1..5).prop_flat_map(move |names| names.into_iter().map(&part).collect::<Vec<_>>());
    (select(known.collect::<Vec<_>>()), any::<[u8; 3]>(), span(0, 60_000), boxes).prop_map(
        move |(layout, [r, g, b], after, boxes)| Scene {
            name: format!("scene-{name}"),
            layout,
            color: Rgb { r, g, b },
            after,
            boxes,
        },
    )
}

fn color() -> impl Strategy<Value = Rgb> {
    any::<[u8; 3]>().prop_map(|[r, g, b]| Rgb { r, g, b })
}

fn style() -> impl Strategy<Value = TextStyle> {
    let font = prop_oneof![
        "[A-Z][a-zA-Z é]{0,20}".prop_map(|family| Some(Font::Family(family))),
        path().prop_map(|path| Some(Font::File(path))),
        Just(None),
    ];
    (font, 8u32..=1024, color(), prop::option::of(color()))
        .prop_map(|(font, size, color, outline)| TextStyle { font, size, color, outline })
}

fn art() -> impl Strategy<Value = Art> {
    let of = prop_oneof![
        Just((TimeOf::Show, Zone::UTC)),
        (-720i16..=840).prop_map(|minutes| (TimeOf::Clock, Zone::from_minutes(minutes).unwrap())),
    ];
    prop_oneof![
        path().prop_map(|path| Art::Image { path }),
        ("[!-~é][ -~é\n]{0,40}", style()).prop_map(|(text, style)| Art::Text { text, style }),
        (of, select(Units::ALL.to_vec()), style()).prop_map(|((of, zone), units, style)| Art::Timecode {
            of,
            zone,
            units,
            style
        }),
    ]
}

/// Where something of it can be seen.
fn place_at(canvas: Size) -> impl Strategy<Value = At> {
    let length = |whole: u32| {
        prop_oneof![(0..whole).prop_map(Length::Pixels), (0u32..100_000).prop_map(Length::Percent)]
    };
    prop_oneof![
        select(Anchor::ALL.to_vec()).prop_map(At::Anchor),
        (length(canvas.width), length(canvas.height)).prop_map(|(x, y)| At::Corner(x, y)),
    ]
}

fn way(canvas: Size) -> impl Strategy<Value = Vec<Waypoint>> {
    let point =
        (0..FLICKS_PER_SECOND * 600, prop::option::of(place_at(canvas)), prop::option::of(0.0f32..=1.0));
    prop::collection::vec(point, 0..4).prop_map(|points| {
        let mut time = Time::ZERO;
        let points = points.into_iter().map(|(later, to, opacity)| {
            time += Span::from_flicks(later);
            Waypoint { time, to, opacity }
        });
        points.collect()
    })
}

fn watermark(name: String, canvas: Size) -> impl Strategy<Value = Watermark> {
    let most = canvas.width.min(canvas.height) / 2;
    let place = (place_at(canvas), 0..=most.min(4096), 0.0f32..=1.0, 1u32..=1000);
    let graphic =
        (art(), place, select(Draw::ALL.to_vec()), select(vec![Switch::On, Switch::Off]), way(canvas))
            .prop_map(|(art, (at, margin, opacity, scale), draw, state, path)| {
                Mark::Graphic(Graphic { art, at, margin, opacity, scale, draw, state, path })
            });
    let forensic = (1..=u16::MAX, 1u8..=4).prop_map(|(id, strength)| Mark::Forensic { id, strength });
    prop_oneof![4 => graphic, 1 => forensic].prop_map(move |mark| Watermark { name: name.clone(), mark })
}

fn own() -> impl Strategy<Value = RungOwn> {
    let of = prop::option::of::<BoxedStrategy<u32>>;
    (
        of((0u32..200_000_000).boxed()),
        of((50_000u32..2_000_000_000).boxed()),
        prop::option::of(select(Preset::ALL.to_vec())),
        prop::option::of(select(vec![Tune::Animation, Tune::Grain, Tune::Fastdecode])),
        prop::option::of(0u8..=16),
        prop::option::of(select(vec![Encoder::X264, Encoder::X265])),
    )
        .prop_map(|(maxrate, buffer, preset, tune, bframes, encoder)| RungOwn {
            maxrate,
            buffer,
            preset,
            tune,
            bframes,
            encoder,
        })
}

fn ladder(name: String, canvas: Size) -> impl Strategy<Value = Ladder> {
    let rungs = words(1..5).prop_flat_map(move |names| {
        let rung = |name: String| {
            (size(canvas), 50_000u32..=200_000_000, own()).prop_map(move |(size, bitrate, mut own)| {
                // As the checks have it: never below the bitrate, nor below 100 ms of it.
                own.maxrate = own.maxrate.map(|more| bitrate + more % bitrate);
                let most = own.maxrate.unwrap_or(bitrate);
                own.buffer = own.buffer.map(|more| most.max(more));
                Rung { name: name.clone(), size, bitrate, pictures: RungPictures::Encoded, own }
            })
        };
        names.into_iter().map(rung).collect::<Vec<_>>()
    });
    let pace = (select(Latency::ALL.to_vec()), select(vec![Encoder::X264, Encoder::X265]));
    (pace, select(Preset::ALL.to_vec()), span(1_000, 10_000), 32_000u32..=512_000, rungs).prop_map(
        move |((latency, encoder), preset, keyframe, audio_bitrate, mut rungs)| {
            if latency == Latency::Low {
                rungs.iter_mut().for_each(|rung| rung.own.bframes = rung.own.bframes.map(|_| 0));
            }
            Ladder { name: name.clone(), latency, encoder, preset, keyframe, audio_bitrate, rungs }
        },
    )
}

fn ring(name: String) -> impl Strategy<Value = KeyRing> {
    let place = prop_oneof![variable().prop_map(KeyPlace::Env), path().prop_map(KeyPlace::File)];
    prop::collection::btree_map(any::<u8>(), place, 2..4).prop_map(move |keys| KeyRing {
        name: name.clone(),
        keys: keys.into_iter().map(|(id, place)| KeySource { id, place }).collect(),
    })
}

fn egress(name: String) -> impl Strategy<Value = Egress> {
    let unique = name.clone();
    let push = select(vec!["rtmp", "rtmps", "srt"])
        .prop_map(move |scheme| Text::Plain(format!("{scheme}://cdn/{unique}/{{channel}}_{{rung}}")));
    let unique = name.clone();
    let record = Just(Text::Plain(format!("out/{{channel}}/{{rung}}/{unique}.flv")));
    let target = prop_oneof![
        (push, ca()).prop_map(|(url, ca)| Target::Push {
            ca: ca.filter(|_| !matches!(&url, Text::Plain(url) if url.starts_with("srt"))),
            url,
        }),
        (variable(), ca()).prop_map(|(v, ca)| Target::Push { url: Text::Env(v), ca }),
        record.prop_map(|path| Target::Record { path }),
        Just(Target::ServeHttpFlv),
        Just(Target::ServeRtmp),
    ];
    (target, select(vec![Door::AsChannel, Door::Clear])).prop_map(move |(target, door)| Egress {
        name: name.clone(),
        target,
        door,
    })
}

/// The names a channel can refer to.
#[derive(Clone, Debug)]
struct Parts {
    cameras: Vec<String>,
    layouts: Vec<String>,
    scenes: Vec<String>,
    fillers: Vec<String>,
    watermarks: Vec<String>,
    ladders: Vec<String>,
    keys: Vec<String>,
}

fn some(names: &[String]) -> BoxedStrategy<Vec<String>> {
    prop::sample::subsequence(names.to_vec(), 0..=names.len()).prop_shuffle().boxed()
}

fn channel(name: String, parts: Parts) -> impl Strategy<Value = Channel> {
    let mut sources = parts.cameras.clone();
    sources.extend(parts.scenes.iter().map(|name| format!("scene-{name}")));
    let count = sources.len();
    let sources = prop::sample::subsequence(sources, 1..=count).prop_shuffle();
    let filler =
        (select(parts.fillers), span(0, 60_000)).prop_map(|(name, after)| ChannelFiller { name, after });
    let encrypt = (select(parts.keys), select(EncryptMode::ALL.to_vec()), select(EncryptSound::ALL.to_vec()))
        .prop_map(|(key, mode, sound)| Encrypt { key, mode, sound });
    let egresses = words(1..4).prop_flat_map(|names| names.into_iter().map(egress).collect::<Vec<_>>());
    let egresses = egresses.prop_map(|mut list| {
        // A channel is served once a protocol.
        let mut served = Vec::new();
        list.retain(|egress| {
            let serves = matches!(egress.target, Target::ServeHttpFlv | Target::ServeRtmp);
            let again = served.contains(&egress.target);
            served.push(egress.target.clone());
            !serves || !again
        });
        list
    });
    (
        sources,
        prop::option::of(filler),
        some(&parts.watermarks),
        select(parts.ladders),
        prop::option::of(encrypt),
        egresses,
    )
        .prop_map(move |(sources, filler, watermarks, ladder, encrypt, mut egresses)| {
            // What is encrypted leaves as FLV tags, or by the show's own word.
            for egress in egresses.iter_mut().filter(|_| encrypt.is_some()) {
                if let Target::Push { url: Text::Plain(place), .. } = &egress.target
                    && !egress.is_open_to_encrypted(place)
                {
                    egress.door = Door::Clear;
                }
            }
            let name = name.clone();
            // Which rungs it may do without is said once they are known.
            Channel { name, sources, filler, watermarks, ladder, shed: None, encrypt, egresses }
        })
}

/// What a cue can ask of a scene.
fn scene_order(scene: &Scene, layouts: &[SceneLayout]) -> impl Strategy<Value = Action> + use<> {
    let known = StockLayout::WORDS.into_iter().map(str::to_owned);
    let known: Vec<_> = known.chain(layouts.iter().map(|layout| layout.name.clone())).collect();
    let names: Vec<_> = scene.boxes.iter().map(|part| part.name.clone()).collect();
    let order = prop_oneof![
        (select(known), prop::option::of(span(40, 10_000)))
            .prop_map(|(layout, over)| SceneOrder::Layout { layout, over }),
        (select(names.clone()), -600i16..=120)
            .prop_map(|(name, tenths)| SceneOrder::Level { name, level: Gain::from_tenths(tenths).unwrap() }),
        (select(names), select(vec![Switch::On, Switch::Off]))
            .prop_map(|(name, mute)| SceneOrder::Mute { name, mute }),
    ];
    let scene = scene.name.clone();
    order.prop_map(move |order| Action::Scene { scene: scene.clone(), order })
}

/// What can be asked of a text of this name, and most of it of every watermark that is drawn.
fn mark_order(watermark: &str) -> impl Strategy<Value = Action> + use<> {
    let watermark = watermark.to_owned();
    let over = || prop::option::of(span(40, 10_000));
    let state =
        (select(vec![Switch::On, Switch::Off]), over()).prop_map(|(to, over)| MarkChange::State { to, over });
    let place = (prop::option::of(select(Anchor::ALL.to_vec()).prop_map(At::Anchor)), over())
        .prop_map(|(to, over)| MarkChange::Place { to, over });
    let words = "[ -~\\n]{0,20}x".prop_map(MarkChange::Text);
    let change = prop_oneof![state, place, words];
    (change, select(MarkTime::ALL.to_vec())).prop_map(move |(change, when)| {
        Action::Watermark(MarkOrder { watermark: watermark.clone(), change, when })
    })
}

/// Whether a show with these watermarks can do that.
fn can_be(watermarks: &[Watermark], action: &Action) -> bool {
    let Action::Watermark(MarkOrder { watermark, change, .. }) = action else { return true };
    match watermarks.iter().find(|mark| mark.name == *watermark).map(|mark| &mark.mark) {
        Some(Mark::Graphic(graphic)) => {
            matches!(graphic.art, Art::Text { .. }) || !matches!(change, MarkChange::Text(_))
        }
        _ => false,
    }
}

fn rundown(channel: &Channel, scenes: &[Scene], layouts: &[SceneLayout]) -> BoxedStrategy<Rundown> {
    let source = || select(channel.sources.clone());
    let state = || select(vec![Switch::On, Switch::Off]);
    let mut actions = vec![
        source().prop_map(|source| Action::Cut { source }).boxed(),
        (source(), span(40, 10_000)).prop_map(|(source, over)| Action::Mix { source, over }).boxed(),
        (source(), span(40, 10_000), select(Edge::ALL.to_vec()))
            .prop_map(|(source, over, from)| Action::Wipe { source, over, from })
            .boxed(),
        (source(), span(40, 10_000), any::<[u8; 3]>())
            .prop_map(|(source, over, [r, g, b])| Action::Dip { source, over, color: Rgb { r, g, b } })
            .boxed(),
    ];
    if channel.filler.is_some() {
        actions.push(state().prop_map(Action::Filler).boxed());
    }
    if channel.encrypt.is_some() {
        actions.push(state().prop_map(Action::Encrypt).boxed());
        actions.push(Just(Action::EncryptRotate).boxed());
    }
    actions.extend(scenes.iter().map(|scene| scene_order(scene, layouts).boxed()));
    actions.extend(channel.watermarks.iter().map(|name| mark_order(name).boxed()));
    let action = prop::strategy::Union::new(actions);
    let name = channel.name.clone();
    let day = 0..TimeOfDay::DAY.flicks();
    (prop::collection::vec((action, 0..FLICKS_PER_SECOND * 600, day, 0..4), 0..6), -720i16..=840)
        .prop_map(move |(cues, minutes)| {
            let mut at = Time::ZERO;
            let cues = cues.into_iter().map(|(action, later, day, kind)| {
                let when = match kind {
                    0 => When::Next,
                    1 => When::Clock(TimeOfDay::new(Span::from_flicks(day)).unwrap()),
                    _ => {
                        at += Span::from_flicks(later);
                        When::At(at)
                    }
                };
                Cue { when, action }
            });
            let zone = Zone::from_minutes(minutes).unwrap();
            Rundown { channel: name.clone(), zone, cues: cues.collect() }
        })
        .boxed()
}

/// Every show of the language without an error, warnings or not.
pub fn show() -> impl Strategy<Value = Show> {
    let canvas = (64u32..=2048, 64u32..=2048).prop_map(|(w, h)| Size::new(w * 2, h * 2));
    let rates = vec![(25, 1), (30, 1), (30_000, 1001), (24_000, 1001), (60, 1), (1, 1), (240, 1)];
    let names = (words(1..4), words(1..3), words(1..3), words(1..3), words(1..3), words(1..3));
    let composed = (words(0..3), words(0..3));
    (canvas, select(rates), names, composed).prop_flat_map(|(canvas, (num, den), names, composed)| {
        let (cameras, fillers, watermarks, ladders, keys, channels) = names;
        let (layouts, scenes) = composed;
        let parts = Parts {
            cameras: cameras.clone(),
            layouts: layouts.clone(),
            scenes: scenes.clone(),
            fillers: fillers.clone(),
            watermarks: watermarks.clone(),
            ladders: ladders.clone(),
            keys: keys.clone(),
        };
        let rate = FrameRate::new(num, den).unwrap();
        let inputs = (
            cameras.into_iter().enumerate().map(|(i, name)| camera(i, name)).collect::<Vec<_>>(),
            fillers.into_iter().map(filler).collect::<Vec<_>>(),
            watermarks.into_iter().map(move |name| watermark(name, canvas)).collect::<Vec<_>>(),
            ladders.into_iter().map(move |name| ladder(name, canvas)).collect::<Vec<_>>(),
            keys.into_iter().map(ring).collect::<Vec<_>>(),
        );
        let composed = (
            layouts.into_iter().map(|name| layout(name, canvas)).collect::<Vec<_>>(),
            scenes.into_iter().map(|name| scene(name, canvas, parts.clone())).collect::<Vec<_>>(),
        );
        let channels: Vec<_> = channels.into_iter().map(|name| channel(name, parts.clone())).collect();
        let channels = (channels, composed).prop_flat_map(|(channels, (layouts, scenes))| {
            let rundowns: Vec<_> =
                channels.iter().map(|channel| rundown(channel, &scenes, &layouts)).collect();
            let composed = Just((layouts, scenes));
            let some = prop::collection::vec(any::<bool>(), channels.len());
            (Just(channels), composed, rundowns, some, prop::option::of(0i64..3600)).prop_map(
                |(channels, composed, rundowns, some, end)| {
                    let mut rundowns: Vec<Rundown> =
                        rundowns.into_iter().zip(some).filter(|(_, keep)| *keep).map(|(r, _)| r).collect();
                    // A show that ends does so after everything else.
                    let last =
                        rundowns.iter().flat_map(|r| &r.cues).filter_map(|cue| cue.when.show_time()).max();
                    if let (Some(first), Some(secs)) = (rundowns.first_mut(), end) {
                        let at = last.unwrap_or_default() + Span::from_secs(secs + 1);
                        first.cues.push(Cue { when: When::At(at), action: Action::End });
                    }
                    (channels, composed, rundowns)
                },
            )
        });
        let title = "[ -~é]{0,20}".prop_map(|t| format!("t{t}"));
        let sound = (select(vec![8_000, 44_100, 48_000, 48_001]), select(Layout::ALL.to_vec()));
        let listen = (any::<[u8; 4]>(), any::<[u16; 8]>(), 1u16..30_000).prop_flat_map(|(v4, v6, port)| {
            rtmps(v4, port + 2).prop_map(move |rtmps| Listen {
                http: (v6, port).into(),
                rtmp: (v4, port + 1).into(),
                rtmps,
            })
        });
        let shed = prop::collection::vec(prop::option::of(0usize..4), 3);
        (title, sound, listen, inputs, channels, shed).prop_map(
            move |(name, (hz, layout), listen, inputs, channels, shed)| {
                let (cameras, fillers, watermarks, ladders, keys) = inputs;
                let (mut channels, (layouts, scenes), mut rundowns) = channels;
                // A channel has one pattern at the most.
                let is_pattern = |name: &String| {
                    watermarks.iter().any(|w| w.name == *name && matches!(w.mark, Mark::Forensic { .. }))
                };
                for (channel, shed) in channels.iter_mut().zip(shed) {
                    let ladder = ladders.iter().find(|ladder: &&Ladder| ladder.name == channel.ladder);
                    let rungs = ladder.into_iter().flat_map(|ladder| ladder.rungs.iter().rev());
                    let names = rungs.map(|rung| rung.name.clone()).filter(|name| name != "none");
                    channel.shed = shed.map(|count| names.take(count).collect());
                    let first = channel.watermarks.iter().find(|name| is_pattern(name)).cloned();
                    channel.watermarks.retain(|name| !is_pattern(name) || Some(name) == first.as_ref());
                }
                for rundown in &mut rundowns {
                    rundown.cues.retain(|cue| can_be(&watermarks, &cue.action));
                }
                Show {
                    name,
                    video: Video { size: canvas, rate },
                    audio: Audio { rate: SampleRate::new(hz).unwrap(), layout },
                    listen,
                    cameras,
                    fillers,
                    layouts,
                    scenes,
                    watermarks,
                    ladders,
                    keys,
                    channels,
                    rundowns,
                }
            },
        )
    })
}

#[test]
fn what_a_camera_says_of_time_is_for_those_of_its_lines_that_say_nothing() {
    let show = pipeline_dsl::parse_show(
        r#"show t {
            camera main sync=clock {
                line a push "rtmp:live/a"
                line b pull "srt://h:1" sync=arrival
                line c file "c.mp4"
            }
            camera other { line a push "rtmp:live/b"; line b push "rtmp:live/c" sync=clock }
            ladder l { rung r 64x36 100k }
            channel c { sources main other; ladder l; egress d record "d.flv" }
        }"#,
    );
    let show = show.unwrap();
    let synced: Vec<_> = show.cameras.iter().flat_map(|c| &c.lines).map(|line| line.live.sync).collect();
    let (clock, arrival) = (SyncBy::Clock, SyncBy::Arrival);
    assert_eq!(synced, [clock, arrival, arrival, arrival, clock]);
    assert_eq!(pipeline_dsl::parse_show(&show.to_source()).unwrap(), show);
}
