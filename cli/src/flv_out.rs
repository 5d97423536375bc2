//! FLV to a file or stdout. An existing file is not overwritten unless asked.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flv::{FileHeader, Tag};

use crate::exit::{Means, Result, wrong};

const BUFFER: usize = 1 << 18;

/// What to do with a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// Leave it alone and say so.
    Keep,
    /// Write over it.
    Replace,
}

/// An FLV stream being written.
pub struct FlvOut {
    name: String,
    /// The file this run made, to be taken away if nothing comes of it.
    made: Option<PathBuf>,
    output: BufWriter<Box<dyn Write>>,
}

impl FlvOut {
    /// Makes the file; `-` is stdout. `input` must not be the same file.
    pub fn create(path: &Path, input: &Path, existing: Existing) -> Result<Self> {
        if path == Path::new("-") {
            let output: Box<dyn Write> = Box::new(io::stdout().lock());
            return Ok(Self {
                name: "stdout".to_owned(),
                made: None,
                output: BufWriter::with_capacity(BUFFER, output),
            });
        }
        let name = path.display().to_string();
        // Pipes and devices (/dev/null) hold nothing that could be lost.
        let there = path.metadata().ok();
        let holds_data = there.as_ref().is_some_and(std::fs::Metadata::is_file);
        if holds_data && is_same(path, input) {
            return wrong(format_args!("{name} is the input itself; name another output"));
        }
        if holds_data && existing == Existing::Keep {
            return wrong(format_args!(
                "{name} is there already; name another output, or --force to replace it"
            ));
        }
        let mut options = OpenOptions::new();
        match there {
            // Not between the look and the opening either.
            None => options.write(true).create_new(true),
            Some(_) => options.write(true).truncate(holds_data),
        };
        let file: File = options.open(path).wrong(format!("making {name}"))?;
        let made = there.is_none().then(|| path.to_owned());
        Ok(Self { name, made, output: BufWriter::with_capacity(BUFFER, Box::new(file)) })
    }

    /// Writes the file header.
    pub fn header(&mut self, header: FileHeader) -> Result<()> {
        self.output.write_all(&header.to_bytes()).failed(format!("writing {}", self.name))
    }

    /// Writes a tag.
    pub fn tag(&mut self, tag: &Tag) -> Result<()> {
        let (head, trailer) = tag.header_and_trailer();
        let parts = [&head[..], tag.body(), &trailer];
        parts.iter().try_for_each(|part| self.output.write_all(part)).failed(format!("writing {}", self.name))
    }

    /// Everything is written out.
    pub fn finish(mut self) -> Result<()> {
        self.output.flush().failed(format!("writing {}", self.name))
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
