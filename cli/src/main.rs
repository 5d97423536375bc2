//! obvan: the commands. Each one is a file of its own; this one only picks.
//!
//! Messages go to stderr, data to stdout; exit 0 ok, 1 something failed on the
//! way, 2 wrong usage or an invalid show.
#![forbid(unsafe_code)]

mod check;
mod closing;
mod ctl;
mod duration;
mod encrypt;
mod exit;
mod file_progress;
mod flv_in;
mod flv_out;
mod fmt;
mod gain;
mod guard;
mod key;
mod page;
mod probe;
mod progress;
mod rehearse;
mod run;
mod show_file;
mod state;
mod table;
mod target;
mod term;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A live media processing engine: camera lines in, a switched, watermarked,
/// laddered and encrypted program out.
#[derive(Parser, Debug)]
#[command(
    name = "obvan",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  obvan check concert.show                 say what is wrong with a show file
  obvan run concert.show                   run it; the page is at http://127.0.0.1:8080/
  obvan run concert.show --offline --for 60s --out out --report out/report.json
  obvan ctl cut karry                      cut a running show to a camera
  obvan key new tour.key                   a key to encrypt with
  obvan decrypt rec.flv clear.flv --key-file tour.key
  obvan probe rec.flv                      what is in a recording
  obvan rehearse concert.show --fault 'main/fiber lost@10s for 5s' --for 1m

Exit codes: 0 ok; 1 a channel, an egress or a stream failed; 2 wrong usage or an invalid show.
Data goes to stdout, messages to stderr. OBVAN_LOG=debug says more."
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(check::Args),
    Fmt(fmt::Args),
    Run(run::Args),
    Ctl(ctl::Args),
    Encrypt(encrypt::EncryptArgs),
    Decrypt(encrypt::DecryptArgs),
    Key(key::Args),
    Probe(probe::Args),
    Rehearse(rehearse::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    term::log_to_stderr();
    let result = match args.command {
        Command::Check(args) => check::check(&args),
        Command::Fmt(args) => fmt::fmt(&args),
        Command::Run(args) => run::run(args),
        Command::Ctl(args) => ctl::ctl(&args),
        Command::Encrypt(args) => encrypt::encrypt(&args),
        Command::Decrypt(args) => encrypt::decrypt(&args),
        Command::Key(args) => key::key(&args),
        Command::Probe(args) => probe::probe(&args),
        Command::Rehearse(args) => rehearse::rehearse(&args),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(trouble) => {
            term::say("error", format_args!("{:#}", trouble.error));
            trouble.outcome.into()
        }
    }
}
