//! FLV to a file or stdout. An existing file is not overwritten unless asked.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use flv::{FILE_HEADER_LEN, FileHeader, TAG_HEADER_LEN, TRAILER_LEN, Tracks};

use crate::exit::{Means, Result, wrong};

/// What one read gives fits in without growing, encrypted too.
const BUFFER: usize = (1 << 18) + (1 << 16);

/// What to do with a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// Leave it alone and say so.
    Keep,
    /// Write over it.
    Replace,
}

/// Whether anybody still reads what is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Reader {
    /// As far as one can tell.
    Listens,
    /// A pipe was closed at its other end.
    Gone,
}

/// An FLV stream being written: tags are put together in one buffer, and written at once.
/// A file is touched when the first tag is there.
pub struct FlvOut {
    name: String,
    place: Place,
    output: File,
    buffer: BytesMut,
    begun: bool,
    /// Whole tags that were written.
    tags: u64,
    /// Bytes that were written, all of them whole.
    bytes: u64,
}

/// What is written to.
enum Place {
    /// Stdout, a pipe or a device: holds nothing that could be lost or taken back.
    Stream,
    /// A file this run made, to be taken away if nothing comes of it.
    Made(PathBuf),
    /// A file that was there before.
    Replaced,
}

impl FlvOut {
    /// Makes the file; `-` is stdout. It must not be the file that is read.
    pub fn create(path: &Path, input: &Metadata, existing: Existing) -> Result<Self> {
        let (name, output, place) = if path == Path::new("-") {
            // Not through the standard library's buffer, which looks for line ends.
            let output = io::stdout().as_fd().try_clone_to_owned().failed("opening stdout")?;
            ("stdout".to_owned(), File::from(output), Place::Stream)
        } else {
            let name = path.display().to_string();
            let (output, place) = make(path, &name, input, existing)?;
            (name, output, place)
        };
        let buffer = BytesMut::with_capacity(BUFFER);
        Ok(Self { name, place, output, buffer, begun: false, tags: 0, bytes: 0 })
    }

    /// Appends the file header.
    pub fn header(&mut self, header: FileHeader) {
        self.begun = true;
        self.buffer.extend_from_slice(&header.to_bytes());
    }

    /// Where the next tag is to be appended, whole. A stream whose header was lost gets one.
    pub fn tags(&mut self) -> &mut BytesMut {
        if !self.begun {
            self.header(FileHeader { tracks: Tracks::Both });
        }
        &mut self.buffer
    }

    /// Writes out what has come together; a file's header waits for the first tag.
    pub fn flush(&mut self) -> Result<Reader> {
        let is_header = self.bytes == 0 && self.buffer.len() <= FILE_HEADER_LEN;
        match self.place {
            Place::Made(_) | Place::Replaced if is_header => Ok(Reader::Listens),
            _ => self.write(),
        }
    }

    fn write(&mut self) -> Result<Reader> {
        if self.bytes == 0 && matches!(self.place, Place::Replaced) {
            self.output.set_len(0).failed(format!("emptying {}", self.name))?;
        }
        let mut at = 0;
        let written = loop {
            match self.output.write(&self.buffer[at..]) {
                _ if at == self.buffer.len() => break Ok(()),
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(more) => at += more,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => break Err(err),
            }
        };
        let header = if self.bytes == 0 { FILE_HEADER_LEN } else { 0 };
        let (whole, tags) = whole_tags(&self.buffer[..at], header);
        self.bytes += whole as u64;
        self.tags += tags;
        self.buffer.clear();
        if whole < at && !matches!(self.place, Place::Stream) {
            // The part of a tag that still went in. If it stays, a reader skips it.
            let _ = self.output.set_len(self.bytes);
        }
        match written {
            Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            other => other.map(|()| Reader::Listens).failed(format!("writing {}", self.name)),
        }
    }

    /// The input has ended: a stream without tags is written now. Nothing at all came
    /// of it if there is not even a header, and a file this run made goes away again.
    pub fn end(mut self) -> Result<Reader> {
        if self.begun {
            return if self.buffer.is_empty() { Ok(Reader::Listens) } else { self.write() };
        }
        self.discard();
        Ok(Reader::Listens)
    }

    /// Something failed: whole tags stay, and so does a file that was there before if there
    /// are none. Says which file stays, if one does.
    pub fn keep(mut self) -> Option<String> {
        // What failed may have been this very thing, and is told.
        let _ = self.flush();
        match (&self.place, self.tags) {
            (Place::Stream, _) | (Place::Replaced, 0) => None,
            (Place::Made(_), 0) => {
                self.discard();
                None
            }
            (_, tags) => Some(format!("{} stays, whole as far as it goes: {tags} tag(s)", self.name)),
        }
    }

    fn discard(self) {
        let Self { place, output, .. } = self;
        drop(output);
        if let Place::Made(path) = place {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// How many of the bytes are whole tags (and a header of this length before them), and
/// how many tags.
fn whole_tags(written: &[u8], header: usize) -> (usize, u64) {
    let (mut at, mut tags) = (header.min(written.len()), 0);
    while let Some(&[_, a, b, c]) = written.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        let end = at + TAG_HEADER_LEN + u32::from_be_bytes([0, a, b, c]) as usize + TRAILER_LEN;
        if end > written.len() {
            break;
        }
        (at, tags) = (end, tags + 1);
    }
    (at, tags)
}

/// Opens the output as it is; what is in it goes when the first tag is there.
fn make(path: &Path, name: &str, input: &Metadata, existing: Existing) -> Result<(File, Place)> {
    // Pipes and devices (/dev/null) hold nothing that could be lost.
    let there = path.metadata().ok();
    let file = there.as_ref().filter(|there| there.is_file());
    if file.is_some_and(|file| (file.dev(), file.ino()) == (input.dev(), input.ino())) {
        return wrong(format_args!("{name} is the input itself; name another output"));
    }
    if file.is_some() && existing == Existing::Keep {
        return wrong(format_args!("{name} is there already; name another output, or --force to replace it"));
    }
    let mut options = OpenOptions::new();
    options.write(true);
    let place = match (&there, file) {
        // Not between the look and the opening either.
        (None, _) => {
            options.create_new(true);
            Place::Made(path.to_owned())
        }
        (Some(_), Some(_)) => Place::Replaced,
        (Some(_), None) => Place::Stream,
    };
    Ok((options.open(path).wrong(format!("making {name}"))?, place))
}
