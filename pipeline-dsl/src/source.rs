//! The model back into show text, in canonical form.

mod watermark;

use std::fmt::Write;

use crate::check::values::NO_RUNGS;
use crate::lexer::ends_bare;
use crate::literal::{
    write_bits, write_color, write_corner, write_crop, write_extent, write_level, write_span,
};
use crate::model::*;

/// Text that grows by lines.
struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn open(&mut self, text: &str) {
        self.line(&format!("{text} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.line("}");
    }
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name, in quotes only if it would not read as one run.
fn name(name: &str) -> String {
    let plain = !name.is_empty()
        && !name.starts_with("//")
        && !name.contains(|c: char| ends_bare(c) || c.is_control());
    if plain { name.to_owned() } else { quoted(name) }
}

fn names(list: &[Name]) -> String {
    list.iter().map(|n| name(n)).collect::<Vec<_>>().join(" ")
}

pub(crate) fn text(text: &Text) -> String {
    match text {
        Text::Plain(plain) => quoted(plain),
        Text::Env(variable) => name(&format!("env:{variable}")),
    }
}

/// Whether a file's `loop=` is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looping {
    /// By the file's own word.
    Said,
    /// Never: a filler always loops.
    Known,
}

fn input(input: &Input, looping: Looping) -> String {
    match input {
        Input::Push { point, key } => {
            let key = match key {
                Some(KeyPlace::Env(variable)) => format!(" key={}", name(&format!("env:{variable}"))),
                Some(KeyPlace::File(Text::Plain(path))) => {
                    format!(" key={}", quoted(&format!("file:{path}")))
                }
                Some(KeyPlace::File(Text::Env(variable))) => {
                    format!(" key={}", quoted(&format!("file:env:{variable}")))
                }
                None => String::new(),
            };
            format!("push {}{key}", quoted(&point.to_string()))
        }
        Input::Pull { url, ca } => format!("pull {}{}", text(url), trust(ca.as_ref())),
        Input::File { path, repeat } => {
            let repeat = if *repeat == Repeat::Loop && looping == Looping::Said { " loop=true" } else { "" };
            format!("file {}{repeat}", text(path))
        }
        Input::Device { path, audio } => {
            let audio = audio.as_ref().map_or(String::new(), |audio| format!(" audio={}", text(audio)));
            format!("device {}{audio}", text(path))
        }
        Input::Source { name: source } => format!("source {}", name(source)),
        Input::Test { pattern, tone } => {
            let pattern = match pattern {
                Pattern::Bars => "bars".to_owned(),
                Pattern::Color(color) => format!("color:{}", write_color(*color)),
                Pattern::Motion => "motion".to_owned(),
                Pattern::Timecode => "timecode".to_owned(),
            };
            let tone = tone.map_or(String::new(), |hz| format!(" tone={hz}"));
            format!("test {}{tone}", quoted(&pattern))
        }
        Input::Image { path } => format!("image {}", text(path)),
    }
}

/// The keys of a line that somebody sends to, where they say more than nothing.
fn live(line: &Line) -> String {
    let has_keys = matches!(
        line.input,
        Input::Push { .. } | Input::Pull { .. } | Input::Device { .. } | Input::Source { .. }
    );
    if !has_keys || line.live == Live::default() {
        return String::new();
    }
    let Live { buffer, sync } = line.live;
    let sync = if sync == SyncBy::Clock { " sync=clock" } else { "" };
    format!(" buffer={}{sync}", write_span(buffer))
}

/// Whose certificates are trusted, where the show says so.
fn trust(ca: Option<&Text>) -> String {
    ca.map_or_else(String::new, |ca| format!(" ca={}", text(ca)))
}

/// What is done about interlaced pictures, where it is not the usual.
fn deinterlace(line: &Line) -> String {
    match (&line.input, line.deinterlace) {
        (Input::Test { .. } | Input::Image { .. }, _) | (_, Deinterlace::Bwdif) => String::new(),
        (_, told) => format!(" deinterlace={}", told.as_str()),
    }
}

fn switch(state: Switch) -> &'static str {
    match state {
        Switch::On => "on",
        Switch::Off => "off",
    }
}

impl Show {
    /// The show file of this show: [`parse_show`](crate::parse_show) reads it back as the
    /// same show, if [`Show::validate`] has nothing to say against it.
    pub fn to_source(&self) -> String {
        let mut w = Writer { out: String::new(), depth: 0 };
        w.open(&format!("show {}", quoted(&self.name)));
        w.line(&format!("video {} {}", self.video.size, self.video.rate));
        w.line(&format!("audio {} {}", self.audio.rate, self.audio.layout.as_str()));
        listen(&mut w, &self.listen);
        self.cameras.iter().for_each(|part| camera(&mut w, part));
        for filler in &self.fillers {
            w.open(&format!("filler {}", name(&filler.name)));
            w.line(&input(&filler.input, Looping::Known));
            w.close();
        }
        self.layouts.iter().for_each(|part| layout(&mut w, part));
        self.scenes.iter().for_each(|part| scene(&mut w, part));
        self.watermarks.iter().for_each(|part| watermark::write(&mut w, part));
        self.ladders.iter().for_each(|part| ladder(&mut w, part));
        for ring in &self.keys {
            w.open(&format!("key {}", name(&ring.name)));
            for key in &ring.keys {
                let place = match &key.place {
                    KeyPlace::Env(variable) => format!("env={}", name(variable)),
                    KeyPlace::File(path) => format!("file={}", text(path)),
                };
                w.line(&format!("id {} {place}", key.id));
            }
            w.close();
        }
        self.channels.iter().for_each(|part| channel(&mut w, part));
        self.rundowns.iter().for_each(|part| rundown(&mut w, part));
        w.close();
        w.out
    }
}

fn listen(w: &mut Writer, listen: &Listen) {
    let Listen { http, rtmp, rtmps } = listen;
    let Some(SecureListen { addr, cert, key }) = rtmps else {
        return w.line(&format!("listen {{ http \"{http}\"; rtmp \"{rtmp}\" }}"));
    };
    w.open("listen");
    w.line(&format!("http \"{http}\""));
    w.line(&format!("rtmp \"{rtmp}\""));
    w.line(&format!("rtmps \"{addr}\" cert={} key={}", text(cert), text(key)));
    w.close();
}

fn camera(w: &mut Writer, camera: &Camera) {
    w.open(&format!("camera {}", name(&camera.name)));
    for line in &camera.lines {
        let comes = input(&line.input, Looping::Said);
        let record = line.record.as_ref().map_or(String::new(), |path| format!(" record={}", text(path)));
        let (name, live, deinterlace) = (name(&line.name), live(line), deinterlace(line));
        w.line(&format!("line {name} {comes}{live}{deinterlace}{record}"));
    }
    w.line(&failover(&camera.failover));
    w.close();
}

/// What is not usual is said, and no more.
fn failover(failover: &Failover) -> String {
    let Failover { lost, recover, suspect, prefer, standby, align } = failover;
    let mut line = format!("failover lost={} recover={}", write_span(*lost), write_span(*recover));
    let mut key = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line.extend([" ", name, "=", &value]);
        }
    };
    key("prefer", (*prefer != Prefer::default()).then(|| prefer.as_str().to_owned()));
    key("standby", (*standby != Standby::default()).then(|| standby.as_str().to_owned()));
    key("align", (*align != Align::default()).then(|| align.as_str().to_owned()));
    key("suspect", (suspect.after != Suspect::default().after).then(|| write_span(suspect.after)));
    key("min-fps", suspect.min_fps.map(|rate| rate.to_string()));
    key("min-bitrate", suspect.min_bitrate.map(write_bits));
    key("max-errors", suspect.max_errors.map(|errors| errors.to_string()));
    let usual = Suspect::default();
    for symptom in Symptom::ALL {
        let after = suspect.check(symptom).told_after();
        let said = after != usual.check(symptom).told_after();
        let word = after.map_or_else(|| "off".to_owned(), write_span);
        key(symptom.as_str(), said.then_some(word));
    }
    let counts = Symptom::ALL.into_iter().filter(|symptom| suspect.check(*symptom).left_after().is_some());
    let counts: Vec<_> = counts.map(Symptom::as_str).collect();
    key("on", (!counts.is_empty()).then(|| counts.join(",")));
    line
}

fn spot(spot: Spot) -> String {
    format!(" at={} size={}", write_corner(spot.at), write_extent(spot.size))
}

fn fit_and_z(fit: Option<Fit>, z: Option<u8>) -> String {
    let fit = fit.map_or(String::new(), |fit| format!(" fit={}", fit.as_str()));
    let z = z.map_or(String::new(), |z| format!(" z={z}"));
    fit + &z
}

fn layout(w: &mut Writer, layout: &SceneLayout) {
    w.open(&format!("layout {}", name(&layout.name)));
    for Place { number, spot: at, fit, z } in &layout.places {
        w.line(&format!("box {number}{}{}", spot(*at), fit_and_z(*fit, *z)));
    }
    w.close();
}

fn scene(w: &mut Writer, scene: &Scene) {
    let (color, after) = (write_color(scene.color), write_span(scene.after));
    w.open(&format!("scene {} color={color} after={after}", name(&scene.name)));
    w.line(&format!("layout {}", name(&scene.layout)));
    for part in &scene.boxes {
        let mut line = format!("box {} camera={}", name(&part.name), name(&part.camera));
        line += &part.pin.map_or(String::new(), spot);
        line += &fit_and_z(part.fit, part.z);
        if part.crop != Crop::NONE {
            line += &format!(" crop={}", write_crop(part.crop));
        }
        line += &format!(" border={} color={}", part.border, write_color(part.color));
        line += &format!(" level={}", write_level(part.level));
        if let Some(filler) = &part.filler {
            line += &format!(" filler={}", name(filler));
        }
        w.line(&line);
    }
    w.close();
}

fn ladder(w: &mut Writer, ladder: &Ladder) {
    w.open(&format!("ladder {}", name(&ladder.name)));
    w.line(&format!("preset {}", ladder.preset.as_str()));
    w.line(&format!("latency {}", ladder.latency.as_str()));
    w.line(&format!("encoder {}", ladder.encoder.as_str()));
    w.line(&format!("keyframe {}", write_span(ladder.keyframe)));
    w.line(&format!("audio {}", write_bits(ladder.audio_bitrate)));
    for rung in &ladder.rungs {
        w.line(&self::rung(rung));
    }
    w.close();
}

fn rung(rung: &Rung) -> String {
    let (called, bits) = (name(&rung.name), write_bits(rung.bitrate));
    let mut line = match rung.pictures {
        RungPictures::Encoded => format!("rung {called} {} {bits}", rung.size),
        RungPictures::Copied => format!("rung {called} copy bitrate={bits}"),
    };
    let RungOwn { maxrate, buffer, preset, tune, bframes, encoder } = rung.own.clone();
    let keys = [
        ("maxrate", maxrate.map(write_bits)),
        ("buffer", buffer.map(write_bits)),
        ("preset", preset.map(|preset| preset.as_str().to_owned())),
        ("tune", tune.map(|tune| tune.as_str().to_owned())),
        ("bframes", bframes.map(|most| most.to_string())),
        ("encoder", encoder.map(|encoder| encoder.as_str().to_owned())),
    ];
    for (key, value) in keys {
        if let Some(value) = value {
            line += &format!(" {key}={value}");
        }
    }
    line
}

fn channel(w: &mut Writer, channel: &Channel) {
    w.open(&format!("channel {}", name(&channel.name)));
    w.line(format!("sources {}", names(&channel.sources)).trim_end());
    if let Some(filler) = &channel.filler {
        w.line(&format!("filler {} after={}", name(&filler.name), write_span(filler.after)));
    }
    if !channel.watermarks.is_empty() {
        w.line(&format!("watermark {}", names(&channel.watermarks)));
    }
    let shed = match channel.shed.as_deref() {
        None => String::new(),
        Some([]) => format!(" shed={NO_RUNGS}"),
        Some(rungs) => format!(" shed={}", name(&rungs.join(","))),
    };
    w.line(&format!("ladder {}{shed}", name(&channel.ladder)));
    if let Some(encrypt) = &channel.encrypt {
        let (key, mode, sound) = (name(&encrypt.key), encrypt.mode.as_str(), encrypt.sound.as_str());
        w.line(&format!("encrypt {key} mode={mode} sound={sound}"));
    }
    for egress in &channel.egresses {
        let mut line = format!("egress {} ", name(&egress.name));
        let _ = match &egress.target {
            Target::Push { url, ca } => write!(line, "push {}{}", text(url), trust(ca.as_ref())),
            Target::ServeHttpFlv => write!(line, "serve http-flv"),
            Target::ServeRtmp => write!(line, "serve rtmp"),
            Target::Record { path } => write!(line, "record {}", text(path)),
        };
        if egress.door == Door::Clear {
            line.push_str(" clear=true");
        }
        w.line(&line);
    }
    w.close();
}

/// An action, as it stands behind its cue's time.
pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::Cut { source } => format!("cut {}", name(source)),
        Action::Mix { source, over } => format!("mix {} over={}", name(source), write_span(*over)),
        Action::Wipe { source, over, from } => {
            format!("wipe {} over={} from={}", name(source), write_span(*over), from.as_str())
        }
        Action::Dip { source, over, color } => {
            format!("dip {} over={} color={}", name(source), write_span(*over), write_color(*color))
        }
        Action::Filler(state) => format!("filler {}", switch(*state)),
        Action::Encrypt(state) => format!("encrypt {}", switch(*state)),
        Action::EncryptRotate => "encrypt rotate".to_owned(),
        Action::Scene { scene, order } => {
            let scene = name(scene);
            match order {
                SceneOrder::Layout { layout, over } => {
                    let over = over.map_or(String::new(), |over| format!(" over={}", write_span(over)));
                    format!("scene {scene} layout {}{over}", name(layout))
                }
                SceneOrder::Level { name: part, level } => {
                    format!("scene {scene} box {} level={}", name(part), write_level(*level))
                }
                SceneOrder::Mute { name: part, mute } => {
                    format!("scene {scene} box {} mute={}", name(part), switch(*mute))
                }
            }
        }
        Action::Watermark(order) => watermark::order(order),
        Action::End => "end".to_owned(),
    }
}

fn rundown(w: &mut Writer, rundown: &Rundown) {
    let mut head = format!("rundown {}", name(&rundown.channel));
    if rundown.zone != Zone::UTC {
        head.push_str(&format!(" zone={}", rundown.zone));
    }
    if rundown.cues.is_empty() {
        return w.line(&format!("{head} {{}}"));
    }
    w.open(&head);
    for cue in &rundown.cues {
        w.line(&format!("{} {}", cue.when, action(&cue.action)));
    }
    w.close();
}
