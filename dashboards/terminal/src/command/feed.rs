//! What commands that follow share: the state of a link, and alarms as lines. Pure but for what its caller prints.

use std::time::Duration;

use serde::Serialize;

use crate::age::{LocalTime, age_ms, age_text};
use crate::client::ClientError;
use crate::clock::clock_text;
use crate::json::AlarmJson;
use crate::live::{Live, Stream, Told};
use crate::model::Priority;
use crate::news::{News, What};
use crate::output::Printer;
use crate::words::{alarm_line, check_line, path_text};

/// How often a loss that goes on is told again.
const REMIND: Duration = Duration::from_secs(5);

/// Whether one subscription stands.
#[derive(Debug)]
pub(crate) struct LinkState {
    what: &'static str,
    /// Its gateway, where there is more than one.
    gateway: Option<String>,
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
    /// Address of the gateway, where there is more than one.
    gateway: Option<String>,
    state: &'static str,
    /// Whether another gateway goes on.
    covered: bool,
    /// How long the link was lost, or is.
    lost_ms: Option<u64>,
    reason: Option<String>,
}

impl LinkState {
    /// A link that is not there yet.
    pub(crate) const fn new(what: &'static str) -> Self {
        Self {
            what,
            gateway: None,
            connected: false,
            was_connected: false,
            lost_at: None,
            told_at: None,
        }
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
        let gateway = self.gateway.take();
        *self = Self { connected: true, was_connected: true, gateway, ..Self::new(self.what) };
        Some(self.line("connected", lost, None, false))
    }

    /// The subscription was lost, or could not be had again.
    pub(crate) fn lost(
        &mut self,
        error: &ClientError,
        covered: bool,
        local: LocalTime,
    ) -> Option<LinkLine> {
        self.connected = false;
        let since = *self.lost_at.get_or_insert(local);
        if self.told_at.is_some_and(|told| local.since(told) < REMIND) {
            return None;
        }
        self.told_at = Some(local);
        Some(self.line("lost", Some(age_ms(local.since(since))), Some(error.chain()), covered))
    }

    fn line(
        &self,
        state: &'static str,
        lost_ms: Option<u64>,
        reason: Option<String>,
        covered: bool,
    ) -> LinkLine {
        let (stream, gateway) = (self.what, self.gateway.clone());
        LinkLine { r#type: "link", stream, gateway, state, covered, lost_ms, reason }
    }
}

impl LinkLine {
    /// Prints the line.
    pub(crate) fn print(&self, printer: &mut Printer, wall: &str) {
        if printer.is_json() {
            return printer.object(self);
        }
        let lost = self.lost_ms.map(|ms| age_text(Duration::from_millis(ms)));
        let at = self.gateway.as_ref().map(|url| format!(" of {url}")).unwrap_or_default();
        let stream = format!("({}){at}", self.stream);
        let standing =
            if self.covered { "the other gateway goes on" } else { "values are unknown" };
        let text = match (&self.reason, lost) {
            (Some(reason), lost) => format!(
                "GATEWAY LOST for {} {stream}: {reason}; {standing}, trying again",
                lost.unwrap_or_default(),
            ),
            (None, Some(lost)) => format!("CONNECTED again after {lost} {stream}"),
            (None, None) => format!("CONNECTED {stream}"),
        };
        printer.line(&format!("{wall}  {text}"));
    }
}

/// The streams of every link, and what was said of them.
#[derive(Debug)]
pub(crate) struct Links {
    alarms: Vec<LinkState>,
    pumps: Vec<LinkState>,
}

impl Links {
    /// Links to these gateways; with more than one each line names its gateway.
    pub(crate) fn new(urls: &[String]) -> Self {
        let named = |what| {
            move |url: &String| {
                let name = (urls.len() > 1).then(|| url.clone());
                LinkState { gateway: name, ..LinkState::new(what) }
            }
        };
        Self {
            alarms: urls.iter().map(named("alarms")).collect(),
            pumps: urls.iter().map(named("pumps")).collect(),
        }
    }

    /// The line that is worth telling.
    pub(crate) fn take(&mut self, told: &Told, local: LocalTime) -> Option<LinkLine> {
        let (id, stream) = match told {
            Told::Message(id, stream) | Told::Lost(id, stream, _) => (*id, *stream),
            Told::Confirmed(_) | Told::Nothing => return None,
        };
        let links = match stream {
            Stream::Alarms => &mut self.alarms,
            Stream::Pumps => &mut self.pumps,
        };
        let others = links
            .iter()
            .enumerate()
            .any(|(index, link)| index != usize::from(id.0) && link.is_connected());
        let link = links.get_mut(usize::from(id.0))?;
        match told {
            Told::Lost(_, _, error) => link.lost(error, others, local),
            Told::Message(..) | Told::Confirmed(_) | Told::Nothing => link.message(local),
        }
    }

    /// Whether alarms arrive from any gateway.
    pub(crate) fn alarms_arrive(&self) -> bool {
        self.alarms.iter().any(LinkState::is_connected)
    }

    /// Whether pumps arrive from any gateway.
    pub(crate) fn pumps_arrive(&self) -> bool {
        self.pumps.iter().any(LinkState::is_connected)
    }
}

/// What became of alarms since this was last asked; what was too much to keep is said.
pub(crate) fn news(live: &mut Live, printer: &Printer) -> Vec<News> {
    let (changes, lost) = live.screen.take_changes();
    if lost > 0 {
        printer.note(&format!("{lost} changes of alarms were too many to tell: look at the list"));
    }
    changes.iter().map(|change| News::of(change, live.screen.now_for(change))).collect()
}

#[derive(Serialize)]
struct AlarmLineJson<'a> {
    r#type: &'static str,
    event: &'static str,
    #[serde(flatten)]
    alarm: AlarmJson<'a>,
}

/// Prints what happened to an alarm, with the latency of its path.
pub(crate) fn print_news(printer: &mut Printer, wall: &str, news: &News) {
    let (alarm, now) = (&news.alarm, news.now);
    if printer.is_json() {
        let alarm = AlarmJson::new(alarm, now);
        return printer.object(&AlarmLineJson { r#type: "alarm", event: news.id(), alarm });
    }
    printer.line(&format!("{wall}  {}", news_line(news)));
    let path = path_text(alarm.path).map(|path| format!("path: {path}"));
    for line in below(news).into_iter().chain(path) {
        printer.line(&format!("{:width$}  {line}", "", width = wall.len()));
    }
}

/// What stands below an alarm that asks for somebody: what to check where it is urgent, and the id that acknowledges it.
fn below(news: &News) -> Vec<String> {
    let alarm = &news.alarm;
    if !matches!(news.what, What::New | What::Changed) {
        return Vec::new();
    }
    let is_news = match news.id() {
        "active" | "changed" | "worsened" | "escalated" | "returned" | "reminded" => true,
        _ => alarm.transition.is_none(),
    };
    if !is_news || !alarm.is_unacknowledged() {
        return Vec::new();
    }
    let check = check_line(alarm).filter(|_| alarm.priority == Priority::High);
    check.into_iter().chain([format!("id: {}", alarm.seen_id())]).collect()
}

fn news_line(news: &News) -> String {
    let line = alarm_line(&news.alarm, news.now);
    match news.what {
        What::New | What::Ended => line,
        What::Changed => match news.id() {
            // Its standing says it.
            "acknowledged" | "latched" | "changed" => line,
            what => format!("{}: {line}", what.replace('_', " ").to_uppercase()),
        },
        What::EndedUnseen => format!("{line}  ENDED while this display was not connected"),
        What::Forgotten => {
            format!("{line}  NOT KNOWN ANY MORE: the gateway has restarted; look at the pump")
        }
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
    use ecmo_display::{LinkId, Screen};
    use ecmo_proto::v1 as wire;

    const SECOND_NS: u64 = 1_000_000_000;

    fn snapshot(epoch: u64, now_s: u64, alarms: Vec<wire::Alarm>) -> wire::WatchAlarmsResponse {
        let snapshot = wire::AlarmSnapshot { alarms, ..wire::AlarmSnapshot::default() };
        wire::WatchAlarmsResponse {
            sequence: 0,
            epoch,
            now_mono_ns: now_s * SECOND_NS,
            update: Some(wire::watch_alarms_response::Update::Snapshot(snapshot)),
        }
    }

    /// What a reader sees of the alarm after the gateway came back and does not name it.
    fn told_after(epoch: u64, now_s: u64) -> (News, String) {
        let mut screen = Screen::new(1, "");
        let stop = wire::Alarm {
            occurrence: "pump.stop/1-1".to_owned(),
            revision: 1,
            condition: "pump.stop".to_owned(),
            present: true,
            onset_mono_ns: SECOND_NS,
            ..wire::Alarm::default()
        };
        screen.on_alarms(LinkId(0), snapshot(1, 15, vec![stop]), at(0));
        screen.take_changes();
        let local = LocalTime(20_500_000_000);
        screen.on_alarms(LinkId(0), snapshot(epoch, now_s, Vec::new()), local);
        let changes = screen.take_changes().0;
        assert_eq!(changes.len(), 1, "{changes:?}");
        let news = News::of(&changes[0], screen.now_for(&changes[0]));
        let line = news_line(&news);
        (news, line)
    }

    #[test]
    fn an_alarm_forgotten_by_a_restart_is_not_told_as_ended_and_keeps_its_age() {
        let (news, line) = told_after(2, 1);
        let end = "ACTIVE  NOT KNOWN ANY MORE: the gateway has restarted; look at the pump";
        assert!(line.ends_with(end) && !line.contains("ENDED"), "{line}");
        // Raised at 1 s of the old clock, which would read 35 s now; the new one reads 1 s.
        assert!(line.contains("since 34 s"), "{line}");
        assert_eq!(news.id(), "forgotten");
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
        assert_eq!(link.lost(&error, false, at(2)).unwrap().lost_ms, Some(0));
        assert_eq!(link.lost(&error, false, at(3)), None);
        assert!(!link.is_connected());
        assert_eq!(link.lost(&error, false, at(7)).unwrap().lost_ms, Some(5_000));
        assert_eq!(link.message(at(9)).unwrap().lost_ms, Some(7_000));
        assert!(link.is_connected());
    }
}
