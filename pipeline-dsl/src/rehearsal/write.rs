//! The model back into the words of a fault script.

use std::fmt;

use media::Span;

use super::model::{
    DiskFault, Drift, Fault, FaultKind, FaultScript, LineFault, LineName, Restart, Share, SinkFault, SinkName,
};
use super::order::{Ask, Order, PlanStep, TimedOrder};
use super::table::{DISK, FILLER};
use crate::literal::{write_color, write_level, write_span, write_time};
use crate::model::{Follow, Switch, Transition};
use crate::source;

/// One a line, first the faults, then the commands; it reads back as the same script.
impl fmt::Display for FaultScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))?;
        self.orders.iter().try_for_each(|order| writeln!(f, "{order}"))
    }
}

/// `main/fiber lost@0:10 for 5s`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.what, write_time(self.at))?;
        match self.lasts {
            Some(lasts) => write!(f, " for {}", write_span(lasts)),
            None => Ok(()),
        }
    }
}

/// `main/fiber drip=30%`.
impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, fault } => write!(f, "{line} {fault}"),
            Self::Filler { filler, fault } => write!(f, "{FILLER}/{filler} {fault}"),
            Self::Sink { sink, fault } => write!(f, "{sink} {fault}"),
            Self::Disk { fault } => write!(f, "{DISK} {fault}"),
            Self::EngineKill(restart) => write!(f, "engine kill{restart}"),
            Self::EngineOverload => f.write_str("engine overload"),
        }
    }
}

/// Behind `kill`: nothing, `=fresh` or `=resume`.
impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usual => "",
            Self::Fresh => "=fresh",
            Self::Resume => "=resume",
        })
    }
}

/// `main/fiber`.
impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.camera, self.line)
    }
}

/// `program/cdn-a/720p`.
impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.egress)?;
        self.rung.as_ref().map_or(Ok(()), |rung| write!(f, "/{rung}"))
    }
}

/// `drip=30%`.
impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost"),
            Self::Stall => f.write_str("stall"),
            Self::Drip(share) => write!(f, "drip={share}"),
            Self::Corrupt(share) => write!(f, "corrupt={share}"),
            Self::Jump(by) => write!(f, "jump={}", write_shift(*by)),
            Self::Drift(drift) => write!(f, "drift={drift}"),
            Self::Freeze => f.write_str("freeze"),
            Self::Black => f.write_str("black"),
            Self::Silence => f.write_str("silence"),
            Self::Resolution(size) => write!(f, "resolution={size}"),
        }
    }
}

/// `wedge`.
impl fmt::Display for SinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wedge => "wedge",
            Self::Refuse => "refuse",
        })
    }
}

/// `slow=50%`.
impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Slow(share) => write!(f, "slow={share}"),
            Self::Broken => f.write_str("broken"),
        }
    }
}

/// `30%`, `0.5%`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.millionths() / 10_000, self.millionths() % 10_000);
        let text = format!("{whole}.{part:04}");
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// `-300ppm`.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ppm", self.ppm())
    }
}

/// `-10s`, `400ms`: with a sign where it leads back.
fn write_shift(by: Span) -> String {
    let sign = if by < Span::ZERO { "-" } else { "" };
    format!("{sign}{}", write_span(by.abs()))
}

/// `at 0:12 cut karry channel=program`.
impl fmt::Display for TimedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {} {}", write_time(self.at), self.order)
    }
}

/// `cut karry channel=program`.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel { channel, ask } => write!(f, "{ask} channel={channel}"),
            Self::Line { camera, line } => {
                write!(f, "line {camera} {}", line.as_deref().unwrap_or(super::AUTO))
            }
            Self::Reload { file } => write!(f, "{} {}", super::RELOAD, source::text(file)),
        }
    }
}

/// `mute karry on`.
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |state: &Switch| match state {
            Switch::On => "on",
            Switch::Off => "off",
        };
        match self {
            Self::Do(action) => f.write_str(&source::action(action)),
            Self::Preview { source } => write!(f, "preview {source}"),
            Self::Take(with) => write!(f, "take {}", way(*with)),
            Self::Sound(Follow::Picture) => f.write_str("sound follow"),
            Self::Sound(Follow::Source(source)) => write!(f, "sound hold {source}"),
            Self::Gain { source, by } => write!(f, "gain {source} {}", write_level(*by)),
            Self::Mute { source, state } => write!(f, "mute {source} {}", switch(state)),
            Self::Plan(step) => write!(f, "plan {step}"),
        }
    }
}

/// `mix over=500ms`.
fn way(with: Transition) -> String {
    match with {
        Transition::Cut => "cut".to_owned(),
        Transition::Mix { over } => format!("mix over={}", write_span(over)),
        Transition::Wipe { over, from } => format!("wipe over={} from={}", write_span(over), from.as_str()),
        Transition::Dip { over, color } => {
            format!("dip over={} color={}", write_span(over), write_color(color))
        }
    }
}

/// `move 5 before=4`.
impl fmt::Display for PlanStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str("next"),
            Self::Hold => f.write_str("hold"),
            Self::Go => f.write_str("go"),
            Self::Skip { cue } => write!(f, "skip {cue}"),
            Self::Move { cue, before: None } => write!(f, "move {cue}"),
            Self::Move { cue, before: Some(before) } => write!(f, "move {cue} before={before}"),
            Self::At { cue, time } => write!(f, "at {cue} {}", write_time(*time)),
        }
    }
}
