//! `ecmoctl stream PUMP`: one pump's readings and alarms, line by line.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc::{Sender, channel};

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::args::StreamArgs;
use crate::client::{ClientError, Gateway, WaveformsUpdate};
use crate::command::feed::{LinkState, Links, news, print_news, wall_text};
use crate::command::pumps::say;
use crate::command::{CommandError, Context, asked_to_end};
use crate::convert;
use crate::follow::{Followed, WAITING_MESSAGES_MAX, follow};
use crate::format::{number_text, parameter_unit, reading_text};
use crate::json::PumpJson;
use crate::live::{Event as LiveEvent, Live, Setup, Stream as Lane, Told};
use crate::model::{Alarm, Pump, PumpName};
use crate::output::Printer;
use crate::verdict::{Verdict, alarms_are_judged, judge};
use crate::waveform::{Second, Seconds};
use crate::words::{not_read_text, rules_text, unreviewed_text};

/// How often a pump is told anew when nothing of it changes, so that its age goes on.
const TELL_AGAIN: Duration = Duration::from_secs(1);

enum Event {
    Live(LiveEvent),
    Waveforms(Followed<WaveformsUpdate>),
}

/// What is known while following one pump.
struct Stream {
    name: PumpName,
    printer: Printer,
    live: Live,
    links: Links,
    waveform_link: LinkState,
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
    let Context { clock, gateway, printer, .. } = context;
    let first = gateway.connect().await?;
    let name = resolve(&first, &args).await?;
    let (out, mut events) = channel(WAITING_MESSAGES_MAX);
    let setup = Setup {
        gateways: gateway.all(),
        ward: &name.ward,
        pumps_interval_ms: Some(args.interval),
        // One pump is not the ward: this display does not answer for its alarms.
        lease: None,
        clock,
    };
    let live = Live::start(&setup, &out, Event::Live);
    if args.waveforms {
        follow_waveforms(&first, &name, out);
    }
    let mut stream = Stream {
        live,
        links: Links::new(&gateway.urls()),
        name,
        printer,
        waveform_link: LinkState::new("waveforms"),
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
    stream.live.screen.tick(clock.now());
    let verdict = stream.verdict();
    if stream.live.finish().await > 0 {
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

fn follow_waveforms(gateway: &Gateway, name: &PumpName, out: Sender<Event>) {
    let waveforms = gateway.watch_waveforms(name);
    tokio::spawn(follow("watch waveforms", waveforms, Event::Waveforms, out));
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
            Event::Live(event) => self.take_live(event, local, wall),
            Event::Waveforms(followed) => self.take_waveforms(followed, local, wall)?,
        }
        Ok(())
    }

    fn take_live(&mut self, event: LiveEvent, local: LocalTime, wall: &str) {
        let changed = matches!(&event, LiveEvent::Pumps(_, Followed::Message(message))
            if message.pumps.iter().any(|pump| pump.ward == self.name.ward && pump.pump == self.name.pump));
        let told = self.live.take(event, local);
        if let Some(line) = self.links.take(&told, local) {
            line.print(&mut self.printer, wall);
        }
        let due = self.told_at.is_none_or(|told| local.since(told) >= TELL_AGAIN);
        if matches!(told, Told::Message(_, Lane::Pumps)) && (changed || due) {
            self.told_at = Some(local);
            self.tell_pump(wall);
        }
        for news in news(&mut self.live, &self.printer) {
            if self.name.concerns(&news.alarm) {
                print_news(&mut self.printer, wall, &news);
            }
        }
        if self.printer.is_open() {
            let (picture, name) = (self.live.screen.picture(), &self.name);
            self.live.painted(&picture, local, |row| {
                name.concerns(&convert::alarm((*row.alarm).clone()))
            });
        }
    }

    /// The pump as it is now: by the freshest gateway that tells of it.
    fn pump(&self) -> Option<(Pump, GatewayTime, bool)> {
        let views = self.live.screen.pumps();
        let named = |pump: &ecmo_proto::v1::Pump| {
            pump.ward == self.name.ward && pump.pump == self.name.pump
        };
        let view = views.into_iter().find(|view| view.known && named(&view.pump))?;
        let round = self.live.screen.link(view.link).and_then(|link| link.alarm_round);
        let judged = alarms_are_judged(round.unwrap_or_default(), view.now);
        Some((convert::pump((*view.pump).clone()), view.now, judged))
    }

    fn tell_pump(&mut self, wall: &str) {
        let Some((pump, now, alarms_judged)) = self.pump() else {
            let text = format!("{wall}  {}  the gateway does not know this pump now", self.name);
            return self.printer.note(&text);
        };
        let pump = &pump;
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
                if let Some(line) = self.waveform_link.lost(&error, false, local) {
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
    fn verdict(&self) -> Verdict {
        if !self.links.pumps_arrive() || !self.links.alarms_arrive() {
            return Verdict::GatewayLost;
        }
        let rows = self.live.screen.rows();
        let alarms: Vec<Alarm> =
            rows.into_iter().map(|row| convert::alarm((*row.alarm).clone())).collect();
        let alarms = alarms.iter().filter(|alarm| self.name.concerns(alarm));
        let (pump, now, judged) = self
            .pump()
            .map_or_else(Default::default, |(pump, now, judged)| (vec![pump], now, judged));
        // A round that is not fresh enough is told as none.
        let round = if judged { now } else { GatewayTime::default() };
        judge(&pump, alarms, round, now)
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
