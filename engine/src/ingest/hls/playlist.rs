//! A playlist's lines (RFC 8216) → what is to be fetched, when, and how it is unsealed.
//!
//! What a playlist says and we do not know is passed over; what it says wrongly of a segment
//! ends the reading with its line.

use media::Span;

use super::attributes::Attributes;
use super::date;
use crate::ingest::wall::Wall;

/// Segments of one playlist that are kept: a day of them, at four seconds each.
const MOST_SEGMENTS: usize = 21_600;
/// Variants and renditions that are looked at.
const MOST_VARIANTS: usize = 256;
/// No segment is longer, and none is waited for as long.
const LONGEST: f64 = 600.0;

/// Why a text is no playlist that can be followed. Addresses are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlaylistError {
    #[error("what comes is no playlist: it does not begin with #EXTM3U")]
    None,
    #[error("line {line} of the playlist: {what}")]
    Line { line: usize, what: &'static str },
    #[error(
        "line {line} of the playlist: its segments are sealed with {method}; legal: NONE, AES-128, and SAMPLE-AES \
         of MPEG-TS and packed sound, each with KEYFORMAT=\"identity\" or none"
    )]
    Sealed { line: usize, method: String },
    #[error("the playlist is empty: neither variants nor segments")]
    Empty,
}

/// What a playlist lists.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Playlist {
    Master(Master),
    Media(Media),
}

/// Other playlists with the same programme.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Master {
    variants: Vec<Variant>,
    sounds: Vec<Sound>,
}

/// The programme at one quality.
#[derive(Debug, Clone, PartialEq)]
struct Variant {
    uri: String,
    bandwidth: u64,
    codecs: String,
    /// The group of its sound, if that is listed apart.
    audio: Option<String>,
}

/// Sound listed apart.
#[derive(Debug, Clone, PartialEq)]
struct Sound {
    group: String,
    /// Where it is; `None` if it is with the pictures.
    uri: Option<String>,
    default: Choice,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Choice {
    Default,
    Other,
}

/// Segments, one after another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Media {
    /// No segment is longer, by its own word.
    pub(super) target: Span,
    /// The number of its first segment.
    pub(super) first: u64,
    pub(super) segments: Vec<Segment>,
    pub(super) ending: Ending,
}

/// Whether more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Open,
    Ended,
}

/// A piece of the programme.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub(super) uri: String,
    pub(super) duration: Span,
    pub(super) part: Option<Part>,
    /// What stands before the first segment of its kind.
    pub(super) init: Option<Init>,
    pub(super) key: Option<Key>,
    /// When its first picture was taken.
    pub(super) date: Option<Wall>,
    pub(super) joins: Joins,
    pub(super) there: There,
}

/// How a segment follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joins {
    Goes,
    /// With other times, codecs or tracks.
    Anew,
}

/// Whether there is anything to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Yes,
    Gap,
}

/// A part of what is at an address, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: u64,
    pub(super) len: u64,
}

/// The head of fragmented MP4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Init {
    pub(super) uri: String,
    pub(super) part: Option<Part>,
    pub(super) key: Option<Key>,
}

/// AES-128 in CBC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) sealed: Sealed,
    pub(super) uri: String,
    /// The segment's number, where none is said.
    pub(super) iv: Option<[u8; 16]>,
}

/// What of a segment is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealed {
    /// All of it: `AES-128`.
    Whole,
    /// Pictures and sound, and not what they are packed in: `SAMPLE-AES`.
    Samples,
}

impl Master {
    /// The best quality whose codecs are known, and its sound where that is elsewhere.
    pub(super) fn best(&self) -> Option<(&str, Option<&str>)> {
        let rank = |v: &&Variant| (v.can_be_played(), v.bandwidth);
        let variant = self.variants.iter().max_by_key(rank)?;
        let group = variant.audio.as_deref();
        let sounds = || self.sounds.iter().filter(|sound| Some(sound.group.as_str()) == group);
        let sound = sounds().find(|sound| sound.default == Choice::Default).or_else(|| sounds().next());
        Some((&variant.uri, sound.and_then(|sound| sound.uri.as_deref())))
    }
}

impl Variant {
    /// Whether it has pictures that we decode; a word that is not said is no obstacle.
    fn can_be_played(&self) -> bool {
        let known = ["avc1", "avc3", "hvc1", "hev1"];
        self.codecs.is_empty() || known.iter().any(|codec| self.codecs.contains(codec))
    }
}

impl Media {
    /// The segment of a number.
    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        self.segments.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Where one begins who comes now: at the front of what has ended, else three target durations
    /// before the end (RFC 8216, section 6.3.3).
    pub(super) fn begins(&self) -> u64 {
        let mut number = self.first + self.segments.len() as u64;
        if self.ending == Ending::Ended {
            return self.first;
        }
        let mut ahead = Span::ZERO;
        for segment in self.segments.iter().rev() {
            number -= 1;
            ahead += segment.duration;
            if ahead >= self.target.times(3) {
                break;
            }
        }
        number
    }
}

/// What stands before a segment's address, and what is in force until something else is said.
#[derive(Default)]
struct Pending {
    duration: Option<Span>,
    part: Option<(u64, Option<u64>)>,
    joins: Option<Joins>,
    there: Option<There>,
    init: Option<Init>,
    key: Option<Key>,
    /// Why a key that is had in another way is no use; one that is had by its address may be in force
    /// beside it.
    foreign: Option<PlaylistError>,
    /// What is said of when the next segment was taken,
    date: Option<Wall>,
    /// and what follows from what was said of those before it.
    follows: Option<Wall>,
    /// Where the last part ended, and of what.
    reached: Option<(String, u64)>,
}

impl Pending {
    fn segment(&mut self, uri: &str, target: Span) -> Option<Segment> {
        let duration = self.duration.take()?;
        let part = match self.part.take() {
            None => None,
            Some((len, from)) => {
                let follows = self.reached.take().filter(|(of, _)| of == uri).map_or(0, |(_, end)| end);
                let from = from.unwrap_or(follows);
                self.reached = Some((uri.to_owned(), from.saturating_add(len)));
                Some(Part { from, len })
            }
        };
        let joins = self.joins.take().unwrap_or(Joins::Goes);
        let date = self.date.take().or(self.follows.filter(|_| joins == Joins::Goes));
        self.follows = date.filter(|_| duration > Span::ZERO).map(|date| Wall(date.0 + duration));
        Some(Segment {
            uri: uri.to_owned(),
            duration: if duration > Span::ZERO { duration } else { target },
            part,
            init: self.init.clone(),
            key: self.key.clone(),
            date,
            joins,
            there: self.there.take().unwrap_or(There::Yes),
        })
    }
}

/// Reads a playlist.
pub(super) fn parse(text: &str) -> Result<Playlist, PlaylistError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.starts_with("#EXTM3U") {
        return Err(PlaylistError::None);
    }
    let mut master = Master::default();
    let mut media =
        Media { target: Span::from_secs(6), first: 0, segments: Vec::new(), ending: Ending::Open };
    let mut pending = Pending::default();
    let mut variant: Option<Attributes<'_>> = None;
    for (n, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), n + 1);
        let wrong = |what| PlaylistError::Line { line: number, what };
        let Some(tag) = line.strip_prefix('#') else {
            if line.is_empty() {
                continue;
            }
            if let Some(said) = variant.take() {
                if master.variants.len() < MOST_VARIANTS {
                    master.variants.push(Variant {
                        uri: line.to_owned(),
                        bandwidth: said.get("BANDWIDTH").and_then(|n| n.parse().ok()).unwrap_or(0),
                        codecs: said.get("CODECS").unwrap_or_default().to_owned(),
                        audio: said.get("AUDIO").map(str::to_owned),
                    });
                }
            } else if let Some(segment) = pending.segment(line, media.target) {
                if let Some(why) = pending.foreign.as_ref().filter(|_| segment.key.is_none()) {
                    return Err(why.clone());
                }
                // There the samples are sealed in another way, which MP4 has for it.
                let is_of_samples = segment.key.as_ref().is_some_and(|key| key.sealed == Sealed::Samples);
                if is_of_samples && segment.init.is_some() {
                    let method = "SAMPLE-AES in fragmented MP4".to_owned();
                    return Err(PlaylistError::Sealed { line: number, method });
                }
                if media.segments.len() == MOST_SEGMENTS {
                    return Err(wrong("more segments than 21600, which is a day of them"));
                }
                media.segments.push(segment);
            }
            continue;
        };
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        match name {
            "EXTINF" => {
                pending.duration =
                    Some(seconds(value).ok_or_else(|| wrong("#EXTINF without a length of 0 to 600 s"))?)
            }
            "EXT-X-TARGETDURATION" => {
                media.target = seconds(value)
                    .filter(|target| *target > Span::ZERO)
                    .ok_or_else(|| wrong("#EXT-X-TARGETDURATION is not above 0 and up to 600 s"))?;
            }
            "EXT-X-MEDIA-SEQUENCE" => {
                let first = value.trim().parse::<u64>().ok().filter(|n| *n < u64::MAX / 2);
                media.first = first.ok_or_else(|| wrong("#EXT-X-MEDIA-SEQUENCE without a number"))?;
            }
            "EXT-X-BYTERANGE" => {
                pending.part =
                    Some(range(value).ok_or_else(|| wrong("#EXT-X-BYTERANGE is not LENGTH or LENGTH@FROM"))?)
            }
            // A date that cannot be read is no reason to show nothing.
            "EXT-X-PROGRAM-DATE-TIME" => pending.date = date::read(value),
            "EXT-X-DISCONTINUITY" => pending.joins = Some(Joins::Anew),
            "EXT-X-GAP" => pending.there = Some(There::Gap),
            "EXT-X-ENDLIST" => media.ending = Ending::Ended,
            "EXT-X-KEY" => match key(&Attributes::of(value), number)? {
                Lock::None => (pending.key, pending.foreign) = (None, None),
                Lock::Ours(key) => pending.key = Some(key),
                Lock::Foreign(why) => pending.foreign = Some(why),
            },
            "EXT-X-MAP" => {
                let said = Attributes::of(value);
                let uri = said.get("URI").ok_or_else(|| wrong("#EXT-X-MAP without a URI"))?.to_owned();
                let part = match said.get("BYTERANGE").map(range) {
                    None => None,
                    Some(None) => return Err(wrong("#EXT-X-MAP with a BYTERANGE that is not LENGTH@FROM")),
                    Some(Some((len, from))) => Some(Part { from: from.unwrap_or(0), len }),
                };
                pending.init = Some(Init { uri, part, key: pending.key.clone() });
            }
            "EXT-X-STREAM-INF" => variant = Some(Attributes::of(value)),
            "EXT-X-MEDIA" => {
                let said = Attributes::of(value);
                if said.get("TYPE") == Some("AUDIO") && master.sounds.len() < MOST_VARIANTS {
                    master.sounds.push(Sound {
                        group: said.get("GROUP-ID").unwrap_or_default().to_owned(),
                        uri: said.get("URI").map(str::to_owned),
                        default: if said.get("DEFAULT") == Some("YES") {
                            Choice::Default
                        } else {
                            Choice::Other
                        },
                    });
                }
            }
            _ => {}
        }
    }
    match (master.variants.is_empty(), media.segments.is_empty() && media.ending == Ending::Ended) {
        (false, _) => Ok(Playlist::Master(master)),
        (true, true) => Err(PlaylistError::Empty),
        // One that has no segment yet may get some.
        (true, false) => Ok(Playlist::Media(media)),
    }
}

fn seconds(text: &str) -> Option<Span> {
    let seconds: f64 = text.split(',').next()?.trim().parse().ok()?;
    (0.0..=LONGEST).contains(&seconds).then(|| Span::from_nanos((seconds * 1e9) as i64))
}

/// `LENGTH` or `LENGTH@FROM`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    match text.trim().split_once('@') {
        None => Some((text.trim().parse().ok()?, None)),
        Some((len, from)) => Some((len.parse().ok()?, Some(from.parse().ok()?))),
    }
}

/// What a key tag says.
enum Lock {
    None,
    Ours(Key),
    /// One that a DRM system has.
    Foreign(PlaylistError),
}

fn key(said: &Attributes<'_>, line: usize) -> Result<Lock, PlaylistError> {
    let wrong = |what| PlaylistError::Line { line, what };
    let method = said.get("METHOD").unwrap_or_default();
    let identity = said.get("KEYFORMAT").is_none_or(|format| format == "identity");
    let sealed = match method {
        "AES-128" => Sealed::Whole,
        _ => Sealed::Samples,
    };
    match method {
        "NONE" => Ok(Lock::None),
        "AES-128" | "SAMPLE-AES" if identity => {
            let uri = said.get("URI").ok_or_else(|| wrong("#EXT-X-KEY without a URI"))?.to_owned();
            let iv =
                match said.get("IV") {
                    None => None,
                    Some(iv) => Some(number(iv).ok_or_else(|| {
                        wrong("#EXT-X-KEY with an IV that is not 0x and up to 32 hex digits")
                    })?),
                };
            Ok(Lock::Ours(Key { sealed, uri, iv }))
        }
        _ => {
            let method: String = method.chars().filter(char::is_ascii_graphic).take(32).collect();
            let why = PlaylistError::Sealed { line, method };
            if identity { Err(why) } else { Ok(Lock::Foreign(why)) }
        }
    }
}

fn number(hex: &str) -> Option<[u8; 16]> {
    let digits = hex.strip_prefix("0x").or_else(|| hex.strip_prefix("0X"))?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests;
