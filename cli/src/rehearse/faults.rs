//! What is to break, and what is to be reloaded, from the command line and from files.

use std::path::{Path, PathBuf};

use engine::rehearse::ShowText;
use pipeline_dsl::rehearsal::{FaultScript, Order, check_faults_among, reloaded_files};
use pipeline_dsl::{Show, Text};

use crate::exit::{Result, wrong};
use crate::show_file::{ShowFile, tally};

/// A fault script, and what the show files say that its reloads name.
pub struct Script {
    pub script: FaultScript,
    pub shows: Vec<ShowText>,
}

/// The script of all `--fault` and `--faults` together; everything that is wrong is shown. Paths of
/// `--fault` are relative to the show file's folder, those of a file to its own.
pub fn script(show: &Show, folder: &Path, words: &[String], files: &[PathBuf]) -> Result<Script> {
    let told = ShowFile { folder: folder.to_owned(), ..ShowFile::told("--fault", words.join("\n")) };
    let mut texts = vec![told];
    for path in files {
        texts.push(ShowFile::read(path)?);
    }
    let mut shows = Shows::default();
    for text in &texts {
        for file in reloaded_files(&text.source) {
            shows.read(&text.folder, &file)?;
        }
    }
    let mut script = FaultScript::default();
    let mut said = Vec::new();
    for text in &texts {
        let checked = check_faults_among(&text.source, show, &shows.checked);
        text.show(&checked.diagnostics);
        said.extend(checked.diagnostics);
        let mut own = checked.script.unwrap_or_default();
        for order in &mut own.orders {
            if let Order::Reload { file } = &mut order.order {
                // Two scripts may call different files the same.
                *file = Text::Plain(place(&text.folder, file).display().to_string());
            }
        }
        script.extend(own);
    }
    if said.iter().any(|d| d.is_error()) {
        return wrong(format_args!("the faults cannot be rehearsed: {}", tally(&said)));
    }
    Ok(Script { script, shows: shows.texts })
}

/// Where a file is that a script in this folder names.
fn place(folder: &Path, file: &Text) -> PathBuf {
    let path = match file {
        Text::Plain(path) => path.into(),
        Text::Env(name) => std::env::var_os(name).unwrap_or_default(),
    };
    let folder = if folder == Path::new(".") { Path::new("") } else { folder };
    folder.join(path)
}

/// The show files that are gone over to.
#[derive(Default)]
struct Shows {
    texts: Vec<ShowText>,
    checked: Vec<Show>,
}

impl Shows {
    fn read(&mut self, folder: &Path, file: &Text) -> Result<()> {
        let path = place(folder, file);
        let name = Text::Plain(path.display().to_string());
        if self.texts.iter().any(|known| known.file == name) {
            return Ok(());
        }
        let file = ShowFile::read(&path)?;
        let checked = file.check();
        file.show(&checked.diagnostics);
        let Some(show) = checked.show else {
            let tally = tally(&checked.diagnostics);
            return wrong(format_args!("{} cannot be reloaded: {tally}", file.name));
        };
        self.checked.push(show);
        self.texts.push(ShowText { file: name, text: file.source });
        Ok(())
    }
}
