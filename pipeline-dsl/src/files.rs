//! The files a show reads. The crate does no I/O: it says which they are, and
//! who can look says which are missing.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Span};
use crate::model::Text;

/// What a file is read as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Pictures and sound.
    Media,
    /// A still picture.
    Image,
    /// 32 hex digits.
    Key,
    /// A capture device.
    Device,
}

impl FileKind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Media => "media file",
            Self::Image => "image",
            Self::Key => "key file",
            Self::Device => "device",
        }
    }
}

/// A file the show reads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileRef {
    /// Its path, relative to the show file.
    pub path: Text,
    /// What it is read as.
    pub kind: FileKind,
    /// Where the show file names it.
    pub span: Span,
    /// Who reads it, e.g. `camera karry, line disk`.
    pub owner: String,
}

/// A warning for each of `files` that is not there, by the word of `exists`.
///
/// `exists` gets the path as the show file has it; it resolves `env:NAME` and
/// relative paths, and may well say yes where it cannot tell.
pub fn missing_files(files: &[FileRef], exists: impl Fn(&Text) -> bool) -> Vec<Diagnostic> {
    let missing = files.iter().filter(|file| !exists(&file.path));
    missing
        .map(|file| {
            let message = format!("the {} {} of {} is not there", file.kind.noun(), file.path, file.owner);
            Diagnostic::warning("missing-file", file.span, message)
                .help("paths are relative to the show file; without it the show runs, and says so again")
        })
        .collect()
}
