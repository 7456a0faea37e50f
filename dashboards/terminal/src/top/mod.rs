//! `ecmoctl top`: joins subscriptions, keys and drawing. State is in `state`, keys in `input`, the picture in `view`.

mod state;

mod input;

mod view;

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::StreamExt;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::args::WardArgs;
use crate::client::{AlarmsUpdate, Gateway, PumpsUpdate};
use crate::clock::Clock;
use crate::command::{CommandError, Context, signalled};
use crate::confirm::{Confirmer, display_name};
use crate::follow::{Followed, WAITING_MESSAGES_MAX, follow};
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
    Pumps(Followed<PumpsUpdate>),
    Alarms(Followed<AlarmsUpdate>),
    Slowest(Option<(String, u64)>),
    Note(String),
}

/// Runs the command until it is quit.
pub(crate) async fn run(context: &Context, args: &WardArgs) -> Result<Verdict, CommandError> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CommandError::NoTerminal);
    }
    let ward = args.ward.as_deref().unwrap_or_default();
    let display = display_name();
    let gateway = &context.gateway;
    let (out, events) = channel(WAITING_MESSAGES_MAX);
    let pumps = gateway.watch_pumps(ward, PUMPS_INTERVAL_MS);
    tokio::spawn(follow("watch pumps", pumps, Event::Pumps, out.clone()));
    let alarms = gateway.watch_alarms(ward, &display);
    tokio::spawn(follow("watch alarms", alarms, Event::Alarms, out.clone()));
    tokio::spawn(ask_latency(gateway.clone(), out.clone()));
    let (confirmer, _confirmed) = Confirmer::start(gateway.clone(), display);
    let screen = Screen {
        clock: context.clock,
        gateway: gateway.clone(),
        confirmer,
        top: Top::new(gateway.url()),
        out,
    };
    // Also restores the terminal when the program panics.
    let terminal = ratatui::try_init().map_err(CommandError::Terminal)?;
    let result = screen.show(terminal, events).await;
    ratatui::restore();
    result.map_err(CommandError::Terminal)?;
    Ok(Verdict::Fine)
}

struct Screen {
    clock: Clock,
    gateway: Gateway,
    confirmer: Confirmer,
    top: Top,
    out: Sender<Event>,
}

impl Screen {
    async fn show(
        mut self,
        mut terminal: DefaultTerminal,
        mut events: Receiver<Event>,
    ) -> std::io::Result<()> {
        let mut keys = EventStream::new();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let ended = signalled();
        tokio::pin!(ended);
        loop {
            self.draw(&mut terminal)?;
            tokio::select! {
                () = &mut ended => return Ok(()),
                _ = ticks.tick() => self.top.sample_trends(self.clock.now()),
                Some(event) = events.recv() => self.take_all(event, &mut events),
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
        let mut drawn = Vec::new();
        terminal.draw(|frame| drawn = view::draw(frame, &self.top, local, &wall))?;
        for alarm in self.top.newly_shown(drawn) {
            if !self.confirmer.shown(alarm) {
                self.top.say("too many alarms wait to be confirmed".to_owned(), local);
            }
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
            Event::Pumps(followed) => self.top.take_pumps(followed, local, &self.clock.wall()),
            Event::Alarms(followed) => self.top.take_alarms(followed, local, &self.clock.wall()),
            Event::Slowest(slowest) => self.top.slowest = slowest,
            Event::Note(text) => self.top.say(text, local),
        }
    }

    /// Does what a key asked for; true when that is the end.
    fn grant(&self, wish: Wish) -> bool {
        match wish {
            Wish::Nothing => {}
            Wish::Quit => return true,
            Wish::Acknowledge { shown, by } => {
                let (gateway, out) = (self.gateway.clone(), self.out.clone());
                tokio::spawn(async move {
                    let text = match gateway.acknowledge(shown, &by, "").await {
                        Ok((_, true)) => format!("acknowledged by {by}"),
                        Ok((_, false)) => {
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

/// Asks for latencies now and then, until the screen is gone.
async fn ask_latency(gateway: Gateway, out: Sender<Event>) {
    loop {
        let slowest = gateway.latency().await.ok().and_then(|(hops, _)| slowest(hops));
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
