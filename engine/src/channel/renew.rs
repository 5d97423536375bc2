//! A channel whose ladder changes on air.
//!
//! What is new in it is opened beforehand, on the thread of whoever asks for it: encoders, the
//! threads of rungs that come, their ways out. At a tick each rung then stays as it is, goes on with
//! another encoder, ends, or begins. All have a key frame there, so what lies before it is the old
//! encoders' and comes out of them, and who is connected goes over as at any other key frame. A rung
//! that copies its camera just then goes on with that, and has no key frame there but the camera's.

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use codecs::{
    EncoderThreads, LadderSettings, Lookahead, NextRung, OpenRung, RungOutput, VideoEncoderSettings,
};
use crossbeam_channel::{Receiver, Sender};
use flv::Tag;
use media::{Key, Span, Time};
use pipeline_dsl as dsl;
use scheduling::{Encoding, EncodingStep, Encryption};

use crate::channel::composing::LadderChange;
use crate::channel::making::{Described, MadeRung, Making, Pictured};
use crate::channel::rung::{EncryptOrder, RungOrder};
use crate::channel::splice::Stretch;
use crate::channel::vbv::Vbv;
use crate::channel::{Channel, RungEncoder, RungHandle, cores, ladder, say_missing};
use crate::egress::feed::Feed;
use crate::start::{Place, StartError};

/// What a rung is from a picture on.
pub(crate) struct Renewal {
    /// Of that picture.
    pub(crate) at: Time,
    /// How much later than its time stamps say sound has its place.
    pub(crate) late: Span,
    /// `None` where its pictures are as before.
    pub(crate) anew: Option<Anew>,
    /// What that picture is in all rungs that are encoded.
    pub(crate) key: Key,
}

/// Another encoder's stream.
pub(crate) struct Anew {
    pub(crate) metadata: Tag,
    pub(crate) video: Tag,
    pub(crate) vbv: Vbv,
}

/// What becomes of a rung.
enum Fate {
    Stays,
    /// It is encoded otherwise.
    Anew(Anew, Receiver<RungOutput>),
    /// It begins.
    Comes(Sender<RungOrder>),
}

struct NextHandle {
    handle: RungHandle,
    late: Span,
    fate: Fate,
}

/// A changed ladder, opened.
pub(crate) struct NewLadder {
    rungs: Vec<NextHandle>,
    change: LadderChange,
    stand_in: Option<LadderSettings>,
    /// Rungs whose device did not open, and why.
    missing: Vec<(String, String)>,
}

/// What becomes of a channel's ladder with the next tick.
#[derive(Default)]
pub(super) struct Renewing {
    change: Option<LadderChange>,
    /// Rungs that are to be told whose pictures are theirs.
    untold: Vec<usize>,
}

/// What came of a change.
pub(crate) struct Renewed {
    /// Of each rung the place that it had.
    pub(crate) places: Vec<Option<usize>>,
    /// Those that have other encoders than before.
    pub(crate) anew: Vec<usize>,
    /// Rungs that end, and the places that they had.
    pub(crate) gone: Vec<(usize, RungHandle)>,
}

/// A channel and its ladder, as a show describes them.
#[derive(Clone, Copy)]
pub(crate) struct Model<'s> {
    show: &'s dsl::Show,
    ladder: &'s dsl::Ladder,
}

impl<'s> Model<'s> {
    pub(crate) fn of(show: &'s dsl::Show, channel: &str) -> Option<Self> {
        let ladder = show.ladder(&show.channel(channel)?.ladder)?;
        Some(Self { show, ladder })
    }

    /// Whether both encode alike, rung by rung.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let nameless = |ladder: &dsl::Ladder| dsl::Ladder { name: dsl::Name::default(), ..ladder.clone() };
        nameless(self.ladder) == nameless(other.ladder)
    }

    fn settings(&self, rung: &dsl::Rung, cores: usize) -> VideoEncoderSettings {
        ladder::encoder(self.show, self.ladder, rung, cores)
    }
}

impl NewLadder {
    /// Opens what is new in `next` for a channel whose rungs are these. `clear` is whether rungs
    /// that come have a feed of clear tags. The threads wait at the gate.
    ///
    /// # Errors
    /// An encoder that does not open, or no thread.
    pub(crate) fn open(
        (old, next): (Model<'_>, Model<'_>),
        rungs: &[RungHandle],
        making: &Making,
        place: &Place,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Self, StartError> {
        let fail = |message: String| StartError::Channel { channel: making.channel.clone(), message };
        let Model { show, ladder } = next;
        let late = ladder::sound_is_late(show, ladder);
        let mut new = Self {
            rungs: Vec::new(),
            change: LadderChange { rungs: Vec::new(), names: Vec::new(), sounds: Vec::new() },
            stand_in: ladder.copied().map(|rung| ladder::stand_in(show, ladder, rung, making.cores)),
            missing: Vec::new(),
        };
        let clear = rungs.iter().any(|rung| rung.feeds.clear.is_some());
        for rung in &ladder.rungs {
            new.change.names.push(rung.name.clone());
            let before = rungs.iter().find(|before| before.rung.name == rung.name);
            let settings = next.settings(rung, making.cores);
            let is_same = |before: &&RungHandle| {
                let was = old.settings(&before.rung, making.cores);
                let has = before.encoder.as_ref().map_or(settings.threads, |encoder| encoder.threads);
                let is_shared_out = cores::is_about(has, settings.threads);
                rung.is_copied() || (as_asked(was) == as_asked(settings.clone()) && is_shared_out)
            };
            let (handle, fate) = match before {
                Some(before) if is_same(&before) => {
                    let mut handle = RungHandle { rung: rung.clone(), ..before.clone() };
                    if let Some(encoder) = &mut handle.encoder {
                        new.change.rungs.push(NextRung::Stays(encoder.place));
                        encoder.place = new.change.rungs.len() - 1;
                    }
                    (handle, Fate::Stays)
                }
                before => {
                    let pictured = new.encode(next, rung, settings, place).map_err(&fail)?;
                    let described = Described { show, ladder, rung };
                    match before {
                        Some(before) => making.anew(described, pictured, before).map_err(&fail)?,
                        None => {
                            let in_step = making.in_step.join(&rung.name);
                            let clear = clear.then(|| Arc::new(Feed::default()));
                            let made = making.rung(described, pictured, in_step, clear, place);
                            let MadeRung { end, handle, order, sound } = made.map_err(&fail)?;
                            let name = format!("rung {}/{}", making.channel, rung.name);
                            threads.push(place.spawn(name, move || end.run())?);
                            new.change.sounds.push((rung.name.clone(), sound));
                            (handle, Fate::Comes(order))
                        }
                    }
                }
            };
            new.rungs.push(NextHandle { handle, late, fate });
        }
        Ok(new)
    }

    /// Opens an encoder.
    fn encode(
        &mut self,
        model: Model<'_>,
        rung: &dsl::Rung,
        settings: VideoEncoderSettings,
        place: &Place,
    ) -> Result<Pictured, String> {
        let asked = ladder::name(model.ladder.encoder_of(rung));
        let number = self.change.rungs.len();
        let failed = |why: String| format!("rung {}: {why}", rung.name);
        let threads = settings.threads;
        let mut open = OpenRung::open(&place.kit, number, settings).map_err(|e| failed(e.to_string()))?;
        let video = open.output().ok_or_else(|| failed("its encoder has no output".to_owned()))?;
        if let Some(why) = open.missing() {
            self.missing.push((rung.name.clone(), why.to_string()));
        }
        let encoder = RungEncoder {
            place: number,
            name: open.encoder(),
            instead_of: (asked != open.encoder()).then_some(asked),
            counters: Arc::clone(open.counters()),
            threads,
            cpu_before: 0,
        };
        let params = open.params().clone();
        self.change.rungs.push(NextRung::Comes(Box::new(open)));
        Ok(Pictured { params, video, encoder: Some(encoder) })
    }

    /// All its rungs, as they will be.
    pub(crate) fn handles(&self) -> Vec<RungHandle> {
        self.rungs.iter().map(|next| next.handle.clone()).collect()
    }

    /// Those that begin.
    pub(crate) fn coming(&self) -> Vec<RungHandle> {
        let comes = self.rungs.iter().filter(|next| matches!(next.fate, Fate::Comes(_)));
        comes.map(|next| next.handle.clone()).collect()
    }
}

/// Settings without what no show says: how many threads there are is another matter, see
/// [`cores::is_about`], and who looks ahead depends on the other rungs.
fn as_asked(settings: VideoEncoderSettings) -> VideoEncoderSettings {
    let lookahead = match settings.lookahead {
        Lookahead::Shared => Lookahead::Preset,
        other => other,
    };
    VideoEncoderSettings { threads: EncoderThreads::One, lookahead, ..settings }
}

impl Making {
    /// A rung that there is, with another encoder.
    fn anew(
        &self,
        described: Described<'_>,
        pictured: Pictured,
        before: &RungHandle,
    ) -> Result<(RungHandle, Fate), String> {
        let Described { show, ladder, rung } = described;
        let Pictured { params, video, encoder } = pictured;
        let [metadata, header, _] = ladder::headers(show, ladder, rung, &params, &self.sound)
            .map_err(|e| format!("rung {}: {e}", rung.name))?;
        let anew = Anew { metadata, video: header, vbv: Vbv::new(rung.maxrate(), rung.buffer()) };
        let handle = RungHandle { rung: rung.clone(), params, encoder, ..before.clone() };
        Ok((handle, Fate::Anew(anew, video)))
    }
}

impl Channel {
    /// Its rungs are others from the tick at `at` on, whose work is handed in next. `encryption` is
    /// how its tags are encrypted up to then.
    pub(crate) fn renew(&mut self, new: NewLadder, at: Time, encryption: Encryption) -> Renewed {
        let NewLadder { rungs, change, stand_in, missing } = new;
        let handles = std::mem::take(&mut self.rungs);
        let orders = std::mem::take(&mut self.orders);
        let mut before: Vec<_> = handles.into_iter().zip(orders).map(Some).collect();
        let mut renewed = Renewed { places: Vec::new(), anew: Vec::new(), gone: Vec::new() };
        let is_any_anew = rungs.iter().any(|next| !matches!(next.fate, Fate::Stays));
        let key = if is_any_anew { Key::Frame } else { Key::Delta };
        for (ix, NextHandle { mut handle, late, fate }) in rungs.into_iter().enumerate() {
            let is_it = |slot: &Option<(RungHandle, _)>| {
                slot.as_ref().is_some_and(|(was, _)| was.rung.name == handle.rung.name)
            };
            let place = before.iter().position(is_it);
            let was = place.and_then(|place| before.get_mut(place)?.take());
            if let (Some((was, _)), Some(encoder)) = (&was, &mut handle.encoder) {
                let same = was.encoder.as_ref().filter(|was| Arc::ptr_eq(&was.counters, &encoder.counters));
                encoder.cpu_before = match (same, &was.encoder) {
                    (Some(same), _) => same.cpu_before,
                    (None, Some(other)) => other.cpu_nanos(),
                    (None, None) => 0,
                };
            }
            // Who has failed takes no order.
            let order = match (fate, was) {
                (Fate::Comes(order), _) => {
                    if encryption != Encryption::Clear {
                        let _ = order.send(RungOrder::Encrypt(EncryptOrder { at, encryption }));
                    }
                    renewed.anew.push(ix);
                    order
                }
                (Fate::Stays, Some((_, order))) => {
                    let _ = order.send(RungOrder::Renew(Renewal { at, late, anew: None, key }));
                    order
                }
                (Fate::Anew(anew, video), Some((_, order))) => {
                    let _ = order.send(RungOrder::Renew(Renewal { at, late, anew: Some(anew), key }));
                    let _ = order.send(RungOrder::Stretch(Stretch::Encoder(video)));
                    renewed.anew.push(ix);
                    order
                }
                // It was opened for the rungs that there are.
                (Fate::Stays | Fate::Anew(..), None) => continue,
            };
            renewed.places.push(place);
            self.rungs.push(handle);
            self.orders.push(order);
        }
        let gone = before.into_iter().enumerate();
        renewed.gone.extend(gone.filter_map(|(place, slot)| Some((place, slot?.0))));
        self.renewing = Renewing { change: Some(change), untold: renewed.anew.clone() };
        if let (Some(settings), Some(stand_in)) = (stand_in, &self.stand_in) {
            *stand_in.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        }
        for (rung, why) in missing {
            say_missing(&self.reporter, &self.name, &rung, &why);
        }
        renewed
    }

    /// Whether its rungs are others from the next tick on.
    pub(crate) fn is_renewed(&self) -> bool {
        self.renewing.change.is_some()
    }

    /// Whether all its rungs that are encoded are to have a key frame at the next tick.
    pub(crate) fn begins_anew(&self) -> bool {
        !self.renewing.untold.is_empty()
    }

    /// What the composing thread is to be told with the tick.
    pub(crate) fn take_change(&mut self) -> Option<LadderChange> {
        self.renewing.change.take()
    }

    /// It is decided where its pictures come from: rungs that have not been told by that go on, or
    /// begin, with their own encoders.
    pub(crate) fn settle(&mut self, step: EncodingStep) {
        let untold = std::mem::take(&mut self.renewing.untold);
        if (step.before, step.now) != (Encoding::Own, Encoding::Own) {
            return;
        }
        for order in untold.into_iter().filter_map(|ix| self.orders.get(ix)) {
            let _ = order.send(RungOrder::Stretch(Stretch::Own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taking a rung out may leave too few pixels for the others to look ahead together: they go on as
    /// they are.
    #[test]
    fn who_looks_ahead_is_no_reason_for_another_encoder() {
        let show = |rungs: &str| {
            let text = format!(
                "show s {{ video 1920x1080 25fps; audio 48kHz stereo; camera a {{ line l test \"bars\" }}
                   ladder one {{ {rungs} }}
                   channel c {{ sources a; ladder one; egress web serve http-flv }} }}"
            );
            dsl::parse_show(&text).unwrap()
        };
        let small = "rung c 854x480 1200k; rung d 640x360 700k";
        let (before, after) = (show(&format!("rung b 1280x720 2500k; {small}")), show(small));
        let settings = |show: &dsl::Show, rung: &str| {
            let model = Model::of(show, "c").unwrap();
            let rung = model.ladder.rungs.iter().find(|of| of.name.as_str() == rung).unwrap();
            model.settings(rung, 1)
        };
        for rung in ["c", "d"] {
            let (was, is) = (settings(&before, rung), settings(&after, rung));
            assert_ne!(was.lookahead, is.lookahead);
            assert_eq!(as_asked(was), as_asked(is));
        }
        let other = show(&format!("latency quality; {small}"));
        assert_ne!(as_asked(settings(&after, "c")), as_asked(settings(&other, "c")));
    }
}
