//! GStreamer caps → what our decoders must know, and the elements that bring a
//! stream into the shape our packets have.

use bytes::Bytes;
use codecs::{Aspect, CodecError, Colour, Matrix, Picture, Range, RawFormat, RawPicture, RawPlane};
use gstreamer as gst;
use media::{AudioCodec, AudioParams, FrameRate, SampleRate, Size, Track, VideoCodec, VideoParams};

use crate::ingest::lane::StreamParams;

/// Which track caps are of, if any of ours.
pub(crate) fn track(caps: &gst::CapsRef) -> Option<Track> {
    let name = caps.structure(0)?.name();
    if name.starts_with("video/") || name.starts_with("image/") {
        Some(Track::Video)
    } else if name.starts_with("audio/") {
        Some(Track::Audio)
    } else {
        None
    }
}

/// The elements that bring a stream with these caps into our packets' shape.
///
/// AVC and HEVC go on as Annex B with parameter sets at every key frame, so
/// that a change in mid-stream reaches the decoder; AAC as raw data blocks.
pub(crate) fn shaping(caps: &gst::CapsRef) -> &'static str {
    let Some(s) = caps.structure(0) else { return "identity" };
    match s.name().as_str() {
        "video/x-h264" => {
            "h264parse config-interval=-1 ! capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au"
        }
        "video/x-h265" => {
            "h265parse config-interval=-1 ! capsfilter caps=video/x-h265,stream-format=byte-stream,alignment=au"
        }
        "audio/mpeg" if s.get::<i32>("mpegversion").is_ok_and(|v| v != 1) => {
            "aacparse ! capsfilter caps=audio/mpeg,stream-format=raw"
        }
        "video/x-raw" => RAW_SHAPING,
        "audio/x-raw" => "audioconvert ! capsfilter caps=audio/x-raw,format=S16LE,layout=interleaved",
        _ => "identity",
    }
}

/// Whether the transparency of its pictures is coded apart, as a picture of its own (VP8 and VP9 in
/// Matroska).
pub(crate) fn has_alpha_apart(caps: &gst::CapsRef) -> bool {
    caps.structure(0).and_then(|s| s.get::<bool>("codec-alpha").ok()).unwrap_or(false)
}

/// The shape of one pixel, where a container or a parser knows it.
pub(crate) fn aspect(caps: &gst::CapsRef) -> Aspect {
    let told = caps.structure(0).and_then(|s| s.get::<gst::Fraction>("pixel-aspect-ratio").ok());
    let part = |n: i32| u32::try_from(n).ok().filter(|n| (1..=1 << 16).contains(n));
    match told.map(|told| (part(told.numer()), part(told.denom()))) {
        // Beyond 1:16 it is damage, not a shape of pixels.
        Some((Some(num), Some(den))) if num <= 16 * den && den <= 16 * num => Aspect { num, den },
        _ => Aspect::SQUARE,
    }
}

/// How many pictures a second a container or a parser tells of.
pub(crate) fn rate(caps: &gst::CapsRef) -> Option<FrameRate> {
    let told = caps.structure(0)?.get::<gst::Fraction>("framerate").ok()?;
    FrameRate::new(u32::try_from(told.numer()).ok()?, u32::try_from(told.denom()).ok()?).ok()
}

/// Raw pictures go on in a form that [`RawForm`] knows, which cards and cameras mostly have; fields
/// are made whole pictures. appsink asks for no strides of its own, so rows lie as GStreamer lays them.
const RAW_SHAPING: &str = "deinterlace mode=auto ! videoconvert ! capsfilter caps=\"\
    video/x-raw,format=(string){I420,NV12,YUY2,UYVY,RGBA,BGRA}\"";

/// How the buffers of a stream of raw pictures are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawForm {
    format: RawFormat,
    size: Size,
    colour: Option<Colour>,
}

/// The form of raw pictures; `None` if these caps are of none that we know.
pub(crate) fn raw(caps: &gst::CapsRef) -> Option<RawForm> {
    let s = caps.structure(0).filter(|s| s.name() == "video/x-raw")?;
    let format = match s.get::<&str>("format").ok()? {
        "I420" => RawFormat::I420,
        "NV12" => RawFormat::Nv12,
        "YUY2" => RawFormat::Yuy2,
        "UYVY" => RawFormat::Uyvy,
        "RGBA" => RawFormat::Rgba,
        "BGRA" => RawFormat::Bgra,
        _ => return None,
    };
    let side = |field: &str| s.get::<i32>(field).ok().and_then(|side| u32::try_from(side).ok());
    let size = Size::new(side("width")?, side("height")?);
    let is_rgb = matches!(format, RawFormat::Rgba | RawFormat::Bgra);
    let colour = s.get::<&str>("colorimetry").ok().filter(|_| !is_rgb).and_then(colour);
    Some(RawForm { format, size, colour })
}

/// GStreamer's colorimetry: a name, or range, matrix, transfer and primaries as numbers.
fn colour(text: &str) -> Option<Colour> {
    let limited = |matrix| Some(Colour { matrix, range: Range::Limited });
    match text {
        "bt601" => limited(Matrix::Bt601),
        "bt709" => limited(Matrix::Bt709),
        "bt2020" => limited(Matrix::Bt2020),
        _ => {
            let mut parts = text.split(':');
            let range = match parts.next()? {
                "1" => Range::Full,
                _ => Range::Limited,
            };
            let matrix = match parts.next()? {
                "3" => Matrix::Bt709,
                "4" => Matrix::Bt601,
                "6" => Matrix::Bt2020,
                _ => Matrix::Unknown,
            };
            Some(Colour { matrix, range })
        }
    }
}

impl RawForm {
    /// The same without a word on its colours.
    pub(crate) fn untold(self) -> Self {
        Self { colour: None, ..self }
    }

    /// The picture in a buffer, copied.
    pub(crate) fn picture(&self, data: &[u8]) -> Result<Picture, CodecError> {
        let Self { format, size, .. } = *self;
        let mut rest = data;
        let mut planes = Vec::with_capacity(format.planes());
        for plane in 0..format.planes() {
            let (row, rows) = format.plane_size(plane, size);
            // Rows begin at multiples of four bytes, and 4:2:0 has an even number of them.
            let stride = row.next_multiple_of(4);
            let rows = if plane == 0 && format.planes() > 1 { rows.next_multiple_of(2) } else { rows };
            let (data, after) = rest.split_at(rest.len().min(stride * rows));
            planes.push(RawPlane { data, stride });
            rest = after;
        }
        let raw = RawPicture::strided(format, size, planes)?;
        match self.colour {
            Some(colour) => raw.coloured(colour),
            None => raw,
        }
        .to_picture()
    }
}

/// The parameters of a stream, or its caps in words where we have no decoder for it.
pub(crate) fn params(caps: &gst::CapsRef) -> Result<StreamParams, String> {
    let unknown = || caps.structure(0).map_or_else(|| "no caps".to_owned(), |s| s.name().to_string());
    let s = caps.structure(0).ok_or_else(unknown)?;
    let int = |field: &str| s.get::<i32>(field).ok();
    let video = |codec, config| {
        let size = int("width").zip(int("height"));
        let size = size.and_then(|(w, h)| Some(Size::new(u32::try_from(w).ok()?, u32::try_from(h).ok()?)));
        Ok(StreamParams::Video(VideoParams { codec, size, config }))
    };
    let audio = |codec, config| {
        let hz = int("rate").and_then(|r| u32::try_from(r).ok()).unwrap_or(48_000);
        let rate = SampleRate::new(hz).map_err(|e| e.to_string())?;
        let channels = int("channels").and_then(|c| u8::try_from(c).ok()).unwrap_or(2).max(1);
        Ok(StreamParams::Audio(AudioParams { codec, rate, channels, config }))
    };
    match (s.name().as_str(), int("mpegversion")) {
        ("video/x-h264", _) => video(VideoCodec::Avc, Bytes::new()),
        ("video/x-h265", _) => video(VideoCodec::Hevc, Bytes::new()),
        ("video/x-av1", _) => video(VideoCodec::Av1, codec_data(s)),
        ("video/x-vp8", _) => video(VideoCodec::Vp8, Bytes::new()),
        ("video/x-vp9", _) => video(VideoCodec::Vp9, Bytes::new()),
        ("video/mpeg", Some(1 | 2)) => video(VideoCodec::Mpeg2, codec_data(s)),
        ("video/mpeg", Some(4)) => video(VideoCodec::Mpeg4, codec_data(s)),
        ("image/jpeg", _) => video(VideoCodec::Mjpeg, Bytes::new()),
        ("video/x-prores", _) => video(VideoCodec::Prores, Bytes::new()),
        ("image/png", _) => video(VideoCodec::Png, Bytes::new()),
        ("video/x-theora", _) => video(VideoCodec::Theora, stream_headers(s)),
        ("audio/mpeg", Some(2 | 4)) => audio(AudioCodec::Aac, codec_data(s)),
        ("audio/mpeg", Some(1)) if int("layer") == Some(3) => audio(AudioCodec::Mp3, Bytes::new()),
        ("audio/mpeg", Some(1)) => audio(AudioCodec::Mp2, Bytes::new()),
        ("audio/x-opus", _) => audio(AudioCodec::Opus, first_header(s)),
        ("audio/x-vorbis", _) => audio(AudioCodec::Vorbis, stream_headers(s)),
        ("audio/x-flac", _) => audio(AudioCodec::Flac, flac_info(s)),
        ("audio/x-ac3", _) => audio(AudioCodec::Ac3, Bytes::new()),
        ("audio/x-eac3", _) => audio(AudioCodec::Eac3, Bytes::new()),
        ("audio/x-raw", _) => audio(AudioCodec::PcmS16, Bytes::new()),
        _ => Err(unknown()),
    }
}

fn bytes_of(buffer: &gst::BufferRef) -> Bytes {
    buffer.map_readable().map_or_else(|_| Bytes::new(), |map| Bytes::copy_from_slice(map.as_slice()))
}

fn codec_data(s: &gst::StructureRef) -> Bytes {
    s.get::<gst::Buffer>("codec_data").map_or_else(|_| Bytes::new(), |b| bytes_of(&b))
}

fn headers(s: &gst::StructureRef) -> Vec<Bytes> {
    let Ok(array) = s.get::<gst::Array>("streamheader") else { return Vec::new() };
    array.iter().filter_map(|v| v.get::<gst::Buffer>().ok()).map(|b| bytes_of(&b)).collect()
}

fn first_header(s: &gst::StructureRef) -> Bytes {
    headers(s).into_iter().next().unwrap_or_default()
}

/// Xiph headers as FFmpeg's decoders take them: each with its length in two bytes before it.
fn stream_headers(s: &gst::StructureRef) -> Bytes {
    let mut out = Vec::new();
    for header in headers(s) {
        let Ok(len) = u16::try_from(header.len()) else { return Bytes::new() };
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&header);
    }
    out.into()
}

/// STREAMINFO's 34 bytes, which follow `0x7F FLAC`, version, count, `fLaC` and a block header.
fn flac_info(s: &gst::StructureRef) -> Bytes {
    let first = first_header(s);
    if first.len() >= 51 { first.slice(17..51) } else { Bytes::new() }
}
