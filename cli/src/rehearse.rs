//! `obvan rehearse`: a show in virtual time while things break, and what viewers would have seen.

mod closing;
mod faults;
mod gaps;
mod page;
mod progress;
mod timeline;

#[cfg(test)]
mod sample;

use std::path::PathBuf;

use engine::rehearse::{self, Codecs, Rehearsal, RehearseOptions};
use media::Span;

use crate::exit::{Means, Outcome, Result, wrong};
use crate::rehearse::faults::Script;
use crate::rehearse::progress::Progress;
use crate::show_file::{ShowFile, tally};
use crate::target::Target;
use crate::term;

/// Rehearse a show in virtual time while things break, and tell what viewers would have seen
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan rehearse concert.show --fault \"main/fiber lost@10s for 5s\" --for 1m
  obvan rehearse concert.show --faults storm.faults --page storm.html
  obvan rehearse concert.show --fault \"engine kill@60s for 2s\" --fault \"at 70s cut karry\" --report -

Faults, one a line in a file; without `for` they stay until the end:
  main/fiber lost|stall|freeze|black|silence@10s for 5s      `main` is all of its lines
  main/fiber drip=30%|corrupt=5%|jump=-10s|drift=300ppm|resolution=640x360@10s for 5s
  program/cdn-a wedge|refuse@10s for 20s                     `program/cdn-a/720p` is one rung
  disk full|slow=50%|broken@30s for 10s;  engine overload@60s for 2s
  engine kill@60s for 2s          it is started again, and its show goes on; `kill=fresh`: begins anew
  filler/standby lost|stall|freeze|black|silence@10s for 5s
  at 12s cut karry                                           the words of `obvan ctl` and of rundowns
  at 20s reload \"evening.show\"                               go over to what another show file says

A gap is what a viewer misses for more than a tenth of a second: a picture that stands still, black,
silence, or nothing that comes. The same seed and faults give the same rehearsal.

Exit codes: 0 no gap passes --max-gap; 1 one does; 2 wrong usage, an invalid show or fault.")]
pub struct Args {
    /// The show file
    #[arg(value_name = "SHOW")]
    show: PathBuf,
    /// Something that breaks, or a command at a time; may be repeated
    #[arg(long, value_name = "SPEC")]
    fault: Vec<String>,
    /// A file of them, one a line, with `//` comments; may be repeated
    #[arg(long, value_name = "FILE")]
    faults: Vec<PathBuf>,
    /// End after this much show time, e.g. `2m`; else the rundown's `end` does
    #[arg(long = "for", value_name = "DUR", value_parser = crate::duration::parse)]
    limit: Option<Span>,
    /// Real pictures and sound, at full size; slower
    #[arg(long)]
    pixels: bool,
    /// The longest gap that is no failure
    #[arg(long, value_name = "DUR", default_value = "1s", value_parser = crate::duration::parse)]
    max_gap: Span,
    /// Write the report (JSON) here, `-` for stdout
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write a page with a picture of it here, `-` for stdout
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// What chance is drawn from: which packets are dropped or broken
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
pub fn rehearse(args: &Args) -> Result {
    let file = ShowFile::read(&args.show)?;
    let checked = file.check();
    file.show(&checked.diagnostics);
    let Some(show) = checked.show else {
        return wrong(format_args!("{} cannot be rehearsed: {}", file.name, tally(&checked.diagnostics)));
    };
    let Script { script, shows } = faults::script(&show, &file.folder, &args.fault, &args.faults)?;
    if args.limit.is_none() && show.end().is_none() {
        let name = &file.name;
        return wrong(format_args!(
            "{name} has no end: say how much to rehearse with --for, e.g. `--for 2m`"
        ));
    }
    let to_stdout = |to: &Option<PathBuf>| to.as_deref().is_some_and(Target::is_stdout);
    if to_stdout(&args.report) && to_stdout(&args.page) {
        return wrong("--report and --page cannot both go to stdout");
    }
    let report_to = args.report.as_deref().map(|path| Target::prepare("report", path)).transpose()?;
    let page_to = args.page.as_deref().map(|path| Target::prepare("page", path)).transpose()?;

    let codecs = if args.pixels { Codecs::Pixels } else { Codecs::Fake };
    let options = RehearseOptions {
        seed: args.seed,
        length: args.limit,
        codecs,
        inputs: file.folder.clone(),
        shows,
        ..RehearseOptions::new()
    };
    let mut progress = Progress::new();
    let rehearsed = rehearse::run(&show, &script, &options, &mut |done| progress.at(done));
    progress.end();
    let rehearsal = rehearsed.wrong(format!("{} cannot be rehearsed", file.name))?;

    term::line(format_args!("{}", closing::text(&rehearsal, args.max_gap).trim_end()));
    if let Some(to) = report_to {
        let mut text = serde_json::to_string_pretty(&rehearsal).failed("making JSON")?;
        text.push('\n');
        to.write(&text)?;
    }
    if let Some(to) = page_to {
        to.write(&page::html(&rehearsal, args.max_gap).failed("making the page")?)?;
    }
    Ok(outcome(&rehearsal, args.max_gap))
}

fn outcome(rehearsal: &Rehearsal, most: Span) -> Outcome {
    let is_too_long = rehearsal.gaps.iter().any(|gap| gaps::passes(gap, most));
    if is_too_long { Outcome::Failed } else { Outcome::Done }
}
