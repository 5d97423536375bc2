//! `obvan ctl`: commands a running show over its HTTP API.

mod addressee;
mod api;
mod mark;
mod reload;
mod scene;
mod stages;
mod status;
mod verb;

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use self::api::Api;
use self::scene::SceneWhat;
use self::verb::{Verb, Whose};
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

/// Runs the command.
pub fn ctl(args: &Args) -> Result {
    let api = Api::new(&args.api)?;
    let (verb, to, more) = match &args.verb {
        Verb::Status { stages } => {
            return status(&api, args.json, if *stages { stages::text } else { status::text });
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
            let request = reload::request(file.as_deref(), *dry_run, id.clone().unwrap_or_else(new_id))?;
            let answer = api.ask("/api/command", Some(&request))?;
            if args.json {
                term::json(&answer.body)?;
                return Ok(answer.outcome());
            }
            let name = file.as_ref().map_or_else(|| "show".to_owned(), |file| file.display().to_string());
            reload::problems(&name, &answer.body).iter().for_each(|said| term::line(format_args!("{said}")));
            answer.accepted()?;
            term::data(&reload::done(*dry_run, &answer.body))?;
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
    command(&api, args.json, body.into(), |answer| done(&channel, verb, asked.as_deref(), answer))
}

/// Has the show do it, and says what it came to.
fn command(api: &Api, as_json: bool, body: Value, said: impl FnOnce(&Value) -> String) -> Result {
    let answer = api.ask("/api/command", Some(&body))?;
    if as_json {
        term::json(&answer.body)?;
        return Ok(answer.outcome());
    }
    answer.accepted()?;
    term::data(&said(&answer.body))?;
    Ok(Outcome::Done)
}

/// From when on something is so that no channel is asked about.
fn from(answer: &Value) -> String {
    format!("from frame {}, revision {}\n", answer["frame"], answer["revision"])
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
    command(api, as_json, body.into(), |answer| format!("{scene}: {} {}", what.done(), from(answer)))
}

/// A line is the camera's, whatever channels show it.
fn choose_line(api: &Api, as_json: bool, camera: &str, line: &str, id: Option<&str>) -> Result {
    let id = id.map_or_else(new_id, str::to_owned);
    let body = json!({ "id": id, "do": "line", "camera": camera, "line": line });
    command(api, as_json, body, |answer| format!("{camera}: line {line} chosen {}", from(answer)))
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
