//! Model to text to model, and text to model to text.

use pipeline_dsl::*;
use proptest::prelude::*;

use crate::shows::show;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_show_reads_back_as_it_was_written(show in show()) {
        let source = show.to_source();
        match parse_show(&source) {
            Ok(read) => prop_assert_eq!(read, show),
            Err(said) => prop_assert!(false, "{said:#?}\n{source}"),
        }
    }

    #[test]
    fn what_is_written_is_canonical(show in show()) {
        let source = show.to_source();
        prop_assert_eq!(pipeline_dsl::format(&source).unwrap(), source);
    }

    #[test]
    fn a_show_survives_json(show in show()) {
        let json = serde_json::to_string(&show).unwrap();
        prop_assert_eq!(serde_json::from_str::<Show>(&json).unwrap(), show);
    }

    #[test]
    fn a_sound_show_is_valid(show in show()) {
        prop_assert!(show.validate().iter().all(|d| !d.is_error()));
    }
}

fn example() -> Show {
    parse_show(EXAMPLE).unwrap()
}

fn codes(show: &Show) -> Vec<&'static str> {
    show.validate().iter().map(|d| d.code).collect()
}

#[test]
fn a_show_built_in_code_is_checked_by_the_same_rules() {
    let mut show = example();
    show.ladders[0].rungs[0].size = media::Size::new(3840, 2160);
    assert_eq!(codes(&show), ["rung-too-large"]);

    let mut show = example();
    show.channels[0].sources.clear();
    assert_eq!(codes(&show), ["missing-argument"]);

    let mut show = example();
    let Mark::Graphic(graphic) = &mut show.watermarks[0].mark else { panic!("it is drawn") };
    graphic.opacity = f32::NAN;
    assert_eq!(codes(&show), ["wrong-type"]);

    let mut show = example();
    show.cameras[0].name = "two words".into();
    assert!(codes(&show).contains(&"bad-name"));
}

#[test]
fn what_the_language_cannot_say_is_said() {
    let mut show = example();
    let Mark::Graphic(graphic) = &mut show.watermarks[0].mark else { panic!("it is drawn") };
    graphic.art = Art::Image { path: Text::Plain("env:LOGO".into()) };
    assert_eq!(codes(&show), ["not-expressible"]);

    let mut show = example();
    show.fillers[0].input = Input::File { path: Text::Plain("a.mp4".into()), repeat: Repeat::Once };
    assert_eq!(codes(&show), ["not-expressible"]);

    let mut show = example();
    show.rundowns[0].cues[0].when = When::At(media::Time::from_millis(-1));
    assert_eq!(codes(&show), ["not-expressible"]);
}

#[test]
fn defaults_are_the_models_own() {
    let source = r#"show t {
      camera a { line l test bars }
      filler f { test bars }
      watermark w { image "w.png" }
      ladder l { rung x 640x360 1M }
      key k { id 1 env=A }
      channel c { sources a; filler f; watermark w; ladder l; encrypt k; egress w serve http-flv }
    }"#;
    let show = parse_show(source).unwrap();
    assert_eq!(show.listen, Listen::default());
    assert_eq!(show.cameras[0].failover, Failover::default());
    assert_eq!(show.video.size, media::Size::new(1920, 1080));
    assert_eq!(show.video.rate.to_string(), "30fps");
    assert_eq!((show.audio.rate.hz(), show.audio.layout), (48_000, Layout::Stereo));
    assert_eq!(show.ladders[0].preset, Preset::Veryfast);
    assert_eq!(show.ladders[0].keyframe, media::Span::from_secs(2));
    assert_eq!(show.ladders[0].audio_bitrate, 128_000);
    assert_eq!(show.channels[0].filler.as_ref().unwrap().after, media::Span::from_millis(500));
    assert_eq!(show.channels[0].encrypt.as_ref().unwrap().mode, EncryptMode::Nalu);
    assert_eq!(show.channels[0].encrypt.as_ref().unwrap().sound, EncryptSound::Noise);
    let Mark::Graphic(mark) = &show.watermarks[0].mark else { panic!("it is drawn") };
    assert_eq!((mark.at, mark.margin, mark.opacity), (At::Anchor(Anchor::TopRight), 24, 1.0));
    assert_eq!((mark.scale, mark.draw, mark.state), (100, Draw::Once, Switch::On));
}

#[test]
fn a_copied_rung_reads_back_and_stands_in_by_the_canvas() {
    let source = r#"show t {
      video 1280x720 25fps
      camera a { line l push "rtmp:live/a" }
      ladder l { rung source copy; rung low 640x360 1M }
      ladder m { rung source copy bitrate=3M preset=fast }
      channel c { sources a; ladder l; egress w serve http-flv }
      channel d { sources a; ladder m; egress w serve http-flv }
    }"#;
    let show = parse_show(source).unwrap();
    let rung = show.ladders[0].copied().unwrap();
    assert_eq!(
        (rung.size, rung.bitrate, show.ladders[0].rungs[1].is_copied()),
        (show.video.size, 1_600_000, false)
    );
    let rung = show.ladders[1].copied().unwrap();
    assert_eq!((rung.bitrate, show.ladders[1].preset_of(rung)), (3_000_000, Preset::Fast));
    assert_eq!(parse_show(&show.to_source()).unwrap(), show);
    let json = serde_json::to_string(&show).unwrap();
    assert_eq!(serde_json::from_str::<Show>(&json).unwrap(), show);
    // It has the canvas' size, or none that can be said.
    let mut other = show.clone();
    other.ladders[0].rungs[0].size = media::Size::new(640, 360);
    assert_eq!(codes(&other), ["not-expressible"]);
}
