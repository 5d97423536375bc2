//! Commands at a tick: handed to the schedulers, and answered once it is known what they came to.

use media::{Tick, Time};
use scheduling::{ChannelIx, Input};

use crate::command::{self, Ack, Command, Order, Outcome, Refused, Taken};
use crate::show::ShowRun;
use crate::show::channels::Changed;
use crate::status::Parts;

impl ShowRun {
    /// Hands the commands that have come to their schedulers.
    pub(super) fn take_commands(&mut self, tick: Tick, from: Time) -> Vec<Taken> {
        let mut taken = Vec::new();
        // Bounded by the queue's own length: a flood cannot hold up the tick.
        for asked in self.commands.try_iter().take(64).collect::<Vec<_>>() {
            if let Err(refused) = asked.command.check_id() {
                let _ = asked.answer.send(Err(refused));
                continue;
            }
            if let Some(outcome) = self.memory.recall(asked.command.id.as_deref()) {
                let _ = asked.answer.send(outcome);
                continue;
            }
            // The same id twice within a tick: one command, one result, two answers.
            let Some(asked) = command::join_repeat(&mut taken, asked) else { continue };
            match self.take_command(&asked.command, from) {
                Ok((channel, cause)) => {
                    taken.push(Taken { asked, repeats: Vec::new(), channel, tick, cause });
                }
                Err(refused) => {
                    let outcome = Err(refused);
                    self.memory.keep(asked.command.id.as_deref(), &outcome);
                    let _ = asked.answer.send(outcome);
                }
            }
        }
        taken
    }

    fn take_command(
        &mut self,
        command: &Command,
        from: Time,
    ) -> Result<(Option<usize>, &'static str), Refused> {
        let cause = command.verb.as_str();
        let order = command.order()?;
        let order = match &order {
            Order::Channel(order) => order,
            Order::Line { camera, line } => {
                self.switcher.handle(Input::Choose { camera, line: line.as_deref() }, from)?;
                return Ok((None, cause));
            }
            Order::Scene { scene, order } => {
                self.switcher.handle(Input::Scene { scene, order }, from)?;
                return Ok((None, cause));
            }
        };
        let names: Vec<&str> = self.channels.iter().map(|c| c.stage.name.as_str()).collect();
        let channel = match &command.channel {
            Some(name) => names.iter().position(|n| n == name).ok_or_else(|| {
                Refused::new("unknown-channel", format!("there is no channel {name}"), &names)
            })?,
            None if names.len() == 1 => 0,
            None => {
                return Err(Refused::new(
                    "missing-channel",
                    "the show has several channels: say which",
                    &names,
                ));
            }
        };
        if let Some(expected) = &command.expect {
            let now = self.channels[channel].on_air_name(&self.switcher);
            if now.as_deref() != Some(expected) {
                let now = now.unwrap_or_else(|| "black".to_owned());
                let message = format!("{expected} was expected on air, but it is {now}");
                return Err(Refused::new("not-as-expected", message, &[&now]));
            }
        }
        self.switcher.handle(Input::Command { channel: ChannelIx(channel), command: order }, from)?;
        Ok((Some(channel), cause))
    }

    /// Tells what is on air from this tick on, and answers whoever asked for it.
    pub(super) fn answer(&mut self, from: Time, taken: Vec<Taken>, causes: &[Changed]) {
        for (channel, cause) in self.channels.iter().zip(causes) {
            let cause = match cause {
                Changed::Nothing => continue,
                Changed::OnAir(reason) => reason,
                Changed::MixOver => "mix-over",
            };
            let status = channel.status(&self.switcher);
            self.board.change(from, cause, Parts { channels: vec![status], ..Parts::default() });
        }
        for Taken { asked, repeats, channel, tick, cause } in taken {
            let run = channel.map(|channel| &self.channels[channel]);
            let told = channel.is_some_and(|channel| matches!(causes.get(channel), Some(Changed::OnAir(_))));
            if !told {
                // The picture is the same, the intent may not be.
                let parts = match run {
                    Some(run) => Parts { channels: vec![run.status(&self.switcher)], ..Parts::default() },
                    None => Parts {
                        cameras: self.camera_statuses(),
                        scenes: self.scene_statuses(),
                        ..Parts::default()
                    },
                };
                self.board.change(from, cause, parts);
            }
            let is_encrypt = asked.command.verb == crate::command::Verb::Encrypt;
            let (encrypt, key_id) =
                run.filter(|_| is_encrypt).map(|run| run.encryption(&self.switcher)).unzip();
            let outcome: Outcome = Ok(Ack {
                id: asked.command.id.clone(),
                revision: self.board.revision(),
                frame: tick.0,
                t: from.as_secs_f64(),
                on_air: run.and_then(|run| run.on_air_name(&self.switcher)),
                encrypt,
                key_id: key_id.flatten(),
                steps: None,
                show_revision: None,
            });
            self.memory.keep(asked.command.id.as_deref(), &outcome);
            for answer in std::iter::once(asked.answer).chain(repeats) {
                let _ = answer.send(outcome.clone());
            }
        }
    }
}
