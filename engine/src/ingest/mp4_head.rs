//! How an MP4 or QuickTime file says its pictures are to be turned, and what of their colours: GStreamer
//! 1.22 tells of turns alone, not of mirrors, and reads the range from the wrong byte.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use codecs::{ColourTags, Range, Turn};

/// What is read of a `moov`: that of a day's film is a few megabytes.
const LONGEST: u64 = 64 << 20;
/// Boxes that are looked at on one level.
const MOST: usize = 4096;

/// What such a file says of its first track of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Its display matrix.
    pub(super) turn: Option<Turn>,
    /// Its colours.
    pub(super) colours: Option<ColourTags>,
}

/// The head of a file; `None` where it has no pictures, or is none of these.
pub(super) fn read(path: &Path) -> Option<Head> {
    let mut file = File::open(path).ok()?;
    let moov = moov(&mut file)?;
    boxes(&moov).filter(|(kind, _)| kind == b"trak").find_map(|(_, track)| {
        let media = find(track, b"mdia")?;
        // The kind of its handler stands behind version, flags and a reserved word.
        let is_pictures = find(media, b"hdlr")?.get(8..12)? == b"vide";
        is_pictures.then(|| Head { turn: find(track, b"tkhd").and_then(matrix), colours: colours(media) })
    })
}

/// What the first description of its samples says of colours (ISO/IEC 14496-12, 12.1.5): behind version,
/// flags, a count, and 78 bytes of its own. QuickTime's `nclc` says nothing of the range.
fn colours(media: &[u8]) -> Option<ColourTags> {
    let described = find(find(find(media, b"minf")?, b"stbl")?, b"stsd")?;
    let (_, entry) = boxes(described.get(8..)?).next()?;
    boxes(entry.get(78..)?).filter(|(kind, _)| kind == b"colr").find_map(|(_, said)| {
        let code = |at: usize| {
            let &[high, low] = said.get(at..at + 2)? else { return None };
            u8::try_from(u16::from_be_bytes([high, low])).ok()
        };
        let range = match said.get(..4)? {
            b"nclx" => said.get(10).map(|flag| if flag >> 7 == 1 { Range::Full } else { Range::Limited }),
            b"nclc" => None,
            _ => return None,
        };
        Some(ColourTags { primaries: code(4), transfer: code(6), matrix: code(8), range })
    })
}

/// Walks over the boxes of a file, reading none but this.
fn moov(file: &mut File) -> Option<Vec<u8>> {
    let mut at = 0u64;
    for _ in 0..MOST {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut head[..8]).ok()?;
        let (mut len, mut body) = (u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]])), 8);
        if len == 1 {
            file.read_exact(&mut head[8..]).ok()?;
            let wide = [head[8], head[9], head[10], head[11], head[12], head[13], head[14], head[15]];
            (len, body) = (u64::from_be_bytes(wide), 16);
        }
        let is_name = head[4..8].iter().all(|&c| c.is_ascii_graphic() || c == b' ');
        if len < body || !is_name {
            return None;
        }
        if &head[4..8] == b"moov" {
            let mut moov = Vec::new();
            file.take((len - body).min(LONGEST)).read_to_end(&mut moov).ok()?;
            return Some(moov);
        }
        at = at.checked_add(len)?;
    }
    None
}

/// The boxes that stand behind one another.
pub(super) fn boxes(mut data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let next = move || {
        let &[a, b, c, d, k0, k1, k2, k3, ..] = data else { return None };
        let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let body = data.get(8..len)?;
        data = &data[len..];
        Some(([k0, k1, k2, k3], body))
    };
    std::iter::from_fn(next).take(MOST)
}

/// What is in the first box of a kind.
pub(super) fn find<'a>(data: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(data).find(|(found, _)| found == kind).map(|(_, body)| body)
}

/// The matrix of a track's header (ISO/IEC 14496-12, 8.3.2): behind 40 bytes, or 52 where times are
/// wide.
fn matrix(header: &[u8]) -> Option<Turn> {
    let from = if header.first()? == &1 { 52 } else { 40 };
    let cell = |n: usize| {
        let bytes = header.get(from + 4 * n..from + 4 * n + 4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    };
    Some(Turn::of_matrix([cell(0)?, cell(1)?, cell(3)?, cell(4)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use codecs::{Mirror, Rotation};
    use proptest::prelude::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }
    fn track(handler: &[u8; 4], [a, b, c, d]: [i32; 4]) -> Vec<u8> {
        let cells = [a, b, 0, c, d, 0, 0, 0, 1 << 30].map(i32::to_be_bytes).concat();
        let header = boxed(b"tkhd", &[&[0; 40][..], &cells, &[0; 8]].concat());
        let handler = boxed(b"hdlr", &[&[0; 8][..], handler, &[0; 13]].concat());
        boxed(b"trak", &[header, boxed(b"mdia", &handler)].concat())
    }
    fn head(file: &[u8]) -> Option<Head> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        std::fs::write(&path, file).unwrap();
        read(&path)
    }
    fn described(colr: &[u8]) -> Vec<u8> {
        let entry = boxed(b"apch", &[&[0; 78][..], &boxed(b"fiel", &[1, 0]), &boxed(b"colr", colr)].concat());
        let table = boxed(b"stbl", &boxed(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &entry].concat()));
        let handler = boxed(b"hdlr", &[&[0; 8][..], b"vide", &[0; 13]].concat());
        let media = boxed(b"mdia", &[handler, boxed(b"minf", &table)].concat());
        boxed(b"moov", &boxed(b"trak", &media))
    }

    #[test]
    fn the_matrix_of_the_first_pictures_counts() {
        const ONE: i32 = 1 << 16;
        let sound = track(b"soun", [ONE, 0, 0, ONE]);
        let pictures = track(b"vide", [-ONE, 0, 0, ONE]);
        let other = track(b"vide", [0, ONE, -ONE, 0]);
        let moov = boxed(b"moov", &[sound, pictures, other].concat());
        let wide = [&1u32.to_be_bytes()[..], b"mdat", &20u64.to_be_bytes(), &[0; 4]].concat();
        let file = [boxed(b"ftyp", b"isom"), wide, moov].concat();
        let turn = Turn { mirror: Mirror::LeftRight, rotation: Rotation::None };
        assert_eq!(head(&file), Some(Head { turn: Some(turn), colours: None }));
        assert_eq!(head(&file[..40]), None);
        assert_eq!(head(b"FLV\x01\x05 and so on"), None);
    }

    #[test]
    fn colours_are_said_with_their_range_or_without() {
        let said = |colr: &[u8]| head(&described(colr)).unwrap().colours;
        let tags =
            |range| Some(ColourTags { primaries: Some(9), transfer: Some(16), matrix: Some(9), range });
        assert_eq!(said(b"nclc\0\x09\0\x10\0\x09"), tags(None));
        assert_eq!(said(b"nclx\0\x09\0\x10\0\x09\x80"), tags(Some(Range::Full)));
        assert_eq!(said(b"nclx\0\x09\0\x10\0\x09\0"), tags(Some(Range::Limited)));
        // A profile of its own, and one that is cut.
        assert_eq!(said(b"profICC"), None);
        assert_eq!(said(b"ncl"), None);
    }

    proptest! {
        #[test]
        fn damage_is_passed_over(data in prop::collection::vec(any::<u8>(), 0..60), cut in 0usize..200) {
            let moov = boxed(b"moov", &[track(b"vide", [1, 2, 3, 4]), data.clone()].concat());
            let _ = head(&moov[..cut.min(moov.len())]);
            let _ = head(&data);
            let _ = head(&described(&data));
        }
    }
}
