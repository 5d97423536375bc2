//! Where a copying rung's pictures are of another encoder than before.

use std::collections::VecDeque;
use std::sync::Arc;

use media::{Packet, Span, Time, VideoParams};

use super::restamp::delay;

/// What pictures are from one of them on.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pts: Time,
    pub(crate) params: Arc<VideoParams>,
    /// The line they are copied from.
    pub(crate) from: Option<Arc<str>>,
}

/// Follows what comes into a rung, and tells of what leaves it what it is.
#[derive(Debug)]
pub(crate) struct Heads {
    delay: Span,
    /// Of the encoder that has just been opened, until its first picture comes, and its own delay.
    opened: Option<Arc<VideoParams>>,
    own_delay: Span,
    /// What came last.
    came: Option<Head>,
    /// What has come and not left yet.
    coming: VecDeque<Head>,
    /// What left last.
    left: Option<Head>,
}

impl Heads {
    /// For a rung with such ticks.
    pub(crate) fn new(tick: Span) -> Self {
        let delay = delay(tick);
        Self { delay, opened: None, own_delay: delay, came: None, coming: VecDeque::new(), left: None }
    }

    /// An encoder gives the next pictures.
    pub(crate) fn opened(&mut self, params: VideoParams) {
        self.opened = Some(Arc::new(params));
    }

    /// It gave this one, which comes back with the rung's own delay.
    pub(crate) fn encoded(&mut self, packet: Packet) -> Packet {
        if let Some(params) = self.opened.take() {
            self.own_delay = packet.pts - packet.dts;
            self.comes(Head { pts: packet.pts, params, from: None });
        }
        Packet { dts: packet.dts - (self.delay - self.own_delay), ..packet }
    }

    /// A picture of a line comes.
    pub(crate) fn copied(&mut self, packet: &Packet, params: Arc<VideoParams>, from: Option<&Arc<str>>) {
        let is_known =
            self.came.as_ref().is_some_and(|head| head.from.as_ref() == from && head.params == params);
        if !is_known {
            self.comes(Head { pts: packet.pts, params, from: from.cloned() });
        }
    }

    fn comes(&mut self, head: Head) {
        self.came = Some(head.clone());
        self.coming.push_back(head);
    }

    /// The picture at `pts` leaves: what it and those after it are, if that is something else than
    /// before.
    pub(crate) fn head_of(&mut self, pts: Time) -> Option<Head> {
        self.coming.front().filter(|head| head.pts == pts)?;
        self.left = self.coming.pop_front();
        self.left.clone()
    }

    /// Whether what leaves is a line's own.
    pub(crate) fn copies(&self) -> bool {
        self.left.as_ref().is_some_and(|head| head.from.is_some())
    }
}
