//! Fault scripts: read, written, and what is said of wrong ones.

use std::fmt::Write as _;

use media::{FLICKS_PER_SECOND, Size, Span, Time};
use pipeline_dsl::rehearsal::*;
use pipeline_dsl::{
    Action, At, Edge, Follow, Gain, MarkChange, MarkOrder, MarkTime, Rgb, Show, Switch, Text, Transition,
    parse_show,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A show with every kind of line and way out, and two channels.
const SHOW: &str = r#"show "night" {
  camera main {
    line fiber push "rtmp:live/main"
    line backpack pull "srt://10.0.0.7:9001"
  }
  camera karry { line disk file "karry.mp4" }
  camera bars { line gen test bars }
  filler standby { test bars }
  ladder two { rung 720p 1280x720 2500k; rung 360p 640x360 700k }
  key tour { id 1 env=A; id 2 env=B }
  watermark name { text "Live" }
  watermark clock { timecode show }
  watermark trace { forensic 7 }
  channel program {
    sources main karry bars
    watermark name clock trace
    filler standby
    ladder two
    encrypt tour
    egress cdn-a push "rtmp://a.example/live/{rung}"
    egress cdn-b push "rtmp://b.example/live/{rung}"
    egress web serve http-flv
    egress disk record "{channel}-{rung}.flv"
  }
  channel second { sources main; ladder two; egress web serve rtmp }
  rundown program { at 0:10 cut karry; next cut main; at 50:00 end }
}"#;

fn night() -> Show {
    parse_show(SHOW).unwrap()
}

fn faults(source: &str) -> FaultScript {
    let checked = check_faults(source, &night());
    checked.script.unwrap_or_else(|| panic!("{source}: {:#?}", checked.diagnostics))
}

fn line(camera: &str, line: &str) -> LineName {
    LineName { camera: camera.into(), line: line.into() }
}

#[test]
fn what_the_contract_says_is_read() {
    let script = faults("main/fiber lost@10s for 5s // the digger\n\n at 12s cut karry channel=program\n");
    let what = FaultKind::Line { line: line("main", "fiber"), fault: LineFault::Lost };
    assert_eq!(script.faults, [Fault { at: Time::from_secs(10), lasts: Some(Span::from_secs(5)), what }]);
    let ask = Ask::Do(Action::Cut { source: "karry".into() });
    let order = Order::Channel { channel: "program".into(), ask };
    assert_eq!(script.orders, [TimedOrder { at: Time::from_secs(12), order }]);
    let fault = &script.faults[0];
    let holds = [9, 10, 14, 15].map(|s| fault.holds_at(Time::from_secs(s)));
    assert_eq!(holds, [false, true, true, false]);
}

#[test]
fn all_spellings_come_to_one() {
    let said = "main/fiber stall@10s for 5s; main/fiber drip=30%@10s for 5s; main/fiber drip@1m
        main/fiber corrupt=0.5%@10s for 2s; main/fiber jump=-10s@20s; main/fiber jump=+400ms@0:20
        main/backpack drift=300ppm@0s; main/fiber freeze@1:02:03.500; main/fiber black@1s; karry/disk silence@1s
        main/fiber resolution=640x360@30s; program/cdn-a wedge@10s for 20s; program/cdn-b/720p refuse@1s
        disk full@30s for 10s; disk slow@40s; disk slow=0.5%@40s for 1m; disk broken@50s; engine kill@60s for 2s; engine kill=fresh@60s for 2s; engine kill=resume@40:00 for 40m; main lost@5s; filler/standby freeze@1s; standby lost@2s for 1s
        at 1s line main auto; at 1s take wipe from=top channel=second; at 1s gain karry -6.5dB channel=program
        at 1s plan move 2 before=1 channel=program; at 1s encrypt rotate channel=program
        at 2s watermark clock off channel=program
        at 2s watermark name text \"Karry; live\" when=keyframe channel=program
        at 2s watermark clock at 50%,10 over=1s channel=program; at 2s watermark clock at own channel=program";
    insta::assert_snapshot!(faults(said).to_string());
}

/// Every line is wrong; what is said of it stands under it.
#[test]
fn what_is_wrong_is_said_with_its_place_and_the_legal_values() {
    let wrong = "main/fiber
main/fiber lost
main/fiber lost @10s
main/fiber lots@10s
main/fibre lost@10s
mian/fiber lost@10s
mian lost@10s
main/fiber/720p lost@10s
main/fiber lost@10
main/fiber lost@
main/fiber lost@10s 5s
main/fiber lost@10s 5
main/fiber lost@10s for
main/fiber lost@10s for 5
main/fiber lost@10s for 5s main/backpack lost@10s
main/fiber lost=3@10s
main/fiber drip=30@10s
main/fiber drip=130%@10s
main/fiber drip@10s=30%
main/fiber jump@10s
main/fiber jump=sideways@10s
main/fiber drift=9%@0s
main/fiber resolution=641x360@30s
karry/disk drip=30%@10s
bars jump=1s@10s
standby drip=30%@10s
filler/standbye lost@10s
filler/standby wedge@10s
main/fiber wedge@10s
program/cdn-a lost@10s
program/web wedge@10s
program/cdn-c wedge@10s
program/cdn-a/1080p wedge@10s
program wedge@10s
disk kill@10s
engine full@10s
engine slow=10%@10s
disk slow=fast@10s
disk broken=1@10s
engine kill=anew@10s
engine overload=fresh@10s
disc full@10s
\"main/fiber\" lost@10s
main/fiber { lost@10s }
main/fiber lost@51:00
at 12s
at 12s cut karry
at 12 cut karry channel=program
at 12s cutt karry channel=program
at 12s cut kary channel=program
at 12s cut karry channel=second
at 12s cut karry chanel=program
at 12s end
at 12s filler on channel=second
at 12s encrypt on channel=second
at 12s line main fibre
at 12s line main fiber channel=program
at 12s plan skip 9 channel=program
at 12s plan skip channel=program
at 12s plan next 1 channel=program
at 12s sound hold channel=program
at 12s gain karry -90dB channel=program
at 12s watermark nam off channel=program
at 12s watermark trace off channel=program
at 12s watermark clock text \"x\" channel=program
at 12s watermark name text channel=program
at 12s watermark name dim channel=program
at 12s watermark name on \"x\" channel=program
at 12s watermark name off channel=second
at 12s watermark name at botom-left channel=program
at 12s watermark name at channel=program
at 12s watermark name text \"x\" over=1s channel=program
at 12s cut karry channel=program for 5s
at 12s cut karry = program
main/fiber lost@10s for";
    let mut told = String::new();
    for line in wrong.lines() {
        let checked = check_faults(line, &night());
        assert!(!checked.diagnostics.is_empty(), "{line}");
        let is_error = checked.diagnostics.iter().any(|d| d.is_error());
        assert_eq!(checked.script.is_none(), is_error, "{line}");
        let _ = writeln!(told, "{line}");
        for said in checked.diagnostics {
            let place = " ".repeat(said.span.column as usize - 1) + &"^".repeat(said.span.len.max(1));
            let help = said.help.map_or(String::new(), |help| format!("\n    {help}"));
            let _ = writeln!(told, "{place}\n  {}[{}]: {}{help}", said.severity, said.code, said.message);
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn places_are_those_of_the_whole_script() {
    let checked = check_faults("// first\nmain/fiber lost@10s; main/fiber drip=3@9s", &night());
    let span = checked.diagnostics[0].span;
    assert_eq!((span.line, span.column, span.len), (2, 38, 1));
}

/// Of a show that becomes another, names of either are known, and a camera's is that of all its lines.
#[test]
fn names_may_be_those_of_a_later_show() {
    let later = SHOW
        .replace("line backpack pull", "line phone push \"rtmp:live/phone\"\n    line backpack pull")
        .replace("sources main karry bars", "sources main karry bars guest")
        .replace("camera bars {", "camera guest { line one push \"rtmp:live/guest\" }\n  camera bars {");
    let later = [parse_show(&later).unwrap()];
    let said =
        "at 5s reload \"later.show\"; at 6s cut guest channel=program\nmain lost@7s; guest/one stall@8s";
    assert!(check_faults(said, &night()).script.is_none());
    let script = check_faults_among(said, &night(), &later).script.unwrap();
    let want = "main/fiber lost@0:07\nmain/backpack lost@0:07\nmain/phone lost@0:07\nguest/one stall@0:08\n\
                at 0:05 reload \"later.show\"\nat 0:06 cut guest channel=program\n";
    assert_eq!(script.to_string(), want);
    assert_eq!(reloaded_files(said), [Text::Plain("later.show".into())]);
    let wrong = check_faults_among("main/fibre lost@1s; at 1s reload x channel=program", &night(), &later);
    let codes: Vec<_> = wrong.diagnostics.iter().map(|said| said.code).collect();
    assert_eq!(codes, ["undefined-name", "unknown-key"], "{:#?}", wrong.diagnostics);
}

#[test]
fn the_page_about_faults_has_the_table() {
    let page = include_str!("../../../docs/REHEARSE.md");
    let table = fault_reference();
    assert!(page.contains(&table), "docs/REHEARSE.md needs this table:\n{table}");
}

#[test]
fn a_script_is_bounded() {
    let long = "main/fiber lost@1s\n".repeat(40_000);
    let checked = check_faults(&long, &night());
    assert_eq!(checked.diagnostics[0].code, "file-too-large");
    let wrong = check_faults(&"x y@1s\n".repeat(10_000), &night());
    assert!(wrong.diagnostics.len() <= pipeline_dsl::MOST_DIAGNOSTICS + 1);
}

fn time() -> impl Strategy<Value = Time> {
    let fine = (0..3000 * FLICKS_PER_SECOND).prop_map(Time::from_flicks);
    prop_oneof![(0..2_999_000i64).prop_map(Time::from_millis), fine]
}

fn span(least_ms: i64, most_ms: i64) -> impl Strategy<Value = Span> {
    let flicks = FLICKS_PER_SECOND / 1000;
    prop_oneof![
        (least_ms..=most_ms).prop_map(Span::from_millis),
        (least_ms * flicks..=most_ms * flicks).prop_map(Span::from_flicks),
    ]
}

fn share() -> impl Strategy<Value = Share> {
    (1u32..=1_000_000).prop_map(|millionths| Share::from_millionths(millionths).unwrap())
}

fn every_line() -> impl Strategy<Value = FaultKind> {
    let line = select(vec![("main", "fiber"), ("main", "backpack"), ("karry", "disk"), ("bars", "gen")]);
    let fault = select(vec![
        LineFault::Lost,
        LineFault::Stall,
        LineFault::Freeze,
        LineFault::Black,
        LineFault::Silence,
    ]);
    (line, fault, 0..5).prop_map(|((camera, name), fault, of)| match of {
        0 => FaultKind::Filler { filler: "standby".into(), fault },
        _ => FaultKind::Line { line: line_of(camera, name), fault },
    })
}

fn line_of(camera: &str, name: &str) -> LineName {
    line(camera, name)
}

fn sent_line() -> impl Strategy<Value = FaultKind> {
    let fault = prop_oneof![
        share().prop_map(LineFault::Drip),
        share().prop_map(LineFault::Corrupt),
        span(-86_400_000, 86_400_000).prop_map(LineFault::Jump),
        (-50_000i32..=50_000).prop_map(|ppm| LineFault::Drift(Drift::from_ppm(ppm).unwrap())),
        (8u32..=4096, 8u32..=4096).prop_map(|(w, h)| LineFault::Resolution(Size::new(w * 2, h * 2))),
    ];
    let line = select(vec!["fiber", "backpack"]);
    (line, fault).prop_map(|(name, fault)| FaultKind::Line { line: line_of("main", name), fault })
}

fn sink() -> impl Strategy<Value = FaultKind> {
    let rung = prop::option::of(select(vec!["720p", "360p"]).prop_map(str::to_owned));
    let fault = select(vec![SinkFault::Wedge, SinkFault::Refuse]);
    (select(vec!["cdn-a", "cdn-b"]), rung, fault).prop_map(|(egress, rung, fault)| {
        let sink = SinkName { channel: "program".into(), egress: egress.into(), rung };
        FaultKind::Sink { sink, fault }
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let disk =
        prop_oneof![select(vec![DiskFault::Full, DiskFault::Broken]), share().prop_map(DiskFault::Slow),];
    let engine = select(vec![
        FaultKind::EngineKill(Restart::Usual),
        FaultKind::EngineKill(Restart::Fresh),
        FaultKind::EngineKill(Restart::Resume),
        FaultKind::EngineOverload,
    ]);
    let one = prop_oneof![disk.prop_map(|fault| FaultKind::Disk { fault }), engine];
    let what = prop_oneof![2 => every_line(), 3 => sent_line(), 1 => sink(), 1 => one];
    (time(), prop::option::of(span(1, 86_400_000)), what).prop_map(|(at, lasts, what)| Fault {
        at,
        lasts,
        what,
    })
}

fn switch() -> impl Strategy<Value = Switch> {
    select(vec![Switch::On, Switch::Off])
}

fn color() -> impl Strategy<Value = Rgb> {
    any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Rgb { r, g, b })
}

fn ask() -> impl Strategy<Value = Ask> {
    let source = || select(vec!["main", "karry", "bars"]).prop_map(str::to_owned);
    let over = || span(40, 10_000);
    let edge = || select(Edge::ALL.to_vec());
    let action = prop_oneof![
        source().prop_map(|source| Action::Cut { source }),
        (source(), over()).prop_map(|(source, over)| Action::Mix { source, over }),
        (source(), over(), edge()).prop_map(|(source, over, from)| Action::Wipe { source, over, from }),
        (source(), over(), color()).prop_map(|(source, over, color)| Action::Dip { source, over, color }),
        switch().prop_map(Action::Filler),
        switch().prop_map(Action::Encrypt),
        Just(Action::EncryptRotate),
    ];
    let take = prop_oneof![
        Just(Transition::Cut),
        over().prop_map(|over| Transition::Mix { over }),
        (over(), edge()).prop_map(|(over, from)| Transition::Wipe { over, from }),
        (over(), color()).prop_map(|(over, color)| Transition::Dip { over, color }),
    ];
    let cue = || 1u32..=3;
    let plan = prop_oneof![
        select(vec![PlanStep::Next, PlanStep::Hold, PlanStep::Go]),
        cue().prop_map(|cue| PlanStep::Skip { cue }),
        (cue(), prop::option::of(cue())).prop_map(|(cue, before)| PlanStep::Move { cue, before }),
        (cue(), time()).prop_map(|(cue, time)| PlanStep::At { cue, time }),
    ];
    let either = || select(vec!["name", "clock"]);
    let way = || prop::option::of(over());
    let place = select(vec!["bottom-left", "50%,10", "0,33.333%"]).prop_map(At::parse);
    let change = prop_oneof![
        2 => (either(), switch(), way()).prop_map(|(name, to, over)| (name, MarkChange::State { to, over })),
        1 => "[a-zA-Z0-9;@/ \"\\\\]{0,20}[a-z]".prop_map(|words| ("name", MarkChange::Text(words))),
        1 => (either(), prop_oneof![1 => Just(None), 3 => place], way())
            .prop_map(|(name, to, over)| (name, MarkChange::Place { to, over })),
    ];
    let mark = (change, select(MarkTime::ALL.to_vec())).prop_map(|((watermark, change), when)| {
        Ask::Do(Action::Watermark(MarkOrder { watermark: watermark.into(), change, when }))
    });
    let gain = (-600i16..=120).prop_map(|tenths| Gain::from_tenths(tenths).unwrap());
    prop_oneof![
        3 => action.prop_map(Ask::Do),
        1 => source().prop_map(|source| Ask::Preview { source }),
        1 => take.prop_map(Ask::Take),
        1 => prop::option::of(source()).prop_map(|s| Ask::Sound(s.map_or(Follow::Picture, Follow::Source))),
        1 => (source(), gain).prop_map(|(source, by)| Ask::Gain { source, by }),
        1 => (source(), switch()).prop_map(|(source, state)| Ask::Mute { source, state }),
        1 => mark,
        2 => plan.prop_map(Ask::Plan),
    ]
}

fn timed_order() -> impl Strategy<Value = TimedOrder> {
    let of_line = prop::option::of(select(vec!["fiber", "backpack"]).prop_map(str::to_owned))
        .prop_map(|line| Order::Line { camera: "main".into(), line });
    let of_channel = ask().prop_map(|ask| Order::Channel { channel: "program".into(), ask });
    let file = select(vec!["later.show", "../a \"b\"/é.show"]).prop_map(|path| Text::Plain(path.into()));
    let file = prop_oneof![2 => file, 1 => Just(Text::Env("LATER".into()))];
    let reload = file.prop_map(|file| Order::Reload { file });
    (time(), prop_oneof![1 => of_line, 6 => of_channel, 1 => reload])
        .prop_map(|(at, order)| TimedOrder { at, order })
}

fn script() -> impl Strategy<Value = FaultScript> {
    let faults = prop::collection::vec(fault(), 0..6);
    let orders = prop::collection::vec(timed_order(), 0..6);
    (faults, orders).prop_map(|(faults, orders)| FaultScript { faults, orders })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_script_reads_back_as_it_was_written(script in script()) {
        let checked = check_faults(&script.to_string(), &night());
        prop_assert!(checked.script.is_some(), "{:#?}\n{script}", checked.diagnostics);
        prop_assert_eq!(checked.script.unwrap(), script);
    }

    #[test]
    fn a_script_survives_json(script in script()) {
        let json = serde_json::to_string(&script).unwrap();
        prop_assert_eq!(serde_json::from_str::<FaultScript>(&json).unwrap(), script);
    }

    /// Words of the language in any order, and things that are none: always an answer, with a place.
    #[test]
    fn no_text_is_too_odd(
        words in prop::collection::vec(
            prop_oneof![
                select(vec![
                    "main/fiber", "main", "program/cdn-a", "disk", "engine", "at", "12s", "lost@1s", "drip=3%@1s",
                    "for", "5s", "cut", "karry", "channel=program", "@", "=", "/", "//", "\"", "{", "}", ";", "\n",
                    "plan", "at", "7", "line", "ü@ü", "drip@=", "jump=-1s@0:60",
                ]).prop_map(str::to_owned),
                "\\PC{0,6}",
            ],
            0..12,
        ),
        glue in select(vec![" ", ""]),
    ) {
        let source = words.join(glue);
        let checked = check_faults(&source, &night());
        prop_assert_eq!(checked.script.is_none(), checked.diagnostics.iter().any(|d| d.is_error()));
        for said in &checked.diagnostics {
            prop_assert!(source.get(said.span.start..said.span.end()).is_some(), "{:?} in {:?}", said.span, source);
        }
        if let Some(script) = checked.script {
            prop_assert_eq!(check_faults(&script.to_string(), &night()).script, Some(script));
        }
    }
}
