//! `obvan fmt`: a show file in its canonical form.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::exit::{Means, Outcome, Result, wrong};
use crate::show_file::{ShowFile, tally};
use crate::term;

/// Write a show file in its canonical form, comments kept
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan fmt concert.show              to stdout
  obvan fmt concert.show --write      in place
  obvan fmt - < concert.show

Exit codes: 0 done; 2 the file cannot be read (nothing is written then).")]
pub struct Args {
    /// The show file, `-` for stdin
    #[arg(value_name = "SHOW")]
    show: PathBuf,
    /// Write it back instead of to stdout
    #[arg(long)]
    write: bool,
}

/// Runs the command.
pub fn fmt(args: &Args) -> Result {
    if args.write && args.show == Path::new("-") {
        return wrong("--write needs a file, not stdin");
    }
    let file = ShowFile::read(&args.show)?;
    let text = match pipeline_dsl::format(&file.source) {
        Ok(text) => text,
        Err(diagnostics) => {
            file.show(&diagnostics);
            return wrong(format_args!("{} was left as it is: {}", file.name, tally(&diagnostics)));
        }
    };
    if !args.write {
        term::data(&text)?;
    } else if text == file.source {
        term::line(format_args!("{}: already as it should be", file.name));
    } else {
        replace(&args.show, &text).failed(format!("writing {}", file.name))?;
        term::line(format_args!("{}: formatted", file.name));
    }
    Ok(Outcome::Done)
}

/// Puts the new text in the old one's place in one step, so that a crash leaves one of both.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // Through a link to the file itself.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_new(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
