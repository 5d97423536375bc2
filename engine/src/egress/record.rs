//! Recording to FLV: never over an existing file, and so written that a killed
//! engine leaves a file that plays up to its last tag.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BytesMut;
use flv::script::Metadata;
use flv::{FILE_HEADER_LEN, FileHeader, FlvMillis, Tag, TagKind, Tracks};
use media::Span;

use crate::egress::EgressMeter;
use crate::egress::disk::Disk;
use crate::egress::queue::{Bound, Item, Role, SinkQueue, WhenFull};
use crate::event::Level;
use crate::report::EgressState;
use crate::reporter::Reporter;
use crate::start::Begun;

/// How many `-2`, `-3`, … are tried before giving up.
const MOST_SIBLINGS: u32 = 10_000;

/// A recording that could not be made, and the file that was tried.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be created: {error}", path.display())]
pub(crate) struct CreateError {
    path: PathBuf,
    error: io::Error,
}

/// What may wait for a disk: half a minute of one that stalls, or a quarter gigabyte.
pub(crate) const BOUND: Bound = Bound { millis: 30_000, bytes: 256 << 20, when_full: WhenFull::Drop };

/// One recording: a queue on one side, a file on the other.
pub(crate) struct Recorder<D: Disk = File> {
    made: Made,
    file: BufWriter<D>,
    /// Up to where whole tags were when all was last flushed.
    whole: Mark,
    /// The tags written since then.
    fresh: Vec<Mark>,
    metadata: Option<(Metadata, usize)>,
    first: Option<FlvMillis>,
    /// Where in the file the first tag ends that is no header.
    media: Option<u64>,
    tags: Tags,
    /// Pictures that the disk was too slow for.
    lost: u64,
}

/// The newest header of each kind that came by: what a file that begins in mid-stream begins with.
#[derive(Default)]
pub(crate) struct Heads([Option<Tag>; 3]);

impl Heads {
    /// Takes note of a header; of what is none, of nothing.
    pub(crate) fn note(&mut self, item: &Item) {
        if item.role == Role::Header {
            let place = match item.tag.kind {
                TagKind::Script => 0,
                TagKind::Video => 1,
                TagKind::Audio => 2,
            };
            self.0[place] = Some(item.tag.clone());
        }
    }

    /// What a file holds in front that goes on with `item`, and `item`.
    pub(crate) fn before(&self, item: Item) -> Vec<Item> {
        let at = item.tag.timestamp;
        let headers = self.0.iter().flatten().map(|tag| {
            let mut tag = tag.clone();
            tag.timestamp = at;
            Item { tag, role: Role::Header }
        });
        headers.chain(std::iter::once(item)).collect()
    }
}

/// Whose tags it is that are recorded.
enum Tags {
    /// Our own: the metadata in front is ours to complete.
    Ours,
    /// Somebody else's, as they came. What the file's header says of them is put right at the end.
    Received { sound: bool, pictures: bool },
}

/// What events of a recording are called.
pub(crate) struct Codes {
    /// It has ended before its time.
    pub(crate) failed: &'static str,
    /// The disk is too slow for it.
    pub(crate) behind: &'static str,
}

/// A recording of a channel's rung.
pub(crate) const EGRESS: Codes = Codes { failed: "egress-failed", behind: "egress-behind" };

/// The file as made for a show, which goes again if the show does not start.
struct Made {
    path: PathBuf,
    begun: Arc<Begun>,
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.begun.is_set() {
            // Nothing was ever shown in it; if it cannot be removed, it plays as nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The end of a tag in the file, and the newest picture before it.
#[derive(Clone, Copy)]
struct Mark {
    end: u64,
    picture: FlvMillis,
}

/// The `n`th file of this name: `name.ext`, `name-2.ext`, `name-3.ext`, …
pub(crate) fn sibling(path: &Path, n: u32) -> PathBuf {
    if n <= 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{n}{extension}"))
}

/// Opens `path`, or `name-2.ext`, `name-3.ext`, … if it is there already.
pub(crate) fn create_new(path: &Path) -> Result<(PathBuf, File), CreateError> {
    let failed = |path: PathBuf, error| CreateError { path, error };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(path.to_owned(), error))?;
    }
    for n in 1..=MOST_SIBLINGS {
        let candidate = sibling(path, n);
        match OpenOptions::new().write(true).create_new(true).open(&candidate) {
            Ok(file) => return Ok((candidate, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(candidate, error)),
        }
    }
    let error = io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("{MOST_SIBLINGS} recordings of this name are there"),
    );
    Err(failed(path.to_owned(), error))
}

impl Recorder {
    /// Opens the file and writes FLV's header. Unless the show has begun by
    /// the time the recorder ends, its file is removed again.
    pub(crate) fn create(path: &Path, begun: Arc<Begun>) -> Result<Self, CreateError> {
        let (path, file) = create_new(path)?;
        Self::begin(path, file, begun)
    }
}

impl<D: Disk> Recorder<D> {
    /// Writes the header of a file that was just made; without it, the file goes again.
    pub(crate) fn begin(path: PathBuf, mut file: D, begun: Arc<Begun>) -> Result<Self, CreateError> {
        let mut header = BytesMut::new();
        flv::write_file_header(&mut header, Tracks::Both);
        if let Err(error) = file.write_all(&header) {
            file.remove(&path);
            return Err(CreateError { path, error });
        }
        let made = Made { path, begun };
        let file = BufWriter::with_capacity(256 << 10, file);
        let whole = Mark { end: FILE_HEADER_LEN as u64, picture: FlvMillis(0) };
        let fresh = Vec::new();
        let (metadata, first, media) = (None, None, None);
        Ok(Self { made, file, whole, fresh, metadata, first, media, tags: Tags::Ours, lost: 0 })
    }

    /// For tags that are not ours: nothing of them is changed.
    #[must_use]
    pub(crate) fn of_received(mut self) -> Self {
        self.tags = Tags::Received { sound: false, pictures: false };
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.made.path
    }

    /// Writes what the queue gives until it is closed. Each time it runs dry, all is on its way to the disk.
    ///
    /// # Errors
    /// It has ended before its time, and this is to be told.
    pub(crate) fn run(
        self,
        queue: &Arc<SinkQueue>,
        meter: &EgressMeter,
        reporter: &Reporter,
        codes: &Codes,
    ) -> Result<(), String> {
        let ended = self.run_on(&mut Heads::default(), queue, meter, reporter, codes);
        if ended.is_err() {
            // What still comes is for nobody: the feed must not wait for us.
            queue.close();
        }
        ended
    }

    /// Writes what a file begins with that goes on in mid-stream. A file in which nothing but
    /// headers is goes again.
    ///
    /// # Errors
    /// There is no room, and this is to be told.
    pub(crate) fn begun_with(mut self, opening: &[Item], meter: &EgressMeter) -> Result<Self, String> {
        match opening.iter().try_for_each(|item| self.write(item)).and_then(|()| self.flush(meter)) {
            Ok(()) => Ok(self),
            Err(error) => Err(self.cut(&error, meter)),
        }
    }

    /// As [`run`](Self::run), but the queue stays open: whoever calls goes on with it. `heads`
    /// become what came by. A file in which nothing but headers is goes again.
    ///
    /// # Errors
    /// As `run`.
    pub(crate) fn run_on(
        mut self,
        heads: &mut Heads,
        queue: &Arc<SinkQueue>,
        meter: &EgressMeter,
        reporter: &Reporter,
        codes: &Codes,
    ) -> Result<(), String> {
        let result = self.record(heads, queue, meter, reporter, codes);
        meter.dropped(queue.take_dropped());
        match result.and_then(|()| self.close()) {
            Ok(()) => {
                meter.set(EgressState::Closed);
                Ok(())
            }
            Err(error) => {
                meter.set(EgressState::Failed);
                Err(self.cut(&error, meter))
            }
        }
    }

    /// Writes a tag, and has it on its way to the disk.
    pub(crate) fn put(&mut self, item: &Item, meter: &EgressMeter) -> io::Result<()> {
        self.write(item)?;
        self.flush(meter)
    }

    /// Pictures were dropped before they could be written: what is to be said of it, once.
    pub(crate) fn missed(&mut self, dropped: u64, meter: &EgressMeter) -> Option<String> {
        if dropped == 0 {
            return None;
        }
        meter.dropped(dropped);
        let is_new = self.lost == 0;
        self.lost = self.lost.saturating_add(dropped);
        let path = self.made.path.display();
        is_new.then(|| format!("{path}: the disk is too slow: pictures are missing from the recording"))
    }

    /// From its first picture to its last, as far as both are whole on the disk.
    pub(crate) fn length(&self) -> Span {
        let first = self.first.map_or(0, |first| self.whole.picture.since(first));
        Span::from_millis(i64::from(first).max(0))
    }

    /// Ends a file in which nothing more can be written, and says how.
    pub(crate) fn cut(self, error: &io::Error, meter: &EgressMeter) -> String {
        let (path, media) = (self.made.path.clone(), self.media);
        let is_received = matches!(self.tags, Tags::Received { .. });
        let (file, whole, salvaged) = self.salvage(meter);
        let shown = path.display();
        if is_received && media.is_none_or(|media| media > whole) {
            file.remove(&path);
            return format!("{shown}: {error}; nothing could be written");
        }
        let but = salvaged.err().map(|e| format!(", nor be closed there: {e}")).unwrap_or_default();
        format!("{shown}: {error}; the recording ends after {whole} bytes of whole tags{but}")
    }

    fn record(
        &mut self,
        heads: &mut Heads,
        queue: &Arc<SinkQueue>,
        meter: &EgressMeter,
        reporter: &Reporter,
        codes: &Codes,
    ) -> io::Result<()> {
        while let Some(item) = queue.pop_blocking() {
            heads.note(&item);
            self.write(&item)?;
            while let Some(item) = queue.try_pop() {
                heads.note(&item);
                self.write(&item)?;
            }
            self.flush(meter)?;
            if let Some(message) = self.missed(queue.take_dropped(), meter) {
                reporter.event(Level::Warn, codes.behind, message);
            }
        }
        Ok(())
    }

    /// All is on its way to the disk.
    fn flush(&mut self, meter: &EgressMeter) -> io::Result<()> {
        self.file.flush()?;
        let whole = self.fresh.last().copied().unwrap_or(self.whole);
        meter.sent((whole.end - self.whole.end) as usize);
        self.whole = whole;
        self.fresh.clear();
        Ok(())
    }

    /// After a failed write: ends the file at the last tag that is whole on disk, since a half
    /// one would end it in damage. Gives the length, and what kept it from being closed there.
    fn salvage(self, meter: &EgressMeter) -> (D, u64, io::Result<()>) {
        // Without its buffer, which would be written behind the cut when it is dropped.
        let (file, _unwritten) = self.file.into_parts();
        let there = file.length().unwrap_or(self.whole.end);
        let fits = self.fresh.iter().rev().find(|mark| mark.end <= there);
        let whole = fits.copied().unwrap_or(self.whole);
        meter.sent((whole.end - self.whole.end) as usize);
        let closed = file.cut(whole.end).and_then(|()| {
            // In place: that needs no room.
            match self.metadata.and_then(|(metadata, len)| measured(metadata, len, self.first, whole.picture))
            {
                Some(tag) => file.write_over(&tag, FILE_HEADER_LEN as u64),
                None => Ok(()),
            }
        });
        (file, whole.end, closed)
    }

    fn write(&mut self, item: &Item) -> io::Result<()> {
        let tag = &item.tag;
        match &mut self.tags {
            Tags::Ours if tag.kind == TagKind::Script && self.metadata.is_none() => {
                self.metadata = Metadata::parse(tag.body()).ok().flatten().map(|m| (m, tag.body().len()));
            }
            Tags::Ours => {}
            Tags::Received { sound, pictures } => {
                // A file without a name takes all that is written, for nobody.
                if item.role == Role::Key && self.file.get_ref().is_gone()? {
                    return Err(io::Error::new(io::ErrorKind::NotFound, "somebody removed it"));
                }
                *sound |= tag.kind == TagKind::Audio;
                *pictures |= tag.kind == TagKind::Video;
            }
        }
        let before = self.fresh.last().copied().unwrap_or(self.whole);
        let mut mark = Mark { end: before.end + tag.wire_len() as u64, picture: before.picture };
        if matches!(item.role, Role::Key | Role::Delta) {
            self.first.get_or_insert(tag.timestamp);
            mark.picture = tag.timestamp;
        }
        if item.role != Role::Header {
            self.media.get_or_insert(mark.end);
        }
        self.fresh.push(mark);
        self.file.write_all(&tag.header())?;
        self.file.write_all(tag.body())?;
        self.file.write_all(&tag.trailer())
    }

    /// Says in the metadata how long the recording became, or in the file's header what is in it,
    /// and waits for the disk.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Tags::Received { sound, pictures } = self.tags {
            let tracks = match (sound, pictures) {
                (true, true) => Tracks::Both,
                (true, false) => Tracks::Audio,
                (false, true) => Tracks::Video,
                (false, false) => Tracks::Neither,
            };
            self.file.get_ref().write_over(&FileHeader { tracks }.to_bytes(), 0)?;
        }
        let metadata = self.metadata.clone();
        if let Some(tag) =
            metadata.and_then(|(metadata, len)| measured(metadata, len, self.first, self.whole.picture))
        {
            self.file.get_ref().write_over(&tag, FILE_HEADER_LEN as u64)?;
        }
        self.file.get_ref().sync()
    }
}

/// The metadata's tag with the length of the recording in it, from its first picture to the end of
/// its last one; `None` without pictures, or if the tag would not stay as long as it was.
fn measured(
    mut metadata: Metadata,
    body_len: usize,
    first: Option<FlvMillis>,
    last: FlvMillis,
) -> Option<BytesMut> {
    let frame_ms = metadata.framerate.filter(|rate| *rate > 0.0).map_or(0.0, |rate| 1000.0 / rate);
    let length_ms = (f64::from(last.since(first?)) + frame_ms).round();
    metadata.duration = Some(length_ms / 1000.0);
    let tag = metadata.to_tag(FlvMillis(0)).ok()?;
    let mut bytes = BytesMut::new();
    (tag.body().len() == body_len).then(|| tag.write_into(&mut bytes))?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that is full takes a name, but no byte.
    #[test]
    fn a_file_without_a_header_goes_again_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bb.flv");
        let begun = Arc::new(Begun::default());
        begun.set();
        let first = Recorder::create(&path, Arc::clone(&begun)).unwrap();
        let (second, file) = create_new(&path).unwrap();
        drop(file);
        let error = Recorder::begin(second.clone(), File::open(&second).unwrap(), begun).err().unwrap();
        assert!(error.to_string().contains("/bb-2.flv: cannot be created: "), "{error}");
        assert!(!second.exists() && first.path().exists());
    }

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
