//! Show files: read, checked, and what is wrong with them shown with its place.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use engine::{PemError, key_file};
use miette::NamedSource;
use pipeline_dsl::syntax::MOST_BYTES;
use pipeline_dsl::{Checked, Diagnostic, FileKind, FileRef, Severity, Text, Way};

use crate::exit::{Means, Result, wrong};
use crate::term;

/// A show file that could be read; whether it is valid is another matter.
pub struct ShowFile {
    /// What to call it in messages.
    pub name: String,
    /// What its relative paths are relative to.
    pub folder: PathBuf,
    /// Its text.
    pub source: String,
}

impl ShowFile {
    /// Reads a show file, `-` for stdin.
    pub fn read(path: &Path) -> Result<Self> {
        let stdin = path == Path::new("-");
        let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
        let input: Box<dyn Read> = if stdin {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).wrong(format!("opening {name}"))?)
        };
        // One byte more than is legal, so that the check finds it too large.
        let mut bytes = Vec::new();
        input.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).wrong(format!("reading {name}"))?;
        let source = match String::from_utf8(bytes) {
            Ok(source) => source,
            Err(err) => {
                let at = err.utf8_error().valid_up_to();
                let line = err.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
                return wrong(format_args!("{name} is no UTF-8 text: byte {at}, line {line}"));
            }
        };
        let parent = path.parent().filter(|_| !stdin).filter(|p| !p.as_os_str().is_empty());
        let folder = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
        Ok(Self { name, folder, source })
    }

    /// A text that is no file, by what it is called.
    pub fn told(name: &str, source: String) -> Self {
        Self { name: name.to_owned(), folder: PathBuf::from("."), source }
    }

    /// What it says, and what there is to say about it.
    pub fn check(&self) -> Checked {
        pipeline_dsl::check(&self.source)
    }

    /// A warning for each file of the show that is not there, and for each key file that others
    /// can read; an error for one that is a folder.
    pub fn unfit_files(&self, checked: &Checked) -> Vec<Diagnostic> {
        // A variable that is not set here may be set where the show runs.
        let missing = |path: &Text| self.place(path).is_some_and(|path| !path.exists());
        let folder = |path: &Text| self.place(path).is_some_and(|path| path.is_dir());
        let mut unfit = pipeline_dsl::missing_files(&checked.files, |path| !missing(path));
        unfit.extend(pipeline_dsl::key_folders(&checked.files, folder));
        unfit.extend(pipeline_dsl::exposed_keys(&checked.files, |path| {
            self.place(path).and_then(|path| key_file::exposure(&path)).map(|exposure| exposure.to_string())
        }));
        unfit.extend(self.unfit_papers(checked, SystemTime::now()));
        unfit.extend(pipeline_dsl::unfit_addresses(&checked.addresses, |address| match address.way {
            Way::Pull => engine::pull_problem(&address.url),
            Way::Push => engine::push_problem(&pipeline_dsl::expand(&address.url, "channel", "rung")),
        }));
        unfit.extend(pipeline_dsl::unfit_fonts(&checked.fonts, |font| engine::font_problem(&font.name)));
        unfit
    }

    /// Certificates and keys that are there, looked at as a show does that starts; and certificates
    /// of its own that are not for now.
    fn unfit_papers(&self, checked: &Checked, now: SystemTime) -> Vec<Diagnostic> {
        let told = |file: &FileRef, error: PemError| {
            let is_of_key = matches!(error, PemError::NoKey { .. } | PemError::Strangers { .. });
            match error {
                // Said in other words already: they may be there, and well kept, where the show runs.
                PemError::Io { why, .. } if why.kind() == io::ErrorKind::NotFound => None,
                PemError::Exposed { .. } => None,
                _ if is_of_key != (file.kind == FileKind::PrivateKey) => None,
                PemError::Io { .. } => Some((Severity::Warning, error.to_string())),
                _ => Some((Severity::Error, error.to_string())),
            }
        };
        let beside = |file: &FileRef, kind: FileKind| {
            let mut all = checked.files.iter();
            let other = all.find(|other| other.owner == file.owner && other.kind == kind);
            other.and_then(|other| self.place(&other.path))
        };
        pipeline_dsl::unfit_papers(&checked.files, |file| {
            let cert = beside(file, FileKind::Certificate)?;
            let looked = match beside(file, FileKind::PrivateKey) {
                Some(key) => engine::server_papers(&cert, &key, now),
                None if file.kind == FileKind::Certificate => {
                    engine::trusted_papers(&self.place(&file.path)?).map(|()| None)
                }
                None => return None,
            };
            match looked {
                Ok(odd) => {
                    odd.filter(|_| file.kind == FileKind::Certificate).map(|odd| (Severity::Warning, odd))
                }
                Err(error) => told(file, error),
            }
        })
    }

    /// Where a path of the show leads from here; `None` for a variable that is not set.
    fn place(&self, path: &Text) -> Option<PathBuf> {
        match path {
            Text::Plain(path) => Some(self.folder.join(path)),
            Text::Env(name) => std::env::var_os(name).map(|path| self.folder.join(path)),
        }
    }

    /// Shows diagnostics on stderr, each with its place in the text, whose addresses are masked.
    pub fn show(&self, diagnostics: &[Diagnostic]) {
        let source = Arc::new(NamedSource::new(&self.name, pipeline_dsl::masked(&self.source)));
        for diagnostic in diagnostics {
            let report = miette::Report::new(diagnostic.clone()).with_source_code(Arc::clone(&source));
            term::line(format_args!("{report:?}"));
        }
    }
}

/// `2 errors, 1 warning`.
pub fn tally(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let [errors, warnings] = [count(Severity::Error), count(Severity::Warning)];
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings))
}
