//! The figures of a pump's alarms beside what EEMUA 191 and ISA-18.2 ask for. Pure.

use std::time::Duration;

use super::{condition_text, priority_label};
use crate::age::age_text;
use crate::format::table;
use crate::model::{Priority, PumpName, Report};

/// Alarms an hour that one person can attend to: one in ten minutes.
pub(crate) const PER_HOUR_TARGET: f64 = 6.0;

/// A rate over less than this is chance.
const COVERED_MIN: Duration = Duration::from_secs(3_600);

/// Most alarms in one hour that one person can still attend to.
pub(crate) const PEAK_HOUR_TARGET: u32 = 15;

/// Alarms that may have been active for more than a day; fewer than this.
pub(crate) const STALE_TARGET: u32 = 5;

/// Shares of the priorities, in percent.
pub(crate) const MIX_TARGET: [(Priority, u32); 3] =
    [(Priority::High, 5), (Priority::Medium, 15), (Priority::Low, 80)];

/// The report, line by line.
pub(crate) fn report_lines(name: &PumpName, report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{name}  alarms of the last {}", age_text(report.covered))];
    lines.extend(table(&rows(report)));
    if report.covered < COVERED_MIN {
        lines.push("less than an hour is covered: alarms an hour are not judged yet".to_owned());
    }
    if report.in_flood {
        lines.push("A FLOOD is going on: more than 10 alarms in 10 minutes".to_owned());
    }
    if !report.conditions.is_empty() {
        lines.push(String::new());
        let head = ["CONDITION", "RAISED", "CHATTERING", "MEANING"].map(str::to_owned).to_vec();
        let mut rows = vec![head];
        rows.extend(report.conditions.iter().map(|count| {
            vec![
                count.condition.clone(),
                count.raised.to_string(),
                count.chattering.to_string(),
                condition_text(&count.condition),
            ]
        }));
        lines.extend(table(&rows));
    }
    lines
}

fn rows(report: &Report) -> Vec<Vec<String>> {
    let row = |figure: &str, value: String, target: String, is_met: Option<bool>| {
        let standing = match is_met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        vec![figure.to_owned(), value, target, standing.to_owned()]
    };
    let alarms = report.alarms();
    let is_long = report.covered >= COVERED_MIN;
    let mut rows = vec![
        row("FIGURE", "VALUE".to_owned(), "TARGET".to_owned(), None),
        row(
            "alarms an hour",
            format!("{:.1}", report.per_hour),
            format!("at most {PER_HOUR_TARGET:.0}: one in 10 min"),
            is_long.then_some(report.per_hour <= PER_HOUR_TARGET),
        ),
        row(
            "most in one hour",
            report.peak_hour.to_string(),
            format!("at most {PEAK_HOUR_TARGET}"),
            Some(report.peak_hour <= PEAK_HOUR_TARGET),
        ),
        row(
            "floods",
            report.floods.to_string(),
            "none: more than 10 in 10 min".to_owned(),
            Some(report.floods == 0),
        ),
        row(
            "active for more than a day",
            report.stale.to_string(),
            format!("fewer than {STALE_TARGET}"),
            Some(report.stale < STALE_TARGET),
        ),
        row(
            "chattering",
            report.chattering.to_string(),
            "none: 3 times in a minute".to_owned(),
            Some(report.chattering == 0),
        ),
    ];
    for (priority, target) in MIX_TARGET {
        let raised = report.raised(priority);
        let label = priority_label(priority).trim_end();
        // A share of hundreds is a target; one of a handful is chance, so it is shown and not judged.
        rows.push(row(
            &format!("share of {label}"),
            share_text(raised, alarms),
            format!("about {target} %"),
            None,
        ));
    }
    rows.push(row("cards", report.raised(Priority::Information).to_string(), String::new(), None));
    rows.push(row("reminders", report.reminders.to_string(), String::new(), None));
    rows.push(row("escalations", report.escalations.to_string(), String::new(), None));
    rows.push(row("spikes of sensors", report.spikes.to_string(), String::new(), None));
    rows
}

/// `25 % (3 of 12)`; no share of nothing.
fn share_text(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "--- no alarm".to_owned();
    }
    let percent = u64::from(part) * 100 / u64::from(whole);
    format!("{percent} % ({part} of {whole})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConditionCount;

    fn report() -> Report {
        Report {
            covered: Duration::from_secs(7_200),
            raised: vec![(Priority::High, 3), (Priority::Low, 9), (Priority::Information, 2)],
            per_hour: 6.04,
            peak_hour: 9,
            floods: 1,
            in_flood: true,
            chattering: 0,
            stale: 4,
            reminders: 2,
            escalations: 1,
            conditions: vec![ConditionCount {
                condition: "flow.low".to_owned(),
                raised: 9,
                chattering: 0,
            }],
            spikes: 5,
        }
    }

    fn name() -> PumpName {
        PumpName { ward: "nicu".to_owned(), pump: "pump-1".to_owned() }
    }

    #[test]
    fn every_figure_stands_beside_its_target() {
        let golden = "\
nicu/pump-1  alarms of the last 2 h 00 min
FIGURE                      VALUE           TARGET
alarms an hour              6.0             at most 6: one in 10 min      MISSED
most in one hour            9               at most 15                    met
floods                      1               none: more than 10 in 10 min  MISSED
active for more than a day  4               fewer than 5                  met
chattering                  0               none: 3 times in a minute     met
share of HIGH               25 % (3 of 12)  about 5 %
share of MED                0 % (0 of 12)   about 15 %
share of LOW                75 % (9 of 12)  about 80 %
cards                       2
reminders                   2
escalations                 1
spikes of sensors           5
A FLOOD is going on: more than 10 alarms in 10 minutes

CONDITION  RAISED  CHATTERING  MEANING
flow.low   9       0           blood flow low";
        assert_eq!(report_lines(&name(), &report()).join("\n"), golden);
    }

    #[test]
    fn a_pump_without_an_alarm_has_no_mix() {
        let quiet = Report { raised: Vec::new(), conditions: Vec::new(), ..report() };
        let text = report_lines(&name(), &quiet).join("\n");
        assert_eq!(text.matches("--- no alarm").count(), 3, "{text}");
        assert!(!text.contains("CONDITION"), "{text}");
    }

    #[test]
    fn a_rate_over_minutes_is_shown_and_not_judged() {
        let short = Report { covered: Duration::from_secs(61), per_hour: 116.2, ..report() };
        let text = report_lines(&name(), &short).join("\n");
        assert!(text.contains("less than an hour is covered"), "{text}");
        assert_eq!(text.matches("MISSED").count(), 1, "the flood alone: {text}");
    }
}
