//! Whom a command is for, and under which conditions.

#[derive(clap::Args, Debug)]
pub(super) struct Addressee {
    /// The channel; may be left out where the show has one
    #[arg(long, value_name = "NAME")]
    pub(super) channel: Option<String>,
    /// Only if this is on air now
    #[arg(long, value_name = "SOURCE")]
    pub(super) expect: Option<String>,
    /// The command's id; the same id again returns the first result
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
}
