//! The serving side's way to the alarm thread: commands by a bounded channel, answers by one of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ecmo_core::alarm::quality::Summary;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::alarm::{Refused, Waiting};
use ecmo_core::reconcile::Difference;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::{mpsc, oneshot};

use super::attending::SelfCommand;
use super::standing::StandingActions;
use crate::action::{ActionRecord, Applied, Intent, Prepared};
use crate::fanout::{AlarmMailbox, AlarmOutlet, AlarmUpdate, Seen, alarm_mailbox};

/// Commands that may wait: every display of the largest unit at once. A full queue is told to the display.
pub(super) const COMMANDS_MAX: usize = 256;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(1);

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
    Prepare { intent: Intent, by: String, reply: PrepareReply },
    Apply { records: Vec<ActionRecord>, reply: ApplyReply },
    Merge(Box<ActionRecord>),
    Adopt(Vec<(PumpAddress, Waiting)>),
    Standing { with_actions: bool, reply: oneshot::Sender<StandingActions> },
    Treat { address: PumpAddress, treatment: Box<Treatment>, reply: DoneReply },
    Report { address: PumpAddress, reply: oneshot::Sender<Option<Report>> },
    Missed { address: PumpAddress, reply: DoneReply },
    Differs { address: PumpAddress, difference: Difference, reply: DoneReply },
    OfItself(SelfCommand),
}

type PrepareReply = oneshot::Sender<Result<Vec<Prepared>, Refused>>;
type ApplyReply = oneshot::Sender<Result<Applied, Refused>>;
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
    pub(super) drill_missed: Arc<AtomicBool>,
}

impl EngineHandle {
    pub(super) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self {
            commands,
            last_round: Arc::default(),
            linked: Arc::default(),
            drill_missed: Arc::default(),
        }
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

    /// Resolves what `by` asks for to what it is about, at each pump that it concerns, and checks it. Changes nothing. The
    /// list is empty where there is nothing to do, which is no error for the end of pauses.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the alarm or the pump is not there, the alarm changed since it was shown or is
    /// never shelved, nothing signals, or the pump is somebody else's.
    pub async fn prepare(
        &self,
        intent: Intent,
        by: String,
    ) -> Result<Result<Vec<Prepared>, Refused>, NoAnswer> {
        self.ask(|reply| Command::Prepare { intent, by, reply }).await
    }

    /// Lets the actions of one person here take effect: what [`EngineHandle::prepare`] gave, once it is recorded.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, what they are about has changed since, and none took effect.
    pub async fn apply(
        &self,
        records: Vec<ActionRecord>,
    ) -> Result<Result<Applied, Refused>, NoAnswer> {
        self.ask(|reply| Command::Apply { records, reply }).await
    }

    /// Lets an action take effect that another gateway, or the record of before a restart, tells of. It may come twice, late
    /// and in any order.
    ///
    /// # Errors
    /// There is no room for it: it is not taken.
    pub fn merge(&self, record: ActionRecord) -> Result<(), NoAnswer> {
        let merge = Command::Merge(Box::new(record));
        self.commands.try_send(merge).map_err(|_full_or_ended| NoAnswer)
    }

    /// Another gateway says that these alarms wait there for a person. They may be told often.
    ///
    /// # Errors
    /// There is no room for the command: none is taken.
    pub fn adopt(&self, waiting: Vec<(PumpAddress, Waiting)>) -> Result<(), NoAnswer> {
        self.commands.try_send(Command::Adopt(waiting)).map_err(|_full_or_ended| NoAnswer)
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

    /// Whether the last drill was missed.
    #[must_use]
    pub fn has_missed_drill(&self) -> bool {
        self.drill_missed.load(Ordering::Acquire)
    }

    fn send<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|_full_or_ended| NoAnswer)?;
        Ok(answer)
    }

    /// Hands over what needs no answer.
    pub(super) fn tell(&self, command: Command) -> Result<(), NoAnswer> {
        self.commands.try_send(command).map_err(|_full_or_ended| NoAnswer)
    }

    pub(super) async fn ask<T>(
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
