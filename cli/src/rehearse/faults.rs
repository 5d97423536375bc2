//! What is to break, from the command line and from files.

use std::path::PathBuf;

use pipeline_dsl::Show;
use pipeline_dsl::rehearsal::{FaultScript, check_faults};

use crate::exit::{Result, wrong};
use crate::show_file::{ShowFile, tally};

/// The script of all `--fault` and `--faults` together; everything that is wrong is shown.
pub fn script(show: &Show, words: &[String], files: &[PathBuf]) -> Result<FaultScript> {
    let mut texts = vec![ShowFile::told("--fault", words.join("\n"))];
    for path in files {
        texts.push(ShowFile::read(path)?);
    }
    let mut script = FaultScript::default();
    let mut said = Vec::new();
    for text in &texts {
        let checked = check_faults(&text.source, show);
        text.show(&checked.diagnostics);
        said.extend(checked.diagnostics);
        script.extend(checked.script.unwrap_or_default());
    }
    if said.iter().any(|d| d.is_error()) {
        return wrong(format_args!("the faults cannot be rehearsed: {}", tally(&said)));
    }
    Ok(script)
}
