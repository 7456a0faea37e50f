//! The serving side's way to the alarm thread: commands by a bounded channel, answers by one of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::quality::Summary;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::reconcile::Difference;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::{mpsc, oneshot};

use super::hub::Confirmed;
use crate::fanout::{AlarmMailbox, AlarmOutlet, AlarmUpdate, Seen, alarm_mailbox};

/// Commands that may wait: every display of the largest unit at once. A full queue is told to the display.
pub(super) const COMMANDS_MAX: usize = 256;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Whose sound a person pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One alarm, by the id that displays know.
    Alarm(String),
    /// The alarms of one pump.
    Pump(PumpAddress),
    /// The alarms of one ward, and those of the gateway itself.
    Ward(Id),
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alarm(id) => formatter.write_str(id),
            Self::Pump(address) => write!(formatter, "pump {address}"),
            Self::Ward(ward) => write!(formatter, "ward {ward}"),
        }
    }
}

/// What was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// How many alarms.
    pub alarms: u32,
    /// When it ends by itself, by the gateway's clock.
    pub until: Instant,
}

/// How good the alarms of a pump were as alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Counts of the last day.
    pub summary: Summary,
    /// Times raised and times that it chattered, by condition, the most frequent first.
    pub conditions: Vec<(&'static str, u32, u32)>,
    /// Alarms that have been active for more than a day.
    pub stale: u32,
    /// Samples that jumped away and back.
    pub spikes: u64,
}

/// What the serving side asks of the alarm thread.
#[derive(Debug)]
pub(super) enum Command {
    Watch(AlarmOutlet),
    List { ward: Option<Id>, reply: oneshot::Sender<Vec<AlarmUpdate>> },
    Acknowledge { id: String, revision: u32, person: (String, String), reply: AlarmReply },
    Confirm { shown: Vec<(String, u32)>, reply: oneshot::Sender<Confirmed> },
    Pause { target: Target, lasts: Duration, by: String, reply: PauseReply },
    Resume { target: Target, reply: oneshot::Sender<u32> },
    Shelve { id: String, lasts: Duration, person: (String, String), reply: AlarmReply },
    Unshelve { address: PumpAddress, condition: Condition, reply: DoneReply },
    Treat { address: PumpAddress, treatment: Box<Treatment>, reply: DoneReply },
    Report { address: PumpAddress, reply: oneshot::Sender<Option<Report>> },
    Missed { address: PumpAddress, reply: DoneReply },
    Differs { address: PumpAddress, difference: Difference, reply: DoneReply },
}

type AlarmReply = oneshot::Sender<Result<AlarmUpdate, Refused>>;
type PauseReply = oneshot::Sender<Result<Paused, Refused>>;
type DoneReply = oneshot::Sender<Result<(), Refused>>;

/// The alarm thread does not answer: it is overloaded or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the alarm thread does not answer; treat every pump as unknown and try again")]
pub struct NoAnswer;

/// The serving side's way to the alarm thread.
#[derive(Debug, Clone)]
pub struct EngineHandle {
    commands: mpsc::Sender<Command>,
    pub(super) last_round: Arc<AtomicU64>,
    pub(super) linked: Arc<AtomicU64>,
}

impl EngineHandle {
    pub(super) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands, last_round: Arc::default(), linked: Arc::default() }
    }

    /// Watches the alarms of one ward, or all: a snapshot first, with what ended since the display had `seen` everything, then
    /// every change, and a heartbeat each second.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub fn watch(&self, ward: Option<Id>, seen: Option<Seen>) -> Result<AlarmMailbox, NoAnswer> {
        let (outlet, mailbox) = alarm_mailbox(ward, seen);
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

    /// Acknowledges an occurrence as far as it was shown; `person` is who, and their note.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the occurrence has ended or changed.
    pub async fn acknowledge(
        &self,
        id: String,
        revision: u32,
        person: (String, String),
    ) -> Result<Result<AlarmUpdate, Refused>, NoAnswer> {
        self.ask(|reply| Command::Acknowledge { id, revision, person, reply }).await
    }

    /// Takes note of what a display has shown.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirm(&self, shown: Vec<(String, u32)>) -> Result<Confirmed, NoAnswer> {
        self.ask(|reply| Command::Confirm { shown, reply }).await
    }

    /// Pauses the sound of what signals now.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the alarm has ended or nothing signals.
    pub async fn pause(
        &self,
        target: Target,
        lasts: Duration,
        by: String,
    ) -> Result<Result<Paused, Refused>, NoAnswer> {
        self.ask(|reply| Command::Pause { target, lasts, by, reply }).await
    }

    /// Ends pauses before their time, whatever they cover; how many.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn resume(&self, target: Target) -> Result<u32, NoAnswer> {
        self.ask(|reply| Command::Resume { target, reply }).await
    }

    /// Shelves the condition of an alarm; `person` is who, and why.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the alarm has ended or is never shelved.
    pub async fn shelve(
        &self,
        id: String,
        lasts: Duration,
        person: (String, String),
    ) -> Result<Result<AlarmUpdate, Refused>, NoAnswer> {
        self.ask(|reply| Command::Shelve { id, lasts, person, reply }).await
    }

    /// Ends the shelving of a condition.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, it is not shelved.
    pub async fn unshelve(
        &self,
        address: PumpAddress,
        condition: Condition,
    ) -> Result<Result<(), Refused>, NoAnswer> {
        self.ask(|reply| Command::Unshelve { address, condition, reply }).await
    }

    /// Hands over a treatment; it is in force with the next frame. What is returned waits for the alarm thread's word.
    ///
    /// # Errors
    /// There is no room for the command: the treatment is not taken.
    pub(crate) fn treat(
        &self,
        address: PumpAddress,
        treatment: Treatment,
    ) -> Result<impl Future<Output = Result<Result<(), Refused>, NoAnswer>> + use<>, NoAnswer> {
        let treatment = Box::new(treatment);
        self.send(|reply| Command::Treat { address, treatment, reply }).map(answer)
    }

    /// How good the alarms of a pump were; `None` for a pump that was never seen.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn report(&self, address: PumpAddress) -> Result<Option<Report>, NoAnswer> {
        self.ask(|reply| Command::Report { address, reply }).await
    }

    /// Raises the notice that something was missed at a pump while its frames did not arrive.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the pump was never seen.
    pub async fn note_missed(&self, address: PumpAddress) -> Result<Result<(), Refused>, NoAnswer> {
        self.ask(|reply| Command::Missed { address, reply }).await
    }

    /// Tells that agent and gateway found different things in frames that had not arrived in time.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the pump was never seen.
    pub async fn note_difference(
        &self,
        address: PumpAddress,
        difference: Difference,
    ) -> Result<Result<(), Refused>, NoAnswer> {
        self.ask(|reply| Command::Differs { address, difference, reply }).await
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

    fn send<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|_full_or_ended| NoAnswer)?;
        Ok(answer)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NoAnswer> {
        answer(self.send(command)?).await
    }
}

async fn answer<T>(answer: oneshot::Receiver<T>) -> Result<T, NoAnswer> {
    let answered = tokio::time::timeout(ANSWER_MAX, answer).await;
    answered.map_err(|_elapsed| NoAnswer)?.map_err(|_ended| NoAnswer)
}
