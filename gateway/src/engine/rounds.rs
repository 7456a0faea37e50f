//! The rounds of the alarm thread: messages first, then what the clock asks for, then commands, then what displays see.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ecmo_core::attendance::Attendance;
use ecmo_core::uplink::Uplink;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use super::asking;
use super::command::{Command, EngineHandle};
use super::drill::{self, Drill};
use super::hub::{Hub, Outbox};
use super::timer::{HELD_UP, Timer};
use super::ward::Ward;
use crate::clock::Clock;
use crate::fanout::AlarmOutlet;
use crate::ingest::{Ingest, LinkEvent};
use crate::metrics::{BrokerPath, Metrics, RuntimeName};

/// Messages that are judged before commands and deadlines have their turn.
const BATCH_MAX: usize = 256;

/// Commands that are carried out before messages have their turn again.
const COMMANDS_PER_ROUND_MAX: usize = 32;

const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often the thread looks at every deadline: a message may have brought a nearer one (a new pump, a lost agent).
const LOOK: Duration = Duration::from_millis(10);

/// What the gateway knows of itself and of its displays.
#[derive(Debug)]
pub(super) struct Own {
    /// Its own conditions.
    pub(super) uplink: Uplink,
    /// The displays.
    pub(super) attendance: Attendance,
    /// The judge of the synthetic pump.
    pub(super) drill: Drill,
}

/// The state of the alarm thread.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) hub: Hub,
    pub(super) ward: Ward,
    pub(super) uplink: Uplink,
    pub(super) attendance: Attendance,
    pub(super) drill: Drill,
    paths_up: HashSet<BrokerPath>,
    last_round: Arc<AtomicU64>,
    linked: Arc<AtomicU64>,
    drill_missed: Arc<AtomicBool>,
}

impl Rounds {
    pub(super) fn new(
        clock: Clock,
        metrics: Arc<Metrics>,
        hub: Hub,
        ward: Ward,
        own: Own,
        handle: &EngineHandle,
    ) -> Self {
        Self {
            clock,
            metrics,
            hub,
            ward,
            uplink: own.uplink,
            attendance: own.attendance,
            drill: own.drill,
            paths_up: HashSet::new(),
            last_round: Arc::clone(&handle.last_round),
            linked: Arc::clone(&handle.linked),
            drill_missed: Arc::clone(&handle.drill_missed),
        }
    }

    pub(super) async fn run(
        mut self,
        mut arrivals: mpsc::Receiver<Ingest>,
        mut commands: mpsc::Receiver<Command>,
        mut stop: oneshot::Receiver<()>,
    ) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut timer = Timer::new(self.clock.now());
        self.answer_for_restored(self.clock.now());
        loop {
            let mut command = None;
            tokio::select! {
                biased;
                _ = &mut stop => return,
                count = arrivals.recv_many(&mut batch, BATCH_MAX) => if count == 0 { return },
                asked = commands.recv() => match asked {
                    Some(asked) => command = Some(asked),
                    None => return,
                },
                () = sleep_until(self.clock.deadline(timer.wake_at())) => {}
            }
            for message in batch.drain(..) {
                self.on_message(message);
                self.break_pauses();
            }
            self.judge_self();
            // By the clock and not by the branch above: a flood of messages must not starve the deadlines.
            self.on_time(&mut timer);
            self.break_pauses();
            for _ in 0..COMMANDS_PER_ROUND_MAX {
                let Some(asked) = command.take().or_else(|| commands.try_recv().ok()) else {
                    break;
                };
                self.on_command(asked);
                self.break_pauses();
            }
            self.judge_self();
            self.finish_round();
        }
    }

    fn on_message(&mut self, message: Ingest) {
        match message {
            Ingest::Arrival(arrival) if drill::concerns(&arrival.topic) => self.on_drill(&arrival),
            Ingest::Arrival(arrival) => {
                if self.ward.on_arrival(&arrival, &mut self.hub) {
                    self.uplink.on_damaged(asking::path(arrival.path), arrival.received);
                }
            }
            Ingest::Oversize { topic, bytes, path } => {
                tracing::debug!(bytes, "message too long; dropped");
                let now = self.clock.now();
                if self.ward.on_oversize(&topic, path, now, &mut self.hub) {
                    self.uplink.on_damaged(asking::path(path), now);
                }
            }
            Ingest::Link { path, event } => {
                let now = self.clock.now();
                match event {
                    LinkEvent::Up => self.paths_up.insert(path),
                    LinkEvent::Down(_) => self.paths_up.remove(&path),
                };
                let (up, of) = (self.paths_up.len(), self.ward.paths());
                let mut outbox = Outbox::new(&mut self.hub, None, now);
                self.uplink.on_paths(up, of, now, &mut outbox);
                self.ward.on_link(path, event == LinkEvent::Up, now);
                let up = u64::try_from(self.paths_up.len()).unwrap_or(u64::MAX);
                self.linked.store(up, Ordering::Release);
            }
        }
    }

    /// Tells the gateway's own conditions what they are judged by: alarms that wait for a display, and slow decisions.
    pub(super) fn judge_self(&mut self) {
        let now = self.clock.now();
        self.uplink.on_tallies(&self.hub.take_tallies(), now);
        let notes = self.hub.take_notes();
        if !notes.is_empty() {
            self.answer_for(notes, now);
        }
    }

    /// Does what the clock asks for: deadlines of pumps and links, the heartbeat.
    fn on_time(&mut self, timer: &mut Timer) {
        let now = self.clock.now();
        if now >= timer.deadline || now >= timer.look_at {
            let late = now.since(timer.look_at);
            self.metrics.runtime_lag_seconds.get(RuntimeName::Alarm).record(late.as_secs_f64());
            if late > HELD_UP {
                tracing::warn!(late_ms = late.as_millis(), "the alarm thread was held up");
            }
            if timer.may_judge(now, late) {
                self.ward.on_tick(now, &mut self.hub);
                if let Some(keeps) = self.hub.keeps(now) {
                    self.uplink.on_recording(keeps, now);
                }
                self.attend(now);
                self.ward.on_second(now, self.clock.wall_ns(), &mut self.hub);
                let attendance = &self.attendance;
                self.ward.ask(|pump| !attendance.is_unheard(pump, now), now);
            }
            let own = [self.uplink.next_deadline(), self.attendance.next_deadline(now)];
            let deadlines = [self.ward.next_deadline()].into_iter().chain(own);
            let nearest = deadlines.flatten().min().unwrap_or(timer.beat_at);
            timer.due_at(nearest);
            timer.look_at = now.plus(LOOK);
        }
        if now >= timer.beat_at {
            self.on_beat(now);
            self.hub.heartbeat();
            timer.beat_at = now.plus(HEARTBEAT);
        }
    }

    fn on_command(&mut self, command: Command) {
        let now = self.clock.now();
        // An asker that has gone away needs no answer: hence the ignored results of send.
        match command {
            Command::Watch(outlet) => self.watch(outlet),
            Command::List { ward, reply } => {
                let _asker_gone = reply.send(self.alarms(ward.as_ref()));
            }
            Command::OfItself(command) => self.on_self_command(command, now),
            Command::Prepare { intent, by, reply } => {
                let _asker_gone = reply.send(self.prepare(&intent, &by, now));
            }
            Command::Apply { records, reply } => {
                let applied = self.apply(&records, now);
                self.store_acted(&records);
                let _asker_gone = reply.send(applied);
            }
            Command::Standing { with_actions, reply } => {
                let _asker_gone = reply.send(self.ward.standing_actions(with_actions, now));
            }
            Command::Merge(record) => self.merge(&record, now),
            Command::Adopt(told) => {
                for (address, waiting) in told {
                    self.adopt(&address, waiting, now);
                }
            }
            Command::Treat { address, treatment, reply } => {
                let done = self.ward.treat(&address, *treatment, now, &mut self.hub);
                let _asker_gone = reply.send(done);
            }
            Command::Missed { address, reply } => {
                let done = self.ward.note_missed(&address, now, &mut self.hub);
                let _asker_gone = reply.send(done);
            }
            Command::Differs { address, difference, reply } => {
                let done = self.ward.note_difference(&address, difference, now, &mut self.hub);
                let _asker_gone = reply.send(done);
            }
            Command::Report { address, reply } => {
                let _asker_gone = reply.send(self.ward.report(&address, now));
            }
        }
    }

    /// Adds a display. Nothing is judged between the list that it begins with and the first change that it gets.
    fn watch(&mut self, outlet: AlarmOutlet) {
        let listed = match self.hub.lane().listed() {
            Some(listed) => listed,
            None => {
                let active = self.alarms(None);
                self.hub.lane().list(active)
            }
        };
        self.hub.lane().watch(outlet, listed);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a wall time in seconds, exact to a microsecond"
    )]
    pub(super) fn finish_round(&mut self) {
        let now = self.clock.now();
        let wall_s = self.clock.wall_ns() as f64 / 1e9;
        self.store_changed();
        self.ward.show(now, wall_s);
        self.metrics.watchdog_timestamp_seconds.set(wall_s);
        self.last_round.store(now.as_nanos(), Ordering::Release);
        self.drill_missed.store(self.uplink.has_missed_drill(), Ordering::Release);
    }
}
