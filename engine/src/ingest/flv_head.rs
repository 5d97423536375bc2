//! Which tracks an FLV file has, by its first tags.
//!
//! GStreamer's FLV demuxer shows a stream when its first tag comes, and never
//! says that there are no more: who opens such a file must know what to wait for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flv::{Item, TagKind, TagReader};
use media::Track;

/// As far as tracks are looked for; the header's own flags are often wrong.
const HEAD: u64 = 1 << 20;

/// The tracks of an FLV file; none for any other file.
pub(crate) fn tracks(path: &Path) -> Vec<Track> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if read.is_err() || !head.starts_with(b"FLV") {
        return Vec::new();
    }
    let mut reader = TagReader::new();
    reader.push(head.into());
    let mut tracks = Vec::new();
    // Damage ends the look: what comes behind it is found or not.
    while let Ok(Some(item)) = reader.next() {
        let track = match item {
            Item::Tag(tag) if tag.kind == TagKind::Video => Track::Video,
            Item::Tag(tag) if tag.kind == TagKind::Audio => Track::Audio,
            _ => continue,
        };
        if !tracks.contains(&track) {
            tracks.push(track);
        }
    }
    tracks
}
