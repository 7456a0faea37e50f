//! `ecmoctl alarms`: every active alarm once.

use crate::age::{GatewayTime, age_text};
use crate::args::AlarmsArgs;
use crate::command::pumps::{say, warnings};
use crate::command::{CommandError, Context};
use crate::format::table;
use crate::json::AlarmJson;
use crate::model::{Alarm, Priority};
use crate::output::Printer;
use crate::verdict::{Verdict, judge, summary};
use crate::words::{
    check_line, condition_text, evidence_text, priority_label, priority_mark, standing_text,
};

/// Runs the command. The pumps are asked too: "no alarms" means little without knowing on how many.
pub(crate) async fn run(context: Context, args: &AlarmsArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let ward = args.ward.as_deref().unwrap_or_default();
    let gateway = gateway.connect().await?;
    let (pumps, alarms) = tokio::join!(gateway.list_pumps(ward), gateway.list_alarms(ward));
    let alarms = alarms?;
    print_alarms(&mut printer, &alarms.alarms, args.check, alarms.now);
    let pumps = pumps?;
    let mut lines = warnings(&pumps, &alarms.alarms);
    lines.push(summary(&pumps.pumps, &alarms.alarms, pumps.now));
    say(&mut printer, &lines);
    Ok(judge(&pumps.pumps, &alarms.alarms, pumps.alarm_round, pumps.now))
}

fn print_alarms(printer: &mut Printer, alarms: &[Alarm], check: bool, now: GatewayTime) {
    if printer.is_json() {
        let alarms: Vec<_> = alarms.iter().map(|alarm| AlarmJson::new(alarm, now)).collect();
        return printer.array(&alarms);
    }
    for line in lines(alarms, check, now) {
        printer.line(&line);
    }
}

/// A table, and below each alarm of high priority, or each one if asked for, what to check.
fn lines(alarms: &[Alarm], check: bool, now: GatewayTime) -> Vec<String> {
    if alarms.is_empty() {
        return Vec::new();
    }
    let head =
        ["PRIORITY", "PUMP", "CONDITION", "VALUE", "SINCE", "STANDING", "ID"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(alarms.iter().map(|alarm| row(alarm, now)));
    let mut table = table(&rows).into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (alarm, line) in alarms.iter().zip(table) {
        lines.push(line);
        let check = check_line(alarm).filter(|_| check || alarm.priority == Priority::High);
        lines.extend(check.map(|check| format!("          {check}")));
    }
    lines
}

fn row(alarm: &Alarm, now: GatewayTime) -> Vec<String> {
    vec![
        format!("{} {}", priority_mark(alarm.priority), priority_label(alarm.priority)),
        alarm.place(),
        condition_text(&alarm.condition),
        evidence_text(alarm, now),
        age_text(alarm.onset.age_at(now)),
        standing_text(alarm, now),
        alarm.seen_id(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tests::pump_stop;

    #[test]
    fn what_to_check_stands_below_every_high_alarm_and_below_all_when_asked_for() {
        let now = GatewayTime(15_500_000_000);
        let low = Alarm {
            priority: Priority::Low,
            condition: "battery.low".to_owned(),
            occurrence: "battery.low/1-1".to_owned(),
            ..pump_stop()
        };
        let golden = "\
PRIORITY  PUMP         CONDITION     VALUE                             SINCE  STANDING  ID
*** HIGH  nicu/pump-2  pump stopped  0 rpm, limit <100 rpm, worst 0 rpm  14 s   ACTIVE    pump.stop/1-1@1
          check: pump head and drive, power, messages of the console; clamp: a stopped centrifugal pump occludes nothing
*   LOW   nicu/pump-2  battery low   0 rpm, limit <100 rpm, worst 0 rpm  14 s   ACTIVE    battery.low/1-1@1";
        let told = lines(&[pump_stop(), low.clone()], false, now);
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&told.join("\n")), squeezed(golden));
        assert_eq!((told.len(), lines(&[pump_stop(), low], true, now).len()), (4, 5));
        assert!(lines(&[], true, now).is_empty());
    }
}
