//! The show file on disk: read again, and looked at whether it has changed since.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use pipeline_dsl::syntax::MOST_BYTES;

use crate::options::ShowFile;

/// When a file was changed, and how long it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
}

impl Stamp {
    /// `None` while there is no file, as for a moment where an editor puts a new one in its place.
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { changed: file.modified().ok(), length: file.len() })
    }
}

/// What is known of the show file.
pub(crate) struct OnDisk {
    pub(super) file: ShowFile,
    /// As it was read, or told of, last.
    seen: Option<Stamp>,
}

impl OnDisk {
    pub(super) fn new(file: ShowFile) -> Self {
        let seen = Stamp::of(&file.path);
        Self { file, seen }
    }

    /// What it says now.
    pub(super) fn read(&mut self) -> std::io::Result<String> {
        // Before it is read: what is written meanwhile is news.
        self.seen = Stamp::of(&self.file.path).or(self.seen);
        let mut text = String::new();
        // One byte more than is legal, so that the check finds it too large.
        std::fs::File::open(&self.file.path)?.take(MOST_BYTES as u64 + 1).read_to_string(&mut text)?;
        Ok(text)
    }

    /// Whether it is another one than it was the last time it was read or looked at.
    pub(super) fn has_changed(&mut self) -> bool {
        let Some(now) = Stamp::of(&self.file.path) else { return false };
        self.seen.replace(now) != Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_news_once_and_none_where_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.show");
        std::fs::write(&path, "a").unwrap();
        let listen = pipeline_dsl::parse_show(pipeline_dsl::EXAMPLE).unwrap().listen;
        let mut disk = OnDisk::new(ShowFile { path: path.clone(), listen });
        assert!(!disk.has_changed());
        std::fs::write(&path, "ab").unwrap();
        assert_eq!([disk.has_changed(), disk.has_changed()], [true, false]);
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(disk.read().unwrap(), "abc");
        assert!(!disk.has_changed());
        // As an editor does that writes beside it.
        std::fs::remove_file(&path).unwrap();
        assert!(!disk.has_changed() && disk.read().is_err());
        std::fs::write(&path, "abcd").unwrap();
        assert!(disk.has_changed());
    }
}
