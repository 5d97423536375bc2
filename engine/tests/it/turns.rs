//! Offline all of a show's threads go behind the encoder that takes longest; in real time none does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, mpsc};

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Ffmpeg, Frame, Pcm, VideoDecoder,
    VideoEncoder, VideoEncoderSettings,
};
use engine::{Engine, Mode, RunOptions};
use gstreamer::glib;
use media::{AudioParams, Key, Packet, VideoParams};

use crate::support::{clips, show};

/// Of the calling thread.
fn niceness() -> i32 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, figures) = stat.rsplit_once(')').unwrap();
    figures.split_whitespace().nth(16).unwrap().parse().unwrap()
}

/// How nice the threads were on which something was done.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, BTreeSet<i32>>>>);

/// FFmpeg's codecs, looked at where they work.
struct Watched(Seen);

/// A codec, and what it does.
struct Look<T: ?Sized> {
    codec: Box<T>,
    does: String,
    seen: Seen,
}

impl<T: ?Sized> Look<T> {
    fn look(&mut self) -> &mut T {
        self.seen.0.lock().unwrap().entry(self.does.clone()).or_default().insert(niceness());
        &mut self.codec
    }
}

impl VideoDecoder for Look<dyn VideoDecoder> {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.look().send(packet)
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        self.codec.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.codec.flush()
    }
}

impl AudioDecoder for Look<dyn AudioDecoder> {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.look().send(packet)
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        self.codec.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.codec.flush()
    }
}

impl VideoEncoder for Look<dyn VideoEncoder> {
    fn params(&self) -> &VideoParams {
        self.codec.params()
    }
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        self.look().send(frame, key)
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.codec.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.codec.flush()
    }
}

impl AudioEncoder for Look<dyn AudioEncoder> {
    fn params(&self) -> &AudioParams {
        self.codec.params()
    }
    fn send(&mut self, pcm: &Pcm) -> Result<(), CodecError> {
        self.look().send(pcm)
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.codec.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.codec.flush()
    }
}

impl Watched {
    fn look<T: ?Sized>(&self, does: &str, codec: Box<T>) -> Box<Look<T>> {
        Box::new(Look { codec, does: does.to_owned(), seen: self.0.clone() })
    }
}

impl CodecKit for Watched {
    fn video_decoder(&self, params: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(self.look("decodes", Ffmpeg::new().video_decoder(params)?))
    }
    fn audio_decoder(&self, params: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        Ok(self.look("decodes sound", Ffmpeg::new().audio_decoder(params)?))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        let does = format!("encodes {}", settings.size.height);
        Ok(self.look(&does, Ffmpeg::new().video_encoder(settings)?))
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        Ok(self.look("encodes sound", Ffmpeg::new().audio_encoder(settings)?))
    }
}

const SHOW: &str = r#"
show "turns" {
  video 320x180 25fps
  audio 48kHz stereo
  camera film { line disk file "generated/base.mp4" }
  ladder two { preset ultrafast; audio 64k; rung small 160x90 100k; rung large 320x180 400k }
  channel program { sources film; ladder two; egress disk record "{rung}.flv" }
  rundown program { at 0:00.400 end }
}"#;

#[test]
fn only_offline_and_only_its_own_threads_go_behind_the_largest_rung() {
    let own = niceness();
    for (mode, back) in [(Mode::Offline, 5), (Mode::RealTime, 0)] {
        let (out, seen) = (tempfile::tempdir().unwrap(), Seen::default());
        let kit = Arc::new(Watched(seen.clone()));
        let options =
            RunOptions { inputs: clips(), out: out.path().to_owned(), kit, ..RunOptions::new(mode) };
        let report = Engine::start(show(SHOW), options).unwrap().wait();
        assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
        let behind = BTreeSet::from([own + back]);
        let wanted = ["decodes", "decodes sound", "encodes sound", "encodes 90"];
        let mut wanted = BTreeMap::from(wanted.map(|does| (does.to_owned(), behind.clone())));
        wanted.insert("encodes 180".to_owned(), BTreeSet::from([own]));
        assert_eq!(*seen.0.lock().unwrap(), wanted, "{mode:?}");
    }
    assert_eq!(niceness(), own, "who starts a show goes as before");
    // GLib's threads are there for every show of the process.
    let (to, told) = mpsc::channel();
    let shared = glib::ThreadPool::shared(Some(1)).unwrap();
    shared.push(move || to.send(niceness()).unwrap()).unwrap();
    assert_eq!(told.recv().unwrap(), own);
}
