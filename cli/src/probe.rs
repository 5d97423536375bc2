//! `obvan probe`: what is in an FLV stream.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use crypto::{Inspector, Marking, Salt};
use engine::MarkReader;
use flv::summary::{KindCount, Summary};
use flv::{Tag, TagKind};
use serde::Serialize;

use crate::exit::{Outcome, Result};
use crate::flv_in::{FlvIn, Piece};
use crate::table::amount;
use crate::term;

/// Say what is in an FLV stream: tags, codecs, sizes, key frames, encryption
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan probe out/program-360p.flv
  obvan probe out/program-360p.flv --format json | jq .video.key_frames
  obvan probe --mark copy.flv         which feed was it made from? (ffmpeg -i copy.mp4 -c copy copy.flv)
  curl -sN --max-time 5 http://127.0.0.1:8080/live/program/360p.flv | obvan probe -

Exit codes: 0 ok; 1 no FLV, or a damaged one (what could be read is said); 2 wrong usage.
With --mark, 1 also if there is no mark.")]
pub struct Args {
    /// The FLV file, `-` for stdin
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Also look for a forensic watermark, whose number the show file gives
    #[arg(long)]
    mark: bool,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
}

/// What was found; the shape of `--format json`.
#[derive(Serialize, Debug)]
struct Probe {
    file: String,
    bytes: u64,
    tags: u64,
    duration_ms: Option<i64>,
    video: Video,
    audio: Audio,
    script: Script,
    encryption: Encryption,
    /// Steps of more than a second, and steps back.
    gaps: Vec<Gap>,
    damage: Damage,
    /// Where one was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
}

/// What was found of a forensic watermark.
#[derive(Serialize, Debug)]
struct Mark {
    /// The number that the show file gives; null if there is no mark.
    id: Option<u16>,
    /// The rung's place in its ladder, from 1.
    rung: Option<u8>,
    /// How probable it is that both are right, 0 to 1.
    confidence: f64,
    /// How many pictures were looked at.
    pictures: u64,
}

#[derive(Serialize, Debug)]
struct Track {
    tags: u64,
    frames: u64,
    bytes: u64,
    kbps: Option<f64>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    max_step_ms: i64,
    sequence_headers: u64,
}

#[derive(Serialize, Debug)]
struct Video {
    codecs: Vec<String>,
    sizes: Vec<String>,
    #[serde(flatten)]
    track: Track,
    disposable: u64,
    key_frames: u64,
    key_frame_pts_ms: Vec<i64>,
    max_key_distance_ms: i64,
}

#[derive(Serialize, Debug)]
struct Audio {
    codecs: Vec<String>,
    sample_rate: Option<u32>,
    channels: Option<u8>,
    #[serde(flatten)]
    track: Track,
}

#[derive(Serialize, Debug)]
struct Script {
    tags: u64,
    /// What `onMetaData` says, as far as it is used.
    width: Option<u32>,
    height: Option<u32>,
    framerate: Option<f64>,
    duration_s: Option<f64>,
    encoder: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// No coded frame is encrypted.
    None,
    /// Every coded frame is.
    All,
    /// Some are.
    Mixed,
}

#[derive(Serialize, Debug)]
struct Encryption {
    state: State,
    /// The modes of encrypted pictures.
    modes: Vec<String>,
    key_ids: Vec<u8>,
    /// How many salts were seen: one a start of an encryptor and track.
    salts: usize,
    video: Markings,
    audio: Markings,
}

/// How many coded frames are marked how.
#[derive(Default, Serialize, Debug)]
struct Markings {
    encrypted: u64,
    clear: u64,
    literal: u64,
    unreadable: u64,
}

#[derive(Serialize, Debug)]
struct Gap {
    track: String,
    tag: u64,
    from_ms: i64,
    to_ms: i64,
}

#[derive(Serialize, Debug)]
struct Damage {
    places: u64,
    skipped_bytes: u64,
    bad_bodies: u64,
    /// The first of them.
    examples: Vec<String>,
}

/// Salts seen are kept up to here; whoever has more is counted no further.
const MOST_SALTS: usize = 4096;
const EXAMPLES: usize = 10;

/// Runs the command.
pub fn probe(args: &Args) -> Result {
    let mut input = FlvIn::open(&args.input, "probing")?;
    let mut summary = Summary::new();
    let mut seals = Seals::default();
    let mut marks = args.mark.then(MarkReader::new);
    while input.more()? {
        while let Some(piece) = input.next()? {
            if let Piece::Tag(tag) = piece {
                seals.push(&tag);
                summary.push(&tag);
                if let Some(marks) = &mut marks {
                    marks.push(&tag);
                }
            }
        }
    }
    let mut probe = Probe::new(&input, &summary, seals);
    probe.mark = marks.map(|mut marks| Mark::new(&mut marks));
    // The progress line goes before the data comes.
    drop(input);
    match args.format {
        Format::Json => term::json(&probe)?,
        Format::Text => term::data(&probe.text())?,
    }
    let whole = probe.damage.places == 0 && probe.damage.bad_bodies == 0;
    let whole = whole && probe.mark.as_ref().is_none_or(|mark| mark.id.is_some());
    Ok(if whole { Outcome::Done } else { Outcome::Failed })
}

/// The encryption of a stream's tags.
#[derive(Default)]
struct Seals {
    inspector: Inspector,
    modes: BTreeSet<String>,
    keys: BTreeSet<u8>,
    salts: BTreeSet<Salt>,
    video: Markings,
    audio: Markings,
}

impl Seals {
    fn push(&mut self, tag: &Tag) {
        let marking = self.inspector.inspect(tag);
        let count = if tag.kind == TagKind::Audio { &mut self.audio } else { &mut self.video };
        match marking {
            Marking::Exempt => {}
            Marking::Clear => count.clear += 1,
            Marking::Literal => count.literal += 1,
            Marking::Unsupported { .. } | Marking::Mangled => count.unreadable += 1,
            Marking::Encrypted { mode, key, salt, .. } => {
                count.encrypted += 1;
                self.keys.insert(key.0);
                if tag.kind == TagKind::Video {
                    self.modes.insert(mode.to_string());
                }
                if self.salts.len() < MOST_SALTS {
                    self.salts.insert(salt);
                }
            }
        }
    }
}

impl Encryption {
    fn new(seals: Seals) -> Self {
        let Seals { modes, keys, salts, video, audio, .. } = seals;
        let sum = |of: fn(&Markings) -> u64| of(&video) + of(&audio);
        let state = match (sum(|m| m.encrypted + m.unreadable), sum(|m| m.clear + m.literal)) {
            (0, _) => State::None,
            (_, 0) => State::All,
            _ => State::Mixed,
        };
        let (modes, key_ids) = (modes.into_iter().collect(), keys.into_iter().collect());
        Self { state, modes, key_ids, salts: salts.len(), video, audio }
    }
}

impl Track {
    fn new(count: &KindCount, frames: u64, sequence_headers: u64) -> Self {
        let KindCount { tags, body_bytes, first_ms, last_ms, max_step_ms } = *count;
        let span = first_ms.zip(last_ms).map(|(first, last)| last - first).filter(|span| *span > 0);
        let kbps = span.map(|span| (body_bytes as f64 * 8.0 / span as f64 * 10.0).round() / 10.0);
        Self { tags, frames, bytes: body_bytes, kbps, first_ms, last_ms, max_step_ms, sequence_headers }
    }
}

impl Probe {
    fn new(input: &FlvIn, summary: &Summary, seals: Seals) -> Self {
        let Summary { video, audio, script, metadata, .. } = summary;
        let bad = summary.bad.items().iter().take(EXAMPLES);
        let meta = metadata.as_ref();
        Self {
            file: input.name().to_owned(),
            bytes: input.read(),
            tags: summary.tags(),
            duration_ms: summary.duration_ms(),
            video: Video {
                codecs: video.codecs.iter().map(ToString::to_string).collect(),
                sizes: video.sizes.items().iter().map(ToString::to_string).collect(),
                track: Track::new(&video.count, video.frames, video.sequence_headers),
                disposable: video.disposable,
                key_frames: video.key_frames.count(),
                key_frame_pts_ms: video.key_frames.items().iter().map(|key| key.pts_ms).collect(),
                max_key_distance_ms: video.max_key_distance_ms,
            },
            audio: Audio {
                codecs: audio.codecs.iter().map(ToString::to_string).collect(),
                sample_rate: audio.aac.map(|aac| aac.rate()),
                channels: audio.aac.and_then(|aac| aac.channels()),
                track: Track::new(&audio.count, audio.frames, audio.sequence_headers),
            },
            script: Script {
                tags: script.tags,
                width: meta.and_then(|m| m.width),
                height: meta.and_then(|m| m.height),
                framerate: meta.and_then(|m| m.framerate),
                duration_s: meta.and_then(|m| m.duration),
                encoder: meta.and_then(|m| m.encoder.clone()),
            },
            encryption: Encryption::new(seals),
            gaps: (summary.gaps.items().iter())
                .map(|g| Gap { track: g.kind.to_string(), tag: g.tag, from_ms: g.from_ms, to_ms: g.to_ms })
                .collect(),
            damage: Damage {
                places: input.damages,
                skipped_bytes: input.skipped,
                bad_bodies: summary.bad.count(),
                examples: bad.map(|b| format!("{} tag {}: {}", b.kind, b.tag, b.error)).collect(),
            },
            mark: None,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let Self { file, bytes, tags, duration_ms, video, audio, script, encryption, gaps, damage, mark } =
            self;
        let length = duration_ms.map_or("no".to_owned(), seconds);
        let _ = writeln!(
            text,
            "{file}: FLV, {}, {}, {length} duration",
            count(*tags, "tag", "tags"),
            amount(*bytes)
        );
        if video.track.tags > 0 {
            let (codecs, sizes) = (words(&video.codecs), words(&video.sizes));
            let _ = writeln!(text, "video       {codecs} {sizes}, {}", track(&video.track));
            let keys = (video.key_frames, seconds(video.max_key_distance_ms), video.disposable);
            let _ = writeln!(
                text,
                "            {}, at most {} apart; {} disposable",
                count(keys.0, "key frame", "key frames"),
                keys.1,
                keys.2
            );
        } else {
            let _ = writeln!(text, "video       none");
        }
        if audio.track.tags > 0 {
            let rate = audio.sample_rate.map_or("?".to_owned(), |hz| hz.to_string());
            let channels = audio.channels.map_or("?".to_owned(), |n| n.to_string());
            let codecs = words(&audio.codecs);
            let _ = writeln!(text, "audio       {codecs} {rate} Hz, {channels} ch, {}", track(&audio.track));
        } else {
            let _ = writeln!(text, "audio       none");
        }
        let size = script.width.zip(script.height).map_or(String::new(), |(w, h)| format!(", says {w}x{h}"));
        let _ = writeln!(text, "script      {}{size}", count(script.tags, "tag", "tags"));
        let _ = writeln!(text, "encryption  {}", encryption.text());
        if !gaps.is_empty() {
            let mut by_track: BTreeMap<&str, u64> = BTreeMap::new();
            gaps.iter().for_each(|gap| *by_track.entry(&gap.track).or_default() += 1);
            let list: Vec<String> = by_track.iter().map(|(track, n)| format!("{n} {track}")).collect();
            let _ = writeln!(text, "gaps        {} (over 1 s, or back in time)", list.join(", "));
        }
        if damage.places + damage.bad_bodies > 0 {
            let Damage { places, skipped_bytes, bad_bodies, examples } = damage;
            let _ = writeln!(
                text,
                "damage      {}, {} skipped, {} unreadable",
                count(*places, "place", "places"),
                count(*skipped_bytes, "byte", "bytes"),
                count(*bad_bodies, "body", "bodies"),
            );
            examples.iter().for_each(|example| {
                let _ = writeln!(text, "            {example}");
            });
        }
        if let Some(mark) = mark {
            let _ = writeln!(text, "mark        {}", mark.text(encryption.state));
        }
        text
    }
}

impl Mark {
    fn new(marks: &mut MarkReader) -> Self {
        let found = marks.found();
        Self {
            id: found.map(|found| found.id),
            rung: found.map(|found| found.rung),
            confidence: found.map_or(0.0, |found| found.confidence),
            pictures: marks.pictures(),
        }
    }

    fn text(&self, encryption: State) -> String {
        let seen = count(self.pictures, "picture", "pictures");
        match (self.id, self.rung, encryption) {
            (Some(id), Some(rung), _) => {
                // Never rounded up to certainty.
                let sure = ((self.confidence * 10_000.0).floor() / 100.0).min(99.99);
                format!("{id}, rung {rung} of its ladder; {sure} % sure, from {seen}")
            }
            (_, _, State::None) => format!("none in {seen}"),
            _ => format!("none in {seen}: encrypted ones cannot be looked at, `obvan decrypt` first"),
        }
    }
}

impl Encryption {
    fn text(&self) -> String {
        let marks = |name: &str, m: &Markings| {
            let odd = if m.literal + m.unreadable > 0 {
                format!(", {} literal, {} unreadable", m.literal, m.unreadable)
            } else {
                String::new()
            };
            format!("{name} {} encrypted, {} clear{odd}", m.encrypted, m.clear)
        };
        let ids: Vec<String> = self.key_ids.iter().map(ToString::to_string).collect();
        match self.state {
            State::None => "none".to_owned(),
            state => format!(
                "{}: mode {}, key id {}, {}; {}; {}",
                if state == State::All { "all" } else { "mixed" },
                words(&self.modes),
                words(&ids),
                count(self.salts as u64, "salt", "salts"),
                marks("video", &self.video),
                marks("audio", &self.audio),
            ),
        }
    }
}

fn words(list: &[String]) -> String {
    if list.is_empty() { "-".to_owned() } else { list.join("+") }
}

fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn seconds(ms: i64) -> String {
    format!("{:.3} s", ms as f64 / 1000.0)
}

fn track(track: &Track) -> String {
    let rate = track.kbps.map_or(String::new(), |kbps| format!(", {kbps:.0} kbit/s"));
    format!("{} frames{rate}, longest step {}", track.frames, seconds(track.max_step_ms))
}
