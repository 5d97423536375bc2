//! The thread that scales: each rung from the next larger one.

use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender};

use super::{Job, NextRung, OpenRung, Order, RungCounters, RungDuty};
use crate::error::CodecError;
use crate::frame::Frame;
use crate::scale::Scaler;
use crate::thread_cpu::thread_cpu;

/// A rung as the scaling thread has it.
pub(super) struct Cascade {
    pub(super) rung: usize,
    pub(super) duty: RungDuty,
    pub(super) scaler: Scaler,
    pub(super) to: Sender<Result<Job, CodecError>>,
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
    for order in orders {
        counters.waits(orders.len());
        let mut alive = false;
        match order {
            Order::Frame(frame, key, finish) => {
                counters.frames.fetch_add(1, Ordering::Relaxed);
                let mut from = frame.picture;
                for step in &mut steps {
                    if step.duty == RungDuty::Rest {
                        alive |= step.to.send(Ok(Job::Rest(frame.pts))).is_ok();
                        continue;
                    }
                    let made = step.scaler.scale(&from);
                    if let Ok(picture) = &made {
                        from = picture.clone();
                    }
                    let finish = finish.clone().map(|finish| (step.rung, finish));
                    let finished = |picture| Job::Frame(Frame { pts: frame.pts, picture }, key, finish);
                    let job = made.map(finished);
                    // A rung that ended has closed its end: the others go on.
                    alive |= step.to.send(job).is_ok();
                }
            }
            Order::Duty(rung, duty) => {
                for step in steps.iter_mut().filter(|step| step.rung == rung) {
                    step.duty = duty;
                }
                // Whether anybody reads is found out with the next frame.
                alive = true;
            }
            Order::Change(next) => {
                steps = changed(steps, next);
                alive = true;
            }
            Order::Pause(until) => {
                for step in &mut steps {
                    alive |= step.to.send(Ok(Job::Pause(until))).is_ok();
                }
            }
        }
        counters.took(begun);
        if !alive {
            return;
        }
    }
}
