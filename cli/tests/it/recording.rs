//! A recording read back.

use std::path::Path;
use std::process::Command;

use flv::script::Metadata;
use flv::video::VideoHeader;
use flv::{Ending, Item, Tag, TagKind, TagReader};

pub struct Recording {
    pub tags: Vec<Tag>,
    pub ending: Ending,
    pub len: usize,
}

/// All tags of a file without damage; its end may be cut.
pub fn read(path: &Path) -> Recording {
    let bytes = std::fs::read(path).unwrap();
    let len = bytes.len();
    let mut reader = TagReader::new();
    reader.push(bytes.into());
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    Recording { tags, ending: reader.finish(), len }
}

impl Recording {
    pub fn is_whole(&self) -> bool {
        self.ending == Ending::Whole
    }

    /// Pictures in it.
    pub fn pictures(&self) -> usize {
        let video = self.tags.iter().filter(|tag| tag.kind == TagKind::Video);
        video.filter(|tag| VideoHeader::parse(tag.body()).unwrap().has_picture()).count()
    }

    /// How long its metadata says it is, in seconds.
    pub fn says_seconds(&self) -> f64 {
        assert_eq!(self.tags[0].kind, TagKind::Script);
        Metadata::parse(self.tags[0].body()).unwrap().unwrap().duration.unwrap()
    }

    /// Fails the test unless its end is whole and its metadata says how long its pictures last.
    #[track_caller]
    pub fn is_closed_in_good_order(&self) {
        assert!(self.is_whole(), "{:?}", self.ending);
        let lasts = self.pictures() as f64 / 25.0;
        assert!(lasts > 0.0);
        assert!((self.says_seconds() - lasts).abs() < 0.001, "{} s, not {lasts} s", self.says_seconds());
    }
}

/// What FFmpeg complains about when it decodes the file; nothing if all is well.
pub fn complaints(path: &Path) -> String {
    let args = ["-nostdin", "-hide_banner", "-v", "error", "-i", path.to_str().unwrap(), "-f", "null", "-"];
    let output = Command::new("ffmpeg").args(args).output().expect("`make setup` installs ffmpeg");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}
