//! `obvan encrypt` and `obvan decrypt`: FLV in, FLV out, tag by tag.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use crypto::{
    AllowClear, CryptoError, Gate, KeyId, KeyRing, Mode, TagDecryptor, TagEncryptor, UnknownBody, Verdict,
};
use flv::Tag;

use crate::exit::{Means, Outcome, Result};
use crate::file_progress::FileProgress;
use crate::flv_in::{FlvIn, Piece};
use crate::flv_out::{Existing, FlvOut};
use crate::key_file;
use crate::term;

/// Encrypt the tags of an FLV stream so that any CDN can carry it
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  openssl rand -hex 16 > key.hex; chmod 600 key.hex
  obvan encrypt clear.flv sealed.flv --key-file key.hex
  ffmpeg -i in.mp4 -c copy -f flv - | obvan encrypt - - --key-file key.hex > sealed.flv

Exit codes: 0 ok; 1 the input is damaged (what is whole was written) or has a codec
there is no rule for; 2 wrong usage.")]
pub struct EncryptArgs {
    #[command(flatten)]
    files: Files,
    /// The id that readers select the key by, 0 to 255
    #[arg(long, value_name = "N", default_value_t = 1)]
    key_id: u8,
    /// What is hidden of pictures
    #[arg(long, value_enum, default_value_t = ModeArg::Nalu)]
    mode: ModeArg,
    /// What to do with a codec that there is no rule for
    #[arg(long, value_enum, default_value_t = UnknownArg::Refuse)]
    unknown: UnknownArg,
}

/// Decrypt what `encrypt` or a show encrypted; clear tags pass as they are
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan decrypt sealed.flv clear.flv --key-file key.hex
  curl -sN http://127.0.0.1:8080/live/program/360p.flv | obvan decrypt - - --key-file key.hex | ffplay -

Exit codes: 0 ok; 1 tags could not be decrypted or the input is damaged (what could be
read was written); 2 wrong usage.")]
pub struct DecryptArgs {
    #[command(flatten)]
    files: Files,
    /// Use the key for this id only; without it, for whatever id the tags name
    #[arg(long, value_name = "N")]
    key_id: Option<u8>,
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
    /// A file with the key: 32 hex digits
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
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
enum UnknownArg {
    /// Stop and name it
    Refuse,
    /// Let it through unencrypted
    Clear,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum ClearArg {
    /// They pass, so that encryption can be switched off and on
    Yes,
    /// They are dropped, so that nobody on the way can slip them in
    No,
}

/// Runs `encrypt`.
pub fn encrypt(args: &EncryptArgs) -> Result {
    let key = key_file::read(&args.files.key_file)?;
    let mode = match args.mode {
        ModeArg::Nalu => Mode::Nalu,
        ModeArg::Capsule => Mode::Capsule,
    };
    let unknown = match args.unknown {
        UnknownArg::Refuse => UnknownBody::Refuse,
        UnknownArg::Clear => UnknownBody::PassClear,
    };
    let encryptor = TagEncryptor::new(key, KeyId(args.key_id), mode).failed("drawing a salt")?;
    let mut encryptor = encryptor.with_unknown_body(unknown);
    let mut counts = Counts::default();
    let damage = convert("encrypting", &args.files, |tag| {
        let len = tag.wire_len();
        let after = encryptor.encrypt(tag)?;
        // Whatever is marked grows.
        let became = if after.wire_len() == len { Became::Same } else { Became::Other };
        counts.add(len as u64, became, Some(&after));
        Ok::<_, CryptoError>(Some(after))
    })?;
    counts.tell("encrypted", &format!("key id {}, mode {mode}", args.key_id));
    Ok(damage)
}

/// Whether a tag went out as it came in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    Same,
    Other,
}

/// How many tags were changed or dropped, and by how much the stream grew.
#[derive(Default)]
struct Counts {
    tags: u64,
    changed: u64,
    dropped: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Counts {
    /// A tag of `len` bytes on the wire came in; `after` went out.
    fn add(&mut self, len: u64, became: Became, after: Option<&Tag>) {
        self.tags += 1;
        self.bytes_in += len;
        match after {
            Some(after) => {
                self.changed += u64::from(became == Became::Other);
                self.bytes_out += after.wire_len() as u64;
            }
            None => self.dropped += 1,
        }
    }

    fn tell(&self, done: &str, how: &str) {
        let Self { tags, changed, dropped, bytes_in, bytes_out } = self;
        let clear = tags - changed - dropped;
        let gone = if *dropped > 0 { format!(", {dropped} dropped") } else { String::new() };
        term::line(format_args!(
            "{changed} of {tags} tags {done}, {clear} as they were{gone} ({how}); {bytes_in} bytes in, {bytes_out} out"
        ));
    }
}

/// Takes every tag of the input through `change` to the output; `None` leaves it out.
fn convert<E>(
    doing: &'static str,
    files: &Files,
    mut change: impl FnMut(Tag) -> std::result::Result<Option<Tag>, E>,
) -> Result
where
    E: std::error::Error + Send + Sync + 'static,
{
    let existing = if files.force { Existing::Replace } else { Existing::Keep };
    let mut input = FlvIn::open(&files.input)?;
    let mut output = FlvOut::create(&files.output, &files.input, existing)?;
    let bar = FileProgress::new(doing, &input);
    let mut pump = || -> Result<()> {
        while let Some(piece) = input.next()? {
            match piece {
                Piece::Header(header) => output.header(header)?,
                Piece::Tag(tag) => {
                    if let Some(tag) = change(tag).failed(format!("{doing} {}", input.name()))? {
                        output.tag(&tag)?;
                    }
                }
            }
            bar.at(&input);
        }
        Ok(())
    };
    let pumped = pump();
    drop(bar);
    if let Err(trouble) = pumped {
        output.discard();
        return Err(trouble);
    }
    output.finish()?;
    if input.damages == 0 {
        return Ok(Outcome::Done);
    }
    let (places, skipped) = (input.damages, input.skipped);
    term::say(
        "error",
        format_args!("{} was damaged in {places} place(s); {skipped} bytes were skipped", input.name()),
    );
    Ok(Outcome::Failed)
}

/// Runs `decrypt`.
pub fn decrypt(args: &DecryptArgs) -> Result {
    let key = key_file::read(&args.files.key_file)?;
    let ids = match args.key_id {
        Some(id) => id..=id,
        None => 0..=u8::MAX,
    };
    let ring: KeyRing = ids.map(|id| (KeyId(id), key.clone())).collect();
    let mut decryptor = TagDecryptor::new(ring);
    let mut gate = Gate::new(match args.allow_clear {
        ClearArg::Yes => AllowClear::Yes,
        ClearArg::No => AllowClear::No,
    });
    let mut counts = Counts::default();
    let mut unread: BTreeMap<String, u64> = BTreeMap::new();
    let outcome = convert("decrypting", &args.files, |tag| {
        let len = tag.wire_len() as u64;
        let (tag, verdict) = decryptor.decrypt(tag);
        if !verdict.is_readable() {
            *unread.entry(verdict.to_string()).or_default() += 1;
        }
        let tag = gate.admit(tag, verdict);
        let became = match verdict {
            Verdict::Encrypted { .. } | Verdict::Literal => Became::Other,
            _ => Became::Same,
        };
        counts.add(len, became, tag.as_ref());
        Ok::<_, CryptoError>(tag)
    })?;
    counts.tell("decrypted", "each tag tells its own mode");
    for (why, tags) in &unread {
        term::say("error", format_args!("{tags} tag(s) could not be read: {why}"));
    }
    Ok(if unread.is_empty() { outcome } else { Outcome::Failed })
}
