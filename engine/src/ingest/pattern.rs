//! Generated sources: bars, colours, a moving pattern, a time code, a tone.
//!
//! A pattern is a function of the tick, so two runs of a show see the same
//! pictures, and a source nobody looks at costs nothing.

use std::f64::consts::TAU;

use codecs::{CodecError, Picture, PictureMut, Plane, PlaneMut, Rgb, Yuv};
use media::{FrameRate, SampleRate, Size, Span, Tick, Time};
use pipeline_dsl::Pattern;

use crate::ingest::buffer::Take;

/// A tone's peak: −20 dBFS, the broadcaster's line-up level.
const TONE_PEAK: f64 = 0.1;
/// How long the time code's beep and flash last.
const BEEP: Span = Span::from_millis(40);

pub(crate) struct TestSource {
    pattern: Pattern,
    tone: Option<u32>,
    size: Size,
    frames: FrameRate,
    samples: SampleRate,
    channels: u8,
    /// The one picture of a pattern that does not move, and the stock of a moving one.
    drawn: Option<Picture>,
}

impl TestSource {
    pub(crate) fn new(
        pattern: Pattern,
        tone: Option<u32>,
        size: Size,
        frames: FrameRate,
        samples: SampleRate,
        channels: u8,
    ) -> Result<Self, CodecError> {
        let drawn = match &pattern {
            Pattern::Bars => Some(bars(size)?),
            Pattern::Color(rgb) => Some(PictureMut::filled(size, Rgb::new(rgb.r, rgb.g, rgb.b))?.freeze()),
            Pattern::Motion | Pattern::Timecode => None,
        };
        Ok(Self { pattern, tone, size, frames, samples, channels, drawn })
    }

    pub(crate) fn take(&self, tick: Tick, from: Time, to: Time) -> Take {
        let picture = match &self.drawn {
            Some(still) => Some(still.clone()),
            None => self.render(tick).ok(),
        };
        let hole_since = picture.is_none().then_some(from);
        Take { picture, hole_since, sound: self.sound(from, to), ..Take::default() }
    }

    fn render(&self, tick: Tick) -> Result<Picture, CodecError> {
        let mut picture = PictureMut::new(self.size)?;
        let n = tick.0 as u32;
        let white = Yuv { y: 235, u: 128, v: 128 };
        let black = Yuv { y: 16, u: 128, v: 128 };
        match self.pattern {
            Pattern::Timecode if self.flashes(tick) => picture.fill(white),
            Pattern::Timecode => picture.fill(black),
            _ => moving(&mut picture, n),
        }
        let text = time_code(self.frames, tick);
        let across = if self.pattern == Pattern::Timecode { 12 } else { 24 };
        let digit = (self.size.width / across).max(4);
        let left = (self.size.width.saturating_sub(digit * 11)) / 2;
        let top = if self.pattern == Pattern::Timecode {
            self.size.height.saturating_sub(digit * 2) / 2
        } else {
            self.size.height.saturating_sub(digit * 3)
        };
        write_time_code(&mut picture.plane_mut(Plane::Y), &text, left, top, digit);
        Ok(picture.freeze())
    }

    fn flashes(&self, tick: Tick) -> bool {
        self.tone.is_some() && within_beep(self.frames.time_of(tick))
    }

    fn sound(&self, from: Time, to: Time) -> Option<Vec<f32>> {
        let hz = f64::from(self.tone?);
        let (first, last) = (self.samples.sample_at(from), self.samples.sample_at(to));
        let mut out =
            Vec::with_capacity(usize::try_from(last - first).unwrap_or(0) * usize::from(self.channels));
        for sample in first..last {
            let silent = self.pattern == Pattern::Timecode && !within_beep(self.samples.time_of(sample));
            let cycles = (sample as f64 * hz / f64::from(self.samples.hz())).fract();
            let value = if silent { 0.0 } else { (TONE_PEAK * (TAU * cycles).sin()) as f32 };
            out.extend(std::iter::repeat_n(value, usize::from(self.channels)));
        }
        Some(out)
    }
}

/// Whether a time lies in the first 40 ms of a second.
fn within_beep(time: Time) -> bool {
    let second = Time::from_secs(1).flicks();
    time.flicks().rem_euclid(second) < BEEP.flicks()
}

/// SMPTE's seven bars at 75 %, the part that matters to a director.
fn bars(size: Size) -> Result<Picture, CodecError> {
    const BARS: [(u8, u8, u8); 7] =
        [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)];
    let bars = BARS.map(|(r, g, b)| Yuv::from(Rgb::new(r, g, b)));
    let mut picture = PictureMut::new(size)?;
    for plane in [Plane::Y, Plane::U, Plane::V] {
        for row in picture.plane_mut(plane).rows_mut() {
            let across = row.len().max(1);
            for (x, out) in row.iter_mut().enumerate() {
                let Yuv { y, u, v } = bars[x * 7 / across];
                *out = match plane {
                    Plane::Y => y,
                    Plane::U => u,
                    Plane::V => v,
                };
            }
        }
    }
    Ok(picture.freeze())
}

/// Detail that moves: a drifting weave of luma, slow washes of chroma.
fn moving(picture: &mut PictureMut, n: u32) {
    for (y, row) in (0u32..).zip(picture.plane_mut(Plane::Y).rows_mut()) {
        for (x, out) in (0u32..).zip(row.iter_mut()) {
            let weave = ((x + 2 * n) ^ (y + n)) & 0x7f;
            let wave = (x / 8 + y / 4 + 3 * n) & 0x3f;
            *out = (24 + weave + wave) as u8;
        }
    }
    for (plane, speed) in [(Plane::U, 1u32), (Plane::V, 3)] {
        for (y, row) in (0u32..).zip(picture.plane_mut(plane).rows_mut()) {
            for (x, out) in (0u32..).zip(row.iter_mut()) {
                *out = (64 + ((x / 4 + y / 2 + speed * n) & 0x7f)) as u8;
            }
        }
    }
}

/// `hh:mm:ss:ff`, the frame counted within its second.
fn time_code(rate: FrameRate, tick: Tick) -> String {
    let second = rate.time_of(tick).flicks() / Time::from_secs(1).flicks();
    let frame = tick.0 - rate.tick_from(Time::from_secs(second)).0;
    format!("{:02}:{:02}:{:02}:{frame:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Which of the segments a (top), b, c, d (bottom), e, f, g (middle) a digit lights.
const SEGMENTS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

/// Burns seven-segment digits of width `w` (twice as tall) into luma, white on a dark box.
fn write_time_code(luma: &mut PlaneMut<'_>, text: &str, left: u32, top: u32, w: u32) {
    let thick = (w / 6).max(1);
    let mut fill = |x: u32, y: u32, across: u32, down: u32, value: u8| {
        for row in luma.rows_mut().skip(y as usize).take(down as usize) {
            let end = ((x + across) as usize).min(row.len());
            if let Some(part) = row.get_mut(x as usize..end) {
                part.fill(value);
            }
        }
    };
    let edge = thick.min(left).min(top);
    fill(left - edge, top - edge, w * text.len() as u32 + 2 * edge, 2 * w + 2 * edge, 16);
    for (n, c) in (0u32..).zip(text.chars()) {
        let x = left + n * w;
        let wide = w.saturating_sub(2 * thick).max(1);
        match c.to_digit(10) {
            Some(digit) => {
                let lit = SEGMENTS[digit as usize];
                let boxes = [
                    (x, top, wide, thick),
                    (x + wide - thick.min(wide), top, thick, w),
                    (x + wide - thick.min(wide), top + w, thick, w),
                    (x, top + 2 * w - thick, wide, thick),
                    (x, top + w, thick, w),
                    (x, top, thick, w),
                    (x, top + w - thick / 2, wide, thick),
                ];
                for (bit, (x, y, across, down)) in boxes.into_iter().enumerate() {
                    if lit >> bit & 1 == 1 {
                        fill(x, y, across, down, 235);
                    }
                }
            }
            None => {
                fill(x + w / 3, top + w / 2, thick, thick, 235);
                fill(x + w / 3, top + w + w / 2, thick, thick, 235);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pattern: Pattern, tone: Option<u32>) -> TestSource {
        let rate = FrameRate::new(25, 1).unwrap();
        TestSource::new(pattern, tone, Size::new(320, 180), rate, SampleRate::HZ_48000, 2).unwrap()
    }

    #[test]
    fn time_code_counts_frames_within_the_second() {
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        assert_eq!(time_code(ntsc, Tick(29)), "00:00:00:29");
        assert_eq!(time_code(ntsc, Tick(30)), "00:00:01:00");
        assert_eq!(time_code(FrameRate::new(25, 1).unwrap(), Tick(25 * 3661 + 7)), "01:01:01:07");
    }

    #[test]
    fn a_tone_goes_on_over_ticks_without_a_step() {
        let source = source(Pattern::Bars, Some(440));
        let tick = |n: i64| source.sound(Time::from_millis(40 * n), Time::from_millis(40 * n + 40)).unwrap();
        let all: Vec<f32> = (0..50).flat_map(tick).step_by(2).collect();
        assert_eq!(all.len(), 50 * 1920);
        let steepest = all.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.1 * (440.0 * 6.29 / 48_000.0), "{steepest}");
    }

    #[test]
    fn flash_and_beep_are_one() {
        let source = source(Pattern::Timecode, Some(1000));
        for n in 0..60 {
            let (from, to) = (Time::from_millis(40 * n), Time::from_millis(40 * n + 40));
            let take = source.take(Tick(n as u64), from, to);
            let white = take.picture.unwrap().plane(Plane::Y).row(0)[0] > 200;
            let loud = take.sound.unwrap().iter().any(|s| s.abs() > 0.05);
            assert_eq!((white, loud), (n % 25 == 0, n % 25 == 0), "tick {n}");
        }
    }

    #[test]
    fn motion_differs_from_tick_to_tick_and_repeats_itself_when_asked_again() {
        let source = source(Pattern::Motion, None);
        let luma = |n| {
            let picture = source.render(Tick(n)).unwrap();
            picture.plane(Plane::Y).rows().flatten().copied().collect::<Vec<u8>>()
        };
        assert_ne!(luma(1), luma(2));
        assert_eq!(luma(7), luma(7));
    }
}
