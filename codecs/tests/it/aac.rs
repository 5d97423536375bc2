//! The AAC encoder and what comes back out of it.

use codecs::{AudioEncoderSettings, CodecKit, Ffmpeg, Pcm};
use media::{AudioCodec, AudioParams, Packet, SampleRate, Span, Time};

const RATE: SampleRate = SampleRate::HZ_48000;

fn settings() -> AudioEncoderSettings {
    AudioEncoderSettings { rate: RATE, channels: 2, bitrate: 128_000 }
}

/// A tone of 1 kHz on the left, of 500 Hz on the right, from sample `from` on.
fn tone(pts: Time, from: usize, len: usize) -> Pcm {
    let samples: Vec<f32> = (from..from + len).flat_map(|n| [wave(n, 1000.0), wave(n, 500.0)]).collect();
    Pcm::new(pts, RATE, 2, samples)
}

fn encode(start: Time, blocks: &[usize]) -> (AudioParams, Vec<Packet>) {
    let mut encoder = Ffmpeg::new().audio_encoder(&settings()).unwrap();
    let mut packets = Vec::new();
    let mut at = 0;
    for &len in blocks {
        encoder.send(&tone(start + Span::from_units(at as i64, 1, 48_000), at, len)).unwrap();
        at += len;
        while let Some(packet) = encoder.receive().unwrap() {
            packets.push(packet);
        }
    }
    encoder.flush().unwrap();
    while let Some(packet) = encoder.receive().unwrap() {
        packets.push(packet);
    }
    (encoder.params().clone(), packets)
}

pub fn decode(params: &AudioParams, packets: &[Packet]) -> Vec<Pcm> {
    let mut decoder = Ffmpeg::new().audio_decoder(params).unwrap();
    let mut out = Vec::new();
    for packet in packets {
        decoder.send(packet).unwrap();
        while let Some(pcm) = decoder.receive().unwrap() {
            out.push(pcm);
        }
    }
    decoder.flush().unwrap();
    while let Some(pcm) = decoder.receive().unwrap() {
        out.push(pcm);
    }
    out
}

#[test]
fn priming_stays_in_the_timestamps() {
    let start = Time::from_millis(12_345);
    let (params, packets) = encode(start, &[1600; 30]);
    let block = Span::from_units(1024, 1, 48_000);
    assert_eq!(packets[0].pts, start - block);
    for (n, packet) in packets.iter().enumerate() {
        assert_eq!(packet.pts, start + block.times(n as i64 - 1));
        assert_eq!((packet.dts, packet.duration), (packet.pts, Some(block)));
    }
    // The last one reaches to the end of the sound, filled with silence.
    let end = start + Span::from_units(1600 * 30, 1, 48_000);
    let last = packets.last().unwrap();
    assert!(last.pts < end && last.pts + block >= end, "{:?} {end}", last);
    // AAC-LC, 48 kHz, two channels (ISO/IEC 14496-3, 1.6.2.1).
    assert_eq!(&params.config[..2], &[0x11, 0x90]);
    assert_eq!((params.codec, params.rate, params.channels), (AudioCodec::Aac, RATE, 2));
}

#[test]
fn a_tone_comes_back_at_its_time() {
    let start = Time::from_secs(7);
    let (params, packets) = encode(start, &[960; 100]);
    let mut squares = [0.0f64; 2];
    let mut count = 0;
    for pcm in decode(&params, &packets) {
        assert_eq!((pcm.rate, pcm.channels, pcm.len()), (RATE, 2, 1024));
        let first = RATE.sample_at(pcm.pts) - RATE.sample_at(start);
        for (n, pair) in pcm.samples.chunks_exact(2).enumerate() {
            let at = first + n as i64;
            // The edges ring; the middle must fit sample by sample.
            if (4_000..90_000).contains(&at) {
                for (channel, hz) in [1000.0, 500.0].into_iter().enumerate() {
                    let want = (at as f64 * hz / 48_000.0 * std::f64::consts::TAU).sin() * 0.5;
                    squares[channel] += (f64::from(pair[channel]) - want).powi(2);
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 86_000);
    let error = squares.map(|sum| (sum / f64::from(count)).sqrt());
    assert!(error.iter().all(|&rms| rms < 0.01), "{error:?}");
}

#[test]
fn how_it_is_cut_into_blocks_does_not_matter() {
    let bytes =
        |blocks: &[usize]| encode(Time::ZERO, blocks).1.into_iter().map(|p| p.data).collect::<Vec<_>>();
    let whole = bytes(&[20_000]);
    assert_eq!(whole, bytes(&[1, 19_000, 999]));
    assert_eq!(whole, bytes(&[1024; 19].into_iter().chain([544]).collect::<Vec<_>>()));
}

#[test]
fn wrong_settings_and_sound_are_told() {
    let kit = Ffmpeg::new();
    let refused = |settings| kit.audio_encoder(&settings).err().unwrap().to_string();
    let channels = AudioEncoderSettings { channels: 3, ..settings() };
    assert_eq!(refused(channels), "aac: channels is 3, legal is 1 or 2");
    let bitrate = AudioEncoderSettings { bitrate: 600_000, ..settings() };
    assert_eq!(refused(bitrate), "aac: bitrate is 600000, legal is 8000 to 576000 at this rate");
    let rate = AudioEncoderSettings { rate: SampleRate::new(50_000).unwrap(), ..settings() };
    assert!(refused(rate).starts_with("aac: rate is 50kHz, legal is 96000, 88200"));
    let mut encoder = kit.audio_encoder(&settings()).unwrap();
    let err = encoder.send(&Pcm::silence(Time::ZERO, RATE, 1, 10)).unwrap_err();
    assert_eq!(err.to_string(), "aac: sound of 48kHz, 1 channels, where 48kHz, 2 channels was set");
    // What is not a number must not stop the encoder for good.
    encoder.send(&Pcm::new(Time::ZERO, RATE, 2, vec![f32::NAN; 4096])).unwrap();
    encoder.flush().unwrap();
}

#[test]
fn plain_samples_are_read_as_they_are() {
    let params =
        AudioParams { codec: AudioCodec::PcmS16, rate: RATE, channels: 2, config: bytes::Bytes::new() };
    let data: Vec<u8> = [0i16, -32_768, 16_384, 8_192].iter().flat_map(|s| s.to_le_bytes()).collect();
    let pts = Time::from_millis(5);
    let packet = Packet {
        track: media::Track::Audio,
        pts,
        dts: pts,
        duration: None,
        key: media::Key::Frame,
        data: data.into(),
    };
    let out = decode(&params, &[packet]);
    assert_eq!(out, [Pcm::new(pts, RATE, 2, vec![0.0, -1.0, 0.5, 0.25])]);
}

#[test]
fn sound_of_other_codecs_is_heard_at_its_time() {
    for (encoder, codec, delay) in
        [("mp2", AudioCodec::Mp2, 600), ("ac3", AudioCodec::Ac3, 300), ("libmp3lame", AudioCodec::Mp3, 1200)]
    {
        let packets = crate::foreign::sound(encoder, 48_000, |n| [1000.0, 500.0].map(|hz| wave(n, hz)));
        let params = AudioParams { codec, rate: RATE, channels: 2, config: bytes::Bytes::new() };
        let out = decode(&params, &packets);
        let (first, last) = (&out[0], out.last().unwrap());
        assert!(out.windows(2).all(|pair| (pair[1].pts - pair[0].end()).abs() <= Span::from_flicks(1)));
        assert!(
            first.pts <= Time::ZERO && last.end() >= Time::from_secs(1) - Span::from_units(delay, 1, 48_000)
        );
        let middle = &out[out.len() / 2];
        assert_eq!((middle.rate, middle.channels), (RATE, 2));
        assert!((middle.rms() - 0.3535).abs() < 0.02, "{encoder}: {}", middle.rms());
        // The tone stands where it stood, within the delay of a codec that does not tell its own.
        let from = RATE.sample_at(middle.pts);
        let off = (-delay..=delay).map(|shift| {
            let error = middle
                .samples
                .chunks_exact(2)
                .enumerate()
                .map(|(n, pair)| (pair[1] - wave((from + n as i64 + shift) as usize, 500.0)).abs());
            error.fold(0.0, f32::max)
        });
        assert!(off.fold(f32::MAX, f32::min) < 0.05, "{encoder}");
    }
}

fn wave(n: usize, hz: f64) -> f32 {
    ((n as f64 * hz / 48_000.0 * std::f64::consts::TAU).sin() * 0.5) as f32
}
