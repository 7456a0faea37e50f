//! The alarm thread: messages in, decisions, alarms out. It waits for nothing but messages, commands and deadlines.
//!
//! One thread with a runtime of its own reads the brokers and judges what they bring, so that no display, disk or scrape
//! can hold up an alarm, and no hand-over between threads adds to its way.

mod hub;

mod timer;

mod ward;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ecmo_core::alarm::AcknowledgeError;
use ecmo_core::alarm::rule::{Priority, RuleChange, Rules, SilenceRules};
use ecmo_core::alarm::starter::starter_rules;
use ecmo_core::time::Instant;
use ecmo_core::uplink::Uplink;
use ecmo_proto::topic::Id;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::clock::Clock;
use crate::config::{PUMPS_MAX, RulePriority, Settings};
use crate::fanout::{AlarmMailbox, AlarmOutlet, AlarmUpdate, PumpSlot, alarm_mailbox};
use crate::ingest::{self, Ingest, LinkEvent};
use crate::latency::Latencies;
use crate::metrics::{Metrics, RuntimeName};

use hub::{Hub, Outbox};
use timer::{HELD_UP, Timer};
use ward::Ward;

pub use hub::{Confirmed, Waveform};

/// Commands that may wait: every display of the largest unit at once. A full queue is told to the display.
const COMMANDS_MAX: usize = 256;

/// Messages that are judged before commands and deadlines have their turn.
const BATCH_MAX: usize = 256;

/// Commands that are carried out before messages have their turn again.
const COMMANDS_PER_ROUND_MAX: usize = 32;

/// Waveform frames on their way to the serving side: a quarter second of every pump. Beyond, they are lost and counted.
const WAVEFORMS_MAX: usize = 3_200;

const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often the thread looks at every deadline: a message may have brought a nearer one (a new pump, a lost agent).
const LOOK: Duration = Duration::from_millis(10);

/// What the serving side asks of the alarm thread.
#[derive(Debug)]
enum Command {
    Watch(AlarmOutlet),
    List { ward: Option<Id>, reply: oneshot::Sender<Vec<AlarmUpdate>> },
    Acknowledge { id: String, revision: u32, by: String, reply: AcknowledgeReply },
    Confirm { shown: Vec<(String, u32)>, reply: oneshot::Sender<Confirmed> },
}

type AcknowledgeReply = oneshot::Sender<Result<AlarmUpdate, AcknowledgeError>>;

/// The alarm thread does not answer: it is overloaded or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the alarm thread does not answer; treat every pump as unknown and try again")]
pub struct NoAnswer;

/// The serving side's way to the alarm thread.
#[derive(Debug, Clone)]
pub struct EngineHandle {
    commands: mpsc::Sender<Command>,
    last_round: Arc<AtomicU64>,
    linked: Arc<AtomicU64>,
}

impl EngineHandle {
    /// Watches the alarms of one ward, or all: a snapshot first, then every change, and a heartbeat each second.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub fn watch(&self, ward: Option<Id>) -> Result<AlarmMailbox, NoAnswer> {
        let (outlet, mailbox) = alarm_mailbox(ward);
        self.commands.try_send(Command::Watch(outlet)).map_err(|_full_or_ended| NoAnswer)?;
        Ok(mailbox)
    }

    /// Every occurrence that has not ended, of one ward or all.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn list(&self, ward: Option<Id>) -> Result<Vec<AlarmUpdate>, NoAnswer> {
        self.ask(|reply| Command::List { ward, reply }).await
    }

    /// Acknowledges an occurrence as far as it was shown.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the occurrence has ended or changed.
    pub async fn acknowledge(
        &self,
        id: String,
        revision: u32,
        by: String,
    ) -> Result<Result<AlarmUpdate, AcknowledgeError>, NoAnswer> {
        self.ask(|reply| Command::Acknowledge { id, revision, by, reply }).await
    }

    /// Takes note of what a display has shown.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirm(&self, shown: Vec<(String, u32)>) -> Result<Confirmed, NoAnswer> {
        self.ask(|reply| Command::Confirm { shown, reply }).await
    }

    /// When the alarm thread last finished a round; the zero of the clock before the first.
    #[must_use]
    pub fn last_round(&self) -> Instant {
        Instant::from_nanos(self.last_round.load(Ordering::Acquire))
    }

    /// Whether the broker is connected and every subscription granted.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Acquire) > 0
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|_full_or_ended| NoAnswer)?;
        let answered = tokio::time::timeout(HEARTBEAT, answer).await;
        answered.map_err(|_elapsed| NoAnswer)?.map_err(|_ended| NoAnswer)
    }
}

/// What the alarm thread needs.
#[derive(Debug)]
pub struct EngineParts {
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// Histograms of the hops.
    pub latencies: Arc<Latencies>,
    /// Brokers to read.
    pub brokers: Vec<ingest::Options>,
}

/// What comes out of the alarm thread besides alarms.
#[derive(Debug)]
pub struct EngineOutputs {
    /// Pumps that were met for the first time.
    pub new_pumps: mpsc::Receiver<Arc<PumpSlot>>,
    /// Waveforms of pumps that a display watches.
    pub waveforms: mpsc::Receiver<Waveform>,
}

/// The running alarm thread; it ends when told to.
#[derive(Debug)]
pub struct Engine {
    /// The way to it.
    pub handle: EngineHandle,
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Engine {
    /// Starts the alarm thread.
    ///
    /// # Errors
    /// The system gives no thread or no runtime.
    pub fn start(
        settings: &Settings,
        parts: EngineParts,
    ) -> Result<(Self, EngineOutputs), std::io::Error> {
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        let (new_pumps, met) = mpsc::channel(PUMPS_MAX);
        let (waveforms, passed) = mpsc::channel(WAVEFORMS_MAX);
        let (stop, stopped) = oneshot::channel();
        let last_round = Arc::new(AtomicU64::new(0));
        let linked = Arc::new(AtomicU64::new(0));
        let handle = EngineHandle {
            commands,
            last_round: Arc::clone(&last_round),
            linked: Arc::clone(&linked),
        };
        let rules = Arc::new(rules_of(settings));
        let clock = parts.clock;
        let hub = Hub::new(clock, Arc::clone(&parts.metrics), parts.latencies, waveforms, &rules);
        let mut ward = Ward::new(Arc::clone(&rules), Arc::clone(&parts.metrics), new_pumps);
        for address in &settings.pumps {
            ward.expect(address, clock.now());
        }
        let uplink = Uplink::new(&rules, clock.now());
        let (queue, arrivals) = ingest::queue();
        let round = Rounds {
            clock,
            metrics: Arc::clone(&parts.metrics),
            hub,
            ward,
            uplink,
            paths_up: HashSet::new(),
            last_round,
            linked,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            runtime.block_on(async move {
                for options in parts.brokers {
                    let metrics = Arc::clone(&parts.metrics);
                    tokio::spawn(ingest::run(options, clock, metrics, queue.clone()));
                }
                drop(queue);
                round.run(arrivals, asked, stopped).await;
            });
        })?;
        Ok((Self { handle, thread, stop }, EngineOutputs { new_pumps: met, waveforms: passed }))
    }

    /// Whether the thread has ended unasked.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Tells the thread to end and waits for it; it ends within a round.
    pub fn stop(self) {
        // A thread that has ended already needs no telling.
        let _ended_already = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the alarm thread had panicked");
        }
    }
}

/// Ids of the rules that a site may change.
#[must_use]
pub fn known_rule_ids() -> Vec<&'static str> {
    starter_rules().limits().iter().map(|rule| rule.condition.family()).collect()
}

/// The starter rules with a site's changes.
fn rules_of(settings: &Settings) -> Rules {
    let starter = starter_rules();
    let silence = SilenceRules { frame: settings.alarms.silence, ..starter.silence };
    let mut rules = Rules::new(starter.limits().to_vec(), silence, starter.unreviewed);
    for change in &settings.alarms.rules {
        let known = rules.change(
            &change.id,
            RuleChange {
                limit: change.limit,
                hysteresis: change.hysteresis,
                delay: change.delay,
                clear_delay: change.clear_delay,
                priority: change.priority.map(|priority| match priority {
                    RulePriority::High => Priority::High,
                    RulePriority::Medium => Priority::Medium,
                    RulePriority::Low => Priority::Low,
                }),
            },
        );
        debug_assert!(known, "the settings are checked before: {}", change.id);
    }
    rules
}

/// The state of the alarm thread.
#[derive(Debug)]
struct Rounds {
    clock: Clock,
    metrics: Arc<Metrics>,
    hub: Hub,
    ward: Ward,
    uplink: Uplink,
    paths_up: HashSet<crate::metrics::BrokerPath>,
    last_round: Arc<AtomicU64>,
    linked: Arc<AtomicU64>,
}

impl Rounds {
    async fn run(
        mut self,
        mut arrivals: mpsc::Receiver<Ingest>,
        mut commands: mpsc::Receiver<Command>,
        mut stop: oneshot::Receiver<()>,
    ) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut timer = Timer::new(self.clock.now());
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
            }
            // By the clock and not by the branch above: a flood of messages must not starve the deadlines.
            self.on_time(&mut timer);
            for _ in 0..COMMANDS_PER_ROUND_MAX {
                let Some(asked) = command.take().or_else(|| commands.try_recv().ok()) else {
                    break;
                };
                self.on_command(asked);
            }
            self.finish_round();
        }
    }

    fn on_message(&mut self, message: Ingest) {
        match message {
            Ingest::Arrival(arrival) => self.ward.on_arrival(&arrival, &mut self.hub),
            Ingest::Oversize { topic, bytes, .. } => {
                tracing::warn!(bytes, "message too long; dropped");
                self.ward.on_oversize(&topic);
            }
            Ingest::Link { path, event } => {
                let now = self.clock.now();
                match event {
                    LinkEvent::Up => self.paths_up.insert(path),
                    LinkEvent::Down(_) => self.paths_up.remove(&path),
                };
                if self.paths_up.is_empty() {
                    self.uplink.on_down(now);
                } else {
                    self.uplink.on_up(now, &mut Outbox { hub: &mut self.hub, pump: None, now });
                }
                let up = u64::try_from(self.paths_up.len()).unwrap_or(u64::MAX);
                self.linked.store(up, Ordering::Release);
            }
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
                self.uplink.on_tick(now, &mut Outbox { hub: &mut self.hub, pump: None, now });
            }
            let deadlines = [self.ward.next_deadline(), self.uplink.next_deadline()];
            let nearest = deadlines.into_iter().flatten().min().unwrap_or(timer.beat_at);
            timer.due_at(nearest);
            timer.look_at = now.plus(LOOK);
        }
        if now >= timer.beat_at {
            self.hub.heartbeat();
            timer.beat_at = now.plus(HEARTBEAT);
        }
    }

    fn on_command(&mut self, command: Command) {
        let now = self.clock.now();
        // An asker that has gone away needs no answer: hence the ignored results of send.
        match command {
            Command::Watch(outlet) => {
                let snapshot = self.alarms(outlet.ward());
                self.hub.watch(outlet, snapshot);
            }
            Command::List { ward, reply } => {
                let _asker_gone = reply.send(self.alarms(ward.as_ref()));
            }
            Command::Acknowledge { id, revision, by, reply } => {
                let _asker_gone = reply.send(self.acknowledge(&id, revision, &by, now));
            }
            Command::Confirm { shown, reply } => {
                let _asker_gone = reply.send(self.hub.confirm(&shown, now));
            }
        }
    }

    fn acknowledge(
        &mut self,
        id: &str,
        revision: u32,
        by: &str,
        now: Instant,
    ) -> Result<AlarmUpdate, AcknowledgeError> {
        let own = self.uplink.alarms().iter().map(|one| self.hub.update_of(None, one));
        let Some(found) = own.into_iter().find(|update| update.id() == id) else {
            return self.ward.acknowledge(id, revision, by, now, &mut self.hub);
        };
        let name = found.occurrence.id;
        let mut outbox = Outbox { hub: &mut self.hub, pump: None, now };
        self.uplink.acknowledge(&name, revision, by.to_owned(), now, &mut outbox)?;
        let present = self.uplink.alarms().iter().find(|one| one.id == name);
        let ended = || found.acknowledged(by, now);
        Ok(present.map_or_else(ended, |one| self.hub.update_of(None, one)))
    }

    /// Every occurrence that has not ended, most urgent first.
    fn alarms(&self, ward: Option<&Id>) -> Vec<AlarmUpdate> {
        let mut alarms = self.ward.alarms(ward, &self.hub);
        alarms.extend(self.uplink.alarms().iter().map(|one| self.hub.update_of(None, one)));
        alarms.sort_by_key(|one| one.occurrence.urgency());
        alarms
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a wall time in seconds, exact to a microsecond"
    )]
    fn finish_round(&mut self) {
        let now = self.clock.now();
        let wall_s = self.clock.wall_ns() as f64 / 1e9;
        self.ward.show(now, wall_s);
        self.metrics.watchdog_timestamp_seconds.set(wall_s);
        self.last_round.store(now.as_nanos(), Ordering::Release);
    }
}
