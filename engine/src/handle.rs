//! The handle: how anyone speaks to a running show, from any thread.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, TrySendError, bounded};
use tokio::sync::broadcast;

use crate::channel::outlets::OutletKind;
use crate::clock::Stop;
use crate::command::{Ack, Asked, Command, Refused};
use crate::egress::EgressMeter;
use crate::egress::feed::Feed;
use crate::event::{Event, EventLog};
use crate::show::channels::ChannelRun;
use crate::status::{Board, Delta, Status};

/// How long a command may wait for its tick: a channel may be behind, but not for this long.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Commands that may wait.
pub(crate) const COMMANDS: usize = 64;

/// Speaks to a running show; as many as you like.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

/// What it takes to speak to a show.
pub(crate) struct Inner {
    pub(crate) commands: Sender<Asked>,
    pub(crate) board: Arc<Board>,
    pub(crate) log: Arc<EventLog>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) viewers: Vec<ViewerFeed>,
}

/// A feed that viewers may join.
pub(crate) struct ViewerFeed {
    pub(crate) channel: String,
    pub(crate) rung: String,
    pub(crate) feed: Arc<Feed>,
    pub(crate) meter: Arc<EgressMeter>,
}

impl ViewerFeed {
    /// The feeds of a channel that viewers may join.
    pub(crate) fn of(channel: &ChannelRun) -> impl Iterator<Item = Self> {
        let outlets = channel.stage.outlets.iter();
        outlets.filter_map(|outlet| match &outlet.kind {
            OutletKind::Viewers(feed) => Some(Self {
                channel: channel.stage.name.clone(),
                rung: outlet.rung.clone(),
                feed: Arc::clone(feed),
                meter: Arc::clone(&outlet.meter),
            }),
            OutletKind::Players { .. } | OutletKind::Own => None,
        })
    }
}

impl Handle {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Has a command carried out at the next tick, and waits for it.
    ///
    /// # Errors
    /// Why nothing was done, and what would have been legal.
    pub fn command(&self, command: Command) -> Result<Ack, Refused> {
        let over = || Refused::new("ended", "the show is over", &[]);
        let (answer, answered) = bounded(1);
        match self.inner.commands.try_send(Asked { command, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Refused::new("busy", format!("{COMMANDS} commands are waiting already"), &[]));
            }
            Err(TrySendError::Disconnected(_)) => return Err(over()),
        }
        match answered.recv_timeout(ANSWER_PATIENCE) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(over()),
            Err(RecvTimeoutError::Timeout) => {
                Err(Refused::new("late", "no tick came in 5 s: the command may still act", &[]))
            }
        }
    }

    /// The show as it stands.
    pub fn status(&self) -> Status {
        self.inner.board.status()
    }

    /// The show as it stands, and every change after that. The receiver is closed after the
    /// last one, which has the cause `end`; at once, if the show is over.
    pub fn subscribe(&self) -> (Status, broadcast::Receiver<Delta>) {
        self.inner.board.subscribe()
    }

    /// Events as they happen.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.log.subscribe()
    }

    /// Ends the show at the next tick; files are closed in good order.
    pub fn stop(&self) {
        self.inner.stop.ask();
    }

    /// The feed viewers of this rung join, if the show serves it.
    pub(crate) fn viewer_feed(&self, channel: &str, rung: &str) -> Option<&ViewerFeed> {
        self.inner.viewers.iter().find(|v| v.channel == channel && v.rung == rung)
    }

    /// The paths viewers can fetch.
    pub(crate) fn viewer_paths(&self) -> Vec<String> {
        self.inner.viewers.iter().map(|v| format!("/live/{}/{}.flv", v.channel, v.rung)).collect()
    }
}
