//! The handle: how anyone speaks to a running show, from any thread.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, TrySendError, bounded};
use tokio::sync::broadcast;

use crate::channel::outlets::{Outlet, OutletKind};
use crate::clock::Stop;
use crate::command::{Ack, Asked, Command, Refused, Verb};
use crate::egress::EgressMeter;
use crate::egress::exit::Exit;
use crate::egress::feed::Feed;
use crate::event::{Event, EventLog};
use crate::show::channels::ChannelRun;
use crate::show::reload::Reloader;
use crate::status::{Board, Delta, Status};
use crate::thumb::Thumbs;

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
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) thumbs: Arc<Thumbs>,
    pub(crate) reloader: Arc<Reloader>,
}

/// The feeds that viewers may join.
#[derive(Default)]
pub(crate) struct Viewers(RwLock<Vec<Arc<ViewerFeed>>>);

impl Viewers {
    pub(crate) fn new(feeds: Vec<Arc<ViewerFeed>>) -> Self {
        Self(RwLock::new(feeds))
    }
    fn all(&self) -> Vec<Arc<ViewerFeed>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Without those that let nobody in any more, and with these.
    pub(crate) fn change(&self, more: Vec<Arc<ViewerFeed>>) {
        let mut feeds = self.0.write().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|feed| feed.exit.lets_in());
        feeds.extend(more);
    }
}

/// A feed that viewers may join.
pub(crate) struct ViewerFeed {
    pub(crate) channel: String,
    pub(crate) rung: String,
    pub(crate) feed: Arc<Feed>,
    pub(crate) meter: Arc<EgressMeter>,
    pub(crate) exit: Arc<Exit>,
}

impl ViewerFeed {
    /// The feeds of a channel that viewers may join.
    pub(crate) fn of(channel: &ChannelRun) -> impl Iterator<Item = Arc<Self>> {
        Self::of_outlets(&channel.stage.name, &channel.stage.outlets)
    }

    /// The same of some of its ways out.
    pub(crate) fn of_outlets<'o>(
        channel: &'o str,
        outlets: &'o [Outlet],
    ) -> impl Iterator<Item = Arc<Self>> + use<'o> {
        outlets.iter().filter_map(move |outlet| match &outlet.kind {
            OutletKind::Viewers(feed) => Some(Arc::new(Self {
                channel: channel.to_owned(),
                rung: outlet.rung.clone(),
                feed: Arc::clone(feed),
                meter: Arc::clone(&outlet.meter),
                exit: Arc::clone(&outlet.exit),
            })),
            OutletKind::Players { .. } | OutletKind::Own => None,
        })
    }
}

impl Handle {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Has a command carried out at the next tick, and waits for it. A `reload` is opened first,
    /// which may take some seconds.
    ///
    /// # Errors
    /// Why nothing was done, and what would have been legal.
    pub fn command(&self, command: Command) -> Result<Ack, Refused> {
        if command.verb == Verb::Reload {
            return self.inner.reloader.reload(&command);
        }
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

    /// Everything that has happened, as far as a report keeps it, and what happens from now on: none
    /// is missed between the two, and none comes twice.
    pub fn history(&self) -> (Vec<Event>, broadcast::Receiver<Event>) {
        self.inner.log.follow(usize::MAX)
    }

    /// Ends the show at the next tick; files are closed in good order.
    pub fn stop(&self) {
        self.inner.stop.ask();
    }

    /// Looks whether the file that the show was started from has changed since it was read, and
    /// tells of each change by an event, `show-file-changed`. For whoever runs a show from a file,
    /// to call now and then; it may wait for the disk.
    pub fn look_at_file(&self) {
        self.inner.reloader.look_at_file();
    }

    /// The feed viewers of this rung join, if the show serves it.
    pub(crate) fn viewer_feed(&self, channel: &str, rung: &str) -> Option<Arc<ViewerFeed>> {
        self.inner.viewers.all().into_iter().find(|v| v.channel == channel && v.rung == rung)
    }

    /// Where pictures of the sources are asked for.
    pub(crate) fn thumbs(&self) -> &Thumbs {
        &self.inner.thumbs
    }

    /// The paths viewers can fetch.
    pub(crate) fn viewer_paths(&self) -> Vec<String> {
        self.inner.viewers.all().iter().map(|v| format!("/live/{}/{}.flv", v.channel, v.rung)).collect()
    }
}
