//! A simulated disk: it keeps nothing of what is written to it but the count, and can run full as a
//! real one does, in the midst of a tag, or break.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pipeline_dsl::rehearsal::DiskFault;

use crate::egress::disk::Disk;

/// What a disk is like.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Health {
    /// It takes what comes.
    #[default]
    Well,
    /// It has no room, but for half of what is written next.
    Full,
    /// It can no longer be written to.
    Broken,
}

/// One file on it. A clone is the same file.
#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    length: u64,
    health: Health,
    /// It is full, and the last room is taken.
    is_out: bool,
    /// The file was taken away.
    is_gone: bool,
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is like this.
    pub(crate) fn becomes(&self, health: Health) {
        let mut state = self.state();
        if state.health != health {
            (state.health, state.is_out) = (health, false);
        }
    }
}

impl Health {
    /// With this fault as well: the latest counts.
    pub(crate) const fn after(self, fault: DiskFault) -> Self {
        match fault {
            DiskFault::Full => Self::Full,
            DiskFault::Broken => Self::Broken,
            DiskFault::Slow(_) => self,
        }
    }
}

/// As the system would say it.
pub(crate) fn error(health: Health) -> io::Error {
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;
    io::Error::from_raw_os_error(if health == Health::Broken { EIO } else { ENOSPC })
}

impl Write for SimulatedDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let taken = match state.health {
            Health::Well => bytes.len(),
            Health::Full if !state.is_out => bytes.len() / 2,
            Health::Full | Health::Broken => 0,
        };
        state.is_out |= state.health == Health::Full;
        if taken == 0 && !bytes.is_empty() {
            return Err(error(state.health));
        }
        state.length += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.state().length)
    }
    fn cut(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        if state.health == Health::Broken {
            return Err(error(Health::Broken));
        }
        state.length = length;
        Ok(())
    }
    fn write_over(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let state = self.state();
        let is_there = at + bytes.len() as u64 <= state.length;
        if is_there && state.health != Health::Broken { Ok(()) } else { Err(error(state.health)) }
    }
    fn sync(&self) -> io::Result<()> {
        let health = self.state().health;
        if health == Health::Broken { Err(error(health)) } else { Ok(()) }
    }
    fn is_gone(&self) -> io::Result<bool> {
        Ok(self.state().is_gone)
    }
    fn remove(&self, _: &Path) {
        let mut state = self.state();
        (state.length, state.is_gone) = (0, true);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use flv::{FILE_HEADER_LEN, FlvMillis, Tag, TagKind};

    use super::*;
    use crate::egress::EgressMeter;
    use crate::egress::queue::{Item, Role};
    use crate::egress::record::Recorder;
    use crate::start::Begun;

    fn picture(n: u32) -> Item {
        let tag = Tag::new(TagKind::Video, FlvMillis(n * 40), Bytes::from(vec![0x27; 1_000])).unwrap();
        Item { tag, role: Role::Delta }
    }

    fn begun() -> Arc<Begun> {
        let begun = Arc::new(Begun::default());
        begun.set();
        begun
    }

    /// What the recorder does is what it does to a file: half a tag goes again, whole ones stay.
    #[test]
    fn a_recording_ends_with_a_whole_tag_however_the_disk_fails() {
        let tag = picture(0).tag.wire_len() as u64;
        let whole = FILE_HEADER_LEN as u64 + 10 * tag;
        for (health, why, left) in [
            (Health::Full, "No space left on device (os error 28)", whole),
            (Health::Broken, "Input/output error (os error 5)", whole),
        ] {
            let (disk, meter) = (SimulatedDisk::default(), EgressMeter::default());
            let mut recorder = Recorder::begin("tape.flv".into(), disk.clone(), begun()).unwrap();
            (0..10).for_each(|n| recorder.put(&picture(n), &meter).unwrap());
            assert_eq!(disk.length().unwrap(), whole);
            disk.becomes(health);
            let error = recorder.put(&picture(10), &meter).unwrap_err();
            let torn = disk.length().unwrap();
            assert_eq!(torn > whole, health == Health::Full, "{torn} bytes");
            let said = recorder.cut(&error, &meter);
            let want = format!("tape.flv: {why}; the recording ends after {whole} bytes of whole tags");
            assert!(said.starts_with(&want), "{said}");
            assert_eq!((disk.length().unwrap(), meter.bytes()), (left, 10 * tag));
        }
    }

    /// Nothing real is touched, whatever the file's name is.
    #[test]
    fn a_file_without_a_header_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bb.flv");
        std::fs::write(&path, "another's").unwrap();
        let disk = SimulatedDisk::default();
        disk.becomes(Health::Broken);
        let error = Recorder::begin(path.clone(), disk.clone(), begun()).err().unwrap();
        assert!(error.to_string().contains("bb.flv: cannot be created: Input/output error"), "{error}");
        assert!(disk.is_gone().unwrap() && path.exists());
    }
}
