//! `obvan key new`: a master key from the system's random source.

use std::path::{Path, PathBuf};

use engine::key_file;

use crate::exit::{Means, Outcome, Result};
use crate::term;

/// Make keys to encrypt with
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    New(NewArgs),
}

/// Make a new key: 32 hex digits from the system's random source
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan key new tour.key
  export OBVAN_KEY=$(obvan key new)
  obvan key new next.key --id 2

FILE is made for its owner alone (mode 0600) and never over one that is there. What to write
into the show file goes to stderr. Whoever has the key can watch; without it nobody can, so
keep a copy. Key files that others can read are refused.

Exit codes: 0 ok; 1 the file could not be written; 2 wrong usage, or FILE is there already.")]
struct NewArgs {
    /// The file to make, `-` for stdout
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The id that players select the key by, 0 to 255: another one for each key of a ring
    #[arg(long, value_name = "N", default_value_t = 1)]
    id: u8,
}

/// Runs the command.
pub fn key(args: &Args) -> Result {
    let What::New(args) = &args.what;
    let id = args.id;
    if args.file == Path::new("-") {
        let digits = key_file::new_digits().failed("making a key")?;
        term::data(&format!("{}\n", digits.as_str()))?;
        term::line(format_args!(
            "in a show, with the key in OBVAN_KEY: key tour {{ id {id} env=OBVAN_KEY }}"
        ));
        return Ok(Outcome::Done);
    }
    match key_file::create(&args.file) {
        Err(err @ key_file::KeyFileError::Exists { .. }) => Err(err).wrong("making a key")?,
        made => made.failed("making a key")?,
    }
    // A relative path is relative to the show file, which may be elsewhere.
    let shown = args.file.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    term::line(format_args!("in a show: key tour {{ id {id} file=\"{shown}\" }}"));
    Ok(Outcome::Done)
}
