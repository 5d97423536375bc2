//! FLV from a file or stdin, in pieces: damage is told, counted and skipped.

use std::fmt::Display;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use flv::{Damage, Ending, FileHeader, Item, ReadError, Tag, TagReader};

use crate::exit::{Means, Result, failed, wrong};
use crate::file_progress::FileProgress;
use crate::term;

/// How much is read at once.
const PIECE: usize = 1 << 18;
/// So many places of damage are told one by one.
const TOLD: u64 = 10;
/// What does not begin as FLV is searched this far for a tag: no tag is longer.
const SEARCHED: u64 = 1 << 25;

/// In a live stream a tag whose length holds whole tags back is given up after so long.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);

/// What comes out of the stream.
#[derive(Debug)]
pub enum Piece {
    /// The file header; at most once, and first.
    Header(FileHeader),
    /// A tag.
    Tag(Tag),
}

/// An FLV stream being read. Memory is bounded by one tag and two reads. A damaged length
/// holds what comes through a pipe back for two seconds, or until 16 MiB have come.
///
/// ```text
/// while input.more()? {
///     while let Some(piece) = input.next()? { … }
///     // Nothing is left to do with what was read: hand it on before waiting for more.
/// }
/// ```
pub struct FlvIn {
    name: String,
    input: File,
    meta: Metadata,
    read: u64,
    /// The first bytes, to tell what it is if it is no FLV.
    head: Vec<u8>,
    reader: TagReader,
    state: State,
    /// It does not begin as FLV, and no tag was found so far.
    foreign: Option<ReadError>,
    /// The last two reads. The older one is read into again if nobody holds a tag of it.
    reads: [Bytes; 2],
    progress: FileProgress,
    /// Where the tag was that was given out last.
    place: Place,
    /// What is waited for, and since when; `None` where more comes without waiting.
    held: Option<Held>,
    /// Places where the stream was damaged or cut off.
    pub damages: u64,
    /// Bytes that were skipped there.
    pub skipped: u64,
}

/// A tag's place in the stream.
struct Place {
    /// Its ordinal, from 0.
    tag: u64,
    /// Where it begins, in bytes from the start.
    offset: u64,
    /// How many bytes it is on the wire.
    len: u64,
}

/// A tag of which not all has come.
struct Held {
    offset: u64,
    since: Instant,
}

enum State {
    /// Bytes may come.
    Open,
    /// No more bytes come; what is left may hold tags behind a damaged one.
    Draining,
    /// A last tag that only lacks its trailer.
    Last(Tag),
    Ended,
}

impl FlvIn {
    /// Opens a file, or stdin for `-`; `doing` names what is done with it in the progress line.
    pub fn open(path: &Path, doing: &'static str) -> Result<Self> {
        let (name, opened) = if path == Path::new("-") {
            // Not through the standard library's buffer, which would copy everything.
            ("stdin".to_owned(), io::stdin().as_fd().try_clone_to_owned().map(File::from))
        } else {
            (path.display().to_string(), File::open(path))
        };
        let mut input = opened.wrong(format!("opening {name}"))?;
        let meta = input.metadata().wrong(format!("opening {name}"))?;
        if meta.is_dir() {
            return wrong(format_args!("{name} is a folder, not a file"));
        }
        let length =
            meta.is_file().then(|| meta.len() - input.stream_position().unwrap_or(0).min(meta.len()));
        let held = (!meta.is_file()).then(|| Held { offset: 0, since: Instant::now() });
        Ok(Self {
            name,
            input,
            meta,
            read: 0,
            place: Place { tag: 0, offset: 0, len: 0 },
            held,
            head: Vec::new(),
            reader: TagReader::new(),
            state: State::Open,
            foreign: None,
            reads: [Bytes::new(), Bytes::new()],
            progress: FileProgress::new(doing, length),
            damages: 0,
            skipped: 0,
        })
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the system says of the file, or of what stdin was redirected from.
    pub fn metadata(&self) -> &Metadata {
        &self.meta
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Waits for more bytes; false when everything has been given out.
    pub fn more(&mut self) -> Result<bool> {
        if matches!(self.state, State::Ended) {
            return Ok(false);
        }
        let older = std::mem::take(&mut self.reads[0]);
        let mut piece = match older.try_into_mut() {
            Ok(piece) if piece.len() == PIECE => piece,
            _ => BytesMut::zeroed(PIECE),
        };
        let got = self.read_some(&mut piece)?;
        let piece = piece.freeze();
        self.reader.push(piece.slice(..got));
        if self.head.len() < HEAD {
            self.head.extend_from_slice(&piece[..got.min(HEAD - self.head.len())]);
        }
        self.reads[0] = std::mem::replace(&mut self.reads[1], piece);
        self.progress.at(self.read);
        if self.foreign.is_some() && self.read > SEARCHED {
            return self.no_flv();
        }
        if got == 0 {
            self.state = State::Draining;
        }
        if self.read == 0 {
            self.damaged(&"it is empty");
            self.state = State::Ended;
        }
        Ok(self.read > 0)
    }

    /// The next piece of what was read, or `None` if that takes [`more`](Self::more).
    pub fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Last(tag) => return Ok(Some(Piece::Tag(tag))),
                State::Ended => return Ok(None),
                state => self.state = state,
            }
            match self.reader.next() {
                Ok(Some(Item::Header(header))) => return Ok(Some(Piece::Header(header))),
                Ok(Some(Item::Tag(tag))) => {
                    let len = tag.wire_len() as u64;
                    let offset = self.reader.offset() - len;
                    self.place = Place { tag: self.reader.tags() - 1, offset, len };
                    return Ok(Some(Piece::Tag(tag)));
                }
                Ok(Some(Item::Resumed(gap))) => {
                    self.skipped += gap.skipped;
                    if let Some(err) = self.foreign.take() {
                        self.damaged(&err);
                    }
                }
                Ok(None) if matches!(self.state, State::Draining) => self.drain()?,
                Ok(None) if self.is_held_back() => {
                    let (tag, from) = (self.reader.tags(), self.reader.offset());
                    self.reader.recover();
                    self.damaged(&format_args!(
                        "FLV damaged at byte {from}: the length of tag {tag} takes in whole tags behind it"
                    ));
                }
                Ok(None) => return Ok(None),
                Err(err) => {
                    self.reader.recover();
                    match err.damage {
                        Damage::Signature { .. } if container(&self.head).is_some() => return self.no_flv(),
                        Damage::Signature { .. } => self.foreign = Some(err),
                        _ => self.damaged(&err),
                    }
                }
            }
        }
    }

    /// Whether a length that must be wrong has held back what came for long enough.
    fn is_held_back(&mut self) -> bool {
        let Some(held) = &mut self.held else { return false };
        let offset = self.reader.offset();
        if held.offset == offset && held.since.elapsed() < GIVEN_UP_AFTER {
            return false;
        }
        let same = held.offset == offset;
        *held = Held { offset, since: Instant::now() };
        same && self.reader.hides_tags()
    }

    fn read_some(&mut self, piece: &mut [u8]) -> Result<usize> {
        loop {
            match self.input.read(piece) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => {
                    return Err(err).failed(format!("reading {} after byte {}", self.name, self.read));
                }
                Ok(got) => {
                    self.read += got as u64;
                    return Ok(got);
                }
            }
        }
    }

    /// No more bytes come, and the reader wants some. A length that was damaged may have made a
    /// tag look longer than the stream, so what is left is searched for tags too.
    fn drain(&mut self) -> Result<()> {
        match self.reader.finish() {
            Ending::Whole => self.state = State::Ended,
            Ending::Cut(cut) => {
                self.damaged(&cut);
                match cut.whole {
                    Some(tag) => {
                        self.place = Place { tag: cut.tag, offset: cut.offset, len: cut.have };
                        self.state = State::Last(tag);
                    }
                    None if self.reader.buffered() > 0 => self.reader.recover(),
                    // Cut right behind a file header: nothing is left to be searched.
                    None => self.state = State::Ended,
                }
            }
            Ending::Lost(_) if self.reader.buffered() > 0 => self.reader.recover(),
            Ending::Lost(_) if self.foreign.is_some() => return self.no_flv(),
            Ending::Lost(gap) => {
                self.skipped += gap.skipped;
                self.state = State::Ended;
            }
        }
        Ok(())
    }

    /// The tag given out last is framed well, but its body is damaged, and is dropped.
    pub fn dropped(&mut self, why: &dyn Display) {
        let Place { tag, offset, len } = self.place;
        self.skipped += len;
        self.damaged(&format_args!("tag {tag} at byte {offset} is damaged, and dropped: {why}"));
    }

    fn damaged(&mut self, what: &dyn Display) {
        self.damages += 1;
        match self.damages {
            ..=TOLD => self.warn(format_args!("{}: {what}", self.name)),
            n if n == TOLD + 1 => {
                self.warn(format_args!("{}: further damage is only counted", self.name));
            }
            _ => {}
        }
    }

    fn warn(&self, message: std::fmt::Arguments<'_>) {
        self.progress.aside(|| term::say("warning", message));
    }

    fn no_flv<T>(&self) -> Result<T> {
        let hint = container(&self.head).map_or_else(String::new, |kind| {
            format!("; it looks like {kind}. `ffmpeg -i IN -c copy OUT.flv` may make FLV of it")
        });
        failed(format_args!("{} is no FLV stream{hint}", self.name))
    }
}

/// So many first bytes tell what a file is.
const HEAD: usize = 12;

/// Containers by their first bytes.
fn container(head: &[u8]) -> Option<&'static str> {
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("MP4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("Matroska or WebM"),
        [0x47, ..] => Some("MPEG-TS"),
        [b'R', b'I', b'F', b'F', ..] => Some("AVI or WAV"),
        [b'O', b'g', b'g', b'S', ..] => Some("Ogg"),
        [b'#', b'E', b'X', b'T', b'M', b'3', b'U', ..] => Some("an HLS playlist"),
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Some("a picture"),
        [0, 0, 1, ..] | [0, 0, 0, 1, ..] => Some("a raw H.264 or H.265 stream"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::container;

    #[test]
    fn containers_are_told_apart() {
        assert_eq!(container(b"\0\0\0\x20ftypisom"), Some("MP4"));
        assert_eq!(container(&[0x1a, 0x45, 0xdf, 0xa3]), Some("Matroska or WebM"));
        assert_eq!(container(b"hello"), None);
        assert_eq!(container(b""), None);
    }
}
