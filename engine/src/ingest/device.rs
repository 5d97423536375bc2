//! Lines from capture devices: cameras by Video4Linux, DeckLink cards, and sound beside them from
//! ALSA or PulseAudio, all through GStreamer.
//!
//! As with a wire, a device that is missing, or pulled out, is tried again with a back-off.

mod refused;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use media::Size;

use crate::ingest::again::{self, Attempt, GLANCE, Then};
use crate::ingest::intake::Intake;
use crate::ingest::wire::{Graph, Landing, Said, Stuck, WireError};
use crate::reporter::Reporter;
pub(crate) use refused::DeviceError;

/// How long a device may take to its first picture.
const OPENING: Duration = Duration::from_secs(10);

/// What pictures are captured from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Camera {
    /// A Video4Linux device, by its path.
    Video4Linux(String),
    /// A DeckLink card, by its number, with the sound it carries.
    DeckLink(i32),
}

/// What sound is captured from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Microphone {
    Alsa(String),
    Pulse(String),
}

impl Camera {
    pub(crate) fn parse(text: &str) -> Result<Self, DeviceError> {
        match text.strip_prefix("decklink:") {
            None => Ok(Self::Video4Linux(text.to_owned())),
            Some(number) => match number.parse::<u8>() {
                Ok(number) => Ok(Self::DeckLink(number.into())),
                Err(_) => Err(DeviceError::Camera(text.to_owned())),
            },
        }
    }
}

impl Microphone {
    pub(crate) fn parse(text: &str) -> Result<Self, DeviceError> {
        match text.split_once(':') {
            Some(("alsa", name)) if !name.is_empty() => Ok(Self::Alsa(name.to_owned())),
            Some(("pulse", name)) if !name.is_empty() => Ok(Self::Pulse(name.to_owned())),
            _ => Err(DeviceError::Microphone(text.to_owned())),
        }
    }
}

fn element(name: &'static str, package: &'static str) -> Result<gst::Element, DeviceError> {
    let missing = |_| DeviceError::Element { element: name, package };
    gst::ElementFactory::make(name).build().map_err(missing)
}

/// A source of the pipeline, and which of its forms are wanted.
pub(crate) struct Capture {
    pub(crate) source: gst::Element,
    pub(crate) caps: Option<gst::Caps>,
}

/// A camera's forms, the canvas's own size first: Motion JPEG before raw pictures, which at this
/// size a USB cable often carries at few frames a second only, and H.264 last, as such cameras make it.
fn wanted(canvas: Size) -> gst::Caps {
    let (width, height) = (canvas.width as i32, canvas.height as i32);
    let mut caps = gst::Caps::new_empty();
    let names = ["image/jpeg", "video/x-raw", "video/x-h264"];
    if let Some(caps) = caps.get_mut() {
        for name in names {
            caps.append_structure(
                gst::Structure::builder(name).field("width", width).field("height", height).build(),
            );
        }
        names.iter().for_each(|name| caps.append_structure(gst::Structure::new_empty(*name)));
    }
    caps
}

/// The sources of a camera and its microphone, made anew for each attempt.
pub(crate) fn captures(
    camera: &Camera,
    microphone: Option<&Microphone>,
    canvas: Size,
) -> Result<Vec<Capture>, DeviceError> {
    if let Camera::Video4Linux(path) = camera {
        refused::look_at(path)?;
    }
    // Without GStreamer no element can be made, which is said then.
    let _ = gst::init();
    const GOOD: &str = "gstreamer1.0-plugins-good";
    const BAD: &str = "gstreamer1.0-plugins-bad";
    let mut all = Vec::new();
    match camera {
        Camera::Video4Linux(path) => {
            let source = element("v4l2src", GOOD)?;
            source.set_property("device", path);
            all.push(Capture { source, caps: Some(wanted(canvas)) });
        }
        Camera::DeckLink(number) => {
            let source = element("decklinkvideosrc", BAD)?;
            source.set_property("device-number", *number);
            // Its mode is found out by the card itself.
            source.set_property_from_str("mode", "auto");
            all.push(Capture { source, caps: None });
            if microphone.is_none() {
                let source = element("decklinkaudiosrc", BAD)?;
                source.set_property("device-number", *number);
                all.push(Capture { source, caps: None });
            }
        }
    }
    match microphone {
        None => {}
        Some(Microphone::Alsa(device)) => {
            let source = element("alsasrc", "gstreamer1.0-alsa")?;
            source.set_property("device", device);
            all.push(Capture { source, caps: None });
        }
        Some(Microphone::Pulse(device)) => {
            let source = element("pulsesrc", "gstreamer1.0-plugins-good")?;
            source.set_property("device", device);
            all.push(Capture { source, caps: None });
        }
    }
    Ok(all)
}

/// What makes the sources of a device.
pub(crate) type Captures = Box<dyn Fn() -> Result<Vec<Capture>, DeviceError> + Send>;

/// Everything a line from a device needs.
pub(crate) struct DeviceLine {
    /// How people know the device.
    pub(crate) name: String,
    pub(crate) camera: Camera,
    pub(crate) captures: Captures,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

impl DeviceLine {
    /// Tries until the show is over.
    pub(crate) fn run(self) {
        let stuck = Stuck::default();
        again::until_over(&self.intake, || {
            if let Some(last) = stuck.given_up(&self.reporter) {
                return last;
            }
            let from = format!("capturing from {}", self.name);
            let landing = Arc::new(Landing::new(Arc::clone(&self.intake), from));
            let started = (self.captures)().map_err(|error| error.to_string());
            let started = started
                .and_then(|all| Graph::capture(all, &landing, &stuck).map_err(|error| self.why(&error)));
            let (why, then) = match started {
                Ok(graph) => self.attend(&graph, &landing),
                Err(why) => (why, Then::Again),
            };
            Attempt { began: landing.end(&why), why, then }
        });
    }

    /// Why the pipeline has not started.
    fn why(&self, error: &WireError) -> String {
        match (error, &self.camera) {
            // Its element fails without a word.
            (WireError::Wordless, Camera::DeckLink(number)) => refused::card(*number).to_string(),
            _ => error.to_string(),
        }
    }

    /// Listens until the device gives no more, and says why.
    fn attend(&self, graph: &Graph, landing: &Landing) -> (String, Then) {
        let begun = Instant::now();
        loop {
            match graph.listen(GLANCE) {
                Said::Error(error) => return (error.to_string(), Then::Again),
                Said::End => return ("the device gives no more".to_owned(), Then::Again),
                Said::Nothing => {}
            }
            if self.reporter.is_stopping() {
                return ("the show is over".to_owned(), Then::Nothing);
            }
            if let Some(why) = landing.overdue(begun, Some(OPENING)) {
                return (why, Then::Again);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use crate::ingest::intake::{Arrival, Arrivals};
    use crate::ingest::lane::StreamParams;
    use codecs::{PixelFormat, Plane};
    use media::VideoCodec;

    /// A line whose device is a pipeline of GStreamer's.
    struct Rig {
        arrivals: Arrivals,
        log: Arc<EventLog>,
        stop: Arc<Stop>,
        thread: Option<std::thread::JoinHandle<()>>,
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            self.stop.ask();
            let ended = self.thread.take().unwrap().join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }

    fn rig(name: &str, captures: Captures) -> Rig {
        let (log, stop) = (Arc::new(EventLog::new()), Arc::new(Stop::default()));
        let reporter = Reporter::new(Arc::new(VirtualClock::default()), Arc::clone(&log), Arc::clone(&stop));
        let (intake, arrivals) = Intake::new(reporter.clone());
        let (name, intake) = (name.to_owned(), Arc::new(intake));
        let line = DeviceLine { camera: Camera::parse(&name).unwrap(), name, captures, intake, reporter };
        let thread = Some(std::thread::spawn(move || line.run()));
        Rig { arrivals, log, stop, thread }
    }

    /// Sources as a device would have them, of so many pictures.
    fn device(descriptions: &'static [&'static str]) -> Captures {
        Box::new(move || {
            gst::init().unwrap();
            let source = |description: &&str| Capture {
                source: {
                    // A description cannot end with caps.
                    let whole = format!("{description} ! identity");
                    gst::parse::bin_from_description(&whole, true).unwrap().upcast()
                },
                caps: None,
            };
            Ok(descriptions.iter().map(source).collect())
        })
    }

    /// The next arrival; the bound only keeps a broken line from hanging the test.
    fn next(rig: &mut Rig) -> Arrival {
        rig.arrivals.next(Duration::from_secs(20)).unwrap()
    }

    macro_rules! camera {
        ($form:literal) => {
            concat!(
                "videotestsrc is-live=true num-buffers=10 pattern=red ! ",
                "video/x-raw,format=YUY2,width=82,height=60,framerate=50/1 ! ",
                $form
            )
        };
    }

    #[test]
    fn raw_pictures_and_sound_come_and_when_it_is_pulled_out_it_is_tried_again() {
        let sound = "audiotestsrc is-live=true num-buffers=10 ! audio/x-raw,rate=48000,channels=2";
        let forms: [&'static [&'static str]; 3] = [
            Box::leak(Box::new([camera!("identity"), sound])),
            Box::leak(Box::new([camera!("videoconvert ! video/x-raw,format=NV12")])),
            Box::leak(Box::new([camera!("videoconvert ! video/x-raw,format=GRAY8")])),
        ];
        for (n, form) in forms.into_iter().enumerate() {
            let mut rig = rig("/dev/video0", device(form));
            let (mut started, mut pictures, mut sounds, mut ended) = (0, 0, 0, 0);
            while started < 2 {
                match next(&mut rig) {
                    Arrival::Started { from } => {
                        assert_eq!(from, "capturing from /dev/video0");
                        started += 1;
                    }
                    Arrival::Frame(frame) => {
                        pictures += 1;
                        assert_eq!(frame.picture.size(), Size::new(82, 60));
                        let mut conform = codecs::Conform::new(Size::new(82, 60), codecs::Filter::Bicubic);
                        let canvas = conform.conform(&frame.picture).unwrap();
                        assert_eq!(canvas.format(), PixelFormat::Yuv420p);
                        let v = canvas.plane(Plane::V).mean();
                        assert!(if n == 2 { v.abs_diff(128) < 3 } else { v > 210 }, "form {n}: {v}");
                    }
                    Arrival::Packet(packet) => {
                        assert_eq!(packet.track, media::Track::Audio);
                        sounds += 1;
                    }
                    Arrival::Params(params) => assert!(matches!(params, StreamParams::Audio(_))),
                    Arrival::Ended(why) => {
                        assert_eq!(why, "the device gives no more");
                        ended += 1;
                    }
                    Arrival::Clock { .. } => {}
                    Arrival::Sound(_) => panic!("sound comes as packets"),
                }
            }
            assert!(
                (1..=10).contains(&pictures) && ended == 1,
                "form {n}: {pictures} pictures, {ended} ends"
            );
            assert_eq!(sounds > 0, n == 0);
        }
    }

    #[test]
    fn coded_pictures_come_as_they_are() {
        let forms: [(&'static [&'static str], VideoCodec); 2] = [
            (Box::leak(Box::new([camera!("jpegenc")])), VideoCodec::Mjpeg),
            (
                Box::leak(Box::new([camera!(
                    "videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream"
                )])),
                VideoCodec::Avc,
            ),
        ];
        for (form, codec) in forms {
            let mut rig = rig("/dev/video0", device(form));
            let (mut known, mut pictures) = (None, 0);
            loop {
                match next(&mut rig) {
                    Arrival::Params(StreamParams::Video(params)) => known = Some(params.codec),
                    Arrival::Packet(packet) if !packet.data.is_empty() => pictures += 1,
                    Arrival::Ended(_) => break,
                    Arrival::Frame(_) => panic!("it was decoded"),
                    _ => {}
                }
            }
            assert_eq!(known, Some(codec));
            assert!(pictures > 5, "{codec:?}: {pictures}");
        }
    }

    /// What is told of a device that has been tried some times.
    fn told(name: &'static str) -> Vec<(String, String)> {
        let tried = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tried);
        let rig = rig(
            name,
            Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                captures(&Camera::parse(name).unwrap(), None, Size::new(64, 36))
            }),
        );
        while tried.load(Ordering::Relaxed) < 3 {
            std::thread::yield_now();
        }
        rig.log.all(media::Time::ZERO).into_iter().map(|e| (e.code, e.message)).collect()
    }

    #[test]
    fn a_device_that_is_not_there_is_said_once_and_tried_again() {
        let said = "there is no device /dev/no-such-camera; it is tried again";
        assert_eq!(told("/dev/no-such-camera"), [("line-error".to_owned(), said.to_owned())]);
    }

    #[test]
    fn a_device_that_does_not_open_says_why() {
        gst::init().unwrap();
        if gst::ElementFactory::find("v4l2src").is_some() {
            let [(code, message)] = &told("/dev/null")[..] else { panic!("it is said once") };
            // In GStreamer's words, and the system's.
            assert!(code == "line-error" && message.contains("/dev/null"), "{message}");
        }
        if gst::ElementFactory::find("decklinkvideosrc").is_some() {
            let [(code, message)] = &told("decklink:255")[..] else { panic!("it is said once") };
            assert!(code == "line-error" && message.starts_with("decklink:255 does not open: "), "{message}");
        }
    }

    #[test]
    fn devices_are_known_by_their_names_and_a_missing_element_by_its_package() {
        assert_eq!(Camera::parse("decklink:1"), Ok(Camera::DeckLink(1)));
        assert_eq!(Camera::parse("/dev/video0"), Ok(Camera::Video4Linux("/dev/video0".to_owned())));
        let error = Camera::parse("decklink:x").unwrap_err().to_string();
        assert_eq!(error, "`decklink:x` names no device; legal: a path, decklink:0 to decklink:255");
        assert_eq!(Microphone::parse("alsa:hw:1"), Ok(Microphone::Alsa("hw:1".to_owned())));
        assert_eq!(Microphone::parse("pulse:a"), Ok(Microphone::Pulse("a".to_owned())));
        assert!(Microphone::parse("hw:1").is_err() && Microphone::parse("alsa:").is_err());
        gst::init().unwrap();
        let error = element("nosuchsrc", "gstreamer1.0-nothing").unwrap_err().to_string();
        assert_eq!(error, "GStreamer has no nosuchsrc here: Debian's package gstreamer1.0-nothing brings it");
        // The real elements take what is set on them; a card that is not there fails later.
        let canvas = Size::new(1920, 1080);
        if gst::ElementFactory::find("v4l2src").is_some() {
            let camera = Camera::parse("/dev/null").unwrap();
            let all = captures(&camera, None, canvas).unwrap();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].caps.as_ref().map(|caps| caps.size()), Some(6));
        }
        if gst::ElementFactory::find("decklinkvideosrc").is_some() {
            assert_eq!(captures(&Camera::DeckLink(0), None, canvas).unwrap().len(), 2);
        }
    }
}
