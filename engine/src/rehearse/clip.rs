//! What a simulated sender sends: a moving picture and a tone, encoded once and sent again and again.

use bytes::Bytes;
use codecs::{
    AudioEncoderSettings, CodecError, CodecKit, Frame, Pcm, Picture, PictureMut, Plane, VideoEncoderSettings,
};
use media::{AudioParams, FrameRate, Key, SampleRate, Size, Span, Tick, Time, VideoParams};

/// How long it is before it begins again: a GOP.
const LENGTH: Span = Span::from_secs(2);
/// Samples of a block of AAC.
pub(crate) const BLOCK: i64 = 1024;
/// An encoder's first blocks hold its priming.
const PRIMING_BLOCKS: usize = 3;
/// Fields across and down, each of a brightness of its own.
const GRID: usize = 4;
/// Nothing in a black picture is brighter.
const BLACK: u8 = 24;
const TONE_HZ: f64 = 440.0;
/// −20 dBFS.
const TONE_PEAK: f64 = 0.1;

/// Coded pictures and sound, to be sent over and over.
pub(crate) struct Clip {
    pub(crate) video: VideoParams,
    /// In the order they are sent, which is that of time; the first is a key frame.
    pub(crate) pictures: Vec<(Bytes, Key)>,
    /// A key frame that is black.
    pub(crate) black: Bytes,
    pub(crate) audio: AudioParams,
    pub(crate) sound: Vec<Bytes>,
    pub(crate) silent: Bytes,
}

impl Clip {
    /// Encodes the `own`th: no two have a picture in common, so that no two lines are taken for
    /// one encoder's.
    pub(crate) fn make(
        kit: &dyn CodecKit,
        own: u64,
        size: Size,
        rate: FrameRate,
        (hz, channels): (SampleRate, u8),
    ) -> Result<Self, CodecError> {
        let settings = VideoEncoderSettings {
            // The fastest one reorders nothing, so any picture can be sent at any time.
            preset: "ultrafast",
            keyframe: LENGTH,
            ..VideoEncoderSettings::new(size, rate, 6_000_000)
        };
        let count = rate.tick_from(Time::ZERO + LENGTH).0.max(2);
        let moving = (0..count).map(|n| moving(size, own, n)).collect::<Result<Vec<_>, _>>()?;
        let (video, pictures) = encode(kit, &settings, moving)?;
        let (_, black) = encode(kit, &settings, vec![uniform(size, 16 + (own % 7) as u8)?])?;
        let black = black.into_iter().next().map(|(data, _)| data).unwrap_or_default();
        let (audio, sound) = encode_sound(kit, hz, channels, TONE_PEAK, hz.sample_at(Time::ZERO + LENGTH))?;
        let (_, silence) = encode_sound(kit, hz, channels, 0.0, BLOCK * 6)?;
        let silent = silence.last().cloned().unwrap_or_default();
        Ok(Self { video, pictures, black, audio, sound, silent })
    }
}

/// The `n`th picture: each differs from the one before, wherever one looks.
fn moving(size: Size, own: u64, n: u64) -> Result<Picture, CodecError> {
    let mut picture = uniform_mut(size, 0)?;
    let mut luma = picture.plane_mut(Plane::Y);
    let (width, height) = (luma.width, luma.height);
    for y in 0..height {
        let row = luma.row_mut(y);
        for column in 0..GRID {
            let field = (y * GRID / height.max(1) * GRID + column) as u64;
            let shade = 40 + (n * 7 + field * (13 + own * 2)) % 160;
            row[column * width / GRID..(column + 1) * width / GRID].fill(shade as u8);
        }
    }
    Ok(picture.freeze())
}

fn uniform_mut(size: Size, luma: u8) -> Result<PictureMut, CodecError> {
    let mut picture = PictureMut::new(size)?;
    for (mut plane, which) in picture.planes_mut().into_iter().zip(Plane::ALL) {
        plane.fill(if which == Plane::Y { luma } else { 128 });
    }
    Ok(picture)
}

/// A picture of one shade of grey.
pub(crate) fn uniform(size: Size, luma: u8) -> Result<Picture, CodecError> {
    Ok(uniform_mut(size, luma)?.freeze())
}

/// What a picture looks like at the middle of each field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look([u8; GRID * GRID]);

impl Look {
    pub(crate) fn at(picture: &Picture) -> Self {
        let luma = picture.plane(Plane::Y);
        Self(std::array::from_fn(|field| {
            let (x, y) = (field % GRID, field / GRID);
            let middle = |n: usize, whole: usize| (2 * n + 1) * whole / (2 * GRID);
            luma.row(middle(y, luma.height)).get(middle(x, luma.width)).copied().unwrap_or(0)
        }))
    }

    pub(crate) fn is_black(self) -> bool {
        self.0.iter().all(|shade| *shade <= BLACK)
    }
}

fn encode(
    kit: &dyn CodecKit,
    settings: &VideoEncoderSettings,
    pictures: Vec<Picture>,
) -> Result<(VideoParams, Vec<(Bytes, Key)>), CodecError> {
    let mut encoder = kit.video_encoder(settings)?;
    let mut coded = Vec::new();
    for (n, picture) in (0..).zip(pictures) {
        let key = if n == 0 { Key::Frame } else { Key::Delta };
        encoder.send(&Frame { pts: settings.rate.time_of(Tick(n)), picture }, key)?;
        while let Some(packet) = encoder.receive()? {
            coded.push((packet.data, packet.key));
        }
    }
    encoder.flush()?;
    while let Some(packet) = encoder.receive()? {
        coded.push((packet.data, packet.key));
    }
    Ok((encoder.params().clone(), coded))
}

fn encode_sound(
    kit: &dyn CodecKit,
    hz: SampleRate,
    channels: u8,
    peak: f64,
    samples: i64,
) -> Result<(AudioParams, Vec<Bytes>), CodecError> {
    let mut encoder = kit.audio_encoder(&AudioEncoderSettings { rate: hz, channels, bitrate: 128_000 })?;
    let mut coded = Vec::new();
    for first in (0..samples).step_by(BLOCK as usize) {
        let wave = (first..first + BLOCK).flat_map(|n| {
            let turns = n as f64 * TONE_HZ / f64::from(hz.hz());
            let sample = (peak * (turns.fract() * std::f64::consts::TAU).sin()) as f32;
            std::iter::repeat_n(sample, usize::from(channels))
        });
        let wave: Vec<f32> = wave.collect();
        encoder.send(&Pcm::new(hz.time_of(first), hz, channels, wave))?;
        while let Some(packet) = encoder.receive()? {
            coded.push(packet.data);
        }
    }
    let params = encoder.params().clone();
    let rest = coded.split_off(PRIMING_BLOCKS.min(coded.len().saturating_sub(1)));
    Ok((params, rest))
}

#[cfg(test)]
mod tests {
    use codecs::{Fake, Ffmpeg};
    use media::{Packet, Track};

    use super::*;

    fn packet(data: &Bytes, key: Key, n: i64) -> Packet {
        let at = Time::from_millis(n * 40);
        Packet { track: Track::Video, pts: at, dts: at, duration: None, key, data: data.clone() }
    }

    /// Lines of one camera that had pictures in common would be shown in step.
    #[test]
    fn no_two_clips_have_a_picture_in_common() {
        let (size, rate) = (Size::new(64, 36), FrameRate::new(30, 1).unwrap());
        let mut seen = std::collections::HashSet::new();
        for own in 0..7 {
            let clip = Clip::make(&Fake::new(), own, size, rate, (SampleRate::HZ_48000, 2)).unwrap();
            let mut pictures: Vec<Picture> = (0..60).map(|n| moving(size, own, n).unwrap()).collect();
            assert!(pictures.drain(..).all(|picture| seen.insert(Look::at(&picture).0)));
            assert!(clip.pictures.len() == 60 && !clip.black.is_empty());
        }
    }

    /// With both kits: no two pictures in a row look alike, over the seam as well; what is sent
    /// again stands still, and black is black.
    #[test]
    fn what_is_sent_looks_like_what_it_is() {
        for kit in [&Fake::new() as &dyn CodecKit, &Ffmpeg::new()] {
            let (size, rate) = (Size::new(128, 72), FrameRate::new(25, 1).unwrap());
            let clip = Clip::make(kit, 0, size, rate, (SampleRate::HZ_48000, 2)).unwrap();
            assert_eq!(clip.pictures.len(), 50);
            let mut sent: Vec<_> = clip.pictures.iter().chain(&clip.pictures).cloned().collect();
            sent.extend(std::iter::repeat_n((clip.pictures[0].0.clone(), Key::Frame), 5));
            sent.push((clip.black.clone(), Key::Frame));
            let mut decoder = kit.video_decoder(&clip.video).unwrap();
            let mut looks = Vec::new();
            let mut fetch = |decoder: &mut dyn codecs::VideoDecoder| {
                while let Some(frame) = decoder.receive().unwrap() {
                    looks.push(Look::at(&frame.picture));
                }
            };
            for (n, (data, key)) in (0..).zip(&sent) {
                decoder.send(&packet(data, *key, n)).unwrap();
                fetch(decoder.as_mut());
            }
            decoder.flush().unwrap();
            fetch(decoder.as_mut());
            assert_eq!(looks.len(), 106);
            assert!(looks[..100].windows(2).all(|pair| pair[0] != pair[1]));
            assert!(looks[100..105].windows(2).all(|pair| pair[0] == pair[1]));
            assert!(looks[105].is_black() && !looks[..105].iter().any(|look| look.is_black()));
            assert!(clip.sound.len() > 80 && !clip.silent.is_empty());
        }
    }
}
