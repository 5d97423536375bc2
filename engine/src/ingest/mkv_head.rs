//! How a Matroska file says its pictures are to be turned, which GStreamer 1.22 does not read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use codecs::{Rotation, Turn};

/// What is read of a file: its tracks are described before its first pictures.
const HEAD: u64 = 1 << 20;
/// Elements that are looked at on one level.
const MOST: usize = 4096;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const KIND: u32 = 0x83;
const VIDEO: u32 = 0xe0;
const PROJECTION: u32 = 0x7670;
const ROLL: u32 = 0x7675;

/// The roll of the file's first track of pictures (RFC 9559, 5.1.4.1.28.47), to the nearest quarter turn;
/// `None` where it has none, or the file is none of these.
pub(super) fn turn(path: &Path) -> Option<Turn> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    elements(&head).next().filter(|(id, _)| *id == EBML)?;
    let tracks = find(find(&head, SEGMENT)?, TRACKS)?;
    let mut pictures = elements(tracks).filter(|(id, body)| *id == TRACK && find(body, KIND) == Some(&[1]));
    let (_, track) = pictures.next()?;
    rotation(number(find(find(find(track, VIDEO)?, PROJECTION)?, ROLL)?)?).map(Turn::from)
}

/// Degrees against the clock, as quarters with it.
fn rotation(roll: f64) -> Option<Rotation> {
    if !roll.is_finite() || roll.abs() > 360.0 {
        return None;
    }
    Some(match ((roll / 90.0).round() as i64).rem_euclid(4) {
        0 => Rotation::None,
        1 => Rotation::ThreeQuarters,
        2 => Rotation::Half,
        _ => Rotation::Quarter,
    })
}

fn number(body: &[u8]) -> Option<f64> {
    match body.len() {
        4 => Some(f32::from_be_bytes(body.try_into().ok()?).into()),
        8 => Some(f64::from_be_bytes(body.try_into().ok()?)),
        _ => None,
    }
}

/// What is in the first element with this number.
fn find(data: &[u8], id: u32) -> Option<&[u8]> {
    elements(data).find(|(found, _)| *found == id).map(|(_, body)| body)
}

/// The elements that stand behind one another; one that is longer than what there is ends with it.
fn elements(mut data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let next = move || {
        let (id, rest) = id(data)?;
        let (len, rest) = length(rest)?;
        let (body, after) = rest.split_at(usize::try_from(len).unwrap_or(usize::MAX).min(rest.len()));
        data = after;
        Some((id, body))
    };
    std::iter::from_fn(next).take(MOST)
}

/// A number of up to four bytes, with its mark.
fn id(data: &[u8]) -> Option<(u32, &[u8])> {
    let len = data.first()?.leading_zeros() as usize + 1;
    let bytes = data.get(..len).filter(|_| len <= 4)?;
    Some((bytes.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), &data[len..]))
}

/// A length of up to eight bytes, without its mark; all ones is what nobody knew.
fn length(data: &[u8]) -> Option<(u64, &[u8])> {
    let len = data.first()?.leading_zeros() as usize + 1;
    let bytes = data.get(..len).filter(|_| len <= 8)?;
    let all = bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let ones = (1u64 << (7 * len)) - 1;
    let value = all & ones;
    Some((if value == ones { u64::MAX } else { value }, &data[len..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(id: u32, body: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let from = id.iter().position(|byte| *byte != 0).unwrap();
        [&id[from..], &(0x1000_0000 | body.len() as u32).to_be_bytes(), body].concat()
    }
    fn track(kind: u8, roll: &[u8]) -> Vec<u8> {
        let video = element(VIDEO, &element(PROJECTION, &element(ROLL, roll)));
        element(TRACK, &[element(KIND, &[kind]), video].concat())
    }
    fn file(tracks: &[Vec<u8>]) -> Vec<u8> {
        // A segment of a length that nobody knew, as one has that is written as it comes.
        let segment = [&[0x18, 0x53, 0x80, 0x67, 0x01], &[0xff; 7][..]].concat();
        [element(EBML, &[0x42, 0x86, 0x81, 1]), segment, element(TRACKS, &tracks.concat())].concat()
    }
    fn read(file: &[u8]) -> Option<Turn> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mkv");
        std::fs::write(&path, file).unwrap();
        turn(&path)
    }

    #[test]
    fn the_roll_of_the_first_pictures_counts() {
        let of = |roll: f32| {
            let sound = track(2, &180f32.to_be_bytes());
            read(&file(&[sound, track(1, &roll.to_be_bytes()), track(1, &1f32.to_be_bytes())]))
        };
        for (roll, want) in [
            (0.0, Some(Rotation::None)),
            (90.0, Some(Rotation::ThreeQuarters)),
            (-90.0, Some(Rotation::Quarter)),
            (180.0, Some(Rotation::Half)),
            (-179.6, Some(Rotation::Half)),
            (f32::NAN, None),
        ] {
            assert_eq!(of(roll), want.map(Turn::from), "{roll}");
        }
        assert_eq!(read(&file(&[track(1, &(-90f64).to_be_bytes())])), Some(Rotation::Quarter.into()));
        assert_eq!(read(&file(&[track(1, &[])])), None);
        assert_eq!(read(b"\0\0\0\x18ftypmp42"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn damage_is_passed_over(
            data in prop::collection::vec(any::<u8>(), 0..60), at in 0usize..60, cut in 0usize..80,
        ) {
            let mut film = file(&[track(1, &90f32.to_be_bytes())]);
            let at = at.min(film.len());
            film.splice(at..at, data.clone());
            let _ = read(&film[..cut.min(film.len())]);
            let _ = read(&film);
            let _ = read(&data);
        }
    }
}
