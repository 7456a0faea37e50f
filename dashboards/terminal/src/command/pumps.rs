//! `ecmoctl pumps`: every pump once.

use crate::age::{GatewayTime, age_text};
use crate::args::WardArgs;
use crate::client::{AlarmsAnswer, PumpsUpdate};
use crate::command::{CommandError, Context};
use crate::format::{reading_text, table};
use crate::json::PumpJson;
use crate::model::{Alarm, Pump};
use crate::output::Printer;
use crate::verdict::{Verdict, alarms_are_judged, judge, summary};
use crate::words::{
    alarm_line, clock_text, condition_text, not_evaluable_text, not_read_text, ownership_text,
    priority_label, priority_mark, rules_text, unreviewed_text,
};

/// Columns of readings; more do not fit a terminal. JSON holds them all.
const COLUMNS_MAX: usize = 5;

/// The readings that matter first; others follow in the gateway's order while there is room.
const FIRST: [&str; 5] = ["flow.blood", "pump.speed", "press.drain", "press.pre", "press.post"];

/// What stands where a pump has no such channel.
const NO_CHANNEL: &str = "·";

/// Runs the command.
pub(crate) async fn run(context: Context, args: &WardArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let ward = args.ward.as_deref().unwrap_or_default();
    let gateway = gateway.connect().await?;
    let (pumps, alarms) = tokio::join!(gateway.list_pumps(ward), gateway.list_alarms(ward));
    let pumps = pumps?;
    print_pumps(&mut printer, &pumps);
    // The pumps are worth seeing even where the alarm thread does not answer; then nothing is known to be fine.
    let alarms = alarms?;
    print_notes(&mut printer, &pumps, &alarms);
    Ok(judge(&pumps.pumps, &alarms.alarms, pumps.alarm_round, pumps.now))
}

fn print_pumps(printer: &mut Printer, update: &PumpsUpdate) {
    if printer.is_json() {
        let pumps = update.pumps.iter().map(|pump| PumpJson::new(pump, update.now));
        return printer.array(&pumps.collect::<Vec<_>>());
    }
    for line in table(&rows(&update.pumps, update.now)) {
        printer.line(&line);
    }
}

/// What stands below the table: the gateway's own alarms, who is live, what is not reviewed.
fn print_notes(printer: &mut Printer, pumps: &PumpsUpdate, alarms: &AlarmsAnswer) {
    let mut lines: Vec<String> = Vec::new();
    for alarm in alarms.alarms.iter().filter(|alarm| alarm.pump.is_none()) {
        lines.push(alarm_line(alarm, alarms.now));
    }
    lines.extend(warnings(pumps, &alarms.alarms));
    lines.push(summary(&pumps.pumps, &alarms.alarms, pumps.now));
    say(printer, &lines);
}

/// Lines below a table, or beside JSON.
pub(crate) fn say(printer: &mut Printer, lines: &[String]) {
    for line in lines {
        if printer.is_json() {
            printer.note(line);
        } else {
            printer.line(line);
        }
    }
}

/// What a reader must know before trusting the list.
pub(crate) fn warnings(pumps: &PumpsUpdate, alarms: &[Alarm]) -> Vec<String> {
    let mut lines = Vec::new();
    if !alarms_are_judged(pumps.alarm_round, pumps.now) {
        let age = age_text(pumps.alarm_round.age_at(pumps.now));
        lines.push(format!(
            "ALARMS ARE NOT JUDGED: no round of the gateway's alarm thread for {age}"
        ));
    }
    lines.extend(pumps.pumps.iter().filter_map(not_read_text));
    lines.extend(pumps.pumps.iter().filter_map(clock_text));
    lines.extend(not_evaluable_text(&pumps.pumps));
    lines.extend(unreviewed_text(&pumps.pumps, alarms));
    lines
}

fn rows(pumps: &[Pump], now: GatewayTime) -> Vec<Vec<String>> {
    let columns = columns(pumps);
    let mut head = vec!["PUMP".to_owned(), "LINK".to_owned(), "LAST FRAME".to_owned()];
    head.push("STATE".to_owned());
    head.extend(columns.iter().map(|column| (*column).to_owned()));
    head.push("OWNER".to_owned());
    head.push("RULES".to_owned());
    head.push("ALARM".to_owned());
    let mut rows = vec![head];
    rows.extend(pumps.iter().map(|pump| row(pump, &columns, now)));
    rows
}

fn row(pump: &Pump, columns: &[&str], now: GatewayTime) -> Vec<String> {
    let age = pump.frame_age(now);
    let mut row = vec![
        pump.name.to_string(),
        pump.link.to_string().to_uppercase(),
        age.map_or_else(|| "never".to_owned(), |age| format!("{} ago", age_text(age))),
        pump.turning_now(now).to_string(),
    ];
    for column in columns {
        let reading = pump.readings.iter().find(|reading| reading.parameter == *column);
        row.push(reading.map_or_else(
            || NO_CHANNEL.to_owned(),
            |reading| reading_text(reading, pump.shown(reading, now)),
        ));
    }
    row.push(ownership_text(&pump.ownership, Some(now)));
    row.push(rules_text(pump));
    row.push(worst_text(pump));
    row
}

fn worst_text(pump: &Pump) -> String {
    let Some(worst) = pump.worst_alarm() else {
        return String::new();
    };
    let more = pump.alarms.iter().filter(|alarm| alarm.is_active()).count().saturating_sub(1);
    let more = if more > 0 { format!(" (+{more})") } else { String::new() };
    let known = if worst.last_known { ", last known" } else { "" };
    format!(
        "{} {} {}{known}{more}",
        priority_mark(worst.priority).trim_end(),
        priority_label(worst.priority).trim_end(),
        condition_text(&worst.condition)
    )
}

/// The parameters worth a column.
fn columns(pumps: &[Pump]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    let all = || pumps.iter().flat_map(|pump| &pump.readings).map(|each| each.parameter.as_str());
    for first in FIRST {
        if all().any(|parameter| parameter == first) {
            columns.push(first);
        }
    }
    for parameter in all() {
        if columns.len() < COLUMNS_MAX && !columns.contains(&parameter) {
            columns.push(parameter);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContextKind, Link};
    use crate::verdict::tests::live_pump;
    use crate::words::tests::pump_stop;

    #[test]
    fn a_row_of_a_silent_pump_holds_no_value_without_its_age() {
        let now = GatewayTime(34_000_000_000);
        let silent = Pump {
            link: Link::Silent,
            alarms: vec![pump_stop()],
            contexts: vec![ContextKind::Wean],
            rules_not_evaluable: 3,
            ..live_pump()
        };
        assert_eq!(
            row(&silent, &["flow.blood", "press.pre"], now),
            [
                "nicu/pump-1",
                "SILENT",
                "14 s ago",
                "unknown",
                "--- silent (412 mL/min, 14 s ago)",
                "·",
                "",
                "WEAN, 3 rules not evaluable",
                "*** HIGH pump stopped"
            ]
        );
    }

    #[test]
    fn what_matters_first_has_a_column_and_others_follow() {
        let mut pump = live_pump();
        let mut aux = pump.readings[0].clone();
        aux.parameter = "pt.abp".to_owned();
        pump.readings.insert(0, aux);
        assert_eq!(columns(&[pump]), ["flow.blood", "pt.abp"]);
    }
}
