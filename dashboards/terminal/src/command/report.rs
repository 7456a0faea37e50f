//! `ecmoctl report`: how good the alarms of a pump were as alarms.

use crate::command::pumps::say;
use crate::command::{CommandError, Context};
use crate::json::ReportJson;
use crate::model::PumpName;
use crate::verdict::Verdict;
use crate::words::{report_lines, unsigned_text};

/// Runs the command.
pub(crate) async fn run(context: Context, name: &PumpName) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let report = gateway.report(name.clone()).await?;
    if printer.is_json() {
        printer.object(&ReportJson::new(name, &report));
    } else {
        for line in report_lines(name, &report) {
            printer.line(&line);
        }
    }
    // Figures of alarms whose limits nobody has signed say as much about the limits as about the alarms.
    let treatment = gateway.treatment(name).await?.treatment;
    if treatment.is_unreviewed() {
        say(&mut printer, &[unsigned_text(&treatment.profile)]);
    }
    Ok(Verdict::Fine)
}
