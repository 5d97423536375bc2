//! The terminal: messages on stderr, data on stdout, and neither ends in a panic
//! when the reader has gone away.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

use tracing_subscriber::EnvFilter;

use crate::exit::{Means, Result};

/// One message on stderr, e.g. `warning: …`. A closed stderr is nobody's business.
pub fn say(kind: &str, message: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{kind}: {message}");
}

/// One plain line on stderr.
pub fn line(message: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Data on stdout. That its reader has read enough (`| head`) is no failure.
pub fn data(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.failed("writing to stdout"),
    }
}

/// A value as JSON on stdout.
pub fn json(value: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).failed("making JSON")?;
    text.push('\n');
    data(&text)
}

/// What the libraries trace goes to stderr, as far as `OBVAN_LOG` asks for it.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("OBVAN_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    // Fails only where a logger is set already, and then that one is right.
    let _ = log.try_init();
}
