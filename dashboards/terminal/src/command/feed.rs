//! What commands that follow share: the state of a link, and alarms as lines. Pure but for what its caller prints.

use std::time::Duration;

use serde::Serialize;

use crate::age::{GatewayClock, GatewayTime, LocalTime, age_ms, age_text};
use crate::alarm_book::{AlarmBook, Change};
use crate::client::{AlarmUpdate, AlarmsUpdate, ClientError, ShownAlarm};
use crate::clock::clock_text;
use crate::follow::Followed;
use crate::json::AlarmJson;
use crate::model::Priority;
use crate::output::Printer;
use crate::words::{alarm_line, check_line, path_text};

/// How often a loss that goes on is told again.
const REMIND: Duration = Duration::from_secs(5);

/// Whether one subscription stands.
#[derive(Debug)]
pub(crate) struct LinkState {
    what: &'static str,
    connected: bool,
    was_connected: bool,
    lost_at: Option<LocalTime>,
    told_at: Option<LocalTime>,
}

/// A change of a link that is worth a line.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LinkLine {
    r#type: &'static str,
    stream: &'static str,
    state: &'static str,
    /// How long the link was lost, or is.
    lost_ms: Option<u64>,
    reason: Option<String>,
}

impl LinkState {
    /// A link that is not there yet.
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, connected: false, was_connected: false, lost_at: None, told_at: None }
    }

    /// Whether messages arrive.
    pub(crate) const fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether a message ever arrived.
    pub(crate) const fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// A message arrived.
    pub(crate) fn message(&mut self, local: LocalTime) -> Option<LinkLine> {
        if self.connected {
            return None;
        }
        let lost = self.lost_at.take().map(|since| age_ms(local.since(since)));
        *self = Self { connected: true, was_connected: true, ..Self::new(self.what) };
        Some(self.line("connected", lost, None))
    }

    /// The subscription was lost, or could not be had again.
    pub(crate) fn lost(&mut self, error: &ClientError, local: LocalTime) -> Option<LinkLine> {
        self.connected = false;
        let since = *self.lost_at.get_or_insert(local);
        if self.told_at.is_some_and(|told| local.since(told) < REMIND) {
            return None;
        }
        self.told_at = Some(local);
        Some(self.line("lost", Some(age_ms(local.since(since))), Some(error.chain())))
    }

    const fn line(
        &self,
        state: &'static str,
        lost_ms: Option<u64>,
        reason: Option<String>,
    ) -> LinkLine {
        LinkLine { r#type: "link", stream: self.what, state, lost_ms, reason }
    }
}

impl LinkLine {
    /// Prints the line.
    pub(crate) fn print(&self, printer: &mut Printer, wall: &str) {
        if printer.is_json() {
            return printer.object(self);
        }
        let lost = self.lost_ms.map(|ms| age_text(Duration::from_millis(ms)));
        let text = match (&self.reason, lost) {
            (Some(reason), lost) => format!(
                "GATEWAY LOST for {} ({}): {reason}; values are unknown, trying again",
                lost.unwrap_or_default(),
                self.stream
            ),
            (None, Some(lost)) => format!("CONNECTED again after {lost} ({})", self.stream),
            (None, None) => format!("CONNECTED ({})", self.stream),
        };
        printer.line(&format!("{wall}  {text}"));
    }
}

/// Alarms as they come.
#[derive(Debug)]
pub(crate) struct AlarmFeed {
    pub(crate) book: AlarmBook,
    pub(crate) link: LinkState,
    clock: GatewayClock,
    /// The clock of before the gateway's last restart: times of alarms of then mean nothing on the present one.
    clock_before: GatewayClock,
    epoch: u64,
}

/// What one message brought.
#[derive(Debug, Default)]
pub(crate) struct FeedNews {
    pub(crate) link: Option<LinkLine>,
    pub(crate) changes: Vec<Change>,
}

impl AlarmFeed {
    /// Knows nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            book: AlarmBook::default(),
            link: LinkState::new("alarms"),
            clock: GatewayClock::default(),
            clock_before: GatewayClock::default(),
            epoch: 0,
        }
    }

    /// Takes what was told.
    pub(crate) fn take(&mut self, followed: Followed<AlarmsUpdate>, local: LocalTime) -> FeedNews {
        let message = match followed {
            Followed::Lost(error) => {
                let link = self.link.lost(&error, local);
                return FeedNews { link, changes: Vec::new() };
            }
            Followed::Message(message) => message,
        };
        if message.epoch != self.epoch {
            self.clock_before = std::mem::take(&mut self.clock);
            self.epoch = message.epoch;
        }
        self.clock.observe(message.now, local);
        let changes = match message.update {
            AlarmUpdate::Snapshot(alarms) => self.book.snapshot(message.epoch, alarms),
            AlarmUpdate::Alarm(alarm) => self.book.apply(*alarm).into_iter().collect(),
            AlarmUpdate::Heartbeat(_) => Vec::new(),
        };
        FeedNews { link: self.link.message(local), changes }
    }

    /// The gateway's time that dates the alarm of a change; its start before the first message.
    pub(crate) fn now_for(&self, change: &Change, local: LocalTime) -> GatewayTime {
        let clock = match change {
            Change::New(_) | Change::Changed(_) | Change::Ended(_) | Change::Vanished(_) => {
                &self.clock
            }
            Change::Forgotten(_) => &self.clock_before,
        };
        clock.now(local).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct AlarmLineJson<'a> {
    r#type: &'static str,
    event: &'static str,
    #[serde(flatten)]
    alarm: AlarmJson<'a>,
}

/// Prints what happened to an alarm, with the latency of its path.
pub(crate) fn print_change(printer: &mut Printer, wall: &str, change: &Change, now: GatewayTime) {
    let alarm = change.alarm();
    if printer.is_json() {
        let alarm = AlarmJson::new(alarm, now);
        return printer.object(&AlarmLineJson { r#type: "alarm", event: change.id(), alarm });
    }
    printer.line(&format!("{wall}  {}", change_line(change, now)));
    let path = path_text(alarm.path).map(|path| format!("path: {path}"));
    for line in below(change).into_iter().chain(path) {
        printer.line(&format!("{:width$}  {line}", "", width = wall.len()));
    }
}

/// What stands below an alarm that asks for somebody: what to check where it is urgent, and the id that acknowledges it.
fn below(change: &Change) -> Vec<String> {
    let (Change::New(alarm) | Change::Changed(alarm)) = change else {
        return Vec::new();
    };
    let is_news = match change.id() {
        "active" | "changed" | "worsened" | "escalated" | "returned" | "reminded" => true,
        _ => alarm.transition.is_none(),
    };
    if !is_news || !alarm.is_unacknowledged() {
        return Vec::new();
    }
    let check = check_line(alarm).filter(|_| alarm.priority == Priority::High);
    check.into_iter().chain([format!("id: {}", alarm.seen_id())]).collect()
}

fn change_line(change: &Change, now: GatewayTime) -> String {
    let line = alarm_line(change.alarm(), now);
    match change {
        Change::New(_) | Change::Ended(_) => line,
        Change::Changed(_) => match change.id() {
            // Its standing says it.
            "acknowledged" | "latched" | "changed" => line,
            what => format!("{}: {line}", what.replace('_', " ").to_uppercase()),
        },
        Change::Vanished(_) => format!("{line}  ENDED while this display was not connected"),
        Change::Forgotten(_) => {
            format!("{line}  NOT KNOWN ANY MORE: the gateway has restarted; look at the pump")
        }
    }
}

/// The revision of a change, to be confirmed; what has ended or is not known any more needs no confirmation.
pub(crate) fn to_confirm(change: &Change) -> Option<ShownAlarm> {
    match change {
        Change::New(alarm) | Change::Changed(alarm) => {
            Some(ShownAlarm { occurrence: alarm.occurrence.clone(), revision: alarm.revision })
        }
        Change::Ended(_) | Change::Vanished(_) | Change::Forgotten(_) => None,
    }
}

/// This display's wall time, to the millisecond.
pub(crate) fn wall_text(clock: crate::clock::Clock) -> String {
    let wall = clock.wall();
    format!("{}.{:03}", clock_text(&wall), wall.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Alarm;
    use crate::words::tests::pump_stop;

    fn snapshot(epoch: u64, now_s: u64, alarms: Vec<Alarm>) -> Followed<AlarmsUpdate> {
        let (update, now) = (AlarmUpdate::Snapshot(alarms), GatewayTime(now_s * 1_000_000_000));
        Followed::Message(AlarmsUpdate { update, now, epoch, sequence: 0 })
    }

    /// What a reader sees of the alarm after the gateway came back and does not name it.
    fn told_after(epoch: u64, now_s: u64) -> (Change, String) {
        let mut feed = AlarmFeed::new();
        feed.take(snapshot(1, 15, vec![pump_stop()]), at(0));
        let local = LocalTime(20_500_000_000);
        let mut changes = feed.take(snapshot(epoch, now_s, Vec::new()), local).changes;
        let change = changes.pop().unwrap();
        let line = change_line(&change, feed.now_for(&change, local));
        assert!(changes.is_empty(), "{changes:?}");
        (change, line)
    }

    #[test]
    fn an_alarm_forgotten_by_a_restart_is_not_told_as_ended_and_keeps_its_age() {
        let (change, line) = told_after(2, 1);
        let end = "ACTIVE  NOT KNOWN ANY MORE: the gateway has restarted; look at the pump";
        assert!(line.ends_with(end) && !line.contains("ENDED"), "{line}");
        // Raised at 1 s of the old clock, which would read 35 s now; the new one reads 1 s.
        assert!(line.contains("since 34 s"), "{line}");
        assert_eq!(to_confirm(&change), None);
        let (_, line) = told_after(1, 35);
        assert!(line.ends_with("ENDED while this display was not connected"), "{line}");
    }

    const fn at(seconds: u64) -> LocalTime {
        LocalTime(seconds * 1_000_000_000)
    }

    #[test]
    fn a_loss_is_told_at_once_then_every_five_seconds_and_the_return_with_its_length() {
        let mut link = LinkState::new("pumps");
        let error = ClientError::Ended { what: "watch pumps" };
        assert_eq!(link.message(at(0)).unwrap().state, "connected");
        assert_eq!(link.message(at(1)), None);
        assert_eq!(link.lost(&error, at(2)).unwrap().lost_ms, Some(0));
        assert_eq!(link.lost(&error, at(3)), None);
        assert!(!link.is_connected());
        assert_eq!(link.lost(&error, at(7)).unwrap().lost_ms, Some(5_000));
        assert_eq!(link.message(at(9)).unwrap().lost_ms, Some(7_000));
        assert!(link.is_connected());
    }
}
