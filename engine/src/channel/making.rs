//! A rung of a channel, made: its encoder's output at one end, its feeds at the other.

use std::sync::Arc;

use bytes::Bytes;
use codecs::RungOutput;
use crossbeam_channel::{Receiver, Sender, bounded};
use media::{Packet, VideoParams};
use pipeline_dsl as dsl;

use crate::channel::copy::Heads;
use crate::channel::in_step::{InStep, RungInStep};
use crate::channel::meter::RungMeter;
use crate::channel::rung::{Feeds, GapTime, RungEnd, RungOrder};
use crate::channel::vbv::Vbv;
use crate::channel::{RungEncoder, RungHandle, ladder, lead};
use crate::egress::feed::Feed;
use crate::keys::ChannelKeys;
use crate::options::Mode;
use crate::start::Place;

/// AAC packets that may wait for one rung.
const SOUND_WAITING: usize = 256;

/// What all rungs of a channel have in common, whenever they begin.
pub(crate) struct Making {
    /// The channel's name.
    pub(crate) channel: String,
    /// What a decoder of its sound must know.
    pub(crate) sound: Bytes,
    pub(crate) keys: Option<Arc<ChannelKeys>>,
    pub(crate) in_step: Arc<InStep>,
    /// That encoders are shared out among.
    pub(crate) cores: usize,
}

/// A rung as the show describes it.
#[derive(Clone, Copy)]
pub(crate) struct Described<'s> {
    pub(crate) show: &'s dsl::Show,
    pub(crate) ladder: &'s dsl::Ladder,
    pub(crate) rung: &'s dsl::Rung,
}

/// Where its pictures come from at first.
pub(crate) struct Pictured {
    pub(crate) params: VideoParams,
    pub(crate) video: Receiver<RungOutput>,
    pub(crate) encoder: Option<RungEncoder>,
}

/// A rung that has no thread yet.
pub(crate) struct MadeRung {
    pub(crate) end: RungEnd,
    pub(crate) handle: RungHandle,
    pub(crate) order: Sender<RungOrder>,
    pub(crate) sound: Sender<Packet>,
}

impl Making {
    /// Makes one, with a feed of clear tags beside its own if there is one.
    pub(crate) fn rung(
        &self,
        described: Described<'_>,
        pictured: Pictured,
        in_step: RungInStep,
        clear: Option<Arc<Feed>>,
        place: &Place,
    ) -> Result<MadeRung, String> {
        let Described { show, ladder, rung } = described;
        let Pictured { params, video, encoder } = pictured;
        let headers = ladder::headers(show, ladder, rung, &params, &self.sound)
            .map_err(|e| format!("rung {}: {e}", rung.name))?;
        let main = Arc::new(Feed::default());
        if let Some(life) = &place.life {
            life.watch_rung(&self.channel, &rung.name, &main);
        }
        let (order, orders) = bounded(64);
        let (sound, audio) = bounded(SOUND_WAITING);
        let meter = Arc::new(RungMeter::default());
        let (feeds, tick) = (Feeds { main, clear }, show.video.rate.tick_span());
        let end = RungEnd {
            video,
            audio,
            orders,
            headers,
            feeds: feeds.clone(),
            keys: self.keys.clone(),
            meter: Arc::clone(&meter),
            codec: params.codec,
            copying: rung.is_copied().then(|| Heads::new(tick)),
            vbv: (!rung.is_copied()).then(|| Vbv::new(rung.maxrate(), rung.buffer())),
            in_step,
            tick,
            lead: lead(show),
            late: ladder::sound_is_late(show, ladder),
            gap_time: match place.mode {
                Mode::RealTime => GapTime::Wall,
                Mode::Offline => GapTime::Media,
            },
            reporter: place.reporter.of(format!("{}/{}", self.channel, rung.name)),
        };
        let handle = RungHandle { rung: rung.clone(), params, meter, encoder, feeds };
        Ok(MadeRung { end, handle, order, sound })
    }
}
