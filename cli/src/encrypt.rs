//! `obvan encrypt` and `obvan decrypt`: FLV in, FLV out, tag by tag.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use clap::ValueEnum;
use crypto::{
    AllowClear, CryptoError, Gate, KeyId, KeyRing, MasterKey, Mode, NoRule, Sealing, Sound, TagDecryptor,
    TagEncryptor, Verdict,
};
use engine::key_file;
use flv::Tag;

use crate::exit::{Means, Outcome, Result, Trouble, wrong};
use crate::flv_in::{FlvIn, Piece};
use crate::flv_out::{Existing, FlvOut, Reader};
use crate::term;

/// Encrypt the tags of an FLV stream so that any CDN can carry it
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan key new tour.key
  obvan encrypt clear.flv sealed.flv --key-file tour.key
  ffmpeg -i in.mp4 -c copy -f flv - | obvan encrypt - - --key-file tour.key > sealed.flv

Damage is skipped, told and counted. A tag whose body is damaged (its NAL units do not add up,
or it ends a sequence and has a picture all the same) is dropped whatever --unknown says: it never
goes out clear. In a pipe, a tag whose length takes in whole tags behind it is given up after 2 s.

Exit codes: 0 ok; 1 the input is damaged (what is whole was written) or has a codec
there is no rule for; 2 wrong usage.")]
pub struct EncryptArgs {
    #[command(flatten)]
    files: Files,
    /// A file with the key: 32 hex digits; refused if others can read it. `-` for stdin, if IN is none
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The id that readers select the key by, 0 to 255
    #[arg(long, value_name = "N", default_value_t = 1)]
    key_id: u8,
    /// What is hidden of pictures
    #[arg(long, value_enum, default_value_t = ModeArg::Nalu)]
    mode: ModeArg,
    /// What is heard of sound without the key
    #[arg(long, value_enum, default_value_t = SoundArg::Noise)]
    sound: SoundArg,
    /// What to do with a codec that there is no rule for
    #[arg(long, value_enum, default_value_t = UnknownArg::Refuse)]
    unknown: UnknownArg,
}

/// Decrypt what `encrypt` or a show encrypted; clear tags pass as they are
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan decrypt sealed.flv clear.flv --key-file tour.key
  obvan decrypt rotated.flv clear.flv --key-file tour.key --key-id 1 --key-file next.key --key-id 2
  curl -sN http://127.0.0.1:8080/live/program/360p.flv | obvan decrypt - - --key-file tour.key | ffplay -

Exit codes: 0 ok; 1 tags could not be decrypted or the input is damaged (what could be
read was written); 2 wrong usage.")]
pub struct DecryptArgs {
    #[command(flatten)]
    files: Files,
    /// A file with a key: 32 hex digits; refused if others can read it; `-` for stdin. Again for each key that was rotated to
    #[arg(long, value_name = "FILE", required = true)]
    key_file: Vec<PathBuf>,
    /// The key's id, once for each --key-file and in their order; one key alone is tried on every id
    #[arg(long, value_name = "N")]
    key_id: Vec<u8>,
    /// Taken so that both commands go by the same line; each tag tells its own mode
    #[arg(long, value_enum, hide = true)]
    mode: Option<ModeArg>,
    /// Whether frames that were never encrypted pass
    #[arg(long, value_enum, default_value_t = ClearArg::Yes)]
    allow_clear: ClearArg,
}

#[derive(clap::Args, Debug)]
struct Files {
    /// The FLV file to read, `-` for stdin
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The FLV file to write, `-` for stdout
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum ModeArg {
    /// Slices inside their NAL units; every relay carries it
    Nalu,
    /// The whole body inside one NAL unit; hides slice headers too
    Capsule,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum SoundArg {
    /// The ciphertext itself; every reader knows it (version 1)
    Noise,
    /// Nothing; for relays that read MPEG-TS or HLS, readers must know version 2
    Silence,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum UnknownArg {
    /// Stop and name it
    Refuse,
    /// Let it through unencrypted
    Clear,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum ClearArg {
    /// They pass, so that encryption can be switched off and on
    Yes,
    /// They are dropped, so that nobody on the way can slip them in
    No,
}

/// Runs `encrypt`.
pub fn encrypt(args: &EncryptArgs) -> Result {
    let key = read_keys(std::slice::from_ref(&args.key_file), &args.files)?.swap_remove(0);
    let mode = match args.mode {
        ModeArg::Nalu => Mode::Nalu,
        ModeArg::Capsule => Mode::Capsule,
    };
    let sound = match args.sound {
        SoundArg::Noise => Sound::Noise,
        SoundArg::Silence => Sound::Silence,
    };
    let encryptor = TagEncryptor::new(key, KeyId(args.key_id), mode).failed("drawing a salt")?;
    // What has no rule comes back as an error, for a damaged body must never go out clear.
    let mut encryptor = encryptor.with_sound(sound);
    let mut counts = Counts::default();
    let ended = convert("encrypting", &args.files, |tag, out| {
        let (len, start) = (tag.wire_len(), out.len());
        let (fate, body) = match encryptor.encrypt_into(&tag, out) {
            Ok(Sealing::Encrypted { .. } | Sealing::Literal) => (Fate::Changed, Body::Sound),
            Ok(Sealing::Exempt | Sealing::Clear) => (Fate::Same, Body::Sound),
            Err(CryptoError::NoRule {
                what: what @ (NoRule::Body(_) | NoRule::DataBehindEnd(_)), ..
            }) => (Fate::Dropped, Body::Damaged(what)),
            Err(CryptoError::NoRule { .. }) if args.unknown == UnknownArg::Clear => {
                tag.write_into(out);
                (Fate::Unruled, Body::Sound)
            }
            Err(err @ CryptoError::NoRule { .. }) => {
                return Err(anyhow::anyhow!("{err}; `--unknown clear` lets it through unencrypted"));
            }
            Err(err) => return Err(err.into()),
        };
        counts.add(len, out.len() - start, fate);
        Ok(body)
    })?;
    if ended != Ended::Quietly {
        let silent = if sound == Sound::Silence { ", sound silence" } else { "" };
        counts.tell("encrypted", &format!("key id {}, mode {mode}{silent}", args.key_id));
    }
    Ok(ended.outcome())
}

/// Reads the key files, of which one may be stdin if nothing else is read from there.
fn read_keys(paths: &[PathBuf], files: &Files) -> Result<Vec<MasterKey>> {
    let stdin = Path::new("-");
    let from_stdin = paths.iter().filter(|path| *path == stdin).count();
    if from_stdin > 0 && files.input == stdin {
        return wrong("IN and --key-file are both stdin: one of them must be a file");
    }
    if from_stdin > 1 {
        return wrong("--key-file - is there twice: stdin holds one key");
    }
    let read = |path: &PathBuf| key_file::read(if path == stdin { Path::new("/dev/stdin") } else { path });
    let keys = paths.iter().map(read).collect::<std::result::Result<Vec<_>, _>>();
    keys.wrong(if paths.len() == 1 { "reading the key" } else { "reading the keys" })
}

/// What became of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    Changed,
    Dropped,
    /// Passed clear, for there is no rule for it.
    Unruled,
}

/// What a tag's body turned out to be.
enum Body {
    Sound,
    /// Cannot be read; nothing of it was appended.
    Damaged(NoRule),
}

/// How many tags were changed or dropped, and by how much the stream grew.
#[derive(Default)]
struct Counts {
    tags: u64,
    changed: u64,
    dropped: u64,
    unruled: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Counts {
    /// A tag of `len` bytes on the wire came in, one of `after` went out.
    fn add(&mut self, len: usize, after: usize, fate: Fate) {
        self.tags += 1;
        self.changed += u64::from(fate == Fate::Changed);
        self.dropped += u64::from(fate == Fate::Dropped);
        self.unruled += u64::from(fate == Fate::Unruled);
        self.bytes_in += len as u64;
        self.bytes_out += after as u64;
    }

    fn tell(&self, done: &str, how: &str) {
        let Self { tags, changed, dropped, unruled, bytes_in, bytes_out } = self;
        let same = tags - changed - dropped - unruled;
        let clear =
            if *unruled > 0 { format!(", {unruled} CLEAR for want of a rule") } else { String::new() };
        let gone = if *dropped > 0 { format!(", {dropped} dropped") } else { String::new() };
        term::line(format_args!(
            "{changed} of {tags} tags {done}, {same} as they were{clear}{gone} ({how}); {bytes_in} bytes in, {bytes_out} out"
        ));
    }
}

/// How a conversion ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    /// The input was damaged; that has been told.
    Damaged,
    /// Whoever read the output has had enough, as with `| head`: nothing more is to be said.
    Quietly,
}

impl Ended {
    fn outcome(self) -> Outcome {
        if self == Self::Damaged { Outcome::Failed } else { Outcome::Done }
    }
}

/// Takes every tag of the input through `change`, which appends it whole to the output.
fn convert(
    doing: &'static str,
    files: &Files,
    mut change: impl FnMut(Tag, &mut BytesMut) -> anyhow::Result<Body>,
) -> Result<Ended> {
    let existing = if files.force { Existing::Replace } else { Existing::Keep };
    let mut input = FlvIn::open(&files.input, doing)?;
    let mut output = FlvOut::create(&files.output, input.metadata(), existing)?;
    let name = input.name().to_owned();
    let pumped = pump(&mut input, &mut output, |tag, out| change(tag, out).failed(format!("{doing} {name}")));
    let (places, skipped) = (input.damages, input.skipped);
    // The progress line goes before anything is said.
    drop(input);
    let ended = match pumped {
        Ok(Reader::Listens) if places == 0 => output.end()?,
        // All of it was written; without a tag, nothing came of it.
        Ok(Reader::Listens) => {
            let _ = output.keep();
            Reader::Listens
        }
        Ok(Reader::Gone) => Reader::Gone,
        Err(Trouble { outcome, error }) => {
            let error = match output.keep() {
                Some(kept) => anyhow::anyhow!("{error:#}; {kept}"),
                None => error,
            };
            return Err(Trouble { outcome, error });
        }
    };
    if ended == Reader::Gone {
        return Ok(Ended::Quietly);
    }
    if places == 0 {
        return Ok(Ended::Whole);
    }
    term::say("error", format_args!("{name} was damaged in {places} place(s); {skipped} bytes were skipped"));
    Ok(Ended::Damaged)
}

/// From the first byte to the last, or until nobody reads the output any more. What one read
/// gave is written before more is waited for, so a live stream goes through without delay.
fn pump(
    input: &mut FlvIn,
    output: &mut FlvOut,
    mut change: impl FnMut(Tag, &mut BytesMut) -> Result<Body>,
) -> Result<Reader> {
    while input.more()? {
        while let Some(piece) = input.next()? {
            match piece {
                Piece::Header(header) => output.header(header),
                Piece::Tag(tag) => {
                    if let Body::Damaged(why) = change(tag, output.tags())? {
                        input.dropped(&why);
                    }
                }
            }
        }
        if output.flush()? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
    Ok(Reader::Listens)
}

/// Runs `decrypt`.
pub fn decrypt(args: &DecryptArgs) -> Result {
    let keys = read_keys(&args.key_file, &args.files)?;
    let ring: KeyRing = match (&keys[..], &args.key_id[..]) {
        ([key], []) => (0..=u8::MAX).map(|id| (KeyId(id), key.clone())).collect(),
        (keys, ids) if keys.len() != ids.len() => {
            let (files, ids) = (keys.len(), ids.len());
            return wrong(format_args!("{files} --key-file and {ids} --key-id: each key needs its id"));
        }
        (keys, ids) => {
            if let Some(twice) = (1..ids.len()).find(|at| ids[..*at].contains(&ids[*at])) {
                return wrong(format_args!("--key-id {} is there twice", ids[twice]));
            }
            ids.iter().copied().map(KeyId).zip(keys.iter().cloned()).collect()
        }
    };
    let mut decryptor = TagDecryptor::new(ring);
    let mut gate = Gate::new(match args.allow_clear {
        ClearArg::Yes => AllowClear::Yes,
        ClearArg::No => AllowClear::No,
    });
    let mut counts = Counts::default();
    let mut unread: BTreeMap<String, u64> = BTreeMap::new();
    let (mut refused, mut waiting) = (0_u64, 0_u64);
    let ended = convert("decrypting", &args.files, |tag, out| {
        let (len, start) = (tag.wire_len(), out.len());
        let verdict = decryptor.decrypt_into(&tag, out);
        if !verdict.is_readable() {
            *unread.entry(verdict.to_string()).or_default() += 1;
        }
        let fate = if !gate.passes(tag.kind, tag.body(), verdict) {
            out.truncate(start);
            let is_clear = matches!(verdict, Verdict::Clear | Verdict::Literal);
            if is_clear && args.allow_clear == ClearArg::No {
                refused += 1;
            } else if verdict.is_readable() {
                waiting += 1;
            }
            Fate::Dropped
        } else if matches!(verdict, Verdict::Encrypted { .. } | Verdict::Literal) {
            Fate::Changed
        } else {
            Fate::Same
        };
        counts.add(len, out.len() - start, fate);
        Ok(Body::Sound)
    })?;
    if ended != Ended::Quietly {
        counts.tell("decrypted", "each tag tells its own mode");
        if refused > 0 {
            term::say(
                "warning",
                format_args!("{refused} tag(s) dropped: clear, as --allow-clear no refuses"),
            );
        }
        if waiting > 0 {
            term::say("warning", format_args!("{waiting} tag(s) dropped: no key frame since others were"));
        }
    }
    for (why, tags) in &unread {
        term::say("error", format_args!("{tags} tag(s) could not be read: {why}"));
    }
    Ok(if unread.is_empty() { ended.outcome() } else { Outcome::Failed })
}
