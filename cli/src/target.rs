//! Where what a command made goes: a file, or stdout.

use std::path::{Path, PathBuf};

use crate::exit::{Means, Result};
use crate::term;

/// Where something goes that is written once all is over.
#[derive(Debug)]
pub struct Target {
    /// What it is: `report`.
    what: &'static str,
    /// None for stdout.
    file: Option<PathBuf>,
}

impl Target {
    /// Whether this path means stdout.
    pub fn is_stdout(path: &Path) -> bool {
        path == Path::new("-")
    }

    /// Finds out before the work whether it can be written after it.
    pub fn prepare(what: &'static str, path: &Path) -> Result<Self> {
        if Self::is_stdout(path) {
            return Ok(Self { what, file: None });
        }
        let was_there = path.exists();
        // Nothing is written yet: what was there before stays until the new one is made.
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .wrong(format!("the {what} cannot be written to {}", path.display()))?;
        if !was_there {
            let _ = std::fs::remove_file(path);
        }
        Ok(Self { what, file: Some(path.to_owned()) })
    }

    /// Writes it, and says where it is.
    pub fn write(self, text: &str) -> Result<()> {
        let Self { what, file: Some(path) } = self else { return term::data(text) };
        let name = path.display().to_string();
        std::fs::write(&path, text).failed(format!("writing the {what} {name}"))?;
        term::line(format_args!("{what:<7} {name}"));
        Ok(())
    }
}
