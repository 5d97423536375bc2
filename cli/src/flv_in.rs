//! FLV from a file or stdin, in pieces: damage is told, counted and skipped.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flv::{Damage, Ending, FileHeader, Item, ReadError, Tag, TagReader};

use crate::exit::{Means, Result, failed, wrong};
use crate::term;

/// How much is read at once.
const PIECE: usize = 1 << 18;
/// So many places of damage are told one by one.
const TOLD: u64 = 10;

/// What comes out of the stream.
#[derive(Debug)]
pub enum Piece {
    /// The file header; once, and first.
    Header(FileHeader),
    /// A tag.
    Tag(Tag),
}

/// An FLV stream being read. Memory is bounded by one tag and one piece.
pub struct FlvIn {
    name: String,
    input: Box<dyn Read>,
    length: Option<u64>,
    read: u64,
    /// `None` when the end was reached.
    reader: Option<TagReader>,
    /// Places where the stream was damaged or cut off.
    pub damages: u64,
    /// Bytes that were skipped there.
    pub skipped: u64,
}

impl FlvIn {
    /// Opens a file, or stdin for `-`.
    pub fn open(path: &Path) -> Result<Self> {
        let (name, input, length): (_, Box<dyn Read>, _) = if path == Path::new("-") {
            ("stdin".to_owned(), Box::new(io::stdin().lock()), None)
        } else {
            let name = path.display().to_string();
            let file = File::open(path).wrong(format!("opening {name}"))?;
            let meta = file.metadata().wrong(format!("opening {name}"))?;
            if meta.is_dir() {
                return wrong(format_args!("{name} is a folder, not a file"));
            }
            (name, Box::new(file), meta.is_file().then_some(meta.len()))
        };
        let reader = Some(TagReader::new());
        Ok(Self { name, input, length, read: 0, reader, damages: 0, skipped: 0 })
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its length in bytes, where that is known.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The next piece, or `None` at the end.
    pub fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            match reader.next() {
                Ok(Some(Item::Header(header))) => return Ok(Some(Piece::Header(header))),
                Ok(Some(Item::Tag(tag))) => return Ok(Some(Piece::Tag(tag))),
                Ok(Some(Item::Resumed(gap))) => self.skipped += gap.skipped,
                Ok(None) => {
                    let mut piece = vec![0; PIECE];
                    let got = self.read_some(&mut piece)?;
                    if got == 0 {
                        return Ok(self.end().map(Piece::Tag));
                    }
                    piece.truncate(got);
                    if let Some(reader) = &mut self.reader {
                        reader.push(Bytes::from(piece));
                    }
                }
                Err(ReadError { damage: Damage::Signature { .. }, .. }) => {
                    return failed(format_args!("{} is no FLV stream{}", self.name, self.looks_like()));
                }
                Err(err) => {
                    reader.recover();
                    self.damaged(&err);
                }
            }
        }
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

    /// How the stream ended; a last tag that only lacks its trailer is all there.
    fn end(&mut self) -> Option<Tag> {
        match self.reader.take()?.finish() {
            Ending::Whole if self.read == 0 => {
                self.damaged(&"it is empty");
                None
            }
            Ending::Whole => None,
            Ending::Cut(cut) => {
                self.damaged(&cut);
                self.skipped += if cut.whole.is_some() { 0 } else { cut.have };
                cut.whole
            }
            Ending::Lost(gap) => {
                self.skipped += gap.skipped;
                None
            }
        }
    }

    fn damaged(&mut self, what: &dyn std::fmt::Display) {
        self.damages += 1;
        match self.damages {
            ..=TOLD => term::say("warning", format_args!("{}: {what}", self.name)),
            n if n == TOLD + 1 => {
                term::say("warning", format_args!("{}: further damage is only counted", self.name))
            }
            _ => {}
        }
    }

    /// A guess at what a stream is that is not FLV.
    fn looks_like(&self) -> String {
        let path = PathBuf::from(&self.name);
        let mut head = [0; 12];
        let got = File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
        container(&head[..got]).map_or_else(String::new, |kind| {
            format!("; it looks like {kind}. `ffmpeg -i IN -c copy OUT.flv` may make FLV of it")
        })
    }
}

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
