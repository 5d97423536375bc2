//! Something that changes now and then, kept as runs of the same.

use media::Time;

/// From when to when something was like this.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Run<T> {
    pub(crate) from: Time,
    pub(crate) to: Time,
    pub(crate) what: T,
}

/// Runs that follow one another.
#[derive(Clone, Debug)]
pub(crate) struct Runs<T> {
    done: Vec<Run<T>>,
    open: Option<(Time, T)>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { done: Vec::new(), open: None }
    }
}

impl<T: PartialEq> Runs<T> {
    /// From `at` on it is this.
    pub(crate) fn set(&mut self, at: Time, what: T) {
        if self.open.as_ref().is_some_and(|(_, open)| *open == what) {
            return;
        }
        self.end(at);
        self.open = Some((at, what));
    }

    /// What it is now.
    pub(crate) fn now(&self) -> Option<&T> {
        self.open.as_ref().map(|(_, what)| what)
    }

    /// From `at` on it is nothing.
    pub(crate) fn end(&mut self, at: Time) {
        if let Some((from, what)) = self.open.take()
            && from < at
        {
            self.done.push(Run { from, to: at, what });
        }
    }

    /// All of them, the last one up to `at`.
    pub(crate) fn finish(mut self, at: Time) -> Vec<Run<T>> {
        self.end(at);
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_one_run_and_nothing_is_lost_between_them() {
        let at = Time::from_secs;
        let mut runs = Runs::default();
        for (t, what) in [(0, 'a'), (1, 'a'), (2, 'b'), (2, 'c'), (5, 'c')] {
            runs.set(at(t), what);
        }
        runs.end(at(6));
        runs.set(at(8), 'c');
        let all: Vec<_> = runs.finish(at(9)).into_iter().map(|run| (run.from, run.to, run.what)).collect();
        assert_eq!(all, [(at(0), at(2), 'a'), (at(2), at(6), 'c'), (at(8), at(9), 'c')]);
    }
}
