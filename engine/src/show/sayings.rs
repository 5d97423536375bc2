//! What the show's thread says of lines in events.

use scheduling::Carries;

use crate::event::Level;
use crate::report::LineState;
use crate::reporter::Reporter;
use crate::show::cameras::{CameraRun, LineChange};
use crate::show::checks::{Amiss, Word};

/// What is seen or heard to be wrong with a line, and that it no longer is.
pub(super) fn say_amiss(reporter: &Reporter, line: &str, amiss: Amiss, word: Word) {
    let (begins, ends) = amiss.codes();
    let reporter = reporter.of(line);
    let (what, over) = match amiss {
        Amiss::Black => ("the picture has been black", "the picture is no longer black: it was"),
        Amiss::Frozen => ("the picture has stood still", "the picture moves again: it stood still"),
        Amiss::Silent => ("nothing has been heard", "something is heard again: nothing was"),
    };
    match word {
        Word::Begins(span) => {
            reporter.event(Level::Warn, begins, format!("{what} for {:.1} s", span.as_secs_f64()));
        }
        Word::Ends(span) => {
            reporter.event(Level::Info, ends, format!("{over} for {:.1} s", span.as_secs_f64()));
        }
    }
}

/// What was told of lines that are there no more is over.
pub(super) fn say_gone(reporter: &Reporter, gone: &mut [CameraRun]) {
    for camera in gone {
        for (line, amiss, word) in camera.end_checks() {
            say_amiss(reporter, &format!("{}/{line}", camera.name), amiss, word);
        }
        for line in camera.told_lost() {
            let reporter = reporter.of(format!("{}/{line}", camera.name));
            reporter.event(
                Level::Info,
                "line-recovered",
                "it is no longer waited for: the show is without it",
            );
        }
    }
}

/// The events of a line: lost and back, ended, first picture.
pub(super) fn say_line(reporter: &Reporter, camera: &str, change: &LineChange) {
    let reporter = reporter.of(format!("{camera}/{}", change.line));
    let [first, again, missing] = match change.carries {
        Carries::Pictures => ["the first picture is there", "pictures come again", "pictures are missing"],
        Carries::SoundAlone => [
            "its sound is there: it has no pictures, and is seen as black",
            "its sound comes again",
            "its sound is missing",
        ],
    };
    match (change.from, change.to) {
        // One that was there when it was looked at first, and late, was not told lost.
        (from, LineState::Live) if !change.was_lost && (!change.seen || from == LineState::Lost) => {
            reporter.event(Level::Info, "line-live", first)
        }
        (_, LineState::Live) => reporter.event(Level::Info, "line-recovered", again),
        (LineState::Live, LineState::Lost | LineState::Connecting) => {
            reporter.event(Level::Alarm, "line-lost", missing)
        }
        (_, LineState::Connecting) => {
            reporter.event(Level::Info, "line-connecting", "it is on its way: no picture yet")
        }
        _ => {}
    }
}
