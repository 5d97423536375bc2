//! `obvan check`: all that is wrong with a show file.

use std::path::PathBuf;

use clap::ValueEnum;
use pipeline_dsl::{Diagnostic, FileRef, Show};
use serde::Serialize;

use crate::exit::{Outcome, Result};
use crate::show_file::{ShowFile, tally};
use crate::term;

/// Say all that is wrong with a show file, with places and what would be legal
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan check concert.show
  obvan check concert.show --format json | jq '.diagnostics[].message'

Exit codes: 0 it runs (there may be warnings, such as a file that is not there); 2 it does not.")]
pub struct Args {
    /// The show file, `-` for stdin
    #[arg(value_name = "SHOW")]
    show: PathBuf,
    /// Text goes to stderr, JSON to stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
}

/// The shape of `--format json`.
#[derive(Serialize)]
struct Findings<'a> {
    file: &'a str,
    /// The show's name, where it has no error.
    show: Option<&'a str>,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
    /// The files it reads.
    files: &'a [FileRef],
}

/// Runs the command.
pub fn check(args: &Args) -> Result {
    let file = ShowFile::read(&args.show)?;
    let checked = file.check();
    let mut diagnostics = checked.diagnostics.clone();
    diagnostics.extend(file.unfit_files(&checked));
    diagnostics.sort_by_key(|d| (d.span.start, std::cmp::Reverse(d.severity)));
    let show = checked.show.as_ref().filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    match args.format {
        Format::Json => {
            let errors = diagnostics.iter().filter(|d| d.is_error()).count();
            term::json(&Findings {
                file: &file.name,
                show: show.map(|show| show.name.as_str()),
                errors,
                warnings: diagnostics.len() - errors,
                diagnostics: &diagnostics,
                files: &checked.files,
            })?;
        }
        Format::Text => {
            file.show(&diagnostics);
            let what = show.map_or_else(|| "it does not run".to_owned(), content);
            term::line(format_args!("{}: {}; {what}", file.name, tally(&diagnostics)));
        }
    }
    Ok(if diagnostics.iter().any(Diagnostic::is_error) { Outcome::Wrong } else { Outcome::Done })
}

/// What a show has, in a few words.
fn content(show: &Show) -> String {
    let rungs = |ladder: &str| show.ladder(ladder).map_or(0, |ladder| ladder.rungs.len());
    let channels: Vec<String> =
        (show.channels.iter()).map(|c| format!("{} ({} rungs)", c.name, rungs(&c.ladder))).collect();
    let end = show.end().map_or_else(|| "no end".to_owned(), |end| format!("ends at {end}"));
    format!(
        "{}: {} at {}, {} cameras, channels {}, {end}",
        show.name,
        show.video.size,
        show.video.rate,
        show.cameras.len(),
        channels.join(", ")
    )
}
