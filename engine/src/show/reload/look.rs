//! What a changed show names that is not to be had: files, addresses, ports. Looked at before
//! anything is opened.

use std::net::UdpSocket;
use std::path::Path;

use pipeline_dsl as dsl;
use pipeline_dsl::{
    Bound, Change, Checked, Diagnostic, Difference, FileRef, Input, Line, Severity, Step, Text, Way,
};

use crate::address::{pull_problem, push_problem};
use crate::command::Refused;

/// Files that are not there and addresses that cannot be used, unless the show that runs names
/// them as well: it has said so, and goes on without.
pub(super) fn unfit(old: &dsl::Show, checked: &Checked, inputs: &Path) -> Vec<Diagnostic> {
    let known = dsl::check(&old.to_source());
    let same = |file: &FileRef, was: &FileRef| {
        (&file.path, file.kind, &file.owner) == (&was.path, was.kind, &was.owner)
    };
    let is_new = |file: &&FileRef| !known.files.iter().any(|was| same(file, was));
    let files: Vec<FileRef> = checked.files.iter().filter(is_new).cloned().collect();
    let exists = |path: &Text| match path {
        Text::Plain(path) => inputs.join(path).exists(),
        Text::Env(name) => std::env::var_os(name).is_some_and(|path| inputs.join(path).exists()),
    };
    let missing = dsl::missing_files(&files, exists);
    let mut said: Vec<_> = missing
        .into_iter()
        .map(|said| Diagnostic { severity: Severity::Error, help: None, ..said })
        .collect();
    let new: Vec<_> = checked
        .addresses
        .iter()
        .filter(|at| !known.addresses.iter().any(|was| (&was.url, &was.owner) == (&at.url, &at.owner)))
        .cloned()
        .collect();
    said.extend(dsl::unfit_addresses(&new, |at| match at.way {
        Way::Pull => pull_problem(&at.url),
        Way::Push => push_problem(&at.url),
    }));
    said
}

/// New and changed lines, with their cameras.
pub(super) fn lines(difference: &Difference) -> impl Iterator<Item = (&str, &Line)> {
    difference.steps.iter().flat_map(|step| match step {
        Step::Camera(Change::Added(camera)) => {
            camera.lines.iter().map(|line| (camera.name.as_str(), line)).collect::<Vec<_>>()
        }
        Step::Line { camera, change: Change::Added(line) | Change::Changed(line) } => {
            vec![(camera.as_str(), line)]
        }
        _ => Vec::new(),
    })
}

/// The port of this machine that a line waits on, if it does.
fn bound(input: &Input) -> Option<Bound> {
    match input {
        Input::Pull { url: Text::Plain(url), .. } => Bound::of(url),
        Input::Pull { url: Text::Env(name), .. } => Bound::of(&std::env::var(name).ok()?),
        _ => None,
    }
}

/// Whether the ports that new lines wait on can be had. Those that lines of the running show wait
/// on are theirs until the tick.
pub(super) fn ports(old: &dsl::Show, difference: &Difference) -> Result<(), Refused> {
    let held: Vec<Bound> =
        old.cameras.iter().flat_map(|camera| &camera.lines).filter_map(|line| bound(&line.input)).collect();
    for (camera, line) in lines(difference) {
        let Some(wanted) = bound(&line.input) else { continue };
        if held.iter().any(|held| held.clashes(&wanted)) {
            continue;
        }
        // Whoever has it would hold it on every address or on ours: this one tells of both.
        if let Err(error) = UdpSocket::bind(("0.0.0.0", wanted.port())) {
            let message =
                format!("{camera}/{}: UDP port {} cannot be had: {error}", line.name, wanted.port());
            return Err(Refused::new("port-taken", message, &[]));
        }
    }
    Ok(())
}

/// What a program hands in is handed to a show at its start.
pub(super) fn sources(difference: &Difference) -> Result<(), Refused> {
    match lines(difference).find(|(_, line)| matches!(line.input, Input::Source { .. })) {
        None => Ok(()),
        Some((camera, line)) => {
            let message = format!(
                "{camera}/{}: a `source` line is there from the show's start or not at all",
                line.name
            );
            Err(Refused::new("fixed-on-air", message, &[]))
        }
    }
}
