//! `ecmoctl alarms`: every active alarm once.

use crate::age::{GatewayTime, age_text};
use crate::args::AlarmsArgs;
use crate::command::pumps::{say, warnings};
use crate::command::{CommandError, Context};
use crate::format::table;
use crate::json::AlarmJson;
use crate::model::Alarm;
use crate::output::Printer;
use crate::verdict::{Verdict, judge, summary};
use crate::words::{condition_text, evidence_text, priority_label, priority_mark, standing_text};

/// Runs the command. The pumps are asked too: "no alarms" means little without knowing on how many.
pub(crate) async fn run(context: Context, args: &AlarmsArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let ward = args.ward.as_deref().unwrap_or_default();
    let gateway = gateway.connect().await?;
    let (pumps, alarms) = tokio::join!(gateway.list_pumps(ward), gateway.list_alarms(ward));
    let alarms = alarms?;
    print_alarms(&mut printer, &alarms.alarms, alarms.now);
    let pumps = pumps?;
    let mut lines = warnings(&pumps, &alarms.alarms);
    lines.push(summary(&pumps.pumps, alarms.alarms.len(), pumps.now));
    say(&mut printer, &lines);
    Ok(judge(&pumps.pumps, &alarms.alarms, pumps.alarm_round, pumps.now))
}

fn print_alarms(printer: &mut Printer, alarms: &[Alarm], now: GatewayTime) {
    if printer.is_json() {
        let alarms: Vec<_> = alarms.iter().map(|alarm| AlarmJson::new(alarm, now)).collect();
        return printer.array(&alarms);
    }
    if alarms.is_empty() {
        return;
    }
    let head = ["PRIORITY", "PUMP", "CONDITION", "VALUE", "SINCE", "STANDING"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(alarms.iter().map(|alarm| row(alarm, now)));
    for line in table(&rows) {
        printer.line(&line);
    }
}

fn row(alarm: &Alarm, now: GatewayTime) -> Vec<String> {
    vec![
        format!("{} {}", priority_mark(alarm.priority), priority_label(alarm.priority)),
        alarm.place(),
        condition_text(&alarm.condition),
        evidence_text(alarm, now),
        age_text(alarm.onset.age_at(now)),
        standing_text(alarm),
    ]
}
