//! Which ways out carry FLV tags. Tags are what is encrypted, so any other way
//! out of an encrypted channel must be opened by the show's own word.

use crate::model::{Door, Egress, Target};

/// What an egress of an encrypted channel may lead to, for messages.
pub(crate) const CARRIERS: &str = "pushes to rtmp:// and rtmps://, `serve`, recordings named `.flv`";

impl Egress {
    /// Whether an encrypted channel may leave this way: as FLV tags, or in the
    /// clear by the show's own word. `place` is its URL or path with all
    /// variables filled in; what is served needs none.
    ///
    /// ```
    /// let show = pipeline_dsl::parse_show(pipeline_dsl::EXAMPLE)?;
    /// let disk = &show.channels[0].egresses[2];
    /// assert!(disk.is_open_to_encrypted("program-720p.flv"));
    /// assert!(!disk.is_open_to_encrypted("program-720p.mp4"));
    /// # Ok::<(), Vec<pipeline_dsl::Diagnostic>>(())
    /// ```
    pub fn is_open_to_encrypted(&self, place: &str) -> bool {
        self.door == Door::Clear
            || match self.target {
                Target::Push { .. } => push_carries_tags(place),
                Target::ServeHttpFlv | Target::ServeRtmp => true,
                Target::Record { .. } => record_carries_tags(place),
            }
    }
}

/// Whether what is pushed to this URL are FLV tags.
pub(crate) fn push_carries_tags(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| {
        ["rtmp", "rtmps"].iter().any(|carrier| scheme.eq_ignore_ascii_case(carrier))
    })
}

/// Whether a recording of this name is a file of FLV tags.
pub(crate) fn record_carries_tags(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("flv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_by_rtmp_and_into_flv_files() {
        for url in ["rtmp://host/live/x", "RTMPS://host/live/x"] {
            assert!(push_carries_tags(url), "{url}");
        }
        for url in ["srt://host:9000?x=rtmp://y", "icecast://host/x", "http://host/x.flv", "rtmp:host", ""] {
            assert!(!push_carries_tags(url), "{url}");
        }
        for path in ["x.flv", "deep.ts/x.FLV", "{channel}-{rung}.flv", ".flv"] {
            assert!(record_carries_tags(path), "{path}");
        }
        for path in ["x.mp4", "x.ts", "x.m3u8", "x.mkv", "x", "flv", "a.flv/x", "a.flv.mp4", "x.{rung}", ""] {
            assert!(!record_carries_tags(path), "{path}");
        }
    }
}
