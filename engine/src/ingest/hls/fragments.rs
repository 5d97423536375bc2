//! The time stamps in fragmented MP4 (ISO/IEC 14496-12, section 8.8).

use media::Time;

use crate::ingest::mp4_head::{boxes, find};

/// Fields of a sample in a `trun` that stand before its composition offset: length in time, in bytes,
/// flags.
const BEFORE_OFFSET: [u32; 3] = [0x100, 0x200, 0x400];
const OFFSET: u32 = 0x800;

/// The track by which a segment's beginning is known: pictures, or sound where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Film {
    track: u32,
    /// Units a second.
    rate: u32,
}

impl Film {
    /// Of what stands before the first segment.
    pub(super) fn read(init: &[u8]) -> Option<Self> {
        let moov = find(init, b"moov")?;
        let of = |wanted: &[u8; 4]| {
            boxes(moov).filter(|(kind, _)| kind == b"trak").find_map(|(_, track)| {
                let media = find(track, b"mdia")?;
                let is_wanted = find(media, b"hdlr")?.get(8..12)? == wanted;
                // Two times stand before each, wide or not.
                let behind_times = |header: &[u8]| word(header, if header.first()? == &1 { 20 } else { 12 });
                let (track, rate) =
                    (behind_times(find(track, b"tkhd")?)?, behind_times(find(media, b"mdhd")?)?);
                (is_wanted && rate > 0).then_some(Self { track, rate })
            })
        };
        of(b"vide").or_else(|| of(b"soun"))
    }

    /// When the first picture of a segment is shown; GStreamer's demuxer (1.22) minds no edit list here, either.
    pub(super) fn first_shown(self, segment: &[u8]) -> Option<Time> {
        let moofs = boxes(segment).filter(|(kind, _)| kind == b"moof");
        let tracks = moofs.flat_map(|(_, moof)| boxes(moof)).filter(|(kind, _)| kind == b"traf");
        tracks.map(|(_, track)| track).find_map(|track| {
            let is_it = word(find(track, b"tfhd")?, 4)? == self.track;
            let units = decoded(find(track, b"tfdt")?)?
                .checked_add(find(track, b"trun").and_then(offset).unwrap_or(0))?;
            is_it.then(|| Time::from_units(units, 1, self.rate))
        })
    }
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// When the first sample of a fragment is decoded.
fn decoded(tfdt: &[u8]) -> Option<i64> {
    let (high, low) = match tfdt.first()? {
        1 => (word(tfdt, 4)?, word(tfdt, 8)?),
        _ => (0, word(tfdt, 4)?),
    };
    i64::try_from(u64::from(high) << 32 | u64::from(low)).ok()
}

/// How much later than it is decoded the first sample is shown.
fn offset(trun: &[u8]) -> Option<i64> {
    let flags = word(trun, 0)?;
    if flags & OFFSET == 0 {
        return None;
    }
    // Where its data lies, and flags of the first sample, stand before the samples.
    let words = [0x1, 0x4].iter().chain(&BEFORE_OFFSET).filter(|field| flags & **field != 0).count();
    let offset = word(trun, 8 + 4 * words)?;
    Some(if flags >> 24 == 0 { i64::from(offset) } else { i64::from(offset.cast_signed()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn track(id: u32, handler: &[u8; 4], rate: u32) -> Vec<u8> {
        let handler = boxed(b"hdlr", &[&[0; 8][..], handler, &[0; 13]].concat());
        // One with wide times, one without.
        let header = boxed(b"tkhd", &words(&[1 << 24, 0, 0, 0, 0, id, 0]));
        let media = boxed(b"mdhd", &words(&[0, 0, 0, rate, 0]));
        boxed(b"trak", &[header, boxed(b"mdia", &[media, handler].concat())].concat())
    }

    fn fragment(id: u32, tfdt: &[u32], trun: &[u32]) -> Vec<u8> {
        let boxes = [(b"tfhd", words(&[0x20_0000, id])), (b"tfdt", words(tfdt)), (b"trun", words(trun))];
        boxed(b"traf", &boxes.map(|(kind, body)| boxed(kind, &body)).concat())
    }

    #[test]
    fn a_segments_first_picture_is_found() {
        let init = [
            boxed(b"ftyp", b"iso6"),
            boxed(b"moov", &[track(1, b"soun", 48_000), track(2, b"vide", 12_800)].concat()),
        ];
        let film = Film::read(&init.concat()).unwrap();
        assert_eq!(film, Film { track: 2, rate: 12_800 });
        let sound = fragment(1, &[0, 7], &[0, 1]);
        // Its data's place, and each sample's length and offset; shown two pictures later.
        let pictures = fragment(2, &[1 << 24, 1, 0], &[0xa05, 1, 700, 0, 900, 1024]);
        let segment =
            [boxed(b"styp", b"msdh"), boxed(b"moof", &[sound, pictures].concat()), boxed(b"mdat", b"film")];
        let shown = Time::from_units((1 << 32) + 1024, 1, 12_800);
        assert_eq!(film.first_shown(&segment.concat()), Some(shown));
        // Negative offsets, and none.
        let at = |trun: &[u32]| film.first_shown(&boxed(b"moof", &fragment(2, &[0, 12_800], trun))).unwrap();
        assert_eq!(at(&[0x0100_0800, 1, (-6_400_i32).cast_unsigned()]), Time::from_millis(500));
        assert_eq!(at(&[0x1, 1, 9]), Time::from_secs(1));
        assert_eq!(film.first_shown(&boxed(b"moof", &fragment(1, &[0, 7], &[0, 1]))), None);
        assert_eq!(
            Film::read(&boxed(b"moov", &track(1, b"soun", 48_000))),
            Some(Film { track: 1, rate: 48_000 })
        );
        assert_eq!(Film::read(b"#EXTM3U and so on"), None);
    }

    proptest! {
        #[test]
        fn damage_is_passed_over(data in prop::collection::vec(any::<u8>(), 0..60), trun in prop::collection::vec(any::<u32>(), 0..8)) {
            let film = Film { track: 2, rate: 1 };
            let _ = film.first_shown(&boxed(b"moof", &fragment(2, &trun, &trun)));
            let _ = film.first_shown(&boxed(b"moof", &boxed(b"traf", &data)));
            let _ = Film::read(&boxed(b"moov", &boxed(b"trak", &data)));
        }
    }
}
