//! Stream keys: what an encoder must send to be let in. Never shown, never logged.

use std::path::Path;

use ctutils::CtEq;
use percent_encoding::percent_decode_str;
use pipeline_dsl::{KeyPlace, Text};
use zeroize::Zeroizing;

use crate::key_file;
use crate::keys::{self, ResolveError};

/// The longest there may be, in bytes.
const LONGEST: usize = 256;

/// A stream key. `Debug` is left out on purpose.
pub(crate) struct StreamKey(Zeroizing<String>);

impl StreamKey {
    /// From where the show file says it is kept; files are relative to `base`.
    pub(crate) fn load(place: &KeyPlace, base: &Path, owner: &str) -> Result<Self, ResolveError> {
        let (text, place) = match place {
            KeyPlace::Env(name) => {
                let text = Zeroizing::new(keys::text(&Text::Env(name.clone()), owner)?);
                (text, format!("the environment variable {name}"))
            }
            KeyPlace::File(file) => {
                let path = keys::path(file, base, owner)?;
                let text = key_file::read_text(&path)
                    .map_err(|why| ResolveError::KeyFile { owner: owner.to_owned(), why })?;
                (text, path.display().to_string())
            }
        };
        Self::new(text.trim()).ok_or_else(|| ResolveError::StreamKey { owner: owner.to_owned(), place })
    }

    /// What encoders can send, in a query or as a part of a path, and nobody decodes on the way.
    fn new(key: &str) -> Option<Self> {
        let legal = |b: u8| b.is_ascii_graphic() && !br#"/?#&%\""#.contains(&b);
        let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(legal);
        is_key.then(|| Self(Zeroizing::new(key.to_owned())))
    }

    /// Whether this is it, in a time that tells nothing but its length. Who writes it as addresses are
    /// written has marks of it percent-encoded; no key has a `%` of its own.
    pub(crate) fn is(&self, offered: &str) -> bool {
        let decoded = Zeroizing::new(percent_decode_str(offered).collect::<Vec<u8>>());
        self.0.as_bytes().ct_eq(decoded.as_slice()).to_bool()
    }
}

#[cfg(test)]
impl StreamKey {
    pub(crate) fn test(key: &str) -> Self {
        Self::new(key).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_encoders_can_send() {
        let key = StreamKey::test("s3cret=+_-.~");
        assert!(key.is("s3cret=+_-.~") && key.is("s3cret%3D%2B_-.~") && key.is("%733cret=+_-.~"));
        for wrong in [
            "",
            "s3cret",
            "s3cret=+_-.~x",
            "S3cret=+_-.~",
            "s3cret%253D+_-.~",
            "s3cret%3",
            "s3cret= _-.~",
            "é",
        ] {
            assert!(!key.is(wrong), "{wrong}");
        }
        for illegal in ["", "a b", "a/b", "a?b", "a&b", "a%20b", "a#b", "é", "a\nb", &"x".repeat(257)] {
            assert!(StreamKey::new(illegal).is_none(), "{illegal}");
        }
    }

    #[test]
    fn it_is_read_from_a_file_that_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cam.key");
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let load =
            || StreamKey::load(&KeyPlace::File(Text::Plain("cam.key".into())), dir.path(), "main/fiber");
        std::fs::write(&path, "hunter2\n").unwrap();
        mode(0o600);
        assert!(load().unwrap().is("hunter2"));
        mode(0o644);
        assert!(matches!(load(), Err(ResolveError::KeyFile { .. })));
        std::fs::write(&path, "hunter 2").unwrap();
        mode(0o600);
        let error = load().err().unwrap().to_string();
        assert!(error.contains("cam.key") && !error.contains("hunter"), "{error}");
    }
}
