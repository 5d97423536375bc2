//! One who watches a rung, or a server that passes it on: notes when nothing came.

use media::{Span, Time, Track};

/// When nothing came, of one track.
#[derive(Debug, Clone)]
struct Seat {
    /// When the next tag is due.
    due: Time,
    usual: Span,
    missed: Vec<(Time, Time)>,
}

impl Seat {
    fn came(&mut self, at: Time, shortest: Span) {
        if at - self.due >= shortest {
            self.missed.push((self.due, at));
        }
        self.due = self.due.max(at + self.usual);
    }
}

/// Watches from the rehearsal's beginning to its end, whatever becomes of the engine.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    shortest: Span,
    pictures: Seat,
    sound: Seat,
}

impl Audience {
    /// Of pictures a tick apart, and blocks of sound so far apart; what is shorter than `shortest`
    /// is not missed.
    pub(crate) fn new(tick: Span, block: Span, shortest: Span) -> Self {
        let seat = |usual| Seat { due: Time::ZERO, usual, missed: Vec::new() };
        Self { shortest, pictures: seat(tick), sound: seat(block) }
    }

    /// The same audience, of a rung that begins at this time.
    pub(crate) fn from(mut self, at: Time) -> Self {
        (self.pictures.due, self.sound.due) = (at, at);
        self
    }

    /// A tag came at this time.
    pub(crate) fn came(&mut self, track: Track, at: Time) {
        match track {
            Track::Video => self.pictures.came(at, self.shortest),
            Track::Audio => self.sound.came(at, self.shortest),
        }
    }

    /// When nothing came up to `end`: pictures, and sound.
    pub(crate) fn missed(mut self, end: Time) -> [Vec<(Time, Time)>; 2] {
        let shortest = self.shortest;
        [&mut self.pictures, &mut self.sound].map(|seat| {
            seat.came(end, shortest);
            std::mem::take(&mut seat.missed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_missed_from_when_it_was_due() {
        let ms = Time::from_millis;
        let span = Span::from_millis;
        let mut audience = Audience::new(span(40), span(21), span(120));
        for at in [0, 40, 80, 400, 440, 480] {
            audience.came(Track::Video, ms(at));
        }
        for at in (0..500).step_by(21) {
            audience.came(Track::Audio, ms(at));
        }
        assert_eq!(audience.clone().missed(ms(520)), [vec![(ms(120), ms(400))], vec![]]);
        let [pictures, sound] = audience.missed(ms(2_000));
        assert_eq!(pictures, [(ms(120), ms(400)), (ms(520), ms(2_000))]);
        assert_eq!(sound, [(ms(504), ms(2_000))]);
    }
}
