//! The fake video codec.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use media::{Key, Packet, Size, Time, Track, VideoCodec, VideoParams};

use super::{Reorder, codeword, sps};
use crate::avc::nal;
use crate::codec::{VideoDecoder, VideoEncoder};
use crate::error::CodecError;
use crate::frame::Frame;
use crate::picture::{Picture, PictureMut, Plane, PlaneRef};
use crate::settings::VideoEncoderSettings;

const NAME: &str = "fake avc";
/// Blocks across and down whose mean colours a packet carries.
const GRID: usize = 4;
/// Pictures a decoder holds back at most.
const HELD: usize = 16;

type Means = [[u8; GRID * GRID]; 3];

fn means(picture: &Picture) -> Means {
    Plane::ALL.map(|plane| {
        let plane = picture.plane(plane);
        std::array::from_fn(|block| {
            let (x, y) = (block % GRID, block / GRID);
            let (rows, columns) = (part(y, plane.height), part(x, plane.width));
            let inner = PlaneRef {
                data: plane.data.get(rows.start * plane.stride + columns.start..).unwrap_or(&[]),
                width: columns.len(),
                height: rows.len(),
                ..plane
            };
            inner.mean()
        })
    })
}

/// The `n`th of the grid's parts of `whole`.
fn part(n: usize, whole: usize) -> std::ops::Range<usize> {
    n * whole / GRID..(n + 1) * whole / GRID
}

fn paint(size: Size, means: &Means) -> Result<Picture, CodecError> {
    let mut picture = PictureMut::new(size)?;
    for (mut plane, means) in picture.planes_mut().into_iter().zip(means) {
        let (width, height) = (plane.width, plane.height);
        for y in 0..GRID {
            for row in part(y, height) {
                let row = plane.row_mut(row);
                for x in 0..GRID {
                    row[part(x, width)].fill(means[y * GRID + x]);
                }
            }
        }
    }
    Ok(picture.freeze())
}

fn pack(frame: &Frame, key: Key) -> Bytes {
    let mut words = codeword::Writer::after(&[0x60 | if key == Key::Frame { nal::IDR } else { 1 }]);
    let size = frame.picture.size();
    words.put(&frame.pts.flicks().to_be_bytes());
    words.put(&size.width.to_be_bytes());
    words.put(&size.height.to_be_bytes());
    for plane in means(&frame.picture) {
        words.put(&plane);
    }
    let unit = words.finish();
    let mut out = BytesMut::with_capacity(unit.len() + 4);
    out.put_u32(unit.len() as u32);
    out.put_slice(&unit);
    out.freeze()
}

/// Size and colours of a packet, and whether it is an IDR.
fn unpack(data: &[u8]) -> Option<(Size, Means, Key)> {
    let (length, unit) = data.split_first_chunk::<4>()?;
    let (&header, body) = unit.split_first()?;
    if u32::from_be_bytes(*length) as usize != unit.len() {
        return None;
    }
    let key = match header & 31 {
        nal::IDR => Key::Frame,
        1 => Key::Delta,
        _ => return None,
    };
    let mut words = codeword::Reader::new(body);
    let _pts: [u8; 8] = words.take()?;
    let size = Size::new(u32::from_be_bytes(words.take()?), u32::from_be_bytes(words.take()?));
    let means = [words.take()?, words.take()?, words.take()?];
    words.finish()?;
    Some((size, means, key))
}

/// A frame in the encoder, already written.
struct Waiting {
    pts: Time,
    key: Key,
    data: Bytes,
}

/// The fake encoder.
pub(super) struct Encoder {
    settings: VideoEncoderSettings,
    params: VideoParams,
    reorder: Reorder,
    fail_at: Option<Time>,
    /// The PTS of the last frames in, the oldest first: the DTS to come.
    clock: VecDeque<Time>,
    group: Vec<Waiting>,
    ready: VecDeque<Packet>,
    last: Option<Time>,
    flushed: bool,
}

impl Encoder {
    pub(super) fn new(
        settings: &VideoEncoderSettings,
        reorder: Reorder,
        fail_at: Option<Time>,
    ) -> Result<Self, CodecError> {
        if settings.size.area() == 0 || !settings.size.is_even() {
            return Err(CodecError::Setting {
                codec: NAME,
                name: "size",
                got: settings.size.to_string(),
                legal: "even and not empty".into(),
            });
        }
        let delay = match reorder {
            Reorder::None => 0,
            Reorder::BFrames => 1,
            Reorder::Pyramid => 2,
        };
        let params = VideoParams {
            codec: VideoCodec::Avc,
            size: Some(settings.size),
            config: sps::config(settings.size, settings.rate, delay),
        };
        Ok(Self {
            settings: settings.clone(),
            params,
            reorder,
            fail_at,
            clock: VecDeque::new(),
            group: Vec::new(),
            ready: VecDeque::new(),
            last: None,
            flushed: false,
        })
    }

    /// Frames between a DTS and the PTS it would have without reordering, and
    /// frames of a group that is decoded last one first.
    const fn shape(&self) -> (usize, usize) {
        match self.reorder {
            Reorder::None => (0, 1),
            Reorder::BFrames => (1, 3),
            Reorder::Pyramid => (2, 4),
        }
    }

    /// Gives out the frames of a group in order of decoding.
    fn close_group(&mut self) {
        let mut group = std::mem::take(&mut self.group);
        // The last one is what the others lean on; of three or more, so is the middle one.
        if let Some(last) = group.pop() {
            self.give(last);
        }
        if group.len() > 1 && self.reorder == Reorder::Pyramid {
            let middle = group.remove(group.len() / 2);
            self.give(middle);
        }
        for frame in group {
            self.give(frame);
        }
    }

    fn give(&mut self, frame: Waiting) {
        let dts = self.clock.pop_front().unwrap_or(frame.pts);
        self.ready.push_back(Packet {
            track: Track::Video,
            pts: frame.pts,
            dts,
            duration: Some(self.settings.rate.tick_span()),
            key: frame.key,
            data: frame.data,
        });
    }
}

impl VideoEncoder for Encoder {
    fn params(&self) -> &VideoParams {
        &self.params
    }

    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        if self.flushed {
            return Err(CodecError::Flushed { codec: NAME });
        }
        if self.fail_at.is_some_and(|at| frame.pts >= at) {
            return Err(CodecError::Asked { pts: frame.pts });
        }
        let got = frame.picture.size();
        if got != self.settings.size {
            return Err(CodecError::PictureSize { got, want: self.settings.size });
        }
        if let Some(last) = self.last.filter(|&last| frame.pts <= last) {
            return Err(CodecError::PtsOrder { codec: NAME, got: frame.pts, last });
        }
        let (delay, group) = self.shape();
        let first = self.last.is_none();
        if first {
            let tick = self.settings.rate.tick_span();
            for early in (1..=delay).rev() {
                self.clock.push_back(frame.pts - tick.times(early as i64));
            }
        }
        self.clock.push_back(frame.pts);
        self.last = Some(frame.pts);
        // As a real encoder, the first frame is an IDR whatever was asked.
        let key = if first { Key::Frame } else { key };
        let waiting = Waiting { pts: frame.pts, key, data: pack(frame, key) };
        if key == Key::Frame {
            self.close_group();
            self.give(waiting);
        } else {
            self.group.push(waiting);
            if self.group.len() == group {
                self.close_group();
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        Ok(self.ready.pop_front())
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        self.flushed = true;
        self.close_group();
        Ok(())
    }
}

/// The fake decoder. It starts at a key frame, as real ones do.
pub(super) struct Decoder {
    /// In order of PTS.
    held: Vec<Frame>,
    /// No later packet is shown before this.
    safe: Time,
    started: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { held: Vec::new(), safe: Time::from_flicks(i64::MIN), started: false }
    }
}

impl VideoDecoder for Decoder {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let (size, means, key) = unpack(&packet.data).ok_or(CodecError::Damaged {
            codec: NAME,
            pts: Some(packet.pts),
            why: "not a fake packet, or its sum is wrong".into(),
        })?;
        self.safe = self.safe.max(packet.dts);
        self.started |= key == Key::Frame;
        if self.started {
            let frame = Frame { pts: packet.pts, picture: paint(size, &means)? };
            let at = self.held.partition_point(|held| held.pts <= frame.pts);
            self.held.insert(at, frame);
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        if self.held.is_empty() && self.safe == Time::MAX {
            self.safe = Time::from_flicks(i64::MIN);
        }
        let ready = self.held.first().is_some_and(|frame| frame.pts <= self.safe) || self.held.len() > HELD;
        Ok(ready.then(|| self.held.remove(0)))
    }

    fn flush(&mut self) -> Result<(), CodecError> {
        // Kept so that `receive` gives them all; it is as new once they are out.
        self.safe = Time::MAX;
        self.started = false;
        Ok(())
    }
}
