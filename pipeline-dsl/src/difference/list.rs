//! Two lists of named parts: what came, went, changed and moved.

use super::step::Change;
use crate::model::{
    Camera, Channel, Egress, Filler, KeyRing, Ladder, Line, Name, Rundown, Rung, Scene, SceneLayout,
    Watermark,
};

/// A part that is known by a name.
pub(super) trait Named {
    fn name(&self) -> &Name;
}

macro_rules! named {
    ($($part:ident)*) => {$(
        impl Named for $part {
            fn name(&self) -> &Name {
                &self.name
            }
        }
    )*};
}
named!(Camera Channel Egress Filler KeyRing Ladder Line Rung Scene SceneLayout Watermark);

impl Named for Rundown {
    fn name(&self) -> &Name {
        &self.channel
    }
}

fn find<'p, T: Named>(list: &'p [T], name: &str) -> Option<&'p T> {
    list.iter().find(|part| part.name() == name)
}

/// What leads from one list to the other.
pub(super) fn changes<T: Named + PartialEq + Clone>(old: &[T], new: &[T]) -> impl Iterator<Item = Change<T>> {
    let mut changes = Vec::new();
    let gone = old.iter().filter(|part| find(new, part.name()).is_none());
    changes.extend(gone.map(|part| Change::Removed(part.name().clone())));
    for part in new {
        match find(old, part.name()) {
            None => changes.push(Change::Added(part.clone())),
            Some(before) if before != part => changes.push(Change::Changed(part.clone())),
            Some(_) => {}
        }
    }
    // What is added stands behind what was there.
    let kept = old.iter().filter(|part| find(new, part.name()).is_some());
    let added = new.iter().filter(|part| find(old, part.name()).is_none());
    let stands = kept.chain(added).map(Named::name);
    if !stands.eq(new.iter().map(Named::name)) {
        changes.push(Change::Order(new.iter().map(|part| part.name().clone()).collect()));
    }
    changes.into_iter()
}

/// Carries a change out.
pub(super) fn apply<T: Named + Clone>(list: &mut Vec<T>, change: &Change<T>) {
    match change {
        Change::Added(part) => list.push(part.clone()),
        Change::Removed(name) => list.retain(|part| part.name() != name),
        Change::Changed(part) => {
            if let Some(slot) = list.iter_mut().find(|slot| slot.name() == part.name()) {
                slot.clone_from(part);
            }
        }
        Change::Order(order) => {
            list.sort_by_key(|part| order.iter().position(|name| name == part.name()).unwrap_or(usize::MAX));
        }
    }
}
