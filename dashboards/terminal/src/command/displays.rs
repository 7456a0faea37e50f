//! `ecmoctl displays` and `ecmoctl confirmations`: who watches, and who has shown what.

use crate::age::{GatewayTime, age_text};
use crate::args::WardArgs;
use crate::command::{CommandError, Context};
use crate::format::{latency_text, table};
use crate::json::{ConfirmationsJson, DisplayJson};
use crate::model::{AudioOutput, Confirmations, DisplaySeen, DisplayState};
use crate::verdict::Verdict;

/// Runs `ecmoctl displays`: no display that attends counts like missing data.
pub(crate) async fn displays(context: Context, args: &WardArgs) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let ward = args.ward.as_deref().unwrap_or_default();
    let answer = gateway.connect().await?.list_displays(ward).await?;
    if printer.is_json() {
        let displays = answer.displays.iter().map(|one| DisplayJson::new(one, answer.now));
        printer.array(&displays.collect::<Vec<_>>());
    } else if answer.displays.is_empty() {
        printer.line("NO DISPLAY: nobody is told of an alarm here");
    } else {
        table(&rows(&answer.displays, answer.now)).iter().for_each(|line| printer.line(line));
    }
    let attends = |one: &DisplaySeen| one.state == DisplayState::Attends;
    Ok(if answer.displays.iter().any(attends) { Verdict::Fine } else { Verdict::NoData })
}

fn rows(displays: &[DisplaySeen], now: GatewayTime) -> Vec<Vec<String>> {
    let head = ["DISPLAY", "WARDS", "STATE", "SOUND", "PICTURES", "LAG", "LEASE", "UNCONFIRMED"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(displays.iter().map(|one| row(one, now)));
    rows
}

fn row(display: &DisplaySeen, now: GatewayTime) -> Vec<String> {
    let wards = display.wards.join(", ");
    let state = match display.state {
        DisplayState::Attends => "attends",
        DisplayState::NotPainting => "NOT PAINTING",
        DisplayState::Lost => "LOST",
    };
    let hidden = if display.visible { "" } else { ", HIDDEN" };
    let lease = if display.lease_until > now {
        format!("{} left", age_text(now.age_at(display.lease_until)))
    } else {
        format!("over for {}", age_text(display.lease_until.age_at(now)))
    };
    vec![
        display.name.clone(),
        if wards.is_empty() { "all".to_owned() } else { wards },
        format!("{state}{hidden}"),
        match display.audio {
            AudioOutput::On => "on".to_owned(),
            AudioOutput::Blocked => "BLOCKED".to_owned(),
            AudioOutput::None => "none".to_owned(),
        },
        format!("{:.1}/s", display.frames_per_second),
        format!("{} ms", display.lag_ms),
        lease,
        display.unconfirmed.to_string(),
    ]
}

/// Runs `ecmoctl confirmations`: an alarm that nobody has shown as it is now counts like an alarm.
pub(crate) async fn confirmations(
    context: Context,
    args: &WardArgs,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let ward = args.ward.as_deref().unwrap_or_default();
    let alarms = gateway.connect().await?.list_confirmations(ward).await?;
    if printer.is_json() {
        let objects: Vec<_> = alarms.iter().map(ConfirmationsJson::new).collect();
        printer.array(&objects);
    } else if alarms.is_empty() {
        printer.line("no alarm signals");
    } else {
        alarms.iter().flat_map(lines).for_each(|line| printer.line(&line));
    }
    let unconfirmed = alarms.iter().any(|alarm| !alarm.is_confirmed());
    Ok(if unconfirmed { Verdict::Alarm } else { Verdict::Fine })
}

fn lines(alarm: &Confirmations) -> Vec<String> {
    let standing = if alarm.is_confirmed() { "shown" } else { "NOT CONFIRMED BY ANY DISPLAY" };
    let mut lines = vec![format!("{}@{}  {standing}", alarm.occurrence, alarm.revision)];
    lines.extend(alarm.confirmed.iter().map(|one| {
        let took = one.took_ns.map_or_else(|| "unknown".to_owned(), latency_text);
        let old = if one.revision < alarm.covers_from { ", BEFORE IT CHANGED" } else { "" };
        format!("  by {} at revision {}{old}, took {took}", one.display, one.revision)
    }));
    lines.extend(alarm.missing.iter().map(|name| format!("  MISSING: {name}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Confirmed;

    #[test]
    fn a_confirmation_of_before_a_change_does_not_count() {
        let mut alarm = Confirmations {
            occurrence: "nicu/p1/pump.stop/1-1".to_owned(),
            revision: 4,
            covers_from: 3,
            confirmed: vec![Confirmed {
                display: "nurse".to_owned(),
                revision: 2,
                took_ns: Some(1_300_000),
            }],
            missing: vec!["nurse".to_owned()],
        };
        let expected = [
            "nicu/p1/pump.stop/1-1@4  NOT CONFIRMED BY ANY DISPLAY",
            "  by nurse at revision 2, BEFORE IT CHANGED, took 1.30 ms",
            "  MISSING: nurse",
        ];
        assert_eq!(lines(&alarm), expected);
        alarm.confirmed[0].revision = 3;
        assert!(lines(&alarm)[0].ends_with("  shown"));
    }
}
