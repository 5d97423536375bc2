//! Files that are read whole: pictures, drawings, fonts.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest there may be, in bytes. Pictures of 8192x8192 as PNG are smaller, and so are fonts.
const MOST: u64 = 256 << 20;

/// All of a file's bytes.
///
/// # Errors
/// As the system has them; something else than a file, which might never end or never begin; a file
/// of more than 256 MiB.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    // Before it is opened: a pipe waits for whoever writes.
    let told = path.metadata()?;
    if !told.is_file() {
        return Err(wrong("it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    // One that grows meanwhile is read no further.
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(wrong(format!("it has {} bytes; legal: up to {MOST}", told.len())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.svg");
        std::fs::write(&path, "<svg/>").unwrap();
        assert_eq!(read(&path).unwrap(), b"<svg/>");
        assert_eq!(read(folder.path()).unwrap_err().to_string(), "it is no file");
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().to_string(), "it is no file");
        assert_eq!(read(&folder.path().join("other")).unwrap_err().kind(), io::ErrorKind::NotFound);
        let large = File::create(&path).unwrap();
        large.set_len(MOST + 1).unwrap();
        let refused = read(&path).unwrap_err().to_string();
        assert_eq!(refused, "it has 268435457 bytes; legal: up to 268435456");
    }
}
