//! What is measured of a line, and what there is to doubt about it.

use media::Time;
use pipeline_dsl::{Check, Suspect};
use serde::{Deserialize, Serialize};

/// What is measured of a line, over about the last second; `None` is not measured (yet).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct LineFigures {
    /// Pictures in a thousand seconds.
    pub millifps: Option<u32>,
    /// Bits a second, of both tracks.
    pub bitrate: Option<u32>,
    /// Decode errors a second.
    pub errors: Option<u32>,
    /// Since when its picture stands still, in show time; `None` while it moves.
    pub frozen_since: Option<Time>,
    /// Since when its picture is black.
    pub black_since: Option<Time>,
    /// Since when nothing is heard on it.
    pub silent_since: Option<Time>,
}

/// What a line is doubted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Fewer pictures a second than `min-fps`.
    FrameRate,
    /// Fewer bits a second than `min-bitrate`.
    Bitrate,
    /// More decode errors a second than `max-errors`.
    Errors,
    /// The picture has stood still for `freeze`, and that counts.
    Freeze,
    /// The picture has been black for `black`, and that counts.
    Black,
    /// Nothing has been heard for `silence`, and that counts.
    Silence,
    /// No picture has come as it was sent for half of `lost`: those that come are damaged.
    Damage,
}

impl Doubt {
    /// In words, for messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrameRate => "too few pictures a second",
            Self::Bitrate => "too few bits a second",
            Self::Errors => "too many decode errors",
            Self::Freeze => "its picture stands still",
            Self::Black => "its picture is black",
            Self::Silence => "nothing is heard on it",
            Self::Damage => "its pictures are damaged",
        }
    }
}

impl LineFigures {
    /// The first figure that is beyond its threshold: no proof yet, if it does not last.
    pub(crate) fn beyond(&self, suspect: &Suspect) -> Option<Doubt> {
        let slow = |millifps: u32, least: media::FrameRate| {
            u64::from(millifps) * u64::from(least.den()) < u64::from(least.num()) * 1000
        };
        let both = |figure: Option<u32>, limit: Option<u32>| figure.zip(limit);
        if self.millifps.zip(suspect.min_fps).is_some_and(|(fps, least)| slow(fps, least)) {
            Some(Doubt::FrameRate)
        } else if both(self.bitrate, suspect.min_bitrate).is_some_and(|(bits, least)| bits < least) {
            Some(Doubt::Bitrate)
        } else if both(self.errors, suspect.max_errors).is_some_and(|(errors, most)| errors > most) {
            Some(Doubt::Errors)
        } else {
            None
        }
    }

    /// What can be seen or heard to be wrong for longer than the show file allows, where it says
    /// that a line is left for that.
    pub(crate) fn amiss(&self, now: Time, suspect: &Suspect) -> Option<Doubt> {
        let checks = [
            (self.frozen_since, suspect.freeze, Doubt::Freeze),
            (self.black_since, suspect.black, Doubt::Black),
            (self.silent_since, suspect.silence, Doubt::Silence),
        ];
        let lasts = |since: Option<Time>, check: Check| {
            since.zip(check.left_after()).is_some_and(|(since, limit)| since + limit <= now)
        };
        checks.into_iter().find(|(since, check, _)| lasts(*since, *check)).map(|(.., doubt)| doubt)
    }
}

#[cfg(test)]
mod tests {
    use media::{FrameRate, Span};

    use super::*;

    #[test]
    fn a_figure_at_its_threshold_is_fine() {
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        let suspect = Suspect {
            min_fps: Some(ntsc),
            min_bitrate: Some(500_000),
            max_errors: Some(3),
            ..Suspect::default()
        };
        let figures = |millifps, bitrate, errors| LineFigures {
            millifps: Some(millifps),
            bitrate: Some(bitrate),
            errors: Some(errors),
            ..LineFigures::default()
        };
        assert_eq!(figures(29_971, 500_000, 3).beyond(&suspect), None);
        assert_eq!(figures(29_970, 500_000, 3).beyond(&suspect), Some(Doubt::FrameRate));
        assert_eq!(figures(29_971, 499_999, 3).beyond(&suspect), Some(Doubt::Bitrate));
        assert_eq!(figures(29_971, 500_000, 4).beyond(&suspect), Some(Doubt::Errors));
        assert_eq!(LineFigures::default().beyond(&suspect), None);
        assert_eq!(figures(0, 0, u32::MAX).beyond(&Suspect::default()), None);
    }

    #[test]
    fn a_picture_that_stands_still_is_amiss_after_its_time_where_that_counts() {
        let is = |freeze| Suspect { freeze, ..Suspect::default() };
        let (counts, tells) = (is(Check::Counts(Span::from_secs(10))), is(Check::Tells(Span::from_secs(10))));
        let frozen = LineFigures { frozen_since: Some(Time::from_secs(5)), ..LineFigures::default() };
        assert_eq!(frozen.amiss(Time::from_millis(14_999), &counts), None);
        assert_eq!(frozen.amiss(Time::from_secs(15), &counts), Some(Doubt::Freeze));
        for suspect in [tells, is(Check::Off), Suspect::default()] {
            assert_eq!(frozen.amiss(Time::from_secs(900), &suspect), None);
        }
    }
}
