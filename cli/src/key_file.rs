//! Key files: 32 hex digits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crypto::MasterKey;

use crate::exit::{Means, Result};
use crate::term;

/// Far more than a key has; whatever is longer is no key file.
const MOST_BYTES: u64 = 1024;

/// Reads a key. The key itself is in no message.
pub fn read(path: &Path) -> Result<MasterKey> {
    let name = path.display().to_string();
    let mut file = File::open(path).wrong(format!("opening the key file {name}"))?;
    warn_if_open_to_all(&file, &name);
    let mut text = String::new();
    file.by_ref().take(MOST_BYTES).read_to_string(&mut text).wrong(format!("reading the key file {name}"))?;
    text.parse().wrong(format!("the key file {name} is not legal"))
}

#[cfg(unix)]
fn warn_if_open_to_all(file: &File, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(meta) = file.metadata() else { return };
    if meta.is_file() && meta.permissions().mode() & 0o004 != 0 {
        term::say(
            "warning",
            format_args!("everyone on this machine can read the key file {name}; chmod 600 it"),
        );
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_all(_: &File, _: &str) {}
