//! Branches of a GStreamer pipeline: a stream brought into our packets' shape and
//! collected, or led away.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;

use crate::ingest::caps;

/// Leads what comes out of `from` into `sink`, in the shape our packets have. Gives what stands
/// between them; `None` if GStreamer cannot link it: the stream is missing then.
pub(crate) fn collect(
    pipeline: &gst::Pipeline,
    from: &gst::Pad,
    caps: &gst::CapsRef,
    sink: &AppSink,
) -> Option<gst::Element> {
    let shaping = gst::parse::bin_from_description(caps::shaping(caps), true).ok()?;
    pipeline.add_many([shaping.upcast_ref::<gst::Element>(), sink.upcast_ref()]).ok()?;
    from.link(&shaping.static_pad("sink")?).ok()?;
    shaping.link(sink).ok()?;
    sink.sync_state_with_parent().ok()?;
    shaping.sync_state_with_parent().ok()?;
    Some(shaping.upcast())
}

/// Leads a stream that nobody wants to where it stops nobody.
pub(crate) fn discard(pipeline: &gst::Pipeline, from: &gst::Pad) -> Option<()> {
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
        .ok()?;
    pipeline.add(&sink).ok()?;
    sink.sync_state_with_parent().ok()?;
    from.link(&sink.static_pad("sink")?).ok()?;
    Some(())
}
