//! What goes out: channels with their keys and egresses.

use media::Span;
use serde::{Deserialize, Serialize};

use super::{Name, Text};

/// Keys of one name, the current first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyRing {
    /// Its name.
    pub name: Name,
    /// Current and next keys.
    pub keys: Vec<KeySource>,
}

/// A key and where its 32 hex digits are found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeySource {
    /// The id viewers select it by, 0 to 255.
    pub id: u8,
    /// Where it is.
    pub place: KeyPlace,
}

/// Where a key is kept; never in the show file itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// An environment variable.
    Env(String),
    /// A file, relative to the show file.
    File(Text),
}

/// How a channel's tags are encrypted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Encrypt {
    /// The key ring's name.
    pub key: Name,
    /// How.
    pub mode: EncryptMode,
    /// What of its sound is heard without the key.
    pub sound: EncryptSound,
}

/// The wire format's modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptMode {
    /// Slices are encrypted inside their NALUs.
    Nalu,
    /// The whole tag body is hidden inside one NALU.
    Capsule,
}

/// What is heard where there is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptSound {
    /// The ciphertext stands where the sound was: version 1 of the wire format.
    Noise,
    /// A silent frame stands behind the ciphertext: version 2, for relays that read MPEG-TS or HLS.
    Silence,
}

/// A program that viewers watch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: Name,
    /// Names of cameras and scenes; the first is on air at the start.
    pub sources: Vec<Name>,
    /// The filler and when it steps in.
    pub filler: Option<ChannelFiller>,
    /// Watermark names, drawn in this order.
    pub watermarks: Vec<Name>,
    /// The ladder's name.
    pub ladder: Name,
    /// The rungs that may rest while the engine cannot keep up, the first to go first; `None` for the
    /// usual ones, as `scheduling::Shedding` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shed: Option<Vec<Name>>,
    /// Encryption, if any.
    pub encrypt: Option<Encrypt>,
    /// Where it goes.
    pub egresses: Vec<Egress>,
}

/// Which filler, and after how long a hole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChannelFiller {
    /// The filler's name.
    pub name: Name,
    /// It steps in this long after the first missing video frame was due.
    pub after: Span,
}

/// One way out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Egress {
    /// Its name, unique within the channel.
    pub name: Name,
    /// What kind, and where to. `{channel}` and `{rung}` stand for their names.
    pub target: Target,
    /// Whether this way out gets the tags unencrypted though the channel is encrypted.
    pub door: Door,
}

/// Where an egress leads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// We push to this URL.
    Push {
        /// The URL, with placeholders.
        url: Text,
        /// Certificates that a server inside TLS is trusted by, PEM, instead of the system's.
        ca: Option<Text>,
    },
    /// Viewers fetch `/live/{channel}/{rung}.flv`.
    ServeHttpFlv,
    /// Players play `live/{channel}_{rung}` from where encoders push to.
    ServeRtmp,
    /// A file under the output folder.
    Record {
        /// The path, with placeholders.
        path: Text,
    },
}

/// What an egress of an encrypted channel carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// What the channel carries.
    AsChannel,
    /// Clear tags, by the show's own word (`clear=true`).
    Clear,
}
