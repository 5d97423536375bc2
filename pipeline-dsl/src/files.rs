//! The files a show reads. The crate does no I/O: it says which they are, and
//! who can look says which are missing.

use serde::Serialize;

use crate::address::address_shown;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::Text;

/// What a file is read as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Pictures and sound.
    Media,
    /// A still picture.
    Image,
    /// A TrueType or OpenType font.
    Font,
    /// 32 hex digits.
    Key,
    /// A capture device.
    Device,
    /// Certificates, PEM.
    Certificate,
    /// The private key of a certificate, PEM.
    PrivateKey,
}

impl FileKind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Media => "media file",
            Self::Image => "image",
            Self::Font => "font file",
            Self::Key => "key file",
            Self::Device => "device",
            Self::Certificate => "certificate file",
            Self::PrivateKey => "private key",
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

/// Which way media go by an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// A line pulls from it.
    Pull,
    /// An egress pushes to it; it may have placeholders.
    Push,
}

/// An address the show file itself names. It may hold a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressRef {
    /// The whole address, as it is written.
    pub url: String,
    /// Which way.
    pub way: Way,
    /// Where the show file names it.
    pub span: Span,
    /// Who goes there, e.g. `camera karry, line fiber`.
    pub owner: String,
}

/// An error for each of `addresses` that cannot be used, by the word of `unfit`, which says why not
/// without repeating the address.
pub fn unfit_addresses(
    addresses: &[AddressRef],
    unfit: impl Fn(&AddressRef) -> Option<String>,
) -> Vec<Diagnostic> {
    let told = addresses.iter().filter_map(|address| Some((address, unfit(address)?)));
    told.map(|(at, why)| Diagnostic::error("bad-url", at.span, format!("{}: {why}", at.owner))).collect()
}

/// A font the show names, which the system must have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FontRef {
    /// Its name.
    pub name: String,
    /// Where the show file names it.
    pub span: Span,
    /// Who writes in it, e.g. `watermark clock`.
    pub owner: String,
}

/// A warning for each of `fonts` that is not there, by the word of `unfit`, which says what is.
pub fn unfit_fonts(fonts: &[FontRef], unfit: impl Fn(&FontRef) -> Option<String>) -> Vec<Diagnostic> {
    let told = fonts.iter().filter_map(|font| Some((font, unfit(font)?)));
    told.map(|(font, why)| {
        Diagnostic::warning("missing-font", font.span, format!("{}: {why}", font.owner))
            .help("without it the show does not start; a file of your own is `font-file=\"brand.ttf\"`")
    })
    .collect()
}

/// What is wrong with certificates and private keys among `files`, by the word of `unfit`.
pub fn unfit_papers(
    files: &[FileRef],
    unfit: impl Fn(&FileRef) -> Option<(Severity, String)>,
) -> Vec<Diagnostic> {
    let papers =
        files.iter().filter(|file| matches!(file.kind, FileKind::Certificate | FileKind::PrivateKey));
    let told = papers.filter_map(|file| Some((file, unfit(file)?)));
    told.map(|(file, (severity, why))| {
        let said = Diagnostic::error("bad-certificate", file.span, format!("{}: {why}", file.owner));
        Diagnostic { severity, ..said }
    })
    .collect()
}

/// A path as messages have it. A URL in its place may hold a password.
fn named(path: &Text) -> String {
    match path {
        Text::Plain(text) if text.contains("://") => address_shown(text),
        path => path.to_string(),
    }
}

/// A warning for each of `files` that is not there, by the word of `exists`.
///
/// `exists` gets the path as the show file has it; it resolves `env:NAME` and
/// relative paths, and may well say yes where it cannot tell.
pub fn missing_files(files: &[FileRef], exists: impl Fn(&Text) -> bool) -> Vec<Diagnostic> {
    let missing = files.iter().filter(|file| !exists(&file.path));
    missing
        .map(|file| {
            let path = named(&file.path);
            let message = format!("the {} {path} of {} is not there", file.kind.noun(), file.owner);
            let where_from = match &file.path {
                Text::Plain(path) if path.starts_with('/') => "",
                _ => "paths are relative to the show file; ",
            };
            let without = match file.kind {
                FileKind::Certificate | FileKind::PrivateKey | FileKind::Font => "does not start",
                FileKind::Key => "does not start; `obvan key new FILE` makes one",
                FileKind::Device => "runs, and tries again until it is there",
                _ => "runs, and says so again",
            };
            Diagnostic::warning("missing-file", file.span, message)
                .help(format!("{where_from}without it the show {without}"))
        })
        .collect()
}

/// An error for each key file among `files` that is a folder, by the word of `is_folder`, which
/// gets the path as the show file has it.
pub fn key_folders(files: &[FileRef], is_folder: impl Fn(&Text) -> bool) -> Vec<Diagnostic> {
    let keys = files.iter().filter(|file| matches!(file.kind, FileKind::Key | FileKind::PrivateKey));
    keys.filter(|file| is_folder(&file.path))
        .map(|file| {
            let message = format!("the key file {} of {} is a folder", named(&file.path), file.owner);
            Diagnostic::error("key-is-a-folder", file.span, message)
                .help("name the file in it; a key file holds 32 hex digits")
        })
        .collect()
}

/// A warning for each key file among `files` that others than its owner can get at.
///
/// `exposure` gets the path as the show file has it, and says in words who can
/// (`its mode is 0644, so …`), or `None` where nobody else can or it cannot tell.
pub fn exposed_keys(files: &[FileRef], exposure: impl Fn(&Text) -> Option<String>) -> Vec<Diagnostic> {
    let keys = files.iter().filter(|file| matches!(file.kind, FileKind::Key | FileKind::PrivateKey));
    keys.filter_map(|file| Some((file, exposure(&file.path)?)))
        .map(|(file, exposure)| {
            let path = named(&file.path);
            let message = format!("the key file {path} of {}: {exposure}", file.owner);
            Diagnostic::warning("exposed-key", file.span, message)
                .help("chmod 600 it; until then the show does not start")
        })
        .collect()
}
