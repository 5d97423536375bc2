//! Each picture's way through the engine, station by station, for whoever looks for its delay:
//! `OBVAN_LOG=obvan::way=trace obvan run …` writes a line for each, stamped by the clock on the
//! wall. What is known of a picture changes on the way: up to its line's buffer it has the time
//! its sender gave it, from there on the show's, from the tick that took it on the tick's, and as
//! a tag its DTS.
//! Stations where one becomes the other write both. Nobody listening, a station costs one load.

use media::Time;

/// Where a picture is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Station {
    /// A whole message has come over the wire: the sender's time.
    Arrived,
    /// Its line has taken it from the intake, and will decode it: the sender's time.
    Read,
    /// It is decoded, on the canvas, and in the buffer: the sender's time, then the show's.
    Placed,
    /// A tick has taken it: the show's time, then the tick's.
    Taken,
    /// It is composed, and the ladder has it: the tick's time.
    Composed,
    /// Its encoder has given it: the tick's time.
    Encoded,
    /// Its place among the sound is certain, and it is a tag: the tick's time, then its DTS.
    Tagged,
    /// A viewer's connection has it: the tag's stamp.
    Written,
}

/// A picture of this time is there.
pub(crate) fn at(station: Station, time: Time) {
    tracing::trace!(target: "obvan::way", ?station, time = time.as_millis_rounded());
}

/// It is there, and is known by another time from here on.
pub(crate) fn becomes(station: Station, time: Time, next: Time) {
    tracing::trace!(
        target: "obvan::way",
        ?station,
        time = time.as_millis_rounded(),
        next = next.as_millis_rounded()
    );
}
