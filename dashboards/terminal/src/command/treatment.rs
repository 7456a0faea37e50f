//! `ecmoctl treatment` and `ecmoctl limit preview`: what holds at a pump, and what another limit would have done.

use crate::args::LimitPreviewArgs;
use crate::command::{CommandError, Context};
use crate::json::{PreviewJson, TreatmentJson};
use crate::model::{Limit, PumpName, Treatment};
use crate::verdict::Verdict;
use crate::words::{preview_lines, treatment_lines};

/// Runs `ecmoctl treatment`.
pub(crate) async fn run(context: Context, name: &PumpName) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let told = gateway.connect().await?.treatment(name).await?;
    if printer.is_json() {
        printer.object(&TreatmentJson::new(&told.treatment, told.now));
    } else {
        for line in treatment_lines(&told.treatment, told.now) {
            printer.line(&line);
        }
    }
    Ok(Verdict::Fine)
}

/// Runs `ecmoctl limit preview`.
pub(crate) async fn preview(
    context: Context,
    args: LimitPreviewArgs,
) -> Result<Verdict, CommandError> {
    let Context { gateway, mut printer, .. } = context;
    let gateway = gateway.connect().await?;
    let told = gateway.treatment(&args.pump).await?;
    let limit = known_limit(&told.treatment, &args.rule)?;
    let preview = gateway.preview_limit(&args.pump, &args.rule, args.number).await?;
    if printer.is_json() {
        printer.object(&PreviewJson::new(limit, args.number, &preview));
    } else {
        for line in preview_lines(limit, args.number, &preview) {
            printer.line(&line);
        }
    }
    // Nothing is known of a limit that was tried on nothing.
    Ok(if preview.covered.is_zero() { Verdict::NoData } else { Verdict::Fine })
}

/// The limit of a rule, or the rules that there are.
pub(crate) fn known_limit<'a>(
    treatment: &'a Treatment,
    rule: &str,
) -> Result<&'a Limit, CommandError> {
    treatment.limit(rule).ok_or_else(|| {
        let known: Vec<&str> = treatment.limits.iter().map(|limit| limit.rule.as_str()).collect();
        CommandError::UnknownRule {
            name: treatment.name.clone(),
            rule: rule.to_owned(),
            known: known.join(", "),
        }
    })
}
