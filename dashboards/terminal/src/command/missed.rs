//! `ecmoctl missed`: what happened while frames did not arrive, found afterwards by the gateway's rules or at the time by the agent's.

use crate::command::{CommandError, Context};
use crate::json::MissedJson;
use crate::model::{MissedAlarm, PumpName};
use crate::verdict::Verdict;
use crate::words::missed_line;

/// Runs the command: something was missed counts like an alarm.
pub(crate) async fn run(
    context: Context,
    name: Option<&PumpName>,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let missed = gateway.connect().await?.missed(name).await?;
    if printer.is_json() {
        let objects: Vec<_> = missed.iter().map(MissedJson::new).collect();
        printer.array(&objects);
    } else if missed.is_empty() {
        printer.line("nothing was missed since the gateway started");
    } else {
        missed.iter().for_each(|one| printer.line(&missed_line(one)));
    }
    Ok(verdict(&missed))
}

fn verdict(missed: &[MissedAlarm]) -> Verdict {
    if missed.is_empty() { Verdict::Fine } else { Verdict::Alarm }
}
