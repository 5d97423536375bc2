//! `obvan ctl`: commands a running show over its HTTP API.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::ctl_api::Api;
use crate::ctl_mark::MarkWhat;
use crate::ctl_scene::SceneWhat;
use crate::ctl_stages;
use crate::ctl_status;
use crate::exit::{Outcome, Result, wrong};
use crate::term;

/// Command a running show: cut, preview and take, filler, sound, lines, rundown, encryption, status
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan ctl status                    what is on air and why, rungs, ways out, lines
  obvan ctl status --json             the same as JSON
  obvan ctl status --stages           what each line, channel and rung costs
  obvan ctl cut karry                 karry is on air from the next tick
  obvan ctl cut karry --expect main   only if main is on air now
  obvan ctl preview karry; obvan ctl take --with mix --over 1s
  obvan ctl line main backpack        main comes over its backpack; `auto` leaves it to the rules
  obvan ctl scene duo layout pip over=500ms; obvan ctl scene duo box guest level=-6dB
  obvan ctl plan hold                 the rundown waits; next, go, skip 3, move 5 --before 4, at 6 0:30
  obvan ctl watermark bug off; obvan ctl watermark name text 'Karry' --when keyframe
  obvan ctl filler on                 filler, whatever the cameras do; cuts then wait
  obvan ctl encrypt off --channel program
  obvan ctl reload --dry-run          what the show file, read again, would change; without --dry-run, do it
  obvan ctl --api http://10.0.0.7:8080 status    (with OBVAN_TOKEN set)

Exit codes: 0 done; 1 refused for now (another state, lock-out) or not reached;
2 wrong usage, such as an unknown source, or a command that is not available yet.")]
pub struct Args {
    /// Where the show's API is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", global = true)]
    api: String,
    /// Print the engine's answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// What is on air, since when and why
    Status {
        /// What each stage costs instead: CPU time, queue and latency over the last second
        #[arg(long)]
        stages: bool,
    },
    /// Put a source on air at the next tick
    Cut {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
    /// Dissolve to a source
    Mix {
        /// A camera or scene of the channel
        source: String,
        /// How long the dissolve takes, e.g. `500ms`
        #[arg(long, value_name = "DUR", value_parser = crate::duration::parse)]
        over: Option<media::Span>,
        #[command(flatten)]
        to: Addressee,
    },
    /// Uncover a source along an edge that moves over the picture
    Wipe {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Fade to a colour, and from there to a source
    Dip {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Put a source on preview, for `take`
    Preview {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
    /// Bring what is on preview, and put what was wanted before there
    Take {
        /// How
        #[arg(long, value_name = "HOW", default_value = "cut")]
        with: With,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Whose sound is heard
    Sound {
        #[command(subcommand)]
        whose: Whose,
    },
    /// How loud a source is, wherever it is heard
    Gain {
        /// A camera or scene of the channel
        source: String,
        /// Decibels, -60 to 12, e.g. `-6dB` or `-6`; 0 is as it comes
        #[arg(allow_hyphen_values = true, value_parser = decibels)]
        db: f64,
        #[command(flatten)]
        to: Addressee,
    },
    /// Silence a source, or let it be heard again
    Mute {
        /// A camera or scene of the channel
        source: String,
        state: State,
        #[command(flatten)]
        to: Addressee,
    },
    /// Change a scene: its layout, or the level of one of its boxes
    #[command(after_help = "\
Examples:
  obvan ctl scene duo layout pip                a cut, at the next tick
  obvan ctl scene duo layout grid over=500ms    the boxes take half a second to their new places
  obvan ctl scene duo box guest level=-6dB
  obvan ctl scene duo box guest mute=on")]
    Scene {
        /// A scene of the show
        scene: String,
        #[command(subcommand)]
        what: SceneWhat,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Choose a camera's line, or leave it to the rules again
    Line {
        camera: String,
        /// One of its lines, or `auto`
        line: String,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Lead the rundown: call the next cue, hold, go on, skip, move
    Plan {
        #[command(subcommand)]
        order: Plan,
    },
    /// Filler on, whatever the cameras do, or off again
    Filler {
        state: State,
        #[command(flatten)]
        to: Addressee,
    },
    /// Encryption on or off, or on to the next key, from the next key frame
    Encrypt {
        state: SealState,
        #[command(flatten)]
        to: Addressee,
    },
    /// On to the next key (the same as `encrypt rotate`)
    Rotate {
        #[command(flatten)]
        to: Addressee,
    },
    /// Read the show file again and apply what changed, without dropping a line, a sink or a frame
    Reload {
        /// The show file to go on with, `-` for stdin; the one the show was started with, if left out
        file: Option<std::path::PathBuf>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Change a watermark: on, off, other words, another place
    #[command(after_help = "\
Examples:
  obvan ctl watermark bug off                       from the next tick
  obvan ctl watermark bug on --when keyframe        with the next key frame
  obvan ctl watermark bug off --over 1s             it fades
  obvan ctl watermark name text 'Karry, live from Oslo'
  obvan ctl watermark bug at bottom-left; obvan ctl watermark bug at 50%,10 --over 2s
  obvan ctl watermark bug at own                    back to its own place, or its path")]
    Watermark {
        /// A watermark of the channel
        name: String,
        #[command(subcommand)]
        what: MarkWhat,
    },
    /// Open or close a way out (not available yet)
    Egress { rest: Vec<String> },
}

#[derive(clap::Args, Debug)]
struct How {
    /// How long it takes, e.g. `500ms`
    #[arg(long, value_name = "DUR", value_parser = crate::duration::parse)]
    over: Option<media::Span>,
    /// Where a wipe begins: left, right, top or bottom
    #[arg(long, value_name = "EDGE")]
    edge: Option<String>,
    /// The colour a dip leads through: a name or `#rrggbb`
    #[arg(long, value_name = "COLOR")]
    color: Option<String>,
}

impl How {
    fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let over = self.over.map(|span| ("over_ms", json!(span.as_millis_rounded())));
        let edge = self.edge.as_ref().map(|edge| ("edge", json!(edge)));
        let color = self.color.as_ref().map(|color| ("color", json!(color)));
        over.into_iter().chain(edge).chain(color)
    }
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum With {
    Cut,
    Mix,
    Wipe,
    Dip,
}

#[derive(Subcommand, Debug)]
enum Whose {
    /// That of what is seen
    Follow {
        #[command(flatten)]
        to: Addressee,
    },
    /// Always that of one source
    Hold {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
}

#[derive(Subcommand, Debug)]
enum Plan {
    /// Carry out the first cue that waits for it
    Next {
        #[command(flatten)]
        to: Addressee,
    },
    /// No cue comes of itself any more
    Hold {
        #[command(flatten)]
        to: Addressee,
    },
    /// They do again; what was due meanwhile comes at once
    Go {
        #[command(flatten)]
        to: Addressee,
    },
    /// Leave a cue out
    Skip {
        /// Its place in the show file, from 1
        cue: u32,
        #[command(flatten)]
        to: Addressee,
    },
    /// Call a cue that waits for `next` before another one, or last
    Move {
        /// Its place in the show file, from 1
        cue: u32,
        /// The cue it is called before
        #[arg(long, value_name = "CUE")]
        before: Option<u32>,
        #[command(flatten)]
        to: Addressee,
    },
    /// Give a cue another show time
    At {
        /// Its place in the show file, from 1
        cue: u32,
        /// The show time, e.g. `90s` or `1:30`
        #[arg(value_parser = crate::duration::parse)]
        time: media::Span,
        #[command(flatten)]
        to: Addressee,
    },
}

impl Plan {
    fn fields(&self) -> (&Addressee, Vec<(&'static str, Value)>) {
        let (state, to, cue) = match self {
            Self::Next { to } => ("next", to, None),
            Self::Hold { to } => ("hold", to, None),
            Self::Go { to } => ("go", to, None),
            Self::Skip { cue, to } => ("skip", to, Some(cue)),
            Self::Move { cue, to, .. } => ("move", to, Some(cue)),
            Self::At { cue, to, .. } => ("at", to, Some(cue)),
        };
        let mut fields = vec![("state", json!(state))];
        fields.extend(cue.map(|cue| ("cue", json!(cue))));
        match self {
            Self::Move { before: Some(before), .. } => fields.push(("before", json!(before))),
            Self::At { time, .. } => fields.push(("at_ms", json!(time.as_millis_rounded()))),
            _ => {}
        }
        (to, fields)
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct Addressee {
    /// The channel; may be left out where the show has one
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only if this is on air now
    #[arg(long, value_name = "SOURCE")]
    expect: Option<String>,
    /// The command's id; the same id again returns the first result
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum State {
    On,
    Off,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum SealState {
    On,
    Off,
    /// On to the next key of the ring
    Rotate,
}

/// `-6dB`, `-6 dB`, `-6`. Whether the engine takes so much, it says itself.
pub(crate) fn decibels(text: &str) -> std::result::Result<f64, String> {
    let text = text.trim();
    let number = match text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)) {
        Some((number, unit)) if unit.eq_ignore_ascii_case("db") => number.trim_end(),
        _ => text,
    };
    let db = number.parse::<f64>().ok().filter(|db| db.is_finite());
    db.ok_or_else(|| "a gain is -60dB to 12dB, for example `-6dB`; 0dB is as it comes".to_owned())
}

/// Runs the command.
pub fn ctl(args: &Args) -> Result {
    let api = Api::new(&args.api)?;
    let (verb, to, more) = match &args.verb {
        Verb::Status { stages } => {
            return status(&api, args.json, if *stages { ctl_stages::text } else { ctl_status::text });
        }
        Verb::Cut { source, to } => ("cut", to, vec![("source", json!(source))]),
        Verb::Mix { source, over, to } => {
            let over = over.map(|span| ("over_ms", json!(span.as_millis_rounded())));
            ("mix", to, [("source", json!(source))].into_iter().chain(over).collect())
        }
        Verb::Wipe { source, how, to } => {
            ("wipe", to, [("source", json!(source))].into_iter().chain(how.fields()).collect())
        }
        Verb::Dip { source, how, to } => {
            ("dip", to, [("source", json!(source))].into_iter().chain(how.fields()).collect())
        }
        Verb::Preview { source, to } => ("preview", to, vec![("source", json!(source))]),
        Verb::Take { with, how, to } => {
            ("take", to, [("with", json!(spelled(with)))].into_iter().chain(how.fields()).collect())
        }
        Verb::Sound { whose: Whose::Follow { to } } => ("sound", to, vec![("state", json!("follow"))]),
        Verb::Sound { whose: Whose::Hold { source, to } } => ("sound", to, vec![("source", json!(source))]),
        Verb::Gain { source, db, to } => {
            ("gain", to, vec![("source", json!(source)), ("gain_db", json!(db))])
        }
        Verb::Mute { source, state, to } => {
            ("mute", to, vec![("source", json!(source)), ("state", json!(spelled(state)))])
        }
        Verb::Scene { scene, what, id } => return set_scene(&api, args.json, scene, what, id.as_deref()),
        Verb::Line { camera, line, id } => return choose_line(&api, args.json, camera, line, id.as_deref()),
        Verb::Reload { file, dry_run, id } => {
            let request =
                crate::ctl_reload::request(file.as_deref(), *dry_run, id.clone().unwrap_or_else(new_id))?;
            let answer = api.ask("/api/command", Some(&request))?;
            if args.json {
                term::json(&answer.body)?;
                return Ok(answer.outcome());
            }
            let name = file.as_ref().map_or_else(|| "show".to_owned(), |file| file.display().to_string());
            crate::ctl_reload::problems(&name, &answer.body)
                .iter()
                .for_each(|said| term::line(format_args!("{said}")));
            answer.accepted()?;
            term::data(&crate::ctl_reload::done(*dry_run, &answer.body))?;
            return Ok(Outcome::Done);
        }
        Verb::Plan { order } => {
            let (to, fields) = order.fields();
            ("plan", to, fields)
        }
        Verb::Filler { state, to } => ("filler", to, vec![("state", json!(spelled(state)))]),
        Verb::Encrypt { state, to } => ("encrypt", to, vec![("state", json!(spelled(state)))]),
        Verb::Rotate { to } => ("encrypt", to, vec![("state", json!("rotate"))]),
        Verb::Watermark { name, what } => {
            let (to, fields) = what.fields();
            ("watermark", to, std::iter::once(("watermark", json!(name))).chain(fields).collect())
        }
        Verb::Egress { .. } => return not_yet("egress"),
    };
    let channel = match &to.channel {
        Some(channel) => channel.clone(),
        None => api.only_channel()?,
    };
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(to.id.clone().unwrap_or_else(new_id)));
    body.insert("channel".to_owned(), json!(channel));
    body.insert("do".to_owned(), json!(verb));
    body.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(expect) = &to.expect {
        body.insert("expect".to_owned(), json!(expect));
    }
    let asked = body.get("source").and_then(Value::as_str).map(str::to_owned);
    let answer = api.ask("/api/command", Some(&Value::Object(body)))?;
    if args.json {
        term::json(&answer.body)?;
        return Ok(answer.outcome());
    }
    answer.accepted()?;
    term::data(&done(&channel, verb, asked.as_deref(), &answer.body))?;
    Ok(Outcome::Done)
}

fn not_yet(what: &str) -> Result {
    wrong(format_args!(
        "ctl {what} is not available yet in this version; now: status, cut, mix, wipe, dip, preview, take, \
         filler, sound, gain, mute, scene, line, plan, encrypt, reload, watermark"
    ))
}

/// A scene is the show's, whatever channels show it.
fn set_scene(api: &Api, as_json: bool, scene: &str, what: &SceneWhat, id: Option<&str>) -> Result {
    let id = id.map_or_else(new_id, str::to_owned);
    let mut body = Map::new();
    let head = [("id", json!(id)), ("do", json!("scene")), ("scene", json!(scene))];
    body.extend(head.into_iter().chain(what.fields()).map(|(name, value)| (name.to_owned(), value)));
    let answer = api.ask("/api/command", Some(&Value::Object(body)))?;
    if as_json {
        term::json(&answer.body)?;
        return Ok(answer.outcome());
    }
    answer.accepted()?;
    let (frame, revision) = (&answer.body["frame"], &answer.body["revision"]);
    term::data(&format!("{scene}: {} from frame {frame}, revision {revision}\n", what.done()))?;
    Ok(Outcome::Done)
}

/// A line is the camera's, whatever channels show it.
fn choose_line(api: &Api, as_json: bool, camera: &str, line: &str, id: Option<&str>) -> Result {
    let id = id.map_or_else(new_id, str::to_owned);
    let body = json!({ "id": id, "do": "line", "camera": camera, "line": line });
    let answer = api.ask("/api/command", Some(&body))?;
    if as_json {
        term::json(&answer.body)?;
        return Ok(answer.outcome());
    }
    answer.accepted()?;
    let (frame, revision) = (&answer.body["frame"], &answer.body["revision"]);
    term::data(&format!("{camera}: line {line} chosen from frame {frame}, revision {revision}\n"))?;
    Ok(Outcome::Done)
}

fn spelled(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned())
}

/// Unlike any other command's of this machine.
fn new_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("ctl-{}-{}", std::process::id(), now.as_nanos())
}

/// What a command came to. Only one that brought what it asked for says since when that is on air.
fn done(channel: &str, verb: &str, asked: Option<&str>, body: &Value) -> String {
    if let Some(state) = body["encrypt"].as_str() {
        return encryption(channel, state, body);
    }
    let on_air = body["on_air"].as_str().unwrap_or("nothing");
    let t = body["t"].as_f64().map_or_else(String::new, |t| format!(" ({t:.3} s)"));
    let brought = match verb {
        "take" | "filler" => true,
        "cut" | "mix" | "wipe" | "dip" => asked == Some(on_air),
        _ => false,
    };
    let since = if brought { "on air since" } else { "on air, done from" };
    format!("{channel}: {on_air} {since} frame {}{t}, revision {}\n", body["frame"], body["revision"])
}

/// What `encrypt` came to: the state, the key, and from when.
fn encryption(channel: &str, state: &str, body: &Value) -> String {
    let key = body["key_id"].as_u64().map_or_else(|| "the first key".to_owned(), |id| format!("key {id}"));
    let from = body["t"].as_f64().map_or_else(String::new, |t| format!(" ({t:.3} s)"));
    let what = match state {
        "on" => format!("encrypted under {key}"),
        _ => format!("clear; {key} takes effect when encryption is on"),
    };
    format!("{channel}: from frame {}{from} on {what}, revision {}\n", body["frame"], body["revision"])
}

/// The status, as JSON or in words.
fn status(api: &Api, as_json: bool, words: fn(&Value) -> String) -> Result {
    let answer = api.ask("/api/status", None)?;
    answer.accepted()?;
    if as_json {
        term::json(&answer.body)?;
    } else {
        term::data(&words(&answer.body))?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::decibels;

    #[test]
    fn a_gain_is_written_as_it_is_shown() {
        for text in ["-6dB", "-6 dB", "-6", "-6.0db", " -6DB "] {
            assert_eq!(decibels(text), Ok(-6.0), "{text}");
        }
        for text in ["", "dB", "loud", "6 d", "nan", "inf", "-6dBm", "ß"] {
            assert!(decibels(text).is_err_and(|said| said.contains("-60dB to 12dB")), "{text}");
        }
    }
}
