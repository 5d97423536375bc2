//! Packets of any wire → FLV tags: units and frames bit by bit as they came, to the sender's
//! time in whole milliseconds.

use bytes::{BufMut, Bytes, BytesMut};
use flv::video::FrameType;
use flv::{FlvMillis, FourCc, Tag, TagKind, audio, avc, hevc, nalu, video};
use media::{AudioCodec, AudioParams, Key, Packet, Track, VideoCodec, VideoParams};

use crate::ingest::adts::Adts;
use crate::ingest::lane::StreamParams;

/// Parameter sets of a kind that are kept; a stream has one or two.
const MOST_SETS: usize = 16;

/// Puts the packets of one stream into tags.
#[derive(Default)]
pub(crate) struct Mux {
    picture: Option<Picture>,
    sound: Option<Sound>,
    /// Whether the sound's configuration is known, where there must be one.
    described: bool,
    /// The header due before the next tag of its track.
    due: [Option<Bytes>; 2],
    /// Added to the sender's time, so that the first tag does not lie before zero, where FLV ends.
    lead_ms: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coding {
    Avc,
    Hevc,
}

/// How pictures are wrapped.
enum Picture {
    /// Length-prefixed units; the configuration came by itself.
    Prefixed(Coding),
    /// Annex B: parameter sets stand in the stream.
    AnnexB(Coding, Box<Sets>),
}

/// The parameter sets of an Annex B stream: VPS, SPS, PPS.
#[derive(Default, Debug)]
pub(crate) struct Sets {
    all: [Vec<Bytes>; 3],
    /// Whether a header was made of any.
    described: bool,
}

enum Sound {
    Aac,
    Mp3,
    Enhanced(FourCc),
}

/// OpusHead (RFC 7845, 5.1) for a stream that has none.
fn opus_head(params: &AudioParams) -> Bytes {
    let mut head = BytesMut::with_capacity(19);
    head.put_slice(b"OpusHead\x01");
    head.put_u8(params.channels);
    head.put_u16_le(0);
    head.put_u32_le(params.rate.hz());
    head.put_slice(&[0, 0, 0]);
    head.freeze()
}

impl Mux {
    /// # Errors
    /// The codec, if FLV has no place for it.
    pub(crate) fn params(&mut self, params: &StreamParams) -> Result<(), String> {
        match params {
            StreamParams::Video(params) => self.video_params(params),
            StreamParams::Audio(params) => self.audio_params(params),
        }
    }

    fn video_params(&mut self, params: &VideoParams) -> Result<(), String> {
        let coding = match params.codec {
            VideoCodec::Avc => Coding::Avc,
            VideoCodec::Hevc => Coding::Hevc,
            other => {
                self.picture = None;
                return Err(format!("{other:?}"));
            }
        };
        if params.config.is_empty() {
            if !matches!(&self.picture, Some(Picture::AnnexB(known, _)) if *known == coding) {
                self.picture = Some(Picture::AnnexB(coding, Box::default()));
            }
            return Ok(());
        }
        self.picture = Some(Picture::Prefixed(coding));
        self.due[0] = Some(match coding {
            Coding::Avc => video::avc_sequence_header(&params.config),
            Coding::Hevc => video::hevc_sequence_header(&params.config),
        });
        Ok(())
    }

    fn audio_params(&mut self, params: &AudioParams) -> Result<(), String> {
        let (sound, header) = match params.codec {
            AudioCodec::Aac if params.config.is_empty() => (Sound::Aac, None),
            AudioCodec::Aac => (Sound::Aac, Some(audio::aac_sequence_header(&params.config))),
            AudioCodec::Mp3 => (Sound::Mp3, None),
            AudioCodec::Opus => {
                let head = if params.config.is_empty() { opus_head(params) } else { params.config.clone() };
                let code = FourCc(*b"Opus");
                (Sound::Enhanced(code), Some(audio::enhanced_sequence_header(code, &head)))
            }
            AudioCodec::Ac3 => (Sound::Enhanced(FourCc(*b"ac-3")), None),
            AudioCodec::Eac3 => (Sound::Enhanced(FourCc(*b"ec-3")), None),
            other => {
                self.sound = None;
                return Err(format!("{other:?}"));
            }
        };
        self.described = header.is_some() || !matches!(sound, Sound::Aac);
        self.sound = Some(sound);
        self.due[1] = header;
        Ok(())
    }

    /// The tags of a packet, its track's header first if that is due; none before the stream has
    /// said how it is to be decoded.
    pub(crate) fn packet(&mut self, packet: &Packet) -> [Option<Tag>; 2] {
        let at = self.millis(packet);
        let (kind, slot, body) = match packet.track {
            Track::Video => (TagKind::Video, 0, self.video_body(packet)),
            Track::Audio => (TagKind::Audio, 1, self.audio_body(packet)),
        };
        let Some(body) = body else { return [None, None] };
        // A body that no tag can hold is longer than any that a sender could have in FLV.
        let tag = |body| Tag::new(kind, at, body).ok();
        [self.due[slot].take().and_then(tag), tag(body)]
    }

    fn millis(&mut self, packet: &Packet) -> FlvMillis {
        let ms = packet.dts.as_millis_rounded();
        let lead = *self.lead_ms.get_or_insert((-ms).max(0));
        // The other track may begin a little before: that much of its time is lost.
        FlvMillis::from_millis(ms.saturating_add(lead).max(0))
    }

    fn audio_body(&mut self, packet: &Packet) -> Option<Bytes> {
        let mut body = BytesMut::new();
        match self.sound.as_ref()? {
            Sound::Aac => {
                let (raw, told) = without_adts(&packet.data);
                if let (false, Some(config)) = (self.described, told) {
                    self.due[1] = Some(audio::aac_sequence_header(&config));
                    self.described = true;
                }
                if !self.described {
                    return None;
                }
                audio::write_aac_frame(raw, &mut body);
            }
            Sound::Mp3 => audio::write_mp3_frame(&packet.data, &mut body),
            Sound::Enhanced(code) => audio::write_enhanced_frame(*code, &packet.data, &mut body),
        }
        Some(body.freeze())
    }

    fn video_body(&mut self, packet: &Packet) -> Option<Bytes> {
        let (coding, units) = match self.picture.as_mut()? {
            Picture::Prefixed(coding) => (*coding, packet.data.clone()),
            Picture::AnnexB(coding, sets) => {
                let units = prefixed(&packet.data);
                if let Some(config) = sets.note(*coding, &packet.data) {
                    self.due[0] = Some(match coding {
                        Coding::Avc => video::avc_sequence_header(&config),
                        Coding::Hevc => video::hevc_sequence_header(&config),
                    });
                }
                if !sets.described {
                    return None;
                }
                (*coding, units)
            }
        };
        let frame = match packet.key {
            Key::Frame => FrameType::Key,
            Key::Delta => FrameType::Inter,
        };
        let composition = packet.pts.as_millis_rounded() - packet.dts.as_millis_rounded();
        let composition = i32::try_from(composition).ok()?;
        let mut body = BytesMut::new();
        match coding {
            Coding::Avc => video::write_avc_frame(frame, composition, &units, &mut body),
            Coding::Hevc => video::write_hevc_frame(frame, composition, &units, &mut body),
        }
        .ok()?;
        Some(body.freeze())
    }
}

/// A block of AAC without its ADTS header (ISO/IEC 14496-3, 1.A.2.2), which a tag has no place
/// for, and the configuration that the header tells; the block as it is, if it has none.
fn without_adts(data: &[u8]) -> (&[u8], Option<[u8; 2]>) {
    // As long as it says: a block without a header is not taken for one.
    match Adts::read(data) {
        Some(Adts { header, len, config }) if len == data.len() => {
            (data.get(header..).unwrap_or_default(), Some(config))
        }
        _ => (data, None),
    }
}

/// Annex B with lengths in place of start codes.
pub(crate) fn prefixed(data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 16);
    for unit in nalu::annex_b(data) {
        out.put_u32(u32::try_from(unit.len()).unwrap_or(u32::MAX));
        out.put_slice(unit);
    }
    out.freeze()
}

impl Sets {
    /// Looks for parameter sets; the configuration they make, if they are new.
    pub(crate) fn note(&mut self, coding: Coding, data: &[u8]) -> Option<Bytes> {
        let mut found: [Vec<Bytes>; 3] = Default::default();
        for unit in nalu::annex_b(data) {
            let kind = match coding {
                Coding::Avc => match avc::NalType::of(unit) {
                    Some(avc::NalType::SPS) => 1,
                    Some(avc::NalType::PPS) => 2,
                    _ => continue,
                },
                Coding::Hevc => match hevc::NalType::of(unit) {
                    Some(hevc::NalType::VPS) => 0,
                    Some(hevc::NalType::SPS) => 1,
                    Some(hevc::NalType::PPS) => 2,
                    _ => continue,
                },
            };
            let of_kind = &mut found[kind];
            if of_kind.len() < MOST_SETS && !of_kind.iter().any(|set| **set == *unit) {
                of_kind.push(Bytes::copy_from_slice(unit));
            }
        }
        if found[1].is_empty() || found[2].is_empty() || found == self.all {
            return None;
        }
        let [vps, sps, pps] = found;
        // Sets that cannot be read describe nothing: the next ones may.
        let config = match coding {
            Coding::Avc => avc::DecoderConfig::from_parameter_sets(sps.clone(), pps.clone())
                .ok()
                .map(|config| config.to_bytes()),
            Coding::Hevc => hevc::config_of(&vps, &sps, &pps).ok(),
        }?;
        self.all = [vps, sps, pps];
        self.described = true;
        Some(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flv::audio::AudioHeader;
    use flv::video::VideoHeader;
    use media::{SampleRate, Span, Time};

    fn packet(track: Track, ms: i64, data: &[u8]) -> Packet {
        let dts = Time::from_millis(ms);
        let pts = dts + Span::from_millis(if track == Track::Video { 80 } else { 0 });
        Packet { track, pts, dts, duration: None, key: Key::Frame, data: Bytes::copy_from_slice(data) }
    }
    fn sound(codec: AudioCodec, config: &'static [u8]) -> StreamParams {
        let (rate, config) = (SampleRate::HZ_48000, Bytes::from_static(config));
        StreamParams::Audio(AudioParams { codec, rate, channels: 2, config })
    }
    fn picture(codec: VideoCodec, config: &'static [u8]) -> StreamParams {
        StreamParams::Video(VideoParams { codec, size: None, config: Bytes::from_static(config) })
    }
    /// Stamps and bodies of what a packet becomes.
    fn tags(mux: &mut Mux, packet: &Packet) -> Vec<(u32, Bytes)> {
        mux.packet(packet).into_iter().flatten().map(|tag| (tag.timestamp.0, tag.into_body())).collect()
    }

    #[test]
    fn every_codec_has_its_tags_and_each_payload_is_what_came() {
        let data = [0xff, 0xfb, 1, 2, 3, 4, 5, 6];
        for (codec, config, headers) in [
            (AudioCodec::Aac, &[0x11, 0x90][..], 1),
            (AudioCodec::Mp3, &[], 0),
            (AudioCodec::Opus, b"OpusHead\x01\x02", 1),
            (AudioCodec::Opus, &[], 1),
            (AudioCodec::Ac3, &[], 0),
            (AudioCodec::Eac3, &[], 0),
        ] {
            let mut mux = Mux::default();
            mux.params(&sound(codec, config)).unwrap();
            let tags = tags(&mut mux, &packet(Track::Audio, 40, &data));
            assert_eq!(tags.len(), headers + 1, "{codec:?}");
            let heads: Vec<_> = tags.iter().map(|(_, body)| AudioHeader::parse(body).unwrap()).collect();
            let last = heads[headers];
            assert_eq!(last.codec.and_then(audio::AudioCodec::media), Some(codec));
            assert_eq!(last.payload(&tags[headers].1)[..], data);
            if headers == 1 {
                assert!(heads[0].is_sequence_start());
                let told = heads[0].payload(&tags[0].1);
                assert!(if config.is_empty() { told.len() == 19 } else { told == config });
            }
        }
        for (codec, config) in [(VideoCodec::Avc, &[1, 2][..]), (VideoCodec::Hevc, &[1, 3])] {
            let mut mux = Mux::default();
            mux.params(&picture(codec, config)).unwrap();
            let tags = tags(&mut mux, &packet(Track::Video, 40, &data));
            let heads: Vec<_> = tags.iter().map(|(_, body)| VideoHeader::parse(body).unwrap()).collect();
            assert_eq!(heads[0].payload(&tags[0].1), config);
            assert_eq!(
                (heads[1].payload(&tags[1].1), heads[1].composition_ms),
                (Bytes::copy_from_slice(&data), 80)
            );
            assert!(heads[1].is_key_frame());
        }
        let mut mux = Mux::default();
        assert_eq!(mux.params(&picture(VideoCodec::Mjpeg, &[])), Err("Mjpeg".to_owned()));
        assert_eq!(mux.params(&sound(AudioCodec::Flac, &[])), Err("Flac".to_owned()));
        assert!(tags(&mut mux, &packet(Track::Video, 0, &data)).is_empty());
    }

    #[test]
    fn a_stream_that_begins_before_zero_is_moved_as_a_whole() {
        let mut mux = Mux::default();
        mux.params(&sound(AudioCodec::Mp3, &[])).unwrap();
        let stamps = [-21, 0, 21, -30].map(|ms| tags(&mut mux, &packet(Track::Audio, ms, &[1]))[0].0);
        assert_eq!(stamps, [0, 21, 42, 0]);
    }

    #[test]
    fn parameter_sets_in_the_stream_make_a_header_whenever_they_change() {
        let sets = |level: u8| {
            [&[0, 0, 0, 1, 0x67, 66, 0xc0, level, 0xd9, 0][..], &[0, 0, 1, 0x68, 0xcb, 0x83]].concat()
        };
        let (slice, key) = (&[0, 0, 1, 0x41, 0x9a, 7][..], &[0, 0, 1, 0x65, 0x88, 7][..]);
        let mut mux = Mux::default();
        mux.params(&picture(VideoCodec::Avc, &[])).unwrap();
        let mut count = |data: &[u8]| tags(&mut mux, &packet(Track::Video, 0, data)).len();
        assert_eq!(count(slice), 0, "nobody could decode it");
        assert_eq!(count(&[&sets(30)[..], key].concat()), 2);
        assert_eq!(count(slice), 1);
        assert_eq!(count(&[&sets(30)[..], key].concat()), 1, "the same again says nothing new");
        assert_eq!(count(&[&sets(31)[..], key].concat()), 2);
    }

    #[test]
    fn an_adts_header_is_taken_off_and_read() {
        let frame = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 0xde, 2];
        assert_eq!(without_adts(&frame), (&[0xde, 2][..], Some([0x11, 0x90])));
        assert_eq!(without_adts(&frame[..8]), (&frame[..8], None), "cut short, it is no header");
        assert_eq!(without_adts(&[0xff]), (&[0xff][..], None));
        let mut mux = Mux::default();
        mux.params(&sound(AudioCodec::Aac, &[])).unwrap();
        assert!(tags(&mut mux, &packet(Track::Audio, 0, &[1, 2])).is_empty());
        let told = tags(&mut mux, &packet(Track::Audio, 0, &frame));
        assert_eq!(
            told,
            [(0, Bytes::from_static(&[0xaf, 0, 0x11, 0x90])), (0, Bytes::from_static(&[0xaf, 1, 0xde, 2]))]
        );
    }
}
