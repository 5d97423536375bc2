//! Recording to FLV: never over an existing file, and so written that a killed
//! engine leaves a file that plays up to its last tag.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BytesMut;
use flv::script::Metadata;
use flv::{FILE_HEADER_LEN, FlvMillis, TagKind, Tracks};

use crate::egress::EgressMeter;
use crate::egress::queue::{Item, SinkQueue};
use crate::event::Level;
use crate::report::EgressState;
use crate::reporter::Reporter;

/// How many `-2`, `-3`, … are tried before giving up.
const MOST_SIBLINGS: u32 = 10_000;

/// One recording: a queue on one side, a file on the other.
pub(crate) struct Recorder {
    path: PathBuf,
    file: BufWriter<File>,
    /// Up to where whole tags are on disk.
    whole: u64,
    metadata: Option<(Metadata, usize)>,
    last: FlvMillis,
    first: Option<FlvMillis>,
}

/// Opens `path`, or `name-2.ext`, `name-3.ext`, … if it is there already.
pub(crate) fn create_new(path: &Path) -> io::Result<(PathBuf, File)> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    for n in 1..=MOST_SIBLINGS {
        let candidate =
            if n == 1 { path.to_owned() } else { path.with_file_name(format!("{stem}-{n}{extension}")) };
        match OpenOptions::new().write(true).create_new(true).open(&candidate) {
            Ok(file) => return Ok((candidate, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("{MOST_SIBLINGS} recordings of this name are there"),
    ))
}

impl Recorder {
    /// Opens the file and writes FLV's header.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let (path, file) = create_new(path)?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        let mut header = BytesMut::new();
        flv::write_file_header(&mut header, Tracks::Both);
        file.write_all(&header)?;
        file.flush()?;
        let whole = FILE_HEADER_LEN as u64;
        Ok(Self { path, file, whole, metadata: None, last: FlvMillis(0), first: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what the queue gives until it is closed. Each time it runs dry, all is on its way to the disk.
    pub(crate) fn run(mut self, queue: &Arc<SinkQueue>, meter: &EgressMeter, reporter: &Reporter) {
        let result = self.record(queue, meter);
        meter.dropped(queue.take_dropped());
        match result.and_then(|()| self.close()) {
            Ok(()) => meter.set(EgressState::Closed),
            Err(error) => {
                // A half tag at the end would make the file end in damage.
                let cut = self.file.get_ref().set_len(self.whole);
                let cut = cut.err().map(|e| format!(", nor be cut there: {e}")).unwrap_or_default();
                let message = format!(
                    "{}: {error}; the recording ends after {} bytes of whole tags{cut}",
                    self.path.display(),
                    self.whole
                );
                meter.set(EgressState::Failed);
                reporter.event(Level::Alarm, "egress-failed", message);
                // What still comes is for nobody: the feed must not wait for us.
                queue.close();
            }
        }
    }

    fn record(&mut self, queue: &Arc<SinkQueue>, meter: &EgressMeter) -> io::Result<()> {
        while let Some(item) = queue.pop_blocking() {
            let mut written = self.write(&item)?;
            while let Some(item) = queue.try_pop() {
                written += self.write(&item)?;
            }
            self.file.flush()?;
            self.whole += written as u64;
            meter.sent(written);
            let dropped = queue.take_dropped();
            if dropped > 0 {
                meter.dropped(dropped);
            }
        }
        Ok(())
    }

    fn write(&mut self, item: &Item) -> io::Result<usize> {
        let tag = &item.tag;
        if tag.kind == TagKind::Script && self.metadata.is_none() {
            self.metadata = Metadata::parse(tag.body()).ok().flatten().map(|m| (m, tag.body().len()));
        }
        if tag.kind == TagKind::Video {
            self.first.get_or_insert(tag.timestamp);
            self.last = tag.timestamp;
        }
        self.file.write_all(&tag.header())?;
        self.file.write_all(tag.body())?;
        self.file.write_all(&tag.trailer())?;
        Ok(tag.wire_len())
    }

    /// Says in the metadata how long the recording became, and waits for the disk.
    fn close(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let length = self.first.map_or(0, |first| self.last.since(first));
        if let Some((metadata, body_len)) = &mut self.metadata {
            metadata.duration = Some(f64::from(length) / 1000.0);
            // The first tag; rewritten only if it stays as long as it was.
            if let Ok(tag) = metadata.to_tag(FlvMillis(0))
                && tag.body().len() == *body_len
            {
                let mut bytes = BytesMut::new();
                tag.write_into(&mut bytes);
                self.file.seek(SeekFrom::Start(FILE_HEADER_LEN as u64))?;
                self.file.write_all(&bytes)?;
                self.file.flush()?;
            }
        }
        self.file.get_ref().sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_never_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/program-720p.flv");
        let names: Vec<_> = (0..3)
            .map(|_| create_new(&path).unwrap().0.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["program-720p.flv", "program-720p-2.flv", "program-720p-3.flv"]);
    }
}
