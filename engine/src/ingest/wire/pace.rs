//! What comes in bursts leaves a pipeline at the pace of its own time stamps.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;

/// What comes later than its own time by more, in nanoseconds, has been waited for: its pace begins
/// anew with it.
const LATE: i64 = 1_500_000_000;
/// What lies further ahead has jumped there.
const EARLY: i64 = 2_000_000_000;

/// When packets leave a pipeline.
#[derive(Clone)]
pub(super) enum Pace {
    /// As they come.
    AsItComes,
    /// All its streams when their common clock says so.
    Timed(Arc<Pacer>),
}

/// The pace of all streams of a pipeline.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// The pipeline's time minus the streams', in nanoseconds; `None` before anything came.
    lead: Mutex<Option<i64>>,
}

impl Pacer {
    /// How far what bears this time is put off, now that it has come.
    fn lead(&self, time: i64, now: i64) -> i64 {
        let mut lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |lead: &i64| {
            (now.saturating_sub(LATE)..=now.saturating_add(EARLY)).contains(&time.saturating_add(*lead))
        };
        let kept = lead.filter(fits).unwrap_or(now.saturating_sub(time));
        *lead = Some(kept);
        kept
    }

    /// Has a sink of the pipeline let its packets out in time.
    pub(super) fn mind(self: &Arc<Self>, sink: &AppSink) {
        let (pacer, weak) = (Arc::clone(self), sink.downgrade());
        let Some(pad) = sink.static_pad("sink") else { return };
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let (Some(buffer), Some(sink)) = (info.buffer(), weak.upgrade()) else {
                return gst::PadProbeReturn::Ok;
            };
            let segment = pad.sticky_event::<gst::event::Segment>(0);
            let segment = segment.as_ref().and_then(|e| e.segment().downcast_ref::<gst::ClockTime>());
            let running = segment
                .zip(buffer.dts_or_pts())
                .and_then(|(segment, time)| segment.to_running_time_full(time));
            let Some((running, now)) = running.zip(sink.current_running_time()) else {
                return gst::PadProbeReturn::Ok;
            };
            let nanos = |time: gst::ClockTime| i64::try_from(time.nseconds()).unwrap_or(i64::MAX);
            let running = match running {
                gst::Signed::Positive(time) => nanos(time),
                gst::Signed::Negative(time) => -nanos(time),
            };
            sink.set_property("ts-offset", pacer.lead(running, nanos(now)));
            gst::PadProbeReturn::Ok
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_burst_keeps_its_pace_and_a_stall_or_a_jump_begins_anew() {
        let pacer = Pacer::default();
        let leads = [
            // A burst of a programme that has run for 30 s.
            (30_000, 100, -29_900),
            (30_040, 100, -29_900),
            // As its pictures and sound lie.
            (30_020, 140, -29_900),
            (32_000, 2_100, -29_900),
            // A second late: caught up. Two: it has been waited for.
            (32_040, 3_100, -29_900),
            (32_080, 4_500, -27_580),
            // Its clock jumps back, and far ahead.
            (0, 4_540, 4_540),
            (90_000, 4_600, -85_400),
        ];
        for (time, now, lead) in leads {
            assert_eq!(pacer.lead(time * MS, now * MS), lead * MS, "{time} at {now}");
        }
        pacer.lead(i64::MIN, i64::MAX);
    }
}
