//! The file: one owner at a time, written whole or not at all, and known to be whole when it is read.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::kept::KeptShow;

/// What the file begins with: a name, the version of what follows, and its SHA-256.
const NAME: &str = "obvan-state";
const VERSION: &str = "1";
/// More is none of ours.
const MOST_BYTES: u64 = 64 << 20;
/// How often the lock's file is tried that somebody takes away at the same moment.
const TRIES: usize = 16;
/// How the name of the lock goes on behind that of the file.
const LOCK: &str = ".lock";

/// Why a state file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another engine runs the show, and keeps its state there.
    #[error("{}: another engine is running that keeps its state there", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It is something else, or not what was written.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: String,
    },
}

/// Where a show's state is kept. Clones are the same file; while one of them is there no other
/// engine on this machine has it, which a lock beside it (`….lock`) makes sure of.
#[derive(Clone, Debug)]
pub struct StateFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Touched once a second, so that the next engine knows when this one died.
    lock: File,
    /// When it was touched last by the engine before.
    touched: Option<SystemTime>,
    /// What is there now goes aside before the first writing.
    aside: AtomicBool,
}

/// Where nothing is kept, nothing is to be known about its end.
impl Drop for Inner {
    fn drop(&mut self) {
        let at = beside(&self.path, LOCK);
        // The lock of this name may be that of somebody who came later.
        if !self.path.exists() && is_same(&self.lock, &at) {
            let _ = std::fs::remove_file(at);
        }
    }
}

/// What is there, if anything, is a file: opening a pipe would wait for whoever has its other end, for
/// ever if there is nobody.
fn regular(there: Option<&Metadata>) -> io::Result<()> {
    match there {
        Some(there) if !there.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
        }
        _ => Ok(()),
    }
}

/// Whether a file that is open is the one of this name.
fn is_same(file: &File, at: &Path) -> bool {
    let known = file.metadata().map(|own| (own.dev(), own.ino()));
    let found = std::fs::metadata(at).map(|found| (found.dev(), found.ino()));
    matches!((known, found), (Ok(known), Ok(found)) if known == found)
}

/// `tour.state.lock` for `tour.state`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

impl StateFile {
    /// Takes hold of this file, which need not be there; its folder is made if there is none.
    ///
    /// # Errors
    /// Another engine has it, something else than a file is there, or nothing can be made in its folder.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let io = |source| StateError::Io { path: path.clone(), source };
        let at = beside(&path, LOCK);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        regular(std::fs::metadata(&path).ok().as_ref()).map_err(io)?;
        for _ in 0..TRIES {
            let there = std::fs::metadata(&at).ok();
            regular(there.as_ref()).map_err(io)?;
            let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&at);
            let lock = lock.map_err(io)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(StateError::Busy { path }),
                // A file system that knows no locks: then there is nobody to be kept out by one.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
            // Whoever had it may have taken it away meanwhile: then it is nobody's lock.
            if is_same(&lock, &at) {
                let touched = there.and_then(|there| there.modified().ok());
                let inner = Inner { path, lock, touched, aside: AtomicBool::new(false) };
                return Ok(Self(Arc::new(inner)));
            }
        }
        Err(StateError::Busy { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where what is there now goes if it is [put aside](Self::put_aside).
    pub fn aside(&self) -> PathBuf {
        beside(&self.0.path, ".old")
    }

    /// What is there now is not gone on from: it goes aside before anything is written, in the place
    /// of what went there before.
    pub fn put_aside(&self) {
        self.0.aside.store(true, Ordering::Relaxed);
    }

    /// The show that an engine left there when it died; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not what an engine wrote. Nothing has changed then.
    pub fn read(&self) -> Result<Option<KeptShow>, StateError> {
        let path = || self.0.path.clone();
        let file = match File::open(&self.0.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { path: path(), source }),
        };
        let mut bytes = Vec::new();
        let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|source| StateError::Io { path: path(), source })?;
        let kept = parse(&bytes).map_err(|what| StateError::Damaged { path: path(), what })?;
        Ok(Some(kept.died_no_earlier(self.0.touched)))
    }

    /// Writes it whole, or leaves what was there.
    pub(super) fn write(&self, kept: &KeptShow) -> io::Result<()> {
        let path = &self.0.path;
        if self.0.aside.swap(false, Ordering::Relaxed) {
            match std::fs::rename(path, self.aside()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let fresh = beside(path, ".new");
        let written = write_whole(&fresh, &text(kept)?).and_then(|()| std::fs::rename(&fresh, path));
        if written.is_err() {
            // Half of it is of no use, and takes room.
            let _ = std::fs::remove_file(&fresh);
        }
        written?;
        self.touch();
        // The name, too. Where a folder cannot be synced, the system does so in time.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    /// The show is still there.
    pub(super) fn touch(&self) {
        // Only how exactly its death is known hangs on it.
        let _ = self.0.lock.set_modified(SystemTime::now());
    }

    /// The show has ended: there is nothing to go on from. The lock goes with the last clone.
    ///
    /// # Errors
    /// It cannot be taken away, and will be found again.
    pub fn remove(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.0.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(())
    }
}

/// Addresses in it may have passwords in them, as the show file has: it is for its owner only.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn sum(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(kept: &KeptShow) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(kept).map_err(io::Error::other)?;
    let mut text = format!("{NAME} {VERSION} {}\n", sum(&body)).into_bytes();
    text.extend(body);
    Ok(text)
}

/// What is read of a state that was written, without a disk between: for a rehearsal's.
pub(crate) fn round_trip(kept: &KeptShow) -> Result<KeptShow, String> {
    parse(&text(kept).map_err(|error| error.to_string())?)
}

fn parse(bytes: &[u8]) -> Result<KeptShow, String> {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(line);
    let head = std::str::from_utf8(head).unwrap_or_default();
    let mut words = head.split(' ');
    let (name, version, said) = (words.next(), words.next(), words.next());
    if name != Some(NAME) || bytes.len() as u64 > MOST_BYTES {
        return Err("it is no state of a show".to_owned());
    }
    if version != Some(VERSION) {
        let version = version.unwrap_or_default();
        return Err(format!("it is of version {version:?}, and this obvan reads version {VERSION}"));
    }
    let body = body.get(1..).unwrap_or_default();
    if said != Some(sum(body).as_str()) {
        return Err("it is damaged: it is not what was written".to_owned());
    }
    let kept: KeptShow =
        serde_json::from_slice(body).map_err(|error| format!("it is not understood: {error}"))?;
    kept.check()?;
    Ok(kept)
}

/// Milliseconds since 1970, UTC.
pub(crate) fn unix_millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use media::{Span, Time};
    use pipeline_dsl::{Action, MarkFade, MarkMove, Switch};
    use proptest::prelude::*;
    use scheduling::{ChannelIx, Command, Input, Switcher};

    use super::*;
    use crate::command::Refused;
    use crate::report::{OnAirReport, PartEnd, PartReport};
    use crate::resume::{KeptChannel, KeptFile, KeptMark, KeptMarks};

    const SHOW: &str = r#"show night {
      video 640x360 25fps
      camera a { line one test bars } camera b { line two test bars }
      watermark name { text "Live" }
      ladder one { rung x 640x360 1M }
      channel c { sources a b; watermark name; ladder one; egress w serve http-flv }
      rundown c { at 4s cut b; at 30s end }
    }"#;

    fn kept(at_ms: i64, words: &str) -> KeptShow {
        let show = pipeline_dsl::parse_show(SHOW).unwrap();
        let mut switcher = Switcher::new(&show).unwrap();
        let at = Time::from_millis(at_ms);
        let cut = Command::from(Action::Cut { source: "b".into() });
        switcher.handle(Input::Command { channel: ChannelIx(0), command: &cut }, at).unwrap();
        switcher.handle(Input::Tick, at).unwrap();
        let (name, text) = ("name".to_owned(), Some(words.to_owned()));
        let (fade, put) = (MarkFade::new(Switch::Off), MarkMove::default());
        let mark = KeptMark { name, said: Switch::On, fade, text, put };
        let source = Some(words.to_owned());
        KeptShow {
            show: Arc::new(show),
            at,
            unix_ms: 1_795_304_040_000,
            switcher: switcher.save(),
            channels: vec![KeptChannel {
                name: "c".to_owned(),
                marks: KeptMarks { marks: vec![mark], waiting: Vec::new() },
                on_air: vec![OnAirReport { t: at.as_secs_f64(), source, reason: "cut".to_owned() }],
            }],
            files: vec![KeptFile {
                subject: "a/one".to_owned(),
                path: pipeline_dsl::Text::Plain(words.to_owned()),
                since: at,
            }],
            answers: vec![(words.to_owned(), Err(Refused::new("late", words, &["x"])))],
            parts: vec![PartReport { from: 0.0, to: at.as_secs_f64(), end: PartEnd::Ended }],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_written_is_read_again(at_ms in 0i64..100_000_000, words in ".{0,40}") {
            let kept = kept(at_ms, &words);
            prop_assert_eq!(parse(&text(&kept).unwrap()).unwrap(), kept);
        }

        /// Whatever befalls a file, it is refused in words, or is what it was.
        #[test]
        fn what_is_damaged_is_not_taken_for_a_state(
            at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<bool>(),
        ) {
            let kept = kept(40_000, "Karry");
            let mut bytes = text(&kept).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            prop_assert!(parse(&bytes).is_err());
        }

        #[test]
        fn garbage_is_no_state(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse(&bytes).is_err());
        }
    }

    #[test]
    fn a_state_from_elsewhere_says_why_it_is_none() {
        let later = String::from_utf8(text(&kept(0, "")).unwrap()).unwrap().replacen("state 1", "state 2", 1);
        assert_eq!(
            parse(later.as_bytes()),
            Err("it is of version \"2\", and this obvan reads version 1".to_owned())
        );
        assert_eq!(parse(b"show \"x\" {}\n"), Err("it is no state of a show".to_owned()));
        let mut far = kept(0, "");
        far.unix_ms = i64::MAX;
        assert!(parse(&text(&far).unwrap()).unwrap_err().starts_with("its times"));
    }

    /// Nor does anybody wait for the other end of a pipe.
    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["night.state", "other.state.lock"] {
            let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
            assert!(made.unwrap().success());
        }
        for name in ["night", "other"] {
            let said = StateFile::open(folder.path().join(format!("{name}.state"))).unwrap_err().to_string();
            assert!(said.ends_with(&format!("{name}.state: it is no regular file")), "{said}");
        }
        std::fs::create_dir(folder.path().join("third.state")).unwrap();
        assert!(StateFile::open(folder.path().join("third.state")).is_err());
        let (deep, on_a_file) =
            (folder.path().join("a/b/c.state"), folder.path().join("a/b/c.state.lock/d.state"));
        let open = StateFile::open(&deep).unwrap();
        assert!(StateFile::open(on_a_file).is_err() && deep.with_file_name("c.state.lock").exists());
        drop(open);
    }

    #[test]
    fn one_engine_at_a_time_has_the_file_and_the_next_one_knows_when_it_died() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.state");
        let names = || {
            let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        let file = StateFile::open(&path).unwrap();
        assert_eq!(file.read().unwrap(), None);
        assert!(matches!(StateFile::open(&path), Err(StateError::Busy { .. })));
        let before = KeptShow { unix_ms: unix_millis(SystemTime::now()) - 4_000, ..kept(8_000, "") };
        file.write(&before).unwrap();
        drop(file);
        // It gave a sign of life 4 s after what it kept, in which it came as far.
        let file = StateFile::open(&path).unwrap();
        let read = file.read().unwrap().unwrap();
        assert!((12_000..14_000).contains(&read.reached().as_millis_rounded()), "{}", read.reached());
        let now = read.died() + Duration::from_secs(10);
        assert_eq!(
            (read.age(now), read.time_at(now)),
            (Duration::from_secs(10), read.reached() + Span::from_secs(10))
        );
        assert_eq!(read.parts_so_far()[0].end, PartEnd::Died);
        // A clock that was put back does not put the show back.
        let back = read.died() - Duration::from_secs(3600);
        assert!(read.time_at(back) > read.reached() && read.age(back) == Duration::ZERO);
        assert_eq!(read.end_of(&read.show), Some(Time::from_secs(30)));
        assert_eq!(read.problem(&read.show), None);
        let faster = pipeline_dsl::parse_show(&SHOW.replace("25fps", "50fps")).unwrap();
        assert_eq!(read.problem(&faster).unwrap(), "it was stored at 25fps, and the show runs at 50fps");
        file.put_aside();
        file.write(&kept(1, "")).unwrap();
        file.write(&kept(2, "")).unwrap();
        assert_eq!(names(), ["night.state", "night.state.lock", "night.state.old"]);
        file.remove().unwrap();
        let aside = file.aside();
        drop(file);
        assert_eq!(names(), ["night.state.old"]);
        assert_eq!(parse(&std::fs::read(aside).unwrap()).unwrap(), before);
    }
}
