//! AAC as it stands in streams without a container, each frame with a header of its own.

/// A frame of AAC in ADTS (ISO/IEC 13818-7, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Adts {
    /// The length of its header.
    pub(crate) header: usize,
    /// Its own, with the header.
    pub(crate) len: usize,
    /// What its header tells of it: an `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
    pub(crate) config: [u8; 2],
}

impl Adts {
    /// The frame that begins here, if all of it is here.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let &[0xff, second, form, a, b, c, ..] = data else { return None };
        let header = if second & 1 == 0 { 9 } else { 7 };
        let len = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c) >> 5;
        let (kind, rate, channels) = ((form >> 6) + 1, (form >> 2) & 15, (form & 1) << 2 | a >> 6);
        let config = [kind << 3 | rate >> 1, (rate & 1) << 7 | channels << 3];
        // Sync word and layer 0.
        let is_frame = second & 0xf6 == 0xf0 && (header..=data.len()).contains(&len);
        is_frame.then_some(Self { header, len, config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_of_aac_are_told_apart() {
        let frame = |len: usize, second| {
            let mut frame =
                vec![0xff, second, 0x50, 0x80 | (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8, 0xfc];
            frame.resize(len.max(7), 7);
            frame
        };
        assert_eq!(Adts::read(&frame(300, 0xf1)), Some(Adts { header: 7, len: 300, config: [0x12, 0x10] }));
        assert_eq!(Adts::read(&frame(300, 0xf8)), Some(Adts { header: 9, len: 300, config: [0x12, 0x10] }));
        assert_eq!(Adts::read(&frame(300, 0xf1)[..299]), None);
        assert_eq!([frame(6, 0xf1), frame(8, 0xf0), frame(300, 0xfb)].map(|f| Adts::read(&f)), [None; 3]);
    }

    proptest! {
        #[test]
        fn what_is_read_is_there(data in prop::collection::vec(any::<u8>(), 0..60)) {
            let data = [&[0xff, 0xf1], &data[..]].concat();
            if let Some(Adts { header, len, .. }) = Adts::read(&data) {
                prop_assert!(header <= len && len <= data.len());
            }
        }
    }
}
