//! Streams as others send them, made with FFmpeg's encoders.

use bytes::Bytes;
use codecs::Plane;
use ffmpeg::format::Pixel;
use ffmpeg_next as ffmpeg;
use media::{Key, Packet, Size, Time, Track, VideoCodec, VideoParams};

use crate::pattern;

pub struct Stream {
    pub params: VideoParams,
    pub packets: Vec<Packet>,
}

/// What the encoder is told beside size and pixels.
#[derive(Clone, Copy)]
pub struct Form {
    pub encoder: &'static str,
    pub codec: VideoCodec,
    pub pixel: Pixel,
    pub size: Size,
    pub options: &'static [(&'static str, &'static str)],
}

/// Encodes the pattern's frame `n` at each of `times`.
pub fn stream(form: Form, times: &[Time]) -> Stream {
    stream_of(form, times, |n| picture(form.pixel, form.size, n))
}

/// A stream of two fields a frame: the upper one dark, the lower one bright.
pub fn combed(form: Form) -> Stream {
    let times = [0, 40, 80].map(Time::from_millis);
    stream_of(form, &times, |n| {
        let mut frame = picture(form.pixel, form.size, n);
        let stride = frame.stride(0);
        for (y, row) in frame.data_mut(0).chunks_mut(stride).enumerate() {
            row.fill(if y % 2 == 0 { 40 } else { 200 });
        }
        frame
    })
}

pub fn stream_of(form: Form, times: &[Time], picture: impl Fn(u32) -> ffmpeg::frame::Video) -> Stream {
    ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
    let codec = ffmpeg::encoder::find_by_name(form.encoder).expect("Debian's FFmpeg has it");
    let mut video = ffmpeg::codec::Context::new_with_codec(codec).encoder().video().unwrap();
    video.set_width(form.size.width);
    video.set_height(form.size.height);
    video.set_format(form.pixel);
    // mpeg4 takes time bases of 16 bits only, mpeg2video only its frame rates.
    let units = if form.encoder == "mpeg2video" { 25 } else { 12_000 };
    video.set_time_base((1, units as i32));
    video.set_frame_rate(Some((25, 1)));
    video.set_bit_rate(4_000_000);
    let full = matches!(form.pixel, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    video.set_color_range(if full { ffmpeg::color::Range::JPEG } else { ffmpeg::color::Range::MPEG });
    video.set_colorspace(ffmpeg::color::Space::BT709);
    let options: ffmpeg::Dictionary<'_> = form.options.iter().copied().collect();
    let mut video = video.open_with(options).unwrap();
    let mut packets = Vec::new();
    for (n, time) in times.iter().enumerate() {
        let mut frame = picture(n as u32);
        frame.set_pts(Some(time.as_units(1, units)));
        video.send_frame(&frame).unwrap();
        drain(&mut video, units, &mut packets);
    }
    video.send_eof().unwrap();
    drain(&mut video, units, &mut packets);
    Stream { params: VideoParams { codec: form.codec, size: Some(form.size), config: Bytes::new() }, packets }
}

fn drain(video: &mut ffmpeg::encoder::Video, units: u32, packets: &mut Vec<Packet>) {
    let mut packet = ffmpeg::Packet::empty();
    while video.receive_packet(&mut packet).is_ok() {
        packets.push(Packet {
            track: Track::Video,
            pts: Time::from_units(packet.pts().unwrap(), 1, units),
            dts: Time::from_units(packet.dts().unwrap(), 1, units),
            duration: None,
            key: if packet.is_key() { Key::Frame } else { Key::Delta },
            data: Bytes::copy_from_slice(packet.data().unwrap()),
        });
    }
}

/// The pattern in any planar format: its 4:2:0 samples, spread and widened.
pub fn picture(pixel: Pixel, size: Size, n: u32) -> ffmpeg::frame::Video {
    let mut frame = ffmpeg::frame::Video::new(pixel, size.width, size.height);
    let about = pixel.descriptor().unwrap();
    let deep = format!("{pixel:?}").contains("10");
    let full = matches!(pixel, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    frame.set_color_range(if full { ffmpeg::color::Range::JPEG } else { ffmpeg::color::Range::MPEG });
    frame.set_color_space(ffmpeg::color::Space::BT709);
    for (i, plane) in Plane::ALL.into_iter().enumerate() {
        let chroma = u32::from(i > 0);
        let (sx, sy) = (chroma * u32::from(about.log2_chroma_w()), chroma * u32::from(about.log2_chroma_h()));
        let of = Size::new(size.width.div_ceil(1 << sx), size.height.div_ceil(1 << sy));
        let stride = frame.stride(i);
        let data = frame.data_mut(i);
        for y in 0..of.height {
            for x in 0..of.width {
                let limited = f64::from(pattern::sample(plane, of, x, y, n));
                let value = match (full, i) {
                    (false, _) => limited,
                    (true, 0) => (limited - 16.0) * 255.0 / 219.0,
                    (true, _) => (limited - 128.0) * 255.0 / 224.0 + 128.0,
                };
                let at = y as usize * stride;
                if deep {
                    let wide = ((value * 4.0).round() as u16).to_le_bytes();
                    data[at + 2 * x as usize..][..2].copy_from_slice(&wide);
                } else {
                    data[at + x as usize] = value.round() as u8;
                }
            }
        }
    }
    frame
}

/// Packets of a second of sound of two channels at 48 kHz.
pub fn sound(encoder: &str, len: usize, sample: impl Fn(usize) -> [f32; 2]) -> Vec<Packet> {
    use ffmpeg::format::Sample;
    use ffmpeg::format::sample::Type;
    let codec = ffmpeg::encoder::find_by_name(encoder).expect("Debian's FFmpeg has it");
    let mut audio = ffmpeg::codec::Context::new_with_codec(codec).encoder().audio().unwrap();
    let format = codec.audio().unwrap().formats().unwrap().next().unwrap();
    audio.set_rate(48_000);
    audio.set_format(format);
    audio.set_channel_layout(ffmpeg::ChannelLayout::STEREO);
    audio.set_bit_rate(192_000);
    audio.set_time_base((1, 48_000));
    let mut audio = audio.open().unwrap();
    let block = audio.frame_size() as usize;
    let mut packets = Vec::new();
    for from in (0..len).step_by(block) {
        let mut frame = ffmpeg::frame::Audio::new(format, block, ffmpeg::ChannelLayout::STEREO);
        frame.set_rate(48_000);
        frame.set_pts(Some(from as i64));
        for n in 0..block {
            let pair = if from + n < len { sample(from + n) } else { [0.0; 2] };
            for (channel, value) in pair.into_iter().enumerate() {
                match format {
                    Sample::F32(Type::Planar) => frame.plane_mut::<f32>(channel)[n] = value,
                    Sample::I16(Type::Planar) => {
                        frame.plane_mut::<i16>(channel)[n] = (value * 32_767.0) as i16
                    }
                    Sample::I32(Type::Planar) => {
                        frame.plane_mut::<i32>(channel)[n] = (f64::from(value) * 2_147_483_647.0) as i32;
                    }
                    Sample::I16(Type::Packed) => {
                        // Two channels are one plane of pairs.
                        let mut both = frame.plane::<(i16, i16)>(0)[n];
                        *(if channel == 0 { &mut both.0 } else { &mut both.1 }) = (value * 32_767.0) as i16;
                        frame.plane_mut::<(i16, i16)>(0)[n] = both;
                    }
                    other => panic!("{encoder} wants {other:?}"),
                }
            }
        }
        audio.send_frame(&frame).unwrap();
        take_sound(&mut audio, &mut packets);
    }
    audio.send_eof().unwrap();
    take_sound(&mut audio, &mut packets);
    packets
}

fn take_sound(audio: &mut ffmpeg::encoder::Audio, packets: &mut Vec<Packet>) {
    let mut packet = ffmpeg::Packet::empty();
    while audio.receive_packet(&mut packet).is_ok() {
        let pts = Time::from_units(packet.pts().unwrap(), 1, 48_000);
        packets.push(Packet {
            track: Track::Audio,
            pts,
            dts: pts,
            duration: None,
            key: Key::Frame,
            data: Bytes::copy_from_slice(packet.data().unwrap()),
        });
    }
}

/// The frame, marked as of two fields: `setfield=tff` or `bff`.
pub fn interlaced(frame: &ffmpeg::frame::Video, order: &str) -> ffmpeg::frame::Video {
    use ffmpeg::filter;
    let mut graph = filter::Graph::new();
    let place = format!(
        "video_size={}x{}:pix_fmt={}:time_base=1/12000:pixel_aspect=1/1",
        frame.width(),
        frame.height(),
        ffmpeg::ffi::AVPixelFormat::from(frame.format()) as i32
    );
    graph.add(&filter::find("buffer").unwrap(), "in", &place).unwrap();
    graph.add(&filter::find("buffersink").unwrap(), "out", "").unwrap();
    let chain = graph.output("in", 0).unwrap().input("out", 0).unwrap();
    chain.parse(&format!("setfield={order}")).unwrap();
    graph.validate().unwrap();
    graph.get("in").unwrap().source().add(frame).unwrap();
    let mut out = ffmpeg::frame::Video::empty();
    graph.get("out").unwrap().sink().frame(&mut out).unwrap();
    out
}
