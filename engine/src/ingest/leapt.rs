//! Sound since its stamps have leapt: whether a stream's clock has jumped its pictures decide, and
//! until then what has come of the sound by the new clock has no place.

use std::collections::VecDeque;

use codecs::Pcm;
use media::{Span, Time};

/// A block whose stamp is this far from the last one's end has leapt there.
const LEAP: Span = Span::from_millis(200);
/// Pictures that jump by as much as sound has leapt, or nearly, have jumped with it.
const AGREE: Span = Span::from_millis(500);
/// So much sound is kept: pictures follow sooner, or do not.
const MOST: Span = Span::from_millis(1000);
/// In so many blocks.
const MOST_BLOCKS: usize = 256;

/// The sound of one stream since its stamps last leapt; none is kept before they do, and none that the
/// pictures did not soon follow.
#[derive(Debug, Default)]
pub(crate) struct Leapt {
    /// Where the last block ended, by its own stamp.
    end: Option<Time>,
    since: Option<Since>,
}

#[derive(Debug)]
struct Since {
    by: Span,
    blocks: VecDeque<Pcm>,
    length: Span,
}

/// Whether a block follows the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Yes,
    /// Its stamp has leapt.
    No,
}

impl Leapt {
    /// Takes note of the next block.
    pub(crate) fn came(&mut self, pcm: &Pcm) -> Follows {
        let leap = self.end.map_or(Span::ZERO, |end| pcm.pts - end);
        self.end = Some(pcm.end());
        let follows = if leap.abs() > LEAP { Follows::No } else { Follows::Yes };
        if follows == Follows::No {
            self.since = Some(Since { by: leap, blocks: VecDeque::new(), length: Span::ZERO });
        }
        if let Some(since) = &mut self.since {
            since.length += pcm.duration();
            since.blocks.push_back(pcm.clone());
            if since.length > MOST || since.blocks.len() > MOST_BLOCKS {
                self.since = None;
            }
        }
        follows
    }

    /// Whether it has leapt, and the pictures may follow.
    pub(crate) fn is_ahead(&self) -> bool {
        self.since.is_some()
    }

    /// What has come since it leapt, if that was by about as much.
    pub(crate) fn take(&mut self, by: Span) -> Option<VecDeque<Pcm>> {
        self.since.take().filter(|since| (since.by - by).abs() <= AGREE).map(|since| since.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::SampleRate;

    fn block(ms: i64) -> Pcm {
        Pcm::silence(Time::from_millis(ms), SampleRate::HZ_48000, 2, 960)
    }

    fn after(stamps: impl IntoIterator<Item = i64>) -> Leapt {
        let mut leapt = Leapt::default();
        stamps.into_iter().for_each(|ms| _ = leapt.came(&block(ms)));
        leapt
    }

    #[test]
    fn what_has_leapt_as_far_as_the_pictures_is_kept_until_they_have() {
        let kept = |mut leapt: Leapt, by| leapt.take(Span::from_millis(by)).map_or(0, |blocks| blocks.len());
        let on = |from: i64, n: i64| (0..n).map(move |n| from + 20 * n);
        assert_eq!(kept(after(on(0, 10)), 0), 0, "nothing has leapt");
        assert_eq!(kept(after(on(0, 10).chain(on(9_200, 5))), 9_040), 5);
        assert_eq!(kept(after(on(0, 10).chain(on(9_200, 5))), -9_000), 0, "the other way");
        assert_eq!(kept(after(on(0, 10).chain(on(9_200, 5)).chain(on(200, 3))), 9_000), 0, "and back");
        assert_eq!(kept(after(on(0, 10).chain(on(9_200, 51))), 9_000), 0, "no picture followed");
    }
}
