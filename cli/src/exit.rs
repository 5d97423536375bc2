//! What a command comes to: 0 ok, 1 something failed on the way, 2 wrong usage
//! or an invalid show.

use std::fmt::Display;
use std::process::ExitCode;

/// How a command ended, where it has told the rest itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All is well.
    Done,
    /// A channel, an egress or a stream failed.
    Failed,
    /// Wrong usage or an invalid show.
    Wrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Wrong => Self::from(2),
        }
    }
}

/// Why a command could not go on; printed once, by `main`.
#[derive(Debug)]
pub struct Trouble {
    /// What the command comes to.
    pub outcome: Outcome,
    /// What happened, with its causes.
    pub error: anyhow::Error,
}

/// A command's result.
pub type Result<T = Outcome> = std::result::Result<T, Trouble>;

/// Says which exit code an error means, and what was being done.
pub trait Means<T> {
    /// Something failed on the way: exit 1.
    fn failed(self, doing: impl Display + Send + Sync + 'static) -> Result<T>;
    /// Wrong usage or an invalid show: exit 2.
    fn wrong(self, doing: impl Display + Send + Sync + 'static) -> Result<T>;
}

impl<T, E: Into<anyhow::Error>> Means<T> for std::result::Result<T, E> {
    fn failed(self, doing: impl Display + Send + Sync + 'static) -> Result<T> {
        self.map_err(|e| Trouble { outcome: Outcome::Failed, error: e.into().context(doing.to_string()) })
    }
    fn wrong(self, doing: impl Display + Send + Sync + 'static) -> Result<T> {
        self.map_err(|e| Trouble { outcome: Outcome::Wrong, error: e.into().context(doing.to_string()) })
    }
}

/// Wrong usage that no library found: exit 2.
pub fn wrong<T>(message: impl Display) -> Result<T> {
    Err(Trouble { outcome: Outcome::Wrong, error: anyhow::anyhow!("{message}") })
}

/// A failure that no library found: exit 1.
pub fn failed<T>(message: impl Display) -> Result<T> {
    Err(Trouble { outcome: Outcome::Failed, error: anyhow::anyhow!("{message}") })
}
