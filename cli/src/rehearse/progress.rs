//! How far a rehearsal has got: a bar on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;

use engine::rehearse::Progress as Done;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::gaps::{length, speed};
use crate::term;

/// Where no line can be updated, one goes out this often, in seconds of wall time.
const EVERY_S: f64 = 5.0;

/// The display of one rehearsal.
pub struct Progress {
    /// There only on a terminal.
    bar: Option<ProgressBar>,
    next_s: f64,
}

impl Progress {
    /// For this process's stderr.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{wide_bar} {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, next_s: EVERY_S }
    }

    /// Called now and then.
    pub fn at(&mut self, done: Done) {
        match &self.bar {
            Some(bar) => {
                let ms = |s: f64| (s * 1e3).max(0.0) as u64;
                bar.set_length(ms(done.of_s.unwrap_or(done.done_s)));
                bar.set_position(ms(done.done_s));
                bar.set_message(words(done));
            }
            None if done.wall_s >= self.next_s => {
                self.next_s = done.wall_s + EVERY_S;
                term::line(format_args!("{}", words(done)));
            }
            None => {}
        }
    }

    /// The bar goes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Show time against wall time, and how long it still takes.
fn words(done: Done) -> String {
    let Done { done_s, of_s, wall_s } = done;
    let times = if wall_s > 0.0 { done_s / wall_s } else { 0.0 };
    // An engine that is started again begins its show anew: then it takes longer than was planned.
    let of_s = of_s.filter(|of_s| done_s <= *of_s);
    let of = of_s.map_or(String::new(), |of_s| format!(" of {}", length(of_s)));
    let left = match of_s {
        Some(of_s) if times > 0.0 && of_s > done_s => {
            format!(", {} to go", length(((of_s - done_s) / times).ceil()))
        }
        _ => String::new(),
    };
    format!("rehearsed {}{of} in {}, {}{left}", length(done_s), length(wall_s), speed(done_s, wall_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told() {
        let done = Done { done_s: 600.0, of_s: Some(7_200.0), wall_s: 12.0 };
        assert_eq!(words(done), "rehearsed 10:00 of 2:00:00 in 12 s, 50 times real time, 2:12 to go");
        let done = Done { done_s: 0.5, of_s: Some(0.4), wall_s: 0.0 };
        assert_eq!(words(done), "rehearsed 500 ms in 0 ms, in no time");
    }
}
