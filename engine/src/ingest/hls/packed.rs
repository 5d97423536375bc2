//! Sound without a container: frames of AAC or MP3 behind one another, and before them an ID3 tag
//! that says when the first one is heard (RFC 8216, section 3.4).

/// Whose frame of the tag it is; a zero ends the name, and eight bytes follow.
const OWNER: &[u8] = b"com.apple.streaming.transportStreamTimestamp\0";
/// A tag's own head.
const TAG: usize = 10;
/// Time stamps of MPEG-TS have so many bits.
const STAMP: u64 = (1 << 33) - 1;

/// What stands before the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// Its length, in bytes.
    pub(super) len: usize,
    /// When the first frame is heard, in ticks of 90 kHz.
    pub(super) stamp: Option<u64>,
}

impl Head {
    /// The tags with which a segment begins.
    pub(super) fn read(segment: &[u8]) -> Self {
        let mut head = Self::default();
        while let Some(len) = segment.get(head.len..).and_then(tag) {
            let tag = segment.get(head.len..head.len.saturating_add(len)).unwrap_or_default();
            head.stamp = head.stamp.or_else(|| stamp(tag));
            head.len = head.len.saturating_add(len).min(segment.len());
        }
        head
    }
}

/// The length of the ID3 tag that begins here (ID3v2.4, section 3.1).
fn tag(data: &[u8]) -> Option<usize> {
    let &[b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = data else { return None };
    // Seven bits in each byte.
    let len = [a, b, c, d]
        .iter()
        .try_fold(0, |len, byte| (byte & 0x80 == 0).then(|| len << 7 | usize::from(*byte)))?;
    let footer = if flags & 0x10 != 0 { TAG } else { 0 };
    Some(TAG + len + footer)
}

fn stamp(tag: &[u8]) -> Option<u64> {
    let at = tag.windows(OWNER.len()).position(|window| window == OWNER)? + OWNER.len();
    let bytes = tag.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes) & STAMP)
}

/// Whether a segment is sound without a container.
pub(super) fn is_packed(segment: &[u8]) -> bool {
    let head = Head::read(segment);
    // Eleven bits begin each frame of AAC and MP3.
    head.len > 0 || matches!(segment, [0xff, second, ..] if second & 0xe0 == 0xe0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As ffmpeg's ADTS muxer writes it, told `id3v2_priv.com.apple.…`.
    fn written(stamp: u64) -> Vec<u8> {
        let body = [OWNER, &stamp.to_be_bytes()].concat();
        let frame = [&b"PRIV"[..], &[0, 0, 0, body.len() as u8, 0, 0], &body].concat();
        [&b"ID3\x04\0\0\0\0\0"[..], &[frame.len() as u8], &frame].concat()
    }

    #[test]
    fn a_tag_says_when_its_sound_is_heard() {
        let sound = [0xff, 0xf1, 0x50, 0x80, 0x00, 0xff, 0xfc];
        let segment = [&written(126_000)[..], &sound].concat();
        let head = Head::read(&segment);
        assert_eq!((&segment[head.len..], head.stamp), (&sound[..], Some(126_000)));
        assert_eq!(Head::read(&[written(u64::MAX), written(1)].concat()).stamp, Some(STAMP));
        assert_eq!(Head::read(&sound), Head::default());
        // Cut.
        assert_eq!(Head::read(&segment[..30]), Head { len: 30, stamp: None });
        assert!(is_packed(&segment) && is_packed(&sound) && is_packed(&[0xff, 0xfb]));
        assert!(!is_packed(&[0x47, 0x40]) && !is_packed(b"RIFF") && !is_packed(&[]));
    }

    proptest! {
        #[test]
        fn nothing_panics(data in prop::collection::vec(any::<u8>(), 0..60), cut in 0usize..90) {
            let mut tag = [written(9), data.clone()].concat();
            tag.truncate(cut);
            prop_assert!(Head::read(&tag).len <= tag.len());
            let _ = is_packed(&data);
            let _ = Head::read(&[b"ID3", &data[..]].concat());
        }
    }
}
