//! Why there is no picture to be had from a device, in words that say what to do about it.
//!
//! What opens and then fails says itself why, through GStreamer. A DeckLink card that does not open
//! says nothing at all: what is known of such cards on this machine is told in its place.

use std::fs::FileType;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;

/// Where the driver of Blackmagic's cards shows them.
const DRIVER: &str = "/dev/blackmagic";

/// Why there is no picture to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error("`{0}` names no device; legal: a path, decklink:0 to decklink:255")]
    Camera(String),
    #[error("`{0}` names no sound device; legal: alsa:DEVICE, pulse:NAME")]
    Microphone(String),
    #[error("there is no device {0}")]
    Missing(String),
    /// The system does not even say what it is.
    #[error("{path} cannot be looked at: {why}")]
    Hidden { path: String, why: String },
    #[error(
        "{path} is {what}, no device; legal: a Video4Linux device such as /dev/video0, decklink:0 to decklink:255"
    )]
    NoDevice { path: String, what: &'static str },
    #[error("GStreamer has no {element} here: Debian's package {package} brings it")]
    Element { element: &'static str, package: &'static str },
    #[error(
        "decklink:{0} does not open: the driver of such cards is not loaded (there is no {DRIVER}); Blackmagic's Desktop Video brings it, and libDeckLinkAPI.so"
    )]
    NoDriver(i32),
    #[error(
        "decklink:{0} does not open: the driver is loaded, and no card is seen; is libDeckLinkAPI.so of the same Desktop Video?"
    )]
    NoCard(i32),
    #[error(
        "decklink:{number} does not open: inputs of such cards seen here: {inputs}, counted from decklink:0; is it one of them, and has another program taken it?"
    )]
    Card { number: i32, inputs: usize },
}

/// Refuses a path that leads to no device. GStreamer says nearly the same, yet its first start may have
/// to look through all its plugins, which took more than a minute once.
pub(super) fn look_at(path: &str) -> Result<(), DeviceError> {
    let kind = match Path::new(path).metadata() {
        Ok(about) => about.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(DeviceError::Missing(path.to_owned()));
        }
        Err(error) => {
            return Err(DeviceError::Hidden { path: path.to_owned(), why: error.to_string() });
        }
    };
    match other_than_device(kind) {
        Some(what) => Err(DeviceError::NoDevice { path: path.to_owned(), what }),
        None => Ok(()),
    }
}

/// Cameras are devices of characters.
fn other_than_device(kind: FileType) -> Option<&'static str> {
    if kind.is_char_device() {
        return None;
    }
    let others = [
        (kind.is_dir(), "a folder"),
        (kind.is_block_device(), "a disk"),
        (kind.is_fifo(), "a pipe"),
        (kind.is_socket(), "a socket"),
    ];
    Some(others.into_iter().find(|(is, _)| *is).map_or("a file", |(_, what)| what))
}

/// What is known of DeckLink cards on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cards {
    driver: Driver,
    /// What pictures could be captured from.
    inputs: usize,
}

/// Whether the driver of such cards is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Driver {
    Missing,
    Loaded,
}

/// Why the card of this number has not opened, by what is known of all of them now.
pub(super) fn card(number: i32) -> DeviceError {
    let driver = if Path::new(DRIVER).exists() { Driver::Loaded } else { Driver::Missing };
    let provider = gst::DeviceProviderFactory::by_name("decklinkdeviceprovider");
    let devices = provider.map(|provider| provider.devices()).into_iter().flatten();
    let inputs = devices.filter(|device| device.has_classes("Video/Source")).count();
    Cards { driver, inputs }.without(number)
}

impl Cards {
    fn without(self, number: i32) -> DeviceError {
        match self {
            Self { inputs: 0, driver: Driver::Missing } => DeviceError::NoDriver(number),
            Self { inputs: 0, driver: Driver::Loaded } => DeviceError::NoCard(number),
            Self { inputs, .. } => DeviceError::Card { number, inputs },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_device_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = |path: &str| look_at(path).unwrap_err().to_string();
        let legal = "legal: a Video4Linux device such as /dev/video0, decklink:0 to decklink:255";
        let [folder, file] = [folder.path(), file.path()].map(|path| path.to_str().unwrap());
        assert_eq!(said(folder), format!("{folder} is a folder, no device; {legal}"));
        assert_eq!(said(file), format!("{file} is a file, no device; {legal}"));
        assert_eq!(said("/dev/no-such-camera"), "there is no device /dev/no-such-camera");
        let below = format!("{file}/video0");
        assert!(said(&below).starts_with(&format!("{below} cannot be looked at: ")), "{}", said(&below));
        // What it can do GStreamer finds out.
        assert_eq!(look_at("/dev/null"), Ok(()));
    }

    #[test]
    fn a_card_that_does_not_open_is_told_by_what_is_known_of_cards() {
        let said = |driver, inputs| Cards { driver, inputs }.without(3).to_string();
        assert!(said(Driver::Missing, 0).contains("decklink:3 does not open: the driver"));
        assert!(said(Driver::Missing, 0).contains("Desktop Video brings it"));
        assert!(said(Driver::Loaded, 0).contains("no card is seen"));
        assert!(said(Driver::Loaded, 2).contains("seen here: 2, counted from decklink:0"));
    }
}
