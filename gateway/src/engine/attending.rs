//! Displays on the alarm thread: leases, confirmations, alarms that must go to other wards, and the gateway's own alarms.

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::attendance::{AttendWord, Attendance, DisplayState, Health, TooManyDisplays};
use ecmo_core::time::Instant;
use ecmo_core::uplink::PeerHeard;
use ecmo_proto::topic::Id;
use tokio::sync::oneshot;

use super::command::{Command, EngineHandle, NoAnswer};
use super::hub::Confirmed;
use super::rounds::Rounds;

/// A display as the gateway knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayView {
    /// Its name.
    pub name: Arc<str>,
    /// Wards that it attends; empty for all.
    pub wards: Vec<Arc<str>>,
    /// What it does.
    pub state: DisplayState,
    /// What it last said of itself.
    pub health: Health,
    /// When its lease ends.
    pub lease_until: Instant,
    /// High alarms of its wards that it has not confirmed.
    pub unconfirmed: u32,
}

/// Who has shown one alarm that signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmConfirmations {
    /// The id that displays know.
    pub occurrence: String,
    /// The newest revision.
    pub revision: u32,
    /// The oldest revision that shows as much.
    pub covers_from: u32,
    /// Displays that have shown it: name, revision, and time from the decision where it is known.
    pub confirmations: Vec<(Arc<str>, u32, Option<Duration>)>,
    /// Displays that attend its ward and have not.
    pub missing: Vec<Arc<str>>,
}

/// What is asked about displays, and what the other parts tell of themselves.
#[derive(Debug)]
pub(super) enum SelfCommand {
    Attend { word: AttendWord, reply: oneshot::Sender<Result<DisplayState, TooManyDisplays>> },
    Leave { display: String, reply: oneshot::Sender<()> },
    Displays { ward: Option<Id>, reply: oneshot::Sender<Vec<DisplayView>> },
    Confirmations { ward: Option<Id>, reply: oneshot::Sender<Vec<AlarmConfirmations>> },
    Confirm { display: String, shown: Vec<(String, u32)>, reply: oneshot::Sender<Confirmed> },
    DrillSent { number: u64 },
    Peer(PeerHeard),
    StateDurable(bool),
}

impl EngineHandle {
    /// Takes or renews the lease of a display; what it is taken for.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the most displays are known.
    pub async fn attend(
        &self,
        word: AttendWord,
    ) -> Result<Result<DisplayState, TooManyDisplays>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Attend { word, reply })).await
    }

    /// Ends the lease of a display that says goodbye.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn leave(&self, display: String) -> Result<(), NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Leave { display, reply })).await
    }

    /// Every display that holds a lease or has lost one, of one ward or all, by name.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn displays(&self, ward: Option<Id>) -> Result<Vec<DisplayView>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Displays { ward, reply })).await
    }

    /// Who has shown each alarm that signals, of one ward or all, most urgent first.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirmations(
        &self,
        ward: Option<Id>,
    ) -> Result<Vec<AlarmConfirmations>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Confirmations { ward, reply })).await
    }

    /// Takes note of what a display has shown: alarms, and drills.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirm(
        &self,
        display: String,
        shown: Vec<(String, u32)>,
    ) -> Result<Confirmed, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Confirm { display, shown, reply })).await
    }

    /// The frame of a drill that crosses the limit is being sent: to be called before it is.
    ///
    /// # Errors
    /// There is no room for the command: the drill will not be judged.
    pub fn drill_sent(&self, number: u64) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::DrillSent { number }))
    }

    /// Another gateway was heard: [`ecmo_core::uplink::PeerWord::hear`] says what its word means.
    ///
    /// # Errors
    /// There is no room for the command; the next heartbeat comes in a second.
    pub fn peer(&self, heard: PeerHeard) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::Peer(heard)))
    }

    /// What people do is durable, or could not be written just now. To be called when it changes, and again if refused.
    ///
    /// # Errors
    /// There is no room for the command.
    pub fn state_durable(&self, durable: bool) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::StateDurable(durable)))
    }
}

impl Rounds {
    /// Carries out what is asked about displays, or takes what other parts tell.
    pub(super) fn on_self_command(&mut self, command: SelfCommand, now: Instant) {
        // An asker that has gone away needs no answer: hence the ignored results of send.
        match command {
            SelfCommand::Attend { word, reply } => {
                let _asker_gone = reply.send(self.attendance.attend(word, now));
            }
            SelfCommand::Leave { display, reply } => {
                self.attendance.leave(&display);
                let _asker_gone = reply.send(());
            }
            SelfCommand::Displays { ward, reply } => {
                let _asker_gone = reply.send(displays(&self.attendance, ward.as_ref(), now));
            }
            SelfCommand::Confirmations { ward: _, reply } => {
                let _asker_gone = reply.send(Vec::new());
            }
            SelfCommand::Confirm { display: _, shown, reply } => {
                let _asker_gone = reply.send(self.hub.confirm(&shown, now));
            }
            SelfCommand::DrillSent { number: _ } => self.uplink.on_drill_sent(now),
            SelfCommand::Peer(heard) => self.uplink.on_peer(&heard, now),
            SelfCommand::StateDurable(durable) => self.uplink.on_state(durable, now),
        }
    }
}

/// The displays of a ward, or all, by name.
fn displays(attendance: &Attendance, ward: Option<&Id>, now: Instant) -> Vec<DisplayView> {
    let own = attendance.displays().iter();
    let own = own.filter(|one| ward.is_none_or(|ward| one.is_of(ward.as_str())));
    let mut views: Vec<_> = own
        .map(|one| {
            let waits = attendance.alarms().filter(|(_id, alarm)| {
                alarm.waits() && alarm.ward.as_deref().is_none_or(|ward| one.is_of(ward))
            });
            let has_not = |alarm: &&ecmo_core::attendance::Watched| {
                !alarm
                    .confirmations
                    .iter()
                    .any(|by| by.display == one.name && by.revision >= alarm.covers_from)
            };
            let unconfirmed = waits.map(|(_id, alarm)| alarm).filter(has_not).count();
            DisplayView {
                name: Arc::clone(&one.name),
                wards: one.wards.clone(),
                state: one.state(now),
                health: one.health,
                lease_until: one.lease_until,
                unconfirmed: u32::try_from(unconfirmed).unwrap_or(u32::MAX),
            }
        })
        .collect();
    views.sort_by(|one, other| one.name.cmp(&other.name));
    views
}
