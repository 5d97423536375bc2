//! What a stream of tags holds: counts, codecs, sizes, key frames, gaps.

use media::Size;

use crate::aac::AudioSpecificConfig;
use crate::audio::{AudioCodec, AudioHeader};
use crate::body::BodyError;
use crate::millis::FlvMillis;
use crate::script::Metadata;
use crate::tag::{Tag, TagKind};
use crate::video::{FrameType, VideoCodec, VideoHeader, VideoPacket};
use crate::{avc, hevc};

/// So many key frames, gaps, sizes and errors are listed; more are counted only.
pub const MAX_LISTED: usize = 4096;
/// So many different codecs are kept a track.
pub const MAX_CODECS: usize = 16;

/// A list that grows to [`MAX_LISTED`], and a count that goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed<T> {
    items: Vec<T>,
    count: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), count: 0 }
    }
}

impl<T> Listed<T> {
    fn push(&mut self, item: T) {
        self.count += 1;
        if self.items.len() < MAX_LISTED {
            self.items.push(item);
        }
    }

    /// The first ones.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// A key frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyFrame {
    /// The tag's ordinal, from 0, of all tags.
    pub tag: u64,
    /// Its DTS in milliseconds, unfolded.
    pub dts_ms: i64,
    /// Its PTS in milliseconds, unfolded.
    pub pts_ms: i64,
}

/// A step between successive tags of a track that is longer than the threshold, or goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeGap {
    /// Which kind of tag.
    pub kind: TagKind,
    /// The ordinal of the tag behind the gap.
    pub tag: u64,
    /// The DTS before, in milliseconds.
    pub from_ms: i64,
    /// The DTS behind, in milliseconds.
    pub to_ms: i64,
}

/// A body that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadBody {
    /// The tag's ordinal.
    pub tag: u64,
    /// Its kind.
    pub kind: TagKind,
    /// What is wrong with it.
    pub error: BodyError,
}

/// What all kinds of tag have.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KindCount {
    /// Tags.
    pub tags: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Of the first tag with data, in milliseconds.
    pub first_ms: Option<i64>,
    /// The latest timestamp with data, in milliseconds.
    pub last_ms: Option<i64>,
    /// The longest step forward between successive tags with data, in milliseconds.
    pub max_step_ms: i64,
}

/// The pictures of a stream.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct VideoSummary {
    /// Tags and time.
    pub count: KindCount,
    /// The codecs in order of their first appearance, at most [`MAX_CODECS`].
    pub codecs: Vec<VideoCodec>,
    /// Picture sizes as the sequence headers have them, each time one changes.
    pub sizes: Listed<Size>,
    /// Sequence headers.
    pub sequence_headers: u64,
    /// Tags with a picture.
    pub frames: u64,
    /// Of those, disposable ones.
    pub disposable: u64,
    /// Key frames.
    pub key_frames: Listed<KeyFrame>,
    /// The longest distance between successive key frames, in milliseconds.
    pub max_key_distance_ms: i64,
}

/// The sound of a stream.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct AudioSummary {
    /// Tags and time.
    pub count: KindCount,
    /// The codecs in order of their first appearance, at most [`MAX_CODECS`].
    pub codecs: Vec<AudioCodec>,
    /// The last AAC configuration.
    pub aac: Option<AudioSpecificConfig>,
    /// Sequence headers.
    pub sequence_headers: u64,
    /// Tags with sound.
    pub frames: u64,
}

/// Gathers what a stream holds, tag by tag.
///
/// ```
/// use flv::{summary::Summary, video, FlvMillis, Tag, TagKind};
/// use bytes::BytesMut;
///
/// let mut body = BytesMut::new();
/// video::write_avc_frame(video::FrameType::Key, 40, &[0, 0, 0, 1, 0x65], &mut body)?;
/// let mut summary = Summary::new();
/// summary.push(&Tag::new(TagKind::Video, FlvMillis(1000), body.freeze())?);
/// assert_eq!(summary.video.key_frames.items()[0].pts_ms, 1040);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// Pictures.
    pub video: VideoSummary,
    /// Sound.
    pub audio: AudioSummary,
    /// Script tags.
    pub script: KindCount,
    /// The last `onMetaData`.
    pub metadata: Option<Metadata>,
    /// Long steps and steps back.
    pub gaps: Listed<TimeGap>,
    /// Bodies that could not be read.
    pub bad: Listed<BadBody>,
    gap_ms: i64,
    tags: u64,
    clock: Option<i64>,
    previous_video_ms: Option<i64>,
    previous_audio_ms: Option<i64>,
    previous_key_ms: Option<i64>,
}

impl Default for Summary {
    fn default() -> Self {
        Self::new()
    }
}

impl Summary {
    /// Nothing yet; steps of more than a second will be listed as gaps.
    pub fn new() -> Self {
        Self::with_gap_threshold(1000)
    }

    /// Nothing yet; steps of more than `gap_ms` milliseconds will be listed as gaps.
    pub fn with_gap_threshold(gap_ms: u32) -> Self {
        Self {
            video: VideoSummary::default(),
            audio: AudioSummary::default(),
            script: KindCount::default(),
            metadata: None,
            gaps: Listed::default(),
            bad: Listed::default(),
            gap_ms: gap_ms.into(),
            tags: 0,
            clock: None,
            previous_video_ms: None,
            previous_audio_ms: None,
            previous_key_ms: None,
        }
    }

    /// Takes the next tag into account.
    pub fn push(&mut self, tag: &Tag) {
        let result = match tag.kind {
            TagKind::Video => self.push_video(tag),
            TagKind::Audio => self.push_audio(tag),
            TagKind::Script => self.push_script(tag),
        };
        if let Err(error) = result {
            self.bad.push(BadBody { tag: self.tags, kind: tag.kind, error });
        }
        self.tags += 1;
    }

    /// Tags of all kinds.
    pub fn tags(&self) -> u64 {
        self.tags
    }

    /// From the first to the last timestamp with picture or sound, in
    /// milliseconds: the last one's own length is not known. `None` without any.
    pub fn duration_ms(&self) -> Option<i64> {
        let counts = [&self.video.count, &self.audio.count];
        let first = counts.iter().filter_map(|count| count.first_ms).min()?;
        let last = counts.iter().filter_map(|count| count.last_ms).max()?;
        Some(last - first)
    }

    /// Unfolds a timestamp and notes the step from the one before it on its track.
    fn note_time(&mut self, kind: TagKind, timestamp: FlvMillis) -> i64 {
        let now = self.clock.map_or(timestamp.0.into(), |clock| timestamp.unwrap_near(clock));
        self.clock = Some(now);
        let (count, previous) = match kind {
            TagKind::Video => (&mut self.video.count, &mut self.previous_video_ms),
            _ => (&mut self.audio.count, &mut self.previous_audio_ms),
        };
        count.first_ms.get_or_insert(now);
        count.last_ms = count.last_ms.max(Some(now));
        if let Some(before) = previous.replace(now) {
            count.max_step_ms = count.max_step_ms.max(now - before);
            if now < before || now - before > self.gap_ms {
                self.gaps.push(TimeGap { kind, tag: self.tags, from_ms: before, to_ms: now });
            }
        }
        now
    }

    fn push_video(&mut self, tag: &Tag) -> Result<(), BodyError> {
        self.video.count.tags += 1;
        self.video.count.body_bytes += tag.body().len() as u64;
        let header = VideoHeader::parse(tag.body())?;
        note_codec(&mut self.video.codecs, header.codec);
        if header.has_picture() && header.frame_type != FrameType::Command {
            let dts_ms = self.note_time(TagKind::Video, tag.timestamp);
            self.video.frames += 1;
            self.video.disposable += u64::from(header.frame_type == FrameType::Disposable);
            if header.is_key_frame() {
                if let Some(before) = self.previous_key_ms.replace(dts_ms) {
                    let distance = &mut self.video.max_key_distance_ms;
                    *distance = (*distance).max(dts_ms - before);
                }
                let pts_ms = dts_ms + i64::from(header.composition_ms);
                self.video.key_frames.push(KeyFrame { tag: self.tags, dts_ms, pts_ms });
            }
        }
        if header.is_sequence_start() {
            self.video.sequence_headers += 1;
            if let Some(size) = picture_size(&header, tag.body())?
                && self.video.sizes.items().last() != Some(&size)
            {
                self.video.sizes.push(size);
            }
        }
        Ok(())
    }

    fn push_audio(&mut self, tag: &Tag) -> Result<(), BodyError> {
        self.audio.count.tags += 1;
        self.audio.count.body_bytes += tag.body().len() as u64;
        let header = AudioHeader::parse(tag.body())?;
        note_codec(&mut self.audio.codecs, header.codec);
        if header.has_sound() {
            self.note_time(TagKind::Audio, tag.timestamp);
            self.audio.frames += 1;
        }
        if header.is_sequence_start() {
            self.audio.sequence_headers += 1;
            if header.codec == Some(AudioCodec::Aac)
                && header.packet == crate::audio::AudioPacket::SequenceStart
            {
                self.audio.aac = Some(AudioSpecificConfig::parse(&tag.body()[header.payload_offset..])?);
            }
        }
        Ok(())
    }

    fn push_script(&mut self, tag: &Tag) -> Result<(), BodyError> {
        self.script.tags += 1;
        self.script.body_bytes += tag.body().len() as u64;
        if let Some(metadata) = Metadata::parse(tag.body())? {
            self.metadata = Some(metadata);
        }
        Ok(())
    }
}

fn note_codec<C: PartialEq>(codecs: &mut Vec<C>, codec: Option<C>) {
    if let Some(codec) = codec
        && codecs.len() < MAX_CODECS
        && !codecs.contains(&codec)
    {
        codecs.push(codec);
    }
}

/// The picture size a sequence header tells; `None` for codecs whose configuration we do not read.
///
/// # Errors
/// A configuration that cannot be read.
pub fn picture_size(header: &VideoHeader, body: &[u8]) -> Result<Option<Size>, BodyError> {
    if header.packet != VideoPacket::SequenceStart {
        return Ok(None);
    }
    let config = body.get(header.payload_offset..).unwrap_or_default();
    match header.codec {
        Some(VideoCodec::Avc) => avc::DecoderConfig::parse(config)?.picture_size().map(Some),
        Some(VideoCodec::Hevc) => hevc::DecoderConfig::parse(config)?.picture_size().map(Some),
        _ => Ok(None),
    }
}
