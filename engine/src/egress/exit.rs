//! A way out that is closed while its rung goes on: whoever is served there is told to leave. Or
//! one whose rung ends: whoever is served there has all of it, and nobody else comes.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether a way out is still open.
#[derive(Debug, Default)]
pub(crate) struct Exit {
    shut: AtomicBool,
    /// Nobody else comes.
    full: AtomicBool,
    bell: Notify,
}

impl Exit {
    /// Nobody is served here any more.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
        self.bell.notify_waiters();
    }
    /// Whoever is served here stays to the end of the rung, which is near.
    pub(crate) fn let_none_in(&self) {
        self.full.store(true, Ordering::Release);
    }
    /// Whether anybody may still come.
    pub(crate) fn lets_in(&self) -> bool {
        !self.is_shut() && !self.full.load(Ordering::Acquire)
    }
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }
    /// Returns when it is shut.
    pub(crate) async fn until_shut(&self) {
        let bell = self.bell.notified();
        let mut bell = std::pin::pin!(bell);
        // From here on no ring is missed.
        bell.as_mut().enable();
        if !self.is_shut() {
            bell.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;

    use super::*;

    #[test]
    fn who_is_there_may_stay_where_nobody_is_let_in() {
        let exit = Exit::default();
        assert!(exit.lets_in());
        exit.let_none_in();
        assert!(!exit.lets_in() && !exit.is_shut());
        exit.shut();
        assert!(!exit.lets_in());
    }

    #[test]
    fn who_waits_is_let_go_and_who_comes_later_does_not_wait() {
        let exit = Exit::default();
        let mut waits = Box::pin(exit.until_shut());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        exit.shut();
        assert!(waits.as_mut().poll(&mut context).is_ready());
        assert!(std::pin::pin!(exit.until_shut()).poll(&mut context).is_ready());
    }
}
