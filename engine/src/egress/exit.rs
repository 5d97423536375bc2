//! A way out that is closed while its rung goes on: whoever is served there is told to leave.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether a way out is still open.
#[derive(Debug, Default)]
pub(crate) struct Exit {
    shut: AtomicBool,
    bell: Notify,
}

impl Exit {
    /// Nobody is served here any more.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
        self.bell.notify_waiters();
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
