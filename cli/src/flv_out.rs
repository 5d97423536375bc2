//! FLV to a file or stdout. An existing file is not overwritten unless asked.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use flv::{FileHeader, Tracks};

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
pub struct FlvOut {
    name: String,
    /// The file this run made, to be taken away if nothing comes of it.
    made: Option<PathBuf>,
    output: File,
    buffer: BytesMut,
    begun: bool,
}

impl FlvOut {
    /// Makes the file; `-` is stdout. `input` must not be the same file.
    pub fn create(path: &Path, input: &Path, existing: Existing) -> Result<Self> {
        let (name, output, made) = if path == Path::new("-") {
            // Not through the standard library's buffer, which looks for line ends.
            let output = io::stdout().as_fd().try_clone_to_owned().failed("opening stdout")?;
            ("stdout".to_owned(), File::from(output), None)
        } else {
            let name = path.display().to_string();
            let (output, made) = make(path, &name, input, existing)?;
            (name, output, made)
        };
        Ok(Self { name, made, output, buffer: BytesMut::with_capacity(BUFFER), begun: false })
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

    /// Writes out what has come together.
    pub fn flush(&mut self) -> Result<Reader> {
        let written = self.output.write_all(&self.buffer);
        self.buffer.clear();
        match written {
            Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            other => other.map(|()| Reader::Listens).failed(format!("writing {}", self.name)),
        }
    }

    /// Whether anything was written or is to be.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Nothing came of it: a file this run made goes away again.
    pub fn discard(self) {
        let made = self.made.clone();
        drop(self);
        if let Some(path) = made {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Opens the output, and says which file was not there before.
fn make(path: &Path, name: &str, input: &Path, existing: Existing) -> Result<(File, Option<PathBuf>)> {
    // Pipes and devices (/dev/null) hold nothing that could be lost.
    let there = path.metadata().ok();
    let holds_data = there.as_ref().is_some_and(std::fs::Metadata::is_file);
    if holds_data && is_same(path, input) {
        return wrong(format_args!("{name} is the input itself; name another output"));
    }
    if holds_data && existing == Existing::Keep {
        return wrong(format_args!("{name} is there already; name another output, or --force to replace it"));
    }
    let mut options = OpenOptions::new();
    match there {
        // Not between the look and the opening either.
        None => options.write(true).create_new(true),
        Some(_) => options.write(true).truncate(holds_data),
    };
    let file = options.open(path).wrong(format!("making {name}"))?;
    Ok((file, there.is_none().then(|| path.to_owned())))
}

/// Whether both paths lead to one file.
fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b || same_inode(&a, &b),
        _ => false,
    }
}

#[cfg(unix)]
fn same_inode(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    id(a).is_some_and(|a| Some(a) == id(b))
}

#[cfg(not(unix))]
fn same_inode(_: &Path, _: &Path) -> bool {
    false
}
