//! Parts without an error into the model.

use crate::check::marks;
use crate::check::part::Part;
use crate::check::watermarks;
use crate::grammar::{
    AUDIO, AUDIO_BITRATE, ENCODER, FAILOVER, KEYFRAME, LATENCY, PRESET, SCENE_LAYOUT, VIDEO,
};
use crate::model::*;

/// The child of this word, or what stands for it where there is none.
fn or_default(part: &Part, spec: &'static crate::grammar::NodeSpec) -> Part {
    part.one(spec.word).cloned().unwrap_or_else(|| Part::absent(spec))
}

/// The value whose word this is.
pub(crate) fn by_word<T: Copy, const N: usize>(all: [T; N], words: [&str; N], word: &str) -> Option<T> {
    words.iter().position(|w| *w == word).and_then(|i| all.get(i).copied())
}

/// The show, if every value a show needs is there.
pub(crate) fn show(part: &Part) -> Option<Show> {
    let video = or_default(part, &VIDEO);
    let audio = or_default(part, &AUDIO);
    let listen = part.one("listen");
    let address = |word: &str| listen.and_then(|l| l.one(word)).and_then(|p| p.address("address"));
    let default = Listen::default();
    let canvas = Video { size: video.size("size")?, rate: video.rate("rate")? };
    Some(Show {
        name: part.name("name")?,
        video: canvas,
        audio: Audio {
            rate: audio.sample_rate("rate")?,
            layout: by_word(Layout::ALL, Layout::WORDS, audio.word("layout")?)?,
        },
        listen: Listen {
            http: address("http").unwrap_or(default.http),
            rtmp: address("rtmp").unwrap_or(default.rtmp),
            rtmps: match listen.and_then(|l| l.one("rtmps")) {
                Some(part) => Some(SecureListen {
                    addr: part.address("address")?,
                    cert: part.text("cert")?,
                    key: part.text("key")?,
                }),
                None => None,
            },
        },
        cameras: part.all("camera").map(camera).collect::<Option<_>>()?,
        fillers: part.all("filler").map(filler).collect::<Option<_>>()?,
        layouts: part.all("layout").map(layout).collect::<Option<_>>()?,
        scenes: part.all("scene").map(scene).collect::<Option<_>>()?,
        watermarks: part.all("watermark").map(watermarks::build).collect::<Option<_>>()?,
        ladders: part.all("ladder").map(|part| ladder(part, &canvas)).collect::<Option<_>>()?,
        keys: part.all("key").map(key).collect::<Option<_>>()?,
        channels: part.all("channel").map(channel).collect::<Option<_>>()?,
        rundowns: part.all("rundown").map(rundown).collect::<Option<_>>()?,
    })
}

fn camera(part: &Part) -> Option<Camera> {
    let failover = or_default(part, &FAILOVER);
    let counts = failover.words("on").unwrap_or_default();
    let looked_for = |symptom: Symptom| {
        Some(match failover.limit(symptom.as_str())? {
            None => Check::Off,
            Some(after) if counts.contains(&symptom.as_str()) => Check::Counts(after),
            Some(after) => Check::Tells(after),
        })
    };
    let line = |line: &Part| {
        let input = line_input(line)?;
        // What the camera says is for those of its lines that can be recorded.
        let every = part.text("record").filter(|_| input.unrecordable().is_none());
        // Only lines that somebody sends to while the show runs have the keys of `Live`.
        let live = match line.span("buffer") {
            Some(buffer) => {
                let sync = line.word("sync").or(part.word("sync"));
                let sync = sync.and_then(|word| by_word(SyncBy::ALL, SyncBy::WORDS, word));
                Live { buffer, sync: sync.unwrap_or_default() }
            }
            None => Live::default(),
        };
        let deinterlace = |word: &str| by_word(Deinterlace::ALL, Deinterlace::WORDS, word);
        Some(Line {
            name: line.name("name")?,
            input,
            live,
            // A pattern has no such key.
            deinterlace: line.word("deinterlace").and_then(deinterlace).unwrap_or_default(),
            record: line.text("record").or(every),
        })
    };
    Some(Camera {
        name: part.name("name")?,
        lines: part.all("line").map(line).collect::<Option<_>>()?,
        failover: Failover {
            lost: failover.span("lost")?,
            recover: failover.span("recover")?,
            suspect: Suspect {
                after: failover.span("suspect")?,
                min_fps: failover.rate("min-fps"),
                min_bitrate: failover.number("min-bitrate"),
                max_errors: failover.number("max-errors"),
                freeze: looked_for(Symptom::Freeze)?,
                black: looked_for(Symptom::Black)?,
                silence: looked_for(Symptom::Silence)?,
            },
            prefer: by_word(Prefer::ALL, Prefer::WORDS, failover.word("prefer")?)?,
            standby: by_word(Standby::ALL, Standby::WORDS, failover.word("standby")?)?,
            align: by_word(Align::ALL, Align::WORDS, failover.word("align")?)?,
        },
    })
}

fn input(part: &Part, word: &str) -> Option<Input> {
    Some(match word {
        "push" => Input::Push { point: part.point("point")?, key: part.secret("key") },
        "pull" => Input::Pull { url: part.text("url")?, ca: part.text("ca") },
        "file" => Input::File {
            path: part.text("path")?,
            // A filler has no `loop=`: it always does.
            repeat: if part.word("loop") == Some("false") { Repeat::Once } else { Repeat::Loop },
        },
        "device" => Input::Device { path: part.text("path")?, audio: part.text("audio") },
        "source" => Input::Source { name: part.name("source")? },
        "test" => Input::Test { pattern: part.pattern("pattern")?, tone: part.number("tone") },
        "image" => Input::Image { path: part.text("path")? },
        _ => return None,
    })
}

/// What a line takes, where that can be told.
pub(crate) fn line_input(line: &Part) -> Option<Input> {
    input(line, line.form?.word)
}

fn filler(part: &Part) -> Option<Filler> {
    let inner = part.parts.first()?;
    Some(Filler { name: part.name("name")?, input: input(inner, inner.spec.word)? })
}

fn spot(part: &Part) -> Option<Spot> {
    Some(Spot { at: part.lengths("at")?, size: part.lengths("size")? })
}

fn fit(part: &Part) -> Option<Fit> {
    part.word("fit").and_then(|word| by_word(Fit::ALL, Fit::WORDS, word))
}

fn small(part: &Part, slot: &str) -> Option<u8> {
    part.number(slot).and_then(|number| u8::try_from(number).ok())
}

fn layout(part: &Part) -> Option<SceneLayout> {
    let place = |part: &Part| {
        Some(Place { number: small(part, "number")?, spot: spot(part)?, fit: fit(part), z: small(part, "z") })
    };
    Some(SceneLayout { name: part.name("name")?, places: part.all("box").map(place).collect::<Option<_>>()? })
}

fn scene(part: &Part) -> Option<Scene> {
    let one = |part: &Part| {
        Some(SceneBox {
            name: part.name("name")?,
            camera: part.name("camera")?,
            pin: spot(part),
            fit: fit(part),
            z: small(part, "z"),
            crop: part.crop("crop").unwrap_or(Crop::NONE),
            border: part.number("border")?,
            color: part.color("color")?,
            level: part.level("level")?,
            filler: part.name("filler"),
        })
    };
    Some(Scene {
        name: part.name("name")?,
        layout: or_default(part, &SCENE_LAYOUT).name("layout")?,
        color: part.color("color")?,
        after: part.span("after")?,
        boxes: part.all("box").map(one).collect::<Option<_>>()?,
    })
}

/// What a `scene` cue asks of its scene.
fn scene_order(part: &Part) -> Option<SceneOrder> {
    let name = part.name("which")?;
    Some(match (part.word("part")?, part.level("level"), part.word("mute")) {
        ("layout", ..) => SceneOrder::Layout { layout: name, over: part.span("over") },
        (_, Some(level), _) => SceneOrder::Level { name, level },
        (_, None, Some("on")) => SceneOrder::Mute { name, mute: Switch::On },
        (_, None, Some(_)) => SceneOrder::Mute { name, mute: Switch::Off },
        (_, None, None) => return None,
    })
}

fn ladder(part: &Part, video: &Video) -> Option<Ladder> {
    let preset = |word| by_word(Preset::ALL, Preset::WORDS, word);
    let latency = |word| by_word(Latency::ALL, Latency::WORDS, word);
    let tune = |word| by_word(Tune::ALL, Tune::WORDS, word);
    let rung = |rung: &Part| {
        let own = RungOwn {
            maxrate: rung.number("maxrate"),
            buffer: rung.number("buffer"),
            preset: rung.word("preset").and_then(preset),
            tune: rung.word("tune").and_then(tune),
            bframes: small(rung, "bframes"),
            encoder: rung.word("encoder").and_then(Encoder::named),
        };
        let name = rung.name("name")?;
        if rung.form.is_some() {
            let Video { size, rate } = *video;
            let bitrate = rung.number("bitrate").unwrap_or_else(|| Rung::copied_bitrate(size, rate));
            return Some(Rung { name, size, bitrate, pictures: RungPictures::Copied, own });
        }
        let (size, bitrate) = (rung.size("size")?, rung.number("bitrate")?);
        Some(Rung { name, size, bitrate, pictures: RungPictures::Encoded, own })
    };
    Some(Ladder {
        name: part.name("name")?,
        latency: latency(or_default(part, &LATENCY).word("latency")?)?,
        encoder: Encoder::named(or_default(part, &ENCODER).word("encoder")?)?,
        preset: preset(or_default(part, &PRESET).word("preset")?)?,
        keyframe: or_default(part, &KEYFRAME).span("every")?,
        audio_bitrate: or_default(part, &AUDIO_BITRATE).number("bitrate")?,
        rungs: part.all("rung").map(rung).collect::<Option<_>>()?,
    })
}

fn key(part: &Part) -> Option<KeyRing> {
    let source = |key: &Part| {
        let place = match key.name("env") {
            Some(name) => KeyPlace::Env(name),
            None => KeyPlace::File(key.text("file")?),
        };
        Some(KeySource { id: u8::try_from(key.number("id")?).ok()?, place })
    };
    Some(KeyRing { name: part.name("name")?, keys: part.all("id").map(source).collect::<Option<_>>()? })
}

fn names(part: &Part, word: &str, slot: &str) -> Vec<Name> {
    part.all(word).flat_map(|p| p.names(slot)).map(|(name, _)| name.to_owned()).collect()
}

fn channel(part: &Part) -> Option<Channel> {
    let filler =
        |filler: &Part| Some(ChannelFiller { name: filler.name("filler")?, after: filler.span("after")? });
    let encrypt = |encrypt: &Part| {
        let mode = by_word(EncryptMode::ALL, EncryptMode::WORDS, encrypt.word("mode")?)?;
        let sound = by_word(EncryptSound::ALL, EncryptSound::WORDS, encrypt.word("sound")?)?;
        Some(Encrypt { key: encrypt.name("key")?, mode, sound })
    };
    let ladder = part.one("ladder")?;
    Some(Channel {
        name: part.name("name")?,
        sources: names(part, "sources", "source"),
        filler: part.one("filler").and_then(filler),
        watermarks: names(part, "watermark", "watermark"),
        ladder: ladder.name("ladder")?,
        shed: ladder.list("shed"),
        encrypt: part.one("encrypt").and_then(encrypt),
        egresses: part.all("egress").map(egress).collect::<Option<_>>()?,
    })
}

fn egress(part: &Part) -> Option<Egress> {
    let target = match part.form?.word {
        "push" => Target::Push { url: part.text("url")?, ca: part.text("ca") },
        "record" => Target::Record { path: part.text("path")? },
        _ => match part.word("protocol")? {
            "rtmp" => Target::ServeRtmp,
            _ => Target::ServeHttpFlv,
        },
    };
    let door = if part.word("clear")? == "true" { Door::Clear } else { Door::AsChannel };
    Some(Egress { name: part.name("name")?, target, door })
}

fn rundown(part: &Part) -> Option<Rundown> {
    let cues = part.parts.iter().map(cue).collect::<Option<_>>()?;
    Some(Rundown { channel: part.name("channel")?, zone: part.zone("zone")?, cues })
}

fn cue(part: &Part) -> Option<Cue> {
    let action = action(part)?;
    let when = match part.spec.word {
        "at" => When::At(part.time("time")?),
        "clock" => When::Clock(part.time_of_day("time")?),
        _ => When::Next,
    };
    Some(Cue { when, action })
}

/// What a cue's form asks for.
pub(crate) fn action(part: &Part) -> Option<Action> {
    let switch = || match part.word("state")? {
        "on" => Some(Switch::On),
        "off" => Some(Switch::Off),
        _ => None,
    };
    Some(match part.form?.word {
        "cut" => Action::Cut { source: part.name("source")? },
        "mix" => Action::Mix { source: part.name("source")?, over: part.span("over")? },
        "wipe" => Action::Wipe {
            source: part.name("source")?,
            over: part.span("over")?,
            from: by_word(Edge::ALL, Edge::WORDS, part.word("from")?)?,
        },
        "dip" => Action::Dip {
            source: part.name("source")?,
            over: part.span("over")?,
            color: part.color("color")?,
        },
        "filler" => Action::Filler(switch()?),
        "watermark" => Action::Watermark(marks::order(part)?),
        "scene" => Action::Scene { scene: part.name("scene")?, order: scene_order(part)? },
        "encrypt" => switch().map_or(Action::EncryptRotate, Action::Encrypt),
        _ => Action::End,
    })
}
