//! Which channels encode their pictures themselves, and which carry what another one encodes.
//!
//! A program that shows a camera as the camera's own channel does needs no encoders while it does:
//! its rungs can carry the other channel's coded pictures. Where one stretch of them ends and
//! another begins, both sides have a key frame: without one at its end, pictures before it would
//! lean on pictures after it, which are left out.

use media::Key;
use pipeline_dsl::{Channel, Encoder, Ladder, Mark, Name, Rung, Show};

use crate::decision::{Decision, OnAir, Program};
use crate::scene::SceneIx;
use crate::switcher::{ChannelIx, FeedIx, SourcePlace};
use crate::view::SourceIx;

/// What has a channel's picture to itself at a tick.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shown {
    /// A camera's or a filler's picture.
    Feed(FeedIx),
    /// A scene's.
    Scene(SceneIx),
    /// None.
    Black,
}

impl Shown {
    /// What a decision shows; `None` in a transition, and after the end. `sources` and `filler` are
    /// where the channel's are among the show's.
    pub fn of(decision: &Decision, sources: &[SourcePlace], filler: Option<usize>) -> Option<Self> {
        match decision.program {
            Program::One(OnAir::Source(SourceIx(ix))) => Some(match *sources.get(ix)? {
                SourcePlace::Camera(ix) => Self::Feed(FeedIx::Camera(ix)),
                SourcePlace::Scene(ix) => Self::Scene(ix),
            }),
            Program::One(OnAir::Filler) => Some(Self::Feed(FeedIx::Filler(filler?))),
            Program::One(OnAir::Black) => Some(Self::Black),
            Program::Mix { .. } | Program::Ended => None,
        }
    }
}

/// Whether others may carry what a channel encodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lending {
    /// All its rungs work.
    Open,
    /// One of its rungs has failed.
    Closed,
}

/// A channel that goes on, at a tick. `G` is what is seen of its watermarks, whatever describes that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Showing<G = ()> {
    /// What has the picture to itself; `None` in a transition, which is nobody else's.
    pub shown: Option<Shown>,
    /// What is seen of its watermarks, but for forensic ones: the same in two channels only if
    /// it looks the same.
    pub graphics: G,
    /// Whether its rungs are to have a key frame.
    pub key: Key,
    /// Whether it may be carried.
    pub lending: Lending,
}

/// Where the coded pictures of a channel come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// There are none: it has not begun, or has ended.
    None,
    /// From its own encoders.
    Own,
    /// From this channel's encoders.
    Carried(ChannelIx),
}

/// What a channel's encoding comes to at a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodingStep {
    /// Where its pictures came from at the tick before.
    pub before: Encoding,
    /// Where they come from.
    pub now: Encoding,
    /// Whether its rungs have a key frame: wherever it or one that carries it asked for one, and
    /// on both sides of every change.
    pub key: Key,
}

/// Decides, for every tick of a show, who encodes and who carries.
///
/// # Rules
/// - A channel may carry another one whose ladder has all its rungs with the same settings, all of
///   them encoded in software, and which has the same forensic watermark or none either, while both
///   show the same thing and nothing else, and the same is seen of their watermarks: a program's
///   own graphic is in nobody's way while it is off.
/// - A channel with a copied rung neither carries nor is carried.
/// - Who has fewer sources encodes: a camera's own channel, not the program that shows it just
///   now. Of equals it is the first in the show.
/// - Only what a channel encodes itself is carried, and not while one of its rungs has failed.
/// - Whoever is carried stays so while that is possible.
#[derive(Clone, PartialEq, Debug)]
pub struct Carrying {
    names: Vec<Name>,
    /// Every channel after all it could carry.
    order: Vec<usize>,
    /// For each channel those it could carry, the likeliest first.
    lenders: Vec<Vec<usize>>,
    before: Vec<Encoding>,
    /// Who is carried no longer and has not had the key frame for it.
    let_go: Vec<usize>,
}

impl Carrying {
    /// For a show, before its first tick. `fits` says of two channels that the show describes
    /// alike, the one that would carry and the one that would be carried, whether what their
    /// encoders wrote into the headers is the same, too.
    ///
    /// ```
    /// use media::Key;
    /// use scheduling::{Carrying, ChannelIx, Encoding, FeedIx, Lending, Showing, Shown};
    ///
    /// let show = pipeline_dsl::parse_show(r#"show tour {
    ///   camera a { line gen test bars } camera b { line gen test motion }
    ///   ladder one { rung 720p 1280x720 2500k }
    ///   channel program { sources a b; ladder one; egress web serve http-flv }
    ///   channel iso-b { sources b; ladder one; egress web serve http-flv }
    /// }"#).map_err(|_| "not valid")?;
    /// let mut carrying = Carrying::new(&show, |_, _| true);
    /// let camera = |ix| Some(Showing {
    ///     shown: Some(Shown::Feed(FeedIx::Camera(ix))), graphics: (),
    ///     key: Key::Delta, lending: Lending::Open,
    /// });
    ///
    /// let apart = carrying.decide(&[camera(0), camera(1)]);
    /// assert_eq!(apart[0].now, Encoding::Own);
    /// // The program cuts to b: from this key frame on it carries what iso-b encodes.
    /// let together = carrying.decide(&[camera(1), camera(1)]);
    /// assert_eq!(together[0].now, Encoding::Carried(ChannelIx(1)));
    /// assert_eq!((together[1].now, together[1].key), (Encoding::Own, Key::Frame));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn new(show: &Show, fits: impl Fn(ChannelIx, ChannelIx) -> bool) -> Self {
        let channels = &show.channels;
        let mut order: Vec<usize> = (0..channels.len()).collect();
        // Stable: equals stay in the order of the show.
        order.sort_by_key(|ix| channels.get(*ix).map_or(0, |channel| channel.sources.len()));
        let mut lenders = vec![Vec::new(); channels.len()];
        for (place, &borrower) in order.iter().enumerate() {
            let earlier = order.iter().take(place).copied();
            let fit = earlier.filter(|&lender| match (channels.get(borrower), channels.get(lender)) {
                (Some(to), Some(from)) => {
                    could_carry(show, to, from) && fits(ChannelIx(borrower), ChannelIx(lender))
                }
                _ => false,
            });
            if let Some(lenders) = lenders.get_mut(borrower) {
                *lenders = fit.collect();
            }
        }
        Self {
            names: channels.iter().map(|channel| channel.name.clone()).collect(),
            order,
            lenders,
            before: vec![Encoding::None; channels.len()],
            let_go: Vec::new(),
        }
    }

    /// The same for a changed show: channels of the same names go on as they are, whatever their
    /// places, until the next tick is decided.
    #[must_use]
    pub fn reload(&self, show: &Show, fits: impl Fn(ChannelIx, ChannelIx) -> bool) -> Self {
        let mut next = Self::new(show, fits);
        let place = |name: &Name| next.names.iter().position(|other| other == name);
        let before = next.names.iter().map(|name| {
            let old = self.names.iter().position(|other| other == name);
            match old.and_then(|old| self.before.get(old)).copied().unwrap_or(Encoding::None) {
                // Of a channel that has gone nothing more can be carried.
                Encoding::Carried(ChannelIx(lender)) => {
                    let lender = self.names.get(lender).and_then(place);
                    lender.map_or(Encoding::None, |lender| Encoding::Carried(ChannelIx(lender)))
                }
                other => other,
            }
        });
        next.before = before.collect();
        next
    }

    /// What a channel carries has its end with the next tick, since its rungs are others from then
    /// on: it is decided anew, and whatever comes of that is a change.
    pub fn carry_anew(&mut self, ChannelIx(channel): ChannelIx) {
        let Some(before) = self.before.get_mut(channel) else { return };
        if let Encoding::Carried(ChannelIx(lender)) = *before {
            *before = Encoding::None;
            self.let_go.push(lender);
        }
    }

    /// Decides a tick. `tick` is in the order of the show's channels; those that have ended, or
    /// failed, are `None`.
    pub fn decide<G: PartialEq>(&mut self, tick: &[Option<Showing<G>>]) -> Vec<EncodingStep> {
        let at = |ix: usize| tick.get(ix).and_then(Option::as_ref);
        let mut now = vec![Encoding::None; self.names.len()];
        for &ix in &self.order {
            let Some(showing) = at(ix) else { continue };
            let lender = self.lender(ix, showing, &now, at);
            if let Some(slot) = now.get_mut(ix) {
                *slot = lender.map_or(Encoding::Own, |lender| Encoding::Carried(ChannelIx(lender)));
            }
        }
        let mut keys: Vec<Key> = (0..now.len()).map(|ix| at(ix).map_or(Key::Delta, |it| it.key)).collect();
        let mut mark = |ix: usize| {
            if let Some(key) = keys.get_mut(ix) {
                *key = Key::Frame;
            }
        };
        for (ix, (&before, &now)) in self.before.iter().zip(&now).enumerate() {
            let changes = before != now;
            match now {
                Encoding::Carried(ChannelIx(lender)) => {
                    if changes || at(ix).is_some_and(|it| it.key == Key::Frame) {
                        mark(lender);
                    }
                }
                Encoding::Own if changes => mark(ix),
                Encoding::Own | Encoding::None => {}
            }
            if let (true, Encoding::Carried(ChannelIx(lender))) = (changes, before) {
                mark(lender);
            }
        }
        self.let_go.drain(..).for_each(mark);
        let key = |ix: usize| keys.get(ix).copied().unwrap_or(Key::Delta);
        let steps = self.before.iter().zip(&now).enumerate().map(|(ix, (&before, &now))| EncodingStep {
            before,
            now,
            // Who is carried has the key frames of whoever encodes.
            key: match now {
                Encoding::Carried(ChannelIx(lender)) => key(lender),
                Encoding::Own => key(ix),
                Encoding::None => Key::Delta,
            },
        });
        let steps = steps.collect();
        self.before = now;
        steps
    }

    /// Whom a channel carries that shows this.
    fn lender<'t, G: PartialEq + 't>(
        &self,
        borrower: usize,
        showing: &Showing<G>,
        now: &[Encoding],
        at: impl Fn(usize) -> Option<&'t Showing<G>>,
    ) -> Option<usize> {
        let shown = showing.shown?;
        let lends = |lender: usize| {
            let alike = |it: &Showing<G>| {
                it.shown == Some(shown) && it.graphics == showing.graphics && it.lending == Lending::Open
            };
            now.get(lender) == Some(&Encoding::Own) && at(lender).is_some_and(alike)
        };
        let lenders = self.lenders.get(borrower)?;
        let last = match self.before.get(borrower) {
            Some(Encoding::Carried(ChannelIx(last))) => Some(*last),
            _ => None,
        };
        let last = last.filter(|last| lenders.contains(last) && lends(*last));
        last.or_else(|| lenders.iter().copied().find(|lender| lends(*lender)))
    }
}

/// Whether the show makes the pictures of `to` and `from` alike, as far as `to` has rungs.
fn could_carry(show: &Show, to: &Channel, from: &Channel) -> bool {
    let (Some(own), Some(other)) = (show.ladder(&to.ladder), show.ladder(&from.ladder)) else {
        return false;
    };
    // It is always there, and each rung has a pattern of its own, by its place.
    let is_forensic = |name: &&Name| {
        show.watermarks.iter().any(|mark| mark.name == **name && matches!(mark.mark, Mark::Forensic { .. }))
    };
    let pattern = |channel: &Channel| channel.watermarks.iter().find(is_forensic).cloned();
    // Key frames of a channel that copies are its camera's, not those that another one asks for.
    let copies = |ladder: &Ladder| ladder.copied().is_some();
    !copies(own)
        && !copies(other)
        && pattern(to) == pattern(from)
        && covers(own, other)
        && (own.rungs == other.rungs || pattern(to).is_none())
}

/// Whether every rung of `own` is there in `other` with the same settings.
fn covers(own: &Ladder, other: &Ladder) -> bool {
    let same = |rung: &Rung, there: &Rung| {
        rung == there
            && own.preset_of(rung) == other.preset_of(there)
            && own.encoder_of(rung) == other.encoder_of(there)
            // A device may be had a few times only, and its streams are its own.
            && matches!(own.encoder_of(rung), Encoder::X264 | Encoder::X265)
    };
    own.latency == other.latency
        && own.keyframe == other.keyframe
        && own.rungs.iter().all(|rung| other.rungs.iter().any(|there| same(rung, there)))
}
