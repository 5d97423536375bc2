//! The film that is sent, sealed and opened again.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crypto::{
    Counts, Encryption, Gate, KeyId, KeyRing, MasterKey, Mode, Sound, TagDecryptor, TagEncryptor, Transcoder,
};
use flv::video::VideoHeader;
use flv::{Item, Tag, TagKind, TagReader, Tracks};

use super::frames::{Frame, frames};
use super::tool::{ffmpeg, runs};
use crate::obvan::obvan;
use crate::stream::KEY;

/// Pictures of [`clear`].
pub const PICTURES: usize = 150;
/// Pictures from one key frame to the next.
pub const GOP: usize = 25;

/// Six seconds with B-frames, four slices a picture, and stereo sound.
pub fn clear() -> &'static [u8] {
    static FILM: OnceLock<Vec<u8>> = OnceLock::new();
    FILM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        runs(&mut ffmpeg(
            folder.path(),
            "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 \
             -f lavfi -i aevalsrc=exprs='0.4*sin(880*t*(1+t))|0.1*random(0)':s=48000:d=6 \
             -c:v libx264 -preset veryfast -pix_fmt yuv420p -b:v 800k -bf 3 -g 25 -keyint_min 25 \
             -sc_threshold 0 -x264-params slices=4 -c:a aac -b:a 96k film.flv",
        ));
        fs::read(folder.path().join("film.flv")).unwrap()
    })
}

/// How a film is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sealing {
    /// Not at all: shows what a relay does by its trade.
    Clear,
    /// By `obvan encrypt --mode nalu`.
    Nalu,
    /// By `obvan encrypt --mode capsule`.
    Capsule,
    /// A GOP under key 1, a clear one, one under key 1 again, the rest under key 2.
    Switched,
}

const ONE: KeyId = KeyId(1);
const TWO: KeyId = KeyId(2);

fn key(id: KeyId) -> MasterKey {
    match id {
        ONE => KEY.trim().parse().unwrap(),
        _ => "f0e0d0c0b0a090807060504030201000".parse().unwrap(),
    }
}

/// Puts the film in `folder`, sealed; gives the name of the file.
pub fn sealed_with(folder: &Path, sealing: Sealing, sound: Sound) -> &'static str {
    fs::write(folder.join("clear.flv"), clear()).unwrap();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let encrypt = |mode: &str| {
        let sound = sound.to_string();
        let args = ["encrypt", "clear.flv", "sealed.flv", "--force", "--key-file", "key.hex"];
        obvan(folder, &[&args[..], &["--mode", mode, "--sound", &sound]].concat()).exits(0);
    };
    match sealing {
        Sealing::Clear => fs::write(folder.join("sealed.flv"), clear()).unwrap(),
        Sealing::Nalu => encrypt("nalu"),
        Sealing::Capsule => encrypt("capsule"),
        Sealing::Switched => fs::write(folder.join("sealed.flv"), switched(sound)).unwrap(),
    }
    "sealed.flv"
}

/// All tags of a stream without damage; its end may be cut.
pub fn tags(bytes: Vec<u8>) -> Vec<Tag> {
    let mut reader = TagReader::new();
    reader.push(bytes.into());
    let items = std::iter::from_fn(|| reader.next().unwrap());
    items.filter_map(|item| if let Item::Tag(tag) = item { Some(tag) } else { None }).collect()
}

fn switched(sound: Sound) -> Vec<u8> {
    let mut encryptor = TagEncryptor::new(key(ONE), ONE, Mode::Nalu).unwrap().with_sound(sound);
    let mut out = bytes::BytesMut::new();
    flv::write_file_header(&mut out, Tracks::Both);
    let mut key_frames = 0;
    for tag in tags(clear().to_vec()) {
        if is_key_frame(&tag) {
            key_frames += 1;
            match key_frames {
                2 => encryptor.set_encryption(Encryption::Off).unwrap(),
                3 => encryptor.set_encryption(Encryption::On).unwrap(),
                4 => encryptor.rotate(key(TWO), TWO).unwrap(),
                _ => {}
            }
        }
        encryptor.encrypt(tag).unwrap().write_into(&mut out);
    }
    out.to_vec()
}

fn is_key_frame(tag: &Tag) -> bool {
    let header = (tag.kind == TagKind::Video).then(|| VideoHeader::parse(tag.body()).unwrap());
    header.is_some_and(|header| header.is_key_frame() && header.has_picture())
}

/// The frames of a file that a relay left, opened, also by `obvan decrypt` where one key will do.
///
/// Fails the test unless every frame that was sealed is there sealed, and opens.
#[track_caller]
pub fn opened(path: &Path, sealing: Sealing) -> Vec<Frame> {
    let relayed = fs::read(path).unwrap();
    let (open, counts) = decrypt(relayed);
    let found = frames(open.clone());
    let (sealed, clear) = (counts.decrypted as usize, counts.clear as usize);
    assert!(counts.is_whole(), "{}: {counts}", path.display());
    assert_eq!(sealed + clear, found.len(), "{}: {counts}", path.display());
    match sealing {
        Sealing::Clear => assert_eq!(sealed, 0, "{counts}"),
        Sealing::Nalu | Sealing::Capsule => {
            assert_eq!(clear, 0, "{counts}");
            assert_eq!(by_the_binary(path), open);
        }
        Sealing::Switched => assert!(sealed > clear, "{counts}"),
    }
    found
}

fn decrypt(bytes: Vec<u8>) -> (Vec<u8>, Counts) {
    let ring = KeyRing::from_iter([ONE, TWO].map(|id| (id, key(id))));
    let mut open = Transcoder::decrypting(TagDecryptor::new(ring), Gate::default());
    open.push(bytes.into()).unwrap();
    let (bytes, counts) = open.finish().unwrap();
    (bytes.to_vec(), counts)
}

fn by_the_binary(path: &Path) -> Vec<u8> {
    let folder = path.parent().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    obvan(folder, &["decrypt", name, "-", "--key-file", "key.hex"]).exits(0).stdout
}
