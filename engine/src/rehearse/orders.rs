//! What a script's crew asks for, as the commands that a desk would send.

use media::{Span, Time};
use pipeline_dsl::rehearsal::{Ask, Order, PlanStep};
use pipeline_dsl::{
    Action, Edge, Follow, MarkChange, MarkOrder, OWN_PLACE, Rgb, SceneOrder, Switch, Transition,
};

use crate::command::{Command, Verb};
use crate::rehearse::options::ShowText;

/// The command for an order; `None` for what no desk can ask for. Show files are these.
pub(crate) fn command(order: &Order, shows: &[ShowText]) -> Option<Command> {
    match order {
        Order::Reload { file } => {
            let said = shows.iter().find(|show| show.file == *file)?;
            Some(Command { file: Some(said.text.clone()), ..Command::reload() })
        }
        Order::Line { camera, line } => Some(Command::line(camera.clone(), line.as_deref())),
        Order::Channel { channel, ask } => Some(Command { channel: Some(channel.clone()), ..asked(ask)? }),
    }
}

fn asked(ask: &Ask) -> Option<Command> {
    let of = |verb: Verb, source: &String| Command { source: Some(source.clone()), ..Command::bare(verb) };
    Some(match ask {
        Ask::Do(action) => return acted(action),
        Ask::Preview { source } => of(Verb::Preview, source),
        Ask::Take(with) => take(*with),
        Ask::Sound(Follow::Picture) => {
            Command { state: Some("follow".to_owned()), ..Command::bare(Verb::Sound) }
        }
        Ask::Sound(Follow::Source(source)) => of(Verb::Sound, source),
        Ask::Gain { source, by } => {
            Command { gain_db: Some(f64::from(by.tenths()) / 10.0), ..of(Verb::Gain, source) }
        }
        Ask::Mute { source, state } => Command { state: Some(switch(*state)), ..of(Verb::Mute, source) },
        Ask::Plan(step) => plan(*step),
    })
}

fn acted(action: &Action) -> Option<Command> {
    let of = |verb: Verb, source: &String| Command { source: Some(source.clone()), ..Command::bare(verb) };
    Some(match action {
        Action::Cut { source } => of(Verb::Cut, source),
        Action::Mix { source, over } => Command { over_ms: Some(millis(*over)), ..of(Verb::Mix, source) },
        Action::Wipe { source, over, from } => {
            let edge = Some(edge(*from));
            Command { over_ms: Some(millis(*over)), edge, ..of(Verb::Wipe, source) }
        }
        Action::Dip { source, over, color } => {
            let color = Some(hex(*color));
            Command { over_ms: Some(millis(*over)), color, ..of(Verb::Dip, source) }
        }
        Action::Filler(state) => Command::filler(*state),
        Action::Encrypt(state) => Command { state: Some(switch(*state)), ..Command::bare(Verb::Encrypt) },
        Action::EncryptRotate => Command { state: Some("rotate".to_owned()), ..Command::bare(Verb::Encrypt) },
        Action::Scene { scene, order } => staged(scene, order),
        Action::Watermark(order) => marked(order),
        Action::End => return None,
    })
}

fn staged(scene: &str, order: &SceneOrder) -> Command {
    let of = Command { scene: Some(scene.to_owned()), ..Command::bare(Verb::Scene) };
    match order {
        SceneOrder::Layout { layout, over } => {
            Command { layout: Some(layout.clone()), over_ms: over.map(millis), ..of }
        }
        SceneOrder::Level { name, level } => {
            Command { scene_box: Some(name.clone()), gain_db: Some(f64::from(level.tenths()) / 10.0), ..of }
        }
        SceneOrder::Mute { name, mute } => {
            Command { scene_box: Some(name.clone()), state: Some(switch(*mute)), ..of }
        }
    }
}

fn marked(order: &MarkOrder) -> Command {
    let of = Command {
        watermark: Some(order.watermark.clone()),
        when: Some(order.when.as_str().to_owned()),
        ..Command::bare(Verb::Watermark)
    };
    match &order.change {
        MarkChange::State { to, over } => {
            Command { state: Some(switch(*to)), over_ms: over.map(millis), ..of }
        }
        MarkChange::Text(words) => Command { text: Some(words.clone()), ..of },
        MarkChange::Place { to, over } => {
            let place = to.map_or_else(|| OWN_PLACE.to_owned(), |at| at.to_string());
            Command { place: Some(place), over_ms: over.map(millis), ..of }
        }
    }
}

fn take(with: Transition) -> Command {
    let by = |with: &str| Command { with: Some(with.to_owned()), ..Command::bare(Verb::Take) };
    match with {
        Transition::Cut => by("cut"),
        Transition::Mix { over } => Command { over_ms: Some(millis(over)), ..by("mix") },
        Transition::Wipe { over, from } => {
            Command { over_ms: Some(millis(over)), edge: Some(edge(from)), ..by("wipe") }
        }
        Transition::Dip { over, color } => {
            Command { over_ms: Some(millis(over)), color: Some(hex(color)), ..by("dip") }
        }
    }
}

fn plan(step: PlanStep) -> Command {
    let state = |word: &str| Command { state: Some(word.to_owned()), ..Command::bare(Verb::Plan) };
    match step {
        PlanStep::Next => state("next"),
        PlanStep::Hold => state("hold"),
        PlanStep::Go => state("go"),
        PlanStep::Skip { cue } => Command { cue: Some(cue), ..state("skip") },
        PlanStep::Move { cue, before } => Command { cue: Some(cue), before, ..state("move") },
        PlanStep::At { cue, time } => {
            Command { cue: Some(cue), at_ms: Some(millis(time - Time::ZERO)), ..state("at") }
        }
    }
}

fn switch(state: Switch) -> String {
    match state {
        Switch::On => "on",
        Switch::Off => "off",
    }
    .to_owned()
}

fn edge(edge: Edge) -> String {
    edge.as_str().to_owned()
}

fn hex(color: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", color.r, color.g, color.b)
}

fn millis(span: Span) -> u32 {
    u32::try_from(span.as_millis_rounded()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Order as Read;
    use pipeline_dsl::{At, MarkTime};
    use scheduling::{Command as Ordered, PlanOrder};

    fn read(ask: Ask) -> Read {
        command(&Order::Channel { channel: "program".into(), ask }, &[]).unwrap().order().unwrap()
    }

    #[test]
    fn what_is_asked_for_is_what_a_desk_would_have_asked_for() {
        let over = Span::from_millis(700);
        let dip = Action::Dip { source: "b".into(), over, color: Rgb { r: 1, g: 2, b: 255 } };
        assert_eq!(read(Ask::Do(dip.clone())), Read::Channel(dip.into()));
        let wipe = Action::Wipe { source: "b".into(), over, from: Edge::Top };
        assert_eq!(read(Ask::Do(wipe.clone())), Read::Channel(wipe.into()));
        let rotate = Action::EncryptRotate;
        assert_eq!(read(Ask::Do(rotate.clone())), Read::Channel(rotate.into()));
        let take = Ordered::Take(Transition::Mix { over });
        assert_eq!(read(Ask::Take(Transition::Mix { over })), Read::Channel(take));
        let hold = Ordered::Sound(Follow::Source("b".into()));
        assert_eq!(read(Ask::Sound(Follow::Source("b".into()))), Read::Channel(hold));
        let skip = Ordered::Plan(PlanOrder::Skip(scheduling::CueNumber(3)));
        assert_eq!(read(Ask::Plan(PlanStep::Skip { cue: 3 })), Read::Channel(skip));
        let line = command(&Order::Line { camera: "a".into(), line: None }, &[]).unwrap();
        assert_eq!(line.order().unwrap(), Read::Line { camera: "a".into(), line: None });
        let layout = SceneOrder::Layout { layout: "pip".into(), over: Some(over) };
        let scene = Action::Scene { scene: "duo".into(), order: layout.clone() };
        assert_eq!(read(Ask::Do(scene)), Read::Scene { scene: "duo".into(), order: layout });
        let changes = [
            MarkChange::State { to: Switch::Off, over: Some(over) },
            MarkChange::Text("Karry".into()),
            MarkChange::Place { to: At::parse("50%,10"), over: None },
            MarkChange::Place { to: None, over: Some(over) },
        ];
        for (change, when) in changes.into_iter().zip(MarkTime::ALL.into_iter().cycle()) {
            let mark = Action::Watermark(MarkOrder { watermark: "bug".into(), change, when });
            assert_eq!(read(Ask::Do(mark.clone())), Read::Channel(mark.into()));
        }
        let end = Order::Channel { channel: "program".into(), ask: Ask::Do(Action::End) };
        assert_eq!(command(&end, &[]), None);
    }
}
