//! Key files: 32 hex digits that nobody but their owner can read.
//!
//! A show's keys and those of the command line are read here alike. No message
//! repeats what is in a file.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crypto::{KeyError, MasterKey};
use zeroize::{Zeroize, Zeroizing};

/// Far more than a key has; whatever is longer is no key file.
const MOST_BYTES: usize = 1024;

/// Why a key file is not taken, or not made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be opened or read, or not be written.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        why: io::Error,
    },
    /// A folder.
    #[error("{} is a folder, not a key file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Others may read or change it.
    #[error("the key file {}: {exposure}; chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Who may, and by which mode.
        exposure: Exposure,
    },
    /// Longer than any key file.
    #[error("{} is no key file: it has more than {MOST_BYTES} bytes, and a key is 32 hex digits", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// Bytes that are no text.
    #[error("{} is no key file: it is no text, and a key is 32 hex digits", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// A text that is no key.
    #[error("{} is no key file: {why}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: KeyError,
    },
    /// A new key is never written over something.
    #[error("{} is there already, and a key is never written over; name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system's random source failed, so there is no key: {why}")]
    Random {
        /// The system's word.
        why: String,
    },
}

/// Who else may get at a key file, by its mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exposure {
    /// The permission bits, e.g. 0o644.
    pub mode: u32,
    /// Who may read or change it.
    pub to: Others,
}

/// Who is not the owner of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Others {
    /// Whoever has an account on this machine.
    Everyone,
    /// The file's group.
    Group,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.to {
            Others::Everyone => "everyone on this machine",
            Others::Group => "its whole group",
        };
        write!(f, "its mode is {:04o}, so {who} can read or change it", self.mode)
    }
}

/// Reads a key file. White space around the digits is skipped. Pipes will do
/// (`/dev/stdin`, a named pipe); a pipe that nobody writes to is waited for.
///
/// As ssh does with its keys, this refuses a file that others may read or
/// write, be it only its group. A file of another owner may let its group in:
/// that was set up so by whoever runs this machine.
///
/// # Errors
/// See [`KeyFileError`].
pub fn read(path: &Path) -> Result<MasterKey, KeyFileError> {
    let text = read_text(path)?;
    text.parse().map_err(|why| KeyFileError::NoKey { path: path.to_owned(), why })
}

/// The text of a file that holds a secret, under the same rules.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let io = |why| KeyFileError::Io { path: path.to_owned(), why };
    let mut file = File::open(path).map_err(io)?;
    // Asked of what was opened: a path may lead elsewhere a moment later.
    let meta = file.metadata().map_err(io)?;
    if meta.is_dir() {
        return Err(KeyFileError::Folder { path: path.to_owned() });
    }
    if let Some(exposure) = exposed(&meta) {
        return Err(KeyFileError::Exposed { path: path.to_owned(), exposure });
    }
    let mut buffer = Zeroizing::new([0; MOST_BYTES + 1]);
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(got) => len += got,
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(io(err)),
        }
    }
    if len > MOST_BYTES {
        return Err(KeyFileError::TooLong { path: path.to_owned() });
    }
    let text =
        std::str::from_utf8(&buffer[..len]).map_err(|_| KeyFileError::NoText { path: path.to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whether [`read`] would refuse a file for its mode, without opening it;
/// `None` also for what cannot be looked at.
pub fn exposure(path: &Path) -> Option<Exposure> {
    exposed(&path.metadata().ok()?)
}

/// A new key as 32 hex digits, wiped when dropped, from the system's random source.
///
/// # Errors
/// [`KeyFileError::Random`].
pub fn new_digits() -> Result<Zeroizing<String>, KeyFileError> {
    let mut key = Zeroizing::new([0u8; MasterKey::LEN]);
    getrandom::fill(&mut key[..]).map_err(|err| KeyFileError::Random { why: err.to_string() })?;
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    // At its full length from the start: a string that grows would leave halves behind.
    let mut digits = Zeroizing::new(String::with_capacity(2 * MasterKey::LEN));
    for byte in key.iter() {
        digits.push(digit(byte >> 4));
        digits.push(digit(*byte));
    }
    Ok(digits)
}

/// Makes a key file with a new key that only its owner can read, never over
/// something that is there, also not at the end of a link.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Random`], or the system's word.
pub fn create(path: &Path) -> Result<(), KeyFileError> {
    let digits = new_digits()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|why| match why.kind() {
        ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), why },
    })?;
    let mut line = Zeroizing::new([b'\n'; 2 * MasterKey::LEN + 1]);
    line[..digits.len()].copy_from_slice(digits.as_bytes());
    // On the disk before anything is encrypted under it: without it nothing can be read.
    let written = file.write_all(&line[..]).and_then(|()| file.sync_all());
    line.zeroize();
    written.map_err(|why| {
        // Half a key is none.
        let _ = std::fs::remove_file(path);
        KeyFileError::Io { path: path.to_owned(), why }
    })
}

#[cfg(unix)]
pub(crate) fn exposed(meta: &Metadata) -> Option<Exposure> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    // What goes through a pipe is read once, by us.
    if !meta.is_file() {
        return None;
    }
    let mode = meta.permissions().mode() & 0o7777;
    // This process's own folder there belongs to whom it runs as; where there is none, be strict.
    let is_ours = std::fs::metadata("/proc/self").map_or(true, |me| me.uid() == meta.uid());
    let to = match mode {
        mode if mode & 0o006 != 0 => Others::Everyone,
        mode if mode & 0o060 != 0 && is_ours => Others::Group,
        _ => return None,
    };
    Some(Exposure { mode, to })
}

#[cfg(not(unix))]
pub(crate) fn exposed(_: &Metadata) -> Option<Exposure> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f";

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn file(folder: &tempfile::TempDir, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = folder.path().join("tour.key");
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn refusal(path: &Path) -> String {
        let said = read(path).unwrap_err().to_string();
        assert!(said.contains(&path.display().to_string()), "{said}");
        said
    }

    #[test]
    fn a_file_of_ours_is_read_if_nobody_else_can() {
        let folder = folder();
        for mode in [0o600, 0o400, 0o700, 0o711] {
            let path = file(&folder, DIGITS, mode);
            assert!(read(&path).is_ok() && exposure(&path).is_none(), "{mode:o}");
        }
        for (mode, to) in [
            (0o644, Others::Everyone),
            (0o604, Others::Everyone),
            (0o602, Others::Everyone),
            (0o640, Others::Group),
            (0o620, Others::Group),
        ] {
            let path = file(&folder, DIGITS, mode);
            assert_eq!(exposure(&path), Some(Exposure { mode, to }));
            let said = refusal(&path);
            assert!(said.contains(&format!("its mode is {mode:04o}")) && said.ends_with("chmod 600 it"));
            assert!(!said.contains("0001"), "{said}");
        }
    }

    #[test]
    fn a_link_is_judged_by_what_it_leads_to() {
        let folder = folder();
        let link = folder.path().join("link.key");
        symlink("tour.key", &link).unwrap();
        assert!(refusal(&link).contains("No such file"));
        file(&folder, DIGITS, 0o600);
        assert!(read(&link).is_ok());
        file(&folder, DIGITS, 0o644);
        assert!(refusal(&link).contains("mode is 0644"));
        assert!(exposure(&link).is_some());
    }

    #[test]
    fn white_space_around_the_digits_is_legal_and_nothing_else_is() {
        let folder = folder();
        for text in [format!("{DIGITS}\n"), format!(" {DIGITS}\r\n\n"), DIGITS.to_uppercase()] {
            assert!(read(&file(&folder, text, 0o600)).is_ok());
        }
        let long = format!("{DIGITS}{}", " ".repeat(MOST_BYTES));
        for (text, words) in [
            (String::new(), "0 characters"),
            ("\n".to_owned(), "0 characters"),
            (DIGITS[1..].to_owned(), "31 characters"),
            (format!("{DIGITS}0"), "33 characters"),
            (format!("{DIGITS}\n{DIGITS}\n"), "character 33"),
            ("secretsecret".to_owned(), "character 1 "),
            (long, "more than 1024 bytes"),
        ] {
            let said = refusal(&file(&folder, &text, 0o600));
            assert!(said.contains(words) && said.contains("32 hex digits"), "{said}");
            assert!(!said.contains("secret") && !said.contains("'s'") && !said.contains("0001"), "{said}");
        }
        assert!(refusal(&file(&folder, [0xff, 0xfe], 0o600)).contains("no text"));
        assert!(refusal(folder.path()).contains("is a folder"));
        assert!(refusal(Path::new("/dev/zero")).contains("more than 1024 bytes"));
    }

    #[test]
    fn a_new_key_is_its_owners_alone_and_never_written_over() {
        let folder = folder();
        let path = folder.path().join("new.key");
        create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.len(), 33);
        assert!(read(&path).is_ok());
        assert!(matches!(create(&path), Err(KeyFileError::Exists { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let link = folder.path().join("link.key");
        symlink("elsewhere.key", &link).unwrap();
        assert!(matches!(create(&link), Err(KeyFileError::Exists { .. })));
        assert!(!folder.path().join("elsewhere.key").exists());
        assert!(create(&folder.path().join("none/new.key")).is_err());
        assert_ne!(new_digits().unwrap(), new_digits().unwrap());
    }
}
