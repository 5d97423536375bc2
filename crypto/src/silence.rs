//! What stands where sound was: a choice, and AAC frames in which nothing is heard.

use flv::BodyError;
use flv::aac::AudioSpecificConfig;

/// What is heard of encrypted sound where there is no key for it, and so what a relay makes of it
/// that decodes a frame to learn rate and channels. Readers tell by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sound {
    /// Noise, or nothing but errors: the ciphertext stands where the sound was (version 1 of the
    /// wire format, which every reader knows). 20 bytes a tag. Relays that read MPEG-TS or HLS
    /// with FFmpeg cannot tell the sample rate.
    #[default]
    Noise,
    /// Silence: the ciphertext lies where decoders skip it, and a silent frame stands behind it
    /// (version 2). Every relay can tell rate and channels. 26 to 30 bytes a tag in stereo.
    /// Needs the stream's AAC sequence header.
    Silence,
}

/// The word of the show file and the command line.
impl std::fmt::Display for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Noise => "noise",
            Self::Silence => "silence",
        })
    }
}

/// Why there is no silent frame for a stream, which [`Sound::Silence`] needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSilence {
    /// Feed the encryptor the stream's sequence headers.
    #[error("no AAC sequence header has come that says what channels there are")]
    NoConfig,
    /// The sequence header cannot be read.
    #[error("of the AAC sequence header, {0}")]
    Config(BodyError),
    /// Frames of this object type are laid out in another way.
    #[error("its AAC object type is {0}: legal are 1 to 4, also as the core of HE-AAC")]
    ObjectType(u8),
    /// Channels that the configuration does not list, as 0 does, or in a later order.
    #[error("its AAC channel configuration is {0}: legal are 1 to 7")]
    Channels(u8),
}

/// A silent raw data block for a stream of this AudioSpecificConfig, of any frame length.
///
/// HE-AAC's extensions lie in fill elements behind the core. A silent core without them is
/// legal: decoders then make the higher rate of it with nothing in the upper band (ISO/IEC
/// 14496-3, 4.6.18).
pub(crate) fn frame(config: &[u8]) -> Result<&'static [u8], NoSilence> {
    let config = AudioSpecificConfig::parse(config).map_err(NoSilence::Config)?;
    // AAC Main, LC, SSR and LTP.
    if !(1..=4).contains(&config.object_type()) {
        return Err(NoSilence::ObjectType(config.object_type()));
    }
    let channels = config.channel_config();
    let place = usize::from(channels).checked_sub(1);
    place.and_then(|place| FRAMES.get(place)).copied().ok_or(NoSilence::Channels(channels))
}

/// The longest of [`FRAMES`], in bytes.
pub(crate) const LONGEST: usize = 24;

/// By channel configuration, from 1 on: the elements of ISO/IEC 14496-3, table 1.19, each a long
/// block without a single coded band, and ID_END. The tests write them bit by bit.
const FRAMES: [&[u8]; 7] = [
    &[0, 0, 0, 0x07],
    &[0x21, 0, 0, 0, 0, 0x1c],
    &[0, 0, 0, 0x01, 0x08, 0, 0, 0, 0, 0xe0],
    &[0, 0, 0, 0x01, 0x08, 0, 0, 0, 0, 0x02, 0, 0, 0x07],
    &[0, 0, 0, 0x01, 0x08, 0, 0, 0, 0, 0x23, 0, 0, 0, 0, 0x1c],
    &[0, 0, 0, 0x01, 0x08, 0, 0, 0, 0, 0x23, 0, 0, 0, 0, 0x0c, 0, 0, 0, 0xe0],
    &[0, 0, 0, 0x01, 0x08, 0, 0, 0, 0, 0x23, 0, 0, 0, 0, 0x04, 0xa0, 0, 0, 0, 0x01, 0x80, 0, 0, 0x1c],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// One element, as a string of bits (ISO/IEC 14496-3, 4.4.2.1 and 4.4.2.7).
    fn element(kind: &str, tag: usize) -> String {
        // ics_reserved_bit, window_sequence (ONLY_LONG), window_shape, max_sfb, predictor_data_present.
        let ics_info = "0 00 0 000000 0";
        // No pulses, no noise shaping, no gain control; with no bands there are no sections,
        // no scale factors and no spectrum.
        let tools = "0 0 0";
        let gain = "00000000";
        match kind {
            "sce" => format!("000 {tag:04b} {gain} {ics_info} {tools}"),
            "lfe" => format!("011 {tag:04b} {gain} {ics_info} {tools}"),
            // common_window, ms_mask_present.
            _ => format!("001 {tag:04b} 1 {ics_info} 00 {gain} {tools} {gain} {tools}"),
        }
    }

    #[test]
    fn the_frames_are_the_elements_of_their_configuration() {
        let lists: [&[(&str, usize)]; 7] = [
            &[("sce", 0)],
            &[("cpe", 0)],
            &[("sce", 0), ("cpe", 0)],
            &[("sce", 0), ("cpe", 0), ("sce", 1)],
            &[("sce", 0), ("cpe", 0), ("cpe", 1)],
            &[("sce", 0), ("cpe", 0), ("cpe", 1), ("lfe", 0)],
            &[("sce", 0), ("cpe", 0), ("cpe", 1), ("cpe", 2), ("lfe", 0)],
        ];
        for (list, frame) in lists.into_iter().zip(FRAMES) {
            let elements: String = list.iter().map(|(kind, tag)| element(kind, *tag)).collect();
            let bits: Vec<u8> =
                (elements + "111").bytes().filter(|bit| *bit != b' ').map(|bit| bit - b'0').collect();
            let byte = |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (n, bit)| byte | bit << (7 - n));
            assert_eq!(bits.chunks(8).map(byte).collect::<Vec<u8>>(), frame, "{list:?}");
        }
        assert_eq!(FRAMES.iter().map(|frame| frame.len()).max(), Some(LONGEST));
        assert!(FRAMES.iter().all(|frame| frame[0] >> 5 != 4), "a data stream element would be read on");
    }

    #[test]
    fn configurations_without_a_silent_frame_are_named() {
        let says = |config: &[u8]| frame(config).map_err(|why| why.to_string());
        assert_eq!(says(&[0x11, 0x90]), Ok(FRAMES[1]));
        // HE-AAC in stereo, version 2 over a mono core; AAC Main.
        assert_eq!(says(&[0x2b, 0x11, 0x88, 0]), Ok(FRAMES[1]));
        assert_eq!(says(&[0xeb, 0x09, 0x88, 0]), Ok(FRAMES[0]));
        assert_eq!(says(&[0x09, 0x90]), Ok(FRAMES[1]));
        for (config, why) in [
            (&[0x11, 0x80][..], "its AAC channel configuration is 0: legal are 1 to 7"),
            (&[0x11, 0xe0], "its AAC channel configuration is 12: legal are 1 to 7"),
            (&[0xb9, 0x90], "its AAC object type is 23: legal are 1 to 4, also as the core of HE-AAC"),
        ] {
            assert_eq!(says(config), Err(why.to_owned()));
        }
        let cut = says(&[0x11]).unwrap_err();
        assert!(cut.starts_with("of the AAC sequence header, "), "{cut}");
    }
}
