//! FLV tags → what a line decodes: parameters and packets.

use std::fmt;

use bytes::Bytes;
use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{FlvMillis, Tag, TagKind};
use media::{AudioCodec, AudioParams, Key, Packet, SampleRate, Span, Time, Track, VideoParams};

use crate::ingest::lane::StreamParams;
use crate::ingest::wall::{self, Wall};

/// What is in a tag.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    /// What its track is from here on.
    pub(crate) params: Option<StreamParams>,
    pub(crate) packet: Option<Packet>,
    /// When it was how late by the sender's clock.
    pub(crate) clock: Option<(Time, Wall)>,
}

/// Unpacks the tags of one stream, in their order.
#[derive(Debug, Default)]
pub(crate) struct Unpacker {
    /// Unfolded milliseconds of the last tag.
    clock_ms: i64,
    /// The codec of the sound, once its parameters are known.
    sound: Option<AudioCodec>,
}

impl Unpacker {
    /// # Errors
    /// What is wrong with the tag; the next may be tried.
    pub(crate) fn unpack(&mut self, tag: &Tag) -> Result<Unpacked, String> {
        self.clock_ms = FlvMillis::unwrap_near(tag.timestamp, self.clock_ms);
        let body = tag.body();
        if body.is_empty() {
            return Ok(Unpacked::default());
        }
        match tag.kind {
            TagKind::Video => self.video(body),
            TagKind::Audio => self.audio(body),
            TagKind::Script => {
                let values = flv::amf0::decode_all(body).unwrap_or_default();
                let at = Time::from_millis(self.clock_ms);
                let clock = wall::in_script(&values).map(|wall| (at, wall));
                Ok(Unpacked { clock, ..Unpacked::default() })
            }
        }
    }

    fn video(&self, body: &Bytes) -> Result<Unpacked, String> {
        let track = VideoHeader::parse(body).and_then(|header| header.default_track(body));
        // Of several tracks only the first is shown.
        let Some((header, data)) = track.map_err(|e| e.to_string())? else { return Ok(Unpacked::default()) };
        if header.is_sequence_start() {
            let codec = header.codec.and_then(flv::video::VideoCodec::media);
            let codec = codec.ok_or_else(|| no_decoder(header.codec))?;
            let params = VideoParams { codec, size: None, config: data };
            return Ok(Unpacked { params: Some(StreamParams::Video(params)), ..Unpacked::default() });
        }
        if !header.has_picture() {
            return Ok(Unpacked::default());
        }
        let dts = Time::from_millis(self.clock_ms);
        let packet = Packet {
            track: Track::Video,
            pts: dts + Span::from_millis(header.composition_ms.into()),
            dts,
            duration: None,
            key: if header.is_key_frame() { Key::Frame } else { Key::Delta },
            data,
        };
        Ok(Unpacked { packet: Some(packet), ..Unpacked::default() })
    }

    fn audio(&mut self, body: &Bytes) -> Result<Unpacked, String> {
        let track = AudioHeader::parse(body).and_then(|header| header.default_track(body));
        let Some((header, data)) = track.map_err(|e| e.to_string())? else { return Ok(Unpacked::default()) };
        let mut unpacked = Unpacked::default();
        let codec = header.codec.and_then(flv::audio::AudioCodec::media);
        // Codecs without a configuration of their own begin with their first sound.
        if header.is_sequence_start() || (header.has_sound() && (codec.is_none() || codec != self.sound)) {
            let codec = codec.ok_or_else(|| no_decoder(header.codec))?;
            let config = if header.is_sequence_start() { data.clone() } else { Bytes::new() };
            if codec == AudioCodec::Aac && config.is_empty() {
                return Err("sound before the stream's configuration".to_owned());
            }
            let hz = header.sound.map_or(48_000, |s| s.rate.max(8_000));
            let rate = SampleRate::new(hz).map_err(|e| e.to_string())?;
            unpacked.params = Some(StreamParams::Audio(AudioParams { codec, rate, channels: 2, config }));
            self.sound = Some(codec);
        }
        if header.has_sound() {
            let at = Time::from_millis(self.clock_ms);
            let (track, key) = (Track::Audio, Key::Frame);
            unpacked.packet = Some(Packet { track, pts: at, dts: at, duration: None, key, data });
        }
        Ok(unpacked)
    }
}

fn no_decoder(codec: Option<impl fmt::Display>) -> String {
    codec.map_or_else(
        || "no decoder for what has no name".to_owned(),
        |codec| format!("no decoder for {codec}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(kind: TagKind, ms: u32, body: &'static [u8]) -> Tag {
        Tag::new(kind, FlvMillis(ms), Bytes::from_static(body)).unwrap()
    }

    #[test]
    fn configurations_and_packets_are_told_apart() {
        let mut unpacker = Unpacker::default();
        let config = unpacker.unpack(&tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1])).unwrap();
        assert!(matches!(config.params, Some(StreamParams::Video(_))) && config.packet.is_none());
        let picture = unpacker.unpack(&tag(TagKind::Video, 40, &[0x27, 1, 0, 0, 80, 9])).unwrap();
        let packet = picture.packet.unwrap();
        let (dts, pts) = (packet.dts.as_millis_rounded(), packet.pts.as_millis_rounded());
        assert_eq!((dts, pts, packet.key, &packet.data[..]), (40, 120, Key::Delta, &[9][..]));
        for (kind, body) in
            [(TagKind::Script, &[2, 0][..]), (TagKind::Video, &[]), (TagKind::Video, &[0x17, 2, 0, 0, 0])]
        {
            let nothing = unpacker.unpack(&tag(kind, 40, body)).unwrap();
            assert!(nothing.params.is_none() && nothing.packet.is_none());
        }
    }

    #[test]
    fn of_several_tracks_the_first_is_shown() {
        let mut unpacker = Unpacker::default();
        let start = unpacker.unpack(&tag(TagKind::Video, 0, b"\x96\x00avc1\x00conf")).unwrap();
        let Some(StreamParams::Video(params)) = start.params else { panic!("no parameters") };
        assert_eq!(&params.config[..], b"conf");
        let picture = unpacker.unpack(&tag(TagKind::Video, 40, b"\x96\x01avc1\x00\0\0\x50pic")).unwrap();
        let packet = picture.packet.unwrap();
        assert_eq!((&packet.data[..], (packet.pts - packet.dts).as_millis_rounded()), (&b"pic"[..], 80));
        for (kind, body) in [
            (TagKind::Video, &b"\x96\x00avc1\x01conf"[..]),
            (TagKind::Video, b"\x96\x03avc1\x01pic"),
            (TagKind::Audio, b"\x95\x00mp4a\x01conf"),
            (TagKind::Audio, b"\x95\x01mp4a\x01snd"),
        ] {
            let other = unpacker.unpack(&tag(kind, 40, body)).unwrap();
            assert!(other.params.is_none() && other.packet.is_none(), "{body:?}");
        }
    }

    #[test]
    fn a_codec_without_a_decoder_is_named() {
        let mut unpacker = Unpacker::default();
        let said = |body| Unpacker::default().unpack(&tag(TagKind::Video, 0, body)).unwrap_err();
        assert_eq!(said(b"\x90vvc1conf"), "no decoder for vvc1");
        assert_eq!(said(b"\x90\x1b\xff\0\nconf"), r"no decoder for \x1b\xff\x00\n");
        let said = unpacker.unpack(&tag(TagKind::Audio, 0, b"\x90zzzzconf")).unwrap_err();
        assert_eq!(said, "no decoder for zzzz");
    }

    #[test]
    fn sound_without_a_configuration_is_said_where_it_needs_one() {
        let mut unpacker = Unpacker::default();
        let aac = tag(TagKind::Audio, 0, &[0xaf, 1, 7]);
        assert!(unpacker.unpack(&aac).is_err());
        unpacker.unpack(&tag(TagKind::Audio, 0, &[0xaf, 0, 0x11, 0x90])).unwrap();
        assert!(unpacker.unpack(&aac).unwrap().params.is_none());
        // MP3 needs none, and takes over.
        let mp3 = tag(TagKind::Audio, 0, &[0x2f, 0xff, 0xfb]);
        assert!(unpacker.unpack(&mp3).unwrap().params.is_some());
        assert!(unpacker.unpack(&mp3).unwrap().params.is_none());
    }
}
