//! Lines of a camera that show the same at every tick: what one of them lacks, another has.

use media::{Span, Time};
use scheduling::{Readiness, Step};

use crate::ingest::buffer::Take;

/// A line whose picture is older than another's misses one: it is in a hole at once, however short.
pub(super) fn find_holes(takes: &mut [Take], steps: &[Step], (from, to): (Time, Time)) {
    // What is kept undecoded has no picture of this tick yet.
    let is_shared = |take: &Take, step: Step| step == Step::Shared && take.readiness == Readiness::Decoded;
    let shared = takes.iter().zip(steps).filter(|(take, step)| is_shared(take, **step));
    let Some(newest) = shared.filter_map(|(take, _)| take.at).map(|(at, _)| at).max() else { return };
    let half = Span::from_flicks((to - from).flicks() / 2);
    for (take, _) in takes.iter_mut().zip(steps).filter(|(take, step)| is_shared(take, **step)) {
        if let Some((at, next)) = take.at
            && at + half < newest
            && take.hole_since.is_none()
        {
            take.hole_since = Some(next.min(from));
        }
    }
}

/// Where a line's sound is lacking, that of another is heard, sample by sample.
pub(super) fn fill_sound(takes: &mut [Take], steps: &[Step], channels: u8) {
    let is_shared = |ix: usize| steps.get(ix) == Some(&Step::Shared);
    let is_whole = |take: &Take| take.sound.is_some() && take.lack.is_none();
    let whole = (0..takes.len()).find(|ix| is_shared(*ix) && takes.get(*ix).is_some_and(is_whole));
    let Some(sound) = whole.and_then(|ix| takes.get(ix)?.sound.clone()) else { return };
    let channels = usize::from(channels.max(1));
    for ix in (0..takes.len()).filter(|ix| is_shared(*ix)) {
        let Some(take) = takes.get_mut(ix).filter(|take| !is_whole(take)) else { continue };
        match (&mut take.sound, take.lack.take()) {
            (Some(own), Some(lack)) => {
                let frames = own.chunks_exact_mut(channels).zip(sound.chunks_exact(channels));
                for ((own, other), lack) in frames.zip(lack) {
                    own.iter_mut().zip(other).for_each(|(own, other)| *own += lack * other);
                }
            }
            (own, _) => *own = Some(sound.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Time {
        Time::from_millis(ms)
    }
    const SHARED: [Step; 2] = [Step::Shared; 2];

    #[test]
    fn an_older_picture_is_a_hole_at_once_among_equals_only() {
        let take = |at: i64| Take { at: Some((ms(at), ms(at + 40))), ..Take::default() };
        let mut takes = [take(960), take(1000)];
        find_holes(&mut takes, &[Step::Shared, Step::Alone], (ms(1000), ms(1040)));
        assert_eq!(takes[0].hole_since, None);
        find_holes(&mut takes, &SHARED, (ms(1000), ms(1040)));
        assert_eq!([takes[0].hole_since, takes[1].hole_since], [Some(ms(1000)), None]);
        // Stamps in milliseconds tremble.
        let mut takes = [take(999), take(1000)];
        find_holes(&mut takes, &SHARED, (ms(1000), ms(1040)));
        assert_eq!(takes[0].hole_since, None);
    }

    #[test]
    fn what_is_lacking_of_a_sound_is_filled_and_no_more() {
        let whole = vec![0.5; 200];
        let lack: Vec<f32> = (0..100).map(|n| n as f32 / 100.0).collect();
        let faded: Vec<f32> = (0..200).map(|n| 0.5 * (1.0 - lack[n / 2])).collect();
        let take = |sound: Option<&Vec<f32>>, lack: Option<&Vec<f32>>| Take {
            sound: sound.cloned(),
            lack: lack.cloned(),
            ..Take::default()
        };
        let mut takes = [take(Some(&faded), Some(&lack)), take(Some(&whole), None)];
        fill_sound(&mut takes, &[Step::Alone, Step::Shared], 2);
        assert_eq!(takes[0].sound.as_ref(), Some(&faded));
        fill_sound(&mut takes, &SHARED, 2);
        assert!(takes[0].sound.as_ref().unwrap().iter().all(|s| (s - 0.5).abs() < 1e-6));
        let mut takes = [take(None, None), take(Some(&whole), None)];
        fill_sound(&mut takes, &SHARED, 2);
        assert_eq!(takes[0].sound, Some(whole));
        let mut takes = [take(None, None), take(Some(&faded), Some(&lack))];
        fill_sound(&mut takes, &SHARED, 2);
        assert_eq!(takes[0].sound, None, "neither has it");
    }
}
