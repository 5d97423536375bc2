//! What a pipeline knows of the network behind it.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use media::Span;

use crate::ingest::network::Network;

/// What its elements have counted since the pipeline began; `None` for wires that tell nothing.
pub(super) fn told(pipeline: &gst::Pipeline) -> Option<Network> {
    let mut all: Option<Network> = None;
    // An element that comes or goes meanwhile is looked at the next time.
    let _ = pipeline.iterate_recurse().foreach(|element| {
        let one = match element.factory().map(|factory| factory.name()).as_deref() {
            Some("srtsrc") => stats(&element).map(|stats| of_srt(&stats)),
            Some("rtpjitterbuffer") => stats(&element).map(|stats| of_rtp(&stats)),
            _ => None,
        };
        if let Some(one) = one {
            all = Some(all.take().map_or(one, |sum| sum.and(one)));
        }
    });
    all
}

fn stats(element: &gst::Element) -> Option<gst::Structure> {
    if !element.has_property_with_type("stats", gst::Structure::static_type()) {
        return None;
    }
    element.property::<Option<gst::Structure>>("stats")
}

/// A listener keeps a list of its callers, and there is one at a time.
fn of_srt(stats: &gst::Structure) -> Network {
    let callers = stats.get::<glib::ValueArray>("callers").ok();
    let caller =
        callers.as_ref().and_then(|callers| callers.last()).and_then(|v| v.get::<gst::Structure>().ok());
    let link = caller.as_ref().map_or(stats.as_ref(), |caller| caller.as_ref());
    Network {
        rtt: link.get::<f64>("rtt-ms").ok().and_then(millis),
        jitter: None,
        lost: whole(link, "packets-received-lost"),
        again: whole(link, "packets-received-retransmitted"),
    }
}

fn of_rtp(stats: &gst::Structure) -> Network {
    let nanos = stats.get::<u64>("avg-jitter").ok().and_then(|nanos| i64::try_from(nanos).ok());
    Network { rtt: None, jitter: nanos.map(Span::from_nanos), lost: whole(stats, "num-lost"), again: None }
}

/// Counters have many widths here.
fn whole(stats: &gst::StructureRef, name: &str) -> Option<u64> {
    let value = stats.value(name).ok()?;
    value
        .get::<u64>()
        .ok()
        .or_else(|| value.get::<i64>().ok().and_then(|n| u64::try_from(n).ok()))
        .or_else(|| value.get::<u32>().ok().map(u64::from))
        .or_else(|| value.get::<i32>().ok().and_then(|n| u64::try_from(n).ok()))
}

/// Nothing that is no time, or longer than a minute.
fn millis(ms: f64) -> Option<Span> {
    (ms.is_finite() && (0.0..60_000.0).contains(&ms)).then(|| Span::from_nanos((ms * 1e6) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_srt_counts_is_read() {
        gst::init().unwrap();
        let link = gst::Structure::builder("link")
            .field("rtt-ms", 12.5f64)
            .field("packets-received-lost", 7i32)
            .field("packets-received-retransmitted", 5i32)
            .build();
        let wanted =
            Network { rtt: Some(Span::from_nanos(12_500_000)), jitter: None, lost: Some(7), again: Some(5) };
        assert_eq!(of_srt(&link), wanted);
        let nobody = gst::Structure::builder("application/x-srt-statistics").build();
        assert_eq!(of_srt(&nobody), Network::default());
    }

    #[test]
    fn what_rtp_counts_is_read_and_nonsense_is_not() {
        gst::init().unwrap();
        let stats = gst::Structure::builder("application/x-rtp-jitterbuffer-stats")
            .field("num-lost", 3u64)
            .field("avg-jitter", 250_000u64)
            .build();
        let wanted =
            Network { rtt: None, jitter: Some(Span::from_nanos(250_000)), lost: Some(3), again: None };
        assert_eq!(of_rtp(&stats), wanted);
        assert_eq!(millis(f64::NAN), None);
        assert_eq!(millis(-1.0), None);
    }
}
