//! What a recording is written to: a file, or what a rehearsal has in its place.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// A file on a disk, as whoever writes a recording needs it.
pub(crate) trait Disk: Write {
    /// How many bytes are in it.
    fn length(&self) -> io::Result<u64>;
    /// Ends it there.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Writes over what is there already, which needs no room.
    fn write_over(&self, bytes: &[u8], at: u64) -> io::Result<()>;
    /// Returns when all is on the disk itself.
    fn sync(&self) -> io::Result<()>;
    /// Whether nobody can find it any more.
    fn is_gone(&self) -> io::Result<bool>;
    /// Takes it away, by the name it was made with; one that cannot be stays.
    fn remove(&self, path: &Path);
}

impl Disk for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
    fn write_over(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
    fn is_gone(&self) -> io::Result<bool> {
        Ok(self.metadata()?.nlink() == 0)
    }
    fn remove(&self, path: &Path) {
        // Nothing of a stream is in it: if it stays, it plays as nothing.
        let _ = std::fs::remove_file(path);
    }
}
