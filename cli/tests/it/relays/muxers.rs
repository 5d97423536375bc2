//! Remuxing without a look inside: `ffmpeg -c copy` and GStreamer, into other containers and back.

use std::fs;
use std::path::Path;

use crypto::Sound;

use super::film::{Sealing, clear, opened, sealed_with};
use super::frames::{Times, frames, part, whole};
use super::tool::{ffmpeg, quiet, runs};

/// What ffmpeg must be told when it reads AAC encrypted as noise from MPEG-TS: the sample rate, which it takes
/// from its AAC decoder alone, and that decodes noise only by luck. No option says it with `-c copy`, but
/// a preset does. Frames of sound that share a PES packet then get one timestamp, and where the decoder
/// took some noise for sound of another rate, it moves the whole film, pictures too: [`Times::Order`].
pub const READ_TS: &str = "-fpre rate.ffpreset";
/// The preset of [`READ_TS`].
pub fn write_preset(folder: &Path) {
    fs::write(folder.join("rate.ffpreset"), "ar=48000\n").unwrap();
}

/// Sends the film through `relay`, clear and sealed in every way, the sound as noise.
///
/// Fails the test unless all of it comes back each time, and the sealed film when the clear one does.
#[track_caller]
fn carries(times: Times, relay: impl Fn(&Path, &str) -> &'static str) {
    carries_with(Sound::Noise, times, relay);
}

/// As [`carries`], with a choice of what the sound is without the key.
#[track_caller]
pub fn carries_with(sound: Sound, times: Times, relay: impl Fn(&Path, &str) -> &'static str) {
    let sent = |sealing| {
        let folder = tempfile::tempdir().unwrap();
        write_preset(folder.path());
        let back = relay(folder.path(), sealed_with(folder.path(), sealing, sound));
        opened(&folder.path().join(back), sealing)
    };
    let film = frames(clear().to_vec());
    let by_trade = sent(Sealing::Clear);
    assert_eq!(part(&film, &by_trade, Times::Order), whole(&film));
    for sealing in [Sealing::Nalu, Sealing::Capsule, Sealing::Switched] {
        assert_eq!(part(&by_trade, &sent(sealing), times), whole(&film), "{sealing:?}");
    }
}

#[test]
fn ffmpeg_carries_it_as_flv() {
    carries(Times::Exact, |folder, film| {
        runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.flv")));
        "relayed.flv"
    });
}

#[test]
fn ffmpeg_carries_it_as_mpeg_ts() {
    carries(Times::Order, |folder, film| {
        runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.ts")));
        runs(&mut ffmpeg(folder, &format!("-i relayed.ts -c copy {READ_TS} back.flv")));
        "back.flv"
    });
}

/// `all.m3u8` and a segment a second.
pub fn make_hls(folder: &Path, film: &str) -> [String; 6] {
    let hls = "-f hls -hls_time 1 -hls_list_size 0 -hls_segment_filename part-%d.ts all.m3u8";
    runs(&mut ffmpeg(folder, &format!("-i {film} -c copy {hls}")));
    std::array::from_fn(|n| format!("part-{n}.ts"))
}

#[test]
fn ffmpeg_carries_it_as_hls() {
    carries(Times::Order, |folder, film| {
        make_hls(folder, film);
        runs(&mut ffmpeg(folder, &format!("-i all.m3u8 -c copy {READ_TS} back.flv")));
        "back.flv"
    });
}

#[test]
fn the_segments_of_hls_put_together_are_the_film() {
    carries(Times::Order, |folder, film| {
        let segments = make_hls(folder, film).map(|name| fs::read(folder.join(name)).unwrap());
        fs::write(folder.join("all.ts"), segments.concat()).unwrap();
        runs(&mut ffmpeg(folder, &format!("-i all.ts -c copy {READ_TS} back.flv")));
        "back.flv"
    });
}

#[test]
fn gstreamer_carries_it_as_flv() {
    carries(Times::Exact, gstreamer_to_flv);
}

/// Through GStreamer's parsers.
pub fn gstreamer_to_flv(folder: &Path, film: &str) -> &'static str {
    let line = format!(
        "-q filesrc location={film} ! flvdemux name=in flvmux name=out ! filesink location=back.flv \
         in.video ! queue ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! out.video \
         in.audio ! queue ! aacparse ! out.audio"
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    runs(&mut quiet(folder, "gst-launch-1.0", &words));
    "back.flv"
}

/// Out of ffmpeg's MPEG-TS, GStreamer's parser takes nothing that stands before the first SPS, and
/// so from mode `nalu` the first marker: its first GOP is lost then. A capsule stands behind it.
#[test]
fn gstreamer_reads_capsules_out_of_mpeg_ts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let film = sealed_with(folder, Sealing::Capsule, Sound::Silence);
    runs(&mut ffmpeg(folder, &format!("-i {film} -c copy relayed.ts")));
    let line = "-q filesrc location=relayed.ts ! tsdemux name=in flvmux name=out ! filesink location=back.flv \
                in. ! queue ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! out.video \
                in. ! queue ! aacparse ! audio/mpeg,stream-format=raw ! out.audio";
    let words: Vec<&str> = line.split_whitespace().collect();
    runs(&mut quiet(folder, "gst-launch-1.0", &words));
    let film = frames(clear().to_vec());
    let back = opened(&folder.join("back.flv"), Sealing::Capsule);
    assert_eq!(part(&film, &back, Times::Order), whole(&film));
}
