//! `ecmoctl top`: joins subscriptions, keys and drawing. State is in `state`, keys in `input`, the picture in `view`.

mod state;

mod input;

mod view;

#[cfg(test)]
mod ward;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use ecmo_display::{LinkId, Row};
use ecmo_proto::v1 as wire;
use futures_util::StreamExt;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::args::TopArgs;
use crate::attend::Lease;
use crate::bell::Bell;
use crate::client::{ClientError, Gateway, ShownAlarm};
use crate::clock::Clock;
use crate::command::{CommandError, Context, signalled};
use crate::follow::WAITING_MESSAGES_MAX;
use crate::gateways::Gateways;
use crate::live::{Event as LiveEvent, Live, Setup, Told};
use crate::model::Hop;
use crate::top::input::{Wish, take_key};
use crate::top::state::Top;
use crate::verdict::Verdict;

/// Least time between two messages of pumps: five pictures a second are enough for an eye.
const PUMPS_INTERVAL_MS: u32 = 200;

/// Time between two points of a sparkline, and two pictures when nothing arrives: ages go on by themselves.
const TICK: Duration = Duration::from_millis(250);

/// Time between two questions for latencies.
const LATENCY_EVERY: Duration = Duration::from_secs(5);

/// Events taken before the next picture, so that a flood cannot stop the drawing.
const EVENTS_PER_PICTURE_MAX: usize = 64;

enum Event {
    Live(LiveEvent),
    Slowest(Option<(String, u64)>),
    Note(String),
}

/// Runs the command until it is quit.
pub(crate) async fn run(context: &Context, args: &TopArgs) -> Result<Verdict, CommandError> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CommandError::NoTerminal);
    }
    let (out, events) = channel(WAITING_MESSAGES_MAX);
    let audio = if args.bell { wire::AudioOutput::On } else { wire::AudioOutput::None };
    let setup = Setup {
        gateways: context.gateway.all(),
        ward: args.ward.as_deref().unwrap_or_default(),
        pumps_interval_ms: Some(PUMPS_INTERVAL_MS),
        lease: Some(Lease { audio, visible: true }),
        clock: context.clock,
    };
    let live = Live::start(&setup, &out, Event::Live);
    tokio::spawn(ask_latency(context.gateway.clone(), out.clone()));
    let screen = Window {
        clock: context.clock,
        gateways: context.gateway.clone(),
        live,
        bell: Bell::new(args.bell),
        top: Top::new(&context.gateway.urls().join(" and ")),
        out,
    };
    // Also restores the terminal when the program panics.
    let terminal = ratatui::try_init().map_err(CommandError::Terminal)?;
    let (live, result) = screen.show(terminal, events).await;
    ratatui::restore();
    live.finish().await;
    result.map_err(CommandError::Terminal)?;
    Ok(Verdict::Fine)
}

struct Window {
    clock: Clock,
    gateways: Gateways,
    live: Live,
    bell: Bell,
    top: Top,
    out: Sender<Event>,
}

impl Window {
    async fn show(
        mut self,
        mut terminal: DefaultTerminal,
        mut events: Receiver<Event>,
    ) -> (Live, std::io::Result<()>) {
        let result = self.follow(&mut terminal, &mut events).await;
        (self.live, result)
    }

    async fn follow(
        &mut self,
        terminal: &mut DefaultTerminal,
        events: &mut Receiver<Event>,
    ) -> std::io::Result<()> {
        let mut keys = EventStream::new();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let ended = signalled();
        tokio::pin!(ended);
        loop {
            self.draw(terminal)?;
            tokio::select! {
                () = &mut ended => return Ok(()),
                _ = ticks.tick() => self.top.sample_trends(self.clock.now()),
                Some(event) = events.recv() => self.take_all(event, events),
                key = keys.next() => match key {
                    Some(Ok(TerminalEvent::Key(key))) => {
                        let wish = take_key(&mut self.top, key, self.clock.now());
                        if self.grant(wish) {
                            return Ok(());
                        }
                    }
                    // A resize is drawn like anything else; the rest is not for us.
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    // The terminal is gone.
                    None => return Ok(()),
                },
            }
        }
    }

    /// Draws, and confirms the alarms that are on the screen now: not those that did not fit.
    fn draw(&mut self, terminal: &mut DefaultTerminal) -> std::io::Result<()> {
        let local = self.clock.now();
        let wall = self.clock.wall();
        self.top.doubted = self.live.is_doubted();
        self.top.refresh(&mut self.live.screen, local, &wall);
        let mut drawn = Vec::new();
        terminal.draw(|frame| drawn = view::draw(frame, &self.top, local, &wall))?;
        self.bell.ring(&self.live.screen, local);
        if let Some(picture) = self.top.picture.take() {
            let drawn: BTreeSet<String> = drawn.into_iter().map(|one| one.occurrence).collect();
            let painted_at = self.clock.now();
            self.live.painted(&picture, painted_at, |row| drawn.contains(&row.alarm.occurrence));
        }
        if std::mem::take(&mut self.live.left_out) > 0 {
            self.top.say("too many alarms wait to be confirmed".to_owned(), local);
        }
        Ok(())
    }

    /// Takes what waits, then lets the picture be drawn.
    fn take_all(&mut self, first: Event, events: &mut Receiver<Event>) {
        self.take(first);
        for _ in 1..EVENTS_PER_PICTURE_MAX {
            match events.try_recv() {
                Ok(event) => self.take(event),
                Err(_none_waits) => return,
            }
        }
    }

    fn take(&mut self, event: Event) {
        let local = self.clock.now();
        match event {
            Event::Live(event) => match self.live.take(event, local) {
                Told::Lost(_, stream, error) => self.top.lost(stream, error.chain()),
                Told::Message(..) | Told::Confirmed(_) | Told::Nothing => {}
            },
            Event::Slowest(slowest) => self.top.slowest = slowest,
            Event::Note(text) => self.top.say(text, local),
        }
    }

    /// The gateways that told of what was shown, with the revision that each told; the one that was shown first.
    fn told_of(&self, shown: ShownAlarm) -> Vec<(Gateway, ShownAlarm)> {
        let gateway = |link: LinkId| self.gateways.all().get(usize::from(link.0)).cloned();
        let rows = self.live.screen.rows();
        let of =
            |row: &&&Row| row.told.iter().any(|told| told.shown.occurrence == shown.occurrence);
        let Some(row) = rows.iter().find(of) else {
            // It has ended meanwhile: the gateway says so.
            return gateway(LinkId(0)).map(|gateway| (gateway, shown)).into_iter().collect();
        };
        let call = row.told_by(row.link).map(|told| told.call);
        let others = row.told.iter().filter(|told| told.link != row.link);
        let same = others.filter(|told| Some(told.call) == call);
        let rest = same.filter_map(|told| Some((gateway(told.link)?, told.shown.clone())));
        gateway(row.link).map(|gateway| (gateway, shown.clone())).into_iter().chain(rest).collect()
    }

    /// Does what a key asked for; true when that is the end.
    fn grant(&self, wish: Wish) -> bool {
        match wish {
            Wish::Nothing => {}
            Wish::Quit => return true,
            Wish::Acknowledge { shown, by } => {
                let (told, out) = (self.told_of(shown), self.out.clone());
                tokio::spawn(async move {
                    let text = match acknowledge(told, &by).await {
                        Ok(true) => format!("acknowledged by {by}"),
                        Ok(false) => {
                            format!("acknowledged by {by}; lost if the gateway restarts")
                        }
                        Err(error) => {
                            format!("NOT acknowledged, look at the alarm again: {}", error.chain())
                        }
                    };
                    // The screen may be gone by now; then nobody needs the note.
                    out.send(Event::Note(text)).await.ok();
                });
            }
        }
        false
    }
}

/// Acknowledges at the first of these gateways that answers: what one has, it tells the other.
async fn acknowledge(told: Vec<(Gateway, ShownAlarm)>, by: &str) -> Result<bool, ClientError> {
    let mut why = ClientError::Ended { what: "acknowledge alarm" };
    for (gateway, shown) in told {
        match gateway.acknowledge(shown, by, "").await {
            Ok((_, durable)) => return Ok(durable),
            Err(error) if error.is_no_answer() => why = error,
            Err(error) => return Err(error),
        }
    }
    Err(why)
}

/// Asks for latencies now and then, until the screen is gone.
async fn ask_latency(gateways: Gateways, out: Sender<Event>) {
    loop {
        let slowest = match gateways.connect().await {
            Ok(gateway) => gateway.latency().await.ok().and_then(|(hops, _)| slowest(hops)),
            Err(_not_answering) => None,
        };
        if out.send(Event::Slowest(slowest)).await.is_err() {
            return;
        }
        tokio::time::sleep(LATENCY_EVERY).await;
    }
}

fn slowest(hops: Vec<Hop>) -> Option<(String, u64)> {
    let measured = hops.into_iter().filter(|hop| hop.count > 0);
    measured.max_by_key(|hop| hop.p99_ns).map(|hop| (hop.hop, hop.p99_ns))
}
