//! What `ctl` can be asked for, as it is written on the command line.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::addressee::Addressee;
use super::mark::MarkWhat;
use super::scene::SceneWhat;
use crate::gain::decibels;

#[derive(Subcommand, Debug)]
pub(super) enum Verb {
    /// What is on air, since when and why
    Status {
        /// What each stage costs instead: CPU time, queue and latency over the last second
        #[arg(long)]
        stages: bool,
    },
    /// Put a source on air at the next tick
    Cut {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
    /// Dissolve to a source
    Mix {
        /// A camera or scene of the channel
        source: String,
        /// How long the dissolve takes, e.g. `500ms`
        #[arg(long, value_name = "DUR", value_parser = crate::duration::parse)]
        over: Option<media::Span>,
        #[command(flatten)]
        to: Addressee,
    },
    /// Uncover a source along an edge that moves over the picture
    Wipe {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Fade to a colour, and from there to a source
    Dip {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Put a source on preview, for `take`
    Preview {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
    /// Bring what is on preview, and put what was wanted before there
    Take {
        /// How
        #[arg(long, value_name = "HOW", default_value = "cut")]
        with: With,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        to: Addressee,
    },
    /// Whose sound is heard
    Sound {
        #[command(subcommand)]
        whose: Whose,
    },
    /// How loud a source is, wherever it is heard
    Gain {
        /// A camera or scene of the channel
        source: String,
        /// Decibels, -60 to 12, e.g. `-6dB` or `-6`; 0 is as it comes
        #[arg(allow_hyphen_values = true, value_parser = decibels)]
        db: f64,
        #[command(flatten)]
        to: Addressee,
    },
    /// Silence a source, or let it be heard again
    Mute {
        /// A camera or scene of the channel
        source: String,
        state: State,
        #[command(flatten)]
        to: Addressee,
    },
    /// Change a scene: its layout, or the level of one of its boxes
    #[command(after_help = "\
Examples:
  obvan ctl scene duo layout pip                a cut, at the next tick
  obvan ctl scene duo layout grid over=500ms    the boxes take half a second to their new places
  obvan ctl scene duo box guest level=-6dB
  obvan ctl scene duo box guest mute=on")]
    Scene {
        /// A scene of the show
        scene: String,
        #[command(subcommand)]
        what: SceneWhat,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Choose a camera's line, or leave it to the rules again
    Line {
        camera: String,
        /// One of its lines, or `auto`
        line: String,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Lead the rundown: call the next cue, hold, go on, skip, move
    Plan {
        #[command(subcommand)]
        order: Plan,
    },
    /// Filler on, whatever the cameras do, or off again
    Filler {
        state: State,
        #[command(flatten)]
        to: Addressee,
    },
    /// Encryption on or off, or on to the next key, from the next key frame
    Encrypt {
        state: SealState,
        #[command(flatten)]
        to: Addressee,
    },
    /// On to the next key (the same as `encrypt rotate`)
    Rotate {
        #[command(flatten)]
        to: Addressee,
    },
    /// Read the show file again and apply what changed, without dropping a line, a sink or a frame
    Reload {
        /// The show file to go on with, `-` for stdin; the one the show was started with, if left out
        file: Option<std::path::PathBuf>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// The command's id; the same id again returns the first result
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Change a watermark: on, off, other words, another place
    #[command(after_help = "\
Examples:
  obvan ctl watermark bug off                       from the next tick
  obvan ctl watermark bug on --when keyframe        with the next key frame
  obvan ctl watermark bug off --over 1s             it fades
  obvan ctl watermark name text 'Karry, live from Oslo'
  obvan ctl watermark bug at bottom-left; obvan ctl watermark bug at 50%,10 --over 2s
  obvan ctl watermark bug at own                    back to its own place, or its path")]
    Watermark {
        /// A watermark of the channel
        name: String,
        #[command(subcommand)]
        what: MarkWhat,
    },
    /// Open or close a way out (not available yet)
    Egress { rest: Vec<String> },
}

#[derive(clap::Args, Debug)]
pub(super) struct How {
    /// How long it takes, e.g. `500ms`
    #[arg(long, value_name = "DUR", value_parser = crate::duration::parse)]
    over: Option<media::Span>,
    /// Where a wipe begins: left, right, top or bottom
    #[arg(long, value_name = "EDGE")]
    edge: Option<String>,
    /// The colour a dip leads through: a name or `#rrggbb`
    #[arg(long, value_name = "COLOR")]
    color: Option<String>,
}

impl How {
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let over = self.over.map(|span| ("over_ms", json!(span.as_millis_rounded())));
        let edge = self.edge.as_ref().map(|edge| ("edge", json!(edge)));
        let color = self.color.as_ref().map(|color| ("color", json!(color)));
        over.into_iter().chain(edge).chain(color)
    }
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(super) enum With {
    Cut,
    Mix,
    Wipe,
    Dip,
}

#[derive(Subcommand, Debug)]
pub(super) enum Whose {
    /// That of what is seen
    Follow {
        #[command(flatten)]
        to: Addressee,
    },
    /// Always that of one source
    Hold {
        /// A camera or scene of the channel
        source: String,
        #[command(flatten)]
        to: Addressee,
    },
}

#[derive(Subcommand, Debug)]
pub(super) enum Plan {
    /// Carry out the first cue that waits for it
    Next {
        #[command(flatten)]
        to: Addressee,
    },
    /// No cue comes of itself any more
    Hold {
        #[command(flatten)]
        to: Addressee,
    },
    /// They do again; what was due meanwhile comes at once
    Go {
        #[command(flatten)]
        to: Addressee,
    },
    /// Leave a cue out
    Skip {
        /// Its place in the show file, from 1
        cue: u32,
        #[command(flatten)]
        to: Addressee,
    },
    /// Call a cue that waits for `next` before another one, or last
    Move {
        /// Its place in the show file, from 1
        cue: u32,
        /// The cue it is called before
        #[arg(long, value_name = "CUE")]
        before: Option<u32>,
        #[command(flatten)]
        to: Addressee,
    },
    /// Give a cue another show time
    At {
        /// Its place in the show file, from 1
        cue: u32,
        /// The show time, e.g. `90s` or `1:30`
        #[arg(value_parser = crate::duration::parse)]
        time: media::Span,
        #[command(flatten)]
        to: Addressee,
    },
}

impl Plan {
    pub(super) fn fields(&self) -> (&Addressee, Vec<(&'static str, Value)>) {
        let (state, to, cue) = match self {
            Self::Next { to } => ("next", to, None),
            Self::Hold { to } => ("hold", to, None),
            Self::Go { to } => ("go", to, None),
            Self::Skip { cue, to } => ("skip", to, Some(cue)),
            Self::Move { cue, to, .. } => ("move", to, Some(cue)),
            Self::At { cue, to, .. } => ("at", to, Some(cue)),
        };
        let mut fields = vec![("state", json!(state))];
        fields.extend(cue.map(|cue| ("cue", json!(cue))));
        match self {
            Self::Move { before: Some(before), .. } => fields.push(("before", json!(before))),
            Self::At { time, .. } => fields.push(("at_ms", json!(time.as_millis_rounded()))),
            _ => {}
        }
        (to, fields)
    }
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(super) enum State {
    On,
    Off,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(super) enum SealState {
    On,
    Off,
    /// On to the next key of the ring
    Rotate,
}
