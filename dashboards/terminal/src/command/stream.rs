//! `ecmoctl stream PUMP`: one pump's readings and alarms, line by line.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::age::{GatewayClock, GatewayTime, LocalTime, age_text};
use crate::alarm_book::Change;
use crate::args::StreamArgs;
use crate::client::{AlarmsUpdate, ClientError, Gateway, PumpsUpdate, WaveformsUpdate};
use crate::command::feed::{AlarmFeed, LinkState, print_change, wall_text};
use crate::command::pumps::say;
use crate::command::watch::confirm;
use crate::command::{CommandError, Context, asked_to_end};
use crate::confirm::{Confirmer, display_name};
use crate::follow::{Followed, WAITING_MESSAGES_MAX, follow};
use crate::format::{number_text, parameter_unit, reading_text};
use crate::json::PumpJson;
use crate::model::{Alarm, Pump, PumpName};
use crate::output::Printer;
use crate::verdict::{Verdict, alarms_are_judged, judge};
use crate::waveform::{Second, Seconds};
use crate::words::{not_read_text, rules_text, unreviewed_text};

/// How often a pump is told anew when nothing of it changes, so that its age goes on.
const TELL_AGAIN: Duration = Duration::from_secs(1);

enum Event {
    Pumps(Followed<PumpsUpdate>),
    Alarms(Followed<AlarmsUpdate>),
    Waveforms(Followed<WaveformsUpdate>),
}

/// What is known while following one pump.
struct Stream {
    name: PumpName,
    printer: Printer,
    confirmer: Confirmer,
    alarms: AlarmFeed,
    link: LinkState,
    waveform_link: LinkState,
    clock: GatewayClock,
    epoch: u64,
    alarm_round: GatewayTime,
    pump: Option<Pump>,
    told_at: Option<LocalTime>,
    /// What was last said of channels that are not read and of the rules: said again only when it changes.
    said: Vec<String>,
    seconds: Seconds,
}

#[derive(Serialize)]
struct PumpLine<'a> {
    r#type: &'static str,
    alarms_judged: bool,
    #[serde(flatten)]
    pump: PumpJson<'a>,
}

#[derive(Serialize)]
struct WaveformLine<'a> {
    r#type: &'static str,
    ward: &'a str,
    pump: &'a str,
    #[serde(flatten)]
    second: &'a Second,
}

#[derive(Serialize)]
struct DroppedLine {
    r#type: &'static str,
    frames: u64,
}

/// Runs the command.
pub(crate) async fn run(context: Context, args: StreamArgs) -> Result<Verdict, CommandError> {
    let Context { clock, gateway, printer } = context;
    let gateway = gateway.connect().await?;
    let name = resolve(&gateway, &args).await?;
    let display = display_name();
    let mut events = subscribe(&gateway, &name, &args, &display);
    let (confirmer, _confirmed) = Confirmer::start(gateway, display);
    let mut stream = Stream {
        confirmer,
        name,
        printer,
        alarms: AlarmFeed::new(),
        link: LinkState::new("pumps"),
        waveform_link: LinkState::new("waveforms"),
        clock: GatewayClock::default(),
        epoch: 0,
        alarm_round: GatewayTime(0),
        pump: None,
        told_at: None,
        said: Vec::new(),
        seconds: Seconds::default(),
    };
    let asked = asked_to_end(args.for_time);
    tokio::pin!(asked);
    while stream.printer.is_open() {
        let event = tokio::select! {
            () = &mut asked => break,
            Some(event) = events.recv() => event,
        };
        stream.take(event, clock.now(), &wall_text(clock))?;
    }
    let verdict = stream.verdict(clock.now());
    if stream.confirmer.finish().await > 0 {
        stream.printer.note("some alarms were shown and could not be confirmed to the gateway");
    }
    Ok(verdict)
}

/// Finds the pump, so that a wrong name is told at once instead of waited for.
async fn resolve(gateway: &Gateway, args: &StreamArgs) -> Result<PumpName, CommandError> {
    let answer = gateway.list_pumps(args.ward.as_deref().unwrap_or_default()).await?;
    let mut names =
        answer.pumps.iter().map(|pump| &pump.name).filter(|name| name.pump == args.pump);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        (Some(_), Some(_)) => Err(CommandError::AmbiguousPump {
            pump: args.pump.clone(),
            wards: listed(answer.pumps.iter().filter(|pump| pump.name.pump == args.pump), |name| {
                name.ward.clone()
            }),
        }),
        (None, _) => Err(CommandError::UnknownPump {
            pump: args.pump.clone(),
            ward: args.ward.clone(),
            known: if answer.pumps.is_empty() {
                "none".to_owned()
            } else {
                listed(answer.pumps.iter(), PumpName::to_string)
            },
        }),
    }
}

fn listed<'a>(pumps: impl Iterator<Item = &'a Pump>, text: impl Fn(&PumpName) -> String) -> String {
    pumps.map(|pump| text(&pump.name)).collect::<Vec<_>>().join(", ")
}

fn subscribe(
    gateway: &Gateway,
    name: &PumpName,
    args: &StreamArgs,
    display: &str,
) -> Receiver<Event> {
    let (out, events): (Sender<Event>, _) = channel(WAITING_MESSAGES_MAX);
    let pumps = gateway.watch_pumps(&name.ward, args.interval);
    tokio::spawn(follow("watch pumps", pumps, Event::Pumps, out.clone()));
    let alarms = gateway.watch_alarms(&name.ward, display);
    tokio::spawn(follow("watch alarms", alarms, Event::Alarms, out.clone()));
    if args.waveforms {
        let waveforms = gateway.watch_waveforms(name);
        tokio::spawn(follow("watch waveforms", waveforms, Event::Waveforms, out));
    }
    events
}

/// What must be known of a pump before its values are believed, after what was said of it before.
fn standing(pump: &Pump, said: &[String]) -> Vec<String> {
    const RULES: &str = ": rules: ";
    let unreviewed = unreviewed_text(std::slice::from_ref(pump), []);
    let rules = match rules_text(pump) {
        // Worth a line only after something else was said.
        special if special.is_empty() => said
            .iter()
            .any(|text| text.contains(RULES))
            .then(|| format!("{}{RULES}as the profile says", pump.name)),
        special => Some(format!("{}{RULES}{special}", pump.name)),
    };
    not_read_text(pump).into_iter().chain(unreviewed).chain(rules).collect()
}

impl Stream {
    fn take(&mut self, event: Event, local: LocalTime, wall: &str) -> Result<(), CommandError> {
        match event {
            Event::Pumps(Followed::Message(update)) => self.take_pumps(update, local, wall),
            Event::Pumps(Followed::Lost(error)) => {
                if let Some(line) = self.link.lost(&error, local) {
                    line.print(&mut self.printer, wall);
                }
            }
            Event::Alarms(followed) => self.take_alarms(followed, local, wall),
            Event::Waveforms(followed) => self.take_waveforms(followed, local, wall)?,
        }
        Ok(())
    }

    fn take_pumps(&mut self, update: PumpsUpdate, local: LocalTime, wall: &str) {
        if update.epoch != self.epoch {
            self.clock = GatewayClock::default();
            self.pump = None;
            self.epoch = update.epoch;
        }
        self.clock.observe(update.now, local);
        self.alarm_round = update.alarm_round;
        if let Some(line) = self.link.message(local) {
            line.print(&mut self.printer, wall);
        }
        let changed = update.pumps.into_iter().find(|pump| pump.name == self.name);
        let due = self.told_at.is_none_or(|told| local.since(told) >= TELL_AGAIN);
        if changed.is_some() || due {
            self.pump = changed.or_else(|| self.pump.take());
            self.told_at = Some(local);
            self.tell_pump(local, wall);
        }
    }

    fn tell_pump(&mut self, local: LocalTime, wall: &str) {
        let now = self.clock.now(local).unwrap_or_default();
        let alarms_judged = alarms_are_judged(self.alarm_round, now);
        let Some(pump) = &self.pump else {
            let text = format!("{wall}  {}  the gateway does not know this pump now", self.name);
            return self.printer.note(&text);
        };
        let standing = standing(pump, &self.said);
        let new = standing.iter().filter(|text| !self.said.contains(text));
        let lines: Vec<String> = new.map(|text| format!("{wall}  {text}")).collect();
        say(&mut self.printer, &lines);
        self.said = standing;
        if self.printer.is_json() {
            let pump = PumpJson::new(pump, now);
            self.printer.object(&PumpLine { r#type: "pump", alarms_judged, pump });
        } else {
            self.printer.line(&format!("{wall}  {}", pump_line(pump, now, alarms_judged)));
        }
    }

    fn take_alarms(&mut self, followed: Followed<AlarmsUpdate>, local: LocalTime, wall: &str) {
        let news = self.alarms.take(followed, local);
        if let Some(line) = news.link {
            line.print(&mut self.printer, wall);
        }
        for change in news.changes.iter().filter(|change| self.name.concerns(change.alarm())) {
            let now = self.alarms.now_for(change, local);
            print_change(&mut self.printer, wall, change, now);
            self.confirm(change);
        }
    }

    fn confirm(&self, change: &Change) {
        confirm(&self.printer, &self.confirmer, change);
    }

    fn take_waveforms(
        &mut self,
        followed: Followed<WaveformsUpdate>,
        local: LocalTime,
        wall: &str,
    ) -> Result<(), CommandError> {
        let update = match followed {
            Followed::Message(update) => update,
            // Told at the start, it is an answer; later the gateway may only have restarted.
            Followed::Lost(error @ ClientError::NotFound { .. })
                if !self.waveform_link.was_connected() =>
            {
                return Err(CommandError::Client(error));
            }
            Followed::Lost(error) => {
                self.seconds.restart();
                if let Some(line) = self.waveform_link.lost(&error, local) {
                    line.print(&mut self.printer, wall);
                }
                return Ok(());
            }
        };
        if let Some(line) = self.waveform_link.message(local) {
            line.print(&mut self.printer, wall);
        }
        let run = (update.epoch, update.boot);
        let told = self.seconds.take(run, &update.blocks, update.dropped, update.now);
        if let Some((seconds, dropped)) = told {
            self.tell_seconds(&seconds, dropped, wall);
        }
        Ok(())
    }

    fn tell_seconds(&mut self, seconds: &[Second], dropped: u64, wall: &str) {
        let PumpName { ward, pump } = &self.name;
        for second in seconds {
            if self.printer.is_json() {
                let line = WaveformLine { r#type: "waveform", ward, pump, second };
                self.printer.object(&line);
            } else {
                self.printer.line(&format!("{wall}  {}", second_line(second)));
            }
        }
        if dropped == 0 {
            return;
        }
        if self.printer.is_json() {
            self.printer.object(&DroppedLine { r#type: "dropped", frames: dropped });
        } else {
            let text = format!("{wall}  DROPPED {dropped} frames: this display read too slowly");
            self.printer.line(&text);
        }
    }

    /// Judged by what is known when the command ends.
    fn verdict(&self, local: LocalTime) -> Verdict {
        if !self.link.is_connected() || !self.alarms.link.is_connected() {
            return Verdict::GatewayLost;
        }
        let alarms = self.alarms.book.active().filter(|alarm| self.name.concerns(alarm));
        let now = self.clock.now(local).unwrap_or_default();
        judge(self.pump.as_slice(), alarms, self.alarm_round, now)
    }
}

impl PumpName {
    /// Whether an alarm is about this pump, or about the gateway that serves it.
    fn concerns(&self, alarm: &Alarm) -> bool {
        let of_pump = |pump: &String| *pump == self.pump && alarm.ward == self.ward;
        alarm.pump.as_ref().is_none_or(of_pump)
    }
}

fn pump_line(pump: &Pump, now: GatewayTime, alarms_judged: bool) -> String {
    let age = pump.frame_age(now);
    let frame = age.map_or_else(
        || "no frame yet".to_owned(),
        |age| format!("last frame {} ago", age_text(age)),
    );
    let readings = pump.readings.iter().map(|reading| {
        format!("{} {}", reading.parameter, reading_text(reading, pump.shown(reading, now)))
    });
    let readings = readings.collect::<Vec<_>>().join(" | ");
    let judged = if alarms_judged { "" } else { "  ALARMS ARE NOT JUDGED" };
    format!(
        "{}  {}, {}, {frame}{judged}  {readings}",
        pump.name,
        pump.link.to_string().to_uppercase(),
        pump.turning_now(now)
    )
}

fn second_line(second: &Second) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "the samples were f32")]
    let number = |value: Option<f64>| {
        value.map_or_else(|| "---".to_owned(), |value| number_text(value as f32, 1))
    };
    let unit = if second.samples > 0 { parameter_unit(&second.parameter) } else { "" };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let mut line = format!(
        "{}  min {}  mean {}  max {}{unit}  of {} samples",
        second.parameter,
        number(second.min),
        number(second.mean),
        number(second.max),
        second.samples
    );
    if second.invalid > 0 {
        line.push_str(&format!(", {} invalid", second.invalid));
    }
    if second.missing > 0 {
        line.push_str(&format!(", GAP of {} samples", second.missing));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::tests::live_pump;
    use crate::words::tests::pump_stop;

    #[test]
    fn a_line_says_link_state_age_and_readings() {
        let now = GatewayTime(20_000_000_000);
        assert_eq!(
            pump_line(&live_pump(), now, true),
            "nicu/pump-1  LIVE, running, last frame 0.0 s ago  flow.blood 412 mL/min"
        );
        let later = GatewayTime(34_000_000_000);
        assert_eq!(
            pump_line(&live_pump(), later, false),
            "nicu/pump-1  LIVE, unknown, last frame 14 s ago  ALARMS ARE NOT JUDGED  \
             flow.blood --- data too old (412 mL/min, 14 s ago)"
        );
    }

    #[test]
    fn an_alarm_of_the_gateway_concerns_every_pump_and_one_of_another_ward_none() {
        let name = PumpName { ward: "nicu".to_owned(), pump: "pump-2".to_owned() };
        assert!(name.concerns(&pump_stop()));
        assert!(name.concerns(&Alarm { pump: None, ..pump_stop() }));
        assert!(!name.concerns(&Alarm { ward: "other".to_owned(), ..pump_stop() }));
        assert!(!name.concerns(&Alarm { pump: Some("pump-3".to_owned()), ..pump_stop() }));
    }

    #[test]
    fn a_second_without_measurements_shows_no_number() {
        let second = Second {
            parameter: "press.drain".to_owned(),
            samples: 0,
            min: None,
            mean: None,
            max: None,
            invalid: 100,
            missing: 3,
        };
        assert_eq!(
            second_line(&second),
            "press.drain  min ---  mean ---  max ---  of 0 samples, 100 invalid, GAP of 3 samples"
        );
    }

    #[test]
    fn rules_are_told_while_they_are_special_and_once_more_when_they_are_not() {
        let plain = live_pump();
        assert!(standing(&plain, &[]).is_empty());
        let special = Pump { limits_set: 2, unreviewed: true, ..live_pump() };
        let said = standing(&special, &[]);
        assert_eq!(said[1], "nicu/pump-1: rules: 2 limits set");
        assert!(said[0].starts_with("UNREVIEWED rules: "));
        let over = standing(&plain, &said);
        assert_eq!(over, ["nicu/pump-1: rules: as the profile says"]);
        assert_eq!(standing(&plain, &over), over);
    }
}
