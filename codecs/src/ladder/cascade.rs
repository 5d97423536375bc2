//! The thread that scales: each rung from the next larger one.

use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;

use super::planning::{Shared, ToEncoder, Unplanned};
use super::{Job, NextRung, OpenRung, Order, RungCounters, RungDuty};
use crate::frame::Frame;
use crate::scale::Scaler;
use crate::thread_cpu::thread_cpu;

/// A rung as the scaling thread has it.
pub(super) struct Cascade {
    pub(super) rung: usize,
    pub(super) duty: RungDuty,
    pub(super) scaler: Scaler,
    pub(super) to: ToEncoder,
}

/// The largest first; rungs of one size share their picture.
pub(super) fn in_order(steps: &mut [Cascade]) {
    steps.sort_by_key(|step| std::cmp::Reverse(step.scaler.size().area()));
}

/// What stays, with its new number, and what comes; what does not stay is let go.
fn changed(mut before: Vec<Cascade>, next: Vec<NextRung>) -> Vec<Cascade> {
    let mut steps = Vec::with_capacity(next.len());
    for (rung, next) in next.into_iter().enumerate() {
        match next {
            NextRung::Stays(was) => {
                let place = before.iter().position(|step| step.rung == was);
                steps.extend(place.map(|place| Cascade { rung, ..before.swap_remove(place) }));
            }
            NextRung::Comes(open) => {
                let OpenRung { step, .. } = *open;
                steps.push(Cascade { rung, ..step });
            }
        }
    }
    in_order(&mut steps);
    steps
}

/// Each rung's picture from the next larger one's. For a thread of its own.
pub(super) fn scale(mut steps: Vec<Cascade>, orders: &Receiver<Order>, counters: &RungCounters) {
    let begun = thread_cpu();
    let mut shared = Shared::default();
    for order in orders {
        counters.waits(orders.len());
        match order {
            Order::Frame(frame, key, finish) => {
                counters.frames.fetch_add(1, Ordering::Relaxed);
                let wanted = shared.wants(frame.picture.size());
                let (mut from, mut seen) = (frame.picture.clone(), frame.picture);
                for step in &mut steps {
                    if step.duty == RungDuty::Rest {
                        step.to.put(Ok(Unplanned::Rest(frame.pts)));
                        continue;
                    }
                    let made = step.scaler.scale(&from);
                    if let Ok(picture) = &made {
                        from = picture.clone();
                        if from.size().area() >= wanted {
                            seen = picture.clone();
                        }
                    }
                    let finish = finish.clone().map(|finish| (step.rung, finish));
                    let finished = |picture| Unplanned::Frame(Frame { pts: frame.pts, picture }, key, finish);
                    step.to.put(made.map(finished));
                }
                shared.see(&seen, key, &mut steps);
            }
            Order::Duty(rung, duty) => {
                for step in steps.iter_mut().filter(|step| step.rung == rung) {
                    step.duty = duty;
                }
                // Whether anybody reads is found out with the next frame.
                continue;
            }
            Order::Change(next) => {
                shared.settle(&mut steps);
                steps = changed(steps, next);
                continue;
            }
            Order::Pause(until) => {
                shared.settle(&mut steps);
                for step in &mut steps {
                    step.to.hand_on(Ok(Job::Pause(until)));
                }
            }
        }
        counters.took(begun);
        if !steps.iter().any(|step| step.to.is_there()) {
            return;
        }
    }
    shared.settle(&mut steps);
    counters.took(begun);
}
