//! `obvan rehearse`: a show in virtual time under injected faults. Not built yet.

use std::path::PathBuf;

use crate::exit::{Result, wrong};

/// Rehearse a show in virtual time under injected faults (not available yet)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The show file
    #[arg(value_name = "SHOW")]
    show: PathBuf,
    /// A fault to inject; may be repeated
    #[arg(long, value_name = "SPEC", required = true)]
    fault: Vec<String>,
    /// Where the report goes, `-` for stdout
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
}

/// Says that it is not there.
pub fn rehearse(args: &Args) -> Result {
    let Args { show, fault, report: _ } = args;
    let shown = show.display();
    let faults = fault.len();
    wrong(format_args!(
        "rehearse is not available yet in this version; {shown} was not run and {faults} fault(s) not injected. \
         `obvan run {shown} --offline` runs it in virtual time without faults"
    ))
}
